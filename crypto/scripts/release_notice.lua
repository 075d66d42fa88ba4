#!lua flags=allow-oom
-- The message that caused a notification is durable: due now, or when the day's limit allows it. A row that somebody claimed stays claimed.
-- KEYS: 1 outbox due, 2 the address's notices. ARGV: 1 address, 2 now.
local last = redis.call('ZRANGE', KEYS[2], 0, 0, 'REV', 'WITHSCORES')
local due = ARGV[2]
if last[2] and tonumber(last[2]) > tonumber(due) then due = last[2] end
return redis.call('ZADD', KEYS[1], 'XX', 'LT', 'CH', due, ARGV[1])
