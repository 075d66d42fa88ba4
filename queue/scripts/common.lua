-- What the queue's scripts share; set in front of each of them when the program starts (queue/scripts.cpp).
-- Field numbers of the records: docs/redis.md.
local D = {state = 2, attempts = 3, created = 4, next = 5, response = 6, fence = 7, deaths = 8, warned = 9,
           recipient = 10, domain = 11, destination = 12, history = 21}
local M = {account = 2, open = 9, chunks = 11}
local QUEUED, SENDING, DEFERRED, HELD, DELIVERED, BOUNCED, DROPPED = 0, 1, 2, 3, 4, 5, 6
local base = KEYS[1]

local function message_of(id) return string.match(id, '^(%w+)') end
local function delivery_key(id) return base .. 'delivery:' .. id end

-- The directory's spelling of the address: local part unquoted and in lower case, A-label domain.
local function recipient_key(d)
  local written = string.match(d[D.recipient], '^(.*)@')
  local quoted = string.match(written, '^"(.*)"$')
  if quoted then written = string.gsub(quoted, '\\(.)', '%1') end
  return base .. 'recipient:' .. string.lower(written) .. '@' .. d[D.domain]
end

local function load(id)
  local packed = redis.call('GET', delivery_key(id))
  if not packed then return nil end
  return cmsgpack.unpack(packed)
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

local function set_state(d, state)
  count(d[D.state], -1)
  count(state, 1)
  d[D.state] = state
end

local function save(id, d) redis.call('SET', delivery_key(id), cmsgpack.pack(d)) end

-- The destination's entry follows the earliest of its deliveries.
local function refresh(destination)
  local first = redis.call('ZRANGE', base .. 'due:' .. destination, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', base .. 'destinations', first[2], destination)
  else
    redis.call('ZREM', base .. 'destinations', destination)
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

-- Ends a delivery. With the last one of a message its content goes at once; records stay as history.
local function finish(id, d, state, now)
  local message = message_of(id)
  local key = base .. 'message:' .. message
  local packed = redis.call('GET', key)
  local m = packed and cmsgpack.unpack(packed)
  set_state(d, state)
  d[D.next] = 0
  redis.call('ZADD', base .. 'finished', now, id)
  if not m then return end
  m[M.open] = m[M.open] - 1
  if m[M.open] == 0 then
    for i = 0, m[M.chunks] - 1 do redis.call('UNLINK', base .. 'body:' .. message .. ':' .. i) end
    m[M.chunks] = 0
  end
  redis.call('SET', key, cmsgpack.pack(m))
end
