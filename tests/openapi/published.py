"""What was published of the API, and what a change takes away from it. `make openapi` writes
published.json anew, which is refused unless all that changed was added."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.web import NOW, fake_gateway
from ussdapp.web import create_app
from ussdapp.web.api.openapi import document

PUBLISHED = Path(__file__).with_name("published.json")
Schema = Mapping[str, Any]
# a keyword that lets less through when it is larger, and one when it is smaller
FLOORS = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
CEILINGS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
SHAPES = ("pattern", "format", "const", "propertyNames", "uniqueItems")


@cache
def now() -> dict[str, Any]:
    """The document of the app as it is."""
    return document(create_app(fake_gateway(), lambda: NOW))  # type: ignore[arg-type]


def taken_away(old: Schema, new: Schema) -> list[str]:
    """What a client of the old document could rely on and no longer can, a sentence each."""
    return [*Change(old, new).paths()]


class Change:
    """From one document to another."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new

    def paths(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method, old in methods.items():
                place = f"{method.upper()} {path}"
                new = self._new["paths"].get(path, {}).get(method)
                if new is None:
                    yield f"{place} is gone"
                else:
                    yield from self._operation(place, old, new)

    def _operation(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{place} has another operationId"
        if scope_of(old) != scope_of(new):
            yield f"{place} needs another scope"
        yield from self._parameters(place, old["parameters"], new["parameters"])
        yield from self._body(place, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{place} no longer answers {status}"
            else:
                yield from self._answer(f"{place}, {status}", answer, new["responses"][status])

    def _parameters(self, place: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
        before = {(one["in"], one["name"]): one for one in old}
        after = {(one["in"], one["name"]): one for one in new}
        for key, one in after.items():
            if one["required"] and not before.get(key, {"required": False})["required"]:
                yield f"{place} now requires {key[1]}"
        for key, one in before.items():
            if key not in after:
                yield f"{place} no longer takes {key[1]}"
            else:
                yield from self._taken(f"{place}, {key[1]}", one["schema"], after[key]["schema"])

    def _body(self, place: str, old: Schema | None, new: Schema | None) -> Iterator[str]:
        if new is not None and old is None and new.get("required"):
            yield f"{place} now requires a body"
        for media, said in (old or {"content": {}})["content"].items():
            if new is None or media not in new["content"]:
                yield f"{place} no longer takes {media}"
            else:
                yield from self._taken(place, said["schema"], new["content"][media]["schema"])

    def _answer(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        for name in set(old.get("headers", {})) - set(new.get("headers", {})):
            yield f"{place} has no {name} any more"
        for media, said in old.get("content", {}).items():
            if media not in new.get("content", {}):
                yield f"{place} is no longer {media}"
            else:
                yield from self._given(place, said["schema"], new["content"][media]["schema"])

    def _taken(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        """Where a value that was taken may now be refused."""
        before, after = self._kinds(self._old, old), self._kinds(self._new, new)
        for kind, was in before.items():
            if (becomes := after.get(kind, after.get(""))) is None:
                yield f"{place} no longer takes a {kind}"
            else:
                yield from narrower(place, was, becomes)
                yield from self._members_taken(place, was, becomes)

    def _members_taken(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{place} now requires {name}"
        for name, was in old.get("properties", {}).items():
            if name in new.get("properties", {}):
                yield from self._taken(f"{place}, {name}", was, new["properties"][name])
            elif new.get("additionalProperties") is False:
                yield f"{place} no longer takes {name}"
        for inner in ("items", "additionalProperties"):
            if isinstance(new.get(inner), dict):
                yield from self._taken(f"{place}, {inner}", old.get(inner) or {}, new[inner])

    def _given(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        """Where a value may now be given that was never given, or is no longer."""
        before, after = self._kinds(self._old, old), self._kinds(self._new, new)
        for kind, becomes in after.items():
            if (was := before.get(kind, before.get(""))) is None:
                yield f"{place} may now be a {kind}"
            else:
                yield from self._members_given(place, was, becomes)

    def _members_given(self, place: str, old: Schema, new: Schema) -> Iterator[str]:
        if lost := set(values(old)) - set(values(new)):
            yield f"{place} is never {', '.join(sorted(map(str, lost)))} any more"
        if old.get("format") != new.get("format"):
            yield f"{place} has another format"
        for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
            yield f"{place} does not always have {name} any more"
        for name, was in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{place} has no {name} any more"
            else:
                yield from self._given(f"{place}, {name}", was, new["properties"][name])
        if "items" in old:
            yield from self._given(f"{place}, items", old["items"], new.get("items", {}))

    def _kinds(self, whole: Schema, schema: Schema) -> dict[str, Schema]:
        """The schema by the types it allows; "" where it allows any."""
        schema = resolved(whole, schema)
        options = [resolved(whole, one) for one in schema.get("anyOf", [schema])]
        return {str(one.get("type", "")): one for one in options}


def narrower(place: str, old: Schema, new: Schema) -> Iterator[str]:
    """The keywords that let less through than they did."""
    for name in FLOORS:
        if new.get(name, float("-inf")) > old.get(name, float("-inf")):
            yield f"{place} has a larger {name}"
    for name in CEILINGS:
        if new.get(name, float("inf")) < old.get(name, float("inf")):
            yield f"{place} has a smaller {name}"
    for name in SHAPES:
        if name in new and new[name] != old.get(name):
            yield f"{place} has another {name}"
    if values(new) and (not values(old) or set(values(old)) - set(values(new))):
        yield f"{place} takes fewer values"


def values(schema: Schema) -> list[Any]:
    """What alone it may be, nothing where it may be anything."""
    return schema.get("enum") or ([schema["const"]] if "const" in schema else [])


def resolved(whole: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].removeprefix("#/components/schemas/")
    found: Schema = whole["components"]["schemas"][name]
    return found


def scope_of(operation: Schema) -> str:
    return "".join(re.findall(r"Scope: `([^`]*)`", operation["description"]))


def main() -> None:
    """Writes it anew; exits with what would be taken away."""
    becomes = now()
    if lost := taken_away(json.loads(PUBLISHED.read_text()), becomes):
        sys.exit("\n".join(lost))
    PUBLISHED.write_text(json.dumps(becomes, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
