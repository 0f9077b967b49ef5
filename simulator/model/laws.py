"""Laws of growth: how fast a driver grows by what AI can do; the equations, and what they say at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, SimulatorError, dotted
from simulator.model.growth import LN_10
from simulator.model.quantities import Chain, quantity_level
from simulator.registers import attribute_at
from simulator.schema.laws import DECLINE, Law
from simulator.schema.prior_names import stated_drivers
from simulator.schema.subjects import level_name
from simulator.units import Array
from simulator.wording import percent

type Follow = Callable[[Mapping[str, Array], Mapping[str, Array]], Mapping[str, Array]]

COMPUTES = ("physical_compute", "effective_compute")
"""What every law is told beside what it takes."""
_MOST_LN = 700.0
"""The largest power of e that is computed: what grows so fast is beyond all numbers."""


@dataclass(frozen=True, slots=True)
class DriverLaw:
    """The law by which a driver of a block grows: where it stands, its function, its drawn parameters, (sample,).

    `stocks` are those of its record, which is looked up once: of an installed law that takes a search of all packages.
    """

    path: Path
    law: Law
    follow: Follow
    parameters: Mapping[str, Array]
    stocks: tuple[str, ...]

    def taken(self, rows: NDArray[np.intp] | slice) -> DriverLaw:
        """Take some samples."""
        taken = {name: each if each.size == 1 else each[rows] for name, each in self.parameters.items()}
        return replace(self, parameters=taken)

    def takes(self) -> dict[str, Path]:
        """Give the places of the quantities that it takes, by what they are to it."""
        return {name: (*self.path, "quantities", name) for name in self.law.quantities}


def laws_of(chain: Chain) -> dict[str, DriverLaw]:
    """Find the laws by which drivers grow, by the name of the variable."""
    drivers, found = stated_drivers(chain.block.spec), dict[str, DriverLaw]()
    for name, subject in chain.subjects.items():
        law = drivers[subject.driver].law if subject.path[0] == "drivers" else None
        if law is not None:
            record, path = law.record, (*subject.path, "law")
            drawn = {
                key: chain.block.draw((*path, "parameters", key)) if key in law.parameters
                else np.array([each.default], dtype=np.float64)
                for key, each in record.parameters.items()
            }  # fmt: skip
            for key, each in record.parameters.items():
                if each.kind == "rate" and (falls := drawn[key] < each.above).any():
                    rule = f"is a decline in {percent(float(falls.mean()))} of the samples"
                    raise SimulatorError(f"{dotted((*path, 'parameters', key))}: {rule}. {DECLINE}")
            found[name] = DriverLaw(path, law, cast("Follow", attribute_at(record.follow)), drawn, tuple(record.stocks))
    return found


def told_by_law(driver: str, chain: Chain, times: Array) -> dict[str, Array]:
    """Compute what the law of a driver tells beside its level, (sample, time), log10 of plain numbers."""
    name = level_name(("drivers", driver))
    law, block, first = laws_of(chain)[name], chain.block, np.array([chain.block.spec.years.first])

    def since(level: Callable[[Array], Array]) -> Array:
        return np.asarray(level(times) - level(first))

    state = {each: since(partial(chain.level, each)) for each in COMPUTES}
    state["level"] = since(partial(chain.demanded, name))
    for key, path in law.takes().items():
        state[key] = since(partial(quantity_level, law.law.quantities[key], path, block))
    state["start"] = chain.demanded(name, first)
    for stock in law.stocks:
        state[stock] = cast("Array", block.between((*law.path, stock), times, straight=True))
    found = law.follow({key: each[:, None] for key, each in law.parameters.items()}, state)
    return {key: state[key] if key in law.stocks else found[key] for key in law.law.tells}


def _power(log: Array) -> Array:
    return np.asarray(np.exp(np.minimum(log, _MOST_LN)))


def _automated(parameters: Mapping[str, Array], state: Mapping[str, Array]) -> tuple[Array, Array]:
    """Give the log of what automation speeds research up by, (1 - f) of the first year over 1 - f, and log10 of f."""
    with np.errstate(divide="ignore"):  # of nothing that is automated
        people = np.log1p(-parameters["automated"])
        odds = np.log(parameters["automated"]) - people + LN_10 * state["effective_compute"] / parameters["width"]
    return np.logaddexp(0.0, odds) + people, -np.logaddexp(0.0, -odds) / LN_10


def automated_research(parameters: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, Array]:
    """Let research that AI automates more and more raise a level S (Kwa, METR, 2026).

    dS/dt = k (L / (1 - f))^a C^z S^(1 - beta), ln(f / (1 - f)) = ln(E / E_half) / width, with labour L, compute C and
    effective compute E, all times what they were in the first year, in which S grows by `initial-growth` and f is
    `automated`; a = `labour-share` x `returns`, z = `returns` - a, beta `diminishing-returns`. No task stands in for
    another: what is automated speeds the rest up by 1 / (1 - f). Limits: as f goes to 0, research by people alone;
    where a / width exceeds beta, a level without bound in finite time.

    Told are f, `automation`, and `research`: (L / (1 - f))^a C^z times that of the first year.

    >>> given = {"initial-growth": 0.7, "automated": 0.4, "width": 2.0, "labour-share": 0.25, "returns": 0.8,
    ...          "diminishing-returns": 0.5}
    >>> now = {"level": 1.0, "physical_compute": 0.5, "effective_compute": 1.5, "labour": 0.3}
    >>> {name: float(value.round(3)) for name, value in automated_research(given, now).items()}
    {'growth': 0.625, 'automation': -0.103, 'research': 0.451}
    """
    speed, automation = _automated(parameters, state)
    labour = parameters["labour-share"] * parameters["returns"]
    compute = LN_10 * state.get("compute", state["physical_compute"])
    research = labour * (LN_10 * state["labour"] + speed) + (parameters["returns"] - labour) * compute
    harder = parameters["diminishing-returns"] * LN_10 * state["level"]
    growth = parameters["initial-growth"] * _power(research - harder)
    return {"growth": growth, "automation": automation, "research": research / LN_10}


def research_stock(parameters: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, Array]:
    """Let a stock of research raise a level X with diminishing returns, under a ceiling (Davidson, 2023).

    dQ/dt = (I / (1 - f))^lambda, d ln X = (r / lambda) p d ln Q, p = (ln ceiling - ln X) / (ln ceiling - ln X_0), with
    lambda `parallel`, r `returns`, I `input` and X_0 the level of the first year; f is automated as in
    `automated_research`, and 0 where it is not stated. In the first year Q grows lambda times as fast as the input did
    before, by `earlier-growth`. Limits: far below the ceiling X goes with Q^(r / lambda); at or above it it stands.
    Where the input goes on as before, ln X is a Gompertz curve.

    Told are f, `automation`, I / (1 - f), `research`, and Q, `stock`, times those of the first year; what it gives as
    `stock` is how fast Q grows, and `most` what the level never passes.

    >>> given = {"returns": 5.0, "parallel": 0.7, "earlier-growth": 0.02, "ceiling": 26.0, "automated": 0.0, "width": 1}
    >>> now = {"level": 2.0, "start": 17.0, "input": 0.3, "stock": 0.2, "effective_compute": 4.0}
    >>> {name: float(value.round(4)) for name, value in research_stock(given, now).items() if name != "automation"}
    {'growth': 0.0796, 'research': 0.3, 'stock': 0.0143, 'most': 9.0}
    """
    speed, automation = _automated(parameters, state)
    research = state["input"] + speed / LN_10
    gained = parameters["parallel"] * research - state["stock"]
    stock = parameters["parallel"] * parameters["earlier-growth"] * _power(LN_10 * gained)
    room = parameters["ceiling"] - state["start"]
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.where(np.isinf(room), 1.0, np.where(room > 0.0, np.maximum(room - state["level"], 0.0) / room, 0.0))
    growth = parameters["returns"] / parameters["parallel"] * left * stock
    most = np.maximum(room, 0.0)
    return {"growth": growth, "automation": automation, "research": research, "stock": stock, "most": most}


def automated_tasks(parameters: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, Array]:
    """Let experiments, for which AI codes more and more tasks, raise a level S (AI Futures, 2025, in outline).

    dS/dt = k E^taste X S^(1 - beta), where X is a CES, with the exponent `experiment-substitution`, of G^parallel and
    C^compute-power with the weights `labour-weight` and the rest. Coding G = L H is a CES over tasks, with the exponent
    rho `substitution`: H = ((1 - f)^(1 - rho) + f s^rho)^(1 / rho). A share f is automated as in `automated_research`;
    a task that is goes faster as a power `speed-up` of effective compute since, and all of them count as the one in
    their middle does, by s = ((2 - f) / (1 - f))^(speed-up width). All is times what it was in the first year. Limits:
    f near 0, labour alone; near 1, L E^speed-up; rho far below 0, L times the smaller of 1 / (1 - f) and s.

    Told are f, `automation`, G, `coding`, and E^taste X, `research`.

    >>> given = {"initial-growth": 0.5, "automated": 0.3, "width": 2.0, "speed-up": 0.5, "substitution": -2.0,
    ...          "parallel": 0.5, "labour-weight": 0.4, "compute-power": 0.65, "experiment-substitution": -0.155,
    ...          "taste": 0.1, "diminishing-returns": 0.7}
    >>> now = {"level": 1.0, "physical_compute": 0.5, "effective_compute": 1.5, "labour": 0.3}
    >>> {name: float(value.round(3)) for name, value in automated_tasks(given, now).items()}
    {'growth': 0.305, 'automation': -0.151, 'coding': 0.703, 'research': 0.486}
    """

    def faster(speed: Array, automation: Array) -> Array:
        """Give ln H where -ln(1 - f) and ln f are these."""
        rho = parameters["substitution"]
        done = automation + rho * parameters["speed-up"] * parameters["width"] * np.logaddexp(0.0, speed)
        return np.asarray(np.logaddexp((rho - 1.0) * speed, done) / rho)

    speed, automation = _automated(parameters, state)
    people = -np.log1p(-parameters["automated"])
    coding = LN_10 * state["labour"] + faster(speed + people, LN_10 * automation)
    coding = coding - faster(people, np.log(parameters["automated"]))
    compute, rho = LN_10 * state.get("compute", state["physical_compute"]), parameters["experiment-substitution"]
    by_labour = np.log(parameters["labour-weight"]) + rho * parameters["parallel"] * coding
    by_compute = np.log1p(-parameters["labour-weight"]) + rho * parameters["compute-power"] * compute
    research = np.logaddexp(by_labour, by_compute) / rho + parameters["taste"] * LN_10 * state["effective_compute"]
    harder = parameters["diminishing-returns"] * LN_10 * state["level"]
    growth = parameters["initial-growth"] * _power(research - harder)
    return {"growth": growth, "automation": automation, "coding": coding / LN_10, "research": research / LN_10}
