"""The proof of a menu: what could lose a citizen is refused, with a sentence for its author."""

from pathlib import Path

import pytest

from ussdapp.core.menu import Item
from ussdapp.stores.menu_files import MenuRefused, check_menus, read_menu, read_texts

MENUS = Path(__file__).parents[2] / "menus"
LISTS = {"institutions": (Item("ega", {"sw": "Mamlaka", "en": "Authority"}),)}
MAIN = """
[menu]
first = "a"
back = { sw = "Rudi", en = "Back" }
home = { sw = "Mwanzo", en = "Home" }
more = { sw = "Zaidi", en = "More" }
wrong = { sw = "Siyo.", en = "No." }
unavailable = { sw = "Samahani.", en = "Sorry." }
too_long = { sw = "Ndefu.", en = "Long." }
lost = { sw = "Upya.", en = "Again." }
yes = { sw = "Ndiyo", en = "Yes" }
no = { sw = "Hapana", en = "No" }
next = { sw = "Endelea", en = "Go on" }
enough = { sw = "Basi.", en = "Enough." }
resume = { sw = "Endelea?", en = "Go on?" }
resume_yes = { sw = "Ndiyo", en = "Yes" }
resume_no = { sw = "Upya", en = "Anew" }
[a]
kind = "choice"
sw = "Chagua"
en = "Choose"
options = [{ key = "1", sw = "Maneno", en = "Words", goto = "b" }]
[b]
kind = "input"
sw = "Andika:"
en = "Write:"
wrong = { sw = "Tena:", en = "Again:" }
saves = "neno"
goto = "c"
[c]
kind = "end"
sw = "Asante: {neno}"
en = "Thanks: {neno}"
"""


def refusals(folder: Path, text: str) -> list[str]:
    (folder / "main.toml").write_text(text, "utf-8")
    with pytest.raises(MenuRefused) as refused:
        read_menu(folder, LISTS)
    return refused.value.sentences


def test_the_menus_that_ship_are_proven() -> None:
    assert check_menus(MENUS) == []


def test_the_small_menu_of_this_test_is_proven(tmp_path: Path) -> None:
    (tmp_path / "main.toml").write_text(MAIN, "utf-8")
    assert read_menu(tmp_path, LISTS).first == "main.a"


END = '[x]\nkind = "end"\nsw = "Mwisho"\nen = "End"\n'
FAULTS = {
    "a goto that leads nowhere": (
        'goto = "c"',
        'goto = "d"',
        "main.toml [b]: goto 'main.d' leads to no screen",
    ),
    "a screen nobody reaches": (
        "[c]\nkind",
        END + "[c]\nkind",
        "main.toml [x]: no path leads here",
    ),
    "a key twice": (
        'goto = "b" }]',
        'goto = "b" }, { key = "1", sw = "M", en = "W", goto = "b" }]',
        "main.toml [a]: two options have the key '1'",
    ),
    "a reserved key": (
        'key = "1"',
        'key = "99"',
        "main.toml [a]: the key '99' is not one or two digits, or is 0, 00 or 99",
    ),
    "a key of letters": (
        'key = "1"',
        'key = "a"',
        "main.toml [a]: the key 'a' is not one or two digits, or is 0, 00 or 99",
    ),
    "a language left out": ('en = "Write:"\n', "", "main.toml [b]: en is missing"),
    "a sentence's language left out": (
        ', en = "Again:" }\nsaves',
        " }\nsaves",
        "main.toml [b]: wrong: en is missing",
    ),
    "a typing mistake in a name": (
        'saves = "neno"',
        'save = "neno"',
        "main.toml [b]: saves is missing",
    ),
    "a name nobody knows": (
        'goto = "c"',
        'goto = "c"\nafter = "c"',
        "main.toml [b]: nobody knows what after is",
    ),
    "a kind nobody knows": (
        'kind = "end"',
        'kind = "exit"',
        "main.toml [c]: kind 'exit' is not one of choice, list, input, confirm, lookup, text, ",
    ),
    "a value nobody saved": (
        "Asante: {neno}",
        "Asante: {jina}",
        "main.toml [c]: sw shows {jina}, which not every path here saves",
    ),
    "a character no handset shows": (
        "Asante:",
        "Asante ✓:",
        "main.toml [c] sw: no handset shows ✓, leave it out",
    ),
    "a screen too wide": (
        "Write:",
        "Write " * 30,
        "main.toml [b] en: the widest page takes 196 septets, 36 more than 160",
    ),
    "an option too wide for any page": (
        'en = "Words"',
        f'en = "{"Words " * 25}"',
        "main.toml [a] en: the widest page takes 180 septets, 20 more than 160",
    ),
    "an ask nobody answers": (
        'kind = "end"\nsw = "Asante: {neno}"\nen = "Thanks: {neno}"',
        'kind = "lookup"\nasks = "weather"\ngoto = { found = "a" }',
        "main.toml [c]: nobody answers the ask 'weather'",
    ),
    "an outcome left out": (
        "[c]\n",
        END + '[l]\nkind = "lookup"\nasks = "case.status"\n'
        'goto = { found = "x", answered = "x", missing = "x" }\n[c]\n',
        "main.toml [l]: the outcome 'unavailable' of 'case.status' leads nowhere",
    ),
    "no way to an end": (
        'goto = "c"',
        'goto = "a"',
        "main.toml [a]: no path from here comes to an end",
    ),
    "no regular expression": (
        'saves = "neno"',
        'saves = "neno"\naccepts = "("',
        "main.toml [b]: accepts is no regular expression: missing )",
    ),
    "more than a step can carry": (
        'saves = "neno"',
        'saves = "neno"\nmost = 200',
        "main.toml [b]: an input takes 1 to 182 characters, and least is not above most",
    ),
    "a first screen that is none": (
        'first = "a"',
        'first = "b"',
        "main.toml [menu]: first is 'main.b', which is no choice",
    ),
    "a shared sentence left out": (
        'lost = { sw = "Upya.", en = "Again." }\n',
        "",
        "main.toml [menu]: lost is missing",
    ),
    "no TOML": ("[a]", "[a", "main.toml: "),
}


@pytest.mark.parametrize(("old", "new", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_a_menu_is_refused_for(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in MAIN
    sentences = refusals(tmp_path, MAIN.replace(old, new, 1))
    assert any(said.startswith(sentence) for said in sentences), sentences


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = MAIN.replace('goto = "c"', 'goto = "d"').replace('key = "1"', 'key = "0"')
    assert len(refusals(tmp_path, text)) == 2


def test_a_value_must_be_saved_on_every_path(tmp_path: Path) -> None:
    text = MAIN.replace(
        'goto = "b" }]', 'goto = "b" }, { key = "2", sw = "M", en = "W", goto = "c" }]'
    )
    assert "main.toml [c]: sw shows {neno}, which not every path here saves" in refusals(
        tmp_path, text
    )


def test_a_list_whose_widest_item_fits_no_page_is_refused(tmp_path: Path) -> None:
    text = MAIN.replace('goto = "c"', 'goto = "l"') + (
        f'[l]\nkind = "list"\nof = "institutions"\nsw = "{"s" * 101}"\nen = "x"\n'
        'nothing = { sw = "x", en = "x" }\nsaves = "taasisi"\ngoto = "c"\n'
    )
    assert refusals(tmp_path, text) == [
        "main.toml [l] sw: the widest page takes 161 septets, 1 more than 160"
    ]


def test_a_screen_in_a_folder_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "nida").mkdir()
    (tmp_path / "nida" / "kadi.toml").write_text(END, "utf-8")
    assert "nida/kadi.toml [x]: no path leads here" in refusals(tmp_path, MAIN)


def test_texts_without_a_language_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sms.toml"
    path.write_text('[help]\nsw = "Msaada"\n', "utf-8")
    with pytest.raises(MenuRefused, match=r"sms.toml \[help\]: en is missing"):
        read_texts(path)


def test_a_folder_without_menus_is_told_in_sentences(tmp_path: Path) -> None:
    assert any("first is missing" in sentence for sentence in check_menus(tmp_path))
