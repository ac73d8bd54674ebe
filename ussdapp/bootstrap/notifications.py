"""Where what accepts single notifications and tells what became of them is joined."""

import secrets
from dataclasses import dataclass
from functools import partial

from ussdapp.bootstrap.kept import Kept
from ussdapp.core.routing import Routes
from ussdapp.ports import Templates
from ussdapp.settings import Settings
from ussdapp.stores.histories import PgHistories
from ussdapp.stores.ringing import Ringing
from ussdapp.usecases.accept_notification import AcceptNotification


@dataclass(frozen=True, slots=True)
class Notifications:
    """How one notification is sent, and all are followed."""

    histories: PgHistories
    accept: AcceptNotification


def notifications_of(
    settings: Settings, kept: Kept, routes: Routes, templates: Templates
) -> Notifications:
    """What is done with notifications."""
    return Notifications(
        histories=kept.histories,
        accept=AcceptNotification(
            kept.acceptances,
            Ringing(kept.doorbells),
            templates,
            kept.dialogues,
            routes,
            settings.short_code,
            partial(secrets.token_hex, 16),
        ),
    )
