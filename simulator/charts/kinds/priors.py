"""The priors of a run: how they are spread in its samples, and where each comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulator.charts import spec, style
from simulator.charts.densities import Scale, density, draw_axis, scale_of
from simulator.charts.layout import Marks, PixelScale, fill_mark, rule_mark, sheet
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.style import Text
from simulator.errors import NothingToDraw
from simulator.priors.composite import exact_density
from simulator.priors.fitting import GIVEN, Understood
from simulator.runs.estimates import BANDS, sorted_quantiles
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group, is_use, run_label
from simulator.runs.summary import why_no_spread
from simulator.runs.table import Row, Table
from simulator.scenario.assumptions import is_belief
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_families import Distribution
from simulator.units import Array
from simulator.wording import capital, listed, percent

if TYPE_CHECKING:
    import xarray as xr

PLOT_X = 250
PLOT_WIDTH = 260
NOTE_X = PLOT_X + PLOT_WIDTH + 36
NOTE_WIDTH = 450
WIDTH = NOTE_X + NOTE_WIDTH
DENSITY_HEIGHT = 36
ROW_HEIGHT = 74
HEADING_HEIGHT = 40
LEGEND_HEIGHT = 24
NAME_CHARACTERS = 34
MOST_ON_A_PAGE = 14
FEW_VALUES = 20
"""A prior with no more values than this is drawn as single values, not as a density."""
POINTS = 81

_DRIVERS = ("spending", "hardware", "compute", "algorithms")


def draw_priors(priors: Sequence[Row], densities: Table, read: Mapping[str, Understood], *, head: Head) -> spec.Spec:
    """Draw priors one under another, by group: name, density on an axis of its own, numbers and source.

    `read` is what was read of each prior, by name: its family and the unit in which it is stated.
    The tint of a density changes at the ends of the 50 and the 90 % interval. A share that stands at "never" is
    written at the right end of the axis.
    """
    points = {name: own.rows() for (name,), own in densities.groups("name")} if densities else {}
    marks = Marks(
        **{tint: fill_mark(tint) for tint in style.band_tints(3)},
        rules=rule_mark(),
        spikes=rule_mark(style.band_tints(3)[2], 5),
        axes=rule_mark(style.QUIET),
        arrows=style.arrow_mark(),
        dots=style.dot_mark(),
    )
    top = float(LEGEND_HEIGHT)
    for heading in dict.fromkeys(row["group"] for row in priors):
        words, y = heading.replace("_", " "), top + HEADING_HEIGHT - 16
        marks.text(capital(words), 0, y, bold=True, size=style.TEXT_SIZE + 1)
        marks.add("rules", x=0, x2=WIDTH, y=y + 12, y2=y + 12)
        top += HEADING_HEIGHT
        for row in priors:
            if row["group"] == heading:
                _prior(marks, row, read[row["name"]], points.get(row["name"], []), top=top)
                top += ROW_HEIGHT
    view = spec.view([*marks.layers(), *_legend(priors)], width=WIDTH, height=top)
    return sheet([view], head, width=WIDTH)


def _legend(priors: Sequence[Row]) -> list[spec.Spec]:
    outer, middle, inner = style.band_tints(3)
    entries: list[style.LegendEntry] = [
        ("dot", style.INK, "median"),
        ("band", inner, "50 %"),
        ("band", middle, "90 %"),
        ("band", outer, "99 % of the samples"),
    ]
    if any(row["never"] > 0 for row in priors):
        entries.append(("arrow", style.VERMILION, "and a share at never"))
    return style.legend_layers(entries, x=0, y=8)


def _prior(marks: Marks, row: Row, read: Understood, points: Sequence[Row], *, top: float) -> None:
    """Add one prior, whose row begins at the pixel `top`."""
    middle, base = top + ROW_HEIGHT / 2 - 4, top + 8 + DENSITY_HEIGHT
    scale = scale_of(row["unit"], read.unit)
    marks.texts.append(Text(style.wrapped(row["label"], width=NAME_CHARACTERS), 0, middle))
    marks.texts += _notes(row, read.shape, scale, middle)
    if not points:
        return
    single = points[0]["single"]
    low, high = _ends([point["value"] for point in points], single=single, date=row["unit"] == "year")
    across = PixelScale(low, high, PLOT_X, PLOT_X + PLOT_WIDTH)
    places = [
        (point["value"], across(point["value"]), round(base - DENSITY_HEIGHT * point["height"], 2)) for point in points
    ]
    if single:
        marks["spikes"].extend({"x": x, "x2": x, "y": base, "y2": up} for _, x, up in places)
    else:  # the widest zone first, each over the one before
        spans = ((-math.inf, math.inf), (row["lower_90"], row["upper_90"]), (row["lower_50"], row["upper_50"]))
        for tint, (first, last) in zip(style.band_tints(3), spans, strict=True):
            zone = [(x, up) for value, x, up in places if first <= value <= last]
            marks[tint].extend({"x": x, "y": base, "y2": up, "detail": row["name"]} for x, up in zone)
    draw_axis(marks, scale, across, base)
    if low <= row["median"] <= high:
        marks.add("dots", x=across(row["median"]), y=base)
    if row["never"] > 0:
        marks.add("arrows", x=PLOT_X + PLOT_WIDTH + 6, y=base)


def _notes(row: Row, family: str, scale: Scale, middle: float) -> list[Text]:
    """Write the numbers, the family and the source at the right."""
    median, low, high = (scale.text(row[key]) for key in ("median", "lower_90", "upper_90"))
    numbers = "" if low == "never" else f"{median} (90 % {low} to {high}) {scale.unit}".strip()
    if row["never"]:
        numbers = ", ".join([*([f"{numbers} {GIVEN}"] if numbers else []), f"never {percent(row['never'])}"])
    facts = [f"{row['confidence']} confidence"] if row["confidence"] else []
    facts += [f"as of {row['as_of']}"] if row["as_of"] else []
    facts += [family, row["library"]]
    source = style.fitted(row["source"] or "no source", NOTE_WIDTH)
    more = style.fitted(" · ".join(filter(None, facts)), NOTE_WIDTH)
    line, top = float(style.LINE_HEIGHT), middle - style.LINE_HEIGHT * (len(source) + len(more)) / 2
    below = top + line * (len(source) + 1) / 2
    return [
        Text([numbers], NOTE_X, top - 1, bold=True),
        Text(source, NOTE_X, below, style.QUIET if row["source"] else style.VERMILION),
        Text(more, NOTE_X, below + line * (len(source) + len(more)) / 2, style.QUIET),
    ]


def _ends(values: Sequence[float], *, single: bool, date: bool) -> tuple[float, float]:
    """Choose the ends of a prior's axis: where its density ends, and a little more around single values."""
    low, high = min(values), max(values)
    spare = 0.08 * (high - low) if single else 0.03 * (high - low)
    spare = max(spare, 0.5 if date and single else 0.0, 1e-9 * max(abs(low), abs(high), 1.0))
    return low - spare, high + spare


def prior_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the uncertain priors of a run, about a dozen to a figure, the drivers first."""
    del options
    rows = prior_table(run)
    uncertain = [row for row in rows if not row["fixed"]]
    if not uncertain:
        remedy = "Give a number of the scenario an interval, for example interval_90: [2, 3]."
        raise NothingToDraw(
            f"run {run.attrs['run_id']}: {why_no_spread(run, 'every prior is fixed')}, so there is no spread to draw. "
            f"{'Run it with more samples.' if run.attrs.get('uncertain', 0) else remedy}"
        )
    fixed = [row for row in rows if row["fixed"]]
    pages = paged(uncertain)
    scenario = stored_scenario(run)
    return [
        _figure(run, page, scenario, fixed=fixed, place=place, pages=len(pages))
        for place, page in enumerate(pages, start=1)
    ]


def prior_table(run: xr.DataTree) -> list[Row]:
    """Tabulate the priors of a run: quantiles of the samples, and where each is from.

    The quantiles, on the internal scale, leave draws at "never" out; `never` is the share of these. `library`,
    `source`, `confidence`, `as_of` are empty where they are not said.
    """
    rows: list[Row] = []
    for name, values in group(run, "parameters", of_samples=True).data_vars.items():
        if not is_belief(str(name)) or ".shock[" in str(name):
            continue
        if is_use(values):  # the input is shown
            continue
        ordered = _drawn(values)
        if not ordered.size:  # of a component that no sample follows
            continue
        found = sorted_quantiles(_happening(ordered), list(BANDS.values())).tolist()
        attrs = values.attrs
        rows.append({
            "name": str(name), "label": str(attrs.get("long_name") or name),
            "group": _group(str(name)), "unit": str(attrs.get("units", "1")),
            "understood": str(attrs.get("understood", "")), **dict(zip(BANDS, found, strict=True)),
            "never": float(np.mean(np.isinf(ordered))), "fixed": bool(ordered[0] == ordered[-1]),
            **{key: str(attrs.get(key, "")) for key in ("library", "source", "confidence", "as_of")},
        })  # fmt: skip
    return rows


def _read(scenario: Scenario, name: str) -> Understood:
    """Tell what was read of a prior: by the first component that has it, which is named where others differ."""
    found = [(each.name, each.joint.priors[name]) for each in scenario.components if name in each.joint.priors]
    component, prior = found[0]
    differ = len({other.understood for _, other in found}) > 1
    return replace(prior.read, shape=f"{component}: {prior.read.shape}") if differ else prior.read


def _stated(scenario: Scenario) -> dict[str, Distribution]:
    """Give the distributions of priors that have a density of their own, and are the same in all components."""
    first, *others = scenario.components
    return {
        name: prior.family
        for name, prior in first.joint.priors.items()
        if not prior.of
        and prior.prior.empirical is None
        and all(
            other.joint.priors[name].understood == prior.understood for other in others if name in other.joint.priors
        )
    }


def _drawn(values: xr.DataArray) -> Array:
    """Sort the draws of a prior; in a mixture, those of the samples whose component has it."""
    drawn = np.asarray(values.values, dtype=np.float64)
    return np.sort(drawn[~np.isnan(drawn)])


def _happening(ordered: Array) -> Array:
    """Leave out the draws that are at "never", unless all are."""
    finite = ordered[np.isfinite(ordered)]
    return finite if finite.size else ordered


def density_table(run: xr.DataTree, names: Sequence[str], stated: Mapping[str, Distribution]) -> list[Row]:
    """Tabulate the densities of priors between the 0.5 and 99.5 % points of their finite samples, the highest at 1.

    They are those of the distributions that are `stated`, and estimates from the samples where none is. A prior of few
    values has a row for each of them (`single`), its height their share.
    """
    parameters = group(run, "parameters", of_samples=True)
    rows: list[Row] = []
    for name in names:
        values = _drawn(parameters[name])
        finite = values[np.isfinite(values)]
        single, counts = np.unique(finite, return_counts=True)
        if single.size <= FEW_VALUES:
            points, heights = single, counts / max(int(counts.max(initial=1)), 1)
        else:
            points = _points(finite)
            heights = exact_density(stated[name], points) if name in stated else density(finite, points)
        rows += [
            {"name": name, "value": value, "height": height, "single": single.size <= FEW_VALUES}
            for value, height in zip(points.tolist(), heights.tolist(), strict=True)
        ]
    return rows


def _points(finite: Array) -> Array:
    """Choose where a density is read: evenly, and at the ends of the intervals, where the tint changes."""
    low, high = sorted_quantiles(finite, [0.005, 0.995])
    ends = sorted_quantiles(finite, list(BANDS.values()))
    inside = ends[(ends > low) & (ends < high)]
    return np.unique(np.concatenate([np.linspace(low, high, POINTS), inside]))


def _group(name: str) -> str:
    """Name what a prior is about: the driver, or the section of the scenario.

    >>> _group("drivers.spending.start"), _group("quantities.world-product.growth")
    ('spending', 'quantities')
    """
    parts = name.split(".")
    return parts[1] if parts[0] == "drivers" and len(parts) > 1 else parts[0]


def paged(rows: Sequence[Row], *, most: int = MOST_ON_A_PAGE) -> list[list[Row]]:
    """Spread priors over pages: a group stays together where it can, a large one is cut into even parts.

    >>> rows = [{"group": "spending"}] * 3 + [{"group": "quantities"}] * 4
    >>> [len(page) for page in paged(rows, most=5)]
    [3, 4]
    """
    names = list(dict.fromkeys(row["group"] for row in rows))
    names.sort(key=lambda name: _DRIVERS.index(name) if name in _DRIVERS else len(_DRIVERS))
    pages: list[list[Row]] = []
    for name in names:
        members = [row for row in rows if row["group"] == name]
        cuts = -(-len(members) // most)
        size = -(-len(members) // cuts)
        for start in range(0, len(members), size):
            part = members[start : start + size]
            if pages and start == 0 and len(pages[-1]) + len(part) <= most:
                pages[-1] += part
            else:
                pages.append(list(part))
    return pages


def _figure(
    run: xr.DataTree, page: Sequence[Row], scenario: Scenario, *, fixed: Sequence[Row], place: int, pages: int
) -> Figure:
    names = list(dict.fromkeys(row["group"] for row in page))
    densities = Table.of_rows(density_table(run, [row["name"] for row in page], _stated(scenario)))
    about = listed([name.replace("_", " ") for name in names])
    judged = sum(row["source"].lower().startswith("own judgement") for row in page)
    bare = sum(not row["source"] for row in page)
    title = f"Priors on {about}: {_origin(len(page), judged, bare)}"
    part = f" (figure {place} of {pages})" if pages > 1 else ""
    under = f"{run.attrs['title']}: {run.attrs['subject']}. The uncertain priors of this run{part}."
    head = Head(title, under, replace(run_label(run), sources=()))  # each prior names its own
    chart = draw_priors(page, densities, {row["name"]: _read(scenario, row["name"]) for row in page}, head=head)
    doubted = sum(row["confidence"] == "low" for row in page)
    said = f"{len(page)} uncertain priors on {about}, as this run drew them. {_sourced(len(page), judged, bare)}"
    said += f" Their confidence is low for {doubted} of {len(page)}." if doubted else ""
    if fixed and place == pages:
        values = ["never" if row["never"] == 1.0 else row["understood"] or f"{row['median']:g}" for row in fixed]
        told = "; ".join(f"{row['label']} ({value})" for row, value in zip(fixed, values, strict=True))
        said += f" Fixed, and not drawn: {told}."
    alt_text = (
        f"Small densities of {len(page)} priors on {about}, one under another, each on an axis of its own with its "
        f"median, 50 and 90 % intervals, and its source. {_sourced(len(page), judged, bare)}"
    )
    return Figure(f"priors_{place}", chart, {"": Table.of_rows(page), "density": densities}, said, alt_text)


def _origin(count: int, judged: int, bare: int) -> str:
    """Say in a title how many priors rest on what.

    >>> _origin(13, 11, 0), _origin(14, 1, 0), _origin(3, 0, 2)
    ('11 of 13 are own judgement', '13 of 14 have a published source', '2 of 3 have no source')
    """
    published = count - judged - bare
    most = max(published, judged, bare)
    said = {
        judged: f"{judged} of {count} {'is' if judged == 1 else 'are'} own judgement",
        published: f"{published} of {count} {'has' if published == 1 else 'have'} a published source",
    }.get(most, "")
    without = f"{bare} of {count} {'has' if bare == 1 else 'have'} no source"
    if bare == most or not bare:
        return without if bare == most else said
    return f"{said}, {bare} no source"


def _sourced(count: int, judged: int, bare: int) -> str:
    said = f"{count - judged - bare} of them rest on a published source and {judged} on own judgement"
    return f"{said}; {bare} {'has' if bare == 1 else 'have'} no source." if bare else f"{said}."
