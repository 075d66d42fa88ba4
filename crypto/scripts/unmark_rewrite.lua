#!lua flags=allow-oom
-- Takes the mark that asks for a rewrite away, unless more keys were destroyed meanwhile. KEYS: 1 the mark. ARGV: 1 as it was seen. Returns 1 or 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
