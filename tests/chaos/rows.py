"""Notifications for a chaos run, loaded in one go, and the number by which each is known."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg

from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import LIVES, RANK, Class
from ussdapp.core.parts import split
from ussdapp.stores.notifications import MSISDN, TEXT
from ussdapp.stores.queue import Flow, enqueue
from ussdapp.stores.seal import Seal

CHANNEL = "chaos"
SEAL_KEY, INDEX_KEY = bytes(range(32)), bytes(range(32, 64))
SEAL = Seal(SEAL_KEY, INDEX_KEY)
WORDS = "Ndugu mteja, bili yako ya maji ya Novemba ni TZS {number}. "
INTO: LiteralString = """
    COPY notifications (effect, class, rank, channel, msisdn_index, text_index, sender_id, encoding,
        parts, automatic, status, status_at, accepted_at, due_at, expires_at) FROM STDIN
"""
SEALED: LiteralString = "COPY contents (notification_id, msisdn_sealed, text_sealed) FROM STDIN"


@dataclass(frozen=True)
class Row:
    """One notification: its number, from which its MSISDN follows, its class, its text."""

    number: int
    klass: Class = Class.BULK
    long: bool = False
    lives: timedelta | None = None

    @property
    def msisdn(self) -> Msisdn:
        return msisdn(self.number)

    @property
    def text(self) -> str:
        return WORDS.format(number=self.number) * (6 if self.long else 1)


def msisdn(number: int) -> Msisdn:
    return Msisdn(f"25575{number:07d}")


def number_of(destination: str) -> int:
    """The number of the notification that went to that MSISDN."""
    return int(destination.removeprefix("25575"))


def bulk(count: int, first: int = 0, long_every: int = 0) -> list[Row]:
    return [
        Row(number, long=bool(long_every) and number % long_every == 0)
        for number in range(first, first + count)
    ]


def mixed(count: int, classes: Sequence[Class]) -> list[Row]:
    """Of every class in turn."""
    return [Row(number, classes[number % len(classes)]) for number in range(count)]


def load(url: str, given: Sequence[Row]) -> None:
    """Accepted and queued, all in one transaction."""
    now = datetime.now(UTC)
    with psycopg.connect(url) as link, link.cursor() as cursor:
        with cursor.copy(INTO) as copy:
            for columns in _columns(given, now):
                copy.write_row(columns)
        told = cursor.execute("SELECT effect, id FROM notifications WHERE effect LIKE 'chaos:%'")
        ids = {int(effect.partition(":")[2]): number for effect, number in told}
        with cursor.copy(SEALED) as copy:
            for row in given:
                sealed = (
                    SEAL.close_text(row.msisdn.digits, MSISDN),
                    SEAL.close_text(row.text, TEXT),
                )
                copy.write_row((ids[row.number], *sealed))
        for klass in Class:
            queued = [ids[row.number] for row in given if row.klass is klass]
            enqueue(link, Flow(CHANNEL, RANK[klass]), queued, now)
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("ANALYZE")


def _columns(given: Iterable[Row], now: datetime) -> Iterator[tuple[object, ...]]:
    for row in given:
        parts = split(row.text)
        lives = LIVES[row.klass] if row.lives is None else row.lives
        yield (
            f"chaos:{row.number}", row.klass.value, RANK[row.klass], CHANNEL,
            SEAL.index(row.msisdn), SEAL.content_index(row.text), "15200", parts.encoding.value,
            len(parts), False, "queued", now, now, now, now + lives,
        )  # fmt: skip
