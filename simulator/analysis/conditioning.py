"""News: the forecast of a run given what happened, and which of its priors that moves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulator.analysis.association import drawn_priors, rank_among
from simulator.analysis.evidence import AFTER, BEFORE, Fact, given_weights, likelihood, read_facts
from simulator.analysis.outcomes import Outcome, between_words, prior_text, run_crossings, run_outcomes, years_of
from simulator.analysis.reweighting import headline_lines, headline_table, weighted_estimate
from simulator.analysis.tilting import Weighted, tilted
from simulator.errors import RunFileError
from simulator.files import short_hash
from simulator.runs.estimates import BANDS, Moments, effective_samples, sample_quantiles, sum_error, weighted_quantiles
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group, headline_of, run_label
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.units import Array
from simulator.wording import aligned, amount_range, listed, plus_minus, share_text, signed, year_text

if TYPE_CHECKING:
    import xarray as xr

LEVELS = (0.05, 0.5, 0.95)
FAR = 0.005
"""The share of observations on one side of what was seen at which it is in conflict with the run."""
MOST_DRAWN = 100_000
"""Samples that are drawn anew at most: all are held at once."""
BY_CHANCE = float(ndtri(0.9995))
"""Standard errors that 999 in 1,000 priors that the news says nothing of do not move by."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Conditioned(Result):
    """The forecast of a run before and given what happened, and which priors that moves, as `condition` gives it."""

    kind: ClassVar[str] = "condition"
    about: Mapping[str, str | int | float]
    facts: Table
    headlines: Table
    levels: Table
    crossings: Table
    priors: Table
    weights: Array
    warned: tuple[str, ...] = ()

    @property
    def folder_name(self) -> str:
        return f"{self.about['name']}-given-{self.about['id']}"

    @property
    def label(self) -> str:
        return f"Run {self.about['run_id']} of scenario {self.about['name']}, given {self.about['given']}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is given and tells nothing."""
        return self.warned

    @property
    def effective(self) -> float:
        """How many equal samples the weighted ones are worth."""
        return effective_samples(self.weights)

    @property
    def dataset(self) -> xr.Dataset:
        """Weights, levels by `quantity`, `state`, `year`, crossings by `threshold` and `state`, priors by `input`."""
        levels = self.levels.select("quantity", "state", "year", "median", "lower", "upper")
        found = levels.to_dataset("quantity", "state", "year")
        if len(self.crossings):
            crossings = self.crossings.with_columns(
                {f"crossing_{name}": self.crossings[name] for name in ("median", "lower_90", "upper_90")}
            ).select("threshold", "state", "crossing_median", "crossing_lower_90", "crossing_upper_90", "never")
            found = found.merge(crossings.to_dataset("threshold", "state"))
        if len(self.priors):
            priors = self.priors.select("input", "shift", "shift_error", "contraction", "contraction_error")
            found = found.merge(priors.to_dataset("input"))
        return found.assign(weight=("sample", self.weights)).assign_attrs(self.about)

    def tables(self) -> dict[str, Table]:
        """`given`, `headlines`, `levels`, `crossings`, `priors`: those that have rows."""
        named = {"given": self.facts, "headlines": self.headlines, "levels": self.levels}
        named |= {"crossings": self.crossings, "priors": self.priors}
        return {name: table for name, table in named.items() if len(table)}

    def lines(self) -> list[str]:
        """Say how likely what is given was, the forecast before and given it, and which priors moved."""
        count, about = self.weights.size, self.about
        share = f"{self.effective:,.0f} ({100 * self.effective / count:.0f} %)"
        tail = "" if about["khat"] == -math.inf else f"; Pareto k-hat {about['khat']:.2f}"
        new = ", drawn where it holds," if about["redrawn"] else ""
        years = float(about["first_year"]), float(about["last_year"])
        worth = {"before": int(about["samples"]), "after": round(self.effective)}
        return [
            f"run {about['run_id']} of {about['name']}, given",
            *(f"  {row['given']}: {row['said']}" for row in self.facts.rows()),
            f"  {count:,} samples{new} are worth {share}{tail}",
            "forecast, before -> given it",
            *headline_lines(self.headlines.rows(), years, worth),
            *str(about["between"]).splitlines(),
            *prior_lines(self.priors.rows()),
        ]


def prior_lines(rows: Sequence[Row]) -> list[str]:
    """Tabulate the priors that moved by more than chance."""
    moved = [row for row in rows if row["beyond_chance"]]
    if not moved:
        return ["no prior moved by more than chance"] if rows else []
    told = [["", "median before -> given it", "shift, sd", "90 % given it", "variance"]]
    for row in moved[:MOST_LINES]:
        shift = f"{signed(row['shift'])}{plus_minus(row['shift_error'], 2)}"
        spread = f"{signed(-100 * row['contraction'], digits=0)}{plus_minus(100 * row['contraction_error'], 0)} %"
        middle = amount_range(row["before_median_text"], row["median_text"], "->")
        told.append([row["label"], middle, shift, amount_range(row["lower_text"], row["upper_text"]), spread])
    rest, more = len(rows) - len(moved), len(moved) - MOST_LINES
    lines = ["priors that moved, in standard deviations of the prior", *aligned(told, keys=1)]
    many = f"{more} more, and " if more > 0 else ""
    return [*lines, f"  ... and {many}{rest} that did not by more than chance"]


MOST_LINES = 12


def condition(run: xr.DataTree, given: Sequence[str], *, redraw: bool = False) -> Conditioned:
    """Give the forecast of a run given what happened, by weighing its samples; nothing is run again.

        weight = likelihood of what is given, in the sample, over the sum of that over the samples

    The likelihood is 1 or 0 of what is certain (`>=`, `<=`, `in`, crossings), and a normal density of what is observed
    with an error. The largest weights are smoothed by a generalised Pareto distribution (PSIS) where k-hat is above
    1/3. How far a prior moved is told on its normal scores, in standard deviations of the prior, and its contraction
    is 1 - variance given it / variance before: neither depends on the unit.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    given : sequence of str
        Such as `physical_compute@2027.9 >= 1e28`, `spending@2027 = $1 billion +- 0.1 OOM`, `power@2027 in 1 to 3 GW`,
        `crossing:NAME by end of 2027`, `crossing:NAME = never`; see `simulator.analysis.evidence`.
    redraw : bool
        Draw as many samples anew (100,000 at most) where it holds, by importance sampling from a tilted prior: for
        what few samples of the run have. The same scenario, seed and news give the same numbers.

    Returns
    -------
    Conditioned, with the tables
        `given` (its probability in the run; of an observation the share of such observations that would be smaller),
        `headlines`, `levels`, `crossings` (before and given it) and `priors`.

    Raises
    ------
    InputError
        What is given cannot be read; no sample has it; fewer than 100 equal samples would be left, or k-hat is above
        0.5.

    References
    ----------
    A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry 2024, Pareto smoothed importance sampling, Journal of Machine
    Learning Research 25; D. Schad, M. Betancourt and S. Vasishth 2021, Toward a principled Bayesian workflow in
    cognitive science, Psychological Methods 26, for shift and contraction.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=2048"]))
    >>> found = condition(run, ["physical_compute@2027.9 >= 1e28"])
    >>> 100 < found.effective < 2048, list(found.tables())[:2]
    (True, ['given', 'headlines'])
    """
    facts = read_facts(run, given)
    values = run_outcomes(run, [fact.outcome for fact in facts])
    table, warned = _fact_table(run, facts, values)
    used = Weighted(likelihood(facts, values), partial(run_outcomes, run))
    if redraw:
        used = tilted(stored_scenario(run), facts, samples=min(int(run.attrs["samples"]), MOST_DRAWN))
    weights, khat = given_weights(
        used.logs, facts, [row["given"] for row in table.rows() if row["probability"] == 0.0], study="condition",
        remedy="Give something likelier" if redraw else "Draw samples where it holds: --redraw",
        most=MOST_DRAWN if redraw else math.inf, redrawn=redraw,
    )  # fmt: skip
    if (len(facts) > 1 or redraw) and all(fact.value is None for fact in facts):
        table = table + _joint_row(facts, used, int(run.attrs["block"]))
    between = [] if redraw else between_words([fact.outcome for fact in facts], group(run, "summary")["year"].values)
    first, last = years_of(run)
    key = short_hash(str(run.attrs["run_id"]), *(fact.written for fact in facts), str(redraw))
    about: dict[str, str | int | float] = {
        **{key: run.attrs[key] for key in ("run_id", "name", "title", "seed")},
        "samples": run_label(run).samples, "given": listed(fact.written for fact in facts), "khat": khat,
        "redrawn": int(redraw), "effective": effective_samples(weights), "first_year": first, "last_year": last,
        "between": "\n".join(between), "id": key,
    }  # fmt: skip
    read = used.read if redraw else None
    return Conditioned(
        about, table, headline_table(run, weights, read=read), _levels(run, facts, used, weights),
        _crossings(run, used, weights), _priors(run, used, weights), weights, warned,
    )  # fmt: skip


def _fact_table(run: xr.DataTree, facts: Sequence[Fact], values: Array) -> tuple[Table, tuple[str, ...]]:
    """Tell how likely each thing given was in the run, and warn of what every sample has."""
    rows, warned, block = list[Row](), list[str](), int(run.attrs["block"])
    for fact, samples in zip(facts, values, strict=True):
        places = fact.place(samples)
        share, error = _mean(places, block)
        said = f"P {share_text(share, places.size, error)}"
        if fact.value is not None:
            if not FAR < share < 1 - FAR:
                warned.append(f"'{fact.written}' lies beyond 99 % of what run and error allow: they are in conflict.")
            said = f"at the {100 * share:.1f}{plus_minus(100 * (error or 0.0), 1)} % quantile of such observations"
        elif places.min() == 1.0:
            warned.append(f"'{fact.written}' holds in every sample of the run, and tells nothing.")
        rows.append(_fact_row(fact.written, share, error, said) | _place(fact))
    return Table.of_rows(rows), tuple(warned)


def _mean(likely: Array, block: int) -> tuple[float, float | None]:
    """Give a probability of means over samples (sample,), which may pass 1 by a little, and its standard error."""
    share, error = weighted_estimate(likely, np.full(likely.size, 1 / likely.size), None, block)
    blocks = likely[: likely.size // block * block].reshape(-1, block).mean(axis=1)
    if len(blocks) > 1:  # as the run itself tells its shares, of few blocks too
        error = float(Moments.of(blocks).mean_error(likely.size / block))
    return min(share, 1.0), error


def _fact_row(given: str, share: float, error: float | None, said: str) -> dict[str, object]:
    return {"given": given, "probability": share, "standard_error": error, "said": said}


def _place(fact: Fact) -> dict[str, object]:
    """Tell where a chart shows what is given: between two levels, of an observation one error to either side."""
    low, high = fact.low, fact.high
    if fact.value is not None:
        low, high = fact.value - fact.sd, fact.value + fact.sd
        if fact.of_amount:
            low, high = (math.log10(end) if end > 0 else -math.inf for end in (low, high))
    return {"quantity": fact.outcome.subject, "year": fact.outcome.year, "lower": low, "upper": high}


def _joint_row(facts: Sequence[Fact], used: Weighted, block: int) -> Table:
    """Tell the probability of all that is given."""
    likely = np.exp(used.logs)
    share, error = _mean(likely, block)
    given = "all of it" if len(facts) > 1 else "as drawn anew"
    said = share_text(share, likely.size, error)
    if 0.0 < share <= 1e-3 and error:
        digits = max(1, -math.floor(math.log10(100 * error)))
        said = f"{100 * share:.{digits}f}{plus_minus(100 * error, digits)} %"
        said = said if digits < 8 else f"{share:.3g} ± {error:.1g}"
    return Table.of_rows([_fact_row(given, share, error, f"P {said}")])


def _levels(run: xr.DataTree, facts: Sequence[Fact], used: Weighted, weights: Array) -> Table:
    """Tabulate median and 90 % band by year of the headline and of every variable that is given, before and after."""
    trajectories, years = group(run, "trajectories", of_samples=True), group(run, "summary")["year"].values.tolist()
    given = [fact.outcome.name for fact in facts if fact.outcome.kind == "level" and not fact.outcome.of_actors]
    rows: list[Row] = []
    for name in dict.fromkeys([headline_of(group(run, "summary")), *given]):
        attrs, outcomes = trajectories[name].attrs, [Outcome("level", name, year) for year in years]
        head = {"quantity": name, "label": str(attrs["long_name"]), "unit": str(attrs["units"])}
        for state, values, own in _states(run, used, weights, outcomes):
            for year, samples in zip(years, values, strict=True):
                lower, median, upper = weighted_quantiles(samples, own, LEVELS).tolist()
                rows.append({**head, "state": state, "year": year, "median": median, "lower": lower, "upper": upper})
    return Table.of_rows(rows)


def _states(
    run: xr.DataTree, used: Weighted, weights: Array, outcomes: Sequence[Outcome]
) -> list[tuple[str, Array, Array]]:
    """Read outcomes (outcome, sample) before and given it, each with its weights."""
    before = run_outcomes(run, outcomes)
    after = used.read(outcomes) if used.parameters else before
    return [(BEFORE, before, np.full(before.shape[1], 1 / before.shape[1])), (AFTER, after, weights)]


def _crossings(run: xr.DataTree, used: Weighted, weights: Array) -> Table:
    """Tabulate crossing years before and given it, of the thresholds that some sample passes after the start."""
    names, (first, last) = list(run_crossings(run)), years_of(run)
    if not names:
        return Table({})
    labels = dict(zip(names, group(run, "crossings")["label"].values.tolist(), strict=True))
    block, found = int(run.attrs["block"]), _states(run, used, weights, [Outcome("crossing", name) for name in names])
    rows: list[Row] = []
    for place, name in enumerate(names):
        if all(values[place].max() <= first for _, values, _ in found):
            continue
        for state, values, own in found:
            ends = dict(zip(BANDS, weighted_quantiles(values[place], own, list(BANDS.values())).tolist(), strict=True))
            _, median_error = weighted_estimate(values[place], own, 0.5, block)
            never, error = weighted_estimate(np.asarray(np.isinf(values[place]), dtype=np.float64), own, None, block)
            head = {"threshold": name, "label": labels[name], "state": state}
            told = {"median_error": median_error, "never": never, "never_error": error}
            text = {"first_year": first, "last_year": last, "text": year_text(ends["median"], last, first)}
            rows.append({**head, **ends, **told, **text})
    return Table.of_rows(rows)


def _priors(run: xr.DataTree, used: Weighted, weights: Array) -> Table:
    """Tabulate how far each prior moved, the farthest first, those within chance last."""
    block, stated, drawn = int(run.attrs["block"]), stored_scenario(run).priors, group(run, "parameters")
    found: list[tuple[int, float, Row]] = []
    for name, unit, own, present in drawn_priors(run):
        if own.min() == own.max():
            continue
        if name not in stated:
            rule = "its scenario has no such prior"
            raise RunFileError(f"parameters/{name}: {rule}. It was changed since it was written: make it anew.")
        values, scores, mean, spread = used.parameters.get(name), used.scores.get(name), 0.0, 1.0
        if scores is None:
            ranked = _rank_scores(own, own)
            mean, spread = _moments(ranked, np.full(own.size, 1 / own.size))
            scores = _placed(ranked, present, 0.0) if values is None else _rank_scores(own, values)
        values = _placed(own, present, np.nan) if values is None else values
        held = np.where(np.isnan(values), 0.0, weights)
        held /= held.sum()
        middle, variance = _moments(scores, held)
        terms = held * (scores - middle), held * (np.square(scores - middle) - variance)
        shift, shift_error = (middle - mean) / math.sqrt(spread), _error(terms[0], block) / math.sqrt(spread)
        contraction, contraction_error = 1.0 - variance / spread, _error(terms[1], block) / spread
        beyond = abs(shift) > BY_CHANCE * shift_error or abs(contraction) > BY_CHANCE * contraction_error
        numbers = dict(zip(("before_lower", "before_median", "before_upper"), sample_quantiles(own, LEVELS).tolist(),
                           strict=True))  # fmt: skip
        numbers |= dict(zip(("lower", "median", "upper"), weighted_quantiles(values, held, LEVELS).tolist(),
                            strict=True))  # fmt: skip
        ends = weighted_quantiles(scores, held, LEVELS).tolist()
        row = {
            "input": name, "label": str(drawn[name].attrs.get("long_name") or name), "unit": unit, **numbers,
            "shift": shift, "shift_error": shift_error, "contraction": contraction,
            "contraction_error": contraction_error, "beyond_chance": int(beyond),
            "score_lower": ends[0], "score_upper": ends[2],
            **{f"{end}_text": prior_text(stated[name], value) for end, value in numbers.items()},
        }  # fmt: skip
        ratio = max(variance / spread, 1e-12)
        entropy = (ratio - 1.0 - math.log(ratio) + shift**2) / 2  # of one normal relative to another
        found.append((-int(beyond), -entropy, row))
    return Table.of_rows([row for _, _, row in sorted(found, key=lambda each: each[:2])])


def _placed(values: Array, present: NDArray[np.bool_], missing: float) -> Array:
    """Set the values of the samples that have a prior among all, (sample,)."""
    every = np.full(present.size, missing)
    every[present] = values
    return every


def _rank_scores(own: Array, values: Array) -> Array:
    """Give the normal scores of values (sample,) among a prior's own samples, by rank."""
    middles = rank_among(values, np.sort(own))
    return np.asarray(ndtri(np.clip(middles, 0.25 / own.size, 1 - 0.25 / own.size)))


def _moments(scores: Array, weights: Array) -> tuple[float, float]:
    mean = float(scores @ weights)
    return mean, float(np.square(scores - mean) @ weights)


def _error(terms: Array, block: int) -> float:
    """Estimate the standard error of a sum: the larger of that by blocks and that of independent samples.

    Of many priors some are far out by chance, the more so by an error from few blocks.
    """
    return max(sum_error(terms, block=block), float(np.sqrt(np.square(terms).sum())))
