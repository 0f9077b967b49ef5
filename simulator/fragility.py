"""Whether what was learnt from history is fragile: conflict with the priors, groups of runs that carry the rate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import xarray as xr

from simulator.diagnostics import Diagnostics, diagnose
from simulator.errors import InputError
from simulator.history_observations import observations
from simulator.history_tables import AcceleratorHistory, RunHistory
from simulator.inference import SamplerSettings, fit_history
from simulator.inference_model import GrowthPriors
from simulator.leave_out import RateWithout, leave_out, members, rates_without
from simulator.power_scaling import Sensitivity, sensitivities
from simulator.prior_conflict import PriorShift, conflicts
from simulator.rungroups import group


@dataclass(frozen=True, slots=True)
class Refit:
    """Compare the posterior of one rate with and without one group of runs, OOM/year."""

    left_out: str
    rate: str
    mean: float
    sd: float
    mean_without: float
    sd_without: float

    @property
    def line(self) -> str:
        """The comparison in words."""
        return (
            f"{self.rate}: {self.mean:.2f} ± {self.sd:.2f} OOM/year, without {self.left_out} "
            f"{self.mean_without:.2f} ± {self.sd_without:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Fragility:
    """Hold what speaks for and against trusting what was learnt from one history up to the end of a year.

    `shifts` has every unknown with a prior, `rates` every group of runs, the most influential first, `sensitivities`
    every unknown of one value, `refits` the three rates without the most influential group where that was asked for,
    and `diagnostics` the chains of each fit.
    """

    snapshot: str
    origin: int
    runs: int
    shifts: tuple[PriorShift, ...]
    rates: tuple[RateWithout, ...]
    sensitivities: tuple[Sensitivity, ...]
    refits: tuple[Refit, ...]
    diagnostics: tuple[Diagnostics, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against trusting the rates, one line each."""
        faults = [fault for fit in self.diagnostics for fault in fit.faults]
        shifts = [each.line for each in self.shifts if each.conflict]
        return (*faults, *shifts, *(each.line for each in self.rates if each.flagged))


def examine_history(
    history: RunHistory,
    accelerators: AcceleratorHistory | None = None,
    *,
    until: dt.date,
    top: int = 10,
    since: int = 2012,
    named: Sequence[str] = (),
    refit: bool = False,
    priors: GrowthPriors | None = None,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
) -> Fragility:
    """Fit the model of history, and say whether what it learnt is fragile.

    Parameters
    ----------
    history : RunHistory
    accelerators : AcceleratorHistory, optional
    until : date
        What was published up to this day counts.
    top : int
        A run is of the frontier if it was among so many largest at its release.
    since : int
        The first year of the frontier.
    named : sequence of str
        More groups of runs to leave out; see `rates_without`.
    refit : bool
        Whether to fit again without the group that moves the rate most.
    priors, settings, cache
        See `simulator.inference.fit_history`.

    Returns
    -------
    Fragility

    Raises
    ------
    InputError
        The history is too short, or a named run is not in it.
    """
    rates = rates_without(history, until=until, top=top, since=since, named=named)
    seen = observations(history, accelerators, until=until, top=top, since=since).frontier
    if refit and not rates:
        raise InputError(
            f"--refit: {history.file} has no group of at least two frontier runs by {until}. "
            "Name a later --until, or a group by hand with --leave-out."
        )
    fit = fit_history(seen, priors=priors, settings=settings, cache=cache)
    fits, refits = [fit], tuple[Refit, ...]()
    if refit:
        gone = leave_out(history, members(history, rates[0]), reason=rates[0].left_out)
        less = observations(gone, accelerators, until=until, top=top, since=since).frontier
        fits.append(fit_history(less, priors=priors, settings=settings, cache=cache))
        refits = _refits(*fits, left_out=rates[0].left_out)
    return Fragility(
        snapshot=seen.snapshot,
        origin=seen.years[1],
        runs=int(fit.attrs["runs"]),
        shifts=conflicts(fit),
        rates=rates,
        sensitivities=sensitivities(fit, seen, priors=priors),
        refits=refits,
        diagnostics=tuple(diagnose(each) for each in fits),
    )


def _refits(fit: xr.DataTree, without: xr.DataTree, *, left_out: str) -> tuple[Refit, ...]:
    rows = []
    drawn = [group(each, "posterior") for each in (fit, without)]
    both = [each.assign(compute_growth=each["spending_growth"] + each["efficiency_growth"]) for each in drawn]
    for rate in ("spending_growth", "efficiency_growth", "compute_growth"):
        (mean, sd), (mean_without, sd_without) = ((float(each[rate].mean()), float(each[rate].std())) for each in both)
        rows.append(Refit(left_out, rate, mean, sd, mean_without, sd_without))
    return tuple(rows)
