"""An institution says where it wants to be told of events, and gets a secret, shown once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.inbound import KeyHolder
from ussdapp.ports import Webhooks


@dataclass(frozen=True, slots=True)
class PutWebhook:
    """`refuse` raises for a URL that may not be called, as far as its spelling tells: what its name
    leads to is checked at each post."""

    webhooks: Webhooks
    refuse: Callable[[str], object]
    new_secret: Callable[[], str]

    def __call__(
        self, by: KeyHolder, name: str, url: str, events: tuple[str, ...], now: datetime
    ) -> str | None:
        """Makes the webhook and returns its secret, or changes the one of that name. Raises what
        `refuse` raises, and TooManyWebhooks."""
        self.refuse(url)
        secret = self.new_secret()
        return secret if self.webhooks.put(by, name, url, events, secret, now) else None

    def rotate(self, by: KeyHolder, name: str, now: datetime) -> str:
        """A new secret, beside which the one before signs for some days. Raises NoSuchWebhook."""
        secret = self.new_secret()
        self.webhooks.rotate(by, name, secret, now)
        return secret
