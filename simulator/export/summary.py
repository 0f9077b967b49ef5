"""The summary of a run for other programs: as JSON, and in the columns of the forecast hubs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.dates import date_of, year_of
from simulator.errors import InputError
from simulator.export.tables import chosen_names
from simulator.runs.groups import arrays, group, named_thresholds, summarised_names
from simulator.runs.limits import bound_limits
from simulator.runs.table import Row, Table
from simulator.scenario.canonical import stored_data

if TYPE_CHECKING:
    import xarray as xr


_TEXTS = (
    "run_id", "name", "title", "subject", "dollars", "notes", "design", "scenario_hash", "keep",
    "simulator_version", "code", "libraries", "platform",
)  # fmt: skip
_NUMBERS = ("run_format", "samples", "seed", "block")
CODING = (
    "Levels are log10 of the unit's base, dates decimal years. A crossing year is null with censored true where it is "
    "later than the horizon; samples that do not cross are counted, never dropped. A cap or constraint is "
    "null where there is none. A standard error is null where it cannot be told. The level of a threshold is null with "
    "absent true where there may be none."
)


def summary_document(run: xr.DataTree) -> dict[str, Any]:
    """Lay out the summary of a run as plain data that is strict JSON: no NaN, no Infinity; `coding` says how."""
    summary = group(run, "summary")
    return {
        "format": "effective-compute-simulator summary",
        "coding": CODING,
        "run": {key: str(run.attrs[key]) for key in _TEXTS if key in run.attrs}
        | {key: int(run.attrs[key]) for key in _NUMBERS if key in run.attrs}
        | {"warnings": str(run.attrs.get("warnings", "")).splitlines()},
        "scenario": stored_data(run.attrs),
        "years": _plain(summary["year"].values),
        "levels": _plain(summary["quantile"].values),
        "variables": {name: _variable(summary, name) for name in summarised_names(summary)},
        "thresholds": [_threshold(summary, place) for place in range(summary.sizes.get("threshold", 0))],
        "binding": {
            on.subject: dict(zip(on.names, _plain(on.shares.values), strict=True))
            for on in bound_limits(arrays(run, "summary"))
        },
    }


def summary_json(run: xr.DataTree) -> tuple[str, str]:
    """Write the summary of a run as strict JSON text; there is nothing to say beside it."""
    return json.dumps(summary_document(run), ensure_ascii=False, allow_nan=False, indent=1) + "\n", ""


def _variable(summary: xr.Dataset, name: str) -> dict[str, Any]:
    said = summary[name].attrs
    held = {"quantiles": name, "standard_errors": f"{name}_error", "mean": f"{name}_mean"}
    values = {key: summary[one].transpose(..., "year").values for key, one in held.items() if one in summary}
    numbers = {key: _plain(each) for key, each in values.items()}
    return {"unit": str(said["units"]), "long_name": str(said["long_name"]), **numbers}


def _threshold(summary: xr.Dataset, place: int) -> dict[str, Any]:
    one = summary.isel(threshold=place)
    levels = one["quantile"].values.tolist()
    years, errors = one["crossing_quantile"].values.tolist(), one["crossing_quantile_error"].values.tolist()
    return {
        "threshold": str(one["threshold"].values),
        "label": str(one["label"].values),
        "quantity": str(one["quantity"].values),
        "falling": bool(one.coords.get("falling", False)),  # which older runs do not say
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


def _plain(values: NDArray[Any]) -> list[Any]:
    """Give an array as nested lists, with None for what is not finite."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return list(found.tolist())


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


HUB_LEVELS = (0.01, 0.025, *(n / 20 for n in range(1, 20)), 0.975, 0.99)
"""The 23 levels of the forecast hubs."""
_USUAL = ("spending", "physical_compute", "effective_compute", "capability")


def hub_text(
    run: xr.DataTree, *, variables: Sequence[str] = (), thresholds: Sequence[str] = (), origin: date | None = None
) -> tuple[str, str]:
    """Write `hub_table` as CSV, and say how many rows it has."""
    table = hub_table(run, variables=variables, thresholds=thresholds, origin=origin)
    return table.to_csv(), f"{len(table):,} rows; name the targets as your hub does"


def hub_table(
    run: xr.DataTree, *, variables: Sequence[str] = (), thresholds: Sequence[str] = (), origin: date | None = None
) -> Table:
    """Tabulate a run as model output of a forecast hub (hubverse): a row per prediction.

    Columns: `origin_date`, `scenario_id`, `target`, `horizon`, `output_type`, `output_type_id`, `value`. The last three
    are the standard's own; the names before them are those that it suggests for what identifies a prediction. A hub
    names its targets itself: rename them to its own.

    * A variable's target is its name with its unit, such as `effective_compute log10(FLOP)`: values are log10 where
      the unit says so. `horizon` is in years from `origin_date` (the standard leaves the unit to the hub), and
      `output_type` is `quantile` at the 23 levels of the hubs.
    * A threshold's target is `crossing_year <threshold>`; it has no horizon (`NA`). It is given twice: as `quantile`,
      where `Inf` stands for later than the run's last year, and as `cdf`, whose `output_type_id` is a year and whose
      value is the probability of having crossed by then. Take the `cdf` where a hub wants finite values.

    Without names, the usual variables and all thresholds; without `origin`, horizons count from the run's first year.
    Source: hubverse documentation, "Model output" and "Task ID variables", docs.hubverse.io, read in November 2026.
    """
    summary = group(run, "summary")
    known = summarised_names(summary)
    usual = [] if thresholds else [name for name in _USUAL if name in known]
    names = chosen_names(variables, known, "the run's summary has no variable") if variables else usual
    declared = [] if variables and not thresholds else list(named_thresholds(summary))
    crossing = chosen_names(thresholds, declared, "the run has no threshold")
    places = _places(summary)
    first = float(summary["year"].values[0])
    start = first if origin is None else year_of(datetime(origin.year, origin.month, origin.day, tzinfo=UTC))
    shared = {"origin_date": (origin or date_of(first).date()).isoformat(), "scenario_id": str(run.attrs["name"])}
    years, levels = summary["year"].values.tolist(), [f"{level:g}" for level in HUB_LEVELS]
    rows: list[Row] = []
    for name in names:
        target = f"{name} {summary[name].attrs['units']}"
        values = summary[name].transpose("year", "quantile").values[:, places].tolist()
        for year, own in zip(years, values, strict=True):
            rows += _rows(target, f"{year - start:.6g}", "quantile", levels, own)
    for name in crossing:
        one, target = summary.sel(threshold=name), f"crossing_year {name}"
        rows += _rows(target, "NA", "quantile", levels, one["crossing_quantile"].values[places].tolist())
        rows += _rows(target, "NA", "cdf", [f"{year:.10g}" for year in years], one["crossed"].values.tolist())
    return Table.of_rows([{**shared, **row} for row in rows])


def _places(summary: xr.Dataset) -> list[int]:
    levels = summary["quantile"].values
    places = [int(np.argmin(np.abs(levels - level))) for level in HUB_LEVELS]
    for level, place in zip(HUB_LEVELS, places, strict=True):
        if abs(levels[place] - level) > 1e-9:
            raise InputError(f"the run's summary has no quantile at {level:g}, which the forecast hubs ask for.")
    return places


def _rows(target: str, horizon: str, kind: str, ids: Sequence[str], values: Sequence[float]) -> list[Row]:
    task = {"target": target, "horizon": horizon, "output_type": kind}
    texts = ("Inf" if value == math.inf else repr(value) for value in values)
    return [{**task, "output_type_id": one, "value": text} for one, text in zip(ids, texts, strict=True)]
