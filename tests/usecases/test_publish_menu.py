"""What may be published, by whom, and what happens when two do it at once."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.fakes.versions import Publishing
from ussdapp.core.branches import MAIN, BranchRefused, Publisher
from ussdapp.core.inbound import Institution
from ussdapp.ports import NoSuchBranch, NoSuchVersion, Unavailable
from ussdapp.usecases.publish_menu import TRIES

NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
STAFF = Publisher("juma")
EGA = Publisher("ega, key 1", "ega")
GEPG = Publisher("gepg, key 2", "gepg")
ONE, TWO, THREE = ({"a.toml": f"version {number}"} for number in (1, 2, 3))
BROKEN = {"a.toml": "broken"}


def published(*all_files: dict[str, str], branch: str = "ega") -> Publishing:
    world = Publishing()
    for files in all_files:
        world.publish(STAFF, {branch: files}, NOON)
    return world


def test_what_is_published_stands_with_who_and_when() -> None:
    world = Publishing()
    (version,) = world.publish(EGA, {"ega": ONE}, NOON)
    assert world.standing() == {"ega": ONE}
    assert (version.published_by, version.published_at) == ("ega, key 1", NOON)
    assert world.versions.audit == [("ega, key 1", "menu.published", "ega/1")]


def test_the_whole_menu_is_proven_and_not_the_branch_alone() -> None:
    world = published(ONE, branch="gepg")
    world.publish(EGA, {"ega": TWO}, NOON)
    assert world.proof.asked[-1] == {"gepg": ONE, "ega": TWO}


def test_what_is_broken_never_replaces_what_is_good() -> None:
    world = published(ONE)
    with pytest.raises(BranchRefused) as refused:
        world.publish(EGA, {"ega": BROKEN}, NOON)
    assert [(one.file, one.message) for one in refused.value.complaints] == [
        ("a.toml", "ega/a.toml [a]: it is broken")
    ]
    assert world.standing() == {"ega": ONE}
    assert len(world.versions.kept) == 1


def test_files_with_impossible_names_are_refused_unread() -> None:
    world = Publishing()
    with pytest.raises(BranchRefused):
        world.publish(EGA, {"ega": {"../gepg/a.toml": "x"}}, NOON)
    assert world.proof.asked == []


def test_a_branch_that_is_called_after_a_service_is_its_institutions() -> None:
    world = Publishing()
    publish = replace(world.publish, owners={"gms": "ega", "gepg": "nobody"})
    publish(EGA, {"gms": ONE}, NOON)
    assert world.standing() == {"gms": ONE}
    for by, branch in ((GEPG, "gms"), (GEPG, "gepg"), (STAFF, "gepg")):
        with pytest.raises(NoSuchBranch):
            publish(by, {branch: TWO}, NOON)


@pytest.mark.parametrize("branch", [MAIN, "gepg", "nobody", "", "../ega", "EGA"])
def test_another_branch_and_none_are_the_same_to_an_institution(branch: str) -> None:
    world = published(ONE, branch="gepg")
    with pytest.raises(NoSuchBranch):
        world.publish(EGA, {branch: TWO}, NOON)
    with pytest.raises(NoSuchBranch):
        world.publish(EGA, {"ega": TWO, branch: TWO}, NOON)
    with pytest.raises(NoSuchBranch):
        world.publish.roll_back(EGA, branch, None, NOON)
    with pytest.raises(NoSuchBranch):
        world.publish.of(EGA, branch)
    with pytest.raises(NoSuchBranch):
        world.publish.check(EGA, {branch: TWO})
    assert world.standing() == {"gepg": ONE}


def test_an_institution_called_main_cannot_have_the_gateways_own_branch() -> None:
    world = Publishing()
    world.institutions.known += (Institution("main", "Kuu", "Main"),)
    with pytest.raises(NoSuchBranch):
        world.publish(Publisher("x", "main"), {MAIN: ONE}, NOON)


def test_an_institution_sees_no_version_of_another() -> None:
    world = published(ONE, branch="gepg")
    world.publish(EGA, {"ega": ONE}, NOON)
    assert {one.branch for one in world.publish.of(EGA, None)} == {"ega"}
    assert {one.branch for one in world.publish.of(STAFF, None)} == {"ega", "gepg"}


def test_staff_publish_main_and_a_new_branch_together_or_not_at_all() -> None:
    world = Publishing()
    with pytest.raises(BranchRefused):
        world.publish(STAFF, {MAIN: ONE, "ega": BROKEN}, NOON)
    assert world.standing() == {}
    kept = world.publish(STAFF, {MAIN: ONE, "ega": TWO}, NOON)
    assert {one.branch for one in kept} == {MAIN, "ega"}


def test_the_same_files_again_are_no_new_version() -> None:
    world = published(ONE)
    (again,) = world.publish(EGA, {"ega": dict(ONE)}, NOON)
    assert again.id == 1
    assert len(world.versions.kept) == 1


def test_a_rival_who_was_quicker_is_proven_with() -> None:
    world = published(ONE)
    world.versions.rivals = [lambda: world.versions.pointers.update({"gepg": 7})]
    world.publish(EGA, {"ega": TWO}, NOON)
    assert len(world.proof.asked) == 3
    assert world.standing() == {"ega": TWO}


def test_rivals_without_end_are_given_way_to() -> None:
    world = published(ONE)
    world.versions.rivals = [
        lambda number=number: world.versions.pointers.update({"gepg": number})  # type: ignore[misc]
        for number in range(TRIES)
    ]
    with pytest.raises(Unavailable):
        world.publish(EGA, {"ega": TWO}, NOON)
    assert world.standing() == {"ega": ONE}


def test_a_branch_that_a_release_broke_keeps_nobody_else_from_publishing() -> None:
    world = published(ONE, branch="gepg")
    world.versions.kept[0] = (world.versions.kept[0][0], BROKEN)
    world.publish(EGA, {"ega": TWO}, NOON)
    assert world.standing()["ega"] == TWO


def test_a_rollback_lets_the_version_before_stand_and_again_the_one_before_that() -> None:
    world = published(ONE, TWO, THREE)
    for number in (2, 1):
        version = world.publish.roll_back(EGA, "ega", None, NOON)
        assert version is not None
        assert version.id == number
    assert world.publish.roll_back(EGA, "ega", None, NOON) is None
    assert world.standing() == {}
    with pytest.raises(NoSuchVersion):
        world.publish.roll_back(EGA, "ega", None, NOON)
    assert world.versions.audit[-1] == ("ega, key 1", "menu.rolled_back", "ega/folder")


def test_a_rollback_may_name_a_version_of_its_branch_alone() -> None:
    world = published(ONE, TWO)
    world.publish(GEPG, {"gepg": THREE}, NOON)
    world.publish.roll_back(EGA, "ega", 1, NOON)
    assert world.standing()["ega"] == ONE
    for number in (3, 4):
        with pytest.raises(NoSuchVersion):
            world.publish.roll_back(EGA, "ega", number, NOON)


def test_a_version_that_no_longer_fits_the_rest_does_not_come_back() -> None:
    world = published(ONE, TWO)
    world.versions.kept[0] = (world.versions.kept[0][0], BROKEN)
    with pytest.raises(BranchRefused):
        world.publish.roll_back(EGA, "ega", None, NOON)
    assert world.standing() == {"ega": TWO}


def test_a_check_keeps_nothing() -> None:
    world = Publishing()
    world.publish.check(EGA, {"ega": ONE})
    with pytest.raises(BranchRefused):
        world.publish.check(EGA, {"ega": BROKEN})
    assert world.standing() == {}
