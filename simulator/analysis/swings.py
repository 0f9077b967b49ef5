"""Swings: what each input of a scenario moves, from its 10 % to its 90 % quantile, and what fixing it would change."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath
from typing import ClassVar, Literal, cast

import numpy as np
import xarray as xr
from scipy.special import ndtri

from simulator.analysis.evaluation import Input, Model, evaluate_values, inputs_of, model_of
from simulator.analysis.inputs import (
    REPLICATES,
    Draws,
    common_draws,
    companions,
    median_draws,
    moved_alone,
    moved_error,
    moved_to,
    quantiles_of,
    replicated,
)
from simulator.analysis.outcomes import (
    ORDERS_DIFFER,
    Outcome,
    difference_words,
    headline_outcomes,
    outcome_text,
    outcome_unit,
    outcome_words,
    parse_outcomes,
)
from simulator.engine.record import code_of, packages_of
from simulator.engine.workers import Workers, parted
from simulator.errors import InputError, near_name
from simulator.files import short_hash
from simulator.runs.checked import open_kept
from simulator.runs.estimates import sample_quantiles
from simulator.runs.result import Result
from simulator.runs.summary import PASSED
from simulator.runs.table import Row, Table, values_or_none
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver
from simulator.schema.words import input_words
from simulator.units import Array
from simulator.version import made_by
from simulator.wording import aligned, plus_minus, signed

type Mode = Literal["free", "fixed"]

SWINGS_FORMAT = 2
LEVELS = (0.1, 0.9)
SAMPLES = 1024
MOST = 12
"""Inputs that are named of each outcome."""
UNCERTAIN = ("error", "removed", "narrowing", "narrowing_error")
"""What is told of a swing where the others are free."""
MODES: Mapping[str, str] = {
    "free": "the others vary; what is correlated with it moves along",
    "fixed": "the others at their medians",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Swings(Result):
    """Swings of the inputs of a scenario, as `prior_swings` gives them."""

    kind: ClassVar[str] = "swings"
    dataset: xr.Dataset
    """See `prior_swings`."""

    @property
    def folder_name(self) -> str:
        return f"{self.dataset.attrs['name']}-swings-{self.dataset.attrs['id']}"

    @property
    def label(self) -> str:
        return f"Swings {self.dataset.attrs['id']} of scenario {self.dataset.attrs['name']}"

    def tables(self) -> dict[str, Table]:
        """`swings`: a row for each outcome and input, the largest of each outcome first by `at_least`.

        A swing to or from "not by the horizon" or "passed at the start" is infinite, and its size within the years is
        `at_least`; missing where both ends are alike in that.
        """
        found = self.dataset
        low, high = np.moveaxis(found["moved"].values, -1, 0)
        base = np.broadcast_to(found["base"].values[:, None], low.shape)
        dated = (found["kind"].values == "crossing")[:, None]
        first, top = (np.where(dated, float(found.attrs[f"{end}_year"]), sign * np.inf)
                      for end, sign in (("first", -1.0), ("last", 1.0)))  # fmt: skip
        ends = np.minimum([low, high, base], top)
        lower, upper = (np.where(dated & (each <= first), -np.inf, each) for each in (low, high))
        with np.errstate(invalid="ignore"):  # from never to never
            swing, at_least = upper - lower, ends.max(axis=0) - ends.min(axis=0)
        names = np.broadcast_to(found["input"].values, low.shape)
        order = np.lexsort((names, -at_least))
        columns = {
            "outcome": found["outcome"].values[:, None],
            "unit": found["unit"].values[:, None],
            "mode": found.attrs["mode"],
            "rank": np.argsort(order) + 1,
            **{name: found[name].values for name in ("input", "input_words", "library")},
            **dict(zip(("lower_value", "upper_value"), found["value_text"].values.T, strict=True)),
            "base": base,
            "lower": low,
            "upper": high,
            "swing": values_or_none(swing),
            "at_least": at_least,
            "standard_error": values_or_none(found["error"].values),
            **{name: values_or_none(found[name].values) for name in ("removed", "narrowing", "narrowing_error")},
            "moves_along": found["follows"].values,
        }
        spread = {name: np.broadcast_to(values, low.shape) for name, values in columns.items()}
        return {"swings": Table({name: np.take_along_axis(each, order, 1).ravel() for name, each in spread.items()})}

    def lines(self) -> list[str]:
        """Say for each outcome the largest swings, and how many more there are."""
        attrs = self.dataset.attrs
        draws = f", {attrs['samples']:,} common draws" if attrs["mode"] == "free" else ""
        where = f"{attrs['name']}, swings {attrs['id']}{draws}"
        lines = [f"Each input at its 10 % and 90 % quantile, {attrs['mode_words']} ({where})"]
        for (outcome,), own in self.tables()["swings"].groups("outcome"):
            lines += _outcome_lines(self.dataset.sel(outcome=outcome), own.rows())
        return [*lines, ORDERS_DIFFER]


def open_swings(path: FilePath | str) -> Swings:
    """Open swings: a file, or the folder that holds it."""
    return Swings(open_kept(path, kind="swings", format_=SWINGS_FORMAT).to_dataset())


def prior_swings(
    scenario: Scenario | Source,
    *,
    outcomes: Sequence[Outcome | str] = (),
    mode: Mode = "free",
    samples: int = SAMPLES,
    custom: Mapping[str, CustomDriver] | None = None,
    workers: Workers = 1,
) -> Swings:
    """Move each input of a scenario to its 10 % and its 90 % quantile, and see what comes of it.

    With the others free, an outcome is the median (of a probability, the mean) over common draws in which the input
    stands at the quantile and what is correlated with it is drawn given that. With the others fixed, it is what the
    model gives with every other input at its median. An input of several members, as the yearly shocks of a drift, is
    moved so that their sum stands at its quantile.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
        Of one component.
    outcomes : sequence of str
        Such as `effective_compute@2035`, `crossing:NAME`, `crossed:NAME@2030` or `restricted:NAME`. None: effective
        compute half-way and in the last year, and the first threshold that is not passed at the start.
    mode : {"free", "fixed"}
    samples : int
        Common draws where the others are free.
    custom : functions of custom drivers, as in `simulate`
    workers : int or Executor, as in `simulate`

    Returns
    -------
    Swings, whose dataset is over `outcome`, `input` and `quantile` (0.1 and 0.9)
        `moved` (the outcome at the quantile), `base` (nothing moved), `error` (standard error of upper - lower, from
        eight independent parts of the draws), `removed` (the outcome with the input fixed at its median; NaN where the
        others are fixed), `narrowing` (the share by which its 90 % interval shrinks then) with `narrowing_error`,
        `value` (of the input), `value_text` (in its own unit); levels in log10 of the unit, years decimal, +inf: not by
        the horizon.

    Raises
    ------
    InputError
        The scenario mixes several, has no uncertain prior, or no such variable, threshold or year.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> swings = prior_swings(load_scenario("baseline"), outcomes=["effective_compute@2035"], mode="fixed")
    >>> swings.tables()["swings"].rows()[0]["input"]
    'drivers.algorithms.growth'
    """
    scenario = scenario_of(scenario)
    check_swings(mode, samples=samples)
    model = model_of(scenario, custom=custom)
    inputs = inputs_of(model)
    if not inputs:
        raise InputError(
            f"{scenario.spec.name}: every prior is fixed, so there is nothing to swing. "
            "Give a number of the scenario an interval, for example interval_90: [2, 3]."
        )
    asked = parse_outcomes(outcomes) or forecast_outcomes(model, common_draws(model, min(samples, 512)))
    found = _free(model, inputs, asked, samples, workers) if mode == "free" else _fixed(model, inputs, asked)
    spec = scenario.spec
    attrs = {
        "swings_format": SWINGS_FORMAT,
        "name": spec.name,
        "title": spec.title or spec.name,
        "mode": mode,
        "mode_words": MODES[mode],
        "samples": samples if mode == "free" else 1,
        "seed": spec.seed,
        "first_year": float(model.years[0]),
        "last_year": float(model.years[-1]),
        "scenario": json.dumps(scenario.data, ensure_ascii=False),
        "scenario_hash": scenario.hash,
        "id": short_hash(scenario.hash, mode, str(samples), code_of(scenario), *(each.text for each in asked)),
        **made_by(packages_of(scenario)),
    }
    return Swings(_labelled(scenario, model, inputs, asked, found, mode).assign_attrs(attrs))


def check_swings(mode: str, *, samples: int) -> Mode:
    """Take the name of a mode, and check that there are enough samples for a standard error."""
    if mode not in MODES:
        raise InputError(f"--mode: must be free or fixed; got {mode!r}. {near_name(mode, MODES)}".rstrip())
    if samples < REPLICATES:
        raise InputError(f"--samples: must be {REPLICATES} at least; got {samples}. Write for example 2048.")
    return cast("Mode", mode)


def forecast_outcomes(model: Model, draws: Draws) -> tuple[Outcome, ...]:
    """Choose what is looked at where nothing is asked, leaving out thresholds that are passed at the start."""
    names = list(model.component.spec.thresholds)
    crossings = [Outcome("crossing", name) for name in names]
    when = evaluate_values(model, draws.values, crossings) if crossings else ()
    ahead = [name for name, years in zip(names, when, strict=True) if np.mean(years <= model.years[0]) < PASSED]
    return headline_outcomes(model.plan.headline, model.years.tolist(), ahead or names)


def _free(
    model: Model, inputs: Sequence[Input], outcomes: Sequence[Outcome], samples: int, workers: Workers
) -> dict[str, Array]:
    """Give the statistics with the others free."""
    draws = common_draws(model, samples)
    base = evaluate_values(model, draws.values, outcomes)
    here, there = partial(_each_moved, model, outcomes, draws, base), partial(_moved, outcomes, samples)
    moved: list[Array] = list(parted(there, model.plan, inputs, workers=workers, here=here))
    told = np.stack(moved, axis=-1)
    never = np.isinf(base).mean(axis=1)
    constant = np.array([np.isfinite(values).all() and np.ptp(values) == 0.0 for values in base]) | (never == 1.0)
    return {
        "moved": np.stack([told[0], told[1]], axis=-1),
        "base": np.array([each.middle(values) for each, values in zip(outcomes, base, strict=True)]),
        **dict(zip(UNCERTAIN, told[2:], strict=True)),
        "constant": constant,
        "never": never,
    }


def _each_moved(
    model: Model, outcomes: Sequence[Outcome], draws: Draws, base: Array, inputs: Sequence[Input]
) -> list[Array]:
    """Give for each input what moving it does to each outcome, (effect, outcome); `base` is what is so unmoved."""
    found = []
    for varied in inputs:
        at = [moved_to(model.joint, draws, varied, score=float(ndtri(level))) for level in LEVELS]
        at.append(moved_alone(model.joint, draws, varied, score=0.0))
        values = (evaluate_values(model, each, outcomes) for each in at)
        found.append(np.transpose([_effects(*own) for own in zip(outcomes, base, *values, strict=True)]))
    return found


def _moved(outcomes: Sequence[Outcome], samples: int, scenario: Scenario, inputs: Sequence[Input]) -> list[Array]:
    model = model_of(scenario)
    draws = common_draws(model, samples)
    return _each_moved(model, outcomes, draws, evaluate_values(model, draws.values, outcomes), inputs)


def _fixed(model: Model, inputs: Sequence[Input], outcomes: Sequence[Outcome]) -> dict[str, Array]:
    """Give what the model gives with the others at their medians: all moves in one go, the first column unmoved."""
    values = {name: array.copy() for name, array in median_draws(model, 1 + 2 * len(inputs)).values.items()}
    for place, varied in enumerate(inputs):
        alone = moved_alone(model.joint, median_draws(model, 2), varied, score=ndtri(np.array(LEVELS)))
        for name in varied.members:
            values[name][1 + 2 * place : 3 + 2 * place] = alone[name]
    found = evaluate_values(model, values, outcomes)
    shape = (len(outcomes), len(inputs))
    return {
        "moved": found[:, 1:].reshape(*shape, 2),
        "base": found[:, 0],
        **dict.fromkeys(UNCERTAIN, np.full(shape, np.nan)),
        "constant": (found == found[:, :1]).all(axis=1),
        "never": np.isinf(found).mean(axis=1),
    }


def _effects(outcome: Outcome, base: Array, low: Array, high: Array, without: Array) -> tuple[float, ...]:
    """Give an outcome with an input at either quantile, the error of the swing, and what fixing the input does."""
    moved = (outcome.middle(low), outcome.middle(high), moved_error(outcome, low, high))
    return (*moved, outcome.middle(without), _narrowing(base, without), replicated(_narrowing, base, without))


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
    mode: Mode,
) -> xr.Dataset:
    priors, labels, words, free = model.joint.priors, scenario.labels, scenario.words, mode == "free"
    values, texts = zip(*(quantiles_of(priors, varied, LEVELS) for varied in inputs), strict=True)
    said = [outcome_words(each, labels=words, statistic=each.statistic if free else "") for each in outcomes]
    coords = {
        "outcome": [outcome.text for outcome in outcomes],
        "input": [varied.name for varied in inputs],
        "quantile": list(LEVELS),
        "kind": ("outcome", [outcome.kind for outcome in outcomes]),
        "outcome_words": ("outcome", said),
        "unit": ("outcome", [outcome_unit(scenario, outcome) for outcome in outcomes]),
        "input_words": ("input", [input_words(varied.name, labels=labels) for varied in inputs]),
        "library": ("input", [priors[varied.members[0]].prior.prior or "" for varied in inputs]),
        "follows": ("input", [", ".join(companions(model.joint, varied)) if free else "" for varied in inputs]),
    }
    data = {name: (("outcome", "input", "quantile")[: each.ndim], each) for name, each in found.items()}
    data["constant"] = (("outcome",), found["constant"].astype(np.int8))
    data |= {name: (("input", "quantile"), np.array(each)) for name, each in (("value", values), ("value_text", texts))}
    return xr.Dataset(data, coords=coords)


def swing_text(row: Row) -> str:
    """Write a swing with its standard error: in OOM, years, or as a number; what is censored in words."""
    digits, unit = difference_words(row["unit"])
    swing, error = row["swing"], row["standard_error"]
    if swing is None:
        return "not crossed at either" if math.isinf(row["lower"]) else "passed at the start at either"
    if math.isinf(swing):
        size = f"{row['at_least']:.{digits}f} {unit}".rstrip()
        return f"more than {size}" if swing > 0 else f"earlier by more than {size}"
    if swing == 0.0:
        return "0"
    return f"{signed(swing, digits=digits)}{'' if error is None else plus_minus(error, digits)} {unit}".rstrip()


def is_seen(row: Row) -> bool:
    """Tell whether a swing is more than 0 as it is written, and more than twice its error."""
    known = row["swing"] is not None and math.isfinite(row["swing"]) and row["standard_error"] is not None
    within = known and abs(row["swing"]) <= 2.0 * row["standard_error"]
    return bool(not within and row["at_least"] >= 10.0 ** -difference_words(row["unit"])[0] / 2)


def _outcome_lines(here: xr.Dataset, rows: Sequence[Row]) -> Iterator[str]:
    base = outcome_text(float(here["base"]), unit=str(here["unit"].values), years=years_of(here))
    yield f"{here['outcome_words'].values}: {base} with nothing moved"
    if constant := constant_text(here):
        yield f"  {constant}"
    elif is_censored(rows):
        yield f"  {censored_text(here)}"
    else:
        named = [row for row in rows if is_seen(row)][:MOST]
        yield from aligned([_cells(row, years_of(here)) for row in named])
        if rest := rest_text([row for row in rows if row not in named]):
            yield f"  {rest}"


def years_of(here: xr.Dataset) -> tuple[float, float]:
    """Give the first and the last year."""
    return float(here.attrs["first_year"]), float(here.attrs["last_year"])


def _cells(row: Row, years: tuple[float, float]) -> list[str]:
    """Write a swing: input, the swing, the outcome at its ends, its values there, what fixing the input does."""
    ends = [outcome_text(row[key], unit=row["unit"], years=years, short=True) for key in ("lower", "upper")]
    fixed = "" if row["narrowing"] is None else f"fixed: {narrowing_text(row['narrowing'], row['narrowing_error'])}"
    values = f"from {row['lower_value']} to {row['upper_value']}"
    return [row["input_words"], swing_text(row), " to ".join(ends), values, fixed]


def narrowing_text(narrowing: float, error: float | None) -> str:
    """Say what fixing an input at its median does to the 90 % interval of the outcome, beyond twice the error."""
    if abs(narrowing) < max(0.005, 2.0 * (error or 0.0)):
        return "interval as wide"
    spread = "" if error is None or narrowing == 1.0 else plus_minus(100 * error, 0)
    return f"interval {100 * abs(narrowing):.0f}{spread} % {'narrower' if narrowing > 0 else 'wider'}"


def rest_text(rows: Sequence[Row]) -> str:
    """Say how many inputs are not named, and how little each of them moves; nothing where all are."""
    if not rows:
        return ""
    count = len(rows)
    digits, word = difference_words(rows[0]["unit"])
    most = max(row["at_least"] for row in rows)
    never = sum(row["swing"] is None and math.isinf(row["lower"]) for row in rows)
    still = sum(row["swing"] == 0.0 or (row["swing"] is None and math.isfinite(row["lower"])) for row in rows)
    head = f"{count} more input{'s' if count > 1 else ''}"
    if never == count:
        return f"{head}: not crossed by the horizon at either quantile"
    if still == count:
        return f"{head}: {'none of them moves' if count > 1 else 'it does not move'} it"
    counts = [f"{still} of them not at all"] if still else []
    counts += [f"{never} of them not crossed by the horizon at either quantile"] if never else []
    if most == 0.0:
        return f"{head}: {'; '.join(counts)}"
    least = 10.0**-digits
    size = f"by {most:.{digits}f} {word}".rstrip() + " at most" if most >= least else f"by less than {least:g} {word}"
    return "; ".join([f"{head}, each {size.rstrip()}", *counts])


def is_censored(rows: Sequence[Row]) -> bool:
    """Tell whether an outcome is later than the horizon wherever an input is moved."""
    return all(math.isinf(row[key]) for row in rows for key in ("lower", "upper"))


def constant_text(here: xr.Dataset) -> str:
    """Say of one outcome that nothing moves it because it is one number in all samples; empty where it is not."""
    if not int(here["constant"]):
        return ""
    base, free = float(here["base"]), here.attrs["mode"] == "free"
    if math.isinf(base):
        return f"Not crossed by {here.attrs['last_year']:g} in any sample." if free else censored_text(here)
    start = str(here["unit"].values) == "year" and base <= float(here.attrs["first_year"])
    why = ", as it is passed at the start" if start else ""
    where = "in every sample" if free else "wherever an input is moved"
    return f"It is the same {where}{why}: there is nothing to swing. Ask for another outcome."


def censored_text(here: xr.Dataset) -> str:
    """Say of one outcome that it is later than the horizon wherever an input is moved."""
    last, name = float(here.attrs["last_year"]), str(here["outcome"].values).partition(":")[2]
    return (
        f"Later than {last:g} wherever an input is moved, so no swing can be told. "
        f"Ask for crossed:{name}@{last:g}, restricted:{name}, or give the scenario later years."
    )
