"""The audit of a scenario: every assumption, where it comes from, how much rests on it, and what to research next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulator.documents import Document
from simulator.errors import as_path
from simulator.evaluation import Input, Model, evaluate_values, inputs_of, labels_of, model_of
from simulator.files import short_hash
from simulator.input_words import input_words
from simulator.layers import lookup
from simulator.moves import Draws, common_draws, companions, moved_by
from simulator.outcomes import Outcome, outcome_words
from simulator.priors import NamedPrior
from simulator.provenance import Provenance, provenances
from simulator.quantities import CustomDriver
from simulator.record import prior_attributes, simulator_version
from simulator.report_assumptions import OWN, Statement, statement, usual_unit
from simulator.scenario import Scenario
from simulator.swings import SAMPLES, Statistic, forecast_outcomes, outcome_unit
from simulator.units import Array
from simulator.variance_shares import check_method, variance_shares

type Row = dict[str, object]

DOUBTS = {"no source": 4, "low": 3, "medium": 2, "high": 1}
"""How much an assumption is doubted; own judgement as low confidence, and medium where no confidence is stated."""


@dataclass(frozen=True, slots=True)
class Audited:
    """An outcome of an audit.

    Parameters
    ----------
    outcome : Outcome
    shared : Outcome
        That of which shares of variance are told: always finite.
    words, unit : str
    base : float
        Its median (the mean, of a probability), with nothing changed.
    constant : bool
        Whether it is the same in every sample.
    """

    outcome: Outcome
    shared: Outcome
    words: str
    unit: str
    base: float
    constant: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """The assumptions of a scenario.

    Parameters
    ----------
    name, title, key : str
        Of the scenario; and an id of the audit.
    samples, seed : int
        Of the common draws.
    last_year : float
        The horizon.
    outcomes : what influence is measured on
    rows : rows (assumption,)
        What to research next first; fixed numbers last. See `audit`.
    correlations : rows of `between`, `rank`, `source`
    """

    name: str
    title: str
    key: str
    samples: int
    seed: int
    last_year: float
    outcomes: tuple[Audited, ...]
    rows: Sequence[Row]
    correlations: Sequence[Row]


def audit(
    scenario: Scenario,
    *,
    outcomes: Sequence[Outcome] = (),
    documents: Sequence[Document] = (),
    samples: int = SAMPLES,
    custom: Mapping[str, CustomDriver] | None = None,
) -> Audit:
    """Audit a scenario: every number that it assumes, where it comes from, and what rests on it.

    The influence of an assumption is its largest share of the variance of an outcome; of a crossing year, of the year
    that is at most the horizon. Its doubt is 4 without a source, 3 for low confidence or own judgement, 2 for medium
    or no stated confidence, 1 for high. What to research next is ordered by influence x doubt.

    Parameters
    ----------
    scenario : Scenario
        Of one component.
    outcomes : sequence of Outcome
        None: effective compute in the last year, and the first threshold that is not passed at the start.
    documents : sequence of Document
        From `lineage`: the file and what it extends, to say what is overridden.
    samples : int
        Common draws.
    custom : functions of custom drivers, as in `simulate`

    Returns
    -------
    Audit, whose rows have
        `rank`, `input`, `priors` (names, one a line), `words`, `value`, `shape`, `unit`, `standing`, `source`, `as_of`,
        `confidence`, `stated_at`, `library`, `overrides`, `moves_along`, `influence`, `doubt`, `research`; and for each
        outcome `share`, `share_error`, `minus`, `plus` (the outcome with the input's score moved by one standard
        deviation), `shift_minus`, `shift_plus`, each followed by `:` and the outcome. A shift is +inf or -inf where
        only one side is by the horizon, None where neither is.

    Raises
    ------
    InputError
        The scenario mixes several, or has no such variable, threshold or year.

    Examples
    --------
    >>> from simulator.scenario import load_scenario
    >>> found = audit(load_scenario("baseline"), samples=64)
    >>> found.rows[0]["words"], found.rows[0]["stated_at"]
    ('algorithms: growth', 'scenarios/baseline.yaml:42')
    """
    check_method("auto", samples=samples)
    model = model_of(scenario, custom=custom)
    inputs = inputs_of(model)
    draws = common_draws(model, samples)
    asked = tuple(outcomes) or forecast_outcomes(model, draws)[1:]
    base = evaluate_values(model, draws.values, asked)
    audited = tuple(_audited(scenario, outcome, values) for outcome, values in zip(asked, base, strict=True))
    moves = {varied.name: _moves(model, draws, varied, asked) for varied in inputs}
    shares = _shares(scenario, audited, samples, custom) if inputs else {}
    origins = provenances(scenario, documents=documents)
    rows = []
    for varied in [*inputs, *_fixed_inputs(model)]:
        row = _row(scenario, varied, origins[varied.members[0]])
        row |= _influence(audited, moves.get(varied.name), shares.get(varied.name))
        rows.append(row | _weight(row, uncertain=varied.name in moves))
    rows.sort(key=lambda row: -float(str(row["research"])))  # those that are alike stay in the order of the scenario
    return Audit(
        name=scenario.spec.name,
        title=scenario.spec.title or scenario.spec.name,
        key=short_hash(scenario.hash, simulator_version(), str(samples), *(each.text for each in asked)),
        samples=samples,
        seed=scenario.spec.seed,
        last_year=float(model.years[-1]),
        outcomes=audited,
        rows=[row | {"rank": number} for number, row in enumerate(rows, start=1)],
        correlations=[
            {"between": " with ".join(each.between), "rank": each.rank, "source": each.source or ""}
            for each in scenario.spec.correlations
        ],
    )


def _audited(scenario: Scenario, outcome: Outcome, values: Array) -> Audited:
    statistic = Statistic(outcome)
    shared = replace(outcome, kind="restricted") if outcome.censored else outcome
    words = outcome_words(outcome, labels=labels_of(scenario.spec), statistic=statistic.name)
    constant = bool((values == values[0]).all())
    return Audited(outcome, shared, words, outcome_unit(scenario, outcome), statistic.of(values), constant)


def _fixed_inputs(model: Model) -> list[Input]:
    return [Input(name, (name,)) for name, prior in model.joint.priors.items() if prior.value is not None]


def _moves(model: Model, draws: Draws, varied: Input, outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Give each outcome with the score of an input one standard deviation down and up."""
    sides = [evaluate_values(model, moved_by(model.joint, draws, varied, step=step), outcomes) for step in (-1.0, 1.0)]
    return [
        (Statistic(outcome).of(low), Statistic(outcome).of(high))
        for outcome, low, high in zip(outcomes, *sides, strict=True)
    ]


def _shares(
    scenario: Scenario, audited: Sequence[Audited], samples: int, custom: Mapping[str, CustomDriver] | None
) -> dict[str, list[tuple[float, float]]]:
    """Give the share of the variance of each outcome by input, with its standard error."""
    asked = list(dict.fromkeys(each.shared for each in audited))
    found = variance_shares(scenario, asked, samples=samples, custom=custom)
    name = "shapley" if "shapley" in found else "total"
    places = [asked.index(each.shared) for each in audited]
    shares, errors = (found[key].transpose("input", "outcome").values for key in (name, f"{name}_error"))
    return {
        each: [(float(shares[row, place]), float(errors[row, place])) for place in places]
        for row, each in enumerate(found["input"].values.tolist())
    }


def _row(scenario: Scenario, varied: Input, origin: Provenance) -> Row:
    name = varied.members[0]
    prior = scenario.joint.priors[name]
    said = _said(scenario, name, prior, len(varied.members))
    facts = said.origin
    return {
        "rank": 0, "input": varied.name, "priors": "\n".join(varied.members),
        "words": input_words(varied.name, labels=labels_of(scenario.spec)), "value": said.value,
        "shape": said.shape or "fixed", "unit": _unit(prior), "standing": _standing(said, name),
        "source": facts.get("source", ""), "as_of": facts.get("as_of", ""), "confidence": facts.get("confidence", ""),
        "stated_at": origin.stated, "library": origin.library, "overrides": origin.replaced,
        "moves_along": ", ".join(companions(scenario.joint, varied)) if prior.value is None else "",
    }  # fmt: skip


def _said(scenario: Scenario, name: str, prior: NamedPrior, members: int) -> Statement:
    path = as_path(name)
    if members > 1:
        return Statement(f"{members} yearly shocks, median 0 (90 %: -1.64 to 1.64)", "normal", {"source": "the model"})
    return statement(lookup(scenario.data, path), prior_attributes(prior), unit=usual_unit(path))


def _standing(said: Statement, name: str) -> str:
    definition = said.is_fixed and said.standing == "no source" and name.startswith("thresholds.")
    return "definition" if definition else said.standing


def _unit(prior: NamedPrior) -> str:
    """Name the unit in which a prior is stated."""
    stated = prior.prior.unit
    if stated or prior.prior.mixture is not None:
        return stated or prior.unit
    base = prior.unit.removeprefix("log10(").removesuffix(")")
    return {"OOM/year": "factor/year"}.get(base, base)


def _influence(
    audited: Sequence[Audited],
    moves: Sequence[tuple[float, float]] | None,
    shares: Sequence[tuple[float, float]] | None,
) -> Row:
    """Write what rests on an input, outcome by outcome; a fixed number has a share of 0."""
    row: Row = {}
    for number, each in enumerate(audited):
        low, high = moves[number] if moves else (each.base, each.base)
        share, error = shares[number] if shares else (0.0, 0.0)
        values: Row = {"share": share, "share_error": error, "minus": low, "plus": high,
                       "shift_minus": _shift(each.base, low), "shift_plus": _shift(each.base, high)}  # fmt: skip
        row |= {f"{key}:{each.outcome.text}": value for key, value in values.items()}
    return row


def _shift(base: float, moved: float) -> float | None:
    return None if math.isinf(base) and math.isinf(moved) else moved - base


def _weight(row: Row, *, uncertain: bool) -> Row:
    influence = (
        max((float(str(row[key])) for key in row if key.startswith("share:")), default=0.0) if uncertain else 0.0
    )
    doubt = doubt_of(standing=str(row["standing"]), confidence=str(row["confidence"])) if uncertain else 0
    return {"influence": max(influence, 0.0), "doubt": doubt, "research": max(influence, 0.0) * doubt}


def doubt_of(*, standing: str, confidence: str) -> int:
    """Tell how much an assumption is doubted, from 1 to 4.

    Examples
    --------
    >>> doubt_of(standing="no source", confidence=""), doubt_of(standing="source", confidence="high")
    (4, 1)
    >>> doubt_of(standing="own judgement", confidence="medium"), doubt_of(standing="source", confidence="")
    (3, 2)
    """
    if standing == "no source":
        return DOUBTS["no source"]
    if standing == OWN:
        return DOUBTS["low"]
    return DOUBTS.get(confidence, DOUBTS["medium"])
