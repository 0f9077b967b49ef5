"""A hindcast sees nothing after its origin, and its tables add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from simulator import make_hindcast
from simulator.errors import InputError
from simulator.hindcast.arms import Arm, fitted_arms, knows_nothing, rule_arms
from simulator.hindcast.hindcast import hindcast
from simulator.hindcast.rows import MODEL, mean_scores
from simulator.hindcast.scores import crps
from simulator.history.fit import SamplerSettings
from simulator.history.forecast import RecordForecast
from simulator.history.observations import known_at
from tests.hindcast.made_up_record import OBSERVED, RECORD, YEARS
from tests.hindcast.small_hindcast import forecasts

SETTINGS = SamplerSettings(draws=500, chains=4, seed=2)


def stand_in(observations, *, dates, settings, **_):
    """Give fits without sampling: the trend of what was known, with a spread."""
    rng = np.random.default_rng(settings.seed)
    shape = (settings.chains, settings.draws)
    fits = []
    for date in dates:
        known = known_at(observations, date)
        scalars = {
            "spending_growth": rng.normal(0.45, 0.03, shape), "efficiency_growth": rng.normal(0.15, 0.02, shape),
            "spending_volatility": np.full(shape, 0.1), "efficiency_volatility": np.full(shape, 0.04),
            "run_scatter": np.full(shape, 0.3), "run_tail": np.full(shape, 6.0),
        }  # fmt: skip
        variables = {name: (("chain", "draw"), values) for name, values in scalars.items()}
        for name, level in (("spending", known.record - 16.3), ("efficiency", 16.0)):
            variables[name] = (("chain", "draw", "year"), np.full((*shape, 1), level))
        posterior = xr.Dataset(variables, coords={"year": [date]})
        statistics = xr.Dataset({"diverging": (("chain", "draw"), np.zeros(shape, dtype=bool))})
        attributes = {"known_to": date, "first_year": 2012, "runs": int(known.run.sum()), "record": known.record}
        groups = {"/": xr.Dataset(attrs=attributes), "posterior": posterior, "sample_stats": statistics}
        fits.append(xr.DataTree.from_dict(groups))
    return tuple(fits)


def scored(observed, *, origins, settings=SETTINGS, arms=(), beliefs=knows_nothing, **options):
    """Score the model, by fits that stand in, beside the simple rules."""

    def fits(seen):
        made = stand_in(seen, dates=[each + 1.0 for each in origins], settings=settings)
        return lambda: dict(zip(origins, made, strict=True))

    drawn = {"size": 2000, "seed": settings.seed}
    model = replace(fitted_arms(fits, **drawn)[0], hindsight=beliefs)
    return hindcast(observed, arms=[model, *rule_arms(**drawn), *arms], origins=origins, fits=fits, **options)


@pytest.fixture(scope="module")
def result():
    return scored(OBSERVED, origins=(2017, 2019, 2020))


def test_every_forecast_is_made_at_every_origin_for_every_later_year(result):
    places = {(row["forecast"], row["origin"], row["target"]) for row in result.forecasts.rows()}
    names = {row["forecast"] for row in result.forecasts.rows()}
    pairs = [(origin, target) for origin in (2017, 2019, 2020) for target in range(origin + 1, 2023)]
    assert places == {(name, *pair) for name in names for pair in pairs}
    assert len(places) == len(result.forecasts) == 5 * 10
    assert result.targets == 5
    assert len(result.diagnostics) == 3


def test_what_came_after_the_origin_changes_no_forecast(result):
    later = np.where(YEARS > 2018, RECORD + 3, RECORD)
    other = scored(replace(OBSERVED, record_log_compute=later, run_log_compute=later), origins=(2017,))
    before = {
        (row["forecast"], row["target"]): (row["quantile_05"], row["quantile_50"], row["quantile_95"])
        for row in result.forecasts.rows()
        if row["origin"] == 2017
    }
    assert {
        (row["forecast"], row["target"]): (row["quantile_05"], row["quantile_50"], row["quantile_95"])
        for row in other.forecasts.rows()
    } == before


def test_a_row_holds_what_came_and_its_distance(result):
    for row in result.forecasts.rows():
        assert row["observed"] == RECORD[row["target"] - 2012]
        assert row["error"] == pytest.approx(row["quantile_50"] - row["observed"])
        assert (
            row["quantile_05"] <= row["quantile_25"] <= row["quantile_50"] <= row["quantile_75"] <= row["quantile_95"]
        )
        assert row["inside_90"] == (row["quantile_05"] <= row["observed"] <= row["quantile_95"])
        assert row["inside_50"] <= row["inside_80"] <= row["inside_90"]


def test_means_are_taken_over_all_and_over_each_origin(result):
    table = {(row["forecast"], row["origin"]): row for row in result.scores.rows()}
    mine = [row for row in result.forecasts.rows() if row["forecast"] == MODEL]
    whole = table[MODEL, None]
    assert whole["crps"] == pytest.approx(np.mean([row["crps"] for row in mine]))
    assert (whole["forecasts"], whole["targets"]) == (10, 5)
    parts = [table[MODEL, origin] for origin in (2017, 2019, 2020)]
    assert sum(part["forecasts"] * part["bias"] for part in parts) / 10 == pytest.approx(whole["bias"])


def test_skill_is_one_minus_the_ratio_of_mean_scores(result):
    table = {(row["forecast"], row["origin"]): row for row in result.scores.rows()}
    assert [row["baseline"] for row in result.skills.rows()] == [
        "jump from last", "4x a year", "random walk", "regression line"
    ]  # fmt: skip
    for row in result.skills.rows():
        assert row["crps"] == pytest.approx(table[MODEL, None]["crps"])
        assert row["baseline_crps"] == pytest.approx(table[row["baseline"], None]["crps"])
        assert row["skill"] == pytest.approx(1 - row["crps"] / row["baseline_crps"])
        assert row["difference"] == pytest.approx(row["baseline_crps"] - row["crps"])


def test_the_same_seed_gives_the_same_tables(result):
    assert scored(OBSERVED, origins=(2017, 2019, 2020)) == result


def test_a_rate_that_rests_on_one_domain_is_warned_of():
    jumped = np.maximum.accumulate(np.where(YEARS >= 2016, RECORD + 1.5, RECORD))
    games = replace(OBSERVED, record_log_compute=jumped, run_log_compute=jumped)
    found = scored(games, origins=(2017,), without=OBSERVED, left_out="games")
    assert not found.rate_checks[0].passed
    assert any("rests on games" in line for line in found.warnings)


def test_short_chains_are_warned_of():
    found = scored(OBSERVED, origins=(2019,), settings=replace(SETTINGS, draws=20))
    assert any(line.startswith("origin 2019: bulk ESS") for line in found.warnings)


def test_nothing_after_an_origin_is_refused():
    with pytest.raises(InputError, match="must be after the end of 2022"):
        scored(OBSERVED, origins=(2022,))


def test_rows_agree_with_the_scores(result):
    row = next(row for row in result.forecasts.rows() if row["forecast"] == "random walk")
    assert row["crps"] > 0
    assert mean_scores(forecasts([row])).rows()[0]["crps"] == row["crps"]
    assert crps([row["quantile_50"]], row["observed"]) == pytest.approx(abs(row["error"]))


def exact(_, origin):
    years = tuple(range(origin + 1, 2023))
    return RecordForecast(origin, years, RECORD[np.array(years) - 2012][:, None] + [[-0.1, 0.1]])


def test_further_forecasts_stand_in_every_table_and_say_where_they_have_hindsight():
    found = scored(
        OBSERVED,
        origins=(2017, 2019),
        arms=[Arm("exact", exact, hindsight=lambda origin: "it knew" if origin == 2017 else "")],
        notes=["a note"],
    )
    mine = [row for row in found.forecasts.rows() if row["forecast"] == "exact"]
    assert [row["hindsight"] for row in mine] == [row["origin"] == 2017 for row in mine]
    assert {(row["origin"], row["hindsight"]) for row in found.scores.rows() if row["forecast"] == "exact"} == {
        (None, True), (2017, True), (2019, False)
    }  # fmt: skip
    assert [row["baseline"] for row in found.skills.rows() if row["hindsight"]] == ["4x a year", "exact"]
    assert {row["forecast"] for row in found.quantiles.rows()} == {row["forecast"] for row in found.forecasts.rows()}
    assert len(found.quantiles) == 25 * len(found.forecasts)
    assert found.notes[0] == "a note"
    assert found.notes[1:] == (
        "with hindsight, 4x a year: its rate was measured on the years that it forecasts",
        "with hindsight, exact: it knew",
    )


def test_a_model_whose_priors_knew_what_came_is_flagged():
    found = scored(OBSERVED, origins=(2017, 2019), beliefs=lambda origin: "it knew" if origin == 2017 else "")
    late = {(row["forecast"], row["origin"]) for row in found.forecasts.rows() if row["hindsight"]}
    assert late == {(MODEL, 2017), ("4x a year", 2017), ("4x a year", 2019)}


def test_crossings_are_scored_for_every_forecast():
    found = scored(OBSERVED, origins=(2019,), thresholds=[10 ** (RECORD[-1] - 0.01)])
    assert {row["forecast"] for row in found.events.rows()} == {row["forecast"] for row in found.forecasts.rows()}
    assert [row["happened"] for row in found.events.rows() if row["forecast"] == MODEL] == [False, False, True]
    assert {row["forecast"] for row in found.event_scores.rows()} == {row["forecast"] for row in found.forecasts.rows()}


@pytest.mark.slow
def test_a_last_day_beyond_the_table_is_said() -> None:
    found = make_hindcast(origins=[2024], until="2031")
    assert found.notes[0] == "the table is known to 2025-12-31: nothing later counts, though it is asked to 2031-12-31"
