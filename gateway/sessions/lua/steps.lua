-- The session store in Redis: what its operations share. Sent are the constants of records.py and turn.py, this
-- file, and those of the operations, as one script, which does one operation on one bucket, whole or not at all.
--
-- KEYS[1] is the bucket's prefix, "<namespace>:{<first byte of the keys, in hex>}:"; all keys of a bucket lie
-- in one slot, and KEYS[2] serves only to say so. ARGV[1] names the operation, ARGV[2] the channel for changes.
-- Under the prefix are
--
--   s<session key>  "S", four times, grant key, subject key, sid key, sealed; or "T", end, reason
--   g<grant key>    generation, created_at, ends_at, sealed
--   m<grant key>    hash: the keys of its sessions
--   c<grant key>    the refresh claim: end of the lease, doubt, owner
--   r<entry>        a grant to be revoked: until when, its key, its value
--   u<key>          a key that is spent, and until when
--   b<budget key>   the turns of a budget: five numbers, then who waits: owner, session, four numbers
--   i<index key>    sorted set: sessions by their ends_at
--   due             sorted set: sessions by their idle_at
--   ended           sorted set: tombstones by their ended_at
--   revocations     sorted set: entries by when they are due

local call = redis.call
local bucket, operation, channel = KEYS[1], ARGV[1], ARGV[2]
local SESSION, GRANT = '>c1ddddBc0Bc0Bc0', '>ddd'

local function text(number) return string.format('%.17g', number) end

local function clock()
  local time = call('TIME')
  return time[1] + time[2] / 1e6
end

local function expire_at(name, seconds) call('PEXPIREAT', name, string.format('%.0f', seconds * 1000)) end

-- What many share expires with the last of them; it only has to go when nobody comes to sweep any more.
local function outlast(name, seconds)
  local left = call('PTTL', name)
  if left < 0 or clock() + left / 1000 < seconds then expire_at(name, seconds) end
end

local function note(key) call('PUBLISH', channel, key) end

local function queue(key, value, due_at, forgotten_at)
  local generation, created_at = struct.unpack(GRANT, value)
  local entry = key .. struct.pack('>dd', generation, created_at)
  call('SET', bucket .. 'r' .. entry, struct.pack('>dBc0', forgotten_at, #key, key) .. value)
  expire_at(bucket .. 'r' .. entry, forgotten_at)
  call('ZADD', bucket .. 'revocations', text(due_at), entry)
  outlast(bucket .. 'revocations', forgotten_at)
end

local function read_session(key)
  local value = call('GET', bucket .. 's' .. key)
  if not value or value:sub(1, 1) ~= 'S' then return nil end
  local session = {}
  local _
  _, session.created_at, session.last_seen_at, session.idle_at, session.ends_at, session.grant_key,
    session.subject_key, session.sid_key, _ = struct.unpack(SESSION, value)
  session.sealed = value:sub(37 + #session.grant_key + #session.subject_key + #session.sid_key)
  return session
end

-- Returns nil, or where the session was listed and, if it was its grant's last, the grant's key and value.
local function bury(key, reason, ended_at, now, handed_out)
  local session = read_session(key)
  if not session then return nil end
  call('SET', bucket .. 's' .. key, struct.pack('>c1d', 'T', ended_at) .. reason)
  expire_at(bucket .. 's' .. key, ended_at + TOMBSTONE_SECONDS)
  call('ZREM', bucket .. 'due', key)
  call('ZADD', bucket .. 'ended', text(ended_at), key)
  outlast(bucket .. 'ended', ended_at + TOMBSTONE_SECONDS)
  note(key)
  local ended = {key, session.subject_key, session.sid_key}
  local grant_key = session.grant_key
  call('HDEL', bucket .. 'm' .. grant_key, key)
  if call('EXISTS', bucket .. 'm' .. grant_key) == 1 then return ended end
  local value = call('GET', bucket .. 'g' .. grant_key)
  if not value then return ended end
  call('DEL', bucket .. 'g' .. grant_key, bucket .. 'c' .. grant_key)
  note(grant_key)
  if not TOKENS_DEAD[reason] then
    queue(grant_key, value, handed_out and now + HANDED_SECONDS or now, now + REVOCATION_SECONDS)
  end
  ended[4], ended[5] = grant_key, value
  return ended
end

local function write_grant(key, generation, created_at, ends_at, sealed)
  call('SET', bucket .. 'g' .. key, struct.pack(GRANT, generation, created_at, ends_at) .. sealed)
  for _, kind in ipairs({'g', 'm'}) do
    if kind == 'g' or call('EXISTS', bucket .. kind .. key) == 1 then
      expire_at(bucket .. kind .. key, ends_at + REVOCATION_SECONDS)
    end
  end
end

local function read_grant(key)
  local value = call('GET', bucket .. 'g' .. key)
  if not value then return nil end
  local generation, created_at, ends_at = struct.unpack(GRANT, value)
  return {generation = generation, created_at = created_at, ends_at = ends_at, sealed = value:sub(25)}, value
end

local function read_lease(key)
  local value = call('GET', bucket .. 'c' .. key)
  if not value then return nil end
  local ends, abandoned = struct.unpack('>dB', value)
  return {ends = ends, abandoned = abandoned, owner = value:sub(10)}
end

local function write_lease(key, lease)
  local name = bucket .. 'c' .. key
  call('SET', name, struct.pack('>dB', lease.ends, lease.abandoned) .. lease.owner)
  local left = call('PTTL', bucket .. 'g' .. key)
  if left > 0 then call('PEXPIRE', name, left) end
end
