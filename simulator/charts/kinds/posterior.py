"""What a run has learnt from history: prior against posterior of every unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

import numpy as np
import xarray as xr

from simulator.charts import spec as vega
from simulator.charts import style
from simulator.charts.frame import row_number, row_text
from simulator.charts.kinds.densities import FACTOR, Group, Scale, scale_of, tick_texts
from simulator.charts.kinds.priors import density
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.charts.style import Text
from simulator.errors import InputError, number
from simulator.history.fragility import PriorShift, conflicts
from simulator.runs.groups import RunLabel, group, run_label
from simulator.units import Array
from simulator.variables import UNKNOWNS
from simulator.wording import listed

COLUMNS = 3
PANEL_WIDTH = 280
GAP = 46
DENSITY_HEIGHT = 62
HEADING_HEIGHT = 36
LEGEND_HEIGHT = 30
NAME_CHARACTERS = 44
WIDTH = COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
_LINE = float(style.LINE_HEIGHT)


@dataclass(frozen=True, slots=True)
class PosteriorTables:
    """Hold the tables of the chart, as `figure_posterior` makes them.

    Parameters
    ----------
    unknowns : rows (unknown,)
        `name`, `label`, `unit`; `prior_lower_90`, `prior_median`, `prior_upper_90`, `lower_90`, `median`, `upper_90`
        (internal scale); `contraction`; `said` (what the contraction means); `conflict` (in words, or empty).
    densities : rows (unknown, of, point)
        `name`, `of` ("prior" or "posterior"), `value` (internal scale, rising), `height` (at most 1).
    sections : the sections from the top down
    """

    unknowns: Sequence[Row]
    densities: Sequence[Row]
    sections: Sequence[Group]


def draw_posterior(tables: PosteriorTables, *, title: str, run: RunLabel, subtitle: str = "") -> vega.Spec:
    """Draw prior and posterior of each unknown, three beside one another, with what they say in words.

    Each curve is drawn to the same height, so that a narrow posterior does not hide its prior.

    Parameters
    ----------
    tables : PosteriorTables
    title, subtitle : str
        What the chart shows.
    run : RunLabel
        The run that the tables come from, for the footer.
    """
    rows = {row_text(row, "name"): row for row in tables.unknowns}
    points: dict[tuple[str, str], list[Row]] = {}
    for point in tables.densities:
        points.setdefault((row_text(point, "name"), row_text(point, "of")), []).append(point)
    parts = _Parts()
    top = float(LEGEND_HEIGHT)
    for section in tables.sections:
        parts.heading(section.heading, y=top + 14)
        top += HEADING_HEIGHT
        for names in batched(section.names, COLUMNS):
            top += _LINE * max(len(name_lines(rows[name])) for name in names) + DENSITY_HEIGHT
            for place, name in enumerate(names):
                left = place * float(PANEL_WIDTH + GAP)
                parts.panel(rows[name], points[name, "prior"], points[name, "posterior"], left=left, base=top)
            top += 54 + _LINE * (4 if any(rows[name]["conflict"] for name in names) else 3)
    prior, posterior = _fills()
    entries: list[style.LegendEntry] = [
        ("band", prior, "before: prior"),
        ("band", posterior, "learnt: posterior"),
    ]
    layers = [*parts.layers(), *style.legend_layers(entries, x=0, y=8)]
    view = vega.view(layers, width=WIDTH, height=top)
    note = "Both curves have the same height. In brackets: 90 % intervals. Contraction: 1 − variance after / before."
    foot = style.footer(run, note=note, x=0, width=WIDTH)
    return style.stacked([view, foot], title=title, subtitle=subtitle, width=WIDTH)


def _fills() -> tuple[str, str]:
    pale, _, strong = style.band_tints(3)
    return pale, strong


def name_lines(row: Row) -> list[str]:
    """Break the name of an unknown into the lines above its panel.

    Examples
    --------
    >>> name_lines({"label": "growth of what frontier training runs cost, of all of them"})
    ['growth of what frontier training runs cost,', 'of all of them']
    """
    return style.wrapped(row_text(row, "label"), width=NAME_CHARACTERS)


def told(row: Row) -> Scale:
    """Choose how the numbers of an unknown are told: growth as a factor, scatter as it is.

    Examples
    --------
    >>> told({"name": "spending_growth", "unit": "OOM/year"}).text(0.5)
    '3.16'
    >>> told({"name": "spending_volatility", "unit": "OOM/year"}).text(0.0958)
    '0.0958'
    """
    unit = str(row["unit"])
    if unit == "OOM/year" and not str(row["name"]).endswith("_growth"):
        return Scale("OOM/year")
    return scale_of({"unit": unit, "understood": ""})


class _Parts:
    """Collect the marks of all panels, so that each kind is one layer."""

    def __init__(self) -> None:
        self._areas: dict[str, style.Data] = {"prior": [], "posterior": []}
        self._outlines: style.Data = []
        self._rules: style.Data = []
        self._axes: style.Data = []
        self._texts: list[Text] = []

    def layers(self) -> list[vega.Spec]:
        outline = {"type": "line", "color": style.QUIET, "strokeWidth": 0.9, "strokeDash": [3, 2]}
        found = []
        for of, fill in zip(("prior", "posterior"), _fills(), strict=True):
            area = {"type": "area", "color": fill, "opacity": 1}
            found += [style.pixel_layer(self._areas[of], mark=area)] if self._areas[of] else []
        for rows, mark in (
            (self._outlines, outline),  # over the posterior: the prior is seen through it
            (self._rules, {"type": "rule", "color": style.HAIR, "strokeWidth": 0.8}),
            (self._axes, {"type": "rule", "color": style.QUIET, "strokeWidth": 0.8}),
        ):
            found += [style.pixel_layer(rows, mark=mark)] if rows else []
        return [*found, *style.text_layers(self._texts)]

    def heading(self, heading: str, *, y: float) -> None:
        self._texts.append(Text([heading], 0, y, bold=True, size=style.TEXT_SIZE + 1))
        self._rules.append({"x": 0, "x2": WIDTH, "y": y + 12, "y2": y + 12})

    def panel(self, row: Row, prior: Sequence[Row], posterior: Sequence[Row], *, left: float, base: float) -> None:
        """Add the panel of one unknown, whose axis begins at the pixels `left` and `base`."""
        name = name_lines(row)
        self._texts.append(Text(name, left, base - DENSITY_HEIGHT - 14 - _LINE * (len(name) - 1) / 2, bold=True))
        every = [row_number(point, "value", table="densities") for point in (*prior, *posterior)]
        low, high = min(every), max(every)
        low, high = low - 0.02 * (high - low), high + 0.02 * (high - low)

        def pixel(value: float) -> float:
            return round(left + PANEL_WIDTH * (value - low) / (high - low), 2)

        for of, points in (("prior", prior), ("posterior", posterior)):
            for point in points:
                x = pixel(row_number(point, "value", table="densities"))
                up = round(base - DENSITY_HEIGHT * row_number(point, "height", table="densities"), 2)
                self._areas[of].append({"x": x, "y": base, "y2": up, "detail": row["name"]})
                if of == "prior":
                    self._outlines.append({"x": x, "y": up, "detail": row["name"]})
        self._axes.append({"x": left, "x2": left + PANEL_WIDTH, "y": base, "y2": base})
        scale = told(row)
        self._ticks(scale, [tick for tick in scale.ticks(low, high) if low <= tick <= high], pixel, base)
        self._words(row, scale, left=left, top=base + 26 + _LINE / 2)

    def _ticks(self, scale: Scale, ticks: Sequence[float], pixel: Callable[[float], float], base: float) -> None:
        free = -float("inf")
        for tick in ticks:
            x = pixel(tick)
            texts, width = tick_texts(scale, tick, x=x, y=base + 14)
            if x - width / 2 < free:
                continue
            free = x + width / 2 + 8
            self._axes.append({"x": x, "x2": x, "y": base, "y2": base + 4})
            self._texts += texts

    def _words(self, row: Row, scale: Scale, *, left: float, top: float) -> None:
        for place, prefix in enumerate(("", "prior_")):
            median, low, high = (
                _text(scale, row_number(row, f"{prefix}{key}", table="unknowns"))
                for key in ("median", "lower_90", "upper_90")
            )
            unit = "x a year" if scale.unit == FACTOR else f" {scale.unit}" if scale.unit else ""
            words = f"{'before' if prefix else 'learnt'} {median}{unit} ({low} to {high})"
            y = top + place * _LINE
            self._texts.append(Text([words], left, y, style.QUIET if prefix else style.INK, bold=not prefix))
        self._texts.append(Text([row_text(row, "said")], left, top + 2 * _LINE, style.QUIET))
        if conflict := row_text(row, "conflict"):
            self._texts.append(Text([conflict], left, top + 3 * _LINE, style.VERMILION, bold=True))


def _text(scale: Scale, value: float) -> str:
    return scale.text(value) if scale.is_log else f"{value:.2g}"


POINTS: Final[int] = 120
DECIDED: Final[float] = 0.9
"""Contraction from which the data, and not the prior, say what an unknown is."""
_LABELS: Final = {
    "run_tail": "degrees of freedom of the scatter of runs",
    "cost_tail": "degrees of freedom of the scatter of costs",
}
_PATHS = ("spending", "efficiency", "compute")
_KEYS = {"lower_90": 0.05, "median": 0.5, "upper_90": 0.95}


def learnt(run: xr.DataTree) -> None:
    """Refuse a run that has learnt nothing.

    Raises
    ------
    InputError
        It has no posterior.
    """
    if "posterior" not in run.children:
        raise InputError(
            "the run has learnt nothing from history: its priors are as its scenario states them. "
            "Run one that has history: in it, such as the shipped scenario learned."
        )


def posterior_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:  # noqa: ARG001
    """Draw the prior and the posterior of every unknown of the model of history.

    Parameters
    ----------
    run : xarray.DataTree
        Whose priors were learnt from history.
    options : FigureOptions
        None concerns this chart.

    Returns
    -------
    list of one Figure, `posterior`

    Raises
    ------
    InputError
        The run has learnt nothing.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> posterior_figures(simulate(load_scenario("doubling-times")), FigureOptions())
    Traceback (most recent call last):
    simulator.errors.InputError: the run has learnt nothing from history: its priors are as its scenario states them...
    """
    learnt(run)
    attributes = run["posterior"].attrs
    draws = _draws(run)
    rows = posterior_table(run)
    decided = [row for row in rows if float(str(row["contraction"])) >= DECIDED]
    title = f"History decides {len(decided)} of {len(rows)} unknowns; {_conflicts_said(rows)}"
    names = [str(row["name"]) for row in rows]
    densities = density_rows(draws, names)
    chart = draw_posterior(
        PosteriorTables(rows, densities, _sections(names, end=_end(run))),
        title=title,
        subtitle=(
            f"{run.attrs['title']}. Learnt from {attributes['runs']} frontier runs to the end of "
            f"{attributes['origin']}, estimates of {attributes['snapshot']}."
        ),
        run=run_label(run),
    )
    caption = (
        f"{title}. {_growth_words(rows)} An unknown counts as decided by history where the variance of the "
        f"posterior is below {100 * (1 - DECIDED):.0f} % of that of the prior."
    )
    alt_text = (
        f"Small densities of {len(rows)} unknowns, three beside one another, each with its prior, pale, and its "
        f"posterior, strong, on one axis. {title}. {_growth_words(rows)}"
    )
    return [Figure("posterior", chart, {"": rows, "density": densities}, caption, alt_text)]


def _conflicts_said(rows: Sequence[Row]) -> str:
    against = [str(row["label"]) for row in rows if row["conflict"]]
    named = listed([f"{label[0].lower()}{label[1:]}" for label in against]) if 0 < len(against) <= 2 else ""
    if named:
        return f"in conflict with the prior: {named}"
    return f"{len(against)} are in conflict with their priors" if against else "none is in conflict with its prior"


def _end(run: xr.DataTree) -> float:
    return float(run["posterior"].attrs["origin"]) + 1.0


def _draws(run: xr.DataTree) -> xr.DataTree:
    """Take the draws of every unknown that is one number, the paths at the end of the data among them."""
    datasets = {}
    for name in ("prior", "posterior"):
        dataset = run[name].to_dataset()
        dataset = dataset[[each for each in dataset.data_vars if each in UNKNOWNS]].load()  # read once, used often
        paths = {f"{path}_end": dataset[path].sel(year=_end(run), drop=True) for path in _PATHS if path in dataset}
        known = [each for each, values in dataset.data_vars.items() if set(values.dims) == {"chain", "draw"}]
        datasets[name] = xr.Dataset({str(each): dataset[each] for each in known} | paths)
    return xr.DataTree.from_dict(datasets)


def posterior_table(run: xr.DataTree) -> list[Row]:
    """Tabulate prior and posterior of every unknown that is one number, and what the data did to it.

    The trends of spending, of FLOP per USD and of compute are read at the end of the data, from which a forecast goes
    on (`spending_end`, `efficiency_end`, `compute_end`).

    Returns
    -------
    rows of `name`, `label`, `unit`, `prior_lower_90`, `prior_median`, `prior_upper_90`, `lower_90`, `median`,
    `upper_90` (internal scale), `contraction`, `shift` (posterior mean - prior mean, in prior sd), `said`, `conflict`

    Raises
    ------
    InputError
        The run has learnt nothing.
    """
    learnt(run)
    draws = _draws(run)
    found = {each.unknown: each for each in conflicts(draws)}
    order = [name for section in _ORDER.values() for name in section]
    rows: list[Row] = []
    for name in sorted(found, key=lambda name: order.index(name) if name in order else len(order)):
        unit, label = UNKNOWNS[name.removesuffix("_end")]
        label = _LABELS.get(name, label)
        row: dict[str, object] = {"name": name, "label": f"{label[0].upper()}{label[1:]}", "unit": unit}
        for of, prefix in (("prior", "prior_"), ("posterior", "")):
            levels = np.quantile(group(draws, of)[name].values, list(_KEYS.values()))
            row |= {f"{prefix}{key}": float(level) for key, level in zip(_KEYS, levels, strict=True)}
        moved = found[name]
        row |= {"contraction": moved.contraction, "shift": moved.shift}
        row |= {"said": contraction_words(moved.contraction), "conflict": _conflict_words(moved)}
        rows.append(row)
    return rows


def contraction_words(contraction: float) -> str:
    """Say what a contraction means.

    Examples
    --------
    >>> contraction_words(0.99), contraction_words(0.36), contraction_words(-0.03)
    ('contraction 99 %: the data decide', 'contraction 36 %: mostly the prior', 'contraction 0 %: the data say nothing')
    """
    # The prior's variance is that of 1,000 draws: some per cent either way are noise.
    share = f"{100 * contraction:.0f} %" if contraction <= -0.1 or contraction >= 0 else "0 %"
    share = "> 99 %" if contraction > 0.995 else share
    if contraction >= DECIDED:
        meaning = "the data decide"
    elif contraction >= 0.5:
        meaning = "mostly the data"
    elif contraction >= 0.1:
        meaning = "mostly the prior"
    else:
        meaning = "the data say nothing" if contraction > -0.1 else "less sure than before"
    return f"contraction {share.replace('-', '−')}: {meaning}"


def _conflict_words(moved: PriorShift) -> str:
    if not moved.conflict:
        return ""
    side = "above" if moved.shift > 0 else "below"
    return f"in conflict: {abs(moved.shift):.1f} prior sd {side} the prior's mean"


def density_rows(draws: xr.DataTree, names: Sequence[str]) -> list[Row]:
    """Tabulate the densities of prior and posterior, each with its highest point at 1.

    Prior densities are read between the 1 and 99 % points of the draws, posterior ones between 0.25 and 99.75 %.

    Parameters
    ----------
    draws : DataTree
        Groups `prior` and `posterior`.
    names : sequence of str

    Returns
    -------
    rows of `name`, `of`, `value`, `height`
    """
    rows: list[Row] = []
    for name in names:
        for of, tail in (("prior", 0.01), ("posterior", 0.0025)):
            values: Array = np.sort(group(draws, of)[name].values.ravel())
            low, high = np.quantile(values, [tail, 1 - tail]).tolist()
            points = np.linspace(low, high, POINTS)
            heights = density(values, points)
            heights = heights / heights.max()
            rows += [
                {"name": name, "of": of, "value": value, "height": height}
                for value, height in zip(points.tolist(), heights.tolist(), strict=True)
            ]
    return rows


_ORDER: Final = {
    "Growth": ("spending_growth", "efficiency_growth"),
    "Trend at the end of the data, {end}, from which the forecast goes on": (
        "spending_end", "efficiency_end", "compute_end",
    ),
    "Scatter of yearly growth": ("spending_volatility", "efficiency_volatility"),
    "Scatter of what was seen about the trend": ("run_scatter", "cost_scatter", "accelerator_scatter"),
}  # fmt: skip


def _sections(names: Sequence[str], *, end: float) -> list[Group]:
    sections = [
        Group(heading.format(end=number(end)), tuple(name for name in members if name in names))
        for heading, members in _ORDER.items()
    ]
    rest = tuple(name for name in names if all(name not in section.names for section in sections))
    return [section for section in [*sections, Group("What else the model does not know", rest)] if section.names]


def _growth_words(rows: Sequence[Row]) -> str:
    """Say what was learnt of growth, a sentence for each."""
    said = []
    for row in rows:
        if str(row["name"]).endswith("_growth"):
            scale = told(row)
            before, after, low, high = (
                scale.text(float(str(row[key]))) for key in ("prior_median", "median", "lower_90", "upper_90")
            )
            said.append(f"{row['label']}: {after}x a year (90 % {low} to {high}), before {before}x.")
    return " ".join(said)
