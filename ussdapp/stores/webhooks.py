"""Knows the webhooks of institutions: where each is, what it is told, and its secrets, sealed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, LiteralString

from ussdapp.core.inbound import KeyHolder
from ussdapp.core.webhook import (
    MOST_WEBHOOKS,
    OVERLAP,
    PING,
    DeliveryStatus,
    DeliveryView,
    WebhookView,
)
from ussdapp.ports import NoSuchWebhook, TooManyWebhooks
from ussdapp.stores import audit
from ussdapp.stores.database import Connection, Database, first, rows
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.seal import Seal

URL: Final = "webhooks.url"
SECRET: Final = "webhooks.secret"  # noqa: S105 - where one is kept
_SHOWN: Final = 20  # deliveries
_OWN: Final = """
    w.institution_id = (SELECT id FROM institutions WHERE short_name = %(institution)s)
        AND w.live = %(live)s
"""
_LIST: Final = f"""
    SELECT w.name, w.url_sealed, w.events, w.created_at, w.off_at, w.detail, w.rotated_at
    FROM webhooks w WHERE {_OWN}
"""  # noqa: S608 - a constant
_ONE: Final = _LIST + " AND w.name = %(name)s"
# locked, so that two at once do not make one too many
_COUNT: Final = """
    SELECT (SELECT count(*) FROM webhooks w WHERE w.institution_id = i.id AND w.live = %(live)s)
    FROM institutions i WHERE i.short_name = %(institution)s FOR NO KEY UPDATE
"""
_CHANGE: Final = f"""
    UPDATE webhooks w SET url_sealed = %(url)s, events = %(events)s, off_at = NULL, detail = '',
        failures = 0, held_until = '-infinity'
    WHERE {_OWN} AND w.name = %(name)s RETURNING w.id
"""  # noqa: S608
_CREATE: Final = """
    INSERT INTO webhooks (institution_id, live, name, url_sealed, secret_sealed, events, created_at)
    SELECT id, %(live)s, %(name)s, %(url)s, %(secret)s, %(events)s, %(now)s FROM institutions
    WHERE short_name = %(institution)s
"""
_ROTATE: Final = f"""
    UPDATE webhooks w SET former_sealed = secret_sealed, secret_sealed = %(secret)s,
        rotated_at = %(now)s
    WHERE {_OWN} AND w.name = %(name)s RETURNING w.id
"""  # noqa: S608
_DROP: Final = f"DELETE FROM webhooks w WHERE {_OWN} AND w.name = %(name)s RETURNING w.id"  # noqa: S608
_PING: Final = f"""
    INSERT INTO deliveries (webhook_id, type, data, at, due_at)
    SELECT w.id, %(ping)s, jsonb_build_object('webhook', w.name), %(now)s, %(now)s FROM webhooks w
    WHERE {_OWN} AND w.name = %(name)s AND w.off_at IS NULL RETURNING id
"""  # noqa: S608
_DELIVERIES: Final = f"""
    SELECT d.id, d.type, d.at, d.status, d.tries, d.tried_at, d.detail,
        CASE WHEN d.status = 'waiting' AND w.off_at IS NULL THEN
            CASE WHEN isfinite(w.held_until) THEN greatest(d.due_at, w.held_until)
                ELSE d.due_at END END
    FROM webhooks w JOIN deliveries d ON d.webhook_id = w.id
    WHERE {_OWN} AND w.name = %(name)s ORDER BY d.id DESC LIMIT %(most)s
"""  # noqa: S608


class PgWebhooks:
    """Each is its institution's, a live key's or a test key's. All raise Unavailable, and
    NoSuchWebhook where a name is given that is not the holder's."""

    def __init__(self, database: Database, seal: Seal, ids: PublicIds) -> None:
        self._database = database
        self._seal = seal
        self._ids = ids

    def put(
        self, by: KeyHolder, name: str, url: str, events: tuple[str, ...], secret: str, at: datetime
    ) -> bool:
        """Changes that webhook and switches it on again, or makes it with that secret; tells
        whether it is new. Raises TooManyWebhooks."""
        values = {
            **_named(by, name),
            "url": self._seal.close_text(url, URL),
            "secret": self._seal.close_text(secret, SECRET),
            "events": list(events),
            "now": at,
        }

        def work(connection: Connection) -> bool:
            if first(connection, _CHANGE, values):
                _audit(connection, by, "webhook.changed", name, at)
                return False
            count = first(connection, _COUNT, values)
            if count and count[0] >= MOST_WEBHOOKS:
                raise TooManyWebhooks
            connection.execute(_CREATE, values)
            _audit(connection, by, "webhook.made", name, at)
            return True

        return self._database.run_once(work)

    def rotate(self, by: KeyHolder, name: str, secret: str, at: datetime) -> None:
        """That secret signs from now on, beside the one before for OVERLAP."""
        values = {**_named(by, name), "secret": self._seal.close_text(secret, SECRET), "now": at}
        self._found(by, "webhook.secret_changed", _ROTATE, values, at)

    def drop(self, by: KeyHolder, name: str, at: datetime) -> None:
        """It is told nothing more."""
        self._found(by, "webhook.dropped", _DROP, _named(by, name), at)

    def ping(self, by: KeyHolder, name: str, at: datetime) -> str | None:
        """Queues a test event and returns its webhook-id; None while the webhook is off."""
        values = {**_named(by, name), "now": at, "ping": PING}

        def work(connection: Connection) -> str | None:
            if first(connection, _ONE, values) is None:
                raise NoSuchWebhook
            row = first(connection, _PING, values)
            return message_id(self._ids, row[0]) if row else None

        return self._database.run_once(work)

    def all(self, by: KeyHolder) -> list[WebhookView]:
        """The holder's, by name."""
        query = _LIST + " ORDER BY w.name"
        return [
            self._view(row)
            for row in self._database.run(lambda link: rows(link, query, _named(by, "")))
        ]

    def one(self, by: KeyHolder, name: str) -> tuple[WebhookView, list[DeliveryView]]:
        """A webhook and the last events it was to be told, the newest first."""
        values = {**_named(by, name), "most": _SHOWN}

        def work(connection: Connection) -> tuple[Any, list[Any]]:
            return first(connection, _ONE, values), rows(connection, _DELIVERIES, values)

        row, found = self._database.run(work)
        if row is None:
            raise NoSuchWebhook
        return self._view(row), [_delivery(self._ids, one) for one in found]

    def _found(
        self, by: KeyHolder, action: str, query: LiteralString, values: dict[str, Any], at: datetime
    ) -> None:
        def work(connection: Connection) -> None:
            if first(connection, query, values) is None:
                raise NoSuchWebhook
            _audit(connection, by, action, values["name"], at)

        self._database.run_once(work)

    def _view(self, row: tuple[Any, ...]) -> WebhookView:
        name, url, events, created_at, off_at, detail, rotated_at = row
        shown = self._seal.open_text(url, URL)
        return WebhookView(name, shown, tuple(events), created_at, off_at, detail, rotated_at)


def message_id(ids: PublicIds, number: int) -> str:
    """The webhook-id of an event for one webhook."""
    return f"msg_{ids.shown(number)}"


def good_secrets(
    open_one: Callable[[bytes], str],
    row: tuple[bytes, bytes | None, datetime | None],
    now: datetime,
) -> tuple[str, ...]:
    """The secrets that sign now, the newest first."""
    secret, former, rotated_at = row
    overlaps = former is not None and rotated_at is not None and now < rotated_at + OVERLAP
    kept = [secret, former] if overlaps and former else [secret]
    return tuple(map(open_one, kept))


def _named(by: KeyHolder, name: str) -> dict[str, Any]:
    return {"institution": by.institution, "live": by.live, "name": name}


def _audit(connection: Connection, by: KeyHolder, action: str, name: str, at: datetime) -> None:
    subject = f"{by.institution} {name}" if by.live else f"{by.institution} {name} (test)"
    audit.note(connection, at, f"key {by.key_id}", action, subject)


def _delivery(ids: PublicIds, row: tuple[Any, ...]) -> DeliveryView:
    number, kind, at, status, tries, tried_at, detail, next_try_at = row
    identity, stands = message_id(ids, number), DeliveryStatus(status)
    return DeliveryView(identity, kind, at, stands, tries, tried_at, detail, next_try_at)
