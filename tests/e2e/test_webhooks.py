"""An institution is told of events by its webhook, also by a worker that was killed meanwhile."""

import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.system import System
from tests.fakes.patience import until

ASHA = "255754009301"
SENT = 20


def heard(system: System) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{system.demo['webhooks']['url']}.json", timeout=10) as answer:
        return list(json.loads(answer.read()))


def ask(system: System, method: str, path: str, body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{system.demo['url']}/api/v1{path}", json.dumps(body).encode(), method=method,
        headers={"Authorization": f"Bearer {system.demo['api_key']}",
                 "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.loads(answer.read()))


def telling(system: System) -> list[int]:
    """The process ids of this gateway's telling worker."""
    home = f"USSDAPP_HOME={system.home}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and home in (folder / "environ").read_bytes():
                words = (folder / "cmdline").read_bytes().split(b"\0")
                found += [int(folder.name)] if b"workers.telling" in words else []
        except OSError:
            continue
    return found


def test_a_listener_hears_of_every_end_though_the_worker_is_killed(system: System) -> None:
    url = system.demo["webhooks"]["url"]
    body = {"url": url, "events": ["notification.final", "case.opened", "sms.received"]}
    assert ask(system, "PUT", "/webhooks/e2e", body)["secret"].startswith("whsec_")
    system.sms("e2e-hook-1", ASHA, "LALAMIKO EGA Mlango umefungwa")
    sent = set()
    for number in range(SENT):
        text = {"to": f"25575400{9400 + number}", "text": "Habari", "class": "transaction"}
        sent.add(ask(system, "POST", "/notifications", text)["id"])
        if number % 7 == 3:
            for worker in telling(system):
                os.kill(worker, signal.SIGKILL)

    def ended() -> bool:
        events = [json.loads(one["body"]) for one in heard(system)]
        told = {one["data"].get("id") for one in events if one["type"] == "notification.final"}
        return sent <= told and {"case.opened", "sms.received"} <= {one["type"] for one in events}

    until(ended, 60)
    assert ASHA not in json.dumps(heard(system))
    assert "Mlango" not in json.dumps(heard(system))
