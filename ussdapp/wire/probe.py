"""Knows how a bind is tried: bound as configured, and left at once."""

import ssl
from collections.abc import Mapping
from typing import Final

from ussdapp.wire.bodies import Login
from ussdapp.wire.pulse import Limits
from ussdapp.wire.smpp import Bind, BindRefused

# command_status of a bind_resp (SMPP 3.4, table 5-2), as far as a person can mend it
_REFUSED: Final[Mapping[int, str]] = {
    0x05: "another bind of that account is up, and the operator allows no more",
    0x0D: "the operator refuses the bind: it may allow no more of them, or none from here",
    0x0E: "the password is refused",
    0x0F: "the system_id is refused",
    0x53: "the system_type is refused",
    0x58: "it binds too often for the operator",
}


def probe_bind(login: Login, limits: Limits, tls: ssl.SSLContext | None) -> str:
    """What is wrong, in one sentence, or "". What the SMSC delivers meanwhile is refused with
    ESME_RX_T_APPN, so that it brings it again."""
    bind = Bind(login, limits, lambda _: False, tls)
    try:
        bind.connect()
    except BindRefused as refused:
        status = refused.command_status
        return f"{_REFUSED.get(status, 'the operator refuses the bind')} (status {status:#x})"
    except ssl.SSLError as trouble:
        return f"TLS cannot be agreed on: {trouble.reason or type(trouble).__name__}"
    except TimeoutError:
        return "nothing answers there in time: check host, port and the way to them"
    except OSError as trouble:
        return f"no connection was made: {trouble.strerror or type(trouble).__name__}"
    bind.close()
    return ""
