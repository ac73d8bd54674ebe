"""Events on their way to webhooks: from where they happen to a receiver on a real socket."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.fakes.patience import until
from tests.fakes.served import ASHA, Served, now, served
from tests.wire.web_peer import OK, WebPeer, web_peer
from tests.workers.webhooks import open_case, put
from ussdapp.core.inbound import Mo
from ussdapp.core.msisdn import Msisdn
from ussdapp.stores.tellings import LEASE
from ussdapp.web.api import verified as shown_in_the_docs
from ussdapp.web.api.webhook_events import TOLD
from workers.telling import MOST, MOST_OF_ONE, Telling, together

DELIVERED, DOUBTED = "255700000000", "255700000003"
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def world(database_url: str, redis_url: str) -> Iterator[Served]:
    with served(database_url, redis_url) as made:
        yield made


def worker(world: Served, clock: Callable[[], datetime] = now) -> Telling:
    tellings, tell = world.gateway.telling(together(threading.Event()))
    return Telling(tellings, tell, clock)


@contextmanager
def telling(world: Served) -> Iterator[None]:
    stopping = threading.Event()
    running = threading.Thread(target=worker(world).serve, args=(stopping,))
    running.start()
    try:
        yield
    finally:
        stopping.set()
        running.join()


def told(peer: WebPeer, secret: str) -> list[tuple[str, dict[str, Any]]]:
    """The webhook-id and the body of each post, its signature verified."""
    return [verified(request, secret) for request in list(peer.requests)]


def verified(request: bytes, secret: str) -> tuple[str, dict[str, Any]]:
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    event = Webhook(secret).verify(body, headers)
    assert shown_in_the_docs.verified(body, headers, secret) == event
    TOLD[event["type"]].model_validate_json(body)  # what the documentation promises
    return headers["webhook-id"], event


def send(world: Served, to: str = DELIVERED, by: str = "ega-live", **more: Any) -> str:
    body = {"to": to, "text": "Habari ya siri", **more}
    return world.ask("POST", "/api/v1/notifications", by, json=body).get_json()["id"]


def deliveries(world: Served, by: str = "ega-live", name: str = "main") -> list[dict[str, Any]]:
    return world.ask("GET", f"/api/v1/webhooks/{name}", by).get_json()["deliveries"]


def test_each_event_is_told_once_with_ids_and_without_text_or_msisdn(world: Served) -> None:
    with web_peer() as peer:
        secret = put(world, peer.port)["secret"]
        identity = send(world, reference="RT-1")
        bulk = world.ask("POST", "/api/v1/bulks", json={
            "name": "Bili", "text": "Habari ya siri", "recipients": [{"to": DELIVERED}],
        }).get_json()["id"]  # fmt: skip
        reference = open_case(world)
        text = Mo("sandbox", "1", ASHA, Msisdn(ASHA), "15200", "LALAMIKO EGA Habari ya siri", "")
        world.gateway.receive_mo(text, now())
        rows, importing = world.gateway.importing()
        while importing(now()):
            pass
        rows.close()
        world.settle()
        world.query("UPDATE bulks SET status = 'finished', ended_at = %s RETURNING 1", now())
        # what the gateway wrote by itself, a reference to the citizen, is nobody's to be told of
        ours = world.query("UPDATE notifications SET status = 'delivered' WHERE class = 'receipt'"
                           " RETURNING 1")  # fmt: skip
        assert ours
        with telling(world):
            until(lambda: len(peer.requests) >= 6)
            found = told(peer, secret)
    by_type: dict[str, list[dict[str, Any]]] = {}
    for _, body in found:
        by_type.setdefault(body["type"], []).append(body["data"])
    assert {name: len(data) for name, data in by_type.items()} == {
        "notification.final": 2,
        "bulk.finished": 1,
        "case.opened": 2,
        "sms.received": 1,
    }
    single = next(one for one in by_type["notification.final"] if one["id"] == identity)
    assert (single["status"], single["reference"], single["bulk"]) == ("delivered", "RT-1", None)
    assert {one["bulk"] for one in by_type["notification.final"]} == {None, bulk}
    assert (by_type["bulk.finished"][0]["id"], by_type["bulk.finished"][0]["total"]) == (bulk, 1)
    assert reference in {one["reference"] for one in by_type["case.opened"]}
    assert by_type["sms.received"] == [{"keyword": "LALAMIKO"}]
    assert len({identity for identity, _ in found}) == len(found)
    everything = json.dumps(found) + "".join(map(str, peer.requests))
    assert "siri" not in everything
    assert ASHA not in everything
    assert DELIVERED not in everything


def test_what_is_not_final_waits_and_is_told_when_it_is(world: Served) -> None:
    with web_peer() as peer:
        put(world, peer.port, events=["notification.final"])
        send(world, DOUBTED)
        world.settle()
        with telling(world):
            until(lambda: world.query("SELECT 1 FROM untold WHERE look_at > begun_at"))
            assert peer.requests == []
            world.query("UPDATE notifications SET status = 'undelivered' RETURNING 1")
            until(lambda: len(peer.requests) == 1)
            until(lambda: not world.query("SELECT 1 FROM untold"))
    assert b'"status":"undelivered"' in peer.requests[0]


def test_nothing_is_told_of_anothers_and_nothing_kept_for_who_asked_for_nothing(
    world: Served,
) -> None:
    with web_peer() as peer:
        put(world, peer.port, "gepg-live")
        send(world, by="ega-live")
        open_case(world, institution="ega")
        world.settle()
        assert world.query("SELECT 1 FROM untold") == []
        assert world.query("SELECT 1 FROM deliveries") == []
        send(world, by="gepg-live")
        world.settle()
        with telling(world):
            until(lambda: len(peer.requests) == 1)


def test_a_test_key_is_told_of_what_was_simulated_and_of_no_citizen(world: Served) -> None:
    with web_peer() as peer:
        secret = put(world, peer.port, "ega-test")["secret"]
        shown = send(world, ASHA, "ega-test")
        send(world, ASHA, "ega-live")
        open_case(world)
        world.settle()
        world.query("UPDATE notifications SET status = 'delivered' RETURNING 1")
        with telling(world):
            until(lambda: not world.query("SELECT 1 FROM untold"))
            until(lambda: {one["status"] for one in deliveries(world, "ega-test")} == {"delivered"})
        found = told(peer, secret)
    assert [(body["type"], body["data"]["id"]) for _, body in found] == [
        ("notification.final", shown)
    ]


def test_a_post_that_fails_is_tried_again_under_the_same_id_and_with_the_same_body(
    world: Served,
) -> None:
    said = [BUSY, BUSY]

    def speak(wire: Any) -> None:
        wire.sendall(said.pop() if said else OK)

    with web_peer(speak) as peer:
        secret = put(world, peer.port)["secret"]
        open_case(world)
        with telling(world):
            until(lambda: len(peer.requests) == 1)
            until(lambda: deliveries(world)[0]["tries"] == 1)
            (shown,) = deliveries(world)
            assert (shown["status"], shown["detail"]) == ("waiting", "500")
            assert shown["next_try_at"] > shown["tried_at"]
            for tries in (2, 3):
                due_now(world)
                until(lambda tries=tries: deliveries(world)[0]["tries"] == tries)
        found = told(peer, secret)
    assert len({json.dumps(one) for one in found}) == 1
    assert len(found) == 3
    (shown,) = deliveries(world)
    assert (shown["status"], shown["detail"], shown["next_try_at"]) == ("delivered", "200", None)
    assert shown["id"] == found[0][0]


def due_now(world: Served) -> None:
    world.query("UPDATE deliveries SET due_at = '2020-01-01' RETURNING 1")
    world.query("UPDATE webhooks SET held_until = '2020-01-01' RETURNING 1")


def test_what_is_never_taken_is_given_up_after_72_hours_and_shown(world: Served) -> None:
    with web_peer(BUSY) as peer:
        put(world, peer.port)
        open_case(world)
        world.query("UPDATE deliveries SET at = %s RETURNING 1", now() - timedelta(hours=72))
        with telling(world):
            until(lambda: deliveries(world)[0]["status"] == "given_up")
    assert deliveries(world)[0]["detail"] == "500"


def test_a_webhook_that_is_gone_is_switched_off_until_it_is_put_again(world: Served) -> None:
    with web_peer(GONE) as gone:
        put(world, gone.port)
        open_case(world)
        with telling(world):
            until(lambda: world.ask("GET", "/api/v1/webhooks").get_json()["webhooks"][0]["status"]
                  == "off")  # fmt: skip
            open_case(world, 2)
            send(world)
        assert len(gone.requests) == 1
    shown = world.ask("GET", "/api/v1/webhooks/main").get_json()
    assert shown["detail"] == "answered 410"
    assert len(shown["deliveries"]) == 1
    assert world.ask("POST", "/api/v1/webhooks/main/test").status_code == 409
    tellings, _ = world.gateway.telling(together(threading.Event()))
    tellings.sweep(now())
    assert deliveries(world)[0]["status"] == "given_up"
    with web_peer() as peer:
        put(world, peer.port)
        open_case(world, 3)
        with telling(world):
            until(lambda: len(peer.requests) == 1)


def test_a_410_to_a_url_that_was_changed_meanwhile_switches_nothing_off(world: Served) -> None:
    with web_peer() as peer:

        def speak(wire: Any) -> None:
            put(world, peer.port)
            wire.sendall(GONE)

        with web_peer(speak) as before:
            put(world, before.port)
            open_case(world)
            with telling(world):
                until(lambda: len(before.requests) == 1)
                open_case(world, 2)
                until(lambda: len(peer.requests) >= 1)


def test_a_worker_that_dies_with_its_window_loses_nothing(world: Served) -> None:
    """What it took is another's after the lease: told at least once, under the same id."""
    with web_peer() as peer:
        secret = put(world, peer.port)["secret"]
        for number in range(5):
            open_case(world, number)
        tellings, _ = world.gateway.telling(together(threading.Event()))
        (endpoint,) = tellings.take(now(), 10)
        window = tellings.window(endpoint, now(), 100)  # posted, perhaps, and then it died
        assert len(window) == 5
        assert tellings.take(now(), 10) == []
        later = worker(world, lambda: now() + LEASE)
        assert later.begin() == 1
        until(lambda: {one["status"] for one in deliveries(world)} == {"delivered"})
        found = told(peer, secret)
    assert {identity for identity, _ in found} == {event.message_id for event in window}


def test_one_that_hangs_delays_no_other_and_is_held_alone(world: Served) -> None:
    gate, failed = threading.Event(), "SELECT 1 FROM webhooks WHERE failures > 0"
    with web_peer(lambda wire: gate.wait()) as hangs, web_peer() as peer:
        put(world, hangs.port, "gepg-live")
        put(world, peer.port, "ega-live")
        for number in range(40):
            open_case(world, number, "gepg")
        with telling(world):
            until(lambda: len(hangs.requests) == 8)  # as many as one has places
            for number in range(40, 60):
                open_case(world, number, "ega")
            until(lambda: len(peer.requests) == 20)
            assert (len(hangs.requests), world.query(failed)) == (8, []), "they waited for it"
            until(lambda: world.query(failed))
        gate.set()
    tries = [row[0] for row in world.query("SELECT tries FROM deliveries d JOIN webhooks w"
             " ON w.id = d.webhook_id WHERE w.failures > 0")]  # fmt: skip
    assert sorted(set(tries)) == [0, 1]
    assert 8 <= sum(tries) <= 12


def test_one_that_was_sealed_with_another_key_delays_no_other(world: Served) -> None:
    with web_peer(OK) as peer:
        put(world, peer.port, name="spoilt")
        put(world, peer.port, "gepg-live")
        spoil = "UPDATE webhooks SET secret_sealed = '' WHERE name = 'spoilt'"
        world.gateway.database.run(lambda link: link.execute(spoil) and None)
        open_case(world, 1)
        open_case(world, 2, "gepg")
        with telling(world):
            until(lambda: peer.requests)


@pytest.mark.parametrize("spoilt", ["'x'", "reference_sealed || '!'"], ids=["cut", "changed"])
def test_an_event_whose_reference_cannot_be_opened_is_ended_by_name_and_the_others_told(
    world: Served, spoilt: str
) -> None:
    with web_peer() as peer:
        secret = put(world, peer.port, events=["notification.final"])["secret"]
        identities = [send(world, reference=f"RT-{number}") for number in range(3)]
        world.settle()
        world.query(f"UPDATE contents SET reference_sealed = {spoilt}"
                    " WHERE notification_id = 2 RETURNING 1")  # fmt: skip
        with telling(world):
            until(lambda: sorted(one["status"] for one in deliveries(world))
                  == ["delivered", "delivered", "given_up"])  # fmt: skip
        found = told(peer, secret)
    assert {body["data"]["id"] for _, body in found} == {identities[0], identities[2]}
    (ended,) = (one for one in deliveries(world) if one["status"] == "given_up")
    assert (ended["detail"], ended["next_try_at"]) == ("unreadable", None)


def test_an_institution_with_many_that_hang_takes_no_more_than_its_share(world: Served) -> None:
    gate = threading.Event()
    with web_peer(lambda wire: gate.wait()) as hangs, web_peer() as peer:
        for number in range(MOST_OF_ONE + 3):
            put(world, hangs.port, "gepg-live", f"hook-{number}")
            world.ask("POST", f"/api/v1/webhooks/hook-{number}/test", "gepg-live")
        put(world, peer.port)
        open_case(world)
        working = worker(world)
        assert working.begin() == MOST_OF_ONE + 1
        until(lambda: len(peer.requests) == 1 and len(hangs.requests) == MOST_OF_ONE)
        assert working.begin() == 0
        gate.set()
        until(lambda: not working.under_way())
        assert working.begin() == 3
        until(lambda: not working.under_way())


def test_more_webhooks_than_there_is_room_for_all_have_their_turn(world: Served) -> None:
    with web_peer() as peer:
        for number in range(MOST + 4):
            by = ("ega-live", "gepg-live", "nida-live", "ega-test")[number % 4]
            put(world, peer.port, by, f"hook-{number}")
            world.ask("POST", f"/api/v1/webhooks/hook-{number}/test", by)
        with telling(world):
            until(lambda: len(peer.requests) == MOST + 4)


def test_a_stop_waits_for_posts_under_way_and_begins_no_other(world: Served) -> None:
    def slow(wire: Any) -> None:
        time.sleep(0.5)
        wire.sendall(OK)

    with web_peer(slow) as peer:
        put(world, peer.port)
        for number in range(30):
            open_case(world, number)
        stopping = threading.Event()
        tellings, tell = world.gateway.telling(together(stopping))
        running = threading.Thread(target=Telling(tellings, tell).serve, args=(stopping,))
        running.start()
        until(lambda: len(peer.requests) == 8)
        stopping.set()
        running.join()
        assert len(peer.requests) == 8
    statuses = [row[0] for row in world.query("SELECT status FROM deliveries")]
    assert sorted(statuses) == ["delivered"] * 8 + ["waiting"] * 22


def test_deliveries_are_forgotten_after_ten_days(world: Served) -> None:
    put(world, 9)
    for number in range(3):
        open_case(world, number)
    world.query("UPDATE deliveries SET status = 'delivered', at = %s WHERE id <= 2 RETURNING 1",
                now() - timedelta(days=10, minutes=1))  # fmt: skip
    tellings, _ = world.gateway.telling(together(threading.Event()))
    tellings.sweep(now())
    assert world.query("SELECT id FROM deliveries") == [(3,)]


def test_a_case_that_is_handed_over_is_told_to_whom_it_went_and_no_more_to_whom_it_was(
    world: Served,
) -> None:
    with web_peer() as peer, web_peer() as before:
        put(world, peer.port, "gepg-live")
        put(world, before.port, "ega-live")
        reference = open_case(world)
        body = {"institution": "gepg", "reason": "Ni yao."}
        handed = world.ask("POST", f"/api/v1/cases/{reference}/transfer", json=body)
        assert handed.status_code == 200, handed.data
        with telling(world):
            until(lambda: len(peer.requests) == 1)
            until(lambda: deliveries(world)[0]["status"] == "given_up")
    assert reference in str(peer.requests[0])
    assert before.requests == []


def test_what_is_accepted_while_it_is_looked_for_is_never_missed(world: Served) -> None:
    """Four writers accept and end while three look: each end is told once to each webhook."""
    put(world, 9, events=["notification.final"])
    put(world, 9, name="other", events=["notification.final"])
    tellings, _ = world.gateway.telling(together(threading.Event()))
    ended, over = [], threading.Event()

    def write(place: int) -> None:
        for _ in range(15):
            identity = send(world, ASHA)
            ended.append(identity)
            world.query("UPDATE notifications SET status = 'delivered' WHERE mod(id, 4) = %s"
                        " AND status <> 'delivered' RETURNING 1", place)  # fmt: skip

    def look() -> None:
        while not over.is_set():
            tellings.look(now() + timedelta(seconds=2))

    writers = [threading.Thread(target=write, args=(place,)) for place in range(4)]
    lookers = [threading.Thread(target=look) for _ in range(3)]
    for one in (*lookers, *writers):
        one.start()
    for one in writers:
        one.join()
    world.query("UPDATE notifications SET status = 'delivered' RETURNING 1")
    until(lambda: not world.query("SELECT 1 FROM untold"))
    over.set()
    for one in lookers:
        one.join()
    counts = world.query("SELECT subject, count(*) FROM deliveries GROUP BY 1")
    assert len(counts) == len(ended) == 60
    assert {count for _, count in counts} == {2}
