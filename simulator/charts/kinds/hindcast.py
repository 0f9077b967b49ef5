"""The charts of a hindcast: fans by origin, calibration, and skill by years ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath
from types import MappingProxyType

from simulator.charts import scored
from simulator.charts.register import ALL
from simulator.charts.spec import Figure, Head
from simulator.charts.writing import save_chart
from simulator.errors import InputError, near_or_all
from simulator.files import make_folder
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.output import Hindcast
from simulator.hindcast.rows import coverage_table, horizon_table, pit_table
from simulator.hindcast.verdicts import LEAST_ORIGINS, verdict
from simulator.runs.table import Row, Table
from simulator.wording import listed

MOST_ORIGINS = 4
"""Origins from which the forecasts of others than the model are drawn, spread evenly; the table has them all."""
PICTURES = ("hindcast_fans", "hindcast_skill")
"""The figures that stand on the page of a hindcast."""


def fan_figures(stored: Hindcast) -> list[Figure]:
    """Draw the first forecasts from each origin with what came later; and those of all others, smaller."""
    lead, *others = stored.names
    figures = [_fans(stored, [lead], name="hindcast_fans", height=250.0)]
    return figures + ([_fans(stored, others, name="hindcast_fans_others", height=120.0)] if others else [])


def _fans(stored: Hindcast, names: Sequence[str], *, name: str, height: float) -> Figure:
    mine = {each: stored.forecasts.where(forecast=each) for each in names}
    held = {each: int(rows["inside_90"].sum()) for each, rows in mine.items()}
    count = len(mine[names[0]])
    if names == [stored.lead]:
        title = f"The {stored.lead}'s 90 % band held what came in {held[stored.lead]} of {count} cases"
    else:
        most = [each for each in names if held[each] == max(held.values())]
        fewest = [each for each in names if held[each] == min(held.values())]
        low, high = min(held.values()), max(held.values())
        times = f"{low} of {count} times" if low == high else f"{low} to {high} of {count} times"
        title = f"{'Each 90 % band' if low == high else '90 % bands'} held what came {times}"
        if len(fewest) == 1 and len(most) > 1:
            title += f"; fewest: {fewest[0]}"
    origins = stored.origins if names == [stored.lead] else _spread(stored.origins)
    subtitle = "The largest training run known at the end of each year, physical FLOP"
    if len(origins) < len(stored.origins):
        subtitle += f". Drawn are {len(origins)} of {len(stored.origins)} origins; the table has them all"
    chart = scored.draw_hindcast_fans(stored, names, origins, head=Head(title, subtitle), height=height)
    said = "; ".join(f"{each}{_late(stored, each)} {held[each]} of {count}" for each in names)
    caption = (
        f"Forecasts of the record at the end of each year, made at the ends of {listed(map(str, stored.origins))}, and "
        f"what came. Inside the 90 % band: {said}. {_years(stored)}"
    )
    alt_text = (
        f"Small fan charts, a column for each origin ({listed(map(str, stored.origins))}) and a row for each way of "
        f"forecasting ({len(names)}). Years along, FLOP up on a log scale; medians, 50 and 90 % bands, and what came "
        f"as points. {title}."
    )
    return Figure(name, chart, {"": fan_table(stored, names)}, caption, alt_text)


def _spread(origins: Sequence[int]) -> Sequence[int]:
    """Choose origins, evenly, where they are too many to be drawn.

    >>> _spread(range(2014, 2025))
    [2014, 2017, 2021, 2024]
    """
    if len(origins) <= MOST_ORIGINS:
        return origins
    return [origins[round(place * (len(origins) - 1) / (MOST_ORIGINS - 1))] for place in range(MOST_ORIGINS)]


def fan_table(stored: Hindcast, names: Sequence[str]) -> Table:
    """Tabulate forecasts by name, origin and target: ends of the bands, what came, and whether it lay inside."""
    return Table.of_rows(
        {"forecast": name, "origin": row["origin"], "target": row["target"], **scored.band_ends(row),
         "observed": row["observed"], "inside_90": row["inside_90"], "hindsight": row["hindsight"]}
        for name in names
        for row in stored.forecasts.where(forecast=name).rows()
    )  # fmt: skip


def calibration_figures(stored: Hindcast) -> list[Figure]:
    """Draw where in the forecasts what came lay, and how often their intervals held it."""
    pit, coverage = pit_table(stored.forecasts), coverage_table(stored.forecasts)
    held = listed([f"{row['inside']} of {row['forecasts']}" for row in coverage.where(forecast=stored.lead).rows()])
    title = f"The {stored.lead}'s 50, 80 and 90 % intervals held {held}"
    subtitle = (
        f"Forecasts of one year err together: intervals are those of {stored.targets} independent forecasts, "
        f"not of {scored.forecasts_made(stored)}."
    )
    chart = scored.draw_calibration(stored, pit, coverage, head=Head(title, subtitle))
    wrong = [
        f"{row['forecast']} at {row['level']} % ({row['inside']} of {row['forecasts']})"
        for row in coverage.rows()
        if not row["seen_05"] <= row["level"] / 100 <= row["seen_95"]
    ]
    told = f"Away from what they state by more than chance: {listed(wrong)}." if wrong else (
        "None is further from what it states than chance allows."
    )  # fmt: skip
    caption = f"{title}. {told} {_years(stored)}"
    alt_text = (
        f"Rows for {len(stored.names)} ways of forecasting. In each a histogram of where in the forecast what came "
        "lay, in five bins or ten, and beside it how often the 50, 80 and 90 % intervals held what came, with 90 % "
        f"intervals. {title}. {told}"
    )
    tables = {"pit": pit, "coverage": coverage}
    return [Figure("hindcast_calibration", chart, tables, caption, alt_text)]


def skill_figures(stored: Hindcast) -> list[Figure]:
    """Draw the skill of the first against each other forecast, which there must be, in all and by years ahead."""
    if not stored.skills:
        raise InputError(f"{stored.folder_name}: has the {stored.lead} alone, and skill needs another forecast.")
    ahead, others = horizon_table(stored.forecasts), stored.skills.rows()
    some = ahead.where(ahead["forecasts"] < scored.forecasts_made(stored))
    groups = {
        row["baseline"]: [_whole(row), *map(_by_years, some.where(baseline=row["baseline"]).rows())] for row in others
    }
    simple = [row for row in others if row["baseline"] in BASELINES]
    what = "simple rules" if simple else "others"
    verdicts = [verdict(row) for row in simple or others]
    counts = {said: verdicts.count(said) for said in dict.fromkeys(verdicts)}
    told = "; ".join(f"{said} {count} of {len(verdicts)}" for said, count in counts.items())
    title = f"The {stored.lead} against {what}: {told}"
    subtitle = (
        f"Skill: 1 − CRPS of the {stored.lead} / that of the other. 90 % intervals from two halves of the origins, "
        f"none of fewer than {LEAST_ORIGINS}. Ten years can hardly rank two sensible forecasters."
    )
    chart = scored.draw_skill(groups, stored, head=Head(title, subtitle))
    said = "; ".join(
        f"{row['baseline']}{_late(stored, row['baseline'])} {_interval(row['skill'], _ends(row))}" for row in others
    )
    caption = f"{title}. Skill in CRPS with 90 % intervals, against {said}. {_years(stored)}"
    alt_text = (
        f"Dots with intervals on an axis of skill from −1 to 1, for {len(groups)} other ways of forecasting, in all "
        f"and by years ahead. {title}. Skill against {said}."
    )
    tables = {"": stored.skills, "by_years_ahead": ahead}
    return [Figure("hindcast_skill", chart, tables, caption, alt_text)]


def _whole(row: Row) -> scored.SkillLine:
    ends = _ends(row)
    return scored.SkillLine("all", row["skill"], ends, f"{_interval(row['skill'], ends)}: {verdict(row)}", whole=True)


def _ends(row: Row) -> tuple[float, float] | None:
    return None if math.isnan(row["skill_05"]) else (row["skill_05"], row["skill_95"])


def _by_years(row: Row) -> scored.SkillLine:
    first, last = row["first_ahead"], row["last_ahead"]
    span = f"{first}" if first == last else f"{first} to {last}"
    years = f"{row['targets']} year{'s' if row['targets'] > 1 else ''}"
    count = f"{row['forecasts']} forecast{'s' if row['forecasts'] > 1 else ''} of {years}"
    ends = _ends(row)
    label = f"{span} year{'' if span == '1' else 's'} ahead"
    return scored.SkillLine(label, row["skill"], ends, f"{_interval(row['skill'], ends)}, {count}", whole=False)


def _interval(skill: float, ends: tuple[float, float] | None) -> str:
    return f"{skill:+.2f}{f' ({ends[0]:+.2f} to {ends[1]:+.2f})' if ends else ''}".replace("-", "−")


def _late(stored: Hindcast, name: str) -> str:
    return f" ({scored.LATE})" if name in stored.with_hindsight else ""


def _years(stored: Hindcast) -> str:
    return f"{stored.targets} distinct years, forecast {scored.forecasts_made(stored)} times."


HINDCAST_KINDS: Mapping[str, Callable[[Hindcast], list[Figure]]] = MappingProxyType({
    "fans": fan_figures,
    "calibration": calibration_figures,
    "skill": skill_figures,
})  # fmt: skip
"""What each kind of chart of a hindcast is drawn by."""


def hindcast_figures(stored: Hindcast, asked: Sequence[str] = (ALL,)) -> list[Figure]:
    """Draw kinds of chart of a hindcast: keys of `HINDCAST_KINDS`, or "all"."""
    for kind in asked:
        if kind not in (*HINDCAST_KINDS, ALL):
            hint = near_or_all(kind, HINDCAST_KINDS, more=", and all")
            raise InputError(f"--kind: no kind of chart of a hindcast '{kind}'. {hint}")
    drawn = [kind for kind in HINDCAST_KINDS if ALL in asked or kind in asked]
    return [figure for kind in drawn for figure in HINDCAST_KINDS[kind](stored)]


def write_pictures(stored: Hindcast, folder: FilePath) -> list[tuple[str, str]]:
    """Write the pictures of its page as SVG, a tenth of a PNG in size; give each file and its alternative text."""
    make_folder(folder)
    made = []
    for figure in (*fan_figures(stored), *skill_figures(stored)):
        if figure.name in PICTURES:
            save_chart(figure.chart, folder / f"{figure.name}.svg", alt_text=figure.alt_text)
            made.append((f"{figure.name}.svg", figure.alt_text))
    return made
