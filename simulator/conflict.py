"""Whether prior and data contradict each other, and how much the data said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from simulator.rungroups import group

FURTHEST: Final[float] = 2.0
"""Prior standard deviations by which a posterior mean may lie off the prior mean."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Hold what the data did to one unknown.

    `shift` is (posterior mean - prior mean) / prior sd; `contraction` is 1 - posterior variance / prior variance: 1
    where the data decide, 0 where they say nothing, below 0 where they widen.
    """

    name: str
    prior_mean: float
    prior_sd: float
    mean: float
    sd: float
    shift: float
    contraction: float

    @property
    def flagged(self) -> bool:
        """Whether the posterior mean lies further off than the prior held likely."""
        return abs(self.shift) > FURTHEST


def conflicts(fit: xr.DataTree) -> tuple[Conflict, ...]:
    """Compare prior and posterior of every unknown of a fit that is one number.

    Parameters
    ----------
    fit : DataTree
        With groups `prior` and `posterior` (chain, draw, ...), as a fit or a run that has learnt.

    Returns
    -------
    tuple of Conflict

    Raises
    ------
    InputError
        A group is missing.

    Examples
    --------
    >>> def of(values): return xr.Dataset({"rate": (("chain", "draw"), [values])})
    >>> fit = xr.DataTree.from_dict({"prior": of([0.0, 1.0, 2.0]), "posterior": of([3.9, 4.0, 4.1])})
    >>> [(each.name, round(each.shift, 1), each.flagged) for each in conflicts(fit)]
    [('rate', 3.7, True)]
    """
    prior, posterior = group(fit, "prior"), group(fit, "posterior")
    found = []
    for name, values in posterior.data_vars.items():
        if values.ndim != 2 or name not in prior:
            continue
        before, after = prior[name].values.ravel(), values.values.ravel()
        spread = float(before.std())
        if spread > 0:
            found.append(
                Conflict(
                    str(name),
                    prior_mean=float(before.mean()),
                    prior_sd=spread,
                    mean=float(after.mean()),
                    sd=float(after.std()),
                    shift=float((after.mean() - before.mean()) / spread),
                    contraction=float(1.0 - np.var(after) / spread**2),
                )
            )
    return tuple(found)


def conflict_lines(fit: xr.DataTree) -> list[str]:
    """Say each conflict in a line."""
    return [
        f"{each.name.replace('_', ' ')}: the data and the prior are in conflict: posterior mean {each.mean:.3g}, "
        f"{abs(each.shift):.1f} prior standard deviations from the prior's {each.prior_mean:.3g}."
        for each in conflicts(fit)
        if each.flagged
    ]
