"""The supervisor behind `make run`: starts everything in the foreground, keeps it alive, and takes
it down again."""

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from ussdapp.sandbox import embedded, kernel, sweep
from ussdapp.sandbox.children import Child, Program, bury_orphans, end, spawn
from ussdapp.sandbox.embedded import CannotStart, Store
from ussdapp.sandbox.home import (
    Home,
    Ports,
    demo_json,
    is_prepared,
    kept_institution,
    note_prepared,
    open_home,
    settings_table,
    write_private,
)
from ussdapp.sandbox.output import Output
from ussdapp.sandbox.parent import Parent, stand_watch
from ussdapp.sandbox.plan import (
    ROOT,
    Wishes,
    child_environ,
    given_settings,
    operators,
    python,
    wishes,
)
from ussdapp.sandbox.ports import answers_200, listens, number_of, take, take_from
from ussdapp.sandbox.procfile import programs, read_procfile
from ussdapp.sandbox.toml import toml_text
from ussdapp.settings import secret

SMSC_PORT: Final = 2775  # registered for SMPP
SMSC_CONTROL_PORT: Final = 4775
AGGREGATOR_PORT: Final = 6775
BACK_OFFICE_PORT: Final = 7775
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CHILDREN_PATIENCE, STORES_PATIENCE = 4.0, 2.5  # seconds each may take to end; under ten in all
MURMUR: Final = 10.0  # seconds between two words about what is still awaited


class Stopping(Exception):
    """Somebody asked us to end."""


class Supervisor:
    """Holds a home from start to end: nothing it started outlives it, however it ends."""

    def __init__(self, home: Home, wishes: Wishes, environ: Mapping[str, str]) -> None:
        self._home = home
        self._wishes = wishes
        self._mark = secrets.token_hex(16)
        self._given = given_settings(environ)
        web = take(number_of(environ.get("PORT") or "8000"))
        peers = (SMSC_PORT, SMSC_CONTROL_PORT, AGGREGATOR_PORT, BACK_OFFICE_PORT)
        self._held = (web, *map(take_from, peers))
        self._ports = Ports(*(port.number for port in self._held))
        self._environ = child_environ(environ, home, web.number, self._mark)
        self._stores: list[Child] = []
        self._children: list[Child] = []
        self._passing: set[int] = set()  # processes of ours that end by themselves
        self._stop_asked = False
        self._output = Output(1, self._listen_to_signals())
        self._parent = Parent() if wishes.with_parent else None

    def run(self) -> None:
        """Start, serve until asked to stop, stop. Raises CannotStart."""
        kernel.adopt_orphans()
        watch = stand_watch(self._mark, self._home.lock)
        self._passing.add(watch.pid)
        try:
            self._start()
            while True:
                self._turn(0.25)
        except Stopping:
            self._output.event("stopping")
        finally:
            end(self._children, CHILDREN_PATIENCE, self._output.carry)
            end(self._stores, STORES_PATIENCE, self._output.carry)
            sweep.sweep(self._mark, 0)
            bury_orphans({watch.pid})
            self._output.finish()
            watch.communicate()

    def _start(self) -> None:
        stores = self._needed_stores()
        settings = settings_table(self._home, self._urls(stores), self._ports, self._given)
        write_private(self._home.settings, toml_text(settings))
        self._stores += [Child(store.program, self._output.pipe) for store in stores.values()]
        if not self._wishes.bare:
            self._keep(operators(self._home, self._ports, settings, self._environ))
        pairs = list(zip(stores.values(), self._stores, strict=True))
        self._wait(
            "stores", lambda: all(child.pid and store.answers(child.pid) for store, child in pairs)
        )
        unprepared = not self._wishes.bare and not is_prepared(self._home.folder, stores)
        if unprepared:
            self._finish(python("prepare", ["-m", "ussdapp.sandbox.prepare"], self._environ))
        lines = read_procfile(self._wishes.procfile)
        channels = [
            name
            for name, table in settings["channels"].items()
            for _ in range(table.get("binds", 1))
        ]
        self._keep(programs(lines, channels, self._environ, ROOT))
        demo = python("demo", ["-m", "ussdapp.cli", "demo"], self._environ)
        # kept at once: a key is shown but once
        made = self._finish(demo) if unprepared else "{}"
        institution = kept_institution(self._home.folder, made)
        self._wait("children", self._answer)
        if unprepared:
            note_prepared(self._home.folder, stores)
        paper = demo_json(self._home, settings, self._ports, institution)
        write_private(self._home.folder / "demo.json", paper)
        self._output.line(f"ready: http://127.0.0.1:{self._ports.web}")

    def _needed_stores(self) -> dict[str, Store]:
        given = {name: self._given_url(name) for name in ("database_url", "redis_url")}
        makers = {
            "database_url": (embedded.postgres, "postgres"),
            "redis_url": (embedded.valkey, "valkey"),
        }
        folder = self._home.folder
        return {
            name: make(folder / place, self._environ)
            for name, (make, place) in makers.items()
            if not given[name]
        }

    def _urls(self, stores: Mapping[str, Store]) -> dict[str, str]:
        return {
            name: stores[name].url if name in stores else self._given_url(name)
            for name in ("database_url", "redis_url")
        }

    def _given_url(self, name: str) -> str:
        return self._environ.get(name.upper()) or secret(self._given, name)

    def _keep(self, added: Sequence[Program]) -> None:
        self._children += [Child(program, self._output.pipe) for program in added]

    def _answer(self) -> bool:
        peers = (self._ports.smsc, self._ports.aggregator, self._ports.back_office)
        operators = () if self._wishes.bare else peers
        return answers_200(self._ports.web, self._wishes.ready_path) and all(
            map(listens, operators)
        )

    def _turn(self, patience: float) -> None:
        """One round: carry the logs, bury the dead, start who is due; raises Stopping once it was
        asked for."""
        self._output.carry(patience)
        if self._stop_asked or (self._parent and self._parent.was_interrupted()):
            raise Stopping
        bury_orphans(
            {*self._passing, *(child.pid or 0 for child in (*self._stores, *self._children))}
        )
        now = time.monotonic()
        for child in (*self._stores, *self._children):
            code = child.buried(now)
            if code is not None:
                self._output.event("child_died", name=child.program.name, code=code)
            if child.start_if_due(now):
                self._output.event("child_started", name=child.program.name)

    def _wait(self, what: str, done: Callable[[], bool]) -> None:
        murmur = time.monotonic() + MURMUR
        self._turn(0)
        while not done():
            self._turn(0.02)
            if time.monotonic() > murmur:
                self._output.event("still_waiting", awaited=what)
                murmur += MURMUR

    def _finish(self, program: Program) -> str:
        """What a program that ends by itself has printed; CannotStart when it fails."""
        source, target = os.pipe()
        process = spawn(program, target, self._output.pipe)
        os.close(target)
        self._passing.add(process.pid)
        with os.fdopen(source) as printed:
            self._wait(program.name, lambda: process.poll() is not None)
            if process.returncode != 0:
                raise CannotStart(
                    f"{' '.join(program.arguments[1:])} failed: its reasons are above."
                )
            return printed.read()

    def _listen_to_signals(self) -> int:
        ours, theirs = socket.socketpair()
        for link in (ours, theirs):
            link.settimeout(0)
        signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
        for signum in STOP_SIGNALS:
            signal.signal(signum, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the poll
        return ours.detach()

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stop_asked = True


def main() -> NoReturn:
    """Run until stopped; a refusal is one sentence on stderr and exit code 1."""
    os.umask(0o077)
    asked = wishes(sys.argv[1:])
    folder = Path(os.environ.get("USSDAPP_HOME") or ".run").absolute()
    try:
        Supervisor(open_home(folder), asked, os.environ).run()
    except CannotStart as refusal:
        sys.exit(str(refusal))
    sys.exit(0)


if __name__ == "__main__":
    main()
