"""Importance weights: how much likelier a sample is under other priors than under those that it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from simulator.errors import InputError, dotted, number
from simulator.priors.composite import Converted, split_atoms
from simulator.priors.draws import joined_uniforms
from simulator.priors.families import Fixed
from simulator.priors.joint import JointPrior
from simulator.priors.streams import EDGE, block_uniforms
from simulator.runs.estimates import effective_samples, smoothed_logs, smoothed_weights
from simulator.scenario.differences import bare_data, topmost_differences
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import slots
from simulator.units import Array
from simulator.wording import sample_count

FEWEST_EFFECTIVE = 100.0
LEAST_SHARE = 0.01
"""A run is refused that is worth fewer samples than either: single samples would decide its numbers."""
HEAVIEST = 0.5
"""The largest Pareto k-hat of weights whose numbers are told: above it their variance is infinite.

See benchmarks/reweighting.py for what plus and minus twice the standard error holds on either side of it.
"""
_CHECKED, _DRAWN, _MOST_SETS, _SEED, _STREAM = 2001, 1 << 18, 64, 20_261_122, "reweighting"
_REMEDY = "Change the prior by less, or run the scenario with --set instead, which is exact."


@dataclass(frozen=True, slots=True)
class Change:
    """A change of priors: of the `marginals`, and of the copula of those `joined`."""

    old: JointPrior
    new: JointPrior
    marginals: tuple[str, ...]
    joined: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, old: Scenario, new: Scenario) -> Change:
        """Find what differs; what weights cannot say is refused."""
        marginals = _changed_priors(old, new)
        for name in marginals:
            _check_prior(name, old.joint.priors[name].family, new.joint.priors[name].family)
        joined = _changed_groups(old.joint, new.joint, marginals)
        return cls(old.joint, new.joint, tuple(marginals), tuple(joined))

    @property
    def priors(self) -> tuple[str, ...]:
        """The names of the priors whose values count."""
        return tuple(dict.fromkeys([*self.marginals, *(name for one in self.joined for name in one)]))

    def logs(self, values: Mapping[str, Array], *, samples: int) -> Array:
        """Give the log of new over old density (sample,) at values by name; -inf where the new prior has nothing."""
        logs = np.zeros(samples)
        for name in self.marginals:
            before, after = self.old.priors[name].family, self.new.priors[name].family
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = after.logpdf(values[name]) - before.logpdf(values[name])
            # -inf at a single value that the new prior does not have
            single, kept = (np.isin(values[name], split_atoms(family).values) for family in (before, after))
            logs += np.where((single & ~kept) | np.isnan(ratio), -np.inf, ratio)
        for together in self.joined:
            logs += _log_copula(self.new, together, values) - _log_copula(self.old, together, values)
        return logs

    def khat(self, samples: int) -> float:
        """Tell the shape of the tail of so many weights: its median over draws of the old priors; -inf: none.

        The draws are not those of a run: where a run's own samples miss the tail their k-hat is small, and the runs
        that it would let pass are those that err most.
        """
        size = min(samples, _DRAWN // 4)
        groups = tuple(group for group in self.old.groups if set(group.names) & set(self.priors))
        uniforms = {
            name: block_uniforms(f"{_STREAM}.{name}", seed=_SEED, block=0, size=_DRAWN, design="random")
            for name in {*self.priors, *(name for group in groups for name in group.names)}
        }
        joined = joined_uniforms(replace(self.old, groups=groups), uniforms)
        logs = self.logs({name: self.old.priors[name].family.ppf(joined[name]) for name in self.priors}, samples=_DRAWN)
        sets = np.split(logs[: _DRAWN // size * size], _DRAWN // size)[:_MOST_SETS]
        return float(np.median([smoothed_logs(each)[1] for each in sets]))

    def weights(self, values: Mapping[str, Array], *, samples: int) -> tuple[Array, float]:
        """Give weights of sum 1 to samples, with k-hat; refuse those that few samples, or ones not drawn, decide."""
        logs = self.logs(values, samples=samples)
        if not np.isfinite(logs).any():
            raise InputError(f"reweight: no sample of this run is possible under the new prior. {_REMEDY}")
        raw = np.exp(logs - logs.max())
        effective, needed = effective_samples(raw), max(FEWEST_EFFECTIVE, LEAST_SHARE * samples)
        if effective < needed:
            raise InputError(
                f"reweight: {sample_count(samples)} would be worth {effective:.1f}, and {needed:,.0f} are needed at "
                f"least (100, and 1 % of the samples); the largest weight is {100 * raw.max() / raw.sum():.1f} %. "
                f"The new prior lies where the run has few samples. {_REMEDY}"
            )
        khat = self.khat(samples)
        if khat > HEAVIEST:
            raise InputError(
                f"reweight: the weights have too heavy a tail (Pareto k-hat {khat:.2f}; their variance is infinite "
                f"above {HEAVIEST:g}): the new prior is wider than the run's, and samples that the run has not drawn "
                f"would decide the ends. {_REMEDY}"
            )
        return smoothed_weights(logs)[0], khat


def _changed_priors(old: Scenario, new: Scenario) -> list[str]:
    """Name the priors that are stated otherwise; refuse changes of anything else than priors and correlations."""
    differing = [path for path, _ in topmost_differences([bare_data(old.data), bare_data(new.data)])]
    differing = [path for path in differing if path != ("title",)]  # it says what is changed
    if not differing:
        raise InputError("reweight: nothing is changed: the priors are what they were. Name another number.")
    found: dict[str, None] = {}
    for path in differing:
        names = [slot.name for slot in slots(old.spec) if path[: len(slot.path)] == slot.path]
        if path[0] == "inputs" and not names:  # its label
            continue
        if following := [name for name in names if name in {*old.joint.functions, *new.joint.functions}]:
            raise InputError(
                f"reweight: {following[0]}: follows another prior in one of the two, so its numbers have no density of "
                "their own. Change what it follows, or run the scenario with --set."
            )
        if not names and path[0] != "correlations":
            raise InputError(
                f"reweight: {dotted(path)}: is no prior of this run, so its samples cannot be weighted for it. "
                "Only priors and correlations can be changed; run the scenario with --set for anything else."
            )
        found |= dict.fromkeys(names)
    if set(old.joint.priors) != set(new.joint.priors):
        apart = sorted(set(old.joint.priors) ^ set(new.joint.priors))
        raise InputError(f"reweight: {apart[0]}: is a prior of only one of the two. Run the scenario with --set.")
    return list(found)


def _check_prior(name: str, old: Distribution, new: Distribution) -> None:
    """Refuse a change for which the samples of the old prior cannot stand in."""
    for family, word in ((old, "was"), (new, "becomes")):
        if isinstance(family, Fixed):
            raise InputError(
                f"reweight: {name}: {word} one fixed number, which weights cannot make of a spread, nor a spread of "
                "it. Run the scenario with --set instead."
            )
        if isinstance(family, Converted) and split_atoms(family.base).values:
            raise InputError(
                f"reweight: {name}: {word} a prior that gives single values a probability in another unit, of which "
                "no density is known. Run the scenario with --set instead."
            )
    parts = split_atoms(old), split_atoms(new)
    missing = sorted(set(parts[1].values) - set(parts[0].values))
    if missing:
        raise _beyond(name, f"the new prior gives {number(missing[0])} a probability of its own, which the old did not")
    if not parts[1].families:
        return
    if not parts[0].families:
        raise _beyond(name, "the old prior is of single values, and the new one spreads between them")
    low, high = parts[0].continuous.support
    first, last = parts[1].continuous.support
    slack = 1e-9 * max([1.0, *(abs(end) for end in (low, high, first, last) if np.isfinite(end))])
    points = parts[1].continuous.ppf(np.linspace(0.0, 1.0, _CHECKED + 2)[1:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        outside = float(np.mean(np.isneginf(parts[0].continuous.logpdf(points))))
    if first < low - slack or last > high + slack or outside > 1.0 / _CHECKED:
        spans = f"{number(first)} to {number(last)} and the old one from {number(low)} to {number(high)}"
        gap = f", and {100 * outside:.2g} % of it where the old one has nothing" if outside > 0 else ""
        raise _beyond(name, f"the new prior goes from {spans} (internal scale){gap}")


def _beyond(name: str, what: str) -> InputError:
    return InputError(
        f"reweight: {name}: must not have values that the run's prior does not have: {what}. "
        "No sample stands for them. Run the scenario with --set instead."
    )


def _changed_groups(old: JointPrior, new: JointPrior, marginals: list[str]) -> list[tuple[str, ...]]:
    """Collect the priors whose copula may weigh samples otherwise: those joined in either, by connected groups."""
    before, after = ({one.names: one for one in joint.groups} for joint in (old, new))
    touched: list[set[str]] = []
    for names in dict.fromkeys([*before, *after]):
        same = names in before and names in after and np.array_equal(before[names].factor, after[names].factor)
        if same and not set(names) & set(marginals):
            continue
        overlapping = [found for found in touched if found & set(names)]
        touched = [found for found in touched if not found & set(names)] + [set(names).union(*overlapping)]
    result = [tuple(sorted(found)) for found in touched]
    for name in (name for names in result for name in names):
        for joint in (old, new):
            if split_atoms(joint.priors[name].family).values:
                raise InputError(
                    f"reweight: {name}: gives single values a probability and is correlated with a changed prior; the "
                    "density of both together is not known. Run the scenario with --set instead."
                )
    return result


def _log_copula(joint: JointPrior, names: tuple[str, ...], values: Mapping[str, Array]) -> Array:
    """Give the log density of the Gaussian copula: sum over groups of -log|R| / 2 - z'(R^-1 - 1) z / 2."""
    total = np.zeros(next(iter(values.values())).size)
    for one in (each for each in joint.groups if set(each.names) <= set(names)):
        shares = np.stack([joint.priors[name].family.cdf(values[name]) for name in one.names])
        scores = ndtri(np.clip(shares, EDGE, 1.0 - EDGE))
        free = np.linalg.solve(one.factor, scores)
        log_root = float(np.log(np.diag(one.factor)).sum())
        total += -log_root - 0.5 * (np.square(free).sum(axis=0) - np.square(scores).sum(axis=0))
    return total
