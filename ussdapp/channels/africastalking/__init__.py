"""Africa's Talking: USSD "Handle Sessions", "SMS Notifications" and "Bulk SMS" of its developer
documents (read in 2026), and the package `africastalking` 2.0.3.

USSD sends all that was keyed, joined with `*`, each time; no callback is signed. A recipient's
`status` in the answer to a send is no delivery status; its `statusCode` is what counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ussdapp.core.inbound import Keyed, Mo, OptOut, Receipt
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.opt_outs import OPTED_OUT
from ussdapp.core.session import Shown
from ussdapp.core.status import Status
from ussdapp.wire.dialect import Dialect
from ussdapp.wire.fields import digest, is_id, kept_id, maybe_msisdn, short
from ussdapp.wire.http import BadRequest, WireReply, WireRequest

USSD: Final = Dialect(
    session_named_by="sessionId",
    first_told_by=("text", ""),
    over_told_by=None,  # an event of its own, at another path
    cumulative=True,
)

# "Delivery Reports". What the table lacks is doubt.
STATUSES: Final[Mapping[str, Status]] = {
    "Sent": Status.SUBMITTED,
    "Submitted": Status.SUBMITTED,
    "Buffered": Status.SUBMITTED,
    "AbsentSubscriber": Status.SUBMITTED,  # handset off; not listed as final, another may follow
    "Success": Status.DELIVERED,
    "Failed": Status.UNDELIVERED,
    "Rejected": Status.REJECTED,
    "Expired": Status.EXPIRED,
}
# "Delivery Reports", failureReason: the citizen wants no texts of that sender ID.
OPTED_OUTS: Final = frozenset({"UserInBlackList", "UserInBlacklist", "DoNotDisturbRejection"})
MOST_HOP: Final = 99  # characters of a step's name, none of them a bar
_HOP: Final = re.compile(r"[^A-Za-z0-9_.@-]")
_WORD: Final = re.compile("[A-Za-z]{1,30}")


@dataclass(frozen=True, slots=True)
class AfricasTalkingCallbacks:
    """Reads and answers their callbacks, for the channel of that name."""

    name: str

    def read_ussd(self, request: WireRequest) -> Keyed:
        """One input of a dialogue; raises BadRequest without a usable sessionId or phoneNumber."""
        session_id = request.form.get(USSD.session_named_by, "")
        if not is_id(session_id):
            raise BadRequest("session_id", "sessionId is missing or no id")
        return Keyed(
            channel=self.name,
            session_id=session_id,
            msisdn=_msisdn(request),
            service_code=short(request.form.get("serviceCode", "")),
            text=request.form.get("text", ""),
            cumulative=USSD.cumulative,
        )

    def write_ussd(self, request: WireRequest, shown: Shown) -> WireReply:  # noqa: ARG002  # the answer names no session
        """`CON ` or `END ` and the screen; anything before the prefix would end the session. The
        step's name goes in the header they show on their dashboard and give back."""
        hop = _HOP.sub("", shown.step)[:MOST_HOP]
        headers = (("at-ussd-hop-metadata", hop),) if hop else ()
        return WireReply(f"{'END' if shown.ends else 'CON'} {shown.text}", headers=headers)

    def read_mo(self, request: WireRequest) -> Mo:
        """A text to a short code; without an id a repeat is told by its content."""
        form = request.form
        sender = short(form.get("from", ""))
        if not sender:
            raise BadRequest("from", "from is missing")
        content = (form.get("date", ""), sender, form.get("to", ""), form.get("text", ""))
        key = form.get("id", "")
        return Mo(
            channel=self.name,
            key=kept_id(key) if key else digest(*content),
            sender=sender,
            msisdn=maybe_msisdn(sender),
            short_code=short(form.get("to", "")),
            text=form.get("text", ""),
            keyed_by_content=not key,
            network=short(form.get("networkCode", "")),
        )

    def write_taken(self, request: WireRequest) -> WireReply:  # noqa: ARG002  # 200 says it all
        """Nothing but 200."""
        return WireReply("")

    def read_receipt(self, request: WireRequest) -> Receipt:
        """A delivery receipt; its code is `status` and, if any, `failureReason`, or that the
        citizen opted out."""
        message_id = request.form.get("id", "")
        if not message_id:
            raise BadRequest("id", "id is missing")
        status = request.form.get("status", "")
        reason = request.form.get("failureReason", "")
        return Receipt(
            account=self.name,
            message_id=kept_id(message_id),
            status=STATUSES.get(status, Status.IN_DOUBT),
            code=OPTED_OUT if reason in OPTED_OUTS else _code(status, reason),
            msisdn=maybe_msisdn(request.form.get("phoneNumber", "")),
        )

    def read_opt_out(self, request: WireRequest) -> OptOut:
        """A citizen used the opt-out that they append to a first text."""
        sender_id = short(request.form.get("senderId", ""))
        return OptOut(channel=self.name, sender_id=sender_id, msisdn=_msisdn(request))


def _code(status: str, reason: str) -> str:
    """What is kept of a receipt's words: letters only, for they are not ours to trust."""
    words = (status if status in STATUSES else "unknown", reason)
    return " ".join(word for word in words if _WORD.fullmatch(word))


def _msisdn(request: WireRequest) -> Msisdn:
    msisdn = maybe_msisdn(request.form.get("phoneNumber", ""))
    if msisdn is None:
        raise BadRequest("phone_number", "phoneNumber is missing or no MSISDN")
    return msisdn
