"""A law of growth: what is gained by each doubling of effective compute."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.schema.laws import GrowthLaw, LawParameter
from simulator.units import Array


def doubling(parameters: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, Array]:
    """Let the rate of a driver rise in proportion to the log of effective compute."""
    faster = parameters["faster"] * state["effective_compute"]
    return {"growth": parameters["pace"] * (1.0 + faster), "faster": faster}


LAW = GrowthLaw(
    "doubling",
    doubling,
    "d log S/dt = g (1 + c log E)",
    "growth that rises with effective compute",
    {"pace": LawParameter("growth in the first year", "rate"), "faster": LawParameter("c", above=0.0, default=0.5)},
    tells={"faster": "by how much faster it grows"},
)
