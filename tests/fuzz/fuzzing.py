"""Runs a target under atheris, which is in no lock file (README.md)."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

HERE = Path(__file__).parent


def fuzz(name: str, target: Callable[[bytes], None]) -> None:
    """Fuzzes for so many seconds; what is found is written beside the corpus, and ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=300)
    seconds = parser.parse_args().seconds
    corpus = HERE / "corpus" / name
    flags = [
        f"-max_total_time={seconds}",
        "-max_len=1024",
        "-timeout=5",
        "-rss_limit_mb=512",
        f"-artifact_prefix={corpus}/found-",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], target)
    atheris.Fuzz()
