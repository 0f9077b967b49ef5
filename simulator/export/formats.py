"""A run in the formats of other programs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, near_name
from simulator.export.bibtex import bibtex
from simulator.export.cdf import crossing_distribution, level_distribution
from simulator.export.hub import hub_csv, hub_rows
from simulator.export.metaculus import Scale, forecast_document, forecast_json, forecast_note
from simulator.export.tables import GROUPS, Table, run_table, write_tables
from simulator.files import check_file, check_folder, make_folder, write_text
from simulator.runs.groups import group
from simulator.runs.summary import summarised_names

if TYPE_CHECKING:
    import xarray as xr

_TEXTS = (
    "run_id", "name", "title", "subject", "dollars", "notes", "design", "scenario_hash", "simulator_version", "keep",
)  # fmt: skip
_NUMBERS = ("run_format", "samples", "seed", "block")
CODING = (
    "Levels are log10 of the unit's base, dates decimal years. A crossing year is null with censored true where it is "
    "later than the horizon; samples that do not cross are counted, never dropped. A cap or constraint is "
    "null where there is none. A standard error is null where it cannot be told. The level of a threshold is null with "
    "absent true where there may be none."
)


def summary_document(run: xr.DataTree) -> dict[str, Any]:
    """Lay out the summary of a run as plain data that is strict JSON: no NaN, no Infinity.

    Returns
    -------
    dict with
        `coding` (how what is not finite is written), `run` (what the run is), `scenario` (resolved, with the sources),
        `years`, `levels` (probabilities of the quantiles), `variables` (by name: unit, long name, `quantiles` and
        `standard_errors` as lists over `levels` of lists over `years`, `mean` by year), `thresholds` (list: quantity,
        level, crossing quantiles, probability of having crossed by year, never, already), `binding` (by subject and
        limit: the share of samples by year)

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> document = summary_document(simulate(load_scenario("baseline", overrides=["samples=1024"])))
    >>> document["thresholds"][0]["crossing_year"][-1]["level"]
    0.99
    """
    summary = group(run, "summary")
    return {
        "format": "effective-compute-simulator summary",
        "coding": CODING,
        "run": {key: str(run.attrs[key]) for key in _TEXTS if key in run.attrs}
        | {key: int(run.attrs[key]) for key in _NUMBERS if key in run.attrs}
        | {"warnings": str(run.attrs.get("warnings", "")).splitlines()},
        "scenario": json.loads(str(run.attrs["scenario"])),
        "years": _plain(summary["year"].values),
        "levels": _plain(summary["quantile"].values),
        "variables": {name: _variable(summary, name) for name in summarised_names(summary)},
        "thresholds": [_threshold(summary, place) for place in range(summary.sizes.get("threshold", 0))],
        "binding": _binding(summary),
    }


def summary_json(run: xr.DataTree) -> str:
    """Write the summary of a run as strict JSON text.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> json.loads(summary_json(run))["run"]["name"]
    'baseline'
    """
    return json.dumps(summary_document(run), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _variable(summary: xr.Dataset, name: str) -> dict[str, Any]:
    values = summary[name]
    found: dict[str, Any] = {
        "unit": str(values.attrs["units"]),
        "long_name": str(values.attrs["long_name"]),
        "quantiles": _plain(values.transpose("quantile", "year").values),
    }
    if f"{name}_error" in summary:
        found["standard_errors"] = _plain(summary[f"{name}_error"].transpose("quantile", "year").values)
    if f"{name}_mean" in summary:
        found["mean"] = _plain(summary[f"{name}_mean"].values)
    return found


def _threshold(summary: xr.Dataset, place: int) -> dict[str, Any]:
    one = summary.isel(threshold=place)
    levels = one["quantile"].values.tolist()
    years, errors = one["crossing_quantile"].values.tolist(), one["crossing_quantile_error"].values.tolist()
    return {
        "threshold": str(one["threshold"].values),
        "label": str(one["label"].values),
        "quantity": str(one["quantity"].values),
        "falling": bool(one["falling"].values),
        "level": [
            {"level": level, "value": _number(value), "absent": math.isinf(value)}
            for level, value in zip(levels, one["threshold_level_quantile"].values.tolist(), strict=True)
        ],
        "crossing_year": [
            {"level": level, "year": _number(year), "censored": year == math.inf, "standard_error": _number(error)}
            for level, year, error in zip(levels, years, errors, strict=True)
        ],
        "crossed": _plain(one["crossed"].values),
        "crossed_standard_errors": _plain(one["crossed_error"].values),
        "never_by_horizon": _number(float(one["never"])),
        "already_at_start": _number(float(one["already"])),
    }


def _binding(summary: xr.Dataset) -> dict[str, Any]:
    found = {}
    for name, shares in summary.data_vars.items():
        if str(name).startswith("binding_") and str(name).endswith("_share"):
            subject = str(name).removeprefix("binding_").removesuffix("_share")
            limits = [str(limit) for limit in shares[str(shares.dims[0])].values]
            found[subject] = {limit: _plain(shares.values[place]) for place, limit in enumerate(limits)}
    return found


def _plain(values: NDArray[Any]) -> list[Any]:
    """Give an array as nested lists, with None for what is not finite."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return list(found.tolist())


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


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
