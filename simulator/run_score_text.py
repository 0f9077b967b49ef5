"""The scores of a run in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simulator.run_scores import RunScore, RunScoreRow

_HEAD = "  end of     came   median (90 %)             CRPS    WIS  pinball   log    PIT"
_UNITS = {"physical_compute": "physical compute, log10 FLOP", "spending": "spending, log10 USD"}


def run_score_lines(score: RunScore, *, name: str, against: str) -> Iterator[str]:
    """Say the scores of a run: a table for each quantity, one for thresholds, means, notes.

    Parameters
    ----------
    score : RunScore
    name : str
        The run.
    against : str
        The table of observations, with the date of its estimates.

    Yields
    ------
    str
        A line.
    """
    targets = len({row.target for row in score.rows})
    forecasts = len({row.target for row in score.rows if not row.in_sample})
    yield f"{name} against {against}, from {score.after} on"
    yield f"  {targets} DISTINCT {'YEAR' if targets == 1 else 'YEARS'}, {forecasts} of them after what its priors knew"
    for quantity, title in _UNITS.items():
        rows = [row for row in score.rows if row.quantity == quantity]
        if rows:
            yield f"  {title}"
            yield f"{_HEAD}  error  inside 50/80/90"
            yield from (f"  {_cells(row)}" for row in rows)
            yield from _means(rows)
    events = [row for row in score.rows if row.is_event]
    if events:
        yield "  thresholds"
        yield "  end of     forecast  came     Brier"
        for row in events:
            came = "crossed" if row.observed else "not"
            yield (
                f"  {row.target[:4]}       {100 * (row.probability or 0):6.1f} %  {came:<9}{row.brier:5.3f}  "
                f"{row.quantity.removeprefix('crossing ')}{_mark(row)}"
            )
        for mine, said in _apart(events):
            yield f"  mean of {len(mine)} {said}: Brier {_mean(mine, 'brier'):.3f}"
    for note in score.notes:
        yield f"  note: {note}"


def _cells(row: RunScoreRow) -> str:
    interval = f"{row.median:.2f} ({row.low:.2f} to {row.high:.2f})"
    logs = "    -" if row.log_score is None else f"{row.log_score:5.2f}"
    inside = " / ".join("yes" if each else "no" for each in (row.inside_50, row.inside_80, row.inside_90))
    return (
        f"{row.target[:4]}      {row.observed:6.2f}  {interval:<24} {row.crps:5.3f}  {row.interval_score:5.3f}  "
        f"{row.pinball:7.3f}  {logs}  {row.pit:5.2f}  {row.error:+5.2f}  {inside}{_mark(row)}"
    )


def _mark(row: RunScoreRow) -> str:
    return "  in sample" if row.in_sample else ""


def _apart(rows: Sequence[RunScoreRow]) -> Iterator[tuple[list[RunScoreRow], str]]:
    """Part forecasts from what is in sample; their means are never mixed."""
    for in_sample, said in ((False, "forecasts"), (True, "in sample")):
        mine = [row for row in rows if row.in_sample == in_sample]
        if mine:
            yield mine, said


def _means(rows: Sequence[RunScoreRow]) -> Iterator[str]:
    for mine, said in _apart(rows):
        inside = " / ".join(f"{100 * _mean(mine, f'inside_{level}'):.0f}" for level in (50, 80, 90))
        yield (
            f"  mean of {len(mine)} {said}: CRPS {_mean(mine, 'crps'):.3f}, "
            f"WIS {_mean(mine, 'interval_score'):.3f}, bias {_mean(mine, 'error'):+.2f}, "
            f"inside 50/80/90: {inside} %"
        )


def _mean(rows: Sequence[RunScoreRow], key: str) -> float:
    return float(np.mean([getattr(row, key) for row in rows]))
