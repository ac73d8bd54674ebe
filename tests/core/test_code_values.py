"""What an institution may ask for: one that citizens take for another's, or for everybody's, is
refused, and the refusal says which."""

from pathlib import Path

import pytest

from ussdapp.core.code_values import (
    GENERIC,
    RESERVED,
    Held,
    Standing,
    paths_of,
    read_value,
    refuse_collisions,
)
from ussdapp.core.codes import CodeKind, CodeRefused
from ussdapp.core.look_alikes import alike
from ussdapp.stores.menu_files import read_menu

SENDER, KEYWORD, BRANCH = CodeKind.SENDER_ID, CodeKind.KEYWORD, CodeKind.SERVICE_CODE
SERVICE, SHORT = "*152*00#", "15200"
MENUS = Path(__file__).parents[2] / "menus"


def read(kind: CodeKind, given: str) -> str:
    return read_value(kind, given, SERVICE, SHORT)


def refused(kind: CodeKind, given: str, standing: Standing = Standing()) -> str:  # noqa: B008
    with pytest.raises(CodeRefused) as trouble:
        refuse_collisions(Held(kind, read(kind, given), "ega"), standing)
    return trouble.value.code


def standing(*held: tuple[CodeKind, str], by: str = "tra") -> Standing:
    return Standing([Held(kind, value, by) for kind, value in held])


@pytest.mark.parametrize("name", ["EGA", "DAWASCO", "Maji Moro", "WCF", "T-PESA 1", "199", "15201"])
def test_a_sender_id_of_the_allowed_set_is_taken(name: str) -> None:
    refuse_collisions(Held(SENDER, read(SENDER, f" {name} "), "ega"), Standing())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("AB", "shape"), ("ABCDEFGHIJKL", "shape"), ("EGA@TZ", "shape"), ("A  B", "shape"),
        ("255754000001", "shape"), ("07540", "shape"), ("-EGA", "shape"), ("15200", "shared"),
        ("ЕGА", "look_alike"), ("ΕGA", "look_alike"), ("EGÁ", "look_alike"), ("", "shape"),
        ("info", "generic"), ("SMS-INFO", "generic"), ("0TP", "generic"), ("SERIKALI", "generic"),
        ("Tanzania", "generic"), ("N0TICE", "generic"), ("I52OO", "look_alike"),
        ("A L E R T", "generic"),
    ],
)  # fmt: skip
def test_a_sender_id_that_can_be_nobodys_is_refused(name: str, code: str) -> None:
    assert refused(SENDER, name) == code


def test_every_generic_name_that_fits_is_refused() -> None:
    for name in (one for one in GENERIC if 3 <= len(one) <= 11):
        assert refused(SENDER, name.title()) == "generic"
        assert refused(KEYWORD, name) in ("generic", "reserved")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("DAWASCO", "dawasco"), ("DAWASCO", "DAWA SCO"), ("DAWASCO", "DAWA-SCO"),
        ("DAWASCO", "DAWASC0"), ("WCF", "W.C.F"), ("MALI", "MAL1"), ("MALI", "MAlI"),
        ("malia", "rnalia"), ("NIDA", "N1DA"), ("wema", "vvema"), ("TBI", "TBl"),
        ("DAWASCO", "DAWASCOO"), ("DAWASCO", "DAWASO"), ("DAWASCO", "DAWASKO"),
        ("DAWASCO", "DAWACSO"), ("KAHAMAUWASA", "KAHAMAWASA"),
    ],
)  # fmt: skip
def test_a_look_alike_of_anothers_sender_id_is_refused_and_named(theirs: str, ours: str) -> None:
    with pytest.raises(CodeRefused) as trouble:
        refuse_collisions(Held(SENDER, read(SENDER, ours), "ega"), standing((SENDER, theirs)))
    assert trouble.value.code == "look_alike"
    assert theirs in str(trouble.value)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("TRA", "TRC"), ("TBL", "TBI"), ("TBS", "TBC"), ("DAWASCO", "DUWASA"), ("15200", "15201")],
)
def test_names_that_a_citizen_tells_apart_are_both_taken(theirs: str, ours: str) -> None:
    assert not alike(theirs, ours)
    if ours != SHORT:
        refuse_collisions(Held(SENDER, read(SENDER, ours), "ega"), standing((SENDER, theirs)))


def test_a_name_near_ones_own_is_no_deceit_but_its_double_is() -> None:
    own = standing((SENDER, "DAWASCO"), by="ega")
    refuse_collisions(Held(SENDER, "DAWASA", "ega"), own)
    assert refused(SENDER, "Dawasco", own) == "look_alike"
    assert refused(SENDER, "DAWASCO", own) == "taken"


def test_the_short_name_of_another_institution_is_kept_for_it() -> None:
    directory = Standing(institutions={"ega", "tra", "tanesco"})
    for kind in (SENDER, KEYWORD):
        assert refused(kind, "TRA", directory) == "taken"
        assert refused(kind, "TANESC0", directory) == "look_alike"
        refuse_collisions(Held(kind, "EGA", "ega"), directory)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_what_citizens_write_to_the_gateway_itself_is_nobodys_keyword(word: str) -> None:
    assert refused(KEYWORD, word.lower()) == "reserved"


def test_every_word_of_the_contract_is_reserved() -> None:
    words = """MSAADA HELP LALAMIKO PENDEKEZO ULIZO PONGEZI MAONI HALI STATUS ZAIDI ACHA ONDOA STOP
        ANZA START LUGHA LANGUAGE SW EN 1 2"""
    assert set(words.split()) <= RESERVED


@pytest.mark.parametrize("word", ["A", "123", "MAJI YETU", "MAJI*", "A" * 21])
def test_a_keyword_is_one_word(word: str) -> None:
    assert refused(KEYWORD, word) == "shape"


def test_a_keyword_of_the_menu_or_of_another_is_taken() -> None:
    assert refused(KEYWORD, "gepg", Standing(keywords={"GEPG"})) == "taken"
    assert refused(KEYWORD, "wcf", standing((KEYWORD, "WCF"))) == "taken"
    assert refused(KEYWORD, "WCF0", standing((KEYWORD, "WCFO"))) == "look_alike"
    refuse_collisions(Held(KEYWORD, "WCF", "ega"), standing((SENDER, "WCF"), by="ega"))


@pytest.mark.parametrize(
    "value", ["*152*00*0#", "*152*00#", "*152*01*4#", "*152*00*100#", "main", "9"]
)
def test_what_is_no_service_code_is_refused(value: str) -> None:
    assert refused(BRANCH, value) == "shape"


def test_a_service_code_that_the_menu_has_is_taken_and_a_free_one_is_not() -> None:
    menu = read_menu(MENUS, {"institutions": ()}, 160, {"namba_fupi": SHORT})
    there = Standing(paths=paths_of(menu, SERVICE), branches={"gepg"})
    for value in ("*152*00*1#", "*152*00*6*3#", "*152*00*9#", "*152*00*9*2#", "*152*00*9*2*5#"):
        assert refused(BRANCH, value, there) == "taken", value
    assert refused(BRANCH, "gepg", there) == "taken"
    for value in ("*152*00*5#", "*152*00*34#", "*152*00*9*7#", "mifugo"):
        refuse_collisions(Held(BRANCH, read(BRANCH, value), "ega"), there)


def test_a_service_code_within_anothers_is_taken() -> None:
    theirs = standing((BRANCH, "*152*00*34#"))
    for value in ("*152*00*34#", "*152*00*34*1#"):
        assert refused(BRANCH, value, theirs) == "taken"
    assert refused(BRANCH, "*152*00*34#", standing((BRANCH, "*152*00*34*1#"))) == "taken"
    refuse_collisions(Held(BRANCH, "*152*00*3#", "ega"), theirs)
