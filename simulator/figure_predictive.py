"""What was seen of history, against what the fitted model would have shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr

from simulator.chart_predictive import Series, draw_predictive
from simulator.figure import Figure, FigureOptions, Row
from simulator.figure_posterior import learnt
from simulator.run_label import run_label
from simulator.rungroups import group
from simulator.unknowns import UNKNOWNS
from simulator.words import listed

OBSERVED: Final = {
    "run_log_compute": ("run_year", "runs"),
    "cost_log_usd": ("costed_run_year", "costs"),
    "accelerator_log_flops_per_usd": ("accelerator_year", "accelerators"),
}
"""What is seen: the coordinate that says when, and what one calls them."""
_KEYS: Final = {"lower_90": 0.05, "lower_50": 0.25, "median": 0.5, "upper_50": 0.75, "upper_90": 0.95}


def predictive_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw runs, costs and accelerators over the predictive bands of the model that was fitted to them.

    Parameters
    ----------
    run : xarray.DataTree
        Whose priors were learnt from history.
    options : FigureOptions
        `years` chooses the years, if two or more observations of a kind lie in them.

    Returns
    -------
    list of one Figure, `predictive`

    Raises
    ------
    InputError
        The run has learnt nothing.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> predictive_figures(simulate(load_scenario("doubling-times")), FigureOptions())
    Traceback (most recent call last):
    simulator.errors.InputError: the run has learnt nothing from history: its priors are as its scenario states them...
    """
    rows = predictive_table(run)
    if options.years is not None:
        first, last = options.years
        rows = [row for row in rows if first <= float(str(row["year"])) <= last] or rows
    kinds = [kind for kind in OBSERVED if any(row["kind"] == kind for row in rows)]
    series = [_series(kind, [row for row in rows if row["kind"] == kind]) for kind in kinds]
    inside = [_inside(each.points, 90) for each in series]
    named = [f"{hit} of {each} {OBSERVED[kind][1]}" for (hit, each), kind in zip(inside, kinds, strict=True)]
    title = f"Inside the 90 % band: {listed(named)}"
    attributes = run["posterior"].attrs
    chart = draw_predictive(
        series,
        title=title,
        subtitle=(
            f"{run.attrs['title']}. The model of {attributes['runs']} frontier runs to the end of "
            f"{attributes['origin']} (estimates of {attributes['snapshot']}) against what it was fitted to."
        ),
        run=run_label(run),
    )
    caption = (
        f"{title}. A model that fits has about 90 % of them inside, and half of them inside the 50 % band: there are "
        f"{listed([_share(each.points, 50) for each in series])}. The bands are those of data that the model had seen."
    )
    alt_text = (
        f"{len(series)} plots under one another on common years: {listed([each.heading for each in series])}, on log "
        f"scales. Each has the predictive median with 50 and 90 % bands, rising, and points for what was seen. {title}."
    )
    return [Figure("predictive", chart, {"": rows}, caption, alt_text)]


def predictive_table(run: xr.DataTree) -> list[Row]:
    """Tabulate what was seen and the quantiles of its posterior prediction, by kind and date.

    Returns
    -------
    rows of `kind`, `unit`, `year` (decimal), `value`, `lower_90`, `lower_50`, `median`, `upper_50`, `upper_90` (log10
    of the unit), `inside_50`, `inside_90`

    Raises
    ------
    InputError
        The run has learnt nothing.
    """
    learnt(run)
    seen, drawn = group(run, "observed_data"), group(run, "posterior_predictive")
    rows: list[Row] = []
    for kind, (when, _) in OBSERVED.items():
        if kind not in seen or not seen[kind].size:
            continue
        values, years = seen[kind].values, seen[when].values
        bands = np.quantile(drawn[kind].values.reshape(-1, values.size), list(_KEYS.values()), axis=0)
        for place in np.argsort(years, kind="stable").tolist():
            levels = dict(zip(_KEYS, bands[:, place].tolist(), strict=True))
            value = float(values[place])
            rows.append(
                {"kind": kind, "unit": UNKNOWNS[kind][0], "year": float(years[place]), "value": value, **levels}
                | {f"inside_{band}": levels[f"lower_{band}"] <= value <= levels[f"upper_{band}"] for band in (50, 90)}
            )
    return rows


def _series(kind: str, rows: Sequence[Row]) -> Series:
    unit, label = UNKNOWNS[kind]
    unit = unit.removeprefix("log10(").removesuffix(")")
    hit, count = _inside(rows, 90)
    narrow, _ = _inside(rows, 50)
    notes = [
        (f"{hit} of {count} inside the 90 % band ({100 * hit / count:.0f} %)", True),
        (f"{narrow} of {count} inside the 50 % band ({100 * narrow / count:.0f} %)", False),
    ]
    return Series(f"{label[0].upper()}{label[1:]}, {unit}", rows, notes)


def _inside(rows: Sequence[Row], band: int) -> tuple[int, int]:
    return sum(bool(row[f"inside_{band}"]) for row in rows), len(rows)


def _share(rows: Sequence[Row], band: int) -> str:
    hit, count = _inside(rows, band)
    return f"{hit} of {count}"
