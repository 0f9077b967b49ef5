"""Whether a fit can be trusted: convergence of the chains, and what one domain of runs does to the rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.history.observations import Observations, known_at
from simulator.runs.groups import group

if TYPE_CHECKING:
    import xarray as xr

LARGEST_RHAT: Final[float] = 1.01
SMALLEST_ESS: Final[float] = 400.0
LARGEST_DIVERGING_SHARE: Final[float] = 0.001
LARGEST_RATE_GAP: Final[float] = 0.1


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Hold the worst figures of a fit over all its unknowns, and whether they are good enough.

    Parameters
    ----------
    chains, draws : int
        Chains, and draws of each after tuning.
    rhat, ess_bulk, ess_tail : float
        The largest R-hat, and the smallest effective sample sizes of the middle and of the tails.
    rhat_of, ess_bulk_of, ess_tail_of : str
        Which unknown has it.
    divergences : int
        Steps that lost the energy: the posterior has a corner that the sampler does not enter.
    """

    chains: int
    draws: int
    rhat: float
    rhat_of: str
    ess_bulk: float
    ess_bulk_of: str
    ess_tail: float
    ess_tail_of: str
    divergences: int

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, one plain line each; nothing where all is well."""
        lines = []
        # A chain that never moved has no R-hat: not a number counts as a fault.
        if not self.rhat <= LARGEST_RHAT:
            lines.append(f"R-hat {self.rhat:.4f} of {self.rhat_of} is above {LARGEST_RHAT:g}: the chains disagree.")
        for name, size, where in (
            ("bulk", self.ess_bulk, self.ess_bulk_of),
            ("tail", self.ess_tail, self.ess_tail_of),
        ):
            if not size >= SMALLEST_ESS:
                lines.append(f"{name} ESS {size:.0f} of {where} is below {SMALLEST_ESS:.0f}: take more draws.")
        if self.divergences > LARGEST_DIVERGING_SHARE * self.chains * self.draws:
            lines.append(f"{self.divergences} divergences: raise the target acceptance.")
        return tuple(lines)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def lines(self) -> tuple[str, ...]:
        """The figures and what is wrong with them, for printing."""
        figures = (
            f"{self.chains} chains of {self.draws} draws: R-hat at most {self.rhat:.3f} ({self.rhat_of}), "
            f"ESS at least {self.ess_bulk:.0f} in the middle ({self.ess_bulk_of}) "
            f"and {self.ess_tail:.0f} in the tails ({self.ess_tail_of}), {self.divergences} divergences"
        )
        return (figures, *self.faults)


def diagnose(fit: xr.DataTree) -> Diagnostics:
    """Check the chains of a fit.

    R-hat is the rank-normalised split R-hat; sizes are those of rank-normalised chains and of the 5 and 95 %
    quantiles (Vehtari et al. 2021). What has no spread at all by construction is left out.
    """
    import arviz as az

    posterior = group(fit, "posterior")
    spread = [name for name, values in posterior.data_vars.items() if float(values.max() - values.min()) > 0]
    posterior = posterior[spread]
    rhat, rhat_of = _extreme(az.rhat(posterior), largest=True)
    ess_bulk, ess_bulk_of = _extreme(az.ess(posterior, method="bulk"), largest=False)
    ess_tail, ess_tail_of = _extreme(az.ess(posterior, method="tail"), largest=False)
    return Diagnostics(
        chains=posterior.sizes["chain"],
        draws=posterior.sizes["draw"],
        rhat=rhat,
        rhat_of=rhat_of,
        ess_bulk=ess_bulk,
        ess_bulk_of=ess_bulk_of,
        ess_tail=ess_tail,
        ess_tail_of=ess_tail_of,
        divergences=int(group(fit, "sample_stats")["diverging"].sum()),
    )


def _extreme(figures: xr.Dataset, *, largest: bool) -> tuple[float, str]:
    """Find the worst figure and the name of its unknown; one that is not a number is the worst."""
    worst: tuple[float, str] | None = None
    for name, values in figures.data_vars.items():
        flat = np.ravel(values.values)
        position = int(np.argmax(flat) if largest else np.argmin(flat))  # both give the first NaN, if any
        found = float(flat[position])
        index = np.unravel_index(position, values.shape)
        labels = [f"{values[dim].values[i]:g}" for dim, i in zip(values.dims, index, strict=True)]
        label = f"{name}[{', '.join(labels)}]" if labels else str(name)
        if worst is None or np.isnan(found) or (found > worst[0] if largest else found < worst[0]):
            worst = found, label
        if np.isnan(found):
            break
    return worst if worst is not None else (float("nan"), "nothing")


@dataclass(frozen=True, slots=True)
class RateCheck:
    """Compare the growth of compute with and without one domain of runs, at one origin; in OOM/year."""

    origin: int
    left_out: str
    rate: float
    rate_without: float

    @property
    def passed(self) -> bool:
        """Whether the rates agree within 0.1 OOM/year: half an OOM in five years."""
        return abs(self.rate - self.rate_without) <= LARGEST_RATE_GAP

    @property
    def line(self) -> str:
        """The comparison in words."""
        text = (
            f"compute up to {self.origin} grew by {self.rate:.2f} OOM/year, without {self.left_out} by "
            f"{self.rate_without:.2f}"
        )
        if self.passed:
            return text
        return f"{text}: the forecast rests on {self.left_out}; a revision of these runs would overturn it"


def check_rate(observations: Observations, *, without: Observations, left_out: str, origin: int) -> RateCheck:
    """Compare the slope of log compute over time with and without one domain of runs.

    A jump that is later defined away looks like growth and no residual shows it; the rate without the domain does.
    """
    rate, rate_without = (_slope(each, origin=origin) for each in (observations, without))
    return RateCheck(origin, left_out, rate, rate_without)


def _slope(observations: Observations, *, origin: int) -> float:
    known = known_at(observations, origin=origin).run
    slope, _ = np.polyfit(observations.run_year[known], observations.run_log_compute[known], 1)
    return float(slope)
