"""Forecasts from a fit of history: the trends go on, runs come out at random, and the record is the largest so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simulator.errors import InputError
from simulator.history.columns import fit_date, known_words
from simulator.history.observations import Array
from simulator.runs.groups import group

_STEPS = ("spending", "efficiency")


@dataclass(frozen=True, slots=True, eq=False)
class RecordForecast:
    """Forecasts of the largest known run at the ends of several years, from what was known at the end of `origin`."""

    origin: int
    years: tuple[int, ...]
    samples: Array  # (year, sample), log10 FLOP; never falls from one year to the next within a sample


def forecast_trend(fit: xr.DataTree, *, until: float, seed: int, at: Sequence[float] = ()) -> xr.Dataset:
    """Continue spending, efficiency and compute of a typical frontier run after the date to which the data go.

    level(t + d) = level(t) + growth d + volatility sqrt(d) z for spending (log10 USD) and efficiency (log10
    FLOP/USD), with z standard normal; compute (log10 FLOP) is their sum. All over (sample, year), one sample for every
    posterior draw; `year` is decimal: the date of the data, the ends of years after it, dates `at` which more is asked,
    and `until`. A later `until` gives the same draws at the ends of years that both have.
    """
    draws, times = _draws(fit), forecast_times(fit_date(fit.attrs), until, at)
    start = draws.interp(year=times[0]) if times[0] % 1 else draws.sel(year=times[0])
    streams = np.random.default_rng([seed, 2]).spawn(times.size - 1)
    paths = {name: [start[name].values] for name in _STEPS}
    for rng, step in zip(streams, np.diff(times), strict=True):
        for name in _STEPS:
            growth, volatility = draws[f"{name}_growth"].values, draws[f"{name}_volatility"].values
            shock = volatility * np.sqrt(step) * rng.standard_normal(growth.size)
            paths[name].append(paths[name][-1] + growth * step + shock)
    levels = {name: np.stack(path, axis=1) for name, path in paths.items()}
    levels["compute"] = levels["spending"] + levels["efficiency"]
    return xr.Dataset(
        {name: (("sample", "year"), values) for name, values in levels.items()},
        coords={"sample": np.arange(draws.sizes["sample"]), "year": times},
    )


def forecast_times(start: float, until: float, at: Sequence[float] = ()) -> Array:
    """List the times of a forecast: its start, the ends of years after it, what is asked between, its end."""
    if until <= start:
        raise InputError(
            f"until: must be after {known_words(start)}, to which the data of this fit go; got {known_words(until)}. "
            "Name a later date, or fit an earlier one."
        )
    return np.unique([start, *np.arange(np.floor(start) + 1.0, until), *at, until])


def forecast_records(
    fit: xr.DataTree, *, until: float, seed: int, at: Sequence[float] = (), error: float = 0.0
) -> xr.DataArray:
    """Forecast the largest known run after the date to which the data go, one sample for every posterior draw.

    In a time of d years Poisson(rate d) frontier runs come out at uniform times, rate ~ Gamma(runs so far + 1/2, years
    so far); each has the trend's compute at its time plus run_scatter x Normal: the heavy tail of the fit stands for
    estimates that are off, not for ability. The record is the running maximum, from the last known record on, which is
    known with a normal error (OOM). Over (year, sample), log10 FLOP, at the ends of years, `at` the dates asked and at
    `until`.
    """
    # One stream for the rate and one for each year: a later end changes no earlier year.
    trend = forecast_trend(fit, until=until, seed=seed, at=at)["compute"]
    draws, times = _draws(fit), trend["year"].values
    first, *streams = np.random.default_rng([seed, 3]).spawn(times.size)
    rate, scatter = _rate(fit, trend.shape[0], first), draws["run_scatter"].values
    level = float(fit.attrs["record"]) + error * np.random.default_rng([seed, 5]).standard_normal(trend.shape[0])
    records, steps = [], zip(trend.values.T[:-1], trend.values.T[1:], np.diff(times), streams, strict=True)
    for start, end, step, rng in steps:
        level = np.maximum(level, largest_run(start, end, rate=rate * step, scatter=scatter, rng=rng))
        records.append(level)
    return xr.DataArray(np.stack(records), dims=("year", "sample"), coords={"year": times[1:]})


def largest_of_last_year(fit: xr.DataTree, *, seed: int) -> Array:
    """Draw the largest of the runs of the year up to the date of the data, one sample for every posterior draw.

    They are as many and as far about the trend as those of `forecast_records`; where none came, it is the trend.
    """
    draws, rng = _draws(fit), np.random.default_rng([seed, 6])
    end = draws["compute"].interp(year=fit_date(fit.attrs)).values
    start = end - draws["spending_growth"].values - draws["efficiency_growth"].values
    largest = largest_run(start, end, rate=_rate(fit, end.size, rng), scatter=draws["run_scatter"].values, rng=rng)
    return np.where(np.isfinite(largest), largest, end)


def _rate(fit: xr.DataTree, size: int, rng: np.random.Generator) -> Array:
    """Draw how many frontier runs come out in a year."""
    years = fit_date(fit.attrs) - int(fit.attrs["first_year"])
    return np.asarray(rng.gamma(float(fit.attrs["runs"]) + 0.5, 1.0 / years, size))


def forecast_largest(
    fit: xr.DataTree, *, until: float, seed: int, at: Sequence[float] = (), error: float = 0.0
) -> xr.Dataset:
    """Forecast the largest run with its spending (log10 USD) and FLOP per USD: see `forecast_records`, `spending_of`.

    Over (year, sample); names are those of a run: `physical_compute`, `spending`, `hardware`.
    """
    records = forecast_records(fit, until=until, seed=seed, at=at, error=error)
    trend = forecast_trend(fit, until=until, seed=seed, at=at).sel(year=records["year"]).transpose("year", "sample")
    spending = spending_of(records.values, trend, _draws(fit)["cost_slope"].values)
    values = {"physical_compute": records.values, "spending": spending, "hardware": records.values - spending}
    return xr.Dataset({name: (records.dims, each) for name, each in values.items()}, coords=records.coords)


def spending_of(record: Array, trend: xr.Dataset, slope: Array) -> Array:
    """Tell the spending on a run from its compute R and the trend, log10: spending + slope (R - compute)."""
    return np.asarray(trend["spending"].values + slope * (record - trend["compute"].values))


def forecast_record(fit: xr.DataTree, *, last_year: int, seed: int) -> RecordForecast:
    """Forecast the largest known run at the end of each year to the last; see `forecast_records`."""
    found = forecast_records(fit, until=last_year + 1.0, seed=seed)
    years = tuple(int(year) - 1 for year in found["year"].values)
    return RecordForecast(years[0] - 1, years, found.values)


def largest_run(start: Array, end: Array, *, rate: Array, scatter: Array, rng: np.random.Generator) -> Array:
    """Draw the largest run of a time, in which so many come out on average, (sample,); -inf where none does."""
    count = rng.poisson(rate)
    shape = (rate.size, int(count.max(initial=0)))
    times = rng.random(shape)
    runs = start[:, None] + (end - start)[:, None] * times + scatter[:, None] * rng.standard_normal(shape)
    exists = np.arange(shape[1]) < count[:, None]
    return np.asarray(np.max(runs, axis=1, where=exists, initial=-np.inf))


def _draws(fit: xr.DataTree) -> xr.Dataset:
    """Give the posterior draws of all chains along one dimension."""
    posterior = group(fit, "posterior")
    stacked = posterior.stack(sample=("chain", "draw"), create_index=False)
    return stacked.drop_vars(["chain", "draw"], errors="ignore").transpose("sample", ...)
