"""A run in the formats of other programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath

import xarray as xr

from simulator.errors import InputError, near_name
from simulator.export_cdf import crossing_distribution, level_distribution
from simulator.export_hub import hub_csv, hub_rows
from simulator.export_json import summary_json
from simulator.export_metaculus import Scale, forecast_document, forecast_json, forecast_note
from simulator.export_sources import bibtex
from simulator.export_tables import GROUPS, Table, run_table, write_tables
from simulator.files import make_folder, write_text
from simulator.writable import check_file, check_folder

FORMATS = ("csv", "parquet", "json", "hub", "metaculus", "bibtex")
TABLES = ("csv", "parquet")
"""Formats of tables: a file for each group, or one."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What may be asked of an export; each format takes what concerns it and refuses the rest.

    Parameters
    ----------
    group : one of `GROUPS`, or empty for all that the run has (csv, parquet)
    variables, thresholds : names; none: all (csv, parquet), the usual ones (hub); exactly one of either (metaculus)
    year : year of the variable (metaculus)
    scale : of the question (metaculus)
    origin : date from which horizons count (hub)
    """

    group: str = ""
    variables: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    year: float | None = None
    scale: Scale | None = None
    origin: date | None = None


_TAKEN = {
    "csv": ("group", "variables", "thresholds"),
    "parquet": ("group", "variables", "thresholds"),
    "json": (),
    "hub": ("variables", "thresholds", "origin"),
    "metaculus": ("variables", "thresholds", "year", "scale"),
    "bibtex": (),
}
_OPTIONS = {
    "group": "--group", "variables": "--variable", "thresholds": "--threshold", "year": "--year", "scale": "--range",
    "origin": "--date",
}  # fmt: skip


def check_export(format_: str, options: ExportOptions) -> None:
    """Check that a format is known and takes the options given.

    Raises
    ------
    InputError
        It is not, or it does not.

    Examples
    --------
    >>> check_export("jsn", ExportOptions())
    Traceback (most recent call last):
    simulator.errors.InputError: --format: there is no format 'jsn'. Did you mean 'json'?
    """
    if format_ not in FORMATS:
        hint = near_name(format_, FORMATS) or f"There are: {', '.join(FORMATS)}."
        raise InputError(f"--format: there is no format '{format_}'. {hint}")
    for name, option in _OPTIONS.items():
        if getattr(options, name) not in ("", (), None) and name not in _TAKEN[format_]:
            takers = ", ".join(kind for kind in FORMATS if name in _TAKEN[kind])
            raise InputError(f"{option}: has no meaning for --format {format_}; it belongs to {takers}. Leave it out.")


def check_target(format_: str, options: ExportOptions, output: FilePath) -> None:
    """Check that an export can be written, before it is made.

    Parameters
    ----------
    format_ : one of `FORMATS`
    options : ExportOptions
    output : path of a file; of a folder, where there are several tables

    Raises
    ------
    InputError
        Several tables are to go into one file.
    SimulatorError
        The file or the folder cannot be written.

    Examples
    --------
    >>> file = getfixture("tmp_path") / "run.csv"
    >>> file.touch()
    >>> check_target("csv", ExportOptions(group="summary"), file)  # one table: the file is written anew
    >>> check_target("csv", ExportOptions(), file)
    Traceback (most recent call last):
    simulator.errors.InputError: --output: ...run.csv is a file. Without --group there are several ...
    """
    if format_ not in TABLES or options.group:
        check_file(output)
        return
    if output.is_file():
        raise InputError(f"--output: {output} is a file. Without --group there are several files: name a folder.")
    check_folder(output)


def export_text(run: xr.DataTree, format_: str, options: ExportOptions) -> tuple[str, str]:
    """Write a run as the text of a format (json, hub, metaculus, bibtex), and say in a line what a reader should know.

    Raises
    ------
    InputError
        What is asked for is not in the run, or has no meaning for the format.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> export_text(run, "hub", ExportOptions(variables=("spending",)))[0].splitlines()[0]
    'origin_date,scenario_id,target,horizon,output_type,output_type_id,value'
    """
    check_export(format_, options)
    if format_ == "json":
        return summary_json(run), ""
    if format_ == "bibtex":
        return bibtex(run), ""
    if format_ == "hub":
        rows = hub_rows(run, variables=options.variables, thresholds=options.thresholds, origin=options.origin)
        return hub_csv(rows), f"{len(rows):,} rows; name the targets as your hub does"
    document = _metaculus_document(run, options)
    return forecast_json(document), forecast_note(document)


def _metaculus_document(run: xr.DataTree, options: ExportOptions) -> dict[str, object]:
    if len(options.variables) + len(options.thresholds) != 1:
        raise InputError(
            "--format metaculus: a question asks for one thing. Give --threshold NAME (the year of crossing), or "
            "--variable NAME with --year YEAR (its level in that year)."
        )
    if options.scale is None:
        raise InputError(
            "--format metaculus: give the question's bounds, as --range 2026 2045 or --range 1e26 1e34 --log."
        )
    if options.thresholds:
        if options.year is not None:
            raise InputError(
                "--year: belongs to --variable; the year in which a threshold is crossed is what is forecast."
            )
        distribution = crossing_distribution(run, options.thresholds[0])
    else:
        if options.year is None:
            raise InputError("--year: say in which year the variable is asked for, as --year 2035.")
        distribution = level_distribution(run, options.variables[0], options.year)
        if not isinstance(options.scale.low, float):
            raise InputError(
                f"--range: {options.variables[0]} is no date. Give its bounds as numbers, in {distribution.unit}."
            )
    return forecast_document(run, distribution, options.scale)


def export_tables(run: xr.DataTree, format_: str, output: FilePath, options: ExportOptions) -> tuple[FilePath, ...]:
    """Write a run as tables.

    Parameters
    ----------
    run : xarray.DataTree
    format_ : str
    output : path
        The file of the one group of the options, or the folder that takes a file per group.
    options : ExportOptions

    Returns
    -------
    The files written.

    Raises
    ------
    InputError
        The run has no such group, variable or threshold, or kept no samples.
    SimulatorError
        A file cannot be written, or pyarrow is not installed.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run, file = simulate(load_scenario("essay-2023")), getfixture("tmp_path") / "gpt-4.csv"
    >>> written = export_tables(run, "csv", file, ExportOptions(group="crossings", thresholds=("gpt-4",)))
    >>> [each.name for each in written]  # the second says the units
    ['gpt-4.csv', 'gpt-4.columns.csv']
    """
    check_export(format_, options)
    check_target(format_, options, output)
    if options.thresholds and options.group not in ("", "crossings"):
        raise InputError(f"--threshold: belongs to --group crossings, not to {options.group}.")
    if options.group:
        table = run_table(run, options.group, variables=options.variables, thresholds=options.thresholds)
        make_folder(output.parent)
        return write_tables([(table, output)], kind=format_)
    tables = _every_table(run, options)
    make_folder(output)
    return write_tables([(table, output / f"{table.name}.{format_}") for table in tables], kind=format_)


def _every_table(run: xr.DataTree, options: ExportOptions) -> list[Table]:
    """Lay out every group that the run has and that holds one of the variables asked for."""
    present = [name for name in GROUPS if name in run.children]
    if options.thresholds:
        present = [name for name in present if name == "crossings"] or ["crossings"]
    if not options.variables:
        return [run_table(run, name, thresholds=options.thresholds if name == "crossings" else ()) for name in present]
    held = {name: [str(item) for item in run.children[name].data_vars] for name in present if name in run.children}
    for variable in options.variables:
        if not any(variable in names for names in held.values()):
            known = list(dict.fromkeys(name for names in held.values() for name in names))
            raise InputError(f"--variable: the run has no variable '{variable}'. {near_name(variable, known)}".strip())
    tables = []
    for name, names in held.items():
        wanted = [variable for variable in options.variables if variable in names]
        if name == "summary":
            wanted = [variable for variable in wanted if run.children[name][variable].dims == ("quantile", "year")]
        if wanted:
            tables.append(
                run_table(run, name, variables=wanted, thresholds=options.thresholds if name == "crossings" else ())
            )
    return tables


def write_export(text: str, output: FilePath) -> None:
    """Write the text of an export to a file; what stood there stays where it cannot be written.

    Raises
    ------
    SimulatorError
        The file or its folder cannot be written.
    """
    make_folder(output.parent)
    write_text(output, text)
