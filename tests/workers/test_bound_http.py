"""A bound worker on a channel without a bind, over a simulated Beem and a real database."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.aggregator import API_KEY, SECRET_KEY, Simulated, simulated_beem
from tests.fakes.patience import until
from tests.stores.world import SEAL, World
from tests.workers.parts import parts
from ussdapp.channels.beem import sending
from ussdapp.stores.balance import balance
from ussdapp.stores.unreported import PgUnreported
from ussdapp.wire.http_sending import WINDOW
from workers.bound import Bound


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulated]:
    with simulated_beem(tmp_path / "ledger.jsonl") as simulated:
        yield simulated


@pytest.fixture
def bound(world: World, simulated: Simulated) -> Iterator[Bound]:
    bound = started(world, simulated)
    yield bound
    bound.stop()


def started(world: World, simulated: Simulated) -> Bound:
    """A worker that has its lease."""
    options = {
        "api_key": API_KEY,
        "secret_key": SECRET_KEY,
        "base_url": simulated.base_url,
        "reports_url": simulated.base_url,
        "answers_within": 1.0,
    }
    unreported = PgUnreported(world.database, SEAL)
    gateway = parts(world, lambda name: sending.build(name, options), unreported=unreported)
    bound = Bound(gateway, "sandbox")
    bound.start()
    until(lambda: bound._lease is not None)
    return bound


def accept(world: World, count: int) -> None:
    """Bulk notifications of one text, which live for years: the worker's clock is the real one."""
    world.accept_bulk("ega", 1, ["Habari"] * count, lives=24 * 3650)


def test_a_bulk_leaves_in_requests_of_at_most_fifty(
    world: World, simulated: Simulated, bound: Bound
) -> None:
    accept(world, 130)
    bound.rung()
    until(lambda: Counter(world.statuses()) == {"submitted": 130})
    requests = Counter(line["message_id"].split(".")[0] for line in simulated.lines())
    assert sum(requests.values()) == 130
    assert max(requests.values()) <= WINDOW
    assert balance(world.database).holds


def test_silence_puts_one_request_in_doubt_and_leaves_the_rest_queued(
    world: World, simulated: Simulated, bound: Bound
) -> None:
    simulated.turn(silent=True)
    accept(world, 130)
    bound.rung()
    until(lambda: "in_doubt" in world.statuses())
    stand = Counter(world.statuses())
    assert stand["in_doubt"] <= WINDOW
    assert stand["in_doubt"] + stand["queued"] == 130
    simulated.turn()
    rest = {"in_doubt": stand["in_doubt"], "submitted": 130 - stand["in_doubt"]}
    until(lambda: Counter(world.statuses()) == rest)
    taken = Counter(line["destination"] for line in simulated.lines())
    assert sum(taken.values()) == 130
    assert balance(world.database).holds


def test_what_a_worker_that_ended_had_submitted_is_asked_for_by_the_next(
    world: World, simulated: Simulated
) -> None:
    accept(world, 3)
    first = started(world, simulated)
    first.rung()
    until(lambda: world.statuses() == ["submitted"] * 3)
    first.stop()
    world.database.run(
        lambda link: (
            link.execute("UPDATE submits SET submitted_at = now() - interval '6 minutes'") and None
        )
    )
    second = started(world, simulated)

    def settled() -> bool:
        world.receipts.apply(datetime.now(UTC))
        return world.statuses() == ["delivered"] * 3

    until(settled)
    second.stop()
