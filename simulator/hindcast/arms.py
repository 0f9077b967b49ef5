"""The arms of a hindcast: forecasts of the record that are made from each origin, and what each knew of what came.

Simple rules, the priors of the period, and scenarios as they stand, beside the forecasts that the tool itself makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from simulator.errors import Fault, InputError, Path, PlacedFault, dotted
from simulator.hindcast.baselines import BASELINES, draw_baseline
from simulator.hindcast.rows import Made
from simulator.hindcast.scenario_forecast import forecast_period, forecast_scenario, period_growth
from simulator.history.columns import last_day
from simulator.history.forecast import RecordForecast
from simulator.history.observations import Observations
from simulator.scenario.documents import Document
from simulator.scenario.layers import placed
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_names import DRIVER_UNITS, slots
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior

_IN_PHYSICAL_COMPUTE: Final[tuple[str, ...]] = ("spending", "hardware", "compute")


def hindsight(scenario: Scenario, *, origin: int) -> tuple[PlacedFault, ...]:
    """Find the priors of a scenario that knew what came after a year, by their `as_of`.

    Only what physical compute follows from counts: not the starts of the drivers, which are set anew, nor thresholds,
    nor algorithms where nothing feeds back. A prior that states no `as_of` cannot be told.
    """
    faults = []
    for number, component in enumerate(scenario.components):
        above: Path = ("mixture", number, "scenario") if len(scenario.components) > 1 else ()
        for path, prior in _used(component.spec):
            if prior.as_of is not None and last_day(prior.as_of, entry="as_of").year > origin:
                rule = f"knew of {prior.as_of}, after the origin {origin}."
                faults.append(Fault((*above, *path, "as_of"), rule))
    return placed(faults, Document(scenario.data, scenario.places)).faults if faults else ()


_PAST_GROWTH: Final = re.compile(r"drivers\.(spending|hardware)(\.factors\.[^.]+)?\.growth(\[0\]\.rate)?\.")


def growth_knew(scenario: Scenario, *, origin: int) -> bool:
    """Tell whether a prior on past growth, which enters the model of history, knew what came after a year."""
    return any(_PAST_GROWTH.match(fault.entry) for fault in hindsight(scenario, origin=origin))


def undated(scenario: Scenario) -> tuple[str, ...]:
    """List the priors that physical compute follows from and that do not say what they knew."""
    names = [
        dotted(path)
        for component in scenario.components
        for path, prior in _used(component.spec)
        if prior.as_of is None and not prior.mixture
    ]
    return tuple(dict.fromkeys(names))


def _used(spec: ScenarioSpec) -> Iterator[tuple[Path, Prior]]:
    drivers = [(name, getattr(spec.drivers, name)) for name in DRIVER_UNITS]
    feeds_back = any(driver is not None and driver.feedback for _, driver in drivers)
    counted = {*_IN_PHYSICAL_COMPUTE, *(["algorithms"] if feeds_back else [])}
    for slot in slots(spec):
        path, prior = slot.path, slot.prior if slot.prior.input is None else spec.inputs[slot.prior.input]
        is_start = path[0] == "drivers" and path[-1] == "start" and "caps" not in path
        is_shock = "shock" in path
        if path[0] in ("inputs", "thresholds", "capability") or is_start or is_shock:
            continue
        if path[0] == "drivers" and path[1] not in counted:
            continue
        yield path, prior
        for index, part in enumerate(prior.mixture or ()):
            yield (*path, "mixture", index), part


def knew_words(scenario: Scenario, origin: int) -> str:
    """Say which priors of a scenario knew what came after a year."""
    faults = hindsight(scenario, origin=origin)
    return "; ".join(f"{fault.entry.removesuffix('.as_of')} {fault.rule.partition(',')[0]}" for fault in faults)


def knows_nothing(_: int) -> str:
    """Say that nothing that came was known at an origin."""
    return ""


@dataclass(frozen=True, slots=True)
class Arm:
    """A way to forecast the record from the end of an origin to the last known year, and its name in the tables.

    `hindsight` says in words what it knew of what came after an origin; nothing where it knew nothing.
    """

    name: str
    forecast: Callable[[Observations, int], RecordForecast]
    hindsight: Callable[[int], str] = knows_nothing

    def made(self, observations: Observations, origin: int) -> Made:
        """Make its forecast at one origin."""
        return Made(self.name, self.forecast(observations, origin), hindsight=bool(self.hindsight(origin)))


PERIOD: Final[str] = "period priors"
RATE_KNEW: Final[str] = "its rate was measured on the years that it forecasts"


def rule_arms(*, size: int, seed: int) -> list[Arm]:
    """Give the simple rules."""
    knew: dict[str, Callable[[int], str]] = {"4x a year": lambda _: RATE_KNEW}
    return [
        Arm(name, partial(forecast_baseline, name, size=size, seed=seed), knew.get(name, knows_nothing))
        for name in BASELINES
    ]


def forecast_baseline(name: str, observations: Observations, origin: int, *, size: int, seed: int) -> RecordForecast:
    """Forecast the record by a baseline from the end of a year to the last known year."""
    known = observations.record_year <= origin
    targets = tuple(int(year) for year in observations.record_year[~known])
    years, record = observations.record_year[known], observations.record_log_compute[known]
    rng = np.random.default_rng([seed, origin, list(BASELINES).index(name)])
    samples = [draw_baseline(name, years=years, record=record, target=each, size=size, rng=rng) for each in targets]
    return RecordForecast(origin, targets, np.array(samples).reshape(len(targets), size))


def scenario_arms(scenarios: Sequence[Scenario], *, size: int, seed: int) -> list[Arm]:
    """Give the priors of the period, and scenarios as they stand."""
    names = [f"scenario {scenario.spec.name}" for scenario in scenarios]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"hindcast: two of the scenarios are '{twice}'. Give one of them another name in its file.")

    def period(seen: Observations, origin: int) -> RecordForecast:
        return forecast_period(seen, origin=origin, last_year=seen.years[1], size=size, seed=seed)

    def as_it_stands(scenario: Scenario, seen: Observations, origin: int) -> RecordForecast:
        return forecast_scenario(scenario, seen, origin=origin, last_year=seen.years[1], size=size)

    return [Arm(PERIOD, period)] + [
        Arm(name, partial(as_it_stands, scenario), hindsight=partial(knew_words, scenario))
        for name, scenario in zip(names, scenarios, strict=True)
    ]


def check_hindsight(scenarios: Sequence[Scenario], *, origins: Sequence[int]) -> None:
    """Refuse scenarios whose priors knew what came after the first origin."""
    if late := [fault for scenario in scenarios for fault in hindsight(scenario, origin=min(origins))]:
        lines = "\n".join(f"{fault.place}: {fault.entry}: {fault.rule}" for fault in late)
        raise InputError(
            f"{lines}\n{len(late)} priors knew what came after an origin: scores of them would say nothing of "
            "forecasts. Take priors of the period ('simulate priors period'), or admit them with --allow-hindsight: "
            "every table then says so."
        )


def scenario_notes(scenarios: Sequence[Scenario], *, origins: Sequence[int]) -> list[str]:
    """Say which priors of the period are used, and of which priors it cannot be told what they knew."""
    used = [f"{origin}: {', '.join(period_growth(origin))}" for origin in origins]
    return [
        f"{PERIOD} are, at origin {'; '.join(used)}",
        *(
            f"scenario {scenario.spec.name}: {len(unsaid)} priors state no as_of, so that it cannot be told whether "
            f"they knew what came{', such as' if len(unsaid) > 3 else ':'} {', '.join(unsaid[:3])}"
            for scenario in scenarios
            if (unsaid := undated(scenario))
        ),
    ]
