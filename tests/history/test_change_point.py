"""A change of growth is found when and as it was made, and intervals of its date and rates hold what made the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import simulator.history.change_point
from simulator import load_scenario, simulate
from simulator.charts.kinds.learnt import posterior_figures, predictive_figures
from simulator.charts.spec import FigureOptions
from simulator.charts.writing import svg_text
from simulator.errors import InputError
from simulator.history.change_point import (
    ChangePriors,
    Values,
    broken_line,
    build_change,
    check_values,
)
from simulator.history.fit import SamplerSettings, exact_arithmetic, sampler_of
from simulator.history.learning import learn, learnt_lines
from simulator.priors.families import Normal, Uniform
from simulator.runs.contents import FIT_GROUPS
from tests.history.made_up_history import CHANGE

YEARS = np.sort(np.random.default_rng(3).uniform(1990.0, 2022.0, 40))
PRIORS = ChangePriors(Normal(15.0, 2.0), Normal(0.25, 0.15), Uniform(2000.0, 2016.0), Normal(0.5, 0.2), 2000.0, 1.0)
GRID = np.arange(2000.0, 2027.0)
SEEN = 10 + np.log10(1.1) * (np.minimum(GRID, 2014) - 2005) + np.log10(1.5) * np.maximum(GRID - 2014, 0)


def line(true: dict[str, float]) -> np.ndarray:
    draws = xr.Dataset({name: (("chain", "draw"), [[value]]) for name, value in true.items()})
    return broken_line(draws, YEARS, at=PRIORS.at)[0, 0]


def values(levels: np.ndarray) -> Values:
    return Values(YEARS, levels, ("",) * YEARS.size, "FLOP", "made up")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Power in GW that grows 10 % a year until 2014 and 50 % from then on, seen with an error of 0.02 OOM."""
    folder = tmp_path_factory.mktemp("own")
    levels = SEEN + 0.02 * np.random.default_rng(1).standard_normal(GRID.size)
    rows = [f"{year:g},{10 ** (level - 9):.6g},plant" for year, level in zip(GRID, levels, strict=True)]
    (folder / "power.csv").write_text("\n".join(["date,value,label", *rows]))
    (folder / "own.yaml").write_text(CHANGE % ", series: power.csv")
    return learn(load_scenario(folder / "own.yaml"), cache=folder)


@pytest.mark.slow
def test_date_and_rates_that_made_the_data_are_found(learnt):
    """By least squares with the date known, the rates have standard errors of about 0.001."""
    true = {"change_date": 2014.0, "earlier_growth": np.log10(1.1), "later_growth": np.log10(1.5), "level_start": 10.0}
    for name, value in true.items():
        draws = learnt.fit["posterior"][name].values
        assert abs(draws.mean() - value) < 3 * draws.std(), name
    assert learnt.fit["posterior"]["change_date"].values.std() < 0.2  # 4 before
    assert 0.0005 < learnt.fit["posterior"]["earlier_growth"].values.std() < 0.003
    said = "\n".join(learnt_lines(learnt))
    assert "27 values of power.csv, 2000 to 2026" in said
    assert "growth changes in 2014.0 (90 % 201" in said
    assert "before: 1.10x a year" in said


@pytest.mark.slow
def test_what_was_learnt_are_the_priors_of_the_run_and_its_fit_has_the_unit_of_the_series(learnt):
    run = simulate(learnt)
    level = run["summary/quantity_power"].sel(quantile=0.5, year=GRID).values
    assert np.allclose(level, SEEN, atol=0.03)
    assert set(FIT_GROUPS) <= set(run.children)
    assert run["posterior/level_start"].attrs["units"] == "log10(J/s)"
    (figure,) = posterior_figures(run, FigureOptions())
    assert "10 GW" in svg_text(figure.chart)
    assert "27 values of power.csv, 2000 to 2026" in svg_text(figure.chart)
    assert predictive_figures(run, FigureOptions())[0].caption.startswith("Inside the 90 % band: 2")


@pytest.mark.slow
def test_intervals_hold_what_made_the_data_as_often_as_they_say():
    """Of 24 data sets drawn from the priors; 200 with longer chains gave 87 to 92 %, ranks even."""
    pytest.importorskip("nutpie")
    settings = SamplerSettings(sampler="nutpie", draws=300, tune=300, chains=2, cores=2, seed=1)
    rng, shares = np.random.default_rng(8), []
    with exact_arithmetic():
        sample = sampler_of(build_change(values(0.0 * YEARS), PRIORS), settings)
        for _ in range(24):
            true = {name: float(family.ppf(rng.uniform(size=1))[0]) for name, family in PRIORS.families.items()}
            noise = abs(rng.normal()) * rng.standard_t(2.5 + rng.gamma(2.0, 1 / 0.3), YEARS.size)
            posterior, _ = sample({"seen": line(true) + noise})
            shares.append([float((posterior[name].values < value).mean()) for name, value in true.items()])
    found = np.array(shares)
    inside = np.abs(found - 0.5) < 0.45
    assert 78 <= inside.sum() <= 95  # of 96; 86 are expected
    assert np.abs(found.mean(axis=0) - 0.5).max() < 3 * np.sqrt(1 / 12 / len(found))


@pytest.mark.parametrize(
    ("years", "rule"),
    [
        (YEARS[:5], "made up: has 5 values; two rates and the date between need 6."),
        (np.arange(2017.0, 2025.0), "made up: goes from 2017.0 to 2024.0, with 0 values before the change"),
        (np.arange(1990.0, 2000.0), "made up: goes from 1990.0 to 1999.0, with 0 values after the change"),
    ],
)
def test_a_series_that_cannot_tell_two_rates_apart_is_refused(years, rule):
    with pytest.raises(InputError, match=rule.replace(".", r"\.")):
        check_values(Values(years, 0.0 * years, ("",) * years.size, "FLOP", "made up"), PRIORS.change_date)


@pytest.mark.parametrize(("of_runs", "name"), [(False, "series_log_level"), (True, "run_log_compute")])
def test_a_series_in_flop_is_told_as_runs_only_where_it_is_of_a_table_of_them(of_runs, name):
    true = {"level_start": 20.0, "earlier_growth": 0.1, "change_date": 2010.0, "later_growth": 0.5}
    draws = xr.Dataset(
        {key: (("chain", "draw"), [[each]]) for key, each in (true | {"run_tail": 5.0, "run_scatter": 0.1}).items()},
        coords={"chain": [0], "draw": [0]},
    )
    seen = replace(values(0.0 * YEARS), of_runs=of_runs)
    assert list(simulator.history.change_point._of_values(draws, seen, at=2000.0, seed=0)["observed_data"]) == [name]
