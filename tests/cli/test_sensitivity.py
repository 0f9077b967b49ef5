"""The commands that read a run's samples: influence, reweight, and compare --attribute."""

import csv

import pytest

from simulator import load_scenario, save_run, simulate
from simulator.analysis.shares import open_shares
from simulator.cli.main import main
from simulator.cli.options import folder_for
from tests.analysis.linear_scenario import CORRELATIONS, LINEAR


# The folder is written once; each test writes its own output elsewhere.
@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    save_run(simulate(load_scenario("baseline", overrides=["samples=2048"])), path / "run.nc")
    return path


def rows_of(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_influence_prints_and_writes_its_tables(folder, tmp_path, capsys):
    arguments = ["influence", str(folder), "--outcome", "effective_compute@2035", "--outcome", "crossing:1e30-run"]
    main([*arguments, "--no-charts", "--output", str(tmp_path)])
    said = capsys.readouterr().out
    assert "drivers.algorithms.growth" in said
    assert "early and never" in said
    rows = rows_of(tmp_path / "influence.csv")
    assert {row["outcome"] for row in rows} == {"effective_compute@2035", "crossing:1e30-run"}
    assert len(rows_of(tmp_path / "influence_deciles.csv")) > 500
    assert {row["outcome"] for row in rows_of(tmp_path / "influence_regions.csv")} == {"crossing:1e30-run"}


def test_what_is_read_off_a_store_is_written_beside_it(tmp_path):
    store = tmp_path / "run.zarr"
    store.mkdir()
    assert [folder_for(path, None) for path in (store, tmp_path, tmp_path / "run.nc")] == [tmp_path] * 3


def test_influence_draws_a_chart_for_each_outcome(folder, tmp_path):
    arguments = ["influence", str(folder / "run.nc"), "--outcome", "effective_compute@2035"]
    main([*arguments, "--format", "svg", "--output", str(tmp_path)])
    assert (tmp_path / "influence_effective_compute_2035.svg").stat().st_size > 5000


def test_chart_draws_influence_too(folder, tmp_path):
    main(["chart", str(folder), "--kind", "influence", "--format", "svg", "--output", str(tmp_path)])
    assert (tmp_path / "influence_effective_compute_2045.svg").exists()
    assert (tmp_path / "influence_crossing_1000x-gpt-4_deciles.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--outcome", "crossing:nothing"], 2, "there is no threshold 'nothing'"),
        (["--outcome", "effective_compute@2035.5"], 2, "no such year"),
        (["--format", "gif"], 2, "--format"),
    ],
)
def test_influence_refuses_what_is_not_there(folder, tmp_path, capsys, arguments, code, said):
    with pytest.raises(SystemExit) as ended:
        main(["influence", str(folder), "--output", str(tmp_path), *arguments])
    assert ended.value.code == code
    assert said in capsys.readouterr().err


def test_reweight_prints_before_and_after_and_writes_them(folder, tmp_path, capsys):
    change = "drivers.spending.growth[0].rate.median=2.5"
    main(["reweight", str(folder), "--set", change, "--output", str(tmp_path)])
    said = capsys.readouterr().out
    assert "samples are worth" in said
    rows = rows_of(tmp_path / "reweighted.csv")
    assert {"before", "before_error", "after", "after_error"} < set(rows[0])
    assert any(row["before"] != row["after"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "needs a prior to change"),
        (["--set", "drivers.spending.growth"], "must be path=value"),
        (["--set", "samples=3"], "is no prior of this run"),
    ],
)
def test_reweight_refuses_without_a_prior_to_change(folder, capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        main(["reweight", str(folder), *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_compare_attributes_and_names_its_folder_last(tmp_path, capsys):
    arguments = ["compare", "baseline", "feedback", "--attribute", "--samples", "512", "--no-charts"]
    main([*arguments, "--output", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("what the differences are due to (all subsets, 512") for line in lines)
    made = next(tmp_path.iterdir())
    assert lines[-1].strip() == str(made)
    rows = rows_of(made / "attribution.csv")
    assert {row["input"] for row in rows} == {"", "drivers.hardware.feedback", "drivers.algorithms.feedback"}


def test_compare_attributes_two_items_only(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compare", "baseline", "feedback", "no-caps", "--attribute"])
    assert ended.value.code == 2
    assert "takes two runs or scenarios" in capsys.readouterr().err


def test_compare_refuses_to_attribute_a_mixture_before_anything_is_written(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "views", "baseline", "--attribute", "--samples", "256", "--output", str(tmp_path)])
    assert "compare: --attribute: views mixes scenarios" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "linear.yaml"
    path.write_text(LINEAR)
    return str(path)


def shares(capsys, *arguments, tmp_path):
    main(["shares", *arguments, "--samples", "128", "--output", str(tmp_path / "out")])
    return capsys.readouterr().out


def test_shares_are_printed_and_written_with_a_chart(scenario, tmp_path, capsys):
    out = shares(capsys, scenario, "--format", "png", tmp_path=tmp_path)
    (folder,) = (tmp_path / "out").iterdir()
    assert out.splitlines()[-1].strip() == str(folder)
    assert "Sobol indices: the inputs are independent" in out
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "shares.nc", "shares.csv", "scenario.yaml",
        "shares_effective_compute.png", "shares_effective_compute.csv", "shares_effective_compute.txt",
    }  # fmt: skip
    assert open_shares(folder).dataset["year"].values.tolist() == [2025, 2026, 2027, 2028, 2029, 2030]


def test_outcomes_groups_and_overrides_are_heeded(scenario, tmp_path, capsys):
    out = shares(
        capsys, scenario, "--outcome", "crossed:late", "--outcome", "restricted:late", "--outcome", "spending@2030",
        "--group", "rates=drivers.*.growth", "--set", "drivers.hardware.growth.sd=0.1", "--no-charts", "--seed", "3",
        tmp_path=tmp_path,
    )  # fmt: skip
    (folder,) = (tmp_path / "out").iterdir()
    found = open_shares(folder).dataset
    assert found["input"].values.tolist() == ["drivers.spending.start", "rates"]
    assert found["outcome"].values.tolist()[-2:] == ["restricted:late", "spending@2030"]
    assert (found.attrs["seed"], found.attrs["samples"]) == (3, 128)
    assert "sd: 0.05 -> 0.1" in found.attrs["overrides"]
    assert "whether late is crossed by the year" in out
    assert not list(folder.glob("*.png"))


def test_by_driver_is_heeded(scenario, tmp_path, capsys):
    shares(capsys, scenario, "--by", "driver", "--no-charts", tmp_path=tmp_path)
    (folder,) = (tmp_path / "out").iterdir()
    assert open_shares(folder).dataset["input"].values.tolist() == [
        "drivers.spending",
        "drivers.hardware",
        "drivers.algorithms",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--method", "sobol"], "--method sobol: "),
        (
            ["--outcome", "effective-computes"],
            "outcome 'effective-computes': there is no variable 'effective_computes'",
        ),
        (["--outcome", "effective-computes"], "Did you mean 'effective_compute'?"),
        (["--outcome", "crossed:1000x"], "outcome 'crossed:1000x': there is no threshold '1000x'"),
        (["--outcome", "crossed:1000x@2027"], "outcome 'crossed:1000x@2027': there is no threshold '1000x'"),
        (["--outcome", "crossed:"], "outcome 'crossed:': 'crossed' is no kind of outcome"),
        (["--outcome", "binding-spending"], "outcome 'binding-spending': holds the numbers of limits"),
        (["--group", "a=drivers.sendin.*"], "Did you mean 'drivers.spending'?"),
        (["--group", "a"], "must be NAME=PATTERN"),
        (["--by", "cap"], "--by: must be driver"),
        (["--samples", "many"], "--samples: must be a whole number"),
        (["--samples", "5"], "--samples: must be from 64"),
        (["--format", "gif"], "--format: must be of"),
        (
            ["--set", "correlations=[]", "--set", "drivers.algorithms={custom: {parameters: {speed: 1}}}"],
            "is a custom driver; run it from Python",
        ),
    ],
)
def test_bad_input_is_refused_with_2(scenario, tmp_path, capsys, arguments, text):
    (tmp_path / "linear.yaml").write_text(LINEAR + CORRELATIONS)
    with pytest.raises(SystemExit) as ending:
        main(["shares", scenario, "--output", str(tmp_path / "out"), *arguments])
    assert ending.value.code == 2
    said = capsys.readouterr().err
    assert text in said
    assert not (tmp_path / "out").exists()
