"""What Sessions promises, the fake and Redis alike, and what only Redis can do wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.fakes.dialogue import FakeSessions
from ussdapp.core.funnel import Seen, Step
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.resume import Draft
from ussdapp.core.session import Found, Record
from ussdapp.ports import After, Sessions, Unavailable
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions

FIRST = Record("v1", "sw")
NEXT = Record("v1", "sw", ("9",))
THIRD = Record("v1", "en", ("9", "a*b é😀"), (Found("filed", {"kumbukumbu": "1"}),))
RESUMED = Record("v1", "sw", ("2",), (), "20261122", ("9", "1"), "1", "origin")
ASHA, JUMA = Msisdn("255754000001"), Msisdn("255754000002")
STEP = Step("20261122", Seen("at", "sw", "main.b"), left=Seen("at", "sw", "main.a"))
SEAL = Seal(b"s" * 32, b"i" * 32)


def after(record: Record, draft: Draft = Draft.LEFT) -> After:
    return After(record, ASHA, draft)


def connected(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))


def redis_sessions(url: str, seal: Seal = SEAL) -> RedisSessions:
    return RedisSessions(connected(url), seal, ttl_s=180, mark_key=b"m" * 32)


@pytest.fixture(params=["fake", "redis"])
def sessions(request: pytest.FixtureRequest) -> Iterator[Sessions]:
    if request.param == "fake":
        yield FakeSessions()
    else:
        yield redis_sessions(request.getfixturevalue("redis_url"))


def test_nothing_is_kept_at_first(sessions: Sessions) -> None:
    assert sessions.kept("k") is None


@pytest.mark.parametrize("record", [THIRD, RESUMED], ids=["with a find", "resumed"])
def test_a_record_is_kept_whole(sessions: Sessions, record: Record) -> None:
    assert sessions.exchange("k", None, after(record)) is None
    assert sessions.kept("k") == record


def test_a_dialogue_begins_where_nothing_is_kept_and_no_draft_lies(sessions: Sessions) -> None:
    assert sessions.begin("k", FIRST, ASHA) == (None, None)
    assert sessions.kept("k") == FIRST
    assert sessions.begin("k", NEXT, ASHA) == (FIRST, None)


def test_a_draft_is_told_to_its_citizen_and_nothing_is_kept_of_the_dial(
    sessions: Sessions,
) -> None:
    sessions.exchange("k", None, after(NEXT, Draft.TAKEN))
    assert sessions.begin("l", FIRST, JUMA) == (None, None)
    kept, draft = sessions.begin("m", FIRST, ASHA)
    assert kept is None
    assert draft == replace(NEXT, origin="k")
    assert sessions.kept("m") is None


def test_a_draft_is_left_replaced_and_cleared(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(FIRST, Draft.TAKEN))
    sessions.exchange("k", FIRST, after(NEXT, Draft.LEFT))
    assert sessions.begin("l", FIRST, ASHA)[1] == replace(FIRST, origin="k")
    sessions.exchange("k", NEXT, after(THIRD, Draft.TAKEN))
    assert sessions.begin("l", FIRST, ASHA)[1] == replace(THIRD, origin="k")
    sessions.exchange("k", THIRD, after(FIRST, Draft.CLEARED))
    assert sessions.begin("l", FIRST, ASHA) == (None, None)


def test_a_refused_exchange_leaves_the_draft(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(FIRST, Draft.TAKEN))
    assert sessions.exchange("k", NEXT, after(THIRD, Draft.CLEARED)) == FIRST
    assert sessions.begin("l", NEXT, ASHA)[1] == replace(FIRST, origin="k")


def test_the_draft_of_a_resumed_dialogue_keeps_the_origin_of_its_effects(
    sessions: Sessions,
) -> None:
    sessions.exchange("k", None, after(RESUMED, Draft.TAKEN))
    assert sessions.begin("l", FIRST, ASHA)[1] == RESUMED


def test_a_draft_lies_sealed_under_a_blind_index_for_ten_minutes(redis_url: str) -> None:
    redis_sessions(redis_url).exchange("k", None, after(THIRD, Draft.TAKEN))
    client = connected(redis_url)
    place = f"draft:{SEAL.index(ASHA).hex()}"
    assert ASHA.digits not in place
    assert client.ttl(place) == 600
    assert b"kumbukumbu" not in cast("bytes", client.get(place))


def test_a_draft_that_cannot_be_read_is_no_draft(redis_url: str) -> None:
    redis_sessions(redis_url, Seal(b"o" * 32, b"i" * 32)).exchange(
        "k", None, after(THIRD, Draft.TAKEN)
    )
    sessions = redis_sessions(redis_url)
    assert sessions.begin("l", FIRST, ASHA) == (None, None)
    assert sessions.kept("l") == FIRST
    assert sessions.begin("m", NEXT, ASHA) == (None, None)


@pytest.mark.parametrize("step", [None, STEP], ids=["plain", "counted"])
def test_a_step_with_its_draft_and_its_counts_is_one_command(
    redis_url: str, step: Step | None
) -> None:
    client = connected(redis_url)
    sent = noted(client)
    sessions = RedisSessions(client, SEAL)
    sessions.begin("k", FIRST, ASHA, step)
    sessions.exchange("k", FIRST, after(FIRST, Draft.TAKEN), step)
    sent.clear()
    sessions.exchange("k", FIRST, after(NEXT, Draft.TAKEN), step)
    assert sessions.begin("l", FIRST, JUMA, step) == (None, None)
    assert len(sent) == 2


def noted(client: Redis) -> list[object]:
    """Notes each command that leaves on a connection of that client; each is a round trip."""
    sent: list[object] = []
    plain: Any = client.connection_pool.connection_class

    class Noting(plain):  # type: ignore[misc]  # whichever the URL asks for
        def send_packed_command(self, command: object, *arguments: Any, **options: Any) -> None:
            sent.append(command)
            super().send_packed_command(command, *arguments, **options)

    client.connection_pool.connection_class = Noting
    return sent


def test_a_record_takes_the_place_of_the_one_before_it(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(FIRST))
    assert sessions.exchange("k", FIRST, after(NEXT)) is None
    assert sessions.kept("k") == NEXT


def test_a_repeated_exchange_is_no_conflict(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(FIRST))
    sessions.exchange("k", FIRST, after(NEXT))
    assert sessions.exchange("k", FIRST, after(NEXT)) is None


def test_another_record_stays_and_is_told(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(THIRD))
    assert sessions.exchange("k", FIRST, after(NEXT)) == THIRD
    assert sessions.exchange("k", None, after(NEXT)) == THIRD
    assert sessions.kept("k") == THIRD


def test_keys_do_not_know_each_other(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(FIRST))
    assert sessions.kept("l") is None


def test_of_parallel_exchanges_one_wins_and_all_others_hear_of_it(sessions: Sessions) -> None:
    sessions.exchange("k", None, after(FIRST))
    rivals = [Record("v1", "sw", (str(number),)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda rival: sessions.exchange("k", FIRST, after(rival)), rivals))
    winner = rivals[told.index(None)]
    assert told.count(None) == 1
    assert set(told) == {None, winner}


def test_what_is_kept_ends_with_its_time_to_live(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    sessions.exchange("k", None, after(FIRST))
    client = connected(redis_url)
    assert client.ttl("ussd:k") == 180
    client.pexpire("ussd:k", 1)
    while client.exists("ussd:k"):
        pass
    assert sessions.kept("k") is None


def test_nothing_readable_lies_in_redis(redis_url: str) -> None:
    redis_sessions(redis_url).exchange("k", None, after(THIRD))
    content = cast("bytes", connected(redis_url).get("ussd:k"))
    assert b"kumbukumbu" not in content
    assert b"a*b" not in content


@pytest.mark.parametrize(
    "spoil",
    [lambda kept: b"x", lambda kept: b"", lambda kept: kept[:-1] + bytes((kept[-1] ^ 1,))],
    ids=["shorter than a mark", "empty", "changed"],
)
def test_what_cannot_be_read_counts_as_nothing_kept(redis_url: str, spoil: object) -> None:
    sessions, client = redis_sessions(redis_url), connected(redis_url)
    sessions.exchange("k", None, after(THIRD))
    client.set("ussd:k", spoil(client.get("ussd:k")))  # type: ignore[operator]
    assert sessions.kept("k") is None
    assert sessions.exchange("k", FIRST, after(NEXT)) is None
    assert sessions.kept("k") == NEXT


def test_a_record_sealed_by_another_key_counts_as_nothing_kept(redis_url: str) -> None:
    redis_sessions(redis_url, Seal(b"o" * 32, b"i" * 32)).exchange("k", None, after(THIRD))
    assert redis_sessions(redis_url).kept("k") is None


# -- following a guess, and counting


def test_a_guess_is_followed_where_it_is_what_is_kept(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    with pytest.raises(LookupError):
        sessions.follow("k", FIRST, after(NEXT), STEP)
    assert sessions.kept("k") is None
    sessions.exchange("k", None, after(FIRST))
    assert sessions.follow("k", FIRST, after(NEXT), STEP) is None
    assert sessions.follow("k", FIRST, after(NEXT), STEP) is None
    assert sessions.follow("k", FIRST, after(THIRD), STEP) == NEXT
    assert sessions.kept("k") == NEXT


def counts(url: str, day: str = "20261122") -> dict[str, int]:
    found = cast("dict[bytes, bytes]", connected(url).hgetall(f"funnel:{day}"))
    return {name.decode(): int(count) for name, count in found.items() if name != b"id"}


def test_a_step_counts_its_screens_once_however_often_it_comes(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    start = Step("20261122", Seen("at", "sw", "main.a"))
    assert sessions.begin("k", FIRST, ASHA, start) == (None, None)
    assert sessions.begin("k", FIRST, ASHA, start) == (FIRST, None)
    for _ in range(3):
        assert sessions.exchange("k", FIRST, after(NEXT), STEP) is None
    assert sessions.exchange("k", FIRST, after(THIRD), STEP) == NEXT
    assert counts(redis_url) == {
        "steps": 2,
        "at|sw|main.a|entries": 1,
        "at|sw|main.a|exits": 1,
        "at|sw|main.a|0": 1,
        "at|sw|main.b|entries": 1,
    }


def test_a_wrong_key_stays_on_its_screen_and_the_last_one_ends_there(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    screen = Seen("at", "en", "main.a")
    sessions.exchange("k", None, after(FIRST), Step("20261122", screen))
    wrong = Step("20261122", screen, ends=True, left=screen, wrong=True)
    sessions.exchange("k", FIRST, after(NEXT), wrong)
    assert counts(redis_url) == {
        "steps": 2,
        "at|en|main.a|entries": 1,
        "at|en|main.a|wrong": 1,
        "at|en|main.a|0": 1,
        "at|en|main.a|ended": 1,
    }


def test_what_is_counted_waits_three_days_and_names_nobody(redis_url: str) -> None:
    sessions, client = redis_sessions(redis_url), connected(redis_url)
    sessions.exchange("k", None, after(THIRD), STEP)
    assert 0 < client.ttl("funnel:20261122") <= 3 * 24 * 3600
    content = b" ".join(
        part
        for pair in cast("dict[bytes, bytes]", client.hgetall("funnel:20261122")).items()
        for part in pair
    )
    for word in (ASHA.digits, "a*b", "kumbukumbu"):
        assert word.encode() not in content


def test_the_first_effect_under_a_key_is_told_to_who_comes_after(sessions: Sessions) -> None:
    assert sessions.first_effect("words", "a") == "a"
    assert [sessions.first_effect("words", effect) for effect in ("b", "a")] == ["a", "a"]
    assert sessions.first_effect("other words", "c") == "c"


def test_eight_threads_agree_on_the_first_effect(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda effect: sessions.first_effect("k", effect), "abcdefgh"))
    assert len(set(told)) == 1


def test_a_first_effect_that_cannot_be_read_is_as_good_as_none(redis_url: str) -> None:
    redis_sessions(redis_url).first_effect("k", "a")
    elsewhere = redis_sessions(redis_url, Seal(b"t" * 32, b"i" * 32))
    assert elsewhere.first_effect("k", "b") == "b"


def test_each_wrong_reference_counts_once_a_day_and_citizen(sessions: Sessions) -> None:
    assert sessions.tried(ASHA, "20261122") == 0
    assert [sessions.tried(ASHA, "20261122", wrong) for wrong in ("1", "2", "1")] == [1, 2, 2]
    assert sessions.tried(JUMA, "20261122") == sessions.tried(ASHA, "20261123") == 0
    assert sessions.tried(ASHA, "20261122") == 2


def test_what_is_kept_of_words_and_references_shows_neither_and_goes(redis_url: str) -> None:
    sessions, client = redis_sessions(redis_url), connected(redis_url)
    sessions.first_effect(f"{ASHA.digits} Maji hayatoki", "effect of ATUid_1")
    sessions.tried(ASHA, "20261122", "482130000015")
    for key in cast("list[bytes]", client.keys()):
        assert 0 < cast("int", client.ttl(key)) <= 26 * 3600
        members = client.smembers(key) if client.type(key) == b"set" else {client.get(key)}
        for word in (ASHA.digits, "Maji", "ATUid", "482130000015"):
            assert word.encode() not in key + b"".join(cast("set[bytes]", members))


def test_marks_of_requests_are_kept(sessions: Sessions) -> None:
    marked = Record("v1", "sw", ("9",), marks=("a.first", "b.c"), marked_at=1795339800.25)
    sessions.exchange("k", None, after(marked))
    assert sessions.kept("k") == marked


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (1, 1), (14, 5), (599, 10), (601, 11), (-5, 0)]
)
def test_the_time_in_front_of_a_screen_is_counted_in_buckets(
    redis_url: str, seconds: int, bucket: int
) -> None:
    sessions, client = redis_sessions(redis_url), connected(redis_url)
    sessions.exchange("k", None, after(FIRST))
    kept = cast("bytes", client.get("ussd:k"))
    earlier = int(kept[16:29]) - seconds * 1000
    client.set("ussd:k", kept[:16] + b"%013d" % earlier + kept[29:])
    sessions.exchange("k", FIRST, after(NEXT), STEP)
    assert counts(redis_url)[f"at|sw|main.a|{bucket}"] == 1


def test_a_redis_that_forgot_the_script_is_taught_it_again(redis_url: str) -> None:
    sessions = redis_sessions(redis_url)
    sessions.exchange("k", None, after(FIRST))
    connected(redis_url).script_flush()
    assert sessions.exchange("k", FIRST, after(NEXT)) is None


def test_a_value_of_another_type_is_unavailable_not_an_error_of_ours(redis_url: str) -> None:
    connected(redis_url).lpush("ussd:k", "x")
    with pytest.raises(Unavailable):
        redis_sessions(redis_url).exchange("k", None, after(FIRST))


def test_a_redis_that_nobody_serves_is_unavailable() -> None:
    sessions = redis_sessions("redis://127.0.0.1:1")
    with pytest.raises(Unavailable):
        sessions.kept("k")
    with pytest.raises(Unavailable):
        sessions.exchange("k", None, after(FIRST))
    with pytest.raises(Unavailable):
        sessions.first_effect("k", "a")
    with pytest.raises(Unavailable):
        sessions.tried(ASHA, "20261122")
