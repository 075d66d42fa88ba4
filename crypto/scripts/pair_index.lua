-- Shared by the scripts that change an address's current pair: where an operator's counts find it. An entry is a MAC of 32 octets and
-- MessagePack (directory_entry.h); nothing is decided here, so the MAC is not looked at.
local function index_pair(key)
  local prefix, address = string.match(key, '^(keys:{%d+}:)address:(.*)$')
  local entry = redis.call('HGET', key, 'current')
  local readable, pair = false, nil
  if entry then readable, pair = pcall(cmsgpack.unpack, string.sub(entry, 33)) end
  local in_use = readable and type(pair) == 'table' and (pair[3] == 'interim' or pair[3] == 'permanent')
  local function stand(set, score)
    if score then redis.call('ZADD', prefix .. set, string.format('%.0f', score), address)
    else redis.call('ZREM', prefix .. set, address) end
  end
  local assigned, expires, picked_up, own = nil, nil, nil, nil
  if in_use then assigned, expires, picked_up, own = tonumber(pair[6]), tonumber(pair[7]), pair[8], pair[9] end
  stand('not_picked_up', in_use and not own and picked_up == 0 and assigned)
  stand('own_ends', in_use and own and expires ~= 0 and expires)
end
