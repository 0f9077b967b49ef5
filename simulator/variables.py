"""The table of variables of a run: name, dims, unit, long name, what it means.

The one place that gives a variable its unit and long name; attributes are never trusted through arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a run, or all of a kind, whose names hold names of the scenario.

    `dims` are its dimensions; `unit` that of its numbers (`log10(FLOP)` is the log10 of FLOP). The name of a kind has
    what varies in angle brackets, which fills its long name in turn; its unit is empty where it is the scenario's.
    """

    name: str
    dims: tuple[str, ...]
    unit: str
    long_name: str
    description: str

    def match(self, name: str) -> re.Match[str] | None:
        """Read what varies off a name that is of this kind."""
        return re.fullmatch(_expression(self.name), name)


_NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})
SUBJECTS = ("spending", "hardware", "algorithms", "physical_compute")
"""What a run tells of drivers and compute; limits may stand on these, on factors, and on levels within quantities and limits too."""
_LEVEL = r"[0-9.]+(?:e-?[0-9]+)?"
_SUBJECT = rf"{'|'.join(SUBJECTS)}|(?:spending|hardware|compute|algorithms)_factor_.+?|(?:quantity|constraint|cap|moving_threshold)_.+?"
_VARYING = {
    "<driver>": "spending|hardware|compute|algorithms", "<subject>": _SUBJECT, "<level>": _LEVEL, "<distance>": _LEVEL,
}  # fmt: skip


@cache
def _expression(kind: str) -> str:
    return re.sub("<[a-z]+>", lambda match: f"({_VARYING.get(match[0], '.+')})", kind)


_TRAJECTORY = ("sample", "year")
_FIXED = (
    Variable("spending_demanded", _TRAJECTORY, "log10(USD)", "spending demanded", "Spending that growth alone would give."),
    Variable("spending", _TRAJECTORY, "log10(USD)", "spending", "Spending under its caps."),
    Variable("hardware_demanded", _TRAJECTORY, "log10(FLOP/USD)", "hardware efficiency without its caps",
             "Hardware efficiency that growth alone would give."),
    Variable("hardware", _TRAJECTORY, "log10(FLOP/USD)", "hardware efficiency", "FLOP per USD, all factors together."),
    Variable("algorithms_demanded", _TRAJECTORY, "log10(1)", "algorithmic efficiency without its caps",
             "Algorithmic efficiency that growth alone would give."),
    Variable("algorithms", _TRAJECTORY, "log10(1)", "algorithmic efficiency",
             "Effective per physical compute; 1 for those of the base year: the first, or the year that they are dated by."),
    Variable("physical_compute_demanded", _TRAJECTORY, "log10(FLOP)", "physical compute demanded",
             "Spending times hardware efficiency, before constraints."),
    Variable("physical_compute", _TRAJECTORY, "log10(FLOP)", "physical compute", "Physical compute that the constraints allow."),
    Variable("effective_compute", _TRAJECTORY, "log10(FLOP)", "effective compute",
             "Physical compute times algorithmic efficiency: FLOP of base-year algorithms."),
    Variable("capability", _TRAJECTORY, "1", "capability", "The metric of the scenario, in its own unit."),
    Variable("crossing_year", ("threshold", "sample"), "year", "crossing year",
             "First time at or above the threshold, on the path between the years (or the first of the run's years, where the threshold is read so); +inf where it is not crossed by the horizon."),
    Variable("already_above", ("threshold", "sample"), "1", "already above at the start", "1 where the first year meets the threshold."),
    Variable("threshold_level", ("threshold", "sample"), "log10 of the quantity", "threshold level",
             "The level that is crossed; +inf where there is none."),
    Variable("event_year", ("event", "sample"), "year", "date of the event",
             "When the event comes, or the era begins that waits for it; +inf where it does not come by the horizon."),
    Variable("event_end", ("event", "sample"), "year", "end of the event",
             "When the event ends; +inf where it lasts beyond the horizon, or does not come."),
    Variable("event_date", ("event", "quantile"), "year", "quantile of the date of the event where it comes",
             "Over the samples in which it comes by the horizon; +inf where there are none."),
    Variable("event_until", ("event", "quantile"), "year", "quantile of the end of the event where it comes",
             "Over the same samples; +inf where it lasts beyond the horizon."),
    Variable("event_share", ("event",), "1", "probability that the event comes", "Share of samples in which it comes by the horizon."),
    Variable("event_share_error", ("event",), "1", "standard error of the probability that the event comes",
             "Monte Carlo standard error from the spread over independent blocks of samples."),
    Variable("event_quantile", ("event", "quantile"), "year", "quantile of the date of the event",
             "Over all samples, those in which it does not come included; +inf stands for later than the horizon."),
    Variable("crossing_quantile", ("threshold", "quantile"), "year", "quantile of the crossing year",
             "Over all samples, those that never cross included; +inf stands for later than the horizon."),
    Variable("crossing_quantile_error", ("threshold", "quantile"), "year", "standard error of the crossing year's quantile",
             "Monte Carlo standard error from the spread over independent blocks of samples; NaN where it cannot be told."),
    Variable("crossed", ("threshold", "year"), "1", "probability of having crossed", "Share of samples that have crossed by the year."),
    Variable("crossed_error", ("threshold", "year"), "1", "standard error of the probability of having crossed",
             "Monte Carlo standard error from the spread over independent blocks of samples."),
    Variable("never", ("threshold",), "1", "probability of no crossing by the horizon", "Share of samples that do not cross."),
    Variable("already", ("threshold",), "1", "probability of being above at the start", "Share of samples above in the first year."),
    Variable("threshold_level_quantile", ("threshold", "quantile"), "log10 of the quantity", "quantile of the threshold's level",
             "Over all samples; +inf where the threshold may not exist."),
)  # fmt: skip
VARIABLES: Mapping[str, Variable] = MappingProxyType({variable.name: variable for variable in _FIXED})

_BY_YEAR = ("quantile", "year")

_OF_ACTORS = (
    Variable("leads", ("actor", "year"), "1", "probability of leading",
             "Share of samples in which the actor has the most of what the run is told by; several that have the same share it."),
    Variable("leads_error", ("actor", "year"), "1", "standard error of the probability of leading",
             "Monte Carlo standard error from the spread over independent blocks of samples."),
    Variable("behind", ("actor", *_BY_YEAR), "OOM", "distance from the actor that leads",
             "0 where it leads itself."),
    Variable("behind_years", ("actor", *_BY_YEAR), "years", "time behind the frontier",
             "How long ago the frontier was first where the actor is now; +inf where that was before the first year."),
    Variable("lead", _BY_YEAR, "OOM", "lead of the first actor over the second", "Whoever they are in the sample."),
    Variable("lead_years", _BY_YEAR, "years", "lead of the first actor over the second in time",
             "How long ago the frontier was first where the second is now; +inf where that was before the first year."),
    Variable("place_quantile", ("place", "threshold", "quantile"), "year", "quantile of the year in which so many actors have crossed",
             "Of place 2 the year in which the second actor crosses, whichever it is; +inf stands for later than the horizon."),
    Variable("place_crossed", ("place", "threshold", "year"), "1", "probability that so many actors have crossed",
             "Share of samples by the year."),
)  # fmt: skip
ACTORS: Mapping[str, Variable] = MappingProxyType({variable.name: variable for variable in _OF_ACTORS})
"""What a run says of its actors beside what it says of the one that leads."""

PATTERNS: tuple[Variable, ...] = (
    Variable("<driver>_factor_<factor>", _TRAJECTORY, "", "{1}, a factor of {0}",
             "A factor of the driver, under its own caps."),
    Variable("<driver>_law_<told>", _TRAJECTORY, "", "{1} ({0})", "What the law says beside the level by which the driver grows."),
    Variable("quantity_<quantity>", _TRAJECTORY, "", "{0}", "A named quantity of the scenario."),
    Variable("cap_<subject>_<cap>", _TRAJECTORY, "", "cap on {0}: {1}", "The limit in force."),
    Variable("constraint_<constraint>", _TRAJECTORY, "", "constraint on physical compute: {0}", "The limit in force."),
    Variable("moving_threshold_<threshold>", _TRAJECTORY, "", "threshold that moves: {0}",
             "The level of a threshold that grows, or is made of quantities."),
    Variable("models_above_<level>", _TRAJECTORY, "1", "models above {0} FLOP",
             "Training runs at or above the level by the end of the year, those before the first year included."),
    Variable("models_above_<level>_in_year", _TRAJECTORY, "1", "models above {0} FLOP of the year",
             "Training runs of the calendar year at or above the level."),
    Variable("models_within_<distance>_oom", _TRAJECTORY, "1", "models within {0} OOM of the frontier",
             "Training runs by the end of the year that were within the distance of the largest run of their year."),
    Variable("models_within_<distance>_oom_in_year", _TRAJECTORY, "1", "models within {0} OOM of the frontier of the year",
             "Training runs of the calendar year within the distance of its largest run."),
    Variable("binding_<subject>_share", ("limit_<subject>", "year"), "1",
             "share of samples in which a limit on {0} binds", "Of all samples, in that year."),
    Variable("binding_<subject>_share_error", ("limit_<subject>", "year"), "1",
             "standard error of the share in which a limit on {0} binds",
             "Monte Carlo standard error from the spread over independent blocks of samples."),
    Variable("binding_<subject>", _TRAJECTORY, "1", "which limit on {0} binds",
             "0 where none binds; otherwise the number (`flag_values`) of the limit that is reached and that leaves the least."),
)  # fmt: skip
"""The variables over samples and years, and the shares of samples made from them. In the summary a variable over
samples and years has its quantiles by year."""

SUFFIXES: tuple[Variable, ...] = (
    Variable("<variable>_demanded", _TRAJECTORY, "", "{0} without its caps", "The level that growth alone would give."),
    Variable("<variable>_mean", ("year",), "", "mean of {0}",
             "Over the samples; of the log10 where the variable is one, so that means of factors add up to that of their product."),
    Variable("<variable>_error", _BY_YEAR, "", "standard error of the quantiles of {0}",
             "Monte Carlo standard error from the spread over independent blocks of samples."),
)  # fmt: skip
"""What is said beside a variable: of a level with caps, and in the summary beside quantiles; the unit is the variable's."""

COORDINATES: Mapping[str, Variable] = MappingProxyType({
    item.name: item
    for item in (
        Variable("year", ("year",), "year", "year", "Decimal years, rising: 2025.5 is the middle of 2025."),
        Variable("sample", ("sample",), "1", "number of the sample", "From 0; the same sample in every group."),
        Variable("quantile", ("quantile",), "1", "probability of the quantile", "Between 0 and 1, rising."),
        Variable("threshold", ("threshold",), "", "threshold", "Name of the threshold in the scenario."),
        Variable("quantity", ("threshold",), "", "quantity", "Name of the variable that crosses the threshold."),
        Variable("label", ("threshold",), "", "label", "Label of the threshold for readers."),
        Variable("falling", ("threshold",), "1", "falling", "1 where the threshold is met from above, as a loss is."),
        Variable("event", ("event",), "", "event", "Name of the event, or path of the date at which an era waits for one that has no name."),
        Variable("begins", ("event",), "", "begins", "What the event is called, or what begins with it, in words."),
        Variable("actor", ("actor",), "", "actor", "Name of the actor in the scenario."),
        Variable("actor_label", ("actor",), "", "actor_label", "Label of the actor for readers."),
        Variable("place", ("place",), "1", "place", "How many actors have crossed: 1 is the first to do so."),
        Variable("limit_<subject>", ("limit_<subject>",), "", "limit", "Names of the limits on the subject, in the order of the numbers from 1 in `binding_<subject>`."),
    )
})  # fmt: skip
"""The coordinates of a run; text has no unit."""


def variable(
    name: str, *, unit: str = "1", subjects: Iterable[str] = (), words: Mapping[str, str] = _NO_WORDS
) -> Variable:
    """Describe a variable of a run by its name; `unit` is that of one whose unit depends on the scenario.

    `subjects` are what limits stand on in the run, which tells the name of a cap from that of its subject; `words` are
    what the scenario calls its variables.
    """
    if (fixed := VARIABLES.get(name) or ACTORS.get(name)) is not None:
        return replace(fixed, long_name=words.get(name, fixed.long_name))
    kind, parts = _kind_of(name)
    if kind is None:
        return Variable(name, _TRAJECTORY, unit, name.replace("_", " "), "")
    if kind in SUFFIXES:
        base = variable(parts[0], unit=unit, subjects=subjects, words=words)
        return Variable(name, kind.dims, base.unit, kind.long_name.format(base.long_name), kind.description)
    dims = tuple(dim.replace("<subject>", parts[0]) for dim in kind.dims)
    if kind.name.startswith("cap_<subject>"):
        of = max((each for each in subjects if name.startswith(f"cap_{each}_")), key=len, default=parts[0])
        parts = of, name[len(f"cap_{of}_") :]
    *outer, last = (words.get(part, part.replace("_", " ")) for part in parts)
    long_name = kind.long_name.format(*outer, words.get(name, last))
    return Variable(name, dims, kind.unit or unit, long_name, kind.description)


@lru_cache(maxsize=4096)  # the same names come again in each group of a run, and in each run
def _kind_of(name: str) -> tuple[Variable | None, tuple[str, ...]]:
    """Find the kind of a variable, of `PATTERNS` or `SUFFIXES`, and what varies in its name; none where it has none."""
    is_word = name.endswith(("_demanded", "_mean", "_error"))  # a word on a variable of a kind without a unit
    kinds = (*(kind for kind in PATTERNS if kind.unit or not is_word), *SUFFIXES)
    return next(((kind, match.groups()) for kind in kinds if (match := kind.match(name))), (None, ()))


def sample_dims(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give the dimensions of variables by name, as samples have them."""
    return {name: variable(name).dims for name in names}


def summary_dims(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give the dimensions of a summary's variables by name: what a sample has by year has quantiles by year there."""
    return {name: _BY_YEAR if "sample" in dims else dims for name, dims in sample_dims(names).items()}


def attributes(
    names: Iterable[str], units: Mapping[str, str], subjects: Iterable[str] = (), words: Mapping[str, str] = _NO_WORDS
) -> dict[str, dict[str, str]]:
    """Give the attributes of variables by name; `units` and `words` are those that the scenario tells.

    What has words of its own has them as `label`, and the share in which limits bind those of what they stand on.
    """
    said = {}
    for name in names:
        base = name.removesuffix("_error").removesuffix("_mean")
        base = base if base in units or base in VARIABLES else base.removesuffix("_demanded")
        base = base if base in units or base in VARIABLES else name
        described = variable(name, unit=units.get(base, "1"), subjects=subjects, words=words)
        unit = units.get(base, variable(base).unit if base != name else described.unit)
        texts = {"units": unit, "long_name": described.long_name, "description": described.description}
        binding = name.removeprefix("binding_").removesuffix("_share")
        texts["label"] = words.get(binding if name.startswith("binding_") else name, "")
        said[name] = {key: text for key, text in texts.items() if text}
    return said


def actor_dims(names: Iterable[str], *, of_samples: bool) -> dict[str, tuple[str, ...]]:
    """Give the dimensions of variables by name as a run has them by actor: of samples, or in what is said of them."""
    dims = sample_dims(names)
    if of_samples:
        return {name: (*own, "actor") if own == _TRAJECTORY else ("actor", *own) for name, own in dims.items()}
    own = {name: _BY_YEAR if each == _TRAJECTORY else each for name, each in dims.items()}
    return {name: each if name in ACTORS else ("actor", *each) for name, each in own.items()}


def is_plain(name: str) -> bool:
    """Tell whether the numbers of a variable over samples and years are plain ones and no logarithms."""
    return name == "capability" or is_count(name)


def no_levels(names: Iterable[str]) -> set[str]:
    """Choose the variables that are no levels: plain numbers, and the numbers of limits that bind."""
    return {name for name in names if is_plain(name) or name.startswith("binding_")}


def is_count(name: str) -> bool:
    """Tell whether a variable counts models."""
    return name.startswith("models_")


def told_by_laws(names: Iterable[str]) -> set[str]:
    """Choose the variables that are what the law of a driver tells beside its level."""
    return {name for name in names if re.match(f"(?:{_VARYING['<driver>']})_law_", name)}


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """Turn a name of a scenario file into a part of a variable's name."""
    return name.replace("-", "_")


def subject_words(subject: str) -> str:
    """Say what limits stand on, where the scenario has no words for it."""
    return subject.removeprefix("quantity_").replace("_", " ")


def limit_words(subject: str, limit: str, words: Mapping[str, str]) -> str:
    """Say what a limit on a subject is called among the words for variables; its name where there are none."""
    own = f"constraint_{snake(limit)}" if subject == "physical_compute" else ""
    return words.get(f"cap_{subject}_{snake(limit)}") or words.get(own) or limit


def headline(names: Iterable[str], stood_on: Iterable[str] = ()) -> str:
    """Name the variable that a run with some is told by: effective compute; or what thresholds stand on, or spending.

    >>> headline(["quantity_power", "spending", "spending_demanded"], stood_on=["quantity_power"])
    'quantity_power'
    """
    known = dict.fromkeys(names)
    told = (name for name in ("effective_compute", *stood_on, "spending", *known) if name in known)
    return next(name for name in told if name != "capability")


UNKNOWNS: Final[Mapping[str, tuple[str, str]]] = {
    "spending_growth": ("OOM/year", "growth of spending per run"),
    "efficiency_growth": ("OOM/year", "growth of FLOP per amortised USD"),
    "spending_volatility": ("OOM/year", "scatter of yearly growth of spending"),
    "efficiency_volatility": ("OOM/year", "scatter of yearly growth of FLOP per USD"),
    "compute_start": ("log10(FLOP)", "compute per run at the start of the first year"),
    "efficiency_start": ("log10(FLOP/USD)", "FLOP per USD at the start of the first year"),
    "spending_steps": ("1", "standard normal step of spending in a year"),
    "efficiency_steps": ("1", "standard normal step of FLOP per USD in a year"),
    "spending": ("log10(USD)", "trend of spending per run"),
    "efficiency": ("log10(FLOP/USD)", "trend of FLOP per amortised USD"),
    "compute": ("log10(FLOP)", "trend of compute per run"),
    "run_scatter": ("OOM", "scatter of runs about the trend"),
    "run_tail": ("1", "degrees of freedom of that scatter"),
    "run_tail_excess": ("1", "degrees of freedom above the fewest"),
    "error_confident": ("OOM", "error of a confident estimate of compute"),
    "error_likely": ("OOM", "error of a likely estimate of compute"),
    "error_speculative": ("OOM", "error of a speculative estimate of compute"),
    "cost_scatter": ("OOM", "scatter of costs about what the run's compute implies"),
    "cost_tail": ("1", "degrees of freedom of that scatter"),
    "cost_tail_excess": ("1", "degrees of freedom above 2.5"),
    "cost_slope": ("1", "OOM of cost by which a run above the trend is dearer, per OOM of compute"),
    "accelerator_offset": ("log10(s)", "seconds of life times utilisation, per overhead"),
    "accelerator_scatter": ("OOM", "scatter of accelerators about the trend"),
    "level_start": ("OOM", "level at the date of its start"),
    "earlier_growth": ("OOM/year", "growth before the change"),
    "change_date": ("year", "date at which growth changes"),
    "later_growth": ("OOM/year", "growth after the change"),
    "series_log_level": ("OOM", "series in which growth changes"),
    "run_log_compute": ("log10(FLOP)", "compute of frontier runs"),
    "cost_log_usd": ("log10(USD)", "cost of frontier runs"),
    "hidden_log_least": ("log10(FLOP)", "compute that frontier runs without FLOP had at least"),
    "hidden_cost_log_usd": ("log10(USD)", "cost of frontier runs without FLOP"),
    "accelerator_log_flops_per_usd": ("log10(FLOP/s/USD)", "speed of accelerators per USD of their price"),
}
"""Unit and name of each variable of `prior`, `posterior`, `posterior_predictive` and `observed_data`."""
