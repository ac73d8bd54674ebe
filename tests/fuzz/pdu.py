"""`python -m tests.fuzz.pdu --seconds 300`: octets from an SMSC."""

import atheris

with atheris.instrument_imports(include=["ussdapp", "tests.fuzz.targets"]):
    from tests.fuzz.targets import stream

from tests.fuzz.fuzzing import fuzz

if __name__ == "__main__":
    fuzz("pdu", stream)
