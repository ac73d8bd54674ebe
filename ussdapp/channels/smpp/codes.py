"""What an SMSC's codes mean: of its answers to submits, and of its receipts.

SMPP Protocol Specification v3.4, issue 1.2 (October 1999), table 5-2 and appendix B.
"""

from collections.abc import Mapping
from typing import Final

from ussdapp.core.status import Status
from ussdapp.ports import Deferred, Outcome, Rejected
from ussdapp.wire.verdicts import QUEUE_FULL

# command_status of submit_sm_resp (table 5-2). What the table lacks is doubt.
STATUSES: Final[Mapping[int, Outcome]] = {
    # this PDU will never pass
    0x01: Rejected("ESME_RINVMSGLEN"),
    0x02: Rejected("ESME_RINVCMDLEN"),
    0x03: Rejected("ESME_RINVCMDID"),
    0x06: Rejected("ESME_RINVPRTFLG"),
    0x07: Rejected("ESME_RINVREGDLVFLG"),
    0x0A: Rejected("ESME_RINVSRCADR"),
    0x0B: Rejected("ESME_RINVDSTADR"),
    0x43: Rejected("ESME_RINVESMCLASS"),
    0x48: Rejected("ESME_RINVSRCTON"),
    0x49: Rejected("ESME_RINVSRCNPI"),
    0x50: Rejected("ESME_RINVDSTTON"),
    0x51: Rejected("ESME_RINVDSTNPI"),
    0x65: Rejected("ESME_RX_P_APPN"),
    0x66: Rejected("ESME_RX_R_APPN"),
    0xC0: Rejected("ESME_RINVOPTPARSTREAM"),
    0xC1: Rejected("ESME_ROPTPARNOTALLWD"),
    0xC2: Rejected("ESME_RINVPARLEN"),
    0xC3: Rejected("ESME_RMISSINGOPTPARAM"),
    0xC4: Rejected("ESME_RINVOPTPARAMVAL"),
    # they only ask for patience
    0x04: Deferred("ESME_RINVBNDSTS", 30.0),  # a transmitter's matter: the bind, not the part
    0x14: Deferred(QUEUE_FULL, 60.0),
    0x58: Deferred("ESME_RTHROTTLED", 2.0),
    # not taken this time; tried again, and counted so that it ends
    0x08: Deferred("ESME_RSYSERR", 15.0, counts=True),
    0x45: Deferred("ESME_RSUBMITFAIL", 15.0, counts=True),
    0x64: Deferred("ESME_RX_T_APPN", 15.0, counts=True),
}
# `stat` of a receipt (appendix B) and what operators write instead. What it lacks is doubt.
STATES: Final[Mapping[str, Status]] = {
    "DELIVRD": Status.DELIVERED,
    "EXPIRED": Status.EXPIRED,
    "DELETED": Status.UNDELIVERED,
    "UNDELIV": Status.UNDELIVERED,
    "FAILED": Status.UNDELIVERED,  # six letters; in no table of the specification
    "REJECTD": Status.REJECTED,
    # taken, and not yet on the handset
    "ACCEPTD": Status.SUBMITTED,
    "ENROUTE": Status.SUBMITTED,
    "SCHEDULED": Status.SUBMITTED,
    "ACKED": Status.SUBMITTED,
    "BUFFRED": Status.SUBMITTED,
    "BUFFERD": Status.SUBMITTED,
}
