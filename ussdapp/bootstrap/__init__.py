"""Where the parts are joined: a Gateway, or a refusal to start."""

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ussdapp.bootstrap.logs import start_logging
from ussdapp.channels import africastalking, smpp
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.letters import Letters
from ussdapp.core.reference import RANGE, Reference
from ussdapp.core.routing import Route, Routes
from ussdapp.ports import Unavailable
from ussdapp.settings import Settings, SettingsRefused, read_settings
from ussdapp.stores.cases import PgCases
from ussdapp.stores.database import Database, first
from ussdapp.stores.dialogues import PgDialogues
from ussdapp.stores.doorbells import RqDoorbells
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.menu_files import read_texts
from ussdapp.stores.menus import LiveMenus
from ussdapp.stores.mos import PgMos
from ussdapp.stores.notifications import PgNotifications
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions
from ussdapp.usecases.answer_ussd import AnswerUssd
from ussdapp.usecases.receive_mo import ReceiveMo
from ussdapp.usecases.reconcile import Reconcile
from ussdapp.usecases.record_opt_out import RecordOptOut
from ussdapp.usecases.record_receipts import RecordReceipts
from ussdapp.usecases.reply_to_case import ReplyToCase

CALLBACKS: Final = {"africastalking": africastalking.AfricasTalkingCallbacks}
MENUS: Final = Path(__file__).parents[2] / "menus"
_REDIS_S: Final = 0.5  # what a citizen may wait for Redis; redis-py's own default is 58 s


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a process needs, joined. Nothing is connected before its first use."""

    settings: Settings
    dialects: Mapping[str, Any]
    answer_ussd: AnswerUssd
    receive_mo: ReceiveMo
    record_receipts: RecordReceipts
    record_opt_out: RecordOptOut
    reply_to_case: ReplyToCase
    reconcile: Reconcile
    holder: Callable[[str, datetime], KeyHolder | None]
    sorry: Callable[[str], str]
    database: Database
    redis: Redis
    journal: PgJournal
    leases: PgLeases
    receipts: PgReceipts
    doorbells: RqDoorbells
    institutions: PgInstitutions

    def sending(self, channel: str) -> Any:
        """A channel that submits; each call makes a new one."""
        chosen = self.settings.channels[channel]
        make = {"smpp": smpp.build, "africastalking": africastalking.build}[chosen.kind]
        return make(channel, chosen.options)

    def readiness(self) -> list[str]:
        """The names of what is missing before this process can serve; empty when it can."""
        checks: dict[str, Callable[[], object]] = {
            "postgresql": lambda: self.database.run_once(lambda link: first(link, _MIGRATED)),
            "redis": self.redis.ping,
        }
        return [name for name, check in checks.items() if not _passes(check)]

    def close(self) -> None:
        """Gives connections back."""
        self.database.close()
        self.redis.close()


_MIGRATED: Final = "SELECT FROM notifications LIMIT 1"


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except (Unavailable, RedisError, psycopg.Error):
        return False
    return True


def open_gateway() -> Gateway:
    """The gateway of this process's environment; exits with a sentence where it must not run."""
    start_logging()
    try:
        gateway = build_gateway(read_settings(os.environ))
        refuse_unsafe(gateway)
    except SettingsRefused as refusal:
        sys.exit(f"ussdapp does not start: {refusal}")
    return gateway


def build_gateway(settings: Settings) -> Gateway:
    """Joins the parts; raises SettingsRefused, MenuRefused."""
    database = Database(settings.database_url)
    seal = Seal(settings.seal_key, settings.index_key)
    redis = _redis(settings.redis_url)
    doorbells = RqDoorbells(redis)
    cases, dialogues = PgCases(database, seal), PgDialogues(database, seal)
    institutions, opt_outs = PgInstitutions(database, seal), PgOptOuts(database, seal)
    journal, receipts = PgJournal(database, seal), PgReceipts(database, seal)
    leases = PgLeases(database, settings.database_url)
    values = {"namba_fupi": settings.short_code}
    menus = LiveMenus(MENUS, institutions.all, settings.screen_budget, values, time.monotonic)
    letters = Letters(
        read_texts(MENUS / "sms.toml"),
        _routes(settings),
        settings.short_code,
        settings.service_code,
    )
    return Gateway(
        settings=settings,
        dialects={
            name: CALLBACKS[channel.callbacks](name)
            for name, channel in settings.channels.items()
            if channel.callbacks in CALLBACKS
        },
        answer_ussd=AnswerUssd(
            sessions=RedisSessions(redis, seal, mark_key=settings.index_key),
            dialogues=dialogues,
            cases=cases,
            menus=menus,
            letters=letters,
            doorbells=doorbells,
            new_reference=_new_reference,
        ),
        receive_mo=ReceiveMo(
            mos=PgMos(database, seal),
            cases=cases,
            dialogues=dialogues,
            institutions=institutions,
            notifications=PgNotifications(database, seal),
            opt_outs=opt_outs,
            doorbells=doorbells,
            letters=letters,
            new_reference=_new_reference,
        ),
        record_receipts=RecordReceipts(receipts),
        record_opt_out=RecordOptOut(opt_outs, institutions),
        reply_to_case=ReplyToCase(cases, doorbells, letters),
        reconcile=Reconcile(leases, journal, receipts, doorbells),
        holder=institutions.holder,
        sorry=lambda language: menus.current().words.unavailable[language],
        database=database,
        redis=redis,
        journal=journal,
        leases=leases,
        receipts=receipts,
        doorbells=doorbells,
        institutions=institutions,
    )


def _routes(settings: Settings) -> Routes:
    """The configured prefixes; what none of them takes goes by the first channel."""
    rules = [
        Route(prefix, channel.name)
        for channel in settings.channels.values()
        for prefix in channel.routes
    ]
    return Routes.ordered([*rules, Route("", next(iter(settings.channels)))])


def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=_REDIS_S,
        socket_connect_timeout=_REDIS_S,
        retry=Retry(NoBackoff(), 0),
    )


def _new_reference() -> Reference:
    return Reference.numbered(secrets.randbelow(RANGE))


def refuse_unsafe(gateway: Gateway) -> None:
    """Raises SettingsRefused for stores that would lose what is accepted; one that is down now
    is no reason, readiness tells of it."""
    troubles = []
    try:
        row = gateway.database.run_once(lambda link: first(link, "SHOW synchronous_commit"))
        if row and row[0] == "off":
            troubles.append("PostgreSQL has synchronous_commit off: a crash would double SMS")
    except Unavailable:
        pass
    try:
        policy = gateway.redis.config_get("maxmemory-policy").get("maxmemory-policy")
        if policy not in (None, "noeviction"):
            troubles.append(f"Redis has maxmemory-policy {policy}: set noeviction")
    except RedisError:
        pass
    if troubles:
        raise SettingsRefused("\n".join(troubles))
