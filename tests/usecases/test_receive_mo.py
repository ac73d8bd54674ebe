"""A text to the short code: kept, understood, done, and answered once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.back_offices import FakeBackOffices, FakeQuestions
from tests.fakes.kept import Kept
from tests.usecases.receiving import ASHA, NOON, ONE, TEXTS, mo, receiving, said
from ussdapp.core import gsm7
from ussdapp.core.back_office import LookedUp
from ussdapp.core.case import CaseStatus
from ussdapp.core.inbound import Mo
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.parts import split
from ussdapp.core.reference import Reference
from ussdapp.ports import OfficeGarbled, OfficeLate, OfficeUnavailable, Unavailable
from ussdapp.usecases.ask_again import AskAgain

JUMA = Msisdn("255713000002")
BILL = LookedUp(True, {"detail_01": "Imelipwa", "detail_02": "TZS 5,000", "detail_03": "TZS 0",
                       "detail_04": "20/11/2026", "detail_05": "Ada"})  # fmt: skip

PAID = (
    "Bili 994550451254, Ada. Hali: Imelipwa. Kiasi: TZS 5,000. Baki: TZS 0. "
    "Tarehe ya kulipa: 20/11/2026. Ikiisha au kufutwa, omba mpya."
)


def by_content(text: str) -> Mo:
    """A text on a channel whose operator gives no ids."""
    return Mo("sandbox", f"content of {text}", "sender", ASHA, "15200", text, keyed_by_content=True)


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
        ("LALAMIKO MAJI", "Andika neno LALAMIKO"),
        ("GEPG", "Andika GEPG na namba ya malipo"),
        ("gepg 99455045125", "Andika GEPG na namba ya malipo"),
        ("MORE", "Write the word MORE, the reference number, then your words."),
        (f"zaidi {ONE}", "Andika neno ZAIDI, namba ya kumbukumbu, kisha maelezo."),
        (f"ZAIDI {ONE} bado", "Namba ya kumbukumbu haijapatikana"),
        ("ZAIDI kesho", "Namba ya kumbukumbu haijapatikana"),
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


@pytest.mark.parametrize(
    ("text", "remembered", "answer"),
    [
        ("HELP", None, "Send: LALAMIKO"),
        ("help", None, "Send: LALAMIKO"),
        ("MSAADA", None, "Tuma: LALAMIKO"),
        ("HELP", "sw", "Tuma: LALAMIKO"),
        ("MSAADA", "en", "Send: LALAMIKO"),
        (f"STATUS {ONE}", None, "That reference number was not found"),
        ("START", None, "You will get notices"),
        ("STOP", None, "Hutapokea tena"),
    ],
)
def test_an_english_word_is_answered_in_english_where_no_language_is_remembered(
    text: str, remembered: str | None, answer: str
) -> None:
    kept = Kept()
    if remembered:
        kept.languages[ASHA] = remembered
    receiving(kept)(mo(text), NOON)
    assert said(kept)[0].startswith(answer)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        (f"ZAIDI {ONE} bado", "mfano: ZAIDI 1234-5678-9018 Barua pepe bado haifunguki"),
        (f"HALI {ONE}", "mfano: HALI 1234-5678-9018"),
        (f"MORE {ONE} still", "example: MORE 1234-5678-9018 E-mail is still down"),
    ],
)
def test_an_unknown_reference_is_answered_with_an_example_of_the_same_word(
    text: str, example: str
) -> None:
    kept = Kept()
    receiving(kept)(mo(text), NOON)
    assert said(kept)[0].endswith(example)


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
    kept.settled["mo:m1"] = "kept"
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
    for number in range(5):
        receive(mo(f"LALAMIKO EGA namba {number}", f"m{number}"), NOON)
    assert len(kept.cases) == 5
    assert len(said(kept)) == 4
    assert kept.settled["mo:m4"] == "over_cap"


def test_whose_case_is_filed_by_the_fourth_text_is_told_its_reference() -> None:
    kept = Kept()
    receive = receiving(kept)
    for text in ("MSAADA", "LALAMIKO", "LALAMIKO HAKUNA maji", "LALAMIKO EGA Barua pepe haifanyi"):
        receive(mo(text, text), NOON)
    ((filed, _),) = kept.cases.values()
    assert str(filed.reference) in said(kept)[-1]


def test_the_fourth_answer_in_ten_minutes_stays_unsaid() -> None:
    kept = Kept()
    receive = receiving(kept)
    for number in range(5):
        receive(mo("habari", f"m{number}"), NOON + timedelta(minutes=number))
    assert len(said(kept)) == 3
    assert list(kept.settled.values()) == ["answered"] * 3 + ["over_cap"] * 2
    receive(mo("habari", "later"), NOON + timedelta(minutes=11))
    assert len(said(kept)) == 4


@pytest.mark.parametrize("word", ["ACHA", "ONDOA", "STOP", "ANZA", "START"])
def test_who_wants_no_more_texts_is_told_so_also_as_the_fourth(word: str) -> None:
    kept = Kept()
    receive = receiving(kept)
    for text in ("LALAMIKO", "GEPG", "LUKU", word):
        receive(mo(text, text), NOON)
    assert kept.settled[f"mo:{word}"] == "answered"
    assert len(said(kept)) == 4


def test_two_machines_that_confirm_each_other_fall_silent_all_the_same() -> None:
    kept = Kept()
    receive = receiving(kept)
    for number in range(9):
        receive(mo(("ONDOA", "ANZA")[number % 2], f"m{number}"), NOON)
    assert len(said(kept)) == 4
    assert (ASHA, None) in kept.opted_out
    receive(mo("ANZA", "later"), NOON + timedelta(minutes=11))
    assert len(said(kept)) == 5


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


# -- words added to a case


def test_words_are_added_to_the_case_that_the_citizen_opened() -> None:
    kept = Kept()
    receive = receiving(kept)
    receive(mo("LALAMIKO EGA Barua pepe haifunguki"), NOON)
    for _ in range(3):
        receive(mo(f"zaidi*{ONE.digits}*Bado haifunguki#", "m2"), NOON)
    (addition,) = kept.additions.values()
    assert (addition.reference, addition.msisdn, addition.words) == (ONE, ASHA, "Bado haifunguki#")
    assert said(kept)[1:] == [
        f"EGA: Tumeongeza maelezo yako kwenye {ONE}. Ili kufuatilia, tuma HALI {ONE} kwenda 15200."
    ]


def test_anothers_case_takes_no_words_and_looks_like_no_case_as_with_its_status() -> None:
    kept = Kept()
    receive = receiving(kept)
    receive(mo("LALAMIKO EGA Barua pepe haifunguki"), NOON)
    none = Reference.numbered(7)
    for theirs, nothing in (
        (f"ZAIDI {ONE} bado", f"ZAIDI {none} bado"),
        (f"HALI {ONE}", f"HALI {none}"),
    ):
        kept.notifications.clear()
        for text in (theirs, nothing):
            receive(mo(text, text, JUMA), NOON)
        assert len(set(said(kept))) == 1
        assert said(kept)[0].startswith("Namba ya kumbukumbu haijapatikana")
    assert kept.additions == {}


def test_a_closed_case_says_so_and_takes_no_words() -> None:
    kept = Kept()
    receive = receiving(kept)
    receive(mo("LALAMIKO EGA Barua pepe haifunguki"), NOON)
    ((effect, (case, view)),) = kept.cases.items()
    kept.cases[effect] = (case, replace(view, status=CaseStatus.CLOSED))
    receive(mo(f"ZAIDI {ONE} bado", "m2"), NOON)
    assert said(kept)[1].startswith(f"Samahani, {ONE} imefungwa")
    assert kept.additions == {}


# -- a text that comes again


def test_an_old_opt_out_delivered_again_does_not_undo_the_opt_in_after_it() -> None:
    kept = Kept()
    receive = receiving(kept)
    for text, key in (("ACHA", "x1"), ("ANZA", "x2"), ("ACHA", "x1")):
        receive(mo(text, key), NOON)
    assert kept.opted_out == set()
    assert len(said(kept)) == 2


def test_an_old_choice_of_language_delivered_again_changes_nothing() -> None:
    kept = Kept()
    receive = receiving(kept)
    for text, key in (("LUGHA EN", "x1"), ("LUGHA SW", "x2"), ("LUGHA EN", "x1")):
        receive(mo(text, key), NOON)
    assert kept.languages == {ASHA: "sw"}


def test_an_answer_over_the_cap_stays_unsaid_when_its_text_comes_again_later() -> None:
    kept = Kept()
    receive = receiving(kept)
    for number in range(4):
        receive(mo("habari", f"m{number}"), NOON)
    receive(mo("habari", "m3"), NOON + timedelta(hours=1))
    assert len(said(kept)) == 3


@pytest.mark.parametrize(
    ("text", "seconds", "answers"),
    [
        ("PONGEZI EGA Asanteni", 599, 1),
        ("PONGEZI EGA Asanteni", 600, 2),
        (f"ZAIDI {ONE} Bado", 599, 1),
        (f"ZAIDI {ONE} Bado", 600, 2),
        ("MSAADA", 59, 1),
        ("MSAADA", 60, 2),
        ("LALAMIKO EGA", 60, 2),
        ("ZAIDI 1234 5678 9018", 60, 2),
    ],
)
def test_the_same_words_without_an_id_are_one_text_for_a_while(
    text: str, seconds: int, answers: int
) -> None:
    kept = Kept()
    receive = receiving(kept)
    receive(by_content(text), NOON)
    receive(by_content(text), NOON + timedelta(seconds=seconds))
    assert len(said(kept)) == answers


# -- services of institutions


def test_a_service_asks_its_office_and_answers_in_one_sentence() -> None:
    kept, offices = Kept(), FakeBackOffices(BILL)
    receiving(kept, offices=offices)(mo("gepg*bili*9945 5045 1254#"), NOON)
    ((office, told, asker),) = offices.asked
    assert (office, told, asker.msisdn, asker.language) == (
        "gepg.bill", {"data": "994550451254"}, ASHA, "sw"
    )  # fmt: skip
    assert said(kept) == [PAID]
    assert kept.notifications[0].institution == "fedha"
    assert ASHA.digits not in asker.effect


def test_a_service_answers_in_the_language_the_citizen_chose() -> None:
    kept = Kept(languages={ASHA: "en"})
    receiving(kept, offices=FakeBackOffices(BILL))(mo("GEPG 994550451254"), NOON)
    assert said(kept)[0].startswith("Bill 994550451254, Ada. Status: Imelipwa.")


def test_what_the_office_does_not_know_is_said() -> None:
    kept, offices = Kept(), FakeBackOffices(LookedUp(False, {}))
    receiving(kept, offices=offices)(mo("MAJI DENI j45500178012"), NOON)
    assert said(kept)[0].startswith("Akaunti J45500178012 haijapatikana.")


def test_the_widest_answer_takes_two_parts_and_keeps_the_value() -> None:
    wide = LookedUp(True, {f"detail_{n:02d}": "Ж€\n" * 500 for n in range(1, 10)})
    for number, (text, shown) in enumerate(
        {"GEPG 994550451254": "994550451254", "TESWS TZDL-26-1056234": "TZDL-26-1056234"}.items()
    ):
        kept = Kept()
        receiving(kept, offices=FakeBackOffices(wide))(mo(text, f"m{number}"), NOON)
        assert len(split(said(kept)[0])) == 2
        assert shown in said(kept)[0]
        assert "\n" not in said(kept)[0]


@pytest.mark.parametrize("trouble", [OfficeUnavailable("shut"), OfficeGarbled("html"), None])
def test_an_office_that_cannot_be_asked_is_apologised_for(trouble: Exception | None) -> None:
    kept, questions = Kept(), FakeQuestions()
    offices = FakeBackOffices(trouble) if trouble else None
    receiving(kept, offices=offices, questions=questions)(mo("BUNGE LEO"), NOON)
    assert said(kept) == ["Bunge: Samahani, huduma hii haipatikani kwa sasa. Jaribu tena baadaye."]
    assert questions.kept == []


def test_a_late_answer_is_promised_and_told_once_by_sms() -> None:
    kept, questions = Kept(), FakeQuestions()
    offices = FakeBackOffices(OfficeLate("gepg.bill"), OfficeLate("gepg.bill"), BILL)
    receive = receiving(kept, offices=offices, questions=questions)
    receive(mo("GEPG 994550451254"), NOON)
    kept.settled["mo:m1"] = "kept"  # as if it had died before the text was settled
    receive(mo("GEPG 994550451254"), NOON + timedelta(days=1))
    receive(mo("GEPG 994550451254"), NOON + timedelta(days=1))
    assert len(offices.asked) == 2
    assert len(questions.kept) == 1
    assert said(kept) == [
        "GePG: Samahani, jibu linachelewa. Litakuja kwa SMS likipatikana, huna haja ya kutuma tena."
    ]
    claimed = questions.claim((), NOON)
    assert claimed
    letters = receive.letters
    AskAgain(offices, questions, letters, kept)(claimed, lambda: NOON)
    assert [one.text for one in questions.told] == [f"GePG: {PAID}"]


def test_without_a_place_for_questions_nothing_is_promised() -> None:
    kept, offices = Kept(), FakeBackOffices(OfficeLate("gepg.bill"))
    receiving(kept, offices=offices)(mo("GEPG 994550451254"), NOON)
    assert said(kept)[0].startswith("GePG: Samahani, huduma hii haipatikani")


@pytest.mark.parametrize("language", ["sw", "en"])
def test_every_sentence_fits_two_parts_at_its_widest(language: str) -> None:
    widest = {"taasisi": "M" * 20, "huduma": "M" * 40, "aina": "M" * 20, "kumbukumbu": "9" * 14,
              "hali": "M" * 20, "mpya": "M" * 20, "neno": "M" * 9, "jibu": "", "msimbo": "*152*00#",
              "namba_fupi": "15200"}  # fmt: skip
    for name in TEXTS.sentences:
        assert len(split(TEXTS.say(name, language, widest))) <= 2, name


@pytest.mark.parametrize("language", ["sw", "en"])
def test_help_names_keywords_that_work(language: str) -> None:
    words = TEXTS.say("help", language, {"msimbo": "*152*00#"}).replace(",", " ").split()
    assert {"LALAMIKO", "GEPG", "LUKU", "MAJI", "ARDHI", "AJIRA", "BUNGE"} <= set(words)
