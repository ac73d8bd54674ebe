"""What was published is kept with who and when, changes all or nothing, and is written down."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.branches import TREE, main_toml, service_toml, written
from tests.stores.world import NOON, World, after
from ussdapp.core.branches import MAIN, BranchRefused, Publisher
from ussdapp.core.inbound import Institution
from ussdapp.ports import Unavailable
from ussdapp.stores.database import Database, rows
from ussdapp.stores.menu_trees import MenuProof, Tree
from ussdapp.stores.menu_versions import PgMenuVersions
from ussdapp.usecases.publish_menu import PublishMenu

STAFF = Publisher("juma")
EGA = Publisher("ega, key 1", "ega")
ONE, TWO = ({"huduma.toml": service_toml(f"Toleo {number}")} for number in (1, 2))


@pytest.fixture
def versions(world: World) -> PgMenuVersions:
    return PgMenuVersions(world.database)


@pytest.fixture
def publish(world: World, versions: PgMenuVersions, tmp_path: Path) -> PublishMenu:
    proof = MenuProof(written(tmp_path), 160, {})
    return PublishMenu(versions, world.institutions, proof)


@pytest.fixture
def nowhere() -> Iterator[PgMenuVersions]:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    yield PgMenuVersions(database)
    database.close()


def audit(world: World) -> list[tuple[str, str, str]]:
    query = "SELECT actor, action, subject FROM audit WHERE starts_with(action, 'menu') ORDER BY id"
    return [(str(a), str(b), str(c)) for a, b, c in world.database.run(lambda c: rows(c, query))]


def test_a_version_is_kept_whole_with_who_and_when(
    versions: PgMenuVersions, publish: PublishMenu
) -> None:
    (version,) = publish(EGA, {"ega": ONE}, NOON)
    assert versions.standing()[1] == {"ega": ONE}
    assert versions.files("ega", version.id) == ONE
    assert versions.of("ega") == (version,)
    assert (version.published_by, version.published_at) == ("ega, key 1", NOON)


def test_each_move_has_its_audit_row(world: World, publish: PublishMenu) -> None:
    (one,) = publish(EGA, {"ega": ONE}, NOON)
    (two,) = publish(EGA, {"ega": TWO}, after(1))
    publish.roll_back(STAFF, "ega", None, after(2))
    publish.roll_back(STAFF, "ega", 0, after(3))
    assert audit(world) == [
        ("ega, key 1", "menu.published", f"ega/{one.id}"),
        ("ega, key 1", "menu.published", f"ega/{two.id}"),
        ("juma", "menu.rolled_back", f"ega/{one.id}"),
        ("juma", "menu.rolled_back", "ega/folder"),
    ]


def test_a_menu_that_fails_its_proof_leaves_no_trace(
    world: World, versions: PgMenuVersions, publish: PublishMenu
) -> None:
    publish(EGA, {"ega": ONE}, NOON)
    broken = {"huduma.toml": service_toml().replace('goto = "mwisho"', 'goto = "pengine"')}
    with pytest.raises(BranchRefused) as refused:
        publish(EGA, {"ega": broken}, after(1))
    (told,) = refused.value.complaints
    assert told.file == "huduma.toml"
    assert "[mwanzo]" in told.message
    assert versions.standing()[1] == {"ega": ONE}
    assert len(audit(world)) == 1


def test_what_would_break_another_branch_is_refused(publish: PublishMenu) -> None:
    with pytest.raises(BranchRefused) as refused:
        publish(EGA, {"ega": {"nyingine.toml": service_toml()}}, NOON)
    assert "main.toml" in {one.file for one in refused.value.complaints}


def test_staff_open_a_new_branch_together_with_the_main_that_leads_to_it(
    world: World, versions: PgMenuVersions, publish: PublishMenu
) -> None:
    world.institutions.add([Institution("gepg", "Malipo ya Serikali", "Payments")])
    main = {"main.toml": main_toml(leads_to=("ega.huduma.mwanzo", "gepg.huduma.mwanzo"))}
    with pytest.raises(BranchRefused):
        publish(STAFF, {MAIN: main}, NOON)
    kept = publish(STAFF, {MAIN: main, "gepg": ONE}, NOON)
    assert [one.branch for one in kept] == [MAIN, "gepg"]
    assert versions.standing()[1] == {MAIN: main, "gepg": ONE}


def test_of_twenty_publishers_at_once_each_version_stood_after_a_proof_of_what_stood(
    world: World, versions: PgMenuVersions, publish: PublishMenu
) -> None:
    def one(number: int) -> bool:
        try:
            publish(EGA, {"ega": {"huduma.toml": service_toml(f"Na {number}")}}, after(number))
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(one, range(20)))
    history = versions.of("ega")
    assert len(history) == sum(done) == len(audit(world))
    assert [version.current for version in history].count(True) == 1
    assert history[0].current
    assert sum(done) >= 10


def test_a_mark_that_is_no_longer_true_keeps_nothing(versions: PgMenuVersions) -> None:
    mark, _ = versions.standing()
    assert versions.publish({"ega": ONE}, EGA, NOON, mark)
    assert versions.publish({"ega": TWO}, EGA, NOON, mark) is None
    assert versions.move("ega", None, EGA, NOON, mark) is False
    assert versions.standing()[1] == {"ega": ONE}


def test_news_are_seen_and_nothing_else(
    world: World, versions: PgMenuVersions, publish: PublishMenu
) -> None:
    marks = [versions.seen(), versions.seen()]
    publish(EGA, {"ega": ONE}, NOON)
    marks.append(versions.seen())
    world.institutions.add([Institution("rita", "Usajili", "Registration")])
    marks.append(versions.seen())
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3


def test_a_tree_gives_the_same_menu_again(versions: PgMenuVersions) -> None:
    known = (Institution("ega", "Mamlaka", "Authority", "tehama"),)
    tree = Tree(TREE, known, 150, {"namba_fupi": "15200"})
    menu = tree.menu()
    versions.record(menu.version, tree)
    versions.record(menu.version, tree)
    again = versions.recorded(menu.version)
    assert again == tree
    assert again is not None
    assert again.menu().version == menu.version
    assert versions.recorded("another") is None


def test_a_tree_unused_for_a_day_goes_and_one_in_use_stays(
    world: World, versions: PgMenuVersions
) -> None:
    tree = Tree(TREE, (), 160, {})
    for name in ("old", "used"):
        versions.record(name, tree)
    world.database.run(
        lambda link: link.execute("UPDATE menu_trees SET used_at = used_at - interval '25 hours'")
    )
    assert versions.recorded("used") is not None
    versions.record("new", tree)
    assert versions.recorded("old") is None
    assert versions.recorded("used") is not None


def test_without_postgresql_everything_is_unavailable(nowhere: PgMenuVersions) -> None:
    for ask in (nowhere.seen, lambda: nowhere.recorded("x")):
        with pytest.raises(Unavailable):
            ask()
