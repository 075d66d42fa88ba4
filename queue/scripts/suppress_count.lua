-- Counts a bounce of an address, once for each delivery. KEYS[1] base. ARGV: address, delivery id, now in ms, bounces in a row after which
-- mail is refused, lifetime of the row in ms, response, rows that the slot keeps. Returns how many bounces there were in a row.
local base, address, delivery, response = KEYS[1], ARGV[1], ARGV[2], ARGV[6]
local now, after, lifetime, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7])
local R = {bounces = 2, last = 3, until_ = 4, response = 5, counted = 6}
local rows, suppressed = base .. 'rows', base .. 'suppressed'

local function read_row()
  local fine, row = pcall(cmsgpack.unpack, redis.call('GET', base .. 'run:' .. address) or '')
  local ours = fine and type(row) == 'table' and row[1] == 1 and type(row[R.counted]) == 'table'
  for _, field in ipairs({R.bounces, R.last, R.until_}) do ours = ours and type(row[field]) == 'number' end
  local over = ours and (row[R.until_] ~= 0 and row[R.until_] or row[R.last] + lifetime) <= now
  if ours and not over then return row end
  return {1, 0, 0, 0, '', {}}
end

local function forget(names)
  for _, name in ipairs(names) do
    redis.call('DEL', base .. 'run:' .. name)
    redis.call('ZREM', rows, name)
    redis.call('ZREM', suppressed, name)
  end
end

local row = read_row()
local counted = row[R.counted]
for _, id in ipairs(counted) do
  if id == delivery then return row[R.bounces] end
end
-- What was under way when mail began to be refused neither counts nor makes it last longer.
if row[R.until_] ~= 0 then return row[R.bounces] end
row[R.bounces], row[R.last], row[R.response] = row[R.bounces] + 1, now, response
if #counted >= 16 then table.remove(counted, 1) end
counted[#counted + 1] = delivery
redis.call('ZADD', rows, now + lifetime, address)
redis.call('ZREM', suppressed, address)
if row[R.bounces] >= after then
  row[R.until_] = now + lifetime
  redis.call('ZADD', suppressed, 0, address)
end
redis.call('SET', base .. 'run:' .. address, cmsgpack.pack(row), 'PX', lifetime)
forget(redis.call('ZRANGEBYSCORE', rows, '-inf', now, 'LIMIT', 0, 100))
local excess = redis.call('ZCARD', rows) - most
if excess > 0 then forget(redis.call('ZRANGE', rows, 0, excess - 1)) end
for _, index in ipairs({rows, suppressed}) do
  if redis.call('PTTL', index) < lifetime then redis.call('PEXPIRE', index, lifetime) end
end
return row[R.bounces]
