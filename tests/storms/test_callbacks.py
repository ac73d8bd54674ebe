"""Callbacks of recorded dialogues, each sent 1-4 times and some long after their time: one effect
each, and one reply to each text. STORM_CALLBACKS says how many (`make storm`: 100,000)."""

import os
import re
from random import Random

import pytest

from tests.fakes.dialogue import NOON
from tests.storms.gateways import Gateways, gateways
from tests.storms.recorded import Recorded, citizen, drawn, ill_formed, masked, waves
from tests.storms.storm import Storm
from ussdapp.core.inbound import Keyed

CALLBACKS = int(os.environ.get("STORM_CALLBACKS", "1000"))
SEED = int(os.environ.get("STORM_SEED", "152"))
REFERENCE = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}")


def stormed(parts: Gateways) -> tuple[list[Recorded], Storm]:
    """As many dialogues as make that many callbacks, answered."""
    random = Random(SEED)
    chosen: list[Recorded] = []
    schedule: list[list[list[int]]] = []
    count = 0
    while count < CALLBACKS:
        chosen.append(drawn(random))
        schedule.append(waves(chosen[-1], random, late=0.4))
        count += sum(map(len, schedule[-1]))
    texts = [one.texts for one in chosen]
    turns = iter(range(10**9))

    def answer(number: int, step: int) -> object:
        process = parts.answers[next(turns) % len(parts.answers)]
        keyed = Keyed(
            "sandbox", f"ATUid_{number}", citizen(number), "*152*00#", texts[number][step]
        )
        return process(keyed, NOON)

    storm = Storm(schedule, answer)  # type: ignore[arg-type]
    storm.run()
    assert storm.answered == count
    return chosen, storm


@pytest.fixture
def parts(database_url: str, redis_url: str):  # type: ignore[no-untyped-def]
    with gateways(database_url, redis_url) as joined:
        yield joined


def test_a_storm_of_repeated_callbacks_has_each_effect_once_and_one_reply_to_each_text(
    parts: Gateways,
) -> None:
    chosen, storm = stormed(parts)
    apart = {key: shown for key, shown in storm.replies.items() if len(shown) > 1}
    assert not apart
    replies = {key: shown.pop() for key, shown in storm.replies.items()}
    wrong = [
        (chosen[number].name, step, shown.text, chosen[number].screens[step].text)
        for (number, step), shown in replies.items()
        if masked(shown) != masked(chosen[number].screens[step])
    ]
    assert not wrong
    assert not [ill for shown in replies.values() if (ill := ill_formed(shown))]

    assert parts.count("cases") > 0 < len(parts.offices.requests)
    assert parts.count("cases") == sum(one.cases for one in chosen)
    assert parts.count("notifications") == sum(one.letters for one in chosen)
    assert len(parts.offices.requests) == sum(one.requests for one in chosen)
    shown_to = {
        REFERENCE.findall(replies[number, len(one.screens) - 1].text)[0]
        for number, one in enumerate(chosen)
        if one.cases
    }
    kept = {row[0] for row in parts.rows("SELECT reference FROM cases")}
    assert {reference.replace("-", "") for reference in shown_to} == kept
