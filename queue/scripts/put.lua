-- Makes a message durable, all or nothing.
-- KEYS[1] base. ARGV: message id, once key or '', once value (message id, 26 octets; the body's MAC, 32; an answer that is kept), once lifetime in ms,
-- number of chunks, chunk 0 or '' (then all chunks were written before), message record, account; then for each delivery: its record.
-- Returns {'stored'}, {'replayed', id, answer} or {'conflict'}; an error when a chunk is missing.
local id, once, once_value, lifetime = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local chunks, inline, record, account = tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[8]
if once ~= '' then
  local before = redis.call('GET', once)
  if before then
    if string.sub(before, 27, 58) ~= string.sub(once_value, 27, 58) then return {'conflict'} end
    return {'replayed', string.sub(before, 1, 26), string.sub(before, 59)}
  end
end
local body = base .. 'body:' .. id .. ':'
if inline == '' then
  for i = 0, chunks - 1 do
    if redis.call('EXISTS', body .. i) == 0 then return redis.error_reply('ERR chunk ' .. i .. ' is missing') end
  end
end
local m = cmsgpack.unpack(record)
if inline == '' then
  for i = 0, chunks - 1 do redis.call('PERSIST', body .. i) end
else
  redis.call('SET', body .. '0', inline)
end
redis.call('SET', base .. 'message:' .. id, record)
local now, deliveries = m[M.accepted], #ARGV - 8
for i = 1, deliveries do
  local d = cmsgpack.unpack(ARGV[8 + i])
  local delivery = id .. '-' .. i
  store(delivery, d, ARGV[8 + i])
  if d[D.state] ~= HELD then
    redis.call('ZADD', base .. 'due:' .. d[D.destination], d[D.next], delivery)
    refresh(d[D.destination])
  end
  redis.call('ZADD', sender_key(m), now, delivery)
  if account ~= '' then redis.call('ZADD', account_key(m), now, delivery) end
end
if account ~= '' then
  tally('accounts', account, deliveries)
  rate_of('accounts', account, now, deliveries)
  count('accepted', deliveries)
  rate('accepted', now, deliveries)
end
if once ~= '' then redis.call('SET', once, once_value, 'PX', lifetime) end
return {'stored'}
