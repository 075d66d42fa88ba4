#!lua flags=allow-oom
-- Replaces one entry of an address, if it is still what the caller saw. KEYS: 1 the address. ARGV: 1 field, 2 entry seen, 3 new entry. Returns 1 or 0.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
