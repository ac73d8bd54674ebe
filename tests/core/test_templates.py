"""Templates: two texts that agree, filled whole or not at all; and what a text costs."""

import pytest

from ussdapp.core import notes
from ussdapp.core.placeholders import partly, worded
from ussdapp.core.templates import NoSuchTemplate, TemplateRefused, check, use_of

SW = "Ndugu ((jina)), ombi ((namba)) limepokelewa."
EN = "Dear ((Jina)), request ((namba)) was received."


def faults(sw: str, en: str) -> list[tuple[str, str]]:
    with pytest.raises(TemplateRefused) as refused:
        check(sw, en)
    return [(fault.field, fault.code) for fault in refused.value.faults]


def test_two_texts_of_the_same_placeholders_are_taken() -> None:
    check(SW, EN)
    check("Karibu.", "Welcome.")


def test_a_placeholder_that_one_text_lacks_is_named_with_the_text_that_lacks_it() -> None:
    with pytest.raises(TemplateRefused) as refused:
        check(SW + " ((tarehe))", EN + " ((date))")
    told = {fault.field: fault.sentence for fault in refused.value.faults}
    assert told["en"].startswith("((tarehe)) stands in sw and not here")
    assert told["sw"].startswith("((date)) stands in en and not here")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert faults("Tuma PIN yako ((jina))", "Pay at bit.ly/abc") == [
        ("sw", "asks_secret"), ("en", "foreign_link"), ("en", "placeholder"),
    ]  # fmt: skip
    assert faults("x" * 1600, EN.replace("((namba))", "")) == [
        ("sw", "too_long"), ("sw", "placeholder"),
    ]  # fmt: skip


def test_a_use_names_a_template_or_a_version_of_it() -> None:
    assert (use_of("ombi-1", {}).name, use_of("ombi-1", {}).version) == ("ombi-1", None)
    assert use_of("ombi@12", {}).version == 12
    for wrong in ("", "Ombi", "ombi@0", "ombi@", "ombi@01", "@1", "ombi 1", "ombi@1@2", "ombi\n"):
        with pytest.raises(NoSuchTemplate):
            use_of(wrong, {})


def test_some_values_fill_a_text_in_part() -> None:
    assert partly(SW, {"NAM_BA": " 7 "}) == "Ndugu ((jina)), ombi 7 limepokelewa."
    assert partly(SW, {"jina": "((namba))"}).startswith("Ndugu ((namba)), ombi")


def test_values_are_put_by_name_whatever_the_order_of_the_text() -> None:
    text = worded("((b)) ((a)) ((B))").aligned(["A", "b"])
    assert text.filled(["1", "2"]) == "2 1 2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Asante\u00a0sana", "U+00A0 (no-break space) at character 7 makes the text UCS-2: 1 part, "
         "as without it. Write a space instead."),
        ("Karibu \U0001f600", "Leave it out, or write it otherwise."),
        ("Karibu\u200b", "U+200B (zero width space) at character 7"),
        ("\u201cNdiyo\u201d", "So does 1 other character."),
        ("\u0111" + "x" * 200, "3 parts in place of 2."),
    ],
)  # fmt: skip
def test_what_makes_a_text_ucs2_is_told_with_what_to_write(text: str, said: str) -> None:
    (note,) = notes.of(text)
    assert said in note.sentence


def test_nothing_is_noted_of_a_text_of_gsm7() -> None:
    assert notes.of("Habari {yako}, @ \u20ac") == ()
