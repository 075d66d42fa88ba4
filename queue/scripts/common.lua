-- What the queue's scripts share; set in front of each of them when the program starts (queue/scripts.cpp).
-- Field numbers of the records: docs/redis.md.
local D = {state = 2, attempts = 3, created = 4, next = 5, response = 6, fence = 7, deaths = 8, warned = 9,
           recipient = 10, domain = 11, destination = 12, orcpt = 16, head_offset = 17, head_octets = 18, content = 19,
           history = 21}
local M = {account = 2, from = 3, envid = 4, open = 8, records = 9, chunks = 10, header = 11, contents = 12, body = 13}
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
  return base .. 'recipient:' .. string.lower(written) .. '@' .. domain
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
  return string.find(d[D.recipient], '@', 1, true) ~= nil
end

local function unpack_record(packed)
  local fine, record = pcall(cmsgpack.unpack, packed)
  if fine and type(record) == 'table' then return record end
  return nil
end

-- Nil when there is no record; nil and true when there is one that cannot be read.
local function load(id)
  local packed = redis.call('GET', delivery_key(id))
  if not packed then return nil, false end
  local d = unpack_record(packed)
  if is_delivery(d) then return d, false end
  return nil, true
end

-- Out of the schedule, for a human: nobody can attempt a delivery whose record cannot be read.
local function set_aside(id, now) redis.call('ZADD', base .. 'held', now, id) end

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

local function set_state(d, state)
  count(d[D.state], -1)
  count(state, 1)
  d[D.state] = state
end

local function save(id, d) redis.call('SET', delivery_key(id), cmsgpack.pack(d)) end

-- Webhooks (notify/webhook_events.cpp) have a schedule of their own: who serves it never looks at mail, and the other way round.
local function schedule_of(destination)
  return base .. (string.sub(destination, 1, 8) == 'webhook:' and 'destinations:webhooks' or 'destinations')
end

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
  set_state(d, state)
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

-- An address that fills the record by itself is kept in part, and so cannot be searched for any more.
local function shorten_recipient(id, d)
  if #d[D.recipient] + #d[D.domain] <= 140 then return end
  redis.call('ZREM', recipient_key(d), id)
  local written, domain = string.match(d[D.recipient], '^(.*)@([^@]*)$')
  d[D.recipient] = cut(written, 40) .. '...@' .. cut(domain, 90)
  d[D.domain] = ''
end

-- Leaves what a look-up shows: state, times, attempts, recipient, key, the response in short, and of the history the beginning, the
-- end and as many of the latest events as fit. The last event stands without the response, which the reader adds again.
local function compact(id, d, what, now)
  local events, response = d[D.history], d[D.response]
  d[D.next], d[D.fence], d[D.deaths], d[D.response], d[D.destination], d[D.orcpt] = 0, 0, 0, '', '', ''
  d[D.head_offset], d[D.head_octets], d[D.content] = 0, 0, 0
  if written_domain(d) == d[D.domain] then d[D.domain] = '' end
  shorten_recipient(id, d)
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

-- The message's own record, once all its deliveries are finished and its content is gone.
local function compact_message(m)
  local from = m[M.from]
  m[M.chunks], m[M.header], m[M.contents], m[M.body], m[M.envid], m[M.from] = 0, 0, {}, 0, '', ''
  m[M.from] = cut(from, RECORD_MAX - 2 - #cmsgpack.pack(m))
end

-- Ends a delivery. With the last one of a message its content goes at once; records stay, in short, as history.
local function finish(id, d, state, now, what)
  local message = message_of(id)
  local key = base .. 'message:' .. message
  local packed = redis.call('GET', key)
  local m = packed and unpack_record(packed)
  set_state(d, state)
  compact(id, d, what, now)
  redis.call('ZADD', base .. 'finished', now, id)
  if not m then return end
  m[M.open] = m[M.open] - 1
  if m[M.open] == 0 then
    for i = 0, m[M.chunks] - 1 do redis.call('UNLINK', base .. 'body:' .. message .. ':' .. i) end
    compact_message(m)
  end
  redis.call('SET', key, cmsgpack.pack(m))
end
