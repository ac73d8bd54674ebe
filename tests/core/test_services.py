"""Services asked for by SMS: found in any spelling, proven before any is served."""

from pathlib import Path

import pytest

from ussdapp.core import gsm7, parts
from ussdapp.core.asks import LOOK_UP
from ussdapp.core.back_office import Asker, LookedUp
from ussdapp.core.branches import SMS
from ussdapp.core.case import Kind
from ussdapp.core.keywords import fields, read
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.screens import Lookup
from ussdapp.core.services import ROOM, Request, Services
from ussdapp.sandbox.back_office_answers import look_up, read_offices
from ussdapp.stores.keyword_files import KEYWORDS, check_services, read_services
from ussdapp.stores.menu_files import read_menu, read_texts

SHIPPED = Path(__file__).parents[2] / "menus" / KEYWORDS
SERVICES = read_services(SHIPPED)
CODES = {"msimbo": "*152*00#", "namba_fupi": "15200"}
ASKER = Asker(Msisdn("255754000001"), "s", "sw", "e")
GOOD = """
[maji]
words = ["MAJI", "MAJI DENI"]
takes = "account"
saves = "akaunti"
of = "maji.debt"
brings = { deni = "detail_01" }
title = { sw = "Maji", en = "Water" }
found = { sw = "{akaunti}: {deni}", en = "{akaunti}: {deni}" }
missing = { sw = "Hakuna {akaunti}", en = "No {akaunti}" }
wrong = { sw = "Mfano: MAJI J45500178012", en = "Example: MAJI J45500178012." }

[barua]
words = ["BARUA"]
accepts = '[A-Za-z]*'
most = 20
saves = "barua"
of = "barua.hali"
title = { sw = "Barua", en = "Letter" }
found = { sw = "{barua}: {detail_01}", en = "{barua}: {detail_01}" }
missing = { sw = "Hakuna", en = "None" }
wrong = { sw = "Mfano: BARUA abc", en = "Example: BARUA abc" }
"""


def asked(text: str, services: Services = SERVICES) -> Request:
    request = services.asked(read(text))
    assert request
    return request


@pytest.mark.parametrize(
    ("text", "office", "value"),
    [
        ("GEPG 994550451254", "gepg.bill", "994550451254"),
        ("gepg bili 9945-5045-1254.", "gepg.bill", "994550451254"),
        ("GePG*Bill*994550451254#", "gepg.bill", "994550451254"),
        ("LUKU 24211234567", "luku.token", "24211234567"),
        ("luku#2421 1234 567", "luku.token", "24211234567"),
        ("LUKU MITA 24211234567", "luku.meter", "24211234567"),
        ("MAJI DENI j45500178012", "maji.debt", "J45500178012"),
        ("ARDHI KIBADA/12/345", "ardhi.rent", "KIBADA/12/345"),
        ("ARDHI KIBADA 12 345", "ardhi.rent", "KIBADA 12 345"),
        ("ARDHI 9918 8360 7435", "ardhi.rent", "991883607435"),
        ("AJIRA 20261044", "ajira.application", "20261044"),
        ("MUVU MUVU/2026/0412", "muvu.status", "MUVU/2026/0412"),
        ("TESWS TZDL-26-1056234", "tesws.consignment", "TZDL-26-1056234"),
        ("GIMIS PO-26-00418", "gimis.order", "PO-26-00418"),
        ("GISP 40218820", "gisp.request_status", "40218820"),
        ("BUNGE LEO", "bunge.sittings", "leo"),
        ("Bunge today!", "bunge.sittings", "leo"),
        ("BUNGE MISWADA", "bunge.bills", "orodha"),
        ("BUNGE MUSWADA 2", "bunge.bills", "2"),
        ("water J45500178012", "maji.debt", "J45500178012"),
        ("LAND KIBADA/12/345", "ardhi.rent", "KIBADA/12/345"),
        ("Job 20261044", "ajira.application", "20261044"),
        ("GPSA ORDER PO-26-00418", "gimis.order", "PO-26-00418"),
        ("taasisi ega", "taasisi.contacts", "ega"),
        ("CHARTER EGA", "taasisi.charter", "EGA"),
        ("nifanyeje*ega#", "taasisi.howto", "ega"),
    ],
)
def test_a_text_in_any_spelling_asks_its_office(text: str, office: str, value: str) -> None:
    request = asked(text)
    assert (request.service.asks.of, request.value) == (office, value)


@pytest.mark.parametrize(
    "text",
    ["GEPG", "GEPG 99455045125", "GEPG BILI x", "LUKU MITA", "BUNGE", "BUNGE kesho",
     "BUNGE MISWADA 1", "BUNGE MUSWADA 5", "MAJI DENI", "AJIRA 12345", "GEPG " + "9" * 1990],
)  # fmt: skip
def test_a_value_that_is_missing_or_wrong_is_told_with_an_example(text: str) -> None:
    request = asked(text)
    assert request.value is None
    for language in ("sw", "en"):
        assert request.refusal(language, CODES) == request.service.typed.wrong[language]


@pytest.mark.parametrize("text", ["", "habari", "LALAMIKO GEPG x", "GEPGX 1", "994550451254"])
def test_other_texts_ask_for_no_service(text: str) -> None:
    assert SERVICES.asked(read(text)) is None


@pytest.mark.parametrize("language", ["sw", "en"])
def test_every_service_answers_its_own_example_from_the_sandbox(language: str) -> None:
    offices = read_offices()
    for name, service in SERVICES.by_name.items():
        example = service.typed.wrong[language].rpartition(": ")[2]
        request = asked(example)
        assert request.service is service, name
        assert request.value is not None, name
        told = look_up(offices[service.asks.of], request.value, language)
        assert told["success"], name
        details = {key: said for key, said in told.items() if key != "success"}
        answer = request.answer(LookedUp(True, details), language, CODES)
        assert len(answer) > len(service.found[language]) // 3
        assert "{" not in answer
        assert (gsm7.septets(answer) or 999) <= ROOM, (name, answer)


def test_a_hostile_answer_is_cut_and_shows_no_gaps_of_its_own() -> None:
    request = asked("GEPG 994550451254")
    told = LookedUp(True, {"detail_01": "{namba}\n\u202e{baki}" * 99, "detail_05": "x" * 5000})
    answer = request.answer(told, "sw", CODES)
    assert (gsm7.septets(answer) or 999) <= ROOM
    assert answer.startswith("Bili 994550451254, xxx")
    assert "{namba}" in answer
    assert "\n" not in answer


def test_a_question_keeps_the_sentences_with_the_value_filled_in() -> None:
    question = asked("MAJI J45500178012").question(ASKER, CODES)
    assert question.sentences["missing"].startswith("Akaunti J45500178012 haijapatikana")
    assert "akaunti J45500178012. Jina: {mteja}." in question.sentences["found"]
    assert question.names["detail_02"] == "mteja"
    assert (question.office, question.institution, question.title) == (
        "maji.debt", "maji", "Deni la maji"
    )  # fmt: skip


def test_a_question_is_accounted_to_the_institution_and_not_to_its_service() -> None:
    question = asked("LUKU 24211234567").question(ASKER, CODES)
    assert (question.office, question.institution) == ("luku.token", "tanesco")


def test_every_look_up_of_the_menu_can_be_asked_by_sms() -> None:
    screens = read_menu(SHIPPED.parent, {"institutions": ()}).screens.values()
    looked_up = {one.of for one in screens if isinstance(one, Lookup) and one.asks == LOOK_UP}
    assert {service.asks.of for service in SERVICES.by_name.values()} == looked_up


def test_every_service_can_be_asked_in_both_languages() -> None:
    for name, service in SERVICES.by_name.items():
        examples = [service.typed.wrong[language].rpartition(": ")[2] for language in ("sw", "en")]
        assert all(asked(example).service is service for example in examples), name


@pytest.mark.parametrize("language", ["sw", "en"])
def test_help_leads_to_every_service_within_two_parts(language: str) -> None:
    said = read_texts(SHIPPED.with_name(SMS)).say("help", language, CODES)
    named = set(fields(said.replace(",", " ").replace(":", " ")))
    for name, service in SERVICES.by_name.items():
        assert named & {words.partition(" ")[0] for words in service.words}, name
    assert {kind.value.upper() for kind in Kind} <= named
    assert parts.fits(said, 2)


def check(tmp_path: Path, text: str, offices: tuple[str, ...] | None = None) -> list[str]:
    path = tmp_path / "k.toml"
    path.write_text(text, "utf-8")
    return check_services(path, offices)


def test_a_good_file_is_served(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD, ("maji.debt", "barua.hali")) == []


FAULTS = {
    "a word the gateway keeps": (
        'words = ["BARUA"]', 'words = ["BARUA", "ACHA BARUA"]',
        "[barua]: the keyword 'ACHA BARUA' begins with ACHA, which the gateway keeps for itself",
    ),
    "a word of feedback": (
        'words = ["BARUA"]', 'words = ["BARUA", "MAONI"]',
        "[barua]: the keyword 'MAONI' begins with MAONI, which the gateway keeps for itself",
    ),
    "a keyword of digits, as in `1 <reference>`": (
        'words = ["BARUA"]', 'words = ["BARUA", "1"]',
        "[barua]: the keyword '1' is not one or two words in capitals, a letter first",
    ),
    "a keyword that is not ASCII": (
        'words = ["BARUA"]', 'words = ["BARUA", "ÉTÉ"]',
        "[barua]: the keyword 'ÉTÉ' is not one or two words in capitals, a letter first",
    ),
    "a keyword twice": (
        'words = ["BARUA"]', 'words = ["BARUA", "MAJI"]',
        "[barua]: the keyword 'MAJI' stands twice, in [maji] before",
    ),
    "a keyword that is another's value": (
        'words = ["MAJI", "MAJI DENI"]', 'words = ["MAJI", "BARUA MAJI"]',
        "[maji]: the keyword 'BARUA MAJI' may also be BARUA with the value MAJI",
    ),
    "no keyword": ('words = ["BARUA"]', "words = []", "[barua]: words has no keyword"),
    "words that are none": (
        'words = ["BARUA"]', 'words = "BARUA"', "[barua]: words is no list of texts"),
    "an unknown kind": (
        'takes = "account"', 'takes = "konto"', "[maji]: takes 'konto' is not one of reference, "),
    "no kind": (
        'takes = "account"', "", "[maji]: one of takes, accepts and values says what it takes"),
    "a pattern and values": (
        "accepts = '[A-Za-z]*'", "accepts = '[A-Za-z]*'\nvalues = { A = \"a\" }",
        "[barua]: one of takes, accepts and values says what it takes"),
    "a slow pattern": (
        "'[A-Za-z]*'", "'([A-Za-z]*)*'", "[barua]: accepts may take too long"),
    "a value in small letters": (
        "accepts = '[A-Za-z]*'", 'values = { abc = "x" }', "[barua]: values: 'abc' is not in "),
    "no such office": ('of = "maji.debt"', 'of = "maji.deni"', "[maji]: there is no office 'maji"),
    "no office": ('of = "maji.debt"', "", "[maji]: of is missing"),
    "no title": ('title = { sw = "Maji", en = "Water" }', "", "[maji]: title is missing"),
    "a wide title": ('sw = "Maji",', f'sw = "{"M" * 41}",', "[maji]: title sw: takes 41 septets"),
    "a missing language": ('sw = "Hakuna", ', "", "[barua]: missing: sw is missing"),
    "no answer for nothing": (
        'missing = { sw = "Hakuna", en = "None" }', "", "[barua]: missing is missing"),
    "a character no handset shows": (
        'sw = "Hakuna"', 'sw = "Hakuna’"', "[barua]: missing sw: no handset shows ’, write \"'\""),
    "a gap nobody fills": (
        'en = "No {akaunti}"', 'en = "No {jina}"', "[maji]: missing en: shows {jina}, which it "),
    "a detail where there is none": (
        'sw = "Hakuna {akaunti}"', 'sw = "Hakuna {deni}"', "[maji]: missing sw: shows {deni}"),
    "a brace": ('sw = "Hakuna"', 'sw = "Haku{na"', "[barua]: missing sw: a brace that is no {na"),
    "an answer too wide": (
        'sw = "{akaunti}: {deni}"', f'sw = "{"x" * 271}{{akaunti}}: {{deni}}"',
        "[maji]: found sw: takes 306 septets, 1 more than 305"),
    "an example that is not taken": (
        "Mfano: MAJI J45500178012", "Mfano: MAJI J4550017",
        "[maji]: wrong sw: gives no example that this service takes"),
    "an example of another keyword": (
        "Example: BARUA abc", "Example: BURUA abc",
        "[barua]: wrong en: gives no example that this service takes"),
    "a name saved and brought": (
        "brings = { deni", "brings = { akaunti", "[maji]: 'akaunti' is both saved and brought"),
    "a name that is a code": (
        'saves = "barua"', 'saves = "msimbo"', "[barua]: 'msimbo' is one of the gateway's own "),
    "an unknown key": (
        "most = 20", "most = 20\nmore = 1", "[barua]: nobody knows what more is"),
    "no TOML": ("[barua]", "[barua", ": "),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in GOOD
    told = check(tmp_path, GOOD.replace(old, new, 1), ("maji.debt", "barua.hali"))
    assert any(one.startswith((f"k.toml {sentence}", f"k.toml{sentence}")) for one in told), told


def test_a_file_that_is_not_there_or_no_utf8_is_told(tmp_path: Path) -> None:
    assert check_services(tmp_path / "x.toml") == [
        f"{tmp_path / 'x.toml'}: No such file or directory"
    ]
    (tmp_path / "y.toml").write_bytes(b"\xff")
    assert check_services(tmp_path / "y.toml")[0].startswith("y.toml: ")


@pytest.mark.parametrize("instead", ["5", "[]", "{}", '""', "[5]", "true", '{ sw = "x" }', None])
def test_no_broken_line_is_met_with_a_traceback(tmp_path: Path, instead: str | None) -> None:
    lines = GOOD.strip().splitlines()
    for number, line in enumerate(lines):
        name, equals, _ = line.partition(" = ")
        broken = f"{name} = {instead}" if equals and instead is not None else ""
        told = check(tmp_path, "\n".join((*lines[:number], broken, *lines[number + 1 :])))
        assert all(sentence.startswith("k.toml") for sentence in told)
