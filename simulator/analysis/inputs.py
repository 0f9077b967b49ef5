"""Moving one input of a scenario on common draws: to a quantile, by a standard deviation, or to its median.

An input moves on its normal score z = Phi^-1(its probability). What is correlated with it moves along as the copula
says: with correlations C of the scores, the score of each other prior j moves by C_ji times what that of the input i
does. So the draws in which an input is moved to a quantile are draws of the others given that quantile, exactly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.special import ndtr, ndtri

from simulator.analysis.evaluation import Input, Model, base_uniforms
from simulator.engine.draws import joined_uniforms, values_of
from simulator.errors import InputError, near_name, shown
from simulator.priors.families import Fixed
from simulator.priors.joint import DEFAULT_GROWTH_UNIT, JointPrior, NamedPrior
from simulator.priors.streams import EDGE
from simulator.units import Array, parse_growth_unit, parse_unit
from simulator.wording import power_text

MOST_NUMBERS = 1 << 26
"""Numbers of the common draws, samples times priors: half a GiB."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of the joint prior by name, (sample,): normal `scores`, after the copula, and `values` (internal scale)."""

    scores: Mapping[str, Array]
    values: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Direction:
    """How the scores move with an input.

    The input's own score is the sum of `weights` times the scores of `names`; it is standard normal. As it rises by 1,
    the scores rise by `slopes`; `own` says which of the names are members of the input.
    """

    names: tuple[str, ...]
    weights: Array
    slopes: Array
    own: tuple[bool, ...]


def common_draws(model: Model, samples: int) -> Draws:
    """Draw the first samples of a run of the scenario.

    Raises
    ------
    InputError
        They are too many to be held at once, for every prior.

    Examples
    --------
    >>> from simulator.analysis.evaluation import model_of
    >>> from simulator.scenario.load import load_scenario
    >>> draws = common_draws(model_of(load_scenario("baseline")), 64)
    >>> draws.values["drivers.spending.start"].shape
    (64,)
    """
    most = MOST_NUMBERS // max(1, len(model.joint.uncertain))
    if samples > most:
        raise InputError(
            f"--samples: must be at most {most:,} for {len(model.joint.uncertain)} priors; got {samples:,}. "
            "All are held at once and evaluated twice for each input; 1,024 give medians to a few hundredths of an OOM."
        )
    joined = joined_uniforms(model.joint, base_uniforms(model, samples))
    return Draws({name: ndtri(array) for name, array in joined.items()}, values_of(joined, joint=model.joint))


def median_draws(model: Model, size: int) -> Draws:
    """Put every prior at its median, `size` times.

    Examples
    --------
    >>> from simulator.analysis.evaluation import model_of
    >>> from simulator.scenario.load import load_scenario
    >>> draws = median_draws(model_of(load_scenario("baseline")), 2)
    >>> (10 ** draws.values["drivers.algorithms.growth"]).round(2).tolist()
    [2.55, 2.55]
    """
    scores = {name: np.zeros(size) for name in model.joint.uncertain}
    return Draws(scores, _with_scores(model.joint, {}, scores))


def direction_of(joint: JointPrior, varied: Input) -> Direction:
    """Find how scores move with an input.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> found = direction_of(joint, Input("drivers.spending.start", ("drivers.spending.start",)))
    >>> found.names[0], found.slopes.round(2).tolist()
    ('drivers.hardware.factors.price-performance.start', [-0.23, 1.0])
    """
    groups = [group for group in joint.groups if set(group.names) & set(varied.members)]
    grouped = [name for group in groups for name in group.names]
    names = (*grouped, *(name for name in varied.members if name not in grouped))
    correlation = np.eye(len(names))
    start = 0
    for group in groups:
        end = start + len(group.names)
        correlation[start:end, start:end] = group.factor @ group.factor.T
        start = end
    own = np.array([name in varied.members for name in names])
    weights = own / np.sqrt(own @ correlation @ own)
    return Direction(names, weights, correlation @ weights, tuple(own.tolist()))


def companions(joint: JointPrior, varied: Input) -> tuple[str, ...]:
    """Name the priors that move along with an input because they are correlated with it.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> joint = load_scenario("baseline").joint
    >>> companions(joint, Input("drivers.spending.start", ("drivers.spending.start",)))
    ('drivers.hardware.factors.price-performance.start',)
    """
    found = direction_of(joint, varied)
    return tuple(
        name
        for name, own, slope in zip(found.names, found.own, found.slopes.tolist(), strict=True)
        if not own and abs(slope) > 1e-12
    )


def moved_to(joint: JointPrior, draws: Draws, varied: Input, *, score: float | Array) -> dict[str, Array]:
    """Give parameters with an input at a score, and what is correlated with it where that puts it.

    `score` is one number or (sample,). Several members of one input, such as yearly shocks, move together: the score
    is that of their sum.

    Returns
    -------
    dict of arrays by name, (sample,) or (1,), internal scale
    """
    found = direction_of(joint, varied)
    now = sum(weight * draws.scores[name] for name, weight in zip(found.names, found.weights, strict=True) if weight)
    return _moved(joint, draws, found, score - now)


def moved_by(joint: JointPrior, draws: Draws, varied: Input, *, step: float) -> dict[str, Array]:
    """Give parameters with the score of an input moved by a number of standard deviations.

    Returns
    -------
    dict of arrays by name, (sample,) or (1,), internal scale

    Examples
    --------
    >>> from simulator.analysis.evaluation import inputs_of, model_of
    >>> from simulator.scenario.load import load_scenario
    >>> model = model_of(load_scenario("baseline"))
    >>> draws, algorithms = median_draws(model, 1), Input("drivers.algorithms.growth", ("drivers.algorithms.growth",))
    >>> moved = moved_by(model.joint, draws, algorithms, step=1.0)
    >>> [name for name in model.joint.uncertain if moved[name] != draws.values[name]]
    ['drivers.algorithms.growth']
    """
    found = direction_of(joint, varied)
    return _moved(joint, draws, found, np.float64(step))


def moved_alone(joint: JointPrior, draws: Draws, varied: Input, *, score: float | Array) -> dict[str, Array]:
    """Give parameters with an input at a score, all others where they are.

    Returns
    -------
    dict of arrays by name, (sample,) or (1,), internal scale
    """
    found = direction_of(joint, varied)
    size = next(iter(draws.scores.values())).shape
    scores = {
        name: np.broadcast_to(np.asarray(score * slope), size)
        for name, own, slope in zip(found.names, found.own, found.slopes, strict=True)
        if own
    }
    return _with_scores(joint, draws.values, scores)


def _moved(joint: JointPrior, draws: Draws, found: Direction, step: Array | np.float64) -> dict[str, Array]:
    scores = {
        name: draws.scores[name] + slope * step
        for name, slope in zip(found.names, found.slopes, strict=True)
        if abs(slope) > 1e-12
    }
    return _with_scores(joint, draws.values, scores)


def _with_scores(joint: JointPrior, values: Mapping[str, Array], scores: Mapping[str, Array]) -> dict[str, Array]:
    """Give parameters in which some priors stand at other scores."""
    changed = {
        name: joint.priors[name].family.ppf(np.clip(ndtr(score), EDGE, 1.0 - EDGE)) for name, score in scores.items()
    }
    fixed = {
        name: np.array([prior.family.value]) for name, prior in joint.priors.items() if isinstance(prior.family, Fixed)
    }
    return {name: {**values, **fixed, **changed}[name] for name in joint.priors}


BY = ("driver",)
"""The groupings that are built in."""


def parse_groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read groups written as NAME=PATTERN,PATTERN; a `*` stands for any text.

    Raises
    ------
    InputError
        One is not written so, or a name comes twice.

    Examples
    --------
    >>> parse_groups(["algorithms=drivers.algorithms.*"])
    {'algorithms': ('drivers.algorithms.*',)}
    """
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, patterns = text.partition("=")
        parts = tuple(part.strip() for part in patterns.split(",") if part.strip())
        if not equals or not name.strip() or not parts:
            raise InputError(
                f"--group {text}: must be NAME=PATTERN; got {shown(text)}. "
                "Write for example --group algorithms=drivers.algorithms.*, and several patterns with commas."
            )
        if name.strip() in groups:
            raise InputError(
                f"--group {text}: the group '{name.strip()}' is named twice. Put its patterns into one, with commas."
            )
        groups[name.strip()] = parts
    return groups


def check_by(by: str | None) -> None:
    """Check the name of a grouping that is built in.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> check_by("drivers")
    Traceback (most recent call last):
    simulator.errors.InputError: --by: must be driver; got 'drivers'. For other groups write --group NAME=PATTERN.
    """
    if by is not None and by not in BY:
        raise InputError(
            f"--by: must be {', '.join(BY)}; got {shown(by)}. For other groups write --group NAME=PATTERN."
        )


def group_inputs(
    inputs: Sequence[Input], *, groups: Mapping[str, Sequence[str]] | None = None, by: str | None = None
) -> tuple[Input, ...]:
    """Put inputs together; those of no group stay what they are.

    Parameters
    ----------
    inputs : sequence of Input
    groups : patterns of names by the name of the group, optional
        A `*` stands for any text; a pattern without one also takes all below it.
    by : "driver", optional
        Puts together what stands under one driver, quantity, constraint or threshold, and is in no group.

    Returns
    -------
    tuple of Input, in the order of their first priors

    Raises
    ------
    InputError
        A pattern matches nothing, two groups share an input, a group is called as an input, or `by` is unknown.

    Examples
    --------
    >>> inputs = [Input(name, (name,)) for name in ("drivers.a.start", "drivers.a.growth", "drivers.b.start")]
    >>> [(each.name, len(each.members)) for each in group_inputs(inputs, groups={"all a": ["drivers.a"]})]
    [('all a', 2), ('drivers.b.start', 1)]
    """
    check_by(by)
    member_of: dict[str, str] = {}
    for name, patterns in (groups or {}).items():
        for pattern in patterns:
            for found in _matching(inputs, pattern, name):
                if member_of.setdefault(found, name) != name:
                    raise InputError(
                        f"--group {name}={pattern}: takes {found}, which group '{member_of[found]}' has. "
                        "Shares of variance need groups that do not overlap: narrow one of the patterns."
                    )
    alone = [each.name for each in inputs if each.name not in member_of]
    if clash := sorted(set(groups or {}) & set(alone)):
        raise InputError(f"--group {clash[0]}: is the name of a prior outside the group. Give the group another name.")
    if by:
        member_of |= {name: ".".join(name.split(".")[:2]) for name in alone}
    members: dict[str, list[str]] = {}
    for each in inputs:
        members.setdefault(member_of.get(each.name, each.name), []).extend(each.members)
    return tuple(Input(name, tuple(priors)) for name, priors in members.items())


def _matching(inputs: Sequence[Input], pattern: str, group: str) -> list[str]:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    below = "" if "*" in pattern else r"(?:[.\[].*)?"
    found = [each.name for each in inputs if re.fullmatch(expression + below, each.name)]
    if not found:
        known = {".".join(each.name.split(".")[:depth]) for each in inputs for depth in range(1, 9)}
        near = near_name(pattern.replace(".*", ""), sorted(known))
        raise InputError(
            f"--group {group}={pattern}: matches no uncertain prior; those that hold one number have no share. "
            + (near or "`simulate validate SCENARIO` lists the priors. Write for example drivers.algorithms.*.")
        )
    return found


_MONEY = ((12.0, " trillion"), (9.0, " billion"), (6.0, " million"), (3.0, " thousand"), (0.0, ""))
_WATTS = ((12.0, " TW"), (9.0, " GW"), (6.0, " MW"))
_SHORT: Mapping[str, str] = MappingProxyType({"factor/year": "x/yr", "%/year": " %/yr", "OOM/year": " OOM/yr"})


def quantile_texts(priors: Mapping[str, NamedPrior], varied: Input, levels: tuple[float, ...]) -> list[str]:
    """Write what an input is at quantiles; of several members, such as yearly shocks, the quantile itself."""
    if len(varied.members) > 1:
        return [f"{100 * level:g} %" for level in levels]
    prior = priors[varied.members[0]]
    return [value_text(prior, value) for value in prior.family.ppf(np.array(levels)).tolist()]


def value_text(prior: NamedPrior, value: float) -> str:
    """Write a number of a prior, given on the internal scale, in the unit in which the file states it.

    Examples
    --------
    >>> from simulator.scenario.load import load_scenario
    >>> priors = load_scenario("baseline").joint.priors
    >>> value_text(priors["drivers.spending.start"], 8.26), value_text(priors["drivers.algorithms.growth"], 0.3)
    ('$182 million', '2x/yr')
    >>> value_text(priors["quantities.world-product.growth"], 0.011)
    '2.57 %/yr'
    """
    if math.isinf(value):
        return "never"
    stated = prior.prior.unit if prior.prior.mixture is None else None
    if prior.unit == "OOM/year":
        return _growth(value, stated or DEFAULT_GROWTH_UNIT)
    if prior.unit == "year":
        return f"{value:.1f}"
    if prior.unit == "years":
        return f"{value:.3g} years"
    if not prior.unit.startswith("log10("):
        return f"{value:.3g}"
    base = prior.unit.removeprefix("log10(").removesuffix(")")
    unit = stated or base
    return level_text(value - math.log10(parse_unit(unit).scale), unit)


def _growth(value: float, unit: str) -> str:
    conversion = parse_growth_unit(unit).conversion
    with np.errstate(divide="ignore", over="ignore"):
        number = float(conversion.inverse(np.float64(value)))  # type: ignore[arg-type]
    return f"{number:.3g}{_SHORT.get(unit, f' {unit}')}"


def level_text(log_value: float, unit: str) -> str:
    """Write a level that is given in log10 of a unit.

    Examples
    --------
    >>> level_text(9.0, "USD"), level_text(9.4, "W"), level_text(32.3, "FLOP"), level_text(-0.85, "fraction")
    ('$1 billion', '2.51 GW', '2.0e32 FLOP', '0.141')
    """
    for symbol, scales in (("USD", _MONEY), ("W", _WATTS), ("J/s", _WATTS)):
        if unit == symbol:
            found = next(((power, word) for power, word in scales if power - 1e-9 <= log_value < power + 4), None)
            if found:
                return f"{'$' if unit == 'USD' else ''}{_plain(log_value - found[0])}{found[1]}"
    named = "" if unit in ("1", "fraction") else f" {unit}"
    text = _plain(log_value) if -3 <= log_value < 5 else power_text(log_value)
    return f"{text}{named}"


def _plain(log_value: float) -> str:
    number = float(f"{10**log_value:.3g}")
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"
