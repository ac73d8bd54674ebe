"""Cases by the API: who reads which, what they are told, and what a citizen hears of it."""

from datetime import timedelta

import pytest

from tests.fakes.served import ASHA, Served, now
from ussdapp.core.case import Kind, NewCase, Visibility
from ussdapp.core.letters import Letters
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.parts import split
from ussdapp.core.reference import Reference
from ussdapp.core.simulated_case import REFERENCE as SIMULATED

REFERENCE = Reference.numbered(4711)
PATH = f"/api/v1/cases/{REFERENCE.digits}"
TRY = f"/api/v1/cases/{SIMULATED.digits}"
GEPG = {"institution": "gepg", "reason": "Suala linahusu malipo."}


def file(
    world: Served,
    number: int = 4711,
    visibility: Visibility = Visibility.HIDDEN,
    language: str = "sw",
) -> None:
    world.gateway.receive_mo.cases.file(
        NewCase(
            effect=f"case {number}",
            reference=Reference.numbered(number),
            institution="ega",
            kind=Kind.COMPLAINT,
            visibility=visibility,
            words="Tovuti haifunguki",
            msisdn=Msisdn(ASHA),
            language=language,
            medium="ussd",
            received_at=now(),
        ),
        None,
    )


def texts(world: Served) -> list[str]:
    seal = world.gateway.cases.histories._seal
    rows = world.query("SELECT text_sealed FROM contents ORDER BY notification_id")
    return [seal.open_text(row[0], "notifications.text") for row in rows]


def test_a_case_is_listed_and_read(world: Served) -> None:
    file(world)
    (listed,) = world.ask("GET", "/api/v1/cases?status=received&kind=lalamiko").get_json()["cases"]
    assert (listed["reference"], listed["visibility"]) == (REFERENCE.digits, "hidden")
    read = world.ask("GET", f"/api/v1/cases/{REFERENCE}").get_json()
    assert listed.items() <= read.items()
    assert (read["words"], [one["what"] for one in read["events"]]) == (
        "Tovuti haifunguki", ["filed"]
    )  # fmt: skip


@pytest.mark.parametrize("visibility", list(Visibility))
def test_no_answer_of_the_api_holds_the_msisdn_of_a_case(
    world: Served, visibility: Visibility
) -> None:
    file(world, visibility=visibility)
    world.ask("POST", f"{PATH}/replies", json={"text": "Sawa"})
    mine = world.ask("POST", "/api/v1/notifications", json={
        "to": "255713000002", "text": "Yetu", "class": "receipt"}).get_json()  # fmt: skip
    for path in ("/api/v1/cases", PATH, "/api/v1/notifications"):
        assert ASHA not in world.ask("GET", path).get_data(as_text=True)
    sent = world.ask("GET", "/api/v1/notifications").get_json()["notifications"]
    assert [one["id"] for one in sent] == [mine["id"]]


def test_pages_follow_their_cursor(world: Served) -> None:
    for number in range(5):
        file(world, number)
    seen, query = [], "limit=2"
    while True:
        page = world.ask("GET", f"/api/v1/cases?{query}").get_json()
        seen += [one["reference"] for one in page["cases"]]
        if page["next"] is None:
            break
        query = f"limit=2&cursor={page['next']}"
    assert seen == [Reference.numbered(number).digits for number in reversed(range(5))]


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=sent", "status"), ("kind=x", "kind"), ("due_before=jana", "due_before"),
     ("cursor=abc", "cursor"), ("limit=101", "limit"), ("zz=1", "zz")],
)  # fmt: skip
def test_what_cannot_be_sought_is_named(world: Served, query: str, field: str) -> None:
    answer = world.ask("GET", f"/api/v1/cases?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.get_json()["errors"]] == [field]


def test_due_before_finds_what_still_wants_an_answer(world: Served) -> None:
    file(world, 1)
    file(world, 2)
    answered = f"/api/v1/cases/{Reference.numbered(1).digits}/replies"
    assert world.ask("POST", answered, json={"text": "Sawa"}).status_code == 201
    due = (now() + timedelta(hours=73)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = world.ask("GET", f"/api/v1/cases?due_before={due}").get_json()["cases"]
    assert [one["reference"] for one in found] == [Reference.numbered(2).digits]


@pytest.mark.parametrize("language", ["sw", "en"])
def test_a_transfer_is_told_in_the_citizens_language_in_one_part(
    world: Served, language: str
) -> None:
    file(world, language=language)
    answer = world.ask("POST", f"{PATH}/transfer", json=GEPG)
    assert answer.status_code == 200
    assert answer.get_json()["institution"] == "gepg"
    (text,) = texts(world)
    assert len(split(text)) == 1
    assert {"sw": "Suala lako", "en": "Your matter"}[language] in text
    assert "malipo" not in text


def test_the_longest_names_leave_a_transfer_one_part(world: Served) -> None:
    letters: Letters = world.gateway.cases.transfer.letters
    names = {"taasisi": "W" * 20, "mpya": "W" * 20, "kumbukumbu": str(REFERENCE)}
    for language in ("sw", "en"):
        assert len(split(letters.say("case_transferred", language, names))) == 1


def test_what_was_handed_on_is_the_others_alone(world: Served) -> None:
    file(world)
    first = world.ask("POST", f"{PATH}/transfer", json=GEPG)
    none = world.ask("GET", f"/api/v1/cases/{Reference.numbered(5).digits}")
    for method, path, body in (
        ("GET", PATH, None),
        ("POST", f"{PATH}/replies", {"text": "Sawa"}),
        ("POST", f"{PATH}/transfer", {**GEPG, "institution": "nida"}),
    ):
        answer = world.ask(method, path, json=body) if body else world.ask(method, path)
        assert (answer.status_code, answer.data) == (404, none.data), path
    assert world.ask("GET", "/api/v1/cases").get_json()["cases"] == []
    assert world.ask("GET", PATH, "gepg-live").status_code == 200
    again = world.ask("POST", f"{PATH}/transfer", json=GEPG)
    assert (again.status_code, again.data) == (200, first.data)
    assert len(texts(world)) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Jaza fomu katika bit.ly/ombi2", "foreign_link"),
        ("Jaza fomu katika b\uff49t.ly/ombi2", "foreign_link"),
        ("Tuma PIN yako ya M-Pesa kwa namba hii.", "asks_secret"),
        ("Tuma 5000 kwa 0754000009 ili tuendelee.", "asks_money"),
    ],
    ids=["a link", "a link in disguise", "a secret", "money"],
)
def test_a_reply_that_looks_like_phishing_is_refused_and_nothing_is_kept(
    world: Served, text: str, code: str
) -> None:
    file(world)
    for path, key in ((PATH, "ega-live"), (TRY, "ega-test")):
        answer = world.ask("POST", f"{path}/replies", key, json={"text": text})
        assert answer.status_code == 422
        assert [(one["field"], one["code"]) for one in answer.get_json()["errors"]] == [
            ("text", code)
        ]
    assert texts(world) == []
    assert [one["what"] for one in world.ask("GET", PATH).get_json()["events"]] == ["filed"]


@pytest.mark.parametrize(
    "text",
    [
        "Tumerekebisha. Angalia https://www.ega.go.tz/huduma",
        "Lipa kwa control number 991234567890, kisha piga 0754000009.",
        "Usimpe mtu yeyote PIN yako. Tunalifanyia kazi.",
    ],
)
def test_what_institutions_usually_answer_is_taken(world: Served, text: str) -> None:
    file(world)
    assert most(world, text) == (201, "")


def test_a_reply_to_a_case_that_came_back_is_no_repeat_of_the_one_before(world: Served) -> None:
    def replied(key: str) -> None:
        for _ in range(2):
            answer = world.ask("POST", f"{PATH}/replies", key, json={"text": "Sawa"})
            shown = answer.get_json()
            assert (answer.status_code, shown["status"], shown["answer"]) == (
                201, "answered", "Sawa",
            )  # fmt: skip

    def handed(key: str, to: str) -> None:
        body = {**GEPG, "institution": to}
        assert world.ask("POST", f"{PATH}/transfer", key, json=body).status_code == 200

    file(world)
    for _ in range(2):
        replied("ega-live")
        handed("ega-live", "gepg")
        replied("gepg-live")
        handed("gepg-live", "ega")
    replied("ega-live")
    events = [one["what"] for one in world.ask("GET", PATH).get_json()["events"]]
    assert events == ["filed", *["replied", "transferred"] * 4, "replied"]
    assert len([text for text in texts(world) if "Sawa" in text]) == 5


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**GEPG, "institution": "ega"}, 422, "same"),
        ({**GEPG, "institution": "EGA"}, 422, "same"),
        ({**GEPG, "institution": "nobody"}, 422, "unknown"),
        ({**GEPG, "reason": "  "}, 422, "required"),
        ({"institution": "gepg"}, 422, "required"),
    ],
)
def test_what_cannot_be_transferred_is_told_why(
    world: Served, body: dict[str, str], status: int, code: str
) -> None:
    file(world)
    for path, key in ((PATH, "ega-live"), (TRY, "ega-test")):
        answer = world.ask("POST", f"{path}/transfer", key, json=body)
        assert answer.status_code == status
        assert [one["code"] for one in answer.get_json()["errors"]] == [code]


def test_a_closed_case_is_not_transferred(world: Served) -> None:
    file(world)
    world.ask("POST", f"{PATH}/replies", json={"text": "Imekwisha", "status": "closed"})
    answer = world.ask("POST", f"{PATH}/transfer", json=GEPG)
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")


def most(world: Served, text: str) -> tuple[int, str]:
    answer = world.ask("POST", f"{PATH}/replies", json={"text": text})
    if answer.status_code == 201:
        return 201, ""
    (error,) = answer.get_json()["errors"]
    return answer.status_code, error["message"]


def test_an_answer_takes_two_parts_and_is_told_how_long_it_may_be(world: Served) -> None:
    file(world)
    status, told = most(world, "x" * 300)
    assert status == 422
    room = int("".join(char for char in told.split("at most")[1] if char.isdigit())[:3])
    assert most(world, "x" * (room + 1))[0] == 422
    assert most(world, "y" * room)[0] == 201
    assert len(split(texts(world)[0])) == 2


def test_a_character_that_shortens_an_answer_is_named(world: Served) -> None:
    file(world)
    status, told = most(world, "Karibu \u2600" + "x" * 200)
    assert status == 422
    assert "character 8 (U+2600)" in told


def test_a_test_key_tries_everything_and_changes_nothing(world: Served) -> None:
    file(world)
    before = world.query("SELECT count(*) FROM case_events")
    (listed,) = world.ask("GET", "/api/v1/cases", "ega-test").get_json()["cases"]
    assert listed["reference"] == SIMULATED.digits
    assert world.ask("GET", TRY, "ega-test").status_code == 200
    reply = world.ask("POST", f"{TRY}/replies", "ega-test", json={"text": "Sawa"})
    assert (reply.status_code, reply.get_json()["answer"]) == (201, "Sawa")
    assert world.ask("POST", f"{TRY}/transfer", "ega-test", json=GEPG).status_code == 200
    for path, method in ((PATH, "GET"), (f"{PATH}/replies", "POST"), (f"{PATH}/transfer", "POST")):
        body = {"json": {"text": "Sawa"} if "replies" in path else GEPG} if method == "POST" else {}
        assert world.ask(method, path, "ega-test", **body).status_code == 404
    assert world.ask("GET", TRY).status_code == 404, "a live key has no such case"
    assert world.query("SELECT count(*) FROM case_events") == before
    assert texts(world) == []
