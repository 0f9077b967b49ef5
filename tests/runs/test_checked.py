"""Every stored result is what the table says; what another program wrote over is refused, and no command ends in a traceback."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from simulator import (
    Scenario,
    attribute_difference,
    condition,
    find_boxes,
    forecast_moves,
    freeze_forecast,
    open_frozen,
    open_result,
    open_run,
    parse_scenario,
    prior_influence,
    prior_swings,
    save_run,
    score_run,
    signposts,
    simulate,
    sweep,
    variance_shares,
)
from simulator.cli.main import main
from simulator.engine.run_folders import How, run_to_folder
from simulator.errors import RunFileError, SimulatorError
from simulator.files import short_hash
from simulator.history.fit import SamplerSettings, read_fit
from simulator.runs.checked import faults
from simulator.runs.contents import CONTENTS, FIT_GROUPS, Part, entry_of
from simulator.runs.entries import Entry
from simulator.runs.groups import Group, Labelled, of_tree
from simulator.runs.kinds import KINDS, kind_named
from simulator.runs.result import Result
from simulator.testing import scenario_text, small_scenario
from tests.damage import damages, read_groups, write_groups

KEPT = [  # a nowcast is kept as its like are
    pytest.param(name, marks=[pytest.mark.slow] * (name == "score"))
    for name in CONTENTS
    if name not in ("frozen", "fit", "nowcast")
]


def scenario(**more: Any) -> Scenario:
    changes = {
        "years": {"first": 2025, "last": 2030},
        "samples": 800,
        "drivers.compute.caps.cap.limit": {"median": 1e29, "interval_90": [1e28, 1e30], "unit": "FLOP"},
        "thresholds": {"near": {"effective_compute": 1e27}, "far": {"effective_compute": 1e60}},
        **more,
    }
    return parse_scenario(scenario_text(small_scenario(changes)))


def made(kind: str, folder: Path) -> Result:
    """Make a small result of a kind; a kind without a line here fails."""
    one, other = scenario(), scenario(**{"drivers.compute.growth.mean": 0.6})
    outcome = "effective_compute@2030"

    def moved() -> Result:
        for each, dated in ((one, "2024-01"), (other, "2025-01")):
            freeze_forecast(simulate(each), folder / "series", dated=dated)
        return forecast_moves(folder / "series", "small", reasons=False)

    def boxes() -> Result:
        over = ["drivers.compute.growth.mean=0.3:0.9", "drivers.compute.caps.cap.limit.centre=1e28:1e30:log"]
        spread = sweep(one, over=over, design="lhs:60", overrides=["samples=16"])
        level = spread["summary/effective_compute"].sel(quantile=0.5, year=2030).values
        return find_boxes(spread, outcome, above=float(10 ** np.quantile(level, 0.6)))

    make: dict[str, Callable[[], Result]] = {
        "run": lambda: simulate(one),
        "sweep": lambda: sweep(one, over={"drivers.compute.growth.mean": [0.4, 0.5]}),
        "shares": lambda: variance_shares(one, [outcome, "effective_compute@2029"], samples=64),
        "swings": lambda: prior_swings(one, samples=64),
        "influence": lambda: prior_influence(simulate(one)),
        "moved": moved,
        "attribution": lambda: attribute_difference(one, other, samples=64),
        "condition": lambda: condition(simulate(one), ["physical_compute@2027 >= 1e27"]),
        "signposts": lambda: signposts(simulate(one), outcome),
        "boxes": boxes,
        "score": lambda: score_run(simulate(scenario(**{"years.first": 2023, "samples": 64})), after="2024"),
    }
    return make[kind]()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write a result of each kind once, and give its file."""
    files: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in files:
            folder, kind = tmp_path_factory.mktemp(name), kind_named(name)
            assert kind is not None
            made(name, folder).write_into(folder)
            files[name] = folder / kind.file
        return files[name]

    return of


def told(root: Group, kind: str) -> list[str]:
    """Say what the reader finds wrong with groups."""
    return [f"{where}: {rule}" for where, rule in faults(root, kind)]


def places(root: Group, kind: str) -> Iterator[tuple[str, Group, Part]]:
    """Give the groups of which the table says something."""
    for path, group in root.walk():
        fitting = (part for part in CONTENTS[kind].parts if Entry(part.path).fits(path))
        if (part := next(fitting, None)) is not None:
            yield path, group, part


def test_the_table_has_every_kind_that_is_kept_as_arrays() -> None:
    assert {kind.name for kind in KINDS if kind.attribute} == {*CONTENTS} - {"frozen", "fit"}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_written_is_what_the_table_says(kind: str, stored: Callable[[str], Path]) -> None:
    with open_result(stored(kind)) as result:
        assert result.kind == kind
    assert told(read_groups(stored(kind)), kind) == []


@pytest.mark.parametrize("kind", KEPT)
def test_what_must_be_there_is_missed_by_its_name(kind: str, stored: Callable[[str], Path]) -> None:
    root = read_groups(stored(kind))
    missed = Counter[str]()
    for what, changed in damages(root, values=False):
        place, _, rest = what.partition(" ")
        name, _, done = rest.rpartition(" ")
        if done != "deleted":
            continue
        found, is_attribute = told(changed, kind), name.startswith("attribute ")
        name = name.removeprefix("attribute ")
        entries = [*CONTENTS[kind].attributes] if place == "/" and is_attribute else []
        for path, group, part in places(root, kind):
            if path == place:
                held = [each for each in (*part.variables, *part.coords) if each.name in group.variables]
                entries += part.attributes if is_attribute else held
        if any(entry.name == name and not entry.optional for entry in entries):
            assert found, what
            assert name in found[0], (what, found[0])
            missed[place] += 1
    assert missed.total() >= 3


def test_what_a_run_says_of_events_and_actors_is_there_as_a_whole() -> None:
    rival = {"drivers": {"compute": {"start": {"times": 0.5}}}}
    event = {"probability": "40 %", "from": 2027, "for": "2 years"}
    run = simulate(scenario(events={"shock": event}, actors={"leader": {}, "rival": rival}, samples=64))
    root, missed = of_tree(run), Counter[str]()
    assert told(root, "run") == []
    for what, changed in damages(root, values=False):
        place, *named = what.split(" ")
        if (
            place not in ("/summary", "/actors_summary", "/actors", "/events")
            or named[1:] != ["deleted"]
            or named[0] == "falling"
        ):
            continue
        if place != "/summary" or "event" in named[0]:
            assert told(changed, "run"), what
            missed[place] += 1
    assert missed["/summary"] == 6  # of the event, and its own coordinate
    assert missed["/actors_summary"] > 10
    assert min(missed["/actors"], missed["/events"]) > 2


@pytest.mark.parametrize("kind", KEPT)
def test_what_no_array_may_hold_is_refused(kind: str, stored: Callable[[str], Path]) -> None:
    root = read_groups(stored(kind))
    refused = 0
    for path, group, part in places(root, kind):
        for name, variable in () if part.lazy else group.variables.items():
            known, front = (part.coords, 0) if name in group.coords else (part.variables, int(part.front))
            dims, values = tuple(map(str, variable.dims)), np.asarray(variable.values)
            entry = entry_of(known, name, dims[front:])
            if entry is None or entry.type == "any" or not values.size:
                continue
            wrong: list[Any] = [np.full(values.shape, "x") if values.dtype.kind in "fiub" else np.zeros(values.shape)]
            for number in (
                (np.nan, -np.inf, np.inf, entry.low - 1, entry.high + 1) if values.dtype.kind in "fiu" else ()
            ):
                is_allowed = (entry.missing and np.isnan(number)) or (entry.never and number == np.inf)
                if not is_allowed and not entry.low <= number <= entry.high:
                    wrong.append(np.full(values.shape, number))
            for held in wrong:
                found = told(put(root, path, name, Labelled(dims, held, dict(variable.attrs))), kind)
                assert any(name in each for each in found), (path, name, held.ravel()[:1], found)
                refused += 1
    assert refused >= 2 * (kind != "score")  # of which no chart is drawn


def put(root: Group, path: str, name: str, variable: Labelled) -> Group:
    """Put another array in the place of one."""
    if path.strip("/"):
        first, _, rest = path.strip("/").partition("/")
        return replace(root, children={**root.children, first: put(root.children[first], f"/{rest}", name, variable)})
    key = "coords" if name in root.coords else "data_vars"
    return replace(root, **{key: {**getattr(root, key), name: variable}})


@pytest.mark.parametrize("kind", KEPT)
def test_no_change_by_another_program_ends_in_a_traceback(
    kind: str, stored: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every change is held against the table, and each of a few is opened and shown."""
    root, ends = read_groups(stored(kind)), Counter[str]()
    every = sum(1 for _ in damages(root)) // 60 + 1
    for number, (what, changed) in enumerate(islice(damages(root), 0, None, every)):
        try:
            tree = changed.to_xarray()
        except ValueError:  # no arrays of one group
            continue
        found = faults(of_tree(tree), kind)
        ends["refused" if found else "taken"] += 1
        if number % 5 == 0:
            write_groups(changed, file := tmp_path / f"{number}.nc")
            code = 0
            try:
                main(["show", str(file), "--json"])
            except SystemExit as ending:
                code = int(str(ending.code))
            out, err = capsys.readouterr()
            assert (code, len(out.splitlines())) in ((0, 1), (2, 0)), what
            assert not found or str(file) in err, what
    assert min(ends["refused"], ends["taken"]) > 0


@pytest.mark.parametrize(
    ("place", "name", "command"),
    [
        ("/trajectories", "effective_compute", "condition FILE --given 'effective_compute@2027 >= 1e27' --no-charts"),
        ("/trajectories", "effective_compute", "signposts FILE --outcome effective_compute@2030 --no-charts"),
        ("/trajectories", "effective_compute", "influence FILE --no-charts"),
        ("/trajectories", "effective_compute", "reweight FILE --set drivers.compute.growth.mean=0.52"),
        ("/parameters", "drivers.compute.growth", "reweight FILE --set drivers.compute.growth.mean=0.52"),
        ("/parameters", "drivers.compute.growth", "influence FILE --no-charts"),
        ("/crossings", "crossing_year", "influence FILE --no-charts --outcome crossing:near"),
        ("/trajectories", "effective_compute", "compare FILE other.yaml --no-charts"),
        ("/trajectories", "physical_compute", "export FILE --format csv"),
        ("/crossings", "crossing_year", "condition FILE --given 'crossing:near by 2028' --no-charts"),
    ],
)
def test_a_sample_that_is_no_number_is_refused_by_what_uses_it(
    place: str,
    name: str,
    command: str,
    stored: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.yaml").write_text(scenario(**{"drivers.compute.growth.mean": 0.6}).text(), encoding="utf-8")
    root = read_groups(stored("run"))
    variable = root.children[place.strip("/")][name]
    held = np.array(variable.values)
    np.moveaxis(held, variable.dims.index("sample"), 0)[400] = np.nan
    changed = put(root, place, name, Labelled(tuple(map(str, variable.dims)), held, dict(variable.attrs)))
    write_groups(changed, file := tmp_path / "run.nc")
    with (
        open_run(file) as opened,
        pytest.raises(RunFileError, match=rf"{place[1:]}/{name}: must hold numbers; holds NaN"),
    ):
        _ = opened[f"{place}/{name}"].values
    words = [str(file) if word == "FILE" else word for word in shlex.split(command)]
    with pytest.raises(SystemExit) as ending:
        main([*words, "--output", str(tmp_path / "out")])
    assert ending.value.code == 2
    assert f"{file}: {place[1:]}/{name}: must hold numbers; holds NaN. It was changed" in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_part_of_a_run_with_the_attributes_of_the_whole_is_refused(
    stored: Callable[[str], Path], tmp_path: Path
) -> None:
    """As `ncks -d sample,0,99` and xarray's `isel` leave it."""
    with open_run(stored("run")) as run:
        for name, part, where in (
            ("samples", {"sample": slice(0, 100)}, "parameters: holds 100 samples, and attribute samples says 800"),
            ("years", {"year": slice(0, 3)}, "attribute last_year: says 2030.0, and summary/year 2027"),
            ("turned", {"year": slice(None, None, -1)}, "summary/year: must rise"),
        ):
            file = tmp_path / f"{name}.nc"
            run.isel(part, missing_dims="ignore").to_netcdf(file)
            with pytest.raises(RunFileError, match=where):
                open_run(file)


@pytest.mark.parametrize("store", ["netcdf", "zarr"])
def test_a_run_may_hold_names_that_look_like_those_of_shares_and_errors(
    store: Literal["netcdf", "zarr"], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if store == "zarr":
        pytest.importorskip("zarr")
    power = {"label": "power", "start": {"median": 1e9, "interval_90": [5e8, 2e9], "unit": "W"}}
    names = {f"quantities.{name}": power for name in ("x", "x-share", "share", "errors", "mean-of-x", "crossed")}
    one = scenario(**names, samples=64, thresholds={"already": {"quantity": "x-share", "level": "1e9 W"}})
    folder = run_to_folder(one, tmp_path, how=How(store=store))[1]
    with open_run(folder) as run:
        assert {f"quantity_{name.removeprefix('quantities.').replace('-', '_')}" for name in names} <= {
            *run["summary"].data_vars
        }
    main(["show", str(folder), "--json"])
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "table", "column"),
    [
        ("condition", "levels", "state"),
        ("condition", "crossings", "state"),
        ("influence", "influence", "input"),
        ("moved", "headlines", "dated"),
        ("signposts", "signposts", "year"),
    ],
)
def test_a_table_without_a_row_for_each_place_is_refused(
    kind: str, table: str, column: str, stored: Callable[[str], Path]
) -> None:
    root, path = read_groups(stored(kind)), f"/tables/{table}"
    cells = np.asarray(root.children["tables"].children[table][column].values)
    changed = put(root, path, column, Labelled(("row",), np.full(cells.shape, cells[0])))
    assert re.search(rf"^tables/{table}: must have {cells.size} rows, one for each \w+ and ", told(changed, kind)[0])


def test_a_metric_in_its_own_unit_may_be_of_any_size(tmp_path: Path) -> None:
    metric = {"name": "loss", "kind": "power-law-loss", "irreducible": 1.7, "scale": 3e250, "exponent": 0.2}
    save_run(simulate(scenario(capability=metric, samples=64)), tmp_path / "run.nc")
    with open_run(tmp_path / "run.nc") as run:
        assert 1e200 < run["trajectories/capability"].values.max() < 1e300


def test_a_metric_beyond_any_number_is_told_so(tmp_path: Path) -> None:
    metric = {"name": "index", "kind": "gain-per-factor", "gain": 9, "per": 1.01}
    save_run(simulate(scenario(capability=metric, samples=64)), tmp_path / "run.nc")
    with open_result(tmp_path / "run.nc") as result:
        said = "\n".join(result.lines())
    assert "index beyond any number" in said
    assert not re.search(r"\b(inf|nan)\b", said)


@pytest.mark.parametrize("gone", ["log_likelihood", "log_prior", "posterior_predictive"])
def test_an_older_run_without_a_group_of_its_fit_opens_and_one_without_draws_does_not(
    gone: str, stored: Callable[[str], Path], tmp_path: Path
) -> None:
    draws = Labelled(("chain", "draw"), np.full((2, 3), 0.4))
    places = {name: Labelled((name,), np.arange(size)) for name, size in (("chain", 2), ("draw", 3))}
    fit = {name: Group({"growth": draws}, places) for name in FIT_GROUPS if name != gone}
    fit["posterior"] = replace(fit["posterior"], attrs={"fit": "0", "snapshot": "2024", "runs": 30, "first_year": 2010})
    fit["sample_stats"] = Group({"diverging": Labelled(("chain", "draw"), np.zeros((2, 3), np.int8))}, places)
    root = read_groups(stored("run"))
    write_groups(replace(root, children={**root.children, **fit}), file := tmp_path / "run.nc")
    open_run(file).close()
    del fit["posterior"]
    write_groups(replace(root, children={**root.children, **fit}), file)
    with pytest.raises(RunFileError, match="posterior: is missing beside the other groups of a fit of history"):
        open_run(file)


def test_older_swings_whose_inputs_have_no_value_open(stored: Callable[[str], Path], tmp_path: Path) -> None:
    root = read_groups(stored("swings"))
    values = np.full(np.shape(root["value"].values), np.nan)
    changed = put(root, "/", "value", Labelled(("input", "quantile"), values, dict(root["value"].attrs)))
    write_groups(changed, file := tmp_path / "swings.nc")
    with open_result(file) as result:
        assert "nan" not in "\n".join(result.lines()).lower()


@pytest.mark.parametrize("done", ["overwritten", "cut short"])
def test_a_stored_fit_that_is_damaged_is_told_by_a_line(
    done: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What reads it then makes it anew, as it does where there is none."""
    wrong = Labelled(("chain", "draw"), np.full((2, 3), np.nan))
    places = {name: Labelled((name,), np.arange(size)) for name, size in (("chain", 2), ("draw", 3))}
    write_groups(
        Group(children={name: Group({"growth": wrong}, places) for name in FIT_GROUPS}), file := tmp_path / "fit.nc"
    )
    if done == "cut short":
        file.write_bytes(file.read_bytes()[:2000])
    assert read_fit(file, SamplerSettings(chains=2, draws=3)) is None
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"warning: {file}: ")
    assert said.endswith(" The fit is made anew.\n")


@pytest.mark.parametrize("section", ["years", "thresholds", "history"])
def test_a_stored_scenario_of_another_form_is_refused(
    section: str, stored: Callable[[str], Path], tmp_path: Path
) -> None:
    root = read_groups(stored("run"))
    said = json.dumps(json.loads(root.attrs["scenario"]) | {section: 5})
    write_groups(replace(root, attrs=root.attrs | {"scenario": said}), file := tmp_path / "run.nc")
    with pytest.raises(RunFileError, match="attribute scenario: is JSON of another form than is written there"):
        open_run(file)


def test_a_frozen_forecast_with_another_digest_is_held_against_the_table(tmp_path: Path) -> None:
    path = freeze_forecast(simulate(scenario()), tmp_path, dated="2024-01")
    head, _, text = path.read_text(encoding="utf-8").partition("digest: ")
    text = text.partition("\n")[2]
    for old, new, rule in (
        ("never: 1.0", "never: -1.0", "summary/never: must lie between 0 and 1; got -1"),
        ("samples: 800", "samples: many", "attribute samples: must be a whole number; got 'many'"),
        ("levels:", "lines:", "is not what 'simulate history freeze' writes"),
    ):
        changed = text.replace(old, new)
        assert changed != text
        path.write_text(f"{head}digest: '{short_hash(changed)}'\n{changed}", encoding="utf-8")
        with pytest.raises(SimulatorError, match=re.escape(rule)):
            open_frozen(path)


@pytest.mark.parametrize("value", [np.inf, 1e300])
@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [("swings", (), "base"), ("swings", (), "moved"), ("condition", ("tables", "headlines"), "after"),
     *(("attribution", ("tables", "attribution"), name) for name in ("before", "part"))],
)  # fmt: skip
def test_a_level_beyond_all_levels_is_refused_by_its_unit_and_a_year_that_never_comes_is_not(
    kind: str, path: tuple[str, ...], name: str, value: float, stored: Callable[[str], Path]
) -> None:
    def with_value(of_level: bool) -> list[str]:
        root = read_groups(stored(kind))
        group = root
        for step in path:
            group = group.children[step]
        units = group["unit"].values.tolist()
        rows = [place for place, unit in enumerate(units) if (unit == "OOM" or "log10" in unit) == of_level]
        group[name].values[rows] = value if of_level else np.inf
        return told(root, kind)

    where = "/".join((*path, name))
    rule = "must lie between -1e+09 and 1e+09"
    assert with_value(True) == [f"{where}: {rule}; got {value:g}, where unit is log10 of one, or OOM"]
    assert with_value(False) == []
