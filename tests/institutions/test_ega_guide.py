import base64
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import pytest

from tests.fakes.patience import until
from tests.institutions.office import ASHA, CLIENT, SECRET, asker
from tests.wire.web_peer import web_peer
from ussdapp.core.back_office import Mode, Said
from ussdapp.institutions.ega_guide import build
from ussdapp.institutions.ega_guide.answers import handed_in, looked_up, relayed
from ussdapp.institutions.ega_guide.calls import Desk
from ussdapp.ports import OfficeGarbled, OfficeLate, OfficeUnavailable

BILL = "994550451254"
GARBAGE = ["html", "list", "cut", "types", "deep", "nan", "binary", "empty"]


class Wall:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_look_up_brings_details_in_the_language_of_the_citizen(offices):
    office = offices.asked("gepg.bill")
    assert office.look_up("gepg.bill", BILL, asker()).details["detail_01"] == "Haijalipwa"
    english = office.look_up("gepg.bill", BILL, asker(language="en"))
    assert english.success
    assert english.details["detail_01"] == "Unpaid"


def test_what_an_institution_does_not_know_is_no_success(offices):
    found = offices.asked("gepg.bill").look_up("gepg.bill", "994550451259", asker())
    assert not found.success


def test_a_look_up_may_go_by_get(offices):
    found = offices.asked("maji.debt", method="GET").look_up("maji.debt", "J45500178012", asker())
    assert found.success


def test_a_summary_arrives_with_the_msisdn_and_brings_an_sms(offices):
    taken = offices.asked("gms.request").hand_in(
        "gms.request", {"taasisi": "tra", "idadi": "12"}, asker("effect-9")
    )
    (line,) = offices.journal()
    assert taken.status
    assert line["reference"] in taken.sms_text
    assert line["msisdn"] == ASHA.digits
    assert line["answers"] == {"taasisi": "tra", "idadi": "12"}
    assert line["request_id"] == "effect-9"


def test_a_summary_that_an_institution_refuses_is_not_taken(offices):
    assert not offices.asked("gms.request").hand_in("gms.request", {}, asker()).status


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_external_application_leads_a_dialogue_and_hands_it_back(offices, method):
    app = offices.asked("demo.app", method=method)
    first = app.relay("demo.app", asker(language="en"), None)
    assert first.kind is Said.EXPECTS
    assert first.options == {"1": "Book a visit", "2": "Back to the menu"}
    app.relay("demo.app", asker(), "1")
    confirm = app.relay("demo.app", asker(), "15122026")
    assert confirm.text == "A visit on 15122026. Confirm?"
    back = app.relay("demo.app", asker(), "2")
    assert back.kind is Said.HANDS_BACK
    assert back.data == {"miadi": "15122026"}


def test_an_external_application_ends_a_dialogue(offices):
    app = offices.asked("demo.app")
    for keyed in (None, "1", "15122026"):
        app.relay("demo.app", asker(), keyed)
    assert app.relay("demo.app", asker(), "1").kind is Said.ENDS


def exchange(method: str, kind: str) -> tuple[str, dict[str, str], bytes]:
    """The first line, headers and body of one call."""
    said = b'{"success": true, "status": true}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)
    with web_peer(answer) as peer:
        table = {"url": f"http://127.0.0.1:{peer.port}/x?key=1", "kind": kind, "secret": SECRET}
        office = build({"o": {**table, "method": method}}, CLIENT)
        if kind == "lookup":
            office.look_up("o", "J 45", asker())
        else:
            office.hand_in("o", {"jina": "Ñandú"}, asker())
    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def signed(octets: bytes) -> str:
    return base64.b64encode(hmac.digest(SECRET.encode(), octets, "sha256")).decode()


def test_a_post_is_signed_over_its_exact_octets():
    _, headers, body = exchange("POST", "summary")
    assert headers["hash"] == signed(body)
    assert json.loads(body) == {"jina": "Ñandú", "msisdn": ASHA.digits}


def test_a_get_is_signed_over_its_query():
    first, headers, body = exchange("GET", "lookup")
    query = first.split()[1].partition("?")[2]
    assert headers["hash"] == signed(query.encode())
    assert dict(parse_qsl(query)) == {"key": "1", "data": "J 45"}
    assert body == b""


def test_the_request_id_and_the_time_are_signed_with_the_octets():
    _, headers, body = exchange("POST", "lookup")
    stamp = headers["X-Request-Timestamp"]
    assert headers["X-Request-Id"] == "effect-1"
    assert headers["X-Request-Hash"] == signed(f"effect-1.{stamp}.".encode() + body)
    assert json.loads(body) == {"data": "J 45"}


def test_a_call_that_the_institution_does_not_believe_is_unavailable(offices):
    office = offices.asked("gepg.bill", secret="another secret, as long")
    with pytest.raises(OfficeUnavailable):
        office.look_up("gepg.bill", BILL, asker())


def test_an_answer_after_the_deadline_is_late(offices):
    offices.behave(delay=2.0)
    with pytest.raises(OfficeLate):
        offices.asked("gepg.bill", deadline=0.2).look_up("gepg.bill", BILL, asker())


def test_a_dripping_answer_is_late(offices):
    offices.behave(drip=0.1)
    with pytest.raises(OfficeLate):
        offices.asked("gepg.bill", deadline=0.3).look_up("gepg.bill", BILL, asker())


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", ["gepg.bill", "gms.request", "demo.app"])
def test_garbage_is_told_apart_from_an_answer(offices, name, garbage):
    offices.behave(garbage=garbage)
    office = offices.asked(name)
    asks = {
        "gepg.bill": lambda: office.look_up(name, BILL, asker()),
        "gms.request": lambda: office.hand_in(name, {"taasisi": "tra"}, asker()),
        "demo.app": lambda: office.relay(name, asker(), None),
    }
    with pytest.raises(OfficeGarbled):
        asks[name]()


@pytest.mark.parametrize(
    "knobs",
    [{"huge": 70_000}, {"silent": True}, {"status": 500}],
    ids=["too long", "hangs up", "broken"],
)
def test_an_answer_lost_on_the_way_may_have_been_taken(offices, knobs):
    offices.behave(**knobs)
    with pytest.raises(OfficeGarbled):
        offices.asked("gms.request").hand_in("gms.request", {"taasisi": "tra"}, asker())
    assert len(offices.journal()) == 1


@pytest.mark.parametrize(
    "knobs", [{"redirect": "http://127.0.0.1/"}, {"status": 404}], ids=["redirect", "refusal"]
)
def test_a_refusal_is_not_garbage(offices, knobs):
    offices.behave(**knobs)
    with pytest.raises(OfficeUnavailable) as refused:
        offices.asked("gepg.bill").look_up("gepg.bill", BILL, asker())
    assert not isinstance(refused.value, OfficeGarbled)


def test_an_office_is_asked_only_in_its_own_way(offices):
    with pytest.raises(OfficeUnavailable):
        offices.asked("gepg.bill").hand_in("gepg.bill", {}, asker())
    with pytest.raises(OfficeUnavailable):
        offices.asked("gepg.bill").look_up("nobody", BILL, asker())


def test_an_office_that_keeps_failing_is_left_alone_and_then_probed(offices):
    clock = Wall()
    guide = build({"gepg.bill": offices.table("gepg.bill")}, CLIENT, clock=clock)
    offices.behave(status=500)
    for _ in range(9):
        with pytest.raises(OfficeUnavailable):
            guide.look_up("gepg.bill", BILL, asker())
    assert offices.server.asked["gepg.bill"] == 5
    offices.behave()
    clock.now = 10.0
    assert guide.look_up("gepg.bill", BILL, asker()).success


def test_a_hanging_office_takes_four_calls_and_leaves_the_others_alone(offices):
    both = {name: offices.table(name, deadline=5.0) for name in ("gepg.bill", "luku.meter")}
    guide = build(both, CLIENT)
    offices.behave(office="gepg.bill", delay=1.5)

    def ask(_: int) -> str:
        try:
            guide.look_up("gepg.bill", BILL, asker())
        except OfficeUnavailable:
            return "refused"
        return "answered"

    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(ask, number) for number in range(12)]
        assert guide.look_up("luku.meter", "24730001234", asker()).success
        ends = [one.result() for one in asked]
    assert ends.count("answered") == 4
    assert offices.server.asked["gepg.bill"] == 4


def test_a_burst_waits_its_turn_and_is_answered(offices):
    office = offices.asked("gepg.bill")
    offices.behave(delay=0.02)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(office.look_up, "gepg.bill", BILL, asker()) for _ in range(8)]
        assert all(one.result().success for one in asked)
    assert offices.server.asked["gepg.bill"] == 8


def test_who_waits_for_a_hanging_office_takes_no_place_of_its_neighbours(offices):
    both = {name: offices.table(name, deadline=5.0) for name in ("gepg.bill", "luku.meter")}
    guide = build(both, CLIENT, most_in_all=5)
    offices.behave(office="gepg.bill", delay=1.5)

    def hang(_: int) -> bool:
        try:
            guide.look_up("gepg.bill", BILL, asker())
        except OfficeUnavailable:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        hanging = [pool.submit(hang, number) for number in range(8)]
        until(lambda: offices.server.asked["gepg.bill"] == 4)
        for _ in range(5):
            assert guide.look_up("luku.meter", "24730001234", asker()).success
        assert [one.result() for one in hanging].count(True) == 4


def test_all_offices_together_leave_threads_for_everybody_else(offices):
    names = ["gepg.bill", "luku.meter", "luku.token"]
    guide = build({name: offices.table(name) for name in names}, CLIENT, most_in_all=2)
    offices.behave(delay=0.5)

    def ask(name: str) -> bool:
        try:
            guide.look_up(name, BILL, asker())
        except OfficeUnavailable:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(ask, names)) == 2


@pytest.mark.parametrize(
    ("options", "about"),
    [
        ({"kind": "sms"}, "kind"),
        ({"method": "PUT"}, "method"),
        ({"secret": "short"}, "secret"),
        ({"deadline": 60}, "deadline"),
        ({"url": "https://user@maji.go.tz/"}, "user"),
        ({"url": ""}, "URL"),
    ],
    ids=["kind", "method", "secret", "deadline", "userinfo", "no url"],
)
def test_a_table_nobody_could_use_is_refused_at_the_start(options, about):
    table = {"url": "https://maji.go.tz/", "kind": "lookup", "secret": SECRET, **options}
    with pytest.raises(ValueError, match=r"back_offices\.maji") as refused:
        build({"maji": table}, CLIENT)
    assert SECRET not in str(refused.value)


def test_a_secret_is_not_shown(offices):
    assert SECRET not in repr(Desk("https://maji.go.tz/", Mode.LOOKUP, "GET", SECRET.encode()))


def spelled(**told: object) -> bytes:
    return json.dumps(told).encode()


def test_what_php_does_to_json_is_understood():
    first = relayed(spelled(header_type=2, text="Chagua", options=[], data=None))
    assert (first.kind, first.options) == (Said.EXPECTS, {})
    listed = relayed(spelled(header_type="2", text="Chagua", options={"1": 5}))
    assert listed.options == {"1": "5"}
    assert looked_up(spelled(success="true", detail_01=12, name=None)).details == {
        "detail_01": "12",
        "name": "",
    }
    assert (
        handed_in(b"\xef\xbb\xbf" + spelled(status=1, sms_reply="0", sms_text="x")).sms_text == ""
    )


def test_controls_are_taken_out_and_lines_stay_lines():
    shown = relayed(spelled(header_type="3", text="Moja\r\nmbili\x1b[2J\u202e\ud800 tatu"))
    assert shown.text == "Moja\nmbili[2J tatu"


@pytest.mark.parametrize(
    "told",
    [
        {"header_type": "5", "text": "x"},
        {"header_type": "2", "text": " "},
        {"header_type": "2"},
        {"header_type": "2", "text": "x" * 2001},
        {"header_type": "2", "text": "x", "options": ["Ndiyo"]},
        {"header_type": "2", "text": "x", "options": {str(n): "x" for n in range(100)}},
        {"header_type": "4", "data": {"a": {"b": 1}}},
        {"header_type": True, "text": "x"},
    ],
    ids=range(8),
)
def test_an_application_that_says_too_much_or_too_little_is_garbled(told):
    with pytest.raises(OfficeGarbled):
        relayed(spelled(**told))


def test_a_hand_back_needs_no_text():
    assert relayed(spelled(header_type="4", data={"a": 1})).data == {"a": "1"}
