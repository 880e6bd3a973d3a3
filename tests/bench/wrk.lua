-- wrk -s wrk.lua URL -- MODE [COUNT PREFIX [START]]
--   one     the URL as it is; no Lua runs per request
--   spread  PREFIX/1 … PREFIX/COUNT, at random
--   fill    PREFIX/1 … PREFIX/COUNT in turn, from START on, round and round
-- wrk -s wrk.lua URL -- walk SIZE START      /obj/SIZE/START and onwards, each once
-- wrk -s wrk.lua URL -- churn START          sizes from 256 B to 1 MiB, most often small: every
--   other request for one of 5,000 hot objects, the rest for new ones from START on
-- wrk -s wrk.lua URL -- paced SIZE START MS   as walk, each connection waiting MS before a request
-- wrk -s wrk.lua URL -- zipf START            200,000 objects by Zipf's law (0.9), of sizes from
--   1 KiB to 1 MiB, log-uniform
-- The last line is the result, for wrk.py.

function walk(size, start)
  local last = start - 2  -- wrk calls request() once to look at the result, and does not send that
  request = function()
    last = last + 1
    return wrk.format("GET", "/obj/" .. size .. "/" .. last)
  end
end

function churn(start)
  local hot, last = 5000, start - 1
  math.randomseed(start)
  -- An object's number decides its size.
  local function object(kind, number)
    local spread = number * 0.6180339887 % 1
    local size = math.floor(256 * 2 ^ (12 * spread * spread))
    return wrk.format("GET", "/obj/" .. size .. "/" .. kind .. number)
  end
  request = function()
    if math.random(2) == 1 then return object("h", math.random(hot)) end
    last = last + 1
    return object("n", last)
  end
end

function paced(size, start, ms)
  walk(size, start)
  delay = function() return ms end
end

function zipf(start)
  local count = 200000
  math.randomseed(start)
  local most = count ^ 0.1 - 1
  request = function()
    local number = math.floor((math.random() * most + 1) ^ 10)
    local size = math.floor(1024 * 2 ^ (10 * (number * 0.6180339887 % 1)))
    return wrk.format("GET", "/obj/" .. size .. "/z" .. number)
  end
end

function init(args)
  local mode, count, prefix, start = args[1], tonumber(args[2]), args[3], tonumber(args[4])
  if mode == "one" then return end
  if mode == "paced" then return paced(args[2], tonumber(args[3]), tonumber(args[4])) end
  if mode == "zipf" then return zipf(tonumber(args[2])) end
  if mode == "walk" then return walk(args[2], tonumber(args[3])) end
  if mode == "churn" then return churn(tonumber(args[2])) end

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
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, ' ..
    '"bytes": %d, "bad_status": %d, "cut": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, summary.bytes, errors.status,
    errors.read + errors.write + errors.timeout,
    errors.connect + errors.read + errors.write + errors.timeout))
end
