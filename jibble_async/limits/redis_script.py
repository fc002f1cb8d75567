"""The script that counts the slots of a `RedisWindow`: one round trip, on the store's clock."""

from __future__ import annotations

__all__ = ["KEYS", "SCRIPT"]

KEYS = ("held", "cooling", "clicked", "line", "bulk", "wake", "epoch", "closed", "last", "crowd")
"""Sorted sets of slots by the time until which they count (under way, given back), and of those of
interactive calls by the time of their grant; of processes by their turn (interactive, bulk), and by
the time they ask again; the name of this store's memory; and the time until which nothing is
granted, because that memory was lost; and for as long as it is remembered, when the last
interactive call came, and whether there were several in the time of one slot."""

SCRIPT = """
local held, cooling, clicked = KEYS[1], KEYS[2], KEYS[3]
local line, bulk, wake = KEYS[4], KEYS[5], KEYS[6]
local holder, first = ARGV[1], tonumber(ARGV[2])
local want_clicks, want_bulk, due = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local limit, hold = tonumber(ARGV[6]), tonumber(ARGV[7])
local known, fresh, trusted = ARGV[8], ARGV[9], ARGV[10] == '1'
local look, per, ask_again = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local overdue, patience, least = tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
local slot, apart = per / limit, tonumber(ARGV[17])
local lately, remembered = tonumber(ARGV[18]), tonumber(ARGV[19])

local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local function text(number) return string.format('%.6f', number) end

local epoch = redis.call('GET', KEYS[7])
local lost = (known ~= '' and known ~= epoch) or (not epoch and not trusted)
if not epoch then
  epoch = fresh
  redis.call('SET', KEYS[7], epoch)
end
if lost then
  redis.call('SET', KEYS[8], text(now + hold), 'PX', math.ceil(hold * 1000))
end

for i = 20, #ARGV, 2 do
  local remaining = tonumber(ARGV[i + 1])
  redis.call('ZREM', held, ARGV[i])
  if remaining > 0 then
    redis.call('ZADD', cooling, text(now + remaining), ARGV[i])
  else
    redis.call('ZREM', cooling, ARGV[i])
    redis.call('ZREM', clicked, ARGV[i])
  end
end
redis.call('ZREMRANGEBYSCORE', held, '-inf', text(now))
redis.call('ZREMRANGEBYSCORE', cooling, '-inf', text(now))
redis.call('ZREMRANGEBYSCORE', clicked, '-inf', text(now - per))
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', wake, '-inf', text(now - 60))) do
  redis.call('ZREM', line, gone)
  redis.call('ZREM', bulk, gone)
  redis.call('ZREM', wake, gone)
end

local function leave()
  redis.call('ZREM', line, holder)
  redis.call('ZREM', bulk, holder)
  redis.call('ZREM', wake, holder)
end
local function expire()
  local keep = math.ceil((hold + 60) * 1000)
  for i = 1, 6 do redis.call('PEXPIRE', KEYS[i], keep) end
end

local closed = tonumber(redis.call('GET', KEYS[8]) or '0') - now
if want_clicks + want_bulk == 0 or closed > 0 then
  leave()
  expire()
  return {epoch, 0, text(math.max(closed, 0))}
end

local function clicks_since(moment)
  return redis.call('ZCOUNT', clicked, '(' .. text(moment), '+inf')
end
local is_bulk = want_clicks == 0 or due == 1
local click_turn = tonumber(redis.call('ZSCORE', line, holder) or now)
local bulk_turn = tonumber(redis.call('ZSCORE', bulk, holder) or now)
local turn = is_bulk and bulk_turn or click_turn
leave()
local function stand(clicks, bulks, rest)
  if want_clicks > 0 and clicks == 0 then redis.call('ZADD', line, text(click_turn), holder) end
  if want_bulk > 0 and bulks == 0 then redis.call('ZADD', bulk, text(bulk_turn), holder) end
  redis.call('ZADD', wake, text(now + rest), holder)
end
if is_bulk and clicks_since(turn) >= patience then due = 1 end

local ahead, others, seen = 0, 0, {}
local function queue(set, goes_first)
  local rows = redis.call('ZRANGE', set, 0, -1, 'WITHSCORES')
  for i = 1, #rows, 2 do
    local wakes = tonumber(redis.call('ZSCORE', wake, rows[i]) or '0')
    local clicks_too = seen[rows[i]]
    if not clicks_too then others = others + 1 end
    seen[rows[i]] = true
    if wakes > now - overdue and goes_first(tonumber(rows[i + 1]), clicks_too) then
      ahead = ahead + 1
    end
  end
end
queue(line, function(other)
  if is_bulk then return due == 0 end
  return other < turn
end)
-- Whose process has an interactive call in line too is left out: it asks for that one first.
queue(bulk, function(other, clicks_too)
  if is_bulk and due == 0 then return other < turn end
  local before = not is_bulk or other < turn
  return before and not clicks_too and clicks_since(other) >= patience
end)

local under_way, cooled = redis.call('ZCARD', held), redis.call('ZCARD', cooling)
local free = limit - under_way - cooled
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
local oldest = text(waits(0, 1)[1])
local begin = now
local last = tonumber(redis.call('GET', KEYS[9]) or '')
local one_by_one = last and redis.call('EXISTS', KEYS[10]) == 0
local soon = one_by_one and slot or math.max(slot, apart)
local function bulk_from(left, interactive, dues)
  local expected = math.min(limit, math.max(least, interactive + math.sqrt(interactive)))
  local from = now
  for i = 2, #dues + 2, 2 do
    if left >= expected then break end
    local free_at = math.min(tonumber(dues[i] or now + per), now + per)
    from = math.max(from, free_at - soon - left * per / expected)
    left = left + 1
  end
  return from
end
if ahead < free then
  local room = free - ahead
  local most = math.min(want_clicks + want_bulk, math.max(1, math.floor(room / (others + 1))))
  local clicks = math.min(want_clicks, most - due)
  local count = clicks + due
  if count < most then
    local recent = clicks + clicks_since(now - per)
    local dues = redis.call('ZRANGE', cooling, 0, limit - 1, 'WITHSCORES')
    while count < most and begin <= now do
      begin = bulk_from(room - count - 1, recent, dues)
      if begin <= now then count = count + 1 end
    end
  end
  if clicks > 1 or clicks == 1 and last and now - last < slot then
    redis.call('SET', KEYS[10], '1', 'PX', remembered * 1000)
  end
  if clicks > 0 then redis.call('SET', KEYS[9], text(now), 'PX', lately * 1000) end
  for i = 0, count - 1 do
    redis.call('ZADD', held, text(now + hold), holder .. ':' .. (first + i))
    if i < clicks then redis.call('ZADD', clicked, text(now), holder .. ':' .. (first + i)) end
  end
  if count > 0 then
    stand(clicks, count - clicks, 0)
    expire()
    return {epoch, count, '0', under_way + cooled + count, oldest}
  end
end

local dues = waits(math.max(0, ahead - free), look)
for i, wait in ipairs(dues) do dues[i] = math.max(wait, begin - now) end
for _ = 1, math.min(look, free - ahead) do table.insert(dues, 1, begin - now) end
-- One of those ahead may have gone: then the next slot is left lying.
local soonest = free > 0 and begin - now or tonumber(oldest)
local rest = math.min(dues[1], soonest + overdue, ask_again)
stand(0, 0, rest)
local answer = {epoch, 0, '0', under_way + cooled, oldest, text(rest)}
for i, wait in ipairs(dues) do answer[i + 6] = text(wait) end
expire()
return answer
"""
