"""Keys know their networks and their end; a history is told in the order in which it happened."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from ussdapp.core.history import Sent, Try, events
from ussdapp.core.keys import IssuedKey
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.parts import Encoding
from ussdapp.core.routing import Route, Routes
from ussdapp.core.simulated import ROUTES, SIMULATED, becomes, channel_of
from ussdapp.core.status import Status

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ANYWHERE = IssuedKey(1, "ega", live=True, scopes=frozenset())
NEAR = IssuedKey(1, "ega", True, frozenset(), networks=(ip_network("10.1.0.0/16"),))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("key", "address", "admitted"),
    [(ANYWHERE, "", True), (NEAR, "10.1.2.3", True), (NEAR, "::ffff:10.1.2.3", True),
     (NEAR, "10.2.2.3", False), (NEAR, "", False), (NEAR, "fe80::1", False)],
)  # fmt: skip
def test_a_key_is_used_from_its_networks(key: IssuedKey, address: str, admitted: bool) -> None:
    assert key.comes_from(address) is admitted


def test_a_key_is_good_until_it_expires() -> None:
    assert ANYWHERE.good_at(NOON)
    ends = IssuedKey(1, "ega", True, frozenset(), expires_at=after(1))
    assert (ends.good_at(NOON), ends.good_at(after(1))) == (True, False)


def test_simulated_msisdns_win_over_every_route() -> None:
    routes = Routes.ordered([*ROUTES, Route("255700000000", "mine"), Route("", "any")])
    nobody, asha = Msisdn("255700000000"), Msisdn("255754000001")
    assert channel_of(routes, nobody, live=True) == SIMULATED
    assert channel_of(routes, asha, live=True) == "any"
    assert channel_of(routes, asha, live=False) == SIMULATED
    assert becomes(asha) is Status.DELIVERED
    assert becomes(Msisdn("255700000003")) is Status.IN_DOUBT


def sent(status: Status, status_at: datetime, detail: str = "") -> Sent:
    return Sent("id", status, Msisdn("255754000001"), Class.RECEIPT, "15200", Encoding.GSM7, 1,
                None, NOON, status_at, detail, 1, 0)  # fmt: skip


def told(one: Sent, *tries: Try) -> list[tuple[float, str, str]]:
    return [
        ((event.at - NOON).total_seconds(), event.status.value, event.detail)
        for event in events(one, tries)
    ]


def test_what_waits_has_only_been_accepted() -> None:
    assert told(sent(Status.QUEUED, NOON)) == [(0, "queued", "")]


def test_each_attempt_and_its_answer_are_told_and_where_it_ends() -> None:
    tries = (
        Try(after(1), after(2), "deferred", "throttled"),
        Try(after(5), after(6), "submitted"),
    )
    assert told(sent(Status.DELIVERED, after(9), "receipt"), *tries) == [
        (0, "queued", ""), (1, "submitting", ""), (2, "queued", "throttled"),
        (5, "submitting", ""), (6, "submitted", ""), (9, "delivered", "receipt"),
    ]  # fmt: skip


def test_a_status_that_its_last_attempt_gave_is_told_once() -> None:
    one = Try(after(1), after(2), "rejected", "0x0B")
    assert told(sent(Status.REJECTED, after(2), "0x0B"), one)[-1] == (2, "rejected", "0x0B")
    assert len(told(sent(Status.REJECTED, after(2), "0x0B"), one)) == 3
