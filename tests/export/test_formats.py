"""Exports by format: what each takes, what it refuses, where it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import xarray as xr

from simulator.cli.main import main
from simulator.errors import InputError
from simulator.export.formats import EXPORTERS, ExportOptions, check_export, export_as, export_run, format_help, takers
from simulator.export.metaculus import Scale
from simulator.runs.folder import write_run
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
    for format_ in EXPORTERS:
        check_export(format_, ExportOptions())


def test_every_table_of_a_run_goes_into_a_folder(run: xr.DataTree, tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        written = export_run(run, kind, tmp_path / kind).files
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
        assert {path.stem for path in export_as(run, "parquet", options, output).files} == wanted


def test_tables_that_are_not_there_are_refused_before_anything_is_written(run: xr.DataTree, tmp_path: Path) -> None:
    for options, message in (
        (ExportOptions(variables=("efective_compute",)), "Did you mean 'effective_compute'?"),
        (ExportOptions(thresholds=("nearer",)), "Did you mean 'near'?"),
        (ExportOptions(group="trajectories", thresholds=("near",)), "--threshold: belongs to --group crossings"),
    ):
        with pytest.raises(InputError) as caught:
            export_as(run, "csv", options, tmp_path / "out")
        assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="name a folder"):
        export_run(run, "csv", file)


def test_a_run_without_samples_gives_its_summary_alone(tmp_path: Path) -> None:
    bare = run_of(DATA, keep="summary")
    written = export_run(bare, "csv", tmp_path / "out").files
    assert [path.name for path in written] == ["summary.csv", "summary.columns.csv"]
    with pytest.raises(InputError, match="--keep trajectories"):
        export_run(bare, "csv", tmp_path / "t.csv", group="parameters")
    with pytest.raises(InputError, match="--keep trajectories"):
        export_run(bare, "csv", tmp_path / "more", thresholds=["near"])


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
        export_as(run, "metaculus", options, None)


def test_a_levels_question_is_answered_in_its_unit(run: xr.DataTree) -> None:
    scale = Scale(1e26, 1e36, True, True, 0.0)
    options = ExportOptions(variables=("effective_compute",), year=2030.0, scale=scale)
    done = export_as(run, "metaculus", options, None)
    cdf = json.loads(done.text)["continuous_cdf"]
    levels = run["trajectories/effective_compute"].sel(year=2030).values
    assert cdf[50] == pytest.approx((levels <= 28.5).mean(), abs=0.012)
    assert "from 64 samples" in done.note


def test_texts_are_written_whole(run: xr.DataTree, tmp_path: Path) -> None:
    for format_ in ("json", "hub", "bibtex"):
        done = export_run(run, format_, tmp_path / "deep" / format_)
        assert done.files == (tmp_path / "deep" / format_,)
        assert done.files[0].read_text(encoding="utf-8") == done.text == export_run(run, format_).text


def test_the_help_names_what_is_shipped() -> None:
    assert format_help() == (
        "csv, parquet: tables. json: the summary. hub: quantiles for forecast hubs. metaculus: the CDF of a question. "
        "bibtex: the sources."
    )
    assert takers("group") == "csv, parquet"


def test_tables_need_a_place(run: xr.DataTree) -> None:
    with pytest.raises(InputError, match="csv is written to files"):
        export_run(run, "csv")


OURS = """
from simulator.export.formats import Exporter

def ours(run, *, variables):
    return f"{run.attrs['name']}: {', '.join(variables)}\\n", "ours is short"

FORMAT = Exporter("one line", ".ours", text=ours, takes=("variables",))
"""


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that offers a format, and one that offers what is none."""
    info = tmp_path / "site" / "ours-1.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site" / "our_export.py").write_text(OURS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[simulator.exporters]\nours = our_export:FORMAT\nbroken = our_export:ours\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "our_export", raising=False)


@pytest.mark.usefixtures("ours")
def test_a_package_adds_a_format_in_one_file(
    run: xr.DataTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export_run(run, "ours", variables=["spending"]).text == "small: spending\n"
    folder = write_run(run, tmp_path)
    main(["export", str(folder), "--format", "ours", "--variable", "a", "--variable", "b"])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("small: a, b\n", "ours is short\n")
    main(["export", "--help"])
    assert "one line." in " ".join(capsys.readouterr().out.split())
    with pytest.raises(InputError, match="--year: has no meaning for --format ours; it belongs to metaculus"):
        check_export("ours", ExportOptions(year=2030.0))
    with pytest.raises(InputError, match=r"no format 'our'\. Did you mean 'ours'"):
        check_export("our", ExportOptions())
    with pytest.raises(InputError, match="--format broken"):
        check_export("broken", ExportOptions())
