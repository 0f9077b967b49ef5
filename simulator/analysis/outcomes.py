"""What a sensitivity is of: a variable in a year, a crossing year, or whether a threshold is crossed by a year.

An outcome is written as text, on the command line as in Python:

    effective_compute@2035          the level at a date, log10 of its unit
    crossing:1000x-gpt-4            the crossing year; +inf where it is not crossed by the horizon
    crossed:1000x-gpt-4@2030        1 where it is crossed by that date, else 0
    restricted:1000x-gpt-4          the crossing year, at most the horizon: always finite, as its mean is

Of a scenario with actors, beside what those say of the frontier:

    leads:us-frontier@2030          1 where the actor leads at that date, else 0; in parts where several do
    lead@2030, lead_months@2030     by how many OOM, how many months the first is ahead of the second
    behind:open-weights@2030        by how many OOM an actor is behind the one that leads; behind_months: months
    effective_compute:china@2030    a level of an actor
    crossing:1000x-gpt-4:2          when it is crossed by so many, by `all`, or by one by name; crossed, restricted too

A date is a decimal year, or what `simulator.dates` reads: `@2027-12-31`, `@2030 Q3`, `@end of 2027`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.dates import DateError, by_words, day_at, read_year, year_words
from simulator.errors import InputError, near_name, near_or_all
from simulator.model.race import DISTANCES, Race, race_fault
from simulator.priors.joint import NamedPrior
from simulator.runs.actors import actor_labels, many_words, run_race
from simulator.runs.estimates import at_date, sample_quantiles
from simulator.runs.groups import group
from simulator.scenario.checks.units import variable_units
from simulator.scenario.resolving import Scenario
from simulator.units import Array, file_unit, parse_growth_unit, parse_level_unit, plain_unit
from simulator.variables import variable
from simulator.wording import level_text, listed, year_text

if TYPE_CHECKING:
    import xarray as xr

WRITTEN = (
    "Write for example effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME; of actors "
    "leads:NAME@2030, lead@2030 or crossing:NAME:2."
)

ORDERS_DIFFER = (
    "Swings go by how far the middle of an outcome moves with an input, shares by how much of its variance does, tails "
    "and joint effects included: their orders may differ."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One number of each sample: of a variable or threshold, in a year where its kind has one; `written` so."""

    kind: Literal["level", "crossing", "crossed", "restricted", "leads"]
    name: str
    year: float | None = None
    written: str = field(default="", repr=False, compare=False)

    @property
    def asked(self) -> str:
        """The outcome as errors name it: as the user wrote it, where a user did."""
        return self.written or self.text

    @property
    def subject(self) -> str:
        """What it is of, whatever the year."""
        return self.name if self.kind == "level" else f"{self.kind}:{self.name}"

    @property
    def text(self) -> str:
        """The outcome as it is written."""
        return self.subject if self.year is None else f"{self.subject}@{year_words(self.year)}"

    @property
    def unit(self) -> str:
        """`log10` of the variable's unit, `OOM`, `months`, `year`, or `1`."""
        if self.kind == "level":
            return DISTANCES[self.of].unit if self.of in DISTANCES else "log10"
        return "1" if self.is_share else "year"

    @property
    def of(self) -> str:
        """The variable or threshold that it is of."""
        return self.name.partition(":")[0]

    @property
    def by(self) -> str:
        """The actor that it is of, or by whom a threshold is crossed; empty where it is the one that leads."""
        return self.name if self.kind == "leads" else self.name.partition(":")[2]

    @property
    def of_actors(self) -> bool:
        """Whether it is of an actor, or of how far several are apart, and not of the frontier."""
        return bool(self.by) or (self.kind == "level" and self.name in DISTANCES)

    @property
    def is_share(self) -> bool:
        """Whether it is 1 or 0, and its mean a probability."""
        return self.kind in ("crossed", "leads")

    @property
    def censored(self) -> bool:
        """Whether it may be +inf, for "not by the horizon", or "before the first year"."""
        return self.kind == "crossing" or self.unit == "months"

    @property
    def statistic(self) -> str:
        """What is looked at in its samples: `median`, or `mean` of a probability and of what is at most the horizon."""
        return "mean" if self.is_share or self.kind == "restricted" else "median"

    def middle(self, samples: Array) -> float:
        """Take its statistic over samples, (sample,); the median of crossing years is +inf where half of them are."""
        return float(np.mean(samples) if self.statistic == "mean" else sample_quantiles(samples, [0.5])[0])


def outcome_words(outcome: Outcome, *, labels: Mapping[str, str], statistic: str = "") -> str:
    """Name an outcome, with what of its samples is told; without its year it is named for every year.

    The labels of actors stand under `actor:NAME`.
    """
    label, actor = labels.get(outcome.of, outcome.of), labels.get(f"actor:{outcome.by}", outcome.by)
    head = f"{statistic} " if statistic else ""
    whether = "probability that" if statistic == "mean" else "whether"
    if outcome.kind == "leads":
        when = "in the year" if outcome.year is None else f"in {year_words(outcome.year)}"
        return f"{whether} {actor} leads {when}"
    if outcome.kind == "level":
        distance = DISTANCES[outcome.of].name if outcome.of in DISTANCES else outcome.of
        name = labels.get(outcome.of) or variable(distance).long_name
        name = f"{name}, of {actor}" if actor else name
        return f"{head}{name}" if outcome.year is None else f"{head}{name} in {year_words(outcome.year)}"
    by = f" by {many_words(actor)}" if actor else ""
    if outcome.kind == "crossed":
        when = "by the year" if outcome.year is None else by_words(outcome.year)
        return f"{whether} {label} is crossed{by} {when}"
    end = ", the horizon where it is later" if outcome.kind == "restricted" else ""
    return f"{head}crossing year of {label}{by}{end}"


def outcome_words_in(run: xr.DataTree, outcome: Outcome, *, statistic: str = "") -> str:
    """Name an outcome by what a run or a sweep calls its variable or threshold; see `outcome_words`."""
    summary = group(run, "summary")
    labels = {f"actor:{name}": label for name, label in actor_labels(run).items()}
    if outcome.kind == "level" and outcome.of in summary:
        labels[outcome.of] = str(summary[outcome.of].attrs.get("long_name", ""))
    for dim, words in (("event", "begins"), ("threshold", "label")) if outcome.kind != "level" else ():
        if dim in summary.coords:
            labels |= dict(zip(summary[dim].values.tolist(), summary[words].values.tolist(), strict=True))
    return outcome_words(outcome, labels=labels, statistic=statistic)


def unit_in(tree: xr.DataTree, outcome: Outcome) -> str:
    """Name the unit of an outcome of a run or a sweep: of a level, `log10(FLOP)` or the like; `year`; or `1`."""
    if outcome.unit != "log10":
        return outcome.unit
    return str(group(tree, "summary")[outcome.of].attrs["units"])


def in_a_sentence(words: str) -> str:
    """Set the article before the name of an outcome where a sentence needs one."""
    return f"the {words}" if words.startswith("crossing year of ") else words


DATED = ("crossing", "crossed", "restricted")
"""The kinds of outcome that are of a threshold."""
KINDS: Mapping[str, bool] = MappingProxyType({"crossing": False, "crossed": True, "restricted": False, "leads": True})
"""The kinds of outcome beside levels, and whether each has a date."""


def parse_outcome(text: str, *, written: str = "") -> Outcome:
    """Read an outcome; an InputError says how it is written, and names what was `written` where that is not the text.

    >>> parse_outcome("crossed:1000x-gpt-4@2030")
    Outcome(kind='crossed', name='1000x-gpt-4', year=2030.0)
    """
    written = written or text.strip()
    head, at, tail = text.strip().partition("@")
    kind, colon, name = head.partition(":")
    try:
        year = read_year(tail) if at else None
    except DateError as error:
        raise InputError(f"outcome '{written}': '{tail}' is no year. {error.remedy} {WRITTEN}") from None
    known = kind in KINDS or kind.replace("-", "_") in DISTANCES
    hint = near_name(kind, KINDS) if colon and not known else ""
    if not colon or (kind not in KINDS and name and year is not None and not hint):
        if year is None or not head:
            raise InputError(f"outcome '{written}': a variable needs a year. {WRITTEN}")
        return Outcome("level", kind.replace("-", "_") + colon + name, year, written)
    if kind not in KINDS or not name:
        rule = f"'{kind}' is no kind of outcome" if kind not in KINDS else "names nothing"
        raise InputError(f"outcome '{written}': {rule}. {hint or WRITTEN}")
    if KINDS[kind] != (year is not None):
        rule = "has no year"
        if KINDS[kind]:
            rule = "needs the year by which it is crossed" if kind == "crossed" else "needs the year in which it leads"
        raise InputError(f"outcome '{written}': '{kind}' {rule}. {WRITTEN}")
    return Outcome(kind, name, year, written)  # type: ignore[arg-type]


def parse_outcomes(given: Iterable[Outcome | str]) -> tuple[Outcome, ...]:
    """Read outcomes, of which some may be texts; each once."""
    return tuple(dict.fromkeys(parse_outcome(each) if isinstance(each, str) else each for each in given))


def outcomes_over(text: str, years: Iterable[float]) -> tuple[Outcome, ...]:
    """Read an outcome; where it leaves its year open it stands for that outcome in every one of these years."""
    kind, colon, _ = text.strip().partition(":")
    if "@" in text or not kind or (colon and not KINDS.get(kind, near_name(kind, KINDS) == "")):
        return (parse_outcome(text),)
    # Written with 17 digits a year is read back as it was.
    return tuple(parse_outcome(f"{text.strip()}@{year!r}", written=text.strip()) for year in map(float, years))


def outcomes_from(
    outcomes: Sequence[Outcome],
    *,
    years: Array,
    rows: Mapping[str, NDArray[Any]],
    crossing: Mapping[str, Array],
    race: Race | None = None,
) -> Array:
    """Read outcomes (outcome, sample) off levels (year, sample) by variable and crossing years by threshold.

    `race` is of the actors, where there are some.
    """
    return np.stack([
        _of_race(outcome, years, race) if outcome.of_actors else _values(outcome, years, rows, crossing)
        for outcome in outcomes
    ])  # fmt: skip


def _of_race(outcome: Outcome, years: Array, race: Race | None) -> Array:
    """Read an outcome of an actor, or of how far several are apart."""
    if race is None:
        raise InputError(f"outcome '{outcome.asked}': is of actors, and there are none here. Name some under actors.")
    check_race(outcome, actors=race.actors, levels=race.levels, thresholds=race.crossing)
    check_within(outcome, years)
    if outcome.kind in DATED:
        return _dated(outcome, race.crossed_by(outcome.of, outcome.by), years)
    date = float(years[0]) if outcome.year is None else outcome.year
    return race.with_date(date).at(outcome.of, outcome.by, date, leads=outcome.kind == "leads")


def check_race(
    outcome: Outcome, *, actors: Sequence[str], levels: Collection[str], thresholds: Collection[str]
) -> None:
    """Refuse an outcome of an actor that is not there, or of what is not known by actor."""
    dated = outcome.kind in DATED
    known = thresholds if dated else None if outcome.kind == "leads" else (*levels, *DISTANCES)
    if rule := race_fault(outcome.of, outcome.by, actors=actors, known=known, dated=dated):
        raise InputError(f"outcome '{outcome.asked}': {rule}")


def _values(outcome: Outcome, years: Array, rows: Mapping[str, NDArray[Any]], crossing: Mapping[str, Array]) -> Array:
    known = rows if outcome.kind == "level" else crossing
    if outcome.name not in known:
        what = "variable" if outcome.kind == "level" else "threshold"
        hint = near_or_all(outcome.name, known)
        raise InputError(f"outcome '{outcome.asked}': there is no {what} '{outcome.name}'. {hint}")
    if outcome.kind == "level":
        asked = years[0] if outcome.year is None else outcome.year
        return _level_at(outcome, float(asked), years, rows[outcome.name])
    return _dated(outcome, np.asarray(crossing[outcome.name], dtype=np.float64), years)


def _dated(outcome: Outcome, when: Array, years: Array) -> Array:
    if outcome.kind == "crossed":
        check_within(outcome, years)
        return np.asarray(when <= (outcome.year or 0.0), dtype=np.float64)  # it has one
    return np.minimum(when, years[-1]) if outcome.kind == "restricted" else when


def _level_at(outcome: Outcome, year: float, years: Array, rows: NDArray[Any]) -> Array:
    """Read the level of a year; between two years of the run on the straight line between their levels."""
    check_within(outcome, years)
    counted = not np.issubdtype(rows.dtype, np.floating) or outcome.name.startswith("models_")
    if counted and is_between(outcome, years):
        nearest = nearest_years(years.tolist(), year)
        raise InputError(f"outcome '{outcome.asked}': it is told in the run's years alone. The nearest are {nearest}.")
    return at_date(rows.T, years, year)


def check_within(outcome: Outcome, years: Array | Sequence[float]) -> None:
    """Refuse an outcome at a date that lies outside the years."""
    years = np.asarray(years)
    if outcome.year is not None and not years[0] <= outcome.year <= years[-1]:
        told = [(year_words(end), end) for end in (float(years[0]), float(years[-1]))]
        ends = " to ".join(text if len(text) <= 10 else str(day_at(end)) for text, end in told)
        raise InputError(f"outcome '{outcome.asked}': the years go from {ends}.")


def is_between(outcome: Outcome, years: Array | Sequence[float]) -> bool:
    """Tell whether an outcome is a level at a date between two of the years."""
    return outcome.kind in ("level", "leads") and outcome.year is not None and outcome.year not in np.asarray(years)


def between_words(outcomes: Iterable[Outcome], years: Array | Sequence[float], *, of: str = "run") -> list[str]:
    """Say which outcomes lie between two years of what is stored, and how they are read; empty where none does.

    Of a sweep, which keeps no samples, whether a threshold is crossed is told in its years alone, too.
    """
    dated = [each for each in outcomes if each.year is not None and (of == "sweep" or each.kind != "crossed")]
    names = [outcome.text for outcome in dated if outcome.year not in np.asarray(years)]
    return [f"  between the years of the {of}, on straight lines (levels in log10): {listed(names)}"] if names else []


def nearest_years(years: Sequence[float], asked: float) -> str:
    """Name the three years that are nearest to the one that was asked for."""
    return ", ".join(f"{year:g}" for year in sorted(sorted(years, key=lambda year: abs(year - asked))[:3]))


def run_outcomes(run: xr.DataTree, outcomes: Sequence[Outcome]) -> Array:
    """Read outcomes (outcome, sample) off a run that kept its samples."""
    trajectories = group(run, "trajectories", of_samples=True)
    needed = {outcome.name for outcome in outcomes if outcome.kind == "level"}
    rows = {
        str(name): values.transpose("year", "sample").values if name in needed else np.empty(0)
        for name, values in trajectories.data_vars.items()
    }
    dates, years = run_events(run) | run_crossings(run), trajectories["year"].values
    race = run_race(run, {outcome.of for outcome in outcomes}) if any(each.of_actors for each in outcomes) else None
    return outcomes_from(outcomes, years=years, rows=rows, crossing=dates, race=race)


def run_crossings(run: xr.DataTree) -> dict[str, Array]:
    """Give the crossing years (sample,) of a run that kept its samples, by threshold."""
    if "crossings" not in run.children:
        return {}
    crossings = group(run, "crossings", of_samples=True)
    return dict(zip(crossings["threshold"].values.tolist(), crossings["crossing_year"].values, strict=True))


def run_events(run: xr.DataTree) -> dict[str, Array]:
    """Give the dates (sample,) of the events of a run that kept its samples, by name."""
    if "events" not in run.children:
        return {}
    events = group(run, "events", of_samples=True)
    return dict(zip(events["event"].values.tolist(), events["event_year"].values, strict=True))


def years_of(run: xr.DataTree) -> tuple[float, float]:
    """Give the first and the last year of a run or a sweep."""
    years = group(run, "summary")["year"].values
    return float(years[0]), float(years[-1])


def headline_outcomes(main: str, years: Sequence[float], thresholds: Sequence[str]) -> tuple[Outcome, ...]:
    """Choose what is looked at where nothing is asked: the headline half-way and at the end, and a first threshold."""
    middle = years[len(years) // 2]
    levels = [Outcome("level", main, float(year)) for year in dict.fromkeys((middle, years[-1]))]
    return (*levels, *(Outcome("crossing", name) for name in thresholds[:1]))


def outcome_unit(scenario: Scenario, outcome: Outcome) -> str:
    """Name the unit of an outcome: of a level, `log10(FLOP)` or the like; `year`; or `1`."""
    if outcome.unit != "log10":
        return outcome.unit
    return variable(outcome.of, unit=variable_units(scenario.spec).get(outcome.of, "1")).unit


def outcome_text(value: float, *, unit: str, years: tuple[float, float], short: bool = False) -> str:
    """Write an outcome, a crossing as censored by the first and the last of the years; in short without its unit."""
    if unit == "year":
        return year_text(value, years[1], years[0])
    if math.isinf(value) and unit == "months":
        return "more than since the start"
    if unit.startswith("log10("):
        text = level_text(value, plain_unit(unit))
        return text.removesuffix(f" {plain_unit(unit)}") if short else text
    return f"{value:.3g}" if unit in ("", "1") or short else f"{value:.3g} {unit}"


def difference_words(unit: str) -> tuple[int, str]:
    """Tell to how many digits, and in what, a difference of outcomes of a unit is written."""
    if unit in ("year", "months"):
        return 1, "years" if unit == "year" else unit
    return (2, "OOM") if unit == "OOM" or unit.startswith("log10(") else (2, "")


_SHORT: Mapping[str, str] = MappingProxyType({
    "factor/year": "x/yr", "x/year": "x/yr", "%/year": " %/yr", "OOM/year": " OOM/yr",
})  # fmt: skip


def prior_text(prior: NamedPrior, value: float) -> str:
    """Write a number of a prior, given on the internal scale, in the unit in which the file states it."""
    if math.isinf(value):
        return "never"
    stated = prior.prior.unit if prior.prior.mixture is None else None
    if prior.unit == "OOM/year":
        unit = stated or "factor/year"
        with np.errstate(divide="ignore", over="ignore"):
            number = float(parse_growth_unit(unit).conversion.inverse(np.float64(value)))  # type: ignore[arg-type]
        return f"{number:.3g}{_SHORT.get(unit, f' {unit}')}"
    if prior.unit == "year":
        return f"{value:.1f}"
    if prior.unit == "years":
        return f"{value:.3g} years"
    if not prior.unit.startswith("log10("):
        return f"{value:.3g}"
    unit = stated or file_unit(prior.unit)
    read, is_log = parse_level_unit(unit)
    level = value - math.log10(read.scale)
    return f"{level:.3g} {unit}" if is_log else level_text(level, unit)


QUANTILES = {"5 % quantile": 0.05, "median": 0.5, "95 % quantile": 0.95}
MEDIAN_YEAR = "median crossing year"
MEAN_YEAR = "restricted mean crossing year"
CROSSED = "probability of having crossed"


class Headline(NamedTuple):
    """A number that is told of a forecast: a statistic of an outcome, in a year where it has one."""

    quantity: str
    label: str
    statistic: str
    year: float | None
    unit: str


def outcome_of(number: Headline) -> Outcome:
    """Name the outcome of which a headline number is a statistic."""
    if number.statistic in (MEDIAN_YEAR, MEAN_YEAR):
        return Outcome("crossing", number.quantity)
    return Outcome("crossed" if number.statistic == CROSSED else "level", number.quantity, number.year)


def statistic_of(number: Headline, outcome: Outcome, values: Array, *, start: float) -> float:
    """Take a headline number off the samples of its outcome, (sample,); -inf: a median that is passed at the start."""
    if number.statistic == MEAN_YEAR and number.year is not None:
        return float(np.minimum(values, number.year).mean())
    middle = outcome.middle(values)
    return -math.inf if number.statistic == MEDIAN_YEAR and middle <= start else middle
