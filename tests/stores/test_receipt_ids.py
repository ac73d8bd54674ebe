"""Ids that a receipt spells otherwise than the answer did."""

import pytest
from structlog.testing import capture_logs

from tests.stores.receipts import came, parked, settled
from tests.stores.world import World, after
from ussdapp.core.status import Status


@pytest.mark.parametrize(
    ("told", "receipt"),
    [
        ("812FC7470000001B", "9308878062554710043"),
        ("9308878062554710043", "812fc7470000001b"),
        ("0000012345678901234567890", "12345678901234567890"),
        ("ABCDEF01", "abcdef01"),
        ("0d7e8f6c-4a5b", "d7e8f6c-4a5b"),
    ],
    ids=["hex, then decimal", "decimal, then hex", "leading zeros", "case", "a UUID cut short"],
)
def test_a_receipt_that_spells_the_id_otherwise_is_matched(
    world: World, told: str, receipt: str
) -> None:
    world.submitted(told)
    world.receipt(receipt, Status.DELIVERED)
    assert world.statuses() == ["delivered"]


def test_a_receipt_that_matches_as_spelt_wins(world: World) -> None:
    world.submitted("10")
    world.submitted("16")  # 0x10
    world.receipt("16", Status.DELIVERED)
    assert world.statuses() == ["submitted", "delivered"]


def test_a_base_is_learnt_and_another_is_believed_only_when_it_comes_again_and_again(
    world: World,
) -> None:
    ids = [f"{number:x}" for number in range(0xA000001, 0xA000004)]
    for spelt in ids:
        world.submitted(spelt)
        world.receipt(str(int(spelt, 16)), Status.DELIVERED)
    assert set(world.statuses()) == {"delivered"}
    others = [str(number) for number in range(77_000_001, 77_000_004)]
    with capture_logs() as logs:
        for at, spelt in enumerate(others, 10):
            assert world.statuses()[3:] == ["submitted"] * (at - 10)
            world.submitted(spelt, text=f"Habari {spelt}")
            world.receipt(f"{int(spelt):x}", Status.DELIVERED, at=at)
            for _ in range(3 if at < 12 else 0):
                world.receipts.apply(after(at))  # looking again teaches nothing
    world.receipts.apply(after(20))
    assert world.statuses() == ["delivered"] * 6, "what was parked is found by the new base"
    assert [(log["event"], log["base"]) for log in logs] == [
        ("receipt.base_changed", "decimal_to_hex")
    ]


def test_receipts_in_the_known_base_forget_a_stray_one_in_another(world: World) -> None:
    settled(world)
    for number in range(0xC0000001, 0xC0000006):
        world.submitted(f"{number:x}", text=f"Habari {number}")
    decimal = [str(0xC0000000 + number) for number in (1, 2, 3)]
    for at, stray in enumerate(decimal, 10):
        world.receipts.keep([came(stray)], after(at))
        world.receipts.apply(after(at + 0.5))
        if at == 11:
            world.receipts.keep([came("c0000005")], after(at + 0.6))
    assert world.statuses()[3:] == ["submitted"] * 4 + ["delivered"], "never three in a row"


@pytest.mark.parametrize(
    "spelt", ['a"b', "a\\b", "a\tb\nc", "null", "{x,y}", "a\0b", "a\ud800b", "é"]
)
def test_an_id_of_whatever_characters_is_kept(world: World, spelt: str) -> None:
    settled(world)
    world.receipts.keep([came(spelt, code=spelt), came("")], after(1))
    world.receipts.apply(after(2))
    assert parked(world) == 2
    world.submitted("m1")
    world.receipts.keep([came("m1", code=spelt), came(spelt)], after(3))
    assert world.statuses()[3:] == ["delivered"]
