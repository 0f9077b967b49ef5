"""Quantiles, tables and the printed summary, from a run alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError, near_name
from simulator.runs.estimates import sample_quantiles
from simulator.runs.groups import Group, Variable, arrays
from simulator.runs.model_counts import count_lines
from simulator.units import Array
from simulator.wording import plus_minus, power, year_text

if TYPE_CHECKING:
    import xarray as xr


PASSED = 0.995
"""A threshold that so many samples have passed at the start is nothing to forecast."""

_SAME_LEVEL = 1e-9

type Row = dict[str, object]


def quantiles(values: xr.DataArray, levels: Sequence[float]) -> xr.DataArray:
    """Read quantiles over the samples; those that are censored (+inf) count and are never dropped.

    Parameters
    ----------
    values : xarray.DataArray with the dimension `sample`
    levels : probabilities in [0, 1]

    Returns
    -------
    xarray.DataArray with `quantile` in the place of `sample`, in the unit of the values

    Raises
    ------
    InputError
        The values have no samples, or a level lies outside [0, 1].

    Examples
    --------
    >>> import xarray as xr
    >>> years = xr.DataArray([2030.0, 2040.0, np.inf], dims="sample")
    >>> quantiles(years, [0.5, 0.9]).values.tolist()
    [2040.0, inf]
    """
    if "sample" not in values.dims:
        raise InputError("quantiles are taken over the dimension 'sample', which these values do not have.")
    if not all(0.0 <= level <= 1.0 for level in levels):
        raise InputError(f"a quantile's level must lie in [0, 1]; got {list(levels)}.")
    import xarray as xr

    moved = values.transpose("sample", ...)
    result = sample_quantiles(np.asarray(moved.values, dtype=np.float64), levels)
    coords = {name: coord for name, coord in moved.coords.items() if "sample" not in coord.dims}
    return xr.DataArray(
        result,
        coords={"quantile": np.asarray(levels, dtype=float), **coords},
        dims=("quantile", *moved.dims[1:]),
        name=values.name,
        attrs=dict(values.attrs),
    )


@dataclass(frozen=True, slots=True)
class Summarised:
    """The quantiles of a variable by year: `values` (quantile, year) at `levels` (quantile,) and `years` (year,).

    Examples
    --------
    >>> found = Summarised(np.array([0.5]), np.array([2030.0, 2031.0]), np.array([[28.0, 28.5]]), {})
    >>> found.at(0.5).tolist(), found.has(0.05)
    ([28.0, 28.5], False)
    """

    levels: Array
    years: Array
    values: Array
    attrs: Mapping[str, Any]

    def at(self, level: float) -> Array:
        """Read one quantile by year.

        Raises
        ------
        InputError
            The summary does not have it.
        """
        return np.asarray(self.values[_place(self.levels, level)], dtype=np.float64)

    def has(self, level: float) -> bool:
        """Say whether the summary has a quantile."""
        return bool(np.abs(self.levels - level).min() < _SAME_LEVEL)


def summarised(run: Group | xr.DataTree, quantity: str) -> Summarised:
    """Read the quantiles by year of a variable off the run's summary.

    Raises
    ------
    InputError
        The run has no such variable.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> summarised(simulate(load_scenario("essay-2023")), "spending").at(0.5)[-2:].round(2).tolist()  # log10 USD
    [11.0, 11.0]
    """
    summary = arrays(run, "summary")
    names = summarised_names(summary)
    if quantity not in names:
        hint = near_name(quantity, names) or f"There are: {', '.join(names)}."
        raise InputError(f"the run has no variable '{quantity}'. {hint}")
    return _summarised(summary, quantity)


def _summarised(summary: Group, name: str) -> Summarised:
    found = summary[name]
    return Summarised(summary["quantile"].values, summary["year"].values, found.values, found.attrs)


def summarised_names(summary: Group | xr.Dataset) -> list[str]:
    """List the variables of a summary that have quantiles by year."""
    return [
        str(name)
        for name, values in summary.data_vars.items()
        if values.dims == ("quantile", "year") and not str(name).endswith("_error")
    ]


def quantile_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate every variable's quantiles by year, as log10 of its unit, with standard errors."""
    summary = arrays(run, "summary")
    years, levels = summary["year"].values.tolist(), summary["quantile"].values.tolist()
    rows: list[Row] = []
    for name in summarised_names(summary):
        unit = summary[name].attrs["units"]
        values = summary[name].values.tolist()
        errors = summary[f"{name}_error"].values.tolist() if f"{name}_error" in summary else None
        rows += [
            {
                "variable": name,
                "unit": unit,
                "year": year,
                "quantile": level,
                "value": values[q][y],
                "standard_error": errors[q][y] if errors else math.nan,
            }
            for q, level in enumerate(levels)
            for y, year in enumerate(years)
        ]
    return rows


def crossing_quantile_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate the quantiles of the crossing years (inf: later than the horizon), their errors, P(never)."""
    summary = arrays(run, "summary")
    if not _thresholds(summary):
        return []
    levels, quantities = summary["quantile"].values.tolist(), summary["quantity"].values.tolist()
    years, errors = summary["crossing_quantile"].values.tolist(), summary["crossing_quantile_error"].values.tolist()
    never, already = summary["never"].values.tolist(), summary["already"].values.tolist()
    return [
        {
            "threshold": name,
            "quantity": quantities[t],
            "quantile": level,
            "year": years[t][q],
            "standard_error": errors[t][q],
            "never_by_horizon": never[t],
            "already_at_start": already[t],
        }
        for t, name in enumerate(_thresholds(summary))
        for q, level in enumerate(levels)
    ]


def probability_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate the probability of having crossed each threshold by each year, with its standard error.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> rows = [row for row in probability_table(simulate(load_scenario("essay-2023"))) if row["threshold"] == "gpt-4"]
    >>> [row["probability"] for row in rows if row["year"] in (2023, 2024)]
    [0.0, 1.0]
    """
    summary = arrays(run, "summary")
    if not _thresholds(summary):
        return []
    shares, errors = summary["crossed"].values.tolist(), summary["crossed_error"].values.tolist()
    years = summary["year"].values.tolist()
    return [
        {"threshold": name, "year": year, "probability": shares[t][y], "standard_error": errors[t][y]}
        for t, name in enumerate(_thresholds(summary))
        for y, year in enumerate(years)
    ]


def binding_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate the share of samples in which each cap or constraint binds, by year.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> binding_table(simulate(load_scenario("essay-2023")))[-1]
    {'on': 'spending', 'limit': 'hard', 'year': 2043.0, 'share': 1.0, 'standard_error': nan}
    """
    summary = arrays(run, "summary")
    years = summary["year"].values.tolist()
    return [
        {"on": subject, "limit": limit, "year": year, "share": values[n][y], "standard_error": spread[n][y]}
        for subject, shares, errors in _binding(summary)
        for values, spread in [(shares.values.tolist(), errors.values.tolist())]
        for n, limit in enumerate(summary[str(shares.dims[0])].values.tolist())
        for y, year in enumerate(years)
    ]


def _thresholds(summary: Group) -> list[str]:
    return [str(name) for name in summary["threshold"].values] if "threshold" in summary.coords else []


def _binding(summary: Group) -> Iterator[tuple[str, Variable, Variable]]:
    """List what limits there are on what, with the share of samples in which each binds, and its standard error."""
    for name, shares in summary.data_vars.items():
        if str(name).startswith("binding_") and str(name).endswith("_share"):
            yield str(name).removeprefix("binding_").removesuffix("_share"), shares, summary[f"{name}_error"]


def fan_table(run: Group | xr.DataTree, quantity: str, bands: Sequence[float]) -> tuple[list[Row], list[Row]]:
    """Tabulate the fan of a variable: its median by year, and the central bands (levels such as 0.9) by year.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> medians, bands = fan_table(simulate(load_scenario("essay-2023")), "spending", [0.5, 0.9])
    >>> medians[-1]["year"], bands[0]["band"], list(bands[0])  # the widest comes first
    (2043.0, '90 %', ['band', 'year', 'lower', 'upper'])
    """
    values = summarised(run, quantity)
    years = values.years.tolist()
    medians: list[Row] = [
        {"year": year, "median": value} for year, value in zip(years, values.at(0.5).tolist(), strict=True)
    ]
    rows: list[Row] = []
    for band in sorted(bands, reverse=True):
        low, high = values.at((1 - band) / 2), values.at((1 + band) / 2)
        rows += [
            {"band": f"{100 * band:g} %", "year": year, "lower": a, "upper": b}
            for year, a, b in zip(years, low.tolist(), high.tolist(), strict=True)
        ]
    return medians, rows


def _place(levels: Array, level: float) -> int:
    place = int(np.argmin(np.abs(levels - level)))
    if abs(levels[place] - level) > _SAME_LEVEL:
        raise InputError(f"the summary has no quantile at {level:g}; it has {', '.join(f'{x:g}' for x in levels)}.")
    return place


def _of_threshold(summary: Group, name: str, number: int, level: float) -> float:
    """Read one quantile of what a summary has by threshold and quantile."""
    return float(summary[name].values[number, _place(summary["quantile"].values, level)])


def threshold_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate the thresholds' levels: median, and the 90 % interval where a level is uncertain."""
    summary = arrays(run, "summary")
    rows: list[Row] = []
    for t, name in enumerate(_thresholds(summary)):
        low, middle, high = (
            _of_threshold(summary, "threshold_level_quantile", t, level) for level in (0.05, 0.5, 0.95)
        )
        row: Row = {
            "threshold": name,
            "label": str(summary["label"].values[t]),
            "quantity": str(summary["quantity"].values[t]),
            "level": middle,
        }
        if low < high:  # an interval that reaches "never" has no upper end
            row |= {"lower": low, "upper": high if math.isfinite(high) else None}
        rows.append(row)
    return rows


def crossing_table(run: Group | xr.DataTree) -> list[Row]:
    """Tabulate the crossings as a chart needs them: median, 50 and 90 % intervals, P(never), P(already).

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> row = crossing_table(simulate(load_scenario("essay-2023", overrides=["years.last=2025"])))[-1]
    >>> row["label"], row["median"], row["never"], row["last_year"]
    ('$100 billion run', inf, 1.0, 2025.0)
    """
    summary = arrays(run, "summary")
    last = float(summary["year"].values[-1])
    levels = {"median": 0.5, "lower_50": 0.25, "upper_50": 0.75, "lower_90": 0.05, "upper_90": 0.95}
    return [
        {
            "threshold": name,
            "label": str(summary["label"].values[t]),
            **{key: _of_threshold(summary, "crossing_quantile", t, level) for key, level in levels.items()},
            "never": float(summary["never"].values[t]),
            "already": float(summary["already"].values[t]),
            "last_year": last,
        }
        for t, name in enumerate(_thresholds(summary))
    ]


def summary_lines(run: Group | xr.DataTree, *, most: int = 9) -> list[str]:
    """Say a run in at most ten lines: its main quantity, counts of models, crossing years, what binds.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> print(summary_lines(simulate(load_scenario("essay-2023")))[-1])
      binds in 2043 - spending: hard 100 %
    """
    summary, attrs = arrays(run, "summary"), run.attrs
    head = (
        f"{attrs['title']}: {attrs['subject']} ({attrs['name']}, run {attrs['run_id']}, "
        f"{'1 sample' if int(attrs['samples']) == 1 else f'{int(attrs["samples"]):,} samples, seed {attrs["seed"]}'})"
    )
    lines = [head, *_level_lines(summary, main_quantity(run)), *_component_lines(run), *count_lines(run)]
    crossings = _crossing_lines(summary)
    binding = _binding_line(summary)
    room = most - len(lines) - (1 if binding else 0)
    if len(crossings) > room:
        crossings = [
            *crossings[: room - 1],
            f"  ... and {len(_thresholds(summary)) - room + 1} more thresholds in crossing_years.csv",
        ]
    return [*lines, *crossings, *([binding] if binding else [])]


def main_quantity(run: Group | xr.DataTree) -> str:
    """Name what a run is about: effective compute; physical compute where no algorithms tell the two apart.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> main_quantity(simulate(load_scenario("published/four-times-a-year")))
    'physical_compute'
    """
    return "effective_compute" if "algorithms" in str(run.attrs["drivers"]).split() else "physical_compute"


def _level_lines(summary: Group, name: str) -> list[str]:
    years = summary["year"].values
    last = float(years[-1])
    middle = float(years[np.argmin(np.abs(years - (years[0] + last) / 2))])
    lines = []
    for year in dict.fromkeys([middle, last]):
        column = int(np.argmin(np.abs(years - year)))
        low, mid, high = (float(_summarised(summary, name).at(level)[column]) for level in (0.05, 0.5, 0.95))
        known = f"{name}_error" in summary and high > low
        error = float(_summarised(summary, f"{name}_error").at(0.5)[column]) if known else math.nan
        interval = f" (90 % {power(low)} to {power(high)})" if high > low else ""
        lines.append(
            f"  {year:g}  {name.replace('_', ' ')} {power(mid)} FLOP{interval}, log10 {mid:.2f}{plus_minus(error, 2)}"
        )
    return lines


def component_levels(run: Group | xr.DataTree, quantity: str) -> dict[str, Summarised]:
    """Read a variable's quantiles by component of a run that mixes scenarios; nothing of a run of one scenario."""
    if "components" not in run.children:
        return {}
    parts = run.children["components"]
    return {name: _summarised(arrays(parts, name), quantity) for name in parts.children}


def _component_lines(run: Group | xr.DataTree) -> list[str]:
    """Say in one line what the components of a mixture say apart."""
    weights = json.loads(str(run.attrs.get("components") or "{}"))
    said = [
        f"{name} ({100 * weights[name]:.0f} %) {power(float(levels.at(0.5)[-1]))}"
        for name, levels in component_levels(run, "effective_compute").items()
    ]
    last = float(arrays(run, "summary")["year"].values[-1])
    return [f"  apart, medians in {last:g}: {', '.join(said)}"] if said else []


def _crossing_lines(summary: Group) -> list[str]:
    last = float(summary["year"].values[-1])
    lines = []
    for t, _ in enumerate(_thresholds(summary)):
        if float(summary["already"].values[t]) >= PASSED:
            continue
        low, mid, high = (_of_threshold(summary, "crossing_quantile", t, level) for level in (0.05, 0.5, 0.95))
        error = math.nan if low == high else _of_threshold(summary, "crossing_quantile_error", t, 0.5)
        never = float(summary["never"].values[t])
        share_error = float(summary["crossed_error"].values[t, -1])
        certain = low == high and never in (0.0, 1.0)
        interval = "" if certain else f" (90 % {year_text(low, last)} to {year_text(high, last)})"
        share = "" if certain else f", never by {last:g}: {100 * never:.1f}{plus_minus(100 * share_error, 1)} %"
        lines.append(f"  {summary['label'].values[t]}: {year_text(mid, last)}{plus_minus(error, 1)}{interval}{share}")
    return lines


def _binding_line(summary: Group) -> str:
    parts = []
    for subject, shares, errors in _binding(summary):
        final, error = shares.values[:, -1], 100 * errors.values[:, -1] * (math.nan if _is_fixed(summary) else 1)
        names = summary[str(shares.dims[0])].values.tolist()
        order = np.argsort(-final, kind="stable")
        said = ", ".join(
            f"{names[n]} {100 * final[n]:.0f}{plus_minus(error[n], 1)} %" for n in order if final[n] > 0.005
        )
        parts.append(f"{subject.replace('_', ' ')}: {said or 'nothing'}")
    last = float(summary["year"].values[-1])
    return f"  binds in {last:g} - {'; '.join(parts)}" if parts else ""


def _is_fixed(summary: Group) -> bool:
    """Tell whether all samples have the same effective compute: then no number of the run has an error."""
    values = summary["effective_compute"].values
    return bool((values[0] == values[-1]).all())


def sources(run: Group | xr.DataTree) -> dict[str, str]:
    """List the source of each prior by name."""
    return dict(json.loads(run.attrs["sources"]))
