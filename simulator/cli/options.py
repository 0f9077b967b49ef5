"""Arguments and options that several commands share."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from simulator.addresses import as_path
from simulator.cli import terminal
from simulator.cli.terminal import Listing, echo, told
from simulator.errors import InputError, missing_extra
from simulator.files import check_file, check_folder

if TYPE_CHECKING:
    from simulator.engine.workers import Workers
    from simulator.runs.result import Result
    from simulator.runs.table import Table


def _checked(check: Callable[..., None]) -> Callable[[typer.CallbackParam, FilePath | None], FilePath | None]:
    """Check the folder or file that an option names before there is any work."""

    def checked(param: typer.CallbackParam, value: FilePath | None) -> FilePath | None:
        if value is not None:
            check(value, option=param.opts[0])
        return value

    return checked


def run_option(value: FilePath | None) -> FilePath | None:
    """Find the folder that is meant by a path or a name."""
    from simulator.runs.kinds import found

    return None if value is None else found(value)


def item_option(value: str | list[str]) -> str | list[str]:
    """Find the folders that are meant by names, but for those of scenarios."""
    from simulator.runs.kinds import found
    from simulator.scenario.library import shipped_names

    if not isinstance(value, str):
        return [str(item_option(each)) for each in value]
    known = value in shipped_names("scenarios") or value.endswith((".yaml", ".yml"))
    return value if known else str(found(as_path(value)))


LOOK: Mapping[str, Any] = {"add_completion": False, "cls": Listing, "no_args_is_help": True, "rich_markup_mode": None}
"""How the command line and its groups of commands are set."""

folder_option, file_option = _checked(check_folder), _checked(check_file)
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        autocompletion=terminal.entry_paths,
        help="Override any entry, e.g. drivers.spending.growth[0].rate.median=2.6x/year.",
    ),
]
SamplesOption = Annotated[str | None, typer.Option(help="Number of samples, e.g. 100000 or 1e6.")]
SeedOption = Annotated[int | None, typer.Option(help="Seed of the draws.")]
ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="A .yaml file, or the name of a shipped scenario.",
        autocompletion=terminal.scenario_names,
    ),
]
RUN_HELP = (
    "A run: its folder or file, here or at an address (s3://..), the name of its scenario where outputs/ has one such "
    "run, or latest."
)
RunArgument = Annotated[
    FilePath,
    typer.Argument(
        metavar="RUN", help=RUN_HELP, parser=as_path, callback=run_option, autocompletion=terminal.run_names
    ),
]
FolderArgument = Annotated[
    FilePath,
    typer.Argument(
        metavar="RUN", help=RUN_HELP, parser=as_path, callback=run_option, autocompletion=terminal.folder_names
    ),
]
OutputOption = Annotated[
    FilePath,
    typer.Option(
        metavar="<path>",
        help="Folder in which the run folder is made, or an address: s3://bucket/outputs.",
        parser=as_path,
        callback=folder_option,
    ),
]
BesideOption = Annotated[
    FilePath | None,
    typer.Option(
        metavar="<path>", help="Folder to write to; otherwise that of the run.", parser=as_path, callback=folder_option
    ),
]
ChartsOption = Annotated[bool, typer.Option("--charts/--no-charts", help="Draw the charts.")]
FormatOption = Annotated[str, typer.Option("--format", help="Of png, svg, pdf, html, vega; several with commas.")]
ThemeOption = Annotated[str, typer.Option(help="light or dark.")]
RunsOption = Annotated[FilePath | None, typer.Option(help="An export of training runs; the shipped table without it.")]
EstimatesOption = Annotated[str, typer.Option(help="The date of the estimates in it, e.g. 2026-05.")]
DomainOption = Annotated[
    list[str] | None, typer.Option(help="Leave a domain out of the frontier, e.g. Games; may be repeated.")
]
SamplerOption = Annotated[Literal["pymc", "nutpie"], typer.Option(help="What samples the posterior.")]
ClusterOption = Annotated[
    str, typer.Option(metavar="ADDRESS", help="A Dask scheduler that does the work: tcp://host:8786, or its file.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the tables as JSON, one object on a line: for scripts (docs/json.md).")
]
TrustOption = Annotated[bool, typer.Option("--trust", help="Exit with 0 also where chains did not agree.")]


@contextlib.contextmanager
def hands(workers: int, cluster: str) -> Iterator[Workers]:
    """Give what does the work: processes of this machine, or a cluster."""
    if not cluster:
        yield workers
        return
    from simulator.engine.cluster import cluster as connected

    with connected(cluster, say=say) as executor:
        yield executor


def done_by[Result](cluster: str, study: Callable[..., Result], *given: Any, **named: Any) -> Result:
    """Make a study here, or by a cluster."""
    with hands(1, cluster) as workers:
        return study(*given, **named, workers=workers)


def overridden(given: list[str] | None, samples: str | None, seed: int | None) -> list[str]:
    """Put the options that change a scenario into the form of --set."""
    overrides = list(given or [])
    if samples is not None:
        overrides.append(f"samples={number_of_samples(samples)}")
    if seed is not None:
        overrides.append(f"seed={seed}")
    return overrides


MOST_SAMPLES = 10**12


def number_of_samples(text: str) -> int:
    """Read a number of samples, such as 100000, 1_000 or 1e6: a whole number from 1 to 1e12."""
    try:
        count = float(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise InputError(f"--samples: must be a whole number; got {text!r}. Write for example 100000 or 1e6.") from None
    if count != count // 1 or not count >= 1:
        raise InputError(f"--samples: must be a whole number from 1; got {text}. Write for example 100000 or 1e6.")
    if count > MOST_SAMPLES:
        raise InputError(f"--samples: must be at most {MOST_SAMPLES:,}; got {text}. Write for example 100000 or 1e6.")
    return int(count)


def chart_formats(text: str, *, theme: str, charts: bool = True) -> tuple[str, ...]:
    """Read the formats of charts, and check them and the theme before any work; none where no charts are drawn."""
    if not charts:
        return ()
    from simulator.charts.register import check_formats, check_theme

    formats = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    check_formats(formats)
    check_theme(theme)
    return formats


def folder_for(path: FilePath, output: FilePath | None) -> FilePath:
    """Give the folder in which results about a run are written: `output`, checked as it is read, or that of the run.

    Of a frozen forecast it is a folder of its name below `outputs`.
    """
    from simulator.runs.frozen import is_frozen
    from simulator.runs.kinds import run_path

    if output is None:
        output = FilePath("outputs") / path.stem if is_frozen(path) else run_path(path).parent
        check_folder(output)
    return output


@contextlib.contextmanager
def progress_bar(*, label: str, least: int) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on a terminal for each piece of work of `least` steps or more; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    with contextlib.ExitStack() as shown:
        bars: list[Any] = []

        def told(done: int, of: int) -> None:
            if of >= least and not bars:
                bars.append(shown.enter_context(typer.progressbar(length=of, label=label, file=sys.stderr)))
            for bar in bars:
                bar.update(done - bar.pos)
            if done >= of:
                shown.close()
                bars.clear()

        yield told


TOLD_AGAIN = 10.0
"""Seconds after which it is said again how much is done of many pieces of work."""


def with_time_left[Each](pieces: Iterable[Each], *, of: int) -> Iterator[Each]:
    """Hand pieces of work on, and say between them how many are done and how long the others may take."""
    began = last = time.monotonic()
    for done, piece in enumerate(pieces):
        now = time.monotonic()
        if done and now - last >= TOLD_AGAIN:
            last, left = now, (now - began) / done * (of - done)
            about = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} minutes"
            say(f"{done} of {of} scenarios are done; the others take about {about}.")
        yield piece


def say(text: str) -> None:
    """Print a line beside the output."""
    told([text], err=True)


def table(name: str, rows: Iterable[Mapping[str, object]]) -> dict[str, Table]:
    """Lay rows out as the one table of an answer."""
    from simulator.runs.table import Table

    return {name: Table.of_rows(rows)}


def note(line: str, *, json: bool) -> None:
    """Print a line behind what a command printed; beside it, where that is JSON."""
    told([line], err=json)


def tell(lines: Iterable[str]) -> None:
    """Print lines."""
    told(lines)


def warn(warnings: Iterable[str]) -> None:
    """Print warnings beside the output."""
    told((f"warning: {warning}" for warning in warnings), err=True, style="yellow")


def finish(
    result: Result,
    output: FilePath,
    *,
    formats: Sequence[str] = (),
    theme: str = "light",
    file: str = "",
    printed: str = "",
    json: bool = False,
) -> None:
    """Save a result below `output`, draw it where formats are given, and print it: warnings, lines, its folder.

    With `file` it is written into `output` itself, and that file is named; `printed` stands in the place of all that
    is printed. A result without tables is printed alone.
    """
    folder = None
    if result.tables():
        folder = output if file else output / result.folder_name
        result.write_into(folder)
    if printed and not json:
        echo(printed, end="")
    else:
        show(result, folder, formats=formats, theme=theme, file=file, json=json)


def show(
    result: Result,
    folder: FilePath | None = None,
    *,
    formats: Sequence[str] = (),
    theme: str = "light",
    asked: Sequence[str] = (),
    lines: Sequence[str] | None = None,
    file: str = "",
    json: bool = False,
) -> None:
    """Draw a result that stands in a folder, and print it: warnings, its own lines or those given, the folder."""
    if folder and formats:
        from simulator.charts.drawing import draw_result

        draw_result(result, folder, formats=formats, theme=theme, asked=asked)
    warn(result.warnings)
    if json:
        echo(result.to_json())
    else:
        tell([*(result.lines() if lines is None else lines), *([f"  {folder / file}"] if folder else [])])


def answer(
    json: bool,
    kind: str,
    name: str,
    tables: Callable[[], Mapping[str, Table]],
    lines: Callable[[], Iterable[str]] = tuple,
    *,
    holds: bool = True,
) -> None:
    """Print what a command found that keeps no result: its lines, or its tables as JSON."""
    from simulator.runs.result import as_json

    if json:
        echo(as_json(kind, name, tables(), holds=holds))
    else:
        tell(lines())


def fail_unless(holds: bool) -> None:
    """End with exit code 1 where what came out does not hold."""
    if not holds:
        raise typer.Exit(1)


def need(library: str, *, extra: str) -> None:
    """Refuse a command whose library is not installed, and say how to install it."""
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise missing_extra(f"{library} is not installed, which this command needs.", extra)


def store_option(value: str) -> str:
    """Refuse a store whose library is not installed."""
    if value == "zarr":
        need("zarr", extra="zarr")
    return value
