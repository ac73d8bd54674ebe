"""What the store tests begin with: keys, an institution, and short ways to accept and claim."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ussdapp.core.case import Kind, NewCase, Visibility
from ussdapp.core.inbound import Institution, Lease, Receipt
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class, Notification
from ussdapp.core.parts import split
from ussdapp.core.reference import Reference
from ussdapp.core.routing import Route, Routes
from ussdapp.core.status import Status
from ussdapp.core.texts import Texts
from ussdapp.ports import Outcome, Submission, Submitted
from ussdapp.stores.cases import PgCases
from ussdapp.stores.database import Connection, Database, rows
from ussdapp.stores.holders import myself
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.notifications import MSISDN, TEXT, PgNotifications
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.stores.queue import Flow, enqueue
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.seal import Seal

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ASHA = Msisdn("255754000001")
JUMA = Msisdn("255713000002")
SEAL = Seal(bytes(range(32)), bytes(range(32, 64)))
LETTERS = Letters(
    Texts({"case_answer": {"sw": "{taasisi} kuhusu {kumbukumbu}: {jibu}"}}),
    Routes((Route("", "sandbox"),)),
    "15200",
    "*152*00#",
)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@contextmanager
def other_bound(world: "World", at: float) -> Iterator[Lease]:
    """A second channel, with its bind up."""
    leases = PgLeases(world.database, world.url)
    lease = leases.take("other", 1, after(at))
    assert lease
    assert leases.renew(lease, after(at))
    yield lease
    leases.release()


@dataclass
class World:
    """One fresh database and every store on it."""

    database: Database
    url: str

    def __post_init__(self) -> None:
        self.institutions = PgInstitutions(self.database)
        self.institutions.add([Institution("ega", "Mamlaka ya Serikali Mtandao", "e-GA", "tehama")])
        self.notifications = PgNotifications(self.database, SEAL)
        self.cases = PgCases(self.database, SEAL)
        self.journal = PgJournal(self.database, SEAL)
        self.receipts = PgReceipts(self.database, SEAL)
        self.opt_outs = PgOptOuts(self.database, SEAL)
        self.leases = PgLeases(self.database, self.url)
        self.held: Lease | None = None

    def lease(self, at: datetime = NOON) -> Lease:
        if self.held is None or not self.leases.renew(self.held, at):
            self.held = self.leases.take("sandbox", 1, at)
        assert self.held
        return self.held

    def accept(
        self,
        effect: str,
        klass: Class = Class.RECEIPT,
        msisdn: Msisdn = ASHA,
        text: str = "Habari",
        at: datetime = NOON,
    ) -> None:
        parts = split(text)
        assert self.notifications.accept(
            Notification(
                effect=effect,
                institution="ega",
                msisdn=msisdn,
                text=text,
                klass=klass,
                sender_id="15200",
                channel="sandbox",
                encoding=parts.encoding,
                parts=len(parts),
                accepted_at=at,
                expires_at=at + timedelta(hours=1),
            )
        )

    def accept_bulk(
        self,
        institution: str,
        bulk: int,
        texts: list[str],
        block: int = 1000,
        msisdn: Msisdn | None = None,
        lives: int = 1,
    ) -> None:
        """Bulk notifications, queued in blocks of so many."""

        def work(link: Connection) -> None:
            ids = []
            for text in texts:
                to = msisdn or Msisdn(f"2557540{secrets.randbelow(100_000):05d}")
                row = link.execute(
                    """INSERT INTO notifications (institution_id, effect, class, rank, channel,
                        msisdn_index, text_index, sender_id, encoding, parts, automatic, status,
                        status_at, accepted_at, due_at, expires_at, crowded)
                    SELECT id, %s, 'bulk', 3, 'sandbox', %s, %s, '15200', 'gsm7', 1, false,
                        'queued', %s, %s, %s, %s, %s FROM institutions WHERE short_name = %s
                    RETURNING id, institution_id""",
                    (secrets.token_hex(8), SEAL.index(to), SEAL.content_index(text), NOON, NOON,
                     NOON, after(3600 * lives), msisdn is not None, institution),
                ).fetchone()  # fmt: skip
                assert row
                sealed = (SEAL.close_text(to.digits, MSISDN), SEAL.close_text(text, TEXT))
                link.execute("INSERT INTO contents VALUES (%s, %s, %s)", (row[0], *sealed))
                ids.append(row[0])
            for start in range(0, len(ids), block):
                enqueue(link, Flow("sandbox", 3, row[1], bulk), ids[start : start + block], NOON)

        self.database.run(work)

    def unheard(self, seconds: float) -> None:
        """No holder of a lease was heard of for so long."""
        query = "UPDATE leases SET renewed_at = renewed_at - make_interval(secs => %s)"
        self.database.run(lambda link: link.execute(query, (seconds,)) and None)

    def died(self) -> None:
        """The process that holds the leases has ended, as far as others can see."""
        self.leases.release()
        query = "UPDATE leases SET holder = %s"
        ended = myself().rsplit(" ", 1)[0] + " 1"
        self.database.run(lambda link: link.execute(query, (ended,)) and None)

    def submitted(self, *message_ids: str, text: str = "Habari") -> Submission:
        """One notification, accepted, claimed and taken by the operator under those ids."""
        self.accept(f"effect {message_ids}", text=text)
        lease = self.lease()
        (row,) = self.journal.claim(lease, 10, NOON)
        self.journal.record(lease, [(row, Submitted(message_ids))], NOON)
        return row

    def answered(
        self, lease: Lease, row: Submission, outcome: Outcome, at: datetime = NOON
    ) -> None:
        self.journal.record(lease, [(row, outcome)], at)

    def receipt(
        self, message_id: str, status: Status, at: float = 1, msisdn: Msisdn = ASHA
    ) -> None:
        receipt = Receipt("sandbox", message_id, status, "", msisdn)
        self.receipts.keep([receipt], after(at))
        self.receipts.apply(after(at))

    def statuses(self) -> list[str]:
        query = "SELECT stands FROM notifications_now ORDER BY id"
        return [row[0] for row in self.database.run(lambda link: rows(link, query))]

    def case(
        self, effect: str, number: int = 1, visibility: Visibility = Visibility.NAMED
    ) -> NewCase:
        return NewCase(
            effect=effect,
            reference=Reference.numbered(number),
            institution="ega",
            kind=Kind.COMPLAINT,
            visibility=visibility,
            words="Barua pepe haifunguki",
            msisdn=ASHA,
            language="sw",
            medium="ussd",
            received_at=NOON,
        )
