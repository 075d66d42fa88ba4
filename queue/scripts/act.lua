-- An operator's action on one delivery. KEYS[1] base; ARGV: delivery id, action (retry, hold, release, drop, bounce, reroute), now in ms, '1' for
-- a dry run, of reroute where to ('mx': the recipient's domain). Returns {matched, changed, why not}: a delivery that is being sent or is finished
-- matches, but does not change; why is then its state, 'unsealed' or 'damaged'. One whose record cannot be read can only be dropped, and leaves no history.
local id, action, now, dry, route = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', ARGV[5]
local d, damaged = load(id)
if damaged then
  if action ~= 'drop' then return {1, 0, 'damaged'} end
  if dry then return {1, 1, ''} end
  -- What its record would say, the sets that it stands in do.
  local open = false
  for state = QUEUED, DROPPED do
    local stood = redis.call('ZREM', base .. 'state:' .. state, id) == 1
    open = open or stood and is_open(state)
  end
  local message = message_of(id)
  local m = read_message(message)
  if not m then
    redis.call('UNLINK', delivery_key(id))
  else
    if open then close_one(message, m) end
    forget_one(id, m)
  end
  return {1, 1, ''}
end
if not d then return {0, 0, ''} end
local waiting = d[D.state] == QUEUED or d[D.state] == DEFERRED
local held = d[D.state] == HELD
local either = waiting or held
-- A webhook's event is no mail that another server could take. Of mail only what is sealed goes elsewhere: the relay's own notices bring
-- links and codes, and travel as the settings say.
local function is_sealed()
  local m = read_message(message_of(id))
  return m and (m[M.kind] == 0 or m[M.kind] == 1)
end
local fits = {retry = waiting, hold = waiting, release = held, drop = either, bounce = either,
              reroute = action == 'reroute' and either and not is_webhook(d[D.destination]) and is_sealed()}
if not fits[action] then return {1, 0, action == 'reroute' and either and 'unsealed' or tostring(d[D.state])} end
if dry then return {1, 1, ''} end
if waiting then unschedule(id, d) end
local said = action
if action == 'drop' then
  finish(id, d, DROPPED, now, 'operator: drop')
elseif action == 'hold' then
  d[D.state], d[D.next] = HELD, 0
  set_order(d, '')
else
  if action == 'reroute' then
    d[D.destination] = route == 'mx' and domain_of(d) or route
    said = 'reroute to ' .. route
  end
  if held then d[D.deaths] = 0 end
  set_order(d, action == 'bounce' and action or '')
  schedule(id, d, waiting and d[D.state] or QUEUED, now)
end
if action ~= 'drop' then note(d, now, 'operator: ' .. said) end
save(id, d)
return {1, 1, ''}
