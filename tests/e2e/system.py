"""The whole gateway as `make run` starts it, and hands to use it as citizens and operators do."""

import json
import os
import signal
import subprocess
import sys
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.fakes.patience import PATIENCE, until
from ussdapp.core.msisdn import Msisdn
from ussdapp.sandbox.smsc_control import control
from ussdapp.stores.seal import Seal

ROOT = Path(__file__).parents[2]


@dataclass
class Answer:
    status: int
    body: bytes
    content_type: str

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class System:
    """A running gateway with a home of its own; `given` (TOML) wins over the sandbox's."""

    home: Path
    port: int
    given: str = ""
    process: subprocess.Popen[str] = field(init=False)
    log: Path = field(init=False)

    def start(self) -> None:
        self.log = self.home / "run.log"
        environ = {**os.environ, "USSDAPP_HOME": str(self.home), "PORT": str(self.port)}
        for name in ("USSDAPP_SETTINGS", "DATABASE_URL", "REDIS_URL"):
            environ.pop(name, None)
        if self.given:
            path = self.home / "given.toml"
            path.write_text(self.given)
            environ["USSDAPP_SETTINGS"] = str(path)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ussdapp.sandbox.run"],
                cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        until(lambda: "ready: " in self.log.read_text() or self.process.poll(), 60)
        assert self.process.poll() is None, self.log.read_text()[-4000:]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    @property
    def demo(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "demo.json").read_text()))

    # as operators call it

    def call(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(f"{self.demo['url']}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, answer.read(), answer.headers["content-type"])
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, refusal.read(), refusal.headers["content-type"])

    def callback(self, what: str, channel: str = "sandbox", **fields: str) -> Answer:
        token = self.demo["inbound"][channel]
        form = urllib.parse.urlencode(fields, errors="surrogatepass").encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.call(f"/in/{channel}/{token}/{what}", form, **kind)

    def ussd(self, session: str, msisdn: str, text: str) -> Answer:
        return self.callback(
            "ussd", sessionId=session, phoneNumber=f"+{msisdn}", networkCode="64004",
            serviceCode="*152*00#", text=text,
        )  # fmt: skip

    def dial(self, session: str, msisdn: str, *keys: str) -> list[str]:
        """Every screen from the dial on, as the handset shows it."""
        texts = ["*".join(keys[:count]) for count in range(len(keys) + 1)]
        return [self.ussd(session, msisdn, text).text for text in texts]

    def sms(self, mo_id: str, msisdn: str, text: str) -> Answer:
        return self.callback(
            "sms", date="2026-11-22 09:00:00", id=mo_id, text=text, to="15200",
            networkCode="64004", **{"from": f"+{msisdn}"},
        )  # fmt: skip

    def reply(self, reference: str, words: str) -> Answer:
        body = json.dumps({"text": words, "status": "answered"}).encode()
        key = f"Bearer {self.demo['api_key']}"
        headers = {"Content-Type": "application/json", "Authorization": key}
        return self.call(f"/api/v1/cases/{reference}/replies", body, **headers)

    # what the world saw

    def ledger(self, msisdn: str) -> list[str]:
        """The texts the SMSC took for that handset, parts joined, in order."""
        path = Path(self.demo["smsc"]["ledger"])
        lines = (
            [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        )
        texts: list[str] = []
        for line in lines:
            if line["destination"] != msisdn:
                continue
            udh = line.get("udh")
            if udh and udh["part"] > 1:
                texts[-1] += line["text"]
            else:
                texts.append(line["text"])
        return texts

    def smsc(self, **asked: Any) -> dict[str, Any]:
        return control(self.demo["smsc"]["control_port"], **asked)

    @property
    def settings(self) -> dict[str, Any]:
        return tomllib.loads((self.home / "settings.toml").read_text())

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings["database_url"]) as connection:
            return connection.execute(query, values).fetchall()

    def statuses_of(self, msisdn: str) -> list[str]:
        """Where everything written to that citizen stands, oldest first."""
        keys = (bytes.fromhex(self.settings[name]) for name in ("seal_key", "index_key"))
        index = Seal(*keys).index(Msisdn(msisdn))
        query = "SELECT status FROM notifications WHERE msisdn_index = %s ORDER BY id"
        return [row[0] for row in self.query(query, index)]

    def pids(self, *words: str) -> list[int]:
        """The processes of this home whose command line holds all those words."""
        mine = []
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environ = (entry / "environ").read_bytes()
            except (OSError, UnicodeDecodeError):
                continue
            named = f"USSDAPP_HOME={self.home}".encode() in environ.split(b"\0")
            if named and all(word in line for word in words):
                mine.append(int(entry.name))
        return mine
