"""Stocks: what is bought, ages and is used, against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.testing import run_of, small_scenario

YEARS = np.arange(11.0)
G = np.log(1.4)
PURCHASES = {"start": "1 million chip/year", "growth": "1.4x/year"}
SHARES = np.exp(G * YEARS)


def stock(**stated: Any) -> np.ndarray:
    """Give the levels of a stock that begins with 3 million chips, (year,)."""
    return levels(stocks={"chips": {"start": "3 million chip", **stated}})["quantity_chips"][0]


def levels(samples: int = 1, **stated: Any) -> dict[str, np.ndarray]:
    run = run_of(small_scenario({"samples": samples, **stated}))
    return {str(name): 10 ** each.values.astype(float) for name, each in run["trajectories"].data_vars.items()
            if str(name).startswith("quantity_")}  # fmt: skip


def retired(life: float, growth: float = G) -> np.ndarray:
    """What is left of the start, and what was bought within the life."""
    since = np.maximum(YEARS - life, 0.0)
    bought = 1e6 * (np.exp(growth * YEARS) - np.exp(growth * since)) / growth
    return 3e6 * np.maximum(1 - YEARS / life, 0) + bought


@pytest.mark.parametrize(
    ("stated", "exact"),
    [
        ({"depreciation": "20 %/year"}, 3e6 * 0.8**YEARS),
        ({"life": "4 years"}, 3e6 * np.exp(-YEARS / 4)),
        ({"growth": "2.25x/year"}, 3e6 * 2.25**YEARS),
        ({"growth": "2.25x/year", "at": 2026}, 3e6 * 2.25 ** (YEARS - 1)),
        ({"purchases": PURCHASES}, 3e6 + 1e6 * (SHARES - 1) / G),
        ({"purchases": PURCHASES, "life": "5 years"},
         3e6 * np.exp(-YEARS / 5) + 1e6 * (SHARES - np.exp(-YEARS / 5)) / (G + 0.2)),
        ({"purchases": PURCHASES, "service_life": "5 years"}, retired(5)),
        ({"purchases": PURCHASES, "service_life": "3.3 years"}, retired(3.3)),
        ({"purchases": {**PURCHASES, "growth": "0.7x/year"}, "service_life": "2.51 years"}, retired(2.51, np.log(0.7))),
    ],
)  # fmt: skip
def test_a_stock_is_what_its_closed_form_gives(stated: dict[str, Any], exact: np.ndarray) -> None:
    np.testing.assert_allclose(stock(**stated), exact, rtol=4e-6)


def test_an_accumulation_of_any_quantity_retires_too() -> None:
    stated = {"accumulation": PURCHASES, "start": "3 million chip", "service_life": "5 years"}
    np.testing.assert_allclose(levels(quantities={"chips": stated})["quantity_chips"][0], retired(5), rtol=4e-6)


def test_each_sample_has_its_own_service_life() -> None:
    stated = {"start": "3 million chip", "purchases": PURCHASES, "service_life": {"uniform": [2, 8], "unit": "years"}}
    run = run_of(small_scenario({"samples": 6, "stocks": {"chips": stated}}))
    lives = run["parameters/stocks.chips.service_life"].values
    exact = [retired(float(life)) for life in lives]
    np.testing.assert_allclose(10 ** run["trajectories/quantity_chips"].values.astype(float), exact, rtol=4e-6)


def test_limits_on_purchases_and_on_use_bind_apart_and_purchases_are_a_quantity() -> None:
    """A chip a dollar, of which at most 2 million are made a year; power is there for 8 million."""
    money = {"level": {"ratio": ["money", "$1/chip"]}, "caps": {"chips-made": {"limit": "2 million chip/year"}}}
    caps = {"power": {"limit": {"ratio": ["8 GW", "1 kW/chip"]}}}
    stated = {"stocks": {"chips": {"start": "3 million chip", "purchases": money, "caps": caps}},
              "quantities": {"money": {"start": "$1 million/year", "growth": "1.4x/year"}}}  # fmt: skip
    found = levels(**stated)
    until = np.log(2) / G
    bought = 1e6 * (np.exp(G * np.minimum(YEARS, until)) - 1) / G + 2e6 * np.maximum(YEARS - until, 0)
    year = 365.25 * 86400
    np.testing.assert_allclose(found["quantity_chips_purchases"][0] * year, np.minimum(1e6 * SHARES, 2e6), rtol=1e-5)
    np.testing.assert_allclose(found["quantity_chips_demanded"][0], 3e6 + bought, rtol=1e-4)  # a bend within a step
    np.testing.assert_allclose(found["quantity_chips"][0], np.minimum(3e6 + bought, 8e6), rtol=1e-4)


def test_a_stock_is_the_quantity_that_it_is_written_out_as() -> None:
    """And it moves no draws of what stands beside it."""
    drawn = {"start": "3 million chip", "life": {"input": "life"}}
    use = {"samples": 40, "constraints": {"chips": {"limit": {"product": ["chips", "1e20 FLOP/chip"]}}},
           "inputs": {"life": {"uniform": [3, 5], "unit": "years"}}}  # fmt: skip
    bought = {**PURCHASES, "growth": {"uniform": [1.2, 1.6], "unit": "x/year"}}
    by_hand = {"bought": bought, "chips": {"accumulation": "bought", **drawn}}
    one = run_of(small_scenario({**use, "quantities": by_hand}))
    stated = {"chips": {"purchases": "bought", **drawn}}
    other = run_of(small_scenario({**use, "quantities": {"bought": bought}, "stocks": stated}))
    for group, same in (("parameters", "quantities.bought.growth"), ("trajectories", "quantity_chips"),
                        ("trajectories", "effective_compute"), ("trajectories", "binding_physical_compute")):  # fmt: skip
        np.testing.assert_array_equal(one[group][same].values, other[group][same].values)
    assert "stocks.chips.life" in other["parameters"]


def test_crossings_within_a_year_are_dated_on_the_stock_itself() -> None:
    """3e6 + 1e6 (e^(g t) - 1) / g reaches 5 million."""
    stated = {"chips": {"start": "3 million chip", "purchases": PURCHASES}}
    thresholds = {"five": {"quantity": "chips", "level": "5 million chip"}}
    run = run_of(small_scenario({"samples": 1, "stocks": stated, "thresholds": thresholds}))
    first = float(run["trajectories"]["year"].values[0])
    when = np.log(1 + G * 2) / G
    assert float(run["crossings/crossing_year"].values.ravel()[0]) == pytest.approx(first + when, abs=1e-3)


def test_a_scenario_may_be_of_a_stock_alone() -> None:
    data = {"schema": 2, "name": "alone", "years": {"first": 2025, "last": 2030}, "samples": 2,
            "stocks": {"chips": {"start": "1 million chip", "growth": "2x/year"}}}  # fmt: skip
    levels = run_of(data)["trajectories/quantity_chips"].values
    np.testing.assert_allclose(10.0 ** levels[0].astype(float), 1e6 * 2.0 ** np.arange(6), rtol=1e-5)


@pytest.mark.parametrize("caps", [{}, {"fabs": {"limit": "1e12 chip/year"}}])
def test_crossings_of_a_stock_that_is_retired_are_dated_in_each_sample(caps: dict[str, Any]) -> None:
    """Exact where the flow is straight; under a cap the stock is straight between sixteenths of a year."""
    stated = {"chips": {"start": "3 million chip", "purchases": {**PURCHASES, "caps": caps},
                        "service_life": {"uniform": [2, 8], "unit": "years"}}}  # fmt: skip
    thresholds = {"nine": {"quantity": "chips", "level": "9 million chip"}}
    run = run_of(small_scenario({"samples": 5, "stocks": stated, "thresholds": thresholds}))
    first = float(run["trajectories"]["year"].values[0])
    crossed = run["crossings/crossing_year"].values.ravel() - first
    for life, after in zip(run["parameters/stocks.chips.service_life"].values, crossed, strict=True):
        since = max(after - life, 0.0)
        level = 3e6 * max(1 - after / life, 0.0) + 1e6 * (np.exp(G * after) - np.exp(G * since)) / G
        assert level == pytest.approx(9e6, rel=1e-3)


@pytest.mark.parametrize("ages", [{}, {"depreciation": "20 %/year"}, {"service_life": "30 years"}])
@pytest.mark.parametrize(
    "spans", [[(2.5, 2.0)], [(2.53, 2.0)], [(2.51, 0.03), (2.55, 1.0)], [(0.0, 1.25), (3.125, 40.0)]]
)
def test_what_is_bought_while_an_event_lasts_is_counted_from_day_to_day(ages: Any, spans: Any) -> None:
    """Purchases that grow by g and are a quarter of that in the windows, which may be shorter than a step of the grid."""
    first, loss = 2025.0, -np.log(0.8) if "depreciation" in ages else 0.0
    shifts = {"on": "quantities.bought", "times": 0.25}
    events = {
        f"e{number}": {"from": first + begin, "for": f"{span} years", "effects": [shifts]}
        for number, (begin, span) in enumerate(spans)
    }
    found = levels(quantities={"bought": PURCHASES}, events=events, years={"first": first, "last": first + 10, "step": "month"},
                   stocks={"chips": {"start": "3 million chip", "purchases": "bought", **ages}})["quantity_chips"][0]  # fmt: skip
    at = np.arange(121) / 12

    def bought(begin: float, end: np.ndarray) -> np.ndarray:
        ends = np.maximum(np.stack([np.full(at.size, begin), np.minimum(end, at)]), 0.0)
        return 1e6 * np.diff(np.exp((G + loss) * np.maximum.accumulate(ends)), axis=0)[0] / (G + loss)

    kept = bought(0.0, at) - 0.75 * sum(bought(begin, np.full(at.size, begin + span)) for begin, span in spans)
    start = 3e6 * (np.maximum(1.0 - at / 30.0, 0.0) if "service_life" in ages else 1.0)
    np.testing.assert_allclose(found, (start + kept) * np.exp(-loss * at), rtol=1e-5)


def test_an_event_of_each_sample_counts_from_its_own_date() -> None:
    event = {
        "from": {"uniform": [2026.5, 2029.5]},
        "for": "1 year",
        "effects": [{"on": "quantities.bought", "times": 0.1}],
    }
    run = run_of(small_scenario({"quantities": {"bought": {"start": "1 million chip/year"}}, "events": {"stop": event}, "samples": 8,
                                 "stocks": {"chips": {"start": "3 million chip", "purchases": "bought"}}}))  # fmt: skip
    found, began = run["trajectories/quantity_chips"], run["events/event_year"].values.reshape(-1, 1)
    years = found["year"].values
    assert np.ptp(began) > 0.5
    stopped = np.clip(years - began, 0.0, 1.0)
    expected = 3e6 + 1e6 * (years - years[0] - 0.9 * stopped)
    np.testing.assert_allclose(10.0 ** found.transpose("sample", "year").values.astype(float), expected, rtol=1e-5)
