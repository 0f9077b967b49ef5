"""A saturation law between soft and hard: V / sqrt(1 + (V/L)^2)."""

from __future__ import annotations

import math

import numpy as np

from simulator.schema.choices import SaturationLaw
from simulator.units import Array


def root_saturation(log_level: Array, log_limit: Array) -> Array:
    """Bend levels under a limit; exact far below it (V) and far above it (L)."""
    apart = np.abs(log_level - log_limit)
    return np.minimum(log_level, log_limit) - 0.5 * np.log1p(np.exp(-2.0 * math.log(10.0) * apart)) / math.log(10.0)


LAW = SaturationLaw("root", root_saturation, "V / sqrt(1 + (V/L)^2)", "a ceiling between soft and hard (root law)")
