"""From a deadline that passed to the SMS, over real PostgreSQL, sockets and threads."""

import threading
from dataclasses import replace

import pytest

from tests.fakes.back_offices import NOON, Rung, real_letters
from tests.fakes.patience import PATIENCE, until
from tests.institutions.office import CLIENT, asker
from tests.stores.world import SEAL
from ussdapp.core.back_office import Mode, Question
from ussdapp.institutions.ega_guide import build
from ussdapp.ports import OfficeLate
from ussdapp.stores.database import Database, rows
from ussdapp.stores.notifications import TEXT
from ussdapp.stores.questions import PgQuestions
from ussdapp.usecases.ask_again import AskAgain
from workers.asking import Asking

BILL = Question("gepg.bill", Mode.LOOKUP, {"data": "994550451254"}, asker("late-1"), "GePG")
GMS = Question("gms.request", Mode.SUMMARY, {"taasisi": "tra"}, asker("late-2"), "GMS")


def asking(database: Database, guide, at=NOON) -> tuple[PgQuestions, Asking]:
    questions = PgQuestions(database, SEAL)
    again = AskAgain(guide, questions, real_letters(), Rung())
    return questions, Asking(questions, again, lambda: at)


def texts(database: Database) -> list[str]:
    found = database.run(lambda link: rows(link, "SELECT text_sealed FROM contents"))
    return [SEAL.open_text(row[0], TEXT) for row in found]


def test_what_was_late_in_the_dialogue_comes_by_sms_once(offices, database):
    offices.behave(delay=0.6)
    table = {"gepg.bill": offices.table("gepg.bill", deadline=0.2)}
    with pytest.raises(OfficeLate):
        build(table, CLIENT).look_up("gepg.bill", "994550451254", BILL.asker)
    questions, worker = asking(database, build(table, CLIENT, patience=30.0))
    questions.keep(BILL, NOON)
    assert worker.begin_one()
    assert not worker.begin_one()
    until(lambda: worker.under_way() == 0)
    (text,) = texts(database)
    assert text.startswith("GePG: Bili 994550451254")
    assert not worker.begin_one()


def test_a_summary_taken_late_is_posted_again_with_its_id_and_told_once(offices, database):
    offices.behave(delay=0.6)
    table = {"gms.request": offices.table("gms.request", deadline=0.2)}
    with pytest.raises(OfficeLate):
        build(table, CLIENT).hand_in("gms.request", GMS.asked, GMS.asker)
    guide = build(table, CLIENT, patience=30.0)
    questions, _ = asking(database, guide)
    questions.keep(GMS, NOON)
    _, worker = asking(database, guide, NOON.replace(minute=1))
    assert worker.begin_one()
    until(lambda: worker.under_way() == 0)
    first, second = offices.journal()
    assert first["request_id"] == second["request_id"] == "late-2"
    assert second["again"]
    (text,) = texts(database)
    assert text.startswith("GMS: e-GA: Ombi la barua pepe")
    assert first["reference"] in text


def test_a_hanging_office_delays_nobody_else(offices, database):
    offices.behave(office="gepg.bill", delay=2 * PATIENCE)
    names = ["gepg.bill", "luku.meter"]
    guide = build({name: offices.table(name) for name in names}, CLIENT, patience=30.0)
    questions, worker = asking(database, guide)
    for number in range(10):
        questions.keep(replace(BILL, asker=asker(f"hangs-{number}")), NOON)
    for number in range(10):
        meter = replace(BILL, office="luku.meter", asked={"data": "24730001234"})
        questions.keep(replace(meter, asker=asker(f"meter-{number}")), NOON)
    stopping = threading.Event()
    server = threading.Thread(target=worker.serve, args=(stopping,), daemon=True)
    server.start()
    until(lambda: len(texts(database)) == 10)
    assert offices.server.asked["gepg.bill"] == 2
    stopping.set()
    server.join()
