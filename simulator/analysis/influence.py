"""What each prior of a run has to do with an outcome, from the samples alone: nothing is run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.analysis import association
from simulator.analysis.outcomes import (
    Outcome,
    between_words,
    headline_outcomes,
    outcome_text,
    parse_outcomes,
    run_crossings,
    run_outcomes,
    unit_in,
    years_of,
)
from simulator.errors import InputError
from simulator.runs.estimates import sorted_quantiles
from simulator.runs.groups import group, headline_of
from simulator.runs.result import Result
from simulator.runs.summary import PASSED
from simulator.runs.table import Row, Table
from simulator.units import Array
from simulator.wording import aligned, power, share_text, signed, year_text

if TYPE_CHECKING:
    import xarray as xr

DECILES = 10
NOTHING = "no prior goes with it by more than chance. More samples would tell."


@dataclass(frozen=True, slots=True)
class OutcomeInfluence:
    """What the priors have to do with one outcome; where that does not vary there are no rows, and `said` says it."""

    outcome: Outcome
    indices: Table
    """A row for each prior, the most influential first, those within chance last; see `prior_influence`."""
    deciles: Table
    """A row for each prior and tenth of it: its range, and the outcome in it."""
    regions: Table
    """A row for each prior and pair of groups of samples: how far its distributions in them are apart."""
    said: str = ""

    @property
    def beyond_chance(self) -> Table:
        """The indices of the priors that go with the outcome by more than chance."""
        return self.indices.where(beyond_chance=1)

    @property
    def none(self) -> str:
        """Say why no prior has to do with the outcome; "" where one has."""
        return self.said or ("" if len(self.beyond_chance) else f"{self.outcome.text}: {NOTHING}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Influence(Result):
    """What the priors of a run have to do with outcomes, as `prior_influence` gives it; it stands beside its run."""

    kind: ClassVar[str] = "influence"
    folder_name: ClassVar[str] = ""  # its files stand among those of the run
    run: xr.DataTree
    found: tuple[OutcomeInfluence, ...]

    @property
    def told(self) -> list[OutcomeInfluence]:
        """Those of outcomes that vary."""
        return [each for each in self.found if not each.said]

    @property
    def dataset(self) -> xr.Dataset:
        """The indices over `outcome` and `input`, and the outcome in each `decile` of an input."""
        import xarray as xr

        tables = self.tables()
        if not tables:
            return xr.Dataset()
        deciles = ("outcome", "input", "decile", "from", "to", "value", "lower", "upper", "censored")
        within = tables["influence_deciles"].select(*deciles).to_dataset("outcome", "input", "decile")
        return tables["influence"].to_dataset("outcome", "input").merge(within, join="left")

    @property
    def label(self) -> str:
        return f"Run {self.run.attrs['run_id']} of scenario {self.run.attrs['name']}"

    def tables(self) -> dict[str, Table]:
        """`influence`, `influence_deciles`, `influence_regions`: those that have rows."""
        names = {"influence": "indices", "influence_deciles": "deciles", "influence_regions": "regions"}
        tables = {
            name: [row for each in self.told for row in getattr(each, part).rows()] for name, part in names.items()
        }
        return {name: Table.of_rows(rows).called(name) for name, rows in tables.items() if rows}

    def lines(self) -> list[str]:
        """Say the strongest priors of each outcome, and what the columns mean."""
        lines = [line for each in self.found for line in influence_lines(each, years=years_of(self.run))]
        lines += between_words([each.outcome for each in self.found], group(self.run, "summary")["year"].values)
        return [*lines, *(legend_lines([each.outcome for each in self.told]) if self.told else ())]


def prior_influence(run: xr.DataTree, outcomes: Sequence[Outcome | str] = ()) -> Influence:
    """Tell what each prior of a run has to do with outcomes, from its samples alone: nothing is run again.

    delta is half the area between the distribution of the outcome and that within a class of the prior, on average
    (Borgonovo 2007; see `simulator.analysis.association`), less what chance gives. Priors that are correlated share
    their influence: these numbers say what goes with what in the samples.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    outcomes : sequence of str
        Such as `effective_compute@2035`, `crossing:NAME`, `crossed:NAME@2030` or `restricted:NAME`. None: effective
        compute half-way and in the last year, and the first threshold that lies ahead.

    Returns
    -------
    Influence, with the tables
        `influence`: `rank` (Spearman's correlation; 0 for a fixed prior), `delta` (0 to 1), `rank_by_chance`,
        `delta_by_chance` (999 in 1,000 priors without any influence stay below), `beyond_chance` (1 where either is
        exceeded: the others have no order among them), `low`, `high` (the outcome in the lowest and in the highest
        tenth of the prior: median, or share of the samples for "crossed"), `separation`, `between`, `p_value` (the
        largest distance in the regions);
        `influence_deciles`: `from`, `to` (internal scale), `value`, `lower`, `upper` (5 and 95 % quantiles of the
        outcome; missing for a share), `censored` (share that does not cross by the horizon);
        `influence_regions`: `first`, `second` (groups of samples), `distance` (0 to 1), `p_value` (raised for all that
        were tested).

    Raises
    ------
    InputError
        The run kept its summary only, or has no such outcome, or fewer than 30 samples.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=256"]))
    >>> prior_influence(run, ["effective_compute@2035"]).tables()["influence"]["input"][0]
    'drivers.algorithms.growth'
    """
    asked = parse_outcomes(outcomes) or default_outcomes(run)
    results = run_outcomes(run, asked)  # names what the run has not before the first is worked on
    return Influence(run, tuple(_influence(run, *each) for each in zip(asked, results, strict=True)))


def _influence(run: xr.DataTree, outcome: Outcome, results: Array) -> OutcomeInfluence:
    if results.size < (least := association.FEWEST_SAMPLES):
        raise InputError(
            f"influence: needs {least} samples at least; this run has {results.size}. "
            "Run it with more: --samples 10000."
        )
    if said := _constant(run, outcome, results):
        return OutcomeInfluence(outcome, Table({}), Table({}), Table({}), said)
    groups = _groups(outcome, results)
    chance: dict[bytes, Array] = {}
    indices, deciles, regions = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    drawn = group(run, "parameters")
    for name, unit, values, present in association.drawn_priors(run):
        here = results[present]
        head = {"outcome": outcome.text, "input": name, "label": str(drawn[name].attrs.get("long_name") or name)}
        varies = bool(values.min() < values.max())
        own = _decile_rows(outcome, values, here) if varies else []
        parts = {label: values[held[present]] for label, held in groups} if varies else {}
        ends = {"low": own[0]["value"] if own else None, "high": own[-1]["value"] if own else None}
        indices.append({**head, "unit": unit, "samples": values.size, **_indices(values, here, chance), **ends})
        deciles += [{**head, "unit": unit, **row} for row in own]
        for first, second in combinations((label for label, part in parts.items() if part.size >= least), 2):
            apart, p_value = association.distance(parts[first], parts[second])
            regions.append({**head, "first": first, "second": second, "distance": apart, "p_value": p_value})
    for row, p_value in zip(regions, association.adjusted([row["p_value"] for row in regions]), strict=True):
        row["p_value"] = p_value
    indices.sort(key=lambda row: (-row["beyond_chance"], -row["delta"], -abs(row["rank"]), row["input"]))
    indices = [row | _largest(regions, row["input"]) for row in indices]
    return OutcomeInfluence(outcome, Table.of_rows(indices), Table.of_rows(deciles), Table.of_rows(regions))


def default_outcomes(run: xr.DataTree) -> tuple[Outcome, ...]:
    """Choose what is looked at where nothing is asked: effective compute, and the first threshold that lies ahead."""
    years = group(run, "trajectories", of_samples=True)["year"].values.tolist()
    crossings = run_crossings(run).items()
    ahead = [name for name, when in crossings if when.min() < when.max() and np.mean(when <= years[0]) < PASSED]
    return headline_outcomes(headline_of(group(run, "summary")), years, ahead)


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
    units = unit_in(run, outcome)
    log = units.startswith("log10(")
    said = f"10^{first:.4g} {units[6:-1]}".removesuffix(" 1") if log else f"{first:g}"
    return f"{outcome.text}: is {said} in every sample, so no prior has to do with it. Ask of another outcome."


def _indices(values: Array, results: Array, chance: dict[bytes, Array]) -> dict[str, float]:
    """Give the rank correlation and delta of one prior; `chance` keeps what sizes of classes give by chance."""
    rank = association.spearman(values, results)
    if rank is None:  # the prior is fixed, or the outcome is the same wherever this prior is
        return {**dict.fromkeys(("rank", "rank_by_chance", "delta", "delta_by_chance"), 0.0), "beyond_chance": 0}
    count = association.class_count(values.size)
    table = association.table_of(association.rank_classes(values, count), association.rank_classes(results, count))
    sizes = table.sum(axis=1), table.sum(axis=0)
    key = sizes[0].tobytes() + b"|" + sizes[1].tobytes()
    if key not in chance:
        chance[key] = association.deltas_by_chance(*sizes)
    delta, noise = association.corrected_delta(association.raw_delta(table), chance[key])
    by_chance = association.rank_by_chance(values.size)
    found = {"rank": rank, "rank_by_chance": by_chance, "delta": delta, "delta_by_chance": noise}
    return {**found, "beyond_chance": int(delta > noise or abs(rank) > by_chance)}


def _decile_rows(outcome: Outcome, values: Array, results: Array) -> list[dict[str, Any]]:
    place, shares = association.rank_classes(values, DECILES), outcome.is_share
    rows: list[dict[str, Any]] = []
    for decile in np.unique(place).tolist():
        held = place == decile
        own, here = values[held], np.sort(results[held])
        lower, median, upper = sorted_quantiles(here, [0.05, 0.5, 0.95]).tolist()
        rows.append({
            "decile": decile + 1, "from": float(own.min()), "to": float(own.max()), "samples": int(held.sum()),
            "statistic": "share" if shares else "median", "value": float(here.mean()) if shares else median,
            "lower": None if shares else lower, "upper": None if shares else upper,
            "censored": float(np.isinf(here).mean()),
        })  # fmt: skip
    return rows


def _groups(outcome: Outcome, results: Array) -> list[tuple[str, NDArray[np.bool_]]]:
    """Part the samples by having crossed, or by crossing early and late (halves of those that do) or never."""
    if outcome.is_share:
        done = "crossed" if outcome.kind == "crossed" else "leading"
        return [(done, results > 0.5), (f"not {done}", results <= 0.5)]
    if outcome.kind != "crossing":
        return []
    crosses = np.isfinite(results)
    middle = np.median(results[crosses])
    return [("early", results < middle), ("late", crosses & (results >= middle)), ("never", ~crosses)]


def _largest(regions: Sequence[Row], name: str) -> dict[str, Any]:
    most = max((row for row in regions if row["input"] == name), key=lambda row: row["distance"], default=None)
    if most is None:
        return {"separation": None, "between": "", "p_value": None}
    between = f"{most['first']} and {most['second']}"
    return {"separation": most["distance"], "between": between, "p_value": most["p_value"]}


MOST_LINES = 12


def influence_lines(influence: OutcomeInfluence, *, years: tuple[float, float]) -> list[str]:
    """Tabulate the most influential priors, the strongest first; those below what chance gives are counted."""
    if influence.none:
        return [influence.none]
    outcome, kept = influence.outcome, influence.beyond_chance.rows()
    rest = len(influence.indices) - len(kept)
    shown, more = kept[:MOST_LINES], len(kept) - MOST_LINES
    separates = any(row["between"] for row in kept)
    told = [["", "delta", "rank", "from lowest to highest tenth", *(["separates"] if separates else [])]]
    for row in shown:
        rank = signed(row["rank"]) if abs(row["rank"]) > row["rank_by_chance"] else "~0"
        cells = [row["label"], f"{row['delta']:.3f}", rank, span_text(outcome, row, years)]
        told.append([*cells, *([_separates(row)] if separates else [])])
    lines = [outcome.text, *aligned(told, keys=1, right=[False, True, True, False, False][: len(told[0])])]
    many = f"{more} more, and " if more > 0 else ""
    lines.append(f"  ... and {many}{rest} priors that are fixed or go with it no more than chance would")
    return lines


def span_text(outcome: Outcome, row: Row, years: tuple[float, float]) -> str:
    """Write the outcome in the lowest and in the highest tenth of a prior."""
    return " to ".join(in_short(outcome, row[end], years, row["samples"] // DECILES) for end in ("low", "high"))


def in_short(outcome: Outcome, value: float, years: tuple[float, float], samples: int) -> str:
    """Write a median, or a share of so many samples, without its unit; a crossing censored by first and last year."""
    if outcome.kind == "level":
        return power(value) if outcome.unit == "log10" else outcome_text(value, unit=outcome.unit, years=years)
    return share_text(value, samples) if outcome.is_share else year_text(value, years[1], years[0])


def _separates(row: Row) -> str:
    if not row["between"]:
        return ""
    if row["p_value"] > 0.05:
        return "nothing beyond chance"
    chance = "< 0.001" if row["p_value"] < 0.001 else f"{row['p_value']:.3f}"
    return f"{row['between']}: {row['separation']:.2f} (p {chance})"


def legend_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """Say what the columns mean."""
    first = (
        "delta: half the area between the outcome's distribution and that within a class of the prior, on average, "
        "less what chance gives (0 to 1); rank: Spearman's correlation, ~0 where chance gives as much."
    )
    lines = [first]
    if any(outcome.censored or outcome.is_share for outcome in outcomes):
        lines.append(
            "separates: the largest distance between the prior's CDFs in two groups of samples; early and late are the "
            "halves of those that cross; p counts every prior and pair that was tested."
        )
    return [*lines, "Priors that are correlated share their influence: this is what goes together in the samples."]
