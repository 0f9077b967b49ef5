"""The PyMC counterpart of each prior family, for inference.

Where PyMC has the same distribution, that one is used. Otherwise the value is a function of a latent standard
normal, `<name>__z`, by the same quantile function that sampling uses: closed for a metalog, else the table.
PyMC is loaded when a counterpart is made, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.distributions import (
    PERT,
    Beta,
    Discrete,
    Family,
    Fixed,
    Gamma,
    LogNormal,
    LogStudentT,
    LogUniform,
    Metalog,
    Mixture,
    Normal,
    StudentT,
    Triangular,
    Uniform,
    WithNever,
    quantile_table,
    split_atoms,
)
from simulator.free_families import metalog_term
from simulator.quantile_tables import QuantileTable

if TYPE_CHECKING:
    from pytensor.tensor.variable import TensorVariable


def to_pymc(name: str, family: Family) -> TensorVariable[Any, Any]:
    """Add a prior to the PyMC model whose context is open.

    Parameters
    ----------
    name : str
        The variable's name in the model. A latent `<name>__z` or `<name>__base` may stand beside it.
    family : Family
        The prior; the same spec that sampling uses.

    Returns
    -------
    TensorVariable
        A scalar with the family's distribution, differentiable unless the family is discrete.

    Raises
    ------
    ValueError
        Where the prior has a mass at "never", or mixes single values with a continuous spread.

    Examples
    --------
    >>> import pymc
    >>> with pymc.Model() as model:
    ...     rate = to_pymc("rate", LogUniform(1.0, 10.0))
    >>> [variable.name for variable in model.free_RVs]
    ['rate__base']
    """
    variable: TensorVariable[Any, Any] = _counterpart(name, family)
    return variable


def _counterpart(name: str, family: Family) -> Any:
    import pymc

    native = _native(name, family)
    if native is not None:
        return native
    match family:
        case Fixed():
            return pymc.Deterministic(name, _constant(family.value))
        case Discrete():
            index = pymc.Categorical(f"{name}__index", p=np.array(family.weights))
            return pymc.Deterministic(name, _constant(family.values)[index])
        case PERT():
            return to_pymc(name, family.beta)
        case Beta():
            share = pymc.Beta(f"{name}__base", alpha=family.alpha, beta=family.beta)
            return pymc.Deterministic(name, family.lower + (family.upper - family.lower) * share)
        case LogUniform() | LogStudentT():
            return pymc.Deterministic(name, _counterpart(f"{name}__base", family.logarithm).exp())
        case WithNever():
            raise ValueError(
                f'{name}: a prior with a mass at "never" has no place in inference; got a probability of '
                f"{family.probability:g}. Give the finite part as the prior and add the mass afterwards."
            )
    return _from_latent(name, family)


def _native(name: str, family: Family) -> Any:
    """Return PyMC's own distribution where it is the same, else None."""
    import pymc

    match family:
        case Normal():
            return pymc.Normal(name, mu=family.mean, sigma=family.sd)
        case LogNormal():
            return pymc.LogNormal(name, mu=family.log_mean, sigma=family.log_sd)
        case Uniform():
            return pymc.Uniform(name, lower=family.lower, upper=family.upper)
        case Triangular() if family.lower < family.mode < family.upper:
            return pymc.Triangular(name, lower=family.lower, c=family.mode, upper=family.upper)
        case Beta(lower=0.0, upper=1.0):
            return pymc.Beta(name, alpha=family.alpha, beta=family.beta)
        case Gamma():
            return pymc.Gamma(name, alpha=family.shape, beta=1 / family.scale)
        case StudentT():
            return pymc.StudentT(name, nu=family.df, mu=family.location, sigma=family.scale)
        case Mixture():
            return _native_mixture(name, family)
    return None


def _native_mixture(name: str, family: Mixture) -> Any:
    """Return a mixture of PyMC's own where all components are its own on one support, else None."""
    import pymc

    parts = family.components
    on_line = all(isinstance(part, (Normal, StudentT)) for part in parts)
    if not (on_line or all(isinstance(part, (LogNormal, Gamma)) for part in parts)):
        return None
    return pymc.Mixture(name, w=np.array(family.weights), comp_dists=[_unnamed(part) for part in parts])


def _unnamed(part: Family) -> Any:
    import pymc

    match part:
        case Normal():
            return pymc.Normal.dist(mu=part.mean, sigma=part.sd)
        case StudentT():
            return pymc.StudentT.dist(nu=part.df, mu=part.location, sigma=part.scale)
        case LogNormal():
            return pymc.LogNormal.dist(mu=part.log_mean, sigma=part.log_sd)
        case Gamma():
            return pymc.Gamma.dist(alpha=part.shape, beta=1 / part.scale)
    raise ValueError(f"no unnamed counterpart of {part}.")


def _from_latent(name: str, family: Family) -> Any:
    """Write the value as the family's quantile function of a latent standard normal."""
    import pymc

    parts = split_atoms(family)
    if parts.values and not parts.families:
        return to_pymc(name, Discrete(parts.values, parts.masses))
    if parts.values:
        raise ValueError(
            f"{name}: inference cannot mix single values with a continuous spread; got the single values "
            f"{parts.values}. Give the prior without them, or let sampling draw it."
        )
    z = pymc.Normal(f"{name}__z", mu=0.0, sigma=1.0)
    return pymc.Deterministic(name, _quantile_graph(z, family))


def _quantile_graph(z: Any, family: Family) -> Any:
    """Return the quantile function of z = ndtri(u) as a graph.

    The two-piece families are read from the table too: their closed form has infinite gradients
    far from the mode.
    """
    if isinstance(family, Metalog):
        return _metalog_graph(z, family)
    return _table_graph(z, quantile_table(family))


def _table_graph(z: Any, table: QuantileTable) -> Any:
    """Read a table by cubic Hermite interpolation; straight lines beyond its ends."""
    import pytensor.tensor as pt

    step, rise = np.diff(table.z), np.diff(table.y)
    lies = step > 0  # an interval without a width is never the one that z lies in
    start, end = np.where(lies, step * table.right, 0.0), np.where(lies, step * table.left, 0.0)
    rows = [
        table.z[:-1], np.where(lies, step, 1.0),
        table.y[:-1], start, 3 * rise - 2 * start - end, start + end - 2 * rise,
    ]  # fmt: skip
    searchsorted: Any = pt.searchsorted
    # The interval is a step function of z: its gradient is nothing, and the cubic carries all of it.
    interval = pt.clip(searchsorted(_constant(table.z), z, side="left") - 1, 0, step.size - 1)
    row = _constant(np.array(rows).T)[interval]
    t = (z - row[0]) / row[1]
    inner = pt.clip(t, 0.0, 1.0)
    level = row[2] + inner * (row[3] + inner * (row[4] + inner * row[5]))
    level = level + (t - inner) * (row[3] + inner * (2 * row[4] + 3 * inner * row[5]))
    return level.exp() if table.log else level


def _metalog_graph(z: Any, family: Metalog) -> Any:
    """Write the metalog as a function of z, with the logit of ndtr(z) exact in both tails."""
    import pytensor.tensor as pt
    from pymc.distributions.dist_math import normal_lcdf

    logit = normal_lcdf(0.0, 1.0, z) - normal_lcdf(0.0, 1.0, -z)
    centre = pt.sigmoid(logit) - 0.5
    level = 0.0 * z
    for term, coefficient in enumerate(family.coefficients):
        power, of_logit = metalog_term(term)
        level = level + coefficient * centre**power * (logit if of_logit else 1.0)
    low, high = np.isfinite(family.lower), np.isfinite(family.upper)
    if low and high:
        return family.lower + (family.upper - family.lower) * pt.sigmoid(level)
    if low:
        return family.lower + level.exp()
    return family.upper - (-level).exp() if high else level


def _constant(values: Any) -> Any:
    import pytensor.tensor as pt

    return pt.as_tensor_variable(np.asarray(values, dtype=np.float64))
