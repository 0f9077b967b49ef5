"""The run as a labelled dataset: attributes, coordinates, run id."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, parse_scenario, simulate
from simulator.engine.record import run_id
from simulator.testing import run_of, scenario_text, small_scenario
from simulator.version import made_by


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    growth = {"mean": 0.5, "sd": 0.1, "unit": "OOM/year", "source": "Somebody 2024", "url": "https://example.org",
              "as_of": "2024-05", "confidence": "low", "notes": "A note."}  # fmt: skip
    data = small_scenario({"drivers.compute.growth": growth, "dollars": "real 2023", "subject": "all runs",
                           "thresholds.a": {"effective_compute": 1e29, "label": "A"}})  # fmt: skip
    return simulate(parse_scenario(scenario_text(data), overrides=["samples=300", "seed=0"]))


def test_attributes_are_strings_and_numbers_and_tell_where_the_run_comes_from(run: xr.DataTree) -> None:
    attrs = run.attrs
    assert all(isinstance(value, str | int | float) for value in attrs.values())
    assert (attrs["name"], attrs["title"], attrs["subject"], attrs["dollars"]) == (
        "small",
        "small",
        "all runs",
        "real 2023",
    )
    assert (attrs["samples"], attrs["seed"], attrs["block"], attrs["keep"]) == (300, 0, 256, "trajectories")
    assert attrs["overrides"].splitlines() == ["samples: 512 -> 300", "seed: nothing -> 0"]
    assert json.loads(attrs["sources"]) == {"drivers.compute.growth": "Somebody 2024"}
    assert parse_scenario(attrs["scenario"]).hash == attrs["scenario_hash"]
    assert {key: attrs[key] for key in made_by()} == made_by()
    assert json.loads(attrs["libraries"]).keys() == {"python", "numpy", "scipy"}


def test_a_prior_carries_its_unit_meaning_and_provenance(run: xr.DataTree) -> None:
    attrs = run["parameters/drivers.compute.growth"].attrs
    assert attrs["units"] == "OOM/year"
    assert attrs["understood"]
    assert (attrs["source"], attrs["url"], attrs["as_of"], attrs["confidence"], attrs["notes"]) == (
        "Somebody 2024", "https://example.org", "2024-05", "low", "A note.")  # fmt: skip


def test_thresholds_carry_quantity_label_and_direction(run: xr.DataTree) -> None:
    for group in ("summary", "crossings"):
        dataset = run[group].to_dataset()
        assert dataset["threshold"].values.tolist() == ["a"]
        assert dataset["quantity"].values.tolist() == ["effective_compute"]
        assert dataset["label"].values.tolist() == ["A"]
        assert dataset["falling"].values.tolist() == [0]


def test_what_says_the_same_in_a_library_and_in_the_file_is_credited_to_the_library() -> None:
    run = simulate(load_scenario("baseline", overrides=["samples=256"]))
    growth = run["parameters/drivers.spending.growth[0].rate"]
    assert growth.attrs["library"].startswith("spending/")
    assert growth.attrs["source"]


def test_the_run_id_is_of_what_determines_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def identity(keep: str = "trajectories", **changes: object) -> str:
        return run_id(parse_scenario(scenario_text(small_scenario(changes))), keep=keep)

    first = identity()
    assert first == identity()
    assert len(first) == 8
    others = [identity(seed=1), identity(samples=513), identity(keep="summary"), identity(block=512)]
    assert len({first, *others}) == 5
    with monkeypatch.context() as patch:
        patch.setattr("simulator.engine.record.packages_of", lambda _: {"our-families": "1.1"})
        assert identity() not in {first, *others}
    monkeypatch.setattr("simulator.engine.record.source_digest", lambda: "other code")
    assert identity() not in {first, *others}


def test_a_cap_that_never_binds_is_warned_of() -> None:
    caps = {"idle": {"limit": {"value": 1e60, "unit": "FLOP"}}, "busy": {"limit": {"value": 1e28, "unit": "FLOP"}}}
    run = run_of(small_scenario({"drivers.compute.caps": caps}))
    assert run.attrs["warnings"] == "idle never binds: no sample reaches it by the horizon."


def test_arithmetic_on_different_years_is_not_silently_cut() -> None:
    """Whoever adds two runs of different years sees which is which."""
    one, other = (run_of(small_scenario({"years": {"first": 2025, "last": last}})) for last in (2030, 2032))
    with xr.set_options(arithmetic_join="exact"), pytest.raises(ValueError, match=r"year|align"):
        one["trajectories/effective_compute"] + other["trajectories/effective_compute"]
    assert one["trajectories/year"].attrs["units"] == "year"
    assert np.asarray(one["summary/quantile"]).dtype == float


def test_two_custom_drivers_give_two_run_ids() -> None:
    text = scenario_text(small_scenario({"drivers.compute": {"custom": {"parameters": {"rate": 0.5}}}}))

    def identity(slope: float) -> str:
        def driver(draws, years):
            return 26.0 + slope * draws["rate"][:, None] * (years - years[0])

        return str(simulate(parse_scenario(text), custom={"drivers.compute": driver}).attrs["run_id"])

    assert identity(1.0) == identity(1.0)
    assert identity(1.0) != identity(2.0)
