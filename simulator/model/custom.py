"""Levels that a custom driver computes: what it is handed, and what it may return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import Path, SimulatorError, dotted, near_name
from simulator.schema.quantities import Factor
from simulator.units import Array
from simulator.wording import percent

if TYPE_CHECKING:
    from simulator.model.levels import Block


class _Parameters(dict[str, Array]):
    """The drawn parameters of a custom driver; what it asks for and does not get is told by name."""

    def __init__(self, name: str, drawn: Mapping[str, Array]) -> None:
        super().__init__(drawn)
        self._name = name

    def __missing__(self, key: str) -> Array:
        given = ", ".join(self) or "none"
        raise SimulatorError(
            f"{self._name}.custom.parameters: its driver asks for '{key}'; got {given}. "
            f"{near_name(str(key), self) or 'Write it there as a prior.'}"
        )


def custom_level(level: Factor, path: Path, block: Block, years: Array) -> Array:
    """Compute levels, (sample, year) or (1, year), by the function of a custom driver."""
    if (known := block.between(path, years)) is not None:
        return known
    name = dotted(path)
    key = (level.custom.driver if level.custom else None) or name
    if key not in block.custom:
        raise SimulatorError(
            f"{name}: is a custom driver; hand its function over: simulate(scenario, custom={{'{name}': function}})."
        )
    parameters = level.custom.parameters if level.custom else {}
    draws = _Parameters(name, {each: block.draw((*path, "custom", "parameters", each)) for each in parameters})
    result = np.atleast_2d(np.asarray(block.custom[key](draws, years), dtype=np.float64))
    sizes = {1, block.size}
    if result.ndim != 2 or result.shape[1] != years.size or result.shape[0] not in sizes:
        raise SimulatorError(f"{name}: must return (sample, year) = ({max(sizes)}, {years.size}); got {result.shape}.")
    broken = ~np.isfinite(result).all(axis=1)
    if broken.any():
        raise SimulatorError(
            f"{name}: returned NaN or infinity in {percent(float(broken.mean()))} of the samples; "
            "a level is a finite log10."
        )
    return block.stepped(path, years, result)
