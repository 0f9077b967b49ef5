"""What moved between two scenarios, input by input, as the explorer tells it: by the project's attribution."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from simulator.analysis.attribution import SAMPLES, Input, attribute_difference
from simulator.analysis.outcomes import CROSSED, MEAN_YEAR, Headline
from simulator.engine.simulation import run_arrays
from simulator.explorer.picture import with_samples
from simulator.explorer.protocol import Moved
from simulator.priors.joint import NamedPrior
from simulator.report.sentences import amount, base_unit
from simulator.runs.groups import Group
from simulator.runs.summary import crossing_table, main_quantity, summarised
from simulator.scenario.checks.units import variable_units
from simulator.scenario.differences import differing_entries, mixed_names
from simulator.scenario.resolving import Scenario
from simulator.schema.words import input_words
from simulator.variables import attributes
from simulator.wording import capital, cut, listed, plus_minus, raised, signed

MOST_NUMBERS = 10
"""Numbers of which is told what moved them."""

FEW, FEWER_SAMPLES, MOST_EXACT, ORDERS = 3, 2000, 5, 8
"""An answer comes soon: of more than a few changes fewer samples are evaluated, of many not all subsets, but orders."""

MOST_SAID = 6
"""Inputs that are said one by one."""

type Part = tuple[str, float, float | None]
"""An input in words, what it moved, and the standard error of that; none where it cannot be told."""


def moved(
    before: Scenario, after: Scenario, *, samples: int | None = None, progress: Callable[[], None] | None = None
) -> list[Moved]:
    """Say what moved the medians of the forecast from one scenario to another, the main one in the last year first.

    Each number is shared out among what the two state differently (`attribute_difference`), on the draws of the first;
    where they do not mix the same scenarios only the whole is told. `progress` is called after each evaluation, and
    may end it.
    """
    if mixed_names(before) != mixed_names(after):
        count = min(samples or before.spec.samples, SAMPLES)
        return list(_wholes(*(run_arrays(with_samples(each, count)) for each in (before, after))))
    most = SAMPLES if len(differing_entries(before.data, after.data)) <= FEW else FEWER_SAMPLES
    count = min(samples or before.spec.samples, most)
    found = attribute_difference(before, after, samples=count, most_exact=MOST_EXACT, orders=ORDERS, progress=progress)
    labels = {**after.labels, **before.labels}
    words = [_label(one, labels) for one in found.inputs]
    changes = [_changed(one, before, after) for one in found.inputs]
    units = variable_units(before.spec)
    told = []
    for place, number in enumerate(found.numbers):
        parts, errors = found.shares.parts[:, place], found.errors[:, place].tolist()
        if number.statistic == CROSSED or not np.abs(parts).max(initial=0.0) > 0.0:
            continue
        order = [one for one in np.argsort(-np.abs(parts), kind="stable").tolist() if parts[one]]
        unit = base_unit(str(attributes([number.quantity], units)[number.quantity]["units"]))
        ends = float(found.before[place]), float(found.after[place])
        own: list[Part] = [(words[one], float(parts[one]), _known(errors[one])) for one in order]
        lines = [_whole(number, ends, unit, errors[-1]), *_lines(own, [changes[one] for one in order], number.unit)]
        lines += [line for line in found.said if number.statistic == MEAN_YEAR and number.label in line]
        lines.append(f"On {count:,} common samples.")
        told.append((number, Moved(title=_title(number), unit=_unit(number), before=ends[0], after=ends[1], inputs=own,
                                   lines=lines)))  # fmt: skip
    told.sort(key=lambda each: (each[0].unit != "OOM", -(each[0].year or 0.0)))
    return [each for _, each in told[:MOST_NUMBERS]]


def _known(error: float) -> float | None:
    return error if math.isfinite(error) else None


def _unit(number: Headline) -> str:
    return "years" if number.unit == "years" else "OOM"


def _title(number: Headline) -> str:
    if number.unit == "OOM":
        return f"median of {number.label} in {number.year:g}"
    kind = f"mean year, at most {number.year:g}," if number.statistic == MEAN_YEAR else "median year"
    return f"{kind} of crossing {number.label}"


def _whole(number: Headline, ends: tuple[float, float], unit: str, error: float) -> str:
    """Say from where to where a number goes."""
    first, last = (amount(end, unit) if number.unit == "OOM" else f"{end:.1f}" for end in ends)
    said = f"{signed(ends[1] - ends[0])}{plus_minus(error, 2) if math.isfinite(error) else ''} {_unit(number)}"
    return f"The {_title(number)} goes from {first} to {last}: {said}."


def _label(one: Input, labels: Mapping[str, str]) -> str:
    """Say what an input is called; of one that is made of several entries the first two."""
    names = list(dict.fromkeys(_words(path, labels) for path in one.entries.split("; ")))
    return listed(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"])


def _words(path: str, labels: Mapping[str, str]) -> str:
    """Name an entry; what stands in one scenario of a mixture with the name of that."""
    found = _IN_PART.fullmatch(path)
    if found is None:
        return input_words(path, labels=labels)
    return f"{input_words(found['path'], labels=labels)} ({found['part']})" if found["path"] else "weights of scenarios"


_IN_PART = re.compile(r"mixture\[(?P<part>[^\]]*)\]\.(weight|changes\.(?P<path>.+))")


def _changed(one: Input, before: Scenario, after: Scenario) -> str:
    """Say what an input is in both; empty where it is made of several entries."""
    if ";" in one.entries:
        return ""
    if one.second == "absent":
        return " (taken away)"
    if one.first == "absent":
        return " (new)"
    part = _IN_PART.fullmatch(one.entries)
    priors = [_priors(scenario, part and part["part"]).get(part["path"] if part else one.entries)
              for scenario in (before, after)]  # fmt: skip
    told = [raised(each.understood) for each in priors if each is not None]
    first, second = told if len(told) > 1 and told[0] != told[1] else (one.first, one.second)
    return f" (from {cut(first, width=70)} to {cut(second, width=70)})"


def _priors(scenario: Scenario, part: str | None) -> Mapping[str, NamedPrior]:
    """Give the priors of a scenario; of a mixture those of a part, or of the first."""
    return next(each for each in scenario.components if part in (None, each.name)).joint.priors


def _lines(parts: list[Part], changes: list[str], unit: str) -> Iterator[str]:
    for (name, value, error), change in list(zip(parts, changes, strict=True))[:MOST_SAID]:
        uncertain = "" if error is None or not error else plus_minus(error, 2)
        yield f"{capital(name)}{change}: {signed(value)}{uncertain} {unit}."
    if rest := parts[MOST_SAID:]:
        yield f"{len(rest)} more: {signed(sum(value for _, value, _ in rest))} {unit}."


def _wholes(before: Group, after: Group) -> Iterator[Moved]:
    """Say how far the medians of two runs lie apart, without what it is due to."""
    runs, main = (before, after), main_quantity(before)
    found = [summarised(run, main) for run in runs] if main == main_quantity(after) else []
    if found and found[0].years[-1] == found[1].years[-1] and found[0].is_log:
        year = float(found[0].years[-1])
        number = Headline(main, str(found[0].attrs["long_name"]), "median", year, "OOM")
        first, last = (each.three_in(year)[1] for each in found)
        yield _together(number, first, last, base_unit(str(found[0].attrs["units"])))
    rows, others = ({row["threshold"]: row for row in crossing_table(run).rows()} for run in runs)
    for name in filter(others.__contains__, rows):
        first, last = float(rows[name]["median"]), float(others[name]["median"])
        if math.isfinite(first + last) and first > rows[name]["first_year"] and first != last:
            yield _together(Headline(name, rows[name]["label"], "", None, "years"), first, last, "")


def _together(number: Headline, first: float, last: float, unit: str) -> Moved:
    part: Part = ("all changes together", last - first, None)
    why = (
        "The two do not mix the same scenarios, and a prior of one name may mean another thing in each: what moved it "
        "cannot be told input by input."
    )
    lines = [_whole(number, (first, last), unit, math.nan), why]
    return Moved(title=_title(number), unit=_unit(number), before=first, after=last, inputs=[part], lines=lines)
