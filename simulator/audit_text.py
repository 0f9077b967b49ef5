"""The audit of a scenario as lines for the terminal, as a Markdown page, and as rows for CSV."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

from simulator.audit import Audit, Audited, Row
from simulator.swings_text import measure_of, outcome_text
from simulator.words import listed, number_in, percent

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
    >>> from simulator.audit import audit
    >>> from simulator.scenario import load_scenario
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
            f"{row['rank']:>4}  {row['words']}: {_shares(audit, row)}; {row['value']}" for row in uncertain[most:]
        ]
    if fixed:
        lines.append("Fixed numbers: assumptions too, without a share")
        lines += [f"{row['rank']:>4}  {row['words']}: {row['value']}; {_standing(row)}" for row in fixed]
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


def _shares(audit: Audit, row: Row) -> str:
    return listed(
        f"{percent(max(0.0, number_in(row, f'share:{each.outcome.text}')))} of {each.outcome.text}"
        for each in audit.outcomes
    )


def _standing(row: Row) -> str:
    facts = [str(row["source"]) or str(row["standing"])]
    facts += [f"as of {row['as_of']}"] if row["as_of"] else []
    facts += [f"{row['confidence']} confidence"] if row["confidence"] else []
    facts.append(str(row["stated_at"]))
    return ", ".join(facts)


def _origin(row: Row) -> str:
    facts = [f"{row['value']} ({row['shape']})", _standing(row)]
    facts += [f"library {row['library']}"] if row["library"] else []
    facts += [f"overrides {row['overrides']}"] if row["overrides"] else []
    return "; ".join(facts)


def audit_markdown(audit: Audit) -> str:
    """Write an audit as a Markdown page: one table of all assumptions, what to research next first.

    Examples
    --------
    >>> from simulator.audit import audit
    >>> from simulator.scenario import load_scenario
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
