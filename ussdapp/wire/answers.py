"""Knows how answers to submits come, most often: many in a row, all taken, ids of one length."""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import repeat
from typing import Final, NamedTuple, cast

from ussdapp.wire.pdu import HEADER_OCTETS, RESPONSE, SUBMIT_SM
from ussdapp.wire.window import Answer, Answered

_TAKEN: Final = struct.pack(">II", SUBMIT_SM | RESPONSE, 0)
_SHORTEST: Final = HEADER_OCTETS + 2
_LONGEST: Final = HEADER_OCTETS + 66  # a message id of 65 octets and its NUL
_FEW: Final = 4
_FIRST_STEP: Final = 16
# as Answered(...), in a third of the time
_made: Final = cast("Callable[[tuple[int, str]], Answer]", partial(tuple.__new__, Answered))


class AnsweredRun(NamedTuple):
    """Answers in a row: their sequence numbers, themselves, and where in the octets they end."""

    sequences: list[int]
    answers: list[Answer]
    end: int


def answered_run(data: bytes, at: int) -> AnsweredRun | None:
    """The run that begins at `at`, or None: whatever it leaves is for the reading of any PDU."""
    head = data[at : at + 12]
    length = int.from_bytes(head[:4], "big")
    if head[4:] != _TAKEN or not _SHORTEST <= length <= _LONGEST:
        return None
    sequences: list[int] = []
    ids: list[str] = []
    # by growing steps, so that what is not alike after all costs little
    step = _FIRST_STEP
    while (count := min(step, (len(data) - at) // length)) >= _FEW:
        alike = _alike(data[at : at + count * length], head, length)
        sequences += alike[0]
        ids += alike[1]
        at += len(alike[1]) * length
        if len(alike[1]) < count:
            break
        step *= 4
    return AnsweredRun(sequences, list(map(_made, zip(repeat(0), ids))), at) if ids else None


def _alike(data: bytes, head: bytes, length: int) -> tuple[Sequence[int], list[str]]:
    """Sequence numbers and ids of the PDUs with that head; none where an id is cut by a NUL."""
    heads, sequences, spelt = zip(*_layout(length).iter_unpack(data), strict=True)
    count = len(heads)
    if heads.count(head) != count:
        count = next(place for place, other in enumerate(heads) if other != head)
    ids = b"".join(spelt[:count]).decode("latin-1").split("\0")
    ids.pop()
    if len(ids) != count or set(map(len, ids)) != {length - HEADER_OCTETS - 1}:
        return (), []
    return sequences[:count], ids


@lru_cache
def _layout(length: int) -> struct.Struct:
    return struct.Struct(f">12sI{length - HEADER_OCTETS}s")
