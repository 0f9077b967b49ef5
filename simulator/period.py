"""What had been published on the growth of compute by a year, and the forecast that it gives alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.errors import InputError
from simulator.history_columns import last_day
from simulator.library import library_prior, load_library
from simulator.observations import Observations, known_at
from simulator.posterior_forecast import RecordForecast
from simulator.priors import NamedPrior, named_prior
from simulator.shipped import shipped_names
from simulator.slots import Slot

FOLDER: Final[str] = "period"
RECORD_ERROR: Final[float] = 0.2
"""OOM by which the compute of the record is uncertain where a forecast starts from it."""


@dataclass(frozen=True, slots=True)
class PeriodGrowth:
    """Hold the newest priors on the growth of compute that were known at the end of a year.

    `references` are their names in the library; `priors` the same on the internal scale, OOM/year.
    """

    origin: int
    references: tuple[str, ...]
    priors: tuple[NamedPrior, ...]


def period_growth(origin: int) -> PeriodGrowth:
    """Find the newest priors on the growth of compute that were known at the end of a year.

    Those of the newest file of `priors/period/` up to that year that has any: entries whose name ends in `compute`
    and whose `as_of` is not later.

    Parameters
    ----------
    origin : int
        A calendar year.

    Returns
    -------
    PeriodGrowth

    Raises
    ------
    InputError
        None was known by then.

    Examples
    --------
    >>> period_growth(2020).references
    ('period/2018/openai-compute',)
    >>> period_growth(2023).references
    ('period/2022/sevilla-compute', 'period/2022/sevilla-large-scale-compute')
    """
    files = [name for name in shipped_names("priors") if name.startswith(f"{FOLDER}/")]
    known = sorted((name for name in files if int(name.split("/")[1]) <= origin), reverse=True)
    for file in known:
        entries = [f"{file}/{key}" for key in load_library(file).data["priors"] if key.split("-")[-1] == "compute"]
        found = [(entry, library_prior(entry)) for entry in entries]
        found = [(entry, prior) for entry, prior in found if last_day(str(prior.as_of), entry="as_of").year <= origin]
        if found:
            slots = (Slot((entry,), prior, "rate") for entry, prior in found)
            return PeriodGrowth(origin, tuple(entry for entry, _ in found), tuple(map(named_prior, slots)))
    first = min((name.split("/")[1] for name in files), default="none")
    raise InputError(
        f"origin {origin}: no prior on the growth of compute that was known by then is shipped; "
        f"the first is of {first}. Take a later origin."
    )


def forecast_period(observations: Observations, *, origin: int, last_year: int, size: int, seed: int) -> RecordForecast:
    """Forecast the record by the growth that had been published at the origin, and nothing else.

    record(target) = record + 0.2 z + rate h, with h years ahead, z standard normal, and the rate drawn from one of
    the newest priors of the period, each as likely as the next.

    Parameters
    ----------
    observations : Observations
        With the record at the end of the origin.
    origin, last_year : int
        Calendar years.
    size : int
        Draws.
    seed : int
        At least 0.

    Returns
    -------
    RecordForecast

    Raises
    ------
    InputError
        No such prior was known at the origin, or the record of that year is not given.
    """
    growth = period_growth(origin)
    rng = np.random.default_rng([seed, origin, 5])
    record = known_at(observations, origin=origin).record + RECORD_ERROR * rng.standard_normal(size)
    chosen = rng.integers(len(growth.priors), size=size)
    uniforms = rng.random(size)
    rates = np.stack([prior.family.ppf(uniforms) for prior in growth.priors])[chosen, np.arange(size)]
    years = tuple(range(origin + 1, last_year + 1))
    return RecordForecast(origin, years, np.stack([record + rates * (year - origin) for year in years]))
