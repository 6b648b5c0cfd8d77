-- The event log. In bucket 0, beside what steps.lua names:
--
--   events          stream: ids are the log's epoch and the event's number; "a" when by Redis's clock, "e" sealed,
--                   "r" in which run of Redis

-- A Redis that was started again, or has taken another's place, may lack the log's end, and must not give out those
-- ids a second time: whoever heard the lost events would take the new ones for them.
local function run()
  local told = redis.pcall('INFO', 'server')
  return type(told) == 'string' and told:match('run_id:(%w+)') or ''
end

function operations.append_event(sealed, epoch)
  local name, now, own = bucket .. 'events', clock(), run()
  local number = 1
  local last = call('XREVRANGE', name, '+', '-', 'COUNT', 1)[1]
  if last and last[2][6] ~= own then
    call('DEL', name)
  elseif last then
    epoch, number = last[1]:match('^(%d+)-(%d+)$')
    number = number + 1
  end
  local id = epoch .. '-' .. string.format('%.0f', number)
  call('XADD', name, 'MAXLEN', EVENTS_KEPT, id, 'a', text(now), 'e', sealed, 'r', own)
  -- From the beginning on, never from the middle: no gap stays unseen.
  local past = {}
  for _, row in ipairs(call('XRANGE', name, '-', '+', 'COUNT', 100)) do
    if tonumber(row[2][2]) > now - EVENTS_SECONDS or row[1] == id then break end
    past[#past + 1] = row[1]
  end
  if #past > 0 then call('XDEL', name, unpack(past)) end
  expire_at(name, now + EVENT_LOG_SECONDS)
  return id
end
