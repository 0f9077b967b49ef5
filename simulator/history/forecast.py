"""Forecasts from a fit of history: the trends go on, runs come out at random, and the record is the largest so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from simulator.errors import InputError
from simulator.history.observations import Array
from simulator.runs.groups import group

_STEPS = ("spending", "efficiency")


@dataclass(frozen=True, slots=True, eq=False)
class RecordForecast:
    """Forecasts of the largest known run at the ends of several years, from what was known at the end of `origin`."""

    origin: int
    years: tuple[int, ...]
    samples: Array  # (year, sample), log10 FLOP; never falls from one year to the next within a sample


def forecast_trend(fit: xr.DataTree, *, last_year: int, seed: int) -> xr.Dataset:
    """Continue spending, efficiency and compute of a typical frontier run after the end of the data.

    level(t + 1) = level(t) + growth + volatility z for spending (log10 USD) and efficiency (log10 FLOP/USD), with z
    standard normal; compute (log10 FLOP) is their sum. All over (sample, year), one sample for every posterior draw;
    `year` is decimal, from the end of the origin (origin + 1.0) on. Another last year gives the same draws in the
    years that they share.
    """
    origin = int(fit.attrs["origin"])
    horizon = horizon_of(origin, last_year)
    draws = _draws(fit)
    start = draws.sel(year=origin + 1.0)
    streams = np.random.default_rng([seed, 2]).spawn(horizon)
    paths = {name: [start[name].values] for name in _STEPS}
    for rng in streams:
        for name in _STEPS:
            growth, volatility = draws[f"{name}_growth"].values, draws[f"{name}_volatility"].values
            paths[name].append(paths[name][-1] + growth + volatility * rng.standard_normal(growth.size))
    levels = {name: np.stack(path, axis=1) for name, path in paths.items()}
    levels["compute"] = levels["spending"] + levels["efficiency"]
    years = origin + 1.0 + np.arange(horizon + 1)
    return xr.Dataset(
        {name: (("sample", "year"), values) for name, values in levels.items()},
        coords={"sample": np.arange(draws.sizes["sample"]), "year": years},
    )


def forecast_record(fit: xr.DataTree, *, last_year: int, seed: int) -> RecordForecast:
    """Forecast the largest known run at the end of each year after the origin, one sample for every posterior draw.

    Each year Poisson(rate) frontier runs come out at uniform times, rate ~ Gamma(runs so far + 1/2, years so far);
    each has the trend's compute at its time plus run_scatter x StudentT(run_tail). The record is the running
    maximum, from the last known record on. Fewer years give the same draws in the years that they share.
    """
    origin, record = int(fit.attrs["origin"]), float(fit.attrs["record"])
    # One stream for the rate and one for each year: a later last year changes no earlier one.
    trend = forecast_trend(fit, last_year=last_year, seed=seed)["compute"].values
    draws = _draws(fit)
    years_so_far = origin + 1 - int(fit.attrs["first_year"])
    first, *streams = np.random.default_rng([seed, 3]).spawn(trend.shape[1])
    rate = np.asarray(first.gamma(float(fit.attrs["runs"]) + 0.5, 1.0 / years_so_far, trend.shape[0]))
    scatter, tail = draws["run_scatter"].values, draws["run_tail"].values
    level = np.full(trend.shape[0], record)
    records = []
    for start, end, rng in zip(trend.T[:-1], trend.T[1:], streams, strict=True):
        largest = _largest_run(start, end, rate=rate, scatter=scatter, tail=tail, rng=rng)
        level = np.maximum(level, largest)
        records.append(level)
    return RecordForecast(origin, tuple(range(origin + 1, last_year + 1)), np.stack(records))


def _largest_run(
    start: Array, end: Array, *, rate: Array, scatter: Array, tail: Array, rng: np.random.Generator
) -> Array:
    """Draw the largest of one year's runs; -inf where none comes out."""
    count = rng.poisson(rate)
    shape = (rate.size, int(count.max(initial=0)))
    times = rng.random(shape)
    runs = start[:, None] + (end - start)[:, None] * times + scatter[:, None] * rng.standard_t(tail[:, None], shape)
    exists = np.arange(shape[1]) < count[:, None]
    return np.asarray(np.max(runs, axis=1, where=exists, initial=-np.inf))


def _draws(fit: xr.DataTree) -> xr.Dataset:
    """Give the posterior draws of all chains along one dimension."""
    posterior = group(fit, "posterior")
    stacked = posterior.stack(sample=("chain", "draw"), create_index=False)
    return stacked.drop_vars(["chain", "draw"], errors="ignore").transpose("sample", ...)


def horizon_of(origin: int, last_year: int) -> int:
    """Count the years from an origin to the last that is forecast."""
    if last_year <= origin:
        raise InputError(
            f"last_year: must be after {origin}, the year at whose end the data of this fit end; got {last_year}. "
            "Name a later year, or fit an earlier origin."
        )
    return last_year - origin
