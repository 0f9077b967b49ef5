"""What the tool gives for published numbers, from runs of what their authors assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from simulator.errors import InputError, near_name
from simulator.model_tables import count_quantiles
from simulator.published import KEYS, Published, Target
from simulator.rungroups import group
from simulator.scenario import load_scenario, load_variants
from simulator.simulation import simulate
from simulator.summary import quantiles

SAMPLES = 20_000
"""Of a scenario in which anything is uncertain; else 1."""

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Result:
    """What the tool gives for a target: `what` it is in words, the value, the last year of the run."""

    target: Target
    what: str
    value: float
    last_year: float

    @property
    def difference(self) -> float:
        """What the tool gives, less what it is held against; NaN where it is held against nothing."""
        expected = self.target.expected
        if expected is None:
            return math.nan
        return 0.0 if expected == self.value else self.value - expected

    @property
    def within(self) -> bool | None:
        """Whether it lies within the tolerance; None where it is not held."""
        tolerance = self.target.tolerance
        return None if tolerance is None else abs(self.difference) <= tolerance + ROUNDING


def run_published(scenario: str, *, variant: str = "", overrides: Sequence[str] = ()) -> xr.DataTree:
    """Run a published scenario: 20,000 samples, or one where every number is fixed.

    Parameters
    ----------
    scenario : str
        A shipped name or a file.
    variant : str
        The variant that is run; the scenario itself without it.
    overrides : sequence of str
        Changes as `path=value`.

    Raises
    ------
    InputError
        There is no such scenario or variant, or an override is at fault.

    Examples
    --------
    >>> int(run_published("published/four-times-a-year").attrs["samples"])
    1
    """
    loaded = load_scenario(scenario, overrides=overrides)
    uncertain = any(component.joint.uncertain for component in loaded.components)
    changes = (*overrides, *_sample_count(loaded.spec.samples, SAMPLES if uncertain else 1))
    if variant:
        variants = load_variants(scenario, overrides=changes)
        if variant not in variants:
            hint = near_name(variant, variants) or f"There are: {', '.join(variants) or 'none'}."
            raise InputError(f"{scenario}: has no variant '{variant}'. {hint}")
        return simulate(variants[variant])
    return simulate(loaded if changes == tuple(overrides) else load_scenario(scenario, overrides=changes))


def _sample_count(there: int, wanted: int) -> tuple[str, ...]:
    return () if there == wanted else (f"samples={wanted}",)


def published_results(published: Published) -> tuple[Result, ...]:
    """Run a published scenario in each way that its rows ask for, and read every row off, in their order.

    Raises
    ------
    InputError
        A row names what its run does not have.

    Examples
    --------
    >>> from simulator.published import load_published
    >>> (result,) = published_results(load_published("cottier-2024"))
    >>> round(result.value, 2), result.within
    (2026.88, True)
    """
    results: dict[int, Result] = {}
    ways = dict.fromkeys((target.variant, target.set) for target in published.targets)
    for variant, overrides in ways:
        run = run_published(published.scenario, variant=variant, overrides=overrides)
        for number, target in enumerate(published.targets):
            if (target.variant, target.set) == (variant, overrides):
                results[number] = read_result(run, target)
    return tuple(results[number] for number in range(len(published.targets)))


def read_result(run: xr.DataTree, target: Target) -> Result:
    """Read off a run what a row of published numbers is about, in the row's unit.

    Raises
    ------
    InputError
        The run has no such quantity, threshold, limit or year, or has it in another unit.
    """
    what, value = _read(run, target)
    return Result(target, what, value, float(run.attrs["last_year"]))


def _read(run: xr.DataTree, target: Target) -> tuple[str, float]:
    if target.threshold:
        crossings = _at(group(run, "crossings", of_samples=True), target, "threshold", target.threshold)
        label = str(crossings["label"].item()) if "label" in crossings else target.threshold
        years = crossings["crossing_year"]
        if target.quantity == "crossed":
            return f"crossed: {label}", _share(float((years.values <= target.year).mean()), target)
        return label, float(quantiles(years, [target.quantile]).item())
    summary = group(run, "summary")
    if target.limit:
        shares = _variable(summary, target, f"{target.quantity}_share")
        share = _at(_at(shares, target, str(shares.dims[0]), target.limit), target, "year", target.year)
        return f"share bound by {target.limit}", _share(float(share.item()), target)
    if target.reading:
        by_reading = count_quantiles(run, target.quantity)
        years = xr.DataArray(range(summary.sizes["year"]), coords={"year": np.floor(summary["year"].values)})
        column = int(_at(years, target, "year", target.year).item())
        counts = xr.DataArray(
            list(by_reading.values()), coords={"reading": list(by_reading), "quantile": [0.05, 0.5, 0.95]},
            dims=("reading", "quantile", "year"),
        )  # fmt: skip
        count = _at(_at(counts, target, "reading", target.reading), target, "quantile", target.quantile)
        return f"{summary[target.quantity].attrs['long_name']}, {target.reading}", float(count[column].item())
    return _read_level(run, target)


def _share(share: float, target: Target) -> float:
    return 100 * share if target.unit == "%" else share


def _read_level(run: xr.DataTree, target: Target) -> tuple[str, float]:
    levels = _variable(group(run, "trajectories", of_samples=True), target, target.quantity)
    named, unit = str(levels.attrs.get("long_name", target.quantity)), str(levels.attrs["units"])
    values = _at(levels, target, "year", target.year)
    if target.since is not None:
        grown = values.astype(float) - _at(levels, target, "year", target.since).astype(float)
        return f"growth factor of {named}", _plain(float(quantiles(grown, [target.quantile]).item()), target, "factor")
    value = float(quantiles(values, [target.quantile]).item())
    if unit == target.unit:
        return named, value
    return named, _plain(value, target, unit.removeprefix("log10(").removesuffix(")"))


def _variable(dataset: xr.Dataset, target: Target, name: str) -> xr.DataArray:
    if name not in dataset:
        hint = near_name(name, map(str, dataset.data_vars)) or "'simulate show RUN --variables' lists what it has."
        raise InputError(f"{target.place}: quantity: the run has no '{name}'. {hint}")
    return dataset[name]


def _at[Values: (xr.DataArray, xr.Dataset)](
    values: Values, target: Target, along: str, wanted: str | float | None
) -> Values:
    """Take what stands at one place of a dimension."""
    known = values[along].values.tolist()
    if wanted not in known:
        names = [f"{each:g}" if isinstance(each, float) else str(each) for each in known]
        hint = near_name(str(wanted), names) if isinstance(wanted, str) else ""
        has = ", ".join(names) if len(names) < 9 else f"{names[0]} to {names[-1]}"
        raise InputError(f"{target.place}: {along}: the run has no {wanted}; it has {has}. {hint}".strip())
    return values.sel({along: wanted})


def _plain(log_value: float, target: Target, unit: str) -> float:
    """Turn a log10 level into the plain number that a row states."""
    if target.unit != unit:
        rule = f"the run has {target.quantity} in {unit} or its log10, and the row in {target.unit}"
        raise InputError(f"{target.place}: unit: {rule}. Write the run's unit and the number in it.")
    return float(10.0**log_value)


def result_table(published: Published, results: Sequence[Result]) -> list[Mapping[str, object]]:
    """Tabulate results, a row for each target.

    Returns
    -------
    rows of `scenario`, the keys of the target, `tool`, `difference`, `within`
    """
    return [
        {
            "scenario": published.scenario,
            **{key: _cell(getattr(result.target, key)) for key in KEYS},
            "tool": result.value,
            "difference": _cell(result.difference),
            "within": _cell(result.within),
        }
        for result in results
    ]


def _cell(value: Any) -> object:
    if isinstance(value, tuple):
        return "; ".join(value)
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value
