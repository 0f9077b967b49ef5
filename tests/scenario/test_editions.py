"""A file of the first edition is rewritten so that it means what it meant, with its comments and its layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import InputError, ScenarioError
from simulator.scenario.editions import is_first_edition, upgrade_file, upgraded_text
from simulator.scenario.load import load_scenario, parse_scenario

FIRST = """\
# what we think
schema: 1
name: ours
years: {first: 2025.5, last: 2035}
inputs:
  pace: {value: 2}                        # an input that stands for a rate
drivers:
  spending:
    start: {value: 4e8, unit: USD}        # 2023 dollars
    growth:
      - rate: 2.4                         # a factor
      - {from: 2028, rate: {input: pace}}
    caps: {product: {share: 0.01, of: world}}
  hardware: {start: {value: 1e18, unit: FLOP/USD}, growth: {median: 1.3, interval_90: [1.2, 1.5]}}
  algorithms: {growth: {value: 8, unit: months/halving}}
quantities:
  world: {start: {value: 1e14, unit: USD}, growth: {value: 3, unit: "%/year"}}
thresholds:
  late: {spending: 1e10, delay: {median: 1, interval_90: [0.5, 2]}}
variants:
  fast: {drivers: {hardware: {growth: 2}}}
"""
SECOND = """\
# what we think
schema: 2
name: ours
years: {first: 2025.5, last: 2035}
inputs:
  pace: {unit: x/year, value: 2}          # an input that stands for a rate
drivers:
  spending:
    at: 2025.5
    start: {value: 4e8, unit: USD}        # 2023 dollars
    growth:
      - rate: 2.4x/year                   # a factor
      - {from: 2028, rate: {input: pace}}
    caps: {product: {share: 0.01 fraction, of: world}}
  hardware: {at: 2025.5, start: {value: 1e18, unit: FLOP/USD}, growth: {median: 1.3, unit: x/year, interval_90: [1.2, 1.5]}}
  algorithms: {growth: {value: 8, unit: months/halving of requirement}}
quantities:
  world: {at: 2025.5, start: {value: 1e14, unit: USD}, growth: {value: 3, unit: "%/year"}}
thresholds:
  late: {spending: 1e10, delay: {median: 1, unit: years, interval_90: [0.5, 2]}}
variants:
  fast: {drivers: {hardware: {growth: 2x/year}}}
"""


def test_only_what_changed_its_meaning_is_rewritten() -> None:
    text, lines = upgraded_text(FIRST, "ours.yaml")
    assert text == SECOND
    assert lines[0] == "ours.yaml:2: schema: 1 -> 2"
    assert [line for line in lines if ":11:" in line] == ["ours.yaml:11: 2.4 -> 2.4x/year"]
    assert len(lines) == 11
    assert parse_scenario(text).joint.priors["drivers.algorithms.growth"].family.value == pytest.approx(
        0.4515, abs=1e-4
    )


SWEPT = """\
schema: 1
name: swept
extends: baseline
drivers: {spending: {growth: [{rate: {prior: ./own/pace}}]}}
sweep:
  drivers.spending.growth[0].rate: [1.5, {median: 2, interval_90: [1.5, 3]}]  # both without a unit
  drivers.spending.caps.world-product.share: 0.01:0.1:3:log
  thresholds.gpt-4.delay: {soon: 0.5, late: 2}
  pace:
    slow: {"drivers.algorithms.growth[0].rate": 2, drivers.spending.start: 1e8}
  drivers.spending.growth[0].rate.median: [100, 180 %/year]
"""


def test_what_a_file_calls_like_a_key_stays() -> None:
    called = "quantities: {delay: 3, growth: {value: 2, unit: chip}, start: {value: 1e14, unit: USD}}\n"
    assert upgraded_text(f"schema: 1\nyears: {{first: 2025}}\n{called}", "a.yaml")[0].endswith(f"\n{called}")


def test_the_values_of_a_sweep_are_rewritten_as_those_of_its_entries(tmp_path: Path) -> None:
    library = "schema: 2\nsubject: own\npriors: {pace: {median: 140, interval_90: [60, 240], unit: '%/year'}}\n"
    (tmp_path / "own.yaml").write_text(library)
    upgraded, _ = upgraded_text(SWEPT, str(tmp_path / "swept.yaml"))
    assert (
        upgraded.partition("sweep:\n")[2]
        == """\
  drivers.spending.growth[0].rate: [1.5x/year, {median: 2, unit: x/year, interval_90: [1.5, 3]}] # both without a unit
  drivers.spending.caps.world-product.share: "0.01:0.1:3:log fraction"
  thresholds.gpt-4.delay: {soon: 0.5 years, late: 2 years}
  pace:
    slow: {"drivers.algorithms.growth[0].rate": 2x/year, drivers.spending.start: 1e8}
  drivers.spending.growth[0].rate.median: [100 %/year, 180 %/year]
"""
    )


def test_a_file_is_rewritten_once(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(FIRST, encoding="utf-8")
    with pytest.raises(ScenarioError, match="simulate upgrade"):
        load_scenario(file)
    assert len(upgrade_file(file)) == 11
    assert file.read_text(encoding="utf-8") == SECOND
    assert upgrade_file(file) == []
    assert file.read_text(encoding="utf-8") == SECOND


def test_what_extends_a_file_is_read_with_it(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(FIRST, encoding="utf-8")
    child = tmp_path / "child.yaml"
    child.write_text(
        "schema: 1\nextends: ./ours.yaml\nname: child\ndrivers: {spending: {growth: 3}}\n", encoding="utf-8"
    )
    assert upgrade_file(child)[-1].endswith("child.yaml:4: 3 -> 3x/year")
    upgrade_file(tmp_path / "ours.yaml")
    assert load_scenario(child).joint.priors["drivers.spending.growth"].understood == "3 x/year"


def test_files_that_are_rewritten_together_mean_what_they_meant_in_any_order(tmp_path: Path) -> None:
    parent, child = tmp_path / "ours.yaml", tmp_path / "child.yaml"
    parent.write_text(FIRST, encoding="utf-8")
    later = "schema: 1\nextends: ./ours.yaml\nname: child\nyears: {first: 2027}\ndrivers: {hardware: {start: 2e18}}\n"
    child.write_text(later, encoding="utf-8")
    lines = upgrade_file(parent, child)
    starts = load_scenario(child).spec.drivers
    assert starts.hardware is not None
    assert starts.spending is not None
    assert (starts.hardware.at, starts.spending.at) == (2027, 2025.5)
    (moved,) = (line for line in lines if "first: 2027" in line)
    assert "child.yaml:4: first: 2027, where what is changed begins in 2025.5: inherited starts without `at`" in moved


def test_changes_of_a_mixture_are_rewritten_too(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(FIRST, encoding="utf-8")
    part = "{{scenario: ./ours.yaml, weight: 1, name: b, changes: {{drivers: {{hardware: {{{}start: 2e18, growth: {}}}}}}}}}"
    text = "schema: 1\nname: both\nmixture:\n  - {scenario: ./ours.yaml, weight: 1, name: a}\n  - "
    told, _ = upgraded_text(text + part.format("", 2), str(tmp_path / "both.yaml"))
    assert told == text.replace("schema: 1", "schema: 2") + part.format("at: 2025.5, ", "2x/year")


def test_the_ends_of_lines_stay(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_bytes(FIRST.replace("\n", "\r\n").encode())
    upgrade_file(file)
    assert file.read_bytes() == SECOND.replace("\n", "\r\n").encode()


def test_a_file_is_rewritten_where_a_link_leads_and_keeps_its_rights(tmp_path: Path) -> None:
    file, link = tmp_path / "ours.yaml", tmp_path / "link.yaml"
    file.write_text(FIRST, encoding="utf-8")
    file.chmod(0o600)
    link.symlink_to(file.name)
    assert len(upgrade_file(file, link)) == 11
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == SECOND
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_read_only_stays_and_so_do_those_beside_it(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    for file in (first, second):
        file.write_text(FIRST, encoding="utf-8")
    second.chmod(0o444)
    with pytest.raises(InputError, match=r"b\.yaml: is read-only\."):
        upgrade_file(first, second)
    assert first.read_text(encoding="utf-8") == second.read_text(encoding="utf-8") == FIRST


def test_anchors_stay_before_what_is_rewritten() -> None:
    text, lines = upgraded_text(
        "schema: &s 1\ndrivers: {spending: {growth: [{rate: &r 2}, {from: 2030, rate: *r}]}}\n", "a"
    )
    assert text == "schema: &s 2\ndrivers: {spending: {growth: [{rate: &r 2x/year}, {from: 2030, rate: *r}]}}\n"
    assert len(lines) == 2


@pytest.mark.parametrize("stated", ["", "at: 2026, "])
def test_a_start_over_one_of_a_file_already_rewritten_holds_in_the_year_it_held_in(tmp_path: Path, stated: str) -> None:
    (tmp_path / "ours.yaml").write_text(SECOND, encoding="utf-8")
    (tmp_path / "between.yaml").write_text(
        f"schema: 1\nextends: ./ours.yaml\nyears: {{first: 2026}}\ndrivers: {{hardware: {{{stated}growth: 2}}}}\n",
        encoding="utf-8",
    )
    child = "schema: {}\nextends: ./between.yaml\nyears: {{first: 2027}}\ndrivers: {{hardware: {{{}start: 2e18}}}}\n"
    told, _ = upgraded_text(child.format(1, ""), str(tmp_path / "child.yaml"))
    assert told == child.format(2, "" if stated else "at: 2027, ")


def test_only_schema_1_is_of_the_first_edition() -> None:
    assert is_first_edition({"schema": 1})
    assert is_first_edition({"schema": "1"})
    assert not any(map(is_first_edition, ({"schema": 2}, {"schema": True}, {}, [], None)))
