"""USSD over SMPP, PDU by PDU: what each style reads and writes, and what goes wrong."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.channels.ussd_speakers import PduHandset, SmppSpeaker, deliver_of, octets_of
from tests.fakes.dialogue import World
from tests.fakes.patience import PATIENCE, until
from tests.fakes.web import SORRY
from ussdapp.channels.smpp import read_options
from ussdapp.channels.smpp.styles import STYLES
from ussdapp.core.inbound import Keyed, Mo
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown
from ussdapp.ports import Submission, Submitted
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, Delivered, SubmitFields, read_delivered, submit_body
from ussdapp.wire.receipt_text import text_of
from ussdapp.wire.ussd_dialogues import Answering
from ussdapp.wire.ussd_tlvs import Screens, read_ussd, screen_body

ASHA = "255754000123"
CODE = "*152*00#"
SCREENS = Screens((3, 0), "", 140)
LOGIN = {"host": "h", "port": 1, "system_id": "ega", "password": "secret"}


# what each style reads and writes


@pytest.mark.parametrize("style", STYLES)
def test_a_screen_is_written_as_the_sample_says(style: str) -> None:
    first = read_ussd(deliver_of(f"{style}_first"), STYLES[style])
    body, was_cut = screen_body(first, STYLES[style], SCREENS, Shown("Karibu\n1 Maji", ends=False))
    assert body == octets_of(f"{style}_screen")[16:]
    assert not was_cut


@pytest.mark.parametrize("style", STYLES)
def test_a_last_screen_is_written_as_the_sample_says(style: str) -> None:
    said = replace(read_ussd(deliver_of(f"{style}_next"), STYLES[style]), service_code=CODE)
    body, _ = screen_body(said, STYLES[style], SCREENS, Shown("Asante", ends=True))
    assert body == octets_of(f"{style}_last")[16:]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tata_first", "first"), ("tata_next", "next"), ("tata_over", "over"),
        ("tata_over_by_operation", "over"),
        ("mica_first", "first"), ("mica_next", "next"), ("mica_over", "over"),
        ("mica_unknown_operation", "next"),
        ("sixdee_first", "first"), ("sixdee_next", "next"), ("sixdee_over", "over"),
        ("sixdee_over_by_bit", "over"), ("sixdee_unknown_operation", "next"),
    ],
)  # fmt: skip
def test_a_request_is_first_next_or_over_as_its_style_tells(name: str, says: str) -> None:
    style = name.partition("_")[0]
    said = read_ussd(deliver_of(name), STYLES[style])
    assert (said.says, said.msisdn) == (says, Msisdn(ASHA))
    assert said.text == ("1" if says == "next" else "")


def test_an_operation_tata_does_not_know_ends_the_dialogue_rather_than_keep_it_open() -> None:
    odd = replace(deliver_of("tata_next"), tlvs={0x0501: b"\x99", 0x1383: b"\x16\x2e"})
    assert read_ussd(odd, STYLES["tata"]).says == "over"


@pytest.mark.parametrize("style", STYLES)
def test_the_code_is_read_where_the_style_writes_it(style: str) -> None:
    first = deliver_of(f"{style}_first")
    assert read_ussd(first, STYLES[style]).service_code == CODE
    options = read_options({**LOGIN, "ussd_style": style, "ussd_code_in": "destination_addr"})
    assert options.ussd
    assert read_ussd(first, options.ussd[0]).service_code == first.destination_addr


def test_what_was_dialled_is_no_code_unless_it_looks_like_one() -> None:
    odd = replace(deliver_of("mica_first"), short_message=b"\x00 nani?")
    assert read_ussd(odd, STYLES["mica"]).service_code == "152"


def test_a_session_keeps_its_reference_though_its_second_octet_counts_on() -> None:
    first, following = (
        read_ussd(deliver_of(f"tata_{name}"), STYLES["tata"]) for name in ("first", "next")
    )
    assert first.session != following.session
    assert first.reference == following.reference


@pytest.mark.parametrize(
    ("coding", "octets"),
    [(0, b"Maji 1"), (0x0F, b"Maji 1"), (1, b"Maji 1"), (8, "Maji 1".encode("utf-16-be")),
     (0x48, "Maji 1".encode("utf-16-be"))],
    ids=["default", "USSD string, GSM-7", "ASCII", "UCS-2", "USSD string, UCS-2"],
)  # fmt: skip
def test_what_was_keyed_is_read_in_the_alphabet_it_names(coding: int, octets: bytes) -> None:
    keyed = replace(deliver_of("mica_next"), data_coding=coding, short_message=octets)
    assert read_ussd(keyed, STYLES["mica"]).text == "Maji 1"


# how much fits


@pytest.mark.parametrize(
    ("octets", "text", "shown"),
    [
        (140, "x" * 160, "x" * 160),
        (140, "x" * 161, "x" * 157 + "..."),
        (140, "{" * 81, "{" * 78 + "..."),
        (140, "№" * 70, "№" * 70),
        (140, "№" * 71, "№" * 67 + "..."),
        (130, "№" * 70, "№" * 62 + "..."),
        (160, "x" * 182, "x" * 182),
    ],
    ids=["160 septets", "161", "escapes", "70 units", "71", "130 octets", "all that USSD carries"],
)
def test_a_screen_takes_as_many_octets_as_its_channel_allows(
    octets: int, text: str, shown: str
) -> None:
    said = read_ussd(deliver_of("tata_first"), STYLES["tata"])
    screens = replace(SCREENS, octets=octets)
    body, was_cut = screen_body(said, STYLES["tata"], screens, Shown(text, ends=False))
    assert text_of(read_delivered(body)) == shown
    assert was_cut == (text != shown)
    assert not read_delivered(body).esm_class, "a USSD screen never has a header"


def test_half_a_character_does_not_leave() -> None:
    said = read_ussd(deliver_of("tata_first"), STYLES["tata"])
    body, _ = screen_body(said, STYLES["tata"], SCREENS, Shown("\ud800 № " * 40, ends=False))
    assert "\ufffd" not in text_of(read_delivered(body))


def test_a_service_type_is_written_where_one_is_asked_for() -> None:
    said = read_ussd(deliver_of("tata_first"), STYLES["tata"])
    screens = replace(SCREENS, service_type="USSD")
    body, _ = screen_body(said, STYLES["tata"], screens, Shown("Karibu", ends=False))
    assert body.startswith(b"USSD\0\x03\x00*152*00#\0")
    assert text_of(read_delivered(body)) == "Karibu"


@pytest.mark.parametrize(
    "wrong",
    [{"ussd_style": "comviva"}, {"ussd_style": 1}, {"ussd_octets": 161}, {"ussd_octets": 0},
     {"ussd_code_in": "body"}, {"ussd_service_type": "USSD23"}],
)  # fmt: skip
def test_a_wrong_option_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        read_options({**LOGIN, "ussd_style": "tata", **wrong})


# over a bind


@pytest.fixture
def spoken() -> Iterator[Callable[..., SmppSpeaker]]:
    made: list[SmppSpeaker] = []

    def make(style: str = "sixdee", **options: object) -> SmppSpeaker:
        made.append(SmppSpeaker(World(), style, **options))
        return made[-1]

    yield make
    for speaker in made:
        speaker.close()


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with capture_logs() as logs:
        yield logs  # type: ignore[misc]


def events(logs: list[dict[str, object]], event: str) -> list[object]:
    return [log.get("code") for log in logs if log["event"] == event]


def test_a_dialogue_whose_number_comes_round_again_is_a_new_one(
    spoken: Callable[..., SmppSpeaker],
) -> None:
    speaker = spoken()
    for _ in range(2):
        handset = speaker.handset(ASHA, 1)
        handset.dials()
        handset.keys("9")
    sessions = [keyed.session_id for keyed in speaker.came]
    assert sessions[0] == sessions[1] != sessions[2] == sessions[3]


def test_the_code_that_was_dialled_stays_the_sender_of_every_screen(
    spoken: Callable[..., SmppSpeaker],
) -> None:
    speaker = spoken()
    handset = speaker.handset(ASHA, 1)
    handset.dials()
    speaker.says(handset.body("next", b"9"))
    (screen,) = speaker.hears(answers=1, screens=1)
    assert screen.source_addr == CODE
    assert {keyed.service_code for keyed in speaker.came} == {CODE}


def dialled_slowly(spoken: Callable[..., SmppSpeaker]) -> tuple[SmppSpeaker, PduHandset]:
    """A dialogue that was asked for its first screen and has not shown it yet."""
    speaker = spoken()
    handset = speaker.handset(ASHA, 1)
    speaker.gate.clear()
    speaker.says(handset.body("first"))
    speaker.hears(answers=1, screens=0)
    return speaker, handset


def test_a_screen_of_a_bind_that_is_gone_is_logged_as_not_shown(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker, _ = dialled_slowly(spoken)
    speaker.peer.hang_up()
    until(lambda: not speaker.channel.bound)
    speaker.gate.set()
    until(lambda: events(logs, "ussd.not_shown") == ["unbound"])


def test_a_screen_the_network_refuses_is_logged_as_not_shown(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker = spoken()
    speaker.says(speaker.handset(ASHA, 1).body("first"))
    speaker.hears(answers=1, screens=1, status=0x0B)
    until(lambda: events(logs, "ussd.not_shown") == ["ESME_RINVDSTADR"])


def test_a_screen_the_network_was_too_busy_for_is_written_again(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker = spoken()
    speaker.says(speaker.handset(ASHA, 1).body("first"))
    (throttled,) = speaker.hears(answers=1, screens=1, status=0x58)
    (again,) = speaker.hears(answers=0, screens=1)
    assert again == throttled
    assert speaker.handset(ASHA, 1).keys("9").text
    assert events(logs, "ussd.not_shown") == []
    assert len(speaker.came) == 2, "the dialogue was asked once a key"


def test_a_screen_is_not_written_to_a_dialogue_that_was_left_meanwhile(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker, handset = dialled_slowly(spoken)
    handset.hangs_up()
    speaker.gate.set()
    until(lambda: events(logs, "ussd.not_shown") == ["ended"])
    assert speaker.handset(ASHA, 2).dials().text


def test_a_citizen_reads_a_sentence_when_the_dialogue_is_broken(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker = spoken()

    def breaks(_keyed: Keyed) -> Shown:
        raise ZeroDivisionError

    speaker.channel.open(
        speaker.came.extend, speaker.came.extend, Answering(breaks, lambda: SORRY["sw"])
    )
    assert speaker.handset(ASHA, 1).dials() == Shown(SORRY["sw"], ends=True)
    assert [log["error"] for log in logs if log["event"] == "ussd.broken"] == ["ZeroDivisionError"]


def test_what_cannot_be_read_is_answered_logged_and_stops_nobody(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker = spoken()
    nobody = deliver_of("sixdee_first")
    body = submit_body(
        SubmitFields(
            source=Address(1, 1, nobody.destination_addr),
            destination=Address(0, 0, "152"),
            short_message=b"",
            tlvs=nobody.tlvs,
        )
    )
    speaker.says(body, speaker.handset(ASHA, 1).body("first"))
    (screen,) = speaker.hears(answers=2, screens=1)
    assert screen.destination_addr == ASHA
    assert events(logs, "ussd.malformed") == ["source_addr"]


def test_a_slow_dialogue_holds_up_neither_texts_nor_another_dialogue(
    spoken: Callable[..., SmppSpeaker],
) -> None:
    speaker = spoken()
    slow = threading.Event()

    def answer(keyed: Keyed) -> Shown:
        if keyed.msisdn.digits == ASHA:
            assert slow.wait(PATIENCE)
        return Shown("Karibu", ends=False)

    mos: list[Mo] = []
    speaker.channel.open(lambda receipts: None, mos.extend, Answering(answer, lambda: ""))
    speaker.says(speaker.handset(ASHA, 1).body("first"))
    speaker.hears(answers=1, screens=0)
    assert speaker.handset("255754000124", 1).dials() == Shown("Karibu", ends=False)
    plain = submit_body(SubmitFields(Address(1, 1, ASHA), Address(3, 0, "15200"), b"MSAADA"))
    speaker.says(plain)
    speaker.hears(answers=1, screens=0)
    assert [mo.text for mo in mos] == ["MSAADA"]
    slow.set()
    (screen,) = speaker.hears(answers=0, screens=1)
    assert screen.destination_addr == ASHA


def test_screens_the_network_leaves_unanswered_hold_up_nobody_else(
    spoken: Callable[..., SmppSpeaker], logs: list[dict[str, object]]
) -> None:
    speaker = spoken(response_s=5)
    count = 30
    speaker.says(*[speaker.handset(f"2557540{n:05}", 1).body("first") for n in range(count)])
    heard = [one.command for one in speaker.peer.hear_all(2 * count)]
    assert heard.count(pdu.SUBMIT_SM) == count, "though none of them was answered"
    assert speaker.handset(ASHA, 1).dials().text
    speaker.peer.hang_up()
    until(lambda: events(logs, "ussd.not_shown") == ["no_answer"] * count)


def test_a_screen_does_not_wait_for_a_bulk_that_waits_for_its_answers(
    spoken: Callable[..., SmppSpeaker],
) -> None:
    speaker = spoken(tps=50, response_s=10)
    rows = [Submission(n, 1, Msisdn(f"255754{n:06}"), "Habari", "15200") for n in range(100)]
    outcomes: list[object] = []
    bulk = threading.Thread(target=lambda: outcomes.extend(speaker.channel.submit(rows)))
    bulk.start()
    waiting = [speaker.peer.hear() for _ in range(3)]
    speaker.says(speaker.handset(ASHA, 1).body("first"))
    screen: Delivered | None = None
    while screen is None:
        one = speaker.peer.hear()
        if one.command == pdu.SUBMIT_SM and 0x0501 in read_delivered(one.body).tlvs:
            screen = read_delivered(one.body)
            speaker.peer.say(one.command | pdu.RESPONSE, 0, one.sequence, b"7\0")
        elif one.command == pdu.SUBMIT_SM:
            waiting.append(one)
    assert len(waiting) < len(rows), "most of the bulk had not left"
    while len(waiting) < len(rows):
        one = speaker.peer.hear()  # the answer to what was keyed may be among them
        waiting += [one] if one.command == pdu.SUBMIT_SM else []
    for one in waiting:
        speaker.peer.say(pdu.SUBMIT_SM | pdu.RESPONSE, 0, one.sequence, b"7\0")
    bulk.join(PATIENCE)
    assert outcomes == [Submitted(("7",))] * len(rows)
