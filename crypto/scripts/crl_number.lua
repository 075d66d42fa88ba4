#!lua flags=allow-oom
-- The number of a new revocation list: the time, but always more than that of the list before, on whichever node that was made.
-- KEYS: 1 the last number. ARGV: 1 the time in seconds. Returns the number.
local number = math.max(tonumber(ARGV[1]), (tonumber(redis.call('GET', KEYS[1])) or 0) + 1)
redis.call('SET', KEYS[1], string.format('%.0f', number))
return number
