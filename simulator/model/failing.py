"""What is said where a level cannot be in some samples: in how many, and what entered it there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, SimulatorError, dotted
from simulator.model.windows import Drawn
from simulator.schema.prior_names import parts_of
from simulator.schema.quantities import Level, Operation, Quantity
from simulator.schema.spec import ScenarioSpec
from simulator.units import Array
from simulator.wording import percent

TELLING = 0.1
"""How far from the middle of all samples those that fail must lie, in ranks, for an input to be named."""


def checked(result: Array, operation: Operation, path: Path, block: Drawn) -> Array:
    """Refuse a difference that is not above 0 in some samples."""
    if operation.difference is not None and (negative := np.isnan(result).any(axis=-1)).any():
        names = [part if isinstance(part, str) else dotted(at) for at, part in parts_of(operation, path)]
        raise SimulatorError(
            f"{dotted(path)}: is not above 0 in {percent(float(negative.mean()))} of the samples, "
            f"where {names[1]} reaches {names[0]}; it has no log there. "
            f"{inputs_behind(negative, operation, path, block)}"
            "Bound it with a minimum or maximum, or narrow its priors."
        )
    return result


def inputs_behind(failed: NDArray[np.bool_], operation: Operation, path: Path, block: Drawn) -> str:
    """Say which priors below an operation are low or high where it fails: at most three, the most telling first."""
    below = _names_below(operation, block.spec) & set(block.spec.named)
    roots = {dotted(path), *(dotted(block.spec.named[name].path) for name in below)}
    telling: list[tuple[float, str]] = []
    for name, values in block.draws.items():
        if values.size == failed.size > 1 and any(
            name == root or name.startswith((f"{root}.", f"{root}[")) for root in roots
        ):
            place = float(np.argsort(np.argsort(values))[failed].mean()) / (values.size - 1) - 0.5
            telling.append((abs(place), f"{name} is {'high' if place > 0 else 'low'}"))
    words = [word for away, word in sorted(telling, reverse=True)[:3] if away > TELLING]
    return f"In them {', '.join(words)}. " if words else ""


def _names_below(quantity: Quantity | None, spec: ScenarioSpec) -> set[str]:
    """Name the quantities that one is made of, directly or through others."""
    if isinstance(quantity, str):
        return {quantity} | (_names_below(spec.named[quantity].quantity, spec) if quantity in spec.named else set())
    if isinstance(quantity, Operation | Level):
        caps = quantity.caps.values() if isinstance(quantity, Level) else ()
        below = [*(cap.of or cap.limit for cap in caps), *(part for _, part in parts_of(quantity, ()))]
        return set().union(*(_names_below(each, spec) for each in below))
    return set()
