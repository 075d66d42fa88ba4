-- Forgets records of deliveries that finished at a time or before it, the oldest first. KEYS[1] base. ARGV: time in ms, how many at most. Returns how many.
local ids = redis.call('ZRANGEBYSCORE', base .. 'finished', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local d = load(id)
  local m = read_message(message_of(id))
  if d and m then
    reindex(id, d[D.created], indexes(d), {})
    forget_one(id, m)
  end
  redis.call('ZREM', base .. 'finished', id)
end
return #ids
