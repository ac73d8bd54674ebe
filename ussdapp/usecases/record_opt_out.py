"""A citizen told the aggregator to stop our texts: we stop them too."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from ussdapp.core.inbound import OptOut
from ussdapp.core.opt_outs import Learnt
from ussdapp.ports import OptOuts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecordOptOut:
    """The sender ID is an institution's, or ours: then it means all institutions."""

    opt_outs: OptOuts

    def __call__(self, opt_out: OptOut, now: datetime) -> None:
        """Records it; raises Unavailable when nothing was kept."""
        institution = self.opt_outs.whose(opt_out.sender_id)
        self.opt_outs.opt_out(opt_out.msisdn, institution, now, Learnt.CALLBACK)
        log.info("opt_out.recorded", channel=opt_out.channel, institution=institution)
