"""`python -m ussdapp.cli`."""

from ussdapp.cli import main

main(prog_name="ussdapp")
