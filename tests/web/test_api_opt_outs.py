"""The register of opt-outs as institutions' systems use it."""

from typing import Any

import pytest

from tests.fakes.served import ASHA, JUMA, Served, now
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import Learnt

PATH = "/api/v1/opt-outs"


def listed(world: Served, query: str = "", by: str = "ega-live") -> list[dict[str, Any]]:
    answer = world.ask("GET", PATH + query, by)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.get_json()["opt_outs"]
    return found


def test_what_an_institution_records_is_listed_kept_to_and_withdrawn(world: Served) -> None:
    made = world.ask("POST", PATH, json={"to": ASHA, "since": "2026-01-05T08:00:00+03:00"})
    told = made.get_json()
    assert (made.status_code, told["to"], told["since"]) == (201, ASHA, "2026-01-05T05:00:00Z")
    assert (told["scope"], told["until"], told["learnt"]) == ("institution", None, "institution")
    assert [one["id"] for one in listed(world)] == [told["id"]]
    assert listed(world, by="gepg-live") == listed(world, by="ega-test") == []
    ended = world.ask("DELETE", f"{PATH}/{told['id']}")
    assert (ended.status_code, ended.get_json()["history"][-1]["what"]) == (200, "opted_in")
    assert world.ask("DELETE", f"{PATH}/{told['id']}", "gepg-live").status_code == 404
    actions = world.query("SELECT action FROM audit WHERE action LIKE 'opt%%' ORDER BY id")
    assert actions == [("opt_out.recorded",), ("opt_out.withdrawn",)]


def test_a_citizens_own_word_is_not_withdrawn(world: Served) -> None:
    outs = world.gateway.receive_mo.opt_outs
    outs.opt_out(Msisdn(JUMA), "ega", now(), Learnt.SMS)
    (one,) = listed(world)
    assert (one["to"], one["learnt"]) == (JUMA, "sms")
    refusal = world.ask("DELETE", f"{PATH}/{one['id']}")
    assert refusal.status_code == 409
    assert "ANZA" in refusal.get_json()["detail"]
    assert len(listed(world, "?since=2026-01-01T00:00:00Z")) == 1
    assert listed(world, "?since=2099-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("body", "by", "fault"),
    [({"to": ASHA}, "ega-test", ("to", "not_simulated")),
     ({"to": ASHA, "since": "2099-01-01T00:00:00Z"}, "ega-live", ("since", "range")),
     ({"to": "255"}, "ega-live", ("to", "msisdn"))],
    ids=["a citizen by a test key", "ahead", "no MSISDN"],
)  # fmt: skip
def test_what_cannot_be_recorded_is_named(
    world: Served, body: dict[str, str], by: str, fault: tuple[str, str]
) -> None:
    answer = world.ask("POST", PATH, by, json=body)
    assert answer.status_code == 422
    assert [(one["field"], one["code"]) for one in answer.get_json()["errors"]] == [fault]
    assert world.query("SELECT count(*) FROM opt_outs") == [(0,)]


def test_a_test_key_tries_it_with_simulated_msisdns(world: Served) -> None:
    to = {"to": "255700000000"}
    assert world.ask("POST", PATH, "ega-test", json=to).status_code == 201
    assert [one["to"] for one in listed(world, by="ega-test")] == [to["to"]]
    sent = world.ask("POST", "/api/v1/notifications", "ega-test", json={**to, "text": "Habari"})
    world.settle()
    shown = world.ask("GET", f"/api/v1/notifications/{sent.get_json()['id']}", "ega-test")
    assert shown.get_json()["status"] == "rejected"


@pytest.mark.parametrize("query", ["?cursor=x", "?since=yesterday", "?limit=0", "?limit=501"])
def test_a_query_that_means_nothing_is_refused(world: Served, query: str) -> None:
    assert world.ask("GET", PATH + query).status_code == 422
