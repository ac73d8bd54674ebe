"""Knows how a body, a query and an answer of the API are described: one pydantic model each, which
both checks what comes and is shown in `/api/v1/openapi.json`.

A body derives from Body, a query from Query, an answer from Answer; a field `class` is spelt
`klass: ... = Field(alias="class")`. A rule that needs more than a type raises
`fault(code, sentence)` in an AfterValidator or a model_validator.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from flask import Response
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from ussdapp.web.api.bodies import read_members
from ussdapp.web.octets import body
from ussdapp.web.problems import FieldError, Problem
from ussdapp.web.serving import asked

REFUSED: Final = "Some fields cannot be taken."
REUSED: Final = "That Idempotency-Key was used before, with another body."
KEY_HEADER: Final = "Idempotency-Key"
MOST_KEY: Final = 255  # characters of an idempotency key
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MSISDN: Final = re.compile("255[67][0-9]{8}", re.ASCII)
_LINE_ENDS: Final = frozenset("\n\r")
_UNWRITTEN: Final = frozenset({"Cc", "Cs"})  # control characters and lone surrogates
Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A JSON object that an institution sends: no member is unknown, no type is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Query(BaseModel):
    """What follows the question mark."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """A JSON object that we answer; what it does not name is not sent."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        # what may be null or has a value by itself is in every answer all the same
        json_schema_serialization_defaults_required=True,
    )


def fault(code: str, sentence: str) -> PydanticCustomError:
    """What a validator raises; the sentence does not repeat the value."""
    return PydanticCustomError("own", "{sentence}", {"code": code, "sentence": sentence})


def at_fault(field: str, code: str, sentence: str) -> Problem:
    """The refusal of a request for one field of it, found beyond its shape."""
    return Problem(422, REFUSED, [FieldError(field, code, sentence)])


def _msisdn(digits: str) -> str:
    if not _MSISDN.fullmatch(digits):
        raise fault("msisdn", "An MSISDN is 255 and nine digits, the first of them 6 or 7.")
    return digits


def _text(text: str) -> str:
    if not text.strip():
        raise fault("required", "Give a text.")
    odd = (char for char in text if unicodedata.category(char) in _UNWRITTEN)
    if not text.isprintable() and any(char not in _LINE_ENDS for char in odd):
        raise fault("characters", "It holds characters that cannot be sent.")
    return text


def _time(spelling: object) -> datetime:
    if isinstance(spelling, str) and _ISO.fullmatch(spelling):
        try:
            return datetime.fromisoformat(spelling.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise fault("time", "A time is written like 2026-11-22T09:30:00Z.")


def full_date(spelling: str) -> date:
    """The day that is written like 2026-11-22 (RFC 3339, full-date); raises ValueError."""
    if not _DAY.fullmatch(spelling):
        raise ValueError("no full-date")
    return date.fromisoformat(spelling)


def _day(spelling: object) -> date:
    try:
        return full_date(spelling if isinstance(spelling, str) else "")
    except ValueError:
        raise fault("date", "A day is written like 2026-11-22.") from None


MsisdnField = Annotated[
    str,
    AfterValidator(_msisdn),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^255[67][0-9]{8}$",
            "description": "An MSISDN: digits with country code.",
            "examples": ["255754000001"],
        }
    ),
]
SENDABLE: Final = AfterValidator(_text)
# the same for who reads the schema: no control characters but line ends, and something to read
_SENDABLE: Final = r"[^\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]"
_READABLE: Final = r"[^\s\u0000-\u001f\u007f-\u009f]"
SENDABLE_SCHEMA: Final[dict[str, JsonValue]] = {"pattern": f"^{_SENDABLE}*{_READABLE}{_SENDABLE}*$"}
TextField = Annotated[str, SENDABLE, Field(json_schema_extra=SENDABLE_SCHEMA)]
ClassName = Literal["urgent", "receipt", "transaction", "bulk"]
SenderIdField = Annotated[
    str, StringConstraints(min_length=1, max_length=15, pattern=r"^[0-9A-Za-z .&_-]+$")
]
TimeField = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "description": "RFC 3339, such as "
         "2026-11-22T09:30:00Z."}
    ),
]  # fmt: skip
DayField = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "description": "Such as 2026-11-22."}),
]

# pydantic's error types as our codes and sentences; none of them repeats a value
_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("required", "It is needed."),
    "extra_forbidden": ("unknown", "There is no such field here: leave it out."),
    "string_type": ("type", "Give a text."),
    "string_unicode": ("characters", "It holds characters that cannot be sent."),
    "string_too_short": ("too_short", "At least {min_length} characters are needed."),
    "string_too_long": ("too_long", "At most {max_length} characters are taken."),
    "string_pattern_mismatch": ("shape", "It is not written as the documentation says."),
    "int_type": ("type", "Give a whole number."),
    "int_parsing": ("type", "Give a whole number."),
    "int_parsing_size": ("range", "The number is too large."),
    "bool_type": ("type", "Give true or false."),
    "list_type": ("type", "Give a list."),
    "dict_type": ("type", "Give an object."),
    "model_type": ("type", "Give an object."),
    "literal_error": ("unknown", "One of: {expected}."),
    "enum": ("unknown", "One of: {expected}."),
    "greater_than_equal": ("range", "At least {ge}."),
    "less_than_equal": ("range", "At most {le}."),
    "too_short": ("too_few", "At least {min_length} are needed."),
    "too_long": ("too_many", "At most {max_length} are taken."),
}
_OTHERWISE: Final = ("unreadable", "It cannot be taken.")


def read_body(model: type[Model]) -> Model:
    """The JSON body of this request; raises Problem 400, 413, 415 or 422 with each field at
    fault."""
    return checked(model, read_members(body()))


def checked(model: type[Model], members: Mapping[str, Any]) -> Model:
    """The members as that model; raises Problem 422 with each field at fault."""
    try:
        return model.model_validate(members)
    except ValidationError as refused:
        raise Problem(422, REFUSED, field_errors(refused)) from None


def read_query(model: type[Model]) -> Model:
    """The query of this request; a name given twice is refused. Raises Problem 422."""
    given = asked().args
    if twice := [name for name, values in given.lists() if len(values) > 1]:
        errors = [FieldError(shown(name), "twice", "Give it once.") for name in twice]
        raise Problem(422, REFUSED, errors)
    try:
        return model.model_validate_strings(given.to_dict())
    except ValidationError as refused:
        raise Problem(422, REFUSED, field_errors(refused)) from None


def idempotency_key() -> str | None:
    """The request's Idempotency-Key, None where it has none; raises Problem 422."""
    key = asked().headers.get(KEY_HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= MOST_KEY or not (key.isascii() and key.isprintable()):
        sentence = f"It has 1 to {MOST_KEY} characters of ASCII."
        raise at_fault(KEY_HEADER, "shape", sentence)
    return key


def field_errors(refused: ValidationError) -> list[FieldError]:
    """Each field at fault once, in the order of the model; within lists by place: `to.3`."""
    found: dict[str, FieldError] = {}
    for error in refused.errors(include_url=False, include_input=False):
        place = ".".join(shown(str(part)) for part in error["loc"]) or "body"
        code, sentence = _told(error["type"], error.get("ctx", {}))
        found.setdefault(place, FieldError(place, code, sentence))
    return list(found.values())


def _told(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    if kind == "own":
        return str(context["code"]), str(context["sentence"])
    # what pydantic says of a text whose length is looked at after a validator of ours
    if context.get("field_type") == "Value":
        kind = f"string_{kind}"
    code, sentence = _SENTENCES.get(kind, _OTHERWISE)
    return code, sentence.format_map(context)


def shown(name: str) -> str:
    """A field's name, or `?` where it is the sender's own words and could be anything."""
    plain = name.isascii() and len(name) < 40 and (name.isidentifier() or name.isdigit())
    return name if plain and not (name.isdigit() and len(name) > 7) else "?"


def one_of(names: Iterable[str]) -> str:
    """A sentence for a closed list."""
    return f"One of: {', '.join(names)}."


def answered(status: int, answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    """The answer as JSON; the same answer gives the same bytes."""
    octets = answer.model_dump_json().encode("utf-8", "replace")
    return Response(octets, status, headers, content_type="application/json")
