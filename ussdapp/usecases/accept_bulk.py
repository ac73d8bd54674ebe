"""An institution sends a bulk: committed as it came, to be checked by the importing worker."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final, Protocol

from ussdapp.core import acceptance, sender_ids
from ussdapp.core.bulk import AskedBulk, BulkRefused, NewBulk, Source
from ussdapp.core.keys import IssuedKey
from ussdapp.core.parts import MOST_PARTS, TooLong, split
from ussdapp.core.phishing import of_worded
from ussdapp.core.placeholders import Worded, worded
from ussdapp.core.recipients import HeaderRefused, columns
from ussdapp.wire.tables import MOST_OCTETS, Unreadable, rows_of_text
from ussdapp.wire.workbooks import first_rows

_KINDS: Final = {"csv": Source.CSV, "tsv": Source.CSV, "xlsx": Source.XLSX}
_PEEKED: Final = 20  # rows that are read before it is accepted
_PIECE: Final = 64 * 1024


class Bulks(Protocol):
    """Accepts bulks. Both raise AnotherBody, Unavailable."""

    def accept(self, new: NewBulk, recipients: Sequence[Any]) -> int:
        """Commits it; the same effect and body again is the same bulk. Returns its number."""
        ...

    def accept_file(self, new: NewBulk, file: IO[bytes]) -> int:
        """The same for a file, from its beginning."""
        ...


@dataclass(frozen=True, slots=True)
class AcceptBulk:
    """Both return the bulk's number, committed; the same key and body again give the same. Raise
    BulkRefused, SenderIdRefused, TooFarAhead, AnotherBody, Unavailable."""

    bulks: Bulks
    short_code: str
    new_key: Callable[[], str]

    def recipients(
        self, holder: IssuedKey, asked: AskedBulk, recipients: Sequence[Any], now: datetime
    ) -> int:
        """A bulk whose recipients came with it, whatever they are: they are checked later."""
        new = self._new(holder, asked, Source.RECIPIENTS, len(recipients), now)
        return self.bulks.accept(new, recipients)

    def file(
        self, holder: IssuedKey, asked: AskedBulk, name: str, file: IO[bytes], now: datetime
    ) -> int:
        """A bulk whose recipients are the rows of a file of that name. What its beginning shows
        to be wrong refuses it here."""
        source = _KINDS.get(name.rpartition(".")[2].casefold())
        if source is None:
            raise BulkRefused("file", "kind", "A file is .csv, .tsv or .xlsx.")
        size = file.seek(0, 2)
        if not 0 < size <= MOST_OCTETS:
            raise BulkRefused("file", "size", f"A file has 1 to {MOST_OCTETS} octets.")
        _peek(source, file, worded(asked.text))
        file.seek(0)
        digest = hashlib.sha256()
        for piece in _pieces(file):
            digest.update(piece)
        file.seek(0)
        new = self._new(holder, asked, source, 0, now, digest.hexdigest())
        return self.bulks.accept_file(new, file)

    def _new(
        self,
        holder: IssuedKey,
        asked: AskedBulk,
        source: Source,
        total: int,
        now: datetime,
        digest: str = "",
    ) -> NewBulk:
        acceptance.due_at(asked.send_at, now)
        _refuse_unfit(worded(asked.text))
        named = acceptance.named_by(asked.key, self.new_key)
        return NewBulk(
            effect=acceptance.effect("bulk", holder, named),
            body=f"{asked.body}:{digest}",
            institution=holder.institution,
            live=holder.live,
            author=holder.person,
            name=asked.name,
            text=asked.text,
            klass=asked.klass,
            sender_id=sender_ids.chosen(holder, asked.sender_id, self.short_code),
            repeats=asked.repeats,
            source=source,
            total=total,
            accepted_at=now,
            send_at=asked.send_at,
        )


def _refuse_unfit(text: Worded) -> None:
    if found := of_worded(text):
        raise BulkRefused("text", found.code, found.sentence)
    try:
        split(text.filled(["-"] * len(text.names)))
    except TooLong:
        told = f"It takes more than {MOST_PARTS} parts."
        raise BulkRefused("text", "too_long", told) from None


def _peek(source: Source, file: IO[bytes], text: Worded) -> None:
    try:
        if source is Source.CSV:
            rows = [row for row, _ in zip(rows_of_text(lambda: _pieces(file)), range(_PEEKED))]  # noqa: B905
        else:
            rows = first_rows(file, _PEEKED)
        header = next((row for row in rows if any(map(str.strip, row))), None)
        if header is not None:
            columns(header, text.names)
    except Unreadable as trouble:
        raise BulkRefused("file", "unreadable", str(trouble)) from None
    except HeaderRefused as trouble:
        raise BulkRefused("file", trouble.code, str(trouble)) from None


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
