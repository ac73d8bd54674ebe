"""The one further copy of what is in doubt: by another route, or by a person's decision."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.home import run, smpp, written_home
from tests.stores.world import ASHA, NOON, SEAL, World, after, other_bound
from ussdapp.core.inbound import Receipt
from ussdapp.core.notification import Class
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Submitted
from ussdapp.stores.balance import balance
from ussdapp.stores.database import rows
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.resending import NotSettled, Settling


def doubted(world: World, klass: Class, at: datetime = NOON) -> int:
    """One that left and was not answered."""
    world.accept("one", klass, at=at)
    lease = world.lease()
    world.leases.renew(lease, at)
    (row,) = world.journal.claim(lease, 1, at)
    world.answered(lease, row, InDoubt("no_answer"), at)
    return row.id


def one(world: World, columns: str) -> tuple[object, ...]:
    query = f"SELECT {columns} FROM notifications"
    return tuple(world.database.run(lambda link: rows(link, query))[0])  # type: ignore[arg-type]


def test_an_urgent_one_whose_channel_is_down_is_resent_by_another(world: World) -> None:
    doubted(world, Class.URGENT)
    journal = PgJournal(world.database, SEAL, {"sandbox": "other"})
    with other_bound(world, 125) as lease:
        assert journal.settle(after(125)) == 1
        assert one(world, "channel, status") == ("other", "queued")
        (row,) = journal.claim(lease, 1, after(126))
        journal.record(lease, [(row, Submitted(("m2",)))], after(127))
    assert one(world, "status, copies") == ("submitted", 2)
    assert balance(world.database).holds


def test_an_urgent_one_whose_channel_is_up_is_resent_there(world: World) -> None:
    doubted(world, Class.URGENT)
    journal = PgJournal(world.database, SEAL, {"sandbox": "other"})
    world.leases.renew(world.lease(), after(120))
    with other_bound(world, 120):
        assert journal.settle(after(125)) == 1
    assert one(world, "channel") == ("sandbox",)


def test_the_receipt_of_the_first_copy_is_still_found_on_its_own_channel(world: World) -> None:
    doubted(world, Class.URGENT)
    journal = PgJournal(world.database, SEAL, {"sandbox": "other"})
    with other_bound(world, 125):
        assert journal.settle(after(125)) == 1
    receipt = Receipt("sandbox", "77", Status.DELIVERED, "", ASHA)
    world.receipts.keep([receipt], after(130))
    for seconds in (140, 200, 400):
        world.receipts.apply(after(seconds))
    assert one(world, "status") == ("delivered",)
    assert balance(world.database).holds


def test_that_receipt_is_not_taken_for_the_one_of_another_notification(world: World) -> None:
    """Both may be meant: neither is settled."""
    doubted(world, Class.URGENT)
    journal = PgJournal(world.database, SEAL, {"sandbox": "other"})
    with other_bound(world, 125) as lease:
        assert journal.settle(after(125)) == 1
        (row,) = journal.claim(lease, 1, after(126))
        journal.record(lease, [(row, Submitted(("m2",)))], after(127))
    world.accept("two", Class.TRANSACTION, text="Bili", at=after(1))
    (row,) = world.journal.claim(world.lease(), 1, after(2))
    world.answered(world.lease(), row, InDoubt("no_answer"), after(3))
    world.receipts.keep([Receipt("sandbox", "77", Status.DELIVERED, "", ASHA)], after(130))
    for seconds in (140, 200, 400):
        world.receipts.apply(after(seconds))
    assert world.statuses() == ["submitted", "in_doubt"]


def test_a_person_has_a_transaction_in_doubt_submitted_once_more(world: World) -> None:
    number = doubted(world, Class.TRANSACTION)
    settling = Settling(world.database)
    settling.resend(number, "halima", "the citizen has no bill", after(600))
    assert one(world, "status, detail") == ("queued", "resent_by_person")
    audit = "SELECT actor, action, subject FROM audit"
    assert world.database.run(lambda link: rows(link, audit)) == [
        ("halima", "notification.resent", f"{number}: the citizen has no bill")
    ]
    lease = world.lease()
    (row,) = world.journal.claim(lease, 1, after(601))
    world.answered(lease, row, InDoubt("no_answer"), after(602))
    with pytest.raises(NotSettled, match="never more"):
        settling.resend(number, "halima", "again", after(700))
    assert one(world, "copies") == (2,)
    assert balance(world.database).holds


def test_a_person_leaves_it_in_doubt_and_a_receipt_still_settles_it(world: World) -> None:
    number = doubted(world, Class.TRANSACTION)
    Settling(world.database).leave(number, "halima", "the citizen has paid", after(600))
    assert one(world, "status, detail") == ("in_doubt", "left_by_person")
    assert world.journal.settle(after(9000)) == 0


@pytest.mark.parametrize(
    ("klass", "says"),
    [(Class.BULK, "never"), (Class.URGENT, "by itself"), (Class.RECEIPT, "by itself")],
)
def test_of_the_other_classes_nobody_decides(world: World, klass: Class, says: str) -> None:
    number = doubted(world, klass)
    with pytest.raises(NotSettled, match=says):
        Settling(world.database).resend(number, "halima", "wanted", after(60))
    assert world.statuses() == ["in_doubt"]


def test_what_is_too_old_or_settled_is_not_submitted_again(world: World) -> None:
    number = doubted(world, Class.TRANSACTION)
    settling = Settling(world.database)
    with pytest.raises(NotSettled, match="time is over"):
        settling.resend(number, "halima", "late", after(3601))
    with pytest.raises(NotSettled, match="there is none"):
        settling.resend(number + 1, "halima", "wrong", after(60))
    settling.resend(number, "halima", "wanted", after(60))
    with pytest.raises(NotSettled, match="queued"):
        settling.resend(number, "halima", "twice", after(61))


def test_the_command_tells_what_it_did_or_why_not(
    world: World, database_url: str, tmp_path: Path
) -> None:
    number = doubted(world, Class.TRANSACTION, datetime.now(UTC))
    place = written_home(tmp_path, database_url, sandbox=smpp(1))
    decide = ("notifications", "settle", str(number), "--because", "no bill came", "--by", "halima")
    done = run(place, *decide, "--resend")
    assert (done.exit_code, done.output) == (0, f"notification {number} is queued again\n")
    done = run(place, *decide, "--leave")
    assert done.exit_code == 1
    assert "it is queued, and nothing is to be decided" in done.output
