"""What is written of a submission: the bodies of submit_sm (SMPP 3.4, 4.4.1) of its parts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from ussdapp.core import parts
from ussdapp.ports import Deferred, Rejected, Submission
from ussdapp.wire.bind_options import SmppOptions
from ussdapp.wire.long_text import TextBodies
from ussdapp.wire.part_outcomes import PartOutcomes, Rendered
from ussdapp.wire.validity import validity, with_validity

_EXPIRED: Final = Deferred("expired", 0.0)  # between its claim and its turn: the next claim ends it


class Rendering:
    """Renders rows as the channel's options say; `now` gives aware times."""

    def __init__(self, options: SmppOptions, now: Callable[[], datetime]) -> None:
        self._texts = TextBodies(options.source, options.long_text, options.sar_references)
        self._validity, self._now = options.validity, now

    def all(self, window: Sequence[Submission]) -> list[Rendered]:
        """Each row's part, the parts it lacks, or why nothing of it is submitted."""
        now = self._now()
        valid = {
            until: validity(self._validity, until, now)
            for until in {submission.expires_at for submission in window}
            if until is None or until > now
        }
        return [
            self._rendered(submission, valid[submission.expires_at])
            if submission.expires_at in valid
            else _EXPIRED
            for submission in window
        ]

    def _rendered(self, submission: Submission, valid: bytes) -> Rendered:
        try:
            septets = None if submission.taken else parts.only_part(submission.text)
            if septets is None:
                return PartOutcomes(self._lacking(submission, valid))
            to = submission.msisdn.digits
            return self._texts.only(septets, submission.sender_id, to, valid)
        except parts.TooLong:
            return Rejected("too_long")
        except ValueError:
            return Rejected("sender_id")

    def _lacking(self, submission: Submission, valid: bytes) -> dict[int, bytes]:
        """The parts that were not taken yet, by their number."""
        bodies = self._texts.all(
            submission.text,
            submission.sender_id,
            submission.msisdn.digits,
            # the same in every attempt, or parts of two attempts would not join on the handset
            submission.id,
        )
        return {
            number: with_validity(body, valid)
            for number, body in enumerate(bodies, 1)
            if number not in submission.taken
        }
