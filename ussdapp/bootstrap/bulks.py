"""Where what accepts, stops and imports bulks is joined."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ussdapp.bootstrap.kept import Kept
from ussdapp.core.routing import Routes
from ussdapp.ports import Templates
from ussdapp.settings import Settings
from ussdapp.stores.bulk_blocks import PgBulkBlocks
from ussdapp.stores.bulk_rows import PgBulkRows
from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.public_ids import PublicIds
from ussdapp.usecases.accept_bulk import AcceptBulk
from ussdapp.usecases.import_bulk import ImportBulk
from ussdapp.usecases.stop_bulk import StopBulk
from ussdapp.wire.numbering import read_msisdn


@dataclass(frozen=True, slots=True)
class Bulks:
    """How bulks are sent, followed, approved and stopped. `ids` are those of live bulks, and of
    those that test keys sent."""

    kept: PgBulks
    ids: Mapping[bool, PublicIds]
    accept: AcceptBulk
    stop: StopBulk


def bulks_of(settings: Settings, kept: Kept, templates: Templates) -> Bulks:
    """What is done with bulks before their rows are checked, and after."""
    store = PgBulks(kept.database, kept.seal)
    return Bulks(
        kept=store,
        ids=bulk_ids(settings),
        accept=AcceptBulk(store, templates, settings.short_code, partial(secrets.token_hex, 16)),
        stop=StopBulk(store, time.sleep),
    )


def bulk_ids(settings: Settings) -> Mapping[bool, PublicIds]:
    """How live bulks are called outside, and those that test keys sent."""
    return {
        live: PublicIds(settings.index_key, "bulk" if live else "bulktest")
        for live in (True, False)
    }


def importing(settings: Settings, kept: Kept, routes: Routes) -> tuple[PgBulkRows, ImportBulk]:
    """The rows of bulks, and what checks and queues a window of them."""
    rows = PgBulkRows(kept.database, kept.seal, settings.database_url)
    blocks = PgBulkBlocks(kept.database, kept.seal)
    return rows, ImportBulk(rows, blocks, kept.doorbells, routes, read_msisdn, kept.dialogues)
