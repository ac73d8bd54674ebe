"""Where what the reconciler brings to its end is joined."""

from datetime import UTC, datetime
from functools import partial

from ussdapp.bootstrap.kept import Kept
from ussdapp.stores.barred_senders import BarredSenders
from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.expiry import PgExpiry
from ussdapp.stores.queue import unpark
from ussdapp.usecases.deliver_simulated import DeliverSimulated
from ussdapp.usecases.receive_mo import ReceiveMo
from ussdapp.usecases.reconcile import Reconcile


def reconcile(kept: Kept, receive_mo: ReceiveMo, bulks: PgBulks) -> Reconcile:
    """What the reconciler does each second."""
    simulated = DeliverSimulated(
        kept.leases, kept.journal, kept.receipts, kept.doorbells, lambda: datetime.now(UTC)
    )
    return Reconcile(
        kept.leases,
        kept.journal,
        kept.receipts,
        simulated,
        kept.mo_parts,
        receive_mo,
        kept.routes,
        PgExpiry(kept.database),
        partial(unpark, kept.database),
        BarredSenders(kept.database, bulks).stop,
    )
