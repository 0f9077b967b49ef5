"""What a file says of who uses a stock: shares that add up to 1 in every sample, floors, and the largest run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from simulator.dates import read_year
from simulator.errors import Fault
from simulator.schema.base import Line, Name, Spec, Text, date_faults
from simulator.schema.quantities import Operation, Quantity
from simulator.schema.statements import Prior

REST = "rest"


def _share_form(data: Any) -> str:
    return "<rest>" if data == REST else "<prior>"


Share = Annotated[
    Annotated[Prior, Tag("<prior>")] | Annotated[Literal["rest"], Tag("<rest>")], Discriminator(_share_form)
]
"""A share, or what the others leave."""


class AllocatedUse(Spec):
    """One of those who use a stock: its share, or its shares by date."""

    @classmethod
    def no_group(cls, given: object) -> tuple[str, str]:
        """Say that what is given is no use, but may be its share."""
        rule, remedy = super().no_group(given)
        return rule, f"Write {{share: {given}}}." if isinstance(given, str) else remedy

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
