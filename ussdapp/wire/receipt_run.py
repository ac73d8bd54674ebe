"""Knows how receipts come, most often: many in a row, in the usual form, with ids of one length."""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ussdapp.core.msisdn import Msisdn, NotAnMsisdn
from ussdapp.wire.pdu import DELIVER_SM, HEADER_OCTETS
from ussdapp.wire.usual_receipt import HEAD, TEXT, Told, told_of, usual_receipt

_DELIVERED: Final = struct.pack(">II", DELIVER_SM, 0)
_LONGEST: Final = 1024  # octets of a PDU; a receipt has about 200
_FEW: Final = 4
_FIRST_STEP: Final = 16
_Alike = tuple[Sequence[int], list[Msisdn], list[str], Sequence[bytes]]
_DIGITS: Final = 12  # of an MSISDN
_NULL: Final = b"null"  # which is no id
_NONE: Final[_Alike] = ((), [], [], ())


class ReceiptRun(NamedTuple):
    """Receipts in a row: sequence numbers, the handsets' MSISDNs, ids, what stands behind each id,
    what that tells, and where in the octets they end."""

    sequences: list[int]
    msisdns: list[Msisdn]
    ids: list[str]
    rests: list[bytes]
    told: dict[bytes, Told]
    end: int


class _Layout(NamedTuple):
    """How many octets of a body are what: before the MSISDN, between it and the id, the id, what
    stands behind it, the text, whether a parameter says the id again, and what follows."""

    before: int
    between: int
    id: int
    rest: int
    text: int
    again: bool
    after: int


def receipt_run(data: bytes, at: int) -> ReceiptRun | None:
    """The run that begins at `at`, or None: whatever it leaves is for the reading of any PDU.
    What is read here reads the same there."""
    head = data[at : at + 12]
    length = int.from_bytes(head[:4], "big")
    if head[4:] != _DELIVERED or not HEADER_OCTETS < length <= _LONGEST:
        return None
    if len(data) - at < _FEW * length or (layout := _layout(data[at + 16 : at + length])) is None:
        return None
    sequences: list[int] = []
    msisdns: list[Msisdn] = []
    ids: list[str] = []
    rests: list[bytes] = []
    told: dict[bytes, Told] = {}
    # by growing steps, so that what is not alike after all costs little
    step = _FIRST_STEP
    while (count := min(step, (len(data) - at) // length)) >= _FEW:
        alike = _alike(data[at : at + count * length], head, layout, told)
        sequences += alike[0]
        msisdns += alike[1]
        ids += alike[2]
        rests += alike[3]
        at += len(alike[0]) * length
        if len(alike[0]) < count:
            break
        step *= 4
    return ReceiptRun(sequences, msisdns, ids, rests, told, at) if ids else None


def _layout(body: bytes) -> _Layout | None:
    """That of a body in the usual form."""
    head = HEAD.match(body)
    if head is None or usual_receipt(body) is None:
        return None
    (start, end), length = head.span(3), head[2][0]
    text, over = body.find(TEXT, end), start - len("id:") + length
    again = over < len(body)
    after = len(body) - over - (end - start + 4 if again else 0)
    return _Layout(
        head.start(1), start - head.end(1), end - start, text - end, over - text, again, after
    )


def _alike(data: bytes, head: bytes, layout: _Layout, told: dict[bytes, Told]) -> _Alike:
    """The columns of the PDUs at the head of `data` that are laid out like that, if all of those
    are in the usual form; else none."""
    heads, sequences, before, digits, between, ids, rests, texts, marks, again, after = zip(
        *_struct(layout).iter_unpack(data), strict=True
    )
    constant = ((heads, head), (texts, TEXT), *((one, one[0]) for one in (before, between, marks)))
    count = min(_same(column, value) for column, value in constant)
    rests, spelt = rests[:count], b"".join(ids[:count])
    if (
        (layout.again and again[:count] != ids[:count])
        or not spelt.replace(b"-", b"").isalnum()
        or (layout.id == len(_NULL) and _NULL in spelt.lower())
        or not _understood(set(zip(rests, after, strict=False)), b"\0" * layout.again, told)
    ):
        return _NONE
    try:
        msisdns = Msisdn.all([one.decode("latin-1") for one in digits[:count]])
    except NotAnMsisdn:
        return _NONE
    text, size = spelt.decode(), layout.id
    return (
        sequences[:count],
        msisdns,
        [text[at : at + size] for at in range(0, len(text), size)],
        rests,
    )


def _same(column: Sequence[bytes], value: bytes) -> int:
    """How many at its head are that."""
    if column.count(value) == len(column):
        return len(column)
    return next(place for place, other in enumerate(column) if other != value)


def _understood(pairs: Iterable[tuple[bytes, bytes]], end: bytes, told: dict[bytes, Told]) -> bool:
    """Whether all that stands behind ids tells something, and no parameter says otherwise; `end` is
    what ends the id there."""
    for rest, after in pairs:
        one = told_of(rest[1:])
        if one is None or rest[:1] != b" " or after not in (end, end + one.parameter):
            return False
        told[rest] = one
    return True


@lru_cache
def _struct(layout: _Layout) -> struct.Struct:
    before, between, id_, rest, text, again, after = layout
    return struct.Struct(
        f">12sI{before}s{_DIGITS}s{between}s{id_}s{rest}s{len(TEXT)}s{text - len(TEXT)}x"
        + (f"4s{id_}s{after}s" if again else "0s0s0s")
    )
