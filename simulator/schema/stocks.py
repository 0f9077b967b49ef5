"""What a file says of stocks: what is bought, ages and is used; and by whom, in shares that add up to 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from simulator.dates import read_year
from simulator.errors import Fault
from simulator.schema.base import MOST_LIMITS, Line, Name, Spec, Text, date_faults
from simulator.schema.quantities import DECAYS, Level, Limit, Operation, Quantity, decay_fault
from simulator.schema.statements import Prior

PURCHASES = "purchases"


class Stock(Level):
    """A stock of compute, or of anything else that is bought, ages and is used; a quantity under its own name.

    Either it is `start`, to which `purchases` are added and from which what ages is taken, or it has a growth of its
    own. Its `caps` are what of it can be used: power, memory, money.
    """

    name: ClassVar[None] = None  # type: ignore[misc]  # its key is its name

    purchases: Quantity | None = None
    """What is bought, a flow (`chip/year`): an amount that grows, money divided by a price, chips made times a share;
    `{level: .., caps: ..}` puts it under limits of its own. Its name as a quantity is that of the stock and
    `-purchases`."""
    depreciation: Prior | None = None
    """The part of it that is lost within a year: `25 %/year` leaves 75 % after a year."""
    life: Prior | None = None
    """The mean time that what was bought lasts, in place of `depreciation`: `4 years`."""
    service_life: Prior | None = None
    """The time after which what was bought is retired, all at once: `5 years`, in place of both. What it holds at the
    start is of all ages alike, and goes evenly within that time."""
    caps: dict[Name, Limit] = Field(default_factory=dict, max_length=MOST_LIMITS)
    """Limits on how much of it can be used, such as power; what limits purchases, such as chips made, memory and money,
    stands within these. What is beyond a limit is bought and stands idle."""

    @property
    def adds_up(self) -> bool:
        """Whether it is what was bought and has not aged away; else it grows by itself."""
        return any(getattr(self, key) is not None for key in (PURCHASES, *DECAYS))

    def _faults(self) -> Iterator[Fault]:
        if faults := list(super()._faults()):
            yield from faults
            return
        states = [key for key in _BY_ITSELF if getattr(self, key) is not None]
        if not self.adds_up and not states:
            yield Fault((), "does not say how it grows.", f"Write {PURCHASES}: a flow, or growth: a rate.")
        elif self.adds_up and states:
            beside = next(key for key in (PURCHASES, *DECAYS) if getattr(self, key) is not None)
            rule = f"stands beside {beside}: growth of a stock by itself counts what is left."
            yield Fault((states[0],), rule, f"Keep one of the two; growth of {PURCHASES} stands within them.")
        elif self.adds_up and self.start is None:
            yield Fault((), "has no start.", "Write start: {value: .., unit: chip}, the stock at the first year.")
        elif self.service_life is not None and self.purchases is None:
            rule = f"leaves nothing after that time without {PURCHASES}."
            yield Fault(("service_life",), rule, f"Write {PURCHASES}, or life: the mean time that it lasts.")
        elif fault := decay_fault(self):
            yield fault


_BY_ITSELF = ("growth", "level", "table", "drift", "volatility", "jumps")


REST = "rest"


def _share_form(data: Any) -> str:
    return "<rest>" if data == REST else "<prior>"


Share = Annotated[
    Annotated[Prior, Tag("<prior>")] | Annotated[Literal["rest"], Tag("<rest>")], Discriminator(_share_form)
]
"""A share, or what the others leave."""


class AllocatedUse(Spec):
    """One of those who use a stock: its share, or its shares by date."""

    short_for: ClassVar[str] = "{{share: {}}}"

    share: Share | None = None
    """Its share of the stock, `30 %`; or `rest`, what the others leave."""
    shares: Annotated[dict[str, Prior], Field(min_length=2)] | None = None
    """Its share at dates: `{2025: 40 %, 2028: 20 %}`; straight between them, and before and after as at the nearest."""
    floor: Quantity | None = None
    """How much of the stock it has at least, in the unit of the stock, such as revenue divided by revenue per chip.
    Where its share is less, the others give way in proportion to theirs."""
    label: Line | None = None
    """A name for charts and tables."""
    notes: Text | None = None
    """Why."""

    @property
    def dated(self) -> tuple[tuple[float, str, Prior], ...]:
        """The dates of its shares in order, with their keys; of a share that no date changes none."""
        return tuple(sorted((read_year(date), date, share) for date, share in (self.shares or {}).items()))

    def _faults(self) -> Iterator[Fault]:
        if self.share is None and self.shares is None:
            remedy = "Write share: 30 %, share: rest, or shares: {2025: 40 %, 2028: 20 %}."
            yield Fault((), "has no share.", remedy)
        elif self.share is not None and self.shares is not None:
            yield Fault(("shares",), "stands beside share.", "Keep one of the two.")
        yield from date_faults("shares", self.shares or (), noun="date", year=2027, value="30 %")


class LargestRun(Spec):
    """The largest training run that a use of a stock comes to."""

    use: Name = "largest-run"
    """The use whose part of the stock makes the run."""
    product: Annotated[tuple[Quantity, ...], Field(min_length=1)]
    """What turns that part into FLOP, together: the speed of a chip, how much of it is used, how long the run takes."""
    label: Line | None = None
    """A name for charts and tables."""


class Allocation(Spec):
    """Who uses a stock, or any other named quantity: shares that add up to 1 in every sample and at all times.

    Either one of them is `rest`, or `scaled: true` divides each by their sum, or plain numbers add up as they stand.
    """

    uses: Annotated[dict[Name, AllocatedUse], Field(min_length=1)]
    """Who uses it, by name. A use is a quantity: `chips-inference` of the stock `chips`, `chips-inference-share`."""
    scaled: bool = False
    """Whether shares that are drawn are divided by their sum, so that they add up."""
    largest_run: LargestRun | None = None
    """The largest run that it comes to, FLOP: as a quantity the name of its use and `-compute`, for a driver to be
    (`compute: {level: chips-largest-run-compute}`) or to be held against one."""

    @property
    def rest(self) -> str | None:
        """The use that has what the others leave."""
        return next((name for name, use in self.uses.items() if use.share == REST), None)

    def _faults(self) -> Iterator[Fault]:
        rests = [name for name, use in self.uses.items() if use.share == REST]
        if len(rests) > 1:
            rule = f"is the rest, and so is {rests[0]}."
            yield Fault(("uses", rests[1], "share"), rule, "Give all but one a share.")
        elif rests and self.scaled:
            remedy = f"Remove scaled, or give {rests[0]} a share."
            yield Fault(("scaled",), f"stands beside the rest, {rests[0]}, by which shares add up already.", remedy)
        if self.largest_run is not None and self.largest_run.use not in self.uses:
            known = ", ".join(self.uses)
            yield Fault(("largest_run", "use"), f"there is no use '{self.largest_run.use}'.", f"There are: {known}.")


class AllocatedShare(Operation):
    """The share that a use has of a stock, as a quantity; made where a scenario is read, and never written."""

    allocation: Allocation
    use: Name
    of: Name

    @property
    def floors(self) -> dict[str, Quantity]:
        """The floors of all uses, by name of the use."""
        return {name: use.floor for name, use in self.allocation.uses.items() if use.floor is not None}

    @property
    def place(self) -> int:
        """Its number among the uses."""
        return [*self.allocation.uses].index(self.use)

    @property
    def is_constant(self) -> bool:
        """Whether time changes none of the shares."""
        return not self.floors and all(use.shares is None for use in self.allocation.uses.values())
