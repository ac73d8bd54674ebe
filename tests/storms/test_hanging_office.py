"""One institution's back office hangs: its own callers are told so, and get the answer by SMS,
once; everybody else is answered as before."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE, until
from tests.storms.gateways import joined, settings, until_served
from tests.storms.recorded import citizen
from ussdapp.bootstrap import Gateway
from ussdapp.core.inbound import Keyed
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.session import Shown
from ussdapp.sandbox.back_office import BackOffices
from ussdapp.sandbox.back_office_answers import settings_tables
from ussdapp.sandbox.back_office_knobs import Knobs
from ussdapp.sandbox.demo import institutions
from ussdapp.stores.database import rows
from ussdapp.stores.seal import Seal
from workers.asking import Asking

SECRET = "for the back office of a test"
HUNG = "gepg.bill"
BILL = ("1", "1", "994550451254")
METER = ("2", "2", "24730001234")
CASE = ("9", "2", "1", "1", "EGA", "Barua pepe ya ofisi haifunguki", "1")


@dataclass
class Place:
    """A gateway and the back offices it asks over HTTP."""

    gateway: Gateway
    offices: BackOffices

    def keyed(self, number: int, *keys: str) -> list[Shown]:
        """The screens of one citizen's dialogue."""
        texts = ["*".join(keys[:count]) for count in range(len(keys) + 1)]
        return [self._answer(number, text) for text in texts]

    def told(self, msisdn: Msisdn) -> int:
        """How many SMS wait for, or went to, that citizen."""
        given = self.gateway.settings
        index = Seal(given.seal_key, given.index_key).index(msisdn)
        query = "SELECT id FROM notifications WHERE msisdn_index = %s"
        return len(self.gateway.database.run(lambda link: rows(link, query, (index,))))

    def asked_again(self) -> None:
        """All that is owed is asked until nothing is owed."""
        asking = Asking(self.gateway.questions, self.gateway.ask_again())
        deadline = time.monotonic() + PATIENCE
        while asking.begin_one() or asking.under_way():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def _answer(self, number: int, text: str) -> Shown:
        keyed = Keyed("sandbox", f"ATUid_{number}", citizen(number), "*152*00#", text)
        return self.gateway.answer_ussd(keyed, datetime.now(UTC))


@pytest.fixture
def place(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Place]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    offices = BackOffices(port, tmp_path / "journal", SECRET, {})
    threading.Thread(target=offices.serve_forever, args=(0.05,), daemon=True).start()
    tables = {name: dict(table) for name, table in settings_tables(port, SECRET).items()}
    tables[HUNG] |= {"deadline": 0.3}
    with joined([settings(database_url, redis_url, tables)]) as (gateway,):
        gateway.institutions.add(institutions())
        until_served(gateway)
        yield Place(gateway, offices)
    offices.shutdown()
    offices.server_close()


def all_told(place: Place, numbers: list[int]) -> bool:
    place.asked_again()  # of some it may have asked for patience
    return all(place.told(citizen(number)) for number in numbers)


def test_a_hanging_office_costs_its_own_branch_only_and_answers_by_sms_once(place: Place) -> None:
    calm = {keys: place.keyed(number, *keys) for number, keys in enumerate((METER, CASE))}
    assert "24730001234" in calm[METER][-1].text
    place.offices.knobs = {HUNG: Knobs(delay=30)}

    # an office that answers takes four at once, so that three never meet its bulkhead
    with ThreadPoolExecutor(12) as pool, ThreadPoolExecutor(3) as few:
        hanging = [pool.submit(place.keyed, 100 + number, *BILL) for number in range(12)]
        others = [
            (keys, few.submit(place.keyed, 200 + number, *keys))
            for number, keys in enumerate((METER, CASE) * 15)
        ]
        for keys, screens in others:
            assert screens.result() == calm[keys]
        ends = {100 + number: screens.result()[-1] for number, screens in enumerate(hanging)}

    late = [number for number, shown in ends.items() if "litakuja kwa SMS" in shown.text]
    away = [number for number, shown in ends.items() if "GePG haipatikani kwa sasa" in shown.text]
    assert len(late) >= 4  # as many as may ask at once
    assert len(late) + len(away) == len(ends)
    assert all(shown.ends for shown in ends.values())

    place.offices.knobs = {}
    until(lambda: all_told(place, late))
    place.asked_again()
    sms = Counter({number: place.told(citizen(number)) for number in ends})
    assert sms == Counter({**dict.fromkeys(late, 1), **dict.fromkeys(away, 0)})
