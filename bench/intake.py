"""API intake and the million-row file: `python -m bench.intake [--rows N]`.

Whole gateway with fsync on; recipients of JSON bulks are committed before each 202. The importing
worker is started for the file alone, so that each figure is its own.
"""

import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import psycopg

from bench.places import free_port, table
from bench.processes import used, with_children
from tests.e2e.system import ROOT
from ussdapp.sandbox.procfile import read_procfile
from ussdapp.stores.seal import Seal

_READY_S: Final = 120.0
_KEY: Final = f"ussd_live_{secrets.token_hex(24)}"
_TEXT: Final = "Ndugu ((jina)), bili yako ya maji ya Novemba ni TZS ((kiasi))."
_ONE: Final = "Ndugu Asha, bili yako ya maji ya Novemba ni TZS 45,000."
_CLIENTS: Final = 4


@dataclass(frozen=True)
class Site:
    """A running gateway that imports nothing by itself."""

    pid: int
    port: int
    home: Path
    url: str

    def cpu(self, name: str) -> float:
        """Seconds of processor so far of the processes of that name, or of all others."""
        pids = with_children([self.pid])
        named = [pid for pid in pids if _comm(pid) == name]
        return used(named).cpu

    @contextmanager
    def importing(self) -> Iterator[int]:
        """The importing worker's process id."""
        environ = {**os.environ, "USSDAPP_SETTINGS": str(self.home / "settings.toml")}
        command = [sys.executable, "-m", "workers.importing"]
        with (self.home / "importing.log").open("ab") as log:
            worker = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)  # noqa: S603 (ours)
        try:
            yield worker.pid
        finally:
            worker.terminate()
            worker.wait(20)


class Taken(NamedTuple):
    """Recipients a second, and microseconds of processor for each: of the web, of PostgreSQL."""

    rate: float
    web: float
    postgres: float


@contextmanager
def site() -> Iterator[Site]:
    """The gateway in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="ussdapp-bench-") as folder:
        home = Path(folder)
        kept = ("web",)
        lines = [line for line in read_procfile(ROOT / "Procfile") if line.name in kept]
        (home / "Procfile").write_text("".join(f"{one.name}: {one.command}\n" for one in lines))
        port = free_port()
        environ = {**os.environ, "USSDAPP_HOME": folder, "PORT": str(port)}
        command = [
            sys.executable, "-m", "ussdapp.sandbox.run", f"--procfile={home / 'Procfile'}",
        ]  # fmt: skip
        log = home / "run.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)  # noqa: S603 (ours)
        try:
            deadline = time.monotonic() + _READY_S
            while b"ready: " not in log.read_bytes():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise TimeoutError(log.read_text()[-2000:])
                time.sleep(0.05)
            settings = tomllib.loads((home / "settings.toml").read_text())
            _issue(settings)
            yield Site(process.pid, port, home, settings["database_url"])
        finally:
            process.terminate()
            process.wait(20)


def _issue(settings: dict[str, Any]) -> None:
    keys = (bytes.fromhex(settings[name]) for name in ("seal_key", "index_key"))
    index = Seal(*keys).key_index(_KEY)
    with psycopg.connect(settings["database_url"]) as link:
        link.execute(
            """INSERT INTO keys (institution_id, name, key_index, live, scopes, per_second)
            SELECT id, 'bench', %s, true, ARRAY['bulks:send', 'bulks:read', 'notifications:send'],
                1000000 FROM institutions WHERE short_name = 'ega'""",
            (index,),
        )
        link.execute("UPDATE institutions SET approval_above = 10000000")


def intake(at: Site, per_post: int, posts: int) -> Taken:
    """What bulks of so many recipients cost."""
    recipients = [
        {"to": str(255_754_000_000 + n), "jina": f"Asha {n}", "kiasi": f"{n},000"}
        for n in range(per_post)
    ]
    body = json.dumps({"name": "bench", "text": _TEXT, "recipients": recipients}).encode()
    return _posted(at, "/api/v1/bulks", (body,) * posts, per_post)


def singles(at: Site, posts: int) -> Taken:
    """What notifications cost that come one a request, each with a key of its own."""
    bodies = [
        json.dumps({"to": str(255_754_000_000 + n), "text": _ONE, "reference": f"R-{n}"}).encode()
        for n in range(posts)
    ]
    return _posted(at, "/api/v1/notifications", bodies, 1)


def _posted(at: Site, path: str, bodies: Sequence[bytes], per_post: int) -> Taken:
    left, wrong = iter(bodies), list[int]()
    lock = threading.Lock()

    def client() -> None:
        link = http.client.HTTPConnection("127.0.0.1", at.port)
        while True:
            with lock:
                body = next(left, None)
            if body is None:
                return
            headers = {
                "Authorization": f"Bearer {_KEY}",
                "Content-Type": "application/json",
                "Idempotency-Key": secrets.token_hex(8),
            }
            link.request("POST", path, body, headers)
            answer = link.getresponse()
            answer.read()
            if answer.status != 202:
                wrong.append(answer.status)

    before = at.cpu("granian"), at.cpu("postgres")
    began = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(_CLIENTS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    took = time.perf_counter() - began
    if wrong:
        raise click.ClickException(f"answered {wrong[:3]}")
    total = per_post * len(bodies)
    web, postgres = at.cpu("granian") - before[0], at.cpu("postgres") - before[1]
    return Taken(total / took, 1e6 * web / total, 1e6 * postgres / total)


def rows_of(count: int) -> bytes:
    """A file of which each hundredth row is bad."""
    lines = (
        f"{'0222' if n % 100 == 99 else 255_754_000_000 + n},Asha {n},{n % 977}\n"
        for n in range(count)
    )
    return ("to,jina,kiasi\n" + "".join(lines)).encode()


def upload(at: Site, octets: bytes, name: str = "rows.csv") -> str:
    """The id of the bulk that was made of a file."""
    limit = "x" + secrets.token_hex(16)
    fields = {"name": "bench", "text": _TEXT}
    said = "".join(
        f'--{limit}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    said += f'--{limit}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = said.encode() + octets + f"\r\n--{limit}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {_KEY}",
        "Content-Type": f"multipart/form-data; boundary={limit}",
    }
    link = http.client.HTTPConnection("127.0.0.1", at.port, timeout=120)
    link.request("POST", "/api/v1/bulks", body, headers)
    answer = link.getresponse()
    told = json.loads(answer.read())
    if answer.status != 202:
        raise click.ClickException(str(told))
    return str(told["id"])


def seen(at: Site, identity: str, path: str = "") -> bytes:
    """What is shown of a bulk."""
    link = http.client.HTTPConnection("127.0.0.1", at.port, timeout=60)
    link.request(
        "GET", f"/api/v1/bulks/{identity}{path}", None, {"Authorization": f"Bearer {_KEY}"}
    )
    return link.getresponse().read()


def imported(at: Site, octets: bytes, name: str) -> dict[str, Any]:
    """What the import of a file took, from the first octet posted until all of it is queued."""
    before = at.cpu("postgres")
    began = time.perf_counter()
    identity = upload(at, octets, name)
    posted = time.perf_counter() - began
    with at.importing() as worker:
        while True:
            told = json.loads(seen(at, identity))
            if told["status"] != "checking" and _released(at):
                break
            time.sleep(0.2)
        took = time.perf_counter() - began
        peak = _peak(worker)
        cpu = used([worker]).cpu
    rejections = seen(at, identity, "/rejections.csv").decode().splitlines()[1:]
    return {
        **told, "posted": posted, "took": took, "peak": peak, "worker": cpu,
        "postgres": at.cpu("postgres") - before, "web_peak": _web_peak(at),
        "exact": [int(line.split(",")[0]) for line in rejections],
    }  # fmt: skip


def _released(at: Site) -> bool:
    with psycopg.connect(at.url) as link:
        row = link.execute("SELECT bool_and(released_at IS NOT NULL) FROM bulks").fetchone()
    return bool(row and row[0])


def _comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _web_peak(at: Site) -> float:
    return max(_peak(pid) for pid in with_children([at.pid]) if _comm(pid) == "granian")


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--posts", default=300, show_default=True)
def main(rows: int, posts: int) -> None:
    """Prints the figures of intake and of one large file."""
    with site() as at:
        intake(at, 1000, 20)
        lines = []
        for label, taken in (
            ("1000 a POST", intake(at, 1000, posts)),
            ("1 a POST", singles(at, 10 * posts)),
        ):
            figure = f"{taken.rate:,.0f} recipients/s"
            beside = f"{taken.web:.1f} us of web and {taken.postgres:.1f} us of PostgreSQL each"
            lines.append((label, figure, beside))
        table("Intake, committed before the 202", lines)
        with psycopg.connect(at.url) as link:
            link.execute("TRUNCATE bulks, bulk_blocks")
        told = imported(at, rows_of(rows), "rows.csv")
        bad = list(range(101, rows + 2, 100))
        table(f"A file of {rows:,} rows, 1 % bad, posted, checked and queued", [
            ("time", f"{told['took']:.1f} s", f"{told['posted']:.1f} s of it posting"),
            ("worker", f"{1e6 * told['worker'] / rows:.1f} us a row", f"{told['peak']:.0f} MB"),
            ("PostgreSQL", f"{1e6 * told['postgres'] / rows:.1f} us a row", ""),
            ("web", f"{told['web_peak']:.0f} MB", ""),
            ("rejections", "exact" if told["exact"] == bad else "NOT EXACT", f"{len(bad):,}"),
            ("rows", f"{told['accepted']:,} + {told['rejected']:,}", f"of {told['total']:,}"),
        ])  # fmt: skip


if __name__ == "__main__":
    main()
