"""The charts of a run: its tables, handed to `charts` with titles, labels and the run's name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath

import altair as alt
import xarray as xr

from simulator.charts import FanTables, RunLabel, draw_fan, save_chart
from simulator.summary import crossing_table, fan_table, power, summarised, threshold_table

BANDS = (0.5, 0.8, 0.9)


def fan_chart(
    run: xr.DataTree, quantity: str = "effective_compute", *, bands: Sequence[float] = BANDS
) -> alt.VConcatChart:
    """Draw the fan of a variable of a run, with its thresholds and their crossing years.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`.
    quantity : str
        A variable of the summary, such as `effective_compute` or `spending`.
    bands : levels of central bands, such as 0.9

    Returns
    -------
    altair.VConcatChart, whose `save` writes HTML and JSON; `save_chart` writes PNG, SVG and PDF without a browser

    Raises
    ------
    InputError
        The run has no such variable, or its summary not the quantiles for a band.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> chart = fan_chart(simulate(load_scenario("baseline", overrides=["samples=1024"])))
    >>> type(chart).__name__
    'VConcatChart'
    """
    values = summarised(run, quantity)
    medians, rows = fan_table(run, quantity, bands)
    unit = str(values.attrs["units"]).removeprefix("log10(").removesuffix(")")
    name = str(values.attrs["long_name"])
    years = values["year"].values
    (low,), (high,) = ([row[key] for row in rows if row["year"] == years[-1]][:1] for key in ("lower", "upper"))
    widest = max(bands)
    lower, upper = power(float(str(low))), power(float(str(high)))
    ends = lower if low == high else f"{lower} to {upper}"
    said = f"Median and central bands; {100 * widest:g} % of the samples end in the range of the title."
    if low == high:
        said = "Every prior in it is fixed: there is no spread."
    return draw_fan(
        FanTables(medians, rows, threshold_table(run), crossing_table(run)),
        title=f"{name[0].upper()}{name[1:]}: {ends} {_unit(unit)} in {years[-1]:g}",
        subtitle=f"{run.attrs['title']}: {run.attrs['subject']}. {said}",
        quantity=quantity,
        quantity_label=name,
        unit=_unit(unit),
        run=RunLabel(
            run_id=str(run.attrs["run_id"]),
            scenario=str(run.attrs["name"]),
            seed=int(run.attrs["seed"]),
            samples=int(run.attrs["samples"]),
        ),
    )


def _unit(unit: str) -> str:
    return "times the start" if unit == "1" else unit


def write_charts(run: xr.DataTree, folder: FilePath) -> None:
    """Write the fan of effective compute into a run folder, as PNG and SVG."""
    save_chart(fan_chart(run), folder / "fan_effective_compute.png", folder / "fan_effective_compute.svg")
