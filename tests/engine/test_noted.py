"""What samples show that a reader is told: limits at the start, dates that cross, eras that never come, explosions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import parse_scenario, simulate, write_report
from simulator.charts.kinds.fan import fan_figures
from simulator.charts.kinds.growth import growth_figures
from simulator.charts.spec import FigureOptions
from simulator.cli.main import main
from simulator.engine.simulation import sample_warnings
from simulator.errors import InputError
from simulator.runs.summary import summary_lines
from simulator.testing import assert_valid_run, run_of, scenario_text, small_scenario


def warned(changes: dict[str, Any], **years: Any) -> list[str]:
    return run_of(small_scenario({**changes, **years})).attrs["warnings"].splitlines()


def usd(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "USD"}


CUT: dict[str, Any] = {
    "drivers": {
        "spending": {
            "start": usd(3.9e8),
            "growth": "2x/year",
            "caps": {"firm": {"share": {"value": 1e-7, "unit": "fraction"}, "of": "world"}},
        },
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "1.4x/year"},
    },
    "quantities.world": {"start": usd(1.2e14), "growth": {"value": 3, "unit": "%/year"}},
}


def test_a_share_of_a_quantity_far_below_the_start_is_told_by_the_run_and_before_it() -> None:
    scenario = parse_scenario(scenario_text(small_scenario(CUT)))
    for said in (simulate(scenario).attrs["warnings"].splitlines(), sample_warnings(scenario)):
        assert len(said) == 1
        assert said[0].startswith("spending starts above its limits (firm) in > 99")
        assert "cut it by 1.5 OOM there" in said[0]  # log10(3.9e8 / 1.2e7) = 1.512
        assert "390 million USD is stated for the first year and 12 million USD is left" in said[0]


def test_a_product_as_a_limit_is_told_and_one_above_the_start_is_not() -> None:
    for value, count in ((1e25, 1), (1e30, 0)):
        limit = {"product": [{"value": value, "unit": "FLOP"}, {"value": 0.5}]}
        said = warned({"drivers.compute.start": 1e26, "drivers.compute.caps": {"site": {"limit": limit}}})
        assert len([line for line in said if "starts above its limits (site)" in line]) == count


@pytest.mark.parametrize(("limit", "count"), [(1e29, 0), (1e26, 0), (9.7e25, 1)])
def test_a_cap_at_the_start_takes_nothing_away_and_one_below_does(limit: float, count: int) -> None:
    said = warned(
        {"drivers.compute.start": 1e26, "drivers.compute.caps": {"x": {"limit": {"value": limit, "unit": "FLOP"}}}}
    )
    assert len([line for line in said if "starts above" in line]) == count


def test_limits_on_a_factor_and_within_a_quantity_are_told() -> None:
    low = {"start": {"value": 1e26, "unit": "FLOP"}, "caps": {"x": {"limit": {"value": 1e25, "unit": "FLOP"}}}}
    factors = {"drivers.compute": {"factors": {"a": low}}}
    assert any("compute factor a starts above its limits (x)" in line for line in warned(factors))
    within = {"quantities.q": low, "constraints.c": {"limit": "q"}}
    assert any("q starts above its limits (x)" in line for line in warned(within))
    bought = {"start": "3 million chip/year", "caps": {"x": {"limit": "2 million chip/year"}}}
    (said,) = (line for line in warned({"quantities.bought": bought | {"label": "bought"}}) if "starts above" in line)
    assert "3.0e6 chip/year is stated for the first year and 2.0e6 chip/year is left" in said


ERAS = [
    {"rate": "2x/year"},
    {"from": {"uniform": [2027, 2030]}, "rate": "1.5x/year"},
    {"from": {"uniform": [2029, 2031]}, "rate": "1.2x/year"},
    {"from": {"uniform": [2033, 2055]}, "rate": "1.1x/year"},
]


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_dates_that_cross_and_an_era_that_hardly_comes_are_told_with_their_shares(keep: Any) -> None:
    data = small_scenario({"drivers.compute.growth": ERAS, "samples": 10_000, "block": 500})
    crossed, beyond = run_of(data, keep=keep).attrs["warnings"].splitlines()
    # P(second before first) = 1/3 x 1/2 x 1/2 = 1/12, by chance 0.28 % more or less; P(beyond 2035) = 20/22, stratified.
    assert crossed.startswith("drivers.compute.growth[2].from: lies before drivers.compute.growth[1].from in 8."), (
        crossed
    )
    assert float(crossed.split(" in ")[1].split(" ")[0]) == pytest.approx(100 / 12, abs=4 * 0.28)
    assert beyond.startswith("drivers.compute.growth[3].from: lies at or beyond the last year, 2035, in 90.9 ")


def test_where_dates_cross_the_era_between_is_left_out() -> None:
    eras: list[dict[str, Any]] = [{"rate": {"value": 1, "unit": "OOM/year"}}]
    for year, rate in ((2030, 0.5), (2028, 0.1)):
        eras.append({"from": {"uniform": [year, year + 1e-7]}, "rate": {"value": rate, "unit": "OOM/year"}})
    run = run_of(small_scenario({"drivers.compute.start": 1e26, "drivers.compute.growth": eras, "samples": 1}))
    expected = 26 + np.minimum(np.arange(11), 5) + 0.1 * np.maximum(np.arange(11) - 5, 0)
    np.testing.assert_allclose(run["trajectories/physical_compute"].values[0], expected, rtol=0, atol=4e-6)


def test_draws_that_are_held_are_told_with_their_share() -> None:
    wide = {"family": "lognormal", "median": 1e30, "interval_90": [1e-170, 1e230], "unit": "FLOP"}
    said = warned({"thresholds.far": {"physical_compute": wide}, "samples": 5000, "block": 500})
    held = [
        line for line in said if line.startswith("thresholds.far.physical_compute: lies beyond 10^280 or its inverse")
    ]
    # Normal in the log10 with a standard deviation of 200 / 1.6449: P(above 280 or below -280) = 1.989 + 0.539 %.
    assert len(held) == 1
    assert float(held[0].split(" in ")[1].split(" ")[0]) == pytest.approx(2.53, abs=0.05)
    assert not [line for line in warned({}) if "held" in line]


def test_dates_that_are_fixed_are_not_told_of_samples() -> None:
    eras = [{"rate": "2x/year"}, {"from": 2030, "rate": "1.5x/year"}, {"from": 2032, "rate": "1.2x/year"}]
    assert warned({"drivers.compute.growth": eras}) == []


def exploding(top: Any) -> dict[str, Any]:
    points = [{"at": 1e26, "multiplier": 1}, {"at": 1e300, "multiplier": top}]
    algorithms = {"growth": {"value": 0.3, "unit": "OOM/year"}, "feedback": points}
    compute = {"start": 1e26, "growth": {"value": 0.5, "unit": "OOM/year"}}
    return small_scenario({"drivers": {"compute": compute, "algorithms": algorithms}})


@pytest.mark.parametrize("keep", ["trajectories", "summary"])
def test_samples_that_explode_are_counted_and_never_a_number(keep: Any) -> None:
    top = {"discrete": {"values": [1, 1e60], "weights": [0.75, 0.25]}}
    run = run_of(exploding(top), keep=keep)
    assert_valid_run(run)
    assert run["summary/effective_compute"].sel(year=2035, quantile=0.5) == pytest.approx(34, abs=1e-3)
    assert run["summary/effective_compute"].sel(year=2035, quantile=0.95) == np.inf
    assert np.isfinite(run["summary/effective_compute"].sel(year=2028)).all()
    assert any(
        line.startswith("effective compute is beyond 10^300 FLOP in 25.0 ")
        and "by 2035, in the first of them from 2029 on" in line
        for line in run.attrs["warnings"].splitlines()
    )


def test_what_explodes_is_called_what_its_scenario_calls_it() -> None:
    spending = {"label": "money", "start": {"value": 1e8, "unit": "USD"}, "growth": {"value": 40, "unit": "OOM/year"}}
    assert any(line.startswith("money is beyond 10^300 in ") for line in warned({"drivers": {"spending": spending}}))


def test_a_run_in_which_samples_explode_is_told_and_drawn_as_far_as_it_can_be(tmp_path: Path) -> None:
    run = run_of(exploding({"discrete": {"values": [1, 1e60], "weights": [0.75, 0.25]}}))
    line = next(line for line in summary_lines(run) if line.startswith("  2035"))
    assert "effective compute 1e34 FLOP (90 % 1e34 to beyond 1e300), log10 34.00" in line
    [fan] = fan_figures(run, FigureOptions())
    assert "What lies beyond any number stands at the top" in fan.caption
    with pytest.raises(InputError, match=r"beyond 10\^300, as the run's warnings say: there is no mean growth"):
        growth_figures(run, FigureOptions())
    write_report(run, tmp_path / "report.html")
    assert "there is no mean growth to split" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_validate_tells_what_the_first_samples_show(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cut.yaml"
    file.write_text(scenario_text(small_scenario(CUT)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["simulate", "validate", str(file)])
        main()
    assert "spending starts above its limits (firm)" in capsys.readouterr().err
