"""Laws of growth against their differential equations, by SciPy; closed forms; paths that run away."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

from simulator.errors import ScenarioError, SimulatorError
from simulator.model.chance import drawn_jumps
from simulator.registers import Register
from simulator.scenario.load import parse_scenario
from simulator.testing import run_of, scenario_text, small_scenario

LN_10 = np.log(10)
RESEARCH = {
    "initial-growth": "5x/year",
    "automated": {"uniform": [0.25, 0.5]},
    "width": {"uniform": [1.5, 4.2]},
    "labour-share": {"uniform": [0.12, 0.35]},
    "returns": {"uniform": [0.8, 1]},
    "diminishing-returns": {"uniform": [0.3, 1]},
}
COMPUTE = {"start": "1e27 FLOP", "growth": "2.6x/year"}
PEOPLE = {"start": {"value": 1, "unit": "1"}, "growth": [{"rate": "2x/year"}, {"from": 2028, "rate": "10 %/year"}]}


def by_law(parameters: Mapping[str, Any], *, samples: int = 8, still: bool = False, **changes: Any) -> dict[str, Any]:
    """A scenario whose algorithms grow by automated research, beside compute and labour that grow or stand still."""
    law = {
        "kind": "automated-research",
        "quantities": {"labour": "researchers"},
        "parameters": {**RESEARCH, **parameters},
    }
    compute, people = ({key: each[key] for key in each if key != "growth" or not still} for each in (COMPUTE, PEOPLE))
    drivers = {"compute": compute, "algorithms": {"law": law}}
    stated = {"drivers": drivers, "quantities": {"researchers": people}, "samples": samples, **changes}
    return small_scenario(stated)


def drawn(run: xr.DataTree, sample: int) -> dict[str, float]:
    path = "drivers.algorithms.law.parameters."
    return {name: float(run[f"parameters/{path}{name}"].values[sample]) for name in RESEARCH}


def test_automated_research_is_the_equation() -> None:
    """As it is written: dS/dt = k (L / (1 - f))^alpha C^zeta S^(1 - beta), in plain numbers, to 1e-4 OOM."""
    run = run_of(by_law({}))
    for sample in range(8):
        given = drawn(run, sample)
        alpha = given["labour-share"] * given["returns"]
        zeta, v = given["returns"] - alpha, 1 / given["width"]
        half = np.exp(-np.log(given["automated"] / (1 - given["automated"])) / v)
        k = given["initial-growth"] * LN_10 * (1 - given["automated"]) ** alpha

        def slope(time: float, level: Any, v: float = v, half: float = half, k: float = k, alpha: float = alpha,
                  zeta: float = zeta, beta: float = given["diminishing-returns"]) -> Any:  # fmt: skip
            compute, labour = 2.6**time, 2 ** min(time, 3) * 1.1 ** max(time - 3, 0)
            automated = 1 / (1 + (half / (compute * level)) ** v)
            return k * (labour / (1 - automated)) ** alpha * compute**zeta * level ** (1 - beta)

        exact = solve_ivp(slope, (0, 10), [1.0], t_eval=np.arange(11), method="LSODA", rtol=1e-11, atol=0.0).y[0]
        level = run["trajectories/algorithms"].values[sample]
        np.testing.assert_allclose(level, np.log10(exact), rtol=0, atol=1e-4)
        automated = 1 / (1 + (half / (2.6 ** np.arange(11) * exact)) ** v)
        told = 10.0 ** run["trajectories/algorithms_law_automation"].values[sample]
        np.testing.assert_allclose(told, automated, rtol=1e-4)
        labour = 2 ** np.minimum(np.arange(11), 3) * 1.1 ** np.maximum(np.arange(11) - 3, 0)
        output = (labour * (1 - given["automated"]) / (1 - automated)) ** alpha * 2.6 ** (zeta * np.arange(11))
        found = run["trajectories/algorithms_law_research"].values[sample]
        np.testing.assert_allclose(found, np.log10(output), rtol=0, atol=1e-4)


def test_research_that_hardly_automates_is_the_closed_form() -> None:
    """With f at 1e-12 and constant inputs S^beta = 1 + beta g t."""
    changes = {"automated": 1e-12, "width": 100, "initial-growth": "0.3 OOM/year", "diminishing-returns": 0.5}
    exact = np.log10(1 + 0.5 * 0.3 * LN_10 * np.arange(11)) / 0.5
    np.testing.assert_allclose(
        run_of(by_law(changes, samples=1, still=True))["trajectories/algorithms"].values[0], exact, rtol=0, atol=2e-6
    )


def test_what_runs_away_is_counted_from_the_year_on_and_never_told_as_a_level() -> None:
    """f is near 1 at once: S^(1 + alpha v - beta), here S^1.4, is without bound after 1 / (0.4 g) years."""
    changes = {"automated": 1 - 1e-12, "width": 1, "labour-share": 1 - 1e-12, "returns": 0.8,
               "diminishing-returns": {"discrete": {"values": [0.4, 0.9], "weights": [1, 1]}},
               "initial-growth": "0.4 ln/year"}  # fmt: skip
    thresholds = {"far": {"quantity": "algorithms", "level": {"value": 1e40, "unit": "1"}},
                  "tenfold": {"quantity": "algorithms", "level": 10}}  # fmt: skip
    run = run_of(by_law(changes, thresholds=thresholds, samples=40, still=True))
    fast = run["parameters/drivers.algorithms.law.parameters.diminishing-returns"].values < 0.5
    level, bound = run["trajectories/algorithms"].values, 1 / (0.4 * 0.4)
    np.testing.assert_array_equal(np.isinf(level), fast[:, None] & (np.arange(11) > bound))
    held = np.arange(11) < bound
    exact = -np.log10(1 - 0.4 * 0.4 * np.arange(11)[held]) / 0.4
    np.testing.assert_allclose(level[fast][:, held], np.broadcast_to(exact, (fast.sum(), held.sum())), atol=1e-4)
    dates = run["crossings/crossing_year"].values
    tenfold = (1 - 10**-0.4) * bound
    np.testing.assert_allclose(dates[1, fast], 2025 + tenfold, atol=1e-3)
    np.testing.assert_allclose(dates[0, fast], 2025 + bound, atol=0.0625)
    assert np.isinf(run["trajectories/algorithms_law_research"].values[fast][:, ~held]).all()
    assert "effective compute is beyond 10^300 FLOP in 50" in run.attrs["warnings"]
    assert "from 2032 on" in run.attrs["warnings"]


STOCK = {"returns": 5.2, "parallel": 0.7, "earlier-growth": "0.047 ln/year", "ceiling": "1e26 FLOP/USD"}


def by_stock(parameters: Mapping[str, Any], growth: str, **changes: Any) -> xr.DataTree:
    """Run a scenario whose hardware grows by a stock of research, of an input that grows."""
    stated = {key: each for key, each in {**STOCK, **parameters}.items() if each is not None}
    law = {"kind": "research-stock", "quantities": {"input": "research"}, "parameters": stated}
    drivers = {"spending": {"start": "1e8 USD", "growth": "2x/year"},
               "hardware": {"start": "1.915e17 FLOP/USD", "law": law}}  # fmt: skip
    research = {"start": {"value": 7, "unit": "1"}, "growth": growth}
    return run_of(small_scenario({"drivers": drivers, "quantities": {"research": research}, "samples": 1, **changes}))


def test_a_research_stock_whose_input_goes_on_gives_a_gompertz_curve() -> None:
    """ln X = ln ceiling - (ln ceiling - ln X_0) exp(-r g t / (ln ceiling - ln X_0)), with Q growing by lambda g."""
    run = by_stock({}, "0.047 ln/year", years={"first": 2022, "last": 2122})
    room, times = np.log(1e26 / 1.915e17), np.arange(101)
    exact = (np.log(1e26) - room * np.exp(-5.2 * 0.047 * times / room)) / LN_10
    np.testing.assert_allclose(run["trajectories/hardware"].values[0], exact, rtol=0, atol=5e-6)
    stock = run["trajectories/hardware_law_stock"].values[0]
    np.testing.assert_allclose(stock, 0.7 * 0.047 * times / LN_10, rtol=0, atol=1e-6)
    assert "hardware_law_automation" not in run["trajectories"]


def test_a_research_stock_without_a_ceiling_is_a_power_of_all_research() -> None:
    """I grows at g, Q' = lambda e I^lambda: Q = 1 + e / g (exp(lambda g t) - 1), X = Q^(r / lambda)."""
    law = {"ceiling": None, "returns": 2, "parallel": 0.5, "earlier-growth": "0.1 ln/year"}
    exact = np.log10(1 + 0.1 / 0.3 * np.expm1(0.5 * 0.3 * np.arange(11))) * 4 + np.log10(1.915e17)
    np.testing.assert_allclose(by_stock(law, "0.3 ln/year")["trajectories/hardware"].values[0], exact, atol=5e-6)


def test_a_research_stock_that_ai_adds_to_is_the_equation() -> None:
    run = by_stock({"automated": 0.3, "width": 2.0}, "0.0358 ln/year", years={"first": 2022, "last": 2042})

    def slope(time: float, state: Any) -> Any:
        stock, level = state
        above = time * np.log(2) + level
        speed = (1 + 0.3 / 0.7 * np.exp(above / 2)) * 0.7  # (1 - f at the start) / (1 - f)
        pulled = 0.7 * 0.047 * (np.exp(0.0358 * time) * speed) ** 0.7 / np.exp(stock)
        return [pulled, 5.2 / 0.7 * pulled * (1 - level / np.log(1e26 / 1.915e17))]

    exact = solve_ivp(slope, (0, 20), [0, 0], t_eval=np.arange(21), rtol=1e-10, atol=1e-10).y / LN_10
    hardware = run["trajectories/hardware"].values[0] - np.log10(1.915e17)
    np.testing.assert_allclose(hardware, exact[1], rtol=0, atol=2e-5)
    np.testing.assert_allclose(run["trajectories/hardware_law_stock"].values[0], exact[0], rtol=0, atol=1e-5)
    assert 8 < exact[1, -1] < 9  # at the ceiling, and not above
    odds = 0.3 / 0.7 * 10 ** ((np.arange(21) * np.log10(2) + exact[1]) / 2)
    told = 10.0 ** run["trajectories/hardware_law_automation"].values[0]
    np.testing.assert_allclose(told, odds / (1 + odds), rtol=1e-5)


def test_where_one_of_two_laws_runs_away_the_other_goes_on_under_its_ceiling() -> None:
    """Software without bound automates all research on hardware, which meets its ceiling and not more."""
    pace = {"initial-growth": "20x/year", "diminishing-returns": 0.05, "width": 1}
    software = by_law(pace, samples=4)["drivers"]["algorithms"]
    stock = {**STOCK, "automated": 0.3, "width": 2.0}
    hardware = {"start": "1.915e17 FLOP/USD",
                "law": {"kind": "research-stock", "quantities": {"input": "researchers"}, "parameters": stock}}  # fmt: skip
    drivers = {"spending": {"start": "1e8 USD"}, "hardware": hardware, "algorithms": software}
    run = run_of(small_scenario({"drivers": drivers, "quantities": {"researchers": PEOPLE}, "samples": 4}))
    assert np.isinf(run["trajectories/algorithms"].values[:, -1]).all()
    had = run["trajectories/hardware"].values
    assert had.max() <= 26 + 1e-5
    np.testing.assert_allclose(had[:, -1], 26, rtol=0, atol=0.01)
    assert np.isfinite(run["trajectories/hardware_law_automation"].values).all()
    below = {**hardware, "law": {**hardware["law"], "parameters": {**stock, "ceiling": "1e17 FLOP/USD"}}}
    changes = {"drivers": {**drivers, "hardware": below}, "quantities": {"researchers": PEOPLE}, "samples": 4}
    assert float(np.ptp(run_of(small_scenario(changes))["trajectories/hardware"].values)) == 0  # it stands


TASKS = {
    "initial-growth": "3x/year", "automated": 0.3, "width": 2.5, "speed-up": 0.4, "substitution": -2, "parallel": 0.5,
    "labour-weight": 0.4, "compute-power": 0.65, "experiment-substitution": -0.155, "taste": 0.05,
    "diminishing-returns": 0.8,
}  # fmt: skip


def by_tasks(parameters: Mapping[str, float]) -> xr.DataTree:
    """Run a scenario whose algorithms grow by tasks that are automated, beside compute that grows 2.6 times a year."""
    law = {"kind": "automated-tasks", "quantities": {"labour": "researchers"}, "parameters": {**TASKS, **parameters}}
    drivers = {"compute": COMPUTE, "algorithms": {"law": law}}
    return run_of(small_scenario({"drivers": drivers, "quantities": {"researchers": PEOPLE}, "samples": 1}))


def test_automated_tasks_are_the_equation() -> None:
    """In plain numbers, CES and all."""
    run = by_tasks({})

    def coding(automated: float) -> float:
        speed = ((2 - automated) / (1 - automated)) ** (0.4 * 2.5)
        return float(((1 - automated) ** 3 + automated * speed**-2) ** (-1 / 2))

    def slope(time: float, level: Any) -> Any:
        compute, labour = 2.6**time, 2 ** min(time, 3) * 1.1 ** max(time - 3, 0)
        effective = compute * level[0]
        automated = 1 / (1 + 0.7 / 0.3 * effective ** (-1 / 2.5))
        serial = (labour * coding(automated) / coding(0.3)) ** 0.5
        experiments = (0.4 * serial**-0.155 + 0.6 * (compute**0.65) ** -0.155) ** (-1 / 0.155)
        return np.log(3) * effective**0.05 * experiments * level ** (1 - 0.8)

    exact = solve_ivp(slope, (0, 10), [1.0], t_eval=np.arange(11), method="LSODA", rtol=1e-11, atol=0.0).y[0]
    np.testing.assert_allclose(run["trajectories/algorithms"].values[0], np.log10(exact), rtol=0, atol=1e-4)
    automated = 1 / (1 + 0.7 / 0.3 * (2.6 ** np.arange(11) * exact) ** (-1 / 2.5))
    told = run["trajectories/algorithms_law_coding"].values[0]
    labour = 2 ** np.minimum(np.arange(11), 3) * 1.1 ** np.maximum(np.arange(11) - 3, 0)
    by_hand = np.log10(labour * [coding(each) for each in automated] / coding(0.3))
    np.testing.assert_allclose(told, by_hand, rtol=0, atol=1e-4)


def test_tasks_that_do_not_stand_in_for_one_another_are_automated_research() -> None:
    """The limits: rho far below 0, what is automated no bound, coding and compute multiplied (Cobb and Douglas)."""
    limits = {"substitution": -1e4, "speed-up": 100, "parallel": 1, "compute-power": 1, "labour-weight": 0.25,
              "experiment-substitution": -1e-7, "taste": 0, "automated": 0.3, "diminishing-returns": 0.6}  # fmt: skip
    like = {"automated": 0.3, "width": 2.5, "labour-share": 0.25, "returns": 1 - 1e-12, "diminishing-returns": 0.6,
            "initial-growth": "3x/year"}  # fmt: skip
    research = run_of(by_law(like, samples=1))["trajectories/algorithms"].values
    np.testing.assert_allclose(by_tasks(limits)["trajectories/algorithms"].values, research, rtol=0, atol=1e-3)


def test_at_its_ceiling_a_level_stands() -> None:
    run = by_stock({"ceiling": "1e17 FLOP/USD"}, "0.3 ln/year")
    assert float(np.ptp(run["trajectories/hardware"].values)) == 0


@pytest.mark.parametrize("step", ["quarter", "month"])
def test_neither_the_step_nor_the_horizon_changes_a_year(step: str) -> None:
    whole = run_of(by_law({}))["trajectories/algorithms"]
    changes = {"years": {"first": 2025, "last": 2032, "step": step}}
    shorter = run_of(by_law({}, **changes))["trajectories/algorithms"]
    years = list(range(2025, 2033))
    np.testing.assert_array_equal(shorter.sel(year=years).values, whole.sel(year=years).values)


def test_points_and_a_law_step_together_under_a_cap_beside_jumps() -> None:
    """Hardware by points, algorithms by a law under a hard cap, spending that jumps: the pair of equations."""
    law = by_law({})["drivers"]["algorithms"]["law"]
    drivers = {
        "spending": {"start": "1e9 USD", "growth": "2x/year", "jumps": {"rate": "0.3/year", "size": "4x"}},
        "hardware": {"start": "1e18 FLOP/USD", "growth": "1.3x/year",
                     "feedback": [{"at": 1e27, "multiplier": 1}, {"at": 1e35, "multiplier": 5}]},
        "algorithms": {"law": law, "caps": {"top": {"limit": 1e4}}},
    }  # fmt: skip
    run = run_of(small_scenario({"drivers": drivers, "quantities": {"researchers": PEOPLE}, "samples": 4}))
    uniforms = [run[f"parameters/drivers.spending.jumps.shock[{year}]"].values for year in range(2026, 2036)]
    stated = {"base": 2025.0, "rate": np.array([0.3]), "size": np.log10([4.0]), "spread": np.zeros(1)}
    jumps = [*drawn_jumps(uniforms=np.stack(uniforms, axis=-1), jump_years=range(2026, 2036), **stated)]
    for sample in range(4):
        given = drawn(run, sample)
        dates = np.sort([when[sample] - 2025 for when, _ in jumps if when[sample] < 2035])
        alpha = given["labour-share"] * given["returns"]

        def slope(
            time: float, state: Any, given: dict[str, float] = given, alpha: float = alpha, jumped: int = 0
        ) -> Any:
            physical = np.log10(2) * time + jumped * np.log10(4) + state[0]
            above = physical + min(state[1], 4)
            odds = np.log(given["automated"] / (1 - given["automated"]))
            speed = np.logaddexp(0, odds + LN_10 * above / given["width"]) - np.logaddexp(0, odds)
            labour = min(time, 3) * np.log(2) + max(time - 3, 0) * np.log(1.1)
            research = alpha * (labour + speed)
            research += (given["returns"] - alpha) * LN_10 * physical
            harder = given["diminishing-returns"] * LN_10 * state[1]
            multiplier = 5 ** np.clip(above / 8, 0, 1)
            return [np.log10(1.3) * multiplier, given["initial-growth"] * np.exp(research - harder)]

        found, state = [], [0.0, 0.0]
        for number, (begin, end) in enumerate(pairwise([0.0, *dates, 10.0])):  # from jump to jump
            inside = [year for year in range(11) if begin <= year < end or year == end == 10]
            options = {"rtol": 1e-9, "atol": 1e-9, "max_step": 0.01, "dense_output": True}
            part = solve_ivp(partial(slope, jumped=number), (begin, end), state, **options)
            found += [part.sol(year) for year in inside]
            state = part.y[:, -1]
        hardware, demanded = np.transpose(found)
        np.testing.assert_allclose(run["trajectories/hardware"].values[sample] - 18, hardware, rtol=0, atol=2e-4)
        told = run["trajectories/algorithms_demanded"].values[sample]
        np.testing.assert_array_equal(np.isinf(told), demanded > 300)  # beyond numbers, which the cap does not let in
        np.testing.assert_allclose(told[demanded < 300], demanded[demanded < 300], rtol=2e-5, atol=1e-4)
    assert sum(when.size > 0 and bool((when[:4] < 2035).any()) for when, _ in jumps)  # there are some


def test_a_cap_holds_the_level_back_and_makes_no_research_easier() -> None:
    """Algorithms may not pass 10 for three years: what they are then is used less, and never more than without it."""

    def levels(years: float) -> np.ndarray:
        put_on = {"on": "drivers.algorithms.caps.ban", "limit": "put-on"}
        stated = by_law({}, events={"ban": {"from": 2028, "for": f"{years} years", "effects": [put_on]}})
        run: Any = run_of(small_scenario(stated | {"drivers.algorithms.caps": {"ban": {"limit": 10}}}))
        return np.asarray(run["trajectories/algorithms"].values)

    free, held = levels(1e-9), levels(3)
    assert (held[:, 4] == 1.0).all()
    assert (free[:, 7:] >= held[:, 7:]).all()
    np.testing.assert_array_less(free[:, 6] - 1.0, held[:, 6])


@pytest.mark.parametrize("step", ["year", "quarter"])
@pytest.mark.parametrize(
    "effect",
    [
        {"on": "drivers.compute", "times": 0.01, "recovers": "1 year"},
        {"on": "drivers.compute.growth", "times": 5},
        {"on": "quantities.researchers", "times": 0.01},
        {"on": "drivers.compute.caps.top", "times": 1e-6},
    ],
)
def test_what_an_event_does_to_a_law_begins_and_ends_on_its_day(effect: Mapping[str, Any], step: str) -> None:
    """The equation from bound to bound of a window within a sixteenth of a year, to 1e-6 OOM."""
    given = {"automated": 0.3, "width": 3, "labour-share": 0.3, "returns": 0.8, "diminishing-returns": 0.6}
    begin, end = 2028.03, 2029.04
    window = {"from": begin, "for": f"{end - begin} years", "effects": [effect]}
    compute = {**COMPUTE, "growth": {"value": 0.4, "unit": "OOM/year"}, "caps": {"top": {"limit": "1e33 FLOP"}}}
    people = {"start": 1000, "growth": {"value": 0.1, "unit": "OOM/year"}}
    stated = by_law({**given, "initial-growth": {"value": 0.4, "unit": "OOM/year"}}, samples=1)
    run: Any = run_of(
        small_scenario(
            stated | {"drivers": stated["drivers"] | {"compute": compute}, "quantities": {"researchers": people},
                      "years": {"first": 2026, "last": 2032, "step": step}, "events": {"window": window}}
        )
    )  # fmt: skip
    on, times = str(effect["on"]), float(effect["times"])

    def slope(time: float, state: Any) -> Any:
        here = begin <= time < end
        after = min(max(1.0 - (time - end), 0.0), 1.0) if time >= end and "recovers" in effect else 0.0
        left = np.log10(times) * (float(here) + after)
        since = np.clip(time, begin, end) - begin
        physical = 0.4 * (time - 2026 + (since * (times - 1) if on.endswith("growth") else 0.0))
        physical = min(physical + (left if on == "drivers.compute" else 0.0), 6.0 + (left if on.endswith("top") else 0))
        odds = np.log(0.3 / 0.7) + LN_10 * (physical + state[0]) / 3
        labour = LN_10 * (0.1 * (time - 2026) + (left if on.endswith("researchers") else 0.0))
        research = 0.24 * (labour + np.logaddexp(0, odds) + np.log(0.7)) + 0.56 * LN_10 * physical
        return [0.4 * np.exp(research - 0.6 * LN_10 * state[0])]

    state, found = [0.0], [0.0]
    years = run["trajectories/year"].values
    for low, high in pairwise(years):
        inside = [date for date in (begin, end, end + 1) if low < date < high]
        for left, right in pairwise([low, *inside, high]):
            within = (left + 1e-10, right - 1e-10)
            part = solve_ivp(lambda time, now, w=within: slope(float(np.clip(time, *w)), now), (left, right), state,
                             rtol=1e-10, atol=1e-12)  # fmt: skip
            state = part.y[:, -1]
        found.append(state[0])
    np.testing.assert_allclose(run["trajectories/algorithms"].values[0], found, rtol=0, atol=1e-6)


def test_growth_from_which_a_law_goes_on_is_no_decline_in_any_sample() -> None:
    growth = {"family": "normal", "mean": 0.3, "unit": "OOM/year"}
    rare, path = by_law({"initial-growth": growth | {"sd": 0.12}}, samples=1000), "drivers.algorithms.law.parameters"
    with pytest.raises(SimulatorError, match=rf"^{path}.initial-growth: is a decline in [0-9.<> ]+% of the samples"):
        run_of(rare)
    run = run_of(by_law({"initial-growth": growth | {"sd": 0.2, "truncated": [0, None]}}, samples=200))
    assert (np.diff(run["trajectories/algorithms"].values[:, :3]) > 0).all()
    for stated, often in ((growth | {"sd": 0.3}, " in 1 % of the draws or more"), ("-10 %/year", "")):
        with pytest.raises(ScenarioError) as error:
            parse_scenario(scenario_text(by_law({"initial-growth": stated})))
        assert [fault.rule for fault in error.value.faults] == [f"is a decline{often}; a law says how growth goes on."]


def test_what_looks_back_at_a_law_before_the_first_year_is_told() -> None:
    scenario = by_law({})
    for of in ("algorithms", {"product": ["effective_compute", 2]}):
        scenario["quantities"]["late"] = {"lag": {"of": of, "by": "2 years"}}
        said = "before 2025 algorithms stands as it does then: it grows by a law from then on."
        assert f"quantities.late.lag: {said}" in parse_scenario(scenario_text(scenario)).warnings


def test_a_law_is_looked_up_for_a_path_and_not_at_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of an installed package is searched for among all packages, each time: a run took 16 s, 2,300 times."""
    asked, find = list[str](), Register.find

    def counted(register: Register[Any], name: str, **told: Any) -> Any:
        asked.append(name)
        return find(register, name, **told)

    monkeypatch.setattr(Register, "find", counted)
    counts = []
    for years in ({"first": 2025, "last": 2030}, {"first": 2025, "last": 2045, "step": "quarter"}):
        asked.clear()
        run_of(by_law({}, years=years))
        counts.append(asked.count("automated-research"))
    assert 0 < counts[0] == counts[1] < 50
