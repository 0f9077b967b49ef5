"""Shares of the variance of outcomes by prior: Sobol indices where priors are independent, else Shapley effects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path as FilePath
from typing import ClassVar

import numpy as np
import xarray as xr

from simulator.analysis.evaluation import (
    Input,
    evaluate,
    inputs_of,
    model_of,
    scenario_outcomes,
)
from simulator.analysis.inputs import group_inputs
from simulator.analysis.outcomes import KINDS, ORDERS_DIFFER, Outcome, in_a_sentence, outcome_words
from simulator.analysis.sobol import Parted
from simulator.analysis.variance import Study, parted_variance
from simulator.engine.record import code_of, packages_of
from simulator.engine.workers import Workers
from simulator.errors import InputError, near_name, number
from simulator.files import short_hash
from simulator.runs.checked import open_kept
from simulator.runs.groups import kept_scenario_text
from simulator.runs.result import Result
from simulator.runs.table import Table
from simulator.scenario.load import Source, scenario_of
from simulator.scenario.resolving import Scenario
from simulator.schema.drivers import CustomDriver
from simulator.schema.words import input_words
from simulator.units import Array
from simulator.version import made_by
from simulator.wording import aligned

SHARES_FORMAT = 2
METHODS = ("auto", "sobol", "shapley")
DEFAULT_SAMPLES = 1024
LEAST_SAMPLES = 64
MOST_NUMBERS = 1 << 27
"""The most numbers of (input, sample, outcome) that are held at once: 1 GiB."""
LEAST_NAMED = 0.01
"""The share that an input must have in some year to be named in a chart."""
FEWEST_DECIDING = 20
"""Samples that must make up the variance of an outcome for its shares to be shown."""
MEASURES = {"sobol": ("first_order", "total"), "shapley": ("shapley",)}
METHOD_NAMES = {"sobol": "Sobol indices", "shapley": "Shapley effects"}
_LONG_NAMES = {"first_order": "first-order Sobol index", "total": "total Sobol index", "shapley": "Shapley effect"}
_PARTS = {"": "", "_error": ", standard error", "_lower": ", 5 % bound", "_upper": ", 95 % bound"}
MOST_LINES = 12
MOST_COLUMNS = 5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shares(Result):
    """Shares of variance by input, as `variance_shares` gives them."""

    kind: ClassVar[str] = "shares"
    dataset: xr.Dataset
    """See `variance_shares`."""

    @property
    def folder_name(self) -> str:
        return f"{self.dataset.attrs['name']}-shares-{self.dataset.attrs['shares_id']}"

    @property
    def label(self) -> str:
        said = self.dataset.attrs
        head = f"Shares {said['shares_id']} · scenario {said['name']} · seed {said['seed']}"
        return f"{head} · {said['samples']:,} samples in either half"

    @property
    def measures(self) -> tuple[str, ...]:
        """The variables that part the variance; the parts of the first add up."""
        return MEASURES[self.dataset.attrs["method"]]

    def tables(self) -> dict[str, Table]:
        """`shares`: a row for each outcome and input, with standard errors and 90 % bounds."""
        found = self.dataset
        inputs, outcomes = found.sizes["input"], found.sizes["outcome"]
        parts = [f"{measure}{part}" for measure in self.measures for part in _PARTS]
        columns = {
            "outcome": np.repeat(found["outcome"].values, inputs),
            "input": np.tile(found["input"].values, outcomes),
            "label": np.tile(found["input_words"].values, outcomes),
            **{part: found[part].values.T.ravel() for part in parts},
            "variance_of_outcome": np.repeat(found["variance"].values, inputs),
            "constant": np.repeat(found["constant"].values, inputs),
        }
        return {"shares": Table(columns)}

    def texts(self) -> dict[str, str]:
        """The resolved scenario."""
        return {"scenario.yaml": kept_scenario_text(self.dataset)}

    def lines(self) -> list[str]:
        """Say the largest shares of each subject, in a few of the years."""
        attrs = self.dataset.attrs
        size = f"{attrs['samples']:,} samples in either half, seed {attrs['seed']}"
        lines = [f"Shares of variance of {attrs['name']} (shares {attrs['shares_id']}, {size})"]
        lines.append(f"  {METHOD_NAMES[attrs['method']]}: {attrs['method_because']}")
        told = (_subject_lines(self.of(subject), subject, self.measures) for subject in self.subjects())
        return [*lines, *chain.from_iterable(told), f"  {ORDERS_DIFFER}"]

    def subjects(self) -> list[str]:
        """List what the shares are of, whatever the year."""
        return list(dict.fromkeys(self.dataset["subject"].values.tolist()))

    def of(self, subject: str) -> xr.Dataset:
        """Give the shares of a subject, year by year."""
        return self.dataset.isel(outcome=self.dataset["subject"].values == subject)


def open_shares(path: FilePath | str) -> Shares:
    """Open shares of variance: a file, or the folder that holds it."""
    return Shares(open_kept(path, kind="shares", format_=SHARES_FORMAT).to_dataset())


def variance_shares(
    scenario: Scenario | Source,
    outcomes: Sequence[Outcome | str] | None = None,
    *,
    samples: int = DEFAULT_SAMPLES,
    method: str = "auto",
    groups: Mapping[str, Sequence[str]] | None = None,
    by: str | None = None,
    custom: Mapping[str, CustomDriver] | None = None,
    workers: Workers = 1,
) -> Shares:
    """Estimate which share of the variance of each outcome each prior has.

    Parameters
    ----------
    scenario : Scenario, or what `load_scenario` reads
    outcomes : sequence of str, optional
        Such as `effective_compute@2035`, `crossed:NAME@2030`, `crossing:NAME`, `restricted:NAME`. A level or
        `crossed:NAME` without a year stands for every year. Of a crossing year it is the variance of its rank among the
        samples, those that do not cross by the horizon last: of the year itself a few late samples have most of it.
        None: effective compute, or what the scenario is told by without it, in every year.
    samples : int
        Rows of either half of the draws; any number from 64.
    method : {"auto", "sobol", "shapley"}
        `sobol`: first-order and total indices, for inputs that are independent of one another. `shapley`: Shapley
        effects, whatever the correlations. `auto`: Sobol indices if the inputs are independent, else Shapley effects.
    groups : patterns of names of priors by name of the group, optional
        Priors that count as one input; a `*` stands for any text, and a pattern without one takes all below it.
    by : "driver", optional
        Puts together all that stands under one driver, quantity, constraint or threshold.
    custom : functions of custom drivers by dotted path, optional
    workers : int or Executor, as in `simulate`

    Returns
    -------
    Shares, whose dataset is over `input` and `outcome`
        `first_order` and `total`, or `shapley`, each with `_error`, `_lower`, `_upper` (the standard error and the
        90 % bounds of the bootstrap over rows); 0 where the outcome is constant. Over `outcome`: `variance`,
        `constant`, and `deciding_samples`, how many of the samples make up the variance: where they are few, the
        shares tell little; coordinates `subject` and `year` (NaN where an outcome has none). Over `input`: `members`,
        the names of its priors, one a line, and `input_words`.

    Raises
    ------
    InputError
        A name is unknown, a level is not always finite, the method does not go with the correlations, there are
        too few or too many samples, or nothing is uncertain.

    Examples
    --------
    >>> from simulator import load_scenario
    >>> shares = variance_shares(load_scenario("baseline"), ["effective_compute@2035"], samples=64)
    >>> shares.dataset.attrs["method"], float(shares.dataset["shapley"].sum().round(9))
    ('shapley', 1.0)
    """
    scenario = scenario_of(scenario)
    model, asked = model_of(scenario, custom=custom), scenario_outcomes(scenario, outcomes or ())
    asked = scenario_outcomes(scenario, [model.plan.headline]) if outcomes is None else asked
    inputs = group_inputs(inputs_of(model, whole=True), groups=groups, by=by)
    _check(asked, samples=samples, method=method, inputs=inputs, name=scenario.spec.name)
    of = {prior: each.name for each in inputs for prior in each.members}
    # groups of correlated priors that are spread over several inputs
    split = [group.names for group in model.joint.groups if len({of[name] for name in group.names}) > 1]
    if method == "sobol" and split:
        raise InputError(_refusal(split))
    labels = scenario.labels
    reason = _reason([[input_words(name, labels=labels) for name in names] for names in split])
    because = reason if method == "auto" else f"as asked; {reason}"
    chosen = method if method != "auto" else "shapley" if split else "sobol"
    evaluate(model, {name: np.array([0.5]) for name in model.joint.uncertain}, asked)  # names the unknown at once
    found = parted_variance(Study(model, inputs, asked, samples, chosen), workers)
    words = [input_words(each.name, labels=labels) for each in inputs]
    dataset = _dataset(inputs, asked, found).assign_coords(input_words=("input", words))
    results = np.ascontiguousarray(dataset[next(iter(found.parts))].values).tobytes() if model.plan.custom else b""
    return Shares(dataset.assign_attrs(_attributes(scenario, dataset, samples, chosen, because, results)))


def check_method(method: str, *, samples: int) -> None:
    """Check the name of a method, and that there are enough samples for any scenario."""
    if method not in METHODS:
        hint = near_name(method, METHODS)
        raise InputError(f"--method: must be one of {', '.join(METHODS)}; got '{method}'. {hint}".strip())
    if samples < LEAST_SAMPLES:
        raise InputError(
            f"--samples: must be from {LEAST_SAMPLES}; got {samples:,}. Of fewer samples nothing can be told: "
            f"write for example {DEFAULT_SAMPLES}."
        )


def _check(outcomes: Sequence[Outcome], *, samples: int, method: str, inputs: Sequence[Input], name: str) -> None:
    check_method(method, samples=samples)
    if not outcomes:
        raise InputError("outcomes: name one at least, for example effective_compute@2035.")
    for outcome in outcomes:
        if outcome.kind == "level" and outcome.name.startswith("binding_"):
            raise InputError(
                f"outcome '{outcome.asked}': holds the numbers of limits, and their variance means nothing. "
                "Ask for the level that is limited, for example spending@2035."
            )
    if not inputs:
        raise InputError(f"{name}: has no uncertain prior: there is no variance to share.")
    most = MOST_NUMBERS // (len(inputs) * len(outcomes))
    if samples > most:
        raise InputError(
            f"--samples: must be from {LEAST_SAMPLES} to {most:,} for {len(inputs)} inputs and {len(outcomes)} "
            f"outcomes; got {samples:,}. Each sample is evaluated about twice for each input."
        )


def _reason(split: Sequence[Sequence[str]]) -> str:
    if not split:
        return "the inputs are independent"
    more = f", and {len(split) - 1} more such groups" if len(split) > 1 else ""
    return f"{' with '.join(split[0][:3])}{' and others' if len(split[0]) > 3 else ''} are correlated{more}"


def _refusal(split: Sequence[Sequence[str]]) -> str:
    lines = [f"  --group correlated-{place}={','.join(names)}" for place, names in enumerate(split, start=1)]
    return (
        f"--method sobol: {_reason(split)}. Sobol indices share the variance of independent inputs; among correlated "
        "ones the shares overlap and mean nothing. Ask for --method shapley, which shares it fairly, "
        "or put together what is correlated, for Sobol indices of independent groups are exact:\n" + "\n".join(lines)
    )


def _dataset(inputs: Sequence[Input], outcomes: Sequence[Outcome], found: Parted) -> xr.Dataset:
    parts = {
        f"{name}{suffix}": (
            ("input", "outcome"),
            getattr(part, suffix.removeprefix("_") or "value"),
            {"units": "1", "long_name": f"{_LONG_NAMES[name]}{words}"},
        )
        for name, part in found.parts.items()
        for suffix, words in _PARTS.items()
    }
    deciding = {"long_name": "samples that make up the variance", "units": "1"}
    alone = {
        "variance": ("outcome", found.variance, {"long_name": "variance of the outcome"}),
        "constant": ("outcome", found.constant.astype(np.int8), {"long_name": "1 where it does not vary"}),
        "deciding_samples": ("outcome", found.deciding, deciding),
    }
    return xr.Dataset(
        parts | alone,
        coords={
            "input": [each.name for each in inputs],
            "outcome": [outcome.text for outcome in outcomes],
            "members": ("input", ["\n".join(each.members) for each in inputs]),
            "subject": ("outcome", [outcome.subject for outcome in outcomes]),
            "year": ("outcome", np.array([np.nan if each.year is None else each.year for each in outcomes], float)),
            "variance_unit": ("outcome", [variance_unit(each) for each in outcomes]),
        },
    )


def variance_unit(outcome: Outcome) -> str:
    """Name the unit of the variance of an outcome; a rank has none."""
    return "1" if outcome.unit == "1" or outcome.censored else f"{outcome.unit}^2"


def _attributes(
    scenario: Scenario, dataset: xr.Dataset, samples: int, method: str, reason: str, results: bytes
) -> dict[str, str | int]:
    """Say where the shares come from; the id is the hash of all that determines them."""
    spec = scenario.spec
    attributes: dict[str, str | int] = {
        "shares_format": SHARES_FORMAT,
        "name": spec.name,
        "title": spec.title or spec.name,
        "subject": spec.subject,
        "scenario_hash": scenario.hash,
        "seed": spec.seed,
        "samples": samples,
        "method": method,
        "method_because": reason,
        "overrides": "\n".join(scenario.overrides),
    }
    grouped = list(zip(dataset["input"].values.tolist(), dataset["members"].values.tolist(), strict=True))
    stated = {**attributes, "method_because": "", "inputs": grouped, "outcomes": dataset["outcome"].values.tolist()}
    key = short_hash(json.dumps(stated), code_of(scenario), results=results)
    return {
        **attributes,
        **made_by(packages_of(scenario)),
        "shares_id": key,
        "scenario": json.dumps(scenario.data, ensure_ascii=False),
    }


def subject_words(subject: str, *, year: float | None = None) -> str:
    """Name what shares over the years are of, in one of the years or in all of them."""
    kind, _, name = subject.partition(":")
    outcome = Outcome(kind, name, year) if kind in KINDS else Outcome("level", subject, year)  # type: ignore[arg-type]
    return f"{'the rank of ' if outcome.censored else ''}{in_a_sentence(outcome_words(outcome, labels={}))}"


def largest(drawn: Array, *, most: int) -> list[int]:
    """Choose the inputs to name: the largest on average over (input, year), of those that are worth a name."""
    order = np.argsort(-drawn.mean(axis=1), kind="stable")[:most].tolist()
    return [place for place in order if drawn[place].max() >= LEAST_NAMED] or order[:1]


def is_telling(shares: xr.Dataset) -> xr.DataArray:
    """Say of each outcome whether enough samples make up its variance to share it out."""
    return shares["deciding_samples"] >= FEWEST_DECIDING


def _subject_lines(shares: xr.Dataset, subject: str, measures: Sequence[str]) -> Iterator[str]:
    count = shares.sizes["outcome"]
    columns = np.unique(np.linspace(0, count - 1, min(count, MOST_COLUMNS)).round().astype(int)).tolist()
    years = shares["year"].values
    constant, telling = shares["constant"].values.astype(bool), is_telling(shares).values
    untold = np.where(constant, "constant", np.where(telling, "", "rare")).tolist()
    values = [shares[measure].values for measure in measures]

    def line(name: str, *numbers: Array) -> list[str]:
        return [name, *(untold[at] or " / ".join(_points(each[at]) for each in numbers) for at in columns)]

    yield f"  {subject_words(subject)}, %{', first-order / total' if len(measures) > 1 else ''}"
    heads = [number(year) if np.isfinite(year) else "" for year in years[columns].tolist()]
    rows = [["", *heads]]
    if telling.any():
        named = largest(np.maximum(values[0], 0.0)[:, telling], most=MOST_LINES)
        names = shares["input_words"].values.tolist()
        rows += [line(names[place], *(each[place] for each in values)) for place in named]
        if others := [place for place in range(len(names)) if place not in named]:
            rows.append(line(f"{len(others)} others", values[0][others].sum(axis=0)))
        if len(measures) > 1:
            rows.append(line("interactions", 1.0 - values[0].sum(axis=0)))
        yield from aligned(rows if any(heads) else rows[1:], indent=4, right=[False, *[True] * len(columns)])
        errors = [shares[f"{measure}_error"].values[:, telling].max() for measure in measures]
        yield f"    standard errors: at most {100 * max(errors):.1f} points"
    for word, chosen, why in (
        ("constant", constant, "no sample differs, and there is no variance to share"),
        ("rare", ~telling & ~constant, "too few samples differ to share out the variance; take more --samples"),
    ):
        if chosen.any():
            when = [number(year) for year in years[chosen].tolist() if np.isfinite(year)]
            more = f" and {len(when) - 1} more year{'s' * (len(when) > 2)}" if when[1:] else ""
            yield f"    {word}{f' in {when[0]}{more}' if when else ''}: {why}"


def _points(share: float) -> str:
    return f"{100 * share:.0f}".replace("-0", "0")
