"""The embedded servers: where they start, what they refuse, what survives a crash."""

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from tests.fakes.clusters import Clusters
from tests.fakes.patience import PATIENCE, until
from ussdapp.sandbox import embedded, kernel
from ussdapp.sandbox.children import Child, Program, end
from ussdapp.sandbox.embedded import CannotStart, Store

pytestmark = pytest.mark.real
Maker = Callable[[Path, dict[str, str]], Store]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def private_home(tmp_path: Path) -> Path:
    folder = tmp_path / "nyumba"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def used_home(private_home: Path, clusters: Clusters) -> Iterator[Path]:
    """One whose `postgres` is another test's, at rest, when there is any."""
    clusters.lend(private_home / "postgres")
    yield private_home
    clusters.take_back(private_home / "postgres")


@contextmanager
def running(store: Store, log: Path) -> Iterator[Child]:
    with log.open("wb") as output:
        child = Child(store.program, output.fileno())
        try:
            await_answer(store, child)
            yield child
        finally:
            end([child], 5.0)


def await_answer(store: Store, child: Child) -> None:
    deadline = time.monotonic() + PATIENCE
    while child.pid is None or not store.answers(child.pid):
        assert time.monotonic() < deadline, "the server does not answer"
        child.buried(time.monotonic())
        child.start_if_due(time.monotonic())
        time.sleep(0.01)


def kill(store: Store, child: Child) -> None:
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    while child.buried(time.monotonic()) is None:
        time.sleep(0.01)
    await_answer(store, child)


def environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


@pytest.mark.parametrize(
    "name",
    ["h", "a home with spaces & a quote'", "n" * 150],
    ids=["a short path", "spaces in the path", "a path too long for a unix socket"],
)
def test_both_servers_start_in_a_private_home(private_home: Path, name: str) -> None:
    home = private_home / name
    database = embedded.postgres(home / "postgres", environ())
    cache = embedded.valkey(home / "valkey", environ())
    with running(database, private_home / "p.log"), running(cache, private_home / "v.log"):
        with psycopg.connect(database.url) as connection:
            row = connection.execute("SELECT current_setting('fsync'), upper('ĩ')").fetchone()
        with redis.Redis.from_url(cache.url) as client:
            policy = client.config_get("maxmemory-policy")
    assert row == ("on", "Ĩ")
    assert policy == {"maxmemory-policy": "noeviction"}


def test_the_servers_listen_on_no_port(used_home: Path) -> None:
    database = embedded.postgres(used_home / "postgres", environ())
    cache = embedded.valkey(used_home / "valkey", environ())
    with running(database, used_home / "p.log"), running(cache, used_home / "v.log"):
        with psycopg.connect(database.url) as connection:
            addresses = connection.execute("SHOW listen_addresses").fetchone()
        with redis.Redis.from_url(cache.url) as client:
            port = client.config_get("port")
    assert (addresses, port) == (("",), {"port": "0"})


def test_committed_rows_survive_a_kill_of_postgresql(used_home: Path) -> None:
    store = embedded.postgres(used_home / "postgres", environ())
    with running(store, used_home / "log") as child:
        with psycopg.connect(store.url) as connection:
            connection.execute("CREATE TABLE kesi AS SELECT 152 AS namba")
        kill(store, child)
        with psycopg.connect(store.url) as connection:
            assert connection.execute("SELECT namba FROM kesi").fetchall() == [(152,)]


def test_keys_survive_a_kill_of_valkey(private_home: Path) -> None:
    store = embedded.valkey(private_home / "valkey", environ())
    with running(store, private_home / "log") as child:
        with redis.Redis.from_url(store.url) as client:
            client.set("kengele", "1")
        kill(store, child)
        with redis.Redis.from_url(store.url) as client:
            assert client.get("kengele") == b"1"


def test_a_pid_file_that_names_a_living_stranger_does_not_stop_postgresql(
    used_home: Path,
) -> None:
    store = embedded.postgres(used_home / "postgres", environ())
    note = used_home / "postgres" / "data" / "postmaster.pid"
    # A process of ours, as after a reboot: PostgreSQL never takes its own parents for a stranger.
    sleeper = Child(Program("sleeper", ["sleep", "60"], environ(), used_home), 2)
    sleeper.start_if_due(0)
    try:
        note.write_text(f"{sleeper.pid}\n{note.parent}\n1\n5432\n\n\n\nready\n")
        with running(store, used_home / "log") as child:
            assert note.read_text().split("\n")[0] == str(child.pid)
    finally:
        end([sleeper], 5.0)


def test_a_cluster_that_was_half_made_is_made_again(private_home: Path) -> None:
    store = embedded.postgres(private_home / "postgres", environ())
    (private_home / "postgres" / "data").rename(private_home / "postgres" / "data.unfinished")
    store = embedded.postgres(private_home / "postgres", environ())
    with running(store, private_home / "log"), psycopg.connect(store.url) as connection:
        assert connection.info.dbname == "app"


@pytest.mark.parametrize(
    ("make", "engine"),
    [
        (embedded.postgres, "postgresql 15"),
        (embedded.postgres, "valkey 9"),
        (embedded.valkey, "redis 8"),
        (embedded.valkey, "valkey 8"),
    ],
    ids=["an older PostgreSQL", "Valkey's data", "Redis's data", "an older Valkey"],
)
def test_the_data_of_another_engine_are_refused_in_a_sentence(
    private_home: Path, make: Maker, engine: str
) -> None:
    (private_home / "ENGINE").write_text(f"{engine}\n")
    with pytest.raises(CannotStart, match=f"was written by {engine} and this is .*: move") as told:
        make(private_home, environ())
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("make", [embedded.postgres, embedded.valkey], ids=["PostgreSQL", "Valkey"])
def test_a_folder_that_does_not_say_its_engine_is_refused(private_home: Path, make: Maker) -> None:
    (private_home / "appendonly.aof").write_text("")
    with pytest.raises(CannotStart, match="not which engine wrote them"):
        make(private_home, environ())


def test_what_citizens_write_never_reaches_the_log_of_postgresql(used_home: Path) -> None:
    store = embedded.postgres(used_home / "postgres", environ())
    words = "maji-hayatoki-mtaani"
    with running(store, used_home / "log"), psycopg.connect(store.url) as connection:
        connection.autocommit = True
        connection.execute("CREATE TABLE barua (maneno text PRIMARY KEY)")
        connection.execute("INSERT INTO barua VALUES (%s)", [words])
        for statement in ("INSERT INTO barua VALUES (%s)", "SELECT %s::int", "SELEKT %s"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, [words])
    log = (used_home / "log").read_text()
    assert "ready to accept connections" in log
    assert words not in log


def test_a_server_ends_when_the_one_who_started_it_is_killed(used_home: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from ussdapp.sandbox import embedded\n"
        "from ussdapp.sandbox.children import spawn\n"
        "for make, name in ((embedded.postgres, 'postgres'), (embedded.valkey, 'valkey')):\n"
        "    store = make(Path(sys.argv[1]) / name, {})\n"
        "    process = spawn(store.program, 2)\n"
        "    while not store.answers(process.pid): time.sleep(0.01)\n"
        "    print(process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    source, target = os.pipe()
    arguments = [sys.executable, "-c", script, str(used_home)]
    starter = Child(Program("starter", arguments, environ(), Path.cwd()), target)
    starter.start_if_due(0)
    os.close(target)
    with os.fdopen(source) as lines:
        words = (line.strip() for line in lines)
        servers = [int(next(word for word in words if word.isdigit())) for _ in range(2)]
        assert starter.pid
        os.kill(starter.pid, signal.SIGKILL)
        end([starter], 0)
        lines.read()  # ends when no server holds the pipe any more
    # a process closes its files a moment before it is gone
    until(lambda: not any(_runs(pid) for pid in servers))


@AS_ROOT
def test_root_becomes_the_only_uid_of_a_namespace_and_its_files_stay_its_own(
    private_home: Path,
) -> None:
    said = _as(kernel.enter_namespace, private_home)
    assert said == f"{kernel.INSIDE} True"
    assert (private_home / "written").stat().st_uid == 0


@AS_ROOT
def test_root_becomes_nobody_where_namespaces_are_forbidden_and_still_reaches_a_private_home(
    private_home: Path,
) -> None:
    said = _as(kernel.become_nobody, private_home)
    assert said == f"{kernel.NOBODY} True"
    assert (private_home / "written").stat().st_uid == kernel.NOBODY
    assert stat.S_IMODE(private_home.stat().st_mode) == 0o700


@AS_ROOT
def test_postgresql_runs_as_nobody_on_a_cluster_that_root_made_in_a_namespace(
    used_home: Path,
) -> None:
    store = embedded.postgres(used_home / "postgres", environ())
    for path in (used_home / "postgres").rglob("*"):
        os.chown(path, kernel.NOBODY, kernel.NOBODY)
    nobody = replace(store, program=replace(store.program, identity=kernel.become_nobody))
    with running(nobody, used_home / "log"), psycopg.connect(store.url) as connection:
        assert connection.execute("SELECT 152").fetchone() == (152,)
    # and back: the next start finds a cluster that is not its own, and takes it over
    store = embedded.postgres(used_home / "postgres", environ())
    with running(store, used_home / "log"), psycopg.connect(store.url) as connection:
        assert connection.execute("SELECT 152").fetchone() == (152,)


def _as(identity: Callable[[], None], folder: Path) -> str:
    script = "import os; open('written', 'w').close(); print(os.geteuid(), os.path.exists('.'))"
    source, target = os.pipe()
    program = Program("who", [sys.executable, "-c", script], environ(), folder, identity=identity)
    child = Child(program, target)
    child.start_if_due(0)
    os.close(target)
    with os.fdopen(source) as lines:
        said = lines.read().strip()
    end([child], 5.0)
    return said


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text()
