"""Knows Standard Webhooks 1.0.0: how an event is spelt, signed and posted."""

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

from ussdapp.core.webhook import Answered, Endpoint, Event
from ussdapp.wire.guarded import Call, Forbidden, GuardedClient, NoAnswer, NotReached, TooSlow

WITHIN_S: Final = 5.0  # for all of it: the name, the connection, TLS, the request and the answer
_SECRET_OCTETS: Final = 32
_AGENT: Final = "ussdapp-webhooks/1"
_LONGEST_PATIENCE: Final = 3600.0


def new_secret(octets: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A secret as Standard Webhooks writes it: `whsec_` and base64 of 32 random octets."""
    return f"whsec_{b64encode(octets(_SECRET_OCTETS)).decode()}"


def spelt(event: Event) -> str:
    """The body: the same for the same event, each time it is posted."""
    told = {"type": event.type, "timestamp": rfc3339(event.at), "data": dict(event.facts)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=_time)


def signed(secrets: tuple[str, ...], event: Event, body: str, at: datetime) -> dict[str, str]:
    """The three headers; one signature for each secret that is good, so that a receiver that knows
    either can verify."""
    signatures = [Webhook(secret).sign(event.message_id, at, body) for secret in secrets]
    return {
        "webhook-id": event.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts events to where they may go, and tells what came of it; it does not raise."""

    client: GuardedClient
    clock: Callable[[], datetime]

    def __call__(self, endpoint: Endpoint, event: Event) -> Answered:
        """One post; a redirect is an answer like any other and is not followed."""
        body = spelt(event)
        headers = {"Content-Type": "application/json", "User-Agent": _AGENT}
        signatures = signed(endpoint.secrets, event, body, self.clock())
        call = Call("POST", endpoint.url, headers | signatures, body.encode())
        try:
            status, named = self.client.told(call, WITHIN_S)
        except Forbidden:
            return Answered(0, "forbidden")
        except NotReached:
            return Answered(0, "not_reached")
        except TooSlow:
            return Answered(0, "too_slow")
        except NoAnswer:
            return Answered(0, "no_answer")
        return Answered(status, str(status), _patience(named))


def _patience(headers: Mapping[str, str]) -> float:
    """Retry-After in seconds; as a date it is not heeded."""
    given = headers.get("retry-after", "")
    return min(float(given), _LONGEST_PATIENCE) if given.isascii() and given.isdigit() else 0.0


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(type(value).__name__)


def rfc3339(at: datetime) -> str:
    """A time as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
