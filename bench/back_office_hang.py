"""What one institution's hanging back office costs the others: `python -m bench.back_office_hang`.

The same load twice, on the gateway as `make run` starts it: dialogues of other branches, some of
them asking another back office, and bills asked of GePG; first with a GePG that answers, then with
one that takes 30 s.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from statistics import median
from typing import Final

import requests

from bench.dialogue import TEXTS, bodies, dialogues, texts_of
from bench.load import Driven, Target, drive
from bench.places import gateway, table, ussd_of
from tests.e2e.system import System

HANG_S: Final = 30
CALM_S: Final = 15
ROUNDS: Final = 2  # of calm and hanging
OTHERS: Final = 200  # callbacks a second of other branches
BILLS: Final = 40  # callbacks a second of dialogues that end with a bill
METER: Final = texts_of("2", "2", "24730001234")
BILL: Final = texts_of("1", "1", "994550451254")


def others(seconds: float) -> list[str]:
    """e-Mrejesho to its confirm screen, and meters that another back office knows."""
    each = OTHERS * seconds / 2
    cases = list(bodies(dialogues(int(each) // len(TEXTS)), group=64))
    meters = list(bodies(dialogues(int(each) // len(METER)), METER, group=64))
    return list(chain.from_iterable(zip(cases, meters, strict=False)))


def bills(seconds: float) -> list[str]:
    """Dialogues that end with a bill."""
    return list(bodies(dialogues(int(BILLS * seconds) // len(BILL)), BILL, group=32))


def turn(system: System, delay: float) -> None:
    """GePG takes that many seconds from now on."""
    knobs = json.dumps({"office": "gepg.bill", "delay": delay}).encode()
    url = f"{system.demo['back_office']['url']}/knobs"
    requests.post(url, knobs, timeout=5).raise_for_status()


def loaded(target: Target, seconds: float) -> tuple[Driven, Driven]:
    """What the others saw, and what those saw who asked for a bill."""
    with ThreadPoolExecutor(2) as pool:
        theirs = pool.submit(drive, target, bills(seconds), BILLS, 48)
        return drive(target, others(seconds), OTHERS), theirs.result()


def main() -> None:
    """Measures and prints; a figure that is missed is no failure."""
    calm: list[Driven] = []
    hanging: list[Driven] = []
    asked: list[Driven] = []
    with gateway() as system:
        target = ussd_of(system)
        loaded(target, 3)  # warm
        for _ in range(ROUNDS):
            turn(system, 0)
            time.sleep(11)  # a breaker that opened has tried again
            calm.append(loaded(target, CALM_S)[0])
            turn(system, HANG_S)
            during, theirs = loaded(target, HANG_S)
            hanging.append(during)
            asked.append(theirs)
        late = system.query("SELECT count(*) FROM questions")[0][0]
    table("One back office hangs for 30 s", said(calm, hanging, asked, int(late)))


def said(
    calm: list[Driven], hanging: list[Driven], asked: list[Driven], late: int
) -> list[tuple[str, str, str]]:
    """The table."""
    before, during = (median(one.quantile(0.99) for one in seen) for seen in (calm, hanging))
    usual = [median(one.quantile(0.5) for one in seen) for seen in (calm, hanging)]
    wrong = sum(one.wrong for one in (*calm, *hanging, *asked))
    longest = max(one.quantile(1.0) for one in asked) / 1000
    return [
        ("other branches before, p50", f"{usual[0]:.1f} ms", ""),
        ("other branches before, p99", f"{before:.1f} ms", f"at {OTHERS}/s"),
        ("other branches during, p50", f"{usual[1]:.1f} ms", ""),
        ("other branches during, p99", f"{during:.1f} ms", ""),
        ("during / before", f"{during / before:.2f}", "to be <= 1.2"),
        ("longest anyone waited for the bill's screen", f"{longest:.1f} s", "its deadline is 5 s"),
        ("answers that come by SMS", f"{late}", ""),
        ("answers that were no screen", f"{wrong}", ""),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
