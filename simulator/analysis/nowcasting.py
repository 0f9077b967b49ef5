"""The largest training run today: what history leads one to expect of it, given later evidence, with the reasons."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from simulator.analysis.evidence import AFTER, BEFORE, Fact, facts_about, given_weights, likelihood
from simulator.dates import day_at
from simulator.errors import InputError
from simulator.files import short_hash
from simulator.history.columns import decimal_year, known_words, last_day
from simulator.history.diagnostics import diagnose, seen_words
from simulator.history.forecast import forecast_largest
from simulator.history.frontier import record_on
from simulator.history.learning import Series, history_of, learn, series
from simulator.history.observations import Observations
from simulator.history.tables import LONGEST_GAP
from simulator.runs.estimates import BANDS, effective_samples, weighted_quantiles
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.units import Array, plain_unit
from simulator.variables import variable
from simulator.wording import aligned, amount_range, amount_words, listed, power_text, signed

if TYPE_CHECKING:
    import xarray as xr

QUANTITIES: Final = ("physical_compute", "spending", "hardware")
FORECASTS: Final = 10
"""Forecasts of each posterior draw: late evidence leaves few of one each."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Nowcast(Result):
    """The largest run at a date, its spending and FLOP per USD, before and given evidence, as `nowcast` gives it."""

    kind: ClassVar[str] = "nowcast"
    about: Mapping[str, str | float]
    largest: Table
    given: Table
    reasons: Table
    samples: Array  # (quantity, sample), log10
    weights: Array  # (sample,), of sum 1
    warned: tuple[str, ...] = ()

    @property
    def folder_name(self) -> str:
        return f"{self.about['name']}-nowcast-{self.about['id']}"

    @property
    def label(self) -> str:
        return f"Nowcast of {self.about['date']} by scenario {self.about['name']}"

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.warned

    @property
    def holds(self) -> bool:
        """Whether the chains of the fit agree."""
        return not self.warned

    @property
    def dataset(self) -> xr.Dataset:
        """Samples at the date by `quantity` with their weights, and quantiles by `quantity`, `state` and `year`."""
        found = self.largest.select("quantity", "state", "year", *BANDS).to_dataset("quantity", "state", "year")
        samples = {"samples": (("quantity", "sample"), self.samples), "weight": ("sample", self.weights)}
        return found.assign(samples).assign_attrs(self.about)

    @property
    def rank(self) -> float:
        """Spearman's rank correlation of spending and FLOP per USD, of the weighted samples."""
        places = np.empty((2, self.weights.size))
        for place, values in zip(places, self.samples[1:], strict=True):
            order = np.argsort(values)
            place[order] = np.cumsum(self.weights[order]) - self.weights[order] / 2
        (one, both), (_, other) = np.cov(places, aweights=self.weights)
        return float(both / math.sqrt(one * other)) if one * other else 0.0

    def tables(self) -> dict[str, Table]:
        """`largest`, `given` and `reasons`: those that have rows."""
        named = {"largest": self.largest, "given": self.given, "reasons": self.reasons}
        return {name: table for name, table in named.items() if len(table)}

    def lines(self) -> list[str]:
        """Say the numbers at the date, and why."""
        told: dict[str, list[str]] = {}
        for row in self.largest.where(year=self.about["year"]).rows():
            told.setdefault(row["label"], [row["label"]]).append(_range(row))
        heads, tail = [["", "median (90 %)"]], ""
        if len(self.given):
            heads = [["", BEFORE, AFTER]]
            worth = f"{self.about['effective']:,.0f}; Pareto k-hat {self.about['khat']:.2f}"
            tail = f"  {self.weights.size:,} samples are worth {worth}"
        return [
            f"the largest training run by the end of {self.about['date']}, by scenario {self.about['name']}",
            *aligned([*heads, *told.values()], keys=1),
            f"  rank correlation of spending and FLOP per USD {signed(self.rank)}",
            "why",
            *(f"  {row['reason']}: {row['said']}" for row in self.reasons.rows()),
            *(f"  {row['given']}: {row['said']}" for row in self.given.rows()),
            *filter(None, [tail]),
        ]


def nowcast(
    scenario: Scenario | Source = "learned",
    *,
    date: str | None = None,
    given: Sequence[str] = (),
    cache: FilePath | str | None = None,
) -> Nowcast:
    """Tell the largest training run at a date to which the tables do not reach, from the trends that they taught.

    The fit of the scenario's history goes on to the date (`forecast_largest`): runs come out at the rate of the past,
    each of the trend's compute with its scatter; the last known record has the scenario's `record_error`. Ten
    forecasts of each posterior draw are weighed by how likely each makes what is given.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
        With `history`: its tables, priors, sampler and errors count.
    date : str, optional
        The day at whose end it is told, such as `2026-11-30`; today without it.
    given : sequence of str
        What is known of the largest run from elsewhere, as `condition` takes it, of `physical_compute`, `spending` and
        `hardware`: `physical_compute@2026-06-02 = 6.1e27 +- 0.3 OOM` for a rumour.
    cache : path, optional
        A folder of fits, as `learn` has it.

    Returns
    -------
    Nowcast, with the tables
        `largest` (by date, before and given it), `given` (how likely it was, and what it moves alone), `reasons`.

    Raises
    ------
    InputError
        The date is not after the data, or more than two years after them; what is given cannot be read, or leaves
        fewer than 100 equal samples.

    Examples
    --------
    >>> nowcast(date="2024")
    Traceback (most recent call last):
    simulator.errors.InputError: date: must be after the end of 2025, to which the tables of learned tell all; got 2024.
    """
    asked = scenario_of(scenario)
    tables, day = series(asked), last_day(date or dt.datetime.now().astimezone().date().isoformat(), entry="date")
    seen, until = tables.observations(), decimal_year(day + dt.timedelta(days=1))
    _check_date(asked, seen.known_to, until, date or day.isoformat())
    facts = _facts(given, seen.known_to, until)
    fit = learn(asked, cache=None if cache is None else FilePath(cache)).fit
    if fit is None:
        raise InputError(f"{asked.spec.name}: has learnt, and its fit is not at hand. Take it as it was before.")
    found = _forecast(fit, asked, until, [float(fact.outcome.year or until) for fact in facts])
    logs, rows = _weigh(found, facts)
    weights, khat = np.full(logs.size, 1 / logs.size), -math.inf
    states = {BEFORE: weights}
    if facts:
        never = [str(row["given"]) for row in rows if not row["effective"]]
        remedy = "Give it a wider error, or look whether it is of that date"
        weights, khat = given_weights(logs, facts, never, study="nowcast", remedy=remedy)
        states[AFTER] = weights
    about: dict[str, str | float] = {
        "name": asked.spec.name, "date": day.isoformat(), "year": until, "fit": str(fit.attrs["fit"]),
        "effective": effective_samples(weights), "khat": khat,
        "id": short_hash(str(fit.attrs["fit"]), day.isoformat(), *(fact.written for fact in facts)),
    }  # fmt: skip
    why = _reasons(tables, fit, seen, history_of(asked).record_error)
    reasons = Table.of_rows({"reason": reason, "said": said} for reason, said in why)
    samples = np.stack([found[name].sel(year=until).values for name in QUANTITIES])
    return Nowcast(about, _largest(found, states), Table.of_rows(rows), reasons, samples, weights, diagnose(fit).faults)


def _check_date(scenario: Scenario, known: float, until: float, date: str) -> None:
    """Refuse a date that the tables reach, and one that they are too far from."""
    reach = f"{known_words(known)}, to which the tables of {scenario.spec.name} tell all; got {date}."
    if until <= known:
        raise InputError(f"date: must be after {reach}")
    if until - known > LONGEST_GAP:
        remedy = "Bring a longer table, or run the scenario: that is a forecast."
        raise InputError(f"date: must be at most {LONGEST_GAP:g} years after {reach} {remedy}")


def _facts(given: Sequence[str], known: float, until: float) -> tuple[Fact, ...]:
    """Read what is given: levels of the largest run after the date of the data."""
    units = {name: variable(name).unit for name in QUANTITIES}
    facts = facts_about(given, units=units, years=np.array([known, until])) if given else ()
    for fact in facts:
        if fact.outcome.kind != "level" or fact.outcome.year == known:
            rule = f"must be of {listed(QUANTITIES)} at a date after {known_words(known)}"
            example = "'physical_compute@2026-06-02 = 6e27 +- 0.3 OOM'"
            raise InputError(f"--given '{fact.written}': {rule}. Write for example {example}.")
    return facts


def _forecast(fit: xr.DataTree, scenario: Scenario, until: float, dates: Sequence[float]) -> xr.Dataset:
    """Go on from the fit to several dates, a few times from each posterior draw."""
    import xarray as xr

    history, at = history_of(scenario), sorted(set(dates))
    seeds = np.random.SeedSequence(history.sampler.seed).generate_state(FORECASTS).tolist()
    found: list[xr.Dataset] = [
        forecast_largest(fit, until=until, seed=seed, at=at, error=history.record_error) for seed in seeds
    ]
    return xr.concat(found, dim="sample")


def _weigh(found: xr.Dataset, facts: Sequence[Fact]) -> tuple[Array, list[Row]]:
    """Give the log likelihood (sample,) of all that is given, and tell what each moves by itself."""
    largest, rows, values = found["physical_compute"].values[-1], list[Row](), list[Array]()
    middle = _quantile(largest, None, 0.5)
    for fact in facts:
        values.append(found[fact.outcome.name].sel(year=fact.outcome.year).values)
        logs, place = fact.logs(values[-1]), float(np.mean(fact.place(values[-1])))
        likely = np.exp(logs - max(logs.max(), -1e300))
        worth = effective_samples(likely) if likely.any() else 0.0
        shift = _quantile(largest, likely / likely.sum(), 0.5) - middle if worth else math.nan
        what = "of such observations would be smaller" if fact.value is not None else "of the forecasts have it"
        said = f"{100 * place:.1f} % {what}; alone it moves the median of the largest run by {signed(shift)} OOM"
        rows.append({"given": fact.written, "probability": place, "shift": shift, "effective": worth, "said": said})
    return likelihood(facts, np.array(values)) if facts else np.zeros(largest.size), rows


def _quantile(values: Array, weights: Array | None, level: float) -> float:
    own = np.full(values.size, 1 / values.size) if weights is None else weights
    return float(weighted_quantiles(values, own, [level])[0])


def _largest(found: xr.Dataset, states: Mapping[str, Array]) -> Table:
    """Tabulate the quantiles of each quantity at each date, before and given it."""
    rows = []
    for name in QUANTITIES:
        words, unit = variable(name).long_name, variable(name).unit
        head = {"quantity": name, "label": "largest run" if name == "physical_compute" else words, "unit": unit}
        for state, own in states.items():
            for year, values in zip(found["year"].values.tolist(), found[name].values, strict=True):
                levels = weighted_quantiles(values, own, list(BANDS.values())).tolist()
                rows.append({**head, "state": state, "year": year, **dict(zip(BANDS, levels, strict=True))})
    return Table.of_rows(rows)


def _range(row: Row) -> str:
    """Write a median with its 90 % interval."""
    unit = plain_unit(str(row["unit"]))
    low, middle, high = (amount_words(row[end], unit, power_text) for end in ("lower_90", "median", "upper_90"))
    return f"{middle} ({amount_range(low, high)})"


def _reasons(tables: Series, fit: xr.DataTree, seen: Observations, error: float) -> Iterator[tuple[str, str]]:
    """Say what the nowcast rests on."""
    known, last = seen.known_to, day_at(seen.known_to) - dt.timedelta(days=1)
    if (record := record_on(tables.runs, last)) is not None:
        told = f"{record.name} ({record.organisation}), {record.date}, {power_text(record.log_flop)} FLOP"
        yield "the last record", f"{told}, {record.confidence}; taken with an error of {error:g} OOM"
    without, all_ = tables.runs.later(last)
    later = f"{without} of {all_} runs of later date have no FLOP" if all_ else "no run of later date is in the table"
    yield "the table is whole", f"to {known_words(known)}, estimates of {seen.snapshot}; {later}"
    rate = seen.run_year.size / (known - seen.years[0])
    yield "runs", f"{seen_words(fit.attrs)}, {rate:.1f} a year, a rate that goes on"
    posterior = group(fit, "posterior")
    growth = {name: posterior[f"{name}_growth"].values.ravel() for name in ("spending", "efficiency")}
    whole = {"compute": sum(growth.values()), **growth}
    names = {"compute": "compute", "spending": "spending", "efficiency": "FLOP per USD"}
    yield "growth learnt", "; ".join(f"{names[name]} {_factors(np.asarray(each))}" for name, each in whole.items())


def _factors(growth: Array) -> str:
    """Write growth (draw,), OOM/year, as factors a year with a 90 % interval."""
    low, middle, high = (10.0 ** _quantile(growth, None, level) for level in (0.05, 0.5, 0.95))
    return f"{middle:.2f}x a year (90 % {low:.2f} to {high:.2f})"
