"""Sends through Beem Africa: "Send SMS", "API responses", "Delivery reports" and "Check balance" of
its guides (docs.beem.africa) and its own client and samples, all read in 2026.

A request has one text and up to 1,000 recipients (here 50); its answer counts those that were valid
and names none. Whether a report is pushed is not documented; that it may be asked for, from five
minutes after, is.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ussdapp.channels.beem import message_id
from ussdapp.channels.beem.reports import Asked, AskingReports
from ussdapp.core import gsm7
from ussdapp.ports import Awaited, Deferred, InDoubt, Outcome, Rejected, Submission, Submitted
from ussdapp.wire import http_calls
from ussdapp.wire.http import NoAnswer, NotReached, WireAnswer
from ussdapp.wire.http_sending import (
    ANSWERS_WITHIN,
    CONNECTS_WITHIN,
    LONG,
    HttpSending,
    read_tps,
    refused,
)

HOST: Final = "https://apisms.beem.africa"
REPORTS_HOST: Final = "https://dlrapi.beem.africa"
_GSM, _UCS2 = 0, 8

# "API responses", `code` of an answer. What the table lacks is doubt.
TAKEN: Final = 100
INVALID: Final = 101
REFUSALS: Final[Mapping[int, Outcome]] = {
    INVALID: Rejected("InvalidPhoneNumber"),
    102: Deferred("InsufficientBalance", LONG),
    # theirs broke while it was theirs: it may be on its way
    103: InDoubt("NetworkTimeout"),
    104: Rejected("MissingParameter"),
    105: Deferred("AccountNotFound", LONG),
    # not taken, and routes come back: tried again, and counted so that it ends
    106: Deferred("NoRoute", 300.0, counts=True),
    107: Deferred("NoAuthorization", LONG),
    108: Deferred("InvalidToken", LONG),
    109: Rejected("InvalidMessage"),
    110: Rejected("UnsupportedCharacters"),
    111: Rejected("InvalidSenderId"),
    112: Rejected("ScheduledInThePast"),
    113: Rejected("InvalidJson"),
    114: Rejected("TooManyRecipients"),
    115: Rejected("NoDestination"),
    116: Rejected("InvalidReferenceId"),
    117: Rejected("InvalidSchedule"),
    118: Rejected("MissingEncoding"),
    119: Rejected("MissingRecipients"),
    120: Deferred("InvalidAuthentication", LONG),
    121: Rejected("SenderIdRefused"),
    122: Rejected("SenderIdRefused"),
}
_Said = Mapping[str, Any]


class BeemSpelling:
    """Their JSON, with Basic auth. What was taken is told to `reports`."""

    def __init__(
        self, base_url: str, auth: http_calls.Auth, answers_within: float, reports: AskingReports
    ) -> None:
        self._url = f"{base_url}/v1/send"
        self._auth = auth
        self._timeout = (CONNECTS_WITHIN, answers_within)
        self._reports = reports

    def ask(self, rows: Sequence[Submission]) -> WireAnswer:
        """Posts them, recipients numbered from 1; raises NotReached, NoAnswer."""
        # a lone surrogate is no character; JSON would carry it all the same
        text = rows[0].text.encode("utf-8", "replace").decode()
        said = {
            "source_addr": rows[0].sender_id,
            "schedule_time": "",  # now
            "encoding": _UCS2 if gsm7.septets(text) is None else _GSM,
            "message": text,
            "recipients": [
                {"recipient_id": number, "dest_addr": row.msisdn.digits}
                for number, row in enumerate(rows, 1)
            ],
        }
        return http_calls.post_json(self._url, said, self._auth, self._timeout)

    def outcomes(self, rows: Sequence[Submission], answer: WireAnswer) -> Sequence[Outcome] | None:
        """One a row. A request that was refused for an MSISDN of several is None; where only
        some were taken nobody is told which, and all are in doubt."""
        said = _said(answer)
        code = _number(said.get("code"))
        if answer.status >= 300 and (code not in REFUSALS or not 400 <= answer.status < 429):
            contradicts = code == TAKEN and answer.status < 500
            return [InDoubt("contradictory") if contradicts else refused(answer)] * len(rows)
        if code is None:
            return [InDoubt("unreadable")] * len(rows)
        if code == TAKEN and said.get("successful") is not False:
            return self._taken(rows, said)
        if code == INVALID and len(rows) > 1:
            none_taken = said.get("valid", 0) == 0
            return None if none_taken else [InDoubt("partly_taken")] * len(rows)
        return [REFUSALS.get(code, InDoubt(f"code_{code}"))] * len(rows)

    def _taken(self, rows: Sequence[Submission], said: _Said) -> Sequence[Outcome]:
        request_id = _spelt(said.get("request_id"))
        valid = _number(said.get("valid", len(rows)))
        lost = [_number(said.get(name, 0)) for name in ("invalid", "duplicates")]
        if valid == 0 and lost[0] == len(rows):
            return [REFUSALS[INVALID]] * len(rows)
        if request_id:
            self._reports.expect(request_id, [row.msisdn for row in rows])
        if valid != len(rows) or lost != [0, 0]:
            return [InDoubt("partly_taken")] * len(rows)
        if not request_id:
            return [Submitted(())] * len(rows)  # taken, yet no receipt will ever find it
        numbers = range(1, len(rows) + 1)
        return [Submitted((message_id(request_id, str(number)),)) for number in numbers]


class BeemSending(HttpSending):
    """Submits, and asks for the reports of what was taken."""

    reports: AskingReports

    def open(self, on_receipts: Any, on_mos: Any, answering: Any = None) -> None:  # noqa: ARG002
        """Says who keeps receipts; texts and dialogues are callbacks."""
        self.reports.open(on_receipts)

    def keep_bound(self) -> float:
        """Asks for the reports that are due; seconds until asked again."""
        return min(super().keep_bound(), self.reports.ask_due())

    def expect(self, awaited: Sequence[Awaited], now: datetime) -> None:
        """What an earlier process submitted is asked for as well."""
        for one in awaited:
            self.reports.expect_again(one, (now - one.taken_at).total_seconds())


def build(name: str, options: Mapping[str, Any]) -> BeemSending:
    """The sending of a configured channel: `api_key`, `secret_key`, and if need be `base_url`,
    `reports_url`, `answers_within` (seconds), `tps` (parts, 0 none) and `reports` (false where
    they push them).

    Raises ValueError naming the option that is missing or unsafe.
    """
    auth, patience = _auth(options), float(options.get("answers_within", ANSWERS_WITHIN))
    base_url = _url(options, "base_url", HOST)
    asked = Asked(
        f"{_url(options, 'reports_url', REPORTS_HOST)}/public/v1/delivery-reports", auth, patience
    )
    reports = AskingReports(name, asked, time.monotonic, wanted=options.get("reports") is not False)
    spelling = BeemSpelling(base_url, auth, patience, reports)
    made = BeemSending(name, spelling, read_tps(options), time.monotonic)
    made.reports = reports
    return made


def probe(options: Mapping[str, Any]) -> str:
    """Asks for the account's balance with the keys, which costs nothing; what is wrong, in one
    sentence, or "". Raises ValueError as `build` does."""
    auth = _auth(options)
    url = f"{_url(options, 'base_url', HOST)}/public/v1/vendors/balance"
    timeout = (CONNECTS_WITHIN, float(options.get("answers_within", ANSWERS_WITHIN)))
    try:
        answer = http_calls.get(url, {}, timeout, auth=auth)
    except NotReached:
        return "no connection was made: check base_url and the network"
    except NoAnswer:
        return "connected, and no whole answer came"
    if answer.status in (401, 403):
        return f"api_key or secret_key is refused (HTTP {answer.status})"
    return "" if answer.status == 200 else f"the balance was refused (HTTP {answer.status})"


def _auth(options: Mapping[str, Any]) -> http_calls.Auth:
    for option in ("api_key", "secret_key"):
        if not isinstance(options.get(option), str) or not options[option]:
            raise ValueError(f"{option} is missing: Beem asks for it")
    return options["api_key"], options["secret_key"]


def _url(options: Mapping[str, Any], name: str, default: str) -> str:
    url = str(options.get(name, "")) or default
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError(f"{name} must be https: the keys travel with each request")
    return url.rstrip("/")


def _said(answer: WireAnswer) -> _Said:
    """Their object; a refusal may wrap it in `data`."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    inner = said.get("data", said) if isinstance(said, dict) else {}
    return inner if isinstance(inner, dict) else {}


def _number(spelt: object) -> int | None:
    """A count or a code, also where it comes as text."""
    if type(spelt) in (int, str) and re.fullmatch(r"[0-9]{1,6}", str(spelt)):
        return int(str(spelt))
    return None


def _spelt(value: object) -> str:
    return str(value) if type(value) in (int, str) and str(value) else ""
