"""Where what citizens read is joined: the menus that are served, and the texts beside them."""

import time
from pathlib import Path
from typing import Final

from ussdapp.bootstrap.kept import Kept
from ussdapp.core.letters import Letters
from ussdapp.core.routing import Routes
from ussdapp.core.services import Services
from ussdapp.settings import Settings
from ussdapp.stores.keyword_files import KEYWORDS, read_services
from ussdapp.stores.menu_files import read_owners, read_texts
from ussdapp.stores.menu_trees import MenuProof
from ussdapp.stores.menus import Folder, LiveMenus
from ussdapp.usecases.publish_menu import PublishMenu

_MENUS: Final = Path(__file__).parents[2] / "menus"


def served_menus(settings: Settings, kept: Kept) -> LiveMenus:
    """The menus as they stand, read again as they are published. Raises MenuRefused."""
    folder = Folder(
        _MENUS,
        settings.screen_budget,
        _values(settings),
        offices=tuple(settings.back_offices),
        follows=settings.sandbox,
    )
    return LiveMenus(folder, kept.versions, kept.institutions.all, time.monotonic)


def publish_menu(settings: Settings, kept: Kept) -> PublishMenu:
    """What publishes an institution's branch once it is proven. Raises MenuRefused."""
    offices = tuple(settings.back_offices)
    proof = MenuProof(_MENUS, settings.screen_budget, _values(settings), offices)
    return PublishMenu(kept.versions, kept.institutions, proof, read_owners(_MENUS))


def services_of(settings: Settings) -> Services:
    """What the short code's keywords ask of back offices. Raises MenuRefused."""
    return read_services(_MENUS / KEYWORDS, tuple(settings.back_offices))


def letters_of(settings: Settings, routes: Routes) -> Letters:
    """The sentences of texts, and by which channel they leave. Raises MenuRefused."""
    texts = read_texts(_MENUS / "sms.toml")
    return Letters(texts, routes, settings.short_code, settings.service_code)


def _values(settings: Settings) -> dict[str, str]:
    return {"namba_fupi": settings.short_code}
