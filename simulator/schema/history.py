"""What a scenario says about the history that its priors are conditioned on.

Which runs and accelerators were observed, as of which date, which of them count as the frontier, and which drivers
learn from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from simulator.errors import Fault
from simulator.schema.base import AmountIn, Date, Line, Number, Spec, Text, Year, year_faults
from simulator.schema.statements import Prior

DriverPath = Annotated[str, StringConstraints(pattern=r"^drivers\.[a-z]+(\.factors\.[a-z0-9-]+)?$")]
ObservedName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*|physical_compute)$", max_length=60)]
LevelPath = Annotated[
    str, StringConstraints(pattern=r"^(drivers\.[a-z]+(\.factors\.[a-z0-9-]+)?|quantities\.[a-z0-9-]+)$")
]
Spread = Annotated[Number, Field(gt=0.0), AmountIn("OOM/year")]


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
    within_oom: Annotated[Number, Field(gt=0.0), AmountIn("OOM")] | None = None
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


class ChangePoint(Spec):
    """One change of a growth rate, fitted to a series: its date, both rates and the level are learnt together."""

    of: LevelPath = "drivers.compute"
    """What learns: a driver, a factor or a quantity (`quantities.power`) with a start and two rates. Its priors say
    what is believed before: of the start, of the first rate, of the date `from` which the second holds, of that."""
    series: Text | None = None
    """A table of one's own with the columns date, value and label, beside the scenario file; values are in the unit of
    the level's start. Without it the table of runs tells, by that unit: FLOP, USD of cost, or FLOP/USD."""
    scatter: Annotated[Number, Field(gt=0.0), AmountIn("OOM")] = 1.0
    """The scale of the half-normal prior of the scatter of values about the two lines, OOM."""


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


class ObservedPoint(Spec):
    """One observation in numbers; written by the simulator."""

    at: Year
    """When."""
    log10: Number
    """How much, log10 of base units."""
    spread: Number = 0.0
    """The standard deviation of the estimate, OOM."""
    label: Text | None = None
    """What it is of."""


class Observed(Spec):
    """What was observed of a quantity: one number at a date, or a table of supply."""

    at: Year | None = None
    """The date of the number."""
    value: Prior | None = None
    """The number with its unit: `16 million chip`; or with its interval, as an entry of the library has it, which is
    then its error."""
    table: Text | None = None
    """An export of supply that `simulate history load` reads, beside the scenario file."""
    measure: Text | None = None
    """What of the table: h100e, units, power, cost, compute, ...; without it the first that it has."""
    only: Text | None = None
    """Of one maker, owner, chip, site or company; without it the world's, or the largest so far."""
    error: Annotated[Number, Field(gt=0.0)] | None = None
    """The standard deviation of the error of each observation by itself, OOM. Intervals in a table are errors beside
    it, which its rows share."""
    label: Line | None = None
    """A name for charts."""
    source: Text | None = None
    """Where it comes from."""
    points: tuple[ObservedPoint, ...] = ()
    """What that is in numbers; written by the simulator, so that a run can be repeated without the file."""

    def _faults(self) -> Iterator[Fault]:
        yield from year_faults(("at",), self.at, example=2025.99)
        given = [key for key in ("value", "table") if getattr(self, key) is not None]
        if len(given) != 1:
            yield Fault((), f"needs one of value and table; has {len(given)}.", "Write {at: .., value: .., error: ..}.")
            return
        apart = ("measure", "only") if self.table is None else ("at",)
        for key in apart:
            if getattr(self, key):
                yield Fault((key,), f"does not go with {given[0]}.", "Remove it.")
        if self.value is not None and self.at is None:
            yield Fault(("at",), "is missing: the date of the number.", "Write at: 2025.99, or a date.")
        if self.value is not None and (self.value.input is not None or self.value.function is not None):
            yield Fault(("value",), "follows another prior, and what was observed does not.", "Write its numbers.")
        if self.error is None and (self.value is None or self.value.value is not None):
            rule = "is missing: how far an observation may be from what it is of, OOM."
            yield Fault(("error",), rule, "Write error: 0.1 for a standard deviation of 26 %.")


class ModelPriors(Spec):
    """What is believed of the unknowns of the model of history before it sees a run (docs/model.md).

    What is not stated is of the library `history`. Growth is the first rate of the drivers that learn.
    """

    compute_level: Prior | None = None
    """Compute of a frontier run at the start of 2012, FLOP; a table that begins in another year has the level that
    the prior growth leads to, with its error."""
    efficiency_level: Prior | None = None
    """FLOP per USD at the start of 2012."""
    spending_volatility: Prior | None = None
    """The scatter of a year's growth of spending, OOM/year."""
    efficiency_volatility: Prior | None = None
    """The scatter of a year's growth of FLOP per USD, OOM/year."""
    run_scatter: Prior | None = None
    """The scatter of frontier runs about their trend, OOM."""
    cost_scatter: Prior | None = None
    """The scatter of costs about what the compute costs, OOM."""
    accelerator_scatter: Prior | None = None
    """The scatter of accelerators about the trend of their speed per USD, OOM."""
    error_confident: Prior | None = None
    """The standard deviation of an estimate of compute that is confident, OOM."""
    error_likely: Prior | None = None
    """The same of one that is likely."""
    error_speculative: Prior | None = None
    """The same of one that is speculative, or of which nobody says."""
    run_tail: Prior | None = None
    """Degrees of freedom of the scatter of runs, above 1."""
    cost_tail: Prior | None = None
    """Degrees of freedom of the scatter of costs, above 2.5."""
    cost_slope: Prior | None = None
    """By how much log cost is higher where log compute is higher by 1 than the trend."""
    accelerator_offset: Prior | None = None
    """Seconds of use that an accelerator's price pays for: FLOP per USD of runs over FLOP/s per USD of accelerators."""


class HistoryStatement(Spec):
    """What the scenario's priors on past growth are conditioned on."""

    runs: Text = "shipped"
    """A table of training runs that `simulate history load` reads, beside the scenario file; or `shipped`, or the name
    of a shipped one: `three-largest-to-2022`; or `none`, where nothing but `quantities` was observed."""
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
    quantities: dict[ObservedName, Annotated[tuple[Observed, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """What was observed of named quantities, or of spending, hardware, algorithms and physical_compute; the priors that
    they are made of learn from it."""
    learns: Learns = Field(default_factory=Learns)
    """The drivers that learn."""
    change_point: ChangePoint | None = None
    """Instead of spending and hardware, which `learns` names: one level learns when its growth changed, and both
    rates. All runs of the table count, unless `frontier` chooses."""
    record_error: Annotated[Number, Field(ge=0.0), AmountIn("OOM")] = 0.2
    """The standard deviation of the estimated FLOP of the largest known run, OOM."""
    from_record: Annotated[Number, Field(ge=0.0, le=1.0), AmountIn("1")] = 1 / 3
    """The share of samples that start from the largest known run; the others start from the trend and the largest run
    of a year about it, since a record far above the trend may be one whose estimate is off."""
    widen: dict[Literal["spending", "hardware"], Annotated[Number, Field(gt=0.0), AmountIn("OOM/year")]] = Field(
        default_factory=dict
    )
    """The least standard deviation of a learnt rate, OOM/year, where the data claim to know more than they can."""
    priors: ModelPriors = Field(default_factory=ModelPriors)
    """What the model of history believes before it sees the data."""
    sampler: Sampler = Field(default_factory=Sampler)
    """How the posterior is sampled."""
    fit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] | None = None
    """Written by the simulator once the priors have learnt: the hash of model, data and priors."""

    def _faults(self) -> Iterator[Fault]:
        if self.learns.spending == self.learns.hardware:
            yield Fault(("learns",), "names one driver twice.", "Spending and hardware learn apart.")
        if self.runs == "none" and (self.change_point is not None or not self.quantities):
            rule = "is none, and quantities alone do without it: a change point does not, and nothing else is observed."
            yield Fault(("runs",), rule, "Name a table, or shipped; or write quantities.")
        if self.change_point is None:
            return
        apart = ("learns", "accelerators", "record_error", "from_record", "widen")
        unread = (*apart, "runs", "frontier", "without") if self.change_point.series else apart
        for key in unread:
            if key in self.model_fields_set:
                rule = f"says nothing to a change point of {self.change_point.series or self.change_point.of}."
                yield Fault((key,), rule, f"Remove it, or, where it is inherited, write {key}: null.")
