"""`simulate shares`: what it prints, writes and refuses."""

import pytest

from simulator.cli import main
from simulator.shares_folder import open_shares
from tests.test_variance_shares import CORRELATIONS, LINEAR


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
    assert open_shares(folder)["year"].values.tolist() == [2025, 2026, 2027, 2028, 2029, 2030]


def test_outcomes_groups_and_overrides_are_heeded(scenario, tmp_path, capsys):
    out = shares(
        capsys, scenario, "--outcome", "crossed:late", "--outcome", "restricted:late", "--outcome", "spending@2030",
        "--group", "rates=drivers.*.growth", "--set", "drivers.hardware.growth.sd=0.1", "--no-charts", "--seed", "3",
        tmp_path=tmp_path,
    )  # fmt: skip
    (folder,) = (tmp_path / "out").iterdir()
    found = open_shares(folder)
    assert found["input"].values.tolist() == ["drivers.spending.start", "rates"]
    assert found["outcome"].values.tolist()[-2:] == ["restricted:late", "spending@2030"]
    assert (found.attrs["seed"], found.attrs["samples"]) == (3, 128)
    assert "sd: 0.05 -> 0.1" in found.attrs["overrides"]
    assert "whether late is crossed by the year" in out
    assert not list(folder.glob("*.png"))


def test_by_driver_is_heeded(scenario, tmp_path, capsys):
    shares(capsys, scenario, "--by", "driver", "--no-charts", tmp_path=tmp_path)
    (folder,) = (tmp_path / "out").iterdir()
    assert open_shares(folder)["input"].values.tolist() == [
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
        (["--outcome", "crossing:late"], "Ask for restricted:late"),
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
