"""Knows how a dialogue becomes a case: keys that make its effects happen once, and its letter."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.case import CaseView, Kind, NewCase, Visibility
from ussdapp.core.inbound import Keyed
from ussdapp.core.letters import Letters
from ussdapp.core.notification import Notification
from ussdapp.core.reference import Reference
from ussdapp.core.session import Found, Turn

_EAT: Final = timedelta(hours=3)


def session_key(keyed: Keyed) -> str:
    """The same for every callback of one dialogue: another MSISDN or channel is another one."""
    return _digest(keyed.channel, keyed.session_id, keyed.msisdn.digits)


def effect_key(dialogue: str, began_at: datetime, screen: str, nth: int) -> str:
    """The same whenever that screen of that dialogue has its effect, `nth` counted from 0 over all
    effects of the dialogue."""
    return _digest(dialogue, f"{began_at.timestamp():.6f}", screen, str(nth))


def ask_key(dialogue: str, day: str, screen: str, *sent: str) -> str:
    """The same whenever that screen of that dialogue asks for the same."""
    return _digest(dialogue, day, screen, *sent)


def day_of(at: datetime) -> str:
    """The day in Tanzania, YYYYMMDD."""
    return (at + _EAT).strftime("%Y%m%d")


def new_case(keyed: Keyed, turn: Turn, effect: str, reference: Reference, at: datetime) -> NewCase:
    """What a turn that asks `case.file` wants kept."""
    answers = turn.session.answers
    return NewCase(
        effect=effect,
        reference=reference,
        institution=answers["taasisi"],
        kind=Kind(answers["aina"]),
        visibility=Visibility(answers["utambulisho"]),
        words=answers["maelezo"],
        msisdn=keyed.msisdn,
        language=turn.session.language,
        medium="ussd",
        received_at=at,
    )


def letter(letters: Letters, case: NewCase) -> Notification | None:
    """The SMS that carries the reference, None for an anonymous case. Raises LookupError when
    no channel has a route."""
    if case.visibility is Visibility.ANONYMOUS:
        return None
    values = {
        "taasisi": case.institution.upper(),
        "aina": letters.say(case.kind.value, case.language),
        "kumbukumbu": str(case.reference),
    }
    text = letters.say("case_received", case.language, values)
    effect = f"{case.effect}:receipt"
    return letters.receipt(effect, case.institution, case.msisdn, text, case.received_at)


def found_filed(case: NewCase, reference: Reference) -> Found:
    """What a dialogue is told of a filed case."""
    anonymous = case.visibility is Visibility.ANONYMOUS
    outcome = "filed_anonymous" if anonymous else "filed"
    return Found(outcome, {"kumbukumbu": str(reference)})


def found_status(letters: Letters, case: CaseView, language: str) -> Found:
    """What a dialogue is told of how a case stands."""
    values = {
        "taasisi": case.institution.upper(),
        "kumbukumbu": str(case.reference),
        "hali": letters.say(case.status.value, language),
    }
    if case.answer:
        return Found("answered", {**values, "jibu": case.answer})
    return Found("found", values)


def _digest(*parts: str) -> str:
    # with their lengths, so that no two lists of parts are written alike
    written = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(written.encode()).hexdigest()
