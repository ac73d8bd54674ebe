"""Knows when a bind's silence asks for an enquire_link, and when it has lasted too long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait for things (`overtaken_s` for the answer to a submit when later ones were
    answered), the octets of the longest PDU, how many submits may be unanswered, and how many
    delivered messages may wait to be kept before the SMSC is asked to try again."""

    connect_s: float = 10.0
    enquire_s: float = 30.0
    enquire_answer_s: float = 10.0
    response_s: float = 60.0
    overtaken_s: float = 3.0
    pdu_s: float = 10.0
    drain_s: float = 3.0
    pdu_octets: int = 16 * 1024
    window: int = 100_000
    backlog: int = 20_000


class Pulse:
    """The timers of one bind; every `now` is in seconds of one monotonic clock."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._heard = now
        self._enquired: float | None = None
        self._partial_since: float | None = None

    def heard(self, now: float, whole: int, rest: int) -> None:
        """`whole` PDUs came in and `rest` octets of another."""
        if whole:
            self._heard, self._enquired = now, None
        if not rest:
            self._partial_since = None
        elif whole or self._partial_since is None:
            self._partial_since = now

    def asks(self, now: float) -> bool:
        """Whether to send an enquire_link now; raises TimeoutError when the bind is dead."""
        limits = self._limits
        if self._partial_since is not None and now - self._partial_since >= limits.pdu_s:
            raise TimeoutError("a PDU took too long to arrive")
        if self._enquired is not None:
            if now - self._enquired >= limits.enquire_answer_s:
                raise TimeoutError("enquire_link was not answered")
            return False
        if now - self._heard < limits.enquire_s:
            return False
        self._enquired = now
        return True

    def patience(self, now: float) -> float:
        """Seconds until `asks` may have another answer."""
        if self._enquired is None:
            moment = self._heard + self._limits.enquire_s
        else:
            moment = self._enquired + self._limits.enquire_answer_s
        if self._partial_since is not None:
            moment = min(moment, self._partial_since + self._limits.pdu_s)
        return max(0.0, moment - now)
