"""The chaos suite: a short form with the ordinary suite, all of it with CHAOS=1 (`make chaos`).

CHAOS_SEED chooses the moments at which things are killed; the summary names what each run came to.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.chaos.checker import Verdict
from tests.chaos.clusters import prepare
from tests.chaos.rig import Plan, Rig, rig

SEED = int(os.environ.get("CHAOS_SEED", "152"))
LONG = os.environ.get("CHAOS") == "1"
FIGURES = "chaos"  # the property of a test's report that holds what its run came to

Open = Callable[[Plan], Rig]
Prove = Callable[..., Verdict]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.real)
        if not LONG and item.path.name != "test_short.py":
            item.add_marker(pytest.mark.skip(reason="at full length by `make chaos`"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [
        f"{report.head_line}: {words}"
        for report in reports
        if report.when == "call"
        for name, words in report.user_properties
        if name == FIGURES
    ]
    if lines:
        terminalreporter.section(f"chaos, CHAOS_SEED={SEED}")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def chaos_folder() -> Iterator[Path]:
    """A private folder on a real disk, of a name short enough for unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(chaos_folder: Path) -> Path:
    """A PostgreSQL cluster at rest, with the schema."""
    folder = chaos_folder / "cluster"
    folder.mkdir()
    prepare(folder)
    return folder


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """The same numbers for the same seed and test."""
    return Random(f"{SEED} {request.node.name}")


@pytest.fixture
def start(chaos_folder: Path, cluster: Path, random: Random) -> Iterator[Open]:
    """Starts the stores and the SMSC of a plan; loading rows and `deliver` are the test's."""
    with ExitStack() as stack:

        def started(plan: Plan) -> Rig:
            folder = Path(tempfile.mkdtemp(prefix="r", dir=chaos_folder))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            return stack.enter_context(rig(folder, cluster, plan, random))

        yield started


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """Checks a rig that has come to rest: `faults` of them may each have left a window in doubt."""

    def proven(made: Rig, faults: int, each: int | None = None, note: str = "") -> Verdict:
        verdict = made.check(faults, each)
        bound = faults * (made.plan.window if each is None else each)
        words = f"{verdict}; bound {bound}{note and '; ' + note}"
        request.node.user_properties.append((FIGURES, words))
        assert not verdict.troubles, "\n".join([*verdict.troubles, str(verdict)])
        return verdict

    return proven
