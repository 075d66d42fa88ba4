-- Reads on in some sets of a shard, all as they stand at one moment. KEYS: the sets. ARGV: 1 '1' for the newest first, 2 and 3 first and last
-- score of the range in that order, 4 most entries of each set, 5 and 6 score and member behind which to read ('' for none). Changes nothing.
-- Returns of each set its entries, each followed by its score.
local newest, first, last, most, score, id = ARGV[1] == '1', ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local by_score = newest and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'

-- Octet by octet, as Redis sorts members: Lua would ask the locale.
local function is_behind(member)
  for i = 1, math.max(#member, #id) do
    local a, b = string.byte(member, i) or -1, string.byte(id, i) or -1
    if a ~= b then return (a < b) == newest end
  end
  return false
end

local function within(value)
  local bound = tonumber(last)  -- none for '-inf' and '+inf'
  if last == '+inf' or last == '-inf' or not bound then return true end
  return newest and tonumber(value) >= bound or not newest and tonumber(value) <= bound
end

local function read(set)
  if id == '' then return redis.call(by_score, set, first, last, 'WITHSCORES', 'LIMIT', 0, most) end
  local found = {}
  local rank = redis.call(newest and 'ZREVRANK' or 'ZRANK', set, id)
  if rank then
    local page = redis.call(newest and 'ZREVRANGE' or 'ZRANGE', set, rank + 1, rank + most, 'WITHSCORES')
    for i = 1, #page, 2 do
      if not within(page[i + 1]) then break end
      found[#found + 1], found[#found + 2] = page[i], page[i + 1]
    end
    return found
  end
  -- It is not in this set: its equals in time are looked at, which share a message or a millisecond.
  local offset = 0
  while true do
    local page = redis.call(by_score, set, score, last, 'WITHSCORES', 'LIMIT', offset, most)
    for i = 1, #page, 2 do
      if page[i + 1] ~= score or is_behind(page[i]) then
        found[#found + 1], found[#found + 2] = page[i], page[i + 1]
        if #found == 2 * most then return found end
      end
    end
    if #page < 2 * most then return found end
    offset = offset + most
  end
end

local all = {}
for i, set in ipairs(KEYS) do all[i] = read(set) end
return all
