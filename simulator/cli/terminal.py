"""How lines look where they are read: folded to a terminal's width, and in colour; as they are everywhere else."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

import typer
from typer.core import TyperGroup

from simulator.cli.completion import scenario_names
from simulator.wording import folded, harmless

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter
    from typer._click.shell_completion import CompletionItem


class Listing(TyperGroup):
    """A group of commands whose list has the first sentence of each in full, on several lines where it is long."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Take a scenario for the command that runs it, where a shell asks how its line goes on."""
        run = self.get_command(ctx, "run") if ctx.resilient_parsing else None
        if run is not None and self.get_command(ctx, args[0]) is None:
            return "run", run, args
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Offer commands, and the scenarios that can stand in the place of one."""
        from typer._click.shell_completion import CompletionItem

        names = scenario_names(incomplete) if incomplete and self.get_command(ctx, "run") else []
        return [*super().shell_complete(ctx, incomplete), *map(CompletionItem, names)]

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the list."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(limit=1000)) for name, command in found if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def coloured(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal with colours, and they are wanted (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def echo(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print a text as it is, but for what would steer the terminal."""
    typer.echo(f"{harmless(text)}{end}", err=err, nl=False)


def told(lines: Iterable[str], *, err: bool = False, style: str = "") -> None:
    """Print lines: on a terminal folded, headings bold; `style` is the colour of the first word of each line."""
    stream = sys.stderr if err else sys.stdout
    held, bright = [line for each in lines for line in harmless(each).split("\n")], coloured(stream)
    if not stream.isatty():
        typer.echo("".join(f"{line}\n" for line in held), file=stream, nl=False)
        return
    width = shutil.get_terminal_size().columns
    for line, after in zip(held, [*held[1:], ""], strict=False):
        shown = _fit(line, width)
        if bright and style and not line.startswith(" "):
            head, mark, rest = shown[0].partition(": ")
            shown[0] = f"{typer.style(head, fg=style, bold=True)}{mark}{rest}"
        elif bright and not err and _is_heading(line, after):
            shown = [typer.style(part, bold=True) for part in shown]
        for part in shown:
            typer.echo(part, file=stream, color=bright)


def _is_heading(line: str, after: str) -> bool:
    """Tell whether a line is no sentence, and something is said below it."""
    return line[:1].strip() != "" and not line.endswith(".") and after.startswith(" ")


def _fit(line: str, width: int) -> list[str]:
    """Fold a line that is too wide; columns in it that stand far apart come close first."""
    if len(line) <= width:
        return [line]
    indent = len(line) - len(line.lstrip())
    close = " " * indent + re.sub(r" {3,}", "  ", line.lstrip())
    return folded(close, width=width, hang=" " * (indent + 4))
