"""Signposts: which early observables tell most about a later outcome, and what each value of them would mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simulator.analysis.outcomes import (
    Outcome,
    in_a_sentence,
    outcome_text,
    outcome_words_in,
    parse_outcome,
    run_outcomes,
    unit_in,
    years_of,
)
from simulator.analysis.reweighting import weighted_estimate
from simulator.dates import year_words
from simulator.errors import InputError, near_name
from simulator.files import short_hash
from simulator.runs.crossings import read_date
from simulator.runs.estimates import FEWEST_BLOCKS, Moments, sample_quantiles, weighted_quantiles
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.units import Array, plain_unit
from simulator.variables import SUBJECTS, snake
from simulator.wording import aligned, level_text, plus_minus, share_text

if TYPE_CHECKING:
    import xarray as xr

NEIGHBOURS = 8
"""Samples to either side, by rank of the observable, that stand for the same value of it."""
FEWEST_SAMPLES = 800
WINDOW = 0.025
"""Share of the samples to either side of a quantile of the observable that stand for that value."""
SAME = 1e-4
"""What two observables differ by that are one but for rounding."""
VALUES = (0.1, 0.5, 0.9)
MOST_MEANT = 4
"""Signposts whose values are told: the best year of so many observables."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Signposts(Result):
    """Which early observables of a run tell most about an outcome, as `signposts` gives it."""

    kind: ClassVar[str] = "signposts"
    about: Mapping[str, str | int | float]
    posts: Table
    meant: Table

    @property
    def folder_name(self) -> str:
        return f"{self.about['name']}-signposts-{self.about['id']}"

    @property
    def label(self) -> str:
        return f"Run {self.about['run_id']} of scenario {self.about['name']}: signposts of {self.about['outcome']}"

    @property
    def dataset(self) -> xr.Dataset:
        """The reduction over `observable` and `year`, and what each value means over `level` too."""
        names = ("observable", "year", "reduction", "reduction_error", "behind", "behind_error", "place")
        found = self.posts.select(*names).to_dataset("observable", "year")
        if len(self.meant):
            columns = ("observable", "level", "value", "median", "lower", "upper", "never")
            found = found.merge(self.meant.select(*columns).to_dataset("observable", "level"), join="left")
        return found.assign_attrs(self.about)

    def tables(self) -> dict[str, Table]:
        """`signposts`, and `meant`: the outcome where an observable is at its 10, 50 and 90 % value."""
        return {name: table for name, table in (("signposts", self.posts), ("meant", self.meant)) if len(table)}

    def lines(self) -> list[str]:
        """Say the reduction by observable and year, and what the values of the best would mean."""
        about, first = self.about, self.posts.where(place=1).rows()
        best = [row["name"] for row in first if row["reduction"] > 2.0 * row["reduction_error"]]
        more = f", and {len(best) - 5} more" if len(best) > 5 else ""
        most = f"tells most, within its error: {'; '.join(best[:5])}{more}" if best else "none tells more than chance"
        lines = [
            f"run {about['run_id']} of {about['name']}: what tells of {about['words']}",
            f"  its expected CRPS is {about['crps']:.3g} {about['crps_unit']}".rstrip()
            + "; knowing an observable exactly takes off, in %:",
            *aligned(_reductions(self.posts), keys=1, right=[False, *([True] * len(self.posts))]),
            f"  {most}",
        ]
        for _, own in self.meant.groups("name") if best else ():
            rows = own.rows()
            lines.append(f"if {rows[0]['name']} is at its ..., the outcome is")
            lines += aligned([[f"{100 * row['level']:g} % value", row["value_text"], row["said"]] for row in rows])
        return lines


def _reductions(posts: Table) -> list[list[str]]:
    """Lay reductions out by observable and year."""
    years = sorted(set(posts["year"].tolist()))
    told = [["", *(f"{year:g}" for year in years)]]
    for (_,), own in posts.groups("observable"):
        rows = {row["year"]: row for row in own.rows()}
        cells = [f"{round(100 * row['reduction']):d}{plus_minus(100 * row['reduction_error'], 0)}" for row in
                 (rows[year] for year in years)]  # fmt: skip
        told.append([str(own["label"][0]), *cells])
    return told


def signposts(
    run: xr.DataTree, outcome: str, *, observables: Sequence[str] = (), until: str | float | None = None
) -> Signposts:
    """Tell which early observables of a run say most about a later outcome, and what each value would mean.

        reduction = 1 - E[CRPS once the observable is known] / E[CRPS before]

    The expected CRPS of a forecast that is right about its uncertainty is half the mean distance of two draws from it
    (Gneiting and Raftery 2007); once an observable is known, of two draws that agree on it, for which neighbours in
    the order of its samples stand (as in Chatterjee 2021). A crossing year counts up to the horizon; of a probability
    the CRPS is the Brier score. For jointly normal numbers the reduction is 1 - sqrt(1 - correlation^2).
    Standard errors are from parts of the run that are independent; a place is one more than how many tell more by over
    twice the error of the difference, in the same parts.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    outcome : str
        Such as `crossing:NAME`, `effective_compute@2035` or `crossed:NAME@2030`.
    observables : sequence of str
        Variables of the run, such as `spending` or `power` for `quantity_power`. Without any: spending, hardware and
        algorithmic efficiency, physical compute (the record), and every named quantity that varies.
    until : str or float
        The last date at which something is observed; without it that of the outcome, or the 10 % quantile of a crossing
        year, five years from the start at most.

    Returns
    -------
    Signposts, with the tables
        `signposts`: observable, year, `reduction`, `behind` (the best less it), their errors, `place`;
        `meant`: for the best year of the best observables, at their 10, 50 and 90 % value, the outcome's `median`,
        `lower`, `upper` (90 %) or probability, with the error of the median.

    Raises
    ------
    InputError
        There is no such outcome, observable or year, the outcome does not vary, or the run has too few samples.

    References
    ----------
    T. Gneiting and A. Raftery 2007, Strictly proper scoring rules, prediction, and estimation, Journal of the American
    Statistical Association 102; S. Chatterjee 2021, A new coefficient of correlation, the same journal 116.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> found = signposts(run, "physical_compute@2030", observables=["spending"], until=2028)
    >>> found.tables()["signposts"]["year"].tolist()
    [2027.0, 2028.0]
    """
    sought = parse_outcome(outcome)
    results, horizon = run_outcomes(run, [sought])[0], years_of(run)[1]
    if results.size < FEWEST_SAMPLES:
        raise InputError(
            f"signposts: needs {FEWEST_SAMPLES} samples at least; this run has {results.size}. Run it with more."
        )
    held = np.minimum(results, horizon) if sought.censored else results
    if held.min() == held.max():
        raise InputError(f"signposts: {sought.text} is the same in every sample, so nothing tells of it.")
    parts = _parts(held.size, int(run.attrs["block"]))
    before = np.array([_mean_distance(held[part]) for part in parts]) / 2
    if not before.all():
        most = int(np.unique(held, return_counts=True)[1].max())
        rule = f"is the same in {most:,} of {held.size:,} samples: the others are too few to tell of."
        raise InputError(
            f"signposts: {sought.text} {rule} Name another outcome, or run the scenario with more samples."
        )
    years = _years(run, sought, results, until)
    found: list[tuple[dict[str, object], Array, float]] = []
    for name in _observables(run, observables):
        attrs = group(run, "trajectories")[name].attrs
        for year, values in zip(
            years, run_outcomes(run, [Outcome("level", name, year) for year in years]), strict=True
        ):
            if values.min() == values.max():
                continue
            own = np.array([_neighbour_distance(values[part], held[part]) for part in parts]) / 2
            whole = 1.0 - _neighbour_distance(values, held) / _mean_distance(held)
            label = str(attrs["long_name"])
            head = {"observable": name, "year": year, "label": label, "name": f"{label} in {year:g}"}
            found.append((head | {"unit": str(attrs["units"])}, 1.0 - own / before, whole))
    if not found:
        raise InputError("signposts: none of the observables varies in these years. Name others, or a later --until.")
    posts = _placed(found)
    unit = unit_in(run, sought)
    crps_unit = "years" if unit == "year" else "OOM" if unit.startswith("log10(") else ""
    about: dict[str, str | int | float] = {
        **{key: run.attrs[key] for key in ("run_id", "name", "title", "seed")}, "samples": results.size,
        "outcome": sought.text, "words": in_a_sentence(outcome_words_in(run, sought)),
        "crps": float(_mean_distance(held) / 2),
        "crps_unit": crps_unit, "unit": unit, "first_year": years_of(run)[0], "last_year": horizon,
        "id": short_hash(str(run.attrs["run_id"]), sought.text, *observables, str(until)),
    }  # fmt: skip
    return Signposts(about, posts, _meant(run, sought, results, posts, unit))


def _observables(run: xr.DataTree, given: Sequence[str]) -> list[str]:
    """Name the variables that are observed: those asked for, or all that people report."""
    trajectories = group(run, "trajectories", of_samples=True)
    known = [str(name) for name, each in trajectories.data_vars.items() if "flag_values" not in each.attrs]
    if not given:
        components = stored_scenario(run).components
        named = {f"quantity_{snake(name)}" for each in components for name in each.spec.named}
        return [name for name in known if name in SUBJECTS or name in named]
    names = []
    for text in given:
        found = next((each for each in (snake(text), f"quantity_{snake(text)}") if each in known), None)
        if found is None:
            hint = near_name(text, known) or f"There are: {', '.join(known)}."
            raise InputError(f"--observable '{text}': the run has no such amount. {hint}")
        names.append(found)
    return list(dict.fromkeys(names))


def _years(run: xr.DataTree, outcome: Outcome, results: Array, until: str | float | None) -> list[float]:
    """Choose when something is observed: about once a year, after the first year, and before the outcome."""
    every = group(run, "summary")["year"].values.tolist()
    asked = None if until is None else read_date(until, option="--until")
    if asked is not None and not every[0] < asked <= every[-1]:
        raise InputError(f"--until: must be a year after {every[0]:g}, up to {every[-1]:g}; got {asked:g}.")
    if asked is not None and outcome.year is not None and asked >= outcome.year:
        raise InputError(f"--until: must be before the outcome, {year_words(outcome.year)}; got {year_words(asked)}.")
    last = float(sample_quantiles(results, [0.1])[0]) if outcome.year is None else outcome.year - 1e-6
    end = min(last, every[0] + 5.0) if asked is None else asked
    kept: list[float] = []
    for year in every[1:]:
        if year <= end and (not kept or year - kept[-1] > 1.0 - 1e-6):
            kept.append(year)
    return kept or [every[1]]


def _parts(samples: int, block: int) -> list[slice]:
    """Part a run into whole blocks, or where these are few into eight parts: each tells the same on its own."""
    blocks = samples // block
    size = block * max(1, blocks // 16) if blocks >= FEWEST_BLOCKS else samples // FEWEST_BLOCKS
    return [slice(start, start + size) for start in range(0, samples - size + 1, size)]


def _mean_distance(values: Array) -> float:
    """Give the mean distance of two samples (Gini's mean difference)."""
    size, ordered = values.size, np.sort(values)
    weights = 2.0 * np.arange(size) - size + 1.0
    return float(2.0 * (weights @ (ordered - ordered.mean())) / (size * (size - 1.0)))


def _neighbour_distance(observed: Array, values: Array) -> float:
    """Give the mean distance of two samples that nearly agree on what is observed."""
    ordered = values[np.argsort(observed, kind="stable")]
    most = max(1, min(NEIGHBOURS, values.size // 100))
    return float(np.mean([np.abs(ordered[step:] - ordered[:-step]).mean() for step in range(1, most + 1)]))


def _placed(found: Sequence[tuple[dict[str, object], Array, float]]) -> Table:
    """Give reductions with errors and places: it is behind what tells more by over two errors of their difference."""
    parts = np.stack([each for _, each, _ in found])
    wholes = np.array([whole for *_, whole in found])
    order, count = np.argsort(-wholes, kind="stable"), parts.shape[1]
    best, rows = order[0], list[Row]()
    for own in range(len(found)):
        gaps = wholes - wholes[own]
        errors = Moments.of((parts - parts[own]).T).mean_error(count)
        place = 1 + int(np.sum(gaps > 2.0 * errors + SAME))
        numbers = {"reduction": float(wholes[own]), "behind": float(gaps[best]), "behind_error": float(errors[best])}
        error = float(Moments.of(parts[own]).mean_error(count))
        rows.append({**found[own][0], **numbers, "reduction_error": error, "place": place})
    return Table.of_rows(rows)


def _meant(run: xr.DataTree, outcome: Outcome, results: Array, posts: Table, unit: str) -> Table:
    """Tell the outcome where the best signposts are at their 10, 50 and 90 % value."""
    first, last = years_of(run)
    best: dict[str, Row] = {}
    for row in sorted(posts.rows(), key=lambda row: -float(row["reduction"])):
        best.setdefault(str(row["observable"]), row)
    rows: list[Row] = []
    for post in list(best.values())[:MOST_MEANT]:
        if post["reduction"] < 2.0 * post["reduction_error"]:
            continue
        values = run_outcomes(run, [Outcome("level", str(post["observable"]), float(post["year"]))])[0]
        ranks = np.empty(values.size)
        ranks[np.argsort(values, kind="stable")] = (np.arange(values.size) + 0.5) / values.size
        for level, value in zip(VALUES, sample_quantiles(values, VALUES).tolist(), strict=True):
            near = np.asarray(np.abs(ranks - level) <= WINDOW, dtype=np.float64)
            told = _outcome_there(outcome, results, near / near.sum())
            is_log = str(post["unit"]).startswith("log10(")
            text = level_text(value, plain_unit(str(post["unit"]))) if is_log else f"{value:.3g}"
            said = _said(told, unit, (first, last), values.size)
            head = {key: post[key] for key in ("observable", "year", "label", "name", "unit")}
            rows.append({**head, "level": level, "value": value, **told, "value_text": text, "said": said})
    return Table.of_rows(rows).called("meant")


def _outcome_there(outcome: Outcome, results: Array, weights: Array) -> dict[str, float | None]:
    """Estimate median and 90 % interval of an outcome among weighted samples, or its probability, with its error."""
    mean = outcome.statistic == "mean"
    middle, error = weighted_estimate(results, weights, None if mean else 0.5, 1)
    ends = (None, None) if mean else weighted_quantiles(results, weights, (0.05, 0.95)).tolist()
    never = float(np.isinf(results) @ weights)
    return {"median": middle, "error": error, "lower": ends[0], "upper": ends[1], "never": never}


def _said(told: Mapping[str, float | None], unit: str, years: tuple[float, float], samples: int) -> str:
    """Write the outcome where an observable has a value, as some of so many samples tell it."""
    median, lower, upper, error = (told[name] for name in ("median", "lower", "upper", "error"))
    if median is None or lower is None or upper is None:
        return share_text(median or 0.0, round(2 * WINDOW * samples), error)
    low, middle, high = (outcome_text(each, unit=unit, years=years, short=True) for each in (lower, median, upper))
    if unit.startswith("log10("):
        return f"{middle} (90 % {low} to {high}; log10 {median:.2f}{plus_minus(error or math.nan, 2)})"
    shown = plus_minus(error, 1) if error is not None and median > years[0] else ""
    return f"{middle}{shown} (90 % {low} to {high})"
