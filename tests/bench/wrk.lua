-- wrk -s wrk.lua URL -- MODE [COUNT PREFIX [START]]
--   one     the URL as it is; no Lua runs per request
--   spread  PREFIX/1 … PREFIX/COUNT, at random
--   fill    PREFIX/1 … PREFIX/COUNT in turn, from START on, round and round
-- The last line is the result, for wrk.py.

function init(args)
  local mode, count, prefix, start = args[1], tonumber(args[2]), args[3], tonumber(args[4])
  if mode == "one" then return end

  -- Ready-made heads: formatting one takes longer than sending it.
  local requests = {}
  for i = 1, count do requests[i] = wrk.format("GET", prefix .. "/" .. i) end

  if mode == "spread" then
    math.randomseed(1)
    request = function() return requests[math.random(count)] end
  else
    local last = start - 1
    request = function()
      last = last % count + 1
      return requests[last]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "bytes": %d, ' ..
    '"bad_status": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
