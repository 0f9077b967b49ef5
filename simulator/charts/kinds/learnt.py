"""What a run has learnt from history: prior against posterior of every unknown, and what was seen against the fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Final

import numpy as np
import xarray as xr

from simulator.charts import spec, style
from simulator.charts.densities import FACTOR, Scale, density, draw_axis, scale_of
from simulator.charts.frame import Frame, check_numbers
from simulator.charts.layout import Marks, PixelScale, fill_mark, key_view, line_mark, outside_mark, rule_mark, sheet
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.style import Text
from simulator.errors import NothingToDraw, number
from simulator.history.columns import fit_date
from simulator.history.conditioning import PRIOR_CURVES
from simulator.history.diagnostics import seen_words
from simulator.history.fragility import DECIDED, PriorShift, conflicts, contraction_words
from simulator.runs.estimates import BANDS
from simulator.runs.groups import Run, group, run_label
from simulator.runs.table import Row, Table
from simulator.units import Array, plain_unit
from simulator.variables import UNKNOWNS
from simulator.wording import capital, listed, told_unit

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
    free = len(next(iter(sections.values()))) % COLUMNS  # the legend fills a free corner of the first section
    top = 0.0 if free else float(LEGEND_HEIGHT)
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
    x, y, width = (WIDTH - PANEL_WIDTH, HEADING_HEIGHT + 30, PANEL_WIDTH) if free else (0, 8, 0)
    legend = style.legend_layers(entries, x=x, y=y, width=width)
    view = spec.view([*marks.layers(), *legend], width=WIDTH, height=top)
    return sheet([view], head, width=WIDTH)


def name_lines(row: Row) -> list[str]:
    """Break the name of an unknown into the lines above its panel."""
    return style.wrapped(row["label"], width=NAME_CHARACTERS)


def told(row: Row) -> Scale:
    """Choose how the numbers of an unknown are told: growth as a factor, scatter as it is, levels as people do.

    >>> told({"name": "spending_growth", "unit": "OOM/year"}).text(0.5)
    '3.16'
    >>> told({"name": "spending_end", "unit": "log10(USD)", "median": 8.3}).text(8.3)
    '200'
    >>> told({"name": "spending_volatility", "unit": "OOM/year"}).text(0.0958)
    '0.0958'
    """
    if row["unit"] == "OOM/year" and not row["name"].endswith("_growth"):
        return Scale("OOM/year")
    if not row["unit"].startswith("log10("):
        return scale_of(row["unit"], "")
    return scale_of(row["unit"], told_unit(row["median"], plain_unit(row["unit"]))[1])


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
    return scale.text(value) if scale.is_log or scale.is_date else f"{value:.2g}"


NOTE = "Both curves have the same height. In brackets: 90 % intervals. Contraction: 1 − variance after / before."
POINTS: Final[int] = 120
_LABELS: Final = {
    "run_tail": "degrees of freedom of the scatter of runs",
    "cost_tail": "degrees of freedom of the scatter of costs",
    "accelerator_offset": "life of accelerators times utilisation, per overhead",
}
_PATHS = ("spending", "efficiency", "compute")
_ENDS: Final = ("lower_90", "median", "upper_90")


def posterior_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:  # noqa: ARG001
    """Draw the prior and the posterior of every unknown of the model of history."""
    draws = _draws(run)
    attributes, rows = run["posterior"].attrs, _rows(draws)
    decided = [row for row in rows if row["contraction"] >= DECIDED]
    title = f"History decides {len(decided)} of {len(rows)} unknowns; {_conflicts_said(rows)}"
    names = [row["name"] for row in rows]
    densities = Table.of_rows(density_rows(draws, names, stated=run["prior"].attrs.get(PRIOR_CURVES, "{}")))
    under = f"{run.attrs['title']}. Learnt from {seen_words(attributes)}, estimates of {attributes['snapshot']}."
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
    return fit_date(run["posterior"].attrs)


def _draws(run: xr.DataTree) -> xr.DataTree:
    """Take the draws of every unknown that is one number, the paths at the end of the data among them."""
    _check_learnt(run)
    datasets = {}
    for name in ("prior", "posterior"):
        dataset = run[name].to_dataset()
        dataset = dataset[[each for each in dataset.data_vars if each in UNKNOWNS]].load()  # read once, used often
        paths = {
            f"{path}_end": dataset[path].interp(year=_end(run)).drop_vars("year") for path in _PATHS if path in dataset
        }
        known = [each for each, values in dataset.data_vars.items() if set(values.dims) == {"chain", "draw"}]
        datasets[name] = xr.Dataset({str(each): dataset[each] for each in known} | paths)
    return xr.DataTree.from_dict(datasets)


def _rows(draws: xr.DataTree) -> list[Row]:
    """Tabulate prior and posterior of every unknown that is one number, and what the data did to it.

    Paths are read at the end of the data, from which a forecast goes on (`spending_end`, `efficiency_end`,
    `compute_end`). `shift` is posterior mean - prior mean, in prior sd.
    """
    found = {each.unknown: each for each in conflicts(draws)}
    order = [name for section in _ORDER.values() for name in section]
    rows: list[Row] = []
    for name in sorted(found, key=lambda name: order.index(name) if name in order else len(order)):
        unit, label = UNKNOWNS[name.removesuffix("_end")]
        unit = str(group(draws, "posterior")[name].attrs.get("units", unit))  # a series has one of its own
        label = _LABELS.get(name, label)
        row: dict[str, object] = {"name": name, "label": capital(label), "unit": unit}
        for of, prefix in (("prior", "prior_"), ("posterior", "")):
            levels = np.quantile(group(draws, of)[name].values, [BANDS[end] for end in _ENDS])
            row |= {f"{prefix}{end}": float(level) for end, level in zip(_ENDS, levels, strict=True)}
        moved = found[name]
        row |= {"contraction": moved.contraction, "shift": moved.shift}
        row |= {"said": contraction_words(moved.contraction), "conflict": _conflict_words(moved)}
        rows.append(row)
    return rows


def _conflict_words(moved: PriorShift) -> str:
    if not moved.conflict:
        return ""
    side = "above" if moved.shift > 0 else "below"
    return f"in conflict: {abs(moved.shift):.1f} prior sd {side} the prior's mean"


def density_rows(draws: xr.DataTree, names: Sequence[str], *, stated: str) -> list[Row]:
    """Tabulate the densities of prior and posterior, each with its highest point at 1.

    A prior is drawn by its own density where the run has it (`stated`); one whose density is not kept, and a posterior,
    by an estimate from the draws: between their 1 and 99 % points, of posteriors between 0.25 and 99.75 %.
    """
    rows: list[Row] = []
    curves = json.loads(stated)
    for name in names:
        for of, tail in (("prior", 0.01), ("posterior", 0.0025)):
            values: Array = np.sort(group(draws, of)[name].values.ravel())
            low, high = np.quantile(values, [tail, 1 - tail]).tolist()
            points = np.linspace(low, high, POINTS)
            if of == "prior" and name in curves:
                points, heights = (np.array(curves[name][key]) for key in ("value", "height"))
            else:
                heights = density(values, points)
            rows += [
                {"name": name, "of": of, "value": value, "height": height}
                for value, height in zip(points.tolist(), (heights / heights.max()).tolist(), strict=True)
            ]
    return rows


_ORDER: Final = {
    "Growth": ("spending_growth", "efficiency_growth", "earlier_growth", "change_date", "later_growth"),
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


def _check_learnt(run: Run) -> None:
    """Refuse a run that has learnt nothing from history."""
    if "posterior" not in run.children:
        raise NothingToDraw(
            "the run has learnt nothing from history: its priors are as its scenario states them. "
            "Run one that has history: in it, such as the shipped scenario learned."
        )


PLOT_WIDTH = 700
PLOT_HEIGHT = 210
GUTTER = 60.0
RIGHT = 190
NOTE_X = PLOT_WIDTH + 18


def draw_predictive(table: Table, *, head: Head) -> spec.Spec:
    """Draw each kind of observation in a plot of its own, under one another on common years.

    Points outside the 90 % band are hollow diamonds, the others discs.
    """
    check_numbers(table, "year", "value", *BANDS, of="points")
    years = table["year"].tolist()
    spare = 0.02 * max(max(years) - min(years), 1.0)
    ends = (min(years) - spare, max(years) + spare)
    pale, strong = style.band_tints(2)
    entries: list[style.LegendEntry] = [
        ("line", style.DARK_BLUE, "predictive median"),
        ("band", strong, "50 %"),
        ("band", pale, "90 % of what the fitted model would show"),
        ("point", style.INK, "seen"),
    ]
    views = [
        key_view(entries, x=-GUTTER, outside="seen, outside 90 %"),
        *(_plot(kind, points, ends=ends) for (kind,), points in table.groups("kind")),
    ]
    return sheet(views, head, x=-GUTTER, width=GUTTER + PLOT_WIDTH + RIGHT)


def _plot(kind: str, points: Table, *, ends: tuple[float, float]) -> spec.Spec:
    rows = points.select("year", "value", *BANDS).rows()
    levels = [level for key in ("value", *BANDS) for level in points[key].tolist()]
    margin = 0.04 * max(max(levels) - min(levels), 0.5)
    frame = Frame(
        *ends, min(levels) - margin, max(levels) + margin, height=PLOT_HEIGHT, gutter=GUTTER, width=PLOT_WIDTH
    )
    layers = frame.bands(rows, levels=(90, 50))
    layers.append(spec.layer(rows, frame.x("year"), frame.y("median"), mark=line_mark(style.DARK_BLUE, 2.5)))
    for inside, mark in ((True, style.point_mark()), (False, outside_mark())):
        if mine := points.where(inside_90=inside).select("year", "value", *BANDS).rows():
            layers.append(spec.layer(mine, frame.x("year"), frame.y("value"), mark=mark))
    texts = [Text([_heading(kind)], -GUTTER, -18, bold=True), *frame.texts()]
    y = style.LINE_HEIGHT / 2
    for band in (90, 50):
        main, share = band == 90, 100 * points[f"inside_{band}"].sum() / len(points)
        lines = style.wrapped(f"{_inside(points, band)} inside the {band} % band ({share:.0f} %)", width=26)
        middle = y + style.LINE_HEIGHT * (len(lines) - 1) / 2
        texts.append(Text(lines, NOTE_X, middle, style.INK if main else style.QUIET, bold=main))
        y += style.LINE_HEIGHT * len(lines) + 4
    return spec.view([*layers, *style.text_layers(texts)], width=PLOT_WIDTH, height=PLOT_HEIGHT)


OBSERVED: Final = {
    "run_log_compute": ("run_year", "runs"),
    "series_log_level": ("run_year", "values"),
    "cost_log_usd": ("costed_run_year", "costs"),
    "accelerator_log_flops_per_usd": ("accelerator_year", "accelerators"),
}
"""What is seen: the coordinate that says when, and what one calls them."""


def predictive_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw runs, costs and accelerators over the predictive bands of the model that was fitted to them.

    `years` chooses the years, if any observation lies in them.
    """
    table = predictive_table(run)
    if options.years is not None:
        first, last = options.years
        table = table.where((table["year"] >= first) & (table["year"] <= last)) or table
    seen = {kind: points for (kind,), points in table.groups("kind")}
    named = listed(f"{_inside(points, 90)} {OBSERVED[kind][1]}" for kind, points in seen.items())
    half = listed(_inside(points, 50) for points in seen.values())
    title = f"Inside the 90 % band: {named}"
    attributes = run["posterior"].attrs
    under = (
        f"{run.attrs['title']}. The model of {seen_words(attributes)} "
        f"(estimates of {attributes['snapshot']}) against what it was fitted to."
    )
    chart = draw_predictive(table, head=Head(title, under, run_label(run)))
    caption = (
        f"{title}. A model that fits has about 90 % of them inside, and half of them inside the 50 % band: there are "
        f"{half}. The bands are those of data that the model had seen."
    )
    alt_text = (
        f"{len(seen)} plots under one another on common years: {listed(map(_heading, seen))}, on log "
        f"scales. Each has the predictive median with 50 and 90 % bands, rising, and points for what was seen. {title}."
    )
    return [Figure("predictive", chart, {"": table}, caption, alt_text)]


def predictive_table(run: Run) -> Table:
    """Tabulate what was seen and the quantiles of its posterior prediction, by kind and date; log10 of the unit."""
    _check_learnt(run)
    seen, drawn = group(run, "observed_data"), group(run, "posterior_predictive")
    parts = []
    for kind, (when, _) in OBSERVED.items():
        if kind not in seen or not seen[kind].size:
            continue
        values, years = seen[kind].values, seen[when].values
        order = np.argsort(years, kind="stable")
        bands = np.quantile(drawn[kind].values.reshape(-1, values.size), list(BANDS.values()), axis=0)[:, order]
        values, levels = values[order].astype(float), dict(zip(BANDS, bands, strict=True))
        unit = str(seen[kind].attrs.get("units", UNKNOWNS[kind][0]))
        names = {"kind": [kind] * values.size, "unit": [unit] * values.size}
        inside = {
            f"inside_{band}": (levels[f"lower_{band}"] <= values) & (values <= levels[f"upper_{band}"])
            for band in (50, 90)
        }
        parts.append(Table({**names, "year": years[order].astype(float), "value": values, **levels, **inside}))
    return sum(parts, start=Table({}))


def _heading(kind: str) -> str:
    unit, label = UNKNOWNS[kind]
    return f"{capital(label)}, {plain_unit(unit)}"


def _inside(points: Table, band: int) -> str:
    return f"{points[f'inside_{band}'].sum()} of {len(points)}"
