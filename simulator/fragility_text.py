"""What is fragile in what was learnt from history, in words: the lines that are printed, and the page."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.fragility import Fragility
from simulator.leave_out import RateWithout
from simulator.power_scaling import RATES, SENSITIVE, Sensitivity
from simulator.prior_conflict import LARGEST_SHIFT, PriorShift

SHOWN = 8
"""Groups that are listed where none is flagged; the table has all."""


def fragility_lines(found: Fragility) -> Iterator[str]:
    """Say in lines what conflicts, what carries the rate, and what the rates are sensitive to."""
    yield (
        f"fragility of what was learnt: {found.snapshot}, {found.runs} frontier runs up to the end of {found.origin}"
    )
    yield from (f"  {line}" for fit in found.diagnostics for line in fit.lines)
    yield "prior and data"
    yield from (f"  {line}" for line in _shift_lines(found.shifts))
    yield "growth of frontier compute with and without a group of runs (a line with heavy-tailed scatter)"
    yield from (f"  {line}" for line in _rate_lines(found.rates))
    if found.refits:
        yield f"posterior without {found.refits[0].left_out}, the group that moves the rate most"
        yield from (f"  {each.line}" for each in found.refits)
    yield "what the rates are sensitive to (distance moved per doubling of a power; 0.05 and more counts)"
    yield from (f"  {line}" for line in _sensitivity_lines(found))
    yield from (f"conclusion: {line}" for line in conclusions(found))


def conclusions(found: Fragility) -> Iterator[str]:
    """Say what the reader should conclude, a sentence for each point."""
    shifted = {each.unknown: each for each in found.shifts}
    for row in found.sensitivities:
        if row.unknown in RATES:
            yield f"{row.unknown} {row.mean:.2f} OOM/year: {row.reading}{_distance(row, shifted.get(row.unknown))}."
    flagged = [each for each in found.rates if each.flagged]
    if flagged:
        most = flagged[0]
        yield (
            f"the rate rests on {most.kind} {most.left_out}: a revision of these runs would move it by "
            f"{abs(most.change):.2f} OOM/year. Forecast with and without them."
        )
    else:
        yield "no group of runs moves the rate by more than 0.1 OOM/year."
    if not all(fit.passed for fit in found.diagnostics):
        yield "the chains do not agree: none of this can be relied on before they do."


def _distance(row: Sensitivity, shift: PriorShift | None) -> str:
    """Say how far the posterior lies from the prior, where that decides what the sensitivities mean."""
    if shift is None:
        return ""
    if shift.conflict:
        return f"; it lies {abs(shift.shift):.1f} prior sd from the prior: one of the two is wrong"
    if row.own_prior >= SENSITIVE and row.likelihood >= SENSITIVE:
        return f"; it lies only {abs(shift.shift):.1f} prior sd from the prior, which informs and does not contradict"
    return ""


def fragility_page(found: Fragility, *, command: str) -> str:
    """Write the page: what was asked, the lines, and how to read them."""
    reading = (
        "A conflict is a posterior mean more than 2 prior standard deviations from the prior mean. Contraction is",
        "1 - variance of the posterior / variance of the prior: near 1 the data say nearly all. A group is flagged",
        "where the rate without it differs by more than 0.1 OOM/year, half an order of magnitude in five years: the",
        "runs that are left are ranked again. Sensitivities raise the priors or the likelihood to a power near 1 and",
        "measure how far the posterior moves, in cumulative Jensen-Shannon distance per doubling (Kallioinen et al.",
        "2024). With few runs many groups are influential; with many, none should be.",
    )
    return "\n".join([f"Written by: {command}", "", *fragility_lines(found), "", *reading]) + "\n"


def _shift_lines(shifts: tuple[PriorShift, ...]) -> Iterator[str]:
    for each in shifts:
        if each.conflict or each.unknown in RATES:
            yield f"{each.line}, contraction {each.contraction:.2f}"
    others = sum(not each.conflict and each.unknown not in RATES for each in shifts)
    if others:
        yield f"the other {others} unknowns lie within {LARGEST_SHIFT:g} prior sd"


def _rate_lines(rates: tuple[RateWithout, ...]) -> Iterator[str]:
    flagged = [each for each in rates if each.flagged]
    by_hand = [each for each in rates if each.kind == "by hand" and not each.flagged]
    others = [each for each in rates if not each.flagged and each.kind != "by hand"]
    shown = max(0, SHOWN - len(flagged))
    yield from (each.line for each in (*flagged, *by_hand, *others[:shown]))
    if len(others) > shown:
        yield f"{len(others) - shown} more groups move it by less"


def _sensitivity_lines(found: Fragility) -> Iterator[str]:
    for row in found.sensitivities:
        if row.unknown in RATES:
            yield (
                f"{row.unknown}: own prior {row.own_prior:.3f}, all priors {row.prior:.3f}, all data "
                f"{row.likelihood:.3f} (runs {row.runs:.3f}, costs {row.costs:.3f}, accelerators "
                f"{row.accelerators:.3f}); mean {row.mean:.3f}, with half its prior {row.mean_own_prior_half:.3f}, "
                f"with twice {row.mean_own_prior_double:.3f}"
            )
