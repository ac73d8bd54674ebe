"""Where what institutions do with their cases is joined."""

from dataclasses import dataclass

from ussdapp.bootstrap.kept import Kept
from ussdapp.core.letters import Letters
from ussdapp.settings import Settings
from ussdapp.stores.case_histories import PgCaseHistories
from ussdapp.stores.case_transfers import PgTransfers
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.simulated_cases import SimulatedCases
from ussdapp.usecases.reply_to_case import ReplyToCase
from ussdapp.usecases.transfer_case import TransferCase


@dataclass(frozen=True, slots=True)
class Cases:
    """How cases are read, answered and handed on; a test key reads `simulated` ones."""

    histories: PgCaseHistories
    simulated: SimulatedCases
    reply: ReplyToCase
    transfer: TransferCase


def cases_of(settings: Settings, kept: Kept, letters: Letters) -> Cases:
    """What is done with cases, those of test keys among them."""
    simulated = SimulatedCases(kept.institutions)
    transfers = PgTransfers(kept.database, kept.seal)
    ids = PublicIds(settings.index_key, "case")
    return Cases(
        histories=PgCaseHistories(kept.database, kept.seal, ids),
        simulated=simulated,
        reply=ReplyToCase(kept.cases, simulated, kept.doorbells, letters),
        transfer=TransferCase(transfers, simulated, kept.doorbells, letters),
    )
