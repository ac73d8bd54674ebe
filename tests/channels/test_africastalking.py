"""Africa's Talking, over recorded callbacks and against a simulated one that runs as a process."""

import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.fakes.aggregator import API_KEY, Simulated, free_port, simulated_aggregator
from tests.fakes.patience import PATIENCE
from ussdapp.channels.africastalking import AfricasTalkingCallbacks
from ussdapp.channels.africastalking.sending import build, probe
from ussdapp.core.inbound import Keyed, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown
from ussdapp.core.status import Status
from ussdapp.ports import Deferred, InDoubt, Rejected, Submission, Submitted
from ussdapp.wire.http import BadRequest, WireRequest
from ussdapp.wire.http_sending import LONG, SOON, WINDOW, HttpSending

SAMPLES = Path(__file__).parent / "samples" / "africastalking"
ASHA = Msisdn("255754000123")
AT = AfricasTalkingCallbacks("at")


def sample(name: str) -> WireRequest:
    body = (SAMPLES / name).read_bytes()
    return WireRequest(dict(parse_qsl(body.decode(), keep_blank_values=True)), body=body)


def row(number: int, text: str = "Habari", sender_id: str = "15200") -> Submission:
    return Submission(number, 1, Msisdn(f"255754{number:06d}"), text, sender_id)


def sending(base_url: str, api_key: str = API_KEY) -> HttpSending:
    return build("at", {"username": "ega", "api_key": api_key, "base_url": base_url})


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated_aggregator(tmp_path_factory.mktemp("at") / "ledger.jsonl") as simulated:
        yield simulated


@pytest.fixture
def simulated(process: Simulated) -> Simulated:
    process.turn()
    return process


# --- what they call us with


def test_a_keyed_input_holds_all_that_was_keyed() -> None:
    keyed = AT.read_ussd(sample("ussd.form"))
    assert isinstance(keyed, Keyed)
    assert (keyed.channel, keyed.msisdn, keyed.text) == ("at", ASHA, "1*2")
    assert keyed.session_id == "ATUid_0123456789abcdef0123456789abcdef"
    assert keyed.service_code == "*384*15200#"
    assert keyed.cumulative


def test_a_plus_that_was_not_escaped_is_still_an_msisdn() -> None:
    keyed = AT.read_ussd(sample("ussd_bare_plus.form"))
    assert isinstance(keyed, Keyed)
    assert (keyed.msisdn, keyed.text) == (ASHA, "")


@pytest.mark.parametrize(("ends", "prefix"), [(False, "CON "), (True, "END ")], ids=["on", "over"])
def test_a_screen_goes_out_behind_its_prefix_as_plain_text(ends: bool, prefix: str) -> None:
    reply = AT.write_ussd(sample("ussd.form"), Shown("Karibu\n1. Maji", ends=ends))
    assert reply.body == f"{prefix}Karibu\n1. Maji"
    assert (reply.status, reply.content_type) == (200, "text/plain; charset=utf-8")


@pytest.mark.parametrize("session_id", ["", "a b", "x" * 129, "a\x00b"])
def test_a_dialogue_without_a_usable_id_is_refused(session_id: str) -> None:
    with pytest.raises(BadRequest):
        AT.read_ussd(WireRequest({"sessionId": session_id, "phoneNumber": "+255754000123"}))


def test_a_refusal_names_nothing_of_what_was_sent() -> None:
    with pytest.raises(BadRequest) as refusal:
        AT.read_ussd(WireRequest({"sessionId": "ATUid_1", "phoneNumber": "254712000999"}))
    assert "712000999" not in f"{refusal.value!r} {refusal.value.detail}"


def test_a_text_is_known_again_by_their_id() -> None:
    mo = AT.read_mo(sample("sms.form"))
    assert mo.key == "b1a5c3f0-0000-4000-8000-000000000001"
    assert (mo.msisdn, mo.sender, mo.short_code) == (ASHA, "+255754000123", "15200")
    assert mo.text == "LALAMIKO EGA Tovuti haifunguki"
    assert not mo.keyed_by_content


def test_a_text_without_an_id_is_kept_and_known_by_its_content() -> None:
    form = dict(sample("sms.form").form)
    del form["id"]
    first, again = AT.read_mo(WireRequest(form)), AT.read_mo(WireRequest(form))
    other = AT.read_mo(WireRequest(form | {"text": "HALI"}))
    assert first.keyed_by_content
    assert first.key == again.key != other.key


def test_a_text_from_a_name_is_kept_without_an_msisdn() -> None:
    mo = AT.read_mo(WireRequest(dict(sample("sms.form").form) | {"from": "MAJI-DSM"}))
    assert (mo.sender, mo.msisdn) == ("MAJI-DSM", None)


@pytest.mark.parametrize(
    ("code", "status"),
    [("Sent", Status.SUBMITTED), ("Submitted", Status.SUBMITTED), ("Buffered", Status.SUBMITTED),
     ("AbsentSubscriber", Status.SUBMITTED), ("Success", Status.DELIVERED),
     ("Failed", Status.UNDELIVERED), ("Rejected", Status.REJECTED), ("Expired", Status.EXPIRED),
     ("success", Status.IN_DOUBT), ("Novelty", Status.IN_DOUBT), ("", Status.IN_DOUBT)],
)  # fmt: skip
def test_a_receipt_says_what_their_document_says_and_else_is_doubt(
    code: str, status: Status
) -> None:
    form = dict(sample("receipt_success.form").form) | {"status": code}
    assert AT.read_receipt(WireRequest(form)).status is status


def test_a_receipt_carries_account_id_reason_and_msisdn() -> None:
    assert AT.read_receipt(sample("receipt_failed.form")) == Receipt(
        account="at",
        message_id="ATXid_00000000000000000000000000000002",
        status=Status.UNDELIVERED,
        code="opted_out",
        msisdn=ASHA,
    )


def test_an_opt_out_names_sender_id_and_msisdn() -> None:
    opt_out = AT.read_opt_out(sample("optout.form"))
    assert (opt_out.channel, opt_out.sender_id, opt_out.msisdn) == ("at", "15200", ASHA)


# --- what we send


def test_rows_of_one_text_share_a_request_and_each_gets_its_own_id(simulated: Simulated) -> None:
    before = len(simulated.lines())
    outcomes = sending(simulated.base_url).submit([row(number) for number in range(3)])
    lines = simulated.lines()[before:]
    assert [line["destination"] for line in lines] == [f"25575400000{n}" for n in range(3)]
    assert outcomes == [Submitted((line["message_id"],)) for line in lines]
    assert {(line["source"], line["text"]) for line in lines} == {("15200", "Habari")}


def test_outcomes_stay_in_order_where_texts_and_sender_ids_differ(simulated: Simulated) -> None:
    rows = [row(n, f"Text {n % 7}", ("15200", "EGA")[n % 2]) for n in range(WINDOW)]
    outcomes = sending(simulated.base_url).submit(rows)
    ids = {line["message_id"]: line for line in simulated.lines()}
    for submission, outcome in zip(rows, outcomes, strict=True):
        assert isinstance(outcome, Submitted)
        line = ids[outcome.message_ids[0]]
        assert line["destination"] == submission.msisdn.digits
        assert (line["text"], line["source"]) == (submission.text, submission.sender_id)


def test_an_msisdn_that_is_twice_in_a_window_gets_two_texts(simulated: Simulated) -> None:
    outcomes = sending(simulated.base_url).submit([row(1), row(1), row(2)])
    ids = [outcome.message_ids for outcome in outcomes if isinstance(outcome, Submitted)]
    assert len(set(ids)) == 3


def test_a_barred_sender_id_is_rejected_though_the_answer_is_201(simulated: Simulated) -> None:
    simulated.turn(invalid_sender=True)
    assert sending(simulated.base_url).submit([row(1)]) == [Rejected("InvalidSenderId")]


def test_an_answer_in_another_content_type_is_read_all_the_same(simulated: Simulated) -> None:
    simulated.turn(content_type="application/json; charset=utf-8")
    assert isinstance(sending(simulated.base_url).submit([row(1)])[0], Submitted)


def test_each_recipient_gets_the_verdict_of_its_own_code(simulated: Simulated) -> None:
    codes = [102, 401, 402, 403, 404, 405, 406, 407, 409, 500, 501, 502, 599]
    rows = [row(index, "Ada") for index in range(len(codes))]
    simulated.turn(
        refusals={row.msisdn.digits: code for row, code in zip(rows, codes, strict=True)}
    )
    kinds = [type(outcome) for outcome in sending(simulated.base_url).submit(rows)]
    assert kinds == [
        Submitted, Rejected, Rejected, Rejected, Rejected, Deferred, Rejected, Deferred, Rejected,
        InDoubt, InDoubt, Rejected, InDoubt,
    ]  # fmt: skip


def test_an_empty_purse_waits_for_a_person_and_uses_up_no_attempt(simulated: Simulated) -> None:
    simulated.turn(refusals={"": 405})
    outcomes = sending(simulated.base_url).submit([row(1)])
    assert outcomes == [Deferred("InsufficientBalance", LONG, counts=False)]


def test_a_recipient_the_answer_leaves_out_is_in_doubt(simulated: Simulated) -> None:
    simulated.turn(omitted=["000002"])
    outcomes = sending(simulated.base_url).submit([row(1), row(2)])
    assert isinstance(outcomes[0], Submitted)
    assert outcomes[1] == InDoubt("not_answered")


def test_an_msisdn_that_comes_back_in_national_spelling_is_recognised(
    simulated: Simulated,
) -> None:
    simulated.turn(national=True)
    assert isinstance(sending(simulated.base_url).submit([row(1)])[0], Submitted)


def test_a_page_in_place_of_an_answer_is_doubt(simulated: Simulated) -> None:
    simulated.turn(html=True)
    assert sending(simulated.base_url).submit([row(1)]) == [InDoubt("unreadable")]


def test_a_wrong_key_is_no_verdict_on_the_text(simulated: Simulated) -> None:
    outcomes = sending(simulated.base_url, "another key").submit([row(1)])
    assert outcomes == [Deferred("http_401", LONG, counts=False)]


def test_a_wrong_key_is_not_tried_with_every_text(simulated: Simulated) -> None:
    rows = [row(n, f"Text {n}") for n in range(WINDOW)]
    outcomes = sending(simulated.base_url, "another key").submit(rows)
    assert {type(outcome) for outcome in outcomes} == {Deferred}
    assert {getattr(outcome, "pause", 0) for outcome in outcomes} == {LONG}
    assert Deferred("held_back", LONG) in outcomes


def test_a_request_to_slow_down_is_kept_for_as_long_as_it_says(simulated: Simulated) -> None:
    simulated.turn(status=429, takes=False, retry_after="7")
    assert sending(simulated.base_url).submit([row(1)]) == [Deferred("http_429", 7.0)]


def test_a_server_error_after_the_text_was_taken_is_doubt(simulated: Simulated) -> None:
    before = len(simulated.lines())
    simulated.turn(status=500)
    assert sending(simulated.base_url).submit([row(1)]) == [InDoubt("http_500")]
    assert len(simulated.lines()) == before + 1


def test_nobody_listening_is_no_attempt() -> None:
    outcomes = sending(f"http://127.0.0.1:{free_port()}").submit([row(1)])
    assert outcomes == [Deferred("unreachable", SOON, counts=False)]


def test_a_host_without_an_address_is_no_attempt() -> None:
    outcomes = sending("https://nobody.invalid").submit([row(1)])
    assert outcomes == [Deferred("unreachable", SOON, counts=False)]


@contextmanager
def one_that_takes_and_hangs_up() -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []

    class HangsUp(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), HangsUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()


def test_a_connection_cut_after_the_text_left_is_doubt_and_stops_the_rest() -> None:
    with one_that_takes_and_hangs_up() as (base_url, taken):
        outcomes = sending(base_url).submit([row(n, f"Text {n}") for n in range(WINDOW)])
    doubts = [outcome for outcome in outcomes if outcome == InDoubt("no_answer")]
    held = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
    assert len(doubts) == len(taken)
    assert len(doubts) + len(held) == WINDOW
    assert held


def test_silence_is_doubt() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = {"username": "ega", "api_key": "k", "base_url": base_url, "answers_within": 0.2}
        assert build("at", options).submit([row(1)]) == [InDoubt("no_answer")]


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\u202eabc", "😀" * 300, "x" * 10_000, ""])
def test_no_text_makes_a_submit_raise(simulated: Simulated, text: str) -> None:
    assert len(sending(simulated.base_url).submit([row(1, text)])) == 1


def test_two_channels_do_not_share_an_account(simulated: Simulated) -> None:
    right, wrong = sending(simulated.base_url), sending(simulated.base_url, "another key")
    assert isinstance(right.submit([row(1)])[0], Submitted)
    assert isinstance(wrong.submit([row(1)])[0], Deferred)
    assert isinstance(right.submit([row(1)])[0], Submitted)


@pytest.mark.parametrize(
    "options",
    [{"username": "ega"}, {"api_key": "k"}, {"username": "", "api_key": "k"},
     {"username": "ega", "api_key": "k", "base_url": "http://api.example.org"}],
    ids=["no key", "no username", "empty username", "a key in clear"],
)  # fmt: skip
def test_a_channel_that_cannot_work_safely_is_not_built(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"missing|https"):
        build("at", options)


def test_an_empty_window_asks_for_nothing() -> None:
    assert sending("http://127.0.0.1:9").submit([]) == []


def test_trouble_that_is_no_rows_own_holds_the_channel_until_it_is_over(
    simulated: Simulated,
) -> None:
    simulated.turn(refusals={"000001": 405})
    channel = sending(simulated.base_url)
    assert channel.ready()
    channel.submit([row(1)])
    assert not channel.ready()
    assert channel.submit([row(2)]) == [Deferred("held_back", LONG)]


def test_a_pace_limits_how_many_share_a_request(simulated: Simulated) -> None:
    options = {"username": "ega", "api_key": API_KEY, "base_url": simulated.base_url, "tps": 10}
    channel = build("at", options)
    channel.share(1)
    outcomes = channel.submit([row(number) for number in range(12)])
    assert all(isinstance(outcome, Submitted) for outcome in outcomes)


def test_a_probe_asks_for_what_costs_nothing_and_says_what_is_wrong(simulated: Simulated) -> None:
    options = {"username": "ega", "api_key": API_KEY, "base_url": simulated.base_url}
    before = len(simulated.lines())
    assert probe(options) == ""
    assert "refused" in probe({**options, "api_key": "another key"})
    assert "no connection" in probe({**options, "base_url": f"http://127.0.0.1:{free_port()}"})
    assert len(simulated.lines()) == before


# --- the simulated aggregator itself


def test_the_ledger_is_for_its_owner_alone(simulated: Simulated) -> None:
    sending(simulated.base_url).submit([row(1)])
    assert stat.S_IMODE(simulated.ledger.stat().st_mode) == 0o600


def test_each_receipt_comes_as_often_as_the_knob_says(tmp_path: Path) -> None:
    came: list[dict[str, str]] = []
    enough = threading.Event()

    class Ours(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            came.append(dict(parse_qsl(body)))
            self.send_response(200)
            self.end_headers()
            if len(came) == 2:
                enough.set()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Ours) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        callback = f"http://127.0.0.1:{server.server_port}/"
        with simulated_aggregator(tmp_path / "ledger.jsonl", callback) as simulated:
            simulated.turn(receipts=2)
            (outcome,) = sending(simulated.base_url).submit([row(1)])
            assert enough.wait(PATIENCE)
        server.shutdown()
    receipts = [AT.read_receipt(WireRequest(form)) for form in came]
    assert isinstance(outcome, Submitted)
    assert [(one.message_id, one.status) for one in receipts] == [
        (outcome.message_ids[0], Status.DELIVERED)
    ] * 2


def test_a_step_is_named_for_their_dashboard_and_never_with_a_citizens_words() -> None:
    shown = Shown("Karibu", ends=False, step="main.mwanzo@0a1b|\r\nX: y" + "z" * 200)
    ((name, hop),) = AT.write_ussd(sample("ussd.form"), shown).headers
    assert name == "at-ussd-hop-metadata"
    assert hop.startswith("main.mwanzo@0a1bXyzz")
    assert len(hop) == 99
