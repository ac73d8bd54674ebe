"""A key speaks for its institution: from its networks, until it expires or is revoked."""

from datetime import timedelta

import pytest

from tests.stores.world import NOON, SEAL, World, after
from ussdapp.core.keys import IssuedKey, KeyRequest
from ussdapp.stores.database import rows
from ussdapp.stores.keys import PgKeys, TooManyKeys
from ussdapp.stores.public_ids import PublicIds
from ussdapp.stores.registers import PgRegisters

LATER = 5.0  # seconds within which a revoked key is refused everywhere


class Ticks:
    """Monotonic seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def keys(world: World, ticks: Ticks) -> PgKeys:
    return PgKeys(world.database, SEAL, ticks)


def request(**more: object) -> KeyRequest:
    return KeyRequest(**{"institution": "ega", "name": "mfumo", "scopes": ("a",), **more})  # type: ignore[arg-type]


def test_two_keys_of_one_owner_are_one_person(keys: PgKeys) -> None:
    for name in ("mfumo", "mwingine"):
        keys.issue(request(name=name, owner="asha@ega.go.tz"), name, NOON)
    persons = {found.person for name in ("mfumo", "mwingine") if (found := keys.holder(name, NOON))}
    assert persons == {"asha@ega.go.tz"}


def test_a_key_speaks_for_its_institution(keys: PgKeys) -> None:
    keys.issue(request(scopes=("cases:reply",), live=False, per_second=7), "secret", NOON)
    holder = keys.holder("secret", NOON)
    assert holder
    assert (holder.institution, holder.live, holder.scopes, holder.per_second) == (
        "ega", False, frozenset({"cases:reply"}), 7,
    )  # fmt: skip
    assert holder.person == f"key {holder.key_id}"
    assert keys.holder("guess", NOON) is None
    assert keys.holder("", NOON) is None


def test_what_is_kept_of_a_key_is_not_the_key(keys: PgKeys, world: World) -> None:
    keys.issue(request(), "the-secret-itself", NOON)
    names = {"sys_id": "s", "user_id": "u", "mobile_service_id": "1"}
    keys.issue_mgov(request(name="mgov"), "the-other-secret", names, NOON)
    kept = str(world.database.run(lambda link: rows(link, "SELECT * FROM keys")))
    for secret in ("the-secret-itself", "the-other-secret"):
        assert secret not in kept
        assert secret not in repr(keys.of_system("s", NOON))


def test_a_revoked_key_is_refused_everywhere_within_five_seconds(
    keys: PgKeys, ticks: Ticks, world: World
) -> None:
    keys.issue(request(), "secret", NOON)
    elsewhere = PgKeys(world.database, SEAL, ticks)
    holder = keys.holder("secret", NOON)
    assert holder
    assert elsewhere.holder("secret", NOON)
    PgRegisters(world.database).revoke(holder.key_id, after(1))
    ticks.now = LATER
    assert keys.holder("secret", after(5)) is None
    assert elsewhere.holder("secret", after(5)) is None


def test_a_key_that_was_asked_for_just_now_is_not_asked_for_again(
    keys: PgKeys, world: World, ticks: Ticks
) -> None:
    keys.issue(request(), "secret", NOON)
    keys.holder("secret", NOON)
    world.database.run(lambda link: link.execute("UPDATE keys SET revoked_at = now()"))
    assert keys.holder("secret", NOON)
    ticks.now = LATER
    assert keys.holder("secret", NOON) is None


def test_a_key_ends_when_it_expires_also_where_it_is_remembered(keys: PgKeys) -> None:
    keys.issue(request(expires_at=after(2)), "secret", NOON)
    assert keys.holder("secret", after(1))
    assert keys.holder("secret", after(2)) is None


def test_a_key_that_replaces_another_is_good_beside_it_for_a_week(
    keys: PgKeys, ticks: Ticks
) -> None:
    keys.issue(request(scopes=("x",), networks=("10.0.0.0/8",), per_second=9), "old", NOON)
    old = keys.holder("old", NOON)
    assert old
    keys.replace(old.key_id, "new", NOON)
    ticks.now = LATER
    new = keys.holder("new", after(5))
    assert new
    assert (new.scopes, new.networks, new.per_second) == (old.scopes, old.networks, 9)
    assert keys.holder("old", after(5))
    week = NOON + timedelta(days=7)
    assert keys.holder("old", week) is None
    assert keys.holder("new", week)


def test_no_third_key_of_a_name_is_good_at_once(keys: PgKeys, ticks: Ticks) -> None:
    keys.issue(request(), "one", NOON)
    keys.issue(request(), "two", NOON)
    with pytest.raises(TooManyKeys):
        keys.issue(request(), "three", NOON)
    keys.issue(request(name="another"), "three", NOON)
    one = keys.holder("one", NOON)
    assert one
    with pytest.raises(TooManyKeys):
        keys.replace(one.key_id, "four", NOON)
    # what was refused changed nothing
    ticks.now = LATER
    assert keys.holder("one", NOON + timedelta(days=30))


def test_a_key_of_nobody_and_a_network_that_is_none_are_refused(keys: PgKeys) -> None:
    with pytest.raises(LookupError):
        keys.issue(request(institution="nobody"), "x", NOON)
    with pytest.raises(ValueError, match="host bits"):
        keys.issue(request(networks=("10.0.0.1/8",)), "x", NOON)
    with pytest.raises(LookupError):
        keys.replace(99, "x", NOON)


def test_its_last_use_is_known_to_the_minute(keys: PgKeys, ticks: Ticks, world: World) -> None:
    keys.issue(request(), "secret", NOON)

    def used() -> object:
        found = world.database.run(lambda link: rows(link, "SELECT last_used_at FROM keys"))
        return found[0][0]

    assert used() is None
    keys.holder("secret", NOON)
    assert used() == NOON
    for seconds in (10, 20, 59):
        ticks.now += LATER
        keys.holder("secret", after(seconds))
    assert used() == NOON
    ticks.now += LATER
    keys.holder("secret", after(61))
    assert used() == after(61)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [("10.1.2.3", True), ("10.2.0.1", False), ("::ffff:10.1.2.3", True), ("fd00::1", True),
     ("fd01::1", False), ("", False), ("10.1.2.3, 10.2.0.1", False)],
)  # fmt: skip
def test_an_address_is_in_its_networks_or_not(keys: PgKeys, address: str, admitted: bool) -> None:
    keys.issue(request(networks=("10.1.0.0/16", "fd00::/16")), "secret", NOON)
    holder = keys.holder("secret", NOON)
    assert isinstance(holder, IssuedKey)
    assert holder.comes_from(address) is admitted


def test_who_tries_keys_does_not_fill_the_memory(keys: PgKeys) -> None:
    for number in range(50):
        keys.holder(f"guess-{number}", NOON)
    assert len(keys._known) == 0


def test_a_public_id_is_read_back_and_tells_no_order() -> None:
    ids, others = (PublicIds(bytes(range(32)), kind) for kind in ("notice", "bulk"))
    shown = [ids.shown(number) for number in (0, 1, 2, 255, 2**63 - 1)]
    assert [ids.read(one) for one in shown] == [0, 1, 2, 255, 2**63 - 1]
    assert len(set(shown)) == 5
    assert all(len(one) == 26 for one in shown)
    assert [others.read(one) for one in shown] == [None] * 5
    assert PublicIds(bytes(32), "notice").read(shown[0]) is None
    for wrong in ("", "x", "1" * 26, shown[0].upper(), shown[0] + "a", shown[0][:-1] + "!"):
        assert ids.read(wrong) is None
    # the last digit holds bits of the block and bits that must be nought
    last = shown[1][-1]
    twins = [shown[1][:-1] + digit for digit in "abcdefghijklmnopqrstuvwxyz234567" if digit != last]
    assert [ids.read(one) for one in twins] == [None] * 31


def test_what_signs_is_kept_sealed_and_comes_back_whole(keys: PgKeys, world: World) -> None:
    keys.issue(request(), "signs", NOON, "the-secret-that-signs")
    kept = str(world.database.run(lambda link: rows(link, "SELECT * FROM keys")))
    assert "the-secret-that-signs" not in kept
    assert b"the-secret-that-signs".hex() not in kept
    holder = keys.holder("signs", NOON)
    assert holder
    assert holder.secret == "the-secret-that-signs"
    assert holder.secret not in repr(holder)


def test_a_key_that_signs_is_not_replaced_by_one_that_does_not(keys: PgKeys) -> None:
    keys.issue(request(), "signs", NOON, "secret")
    with pytest.raises(LookupError, match="signs"):
        keys.replace(1, "bare", after(1))
    holder = keys.holder("signs", after(1))
    assert holder
    assert holder.expires_at is None, "nothing was changed"
