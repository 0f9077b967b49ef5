"""Shares of variance of scenarios: closed forms, laws, and what is refused."""

import numpy as np
import pytest

from simulator import load_scenario
from simulator.analysis.evaluation import model_of
from simulator.analysis.outcomes import outcomes_over, parse_outcome
from simulator.analysis.shares import variance_shares
from simulator.analysis.variance import Study
from simulator.errors import InputError
from simulator.scenario.load import parse_scenario
from simulator.testing import scenario_text, small_scenario
from tests.analysis.linear_scenario import CORRELATIONS, LINEAR
from tests.known_functions import linear_shapley

NAMES = ("drivers.spending.start", "drivers.spending.growth", "drivers.hardware.growth", "drivers.algorithms.growth")
START_SD = np.log10(2) / 1.6448536
ASKED = [parse_outcome(text) for text in ("effective_compute@2025", "effective_compute@2027", "effective_compute@2030")]


def slopes(year):
    return np.array([START_SD, *(year - 2025) * np.array([0.1, 0.05, 0.2])])


def close(shares, name, known, outcome):
    value, error = (shares[key].sel(outcome=outcome, input=list(NAMES)).values for key in (name, f"{name}_error"))
    assert (error < 0.03).all()
    np.testing.assert_array_less(np.abs(value - known), 4 * error + 1e-9)


@pytest.fixture(scope="module")
def independent():
    return variance_shares(parse_scenario(LINEAR), ASKED).dataset


@pytest.fixture(scope="module")
def correlated():
    return variance_shares(parse_scenario(LINEAR + CORRELATIONS), ASKED, samples=4096).dataset


@pytest.mark.parametrize("year", [2025, 2027, 2030])
def test_independent_priors_have_their_shares_of_a_sum(independent, year):
    known = slopes(year) ** 2 / (slopes(year) ** 2).sum()
    assert independent.attrs["method"] == "sobol"
    close(independent, "first_order", known, f"effective_compute@{year}")
    close(independent, "total", known, f"effective_compute@{year}")
    assert float(independent["variance"].sel(outcome=f"effective_compute@{year}")) == pytest.approx(
        (slopes(year) ** 2).sum(), rel=0.1
    )


@pytest.mark.parametrize("year", [2025, 2027, 2030])
def test_correlated_priors_have_the_shapley_effects_of_a_sum(correlated, year):
    correlation = np.eye(4)
    for pair, rank in (((1, 3), 0.6), ((1, 2), -0.3)):
        correlation[pair] = correlation[pair[::-1]] = 2 * np.sin(np.pi * rank / 6)
    assert correlated.attrs["method"] == "shapley"
    close(correlated, "shapley", linear_shapley(slopes(year), correlation), f"effective_compute@{year}")
    assert float(correlated["shapley"].sel(outcome=f"effective_compute@{year}").sum()) == pytest.approx(1.0)


def test_groups_that_hold_what_is_correlated_have_sobol_indices():
    groups = {"rates": ["drivers.*.growth"]}
    shares = variance_shares(parse_scenario(LINEAR + CORRELATIONS), ASKED, groups=groups).dataset
    assert shares.attrs["method"] == "sobol"
    assert shares["first_order"].sel(outcome="effective_compute@2025").values.tolist()[1] == 0.0
    start = slopes(2030)[0] ** 2
    rates = float(shares["variance"].sel(outcome="effective_compute@2030")) - start
    assert float(shares["first_order"].sel(outcome="effective_compute@2030", input="rates")) == pytest.approx(
        rates / (start + rates), abs=0.05
    )


def test_a_prior_that_nothing_uses_yet_has_a_share_of_0_exactly(independent, correlated):
    for name in ("first_order", "total"):
        for part in ("", "_error", "_lower", "_upper"):
            growth = independent[name + part].sel(outcome="effective_compute@2025", input=NAMES[3])
            assert float(growth) == 0.0
    assert (correlated["shapley"].sel(outcome="effective_compute@2025", input=list(NAMES[1:])) == 0.0).all()


def test_outcomes_of_thresholds_are_finite_and_constant_ones_are_said():
    asked = [*outcomes_over("crossed:late", [2025, 2028, 2030]), parse_outcome("restricted:late")]
    shares = variance_shares(parse_scenario(LINEAR), asked, samples=256).dataset
    assert shares["constant"].values.tolist() == [1, 0, 0, 0]
    assert shares["deciding_samples"].values[0] == 0.0
    assert all(np.isfinite(shares[name]).all() for name in shares.data_vars)
    assert not shares["first_order"].values[:, 0].any()
    assert shares["subject"].values.tolist() == ["crossed:late"] * 3 + ["restricted:late"]


def test_shares_of_a_crossing_year_are_those_of_its_rank():
    # With growth z = sum of normals, and so the year monotone in z, the rank is Phi(z): of two with the correlation r
    # the covariance is asin(r / 2) / (2 pi), and the variance 1/12.
    changes = ["drivers.spending.start={value: 1e8, unit: USD}", "years.last=2200"]
    shares = variance_shares(parse_scenario(LINEAR, overrides=changes), ["crossing:late"], samples=2048)
    found = shares.of("crossing:late").isel(outcome=0)
    parts = np.array([0.1, 0.05, 0.2]) ** 2 / (0.1**2 + 0.05**2 + 0.2**2)
    for name, expected in (
        ("first_order", 6 / np.pi * np.arcsin(parts / 2)),
        ("total", 1 - 6 / np.pi * np.arcsin((1 - parts) / 2)),
    ):
        assert (np.abs(found[name].values - expected) < 4 * found[f"{name}_error"].values).all(), name
    assert float(found["variance"]) == pytest.approx(1 / 12, rel=0.05)
    assert str(found["variance_unit"].values) == "1"
    lines = shares.lines()
    assert "  the rank of the crossing year of late, %, first-order / total" in lines
    assert lines[-1].endswith("their orders may differ.")


def test_shares_hang_on_names_and_seed_and_not_on_what_else_is_asked(independent):
    fewer = variance_shares(parse_scenario(LINEAR), ASKED[1:2]).dataset
    np.testing.assert_allclose(fewer["total"].values[:, 0], independent["total"].values[:, 1], rtol=1e-12)
    other = variance_shares(parse_scenario(LINEAR, overrides=["seed=8"]), ASKED[1:2]).dataset
    assert (other["total"].values != fewer["total"].values).any()
    assert fewer.attrs["shares_id"] != independent.attrs["shares_id"] != other.attrs["shares_id"]


def test_the_same_question_has_the_same_answer_and_id(independent):
    again = variance_shares(parse_scenario(LINEAR), ASKED).dataset
    assert again.identical(independent)


def test_a_prior_that_is_added_changes_no_draws_of_others(independent):
    unused = "\nquantities: {idle: {start: {uniform: [1e10, 2e10], unit: USD}}}\n"
    more = variance_shares(parse_scenario(LINEAR + unused), ASKED).dataset
    np.testing.assert_allclose(more["total"].sel(input=list(NAMES)), independent["total"], rtol=1e-12)
    assert not more["total"].sel(input="quantities.idle.start").values.any()


def test_any_number_of_samples_will_do():
    shares = variance_shares(parse_scenario(LINEAR + CORRELATIONS), ASKED, samples=100).dataset
    assert float(shares["shapley"].sum("input").min()) == pytest.approx(1.0)


def test_a_custom_driver_is_shared_out_from_python():
    text = LINEAR.replace("algorithms: {growth: {", "algorithms: {custom: {parameters: {speed: {").replace(
        "sd: 0.2, unit: OOM/year}}", "sd: 0.2}}}}"
    )

    def grow(draws, years):
        return draws["speed"][:, None] * (years - years[0])

    scenario = parse_scenario(text)
    shares = variance_shares(scenario, ASKED, custom={"drivers.algorithms": grow}, samples=256).dataset
    assert shares["total"].sel(outcome="effective_compute@2030").values.argmax() == 3
    with pytest.raises(InputError, match="is a custom driver; run it from Python"):
        variance_shares(scenario, ASKED)


@pytest.mark.parametrize(
    ("outcomes", "options", "text"),
    [
        (["efective_compute@2030"], {}, "Did you mean 'effective_compute'?"),
        (["effective_compute@2030.25"], {}, "the years go from 2025 to 2030."),
        (["crossed:lat@2030"], {}, "Did you mean 'late'?"),
        (["effective_compute@2030"], {"method": "sobel"}, "Did you mean 'sobol'?"),
        (["effective_compute@2030"], {"samples": 63}, "--samples: must be from 64; got 63."),
        (["effective_compute@2030"], {"samples": 10**9}, "--samples: must be from 64 to "),
        (["effective_compute@2030"], {"groups": {"a": ["drivers.sending"]}}, "Did you mean 'drivers.spending'?"),
        (["binding_spending@2030"], {}, "their variance means nothing"),
        ([], {}, "name one at least"),
    ],
)
def test_bad_input_is_refused(outcomes, options, text):
    with pytest.raises(InputError) as caught:
        variance_shares(parse_scenario(LINEAR), [parse_outcome(each) for each in outcomes], **options)
    assert text in str(caught.value)


def test_sobol_indices_of_correlated_priors_are_refused_with_groups_that_work():
    scenario = parse_scenario(LINEAR + CORRELATIONS)
    with pytest.raises(InputError) as caught:
        variance_shares(scenario, ASKED, method="sobol")
    said = str(caught.value)
    assert "are correlated" in said
    assert "--method shapley" in said
    group = said.splitlines()[-1].strip().removeprefix("--group ")
    name, _, patterns = group.partition("=")
    assert (
        variance_shares(scenario, ASKED, samples=64, groups={name: patterns.split(",")}).dataset.attrs["method"]
        == "sobol"
    )


def test_shapley_may_be_asked_of_independent_priors(independent):
    shares = variance_shares(parse_scenario(LINEAR), ASKED, method="shapley").dataset
    assert shares.attrs["method_because"] == "as asked; the inputs are independent"
    asked = variance_shares(parse_scenario(LINEAR), ASKED, method="sobol").dataset
    assert asked.attrs["shares_id"] == independent.attrs["shares_id"]
    close(shares, "shapley", slopes(2030) ** 2 / (slopes(2030) ** 2).sum(), "effective_compute@2030")


def test_a_scenario_without_uncertainty_and_a_mixture_are_refused():
    with pytest.raises(InputError, match="has no uncertain prior"):
        variance_shares(load_scenario("essay-2023"), [parse_outcome("effective_compute@2030")])
    with pytest.raises(InputError, match="Ask it of one of them"):
        variance_shares(load_scenario("views"), [parse_outcome("effective_compute@2030")])


def test_the_rows_of_a_study_are_spread_over_as_many_strata() -> None:
    drawn = Study(model_of(load_scenario("baseline")), [], [], 1100, "sobol").points.first
    for column in drawn.T:
        assert sorted(np.floor(column * 1100).astype(int).tolist()) == list(range(1100))


def test_an_event_is_one_input_with_the_variance_of_what_it_changes():
    """A level that falls tenfold in 40 % of the samples, by a size of its own: 0.24 of its mean squared, and 0.4 of the
    variance of the size. Chance, size and the length that matters not stand together."""
    shock = {
        "probability": "40 %",
        "from": 2027,
        "until": {"uniform": [2040, 2050]},
        "effects": [{"on": "drivers.compute", "times": {"median": 0.1, "interval_90": [0.05, 0.2]}}],
    }
    scenario = parse_scenario(scenario_text(small_scenario({"events": {"shock": shock}})))
    (outcome,) = outcomes_over("physical_compute@2030", [])
    found = variance_shares(scenario, [outcome], samples=2048).dataset
    assert set(found["input"].values) == {"drivers.compute.start", "drivers.compute.growth", "events.shock"}
    own = 0.24 + 0.4 * (np.log10(2) / 1.6448536) ** 2
    whole = own + (np.log10(4) / 1.6448536) ** 2 + 25 * 0.01
    share = found["first_order"].sel(input="events.shock").values.item()
    error = found["first_order_error"].sel(input="events.shock").values.item()
    assert error < 0.04
    assert share == pytest.approx(own / whole, abs=4 * error)
