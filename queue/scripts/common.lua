-- What the queue's scripts share; set in front of each of them when the program starts (queue/scripts.cpp).
-- Field numbers of the records: docs/redis.md.
local D = {state = 2, attempts = 3, created = 4, next = 5, response = 6, fence = 7, deaths = 8, warned = 9,
           recipient = 10, domain = 11, destination = 12, orcpt = 16, head_offset = 17, head_octets = 18, content = 19,
           history = 21, bounced_before = 22, order = 23}
local M = {account = 2, from = 3, envid = 4, accepted = 6, kind = 7, open = 8, records = 9, chunks = 10, header = 11, contents = 12, body = 13}
local QUEUED, SENDING, DEFERRED, HELD, DELIVERED, BOUNCED, DROPPED = 0, 1, 2, 3, 4, 5, 6
local base = KEYS[1]

local function message_of(id) return string.match(id, '^(%w+)') end
local function delivery_key(id) return base .. 'delivery:' .. id end

-- What follows the recipient's @, in lower case: the A-label domain unless it was written in other letters.
local function written_domain(d) return string.lower(string.match(d[D.recipient], '@([^@]*)$')) end

-- The directory's spelling of the address: local part unquoted and in lower case, A-label domain.
local function recipient_key(d)
  local written = string.match(d[D.recipient], '^(.*)@')
  local quoted = string.match(written, '^"(.*)"$')
  if quoted then written = string.gsub(quoted, '\\(.)', '%1') end
  local domain = d[D.domain] ~= '' and d[D.domain] or written_domain(d)
  return 'recipient:' .. string.lower(written) .. '@' .. domain
end

-- A record that we wrote, as far as the scripts use it.
local function is_delivery(d)
  if type(d) ~= 'table' or d[1] ~= 1 or type(d[D.history]) ~= 'table' then return false end
  for _, field in ipairs({D.state, D.attempts, D.created, D.next, D.fence, D.deaths}) do
    if type(d[field]) ~= 'number' then return false end
  end
  for _, field in ipairs({D.response, D.recipient, D.domain, D.destination}) do
    if type(d[field]) ~= 'string' then return false end
  end
  if d[D.state] < QUEUED or d[D.state] > DROPPED or d[D.state] % 1 ~= 0 then return false end
  return string.find(d[D.recipient], '@', 1, true) ~= nil
end

local function unpack_record(packed)
  local fine, record = pcall(cmsgpack.unpack, packed)
  if fine and type(record) == 'table' then return record end
  return nil
end

-- A message's record that we wrote, as far as the scripts reckon with it; nil when there is none.
local function read_message(message)
  local m = unpack_record(redis.call('GET', base .. 'message:' .. message) or '')
  if not m then return nil end
  for _, field in ipairs({M.accepted, M.open, M.records, M.chunks}) do
    if type(m[field]) ~= 'number' then return nil end
  end
  for _, field in ipairs({M.account, M.from}) do
    if type(m[field]) ~= 'string' then return nil end
  end
  return m
end

-- Deliveries that end differently with the same reply are told apart by it, not by who gave it, nor by its numbers but the codes. A class has
-- at most so many octets; a shard keeps so many of them, and the rest under one name, which no reply gives.
local CLASS_MAX, CLASSES_MAX, OTHER_CLASS = 64, 256, ''
local LEFT_OUT = 'not tried, since the attempt before ended so: '
local function without_left_out(response)
  return string.sub(response, 1, #LEFT_OUT) == LEFT_OUT and string.sub(response, #LEFT_OUT + 1) or response
end
local function error_class(d)
  if d[D.response] == '' or d[D.state] == DELIVERED then return nil end
  local text = without_left_out(d[D.response])
  text = string.match(text, '^%S+ %[%S*%][^:]*: (.*)$') or text
  local codes, rest = string.match(text, '^(%d%d%d%s?[%d.]*)(.*)$')
  text = (codes or '') .. string.gsub(rest or text, '%d+', '#')
  return string.lower(string.sub(text, 1, CLASS_MAX))
end

local function is_open(state) return state <= HELD end
local function domain_of(d) return d[D.domain] ~= '' and d[D.domain] or written_domain(d) end

-- The indexes that a delivery stands in for what its own record says, all by its creation. They follow from the record alone: who loads,
-- changes and saves it keeps them, and `queue verify` compares the two.
local function indexes(d)
  local class = error_class(d)
  return {state = 'state:' .. d[D.state], domain = 'domain:' .. domain_of(d) .. ':' .. d[D.state], recipient = recipient_key(d),
          error = class and 'error:' .. class or false}
end

-- And those for what its message says; they never change.
local function sender_key(m) return base .. 'sender:' .. (m[M.from] == '' and '<>' or string.lower(m[M.from])) end
local function account_key(m) return m[M.account] ~= '' and base .. 'account:' .. m[M.account] or nil end

local function index_error(id, created, name)
  local class = string.sub(name, 7)
  if redis.call('SISMEMBER', base .. 'errors', class) == 0 then
    if redis.call('SCARD', base .. 'errors') >= CLASSES_MAX then class = OTHER_CLASS end
    redis.call('SADD', base .. 'errors', class)
  end
  redis.call('ZADD', base .. 'error:' .. class, created, id)
end

local function unindex_error(id, name)
  for _, class in ipairs({string.sub(name, 7), OTHER_CLASS}) do
    if redis.call('ZREM', base .. 'error:' .. class, id) == 1 and redis.call('EXISTS', base .. 'error:' .. class) == 0 then
      redis.call('SREM', base .. 'errors', class)
    end
  end
end

-- Of how many unfinished deliveries there are: of a domain, or of an account.
local function tally(of, name, by)
  if tonumber(redis.call('ZINCRBY', base .. of, by, name)) <= 0 then
    redis.call('ZREM', base .. of, name)
    if of == 'domains' then redis.call('HDEL', base .. 'last_errors', name) end
  end
end

-- From one record's indexes to another's; either may be none.
local function reindex(id, created, before, after)
  for kind, name in pairs(before) do
    if name and after[kind] ~= name then
      if kind == 'error' then unindex_error(id, name) else redis.call('ZREM', base .. name, id) end
    end
  end
  for kind, name in pairs(after) do
    if name and before[kind] ~= name then
      if kind == 'error' then index_error(id, created, name) else redis.call('ZADD', base .. name, created, id) end
    end
  end
end

local loaded = {}  -- of each delivery: the indexes, the state and the domain that its record had when it was read

-- Nil when there is no record; nil and true when there is one that cannot be read.
local function load(id)
  local packed = redis.call('GET', delivery_key(id))
  if not packed then return nil, false end
  local d = unpack_record(packed)
  if not is_delivery(d) then return nil, true end
  loaded[id] = {indexes = indexes(d), open = is_open(d[D.state]), domain = domain_of(d)}
  return d, false
end

-- Writes the record, packed, and moves it to where it now belongs.
local function store(id, d, packed)
  redis.call('SET', delivery_key(id), packed)
  local before = loaded[id] or {indexes = {}, open = false, domain = domain_of(d)}
  local after = {indexes = indexes(d), open = is_open(d[D.state]), domain = domain_of(d)}
  reindex(id, d[D.created], before.indexes, after.indexes)
  if after.open ~= before.open then tally('domains', before.domain, after.open and 1 or -1) end
  loaded[id] = after
  return packed
end

local function save(id, d) return store(id, d, cmsgpack.pack(d)) end

-- What whoever claims it next should do instead of an attempt: 'bounce', or '' for nothing. Records of earlier versions end before it.
local function set_order(d, order)
  d[D.bounced_before] = d[D.bounced_before] or 0
  d[D.order] = order
end

-- Out of the schedule, for a human: nobody can attempt a delivery whose record cannot be read.
local function set_aside(id, now)
  for state = QUEUED, DROPPED do redis.call('ZREM', base .. 'state:' .. state, id) end
  redis.call('ZADD', base .. 'state:' .. HELD, now, id)
end

-- Appends an event of at most 256 octets; of more than 32 the first 8 and the latest stay.
local function note(d, now, text)
  local history = d[D.history]
  if #history >= 64 then
    table.remove(history, 17)
    table.remove(history, 17)
  end
  history[#history + 1] = now
  history[#history + 1] = string.sub(text, 1, 256)
end

local function count(state, by) redis.call('HINCRBY', base .. 'counts', state, by) end

-- What happened in this minute; the view reads the last few (queue/rates.cpp).
local function rate(what, now, by)
  local key = base .. 'rates:' .. string.format('%d', math.floor(now / 60000))
  if redis.call('HINCRBY', key, what, by) == by then redis.call('EXPIRE', key, 600) end
end

-- The same of each destination and of each sender, where there are many.
local function rate_of(what, name, now, by)
  local key = base .. 'rates:' .. string.format('%d', math.floor(now / 60000)) .. ':' .. what
  redis.call('HINCRBY', key, name, by)
  redis.call('EXPIRE', key, 600)
end

-- From acceptance to delivery, in ms: the least of these that it took no longer than. The view has the same list (queue/rates.cpp).
local LATENCY_BOUNDS = {100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 1800000, 7200000}
local function latency_bound(took)
  for _, bound in ipairs(LATENCY_BOUNDS) do
    if took <= bound then return bound end
  end
  return 'more'
end

-- Webhooks (notify/webhook_events.cpp) have a schedule of their own: who serves it never looks at mail, and the other way round.
local function is_webhook(destination) return string.sub(destination, 1, 8) == 'webhook:' end
local function schedule_of(destination) return base .. (is_webhook(destination) and 'destinations:webhooks' or 'destinations') end

-- The destination's entry follows the earliest of its deliveries.
local function refresh(destination)
  local first = redis.call('ZRANGE', base .. 'due:' .. destination, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', schedule_of(destination), first[2], destination)
  else
    redis.call('ZREM', schedule_of(destination), destination)
  end
end

local function schedule(id, d, state, at)
  d[D.state] = state
  d[D.next] = at
  redis.call('ZADD', base .. 'due:' .. d[D.destination], at, id)
  refresh(d[D.destination])
end

local function unschedule(id, d)
  redis.call('ZREM', base .. 'due:' .. d[D.destination], id)
  refresh(d[D.destination])
end

-- A finished record has at most so many octets.
local RECORD_MAX = 256

-- At most n octets, and no part of a character.
local function cut(text, n)
  if #text <= n then return text end
  n = math.max(n, 0)
  while n > 0 and string.byte(text, n + 1) >= 128 and string.byte(text, n + 1) < 192 do n = n - 1 end
  return string.sub(text, 1, n)
end

-- An address that fills the record by itself is kept in part, and found by that part only.
local function shorten_recipient(d)
  if #d[D.recipient] + #d[D.domain] <= 140 then return end
  local written, domain = string.match(d[D.recipient], '^(.*)@([^@]*)$')
  d[D.recipient] = cut(written, 40) .. '...@' .. cut(domain, 90)
  d[D.domain] = ''
end

-- Leaves what a look-up shows: state, times, attempts, recipient, key, the response in short, and of the history the beginning, the
-- end and as many of the latest events as fit. The last event stands without the response, which the reader adds again.
local function compact(d, what, now)
  local events, response = d[D.history], d[D.response]
  d[D.next], d[D.fence], d[D.deaths], d[D.response], d[D.destination], d[D.orcpt] = 0, 0, 0, '', '', ''
  d[D.head_offset], d[D.head_octets], d[D.content] = 0, 0, 0
  set_order(d, '')
  if written_domain(d) == d[D.domain] then d[D.domain] = '' end
  shorten_recipient(d)
  d[D.history] = {now, what}
  local room = RECORD_MAX - 3 - #cmsgpack.pack(d)  -- 3: longer prefixes of the response and the history
  d[D.response] = cut(response, math.min(room, 96))
  room = room - #d[D.response]
  local history = {}
  local function keep(i, at)
    local text = cut(events[i + 1], 40)
    if room < 11 + #text then return false end
    room = room - 11 - #text
    table.insert(history, at, text)
    table.insert(history, at, events[i])
    return true
  end
  if #events > 0 and keep(1, 1) then
    local i = #events - 1
    while i > 1 and keep(i, 3) do i = i - 2 end
  end
  history[#history + 1], history[#history + 2] = now, what
  d[D.history] = history
end

-- The message's own record, once all its deliveries are finished and its content is gone. A sender that is cut is not searched for any more.
local function compact_message(message, m)
  local from, key = m[M.from], sender_key(m)
  m[M.chunks], m[M.header], m[M.contents], m[M.body], m[M.envid], m[M.from] = 0, 0, {}, 0, '', ''
  m[M.from] = cut(from, RECORD_MAX - 2 - #cmsgpack.pack(m))
  if m[M.from] == from then return end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, m[M.accepted], m[M.accepted])) do
    if message_of(id) == message then redis.call('ZREM', key, id) end
  end
end

-- One delivery less of a message's has to come to its end. With the last one its content goes at once. The caller writes the record.
local function close_one(message, m)
  if m[M.account] ~= '' then tally('accounts', m[M.account], -1) end
  m[M.open] = m[M.open] - 1
  if m[M.open] ~= 0 then return end
  for i = 0, m[M.chunks] - 1 do redis.call('UNLINK', base .. 'body:' .. message .. ':' .. i) end
  compact_message(message, m)
end

-- A delivery's record goes, and what its message says of it; with the last one the message's record.
local function forget_one(id, m)
  redis.call('ZREM', sender_key(m), id)
  if account_key(m) then redis.call('ZREM', account_key(m), id) end
  redis.call('UNLINK', delivery_key(id))
  redis.call('ZREM', base .. 'finished', id)
  m[M.records] = m[M.records] - 1
  local key = base .. 'message:' .. message_of(id)
  if m[M.records] == 0 then redis.call('UNLINK', key) else redis.call('SET', key, cmsgpack.pack(m)) end
end

-- Ends a delivery; records stay, in short, as history.
local function finish(id, d, state, now, what)
  local message = message_of(id)
  local m = read_message(message)
  d[D.state] = state
  compact(d, what, now)
  redis.call('ZADD', base .. 'finished', now, id)
  if not m then return end
  close_one(message, m)
  redis.call('SET', base .. 'message:' .. message, cmsgpack.pack(m))
end
