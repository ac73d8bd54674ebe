"""Knows how long an SMSC may keep what it cannot deliver: validity_period of submit_sm (SMPP 3.4,
5.2.16, formats in 7.1.1)."""

from datetime import datetime, timedelta
from typing import Final, Literal

# From now on, as a moment in UTC, or left to the SMSC where an operator refuses either.
Validity = Literal["relative", "absolute", "off"]
_LONGEST: Final = timedelta(days=31)
_SECOND: Final = timedelta(seconds=1)


def validity(form: Validity, until: datetime | None, now: datetime) -> bytes:
    """The field without its NUL; `until` is aware, and later than now."""
    if until is None or form == "off":
        return b""
    if form == "absolute":
        return b"%b000+" % f"{until:%y%m%d%H%M%S}".encode()
    left = max(1, min(until - now, _LONGEST) // _SECOND)
    days, seconds = divmod(left, 86_400)
    return b"0000%02d%02d%02d%02d000R" % (days, seconds // 3600, seconds // 60 % 60, seconds % 60)


def with_validity(body: bytes, written: bytes) -> bytes:
    """The body of a submit_sm that has none, with that one."""
    at = body.index(b"\0") + 3  # service_type; TON and NPI of the source
    at = body.index(b"\0", at) + 3
    at = body.index(b"\0", at) + 5  # esm_class, protocol_id, priority_flag, an empty schedule
    return body[:at] + written + body[at:]
