"""What each prior of a run has to do with an outcome, from the samples alone: nothing is run again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator.analysis.association import (
    FEWEST_SAMPLES,
    adjusted,
    class_count,
    corrected_delta,
    deltas_by_chance,
    distance,
    rank_classes,
    raw_delta,
    spearman,
    table_of,
)
from simulator.analysis.outcomes import Outcome, headline_outcomes, parse_outcome, run_outcomes
from simulator.errors import InputError
from simulator.priors.streams import pair_loss
from simulator.runs.estimates import sorted_quantiles
from simulator.runs.groups import group
from simulator.runs.summary import PASSED
from simulator.units import Array
from simulator.wording import power, year_text

if TYPE_CHECKING:
    import xarray as xr

DECILES = 10
UNEVEN = 0.25
"""Loss of a pair of names (1: plain sampling) above which it is named; about 1 in 30 has more."""

type Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Influence:
    """What the priors have to do with one outcome.

    Parameters
    ----------
    outcome : Outcome
    indices : rows (prior,), the most influential first
        `outcome`, `input`, `unit`, `samples` (those that have the prior), `rank` (Spearman's correlation; 0 for a
        fixed prior), `delta` (0 to 1, `rank_dependence.raw_delta`; what chance gives is taken off), `delta_by_chance`
        (999 in 1,000 priors without any influence stay below), `low`, `high` (the outcome in the lowest and in the
        highest decile of the prior: median, or share of the samples for "crossed"), `separation`, `between`,
        `p_value` (the largest of the distances in `regions`), `uneven_with` (see `uneven_pairs`; "" mostly)
    deciles : rows (prior, decile)
        `outcome`, `input`, `unit`, `decile` (1 to 10), `from`, `to` (range of the prior, internal scale), `samples`,
        `statistic` ("median" or "share"), `value`, `lower`, `upper` (5 and 95 % quantiles of the outcome; None for a
        share), `censored` (share that does not cross by the horizon)
    regions : rows (prior, pair of groups of samples)
        `outcome`, `input`, `first`, `second` (groups), `distance` (0 to 1: of the prior's distributions in them),
        `p_value` (raised for all that were tested)
    said : what the reader must know; "" mostly. Where the outcome does not vary there are no rows, and this says it
    """

    outcome: Outcome
    indices: Sequence[Row]
    deciles: Sequence[Row]
    regions: Sequence[Row]
    said: str = ""


def influence_of(run: xr.DataTree, outcome: Outcome | str) -> Influence:
    """Tell what each prior of a run has to do with an outcome.

    Priors that are correlated share their influence: these numbers say what goes with what in the samples.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    outcome : Outcome or str
        As `effective_compute@2035`, `crossing:NAME`, `crossed:NAME@2030` or `restricted:NAME`.

    Raises
    ------
    InputError
        The run kept its summary only, or has no such outcome, or fewer than 30 samples.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> influence_of(run, "effective_compute@2035").indices[0]["input"]
    'drivers.algorithms.growth'
    """
    asked = parse_outcome(outcome) if isinstance(outcome, str) else outcome
    results = run_outcomes(run, [asked])[0]
    if results.size < FEWEST_SAMPLES:
        raise InputError(
            f"influence: needs {FEWEST_SAMPLES} samples at least; this run has {results.size}. "
            "Run it with more: --samples 10000."
        )
    if said := _constant(run, asked, results):
        return Influence(asked, (), (), (), said)
    groups = _groups(asked, results)
    chance: dict[bytes, Array] = {}
    indices: list[Row] = []
    deciles: list[Row] = []
    regions: list[Row] = []
    for name, unit, values, present in _inputs(run):
        here = results[present]
        head: Row = {"outcome": asked.text, "input": name, "unit": unit}
        own = _decile_rows(asked, values, here) if values.min() < values.max() else []
        indices.append(head | {"samples": values.size} | _indices(values, here, chance) | _ends(own))
        deciles += [head | row for row in own]
        regions += [head | row for row in _region_rows(values, [(label, held[present]) for label, held in groups])]
    for row, p_value in zip(regions, adjusted([float(str(row["p_value"])) for row in regions]), strict=True):
        row["p_value"] = p_value
        del row["unit"]
    ordered = _ordered([row | _largest(regions, str(row["input"])) for row in indices])
    uneven = uneven_pairs(run, [str(row["input"]) for row in ordered if float(str(row["delta"])) > 0.0])
    ordered = [row | {"uneven_with": uneven.get(str(row["input"]), "")} for row in ordered]
    return Influence(asked, ordered, deciles, regions)


def uneven_pairs(run: xr.DataTree, names: Sequence[str]) -> dict[str, str]:
    """Find priors whose draws are unevenly spread together with those of a stronger one, by the latter's name.

    In runs of the design "sobol" about 1 pair of names in 30 is, at 4,096 samples a block (see `streams.pair_loss`).
    The weaker of two then shows some of the influence of the stronger. It does not in a run with `design: random`.

    Parameters
    ----------
    run : xarray.DataTree
    names : sequence of str
        Priors, the strongest first.

    Returns
    -------
    dict from the weaker prior to the stronger

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> names = ["constraints.power.limit.product[3]", "drivers.spending.start", "quantities.tokens.product[3]"]
    >>> uneven_pairs(run, names)
    {'quantities.tokens.product[3]': 'constraints.power.limit.product[3]'}
    """
    if run.attrs["design"] != "sobol" or len(names) < 2:
        return {}
    loss = pair_loss(names, size=int(run.attrs["block"]))
    found: dict[str, str] = {}
    for place in range(1, len(names)):
        worst = int(np.argmax(loss[place, :place]))
        if loss[place, worst] > UNEVEN:
            found[names[place]] = names[worst]
    return found


def default_outcomes(run: xr.DataTree) -> tuple[Outcome, ...]:
    """Choose what is looked at where nothing is asked: effective compute, and the first threshold that lies ahead.

    Raises
    ------
    InputError
        The run kept its summary only.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> [outcome.text for outcome in default_outcomes(run)]
    ['effective_compute@2035', 'effective_compute@2045', 'crossing:1000x-gpt-4']
    """
    years = group(run, "trajectories", of_samples=True)["year"].values.tolist()
    names: list[str] = []
    if "crossings" in run.children:
        crossings = group(run, "crossings", of_samples=True)
        names = [
            str(name)
            for name, when in zip(crossings["threshold"].values, crossings["crossing_year"].values, strict=True)
            if when.min() < when.max() and np.mean(when <= years[0]) < PASSED
        ]
    return headline_outcomes(years, names)


def _constant(run: xr.DataTree, outcome: Outcome, results: Array) -> str:
    """Say that an outcome does not vary; "" where it does."""
    first = results[0]
    if not bool((results == first).all()):
        return ""
    if np.isinf(first):
        last = group(run, "trajectories")["year"].values[-1]
        return (
            f"{outcome.text}: no sample crosses by {last:g}, so nothing can be said of what moves it. "
            "Ask of another threshold, or of a level; or run the scenario to a later last year."
        )
    units = str(group(run, "trajectories")[outcome.name].attrs["units"]) if outcome.kind == "level" else ""
    log = units.startswith("log10(")
    said = f"10^{first:.4g} {units[6:-1]}".removesuffix(" 1") if log else f"{first:g}"
    return f"{outcome.text}: is {said} in every sample, so no prior has to do with it. Ask of another outcome."


def _inputs(run: xr.DataTree) -> Iterator[tuple[str, str, Array, NDArray[np.bool_]]]:
    """Give each prior that enough samples have: name, unit, its values, and which samples have it."""
    for name, drawn in group(run, "parameters", of_samples=True).data_vars.items():
        values = np.asarray(drawn.values, dtype=np.float64)
        present = ~np.isnan(values)  # in a mixture of scenarios not every sample has every prior
        if str(name) != "component" and present.sum() >= FEWEST_SAMPLES:
            yield str(name), str(drawn.attrs.get("units", "1")), values[present], present


def _indices(values: Array, results: Array, chance: dict[bytes, Array]) -> Row:
    """Give the rank correlation and delta of one prior; `chance` keeps what sizes of classes give by chance."""
    rank = spearman(values, results)
    if rank is None:  # the prior is fixed, or the outcome is the same wherever this prior is
        return {"rank": 0.0, "delta": 0.0, "delta_by_chance": 0.0}
    count = class_count(values.size)
    table = table_of(rank_classes(values, count), rank_classes(results, count))
    sizes = table.sum(axis=1), table.sum(axis=0)
    key = sizes[0].tobytes() + b"|" + sizes[1].tobytes()
    if key not in chance:
        chance[key] = deltas_by_chance(*sizes)
    delta, noise = corrected_delta(raw_delta(table), chance[key])
    return {"rank": rank, "delta": delta, "delta_by_chance": noise}


def _decile_rows(outcome: Outcome, values: Array, results: Array) -> list[Row]:
    place = rank_classes(values, DECILES)
    rows: list[Row] = []
    for decile in range(DECILES):
        held = place == decile
        if not held.any():
            continue
        own, here = values[held], np.sort(results[held])
        shares = outcome.kind == "crossed"
        lower, median, upper = sorted_quantiles(here, [0.05, 0.5, 0.95]).tolist()
        rows.append({
            "decile": decile + 1, "from": float(own.min()), "to": float(own.max()), "samples": int(held.sum()),
            "statistic": "share" if shares else "median", "value": float(here.mean()) if shares else median,
            "lower": None if shares else lower, "upper": None if shares else upper,
            "censored": float(np.isinf(here).mean()),
        })  # fmt: skip
    return rows


def _ends(rows: Sequence[Row]) -> Row:
    """Give the outcome in the lowest and in the highest decile that has samples."""
    return {"low": rows[0]["value"], "high": rows[-1]["value"]} if rows else {"low": None, "high": None}


def _groups(outcome: Outcome, results: Array) -> list[tuple[str, NDArray[np.bool_]]]:
    """Part the samples: by crossing early, late and never, or by having crossed; a level has no such groups.

    Early and late are the halves of those that cross.
    """
    if outcome.kind == "crossed":
        return [("crossed", results == 1.0), ("not crossed", results == 0.0)]
    if outcome.kind != "crossing":
        return []
    crosses = np.isfinite(results)
    middle = np.median(results[crosses])
    return [("early", results < middle), ("late", crosses & (results >= middle)), ("never", ~crosses)]


def _region_rows(values: Array, groups: Sequence[tuple[str, NDArray[np.bool_]]]) -> Iterator[Row]:
    """Hold the values of a prior in each two groups of samples against one another; a fixed prior separates nothing."""
    if values.min() == values.max():
        return
    for (first, one), (second, other) in combinations(groups, 2):
        if min(one.sum(), other.sum()) >= FEWEST_SAMPLES:
            apart, p_value = distance(values[one], values[other])
            yield {"first": first, "second": second, "distance": apart, "p_value": p_value}


def _largest(regions: Sequence[Row], name: str) -> Row:
    own = [row for row in regions if row["input"] == name]
    if not own:
        return {"separation": None, "between": "", "p_value": None}
    most = max(own, key=lambda row: float(str(row["distance"])))
    between = f"{most['first']} and {most['second']}"
    return {"separation": most["distance"], "between": between, "p_value": most["p_value"]}


def _ordered(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-float(str(row["delta"])), -abs(float(str(row["rank"]))), str(row["input"])))


MOST_LINES = 12


def influence_lines(influence: Influence, *, horizon: float, most: int = MOST_LINES) -> list[str]:
    """Tabulate the most influential priors for the terminal, the strongest first.

    Parameters
    ----------
    influence : Influence
    horizon : float
        The last year of the run, for what is not crossed by it.
    most : int
        Priors that are listed at most; those that are below what chance gives are not.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> from simulator.analysis.influence import influence_of
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> influence_lines(influence_of(run, "effective_compute@2035"), horizon=2045)[2].split()[0]
    'drivers.algorithms.growth'
    """
    if influence.said:
        return [influence.said]
    kept = [row for row in influence.indices if float(str(row["delta"])) > float(str(row["delta_by_chance"]))]
    rest = len(influence.indices) - len(kept)
    if not kept:
        return [f"{influence.outcome.text}: no prior goes with it by more than chance."]
    separates = any(row["between"] for row in kept)
    width = max(len(str(row["input"])) for row in kept[:most])
    column = f"  {'separates':24}" if separates else ""
    spans = [_span(influence.outcome, row, horizon) for row in kept[:most]]
    span_width = max(25, *(len(span) for span in spans))
    head = f"  {'':{width}}   delta    rank   {'from lowest to highest tenth':{span_width}}{column}".rstrip()
    lines = [f"{influence.outcome.text}", head]
    for row, span in zip(kept[:most], spans, strict=True):
        numbers = f"{row['delta']:7.3f} {row['rank']:+7.2f}"
        told = f"  {_separates(row)}" if separates else ""
        lines.append(f"  {row['input']:{width}} {numbers}   {span:{span_width}}{told}".rstrip())
    lines += [
        f"  {row['input']}: its draws are unevenly spread with those of {row['uneven_with']}, and part of this "
        "may be the influence of that. A run with --set design=random would tell."
        for row in kept[:most]
        if row["uneven_with"]
    ]
    more = f"{len(kept) - most} more, and " if len(kept) > most else ""
    lines.append(f"  ... and {more}{rest} priors that are fixed or go with it no more than chance would")
    return lines


def _span(outcome: Outcome, row: Row, horizon: float) -> str:
    return f"{value_text(outcome, row['low'], horizon)} to {value_text(outcome, row['high'], horizon)}"


def value_text(outcome: Outcome, value: object, horizon: float) -> str:
    """Write a median or share of an outcome.

    Examples
    --------
    >>> value_text(Outcome("crossing", "agi"), float("inf"), 2045), value_text(Outcome("crossed", "agi", 2030), 0.25, 0)
    ('> 2045', '25 %')
    """
    number = float(str(value))
    if outcome.kind == "level":
        return power(number)
    return f"{100 * number:.0f} %" if outcome.kind == "crossed" else year_text(number, horizon)


def _separates(row: Row) -> str:
    if not row["between"]:
        return ""
    p_value = float(str(row["p_value"]))
    if p_value > 0.05:
        return "nothing beyond chance"
    return f"{row['between']}: {row['separation']:.2f} (p {'< 0.001' if p_value < 0.001 else f'{p_value:.3f}'})"


def legend_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Say what the columns mean."""
    first = (
        "delta: half the area between the outcome's distribution and that within a class of the prior, on average, "
        "less what chance gives (0 to 1); rank: Spearman's correlation."
    )
    lines = [first]
    if any(outcome.censored or outcome.kind == "crossed" for outcome in outcomes):
        lines.append(
            "separates: the largest distance between the prior's CDFs in two groups of samples; early and late are the "
            "halves of those that cross; p counts every prior and pair that was tested."
        )
    return [*lines, "Priors that are correlated share their influence: this is what goes together in the samples."]
