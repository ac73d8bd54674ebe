"""An institution answers a citizen: kept with the case, and told by SMS."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from ussdapp.core import gsm7, phishing
from ussdapp.core.case import CaseStatus, CaseView, Reply
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.letters import ANSWER_PARTS, Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.parts import Encoding, Stranger, fits, forces_ucs2, room
from ussdapp.core.reference import NotAReference, Reference
from ussdapp.core.texts import LANGUAGES
from ussdapp.ports import Doorbells, NoSuchCase, Replies


class ReplyTooLong(ValueError):
    """With what stands around it, it takes more than two parts: `most` is how many characters do
    not, `stranger` the one that leaves so few."""

    def __init__(self, most: int, stranger: Stranger | None) -> None:
        super().__init__(f"at most {most} characters")
        self.most = most
        self.stranger = stranger


@dataclass(frozen=True, slots=True)
class ReplyToCase:
    """`simulated` are the cases of test keys. Raises NoSuchCase (also for another institution's),
    CaseClosed, ReplyTooLong, PhishingRefused, Unavailable."""

    cases: Replies
    simulated: Replies
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
        """The case as it stands after the reply; the same words again are the same reply, until
        the case was given away and came back."""
        try:
            known = Reference.parse(reference)
        except NotAReference:
            raise NoSuchCase from None
        self._refuse_long(holder.institution, known, words)
        phishing.refuse(phishing.suspicion(gsm7.plain(words)))  # as the SMS will hold them
        reply = Reply(
            effect=_effect(holder, known, words, status),
            reference=known,
            institution=holder.institution,
            words=words,
            status=status,
            at=now,
        )

        def notify(msisdn: Msisdn, language: str, case: CaseView) -> Notification:
            text = self._text(case.institution, known, language, words)
            return self.letters.receipt(reply.effect, case.institution, msisdn, text, now)

        cases = self.cases if holder.live else self.simulated
        case, channel = cases.reply(reply, notify)
        if channel:
            self.doorbells.ring(channel)
        return case

    def _text(self, institution: str, reference: Reference, language: str, words: str) -> str:
        named = {"taasisi": institution.upper(), "kumbukumbu": str(reference)}
        return self.letters.say("case_answer", language, {**named, "jibu": words})

    def _refuse_long(self, institution: str, reference: Reference, words: str) -> None:
        """In whichever language: the refusal tells nothing of the case."""
        plain = gsm7.plain(words)
        texts = [self._text(institution, reference, language, plain) for language in LANGUAGES]
        if all(fits(text, ANSWER_PARTS) for text in texts):
            return
        stranger = forces_ucs2(plain)
        encoding = Encoding.UCS2 if stranger else Encoding.GSM7
        around = max(len(self._text(institution, reference, one, "")) for one in LANGUAGES)
        raise ReplyTooLong(room(encoding, ANSWER_PARTS) - around, stranger)


def _effect(holder: KeyHolder, reference: Reference, words: str, status: CaseStatus) -> str:
    content = f"{holder.institution}:{reference.digits}:{status.value}:{words}"
    return f"reply:{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()}"
