"""What an institution may put before its own receiver: the documentation shows it as it stands."""

import base64
import hashlib
import hmac
import json
import time


def verified(body: bytes, headers: dict[str, str], secret: str) -> object:
    """The event, if it was posted with your secret in the last five minutes; raises ValueError."""
    given = {name.lower(): value for name, value in headers.items()}
    identity, at = given["webhook-id"], given["webhook-timestamp"]
    if abs(time.time() - int(at)) > 300:
        raise ValueError("too old, or from the future")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(mac).decode()
    # two signatures while a secret is exchanged
    if not any(hmac.compare_digest(expected, one) for one in given["webhook-signature"].split()):
        raise ValueError("not signed with this secret")
    return json.loads(body)
