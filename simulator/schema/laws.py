"""Laws of growth: published forms by which AI speeds up progress, in the place of growth; records of a register.

An installed package adds one with one record in one file:

    [project.entry-points."simulator.growth_laws"]
    square-root = "our_package.square_root:LAW"

    def follow(parameters, state):                       # arrays whose axes fit one another
        return {"growth": parameters["pace"] * 10.0 ** (state["effective_compute"] / 2)}

    LAW = GrowthLaw("square-root", follow, "dS/dt = g C^(1/2)", "growth by the root of compute",
                    {"pace": LawParameter("growth at the start", "rate")})

A scenario then says `algorithms: {law: {kind: square-root, parameters: {pace: 3x/year}}}`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.errors import Fault, near_name
from simulator.registers import Register
from simulator.schema.base import Name, Spec, Text
from simulator.schema.choices import Registered
from simulator.schema.quantities import Quantity
from simulator.schema.statements import Prior
from simulator.units import Array
from simulator.wording import listed


@dataclass(frozen=True, slots=True)
class LawParameter:
    """A parameter of a law: what it is, its kind, and between which numbers one that is no level lies.

    A number is none of these itself; growth, OOM/year, is not below the lower in any sample. A level is one of the
    driver, in its unit, handed over as its log10. One with a `default` may be left out.
    """

    meaning: str
    kind: Literal["rate", "number", "level"] = "number"
    above: float = -math.inf
    below: float = math.inf
    default: float | None = None


@dataclass(frozen=True, slots=True)
class GrowthLaw:
    """A law by which a driver grows.

    `follow` is a function (or its `module:name`) of parameters by name, rates in OOM/year, and of the state by
    name: `level` of the driver before its caps, `physical_compute`, `effective_compute`, those of its `quantities`
    that are stated, and of `stocks` of its own; each log10 of what it is times what it was in the first year, and
    `start`, log10 of the level then. It gives `growth` of the level and of each stock by name, OOM/year, what it
    `tells` beside, log10 of plain numbers, and where it has a ceiling `most`, log10 of that times the level of the
    first year. All are arrays whose axes fit one another. `tells`, `quantities` and `optional` quantities say what
    each is; of `only_with`, a parameter or what is told goes with a parameter that may be left out.
    """

    name: str
    follow: str | Callable[[Mapping[str, Array], Mapping[str, Array]], Mapping[str, Array]]
    formula: str
    """The law, as the description of the format says it."""
    words: str
    """What a reader of a report is told."""
    parameters: Mapping[str, LawParameter]
    quantities: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    tells: Mapping[str, str] = field(default_factory=dict)
    stocks: tuple[str, ...] = ()
    only_with: Mapping[str, str] = field(default_factory=dict)


DECLINE = "Truncate it where nothing grows: truncated: [1, null] of x/year, [0, null] of %/year or OOM/year."
"""The remedy for growth from which a law goes on, and which is a decline in some samples."""
_GROWTH = LawParameter("growth in the first year", "rate", above=0)
_HARDER = LawParameter("beta: how much harder progress gets with what is gained", above=0)
_AUTOMATED = LawParameter("share of research that is automated in the first year", above=0, below=1)
_WIDTH = LawParameter("1/v: e-folds of effective compute per logit of what is automated", above=0)
_AUTOMATION = "share of research that is automated"
_LAWS = (
    GrowthLaw(
        "automated-research",
        "simulator.model.laws:automated_research",
        "dS/dt = k (L / (1 - f))^a C^z S^(1 - beta), ln(f / (1 - f)) = ln(E / E_half) / width",
        "growth by research that AI does more and more of, as effective compute grows",
        {
            "initial-growth": _GROWTH,
            "automated": _AUTOMATED,
            "width": _WIDTH,
            "labour-share": LawParameter("share of labour in the returns to research: a / (a + z)", above=0, below=1),
            "returns": LawParameter("returns to labour and compute together: a + z", above=0),
            "diminishing-returns": _HARDER,
        },
        {"labour": "people at work on it"},
        {"compute": "compute for research; without it physical compute"},
        {"automation": _AUTOMATION, "research": "research output, times the first year's"},
    ),
    GrowthLaw(
        "research-stock",
        "simulator.model.laws:research_stock",
        "dQ/dt = (I / (1 - f))^lambda, d ln X = (r / lambda) d ln Q (ln ceiling - ln X) / (ln ceiling - ln X_0), "
        "f as in automated-research",
        "growth by a stock of research, which gets less for its input the nearer to a ceiling it comes",
        {
            "returns": LawParameter("r: doublings of the level by each of the input, far below a ceiling", above=0),
            "parallel": LawParameter("lambda: what research that is done at once adds is its power of this", above=0),
            "earlier-growth": replace(_GROWTH, meaning="growth of the input that led to the stock of the first year"),
            "ceiling": LawParameter("the level that is never passed", "level", default=math.inf),
            "automated": replace(_AUTOMATED, default=0.0),
            "width": replace(_WIDTH, default=1.0),
        },
        {"input": "input to research: people, money"},
        tells={
            "automation": _AUTOMATION, "research": "input to research with what is automated, times the first year's",
            "stock": "stock of research, times the first year's",
        },
        stocks=("stock",),
        only_with={"automation": "automated", "width": "automated"},
    ),
    GrowthLaw(
        "automated-tasks",
        "simulator.model.laws:automated_tasks",
        "dS/dt = k E^taste CES(G^parallel, C^compute-power) S^(1 - beta), "
        "G = L ((1 - f)^(1 - rho) + f s^rho)^(1 / rho), s = ((2 - f) / (1 - f))^(speed-up width), "
        "f as in automated-research",
        "growth by experiments, for which AI codes more and more tasks, each the faster the longer it has done so",
        {
            "initial-growth": _GROWTH,
            "automated": _AUTOMATED,
            "width": _WIDTH,
            "speed-up": LawParameter("power of effective compute by which what is automated goes faster", above=0),
            "substitution": LawParameter("rho: how far tasks stand in for one another", below=0),
            "parallel": LawParameter("what coders who work at once add is their number to this power", above=0),
            "labour-weight": LawParameter("weight of coding beside compute in experiments", above=0, below=1),
            "compute-power": LawParameter("power of compute in experiments", above=0),
            "experiment-substitution": LawParameter("rho of coding and compute in experiments", below=0),
            "taste": LawParameter("power of effective compute by which experiments are chosen better", default=0.0),
            "diminishing-returns": _HARDER,
        },
        {"labour": "coders"},
        {"compute": "compute for experiments; without it physical compute"},
        {"automation": "share of coding that is automated", "coding": "coding, times the first year's",
         "research": "research output, times the first year's"},
    ),
)  # fmt: skip
GROWTH_LAWS: Register[GrowthLaw] = Register(
    "law of growth", "simulator.growth_laws", {law.name: law for law in _LAWS}, GrowthLaw
)


def _laws_in_words(names: Sequence[str]) -> str:
    """Describe laws in paragraphs and lists: formula, quantities, parameters, and what they tell."""
    listed = f"One of {', '.join(f'`{name}`' for name in names)}."
    return "\n\n".join((listed, *(_law_in_words(name, GROWTH_LAWS.find(name)) for name in names)))


def _law_in_words(name: str, law: GrowthLaw) -> str:
    said_of = {name: each.meaning for name, each in law.parameters.items()}
    stated = {name: said_of[name] for name, each in law.parameters.items() if each.default is None}
    parts = {
        "quantities": law.quantities,
        "quantities that may be left out": law.optional,
        "parameters": stated,
        "parameters that may be left out": {name: said_of[name] for name in said_of if name not in stated},
        "tells": law.tells,
    }
    said = (
        f"\n- {part}: {', '.join(f'`{key}` ({word})' for key, word in each.items())}"
        for part, each in parts.items()
        if each
    )
    return f"`{name}`, {law.words}: {law.formula}{''.join(said)}"


class Law(Spec):
    """A law by which a driver grows, in the place of growth."""

    short_for: ClassVar[str] = "{{kind: {}}}, with its parameters"
    kind: Annotated[str, Registered(GROWTH_LAWS, _laws_in_words)]
    quantities: dict[Name, Quantity] = Field(default_factory=dict)
    """What it takes of the scenario, by name: `{labour: researchers}`. What counts is how each changes from the first
    year on, so that its unit is free."""
    parameters: dict[Name, Prior] = Field(default_factory=dict)
    """Its parameters, each a prior, by name; those that `kind` lists."""
    notes: Text | None = None
    """Why."""

    @property
    def record(self) -> GrowthLaw:
        """What is known of laws of its kind."""
        return GROWTH_LAWS.find(self.kind)

    @property
    def tells(self) -> dict[str, str]:
        """What it tells beside the level, by name."""
        law = self.record
        return {key: words for key, words in law.tells.items() if law.only_with.get(key) in (None, *self.parameters)}

    def _faults(self) -> Iterator[Fault]:
        law = self.record
        for name in self.parameters:
            if (partner := law.only_with.get(name)) not in (None, *self.parameters):
                yield Fault(("parameters", name), f"goes with {partner}.", f"Write {partner}, or remove {name}.")
        for key, known, needed in (
            ("quantities", {**law.quantities, **law.optional}, law.quantities),
            ("parameters", {name: each.meaning for name, each in law.parameters.items()},
             [name for name, each in law.parameters.items()
              if each.default is None or law.only_with.get(name) in self.parameters]),
        ):  # fmt: skip
            given = getattr(self, key)
            for name in given:
                if name not in known:
                    remedy = near_name(name, known) or (f"It has {listed(known)}." if known else "Remove it.")
                    yield Fault((key, name), f"the law {self.kind} has no such {_ONE[key]}.", remedy)
            for name in needed:
                if name not in given:
                    yield Fault((key, name), "is missing.", f"The law {self.kind} needs it: {known[name]}.")


_ONE = {"quantities": "quantity", "parameters": "parameter"}
