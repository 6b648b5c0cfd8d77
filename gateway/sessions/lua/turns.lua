-- Turns of a budget, decided as turn.py decides them, step by step and number by number; see steps.lua.

local TURNS, ENTRY, WAITING = '>ddddd', '>dd', '>Bc0dbdbdb'

local function unpack_waiting(value, position)
  local row = {}
  row.session, row.calls, row.urgency, row.age, row.next_urgency, row.next_age, row.last_urgency, position =
    struct.unpack(WAITING, value, position)
  return row, position
end

local function pack_waiting(row, more)
  return struct.pack(WAITING, #row.session, row.session, row.calls, row.urgency, row.age + more,
    row.next_urgency, row.next_age + more, row.last_urgency)
end

local function read_turns(key)
  local turns = {at = 0, opening = 0, factor = 1, changed_at = 0, count = 0, entries = {}}
  local value = call('GET', bucket .. 'b' .. key)
  if not value then return turns end
  local position
  turns.at, turns.opening, turns.factor, turns.changed_at, turns.count, position = struct.unpack(TURNS, value)
  while position <= #value do
    local owner, entry
    owner, position = struct.unpack('>Bc0', value, position)
    entry, position = unpack_waiting(value, position)
    entry.owner = owner
    entry.rank, entry.ends, position = struct.unpack(ENTRY, value, position)
    turns.entries[#turns.entries + 1] = entry
  end
  return turns
end

local function write_turns(key, turns, now)
  local idle_at = math.max(turns.at + TURN.MARGIN, turns.changed_at + (1 - turns.factor) / TURN.RECOVERY)
  local parts = {struct.pack(TURNS, turns.at, turns.opening, turns.factor, turns.changed_at, turns.count)}
  for _, entry in ipairs(turns.entries) do
    idle_at = math.max(idle_at, entry.ends)
    parts[#parts + 1] = struct.pack('>Bc0', #entry.owner, entry.owner)
    parts[#parts + 1] = pack_waiting(entry, 0)
    parts[#parts + 1] = struct.pack(ENTRY, entry.rank, entry.ends)
  end
  -- Longer than it has to be, so that a clock that is set back a little takes nothing away.
  local left = math.max(0, idle_at - now) + TURN.STEP
  call('SET', bucket .. 'b' .. key, table.concat(parts), 'PX', string.format('%.0f', left * 1000))
end

local function factor_of(turns, now)
  return math.min(1, turns.factor + (now - turns.changed_at) * TURN.RECOVERY)
end

local function settle(turns, pace, now)
  turns.changed_at = math.min(turns.changed_at, now)
  if factor_of(turns, now) == 1 then turns.factor = 1 end
  local latest = now + TURN.MARGIN + math.max(pace.burst, 1 / turns.factor) / pace.rate
  if turns.at > latest + TURN.STEP then turns.at, turns.opening = latest, 0 end
  local entries = {}
  for _, entry in ipairs(turns.entries) do
    if now < entry.ends and entry.ends <= now + TURN.LEASE + TURN.STEP then entries[#entries + 1] = entry end
  end
  turns.entries = entries
end

-- Each where it stood: of equals all see the same one first.
local function enter(turns, owner, waiting, now)
  local rows, ranks, entries, position = {}, {}, {}, 1
  while position <= #waiting do
    rows[#rows + 1], position = unpack_waiting(waiting, position)
    rows[rows[#rows].session] = rows[#rows]
  end
  local function put(row, rank)
    row.owner, row.rank, row.ends = owner, rank, now + TURN.LEASE
    entries[#entries + 1] = row
  end
  for _, entry in ipairs(turns.entries) do
    ranks[entry.session] = entry.rank
    if entry.owner ~= owner then
      entries[#entries + 1] = entry
    elseif rows[entry.session] then
      put(rows[entry.session], entry.rank)
    end
  end
  for _, row in ipairs(rows) do
    if not row.owner then
      if not ranks[row.session] then turns.count = turns.count + 1 end
      put(row, ranks[row.session] or turns.count)
    end
  end
  turns.entries = entries
end

local function free_from(turns, pace, factor)
  if factor < 1 then return turns.at end
  return turns.at - (pace.burst - 1) / pace.rate - (turns.at < turns.opening and TURN.MARGIN or 0)
end

local function comes_before(one, other)
  if one.rank ~= other.rank then return one.rank < other.rank end
  if one.urgency ~= other.urgency then return one.urgency < other.urgency end
  return one.ends - one.age < other.ends - other.age
end

-- The one who is next among all entries, or among those of one owner.
local function next_of(turns, owner)
  local first
  for _, entry in ipairs(turns.entries) do
    if (not owner or entry.owner == owner) and (not first or comes_before(entry, first)) then first = entry end
  end
  return first
end

local function asked_from(turns, owner, free_at, interval)
  local first = next_of(turns)
  return (not first or first.owner == owner) and free_at or free_at + math.min(TURN.GRACE, interval)
end

local function serve(turns, served, pace, factor, now)
  if factor == 1 and turns.at <= (pace.burst > 1 and now or now - TURN.MARGIN) then
    turns.at = now + TURN.MARGIN
    turns.opening = turns.at + (pace.burst - 0.5) / pace.rate
  end
  local spare = factor == 1 and (pace.burst - 1) / pace.rate / 2 or 0
  turns.at = math.max(turns.at, now + math.max(TURN.EARLY, math.min(TURN.MARGIN, spare)))
  turns.at = turns.at + 1 / (pace.rate * factor)
  turns.count = turns.count + 1
  local entries = {}
  for _, entry in ipairs(turns.entries) do
    if entry.session == served.session then entry.rank = turns.count end
    if entry == served then
      entry.calls, entry.urgency, entry.age = entry.calls - 1, entry.next_urgency, entry.next_age
      entry.next_urgency, entry.next_age = entry.last_urgency, 0
    end
    if entry.calls > 0 then entries[#entries + 1] = entry end
  end
  turns.entries = entries
end

local function others_of(turns, owner, now)
  local others = {}
  for _, entry in ipairs(turns.entries) do
    if entry.owner ~= owner then
      others[#others + 1] = pack_waiting(entry, now - (entry.ends - TURN.LEASE))
    end
  end
  return table.concat(others)
end

local function line_of(turns)
  local sorted, line, seen = {}, {}, {}
  for number, entry in ipairs(turns.entries) do sorted[number] = entry end
  table.sort(sorted, comes_before)
  for _, entry in ipairs(sorted) do
    if not seen[entry.session] then line[#line + 1] = entry.session end
    seen[entry.session] = true
  end
  return line
end

function operations.take_turn(key, owner, waiting, rate, burst)
  local now, pace, turns = clock(), {rate = tonumber(rate), burst = tonumber(burst)}, read_turns(key)
  settle(turns, pace, now)
  enter(turns, owner, waiting, now)
  local factor, served = factor_of(turns, now), next_of(turns, owner)
  local interval = 1 / (pace.rate * factor)
  if served and now > asked_from(turns, owner, free_from(turns, pace, factor), interval) - TURN.EARLY then
    serve(turns, served, pace, factor, now)
  else
    served = nil
  end
  write_turns(key, turns, now)
  local free_at = free_from(turns, pace, factor)
  local saved, remaining = (now + TURN.EARLY - free_at) / interval, 0
  if saved >= 0 then remaining = math.min(math.floor(saved) + 1, factor == 1 and pace.burst or 1) end
  return {served and served.session or false, text(math.max(0, asked_from(turns, owner, free_at, interval) - now)),
    others_of(turns, owner, now), text(factor), remaining, text(math.max(0, turns.at - now)),
    line_of(turns)}
end

function operations.slow_down(key, rate, burst)
  local now, pace, turns = clock(), {rate = tonumber(rate), burst = tonumber(burst)}, read_turns(key)
  settle(turns, pace, now)
  local factor = factor_of(turns, now)
  local next_at = free_from(turns, pace, factor)
  if turns.factor == 1 or now - turns.changed_at >= TURN.SLOWED_SECONDS then
    factor = math.max(TURN.SLOWEST, factor * TURN.SLOWING)
    turns.factor, turns.changed_at = factor, now
  end
  turns.at, turns.opening = math.max(next_at, now + 1 / (pace.rate * factor)), 0
  write_turns(key, turns, now)
end
