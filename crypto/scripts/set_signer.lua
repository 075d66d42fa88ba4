#!lua
-- Puts the relay's signing pair where none stands, or one that is still what the caller saw. KEYS: 1 the pair. ARGV: 1 pair seen, empty for none, 2 new pair. Returns what stands there then.
local there = redis.call('GET', KEYS[1])
if (there or '') ~= ARGV[1] then return there end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
