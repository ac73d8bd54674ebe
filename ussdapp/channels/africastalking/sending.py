"""Sends through Africa's Talking with the official package. A file of its own because the package
takes a fifth of a second to import, which only the process that sends should pay."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from africastalking.SMS import SMSService

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import OPTED_OUT
from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted
from ussdapp.wire import http_calls
from ussdapp.wire.fields import kept_id, maybe_msisdn
from ussdapp.wire.http import NoAnswer, NotReached, WireAnswer
from ussdapp.wire.http_sending import (
    ANSWERS_WITHIN,
    CONNECTS_WITHIN,
    LONG,
    HttpSending,
    read_tps,
    refused,
)

# "Bulk SMS", statusCode of a recipient, for those that were not taken. 100-102 were.
TAKEN: Final = frozenset({100, 101, 102})  # Processed, Sent, Queued
REFUSALS: Final[Mapping[int, Rejected | Deferred | InDoubt]] = {
    401: Rejected("RiskHold"),
    402: Rejected("InvalidSenderId"),
    403: Rejected("InvalidPhoneNumber"),
    404: Rejected("UnsupportedNumberType"),
    405: Deferred("InsufficientBalance", LONG),
    406: Rejected(OPTED_OUT),  # UserInBlacklist
    # not taken, and routes come back: tried again, and counted so that it ends
    407: Deferred("CouldNotRoute", 300.0, counts=True),
    409: Rejected(OPTED_OUT),  # DoNotDisturbRejection
    # theirs broke while it was theirs: it may be on its way
    500: InDoubt("InternalServerError"),
    501: InDoubt("GatewayError"),
    502: Rejected("RejectedByGateway"),
}
# An empty list of recipients with HTTP 201: the reason is the sentence in `Message`.
MESSAGES: Final[Mapping[str, Outcome]] = {
    **{one.code: one for one in REFUSALS.values()},
    "UserInBlacklist": REFUSALS[406],
    "DoNotDisturbRejection": REFUSALS[409],
}


class _WholeAnswers(SMSService):  # type: ignore[misc]  # the package ships no types
    """Their service, given back the whole answer.

    Their own `_make_request` returns a `str` unless the content type is spelt one way, and its
    exception holds no HTTP status: 401, 429 and 500 could not be told apart.
    """

    def _make_request(self, url: str, _method: str, **asked: Any) -> WireAnswer:
        return http_calls.post_form(url, asked["headers"], asked["data"], asked["timeout"])


class AfricasTalkingSpelling:
    """Their legacy form API: one text and one sender ID a request."""

    def __init__(self, service: SMSService, answers_within: float) -> None:
        self._service = service
        self._timeout = (CONNECTS_WITHIN, answers_within)

    def ask(self, rows: Sequence[Submission]) -> WireAnswer:
        """Posts them with their package; raises NotReached, NoAnswer."""
        # a lone surrogate is no character and cannot be encoded in a form
        text = rows[0].text.encode("utf-8", "replace").decode()
        recipients = [f"+{row.msisdn.digits}" for row in rows]
        sender_id = rows[0].sender_id or None
        answer: WireAnswer = self._service.send(text, recipients, sender_id, timeout=self._timeout)
        return answer

    def outcomes(self, rows: Sequence[Submission], answer: WireAnswer) -> Sequence[Outcome]:
        """One a row, by the entry of its MSISDN."""
        if not 200 <= answer.status < 300:
            return [refused(answer)] * len(rows)
        return _outcomes(rows, answer.body)


def build(name: str, options: Mapping[str, Any]) -> HttpSending:
    """The sending of a configured channel: `username`, `api_key`, and if need be `base_url`,
    `answers_within` (seconds) and `tps` (parts, 0 none).

    Raises ValueError naming the option that is missing or unsafe.
    """
    spelling = AfricasTalkingSpelling(_service(options), _patience(options))
    return HttpSending(name, spelling, read_tps(options), time.monotonic)


def probe(options: Mapping[str, Any]) -> str:
    """Asks for the account's data ("Application data") with the key, which costs nothing; what is
    wrong, in one sentence, or "". Raises ValueError as `build` does."""
    service = _service(options)
    url = f"{service._baseUrl}/user"
    timeout = (CONNECTS_WITHIN, _patience(options))
    try:
        answer = http_calls.get(
            url, {"username": options["username"]}, timeout, headers=service._headers
        )
    except NotReached:
        return "no connection was made: check base_url and the network"
    except NoAnswer:
        return "connected, and no whole answer came"
    if answer.status == 401:
        return "the API key or the username is refused (HTTP 401)"
    return "" if answer.status == 200 else f"the account's data were refused (HTTP {answer.status})"


def _service(options: Mapping[str, Any]) -> _WholeAnswers:
    for option in ("username", "api_key"):
        if not isinstance(options.get(option), str) or not options[option]:
            raise ValueError(f"{option} is missing: Africa's Talking asks for it")
    service = _WholeAnswers(options["username"], options["api_key"])
    if base_url := str(options.get("base_url", "")):
        parts = urlsplit(base_url)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("base_url must be https: the API key travels with each request")
        service._baseUrl = f"{base_url.rstrip('/')}/version1"  # no public option (2.0.3)
    return service


def _patience(options: Mapping[str, Any]) -> float:
    return float(options.get("answers_within", ANSWERS_WITHIN))


def _outcomes(rows: Sequence[Submission], body: bytes) -> list[Outcome]:
    try:
        said = json.loads(body)["SMSMessageData"]
        recipients = [one for one in said["Recipients"] if isinstance(one, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return [InDoubt("unreadable")] * len(rows)
    if not recipients:
        message = str(said.get("Message", ""))
        return [MESSAGES.get(message, InDoubt("no_recipients"))] * len(rows)
    told = _by_msisdn(recipients)
    return [_outcome(told.get(row.msisdn, ())) for row in rows]


def _by_msisdn(recipients: Sequence[Mapping[str, Any]]) -> Mapping[Msisdn, list[Mapping[str, Any]]]:
    """Their entries by MSISDN, in whatever spelling it came back; strangers match no row."""
    told: dict[Msisdn, list[Mapping[str, Any]]] = defaultdict(list)
    for recipient in recipients:
        msisdn = maybe_msisdn(str(recipient.get("number", "")))
        if msisdn is not None:
            told[msisdn].append(recipient)
    return told


def _outcome(told: Sequence[Mapping[str, Any]]) -> Outcome:
    """The outcome of one row by what was said of it: once, or it is a doubt."""
    if len(told) != 1:
        return InDoubt("not_answered" if not told else "answered_twice")
    code = _code(told[0].get("statusCode"))
    if code not in TAKEN:
        return REFUSALS.get(code, InDoubt(f"code_{code}"))
    message_id = told[0].get("messageId")
    if not isinstance(message_id, str) or message_id in ("", "None"):
        return Submitted(())  # taken, yet without an id no receipt will ever find it
    return Submitted((kept_id(message_id),))


def _code(spelt: object) -> int:
    """A statusCode, also where it comes as text; -1 for what is none."""
    return int(str(spelt)) if re.fullmatch(r"[0-9]{1,4}", str(spelt)) else -1
