"""A whole gateway on real stores, with institutions and keys, for tests of the API."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from ussdapp.bootstrap import Gateway, build_gateway
from ussdapp.core.codes import Code, CodeKind, CodeStatus
from ussdapp.core.inbound import Institution
from ussdapp.core.keys import SCOPES, KeyRequest
from ussdapp.sandbox.back_office_answers import settings_tables
from ussdapp.settings import ChannelSettings, Settings
from ussdapp.usecases.request_code import AskedCode
from ussdapp.web import create_app

ASHA = "255754000001"
JUMA = "255713000002"


def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        seal_key=bytes(range(32)),
        index_key=bytes(range(32, 64)),
        sandbox=True,
        short_code="15200",
        service_code="*152*00#",
        screen_budget=160,
        ledger="",
        channels={"sandbox": ChannelSettings("sandbox", "smpp", "smpp", (), ("255",), {})},
        back_offices=settings_tables(9, "it is never asked"),
    )


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Served:
    """The gateway, its app, and a key `<institution>-<mode>` of every scope for each of three."""

    gateway: Gateway
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = create_app(self.gateway, now)
        names = ("ega", "gepg", "nida")
        self.gateway.institutions.add([Institution(one, one, one) for one in names])
        for name in names:
            for live in (True, False):
                self.issue(KeyRequest(name, "all", tuple(SCOPES), live, per_second=100_000))

    def issue(self, request: KeyRequest, named: str | None = None) -> str:
        mode = "live" if request.live else "test"
        key = f"ussd_{mode}_{request.institution}_{request.name}"
        self.gateway.keys.issue(request, key, now())
        self.keys[named or f"{request.institution}-{mode}"] = key
        return key

    @property
    def web(self) -> FlaskClient:
        return self.app.test_client()

    def ask(self, method: str, path: str, by: str = "ega-live", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.keys[by]}", **more.pop("headers", {})}
        return self.web.open(path, method=method, headers=headers, **more)

    def query(self, query: str, *values: Any) -> list[Any]:
        return self.gateway.database.run(
            lambda link: link.execute(query, values).fetchall()  # type: ignore[arg-type]
        )

    def allot(self, institution: str, value: str, kind: CodeKind = CodeKind.SENDER_ID) -> Code:
        """What the institution asks for, met and allotted."""
        url = "http://127.0.0.1:9/keyword" if kind is CodeKind.KEYWORD else ""
        asked = AskedCode(kind, value, "Bili", url, None, "")
        code = self.gateway.codes.request(institution, asked, "test", now(), live=True)
        for condition in code.missing:
            self.gateway.codes.kept.meet(code.id, condition, "", "test", now())
        return self.gateway.codes.kept.decide(code.id, CodeStatus.ALLOTTED, "", "test", now())

    def settle(self) -> None:
        """What the reconciler does in two of its seconds."""
        for _ in range(2):
            self.gateway.reconcile(now())


def served(database_url: str, redis_url: str) -> AbstractContextManager[Served]:
    return served_by(settings(database_url, redis_url))


@contextmanager
def served_by(given: Settings) -> Iterator[Served]:
    gateway = build_gateway(given)
    try:
        yield Served(gateway)
    finally:
        gateway.leases.release()
        gateway.close()


@contextmanager
def listening(world: Served) -> Iterator[str]:
    """The app on a socket of its own, many requests at once."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
