"""The Procfile and the settings file, as text."""

import tomllib
from pathlib import Path

import pytest

from ussdapp.sandbox.embedded import CannotStart
from ussdapp.sandbox.procfile import Line, programs, read_procfile
from ussdapp.sandbox.toml import merged, toml_text

ROOT = Path(__file__).parents[2]


def test_our_procfile_is_web_one_worker_a_channel_and_one_reconciler() -> None:
    lines = read_procfile(ROOT / "Procfile")
    made = programs(lines, ["sandbox", "at"], {"PORT": "8000"}, ROOT)
    assert [program.name for program in made] == [
        "web",
        "deliver.sandbox",
        "deliver.at",
        "reconciler",
        "asking",
        "importing",
        "telling",
    ]
    named = [program.environ.get("CHANNEL") for program in made]
    assert named == [None, "sandbox", "at", None, None, None, None]


def test_a_line_that_is_no_process_type_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# wavuti\n\nweb: granian\nhii si kitu\n")
    with pytest.raises(CannotStart, match="line 4"):
        read_procfile(path)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ('granian --port $PORT "${APP:-a.b:c}"', 'exec granian --port $PORT "${APP:-a.b:c}"'),
        ("A=1 granian", "A=1 granian"),
        ("granian; sleep 1", "granian; sleep 1"),
        ("granian | cat", "granian | cat"),
    ],
    ids=["a simple command", "an assignment", "two commands", "a pipe"],
)
def test_only_a_simple_command_takes_the_place_of_its_shell(command: str, script: str) -> None:
    assert Line("web", command).script == script


def test_settings_that_are_written_are_read_again() -> None:
    table = {
        "a": 'nukuu " na \\ na \n na \x7f na ĩ',
        "b": True,
        "c": -3,
        "d": 0.5,
        "e": ["x", 1, [False], {"k": "v"}],
        "f": {"g h": {"i": ""}, "j": 1},
    }
    assert tomllib.loads(toml_text(table)) == table


def test_a_given_table_wins_value_by_value() -> None:
    under = {"a": 1, "t": {"x": 1, "y": [1, 2]}}
    over = {"b": 2, "t": {"y": [3], "z": {"q": 1}}}
    assert merged(under, over) == {"a": 1, "b": 2, "t": {"x": 1, "y": [3], "z": {"q": 1}}}
