"""An institution sends one text to one MSISDN or to several: accepted whole, once, and rung for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ussdapp.core import acceptance, phishing
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import LIVES, Class
from ussdapp.core.parts import Encoding, Parts, split
from ussdapp.core.routing import Routes
from ussdapp.core.sender_ids import chosen
from ussdapp.core.simulated import SIMULATED, channel_of
from ussdapp.ports import Doorbells


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What an institution asks for. `key` makes it unique among the institution's (None: it is
    no repeat of anything), `body` is what a repeat has to equal."""

    to: tuple[Msisdn, ...]
    text: str
    klass: Class
    key: str | None
    body: str
    sender_id: str | None = None
    reference: str | None = None
    send_at: datetime | None = None
    expires_in: timedelta | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Accepting:
    """What is kept of it: a notification for each MSISDN, on the channel beside it, none of which
    has an effect but the whole, `effect`."""

    effect: str
    institution: str
    live: bool
    to: Sequence[tuple[Msisdn, str]]
    text: str
    klass: Class
    sender_id: str
    encoding: Encoding
    parts: int
    reference: str | None
    body: str
    accepted_at: datetime
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The id of each, and the channels that have work now: none where it was kept before."""

    ids: tuple[str, ...]
    channels: frozenset[str]


class Acceptances(Protocol):
    """Accepts what institutions send."""

    def accept(self, accepting: Accepting) -> Kept:
        """Commits all of it as queued; the same effect and body again commits nothing and returns
        the first ids. Raises AnotherBody, OverQuota, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted: an id for each MSISDN, in order."""

    ids: tuple[str, ...]
    encoding: Encoding
    parts: int


@dataclass(frozen=True, slots=True)
class AcceptNotification:
    """Raises PhishingRefused, SenderIdRefused, TooFarAhead, AnotherBody, TooLong, OverQuota,
    Unavailable."""

    acceptances: Acceptances
    doorbells: Doorbells
    routes: Routes
    short_code: str
    new_key: Callable[[], str]

    def __call__(self, holder: KeyHolder, asked: Asked, now: datetime) -> Accepted:
        """Committed when it returns; the same key and body again give the same."""
        parts = split(asked.text)
        phishing.refuse(phishing.suspicion(asked.text))
        accepting = self._accepting(holder, asked, now, parts)
        kept = self.acceptances.accept(accepting)
        if accepting.due_at <= now:
            for channel in kept.channels - {SIMULATED}:
                self.doorbells.ring(channel)
        return Accepted(kept.ids, accepting.encoding, accepting.parts)

    def _accepting(self, holder: KeyHolder, asked: Asked, now: datetime, parts: Parts) -> Accepting:
        due = acceptance.due_at(asked.send_at, now)
        named = acceptance.named_by(asked.key, self.new_key)
        return Accepting(
            effect=acceptance.effect("api", holder, named),
            institution=holder.institution,
            live=holder.live,
            to=[(one, channel_of(self.routes, one, live=holder.live)) for one in asked.to],
            text=asked.text,
            klass=asked.klass,
            sender_id=chosen(holder, asked.sender_id, self.short_code),
            encoding=parts.encoding,
            parts=len(parts),
            reference=asked.reference,
            body=asked.body,
            accepted_at=now,
            due_at=due,
            expires_at=due + (asked.expires_in or LIVES[asked.klass]),
        )
