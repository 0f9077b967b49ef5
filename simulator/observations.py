"""What has been observed: training runs, accelerators, and the record at each year's end.

Arrays only; reading files and choosing which runs count is done elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError

type Array = NDArray[np.float64]
type Flags = NDArray[np.bool_]

WORDS = ("snapshot", "run_name", "accelerator_name")
"""The fields of observations that hold no numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Hold one snapshot of the history of frontier training.

    Parameters
    ----------
    run_year : array (run,), decimal year
        When each run was published.
    run_log_compute : array (run,), log10 FLOP
        Training compute of runs that were among the largest when they came out; ranked by the past only.
    cost_log_usd : array (run,), log10 USD
        Their cost; NaN where it is not known or does not belong to this compute.
    accelerator_year : array (accelerator,), decimal year
        When each accelerator was released.
    accelerator_log_flops_per_usd : array (accelerator,), log10 FLOP/s per USD
        Its speed in training per USD of price.
    record_year : array (year,)
        Calendar years, rising by 1.
    record_log_compute : array (year,), log10 FLOP
        The largest known run at the end of each of these years.
    snapshot : str
        Which data these are, and of what date: every figure names it.
    run_name, accelerator_name : tuple of str
        What they are called; empty where nobody says. No number depends on it.

    Raises
    ------
    InputError
        Where lengths differ, a number is missing, years do not rise by 1, or the record falls.

    Examples
    --------
    >>> import numpy as np
    >>> none = np.array([])
    >>> observed = Observations(
    ...     run_year=np.array([2020.4]), run_log_compute=np.array([23.5]), cost_log_usd=np.array([np.nan]),
    ...     accelerator_year=none, accelerator_log_flops_per_usd=none,
    ...     record_year=np.array([2020.0]), record_log_compute=np.array([23.5]), snapshot="example")
    >>> observed.years
    (2020, 2020)
    """

    run_year: Array
    run_log_compute: Array
    cost_log_usd: Array
    accelerator_year: Array
    accelerator_log_flops_per_usd: Array
    record_year: Array
    record_log_compute: Array
    snapshot: str = "unnamed snapshot"
    run_name: tuple[str, ...] = ()
    accelerator_name: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in WORDS:
                continue
            values = np.array(getattr(self, field.name), dtype=np.float64)
            values.flags.writeable = False
            object.__setattr__(self, field.name, values)
            gaps = np.isinf(values) if field.name == "cost_log_usd" else ~np.isfinite(values)
            if values.ndim != 1 or gaps.any():
                raise _fault(self.snapshot, field.name, "must be a row of finite numbers", "Leave unknown runs out.")
        self._check_lengths()
        steps = np.diff(self.record_year)
        if self.record_year.size and (np.any(steps != 1) or np.any(self.record_year % 1)):
            raise _fault(
                self.snapshot, "record_year", "must hold whole years that rise by 1", "Fill the years between."
            )
        if np.any(np.diff(self.record_log_compute) < 0):
            raise _fault(
                self.snapshot,
                "record_log_compute",
                "must never fall",
                "A record is the largest run so far: take maxima.",
            )

    def _check_lengths(self) -> None:
        pairs = (
            ("run_year", "run_log_compute"),
            ("run_year", "cost_log_usd"),
            ("accelerator_year", "accelerator_log_flops_per_usd"),
            ("record_year", "record_log_compute"),
            *((f"{kind}_year", f"{kind}_name") for kind in ("run", "accelerator") if getattr(self, f"{kind}_name")),
        )
        for first, second in pairs:
            sizes = getattr(self, first).size, len(getattr(self, second))
            if sizes[0] != sizes[1]:
                raise _fault(self.snapshot, second, f"must be as long as {first} ({sizes[0]}); got {sizes[1]}")
        if self.run_year.size == 0 or self.record_year.size == 0:
            raise _fault(self.snapshot, "run_year and record_year", "must not be empty", "Give at least one run.")

    @property
    def years(self) -> tuple[int, int]:
        """The first calendar year of a run, and the last year of the record."""
        return int(np.floor(self.run_year.min())), int(self.record_year[-1])


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Say which observations were known at the end of a year.

    `run`, `cost` and `accelerator` are flags along the arrays of the observations; `record` is the largest known
    run (log10 FLOP); `years` is the number of years since the first run's year.
    """

    origin: int
    run: Flags
    cost: Flags
    accelerator: Flags
    record: float
    years: int


def known_at(observations: Observations, *, origin: int) -> Known:
    """Select what had been published by the end of a year.

    Parameters
    ----------
    observations : Observations
        One snapshot.
    origin : int
        The calendar year at whose end the forecast is made.

    Returns
    -------
    Known
        Flags of the known observations. Accelerators from before the first year of runs are left out.

    Raises
    ------
    InputError
        Where the record of that year is not given, or fewer than two runs are known.

    Examples
    --------
    >>> import numpy as np
    >>> observed = Observations(
    ...     run_year=np.array([2018.3, 2019.2, 2020.4]), run_log_compute=np.array([21.9, 22.5, 23.5]),
    ...     cost_log_usd=np.array([np.nan, 6.1, 6.5]), accelerator_year=np.array([2017.5]),
    ...     accelerator_log_flops_per_usd=np.array([10.0]), record_year=np.array([2018, 2019, 2020]),
    ...     record_log_compute=np.array([21.9, 22.5, 23.5]))
    >>> known = known_at(observed, origin=2019)
    >>> known.run.tolist(), known.cost.tolist(), known.accelerator.tolist(), known.record
    ([True, True, False], [False, True, False], [False], 22.5)
    """
    first, _ = observations.years
    given = observations.record_year == origin
    if not given.any():
        low, high = observations.record_year[[0, -1]].astype(int)
        raise InputError(
            f"{observations.snapshot}: origin {origin}: must be a year with a known record, {low} to {high}. "
            "A forecast starts from the record of that year's end."
        )
    run = observations.run_year < origin + 1
    if run.sum() < 2:
        raise InputError(
            f"{observations.snapshot}: origin {origin}: at least two runs must be known by then; got {run.sum()}. "
            "Take a later origin."
        )
    accelerator = (observations.accelerator_year >= first) & (observations.accelerator_year < origin + 1)
    record = float(observations.record_log_compute[given][0])
    return Known(origin, run, run & np.isfinite(observations.cost_log_usd), accelerator, record, origin + 1 - first)


def _fault(snapshot: str, entry: str, rule: str, remedy: str = "") -> InputError:
    return InputError(f"{snapshot}: {entry}: {rule}. {remedy}".strip())
