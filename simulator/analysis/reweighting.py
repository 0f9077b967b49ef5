"""Another prior without another run: importance weights of a run's samples for changed priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import ndtri

from simulator.analysis.attribution import CROSSED, MEDIAN_YEAR, QUANTILES, Headline, chosen_years
from simulator.analysis.outcomes import Outcome, run_crossings, run_outcomes
from simulator.errors import InputError, dotted, number
from simulator.priors.composite import Converted, split_atoms
from simulator.priors.families import Fixed
from simulator.priors.joint import JointPrior
from simulator.priors.streams import EDGE
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.scenario.differences import bare_data, topmost_differences
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import slots
from simulator.units import Array, plain_unit
from simulator.wording import plus_minus, power, year_text

if TYPE_CHECKING:
    import xarray as xr

STRETCH = 1024
"""Samples whose own estimates enter a standard error, as in the summary of a run."""


def effective_samples(weights: Array) -> float:
    """Give how many equal samples the weighted ones are worth: (sum w)^2 / sum w^2 (Kish 1965).

    >>> effective_samples(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


def weighted_quantiles(values: Array, weights: Array, levels: Sequence[float]) -> Array:
    """Read quantiles off weighted samples.

    The samples of positive weight stand, in their order, at p_k = (S_k - w_k / 2 - w_1 / 2) / (1 - w_1 / 2 - w_n / 2)
    with S_k the weight up to and with k, and the quantile is linear between them; with equal weights that is the usual
    (k - 1) / (n - 1). Between a finite value and +inf it is +inf. The result is (level,).

    >>> values = np.array([1.0, 2.0, 3.0, np.inf])
    >>> weighted_quantiles(values, np.ones(4), [0.5, 0.9]).tolist()
    [2.5, inf]
    >>> weighted_quantiles(values, np.array([1.0, 1.0, 1.0, 0.0]), [0.5, 0.9]).round(6).tolist()
    [2.0, 2.8]
    """
    held = weights > 0
    order = np.argsort(values[held], kind="stable")
    ordered = np.asarray(values[held][order], dtype=np.float64)
    share = weights[held][order] / weights[held].sum()
    if ordered.size == 1:
        return np.full(len(levels), ordered[0])
    ends = (share[0] + share[-1]) / 2
    places = (np.cumsum(share) - share / 2 - share[0] / 2) / (1.0 - ends)
    wanted = np.asarray(levels, dtype=np.float64)
    above = np.clip(np.searchsorted(places, wanted - 1e-12), 1, ordered.size - 1)
    below = above - 1
    part = np.clip((wanted - places[below]) / (places[above] - places[below]), 0.0, 1.0)
    low, high = ordered[below], ordered[above]
    with np.errstate(invalid="ignore"):
        between = low + part * (high - low)
    return np.where((part <= 1e-9) | (low == high), low, np.where(np.isinf(high), high, between))


def headline_table(run: xr.DataTree, weights: Array) -> Table:
    """Tabulate the headline numbers of a run as it is and with its samples weighted, (sample,).

    Standard errors are from stretches of 1,024 samples, each weighted by itself: sd over the stretches / sqrt(their
    number); None where there are fewer than four, or a crossing year is censored in one.
    """
    trajectories = group(run, "trajectories", of_samples=True)
    if weights.shape != (trajectories.sizes["sample"],):
        raise InputError(
            f"weights: must be one for each of {trajectories.sizes['sample']} samples; got {weights.size}."
        )
    years = chosen_years(group(run, "summary")["year"].values.tolist())
    levels = [Outcome("level", "effective_compute", year) for year in years]
    label, unit = (str(trajectories["effective_compute"].attrs[key]) for key in ("long_name", "units"))
    told: list[tuple[Headline, Array, float | None]] = [
        (Headline("effective_compute", label, statistic, year, unit), values, level)
        for year, values in zip(years, run_outcomes(run, levels), strict=True)
        for statistic, level in QUANTILES.items()
    ]
    crossings = run_crossings(run)
    labels = group(run, "crossings")["label"].values.tolist() if crossings else ()
    for (name, when), label in zip(crossings.items(), labels, strict=True):
        told.append((Headline(name, label, MEDIAN_YEAR, None, "year"), np.asarray(when, dtype=np.float64), 0.5))
        crossed = ((year, np.asarray(when <= year, dtype=np.float64)) for year in years)
        told += [(Headline(name, label, CROSSED, year, "1"), values, None) for year, values in crossed]
    rows: list[Row] = []
    for headline, own, level in told:
        before, after = (_estimate(own, each, level) for each in (np.ones(own.size), weights))
        ends = {"before": before[0], "before_error": before[1], "after": after[0], "after_error": after[1]}
        rows.append(headline._asdict() | ends)
    return Table.of_rows(rows)


def _estimate(values: Array, weights: Array, level: float | None) -> tuple[float, float | None]:
    """Estimate a quantile, or the mean where there is no level, and its standard error."""

    def statistic(part: slice) -> float:
        if level is None:
            return float(values[part] @ weights[part] / weights[part].sum())
        return float(weighted_quantiles(values[part], weights[part], [level])[0])

    whole = statistic(slice(None))
    parts = [slice(end - STRETCH, end) for end in range(STRETCH, values.size + 1, STRETCH)]
    if len(parts) >= 4 and all(weights[part].any() for part in parts):
        single = np.array([statistic(part) for part in parts])
        if np.isfinite(single).all():
            return whole, float(single.std(ddof=1) / np.sqrt(values.size / STRETCH))
    return whole, None


def _headline_lines(rows: Sequence[Row], horizon: float) -> list[str]:
    """Write the medians and probabilities before and after, one to a line."""
    lines = []
    for row in rows:
        before, after = row["before"], row["after"]
        if row["statistic"] == "median":
            unit = plain_unit(row["unit"])
            logs = f"log10 {before:.2f}{_error(row, 'before', 2)} -> {after:.2f}{_error(row, 'after', 2)}"
            lines.append(f"  {row['year']:g}  {row['label']}: {power(before)} -> {power(after)} {unit} ({logs})")
        elif row["statistic"] == MEDIAN_YEAR:
            first, second = (
                f"{year_text(row[name], horizon)}{_error(row, name, 1) if np.isfinite(row[name]) else ''}"
                for name in ("before", "after")
            )
            lines.append(f"  {row['label']}: median crossing year {first} -> {second}")
        elif row["statistic"] == CROSSED and row["year"] == horizon:
            lines[-1] += f"; crossed by {horizon:g}: {100 * before:.1f} % -> {100 * after:.1f} %"
    return lines


def _error(row: Row, name: str, digits: int) -> str:
    error = row[f"{name}_error"]
    return "" if error is None else plus_minus(error, digits)


FEWEST_EFFECTIVE = 100.0
LEAST_SHARE = 0.01
"""A run is refused that is worth fewer samples than either: single samples would decide its numbers."""
_CHECKED = 2001


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reweighting(Result):
    """The headline numbers of a run under other priors, and the weights (sample,), of sum 1; `changed` priors."""

    kind: ClassVar[str] = "reweighting"
    folder_name: ClassVar[str] = ""  # it is written beside the run
    run_id: str
    overrides: tuple[str, ...]
    changed: tuple[str, ...]
    weights: Array
    headlines: Table
    horizon: float

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
        return [
            f"run {self.run_id}, before -> after: {', '.join(self.overrides)}",
            *_headline_lines(self.headlines.rows(), self.horizon),
            f"  {count:,} samples are worth {worth}; the largest weight is {100 * self.largest:.2g} %",
        ]


def reweight_run(run: xr.DataTree, overrides: Sequence[str]) -> Reweighting:
    """Give the headline numbers of a run as if its priors had been others, by weighing its samples.

        weight = p_new(x) / p_old(x) over the sum of that over the samples

    with p the density of a sample's parameters x under the joint prior: that of the marginals times that of the
    Gaussian copula; both may change. Nothing is run again. The weighted samples are worth (sum w)^2 / sum w^2 equal
    ones.

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
        has values that the old one does not have; or fewer than 100 effective samples, or 1 % of them, would be left.
    RunFileError
        The stored scenario cannot be read by this version.

    References
    ----------
    L. Kish 1965, Survey Sampling, for how many samples weighted ones are worth.

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
    marginals = _changed_priors(old, new)
    for name in marginals:
        _check_prior(name, old.joint.priors[name].family, new.joint.priors[name].family)
    joined = _changed_groups(old.joint, new.joint, marginals)
    involved = tuple(dict.fromkeys([*marginals, *(name for one in joined for name in one)]))
    values = {name: np.asarray(parameters[name].values, dtype=np.float64) for name in involved}
    logs = np.zeros(parameters.sizes["sample"])
    for name in marginals:
        before, after = old.joint.priors[name].family, new.joint.priors[name].family
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = after.logpdf(values[name]) - before.logpdf(values[name])
        # -inf at a single value that the new prior does not have
        single, kept = (np.isin(values[name], split_atoms(family).values) for family in (before, after))
        logs += np.where((single & ~kept) | np.isnan(ratio), -np.inf, ratio)
    for together in joined:
        logs += _log_copula(new.joint, together, values) - _log_copula(old.joint, together, values)
    weights = _weights(logs)
    horizon = float(group(run, "summary")["year"].values[-1])
    table = headline_table(run, weights)
    return Reweighting(str(run.attrs["run_id"]), tuple(overrides), involved, weights, table, horizon)


def _weights(logs: Array) -> Array:
    """Turn log ratios of densities into weights of sum 1; refuse those that leave too few samples."""
    count = logs.size
    remedy = "Change the prior by less, or run the scenario with --set instead, which is exact."
    if not np.isfinite(logs).any():
        raise InputError(f"reweight: no sample of this run is possible under the new prior. {remedy}")
    raw = np.exp(logs - logs.max())
    effective = effective_samples(raw)
    values: Array = raw / raw.sum()
    if effective < FEWEST_EFFECTIVE or effective < LEAST_SHARE * count:
        needed = max(FEWEST_EFFECTIVE, LEAST_SHARE * count)
        raise InputError(
            f"reweight: {count:,} samples would be worth {effective:.1f}, and {needed:,.0f} are needed at least (100, "
            f"and 1 % of the samples); the largest weight is {100 * values.max():.1f} %. "
            f"The new prior lies where the run has few samples. {remedy}"
        )
    return values


def _changed_priors(old: Scenario, new: Scenario) -> list[str]:
    """Name the priors that are stated otherwise; refuse changes of anything else than priors and correlations."""
    differing = [path for path, _ in topmost_differences([bare_data(old.data), bare_data(new.data)])]
    if not differing:
        raise InputError("reweight: nothing is changed: the priors are what they were. Name another number.")
    found: dict[str, None] = {}
    for path in differing:
        names = [slot.name for slot in slots(old.spec) if path[: len(slot.path)] == slot.path]
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
