"""Knows what parts cost: each channel has a price in TZS a part, or none that we were told."""

from collections.abc import Mapping
from decimal import Decimal

from ussdapp.core.simulated import SIMULATED


def cost(parts: Mapping[str, int], prices: Mapping[str, Decimal]) -> Decimal | None:
    """What so many parts by channel cost; None where one of those channels has no price. What is
    simulated costs nothing."""
    paid = {channel: count for channel, count in parts.items() if count and channel != SIMULATED}
    if paid.keys() - prices.keys():
        return None
    return sum((prices[channel] * count for channel, count in paid.items()), Decimal(0))
