"""Knows that a dialogue is over on the other side: the citizen hung up, or the network gave up."""

from dataclasses import dataclass

from ussdapp.core.msisdn import Msisdn


@dataclass(frozen=True, slots=True, repr=False)
class Ended:
    """No key: nothing is to be shown any more, and what was begun may be resumed."""

    channel: str
    session_id: str
    msisdn: Msisdn
