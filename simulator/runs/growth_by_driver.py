"""The growth of effective compute, split into what each driver demands and what limits take away.

Levels are logarithms, so growth factors become sums: the parts of a sample add up to its growth, and the means of the
parts to the mean growth. Medians do not add up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError, NothingToDraw
from simulator.runs.groups import arrays, group, summarised_names
from simulator.runs.limits import ORDER, Limits, limits_on
from simulator.wording import BEYOND

if TYPE_CHECKING:
    import xarray as xr

MISSED = 1e-3
"""OOM by which factors miss their product, beyond the rounding of levels, where some are not there."""


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

    A driver's part is the growth that it demands, by factor where it has factors. A limit's part is what it takes away:
    log10 of the level under the limits over the level demanded, against the same in the first year; where several
    limits stand on one subject, they are one part. A part of limits is above 0 where they loosen. The parts of a sample
    add up to its growth, and so do their means, within the rounding of levels kept in single precision.
    """
    summary = group(run, "summary")
    if "effective_compute" not in summary:
        raise NothingToDraw("this run has no effective compute whose growth could be split.")
    if "effective_compute_mean" not in summary:
        raise InputError(
            "this run's summary has no means (variables whose names end in _mean), and growth is split by means, "
            "for medians do not add up. It was written by another version: run its scenario again."
        )
    names = _told_apart(summarised_names(summary), lambda name: summary[f"{name}_mean"])
    words = {name: str(each.attrs.get("label", "")) for name, each in arrays(run, "summary").data_vars.items()}
    parts = _parts(names, limits_on(run), words)
    levels = {"effective_compute", *(name for part in parts for name in (part.plus, part.minus) if name)}
    if not all(np.isfinite(summary[f"{name}_mean"]).all() for name in levels):
        raise InputError(
            f"in some samples effective compute is beyond 10^{BEYOND:g}, as the run's warnings say: there is no "
            "mean growth to split. End the run before that year, or flatten the feedback."
        )
    return _stacked(parts, lambda name: summary[f"{name}_mean"])


def _told_apart(names: Sequence[str], level: Callable[[str], xr.DataArray]) -> list[str]:
    """Leave out the factors of a driver where they do not make it up: not every component of a mixture has them all."""
    left = list(names)
    for driver in ("spending", "hardware", "compute", "algorithms"):
        factors = [name for name in _levels(driver, names) if "_factor_" in name]
        whole = _demanded(_levels(driver, [])[0], names).plus
        sums = [np.asarray(level(name)) for name in factors]
        if factors and not np.allclose(np.sum(sums, axis=0), level(whole), rtol=1e-6, atol=MISSED):
            left = [name for name in left if not name.startswith(f"{driver}_factor_")]
    return left


def _parts(names: Sequence[str], limits: Mapping[str, Limits], words: Mapping[str, str]) -> list[_Part]:
    """List the parts in the order of the model: spending, hardware, compute, algorithms; then the limits on each.

    `words` are what the scenario calls its variables.
    """
    drivers = ["spending", "hardware"] if "spending" in names else ["compute"]
    drivers += ["algorithms"] if "algorithms" in names else []
    levels = [level for driver in drivers for level in _levels(driver, names)]
    parts = [_demanded(level, names, words.get(level, "")) for level in levels]
    for subject, on in limits.items():
        if subject not in (*levels, *ORDER) or f"{subject}_demanded" not in names:
            continue  # of a quantity or a limit; or not of every component of a mixture
        which = ", ".join(on.labels) if len(on.labels) <= 3 else f"{len(on.labels)} of them"
        label = f"limits on {on.words}: {which}"
        parts.append(_Part(f"limits_{subject}", label, "limits", subject, subject, f"{subject}_demanded"))
    return parts


def _levels(driver: str, names: Sequence[str]) -> list[str]:
    """Name the levels that a driver is made of: its factors, or itself."""
    prefix = f"{driver}_factor_"
    factors = [name for name in names if name.startswith(prefix) and not name.endswith("_demanded")]
    return sorted(factors) or ["physical_compute" if driver == "compute" else driver]


def _demanded(level: str, names: Sequence[str], label: str = "") -> _Part:
    """Give the growth that a level demands; that of physical compute as a whole before constraints, too."""
    driver, is_factor, factor = level.partition("_factor_")
    label = f"{_words(driver)}: {label or _words(factor)}" if is_factor else label or _words(level)
    subject = "physical_compute" if driver == "compute" else driver
    demanded = f"{level}_demanded"
    return _Part(level, label, "growth", subject, demanded if demanded in names else level)


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
