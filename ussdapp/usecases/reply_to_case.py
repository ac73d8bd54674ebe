"""An institution answers a citizen: kept with the case, and told by SMS."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.case import CaseStatus, CaseView, Reply
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import NotAReference, Reference
from ussdapp.ports import Cases, Doorbells, NoSuchCase


@dataclass(frozen=True, slots=True)
class ReplyToCase:
    """Raises NoSuchCase (also for another institution's), CaseClosed, TooLong, Unavailable."""

    cases: Cases
    doorbells: Doorbells
    letters: Letters

    def __call__(
        self,
        holder: KeyHolder,
        reference: str,
        words: str,
        status: CaseStatus,
        now: datetime,
    ) -> CaseView:
        """The case as it stands after the reply; the same words again are the same reply."""
        try:
            known = Reference.parse(reference)
        except NotAReference:
            raise NoSuchCase from None
        reply = Reply(
            effect=_effect(holder, known, words, status),
            reference=known,
            institution=holder.institution,
            words=words,
            status=status,
            at=now,
        )

        def notify(msisdn: Msisdn, language: str, case: CaseView) -> Notification:
            named = {"taasisi": case.institution.upper(), "kumbukumbu": str(known)}
            text = self.letters.say("case_answer", language, {**named, "jibu": words})
            return self.letters.receipt(reply.effect, case.institution, msisdn, text, now)

        case, channel = self.cases.reply(reply, notify)
        if channel:
            self.doorbells.ring(channel)
        return case


def _effect(holder: KeyHolder, reference: Reference, words: str, status: CaseStatus) -> str:
    content = f"{holder.institution}:{reference.digits}:{status.value}:{words}"
    return f"reply:{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()}"
