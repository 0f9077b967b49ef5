"""What the samples of a run show that its reader must be told: counted block by block, said once as warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from simulator.engine.batches import Arrays, Batch
from simulator.engine.plan import Plan
from simulator.errors import number
from simulator.runs.estimates import plain_error
from simulator.scenario.checks.priors import is_beyond
from simulator.scenario.checks.units import named_unit
from simulator.schema.prior_names import drawn_dates
from simulator.units import Array
from simulator.variables import limit_words, snake, subject_words
from simulator.wording import BEYOND, amount_words, power_text, share_text

LEAST_CROSSED, LEAST_CUT_SHARE, LEAST_IDLE = 0.01, 0.05, 0.5
"""The shares of samples from which it is said that dates cross, that limits cut the start, that an era never comes."""

FEW = 60
"""Samples of which a bound on a share says little."""

HELD = 280
"""The log10 of a draw from which it is said that numbers are held; they are so at 304."""

LEAST_APART = 0.1
"""OOM by which two readings of the largest run must differ on average in a year for it to be said."""

LEAST_CUT = 0.01
"""OOM that a limit takes away at the start below which nothing is said of it."""


def count_noted(plan: Plan, batch: Batch) -> Arrays:
    """Count samples: whose dates cross or lead to no era, whose draws are held, which are beyond 10^300, by year."""
    found: Arrays = {}
    for component in plan.components:
        uncertain = {*component.joint.uncertain}
        for _, dates in drawn_dates(component.spec):
            if uncertain.isdisjoint(dates):
                continue
            begins: Array = np.full(batch.size, -np.inf)
            for before, name in pairwise(["", *dates]):
                date = batch.parameters[name]
                if before:
                    found[f"crossed {before} {name}"] = np.array([np.count_nonzero(date < begins)])
                begins = np.maximum(begins, date)
                if not is_beyond(component.joint.priors[name], plan.years[-1]):  # that is said of the scenario
                    found[f"beyond {name}"] = np.array([np.count_nonzero(begins >= plan.years[-1])])
        for name, prior in component.joint.priors.items():
            values = np.abs(batch.parameters[name])
            most = HELD if prior.unit.startswith(("log10(", "OOM")) else 10.0**HELD
            found[f"held {name}"] = np.array([np.count_nonzero((values > most) & (values < np.inf))])
    level = batch.trajectories[plan.headline]
    return found | {"exploded": np.array([np.count_nonzero(row == np.inf) for row in level])}


def noted_warnings(plan: Plan, noted: Arrays, summary: Arrays, *, samples: int) -> list[str]:
    """Say what was counted, and in how many samples limits are met in the first year already."""
    said = [*_explosions(plan, noted["exploded"], samples), *_limits_at_the_start(plan, summary, samples)]
    said += _readings(plan, summary)
    for key, count in noted.items():
        kind, *names = key.split(" ")
        share = float(count[0] / samples) if count.size else 0.0
        if kind == "crossed" and share >= LEAST_CROSSED:
            before, name = names
            said.append(
                f"{name}: lies before {before} in {_share(share, samples)} of the samples. "
                "The era begins with the later of the two dates there, and the era before it is left out."
            )
        if kind == "held" and count[0] > 0:
            said.append(
                f"{names[0]}: lies beyond 10^{HELD:g} or its inverse in {_share(share, samples)} of the samples, and "
                "numbers are held at 10^304 and its inverse. Truncate it."
            )
        if kind == "beyond" and share >= LEAST_IDLE:
            said.append(
                f"{names[0]}: lies at or beyond the last year, {number(plan.years[-1])}, in {_share(share, samples)} "
                "of the samples, where this era is never in force."
            )
    return said


def _share(share: float, samples: int) -> str:
    if share == 1.0 and samples < FEW:
        return "all"  # a bound would say little
    return share_text(share, samples, float(plain_error(share, samples)))


def _called(subject: str, plan: Plan) -> str:
    return plan.words.get(subject) or subject_words(subject)


def _explosions(plan: Plan, exploded: Array, samples: int) -> Iterator[str]:
    if exploded.any():
        first = plan.years[int(np.argmax(exploded > 0))]
        unit = " FLOP" if plan.headline == "effective_compute" else ""
        share = _share(float(exploded[-1] / samples), samples)
        yield (
            f"{_called(plan.headline, plan)} is beyond 10^{BEYOND:g}{unit} in {share} of "
            f"the samples by {number(plan.years[-1])}, in the first of them from {number(first)} on. It stands as +inf "
            "there, for it is no forecast: growth that feeds on itself has no bound. Limit it, or flatten the feedback."
        )


def _readings(plan: Plan, summary: Mapping[str, Array]) -> Iterator[str]:
    """Say how far the largest run of the drivers lies from what its share of a stock makes, where it does."""
    runs = ((stock, each.largest_run.use) for component in plan.components
            for stock, each in component.spec.allocation.items() if each.largest_run is not None)  # fmt: skip
    for stock, use in dict.fromkeys(runs):
        mean = summary.get(f"quantity_{snake(stock)}_{snake(use)}_ratio_mean")
        if mean is not None and np.abs(mean).max() >= LEAST_APART:
            first, last = (f"{10.0**each:.2g} times" for each in mean[[0, -1]])
            yield (
                f"allocation.{stock}: the drivers make the largest run {first} what its share of {stock} makes in "
                f"{number(plan.years[0])}, and {last} in {number(plan.years[-1])} (geometric means). They are two "
                "readings of one run: simulate show RUN --allocation has both by year."
            )


def _limits_at_the_start(plan: Plan, summary: Mapping[str, Array], samples: int) -> Iterator[str]:
    """Say where limits are met in the first year, and what they cut on average there."""
    for name, limits in plan.limits.items():
        subject = name.removeprefix("binding_")
        shares = summary[f"{name}_share"][:, 0]
        share = float(shares.sum())
        if share < LEAST_CUT_SHARE or f"{subject}_demanded_mean" not in summary:
            continue
        stated, left = (float(summary[f"{each}_mean"][0]) for each in (f"{subject}_demanded", subject))
        cut = (stated - left) / share
        if cut >= LEAST_CUT:
            bound = [limit for limit, each in zip(limits, shares, strict=True) if each > 0]
            which = ", ".join(limit_words(subject, limit, plan.words) for limit in bound)
            unit = named_unit(plan.parts[0].spec, subject)
            told = "" if unit == "1" else unit
            before, after = (amount_words(level, told, power_text) for level in (stated, left))
            yield (
                f"{_called(subject, plan)} starts above its limits ({which}) in "
                f"{_share(share, samples)} of the samples: they cut it by {cut:.2g} OOM there on average. Over all, "
                f"{before} is stated for the first year and {after} is left (geometric means)."
            )
