"""What RedisStore asks the server to do in one step: Lua, run by Redis itself, so that no other client comes between.

The keys of a namespace share a hash tag:
  used   sorted set   reference -> last use, in milliseconds of the server's clock
  sizes  hash         reference -> "<stored bytes>:<original bytes>"
  total  string       stored bytes of all
  o:...  strings      reference -> the packed original, expiring by itself
Whether an original is here, only its own key says. The first three are the books: they may name what the server has
evicted or let expire, and the server may evict one of them; they are put right when a script comes across it.
"""

from __future__ import annotations

_COMMON = """
local used, sizes, total, prefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ttl = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function forget(reference)
  local size = redis.call('HGET', sizes, reference)
  if size then redis.call('DECRBY', total, string.match(size, '^%d+')) end
  redis.call('HDEL', sizes, reference)
  redis.call('ZREM', used, reference)
  redis.call('DEL', prefix .. reference)
end
-- A store with a shorter time to live takes none from what another one keeps.
local function prolong(key, milliseconds)
  if redis.call('PTTL', key) < milliseconds then redis.call('PEXPIRE', key, milliseconds) end
end
local function close_books()
  for _, key in ipairs({used, sizes, total}) do prolong(key, ttl + 60000) end
end
local function adopt(reference, stored, original)
  if redis.call('HSETNX', sizes, reference, stored .. ':' .. original) == 1 then redis.call('INCRBY', total, stored) end
end
local function open_books()
  local there = redis.call('EXISTS', used, sizes, total)
  if there == 0 or there == 3 then return end
  local sum = 0
  for _, reference in ipairs(redis.call('ZRANGE', used, 0, -1)) do
    local stored = redis.call('STRLEN', prefix .. reference)
    if stored > 0 then redis.call('HSETNX', sizes, reference, stored .. ':' .. stored) else redis.call('ZREM', used, reference) end
  end
  for _, reference in ipairs(redis.call('HKEYS', sizes)) do
    local stored = redis.call('STRLEN', prefix .. reference)
    if stored > 0 then
      sum = sum + stored
      local age = ttl - redis.call('PTTL', prefix .. reference)
      redis.call('ZADD', used, 'NX', now - math.max(age, 0), reference)
    else
      redis.call('HDEL', sizes, reference)
    end
  end
  redis.call('INCRBY', total, sum - (redis.call('GET', total) or 0))
  close_books()
end
"""

PUT = (
    _COMMON
    + """
local limit, given = tonumber(ARGV[2]), {}
local answers, fresh = {}, 0
for at = 3, #ARGV, 3 do
  local held = redis.call('GET', prefix .. ARGV[at])
  answers[#answers + 1] = held or false
  if not held then fresh = fresh + #ARGV[at + 1] end
  given[ARGV[at]] = true
end
if fresh > limit then return 'too large' end
open_books()
for _, reference in ipairs(redis.call('ZRANGEBYSCORE', used, '-inf', now - ttl, 'LIMIT', 0, 32)) do
  if redis.call('EXISTS', prefix .. reference) == 0 then forget(reference) end
end
for at = 3, #ARGV, 3 do
  local held = answers[at / 3]
  if held then
    prolong(prefix .. ARGV[at], ttl)
    adopt(ARGV[at], #held, ARGV[at + 2])
  else
    forget(ARGV[at])
    redis.call('SET', prefix .. ARGV[at], ARGV[at + 1], 'PX', ttl)
    adopt(ARGV[at], #ARGV[at + 1], ARGV[at + 2])
  end
  redis.call('ZADD', used, now, ARGV[at])
end
local start = 0
for _ = 1, 10000 do
  if tonumber(redis.call('GET', total) or 0) <= limit then break end
  local oldest = redis.call('ZRANGE', used, start, start)[1]
  if not oldest then break end
  if given[oldest] then start = start + 1 else forget(oldest) end
end
close_books()
return answers
"""
)
"""ARGV: ttl in ms, limit in bytes, then (reference, body, original size) each. Returns for each the body that stood
there before (nothing is overwritten), nil if none did; or 'too large'. Each step evicts 10,000 originals at the most:
a server has others to serve."""

TOUCH = (
    _COMMON
    + """
open_books()
local answers = {}
for at = 2, #ARGV do
  local stored = redis.call('STRLEN', prefix .. ARGV[at])
  if stored > 0 then
    prolong(prefix .. ARGV[at], ttl)
    adopt(ARGV[at], stored, stored)
    redis.call('ZADD', used, now, ARGV[at])
  end
  answers[#answers + 1] = stored > 0 and 1 or 0
end
close_books()
return answers
"""
)
"""ARGV: ttl in ms, then references: note a use of each that is still there. Returns 1 for these, 0 for the others."""

PURGE = (
    _COMMON
    + """
open_books()
local deleted = 0
local old = redis.call('ZRANGEBYSCORE', used, '-inf', now - ARGV[2], 'LIMIT', 0, ARGV[3])
for _, reference in ipairs(old) do
  deleted = deleted + redis.call('EXISTS', prefix .. reference)
  forget(reference)
end
return {#old, deleted}
"""
)
"""ARGV: ttl in ms, ms since the last use, the most to look at. Returns how many it looked at, and how many originals went."""

STATS = (
    _COMMON
    + """
local references = redis.call('ZRANGE', used, ARGV[2], ARGV[3])
local entries, original, stored = 0, 0, 0
for _, reference in ipairs(references) do
  local length = redis.call('STRLEN', prefix .. reference)
  if length > 0 then
    local size = redis.call('HGET', sizes, reference)
    entries = entries + 1
    stored = stored + length
    original = original + (size and string.match(size, '%d+$') or length)
  end
end
return {#references, entries, original, stored}
"""
)
"""ARGV: ttl in ms, the first and the last place to look at. Returns how many it looked at, entries, original bytes,
stored bytes. Writes nothing, as replicas must answer it too."""
