"""The menus' tools, as a person or a script calls them."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.fakes.branches import main_toml, service_toml, written
from tests.fakes.home import run

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "menus"


def branch(folder: Path, more: str = "") -> Path:
    """The shipped main branch, with more in its first file."""
    folder.mkdir()
    for path in SHIPPED.glob("*.toml"):
        text = path.read_text("utf-8") + (more if path.name == "main.toml" else "")
        (folder / path.name).write_text(text, "utf-8")
    return folder


def small(tmp_path: Path, more: str = "") -> Path:
    files = {"main.toml": main_toml(), "ega/huduma.toml": service_toml("Huduma", 3) + more}
    return written(tmp_path / "small", {**files, "sms.toml": ""})


def test_a_folder_without_fault_is_proven(tmp_path: Path) -> None:
    done = run(None, "menus", "check", small(tmp_path))
    assert (done.exit_code, done.output) == (0, "menus proven\n")


def test_each_fault_is_a_sentence_and_the_end_is_red(tmp_path: Path) -> None:
    faulty = '\n[x]\nkind = "end"\nsw = "“Ndiyo”"\nen = "Yes"\n'
    done = run(None, "menus", "check", small(tmp_path, faulty))
    assert done.exit_code == 1
    assert "ega/huduma.toml [x]" in done.output
    assert done.output.endswith("faults\n")


def test_a_goto_that_leads_nowhere_hides_no_other_fault(tmp_path: Path) -> None:
    faulty = """
[x]
kind = "input"
sw = "“Namba”"
en = "Number"
wrong = { sw = "Andika tena", en = "Again" }
saves = "x"
goto = "hakuna"
"""
    done = run(None, "menus", "check", small(tmp_path, faulty))
    assert "'ega.huduma.hakuna' leads to no screen" in done.output
    assert "“" in done.output
    assert done.output.endswith("2 faults\n")


def test_one_fault_is_counted_as_one(tmp_path: Path) -> None:
    faulty = '\n[x]\nkind = "end"\nsw = "Ndiyo"\nen = "Yes"\n'
    done = run(None, "menus", "check", small(tmp_path, faulty))
    assert done.output.endswith("no path leads here\n1 fault\n")


def test_keywords_offices_and_owners_are_checked_with_the_screens(tmp_path: Path) -> None:
    folder = small(tmp_path)
    keywords = (SHIPPED / "keywords.toml").read_text("utf-8")
    written(folder, {
        "keywords.toml": keywords.replace('of = "gepg.bill"', 'of = "gepg.bili"'),
        "hakuna/mtu.toml": service_toml(),
    })  # fmt: skip
    done = run(None, "menus", "check", folder)
    assert done.exit_code == 1
    assert "keywords.toml [gepg_bili]: there is no office 'gepg.bili'" in done.output
    assert "hakuna/: 'hakuna' is no institution of the directory" in done.output
    again = run(None, "menus", "check", folder, "--office", "gepg.bili")
    assert "gepg.bili" not in again.output


def test_the_shipped_tree_is_proven_with_its_keywords() -> None:
    done = run(None, "menus", "check", SHIPPED)
    assert (done.exit_code, done.output) == (0, "menus proven\n")


def test_a_check_waits_for_no_library_of_the_gateway() -> None:
    libraries = "psycopg", "flask", "redis", "phonenumbers", "africastalking"
    code = (
        "import sys; import ussdapp.cli.menus;"
        f"print([name for name in {libraries!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_both_ways_to_call_the_command_line_work() -> None:
    for command in ([sys.executable, "-m", "ussdapp.cli"], [ROOT / ".venv/bin/ussdapp"]):
        if Path(command[0]).exists():
            done = subprocess.run(
                [*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
            )
            assert "menus" in done.stdout
            assert "demo" not in done.stdout


def test_a_played_dialogue_is_a_transcript(tmp_path: Path) -> None:
    done = run(None, "menus", "play", "--folder", small(tmp_path), "--msisdn", "255713000002",
               keys="1\n1\n1\n1\n1\n")  # fmt: skip
    assert done.exit_code == 0
    blocks = done.output.split("\n\n")
    assert blocks[0] == "255713000002 dials *152*00#"
    assert blocks[1].startswith("CON ")
    assert blocks[2] == "> 1"
    assert blocks[-1] == "END 13\n| Huduma mwisho\n"


def test_the_lines_of_a_transcript_count_what_they_hold(tmp_path: Path) -> None:
    done = run(None, "menus", "play", "--folder", small(tmp_path), keys="9\n")
    head, *lines = done.output.split("\n\n")[-1].strip().split("\n")
    assert head == f"END {len(' '.join(line[2:] for line in lines))}"


def test_a_dialogue_may_begin_in_english_and_go_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "story.txt"
    done = run(None, "menus", "play", "--folder", small(tmp_path), "--language", "en", "--out", out,
               keys="9\n")  # fmt: skip
    assert done.output == ""
    assert "| Karibu: goodbye" in out.read_text("utf-8")


def test_the_back_office_says_what_is_wished_for(tmp_path: Path) -> None:
    asking = """
[tafuta]
kind = "lookup"
asks = "office.look_up"
of = "ega.bili"
sends = "namba"
title = { sw = "Bili", en = "Bill" }
brings = { deni = "detail_01" }
goto = { found = "iko", missing = "haiko", late = "mwisho", unavailable = "mwisho" }

[iko]
kind = "end"
sw = "Deni {deni}"
en = "Owed {deni}"

[haiko]
kind = "end"
sw = "Haipo"
en = "None"

[namba]
kind = "input"
sw = "Namba"
en = "Number"
wrong = { sw = "Namba", en = "Number" }
accepts = "[0-9]+"
most = 9
saves = "namba"
goto = "tafuta"
"""
    folder = small(tmp_path, asking)
    path = folder / "ega/huduma.toml"
    path.write_text(path.read_text("utf-8").replace('goto = "mwisho" }]', 'goto = "namba" }]'))
    keys = "1\n1\n1\n1\n123\n"
    assert "| Deni deni" in run(None, "menus", "play", "--folder", folder, keys=keys).output
    told = run(
        None, "menus", "play", "--folder", folder, "--outcome", "ega.bili=missing", keys=keys
    )
    assert "| Haipo" in told.output


def test_menus_are_drawn_in_both_formats(tmp_path: Path) -> None:
    out = tmp_path / "menu.svg"
    assert run(None, "menus", "draw", "--format", "svg", "--out", out).exit_code == 0
    assert ET.fromstring(out.read_text("utf-8")).tag.endswith("svg")
    assert run(None, "menus", "draw").output.startswith("flowchart LR\n")
    ega = run(None, "menus", "draw", "--folder", small(tmp_path), "--branch", "ega").output
    assert "huduma.toml" in ega
    assert "main.toml" not in ega


def test_a_branch_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = run(None, "menus", "draw", "--folder", small(tmp_path), "--branch", "nobody")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)


def test_a_branch_is_published_listed_and_rolled_back(home: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        folder = branch(tmp_path / str(number), f"\n# {number}\n")
        done = run(home, "menus", "publish", "main", folder, "--by", "juma")
        assert (done.exit_code, done.output) == (0, f"main: version {number} is served\n")
    listed = json.loads(run(home, "menus", "versions", "--json").output)
    assert [(one["id"], one["current"], one["published_by"]) for one in listed] == [
        (2, True, "juma"),
        (1, False, "juma"),
    ]
    back = run(home, "menus", "rollback", "main", "--by", "juma")
    assert back.output == "main: version 1 is served\n"
    named = run(home, "menus", "rollback", "main", "--to", "2")
    assert named.output == "main: version 2 is served\n"
    own = run(home, "menus", "rollback", "main", "--to", "0")
    assert own.output == "main: the gateway's own files are served\n"
    none = run(home, "menus", "rollback", "main")
    assert (none.exit_code, "Traceback" in none.output) == (1, False)


def test_what_fails_its_proof_is_refused_with_every_sentence(home: Path, tmp_path: Path) -> None:
    folder = branch(tmp_path / "broken", '\n[a]\nkind = "end"\nsw = "A"\n')
    done = run(home, "menus", "publish", "main", folder)
    assert done.exit_code == 1
    assert "main.toml [a]" in done.output
    assert run(home, "menus", "versions").output == ""


def test_an_unknown_branch_is_one_sentence(home: Path, tmp_path: Path) -> None:
    folder = branch(tmp_path / "x")
    publish = ["publish", "nobody", str(folder)]
    for words in (publish, ["versions", "nobody"], ["rollback", "nobody"]):
        done = run(home, "menus", *words)
        assert (done.exit_code, done.output) == (1, "Error: there is no branch 'nobody'\n")
