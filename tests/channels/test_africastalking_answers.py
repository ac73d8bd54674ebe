"""Whatever Africa's Talking answers, a submit tells an outcome for each row and does not raise."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ussdapp.channels.africastalking.sending import build
from ussdapp.core.msisdn import Msisdn
from ussdapp.ports import InDoubt, Submission, Submitted

ROW = Submission(1, 1, Msisdn("255754000001"), "Habari", "15200")


class Scripted(BaseHTTPRequestHandler):
    """Answers every request with the same octets."""

    said = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.said)))
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: object) -> None:
        """Nothing: pytest's output is no access log."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def answered(server: ThreadingHTTPServer, said: object):
    Scripted.said = json.dumps(said).encode()
    channel = build(
        "at",
        {
            "username": "sandbox",
            "api_key": "key",
            "base_url": f"http://127.0.0.1:{server.server_port}",
        },
    )
    (outcome,) = channel.submit([ROW])
    return outcome


def taken(message_id: object) -> object:
    recipient = {"number": "+255754000001", "statusCode": 101, "messageId": message_id}
    return {"SMSMessageData": {"Recipients": [recipient]}}


@pytest.mark.parametrize("message_id", ["ATX\ud800id", "\0", "x" * 500, "ATX id", "😀"], ids=ascii)
def test_an_id_that_is_none_is_kept_by_its_digest(
    server: ThreadingHTTPServer, message_id: str
) -> None:
    outcome = answered(server, taken(message_id))
    assert isinstance(outcome, Submitted)
    (kept,) = outcome.message_ids
    assert len(kept) == 64
    assert kept.isalnum()


@pytest.mark.parametrize("message_id", [None, "", "None", {}, [], 1.5, True], ids=repr)
def test_no_id_is_taken_without_one(server: ThreadingHTTPServer, message_id: object) -> None:
    assert answered(server, taken(message_id)) == Submitted(())


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"SMSMessageData": None},
        {"SMSMessageData": {"Recipients": {}}},
        {"SMSMessageData": {"Recipients": [None, 7, "x"], "Message": "\ud800"}},
        {"SMSMessageData": {"Recipients": [{"number": "\ud800", "statusCode": 101}]}},
        {"SMSMessageData": {"Recipients": [{"number": "+255754000001", "statusCode": "\ud800"}]}},
    ],
    ids=ascii,
)
def test_what_cannot_be_read_is_doubt(server: ThreadingHTTPServer, said: object) -> None:
    assert isinstance(answered(server, said), InDoubt)
