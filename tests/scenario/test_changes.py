"""What a layer changes: said in the title, and named where it makes a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.scenario.load import Scenario, load_scenario, load_variants, parse_scenario

HEAD = "schema: 2\nname: heir\nextends: baseline\n"


def heir(changes: str, *overrides: str) -> Scenario:
    return parse_scenario(HEAD + changes, file="heir.yaml", overrides=overrides)


def refused(changes: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        heir(changes, *overrides)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ("", "after Baseline"),
        ("title: Mine\nsamples: 20\n", "Mine"),
        ("samples: 20\n", "after Baseline"),
        ("drivers: {spending: {start: 1e9 USD}}\n", "Baseline with spending start 1e9 USD"),
        ("constraints: null\n", "Baseline without constraints"),
        ("years: {last: 2040}\n", "Baseline to 2040"),
        (
            "constraints: null\ndrivers: {spending: {caps: null}, algorithms: {growth: 2x/year}}\n",
            "Baseline with algorithms growth 2x/year, without spending caps and constraints",
        ),
        (
            "constraints: {power: null}\nyears: {first: 2026, step: year}\nseed: 5\n",
            "Baseline without constraint power, from 2026",
        ),
        (
            "drivers: {spending: {start: 1e9 USD, caps: null}, algorithms: {growth: 2x/year}}\nconstraints: null\n",
            "Baseline with spending start 1e9 USD and algorithms growth 2x/year, without spending caps, one more change",
        ),
    ],
)
def test_a_scenario_without_a_title_says_what_it_changes_where(changes: str, title: str) -> None:
    found = heir(changes)
    assert found.spec.title == title
    assert found.spec.notes is None
    assert found.spec.subject == load_scenario("baseline").spec.subject
    assert parse_scenario(found.text()).hash == found.hash


def test_of_a_chain_the_nearest_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("schema: 2\nname: a\nextends: baseline\nnotes: Of a.\nsamples: 20\n")
    (tmp_path / "b.yaml").write_text(
        "schema: 2\nname: b\nextends: ./a.yaml\ndrivers: {algorithms: {growth: 2x/year}}\n"
    )
    spec = load_scenario(tmp_path / "b.yaml").spec
    assert (spec.title, spec.notes) == ("a with algorithms growth 2x/year", None)


@pytest.mark.parametrize(
    ("overrides", "title"),
    [
        (["constraints=null"], "Baseline without constraints"),
        (["drivers.spending.start=$1B", "years.last=2040"], "Baseline with spending start $1B, to 2040"),
        (
            ["drivers.spending.growth[0].rate.centre=3x/year"],
            "Baseline with another growth of spending until it slows",
        ),
        (["title=Mine", "notes=Of mine.", "constraints=null"], "Mine"),
        (["samples=64", "seed=3"], "Baseline"),
    ],
)
def test_what_overrides_make_of_a_scenario_speaks_of_itself(overrides: list[str], title: str) -> None:
    """No run is published as Baseline, with notes on the power that limits it, once --set has taken the limits away."""
    spec, notes = load_scenario("baseline", overrides=overrides).spec, load_scenario("baseline").spec.notes
    assert spec.title == title
    assert spec.notes == {"Baseline": notes, "Mine": "Of mine."}.get(title)


def test_a_changed_event_or_actor_is_told_as_changed_and_not_as_another_one() -> None:
    events = (
        "events:\n  controls: {probability: 40 %, from: 2028, effects: [{on: drivers.algorithms.growth, times: 0.5}]}\n"
    )
    text = f"{HEAD}title: Mine\n{events}variants:\n  sure: {{events: {{controls: {{probability: 100 %}}}}}}\n"
    assert load_variants(text)["sure"].spec.title == "Mine: sure (with event controls changed)"


def test_a_variant_says_what_it_changes_and_has_no_notes_of_another() -> None:
    text = f"{HEAD}title: Mine\nnotes: Of mine.\nvariants:\n  slow: {{drivers: {{algorithms: {{growth: 2x/year}}}}}}\n"
    text += "  own: {title: Fast, notes: Of its own., drivers: {algorithms: {growth: 3x/year}}}\n"
    found = load_variants(text)
    assert [found["slow"].spec.title, found["slow"].spec.notes] == ["Mine: slow (with algorithms growth 2x/year)", None]
    assert [found["own"].spec.title, found["own"].spec.notes] == ["Fast", "Of its own."]


GONE = "the correlation of drivers.spending.growth[0].rate and drivers.hardware.factors.price-performance.growth is left out"


@pytest.mark.parametrize(
    ("changes", "overrides", "by"),
    [
        ("drivers: {spending: {growth: 2x/year}}\n", (), "heir.yaml:4:22"),
        ("", ("drivers.spending.growth=2x/year",), "--set drivers.spending.growth=2x/year"),
    ],
)
def test_a_correlation_without_a_partner_is_left_out_with_a_line(
    changes: str, overrides: tuple[str, ...], by: str
) -> None:
    found = heir(changes, *overrides)
    assert f"{GONE}: drivers.spending.growth[0].rate is gone by {by}." in found.warnings
    assert len(found.spec.correlations) == len(found.data["correlations"]) == 3
    assert parse_scenario(found.text()).hash == found.hash


def test_a_correlation_that_never_had_a_partner_is_a_fault() -> None:
    wrong = 'correlations: [{between: ["drivers.spending.growth[5].rate", drivers.spending.start], rank: 0.5}]\n'
    (fault,) = refused(wrong)
    assert fault.startswith("heir.yaml:4:27: correlations[0].between[0]: there is no prior")
    (fault,) = refused(wrong, "drivers.spending.start=1e9")
    assert fault.startswith("heir.yaml:4:27: correlations[0].between[0]: there is no prior")


@pytest.mark.parametrize(
    ("changes", "overrides", "place"),
    [
        ("quantities: {tokens: 3e15}\n", (), "heir.yaml:4:14"),
        ("", ("quantities.tokens.product[0]=3e15",), "--set quantities.tokens.product[0]=3e15"),
        (
            "quantities: {tokens: 3e15 token}\n",
            ("samples=20", "quantities.tokens=3e15"),
            "--set quantities.tokens=3e15",
        ),
    ],
)
def test_a_fault_is_laid_at_the_change_that_made_it(changes: str, overrides: tuple[str, ...], place: str) -> None:
    (fault,) = refused(changes, *overrides)
    assert fault.startswith(f"{place}: constraints.data.limit: must be in FLOP; it is in FLOP/token^2.")
    assert "constraints.data.limit stands at " in fault


def test_what_the_parent_has_wrong_itself_stays_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("schema: 2\nname: a\nextends: baseline\nquantities: {tokens: 3e15}\n")
    (tmp_path / "b.yaml").write_text("schema: 2\nname: b\nextends: ./a.yaml\nsamples: 20\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "b.yaml")
    assert [fault.place.file for fault in caught.value.faults] == [str(tmp_path / "a.yaml")]


WITHOUT = "without: [constraints, drivers.hardware.factors]\n"
ALL = "drivers: {hardware: {factors: {all: {start: 1e18 FLOP/USD, growth: 1.3x/year}}}}\n"


def test_a_map_is_said_anew_as_a_whole() -> None:
    found = heir(f"{WITHOUT}{ALL}constraints: {{latency: {{limit: 1e31 FLOP}}}}\n")
    assert list(found.spec.constraints) == ["latency"]
    assert list(found.spec.drivers.hardware.factors) == ["all"]
    assert "without" not in found.data
    assert parse_scenario(found.text()).hash == found.hash


def test_a_variant_leaves_out_what_the_file_says() -> None:
    found = load_variants(f"{HEAD}variants:\n  free: {{without: [constraints, drivers.spending.caps]}}\n")["free"].spec
    assert (dict(found.constraints), dict(found.drivers.spending.caps)) == ({}, {})
    assert load_variants(f"{HEAD}variants:\n  as-it-is: {{samples: 20}}\n")["as-it-is"].spec.constraints


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ("without: [threshold]\n", "heir.yaml:4:11: without[0]: there is no entry 'threshold' in what is extended."),
        ("without: drivers.spending.cap\n", "Did you mean 'caps'?"),
        ('without: ["drivers.spending.growth[0]"]\n', "A list is replaced as a whole"),
    ],
)
def test_what_is_not_there_cannot_be_left_out(changes: str, text: str) -> None:
    (fault,) = refused(changes)
    assert text in fault


def test_nothing_is_left_out_of_nothing() -> None:
    with pytest.raises(ScenarioError, match="without: goes with extends: there is nothing to leave out"):
        load_scenario(dict(load_scenario("baseline").data) | {"without": ["constraints"]})


def test_of_two_that_do_not_go_together_the_inherited_one_is_named(tmp_path: Path) -> None:
    rule = "history: {frontier: {top: null, within_oom: 1}}\n"
    (tmp_path / "a.yaml").write_text(f"schema: 2\nname: a\nextends: learned\n{rule}")
    (tmp_path / "b.yaml").write_text("schema: 2\nname: b\nextends: ./a.yaml\nhistory: {frontier: {top: 5}}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "b.yaml")
    (fault,) = caught.value.faults
    assert str(fault.place) == f"{tmp_path / 'b.yaml'}:4:22"
    assert f"within_oom comes from {tmp_path / 'a.yaml'}:4:33; within_oom: null takes it away." in fault.remedy


def test_a_mixture_without_a_title_is_called_after_its_parts() -> None:
    parts = "mixture:\n  - {weight: 1, scenario: baseline}\n  - {weight: 1, scenario: tight-caps}\n"
    spec = parse_scenario(f"schema: 2\nname: both\n{parts}").spec
    assert (spec.title, spec.notes) == ("mixture of baseline and tight-caps", None)


def test_names_labels_and_correlations_that_are_left_out_are_no_changes_of_a_title() -> None:
    growth = "[{name: now, rate: {prior: spending/cottier-2024}}, {name: later, from: mid-2028, rate: 1.2x/year}]"
    title = parse_scenario(f"{HEAD}drivers: {{spending: {{growth: {growth}, label: money}}}}\n").spec.title or ""
    assert title.startswith("Baseline with ")
    assert "mid-2028" in title
    assert "name" not in title
    assert "label" not in title
    assert "correlation" not in title
