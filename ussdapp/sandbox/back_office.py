"""Simulated institutions on loopback: eGA's mGov USSD guide v2.1.0 in all three ways.

    python -m ussdapp.sandbox.back_office --port 2778 --journal FILE --secret SECRET [--knobs JSON]

One path an office, `/gepg.bill`; BACK_OFFICES.md lists them. `POST /knobs` takes a JSON object of
Knobs fields and an `office`, `GET /asked` counts the calls by office. Every summary is a line of
the journal, written before its answer; one posted again is marked and gets the same reference.
Webhooks may be pointed at `/webhooks`, and seen there (`/webhooks.json`).
"""

import base64
import hashlib
import hmac
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import click

from ussdapp.core.texts import fill
from ussdapp.sandbox import webhook_ear
from ussdapp.sandbox.back_office_answers import Office, look_up, read_offices
from ussdapp.sandbox.back_office_app import Application
from ussdapp.sandbox.back_office_knobs import EVERY, GARBAGE, Knobs, read_knobs, turned
from ussdapp.sandbox.webhook_ear import Ear

LOOPBACK: Final = "127.0.0.1"
MOST_BODY: Final = 1 << 20  # octets of a request


class BackOffices(ThreadingHTTPServer):
    """All of them; `knobs` is replaced as one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, journal: Path, secret: str, knobs: Mapping[str, Knobs]) -> None:
        super().__init__((LOOPBACK, port), Clerk)
        self.offices = read_offices()
        self.app = Application(self.offices["demo.app"])
        self.knobs = knobs
        self.asked: Counter[str] = Counter()
        self.ear = Ear()
        self._secret = secret.encode()
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(self._journal, 0o600)  # it holds MSISDNs

    def signed(self, octets: bytes, given: str) -> bool:
        """Whether those octets were signed with our secret; without one everybody is believed."""
        expected = base64.b64encode(hmac.digest(self._secret, octets, "sha256")).decode()
        return not self._secret or hmac.compare_digest(expected.encode(), given.encode())

    def count(self, office: str) -> None:
        """One more call."""
        with self._lock:
            self.asked[office] += 1

    def take(self, office: Office, told: dict[str, str], request_id: str, language: str) -> Any:
        """A summary on disk; returns its answer."""
        msisdn = told.pop("msisdn", "")
        if not told:
            return {"status": False, "sms_reply": False, "sms_text": ""}
        reference = reference_of(request_id)
        line: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(),
            "office": office.name,
            "request_id": request_id,
            "reference": reference,
            "msisdn": msisdn,
            "answers": told,
        }
        with self._lock:
            line["again"] = request_id in self._seen
            self._seen.add(request_id)
            os.write(self._journal, json.dumps(line).encode() + b"\n")
        text = fill(office.given["sms"][language], {"kumbukumbu": reference})
        return {"status": True, "sms_reply": True, "sms_text": text}


def reference_of(request_id: str) -> str:
    """Eight digits, the same for the same request; ends in 0, which gisp.request_status calls
    received."""
    drawn = int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:8])
    return f"{drawn % 9_000_000 + 1_000_000}0"


def handed_over(office: Office, told: Mapping[str, str], language: str) -> dict[str, Any]:
    """The answer to a text: its beginning, and a reference."""
    identity = told.get("transaction_id", "")
    values = {"ujumbe": told.get("message", "")[:60], "kumbukumbu": reference_of(identity)}
    text = fill(office.given["answers"][language], values)
    return {"transaction_id": identity, "message": text, "reply": 1}


class Clerk(BaseHTTPRequestHandler):
    """One connection to an institution."""

    server: BackOffices

    def do_GET(self) -> None:
        """A call with everything in its query, or what was asked so far."""
        path, _, query = self.path.partition("?")
        if path == "/asked":
            return self._say(200, json.dumps(self.server.asked).encode())
        if path == webhook_ear.PATH:
            return self._say(200, self.server.ear.page(), kind="text/html; charset=utf-8")
        if path == f"{webhook_ear.PATH}.json":
            return self._say(200, self.server.ear.told())
        return self._asked(path[1:], query.encode(), dict(parse_qsl(query)))

    def do_POST(self) -> None:
        """A call with a JSON object or a form, or a turn of the knobs."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MOST_BODY))
        if self.path == "/knobs":
            return self._turn(body)
        if self.path == webhook_ear.PATH:
            self.server.ear.hear(self.headers, body)
            return self._say(200, b"{}")
        try:
            told = self._told(body)
        except ValueError:
            return self._say(400, b"no JSON")
        return self._asked(self.path.partition("?")[0][1:], body, told)

    def _told(self, body: bytes) -> dict[str, str]:
        if self.headers.get_content_type() != "application/json":
            return dict(parse_qsl(body.decode()))
        told = json.loads(body)
        if not isinstance(told, dict):
            raise ValueError("no JSON object")  # noqa: TRY004 - the caller's answer is the same
        return {str(name): str(value) for name, value in told.items()}

    def _turn(self, body: bytes) -> None:
        try:
            self.server.knobs = turned(self.server.knobs, json.loads(body))
        except (TypeError, ValueError):
            self._say(400, b"the body must be a JSON object of known knobs")
        else:
            self._say(200, b"{}")

    def _asked(self, name: str, octets: bytes, told: dict[str, str]) -> None:
        office = self.server.offices.get(name)
        if office is None:
            return self._say(404, b"no such office")
        if not self.server.signed(octets, self.headers.get("hash", "")):
            return self._say(401, b"the hash does not fit")
        self.server.count(name)
        answer = json.dumps(self._answer(office, told)).encode()
        knobs = self.server.knobs.get(name, self.server.knobs.get(EVERY, Knobs()))
        return self._behave(knobs, answer)

    def _answer(self, office: Office, told: dict[str, str]) -> Any:
        language = "en" if self.headers.get("Accept-Language", "").startswith("en") else "sw"
        match office.kind:
            case "lookup":
                return look_up(office, told.get("data", ""), language)
            case "summary":
                request_id = self.headers.get("X-Request-Id", "")
                return self.server.take(office, told, request_id, language)
            case "keyword":
                return handed_over(office, told, language)
            case _:
                return self.server.app.answer(told)

    def _behave(self, knobs: Knobs, answer: bytes) -> None:
        time.sleep(knobs.delay)
        if knobs.silent:
            self.close_connection = True
            return None
        if knobs.redirect:
            self.send_response(302)
            self.send_header("Location", knobs.redirect)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body = GARBAGE[knobs.garbage] if knobs.garbage else answer
        return self._say(knobs.status, body + b" " * knobs.huge, knobs.drip)

    def _say(
        self, status: int, body: bytes, drip: float = 0.0, kind: str = "application/json"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self._write(body, drip)
        except OSError:
            self.close_connection = True  # whoever asked has given up

    def _write(self, body: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(body)
            return
        for octet in body:
            self.wfile.write(bytes((octet,)))
            time.sleep(drip)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base names it
        """Nothing: a request line may hold an MSISDN."""


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--secret",
    envvar="BACK_OFFICE_SECRET",
    default="",
    help="What calls are signed with; none believes everybody.",
)
@click.option("--knobs", default="{}", help="How they behave at first, a JSON object.")
def main(port: int, journal: Path, secret: str, knobs: str) -> None:
    """Run the simulated institutions until SIGTERM or SIGINT."""
    offices = BackOffices(port, journal, secret, read_knobs(knobs))
    for signum in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever, which this very thread runs
        signal.signal(
            signum, lambda *_: threading.Thread(target=offices.shutdown, daemon=True).start()
        )
    offices.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
