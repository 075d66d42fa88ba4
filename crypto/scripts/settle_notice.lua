#!lua flags=allow-oom
-- Removes a row whose notice is durable, unless a newer one took its place.
-- KEYS: 1 outbox rows, 2 outbox due, 3 outbox claimed. ARGV: 1 address, 2 row id. Returns 1 or 0.
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row or string.sub(row, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
