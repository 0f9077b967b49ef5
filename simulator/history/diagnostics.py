"""Whether a fit can be trusted: convergence of the chains, one domain of runs, the weight of prior and likelihood.

How far the posterior would move if prior or likelihood counted a little more is told without a new fit. The posterior
is proportional to prior(unknowns)^a x likelihood(unknowns)^b at a = b = 1. The draws of a fit are weighted by
prior^(a - 1) or likelihood^(b - 1) near 1, and the distance by which the distribution of an unknown moves per doubling
of the power is its sensitivity (Kallioinen, Paananen, Bürkner and Vehtari 2024, Statistics and Computing 34, 57). ArviZ
computes it from the densities that a fit holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr

from simulator.history.columns import fit_date, known_words
from simulator.history.observations import Array, Observations, known_at
from simulator.runs.groups import group
from simulator.wording import listed

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
        for name, size, where in (("bulk", self.ess_bulk, self.ess_bulk_of), ("tail", self.ess_tail, self.ess_tail_of)):
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
    divergences = int(group(fit, "sample_stats")["diverging"].sum())
    return Diagnostics(posterior.sizes["chain"], posterior.sizes["draw"], *rhat, *bulk, *tail, divergences)


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


SENSITIVE: Final[float] = 0.05
"""Cumulative Jensen-Shannon distance per doubling from which an unknown counts as sensitive (Kallioinen et al.)."""
RATES: Final[tuple[str, ...]] = ("spending_growth", "efficiency_growth", "compute_growth")
FEWEST_WEIGHTED: Final[float] = 100.0
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "runs": ("run_log_compute", "hidden_log_least"), "costs": ("cost_log_usd",),
    "accelerators": ("accelerator_log_flops_per_usd",),
}  # fmt: skip
_DRAWS: Final[tuple[str, str]] = ("chain", "draw")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Hold how sensitive one unknown is to the power of each part of the model.

    `prior` is of all priors together, `own_prior` of the unknown's own, `other_prior` the largest of any other single
    one and `other_prior_of` whose that is; `likelihood` is of all that was seen, `runs`, `costs` and `accelerators`
    of its parts. 0.05 and more count. `mean_own_prior_half` and `mean_own_prior_double` are what the posterior `mean`
    would be if its own prior counted half or twice; NaN where too few draws tell. `reading` says it in words.
    """

    unknown: str
    prior: float
    own_prior: float
    other_prior: float
    other_prior_of: str
    likelihood: float
    runs: float
    costs: float
    accelerators: float
    mean: float
    mean_own_prior_half: float
    mean_own_prior_double: float
    reading: str


def reading(
    *, own_prior: float, likelihood: float, other_prior: float, other_prior_of: str, parts: Mapping[str, float]
) -> str:
    """Say what the sensitivities of one unknown mean together; `parts` are those of the parts of the data."""
    moving = [f"{part} ({distance:.2f})" for part, distance in parts.items() if distance >= SENSITIVE]
    if own_prior >= SENSITIVE and likelihood >= SENSITIVE:
        said = "possible prior-data conflict: its prior and the data both move it, look at that prior again"
    elif own_prior >= SENSITIVE:
        said = "its prior dominates: the data say little of it"
    elif likelihood >= SENSITIVE:
        said = "the likelihood dominates: the data decide, its prior hardly matters"
    elif moving:
        verb = "move" if moving[1:] else "moves"
        said = f"not settled: {listed(moving)} {verb} it, and the rest of the data pulls it back"
    else:
        said = "settled: neither its prior nor the weight of the data moves it by much"
    if other_prior >= SENSITIVE:
        said += f"; the prior of {other_prior_of} moves it"
    return said


def sensitivities(fit: xr.DataTree) -> tuple[Sensitivity, ...]:
    """Measure how sensitive each unknown of a fit is to the power of its priors and of its data."""
    terms = {name: group(fit, name) for name in ("log_prior", "log_likelihood")}
    unknowns = _unknowns(group(fit, "posterior"), priors={str(name): None for name in terms["log_prior"].data_vars})
    tree = xr.DataTree.from_dict({"posterior": unknowns, **terms})
    each_prior = {str(name): _scaled(tree, "prior", [str(name)]) for name in terms["log_prior"].data_vars}
    told = terms["log_likelihood"].data_vars
    parts = {part: _scaled(tree, "likelihood", [name for name in of if name in told]) for part, of in _PARTS.items()}
    whole = {part: _scaled(tree, part) for part in ("prior", "likelihood")}
    both_rates = _scaled(tree, "prior", [name for name in RATES if name in each_prior] or None)
    rows = []
    for name in (str(each) for each in unknowns.data_vars):
        own = _own_priors(name, each_prior)
        others = {other: found[name] for other, found in each_prior.items() if other not in own}
        strongest = max(others, key=lambda other: others[other])
        log_own = sum((terms["log_prior"][each].values.ravel() for each in own), np.zeros(1))
        values = _flat(unknowns, name)
        of_parts: dict[str, Any] = {part: found[name] for part, found in parts.items()}
        said: dict[str, Any] = {
            "own_prior": (both_rates if name == "compute_growth" else each_prior[own[0]])[name],
            "other_prior": others[strongest],
            "other_prior_of": strongest.removesuffix("_excess"),
            "likelihood": whole["likelihood"][name],
        }
        rows.append(
            Sensitivity(
                name,
                prior=whole["prior"][name],
                **said,
                **of_parts,
                mean=float(values.mean()),
                mean_own_prior_half=_mean(values, -0.5 * log_own),
                mean_own_prior_double=_mean(values, log_own),
                reading=reading(**said, parts=of_parts),
            )
        )
    return tuple(rows)


def _own_priors(name: str, priors: Mapping[str, object]) -> list[str]:
    """Name the priors that stand for an unknown: that of the sum of both rates are both, of a tail its excess."""
    wanted = RATES if name == "compute_growth" else (name, f"{name}_excess")
    return [each for each in wanted if each in priors]


def _unknowns(posterior: xr.Dataset, *, priors: Mapping[str, object]) -> xr.Dataset:
    """Give the unknowns of one value that have a prior, rates first, with the growth of compute added."""
    found = {}
    if _own_priors("compute_growth", priors):
        found["compute_growth"] = posterior["spending_growth"] + posterior["efficiency_growth"]
    for name, values in posterior.data_vars.items():
        if set(values.dims) == set(_DRAWS) and not is_latent(str(name)) and _own_priors(str(name), priors):
            found[str(name)] = values
    ordered = [*(name for name in RATES if name in found), *(name for name in found if name not in RATES)]
    return xr.Dataset({name: found[name] for name in ordered})


def is_latent(name: str) -> bool:
    """Tell whether an unknown is a form from which another is made, whose value stands beside it."""
    return "__" in name or name.endswith("_excess")


def _scaled(tree: xr.DataTree, part: str, terms: Sequence[str] | None = None) -> Mapping[str, float]:
    """Raise some terms of a part to a power, and say how far each unknown moves."""
    import arviz as az

    found = az.psense(tree, group=part, group_var_names=terms)
    return {str(name): float(value) for name, value in found.data_vars.items()}


def _mean(values: Array, log_weights: Array) -> float:
    """Average draws by weights; NaN where the weights leave fewer than 100 effective draws."""
    weight = np.broadcast_to(np.exp(log_weights - log_weights.max()), values.shape)
    effective = weight.sum() ** 2 / (weight**2).sum()
    return float(np.average(values, weights=weight)) if effective >= FEWEST_WEIGHTED else float("nan")


def _flat(draws: xr.Dataset, name: str) -> Array:
    """Give draws of all chains in one row, other dimensions after it."""
    values = draws[name].transpose(*_DRAWS, ...).values
    return np.asarray(values.reshape(-1, *values.shape[2:]), dtype=np.float64)
