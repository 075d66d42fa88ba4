#!lua flags=allow-oom
-- Takes due rows, those first whose claim ran out.
-- KEYS: 1 outbox due, 2 outbox claimed, 3 outbox rows. ARGV: 1 now, 2 end of the claim, 3 how many. Returns the rows.
local rows = {}
local function take(from)
  local room = tonumber(ARGV[3]) - #rows
  if room <= 0 then return end
  for _, address in ipairs(redis.call('ZRANGEBYSCORE', from, '-inf', ARGV[1], 'LIMIT', 0, room)) do
    local row = redis.call('HGET', KEYS[3], address)
    redis.call('ZREM', KEYS[1], address)
    if row then
      redis.call('ZADD', KEYS[2], ARGV[2], address)
      rows[#rows + 1] = row
    else
      redis.call('ZREM', KEYS[2], address)
    end
  end
end
take(KEYS[2])
take(KEYS[1])
return rows
