"""Where the parts are joined: a Gateway, or a refusal to start."""

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from redis import Redis

from ussdapp.bootstrap import webhooks as told
from ussdapp.bootstrap.channels import dialects, routes_of, sending
from ussdapp.bootstrap.citizens import answer_ussd, ask_again, receive_mo
from ussdapp.bootstrap.codes import request_code
from ussdapp.bootstrap.kept import Kept, kept_in
from ussdapp.bootstrap.logs import start_logging
from ussdapp.bootstrap.safe import missing, refuse_unsafe
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.letters import Letters
from ussdapp.core.routing import Routes
from ussdapp.ports import BoundSending
from ussdapp.settings import Settings, SettingsRefused, read_settings
from ussdapp.stores.barred_senders import BarredSenders
from ussdapp.stores.bulk_rows import PgBulkRows
from ussdapp.stores.bulks import PgBulks
from ussdapp.stores.case_histories import PgCaseHistories
from ussdapp.stores.case_transfers import PgTransfers
from ussdapp.stores.codes import PgCodes
from ussdapp.stores.database import Database
from ussdapp.stores.doorbells import RqDoorbells
from ussdapp.stores.expiry import PgExpiry
from ussdapp.stores.funnel import PgFunnel, RedisCounts
from ussdapp.stores.histories import PgHistories
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.keys import PgKeys
from ussdapp.stores.keyword_files import KEYWORDS, read_services
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.menu_files import MenuRefused, read_owners, read_texts
from ussdapp.stores.menu_trees import MenuProof
from ussdapp.stores.menus import Folder, LiveMenus
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.stores.nonces import PgNonces
from ussdapp.stores.opt_out_register import PgOptOutRegister
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.questions import PgQuestions
from ussdapp.stores.queue import unpark
from ussdapp.stores.quotas import PgQuotas
from ussdapp.stores.receipts import PgReceipts
from ussdapp.stores.ringing import Ringing
from ussdapp.stores.simulated_cases import SimulatedCases
from ussdapp.stores.tellings import PgTellings
from ussdapp.stores.templates import PgTemplates
from ussdapp.stores.told_ids import TellingJournal
from ussdapp.stores.unreported import PgUnreported
from ussdapp.stores.urgent_bell import UrgentBell
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
from ussdapp.wire.http import Callbacks
from ussdapp.wire.numbering import read_msisdn

MENUS: Final = Path(__file__).parents[2] / "menus"


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
    urgent_bell: UrgentBell
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
        return sending(self.settings.channels[channel])

    def readiness(self) -> list[str]:
        """The names of what is missing before this process can serve; empty when it can."""
        return missing(self.database, self.redis)

    def close(self) -> None:
        """Gives connections back."""
        self.database.close()
        self.redis.close()


def open_gateway() -> Gateway:
    """The gateway of this process's environment; exits with a sentence where it must not run."""
    start_logging()
    try:
        gateway = build_gateway(read_settings(os.environ))
        refuse_unsafe(gateway.database, gateway.redis)
    except (SettingsRefused, MenuRefused) as refusal:
        sys.exit(f"ussdapp does not start: {refusal}")
    return gateway


def build_gateway(settings: Settings) -> Gateway:
    """Joins the parts; raises SettingsRefused, MenuRefused."""
    kept, values = kept_in(settings), {"namba_fupi": settings.short_code}
    offices = tuple(settings.back_offices)
    budget = settings.screen_budget
    folder = Folder(MENUS, budget, values, offices=offices, follows=settings.sandbox)
    menus = LiveMenus(folder, kept.versions, kept.institutions.all, time.monotonic)
    services = read_services(MENUS / KEYWORDS, offices)
    texts, routes = read_texts(MENUS / "sms.toml"), routes_of(settings)
    letters = Letters(texts, routes, settings.short_code, settings.service_code)
    bulks, templates = PgBulks(kept.database, kept.seal), PgTemplates(kept.database)
    usage = PgUsage(kept.database, settings.prices)
    simulated = SimulatedCases(kept.institutions)
    receiving = receive_mo(settings, kept, letters, services)
    webhooks = told.webhooks(settings, kept.database, kept.seal)
    return Gateway(
        settings=settings,
        dialects=dialects(settings),
        answer_ussd=answer_ussd(settings, kept, menus, letters),
        receive_mo=receiving,
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
            receiving,
            kept.routes,
            PgExpiry(kept.database),
            partial(unpark, kept.database),
            BarredSenders(kept.database, bulks).stop,
        ),
        count_steps=CountSteps(RedisCounts(kept.redis), kept.funnel),
        ask_again=lambda: ask_again(settings, kept, letters),
        holder=kept.keys.holder,
        sorry=lambda language: menus.current().words.unavailable[language],
        database=kept.database,
        redis=kept.redis,
        journal=kept.journal,
        leases=kept.leases,
        receipts=kept.receipts,
        unreported=kept.unreported,
        doorbells=kept.doorbells,
        urgent_bell=UrgentBell(settings.database_url),
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


def _importing(settings: Settings, kept: Kept, routes: Routes) -> tuple[PgBulkRows, ImportBulk]:
    rows = PgBulkRows(kept.database, kept.seal, settings.database_url)
    return rows, ImportBulk(rows, kept.doorbells, routes, read_msisdn, kept.dialogues)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_key() -> str:
    return secrets.token_hex(16)
