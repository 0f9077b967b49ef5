"""Faults of stocks as a whole: names that lead to two quantities."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.errors import Fault, Path, dotted
from simulator.schema.spec import ScenarioSpec


def name_faults(spec: ScenarioSpec) -> Iterator[Fault]:
    """Find names that a stock gives to a quantity and that another quantity has."""
    places: dict[str, Path] = {}
    for name, (path, _) in spec.every_named:
        if (other := places.setdefault(name, path)) != path:
            rule = f"gives a quantity the name '{name}', as {dotted(other)} does."
            yield Fault(path, rule, "Rename one of the two.")
