#!lua flags=allow-oom
-- After a right code: no attempt counts against the link any more, and its first use is remembered once. KEYS[1] link; ARGV[1] now.
-- Returns 1, or 0 for a link that was forgotten meanwhile. A full store must not turn right codes into a lock.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'attempts', '0')
redis.call('HSETNX', KEYS[1], 'first_used', ARGV[1])
return 1
