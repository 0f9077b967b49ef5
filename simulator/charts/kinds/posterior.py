"""What a run has learnt from history: prior against posterior of every unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Final

import numpy as np
import xarray as xr

from simulator.charts import spec, style
from simulator.charts.densities import FACTOR, Scale, density, draw_axis, scale_of
from simulator.charts.layout import Marks, PixelScale, fill_mark, line_mark, rule_mark, sheet
from simulator.charts.reading import check_learnt
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.style import Text
from simulator.errors import number
from simulator.history.fragility import PriorShift, conflicts
from simulator.runs.groups import group, run_label
from simulator.runs.table import Row, Table
from simulator.units import Array
from simulator.variables import UNKNOWNS
from simulator.wording import capital, listed

COLUMNS = 3
PANEL_WIDTH = 280
GAP = 46
DENSITY_HEIGHT = 62
HEADING_HEIGHT = 36
LEGEND_HEIGHT = 30
NAME_CHARACTERS = 44
WIDTH = COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
_LINE = float(style.LINE_HEIGHT)


def draw_posterior(
    unknowns: Sequence[Row], densities: Table, sections: Mapping[str, Sequence[str]], *, head: Head
) -> spec.Spec:
    """Draw prior and posterior of each unknown, three beside one another, with what they say in words.

    `sections` are the names of unknowns by heading, from the top down. Each curve is drawn to the same height, so that
    a narrow posterior does not hide its prior.
    """
    rows = {row["name"]: row for row in unknowns}
    points = {key: own.rows() for key, own in densities.groups("name", "of")}
    pale, _, strong = style.band_tints(3)
    marks = Marks(
        prior=fill_mark(pale),
        posterior=fill_mark(strong),
        outlines=line_mark(style.QUIET, 0.9, [3, 2]),  # over the posterior: the prior is seen through it
        rules=rule_mark(),
        axes=rule_mark(style.QUIET),
    )
    top = float(LEGEND_HEIGHT)
    for heading, members in sections.items():
        marks.text(heading, 0, top + 14, bold=True, size=style.TEXT_SIZE + 1)
        marks.add("rules", x=0, x2=WIDTH, y=top + 26, y2=top + 26)
        top += HEADING_HEIGHT
        for names in batched(members, COLUMNS):
            top += _LINE * max(len(name_lines(rows[name])) for name in names) + DENSITY_HEIGHT
            for place, name in enumerate(names):
                left = place * float(PANEL_WIDTH + GAP)
                _panel(marks, rows[name], points[name, "prior"], points[name, "posterior"], left=left, base=top)
            top += 54 + _LINE * (4 if any(rows[name]["conflict"] for name in names) else 3)
    entries: list[style.LegendEntry] = [("band", pale, "before: prior"), ("band", strong, "learnt: posterior")]
    view = spec.view([*marks.layers(), *style.legend_layers(entries, x=0, y=8)], width=WIDTH, height=top)
    return sheet([view], head, width=WIDTH)


def name_lines(row: Row) -> list[str]:
    """Break the name of an unknown into the lines above its panel."""
    return style.wrapped(row["label"], width=NAME_CHARACTERS)


def told(row: Row) -> Scale:
    """Choose how the numbers of an unknown are told: growth as a factor, scatter as it is.

    Examples
    --------
    >>> told({"name": "spending_growth", "unit": "OOM/year"}).text(0.5)
    '3.16'
    >>> told({"name": "spending_volatility", "unit": "OOM/year"}).text(0.0958)
    '0.0958'
    """
    if row["unit"] == "OOM/year" and not row["name"].endswith("_growth"):
        return Scale("OOM/year")
    return scale_of(row["unit"], "")


def _panel(marks: Marks, row: Row, prior: Sequence[Row], posterior: Sequence[Row], *, left: float, base: float) -> None:
    """Add the panel of one unknown, whose axis begins at the pixels `left` and `base`."""
    name = name_lines(row)
    marks.texts.append(Text(name, left, base - DENSITY_HEIGHT - 14 - _LINE * (len(name) - 1) / 2, bold=True))
    every: list[float] = [point["value"] for point in (*prior, *posterior)]
    low, high = min(every), max(every)
    low, high = low - 0.02 * (high - low), high + 0.02 * (high - low)
    across = PixelScale(low, high, left, left + PANEL_WIDTH)
    for of, points in (("prior", prior), ("posterior", posterior)):
        for point in points:
            x, up = across(point["value"]), round(base - DENSITY_HEIGHT * point["height"], 2)
            marks.add(of, x=x, y=base, y2=up, detail=row["name"])
            if of == "prior":
                marks.add("outlines", x=x, y=up, detail=row["name"])
    scale = told(row)
    draw_axis(marks, scale, across, base)
    _words(marks, row, scale, left=left, top=base + 26 + _LINE / 2)


def _words(marks: Marks, row: Row, scale: Scale, *, left: float, top: float) -> None:
    for place, prefix in enumerate(("", "prior_")):
        median, low, high = (_text(scale, row[f"{prefix}{key}"]) for key in ("median", "lower_90", "upper_90"))
        unit = "x a year" if scale.unit == FACTOR else f" {scale.unit}" if scale.unit else ""
        words = f"{'before' if prefix else 'learnt'} {median}{unit} ({low} to {high})"
        marks.text(words, left, top + place * _LINE, style.QUIET if prefix else style.INK, bold=not prefix)
    marks.text(row["said"], left, top + 2 * _LINE, style.QUIET)
    if row["conflict"]:
        marks.text(row["conflict"], left, top + 3 * _LINE, style.VERMILION, bold=True)


def _text(scale: Scale, value: float) -> str:
    return scale.text(value) if scale.is_log else f"{value:.2g}"


NOTE = "Both curves have the same height. In brackets: 90 % intervals. Contraction: 1 − variance after / before."
POINTS: Final[int] = 120
DECIDED: Final[float] = 0.9
"""Contraction from which the data, and not the prior, say what an unknown is."""
_LABELS: Final = {
    "run_tail": "degrees of freedom of the scatter of runs",
    "cost_tail": "degrees of freedom of the scatter of costs",
}
_MEANINGS: Final = {
    DECIDED: "the data decide", 0.5: "mostly the data", 0.1: "mostly the prior", -0.1: "the data say nothing",
}  # fmt: skip
"""What a contraction of so much or more means."""
_PATHS = ("spending", "efficiency", "compute")
_KEYS = {"lower_90": 0.05, "median": 0.5, "upper_90": 0.95}


def posterior_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:  # noqa: ARG001
    """Draw the prior and the posterior of every unknown of the model of history."""
    check_learnt(run)
    attributes = run["posterior"].attrs
    draws = _draws(run)
    rows = posterior_table(run)
    decided = [row for row in rows if row["contraction"] >= DECIDED]
    title = f"History decides {len(decided)} of {len(rows)} unknowns; {_conflicts_said(rows)}"
    names = [row["name"] for row in rows]
    densities = Table.of_rows(density_rows(draws, names))
    under = (
        f"{run.attrs['title']}. Learnt from {attributes['runs']} frontier runs to the end of "
        f"{attributes['origin']}, estimates of {attributes['snapshot']}."
    )
    chart = draw_posterior(
        rows, densities, _sections(names, end=_end(run)), head=Head(title, under, run_label(run), NOTE)
    )
    caption = (
        f"{title}. {_growth_words(rows)} An unknown counts as decided by history where the variance of the "
        f"posterior is below {100 * (1 - DECIDED):.0f} % of that of the prior."
    )
    alt_text = (
        f"Small densities of {len(rows)} unknowns, three beside one another, each with its prior, pale, and its "
        f"posterior, strong, on one axis. {title}. {_growth_words(rows)}"
    )
    return [Figure("posterior", chart, {"": Table.of_rows(rows), "density": densities}, caption, alt_text)]


def _conflicts_said(rows: Sequence[Row]) -> str:
    against = [row["label"] for row in rows if row["conflict"]]
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

    Paths are read at the end of the data, from which a forecast goes on (`spending_end`, `efficiency_end`,
    `compute_end`). `shift` is posterior mean - prior mean, in prior sd.
    """
    check_learnt(run)
    draws = _draws(run)
    found = {each.unknown: each for each in conflicts(draws)}
    order = [name for section in _ORDER.values() for name in section]
    rows: list[Row] = []
    for name in sorted(found, key=lambda name: order.index(name) if name in order else len(order)):
        unit, label = UNKNOWNS[name.removesuffix("_end")]
        label = _LABELS.get(name, label)
        row: dict[str, object] = {"name": name, "label": capital(label), "unit": unit}
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
    meaning = next((words for least, words in _MEANINGS.items() if contraction >= least), "less sure than before")
    return f"contraction {share.replace('-', '−')}: {meaning}"


def _conflict_words(moved: PriorShift) -> str:
    if not moved.conflict:
        return ""
    side = "above" if moved.shift > 0 else "below"
    return f"in conflict: {abs(moved.shift):.1f} prior sd {side} the prior's mean"


def density_rows(draws: xr.DataTree, names: Sequence[str]) -> list[Row]:
    """Tabulate the densities of prior and posterior, each with its highest point at 1.

    Priors are read between the 1 and 99 % points of the draws, posteriors between 0.25 and 99.75 %.
    """
    rows: list[Row] = []
    for name in names:
        for of, tail in (("prior", 0.01), ("posterior", 0.0025)):
            values: Array = np.sort(group(draws, of)[name].values.ravel())
            low, high = np.quantile(values, [tail, 1 - tail]).tolist()
            points = np.linspace(low, high, POINTS)
            heights = density(values, points)
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


def _sections(names: Sequence[str], *, end: float) -> dict[str, list[str]]:
    sections = {heading.format(end=number(end)): members for heading, members in _ORDER.items()}
    rest = [name for name in names if all(name not in members for members in _ORDER.values())]
    chosen = {heading: [name for name in members if name in names] for heading, members in sections.items()}
    chosen["What else the model does not know"] = rest
    return {heading: members for heading, members in chosen.items() if members}


def _growth_words(rows: Sequence[Row]) -> str:
    """Say what was learnt of growth, a sentence for each."""
    said = []
    for row in rows:
        if row["name"].endswith("_growth"):
            scale = told(row)
            before, after, low, high = (
                scale.text(row[key]) for key in ("prior_median", "median", "lower_90", "upper_90")
            )
            said.append(f"{row['label']}: {after}x a year (90 % {low} to {high}), before {before}x.")
    return " ".join(said)
