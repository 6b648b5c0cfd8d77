-- wrk: its summary as one line of JSON; times in microseconds.
function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'bench {"requests": %d, "microseconds": %d, "bytes": %d, "status": %d, "broken": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
