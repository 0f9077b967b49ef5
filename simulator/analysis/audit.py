"""The audit of a scenario: every assumption, where it comes from, how much rests on it, and what to research next."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simulator.analysis.evaluation import Input, Model, evaluate_values, inputs_of, model_of
from simulator.analysis.inputs import Draws, common_draws, companions, moved_by, moved_error
from simulator.analysis.outcomes import (
    ORDERS_DIFFER,
    Outcome,
    difference_words,
    outcome_text,
    outcome_unit,
    outcome_words,
    parse_outcomes,
)
from simulator.analysis.shares import check_method, variance_shares
from simulator.analysis.swings import SAMPLES, forecast_outcomes
from simulator.engine.record import code_of
from simulator.engine.workers import Workers
from simulator.errors import as_path
from simulator.files import short_hash
from simulator.priors.joint import NamedPrior
from simulator.runs.result import Result
from simulator.runs.table import Row, Table, value_or_none
from simulator.scenario.assumptions import OWN, Provenance, Statement, provenances, statement
from simulator.scenario.documents import Document
from simulator.scenario.layers import lookup
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver
from simulator.schema.prior_names import unit_alone
from simulator.schema.words import input_words
from simulator.units import Array, file_unit
from simulator.wording import WIDTH, listed, markdown_table, plus_minus, signed

if TYPE_CHECKING:
    import xarray as xr

DOUBTS = {"no source": 4, "low": 3, "medium": 2, "high": 1}
"""How much an assumption is doubted; own judgement as low confidence, and medium where no confidence is stated."""


@dataclass(frozen=True, slots=True)
class Audited:
    """An outcome of an audit: its `base` with nothing changed."""

    outcome: Outcome
    words: str
    unit: str
    base: float
    constant: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Audit(Result):
    """The assumptions of a scenario, as `audit_scenario` gives them."""

    kind: ClassVar[str] = "audit"
    scenario: Scenario
    samples: int
    years: tuple[float, float]
    """The first and the last."""
    outcomes: tuple[Audited, ...]
    assumptions: Table
    """What to research next first; fixed numbers last."""

    @property
    def key(self) -> str:
        """The hash of all that determines it."""
        asked = (each.outcome.text for each in self.outcomes)
        return short_hash(self.scenario.hash, code_of(self.scenario), str(self.samples), *asked)

    @property
    def title(self) -> str:
        """What the scenario is called."""
        return self.scenario.spec.title or self.scenario.spec.name

    @property
    def dataset(self) -> xr.Dataset:
        """The assumptions by `input`; see `audit_scenario`."""
        return self.assumptions.to_dataset("input")

    @property
    def folder_name(self) -> str:
        return f"{self.scenario.spec.name}-audit-{self.key}"

    def tables(self) -> dict[str, Table]:
        """`audit`: all that is known of each assumption, one a row; see `audit_scenario`."""
        return {"audit": self.assumptions}

    def texts(self) -> dict[str, str]:
        """A Markdown page: one table of all assumptions, what to research next first."""
        return {"audit.md": "\n\n".join(_markdown(self)) + "\n"}

    def lines(self) -> list[str]:
        """Say what to research next in full, the rest of the numbers in a line each."""
        return list(_lines(self))

    @property
    def uncertain(self) -> list[dict[str, Any]]:
        """The rows of numbers that have a spread."""
        return self.assumptions.where(self.assumptions["shape"] != "fixed").rows()

    @property
    def fixed(self) -> list[dict[str, Any]]:
        """The rows of numbers that have none."""
        return self.assumptions.where(shape="fixed").rows()


def audit_scenario(
    scenario: Scenario | Source,
    *,
    outcomes: Sequence[Outcome | str] = (),
    documents: Sequence[Document] = (),
    samples: int = SAMPLES,
    custom: Mapping[str, CustomDriver] | None = None,
    workers: Workers = 1,
) -> Audit:
    """Audit a scenario: every number that it assumes, where it comes from, and what rests on it.

    The influence of an assumption is its largest share of the variance of an outcome (of a crossing year, of its rank
    among the samples), of those that are more than twice their standard errors. Shares are Shapley effects, and those
    of an outcome add up to 1. Doubt is 4 without a source, 3 for low confidence or own judgement, 2 for medium or no
    stated confidence, 1 for high. What to research next is ordered by influence x doubt; without influence there is no
    order.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
        Of one component.
    outcomes : sequence of str
        Such as `effective_compute@2035` or `crossing:NAME`. None: effective compute in the last year, and the first
        threshold that is not passed at the start.
    documents : sequence of Document
        From `lineage`: the file and what it extends, to say what is overridden.
    samples : int
        Common draws.
    custom : functions of custom drivers, as in `simulate`
    workers : int or Executor, as in `simulate`, for the shares

    Returns
    -------
    Audit, whose table of assumptions has
        `rank` (missing without influence), `input`, `priors` (names), `words`, `value`, `shape`, `unit`, `standing`,
        `source`, `as_of`, `confidence`, `stated_at`, `library`, `overrides`, `moves_along`, `influence`, `doubt`,
        `research`; and for each outcome `share`, `share_error`, `minus`, `plus` (the outcome with the input's score
        moved by one standard deviation), `shift_minus`, `shift_plus`, `shift_minus_error`, `shift_plus_error`, each
        followed by `:` and the outcome. A shift is +inf or -inf where only one side is by the horizon, missing where
        neither is.

    Raises
    ------
    InputError
        The scenario mixes several, or has no such variable, threshold or year.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> found = audit_scenario(load_scenario("baseline"), samples=64)
    >>> found.assumptions["words"][0], found.assumptions["stated_at"][0].partition(":")[0]
    ('growth of algorithmic efficiency', 'scenarios/baseline.yaml')
    """
    scenario = scenario_of(scenario)
    check_method("auto", samples=samples)
    model = model_of(scenario, custom=custom)
    inputs = inputs_of(model)
    draws = common_draws(model, samples)
    usual = forecast_outcomes(model, draws)
    asked = parse_outcomes(outcomes) or usual[1:] or usual  # the level alone, where there are no thresholds
    base = evaluate_values(model, draws.values, asked)
    audited = tuple(_audited(scenario, outcome, values) for outcome, values in zip(asked, base, strict=True))
    shares = _shares(scenario, audited, samples, custom, workers) if inputs else {}
    origins = provenances(scenario, documents=documents)
    unmoved = [(each.base, 0.0, each.base, 0.0) for each in audited], [(0.0, 0.0)] * len(audited)
    known = [name for name, prior in model.joint.priors.items() if prior.value is not None and not prior.is_use]
    fixed = [Input(name, (name,)) for name in known]
    rows = []
    for varied in (*inputs, *fixed):
        told = (_moves(model, draws, varied, audited, base), shares[varied.name]) if varied.name in shares else unmoved
        rows.append(_row(scenario, varied, origins[varied.members[0]]) | _influence(audited, *told))
    for row in rows:
        row["doubt"] = 0 if row["shape"] == "fixed" else doubt_of(row["standing"], row["confidence"])
        row["research"] = row["influence"] * row["doubt"]
    # Those that are alike stay in the order of the scenario, fixed ones last.
    rows.sort(key=lambda row: (-row["research"], row["shape"] == "fixed"))
    ranks = (rank if row["influence"] > 0.0 else None for rank, row in enumerate(rows, start=1))
    table = Table.of_rows({"rank": rank} | row for rank, row in zip(ranks, rows, strict=True))
    return Audit(scenario, samples, (float(model.years[0]), float(model.years[-1])), audited, table)


def _audited(scenario: Scenario, outcome: Outcome, values: Array) -> Audited:
    words = outcome_words(outcome, labels=scenario.words, statistic=outcome.statistic)
    constant = bool((values == values[0]).all())
    return Audited(outcome, words, outcome_unit(scenario, outcome), outcome.middle(values), constant)


def _moves(
    model: Model, draws: Draws, varied: Input, audited: Sequence[Audited], base: Array
) -> list[tuple[float, ...]]:
    """Give each outcome with the score of an input one standard deviation down and up, each with its shift's error."""
    outcomes = [each.outcome for each in audited]
    sides = [evaluate_values(model, moved_by(model.joint, draws, varied, step=step), outcomes) for step in (-1.0, 1.0)]
    return [
        tuple(number for side in own for number in (each.middle(side), moved_error(each, still, side)))
        for each, still, *own in zip(outcomes, base, *sides, strict=True)
    ]


def _shares(
    scenario: Scenario,
    audited: Sequence[Audited],
    samples: int,
    custom: Mapping[str, CustomDriver] | None,
    workers: Workers,
) -> dict[str, Sequence[Sequence[float]]]:
    """Give the share of the variance of each outcome by input, with its standard error."""
    asked = [each.outcome for each in audited]
    found = variance_shares(scenario, asked, samples=samples, method="shapley", custom=custom, workers=workers).dataset
    both = np.stack([found["shapley"].values, found["shapley_error"].values], axis=-1).tolist()
    return dict(zip(found["input"].values.tolist(), both, strict=True))


def _row(scenario: Scenario, varied: Input, origin: Provenance) -> dict[str, Any]:
    """Say what is assumed and where it comes from."""
    name = varied.members[0]
    prior, path = scenario.joint.priors[name], as_path(name)
    if (count := len(varied.members)) > 1:
        shocks = f"{count} yearly shocks, median 0 (90 %: -1.64 to 1.64)"
        said = Statement(shocks, "normal", {"source": "the model"})
        if "jumps" in path:
            said = Statement(f"{count} yearly draws of jumps", "uniform", {"source": "the model"})
    else:
        said = statement(lookup(scenario.data, path), prior, unit=unit_alone(path))
    definition = said.is_fixed and said.standing == "no source" and name.startswith("thresholds.")
    return {
        "input": varied.name,
        "priors": "; ".join(varied.members),
        "words": input_words(varied.name, labels=scenario.labels),
        "value": said.value,
        "shape": said.shape or "fixed",
        "unit": _unit(prior),
        "standing": "definition" if definition else said.standing,
        **{key: said.origin.get(key, "") for key in ("source", "as_of", "confidence")},
        "stated_at": origin.stated,
        "library": origin.library,
        "overrides": origin.replaced,
        "moves_along": ", ".join(companions(scenario.joint, varied)) if prior.value is None else "",
    }


def _unit(prior: NamedPrior) -> str:
    """Name the unit in which a prior is stated."""
    return prior.prior.own_unit or ("factor/year" if prior.unit == "OOM/year" else file_unit(prior.unit))


def _influence(
    audited: Sequence[Audited], moves: Sequence[Sequence[float]], shares: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Write what rests on an input, outcome by outcome."""
    row: dict[str, Any] = {}
    for each, (low, low_error, high, high_error), (share, error) in zip(audited, moves, shares, strict=True):
        values: dict[str, float | None] = {"share": share, "share_error": error, "minus": low, "plus": high}
        for side, moved, spread in (("minus", low, low_error), ("plus", high, high_error)):
            # From never to never is no shift.
            values[f"shift_{side}"] = None if math.isinf(each.base) and math.isinf(moved) else moved - each.base
            values[f"shift_{side}_error"] = value_or_none(spread)
        row |= {f"{key}:{each.outcome.text}": value for key, value in values.items()}
    return row | {"influence": max([0.0, *(share for share, error in shares if share > 2.0 * error)])}


def doubt_of(standing: str, confidence: str) -> int:
    """Tell how much an assumption is doubted, from 1 to 4."""
    known = {"no source": "no source", OWN: "low"}.get(standing, confidence)
    return DOUBTS.get(known, DOUBTS["medium"])


MOST = 12
HOW = (
    "Ordered by influence x doubt. Influence: the largest share of the variance of an outcome (Shapley effects, which "
    "add up to 100 %) that is more than twice its error. Doubt: 4 without a source, 3 for low confidence or own "
    f"judgement, 2 for medium or no stated confidence, 1 for high. {ORDERS_DIFFER}"
)


def _lines(audit: Audit) -> Iterator[str]:
    uncertain, fixed = audit.uncertain, audit.fixed
    yield (
        f"{audit.title}: {len(uncertain)} uncertain numbers, {len(fixed)} fixed "
        f"({audit.scenario.spec.name}, {audit.samples:,} common draws)"
    )
    yield from (f"  {_outcome_line(audit, each)}" for each in audit.outcomes)
    yield from textwrap.wrap(
        f"What to research next. {HOW}" if uncertain else "Every number is fixed: none has a share.", WIDTH
    )
    ranked = [row for row in uncertain if row["rank"] is not None]
    for row in ranked[:MOST]:  # its shares, and what a standard deviation either way does
        shifts = ([_shift_text(audit, each, row, side) for side in ("minus", "plus")] for each in audit.outcomes)
        told = "; ".join(
            f"{_share_text(each, row)} of {each.outcome.text} (-1 sd: {low}, +1 sd: {high})"
            for each, (low, high) in zip(audit.outcomes, shifts, strict=True)
        )
        yield from textwrap.wrap(f"{row['rank']:>4}  {row['words']}: {told}", WIDTH, subsequent_indent=" " * 6)
        yield from textwrap.wrap(_origin(row), WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    others = "The other uncertain numbers"
    yield from _short(audit, others, ranked[MOST:])
    yield from _short(audit, f"{others if ranked else 'Uncertain numbers'}, without an order: no share is more than "
                      "twice its error", uncertain[len(ranked) :])  # fmt: skip
    if fixed:
        yield "Fixed numbers: assumptions too, without a share"
    yield from (f"      {row['words']}: {row['value']}; {_standing_text(row)}" for row in fixed)


def _short(audit: Audit, head: str, rows: Sequence[Row]) -> Iterator[str]:
    """Write numbers in a line each."""
    if rows:
        yield head
    for row in rows:
        shares = listed(f"{_share_text(each, row)} of {each.outcome.text}" for each in audit.outcomes)
        yield f"{row['rank'] or '':>4}  {row['words']}: {shares}; {row['value']}"


def _outcome_line(audit: Audit, each: Audited) -> str:
    text = f"{each.words}: {outcome_text(each.base, unit=each.unit, years=audit.years)}"
    if each.outcome.censored:
        text += "; its shares are those of its rank among the samples"
    return f"{text}; the same in every sample, so nothing moves it" if each.constant else text


def _share_text(each: Audited, row: Row) -> str:
    share, error = (row[f"{name}:{each.outcome.text}"] for name in ("share", "share_error"))
    return f"{100 * max(0.0, share):.1f}{plus_minus(100 * error, 1)} %" if error else f"{100 * share:.0f} %"


def _shift_text(audit: Audit, each: Audited, row: Row, side: str) -> str:
    """Write a shift in OOM, years or as a number; where it reaches the horizon or leaves it, where it leads."""
    shift, moved = (row[f"{key}:{each.outcome.text}"] for key in (f"shift_{side}", side))
    if shift is None or math.isinf(shift) or (each.outcome.censored and moved <= audit.years[0]):
        return outcome_text(moved, unit=each.unit, years=audit.years)
    digits, unit = difference_words(each.unit)
    error = row[f"shift_{side}_error:{each.outcome.text}"]
    spread = plus_minus(error, digits) if error and shift else ""
    return f"{signed(shift, digits=digits)}{spread} {unit}".rstrip()


def _standing_text(row: Row) -> str:
    dated = f"as of {row['as_of']}" if row["as_of"] else ""
    sure = f"{row['confidence']} confidence" if row["confidence"] else ""
    return ", ".join(filter(None, (row["source"] or row["standing"], dated, sure, row["stated_at"])))


def _origin(row: Row) -> str:
    more = [f"{key} {row[key]}" for key in ("library", "overrides") if row[key]]
    return "; ".join([f"{row['value']} ({row['shape']})", _standing_text(row), *more])


def _markdown(audit: Audit) -> Iterator[str]:
    spec = audit.scenario.spec
    size = f"{len(audit.uncertain)} uncertain numbers and {len(audit.fixed)} fixed; {audit.samples:,} common draws"
    yield f"# Audit of {_cell(audit.title)}"
    yield (
        f"Scenario `{spec.name}`, audit {audit.key}: {size}, seed {spec.seed}. {HOW} Shifts: the outcome with the "
        "assumption one standard deviation (on its normal score) lower and higher, the others free; "
        "what is correlated with it moves along."
    )
    yield "\n".join(f"* {_cell(_outcome_line(audit, each))}" for each in audit.outcomes)
    shares = chain.from_iterable((f"share of {each.outcome.text}", "−1 sd", "+1 sd") for each in audit.outcomes)
    heads = ["", "assumption", "median and interval", *shares, "source", "date", "confidence", "where", "overrides"]
    yield markdown_table(heads, ([_cell(text) for text in _cells(audit, row)] for row in audit.assumptions.rows()))
    yield from _correlations(audit)


def _cells(audit: Audit, row: Row) -> Iterator[str]:
    yield from (str(row["rank"] or ""), row["words"], f"{row['value']} ({row['shape']})")
    for each in audit.outcomes:
        yield _share_text(each, row)
        for side in ("minus", "plus"):
            yield "" if row["shape"] == "fixed" else _shift_text(audit, each, row, side)
    where = "; ".join(filter(None, (row["stated_at"], row["library"])))
    yield from (row["source"] or row["standing"], row["as_of"], row["confidence"], where, row["overrides"])


def _correlations(audit: Audit) -> Iterator[str]:
    yield "## Correlations"
    if not (stated := audit.scenario.joint.correlations):
        yield "None is stated: all numbers vary independently of one another."
        return
    yield "All other pairs of numbers are independent."
    cells = ([_cell(" with ".join(each.between)), f"{each.rank}", _cell(each.source or "no source")] for each in stated)
    yield markdown_table(["between", "rank correlation", "source"], cells)


def _cell(text: str) -> str:
    """Write a text so that a table of Markdown keeps it in one cell and shows it as it is."""
    safe = " ".join(text.split()).replace("\\", "\\\\")
    for letter in "|<>[]*_`":
        safe = safe.replace(letter, f"\\{letter}")
    return safe
