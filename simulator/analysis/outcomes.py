"""What a sensitivity is of: a variable in a year, a crossing year, or whether a threshold is crossed by a year.

An outcome is written as text, on the command line as in Python:

    effective_compute@2035          the level at a date, log10 of its unit
    crossing:1000x-gpt-4            the crossing year; +inf where it is not crossed by the horizon
    crossed:1000x-gpt-4@2030        1 where it is crossed by that date, else 0
    restricted:1000x-gpt-4          the crossing year, at most the horizon: always finite, as its mean is

A date is a decimal year, or what `simulator.dates` reads: `@2027-12-31`, `@2030 Q3`, `@end of 2027`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.dates import DateError, by_words, day_at, read_year, year_words
from simulator.errors import InputError, near_name, near_or_all
from simulator.priors.joint import NamedPrior
from simulator.runs.estimates import at_date, sample_quantiles
from simulator.runs.groups import group
from simulator.scenario.checks.units import variable_units
from simulator.scenario.resolving import Scenario
from simulator.units import Array, file_unit, parse_growth_unit, parse_level_unit, plain_unit
from simulator.variables import variable
from simulator.wording import listed, power_text, told_unit, year_text

if TYPE_CHECKING:
    import xarray as xr

WRITTEN = "Write for example effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME."

ORDERS_DIFFER = (
    "Swings go by how far the middle of an outcome moves with an input, shares by how much of its variance does, tails "
    "and joint effects included: their orders may differ."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One number of each sample: of a variable or threshold, in a year where its kind has one; `written` so."""

    kind: Literal["level", "crossing", "crossed", "restricted"]
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
        """`log10` of the variable's unit, `year`, or `1`."""
        return {"level": "log10", "crossed": "1"}.get(self.kind, "year")

    @property
    def censored(self) -> bool:
        """Whether it may be +inf, for "not by the horizon"."""
        return self.kind == "crossing"

    @property
    def statistic(self) -> str:
        """What is looked at in its samples: `median`, or `mean` of a probability and of what is at most the horizon."""
        return "mean" if self.kind in ("crossed", "restricted") else "median"

    def middle(self, samples: Array) -> float:
        """Take its statistic over samples, (sample,); the median of crossing years is +inf where half of them are."""
        return float(np.mean(samples) if self.statistic == "mean" else sample_quantiles(samples, [0.5])[0])


def outcome_words(outcome: Outcome, *, labels: Mapping[str, str], statistic: str = "") -> str:
    """Name an outcome, with what of its samples is told; without its year it is named for every year."""
    label = labels.get(outcome.name, outcome.name)
    head = f"{statistic} " if statistic else ""
    if outcome.kind == "crossed":
        when = "by the year" if outcome.year is None else by_words(outcome.year)
        return f"{'probability that' if statistic == 'mean' else 'whether'} {label} is crossed {when}"
    if outcome.kind == "level":
        name = labels.get(outcome.name) or variable(outcome.name).long_name
        return f"{head}{name}" if outcome.year is None else f"{head}{name} in {year_words(outcome.year)}"
    end = ", the horizon where it is later" if outcome.kind == "restricted" else ""
    return f"{head}crossing year of {label}{end}"


def outcome_words_in(run: xr.DataTree, outcome: Outcome, *, statistic: str = "") -> str:
    """Name an outcome by what a run or a sweep calls its variable or threshold; see `outcome_words`."""
    summary = group(run, "summary")
    if outcome.kind == "level":
        label = str(summary[outcome.name].attrs.get("long_name", ""))
    else:
        labels: dict[str, str] = {}
        for dim, words in (("event", "begins"), ("threshold", "label")):
            if dim in summary.coords:
                labels |= dict(zip(summary[dim].values.tolist(), summary[words].values.tolist(), strict=True))
        label = str(labels[outcome.name])
    return outcome_words(outcome, labels={outcome.name: label}, statistic=statistic)


def in_a_sentence(words: str) -> str:
    """Set the article before the name of an outcome where a sentence needs one."""
    return f"the {words}" if words.startswith("crossing year of ") else words


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
    if not colon:
        if year is None or not head:
            raise InputError(f"outcome '{written}': a variable needs a year. {WRITTEN}")
        return Outcome("level", head.replace("-", "_"), year, written)
    if kind not in ("crossing", "crossed", "restricted") or not name:
        hint = near_name(kind, ("crossing", "crossed", "restricted"))
        raise InputError(f"outcome '{written}': '{kind}' is no kind of outcome. {hint or WRITTEN}")
    if (kind == "crossed") != (year is not None):
        rule = "needs the year by which it is crossed" if kind == "crossed" else "has no year"
        raise InputError(f"outcome '{written}': '{kind}' {rule}. {WRITTEN}")
    return Outcome(kind, name, year, written)  # type: ignore[arg-type]


def parse_outcomes(given: Iterable[Outcome | str]) -> tuple[Outcome, ...]:
    """Read outcomes, of which some may be texts; each once."""
    return tuple(dict.fromkeys(parse_outcome(each) if isinstance(each, str) else each for each in given))


def outcomes_over(text: str, years: Iterable[float]) -> tuple[Outcome, ...]:
    """Read an outcome; where it leaves its year open it stands for that outcome in every one of these years."""
    kind, colon, _ = text.strip().partition(":")
    if "@" in text or not kind or (colon and kind != "crossed"):
        return (parse_outcome(text),)
    # Written with 17 digits a year is read back as it was.
    return tuple(parse_outcome(f"{text.strip()}@{year!r}", written=text.strip()) for year in map(float, years))


def outcomes_from(
    outcomes: Sequence[Outcome], *, years: Array, rows: Mapping[str, NDArray[Any]], crossing: Mapping[str, Array]
) -> Array:
    """Read outcomes (outcome, sample) off levels (year, sample) by variable and crossing years by threshold."""
    return np.stack([_values(outcome, years, rows, crossing) for outcome in outcomes])


def _values(outcome: Outcome, years: Array, rows: Mapping[str, NDArray[Any]], crossing: Mapping[str, Array]) -> Array:
    known = rows if outcome.kind == "level" else crossing
    if outcome.name not in known:
        what = "variable" if outcome.kind == "level" else "threshold"
        hint = near_or_all(outcome.name, known)
        raise InputError(f"outcome '{outcome.asked}': there is no {what} '{outcome.name}'. {hint}")
    if outcome.kind == "level":
        asked = years[0] if outcome.year is None else outcome.year
        return _level_at(outcome, float(asked), years, rows[outcome.name])
    when = np.asarray(crossing[outcome.name], dtype=np.float64)
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
    return outcome.kind == "level" and outcome.year is not None and outcome.year not in np.asarray(years)


def between_words(outcomes: Iterable[Outcome], years: Array | Sequence[float], *, of: str = "run") -> list[str]:
    """Say which outcomes lie between two years of what is stored, and how they are read; empty where none does.

    Of a sweep, which keeps no samples, whether a threshold is crossed is told in its years alone, too.
    """
    dated = [each for each in outcomes if each.year is not None and (of == "sweep" or each.kind == "level")]
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
    dates = run_events(run) | run_crossings(run)
    return outcomes_from(outcomes, years=trajectories["year"].values, rows=rows, crossing=dates)


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
    if outcome.kind != "level":
        return outcome.unit
    return variable(outcome.name, unit=variable_units(scenario.spec).get(outcome.name, "1")).unit


def outcome_text(value: float, *, unit: str, years: tuple[float, float], short: bool = False) -> str:
    """Write an outcome, a crossing as censored by the first and the last of the years; in short without its unit."""
    if unit == "year":
        return year_text(value, years[1], years[0])
    if unit.startswith("log10("):
        text = level_text(value, plain_unit(unit))
        return text.removesuffix(f" {plain_unit(unit)}") if short else text
    return f"{value:.3g}" if unit in ("", "1") or short else f"{value:.3g} {unit}"


def difference_words(unit: str) -> tuple[int, str]:
    """Tell to how many digits, and in what, a difference of outcomes of a unit is written."""
    if unit == "year":
        return 1, "years"
    return (2, "OOM") if unit.startswith("log10(") else (2, "")


def level_text(log_value: float, unit: str) -> str:
    """Write a level that is given in log10 of a unit."""
    size, told = told_unit(log_value, unit)
    text = _plain(log_value - size) if size or -3 <= log_value < (6 if unit == "USD" else 5) else power_text(log_value)
    if unit == "USD" and text[-1:].isdigit() and "e" not in text:
        return f"${text} {told}".removesuffix("USD").rstrip()
    return text if told in ("1", "fraction") else f"{text} {told}"


def _plain(log_value: float) -> str:
    number = float(f"{10**log_value:.3g}")
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"


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
