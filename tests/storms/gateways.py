"""The gateway's dialogue side as web processes join it, on real PostgreSQL and Valkey."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog

from tests.fakes import served
from tests.fakes.dialogue import INSTITUTIONS
from tests.fakes.patience import until
from tests.storms.recorded import Counted
from tests.transcripts.offices import Institutions
from ussdapp.bootstrap import Gateway, build_gateway
from ussdapp.settings import Settings
from ussdapp.stores.database import rows
from ussdapp.usecases.answer_ussd import AnswerUssd


def settings(
    database_url: str, redis_url: str, back_offices: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Those of a sandbox whose channel is called back by Africa's Talking."""
    given = served.settings(database_url, redis_url)
    channel = replace(given.channels["sandbox"], callbacks="africastalking")
    offices = back_offices or given.back_offices
    return replace(given, channels={"sandbox": channel}, back_offices=offices)


@dataclass(frozen=True)
class Gateways:
    """Web processes over the same stores; each has its own hints, clients and pool."""

    parts: tuple[Gateway, ...]
    answers: tuple[AnswerUssd, ...]
    offices: Counted

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What PostgreSQL has."""
        return self.parts[0].database.run(lambda link: rows(link, query))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])


@contextmanager
def gateways(database_url: str, redis_url: str, processes: int = 2) -> Iterator[Gateways]:
    """Two processes, with the sandbox's offices inside."""
    offices = Counted(Institutions())
    with joined([settings(database_url, redis_url)] * processes) as parts:
        parts[0].institutions.add(list(INSTITUTIONS))
        for one in parts:
            until_served(one)
        answers = tuple(replace(one.answer_ussd, offices=offices) for one in parts)
        yield Gateways(parts, answers, offices)


def until_served(gateway: Gateway) -> None:
    """Waits until its menu has the institutions: on a loaded machine its first dialogues begin
    without them."""
    until(lambda: gateway.answer_ussd.menus.current().lists["institutions"])


@contextmanager
def joined(given: Sequence[Settings]) -> Iterator[tuple[Gateway, ...]]:
    """A gateway for each settings, closed in the end."""
    with ExitStack() as stack, quiet():
        parts = tuple(map(build_gateway, given))
        for one in parts:
            stack.callback(one.close)
        yield parts


@contextmanager
def quiet() -> Iterator[None]:
    """Only errors are logged: a storm's other events are thousands."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)
