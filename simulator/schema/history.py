"""What a scenario says about the history that its priors are conditioned on.

Which runs and accelerators were observed, as of which date, which of them count as the frontier, and which drivers
learn from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from simulator.errors import Fault
from simulator.schema.base import Date, Number, Spec, Text

DriverPath = Annotated[str, StringConstraints(pattern=r"^drivers\.[a-z]+(\.factors\.[a-z0-9-]+)?$")]


class LeftOut(Spec):
    """Runs that do not count, and why."""

    domains: tuple[Text, ...] = ()
    """Domains such as Games: what is of them leaves the frontier before runs are ranked."""
    names: tuple[Text, ...] = ()
    """Names of single runs."""
    reason: Text | None = None
    """Why."""

    def _faults(self) -> Iterator[Fault]:
        if not self.domains and not self.names:
            yield Fault((), "leaves nothing out.", "Write domains: [..] or names: [..].")
        elif self.names and self.reason is None:
            yield Fault(("names",), "leaves runs out without a reason.", "Add reason: why they do not count.")


class FrontierRule(Spec):
    """Which runs are of the frontier, ranked by what was known when each came out."""

    top: Annotated[int, Field(strict=True, ge=1)] | None = None
    """The so many largest at release; 1 takes the records alone. Where nothing is said 10, or 5 of the shipped table,
    which is whole as far as that."""
    within_oom: Annotated[Number, Field(gt=0.0)] | None = None
    """Instead: the runs within so many orders of magnitude of the record at release."""

    def _faults(self) -> Iterator[Fault]:
        if self.top is not None and self.within_oom is not None:
            yield Fault(("within_oom",), "stands beside top.", "Keep one of the two rules.")


class Learns(Spec):
    """Which drivers learn from history: their start and their first rate of growth."""

    spending: DriverPath = "drivers.spending"
    """What learns the spending of the largest run, USD."""
    hardware: DriverPath = "drivers.hardware"
    """What learns FLOP per USD."""


class Sampler(Spec):
    """How the posterior is sampled."""

    name: Literal["pymc", "nutpie"] = "pymc"
    """nutpie is faster and needs the extra `nutpie`; it is never chosen by itself."""
    draws: Annotated[int, Field(strict=True, ge=20, le=100_000)] = 1000
    """Draws of each chain."""
    tune: Annotated[int, Field(strict=True, ge=20, le=100_000)] = 600
    """Draws before them that tune the sampler."""
    chains: Annotated[int, Field(strict=True, ge=2, le=64)] = 4
    """Chains; whether they agree is checked."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 0
    """The seed of the chains."""


class HistoryStatement(Spec):
    """What the scenario's priors on past growth are conditioned on."""

    runs: Text = "shipped"
    """A table of training runs that `simulate history load` reads, beside the scenario file; or `shipped`."""
    accelerators: Text = "shipped"
    """A table of accelerators with prices; or `shipped`, or `none`."""
    snapshot: Date
    """The date of the estimates in the table of runs: 2026-05. Every figure names it."""
    until: Date | None = None
    """The last day whose runs are known; without it the date of the snapshot."""
    frontier: FrontierRule = Field(default_factory=FrontierRule)
    """Which runs count."""
    without: LeftOut | None = None
    """Runs that do not count, and why."""
    learns: Learns = Field(default_factory=Learns)
    """The drivers that learn."""
    record_error: Annotated[Number, Field(ge=0.0)] = 0.2
    """The standard deviation of the estimated FLOP of the largest known run, OOM; the forecast starts from it."""
    widen: dict[Literal["spending", "hardware"], Annotated[Number, Field(gt=0.0)]] = Field(default_factory=dict)
    """The least standard deviation of a learnt rate, OOM/year, where the data claim to know more than they can."""
    sampler: Sampler = Field(default_factory=Sampler)
    """How the posterior is sampled."""
    fit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] | None = None
    """Written by the simulator once the priors have learnt: the hash of model, data and priors."""

    def _faults(self) -> Iterator[Fault]:
        if self.learns.spending == self.learns.hardware:
            yield Fault(("learns",), "names one driver twice.", "Spending and hardware learn apart.")
