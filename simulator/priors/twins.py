"""Prior families in PyMC: the same distributions that sampling uses, as variables of a model.

The record of a family names its twin here. What has none is its quantile function of a latent standard normal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.priors.composite import Mixture, WithNever, quantile_table, split_atoms
from simulator.priors.families import PERT, Beta, Fixed, Gamma, Normal, StudentT, Triangular
from simulator.priors.free_families import Discrete, LogNormal, LogStudentT, LogUniform, Metalog, metalog_term
from simulator.priors.quantile_tables import QuantileTable
from simulator.registers import attribute_at
from simulator.schema.prior_families import Distribution, family_of

if TYPE_CHECKING:
    from pytensor.tensor.variable import TensorVariable


def to_pymc(name: str, family: Distribution) -> TensorVariable[Any, Any]:
    """Add a prior to the PyMC model whose context is open; a latent `<name>__z` or `<name>__base` may stand beside it.

    ValueError where the prior has a mass at "never", or mixes single values with a continuous spread.
    """
    match family:
        case WithNever():
            raise ValueError(
                f'{name}: a prior with a mass at "never" has no place in inference; got a probability of '
                f"{family.probability:g}. Give the finite part as the prior and add the mass afterwards."
            )
    variable: TensorVariable[Any, Any] = _twin_of(type(family))(name, family)
    return variable


@cache
def _twin_of(kind: type) -> Any:
    record = family_of(kind)
    twin = record.twin if record else ""
    return attribute_at(twin) if twin else _from_latent


def _like(kind: str, **parameters: str) -> Callable[[str | None, Any], Any]:
    """Give the twin that is PyMC's own distribution, whose parameters are these fields of the family.

    Without a name it makes a part of a mixture.
    """

    def twin(name: str | None, family: Any) -> Any:
        import pymc

        made, values = getattr(pymc, kind), {key: getattr(family, field) for key, field in parameters.items()}
        return made.dist(**values) if name is None else made(name, **values)

    return twin


normal = _like("Normal", mu="mean", sigma="sd")
lognormal = _like("LogNormal", mu="log_mean", sigma="log_sd")
gamma = _like("Gamma", alpha="shape", beta="rate")
student_t = _like("StudentT", nu="df", mu="location", sigma="scale")
uniform = _like("Uniform", lower="lower", upper="upper")


def triangular(name: str, family: Triangular) -> Any:
    """Add a triangular; PyMC has none whose mode is an end."""
    import pymc

    if not family.lower < family.mode < family.upper:
        return _from_latent(name, family)
    return pymc.Triangular(name, lower=family.lower, c=family.mode, upper=family.upper)


def beta(name: str, family: Beta) -> Any:
    """Add a beta, moved to its bounds."""
    import pymc

    if (family.lower, family.upper) == (0.0, 1.0):
        return pymc.Beta(name, alpha=family.alpha, beta=family.beta)
    share = pymc.Beta(f"{name}__base", alpha=family.alpha, beta=family.beta)
    return _named(name, family.lower + (family.upper - family.lower) * share)


def pert(name: str, family: PERT) -> Any:
    """Add a PERT as the beta that it is."""
    return beta(name, family.beta)


def of_logs(name: str, family: LogUniform | LogStudentT) -> Any:
    """Add the exponential of what spreads the logs."""
    logs: Distribution = family.logarithm
    return _named(name, _twin_of(type(logs))(f"{name}__base", logs).exp())


def fixed(name: str, family: Fixed) -> Any:
    """Add a number."""
    return _named(name, _constant(family.value))


def discrete(name: str, family: Discrete) -> Any:
    """Add values by weight."""
    import pymc

    index = pymc.Categorical(f"{name}__index", p=np.array(family.weights))
    return _named(name, _constant(family.values)[index])


def mixture(name: str, family: Mixture) -> Any:
    """Add a mixture of PyMC's own where all components are its own on one support."""
    import pymc

    parts = family.components
    supports = ((Normal, StudentT), (LogNormal, Gamma))
    if not any(all(isinstance(part, kinds) for part in parts) for kinds in supports):
        return _from_latent(name, family)
    return pymc.Mixture(
        name, w=np.array(family.weights), comp_dists=[_twin_of(type(part))(None, part) for part in parts]
    )


def _from_latent(name: str, family: Distribution) -> Any:
    """Write the value as the family's quantile function of a latent standard normal.

    The two-piece families are read from the table too: their closed form has infinite gradients far from the mode.
    """
    parts = split_atoms(family)
    if parts.values and not parts.families:
        return discrete(name, Discrete(parts.values, parts.masses))
    if parts.values:
        raise ValueError(
            f"{name}: inference cannot mix single values with a continuous spread; got the single values "
            f"{parts.values}. Give the prior without them, or let sampling draw it."
        )
    table = quantile_table(family)
    return _of_latent(name, lambda z: _table_graph(z, table))


def _of_latent(name: str, graph: Callable[[Any], Any]) -> Any:
    import pymc

    return _named(name, graph(pymc.Normal(f"{name}__z", mu=0.0, sigma=1.0)))


def _named(name: str, value: Any) -> Any:
    """Give what follows from other variables a name in the model."""
    import pymc

    return pymc.Deterministic(name, value)


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


def metalog(name: str, family: Metalog) -> Any:
    """Add a metalog as a function of a latent standard normal."""
    return _of_latent(name, lambda z: _metalog_graph(z, family))


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
