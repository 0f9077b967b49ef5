"""At a terminal: what a shell offers where a name is begun, and how lines look, folded to its width and in colour."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, TextIO

import typer
from typer.core import TyperGroup

from simulator.errors import SimulatorError
from simulator.wording import folded, harmless

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter
    from typer._click.shell_completion import CompletionItem

    from simulator.scenario.resolving import Scenario


ASKED = "_SIMULATE_COMPLETE"
"""The variable by which a shell asks, and the words so far, which those of bash and of the others name otherwise."""
_WORDS = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")


def asked_word() -> str | None:
    """Give the first word behind `simulate` of a line that a shell asks about; None where none asks."""
    if ASKED not in os.environ:
        return None
    words = _line()
    return words[1] if words[2:] or (words[1:] and not words[1].startswith("-")) else ""


def _line() -> list[str]:
    return next((os.environ[name] for name in _WORDS if name in os.environ), "").split()


def _subject(ctx: typer.Context) -> str:
    """Find what a command is about, its first word that is no option: its line may end in an option without value."""
    words = [word for word in _line()[1:] if not word.startswith("-")]
    return next(iter(words[1:] if words[:1] == [ctx.info_name] else words), "")


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def scenario_names(incomplete: str) -> list[str]:
    """Offer the shipped scenarios and the scenario files that are here."""
    from simulator.scenario.library import shipped_names

    files = sorted(FilePath().glob(f"{incomplete}*.yaml")) if "*" not in incomplete else []
    return [*_begun(shipped_names("scenarios"), incomplete), *map(str, files)]


def _folders(incomplete: str, *, runs_alone: bool) -> list[str]:
    """Name `latest` and the folders below outputs, by the names that are theirs alone or in full."""
    from simulator.runs.kinds import LATEST, RUN, named_folders

    folders = named_folders(FilePath("outputs"))
    short = [each.name.rpartition("-")[0] for each in folders]
    names = [
        one if short.count(one) == 1 else each.name
        for one, each in zip(short, folders, strict=True)
        if RUN.is_in(each) or not runs_alone
    ]
    return _begun([LATEST, *names], incomplete) if names else []


def folder_names(incomplete: str) -> list[str]:
    """Offer `latest` and all that commands wrote."""
    return _folders(incomplete, runs_alone=False)


def run_names(incomplete: str) -> list[str]:
    """Offer `latest` and the runs."""
    return _folders(incomplete, runs_alone=True)


def item_names(incomplete: str) -> list[str]:
    """Offer scenarios and what was run."""
    return list(dict.fromkeys([*scenario_names(incomplete), *folder_names(incomplete)]))


def library_names(incomplete: str) -> list[str]:
    """Offer the prior libraries, and the entries of the one that is begun."""
    from simulator.scenario.library import load_library, shipped_names

    libraries = shipped_names("priors")
    held = incomplete.rpartition("/")[0]
    entries = [f"{held}/{key}" for key in load_library(held).data["priors"]] if held in libraries else []
    return _begun([*libraries, *entries], incomplete)


def _scenario(name: str) -> Scenario | None:
    """Read a scenario; none where it cannot be read."""
    from simulator.scenario.load import load_scenario

    with suppress(SimulatorError):
        return load_scenario(FilePath(name) if name.endswith((".yaml", ".yml")) else name)
    return None


def entry_paths(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the priors of the scenario that stands before, to be set."""
    scenario = _scenario(_subject(ctx))
    parts = scenario.components if scenario else ()
    return _begun(dict.fromkeys(f"{path}=" for part in parts for path in part.joint.priors), incomplete)


def _told_in_run(name: str) -> tuple[list[str], list[str], list[str]]:
    """Name the levels, the thresholds and the actors of a run; none where there is no run of that name."""
    from simulator.runs.kinds import found, run_path

    file = run_path(found(FilePath(name)))
    if not file.is_file():
        return [], [], []
    import netCDF4

    from simulator.runs.netcdf import check_sealed

    with suppress(OSError, SimulatorError), netCDF4.Dataset(check_sealed(file)) as run:
        summary = run["summary"].variables
        levels = [key for key, each in summary.items() if each.dimensions == ("quantile", "year")]
        thresholds = summary["threshold"][:].tolist() if "threshold" in summary else []
        actors = run["actors_summary"]["actor"][:].tolist() if "actors_summary" in run.groups else []
        return [key for key in levels if not key.endswith("_error")], thresholds, actors
    return [], [], []


def threshold_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the thresholds of the run that stands before."""
    return _begun(_told_in_run(_subject(ctx))[1], incomplete)


def observable_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the levels of the run that stands before."""
    return _begun(_told_in_run(_subject(ctx))[0], incomplete)


def outcome_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer levels at a date, and what may be asked of thresholds and actors, of the run or scenario before."""
    levels, thresholds, actors = _told_in_run(_subject(ctx))
    if not levels and (scenario := _scenario(_subject(ctx))) is not None:
        from simulator.analysis.evaluation import first_sample

        if found := first_sample(scenario):
            levels = [name for name in found[1].trajectories if not name.startswith("binding_")]
            thresholds, actors = list(found[0].thresholds), [each.name for each in found[0].actors]
    ways = (("crossing:", ""), ("crossed:", "@"), ("restricted:", ""))
    told = [f"{way}{name}{date}" for way, date in ways for name in thresholds]
    told += [f"{way}{name}@" for way in ("leads:", "behind:", "behind_months:") for name in actors]
    levels = [*levels, *(("lead", "lead_months") if len(actors) > 1 else ())]
    return _begun([*(f"{name}@" for name in levels), *told], incomplete)


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
