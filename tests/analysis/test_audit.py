"""The audit: every prior once, where it comes from, what rests on it, what is doubted most."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest

from simulator.analysis.audit import Audit, audit_scenario, doubt_of
from simulator.analysis.evaluation import open_scenario
from simulator.analysis.outcomes import parse_outcome
from simulator.cli.studies import audit as audit_command
from simulator.cli.studies import swings as swings_command
from simulator.engine.simulation import simulate
from simulator.errors import InputError
from simulator.runs.folder import write_run
from simulator.scenario.assumptions import lineage, provenances
from simulator.scenario.load import load_scenario, parse_scenario
from simulator.testing import run_of, scenario_text, small_scenario
from tests.places import ROOT

LEVEL = parse_outcome("effective_compute@2035")

TEAM = """\
schema: 2
name: team
extends: baseline
drivers:
  spending:
    growth:
      - rate: {median: 2, interval_90: [1.5, 3], unit: factor/year}
      - from: 2029
        rate: 1.1x/year
  algorithms:
    growth: {prior: algorithms/ho-2024, unit: months/halving of requirement, median: 9, interval_90: [3, 20]}
  hardware:
    factors:
      price-performance: {growth: {prior: hardware/price-performance-default-2026}}
"""


@pytest.fixture(scope="module")
def baseline() -> Audit:
    return audit_scenario(load_scenario("baseline"), samples=128)


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "team.yaml").write_text(TEAM)
    return Path("team.yaml")


def test_every_prior_is_in_exactly_one_row(baseline: Audit) -> None:
    names = [name for row in baseline.assumptions.rows() for name in row["priors"].split("; ")]
    joint = load_scenario("baseline").joint
    assert sorted(names) == sorted(name for name, prior in joint.priors.items() if not prior.is_use)
    ranked = [row["rank"] for row in baseline.assumptions.rows() if row["influence"] > 0.0]
    assert ranked == list(range(1, len(ranked) + 1))
    assert {row["rank"] for row in baseline.assumptions.rows() if row["influence"] == 0.0} == {None}


def test_yearly_shocks_are_one_row() -> None:
    drift = parse_scenario(scenario_text(small_scenario({"drivers.compute.drift": 0.05})))
    rows = audit_scenario(drift, outcomes=[LEVEL], samples=64).assumptions.rows()
    assert sorted(name for row in rows for name in row["priors"].split("; ")) == sorted(drift.joint.priors)
    assert any("yearly shocks" in str(row["value"]) for row in rows)


def test_shares_add_up_and_what_is_fixed_comes_last_with_none(baseline: Audit) -> None:
    shares = [row["share:effective_compute@2045"] for row in baseline.assumptions.rows()]
    assert sum(shares) == pytest.approx(1.0)
    fixed = [row["shape"] == "fixed" for row in baseline.assumptions.rows()]
    assert fixed == sorted(fixed)
    assert {row["research"] for row in baseline.assumptions.rows() if row["shape"] == "fixed"} == {0.0}
    research = [row["research"] for row in baseline.assumptions.rows()]
    assert research == sorted(research, reverse=True)


def test_shares_have_errors_add_up_and_within_them_there_is_no_order() -> None:
    # 16,384 rows of another seed give factor 5 of the tokens 0.30 +- 0.04 % of the rank of the crossing year, the growth
    # of algorithms 80.7 +- 0.3 %. Of 1,024 draws the year itself, at most the horizon, gave factor 5 a share of 17 %.
    found = audit_scenario(load_scenario("baseline-2025"), outcomes=["crossing:1000x-gpt-4"])
    rows = {row["input"]: row for row in found.assumptions.rows()}
    for name, share, known in (
        ("quantities.tokens.product[4]", 0.003, 0.0004),
        ("drivers.algorithms.growth", 0.807, 0.003),
    ):
        error = rows[name]["share_error:crossing:1000x-gpt-4"]
        assert rows[name]["share:crossing:1000x-gpt-4"] == pytest.approx(share, abs=4 * math.hypot(error, known))
        assert error < 0.02
    assert sum(row["share:crossing:1000x-gpt-4"] for row in rows.values()) == pytest.approx(1.0)
    for row in rows.values():
        share, error = (row[f"{key}:crossing:1000x-gpt-4"] for key in ("share", "share_error"))
        assert row["influence"] == (share if share > 2 * error else 0.0)
    said = " ".join(" ".join(found.lines()).split())
    assert "without an order: no share is more than twice its error" in said
    assert "its shares are those of its rank among the samples" in said
    assert "which add up to 100 %" in said
    assert re.search(
        r"1 growth of algorithmic efficiency: \d\d\.\d ± \d\.\d % of crossing:1000x-gpt-4 \(-1 sd: \+0\.\d ± <0\.1 years",
        said,
    )


def test_an_audit_says_what_is_passed_at_the_start() -> None:
    given = parse_scenario(scenario_text(small_scenario({"thresholds": {"near": {"effective_compute": 1.3e26}}})))
    found = audit_scenario(given, outcomes=["crossing:near"], samples=256)
    assert "+1 sd: already in 2025" in "\n".join(found.lines())


def test_what_no_one_vouches_for_comes_before_what_is_as_influential_and_sourced() -> None:
    rate = {"median": 2, "interval_90": [1.5, 3], "unit": "factor/year"}
    alike = small_scenario({
        "drivers.compute.start": {"value": 1e26, "unit": "FLOP"},
        "drivers.compute.growth": {"value": 1, "unit": "factor/year"},
        "drivers.algorithms": {"factors": {
            "known": {"growth": rate | {"source": "X 2024", "confidence": "high"}}, "guessed": {"growth": rate},
        }},
    })  # fmt: skip
    rows = audit_scenario(parse_scenario(scenario_text(alike)), outcomes=[LEVEL], samples=512).assumptions.rows()
    assert [(row["words"], row["doubt"]) for row in rows[:2]] == [
        ("algorithms: guessed: growth", 4), ("algorithms: known: growth", 1)]  # fmt: skip
    assert [row["influence"] for row in rows[:2]] == pytest.approx([0.5, 0.5], abs=0.1)


def test_a_standard_deviation_moves_the_median_as_in_the_closed_form() -> None:
    given = parse_scenario(scenario_text(small_scenario()))
    (row,) = [
        row
        for row in audit_scenario(given, outcomes=[LEVEL], samples=256).assumptions.rows()
        if row["input"].endswith("growth")
    ]
    assert row["shift_plus:effective_compute@2035"] == pytest.approx(1.0)
    assert row["shift_minus:effective_compute@2035"] == pytest.approx(-1.0)


def test_a_crossing_year_that_leaves_the_horizon_shifts_without_end_and_is_said() -> None:
    near = {"thresholds": {"near": {"effective_compute": 1e29}}, "drivers.compute.growth": {
        "mean": 0.32, "sd": 0.05, "unit": "OOM/year"}}  # fmt: skip
    found = audit_scenario(parse_scenario(scenario_text(small_scenario(near))), samples=128)
    assert [each.outcome.text for each in found.outcomes] == ["effective_compute@2035", "crossing:near"]
    row = next(row for row in found.assumptions.rows() if str(row["input"]).endswith("growth"))
    assert row["shift_minus:crossing:near"] == math.inf
    assert "-1 sd: > 2035" in " ".join(" ".join(found.lines()).split())


def test_all_fixed_numbers_are_listed_without_a_share() -> None:
    changes = {"drivers.compute.start": {"value": 1e26, "unit": "FLOP"}, "drivers.compute.growth": "3x/year"}
    fixed = parse_scenario(scenario_text(small_scenario(changes)))
    found = audit_scenario(fixed, outcomes=[LEVEL])
    assert [row["influence"] for row in found.assumptions.rows()] == [0.0, 0.0]
    said = "\n".join(found.lines())
    assert "Every number is fixed" in said
    assert "the same in every sample" in said


def test_an_entry_is_placed_in_the_file_that_states_it_and_what_it_overrides_is_told(team: Path) -> None:
    found = provenances(load_scenario(team), documents=lineage(team))
    rate = found["drivers.spending.growth[0].rate"]
    assert rate.stated == "team.yaml:7"
    assert "spending/cottier-2024" in rate.replaced
    lines = (ROOT / "scenarios" / "baseline.yaml").read_text(encoding="utf-8").splitlines()
    start, first = (next(n for n, line in enumerate(lines, 1) if word in line) for word in ("start:", "- rate:"))
    assert f"(scenarios/baseline.yaml:{first})" in rate.replaced
    untouched = found["drivers.spending.start"]
    assert untouched.stated == f"scenarios/baseline.yaml:{start}"
    assert untouched.library.startswith("starts/spending-amortised-2026-11 (priors/starts.yaml:")
    assert untouched.replaced == ""


def test_a_library_entry_whose_numbers_are_restated_is_told(team: Path) -> None:
    found = provenances(load_scenario(team), documents=lineage(team))["drivers.algorithms.growth"]
    assert found.stated == "team.yaml:11"
    assert found.library.startswith("algorithms/ho-2024")
    assert "median 8 (90 % 2 to 22) months/halving of requirement" in found.replaced
    assert "(library algorithms/ho-2024)" in found.replaced
    assert "mixture of 0.6" in found.replaced


def test_the_command_line_is_named_with_what_it_changed(team: Path) -> None:
    text = "drivers.spending.growth[0].rate.median=2.2"
    found = provenances(load_scenario(team, overrides=[text]), documents=lineage(team))
    rate = found["drivers.spending.growth[0].rate"]
    assert rate.stated == f"team.yaml:7, --set {text}"
    assert rate.replaced == "median 2 (90 % 1.5 to 3) factor/year (team.yaml:7)"
    assert provenances(load_scenario(team, overrides=[text]))["drivers.spending.growth[0].rate"].replaced == "median 2"
    whole = "drivers.algorithms.growth=1.5x/year"
    changed = provenances(load_scenario("baseline", overrides=[whole]), documents=lineage("baseline"))
    assert changed["drivers.algorithms.growth"].stated == f"--set {whole}"
    assert changed["drivers.algorithms.growth"].replaced.startswith("mixture of 0.6")


def test_the_scenario_of_a_run_is_read_again(tmp_path: Path) -> None:
    folder = write_run(run_of(small_scenario(), keep="summary"), tmp_path)
    for item in (folder, folder / "run.nc"):
        read = open_scenario(str(item), outputs=tmp_path)
        assert read.documents == ()
        assert provenances(read.scenario)["drivers.compute.start"].stated.startswith(f"{folder}/scenario.yaml:")
    with pytest.raises(InputError, match="is a run, whose scenario is taken as it is"):
        open_scenario(str(folder), outputs=tmp_path, overrides=["samples=64"])


def test_a_run_that_holds_library_entries_written_out_overrides_none(tmp_path: Path) -> None:
    folder = write_run(simulate(load_scenario("baseline", overrides=["samples=64"]), keep="summary"), tmp_path)
    scenario = open_scenario(str(folder), outputs=tmp_path).scenario
    assert {each.replaced for each in provenances(scenario).values()} == {""}


def test_the_table_and_the_page_hold_every_row(baseline: Audit) -> None:
    assert len(baseline.tables()["audit"]) == len(baseline.assumptions.rows())
    page = baseline.texts()["audit.md"]
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(lines) == 1 + len(baseline.assumptions.rows()) + 1 + len(baseline.scenario.spec.correlations)
    cells = {line.replace("\\|", "").count("|") for line in lines[: 1 + len(baseline.assumptions.rows())]}
    assert cells == {8 + 3 * len(baseline.outcomes) + 1}
    assert "Ordered by influence x doubt" in page


@pytest.mark.parametrize("format_", ["text", "csv", "markdown"])
def test_the_command_writes_both_files_and_prints_one(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.yaml").write_text(scenario_text(small_scenario()))
    audit_command(str(tmp_path / "small.yaml"), outcome=[LEVEL.text], format_=format_, samples="64", output=tmp_path)
    said = capsys.readouterr().out
    (folder,) = tmp_path.glob("small-audit-*")
    rows = list(csv.DictReader((folder / "audit.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["input"] for row in rows} == {"drivers.compute.start", "drivers.compute.growth"}
    starts = {"text": "small: 2 uncertain numbers, 0 fixed", "csv": "rank,input,priors", "markdown": "# Audit of small"}
    assert said.startswith(starts[format_])


def test_the_command_of_swings_writes_table_dataset_and_charts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.yaml").write_text(scenario_text(small_scenario()))
    swings_command(
        str(tmp_path / "small.yaml"), outcome=[LEVEL.text], mode="fixed", samples="64", output=tmp_path, format_="svg"
    )
    said = capsys.readouterr().out
    (folder,) = tmp_path.glob("small-swings-*")
    assert said.splitlines()[-1] == f"  {folder}"
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", ".csv", ".nc", ".svg", ".txt"]


@pytest.mark.parametrize(
    ("standing", "confidence", "doubt"),
    [("no source", "", 4), ("source", "high", 1), ("own judgement", "medium", 3), ("source", "", 2)],
)
def test_doubt_goes_by_source_and_confidence(standing: str, confidence: str, doubt: int) -> None:
    assert doubt_of(standing, confidence) == doubt


def test_an_audit_is_labelled_by_input(baseline: Audit) -> None:
    first = baseline.assumptions.rows()[0]
    assert float(baseline.dataset["influence"].sel(input=first["input"])) == first["influence"]
    assert len(repr(baseline).splitlines()) <= 15


def test_amounts_are_told_in_the_unit_that_people_use(baseline: Audit) -> None:
    told = dict(zip(baseline.assumptions["input"].tolist(), baseline.assumptions["value"].tolist(), strict=True))
    assert told["drivers.spending.start"] == "750 (90 %: 320 to 2500) million USD"
    assert told["constraints.power.limit.product[3]"] == "181 (90 %: 38.9 to 291) days"
    assert told["quantities.largest-campus.start"] == "2.5 (90 %: 0.678 to 6.19) GW"
