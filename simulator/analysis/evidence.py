"""What is given of a run, as people write it, and how likely each sample makes it.

    physical_compute@2027.9 >= 1e28                  so much or more at a date; <= for so much or less
    physical_compute@2027.9 = 1e28 +- 0.1 OOM        observed with a standard error, here of its log10
    spending@2027 = $1 billion +- 30 %               one of the amount itself: a share of it, or an amount
    spending@2027 = $1 billion x/ 1.5                one of its log, as a factor
    power@2027 = 1 to 3 GW (90 %)                    the interval that an observer states
    power@2027 in 1 to 3 GW                          certainly between two
    crossing:NAME <= 2028, by end of 2027, not by 2027, = never, = 2027.5 +- 0.3
    crossed:NAME@2028, leads:ACTOR@2028              reached by then; an actor leads then
    lead@2028 >= 0.5 OOM, behind_months:ACTOR@2028 <= 6   how far actors are apart; see `simulator.analysis.outcomes`
    export-controls, not export-controls             an event comes by the horizon, or does not; `export-controls by
                                                     end of 2028` and the like as of crossings

`power` stands for `quantity_power` where no variable of the run is called so. An error is that of a normal
distribution. Amounts and dates are those of scenario files; a number without a unit is in that of the variable.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.analysis.outcomes import Outcome, check_within, parse_outcome, run_events
from simulator.analysis.reweighting import FEWEST_EFFECTIVE, HEAVIEST
from simulator.dates import DateError, read_year
from simulator.errors import InputError, near_or_all
from simulator.history.importance import MOST_ROUNDS, bounded_weights
from simulator.model.race import DISTANCES
from simulator.runs.actors import run_race
from simulator.runs.estimates import effective_samples, smoothed_weights
from simulator.runs.groups import group
from simulator.schema.amounts import NUMBER, Amount, read_amount, read_range
from simulator.units import PERCENT, SECONDS_PER_YEAR, Array, UnitError, factor_between, parse_unit, plain_unit
from simulator.wording import listed, sample_count, share_text

if TYPE_CHECKING:
    import xarray as xr

BEFORE, AFTER = "before", "given it"
"""The states of a forecast in tables."""
EXAMPLES = (
    "Write for example 'physical_compute@2027.9 >= 1e28', 'spending@2027 = $1 billion +- 0.1 OOM', "
    "'power@2027 in 1 to 3 GW' or 'crossing:NAME by end of 2027'."
)
_FACT = re.compile(
    r"(?P<subject>.+?)\s*(?P<how>>=|<=|=>|=<|≥|≤|==?|>|<|(?<=\s)(?:not\s+by|by|in|never)(?=\s|$))\s*(?P<what>.*)"
)
_ERROR = re.compile(rf"(?P<value>.+?)\s*(?:(?:\+-|\+/-|±)\s*(?P<amount>.+)|[x*×]/\s*(?P<factor>{NUMBER}))")
_DENSITY = math.log(2.0 * math.pi) / 2.0


@dataclass(frozen=True, slots=True)
class Fact:
    """What is given of one outcome: that it lies from `low` to `high`, or its `value` observed with an error of `sd`.

    They are on the scale of the outcome: log10 of the unit, or years. `of_amount` says that the error is of the amount
    itself: `value` and `sd` are in the variable's unit, of which the outcome is the log10.
    """

    written: str
    outcome: Outcome
    low: float = -math.inf
    high: float = math.inf
    value: float | None = None
    sd: float = 0.0
    of_amount: bool = False

    def misses(self, samples: Array) -> Array:
        """Tell how far samples (sample,) are from what is given: in its errors, or on the scale of the outcome."""
        with np.errstate(invalid="ignore", over="ignore"):
            if self.value is not None:
                return np.asarray(((10.0**samples if self.of_amount else samples) - self.value) / self.sd)
            away = np.maximum(self.low - samples, samples - self.high)
        return np.where((samples >= self.low) & (samples <= self.high), 0.0, away)

    def logs(self, samples: Array) -> Array:
        """Give the log likelihood (sample,): a density on the scale of the value; of what is certain 0 or -inf."""
        missed = self.misses(samples)
        if self.value is None:
            return np.where(missed == 0.0, 0.0, -np.inf)
        with np.errstate(over="ignore"):  # what is farther off than a float tells has no likelihood
            return np.where(np.isnan(missed), -np.inf, -0.5 * np.square(missed) - math.log(self.sd) - _DENSITY)

    def place(self, samples: Array) -> Array:
        """Give how likely each sample makes it (sample,); of an observation, how likely one as small would be."""
        return ndtr(-self.misses(samples)) if self.value is not None else np.exp(self.logs(samples))


def likelihood(facts: Sequence[Fact], found: Array) -> Array:
    """Add up the log likelihoods (sample,) of outcomes (fact, sample)."""
    return np.sum([fact.logs(row) for fact, row in zip(facts, found, strict=True)], axis=0)


def given_weights(
    logs: Array,
    facts: Sequence[Fact],
    unlikely: Sequence[str],
    *,
    study: str,
    remedy: str,
    most: float = 0.0,
    redrawn: bool = False,
) -> tuple[Array, float]:
    """Give weights of sum 1 of log likelihoods (sample,) and their k-hat; refuse what few samples, or none, stand for.

    `unlikely` is what no sample has by itself; `most` is how many samples there may be; those `redrawn` are from where
    it should hold, with the logs of likelihood times prior over proposal.
    """
    count = sample_count(logs.size)
    if not np.isfinite(logs).any():
        what = f"'{unlikely[0]}'" if unlikely else "all that is given together"
        bound = f"its probability is below {share_text(0.0, logs.size).removeprefix('< ')}"
        if redrawn:
            bound = f"it was not reached in {MOST_ROUNDS} rounds that move the prior towards it"
        raise InputError(f"{study}: none of {count} has {what}: {bound}. {remedy}.")
    weights, khat = bounded_weights(logs) if redrawn else smoothed_weights(logs)
    effective = effective_samples(weights)
    if effective < FEWEST_EFFECTIVE * (1 - 1e-9):  # as many equal samples are worth a little less by rounding
        needed = 1.2 * logs.size * FEWEST_EFFECTIVE / effective
        step = 10.0 ** math.floor(math.log10(needed))
        needed = math.ceil(needed / step) * step
        more = f" or run the scenario with --samples {needed:.0e}".replace("e+0", "e")
        more = more if needed <= most and khat <= HEAVIEST else ""
        raise InputError(
            f"{study}: {count} would be worth {effective:.1f} given {listed(f"'{fact.written}'" for fact in facts)}, "
            f"and {FEWEST_EFFECTIVE:g} are needed at least. {remedy}{more}."
        )
    if khat > HEAVIEST:
        raise InputError(
            f"{study}: the weights have too heavy a tail (Pareto k-hat {khat:.2f}, above {HEAVIEST:g}): samples that "
            f"were not drawn would decide. {remedy}."
        )
    return weights, khat


class _Scale(NamedTuple):
    """How the numbers of an outcome are read: the unit that it is in, and whether it is the log10 of that."""

    unit: str
    is_log: bool


def read_facts(run: xr.DataTree, given: Sequence[str]) -> tuple[Fact, ...]:
    """Read what is given of a run that kept its samples."""
    trajectories = group(run, "trajectories", of_samples=True)
    units = {
        str(name): "" if "flag_values" in each.attrs else str(each.attrs.get("units", "1"))
        for name, each in trajectories.data_vars.items()
    }
    events, race = frozenset(name for name in run_events(run) if "." not in name), run_race(run, ())
    if race is not None:
        units |= {name: each.unit for name, each in DISTANCES.items() if name.startswith("lead")}
        apart = {name: units[name] for name in race.levels} | {
            name: each.unit for name, each in DISTANCES.items() if name.startswith("behind")
        }
        units |= {f"{name}:{actor}": unit for actor in race.actors for name, unit in apart.items()}
    return facts_about(given, units=units, years=trajectories["year"].values, events=events)


def facts_about(
    given: Sequence[str], *, units: Mapping[str, str], years: Array, events: Collection[str] = ()
) -> tuple[Fact, ...]:
    """Read what is given of variables that have these units ("" of what is no amount), or of events, within years."""
    if isinstance(given, str) or not given:
        raise InputError(f"--given: must be one text or more; got {given or 'none'!r}. {EXAMPLES}")
    facts = []
    for text in (" ".join(each.split()) for each in given):
        fact = _read_event(text, events, float(years[-1])) or _read(text, units)
        try:
            check_within(fact.outcome, years)
        except InputError as error:
            _refuse(text, str(error).partition(": ")[2], "Name a date in them.")
        dated = [each for each in (fact.low, fact.high, fact.value) if each is not None and math.isfinite(each)]
        last = math.nextafter(years[-1], math.inf)  # after the horizon is never
        if fact.outcome.kind in ("crossing", "restricted") and not all(years[0] <= each <= last for each in dated):
            _refuse(text, f"the run tells crossings from {years[0]:g} to {years[-1]:g} alone.", "Name a date in it.")
        facts.append(fact)
    _check_together(facts)
    return tuple(dict.fromkeys(facts))


def _check_together(facts: Sequence[Fact]) -> None:
    """Refuse what is certain and excludes each other, and an observation that is given twice."""
    for one, other in itertools.combinations(facts, 2):
        if one.outcome != other.outcome or (one.value is None) != (other.value is None):
            continue
        if one.value is None and max(one.low, other.low) > min(one.high, other.high):
            _refuse(one.written, f"and '{other.written}' exclude each other.", "Leave one of them out.")
        if one.value is not None and replace(one, written=other.written) == other:
            remedy = "Give it once; of two that agree by chance, give their mean and its error."
            _refuse(other.written, "is given twice, and would count as two observations.", remedy)


def _read_event(text: str, events: Collection[str], last: float) -> Fact | None:
    """Read a statement about an event, whose name says that it comes by the horizon; None of any other."""
    found = _FACT.fullmatch(text)
    name = found["subject"] if found else text.removeprefix("not ")
    if name not in events:
        if not found and events and ":" not in name:
            _refuse(text, f"there is no event '{name}'.", f"{near_or_all(name, sorted(events))} {EXAMPLES}")
        return None
    outcome = Outcome("crossing", name, None, text)
    if found:
        return _read_crossing(text, outcome, " ".join(found["how"].split()), found["what"].strip())
    return Fact(text, outcome, math.inf, math.inf) if text.startswith("not ") else Fact(text, outcome, high=last)


def _read(text: str, units: Mapping[str, str]) -> Fact:
    """Read one statement about a run whose variables have these units."""
    found = _FACT.fullmatch(text)
    if text.removeprefix("not ").startswith(("crossed:", "leads:")) and not found:
        sought = 0.0 if text.startswith("not ") else 1.0
        return Fact(text, _outcome(text.removeprefix("not "), text, units), sought, sought)
    if not found:
        _refuse(text, "does not say what is given.", EXAMPLES)
    outcome, how, what = _outcome(found["subject"], text, units), found["how"], found["what"].strip()
    if outcome.is_share:
        rule = "is reached or is not." if outcome.kind == "crossed" else "leads or does not."
        _refuse(text, rule, f"Write '{outcome.text}' or 'not {outcome.text}'.")
    if outcome.kind != "level":
        return _read_crossing(text, outcome, " ".join(how.split()), what)
    if how in ("by", "not by", "never"):
        _refuse(text, f"'{how}' is said of crossings.", EXAMPLES)
    unit = units[outcome.name]
    return _read_amounts(text, outcome, how, what, _Scale(plain_unit(unit), unit.startswith("log10(")))


def _outcome(subject: str, text: str, names: Mapping[str, str]) -> Outcome:
    try:
        outcome = parse_outcome(subject)
    except InputError as error:
        raise InputError(f"--given '{text}': {str(error).partition(': ')[2]}") from None
    own = f"quantity_{outcome.name}"
    if outcome.kind == "level" and outcome.name not in names and own in names:
        return replace(outcome, name=own)
    if outcome.kind == "level" and outcome.name not in names:
        hint = near_or_all(outcome.name, sorted(name for name, unit in names.items() if unit))
        _refuse(text, f"there is no variable '{outcome.name}'.", hint)
    if outcome.kind == "level" and not names[outcome.name]:
        _refuse(text, "numbers which limit binds, and is no amount.", "Name an amount or a crossing.")
    return outcome


def _read_crossing(text: str, outcome: Outcome, how: str, what: str) -> Fact:
    if (how == "never" and not what) or (how in ("=", "==") and what == "never"):
        return Fact(text, outcome, math.inf, math.inf)
    if how in ("by", "not by"):
        date = _date(text, what)
        return Fact(text, outcome, high=date) if how == "by" else Fact(text, outcome, low=_beyond(date, ">"))
    return _read_amounts(text, outcome, how, what, _Scale("year", is_log=False))


def _read_amounts(text: str, outcome: Outcome, how: str, what: str, scale: _Scale) -> Fact:
    if how in ("=>", "=<"):
        _refuse(text, f"'{how}' is no comparison.", f"Write {how[::-1]}.")
    if how in (">=", ">", "≥"):
        return Fact(text, outcome, low=_beyond(_number(text, what, scale), how))
    if how in ("<=", "<", "≤"):
        return Fact(text, outcome, high=_beyond(_number(text, what, scale), how))
    if (error := _ERROR.fullmatch(what)) and how != "in":
        return _observed(text, outcome, error, scale)
    ends = read_range(what)
    if ends is None:
        rule = "an exact value has probability 0 in the samples: its error is missing."
        unit = "0.1 OOM" if scale.is_log else "0.5"
        _refuse(text, rule, f"Write '{what} +- {unit}', a range such as '1 to 3 (90 %)', or >= or <=.")
    low, high, level = *(_told(text, each, scale) for each in ends[:2]), ends[2]
    if not low < high:
        _refuse(text, "the range must go from its lower to its higher end.", "Sort the ends.")
    plain = what.partition("(")[0].strip()
    if how == "in" and level:
        _refuse(text, "'in' is of what is certain, and has no level.", f"Write '= {what}', or 'in {plain}'.")
    if how == "in":
        return Fact(text, outcome, low, high)
    if not level or not 0 < float(level) < 100:
        rule = "the range does not say its level, between 0 and 100 %."
        _refuse(text, rule, f"Write '{plain} (90 %)', or 'in' for what is certain.")
    spread = float(ndtri(0.5 + float(level) / 200.0))
    return Fact(text, outcome, value=(low + high) / 2, sd=(high - low) / (2 * spread))


def _beyond(end: float, how: str) -> float:
    """Give the end of what is certain: itself, or next to it where it does not count."""
    return math.nextafter(end, {">": math.inf, "<": -math.inf}.get(how, end))


def _observed(text: str, outcome: Outcome, found: re.Match[str], scale: _Scale) -> Fact:
    """Read a value with its standard error; a unit that one of them alone has counts for the value."""
    written, told = found["value"], found["amount"]
    if found["factor"]:
        factor = float(found["factor"])
        if not scale.is_log or not 1 < factor < math.inf:
            _refuse(text, "the factor must be above 1, and stand beside a level.", EXAMPLES)
        return Fact(text, outcome, value=_number(text, written, scale), sd=math.log10(factor))
    error, is_date = read_amount(told), scale.unit == "year" and not scale.is_log
    if error is None or not 0 < error.value < math.inf:
        _refuse(text, f"'{told}' is no standard error.", "Write for example +- 0.1 OOM or +- 30 %.")
    if error.unit == "OOM":
        if not scale.is_log:
            _refuse(text, "is no level that orders of magnitude are told of.", "Write its error in years or as it is.")
        return Fact(text, outcome, value=_number(text, written, scale), sd=error.value)
    both = None if is_date or error.unit in PERCENT else read_range(f"{written} to {told}")
    value = _number(text, written, scale) if both is None else _told(text, both[0], scale)
    amount = 10.0**value if scale.is_log else value
    _check_error(text, found, error, amount)
    if error.unit in PERCENT and not is_date and scale.unit != "%":
        sd = abs(amount) * error.value / 100
    elif scale.is_log:
        sd = 10.0 ** _told(text, error, scale)
    else:
        sd = error.value * _times(text, error.unit, scale.unit)
    return Fact(text, outcome, value=amount, sd=sd, of_amount=scale.is_log)


def _check_error(text: str, found: re.Match[str], error: Amount, amount: float) -> None:
    """Refuse an error that can be read in two ways."""
    written, told = found["value"], found["amount"]
    value = read_amount(written)
    if value and value.unit in PERCENT and error.unit in PERCENT:
        rule = "an error in % beside a value in % may be a share of it or points."
        _refuse(text, rule, f"Write x/ {1 + error.value / 100:g}, or +- {error.value / 100:g} beside a plain number.")
    bare = [re.fullmatch(NUMBER, each.strip()) is not None for each in (written, told)]
    if bare[1] and value and value.unit != "year" and (not bare[0] or error.value < 1e-6 * abs(amount)):
        _refuse(text, f"the error {told} has no unit.", f"Write it with one, or for example '{written} +- 0.1 OOM'.")


def _number(text: str, what: str, scale: _Scale) -> float:
    """Read one amount or date on the scale of the outcome."""
    if scale.unit == "year" and not scale.is_log:
        return _date(text, what)
    amount = read_amount(what)
    if amount is None:
        _refuse(text, f"'{what}' is no amount." if what else "does not say how much.", EXAMPLES)
    return _told(text, amount, scale)


def _told(text: str, amount: Amount, scale: _Scale) -> float:
    value = amount.value * _times(text, amount.unit, scale.unit)
    if not math.isfinite(value):
        _refuse(text, "an amount must be finite.", EXAMPLES)
    if not scale.is_log:
        return value
    if not value > 0:
        _refuse(text, "an amount must be above 0.", EXAMPLES)
    return math.log10(value)


def _times(text: str, unit: str, own: str) -> float:
    """Tell how many of the outcome's own unit one of a unit is."""
    if unit in ("", own):
        return 1.0
    try:
        years = own == "year"
        return parse_unit(unit).scale / SECONDS_PER_YEAR if years and _is_time(unit) else factor_between(unit, own)
    except UnitError:
        _refuse(text, f"is in {unit}, and the variable is in {own}.", f"State it in {own}.")


def _is_time(unit: str) -> bool:
    return parse_unit(unit).dimension == parse_unit("year").dimension


def _date(text: str, what: str) -> float:
    try:
        return read_year(what)
    except DateError as error:
        _refuse(text, error.rule, error.remedy)


def _refuse(text: str, rule: str, remedy: str) -> NoReturn:
    raise InputError(f"--given '{text}': {rule} {remedy}")
