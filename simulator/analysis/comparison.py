"""Compare runs: what their scenarios say differently, and what comes out differently, with its standard error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simulator.addresses import as_path
from simulator.analysis.attribution import (
    Attribution,
    attribute_runs,
    check_attributable,
    chosen_years,
    common_years,
    unlike,
)
from simulator.analysis.outcomes import CROSSED, MEDIAN_YEAR, QUANTILES, Headline
from simulator.dates import point_words
from simulator.engine.run_folders import Item, Say, read_alike, run_all
from simulator.engine.workers import Workers, pool_of
from simulator.files import short_hash
from simulator.runs.estimates import difference_error
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import differing_samples, group, headline_of, named_thresholds, summarised_names
from simulator.runs.result import Result
from simulator.runs.table import Row, Table, value_or_none
from simulator.scenario.differences import differing_inputs, labelled, run_labels
from simulator.units import Array, plain_unit
from simulator.wording import cut, power_text, share_text, signed, year_text

if TYPE_CHECKING:
    import xarray as xr


VARIABLES = ("effective_compute", "physical_compute", "spending", "capability")
EXACT = 1e-9
"""Below it an error is none: rounding, in runs whose numbers are fixed or differ by the same in every sample."""
MOST_LINES = 25
NEVER = "probability of no crossing"
SAME = "no difference"
LINE_WIDTH = 120

_SAME_DRAWS = ("seed", "design", "block", "samples")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Result):
    """What differs between runs, the first of which is what the others are held against.

    A row of `inputs` is an entry, with its `label` and a column for each run; `kind` is "number" for what results
    depend on. A row of `results` is a statistic of a run; `difference` is missing where a crossing is censored.
    """

    kind: ClassVar[str] = "comparison"
    runs: tuple[xr.DataTree, ...]
    labels: tuple[str, ...]
    inputs: Table
    results: Table
    attribution: Attribution | None = None

    @property
    def dataset(self) -> xr.Dataset:
        """Value, difference and their errors over (result, run); NaN where a run has no such result."""
        import xarray as xr

        keys = list(dict.fromkeys(tuple(row[name] for name in _HEAD) for row in self.results.rows()))
        made = {name: np.full((len(keys), len(self.labels)), np.nan) for name in _NUMBERS}
        for row in self.results.rows():
            at = keys.index(tuple(row[name] for name in _HEAD)), self.labels.index(row["run"])
            for name in _NUMBERS:
                made[name][at] = np.nan if row[name] is None else row[name]
        heads = Table.of_rows((dict(zip(_HEAD, key, strict=True)) for key in keys), _HEAD)
        coords = {"run": list(self.labels), **{name: ("result", heads[name]) for name in _HEAD}}
        return xr.Dataset({name: (("result", "run"), values) for name, values in made.items()}, coords=coords)

    @property
    def label(self) -> str:
        named = zip(self.runs, self.labels, strict=True)
        return "Runs " + ", ".join(f"{run.attrs['run_id']} ({label})" for run, label in named)

    @property
    def parts(self) -> tuple[Attribution, ...]:
        """The attribution, if there is one."""
        return (self.attribution,) if self.attribution else ()

    @property
    def folder_name(self) -> str:
        """`compare-<first>-<second>-<hash of the run ids and labels>`."""
        key = short_hash(*(f"{run.attrs['run_id']} {name}" for run, name in zip(self.runs, self.labels, strict=True)))
        plain = ["".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()) for name in self.labels[:2]]
        return "-".join(["compare", *("-".join(filter(None, word.split("-")))[:40] for word in plain), key])

    def tables(self) -> dict[str, Table]:
        shared = {"attribution": self.attribution.table} if self.attribution else {}
        return {"inputs": self.inputs, "results": self.results, **shared}

    def lines(self, *, most: int = MOST_LINES) -> list[str]:
        """Say inputs first, then results, each run against the first; what does not fit in `most` lines is counted."""
        samples = {label: differing_samples(run) for run, label in zip(self.runs, self.labels, strict=True)}
        lines = compared_lines(self.inputs, self.results, samples, most=most)
        return lines + (self.attribution.lines() if self.attribution else [])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the runs hard to compare."""
        return tuple(_warnings(self.runs, self.labels))


_HEAD = ("quantity", "label", "statistic", "year", "unit")
_NUMBERS = ("value", "standard_error", "difference", "difference_error")


def compare_runs(
    runs: Sequence[Item],
    *,
    labels: Sequence[str] | None = None,
    attribute: bool = False,
    samples: int | None = None,
    seed: int | None = None,
    outputs: FilePath | str = "outputs",
    say: Say = lambda _: None,
    workers: Workers = 1,
) -> Comparison:
    """Compare runs: what differs in their inputs, and what differs in their results.

    Where two runs kept samples on the same seed, design, block and number of samples, priors of the same name have the
    same draws in both. Then the standard error of a difference comes from the samples that lie on other sides of a
    number in one run than in the other, block by block, and is mostly smaller than that of two independent runs, which
    is sqrt(error1^2 + error2^2). Levels are compared in log10 of their unit (OOM), metrics in their own
    unit, crossings in years and in points of probability; a median crossing year that is passed at the start, or not
    by the horizon, has no difference.

    Parameters
    ----------
    runs : sequence of xarray.DataTree, Scenario, path or name
        Two to twelve; the first is what the others are held against. Scenarios are run for it, on the draws of the
        first, unless samples or seed are given.
    labels : sequence of str, optional
        What to call them; without it their names, with the run id where two have the same.
    attribute : bool
        Whether each difference is shared out among the inputs that differ, as `attribute_difference` does; of two
        runs, neither of a mixture.
    samples, seed : int, optional
        Of the scenarios.
    outputs : path
        The folder among whose run folders fits of history are kept.
    say : function of str, optional
        Is told when a scenario learns from history.
    workers : int or concurrent.futures.Executor
        Runs, and what is evaluated to attribute, done side by side, in processes or by an executor.

    Returns
    -------
    Comparison
        Its tables are `inputs`, `results` and, where it was asked for, `attribution`.

    Raises
    ------
    InputError
        There are too few or too many runs, labels that are not one each and all different, or runs that cannot be
        attributed.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> runs = [simulate(load_scenario("essay-2023", overrides=[f"years.last={year}"])) for year in (2030, 2031)]
    >>> compare_runs(runs, labels=["short", "long"]).inputs.where(kind="number").rows()
    [{'path': 'years.last', 'label': '', 'kind': 'number', 'short': '2030', 'long': '2031'}]
    """
    items = read_alike(runs, samples=samples, seed=seed)
    if attribute:
        check_attributable(items)
    held = run_all(items, as_path(outputs), say=say, workers=workers)
    names = tuple(run_labels(held, labels))
    with pool_of(workers if attribute else 1) as pool:
        shared = attribute_runs(held, names, executor=pool) if attribute else None
    words = {path: label for run in reversed(held) for path, label in stored_scenario(run).labels.items()}
    inputs = Table.of_rows(labelled(differing_inputs(held, labels=names), words))
    inputs = inputs.saying(dict.fromkeys(set(names) & set(inputs.names), ("", "what the run of this name states")))
    return Comparison(tuple(held), names, inputs, _differing_results(held, names), shared)


class _Reading(NamedTuple):
    """A number of a run, and its standard error (NaN where it cannot be told)."""

    value: float
    error: float


def _differing_results(runs: Sequence[xr.DataTree], names: Sequence[str]) -> Table:
    """Tabulate results of runs side by side, and how far each is from that of the first run."""
    rows: list[Row] = []
    every = _headlines(runs, chosen_years(common_years(runs)))
    for _, alike in groupby(every, key=lambda number: (number.quantity, number.year)):
        numbers = [(number, _read(runs[0], number)) for number in alike]
        for (run, name), (number, first) in product(zip(runs, names, strict=True), numbers):
            own = first if run is runs[0] else _read(run, number)
            if first is not None and own is not None:
                gap = _FIRST if name == names[0] else _gap(runs[0], run, number, first, own)
                held = {"run": name, "value": own.value, "standard_error": value_or_none(own.error)}
                rows.append({**number._asdict(), **held, **gap})
    return Table.of_rows(rows)


_FIRST: Row = {"difference": None, "difference_error": None, "draws": "", "said": ""}
"""How far the first run is from itself: nothing is said of it."""


def _gap(first: xr.DataTree, run: xr.DataTree, number: Headline, one: _Reading, other: _Reading) -> Row:
    """Hold a number of a run against that of the first."""
    if number.statistic == MEDIAN_YEAR and (said := _censored((first, run), (one.value, other.value))):
        return {**_FIRST, "said": said}
    gap, error, draws = other.value - one.value, float(np.hypot(one.error, other.error)), "independent"
    if on_common_draws(first, run) and not math.isnan(together := _common_error(first, run, number)):
        error, draws = together, "common"
    if math.isnan(error) or (error < EXACT and draws == "independent"):
        draws = ""
    said = _signed(number, gap, value_or_none(error))
    return {"difference": gap, "difference_error": value_or_none(error), "draws": draws, "said": said}


def on_common_draws(first: xr.DataTree, second: xr.DataTree) -> bool:
    """Tell whether priors of the same name have the same draws in both runs, and both kept them."""
    kept = all("trajectories" in run.children for run in (first, second))
    return kept and all(first.attrs[key] == second.attrs[key] for key in _SAME_DRAWS)


def _headlines(runs: Sequence[xr.DataTree], years: Sequence[float]) -> Iterator[Headline]:
    """List the numbers that the first run shares with any other."""
    first, *others = (group(run, "summary") for run in runs)
    variables = {name for summary in others for name in summarised_names(summary)} & set(summarised_names(first))
    told = dict.fromkeys((*filter(variables.__contains__, VARIABLES), *({headline_of(first)} & variables)))
    for name, year in product(told, years):
        label, unit = (str(first[name].attrs[key]) for key in ("long_name", "units"))
        yield from (Headline(name, label, statistic, year, unit) for statistic in QUANTILES)
    shared = {name for summary in others for name in named_thresholds(summary)}
    for name, label in named_thresholds(first).items():
        if name in shared:
            yield Headline(name, label, MEDIAN_YEAR, None, "year")
            yield from (Headline(name, label, NEVER if year == years[-1] else CROSSED, year, "1") for year in years)


def _read(run: xr.DataTree, number: Headline) -> _Reading | None:
    """Read a number off a run; None where it has no such quantity."""
    summary = group(run, "summary")
    if number.statistic in QUANTILES:
        if number.quantity not in summary:
            return None
        name, at = number.quantity, {"year": number.year, "quantile": QUANTILES[number.statistic]}
        samples = summary[name].sel(year=number.year).values
    elif number.quantity not in named_thresholds(summary):
        return None
    else:
        summary = summary.sel(threshold=number.quantity)
        name, at = ("crossed", {"year": number.year}) if number.year else ("crossing_quantile", {"quantile": 0.5})
        samples = summary["crossing_quantile"].values
    value = float(summary[name].sel(at))
    error = float(summary[f"{name}_error"].sel(at)) if f"{name}_error" in summary else math.nan
    if name != "crossed" and samples[0] == samples[-1]:  # all agree: there is nothing that another seed would change
        error = 0.0
    if int(run.attrs["samples"]) == 1 and run.attrs.get("uncertain", 1):  # one sample tells no error
        error = math.nan
    return _Reading(float(np.round(1.0 - value, 12)) if number.statistic == NEVER else value, error)


def _samples(run: xr.DataTree, number: Headline) -> Array:
    """Read the samples that a number is of."""
    if number.statistic in QUANTILES:
        kept = group(run, "trajectories")[number.quantity].sel(year=number.year)
    else:
        kept = group(run, "crossings")["crossing_year"].sel(threshold=number.quantity)
    return np.asarray(kept.values, dtype=np.float64)


def _common_error(first: xr.DataTree, run: xr.DataTree, number: Headline) -> float:
    """Tell the standard error of a difference on common draws; NaN where the run is censored near a quantile."""
    one, other = (_samples(each, number) for each in (first, run))
    block = int(first.attrs["block"])
    if number.statistic in (CROSSED, NEVER) and number.year is not None:
        one, other = ((each <= number.year).astype(np.float64) for each in (one, other))
        return difference_error(one, other, level=None, block=block)
    return difference_error(one, other, level=QUANTILES.get(number.statistic, 0.5), block=block)


def _censored(runs: Sequence[xr.DataTree], found: tuple[float, float]) -> str:
    """Say of two crossing years which is in the first year already or later than the last; "" where neither is."""
    ends = [group(run, "summary")["year"].values[[0, -1]].tolist() for run in runs]
    if all(first < year < math.inf for year, (first, _) in zip(found, ends, strict=True)):
        return ""
    if all(year <= first for year, (first, _) in zip(found, ends, strict=True)):
        return "both already at the start"
    texts = [year_text(year, last, first) for year, (first, last) in zip(found, ends, strict=True)]
    return f"both {texts[0]}" if texts[0] == texts[1] else f"from {texts[0]} to {texts[1]}"


def _signed(number: Headline, difference: float, error: float | None) -> str:
    """Say a difference with its error: in years or points, of a level in OOM, of a metric in its own unit."""
    if difference == 0.0 and not error:
        return SAME
    digits, word = 1, "years" if number.statistic == MEDIAN_YEAR else "points"
    if number.statistic in QUANTILES:
        digits, word = 2, "OOM"
    scale = 100 if word == "points" else 1
    value, spread = scale * difference, scale * (error or 0.0)
    text, smallest = signed(value, digits=digits), 10.0**-digits
    told = f"{spread:.{digits}f}"
    if number.statistic in QUANTILES and not number.unit.startswith("log10("):  # a metric may be of any size
        sign, word = "−" if value < 0 else "+" * bool(value), "" if number.unit == "1" else number.unit
        text = f"{sign}{abs(value):.4g}"
        told, smallest = f"{spread:.2g}", 10.0 ** (math.floor(math.log10(abs(value) or spread)) - 3)
    least = "" if spread < EXACT else f" ± {told}" if spread >= smallest / 2 else f" ± <{smallest:g}"
    return f"{text}{least} {word}".rstrip()


def _warnings(runs: Sequence[xr.DataTree], names: Sequence[str]) -> Iterator[str]:
    """Say what makes the runs hard to compare."""
    yield from unlike(runs, names)
    apart = [name for run, name in zip(runs[1:], names[1:], strict=True) if not on_common_draws(runs[0], run)]
    if apart:
        yield (
            f"not on the draws of {names[0]}: {', '.join(apart)}. The errors of those differences are those of "
            "independent runs. For common draws keep the samples, with the same seed, design, block and number."
        )
    few = []
    for run, name in zip(runs, names, strict=True):
        summary = group(run, "summary")
        ends = summary[headline_of(summary)].values[[0, -1]]
        if (ends[0] < ends[1]).any() and int(run.attrs["samples"]) < 2 * int(run.attrs["block"]):  # not certain, short
            few.append(name)
    if few:
        yield (
            f"too few samples to tell standard errors: {', '.join(few)}. They come from blocks of samples, of which "
            "there must be two."
        )
    for run, name in zip(runs[1:], names[1:], strict=True):
        if run.attrs["run_id"] == runs[0].attrs["run_id"]:
            yield f"{name} is the same run as {names[0]}."


def compared_lines(inputs: Table, results: Table, samples: Mapping[str, int], *, most: int) -> list[str]:
    """Say inputs first, then results, each run against the first; what does not fit in `most` lines is counted.

    `samples` of each run by its label; 1 of one whose samples are alike.
    """
    labels = list(samples)
    numbers = [row for row in inputs.rows() if row["kind"] == "number"]
    beside = [row["path"] for row in inputs.rows() if row["kind"] != "number"]
    said = [_input_line(row, labels) for row in numbers] or ["  nothing that the results depend on"]
    lines = [f"inputs that differ ({', '.join(labels)}):"]
    lines += _shortened(said, room=max(3, most // 3), table="inputs.csv")
    if beside:
        lines.append(cut(f"  and, beside what the model computes with: {', '.join(beside)}", width=LINE_WIDTH))
    others = len(labels) - 1
    room = max(1, max(others, most - len(lines) - 1) // others - 1)
    by_run: dict[str, list[Row]] = {label: [] for label in labels}
    for row in results.rows():
        by_run[row["run"]].append(row)
    (_, first), *rest = by_run.items()
    for label, own in rest:
        draws = " (on common draws)" if {row["draws"] for row in own} - {""} == {"common"} else ""
        lines.append(f"{label} against {labels[0]}{draws}:")
        lines += _shortened(
            _result_lines(first, own, samples[label]) or ["  no result in common"], room=room, table="results.csv"
        )
    return lines


def _shortened(lines: Sequence[str], *, room: int, table: str) -> list[str]:
    if len(lines) <= room:
        return list(lines)
    kept = max(1, room - 1)
    return [*lines[:kept], f"  ... and {len(lines) - kept} more in {table}"]


def _input_line(row: Row, labels: Sequence[str]) -> str:
    """Write an entry with its values; equal ones once, where there are many runs."""
    parts = [str(row[label]) for label in labels]
    if many := len(parts) > 2:
        holders = {value: [label for label in labels if str(row[label]) == value] for value in parts}
        parts = [f"{value} ({', '.join(names)})" for value, names in holders.items()]
    name, beside = (row["label"], f"  [{row['path']}]") if row["label"] else (row["path"], "")
    room = max(16, (LINE_WIDTH - len(name) - len(beside) - 4) // len(parts) - 4)
    short = (" | " if many else " -> ").join(cut(part, width=room) for part in parts)
    return cut(f"  {name}: {short}{beside}", width=LINE_WIDTH)


def _result_lines(first: Sequence[Row], own: Sequence[Row], samples: int) -> list[str]:
    """Write a line per median level and per threshold, those that tell most first: the latest year, then crossings."""
    before = {_key(row): row for row in first}
    never = {row["quantity"]: row for row in own if row["statistic"] == NEVER}
    known = {_key(row): row for row in own}
    lines: list[tuple[int, float, str]] = []
    for row in own:
        one = before[_key(row)]
        note = "" if row["draws"] != "independent" else ", independent errors"
        if row["statistic"] == "median":
            text = f"  {point_words(row['year'])}  {row['label']}: {_level(one)} -> {_level(row)} ({row['said']}{note})"
            for end in (each for each in QUANTILES if each != "median"):
                other = known.get((row["quantity"], end, row["year"]))
                if other and _key(other) in before and other["value"] != row["value"]:
                    text += f"\n        {end}: {_level(before[_key(other)])} -> {_level(other)} ({other['said']})"
            lines.append((0 if row["quantity"] == "effective_compute" else 3, -row["year"], text))
        elif row["statistic"] == MEDIAN_YEAR:
            crossing = row["said"]
            if row["difference"] is not None:
                told = f"median: {SAME}" if row["said"] == SAME else row["said"]
                crossing = f"{one['value']:.1f} -> {row['value']:.1f} ({told})"
            text = f"  {row['label']}: {crossing}{note}"
            if last := never.get(row["quantity"]):
                share = share_text(last["value"], samples, last["standard_error"])
                text += f"; not by {last['year']:g}: {share} ({last['said']})"
            lines.append((2 if text.count(SAME) == 2 else 1, 0.0, text))
    return [line for *_, text in sorted(lines, key=lambda line: line[:2]) for line in text.splitlines()]


def _key(row: Row) -> tuple[object, ...]:
    return row["quantity"], row["statistic"], row["year"]


def _level(row: Row) -> str:
    """Write a level as a power of ten with its unit, and the value of a metric as it is."""
    if not row["unit"].startswith("log10("):
        return f"{row['value']:.4g}"
    return f"{power_text(row['value'])} {plain_unit(row['unit'])}".removesuffix(" 1")
