"""What events do while they last, against the arithmetic of windows and regimes that are written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.testing import run_of, small_scenario

YEARS = np.arange(2026.0, 2037.0)
RATE = 0.4  # OOM a year
LEVEL = {
    "spending": {"start": "$100 million", "growth": {"value": 0.2, "unit": "OOM/year"}},
    "hardware": {"start": "1e18 FLOP/USD", "growth": {"value": RATE, "unit": "OOM/year"}},
}
DRIFTING = {**LEVEL, "hardware": {**LEVEL["hardware"], "drift": {"value": 0.05, "unit": "OOM/year"}}}
DECAYING = {
    **LEVEL,
    "hardware": {
        "start": "1e18 FLOP/USD",
        "growth": [{"rate": {"mean": RATE, "sd": 0.1, "unit": "OOM/year"}, "half_life": "4 years"}],
    },
}
TABLE = {**LEVEL, "hardware": {"table": {"2026": 1e18, "2030": 3e19, "2036": 1e22}, "unit": "FLOP/USD"}}
SLOWER = {"on": "drivers.hardware.growth", "times": 0.5}


def run(events: dict[str, Any], **changes: Any) -> Any:
    return run_of(
        small_scenario(
            {"drivers": LEVEL, "years": {"first": 2026, "last": 2036}, "samples": 64, "block": 64, "events": events}
            | changes
        )
    )


def levels(tree: Any, name: str = "hardware") -> np.ndarray:
    return np.asarray(tree[f"trajectories/{name}"].values, dtype=np.float64)


def within(begin: Any, end: Any, times: np.ndarray = YEARS) -> np.ndarray:
    """Give how much of a window has passed by each year, (sample, year)."""
    begin, end = np.reshape(begin, (-1, 1)), np.reshape(end, (-1, 1))
    return np.clip(times, begin, np.maximum(begin, end)) - np.minimum(begin, np.inf)


def test_the_shock_of_2028_halves_growth_for_three_years_in_two_samples_of_five() -> None:
    """In 2036 hardware has grown by 10 x 0.4 OOM, or by 3 x 0.2 less; each date is the sample's own."""
    date = {"uniform": ["2027-06-01", "2028-12-31"]}
    shock = {"probability": "40 %", "from": date, "for": "3 years", "effects": [SLOWER]}
    found = run({"shock": shock}, samples=500, block=500)
    parameters = found["parameters"]
    comes = parameters["events.shock.occurs"].values >= 0.6
    assert comes.sum() == 200  # of a design that spreads a block evenly
    begin = np.where(comes, parameters["events.shock.from"].values, np.inf)
    np.testing.assert_array_equal(found["events/event_year"].values[0], begin)
    np.testing.assert_allclose(found["events/event_end"].values[0], begin + 3, rtol=0, atol=1e-9)
    lost = np.where(comes[:, None], within(np.where(comes, begin, 0), np.where(comes, begin, 0) + 3), 0.0)
    exact = 18 + RATE * (YEARS - 2026) - 0.5 * RATE * lost
    np.testing.assert_allclose(levels(found), exact, rtol=0, atol=2e-6)
    at_the_end = np.sort(levels(found)[:, -1])
    np.testing.assert_allclose(at_the_end[[0, 199, 200, 499]], [21.4, 21.4, 22, 22], atol=2e-6)
    summary = found["summary"]
    assert summary["event_share"].values == pytest.approx([0.4], abs=1e-12)
    assert summary["event_date"].sel(quantile=0.5).values == pytest.approx([np.median(begin[comes])], abs=1e-9)


@pytest.mark.parametrize("drivers", [LEVEL, DRIFTING, DECAYING, TABLE])
@pytest.mark.parametrize("effect", [{"times": 0.5}, {"rate": {"value": -0.1, "unit": "OOM/year"}}])
def test_growth_in_a_window_is_a_multiple_of_its_own_or_what_replaces_it(drivers: Any, effect: Any) -> None:
    event = {"from": 2028.25, "for": "3 years", "effects": [{"on": "drivers.hardware.growth", **effect}]}
    years = {"first": 2026, "last": 2036, "step": "quarter"}
    bent, own = (levels(run(events, drivers=drivers, years=years)) for events in ({"shock": event}, {}))
    first, last = 9, 21  # quarters from the start to the window, and to its end
    grown = own[:, last] - own[:, first]
    exact = 0.5 * grown if "times" in effect else np.full(len(own), -0.3)
    np.testing.assert_allclose(bent[:, last] - bent[:, first], exact, rtol=0, atol=4e-6)
    np.testing.assert_allclose(bent[:, : first + 1], own[:, : first + 1], rtol=0, atol=4e-6)
    np.testing.assert_allclose(bent[:, last:] - bent[:, [last]], own[:, last:] - own[:, [last]], rtol=0, atol=4e-6)


@pytest.mark.parametrize("drivers", [LEVEL, DECAYING])
def test_of_several_events_in_force_the_multiples_multiply_and_the_lowest_rate_counts(drivers: Any) -> None:
    def on_growth(begin: float, years: int, **effect: Any) -> dict[str, Any]:
        effects = [{"on": "drivers.hardware.growth", **effect}]
        return {"from": begin, "for": f"{years} years", "effects": effects}

    held, slow = {"value": 0, "unit": "OOM/year"}, {"value": 0.1, "unit": "OOM/year"}
    events = {"a": on_growth(2027, 4, times=0.5), "b": on_growth(2029, 4, times=0.6),
              "c": on_growth(2034, 1, rate=slow), "d": on_growth(2034, 2, rate=held)}  # fmt: skip
    bent, own = levels(run(events, drivers=drivers)), levels(run({}, drivers=drivers))
    by = np.diff(own, axis=1) * np.array([1, 0.5, 0.5, 0.3, 0.3, 0.6, 0.6, 1, 0, 0])
    np.testing.assert_allclose(np.diff(bent, axis=1), by, rtol=0, atol=4e-6)


def test_an_event_that_never_comes_changes_no_bit_and_one_that_is_sure_is_a_regime_by_hand() -> None:
    effects = [SLOWER, {"on": "drivers.spending", "times": 0.5}, {"on": "constraints.power", "limit": "lifted"}]
    changes = {
        "constraints": {"power": {"limit": {"median": 1e28, "interval_90": [1e27, 1e29], "unit": "FLOP"}}},
        "thresholds": {"far": {"physical_compute": 1e28}},
    }
    without = run({}, **changes)
    never = {"probability": 0, "from": {"uniform": [2027, 2029]}, "for": "3 years", "effects": effects}
    for group in ("trajectories", "crossings"):
        for name, values in run({"nothing": never}, **changes)[group].items():
            np.testing.assert_array_equal(values.values, without[group][name].values, err_msg=str(name))
    sure = {"probability": "100 %", "from": 2028, "for": "3 years", "effects": [SLOWER]}
    by_hand = [{"rate": {"value": RATE, "unit": "OOM/year"}}, {"from": 2028, "times": 0.5}, {"from": 2031, "times": 2}]
    drivers = {**LEVEL, "hardware": {**LEVEL["hardware"], "growth": by_hand}}
    one, other = run({"sure": sure}, **changes), run({}, **changes, drivers=drivers)
    np.testing.assert_array_equal(levels(one), levels(other))
    np.testing.assert_allclose(
        one["crossings/crossing_year"].values, other["crossings/crossing_year"].values, rtol=0, atol=1e-9
    )


def test_a_level_is_shifted_and_comes_back_in_a_straight_line() -> None:
    event = {"from": 2028, "for": "2 years",
             "effects": [{"on": "drivers.spending", "times": 0.1, "recovers": "4 years"}]}  # fmt: skip
    shift = np.array([0, 0, -1, -1, -1, -0.75, -0.5, -0.25, 0, 0, 0])
    exact = np.broadcast_to(8 + 0.2 * (YEARS - 2026) + shift, (64, 11))
    np.testing.assert_allclose(levels(run({"crisis": event}), "spending"), exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize("quantity", [{"interval_90": [1e5, 1e6], "unit": "chip"},
                                      {"product": [{"value": 1e3, "unit": "chip"}, {"interval_90": [1, 9]}]}])  # fmt: skip
def test_a_named_quantity_is_shifted_wherever_it_is_used(quantity: Any) -> None:
    event = {"from": 2028, "for": "2 years", "effects": [{"on": "quantities.chips", "times": 0.7}]}
    limit = {"product": ["chips", {"value": 1e21, "unit": "FLOP/chip"}]}
    changes = {"quantities": {"chips": quantity}, "constraints": {"chips": {"limit": limit}}}
    bent, own = run({"controls": event}, **changes), run({}, **changes)
    shift = np.where((YEARS >= 2028) & (YEARS < 2030), np.log10(0.7), 0.0)
    for name in ("quantity_chips", "constraint_chips"):
        np.testing.assert_allclose(levels(bent, name) - levels(own, name), shift + np.zeros((64, 1)), atol=4e-6)


def test_a_limit_stands_only_while_it_is_put_on_and_not_while_it_is_lifted() -> None:
    limits = {"treaty": {"limit": "1e27 FLOP"}, "power": {"limit": "3e27 FLOP"}}
    events = {"treaty": {"from": 2029, "for": "3 years", "effects": [{"on": "constraints.treaty", "limit": "put-on"}]},
              "boom": {"from": 2034, "effects": [{"on": "constraints.power", "limit": "lifted"}]}}  # fmt: skip
    free = 26 + 0.6 * (YEARS - 2026)
    limit = np.where((YEARS >= 2029) & (YEARS < 2032), 27, np.where(YEARS < 2034, np.log10(3e27), np.inf))
    found = run(events, constraints=limits, thresholds={"far": {"physical_compute": 1e28}, "near": {"physical_compute": 1.5e27}})  # fmt: skip
    np.testing.assert_allclose(levels(found, "physical_compute")[0], np.minimum(free, limit), rtol=0, atol=4e-6)
    # The one is met before the treaty; the other on the day on which the limit is lifted: then compute is at 30.8.
    np.testing.assert_allclose(found["crossings/crossing_year"].values[:, 0], [2034, 2026 + (np.log10(1.5e27) - 26) / 0.6], atol=1e-6)  # fmt: skip


def test_the_more_likely_an_event_the_more_samples_have_the_limit_that_it_puts_on_and_none_where_it_never_comes() -> (
    None
):
    put_on = {"from": 2029, "effects": [{"on": "constraints.treaty", "limit": "put-on"}]}
    for probability in (0, 0.25, 1):
        found = run({"treaty": {**put_on, "probability": probability}}, constraints={"treaty": {"limit": "1e27 FLOP"}})
        held = levels(found, "physical_compute")[:, -1] < 27.1
        assert held.mean() == probability
        np.testing.assert_allclose(levels(found, "physical_compute")[~held, -1], 32, atol=4e-6)


RUN = {"run": {"quantity": "hardware", "level": "1e20 FLOP/USD"}}
"""Met in 2031, as hardware grows by 0.4 OOM a year from 1e18 in 2026."""


@pytest.mark.parametrize(
    ("event", "changes", "date"),
    [
        ({"from": 2030, "for": "3 years"}, {}, 2033.0),
        ({"from": {"uniform": [2027, 2030]}, "for": "5 years"}, {}, None),
        ({"from": 2028, "until": 2030.5}, {}, 2031.0),
        ({"from": 2031.5}, {}, 2031.0),
        ({"from": 2030}, {}, np.inf),
        ({"from": 2020, "for": "9.5 years"}, {"run": {"quantity": "hardware", "level": "1e18 FLOP/USD"}}, 2029.5),
        ({"from": 2026, "for": "30 years"}, {}, np.inf),
        ({"from": 2030, "for": "2.5 years"}, {"run": RUN["run"] | {"reading": "calendar"}}, 2033.0),
        ({"from": 2030, "for": "2.5 years"}, {"run": RUN["run"] | {"delay": "1 year"}}, 2033.5),
        ({"from": 2030, "for": "3 years"}, {"run": {"multiple": 10, "of": "first"}, "first": {
            "quantity": "hardware", "level": "1e19 FLOP/USD"}}, 2033.0),
    ],
)  # fmt: skip
def test_a_threshold_does_not_count_while_an_event_keeps_it_from_being_crossed(
    event: Any, changes: Any, date: float | None
) -> None:
    thresholds = RUN | changes | {"half": {"multiple": 0.5, "of": "run"}}
    events = {"pause": event | {"effects": [{"on": "thresholds.run", "crossing": "none"}]},
              "after": {"from": {"threshold": "run"}}}  # fmt: skip
    found, plain = run(events, thresholds=thresholds), run({"pause": event}, thresholds=thresholds)
    crossing = found["crossings/crossing_year"].values
    end = found["events/event_end"].sel(event="pause").values
    np.testing.assert_allclose(crossing[0], end if date is None else date, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(crossing[1:], plain["crossings/crossing_year"].values[1:])
    assert not found["crossings/already_above"].values[0].any()
    np.testing.assert_allclose(found["events/event_year"].sel(event="after"), crossing[0], rtol=0, atol=1e-6)
    assert float(found["summary/never"].sel(threshold="run")) == np.mean(np.isinf(crossing[0]))


def test_what_has_fallen_back_by_the_end_of_the_event_is_dated_when_it_is_there_again() -> None:
    """Hardware meets 1e20 in 2031, is a tenth from 2032 on, and meets it again in 2033.5; so does a price its floor."""
    events = {"pause": {"from": 2030, "until": 2032.5, "effects": [{"on": ["thresholds.run"], "crossing": "none"}]},
              "loss": {"from": 2032, "effects": [{"on": "drivers.hardware", "times": 0.1}]}}  # fmt: skip
    np.testing.assert_allclose(run(events, thresholds=RUN)["crossings/crossing_year"], 2033.5, rtol=0, atol=1e-6)
    del events["loss"]["effects"][0]["times"]
    events["loss"]["effects"][0] = {"on": "drivers.hardware.growth", "rate": "-1 OOM/year"}
    low = {"run": {"quantity": "hardware", "level": "1e20 FLOP/USD", "falling": True}}
    events["pause"] |= {"from": 2020, "until": 2029}
    np.testing.assert_allclose(run(events, thresholds=low)["crossings/crossing_year"], 2029, rtol=0, atol=1e-6)


def test_with_feedback_growth_is_bent_before_it_is_multiplied() -> None:
    """A multiplier of 2 on algorithms at any compute: they grow by 0.2 x 2, and by half of it in the window."""
    twice = [{"at": 1e20, "multiplier": 2}, {"at": 1e40, "multiplier": 2}]
    drivers = {**LEVEL, "algorithms": {"growth": {"value": 0.2, "unit": "OOM/year"}, "feedback": twice}}
    event = {"from": 2028, "for": "3 years", "effects": [{"on": "drivers.algorithms.growth", "times": 0.5}]}
    found = levels(run({"slow": event}, drivers=drivers), "algorithms")
    np.testing.assert_allclose(found[0], 0.4 * (YEARS - 2026) - 0.2 * within(2028, 2031)[0], rtol=0, atol=1e-5)
