#!lua flags=allow-oom
-- Points an address back to its earlier notification, if its latest is still the one that is taken back.
-- KEYS: 1 the address's latest. ARGV: 1 the link taken back, 2 the earlier one ('' for none), 3 when that is forgotten. Returns 1 or 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
end
return 1
