"""Valkey dies and forgets all, five times, under live dialogues: they go on, and nothing is done
twice. STORM_SESSIONS says how many (`make storm`: 500)."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.fakes.dialogue import NOON
from tests.storms.gateways import Gateways, gateways
from tests.storms.mortal import Mortal, mortal_valkey
from tests.storms.recorded import Recorded, citizen, drawn, ill_formed, masked, waves
from tests.storms.storm import Storm
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown

SESSIONS = int(os.environ.get("STORM_SESSIONS", "24"))
SEED = int(os.environ.get("STORM_SEED", "152"))
DEATHS = 5
PATIENCE = 60.0


@pytest.fixture
def valkey(stores_folder: Path) -> Iterator[Mortal]:
    with mortal_valkey(stores_folder / "mortal") as one:
        yield one


@pytest.fixture
def parts(database_url: str, valkey: Mortal) -> Iterator[Gateways]:
    with gateways(database_url, valkey.url) as joined:
        yield joined


def chosen_dialogues() -> list[Recorded]:
    """Long enough to be alive when Valkey dies."""
    random = Random(SEED)
    return [drawn(random, least=4) for _ in range(SESSIONS)]


def await_answers(storm: Storm, count: int, running: Future[None]) -> None:
    deadline = time.monotonic() + PATIENCE
    while storm.answered < count and not running.done():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def stormed(parts: Gateways, valkey: Mortal, late: float) -> tuple[list[Recorded], Storm]:
    """All dialogues side by side; Valkey dies after each sixth of their callbacks."""
    chosen = chosen_dialogues()
    texts = [one.texts for one in chosen]
    turns = iter(range(10**9))
    permits = threading.Semaphore(0)

    def answer(number: int, step: int) -> Shown:
        assert permits.acquire(timeout=PATIENCE)
        process = parts.answers[next(turns) % len(parts.answers)]
        keyed = Keyed(
            "sandbox", f"ATUid_{number}", citizen(number), "*152*00#", texts[number][step]
        )
        return process(keyed, NOON)

    random = Random(SEED)
    storm = Storm([waves(one, random, late) for one in chosen], answer, live=SESSIONS)
    total = sum(len(wave) for schedule in storm.waves for wave in schedule)
    sixth = total // (DEATHS + 1)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(storm.run)
        for death in range(1, DEATHS + 1):
            permits.release(sixth)
            await_answers(storm, sixth * death - sixth // 4, running)
            valkey.kill_and_wipe()  # under way
            await_answers(storm, sixth * death, running)
            valkey.start()
        permits.release(total)
        running.result()
    assert storm.answered == total
    return chosen, storm


def astray(chosen: list[Recorded], storm: Storm) -> set[int]:
    """The dialogues that were shown something else than without any death."""
    return {
        number
        for (number, step), replies in storm.replies.items()
        for shown in replies
        if masked(shown) != masked(chosen[number].screens[step])
    }


def assert_nothing_is_doubled(parts: Gateways, chosen: list[Recorded], storm: Storm) -> None:
    assert not [
        ill for replies in storm.replies.values() for shown in replies if (ill := ill_formed(shown))
    ]
    assert parts.count("cases") <= sum(one.cases for one in chosen)
    assert parts.count("notifications") <= sum(one.letters for one in chosen)
    assert len(parts.offices.requests) <= sum(one.requests for one in chosen)


def test_dialogues_go_on_through_five_deaths_of_valkey_and_nothing_is_done_twice(
    parts: Gateways, valkey: Mortal
) -> None:
    chosen, storm = stormed(parts, valkey, late=0.0)
    strayed = astray(chosen, storm)
    assert len(strayed) <= len(chosen) // 100, [chosen[number].name for number in strayed]
    assert_nothing_is_doubled(parts, chosen, storm)
    sure = [one for number, one in enumerate(chosen) if number not in strayed]
    assert parts.count("cases") >= sum(one.cases for one in sure)
    assert len(parts.offices.requests) >= sum(one.requests for one in sure)


def test_late_copies_after_a_death_of_valkey_do_nothing_twice(
    parts: Gateways, valkey: Mortal
) -> None:
    chosen, storm = stormed(parts, valkey, late=0.4)
    # a late copy may be the first that a wiped Valkey hears of a dialogue, and set it back
    assert_nothing_is_doubled(parts, chosen, storm)
