"""Scenario discovery: boxes in a design where an outcome comes early, as "early if a > .. and b > .."."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from simulator.analysis.designs.prim import (
    FEWEST,
    Cases,
    Found,
    coverage_and_density,
    prim,
    quasi_p,
    significant,
    whole,
)
from simulator.analysis.designs.tables import Column, columns_of, is_design, outcome_values, run_points
from simulator.analysis.outcomes import Outcome
from simulator.analysis.sweep_tables import is_log, parse_outcomes, swept_axes, swept_words
from simulator.dates import DateError, read_year, year_words
from simulator.errors import InputError, missing_extra
from simulator.files import short_hash
from simulator.priors.streams import random_numbers
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.units import Array
from simulator.wording import aligned, percent

if TYPE_CHECKING:
    import xarray as xr

type Method = Literal["prim", "cart"]
type Find = Callable[[Array, Cases], list[Found]]

RESAMPLES = 20
"""Halves of the points on which boxes are found again, and tried on the other half."""
_P_VALUE = "quasi-p-value: how likely the box had as many such points if the input said nothing"
MOST_BOXES, LEAST_COVERAGE, MOST_LEAVES = 4, 0.1, 12
"""Boxes that are told, the share of the cases from which one is told, and the leaves of a tree."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Boxes(Result):
    """Boxes of a design in which an outcome is as asked, as `find_boxes` gives them."""

    kind: ClassVar[str] = "boxes"
    about: Mapping[str, str | int | float]
    boxes: Table
    limits: Table
    points: Table

    @property
    def folder_name(self) -> str:
        return f"{self.about['name']}-boxes-{self.about['id']}"

    @property
    def label(self) -> str:
        return f"Sweep {self.about['run_id']} of scenario {self.about['name']}: {self.about['words']}"

    @property
    def dataset(self) -> xr.Dataset:
        """What is asked, and each box over `box`."""
        import xarray as xr

        found = self.boxes.to_dataset("box") if len(self.boxes) else xr.Dataset()
        return found.assign_attrs(self.about)

    def tables(self) -> dict[str, Table]:
        """`boxes`, `limits`: what each says of inputs, and `points`: the inputs, and whether each is as asked."""
        named = (("boxes", self.boxes), ("limits", self.limits), ("points", self.points))
        return {name: table for name, table in named if len(table)}

    def lines(self) -> list[str]:
        """Say each box in a sentence, how much of what is looked for it holds, and what chance would do as well."""
        about = self.about
        of = f"{about['cases']:,} of {about['count']:,} points ({about['method_words']}, sweep {about['run_id']})"
        lines = [f"{about['title']}: {about['words']} at {of}"]
        if not len(self.boxes):
            return [*lines, f"  no box: {about['none']}"]
        for box in self.boxes.rows():
            own = self.limits.where(box=box["box"])
            lines.append(f"  [{box['box']}] {about['word']} if {said_limits(own.where(chance=False).rows())}")
            held = [["", "coverage", "density", "points"],
                    ["here", percent(box["coverage"]), percent(box["density"]), f"{box['points']:,}"]]  # fmt: skip
            told = (percent(box["held_out_coverage"]), percent(box["held_out_density"]))
            held.append(["on points that were held out", *told, ""])
            lines += aligned(held, keys=1, indent=6)
            found = [f"{row['label']} in {round(100 * row['found'])} %" for row in own.where(chance=False).rows()]
            lines.append(f"      restricted again in so many of {RESAMPLES} halves of the points: {'; '.join(found)}")
            chance = [f"{said_limits([row])} (p = {row['p_value']:.2g})" for row in own.where(chance=True).rows()]
            lines += [f"      left off, as chance would do as well: {'; '.join(chance)}"] if chance else []
        return [
            *lines,
            "  coverage: share of such points that lie in the box; density: share of its points that are such",
        ]


def said_limits(rows: Sequence[Row]) -> str:
    """Write what a box says of inputs: `a > 3 and 1 < b < 2`."""
    said = []
    for row in rows:
        low, high = ("" if row[end] is None else f"{row[end]:.3g}" for end in ("low", "high"))
        unit = f" {row['unit']}" if row["unit"] not in ("", "1") else ""
        between = (
            f"{low} < {row['label']} < {high}"
            if low and high
            else f"{row['label']} {'>' if low else '<'} {low or high}"
        )
        said.append(f"{between}{unit}")
    return " and ".join(said) or "always"


def find_boxes(
    swept: xr.DataTree,
    outcome: str,
    *,
    before: str | float | None = None,
    after: str | float | None = None,
    above: float | None = None,
    below: float | None = None,
    method: Method = "prim",
    density: float = 0.8,
) -> Boxes:
    """Find where in a design an outcome comes early, or is high: boxes, "early if a > .. and b > ..".

    PRIM (Friedman and Fisher 1999) peels off 5 % of the points at once, on the side that leaves the highest share of
    such points, and pastes on again what does not lower it; the box is the first, thus the largest, as dense as asked.
    Restrictions that chance would make as well are left off, by quasi-p-values (Bryant and Lempert 2010) of 0.05 and
    more. Further boxes are sought among the points outside. CART (Breiman and others 1984) splits all points by a
    tree; boxes are its leaves. Every box is found again on 20 halves of the points, and tried on the other halves.

    Parameters
    ----------
    swept : Sweep
        A design, from `sweep(..., design=...)` or `open_sweep`.
    outcome : str
        `crossing:NAME` (its median), `crossed:NAME@2030` (a probability) or `effective_compute@2035` (its median).
    before, after : str or float, optional
        The date that parts crossing years.
    above, below : float, optional
        The probability, or the level in its own unit, that parts others.
    method : {"prim", "cart"}
        "cart" needs scikit-learn (the extra discovery).
    density : float
        The share of points in a box that shall be such.

    Returns
    -------
    Boxes, with the tables
        `boxes`: coverage, density, points, and both on points that were held out; `limits`: what each says of an input
        (`low`, `high`), its quasi-p-value, in which share of the halves it is `found` again, and whether it is `chance`
        and left off; `points`: the inputs, and `case`.

    Raises
    ------
    InputError
        The sweep is no design, its inputs are no numbers, or what is looked for cannot be read.

    Examples
    --------
    >>> from simulator import sweep
    >>> over = {"drivers.spending.start": "100:10000:log", "drivers.spending.growth[0].rate": "1.1x/year:4x/year"}
    >>> swept = sweep("essay-2023", over=over, design="lhs:60", overrides=["samples=16"])
    >>> find_boxes(swept, "crossing:million-x-gpt-4", before=2032).kind
    'boxes'
    """
    if not is_design(swept):
        raise InputError("boxes: the sweep is no design. Make one: simulate sweep SCENARIO --over .. --design lhs:500.")
    if not 0 < density <= 1:
        raise InputError(f"--density: must be above 0 and at most 1; got {density:g}.")
    (asked,) = parse_outcomes(swept, [outcome])
    cases, said, word = _cases(swept, asked, before=before, after=after, above=above, below=below)
    kept = run_points(swept)
    columns = [each for each in columns_of(swept) if each.is_number and np.ptp(each.values[kept]) > 0]
    if not columns:
        raise InputError("boxes: no entry of the design is a number that differs between points.")
    values, cases = np.stack([_scaled(each, each.values[kept]) for each in columns], axis=1), cases[kept]
    find = _prim(density) if method == "prim" else _cart(density)
    found = find(values, cases)
    rows, limits = _told(found, columns, values, cases, find)
    count = int(cases.sum())
    none = "none such, or all" if count in (0, cases.size) else "no restriction does better than chance"
    none = f"fewer than {2 * FEWEST} points were run" if cases.size < 2 * FEWEST else none
    attrs = swept.attrs
    about: dict[str, str | int | float] = {
        "name": str(attrs["name"]), "run_id": str(attrs["run_id"]), "title": str(attrs["title"]), "words": said,
        "word": word, "outcome": asked.text, "cases": count, "count": int(cases.size), "none": none,
        "method_words": "PRIM" if method == "prim" else "CART", "seed": int(attrs["seed"]),
        "id": short_hash(str(attrs["run_id"]), asked.text, said, method, f"{density:g}"),
    }  # fmt: skip
    [axis] = swept_axes(swept)
    names = [label for label, run in zip(axis.labels, kept, strict=True) if run]
    points = Table(
        {"point": names, **{each.name: each.values[kept].tolist() for each in columns}, "case": cases.tolist()}
    )
    points = points.saying({each.name: (each.unit, each.label) for each in columns})
    ends = Table.of_rows(limits)
    if len(ends):
        of = "end of what the box holds, in the unit of the row; empty where it is open"
        ends = ends.saying({"low": ("", f"lower {of}"), "high": ("", f"upper {of}"), "p_value": ("1", _P_VALUE)})
    return Boxes(about, Table.of_rows(rows), ends, points)


def _scaled(column: Column, values: Array) -> Array:
    return np.log10(values) if column.log else np.asarray(values, dtype=np.float64)


def _cases(
    swept: xr.DataTree, outcome: Outcome, *, before: str | float | None, after: str | float | None,
    above: float | None, below: float | None,
) -> tuple[Cases, str, str]:  # fmt: skip
    """Tell which points are looked for, how that is said, and in a word."""
    of_date = outcome.kind == "crossing"
    given = {name: each for name, each in (("before", before), ("after", after), ("above", above), ("below", below))
             if each is not None}  # fmt: skip
    wanted = ("before", "after") if of_date else ("above", "below")
    if len(given) != 1 or next(iter(given)) not in wanted:
        raise InputError(f"boxes: {outcome.asked} is parted by one of --{wanted[0]} and --{wanted[1]}; got "
                         f"{' and '.join(f'--{name}' for name in given) or 'none'}.")  # fmt: skip
    (how, limit), values, words = next(iter(given.items())), outcome_values(swept, outcome), swept_words(swept, outcome)
    if of_date:
        try:
            year = float(limit) if isinstance(limit, int | float) else read_year(str(limit))
        except DateError as error:
            raise InputError(f"--{how} {limit}: is no date. {error.remedy}") from None
        parted = values < year if how == "before" else values >= year
        return parted, f"{words} {how} {year_words(year)}", "early" if how == "before" else "late"
    number = float(limit)
    if not math.isfinite(number):
        raise InputError(f"--{how} {number:g}: must be a number. Write for example --{how} 1e30, or 0.5.")
    if is_log(swept, outcome):
        if not number > 0:
            raise InputError(f"--{how} {number:g}: must be above 0, a level in its own unit.")
        number = math.log10(number)
    with np.errstate(invalid="ignore"):
        parted = values > number if how == "above" else values < number
    return parted, f"{words} {how} {float(limit):g}", "high" if how == "above" else "low"


def _prim(density: float) -> Find:
    """Seek a box, then another among the points outside it."""

    def find(values: Array, cases: Cases) -> list[Found]:
        found: list[Found] = []
        left = np.ones(cases.size, dtype=bool)
        while len(found) < MOST_BOXES and left.sum() >= 2 * FEWEST:
            new = prim(values[left], cases[left], density=density)
            held = left & new.box.holds(values)
            few = cases[held].sum() < max(1.0, LEAST_COVERAGE * cases.sum())
            if not new.box.restricted or few or (found and cases[held].mean() < density):
                break
            found.append(new)
            left &= ~held
        return found

    return find


def _cart(density: float) -> Find:
    """Grow a tree; boxes are its leaves that are as dense as asked, or else the densest, those of most cases first."""
    try:
        from sklearn.tree import DecisionTreeClassifier
    except ImportError:
        raise missing_extra("CART needs scikit-learn.", "discovery", "or take --method prim") from None

    def find(values: Array, cases: Cases) -> list[Found]:
        least = max(FEWEST, int(0.02 * cases.size))
        if not cases.any() or cases.all() or cases.size < 2 * least:
            return []
        grown = DecisionTreeClassifier(max_leaf_nodes=MOST_LEAVES, min_samples_leaf=least, random_state=0)
        tree = grown.fit(values, cases).tree_
        leaves, open_ = [], [(0, whole(values.shape[1]))]
        while open_:
            node, box = open_.pop()
            if tree.children_left[node] < 0:
                leaves.append((box, *coverage_and_density(box, values, cases)))
                continue
            place, at = int(tree.feature[node]), float(tree.threshold[node])
            left, right = int(tree.children_left[node]), int(tree.children_right[node])
            open_.append((left, box.moved(place, high=min(at, float(box.high[place])))))
            open_.append((right, box.moved(place, low=max(at, float(box.low[place])))))
        wanted = min(density, max(dense for _, _, dense in leaves))
        leaves = [each for each in leaves if each[2] >= wanted and each[1] >= LEAST_COVERAGE]
        found = [significant(box, values, cases) for box, *_ in sorted(leaves, key=lambda each: -each[1])[:MOST_BOXES]]
        return [each for each in found if each.box.restricted]

    return find


def _told(
    found: Sequence[Found], columns: Sequence[Column], values: Array, cases: Cases, find: Find
) -> tuple[list[Row], list[Row]]:
    """Tabulate boxes and their limits, with what halves of the points say; what is no better outside is let go."""
    rows, limits = list[Row](), list[Row]()
    for each, held_out in zip(found, _held_out(len(found), values, cases, find), strict=True):
        box, again, coverage, density = each.box, *held_out
        size = max(1.0, box.holds(values).mean() * cases.size / 2)
        share = float(cases.mean())
        if math.isnan(density) or density < share + 2 * math.sqrt(share * (1 - share) / size):
            continue
        number, held, (own, dense) = len(rows) + 1, box.holds(values), coverage_and_density(box, values, cases)
        rows.append({"box": number, "points": int(held.sum()), "cases": int(cases[held].sum()), "coverage": own,
                     "density": dense, "held_out_coverage": coverage, "held_out_density": density})  # fmt: skip
        kept = {place: (float(box.low[place]), float(box.high[place]), quasi_p(box, place, values, cases))
                for place in box.restricted}  # fmt: skip
        for place, (low, high, p_value) in (kept | dict(each.chance)).items():
            of = columns[place]
            limits.append({"box": number, "input": of.name, "label": of.label, "unit": of.unit,
                           "low": _stated(of, low), "high": _stated(of, high), "p_value": p_value,
                           "found": float(again[place]), "chance": place not in kept})  # fmt: skip
    return rows, limits


def _held_out(count: int, values: Array, cases: Cases, find: Find) -> list[tuple[Array, float, float]]:
    """Find boxes again on halves of the points: how often each restricts an input, and how it fares on the others."""
    again, told = np.zeros((count, values.shape[1])), np.full((2, count, RESAMPLES), np.nan)
    for half in range(RESAMPLES if count else 0):
        order = np.argsort(random_numbers(["halves of points"], seed=half, blocks=range(1), size=cases.size)[0])
        mine, others = order[: cases.size // 2], order[cases.size // 2 :]
        for number, other in enumerate(find(values[mine], cases[mine])[:count]):
            again[number, other.box.restricted] += 1 / RESAMPLES
            if other.box.holds(values[others]).any():
                told[:, number, half] = coverage_and_density(other.box, values[others], cases[others])
    known = ~np.isnan(told)
    means = np.where(known.any(axis=-1), np.nansum(told, axis=-1) / np.maximum(known.sum(axis=-1), 1), np.nan)
    return [(again[number], *map(float, means[:, number])) for number in range(count)]


def _stated(column: Column, end: float) -> float | None:
    return None if math.isinf(end) else float(10.0**end) if column.log else end
