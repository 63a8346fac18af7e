"""What RedisStore asks the server to do in one step: Lua, run by Redis itself, so that no other client comes between.

The keys of a namespace share a hash tag, so that they live on one node of a cluster:
  used   sorted set   reference -> last use, in milliseconds of the server's clock
  sizes  hash         reference -> "<stored bytes>:<original bytes>"
  total  string       stored bytes of all
  o:...  strings      reference -> the packed original, expiring by itself
Originals may vanish without us (their time is over, or the server's own eviction): the rest of the books is put right
when a script comes across one.
"""

from __future__ import annotations

_COMMON = """
local used, sizes, total, prefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function forget(reference)
  local size = redis.call('HGET', sizes, reference)
  if size then redis.call('DECRBY', total, string.match(size, '^%d+')) end
  redis.call('HDEL', sizes, reference)
  redis.call('ZREM', used, reference)
  redis.call('DEL', prefix .. reference)
end
"""

PUT = (
    _COMMON
    + """
local ttl, limit, given = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
local answers, fresh = {}, 0
for at = 3, #ARGV, 3 do
  local held = redis.call('GET', prefix .. ARGV[at])
  answers[#answers + 1] = held or false
  if not held then fresh = fresh + #ARGV[at + 1] end
  given[ARGV[at]] = true
end
if fresh > limit then return 'too large' end
for _, reference in ipairs(redis.call('ZRANGEBYSCORE', used, '-inf', now - ttl, 'LIMIT', 0, 32)) do
  if not given[reference] then forget(reference) end
end
for at = 3, #ARGV, 3 do
  if not answers[at / 3] then
    forget(ARGV[at])
    redis.call('SET', prefix .. ARGV[at], ARGV[at + 1], 'PX', ttl)
    redis.call('HSET', sizes, ARGV[at], #ARGV[at + 1] .. ':' .. ARGV[at + 2])
    redis.call('INCRBY', total, #ARGV[at + 1])
  else
    redis.call('PEXPIRE', prefix .. ARGV[at], ttl)
  end
  redis.call('ZADD', used, now, ARGV[at])
end
local start = 0
while tonumber(redis.call('GET', total) or 0) > limit do
  local oldest = redis.call('ZRANGE', used, start, start)[1]
  if not oldest then break end
  if given[oldest] then start = start + 1 else forget(oldest) end
end
for _, key in ipairs({used, sizes, total}) do redis.call('PEXPIRE', key, ttl + 60000) end
return answers
"""
)
"""ARGV: ttl in ms, limit in bytes, then (reference, body, original size) each. Returns for each the body that stood
there before (nothing is overwritten), nil if none did; or 'too large'."""

TOUCH = (
    _COMMON
    + """
local touched = 0
for at = 2, #ARGV do
  if redis.call('PEXPIRE', prefix .. ARGV[at], ARGV[1]) == 1 then
    redis.call('ZADD', used, now, ARGV[at])
    touched = touched + 1
  end
end
for _, key in ipairs({used, sizes, total}) do redis.call('PEXPIRE', key, ARGV[1] + 60000) end
return touched
"""
)
"""ARGV: ttl in ms, then references: note a use of each that is still there."""

PURGE = (
    _COMMON
    + """
local deleted = 0
for _, reference in ipairs(redis.call('ZRANGEBYSCORE', used, '-inf', now - ARGV[1])) do
  if redis.call('EXISTS', prefix .. reference) == 1 then deleted = deleted + 1 end
  forget(reference)
end
return deleted
"""
)
"""ARGV: ms since the last use. Returns how many originals went."""

STATS = (
    _COMMON
    + """
local entries, original, stored = 0, 0, 0
for _, reference in ipairs(redis.call('ZRANGE', used, 0, -1)) do
  if redis.call('EXISTS', prefix .. reference) == 1 then
    local size = redis.call('HGET', sizes, reference) or '0:0'
    entries = entries + 1
    stored = stored + string.match(size, '^%d+')
    original = original + string.match(size, '%d+$')
  end
end
return {entries, original, stored}
"""
)
"""Returns entries, original bytes, stored bytes."""
