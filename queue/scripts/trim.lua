-- Forgets records of deliveries that finished at a time or before it, the oldest first. KEYS[1] base. ARGV: time in ms, how many at most. Returns how many.
local ids = redis.call('ZRANGEBYSCORE', base .. 'finished', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local d = load(id)
  local key = base .. 'message:' .. message_of(id)
  local packed = redis.call('GET', key)
  local m = packed and unpack_record(packed)
  if d and m then
    redis.call('ZREM', recipient_key(d), id)
    if m[M.account] ~= '' then redis.call('ZREM', base .. 'account:' .. m[M.account], id) end
    count(d[D.state], -1)
    redis.call('UNLINK', delivery_key(id))
    m[M.records] = m[M.records] - 1
    if m[M.records] == 0 then redis.call('UNLINK', key) else redis.call('SET', key, cmsgpack.pack(m)) end
  end
  redis.call('ZREM', base .. 'all', id)
  redis.call('ZREM', base .. 'finished', id)
end
return #ids
