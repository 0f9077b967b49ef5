"""A fit finds what made the data, gives the same draws again, and is what ArviZ reads."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import netCDF4
import numpy as np
import pytensor
import pytest
import xarray as xr
from scipy import stats

import simulator.history.fit
from simulator.errors import InputError, RunFileError
from simulator.history.beliefs import history_priors
from simulator.history.fit import SamplerSettings, exact_arithmetic, fit_history, prune
from simulator.history.observations import known_at
from simulator.priors.families import Normal
from simulator.runs.contents import FIT_GROUPS
from tests.history.made_up_history import OBSERVED
from tests.places import ROOT

SHORT = SamplerSettings(draws=80, tune=160, chains=2, cores=1, target_acceptance=0.8, seed=5)
pytestmark = pytest.mark.slow  # all of them read fits

TRUE = {"spending_growth": 0.45, "efficiency_growth": 0.15, "run_scatter": 0.3, "cost_slope": 1.0}
NAMES = ["run_name", "costed_run_name", "accelerator_name"]


FIT = """
import hashlib
from simulator.history.fit import SamplerSettings, fit_history
from tests.history.made_up_history import OBSERVED

fit = fit_history(OBSERVED, settings=SamplerSettings(draws=5, tune=15, chains=1, cores=1))
print(fit.attrs["fit"], hashlib.sha256(fit["posterior"]["compute"].values.tobytes()).hexdigest())
"""


def test_the_draws_do_not_depend_on_what_was_compiled_before(tmp_path):  # first, as it compiles for those below
    """A cold and then a warm compile cache gave 3.36x and 3.34x under one id, with PyTensor's fast arithmetic."""
    here = {**os.environ, "PYTHONPATH": str(ROOT), "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    cold, warm = (
        subprocess.run([sys.executable, "-c", FIT], env=here, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert cold.split() == warm.split()
    assert len(cold.split()) == 2
    compiled = list(tmp_path.rglob("*.nb[ci]"))
    assert compiled  # and kept there; the fits of the other tests need not be compiled again
    (folder := Path(pytensor.config.base_compiledir, "numba")).mkdir(parents=True, exist_ok=True)
    for file in compiled:
        if not (folder / file.name).exists():
            shutil.copy(file, folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="module")
def fit(cache):
    return fit_history(OBSERVED, settings=SHORT, cache=cache)


@pytest.mark.parametrize("name", TRUE)
def test_what_made_the_data_is_found(fit, name):
    draws = fit["posterior"][name]
    assert abs(float(draws.mean()) - TRUE[name]) < 4 * float(draws.std())


def test_data_narrow_the_prior(fit):
    for name in ("spending_growth", "efficiency_growth", "run_scatter"):
        assert float(fit["posterior"][name].std()) < 0.7 * float(fit["prior"][name].std())


def test_the_groups_hold_what_their_names_say(fit):
    assert set(fit.children) == set(FIT_GROUPS)
    assert fit["posterior"].sizes["chain"] == 2
    assert fit["posterior"].sizes["draw"] == 80
    assert set(fit["prior"].data_vars) == set(fit["posterior"].data_vars)
    assert fit["posterior"]["year"].values.tolist() == list(range(2016, 2023))
    assert "diverging" in fit["sample_stats"]
    for name, seen in fit["observed_data"].data_vars.items():
        for group in ("posterior_predictive", "log_likelihood"):
            assert fit[group][name].dims == ("chain", "draw", *seen.dims)
    assert fit["observed_data"].sizes["costed_run"] == 45
    np.testing.assert_allclose(
        fit["posterior"]["compute"], fit["posterior"]["spending"] + fit["posterior"]["efficiency"], atol=1e-9
    )
    assert (fit.attrs["known_to"], fit.attrs["first_year"], fit.attrs["runs"]) == (2022.0, 2016, 60)
    assert fit.attrs["record"] == OBSERVED.record_log_compute[-1]
    assert fit.attrs["snapshot"] == "made up"
    assert {"python", "numpy", "pymc", "pytensor", "numba"} <= json.loads(fit.attrs["libraries"]).keys()


def test_densities_of_what_was_seen_and_of_the_priors_add_up_to_what_the_sampler_climbed(fit):
    """The sampler's own density has the yearly steps beside them, and a slope for each unknown that it takes the log of."""
    draws = fit["posterior"]
    parts = [each.sum([dim for dim in each.dims if dim not in ("chain", "draw")]) for each in
             fit["log_likelihood"].data_vars.values()]  # fmt: skip
    parts += fit["log_prior"].data_vars.values()
    parts += [stats.norm.logpdf(draws[f"{of}_steps"]).sum(axis=-1) for of in ("spending", "efficiency")]
    positive = ("run_scatter", "cost_scatter", "accelerator_scatter", "run_tail_excess", "cost_tail_excess",
                "spending_volatility", "efficiency_volatility")  # fmt: skip
    parts += [np.log(draws[name]) for name in positive]
    np.testing.assert_allclose(sum(parts), fit["sample_stats"]["lp"], atol=1e-4)  # single precision


@pytest.mark.parametrize("name", ["run_log_compute", "cost_log_usd", "accelerator_log_flops_per_usd"])
def test_replicas_cover_what_was_seen(fit, name):
    replicas, seen = fit["posterior_predictive"][name], fit["observed_data"][name]
    low, high = (replicas.quantile(level, dim=("chain", "draw")).values for level in (0.05, 0.95))
    inside = np.mean((low <= seen.values) & (seen.values <= high))
    assert inside > 0.9 - 4 * np.sqrt(0.09 / seen.size)


def test_arviz_reads_a_fit(fit):
    import arviz as az

    table = az.summary(fit, var_names=["spending_growth"], ci_prob=0.9)
    assert float(table["mean"].iloc[0]) == pytest.approx(float(fit["posterior"]["spending_growth"].mean()), abs=0.01)


def test_observations_that_have_names_keep_them_and_no_number_depends_on_them(fit, cache, monkeypatch, tmp_path):
    import arviz as az

    monkeypatch.setattr("simulator.history.fit.build_model", lambda *_, **__: pytest.fail("built again"))
    runs = tuple(f"run {place}" for place in range(60))
    named = replace(OBSERVED, run_name=runs, accelerator_name=tuple(f"chip {place}" for place in range(15)))
    again = fit_history(named, settings=SHORT, cache=cache)
    for place in ("observed_data", "posterior_predictive"):
        assert again[place]["run_name"].values.tolist() == list(runs)
        assert again[place]["costed_run_name"].values[0] == "run 1"  # run 0 has no cost
        assert again[place]["accelerator_name"].values[-1] == "chip 14"
        assert again[place].to_dataset().drop_vars(NAMES).identical(fit[place].to_dataset())
    again.to_netcdf(tmp_path / "named.nc")
    with az.from_netcdf(tmp_path / "named.nc") as opened:
        assert opened["observed_data"]["run_name"].values.tolist() == list(runs)
        table = az.summary(opened, var_names=["spending_growth"], ci_prob=0.9)
        assert list(table.index) == ["spending_growth"]


def test_names_are_as_many_as_what_they_name():
    with pytest.raises(InputError, match=r"run_name: must be as long as run_year \(60\); got 1"):
        replace(OBSERVED, run_name=("only one",))


def test_a_stored_fit_is_read_again_without_sampling(fit, cache, monkeypatch):
    monkeypatch.setattr("simulator.history.fit.build_model", lambda *_, **__: pytest.fail("built again"))
    again = fit_history(OBSERVED, settings=replace(SHORT, cores=2), cache=cache)
    assert again.identical(fit)


@pytest.mark.parametrize(
    "changes",
    [
        {"date": 2021.0},
        {"settings": replace(SHORT, seed=6)},
        {"priors": history_priors(spending=Normal(0.35, 0.34))},
        {"observations": replace(OBSERVED, snapshot="another")},
        {"observations": replace(OBSERVED, run_log_compute=OBSERVED.run_log_compute + 1e-9)},
    ],
)
def test_another_question_is_another_fit(fit, cache, monkeypatch, changes):
    class Built(Exception):
        pass

    def built(*_, **__):
        raise Built

    monkeypatch.setattr("simulator.history.fit.build_model", built)
    arguments = {"observations": OBSERVED, "settings": SHORT, "cache": cache} | changes
    with pytest.raises(Built):
        fit_history(arguments.pop("observations"), **arguments)


def test_the_same_seed_gives_the_same_draws_and_damage_is_repaired(fit, cache, tmp_path):
    (file,) = cache.glob("*.nc")
    (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    last = fit_history(OBSERVED, settings=SHORT, cache=tmp_path)
    assert last.identical(fit)
    with xr.open_datatree(tmp_path / file.name) as stored:
        again = stored.load()
    del again.attrs["checksums"]  # of the file, and of no fit
    assert again.identical(fit)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("before", [None, "numba__fastmath=True"])
def test_arithmetic_is_exact_in_processes_of_chains_too_and_as_before_after_it(before, monkeypatch):
    monkeypatch.delenv("PYTENSOR_FLAGS", raising=False)
    if before:
        monkeypatch.setenv("PYTENSOR_FLAGS", before)
    with exact_arithmetic():
        program = "from pytensor.configdefaults import config; print(config.numba__fastmath)"
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        assert told.strip() == "False"
    assert os.environ.get("PYTENSOR_FLAGS") == before


@pytest.mark.parametrize("changed", ["numpy", "numba"])
def test_another_library_is_another_fit(fit, monkeypatch, changed):
    real = simulator.history.fit.libraries
    monkeypatch.setattr("simulator.history.fit.libraries", lambda names: real(names) | {changed: "0"})
    known = known_at(OBSERVED, 2021 + 1.0)
    name = simulator.history.fit._identity(OBSERVED, known, priors=history_priors(), settings=SHORT)
    assert name != fit.attrs["fit"]


def test_nutpie_that_is_not_installed_is_said_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "nutpie", None)
    with pytest.raises(InputError, match=r"nutpie is not installed.*\[nutpie\].*sampler pymc"):
        fit_history(OBSERVED, settings=replace(SHORT, sampler="nutpie"))


def test_an_unknown_origin_is_refused_before_anything_is_built():
    with pytest.raises(InputError, match="the end of 2030: must be a date with a known record"):
        fit_history(OBSERVED, date=2031.0)


def test_a_sampler_that_is_interrupted_leaves_no_fit(monkeypatch, tmp_path, fit):
    """The samplers swallow Ctrl-C and hand back the chains that they have."""
    short = fit["posterior"].to_dataset().isel(chain=[0], draw=slice(0, 20))
    partial = xr.DataTree.from_dict({"posterior": short, "sample_stats": xr.Dataset()})
    monkeypatch.setattr("simulator.history.fit._raw_sampler", lambda model, settings: lambda data: partial)
    with pytest.raises(KeyboardInterrupt):
        fit_history(OBSERVED, settings=SHORT, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_before_the_first_draw_is_no_fault_of_the_sampler(monkeypatch, tmp_path):
    """PyMC swallows Ctrl-C while it tunes too, and then finds that it has no draws."""

    def interrupted(trace, draw):
        raise KeyboardInterrupt

    pymc = pytest.importorskip("pymc")
    monkeypatch.setattr(pymc, "sample", functools.partial(pymc.sample, callback=interrupted))
    with pytest.raises(KeyboardInterrupt):
        fit_history(OBSERVED, settings=SHORT, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_stored_fit_that_is_not_whole_is_made_anew(fit, cache, tmp_path):
    (file,) = (path for path in cache.iterdir() if path.stem.startswith("history-2021"))
    with xr.open_datatree(file, engine="netcdf4") as stored:
        cut = stored.load().isel(chain=[0])
    cut.to_netcdf(tmp_path / file.name, engine="netcdf4")
    assert simulator.history.fit.read_fit(tmp_path / file.name, SHORT) is None
    assert simulator.history.fit.read_fit(file, SHORT) is not None


def test_a_stored_fit_that_another_process_removes_is_none_without_a_word(tmp_path, monkeypatch, capsys):
    file = tmp_path / "fit.nc"
    file.write_text("no fit")
    assert simulator.history.fit.read_fit(file, SHORT) is None
    assert "The fit is made anew." in capsys.readouterr().err

    def removed(path):
        path.unlink()
        raise RunFileError(f"{path}: no such file.")

    monkeypatch.setattr(simulator.history.fit, "read_tree", removed)
    assert simulator.history.fit.read_fit(file, SHORT) is None
    assert capsys.readouterr().err == ""


def test_a_stored_fit_that_lost_what_is_known_without_it_is_used_as_it_was(fit, cache, tmp_path):
    (file,) = (path for path in cache.iterdir() if path.stem.startswith("history-2021"))
    shutil.copy(file, tmp_path)
    with netCDF4.Dataset(tmp_path / file.name, "a") as stored:
        for name in ("record", "known_to", "checksums"):
            stored.delncattr(name)
    again = fit_history(OBSERVED, settings=SHORT, cache=tmp_path)
    assert (again.attrs["record"], again.attrs["known_to"]) == (fit.attrs["record"], fit.attrs["known_to"])


def test_fits_that_were_used_least_recently_go_where_they_take_too_much(tmp_path):
    files = [tmp_path / f"history-{year}-x.nc" for year in (2019, 2020, 2021, 2022)]
    for place, file in enumerate(files):
        file.write_bytes(b"x" * 100)
        os.utime(file, (place, place))
    os.utime(files[0], (9, 9))  # was read again
    (tmp_path / "notes.txt").write_text("is none of them")
    assert prune(tmp_path, limit=250) == files[1:3]
    assert sorted(tmp_path.iterdir()) == [files[0], files[3], tmp_path / "notes.txt"]
    assert prune(tmp_path, limit=50) == [files[3]]  # the one that was used last stays
