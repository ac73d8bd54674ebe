"""An institution sends a bulk: committed as it came, to be checked by the importing worker."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final, NamedTuple, Protocol

from ussdapp.core import acceptance, gsm7, sender_ids
from ussdapp.core.bulk import AskedBulk, BulkRefused, NewBulk, Source
from ussdapp.core.keys import IssuedKey
from ussdapp.core.parts import MOST_PARTS, TooLong, split
from ussdapp.core.phishing import of_worded
from ussdapp.core.placeholders import Worded, partly, worded
from ussdapp.core.recipients import HeaderRefused, columns
from ussdapp.ports import Templates
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
    BulkRefused, NoSuchTemplate, SenderIdRefused, TooFarAhead, AnotherBody, Unavailable."""

    bulks: Bulks
    templates: Templates
    short_code: str
    new_key: Callable[[], str]

    def recipients(
        self, holder: IssuedKey, asked: AskedBulk, recipients: Sequence[Any], now: datetime
    ) -> int:
        """A bulk whose recipients came with it, whatever they are: they are checked later."""
        wording = self._worded(holder, asked)
        given = _Given(Source.RECIPIENTS, len(recipients))
        new = self._new(holder, asked, wording, given, now)
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
        wording = self._worded(holder, asked)
        _peek(source, file, worded(wording.text))
        file.seek(0)
        digest = hashlib.sha256()
        for piece in _pieces(file):
            digest.update(piece)
        file.seek(0)
        new = self._new(holder, asked, wording, _Given(source, 0, digest.hexdigest()), now)
        return self.bulks.accept_file(new, file)

    def _new(
        self,
        holder: IssuedKey,
        asked: AskedBulk,
        wording: "_Wording",
        given: "_Given",
        now: datetime,
    ) -> NewBulk:
        acceptance.due_at(asked.send_at, now)
        named = acceptance.named_by(asked.key, self.new_key)
        return NewBulk(
            effect=acceptance.effect("bulk", holder.institution, named, live=holder.live),
            body=f"{asked.body}:{given.digest}",
            institution=holder.institution,
            live=holder.live,
            author=holder.person,
            name=asked.name,
            text=wording.text,
            klass=asked.klass,
            sender_id=sender_ids.chosen(holder, asked.sender_id, self.short_code),
            repeats=asked.repeats,
            source=given.source,
            total=given.total,
            accepted_at=now,
            send_at=asked.send_at,
            text_en=wording.text_en,
            template=wording.template,
        )

    def _worded(self, holder: IssuedKey, asked: AskedBulk) -> "_Wording":
        spell = gsm7.plain if holder.plain_text else str
        use = asked.template
        if use is None:
            text = spell(asked.text)
            _refuse_unfit("text", worded(text))
            return _Wording(text)
        template = self.templates.found(holder.institution, use.name, use.version)
        sw, en = (spell(partly(text, use.values)) for text in (template.sw, template.en))
        for text in (sw, en):
            _refuse_unfit("values", worded(text))
        return _Wording(sw, en, template.reference)


class _Wording(NamedTuple):
    """What it is written with: as NewBulk says."""

    text: str
    text_en: str | None = None
    template: str | None = None


class _Given(NamedTuple):
    """How its recipients came, and how many they are, 0 while nobody knows."""

    source: Source
    total: int
    digest: str = ""


def _refuse_unfit(field: str, text: Worded) -> None:
    if found := of_worded(text):
        raise BulkRefused(field, found.code, found.sentence)
    try:
        split(text.least)
    except TooLong:
        told = f"It takes more than {MOST_PARTS} parts."
        raise BulkRefused(field, "too_long", told) from None


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
