"""Schemathesis against a running gateway: every operation, every phase, every check; with a live
key, a test key and one that comes too often. `make schemathesis`; SEED and EXAMPLES change it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.places import gateway
from tests.e2e.system import ROOT, System
from tests.fakes.patience import until
from ussdapp.core.keys import SCOPES

HOOKS = Path(__file__).with_name("hooks.py")
INSTALLED = ROOT / ".schemathesis"
PHASES = "examples,coverage,fuzzing,stateful"
CITIZEN = "255754000001"


def main() -> None:
    """Exits with 1 when anything was found."""
    with gateway() as system:
        found = [attack(system, *one) for one in passes(system)]
    sys.exit(int(any(found)))


def passes(system: System) -> Iterator[tuple[str, str, str]]:
    """A name, a key and the phases to run with it."""
    yield "live", issued(system, "live", 100_000), PHASES
    yield "test", issued(system, "test", 100_000, "--test"), PHASES
    yield "hurried", issued(system, "hurried", 1), "coverage"


def issued(system: System, name: str, per_second: int, *more: str) -> str:
    """A new key of every scope."""
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    command = [sys.executable, "-m", "ussdapp.cli", "keys", "issue", "ega", f"attack-{name}"]
    environ = {**os.environ, "USSDAPP_SETTINGS": str(system.home / "settings.toml")}
    done = subprocess.run(
        [*command, *scopes, "--per-second", str(per_second), *more],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()[-1]


def attack(system: System, name: str, key: str, phases: str) -> int:
    """The exit status of one run."""
    settings = system.home / f"{name}.toml"
    owned = {} if name == "hurried" else owned_by(system, key, name)
    settings.write_text(configured(key, owned))
    command = [
        sys.executable, "-m", "schemathesis.cli", f"--config-file={settings}", "run",
        f"{system.demo['url']}/api/v1/openapi.json", f"--phases={phases}", "--checks=all",
        f"--seed={os.environ.get('SEED', '20261122')}",
        f"--max-examples={os.environ.get('EXAMPLES', '100')}",
        "--continue-on-failure", "--suppress-health-check=all", "--warnings=off",
    ]  # fmt: skip
    sys.stdout.write(f"\n=== with a key that is {name} ===\n")
    sys.stdout.flush()
    environ = {**os.environ, "PYTHONPATH": str(INSTALLED)}
    return subprocess.run(command, cwd=system.home, env=environ, check=False).returncode


def configured(key: str, owned: Mapping[tuple[str, str], str]) -> str:
    """Its configuration: what the key owns, where paths want it."""
    named = "".join(
        f"""
[[operations]]
include-path-regex = {json.dumps(f"^/api/v1/{place}/.*{{")}
parameters = {{ {json.dumps(f"path.{name}")} = {json.dumps(one)} }}
"""
        for (place, name), one in owned.items()
    )
    return f"""
hooks = {json.dumps(str(HOOKS))}
[auth.openapi.key]
bearer = {json.dumps(key)}
[checks]
# a 422 of what the schema allows is judged by hooks.py
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429]
{named}
"""


def owned_by(system: System, key: str, name: str) -> dict[tuple[str, str], str]:
    """What path parameters name, by resource and parameter: all of it the key's, so that its
    routes do their work. What is not here is made and used by the stateful phase."""
    recipients = [{"to": "255700000000", "jina": "Asha"}]
    sent = {"name": "Bili", "text": "Ndugu ((jina)).", "recipients": recipients}
    one = {"to": "255700000000", "text": "Habari"}
    return {
        ("notifications", "id"): asked(system, key, "notifications", one)["id"],
        ("bulks", "number"): asked(system, key, "bulks", sent)["id"],
        ("cases", "reference"): "000000000000" if name == "test" else filed(system, key),
        ("menus", "branch"): "code",
    }


def filed(system: System, key: str) -> str:
    system.sms(f"mo-{key[-8:]}", CITIZEN, "LALAMIKO ega barabara ni mbovu")
    found = until(lambda: asked(system, key, "cases")["cases"])
    return str(found[0]["reference"])


def asked(system: System, key: str, path: str, body: Any = None) -> dict[str, Any]:
    octets = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    answer = system.call(f"/api/v1/{path}", octets, **headers)
    assert answer.status < 300, answer.text
    return dict(json.loads(answer.body))


if __name__ == "__main__":
    main()
