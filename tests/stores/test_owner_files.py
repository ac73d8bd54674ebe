"""Whose each branch of the menu is: every branch has an institution that the directory knows."""

from pathlib import Path

import pytest

from tests.fakes.branches import service_toml, written
from ussdapp.core.branches import owner_of
from ussdapp.core.screens import External, Lookup, institution_of
from ussdapp.sandbox.demo import institutions
from ussdapp.stores.keyword_files import KEYWORDS, read_services
from ussdapp.stores.menu_files import MenuRefused, read_menu, read_owners
from ussdapp.stores.owner_files import check_owners

MENUS = Path(__file__).parents[2] / "menus"
KNOWN = {one.short_name for one in institutions()}


def folder(tmp_path: Path, owners: str = "") -> Path:
    files = {"ega/huduma.toml": service_toml(), "luku/mita.toml": service_toml()}
    return written(tmp_path, {**files, "owners.toml": owners})


def test_every_office_the_tree_asks_is_of_an_institution_in_the_directory() -> None:
    owners = read_owners(MENUS)
    screens = read_menu(MENUS, {"institutions": ()}).screens
    asking = [name for name, one in screens.items() if isinstance(one, Lookup | External)]
    branches = {branch for name in asking if (branch := institution_of(name))}
    assert {owner_of(branch, owners) for branch in branches} <= KNOWN
    assert len(branches) > 15


def test_every_service_asked_by_sms_is_of_an_institution_in_the_directory() -> None:
    services = read_services(MENUS / KEYWORDS).by_name.values()
    assert {one.institution for one in services} <= KNOWN


def test_the_shipped_branches_are_all_somebodys() -> None:
    assert check_owners(MENUS, KNOWN) == []


@pytest.mark.parametrize(
    ("branch", "owner"),
    [("gepg", "fedha"), ("luku", "tanesco"), ("maji", "maji"), ("ajira", "ajira"),
     ("ardhi", "ardhi"), ("muvu", "tcdc"), ("tesws", "tra"), ("gimis", "gpsa"),
     ("bunge", "bunge"), ("gms", "ega"), ("eoffice", "ega"), ("emikutano", "ega"),
     ("govnet", "ega"), ("domain", "ega"), ("gisp", "ega"), ("code", "ega"), ("taasisi", "ega")],
)  # fmt: skip
def test_a_service_is_its_institutions(branch: str, owner: str) -> None:
    assert owner_of(branch, read_owners(MENUS)) == owner


@pytest.mark.parametrize(
    ("owners", "sentence"),
    [
        ("", "luku/: 'luku' is no institution of the directory: say in owners.toml whose it is"),
        ('luku = "tanesko"', "owners.toml luku: 'tanesko' is no institution of the directory"),
        ('luku = "tanesco"\nmaji = "maji"', "owners.toml maji: there is no folder maji/"),
        ("luku = 1", "owners.toml luku: give the short name of its institution"),
        ("[luku]", "owners.toml luku: give the short name of its institution"),
        ("luku", "owners.toml: "),
    ],
    ids=["not named", "misspelt", "no folder", "a number", "a table", "no TOML"],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, owners: str, sentence: str) -> None:
    told = check_owners(folder(tmp_path, owners), {"ega", "tanesco", "maji"})
    assert [one[: len(sentence)] for one in told] == [sentence]


def test_a_folder_without_the_file_calls_each_branch_after_its_institution(tmp_path: Path) -> None:
    assert read_owners(tmp_path) == {}


def test_a_service_is_not_served_where_its_institution_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "owners.toml").write_text("luku = 1", "utf-8")
    (tmp_path / KEYWORDS).write_text("", "utf-8")
    with pytest.raises(MenuRefused, match=r"owners\.toml luku"):
        read_services(tmp_path / KEYWORDS)
