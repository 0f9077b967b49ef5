"""A hindcast in words: the tables that are printed, and the page that documents it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulator.baselines import BASELINES
from simulator.hindcast import MODEL, Hindcast, ScoreRow, SkillRow
from simulator.hindcast_tables import EventScore

LATE = " (with hindsight)"
"""Stands after the name of a forecast whose priors knew what came."""


def hindcast_lines(result: Hindcast) -> Iterator[str]:
    """Say a hindcast in lines: how many targets, the mean scores of all, the model by origin, thresholds, skill."""
    origins = ", ".join(str(origin) for origin in result.origins)
    forecasts = next(row.forecasts for row in result.scores if row.forecast == MODEL and row.origin is None)
    width = max(16, *(len(_named(row)) for row in result.scores))
    yield (
        f"hindcast of the year-end record, log10 FLOP: {result.snapshot}; origins {origins}; "
        f"{forecasts} forecasts of {result.targets} DISTINCT YEARS"
    )
    yield f"  {'':<{width}}{'n':>4}   CRPS  pinball   bias   coverage 50/80/90 %"
    for row in result.scores:
        if row.origin is None or row.forecast == MODEL:
            yield f"  {_cells(row, width)}"
    yield from _event_lines(result, width)
    for note in result.notes:
        yield f"  note: {note}"
    for skill in result.skills:
        yield (
            f"  against {skill.baseline}{LATE if skill.hindsight else ''}: skill {skill.skill:+.2f} "
            f"(90 % {skill.skill_05:+.2f} to {skill.skill_95:+.2f}), {skill.verdict}"
        )


def _named(row: ScoreRow | EventScore) -> str:
    return f"{row.forecast}{LATE if row.hindsight else ''}"


def _cells(row: ScoreRow, width: int) -> str:
    name = _named(row) if row.origin is None else f"  from {row.origin}{LATE if row.hindsight else ''}"
    return (
        f"{name:<{width}}{row.forecasts:>4}  {row.crps:>5.3f}  {row.pinball:>7.3f}  {row.bias:>+5.2f}   "
        f"{100 * row.coverage_50:.0f} / {100 * row.coverage_80:.0f} / {100 * row.coverage_90:.0f}"
    )


def _event_lines(result: Hindcast, width: int) -> Iterator[str]:
    """Say the mean Brier scores: a row for each forecast, a column for each threshold."""
    scores = result.event_scores
    if not scores:
        return
    thresholds = sorted({row.threshold for row in scores})
    yield "  Brier score of the record being above (0 is best, 0.25 is a coin):"
    yield f"  {'FLOP':<{width}}" + "".join(f"{_flop(threshold):>10}" for threshold in thresholds)
    for name, cells in _by_forecast(scores, thresholds):
        yield f"  {name:<{width}}" + "".join(f"{cell.brier:>10.3f}" if cell else f"{'-':>10}" for cell in cells)


def _flop(threshold: float) -> str:
    return f"{threshold:.3g}".replace("e+", "e")


def _by_forecast(
    scores: Sequence[EventScore], thresholds: Sequence[float]
) -> Iterator[tuple[str, list[EventScore | None]]]:
    found = {(row.forecast, row.threshold): row for row in scores}
    for name in dict.fromkeys(row.forecast for row in scores):
        cells = [found.get((name, threshold)) for threshold in thresholds]
        yield next(_named(cell) for cell in cells if cell), cells


# ------------------------------------------------------------------------------------------------ the page

_HEAD = (
    "The year-end record of training compute (log10 FLOP) is forecast from the end of past years, with the runs",
    "and accelerators that had been published by then, and scored against what came. CRPS is in orders of",
    "magnitude (OOM), smaller is better. Forecasts of one year from several origins err together: read the number",
    "of distinct years, not that of forecasts. Differences in CRPS below 0.03 are ties. The values are those that",
    "the snapshot gives today: revisions of a run's compute after the origin are not undone.",
)
_ARMS = (
    "Beside the model, which is fitted to past runs, and the four simple rules stand forecasts that are fitted to",
    "nothing. *Period priors* start from the record (with an error of 0.2 OOM) and grow as the newest publication",
    "said that was known at the origin. A *scenario* is run as it stands from the record on: its growth, caps and",
    "constraints, with their dates; FLOP per USD is the median of the runs of the last two years.",
)
_HINDSIGHT = (
    f"**{LATE.strip('( )').capitalize()}**: these forecasts rest on priors that knew what came after an origin. They",
    "show what the scenario says of the past, and not how good a forecast it would have been.",
)


def hindcast_page(
    results: Sequence[tuple[str, Hindcast]],
    *,
    command: str,
    failure: tuple[str, Hindcast] | None = None,
    pictures: Sequence[tuple[str, str]] = (),
) -> str:
    """Write the page that documents hindcasts, from their results: (heading, hindcast) each.

    Parameters
    ----------
    results : sequence of (str, Hindcast)
    command : str
        The command that wrote the page.
    failure : (str, Hindcast), optional
        A snapshot on which the model fails, for a section of its own.
    pictures : sequence of (file, text)
        Pictures of the first result beside the page, and what each says to somebody who does not see it.
    """
    lines = ["# Hindcasts: how good such forecasts would have been", "", f"Written by `{command}`.", "", *_HEAD]
    every = [result for _, result in results] + ([failure[1]] if failure else [])
    if any(row.forecast not in (MODEL, *BASELINES) for result in every for row in result.scores):
        lines += ["", *_ARMS]
    if any(row.hindsight for result in every for row in result.scores):
        lines += ["", *_HINDSIGHT]
    for place, (heading, result) in enumerate(results):
        lines += ["", f"## {heading}", "", *_section(result)]
        for file, text in pictures if place == 0 else ():
            lines += ["", f"![{text}]({file})"]
    if failure:
        heading, result = failure
        lines += ["", f"## {heading}", "", *_failure_words(result), "", *_section(result)]
    return "\n".join(lines) + "\n"


def _section(result: Hindcast) -> Iterator[str]:
    """Write the tables of one hindcast."""
    yield f"**{result.targets} distinct years**, origins {', '.join(map(str, result.origins))}."
    yield ""
    yield "| forecast | n | CRPS | pinball | bias | inside 50 / 80 / 90 % | skill of the model, 90 % interval |"
    yield "|---|---|---|---|---|---|---|"
    skills = {row.baseline: row for row in result.skills}
    for row in result.scores:
        if row.origin is None:
            yield (
                f"| {_named(row)} | {row.forecasts} | {row.crps:.3f} | {row.pinball:.3f} | {row.bias:+.2f} | "
                f"{100 * row.coverage_50:.0f} / {100 * row.coverage_80:.0f} / {100 * row.coverage_90:.0f} | "
                f"{_skill(skills.get(row.forecast))} |"
            )
    if scores := result.event_scores:
        thresholds = sorted({row.threshold for row in scores})
        yield ""
        yield "Brier scores of the record being above a threshold (0 is best, 0.25 is a coin; n in brackets):"
        yield ""
        yield f"| forecast | {' | '.join(f'{_flop(threshold)} FLOP' for threshold in thresholds)} |"
        yield f"|---|{'---|' * len(thresholds)}"
        for name, cells in _by_forecast(scores, thresholds):
            said = (f"{cell.brier:.3f} ({cell.forecasts})" if cell else "" for cell in cells)
            yield f"| {name} | {' | '.join(said)} |"
    for note in result.notes:
        yield from ("", f"Note: {note}.")
    for warning in result.warnings:
        yield from ("", f"Warning: {warning.rstrip('.')}.")


def _skill(skill: SkillRow | None) -> str:
    if skill is None:
        return ""
    return f"{skill.skill:+.2f} ({skill.skill_05:+.2f} to {skill.skill_95:+.2f}), {skill.verdict}"


def _failure_words(result: Hindcast) -> Iterator[str]:
    """Say how the model does on the earlier snapshot, and whether its check of the rate told."""
    mine = next(row for row in result.scores if row.forecast == MODEL and row.origin is None)
    best = min((row for row in result.skills if row.baseline in BASELINES), key=lambda row: row.baseline_crps)
    yield "Until mid-2025 the database counted the self-play of game-playing systems as training: AlphaGo Zero stood"
    yield "at 3.41e23 FLOP, later at 6.5e20. A model that is fitted to these estimates extrapolates a jump that was"
    yield f"defined away. Its CRPS is {mine.crps:.3f} with a bias of {mine.bias:+.2f}; the best of the simple rules,"
    yield f"*{best.baseline}*, has {best.baseline_crps:.3f}."
    yield ""
    told = any(not check.passed for check in result.rate_checks)
    yield (
        "The rate with and without Games tells it, knowing nothing of what came: see the warning below."
        if told
        else "The rate with and without Games does not tell it: there is no warning."
    )
