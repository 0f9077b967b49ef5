"""A fit that was made by hand: its posterior is certain but for what a test changes."""

from __future__ import annotations

import numpy as np
import xarray as xr

DRAWS = 20_000
FIXED = {
    "spending_growth": 0.5, "efficiency_growth": 0.1, "spending_volatility": 0.0, "efficiency_volatility": 0.0,
    "run_scatter": 0.5, "cost_slope": 0.8,
}  # fmt: skip


def fit(*, record=20.0, runs=40, **changes):
    values = {
        name: (("chain", "draw"), np.broadcast_to(value, (2, DRAWS // 2))) for name, value in (FIXED | changes).items()
    }
    values["spending"] = (("chain", "draw", "year"), np.tile([3.5, 4.0, 9.0], (2, DRAWS // 2, 1)))
    values["efficiency"] = (("chain", "draw", "year"), np.tile([15.9, 16.0, 19.0], (2, DRAWS // 2, 1)))
    values["compute"] = (("chain", "draw", "year"), values["spending"][1] + values["efficiency"][1])
    posterior = xr.Dataset(values, coords={"year": [2019.0, 2020.0, 2021.0]})
    attributes = {"known_to": 2020.0, "first_year": 2010, "runs": runs, "record": record}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), "posterior": posterior})
