"""What priors have to do with outcomes, from the samples of a run."""

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.analysis.influence import (
    NOTHING,
    default_outcomes,
    in_short,
    influence_lines,
    legend_lines,
    prior_influence,
)
from simulator.analysis.outcomes import Outcome
from simulator.charts.kinds.influence import influence_figure, influence_figures
from simulator.charts.spec import FigureOptions
from simulator.errors import InputError
from tests.columns import unsaid

OUTCOMES = ("effective_compute@2035", "crossing:1e30-run", "crossed:1e30-run@2040", "restricted:1e30-run")
YEARS = (2025.5, 2045.0)


def influence_of(run, outcome):
    """What the priors have to do with one outcome."""
    return prior_influence(run, [outcome]).found[0]


# The outcomes of a test share one run: it is not changed.
@pytest.fixture(scope="module")
def run():
    return simulate(load_scenario("baseline-2025", overrides=["samples=2048"]))


def shuffled(run, seed=1):
    order = np.random.default_rng(seed).permutation(int(run.attrs["samples"]))
    copy = run.copy()
    for name in ("parameters", "trajectories", "crossings"):
        copy[name].dataset = run[name].to_dataset().isel(sample=order)
    return copy


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_permutation_of_samples_changes_no_index(run, outcome):
    one, other = influence_of(run, outcome), influence_of(shuffled(run), outcome)
    assert other.indices == one.indices
    assert other.deciles == one.deciles
    assert other.regions == one.regions


def test_a_fixed_prior_has_exactly_no_influence_and_an_unused_one_none_beyond_chance(run):
    rows = {row["input"]: row for row in influence_of(run, "effective_compute@2035").indices.rows()}
    fixed = rows["quantities.power-of-ai.start"]
    assert (fixed["rank"], fixed["delta"], fixed["delta_by_chance"], fixed["low"]) == (0.0, 0.0, 0.0, None)
    unused = rows["thresholds.biological-anchors.effective_compute"]
    assert unused["delta"] <= unused["delta_by_chance"]


def test_every_prior_is_listed_once_the_strongest_first(run):
    rows = influence_of(run, "effective_compute@2035").indices.rows()
    drawn = run["parameters"].data_vars
    assert sorted(row["input"] for row in rows) == sorted(
        str(name) for name in drawn if "input" not in drawn[name].attrs
    )
    deltas = [(row["beyond_chance"], row["delta"]) for row in rows]
    assert deltas == sorted(deltas, reverse=True)


def test_deciles_hold_a_tenth_of_the_samples_and_the_medians_that_numpy_gives(run):
    rows = [
        row for row in influence_of(run, "crossing:1e30-run").deciles.rows() if row["input"] == "drivers.spending.start"
    ]
    values = run["parameters/drivers.spending.start"].values
    years = run["crossings/crossing_year"].sel(threshold="1e30-run").values
    assert len(rows) == 10
    assert sum(row["samples"] for row in rows) == 2048
    for row in rows:
        held = (values >= row["from"]) & (values <= row["to"])
        assert row["samples"] == held.sum()
        assert row["value"] == pytest.approx(np.median(years[held]))
        assert row["censored"] == pytest.approx(np.isinf(years[held]).mean())


def test_regions_part_the_samples_that_cross_early_late_and_never(run):
    found = influence_of(run, "crossing:1e30-run")
    assert {(row["first"], row["second"]) for row in found.regions.rows()} == {
        ("early", "late"), ("early", "never"), ("late", "never"),
    }  # fmt: skip
    strongest = max(found.regions.rows(), key=lambda row: row["distance"])
    assert strongest["p_value"] < 1e-6
    assert strongest["input"].startswith(("quantities.", "drivers.", "constraints."))
    unused = [row for row in found.regions.rows() if row["input"] == "thresholds.biological-anchors.effective_compute"]
    assert unused
    assert all(row["p_value"] > 0.05 for row in unused)


def test_a_level_parts_no_samples_and_a_share_has_two_groups(run):
    assert influence_of(run, "effective_compute@2035").regions.rows() == []
    assert {row["second"] for row in influence_of(run, "crossed:1e30-run@2036").regions.rows()} == {"not crossed"}


def test_what_all_samples_agree_on_is_said_and_nothing_is_divided_by_zero():
    changes = ["samples=256", "thresholds={far: {effective_compute: 1e90}, passed: {effective_compute: 1e3}}"]
    changes += ["correlations=[]"]
    run = simulate(load_scenario("baseline-2025", overrides=changes))
    censored, constant = influence_of(run, "crossing:far"), influence_of(run, "crossing:passed")
    assert len(censored.indices) == 0
    assert "no sample crosses by 2045" in censored.said
    assert "is 2025.5 in every sample" in constant.said
    spending = influence_of(simulate(load_scenario("essay-2023")), "spending@2043")
    assert "is 10^11 USD in every sample" in spending.said
    assert influence_lines(censored, years=YEARS) == [censored.said]
    with pytest.raises(InputError, match="no sample crosses"):
        influence_figure(run, censored)
    assert [outcome.kind for outcome in default_outcomes(run)] == ["level", "level"]


def test_components_of_a_mixture_need_not_share_their_priors():
    run = simulate(load_scenario("views", overrides=["samples=2048"]))
    rows = {row["input"]: row for row in influence_of(run, "effective_compute@2035").indices.rows()}
    assert "component" not in rows
    latency = [row for name, row in rows.items() if name.startswith("constraints.latency")]
    assert latency
    assert all(row["samples"] < 2048 for row in latency)
    assert rows["drivers.algorithms.growth"]["samples"] == 2048


def test_noise_has_no_rank_among_priors(run):
    # Independent draws correlate by 1 / sqrt(n - 1): of 1,024 samples ranks below 0.10 are nothing. 100,000 samples
    # give data quality 0.02 on effective compute in 2035.
    short = simulate(load_scenario("baseline-2025", overrides=["samples=1024"]))
    found = influence_of(short, "effective_compute@2035")
    rows = {row["input"]: row for row in found.indices.rows()}
    quality = rows["quantities.tokens.product[4]"]
    assert quality["rank"] == pytest.approx(0.024, abs=4 / np.sqrt(1023))
    assert quality["beyond_chance"] == 0
    text = "\n".join(influence_lines(found, years=YEARS))
    assert quality["input"] not in text
    beyond = [row["beyond_chance"] for row in found.indices.rows()]
    assert beyond == sorted(beyond, reverse=True)
    assert f"{len(beyond) - sum(beyond)} priors that are fixed or go with it no more than chance would" in text
    weak = found.beyond_chance.where(np.abs(found.beyond_chance["rank"]) <= found.beyond_chance["rank_by_chance"])
    assert text.count("~0  ") == min(len(weak), 12)


def test_an_outcome_that_no_prior_goes_with_is_said_and_not_drawn(run):
    kept = ["thresholds.biological-anchors.effective_compute", "thresholds.gpt-4.effective_compute"]
    unused = run.copy()
    unused["parameters"].dataset = run["parameters"].to_dataset()[kept]
    found = influence_of(unused, "effective_compute@2045")
    assert [row["input"] for row in found.indices.rows()] == kept  # one that nothing uses, and one that is fixed
    assert influence_lines(found, years=YEARS) == [f"effective_compute@2045: {NOTHING}"]
    with pytest.raises(InputError, match="by more than chance"):
        influence_figure(run, found)


def test_a_summary_and_a_handful_of_samples_are_refused():
    with pytest.raises(InputError, match="kept its summary only"):
        influence_of(simulate(load_scenario("capability"), keep="summary"), "effective_compute@2030")
    with pytest.raises(InputError, match="needs 30 samples"):
        influence_of(simulate(load_scenario("baseline-2025", overrides=["samples=16"])), "effective_compute@2035")


def test_an_unknown_outcome_has_a_near_name(run):
    with pytest.raises(InputError, match="1e30-run"):
        influence_of(run, "crossing:1e30-rum")


def test_lines_name_the_strongest_and_count_the_rest(run):
    found = influence_of(run, "crossing:1e30-run")
    lines = influence_lines(found, years=YEARS)
    assert lines[0] == "crossing:1e30-run"
    assert found.indices.rows()[0]["label"] == "growth of FLOP per joule"
    assert any(line.startswith("  growth of FLOP per") and " to 20" in line for line in lines)
    assert "priors that are fixed" in lines[-1]
    assert len(legend_lines([found.outcome])) == 3


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_figures_draw_what_their_tables_say(run, outcome):
    found = influence_of(run, outcome)
    figure = influence_figure(run, found)
    assert [row["input"] for row in figure.tables[""].rows()] == [
        row["input"] for row in found.indices.rows()[: len(figure.tables[""])]
    ]
    assert len({row["input"] for row in figure.tables["deciles"].rows()}) <= 6
    assert found.indices.rows()[0]["label"] in figure.caption
    assert figure.chart["vconcat"]


def test_the_figures_of_a_run_are_of_its_end_and_of_the_first_threshold_ahead(run):
    names = [figure.name for figure in influence_figures(run, FigureOptions())]
    assert names == ["influence_effective_compute_2045", "influence_crossing_1000x-gpt-4"]


def test_the_result_holds_its_tables_lines_and_a_labelled_dataset(run, tmp_path):
    found = prior_influence(run, OUTCOMES[:2])
    tables = found.tables()
    assert list(tables) == ["influence", "influence_deciles", "influence_regions"]
    assert unsaid(tables) == []
    assert found.save(tmp_path) == tmp_path  # beside the run
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["influence.nc", *(f"{name}.csv" for name in tables)]
    )
    first = tables["influence"].rows()[0]
    at = {"outcome": first["outcome"], "input": first["input"]}
    assert float(found.dataset["delta"].sel(at)) == first["delta"]
    assert float(found.dataset["value"].sel(at | {"decile": 1})) == first["low"]
    assert found.lines()[0] == OUTCOMES[0]


def test_a_median_or_share_is_written_in_short():
    assert in_short(Outcome("crossing", "agi"), float("inf"), YEARS, 100) == "> 2045"
    assert in_short(Outcome("crossing", "agi"), 2025.5, YEARS, 100) == "already in 2025.5"
    assert in_short(Outcome("crossed", "agi", 2030), 0.25, YEARS, 100) == "25 %"
    assert in_short(Outcome("crossed", "agi", 2030), 0.0, YEARS, 100) == "< 3 %"
    assert in_short(Outcome("level", "spending", 2030), 11.3, YEARS, 100) == "2e11"
