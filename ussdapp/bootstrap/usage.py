"""Where what counts is joined: what was used, and what may be."""

from dataclasses import dataclass

from ussdapp.settings import Settings
from ussdapp.stores.database import Database
from ussdapp.stores.quotas import PgQuotas
from ussdapp.stores.usage import PgUsage
from ussdapp.usecases.count_usage import CountUsage


@dataclass(frozen=True, slots=True)
class Usage:
    """What institutions used, with their quotas; `count` brings it up to date."""

    kept: PgUsage
    quotas: PgQuotas
    count: CountUsage


def usage_of(settings: Settings, database: Database) -> Usage:
    """What is counted, at the prices of the settings."""
    kept = PgUsage(database, settings.prices)
    return Usage(kept, PgQuotas(database), CountUsage(kept))
