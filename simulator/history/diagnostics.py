"""Whether a fit can be trusted: convergence of the chains, and what one domain of runs does to the rate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.history.columns import fit_date, known_words
from simulator.history.observations import Array, Observations, known_at
from simulator.runs.groups import group

if TYPE_CHECKING:
    import xarray as xr

LARGEST_RHAT: Final[float] = 1.01
SMALLEST_ESS: Final[float] = 400.0
LARGEST_DIVERGING_SHARE: Final[float] = 0.001
LARGEST_RATE_GAP: Final[float] = 0.1


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The worst figures of a fit over all its unknowns, with the unknown that has each."""

    chains: int
    draws: int  # of each chain after tuning
    rhat: float
    rhat_of: str
    ess_bulk: float  # effective sample size of the middle, and of the tails
    ess_bulk_of: str
    ess_tail: float
    ess_tail_of: str
    divergences: int  # steps that lost the energy: the posterior has a corner that the sampler does not enter

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


def seen_words(attributes: Mapping[Any, Any]) -> str:
    """Say what a fit with these attributes is of."""
    if said := attributes.get("seen"):
        return str(said)
    silent = f", {hidden} of them without FLOP," if (hidden := attributes.get("hidden_runs")) else ""
    return f"{attributes['runs']} frontier runs{silent} to {known_words(fit_date(attributes))}"


def diagnose(fit: xr.DataTree) -> Diagnostics:
    """Check the chains of a fit.

    R-hat is the rank-normalised split R-hat; sizes are those of rank-normalised chains and of the 5 and 95 %
    quantiles (Vehtari et al. 2021). What the priors fix is left out: an unknown, or a path in some of its years.
    """
    import arviz as az

    posterior, believed = (group(fit, name if name in fit.children else "posterior") for name in ("posterior", "prior"))
    fixed = {
        label
        for values in believed.data_vars.values()
        for label, drawn in elements(values, within=("chain", "draw"))
        if np.ptp(drawn) == 0
    }
    with np.errstate(invalid="ignore", divide="ignore"):  # of what is fixed
        figures = az.rhat(posterior), *(az.ess(posterior, method=method) for method in ("bulk", "tail"))
    rhat, bulk, tail = (_extreme(each, largest=place == 0, fixed=fixed) for place, each in enumerate(figures))
    return Diagnostics(
        posterior.sizes["chain"],
        posterior.sizes["draw"],
        *rhat,
        *bulk,
        *tail,
        divergences=int(group(fit, "sample_stats")["diverging"].sum()),
    )


def elements(values: xr.DataArray, *, within: Collection[str] = ()) -> Iterator[tuple[str, Array]]:
    """Give each element of an unknown with its label: its values over the dimensions `within`, in one row."""
    others = [dim for dim in values.dims if dim not in within]
    ordered = values.transpose(*others, ...)
    for index in np.ndindex(ordered.shape[: len(others)]):
        places = [f"{values[dim].values[i]:g}" for dim, i in zip(others, index, strict=True)]
        yield (
            f"{values.name}[{', '.join(places)}]" if places else str(values.name),
            np.ravel(ordered.values[index]).astype(np.float64),
        )


def _extreme(figures: xr.Dataset, *, largest: bool, fixed: Collection[str]) -> tuple[float, str]:
    """Find the worst figure and the name of its unknown; one that is not a number is the worst."""
    every = (each for values in figures.data_vars.values() for each in elements(values))
    found = [(value.item(), label) for label, value in every if label not in fixed]
    unknown = [each for each in found if np.isnan(each[0])]
    if unknown or not found:
        return unknown[0] if unknown else (float("nan"), "nothing")
    return (max if largest else min)(found, key=lambda each: each[0])


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
    known = known_at(observations, origin + 1.0).run
    slope, _ = np.polyfit(observations.run_year[known], observations.run_log_compute[known], 1)
    return float(slope)
