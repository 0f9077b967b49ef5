"""What a hindcast compares beside its model and baselines: priors of the period alone, and scenarios as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulator.errors import InputError
from simulator.hindcast_tables import Arm
from simulator.hindsight import hindsight, refuse_hindsight, undated
from simulator.observations import Observations
from simulator.period import forecast_period, period_growth
from simulator.resolving import Scenario
from simulator.scenario_forecast import forecast_scenario

PERIOD: Final[str] = "period priors"


@dataclass(frozen=True, slots=True)
class Arms:
    """Hold the arms of a hindcast, and what a reader should know of them."""

    arms: tuple[Arm, ...]
    notes: tuple[str, ...]


def make_arms(
    scenarios: Sequence[Scenario],
    observations: Observations,
    *,
    origins: Sequence[int],
    size: int,
    seed: int,
    allow_hindsight: bool,
) -> Arms:
    """Forecast the record from past origins by the priors of the period, and by scenarios as they stand.

    Parameters
    ----------
    scenarios : sequence of Scenario
        The scenario that is asked about, first, and those against which it is held.
    observations : Observations
        One snapshot of history.
    origins : sequence of int
        Forecasts are made at the end of these years, to the last known one.
    size : int
        Samples of each.
    seed : int
        Of the priors of the period; a scenario has its own.
    allow_hindsight : bool
        Whether priors that knew what came after an origin are admitted.

    Returns
    -------
    Arms

    Raises
    ------
    InputError
        A prior knew what came, and that is not allowed; a scenario cannot start at an origin; two have one name.
    """
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
    return Arms(tuple(arms), tuple(_notes(names, scenarios, origins=origins)))


def _notes(names: Sequence[str], scenarios: Sequence[Scenario], *, origins: Sequence[int]) -> list[str]:
    used = [f"{origin}: {', '.join(period_growth(origin).references)}" for origin in origins]
    notes = [f"{PERIOD} are, at origin {'; '.join(used)}"]
    for name, scenario in zip(names, scenarios, strict=True):
        if unsaid := undated(scenario):
            notes.append(
                f"{name}: {len(unsaid)} priors state no as_of, so that it cannot be told whether they knew what came"
                f"{', such as' if len(unsaid) > 3 else ':'} {', '.join(unsaid[:3])}"
            )
    return notes
