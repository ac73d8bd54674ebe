"""Where the parts are joined: a Gateway, or a refusal to start."""

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final

import psycopg
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ussdapp.bootstrap import webhooks as told
from ussdapp.bootstrap.codes import request_code
from ussdapp.bootstrap.logs import start_logging
from ussdapp.channels import africastalking, beem
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.letters import Letters
from ussdapp.core.reference import RANGE, Reference
from ussdapp.core.routing import Route, Routes
from ussdapp.core.services import Services
from ussdapp.core.simulated import ROUTES as SIMULATED_ROUTES
from ussdapp.core.simulated import SIMULATED
from ussdapp.institutions import ega_guide
from ussdapp.institutions.ega_guide import EgaGuide
from ussdapp.institutions.ega_guide.keywords import KeywordDesks
from ussdapp.ports import BoundSending, Unavailable
from ussdapp.settings import ChannelSettings, Settings, SettingsRefused, read_settings
from ussdapp.stores.accepted import PgAcceptances
from ussdapp.stores.barred_senders import BarredSenders
from ussdapp.stores.bulk_rows import PgBulkRows
from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.case_histories import PgCaseHistories
from ussdapp.stores.case_transfers import PgTransfers
from ussdapp.stores.cases import PgCases
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.database import Database, first
from ussdapp.stores.dialogues import PgDialogues
from ussdapp.stores.doorbells import RqDoorbells
from ussdapp.stores.drafts import PgOffers
from ussdapp.stores.expiry import PgExpiry
from ussdapp.stores.express_claims import express_database
from ussdapp.stores.funnel import PgFunnel, RedisCounts
from ussdapp.stores.hints import RecentHints
from ussdapp.stores.histories import PgHistories
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.keys import PgKeys
from ussdapp.stores.keyword_files import KEYWORDS, read_services
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.menu_files import MenuRefused, read_owners, read_texts
from ussdapp.stores.menu_trees import MenuProof
from ussdapp.stores.menu_versions import PgMenuVersions
from ussdapp.stores.menus import Folder, LiveMenus
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.stores.mos import PgMos
from ussdapp.stores.nonces import PgNonces
from ussdapp.stores.notifications import PgNotifications
from ussdapp.stores.opt_out_register import PgOptOutRegister
from ussdapp.stores.opt_outs import PgOptOuts
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.questions import PgQuestions
from ussdapp.stores.queue import unpark
from ussdapp.stores.quotas import PgQuotas
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.ringing import Ringing
from ussdapp.stores.routes import PgRoutes
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions
from ussdapp.stores.simulated_cases import SimulatedCases
from ussdapp.stores.tellings import PgTellings
from ussdapp.stores.templates import PgTemplates
from ussdapp.stores.told_ids import TellingJournal, ToldIds
from ussdapp.stores.unreported import PgUnreported
from ussdapp.stores.usage import PgUsage
from ussdapp.stores.webhooks import PgWebhooks
from ussdapp.usecases.accept_bulk import AcceptBulk
from ussdapp.usecases.accept_notification import AcceptNotification
from ussdapp.usecases.answer_ussd import AnswerUssd
from ussdapp.usecases.ask_again import AskAgain
from ussdapp.usecases.count_steps import CountSteps
from ussdapp.usecases.count_usage import CountUsage
from ussdapp.usecases.deliver_simulated import DeliverSimulated
from ussdapp.usecases.escalate_codes import EscalateCodes
from ussdapp.usecases.import_bulk import ImportBulk
from ussdapp.usecases.publish_menu import PublishMenu
from ussdapp.usecases.publish_template import PublishTemplate
from ussdapp.usecases.put_webhook import PutWebhook
from ussdapp.usecases.receive_mo import ReceiveMo
from ussdapp.usecases.reconcile import Reconcile
from ussdapp.usecases.record_opt_out import RecordOptOut
from ussdapp.usecases.record_receipts import RecordReceipts
from ussdapp.usecases.reply_to_case import ReplyToCase
from ussdapp.usecases.request_code import RequestCode
from ussdapp.usecases.stop_bulk import StopBulk
from ussdapp.usecases.tell_webhook import TellWebhook, Together
from ussdapp.usecases.transfer_case import TransferCase
from ussdapp.wire.guarded import GuardedClient
from ussdapp.wire.http import Callbacks
from ussdapp.wire.numbering import read_msisdn
from ussdapp.wire.receipt_text import decoded

# by name: only the process that submits on a channel imports what its kind needs
KINDS: Final = {
    "smpp": "ussdapp.channels.smpp",
    "africastalking": "ussdapp.channels.africastalking.sending",
    "beem": "ussdapp.channels.beem.sending",
}
CALLBACKS: Final[Mapping[str, Callable[[str], Callbacks]]] = {
    "africastalking": africastalking.AfricasTalkingCallbacks,
    "beem": beem.BeemCallbacks,
}
MENUS: Final = Path(__file__).parents[2] / "menus"
_LATE_S: Final = 30.0  # what an institution has to answer once the citizen no longer waits
_TEXTED_S: Final = 2.0  # and to a text: what else its bind brings is kept after it
_REDIS_S: Final = 0.5  # what a citizen may wait for Redis; redis-py's own default is 58 s


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a process needs, joined. Nothing is connected before its first use."""

    settings: Settings
    dialects: Mapping[str, Callbacks]
    answer_ussd: AnswerUssd
    receive_mo: ReceiveMo
    record_receipts: RecordReceipts
    record_opt_out: RecordOptOut
    reply_to_case: ReplyToCase
    transfer_case: TransferCase
    case_histories: PgCaseHistories
    simulated_cases: SimulatedCases
    publish_menu: PublishMenu
    reconcile: Reconcile
    count_steps: CountSteps
    ask_again: Callable[[], AskAgain]
    holder: Callable[[str, datetime], KeyHolder | None]
    sorry: Callable[[str], str]
    database: Database
    redis: Redis
    journal: TellingJournal
    leases: PgLeases
    receipts: PgReceipts
    unreported: PgUnreported
    doorbells: RqDoorbells
    institutions: PgInstitutions
    mo_parts: PgMoParts
    questions: PgQuestions
    funnel: PgFunnel
    accept_notification: AcceptNotification
    histories: PgHistories
    keys: PgKeys
    nonces: PgNonces
    accept_bulk: AcceptBulk
    stop_bulk: StopBulk
    bulks: PgBulks
    bulk_ids: Mapping[bool, PublicIds]  # of live bulks, and of those that test keys sent
    importing: Callable[[], tuple[PgBulkRows, ImportBulk]]
    templates: PgTemplates
    publish_template: PublishTemplate
    opt_out_register: PgOptOutRegister
    quotas: PgQuotas
    usage: PgUsage
    count_usage: CountUsage
    codes: PgCodes
    code_ids: PublicIds
    request_code: RequestCode
    escalate_codes: EscalateCodes
    webhooks: PgWebhooks
    put_webhook: PutWebhook
    telling: Callable[[Together], tuple[PgTellings, TellWebhook]]

    def sending(self, channel: str) -> BoundSending:
        """A channel that submits; each call makes a new one."""
        return _sending(self.settings.channels[channel])

    def readiness(self) -> list[str]:
        """The names of what is missing before this process can serve; empty when it can."""
        checks: dict[str, Callable[[], object]] = {
            "postgresql": lambda: self.database.run_once(lambda link: first(link, _MIGRATED)),
            "redis": self.redis.ping,
            "redis: maxmemory-policy noeviction": lambda: _evicts_nothing(self.redis),
        }
        return [name for name, check in checks.items() if not _passes(check)]

    def close(self) -> None:
        """Gives connections back."""
        self.database.close()
        self.redis.close()


_MIGRATED: Final = "SELECT FROM notifications LIMIT 1"


def _evicts_nothing(redis: Redis) -> None:
    policy = redis.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        raise SettingsRefused(f"Redis has maxmemory-policy {policy}: set noeviction")


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except (Unavailable, RedisError, psycopg.Error, SettingsRefused):
        return False
    return True


def open_gateway() -> Gateway:
    """The gateway of this process's environment; exits with a sentence where it must not run."""
    start_logging()
    try:
        gateway = build_gateway(read_settings(os.environ))
        refuse_unsafe(gateway)
    except (SettingsRefused, MenuRefused) as refusal:
        sys.exit(f"ussdapp does not start: {refusal}")
    return gateway


def _dialects(settings: Settings) -> dict[str, Callbacks]:
    """The dialect of each channel that is called back; raises SettingsRefused."""
    called = [channel for channel in settings.channels.values() if channel.tokens]
    if strangers := [channel for channel in called if channel.callbacks not in CALLBACKS]:
        known = ", ".join(CALLBACKS)
        names = ", ".join(channel.name for channel in strangers)
        raise SettingsRefused(f"channels {names}: callbacks must be one of {known}")
    return {channel.name: CALLBACKS[channel.callbacks](channel.name) for channel in called}


def _sending(channel: ChannelSettings) -> BoundSending:
    if channel.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    made: BoundSending = import_module(KINDS[channel.kind]).build(channel.name, channel.options)
    return made


@dataclass(frozen=True, slots=True)
class _Stores:
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
    journal: TellingJournal
    receipts: PgReceipts
    unreported: PgUnreported
    leases: PgLeases
    doorbells: RqDoorbells
    routes: PgRoutes
    keys: PgKeys
    acceptances: PgAcceptances
    histories: PgHistories
    codes: PgCodes


def _stores(settings: Settings) -> _Stores:
    database = Database(settings.database_url)
    seal = Seal(settings.seal_key, settings.index_key)
    redis = _redis(settings.redis_url)
    fallbacks = {one.name: one.fallback for one in settings.channels.values() if one.fallback}
    ids, told = PublicIds(settings.index_key, "notice"), ToldIds()
    return _Stores(
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
        journal=TellingJournal(
            PgJournal(database, seal, fallbacks, express_database(settings.database_url)),
            told.learn,
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


def build_gateway(settings: Settings) -> Gateway:
    """Joins the parts; raises SettingsRefused, MenuRefused."""
    kept, values = _stores(settings), {"namba_fupi": settings.short_code}
    offices = tuple(settings.back_offices)
    budget = settings.screen_budget
    folder = Folder(MENUS, budget, values, offices=offices, follows=settings.sandbox)
    menus = LiveMenus(folder, kept.versions, kept.institutions.all, time.monotonic)
    services = read_services(MENUS / KEYWORDS, offices)
    texts, routes = read_texts(MENUS / "sms.toml"), _routes(settings)
    letters = Letters(texts, routes, settings.short_code, settings.service_code)
    bulks, templates = PgBulks(kept.database, kept.seal), PgTemplates(kept.database)
    usage = PgUsage(kept.database, settings.prices)
    simulated = SimulatedCases(kept.institutions)
    receive_mo = _receive_mo(settings, kept, letters, services)
    webhooks = told.webhooks(settings, kept.database, kept.seal)
    return Gateway(
        settings=settings,
        dialects=_dialects(settings),
        answer_ussd=_answer_ussd(settings, kept, menus, letters),
        receive_mo=receive_mo,
        record_receipts=RecordReceipts(kept.receipts),
        record_opt_out=RecordOptOut(kept.opt_outs),
        reply_to_case=ReplyToCase(kept.cases, simulated, kept.doorbells, letters),
        transfer_case=TransferCase(
            PgTransfers(kept.database, kept.seal), simulated, kept.doorbells, letters
        ),
        case_histories=PgCaseHistories(
            kept.database, kept.seal, PublicIds(settings.index_key, "case")
        ),
        simulated_cases=simulated,
        publish_menu=PublishMenu(
            kept.versions,
            kept.institutions,
            MenuProof(MENUS, budget, values, offices),
            read_owners(MENUS),
        ),
        reconcile=Reconcile(
            kept.leases,
            kept.journal,
            kept.receipts,
            DeliverSimulated(kept.leases, kept.journal, kept.receipts, kept.doorbells, _utc_now),
            kept.mo_parts,
            receive_mo,
            kept.routes,
            PgExpiry(kept.database),
            partial(unpark, kept.database),
            BarredSenders(kept.database, bulks).stop,
        ),
        count_steps=CountSteps(RedisCounts(kept.redis), kept.funnel),
        ask_again=lambda: _ask_again(settings, kept, letters),
        holder=kept.keys.holder,
        sorry=lambda language: menus.current().words.unavailable[language],
        database=kept.database,
        redis=kept.redis,
        journal=kept.journal,
        leases=kept.leases,
        receipts=kept.receipts,
        unreported=kept.unreported,
        doorbells=kept.doorbells,
        institutions=kept.institutions,
        mo_parts=kept.mo_parts,
        questions=kept.questions,
        funnel=kept.funnel,
        accept_notification=AcceptNotification(
            kept.acceptances,
            Ringing(kept.doorbells),
            templates,
            kept.dialogues,
            routes,
            settings.short_code,
            _new_key,
        ),
        histories=kept.histories,
        keys=kept.keys,
        nonces=PgNonces(kept.database),
        accept_bulk=AcceptBulk(bulks, templates, settings.short_code, _new_key),
        stop_bulk=StopBulk(bulks, time.sleep),
        bulks=bulks,
        bulk_ids=told.bulk_ids(settings),
        importing=lambda: _importing(settings, kept, routes),
        templates=templates,
        publish_template=PublishTemplate(templates),
        opt_out_register=PgOptOutRegister(kept.database, kept.seal, settings.index_key),
        quotas=PgQuotas(kept.database),
        usage=usage,
        count_usage=CountUsage(usage),
        codes=kept.codes,
        code_ids=PublicIds(settings.index_key, "code"),
        request_code=request_code(settings, kept.codes, kept.institutions, menus.current, services),
        escalate_codes=EscalateCodes(kept.codes),
        webhooks=webhooks,
        put_webhook=told.putting(settings, webhooks),
        telling=partial(told.telling, settings, kept.database, kept.seal),
    )


def _importing(settings: Settings, kept: _Stores, routes: Routes) -> tuple[PgBulkRows, ImportBulk]:
    rows = PgBulkRows(kept.database, kept.seal, settings.database_url)
    return rows, ImportBulk(rows, kept.doorbells, routes, read_msisdn, kept.dialogues)


def _answer_ussd(
    settings: Settings, kept: _Stores, menus: LiveMenus, letters: Letters
) -> AnswerUssd:
    return AnswerUssd(
        sessions=kept.sessions,
        dialogues=kept.dialogues,
        cases=kept.cases,
        menus=menus,
        letters=letters,
        doorbells=kept.doorbells,
        new_reference=_new_reference,
        hints=RecentHints(),
        offers=kept.offers,
        pause=time.sleep,
        offices=_offices(settings),
        questions=kept.questions,
        steps=kept.sessions,
        opt_outs=kept.opt_outs,
    )


def _receive_mo(
    settings: Settings, kept: _Stores, letters: Letters, services: Services
) -> ReceiveMo:
    offices = _offices(settings, patience=_TEXTED_S)
    return ReceiveMo(
        mos=kept.mos,
        cases=kept.cases,
        dialogues=kept.dialogues,
        institutions=kept.institutions,
        notifications=kept.notifications,
        opt_outs=kept.opt_outs,
        doorbells=kept.doorbells,
        letters=letters,
        new_reference=_new_reference,
        services=services,
        offices=offices,
        questions=kept.questions,
        tries=kept.sessions,
        networks=kept.routes,
        heard_on=_heard_on(settings),
        handovers=KeywordDesks(offices, kept.codes.handed),
    )


def _ask_again(settings: Settings, kept: _Stores, letters: Letters) -> AskAgain:
    offices = _offices(settings, patience=_LATE_S)
    return AskAgain(
        offices,
        kept.questions,
        letters,
        kept.doorbells,
        KeywordDesks(offices, kept.codes.handed),
        kept.notifications,
    )


def _heard_on(settings: Settings) -> dict[tuple[str, str], str]:
    """Which channel reaches a network that an inbound came from: an operator's bind its own, and
    what an aggregator names the channel that lists it."""
    channels = settings.channels.values()
    own = {(one.name, ""): one.name for one in channels if one.kind == "smpp"}
    return own | {
        (via.name, network): one.name
        for one in channels
        for network in one.networks
        for via in channels
        if via.kind != "smpp"
    }


def _offices(settings: Settings, patience: float | None = None) -> EgaGuide:
    """The back offices as configured; their client is made at once, or never where there are
    none. Raises SettingsRefused."""
    client = GuardedClient(allow_private=settings.sandbox)
    try:
        return ega_guide.build(settings.back_offices, client, patience=patience)
    except ValueError as trouble:
        raise SettingsRefused(f"back_offices: {trouble}") from trouble


def _routes(settings: Settings) -> Routes:
    """The configured prefixes; what none of them takes goes by the first channel."""
    if SIMULATED in settings.channels:
        raise SettingsRefused(f"no channel can be named {SIMULATED}: choose another name")
    rules = [
        Route(prefix, channel.name)
        for channel in settings.channels.values()
        for prefix in channel.routes
    ]
    return Routes.ordered([*SIMULATED_ROUTES, *rules, Route("", next(iter(settings.channels)))])


def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=_REDIS_S,
        socket_connect_timeout=_REDIS_S,
        retry=Retry(NoBackoff(), 0),
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_key() -> str:
    return secrets.token_hex(16)


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
        _evicts_nothing(gateway.redis)
    except SettingsRefused as refusal:
        troubles.append(str(refusal))
    except RedisError:
        pass
    if troubles:
        raise SettingsRefused("\n".join(troubles))
