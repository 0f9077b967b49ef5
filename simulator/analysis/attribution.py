"""Attribution: the difference of two scenarios' headline numbers, shared out among what they say differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

import numpy as np

from simulator.analysis.evaluation import Model, evaluate, model_of, prior_uniforms
from simulator.analysis.outcomes import CROSSED, MEAN_YEAR, MEDIAN_YEAR, Headline, outcome_of, statistic_of
from simulator.analysis.shapley import MOST_EXACT, ShapleyValues, shapley_values
from simulator.engine.plan import COMPONENT_STREAM, component_at
from simulator.engine.simulation import run_plan
from simulator.engine.workers import later, refuse_functions
from simulator.errors import InputError, dotted
from simulator.runs.estimates import Moments
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.table import Table, values_or_none
from simulator.scenario.differences import Shift, Swap, each_of, in_short, mixed_names, shifts, swapped
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver
from simulator.schema.subjects import variable_words
from simulator.schema.words import threshold_labels
from simulator.units import Array
from simulator.variables import subject_words
from simulator.wording import listed, plus_minus, signed

if TYPE_CHECKING:
    import xarray as xr

SAMPLES = 4000
"""Samples at most, of the first scenario's draws: eight blocks of the usual size, whose spread tells errors."""


def chosen_years(years: Sequence[float]) -> list[float]:
    """Choose a quarter of the way, half of it and the last of years, if there are any."""
    if not years:
        return []
    grid = np.array(years)
    wanted = [years[0] + share * (years[-1] - years[0]) for share in (0.25, 0.5, 1.0)]
    return sorted({years[int(np.argmin(np.abs(grid - year)))] for year in wanted})


def common_years(runs: Sequence[xr.DataTree]) -> list[float]:
    """List the years that all runs have, matched exactly."""
    return sorted(set.intersection(*(set(group(run, "summary")["year"].values.tolist()) for run in runs)))


def unlike(runs: Sequence[xr.DataTree], names: Sequence[str]) -> Iterator[str]:
    """Say in what runs differ that are held against one another: subjects, dollars, years."""
    for key, word in (("subject", "subjects"), ("dollars", "dollars")):
        said = [str(run.attrs[key]) for run in runs]
        if len(set(said)) > 1:
            told = "; ".join(f"{name}: {text}" for name, text in zip(names, said, strict=True))
            yield f"the runs have different {word} - {told}. A difference may be one of what is counted."
    years = common_years(runs)
    if not years:
        yield "the runs have no year in common: only crossing years are compared. Give them the same years and step."
    ones = [" and ".join(map(str, _base_years(run))) for run in runs]
    if years and len(set(ones)) > 1 and all("effective_compute" in group(run, "summary") for run in runs):
        yield (
            f"algorithms are 1 in different years ({', '.join(ones)}), and effective compute counts FLOP of the "
            "algorithms of that year: its levels are not alike."
        )


def _base_years(run: xr.DataTree) -> tuple[float, ...]:
    """Tell when algorithms are 1 in a run: as its scenario says, or in the first year where that cannot be read."""
    try:
        return stored_scenario(run).algorithm_years
    except InputError:
        return (float(run.attrs["first_year"]),)


class Input(NamedTuple):
    """An input that differs: its name, the entries that belong to it, and its states in both, in short."""

    input: str
    entries: str
    first: str
    second: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attribution(Result):
    """What of the difference of each headline number is due to each input.

    `before`, `after` (number,): of the first scenario, and with every input as in the second; `shares` adds up to their
    difference; `errors` (input and the whole, number) are of samples and random orders together, NaN where they cannot
    be told; each evaluation had `samples`; `said` are sentences that the reader must know.
    """

    kind: ClassVar[str] = "attribution"
    folder_name: ClassVar[str] = ""  # it stands beside the comparison that it is of
    scenarios: tuple[str, str]
    numbers: tuple[Headline, ...]
    inputs: tuple[Input, ...]
    before: Array
    after: Array
    shares: ShapleyValues
    errors: Array
    samples: int
    said: tuple[str, ...]
    about: str = ""

    @property
    def dataset(self) -> xr.Dataset:
        """Parts and their errors over (input, number), and the numbers before and after."""
        import xarray as xr

        heads = Table.of_rows([number._asdict() for number in self.numbers], Headline._fields)
        inputs = Table.of_rows([one._asdict() for one in self.inputs], Input._fields)
        both = ("input", "number")
        parts = {"part": (both, self.shares.parts), "standard_error": (both, self.errors[:-1])}
        return xr.Dataset(
            {"before": ("number", self.before), "after": ("number", self.after), **parts},
            coords={name: ("number", heads[name]) for name in heads.names}
            | {name: ("input", inputs[name]) for name in inputs.names},
        )

    @property
    def label(self) -> str:
        how = f"over {self.shares.orders} random orders" if self.shares.orders else "over all subsets of the inputs"
        about = self.about or f"Scenarios {' and '.join(self.scenarios)}"
        return f"{about}. Shapley values {how}, each evaluated on {self.samples:,} common samples."

    @property
    def table(self) -> Table:
        """The part of each input in each number, and behind them the whole, whose `input` is empty.

        `first` and `second` are the states of an input, in short; `standard_error` is missing where it cannot be told:
        of fewer than two blocks, or where one of them is censored.
        """
        both = np.stack([self.before, self.after], axis=-1).tolist()
        parts = np.vstack([self.shares.parts, self.after - self.before]).T.tolist()
        errors = values_or_none(self.errors.T).tolist()
        return Table.of_rows(
            number._asdict() | one._asdict() | {"part": part, "standard_error": error, "before": before, "after": after}
            for number, (before, after), own, uncertain in zip(self.numbers, both, parts, errors, strict=True)
            for one, part, error in zip((*self.inputs, Input("", "", "", "")), own, uncertain, strict=True)
        ).called("attribution")

    def tables(self) -> dict[str, Table]:
        return {"attribution": self.table}

    def lines(self, *, most: int = 8) -> list[str]:
        """Say the parts of `most` numbers that differ, the largest first: medians of the last year, then thresholds."""
        how = f"{self.shares.orders} random orders" if self.shares.orders else "all subsets"
        lines = [f"what the differences are due to ({how}, {self.samples:,} common samples):"]
        if not self.inputs:
            return [*lines, "  nothing that the results depend on differs"]
        moving = (self.after != self.before) | (np.abs(self.shares.parts).max(axis=0) > 0.0)
        shown = [
            place for place in reversed(np.flatnonzero(moving).tolist()) if self.numbers[place].statistic != CROSSED
        ]
        shown.sort(key=lambda place: self.numbers[place].unit != "OOM")
        lines += [self._line(place) for place in shown[:most]]
        if shown[most:]:
            lines.append(f"  ... and {len(shown) - most} more numbers in attribution.csv")
        return [*lines, *(f"  {sentence}" for sentence in self.said)]

    def _line(self, place: int) -> str:
        number = self.numbers[place]
        parts, errors = self.shares.parts[:, place], self.errors[:, place]
        order = np.argsort(-np.abs(parts), kind="stable")
        named = [one for one in order[:3] if parts[one]]
        told = [f"{self.inputs[one].input} {_signed(parts[one], number.unit, errors[one])}" for one in named]
        if len(self.inputs) > 3:
            told.append(f"{len(self.inputs) - 3} more {_signed(float(parts[order[3:]].sum()), number.unit)}")
        when = f" in {number.year:g}" if number.statistic == "median" else ""
        whole = _signed(float(self.after[place] - self.before[place]), number.unit, errors[-1])
        return f"  {number.label}, {number.statistic}{when}: {whole} = {'; '.join(told)}"


def attribute_difference(
    first: Scenario,
    second: Scenario,
    *,
    samples: int | None = None,
    orders: int | None = None,
    most_exact: int = MOST_EXACT,
    years: Sequence[float] | None = None,
    custom: Mapping[str, CustomDriver] | None = None,
    progress: Callable[[], None] | None = None,
    executor: Executor | None = None,
) -> Attribution:
    """Attribute the difference of headline numbers to the inputs that two scenarios state differently.

    Shapley values over swaps: each subset of the differing entries is put into the first scenario as the second has
    it, and evaluated on the draws of the first: priors of one name share their draws, those that only the second has
    have their own. With v(S) a number where the inputs S are as in the second, and n inputs in all,

        part(i) = sum over S without i, of size s, of s! (n - s - 1)! / n! (v(S + i) - v(S))

    and the parts add up to the whole. Where a median crossing year is later than the horizon in any subset, the
    restricted mean crossing year (the mean of the crossing year, at most the horizon) stands in for it; where it is
    passed at the start in any, no year does. Standard errors are from the parts within each block of the draws.

    Parameters
    ----------
    first, second : Scenario
        Two mixtures must be of the same scenarios, by name; their weights are one input.
    samples : int, optional
        Without it those of the first scenario, at most 4,000.
    orders : int, optional
        Random orders where more than `most_exact` inputs differ; without it as many as take about 256 evaluations.
    most_exact : int
        So many inputs are told apart by all subsets of them.
    years : sequence of float, optional
        Whose levels and probabilities are told; without it a quarter of the way, half of it and the last.
    custom : functions of custom drivers, as in `simulate`
    progress : function, optional
        Called after each evaluation.
    executor : concurrent.futures.Executor, optional
        What is handed all evaluations, such as that of `cluster`.

    Returns
    -------
    Attribution
        Parts (input, number) in OOM of a level, in years, or as probabilities; its table is `attribution`.

    Raises
    ------
    InputError
        They mix other scenarios than one another, have no year in common, or they do not hold together.

    References
    ----------
    L. S. Shapley 1953, A value for n-person games; for its use on models: A. B. Owen 2014, Sobol' indices and Shapley
    value, SIAM/ASA J. Uncertainty Quantification 2.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> changes = ["drivers.spending.growth[2].rate=3x/year", "drivers.hardware.growth[3].rate=1.4x/year"]
    >>> found = attribute_difference(load_scenario("essay-2023"), load_scenario("essay-2023", overrides=changes))
    >>> for line in found.lines(most=1):
    ...     print(line)
    what the differences are due to (all subsets, 256 common samples):
      effective compute, median in 2043: +1.08 OOM = drivers.hardware.growth[3].rate +1.08 OOM
      ... and 4 more numbers in attribution.csv
    """
    check_attributable([first, second])
    apart = list(each_of(first).values())
    models = [model_of(each, custom=custom) for each in (apart[0], next(iter(each_of(second).values())))]
    years = _told_years(models, years)
    spec, weights = models[0].component.spec, [component.weight for component in first.components]
    changes = shifts(first, second)
    count = min(spec.samples, SAMPLES) if samples is None else samples
    names = [name for name in spec.thresholds if name in models[1].component.spec.thresholds]
    plan = models[0].plan if len(apart) == 1 else run_plan(first, custom)
    numbers = list(_numbers(models[0], plan.headline, years, names))
    uniform = partial(prior_uniforms, spec, samples=count)
    held: _Held = {} if executor is None and len(apart) > 1 else None
    if executor is not None:
        refuse_functions(plan)
    uniform = uniform if executor else cast("partial[Array]", cache(uniform))

    @cache
    def begun(changed: frozenset[int]) -> Callable[[], Array]:
        chosen = {place: changes[place] for place in sorted(changed)}
        given = (apart, weights, chosen, numbers, parts)
        return later(executor, _values, *given, uniform=uniform, custom=custom, held=held)

    def begin(changed: frozenset[int]) -> Array:
        begun(changed)
        return np.zeros(1)

    known: dict[frozenset[int], Array] = {}

    def value(changed: frozenset[int]) -> Array:
        if changed not in known:
            known[changed] = begun(changed)()
            if progress is not None:
                progress()
        found = known[changed].ravel()
        return np.where(np.isfinite(found), found, 0.0)  # a number that is censored is not kept

    parts = [slice(None), *(slice(end - spec.block, end) for end in range(spec.block, count + 1, spec.block))]
    if executor is not None:  # what will be asked for goes out at once
        shapley_values(begin, inputs=len(changes), orders=orders, most_exact=most_exact)
    ends = [value(one).reshape(len(parts), -1) for one in (frozenset[int](), frozenset(range(len(changes))))]
    found = shapley_values(value, inputs=len(changes), orders=orders, most_exact=most_exact)
    shape = len(changes), len(parts), len(numbers)
    every, order_errors = (each.reshape(shape) for each in (found.parts, found.errors))
    shares = ShapleyValues(every[:, 0], order_errors[:, 0], found.orders)
    values = np.stack(list(known.values()))
    within = np.concatenate([every, [ends[1] - ends[0]]])[:, 1:]
    errors = _errors(within, shares.errors, values[:, 1:], blocks=count / spec.block)
    (before, *_), (after, *_) = ends
    kept, said = _kept(numbers, values[:, 0], years[-1])
    shares = replace(shares, parts=shares.parts[:, kept], errors=shares.errors[:, kept])
    between, told = (first.spec.name, second.spec.name), tuple(numbers[place] for place in kept)
    inputs = tuple(map(_described, changes))
    return Attribution(between, told, inputs, before[kept], after[kept], shares, errors[:, kept], count, said)


type _Held = dict[tuple[int, ...], Array] | None  # by the place in a mixture, and the inputs that are changed there


def _values(
    apart: Sequence[Scenario],
    weights: Sequence[float],
    chosen: Mapping[int, Shift],
    numbers: Sequence[Headline],
    parts: Sequence[slice],
    *,
    uniform: Callable[[str], Array],
    custom: Mapping[str, CustomDriver] | None,
    held: _Held,
) -> Array:
    """Evaluate the numbers with some inputs as in the second, of all samples and of each block: (part, number)."""
    outcomes = [outcome_of(number) for number in numbers]

    def results_of(place: int) -> Array:
        own = {number: shift.swaps[place] for number, shift in chosen.items() if place in shift.swaps}
        if held is not None and (place, *own) in held:
            return held[place, *own]
        model = model_of(_between(apart[place], list(own.values())), custom=custom)
        streams = {name: model.joint.streams.get(name, name) for name in model.joint.uncertain}
        found = evaluate(model, {name: uniform(stream) for name, stream in streams.items()}, outcomes)
        if held is not None and len(held) < 128:
            held[place, *own] = found
        return found

    results = results_of(0)
    if len(apart) > 1:
        weights = next((shift.weights for shift in chosen.values() if shift.weights), weights)
        belongs = component_at(weights, uniform(COMPONENT_STREAM))
        results = np.choose(belongs, [results, *map(results_of, range(1, len(apart)))])
    start = float(apart[0].spec.years.first)
    told = (zip(numbers, outcomes, results[:, part], strict=True) for part in parts)
    return np.array([[statistic_of(*each, start=start) for each in every] for every in told])


def _between(scenario: Scenario, swaps: Sequence[Swap]) -> Scenario:
    """Give a scenario with some inputs as in the other; say which they are where it does not hold together."""
    try:
        return swapped(scenario, swaps) if swaps else scenario
    except InputError as error:
        names = ", ".join(swap.name for swap in swaps)
        raise InputError(
            f"compare: --attribute: with only {names} as in the second, the first does not hold together, so the parts "
            f"cannot be told apart:\n{error}\n        Compare scenarios that differ in fewer entries."
        ) from None


def _told_years(models: Sequence[Model], years: Sequence[float] | None) -> list[float]:
    """Choose the years whose numbers are told; InputError where the two have none in common."""
    shared = set(models[1].years.tolist())
    known = [year for year in models[0].years.tolist() if year in shared]
    if not known:
        raise InputError(
            "compare: --attribute: the two have no year in common, so no number can be held against another. "
            "Give them the same years and step."
        )
    return chosen_years(known) if years is None else [year for year in years if year in known]


def attribute_runs(
    runs: Sequence[xr.DataTree],
    labels: Sequence[str],
    *,
    years: Sequence[float] | None = None,
    executor: Executor | None = None,
) -> Attribution:
    """Attribute the difference of two runs, by the scenarios that they hold."""
    first, second = (f"{run.attrs['run_id']} ({label})" for run, label in zip(runs, labels, strict=True))
    found = attribute_difference(*map(stored_scenario, runs), years=years, executor=executor)
    return replace(found, scenarios=(labels[0], labels[1]), about=f"Runs {first} and {second}")


def _numbers(model: Model, main: str, years: Sequence[float], names: Sequence[str]) -> Iterator[Headline]:
    """List the headline numbers."""
    words = variable_words(model.component.spec)
    for year in years:
        yield Headline(main, words.get(main) or subject_words(main), "median", year, "OOM")
    labels = threshold_labels(model.component.spec)
    for name, label in ((name, labels[name]) for name in names):
        yield Headline(name, label, MEDIAN_YEAR, None, "years")
        yield Headline(name, label, MEAN_YEAR, years[-1], "years")
        yield from (Headline(name, label, CROSSED, year, "1") for year in years)


def _errors(within: Array, of_orders: Array, values: Array, *, blocks: float) -> Array:
    """Tell the standard errors of parts and the whole from those `within` blocks: (part and whole, number).

    NaN where a number is censored in a block of any subset: `values` are (subset, block, number).
    """
    errors = Moments.of(np.moveaxis(within, 1, 0)).mean_error(blocks)
    errors[:-1] = np.hypot(errors[:-1], of_orders)
    errors[:, ~np.isfinite(values).all(axis=(0, 1))] = np.nan
    return errors


def _kept(numbers: Sequence[Headline], values: Array, last: float) -> tuple[list[int], tuple[str, ...]]:
    """Leave out median crossing years that are censored in any subset, and restricted means where they are not."""
    medians = [place for place, number in enumerate(numbers) if number.statistic == MEDIAN_YEAR]
    early, late = ({place for place in medians if (values[:, place] == end).any()} for end in (-math.inf, math.inf))
    left = {place + 1 for place in medians if place not in late or place in early} | early | late
    kept = [place for place in range(len(numbers)) if place not in left]  # the mean stands behind its median
    said = [
        f"The median crossing year of {listed(numbers[place].label for place in sorted(places))} is {when} with some "
        f"of the inputs changed, and has no difference there{instead}."
        for places, when, instead in (
            (late - early, f"later than {last:g}", f"; the mean of the year, at most {last:g}, stands in for it"),
            (early, "passed at the start", ""),
        )
        if places
    ]
    return kept, tuple(said)


def _described(shift: Shift) -> Input:
    told = ((dotted(entry.path), in_short(entry.one), in_short(entry.other)) for entry in shift.entries)
    return Input(shift.name, *map("; ".join, zip(*told, strict=True)))


def _signed(value: float, unit: str, error: float = math.nan) -> str:
    scaled, word = (100 * value, "points") if unit == "1" else (value, unit)
    text = signed(scaled) if math.isfinite(scaled) else "?"
    return f"{text}{plus_minus(100 * error if unit == '1' else error, 2) if error and value else ''} {word}"


def check_attributable(items: Sequence[xr.DataTree | Scenario]) -> None:
    """Refuse more than two, and mixtures of other scenarios, before anything is run or written."""
    if len(items) != 2:
        rule = f"takes two runs or scenarios; got {len(items)}"
        raise InputError(f"compare: --attribute: {rule}. Compare two at a time.")
    first, second = map(mixed_names, items)
    if first != second:
        told = " against ".join(listed(own) if own else "one scenario alone" for own in (first, second))
        raise InputError(
            f"compare: --attribute: the two do not mix the same scenarios ({told}), and a prior of one name may mean "
            "another thing in each. Compare mixtures of the same ones, or one scenario of each."
        )
