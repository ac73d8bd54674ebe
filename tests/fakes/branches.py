"""Small menus of which it can be seen who wrote what: a main branch that leads to e-GA's, and
e-GA's own."""

from pathlib import Path

from ussdapp.core.branches import Files
from ussdapp.core.menu import Words


def main_toml(title: str = "Karibu", leads_to: tuple[str, ...] = ("ega.huduma.mwanzo",)) -> str:
    """main.toml: options 1.. lead to those screens, 9 to an end."""
    words = "\n".join(f'{name} = {{ sw = "{name}", en = "{name}" }}' for name in Words.__slots__)
    options = "\n".join(
        f'    {{ key = "{key}", sw = "Huduma", en = "Service", goto = "{goto}" }},'
        for key, goto in enumerate(leads_to, 1)
    )
    return f"""
[menu]
first = "mwanzo"
{words}

[mwanzo]
kind = "choice"
sw = "{title}"
en = "{title}"
options = [
{options}
    {{ key = "9", sw = "Mwisho", en = "The end", goto = "mwisho" }},
]

[mwisho]
kind = "end"
sw = "{title}: kwaheri"
en = "{title}: goodbye"
"""


def service_toml(title: str = "Huduma", depth: int = 1) -> str:
    """A file of an institution: `depth` screens that say the title, one after the other."""
    screens = []
    names = ["mwanzo", *(f"s{number}" for number in range(2, depth + 1))]
    for name, then in zip(names, [*names[1:], "mwisho"], strict=True):
        screens.append(f"""
[{name}]
kind = "choice"
sw = "{title} {name}"
en = "{title} {name}"
options = [{{ key = "1", sw = "Endelea", en = "Go on", goto = "{then}" }}]
""")
    return (
        "".join(screens)
        + f"""
[mwisho]
kind = "end"
sw = "{title} mwisho"
en = "{title} end"
"""
    )


TREE: Files = {"main.toml": main_toml(), "ega/huduma.toml": service_toml()}


def written(folder: Path, files: Files = TREE) -> Path:
    """The files in a folder."""
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, "utf-8")
    return folder
