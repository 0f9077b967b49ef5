"""The description of the run format is that of a run, and its examples run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import arviz as az
import numpy as np
import pytest
import xarray as xr

import simulator
from simulator import load_scenario, save_run, simulate
from simulator.runs.kinds import RUN_FORMAT, explain_lines
from simulator.runs.netcdf import CHECKSUMS
from simulator.testing import run_of, small_scenario
from simulator.variables import ACTORS, COORDINATES, PATTERNS, SUFFIXES, UNKNOWNS, VARIABLES, Variable
from tests.places import ROOT


@pytest.fixture(scope="module")
def both() -> tuple[xr.DataTree, xr.DataTree]:
    limit = "drivers.spending.caps.cash-flow.limit"
    over = {
        "drivers.spending.growth[0].rate.centre": [2.0, 2.4, 3.0],
        "money": {"poor": {limit: {"value": 1e10, "unit": "USD"}}, "rich": {limit: {"value": 1e12, "unit": "USD"}}},
    }
    small = ["samples=1024"]
    return simulate(load_scenario("baseline", overrides=small)), simulator.sweep("baseline", over=over, overrides=small)


@pytest.fixture(scope="module")
def run(both: tuple[xr.DataTree, xr.DataTree]) -> xr.DataTree:
    return both[0]


@pytest.fixture(scope="module")
def sweep(both: tuple[xr.DataTree, xr.DataTree]) -> xr.DataTree:
    return both[1]


@pytest.fixture(scope="module")
def path(run: xr.DataTree, sweep: xr.DataTree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("run") / "run.nc"
    save_run(run, file)
    save_run(sweep, file.with_name("sweep.nc"))
    return file


PAGES = tuple(ROOT / "docs" / f"{name}.md" for name in ("run-format", "run-variables"))
IN_SWEEP_EXAMPLE = ("effective_compute", "binding_spending_share", "crossed", "crossing_quantile", "never", "run_id")
"""The variables of a sweep that the example shows; the others are those of a run."""


def coded(names: Iterable[object]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def variable_rows(items: Iterable[Variable]) -> list[list[str]]:
    rows = []
    for item in items:
        varying = [f"`{word}`" for word in re.findall(r"<\w+>", item.name)]
        long_name = item.long_name.format(*varying)
        rows.append([f"`{item.name}`", coded(item.dims), item.unit or "the scenario's", long_name, item.description])
    return rows


def made(run: xr.DataTree, sweep: xr.DataTree) -> dict[str, str]:
    """Make what the page is not written by hand for: tables by the text before them, and the two examples."""
    coordinates = [[f"`{it.name}`", coded(it.dims), it.unit or "text", it.description] for it in COORDINATES.values()]
    unknowns = [[f"`{name}`", unit, said] for name, (unit, said) in UNKNOWNS.items()]
    tables = {
        "Coordinates:": coordinates,
        "which has beside it:": variable_rows(ACTORS.values()),
        "in `/summary`.": variable_rows(VARIABLES.values()),
        "called after its place (`quantity_flop_per_joule_product_1`):": variable_rows([*PATTERNS, *SUFFIXES]),
        "as seen in `/observed_data`:": unknowns,
    }
    result = {before: "".join(f"| {' | '.join(row)} |\n" for row in rows) for before, rows in tables.items()}
    result["## The example's variables"] = "".join(f"{line}\n" for line in explain_lines(run))
    axes = []
    for name in sweep["/points"].sizes:
        values = sweep["/points"].coords[str(name)]
        axes.append(f"{name}: {', '.join(map(str, values.values.tolist()))}  {values.attrs.get('units', 'text')}")
    few = [line for line in explain_lines(sweep) if not line.startswith(" ") or line.split()[0] in IN_SWEEP_EXAMPLE]
    result["over a number and a choice:"] = "".join(f"{line}\n" for line in (*axes, *few))
    return result


def whole() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def page_with(page: str, parts: Mapping[str, str]) -> str:
    """Put what is made into its places on the page: below the head of a table, and between the fences of a text."""
    for before, part in parts.items():
        place = rf"({re.escape(before)}\n\n(?:\| .*\n\| ---.*\n|```text\n))(?:.+\n)+?(?=```|\n|$)"
        page, count = re.subn(place, lambda found, part=part: found[1] + part, page)
        assert count == page.count(f"{before}\n\n") <= 1, before
    return page


def table_after(heading: str) -> list[list[str]]:
    """Read the rows of the first table below a text of the page."""
    below = whole().partition(f"\n{heading}\n")[2]
    rows = re.findall(r"^\| (.*) \|$", re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)[0], re.MULTILINE)  # type: ignore[index]
    return [row.split(" | ") for row in rows[2:]]


def named_in(heading: str) -> list[str]:
    return [row[0].strip("`") for row in table_after(heading)]


def test_the_document_is_what_the_table_a_run_and_a_sweep_say(
    run: xr.DataTree, sweep: xr.DataTree, request: pytest.FixtureRequest
) -> None:
    parts = made(run, sweep)
    assert all(whole().count(f"{before}\n\n") == 1 for before in parts)
    for page in PAGES:
        anew = page_with(page.read_text(encoding="utf-8"), parts)
        if request.config.getoption("--renew-golden"):
            page.write_text(anew, encoding="utf-8")
        assert page.read_text(encoding="utf-8") == anew, "write it anew with --renew-golden"
    written = whole()
    assert f"run format {RUN_FORMAT}." in written
    assert f"sweep format {sweep.attrs['sweep_format']}:" in written


def test_every_group_is_described_with_its_dimensions_and_coordinates(run: xr.DataTree, sweep: xr.DataTree) -> None:
    for path, dims, coords, _ in table_after("## Groups"):
        name = path.strip("`")
        if name not in ("/posterior", "/events", "/actors", "/actors_summary"):
            node = run["/summary" if name.startswith("/components") else name]
            assert (dims, coords) == (coded(node.sizes), coded(node.coords)), name
    assert set(named_in("## Groups")) >= {node.path for node in run.subtree if node.data_vars}
    for path, dims, _ in table_after("## Sweeps"):
        if not path.startswith("`/components"):
            assert dims == coded(sweep[path.strip("`")].sizes)


def test_every_attribute_of_the_file_is_described(run: xr.DataTree) -> None:
    assert [*run.attrs, CHECKSUMS] == named_in("## Attributes of the file")


def test_every_attribute_group_and_axis_of_a_sweep_is_described(run: xr.DataTree, sweep: xr.DataTree) -> None:
    own = named_in("Attributes of the file, beside those of a run:")
    assert set(sweep.attrs) == (set(run.attrs) - {"run_format"}) | set(own)
    text = whole().partition("## Sweeps")[2]
    for node in sweep.subtree:
        assert not node.data_vars or f"`{node.path}`" in text
    axes = json.loads(sweep.attrs["sweep"])
    assert [set(axis) for axis in axes] == [{"name", "label", "unit", "numbers", "points"}] * 2
    assert all(set(point) == {"label", "set"} for axis in axes for point in axis["points"])
    for axis in axes:
        assert f"{axis['name']}: " in text
        for name, values in sweep["summary"].data_vars.items():
            assert axis["name"] in values.dims, name


def test_a_sweep_has_the_variables_of_a_run_over_its_axes_first(run: xr.DataTree, sweep: xr.DataTree) -> None:
    axes = tuple(axis["name"] for axis in json.loads(sweep.attrs["sweep"]))
    assert set(sweep["summary"].data_vars) == set(run["summary"].data_vars)
    for name, values in run["summary"].data_vars.items():
        assert sweep["summary"][name].dims == (*axes, *values.dims), name


def test_every_coordinate_and_variable_is_in_a_table_with_its_dimensions(run: xr.DataTree) -> None:
    for node in run.subtree:
        for name, values in node.coords.items():
            known = COORDINATES["limit_<subject>" if str(name).startswith("limit_") else str(name)]
            assert values.ndim == len(known.dims)
            assert values.attrs.get("units", "") in ("", known.unit)
        for name, values in node.data_vars.items():
            if node.path == "/parameters":
                continue
            base = re.sub("_(mean|error)$", "", str(name))
            patterns = [pattern for pattern in PATTERNS if pattern.match(base)]
            assert base in VARIABLES or patterns, name
            own = VARIABLES[base].dims if base in VARIABLES else patterns[0].dims
            if node.path != "/summary" or "sample" not in own:
                assert values.ndim == len(own), name


def test_the_python_examples_of_the_document_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    text = whole()
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    examples = [each for each in found if "learned.nc" not in each]  # which is run with a run that has learnt
    assert len(examples) == len(found) - 1 == 3
    for example in examples:
        exec(compile(example, "run-format.md", "exec"), {})


def test_xarray_reads_the_samples_only_when_they_are_asked_for(path: Path) -> None:
    with xr.open_datatree(path, engine="netcdf4") as opened:
        level = opened["trajectories/effective_compute"]
        assert not level.variable._in_memory
        one = level.sel(year=2035).values
        assert one.shape == (1024,)
        assert not level.variable._in_memory


def test_arviz_opens_a_run_and_takes_its_samples_as_draws(run: xr.DataTree, path: Path) -> None:
    with az.from_netcdf(path) as opened:
        assert isinstance(opened, xr.DataTree)
        parameters = opened["parameters"].to_dataset()
        names = ["drivers.spending.start", "drivers.spending.growth[0].rate"]
        told = az.summary(parameters[names], sample_dims="sample", kind="stats", round_to="none")
        size = az.ess(parameters[names], sample_dims="sample")
        for name in names:
            assert told.loc[name, "mean"] == pytest.approx(float(run["parameters"][name].mean()))
            assert np.isfinite(float(size[name]))


def test_lines_say_every_variable_with_dims_unit_and_long_name(run: xr.DataTree) -> None:
    lines = explain_lines(run)
    for node in run.subtree:
        for name, values in node.data_vars.items():
            found = [line for line in lines if line.split()[:1] == [str(name)]]
            assert any(str(values.attrs["units"]) in line for line in found)
    assert any(
        re.fullmatch(r"  effective_compute +\(sample, year\)  log10\(FLOP\)  effective compute", line) for line in lines
    )
    assert any("median 750 (90 % 320 to 2500) million USD" in line for line in lines)


def test_a_run_without_samples_has_the_summarys_lines_alone() -> None:
    lines = explain_lines(run_of(small_scenario({"samples": 64}), keep="summary"))
    assert [line for line in lines if not line.startswith(" ")] == ["summary  (quantile 25, year 11)"]
