#!lua flags=allow-oom
-- The message that caused a notification was refused: nobody is told, unless the row was released for another message, is due or was claimed.
-- A row waits unreleased as long as it is due the whole delay after the time from which it may leave.
-- KEYS: 1 outbox rows, 2 outbox due, 3 the address's notices. ARGV: 1 address, 2 now, 3 delay. Returns 1 or 0.
local row = redis.call('HGET', KEYS[1], ARGV[1])
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not row or not due then return 0 end
local notice = 'first:' .. string.sub(row, 1, 26)
local allowed = redis.call('ZSCORE', KEYS[3], notice)
if not allowed then return 0 end
if tonumber(due) < tonumber(allowed) + tonumber(ARGV[3]) or tonumber(due) <= tonumber(ARGV[2]) then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], notice)
return 1
