"""A text to the short code: kept, understood, done, and answered once."""

import tomllib
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.fakes.kept import Kept
from ussdapp.core import gsm7
from ussdapp.core.inbound import Mo
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.parts import split
from ussdapp.core.reference import Reference
from ussdapp.core.routing import Route, Routes
from ussdapp.core.texts import Texts
from ussdapp.ports import Unavailable
from ussdapp.usecases.receive_mo import ReceiveMo

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
ASHA = Msisdn("255754000001")
MENUS = Path(__file__).parents[2] / "menus"
TEXTS = Texts(tomllib.loads((MENUS / "sms.toml").read_text("utf-8")))
ONE = Reference.numbered(1)


def receiving(kept: Kept, numbers: list[int] | None = None) -> ReceiveMo:
    drawn = iter(numbers) if numbers else count(1)
    return ReceiveMo(
        mos=kept, cases=kept, dialogues=kept, institutions=kept, notifications=kept,
        opt_outs=kept, doorbells=kept,
        letters=Letters(TEXTS, Routes((Route("", "sandbox"),)), "15200", "*152*00#"),
        new_reference=lambda: Reference.numbered(next(drawn)),
    )  # fmt: skip


def mo(text: str, key: str = "m1", msisdn: Msisdn | None = ASHA) -> Mo:
    return Mo("sandbox", key, "sender", msisdn, "15200", text)


def said(kept: Kept) -> list[str]:
    return [notification.text for notification in kept.notifications]


def test_a_complaint_is_filed_and_its_reference_told() -> None:
    kept = Kept()
    receiving(kept)(mo("Lalamiko EGA Barua pepe haifunguki"), NOON)
    ((case, _),) = kept.cases.values()
    assert (case.institution, case.words) == ("ega", "Barua pepe haifunguki")
    assert said(kept) == [
        f"EGA: Tumepokea lalamiko lako. Namba ya kumbukumbu: {ONE}. "
        f"Ili kufuatilia, tuma HALI {ONE} kwenda 15200."
    ]
    assert kept.rung == ["sandbox"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("MSAADA", "Tuma: LALAMIKO"),
        ("mambo", "Samahani, hatujaelewa"),
        ("", "Samahani, hatujaelewa"),
        ("LALAMIKO", "Andika neno LALAMIKO"),
        ("LALAMIKO EGA", "Andika neno LALAMIKO"),
        ("ULIZO XYZ lini?", "Taasisi uliyoandika haijapatikana"),
        ("HALI", "Namba ya kumbukumbu haijapatikana"),
        (f"HALI {ONE}", "Namba ya kumbukumbu haijapatikana"),
        ("ACHA", "Hutapokea tena matangazo na taarifa za taasisi"),
        ("acha ega", "Hutapokea tena matangazo na taarifa za EGA"),
        ("ACHA XYZ", "Taasisi hiyo haijapatikana. Andika jina lake fupi, mfano: ACHA EGA"),
        ("ANZA", "Utapokea tena"),
        ("LUGHA EN", "All right. We will write to you in English."),
        ("LUGHA XX", "Samahani, hatujaelewa"),
    ],
)
def test_each_text_gets_its_answer(text: str, answer: str) -> None:
    kept = Kept()
    receiving(kept)(mo(text), NOON)
    assert len(said(kept)) == 1
    assert said(kept)[0].startswith(answer)


def test_the_same_text_again_has_one_effect_and_one_answer() -> None:
    kept = Kept()
    receive = receiving(kept)
    for _ in range(4):
        receive(mo("PONGEZI EGA Asanteni sana"), NOON)
    assert len(kept.cases) == 1
    assert len(said(kept)) == 1


def test_a_crash_between_filing_and_answering_is_completed_by_the_repeat() -> None:
    kept = Kept()
    receive = receiving(kept)
    receive(mo("ACHA EGA"), NOON)
    kept.notifications.clear()  # as if it had died before the answer was accepted
    receive(mo("ACHA EGA"), NOON)
    assert kept.opted_out == {(ASHA, "ega")}
    assert len(said(kept)) == 1


def test_no_machine_is_ever_answered() -> None:
    kept = Kept()
    receiving(kept)(mo("MSAADA", msisdn=None), NOON)
    assert kept.settled == {"mo:m1": "no_subscriber"}
    assert said(kept) == []


def test_a_case_over_the_cap_is_filed_all_the_same() -> None:
    kept = Kept()
    receive = receiving(kept)
    for number in range(4):
        receive(mo(f"LALAMIKO EGA namba {number}", f"m{number}"), NOON)
    assert len(kept.cases) == 4
    assert len(said(kept)) == 3
    assert kept.settled["mo:m3"] == "over_cap"


def test_the_fourth_answer_in_ten_minutes_stays_unsaid() -> None:
    kept = Kept()
    receive = receiving(kept)
    for number in range(5):
        receive(mo("habari", f"m{number}"), NOON + timedelta(minutes=number))
    assert len(said(kept)) == 3
    assert list(kept.settled.values()) == ["answered"] * 3 + ["over_cap"] * 2
    receive(mo("habari", "later"), NOON + timedelta(minutes=11))
    assert len(said(kept)) == 4


def test_a_status_with_a_long_answer_takes_two_parts_at_most() -> None:
    kept = Kept()
    receive = receiving(kept)
    receive(mo("MAONI EGA Ongezeni huduma"), NOON)
    ((effect, (case, view)),) = kept.cases.items()
    answered = type(view)(view.reference, "ega", view.kind, view.status, "Tunashukuru. " * 60, NOON)
    kept.cases[effect] = (case, answered)
    receive(mo(f"HALI {ONE}", "m2"), NOON)
    assert len(split(said(kept)[1])) == 2
    assert said(kept)[1].endswith("...")


def test_a_taken_reference_is_drawn_again_and_not_for_ever() -> None:
    kept = Kept()
    receive = receiving(kept, [1, 1, 2, *[1] * 9])
    receive(mo("LALAMIKO EGA moja"), NOON)
    receive(mo("LALAMIKO EGA mbili", "m2"), NOON)
    assert [case.reference for case, _ in kept.cases.values()] == [ONE, Reference.numbered(2)]
    with pytest.raises(Unavailable):
        receive(mo("LALAMIKO EGA tatu", "m3"), NOON)


def test_when_nothing_can_be_kept_the_operator_is_to_try_again() -> None:
    with pytest.raises(Unavailable):
        receiving(Kept(down=True))(mo("MSAADA"), NOON)


def test_every_sentence_speaks_both_languages_in_gsm7() -> None:
    for name, spoken in TEXTS.sentences.items():
        assert set(spoken) == {"sw", "en"}, name
        assert all(gsm7.septets(text) for text in spoken.values()), name
