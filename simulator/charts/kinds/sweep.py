"""Charts of a sweep: heat maps over two of its axes, and lines or strips along one."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analysis.designs.tables import going_with, is_design, outcome_values
from simulator.analysis.outcomes import Outcome, unit_in, years_of
from simulator.analysis.sweep_tables import (
    axis_heading,
    axis_value,
    interval_text,
    is_log,
    outcome_table,
    parse_outcomes,
    sweep_outcomes,
    swept_axes,
    swept_words,
    value_text,
)
from simulator.charts.scattered import MOST_DRAWN, Cloud, Range, draw_clouds
from simulator.charts.spec import Figure, Head, Spec
from simulator.charts.swept import MOST_LINES, RAMP, Plot, Point, Side, draw_heat, draw_lines, draw_strips
from simulator.charts.ticks import outcome_scale
from simulator.errors import InputError
from simulator.runs.groups import Run, differing_samples
from simulator.runs.table import Row, Table
from simulator.scenario.designs import KINDS
from simulator.scenario.sweep_axes import Axis
from simulator.units import plain_unit
from simulator.wording import capital, share_text, signed

_STEPS = {"level": 0.1, "crossing": 0.1, "crossed": 0.01, "leads": 0.01}
"""The least width of a class of colours: OOM, years, shares."""
MOST_PANELS = 12
"""Maps or frames of one figure: combinations of the axes beyond those that are drawn along and up."""
MOST_FRAMES = 6
"""Entries against which an outcome of a design is drawn."""


def swept_figures(sweep: Run, asked: Sequence[str] = ()) -> list[Figure]:
    """Draw the outcomes of a sweep that are asked for, or those that it chooses.

    Each has a heat map where two entries or more are swept, and lines along a swept number. Labels that stand alone
    are drawn as strips. Further axes make further lines, maps and frames. Of a design the outcome is drawn against the
    entries that go most with it.
    """
    if is_design(sweep):
        every = (_cloud_figures(sweep, each) for each in parse_outcomes(sweep, asked) or sweep_outcomes(sweep))
        return [figure for figures in every for figure in figures]
    figures: list[Figure] = []
    for outcome in parse_outcomes(sweep, asked) or sweep_outcomes(sweep):
        told = _Told.of(sweep, outcome)
        if len(told.axes) > 1:
            figures.append(_heat_figure(told))
        along = _along(told.axes)
        if along is not None:
            figures.append(_line_figure(told, *along))
    return figures


def _cloud_figures(sweep: Run, outcome: Outcome) -> list[Figure]:
    """Draw an outcome against each of the entries that go most with it; nothing where it is the same everywhere."""
    values, words, attrs = outcome_values(sweep, outcome), swept_words(sweep, outcome), sweep.attrs
    ranked = going_with(sweep, values)[:MOST_FRAMES]
    if not ranked:
        return []
    horizon = years_of(sweep)[1]
    beyond = horizon + 1.0 if np.isposinf(values).any() else None
    told = "" if outcome.is_share else "median "
    up = Range(f"{told}{words}", values, scale=outcome_scale(outcome.kind, log=is_log(sweep, outcome)), beyond=beyond)
    clouds = [Cloud("", Range(f"{each.words} (rank correlation {signed(rank)})", each.values, each.log), up)
              for each, rank in ranked]  # fmt: skip
    count, drawn = values.size, min(values.size, MOST_DRAWN)
    first = f"{ranked[0][0].label} goes most with it, rank correlation {signed(ranked[0][1])}"
    some = f" The first {drawn:,} of {count:,} points are drawn." if drawn < count else ""
    foot = f"Sweep {attrs['run_id']} · scenario {attrs['name']} · seed {attrs['seed']} · "
    foot += f"{int(attrs['samples']):,} samples at each of {count:,} points ({KINDS[str(attrs['spread'])]})"
    under = f"A dot is a point of the design.{f' Triangles: later than {horizon:g}.' if beyond else ''}{some}"
    chart = draw_clouds(clouds, Head(f"{capital(words)}: {first}", under, [foot]))
    name = re.sub(r"[^a-z0-9_-]+", "_", outcome.text.lower()).strip("_")
    others = "; ".join(f"{each.label} {signed(rank)}" for each, rank in ranked[1:])
    caption = (
        f"{capital(words)} at {count:,} points, against what they set: {first}{f'; then {others}' if others else ''}."
    )
    alt_text = f"{len(clouds)} scatter charts of {words} at {count:,} points against what they set. {capital(first)}."
    return [Figure(f"sweep_points_{name}", chart, {"": outcome_table(sweep, outcome)}, caption, alt_text)]


@dataclass(frozen=True, slots=True)
class _Told:
    """One outcome at every point of a sweep, and how it is told."""

    sweep: Run
    outcome: Outcome
    table: Table
    rows: Sequence[Row]
    axes: tuple[Axis, ...]
    years: tuple[float, float]
    log: bool

    @classmethod
    def of(cls, sweep: Run, outcome: Outcome) -> _Told:
        table = outcome_table(sweep, outcome)
        return cls(sweep, outcome, table, table.rows(), swept_axes(sweep), years_of(sweep), is_log(sweep, outcome))

    @property
    def values(self) -> list[float]:
        return [float(value) for value in self.table["value"]]

    @property
    def words(self) -> str:
        return swept_words(self.sweep, self.outcome)

    @property
    def unit(self) -> str:
        """The unit of a level; empty of other outcomes."""
        if self.outcome.kind != "level":
            return ""
        unit = plain_unit(unit_in(self.sweep, self.outcome))
        return "times the start" if unit == "1" and self.log else unit

    def text(self, row: Row) -> str:
        """Write the value of a point; of a share to what its error supports."""
        if self.outcome.is_share:
            return share_text(row["value"], differing_samples(self.sweep))
        return value_text(row, "value", outcome=self.outcome, years=self.years, log=self.log)

    def bound_texts(self, bounds: Sequence[float]) -> list[str]:
        """Write the bounds of colours; of shares as they part, where they do."""
        if not self.outcome.is_share or len(bounds) == 2:
            return [self.text({"value": bound}) for bound in bounds]
        return [f"{100 * bound:.{0 if bounds[-1] - bounds[0] > 0.2 else 1}f} %" for bound in bounds]

    def interval(self, row: Row) -> str:
        """Write the interval of the samples; empty where there is none."""
        if row["lower_90"] is None or row["lower_90"] == row["upper_90"]:
            return ""
        return interval_text(row, outcome=self.outcome, years=self.years, log=self.log)

    def plot(self, along: Axis, up: Axis | None) -> Plot:
        """Lay the points out along one axis and up another, or along a line alone, in a panel for each of the rest."""
        rest = [axis for axis in self.axes if axis not in (along, up)]
        if (count := math.prod(len(axis.labels) for axis in rest)) > MOST_PANELS:
            raise InputError(
                f"sweep: {count} maps would be drawn for {' x '.join(axis.name for axis in rest)}; at most "
                f"{MOST_PANELS} are. The table has every point; sweep fewer entries to have charts."
            )
        points = []
        for row in self.rows:
            known = math.isfinite(row["value"]) and math.isfinite(row["standard_error"])
            points.append(Point(
                ", ".join(f"{axis.label or axis.name} = {axis_value(axis, row[axis.name])}" for axis in rest),
                along.values.index(row[along.name]), up.values.index(row[up.name]) if up else 0,
                row["value"], row["standard_error"] if known else None, _band(row, 50), _band(row, 90),
                self.text(row), self.interval(row),
            ))  # fmt: skip
        kind, unit = self.outcome.kind, f", {self.unit}" if self.outcome.kind == "level" else ""
        return Plot(
            points, _side(along), _side(up) if up else Side("", ("",), None),
            tuple(dict.fromkeys(point.panel for point in points)), f"{self.words}{unit}",
            outcome_scale(kind, log=self.log), _span(self, bands=up is None),
            self.years[1] if math.inf in self.values else None,
        )  # fmt: skip

    def ends(self) -> tuple[Row, Row]:
        """Give the points with the lowest and with the highest value."""
        return min(self.rows, key=lambda row: row["value"]), max(self.rows, key=lambda row: row["value"])

    def title(self) -> str:
        low, high = (self.text(row) for row in self.ends())
        what = f"{capital(self.words)}: {'' if self.outcome.is_share else 'median '}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{what}{low}{unit} at every point" if low == high else f"{what}{low} to {high}{unit}"

    def caption(self) -> str:
        said = []
        for row, word in zip(self.ends(), ("lowest", "highest"), strict=True):
            at = ", ".join(f"{axis.label or axis.name} {axis_value(axis, row[axis.name])}" for axis in self.axes)
            said.append(f"{word} {self.text(row)} at {at}")
        errors = [row["standard_error"] for row in self.rows if math.isfinite(row["standard_error"])]
        units = {"level": (1.0, "OOM" if self.log else ""), "crossing": (1.0, "years"), "crossed": (100.0, "points")}
        scale, unit = units["crossed" if self.outcome.is_share else self.outcome.kind]
        most = scale * max(errors, default=0.0)
        error = f" Monte Carlo standard errors: at most {most:.2g} {unit}.".rstrip() if most else ""
        count = sum(map(math.isinf, self.values))
        beyond = f" At {count} of {len(self.rows)} points the median is later than {self.years[1]:g}." if count else ""
        return f"{self.title()}: {'; '.join(said)}.{beyond} All points on the same draws.{error}"

    def head(self, more: str) -> Head:
        attrs, what = self.sweep.attrs, "Share" if self.outcome.is_share else "Medians"
        each = f"{int(attrs['samples']):,} samples at each of {int(attrs['points']):,} points"
        foot = [f"Sweep {attrs['run_id']} · scenario {attrs['name']} · seed {attrs['seed']} · {each}"]
        return Head(self.title(), f"{what} of the samples, every point on the same draws.{more}", foot)

    def figure(self, kind: str, chart: Spec, alt_text: str) -> Figure:
        name = re.sub(r"[^a-z0-9_-]+", "_", self.outcome.text.lower()).strip("_")
        alt_text = f"{alt_text}. {self.title()}."
        return Figure(f"sweep_{kind}_{name}", chart, {"": self.table}, self.caption(), alt_text)


def _along(axes: Sequence[Axis]) -> tuple[Axis, Axis | None] | None:
    """Choose the axis that lines run along and the one whose values are lines; None where there are no lines."""
    if len(axes) == 1:
        return axes[0], None
    first = next((axis for axis in axes if axis.numbers is not None), None)
    others = [axis for axis in axes if axis is not first and len(axis.labels) <= MOST_LINES]
    return (first, others[0]) if first is not None and others else None


def _heat_figure(told: _Told) -> Figure:
    along, up = told.axes[:2]
    plot = told.plot(along, up)
    bounds = _bounds([value for value in told.values if math.isfinite(value)], step=_STEPS[told.outcome.kind])
    ends = told.bound_texts(bounds)
    classes = [low if low == high else f"{low.removesuffix(' %')} to {high}" for low, high in itertools.pairwise(ends)]
    small = "" if told.outcome.is_share else " Small, where there is room: 90 % of the samples."
    chart = draw_heat(plot, bounds=bounds, classes=classes, head=told.head(small))
    alt_text = (
        f"Heat map of {told.words}, {len(along.labels)} by {len(up.labels)} cells"
        f"{f' in {len(plot.panels)} maps' if len(plot.panels) > 1 else ''}. Along: {axis_heading(along)}, "
        f"{_ends(along)}. Up: {axis_heading(up)}, {_ends(up)}"
    )
    return told.figure("heat", chart, alt_text)


def _line_figure(told: _Told, along: Axis, by: Axis | None) -> Figure:
    numeric = along.numbers is not None
    bands = " Bands: 50 and 90 % of the samples." if by is None and not told.outcome.is_share else ""
    draw = draw_lines if numeric else draw_strips
    chart = draw(told.plot(along, by), head=told.head(f" Bars: two standard errors.{bands}"))
    kind = f"{len(by.labels)} lines" if by else "one line" if numeric else "bars"
    alt_text = (
        f"Chart of {told.words} as {kind} along {axis_heading(along)}, {_ends(along)}"
        f"{f', one for each value of {axis_heading(by)}' if by else ''}"
    )
    return told.figure("lines" if numeric else "strips", chart, alt_text)


def _band(row: Row, percent: int) -> tuple[float, float] | None:
    low, high = row[f"lower_{percent}"], row[f"upper_{percent}"]
    return None if low is None else (low, high)


def _side(axis: Axis) -> Side:
    return Side(axis_heading(axis), [axis_value(axis, value) for value in axis.values], axis.numbers)


def _ends(axis: Axis) -> str:
    labels = _side(axis).labels
    return f"{labels[0]} to {labels[-1]}" if axis.numbers else "; ".join(labels)


def _bounds(values: Sequence[float], *, step: float) -> list[float]:
    """Part the range of values into as many classes as there are colours; one where all are told alike."""
    if not values:
        return []
    low, high = min(values), max(values)
    if high - low < step / 2:
        return [low, high]
    spare = max(0.0, step * len(RAMP) - (high - low)) / 2  # colours that differ stand for numbers that do
    return np.linspace(low - spare, high + spare, len(RAMP) + 1).tolist()


def _span(told: _Told, *, bands: bool) -> tuple[float, float]:
    """Choose the ends of the axis of an outcome."""
    keys = ("value", "lower_90", "upper_90") if bands else ("value",)
    values = [row[key] for row in told.rows for key in keys if row[key] is not None]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return told.years[1] - 1.0, told.years[1]
    low, high = min(finite), max(finite)
    if told.outcome.is_share:
        return (0.0, 1.0) if high - low > 0.2 else (max(0.0, low - 0.1), min(1.0, high + 0.1))
    spare = max(1.0 - (high - low), 0.0) / 2 + 0.04 * (high - low)
    if told.outcome.kind == "crossing":
        return low - spare, told.years[1] if math.inf in values else min(told.years[1], high + spare)
    return low - spare, high + spare
