"""A scenario as it stands, run from a past record on: its growth, caps and constraints, with their dates.

The years begin at the end of the origin; levels outside the drivers keep the dates at which they were stated, and so
do regimes. Only the starts of the drivers are set anew, from what was known at the origin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.dates import read_year
from simulator.engine.simulation import simulate
from simulator.errors import InputError, Path, dotted
from simulator.history.beliefs import history_priors, plain_family
from simulator.history.columns import fit_date, last_day
from simulator.history.forecast import RecordForecast
from simulator.history.learning import learnt_from, learnt_priors
from simulator.history.model import HistoryPriors
from simulator.history.observations import Observations, known_at
from simulator.model.growth import table_growth
from simulator.priors.families import Fixed
from simulator.priors.joint import NamedPrior, named_prior
from simulator.runs.groups import group
from simulator.scenario.differences import bare_data
from simulator.scenario.documents import Document
from simulator.scenario.layers import entries_in
from simulator.scenario.library import library_prior, load_library, shipped_names
from simulator.scenario.resolving import Component, Scenario, resolve
from simulator.schema.amounts import table_in_numbers
from simulator.schema.prior_names import DRIVER_UNITS, Slot
from simulator.units import parse_unit

if TYPE_CHECKING:
    import xarray as xr

FOLDER: Final[str] = "period"
RECORD_ERROR: Final[float] = 0.2
"""OOM by which the compute of the record is uncertain where a forecast starts from it."""


def period_growth(origin: int) -> dict[str, NamedPrior]:
    """Find the newest priors on the growth of compute that were known at the end of a year, by their references.

    Those of the newest file of `priors/period/` up to that year that has any: entries whose name ends in `compute`
    and whose `as_of` is not later. On the internal scale, OOM/year.
    """
    files = [name for name in shipped_names("priors") if name.startswith(f"{FOLDER}/")]
    known = sorted((name for name in files if int(name.split("/")[1]) <= origin), reverse=True)
    for file in known:
        entries = [f"{file}/{key}" for key in load_library(file).data["priors"] if key.split("-")[-1] == "compute"]
        priors = {entry: library_prior(entry) for entry in entries}
        found = {
            entry: named_prior(Slot((entry,), prior, "rate"))
            for entry, prior in priors.items()
            if last_day(str(prior.as_of), entry="as_of").year <= origin
        }
        if found:
            return found
    raise InputError(
        f"origin {origin}: no prior on the growth of compute that was known by then is shipped; "
        f"the first is of {first_period()}. Take a later origin."
    )


def first_period() -> int:
    """Give the first year of which priors of the period are shipped."""
    return min(int(name.split("/")[1]) for name in shipped_names("priors") if name.startswith(f"{FOLDER}/"))


def forecast_period(observations: Observations, *, origin: int, last_year: int, size: int, seed: int) -> RecordForecast:
    """Forecast the record by the growth that had been published at the origin, and nothing else.

    record(target) = record + 0.2 z + rate h, with h years ahead, z standard normal, and the rate drawn from one of
    the newest priors of the period, each as likely as the next.
    """
    growth = period_growth(origin).values()
    rng = np.random.default_rng([seed, origin, 5])
    record = known_at(observations, origin + 1.0).record + RECORD_ERROR * rng.standard_normal(size)
    chosen = rng.integers(len(growth), size=size)
    uniforms = rng.random(size)
    rates = np.stack([prior.family.ppf(uniforms) for prior in growth])[chosen, np.arange(size)]
    years = tuple(range(origin + 1, last_year + 1))
    return RecordForecast(origin, years, np.stack([record + rates * (year - origin) for year in years]))


RECENT: Final[float] = 2.0
"""Years before the origin whose costs tell the FLOP per USD at the origin."""


@dataclass(frozen=True, slots=True)
class Start:
    """Hold what was known at the end of a year: the record (log10 FLOP) and FLOP per USD (log10; NaN: unknown)."""

    origin: int
    record: float
    efficiency: float


def start_at(observations: Observations, *, origin: int) -> Start:
    """Read the record and the FLOP per USD of frontier runs off what was known at the end of a year.

    FLOP per USD is the median over the runs of the last two years with a cost, or over all where there is none.
    """
    known = known_at(observations, origin + 1.0)
    ratios = observations.run_log_compute - observations.cost_log_usd
    recent = known.cost & (observations.run_year >= origin + 1 - RECENT)
    chosen = ratios[recent if recent.any() else known.cost]
    return Start(origin, known.record, float(np.median(chosen)) if chosen.size else float("nan"))


def forecast_scenario(
    scenario: Scenario, observations: Observations, *, origin: int, last_year: int, size: int
) -> RecordForecast:
    """Forecast the record by a scenario's physical compute, from the record at the end of a year on."""
    start = start_at(observations, origin=origin)
    parts = []
    for component in scenario.components:
        moved = scenario_at(component, start, last_year=last_year, size=max(1, round(component.weight * size)))
        levels = group(simulate(moved), "trajectories")["physical_compute"]
        parts.append(levels.sel(year=[year + 1.0 for year in range(origin + 1, last_year + 1)]).values.T)
    samples = np.concatenate(parts, axis=1).astype(np.float64)
    return RecordForecast(origin, tuple(range(origin + 1, last_year + 1)), samples)


def forecast_learned(scenario: Scenario, fit: xr.DataTree, *, last_year: int, size: int) -> RecordForecast:
    """Forecast the record as a scenario would have been run that had learnt from what a fit knows, at its date."""
    history = scenario.spec.history
    if history is None:
        raise InputError(f"{scenario.spec.name}: names no history to learn from. Take a scenario such as learned.")
    (component,), origin = scenario.components, int(fit_date(fit.attrs)) - 1
    data = _moved(component, origin, last_year=last_year, size=size)
    data["history"] = scenario.data["history"]
    kept = _free_correlations(component, resolve(Document(data, {})))
    learnt, _ = learnt_from(resolve(Document({**data, "correlations": kept}, {})), history, fit)
    levels = group(simulate(resolve(Document(learnt, {}))), "trajectories")["physical_compute"]
    years = tuple(range(origin + 1, last_year + 1))
    return RecordForecast(origin, years, levels.sel(year=[year + 1.0 for year in years]).values.T.astype(np.float64))


def scenario_at(component: Component, start: Start, *, last_year: int, size: int) -> Scenario:
    """Move one component of a scenario to the end of a past year."""
    data = _moved(component, start.origin, last_year=last_year, size=size)
    data.pop("history", None)
    _set_starts(data, component, start)
    moved = resolve(Document(data, {}))
    kept = _free_correlations(component, moved)
    return resolve(Document({**data, "correlations": kept}, {})) if kept else moved


def _free_correlations(component: Component, moved: Scenario) -> list[dict[str, Any]]:
    """List the correlations of priors that are uncertain still."""
    free = set(moved.joint.uncertain)
    return [
        each.model_dump(mode="json", exclude_none=True)
        for each in component.spec.correlations
        if free.issuperset(each.between)
    ]


def _moved(component: Component, origin: int, *, last_year: int, size: int) -> dict[str, Any]:
    """Write what a component says, with the end of a past year as its first date, and without its correlations."""
    stated: dict[str, Any] = component.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    data: dict[str, Any] = bare_data(
        stated, without=("prior",)
    )  # the numbers of library entries stand beside their names
    first = float(component.spec.years.first)
    data |= {
        "years": {"first": origin + 1.0, "last": last_year + 1.0, "step": "year"},
        "samples": size,
        "correlations": [],
        "thresholds": {},
    }
    for key in ("capability", "history", "models"):  # what the record does not need; it stands as it was stated
        data.pop(key, None)
    for path, level in _dated_levels(data):
        _keep_date(level, path, first=first, name=component.name, origin=origin)
    return data


_OF_LEVELS: Final[frozenset[str]] = frozenset({"start", "growth", "drift", "accumulation"})


def _dated_levels(data: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """List the growing levels and stocks outside the drivers' own."""
    for key in ("quantities", "stocks", "allocation", "constraints", "drivers"):
        for path, level in entries_in(data.get(key, {}), (key,)):
            in_cap = "caps" in (*path[2:3], *path[4:5])  # of a driver, or of one of its factors
            if isinstance(level, dict) and level.keys() & _OF_LEVELS and (in_cap or key != "drivers"):
                yield path, level


def _keep_date(level: dict[str, Any], path: Path, *, first: float, name: str, origin: int) -> None:
    level.setdefault("at", first)
    if level.keys() & {"accumulation", "purchases"} and level["at"] > origin + 1:
        raise InputError(
            f"{name}: {dotted(path)}: is a stock that is known from {level['at']:g} on; a forecast from the end of "
            f"{origin} needs it earlier. Take the limit out in a file that extends the scenario."
        )


def _set_starts(data: dict[str, Any], component: Component, start: Start) -> None:
    """Set the starts of the drivers so that physical compute is the record at the end of the origin."""
    if missing := component.spec.drivers.missing:
        raise InputError(
            f"{component.name}: has no {' and no '.join(missing)}, and a hindcast asks about the compute of the "
            "record. Ask a scenario with spending and hardware, or with compute."
        )
    drivers = data["drivers"]
    if "compute" in drivers:
        levels = {"compute": (start.record, RECORD_ERROR)}
    elif np.isfinite(start.efficiency):
        levels = {"spending": (start.record - start.efficiency, RECORD_ERROR), "hardware": (start.efficiency, 0.0)}
    else:
        raise InputError(
            f"{component.name}: no cost of a run is known by the end of {start.origin}, so that spending cannot be "
            "told from hardware. Take a later origin, or a scenario that states compute as a whole."
        )
    for name, (level, sd) in levels.items():
        _set_start(drivers[name], ("drivers", name), component, start, level=level, sd=sd)


def _set_start(
    driver: dict[str, Any], path: Path, component: Component, start: Start, *, level: float, sd: float
) -> None:
    """Set the level of a driver at the start: of the first factor that has a start; the others keep their medians."""
    factors: dict[Path, dict[str, Any]] = {
        (*path, "factors", name): factor for name, factor in driver.get("factors", {}).items()
    } or {path: driver}
    for at, factor in factors.items():
        if "custom" in factor:
            raise InputError(
                f"{component.name}: {dotted(at)}: is computed by Python code, which a hindcast does not have. "
                "Take a scenario whose drivers are written in its file."
            )
    for factor in factors.values():
        factor.pop("at", None)  # what it says of a start holds at the origin now
    stated = {at: factor for at, factor in factors.items() if "start" in factor}
    tables = {at: factor for at, factor in factors.items() if "table" in factor}
    # A driver that states no start has a table: a scenario without either has no level and is refused.
    carrier = next(iter([*stated, *tables]))
    rest = level - sum(_fix(factor, at, component) for at, factor in stated.items() if at != carrier)
    rest -= sum(_in_table(factor, at, component, start) for at, factor in tables.items() if at != carrier)
    if carrier in stated:
        unit = DRIVER_UNITS[str(path[-1])] if len(factors) == 1 else _unit_of((*carrier, "start"), component)
        stated[carrier]["start"] = _level_prior(rest, sd=sd, unit=unit)
    else:
        table = tables[carrier]
        shift = rest - _in_table(table, carrier, component, start)
        table["table"] = {year: value * 10.0**shift for year, value in table["table"].items()}


def _fix(factor: dict[str, Any], at: Path, component: Component) -> float:
    """Hold a factor's start at its median, and give that (log10)."""
    name = (*at, "start")
    level = float(component.joint.priors[dotted(name)].family.ppf(np.array([0.5]))[0])
    factor["start"] = _level_prior(level, sd=0.0, unit=_unit_of(name, component))
    return level


def _unit_of(name: Path, component: Component) -> str:
    return component.joint.priors[dotted(name)].unit.removeprefix("log10(").removesuffix(")")


def _level_prior(level: float, *, sd: float, unit: str) -> dict[str, Any]:
    if sd == 0:
        return {"value": 10.0**level, "unit": unit}
    half = 1.6448536269514722 * sd
    return {"family": "lognormal", "interval_90": [10.0 ** (level - half), 10.0 ** (level + half)], "unit": unit}


def _in_table(factor: Mapping[str, Any], at: Path, component: Component, start: Start) -> float:
    """Read a table at the end of the origin, log10 of base units."""
    factor, _ = table_in_numbers(factor)
    known = sorted((read_year(year), float(value)) for year, value in factor["table"].items())
    year = start.origin + 1.0
    if not known[0][0] <= year <= known[-1][0]:
        raise InputError(
            f"{component.name}: {dotted(at)}.table: covers {known[0][0]:g} to {known[-1][0]:g}, and not {year:g}, the "
            "end of the origin. Nothing is extrapolated: add the years that are missing."
        )
    scale = float(np.log10(parse_unit(factor.get("unit", "1")).scale))
    levels = [float(np.log10(value)) + scale for _, value in known]
    return float(table_growth(np.array([year]), table_years=[year for year, _ in known], table_levels=levels)[0])


def growth_priors(scenario: Scenario) -> HistoryPriors | None:
    """Take the priors on historical growth from a scenario, for the model of history.

    Those of the drivers that learn, where it names a history; else those of the first regime of spending and of
    hardware efficiency, OOM/year; None where one of them is no single level that grows by regimes, or where the
    scenario mixes several.
    """
    if len(scenario.components) > 1:
        return None
    if scenario.spec.history is not None:
        return learnt_priors(scenario)
    drivers, priors = scenario.spec.drivers, scenario.joint.priors
    found = []
    for name, driver in (("spending", drivers.spending), ("hardware", drivers.hardware)):
        if driver is None or driver.growth is None:
            return None
        path: Path = ("drivers", name, "growth")
        prior = priors.get(dotted((*path, 0, "rate") if isinstance(driver.growth, tuple) else path))
        if prior is None:  # the mean of others, or what a quantity tells
            return None
        found.append(plain_family(prior))
    if any(isinstance(family, Fixed) for family in found):
        return None
    return history_priors(spending=found[0], efficiency=found[1])
