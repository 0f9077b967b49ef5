"""The numbers of one small scenario, held to six digits.

A change of numbers is a deliberate act: look at what changed, say it in CHANGELOG.md, and renew the file by

    python -m pytest tests/test_golden.py --renew-golden
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from simulator import load_scenario, simulate
from tests.places import TESTS

GOLDEN = TESTS / "golden"
LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
YEARS = [2025.5, 2028, 2032, 2036]


def six_digits(values: Any) -> Any:
    """Write numbers to six digits, a row of them as one text."""
    if isinstance(values, list) and values and not isinstance(values[0], list):
        return " ".join(f"{value:.6g}" for value in values)
    return [six_digits(value) for value in values] if isinstance(values, list) else f"{float(values):.6g}"


def numbers_of(run: xr.DataTree) -> dict[str, Any]:
    summary = run["summary"].to_dataset()
    fans = {
        str(name): six_digits(values.sel(quantile=LEVELS, year=YEARS).values.tolist())
        for name, values in summary.data_vars.items()
        if values.dims == ("quantile", "year") and not str(name).endswith("_error")
    }
    crossings = {
        name: {
            "quantiles": six_digits(summary["crossing_quantile"].sel(threshold=name, quantile=LEVELS).values.tolist()),
            "never": six_digits(summary["never"].sel(threshold=name)),
            "already": six_digits(summary["already"].sel(threshold=name)),
        }
        for name in summary["threshold"].values.tolist()
    }
    binding = {
        str(name): six_digits(values.sel(year=YEARS).values.tolist())
        for name, values in summary.data_vars.items()
        if str(name).startswith("binding_")
    }
    return {"levels": LEVELS, "years": YEARS, "fans": fans, "crossings": crossings, "binding": binding}


@pytest.mark.parametrize("name", ["small"])
def test_the_numbers_are_those_that_were_agreed(name: str, request: pytest.FixtureRequest) -> None:
    found = numbers_of(simulate(load_scenario(GOLDEN / f"{name}.yaml")))
    path = GOLDEN / f"{name}.json"
    if request.config.getoption("--renew-golden"):
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        pytest.skip(f"{path.name} was renewed: look at what changed and say it in CHANGELOG.md")
    agreed = json.loads(path.read_text(encoding="utf-8"))
    for group in agreed:
        if isinstance(agreed[group], dict):
            changed = [key for key in agreed[group] if agreed[group][key] != found[group].get(key)]
            assert not changed, f"{group}: other numbers than agreed in {changed}; see the top of {Path(__file__).name}"
    assert agreed == found
