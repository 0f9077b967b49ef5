"""Swings: what each input of a scenario moves, from its 10 % to its 90 % quantile, and what fixing it would change."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy.special import ndtri

from simulator.analysis.evaluation import Input, Model, evaluate_values, inputs_of, labels_of, model_of
from simulator.analysis.inputs import (
    Draws,
    common_draws,
    companions,
    median_draws,
    moved_alone,
    moved_to,
    quantile_texts,
)
from simulator.analysis.outcomes import Outcome, headline_outcomes, outcome_words
from simulator.errors import InputError, near_name
from simulator.files import short_hash
from simulator.runs.estimates import sample_quantiles
from simulator.runs.format import simulator_version
from simulator.runs.summary import PASSED
from simulator.scenario.resolving import Scenario
from simulator.scenario.unit_checks import variable_units
from simulator.schema.drivers import CustomDriver
from simulator.schema.prior_names import input_words
from simulator.units import Array
from simulator.variables import variable

type Row = dict[str, object]
type Mode = Literal["free", "fixed"]

SWINGS_FORMAT = 1
LEVELS = (0.1, 0.9)
SAMPLES = 1024
STRETCHES = 8
MODES: Mapping[str, str] = {
    "free": "the others vary; what is correlated with it moves along",
    "fixed": "the others at their medians",
}


@dataclass(frozen=True, slots=True)
class Statistic:
    """The number that is looked at in samples of an outcome: the median, or the mean of what is always finite.

    Examples
    --------
    >>> years = np.array([2030.0, 2031.0, np.inf])
    >>> Statistic(Outcome("crossing", "agi")).of(years), Statistic(Outcome("crossing", "agi")).of(years[1:])
    (2031.0, inf)
    >>> Statistic(Outcome("crossed", "agi", 2031.0)).of(np.array([1.0, 1.0, 0.0, 0.0]))
    0.5
    """

    outcome: Outcome

    @property
    def name(self) -> str:
        """`median`, or `mean` for a probability and for a crossing year that is at most the horizon."""
        return "mean" if self.outcome.kind in ("crossed", "restricted") else "median"

    def of(self, samples: Array) -> float:
        """Take it over samples, (sample,); the median of crossing years is +inf where half of them are."""
        if self.name == "mean":
            return float(np.mean(samples))
        return float(sample_quantiles(samples, [0.5])[0])


def forecast_outcomes(model: Model, draws: Draws) -> tuple[Outcome, ...]:
    """Choose what is looked at where nothing is asked, leaving out thresholds that are passed at the start.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> model = model_of(load_scenario("baseline"))
    >>> [outcome.text for outcome in forecast_outcomes(model, common_draws(model, 256))]
    ['effective_compute@2035', 'effective_compute@2045', 'crossing:1000x-gpt-4']
    """
    names = list(model.component.spec.thresholds)
    crossings = [Outcome("crossing", name) for name in names]
    ahead = []
    if crossings:
        when = evaluate_values(model, draws.values, crossings)
        ahead = [name for name, years in zip(names, when, strict=True) if np.mean(years <= model.years[0]) < PASSED]
    return headline_outcomes(model.years.tolist(), ahead or names)


def prior_swings(
    scenario: Scenario,
    *,
    outcomes: Sequence[Outcome] = (),
    mode: Mode = "free",
    samples: int = SAMPLES,
    custom: Mapping[str, CustomDriver] | None = None,
) -> xr.Dataset:
    """Move each input of a scenario to its 10 % and its 90 % quantile, and see what comes of it.

    With the others free, an outcome is the median (of a probability, the mean) over common draws in which the input
    stands at the quantile and what is correlated with it is drawn given that. With the others fixed, it is what the
    model gives with every other input at its median. An input of several members, as the yearly shocks of a drift, is
    moved so that their sum stands at its quantile.

    Parameters
    ----------
    scenario : Scenario
        Of one component.
    outcomes : sequence of Outcome
        None: effective compute half-way and in the last year, and the first threshold that is not passed at the start.
    mode : {"free", "fixed"}
    samples : int
        Common draws where the others are free.
    custom : functions of custom drivers, as in `simulate`

    Returns
    -------
    xarray.Dataset over `outcome`, `input` and `quantile` (0.1 and 0.9)
        `moved` (the outcome at the quantile), `base` (nothing moved), `error` (standard error of upper - lower),
        `removed` (the outcome with the input fixed at its median; NaN where the others are fixed), `narrowing` (the
        share by which its 90 % interval shrinks then), `value` (of the input), `value_text` (in its own unit); levels
        in log10 of the unit, years decimal, +inf: not by the horizon.

    Raises
    ------
    InputError
        The scenario mixes several, has no uncertain prior, or no such variable, threshold or year.

    Examples
    --------
    >>> from simulator.analysis.outcomes import parse_outcome
    >>> from simulator.scenario.load import load_scenario
    >>> asked = [parse_outcome("effective_compute@2035")]
    >>> found = prior_swings(load_scenario("baseline"), outcomes=asked, mode="fixed")
    >>> str(found["input"].values[found["moved"].diff("quantile").values.argmax()])
    'drivers.algorithms.growth'
    """
    checked_mode(mode)
    check_samples(samples)
    model = model_of(scenario, custom=custom)
    inputs = inputs_of(model)
    if not inputs:
        raise InputError(
            f"{scenario.spec.name}: every prior is fixed, so there is nothing to swing. "
            "Give a number of the scenario an interval, for example interval_90: [2, 3]."
        )
    asked = tuple(outcomes) or forecast_outcomes(model, common_draws(model, min(samples, 512)))
    found = _free(model, inputs, asked, samples) if mode == "free" else _fixed(model, inputs, asked)
    return _labelled(scenario, model, inputs, asked, found, mode=mode, samples=samples)


def checked_mode(text: str) -> Mode:
    """Take the name of a mode.

    Raises
    ------
    InputError
        There is no such mode.

    Examples
    --------
    >>> checked_mode("fixt")
    Traceback (most recent call last):
    simulator.errors.InputError: --mode: must be free or fixed; got 'fixt'. Did you mean 'fixed'?
    """
    modes: dict[str, Mode] = {"free": "free", "fixed": "fixed"}
    if text not in modes:
        raise InputError(f"--mode: must be free or fixed; got {text!r}. {near_name(text, modes)}".rstrip())
    return modes[text]


def check_samples(samples: int) -> None:
    """Check that there are enough samples for a standard error.

    Raises
    ------
    InputError
        There are not.

    Examples
    --------
    >>> check_samples(7)
    Traceback (most recent call last):
    simulator.errors.InputError: --samples: must be 8 at least; got 7. Write for example 2048.
    """
    if samples < STRETCHES:
        raise InputError(f"--samples: must be {STRETCHES} at least; got {samples}. Write for example 2048.")


def _free(model: Model, inputs: Sequence[Input], outcomes: Sequence[Outcome], samples: int) -> dict[str, Array]:
    """Give the statistics with the others free."""
    draws = common_draws(model, samples)
    base = evaluate_values(model, draws.values, outcomes)
    statistics = [Statistic(outcome) for outcome in outcomes]
    shape = (len(outcomes), len(inputs))
    moved, error = np.empty((*shape, 2)), np.empty(shape)
    removed, narrowing = np.empty(shape), np.empty(shape)
    for place, varied in enumerate(inputs):
        ends = [
            evaluate_values(model, moved_to(model.joint, draws, varied, score=float(ndtri(level))), outcomes)
            for level in LEVELS
        ]
        without = evaluate_values(model, moved_alone(model.joint, draws, varied, score=0.0), outcomes)
        for number, statistic in enumerate(statistics):
            moved[number, place] = [statistic.of(end[number]) for end in ends]
            error[number, place] = _error(statistic, ends[0][number], ends[1][number])
            removed[number, place] = statistic.of(without[number])
            narrowing[number, place] = _narrowing(base[number], without[number])
    middle = np.array([statistic.of(values) for statistic, values in zip(statistics, base, strict=True)])
    constant = np.array([float(np.ptp(values)) == 0.0 if np.isfinite(values).all() else False for values in base])
    never = np.isinf(base).mean(axis=1)
    return {"moved": moved, "base": middle, "error": error, "removed": removed, "narrowing": narrowing,
            "constant": constant | (never == 1.0), "never": never}  # fmt: skip


def _fixed(model: Model, inputs: Sequence[Input], outcomes: Sequence[Outcome]) -> dict[str, Array]:
    """Give what the model gives with the others at their medians: all moves in one go, the first column unmoved."""
    draws = median_draws(model, 1 + 2 * len(inputs))
    values = {name: array.copy() for name, array in draws.values.items()}
    for place, varied in enumerate(inputs):
        columns = slice(1 + 2 * place, 3 + 2 * place)
        alone = moved_alone(model.joint, median_draws(model, 2), varied, score=ndtri(np.array(LEVELS)))
        for name in varied.members:
            values[name][columns] = alone[name]
    found = evaluate_values(model, values, outcomes)
    shape = (len(outcomes), len(inputs))
    nothing = np.full(shape, np.nan)
    moved = found[:, 1:].reshape(*shape, 2)
    constant = (found == found[:, :1]).all(axis=1)
    return {"moved": moved, "base": found[:, 0], "error": nothing, "removed": nothing, "narrowing": nothing,
            "constant": constant, "never": np.isinf(found).mean(axis=1)}  # fmt: skip


def _error(statistic: Statistic, low: Array, high: Array) -> float:
    """Estimate the standard error of a swing from stretches of samples; NaN where one of them is censored."""
    parts = [np.array_split(samples, STRETCHES) for samples in (high, low)]
    ends = np.array([[statistic.of(part) for part in each] for each in parts])
    if not np.isfinite(ends).all():
        return math.nan
    return float(np.std(ends[0] - ends[1], ddof=1) / math.sqrt(STRETCHES))


def _narrowing(base: Array, without: Array) -> float:
    """Tell by what share the 90 % interval shrinks; NaN where it has no width or no end."""
    before, after = (sample_quantiles(values, [0.05, 0.95]) for values in (base, without))
    if not (np.isfinite(before).all() and np.isfinite(after).all()) or before[1] == before[0]:
        return math.nan
    return float(1.0 - (after[1] - after[0]) / (before[1] - before[0]))


def _labelled(
    scenario: Scenario,
    model: Model,
    inputs: Sequence[Input],
    outcomes: Sequence[Outcome],
    found: Mapping[str, Array],
    *,
    mode: Mode,
    samples: int,
) -> xr.Dataset:
    spec, priors = scenario.spec, model.joint.priors
    labels = labels_of(spec)
    dims = {"moved": ("outcome", "input", "quantile"), "base": ("outcome",), "constant": ("outcome",),
            "never": ("outcome",)}  # fmt: skip
    data = {
        name: (dims.get(name, ("outcome", "input")), values.astype(np.int8) if name == "constant" else values)
        for name, values in found.items()
    }
    texts = np.array([quantile_texts(priors, varied, LEVELS) for varied in inputs], dtype=str)
    values = np.array([
        priors[varied.members[0]].family.ppf(np.array(LEVELS)) if len(varied.members) == 1 else [np.nan, np.nan]
        for varied in inputs
    ])  # fmt: skip
    names = [varied.name for varied in inputs]
    libraries = [priors[varied.members[0]].prior.prior or "" for varied in inputs]
    follows = [", ".join(companions(model.joint, varied)) if mode == "free" else "" for varied in inputs]
    statistics = [Statistic(outcome).name if mode == "free" else "" for outcome in outcomes]
    said = [outcome_words(each, labels=labels, statistic=word) for each, word in zip(outcomes, statistics, strict=True)]
    coords = {
        "outcome": [outcome.text for outcome in outcomes],
        "input": names,
        "quantile": list(LEVELS),
        "kind": ("outcome", [outcome.kind for outcome in outcomes]),
        "outcome_words": ("outcome", said),
        "unit": ("outcome", [outcome_unit(scenario, outcome) for outcome in outcomes]),
        "input_words": ("input", [input_words(name, labels=labels) for name in names]),
        "library": ("input", libraries),
        "follows": ("input", follows),
    }
    data |= {"value": (("input", "quantile"), values), "value_text": (("input", "quantile"), texts)}
    identity = short_hash(scenario.hash, mode, str(samples), simulator_version(), *(each.text for each in outcomes))
    attrs = {
        "swings_format": SWINGS_FORMAT,
        "name": spec.name, "title": spec.title or spec.name, "mode": mode, "mode_words": MODES[mode],
        "samples": samples if mode == "free" else 1, "seed": spec.seed, "first_year": float(model.years[0]),
        "last_year": float(model.years[-1]), "scenario": json.dumps(scenario.data, ensure_ascii=False),
        "scenario_hash": scenario.hash, "id": identity,
        "simulator_version": simulator_version(),
    }  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs=attrs)


def outcome_unit(scenario: Scenario, outcome: Outcome) -> str:
    """Name the unit of an outcome: of a level, `log10(FLOP)` or the like; `year`; or `1`.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> asked = (Outcome("level", "spending", 2035.0), Outcome("crossing", "agi"), Outcome("crossed", "agi", 2035.0))
    >>> [outcome_unit(load_scenario("essay-2023"), outcome) for outcome in asked]
    ['log10(USD)', 'year', '1']
    """
    if outcome.kind != "level":
        return outcome.unit
    return variable(outcome.name, unit=variable_units(scenario.spec).get(outcome.name, "1")).unit


def swing_table(found: xr.Dataset) -> list[Row]:
    """Tabulate swings, outcome by outcome, the largest first.

    A swing to or from "not by the horizon" counts as far as the horizon in that order; it is +inf or -inf, and None
    where neither end is crossed by the horizon.

    Returns
    -------
    rows of `outcome`, `unit`, `mode`, `rank`, `input`, `input_words`, `library`, `lower_value`, `upper_value` (of the
    input at its 10 and 90 % quantile, in words), `base`, `lower`, `upper` (the outcome there), `swing` (upper - lower),
    `at_least` (its size, up to the horizon), `standard_error`, `removed`, `narrowing`, `moves_along`

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> swing_table(prior_swings(load_scenario("baseline"), mode="fixed"))[0]["input_words"]
    'algorithms: growth'
    """
    rows: list[Row] = []
    last = float(found.attrs["last_year"])
    for place, outcome in enumerate(found["outcome"].values.tolist()):
        columns = {str(name): values.values.tolist() for name, values in found.isel(outcome=place).variables.items()}
        own = [_row(columns, number, outcome, last, str(found.attrs["mode"])) for number in range(found.sizes["input"])]
        own.sort(key=lambda row: (-float(str(row["at_least"])), str(row["input"])))
        rows += [row | {"rank": number} for number, row in enumerate(own, start=1)]
    return rows


def _row(columns: Mapping[str, Any], number: int, outcome: str, last: float, mode: str) -> Row:
    low, high = columns["moved"][number]
    base = columns["base"]
    top = last if columns["kind"] == "crossing" else math.inf
    ends = [min(end, top) for end in (low, high, base)]
    both = math.isinf(low) and math.isinf(high)
    lower_value, upper_value = columns["value_text"][number]
    return {
        "outcome": outcome, "unit": columns["unit"], "mode": mode, "rank": 0,
        "input": columns["input"][number], "input_words": columns["input_words"][number],
        "library": columns["library"][number], "lower_value": lower_value, "upper_value": upper_value,
        "base": base, "lower": low, "upper": high,
        "swing": None if both else high - low, "at_least": max(ends) - min(ends),
        "standard_error": _number(columns["error"][number]), "removed": _number(columns["removed"][number]),
        "narrowing": _number(columns["narrowing"][number]), "moves_along": columns["follows"][number],
    }  # fmt: skip


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
