"""Where the parts are joined: a Gateway, or a refusal to start."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from redis import Redis

from ussdapp.bootstrap.bulks import Bulks, bulks_of, importing
from ussdapp.bootstrap.cases import Cases, cases_of
from ussdapp.bootstrap.channels import dialects, routes_of, sending
from ussdapp.bootstrap.citizens import answer_ussd, ask_again, receive_mo
from ussdapp.bootstrap.codes import Codes, codes_of
from ussdapp.bootstrap.kept import kept_in
from ussdapp.bootstrap.logs import start_logging
from ussdapp.bootstrap.menus import letters_of, publish_menu, served_menus, services_of
from ussdapp.bootstrap.notifications import Notifications, notifications_of
from ussdapp.bootstrap.reconciling import reconcile
from ussdapp.bootstrap.safe import missing, refuse_unsafe
from ussdapp.bootstrap.templates import Templates, templates_of
from ussdapp.bootstrap.usage import Usage, usage_of
from ussdapp.bootstrap.webhooks import Webhooks, telling, webhooks_of
from ussdapp.core.inbound import KeyHolder
from ussdapp.ports import BoundSending
from ussdapp.settings import Settings, SettingsRefused, read_settings
from ussdapp.stores.bulk_rows import PgBulkRows
from ussdapp.stores.database import Database
from ussdapp.stores.doorbells import RqDoorbells
from ussdapp.stores.funnel import PgFunnel, RedisCounts
from ussdapp.stores.institutions import PgInstitutions
from ussdapp.stores.journal import PgJournal
from ussdapp.stores.keys import PgKeys
from ussdapp.stores.leases import PgLeases
from ussdapp.stores.menu_files import MenuRefused
from ussdapp.stores.mo_parts import PgMoParts
from ussdapp.stores.nonces import PgNonces
from ussdapp.stores.opt_out_register import PgOptOutRegister
from ussdapp.stores.questions import PgQuestions
from ussdapp.stores.tellings import PgTellings
from ussdapp.stores.unreported import PgUnreported
from ussdapp.stores.urgent_bell import UrgentBell
from ussdapp.usecases.answer_ussd import AnswerUssd
from ussdapp.usecases.ask_again import AskAgain
from ussdapp.usecases.count_steps import CountSteps
from ussdapp.usecases.import_bulk import ImportBulk
from ussdapp.usecases.publish_menu import PublishMenu
from ussdapp.usecases.receive_mo import ReceiveMo
from ussdapp.usecases.reconcile import Reconcile
from ussdapp.usecases.record_opt_out import RecordOptOut
from ussdapp.usecases.record_receipts import RecordReceipts
from ussdapp.usecases.tell_webhook import TellWebhook, Together
from ussdapp.wire.http import Callbacks


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a process needs, joined. Nothing is connected before its first use."""

    settings: Settings
    database: Database
    redis: Redis
    journal: PgJournal
    leases: PgLeases
    unreported: PgUnreported
    doorbells: RqDoorbells
    urgent_bell: UrgentBell
    institutions: PgInstitutions
    mo_parts: PgMoParts
    questions: PgQuestions
    keys: PgKeys
    holder: Callable[[str, datetime], KeyHolder | None]
    nonces: PgNonces
    dialects: Mapping[str, Callbacks]
    answer_ussd: AnswerUssd
    receive_mo: ReceiveMo
    ask_again: Callable[[], AskAgain]
    sorry: Callable[[str], str]
    record_receipts: RecordReceipts
    record_opt_out: RecordOptOut
    opt_out_register: PgOptOutRegister
    reconcile: Reconcile
    count_steps: CountSteps
    funnel: PgFunnel
    publish_menu: PublishMenu
    notifications: Notifications
    bulks: Bulks
    importing: Callable[[], tuple[PgBulkRows, ImportBulk]]
    templates: Templates
    cases: Cases
    codes: Codes
    usage: Usage
    webhooks: Webhooks
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
    kept, routes = kept_in(settings), routes_of(settings)
    menus, services = served_menus(settings, kept), services_of(settings)
    letters = letters_of(settings, routes)
    receiving = receive_mo(settings, kept, letters, services)
    templates = templates_of(kept.database)
    bulks = bulks_of(settings, kept, templates.kept)
    return Gateway(
        settings=settings,
        database=kept.database,
        redis=kept.redis,
        journal=kept.journal,
        leases=kept.leases,
        unreported=kept.unreported,
        doorbells=kept.doorbells,
        urgent_bell=UrgentBell(settings.database_url),
        institutions=kept.institutions,
        mo_parts=kept.mo_parts,
        questions=kept.questions,
        keys=kept.keys,
        holder=kept.keys.holder,
        nonces=PgNonces(kept.database),
        dialects=dialects(settings),
        answer_ussd=answer_ussd(settings, kept, menus, letters),
        receive_mo=receiving,
        ask_again=partial(ask_again, settings, kept, letters),
        sorry=lambda language: menus.current().words.unavailable[language],
        record_receipts=RecordReceipts(kept.receipts),
        record_opt_out=RecordOptOut(kept.opt_outs),
        opt_out_register=PgOptOutRegister(kept.database, kept.seal, settings.index_key),
        reconcile=reconcile(kept, receiving, bulks.kept),
        count_steps=CountSteps(RedisCounts(kept.redis), kept.funnel),
        funnel=kept.funnel,
        publish_menu=publish_menu(settings, kept),
        notifications=notifications_of(settings, kept, routes, templates.kept),
        bulks=bulks,
        importing=partial(importing, settings, kept, routes),
        templates=templates,
        cases=cases_of(settings, kept, letters),
        codes=codes_of(settings, kept, menus.current, services),
        usage=usage_of(settings, kept.database),
        webhooks=webhooks_of(settings, kept.database, kept.seal),
        telling=partial(telling, settings, kept.database, kept.seal),
    )
