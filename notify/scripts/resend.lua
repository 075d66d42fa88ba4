-- One request for a new code in 15 minutes, five a day. KEYS[1] the last request, KEYS[2] the day's count. Returns 1 when it may be served.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or '0') >= 5 then return 0 end
redis.call('SET', KEYS[1], '1', 'EX', 900)
if redis.call('INCR', KEYS[2]) == 1 then redis.call('EXPIRE', KEYS[2], 86400) end
return 1
