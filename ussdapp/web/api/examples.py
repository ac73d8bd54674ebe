"""Knows how each operation is called from a shell and from Python, with its own examples: what
/api/docs shows, and what a test runs as it stands."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ussdapp.web.api.models import KEY_HEADER
from ussdapp.web.api.operations import JSON, Example, Route

_KEYS: Final = ("2026-11-22-0001", "2026-11-22-0002")  # of a JSON body, and of a form
_OPENED: Final = (
    "with urllib.request.urlopen(call, timeout=10) as answer:",
    "    print(answer.status, answer.read().decode())",
)
# urllib knows no forms
_FORM: Final = """\
limit = uuid.uuid4().hex
name, octets = file
parts = [f'; name="{key}"\\r\\n\\r\\n{value}'.encode() for key, value in fields.items()]
parts.append(f'; name="file"; filename="{name}"\\r\\n\\r\\n'.encode() + octets)
begins = f"--{limit}\\r\\nContent-Disposition: form-data".encode()
body = b"".join(begins + part + b"\\r\\n" for part in parts) + f"--{limit}--\\r\\n".encode()"""


def curls(route: Route, url: str, key: str) -> Iterator[str]:
    """Lines of the shell that call the operation, one for each way to give its body."""
    said = route.operation
    if said.example is not None or not said.form:
        body = [] if said.example is None else _json(said.example)
        yield _curl(route, url, key, [*_once(route, _KEYS[0]), *body])
    if said.form:
        yield _curl(route, url, key, [*_once(route, _KEYS[1]), *_fields(said.form)])


def pythons(route: Route, url: str, key: str) -> Iterator[str]:
    """The same in Python's own library."""
    said = route.operation
    if said.example is not None:
        body = ["import json, urllib.request", "", f"body = {dict(said.example)!r}"]
        headers = {**_given(route, key, _KEYS[0]), "Content-Type": JSON}
        yield _python(route, url, body, "json.dumps(body).encode()", headers)
    elif not said.form:
        headers = _given(route, key, _KEYS[0])
        yield _python(route, url, ["import urllib.request", ""], "", headers)
    if said.form:
        yield _python_of_form(route, url, key, said.form)


def _curl(route: Route, url: str, key: str, words: list[str]) -> str:
    # in double quotes, so that a shell puts its $KEY in
    begins = f"curl -X {route.method} {shlex.quote(f'{url}{route.path}')}"
    return " ".join([begins, f'-H "Authorization: Bearer {key}"', *map(shlex.quote, words)])


def _json(example: Mapping[str, Any]) -> list[str]:
    spelt = json.dumps(dict(example), ensure_ascii=False)
    return ["-H", f"Content-Type: {JSON}", "-d", spelt]


def _fields(form: Example) -> list[str]:
    # --form-string takes a text as it stands; -F would read one that begins with @ or < as a file
    words = [word for one in form.fields.items() for word in ("--form-string", "=".join(one))]
    return [*words, "-F", f"file=@{form.name}"]


def _once(route: Route, name: str) -> list[str]:
    return ["-H", f"{KEY_HEADER}: {name}"] if route.operation.idempotent else []


def _given(route: Route, key: str, name: str) -> dict[str, str]:
    once = {KEY_HEADER: name} if route.operation.idempotent else {}
    return {"Authorization": f"Bearer {key}", **once}


def _python(route: Route, url: str, begins: list[str], body: str, headers: dict[str, str]) -> str:
    lines = [
        "call = urllib.request.Request(",
        f"    {f'{url}{route.path}'!r}, {body and f'{body}, '}method={route.method!r},",
        f"    headers={headers!r},",
        ")",
    ]
    return "\n".join([*begins, *lines, *_OPENED])


def _python_of_form(route: Route, url: str, key: str, form: Example) -> str:
    begins = [
        "import pathlib, urllib.request, uuid",
        "",
        f"fields = {dict(form.fields)!r}",
        f"file = ({form.name!r}, pathlib.Path({form.name!r}).read_bytes())",
        *_FORM.splitlines(),
    ]
    made = _python(route, url, begins, "body", _given(route, key, _KEYS[1]))
    kind = '"Content-Type": f"multipart/form-data; boundary={limit}"'
    return made.replace("    headers={", f"    headers={{{kind}, ", 1)
