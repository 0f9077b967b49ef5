"""What a sensitivity is of: a variable in a year, a crossing year, or whether a threshold is crossed by a year.

An outcome is written as text, on the command line as in Python:

    effective_compute@2035          the level in a year, log10 of its unit
    crossing:1000x-gpt-4            the crossing year; +inf where it is not crossed by the horizon
    crossed:1000x-gpt-4@2030        1 where it is crossed by that year, else 0
    restricted:1000x-gpt-4          the crossing year, at most the horizon: always finite, as its mean is
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, near_name
from simulator.runs.groups import group
from simulator.variables import variable

if TYPE_CHECKING:
    import xarray as xr

type Array = NDArray[np.float64]

WRITTEN = "Write for example effective_compute@2035, crossing:NAME, crossed:NAME@2030 or restricted:NAME."


@dataclass(frozen=True, slots=True)
class Outcome:
    """One number of each sample.

    `kind` says which; `name` is that of a variable or a threshold; `year` is None where a kind has none; `written` is
    what the user wrote, if anything.

    Examples
    --------
    >>> outcome = Outcome("crossed", "agi", 2030.0)
    >>> outcome.text, outcome.unit, outcome.censored
    ('crossed:agi@2030', '1', False)
    >>> Outcome("crossing", "agi").censored
    True
    """

    kind: Literal["level", "crossing", "crossed", "restricted"]
    name: str
    year: float | None = None
    written: str = field(default="", repr=False, compare=False)

    @property
    def asked(self) -> str:
        """The outcome as errors name it: as the user wrote it, where a user did."""
        return self.written or self.text

    @property
    def text(self) -> str:
        """The outcome as it is written."""
        head = self.name if self.kind == "level" else f"{self.kind}:{self.name}"
        return head if self.year is None else f"{head}@{self.year:g}"

    @property
    def unit(self) -> str:
        """`log10` of the variable's unit, `year`, or `1`."""
        return {"level": "log10", "crossed": "1"}.get(self.kind, "year")

    @property
    def censored(self) -> bool:
        """Whether it may be +inf, for "not by the horizon"."""
        return self.kind == "crossing"


def outcome_words(outcome: Outcome, *, labels: Mapping[str, str], statistic: str = "") -> str:
    """Name an outcome; one that has a year and is given without it is named for every year.

    Parameters
    ----------
    outcome : Outcome
    labels : mapping
        What thresholds and variables are called, by name; without an entry a threshold is called by its name, and
        a variable as the table of variables has it.
    statistic : str
        What of the samples is told, such as `median`; `mean` makes a share a probability.

    Examples
    --------
    >>> outcome_words(Outcome("level", "effective_compute", 2035.0), labels={}, statistic="median")
    'median effective compute in 2035'
    >>> outcome_words(Outcome("crossing", "agi"), labels={"agi": "AGI"})
    'crossing year of AGI'
    >>> outcome_words(Outcome("crossed", "agi", 2030.0), labels={}), outcome_words(Outcome("crossed", "agi"), labels={})
    ('whether agi is crossed by 2030', 'whether agi is crossed by the year')
    """
    label = labels.get(outcome.name, outcome.name)
    head = f"{statistic} " if statistic else ""
    if outcome.kind == "crossed":
        when = "the year" if outcome.year is None else f"{outcome.year:g}"
        return f"{'probability that' if statistic == 'mean' else 'whether'} {label} is crossed by {when}"
    if outcome.kind == "level":
        name = labels.get(outcome.name) or variable(outcome.name).long_name
        return f"{head}{name}" if outcome.year is None else f"{head}{name} in {outcome.year:g}"
    if outcome.kind == "restricted":
        return f"{head}crossing year of {label}, the horizon where it is later"
    return f"{head}crossing year of {label}"


def outcome_words_in(run: xr.DataTree, outcome: Outcome, *, statistic: str = "") -> str:
    """Name an outcome by what a run or a sweep calls its variable or threshold; see `outcome_words`.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023"))
    >>> outcome_words_in(run, parse_outcome("effective_compute@2030"), statistic="median")
    'median effective compute in 2030'
    >>> outcome_words_in(run, Outcome("crossed", str(run["summary/threshold"].values[0]), 2030.0), statistic="mean")
    'probability that GPT-4 is crossed by 2030'
    """
    summary = group(run, "summary")
    if outcome.kind == "level":
        label = str(summary[outcome.name].attrs.get("long_name", ""))
    else:
        place = summary["threshold"].values.tolist().index(outcome.name)
        label = str(summary["label"].values[place])
    return outcome_words(outcome, labels={outcome.name: label}, statistic=statistic)


def in_a_sentence(words: str) -> str:
    """Set the article before the name of an outcome where a sentence needs one.

    Examples
    --------
    >>> in_a_sentence("crossing year of AGI"), in_a_sentence("effective compute in 2035")
    ('the crossing year of AGI', 'effective compute in 2035')
    """
    return f"the {words}" if words.startswith("crossing year of ") else words


def parse_outcome(text: str) -> Outcome:
    """Read an outcome.

    Raises
    ------
    InputError
        It is not written as one.

    Examples
    --------
    >>> parse_outcome("crossed:1000x-gpt-4@2030")
    Outcome(kind='crossed', name='1000x-gpt-4', year=2030.0)
    >>> parse_outcome("effective_compute@2035").text
    'effective_compute@2035'
    """
    return _read(text, written=text.strip())


def _read(text: str, *, written: str) -> Outcome:
    head, at, tail = text.strip().partition("@")
    kind, colon, name = head.partition(":")
    year = _year(written, tail) if at else None
    if not colon:
        if year is None or not head:
            raise InputError(f"outcome '{written}': a variable needs a year. {WRITTEN}")
        return Outcome("level", head.replace("-", "_"), year, written)
    if kind not in ("crossing", "crossed", "restricted") or not name:
        hint = near_name(kind, ("crossing", "crossed", "restricted"))
        raise InputError(f"outcome '{written}': '{kind}' is no kind of outcome. {hint or WRITTEN}")
    if (kind == "crossed") != (year is not None):
        rule = "needs the year by which it is crossed" if kind == "crossed" else "has no year"
        raise InputError(f"outcome '{written}': '{kind}' {rule}. {WRITTEN}")
    return Outcome(kind, name, year, written)  # type: ignore[arg-type]


def _year(text: str, tail: str) -> float:
    try:
        return float(tail)
    except ValueError:
        raise InputError(f"outcome '{text}': '{tail}' is no year. {WRITTEN}") from None


def outcomes_over(text: str, years: Sequence[float]) -> tuple[Outcome, ...]:
    """Read an outcome that may leave its year open: then it stands for that outcome in every year.

    Parameters
    ----------
    text : str
        A variable, `crossed:NAME`, or an outcome as `parse_outcome` reads it.
    years : sequence of decimal years

    Raises
    ------
    InputError
        It is not written as an outcome.

    Examples
    --------
    >>> [outcome.text for outcome in outcomes_over("crossed:agi", [2025.5, 2026])]
    ['crossed:agi@2025.5', 'crossed:agi@2026']
    >>> outcomes_over("restricted:agi", [2025.5, 2026])[0].text
    'restricted:agi'
    """
    kind, colon, _ = text.strip().partition(":")
    if "@" in text or not kind or (colon and kind != "crossed"):
        return (parse_outcome(text),)
    # Written with 17 digits a year is read back as it was.
    return tuple(_read(f"{text.strip()}@{year!r}", written=text.strip()) for year in map(float, years))


def outcomes_from(
    outcomes: Sequence[Outcome], *, years: Array, rows: Mapping[str, NDArray[Any]], crossing: Mapping[str, Array]
) -> Array:
    """Read outcomes off samples.

    Parameters
    ----------
    outcomes : sequence of Outcome
    years : array (year,), decimal years
    rows : arrays by variable, (year, sample)
    crossing : arrays by threshold, (sample,), decimal years or +inf

    Returns
    -------
    array (outcome, sample), float64; +inf only for a crossing year that is not by the horizon

    Raises
    ------
    InputError
        There is no such variable, threshold or year.

    Examples
    --------
    >>> crossing = {"a": np.array([2026.5, np.inf])}
    >>> asked = [parse_outcome(text) for text in ("crossed:a@2027", "restricted:a")]
    >>> outcomes_from(asked, years=np.array([2025.0, 2030.0]), rows={}, crossing=crossing).tolist()
    [[1.0, 0.0], [2026.5, 2030.0]]
    """
    return np.stack([_values(outcome, years, rows, crossing) for outcome in outcomes])


def _values(outcome: Outcome, years: Array, rows: Mapping[str, NDArray[Any]], crossing: Mapping[str, Array]) -> Array:
    known = rows if outcome.kind == "level" else crossing
    if outcome.name not in known:
        what = "variable" if outcome.kind == "level" else "threshold"
        hint = near_name(outcome.name, known) or (f"There are: {', '.join(known)}." if known else "There is none.")
        raise InputError(f"outcome '{outcome.asked}': there is no {what} '{outcome.name}'. {hint}")
    if outcome.kind == "level":
        return np.asarray(rows[outcome.name][_place(outcome, years)], dtype=np.float64)
    when = np.asarray(crossing[outcome.name], dtype=np.float64)
    if outcome.kind == "crossed":
        if outcome.year is None or not years[0] <= outcome.year <= years[-1]:
            raise InputError(f"outcome '{outcome.asked}': the years go from {years[0]:g} to {years[-1]:g}.")
        return np.asarray(when <= outcome.year, dtype=np.float64)
    return np.minimum(when, years[-1]) if outcome.kind == "restricted" else when


def _place(outcome: Outcome, years: Array) -> int:
    asked = float(years[0] if outcome.year is None else outcome.year)
    found = np.flatnonzero(years == asked)
    if not found.size:
        nearest = ", ".join(f"{year:g}" for year in np.sort(years[np.argsort(np.abs(years - asked))[:3]]))
        raise InputError(f"outcome '{outcome.asked}': the run has no such year. The nearest are {nearest}.")
    return int(found[0])


def run_outcomes(run: xr.DataTree, outcomes: Sequence[Outcome]) -> Array:
    """Read outcomes off a run that kept its samples: (outcome, sample).

    Raises
    ------
    InputError
        The run kept its summary only, or has no such variable, threshold or year.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> run_outcomes(run, [parse_outcome("effective_compute@2035")]).shape
    (1, 1024)
    """
    trajectories = group(run, "trajectories", of_samples=True)
    crossing: dict[str, Array] = {}
    if "crossings" in run.children:
        crossings = group(run, "crossings", of_samples=True)
        crossing = dict(zip(crossings["threshold"].values.tolist(), crossings["crossing_year"].values, strict=True))
    needed = {outcome.name for outcome in outcomes if outcome.kind == "level"}
    rows = {
        str(name): values.transpose("year", "sample").values if name in needed else np.empty(0)
        for name, values in trajectories.data_vars.items()
    }
    return outcomes_from(outcomes, years=trajectories["year"].values, rows=rows, crossing=crossing)


def headline_outcomes(years: Sequence[float], thresholds: Sequence[str]) -> tuple[Outcome, ...]:
    """Choose what is looked at where nothing is asked: effective compute half-way and at the end, a first threshold.

    Parameters
    ----------
    years : sequence of decimal years, rising
    thresholds : sequence of str
        Names; the first is looked at, if there is one.

    Examples
    --------
    >>> [outcome.text for outcome in headline_outcomes([2025.5, 2026, 2030, 2035], ["agi"])]
    ['effective_compute@2030', 'effective_compute@2035', 'crossing:agi']
    """
    middle = years[len(years) // 2]
    levels = [Outcome("level", "effective_compute", float(year)) for year in dict.fromkeys((middle, years[-1]))]
    return (*levels, *(Outcome("crossing", name) for name in thresholds[:1]))
