"""Scenarios before they run: what was understood of them, what is odd, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from simulator.engine.plan import plan_warnings
from simulator.engine.simulation import sample_warnings
from simulator.errors import InputError, Place, PlacedFault, ScenarioError
from simulator.runs.table import Row, Table
from simulator.scenario.describing import defaults_taken, describe_scenario
from simulator.scenario.load import load_with_variants
from simulator.scenario.resolving import Scenario


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found of one scenario: it and the names of its variants, or why it cannot be read."""

    name: str
    scenario: Scenario | None = None
    variants: tuple[str, ...] = ()
    error: InputError | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd, though no fault."""
        return () if self.scenario is None else (*plan_warnings(self.scenario), *sample_warnings(self.scenario))

    def lines(self, *, quiet: bool = False) -> Iterator[str]:
        """Say each prior, unless quiet, and that there are no faults; nothing where there are."""
        if self.scenario is None:
            return
        if not quiet:
            yield from describe_scenario(self.scenario)
            yield from defaults_taken(self.scenario)
        more = f"; variants: {', '.join(self.variants)}" if self.variants else ""
        yield f"{self.name}: no faults ({self.scenario.counted}{more})"

    def faults(self) -> tuple[PlacedFault, ...]:
        """What is wrong, each with its place."""
        if isinstance(self.error, ScenarioError):
            return self.error.faults
        return () if self.error is None else (PlacedFault(Place(self.name), "", str(self.error)),)


def validated(names: Iterable[str], changes: Sequence[str] = ()) -> Iterator[Validation]:
    """Read scenarios one after the other; a faulty one keeps none of the others."""
    for name in names:
        try:
            scenario, variants = load_with_variants(name, overrides=changes)
        except InputError as error:
            yield Validation(name, error=error)
        else:
            yield Validation(name, scenario, tuple(variants))


def validation_tables(found: Sequence[Validation]) -> dict[str, Table]:
    """Lay out what was found: scenarios, priors, warnings, faults, each with the name of the scenario."""
    rows: dict[str, list[Row]] = {"scenarios": [], "priors": [], "warnings": [], "faults": []}
    for each in found:
        components = each.scenario.components if each.scenario else ()
        rows["scenarios"].append({"scenario": each.name, "holds": each.error is None})
        rows["priors"] += [
            {"scenario": each.name, "component": part.name, "name": name, "understood": prior.understood,
             "unit": prior.stated_unit, "source": prior.prior.source}
            for part in components for name, prior in part.joint.priors.items()
        ]  # fmt: skip
        rows["warnings"] += [{"scenario": each.name, "warning": warning} for warning in each.warnings]
        rows["faults"] += [
            {"scenario": each.name, "file": fault.place.file, "line": fault.place.line, "column": fault.place.column,
             "entry": fault.entry, "rule": fault.rule, "remedy": fault.remedy}
            for fault in each.faults()
        ]  # fmt: skip
    return {name: Table.of_rows(lines) for name, lines in rows.items()}
