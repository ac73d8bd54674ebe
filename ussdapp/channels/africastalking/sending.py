"""Sends through Africa's Talking with the official package. A file of its own because the package
takes a fifth of a second to import, which only the process that sends should pay."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

from africastalking.SMS import SMSService

from ussdapp.core.msisdn import Msisdn
from ussdapp.ports import Deferred, InDoubt, Outcome, Rejected, Submission, Submitted
from ussdapp.wire import http
from ussdapp.wire.fields import kept_id, maybe_msisdn
from ussdapp.wire.http import WireAnswer

WINDOW: Final = 50  # rows claimed at a time and recipients a request: one silence's doubt
CONNECTIONS: Final = 8  # requests at a time: texts that differ cannot share one
CONNECTS_WITHIN: Final = 3.05  # seconds
ANSWERS_WITHIN: Final = 15.0  # seconds; each silence is a doubt, so longer than the package's nine
SOON: Final = 5.0  # seconds of pause: the network is in trouble
PATIENCE: Final = 30.0  # it asks us to slow down and does not say for how long
LONG: Final = 900.0  # a person must act first: top up, or mend a key

_NO_BIND_S: Final = 60.0

# "Bulk SMS", statusCode of a recipient, for those that were not taken. 100-102 were.
TAKEN: Final = frozenset({100, 101, 102})  # Processed, Sent, Queued
REFUSALS: Final[Mapping[int, Rejected | Deferred | InDoubt]] = {
    401: Rejected("RiskHold"),
    402: Rejected("InvalidSenderId"),
    403: Rejected("InvalidPhoneNumber"),
    404: Rejected("UnsupportedNumberType"),
    405: Deferred("InsufficientBalance", LONG),
    406: Rejected("UserInBlacklist"),
    # not taken, and routes come back: tried again, and counted so that it ends
    407: Deferred("CouldNotRoute", 300.0, counts=True),
    409: Rejected("DoNotDisturbRejection"),
    # theirs broke while it was theirs: it may be on its way
    500: InDoubt("InternalServerError"),
    501: InDoubt("GatewayError"),
    502: Rejected("RejectedByGateway"),
}
# An empty list of recipients with HTTP 201: the reason is the sentence in `Message`.
MESSAGES: Final[Mapping[str, Outcome]] = {one.code: one for one in REFUSALS.values()}
# HTTP status of a whole request. 5xx may come after it was taken; so may what is not listed.
ANSWERS: Final[Mapping[int, Outcome]] = {
    **{status: Rejected(f"http_{status}") for status in (400, 413, 422)},  # this request is wrong
    # our key, account or base_url is: a person mends it and all may go again
    **{status: Deferred(f"http_{status}", LONG) for status in (401, 402, 403, 404, 405, 407)},
    429: Deferred("http_429", PATIENCE),
}


class _WholeAnswers(SMSService):  # type: ignore[misc]  # the package ships no types
    """Their service, given back the whole answer.

    Their own `_make_request` returns a `str` unless the content type is spelt one way, and its
    exception holds no HTTP status: 401, 429 and 500 could not be told apart.
    """

    def _make_request(self, url: str, _method: str, **asked: Any) -> WireAnswer:
        return http.post_form(url, asked["headers"], asked["data"], asked["timeout"])


class AfricasTalkingSending:
    """Submits through their legacy form API; rows with one text and sender ID share a request."""

    window = WINDOW

    def __init__(self, name: str, service: SMSService, answers_within: float) -> None:
        self.name = name
        self._service = service
        self._timeout = (CONNECTS_WITHIN, answers_within)

    def ready(self) -> bool:
        """Always: there is no bind to wait for."""
        return True

    def open(self, *_: object) -> None:
        """Nothing comes in here: receipts and texts are callbacks."""

    def keep_bound(self) -> float:
        """There is no bind to keep; seconds until asked again."""
        return _NO_BIND_S

    def late(self) -> Sequence[tuple[Submission, Outcome]]:
        """Nothing: a request that was given up has no answer."""
        return ()

    def close(self) -> None:
        """Each request closes what it opened."""

    def submit(self, window: Sequence[Submission]) -> Sequence[Outcome]:
        """One outcome a row, in order. What has not left when a request meets trouble is held
        back for as long as that trouble asks."""
        pauses: list[float] = []
        outcomes: dict[int, Outcome] = {}
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for answered in pool.map(lambda rows: self._request(rows, pauses), _requests(window)):
                outcomes |= answered
        return [outcomes[place] for place in range(len(window))]

    def _request(self, rows: Mapping[int, Submission], pauses: list[float]) -> dict[int, Outcome]:
        if pauses:
            return dict.fromkeys(rows, Deferred("held_back", pauses[0]))
        try:
            answer = self._send(tuple(rows.values()))
        except http.NotReached:
            pauses.append(SOON)
            return dict.fromkeys(rows, Deferred("unreachable", SOON))
        except http.NoAnswer:
            pauses.append(SOON)
            return dict.fromkeys(rows, InDoubt("no_answer"))
        if 200 <= answer.status < 300:
            return _outcomes(rows, answer.body)
        refusal = _refusal(answer)
        if isinstance(refusal, Deferred):
            pauses.append(refusal.pause)
        return dict.fromkeys(rows, refusal)

    def _send(self, rows: Sequence[Submission]) -> WireAnswer:
        # a lone surrogate is no character and cannot be encoded in a form
        text = rows[0].text.encode("utf-8", "replace").decode()
        recipients = [f"+{row.msisdn.digits}" for row in rows]
        sender_id = rows[0].sender_id or None
        answer: WireAnswer = self._service.send(text, recipients, sender_id, timeout=self._timeout)
        return answer


def build(name: str, options: Mapping[str, Any]) -> AfricasTalkingSending:
    """The sending of a configured channel: `username`, `api_key`, and if need be `base_url` and
    `answers_within` (seconds).

    Raises ValueError naming the option that is missing or unsafe.
    """
    for option in ("username", "api_key"):
        if not isinstance(options.get(option), str) or not options[option]:
            raise ValueError(f"{option} is missing: Africa's Talking asks for it")
    service = _WholeAnswers(options["username"], options["api_key"])
    if base_url := str(options.get("base_url", "")):
        parts = urlsplit(base_url)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("base_url must be https: the API key travels with each request")
        service._baseUrl = f"{base_url.rstrip('/')}/version1"  # no public option (2.0.3)
    return AfricasTalkingSending(
        name, service, float(options.get("answers_within", ANSWERS_WITHIN))
    )


def _requests(window: Sequence[Submission]) -> Iterator[Mapping[int, Submission]]:
    """Rows by their place, a request each: one text, one sender ID, no MSISDN twice."""
    groups: dict[tuple[str, str, int], dict[int, Submission]] = defaultdict(dict)
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    for place, row in enumerate(window):
        copy = (row.text, row.sender_id, row.msisdn.digits)
        groups[row.text, row.sender_id, seen[copy]][place] = row
        seen[copy] += 1
    for rows in groups.values():
        places = list(rows)
        for start in range(0, len(places), WINDOW):
            yield {place: rows[place] for place in places[start : start + WINDOW]}


def _outcomes(rows: Mapping[int, Submission], body: bytes) -> dict[int, Outcome]:
    try:
        said = json.loads(body)["SMSMessageData"]
        recipients = [one for one in said["Recipients"] if isinstance(one, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return dict.fromkeys(rows, InDoubt("unreadable"))
    if not recipients:
        message = str(said.get("Message", ""))
        return dict.fromkeys(rows, MESSAGES.get(message, InDoubt("no_recipients")))
    told = _by_msisdn(recipients)
    return {place: _outcome(told.get(row.msisdn, ())) for place, row in rows.items()}


def _refusal(answer: WireAnswer) -> Outcome:
    refusal = ANSWERS.get(answer.status, InDoubt(f"http_{answer.status}"))
    after = answer.headers.get("retry-after", "")
    if isinstance(refusal, Deferred) and re.fullmatch(r"[0-9]{1,5}", after):
        return Deferred(refusal.code, max(1.0, min(float(after), LONG)))
    return refusal


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
