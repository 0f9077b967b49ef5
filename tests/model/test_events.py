"""Eras that begin with an event, against the date that arithmetic gives in each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.testing import run_of, small_scenario

YEARS = np.arange(11.0)
DRAWN = {"uniform": [0.5, 1.5], "unit": "OOM/year"}
FIRST = {"value": 1, "unit": "OOM/year"}
THEN = {"value": 0.1, "unit": "OOM/year"}


def spending(growth: Any, **changes: Any) -> tuple[np.ndarray, Any]:
    """Give log10 of spending, from $100 million on, (sample, year); and the run."""
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": growth},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "10x/year"},
        "algorithms": {"growth": "10x/year"},
    }
    run = run_of(small_scenario({"drivers": drivers, "samples": 16, **changes}))
    return np.asarray(run["trajectories/spending"].values, dtype=float), run


def turned(date: Any, rate: Any = 1.0, later: float = 0.1) -> np.ndarray:
    """Give a level that grows at one rate until a date, and at another from then on."""
    date, rate = np.reshape(date, (-1, 1)), np.reshape(rate, (-1, 1))
    return 8 + rate * np.minimum(YEARS, date) + later * np.maximum(YEARS - date, 0.0)


def test_growth_slows_on_the_day_that_a_run_costs_so_much() -> None:
    growth = [{"rate": DRAWN}, {"from": {"when": "spending", "reaches": "$4 billion"}, "rate": THEN}]
    found, run = spending(growth)
    rate = run["parameters/drivers.spending.growth[0].rate"].values
    np.testing.assert_allclose(found, turned(np.log10(40) / rate, rate), atol=3e-6)


def test_a_level_that_is_drawn_is_each_samples_own() -> None:
    level = {"uniform": [1e9, 1e11], "unit": "USD"}
    growth = [{"rate": FIRST}, {"from": {"when": "spending", "reaches": level}, "rate": THEN}]
    found, run = spending(growth)
    reached = run["parameters/drivers.spending.growth[1].from.reaches"].values
    np.testing.assert_allclose(found, turned(reached - 8), atol=3e-6)


def test_a_threshold_on_what_depends_on_the_era_begins_it_after_its_delay() -> None:
    """Effective compute is 1e26 and grows by 3 OOM a year: 1e29 in 2026, and a year and a half of delay."""
    growth = [{"rate": FIRST}, {"from": {"threshold": "far"}, "rate": THEN}]
    far = {"effective_compute": 1e29, "delay": "1.5 years"}
    found, run = spending(growth, thresholds={"far": far})
    np.testing.assert_allclose(found, np.broadcast_to(turned(2.5), found.shape), atol=3e-6)
    np.testing.assert_allclose(run["crossings/crossing_year"].values, 2027.5, atol=1e-6)


def test_eras_after_an_event_wait_for_it_and_one_that_does_not_come_begins_none() -> None:
    later = {"from": 2026, "rate": {"value": 0.5, "unit": "OOM/year"}}
    growth = [{"rate": FIRST}, {"from": {"when": "spending", "reaches": "$100 billion"}, "rate": THEN}, later]
    np.testing.assert_allclose(spending(growth)[0], np.broadcast_to(turned(3, later=0.5), (16, 11)), atol=3e-6)
    growth[1] = {"from": {"when": "spending", "reaches": {"value": 1e30, "unit": "USD"}}, "rate": THEN}
    np.testing.assert_allclose(spending(growth)[0], np.broadcast_to(8 + YEARS, (16, 11)), atol=3e-6)
    growth[1] = {"from": {"when": "spending", "reaches": "$1 million"}, "rate": THEN}
    there = 8 + 0.1 * np.minimum(YEARS, 1) + 0.5 * np.maximum(YEARS - 1, 0)
    np.testing.assert_allclose(spending(growth)[0], np.broadcast_to(there, (16, 11)), atol=3e-6)


def test_an_event_of_one_driver_moves_that_of_another() -> None:
    """Spending slows at $1 billion, in 2026; hardware at 1e30 FLOP, which spending then delays to 1e28 x 10^(1.1 t)."""
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": [
            {"rate": FIRST}, {"from": {"when": "spending", "reaches": "$1 billion"}, "rate": THEN}]},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": [
            {"rate": FIRST}, {"from": {"when": "physical_compute", "reaches": {"value": 1e30, "unit": "FLOP"}}, "rate": THEN}]},
    }  # fmt: skip
    run = run_of(small_scenario({"drivers": drivers, "samples": 1}))
    date = 1 + 2 / 1.1
    exact = 18 + np.minimum(YEARS, date) + 0.1 * np.maximum(YEARS - date, 0)
    np.testing.assert_allclose(run["trajectories/hardware"].values[0], exact, atol=3e-6)


@pytest.mark.parametrize("step", ["year", "quarter"])
def test_with_feedback_the_date_is_that_of_the_path_that_is_bent(step: str) -> None:
    """Algorithms grow at twice their rate: effective compute by 1 + 1 + 2 OOM a year, so 1e34 comes in 2027."""
    growth = [
        {"rate": FIRST},
        {"from": {"when": "effective_compute", "reaches": {"value": 1e34, "unit": "FLOP"}}, "rate": THEN},
    ]
    twice = [{"at": 1e20, "multiplier": 2}, {"at": 1e40, "multiplier": 2}]
    drivers = {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": growth},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "10x/year"},
        "algorithms": {"growth": "10x/year", "feedback": twice},
    }
    years = {"first": 2025, "last": 2035, "step": step}
    run = run_of(small_scenario({"drivers": drivers, "samples": 1, "years": years}))
    found = run["trajectories/spending"].sel(year=2035).values[0]
    assert found == pytest.approx(8 + 2 + 0.1 * 8, abs=1e-5)


@pytest.mark.parametrize("less", [1e-5, 9e-4, 2e-3])
def test_a_path_that_hardly_turns_meets_an_event_and_a_threshold_where_it_does(less: float) -> None:
    """Compute slows in mid-2027, within the step in which it meets a level: a line over that step is off by a quarter of that."""
    level = {"uniform": [28.0, 29.0], "unit": "log10(FLOP)"}
    growth = [{"rate": FIRST}, {"from": 2027.5, "rate": {"value": 1 - less, "unit": "OOM/year"}},
              {"from": {"when": "physical_compute", "reaches": {"input": "level"}}, "times": 1}]  # fmt: skip
    changes = {"drivers.compute": {"start": "1e26 FLOP", "growth": growth}, "inputs": {"level": level},
               "thresholds": {"met": {"physical_compute": {"input": "level"}}}}  # fmt: skip
    run = run_of(small_scenario(changes))
    above = run["parameters/inputs.level"].values - 28.5
    exact = 2027.5 + np.where(above > 0, above / (1 - less), above)
    for found in (run["events/event_year"], run["crossings/crossing_year"]):
        np.testing.assert_allclose(found.values[0], exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("later", [0.1, 0.0, -0.5])
@pytest.mark.parametrize("delay", ["0 years", {"uniform": [0, 3], "unit": "year"}])
def test_a_threshold_of_the_height_at_which_an_era_begins_is_met_as_the_event_comes(later: float, delay: Any) -> None:
    """However the path goes on from there; a 40-fold of $100 million may differ from $4 billion by rounding."""
    thresholds = {"begins": {"multiple": 40, "of": "start", "quantity": "spending", "delay": delay},
                  "there": {"spending": 4e9}, "soon": {"spending": 4e9, "delay": "1 year"}}  # fmt: skip
    growth = [
        {"rate": DRAWN},
        {"from": {"when": "spending", "reaches": "$4 billion"}, "rate": {"value": later, "unit": "OOM/year"}},
        {"from": {"threshold": "begins"}, "rate": THEN},
    ]
    found, run = spending(growth, thresholds=thresholds)
    rate = run["parameters/drivers.spending.growth[0].rate"].values
    met = np.log10(40) / rate
    waits = run["parameters/thresholds.begins.delay"].values if isinstance(delay, dict) else 0.0
    events, crossings = run["events/event_year"].values - 2025, run["crossings/crossing_year"].values - 2025
    np.testing.assert_allclose(events, [met, met + waits], rtol=0, atol=1e-9)
    np.testing.assert_allclose(crossings, [met + waits, met, met + 1], rtol=0, atol=1e-9)
    after = np.clip(YEARS - met[:, None], 0, np.reshape(waits, (-1, 1))) * later
    exact = turned(met, rate, 0.0) + after + 0.1 * np.maximum(YEARS - np.reshape(met + waits, (-1, 1)), 0)
    np.testing.assert_allclose(found, exact, atol=3e-6)


def test_with_feedback_a_threshold_that_begins_an_era_of_decline_is_dated_with_it() -> None:
    growth = [{"rate": DRAWN}, {"from": {"threshold": "top"}, "rate": {"value": -5, "unit": "OOM/year"}}]
    faster = [{"at": 1e26, "multiplier": 1}, {"at": 1e36, "multiplier": 3}]
    changes = {"drivers": {
        "spending": {"start": {"value": 1e8, "unit": "USD"}, "growth": growth},
        "hardware": {"start": {"value": 1e18, "unit": "FLOP/USD"}, "growth": "10x/year"},
        "algorithms": {"growth": "10x/year", "feedback": faster},
    }, "thresholds": {"top": {"effective_compute": 1e33}}}  # fmt: skip
    run = run_of(small_scenario({"samples": 8, **changes}))
    met = run["crossings/crossing_year"].values[0]
    assert (met < 2030).all()
    np.testing.assert_array_equal(run["events/event_year"].values[0], met)


SHOCK = {"on": "drivers.compute.growth", "times": 0.5}


def dates(events: dict[str, Any], **changes: Any) -> tuple[dict[str, np.ndarray], Any]:
    """Give when events come, by name, each (sample,), and the run."""
    run = run_of(small_scenario({"events": events, **changes}))
    return dict(zip(run["events"].coords["event"].values, run["events/event_year"].values, strict=True)), run


def test_an_event_of_a_hazard_has_come_by_t_years_with_the_probability_of_the_exponential() -> None:
    """From its date on, by inverse of its uniform number: of 512 samples, spread evenly, as many as there are points."""
    events = {"first": {"hazard": "8 %/year"}, "second": {"hazard": {"median": "20 %/year", "interval_90": ["10 %/year", "40 %/year"]}, "from": 2027.5}}  # fmt: skip
    found, run = dates(events, block=512)
    drawn = run["parameters"]
    for name, since, hazard in (("first", 2025.0, 0.08), ("second", 2027.5, None)):
        uniform = drawn[f"events.{name}.occurs"].values
        rate = 10.0 ** drawn["events.second.hazard"].values * 365.25 * 86400 if hazard is None else hazard
        exact = since - np.log(uniform) / rate
        np.testing.assert_allclose(found[name], np.where(exact > 2035, np.inf, exact), rtol=0, atol=1e-6)
    for years in (1, 3, 10):
        share = np.mean(found["first"] <= 2025 + years)
        assert share == pytest.approx(1 - np.exp(-0.08 * years), abs=1 / 512)


def test_a_higher_probability_adds_samples_and_moves_the_headline_between_its_two_values() -> None:
    medians, came = [], np.zeros(512, dtype=bool)
    for probability in (0, 0.2, 0.5, 0.8, 1):
        events = {"shock": {"probability": probability, "from": 2027, "for": "4 years", "effects": [SHOCK]}}
        found, run = dates(events)
        comes = np.isfinite(found["shock"])
        assert comes.mean() == pytest.approx(probability, abs=1 / 256)
        assert (comes >= came).all()
        came = comes
        medians.append(float(run["summary/physical_compute"].sel(quantile=0.5, year=2035)))
    assert medians == sorted(medians, reverse=True)
    assert medians[0] - medians[-1] == pytest.approx(1.0, abs=0.05)  # four years at half of some 0.5 OOM


def test_an_event_moves_no_other_draw_and_a_new_name_renames_only() -> None:
    event = {"probability": "30 %", "from": 2028, "for": "2 years", "effects": [SHOCK]}
    _, one = dates({"shock": event})
    _, more = dates({"shock": event, "other": {"hazard": "5 %/year", "effects": [SHOCK]}})
    for name, values in one["parameters"].items():
        np.testing.assert_array_equal(values.values, more["parameters"][name].values)
    other = {**event, "label": "A shock"}
    _, labelled = dates({"shock": other})
    assert labelled["events"].coords["begins"].values.tolist() == ["A shock"]
    np.testing.assert_array_equal(labelled["trajectories/physical_compute"], one["trajectories/physical_compute"])
    sure = {**event, "probability": 1}
    runs = [dates({name: sure})[1]["trajectories/physical_compute"].values for name in ("shock", "blow")]
    np.testing.assert_array_equal(*runs)


def test_events_exclude_trigger_and_delay_one_another_in_the_order_in_which_they_come() -> None:
    uniform = {"uniform": [2026, 2032]}
    events = {
        "a": {
            "from": uniform,
            "excludes": "b",
            "triggers": {"c": "50 %", "f": 1},
            "delays": {"d": "2 years", "f": "1 year"},
        },
        "b": {"from": uniform},
        "c": {"delay": "6 months"},
        "d": {"from": uniform},
        "e": {"from": {"event": "c"}, "delay": "1 year"},
        "f": {},
    }
    found, run = dates(events)
    drawn = {name: run["parameters"][f"events.{name}.from"].values for name in ("a", "b", "d")}
    a = drawn["a"]
    np.testing.assert_array_equal(found["b"], np.where(a <= drawn["b"], np.inf, drawn["b"]))
    np.testing.assert_array_equal(found["d"], np.where(a < drawn["d"], drawn["d"] + 2, drawn["d"]))
    hit = run["parameters/events.a.triggers.c.occurs"].values >= 0.5
    assert 200 < hit.sum() < 300
    np.testing.assert_array_equal(found["c"], np.where(hit, a + 0.5, np.inf))
    np.testing.assert_array_equal(found["e"], np.where(hit, a + 1.5, np.inf))
    np.testing.assert_array_equal(found["f"], a + 1)  # which has not come before a: the day is the same


def test_of_events_that_exclude_one_another_on_one_day_one_comes() -> None:
    each = {"probability": "50 %", "from": 2028}
    others = {"x": ["y", "z"], "y": ["x", "z"], "z": ["x", "y"]}
    found, run = dates({name: {**each, "excludes": excluded} for name, excluded in others.items()})
    chances = np.stack([run["parameters"][f"events.{name}.occurs"].values for name in "xyz"])
    first = np.where(chances.max(axis=0) >= 0.5, chances.argmax(axis=0), 3)
    for place, name in enumerate("xyz"):
        np.testing.assert_array_equal(np.isfinite(found[name]), first == place)


def test_an_event_begins_where_a_path_gets_and_ends_where_another_does() -> None:
    """Compute meets 1e28 on its own path, and 1e29 on that which the event has halved; an era begins with the event."""
    events = {"ban": {"from": {"when": "physical_compute", "reaches": {"value": 1e28, "unit": "FLOP"}}, "delay": "6 months",
                      "until": {"threshold": "high"}, "effects": [SHOCK]},
              "after": {"from": {"event": "ban"}, "for": "1 year"}}  # fmt: skip
    growth = [{"rate": {"value": 0.5, "unit": "OOM/year"}}, {"from": {"event": "after"}, "times": 1.2}]
    changes = {"drivers": {"compute": {"start": "1e26 FLOP", "growth": growth}}, "samples": 8, "block": 8,
               "years": {"first": 2025, "last": 2040}, "thresholds": {"high": {"physical_compute": 1e29}}}  # fmt: skip
    found, run = dates(events, **changes)
    np.testing.assert_allclose(found["ban"], 2029.5, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found["ban"], found["after"])
    met = 2029.5 + 0.75 / 0.3  # 28.25 by then, and 0.6 OOM a year halved
    np.testing.assert_allclose(run["crossings/crossing_year"].values[0], met, rtol=0, atol=1e-6)
    np.testing.assert_allclose(run["events/event_end"].values, np.array([[met] * 8, [2030.5] * 8]), rtol=0, atol=1e-6)
    last = 29 + 0.6 * (2040 - met)
    np.testing.assert_allclose(run["trajectories/physical_compute"].values[:, -1], last, rtol=0, atol=4e-6)


def test_occurrence_goes_with_priors_as_correlations_say() -> None:
    events = {"shock": {"probability": "40 %", "from": 2028, "effects": [SHOCK]}}
    pair = {"between": ["events.shock.occurs", "drivers.compute.growth"], "rank": 0.8}
    _, run = dates(events, correlations=[pair])
    rates = run["parameters/drivers.compute.growth"].values
    comes = np.isfinite(run["events/event_year"].values[0])
    assert rates[comes].mean() > rates[~comes].mean() + 0.1


def test_what_is_drawn_as_it_was_called_before_is_renamed_and_nothing_else() -> None:
    """An event that another one triggers, a quantity, a factor, and a stock with who uses it."""
    wide = {"interval_90": [1e25, 4e25], "unit": "FLOP"}

    def drawn(names: dict[str, str], **more: dict[str, str]) -> dict[str, np.ndarray]:
        events = {names["ban"]: {"hazard": "20 %/year", "effects": [SHOCK], **more.get("ban", {})},
                  "cause": {"hazard": "9 %/year", "triggers": {names["ban"]: "50 %"}}}  # fmt: skip
        growth = {"median": "20 %/year", "interval_90": ["10 %/year", "40 %/year"]}
        run = run_of(small_scenario({
            "drivers": {"compute": {"factors": {names["runs"]: {"start": wide, **more.get("runs", {})}}},
                        "algorithms": {"growth": growth}},
            "quantities": {names["world"]: {"start": wide, "growth": growth, "label": "w", **more.get("world", {})}},
            "stocks": {names["chips"]: {"start": wide, "growth": growth, **more.get("chips", {})}},
            "allocation": {names["chips"]: {"uses": {"a": {"share": {"uniform": [0.2, 0.4], "unit": "fraction"}},
                                                     "b": {"share": "rest"}}}},
            "events": events, "samples": 16, "block": 16}))  # fmt: skip
        back = {new: old for old, new in names.items()}
        return {".".join(back.get(part, part) for part in str(name).split(".")): values.values
                for name, values in run["parameters"].data_vars.items()}  # fmt: skip

    old = {name: name for name in ("ban", "runs", "world", "chips")}
    new = {name: f"new-{name}" for name in old}
    before, anew = drawn(old), drawn(new)
    renamed = drawn(new, **{name: {"drawn_as": name} for name in old})
    assert renamed.keys() == before.keys()
    assert all(np.array_equal(renamed[name], values) for name, values in before.items())
    moved = [name for name, values in before.items() if not np.array_equal(anew[name], values)]
    assert {name.split(".")[1] for name in moved} == {"ban", "cause", "compute", "world", "chips"}
