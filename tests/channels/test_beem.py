"""Beem Africa, over samples of its callbacks."""

import json
from pathlib import Path

import pytest

from tests.channels.ussd_speakers import HttpSpeaker, JsonHandset
from tests.fakes.dialogue import World
from tests.fakes.web import SORRY, TOKEN
from ussdapp.channels.beem import BeemCallbacks, message_id
from ussdapp.core.ended import Ended
from ussdapp.core.inbound import Keyed, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown
from ussdapp.core.status import Status
from ussdapp.ports import Unavailable
from ussdapp.wire.http import BadRequest, WireRequest

SAMPLES = Path(__file__).parent / "samples" / "beem"
ASHA = Msisdn("255754000123")
BEEM = BeemCallbacks("beem")


def sample(name: str, **changes: object) -> WireRequest:
    said = {**json.loads((SAMPLES / f"{name}.json").read_text()), **changes}
    return WireRequest({}, body=json.dumps(said).encode())


def keyed(request: WireRequest) -> Keyed:
    came = BEEM.read_ussd(request)
    assert isinstance(came, Keyed)
    return came


def test_the_integer_of_a_first_request_is_no_key() -> None:
    first = keyed(sample("ussd_initiate"))
    assert (first.channel, first.session_id, first.msisdn) == ("beem", "4574", ASHA)
    assert (first.text, first.cumulative) == ("", False)


@pytest.mark.parametrize(
    ("response", "text"),
    [("1", "1"), ("", ""), (0, "0"), (12, "12"), ("2*3", "2*3"), ("\ud800Maji", "\ufffdMaji")],
    ids=["text", "nothing", "zero as integer", "integer", "stars", "half a pair"],
)
def test_what_is_keyed_later_is_the_last_input_alone(response: object, text: str) -> None:
    payload = {"request_id": 1, "response": response}
    assert keyed(sample("ussd_continue", payload=payload)).text == text


@pytest.mark.parametrize("response", [None, True, 1.5, ["1"], {}])
def test_what_is_no_input_is_refused(response: object) -> None:
    with pytest.raises(BadRequest):
        BEEM.read_ussd(sample("ussd_continue", payload={"request_id": 1, "response": response}))


@pytest.mark.parametrize("payload", [{}, [], None, {"request_id": 3, "response": ""}])
def test_an_end_is_told_from_a_key_whatever_its_payload(payload: object) -> None:
    ended = BEEM.read_ussd(sample("ussd_terminate", payload=payload))
    assert ended == Ended("beem", "4574", ASHA)


def test_a_command_in_capitals_is_the_same_command() -> None:
    assert isinstance(BEEM.read_ussd(sample("ussd_terminate", command="TERMINATE")), Ended)


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"null", b"{", b"[" * 60_000, b"\xff"])
def test_what_is_no_json_object_is_refused_and_still_answered_in_json(body: bytes) -> None:
    request = WireRequest({}, body=body)
    with pytest.raises(BadRequest):
        BEEM.read_ussd(request)
    reply = BEEM.write_ussd(request, Shown("Samahani", ends=True))
    assert json.loads(reply.body) == {
        "msisdn": "",
        "operator": "",
        "session_id": "",
        "command": "terminate",
        "payload": {"request_id": 0, "request": "Samahani"},
    }


@pytest.mark.parametrize(
    ("text", "ends", "answer"),
    [("Karibu\n1 Maji", False, "ussd_answer"), ("Asante", True, "ussd_last_answer")],
    ids=["goes on", "ends"],
)
def test_every_answer_names_its_session(text: str, ends: bool, answer: str) -> None:
    reply = BEEM.write_ussd(sample("ussd_continue"), Shown(text, ends=ends))
    assert json.loads(reply.body) == json.loads((SAMPLES / f"{answer}.json").read_text())
    assert (reply.status, reply.content_type) == (200, "application/json")


def test_ids_are_echoed_as_they_were_spelt() -> None:
    payload = {"request_id": "a7", "response": "1"}
    reply = BEEM.write_ussd(
        sample("ussd_continue", session_id=4574, payload=payload), Shown("x", ends=False)
    )
    answer = json.loads(reply.body)
    assert (answer["session_id"], answer["payload"]["request_id"]) == (4574, "a7")


@pytest.mark.parametrize("trouble", [Unavailable(), ZeroDivisionError()], ids=["down", "a defect"])
def test_a_citizen_reads_a_sentence_in_their_session_even_when_we_are_broken(
    trouble: Exception,
) -> None:
    speaker = HttpSpeaker(World(), BEEM, JsonHandset)
    speaker.gateway.trouble = trouble
    assert speaker.handset(ASHA.digits, 1).dials() == Shown(SORRY["sw"], ends=True)


def test_a_text_is_acknowledged_over_the_web_in_their_json() -> None:
    speaker = HttpSpeaker(World(), BEEM, JsonHandset)
    body = sample("sms").body
    reply = speaker.client.post(f"/in/here/{TOKEN}/sms", data=body, content_type="application/json")
    assert reply.json == {"transaction_id": speaker.came[0].key, "successful": True}


def test_a_text_is_known_again_by_its_transaction_and_acknowledged_with_it() -> None:
    mo = BEEM.read_mo(sample("sms"))
    assert mo.key == "00000000-0000-4000-8000-000000000001"
    assert (mo.msisdn, mo.short_code, mo.text) == (ASHA, "15200", "LALAMIKO EGA Tovuti haifunguki")
    assert not mo.keyed_by_content
    reply = BEEM.write_taken(sample("sms"))
    assert json.loads(reply.body) == {"transaction_id": mo.key, "successful": True}


def test_a_text_without_a_transaction_is_known_by_its_content() -> None:
    first, again = (BEEM.read_mo(sample("sms", transaction_id=None)) for _ in range(2))
    other = BEEM.read_mo(sample("sms", transaction_id=None, message={"text": "HALI"}))
    assert first.keyed_by_content
    assert first.key == again.key != other.key


def test_a_text_from_nobody_is_refused() -> None:
    with pytest.raises(BadRequest) as refusal:
        BEEM.read_mo(sample("sms", **{"from": ""}))
    assert refusal.value.code == "from"


@pytest.mark.parametrize(
    ("code", "status"),
    [("PENDING", Status.SUBMITTED), ("DELIVERED", Status.DELIVERED),
     ("UNDELIVERED", Status.UNDELIVERED), ("delivered", Status.IN_DOUBT), ("", Status.IN_DOUBT)],
)  # fmt: skip
def test_a_receipt_says_what_their_table_says_and_else_is_doubt(code: str, status: Status) -> None:
    assert BEEM.read_receipt(sample("receipt", status=code)) == Receipt(
        account="beem", message_id="35918915.1", status=status, code=code, msisdn=ASHA
    )


def test_two_recipients_of_one_request_have_two_message_ids() -> None:
    assert message_id("35918915", "1") != message_id("35918915", "2")


@pytest.mark.parametrize("lacks", ["request_id", "recipient_id"])
def test_a_receipt_of_nobody_is_refused(lacks: str) -> None:
    with pytest.raises(BadRequest):
        BEEM.read_receipt(sample("receipt", **{lacks: None}))


def test_an_opt_out_is_nothing_they_tell() -> None:
    with pytest.raises(BadRequest) as refusal:
        BEEM.read_opt_out(sample("sms"))
    assert refusal.value.code == "opt_out"
