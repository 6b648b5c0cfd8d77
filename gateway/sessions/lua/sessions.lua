-- Operations on sessions, and on grants as far as sessions come and go with them; see steps.lua.

local operations = {}

function operations.add(key, session_value, idle_at, ends_at, grant_key, grant_value)
  if call('EXISTS', bucket .. 's' .. key) == 1 then return 0 end
  local generation, created_at, grant_ends_at = struct.unpack(GRANT, grant_value)
  local sealed = grant_value:sub(25)
  local known = read_grant(grant_key)
  if known then
    if generation > known.generation then
      call('DEL', bucket .. 'c' .. grant_key)
    else
      generation, sealed = known.generation, known.sealed
    end
    created_at, grant_ends_at = known.created_at, math.max(known.ends_at, grant_ends_at)
    note(grant_key)
  end
  call('HSET', bucket .. 'm' .. grant_key, key, '')
  write_grant(grant_key, generation, created_at, grant_ends_at, sealed)
  call('SET', bucket .. 's' .. key, session_value)
  expire_at(bucket .. 's' .. key, tonumber(ends_at) + REVOCATION_SECONDS)
  call('ZADD', bucket .. 'due', idle_at, key)
  outlast(bucket .. 'due', tonumber(ends_at) + REVOCATION_SECONDS)
  return 1
end

function operations.touch(key, last_seen_at, idle_at, has_sealed, sealed)
  local session = read_session(key)
  last_seen_at = tonumber(last_seen_at)
  if not session or session.idle_at <= last_seen_at then return 0 end
  idle_at = math.min(math.max(session.idle_at, tonumber(idle_at)), session.ends_at)
  local value = struct.pack(SESSION, 'S', session.created_at, math.max(session.last_seen_at, last_seen_at),
    idle_at, session.ends_at, #session.grant_key, session.grant_key, #session.subject_key,
    session.subject_key, #session.sid_key, session.sid_key)
  call('SET', bucket .. 's' .. key, value .. (has_sealed == '1' and sealed or session.sealed))
  expire_at(bucket .. 's' .. key, session.ends_at + REVOCATION_SECONDS)
  call('ZADD', bucket .. 'due', text(idle_at), key)
  return 1
end

function operations.replace_grant(key, value, expected_generation)
  local generation, created_at, ends_at = struct.unpack(GRANT, value)
  local known = read_grant(key)
  if not known or known.generation ~= tonumber(expected_generation) then return 0 end
  if generation <= known.generation or created_at ~= known.created_at then return 0 end
  write_grant(key, generation, created_at, math.max(known.ends_at, ends_at), value:sub(25))
  call('DEL', bucket .. 'c' .. key)
  note(key)
  return 1
end

function operations.end_session(key, reason, now)
  return bury(key, reason, tonumber(now), tonumber(now), true) or false
end

function operations.end_grant(key, reason, now, expected_generation, expected_created_at)
  local known = read_grant(key)
  if not known then return {} end
  if expected_generation ~= '' and tonumber(expected_generation) ~= known.generation then return {} end
  if expected_created_at ~= '' and tonumber(expected_created_at) ~= known.created_at then return {} end
  local ended = {}
  for _, member in ipairs(call('HKEYS', bucket .. 'm' .. key)) do
    ended[#ended + 1] = bury(member, reason, tonumber(now), tonumber(now), false)
  end
  return ended
end

function operations.spend_once(key, expires_at, now)
  local spent = call('GET', bucket .. 'u' .. key)
  if spent and tonumber(spent) > tonumber(now) then return 0 end
  call('SET', bucket .. 'u' .. key, expires_at)
  expire_at(bucket .. 'u' .. key, tonumber(expires_at))
  return 1
end

function operations.spent_until(key)
  return call('GET', bucket .. 'u' .. key)
end

function operations.list(index_key, key, ends_at)
  local name = bucket .. 'i' .. index_key
  call('ZREMRANGEBYSCORE', name, '-inf', text(clock() - TOMBSTONE_SECONDS))
  call('ZADD', name, ends_at, key)
  outlast(name, tonumber(ends_at) + TOMBSTONE_SECONDS)
end

function operations.remove_expired(now, limit)
  local ended = {}
  for _, key in ipairs(call('ZRANGEBYSCORE', bucket .. 'due', '-inf', now, 'LIMIT', 0, limit)) do
    local session = read_session(key)
    local reason = session and session.idle_at < session.ends_at and 'idle' or 'expired'
    ended[#ended + 1] = session and bury(key, reason, session.idle_at, tonumber(now), true)
    call('ZREM', bucket .. 'due', key)
  end
  local forgotten = text(tonumber(now) - TOMBSTONE_SECONDS)
  for _, key in ipairs(call('ZRANGEBYSCORE', bucket .. 'ended', '-inf', forgotten, 'LIMIT', 0, SWEEP)) do
    if (call('GET', bucket .. 's' .. key) or ''):sub(1, 1) == 'T' then call('DEL', bucket .. 's' .. key) end
    call('ZREM', bucket .. 'ended', key)
  end
  return ended
end
