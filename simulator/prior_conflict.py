"""Prior-data conflict: how far the data moved each unknown from what was believed, and how much they narrowed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from simulator.observations import Array
from simulator.rungroups import group

LARGEST_SHIFT: Final[float] = 2.0
"""Prior standard deviations by which the posterior mean may move before it counts as a conflict."""
_OF_DRAWS: Final[frozenset[str]] = frozenset({"chain", "draw"})


@dataclass(frozen=True, slots=True)
class PriorShift:
    """Compare the prior and the posterior of one unknown.

    `shift` = (posterior mean - prior mean) / prior sd. `contraction` = 1 - (posterior sd / prior sd)^2: 0 where the
    data say nothing, near 1 where they say nearly all, below 0 where they made it less certain. `conflict` says
    whether the shift is above 2 either way.
    """

    unknown: str
    prior_mean: float
    prior_sd: float
    posterior_mean: float
    posterior_sd: float
    shift: float
    contraction: float
    conflict: bool

    @property
    def line(self) -> str:
        """The comparison in words."""
        text = (
            f"{self.unknown}: prior {self.prior_mean:.3g} ± {self.prior_sd:.2g}, posterior "
            f"{self.posterior_mean:.3g} ± {self.posterior_sd:.2g}, {self.shift:+.1f} prior sd"
        )
        return f"{text}: the data contradict the prior" if self.conflict else text


def conflicts(fit: xr.DataTree) -> tuple[PriorShift, ...]:
    """Compare prior and posterior of every unknown that has a prior of its own.

    Paths over `year` follow from the unknowns and are left out, as are latent forms (`name__z`, `name_excess`),
    whose value stands beside them, and what is fixed. Each yearly step is an unknown of its own.

    Parameters
    ----------
    fit : DataTree
        With groups `prior` and `posterior` (chain, draw, ...), as of `fit_history`.

    Returns
    -------
    tuple of PriorShift
        In the order of the prior; `conflict` marks those that moved by more than 2 prior sd.

    Raises
    ------
    InputError
        A group is missing.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> believed = xr.Dataset({"rate": (("chain", "draw"), np.array([[0.1, 0.2, 0.3]]))})
    >>> learnt = xr.Dataset({"rate": (("chain", "draw"), np.array([[0.49, 0.50, 0.51]]))})
    >>> (found,) = conflicts(xr.DataTree.from_dict({"prior": believed, "posterior": learnt}))
    >>> print(found.line)
    rate: prior 0.2 ± 0.082, posterior 0.5 ± 0.0082, +3.7 prior sd: the data contradict the prior
    """
    prior, posterior = group(fit, "prior"), group(fit, "posterior")
    shifts = []
    for name in prior.data_vars:
        if name not in posterior or "year" in prior[name].dims or _is_latent(str(name)):
            continue
        learnt = dict(_elements(posterior[name]))
        for label, believed in _elements(prior[name]):
            if label in learnt and believed.std() > 0:
                shifts.append(_shift(label, believed, learnt[label]))
    return tuple(shifts)


def _is_latent(name: str) -> bool:
    return "__" in name or name.endswith("_excess")


def _elements(values: xr.DataArray) -> Iterator[tuple[str, Array]]:
    """Give the draws of each element with its label."""
    others = [dim for dim in values.dims if dim not in _OF_DRAWS]
    ordered = values.transpose(*others, ...)
    for index in np.ndindex(ordered.shape[: len(others)]):
        places = [f"{values[dim].values[i]:g}" for dim, i in zip(others, index, strict=True)]
        label = f"{values.name}[{', '.join(places)}]" if places else str(values.name)
        yield label, np.ravel(ordered.values[index]).astype(np.float64)


def _shift(label: str, believed: Array, learnt: Array) -> PriorShift:
    prior_mean, prior_sd = float(believed.mean()), float(believed.std())
    mean, sd = float(learnt.mean()), float(learnt.std())
    shift = (mean - prior_mean) / prior_sd
    contraction = 1.0 - (sd / prior_sd) ** 2
    return PriorShift(label, prior_mean, prior_sd, mean, sd, shift, contraction, abs(shift) > LARGEST_SHIFT)
