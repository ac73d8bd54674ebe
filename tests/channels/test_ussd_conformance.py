"""Every USSD channel gives the same dialogue the same screens, whoever speaks on its far side."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.channels.ussd_speakers import SAMPLES, SPEAKERS, Handset, Speaker, deliver_of
from tests.fakes.dialogue import MENUS, World
from tests.fakes.served_menus import ServedMenus
from ussdapp.channels import africastalking, beem, smpp
from ussdapp.core.menu import Menu
from ussdapp.core.session import Shown
from ussdapp.stores.menu_files import read_menu
from ussdapp.wire.http import BadRequest, WireRequest
from ussdapp.wire.ussd_tlvs import read_ussd

ASHA, JUMA = "255754000123", "255754000124"
BACK = "0 Rudi  00 Mwanzo"
FIRST = Shown("Karibu\n1 Andika\n2 Maliza", ends=False)
ASKS = Shown(f"Andika maneno yako:\n{BACK}", ends=False)
SHORT = Shown(f"Ni mafupi mno, mfano: Maji\n{BACK}", ends=False)
WRONG = Shown("Chaguo si sahihi.\nKaribu\n1 Andika\n2 Maliza", ends=False)
THANKS = Shown("Asante", ends=True)
LONGEST = "Maji hayatoki " * 13  # 182 characters


def wrote(words: str) -> Shown:
    return Shown(f"Umeandika: {words}\n1 Tuma\n{BACK}", ends=False)


# what is keyed after dialling, and every screen from the first on
DIALOGUES: dict[str, tuple[tuple[str, ...], tuple[Shown, ...]]] = {
    "a first key": ((), (FIRST,)),
    "a next key": (("1",), (FIRST, ASKS)),
    "a wrong key": (("7",), (FIRST, WRONG)),
    "to the end": (("1", "Maji", "1"), (FIRST, ASKS, wrote("Maji"), THANKS)),
    "the same key twice in a row": (("1", "1", "11"), (FIRST, ASKS, SHORT, wrote("11"))),
    "stars in words": (("1", "2*3 na *4#"), (FIRST, ASKS, wrote("2*3 na *4#"))),
    "words like a path": (("1", "1*1", "1"), (FIRST, ASKS, wrote("1*1"), THANKS)),
    "back": (("1", "0", "2"), (FIRST, ASKS, FIRST, THANKS)),
    "back after words": (("1", "Maji", "0", "Umeme"), (FIRST, ASKS, wrote("Maji"), ASKS,
                                                        wrote("Umeme"))),
    "home": (("1", "Maji", "00"), (FIRST, ASKS, wrote("Maji"), FIRST)),
    "escapes of GSM-7": (("1", "{a} [b] ~c €5"), (FIRST, ASKS, wrote("{a} [b] ~c €5"))),
}  # fmt: skip


@cache
def menu() -> Menu:
    """The suite's screens under the shared sentences of the shipped menu."""
    whole = (MENUS / "main.toml").read_text("utf-8").partition("\n[mwanzo]")[0]
    shared = whole.replace('returns = ["mwanzo", "zaidi"]\n', "")
    screens = (SAMPLES / "conformance.toml").read_text("utf-8")
    with TemporaryDirectory() as folder:
        (Path(folder) / "main.toml").write_text(f"{shared}\n{screens}", "utf-8")
        return read_menu(Path(folder), {})


@pytest.fixture(params=SPEAKERS)
def speaker(request: pytest.FixtureRequest) -> Iterator[Speaker]:
    made: Callable[[World], Speaker] = SPEAKERS[request.param]
    speaker = made(World(menus=ServedMenus(menu())))
    yield speaker
    speaker.close()


@pytest.fixture
def handset(speaker: Speaker) -> Handset:
    return speaker.handset(ASHA, 1)


@pytest.mark.parametrize(("keys", "screens"), DIALOGUES.values(), ids=DIALOGUES)
def test_a_dialogue_shows_the_same_screens_on_every_channel(
    handset: Handset, keys: tuple[str, ...], screens: tuple[Shown, ...]
) -> None:
    assert (handset.dials(), *map(handset.keys, keys)) == screens


def test_an_input_as_long_as_a_ussd_string_arrives_whole(
    speaker: Speaker, handset: Handset
) -> None:
    handset.dials()
    handset.keys("1")
    shown = handset.keys(LONGEST)
    assert len(LONGEST) == 182
    assert speaker.came[-1].text.endswith(LONGEST)
    assert shown.text.startswith("Umeandika: Maji hayatoki")


def test_an_input_in_ucs_2_arrives_as_it_was_typed(speaker: Speaker, handset: Handset) -> None:
    handset.dials()
    handset.keys("1")
    assert handset.keys("Maji № 水 😀") == wrote("Maji ? ? ?")
    assert speaker.came[-1].text.endswith("Maji № 水 😀")


@pytest.mark.parametrize(
    "octets", [b"\xff\xfe\x80Ma", b"\xd8\x00\x00M\x00a", b"\xed\xa0\x80Ma", b"\x80"],
    ids=["no UTF-8", "half a pair", "half a pair in UTF-8", "one octet"],
)  # fmt: skip
def test_a_wrong_encoding_is_answered_and_leaves_no_half_character(
    speaker: Speaker, handset: Handset, octets: bytes
) -> None:
    handset.dials()
    handset.keys("1")
    assert handset.keys_octets(octets).text
    for keyed in speaker.came:
        keyed.text.encode()


def test_a_repeated_first_request_shows_the_first_screen_again(speaker: Speaker) -> None:
    assert [speaker.handset(ASHA, 1).dials() for _ in range(2)] == [FIRST, FIRST]
    assert speaker.handset(ASHA, 1).keys("2") == THANKS


def test_a_repeated_request_goes_no_step_further(speaker: Speaker, handset: Handset) -> None:
    handset.dials()
    handset.keys("1")
    assert set(handset.keys_twice("11")) == {wrote("11")}
    assert handset.keys("0") == ASKS


def test_a_dialogue_that_was_left_is_not_answered_and_is_offered_on_the_next_dial(
    speaker: Speaker, handset: Handset
) -> None:
    handset.dials()
    handset.keys("1")
    before = len(speaker.came)
    handset.hangs_up()
    assert len(speaker.came) == before, "no key reached the dialogue"
    again = speaker.handset(ASHA, 2)
    assert again.dials().text.startswith("Endelea ulipoishia?")
    assert again.keys("2") == FIRST


def test_two_msisdns_with_one_session_id_are_two_dialogues(speaker: Speaker) -> None:
    asha, juma = speaker.handset(ASHA, 1), speaker.handset(JUMA, 1)
    assert (asha.dials(), asha.keys("1")) == (FIRST, ASKS)
    assert juma.dials() == FIRST
    assert asha.keys("Maji") == wrote("Maji")
    assert juma.keys("2") == THANKS


def test_a_key_of_a_dialogue_nobody_knows_begins_anew_and_says_so(
    request: pytest.FixtureRequest, speaker: Speaker, handset: Handset
) -> None:
    if request.node.callspec.params["speaker"] == "africastalking":
        pytest.skip("all that was keyed comes each time, so nothing is lost")
    assert handset.keys("1") == Shown(f"Samahani, tuanze upya.\n{FIRST.text}", ends=False)
    assert handset.keys("1") == ASKS


def form(**lacks: str) -> WireRequest:
    said = {"sessionId": "ATUid_1", "phoneNumber": f"+{ASHA}", "text": "1", **lacks}
    return WireRequest({name: value for name, value in said.items() if value})


def said(**lacks: object) -> WireRequest:
    whole = {"command": "continue", "msisdn": ASHA, "session_id": "4574", "operator": "vodacom"}
    whole |= {"payload": {"request_id": 1, "response": "1"}, **lacks}  # type: ignore[dict-item]
    return WireRequest({}, body=json.dumps(whole).encode())


def delivered(style: str, **lacks: object) -> Callable[[], object]:
    whole = deliver_of(f"{style}_next")
    if "lacks" in lacks:
        lacks = {"tlvs": {tag: value for tag, value in whole.tlvs.items() if tag != lacks["lacks"]}}
    return lambda: read_ussd(replace(whole, **lacks), smpp.STYLES[style])  # type: ignore[arg-type]


AT, BEEM = africastalking.AfricasTalkingCallbacks("at"), beem.BeemCallbacks("beem")
LACKING: dict[str, tuple[Callable[[], object], str]] = {
    "africastalking: session": (lambda: AT.read_ussd(form(sessionId="")), "session_id"),
    "africastalking: MSISDN": (lambda: AT.read_ussd(form(phoneNumber="")), "phone_number"),
    "beem: session": (lambda: BEEM.read_ussd(said(session_id=None)), "session_id"),
    "beem: MSISDN": (lambda: BEEM.read_ussd(said(msisdn="vodacom")), "msisdn"),
    "beem: command": (lambda: BEEM.read_ussd(said(command="")), "command"),
    "beem: input": (lambda: BEEM.read_ussd(said(payload={})), "response"),
    "beem: JSON": (lambda: BEEM.read_ussd(WireRequest({}, body=b"a=b")), "json"),
    "tata: session": (delivered("tata", lacks=0x1383), "its_session_info"),
    "tata: operation": (delivered("tata", lacks=0x0501), "ussd_service_op"),
    "tata: MSISDN": (delivered("tata", source_addr=""), "source_addr"),
    "mica: session": (delivered("mica", lacks=0x0204), "user_message_reference"),
    "mica: operation": (delivered("mica", lacks=0x0501), "ussd_service_op"),
    "mica: MSISDN": (delivered("mica", source_addr="M-PESA"), "source_addr"),
    "sixdee: session": (delivered("sixdee", lacks=0x1383), "its_session_info"),
    "sixdee: operation": (delivered("sixdee", lacks=0x0501), "ussd_service_op"),
    "sixdee: MSISDN": (delivered("sixdee", source_addr="152"), "source_addr"),
}


@pytest.mark.parametrize(("reads", "code"), LACKING.values(), ids=LACKING)
def test_what_lacks_a_field_is_refused_with_a_code_that_holds_nothing_of_it(
    reads: Callable[[], object], code: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        reads()
    assert refusal.value.code == code
    assert ASHA not in f"{refusal.value!r}"


def test_what_tells_a_dialogue_is_data_beside_each_document() -> None:
    facts: dict[str, Any] = {
        "africastalking": africastalking.USSD,
        "beem": beem.USSD,
        **{f"smpp {name}": style for name, style in smpp.STYLES.items()},
    }
    assert set(facts) == set(SPEAKERS)
    told = {
        name: (fact.session_named_by, fact.first_told_by, fact.cumulative)
        for name, fact in facts.items()
    }
    assert told == {
        "africastalking": ("sessionId", ("text", ""), True),
        "beem": ("session_id", ("command", "initiate"), False),
        "smpp tata": (0x1383, 0x01, False),
        "smpp mica": (0x0204, 0x01, False),
        "smpp sixdee": (0x1383, 0x01, False),
    }
