#!lua flags=allow-oom
-- Takes the password of an attached file from a link. KEYS[1] link; ARGV[1] its MAC without it. Returns 1, or 0 for a link that was forgotten meanwhile.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'attached', '', 'mac', ARGV[1])
return 1
