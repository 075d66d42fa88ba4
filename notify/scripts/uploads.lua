-- One more upload of the day. KEYS[1] the day's count. Returns how many there were. A count without an end, however it came about, gets one.
local count = redis.call('INCR', KEYS[1])
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], 86400) end
return count
