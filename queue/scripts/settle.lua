-- Records how an attempt ended, if the lease still stands.
-- KEYS[1] base. ARGV: incarnation, delivery id, fence, what (delivered, deferred, bounced, held, release, warned), now, next attempt, response.
-- Returns 1, or 0 when somebody else answers for the delivery now.
local incarnation, id, fence, what = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, next_attempt, response = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local leases = base .. 'leases:' .. incarnation
if redis.call('HGET', leases, id) ~= fence then return 0 end
local d, damaged = load(id)
if damaged then
  redis.call('HDEL', leases, id)
  set_aside(id, now)
end
if not d or tostring(d[D.fence]) ~= fence then return 0 end
if what == 'warned' then
  d[D.warned] = 1
  note(d, now, 'delay warning sent')
  save(id, d)
  return 1
end
redis.call('HDEL', leases, id)
if what == 'release' then
  schedule(id, d, d[D.attempts] > 0 and DEFERRED or QUEUED, d[D.next])
  save(id, d)
  return 1
end
local event = is_webhook(d[D.destination])  -- no mail: it counts for its own destination alone
d[D.response] = response
if what ~= 'held' then
  d[D.attempts] = d[D.attempts] + 1
  d[D.deaths] = 0
end
if what == 'delivered' or what == 'bounced' then
  finish(id, d, what == 'delivered' and DELIVERED or BOUNCED, now, what)
else
  note(d, now, what .. ': ' .. response)
  if what == 'deferred' then
    schedule(id, d, DEFERRED, next_attempt)
  else
    d[D.state], d[D.next] = HELD, 0
  end
  redis.call('HSET', base .. 'last_errors', domain_of(d), string.format('%d ', now) .. string.sub(without_left_out(response), 1, 256))
end
if what == 'delivered' then rate_of('domains', domain_of(d), now, 1) end
if not event then
  count(what, 1)
  if what ~= 'held' then rate(what, now, 1) end
  if what == 'delivered' then rate('within:' .. latency_bound(now - d[D.created]), now, 1) end
end
save(id, d)
return 1
