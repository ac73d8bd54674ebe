"""A simulated Africa's Talking on loopback: takes sends, keeps a ledger, posts delivery receipts.

    python -m ussdapp.sandbox.aggregator --port 2776 --ledger FILE --callback URL --api-key KEY

Follows their legacy form API ("Bulk SMS") and "Application data". `POST /knobs` takes a JSON object
of Knobs fields.
"""

import json
import os
import queue
import secrets
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import parse_qsl, urlencode
from urllib.request import Request, urlopen

import click

LOOPBACK: Final = "127.0.0.1"
MOST_BODY: Final = 1 << 20  # octets of a request
SILENCE: Final = 60.0  # seconds a silent answer is held back
# statusCode to `status` of a recipient; 100 to 102 are taken
NAMES: Final[Mapping[int, str]] = {
    100: "Success", 101: "Success", 102: "Success", 401: "RiskHold", 402: "InvalidSenderId",
    403: "InvalidPhoneNumber", 404: "UnsupportedNumberType", 405: "InsufficientBalance",
    406: "UserInBlacklist", 407: "CouldNotRoute", 409: "DoNotDisturbRejection",
    500: "InternalServerError", 501: "GatewayError", 502: "RejectedByGateway",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Knobs:
    """How it behaves until told otherwise."""

    latency: float = 0.0  # seconds before an answer
    status: int = 201  # the HTTP status of an answer
    takes: bool = True  # whether a request with another status than 201 is taken all the same
    retry_after: str = ""
    content_type: str = "application/json"
    html: bool = False  # an answer that is no JSON
    silent: bool = False  # takes, and does not answer
    invalid_sender: bool = False
    refusals: Mapping[str, int] = field(default_factory=dict)  # MSISDN suffix to statusCode
    omitted: tuple[str, ...] = ()  # suffixes that an answer leaves out
    national: bool = False  # spells MSISDNs 07... in its answers
    receipts: int = 1  # how many times each receipt comes
    receipt_status: str = "Success"
    receipt_delay: float = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt that is due at a monotonic time."""

    due: float
    fields: Mapping[str, str]


class Aggregator(ThreadingHTTPServer):
    """The whole of it; `knobs` is replaced as one."""

    daemon_threads = True

    def __init__(self, port: int, ledger: Path, callback: str, api_key: str) -> None:
        super().__init__((LOOPBACK, port), Desk)
        self.knobs = Knobs()
        self.api_key = api_key
        self._callback = callback
        self._ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._due: queue.SimpleQueue[Receipt] = queue.SimpleQueue()
        threading.Thread(target=self._post_receipts, daemon=True).start()

    def take(self, form: Mapping[str, str], number: str) -> str:
        """A ledger line on disk, its receipts in the queue; returns the message id."""
        message_id = f"ATXid_{secrets.token_hex(16)}"
        line = {
            "at": datetime.now(UTC).isoformat(),
            "destination": number.removeprefix("+"),
            "source": form.get("from", "AFRICASTKNG"),
            "text": form["message"],
            "message_id": message_id,
        }
        os.write(self._ledger, json.dumps(line).encode() + b"\n")
        fields = {"id": message_id, "phoneNumber": number, "networkCode": "99999"}
        receipt = Receipt(
            time.monotonic() + self.knobs.receipt_delay,
            fields | {"status": self.knobs.receipt_status, "retryCount": "0"},
        )
        for _ in range(self.knobs.receipts if self._callback else 0):
            self._due.put(receipt)
        return message_id

    def _post_receipts(self) -> None:
        while True:
            receipt = self._due.get()
            time.sleep(max(0.0, receipt.due - time.monotonic()))
            if not self._posted(receipt):
                self._due.put(replace(receipt, due=time.monotonic() + 1.0))

    def _posted(self, receipt: Receipt) -> bool:
        # S310: the address is the one it was started with
        request = Request(self._callback, urlencode(receipt.fields).encode())  # noqa: S310
        try:
            with urlopen(request, timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class Desk(BaseHTTPRequestHandler):
    """One connection to it."""

    server: Aggregator
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """An account's data, for whoever has the key."""
        if not self.path.startswith("/version1/user?"):
            self._say(404, "text/plain", "no such thing")
        elif self.headers.get("apiKey") != self.server.api_key:
            self._say(401, "text/plain; charset=UTF-8", "The supplied authentication is invalid")
        else:
            said = {"UserData": {"balance": "TZS 1785.5000"}}
            self._say(200, "application/json", json.dumps(said))

    def do_POST(self) -> None:
        """Their one door, and ours for the knobs."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST_BODY))
        match self.path:
            case "/version1/messaging":
                self._message(dict(parse_qsl(body.decode(), keep_blank_values=True)))
            case "/knobs":
                self._turn(body)
            case _:
                self._say(404, "text/plain", "no such thing")

    def _turn(self, body: bytes) -> None:
        try:
            self.server.knobs = Knobs(**json.loads(body))
        except (TypeError, ValueError):
            self._say(400, "text/plain", "the body must be a JSON object of known knobs")
        else:
            self._say(200, "application/json", "{}")

    def _message(self, form: Mapping[str, str]) -> None:
        knobs = self.server.knobs
        time.sleep(knobs.latency)
        if self.headers.get("apiKey") != self.server.api_key:
            self._say(401, "text/plain; charset=UTF-8", "The supplied authentication is invalid")
        elif not form.get("to") or "message" not in form or not form.get("username"):
            self._say(400, "text/plain; charset=UTF-8", "username, to and message are required")
        elif knobs.status != 201 and not knobs.takes:
            self._say(knobs.status, "text/plain", "not now")
        else:
            self._answer(knobs, self._recipients(knobs, form))

    def _recipients(self, knobs: Knobs, form: Mapping[str, str]) -> list[dict[str, Any]]:
        if knobs.invalid_sender:
            return []
        numbers = form["to"].split(",")
        told = [self._recipient(knobs, form, number) for number in numbers]
        return [one for one in told if not one["number"].endswith(tuple(knobs.omitted))]

    def _recipient(self, knobs: Knobs, form: Mapping[str, str], number: str) -> dict[str, Any]:
        codes = (code for suffix, code in knobs.refusals.items() if number.endswith(suffix))
        code = next(codes, 102)  # enqueue is 1 unless asked otherwise: 102, not 101
        taken = code in (100, 101, 102)
        return {
            "statusCode": code,
            "number": f"0{number[4:]}" if knobs.national else number,
            "status": NAMES.get(code, "Unknown"),
            "cost": "TZS 20.0000" if taken else "0",
            "messageId": self.server.take(form, number) if taken else "None",
        }

    def _answer(self, knobs: Knobs, recipients: list[dict[str, Any]]) -> None:
        if knobs.silent:
            time.sleep(SILENCE)
            self.close_connection = True
            return
        message = "InvalidSenderId" if knobs.invalid_sender else f"Sent to {len(recipients)}"
        said = json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}})
        self._say(knobs.status, knobs.content_type, "<html>502</html>" if knobs.html else said)

    def _say(self, status: int, content_type: str, body: str) -> None:
        octets = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(octets)))
        if self.server.knobs.retry_after:
            self.send_header("Retry-After", self.server.knobs.retry_after)
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base names it
        """Nothing: a request line is no event, and a body holds personal data."""


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--callback",
    envvar="AGGREGATOR_CALLBACK",
    default="",
    help="Where delivery receipts are posted; it holds a token.",
)
@click.option("--api-key", envvar="AGGREGATOR_API_KEY", required=True)
def main(port: int, ledger: Path, callback: str, api_key: str) -> None:
    """Run a simulated Africa's Talking until SIGTERM or SIGINT."""
    aggregator = Aggregator(port, ledger, callback, api_key)
    for signum in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever, which this very thread runs
        signal.signal(
            signum, lambda *_: threading.Thread(target=aggregator.shutdown, daemon=True).start()
        )
    aggregator.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
