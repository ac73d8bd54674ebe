"""What was accepted as a bulk is checked row by row, becomes notifications, and is queued when all
of it is checked: a chunk at a time, each committed with the progress."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Any, Final, Protocol

import structlog

from ussdapp.core import gsm7
from ussdapp.core.bulk import (
    MOST_ROWS,
    BulkStatus,
    Checking,
    Chunk,
    Overtaken,
    Refusal,
    Rejection,
    Row,
    Source,
    Unworded,
)
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.placeholders import worded
from ussdapp.core.recipients import Came, HeaderRefused, RowCheck, Texts, chunk, columns
from ussdapp.core.routing import Routes
from ussdapp.core.simulated import SIMULATED
from ussdapp.ports import Doorbells, Languages, Unavailable
from ussdapp.wire.tables import Unreadable, rows_of_text
from ussdapp.wire.workbooks import rows_of_workbook

_CHUNK: Final = 8000  # rows that are committed at once
_AT_ONCE: Final = 8  # bulks between which the work is shared
_BLOCKS: Final = 20  # of a thousand rows that are queued at once
_MOST_TRIES: Final = 20  # to check what ends the process each time
_UNCHECKED: Final = Refusal("unchecked", "It could not be checked.")
_Checked = Iterator[tuple[int, Came | None]]

log = structlog.get_logger()


class BulkRows(Protocol):
    """The bulks to be checked, for one process. All raise Unavailable."""

    def claim(self, but: list[int]) -> Checking | None:
        """A bulk that no process checks; this one does until `give_back`."""
        ...

    def give_back(self, number: int) -> None: ...

    def keep(self, bulk: Checking, chunk: Chunk) -> None:
        """Commits what came of some rows, with the progress; by itself, or at the latest with the
        next call for that bulk, which raises its trouble, or Overtaken."""
        ...

    def checked(self, bulk: Checking, refusal: Refusal | None, now: datetime) -> BulkStatus:
        """All of it is checked, or it was refused as a whole."""
        ...

    def release(self, now: datetime, most: int) -> frozenset[str] | None:
        """Queues some of what is held of a bulk that may be sent; the channels of what is due
        now, None when there is nothing to queue."""
        ...

    def end_stopped(self, now: datetime) -> bool:
        """Ends some rows of stopped bulks; False when there is none."""
        ...


class BulkBlocks(Protocol):
    """What waits to be checked, as it was accepted. All raise Unavailable."""

    def recipients(self, number: int, after: int) -> Iterator[Any]:
        """The recipients of a bulk after so many."""
        ...

    def pieces(self, number: int) -> Iterator[bytes]:
        """Its file, from beginning to end."""
        ...

    def file(self, number: int) -> IO[bytes]:
        """Its file, to be sought in."""
        ...


@dataclass(slots=True)
class _Open:
    bulk: Checking
    check: RowCheck
    checked: _Checked


@dataclass(frozen=True, slots=True)
class ImportBulk:
    """Bulks are checked in turn, so that a large one keeps no small one waiting."""

    rows: BulkRows
    blocks: BulkBlocks
    doorbells: Doorbells
    routes: Routes
    read_msisdn: Callable[[str], Msisdn]
    languages: Languages
    _open: list[_Open] = field(default_factory=list)

    def __call__(self, now: datetime) -> bool:
        """One step of each kind of work; False when there was none. Raises Unavailable."""
        try:
            steps = (self._release(now), self.rows.end_stopped(now), self._check(now))
        except Unavailable:
            self.give_back()
            raise
        return any(steps)

    def give_back(self) -> None:
        """Lets other processes go on with what this one checks."""
        while self._open:
            number = self._open.pop().bulk.id
            try:
                self.rows.give_back(number)
            except Unavailable:
                log.warning("bulk.ungiven", bulk=number)  # the lock ends with the connection

    def _release(self, now: datetime) -> bool:
        channels = self.rows.release(now, _BLOCKS)
        for channel in channels or ():
            self.doorbells.ring(channel)
        return channels is not None

    def _check(self, now: datetime) -> bool:
        if len(self._open) < _AT_ONCE:
            bulk = self.rows.claim([one.bulk.id for one in self._open])
            if bulk is not None:
                check = self._check_of(bulk)
                self._open.append(_Open(bulk, check, self._rows(bulk, check)))
        if not self._open:
            return False
        one = self._open.pop(0)
        try:
            if self._step(one, now):
                self._open.append(one)
                return True
        except Overtaken:
            log.info("bulk.overtaken", bulk=one.bulk.id)
        self.rows.give_back(one.bulk.id)
        return True

    def _step(self, one: _Open, now: datetime) -> bool:
        """One chunk; False when there is no further one."""
        bulk = one.bulk
        if bulk.tries >= _MOST_TRIES:
            self._end(bulk, _UNCHECKED, now)
            return False
        try:
            came = chunk(bulk.read, self._worded(one, islice(one.checked, _CHUNK)))
        except Unreadable as refused:
            self._end(bulk, Refusal("unreadable", str(refused)), now)
            return False
        except HeaderRefused as refused:
            self._end(bulk, Refusal(refused.code, str(refused)), now)
            return False
        if came.end == bulk.read:
            self._end(bulk, None, now)
            return False
        self.rows.keep(bulk, came)
        one.bulk = bulk.after(came.end)
        return True

    def _end(self, bulk: Checking, refusal: Refusal | None, now: datetime) -> None:
        status = self.rows.checked(bulk, refusal, now)
        log.info("bulk.checked", bulk=bulk.id, status=status.value, whole=not refusal)

    def _check_of(self, bulk: Checking) -> RowCheck:
        en = None if bulk.text_en is None else worded(bulk.text_en)
        texts = Texts(worded(bulk.text), en, gsm7.plain if bulk.plain_text else None)
        channel = _Hints(self.routes) if bulk.live else _simulated
        return RowCheck(texts, self.read_msisdn, channel)

    def _worded(
        self, one: _Open, checked: _Checked
    ) -> Iterable[tuple[int, Row | list[Rejection] | None]]:
        """The rows with their texts: who chose English is asked once for all of them."""
        rows = list(checked)
        waiting = [came.msisdn for _, came in rows if isinstance(came, Unworded)]
        english = self.languages.speaking("en", waiting) if waiting else ()
        for number, came in rows:
            if isinstance(came, Unworded):
                yield number, one.check.worded(came, english=came.msisdn in english)
            else:
                yield number, came

    def _rows(self, bulk: Checking, check: RowCheck) -> _Checked:
        if bulk.source is Source.RECIPIENTS:
            given = self.blocks.recipients(bulk.id, bulk.read)
            return ((n, check.recipient(n, one)) for n, one in enumerate(given, bulk.read + 1))
        return self._table(bulk, check)

    def _table(self, bulk: Checking, check: RowCheck) -> _Checked:
        """The rows of a file, numbered as a spreadsheet shows them: its first row is 1."""
        if bulk.source is Source.CSV:
            table = rows_of_text(lambda: self.blocks.pieces(bulk.id))
        else:
            table = rows_of_workbook(self.blocks.file(bulk.id))
        numbered = enumerate(table, 1)
        header = next((cells for _, cells in numbered if any(map(str.strip, cells))), None)
        if header is None:
            raise Unreadable("The file is empty.")
        at = columns(header, check.names)
        for number, cells in numbered:
            if number > MOST_ROWS + 1:
                raise Unreadable(f"The file has more than {MOST_ROWS} rows.")
            if number > bulk.read:
                yield number, check.row(number, cells, at) if any(cells) else None


def _simulated(_msisdn: Msisdn) -> str:
    return SIMULATED


class _Hints:
    """What Routes.channel says, by looking prefixes up: a million times, it shows."""

    def __init__(self, routes: Routes) -> None:
        self._channels: dict[str, str] = {}
        for route in routes.rules:
            self._channels.setdefault(route.prefix, route.channel)
        self._lengths = sorted({len(prefix) for prefix in self._channels}, reverse=True)

    def __call__(self, msisdn: Msisdn) -> str:
        digits, channels = msisdn.digits, self._channels
        for length in self._lengths:
            if digits[:length] in channels:
                return channels[digits[:length]]
        raise LookupError("no channel has a route for this MSISDN: give one channel a route")
