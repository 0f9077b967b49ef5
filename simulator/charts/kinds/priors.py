"""The priors of a run: how they are spread in its samples, and where each comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.charts.kinds.densities import Group, PriorTables, draw_priors
from simulator.charts.spec import Figure, FigureOptions, Row
from simulator.errors import InputError
from simulator.runs.estimates import sorted_quantiles
from simulator.runs.groups import RunLabel, group
from simulator.wording import listed

if TYPE_CHECKING:
    import xarray as xr

MOST_ON_A_PAGE = 14
FEW_VALUES = 20
"""A prior with no more values than this is drawn as single values, not as a density."""
POINTS = 81

_BINS = 2048
_LEVELS = {"lower_90": 0.05, "lower_50": 0.25, "median": 0.5, "upper_50": 0.75, "upper_90": 0.95}
_DRIVERS = ("spending", "hardware", "compute", "algorithms")

type Array = NDArray[np.float64]


def prior_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw the uncertain priors of a run, about a dozen to a figure, the drivers first.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    options : FigureOptions
        None of them concerns priors: their intervals are always 50 and 90 %.

    Raises
    ------
    InputError
        The run kept its summary only, or every prior of it is fixed.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> [figure.name for figure in prior_figures(run, FigureOptions())]
    ['priors_1', 'priors_2', 'priors_3']
    """
    del options
    rows = prior_table(run)
    uncertain = [row for row in rows if not row["fixed"]]
    if not uncertain:
        raise InputError(
            f"run {run.attrs['run_id']}: every prior is fixed, so there is no spread to draw. "
            "Give a number of the scenario an interval, for example interval_90: [2, 3]."
        )
    fixed = [row for row in rows if row["fixed"]]
    pages = paged(uncertain)
    return [_figure(run, page, fixed=fixed, place=place, pages=len(pages)) for place, page in enumerate(pages, start=1)]


def prior_table(run: xr.DataTree) -> list[Row]:
    """Tabulate the priors of a run: quantiles of the samples, on the internal scale, and where each comes from.

    Returns
    -------
    rows of `name`, `group`, `unit` (of the numbers: log10 of a unit, OOM/year, year ...), `understood`, `lower_90`,
    `lower_50`, `median`, `upper_50`, `upper_90`, `never` (share at +inf), `fixed`, and where it comes from: `library`,
    `source`, `confidence`, `as_of` (empty where they are not said)

    Raises
    ------
    InputError
        The run kept its summary only.
    """
    rows: list[Row] = []
    for name, values in group(run, "parameters", of_samples=True).data_vars.items():
        if name in ("component", "models.runs") or ".shock[" in str(name):  # nobody believes anything about these
            continue
        ordered = _drawn(values)
        found = sorted_quantiles(ordered, list(_LEVELS.values())).tolist()
        attrs = values.attrs
        rows.append({
            "name": str(name), "group": _group(str(name)), "unit": str(attrs.get("units", "1")),
            "understood": str(attrs.get("understood", "")), **dict(zip(_LEVELS, found, strict=True)),
            "never": float(np.mean(np.isinf(ordered))), "fixed": bool(ordered[0] == ordered[-1]),
            **{key: str(attrs.get(key, "")) for key in ("library", "source", "confidence", "as_of")},
        })  # fmt: skip
    return rows


def _drawn(values: xr.DataArray) -> Array:
    """Sort the draws of a prior; in a mixture, those of the samples whose component has it."""
    drawn = np.asarray(values.values, dtype=np.float64)
    return np.sort(drawn[~np.isnan(drawn)])


def density_table(run: xr.DataTree, names: Sequence[str]) -> list[Row]:
    """Tabulate the densities of priors, from their samples; the highest point of each is 1.

    Between the 0.5 and 99.5 % points of the finite samples, on the internal scale, by a Gaussian kernel that is
    reflected at the ends of the samples, so that a bounded prior keeps its edge (bandwidth: Silverman 1986, 3.31). A
    prior of few values has a row for each of them, its height their share.

    Returns
    -------
    rows of `name`, `value`, `height`, `single` (whether the row is a value by itself)
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
            points = _points(finite, values)
            heights = density(finite, points)
        rows += [
            {"name": name, "value": value, "height": height, "single": single.size <= FEW_VALUES}
            for value, height in zip(points.tolist(), heights.tolist(), strict=True)
        ]
    return rows


def _points(finite: Array, ordered: Array) -> Array:
    """Choose where a density is read: evenly, and at the ends of the intervals, where the tint changes."""
    low, high = sorted_quantiles(finite, [0.005, 0.995])
    ends = sorted_quantiles(ordered, list(_LEVELS.values()))
    inside = ends[(ends > low) & (ends < high)]
    return np.unique(np.concatenate([np.linspace(low, high, POINTS), inside]))


def density(finite: Array, points: Array) -> Array:
    """Read the density of rising samples at points, its highest bin being 1; see `density_table`."""
    quarter, three_quarters = sorted_quantiles(finite, [0.25, 0.75])
    part = max(1, finite.size // 4)
    shortest = float((finite[part:] - finite[:-part]).min())  # holds a quarter; tells the width of one hump of several
    scales = [float(np.std(finite)), float(three_quarters - quarter) / 1.349, shortest / 0.637]  # all the sd if normal
    spread = min((scale for scale in scales if scale > 0), default=0.0)
    width = (finite[-1] - finite[0]) / _BINS
    bandwidth = max(0.9 * spread * finite.size**-0.2, width)
    counts, edges = np.histogram(finite, bins=_BINS)
    reach = min(_BINS, math.ceil(4 * bandwidth / width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * width / bandwidth) ** 2)
    smooth = np.convolve(np.pad(counts.astype(np.float64), reach, mode="symmetric"), kernel, mode="valid")
    heights = np.interp(points, (edges[:-1] + edges[1:]) / 2, smooth)
    return heights / heights.max()


def _group(name: str) -> str:
    """Name what a prior is about: the driver, or the section of the scenario.

    Examples
    --------
    >>> _group("drivers.spending.start"), _group("quantities.world-product.growth")
    ('spending', 'quantities')
    """
    parts = name.split(".")
    return parts[1] if parts[0] == "drivers" and len(parts) > 1 else parts[0]


def paged(rows: Sequence[Row], *, most: int = MOST_ON_A_PAGE) -> list[list[Row]]:
    """Spread priors over pages: a group stays together where it can, a large one is cut into even parts.

    Examples
    --------
    >>> rows = [{"group": "spending"}] * 3 + [{"group": "quantities"}] * 4
    >>> [len(page) for page in paged(rows, most=5)]
    [3, 4]
    """
    names = list(dict.fromkeys(str(row["group"]) for row in rows))
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


def _figure(run: xr.DataTree, page: Sequence[Row], *, fixed: Sequence[Row], place: int, pages: int) -> Figure:
    names = list(dict.fromkeys(str(row["group"]) for row in page))
    densities = density_table(run, [str(row["name"]) for row in page])
    groups = [Group(name, tuple(str(row["name"]) for row in page if row["group"] == name)) for name in names]
    about = listed([name.replace("_", " ") for name in names])
    judged, bare = (sum(test(row) for row in page) for test in (_is_judgement, _has_no_source))
    title = f"Priors on {about}: {_origin(len(page), judged, bare)}"
    part = f" (figure {place} of {pages})" if pages > 1 else ""
    chart = draw_priors(
        PriorTables(page, densities, groups),
        title=title,
        subtitle=f"{run.attrs['title']}: {run.attrs['subject']}. The uncertain priors of this run{part}.",
        run=RunLabel(
            run_id=str(run.attrs["run_id"]),
            scenario=str(run.attrs["name"]),
            seed=int(run.attrs["seed"]),
            samples=int(run.attrs["samples"]),
        ),
    )
    doubted = sum(row["confidence"] == "low" for row in page)
    said = f"{len(page)} uncertain priors on {about}, as this run drew them. {_sourced(len(page), judged, bare)}"
    said += f" Their confidence is low for {doubted} of {len(page)}." if doubted else ""
    if fixed and place == pages:
        said += " Fixed, and not drawn: " + "; ".join(f"{row['name']} ({_fixed_value(row)})" for row in fixed) + "."
    alt_text = (
        f"Small densities of {len(page)} priors on {about}, one under another, each on an axis of its own with its "
        f"median, 50 and 90 % intervals, and its source. {_sourced(len(page), judged, bare)}"
    )
    return Figure(f"priors_{place}", chart, {"": page, "density": densities}, said, alt_text)


def _is_judgement(row: Row) -> bool:
    return str(row["source"]).lower().startswith("own judgement")


def _has_no_source(row: Row) -> bool:
    return not row["source"]


def _origin(count: int, judged: int, bare: int) -> str:
    """Say in a title how many priors rest on what.

    Examples
    --------
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


def _fixed_value(row: Row) -> str:
    return "never" if row["never"] == 1.0 else str(row["understood"]) or f"{row['median']:g}"
