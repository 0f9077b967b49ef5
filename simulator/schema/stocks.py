"""What a file says of stocks: what is bought, ages and is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from simulator.errors import Fault
from simulator.schema.base import MOST_LIMITS, Name
from simulator.schema.quantities import DECAYS, Level, Limit, Quantity, decay_fault
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
