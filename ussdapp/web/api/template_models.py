"""Knows how templates, and texts that are written with one, are described in the API."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo

from ussdapp.core.notes import Note
from ussdapp.core.templates import NAME, TemplateUse, use_of
from ussdapp.web.api.models import Answer, Body, TextField, fault

MOST_TEXT: Final = 1530  # characters: ten parts of GSM-7 beside their headers
MOST_VALUES: Final = 50
MOST_NUMBER: Final = 10**15
NO_TEMPLATE: Final = "There is no such template of yours, or no such version of it."
ReferenceField = Annotated[str, StringConstraints(pattern=rf"^{NAME}(@[1-9][0-9]{{0,6}})?$")]


def _no_placeholder(value: str) -> str:
    if "((" in value:
        raise fault("placeholder", "A value holds no placeholder.")
    return value


def _with_a_template(values: dict[str, str] | None, info: ValidationInfo) -> dict[str, str] | None:
    if values is not None and info.data.get("template", "") is None:
        raise fault("no_template", "Values fill a template: name it.")
    return values


def _one_of_both(text: str | None, info: ValidationInfo) -> str | None:
    template = info.data.get("template", "")  # one that was refused is named already
    if text is None and template is None:
        raise fault("required", "Give a text, or a template.")
    if text is not None and template:
        raise fault("both", "Give a text or a template, not both.")
    return text


def _spelt(value: Any) -> Any:
    """A whole number as its digits; anything else as it is."""
    return str(value) if type(value) is int and abs(value) < MOST_NUMBER else value


_Words = Annotated[TextField, StringConstraints(min_length=1, max_length=500)]
_Number = Annotated[int, Field(gt=-MOST_NUMBER, lt=MOST_NUMBER)]
ValueField = Annotated[
    _Words,
    AfterValidator(_no_placeholder),
    BeforeValidator(_spelt, json_schema_input_type=_Words | _Number),
]
ValueName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
ValuesField = Annotated[
    Annotated[dict[ValueName, ValueField], Field(max_length=MOST_VALUES)] | None,
    AfterValidator(_with_a_template),
]
ONE_OF_BOTH: Final = AfterValidator(_one_of_both)


class Templated(Body):
    """What may stand in the place of a text."""

    template: ReferenceField | None = Field(
        None, description="One of your templates, `name`, or a version of it, `name@3`."
    )
    values: ValuesField = Field(
        None, description="The text or whole number that fills each placeholder, by name."
    )

    @property
    def use(self) -> TemplateUse | None:
        """What core knows of it."""
        return use_of(self.template, self.values or {}) if self.template else None


class NoteShown(Answer):
    """What you should know of a text that was taken all the same."""

    field: str
    code: str
    message: str


class TemplateBody(Body):
    """The same text in both languages, with the same placeholders."""

    sw: Annotated[TextField, StringConstraints(min_length=1, max_length=MOST_TEXT)] = Field(
        description="In Kiswahili; `((jina))` stands for what the value `jina` holds."
    )
    en: Annotated[TextField, StringConstraints(min_length=1, max_length=MOST_TEXT)] = Field(
        description="In English: for citizens who chose it."
    )


class TemplateRollbackBody(Body):
    """The version that shall stand again."""

    to: int | None = Field(None, ge=1, lt=2**31, description="Without it, the one before.")


class TemplateShown(Answer):
    """A version of a template; `version` is null where a test key only had it checked."""

    name: str
    version: int | None
    sw: str
    en: str
    placeholders: list[str]
    published_at: datetime | None
    published_by: str | None
    current: bool
    notes: list[NoteShown]


class TemplateVersionShown(Answer):
    """When a version was published, and whether it stands."""

    version: int
    published_at: datetime
    published_by: str
    current: bool


class TemplateHistory(TemplateShown):
    """A template as it stands, or as the version that was named was, with all its versions, the
    newest first."""

    versions: list[TemplateVersionShown]


class Templates(Answer):
    """What stands of each of your templates, by name."""

    templates: list[TemplateShown]


def noted(field: str, notes: tuple[Note, ...]) -> list[NoteShown]:
    """Notes of one field."""
    return [NoteShown(field=field, code=note.code, message=note.sentence) for note in notes]


def as_body(body: Body, templated: Any) -> str:
    """A body as a repeat has to equal it: without a template, as before there were any."""
    left_out = {"template", "values"} if templated is None else set()
    return body.model_dump_json(exclude=left_out)
