"""Running a scenario: what is kept, memory, progress, standard errors that are true."""

from __future__ import annotations

import itertools
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from simulator import parse_scenario, simulate
from simulator.engine.batches import free_memory
from simulator.engine.simulation import run_plan
from simulator.engine.workers import Work, in_order
from simulator.errors import InputError
from simulator.testing import assert_valid_run, run_of, scenario_text, small_scenario
from tests.money import SPENDING, money_alone, power_alone


def test_samples_that_do_not_fit_are_refused_before_memory_is_taken() -> None:
    scenario = parse_scenario(scenario_text(small_scenario({"samples": 10**10})))
    run_of(small_scenario({"samples": 16}))  # loads what a run needs
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        simulate(scenario)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith("samples: 10,000,000,000 samples of 3 variables in 11 years take ")
    assert "GiB; at most 4 GiB are taken. Write --keep summary" in message
    assert most < 5e6


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (
            "trajectories",
            "samples: 100 samples of 3 variables in 11 years take 0.0 GiB, 0.0 GiB while they are summarised",
        ),
        ("summary", "years: the counts of 3 variables in 11 years take 0.0 GiB, 0.0 GiB while they are summarised"),
    ],
)
def test_few_samples_too_are_refused_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch, keep: Literal["trajectories", "summary"], words: str
) -> None:
    monkeypatch.setattr("simulator.engine.simulation.SURELY_FITS", 0)
    scenario = parse_scenario(scenario_text(small_scenario({"samples": 100})))
    assert_valid_run(simulate(scenario, keep=keep))
    monkeypatch.setattr("simulator.engine.simulation.free_memory", lambda: 1000.0)
    with pytest.raises(InputError, match=f"^{words}; 0.0 GiB are free. Write "):
        simulate(scenario, keep=keep)


def test_memory_that_is_free_is_known_and_bounded_by_the_limit_of_the_process() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    try:
        resource.setrlimit(resource.RLIMIT_AS, (taken + 2**28, before[1]))
        assert 0 < free_memory() <= 2**28 + 2**24
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_the_memory_that_is_named_is_what_samples_take() -> None:
    with pytest.raises(InputError) as caught:
        run_of(small_scenario({"samples": 10**10}))
    named = float(str(caught.value).split(" take ")[1].split(" GiB")[0].replace(",", "")) * 2**30
    # 3 variables in 11 years in float32, the binding code aside, and 2 parameters in float64.
    assert named == pytest.approx(10**10 * (3 * 11 * 4 + 2 * 8), rel=0.01)


@pytest.mark.parametrize("samples", [1, 255, 256, 257, 1000])
def test_every_sample_that_is_asked_for_is_there(samples: int) -> None:
    run = run_of(small_scenario({"samples": samples}))
    assert run["trajectories"].sizes["sample"] == samples
    assert run["parameters"].sizes["sample"] == samples
    assert run["trajectories/sample"].values.tolist() == list(range(samples))


@pytest.mark.parametrize(("samples", "keep"), [(100, "trajectories"), (40_000, "trajectories"), (200_000, "summary")])
def test_progress_rises_to_the_number_of_blocks(samples: int, keep: str) -> None:
    told: list[tuple[int, int]] = []
    scenario = parse_scenario(scenario_text(small_scenario({"samples": samples, "block": 1024})))
    simulate(scenario, keep=keep, progress=lambda done, total: told.append((done, total)))  # type: ignore[arg-type]
    blocks = -(-samples // 1024)
    assert told[-1] == (blocks, blocks)
    assert all(before[0] < after[0] for before, after in itertools.pairwise(told))
    assert {total for _, total in told} == {blocks}


@pytest.mark.parametrize("workers", [1, 3])
def test_an_interruption_ends_the_run(workers: int) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    scenario = parse_scenario(scenario_text(small_scenario({"samples": 50_000})))
    with pytest.raises(KeyboardInterrupt):
        simulate(scenario, workers=workers, progress=interrupt)


@pytest.mark.parametrize("design", ["random", "latin-hypercube"])
def test_reported_errors_are_those_seen_over_many_seeds(design: str) -> None:
    """The scatter over 60 seeds, known to 1 in sqrt(2 x 59), against the mean square of 60 errors of 8 blocks each."""
    values, errors = [], []
    changes = {"samples": 8192, "block": 1024, "design": design, "thresholds.a": {"effective_compute": 1e29}}
    for seed in range(60):
        data = small_scenario({**changes, "seed": seed})
        summary = run_of(data, keep="summary")["summary"].to_dataset()
        levels = summary.sel(quantile=[0.25, 0.5, 0.75], year=[2028, 2035])
        crossing = summary.sel(quantile=[0.25, 0.5, 0.75])
        values.append([
            *levels["effective_compute"].values.ravel(),
            *summary["crossed"].sel(year=[2030, 2032]).values.ravel(),
            *crossing["crossing_quantile"].values.ravel(),
        ])  # fmt: skip
        errors.append([
            *levels["effective_compute_error"].values.ravel(),
            *summary["crossed_error"].sel(year=[2030, 2032]).values.ravel(),
            *crossing["crossing_quantile_error"].values.ravel(),
        ])  # fmt: skip
    ratio = np.std(values, axis=0, ddof=1) / np.sqrt(np.mean(np.square(errors), axis=0))
    # 1 in sqrt(118) is 9 %; with the errors' own uncertainty 10 %; four of them; 11 numbers. The crossing years' errors
    # take the slope over a whole year, up to 15 % off.
    assert (np.abs(ratio[:8] - 1) < 0.4).all(), ratio
    assert (np.abs(ratio[8:] - 1) < 0.55).all(), ratio


def test_a_question_about_money_needs_no_hardware_and_is_answered_as_with_it() -> None:
    alone = run_of(money_alone())
    hardware = {"start": "1e18 FLOP/USD"}
    whole = run_of(money_alone(drivers={"spending": SPENDING, "hardware": hardware}))
    assert_valid_run(alone)
    assert not {"physical_compute", "effective_compute", "hardware"} & set(alone["trajectories"].data_vars)
    for name in ("spending", "spending_demanded", "binding_spending"):
        np.testing.assert_array_equal(alone["trajectories"][name], whole["trajectories"][name])
    np.testing.assert_array_equal(alone["crossings"]["crossing_year"], whole["crossings"]["crossing_year"])
    assert np.isfinite(alone["summary"]["spending_error"].sel(quantile=0.5)).all()


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_thresholds_on_a_quantity_need_no_drivers(keep: Literal["trajectories", "summary"]) -> None:
    run = run_of(power_alone(), keep=keep)
    assert_valid_run(run)
    assert "quantity_site_error" in run["summary"]
    assert 2029 < float(run["summary"]["crossing_quantile"].sel(quantile=0.5)[0]) < 2031  # 3e8 W x 10^(0.3 t) = 1e10 W


def test_one_driver_may_be_all_that_is_asked_about() -> None:
    drivers = {"hardware": {"start": "1e18 FLOP/USD", "growth": "10x/year"}}
    asked = {"ten-fold": {"multiple": 1000, "of": "start", "quantity": "hardware"}}
    run = run_of(money_alone(drivers=drivers, thresholds=asked))
    assert_valid_run(run)
    assert float(run["summary"]["crossing_quantile"].sel(quantile=0.5)[0]) == pytest.approx(2028.0)


def test_jobs_are_ever_smaller_so_that_all_who_work_end_together() -> None:
    plan, firsts = run_plan(parse_scenario(scenario_text(small_scenario({"samples": 64})))), range(0, 1000, 10)
    with ThreadPoolExecutor(2) as pool:
        jobs = [job for job, _ in in_order(Work(lambda plan, firsts: 0, plan, firsts, 16), workers=pool)]
    assert [first for job in jobs for first in job] == [*firsts]
    lengths = [len(job) for job in jobs[1:]]  # the first tells how long one takes
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[:2] == [16, 16]
    assert lengths[-4:] == [1, 1, 1, 1]
