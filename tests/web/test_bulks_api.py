"""Bulks as institutions' systems send them: JSON and files in, counts and rejections out."""

import io
import json
import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes.bulks import NOON, SEAL, TEXT_ASKED, Office, recipients
from tests.fakes.web import fake_gateway
from ussdapp.core.keys import SCOPES, IssuedKey
from ussdapp.stores.histories import PgHistories
from ussdapp.stores.public_ids import PublicIds
from ussdapp.web import create_app

PATH = "/api/v1/bulks"
ALL = frozenset(SCOPES)
KEYS = {
    "author": IssuedKey(1, "ega", True, ALL, per_second=10_000),
    "approver": IssuedKey(2, "ega", True, ALL, per_second=10_000),
    "foreign": IssuedKey(3, "tra", True, ALL, per_second=10_000),
    "tester": IssuedKey(5, "ega", False, ALL, per_second=10_000),
    "asha": IssuedKey(6, "ega", True, ALL, per_second=10_000, owner="asha@ega.go.tz"),
    "asha-too": IssuedKey(7, "ega", True, ALL, per_second=10_000, owner="asha@ega.go.tz"),
    "juma": IssuedKey(8, "ega", True, ALL, per_second=10_000, owner="juma@ega.go.tz"),
    "poor": IssuedKey(4, "ega", True, frozenset({"bulks:read"}), per_second=10_000),
}


@dataclass
class Web:
    """A client of a gateway with real bulks."""

    office: Office
    client: FlaskClient

    def post(
        self, path: str = "", body: Any = None, key: str = "author", **more: Any
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {key}", **more}
        return self.client.post(PATH + path, json=body, headers=headers)

    def get(self, path: str, key: str = "author") -> TestResponse:
        return self.client.get(PATH + path, headers={"Authorization": f"Bearer {key}"})

    def upload(self, octets: bytes, name: str = "rows.csv", **fields: str) -> TestResponse:
        form: dict[str, Any] = {"name": "Bili", "text": TEXT_ASKED, **fields}
        form["file"] = (io.BytesIO(octets), name)
        return self.client.post(PATH, data=form, headers={"Authorization": "Bearer author"})


@pytest.fixture
def web(office: Office) -> Web:
    gateway: Any = SimpleNamespace(
        settings=fake_gateway().settings,
        dialects={},
        holder=lambda key, _now: KEYS.get(key),
        bulks=SimpleNamespace(
            kept=office.bulks,
            ids={
                live: PublicIds(bytes(32), "bulk" if live else "bulktest") for live in (True, False)
            },
            accept=office.accept,
            stop=office.stop,
        ),
        notifications=SimpleNamespace(
            histories=PgHistories(
                office.database, SEAL, PublicIds(bytes(32), "notice"), PublicIds(bytes(32), "page")
            ),
        ),
    )
    return Web(office, create_app(gateway, lambda: NOON).test_client())


def body(count: int = 3, **changes: Any) -> dict[str, Any]:
    return {"name": "Bili", "text": TEXT_ASKED, "recipients": recipients(count), **changes}


def accepted(answer: TestResponse) -> str:
    assert answer.status_code == 202, answer.data
    assert answer.json is not None
    assert answer.json["status"] == "checking"
    return str(answer.json["id"])


def faults(answer: TestResponse) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.data
    return [(one["field"], one["code"]) for one in json.loads(answer.data)["errors"]]


def test_a_bulk_is_accepted_checked_and_shown(web: Web) -> None:
    answer = web.post(body=body())
    assert answer.json == {
        "id": accepted(answer), "status": "checking", "total": 3, "accepted": 0, "rejected": 0,
        "template": None,
    }  # fmt: skip
    web.office.work()
    shown = web.get(f"/{accepted(answer)}").json
    assert shown is not None
    assert (shown["status"], shown["accepted"], shown["parts"]) == ("queued", 3, 3)
    assert shown["counts"]["queued"] == sum(shown["counts"].values()) == 3
    preview = web.get(f"/{shown['id']}/preview").json
    assert preview is not None
    assert preview["rows"][0]["text"] == "Ndugu Asha 0, bili yako ni TZS 0."


def test_a_file_is_accepted_and_what_is_refused_is_a_table(web: Web) -> None:
    octets = b'to;jina;kiasi\n255754000001;Asha;1\n12;Juma;2\n255754000003;"";3\n'
    number = accepted(web.upload(octets, repeats="false"))
    web.office.work()
    answer = web.get(f"/{number}/rejections.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == [
        "row,field,code,message",
        "3,to,msisdn,It is no MSISDN of Tanzania: 255 and nine digits.",
        "4,jina,missing,There is nothing to put in its place.",
    ]


def test_a_preview_shows_no_row_that_is_refused_as_a_double(web: Web) -> None:
    given = [{"to": msisdn} for msisdn in ("255754000001", "255754000001", "255754000003")]
    number = accepted(web.post(body=body(text="Habari", recipients=given)))
    web.office.work()
    preview = web.get(f"/{number}/preview").json
    assert preview is not None
    assert [row["row"] for row in preview["rows"]] == [1, 3]


@pytest.mark.parametrize(
    "spelt",
    [b'{"name": "a", "name": "b"}', b'{"recipients": [{"to": "1", "to": "2"}]}', b"{",
     b'{"name": NaN}', b'{"name": "\xff"}'],
    ids=["a member twice", "a recipient's member twice", "cut", "NaN", "no UTF-8"],
)  # fmt: skip
def test_what_is_no_json_is_a_400(web: Web, spelt: bytes) -> None:
    headers = {"Authorization": "Bearer author"}
    answer = web.client.post(PATH, data=spelt, headers=headers, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_a_cell_that_a_spreadsheet_would_compute_is_guarded(web: Web) -> None:
    given = [{"to": "255754000001", "=cmd": ""}]
    number = accepted(web.post(body=body(text="((=cmd))", recipients=given)))
    web.office.work()
    assert web.get(f"/{number}/rejections.csv").text.splitlines()[1].startswith("1,'=cmd,missing")


def test_fifty_parallel_repeats_are_one_bulk(web: Web) -> None:
    answers: list[bytes] = []

    def post() -> None:
        client = web.client.application.test_client()
        headers = {"Authorization": "Bearer author", "Idempotency-Key": "november"}
        answers.append(client.post(PATH, json=body(), headers=headers).data)

    threads = [threading.Thread(target=post) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert len(set(answers)) == 1
    assert web.office.ask("SELECT count(*) FROM bulks") == [(1,)]
    assert web.post(body=body(4), **{"Idempotency-Key": "november"}).status_code == 409


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"recipients": []}, ("recipients", "too_many")),
        ({"recipients": {"to": "255754000001"}}, ("recipients", "type")),
        ({"name": " "}, ("name", "too_short")),
        ({"text": "x" * 1600}, ("text", "too_long")),
        ({"text": "x" * 3001}, ("text", "too_long")),
        ({"class": "spam"}, ("class", "unknown")),
        ({"text": "Ndugu ((jina)), tuma PIN yako"}, ("text", "asks_secret")),
        ({"text": "Ndugu ((jina)), lipa https://((kiasi))"}, ("text", "foreign_link")),
        ({"sender_id": "NHIF"}, ("sender_id", "not_allotted")),
        ({"send_at": "2036-11-20T09:00:00Z"}, ("send_at", "range")),
        ({"colour": "red"}, ("colour", "unknown")),
    ],
    ids=["no recipient", "no list", "no name", "too long", "too long for any", "asks",
         "link of a value", "class", "sender ID", "years ahead", "unknown member"],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(
    web: Web, changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert faults(web.post(body=body(**changes))) == [fault]
    assert web.office.ask("SELECT count(*) FROM bulks") == [(0,)]


@pytest.mark.parametrize(
    ("octets", "name", "code"),
    [
        (b"", "rows.csv", "size"),
        (b"jina,kiasi\nAsha,1\n", "rows.csv", "no_to"),
        (b"to,jina\n255754000001,Asha\n", "rows.csv", "no_column"),
        (b"to,jina,kiasi\n", "rows.exe", "kind"),
        (b"PK\x03\x04....", "rows.csv", "unreadable"),
        (b"to,jina,kiasi\n", "rows.xlsx", "unreadable"),
        (b'to,jina,kiasi\n255754000001,"Asha,1\n' + b"x\n" * 3000, "rows.csv", "unreadable"),
    ],
    ids=["empty", "no MSISDN", "no column", "a program", "a workbook as .csv", "text as .xlsx",
         "an open quote"],
)  # fmt: skip
def test_a_file_whose_beginning_is_wrong_is_refused_at_once(
    web: Web, octets: bytes, name: str, code: str
) -> None:
    assert faults(web.upload(octets, name)) == [("file", code)]


def test_another_approves_and_a_third_party_sees_nothing(web: Web) -> None:
    web.office.ask("UPDATE institutions SET approval_above = 2 RETURNING 1")
    number = accepted(web.post(body=body()))
    web.office.work()
    assert web.post(f"/{number}/approve").status_code == 403
    assert web.post(f"/{number}/approve", key="poor").status_code == 403
    for path in (f"/{number}", f"/{number}/preview", f"/{number}/rejections.csv"):
        assert web.get(path, "foreign").status_code == 404
    assert web.post(f"/{number}/approve", key="foreign").status_code == 404
    assert web.post(f"/{number}/stop", key="foreign").status_code == 404
    approved = web.post(f"/{number}/approve", key="approver")
    assert approved.json is not None
    assert (approved.status_code, approved.json["status"]) == (200, "queued")
    assert web.post(f"/{number}/approve", key="approver").status_code == 409


@pytest.mark.parametrize("approver", ["juma", "approver"])
def test_nobody_approves_their_own_bulk_with_another_of_their_keys(web: Web, approver: str) -> None:
    web.office.ask("UPDATE institutions SET approval_above = 2 RETURNING 1")
    number = accepted(web.post(body=body(), key="asha"))
    web.office.work()
    assert web.post(f"/{number}/approve", key="asha-too").status_code == 403
    assert web.post(f"/{number}/approve", key=approver).status_code == 200


def test_an_urgent_bulk_to_more_than_a_thousand_waits_for_approval(web: Web) -> None:
    web.office.ask("UPDATE institutions SET approval_above = 2000000 RETURNING 1")
    number = accepted(web.post(body=body(1001, **{"class": "urgent"}), key="asha"))
    web.office.work()
    shown = web.get(f"/{number}", "asha").get_json()
    assert (shown["status"], shown["accepted"]) == ("awaiting_approval", 1001)


def test_a_test_key_sees_and_touches_no_live_bulk_and_a_live_one_none_of_its(web: Web) -> None:
    web.office.ask("UPDATE institutions SET approval_above = 2 RETURNING 1")
    for owner, other in (("author", "tester"), ("tester", "author")):
        number = accepted(web.post(body=body(), key=owner))
        web.office.work()
        for path in (f"/{number}", f"/{number}/preview", f"/{number}/rejections.csv"):
            assert web.get(path, owner).status_code == 200
            assert web.get(path, other).status_code == 404
        for act in ("approve", "stop"):
            assert web.post(f"/{number}/{act}", key=other).status_code == 404


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"to,jina,kiasi\n" + b"255754000001,Asha,1\n" * 3000 + b'255754000001,"A\n', "unreadable"),
        (b"\n" * 3000 + b"jina,kiasi\n", "no_to"),
        (b"\n" * 3000 + b"to,kiasi\n", "no_column"),
        (b"to,jina,kiasi\n255754000001,Asha,1\n", None),
    ],
    ids=["an open quote far below", "no MSISDN below", "no column below", "nothing"],
)
def test_what_is_found_wrong_with_a_file_when_it_is_checked_has_the_code_of_what_is_found_at_once(
    web: Web, octets: bytes, code: str | None
) -> None:
    number = accepted(web.upload(octets))
    assert web.get(f"/{number}").get_json()["code"] is None
    web.office.work()
    shown = web.get(f"/{number}").get_json()
    assert (shown["code"], shown["status"] == "stopped") == (code, code is not None)


def test_a_bulk_is_stopped_once_and_for_all(web: Web) -> None:
    number = accepted(web.post(body=body()))
    web.office.work()
    for _ in range(2):
        answer = web.post(f"/{number}/stop")
        assert answer.json is not None
        assert (answer.json["status"], answer.json["code"]) == ("stopped", "stopped")
        assert answer.json["counts"]["stopped"] == 3
    assert web.get("/aaaaaaaaaaaaaaaaaaaaaaaaaa").status_code == 404


def listed(web: Web, query: str, key: str = "author") -> TestResponse:
    headers = {"Authorization": f"Bearer {key}"}
    return web.client.get(f"/api/v1/notifications?{query}", headers=headers)


def rows_listed(web: Web, query: str) -> list[tuple[int, str, str]]:
    """Row, status and detail of every page."""
    found, cursor = [], ""
    while True:
        page = listed(web, f"limit=2&{query}{cursor}").get_json()
        found += [(one["row"], one["status"], one["detail"]) for one in page["notifications"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def test_the_rows_of_a_bulk_are_listed_with_what_became_of_each_and_why(web: Web) -> None:
    other, number = accepted(web.post(body=body(2))), accepted(web.post(body=body(5)))
    web.office.work()
    for row, status, detail in ((2, "rejected", "opted_out"), (4, "expired", "")):
        web.office.ask(
            "UPDATE notifications SET status = %s, detail = %s WHERE row_no = %s AND bulk_id = "
            "(SELECT max(id) FROM bulks) RETURNING 1", status, detail, row,
        )  # fmt: skip
    queued = ("queued", "")
    assert rows_listed(web, f"bulk={number}") == [
        (5, *queued), (4, "expired", ""), (3, *queued), (2, "rejected", "opted_out"), (1, *queued),
    ]  # fmt: skip
    assert rows_listed(web, f"bulk={number}&status=rejected") == [(2, "rejected", "opted_out")]
    assert rows_listed(web, f"bulk={number}&status=delivered") == []
    assert [row for row, *_ in rows_listed(web, f"bulk={other}")] == [2, 1]


def test_anothers_bulk_and_none_have_no_rows_to_list(web: Web) -> None:
    number = accepted(web.post(body=body()))
    web.office.work()
    answers = [listed(web, f"bulk={number}", key) for key in ("foreign", "tester")]
    answers += [listed(web, f"bulk={one}") for one in ("x", number[:-1], "%00")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1
