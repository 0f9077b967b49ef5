"""What a scenario chooses by name beside its priors: laws of saturation and designs of draws.

An installed package adds one with one record in one file:

    [project.entry-points."simulator.saturation_laws"]
    square-root = "our_package.square_root:LAW"

    def square_root(log_level, log_limit):               # arrays whose axes fit one another
        return np.minimum(log_level, log_limit) - ...

    LAW = SaturationLaw("square-root", square_root, "V / sqrt(1 + (V/L)^2)", "a ceiling between soft and hard")

A scenario then says `caps: {cash: {kind: square-root, limit: ..}}`; in the same way, from the entry points
`simulator.draw_designs`, `design: our-design`. The names of entry point and record are the same.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from simulator.errors import Fault, InputError
from simulator.registers import Register
from simulator.schema.base import Faults
from simulator.units import Array

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

_MODEL, _STREAMS = "simulator.model.saturation", "simulator.priors.streams"


@dataclass(frozen=True, slots=True)
class SaturationLaw:
    """A law by which a level bends under its limit.

    `bend` is a function (or its `module:name`) of the log10 of level V and limit L, (sample, year) or shapes that fit
    it, to the log10 of the bent level; with `from_start` it also takes `log_start`, that of the level at the start.
    What it gives rises with V and with L and exceeds neither, and a year depends on that year alone. A law that is an
    equation of motion has a `step` too, a function that moves a bent level on while V and L go straight from one level
    each to another (see `gompertz_step`): it is followed from the start where the limit moves. Of laws whose
    levels round to one number far above their limits, the one of the lowest `rank` counts as leaving the least.
    """

    name: str
    bend: str | Callable[..., Array]
    formula: str
    """The law, as the description of the format says it."""
    words: str
    """What a reader of a report is told."""
    rank: int = 0
    from_start: bool = False
    step: str | Callable[..., Array] | None = None


@dataclass(frozen=True, slots=True)
class DrawDesign:
    """A design of draws: how the uniform numbers of a block are spread.

    `uniforms` is a function (or its `module:name`) of names, and by keyword `seed`, `blocks` (a range of their
    numbers) and `size` (samples in a block); it gives an array (name, block x size) in [0, 1]. The numbers of one name
    in one block must depend on its name, the seed, the block and the size alone.
    """

    name: str
    uniforms: str | Callable[..., Array]
    guarantees: str
    """What holds of each block."""
    stratified: bool = True
    """Whether each prior of a block has one number in each of as many equal strata as there are samples."""


_LAWS = (
    SaturationLaw("hard", f"{_MODEL}:hard_saturation", "min(V, L)", "a hard ceiling, nothing rises above it", rank=4),
    SaturationLaw("exponential", f"{_MODEL}:exponential_saturation", "L (1 - exp(-V/L))",
                  "a soft ceiling that growth bends towards and never reaches (exponential law)", rank=3),
    SaturationLaw("logistic", f"{_MODEL}:logistic_saturation", "V / (1 + V/L)",
                  "a soft ceiling that growth bends towards from far below (logistic law)", rank=1),
    SaturationLaw("gompertz", f"{_MODEL}:gompertz_saturation", "growth falls with the logarithmic distance to L",
                  "growth slows as it comes near, by the number of factors that are left (Gompertz law)", rank=2,
                  from_start=True, step=f"{_MODEL}:gompertz_step"),
)  # fmt: skip
LAWS: Register[SaturationLaw] = Register(
    "law of saturation", "simulator.saturation_laws", {law.name: law for law in _LAWS}, SaturationLaw
)

_DESIGNS = (
    DrawDesign("latin-hypercube", f"{_STREAMS}:latin_hypercubes",
               "Each prior of a block has one number in each of as many equal strata as there are samples, in an order "
               "of its own, drawn at random."),
    DrawDesign("random", f"{_STREAMS}:random_numbers", "Independent numbers; nothing is evened out.", stratified=False),
)  # fmt: skip
DESIGNS: Register[DrawDesign] = Register(
    "design of draws", "simulator.draw_designs", {design.name: design for design in _DESIGNS}, DrawDesign
)


def law_words(names: Sequence[str]) -> str:
    """Describe laws in one text, each by its formula."""
    return textwrap.fill(f"{'; '.join(f'{name}: {LAWS.find(name).formula}' for name in names)}.", 110)


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """Says of a field that it is a name of a register: known when it is read, and listed in the JSON Schema.

    `describe` gives the description of the field from the names; without it that of the field stands.
    """

    register: Register[Any]
    describe: Callable[[Sequence[str]], str] | None = None

    def known(self, name: object) -> object:
        """Refuse a name that the register has not."""
        if not isinstance(name, str) or (name not in self.register.shipped and name not in self.register):
            raise Faults([Fault((), *self.register.expected(name))])
        if name not in self.register.shipped:
            try:
                self.register.find(name)
            except InputError as error:  # what its package offers cannot be had
                raise Faults([Fault((), str(error))]) from None
        return name

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.known, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        names = tuple(name for name, _ in self.register.usable())
        said = {"description": self.describe(names)} if self.describe else {}
        return handler(schema) | {"enum": list(names)} | said
