"""Runs of the published scenarios, once for all tests."""

from __future__ import annotations

from functools import cache

import xarray as xr

from simulator.hindcast.published import Published, Reproduced, load_published, read_result, run_published


@cache
def published(name: str) -> Published:
    return load_published(name)


@cache
def run_of(name: str, variant: str = "", overrides: tuple[str, ...] = ()) -> xr.DataTree:
    """Run a published scenario, once."""
    return run_published(published(name).scenario, variant=variant, overrides=overrides)


@cache
def results_of(name: str) -> tuple[Reproduced, ...]:
    """Read off its runs what each row of a file of published numbers is about."""
    return tuple(read_result(run_of(name, target.variant, target.set), target) for target in published(name).targets)
