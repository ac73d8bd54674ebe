"""How much of a throttling SMSC is used: `python -m tests.channels.throttled --seconds 30`.

The simulated SMSC takes 100 submits a second, and the channel is configured for 1,000.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

from ussdapp.channels import smpp
from ussdapp.core.msisdn import Msisdn
from ussdapp.ports import Deferred, Submission, Submitted
from ussdapp.sandbox.smsc_process import SmscProcess

LIMIT, OFFERED, WINDOW = 100, 1000, 100


def row(number: int) -> Submission:
    return Submission(number, 1, Msisdn(f"2557{number:08}"), f"Habari {number}", "15200")


class Backlog:
    """Rows as a journal would give them out: a deferred one comes again after its pause."""

    def __init__(self, count: int) -> None:
        self.rows = deque((0.0, row(number)) for number in range(count))
        self.became: Counter[str] = Counter()

    def submit(self, channel: smpp.SmppChannel) -> None:
        """One window of what is due."""
        now, due = time.monotonic(), []
        for _ in range(min(WINDOW, len(self.rows))):
            if self.rows[0][0] > now:
                break
            due.append(self.rows.popleft()[1])
        for submission, outcome in zip(due, channel.submit(due), strict=True):
            if isinstance(outcome, Deferred) and outcome.code == "ESME_RTHROTTLED":
                self.became["throttled"] += 1
                again = time.monotonic() + outcome.pause
                self.rows.append((again, submission))
            else:
                self.became["taken" if isinstance(outcome, Submitted) else "failed"] += 1
        if not due:
            time.sleep(0.01)


def channel_to(port: int) -> smpp.SmppChannel:
    given = {"host": "127.0.0.1", "port": port, "system_id": "ega", "password": "x"}
    channel = smpp.build("throttled", {**given, "tps": OFFERED, "window": WINDOW})
    channel.open(lambda receipts: None, lambda mos: None)
    channel.keep_bound()
    return channel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as kept:
        flags = ["--throttle-tps", str(LIMIT)]
        with SmscProcess(Path(kept) / "ledger.jsonl", flags) as smsc:
            channel, backlog = channel_to(smsc.port), Backlog(int(LIMIT * seconds * 2))
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                backlog.submit(channel)
            channel.close()
    became = backlog.became
    tried = became.total()
    sys.stdout.write(
        f"limit {LIMIT}/s, offered {OFFERED}/s, {seconds:g} s: used "
        f"{became['taken'] / LIMIT / seconds:.1%} of the limit, refused "
        f"{became['throttled'] / tried:.1%} of {tried} submits, failed {became['failed']}\n"
    )


if __name__ == "__main__":
    main()
