-- Answers of the resource server that replicas share. Beside what steps.lua names:
--
--   a<key>          an answer: the mark under which it was fetched, sealed
--   l<key>          who fetches one: the mark, the owner
--   o<place>        hash: scopes of a place, and the number that is another once something in them is forgotten

local function scopes_in(packed)
  local scopes, position, scope = {}, 1, nil
  while position <= #packed do
    scope, position = struct.unpack('>Bc0', packed, position)
    scopes[#scopes + 1] = scope
  end
  return scopes
end

local function mark_of(place, packed)
  local mark = 0
  for _, scope in ipairs(scopes_in(packed)) do
    mark = mark + tonumber(call('HGET', bucket .. 'o' .. place, scope) or 0)
  end
  return mark
end

local function whole(number)
  return string.format('%.0f', number)
end

local function release(key, owner)
  local fetching = call('GET', bucket .. 'l' .. key)
  if fetching and fetching:sub(9) == owner then call('DEL', bucket .. 'l' .. key) end
end

function operations.claim_answer(place, key, scopes, owner, lease)
  local mark, kept = mark_of(place, scopes), call('GET', bucket .. 'a' .. key)
  if kept and struct.unpack('>d', kept) == mark then return {'found', whole(mark), kept:sub(9)} end
  local name = bucket .. 'l' .. key
  local fetching = call('GET', name)
  if fetching and struct.unpack('>d', fetching) == mark and fetching:sub(9) ~= owner then
    return {'held', whole(mark), call('PTTL', name)}
  end
  call('SET', name, struct.pack('>d', mark) .. owner, 'PX', lease)
  return {'granted', whole(mark), 0}
end

function operations.keep_answer(place, key, scopes, owner, mark, sealed, milliseconds)
  release(key, owner)
  if mark_of(place, scopes) ~= tonumber(mark) then return 0 end
  call('SET', bucket .. 'a' .. key, struct.pack('>d', tonumber(mark)) .. sealed, 'PX', milliseconds)
  return 1
end

function operations.release_answer(key, owner)
  release(key, owner)
end

function operations.forget_answers(place, scopes)
  local name, now = bucket .. 'o' .. place, clock()
  for _, scope in ipairs(scopes_in(scopes)) do
    local number = tonumber(call('HGET', name, scope) or 0)
    call('HSET', name, scope, whole(math.max(number + 1, math.floor(now * 1000))))
  end
  expire_at(name, now + MARK_SECONDS)
end
