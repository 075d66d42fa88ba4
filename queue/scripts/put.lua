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
  for i = 0, chunks - 1 do redis.call('PERSIST', body .. i) end
else
  redis.call('SET', body .. '0', inline)
end
redis.call('SET', base .. 'message:' .. id, record)
local now = 0
for i = 9, #ARGV do
  local d = cmsgpack.unpack(ARGV[i])
  local delivery = id .. '-' .. (i - 8)
  now = d[D.created]
  redis.call('SET', delivery_key(delivery), ARGV[i])
  if d[D.state] == HELD then
    redis.call('ZADD', base .. 'held', now, delivery)
  else
    redis.call('ZADD', base .. 'due:' .. d[D.destination], d[D.next], delivery)
    refresh(d[D.destination])
  end
  count(d[D.state], 1)
  redis.call('ZADD', base .. 'all', d[D.created], delivery)
  redis.call('ZADD', recipient_key(d), d[D.created], delivery)
  if account ~= '' then redis.call('ZADD', base .. 'account:' .. account, d[D.created], delivery) end
end
count('accepted', 1)
rate('accepted', now, #ARGV - 8)
if once ~= '' then redis.call('SET', once, once_value, 'PX', lifetime) end
return {'stored'}
