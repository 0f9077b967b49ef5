"""Pages that are made of the code: one a kind of entry, one of the commands, the Python interface by room."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer
from sphinx.application import Sphinx
from typer.cli import get_docs_for_click

import simulator
from simulator.cli.main import COMMANDS, GROUPS, command_line
from simulator.errors import number
from simulator.scenario.reference import Key, Kind, kinds

_WIDEST = 110


def _slug(kind: str) -> str:
    return kinds()[kind].words.replace(" ", "-")


def _kind_page(kind: Kind) -> Iterator[str]:
    yield f"# {kind.words.capitalize()}\n\n{kind.meaning.replace('\n', '\n\n')}\n"
    stands = [f"`{key.name}` of [{other.words}]({_slug(other.name)}.md)"
              for other in kinds().values() for key in other.keys.values() if kind.name in key.kinds]  # fmt: skip
    if stands:
        yield f"Stands at {', '.join(stands[:8])}{' and elsewhere' if len(stands) > 8 else ''}.\n"
    for key in kind.keys.values():
        yield from _key(key)
    shown = {key.example.about: key.example for key in kind.keys.values() if key.example is not None}
    yield "## Examples\n\nA piece without `schema` is laid over the baseline: `extends: baseline`.\n"
    for about, example in shown.items():
        yield f"{about}:\n\n```yaml\n{example.text.rstrip()}\n```\n"


def _key(key: Key) -> Iterator[str]:
    yield f"## `{key.name}`\n\n{key.meaning.replace('\n', '\n\n')}\n"
    takes = key.takes
    for kind in filter(kinds().__contains__, key.kinds):
        words = kinds()[kind].words
        takes = re.sub(rf"\ban? {words}\b", f"[{words}]({_slug(kind)}.md)", takes)
    facts = {"takes": takes, "unit": key.unit, "default": key.default}
    yield " · ".join(f"*{name}:* {words}" for name, words in facts.items() if words) + "\n"
    if key.value is not None and (line := _in_yaml({key.name: key.value})):
        yield f"```yaml\n{line}\n```\n"


def _in_yaml(data: Mapping[str, object]) -> str:
    """Write an entry in one line; nothing where it is too long for one."""
    line = ", ".join(f"{name}: {_value(value)}" for name, value in data.items())
    return line if len(line) <= _WIDEST else ""


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return number(float(value))
    text = str(value)
    return f'"{text}"' if set(text) & set(',:{}[]#"') or text[:1] in "%$" or text.isdigit() else text


def _commands() -> Iterator[str]:
    yield "# Commands\n\nWhat `simulate --help` says of each. `simulate FILE` is `simulate run FILE`.\n"
    for name in (*COMMANDS, *GROUPS):
        group = typer.main.get_command(command_line(only=name))
        command = getattr(group, "commands", {}).get(name, group)
        context = typer.Context(command, info_name=f"simulate {name}")
        text = get_docs_for_click(obj=command, ctx=context, name=f"simulate {name}")
        yield "\n".join(f"#{line}" if line.startswith("#") else line for line in text.splitlines()) + "\n"


_ROOMS = {
    "scenario": "Scenarios and priors", "engine": "Running", "runs": "Runs and results", "analysis": "Studies",
    "history": "What was observed", "hindcast": "Scoring", "charts": "Charts", "report": "Reports and exports",
    "errors": "Errors",
}  # fmt: skip


def _python_pages() -> Iterator[tuple[str, str]]:
    rooms: dict[str, list[str]] = {}
    for name in simulator.__all__:
        room = simulator._HOME_OF[name].split(".")[0]
        rooms.setdefault("report" if room == "export" else room, []).append(name)
    for room, names in rooms.items():
        title = _ROOMS.get(room, room.capitalize())
        made = [f"# {title}\n", "```{eval-rst}", ".. currentmodule:: simulator", "", ".. autosummary::", ""]
        made += [f"   {name}" for name in names] + [""]
        for name in names:
            found = getattr(simulator, name)
            kind = "class" if isinstance(found, type) else "function"
            made += [f".. auto{kind}:: {name}", "   :members:" if kind == "class" else "", ""]
        yield room, "\n".join([*made, "```", ""])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _generate(app: Sphinx) -> None:
    docs = Path(app.srcdir)
    pages = {f"reference/{_slug(name)}.md": "\n".join(_kind_page(kind)) for name, kind in kinds().items()}
    pages |= {"commands.md": "\n".join(_commands())}
    pages |= {f"python/{room}.md": text for room, text in _python_pages()}
    for name, text in pages.items():
        _write(docs / name, text)
    for path in [*docs.glob("reference/*.md"), *docs.glob("python/*.md")]:
        if path.name != "index.md" and str(path.relative_to(docs)) not in pages:
            path.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before any is read."""
    app.connect("builder-inited", _generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
