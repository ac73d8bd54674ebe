"""An institution hands a case to another one, and the citizen is told whose it is now."""

from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.case import Transfer, Transferred
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.core.reference import NotAReference, Reference
from ussdapp.ports import Doorbells, NoSuchCase, Transfers


@dataclass(frozen=True, slots=True)
class TransferCase:
    """`simulated` are the cases of test keys. Raises NoSuchCase (also for another institution's),
    CaseClosed, NoSuchInstitution, SameInstitution, Unavailable."""

    cases: Transfers
    simulated: Transfers
    doorbells: Doorbells
    letters: Letters

    def __call__(
        self, holder: KeyHolder, reference: str, to: str, words: str, now: datetime
    ) -> Transferred:
        """What became of it; the same transfer again is the same one."""
        try:
            known = Reference.parse(reference)
        except NotAReference:
            raise NoSuchCase from None
        transfer = Transfer(known, holder.institution, to.lower(), words, now)

        def notify(msisdn: Msisdn, language: str) -> Notification:
            names = {"taasisi": transfer.institution.upper(), "mpya": transfer.to.upper()}
            values = {**names, "kumbukumbu": str(known)}
            text = self.letters.say("case_transferred", language, values)
            effect = f"transfer:{known.digits}:{transfer.institution}:{now.isoformat()}"
            return self.letters.receipt(effect, transfer.institution, msisdn, text, now)

        cases = self.cases if holder.live else self.simulated
        done, channel = cases.transfer(transfer, notify)
        if channel:
            self.doorbells.ring(channel)
        return done
