"""The audit of a scenario: every assumption, where it comes from, how much rests on it, and what to research next."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from simulator.analysis.evaluation import Input, Model, evaluate_values, inputs_of, labels_of, model_of
from simulator.analysis.inputs import Draws, common_draws, companions, moved_by
from simulator.analysis.outcomes import Outcome, outcome_words
from simulator.analysis.shares import check_method, variance_shares
from simulator.analysis.swings import SAMPLES, Statistic, forecast_outcomes, outcome_unit
from simulator.analysis.swings_output import measure_of, outcome_text
from simulator.errors import as_path
from simulator.files import short_hash
from simulator.priors.joint import NamedPrior
from simulator.runs.format import simulator_version
from simulator.scenario.assumptions import OWN, Provenance, Statement, provenances, statement, usual_unit
from simulator.scenario.documents import Document
from simulator.scenario.layers import lookup
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver
from simulator.schema.prior_names import input_words
from simulator.units import Array
from simulator.wording import listed, number_in, percent

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
    >>> from simulator.scenario.load import load_scenario
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
    return statement(lookup(scenario.data, path), prior, unit=usual_unit(path))


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


MOST = 12
WIDTH = 116
HOW = (
    "Ordered by influence x doubt. Influence: the largest share of the variance of an outcome. Doubt: 4 without a "
    "source, 3 for low confidence or own judgement, 2 for medium or no stated confidence, 1 for high."
)


def audit_lines(audit: Audit, *, most: int = MOST) -> list[str]:
    """Say an audit for the terminal: what to research next in full, the rest of the numbers in a line each.

    Examples
    --------
    >>> from simulator.analysis.audit import audit
    >>> from simulator.scenario.load import load_scenario
    >>> lines = audit_lines(audit(load_scenario("baseline"), samples=64))
    >>> lines[0]
    'Baseline: 38 uncertain numbers, 15 fixed (baseline, 64 common draws)'
    """
    uncertain, fixed = _split(audit)
    lines = [
        f"{_counted(audit)} ({audit.name}, {audit.samples:,} common draws)",
        *(f"  {_outcome_line(audit, each)}" for each in audit.outcomes),
        *textwrap.wrap(
            f"What to research next. {HOW}" if uncertain else "Every number is fixed: none has a share.", WIDTH
        ),
    ]
    for row in uncertain[:most]:
        head = f"{row['rank']:>4}  {row['words']}: {influence_text(audit, row)}"
        lines += textwrap.wrap(head, WIDTH, subsequent_indent=" " * 6)
        lines += textwrap.wrap(_origin(row), WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    if uncertain[most:]:
        lines.append("The other uncertain numbers")
        lines += [
            f"{row['rank']:>4}  {row['words']}: {_shares_text(audit, row)}; {row['value']}" for row in uncertain[most:]
        ]
    if fixed:
        lines.append("Fixed numbers: assumptions too, without a share")
        lines += [f"{row['rank']:>4}  {row['words']}: {row['value']}; {_standing_text(row)}" for row in fixed]
    return lines


def _split(audit: Audit) -> tuple[list[Row], list[Row]]:
    return [row for row in audit.rows if row["shape"] != "fixed"], [
        row for row in audit.rows if row["shape"] == "fixed"
    ]


def _counted(audit: Audit) -> str:
    uncertain, fixed = _split(audit)
    return f"{audit.title}: {len(uncertain)} uncertain numbers, {len(fixed)} fixed"


def _outcome_line(audit: Audit, each: Audited) -> str:
    text = f"{each.words}: {outcome_text(each.base, unit=each.unit, last=audit.last_year)}"
    if each.shared != each.outcome:
        text += f"; its shares are those of the year, at most {audit.last_year:g}"
    return f"{text}; the same in every sample, so nothing moves it" if each.constant else text


def influence_text(audit: Audit, row: Row) -> str:
    """Say what rests on an assumption: its shares, and what a standard deviation either way does."""
    return "; ".join(_one(audit, each, row) for each in audit.outcomes)


def _one(audit: Audit, each: Audited, row: Row) -> str:
    share = percent(max(0.0, number_in(row, f"share:{each.outcome.text}")))
    low, high = (_shift_text(audit, each, row, side) for side in ("minus", "plus"))
    return f"{share} of {each.outcome.text} (-1 sd: {low}, +1 sd: {high})"


def _shift_text(audit: Audit, each: Audited, row: Row, side: str) -> str:
    """Write a shift in OOM, years or as a number; where it reaches the horizon or leaves it, where it leads."""
    shift = row[f"shift_{side}:{each.outcome.text}"]
    if shift is None or math.isinf(float(str(shift))):
        return outcome_text(number_in(row, f"{side}:{each.outcome.text}"), unit=each.unit, last=audit.last_year)
    digits, unit = measure_of(each.unit)
    return f"{round(float(str(shift)), digits) + 0.0:+.{digits}f} {unit}".rstrip()


def _shares_text(audit: Audit, row: Row) -> str:
    return listed(
        f"{percent(max(0.0, number_in(row, f'share:{each.outcome.text}')))} of {each.outcome.text}"
        for each in audit.outcomes
    )


def _standing_text(row: Row) -> str:
    facts = [str(row["source"]) or str(row["standing"])]
    facts += [f"as of {row['as_of']}"] if row["as_of"] else []
    facts += [f"{row['confidence']} confidence"] if row["confidence"] else []
    facts.append(str(row["stated_at"]))
    return ", ".join(facts)


def _origin(row: Row) -> str:
    facts = [f"{row['value']} ({row['shape']})", _standing_text(row)]
    facts += [f"library {row['library']}"] if row["library"] else []
    facts += [f"overrides {row['overrides']}"] if row["overrides"] else []
    return "; ".join(facts)


def audit_markdown(audit: Audit) -> str:
    """Write an audit as a Markdown page: one table of all assumptions, what to research next first.

    Examples
    --------
    >>> from simulator.analysis.audit import audit
    >>> from simulator.scenario.load import load_scenario
    >>> print(audit_markdown(audit(load_scenario("baseline"), samples=64)).splitlines()[0])
    # Audit of Baseline
    """
    return "\n".join(_markdown(audit)) + "\n"


def _markdown(audit: Audit) -> Iterator[str]:
    uncertain, fixed = _split(audit)
    yield f"# Audit of {_cell(audit.title)}"
    yield ""
    yield (
        f"Scenario `{audit.name}`, audit {audit.key}: {len(uncertain)} uncertain numbers and {len(fixed)} fixed; "
        f"{audit.samples:,} common draws, seed {audit.seed}. {HOW} Shifts: the outcome with the assumption one "
        "standard deviation (on its normal score) lower and higher, the others free; "
        "what is correlated with it moves along."
    )
    yield ""
    for each in audit.outcomes:
        yield f"* {_cell(_outcome_line(audit, each))}"
    yield ""
    heads = [f"share of {each.outcome.text} | −1 sd | +1 sd" for each in audit.outcomes]
    columns = ["", "assumption", "median and interval", *heads, "source", "date", "confidence", "where", "overrides"]
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * (8 + 3 * len(audit.outcomes))}"
    for row in audit.rows:
        yield f"| {' | '.join(_cell(text) for text in _cells(audit, row))} |"
    yield from _correlations(audit)


def _cells(audit: Audit, row: Row) -> Iterator[str]:
    yield str(row["rank"])
    yield str(row["words"])
    yield f"{row['value']} ({row['shape']})"
    for each in audit.outcomes:
        yield percent(max(0.0, number_in(row, f"share:{each.outcome.text}")))
        for side in ("minus", "plus"):
            yield "" if row["shape"] == "fixed" else _shift_text(audit, each, row, side)
    yield str(row["source"]) or str(row["standing"])
    yield str(row["as_of"])
    yield str(row["confidence"])
    yield "; ".join(filter(None, (str(row["stated_at"]), str(row["library"]))))
    yield str(row["overrides"])


def _correlations(audit: Audit) -> Iterator[str]:
    yield ""
    yield "## Correlations"
    yield ""
    if not audit.correlations:
        yield "None is stated: all numbers vary independently of one another."
        return
    yield "All other pairs of numbers are independent."
    yield ""
    yield "| between | rank correlation | source |"
    yield "|---|---|---|"
    for row in audit.correlations:
        yield f"| {_cell(str(row['between']))} | {row['rank']} | {_cell(str(row['source']) or 'no source')} |"


def _cell(text: str) -> str:
    """Write a text so that a table of Markdown keeps it in one cell and shows it as it is."""
    safe = " ".join(text.split()).replace("\\", "\\\\")
    for letter in "|<>[]*_`":
        safe = safe.replace(letter, f"\\{letter}")
    return safe


def audit_table(audit: Audit) -> list[Row]:
    """Give the rows for CSV: all that is known of each assumption, one a row."""
    rows: Sequence[Row] = audit.rows
    return [{**row, "priors": str(row["priors"]).replace("\n", "; ")} for row in rows]
