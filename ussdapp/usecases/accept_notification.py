"""An institution sends one text to one MSISDN or to several: accepted whole, once, and rung for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ussdapp.core import acceptance, gsm7, notes, phishing
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.keys import IssuedKey
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notes import Note
from ussdapp.core.notification import LIVES, Class
from ussdapp.core.parts import Encoding, split
from ussdapp.core.routing import Routes
from ussdapp.core.sender_ids import chosen
from ussdapp.core.simulated import SIMULATED, channel_of
from ussdapp.core.templates import TemplateUse
from ussdapp.ports import Doorbells, Languages, Templates


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """What an institution asks for. `key` makes it unique among the institution's (None: it is
    no repeat of anything), `body` is what a repeat has to equal. A template stands in the place of
    `text`; it is filled for the first of `to`."""

    to: tuple[Msisdn, ...]
    text: str
    klass: Class
    key: str | None
    body: str
    sender_id: str | None = None
    reference: str | None = None
    send_at: datetime | None = None
    expires_in: timedelta | None = None
    template: TemplateUse | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """A text as it will be submitted, and the template it was made of: `name@version`."""

    text: str
    encoding: Encoding
    parts: int
    template: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Accepting:
    """What is kept of it: a notification for each MSISDN, on the channel beside it, none of which
    has an effect but the whole, `effect`."""

    effect: str
    institution: str
    live: bool
    to: Sequence[tuple[Msisdn, str]]
    written: Written
    klass: Class
    sender_id: str
    reference: str | None
    body: str
    accepted_at: datetime
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The id of each, what was written, when it was accepted, and the channels that have work
    now: none where it was kept before."""

    ids: tuple[str, ...]
    written: Written
    at: datetime
    channels: frozenset[str] = frozenset()


class Acceptances(Protocol):
    """Accepts what institutions send. Both raise AnotherBody, Unavailable."""

    def accept(self, accepting: Accepting) -> Kept:
        """Commits all of it as queued; the same effect and body again commits nothing and returns
        what was kept first. Raises OverQuota."""
        ...

    def before(self, effect: str, count: int, body: str) -> Kept | None:
        """What was kept under that effect for so many MSISDNs, None where nothing was."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted: an id for each MSISDN, in order, and what its sender should know of its
    text and of its time."""

    ids: tuple[str, ...]
    encoding: Encoding
    parts: int
    template: str | None
    notes: tuple[Note, ...]
    time_notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class AcceptNotification:
    """Raises NoSuchTemplate, ValuesLacking, PhishingRefused, SenderIdRefused, TooFarAhead,
    AnotherBody, TooLong, OverQuota, Unavailable."""

    acceptances: Acceptances
    doorbells: Doorbells
    templates: Templates
    languages: Languages
    routes: Routes
    short_code: str
    new_key: Callable[[], str]

    def __call__(self, holder: KeyHolder, asked: Asked, now: datetime) -> Accepted:
        """Committed when it returns; the same key and body again give the same."""
        named = acceptance.named_by(asked.key, self.new_key)
        effect = acceptance.effect("api", holder.institution, named, live=holder.live)
        kept = self._before(asked, effect) or self._kept(holder, asked, effect, now)
        text = kept.written
        return Accepted(
            ids=kept.ids,
            encoding=text.encoding,
            parts=text.parts,
            template=text.template,
            notes=notes.of(text.text),
            time_notes=notes.of_time(asked.send_at, kept.at),
        )

    def _before(self, asked: Asked, effect: str) -> Kept | None:
        """What was kept of it before: another version may stand by now, or another language."""
        if asked.template is None or asked.key is None:
            return None
        return self.acceptances.before(effect, len(asked.to), asked.body)

    def _kept(self, holder: KeyHolder, asked: Asked, effect: str, now: datetime) -> Kept:
        accepting = self._accepting(holder, asked, effect, now)
        kept = self.acceptances.accept(accepting)
        if accepting.due_at <= now:
            for channel in kept.channels - {SIMULATED}:
                self.doorbells.ring(channel)
        return kept

    def _accepting(self, holder: KeyHolder, asked: Asked, effect: str, now: datetime) -> Accepting:
        due = acceptance.due_at(asked.send_at, now)
        return Accepting(
            effect=effect,
            institution=holder.institution,
            live=holder.live,
            to=[(one, channel_of(self.routes, one, live=holder.live)) for one in asked.to],
            written=self._written(holder, asked),
            klass=asked.klass,
            sender_id=chosen(holder, asked.sender_id, self.short_code),
            reference=asked.reference,
            body=asked.body,
            accepted_at=now,
            due_at=due,
            expires_at=due + (asked.expires_in or LIVES[asked.klass]),
        )

    def _written(self, holder: KeyHolder, asked: Asked) -> Written:
        text, template = asked.text, None
        if use := asked.template:
            found = self.templates.found(holder.institution, use.name, use.version)
            english = self.languages.speaking("en", asked.to[:1])
            text = found.filled("en" if english else "sw", use.values)
            template = found.reference
        if isinstance(holder, IssuedKey) and holder.plain_text:
            text = gsm7.plain(text)
        parts = split(text)
        phishing.refuse(phishing.suspicion(text))
        return Written(text, parts.encoding, len(parts), template)
