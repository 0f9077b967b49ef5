"""What priors have to do with an outcome, in words, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.influence import Influence, Row
from simulator.outcomes import Outcome
from simulator.words import power, year_text

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
    >>> from simulator.influence import influence_of
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
