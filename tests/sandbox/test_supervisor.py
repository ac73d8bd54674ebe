"""The supervisor as a process: what it starts, brings back, refuses and leaves behind."""

import contextlib
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.fakes.clusters import Clusters
from tests.fakes.patience import PATIENCE
from tests.fakes.processes import processes_of

pytestmark = pytest.mark.real
SUPERVISOR = "-m ussdapp.sandbox.run --bare --ready-path / --procfile Procfile"
PLAIN = 'web: python -m http.server --bind 127.0.0.1 --directory "$USSDAPP_HOME" $PORT\n'
PROCFILE = f"""\
{PLAIN}\
deliver: python -c "import time; time.sleep(1000)" "$CHANNEL"
tree: sh -c 'setsid sleep 1001 & sleep 1002 & wait'
"""
NO_STORES = {"DATABASE_URL": "postgresql://nobody@/none", "REDIS_URL": "unix:///none"}


@dataclass(frozen=True)
class Copy:
    """One running copy: its process, its home, its port, and the file its stdout goes to."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int
    log: Path

    def wait_until_ready(self) -> None:
        line = f"ready: http://127.0.0.1:{self.port}"
        until(lambda: line in self.log.read_text().splitlines(), self.log)


class Yard:
    """Starts copies, each with a Procfile in a folder of its own, and clears up after the test."""

    def __init__(self, folder: Path, clusters: Clusters) -> None:
        self._folder = folder
        self._clusters = clusters
        self._copies: list[Copy] = []

    def start(
        self, name: str, procfile: str = PROCFILE, command: str = SUPERVISOR, **environ: str
    ) -> Copy:
        folder = self._folder / name
        if not folder.exists() and "DATABASE_URL" not in environ:
            self._clusters.lend(folder / "home" / "postgres")
        folder.mkdir(exist_ok=True)
        (folder / "Procfile").write_text(procfile)
        python = shlex.quote(sys.executable)
        (folder / "Makefile").write_text(f"run:\n\t@{python} {SUPERVISOR} --with-parent\n")
        port = free_port()
        log = folder / "log"
        words = ["make", "run"] if command == "make run" else [sys.executable, *command.split()]
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env={**clean_environ(), "USSDAPP_HOME": "home", "PORT": str(port), **environ},
                stdout=output,
                stderr=output,
                start_new_session=True,
                # a script's background job ignores SIGINT, and hands that down
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
            )
        copy = Copy(process, folder / "home", port, log)
        self._copies.append(copy)
        return copy

    def ready(
        self, name: str, procfile: str = PROCFILE, command: str = SUPERVISOR, **environ: str
    ) -> Copy:
        copy = self.start(name, procfile, command, **environ)
        copy.wait_until_ready()
        return copy

    def clear(self) -> None:
        for copy in self._copies:
            copy.process.terminate()
        for copy in self._copies:
            copy.process.wait(PATIENCE)
            until(lambda home=copy.home: not processes_of(home), copy.log)  # type: ignore[misc]
        for home in {copy.home for copy in self._copies}:
            self._clusters.take_back(home / "postgres")


@pytest.fixture
def yard(tmp_path: Path, clusters: Clusters) -> Iterator[Yard]:
    yard = Yard(tmp_path, clusters)
    yield yard
    yard.clear()


def clean_environ() -> dict[str, str]:
    ours = ("USSDAPP_SETTINGS", "DATABASE_URL", "REDIS_URL", "MAKEFLAGS", "MAKELEVEL")
    return {name: value for name, value in os.environ.items() if name not in ours}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(done: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 40
    while not done():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def find(copy: Copy, words: str) -> list[int]:
    return [pid for pid, command in processes_of(copy.home).items() if words in command]


def get(copy: Copy) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", copy.port)) as link:
        link.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b" 200 " in link.recv(99)
    return False


def settings_of(copy: Copy) -> Mapping[str, object]:
    return tomllib.loads((copy.home / "settings.toml").read_text())


def test_each_channel_has_a_process_of_its_own(yard: Yard) -> None:
    copy = yard.ready("a")
    for channel in ("sandbox", "africastalking"):
        until(lambda name=channel: len(find(copy, f"sleep(1000) {name}")) == 1, copy.log)  # type: ignore[misc]


@pytest.mark.parametrize("command", [SUPERVISOR, "make run"], ids=["by itself", "under make"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_ends(yard: Yard, command: str, signum: signal.Signals) -> None:
    copy = yard.ready("a", command=command)
    until(lambda: bool(find(copy, "sleep 1001") and find(copy, "sleep 1002")), copy.log)
    began = processes_of(copy.home)
    copy.process.send_signal(signum)
    copy.process.wait(PATIENCE)
    if signum is not signal.SIGKILL:
        assert processes_of(copy.home) == {}
    until(lambda: not processes_of(copy.home), copy.log)
    assert not [pid for pid in began if Path(f"/proc/{pid}/exe").exists()]


def test_nothing_is_left_when_it_is_stopped_before_it_is_ready(yard: Yard) -> None:
    copy = yard.start("a", procfile="web: sleep 1000\n")
    until(lambda: bool(find(copy, "sleep 1000")), copy.log)
    copy.process.terminate()
    assert copy.process.wait(PATIENCE) == 0
    assert processes_of(copy.home) == {}


def test_a_child_that_ignores_its_stop_signal_is_killed(yard: Yard) -> None:
    script = (
        "import signal, time; signal.signal(15, 1); open('$USSDAPP_HOME/deaf', 'w'); time.sleep(99)"
    )
    copy = yard.ready("a", procfile=f'{PLAIN}deaf: python -c "{script}"\n', **NO_STORES)
    until((copy.home / "deaf").exists, copy.log)
    copy.process.terminate()
    assert copy.process.wait(PATIENCE) == 0
    assert processes_of(copy.home) == {}


@pytest.mark.parametrize("words", ["http.server", "sleep(1000) sandbox", "bin/postgres", "valkey"])
def test_a_child_that_dies_comes_back(yard: Yard, words: str) -> None:
    copy = yard.ready("a")
    [dead] = find(copy, words)
    os.kill(dead, signal.SIGKILL)
    until(lambda: bool(find(copy, words)) and find(copy, words) != [dead], copy.log)
    until(partial(get, copy), copy.log)


def test_the_database_that_came_back_has_what_was_committed(yard: Yard) -> None:
    copy = yard.ready("a")
    url = str(settings_of(copy)["database_url"])
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE namba AS SELECT 152 AS namba")
    [dead] = find(copy, "bin/postgres")
    os.kill(dead, signal.SIGKILL)
    until(lambda: rows(url) == [(152,)], copy.log)


def rows(url: str) -> list[tuple[int, ...]]:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
        return connection.execute("SELECT namba FROM namba").fetchall()
    return []


def test_orphans_of_a_dead_child_are_buried_with_it(yard: Yard) -> None:
    copy = yard.ready("a")
    [parent] = find(copy, "wait")[:1]
    until(lambda: bool(find(copy, "sleep 1002")), copy.log)
    before = find(copy, "sleep 1002")
    os.kill(parent, signal.SIGKILL)
    until(lambda: not set(before) & set(find(copy, "sleep 1002")), copy.log)


def test_a_second_copy_runs_beside_the_first(yard: Yard) -> None:
    first, second = yard.ready("a"), yard.ready("b")
    papers = [json.loads((copy.home / "demo.json").read_text()) for copy in (first, second)]
    assert papers[0]["smsc"]["port"] != papers[1]["smsc"]["port"]
    assert papers[0]["aggregator"]["url"] != papers[1]["aggregator"]["url"]
    first.process.terminate()
    first.process.wait(PATIENCE)
    assert get(second)


def test_a_home_has_one_supervisor(yard: Yard) -> None:
    copy = yard.ready("a", **NO_STORES, procfile=PLAIN)
    second = subprocess.run(
        [sys.executable, *SUPERVISOR.split()],
        cwd=copy.home.parent,
        env={**clean_environ(), "USSDAPP_HOME": "home", "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"Another copy (process {copy.process.pid}) runs in" in second.stderr


def test_a_port_that_is_taken_is_refused(yard: Yard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        copy = yard.start("a", procfile=PLAIN, **NO_STORES, PORT=str(port))
        assert copy.process.wait(PATIENCE) == 1
    assert copy.log.read_text() == f"Port {port} is taken: set PORT to another one.\n"


def test_a_start_right_after_a_kill_waits_for_the_dying_and_keeps_the_secrets(yard: Yard) -> None:
    first = yard.ready("a")
    made = settings_of(first)
    first.process.kill()
    second = yard.ready("a")
    kept = settings_of(second)
    assert [kept[name] for name in ("seal_key", "index_key")] == [
        made[name] for name in ("seal_key", "index_key")
    ]
    assert kept["seal_key"] != kept["index_key"]


def test_given_settings_are_merged_over_those_of_the_sandbox(yard: Yard, tmp_path: Path) -> None:
    given = tmp_path / "mine.toml"
    given.write_text(
        'short_code = "15201"\n[channels.sandbox]\ntps = 50\n[channels.new]\nkind="smpp"'
    )
    copy = yard.ready("a", procfile=PLAIN, **NO_STORES, USSDAPP_SETTINGS=str(given))
    settings = tomllib.loads((copy.home / "settings.toml").read_text())
    assert settings["short_code"] == "15201"
    assert settings["service_code"] == "*152*00#"
    assert settings["channels"]["sandbox"]["tps"] == 50
    assert settings["channels"]["sandbox"]["window"] == 100
    assert settings["channels"]["new"] == {"kind": "smpp"}
    assert settings["database_url"] == NO_STORES["DATABASE_URL"]


def test_given_stores_are_used_and_none_is_started(yard: Yard) -> None:
    copy = yard.ready("a", procfile=PLAIN, **NO_STORES)
    assert not find(copy, "bin/postgres")
    assert not find(copy, "valkey-server")
    assert not (copy.home / "postgres").exists()


def test_the_home_is_for_its_owner_alone(yard: Yard) -> None:
    copy = yard.ready("a", procfile=PLAIN, **NO_STORES)
    assert stat.S_IMODE(copy.home.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in copy.home.iterdir()}
    assert {"demo.json", "settings.toml", "secrets.toml"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_no_child_waits_for_a_reader_of_the_log(yard: Yard, tmp_path: Path) -> None:
    talker = tmp_path / "talker.py"
    talker.write_text(
        "import os, pathlib\n"
        "for number in range(3000):\n"
        "    print('maneno ' * 150, flush=True)\n"
        "pathlib.Path(os.environ['USSDAPP_HOME'], 'said').write_text('all of it')\n"
        "import time; time.sleep(99)\n"
    )
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "Procfile").write_text(f"talker: python {talker}\n{PLAIN}")
    process = subprocess.Popen(
        [sys.executable, *SUPERVISOR.split()],
        cwd=folder,
        env={**clean_environ(), **NO_STORES, "USSDAPP_HOME": "home", "PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((folder / "home" / "said").exists, folder / "Procfile")
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
