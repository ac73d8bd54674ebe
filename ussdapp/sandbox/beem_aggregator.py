"""A simulated Beem Africa on loopback: takes sends, keeps a ledger, reports when it is asked, and
pushes reports where it is told to.

    python -m ussdapp.sandbox.beem_aggregator --port 2777 --ledger FILE --api-key K --secret-key S

Follows "Send SMS", "Delivery reports" and "Check balance" of their guides. `POST /knobs` takes a
JSON object of Knobs fields.
"""

import base64
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

import click

from ussdapp.sandbox.aggregator import LOOPBACK, MOST_BODY, SILENCE

JSON: Final = "application/json"
MOST_RECIPIENTS: Final = 1000
MESSAGES: Final[Mapping[int, str]] = {
    100: "Message Submitted Successfully", 101: "Invalid phone number",
    102: "Insufficient balance", 103: "Network timeout", 104: "Missing parameter",
    109: "Invalid or empty message", 110: "Unsupported special characters",
    111: "Invalid sender id", 113: "Invalid JSON", 114: "More than 1000 recipients",
    115: "No destination", 120: "Invalid api_key and/or secret_id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Knobs:
    """How it behaves until told otherwise."""

    latency: float = 0.0  # seconds before an answer
    status: int = 200  # the HTTP status of an answer
    takes: bool = True  # whether a request with another status is taken all the same
    retry_after: str = ""
    html: bool = False  # an answer that is no JSON
    silent: bool = False  # takes, and does not answer
    code: int = 100  # of every answer
    wrapped: bool = False  # a refusal stands within `data`
    invalid: tuple[str, ...] = ()  # suffixes of MSISDNs that are counted as invalid
    refuses_all: bool = False  # for one invalid MSISDN, and answers 101
    report: str = "DELIVERED"  # what is said of each text when asked
    pushes: bool = False  # reports as they are taken, to --callback


@dataclass(frozen=True, slots=True)
class Taken:
    """One text that was taken."""

    request_id: int
    recipient_id: object
    dest_addr: str


class BeemAggregator(ThreadingHTTPServer):
    """The whole of it; `knobs` is replaced as one."""

    daemon_threads = True

    def __init__(self, port: int, ledger: Path, callback: str, keys: tuple[str, str]) -> None:
        super().__init__((LOOPBACK, port), Desk)
        self.knobs = Knobs()
        self.authorization = "Basic " + base64.b64encode(":".join(keys).encode()).decode()
        self._callback = callback
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._ids = itertools.count(35_918_915)
        self._taken: dict[tuple[str, str], Taken] = {}

    def take(self, said: Mapping[str, Any], recipients: Sequence[Mapping[str, Any]]) -> int:
        """Ledger lines on disk; returns the request's id."""
        request_id = next(self._ids)
        for one in recipients:
            taken = Taken(request_id, one["recipient_id"], str(one["dest_addr"]))
            line = {
                "at": datetime.now(UTC).isoformat(),
                "destination": taken.dest_addr,
                "source": said["source_addr"],
                "text": said["message"],
                "encoding": said["encoding"],
                "message_id": f"{request_id}.{taken.recipient_id}",
            }
            os.write(self._ledger, json.dumps(line).encode() + b"\n")
            self._taken[str(request_id), taken.dest_addr] = taken
            if self.knobs.pushes and self._callback:
                threading.Thread(target=self._push, args=(taken,), daemon=True).start()
        return request_id

    def report(self, request_id: str, dest_addr: str) -> list[dict[str, Any]]:
        """What their reports say of one text, a list of one or none."""
        taken = self._taken.get((request_id, dest_addr))
        status = self.knobs.report
        return (
            [{"dest_addr": dest_addr, "status": status, "request_id": taken.request_id}]
            if taken
            else []
        )

    def _push(self, taken: Taken) -> None:
        said = {
            "dest_addr": taken.dest_addr,
            "request_id": taken.request_id,
            "recipient_id": taken.recipient_id,
            "status": self.knobs.report,
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        }
        # S310: the address is the one it was started with
        request = Request(self._callback, json.dumps(said).encode(), {"Content-Type": JSON})  # noqa: S310
        for _ in range(60):
            try:
                with urlopen(request, timeout=5) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(1.0)


class Desk(BaseHTTPRequestHandler):
    """One connection to it."""

    server: BeemAggregator
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Reports, and the balance."""
        parts = urlsplit(self.path)
        if self.headers.get("Authorization") != self.server.authorization:
            self._refuse(401, 120)
        elif parts.path == "/public/v1/vendors/balance":
            self._say(200, {"data": {"credit_balance": 1785}})
        elif parts.path == "/public/v1/delivery-reports":
            asked = dict(parse_qsl(parts.query))
            found = self.server.report(asked.get("request_id", ""), asked.get("dest_addr", ""))
            self._say(200 if found else 404, found)
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        """Their door, and ours for the knobs."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST_BODY))
        try:
            said = json.loads(body)
        except ValueError:
            return self._refuse(400, 113)
        match self.path:
            case "/v1/send" if isinstance(said, dict):
                self._send(said)
            case "/knobs":
                self._turn(said)
            case _:
                self._say(404, {})
        return None

    def _turn(self, said: Any) -> None:
        try:
            self.server.knobs = Knobs(**said)
        except TypeError:
            self._say(400, {"detail": "the body must be an object of known knobs"})
        else:
            self._say(200, {})

    def _send(self, said: dict[str, Any]) -> None:
        knobs = self.server.knobs
        time.sleep(knobs.latency)
        if self.headers.get("Authorization") != self.server.authorization:
            return self._refuse(401, 120)
        if trouble := _trouble(said):
            return self._refuse(400, trouble)
        if knobs.status != 200 and not knobs.takes:
            return self._say(knobs.status, {})
        if knobs.code != 100:
            return self._refuse(knobs.status, knobs.code)
        return self._take(knobs, said)

    def _take(self, knobs: Knobs, said: dict[str, Any]) -> None:
        suffixes = tuple(knobs.invalid)
        given = said["recipients"]
        valid = [one for one in given if not (suffixes and one["dest_addr"].endswith(suffixes))]
        if knobs.refuses_all and len(valid) < len(given):
            return self._refuse(400, 101)
        answer = {
            "successful": True,
            "request_id": self.server.take(said, valid),
            "code": 100,
            "message": MESSAGES[100],
            "valid": len(valid),
            "invalid": len(given) - len(valid),
            "duplicates": 0,
        }
        if knobs.silent:
            time.sleep(SILENCE)
            self.close_connection = True
            return None
        return self._say(knobs.status, answer)

    def _refuse(self, status: int, code: int) -> None:
        said = {"successful": False, "code": code, "message": MESSAGES.get(code, "Refused")}
        self._say(status, {"data": said} if self.server.knobs.wrapped else said)

    def _say(self, status: int, said: Any) -> None:
        octets = b"<html>502</html>" if self.server.knobs.html else json.dumps(said).encode()
        if self.path == "/knobs":
            octets = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(octets)))
        if self.server.knobs.retry_after:
            self.send_header("Retry-After", self.server.knobs.retry_after)
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base names it
        """Nothing: a request line is no event, and a body holds personal data."""


def _trouble(said: Mapping[str, Any]) -> int:
    """The code of what is wrong with a request, 0 for nothing."""
    recipients = said.get("recipients")
    if not isinstance(recipients, list) or not recipients:
        return 115
    if len(recipients) > MOST_RECIPIENTS:
        return 114
    if {"source_addr", "schedule_time", "encoding", "message"} - set(said):
        return 104
    if not said["source_addr"] or len(str(said["source_addr"])) > 11:
        return 111
    if not said["message"]:
        return 109
    return 110 if said["encoding"] == 0 and not said["message"].isascii() else 0


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--callback",
    envvar="BEEM_CALLBACK",
    default="",
    help="Where delivery reports are pushed; it holds a token.",
)
@click.option("--api-key", envvar="BEEM_API_KEY", required=True)
@click.option("--secret-key", envvar="BEEM_SECRET_KEY", required=True)
def main(port: int, ledger: Path, callback: str, api_key: str, secret_key: str) -> None:
    """Run a simulated Beem Africa until SIGTERM or SIGINT."""
    aggregator = BeemAggregator(port, ledger, callback, (api_key, secret_key))
    for signum in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever, which this very thread runs
        signal.signal(
            signum, lambda *_: threading.Thread(target=aggregator.shutdown, daemon=True).start()
        )
    aggregator.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
