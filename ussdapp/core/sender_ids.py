"""Knows under which sender ID an institution may write."""

from typing import Final

from ussdapp.core.inbound import KeyHolder
from ussdapp.core.keys import IssuedKey

CODE: Final = "not_allotted"
SENTENCE: Final = "The institution was not allotted that sender ID."


class SenderIdRefused(ValueError):
    """The institution was not allotted that sender ID."""


def chosen(holder: KeyHolder, wanted: str | None, short_code: str) -> str:
    """What a text shows: the short code, unless another is wanted. Raises SenderIdRefused."""
    if wanted is None or wanted == short_code:
        return short_code
    if not isinstance(holder, IssuedKey) or wanted not in holder.sender_ids:
        raise SenderIdRefused(SENTENCE)
    return wanted
