"""Knows what is run through and texted to no one: simulated MSISDNs, and what test keys send."""

from collections.abc import Mapping
from typing import Final

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.routing import Route, Routes
from ussdapp.core.status import Status

SIMULATED: Final = "simulated"  # the channel of which no operator knows
# CONTRACT section 4; any other MSISDN that a test key writes to gets its text
STATUSES: Final[Mapping[str, Status]] = {
    "255700000000": Status.DELIVERED,
    "255700000001": Status.UNDELIVERED,
    "255700000002": Status.REJECTED,
    "255700000003": Status.IN_DOUBT,
}
ROUTES: Final = tuple(Route(digits, SIMULATED) for digits in STATUSES)


def becomes(msisdn: Msisdn) -> Status:
    """Where a simulated notification to that MSISDN ends."""
    return STATUSES.get(msisdn.digits, Status.DELIVERED)


def channel_of(routes: Routes, msisdn: Msisdn, *, live: bool) -> str:
    """The channel that a key's notification takes: a test key's is always simulated. Raises
    LookupError when no route takes the MSISDN."""
    return routes.channel(msisdn) if live else SIMULATED
