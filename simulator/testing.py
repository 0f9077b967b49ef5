"""Public assertions about runs, and Hypothesis strategies for small scenarios.

For tests alone: nothing else imports it, and Hypothesis is needed to use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.engine.simulation import simulate
from simulator.scenario.load import parse_scenario
from simulator.schema.choices import DESIGNS, LAWS

if TYPE_CHECKING:
    import xarray as xr

ROUNDING = 1e-5
"""OOM by which a level kept in float32 may miss an identity between levels."""

_DELAYS = st.sampled_from(["6 months", "1 year", "3 years"])

type Data = dict[str, Any]
"""A scenario as plain data, as a file would say it."""

_ATTRIBUTES = ("run_format", "run_id", "name", "scenario", "scenario_hash", "seed", "samples", "keep", "warnings")


def assert_valid_run(run: xr.DataTree) -> None:
    """Assert that a run has the form and obeys the laws that analysis and charts rely on.

    Attributes are strings and numbers; levels are finite, in units that are said; quantiles rise with their level;
    probabilities of having crossed never fall and add up with "never" to 1; caps never raise; effective compute is
    physical compute times algorithmic efficiency.
    """
    for key in _ATTRIBUTES:
        _require(key in run.attrs, f"the run has no attribute {key}")
    for node in run.subtree:
        described = {"": node.attrs} | {str(name): values.attrs for name, values in node.variables.items()}
        for where, attributes in described.items():
            for key, value in attributes.items():
                plain = isinstance(value, str | int | float | np.number | np.ndarray)
                _require(plain, f"{node.path}/{where}: attribute {key} is {type(value).__name__}")
    summary = run.children["summary"].to_dataset()
    _check_summary(summary)
    if run.attrs["keep"] == "trajectories":
        samples = int(run.attrs["samples"])
        for name in ("parameters", "trajectories"):
            _require(run.children[name].sizes["sample"] == samples, f"{name}: not {samples} samples")
        trajectories = run.children["trajectories"].to_dataset()
        _check_trajectories(trajectories)
        if "crossings" in run.children:
            _check_crossings(run.children["crossings"].to_dataset(), trajectories, summary)
        if "events" in run.children:
            dates = run.children["events"].to_dataset()["event_year"].values
            inside = (dates >= summary["year"].values[0]) & (dates <= summary["year"].values[-1])
            _require(np.all(inside | np.isposinf(dates)), "events/event_year: outside the years")


def _require(holds: object, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _check_summary(summary: xr.Dataset) -> None:
    _require(np.all(np.diff(summary["year"].values) > 0), "summary: the years do not rise")
    _require(np.all(np.diff(summary["quantile"].values) > 0), "summary: the quantile levels do not rise")
    for name, values in summary.data_vars.items():
        _require("units" in values.attrs and "long_name" in values.attrs, f"summary/{name}: no unit or long name")
        numbers = values.values
        if str(name).endswith("_error"):
            _require(not np.any(numbers < 0), f"summary/{name}: a standard error below 0")
            continue
        _require(not np.isnan(numbers).any(), f"summary/{name}: NaN")
        if "quantile" in values.dims:
            with np.errstate(invalid="ignore"):
                steps = np.diff(numbers, axis=values.dims.index("quantile"))
            _require(not np.any(steps < -1e-9), f"summary/{name}: quantiles fall as their level rises")
        elif not str(name).endswith("_mean"):
            _require(np.all((numbers >= 0) & (numbers <= 1)), f"summary/{name}: not a probability")
    if "crossed" in summary:
        crossed = summary["crossed"].values
        _require(np.all(np.diff(crossed, axis=1) >= 0), "summary/crossed: falls with time")
        total = crossed[:, -1] + summary["never"].values
        _require(np.allclose(total, 1.0, rtol=0, atol=1e-12), "summary: crossed and never do not add up to 1")
        _require(np.all(summary["already"].values <= crossed[:, 0]), "summary/already: more than crossed at the start")
    for name, values in summary.data_vars.items():
        if str(name).startswith("binding_") and str(name).endswith("_share"):
            _require(np.all(values.sum(axis=0) <= 1 + 1e-12), f"summary/{name}: the shares add up to more than 1")


def _check_trajectories(trajectories: xr.Dataset) -> None:
    for name, values in trajectories.data_vars.items():
        _require(values.dims == ("sample", "year"), f"trajectories/{name}: dimensions {values.dims}")
        _require("units" in values.attrs, f"trajectories/{name}: no unit")
        if name != "capability":  # +inf is no limit, or a level beyond 10^300
            _require(np.all(values.values > -np.inf), f"trajectories/{name}: not a level")
        if str(name).startswith("binding_"):
            codes = np.asarray(values.attrs["flag_values"])
            _require(np.isin(values.values, codes).all(), f"trajectories/{name}: a number that names no limit")
        if f"{name}_demanded" in trajectories:
            had, demanded = _numbers(trajectories, str(name)), _numbers(trajectories, f"{name}_demanded")
            above = np.subtract(had, demanded, where=had > demanded, out=np.zeros(had.shape)).max()
            _require(above <= 0, f"trajectories/{name}: above what growth demands by {above:.3g} OOM")
    factors = ["physical_compute", *(["algorithms"] if "algorithms" in trajectories else [])]
    if "effective_compute" in trajectories:
        _check_product(trajectories, factors, "effective_compute")
    if {"spending", "hardware", "physical_compute"} <= set(trajectories):
        _check_product(trajectories, ["spending", "hardware"], "physical_compute_demanded")


def _check_product(trajectories: xr.Dataset, factors: list[str], name: str) -> None:
    given = _numbers(trajectories, name)
    held = np.isfinite(given)
    product = np.sum([_numbers(trajectories, factor) for factor in factors], axis=0)[held]
    gap = np.abs(product - given[held]).max(initial=0.0)
    scale = max(1.0, float(np.abs(product).max(initial=0.0)) / 30)
    what = name.removesuffix("_demanded").replace("_", " ")
    _require(gap <= ROUNDING * scale, f"{what} misses its product by {gap:.3g} OOM")


def _numbers(dataset: xr.Dataset, name: str) -> NDArray[np.float64]:
    return np.asarray(dataset[name].values, dtype=np.float64)


def _check_crossings(crossings: xr.Dataset, trajectories: xr.Dataset, summary: xr.Dataset) -> None:
    years = trajectories["year"].values
    crossing, already = crossings["crossing_year"].values, crossings["already_above"].values
    _require(not np.isnan(crossing).any(), "crossings/crossing_year: NaN")
    finite = crossing[np.isfinite(crossing)]
    _require(np.all((finite >= years[0]) & (finite <= years[-1])), "crossings/crossing_year: outside the years")
    _require(not np.any(np.isneginf(crossing)), "crossings/crossing_year: -inf")
    _require(np.all(crossing[already == 1] == years[0]), "crossings/already_above: but not crossed at the start")
    share = np.stack([(crossing <= year).mean(axis=1) for year in years], axis=1)
    _require(np.allclose(share, summary["crossed"].values, atol=1e-12), "summary/crossed: not what the samples say")


def scenario_text(data: Mapping[str, Any]) -> str:
    """Write plain data as a text that `parse_scenario` reads."""
    return json.dumps(data)


def small_scenario(changes: Mapping[str, Any] | None = None) -> Data:
    """Make a small valid scenario as plain data: compute, 10^26 FLOP at first, growing by 0.5 OOM a year for ten years.

    `changes` say by dotted path what is to be otherwise; None removes an entry.
    """
    start = {"family": "lognormal", "median": 1e26, "interval_90": [2.5e25, 4e26], "unit": "FLOP"}
    growth = {"mean": 0.5, "sd": 0.1, "unit": "OOM/year"}
    data: Data = {
        "schema": 2,
        "name": "small",
        "years": {"first": 2025, "last": 2035},
        "samples": 512,
        "block": 256,
        "drivers": {"compute": {"start": start, "growth": growth}},
    }
    for path, value in (changes or {}).items():
        *above, last = path.split(".")
        entry = data
        for part in above:
            entry = entry.setdefault(part, {})
        if value is None:
            del entry[last]
        else:
            entry[last] = value
    return data


def run_of(data: Mapping[str, Any], *, keep: Literal["trajectories", "summary"] = "trajectories") -> xr.DataTree:
    """Run a scenario that is given as plain data."""
    return simulate(parse_scenario(scenario_text(data)), keep=keep)


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    """Draw the text of a small valid scenario: one block and a half, two to eight years."""
    return scenario_text(draw(scenario_data()))


@st.composite
def scenario_data(draw: st.DrawFn, *, feedback: bool = True, wide: bool = True) -> Data:
    """Draw a small valid scenario as plain data, for a test that changes it before it is read.

    With `feedback` a driver's growth may depend on effective compute; without `wide` every prior is a number.
    """
    first = draw(st.sampled_from([2025, 2025.25, 2025.7]))
    last = draw(st.integers(2027, 2033))
    priors = _Priors(wide=wide)
    algorithms: Data = {"growth": draw(priors.growth()), "caps": draw(_caps(priors, 1e1, 1e6, "1"))}
    drivers: Data = {**draw(_physical(priors)), "algorithms": algorithms}
    if feedback and draw(st.booleans()):
        multiplier = draw(priors.level(1.0, 3.0, ""))
        algorithms["feedback"] = [{"at": 1e26, "multiplier": 1.0}, {"at": 1e29, "multiplier": multiplier}]
    data: Data = {
        "schema": 2,
        "name": "drawn",
        "years": {"first": first, "last": last, "step": draw(st.sampled_from(["year", "year", "quarter"]))},
        "samples": draw(st.sampled_from([1, 256, 384])),
        "block": 256,
        "seed": draw(st.integers(0, 2**40)),
        "design": draw(st.sampled_from(tuple(DESIGNS.shipped))),
        "drivers": drivers,
        "quantities": {"site-power": {"start": draw(priors.level(1e8, 1e10, "W")), "growth": draw(priors.growth())}},
        "thresholds": draw(_thresholds(priors)),
    }
    if draw(st.booleans()):
        efficiency = draw(priors.level(1e17, 1e19, "FLOP/W"))
        data["constraints"] = {"power": {"limit": {"product": ["site-power", efficiency]}}}
    return data


class _Priors:
    """Strategies for priors, uncertain or fixed."""

    def __init__(self, *, wide: bool) -> None:
        self._wide = wide

    def level(self, low: float, high: float, unit: str) -> st.SearchStrategy[Data]:
        """A positive number between two others, log-uniform over scenarios, with a spread of its own."""

        def made(share: float, spread: float) -> Data:
            median = float(f"{10 ** (np.log10(low) + share * np.log10(high / low)):.6g}")
            wide = {"family": "lognormal", "median": median, "interval_90": [median / spread, median * spread]}
            return (wide if self._wide else {"value": median}) | ({"unit": unit} if unit else {})

        return st.builds(made, st.floats(0, 1), st.floats(1.05, 3.0))

    def rate(self) -> st.SearchStrategy[Data]:
        """A rate of growth, OOM/year."""

        def made(mean: float, sd: float) -> Data:
            mean, sd = round(mean, 4), round(sd, 4)
            return ({"mean": mean, "sd": sd} if self._wide else {"value": mean}) | {"unit": "OOM/year"}

        return st.builds(made, st.floats(-0.2, 1.0), st.floats(0.01, 0.3))

    def date(self) -> st.SearchStrategy[Any]:
        """A date within the years of a small scenario."""
        years = st.integers(2026, 2031)
        return years.map(lambda year: {"uniform": [year, year + 2]} if self._wide else year)

    def growth(self) -> st.SearchStrategy[Any]:
        """One rate, two regimes, or a rate that decays."""
        regimes = st.builds(lambda *parts: [{"rate": parts[0]}, {"from": parts[1], "rate": parts[2]}],
                            self.rate(), self.date(), self.rate())  # fmt: skip
        decay = st.builds(
            lambda rate, life: [{"rate": rate, "half_life": f"{life} years"}], self.rate(), st.integers(1, 9)
        )
        return st.one_of(self.rate(), regimes, decay)


def _caps(priors: _Priors, low: float, high: float, unit: str) -> st.SearchStrategy[Data]:
    kind = st.sampled_from(tuple(LAWS.shipped))
    cap = st.builds(lambda kind, limit: {"kind": kind, "limit": limit}, kind, priors.level(low, high, unit))
    return st.dictionaries(st.sampled_from(["narrow", "broad"]), cap, max_size=2)


@st.composite
def _physical(draw: st.DrawFn, priors: _Priors) -> Data:
    """Draw a compute driver, or spending and hardware in two factors."""
    if draw(st.booleans()):
        return {"compute": {"start": draw(priors.level(1e25, 1e27, "FLOP")), "growth": draw(priors.growth()),
                            "caps": draw(_caps(priors, 1e27, 1e31, "FLOP"))}}  # fmt: skip
    spending: Data = {"start": draw(priors.level(1e8, 1e9, "USD")), "growth": draw(priors.growth()),
                      "caps": draw(_caps(priors, 1e9, 1e12, "USD"))}  # fmt: skip
    if draw(st.booleans()):
        spending["drift"] = 0.05
    factors = {
        "price-performance": {"start": draw(priors.level(1e17, 1e18, "FLOP/USD")), "growth": draw(priors.growth())},
        "utilisation": {"growth": draw(priors.growth()), "caps": draw(_caps(priors, 2.0, 20.0, "1"))},
    }
    return {"spending": spending, "hardware": {"factors": factors}}


@st.composite
def _thresholds(draw: st.DrawFn, priors: _Priors) -> Data:
    """Draw thresholds: a level, a multiple of it and of the start, one with a delay."""
    level = draw(priors.level(1e25, 1e31, "FLOP"))
    return {
        "level": {"effective_compute": level},
        "multiple": {"multiple": draw(st.sampled_from([10, 1000.0])), "of": "level"},
        "of-start": {"multiple": draw(st.sampled_from([1, 100.0])), "of": "start", "quantity": "physical_compute"},
        "delayed": {"physical_compute": draw(priors.level(1e26, 1e29, "FLOP")), "delay": draw(_DELAYS)},
    }
