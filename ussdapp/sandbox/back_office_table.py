"""Writes what the authors of menus need to know of the sandbox's back offices.

python -m ussdapp.sandbox.back_office_table > ussdapp/sandbox/BACK_OFFICES.md
"""

import click

from ussdapp.sandbox.back_office_answers import Office, look_up, read_offices, widths

HEAD = """# The sandbox's back offices

Written by `python -m ussdapp.sandbox.back_office_table`; the words are in `back_office.toml`. Each
is one URL, `http://127.0.0.1:<port>/<name>`, and speaks eGA's mGov USSD guide v2.1.0. The guide
sends no language with a look-up or a summary, so the gateway sends it as the header
`Accept-Language: sw|en`, and the answer comes in it. Widths are the most septets a value takes in
either language. Where a last digit is "missing", `success` is false and `detail_01` is a sentence.
`sms` is the whole answer in one line, for an SMS keyword or a late answer. Everything is invented,
and the same for the same value. A summary's answer is `sms_text`; its 8 digits can be asked for at
`gisp.request_status`. Without any answers a summary is refused (`status` false).
"""


def table() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(_section, read_offices().values())])


def _section(office: Office) -> str:
    head = f"## {office.name} ({office.kind})\n\n{office.about}.\n"
    match office.kind:
        case "lookup":
            return f"{head}\n{_lookup(office)}"
        case "summary":
            return f"{head}\n{_summary(office)}"
        case "keyword":
            return f"{head}\n{_keyword(office)}"
        case _:
            return f"{head}\n{_external(office)}"


def _lookup(office: Office) -> str:
    given = office.given
    wide = widths(office)
    said = look_up(office, given["example"], "sw")
    rows = [
        f"| `{one.name}` | {wide[one.name]} | {one.means} | {said[one.name]} |"
        for one in office.details
    ]
    missing = f"; missing when the last digit is {given['missing']}" if given["missing"] else ""
    takes = f"Takes `{given['takes']}`, case and outer spaces aside{missing}.\n"
    head = [f"| detail | septets | means | `{given['example']}` |", "| --- | --- | --- | --- |"]
    return "\n".join([takes, *head, *rows, ""])


def _summary(office: Office) -> str:
    answers = ", ".join(f"`{name}`" for name in office.given["answers"])
    return "\n".join(
        (
            f"Takes any answers; meant for {answers}. `{{kumbukumbu}}` has 8 digits.\n",
            f"- sw: {office.given['sms']['sw']}",
            f"- en: {office.given['sms']['en']}\n",
        )
    )


def _keyword(office: Office) -> str:
    said = [f"- {language}: {text}" for language, text in office.given["answers"].items()]
    asks = 'Takes `{message, msisdn, transaction_id, sent_time}`; `make run` allots it as "EGA".\n'
    return "\n".join([asks, *said, ""])


def _external(office: Office) -> str:
    lines = [f"- {name}: {screen['sw']}" for name, screen in office.given["screens"].items()]
    hands_back = (
        '`header_type` 4 hands back `data = {"miadi": "DDMMYYYY"}`, or `{}` from the start.'
    )
    return "\n".join([*lines, "", f"{hands_back}\n"])


if __name__ == "__main__":
    click.echo(table(), nl=False)
