-- What waits for some domains in one shard. KEYS[1] base. ARGV: how many bounds, the bounds (creation in ms), then the domains. Changes nothing.
-- Returns for each domain: queued, sending, deferred, held, creation of the oldest or 0, next attempt or 0, last error ('time text') or '', and how
-- many were created after each bound.
local bounds = tonumber(ARGV[1])
local answer = {}

-- The earliest of a destination of its own; through a fixed route, that of the first few that wait.
local function next_attempt(domain)
  local due = redis.call('ZRANGE', base .. 'due:' .. domain, 0, 0, 'WITHSCORES')
  if due[2] then return tonumber(due[2]) end
  local earliest = 0
  for _, state in ipairs({QUEUED, DEFERRED}) do
    for _, id in ipairs(redis.call('ZRANGE', base .. 'domain:' .. domain .. ':' .. state, 0, 9)) do
      local d = load(id)
      if d and d[D.next] > 0 and (earliest == 0 or d[D.next] < earliest) then earliest = d[D.next] end
    end
  end
  return earliest
end

for i = bounds + 2, #ARGV do
  local domain, oldest, after = ARGV[i], 0, {}
  for state = QUEUED, HELD do
    local key = base .. 'domain:' .. domain .. ':' .. state
    local count = redis.call('ZCARD', key)
    answer[#answer + 1] = count
    if count > 0 then
      local created = tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
      if oldest == 0 or created < oldest then oldest = created end
      for bound = 1, bounds do
        after[bound] = (after[bound] or 0) + redis.call('ZCOUNT', key, '(' .. ARGV[1 + bound], '+inf')
      end
    end
  end
  answer[#answer + 1] = oldest
  answer[#answer + 1] = next_attempt(domain)
  answer[#answer + 1] = redis.call('HGET', base .. 'last_errors', domain) or ''
  for bound = 1, bounds do answer[#answer + 1] = after[bound] or 0 end
end
return answer
