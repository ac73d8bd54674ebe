"""Hostile input on every inbound path: never a 500, and never a word of it in a log."""

from urllib.parse import quote

import pytest

from tests.e2e.system import Answer, System
from tests.fakes.patience import until

CITIZEN = "255754000301"
HOSTILE = {
    "ten thousand characters": "mvua" * 2500,
    "NUL": "maji\x00machafu",
    "controls": "maji\x01\x02\x1b[31m\x7f",
    "right to left": "maji \u202eufahcam",
    "a lone surrogate": "maji \ud800 machafu",
    "emoji": "asante 🙏🏾" * 30,
    "a template": "{{7*7}} ${jndi:ldap://x} %(x)s {kumbukumbu}",
    "SQL": "'; DROP TABLE cases; -- ' OR 1=1",
    "line breaks": "maji\r\nSet-Cookie: x=1\r\n\r\nmachafu",
    "stars": "****#*00#**",
    "nothing": "",
}
CANARY = "kanarikanari"


def sane(answer: Answer) -> bool:
    return answer.status < 500 or answer.status == 503


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_path_breaks(system: System, text: str) -> None:
    words = f"{text}{CANARY}"
    for path in (
        (),
        ("9", "2"),
        ("9", "2", "1", "1"),
        ("9", "2", "1", "1", "EGA"),
        ("9", "2", "2"),
    ):
        keys = "*".join((*path, words))
        answer = system.ussd(f"hostile-{hash(keys)}", CITIZEN, keys)
        assert answer.status == 200
        assert answer.text.startswith(("CON ", "END "))
        assert "Traceback" not in answer.text
    for sent in (words, f"LALAMIKO EGA {words}", f"HALI {words}", f"ACHA {words}"):
        assert system.sms(f"hostile-{hash(sent)}", CITIZEN, sent).status == 200
    for fields in (
        {"id": words, "status": words, "phoneNumber": words, "failureReason": words},
        {"senderId": words, "phoneNumber": f"+{CITIZEN}"},
        {words: words},
    ):
        for what in ("ussd", "ussd-end", "sms", "receipt", "optout", "no-such-thing"):
            assert sane(system.callback(what, "africastalking", **fields))
    assert sane(system.reply("1234-5678-9018", words))
    assert sane(system.reply(quote(words[:300], errors="replace"), "Habari"))


def test_a_filed_complaint_keeps_its_hostile_words_and_shows_them_harmlessly(
    system: System,
) -> None:
    juma = "255713000302"
    words = "Maji {{7*7}} {taasisi} 100% 'OR' \u202e*1*1 🙏"
    keys = ("9", "2", "1", "1", "EGA")
    system.dial("kept", juma, *keys)
    confirm = system.dial("kept", juma, *keys, words, "1")[-1]
    assert "{{7*7}} {taasisi} 100% 'OR'" in confirm
    end = system.dial("kept", juma, *keys, words, "1", "1")[-1]
    assert end.startswith("END Mrejesho wako umepokelewa")


def test_nothing_that_was_said_or_dialled_is_in_the_log(system: System) -> None:
    system.sms("log-1", CITIZEN, f"MSAADA {CANARY}")
    until(lambda: system.ledger(CITIZEN))
    log = system.log.read_text()
    secrets = [*system.demo["inbound"].values(), system.demo["api_key"]]
    said = [CANARY, CITIZEN, CITIZEN[3:], "machafu", "Tumepokea", *secrets]
    assert [word for word in said if word in log] == []
    assert "Traceback" not in log
