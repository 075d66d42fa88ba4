-- Sets how many permits of a destination a node holds. KEYS[1] the destination's permits. ARGV: holder, how many it wants, how many
-- there are, for how many seconds of Redis' own clock. Returns how many it has now.
local holder, wanted, limit, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = tonumber(redis.call('TIME')[1])
local others = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local count, ends = all[i + 1]:match('^(%d+) (%d+)$')
  if all[i] == holder then
  elseif not ends or tonumber(ends) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  else
    others = others + tonumber(count)
  end
end
local granted = math.max(0, math.min(wanted, limit - others))
if granted > 0 then
  redis.call('HSET', KEYS[1], holder, granted .. ' ' .. (now + lease))
  redis.call('EXPIRE', KEYS[1], lease)
else
  redis.call('HDEL', KEYS[1], holder)
end
return granted
