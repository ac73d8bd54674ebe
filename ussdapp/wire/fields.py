"""Knows what a field that should hold an id, a code or an MSISDN may be trusted with."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.wire.numbering import read_msisdn

_LONGEST_ID: Final = 128
_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{_LONGEST_ID}}}")
_MOST: Final = 40  # characters of a name or a code


def is_id(spelt: str) -> bool:
    """Whether it can be an id: 1 to 128 visible ASCII characters."""
    return _ID.fullmatch(spelt) is not None


def are_plain_ids(spelt: Sequence[str]) -> bool:
    """Whether all are ids of letters and digits: then each is kept as spelt."""
    together = "".join(spelt)
    return (
        all(spelt)
        and together.isalnum()
        and together.isascii()
        and max(map(len, spelt)) <= _LONGEST_ID
    )


def kept_id(spelt: str) -> str:
    """An id as spelt; what is no id by its digest, never cut short: the same wherever it comes."""
    return spelt if is_id(spelt) else digest(spelt)


def digest(*content: str) -> str:
    """The key of something that has no id of its own."""
    return hashlib.sha256("\0".join(content).encode("utf-8", "surrogatepass")).hexdigest()


def short(value: str) -> str:
    """At most 40 printable characters of a field that should hold a name, a code or an address."""
    return "".join(char for char in value if char.isprintable()).strip()[:_MOST]


def maybe_msisdn(spelling: str) -> Msisdn | None:
    """The MSISDN, or None where an operator wrote something else."""
    try:
        return read_msisdn(spelling)
    except NotAnMsisdn:
        return None
