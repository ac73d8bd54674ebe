"""Institutions publish templates and write with them, on real stores."""

import io
import json
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from tests.fakes.served import ASHA, JUMA, Served, now
from ussdapp.core.msisdn import Msisdn

PATH = "/api/v1/templates"
TEXTS = {"sw": "Ndugu ((jina)), ombi ((namba)) limepokelewa.",
         "en": "Dear ((jina)), request ((namba)) was received."}  # fmt: skip
LATER = {"sw": "Habari ((jina)), ombi ((namba)).", "en": "Hello ((jina)), request ((namba))."}
VALUES = {"jina": "Asha", "namba": "4821"}


def named(jina: Any) -> dict[str, Any]:
    return {"template": "ombi", "values": {**VALUES, "jina": jina}}


def put(world: Served, texts: Any = None, name: str = "ombi", by: str = "ega-live") -> TestResponse:
    return world.ask("PUT", f"{PATH}/{name}", by, json=TEXTS if texts is None else texts)


def send(world: Served, key: str | None = None, by: str = "ega-live", **body: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    sent = {"to": ASHA, **body}
    return world.ask("POST", "/api/v1/notifications", by, json=sent, headers=headers)


def faults(answer: TestResponse) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.data
    return [(one["field"], one["code"]) for one in json.loads(answer.data)["errors"]]


def written(world: Served) -> list[tuple[str, str]]:
    """Whom the operator would be handed what."""
    lease = world.gateway.leases.take("sandbox", 1, now())
    assert lease
    rows = world.gateway.journal.claim(lease, 100, now())
    return [(row.msisdn.digits, row.text) for row in rows]


def test_publishing_makes_versions_that_stay_and_the_newest_stands(world: Served) -> None:
    first = put(world)
    assert first.status_code == 201
    shown = first.get_json()
    assert (shown["version"], shown["placeholders"], shown["current"], shown["notes"]) == (
        1, ["jina", "namba"], True, [],
    )  # fmt: skip
    assert (put(world).status_code, put(world).get_json()["version"]) == (200, 1)
    assert put(world, LATER).get_json()["version"] == 2
    told = world.ask("GET", f"{PATH}/ombi").get_json()
    assert (told["version"], [one["version"] for one in told["versions"]]) == (2, [2, 1])
    assert world.ask("GET", f"{PATH}/ombi@1").get_json()["sw"] == TEXTS["sw"]
    listed = world.ask("GET", PATH).get_json()["templates"]
    assert [(one["name"], one["version"]) for one in listed] == [("ombi", 2)]
    audited = "SELECT action, subject FROM audit WHERE action LIKE 'template%%' ORDER BY id"
    actions = world.query(audited)
    assert actions == [("template.published", "ega/ombi@1"), ("template.published", "ega/ombi@2")]


def test_a_version_cannot_be_changed_in_the_database(world: Served) -> None:
    put(world)
    with pytest.raises(psycopg.errors.RaiseException, match="never changes"):
        world.query("UPDATE template_versions SET sw = 'x' RETURNING 1")


def test_rolling_back_lets_an_older_version_stand(world: Served) -> None:
    put(world)
    put(world, LATER)
    back = world.ask("POST", f"{PATH}/ombi/rollback", json={})
    assert (back.status_code, back.get_json()["version"]) == (200, 1)
    again = world.ask("POST", f"{PATH}/ombi/rollback", json={})
    assert again.status_code == 409
    assert world.ask("POST", f"{PATH}/ombi/rollback", json={"to": 2}).get_json()["version"] == 2
    assert world.ask("POST", f"{PATH}/ombi/rollback", json={"to": 9}).status_code == 409
    assert world.ask("POST", f"{PATH}/hakuna/rollback", json={}).status_code == 404
    # what is published after a rollback is a further version
    world.ask("POST", f"{PATH}/ombi/rollback", json={"to": 1})
    assert put(world, {"sw": "Karibu.", "en": "Welcome."}).get_json()["version"] == 3


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"sw": "Ndugu ((jina)).", "en": "Dear reader."}, [("en", "placeholder")]),
        ({"sw": "Tuma PIN yako.", "en": "Welcome."}, [("sw", "asks_secret")]),
        ({"sw": "Karibu.", "en": "See bit.ly/abc"}, [("en", "foreign_link")]),
        ({"sw": "Karibu."}, [("en", "required")]),
        ({"sw": "Karibu.", "en": " "}, [("en", "required")]),
    ],
    ids=["a placeholder", "an ask", "a link", "no English", "an empty text"],
)
def test_a_template_that_cannot_be_is_refused_with_its_field(
    world: Served, texts: dict[str, str], found: list[tuple[str, str]]
) -> None:
    assert faults(put(world, texts)) == found
    assert world.query("SELECT count(*) FROM templates") == [(0,)]


def test_a_name_that_can_be_no_templates_is_there_for_nobody(world: Served) -> None:
    for name in ("Ombi", "-a", "a" * 61, "a b", "ombi.1"):
        assert put(world, name=name).status_code == 404
    assert faults(put(world, name="ombi@2")) == [("name", "shape")]


def test_a_test_key_has_a_template_checked_and_publishes_nothing(world: Served) -> None:
    answer = put(world, by="ega-test")
    assert (answer.status_code, answer.get_json()["version"]) == (200, None)
    assert world.query("SELECT count(*) FROM templates") == [(0,)]
    assert faults(put(world, {"sw": "Tuma PIN yako", "en": "x"}, by="ega-test"))
    assert world.ask("POST", f"{PATH}/ombi/rollback", "ega-test", json={}).status_code == 403


def test_a_notification_is_written_with_it_in_the_citizens_language(world: Served) -> None:
    put(world)
    dialogues = world.gateway.answer_ussd.dialogues
    dialogues.remember_language(Msisdn(JUMA), "en", now())
    for to in (ASHA, JUMA):
        answer = send(world, to=to, template="ombi", values=VALUES)
        assert answer.status_code == 202, answer.data
        assert answer.get_json()["template"] == "ombi@1"
    assert written(world) == [
        (ASHA, "Ndugu Asha, ombi 4821 limepokelewa."),
        (JUMA, "Dear Asha, request 4821 was received."),
    ]


def test_a_value_is_a_text_or_a_whole_number(world: Served) -> None:
    put(world)
    for to, number in ((ASHA, 4821), (JUMA, "4821")):
        values = {**VALUES, "namba": number}
        assert send(world, to=to, template="ombi", values=values).status_code == 202
    assert [text for _, text in written(world)] == ["Ndugu Asha, ombi 4821 limepokelewa."] * 2


def test_a_repeat_is_answered_as_the_first_though_another_version_stands(world: Served) -> None:
    put(world)
    body: dict[str, Any] = {"template": "ombi", "values": {**VALUES, "jina": "Đani"}}
    first = send(world, "k", **body)
    put(world, {"sw": "((jina)) ((namba)) ((cheo))", "en": "((jina)) ((namba)) ((cheo))"})
    world.gateway.answer_ussd.dialogues.remember_language(Msisdn(ASHA), "en", now())
    again = send(world, "k", **body)
    assert (again.status_code, again.data) == (202, first.data)
    assert first.get_json()["notes"][0]["code"] == "ucs2"
    assert send(world, "k", template="ombi", values=VALUES).status_code == 409
    assert world.query("SELECT count(*) FROM notifications") == [(1,)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("text", "required")]),
        ({"text": "x", "template": "ombi"}, [("text", "both")]),
        ({"text": "x", "values": VALUES}, [("values", "no_template")]),
        ({"template": "hakuna"}, [("template", "unknown")]),
        ({"template": "ombi@7", "values": VALUES}, [("template", "unknown")]),
        ({"template": "OMBI"}, [("template", "shape")]),
        ({"template": "ombi", "values": {"jina": "Asha"}}, [("values", "missing")]),
        (named("bit.ly/a"), [("values", "foreign_link")]),
        (named("((x))"), [("values.jina", "placeholder")]),
        (named("a\x07"), [("values.jina", "characters")]),
        (named(True), [("values.jina", "type")]),
        (named(10**15), [("values.jina", "type")]),
    ],
)  # fmt: skip
def test_what_cannot_be_written_with_a_template_is_named(
    world: Served, body: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    put(world)
    assert faults(send(world, **body)) == found
    assert world.query("SELECT count(*) FROM notifications") == [(0,)]


def test_a_template_is_its_institutions_alone(world: Served) -> None:
    put(world)
    assert world.ask("GET", f"{PATH}/ombi", "gepg-live").status_code == 404
    assert faults(send(world, by="gepg-live", template="ombi", values=VALUES)) == [
        ("template", "unknown")
    ]
    assert put(world, by="gepg-live").get_json()["version"] == 1


def bulk(world: Served, key: str = "b", **body: Any) -> TestResponse:
    sent = {"name": "Novemba", **body}
    headers = {"Idempotency-Key": key}
    return world.ask("POST", "/api/v1/bulks", json=sent, headers=headers)


def imported(world: Served) -> None:
    rows, importing = world.gateway.importing()
    while importing(now()):
        pass
    rows.close()


def test_each_row_of_a_bulk_is_written_in_its_citizens_language(world: Served) -> None:
    put(world)
    world.gateway.answer_ussd.dialogues.remember_language(Msisdn(JUMA), "en", now())
    recipients = [
        {"to": ASHA, "jina": "Asha"}, {"to": JUMA, "Jina": "Juma"}, {"to": "255754000003"},
        {"to": "255754000004", "jina": "bit.ly/abc"}, {"to": "12", "jina": "x"},
    ]  # fmt: skip
    answer = bulk(world, template="ombi", values={"namba": "7"}, recipients=recipients)
    assert (answer.status_code, answer.get_json()["template"]) == (202, "ombi@1")
    put(world, LATER)  # the version that was asked for is used
    again = bulk(world, template="ombi", values={"namba": "7"}, recipients=recipients)
    assert again.data == answer.data
    imported(world)
    number = answer.get_json()["id"]
    table = world.ask("GET", f"/api/v1/bulks/{number}/rejections.csv").text.splitlines()[1:]
    assert [line.split(",")[:3] for line in table] == [
        ["3", "jina", "missing"], ["4", "text", "foreign_link"], ["5", "to", "msisdn"],
    ]  # fmt: skip
    assert world.ask("GET", f"/api/v1/bulks/{number}").get_json()["template"] == "ombi@1"
    shown = world.ask("GET", f"/api/v1/bulks/{number}/preview").get_json()["rows"]
    assert [row["text"] for row in shown] == [
        "Ndugu Asha, ombi 7 limepokelewa.", "Dear Juma, request 7 was received.",
    ]  # fmt: skip


def test_a_file_is_written_with_a_template_too(world: Served) -> None:
    put(world)
    form = {
        "name": "Novemba", "template": "ombi", "values": json.dumps({"namba": "7"}),
        "file": (io.BytesIO(b"to,jina\n255754000001,\xc4\x90ani\n"), "rows.csv"),
    }  # fmt: skip
    answer = world.ask("POST", "/api/v1/bulks", data=form)
    assert answer.status_code == 202, answer.data
    imported(world)
    number = answer.get_json()["id"]
    (row,) = world.ask("GET", f"/api/v1/bulks/{number}/preview").get_json()["rows"]
    assert row["text"] == "Ndugu \u0110ani, ombi 7 limepokelewa."
    assert row["notes"][0]["field"] == "text"
    wrong = {**form, "values": "{", "file": (io.BytesIO(b"to,jina\n1,a\n"), "r.csv")}
    assert faults(world.ask("POST", "/api/v1/bulks", data=wrong)) == [("values", "unreadable")]


def test_a_template_that_a_bulks_values_make_phishing_is_refused(world: Served) -> None:
    put(world)
    answer = bulk(world, template="ombi", values={"namba": "bit.ly/a"}, recipients=[{"to": ASHA}])
    assert faults(answer) == [("values", "foreign_link")]
    assert faults(bulk(world, template="hakuna", recipients=[{"to": ASHA}])) == [
        ("template", "unknown")
    ]


def test_plain_text_is_a_setting_of_the_institution(world: Served) -> None:
    world.query("UPDATE institutions SET plain_text = true WHERE short_name = 'ega' RETURNING 1")
    told = send(world, text="\u201cHabari\u201d").get_json()
    assert (told["encoding"], told["notes"]) == ("gsm7", [])
    sent = {"recipients": [{"to": JUMA, "jina": "D\u2019Souza"}], "text": "Ndugu ((jina))"}
    number = bulk(world, **sent).get_json()["id"]
    imported(world)
    (row,) = world.ask("GET", f"/api/v1/bulks/{number}/preview").get_json()["rows"]
    assert (row["text"], row["encoding"], row["notes"]) == ("Ndugu D'Souza", "gsm7", [])
