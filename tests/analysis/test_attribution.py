"""Attribution: what of a difference is due to which input."""

import numpy as np
import pytest

from simulator import load_scenario, simulate
from simulator.analysis.attribution import attribute_difference, chosen_years
from simulator.analysis.comparison import compare_runs
from simulator.charts.drawing import draw_result
from simulator.charts.kinds.attribution import attribution_figures, shown_parts
from simulator.errors import InputError, dotted
from simulator.runs.estimates import sorted_quantiles
from simulator.runs.table import Table
from simulator.scenario.differences import Swap, differing_entries, joined_swaps, swapped

SAMPLES = ["samples=1024"]
TEN = "ten-billion-dollar-run"
LOOSER = ("drivers.spending.caps.cash-flow=null", "constraints.data=null", "drivers.spending.growth[0].rate.median=2.5")


def scenario(name="baseline", *changes):
    return load_scenario(name, overrides=[*SAMPLES, *changes])


# The same attribution is read by several tests and changed by none.
@pytest.fixture(scope="module")
def found():
    return attribute_difference(scenario(), scenario("baseline", *LOOSER))


def test_the_parts_of_every_number_add_up_to_the_whole(found):
    assert np.allclose(found.shares.parts.sum(axis=0), found.after - found.before, atol=1e-9)
    rows = found.table.rows()
    for place, number in enumerate(found.numbers):
        own = [row for row in rows if (row["quantity"], row["statistic"], row["year"])
               == (number.quantity, number.statistic, number.year)]  # fmt: skip
        whole = [row["part"] for row in own if not row["input"]]
        assert sum(row["part"] for row in own if row["input"]) == pytest.approx(whole[0], abs=1e-9)
        assert whole[0] == found.after[place] - found.before[place]


def test_both_ends_are_what_the_runs_themselves_give(found):
    for numbers, changes in ((found.before, ()), (found.after, LOOSER)):
        run = simulate(scenario("baseline", *changes))
        levels = run["trajectories/effective_compute"]
        for place, number in enumerate(found.numbers):
            if number.quantity == "effective_compute":
                expected = sorted_quantiles(np.sort(levels.sel(year=number.year).values), [0.5])[0]
                assert numbers[place] == pytest.approx(expected, abs=1e-5)
            elif number.statistic == "probability of having crossed":
                years = run["crossings/crossing_year"].sel(threshold=number.quantity).values
                assert numbers[place] == (years <= number.year).mean()


def test_a_scenario_and_its_copy_differ_by_exactly_nothing():
    copy = scenario("baseline", "name=copy", "notes=the same", "drivers.spending.start.source=another")
    same = attribute_difference(scenario(), copy)
    assert same.inputs == ()
    assert (same.before == same.after).all()
    assert same.lines()[1] == "  nothing that the results depend on differs"


def test_an_input_that_no_number_depends_on_has_a_part_of_exactly_zero():
    changes = ("quantities.unused={start: {median: 2, interval_90: [1, 4], unit: USD}}",)
    with_unused = scenario("baseline", *changes, "drivers.spending.caps.cash-flow=null")
    both = attribute_difference(scenario(), with_unused)
    parts = dict(zip((entry.input for entry in both.inputs), both.shares.parts, strict=True))
    assert (parts["quantities.unused"] == 0.0).all()
    assert np.abs(parts["drivers.spending.caps.cash-flow"]).max() > 0


def test_a_single_input_has_the_whole_difference():
    one = attribute_difference(scenario(), scenario("baseline", "drivers.spending.growth[0].rate.median=2.5"))
    assert [entry.input for entry in one.inputs] == ["drivers.spending.growth[0].rate"]
    assert one.shares.parts[0].tolist() == (one.after - one.before).tolist()


def test_a_censored_median_gives_way_to_the_restricted_mean(found):
    statistics = {(number.quantity, number.statistic) for number in found.numbers}
    assert ("1000x-gpt-4", "median crossing year") in statistics
    assert ("hundred-billion-dollar-run", "restricted mean crossing year") in statistics
    assert ("hundred-billion-dollar-run", "median crossing year") not in statistics
    assert "stands in for it" in found.said[0]
    assert np.isfinite(found.before).all()
    assert np.isfinite(found.shares.parts).all()


def test_entries_that_need_one_another_are_one_input():
    changes = ("constraints.power=null", "quantities.power-for-one-run=null")
    one, other = scenario(), scenario("baseline", *changes)
    swaps = joined_swaps(one, differing_entries(one.data, other.data))
    assert [len(swap.entries) for swap in swaps] == [2]
    assert attribute_difference(one, other).inputs[0].second == "absent; absent"


def test_a_start_and_its_date_are_one_input():
    """Spending that grows g OOM a year from 4e8 USD in 2025.5, or from 8e8 in 2026.9, differs by log10 2 - 1.4 g."""
    starts = ("start={value: 4e8, unit: USD}", "at=2025.5", "growth=2x/year", "caps=null")
    later = ("start={value: 8e8, unit: USD}", "at=2026.9", *starts[2:])
    pair = [
        scenario("baseline", "correlations=[]", *(f"drivers.spending.{each}" for each in own))
        for own in (starts, later)
    ]
    swaps = joined_swaps(pair[0], differing_entries(pair[0].data, pair[1].data))
    assert [(swap.name, len(swap.entries)) for swap in swaps] == [("drivers.spending.start", 2)]
    rows = attribute_difference(*pair, years=[2030]).table.rows()
    (part,) = {row["part"] for row in rows if row["statistic"] == "median crossing year" and row["quantity"] == TEN}
    assert part == pytest.approx(1.4 - 1, abs=1e-3)  # log2 of what is asked is a year less, and it starts 1.4 later


def test_a_prior_that_becomes_fixed_and_its_correlation_are_told_apart():
    changes = ("drivers.spending.growth[0].rate={value: 2.4, unit: factor/year}", "correlations=[]")
    one, other = scenario(), scenario("baseline", *changes)
    swaps = joined_swaps(one, differing_entries(one.data, other.data))
    assert [swap.name for swap in swaps] == ["drivers.spending.growth[0].rate", "correlations"]


def test_the_error_of_a_single_part_is_about_that_of_the_difference_of_the_runs():
    pair = [load_scenario("baseline", overrides=["samples=4000", "block=125", *more])
            for more in ((), ("drivers.algorithms.growth={median: 2, interval_90: [1.2, 4], unit: x/year}",))]  # fmt: skip
    compared = compare_runs([simulate(each) for each in pair], labels=["one", "other"]).results.rows()
    rows = [row for row in attribute_difference(*pair).table.rows() if row["quantity"] == "effective_compute"]
    assert len(rows) == 6  # in three years the part and, the same, the whole
    for row in rows:
        (expected,) = [each["difference_error"] for each in compared if each["run"] == "other" and
                       (each["quantity"], each["statistic"], each["year"])
                       == (row["quantity"], "median", row["year"])]  # fmt: skip
        assert row["standard_error"] == pytest.approx(expected, rel=0.5)  # each known to 13 %, of 32 blocks


def test_a_median_that_is_passed_at_the_start_has_no_difference():
    later = attribute_difference(
        scenario(), scenario("baseline", "years.first=2027", "drivers.algorithms.growth=2.5x/year")
    )
    told = {(number.quantity, number.statistic) for number in later.numbers}
    assert {statistic for quantity, statistic in told if quantity == "gpt-4"} == {"probability of having crossed"}
    (said,) = [sentence for sentence in later.said if "passed at the start" in sentence]
    assert "GPT-4" in said
    assert not any(line.startswith("  GPT-4, ") for line in later.lines(most=99))


@pytest.mark.parametrize("name", ["tight-caps", "no-caps", "feedback", "essay-2023"])
def test_all_swaps_together_are_the_other_scenario(name):
    one, other = load_scenario("baseline"), load_scenario(name)
    entries = differing_entries(one.data, other.data)
    assert entries
    left = differing_entries(swapped(one, [Swap((entry,)) for entry in entries]).data, other.data)
    assert [dotted(entry.path) for entry in left] == []


VIEWS = (
    "drivers.spending.growth[0].rate.median=2.6",
    "mixture[tight-caps].changes.constraints.power=null",
    "mixture[no-caps].weight=0.5",
)


@pytest.fixture(scope="module")
def mixed():
    return attribute_difference(scenario("views"), scenario("views", *VIEWS))


def test_of_a_mixture_what_changes_in_all_in_one_and_its_weights_are_told_apart(mixed):
    assert [one.input for one in mixed.inputs] == [
        "drivers.spending.growth[0].rate",
        "mixture[tight-caps].changes.constraints.power",
        "mixture[baseline].weight + mixture[tight-caps].weight + mixture[no-caps].weight",
    ]
    assert np.allclose(mixed.shares.parts.sum(axis=0), mixed.after - mixed.before, atol=1e-9)
    assert (np.abs(mixed.shares.parts).max(axis=1) > 0.01).all()
    assert (mixed.errors[:, -1] > 0).all()
    assert mixed.inputs[-1].first == "0.6; 0.3; 0.1"


def test_the_ends_of_a_mixture_are_what_its_runs_give(mixed):
    for numbers, changes in ((mixed.before, ()), (mixed.after, VIEWS)):
        levels = simulate(scenario("views", *changes))["trajectories/effective_compute"]
        for place, number in enumerate(mixed.numbers):
            if number.quantity == "effective_compute":
                expected = sorted_quantiles(np.sort(levels.sel(year=number.year).values), [0.5])[0]
                assert numbers[place] == pytest.approx(expected, abs=1e-5)


def test_one_change_of_a_mixture_has_the_whole_difference():
    few = "samples=512"
    for change in VIEWS:
        alone = attribute_difference(scenario("views", few), scenario("views", few, change))
        assert len(alone.inputs) == 1
        assert np.allclose(alone.shares.parts[0], alone.after - alone.before, atol=1e-9)


def test_other_mixtures_and_scenarios_without_a_common_year_are_refused():
    with pytest.raises(InputError, match="do not mix the same scenarios"):
        attribute_difference(scenario(), scenario("views"))
    later = scenario("baseline", "years={first: 2046, last: 2050, step: year}")
    with pytest.raises(InputError, match="no year in common"):
        attribute_difference(scenario(), later)


def test_more_than_eight_inputs_are_told_by_random_orders_with_their_errors():
    names = ("spending.start", "hardware.factors.price-performance.start", "spending.growth[1].from",
             "hardware.factors.precision-and-utilisation.growth[0].rate",
             "hardware.factors.precision-and-utilisation.growth[1].from")  # fmt: skip
    values = ("{median: 5e8, interval_90: [4e8, 6e8], unit: USD}",
              "{median: 2e18, interval_90: [1e18, 4e18], unit: FLOP/USD}", "{uniform: [2028, 2031]}",
              "{median: 1.2, interval_90: [1.0, 1.5], unit: factor/year}", "{uniform: [2028, 2030]}")  # fmt: skip
    changes = [f"drivers.{name}={value}" for name, value in zip(names, values, strict=True)]
    other = load_scenario("tight-caps", overrides=["samples=128", *changes])
    many = attribute_difference(load_scenario("baseline", overrides=["samples=128"]), other, orders=4)
    assert len(many.inputs) > 8
    assert many.shares.orders == 4
    assert np.allclose(many.shares.parts.sum(axis=0), many.after - many.before, atol=1e-9)
    assert many.shares.errors.max() > 0
    assert "random orders" in many.lines()[0]


def test_the_figure_draws_the_parts_and_the_whole(found):
    (figure,) = attribution_figures(found)
    assert figure.name == "attribution"
    assert found.scenarios[1] in figure.caption
    number = figure.tables["parts"].rows()[0]["number"]
    parts = [row["part"] for row in figure.tables["parts"].rows() if row["number"] == number]
    place = max(i for i, one in enumerate(found.numbers) if one.quantity == "effective_compute")
    assert sum(parts) == pytest.approx(found.after[place] - found.before[place], abs=1e-9)


def test_small_parts_are_drawn_as_one():
    rows = [{"input": str(i), "part": float(i)} for i in range(12)]
    assert shown_parts(Table.of_rows(rows), most=3) == [("11", 11.0), ("10", 10.0), ("9 other inputs", 45.0)]


def test_two_runs_are_attributed_from_their_stored_scenarios(tmp_path):
    runs = [simulate(scenario(name), keep="summary") for name in ("baseline", "feedback")]
    found = compare_runs(runs, attribute=True)
    folder = found.save(tmp_path)
    draw_result(found, folder, formats=["svg"])
    assert found.attribution.lines()[0].startswith(
        "what the differences are due to (all subsets, 1,024 common samples)"
    )
    assert found.lines()[-len(found.attribution.lines()) :] == found.attribution.lines()
    assert {path.name for path in folder.iterdir()} >= {"attribution.csv", "attribution.svg", "attribution.txt"}
    with pytest.raises(InputError, match="takes two runs or scenarios; got 3"):
        compare_runs([*runs, runs[0]], attribute=True)


def test_nothing_is_drawn_where_nothing_differs(tmp_path):
    same = attribute_difference(*[scenario()] * 2)
    assert draw_result(same, tmp_path, formats=["svg"]) == []
    assert list(tmp_path.iterdir()) == []


def test_the_dataset_has_the_parts_by_input_and_number(found):
    dataset = found.dataset
    assert (dataset["part"].sum("input") - (dataset["after"] - dataset["before"])).values == pytest.approx(
        0.0, abs=1e-9
    )
    assert dataset["input"].values.tolist() == [entry.input for entry in found.inputs]


def test_the_years_are_a_quarter_a_half_and_the_whole_of_the_way():
    assert chosen_years([2025.5, 2026.0, 2030.0, 2035.0, 2045.0]) == [2030.0, 2035.0, 2045.0]
    assert chosen_years([]) == []
