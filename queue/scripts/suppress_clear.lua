-- Forgets the bounces of an address. KEYS[1] base. ARGV: address. Returns 1, or 0 when there were none.
local known = redis.call('DEL', KEYS[1] .. 'run:' .. ARGV[1])
redis.call('ZREM', KEYS[1] .. 'rows', ARGV[1])
redis.call('ZREM', KEYS[1] .. 'suppressed', ARGV[1])
return known
