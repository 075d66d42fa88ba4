-- Takes due deliveries of one shard under a lease.
-- KEYS[1] base. ARGV: now in ms, incarnation, how many at most, how many per destination; then pairs of destination and how many
-- of it are in flight already (for a limit of its own: more or less than that). Returns a flat list of id, fence, message record, delivery record; with fence 0 one that cannot be read,
-- which was set aside.
local now, incarnation, max, limit = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local in_flight = {}
for i = 5, #ARGV, 2 do in_flight[ARGV[i]] = tonumber(ARGV[i + 1]) end
local claimed = {}
local leases = base .. 'leases:' .. incarnation

local function take(id)
  local d, damaged = load(id)
  if damaged then
    set_aside(id, now)
    local n = #claimed
    claimed[n + 1], claimed[n + 2], claimed[n + 3], claimed[n + 4] = id, 0, '', ''
  end
  if not d then return end
  local fence = redis.call('INCR', base .. 'fence')
  set_state(d, SENDING)
  d[D.fence] = fence
  local packed = cmsgpack.pack(d)
  redis.call('SET', delivery_key(id), packed)
  redis.call('HSET', leases, id, fence)
  local n = #claimed
  claimed[n + 1], claimed[n + 2] = id, fence
  claimed[n + 3], claimed[n + 4] = redis.call('GET', base .. 'message:' .. message_of(id)), packed
end

-- Those that have no room are passed: they must not hide the others.
local ready = {}
local from = 0
repeat
  local page = redis.call('ZRANGEBYSCORE', base .. 'destinations', '-inf', now, 'LIMIT', from, 256)
  for _, destination in ipairs(page) do
    if limit > (in_flight[destination] or 0) then ready[#ready + 1] = destination end
  end
  from = from + 256
until #page < 256 or #ready >= 256
-- In turn: everyone gets a share first, what is left goes to those that have more.
local left = max
local share = math.max(1, math.floor(max / math.max(1, #ready)))
for round = 1, 2 do
  for _, destination in ipairs(ready) do
    if left <= 0 then break end
    local room = math.min(left, limit - (in_flight[destination] or 0))
    if round == 1 then room = math.min(room, share) end
    if room > 0 then
      local due = base .. 'due:' .. destination
      local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, room)
      for _, id in ipairs(ids) do
        redis.call('ZREM', due, id)
        take(id)
      end
      in_flight[destination] = (in_flight[destination] or 0) + #ids
      left = left - #ids
      if #ids > 0 then refresh(destination) end
    end
  end
end
-- A process that dies before its first heartbeat must be missed, too.
if #claimed > 0 then redis.call('ZADD', base .. 'nodes', 'NX', redis.call('TIME')[1], incarnation) end
return claimed
