"""What a report says of a run in sentences: the forecast, what drives it, what holds it back, how it may be wrong."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from simulator.errors import number
from simulator.runs.groups import arrays, differing_samples, group, headline_of
from simulator.runs.growth_by_driver import mean_contributions
from simulator.runs.limits import limits_on
from simulator.runs.summary import (
    PASSED,
    Summarised,
    binding_table,
    crossing_table,
    sampling_note,
    summarised,
    why_no_spread,
)
from simulator.runs.table import Row
from simulator.scenario.canonical import stored_data
from simulator.scenario.layers import values_in
from simulator.wording import capital, harmless, listed, power, raised, share_text, signed, told_unit

if TYPE_CHECKING:
    import xarray as xr

MOST_CROSSED = 3
"""Thresholds that the sentence on crossings dates."""
MOST_OPEN = 2
"""Thresholds of which it says that they may not be crossed."""
_DATE = re.compile(r"\d{4}(-\d{2}){0,2}")
_LEFT_TO_RIGHT = frozenset({"L", "EN", "ES", "ET", "CS", "WS", "ON", "NSM", "B", "S"})


def amount(log_level: float, unit: str = "") -> str:
    """Write a log10 level with its unit: dollars and watts as people tell them, what is large as a power of ten."""
    if not math.isfinite(log_level):
        return "none"
    size, told = told_unit(log_level, unit)
    log_level -= size
    text = f"{float(f'{10**log_level:.2g}'):,g}" if -2 <= log_level < 6 else raised(power(log_level))
    if unit == "USD" and 0 <= log_level < 6:
        return f"${text} {told}".removesuffix("USD").rstrip()
    return f"{text} {told}".strip()


def base_unit(unit: str) -> str:
    """Name the unit of which a variable is the log10; empty where it has none."""
    inner = re.sub(r"\Alog10\((.*)\)\Z", r"\1", unit)
    return {"1": "", "J/s": "W"}.get(inner, inner)


def when(year: float) -> str:
    """Write a year of the grid; the dash does not break."""
    return f"mid‑{math.floor(year)}" if year % 1 == 0.5 else number(year)


def crossed_in(year: float, last: float, first: float = -math.inf) -> str:
    """Write the year of a crossing, rounded; in the first year already, or after the last, where it is censored."""
    if year <= first:
        return f"already in {number(first)}"
    return f"{year:.1f}" if math.isfinite(year) else f"after {number(last)}"


def crossed_between(row: Row) -> str:
    """Write the 90 % interval of a crossing year; ends that are censored as bounds."""
    first = row["first_year"]
    low, high = (crossed_in(row[key], row["last_year"], first) for key in ("lower_90", "upper_90"))
    if low == high:
        return low
    return f"{f'{number(first)} or before' if row['lower_90'] <= first else low} to {high}"


def isolated(name: str) -> str:
    """Keep a name that is not written from the left from turning the rest of its sentence."""
    name = harmless(name)
    turns = any(unicodedata.bidirectional(letter) not in _LEFT_TO_RIGHT for letter in name)
    return f"\u2068{name}\u2069" if turns else name


def ooms(value: float) -> str:
    """Write growth in orders of magnitude, with its sign."""
    return signed(value, digits=1)


def told(run: xr.DataTree) -> Summarised:
    """Read the variable that a run is told by: effective compute, or its headline without it."""
    return summarised(run, headline_of(arrays(run, "summary")))


def told_words(run: xr.DataTree) -> str:
    """Say what that variable is called."""
    return str(told(run).attrs["long_name"])


def forecast_sentences(run: xr.DataTree) -> list[str]:
    """Say the forecast in three sentences: how much of what it is told by, when thresholds are crossed, what binds."""
    return [_level_sentence(run), _crossing_sentence(run), _binding_sentence(run)]


def _level_sentence(run: xr.DataTree) -> str:
    levels, words = told(run), told_words(run)
    first, (middle, last) = float(levels.years[0]), levels.middle_and_last
    start, unit = levels.three_in(first)[1], base_unit(str(levels.attrs["units"]))
    said = []
    for year in (middle, last):
        low, level, high = levels.three_in(year)
        interval = f" (90 % interval {amount(low)} to {amount(high)})" if high > low else ""
        said.append(f"{amount(level, unit)} in {when(year)}{interval}")
    gain = levels.three_in(last)[1] - start
    course = f"about {amount(abs(gain))} times {'as much as' if gain >= 0 else 'less than'} in {when(first)}"
    if levels.is_certain:
        said_why = f"{why_no_spread(run)}, so there is no interval"
        return f"{capital(words)} is {said[0]} and {said[1]}, {course}; {said_why}."
    return f"The median forecast of {words} is {said[0]} and {said[1]}, {course}."


def _crossing_sentence(run: xr.DataTree) -> str:
    every = crossing_table(run).rows()
    if not every:
        return "The scenario names no thresholds, so no crossing is dated."
    ahead = [row for row in every if row["already"] < PASSED]
    if not ahead:
        return "All thresholds are passed at the start." if len(every) > 1 else "Its threshold is passed at the start."
    last = ahead[0]["last_year"]
    early = [row for row in ahead if row["median"] <= row["first_year"]]
    dated = sorted(
        (row for row in ahead if row["first_year"] < row["median"] < math.inf), key=lambda row: row["median"]
    )
    late = [row for row in ahead if math.isinf(row["median"])]
    parts = []
    if dated:
        verb = "The year of crossing is" if told(run).is_certain else "The median year of crossing is"
        parts.append(f"{verb} {listed([_dated(row, last) for row in dated[:MOST_CROSSED]])}")
    before, after = f"passed in {number(ahead[0]['first_year'])} already", f"not crossed by {number(last)}"
    for rows, key, what in ((early, "already", before), (late, "never", after)):
        if said := rows[:MOST_OPEN]:
            names = listed(isolated(row["label"]) for row in said)
            shares = listed(share_text(row[key], row["samples"]) for row in said)
            be, respectively = ("is", "") if len(said) == 1 else ("are", ", respectively")
            parts.append(f"{names} {be} {what} in {shares} of cases{respectively}")
    more = len(dated[MOST_CROSSED:]) + len(early[MOST_OPEN:]) + len(late[MOST_OPEN:])
    rest = f" ({more} more in the table)" if more else ""
    return f"{'; '.join(parts)}{rest}."


def _dated(row: Row, last: float) -> str:
    between = crossed_between(row)
    interval = f" (90 % interval {between})" if " to " in between else ""
    return f"{crossed_in(row['median'], last)} for {isolated(row['label'])}{interval}"


def _binding_sentence(run: xr.DataTree) -> str:
    last = told(run).middle_and_last[1]
    shares, say = binding_table(run), partial(share_text, samples=differing_samples(run))
    if not shares:
        return "The scenario has no caps and no constraints, so nothing holds growth back."
    said = []
    for (words,), limits in shares.where(year=last).groups("on_label"):
        total = float(limits["share"].sum())
        if total > 0:
            most = sorted(limits.rows(), key=lambda row: -row["share"])[:4]
            detail = ", ".join(f"{row['label']} {say(row['share'])}" for row in most)
            said.append(f"{words} back in {say(total)} of cases ({detail})")
    return f"In {when(last)} limits hold {listed(said)}." if said else f"In {when(last)} no limit binds in any sample."


def growth_sentences(run: xr.DataTree) -> list[str]:
    """Say what growth alone would give, part by part, and what limits take away, until the last year."""
    parts = mean_contributions(run).isel(year=-1)
    rows = list(zip(parts["label"].values.tolist(), parts["kind"].values.tolist(), parts.values.tolist(), strict=True))
    grown = sorted(((label, value) for label, kind, value in rows if kind == "growth"), key=lambda row: -row[1])
    taken = sorted(((label, value) for label, kind, value in rows if kind == "limits"), key=lambda row: row[1])
    years = group(run, "summary")["year"].values
    wanted, loss = sum(value for _, value in grown), sum(value for _, value in taken)
    net = wanted + loss
    share = "most of it" if grown[0][1] > wanted / 2 else "the largest part"
    most = f", {share} from {_bracketed(grown[0][0])}, {ooms(grown[0][1])}" if len(grown) > 1 else ""
    rest = [f"{_bracketed(label)} gives {ooms(value)}" for label, value in grown[1:]]
    others = f"; {listed(rest)}" if rest else ""
    span = f"From {when(float(years[0]))} to {when(float(years[-1]))}"
    amounts = f"{wanted:.1f} OOM (orders of magnitude: factors of ten){most}{others}"
    said = [f"{span} growth alone would raise effective compute by {amounts}."]
    if taken:
        verb = f"take {-loss:.1f} OOM away" if loss <= 0 else f"give {loss:.1f} OOM back"
        detail = listed([f"{_bracketed(label).removeprefix('limits ')} {ooms(value)}" for label, value in taken])
        said.append(f"Limits {verb}: {detail}. What is left is {net:.1f} OOM, a factor of {amount(net)}.")
    else:
        said.append(f"No limit takes anything away: {net:.1f} OOM is a factor of {amount(net)}.")
    return said


def _bracketed(label: str) -> str:
    """Write `hardware: price performance` as hardware (price performance)."""
    name, colon, detail = label.partition(": ")
    return f"{name} ({detail})" if colon else label


def cautions(run: xr.DataTree, *, judged: int, bare: int, doubted: int, uncertain: int, tied: int) -> Iterator[str]:
    """Say in what ways a reader may be wrong with this forecast."""
    if note := sampling_note(run):
        yield f"{capital(note)}."
    years = group(run, "summary")["year"].values
    for subject, on in limits_on(run).items():
        shares = group(run, "summary")[f"binding_{subject}_share"].values.sum(axis=0)
        held = years[shares > 0.5]
        if held.size:
            which = f"the limits {listed(on.labels)} are" if len(on.labels) > 1 else f"the limit {on.labels[0]} is"
            yield (
                f"From {when(float(held[0]))} on, {on.words} is at a limit in more than half of the "
                f"samples. What comes after rests on how {which} assumed, more than on trends."
            )
    if uncertain:
        bareness = f", {bare} {'has' if bare == 1 else 'have'} no source" if bare else ""
        yield (
            f"Of {uncertain} uncertain numbers, {judged} {'is' if judged == 1 else 'are'} the authors' own "
            f"judgement{bareness}, and {doubted} {'is' if doubted == 1 else 'are'} marked as of low confidence."
        )
        stated = f"{tied or 'No'} rank correlation{' is' if tied == 1 else 's are'} stated"
        yield (
            f"{stated}; apart from that the numbers vary independently of one another. If things rise and fall "
            "together that are independent here, the intervals are too narrow."
        )
        yield (
            "The intervals follow from these assumptions and from this model. They do not cover that the model itself "
            "is wrong, nor events that nobody wrote down."
        )
    else:
        yield "Every number is fixed. The result is what follows from them, not how sure anyone can be of it."
    yield "This page does not score the forecast against what came; it shows what follows from the assumptions."


def knowledge_date(run: xr.DataTree) -> str:
    """Give the latest date of a source in the scenario, as it is written there; empty where none has a date."""
    every = values_in(stored_data(run.attrs))
    dates = (str(each.get("as_of", "")) for each in every if isinstance(each, dict))
    return max(filter(_DATE.fullmatch, dates), default="")
