"""Another prior without another run: importance weights of a run's samples for changed priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

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
from simulator.analysis.weights import HEAVIEST, Change
from simulator.dates import point_words
from simulator.errors import InputError
from simulator.runs.estimates import effective_samples, sum_error, weighted_quantiles
from simulator.runs.folder import stored_scenario
from simulator.runs.groups import group, headline_of
from simulator.runs.result import Result
from simulator.runs.table import Row, Table
from simulator.units import Array, plain_unit
from simulator.wording import plus_minus, power, share_text, year_text

if TYPE_CHECKING:
    import xarray as xr

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
