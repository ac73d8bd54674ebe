"""`python -m tests.fuzz.receipt --seconds 300`: bodies of deliver_sm."""

import atheris

with atheris.instrument_imports(include=["ussdapp", "tests.fuzz.targets"]):
    from tests.fuzz.targets import receipt

from tests.fuzz.fuzzing import fuzz

if __name__ == "__main__":
    fuzz("receipt", receipt)
