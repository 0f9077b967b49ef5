"""Hindsight: which priors of a scenario knew what came after a year."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from simulator.documents import Document
from simulator.errors import Fault, InputError, Path, PlacedFault, dotted
from simulator.history_columns import last_day
from simulator.layers import placed
from simulator.resolving import Scenario
from simulator.schema import ScenarioSpec
from simulator.slots import DRIVER_UNITS, slots
from simulator.statements import Prior

_IN_PHYSICAL_COMPUTE: Final[tuple[str, ...]] = ("spending", "hardware", "compute")


def hindsight(scenario: Scenario, *, origin: int) -> tuple[PlacedFault, ...]:
    """Find the priors of a scenario that knew what came after a year, by their `as_of`.

    Only what physical compute follows from counts: not the starts of the drivers, which are set anew, nor thresholds,
    nor algorithms where nothing feeds back. A prior that states no `as_of` cannot be told.

    Returns
    -------
    tuple of PlacedFault
        With file and line; sorted, each once.
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
        path = slot.path
        is_start = path[0] == "drivers" and path[-1] == "start" and "caps" not in path
        is_shock = "shock" in path
        if path[0] in ("thresholds", "capability") or is_start or is_shock:
            continue
        if path[0] == "drivers" and path[1] not in counted:
            continue
        yield path, slot.prior
        for index, part in enumerate(slot.prior.mixture or ()):
            yield (*path, "mixture", index), part


def refuse_hindsight(faults: Sequence[PlacedFault]) -> InputError:
    """Write the refusal of a scenario whose priors knew what came."""
    lines = "\n".join(f"{fault.place}: {fault.entry}: {fault.rule}" for fault in faults)
    return InputError(
        f"{lines}\n{len(faults)} priors knew what came after an origin: scores of them would say nothing of forecasts. "
        "Take priors of the period ('simulate priors period'), or admit them with --allow-hindsight: "
        "every table then says so."
    )
