"""Where what is kept is joined: one pool, one seal, one Redis."""

import time
from dataclasses import dataclass
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ussdapp.settings import Settings
from ussdapp.stores.accepted import PgAcceptances
from ussdapp.stores.cases import PgCases
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.database import Database
from ussdapp.stores.dialogues import PgDialogues
from ussdapp.stores.doorbells import RqDoorbells
from ussdapp.stores.drafts import PgOffers
from ussdapp.stores.express_claims import express_database
from ussdapp.stores.funnel import PgFunnel
from ussdapp.stores.histories import PgHistories
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.keys import PgKeys
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.menu_versions import PgMenuVersions
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.stores.mos import PgMos
from ussdapp.stores.notifications import PgNotifications
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.questions import PgQuestions
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.routes import PgRoutes
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions
from ussdapp.stores.told_ids import ToldIds
from ussdapp.stores.unreported import PgUnreported
from ussdapp.wire.receipt_text import decoded

_REDIS_S: Final = 0.5  # what a citizen may wait for Redis; redis-py's own default is 58 s


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept, on one pool, one seal and one Redis."""

    database: Database
    seal: Seal
    redis: Redis
    sessions: RedisSessions
    dialogues: PgDialogues
    offers: PgOffers
    cases: PgCases
    mos: PgMos
    mo_parts: PgMoParts
    institutions: PgInstitutions
    notifications: PgNotifications
    opt_outs: PgOptOuts
    questions: PgQuestions
    versions: PgMenuVersions
    funnel: PgFunnel
    journal: PgJournal
    receipts: PgReceipts
    unreported: PgUnreported
    leases: PgLeases
    doorbells: RqDoorbells
    routes: PgRoutes
    keys: PgKeys
    acceptances: PgAcceptances
    histories: PgHistories
    codes: PgCodes


def kept_in(settings: Settings) -> Kept:
    """The stores of those settings; nothing is connected before its first use."""
    database = Database(settings.database_url)
    seal = Seal(settings.seal_key, settings.index_key)
    redis = _redis(settings.redis_url)
    fallbacks = {one.name: one.fallback for one in settings.channels.values() if one.fallback}
    ids, told = PublicIds(settings.index_key, "notice"), ToldIds()
    return Kept(
        database=database,
        seal=seal,
        redis=redis,
        sessions=RedisSessions(redis, seal, mark_key=settings.index_key),
        dialogues=PgDialogues(database, seal),
        offers=PgOffers(database),
        cases=PgCases(database, seal),
        mos=PgMos(database, seal),
        mo_parts=PgMoParts(database, seal, decoded),
        institutions=PgInstitutions(database),
        notifications=PgNotifications(database, seal),
        opt_outs=PgOptOuts(database, seal),
        questions=PgQuestions(database, seal),
        versions=PgMenuVersions(database),
        funnel=PgFunnel(database),
        journal=PgJournal(
            database, seal, fallbacks, express_database(settings.database_url), told.learn
        ),
        receipts=PgReceipts(database, seal, told),
        unreported=PgUnreported(database, seal),
        leases=PgLeases(database, settings.database_url),
        doorbells=RqDoorbells(redis),
        routes=PgRoutes(database, seal, list(settings.channels), fallbacks),
        keys=PgKeys(database, seal, time.monotonic),
        acceptances=PgAcceptances(database, seal, ids),
        histories=PgHistories(
            database,
            seal,
            ids,
            PublicIds(settings.index_key, "cursor"),
            settings.bulk_hours,
        ),
        codes=PgCodes(database, seal),
    )


def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=_REDIS_S,
        socket_connect_timeout=_REDIS_S,
        retry=Retry(NoBackoff(), 0),
    )
