"""Custom drivers by name: those that travel with the simulator, and those that installed packages offer.

A scenario names a driver and never holds code. The name is looked up among the drivers below and among the entry
points of the group `simulator.drivers` of what is installed. A package offers one in its pyproject.toml:

    [project.entry-points."simulator.drivers"]
    our-chips = "our_package.chips:log_flop_per_dollar"

The function takes the drawn parameters by name, each (sample,) or (1,), and years (year,); it returns log10 levels,
(sample, year) or (1, year). `driver_gpu_2023` is one to start from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from simulator.errors import Fault, InputError, Path, SimulatorError
from simulator.registers import Register
from simulator.schema.prior_names import entries_of
from simulator.schema.quantities import Custom
from simulator.schema.spec import ScenarioSpec
from simulator.units import Array

type CustomDriver = Callable[[Mapping[str, Array], Array], Array]
"""From drawn parameters by name, each (sample,) or (1,), and years (year,), to log10 levels (sample, year)."""

DRIVERS: Register[CustomDriver] = Register(
    "driver", "simulator.drivers", {"epoch-gpu-2023": "simulator.model.driver_gpu_2023:log_flop_per_dollar"}
)


def custom_entries(spec: ScenarioSpec) -> Iterator[tuple[Path, Custom]]:
    """List the custom drivers and factors of a scenario, with the path of each."""
    return ((path[:-1], custom) for path, custom in entries_of(Custom, spec))


def driver_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Yield the custom drivers that a scenario names and that are not installed, or that their package cannot give."""
    for path, custom in custom_entries(spec):
        name, at = custom.driver, (*path, "custom", "driver")
        if name is None or name in DRIVERS.shipped:  # what is shipped is loaded when it is run
            continue
        if name not in DRIVERS:
            yield Fault(at, *DRIVERS.unknown(name))
            continue
        try:
            DRIVERS.find(name)
        except InputError as error:
            yield Fault(at, str(error))


def named_drivers(spec: ScenarioSpec) -> dict[str, CustomDriver]:
    """Find the functions of the custom drivers that a scenario names; InputError where one cannot be had."""
    names = [custom.driver for _, custom in custom_entries(spec)]
    return {name: partial(_levels, name, DRIVERS.find(name)) for name in names if name is not None}


def _levels(name: str, driver: CustomDriver, parameters: Mapping[str, Array], years: Array) -> Array:
    """Ask a driver that a scenario names; what it makes of parameters that it did not expect is an error in words."""
    try:
        with np.errstate(all="ignore"):  # that a level is none is said of what it returns
            return driver(parameters, years)
    except SimulatorError:
        raise
    except Exception as error:  # it may do anything
        rule = f"the driver '{name}' failed on the parameters that the scenario gives it"
        raise SimulatorError(f"{rule} ({type(error).__name__}: {error}). See what its package says of them.") from error
