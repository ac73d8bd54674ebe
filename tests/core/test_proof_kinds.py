"""The proof of every kind of screen: what is refused, and the sentence that says where and why."""

import shutil
from pathlib import Path

import pytest

from tests.fakes.every_kind import EVERY_KIND
from ussdapp.core.menu import Menu
from ussdapp.stores.menu_files import MenuRefused, read_menu

MAIN, SERVICE = "main.toml", "demo/kila.toml"
OFFICES = ("demo.bill", "demo.register", "demo.app")


def read(folder: Path) -> Menu:
    return read_menu(folder, {}, offices=OFFICES)


def changed(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What the proof says of the menu of every kind with one thing changed."""
    shutil.copytree(EVERY_KIND, folder, dirs_exist_ok=True)
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(MenuRefused) as refused:
        read(folder)
    return refused.value.sentences


FAULTS = {
    "a branch that goes into the gateway's own": (
        SERVICE,
        'goto = "main.mwanzo"',
        'goto = "main.siyo"',
        "demo/kila.toml [haipo]: goto 'main.siyo' leads to no screen",
    ),
    "a branch that goes where it may not": (
        MAIN,
        'returns = ["mwanzo"]',
        "returns = []",
        "demo/kila.toml [haipo]: goto 'main.mwanzo' leaves the branch for no return of [menu]",
    ),
    "an office of another institution": (
        SERVICE,
        'of = "demo.bill"',
        'of = "gepg.bill"',
        "demo/kila.toml [tafuta]: the office 'gepg.bill' is not one of demo",
    ),
    "an office that is not configured": (
        SERVICE,
        'of = "demo.bill"',
        'of = "demo.bills"',
        "demo/kila.toml [tafuta]: there is no office 'demo.bills'",
    ),
    "an effect that nobody confirmed": (
        SERVICE,
        'saves = "chama"\ngoto = "thibitisha"',
        'saves = "chama"\ngoto = "wasilisha"',
        "demo/kila.toml [jina]: 'demo.kila.wasilisha' has an effect, "
        "which only a confirm may lead to",
    ),
    "a cancel that hands in": (
        SERVICE,
        'cancel = "mwanzo"',
        'cancel = "wasilisha"',
        "demo/kila.toml [thibitisha]: cancel leads to 'demo.kila.wasilisha', which has an effect",
    ),
    "lookups in a circle": (
        SERVICE,
        'missing = "bili_namba"',
        'missing = "tafuta"',
        "demo/kila.toml [tafuta]: asks in a circle without showing a screen",
    ),
    "an outcome left out": (
        SERVICE,
        'late = "baadaye", unavailable = "haipo" }\n\n[bili]',
        'unavailable = "haipo" }\n\n[bili]',
        "demo/kila.toml [tafuta]: the outcome 'late' of 'office.look_up' leads nowhere",
    ),
    "an outcome nobody knows": (
        SERVICE,
        'goto = { back = "asante"',
        'goto = { done = "haipo", back = "asante"',
        "demo/kila.toml [programu]: the application has no outcome 'done'",
    ),
    "a look-up that sends two": (
        SERVICE,
        'sends = "namba"',
        'sends = ["namba", "namba"]',
        "demo/kila.toml [tafuta]: 'office.look_up' needs sends: one name",
    ),
    "a look-up that sends what nobody saved": (
        SERVICE,
        'sends = "namba"',
        'sends = "kadi"',
        "demo/kila.toml [tafuta]: 'office.look_up' needs {kadi}, which not every path here saves",
    ),
    "a look-up without a title": (
        SERVICE,
        'title = { sw = "Bili", en = "Bill" }\n',
        "",
        "demo/kila.toml [tafuta]: 'office.look_up' needs title",
    ),
    "a detail under its old name": (
        SERVICE,
        "{jina} anadaiwa",
        "{name} anadaiwa",
        "demo/kila.toml [bili]: sw shows {name}, which not every path here saves",
    ),
    "a kind without an example": (
        SERVICE,
        'wrong = { sw = "Tarakimu 11, mfano 24211234567:"',
        'wrong = { sw = "Tarakimu 11:"',
        "demo/kila.toml [mita]: sw: wrong gives no example of a meter",
    ),
    "a kind nobody knows": (
        SERVICE,
        'takes = "meter"',
        'takes = "metre"',
        "demo/kila.toml [mita]: takes 'metre' is not one of reference, amount, date, nida, ",
    ),
    "a kind with a pattern": (
        SERVICE,
        'takes = "meter"',
        "takes = \"meter\"\naccepts = '[0-9]'",
        "demo/kila.toml [mita]: with takes there is no accepts",
    ),
    "a past that is no date": (
        SERVICE,
        'takes = "meter"',
        'takes = "meter"\npast = true',
        "demo/kila.toml [mita]: past is only for takes = 'date'",
    ),
    "a future that is no date": (
        SERVICE,
        'takes = "meter"',
        'takes = "meter"\nfuture = true',
        "demo/kila.toml [mita]: future is only for takes = 'date', and without past",
    ),
    "a slow pattern": (
        SERVICE,
        "accepts = '[A-Z]{2}[0-9]{1,4}'",
        "accepts = '([A-Z]+)+'",
        "demo/kila.toml [msimbo]: accepts may take too long",
    ),
    "a list nobody has": (
        SERVICE,
        'of = "wilaya"',
        'of = "mikoa"',
        "demo/kila.toml [wilaya]: there is no list 'mikoa'",
    ),
    "a filter nobody saved": (
        SERVICE,
        'where = "sekta"',
        'where = "mkoa"',
        "demo/kila.toml [wilaya]: where needs {mkoa}, which not every path here saves",
    ),
    "an item that is a number": (
        SERVICE,
        'ilala = { sw = "Ilala"',
        '1 = { sw = "Ilala"',
        "list demo.kila.wilaya: an item's key is no number",
    ),
    "an item without a language": (
        SERVICE,
        'temeke = { sw = "Temeke", en = "Temeke"',
        'temeke = { sw = "Temeke"',
        "demo/kila.toml [lists.wilaya]: en is missing",
    ),
    "a private that is neither": (
        SERVICE,
        "private = true",
        'private = "ndiyo"',
        "demo/kila.toml [siri]: option 2: private is neither true nor false",
    ),
    "an unknown name in an option": (
        SERVICE,
        '{ key = "1", sw = "Bili"',
        '{ key = "1", colour = "red", sw = "Bili"',
        "demo/kila.toml [mwanzo]: option 1: nobody knows what colour is",
    ),
    "an option twice in one table": (
        SERVICE,
        '{ key = "1", sw = "Bili"',
        '{ key = "1", key = "1", sw = "Bili"',
        "demo/kila.toml: Duplicate inline table key 'key' (at line ",
    ),
    "a table twice": (
        SERVICE,
        "[mwisho]",
        "[msimbo]",
        "demo/kila.toml: Cannot declare ('msimbo',) twice (at line ",
    ),
    "an option that shows an answer": (
        SERVICE,
        'sw = "Bili", en = "Bill", goto',
        'sw = "Bili {namba}", en = "Bill", goto',
        "demo/kila.toml [mwanzo]: option '1': an option is one line and shows no answers",
    ),
    "a brace that is no gap": (
        SERVICE,
        'sw = "Kwaheri."',
        'sw = "Kwaheri {Jina}."',
        "demo/kila.toml [mwisho] sw: a brace that is no {name}",
    ),
    "a curly quote": (
        SERVICE,
        'sw = "Kwaheri."',
        'sw = "Kwa’heri."',
        'demo/kila.toml [mwisho] sw: no handset shows ’, write "\'"',
    ),
    "a letter with an accent": (
        SERVICE,
        'sw = "Kwaheri."',
        'sw = "Kwâheri."',
        "demo/kila.toml [mwisho] sw: no handset shows â, write 'a'",
    ),
    "a screen of no words": (
        SERVICE,
        'sw = "Kwaheri."',
        'sw = " "',
        "demo/kila.toml [mwisho]: sw says nothing",
    ),
    "a return that is none": (
        MAIN,
        'returns = ["mwanzo"]',
        'returns = ["mwanzo", "zaidi"]',
        "main.toml [menu]: returns names 'main.zaidi', which is no screen",
    ),
    "an offer too wide": (
        MAIN,
        'resume_no = { sw = "Anza upya"',
        f'resume_no = {{ sw = "{"Anza upya " * 16}"',
        "main.toml [menu] resume sw: it takes ",
    ),
    "a shared sentence that shows an answer": (
        MAIN,
        'lost = { sw = "Samahani',
        'lost = { sw = "Samahani {jina}',
        "main.toml [menu] lost sw: shows {jina}, which it cannot",
    ),
    "a text that goes nowhere, but on": (
        SERVICE,
        '[mwisho_wa_masharti]\nkind = "text"',
        '[mwisho_wa_masharti]\nkind = "text"\nnext = { sw = "a", en = "b" }',
        "demo/kila.toml [mwisho_wa_masharti]: next is only for a text with a goto",
    ),
}


@pytest.mark.parametrize(("name", "old", "new", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_it_is_refused_for(tmp_path: Path, name: str, old: str, new: str, sentence: str) -> None:
    sentences = changed(tmp_path, name, old, new)
    assert any(said.startswith(sentence) for said in sentences), sentences


def test_the_menu_of_every_kind_is_proven() -> None:
    assert read(EVERY_KIND).first == "main.mwanzo"


def test_a_circle_without_an_end_is_told_with_its_screens(tmp_path: Path) -> None:
    circle = """
[a]
kind = "choice"
sw = "A"
en = "A"
options = [{ key = "1", sw = "B", en = "B", goto = "b" }]
[b]
kind = "text"
sw = "B"
en = "B"
goto = "a"
"""
    old = '{ key = "12", sw = "Msimbo", en = "Code", goto = "msimbo" },'
    sentences = changed(
        tmp_path,
        SERVICE,
        old,
        old + '{ key = "13", sw = "A", en = "A", goto = "a" },',
    )
    (tmp_path / SERVICE).write_text((tmp_path / SERVICE).read_text("utf-8") + circle, "utf-8")
    assert sentences == ["demo/kila.toml [mwanzo]: goto 'demo.kila.a' leads to no screen"]
    with pytest.raises(MenuRefused) as refused:
        read(tmp_path)
    assert refused.value.sentences == [
        "demo/kila.toml [a]: no path from here comes to an end: it goes round demo.kila.a, "
        "demo.kila.b",
        "demo/kila.toml [b]: no path from here comes to an end: it goes round demo.kila.b, "
        "demo.kila.a",
    ]


def test_a_tree_of_many_services_is_proven(tmp_path: Path) -> None:
    shutil.copytree(EVERY_KIND, tmp_path, dirs_exist_ok=True)
    text, main = (tmp_path / SERVICE).read_text("utf-8"), (tmp_path / MAIN).read_text("utf-8")
    option = '{ key = "%d", sw = "Kila aina", en = "Every kind", goto = "demo.k%d.mwanzo" },'
    numbers = range(11, 45)
    for number in numbers:
        (tmp_path / "demo" / f"k{number}.toml").write_text(text, "utf-8")
    options = "\n".join(option % (number, number) for number in numbers)
    written = main.replace("options = [", f"options = [\n{options}", 1)
    (tmp_path / MAIN).write_text(written, "utf-8")
    assert len(read(tmp_path).screens) > 1000
