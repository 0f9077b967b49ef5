"""Moment-independent index, distances of distributions, many tests at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator import load_scenario, simulate
from simulator.analysis.association import (
    adjusted,
    class_count,
    corrected_delta,
    deltas_by_chance,
    distance,
    rank_among,
    rank_associations,
    rank_by_chance,
    rank_classes,
    raw_delta,
    spearman,
    table_of,
)
from simulator.errors import InputError


def delta_of(x, y):
    count = class_count(x.size)
    table = table_of(rank_classes(x, count), rank_classes(y, count))
    return corrected_delta(raw_delta(table), deltas_by_chance(table.sum(axis=1), table.sum(axis=0)))


def normal_delta(correlation):
    """Borgonovo's delta of two normals: the mean over x of half the area between N(r x, 1 - r^2) and N(0, 1)."""
    y = np.linspace(-9, 9, 3001)
    x = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    apart = np.abs(stats.norm.pdf(y, correlation * x[:, None], np.sqrt(1 - correlation**2)) - stats.norm.pdf(y))
    return 0.5 * np.mean(apart.sum(axis=1)) * (y[1] - y[0])


@pytest.mark.parametrize("correlation", [0.1, 0.2, 0.5, 0.8, -0.5])
def test_delta_of_two_normals_is_near_its_integral(correlation):
    rng = np.random.default_rng(3)
    x = rng.normal(size=20_000)
    y = correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=x.size)
    assert delta_of(x, y)[0] == pytest.approx(normal_delta(correlation), abs=0.02)


def test_delta_agrees_with_salib():
    pytest.importorskip("SALib")
    from SALib.analyze import delta

    rng = np.random.default_rng(4)
    x = rng.uniform(-np.pi, np.pi, size=(1000, 3))
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])  # Ishigami
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[-np.pi, np.pi]] * 3}
    theirs = delta.analyze(problem, x, y, num_resamples=2, seed=1, method="delta")["delta_balanced"]
    assert [delta_of(x[:, i], y)[0] for i in range(3)] == pytest.approx(theirs, abs=0.06)


def test_delta_is_nothing_without_and_nearly_everything_with_full_dependence():
    rng = np.random.default_rng(5)
    x = rng.normal(size=8000)
    found = [delta_of(x, rng.normal(size=8000)) for _ in range(20)]
    assert all(delta <= noise for delta, noise in found)
    assert delta_of(x, np.exp(x))[0] == pytest.approx(1.0, abs=1.5 / class_count(8000))


def test_delta_sees_what_ranks_do_not_and_does_not_mind_infinity():
    rng = np.random.default_rng(6)
    x = rng.normal(size=4000)
    y = np.where(np.abs(x) > 1, np.inf, rng.normal(size=4000))
    assert abs(stats.spearmanr(x, np.where(np.isinf(y), 99, y)).statistic) < 0.05
    assert delta_of(x, y)[0] > 0.3


def test_tables_by_chance_have_the_law_of_permutations():
    rng = np.random.default_rng(7)
    a, b = rng.integers(0, 6, 600), rng.integers(0, 4, 600)
    table = table_of(a, b)
    drawn = deltas_by_chance(table.sum(axis=1), table.sum(axis=0), draws=400)
    shuffled = [raw_delta(table_of(rng.permutation(a), b)) for _ in range(400)]
    assert stats.ks_2samp(drawn, shuffled).pvalue > 0.001


@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, np.inf]), min_size=1, max_size=30), st.integers(1, 12))
def test_classes_rise_with_the_value_and_keep_ties_together(values, count):
    array = np.array(values)
    classes = rank_classes(array, count)
    order = np.argsort(array, kind="stable")
    assert (np.diff(classes[order]) >= 0).all()
    assert classes.min() >= 0
    assert classes.max() < count
    assert all(len(set(classes[array == value])) == 1 for value in set(values))


def test_distance_agrees_with_scipy():
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=300), rng.normal(0.3, size=500)
    theirs = stats.ks_2samp(a, b, method="asymp")
    ours = distance(a, b)
    assert ours[0] == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours[1] == pytest.approx(theirs.pvalue, abs=0.01)
    assert distance(np.append(a, np.inf), np.append(a, np.inf)) == (0.0, 1.0)


def test_many_tests_raise_each_p_value_and_keep_their_order():
    p_values = [0.001, 0.2, 0.04, 0.04, 0.9]
    found = adjusted(p_values)
    assert found == pytest.approx([0.005, 0.4, 0.16, 0.16, 0.9])
    assert adjusted([]) == []


@pytest.mark.parametrize("ties", [False, True])
def test_ranks_agree_with_scipy(ties):
    from scipy import stats

    rng = np.random.default_rng(1)
    a = rng.normal(size=400)
    b = a + rng.normal(size=400)
    if ties:
        a, b = np.round(a), np.round(b, 1)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


def test_a_constant_has_no_correlation_and_infinity_is_the_last_rank():
    assert spearman(np.ones(5), np.arange(5.0)) is None
    assert spearman(np.array([1.0, np.inf, np.inf]), np.array([1.0, 2.0, 2.0])) == pytest.approx(1.0)


def test_columns_of_different_length_are_refused():
    with pytest.raises(InputError, match="of one length"):
        spearman(np.ones(3), np.ones(4))


def test_uncertain_priors_are_listed_the_strongest_first_without_those_that_chance_explains():
    run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    rows = rank_associations(run).rows()
    sizes = [abs(row["rank"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) > rank_by_chance(1024)
    assert rows[0]["name"] == "drivers.algorithms.growth"
    used = {"drivers.", "quantities.", "constraints."}  # a threshold has nothing to do with effective compute
    assert all(row["name"].startswith(tuple(used)) for row in rows)


def test_one_in_a_thousand_independent_columns_exceeds_what_chance_gives():
    rng = np.random.default_rng(5)
    least = rank_by_chance(200)
    assert least == pytest.approx(3.2905 / np.sqrt(199), rel=1e-4)
    beyond = sum(abs(spearman(*rng.random((2, 200)))) > least for _ in range(4000))
    assert beyond == pytest.approx(4, abs=6)  # three standard deviations of a count of 4


def test_the_only_uncertain_number_of_a_model_goes_with_all_of_its_outcome():
    changes = ["samples=256", "drivers.hardware.growth={median: 1.3, interval_90: [1.1, 1.5], unit: x/year}"]
    rows = rank_associations(simulate(load_scenario("capability", overrides=changes))).rows()
    assert [row["name"] for row in rows] == ["drivers.hardware.growth"]
    assert rows[0]["rank"] == pytest.approx(1.0, abs=1e-6)


def test_a_summary_has_no_correlations():
    with pytest.raises(InputError, match="kept its summary only"):
        rank_associations(simulate(load_scenario("capability"), keep="summary"))


def test_ranks_among_years_are_alike_where_the_years_are_and_last_where_there_is_none():
    ordered = np.array([2026.0, 2027.0, 2027.0, np.inf])
    years = np.array([2025.0, 2026.0, 2027.0, 2030.0, np.inf])
    assert rank_among(years, ordered).tolist() == [0.0, 0.125, 0.5, 0.75, 0.875]
