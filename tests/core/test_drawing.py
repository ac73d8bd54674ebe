"""A drawing shows every screen and every way, and can be read by what reads its format."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.fakes.branches import main_toml, service_toml
from ussdapp.core.drawing import cards, mermaid
from ussdapp.core.drawing_svg import svg
from ussdapp.core.menu import Menu
from ussdapp.stores.menu_trees import Tree, folder_files

MENUS = Path(__file__).parents[2] / "menus"
SVG = "{http://www.w3.org/2000/svg}"


def menu(title: str = "Huduma", depth: int = 3) -> Menu:
    files = {"main.toml": main_toml(), "ega/huduma.toml": service_toml(title, depth)}
    return Tree(files, (), 160, {}).menu()


def shipped() -> Menu:
    return Tree(folder_files(MENUS), (), 160, {}).menu()


def ids(picture: str) -> set[str]:
    return {
        group.attrib["id"]
        for group in ET.fromstring(picture).iter(f"{SVG}g")
        if "id" in group.attrib
    }


def test_every_screen_is_a_card_in_the_group_of_its_file() -> None:
    drawn = cards(menu(), "sw")
    assert list(drawn) == ["main.toml", "ega/huduma.toml"]
    assert [card.short for card in drawn["ega/huduma.toml"]] == ["mwanzo", "s2", "s3", "mwisho"]


def test_every_way_out_is_drawn_with_what_is_keyed() -> None:
    (first, _) = cards(menu(), "sw")["main.toml"]
    assert [(way.says, way.goto) for way in first.ways] == [
        ("1 Huduma", "ega.huduma.mwanzo"),
        ("9 Mwisho", "main.mwisho"),
    ]


def test_mermaid_names_each_screen_once_and_each_way_once() -> None:
    text = mermaid(cards(menu(), "sw"))
    assert text.startswith("flowchart LR\n")
    assert text.count("  subgraph ") == 2
    nodes = re.findall(r"^    (s\d+)\[|^    (s\d+)\(", text, re.MULTILINE)
    assert len(nodes) == len(set(nodes)) == 6
    assert text.count(" -->") == 5


def test_a_branch_alone_shows_where_it_leads_outside() -> None:
    text = mermaid(cards(menu(), "sw", "main"))
    assert '["ega.huduma.mwanzo"]:::away' in text
    assert text.count("  subgraph ") == 1


def test_no_word_of_a_menu_is_read_as_mermaid_or_xml() -> None:
    odd = "<b> & ]] --> | ; # end % ( @"
    said = menu(odd)
    lines = mermaid(cards(said, "sw")).splitlines()
    assert all(line.count('"') in (0, 2) for line in lines)
    assert not any("--> |" in line or "<b> " in line for line in lines)
    assert odd in "".join(ET.fromstring(svg(cards(said, "sw"), said.first)).itertext())


def test_the_picture_holds_every_shipped_screen() -> None:
    whole = shipped()
    for language in ("sw", "en"):
        assert ids(svg(cards(whole, language), whole.first)) == set(whole.screens)


def test_no_two_cards_lie_upon_each_other() -> None:
    whole = shipped()
    picture = ET.fromstring(svg(cards(whole, "sw"), whole.first))
    boxes = [
        [float(rect.attrib[name]) for name in ("x", "y", "width", "height")]
        for rect in picture.iter(f"{SVG}rect")
        if rect.attrib.get("class") == "card"
    ]
    assert len(boxes) == len(whole.screens)
    for place, (x, y, wide, high) in enumerate(boxes):
        for other_x, other_y, _, other_high in boxes[:place]:
            apart = abs(x - other_x) >= wide or y >= other_y + other_high or other_y >= y + high
            assert apart


def test_a_hundred_screens_in_a_row_stay_on_a_sheet() -> None:
    deep = menu(depth=98)
    picture = ET.fromstring(svg(cards(deep, "sw"), deep.first))
    width = float(picture.attrib["width"])
    rights = [float(r.attrib["x"]) + float(r.attrib["width"]) for r in picture.iter(f"{SVG}rect")
              if r.attrib.get("class")]  # fmt: skip
    assert max(rights) <= width < 3000
