-- Posts the forms of a file, one a line, in their order: wrk ... -- <file> <threads>
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    forms, at, count = {}, 0, tonumber(args[2])
    local line = 0
    for form in io.lines(args[1]) do
        if line % count == number then forms[#forms + 1] = form end
        line = line + 1
    end
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
end

function request()
    at = at % #forms + 1
    return wrk.format("POST", nil, headers, forms[at])
end

function done(summary, latency, requests)
    local errors = summary.errors
    local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("DONE %d %d %d\n", summary.requests, summary.duration, wrong))
end
