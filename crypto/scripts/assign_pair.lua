-- Makes a pair the address's current one, if the current entry is still what the caller saw, and owes its notification.
-- KEYS: 1 the address, 2 outbox rows, 3 outbox due, 4 outbox claimed, 5 the address's notices, 6 the shard's audit trail.
-- ARGV: 1 entry seen ('' for none), 2 new entry, 3 its fingerprint, 4 its wrapped private key, 5 fingerprint and 6 entry of the
-- pair that retires ('' for none), 7 address, 8 row id, 9 row, 10 now, 11 delay, 12 MAC with which the trail ends,
-- 13 its next entry. Returns 1, 0 when another was first, -1 when the trail moved on.
local day = 86400000
local per_day = 3
local now = tonumber(ARGV[10])
if string.sub(redis.call('LINDEX', KEYS[6], -1) or '', 1, 32) ~= ARGV[12] then return -1 end
if (redis.call('HGET', KEYS[1], 'current') or '') ~= ARGV[1] then return 0 end
-- Beyond the day's notices this one waits until the oldest of the last three is a day old.
local recent = redis.call('ZRANGEBYSCORE', KEYS[5], '(' .. string.format('%.0f', now - day), '+inf', 'WITHSCORES')
local allowed = now
if #recent >= 2 * per_day then allowed = math.max(now, tonumber(recent[#recent - 2 * (per_day - 1)]) + day) end
redis.call('HSET', KEYS[1], 'current', ARGV[2], 'key:' .. ARGV[3], ARGV[4])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'pair:' .. ARGV[5], ARGV[6]) end
redis.call('HSET', KEYS[2], ARGV[7], ARGV[9])
redis.call('ZREM', KEYS[4], ARGV[7])
redis.call('ZADD', KEYS[3], string.format('%.0f', allowed + tonumber(ARGV[11])), ARGV[7])
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', string.format('%.0f', now - day))
redis.call('ZADD', KEYS[5], string.format('%.0f', allowed), 'first:' .. ARGV[8])
redis.call('PEXPIRE', KEYS[5], 4 * day)
redis.call('RPUSH', KEYS[6], ARGV[13])
index_pair(KEYS[1])
return 1
