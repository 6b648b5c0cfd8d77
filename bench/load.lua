-- wrk: its summary as one line of JSON; times in microseconds. With the name of a file after "--", each request
-- carries the next of the file's lines, which are Cookie fields.
function init(args)
  if not args[1] then
    return
  end
  local requests, next = {}, 0
  for line in io.lines(args[1]) do
    wrk.headers['Cookie'] = line:gsub('^Cookie: ', '')
    table.insert(requests, wrk.format())
  end
  request = function()
    next = next % #requests + 1
    return requests[next]
  end
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'bench {"requests": %d, "microseconds": %d, "status": %d, "broken": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
