"""One change of a growth rate that is fitted to a series: its date and both rates, in PyMC.

The level is a broken line in log10, as the growth of a driver by two regimes is, and what is seen scatters about it:

    level(t) = start + F(t) - F(at)         F(t) = earlier min(t, change) + later max(t, change)
    value i  ~ StudentT(tail, level(t_i), scatter)

The date is sampled along with the rest, on a continuous scale. All values count alike, and as independent: what moves
neighbours together, such as one family of models, makes the intervals too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path as FilePath
from typing import Any, Final

import numpy as np
import xarray as xr
from scipy import stats

from simulator.history.beliefs import tail_prior
from simulator.history.columns import refusal
from simulator.history.fit import (
    SamplerSettings,
    draw_prior,
    exact_arithmetic,
    identity,
    made_how,
    read_fit,
    sampler_of,
    store_fit,
)
from simulator.history.model import FEWEST_FREEDOM
from simulator.history.observations import Array
from simulator.priors.composite import Truncated
from simulator.priors.families import Normal
from simulator.priors.twins import to_pymc
from simulator.runs.groups import group
from simulator.schema.prior_families import Distribution

FEWEST_VALUES: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A series: decimal years and log10 levels in a unit, the names of its rows, and where it is from."""

    year: Array  # (value,), in order
    log_level: Array  # (value,)
    names: tuple[str, ...]
    unit: str
    source: str
    of_runs: bool = False  # read from a table of training runs


@dataclass(frozen=True, slots=True)
class ChangePriors:
    """What is believed before: the level at the date `at` (log10), both rates (OOM/year) and when they change."""

    level_start: Distribution
    earlier_growth: Distribution
    change_date: Distribution
    later_growth: Distribution
    at: float
    scatter: float  # the scale of the half-normal prior of the scatter, OOM

    @property
    def families(self) -> dict[str, Distribution]:
        """The priors by the names of what they are of."""
        return {field.name: getattr(self, field.name) for field in fields(self)[:4]}

    @property
    def every(self) -> dict[str, Distribution]:
        """The priors of all unknowns by name."""
        of_scatter = {"run_scatter": Truncated(Normal(0.0, self.scatter), 0.0), "run_tail_excess": tail_prior()}
        return self.families | of_scatter


def check_values(seen: Values, change: Distribution) -> None:
    """Refuse a series that cannot tell two rates apart, whenever they changed."""
    early, late = (float(each) for each in change.ppf(np.array([0.05, 0.95])))
    sides = {"before": (seen.year < late).sum(), "after": (seen.year > early).sum()}
    if seen.year.size < FEWEST_VALUES:
        rule = f"has {seen.year.size} values; two rates and the date between need {FEWEST_VALUES}."
        raise refusal(seen.source, rule, "Add values.")
    for side, count in sides.items():
        if count < 2:
            dates = f"{seen.year[0]:.1f} to {seen.year[-1]:.1f}"
            rule = f"goes from {dates}, with {count} values {side} the change ({early:.1f} to {late:.1f} at 90 %)."
            raise refusal(seen.source, rule, "Both rates need values: bring a longer series, or move the date's prior.")


def build_change(seen: Values, priors: ChangePriors) -> Any:
    """Write the model in PyMC; its data `seen` may be set to other levels of the same dates."""
    import pymc as pm

    with pm.Model() as model:
        unknown = {name: to_pymc(name, family) for name, family in priors.families.items()}
        change = unknown["change_date"]
        scatter = pm.HalfNormal("run_scatter", sigma=priors.scatter)
        tail = pm.Deterministic("run_tail", FEWEST_FREEDOM + to_pymc("run_tail_excess", tail_prior()))
        earlier = pm.math.minimum(seen.year, change) - pm.math.minimum(priors.at, change)
        later = pm.math.maximum(seen.year, change) - pm.math.maximum(priors.at, change)
        level = unknown["level_start"] + unknown["earlier_growth"] * earlier + unknown["later_growth"] * later
        values = pm.Data("seen", seen.log_level)
        pm.Potential("values", pm.logp(pm.StudentT.dist(nu=tail, mu=level, sigma=scatter), values).sum())
    return model


def broken_line(draws: xr.Dataset, years: Array, *, at: float) -> Array:
    """Compute the level at some years at each draw, (chain, draw, year), log10.

    Examples
    --------
    >>> one = {"level_start": 12.0, "earlier_growth": 0.1, "change_date": 2010.0, "later_growth": 0.5}
    >>> draws = xr.Dataset({name: (("chain", "draw"), [[value]]) for name, value in one.items()})
    >>> broken_line(draws, np.array([2000.0, 2020.0]), at=2010.0).tolist()
    [[[11.0, 17.0]]]
    """
    start, earlier, change, later = (
        draws[name].values[..., None] for name in ("level_start", "earlier_growth", "change_date", "later_growth")
    )
    before = np.minimum(years, change) - np.minimum(at, change)
    after = np.maximum(years, change) - np.maximum(at, change)
    return np.asarray(start + earlier * before + later * after)


def fit_change(
    seen: Values,
    priors: ChangePriors,
    *,
    snapshot: str,
    settings: SamplerSettings | None = None,
    cache: FilePath | None = None,
) -> xr.DataTree:
    """Fit the change to a series, or read the fit from the folder `cache`; its groups are those of `fit_history`."""
    settings = settings or SamplerSettings()
    bare = [seen.year.tobytes(), seen.log_level.tobytes()]
    rest = {"at": priors.at, "scatter": priors.scatter, "unit": seen.unit, "of": seen.source, "snapshot": snapshot}
    name = identity(bare, priors.families.values(), settings, sources=(__file__,), **rest)
    file = None if cache is None else cache / f"change-{name}.nc"
    if (stored := read_fit(file, settings)) is not None:
        return stored
    with exact_arithmetic():
        model = build_change(seen, priors)
        posterior, statistics = sampler_of(model, settings)({"seen": seen.log_level})
        prior = draw_prior(model, seed=settings.seed)
    years, ends = seen.year, (int(seen.year[0]), int(seen.year[-1]))
    about = {"fit": name, "snapshot": snapshot, "known_to": float(years[-1]), "first_year": ends[0], "runs": years.size}
    said = f"{years.size} values of {seen.source}, {ends[0]} to {ends[1]}"
    fit = {
        "/": xr.Dataset(attrs={**about, "seen": said, **made_how(settings)}),
        "prior": prior,
        "posterior": posterior,
        "log_prior": _log_prior(posterior, priors),
        "sample_stats": statistics,
        **_of_values(posterior, seen, at=priors.at, seed=settings.seed),
    }
    for each in ("prior", "posterior"):
        fit[each]["level_start"].attrs["units"] = f"log10({seen.unit})"
    tree = xr.DataTree.from_dict(fit)
    store_fit(tree, file)
    return tree


def _of_values(draws: xr.Dataset, seen: Values, *, at: float, seed: int) -> dict[str, xr.Dataset]:
    """Give what was seen, draw it anew at each draw of the unknowns, and give its log density, in single precision."""
    level = broken_line(draws, seen.year, at=at)
    tail, scatter = (draws[name].values[..., None] for name in ("run_tail", "run_scatter"))
    again = level + scatter * np.random.default_rng([seed, 1]).standard_t(tail, level.shape)
    density = stats.t.logpdf(seen.log_level, tail, level, scatter).astype(np.float32)
    # Compute of runs as in any history, or a series in a unit of its own.
    name = "run_log_compute" if seen.of_runs and seen.unit == "FLOP" else "series_log_level"
    dims = ("chain", "draw", "run")
    dated = {"run_year": ("run", seen.year), "run_name": ("run", np.array(seen.names, dtype=str))}
    coords = {dim: draws[dim] for dim in ("chain", "draw")}
    units = {"units": f"log10({seen.unit})"}
    return {
        "observed_data": xr.Dataset({name: ("run", seen.log_level, units)}, coords=dated),
        "posterior_predictive": xr.Dataset({name: (dims, again, units)}, coords=dated | coords),
        "log_likelihood": xr.Dataset({name: (dims, density)}, coords=coords),
    }


def _log_prior(draws: xr.Dataset, priors: ChangePriors) -> xr.Dataset:
    """Give the log density of the prior of each unknown at each draw; what is fixed has none."""
    found = {
        name: family.logpdf(draws[name].values)
        for name, family in priors.families.items()
        if float(draws[name].max() - draws[name].min()) > 0
    }
    found["run_scatter"] = stats.halfnorm.logpdf(draws["run_scatter"].values, scale=priors.scatter)
    excess = draws["run_tail_excess"].values
    found["run_tail_excess"] = tail_prior().logpdf(excess)
    dims = ("chain", "draw")
    return xr.Dataset({name: (dims, each) for name, each in found.items()}, coords={dim: draws[dim] for dim in dims})


def change_lines(fit: xr.DataTree) -> list[str]:
    """Say when growth changed, and the rates before and after, with their 90 % intervals."""
    ends = {
        name: np.quantile(group(fit, "posterior")[name].values, [0.05, 0.5, 0.95])
        for name in ("change_date", "earlier_growth", "later_growth")
    }
    low, middle, high = ends.pop("change_date")
    lines = [f"  growth changes in {middle:.1f} (90 % {low:.1f} to {high:.1f})"]
    for words, (low, middle, high) in zip(("before", "from then on"), ends.values(), strict=True):
        said = f"  {words}: {10**middle:.2f}x a year (90 % {10**low:.2f} to {10**high:.2f})"
        if low > 0.0:
            least, months, most = (12.0 * np.log10(2.0) / rate for rate in (high, middle, low))
            said += f", doubling in {months:.1f} months ({least:.1f} to {most:.1f})"
        lines.append(said)
    return lines
