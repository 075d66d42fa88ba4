-- Compares records and indexes of one shard. KEYS[1] base. ARGV: what to look at, '1' to repair, now in ms, then of `records` delivery ids; of
-- `members` the name of a sorted set and some of its members; of `domains`, `accounts` and `destinations` names; of `errors` classes. Returns the
-- texts of the faults.
local what, repair, now = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local faults = {}

local function fault(text, mend)
  faults[#faults + 1] = text
  if repair then mend() end
end

local function expect(id, set, score)
  local found = redis.call('ZSCORE', base .. set, id)
  if found and tonumber(found) == score then return end
  fault(id .. (found and ' stands wrongly in ' or ' is missing in ') .. set, function()
    redis.call('ZADD', base .. set, score, id)
    if string.sub(set, 1, 4) == 'due:' then refresh(string.sub(set, 5)) end
  end)
end

local function has_lease(id)
  for _, incarnation in ipairs(redis.call('ZRANGE', base .. 'nodes', 0, -1)) do
    if redis.call('HEXISTS', base .. 'leases:' .. incarnation, id) == 1 then return true end
  end
  return false
end

local function waits(d) return d[D.state] == QUEUED or d[D.state] == DEFERRED end

-- A waiting delivery that is due nowhere, or that nobody sends, would wait for ever.
local function check_schedule(id, d)
  if waits(d) then
    expect(id, 'due:' .. d[D.destination], d[D.next])
  elseif d[D.state] == SENDING and not has_lease(id) then
    fault(id .. ' is sending, but no process has it', function()
      note(d, now, 'taken back from a relay that died')
      schedule(id, d, d[D.attempts] > 0 and DEFERRED or QUEUED, now)
      save(id, d)
    end)
  elseif not is_open(d[D.state]) and not redis.call('ZSCORE', base .. 'finished', id) then
    fault(id .. ' is missing in finished', function() redis.call('ZADD', base .. 'finished', now, id) end)
  end
end

local function check_record(id)
  local d, damaged = load(id)
  if damaged and not redis.call('ZSCORE', base .. 'state:' .. HELD, id) then
    fault(id .. ' cannot be read, and is not held', function() set_aside(id, now) end)
  end
  if not d then return end
  check_schedule(id, d)
  for kind, set in pairs(indexes(d)) do
    if kind == 'error' then
      if set and not redis.call('ZSCORE', base .. set, id) and not redis.call('ZSCORE', base .. 'error:' .. OTHER_CLASS, id) then
        fault(id .. ' is missing in ' .. set, function() index_error(id, d[D.created], set) end)
      end
    else
      expect(id, set, d[D.created])
    end
  end
  local m = read_message(message_of(id))
  if not m then return fault(id .. ' has no record of its message', function() end) end
  -- A sender that was cut when the message had ended is not searched for; shorter ones never are.
  if is_open(d[D.state]) or #m[M.from] < 100 then expect(id, string.sub(sender_key(m), #base + 1), d[D.created]) end
  if account_key(m) then expect(id, string.sub(account_key(m), #base + 1), d[D.created]) end
end

-- Whether a delivery has a reason to stand in a set.
local function belongs(id, set)
  local d, damaged = load(id)
  if damaged then return set == 'state:' .. HELD end
  if not d then return false end
  if set == 'finished' then return not is_open(d[D.state]) end
  if string.sub(set, 1, 4) == 'due:' then return waits(d) and set == 'due:' .. d[D.destination] end
  for _, name in pairs(indexes(d)) do
    if name == set then return true end
  end
  if set == 'error:' .. OTHER_CLASS then return error_class(d) ~= nil end
  local m = read_message(message_of(id))
  return m and (base .. set == sender_key(m) or base .. set == account_key(m)) or false
end

local function check_members(set)
  for i = 5, #ARGV do
    if redis.call('ZSCORE', base .. set, ARGV[i]) and not belongs(ARGV[i], set) then  -- it may have moved since it was read
      fault(ARGV[i] .. ' stands in ' .. set .. ' without a reason', function()
        redis.call('ZREM', base .. set, ARGV[i])
        if string.sub(set, 1, 4) == 'due:' then refresh(string.sub(set, 5)) end
      end)
    end
  end
end

local function check_tally(of, name, right)
  local told = tonumber(redis.call('ZSCORE', base .. of, name) or 0)
  if told == right then return end
  fault(name .. ' counts ' .. told .. ' in ' .. of .. ', not ' .. right, function() tally(of, name, right - told) end)
end

local function check_domain(name)
  local right = 0
  for state = QUEUED, HELD do right = right + redis.call('ZCARD', base .. 'domain:' .. name .. ':' .. state) end
  check_tally('domains', name, right)
end

local function check_account(name)
  local right = 0
  for _, id in ipairs(redis.call('ZRANGE', base .. 'account:' .. name, 0, -1)) do
    local d = load(id)
    loaded[id] = nil
    if d and is_open(d[D.state]) then right = right + 1 end
  end
  check_tally('accounts', name, right)
end

local function check_error(class)
  local listed = redis.call('SISMEMBER', base .. 'errors', class) == 1
  local used = redis.call('EXISTS', base .. 'error:' .. class) == 1
  if listed == used then return end
  fault('the failure "' .. class .. '" is ' .. (used and 'not ' or '') .. 'listed' .. (used and '' or ' for nothing'), function()
    redis.call(used and 'SADD' or 'SREM', base .. 'errors', class)
  end)
end

local function check_destination(name)
  local first = redis.call('ZRANGE', base .. 'due:' .. name, 0, 0, 'WITHSCORES')[2]
  if (redis.call('ZSCORE', schedule_of(name), name) or nil) == first then return end
  fault('the schedule has ' .. name .. ' at a wrong time', function() refresh(name) end)
end

if what == 'members' then
  check_members(ARGV[4])
else
  local check = {records = check_record, domains = check_domain, accounts = check_account, errors = check_error, destinations = check_destination}
  for i = 4, #ARGV do check[what](ARGV[i]) end
end
return faults
