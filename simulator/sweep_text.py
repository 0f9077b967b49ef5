"""A sweep in words: a table of its points for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import xarray as xr

from simulator.outcomes import Outcome
from simulator.rungroups import group
from simulator.sweep_tables import SweptAxis, outcome_rows, sweep_outcomes, swept_axes, swept_words
from simulator.words import cut, power, power_text, year_text

MOST_ROWS = 24
LABEL_WIDTH = 34

type Row = Mapping[str, object]


def value_text(row: Row, key: str, *, outcome: Outcome, last: float, log: bool = True) -> str:
    """Write a value of an outcome: a level as a power of ten, a year, or a share in percent.

    Examples
    --------
    >>> value_text({"value": math.inf}, "value", outcome=Outcome("crossing", "agi"), last=2045.0)
    '> 2045'
    """
    value = float(str(row[key]))
    if outcome.kind == "level":
        if not log:
            return f"{value:.3g}"
        return power(value) if key != "value" else power_text(value)
    return year_text(value, last) if outcome.kind == "crossing" else f"{100 * value:.1f} %"


def is_log(sweep: xr.DataTree, outcome: Outcome) -> bool:
    """Tell whether an outcome is a level in log10."""
    return outcome.kind == "level" and str(group(sweep, "summary")[outcome.name].attrs["units"]).startswith("log10(")


def axis_value(axis: SweptAxis, value: object) -> str:
    """Write a value of an axis: a number with as few digits as tell it from the others, or its label.

    Examples
    --------
    >>> axis = SweptAxis("limit", "USD", ("", ""), (1e11, 2e11))
    >>> axis_value(axis, 1e11)
    '1e11'
    """
    if axis.numbers is None:
        return str(value)
    digits = next((n for n in range(4, 17) if len({f"{each:.{n}g}" for each in axis.numbers}) == len(axis.numbers)), 17)
    mantissa, e, exponent = f"{float(str(value)):.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def axis_heading(axis: SweptAxis) -> str:
    """Write the name of an axis with its unit.

    Examples
    --------
    >>> axis_heading(SweptAxis("spending.growth", "factor/year", ("2", "3"), (2.0, 3.0)))
    'spending.growth, factor/year'
    """
    return f"{axis.name}, {axis.unit}" if axis.unit not in ("", "1") else axis.name


def sweep_lines(sweep: xr.DataTree, *, outcomes: Sequence[Outcome] = (), most: int = MOST_ROWS) -> list[str]:
    """Say a sweep: what is swept, and a table of its points.

    Medians with their Monte Carlo standard errors and the 90 % interval of the samples; `> 2045` is later than the
    horizon.

    Parameters
    ----------
    sweep : xarray.DataTree
    outcomes : what is shown; without it, effective compute and the first threshold ahead
    most : int
        Rows at most.
    """
    asked = tuple(outcomes) or sweep_outcomes(sweep)
    axes, last = swept_axes(sweep), float(group(sweep, "summary")["year"].values[-1])
    attrs = sweep.attrs
    points = int(attrs["points"])
    samples = int(attrs["samples"])
    head_line = (
        f"{attrs['title']}: sweep of {points:,} points ({attrs['name']}, sweep {attrs['run_id']}, "
        f"{samples:,} sample{'s' * (samples != 1)} each on common draws, seed {attrs['seed']})"
    )
    lines = [head_line, *(f"  [{place + 1}] {axis_heading(axis)}" for place, axis in enumerate(axes))]
    tables = [outcome_rows(sweep, outcome) for outcome in asked]
    head = [*(f"[{place + 1}]" for place in range(len(axes))), *(swept_words(sweep, outcome) for outcome in asked)]
    body = []
    for rows in zip(*tables, strict=True):
        cells = [cut(axis_value(axis, rows[0][axis.name]), width=LABEL_WIDTH) for axis in axes]
        cells += [
            _cell(row, outcome, last, log=is_log(sweep, outcome)) for row, outcome in zip(rows, asked, strict=True)
        ]
        body.append(cells)
    shown = body if len(body) <= most else body[: most - 1]
    widths = [max(len(cells[column]) for cells in (head, *shown)) for column in range(len(head))]
    lines += [
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in (head, *shown)
    ]
    if len(shown) < len(body):
        lines.append(f"  ... and {len(body) - len(shown)} more points in points.csv")
    return lines


def _cell(row: Row, outcome: Outcome, last: float, *, log: bool) -> str:
    """Write a value with its error, and the 90 % interval where there is one."""
    text = value_text(row, "value", outcome=outcome, last=last, log=log)
    error = float(str(row["standard_error"]))
    if math.isfinite(error) and outcome.kind != "level":
        scaled = 100 * error if outcome.kind == "crossed" else error
        least = f"{scaled:.1f}" if scaled >= 0.05 else "<0.1"
        text = f"{text.removesuffix(' %')} ± {least}{' %' if text.endswith('%') else ''}"
    if row["lower_90"] is None:
        return text
    ends = [float(str(row[key])) for key in ("lower_90", "upper_90")]
    # Quantiles come from counted cells, 1/1024 wide: an interval within one is that of a fixed number.
    cell = 1e-3 if log or outcome.kind == "crossing" else 0.0
    if math.isclose(*ends, rel_tol=1e-9, abs_tol=cell):
        return text
    low, high = (value_text(row, key, outcome=outcome, last=last, log=log) for key in ("lower_90", "upper_90"))
    return f"{text} ({low} to {high})"
