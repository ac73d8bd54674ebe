"""Sending through Beem Africa, against a simulated one that runs as a process of its own."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fakes.aggregator import API_KEY, SECRET_KEY, Simulated, free_port, simulated_beem
from tests.fakes.patience import PATIENCE
from tests.stores.world import NOON
from ussdapp.channels.beem import BeemCallbacks
from ussdapp.channels.beem.reports import DUE, Asked, AskingReports
from ussdapp.channels.beem.sending import BeemSending, build, probe
from ussdapp.core.inbound import Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.status import Status
from ussdapp.ports import (
    Awaited,
    Deferred,
    InDoubt,
    Outcome,
    Rejected,
    Submission,
    Submitted,
    Unavailable,
)
from ussdapp.wire.http import WireRequest
from ussdapp.wire.http_sending import LONG, SOON, WINDOW


def row(number: int, text: str = "Habari", sender_id: str = "EGA") -> Submission:
    return Submission(number, 1, Msisdn(f"255754{number:06d}"), text, sender_id)


def options(base_url: str, **more: object) -> dict[str, object]:
    keys = {"api_key": API_KEY, "secret_key": SECRET_KEY}
    return {**keys, "base_url": base_url, "reports_url": base_url, **more}


def sending(base_url: str, **more: object) -> BeemSending:
    return build("beem", options(base_url, **more))


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated_beem(tmp_path_factory.mktemp("beem") / "ledger.jsonl") as simulated:
        yield simulated


@pytest.fixture
def simulated(process: Simulated) -> Simulated:
    process.turn()
    return process


def one(simulated: Simulated, text: str = "Habari") -> Outcome:
    (outcome,) = sending(simulated.base_url).submit([row(1, text)])
    return outcome


def test_rows_of_one_text_share_a_request_and_each_has_its_own_id(simulated: Simulated) -> None:
    before = len(simulated.lines())
    outcomes = sending(simulated.base_url).submit([row(number) for number in range(3)])
    lines = simulated.lines()[before:]
    assert [line["destination"] for line in lines] == [f"25575400000{n}" for n in range(3)]
    assert outcomes == [Submitted((line["message_id"],)) for line in lines]
    assert {line["message_id"].split(".")[0] for line in lines} == {
        lines[0]["message_id"].split(".")[0]
    }


def test_no_request_has_more_than_fifty_rows_or_two_texts(simulated: Simulated) -> None:
    before = len(simulated.lines())
    rows = [row(n, f"Text {n % 2}") for n in range(2 * WINDOW + 10)]
    outcomes = sending(simulated.base_url).submit(rows)
    requests: dict[str, list[str]] = {}
    for line in simulated.lines()[before:]:
        requests.setdefault(line["message_id"].split(".")[0], []).append(line["text"])
    assert sorted(map(len, requests.values())) == [5, 5, 50, 50]
    assert all(len(set(texts)) == 1 for texts in requests.values())
    told = {line["message_id"]: line["destination"] for line in simulated.lines()}
    for submission, outcome in zip(rows, outcomes, strict=True):
        assert isinstance(outcome, Submitted)
        assert told[outcome.message_ids[0]] == submission.msisdn.digits


def test_an_msisdn_that_is_twice_in_a_window_gets_two_texts(simulated: Simulated) -> None:
    outcomes = sending(simulated.base_url).submit([row(1), row(1), row(2)])
    assert len({o.message_ids for o in outcomes if isinstance(o, Submitted)}) == 3


@pytest.mark.parametrize(
    ("text", "encoding"), [("Habari @ €", 0), ("Habari 😀", 8)], ids=["GSM-7", "UCS-2"]
)
def test_the_encoding_is_what_the_text_needs(
    simulated: Simulated, text: str, encoding: int
) -> None:
    # the simulated one takes plain ASCII in encoding 0 and refuses the euro sign
    outcome = one(simulated, text)
    if encoding == 8:
        assert isinstance(outcome, Submitted)
        assert simulated.lines()[-1]["encoding"] == 8
    else:
        assert outcome == Rejected("UnsupportedCharacters")


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "within data"])
@pytest.mark.parametrize("status", [200, 400], ids=str)
def test_each_code_has_its_verdict_whatever_the_http_status(
    simulated: Simulated, status: int, wrapped: bool
) -> None:
    verdicts = {
        101: Rejected("InvalidPhoneNumber"),
        102: Deferred("InsufficientBalance", LONG),
        103: InDoubt("NetworkTimeout"),
        106: Deferred("NoRoute", 300.0, counts=True),
        111: Rejected("InvalidSenderId"),
        120: Deferred("InvalidAuthentication", LONG),
    }
    for code, verdict in verdicts.items():
        simulated.turn(code=code, status=status, wrapped=wrapped)
        assert one(simulated) == verdict


def test_a_code_that_no_table_has_is_never_a_success(simulated: Simulated) -> None:
    simulated.turn(code=999)
    assert one(simulated) == InDoubt("code_999")


def test_one_bad_msisdn_of_many_takes_no_other_with_it(simulated: Simulated) -> None:
    simulated.turn(invalid=["000007"], refuses_all=True)
    before = len(simulated.lines())
    outcomes = sending(simulated.base_url).submit([row(number) for number in range(20)])
    assert outcomes[7] == Rejected("InvalidPhoneNumber")
    assert sum(isinstance(outcome, Submitted) for outcome in outcomes) == 19
    assert len({line["destination"] for line in simulated.lines()[before:]}) == 19
    assert len(simulated.lines()) - before == 19


def test_where_only_some_were_taken_and_none_is_named_all_are_in_doubt(
    simulated: Simulated,
) -> None:
    simulated.turn(invalid=["000001"])
    outcomes = sending(simulated.base_url).submit([row(1), row(2)])
    assert outcomes == [InDoubt("partly_taken")] * 2


def test_where_none_was_valid_none_was_taken(simulated: Simulated) -> None:
    simulated.turn(invalid=[""])
    # an empty suffix fits every MSISDN
    assert (
        sending(simulated.base_url).submit([row(1), row(2)]) == [Rejected("InvalidPhoneNumber")] * 2
    )


def test_a_wrong_key_holds_the_channel_and_rejects_nothing(simulated: Simulated) -> None:
    channel = sending(simulated.base_url, secret_key="another")
    assert channel.submit([row(1)]) == [Deferred("InvalidAuthentication", LONG)]
    assert not channel.ready()
    assert channel.submit([row(2)]) == [Deferred("held_back", LONG)]


def test_a_request_to_slow_down_is_kept_for_as_long_as_it_says(simulated: Simulated) -> None:
    simulated.turn(status=429, takes=False, retry_after="7")
    channel = sending(simulated.base_url)
    assert channel.submit([row(1)]) == [Deferred("http_429", 7.0)]
    assert not channel.ready()


def test_a_server_error_after_the_texts_were_taken_is_doubt_about_all(
    simulated: Simulated,
) -> None:
    simulated.turn(status=500)
    before = len(simulated.lines())
    assert sending(simulated.base_url).submit([row(1), row(2)]) == [InDoubt("http_500")] * 2
    assert len(simulated.lines()) == before + 2


@pytest.mark.parametrize("status", [200, 302, 400], ids=str)
def test_a_page_in_place_of_an_answer_is_no_success(simulated: Simulated, status: int) -> None:
    simulated.turn(html=True, status=status)
    assert (
        one(simulated)
        == {
            200: InDoubt("unreadable"),
            302: InDoubt("http_302"),
            400: Rejected("http_400"),
        }[status]
    )


def test_nobody_listening_is_no_attempt() -> None:
    outcomes = sending(f"http://127.0.0.1:{free_port()}").submit([row(1)])
    assert outcomes == [Deferred("unreachable", SOON, counts=False)]


def test_silence_is_doubt_about_the_whole_request_and_holds_the_rest() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        channel = sending(base_url, answers_within=0.2)
        assert channel.submit([row(n) for n in range(WINDOW)]) == [InDoubt("no_answer")] * WINDOW
        assert not channel.ready()


def test_after_a_silence_one_row_alone_asks_whether_it_is_over() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        channel = sending(base_url, answers_within=0.2)
        clock = channel._clock = Clock()  # type: ignore[assignment]
        rows = [row(n) for n in range(WINDOW)]
        channel.submit(rows)
        for held in (SOON, 2 * SOON, 4 * SOON):
            clock.now += held - 0.1
            assert not channel.ready()
            clock.now += 0.1
            assert channel.ready()
            first, *others = channel.submit(rows)
            assert first == InDoubt("no_answer")
            assert others == [Deferred("held_back", 2 * held)] * (WINDOW - 1)


@contextmanager
def answering(said: bytes) -> Iterator[str]:
    """Whatever is asked, the same octets."""

    class Scripted(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nothing: pytest's output is no access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "said",
    [
        b"", b"[]", b"null", b"7", b"\xff", b"[" * 60_000, b'{"code": null}', b'{"code": [100]}',
        b'{"code": 100, "successful": false}', b'{"code": true}', b'{"code": 100.0}',
        b'{"code": 100, "valid": "many"}', b'{"code": 100, "valid": 2}',
        b'{"code": 100, "valid": 1, "invalid": null}',
        b'{"code": 100, "valid": 1, "duplicates": 1}',
        b'{"data": [{"code": 100}]}',
    ],
    ids=lambda said: ascii(said[:40]),
)  # fmt: skip
def test_what_cannot_be_read_as_taken_is_doubt(said: bytes) -> None:
    with answering(said) as base_url:
        (outcome,) = sending(base_url).submit([row(1)])
    assert isinstance(outcome, InDoubt)


@pytest.mark.parametrize("request_id", [None, "", [], {}, True], ids=repr)
def test_taken_without_an_id_is_taken(request_id: object) -> None:
    said = {"code": 100, "successful": True, "valid": 1, "request_id": request_id}
    with answering(json.dumps(said).encode()) as base_url:
        assert sending(base_url).submit([row(1)]) == [Submitted(())]


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\u202eabc", "😀" * 300, "x" * 10_000, ""])
def test_no_text_makes_a_submit_raise(simulated: Simulated, text: str) -> None:
    assert one(simulated, text) is not None


@pytest.mark.parametrize(
    "given",
    [{"api_key": "k"}, {"secret_key": "s"}, {"api_key": "", "secret_key": "s"},
     {"api_key": "k", "secret_key": "s", "base_url": "http://beem.example.org"},
     {"api_key": "k", "secret_key": "s", "reports_url": "http://beem.example.org"},
     {"api_key": "k", "secret_key": "s", "tps": -1}],
    ids=["no secret", "no key", "empty key", "keys in clear", "reports in clear", "negative tps"],
)  # fmt: skip
def test_a_channel_that_cannot_work_safely_is_not_built(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"missing|https|tps"):
        build("beem", given)


def test_with_a_pace_a_request_is_no_larger_than_a_second_allows(simulated: Simulated) -> None:
    before = len(simulated.lines())
    channel = sending(simulated.base_url, tps=20)
    channel.share(1)
    outcomes = channel.submit([row(number) for number in range(25)])
    assert all(isinstance(outcome, Submitted) for outcome in outcomes)
    ids = [line["message_id"].split(".")[0] for line in simulated.lines()[before:]]
    assert sorted(ids.count(one) for one in set(ids)) == [5, 20]


# --- what became of it


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asking(simulated: Simulated, clock: Clock) -> AskingReports:
    url = f"{simulated.base_url}/public/v1/delivery-reports"
    return AskingReports("beem", Asked(url, (API_KEY, SECRET_KEY), 5.0), clock, wanted=True)


def taken(simulated: Simulated, number: int = 1) -> tuple[str, str]:
    """The id of a text that is theirs, and of its request."""
    (outcome,) = sending(simulated.base_url).submit([row(number)])
    assert isinstance(outcome, Submitted)
    (message_id,) = outcome.message_ids
    return message_id, message_id.split(".")[0]


@pytest.mark.parametrize(
    ("said", "status"),
    [("DELIVERED", Status.DELIVERED), ("UNDELIVERED", Status.UNDELIVERED)],
)
def test_a_report_is_asked_for_when_it_is_due_and_settles_its_text(
    simulated: Simulated, said: str, status: Status
) -> None:
    clock, kept = Clock(), list[Receipt]()
    simulated.turn(report=said)
    message_id, request_id = taken(simulated)
    reports = asking(simulated, clock)
    reports.open(kept.extend)
    reports.expect(request_id, [row(1).msisdn])
    reports.ask_due()
    assert kept == []
    clock.now = DUE[0]
    reports.ask_due()
    assert kept == [Receipt("beem", message_id, status, said, row(1).msisdn)]
    clock.now = DUE[-1]
    reports.ask_due()
    assert len(kept) == 1


@pytest.mark.parametrize("said", ["PENDING", "NOVELTY"], ids=str.lower)
def test_what_is_not_final_is_asked_again_later_and_not_for_ever(
    simulated: Simulated, said: str
) -> None:
    clock, kept = Clock(), list[Receipt]()
    simulated.turn(report=said)
    _, request_id = taken(simulated)
    reports = asking(simulated, clock)
    reports.open(kept.extend)
    reports.expect(request_id, [row(1).msisdn])
    for clock.now in DUE[:-1]:
        reports.ask_due()
    assert kept == []
    simulated.turn()
    clock.now = DUE[-1]
    reports.ask_due()
    assert [one.status for one in kept] == [Status.DELIVERED]


def test_a_report_that_could_not_be_kept_is_asked_for_again(simulated: Simulated) -> None:
    clock, kept, down = Clock(), list[Receipt](), [True]

    def keep(receipts: list[Receipt]) -> None:
        if down:
            raise Unavailable
        kept.extend(receipts)

    _, request_id = taken(simulated)
    reports = asking(simulated, clock)
    reports.open(keep)
    reports.expect(request_id, [row(1).msisdn])
    clock.now = DUE[0]
    reports.ask_due()
    down.clear()
    clock.now += 60
    reports.ask_due()
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("age", "asked_at"),
    [(10.0, DUE[0] - 10), (DUE[0] + 1, 0.0), (DUE[-2] + 1, 0.0)],
    ids=["not yet due", "due once", "due often"],
)
def test_what_an_earlier_process_submitted_is_asked_for_when_it_is_due(
    simulated: Simulated, age: float, asked_at: float
) -> None:
    clock, kept = Clock(), list[Receipt]()
    message_id, _ = taken(simulated)
    reports = asking(simulated, clock)
    reports.open(kept.extend)
    reports.expect_again(Awaited(message_id, row(1).msisdn, NOON), age)
    clock.now = asked_at - 1
    reports.ask_due()
    assert kept == []
    clock.now = asked_at
    reports.ask_due()
    assert [one.message_id for one in kept] == [message_id]


@pytest.mark.parametrize(
    ("message_id", "age"), [("1.1", DUE[-1] + 1), ("ATXid_1", 400.0), ("1.x", 400.0)]
)
def test_what_is_too_old_or_not_theirs_is_not_asked_for(
    simulated: Simulated, message_id: str, age: float
) -> None:
    clock = Clock()
    reports = asking(simulated, clock)
    reports.expect_again(Awaited(message_id, row(1).msisdn, NOON), age)
    assert reports._waiting == []


def test_the_worker_asks_through_the_channel_it_keeps(simulated: Simulated) -> None:
    clock, kept = Clock(), list[Receipt]()
    channel = sending(simulated.base_url)
    channel.reports = asking(simulated, clock)
    channel._spelling._reports = channel.reports  # type: ignore[attr-defined]
    channel.open(kept.extend, lambda _: None)
    channel.submit([row(1), row(2)])
    clock.now = DUE[0]
    channel.keep_bound()
    assert {one.msisdn for one in kept} == {row(1).msisdn, row(2).msisdn}


def test_a_pushed_report_names_the_text_it_is_about(tmp_path: Path) -> None:
    came: list[bytes] = []
    enough = threading.Event()

    class Ours(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            enough.set()

        def log_message(self, *_: object) -> None:
            """Nothing: pytest's output is no access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Ours) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        callback = f"http://127.0.0.1:{server.server_port}/"
        with simulated_beem(tmp_path / "ledger.jsonl", callback) as simulated:
            simulated.turn(pushes=True)
            message_id, _ = taken(simulated)
            assert enough.wait(PATIENCE)
        server.shutdown()
    receipt = BeemCallbacks("beem").read_receipt(WireRequest({}, body=came[0]))
    assert (receipt.message_id, receipt.status) == (message_id, Status.DELIVERED)


# --- the probe


def test_a_probe_with_good_keys_finds_nothing_wrong(simulated: Simulated) -> None:
    before = len(simulated.lines())
    assert probe(options(simulated.base_url)) == ""
    assert len(simulated.lines()) == before


def test_a_probe_says_what_is_wrong(simulated: Simulated) -> None:
    assert "refused" in probe(options(simulated.base_url, secret_key="another"))
    assert "no connection" in probe(options(f"http://127.0.0.1:{free_port()}"))
