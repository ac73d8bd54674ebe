"""Brings the sandbox's database up to date, in a process of its own so that the supervisor stays
small."""

import os

from ussdapp.settings import read_settings
from ussdapp.stores.migrate import migrate

if __name__ == "__main__":
    migrate(read_settings(os.environ).database_url)
