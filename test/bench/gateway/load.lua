-- wrk's side of the benchmark (run --wrk). Environment: TOKENS (file, one access token a line; one line: the same request again
-- and again, more: each request takes the next), METHOD, BODY_BYTES. Prints one JSON line at the end.
local lines = {}
for line in io.lines(os.getenv("TOKENS")) do lines[#lines + 1] = line end

wrk.method = os.getenv("METHOD") or "GET"
local body_bytes = tonumber(os.getenv("BODY_BYTES") or "0")
if body_bytes > 0 then
  wrk.body = string.rep("x", body_bytes)
  wrk.headers["Content-Type"] = "application/octet-stream"
end
wrk.headers["Accept"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (lines[1] or "")

if #lines > 1 then
  local requests, at = {}, 0
  function init()
    for i, line in ipairs(lines) do
      wrk.headers["Authorization"] = "Bearer " .. line
      requests[i] = wrk.format()
    end
  end
  function request()
    at = at % #requests + 1
    return requests[at]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"p999_us":%d,"socket_errors":%d,"refused":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    latency:percentile(99.9), errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
