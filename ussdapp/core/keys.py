"""Knows what a key of the API may do, and from where."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ussdapp.core.inbound import KeyHolder
from ussdapp.core.networks import Network, within

SCOPES: Final[Mapping[str, str]] = {
    "notifications:send": "send single notifications",
    "notifications:read": "see what became of them",
    "bulks:send": "send and stop bulks",
    "bulks:read": "see what became of them",
    "bulks:approve": "approve another's bulk",
    "cases:read": "see the institution's cases",
    "cases:reply": "answer them",
    "cases:transfer": "hand them to another institution",
    "webhooks:write": "say where events are told",
    "opt-outs:read": "see who opted out",
    "opt-outs:write": "record who told the institution",
    "usage:read": "see usage and cost",
    "menus:publish": "publish the institution's branch of the menu",
    "templates:read": "see the institution's templates",
    "templates:write": "publish them",
    "codes:read": "see the codes it asked for",
    "codes:request": "ask for sender IDs, keywords and service codes",
}
OVERLAP: Final = timedelta(days=7)  # in which a key and the one that replaces it are both good
MOST_LIVE: Final = 2  # keys of one name that are good at once
MOST_OWNER: Final = 100  # characters


@dataclass(frozen=True, slots=True)
class IssuedKey(KeyHolder):
    """A key as kept: `networks` it may be used from (none: any), requests `per_second`, the sender
    IDs that its institution was allotted, its owner, "" where nobody was named, the secret that
    must sign each request, "" where none does, and whether its institution has look-alikes of
    GSM-7 characters replaced."""

    networks: tuple[Network, ...] = ()
    per_second: int = 50
    expires_at: datetime | None = None
    sender_ids: frozenset[str] = frozenset()
    owner: str = ""
    secret: str = field(default="", repr=False)
    plain_text: bool = False

    @property
    def person(self) -> str:
        """Who acts with it: two keys of one owner are one person, one without is its own."""
        return self.owner or f"key {self.key_id}"

    def comes_from(self, address: str) -> bool:
        """Whether it may be used from that address; an unreadable one is nobody's."""
        return not self.networks or within(address, self.networks)

    def good_at(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True, repr=False)
class MgovKey:
    """A key of the mGov API: `secret` signs, and it sends under `mobile_service_id`."""

    holder: IssuedKey
    secret: str
    mobile_service_id: str


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a new key shall be; `owner` is a staff e-mail address or a name, "" for nobody's."""

    institution: str
    name: str
    scopes: tuple[str, ...]
    live: bool = True
    networks: tuple[str, ...] = ()
    per_second: int = 50
    expires_at: datetime | None = None
    owner: str = ""


def owner_named(spelling: str) -> str:
    """A person's e-mail address or name, equal however it is spelt; raises ValueError."""
    owner = " ".join(unicodedata.normalize("NFKC", spelling).casefold().split())
    if not 2 <= len(owner) <= MOST_OWNER or owner.startswith("key "):
        raise ValueError(f"an owner is an e-mail address or a name of 2 to {MOST_OWNER} characters")
    return owner
