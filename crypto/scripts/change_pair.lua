-- Changes entries of an address, if they are still what the caller saw, with the entry of the audit trail that says so.
-- KEYS: 1 the address, 2 the shard's audit trail, 3 its revoked certificates, 4 the mark that asks for a rewrite of the AOF.
-- ARGV: 1 MAC with which the trail ends, 2 its next entry, 3 fingerprint of the private key that is destroyed ('' for none), 4 serial
-- number that is revoked and 5 what is kept of it ('' for none); then for each entry field, entry seen and new entry ('' for none).
-- Returns 1, 0 when an entry is another one now, -1 when the trail moved on.
if string.sub(redis.call('LINDEX', KEYS[2], -1) or '', 1, 32) ~= ARGV[1] then return -1 end
for i = 6, #ARGV, 3 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
for i = 6, #ARGV, 3 do
  if ARGV[i + 2] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2]) end
end
if ARGV[3] ~= '' then
  redis.call('HDEL', KEYS[1], 'key:' .. ARGV[3])
  redis.call('INCR', KEYS[4])
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], ARGV[4], ARGV[5]) end
redis.call('RPUSH', KEYS[2], ARGV[2])
index_pair(KEYS[1])
return 1
