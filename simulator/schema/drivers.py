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
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import cast

from simulator.errors import Fault, InputError, Path, near_name
from simulator.schema.prior_names import DRIVER_UNITS
from simulator.schema.spec import Custom, ScenarioSpec
from simulator.units import Array

type CustomDriver = Callable[[Mapping[str, Array], Array], Array]
"""From drawn parameters by name, each (sample,) or (1,), and years (year,), to log10 levels (sample, year)."""

GROUP = "simulator.drivers"
"""The group of entry points under which an installed package offers drivers."""

SHIPPED: Mapping[str, str] = MappingProxyType({"epoch-gpu-2023": "simulator.model.driver_gpu_2023:log_flop_per_dollar"})
"""The drivers that travel with the simulator: module and function by name."""


def custom_entries(spec: ScenarioSpec) -> Iterator[tuple[Path, Custom]]:
    """List the custom drivers and factors of a scenario, with the path of each."""
    for name in DRIVER_UNITS:
        driver = getattr(spec.drivers, name)
        if driver is None:
            continue
        if driver.custom is not None:
            yield ("drivers", name), driver.custom
        for key, factor in (driver.factors or {}).items():
            if factor.custom is not None:
                yield ("drivers", name, "factors", key), factor.custom


def driver_names() -> tuple[str, ...]:
    """List the names under which drivers can be found here, sorted.

    Examples
    --------
    >>> "epoch-gpu-2023" in driver_names()
    True
    """
    return tuple(sorted({*SHIPPED, *(point.name for point in entry_points(group=GROUP))}))


def find_driver(name: str) -> CustomDriver:
    """Find a driver by its name; one that travels with the simulator goes before others of its name.

    Raises
    ------
    InputError
        There is none, several packages offer one of that name, or it cannot be imported.

    Examples
    --------
    >>> find_driver("epoch-gpu-2023").__name__
    'log_flop_per_dollar'
    """
    if name in SHIPPED:
        module, _, function = SHIPPED[name].partition(":")
        return cast("CustomDriver", getattr(import_module(module), function))
    offered = {point.value: point for point in entry_points(group=GROUP) if point.name == name}
    if not offered:
        raise InputError(f"{name}: {unknown_driver(name)[0]} {unknown_driver(name)[1]}")
    if len(offered) > 1:
        raise InputError(
            f"{name}: is offered by {len(offered)} installed packages ({', '.join(sorted(offered))}); which of them is "
            "meant cannot be told. Uninstall all but one."
        )
    return _loaded(next(iter(offered.values())))


def _loaded(point: EntryPoint) -> CustomDriver:
    try:
        function = point.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{point.name}: the installed driver {point.value} cannot be imported: {error}. "
            "Mend or reinstall its package."
        ) from None
    if not callable(function):
        raise InputError(f"{point.name}: {point.value} is no function. Its package must offer a function by that name.")
    return cast("CustomDriver", function)


def unknown_driver(name: str) -> tuple[str, str]:
    """Say that no driver of a name is installed, and what to do."""
    known = driver_names()
    hint = near_name(name, known) or f"There are: {', '.join(known)}."
    return f"no driver '{name}' is installed.", f"{hint} A package offers its own under the entry points '{GROUP}'."


def driver_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Yield the custom drivers that a scenario names and that are not installed."""
    for path, custom in custom_entries(spec):
        if custom.driver is not None and custom.driver not in SHIPPED and custom.driver not in driver_names():
            yield Fault((*path, "custom", "driver"), *unknown_driver(custom.driver))


def named_drivers(spec: ScenarioSpec) -> dict[str, CustomDriver]:
    """Find the functions of the custom drivers that a scenario names, by their names.

    Raises
    ------
    InputError
        One cannot be found or imported.
    """
    names = [custom.driver for _, custom in custom_entries(spec)]
    return {name: find_driver(name) for name in names if name is not None}
