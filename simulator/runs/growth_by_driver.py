"""The growth of effective compute, split into what each driver demands and what limits take away.

Levels are logarithms, so growth factors become sums: the parts of a sample add up to its growth, and the means of the
parts to the mean growth. Medians do not add up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError
from simulator.runs.groups import group
from simulator.runs.summary import summarised_names

if TYPE_CHECKING:
    import xarray as xr

SUBJECTS = ("spending", "hardware", "physical_compute", "algorithms")
"""What limits may stand on."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the growth: the level `plus`, less the level `minus` where there is one."""

    name: str
    label: str
    kind: str
    subject: str
    plus: str
    minus: str | None = None


def mean_contributions(run: xr.DataTree) -> xr.DataArray:
    """Split the mean growth of effective compute since the first year, from the summary of any run.

    A driver's part is the growth that it demands, by factor where it has factors (a factor's own caps are within its
    part). A limit's part is what it takes away: log10 of the level under the limits over the level demanded, against
    the same in the first year; where several limits stand on one subject, they are one part. A part of limits is
    above 0 where they loosen. The parts of a sample add up to its growth, and so do their means, within the rounding
    of levels kept in single precision.
    """
    summary = group(run, "summary")
    if "effective_compute_mean" not in summary:
        raise InputError(
            "this run's summary has no means (variables whose names end in _mean), and growth is split by means, "
            "for medians do not add up. It was written by another version: run its scenario again."
        )
    return _stacked(_parts(summarised_names(summary), limits_on(run)), lambda name: summary[f"{name}_mean"])


def limits_on(run: xr.DataTree) -> dict[str, list[str]]:
    """List the limits of a run by what they stand on, from the summary; empty where it has none."""
    summary = group(run, "summary")
    return {
        subject: [str(name) for name in summary[f"limit_{subject}"].values]
        for subject in SUBJECTS
        if f"binding_{subject}_share" in summary
    }


def _parts(names: Sequence[str], limits: Mapping[str, Sequence[str]]) -> list[_Part]:
    """List the parts in the order of the model: spending, hardware, physical compute, algorithms; then the limits."""
    drivers = ["spending", "hardware"] if "spending" in names else ["compute"]
    drivers += ["algorithms"] if "algorithms" in names else []
    parts = [part for driver in drivers for part in _demanded(driver, names)]
    for subject, named in limits.items():
        which = ", ".join(named) if len(named) <= 3 else f"{len(named)} of them"
        label = f"limits on {_words(subject)}: {which}"
        parts.append(_Part(f"limits_{subject}", label, "limits", subject, subject, f"{subject}_demanded"))
    return parts


def _demanded(driver: str, names: Sequence[str]) -> list[_Part]:
    subject = "physical_compute" if driver == "compute" else driver
    prefix = f"{driver}_factor_"
    factors = sorted(name for name in names if name.startswith(prefix))
    if factors:
        words = {name: f"{_words(driver)}: {_words(name.removeprefix(prefix))}" for name in factors}
        return [_Part(name, words[name], "growth", subject, name) for name in factors]
    demanded = f"{subject}_demanded"
    return [_Part(subject, _words(subject), "growth", subject, demanded if demanded in names else subject)]


def _stacked(parts: Sequence[_Part], level: Callable[[str], xr.DataArray]) -> xr.DataArray:
    """Set the parts one after another, each less what it was in the first year."""
    import xarray as xr

    arrays = []
    for part in parts:
        values = level(part.plus) if part.minus is None else level(part.plus) - level(part.minus)
        arrays.append((values - values.isel(year=0, drop=True)).transpose(..., "year"))
    index = xr.Variable("part", np.array([part.name for part in parts], dtype=str))
    result = xr.concat(arrays, dim=index.to_index_variable(), coords="minimal", compat="override", join="exact")
    described = {
        key: ("part", np.array([getattr(part, key) for part in parts], dtype=str))
        for key in ("label", "kind", "subject")
    }
    result = result.assign_coords(described).rename("contribution")
    result.attrs = {"units": "OOM", "long_name": "contribution to the growth of effective compute"}
    return result


def _words(name: str) -> str:
    return name.replace("_", " ")
