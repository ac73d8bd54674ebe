"""Where what tells institutions of events is joined."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from ussdapp.settings import Settings
from ussdapp.stores.database import Database
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal
from ussdapp.stores.tellings import PgTellings
from ussdapp.stores.told_facts import Facts
from ussdapp.stores.webhooks import PgWebhooks
from ussdapp.usecases.put_webhook import PutWebhook
from ussdapp.usecases.tell_webhook import TellWebhook, Together
from ussdapp.wire.addresses import callable_url
from ussdapp.wire.guarded import GuardedClient
from ussdapp.wire.webhooks import Poster, new_secret


def putting(settings: Settings, kept: PgWebhooks) -> PutWebhook:
    """What says where an institution is told."""
    return PutWebhook(kept, partial(callable_url, allow_private=settings.sandbox), new_secret)


def webhooks(settings: Settings, database: Database, seal: Seal) -> PgWebhooks:
    """The webhooks as kept."""
    return PgWebhooks(database, seal, PublicIds(settings.index_key, "event"))


def bulk_ids(settings: Settings) -> Mapping[bool, PublicIds]:
    """How live bulks are called outside, and those that test keys sent."""
    return {
        live: PublicIds(settings.index_key, "bulk" if live else "bulktest")
        for live in (True, False)
    }


def telling(
    settings: Settings, database: Database, seal: Seal, together: Together
) -> tuple[PgTellings, TellWebhook]:
    """The events, and what posts a window of them."""
    facts = Facts(seal, PublicIds(settings.index_key, "notice"), bulk_ids(settings))
    kept = PgTellings(database, seal, PublicIds(settings.index_key, "event"), facts)
    post = Poster(GuardedClient(allow_private=settings.sandbox), _now)
    return kept, TellWebhook(kept, post, together, _now, random.random)


def _now() -> datetime:
    return datetime.now(UTC)
