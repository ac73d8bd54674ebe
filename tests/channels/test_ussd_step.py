"""Who watches a dialogue is told its screen and version, by the web application's own answer."""

from urllib.parse import urlencode

import pytest

from tests.channels.ussd_speakers import FormHandset, HttpSpeaker
from tests.fakes.dialogue import ASHA, JUMA, World, real_menu
from tests.fakes.web import TOKEN
from ussdapp.channels.africastalking import AfricasTalkingCallbacks

HOP = "at-ussd-hop-metadata"


@pytest.fixture
def speaker() -> HttpSpeaker:
    return HttpSpeaker(World(), AfricasTalkingCallbacks("here"), FormHandset)


def hop(speaker: HttpSpeaker, text: str, session: str = "s1", msisdn: str = ASHA.digits) -> str:
    form = {"sessionId": session, "phoneNumber": f"+{msisdn}", "serviceCode": "*152*00#"}
    reply = speaker.client.post(
        f"/in/here/{TOKEN}/ussd",
        data=urlencode({**form, "text": text}),
        content_type="application/x-www-form-urlencoded",
    )
    assert reply.status_code == 200
    return reply.headers.get(HOP, "")


@pytest.mark.parametrize(
    ("text", "screen"),
    [
        ("", "main.mwanzo"),
        ("9*2", "emrejesho.mwanzo"),
        ("9*2*1*1", "emrejesho.taasisi"),
        ("9*2*1*1*ega*Maji hayatoki*1", "emrejesho.thibitisha"),
        ("9*2*77", "emrejesho.mwanzo"),
    ],
)
def test_each_step_names_its_screen_and_version(
    speaker: HttpSpeaker, text: str, screen: str
) -> None:
    assert hop(speaker, text) == f"{screen}@{real_menu().version}"


def test_an_offer_to_go_on_has_a_name_as_well(speaker: HttpSpeaker) -> None:
    hop(speaker, "")
    hop(speaker, "9*2")
    assert hop(speaker, "", "s2") == f"resume@{real_menu().version}"


def test_a_repeat_names_the_screen_it_shows(speaker: HttpSpeaker) -> None:
    for text in ("", "9", "9*2"):
        hop(speaker, text)
    assert hop(speaker, "9") == f"main.zaidi@{real_menu().version}"


def test_the_name_holds_nothing_of_a_citizen(speaker: HttpSpeaker) -> None:
    told = hop(speaker, "9*2*1*1*ega*Maji hayatoki Mbezi", msisdn=JUMA.digits)
    assert "Mbezi" not in told
    assert JUMA.digits not in told
