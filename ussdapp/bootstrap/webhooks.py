"""Where what tells institutions of events is joined."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from ussdapp.bootstrap.bulks import bulk_ids
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


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhooks as kept, and what says where an institution is told."""

    kept: PgWebhooks
    put: PutWebhook


def webhooks_of(settings: Settings, database: Database, seal: Seal) -> Webhooks:
    """What is done with webhooks."""
    kept = PgWebhooks(database, seal, PublicIds(settings.index_key, "event"))
    allowed = partial(callable_url, allow_private=settings.sandbox)
    return Webhooks(kept, PutWebhook(kept, allowed, new_secret))


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
