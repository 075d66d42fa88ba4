#!lua
-- Owes a further notification to an address, due now: not a second one within a day, not a fourth of the day. One that waits already is
-- released instead: the message at hand is durable, whatever becomes of the one that it waits for.
-- KEYS: 1 outbox rows, 2 outbox due, 3 the address's notices. ARGV: 1 address, 2 row id, 3 row, 4 now; without a row only what waits is
-- released. Returns 1 when one fell due, or 0; -1 when none waits and there is no row to order.
local day = 86400000
local per_day = 3
local now = tonumber(ARGV[4])
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  local last = redis.call('ZRANGE', KEYS[3], 0, 0, 'REV', 'WITHSCORES')
  local due = ARGV[4]
  if last[2] and tonumber(last[2]) > now then due = last[2] end
  local sooner = redis.call('ZADD', KEYS[2], 'XX', 'LT', 'CH', due, ARGV[1])
  return tonumber(due) <= now and sooner or 0
end
if ARGV[3] == '' then return -1 end
local recent = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. string.format('%.0f', now - day), '+inf')
if #recent >= per_day then return 0 end
for _, notice in ipairs(recent) do
  if string.sub(notice, 1, 6) == 'again:' then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now - day))
redis.call('ZADD', KEYS[3], ARGV[4], 'again:' .. ARGV[2])
redis.call('PEXPIRE', KEYS[3], 4 * day)
return 1
