"""A scenario learns from history: what it says of the past becomes a posterior, what it says of the future stays."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import simulator.history.learning
from simulator import load_scenario, save_run, simulate
from simulator.analysis.evaluation import model_of
from simulator.engine.checking import check_run
from simulator.engine.record import fit_of
from simulator.engine.run_folders import extend_run, run_to_folder
from simulator.engine.simulation import How
from simulator.errors import InputError
from simulator.history.forecast import largest_of_last_year
from simulator.history.fragility import conflicts
from simulator.history.learning import learn, learnt_draws, learnt_from, learnt_lines, learnt_priors, series
from simulator.history.observations import known_at
from simulator.history.replicates import log_likelihood
from simulator.priors.draws import draw_blocks
from simulator.runs.contents import FIT_GROUPS
from simulator.runs.folder import stored_scenario
from simulator.scenario.assumptions import assumptions
from simulator.scenario.documents import Document
from simulator.scenario.load import parse_scenario
from simulator.scenario.resolving import Scenario, resolve
from tests.history.made_up_fit import fit
from tests.history.made_up_history import CHANGE
from tests.places import ROOT

QUICK = [
    "samples=2048",
    "history.sampler.draws=150",
    "history.sampler.tune=200",
    "history.sampler.chains=2",
    "history.sampler.seed=3",
]
GROWTH = ("drivers.spending.growth[0].rate", "drivers.hardware.growth[0].rate")
SMALL = """
schema: 2
name: small
years: {first: 2026, last: 2035}
samples: 1024
history: {snapshot: 2026-05, until: 2025-12-31%s}
drivers:
  spending:
    start: {median: 4e8, interval_90: [2e8, 8e8], unit: USD}
    growth: {family: normal, mean: 0.3, sd: 0.3, unit: OOM/year}
  hardware:
    start: {median: 1e18, interval_90: [7e17, 1.5e18], unit: FLOP/USD}
    growth: {family: normal, mean: 0.13, sd: 0.08, unit: OOM/year}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="module")
def given() -> Scenario:
    return load_scenario("learned", overrides=QUICK)


@pytest.fixture(scope="module")
def learnt(given, cache) -> Scenario:
    return learn(given, cache=cache)


@pytest.fixture(scope="module")
def run(learnt):
    return simulate(learnt)


@pytest.mark.slow
def test_what_was_learnt_is_one_draw_for_all_actors_and_times_multiplies_it(cache, run):
    actors = "actors={us: {}, cn: {drivers: {spending: {start: {times: 0.4}}}}, eu: {drivers: {spending: {growth: 2x/year}}}}"
    raced = simulate(learn(load_scenario("learned", overrides=[*QUICK, actors]), cache=cache))
    us, cn, eu = (raced["actors"].to_dataset().sel(actor=name) for name in ("us", "cn", "eu"))
    np.testing.assert_array_equal(us["effective_compute"], run["trajectories/effective_compute"])
    starts = us["spending"].isel(year=0) - cn["spending"].isel(year=0)
    np.testing.assert_allclose(starts, -np.log10(0.4), atol=1e-5)
    np.testing.assert_array_equal(eu["hardware"], us["hardware"])


@pytest.mark.slow
def test_data_narrow_the_priors_on_past_growth(given, learnt):
    for name in GROWTH:
        before, after = (s.joint.priors[name].family.ppf(np.array([0.05, 0.95])) for s in (given, learnt))
        assert after[1] - after[0] < 0.6 * (before[1] - before[0])
        assert "learnt from history" in learnt.joint.priors[name].prior.notes
    faster = learnt.joint.priors[GROWTH[0]].family.ppf(np.array([0.5]))
    assert 0.4 < float(faster[0]) < 0.65  # 2.5 to 4.5 times a year


@pytest.mark.slow
def test_what_is_said_of_later_eras_caps_and_algorithms_stays(given, learnt):
    learnt_names = {
        name for name, prior in learnt.joint.priors.items() if "learnt from history" in (prior.prior.notes or "")
    }
    assert learnt_names == {
        *GROWTH,
        "drivers.spending.start",
        "drivers.hardware.start",
        "drivers.spending.volatility",
        "drivers.hardware.volatility",
    }
    for name, prior in given.joint.priors.items():
        if name not in learnt_names:
            assert learnt.joint.priors[name].understood == prior.understood


@pytest.mark.slow
def test_the_draws_of_the_run_are_those_of_the_posterior(learnt):
    """Quantiles to 0.01 OOM and rank correlations to 0.05 of the posterior's own 300 draws."""
    posterior = learnt_draws(learnt.fit, learnt.spec.history)
    names = dict(zip(("spending_growth", "hardware_growth"), GROWTH, strict=True))
    names |= {f"{driver}_start": f"drivers.{driver}.start" for driver in ("spending", "hardware")}
    draws = draw_blocks(learnt.joint, seed=1, blocks=range(4), size=4096, design="latin-hypercube")
    for column, name in names.items():
        for level in (0.05, 0.5, 0.95):
            assert abs(np.quantile(draws[name], level) - np.quantile(posterior[column], level)) < 0.01
    pairs = [("spending_start", "hardware_start"), ("hardware_start", "hardware_growth")]
    for first, second in pairs:
        seen = stats.spearmanr(posterior[first], posterior[second]).statistic
        drawn = stats.spearmanr(draws[names[first]], draws[names[second]]).statistic
        assert abs(seen - drawn) < 0.05


@pytest.mark.slow
def test_the_forecast_starts_from_what_was_learnt_between_trend_and_record(run, learnt):
    start = run["trajectories/physical_compute"].isel(year=0)
    assert run["trajectories"]["year"].values[0] == 2026.0
    draws = learnt_draws(learnt.fit, learnt.spec.history)
    level = draws["spending_start"] + draws["hardware_start"]
    assert abs(float(start.mean()) - level.mean()) < 0.03
    assert abs(float(start.std()) - level.std()) < 0.05
    assert float(start.mean()) < 26.70 < np.quantile(level, 0.95)  # 5e26 FLOP, the record


@pytest.mark.slow
def test_yearly_growth_scatters_by_the_learnt_volatility(run):
    spending = run["trajectories/spending_demanded"].sel(year=[2026, 2027]).values.astype(float)
    rate = run["parameters"][GROWTH[0]].values
    scatter = np.diff(spending, axis=1)[:, 0] - rate
    expected = np.sqrt(np.mean(run["parameters"]["drivers.spending.volatility"].values ** 2))
    assert abs(scatter.std() / expected - 1) < 0.1


@pytest.mark.slow
def test_the_run_holds_the_fit_and_says_what_it_is_of(run, learnt):
    assert set(FIT_GROUPS) <= set(run.children)
    assert run["log_likelihood/run_log_compute"].dtype == np.float32
    assert run["log_prior/cost_slope"].attrs["long_name"].startswith("log density of OOM of cost")
    seen = run["observed_data"]
    assert seen["run_name"].dims == ("run",)
    assert set(seen["costed_run_name"].values.tolist()) < set(seen["run_name"].values.tolist())
    attributes = run["posterior"].attrs
    assert (attributes["known_to"], attributes["snapshot"]) == (2026.0, "2026-05")
    assert attributes["fit"] == learnt.spec.history.fit
    assert run["posterior/spending_growth"].attrs["units"] == "OOM/year"
    assert {each.unknown for each in conflicts(run)} >= {"spending_growth", "efficiency_growth"}


@pytest.mark.slow
def test_the_example_of_the_run_format_weighs_observations_and_priors_by_arviz(run, tmp_path, monkeypatch, capsys):
    save_run(run, tmp_path / "learned.nc")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "run-format.md").read_text(encoding="utf-8")
    (example,) = (each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "learned.nc" in each)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Estimated shape parameter of Pareto", UserWarning)  # of few draws
        exec(compile(example, "run-format.md", "exec"), {})
    told = capsys.readouterr().out
    assert f"{run['observed_data'].sizes['run']} observations" in told
    assert re.search(r"spending_growth +[0-9.]+ +[0-9.]+", told)


@pytest.mark.slow
def test_the_report_knows_every_learnt_number(run):
    found = {each.path: each for each in assumptions(stored_scenario(run))}
    assert set(map(str, run["parameters"].data_vars)) <= set(found)
    assert "posterior of" in found[GROWTH[0]].statements[0].origin["source"]


@pytest.mark.slow
def test_a_learnt_scenario_is_read_again_without_a_sampler_and_gives_the_same_run(run, learnt):
    again = parse_scenario(learnt.text())
    assert not again.must_learn
    assert again.hash == learnt.hash
    assert check_run(run).passed


@pytest.mark.slow
def test_the_same_history_and_seed_give_the_same_scenario_and_a_stored_fit_is_read(given, learnt, cache):
    stored = list(cache.iterdir())
    again = learn(given, cache=cache)
    assert again.hash == learnt.hash
    assert list(cache.iterdir()) == stored


@pytest.mark.slow
def test_what_is_learnt_is_said(learnt):
    lines = learnt_lines(learnt)
    assert "frontier runs to the end of 2025, estimates of 2026-05, pymc" in lines[0]
    told = [line.split(":")[0].strip() for line in lines if "contraction" in line]
    assert {"spending_growth", "spending_volatility", "run_scatter", "cost_slope", "accelerator_offset"} <= set(told)


@pytest.mark.slow
def test_run_folders_keep_the_fit_when_they_are_extended(given, cache, tmp_path):
    said = []
    (tmp_path / "fits").symlink_to(cache)
    run, folder = run_to_folder(given, tmp_path, how=How(), say=said.append)
    assert any("learns from history" in line for line in said)
    with extend_run(folder, samples=4096, outputs=tmp_path, say=said.append) as opened:
        assert opened["parameters"].sizes["sample"] == 4096
        fit = fit_of(opened)
        assert fit is not None
        assert fit.attrs["fit"] == run.children["posterior"].attrs["fit"]
        names = run.children["observed_data"]["run_name"].values.tolist()
        assert fit["observed_data"]["run_name"].values.tolist() == names


@pytest.mark.slow
def test_a_correlation_between_what_is_learnt_is_replaced_and_said(cache):
    correlated = """
correlations:
  - {between: ["drivers.spending.growth[0].rate", "drivers.hardware.growth[0].rate"], rank: 0.5}
"""
    scenario = parse_scenario(f"schema: 2\nname: own\nextends: learned\n{correlated}", overrides=QUICK)
    learnt = learn(scenario, cache=cache)
    assert any("is learnt" in line for line in learnt.warnings)
    ranks = [each.rank for each in learnt.spec.correlations if set(each.between) == set(GROWTH)]
    assert len(ranks) == 1
    assert ranks[0] != 0.5


def test_priors_of_any_unit_enter_as_growth_in_oom(given):
    own = load_scenario("learned", overrides=[f"{GROWTH[0]}={{median: 3, interval_90: [2, 5], unit: x/year}}"])
    assert float(learnt_priors(own).spending_growth.ppf(np.array([0.5]))[0]) == pytest.approx(np.log10(3))
    assert float(learnt_priors(given).efficiency_growth.ppf(np.array([0.5]))[0]) == pytest.approx(0.13)


def test_rules_of_the_frontier_choose_the_runs():
    def runs(rule: str) -> int:
        return series(parse_scenario(SMALL % rule)).observations().run_year.size

    assert runs(", frontier: {top: 1}") < runs(", frontier: {top: 3}") < runs("")
    assert runs(", frontier: {within_oom: 0.5}") < runs(", frontier: {within_oom: 2}")
    assert runs(", without: {domains: [Games]}") != runs("")


TABLE = "Model,Publication date,Training compute (FLOP),Training compute cost (2023 USD)\n"


def table_of_runs(path, last):
    """Write a table of six runs, the largest of which is `last` FLOP."""
    flop = [10 ** (21 + number) for number in range(5)] + [last]
    rows = [f"run {number},{2018 + number}-03-01,{each:.3g},{each / 1e18:.3g}" for number, each in enumerate(flop)]
    path.write_text(TABLE + "\n".join(rows), encoding="utf-8")


def test_a_table_is_found_beside_the_file_that_names_it_and_one_of_set_from_here(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, last in ((here, 1e26), (there, 1e27)):
        folder.mkdir()
        table_of_runs(folder / "runs.csv", last)
    own = SMALL.replace("until: 2025-12-31", "until: 2024-12-31") % ", runs: ./runs.csv"
    (there / "own.yaml").write_text(own, encoding="utf-8")
    monkeypatch.chdir(here)
    beside = series(load_scenario(there / "own.yaml")).observations()
    assert beside.record_log_compute[-1] == pytest.approx(27)
    named = series(load_scenario(there / "own.yaml", overrides=["history.runs=runs.csv"])).observations()
    assert named.record_log_compute[-1] == pytest.approx(26)


@pytest.mark.slow
def test_without_a_last_day_a_fit_goes_as_far_as_its_table_tells_all(given, cache):
    learnt = learn(load_scenario("learned", overrides=[*QUICK, "history.until=null"]), cache=cache)
    assert learnt.fit.attrs["known_to"] == 2026.0  # the shipped table is whole to the end of 2025
    assert learnt.data["drivers"]["spending"]["at"] == 2026.0


@pytest.mark.slow
def test_a_start_in_logs_learns_too(cache):
    logs = [*QUICK, "drivers.hardware.start={median: 18, interval_90: [17.5, 18.5], unit: log10(FLOP/USD)}"]
    learnt = learn(load_scenario("learned", overrides=logs), cache=cache)
    assert learnt.joint.priors["drivers.hardware.start"].unit == "log10(FLOP/USD)"


@pytest.mark.parametrize(
    ("history", "overrides", "said"),
    [
        ("", ["years.first=2029"], "the record is known to the end of 2025, 3 years before 2029"),
        ("", ["history.snapshot=2024-01"], "the shipped table has the estimates of 2026-05 and 2025-06; got 2024-01"),
        (", learns: {spending: drivers.money}", [], "there is no drivers.money"),
        (", learns: {hardware: drivers.hardware.factors.price}", [], "there is no drivers.hardware.factors.price"),
        ("", ["drivers.spending.drift=0.1"], "has drift; what learns is a single level"),
        ("", ["drivers.hardware.growth=[{rate: 1.4x/year, half_life: 5 years}]"], "has a first rate that decays"),
        (
            "",
            ["drivers.hardware.growth={quantity: q, unit: x/year}", "quantities={q: 1.4}"],
            "has a first rate that a quantity tells",
        ),
        ("", ["history.until=2010-01-01"], "2010"),
        (", runs: ./none.csv", [], "none.csv"),
        (", without: {domains: [Gmaes]}", [], "Games"),
    ],
)
def test_what_cannot_be_learnt_is_refused_before_anything_is_sampled(history, overrides, said):
    text = SMALL % history
    with pytest.raises(InputError, match=said):
        learn(parse_scenario(text, overrides=overrides))


def test_a_baseline_whose_hardware_is_a_product_cannot_learn_it_as_one_level():
    with pytest.raises(InputError, match=r"drivers\.hardware has factors"):
        learn(parse_scenario("schema: 2\nname: own\nextends: baseline\nhistory: {snapshot: 2026-05}"))


def test_sensitivity_is_asked_of_what_has_learnt(given):
    with pytest.raises(InputError, match="has not learnt from its history yet"):
        model_of(given)


def test_a_mixture_takes_what_has_learnt_only():
    text = "schema: 2\nname: both\nmixture: [{scenario: learned, weight: 1}, {scenario: learned, name: b, weight: 1}]"
    with pytest.raises(InputError, match="'learned' has not learnt from its history yet"):
        parse_scenario(text)


def changing(tmp_path, text: str, *, beside: str = "") -> Scenario:
    (tmp_path / "own.yaml").write_text(text % beside)
    return load_scenario(tmp_path / "own.yaml")


@pytest.mark.slow
def test_the_shipped_change_point_is_about_2010_as_sevilla_has_it(shared):
    """Sevilla et al. 2022: about 2010; doubling 21 months before (95 % 17 to 29) and 6 after (4 to 9)."""
    learnt = learn(load_scenario("change-point", overrides=["history.sampler.draws=1000"]), cache=shared / "fits")
    draws = {name: learnt.fit["posterior"][name].values for name in ("change_date", "earlier_growth", "later_growth")}
    low, middle, high = np.quantile(draws["change_date"], [0.05, 0.5, 0.95])
    assert (abs(low - 2002.0) < 0.7, abs(middle - 2008.7) < 0.5, abs(high - 2011.3) < 0.3) == (True, True, True)
    before, after = (12 * np.log10(2) / np.median(draws[f"{name}_growth"]) for name in ("earlier", "later"))
    assert (abs(before - 19.5) < 0.6, abs(after - 5.6) < 0.3) == (True, True)
    assert 17 < before < 29
    assert 4 < after < 9


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("quantities.power%s", "quantities.powr%s",
         "own.yaml:6:45: history.change_point.of: there is no quantities.powr"),
        ("from: {uniform: [2008, 2022]}", "from: 2010", "own.yaml:14:10: quantities.power.growth[1].from: is fixed:"),
        ("at: 2005", "volatility: 0.1 OOM/year", "power has volatility; a change point is learnt by a level"),
        ("      - {from: {uniform: [2008, 2022]}, rate: {median: 1.3, interval_90: [1, 2], unit: x/year}}\n", "",
         "quantities.power has one rate; a change point"),
        ("10 GW", "10 GW", "own.yaml:6:30: history.change_point: quantities.power is in GW, of which the table of runs"),
        ("start: {median: 10 GW, interval_90: [1, 100]}", "start: 1e17 FLOP",
         "training-runs.csv: goes from 2007.5 to 2025.5, with 1 values before the change (2008.2 to 2011.8 at 90 %)"),
    ],
)  # fmt: skip
def test_a_level_that_cannot_learn_a_change_is_refused_where_it_stands(tmp_path, was, now, said):
    text = CHANGE.replace("2026-12", "2026-05").replace(
        "2022]}, rate", "2012]}, rate" if "FLOP" in now else "2022]}, rate"
    )
    assert was in text
    with pytest.raises(InputError, match=re.escape(said)):
        learn(changing(tmp_path, text.replace(was, now)))


def test_a_second_change_within_the_series_and_a_value_of_0_are_refused(tmp_path):
    rows = [f"{year},{year - 1999},plant" for year in range(2000, 2027)]
    (tmp_path / "power.csv").write_text("\n".join(["date,value,label", *rows]))
    third = CHANGE.rstrip() + "\n      - {from: 2020, rate: 1.1x/year}\n"
    with pytest.raises(InputError, match=r"own.yaml:15:10.*may begin before the series ends \(2026\)"):
        learn(changing(tmp_path, third, beside=", series: power.csv"))
    (tmp_path / "power.csv").write_text("\n".join(["date,value,label", "2001,0,none", *rows]))
    with pytest.raises(InputError, match=r"power.csv: holds 0 \(none\), and growth is of positive values"):
        learn(changing(tmp_path, CHANGE, beside=", series: power.csv"))


def test_a_change_point_is_no_history_for_a_hindcast(tmp_path):
    with pytest.raises(InputError, match="its history is of one change of growth, and not of spending and hardware"):
        series(load_scenario("change-point"))


@pytest.mark.parametrize(("share", "at_record"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_a_share_of_the_samples_starts_from_the_record_and_the_others_from_the_trend(share, at_record):
    history = load_scenario(
        "learned", overrides=[f"history.from_record={share}", "history.record_error=0"]
    ).spec.history
    fitted = fit(record=33.0)
    draws = learnt_draws(fitted, history)
    level = draws["spending_start"] + draws["hardware_start"]
    assert np.mean(np.isclose(level, 33.0)) == at_record
    others = np.isin(level.round(9), largest_of_last_year(fitted, seed=0).round(9))
    assert others.mean() == 1 - at_record
    # The cost follows the run: spending 4 and compute 20 of the trend, slope 0.8.
    assert draws["spending_start"] == pytest.approx(4.0 + 0.8 * (level - 20.0))


def test_what_the_fit_holds_as_certain_is_written_back_as_a_number():
    """A volatility that the priors fix went missing, and a start that is certain stayed that of another date."""
    scenario, made = parse_scenario(SMALL % ""), fit(spending_volatility=0.1)
    made.attrs |= {"fit": "0" * 16, "snapshot": "2026-05"}
    history = scenario.spec.history.model_copy(update={"from_record": 1.0, "record_error": 0.0})
    data, _ = learnt_from(scenario, history, made)
    drivers = resolve(Document(data, scenario.places)).spec.drivers
    spending, hardware = drivers.spending, drivers.hardware
    assert (spending.volatility.value, hardware.volatility) == (0.1, None)
    assert (spending.start.value, spending.at) == (pytest.approx(1e4), 2020.0)
    assert (hardware.start.value, hardware.at) == (pytest.approx(1e16), 2020.0)


def test_runs_without_flop_are_counted_and_a_lower_bound_is_the_record(tmp_path):
    years = range(2014, 2026)
    rows = [f"r{each},{each}-07-01,{10 ** (each / 2 - 987)},{10 ** (each * 0.3 - 600.2)},," for each in years]
    rows += ["big,2026-02-01,,,1e27,Lab", "dear,2026-03-01,,5e7,,Lab", "unknown,2026-03-05,,,,Lab"]
    head = "name,date,training_flop,cost_usd,training_flop_at_least,Organization"
    (tmp_path / "runs.csv").write_text("\n".join([head, *rows, ""]))
    text = SMALL % ", runs: ./runs.csv"
    (tmp_path / "a.yaml").write_text(text.replace("2025-12-31", "2026-04-30"))
    scenario = load_scenario(tmp_path / "a.yaml")
    seen = series(scenario).observations()
    assert seen.hidden.name == ("big", "dear")
    known = known_at(seen)
    assert known.record == pytest.approx(27.0)
    assert known.hidden.tolist() == [True, False]  # of one maker and year the largest counts
    assert known_at(seen, 2026.0).record == pytest.approx(25.5)
    assert series(scenario).runs.silent() == {2026: (3, 3)}
    names = ("run_scatter", "cost_scatter", "accelerator_scatter", "run_tail", "cost_tail", "cost_slope",
             "accelerator_offset", "error_confident", "error_likely", "error_speculative")  # fmt: skip
    draws = xr.Dataset({name: (("chain", "draw"), np.full((1, 2), 3.0)) for name in names})
    draws = draws.assign_coords(year=np.arange(2014.0, 2028.0))
    for name, level in (("spending", 7.0), ("efficiency", 18.0), ("compute", 26.0)):
        draws[name] = ("chain", "draw", "year"), np.full((1, 2, 14), level)
    found = log_likelihood(draws.assign_coords(chain=[0], draw=[0, 1]), seen, known)["hidden_log_least"]
    exact = stats.t.logsf((27.0 - 26.0) / np.hypot(3.0, 3.0), 3.0)
    assert found.values == pytest.approx(np.full((1, 2, 1), exact), rel=1e-4)


def test_rows_that_were_not_read_are_told_by_what_learns(tmp_path):
    rows = [f"r{year},{year}-07-01,{10 ** (year / 2 - 987)},1e6" for year in range(2014, 2026)]
    rows += ["late,Mar 2025,1e26,", "about,2025-03-01,~1e26,", "dear,2025-03-01,1e24,€30000000"]
    (tmp_path / "runs.csv").write_text("\n".join(["name,date,training_flop,cost_usd", *rows, ""]))
    (tmp_path / "a.yaml").write_text(SMALL % ", runs: ./runs.csv")
    told = simulator.history.learning._doubts(series(load_scenario(tmp_path / "a.yaml")))
    assert [line.removeprefix("history: ") for line in told if "base models" not in line] == [
        "'cost_usd' is no positive number, and unknown, in 1 of the rows, e.g. dear ('€30000000').",
        "1 row left out: no date that can be read: late ('Mar 2025').",
        "1 row left out: training compute is no positive number: about ('~1e26').",
    ]
