-- Operations on refresh claims and the revocation queue; see steps.lua.

function operations.time() return text(clock()) end

function operations.claim_refresh(key, generation, owner, lease_seconds, takes_lapsed)
  local grant, value = read_grant(key)
  if not grant then return {'gone', false, false} end
  if grant.generation ~= tonumber(generation) then return {'superseded', false, value} end
  local now, abandoned = clock(), 0
  local lease = read_lease(key)
  if lease then
    local running = lease.ends > now
    if running and lease.owner ~= owner then return {'held', text(lease.ends - now), value} end
    if not running and lease.owner ~= owner and lease.owner ~= '' and takes_lapsed ~= '1' then
      return {'lapsed', text(lease.ends - now), value}
    end
    if lease.abandoned == 1 or not running then abandoned = 1 end
  end
  write_lease(key, {ends = now + tonumber(lease_seconds), abandoned = abandoned, owner = owner})
  return {abandoned == 1 and 'granted_abandoned' or 'granted', lease_seconds, value}
end

function operations.renew_claim(key, owner, lease_seconds)
  local lease = read_lease(key)
  if not lease or lease.owner ~= owner then return 0 end
  lease.ends = clock() + tonumber(lease_seconds)
  write_lease(key, lease)
  return 1
end

function operations.release_claim(key, owner, spent_unknown)
  local lease = read_lease(key)
  if not lease or lease.owner ~= owner then return end
  if spent_unknown == '1' or lease.abandoned == 1 then
    write_lease(key, {ends = clock(), abandoned = 1, owner = ''})
  else
    call('DEL', bucket .. 'c' .. key)
  end
end

function operations.queue_revocation(key, value, due_at, now)
  queue(key, value, tonumber(due_at), tonumber(now) + REVOCATION_SECONDS)
end

function operations.take_revocations(now, limit, retry_at)
  local taken = {}
  local names = call('ZRANGEBYSCORE', bucket .. 'revocations', '-inf', now, 'LIMIT', 0, limit)
  for _, entry in ipairs(names) do
    local value = call('GET', bucket .. 'r' .. entry)
    if value and struct.unpack('>d', value) > tonumber(now) then
      call('ZADD', bucket .. 'revocations', retry_at, entry)
      local _, key, position = struct.unpack('>dBc0', value)
      taken[#taken + 1] = {key, value:sub(position)}
    else
      call('DEL', bucket .. 'r' .. entry)
      call('ZREM', bucket .. 'revocations', entry)
    end
  end
  return taken
end

function operations.settle_revocation(key, generation, created_at)
  local entry = key .. struct.pack('>dd', tonumber(generation), tonumber(created_at))
  call('DEL', bucket .. 'r' .. entry)
  call('ZREM', bucket .. 'revocations', entry)
end
