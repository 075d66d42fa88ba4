-- Takes back the leases of processes that have been silent for too long. KEYS[1] base. ARGV: silence in s, Redis' uptime in s, now in ms,
-- deaths after which a delivery is held. Counts no attempt. Returns how many deliveries were taken back.
local silence, uptime, now, max_deaths = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if uptime < silence then return 0 end
local dead = redis.call('ZRANGEBYSCORE', base .. 'nodes', '-inf', tonumber(redis.call('TIME')[1]) - silence)
local taken = 0
for _, incarnation in ipairs(dead) do
  local leases = base .. 'leases:' .. incarnation
  local ids = redis.call('HKEYS', leases)
  for _, id in ipairs(ids) do
    local d, damaged = load(id)
    if damaged then set_aside(id, now) end
    if d and d[D.state] == SENDING then
      d[D.deaths] = d[D.deaths] + 1
      d[D.fence] = 0
      if d[D.deaths] >= max_deaths then
        d[D.response] = 'the relay died ' .. d[D.deaths] .. ' times while it sent this'
        note(d, now, 'held: ' .. d[D.response])
        d[D.state], d[D.next] = HELD, 0
      else
        note(d, now, 'taken back from a relay that died')
        schedule(id, d, d[D.attempts] > 0 and DEFERRED or QUEUED, now)
      end
      save(id, d)
      taken = taken + 1
    end
  end
  redis.call('DEL', leases)
  redis.call('ZREM', base .. 'nodes', incarnation)
end
return taken
