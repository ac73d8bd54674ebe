"""One complaint travels the whole way, on real parts."""

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.complaint import FILE, WORDS, reference_in
from tests.e2e.system import System
from tests.fakes.patience import until

ASHA = "255754000101"


def test_a_citizen_complains_follows_up_and_is_answered(system: System) -> None:
    screens = system.dial("story-1", ASHA, *FILE)
    assert screens[0].startswith("CON Karibu huduma za Serikali")
    assert all(screen.startswith("CON ") for screen in screens[:-1])
    assert WORDS[:20] in screens[-2]
    assert screens[-1].startswith("END Mrejesho wako umepokelewa.")
    reference = reference_in(screens[-1])

    (receipt,) = until(lambda: system.ledger(ASHA))
    assert receipt == (
        f"EGA: Tumepokea lalamiko lako. Namba ya kumbukumbu: {reference}. "
        f"Ili kufuatilia, tuma HALI {reference} kwenda 15200."
    )
    until(lambda: system.statuses_of(ASHA) == ["delivered"])

    status = system.dial("story-2", ASHA, "9", "2", "2", reference)[-1]
    assert status == f"END Mrejesho kwa EGA\nKumbukumbu: {reference}\nHali: Umepokelewa"
    assert system.sms("story-mo-1", ASHA, f"hali {reference}").status == 200
    asked = until(lambda: system.ledger(ASHA)[1:])
    assert asked == [f"EGA. Kumbukumbu: {reference}. Hali: Umepokelewa."]

    told = system.reply(reference.replace("-", ""), "Tumerekebisha, jaribu tena.")
    assert told.status == 201
    answered = until(lambda: system.ledger(ASHA)[2:])
    assert answered == [f"EGA kuhusu {reference}: Tumerekebisha, jaribu tena."]

    screen = system.dial("story-3", ASHA, "9", "2", "2", reference.replace("-", " "))[-1]
    assert "Hali: Umejibiwa" in screen
    assert "Tumerekebisha" in screen
    system.sms("story-mo-2", ASHA, f"HALI {reference}")
    said = until(lambda: system.ledger(ASHA)[3:])
    assert said == [
        f"EGA. Kumbukumbu: {reference}. Hali: Umejibiwa. Jibu: Tumerekebisha, jaribu tena."
    ]
    until(lambda: system.statuses_of(ASHA) == ["delivered"] * 4)


def test_each_callback_sent_four_times_at_once_has_one_effect_and_one_answer(
    system: System,
) -> None:
    juma = "255713000102"
    before = len(system.query("SELECT FROM cases"))

    def four(what: object) -> set[bytes]:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: what(), range(4)))  # type: ignore[operator]
        assert {answer.status for answer in answers} <= {200, 201}
        return {answer.body for answer in answers}

    for count in range(len(FILE) + 1):
        text = "*".join(FILE[:count])
        assert len(four(lambda text=text: system.ussd("four-1", juma, text))) == 1
    (end,) = four(lambda: system.ussd("four-1", juma, "*".join(FILE)))
    reference = reference_in(end.decode())
    assert len(four(lambda: system.sms("four-mo-1", juma, f"HALI {reference}"))) == 1
    assert len(four(lambda: system.reply(reference, "Tumepokea, asante."))) == 1

    texts = until(lambda: len(system.ledger(juma)) >= 3 and system.ledger(juma))
    assert len(system.query("SELECT FROM cases")) == before + 1
    assert len(texts) == 3
    assert len(set(texts)) == 3


def test_a_text_message_files_a_case_too(system: System) -> None:
    neema = "255784000103"
    system.smsc(mo={"from": neema, "to": "15200", "text": "Lalamiko ega Mtandao uko chini"})
    (receipt,) = until(lambda: system.ledger(neema))
    assert receipt.startswith("EGA: Tumepokea lalamiko lako.")
    system.sms("mo-en", neema, "LANGUAGE EN")
    system.sms("mo-hali", neema, f"STATUS {reference_in(receipt)}")
    texts = until(lambda: len(system.ledger(neema)) == 3 and system.ledger(neema))
    assert texts[2].endswith("Status: Received.")


def test_another_citizen_learns_nothing_from_a_reference(system: System) -> None:
    (own,) = [reference_in(system.dial("own", "255754000104", *FILE)[-1])]
    stranger = "255713000105"
    wrong = system.dial("wrong-1", stranger, "9", "2", "2", "1234-5678-9018")[-1]
    # a third citizen, for a dialogue that was left is offered again
    others = system.dial("wrong-2", "255713000107", "9", "2", "2", own)[-1]
    assert others == wrong
    system.sms("guess-1", stranger, "HALI 1234-5678-9018")
    system.sms("guess-2", stranger, f"HALI {own}")
    texts = until(lambda: len(system.ledger(stranger)) == 2 and system.ledger(stranger))
    assert texts[0] == texts[1]


def test_two_answering_machines_fall_silent(system: System) -> None:
    robot = "255754000106"
    for number in range(6):
        system.sms(f"robot-{number}", robot, f"Nimepokea ujumbe wako {number}")
    system.sms("short-code", "15201", "MSAADA")
    until(lambda: len(system.ledger(robot)) == 3)
    count = "SELECT count(*) FROM notifications WHERE status = 'queued' AND automatic"
    until(lambda: system.query(count) == [(0,)])
    assert len(system.ledger(robot)) == 3
    assert system.ledger("15201") == []
