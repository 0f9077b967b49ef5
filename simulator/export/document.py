"""The summary of a run as JSON for other programs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.runs.groups import arrays, group
from simulator.runs.summary import bound_limits, summarised_names

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
        "scenario": json.loads(str(run.attrs["scenario"])),
        "years": _plain(summary["year"].values),
        "levels": _plain(summary["quantile"].values),
        "variables": {name: _variable(summary, name) for name in summarised_names(summary)},
        "thresholds": [_threshold(summary, place) for place in range(summary.sizes.get("threshold", 0))],
        "binding": {
            subject: dict(zip(limits, _plain(shares.values), strict=True))
            for subject, limits, shares, _ in bound_limits(arrays(run, "summary"))
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


def _plain(values: NDArray[Any]) -> list[Any]:
    """Give an array as nested lists, with None for what is not finite."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return list(found.tolist())


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
