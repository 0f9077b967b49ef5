"""Exports by format: what each takes, what it refuses, where it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from simulator.errors import InputError
from simulator.export.formats import (
    FORMATS,
    ExportOptions,
    check_export,
    export_tables,
    export_text,
    summary_document,
    summary_json,
    write_export,
)
from simulator.export.metaculus import Scale
from simulator.testing import run_of, small_scenario

DATA = small_scenario({"samples": 64, "thresholds": {"near": {"effective_compute": 1e28}}})
SCALE = Scale(2025.0, 2040.0, open_lower=True, open_upper=True)


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(DATA)


@pytest.mark.parametrize(
    ("format_", "options", "message"),
    [
        ("jsn", ExportOptions(), "no format 'jsn'. Did you mean 'json'?"),
        ("word", ExportOptions(), "There are: csv, parquet, json, hub, metaculus, bibtex."),
        ("json", ExportOptions(variables=("spending",)), "--variable: has no meaning for --format json"),
        ("bibtex", ExportOptions(group="summary"), "it belongs to csv, parquet. Leave it out."),
        ("csv", ExportOptions(scale=SCALE), "--range: has no meaning for --format csv; it belongs to metaculus."),
        ("hub", ExportOptions(year=2030.0), "--year: has no meaning for --format hub"),
    ],
)
def test_a_format_refuses_what_has_no_meaning_for_it(format_: str, options: ExportOptions, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_export(format_, options)
    assert message in str(caught.value)


def test_every_format_takes_no_options_at_all() -> None:
    for format_ in FORMATS:
        check_export(format_, ExportOptions())


def test_every_table_of_a_run_goes_into_a_folder(run: xr.DataTree, tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        written = export_tables(run, kind, tmp_path / kind, ExportOptions())
        assert set(written) == set((tmp_path / kind).iterdir())
        names = {path.name for path in written if path.name.count(".") == 1}
        assert names == {f"{group}.{kind}" for group in ("parameters", "trajectories", "crossings", "summary")}


def test_variables_and_thresholds_choose_the_tables(run: xr.DataTree, tmp_path: Path) -> None:
    for options, wanted in (
        (ExportOptions(variables=("effective_compute",)), {"trajectories", "summary"}),
        (ExportOptions(variables=("crossing_year",)), {"crossings"}),
        (ExportOptions(thresholds=("near",)), {"crossings"}),
        (ExportOptions(group="crossings", thresholds=("near",)), {"crossings"}),
    ):
        folder = tmp_path / "-".join([*options.variables, *options.thresholds, options.group])
        output = folder / "crossings.parquet" if options.group else folder
        assert {path.stem for path in export_tables(run, "parquet", output, options)} == wanted


def test_tables_that_are_not_there_are_refused_before_anything_is_written(run: xr.DataTree, tmp_path: Path) -> None:
    for options, message in (
        (ExportOptions(variables=("efective_compute",)), "Did you mean 'effective_compute'?"),
        (ExportOptions(thresholds=("nearer",)), "Did you mean 'near'?"),
        (ExportOptions(group="trajectories", thresholds=("near",)), "--threshold: belongs to --group crossings"),
    ):
        with pytest.raises(InputError) as caught:
            export_tables(run, "csv", tmp_path / "out", options)
        assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="name a folder"):
        export_tables(run, "csv", file, ExportOptions())


def test_a_run_without_samples_gives_its_summary_alone(tmp_path: Path) -> None:
    bare = run_of(DATA, keep="summary")
    written = export_tables(bare, "csv", tmp_path / "out", ExportOptions())
    assert [path.name for path in written] == ["summary.csv", "summary.columns.csv"]
    with pytest.raises(InputError, match="--keep trajectories"):
        export_tables(bare, "csv", tmp_path / "t.csv", ExportOptions(group="parameters"))
    with pytest.raises(InputError, match="--keep trajectories"):
        export_tables(bare, "csv", tmp_path / "more", ExportOptions(thresholds=("near",)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ExportOptions(scale=SCALE), "a question asks for one thing"),
        (ExportOptions(scale=SCALE, thresholds=("near",), variables=("spending",)), "a question asks for one thing"),
        (ExportOptions(thresholds=("near",)), "give the question's bounds"),
        (ExportOptions(scale=SCALE, thresholds=("near",), year=2030.0), "--year: belongs to --variable"),
        (ExportOptions(scale=SCALE, variables=("effective_compute",)), "--year: say in which year"),
    ],
)
def test_a_question_needs_one_quantity_and_its_bounds(run: xr.DataTree, options: ExportOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        export_text(run, "metaculus", options)


def test_a_levels_question_is_answered_in_its_unit(run: xr.DataTree) -> None:
    scale = Scale(1e26, 1e36, True, True, 0.0)
    options = ExportOptions(variables=("effective_compute",), year=2030.0, scale=scale)
    text, note = export_text(run, "metaculus", options)
    cdf = json.loads(text)["continuous_cdf"]
    levels = run["trajectories/effective_compute"].sel(year=2030).values
    assert cdf[50] == pytest.approx((levels <= 28.5).mean(), abs=0.012)
    assert "from 64 samples" in note


def test_texts_are_written_whole(run: xr.DataTree, tmp_path: Path) -> None:
    for format_ in ("json", "hub", "bibtex"):
        text, _ = export_text(run, format_, ExportOptions())
        write_export(text, tmp_path / "deep" / format_)
        assert (tmp_path / "deep" / format_).read_text(encoding="utf-8") == text


@pytest.fixture(scope="module")
def small_run() -> xr.DataTree:
    return run_of(
        small_scenario(
            {
                "samples": 256,
                "notes": "Größe",
                "drivers.compute.caps.power": {"limit": {"value": 1e29, "unit": "FLOP"}},
                "thresholds": {"near": {"effective_compute": 1e28}, "far": {"effective_compute": 1e60}},
            }
        )
    )


@pytest.fixture(scope="module")
def document(small_run: xr.DataTree) -> dict[str, Any]:
    def refuse(token: str) -> float:
        raise AssertionError(f"{token} is no JSON")

    return json.loads(summary_json(small_run), parse_constant=refuse)


def test_the_text_is_strict_json_and_says_what_the_document_says(
    small_run: xr.DataTree, document: dict[str, Any]
) -> None:
    assert document == json.loads(json.dumps(summary_document(small_run), allow_nan=False))
    assert document["run"]["run_id"] == small_run.attrs["run_id"]
    assert document["scenario"]["notes"] == "Größe"


def test_quantiles_means_and_errors_are_those_of_the_summary(small_run: xr.DataTree, document: dict[str, Any]) -> None:
    summary = small_run["summary"].to_dataset()
    assert document["years"] == summary["year"].values.tolist()
    assert document["levels"] == summary["quantile"].values.tolist()
    said = document["variables"]["effective_compute"]
    assert (said["unit"], said["long_name"]) == ("log10(FLOP)", "effective compute")
    assert said["quantiles"] == summary["effective_compute"].transpose("quantile", "year").values.tolist()
    assert said["mean"] == summary["effective_compute_mean"].values.tolist()
    errors = np.array(said["standard_errors"], dtype=float)  # None becomes NaN
    np.testing.assert_array_equal(errors, summary["effective_compute_error"].transpose("quantile", "year").values)


def test_a_crossing_that_does_not_come_is_null_and_censored(document: dict[str, Any]) -> None:
    near, far = document["thresholds"]
    assert (near["threshold"], far["threshold"]) == ("near", "far")
    assert all(row["year"] is None and row["censored"] for row in far["crossing_year"])
    assert far["never_by_horizon"] == 1.0
    assert near["crossing_year"][0]["censored"] is False
    assert near["crossing_year"][0]["year"] > 2025
    assert len(near["crossed"]) == len(document["years"])


def test_a_limit_that_a_sample_does_not_have_is_null(small_run: xr.DataTree) -> None:
    summary = small_run["summary"].to_dataset()
    levels = summary["cap_physical_compute_power"]
    summary = summary.assign(cap_physical_compute_power=levels.where(levels["quantile"] < 0.9, np.inf))
    without = xr.DataTree.from_dict({"/": xr.Dataset(attrs=small_run.attrs), "summary": summary})
    said = json.loads(summary_json(without))["variables"]["cap_physical_compute_power"]["quantiles"]
    assert set(said[-1]) == {None}
    assert None not in said[0]


def test_binding_has_a_share_per_limit_and_year(small_run: xr.DataTree, document: dict[str, Any]) -> None:
    shares = document["binding"]["physical_compute"]["power"]
    assert shares == small_run["summary/binding_physical_compute_share"].values[0].tolist()
