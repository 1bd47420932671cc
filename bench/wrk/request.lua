-- POSTs a file's bytes again and again. Arguments: file, content type, cache-control or "".
-- Prints one line of JSON: every answer that was not 2xx is an error.
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = arguments[2]
  if arguments[3] and arguments[3] ~= "" then
    wrk.headers["Cache-Control"] = arguments[3]
  end
  whole = wrk.format()
end

function request()
  return whole
end

function done(summary, latency, requests)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50_us": %d, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), errors))
end
