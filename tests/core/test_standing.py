"""Why is it stuck: one sentence for every state and every reason there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ussdapp.core.notification import Class
from ussdapp.core.standing import Carried, Standing, sentence
from ussdapp.core.status import FINAL, Status

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)  # 22:00 EAT


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


FRESH = Standing(
    status=Status.QUEUED,
    since=at(-10),
    detail="",
    klass=Class.TRANSACTION,
    carried=Carried("vodacom", at(-1)),
    copies=0,
    attempts=0,
    parts=1,
    parts_delivered=0,
    accepted_at=at(-10),
    due_at=at(-10),
    expires_at=at(3600),
    resent=False,
    ahead=0,
)


def told(now: datetime = NOON, **changes: object) -> str:
    return sentence(replace(FRESH, **changes), now)  # type: ignore[arg-type]


QUEUED = {
    "next": (told(), "its turn is next"),
    "others first": (told(ahead=1234), "after about 1234 others of its lane"),
    "over the cap": (
        told(detail="over_cap", due_at=at(600)),
        "had 5 like it, or 18 texts, within an hour): it is looked at again at 09:10:00",
    ),
    "send_at": (told(due_at=at(60)), "it is due at 09:01:00; it expires at 10:00:00"),
    "throttled": (
        told(detail="ESME_RTHROTTLED", due_at=at(2), attempts=1),
        "(the operator said ESME_RTHROTTLED): it is tried again at 09:00:02",
    ),
    "no bind": (
        told(carried=Carried("vodacom", at(-45))),
        "channel vodacom is down since 08:59:15, and it is submitted when that is over",
    ),
    "never a bind": (told(carried=Carried("vodacom", None)), "channel vodacom was never bound"),
    "rerouted": (told(detail="rerouted"), "its first channel was down or unwell"),
    "bulk at night": (
        told(NIGHT, klass=Class.BULK, carried=Carried("vodacom", NIGHT), expires_at=at(86400)),
        "bulk waits until 08:00 EAT, and then its turn comes; it expires at 2026-11-21 09:00:00",
    ),
    "urgent at night": (
        told(NIGHT, klass=Class.URGENT, carried=Carried("vodacom", NIGHT), expires_at=at(86400)),
        "its turn is next",
    ),
    "too old": (told(expires_at=at(-1)), "its time is over, and it expires, unsubmitted"),
    "its one further copy": (
        told(detail="resent_once", resent=True),
        "its one further copy is due, for the first is in doubt",
    ),
    "unapproved": (
        told(ahead=None, held_by="awaiting_approval"),
        "it waits until another person approves its bulk",
    ),
    "unchecked": (
        told(ahead=None, held_by="checking"),
        "it waits until all rows of its bulk are checked",
    ),
    "between two queues": (told(ahead=None), "it is being queued again"),
}
LATER = {
    "submitting": (
        told(status=Status.SUBMITTING, journaled_at=at(-2), since=at(-10)),
        "submitting since 08:59:58 UTC on channel vodacom: its answer is awaited",
    ),
    "submitted": (
        told(status=Status.SUBMITTED, since=at(-5)),
        "submitted since 08:59:55 UTC on channel vodacom: the operator took it, and its receipt",
    ),
    "in part": (
        told(status=Status.SUBMITTED, parts=3, parts_delivered=2),
        "2 of 3 parts arrived, and the receipts of the rest are awaited",
    ),
    "urgent in doubt": (
        told(status=Status.IN_DOUBT, klass=Class.URGENT, since=NOON, detail="no_answer", copies=1),
        "(it left, and no answer came): a receipt or a late answer settles it, or its one further "
        "copy is submitted after 09:02:00",
    ),
    "receipt in doubt": (
        told(status=Status.IN_DOUBT, klass=Class.RECEIPT, since=NOON, copies=1),
        "is submitted after 09:05:00",
    ),
    "transaction in doubt": (
        told(status=Status.IN_DOUBT, detail="worker_lost", copies=1),
        "it is not submitted again by itself, the gateway's operator decides that "
        "(ussdapp notifications settle ID --resend or --leave)",
    ),
    "bulk in doubt": (
        told(status=Status.IN_DOUBT, klass=Class.BULK, copies=1),
        "it is not submitted again by itself, bulk never is",
    ),
    "twice in doubt": (
        told(status=Status.IN_DOUBT, klass=Class.URGENT, resent=True, copies=2),
        "a receipt or a late answer settles it; no further copy is submitted",
    ),
    "due for its copy": (
        told(status=Status.IN_DOUBT, klass=Class.URGENT, since=at(-500), copies=1),
        "its one further copy is due now",
    ),
    "delivered": (
        told(status=Status.DELIVERED, detail="receipt"),
        "(a receipt said so): this is final",
    ),
    "refused": (
        told(status=Status.REJECTED, detail="ESME_RINVDSTADR"),
        "(the operator said ESME_RINVDSTADR): this is final",
    ),
    "opted out": (
        told(status=Status.REJECTED, detail="opted_out"),
        "(its MSISDN has opted out): this is final",
    ),
    "expired here": (
        told(status=Status.EXPIRED, detail="expired"),
        "(never submitted in its time): this is final",
    ),
    "expired there": (
        told(status=Status.EXPIRED, detail="receipt"),
        "(the operator gave it up): this is final",
    ),
    "stopped": (told(status=Status.STOPPED), "its bulk was stopped, and this is final"),
    "simulated": (
        told(status=Status.DELIVERED, detail="simulated"),
        "it was simulated and texted to no one",
    ),
    "simulated in doubt": (
        told(status=Status.IN_DOUBT, detail="simulated", copies=1),
        "(it was simulated and texted to no one): no receipt will come; it is not submitted again "
        "by itself, the gateway's operator decides that",
    ),
    "simulated, urgent, in doubt": (
        told(status=Status.IN_DOUBT, klass=Class.URGENT, since=NOON, detail="simulated", copies=1),
        "no receipt will come; its one further copy is submitted after 09:02:00",
    ),
}


@pytest.mark.parametrize(("said", "part"), (QUEUED | LATER).values(), ids=(QUEUED | LATER))
def test_it_is_told_what_it_waits_for(said: str, part: str) -> None:
    assert part in said


@pytest.mark.parametrize(
    "said", [said for said, _ in (QUEUED | LATER).values()], ids=QUEUED | LATER
)
def test_a_sentence_begins_with_the_state_and_since_when(said: str) -> None:
    status, since, *_ = said.split()
    assert status in {one.value for one in Status}
    assert since == "since"


@pytest.mark.parametrize("status", Status, ids=lambda status: status.value)
def test_every_state_says_what_happens_next(status: Status) -> None:
    said = told(status=status, journaled_at=NOON if status is Status.SUBMITTING else None)
    assert ("this is final" in said) == (status in FINAL)
    assert said.count(":") >= 3
