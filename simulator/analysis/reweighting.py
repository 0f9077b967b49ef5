"""Another prior without another run: how much likelier each sample is under changed priors, and what that tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import ndtri

from simulator.analysis.attribution import chosen_years
from simulator.analysis.outcomes import (
    CROSSED,
    MEDIAN_YEAR,
    QUANTILES,
    Headline,
    Outcome,
    run_crossings,
    run_outcomes,
    years_of,
)
from simulator.dates import point_words
from simulator.errors import InputError, dotted, number
from simulator.priors.composite import Converted, split_atoms
from simulator.priors.draws import joined_uniforms
from simulator.priors.families import Fixed
from simulator.priors.joint import JointPrior
from simulator.priors.streams import EDGE, block_uniforms
from simulator.runs.estimates import effective_samples, smoothed_logs, smoothed_weights, sum_error, weighted_quantiles
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group, headline_of
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.scenario.differences import bare_data, topmost_differences
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import slots
from simulator.units import Array, plain_unit
from simulator.wording import plus_minus, power, sample_count, share_text, year_text

if TYPE_CHECKING:
    import xarray as xr


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


type Read = Callable[[Sequence[Outcome]], Array]
"""What gives outcomes (outcome, sample)."""


def headline_table(run: xr.DataTree, weights: Array, *, read: Read | None = None) -> Table:
    """Tabulate the headline numbers of a run as it is, and of weighted samples, (sample,): its own, or those `read`.

    Standard errors are from what each block adds; None where a crossing year is censored.
    """
    trajectories = group(run, "trajectories", of_samples=True)
    if read is None and weights.shape != (trajectories.sizes["sample"],):
        raise InputError(
            f"weights: must be one for each of {trajectories.sizes['sample']} samples; got {weights.size}."
        )
    years = chosen_years(group(run, "summary")["year"].values.tolist())
    main = headline_of(group(run, "summary"))
    label, unit = (str(trajectories[main].attrs[key]) for key in ("long_name", "units"))
    told: list[tuple[Headline, Outcome, float | None]] = [
        (Headline(main, label, statistic, year, unit), Outcome("level", main, year), level)
        for year in years
        for statistic, level in QUANTILES.items()
    ]
    crossings = run_crossings(run)
    labels = group(run, "crossings")["label"].values.tolist() if crossings else ()
    for name, label in zip(crossings, labels, strict=True):
        told.append((Headline(name, label, MEDIAN_YEAR, None, "year"), Outcome("crossing", name), 0.5))
        told += [(Headline(name, label, CROSSED, year, "1"), Outcome("crossed", name, year), None) for year in years]
    outcomes = list(dict.fromkeys(outcome for _, outcome, _ in told))
    own = dict(zip(outcomes, run_outcomes(run, outcomes), strict=True))
    other = own if read is None else dict(zip(outcomes, read(outcomes), strict=True))
    equal, rows, block = np.full(next(iter(own.values())).size, 1.0), list[Row](), int(run.attrs["block"])
    for headline, outcome, level in told:
        before = weighted_estimate(own[outcome], equal / equal.sum(), level, block)
        after = weighted_estimate(other[outcome], weights / weights.sum(), level, block)
        ends = {"before": before[0], "before_error": before[1], "after": after[0], "after_error": after[1]}
        rows.append(headline._asdict() | ends)
    return Table.of_rows(rows)


def weighted_estimate(values: Array, weights: Array, level: float | None, block: int) -> tuple[float, float | None]:
    """Estimate a quantile, or the mean where there is no level, and its standard error; the weights have the sum 1.

    That of a quantile q at p is half the distance between those at p - e and p + e, with e the error of the share of
    samples up to q (Woodruff 1952); where p + e is censored, the distance from p - e to q.
    """
    if level is None:
        mean = float(values @ weights)
        return mean, sum_error(weights * (values - mean), block=block)
    found = float(weighted_quantiles(values, weights, [level])[0])
    if not np.isfinite(found):
        return found, None
    upto = np.asarray(values <= found, dtype=np.float64)
    error = sum_error(weights * (upto - upto @ weights), block=block)
    low, high = weighted_quantiles(values, weights, [max(level - error, 0.0), min(level + error, 1.0)]).tolist()
    return found, (high - low) / 2 if np.isfinite(high) else found - low


def headline_lines(rows: Sequence[Row], years: tuple[float, float], worth: Mapping[str, int]) -> list[str]:
    """Write the medians and probabilities before and after, one to a line; samples are `worth` so many equal ones."""
    (first, last), lines = years, []
    for row in rows:
        before, after = row["before"], row["after"]
        if row["statistic"] == "median":
            unit = plain_unit(row["unit"])
            logs = f"log10 {before:.2f}{_error(row, 'before', 2)} -> {after:.2f}{_error(row, 'after', 2)}"
            levels = f"{power(before)} -> {power(after)} {unit}"
            lines.append(f"  {point_words(row['year'])}  {row['label']}: {levels} ({logs})")
        elif row["statistic"] == MEDIAN_YEAR:
            told = (
                f"{year_text(row[name], last, first)}{_error(row, name, 1) if first < row[name] < np.inf else ''}"
                for name in ("before", "after")
            )
            lines.append(f"  {row['label']}: median crossing year {' -> '.join(told)}")
        elif row["statistic"] == CROSSED and row["year"] == last:
            shares = (share_text(row[name], count, row[f"{name}_error"]) for name, count in worth.items())
            lines[-1] += f"; crossed by {last:g}: {' -> '.join(shares)}"
    return lines


def _error(row: Row, name: str, digits: int) -> str:
    error = row[f"{name}_error"]
    return "" if error is None else plus_minus(error, digits)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reweighting(Result):
    """The headline numbers of a run under other priors, and the weights (sample,), of sum 1; `changed` priors."""

    kind: ClassVar[str] = "reweighting"
    folder_name: ClassVar[str] = ""  # it is written beside the run
    run_id: str
    overrides: tuple[str, ...]
    changed: tuple[str, ...]
    weights: Array
    khat: float
    """The shape of the tail of as many weights, as a generalised Pareto distribution has it; -inf: there is none."""
    headlines: Table
    years: tuple[float, float]

    @property
    def effective(self) -> float:
        """How many equal samples the weighted ones are worth."""
        return effective_samples(self.weights)

    @property
    def largest(self) -> float:
        """The largest weight."""
        return float(self.weights.max())

    @property
    def dataset(self) -> xr.Dataset:
        """The headline numbers before and after, and the weight of each sample."""
        found = self.headlines.with_columns({"number": np.arange(len(self.headlines))}).to_dataset("number")
        found = found.set_coords(["quantity", "label", "statistic", "year", "unit"])
        return found.assign(weight=("sample", self.weights))

    def tables(self) -> dict[str, Table]:
        return {"reweighted": self.headlines}

    def lines(self) -> list[str]:
        count = self.weights.size
        worth = f"{self.effective:,.0f} ({100 * self.effective / count:.0f} %)"
        tail = "below 0" if self.khat < 0 else f"{self.khat:.2f}"
        return [
            f"run {self.run_id}, before -> after: {', '.join(self.overrides)}",
            *headline_lines(self.headlines.rows(), self.years, {"before": count, "after": round(self.effective)}),
            f"  {count:,} samples are worth {worth}; the largest weight is {100 * self.largest:.2g} %",
            f"  Pareto k-hat of the weights: {tail}; the errors hold up to {HEAVIEST:g}",
        ]


def reweight_run(run: xr.DataTree, overrides: Sequence[str]) -> Reweighting:
    """Give the headline numbers of a run as if its priors had been others, by weighing its samples.

        weight = p_new(x) / p_old(x) over the sum of that over the samples

    with p the density of a sample's parameters x under the joint prior: that of the marginals times that of the
    Gaussian copula; both may change. Nothing is run again. The weighted samples are worth (sum w)^2 / sum w^2 equal
    ones. The largest weights are smoothed by a generalised Pareto distribution (PSIS) where its shape, k-hat, is above
    1/3, and refused above 0.5, where their variance is infinite.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    overrides : sequence of str
        Changes of priors and correlations, as `path=value`: a number, such as
        `drivers.spending.growth[0].rate.median=2.5`, or a whole prior.

    Returns
    -------
    Reweighting
        `weights` (sample,), and the table `reweighted` of headline numbers before and after: levels in log10 of their
        unit, crossing years, probabilities.

    Raises
    ------
    InputError
        A change is of something else than a prior or a correlation; a prior is fixed before or after; the new prior
        has values that the old one does not have; or fewer than 100 effective samples, or 1 % of them, would be left;
        or k-hat is above 0.5.
    RunFileError
        The stored scenario cannot be read by this version.

    References
    ----------
    L. Kish 1965, Survey Sampling, for how many samples weighted ones are worth; A. Vehtari, D. Simpson, A. Gelman,
    Y. Yao and J. Gabry 2024, Pareto smoothed importance sampling, Journal of Machine Learning Research 25.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> found = reweight_run(run, ["drivers.spending.growth[0].rate.median=2.5"])
    >>> found.changed, 100 < found.effective < 1024
    (('drivers.spending.growth[0].rate', 'drivers.hardware.factors.price-performance.growth'), True)
    """
    parameters = group(run, "parameters", of_samples=True)
    old = stored_scenario(run)
    if len(old.components) > 1:
        names = ", ".join(component.name for component in old.components)
        raise InputError(
            f"reweight: this run mixes {names}, and a prior of one name may mean another thing in each. "
            "Reweight a run of one of them."
        )
    new = stored_scenario(run, overrides=overrides)
    change = Change.of(old, new)
    values = {name: np.asarray(parameters[name].values, dtype=np.float64) for name in change.priors}
    weights, khat = change.weights(values, samples=parameters.sizes["sample"])
    table = headline_table(run, weights)
    return Reweighting(str(run.attrs["run_id"]), tuple(overrides), change.priors, weights, khat, table, years_of(run))
