"""What `make run` says when it cannot start: one true sentence, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ussdapp.sandbox.embedded import CannotStart
from ussdapp.sandbox.ports import number_of

START = [sys.executable, "-m", "ussdapp.sandbox.run", "--bare"]
FIRST_FREE = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
NOBODY = 65534
# imported before the user changes: another one may not read this folder
TAKE_80 = f"""
import os
from ussdapp.sandbox.embedded import CannotStart
from ussdapp.sandbox.ports import take
if os.geteuid() == 0:
    os.setuid({NOBODY})
try:
    take(80)
except CannotStart as refusal:
    print(refusal)
"""


def said(**environ: str) -> tuple[int, str]:
    done = subprocess.run(
        START, env=os.environ | environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("spelt", ["abc", "-1", "0", "65536", "8000x", "\u0668", "9" * 5000])
def test_a_port_that_is_none_is_told_so(spelt: str) -> None:
    with pytest.raises(CannotStart, match="set it to a number from 1 to 65535"):
        number_of(spelt)


def test_a_start_with_no_port_is_refused_in_a_sentence(tmp_path: Path) -> None:
    code, told = said(PORT="abc", USSDAPP_HOME=str(tmp_path / "home"))
    assert (code, told) == (
        1, "PORT is 'abc': set it to a number from 1 to 65535, such as 8000.\n"
    )  # fmt: skip


@pytest.mark.parametrize("home", ["/proc/nothing", "file"])
def test_a_home_that_cannot_be_made_is_told_so(tmp_path: Path, home: str) -> None:
    (tmp_path / "file").write_text("")
    code, told = said(PORT="8000", USSDAPP_HOME=str(tmp_path / home / "home"))
    assert code == 1
    assert "set USSDAPP_HOME to a folder you may write in" in told
    assert told.count("\n") == 1


@pytest.mark.skipif(
    not FIRST_FREE.exists() or int(FIRST_FREE.read_text()) <= 80, reason="port 80 is anybody's here"
)
def test_a_port_of_the_superuser_is_not_called_taken() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKE_80], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "Port 80 is for the superuser alone: set PORT to one from 1024 on.\n"
