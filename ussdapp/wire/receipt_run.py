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
_MARK: Final = 4  # octets of a parameter's tag and length
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
    """What is the same in every PDU of a run: its head, what stands before the MSISDN, between it
    and the id, and before the id where a parameter says it again (empty where none does); and how
    its octets are cut."""

    head: bytes
    before: bytes
    between: bytes
    mark: bytes
    cut: struct.Struct
    id: int


def receipt_run(data: bytes, at: int) -> ReceiptRun | None:
    """The run that begins at `at`, or None: whatever it leaves is for the reading of any PDU.
    What is read here reads the same there."""
    head = data[at : at + 12]
    length = int.from_bytes(head[:4], "big")
    if head[4:] != _DELIVERED or not HEADER_OCTETS < length <= _LONGEST:
        return None
    if len(data) - at < _FEW * length:
        return None
    layout = _layout(head, data[at + HEADER_OCTETS : at + length])
    if layout is None:
        return None
    sequences: list[int] = []
    msisdns: list[Msisdn] = []
    ids: list[str] = []
    rests: list[bytes] = []
    told: dict[bytes, Told] = {}
    # by growing steps, so that what is not alike after all costs little
    step = _FIRST_STEP
    while (count := min(step, (len(data) - at) // length)) >= _FEW:
        alike = _alike(data[at : at + count * length], layout, told)
        sequences += alike[0]
        msisdns += alike[1]
        ids += alike[2]
        rests += alike[3]
        at += len(alike[0]) * length
        if len(alike[0]) < count:
            break
        step *= 4
    return ReceiptRun(sequences, msisdns, ids, rests, told, at) if ids else None


def _layout(head: bytes, body: bytes) -> _Layout | None:
    """That of a PDU whose body is in the usual form."""
    found = HEAD.match(body)
    if found is None or usual_receipt(body) is None:
        return None
    (start, end), length = found.span(3), found[2][0]
    text, over = body.find(TEXT, end), start - len("id:") + length
    mark = body[over : over + _MARK] if over < len(body) else b""
    after = len(body) - over - (len(mark) + end - start if mark else 0)
    fields = (
        found.start(1),
        start - found.end(1),
        end - start,
        text - end,
        over - text - len(TEXT),
    )
    return _Layout(
        head,
        body[: found.start(1)],
        body[found.end(1) : start],
        mark,
        _cut(*fields, after, again=bool(mark)),
        end - start,
    )


def _alike(data: bytes, layout: _Layout, told: dict[bytes, Told]) -> _Alike:
    """The columns of the PDUs at the head of `data` that are laid out like that, if all of those
    are in the usual form; else none."""
    heads, sequences, before, digits, between, ids, rests, texts, marks, again, after = zip(
        *layout.cut.iter_unpack(data), strict=True
    )
    constant = layout.head, layout.before, layout.between, layout.mark, TEXT
    count = min(map(_same, (heads, before, between, marks, texts), constant))
    rests, spelt = rests[:count], b"".join(ids[:count])
    if (
        (layout.mark and again[:count] != ids[:count])
        or not spelt.replace(b"-", b"").isalnum()
        or (layout.id == len(_NULL) and _NULL in spelt.lower())
        or not _understood(
            set(zip(rests, after, strict=False)), b"\0" if layout.mark else b"", told
        )
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
def _cut(  # noqa: PLR0913 (how many octets are what)
    before: int, between: int, id_: int, rest: int, text: int, after: int, *, again: bool
) -> struct.Struct:
    return struct.Struct(
        f">12sI{before}s{_DIGITS}s{between}s{id_}s{rest}s{len(TEXT)}s{text}x"
        + (f"{_MARK}s{id_}s{after}s" if again else "0s0s0s")
    )
