-- Forgets records of deliveries that finished at a time or before it, the oldest first. KEYS[1] base. ARGV: time in ms, how many at most. Returns how many.
local ids = redis.call('ZRANGEBYSCORE', base .. 'finished', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local d = load(id)
  local key = base .. 'message:' .. message_of(id)
  local packed = redis.call('GET', key)
  local m = packed and unpack_record(packed)
  if d and m then
    reindex(id, d[D.created], indexes(d), {})
    redis.call('ZREM', sender_key(m), id)
    if account_key(m) then redis.call('ZREM', account_key(m), id) end
    redis.call('UNLINK', delivery_key(id))
    m[M.records] = m[M.records] - 1
    if m[M.records] == 0 then redis.call('UNLINK', key) else redis.call('SET', key, cmsgpack.pack(m)) end
  end
  redis.call('ZREM', base .. 'finished', id)
end
return #ids
