-- An operator's action on one delivery. KEYS[1] base; ARGV: delivery id, action (retry, hold, release, drop), now in ms, '1' for a dry run.
-- Returns {matched, changed}: a delivery that is being sent or is finished matches, but does not change. One whose record cannot be read
-- can only be dropped, and leaves no history.
local id, action, now, dry = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local d, damaged = load(id)
if damaged then
  if action ~= 'drop' then return {1, 0} end
  if dry then return {1, 1} end
  for state = QUEUED, DROPPED do redis.call('ZREM', base .. 'state:' .. state, id) end
  redis.call('UNLINK', delivery_key(id))
  return {1, 1}
end
if not d then return {0, 0} end
local waiting = d[D.state] == QUEUED or d[D.state] == DEFERRED
local held = d[D.state] == HELD
local fits = {retry = waiting, hold = waiting, release = held, drop = waiting or held}
if not fits[action] then return {1, 0} end
if dry then return {1, 1} end
if waiting then unschedule(id, d) end
if action == 'retry' then
  schedule(id, d, d[D.state], now)
elseif action == 'release' then
  d[D.deaths] = 0
  schedule(id, d, QUEUED, now)
elseif action == 'hold' then
  d[D.state], d[D.next] = HELD, 0
else
  finish(id, d, DROPPED, now, 'operator: drop')
end
if action ~= 'drop' then note(d, now, 'operator: ' .. action) end
save(id, d)
return {1, 1}
