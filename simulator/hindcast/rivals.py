"""What a hindcast compares beside its model and baselines: priors of the period alone, and scenarios as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from simulator.errors import Fault, InputError, Path, PlacedFault, dotted
from simulator.hindcast.rows import Arm
from simulator.hindcast.scenario_forecast import forecast_period, forecast_scenario, period_growth
from simulator.history.columns import last_day
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


def refuse_hindsight(faults: Sequence[PlacedFault]) -> InputError:
    """Write the refusal of a scenario whose priors knew what came."""
    lines = "\n".join(f"{fault.place}: {fault.entry}: {fault.rule}" for fault in faults)
    return InputError(
        f"{lines}\n{len(faults)} priors knew what came after an origin: scores of them would say nothing of forecasts. "
        "Take priors of the period ('simulate priors period'), or admit them with --allow-hindsight: "
        "every table then says so."
    )


PERIOD: Final[str] = "period priors"


def make_arms(
    scenarios: Sequence[Scenario],
    observations: Observations,
    *,
    origins: Sequence[int],
    size: int,
    seed: int,
    allow_hindsight: bool,
) -> tuple[list[Arm], list[str]]:
    """Forecast the record from past origins by the priors of the period, and by scenarios as they stand; with notes."""
    names = [f"scenario {scenario.spec.name}" for scenario in scenarios]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"hindcast: two of the scenarios are '{twice}'. Give one of them another name in its file.")
    if not allow_hindsight:
        late = [fault for scenario in scenarios for fault in hindsight(scenario, origin=min(origins))]
        if late:
            raise refuse_hindsight(late)
    last = observations.years[1]
    arms = [
        Arm(PERIOD, forecast_period(observations, origin=origin, last_year=last, size=size, seed=seed))
        for origin in origins
    ]
    for name, scenario in zip(names, scenarios, strict=True):
        for origin in origins:
            made = forecast_scenario(scenario, observations, origin=origin, last_year=last, size=size)
            arms.append(Arm(name, made, hindsight=bool(hindsight(scenario, origin=origin))))
    return arms, _notes(names, scenarios, origins=origins)


def _notes(names: Sequence[str], scenarios: Sequence[Scenario], *, origins: Sequence[int]) -> list[str]:
    used = [f"{origin}: {', '.join(period_growth(origin))}" for origin in origins]
    notes = [f"{PERIOD} are, at origin {'; '.join(used)}"]
    for name, scenario in zip(names, scenarios, strict=True):
        if unsaid := undated(scenario):
            notes.append(
                f"{name}: {len(unsaid)} priors state no as_of, so that it cannot be told whether they knew what came"
                f"{', such as' if len(unsaid) > 3 else ':'} {', '.join(unsaid[:3])}"
            )
    return notes
