-- Takes due deliveries of one shard under a lease, from the destinations that the caller has seen to have some.
-- KEYS[1] base. ARGV: now in ms, incarnation, how many at most, how many of the doubtful ones together; then of each
-- destination its name, how many, and 1 when it is doubtful. Returns 1 when a destination or the doubtful ones have used
-- up what they may, else 0; then a flat list of id, fence, message record, delivery record; with fence 0 one that cannot
-- be read, which was set aside.
local now, incarnation, left, doubtful_left = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local claimed = {0}
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
  d[D.state], d[D.fence] = SENDING, fence
  local packed = save(id, d)
  redis.call('HSET', leases, id, fence)
  local n = #claimed
  claimed[n + 1], claimed[n + 2] = id, fence
  claimed[n + 3], claimed[n + 4] = redis.call('GET', base .. 'message:' .. message_of(id)), packed
end

-- In turn: everyone gets a share first, what is left goes to those that have more.
local share = math.max(1, math.floor(left * 3 / math.max(1, #ARGV - 4)))
local used_up = 0
local taken = {}
for round = 1, 2 do
  for i = 5, #ARGV, 3 do
    if left <= 0 then break end
    local destination, doubtful = ARGV[i], ARGV[i + 2] == '1'
    local room = math.min(left, tonumber(ARGV[i + 1]) - (taken[i] or 0))
    if round == 1 then room = math.min(room, share) end
    if doubtful then room = math.min(room, doubtful_left) end
    if room > 0 then
      local due = base .. 'due:' .. destination
      local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, room)
      for _, id in ipairs(ids) do
        redis.call('ZREM', due, id)
        take(id)
      end
      taken[i] = (taken[i] or 0) + #ids
      left = left - #ids
      if doubtful then doubtful_left = doubtful_left - #ids end
      if taken[i] >= tonumber(ARGV[i + 1]) or (doubtful and doubtful_left <= 0) then used_up = 1 end
      if #ids > 0 then refresh(destination) end
    end
  end
end
-- A process that dies before its first heartbeat must be missed, too.
if #claimed > 1 then redis.call('ZADD', base .. 'nodes', 'NX', redis.call('TIME')[1], incarnation) end
claimed[1] = used_up
return claimed
