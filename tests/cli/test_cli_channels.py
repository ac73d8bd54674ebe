"""Channels on the command line: how they stand, what is wrong with them, and ported numbers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.aggregator import (
    API_KEY,
    SECRET_KEY,
    Simulated,
    free_port,
    simulated_aggregator,
    simulated_beem,
)
from tests.fakes.home import run, smpp, written_home
from tests.fakes.smsc import ForkedSmsc
from tests.stores.world import ASHA, NOON, World
from ussdapp.core.msisdn import Msisdn
from ussdapp.sandbox.smsc_process import SmscProcess
from ussdapp.stores.database import rows
from ussdapp.stores.public_ids import PublicIds


@pytest.fixture(scope="module")
def smsc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmscProcess]:
    with ForkedSmsc(tmp_path_factory.mktemp("smsc") / "ledger.jsonl") as smsc:
        yield smsc


@pytest.fixture(scope="module")
def beem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated_beem(tmp_path_factory.mktemp("beem") / "ledger.jsonl") as beem:
        yield beem


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated_aggregator(tmp_path_factory.mktemp("at") / "ledger.jsonl") as at:
        yield at


NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def test_channels_are_listed_with_their_binds_and_what_waits(world: World, tmp_path: Path) -> None:
    world.accept_bulk("ega", 1, [f"n{n}" for n in range(25)], block=10)
    place = written_home(
        tmp_path, world.url, sandbox=smpp(1, binds=2, fallback="at"), at={"kind": "africastalking"}
    )
    listed = json.loads(run(place, "channels", "list", "--json").output)
    assert listed == [
        {"channel": "sandbox", "kind": "smpp", "binds": "0/2", "up": 0, "last_up": None,
         "share": None, "waiting": 25, "due": 25, "fallback": "at"},
        {"channel": "at", "kind": "africastalking", "binds": "0/1", "up": 0, "last_up": None,
         "share": None, "waiting": 0, "due": 0, "fallback": None},
    ]  # fmt: skip


def test_a_list_is_a_table_with_a_heading(world: World, tmp_path: Path) -> None:
    place = written_home(tmp_path, world.url, sandbox=smpp(1))
    heading, line = run(place, "channels", "list").output.splitlines()
    assert heading.split()[:4] == ["channel", "kind", "binds", "up"]
    assert line.split()[:4] == ["sandbox", "smpp", "0/1", "0"]


def test_what_waits_for_a_channel_that_is_gone_is_shown(world: World, tmp_path: Path) -> None:
    world.accept("one")
    place = written_home(tmp_path, world.url, other=smpp(1))
    listed = json.loads(run(place, "channels", "list", "--json").output)
    assert [(one["channel"], one["kind"], one["waiting"]) for one in listed] == [
        ("other", "smpp", 0),
        ("sandbox", None, 1),
    ]


def test_channels_that_are_well_are_told_to_be(
    tmp_path: Path, smsc: SmscProcess, beem: Simulated, at: Simulated
) -> None:
    keys = {"api_key": API_KEY, "secret_key": SECRET_KEY, "base_url": beem.base_url}
    account = {"api_key": API_KEY, "username": "ega", "base_url": at.base_url}
    place = written_home(
        tmp_path, NOWHERE,
        sandbox=smpp(smsc.port), beem={"kind": "beem", **keys},
        at={"kind": "africastalking", **account},
    )  # fmt: skip
    done = run(place, "channels", "probe", "--json")
    assert [(one["channel"], one["well"]) for one in json.loads(done.output)] == [
        ("sandbox", True), ("beem", True), ("at", True)
    ]  # fmt: skip
    assert done.exit_code == 0
    assert beem.lines() == at.lines() == smsc.accepted() == []


def test_what_is_wrong_is_one_sentence_each(tmp_path: Path, smsc: SmscProcess) -> None:
    place = written_home(
        tmp_path, NOWHERE,
        wrong=smpp(smsc.port), nobody=smpp(free_port()),
        lacking={"kind": "beem"}, strange={"kind": "pigeon"}, windy=smpp(1, window=-1),
    )  # fmt: skip
    smsc.control(set={"refuse_bind": 0x0E})
    done = run(place, "channels", "probe", "--json")
    smsc.control(set={"refuse_bind": 0})
    told = {one["channel"]: one["trouble"] for one in json.loads(done.output)}
    assert done.exit_code == 1
    assert told["wrong"] == "the password is refused (status 0xe)"
    assert "no connection was made" in told["nobody"]
    assert "api_key is missing" in told["lacking"]
    assert "kind must be one of" in told["strange"]
    assert "window" in told["windy"]


def test_one_channel_is_tried_by_its_name(tmp_path: Path, smsc: SmscProcess) -> None:
    place = written_home(tmp_path, NOWHERE, sandbox=smpp(smsc.port), other={"kind": "beem"})
    assert run(place, "channels", "probe", "sandbox").exit_code == 0
    done = run(place, "channels", "probe", "elsewhere")
    assert (done.exit_code, done.output) == (
        1,
        "Error: no channel is called elsewhere: there are sandbox, other\n",
    )


# --- ported numbers


def ported(place: Path, text: str | bytes) -> tuple[int, str]:
    path = place / "ported.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    done = run(place, "channels", "ported", str(path))
    return done.exit_code, done.output


def test_a_table_of_ported_numbers_routes_them(world: World, tmp_path: Path) -> None:
    place = written_home(tmp_path, world.url, sandbox=smpp(1), other=smpp(1))
    lines = [f"0754{n:06d},other" for n in range(6000)]
    code, said = ported(place, "\ufeffMSISDN,Channel\n" + "\n".join(lines))
    assert (code, said) == (0, "6000 numbers taken, 0 rows left out\n")
    world.accept("one", msisdn=Msisdn("255754005999"))
    world.accept("two", msisdn=Msisdn("255713000002"))
    query = "SELECT channel FROM notifications ORDER BY id"
    found = world.database.run(lambda link: rows(link, query))
    assert found == [("other",), ("sandbox",)]


def test_a_row_that_cannot_be_read_is_named_and_keeps_no_other_out(
    world: World, tmp_path: Path
) -> None:
    place = written_home(tmp_path, world.url, sandbox=smpp(1))
    rows_of_it = f"channel,msisdn\nsandbox,{ASHA.digits}\n\nsandbox,12\nnobody,{ASHA.digits}\n"
    code, said = ported(place, rows_of_it)
    assert code == 1
    assert said.splitlines()[-1] == "1 numbers taken, 2 rows left out"
    assert "row 4:" in said
    assert "row 5: no channel is called 'nobody'" in said
    assert ASHA.digits not in said


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "must name the columns"), ("a,b\n1,2\n", "must name the columns"),
     (b"\xff\xfem\x00s\x00", "no CSV in UTF-8")],
    ids=["empty", "other columns", "UTF-16"],
)  # fmt: skip
def test_what_is_no_such_table_is_refused(
    world: World, tmp_path: Path, text: str | bytes, told: str
) -> None:
    code, said = ported(written_home(tmp_path, world.url, sandbox=smpp(1)), text)
    assert code == 1
    assert told in said


# --- why


def test_a_notification_is_asked_for_by_either_of_its_ids(world: World, tmp_path: Path) -> None:
    world.accept("one", at=NOON)
    place = written_home(tmp_path, world.url, sandbox=smpp(1))
    shown = PublicIds(bytes(range(32, 64)), "notice").shown(1)
    first = run(place, "notifications", "why", "1")
    assert first.exit_code == 0
    assert first.output.startswith("queued since ")
    assert run(place, "notifications", "why", shown).output == first.output


@pytest.mark.parametrize("named", ["2", "0", "nobody", "9" * 30, "x" * 26])
def test_one_that_is_not_there_is_one_sentence(world: World, tmp_path: Path, named: str) -> None:
    done = run(written_home(tmp_path, world.url, sandbox=smpp(1)), "notifications", "why", named)
    assert (done.exit_code, done.output) == (1, f"Error: there is no notification {named}\n")
