"""The script that counts the slots of a `RedisWindow`: one round trip, on the store's clock.

What it decides is what `policy` says, in Lua: the two are held together by
`tests/limits/test_differential.py`. Each section names what it is the like of.
"""

from __future__ import annotations

__all__ = ["CLOCK", "KEYS", "SCRIPT"]

KEYS = ("under_way", "dues", "clicks", "interactive", "bulk", "asks_at", "facts")
"""Sorted sets of slots, by the time until which they count (under way, given back), and those of
interactive calls by their grant; of processes, by the time since which they wait (one for each
priority), and by the time they ask again. And a hash: the name of this store's memory (`epoch`);
until when nothing is granted, as that memory was `lost`, or as a process was told (`closed`); when
an interactive call was `last` granted, and when last one within the time of a slot (`crowded`)."""

CLOCK = """
-- The store's clock is the one that counts, whatever the workers' clocks say.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
"""

SCRIPT = (
    CLOCK
    + """
local under_way, dues, clicks = KEYS[1], KEYS[2], KEYS[3]
local interactive, bulk, asks_at, facts_key = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local ask = cjson.decode(ARGV[1])
local holder, limit, per = ask.holder, ask.limit, ask.per

-- Lua would round a number to 14 digits, which microseconds since 1970 need more than.
local function text(number) return string.format('%.6f', number) end

-- The store's memory has a name. To a worker that knows another name, or to a new worker that finds
-- none, what was granted before is lost: nothing is granted until all of it has left the window.
local facts, rows = {}, redis.call('HGETALL', facts_key)
for i = 1, #rows, 2 do facts[rows[i]] = rows[i + 1] end
local function remember(name, value)
  facts[name] = value
  redis.call('HSET', facts_key, name, value)
end
local lost = ask.epoch ~= '' and ask.epoch ~= facts.epoch or not facts.epoch and not ask.trust_empty
if not facts.epoch then remember('epoch', ask.new_epoch) end
if lost then remember('lost', text(now + ask.lost_after)) end
if ask.closed_for > math.max(0, tonumber(facts.closed or 0) - now) then
  remember('closed', text(now + ask.closed_for))
end
local closed_until = math.max(tonumber(facts.lost or 0), tonumber(facts.closed or 0))

-- As WindowFile does: count what came back for as long as it says. A slot whose lease has ended
-- counts again, since its request may have just been sent.
for _, slot in ipairs(ask.given_back) do
  local key, counts_for = slot[1], slot[2]
  redis.call('ZREM', under_way, key)
  if counts_for > 0 then
    redis.call('ZADD', dues, text(now + counts_for), key)
  else
    redis.call('ZREM', dues, key)
    redis.call('ZREM', clicks, key)
  end
end
redis.call('ZREMRANGEBYSCORE', under_way, '-inf', text(now))
redis.call('ZREMRANGEBYSCORE', dues, '-inf', text(now))
redis.call('ZREMRANGEBYSCORE', clicks, '-inf', text(now - per))
local function leave(gone)
  for _, set in ipairs({interactive, bulk, asks_at}) do redis.call('ZREM', set, gone) end
end
local long_gone = redis.call('ZRANGEBYSCORE', asks_at, '-inf', text(now - 60))
for _, gone in ipairs(long_gone) do leave(gone) end

-- A window that nobody uses leaves nothing but the name of its memory.
local function expire()
  for i = 1, 6 do redis.call('PEXPIRE', KEYS[i], math.ceil((ask.lost_after + 60) * 1000)) end
end

local pending, cooling = redis.call('ZCARD', under_way), redis.call('ZCARD', dues)

-- Policy._dues, and Policy.oldest_due
local function next_dues(skip, look)
  local found = {}
  if look > 0 then
    local rows = redis.call('ZRANGE', dues, skip, skip + look - 1, 'WITHSCORES')
    for i = 2, #rows, 2 do
      local due = tonumber(rows[i])
      found[#found + 1] = pending > 0 and math.min(due, now + per) or due
    end
  end
  while #found < look do found[#found + 1] = now + per end
  return found
end
local oldest = next_dues(0, 1)[1]

-- What is told: the memory's name, for how long it is lost, what is used, when the oldest is due,
-- when to ask again, how many slots are granted, and the next dues; all times from now on.
local function tell(ask_again, granted, later)
  expire()
  local told = {
    facts.epoch, text(math.max(0, tonumber(facts.lost or 0) - now)), pending + cooling + granted,
    text(oldest - now), text(ask_again - now), granted,
  }
  for _, due in ipairs(later) do told[#told + 1] = text(due - now) end
  return told
end

if ask.interactive + ask.bulk == 0 then
  leave(holder)
  return tell(now, 0, {})
end

-- Policy.decide: the places of this process, and of the others
local bulk_first = ask.interactive == 0 or ask.bulk_is_due
local since = {
  [interactive] = tonumber(redis.call('ZSCORE', interactive, holder) or now),
  [bulk] = tonumber(redis.call('ZSCORE', bulk, holder) or now),
}
local turn = since[bulk_first and bulk or interactive]
leave(holder)

-- Policy._is_overdue
local function is_overdue(moment)
  return redis.call('ZCOUNT', clicks, '(' .. text(moment), '+inf') >= ask.starvation_bound
end
local overdue = bulk_first and (ask.bulk_is_due or is_overdue(turn))

-- Policy._ahead: who goes before; a process whose interactive call waits is left out as a bulk one,
-- since it asks for that call first, and all might wait for each other.
local ahead, sharing, seen = 0, 1, {}
local function queue(set, goes_before)
  local rows = redis.call('ZRANGE', set, 0, -1, 'WITHSCORES')
  for i = 1, #rows, 2 do
    local other, other_since = rows[i], tonumber(rows[i + 1])
    local clicking = seen[other]
    if not clicking then
      seen[other] = true
      sharing = sharing + 1
    end
    local asks = tonumber(redis.call('ZSCORE', asks_at, other) or 0)
    if asks > now - ask.overdue and goes_before(other_since, other_since < turn, clicking) then
      ahead = ahead + 1
    end
  end
end
queue(interactive, function(_, earlier)
  if bulk_first then return not overdue end
  return earlier
end)
queue(bulk, function(other_since, earlier, clicking)
  if bulk_first and not overdue then return earlier end
  return (earlier or not bulk_first) and not clicking and is_overdue(other_since)
end)

-- Reserve.bulk_from
local slot = per / limit
local function bulk_from(left, rows, recent, soon)
  local expected = math.min(limit, math.max(ask.least, recent + math.sqrt(recent)))
  local begin = now
  for i = 2, #rows + 2, 2 do
    if left >= expected then break end
    local due = math.min(tonumber(rows[i] or now + per), now + per)
    begin = math.max(begin, due - soon - left * per / expected)
    left = left + 1
  end
  return begin
end

-- Clicks.wait
if ask.interactive > 1 then remember('crowded', text(now)) end

-- Policy._more_bulk
local function more_bulk(free, most, clicked)
  local count, begin = 0, now
  if most > 0 then
    -- Clicks.since, and Clicks.one_by_one
    local recent = clicked + redis.call('ZCARD', clicks)
    local one_by_one = tonumber(facts.last or '-inf') >= now - ask.lately
      and tonumber(facts.crowded or '-inf') < now - ask.remembered
    local soon = one_by_one and slot or math.max(slot, ask.spacing)
    local rows = redis.call('ZRANGE', dues, 0, limit - 1, 'WITHSCORES')
    while count < most and begin <= now do
      begin = bulk_from(free - count - 1, rows, recent, soon)
      if begin <= now then count = count + 1 end
    end
  end
  return count, begin
end

-- Policy.decide: who gets a slot
local free = limit - pending - cooling
local room = free - ahead
local begin = math.max(now, closed_until)
local clicked, bulks = 0, 0
if room > 0 and begin <= now then
  local part = math.min(ask.interactive + ask.bulk, math.max(1, math.floor(room / sharing)))
  bulks = overdue and 1 or 0
  clicked = math.min(ask.interactive, part - bulks)
  local taken, more = clicked + bulks, 0
  more, begin = more_bulk(room - taken, part - taken, clicked)
  bulks = bulks + more
end
local granted, later, ask_again = clicked + bulks, {}, now
if granted == 0 then
  for _ = 1, math.min(ask.look, room) do later[#later + 1] = begin end
  for _, due in ipairs(next_dues(math.max(0, -room), ask.look - #later)) do
    later[#later + 1] = math.max(begin, due)
  end
  -- One of those ahead may have gone: then the next slot is left lying.
  local soonest = free > 0 and begin or math.max(begin, oldest)
  ask_again = math.min(later[1], soonest + ask.overdue, now + ask.ask_again)
end
local function stand(set, wants, gets)
  if wants > 0 and gets == 0 then
    redis.call('ZADD', set, text(since[set]), holder)
    redis.call('ZADD', asks_at, text(ask_again), holder)
  end
end
stand(interactive, ask.interactive, clicked)
stand(bulk, ask.bulk, bulks)

-- As WindowFile and Clicks.add do
for i = 0, granted - 1 do
  local key = holder .. ':' .. string.format('%d', ask.first + i)
  redis.call('ZADD', under_way, text(now + ask.lost_after), key)
  if i < clicked then redis.call('ZADD', clicks, text(now), key) end
end
if clicked > 0 then
  if now - tonumber(facts.last or '-inf') < slot then
    remember('crowded', text(now))
  end
  remember('last', text(now))
end
return tell(ask_again, granted, later)
"""
)
