"""The script that counts the slots of a `RedisWindow`: one round trip, on the store's clock."""

from __future__ import annotations

__all__ = ["KEYS", "SCRIPT"]

KEYS = ("held", "cooling", "line", "wake", "epoch", "closed")
"""Sorted sets of slots by the time until which they count (under way, given back); of processes by
their turn, and by the time they ask again; the name of this store's memory; and the time until
which nothing is granted, because that memory was lost."""

SCRIPT = """
local held, cooling, line, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, first, want = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local head_start, limit, hold = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local known, fresh, trusted = ARGV[7], ARGV[8], ARGV[9] == '1'
local look, per, ask_again = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local overdue = tonumber(ARGV[13])

local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local function text(number) return string.format('%.6f', number) end

local epoch = redis.call('GET', KEYS[5])
local lost = (known ~= '' and known ~= epoch) or (not epoch and not trusted)
if not epoch then
  epoch = fresh
  redis.call('SET', KEYS[5], epoch)
end
if lost then
  redis.call('SET', KEYS[6], text(now + hold), 'PX', math.ceil(hold * 1000))
end

for i = 14, #ARGV, 2 do
  local remaining = tonumber(ARGV[i + 1])
  redis.call('ZREM', held, ARGV[i])
  if remaining > 0 then
    redis.call('ZADD', cooling, text(now + remaining), ARGV[i])
  else
    redis.call('ZREM', cooling, ARGV[i])
  end
end
redis.call('ZREMRANGEBYSCORE', held, '-inf', text(now))
redis.call('ZREMRANGEBYSCORE', cooling, '-inf', text(now))
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', wake, '-inf', text(now - 60))) do
  redis.call('ZREM', line, gone)
  redis.call('ZREM', wake, gone)
end

local function leave()
  redis.call('ZREM', line, holder)
  redis.call('ZREM', wake, holder)
end
local function expire()
  local keep = math.ceil((hold + 60) * 1000)
  for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], keep) end
end

local closed = tonumber(redis.call('GET', KEYS[6]) or '0') - now
if want == 0 or closed > 0 then
  leave()
  expire()
  return {epoch, 0, text(math.max(closed, 0))}
end

local turn = math.min(now - head_start, tonumber(redis.call('ZSCORE', line, holder) or now))
local ahead, others = 0, 0
local queue = redis.call('ZRANGE', line, 0, -1, 'WITHSCORES')
for i = 1, #queue, 2 do
  if queue[i] ~= holder then
    local due = tonumber(redis.call('ZSCORE', wake, queue[i]) or '0')
    others = others + 1
    if tonumber(queue[i + 1]) < turn and due > now - overdue then ahead = ahead + 1 end
  end
end

local under_way = redis.call('ZCARD', held)
local free = limit - under_way - redis.call('ZCARD', cooling)
if ahead < free then
  local count = math.min(want, math.max(1, math.floor(free / (others + 1))))
  for i = first, first + count - 1 do
    redis.call('ZADD', held, text(now + hold), holder .. ':' .. i)
  end
  leave()
  expire()
  return {epoch, count, '0'}
end

local function waits(skip, count)
  local rows = redis.call('ZRANGE', cooling, skip, skip + count - 1, 'WITHSCORES')
  local found = {}
  for i = 2, #rows, 2 do
    local wait = tonumber(rows[i]) - now
    if under_way > 0 then wait = math.min(wait, per) end
    found[#found + 1] = wait
  end
  if #found == 0 then found[1] = per end
  return found
end
local dues = waits(ahead - free, look)
-- One of those ahead may have gone: then the next slot is left lying.
local soonest = free > 0 and 0 or waits(0, 1)[1]
local rest = math.min(dues[1], soonest + overdue, ask_again)
redis.call('ZADD', line, text(turn), holder)
redis.call('ZADD', wake, text(now + rest), holder)
local answer = {epoch, 0, '0', text(rest)}
for i, wait in ipairs(dues) do answer[i + 4] = text(wait) end
expire()
return answer
"""
