"""Which files are whose, and what may be published at all."""

import pytest

from ussdapp.core.branches import (
    MAIN,
    MOST_OCTETS,
    Publisher,
    branch_of,
    complaint,
    digest_of,
    implicated,
    overlaid,
    unfit,
)

TREE = {
    "main.toml": "m",
    "gepg/bili.toml": "g",
    "ega/a.toml": "a",
    "ega/b.toml": "b",
    "sms.toml": "s",
}


@pytest.mark.parametrize(
    ("place", "branch"),
    [
        ("main.toml", MAIN),
        ("emrejesho.toml", MAIN),
        ("ega/a.toml", "ega"),
        ("sms.toml", ""),
        ("keywords.toml", ""),
        ("owners.toml", ""),
        ("ega/keywords.toml", "ega"),
    ],
)
def test_a_file_belongs_to_the_folder_it_lies_in(place: str, branch: str) -> None:
    assert branch_of(place) == branch


def test_a_published_branch_stands_whole_in_the_place_of_its_own_files() -> None:
    tree = overlaid(TREE, {"ega": {"c.toml": "c"}})
    assert tree == {"main.toml": "m", "gepg/bili.toml": "g", "ega/c.toml": "c", "sms.toml": "s"}


def test_publishing_main_leaves_the_sms_texts_and_every_institution() -> None:
    tree = overlaid(TREE, {MAIN: {"main.toml": "new"}})
    assert tree == {**TREE, "main.toml": "new"}


def test_an_institution_owns_its_branch_and_no_other() -> None:
    ega = Publisher("asha", "ega")
    assert ega.owns("ega")
    assert not ega.owns("gepg")
    assert not ega.owns(MAIN)


def test_an_institution_owns_the_branches_that_are_said_to_be_its() -> None:
    owners = {"gms": "ega", "gepg": "fedha", "odd": "main"}
    assert Publisher("asha", "ega").owns("gms", owners)
    assert Publisher("asha", "ega").owns("ega", owners)
    assert not Publisher("asha", "ega").owns("gepg", owners)
    assert not Publisher("asha", "gepg").owns("gepg", owners)
    assert not Publisher("asha", "main").owns(MAIN, owners)


def test_an_institution_that_is_called_main_does_not_own_the_gateways_own_branch() -> None:
    assert not Publisher("asha", "main").owns(MAIN)


def test_the_gateways_staff_own_every_branch() -> None:
    assert all(Publisher("juma").owns(branch) for branch in (MAIN, "ega"))


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "required"),
        ({f"f{n}.toml": "" for n in range(51)}, "too_many"),
        ({"a.toml": "x" * MOST_OCTETS, "b.toml": "x"}, "too_large"),
        ({"a.toml": "é" * (MOST_OCTETS // 2 + 1)}, "too_large"),
        ({"../gepg/bili.toml": ""}, "name"),
        ({"sub/a.toml": ""}, "name"),
        ({"/etc/a.toml": ""}, "name"),
        ({"A.toml": ""}, "name"),
        ({"a.toml\n": ""}, "name"),
        ({".toml": ""}, "name"),
        ({"a.txt": ""}, "name"),
        ({"sms.toml": ""}, "name"),
        ({"a.toml": "\ud800"}, "characters"),
    ],
    ids=["no file", "51 files", "too large", "too large in octets", "above", "in a folder",
         "absolute", "capitals", "line end", "no name", "no TOML", "SMS texts", "a lone surrogate"],
)  # fmt: skip
def test_what_cannot_be_a_branch_is_refused_before_it_is_read(
    files: dict[str, str], code: str
) -> None:
    assert [one.code for one in unfit(files)] == [code]


def test_the_largest_branch_is_taken() -> None:
    files = {f"f{n}.toml": "x" * (MOST_OCTETS // 50) for n in range(50)}
    assert list(unfit(files)) == []


def test_a_sentence_is_told_with_the_file_as_its_author_named_it() -> None:
    told = complaint("ega/a.toml [x]: goto 'y' leads to no screen", "ega")
    assert (told.file, told.message) == ("a.toml", "ega/a.toml [x]: goto 'y' leads to no screen")


def test_an_institution_is_told_what_main_needs_but_nothing_of_another_branch() -> None:
    assert complaint("main.toml [x]: goto 'ega.a.y' leads to no screen", "ega").file == "main.toml"
    told = complaint("gepg/bili.toml [siri]: goto 'ega.a.y' leads to no screen", "ega")
    assert told.file == ""
    assert "siri" not in told.message
    assert "gepg" not in told.message


def test_equal_files_have_one_digest_in_any_order() -> None:
    assert digest_of({"a": "1", "b": "2"}) == digest_of({"b": "2", "a": "1"})
    assert digest_of({"a": "1"}) != digest_of({"a": "2"})


def test_only_published_branches_are_found_at_fault() -> None:
    sentences = ["ega/a.toml [x]: no", "gepg/bili.toml: no", "main.toml [y]: no", "no place"]
    assert implicated(sentences, {"ega": {}, MAIN: {}}) == {"ega", MAIN}
