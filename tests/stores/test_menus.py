"""Menus change under dialogues that are under way, and none of them notices."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fakes.branches import TREE, main_toml, service_toml, written
from tests.fakes.patience import PATIENCE, until
from tests.stores.world import NOON, World, after
from ussdapp.core.branches import MAIN, Publisher
from ussdapp.core.dialogue import begin, step
from ussdapp.core.inbound import Institution
from ussdapp.core.menu import Menu
from ussdapp.ports import Unavailable
from ussdapp.stores.menu_files import MenuRefused
from ussdapp.stores.menu_trees import MenuProof, Tree
from ussdapp.stores.menu_versions import PgMenuVersions
from ussdapp.stores.menus import MOST_MENUS, POLL_S, Folder, LiveMenus
from ussdapp.usecases.publish_menu import PublishMenu

STAFF = Publisher("juma")
DEPTH = 5


class Gateway:
    """One gateway's menus over a database; `process` is one more process of it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = written(folder)
        self.versions = PgMenuVersions(world.database)
        self.publish = PublishMenu(
            self.versions, world.institutions, MenuProof(self.folder, 160, {})
        )
        self.now = 0.0

    def process(self, *, follows: bool = False) -> LiveMenus:
        folder = Folder(self.folder, 160, {}, follows=follows)
        return LiveMenus(folder, self.versions, self.world.institutions.all, lambda: self.now)

    def ega(self, title: str) -> None:
        files = {"huduma.toml": service_toml(title, DEPTH)}
        self.publish(STAFF, {"ega": files}, NOON)


@pytest.fixture
def gateway(world: World, tmp_path: Path) -> Gateway:
    return Gateway(world, tmp_path / "menus")


def says(menu: Menu, screen: str = "ega.huduma.mwanzo") -> str:
    return menu.screens[screen].says["sw"]  # type: ignore[union-attr]


def test_the_first_dialogue_of_a_process_sees_the_institutions(gateway: Gateway) -> None:
    assert [item.key for item in gateway.process().current().lists["institutions"]] == ["ega"]


def test_nobody_sees_an_empty_directory_while_a_process_starts(gateway: Gateway) -> None:
    answers = threading.Event()

    def slowly() -> tuple[Institution, ...]:
        answers.wait(PATIENCE)
        return gateway.world.institutions.all()

    folder = Folder(gateway.folder, 160, {})
    live = LiveMenus(folder, gateway.versions, slowly, lambda: gateway.now)
    with ThreadPoolExecutor(8) as pool:
        dialled = [pool.submit(live.current) for _ in range(8)]
        answers.wait(1.5)  # a database on a busy machine takes its time
        assert not any(one.done() for one in dialled)
        answers.set()
        menus = [one.result() for one in dialled]
    assert {item.key for menu in menus for item in menu.lists["institutions"]} == {"ega"}


def test_a_published_branch_is_served_after_the_next_look(gateway: Gateway) -> None:
    live = gateway.process()
    assert says(live.current()) == "Huduma mwanzo"
    gateway.ega("Mpya")
    gateway.now += POLL_S + 1
    until(lambda: says(live.current()) == "Mpya mwanzo")


def test_nobody_looks_more_often_than_every_two_seconds(gateway: Gateway) -> None:
    live = gateway.process()
    live.current()
    gateway.ega("Mpya")
    for _ in range(50):
        live.current()
    assert says(live.current()) == "Huduma mwanzo"


def test_a_rollback_is_served_and_the_folder_where_nothing_was_before(gateway: Gateway) -> None:
    live = gateway.process()
    gateway.ega("Moja")
    gateway.ega("Mbili")
    live.refresh()
    assert says(live.current()) == "Mbili mwanzo"
    for title in ("Moja", "Huduma"):
        gateway.publish.roll_back(STAFF, "ega", None, NOON)
        live.refresh()
        assert says(live.current()) == f"{title} mwanzo"


def test_a_new_institution_is_in_the_lists(gateway: Gateway) -> None:
    live = gateway.process()
    live.refresh()
    gateway.world.institutions.add([Institution("rita", "Usajili", "Registration")])
    live.refresh()
    assert [item.key for item in live.current().lists["institutions"]] == ["ega", "rita"]


def test_a_dialogue_stays_on_its_version_in_another_process_and_after_a_restart(
    gateway: Gateway,
) -> None:
    first = gateway.process()
    gateway.ega("Moja")
    first.refresh()
    begun = first.current().version
    gateway.ega("Mbili")
    first.refresh()
    later = gateway.process()
    later.refresh()
    pinned = later.pinned(begun)
    assert pinned is not None
    assert (pinned.version, says(pinned)) == (begun, "Moja mwanzo")
    assert says(later.current()) == "Mbili mwanzo"


def test_a_version_nobody_served_is_forgotten(gateway: Gateway) -> None:
    assert gateway.process().pinned("0123456789abcdef") is None


def test_more_versions_than_fit_in_memory_are_had_again(gateway: Gateway) -> None:
    live = gateway.process()
    begun = []
    for number in range(MOST_MENUS + 4):
        gateway.ega(f"Na {number}")
        live.refresh()
        begun.append(live.current().version)
    assert len(set(begun)) == MOST_MENUS + 4
    for number, version in enumerate(begun):
        pinned = live.pinned(version)
        assert pinned is not None
        assert says(pinned) == f"Na {number} mwanzo"


def test_without_postgresql_what_is_in_memory_goes_on(gateway: Gateway) -> None:
    live = gateway.process()
    gateway.ega("Moja")
    live.refresh()
    begun = live.current().version
    live._recorded = Down()
    with capture_logs() as logs:
        for _ in range(3):
            live.refresh()
    assert live.current().version == begun
    assert live.pinned(begun) is live.current()
    assert live.pinned("another") is None
    assert [log["event"] for log in logs] == ["menu.kept"]


def test_a_process_starts_without_postgresql(gateway: Gateway) -> None:
    folder = Folder(gateway.folder, 160, {})
    live = LiveMenus(folder, Down(), lambda: (), lambda: 0.0)
    assert says(live.current()) == "Huduma mwanzo"


def test_a_folder_that_is_broken_refuses_the_start(gateway: Gateway) -> None:
    (gateway.folder / "main.toml").write_text("nothing", "utf-8")
    with pytest.raises(MenuRefused):
        gateway.process()


def test_a_file_broken_later_leaves_the_last_good_menu_with_one_warning(gateway: Gateway) -> None:
    live = gateway.process(follows=True)
    live.refresh()
    good = (gateway.folder / "ega/huduma.toml").read_text("utf-8")
    (gateway.folder / "ega/huduma.toml").write_text("[mwanzo]", "utf-8")
    with capture_logs() as logs:
        for _ in range(3):
            live.refresh()
    assert [log["event"] for log in logs] == ["menu.kept"]
    assert says(live.current()) == "Huduma mwanzo"
    (gateway.folder / "ega/huduma.toml").write_text(good.replace("Huduma", "Bora"), "utf-8")
    live.refresh()
    assert says(live.current()) == "Bora mwanzo"


def test_outside_the_sandbox_the_folder_is_read_at_the_start_alone(gateway: Gateway) -> None:
    live = gateway.process()
    live.refresh()
    written(gateway.folder, {"ega/huduma.toml": service_toml("Nyingine")})
    live.refresh()
    assert says(live.current()) == "Huduma mwanzo"


def test_a_branch_that_a_release_broke_is_left_out_and_the_others_are_served(
    gateway: Gateway,
) -> None:
    gateway.world.institutions.add([Institution("gepg", "Malipo", "Payments")])
    leads_to = ("ega.huduma.mwanzo", "gepg.huduma.mwanzo")
    written(gateway.folder, {"main.toml": main_toml(leads_to=leads_to),
                             "gepg/huduma.toml": service_toml("Malipo")})  # fmt: skip
    gateway.publish(STAFF, {"gepg": {"huduma.toml": service_toml("Malipo mapya")}}, NOON)
    mark, _ = gateway.versions.standing()
    unproven = {"huduma.toml": service_toml().replace('kind = "end"', 'kind = "gone"')}
    assert gateway.versions.publish({"ega": unproven}, STAFF, after(1), mark)
    live = gateway.process()
    with capture_logs() as logs:
        live.refresh()
    assert says(live.current()) == "Huduma mwanzo"
    assert says(live.current(), "gepg.huduma.mwanzo") == "Malipo mapya mwanzo"
    assert {"event": "menu.branches_left_out", "branches": ["ega"], "log_level": "warning"} in logs


def test_two_hundred_dialogues_go_on_each_on_one_version_while_menus_change_twenty_times(
    gateway: Gateway,
) -> None:
    processes = [gateway.process() for _ in range(2)]
    for live in processes:
        live.refresh()
    stop = threading.Event()
    publisher = threading.Thread(target=changes, args=(gateway, processes, stop))
    publisher.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda number: spoken(processes, number, stop), range(200)))
    finally:
        publisher.join()
    assert [titles for titles in told if len(titles) != 1] == []
    assert len({title for titles in told for title in titles}) > 3


def changes(gateway: Gateway, processes: list[LiveMenus], stop: threading.Event) -> None:
    """Twenty publishes and rollbacks, each seen by both processes at once."""
    try:
        for number in range(20):
            if number % 4 == 3:
                gateway.publish.roll_back(STAFF, "ega", None, NOON)
            else:
                gateway.ega(f"Na {number}")
            for live in processes:
                live.refresh()
    finally:
        stop.set()


def spoken(processes: list[LiveMenus], number: int, stop: threading.Event) -> set[str]:
    """The titles one dialogue was shown, its keys going to the processes in turn; the first
    hundred pause before each key, so that menus change under them."""
    menu = processes[0].current()
    version, turn = menu.version, begin(menu, "sw")
    titles = set()
    for place in range(1, DEPTH + 2):
        pinned = processes[place % 2].pinned(version)
        assert pinned is not None
        assert pinned.version == version
        turn = step(pinned, turn.session, "1")
        titles.add(turn.text.partition("\n")[0].rpartition(" ")[0])
        if number < 100:
            stop.wait(0.02)
    assert turn.ends
    return titles


class Down:
    """A database that does not answer."""

    def seen(self) -> tuple[str, ...]:
        raise Unavailable("PostgreSQL")

    def standing(self) -> tuple[str, dict[str, dict[str, str]]]:
        raise Unavailable("PostgreSQL")

    def record(self, version: str, tree: Tree) -> None:
        raise Unavailable("PostgreSQL")

    def recorded(self, version: str) -> Tree | None:
        raise Unavailable("PostgreSQL")


def test_publishing_main_takes_its_old_files_away(gateway: Gateway) -> None:
    written(gateway.folder, {"ziada.toml": service_toml("Ziada")})
    leads = ("ega.huduma.mwanzo", "ziada.mwanzo")
    written(gateway.folder, {"main.toml": main_toml(leads_to=leads)})
    live = gateway.process()
    live.refresh()
    assert "ziada.mwanzo" in live.current().screens
    gateway.publish(STAFF, {MAIN: {"main.toml": TREE["main.toml"]}}, NOON)
    live.refresh()
    assert "ziada.mwanzo" not in live.current().screens
