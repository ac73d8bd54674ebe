"""A code is asked for, its conditions are met one by one, the charter's three working days run,
and it is allotted, refused, or late."""

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.stores.world import SEAL, World
from ussdapp.core.acceptance import AnotherBody
from ussdapp.core.code_values import Held, Standing, refuse_collisions
from ussdapp.core.codes import (
    CONDITIONS,
    MOST_OPEN,
    Code,
    CodeKind,
    CodeRefused,
    CodeStatus,
    NewCode,
    NoSuchCode,
    NotNow,
)
from ussdapp.core.inbound import Institution
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.database import rows
from ussdapp.stores.holidays import PgHolidays
from ussdapp.usecases.escalate_codes import EscalateCodes

FRIDAY = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)
SENDER, KEYWORD = CodeKind.SENDER_ID, CodeKind.KEYWORD


@pytest.fixture
def codes(world: World) -> PgCodes:
    world.institutions.add([Institution("tra", "TRA", "TRA"), Institution("wcf", "WCF", "WCF")])
    return PgCodes(world.database, SEAL)


def ask(
    codes: PgCodes, value: str = "EGA", by: str = "ega", kind: CodeKind = SENDER, **more: object
) -> Code:
    given = {
        "effect": f"{by}:{value}", "body": value, "institution": by, "live": True, "kind": kind,
        "value": value, "purpose": "Bili", "by": "test",
        "url": "https://a.go.tz/x" if kind is KEYWORD else "",
        "secret": "siri" if kind is KEYWORD else "",
    }  # fmt: skip
    new = NewCode(**{**given, **more})  # type: ignore[arg-type]

    def check(held: Sequence[Held]) -> None:
        refuse_collisions(Held(new.kind, new.value, new.institution), Standing(held))

    return codes.request(new, check, FRIDAY)


def met(codes: PgCodes, code: Code, at: datetime = FRIDAY) -> Code:
    for name in CONDITIONS[code.kind]:
        code = codes.meet(code.id, name, "EGA/2026/1", "test", at)
    return code


def allotted(codes: PgCodes, code: Code) -> Code:
    return codes.decide(met(codes, code).id, CodeStatus.ALLOTTED, "", "test", FRIDAY)


def audited(world: World) -> list[str]:
    return [action for (action,) in world.database.run(
        lambda link: rows(link, "SELECT action FROM audit ORDER BY id"))]  # fmt: skip


def test_the_clock_runs_from_the_day_the_last_condition_is_met(codes: PgCodes) -> None:
    code = ask(codes)
    assert (code.status, code.due_at) == (CodeStatus.REQUESTED, None)
    for name in CONDITIONS[SENDER][:-1]:
        code = codes.meet(code.id, name, "", "test", FRIDAY - timedelta(days=10))
    assert (code.status, code.missing) == (CodeStatus.REQUESTED, CONDITIONS[SENDER][-1:])
    code = codes.meet(code.id, CONDITIONS[SENDER][-1], "", "test", FRIDAY)
    assert (code.status, code.missing) == (CodeStatus.CONDITIONS_MET, ())
    # Friday afternoon: the whole of Monday, Tuesday and Wednesday
    assert code.due_at == datetime(2026, 12, 2, 21, tzinfo=UTC)


def test_a_holiday_announced_while_it_runs_moves_the_clock(world: World, codes: PgCodes) -> None:
    code = met(codes, ask(codes))
    PgHolidays(world.database).change(date(2026, 12, 1), "Mapumziko", "test", FRIDAY)
    (moved,) = codes.of("ega")
    assert moved.due_at
    assert code.due_at
    assert moved.due_at - code.due_at == timedelta(days=1)
    assert audited(world)[-1] == "holiday.added"


def test_what_nobody_decides_in_time_is_late_and_said_once(world: World, codes: PgCodes) -> None:
    late, done = met(codes, ask(codes)), allotted(codes, ask(codes, "TRA1", "tra"))
    assert late.due_at
    assert codes.escalate(late.due_at - timedelta(seconds=1)) == []
    escalate = EscalateCodes(codes)
    with capture_logs() as logs:
        for _ in range(3):
            escalate(late.due_at)
    told = {"event": "code.late", "log_level": "error", "code": late.id, "kind": "sender_id"}
    assert logs == [{**told, "institution": "ega"}]
    now = {one.id: one for one in codes.of()}
    assert (now[late.id].late, now[late.id].standing) == (True, "late")
    assert not now[done.id].late
    assert audited(world).count("code.late") == 1
    # it can be allotted all the same, and stays known as late
    after = codes.decide(late.id, CodeStatus.ALLOTTED, "", "test", late.due_at)
    assert (after.standing, after.late) == ("allotted", True)


def test_nothing_is_allotted_before_its_conditions_are_met(codes: PgCodes) -> None:
    code = ask(codes)
    with pytest.raises(NotNow):
        codes.decide(code.id, CodeStatus.ALLOTTED, "", "test", FRIDAY)
    with pytest.raises(ValueError, match="its conditions are"):
        codes.meet(code.id, "tried", "", "test", FRIDAY)
    with pytest.raises(NoSuchCode):
        codes.meet(99, "letter", "", "test", FRIDAY)


def test_a_condition_noted_again_changes_nothing(world: World, codes: PgCodes) -> None:
    code = ask(codes)
    for day in range(3):
        codes.meet(code.id, "letter", "", "test", FRIDAY + timedelta(days=day))
    (only,) = codes.of()[0].conditions
    assert only.met_at == FRIDAY
    assert audited(world) == ["code.requested", "code.condition.letter"]


def test_what_is_refused_or_revoked_is_free_for_others(codes: PgCodes) -> None:
    refused = codes.decide(ask(codes).id, CodeStatus.REFUSED, "Barua haipo.", "test", FRIDAY)
    assert (refused.status, refused.reason) == (CodeStatus.REFUSED, "Barua haipo.")
    given = allotted(codes, ask(codes, "EGA", "tra"))
    with pytest.raises(CodeRefused):
        ask(codes, "eGA", "wcf")
    codes.decide(given.id, CodeStatus.REVOKED, "Imeisha.", "test", FRIDAY)
    assert ask(codes, "E-GA", "wcf").value == "E-GA"
    with pytest.raises(NotNow):
        codes.decide(given.id, CodeStatus.ALLOTTED, "", "test", FRIDAY)


def test_a_keyword_and_a_sender_id_may_be_the_same_word(codes: PgCodes) -> None:
    ask(codes, "WCF", "wcf")
    assert ask(codes, "WCF", "wcf", KEYWORD, effect="another").value == "WCF"


def test_the_same_key_is_the_same_request_and_another_body_is_refused(codes: PgCodes) -> None:
    first = ask(codes, effect="one", body="a")
    assert ask(codes, effect="one", body="a").id == first.id
    with pytest.raises(AnotherBody):
        ask(codes, effect="one", body="b")
    assert len(codes.of()) == 1


def test_of_many_who_ask_at_once_for_what_reads_alike_one_gets_it(codes: PgCodes) -> None:
    names = ["DAWASCO", "DAWASC0", "dawasco", "DAWA-SCO"] * 3
    got: list[str] = []

    def one(number: int, name: str) -> None:
        try:
            by = ("ega", "tra", "wcf")[number % 3]
            got.append(ask(codes, name, by, effect=f"{number}").value)
        except CodeRefused:
            pass

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [held.value for held in codes.of()] == got
    assert len(got) == 1


def test_postgresql_itself_keeps_two_from_one_reading(world: World, codes: PgCodes) -> None:
    ask(codes)
    with pytest.raises(Exception, match="code_forms_pkey"):
        codes.request(
            NewCode("x", "x", "tra", True, SENDER, "e-ga", "", "test"), lambda _: None, FRIDAY
        )
    assert len(codes.of()) == 1


def test_a_test_keys_request_is_in_nobodys_way_and_never_allotted(codes: PgCodes) -> None:
    test = ask(codes, live=False, effect="test")
    assert ask(codes, "EGA", "tra").value == "EGA"
    with pytest.raises(NoSuchCode):
        codes.meet(test.id, "letter", "", "test", FRIDAY)
    assert [one.live for one in codes.of("ega", live=False)] == [False]
    with pytest.raises(CodeRefused):
        ask(codes, live=False, effect="again")


def test_an_institution_has_so_many_requests_open_and_no_more(codes: PgCodes) -> None:
    for number in range(MOST_OPEN):
        ask(codes, f"{15300 + number}")
    with pytest.raises(CodeRefused) as refused:
        ask(codes, "15999")
    assert refused.value.code == "too_many"
    ask(codes, "15999", "tra")


def test_a_keywords_address_is_found_while_it_is_allotted(world: World, codes: PgCodes) -> None:
    code = ask(codes, "WCF", "wcf", KEYWORD)
    assert codes.handed("WCF") is None
    allotted(codes, code)
    assert codes.handed("WCF") == ("wcf", "https://a.go.tz/x", "siri")
    codes.decide(code.id, CodeStatus.REVOKED, "Imeisha.", "test", FRIDAY)
    assert codes.handed("WCF") is None
    kept = world.database.run(lambda link: rows(link, "SELECT codes::text FROM codes"))
    assert "siri" not in str(kept)
    assert "a.go.tz" not in str(kept)
