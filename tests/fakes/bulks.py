"""What the tests of bulks begin with: an institution, its keys, and an importing worker by hand."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ussdapp.core.bulk import AskedBulk, BulkView
from ussdapp.core.inbound import Institution
from ussdapp.core.keys import IssuedKey
from ussdapp.core.notification import Class
from ussdapp.core.routing import Route, Routes
from ussdapp.core.simulated import ROUTES
from ussdapp.stores.balance import balance
from ussdapp.stores.bulk_blocks import PgBulkBlocks
from ussdapp.stores.bulk_counts import BulkCounts
from ussdapp.stores.bulk_rows import PgBulkRows
from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.dialogues import PgDialogues
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.packs import Packs
from ussdapp.stores.seal import Seal
from ussdapp.stores.templates import PgTemplates
from ussdapp.usecases.accept_bulk import AcceptBulk
from ussdapp.usecases.import_bulk import ImportBulk
from ussdapp.usecases.stop_bulk import StopBulk
from ussdapp.wire.numbering import read_msisdn

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SEAL = Seal(bytes(range(32)), bytes(range(32, 64)))
AUTHOR = IssuedKey(1, "ega", True, frozenset())
OTHER = IssuedKey(2, "ega", True, frozenset())
TESTER = IssuedKey(3, "ega", False, frozenset())
TEXT_ASKED = "Ndugu ((jina)), bili yako ni TZS ((kiasi))."


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def asked(**changes: Any) -> AskedBulk:
    usual = {
        "name": "Bili", "text": TEXT_ASKED, "klass": Class.BULK, "key": None, "body": "",
    }  # fmt: skip
    return AskedBulk(**(usual | changes))


def recipients(count: int, first: int = 255_754_000_000) -> list[dict[str, str]]:
    return [{"to": str(first + n), "jina": f"Asha {n}", "kiasi": str(n)} for n in range(count)]


@dataclass
class Bells:
    rung: list[str] = field(default_factory=list)

    def ring(self, channel: str) -> None:
        self.rung.append(channel)


@dataclass
class Office:
    """One database with the institution `ega`, and every part of bulks on it."""

    database: Database
    url: str
    channels: Mapping[str, str] = field(default_factory=lambda: {"": "sandbox"})

    def __post_init__(self) -> None:
        PgInstitutions(self.database).add([Institution("ega", "Mamlaka", "e-GA", "tehama")])
        self.ask("UPDATE institutions SET approval_above = 2000000 RETURNING 1")
        routes = Routes.ordered([*ROUTES, *(Route(p, name) for p, name in self.channels.items())])
        self.bells = Bells()
        self.bulks = PgBulks(self.database, SEAL)
        self.templates = PgTemplates(self.database)
        self.dialogues = PgDialogues(self.database, SEAL)
        self.rows = PgBulkRows(self.database, SEAL, self.url)
        self.keys = iter(range(1_000_000))
        self.accept = AcceptBulk(self.bulks, self.templates, "15200", lambda: str(next(self.keys)))
        self.stop = StopBulk(self.bulks, lambda _: None)
        self.importing = ImportBulk(
            self.rows,
            PgBulkBlocks(self.database, SEAL),
            self.bells,
            routes,
            read_msisdn,
            self.dialogues,
        )
        self.tick = 0.0
        self.counts = BulkCounts(self.database, lambda: self.tick)
        self.journal = PgJournal(self.database, SEAL)
        self.leases = PgLeases(self.database, self.url)

    def close(self) -> None:
        self.importing.give_back()
        self.rows.close()
        self.leases.release()

    def file(self, octets: bytes, name: str = "rows.csv", **changes: Any) -> int:
        return self.accept.file(AUTHOR, asked(**changes), name, io.BytesIO(octets), NOON)

    def send(self, given: Sequence[Any], now: datetime = NOON, **changes: Any) -> int:
        return self.accept.recipients(AUTHOR, asked(**changes), given, now)

    def work(self, now: datetime = NOON) -> None:
        """All there is to do."""
        while self.importing(now):
            pass

    def view(self, number: int) -> BulkView:
        return self.bulks.view("ega", number)

    def rejected(self, number: int) -> list[tuple[int, str, str]]:
        return [(row, name, code) for row, name, code, _ in self.bulks.rejections("ega", number)]

    def sent(self, number: int) -> list[tuple[int, str, str]]:
        """Row, MSISDN and text of every notification of the bulk."""
        query = "SELECT row_no, id, pack_id FROM notifications WHERE bulk_id = %s ORDER BY row_no"

        def work(link: Connection) -> list[tuple[int, str, str]]:
            found = rows(link, query, (number,))
            packs = Packs(SEAL).opened(link.cursor(binary=True), {row[2] for row in found})
            return [
                (row, to.digits, text)
                for row, (to, text) in ((row, packs[pack][one]) for row, one, pack in found)
            ]

        return self.database.run(work)

    def ask(self, query: Any, *values: Any) -> list[Any]:
        return self.database.run(lambda link: rows(link, query, values))

    def holds(self) -> bool:
        return balance(self.database).holds

    def until(self, true: Callable[[], bool], now: datetime = NOON) -> None:
        for _ in range(1000):
            if true():
                return
            self.importing(now)
        raise AssertionError("it does not come")
