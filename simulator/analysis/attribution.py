"""Attribution: the difference of two scenarios' headline numbers, shared out among what they say differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.comparison import chosen_years
from simulator.analysis.evaluation import Model, evaluate, model_of, prior_uniforms
from simulator.analysis.outcomes import Outcome
from simulator.analysis.shapley import Shares, shapley_values
from simulator.errors import InputError, dotted
from simulator.files import make_folder, write_table
from simulator.runs.estimates import sorted_quantiles
from simulator.scenario.differences import ABSENT as NOT_THERE
from simulator.scenario.differences import MISSING as ABSENT
from simulator.scenario.differences import Swap, differing_entries, in_short, joined_swaps, swapped
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver
from simulator.units import Array
from simulator.wording import signed

if TYPE_CHECKING:
    import xarray as xr

SAMPLES = 4096
"""Samples at most, of the first scenario's draws."""

type Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Headline:
    """A number that is attributed: a statistic of an outcome, in a year where it has one."""

    quantity: str
    label: str
    statistic: str
    unit: str
    year: float | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """What of the difference of each headline number is due to each input.

    Parameters
    ----------
    numbers : the headline numbers (number,)
    inputs : the inputs that differ (input,), each with its two states in short: `name`, `entries`, `first`,
        `second`
    before, after : arrays (number,), in the first scenario and with every input as in the second
    shares : parts (input, number) that add up to `after` - `before`, and their errors
    samples : how many samples each evaluation had
    said : what the reader must know, one sentence each
    """

    numbers: tuple[Headline, ...]
    inputs: tuple[Mapping[str, str], ...]
    before: Array
    after: Array
    shares: Shares
    samples: int
    said: tuple[str, ...]


def attribute(
    first: Scenario,
    second: Scenario,
    *,
    samples: int | None = None,
    orders: int | None = None,
    custom: Mapping[str, CustomDriver] | None = None,
    progress: Callable[[], None] | None = None,
) -> Attribution:
    """Attribute the difference of headline numbers to the inputs that two scenarios state differently.

    Shapley values over swaps: each subset of the differing entries is put into the first scenario as the second has
    it, and evaluated on the draws of the first: priors of one name share their draws, those that only the second has
    have their own. The parts add up to the whole. Where a median crossing year is later than the horizon in any
    subset, the restricted mean crossing year (the mean of the crossing year, at most the horizon) stands in for it.

    Parameters
    ----------
    first, second : Scenario
        Of one component each.
    samples : int, optional
        Without it those of the first scenario, at most 4,096.
    orders : int, optional
        Random orders where more than eight inputs differ; without it as many as take about 256 evaluations.
    custom : functions of custom drivers, as in `simulate`
    progress : function, optional
        Called after each evaluation.

    Raises
    ------
    InputError
        One is a mixture of scenarios, they have no year in common, or they do not hold together.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> one, other = (load_scenario("baseline", overrides=change) for change in ([], ["drivers.spending.caps=null"]))
    >>> found = attribute(one, other, samples=256)
    >>> [entry["name"] for entry in found.inputs]
    ['drivers.spending.caps.cash-flow', 'drivers.spending.caps.world-product']
    >>> bool(np.allclose(found.shares.parts.sum(axis=0), found.after - found.before))
    True
    """
    models = [model_of(scenario, custom=custom) for scenario in (first, second)]
    years = [year for year in models[0].years.tolist() if year in set(models[1].years.tolist())]
    if not years:
        raise InputError(
            "compare: --attribute: the two have no year in common, so no number can be held against another. "
            "Give them the same years and step."
        )
    years = chosen_years(years)
    spec = models[0].component.spec
    swaps = joined_swaps(first, differing_entries(first.data, second.data))
    draws = _Draws(models[0], min(spec.samples, SAMPLES) if samples is None else samples)
    names = [name for name in spec.thresholds if name in models[1].component.spec.thresholds]
    outcomes = [Outcome("level", "effective_compute", year) for year in years]
    outcomes += [Outcome("crossing", name) for name in names]
    numbers = list(_numbers(models[0], years, names))

    known: dict[frozenset[int], Array] = {}

    def value(changed: frozenset[int]) -> Array:
        if changed not in known:
            chosen = _between(first, [swaps[place] for place in sorted(changed)])
            model = model_of(chosen, custom=custom) if changed else models[0]
            known[changed] = _statistics(evaluate(model, draws.of(model), outcomes), years)
            if progress is not None:
                progress()
        return np.where(np.isfinite(known[changed]), known[changed], 0.0)  # a number that is censored is not kept

    before, after = (value(one) for one in (frozenset[int](), frozenset(range(len(swaps)))))
    shares = shapley_values(value, inputs=len(swaps), orders=orders)
    kept, said = _kept(numbers, np.stack(list(known.values())))
    return Attribution(
        tuple(numbers[place] for place in kept),
        tuple(_described(swap) for swap in swaps),
        before[kept],
        after[kept],
        replace(shares, parts=shares.parts[:, kept], errors=shares.errors[:, kept]),
        draws.samples,
        tuple(said),
    )


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


class _Draws:
    """Give the uniform numbers of the first scenario's draws by name; each is drawn once."""

    def __init__(self, model: Model, samples: int) -> None:
        self.samples = samples
        self._spec = model.component.spec
        self._known: dict[str, Array] = {}

    def of(self, model: Model) -> dict[str, Array]:
        return {name: self._one(name) for name in model.joint.uncertain}

    def _one(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = prior_uniforms(self._spec, name, samples=self.samples)
        return self._known[name]


def _numbers(model: Model, years: Sequence[float], names: Sequence[str]) -> list[Headline]:
    """List the headline numbers, in the order of `_statistics`."""
    found = [Headline("effective_compute", "effective compute", "median", "OOM", year) for year in years]
    for name in names:
        label = model.component.spec.thresholds[name].label or name
        found.append(Headline(name, label, "median crossing year", "years"))
        found.append(Headline(name, label, "restricted mean crossing year", "years", years[-1]))
        found += [Headline(name, label, "probability of having crossed", "1", year) for year in years]
    return found


def _statistics(results: Array, years: Sequence[float]) -> Array:
    """Take the headline numbers off outcomes (outcome, sample)."""
    levels = np.sort(results[: len(years)], axis=1)
    found = sorted_quantiles(levels, [0.5])[0].tolist()
    for when in results[len(years) :]:
        found.append(float(sorted_quantiles(np.sort(when), [0.5])[0]))
        found.append(float(np.minimum(when, years[-1]).mean()))
        found += [float((when <= year).mean()) for year in years]
    return np.array(found)


def _kept(numbers: Sequence[Headline], values: Array) -> tuple[list[int], list[str]]:
    """Leave out median crossing years that are censored in any subset, and restricted means where they are not."""
    kept: list[int] = []
    censored: list[str] = []
    for place, number in enumerate(numbers):
        if number.statistic == "median crossing year":
            median_is_finite = bool(np.isfinite(values[:, place]).all())
            censored += [] if median_is_finite else [number.label]
            kept += [place] if median_is_finite else []
        elif number.statistic == "restricted mean crossing year":
            kept += [] if median_is_finite else [place]
        else:
            kept.append(place)
    if not censored:
        return kept, []
    last = next(number.year for number in numbers if number.statistic == "restricted mean crossing year")
    said = (
        f"The median crossing year of {', '.join(censored)} is later than {last:g} with some of the inputs changed, "
        f"and has no difference there; the mean of the crossing year, at most {last:g}, stands in for it."
    )
    return kept, [said]


def _described(swap: Swap) -> dict[str, str]:
    states = []
    for which in ("one", "other"):
        values = [getattr(entry, which) for entry in swap.entries]
        states.append("; ".join(NOT_THERE if value is ABSENT else in_short(value) for value in values))
    entries = "; ".join(dotted(entry.path) for entry in swap.entries)
    return {"name": swap.name, "entries": entries, "first": states[0], "second": states[1]}


def attribution_table(attribution: Attribution) -> list[Row]:
    """Tabulate the parts of each number, and the whole.

    Returns
    -------
    rows of `quantity`, `label`, `statistic`, `year`, `unit` (of the parts), `input` ("" for the whole), `entries`
    (what belongs to the input), `first`, `second` (its states, in short), `part`, `standard_error` (of random orders;
    0 where exact), `before`, `after`

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> changes = ["drivers.spending.growth[2].rate=3", "drivers.hardware.growth[3].rate=1.4"]
    >>> found = attribute(load_scenario("essay-2023"), load_scenario("essay-2023", overrides=changes))
    >>> rows = [row for row in attribution_table(found) if (row["label"], row["year"]) == ("effective compute", 2043)]
    >>> [(row["input"] or "the whole", round(row["part"], 2)) for row in rows]  # spending stands at its cap
    [('drivers.spending.growth[2].rate', 0.0), ('drivers.hardware.growth[3].rate', 1.08), ('the whole', 1.08)]
    """
    rows: list[Row] = []
    for place, number in enumerate(attribution.numbers):
        before, after = float(attribution.before[place]), float(attribution.after[place])
        head: Row = {"quantity": number.quantity, "label": number.label, "statistic": number.statistic,
                     "year": number.year, "unit": number.unit}  # fmt: skip
        ends: Row = {"before": before, "after": after}
        parts = attribution.shares.parts[:, place].tolist()
        errors = attribution.shares.errors[:, place].tolist()
        for described, part, error in zip(attribution.inputs, parts, errors, strict=True):
            named: Row = {"input": described["name"], **{key: described[key] for key in ("entries", "first", "second")}}
            rows.append(head | named | {"part": part, "standard_error": error} | ends)
        whole: Row = {
            "input": "",
            "entries": "",
            "first": "",
            "second": "",
            "part": after - before,
            "standard_error": 0.0,
        }
        rows.append(head | whole | ends)
    return rows


def attribution_lines(attribution: Attribution, *, most: int = 8) -> list[str]:
    """Write the parts of the numbers that differ, the largest first: medians of the last year, then thresholds.

    Parameters
    ----------
    attribution : Attribution
    most : int
        Numbers that are told; how many more there are is said.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> changes = ["drivers.spending.growth[2].rate=3", "drivers.hardware.growth[3].rate=1.4"]
    >>> found = attribute(load_scenario("essay-2023"), load_scenario("essay-2023", overrides=changes))
    >>> for line in attribution_lines(found, most=1):
    ...     print(line)
    what the differences are due to (all subsets, 256 common samples):
      effective compute, median in 2043: +1.08 OOM = drivers.hardware.growth[3].rate +1.08 OOM
      ... and 4 more numbers in attribution.csv
    """
    inputs = [entry["name"] for entry in attribution.inputs]
    how = f"{attribution.shares.orders} random orders" if attribution.shares.orders else "all subsets"
    lines = [f"what the differences are due to ({how}, {attribution.samples:,} common samples):"]
    if not inputs:
        return [*lines, "  nothing that the results depend on differs"]
    whole = attribution.after - attribution.before
    shown = [
        place
        for place in range(len(attribution.numbers) - 1, -1, -1)
        if whole[place] != 0.0 or np.abs(attribution.shares.parts[:, place]).max() > 0.0
    ]
    shown = sorted(shown, key=lambda place: attribution.numbers[place].quantity != "effective_compute")
    shown = [place for place in shown if attribution.numbers[place].statistic != "probability of having crossed"]
    for place in shown[:most]:
        number = attribution.numbers[place]
        parts, errors = attribution.shares.parts[:, place], attribution.shares.errors[:, place]
        order = np.argsort(-np.abs(parts), kind="stable")
        told = [f"{inputs[one]} {_signed(parts[one], number.unit, errors[one])}" for one in order[:3] if parts[one]]
        rest = float(parts[order[3:]].sum())
        told += [f"{len(inputs) - 3} more {_signed(rest, number.unit)}"] if len(inputs) > 3 else []
        when = f" in {number.year:g}" if number.statistic == "median" else ""
        name = f"{number.label}, {number.statistic}{when}"
        lines.append(f"  {name}: {_signed(float(whole[place]), number.unit)} = {'; '.join(told)}")
    more = len(shown) - most
    lines += [f"  ... and {more} more numbers in attribution.csv"] if more > 0 else []
    return [*lines, *(f"  {sentence}" for sentence in attribution.said)]


def _signed(value: float, unit: str, error: float = 0.0) -> str:
    scaled, word = (100 * value, "points") if unit == "1" else (value, unit)
    text = signed(scaled) if math.isfinite(scaled) else "?"
    return f"{text}{f' ± {100 * error if unit == "1" else error:.2f}' if error else ''} {word}"


def check_attributable(items: Sequence[xr.DataTree | Scenario]) -> None:
    """Refuse runs and scenarios that mix scenarios, before anything is run or written.

    Raises
    ------
    InputError
        One does.
    """
    for item in items:
        name, mixes = (
            (item.spec.name, len(item.components) > 1)
            if isinstance(item, Scenario)
            else (item.attrs["name"], bool(item.attrs.get("components")))
        )
        if mixes:
            raise InputError(
                f"compare: --attribute: {name} mixes scenarios, and a prior of one name may mean another "
                "thing in each. Compare one of them."
            )


def write_attribution(found: Attribution, folder: FilePath) -> None:
    """Write `attribution.csv` into a folder, which is made where it is not there."""
    make_folder(folder)
    write_table(folder / "attribution.csv", attribution_table(found))
