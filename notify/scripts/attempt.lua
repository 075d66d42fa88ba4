#!lua flags=allow-oom
-- Counts an attempt at a link's code before anybody compares it. KEYS[1] link; ARGV[1] attempts allowed.
-- Returns {attempts used, the code's MAC}, or nothing for an unknown link. A locked link stays at allowed + 1.
local code = redis.call('HGET', KEYS[1], 'code')
if not code then return false end
local used = tonumber(redis.call('HGET', KEYS[1], 'attempts') or '0')
if used > tonumber(ARGV[1]) then return {used, ''} end
used = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
if used > tonumber(ARGV[1]) then return {used, ''} end
return {used, code}
