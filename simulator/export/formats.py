"""The formats to which a run can be exported: a register, what may be asked of them, and writing them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.addresses import as_path
from simulator.dates import day_at
from simulator.errors import InputError, near_or_all
from simulator.files import check_file, check_folder, is_there, make_folder, write_text
from simulator.registers import Register, attribute_at

if TYPE_CHECKING:
    from datetime import date

    import xarray as xr

    from simulator.export.metaculus import Scale


@dataclass(frozen=True, slots=True)
class Exporter:
    """A format to which a run can be exported: what it is, for the help of `simulate export`, how its files end.

    `text` is a function of a run, or its place as `module:function`, that gives the text, and a line that the reader
    should know, or an empty one. It takes the options named in `takes`, fields of `ExportOptions`, as keywords.
    One of tables has `table` instead, a function of a `RunTable` and a path that writes a table and gives the files.
    """

    says: str
    suffix: str
    text: Callable[..., tuple[str, str]] | str = ""
    table: Callable[..., tuple[FilePath, ...]] | str = ""
    takes: tuple[str, ...] = ()


_CHOICE = ("group", "variables", "thresholds")
EXPORTERS: Register[Exporter] = Register(
    "format",
    "simulator.exporters",
    MappingProxyType({
        "csv": Exporter("tables", ".csv", table="simulator.export.tables:write_csv", takes=_CHOICE),
        "parquet": Exporter("tables", ".parquet", table="simulator.export.tables:write_parquet", takes=_CHOICE),
        "json": Exporter("the summary", ".json", text="simulator.export.summary:summary_json"),
        "hub": Exporter("quantiles for forecast hubs", ".csv", text="simulator.export.summary:hub_text",
                        takes=("variables", "thresholds", "origin")),
        "metaculus": Exporter("the CDF of a question", ".json", text="simulator.export.metaculus:question_text",
                              takes=("variables", "thresholds", "year", "scale")),
        "bibtex": Exporter("the sources", ".bib", text="simulator.export.bibtex:bibtex"),
    }),
    Exporter,
)  # fmt: skip
"""What `simulate export` can write; an installed package adds a format as an entry point."""


def format_help() -> str:
    """List the formats for the help of the command: those that say the same together."""
    names: dict[str, list[str]] = {}
    for name, exporter in _installed(tuple(sys.path)).items():
        names.setdefault(exporter.says, []).append(name)
    return " ".join(f"{', '.join(same)}: {says}." for says, same in names.items())


def takers(option: str) -> str:
    """Name the formats that take a field of `ExportOptions`."""
    return ", ".join(name for name, exporter in _installed(tuple(sys.path)).items() if option in exporter.takes)


@cache
def _installed(_: tuple[str, ...]) -> Mapping[str, Exporter]:  # every look at what is installed takes 10 ms
    """Give the formats; one whose package is broken is passed over, and refused when it is asked for."""
    return dict(EXPORTERS.usable())


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What may be asked of an export; see `export_run`. Each format takes what concerns it and refuses the rest."""

    group: str = ""
    variables: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    year: float | None = None
    scale: Scale | None = None
    origin: date | None = None


_OPTIONS: Mapping[str, str] = MappingProxyType({
    "group": "--group", "variables": "--variable", "thresholds": "--threshold", "year": "--year", "scale": "--range",
    "origin": "--date",
})  # fmt: skip


def read_options(
    *,
    group: str,
    variables: Sequence[str],
    thresholds: Sequence[str],
    year: str | None,
    bounds: tuple[str, str] | None,
    date: str,
    **scale: Any,
) -> ExportOptions:
    """Read what is asked of an export in words: `scale` is what `read_scale` is told of the question's bounds."""
    from simulator.export.metaculus import read_scale
    from simulator.runs.crossings import read_date

    found, at = read_scale(bounds, **scale), None if year is None else read_date(year, option="--year")
    origin = day_at(read_date(date, option="--date")) if date else None
    return ExportOptions(group, tuple(variables), tuple(thresholds), at, found, origin)


@dataclass(frozen=True, slots=True)
class Export:
    """What an export gave: its text, or none where tables were written; what the reader should know; the files."""

    text: str = ""
    note: str = ""
    files: tuple[FilePath, ...] = ()
    said: str = ""
    """What a command prints: the text where no file was written, else which were."""


def export_run(
    run: xr.DataTree,
    format_: str,
    /,
    output: FilePath | str | None = None,
    *,
    group: str = "",
    variables: Sequence[str] = (),
    thresholds: Sequence[str] = (),
    year: float | None = None,
    scale: Scale | None = None,
    origin: date | None = None,
) -> Export:
    """Write a run in the format of another program.

    Numbers are those of the run: levels in log10 of their unit, dates in decimal years; no crossing by the last year is
    +inf in tables (`inf`), null in JSON and `Inf` for hubs.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`.
    format_ : str
        csv, parquet (tables), json (the summary), hub (quantiles), metaculus (the CDF of a question), bibtex (the
        sources), or one of an installed package.
    output : path, optional
        The file to write; the folder, where there are several tables. Tables need it, texts are given back as well.
    group : str
        The one group that is written: parameters, trajectories, crossings or summary; all without it. (csv, parquet)
    variables, thresholds : sequence of str
        Names; none: all (csv, parquet), the usual ones (hub). Exactly one of either is a question's. (metaculus)
    year : float, optional
        The year in which the variable is asked for. (metaculus)
    scale : Scale, optional
        The scale of the question, from `simulator.export.metaculus`. (metaculus)
    origin : datetime.date, optional
        The date from which horizons count; without it that of the run's first year. (hub)

    Returns
    -------
    Export
        `text`, `note` (what the reader should know), `files`.

    Raises
    ------
    InputError
        There is no such format, it does not take an option, or what is asked for is not in the run.
    SimulatorError
        A file cannot be written, or what the format needs is not installed.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"))
    >>> export_run(run, "hub", variables=["spending"]).text.splitlines()[0]
    'origin_date,scenario_id,target,horizon,output_type,output_type_id,value'
    """
    options = ExportOptions(group, tuple(variables), tuple(thresholds), year, scale, origin)
    return export_as(run, format_, options, None if output is None else as_path(output))


def export_as(run: xr.DataTree, format_: str, options: ExportOptions, target: FilePath | None) -> Export:
    """Write a run with options that are put together, as `export_run` does."""
    exporter = check_export(format_, options, target)
    if exporter.table:
        if target is None:
            raise InputError(f"output: {format_} is written to files. Name a folder, or with group=... a file.")
        from simulator.export.tables import every_table, run_table

        names = {"variables": options.variables, "thresholds": options.thresholds}
        if options.group:
            tables = {target: run_table(run, options.group, **names)}
        else:
            tables = {target / f"{table.name}{exporter.suffix}": table for table in every_table(run, **names)}
        make_folder(target.parent if options.group else target)
        write = attribute_at(exporter.table)
        files = tuple(file for path, table in tables.items() for file in write(table, path))
        return Export(files=files, said="".join(f"{file}\n" for file in files))
    text, note = attribute_at(exporter.text)(run, **{name: getattr(options, name) for name in exporter.takes})
    if target is None:
        return Export(text, note, said=text)
    make_folder(target.parent)
    write_text(target, text)
    return Export(text, note, (target,), f"{target}: written.\n")


def export_file(path: FilePath, format_: str, options: ExportOptions, output: FilePath | None) -> Export:
    """Write the run of a file or folder; tables go to the folder `export` beside it where no place is named."""
    from simulator.runs.folder import open_run
    from simulator.runs.kinds import run_path

    exporter = check_export(format_, options, output)
    if output is None and exporter.table:
        output = run_path(path).parent / "export" / (f"{options.group}{exporter.suffix}" if options.group else "")
        check_export(format_, options, output)
    with open_run(path) as run:
        return export_as(run, format_, options, output)


def check_export(format_: str, options: ExportOptions, output: FilePath | None = None) -> Exporter:
    """Find a format; check, before there is any work, that it takes the options and that the output can be written."""
    if format_ not in EXPORTERS:
        raise InputError(f"--format: there is no format '{format_}'. {near_or_all(format_, EXPORTERS)}")
    exporter = EXPORTERS.find(format_, entry=f"--format {format_}")
    for name, option in _OPTIONS.items():
        if getattr(options, name) not in ("", (), None) and name not in exporter.takes:
            rule = f"has no meaning for --format {format_}; it belongs to {takers(name)}"
            raise InputError(f"{option}: {rule}. Leave it out.")
    if options.thresholds and options.group not in ("", "crossings"):
        raise InputError(f"--threshold: belongs to --group crossings, not to {options.group}.")
    if output is not None:
        if (several := bool(exporter.table) and not options.group) and is_there(output) and output.is_file():
            raise InputError(f"--output: {output} is a file. Without --group there are several files: name a folder.")
        (check_folder if several else check_file)(output)
    return exporter
