"""Knows how Redis keeps a record and counts the step that led to it, in one script.

What is kept is a mark of 16 octets, the time it was first kept in 13 digits (milliseconds), and the
sealed record. The counts of a day are a hash: `id` tells it from the one that takes its place once
it was drained, `steps` is how many it counts, every other field is a count.
"""

from typing import Final

from ussdapp.core.funnel import BOUNDS, BUCKETS, ENDED, ENTRIES, EXITS, WRONG, Step, place

MARK: Final = 16
HEAD: Final = MARK + 13
COUNTS_TTL: Final = 3 * 24 * 3600  # seconds that a day's counts wait to be drained
NOTHING: Final = ("", "", "", "", 0)

# What is asked often is local, and the time is written without string.format(): together they save
# a fifth of a script's time.
_NOW: Final = """
local call, sub = redis.call, string.sub
local time = call('TIME')
local now = time[1] .. sub('00000' .. time[2], -6, -4)
"""
# `since` is when the screen that was left was kept; arguments from `at` on are those of `counted`.
_COUNT: Final = f"""
if KEYS[3] and not again then
    local day, left, how, entered, ended = KEYS[3], unpack(ARGV, at, at + 3)
    if call('HINCRBY', day, 'steps', 1) == 1 then
        call('HSET', day, 'id', time[1] .. '.' .. time[2])
        call('EXPIRE', day, ARGV[at + 4])
    end
    if left ~= '' then
        if how ~= '' then call('HINCRBY', day, left .. how, 1) end
        if since then
            local took, bucket = now - since, {BUCKETS - 1}
            for number, bound in ipairs({{{",".join(str(1000 * bound) for bound in BOUNDS)}}}) do
                if took < bound then bucket = number - 1 break end
            end
            call('HINCRBY', day, left .. bucket, 1)
        end
    end
    if entered ~= '' then call('HINCRBY', day, entered, 1) end
    if ended ~= '' then call('HINCRBY', day, ended, 1) end
end
"""
# Keys: the record's, the draft's, the counts'. An equal record that is kept already was counted.
EXCHANGE: Final = f"""{_NOW}
local kept, since, again, at = call('GET', KEYS[1]), nil, false, 8
if kept then
    local mark = sub(kept, 1, {MARK})
    if mark == ARGV[2] then
        again = true
        now = sub(kept, {MARK + 1}, {HEAD})
    elseif mark == ARGV[1] then
        since = tonumber(sub(kept, {MARK + 1}, {HEAD}))
    else
        return kept
    end
elseif ARGV[7] == 'follow' then
    return ''
end
local content = ARGV[2] .. now .. ARGV[3]
call('SET', KEYS[1], content, 'EX', ARGV[4])
if ARGV[5] == 'taken' then
    call('SET', KEYS[2], KEYS[1] .. '\0' .. content, 'EX', ARGV[6])
elseif ARGV[5] == 'cleared' then
    call('DEL', KEYS[2])
end
{_COUNT}
return false
"""
BEGIN: Final = f"""{_NOW}
local kept = call('GET', KEYS[1])
if kept then return {{kept, false}} end
local draft = call('GET', KEYS[2])
if draft then return {{false, draft}} end
call('SET', KEYS[1], ARGV[1] .. now .. ARGV[2], 'EX', ARGV[3])
local again, since, at = false, nil, 4
{_COUNT}
return {{false, false}}
"""


def counts_place(day: str) -> str:
    """The key of a day's counts that are not drained yet."""
    return f"funnel:{day}"


def counted(step: Step | None) -> tuple[str, str, str, str, int]:
    """What the scripts take of a step: the screen left, what became of it, what is entered, what
    ended, and how many seconds the counts may wait."""
    if step is None:
        return NOTHING
    shown = place(step.shown)
    return (
        place(step.left) if step.left else "",
        _left(step),
        "" if step.stays else shown + ENTRIES,
        shown + ENDED if step.ends else "",
        COUNTS_TTL,
    )


def _left(step: Step) -> str:
    if step.stays:
        return WRONG if step.wrong else ""
    return EXITS
