"""Settings of the whole suite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

# The same examples every time and no clock: a test fails because of the code, not because of the day or the machine.
# A failing scenario is shown as it was drawn: shrinking runs hundreds of simulations.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden", action="store_true", help="Write tests/golden/*.json anew from the present code."
    )
