"""Tables of a run: every value comes back from CSV and Parquet as it was."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

from simulator import open_run, save_run
from simulator.errors import InputError, SimulatorError
from simulator.export import tables as export_tables
from simulator.export.tables import chosen_names, run_table, write_csv, write_parquet
from simulator.testing import run_of, small_scenario

DATA = small_scenario({
    "samples": 300,
    "drivers.compute.caps.power-law": {"limit": {"family": "lognormal", "median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"}},
    "thresholds": {"near": {"effective_compute": 1e28}, "far-off": {"effective_compute": 1e60}},
})  # fmt: skip


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    return run_of(DATA)


def read_csv(path: Path) -> dict[str, list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        head, *rows = csv.reader(stream)
    return {name: [row[place] for row in rows] for place, name in enumerate(head)}


@pytest.mark.parametrize("group", ["parameters", "trajectories", "crossings", "summary"])
def test_every_value_comes_back_exactly_from_csv_and_from_parquet(run: xr.DataTree, group: str, tmp_path: Path) -> None:
    table = run_table(run, group)
    written = read_csv(write_csv(table, tmp_path / "t.csv")[0])
    stored = pq.read_table(*write_parquet(table, tmp_path / "t.parquet"))
    assert list(written) == stored.column_names == table.columns["column"].tolist()
    blocks = list(table.blocks())
    for name in table.columns["column"]:
        values = np.concatenate([block[name] for block in blocks])
        np.testing.assert_array_equal(np.array(written[name]).astype(values.dtype), values)
        np.testing.assert_array_equal(stored[name].to_numpy(), values)
        assert stored[name].to_numpy().dtype == values.dtype


def test_rows_are_the_samples_of_the_run(run: xr.DataTree) -> None:
    (block,) = run_table(run, "trajectories", variables=["effective_compute"]).blocks()
    sample, year, level = (block[name] for name in ("sample", "year", "effective_compute"))
    frame = run["trajectories/effective_compute"]
    for row in (0, 5, 1234):
        assert level[row] == frame.sel(sample=sample[row], year=year[row])
    (parameters,) = run_table(run, "parameters").blocks()
    assert len(parameters) == 300


def test_crossings_have_a_column_per_threshold_and_keep_infinity(run: xr.DataTree, tmp_path: Path) -> None:
    table = run_table(run, "crossings", thresholds=["far-off"], variables=["crossing_year"])
    assert table.columns["column"].tolist() == ["sample", "crossing_year.far-off"]
    assert set(read_csv(write_csv(table, tmp_path / "t.csv")[0])["crossing_year.far-off"]) == {"inf"}


def test_blocks_of_any_size_give_the_same_rows(run: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    for group in ("parameters", "trajectories", "crossings"):
        whole = list(run_table(run, group).blocks())
        with monkeypatch.context() as patch:
            patch.setattr(export_tables, "_CELLS", 1000)
            small = list(run_table(run, group).blocks())
        assert len(whole) == 1
        assert len(small) > 1
        for name in whole[0].names:
            np.testing.assert_array_equal(np.concatenate([block[name] for block in small]), whole[0][name])


def test_a_run_on_the_disk_stays_there_while_it_is_written(run: xr.DataTree, tmp_path: Path) -> None:
    save_run(run, tmp_path / "run.nc")
    with open_run(tmp_path / "run.nc") as opened:
        for group in ("parameters", "trajectories", "crossings"):
            write_csv(run_table(opened, group), tmp_path / f"{group}.csv")
        kept = [
            name
            for group in ("parameters", "trajectories", "crossings")
            for name, values in opened[group].data_vars.items()
            if values.variable._in_memory
        ]
        assert kept == []


def test_columns_carry_unit_long_name_and_the_meaning_of_flags(run: xr.DataTree, tmp_path: Path) -> None:
    table = run_table(run, "trajectories")
    path, names = write_csv(table, tmp_path / "t.csv")
    assert names == path.with_name("t.columns.csv")
    said = read_csv(names)
    place = said["column"].index("binding_physical_compute")
    assert said["unit"][said["column"].index("effective_compute")] == "log10(FLOP)"
    assert "0 none, 1 power-law" in said["description"][place]
    schema = pq.read_schema(*write_parquet(table, tmp_path / "t.parquet"))
    assert schema.field("effective_compute").metadata[b"unit"] == b"log10(FLOP)"
    assert schema.field("effective_compute").metadata[b"long_name"] == b"effective compute"
    assert json.loads(schema.metadata[b"effective-compute-simulator"])["run_id"] == run.attrs["run_id"]


def test_a_priors_source_text_is_said_of_its_parameter(run: xr.DataTree) -> None:
    columns = run_table(run, "parameters").columns
    described = dict(zip(columns["column"], columns["description"], strict=True))
    assert "lognormal, median 1e+26" in described["drivers.compute.start"]


@pytest.mark.parametrize(
    ("group", "variables", "thresholds", "message"),
    [
        ("paramters", [], [], "Did you mean 'parameters'?"),
        ("trajectories", ["efective_compute"], [], "Did you mean 'effective_compute'?"),
        ("parameters", ["drivers.compute.begin"], [], "no variable 'drivers.compute.begin'"),
        ("summary", ["effective_computes"], [], "Did you mean 'effective_compute'?"),
        ("crossings", [], ["nearer"], "Did you mean 'near'?"),
    ],
)
def test_what_is_not_there_is_named_with_the_near_name(
    run: xr.DataTree, group: str, variables: list[str], thresholds: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        run_table(run, group, variables=variables, thresholds=thresholds)


def test_a_run_without_samples_or_thresholds_says_so() -> None:
    with pytest.raises(InputError, match="kept its summary only and has no trajectories"):
        run_table(run_of(DATA, keep="summary"), "trajectories")
    with pytest.raises(InputError, match="declares no thresholds"):
        run_table(run_of(small_scenario({"samples": 64})), "crossings")


def test_without_pyarrow_the_message_names_the_extra(
    run: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SimulatorError, match=r"pip install 'effective-compute-simulator\[parquet\]'"):
        write_parquet(run_table(run, "parameters"), tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_half_way_leaves_the_old_one(run: xr.DataTree, tmp_path: Path) -> None:
    table = run_table(run, "parameters")

    def broken() -> object:
        yield from table.blocks()
        raise OSError("no space left")

    path = tmp_path / "t.csv"
    path.write_text("old")
    failing = export_tables.RunTable(table.name, table.columns, broken, table.about)
    with pytest.raises(SimulatorError, match="cannot be written"):
        write_csv(failing, path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_a_name_is_refused_where_there_is_none_to_choose() -> None:
    with pytest.raises(InputError, match=r"the run has no threshold 'agi'\. There are none\.$"):
        chosen_names(["agi"], [], "the run has no threshold")
