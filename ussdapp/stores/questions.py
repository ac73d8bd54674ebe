"""Knows the questions that institutions did not answer in time: kept, claimed, ended once."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from ussdapp.core.back_office import FIRST_PAUSE, Asker, Claimed, Ended, Mode, Question
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Notification
from ussdapp.stores.database import Connection, Database, first
from ussdapp.stores.notifications import accept
from ussdapp.stores.seal import Seal, Unsealable

DATA: Final = "questions.data"
MSISDN: Final = "questions.msisdn"
HELD: Final = timedelta(seconds=90)  # after that a claim nobody spoke of is due again
_KEEP: Final = """
    INSERT INTO questions (effect, office, kind, institution, language, data_sealed,
        msisdn_sealed, status, posts, asked_at, due_at)
    VALUES (%(effect)s, %(office)s, %(kind)s, %(institution)s, %(language)s, %(data)s,
        %(msisdn)s, 'asked', %(posts)s, %(at)s, %(due)s)
    ON CONFLICT (effect) DO NOTHING RETURNING id
"""
_CLAIM: Final = """
    UPDATE questions q SET tries = tries + 1, posts = posts + (kind IN ('summary', 'keyword'))::int,
        due_at = %(until)s
    FROM (SELECT id FROM questions
        WHERE status = 'asked' AND due_at <= %(now)s AND office <> ALL(%(busy)s)
        ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) due
    WHERE q.id = due.id
    RETURNING q.id, q.tries, q.posts, q.asked_at, q.effect, q.office, q.kind, q.institution,
        q.language, q.data_sealed, q.msisdn_sealed
"""
_POSTPONE: Final = """
    UPDATE questions SET due_at = %s, posts = %s WHERE id = %s AND tries = %s AND status = 'asked'
"""
_END: Final = """
    UPDATE questions SET status = %s, ended_at = %s, data_sealed = NULL, msisdn_sealed = NULL
    WHERE id = %s AND status = 'asked' RETURNING id
"""

log = structlog.get_logger()


class PgQuestions:
    """Keeps ports.Questions."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def keep(self, question: Question, at: datetime) -> bool:
        """Commits it; tells whether it is new."""
        values = self._values(question, at)
        return self._database.run(lambda connection: first(connection, _KEEP, values)) is not None

    def claim(self, busy: Collection[str], now: datetime) -> Claimed | None:
        """Commits one due question as being asked; one that cannot be opened is none."""
        values = {"busy": list(busy), "now": now, "until": now + HELD}
        # once: a claim whose commit was not heard of is due again by itself
        row = self._database.run_once(lambda connection: first(connection, _CLAIM, values))
        try:
            return self._claimed(row) if row else None
        except Unsealable:
            log.error("question.unreadable", office=row[5] if row else "")  # noqa: TRY400 (it has one cause)
            return None

    def postpone(self, claimed: Claimed, due: datetime, posts: int) -> None:
        """It is asked again then, unless somebody else has claimed it meanwhile."""
        values = (due, posts, claimed.id, claimed.tries)
        self._database.run(lambda connection: connection.execute(_POSTPONE, values))

    def end(self, claimed: Claimed, how: Ended, told: Notification | None, now: datetime) -> bool:
        """Commits its end and the notification together, once."""

        def work(connection: Connection) -> bool:
            if first(connection, _END, (how.value, now, claimed.id)) is None:
                return False
            return told is None or accept(connection, self._seal, told)

        return self._database.run(work)

    def _values(self, question: Question, at: datetime) -> dict[str, Any]:
        summary = question.mode is Mode.SUMMARY
        asker = question.asker
        return {
            "effect": asker.effect,
            "office": question.office,
            "kind": question.mode.value,
            "institution": question.institution,
            "language": asker.language,
            "data": self._seal.close_text(_written(question), DATA),
            "msisdn": self._seal.close_text(asker.msisdn.digits, MSISDN),
            "posts": int(summary),  # the one that was not answered
            "at": at,
            # the office may still be at work on a summary
            "due": at + FIRST_PAUSE if summary else at,
        }

    def _claimed(self, row: tuple[Any, ...]) -> Claimed:
        number, tries, posts, asked_at, effect, office, kind, institution, language = row[:9]
        kept = json.loads(self._seal.open_text(row[9], DATA))
        msisdn = Msisdn(self._seal.open_text(row[10], MSISDN))
        question = Question(
            office=office,
            mode=Mode(kind),
            asked=kept["asked"],
            asker=Asker(msisdn, kept["session_id"], language, effect),
            title=kept["title"],
            institution=institution,
            sentences=kept["sentences"],
            names=kept["names"],
        )
        return Claimed(number, question, tries, posts, asked_at)


def _written(question: Question) -> str:
    return json.dumps(
        {
            "asked": dict(question.asked),
            "session_id": question.asker.session_id,
            "title": question.title,
            "sentences": dict(question.sentences),
            "names": dict(question.names),
        }
    )
