-- A process says that it lives. KEYS[1] base; ARGV[1] incarnation. Redis' own clock, so that nodes need not agree on the time.
local time = redis.call('TIME')
redis.call('ZADD', base .. 'nodes', time[1], ARGV[1])
return 1
