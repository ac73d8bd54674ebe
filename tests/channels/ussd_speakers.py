"""The far side of each channel: an operator or aggregator that dials and keys for handsets, over
recorded samples, and tells which screens came."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl

from flask.testing import FlaskClient

from tests.fakes.dialogue import NOON, World
from tests.fakes.patience import PATIENCE
from tests.fakes.web import SORRY, TOKEN, FakeGateway, fake_gateway
from tests.wire.peer import Peer
from ussdapp.channels import smpp
from ussdapp.channels.africastalking import AfricasTalkingCallbacks
from ussdapp.channels.beem import BeemCallbacks
from ussdapp.core import gsm7
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown
from ussdapp.settings import ChannelSettings
from ussdapp.web import create_app
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, Delivered, SubmitFields, read_delivered, submit_body
from ussdapp.wire.receipt_text import text_of
from ussdapp.wire.ussd_dialogues import Answering

SAMPLES = Path(__file__).parent / "samples"
DELIVER_RESP = pdu.DELIVER_SM | pdu.RESPONSE
SUBMIT_RESP = pdu.SUBMIT_SM | pdu.RESPONSE
OP, INFO, REFERENCE = 0x0501, 0x1383, 0x0204


class Handset(Protocol):
    """One dialogue on one channel. `keys` and `dials` give the screen, `keys_twice` the screens
    that one key brought whose request came twice."""

    def dials(self) -> Shown: ...

    def keys(self, text: str) -> Shown: ...

    def keys_twice(self, text: str) -> list[Shown]: ...

    def keys_octets(self, octets: bytes) -> Shown: ...

    def hangs_up(self) -> None: ...


class Speaker(Protocol):
    """A channel's far side; `came` is what reached the dialogue, in order."""

    came: list[Any]

    def handset(self, msisdn: str, session: int) -> Handset: ...

    def close(self) -> None: ...


# HTTP: the whole way through the web


class HttpSpeaker:
    """An aggregator that posts to the channel `here`."""

    def __init__(self, world: World, dialect: Any, handset: Callable[..., Handset]) -> None:
        answer = world.process()
        self.gateway: FakeGateway = fake_gateway()
        self.gateway.shows = lambda keyed: answer(keyed, NOON)  # type: ignore[assignment,return-value]
        self.gateway.dialects = {"here": dialect}
        channel = ChannelSettings("here", "x", "x", (TOKEN,), (), {})
        self.gateway.settings = replace(self.gateway.settings, channels={"here": channel})
        self.came = self.gateway.came
        self.client: FlaskClient = create_app(self.gateway, lambda: NOON).test_client()  # type: ignore[arg-type]
        self._handset = handset

    def handset(self, msisdn: str, session: int) -> Handset:
        return self._handset(self.client, msisdn, session)

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class FormHandset:
    """Africa's Talking."""

    client: FlaskClient
    msisdn: str
    session: int
    text: str = ""

    def dials(self) -> Shown:
        return self._post()

    def keys(self, text: str) -> Shown:
        self.text = f"{self.text}*{text}" if self.text else text
        return self._post()

    def keys_twice(self, text: str) -> list[Shown]:
        return [self.keys(text), self._post()]

    def keys_octets(self, octets: bytes) -> Shown:
        return self.keys(octets.decode("utf-8", "surrogateescape"))

    def hangs_up(self) -> None:
        assert self.client.post(f"/in/here/{TOKEN}/ussd-end", data=self._form()).status_code == 200

    def _form(self) -> dict[str, str]:
        sample = (SAMPLES / "africastalking" / "ussd.form").read_text()
        form = dict(parse_qsl(sample, keep_blank_values=True))
        own = {"sessionId": f"ATUid_{self.session}", "phoneNumber": f"+{self.msisdn}"}
        return {**form, **own, "text": self.text}

    def _post(self) -> Shown:
        form = {
            name: value.encode("utf-8", "surrogateescape") for name, value in self._form().items()
        }
        reply = self.client.post(f"/in/here/{TOKEN}/ussd", data=form)
        assert reply.status_code == 200
        says, _, text = reply.text.partition(" ")
        return Shown(text, {"CON": False, "END": True}[says])


@dataclass
class JsonHandset:
    """Beem."""

    client: FlaskClient
    msisdn: str
    session: int
    count: int = 0

    def dials(self) -> Shown:
        return self._post("ussd_initiate")

    def keys(self, text: str) -> Shown:
        self.count += 1
        return self._post("ussd_continue", {"request_id": self.count, "response": text})

    def keys_twice(self, text: str) -> list[Shown]:
        first = self.keys(text)
        return [first, self._post("ussd_continue", {"request_id": self.count, "response": text})]

    def keys_octets(self, octets: bytes) -> Shown:
        said = json.dumps(self._said("ussd_continue", {"request_id": 1, "response": "@"}))
        return self._sends(said.encode().replace(b"@", octets))

    def hangs_up(self) -> None:
        reply = self._post("ussd_terminate", {})
        assert reply == Shown("", ends=True)

    def _said(self, name: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((SAMPLES / "beem" / f"{name}.json").read_text())
        own = {"msisdn": self.msisdn, "session_id": f"s{self.session}"}
        return {**said, **own, "payload": said["payload"] if payload is None else payload}

    def _post(self, name: str, payload: dict[str, Any] | None = None) -> Shown:
        return self._sends(json.dumps(self._said(name, payload)).encode())

    def _sends(self, body: bytes) -> Shown:
        path = f"/in/here/{TOKEN}/ussd"
        reply = self.client.post(path, data=body, content_type="application/json")
        assert (reply.status_code, reply.content_type) == (200, "application/json")
        assert reply.json
        assert (reply.json["msisdn"], reply.json["session_id"]) == (self.msisdn, f"s{self.session}")
        return Shown(reply.json["payload"]["request"], reply.json["command"] == "terminate")


# SMPP: a real socket, PDU by PDU


def octets_of(name: str) -> bytes:
    """The octets of one sample PDU."""
    lines = (SAMPLES / "smpp_ussd" / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))


def deliver_of(name: str) -> Delivered:
    return read_delivered(octets_of(name)[16:])


@dataclass(frozen=True)
class Written:
    """How a style spells sessions and ends, written here a second time on purpose."""

    tag: int
    step: int  # between the session numbers of two dialogues
    ends_by_bit: bool
    last_operation: int


STYLES = {
    "tata": Written(INFO, 0x100, True, 0x02),
    "mica": Written(REFERENCE, 1, False, 0x17),
    "sixdee": Written(INFO, 2, True, 0x17),
}


class SmppSpeaker:
    """A USSD gateway on the other end of one bind. `gate` holds answers back while it is clear."""

    def __init__(self, world: World, style: str, **options: object) -> None:
        self.style, self.gate = style, threading.Event()
        self.came: list[Any] = []
        self.gate.set()
        answer = world.process()

        def answered(keyed: Keyed) -> Shown:
            self.came.append(keyed)
            assert self.gate.wait(PATIENCE)
            return answer(keyed, NOON)

        self.peer = Peer()
        login = {"host": "127.0.0.1", "port": self.peer.port, "system_id": "e", "password": "s"}
        given = {**login, "response_s": 2, "ussd_style": style, **options}
        self.channel = smpp.build("here", given)
        self.channel.open(
            self.came.extend,
            self.came.extend,
            Answering(answered, lambda: SORRY["sw"]),
        )
        welcomer = threading.Thread(target=self.peer.welcome)
        welcomer.start()
        self.channel.keep_bound()
        welcomer.join()
        self._sequence = 100

    def handset(self, msisdn: str, session: int) -> "PduHandset":
        return PduHandset(self, msisdn, session)

    def close(self) -> None:
        self.gate.set()
        self.peer.close()
        self.channel.close()

    def says(self, *bodies: bytes) -> None:
        """Delivers them in one write."""
        octets = b""
        for body in bodies:
            self._sequence += 1
            octets += pdu.encode(pdu.DELIVER_SM, 0, self._sequence, body)
        self.peer.raw(octets)

    def hears(self, answers: int, screens: int, status: int = 0) -> list[Delivered]:
        """Hears so many answers to deliver_sm, all of them good, and so many screens, which it
        answers with that status."""
        shown: list[Delivered] = []
        for one in self.peer.hear_all(answers + screens):
            if one.command == pdu.SUBMIT_SM:
                shown.append(read_delivered(one.body))
                self.peer.say(SUBMIT_RESP, status, one.sequence, b"" if status else b"7\0")
            else:
                assert (one.command, one.status) == (DELIVER_RESP, 0)
        assert len(shown) == screens
        return shown


@dataclass
class PduHandset:
    """One dialogue over SMPP."""

    speaker: SmppSpeaker
    msisdn: str
    session: int

    def dials(self) -> Shown:
        self.speaker.says(self.body("first"))
        return self._shown()[0]

    def keys(self, text: str) -> Shown:
        self.speaker.says(self._keyed(text))
        return self._shown()[0]

    def keys_twice(self, text: str) -> list[Shown]:
        before = len(self.speaker.came)
        self.speaker.gate.clear()
        self.speaker.says(self._keyed(text), self._keyed(text))
        self.speaker.hears(answers=2, screens=0)
        self.speaker.gate.set()
        screens = self._shown(answers=0)
        assert len(self.speaker.came) == before + 1
        return screens

    def keys_octets(self, octets: bytes) -> Shown:
        self.speaker.says(self.body("next", octets, 8))
        return self._shown()[0]

    def hangs_up(self) -> None:
        self.speaker.says(self.body("over"))
        self.speaker.hears(answers=1, screens=0)

    def body(self, name: str, octets: bytes | None = None, coding: int = 0) -> bytes:
        """The sample's body with this handset's MSISDN, session and text."""
        sample = deliver_of(f"{self.speaker.style}_{name}")
        written = STYLES[self.speaker.style]
        number = int.from_bytes(sample.tlvs[written.tag], "big") + self.session * written.step
        tlvs = {**sample.tlvs, written.tag: number.to_bytes(2, "big")}
        return submit_body(
            SubmitFields(
                source=Address(1, 1, self.msisdn),
                destination=Address(0, 0, sample.destination_addr),
                short_message=sample.short_message if octets is None else octets,
                data_coding=coding,
                tlvs=tlvs,
            )
        )

    def _keyed(self, text: str) -> bytes:
        if gsm7.septets(text) is None:
            return self.body("next", text.encode("utf-16-be"), 8)
        return self.body("next", gsm7.encode(text))

    def _shown(self, answers: int = 1) -> list[Shown]:
        written = STYLES[self.speaker.style]
        screens = []
        for screen in self.speaker.hears(answers, screens=1):
            assert screen.destination_addr == self.msisdn
            assert screen.registered_delivery == 0
            session = int.from_bytes(screen.tlvs[written.tag], "big")
            by_bit = bool(session & 1) and written.ends_by_bit
            by_operation = screen.tlvs[OP][0] == 0x17
            assert by_bit == by_operation or self.speaker.style != "sixdee"
            screens.append(Shown(text_of(screen), by_bit or by_operation))
        return screens


SPEAKERS: dict[str, Callable[[World], Speaker]] = {
    "africastalking": lambda world: HttpSpeaker(
        world, AfricasTalkingCallbacks("here"), FormHandset
    ),
    "beem": lambda world: HttpSpeaker(world, BeemCallbacks("here"), JsonHandset),
    "smpp tata": lambda world: SmppSpeaker(world, "tata"),
    "smpp mica": lambda world: SmppSpeaker(world, "mica"),
    "smpp sixdee": lambda world: SmppSpeaker(world, "sixdee"),
}
