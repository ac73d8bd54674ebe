"""The directory of institutions: long enough to page, short enough to type, and fit for GSM-7."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from ussdapp.core.gsm7 import septets

SANDBOX: Final = Path(__file__).parents[2] / "ussdapp" / "sandbox"
SHORT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,19}")  # as migration 0001 checks it
# The seventeen of e-Mrejesho (reference/protocols.md, section 4b), then those none of them covers.
SECTORS: Final = frozenset(
    (
        "Nishati",
        "Maji",
        "Fedha na Kodi",
        "Utambulisho na Uhamiaji",
        "Ulinzi na Usalama",
        "Mawasiliano na Tehama",
        "Ujenzi na Uchukuzi",
        "Afya",
        "Elimu",
        "Sekta ya Ardhi",
        "Kazi na Ajira",
        "Maliasili na Utalii",
        "Nyaraka na Takwimu",
        "Sekta ya Mazingira",
        "Maendeleo ya Jamii",
        "Sekta ya Madini",
        "Mifugo na Uvuvi",
        "Tawala za Mikoa",
        "Utumishi na Utawala",
        "Kilimo na Ushirika",
        "Viwanda na Biashara",
        "Sheria na Bunge",
    )
)
# What the seeds name by its own name; the Zanzibar bodies they name are not of the mainland.
NAMED_BY_THE_SEEDS: Final = (
    "ega",
    "utumishi",
    "fedha",
    "maji",
    "tra",
    "tpa",
    "gpsa",
    "tcdc",
    "bunge",
    "nyaraka",
    "tanesco",
    "ardhi",
    "ajira",
)

Entry = tuple[str, str, str, str]


def _entries(name: str) -> list[Entry]:
    with (SANDBOX / name).open("rb") as file:
        rows = tomllib.load(file)["institutions"]
    return [(short, name_sw, name_en, sector) for short, name_sw, name_en, sector in rows]


@pytest.fixture(scope="module")
def directory() -> list[Entry]:
    return _entries("directory.toml")


def test_the_directory_holds_at_least_four_hundred_institutions(directory: list[Entry]) -> None:
    assert len(directory) >= 400


def test_no_two_institutions_answer_to_one_short_name(directory: list[Entry]) -> None:
    assert _repeated(short for short, *_ in directory) == []


def test_no_two_institutions_share_a_name_in_either_language(directory: list[Entry]) -> None:
    assert _repeated(name_sw.casefold() for _, name_sw, _, _ in directory) == []
    assert _repeated(name_en.casefold() for _, _, name_en, _ in directory) == []


def test_every_short_name_is_one_the_store_accepts(directory: list[Entry]) -> None:
    assert [short for short, *_ in directory if not SHORT_NAME.fullmatch(short)] == []


def test_every_name_is_there_and_fits_half_a_screen_of_gsm7(directory: list[Entry]) -> None:
    names = [name for _, *both, _ in directory for name in both]
    assert [name for name in names if not 1 <= (septets(name.strip()) or 0) <= 80] == []


def test_every_sector_is_one_a_citizen_can_choose(directory: list[Entry]) -> None:
    assert {sector for *_, sector in directory} == SECTORS


def test_no_sector_is_too_long_to_page_through(directory: list[Entry]) -> None:
    assert max(Counter(sector for *_, sector in directory).values()) <= 260


def test_every_region_and_every_council_of_the_mainland_is_there(directory: list[Entry]) -> None:
    regional = [short for short, *_ in directory if short.startswith("mkoa-")]
    councils = [short for short, name_sw, *_ in directory if name_sw.startswith("Halmashauri ya ")]
    assert (len(regional), len(councils)) == (26, 184)


def test_every_mainland_institution_the_seeds_name_is_there(directory: list[Entry]) -> None:
    assert set(NAMED_BY_THE_SEEDS) - {short for short, *_ in directory} == set()


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
