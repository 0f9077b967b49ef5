"""What the explorer shows of a scenario: a run of the ordinary engine in memory, as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simulator.engine.simulation import run_arrays
from simulator.explorer.protocol import Crossing, Fan, Limit, Picture, Threshold, Variable
from simulator.report.sentences import amount, base_unit, crossed_between, crossed_in, isolated, when
from simulator.runs.groups import Group, arrays, differing_samples, summarised_names
from simulator.runs.limits import bound_limits
from simulator.runs.summary import (
    PASSED,
    Summarised,
    crossing_table,
    main_quantity,
    sampling_note,
    summarised,
    threshold_table,
    why_no_spread,
)
from simulator.runs.table import Row
from simulator.scenario.resolving import Component, Scenario
from simulator.variables import SUBJECTS
from simulator.wording import capital, listed, power, share_text

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles of a picture."""

MANY = 0.25
"""A share of the samples."""

MOST_FANS = 24
"""Variables of which a picture has fans."""


def with_samples(scenario: Scenario, samples: int) -> Scenario:
    """Give a scenario with another number of samples, as `--samples` does."""
    had = scenario.spec.samples
    if samples == had:
        return scenario

    def told(component: Component) -> Component:
        return replace(component, spec=component.spec.model_copy(update={"samples": samples}))

    data = {**scenario.data, "samples": samples}
    if "mixture" in scenario.data:
        entries = scenario.data["mixture"]
        mixed = [{**each, "scenario": {**each["scenario"], "samples": samples}} for each in entries]
        data = {**scenario.data, "mixture": mixed}
    overrides = (*scenario.overrides, f"samples: {had} -> {samples}")
    return replace(scenario, components=tuple(map(told, scenario.components)), data=data, overrides=overrides)


def picture(scenario: Scenario, samples: int | None = None, *, command: str = "") -> Picture:
    """Run a scenario that has learnt what it has to, and say what is seen of it.

    The numbers are those of `simulate` with as many samples, those of the scenario without them; `command` gives them.
    """
    scenario = scenario if samples is None else with_samples(scenario, samples)
    return picture_of(run_arrays(replace(scenario, fit=None)), command=command)  # the fit of history is not shown


def picture_of(run: Group, *, command: str = "") -> Picture:
    """Say what is seen of a run."""
    summary = arrays(run, "summary")
    fans = [_fan(run, name) for name in shown_variables(run)]
    limits, rows = _limits(summary), crossing_table(run).rows()
    years = numbers(summary.coords["year"].values)
    return Picture(
        run=str(run.attrs["run_id"]),
        title=str(run.attrs["title"]),
        samples=int(run.attrs["samples"]),
        levels=list(LEVELS),
        years=[float(year) for year in summary.coords["year"].values],
        fans=fans,
        thresholds=_thresholds(run),
        crossings=_crossings(summary, rows),
        limits=limits,
        headline=headline(run, rows),
        alts={"fan": fans[0]["alt"], **dict(_alts(run, limits, rows, years))},
        warnings=_warnings(run),
        command=command,
    )


def shown_variables(run: Group) -> list[str]:
    """Name the variables of a run whose fans are shown, the main one first: levels, factors, what has a label."""
    summary, main = arrays(run, "summary"), main_quantity(run)
    names = summarised_names(summary)

    def is_shown(name: str) -> bool:
        if name.endswith("_demanded"):
            return False
        if name.startswith("quantity_"):
            return bool(summary.data_vars[name].attrs.get("label"))
        return (
            name in ("effective_compute", "capability", *SUBJECTS) or name.startswith("models_") or "_factor_" in name
        )

    firsts = [main, "effective_compute", "physical_compute", "spending", "hardware", "algorithms", "capability"]
    order = [name for name in firsts if name in names]
    return list(dict.fromkeys([*order, *filter(is_shown, names)]))[:MOST_FANS]


def variables(run: Group) -> list[Variable]:
    """List the variables whose fans are shown, with their names and units."""
    found = ((name, summarised(run, name)) for name in shown_variables(run))
    return [
        Variable(
            name=name, title=str(each.attrs["long_name"]), unit=base_unit(str(each.attrs["units"])), log=each.is_log
        )
        for name, each in found
    ]


def numbers(values: ArrayLike) -> list[Any]:
    """Give an array as JSON has it: null where it is not finite."""
    plain: list[Any] = np.asarray(values, dtype=np.float64).tolist()
    return list(map(_finite, plain))


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_finite, value))
    return value if math.isfinite(value) else None


def _fan(run: Group, name: str) -> Fan:
    found, summary = summarised(run, name), arrays(run, "summary")
    errors = summary.data_vars.get(f"{name}_error")
    middle = np.full(found.years.size, np.nan) if errors is None else replace(found, values=errors.values).at(0.5)
    return Fan(
        variable=name,
        title=str(found.attrs["long_name"]),
        unit=base_unit(str(found.attrs["units"])),
        log=found.is_log,
        quantiles=[numbers(found.at(level)) for level in LEVELS],
        error=numbers(middle),
        alt=_fan_alt(found),
    )


def _said(found: Summarised, level: float, *, bare: bool = False) -> str:
    """Write a level, `bare` without its unit."""
    if level == math.inf:
        return power(level)
    unit = "" if bare else base_unit(str(found.attrs["units"]))
    return amount(level, unit) if found.is_log else f"{level:.3g} {unit}".rstrip()


def _fan_alt(found: Summarised) -> str:
    """Describe a fan to somebody who does not see it."""
    first, last = float(found.years[0]), float(found.years[-1])
    start, (low, middle, high) = found.three_in(first)[1], found.three_in(last)
    drawn = "Fan chart" if high > low else "Line chart"
    scale = " on a log scale" if found.is_log else ""
    ends = f"; 90 % of the samples end between {_said(found, low)} and {_said(found, high)}" if high > low else ""
    return (
        f"{drawn} of {found.attrs['long_name']} by year{scale}, {when(first)} to {when(last)}. "
        f"{'The median' if high > low else 'It'} goes from {_said(found, start)} to {_said(found, middle)}{ends}."
    )


def _thresholds(run: Group) -> list[Threshold]:
    return [
        Threshold(
            name=row["threshold"],
            label=row["label"],
            variable=row["quantity"],
            level=_finite(float(row["level"])),
        )
        for row in threshold_table(run).rows()
    ]


def _crossings(summary: Group, rows: Iterable[Row]) -> list[Crossing]:
    if "threshold" not in summary.coords:
        return []
    data, known = summary.data_vars, summary.coords["quantile"].values
    places = [int(np.argmin(np.abs(known - level))) for level in LEVELS]
    middle = places[LEVELS.index(0.5)]
    return [
        Crossing(
            name=row["threshold"],
            label=row["label"],
            quantiles=numbers(data["crossing_quantile"].values[at, places]),
            never=float(data["never"].values[at]),
            already=float(data["already"].values[at]),
            error=_finite(float(data["crossing_quantile_error"].values[at, middle])),
            by=numbers(data["crossed"].values[at]),
            by_error=numbers(data["crossed_error"].values[at]),
        )
        for at, row in enumerate(rows)
    ]


def _limits(summary: Group) -> list[Limit]:
    return [
        Limit(name=f"{on.subject}.{name}", label=label, on=on.words, share=numbers(share))
        for on in bound_limits(summary)
        for name, label, share in zip(on.names, on.labels, on.shares.values, strict=True)
    ]


def headline(run: Group, rows: Sequence[Row]) -> str:
    """Say a run in one or two sentences: its main level in the last year, and when its last threshold is crossed."""
    main = main_quantity(run)
    found = summarised(run, main)
    last, (low, middle, high) = float(found.years[-1]), found.three_in(float(found.years[-1]))
    ends = " to ".join(_said(found, end, bare=True) for end in (low, high))
    between = f" (90 % interval {ends})" if high > low else ""
    is_median = "The median forecast of " if high > low else ""
    level = f"{is_median}{found.attrs['long_name']} is {_said(found, middle)} in {when(last)}{between}"
    on_main = {row["threshold"] for row in threshold_table(run).rows() if row["quantity"] == main}
    own = [row for row in rows if row["threshold"] in on_main]
    why = "" if high > low else f"; {why_no_spread(run)}"
    return " ".join([f"{capital(level)}{why}.", *_crossing_sentence(own or rows)])


def _crossing_sentence(rows: Sequence[Row]) -> Iterator[str]:
    """Say when the threshold is crossed whose median is the latest; else how likely the first is crossed at all.

    One that many samples never cross is told only where there is no other.
    """
    ahead = [row for row in rows if row["already"] < PASSED]
    dated = [row for row in ahead if row["first_year"] < row["median"] < math.inf]
    dated = [row for row in dated if row["never"] < MANY] or dated
    for row in sorted(dated, key=lambda row: float(row["median"]))[-1:]:
        between = crossed_between(row)
        said = f" (90 % interval {between})" if " to " in between else ""
        never = f"; not by {row['last_year']:g} in {_share(row)} of cases" if row["never"] else ""
        name = capital(isolated(row["label"]))
        yield f"{name} is crossed in {crossed_in(row['median'], row['last_year'])}{said}{never}."
    for row in ahead[:1] if not dated else ():
        if math.isinf(row["median"]):
            yield f"{capital(isolated(row['label']))} is not crossed by {row['last_year']:g} in {_share(row)} of cases."


def _share(row: Mapping[str, Any]) -> str:
    return share_text(row["never"], row["samples"])


def _alts(
    run: Group, limits: Sequence[Limit], rows: Sequence[Row], years: Sequence[float]
) -> Iterator[tuple[str, str]]:
    """Describe the other charts to somebody who does not see them."""
    samples = differing_samples(run)
    if rows:
        first, last = rows[0]["first_year"], rows[0]["last_year"]
        told = [f"{row['label']}: {crossed_in(row['median'], last, first)}, {crossed_between(row)}" for row in rows]
        yield "crossings", f"Medians and 90 % intervals of the years of crossing. {'; '.join(told)}."
        shares = [f"{row['label']}: {share_text(1 - row['never'], row['samples'])}" for row in rows]
        yield "by", f"Lines of the probability of having crossed by each year. By {last:g}: {'; '.join(shares)}."
    if limits:
        found: dict[str, list[str]] = {}
        for each in limits:
            found.setdefault(each["on"], []).append(f"{each['label']} {share_text(each['share'][-1], samples)}")
        told = [f"{on}: {listed(shares)}" for on, shares in found.items()]
        yield (
            "limits",
            f"Share of the samples that each limit holds back, by year. In {years[-1]:g}: {'; '.join(told)}.",
        )


def _warnings(run: Group) -> list[str]:
    note = sampling_note(run)
    return [*([f"{capital(note)}."] if note else []), *filter(None, str(run.attrs["warnings"]).splitlines())]
