"""However it was learnt that a citizen wants no texts, none is submitted; and the register says
how, when and of whom."""

import pytest

from tests.fakes.bulks import OTHER, TESTER, Office, recipients
from tests.stores.world import ASHA, JUMA, NOON, SEAL, World, after
from ussdapp.core.inbound import Institution, OptOut, Receipt
from ussdapp.core.keys import IssuedKey
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.opt_outs import OPTED_OUT, CitizensWord, Learnt, NoSuchOptOut, OptedOut
from ussdapp.core.status import Status
from ussdapp.ports import InDoubt, Rejected, Submission, Submitted
from ussdapp.stores.database import rows
from ussdapp.stores.opt_out_register import PgOptOutRegister
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.usecases.record_opt_out import RecordOptOut

EGA = OTHER
TRA = IssuedKey(9, "tra", True, frozenset())


def register(world: World) -> PgOptOutRegister:
    return PgOptOutRegister(world.database, SEAL, bytes(range(32)))


def seen(world: World, by: IssuedKey = EGA) -> tuple[OptedOut, ...]:
    return register(world).page(by, None, 100, None).opt_outs


def submitted(world: World, klass: Class, at: float = 10) -> list[Submission]:
    """What a notification to Asha comes to when it is claimed."""
    world.accept(f"{klass} {at}", klass, at=after(at))
    lease = world.lease(after(at))
    claimed = world.journal.claim(lease, 10, after(at))
    world.journal.record(lease, [(row, Submitted((f"{at}",))) for row in claimed], after(at))
    return claimed


def texted(world: World) -> None:
    """The institution sent Asha something by the API."""
    submitted(world, Class.URGENT)
    query = "UPDATE contents SET body_index = '' RETURNING 1"
    world.database.run(lambda link: rows(link, query))


def refused(world: World, code: str = OPTED_OUT, at: float = 1) -> None:
    """The operator refuses a notification to Asha with that code."""
    world.accept(f"refused {at}", Class.TRANSACTION, at=after(at))
    lease = world.lease(after(at))
    (row,) = world.journal.claim(lease, 10, after(at))
    world.journal.record(lease, [(row, Rejected(code))], after(at))


def receipted(world: World, code: str = OPTED_OUT) -> None:
    """The operator takes one, and says afterwards why it did not arrive."""
    world.submitted("77")
    receipt = Receipt("sandbox", "77", Status.UNDELIVERED, code, ASHA)
    world.receipts.keep([receipt], after(1))
    for second in (2, 3):
        world.receipts.apply(after(second))


def by_sms(world: World) -> None:
    world.opt_outs.opt_out(ASHA, "ega", after(1), Learnt.SMS)


def by_ussd(world: World) -> None:
    world.opt_outs.opt_out(ASHA, None, after(1), Learnt.USSD)


def by_callback(world: World) -> None:
    RecordOptOut(world.opt_outs)(OptOut("at", "15200", ASHA), after(1))


def by_institution(world: World) -> None:
    register(world).record(EGA, ASHA, NOON, after(1))


def by_person(world: World) -> None:
    world.opt_outs.opt_out(ASHA, "ega", after(1), Learnt.PERSON)


@pytest.mark.parametrize(
    ("learns", "how"),
    [(by_sms, "sms"), (by_ussd, "ussd"), (by_callback, "callback"), (refused, "refusal"),
     (receipted, "receipt"), (by_institution, "institution"), (by_person, "person")],
    ids=["ACHA", "menu 9-6", "the operator's callback", "its refusal", "its receipt",
         "an institution", "a person"],
)  # fmt: skip
def test_whatever_taught_it_nothing_but_urgent_and_answers_leave(world, learns, how) -> None:
    texted(world)
    learns(world)
    assert submitted(world, Class.TRANSACTION) == []
    assert submitted(world, Class.BULK, 11) == []
    assert len(submitted(world, Class.URGENT, 12)) == 1
    assert len(submitted(world, Class.RECEIPT, 13)) == 1
    (one,) = seen(world)
    assert (one.learnt, one.msisdn, one.until) == (Learnt(how), ASHA, None)
    assert [(change.out, change.learnt) for change in one.history] == [(True, Learnt(how))]


def test_any_other_refusal_teaches_nothing(world: World) -> None:
    refused(world, "ESME_RINVDSTADR")
    receipted(world, "UNDELIV 0B1")
    assert len(submitted(world, Class.TRANSACTION)) == 1
    assert seen(world) == ()


def test_a_refusal_is_learnt_also_while_an_earlier_copy_is_in_doubt(world: World) -> None:
    world.accept("doubted", Class.RECEIPT)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.journal.record(lease, [(row, InDoubt("no_answer"))], NOON)
    world.journal.settle(after(400))
    lease = world.lease(after(400))
    (again,) = world.journal.claim(lease, 10, after(400))
    world.journal.record(lease, [(again, Rejected(OPTED_OUT))], after(401))
    assert world.statuses() == ["in_doubt"]
    texted(world)
    assert [one.learnt for one in seen(world)] == [Learnt.REFUSAL]


def test_a_refusal_from_before_the_citizen_came_back_is_not_learnt(world: World) -> None:
    world.accept("first", Class.TRANSACTION)
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.opt_outs.opt_out(ASHA, None, after(1), Learnt.SMS)
    world.opt_outs.opt_in(ASHA, None, after(3), Learnt.SMS)
    world.journal.record(lease, [(row, Rejected(OPTED_OUT))], after(2))
    assert len(submitted(world, Class.TRANSACTION)) == 1
    refused(world, at=20)
    assert submitted(world, Class.TRANSACTION, 30) == []


def test_a_refusal_under_an_institutions_sender_id_concerns_it_alone(world: World) -> None:
    world.institutions.add([Institution("tra", "TRA", "TRA")])
    world.accept("first", Class.TRANSACTION)
    world.database.run(
        lambda link: (
            link.execute("""INSERT INTO codes (institution_id, effect, body_index, live, kind,
            value, purpose, status, requested_at) SELECT id, 'asked', '', true, 'sender_id',
            'eGA SMS', '', 'allotted', now() FROM institutions WHERE short_name = 'ega'""")
            and link.execute("UPDATE notifications SET sender_id = 'eGA SMS'")
            and None
        )
    )
    lease = world.lease()
    (row,) = world.journal.claim(lease, 10, NOON)
    world.journal.record(lease, [(row, Rejected(OPTED_OUT))], NOON)
    assert [one.institution for one in seen(world)] == ["ega"]
    assert seen(world, TRA) == ()
    assert world.opt_outs.whose("eGA SMS") == world.opt_outs.whose("EGA") == "ega"
    assert world.opt_outs.whose("15200") is None


def test_a_general_opt_out_is_shown_to_those_who_texted_the_citizen(world: World) -> None:
    world.institutions.add([Institution("tra", "TRA", "TRA")])
    world.opt_outs.opt_out(ASHA, None, NOON, Learnt.SMS)
    world.opt_outs.opt_out(JUMA, None, NOON, Learnt.SMS)
    submitted(world, Class.RECEIPT, 5)
    assert seen(world) == ()
    texted(world)
    assert [one.msisdn for one in seen(world)] == [ASHA]
    assert seen(world, TRA) == ()


def test_a_test_key_sees_simulated_msisdns_alone(world: World) -> None:
    simulated = Msisdn("255700000001")
    for msisdn in (ASHA, simulated):
        world.opt_outs.opt_out(msisdn, "ega", NOON, Learnt.SMS)
    assert [one.msisdn for one in seen(world, TESTER)] == [simulated]
    assert len(seen(world)) == 2


def test_an_institution_withdraws_what_it_recorded_itself_and_nothing_else(world: World) -> None:
    book = register(world)
    mine = book.record(EGA, ASHA, NOON, after(1))
    assert book.record(EGA, ASHA, NOON, after(2)) == mine
    ended = book.withdraw(EGA, mine.id, after(3))
    assert (ended.until, ended.history[-1].learnt) == (after(3), Learnt.INSTITUTION)
    assert book.withdraw(EGA, mine.id, after(4)) == ended
    assert len(submitted(world, Class.TRANSACTION)) == 1
    for holder in (TRA, TESTER):
        with pytest.raises(NoSuchOptOut):
            book.withdraw(holder, mine.id, after(5))


def test_what_the_citizen_says_as_well_is_no_longer_the_institutions_to_end(world: World) -> None:
    book = register(world)
    mine = book.record(EGA, ASHA, NOON, after(1))
    world.opt_outs.opt_out(ASHA, "ega", after(2), Learnt.SMS)
    book.record(EGA, ASHA, NOON, after(3))
    with pytest.raises(CitizensWord):
        book.withdraw(EGA, mine.id, after(4))
    (one,) = seen(world)
    assert one.learnt is Learnt.SMS
    assert [change.learnt for change in one.history] == [Learnt.INSTITUTION, Learnt.SMS]
    world.opt_outs.opt_in(ASHA, "ega", after(5), Learnt.USSD)
    (one,) = seen(world)
    assert one.history[-1] == one.history[-1].__class__(after(5), False, Learnt.USSD)


def test_what_a_parked_receipt_told_of_is_a_change_of_when_it_is_settled(world: World) -> None:
    early = Receipt("sandbox", "77", Status.UNDELIVERED, OPTED_OUT, ASHA)
    world.receipts.keep([early], after(1))
    world.submitted("77")
    world.receipts.apply(after(3600))
    query = "SELECT from_at, changed_at FROM opt_outs"
    told = world.database.run(lambda link: rows(link, query))
    assert told == [(after(1), after(3600))]


def test_pages_hold_each_opt_out_once_in_the_order_of_change(world: World) -> None:
    book = register(world)
    msisdns = [Msisdn(f"2557540000{n:02}") for n in range(25)]
    for place, msisdn in enumerate(msisdns):
        world.opt_outs.opt_out(msisdn, "ega", after(place // 3), Learnt.SMS)
    world.opt_outs.opt_in(msisdns[0], "ega", after(100), Learnt.SMS)
    found, cursor = [], None
    while True:
        page = book.page(EGA, cursor, 4, None)
        found += [one.msisdn for one in page.opt_outs]
        if page.next is None:
            break
        cursor = page.next
    assert found == [*msisdns[1:], msisdns[0]]
    late = book.page(EGA, None, 4, after(50)).opt_outs
    assert [one.msisdn for one in late] == [msisdns[0]]


def test_what_was_opted_out_of_before_msisdns_were_kept_is_named_where_it_was_texted(
    world: World,
) -> None:
    world.opt_outs.opt_out(ASHA, "ega", NOON, Learnt.SMS)
    world.database.run(
        lambda link: rows(
            link,
            """WITH g AS (DELETE FROM opt_out_grounds)
            UPDATE opt_outs SET msisdn_sealed = NULL, learnt = NULL RETURNING 1""",
        )
    )
    (one,) = seen(world)
    assert (one.msisdn, one.learnt, len(one.history)) == (None, None, 1)
    texted(world)
    (one,) = seen(world)
    assert one.msisdn == ASHA


def test_a_refused_row_of_a_bulk_is_learnt_and_named(office: Office) -> None:
    office.send(recipients(2))
    office.work()
    lease = office.leases.take("sandbox", 1, NOON)
    assert lease
    claimed = office.journal.claim(lease, 10, NOON)
    office.journal.record(lease, [(row, Rejected(OPTED_OUT)) for row in claimed], NOON)
    page = PgOptOutRegister(office.database, SEAL, bytes(32)).page(EGA, None, 9, None)
    assert {one.msisdn for one in page.opt_outs} == {row.msisdn for row in claimed}


def test_what_a_person_changes_is_audited_and_what_the_citizen_says_is_their_own(
    world: World,
) -> None:
    store = PgOptOuts(world.database, SEAL)
    store.opt_out(ASHA, "ega", NOON, Learnt.SMS)
    store.opt_in(ASHA, None, after(1), Learnt.PERSON)
    store.opt_out(ASHA, None, after(2), Learnt.PERSON)
    query = "SELECT actor, action FROM audit ORDER BY at"
    assert world.database.run(lambda link: rows(link, query)) == [
        ("command line", "opt_out.ended"),
        ("command line", "opt_out.recorded"),
    ]
