"""Questions about money or a quantity alone: scenarios without compute."""

from __future__ import annotations

from typing import Any

from simulator.testing import Data, small_scenario

SPENDING = {
    "start": {"family": "lognormal", "median": 4e8, "interval_90": [2e8, 8e8], "unit": "USD"},
    "growth": {"mean": 0.4, "sd": 0.05, "unit": "OOM/year"},
    "caps": {
        "budget": {"limit": {"family": "lognormal", "median": 5e10, "interval_90": [1e10, 2.5e11], "unit": "USD"}}
    },
}
POWER = {
    "start": {"family": "lognormal", "median": 3e8, "interval_90": [2e8, 4.5e8], "unit": "W"},
    "growth": {"mean": 0.3, "sd": 0.05, "unit": "OOM/year"},
}


def money_alone(**changes: Any) -> Data:
    """Give a scenario of spending alone, with a threshold on it."""
    return small_scenario(
        {"drivers": {"spending": SPENDING}, "thresholds": {"dear": {"spending": "$10 billion"}}} | changes
    )


def power_alone(**changes: Any) -> Data:
    """Give a scenario of one quantity, with a threshold on it, and without any driver."""
    asked = {
        "quantities": {"other": POWER, "site": POWER},
        "thresholds": {"ten": {"quantity": "site", "level": "10 GW"}},
    }
    return small_scenario({"drivers": None, **asked, **changes})
