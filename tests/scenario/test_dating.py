"""A start without a date holds at the first year of the file that wrote it, and nothing moves it from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator import describe_scenario, load_scenario, load_variants, simulate
from simulator.errors import ScenarioError, as_path
from simulator.runs.crossings import crossing_years
from simulator.scenario.layers import lookup

PARENT = """
schema: 2
name: parent
years: {first: 2025.5, last: 2040}
samples: 16
drivers:
  spending: {start: $400 million, growth: 2x/year}
  hardware: {factors: {price: {start: 1e18 FLOP/USD, growth: 1.4x/year}, precision: {growth: 1.2x/year}}}
  algorithms: {growth: [{rate: 2x/year}, {from: 2030, rate: {quantity: {start: 0.3 fraction/year}, unit: ln/year}}], caps: {most: {limit: {start: 1e6, growth: 1.1x/year}}}}
quantities:
  stock: {accumulation: {start: {value: 2, unit: chip/year}}, start: {value: 1, unit: chip}}
  peak: {highest: {start: {value: 2, unit: chip}, growth: 0.9x/year}}
thresholds:
  moving: {effective_compute: {start: 1e29 FLOP, growth: 1.1x/year}}
"""
DATED = (
    "drivers.spending", "drivers.hardware.factors.price", "drivers.hardware.factors.precision", "drivers.algorithms",
    "drivers.algorithms.caps.most.limit", "quantities.stock", "quantities.stock.accumulation",
    "drivers.algorithms.growth[1].rate.quantity", "quantities.peak", "quantities.peak.highest", "thresholds.moving.effective_compute",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parent.yaml").write_text(PARENT)
    return tmp_path


def child(folder: Path, text: str) -> str:
    file = folder / "child.yaml"
    file.write_text(f"schema: 2\nname: child\nextends: ./parent.yaml\n{text}")
    return str(file)


def at(data: object, name: str) -> object:
    return lookup(data, (*as_path(name), "at"))


def test_every_level_is_dated_in_the_scenario_that_is_stored(folder: Path) -> None:
    for overrides in ([], ["years.first=2027"], ["years.first=2026 Q3"]):
        data = load_scenario(folder / "parent.yaml", overrides=overrides).data
        assert {at(data, name) for name in DATED} == {2025.5}, overrides
        assert load_scenario(dict(data)).data == data


def test_a_child_that_begins_later_moves_no_start_of_its_parent(folder: Path) -> None:
    data = load_scenario(child(folder, "years: {first: mid-2027}\ndrivers: {spending: {growth: 3x/year}}")).data
    assert {at(data, name) for name in DATED} == {2025.5}


def test_a_start_that_a_child_writes_holds_at_the_childs_first_year(folder: Path) -> None:
    own = load_scenario(child(folder, "years: {first: mid-2027}\ndrivers: {spending: {start: $1 billion}}"))
    assert (at(own.data, "drivers.spending"), own.spec.drivers.spending.at) == ("mid-2027", 2027.5)
    theirs = load_scenario(child(folder, "drivers: {spending: {start: $1 billion}}"))
    assert at(theirs.data, "drivers.spending") == 2025.5
    written = load_scenario(child(folder, "years: {first: 2027}\ndrivers: {spending: {start: $1 billion, at: 2026}}"))
    assert at(written.data, "drivers.spending") == 2026


def test_what_states_its_levels_otherwise_keeps_no_date_that_nobody_wrote(folder: Path) -> None:
    table = "{start: null, growth: null, table: {2025: 1e8, 2041: 1e10}, unit: USD}"
    data = load_scenario(child(folder, f"drivers: {{spending: {table}}}")).data
    assert at(data, "drivers.spending") is None
    dated = PARENT.replace("{start: $400 million,", "{at: 2024, start: $400 million,")
    (folder / "parent.yaml").write_text(dated)
    assert at(load_scenario(child(folder, f"drivers: {{spending: {table}}}")).data, "drivers.spending") is None


def test_variants_and_mixtures_move_no_start(folder: Path) -> None:
    varied = PARENT + "variants: {late: {years: {first: 2030}}, own: {drivers: {spending: {start: $1 billion}}}}\n"
    (folder / "varied.yaml").write_text(varied)
    found = load_variants(folder / "varied.yaml")
    assert {at(each.data, name) for each in found.values() for name in DATED} == {2025.5}
    mixed = "schema: 2\nname: mixed\nyears: {first: 2027, last: 2040}\nmixture:\n"
    mixed += "  - {weight: 1, scenario: ./parent.yaml}\n  - {weight: 1, name: other, scenario: ./parent.yaml}\n"
    (folder / "mixed.yaml").write_text(mixed)
    for entry in load_scenario(folder / "mixed.yaml").data["mixture"]:
        assert {at(entry["scenario"], name) for name in DATED} == {2025.5}


def test_the_frontier_of_the_baseline_stays_where_it_is_when_the_years_begin_later() -> None:
    early = simulate(load_scenario("baseline", overrides=["samples=100"]))
    late = simulate(load_scenario("baseline", overrides=["samples=100", "years.first=2027"]))
    for name in ("1e30-run", "million-x-gpt-4", "hundred-billion-dollar-run"):
        before, after = (crossing_years(run, name).values for run in (early, late))
        np.testing.assert_allclose(after, np.maximum(before, 2027.0), atol=1e-4)


def test_what_was_dated_by_default_is_said(folder: Path) -> None:
    said = [line for line in describe_scenario(folder / "parent.yaml") if line.startswith("at: ")]
    assert len(said) == 1
    assert all(name in said[0] for name in DATED)
    assert not [line for line in describe_scenario("baseline") if line.startswith("at: ")]


def test_a_first_year_that_is_none_is_its_own_fault_alone(folder: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario(child(folder, "years: {first: early 2027}\ndrivers: {spending: {start: $1 billion}}"))
    assert [fault.entry for fault in refused.value.faults] == ["years.first"]
