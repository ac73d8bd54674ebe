"""Settings: what is unsafe or misspelt stops the start with a sentence each."""

from decimal import Decimal
from pathlib import Path

import pytest

from ussdapp.settings import Settings, SettingsRefused, read_settings

KEYS = (bytes(range(32)).hex(), bytes(range(32, 64)).hex())
GOOD = f"""
database_url = "postgresql://app@/app"
redis_url = "unix:///s.sock"
seal_key = "{KEYS[0]}"
index_key = "{KEYS[1]}"
[channels.vodacom]
kind = "smpp"
tokens = ["0123456789abcdef0123456789abcdef"]
routes = ["25574"]
"""


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return read_settings({"USSDAPP_SETTINGS": str(path), **environ})


def test_good_settings_are_read_and_show_no_secret(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    assert settings.channels["vodacom"].routes == ("25574",)
    assert settings.channels["vodacom"].callbacks == "smpp"
    assert settings.prices == {}
    priced = read(tmp_path, f"{GOOD}price_tzs = 12.5")
    assert priced.prices == {"vodacom": Decimal("12.5")}
    assert not [secret for secret in (*KEYS, "0123456789abcdef") if secret in repr(settings)]


def test_the_environment_wins_and_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("siri\n")
    text = f'{GOOD}\npassword_file = "{tmp_path}/password"'
    settings = read(tmp_path, text, REDIS_URL="redis://other", SANDBOX="true", CHANNELS="x")
    assert settings.redis_url == "redis://other"
    assert settings.channels["vodacom"].options["password"] == "siri"
    assert not settings.sandbox


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("database_url", "databse_url"), "databse_url is no setting"),
        ((KEYS[0], "00" * 32), "seal_key must be 64 random hex digits"),
        ((KEYS[0], KEYS[0][:20]), "seal_key must be 64 random hex digits"),
        ((KEYS[0], KEYS[1]), "seal_key and index_key are the same"),
        (("0123456789abcdef0123456789abcdef", "secret"), "channels.vodacom: a token"),
        (("[channels.vodacom]", "[channels]"), "channels must hold tables"),
        (("redis_url", "screen_budget = 999\nredis_url"), "screen_budget must be from 80"),
        (("redis_url", 'trusted_proxies = ["x"]\nredis_url'), "trusted_proxies are networks"),
        (("redis_url", 'trusted_proxies = ["0.0.0.0/0"]\nredis_url'), "trusted_proxies are"),
        (("redis_url", 'trusted_proxies = "10.0.0.5"\nredis_url'), "trusted_proxies are"),
        (("redis_url", "= nonsense"), "USSDAPP_SETTINGS cannot be read"),
        (('["25574"]', '"255"'), "channels.vodacom: routes are prefixes"),
        (("routes", 'price_tzs = "12"\nroutes'), "channels.vodacom: price_tzs is what a part"),
        (("routes", "price_tzs = -1\nroutes"), "channels.vodacom: price_tzs is what a part"),
        (("routes", "price_tzs = nan\nroutes"), "channels.vodacom: price_tzs is what a part"),
        (('["25574"]', '["+255"]'), "channels.vodacom: routes are prefixes"),
        (("redis_url", 'short_code = ""\nredis_url'), "service_code is like *152*00#"),
        (('kind = "smpp"', 'password_file = "/nowhere"'), "password_file cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_told_in_a_sentence(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        read(tmp_path, GOOD.replace(*change))
    assert sentence in str(refusal.value)
    assert not [secret for secret in KEYS if secret in str(refusal.value)]


def test_without_anything_everything_missing_is_named() -> None:
    with pytest.raises(SettingsRefused) as refusal:
        read_settings({})
    for name in ("database_url", "redis_url", "seal_key", "index_key", "no channel"):
        assert name in str(refusal.value)
