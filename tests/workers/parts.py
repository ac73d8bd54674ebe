"""What a bound worker asks of a gateway, on a real database and with nobody to ring for."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tests.stores.world import SEAL, World
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.wire.receipt_text import decoded


def silent(*_: object) -> None:
    """A doorbell that nobody rings."""


def parts(world: World, sending: Callable[[str], object], **more: object) -> Any:
    """As much of a gateway as that, and `more`."""
    return SimpleNamespace(
        sending=sending,
        mo_parts=PgMoParts(world.database, SEAL, decoded),
        journal=world.journal,
        leases=world.leases,
        record_receipts=world.receipts.keep,
        doorbells=SimpleNamespace(ring=silent, answered=silent),
        urgent_bell=SimpleNamespace(listen=silent),
        sorry=lambda language: "",
        settings=SimpleNamespace(bulk_hours=(0, 0)),
        **more,
    )
