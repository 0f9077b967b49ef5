"""`simulate show` and `simulate chart` on every kind of folder that a command writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import simulator.hindcast.hindcast
from simulator.analysis.swings import open_swings, prior_swings
from simulator.cli.main import main
from simulator.cli.show import chart
from simulator.errors import InputError, RunFileError
from simulator.runs.folder import save_run
from simulator.runs.kinds import KINDS, keep_lines, kind_of
from simulator.runs.result import Result, open_result
from simulator.scenario.load import load_scenario
from simulator.testing import run_of, scenario_text, small_scenario
from simulator.wording import harmless
from tests.analysis.linear_scenario import LINEAR
from tests.charts.small import scenario
from tests.columns import unsaid
from tests.hindcast.small_hindcast import RESULT

COMMANDS = {
    "run": "run linear.yaml --samples 2048 --no-charts",
    "sweep": "sweep linear.yaml --samples 1024 --no-charts --over drivers.algorithms.growth.sd=0.1,0.2",
    "shares": "shares linear.yaml --samples 64 --no-charts",
    "swings": "swings linear.yaml --samples 64 --no-charts",
    "audit": "audit linear.yaml --samples 64",
    "condition": "condition RUN --no-charts --given spending@2027>=5e8",
    "signposts": "signposts RUN --no-charts --outcome crossing:late",
    "comparison": "compare linear.yaml other.yaml --samples 1024 --no-charts --attribute",
    "hindcast": "hindcast --no-charts",
    "moved": "history moved linear --no-charts",
    "published": "published gpt-3-carried-forward --output out/p",
}


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulator.hindcast.hindcast, "hindcast", lambda *_, **__: RESULT)
    Path("linear.yaml").write_text(LINEAR)
    Path("other.yaml").write_text(LINEAR.replace("mean: 0.3, sd: 0.2", "mean: 0.4, sd: 0.2"))

    def say(words: str) -> tuple[list[str], list[str], int]:
        capsys.readouterr()
        code = 0
        try:
            main(words.split())
        except SystemExit as ending:
            code = int(ending.code or 0)
        out, err = capsys.readouterr()
        return out.splitlines(), err.splitlines(), code

    return say


@pytest.fixture
def made(said):
    """Run a command, and give its folder, what it printed, and what it warned of."""

    def make(kind: str) -> tuple[Path, list[str], list[str]]:
        if "RUN" in (words := COMMANDS[kind]):
            said(f"{COMMANDS['run']} --output runs")
            words = words.replace("RUN", "runs/latest")
        if kind == "moved":
            for file, dated in (("linear", "2024-01"), ("other", "2025-01")):
                said(f"run {file}.yaml --samples 64 --no-charts --output runs")
                said(f"history freeze runs/latest --dated {dated}")
        words += "" if "--output" in words else " --output out"
        out, err, code = said(words)
        assert code == 0, err
        (folder,) = [path for path in Path("out").iterdir() if path.name not in ("fits", "latest")]
        assert str(folder) in out[-1]
        return folder, out[:-1], [line for line in err if line.startswith("warning: ")]

    return make


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_a_command_printed_is_shown_again_and_its_columns_have_meanings(
    kind: str, said, made, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, write = list[Result](), Result.write_into
    monkeypatch.setattr(Result, "write_into", lambda self, folder: (results.append(self), write(self, folder))[1])
    folder, printed, warned = made(kind)
    assert kind_of(folder).name == kind
    results = results or [open_result(folder)]  # of a run
    assert kind in {each.kind for each in results}
    assert [name for each in results for name in unsaid(each.tables())] == []
    out, err, code = said(f"show {folder}")
    assert (out, err, code) == (printed, warned, 0)


def test_every_kind_of_folder_is_shown(said, tmp_path: Path) -> None:
    beside = {"influence", "attribution", "score"}  # files that stand beside what they are about
    assert {kind.name for kind in KINDS} == {
        *COMMANDS,
        *beside,
        "fragility",
        "nowcast",
        "matrix",
        "boxes",
    }  # of a fit or a design
    (tmp_path / "fragility.txt").write_text("the page\n\nits end\n")
    assert said("show .") == (["the page", "", "its end"], [], 0)


def test_kept_lines_end_at_line_breaks_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["a label\u2028of two", "warning\x85: none", ""]
    keep_lines(tmp_path, "fragility", lines, warnings=["one\u2028line"])
    main(["show", str(tmp_path)])
    out, err = capsys.readouterr()
    assert out == "".join(f"{harmless(line)}\n" for line in lines)
    assert err == "warning: one\u2028line\n"


def test_shares_of_one_year_have_no_chart_and_it_is_said(said) -> None:
    said(COMMANDS["shares"] + " --outcome effective_compute@2030 --output out")
    (folder,) = Path("out").iterdir()
    out, err, code = said(f"chart {folder} --output drawn")
    assert (out, code, Path("drawn").exists()) == ([], 2, False)
    assert err[0].startswith(f"{folder}: no chart: shares are drawn over the years")


@pytest.mark.parametrize("kind", ["shares", "swings"])
def test_a_file_is_known_by_what_it_holds_and_not_by_its_name(kind: str, said, made) -> None:
    folder, printed, _ = made(kind)
    (folder / f"{kind}.nc").rename("other.nc")
    assert said("show other.nc") == (printed, [], 0)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("shares", "shares_effective_compute"),
        ("swings", "swings_free_effective_compute_2030"),
        ("condition", "condition_spending"),
        ("signposts", "signposts_crossing_late"),
        ("moved", "moved_levels"),
    ],
)
def test_charts_of_shares_and_swings_are_drawn_again(kind: str, name: str, said, made) -> None:
    folder, _, _ = made(kind)
    out, _, code = said(f"chart {folder} --format svg --theme dark")
    assert code == 0
    assert str(folder / f"{name}.svg") in out
    assert all(Path(line).is_file() for line in out)


@pytest.mark.parametrize(
    ("kind", "words", "text"),
    [
        ("shares", "chart FOLDER --kind fan", "--kind: FOLDER holds shares of variance, and --kind is about charts of runs"),
        ("swings", "chart FOLDER --bands boe", "--bands: FOLDER holds swings, and --bands is about"),
        ("sweep", "chart FOLDER --paths 3", "--paths: FOLDER is a sweep, and --paths is about"),
        ("sweep", "chart FOLDER --kind fan", "--kind: a sweep is drawn by outcome"),
        ("audit", "chart FOLDER", "FOLDER: is an audit, and no chart is drawn from its folder. 'simulate show'"),
        ("swings", "show FOLDER --variables", "--variables: FOLDER holds swings, and --variables is about runs"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_a_folder_is_refused(kind: str, words: str, text: str, said, made) -> None:
    folder, _, _ = made(kind)
    out, err, code = said(words.replace("FOLDER", str(folder)))
    assert (out, code) == ([], 2)
    assert err[0].startswith(text.replace("FOLDER", str(folder)))


def test_a_folder_without_the_lines_says_how_to_make_it_again(said, made) -> None:
    folder, _, _ = made("audit")
    (folder / "audit.txt").unlink()
    _, err, code = said(f"show {folder}")
    assert code == 2
    assert err == [
        f"{folder}: has no audit.txt, in which `simulate audit` keeps what it prints. Make the folder again."
    ]


def test_a_path_that_is_no_folder_of_any_kind_is_refused_as_a_run(said, tmp_path: Path) -> None:
    for name, text in (
        ("none", "no such run file"),
        (".", "is a folder without a run"),
        ("linear.yaml", "cannot be read as a run"),
    ):
        _, err, code = said(f"show {name}")
        assert code == 2
        assert text in err[0]


def test_swings_are_read_back_the_same_and_nothing_else_is(said, made) -> None:
    folder, _, _ = made("swings")
    assert open_swings(folder).dataset.identical(prior_swings(load_scenario("linear.yaml"), samples=64).dataset)
    said(COMMANDS["shares"] + " --output shares")
    with pytest.raises(RunFileError, match=r"holds no swings. `simulate swings` writes one"):
        open_swings(next(Path("shares").glob("*/shares.nc")))


@pytest.mark.parametrize("words", ["influence RUN", "score RUN --after 2024 --ledger out/ledger.csv"])
def test_what_stands_beside_a_run_is_shown_again_by_its_file(words: str, said) -> None:
    said("baseline --samples 512 --set years.first=2023 --no-charts --output out")
    folder = Path("out/latest").resolve()
    kind = words.split(maxsplit=1)[0]
    charts = " --no-charts" if kind == "influence" else ""
    printed, err, code = said(words.replace("RUN", str(folder)) + charts)
    assert code == 0, err
    told = printed[:-1] if kind == "influence" else printed[:-2]  # without the names of files
    assert said(f"show {folder / kind}.nc") == (told, [], 0)
    assert said(f"show {folder}")[0][0].startswith("Baseline")  # the folder is still that of the run
    assert said(f"chart {folder / kind}.nc")[2] == 2


def test_the_parts_of_a_difference_are_shown_by_their_file(made, said) -> None:
    folder, printed, _ = made("comparison")
    out, _, code = said(f"show {folder / 'attribution.nc'}")
    assert code == 0
    assert out == printed[-len(out) :]


app = typer.Typer()
app.command()(chart)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    save_run(run_of(scenario()), folder / "run.nc")
    return folder


def call(*arguments: object) -> list[str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_the_fan_is_written_beside_the_run_and_the_files_are_named(folder: Path) -> None:
    written = call(folder)
    assert [Path(line).name for line in written[:2]] == ["fan_effective_compute.png", "fan_effective_compute.svg"]
    assert all(Path(line).parent == folder and Path(line).exists() for line in written)
    assert call(folder / "run.nc") == written


def test_every_option_reaches_the_chart(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    table.write_text("date,value,label\n2023-03-15,2.1e25,GPT-4\n", encoding="utf-8")
    written = call(
        folder, "--kind", "fan", "--quantity", "physical_compute", "--bands", "ipcc", "--paths", 4, "--years", "2020-2033",
        "--history", table, "--format", "svg", "--theme", "dark", "--output", tmp_path / "out",
    )  # fmt: skip
    assert {Path(line).name for line in written} == {
        "fan_physical_compute.svg", "fan_physical_compute.csv", "fan_physical_compute_paths.csv",
        "fan_physical_compute_thresholds.csv", "fan_physical_compute_history.csv", "fan_physical_compute.txt",
    }  # fmt: skip
    svg = (tmp_path / "out" / "fan_physical_compute.svg").read_text(encoding="utf-8")
    for word in ("66 %", "GPT-4", "each of 4 samples", "in 2033", "#14181D"):
        assert word in svg, word


def test_several_quantities_make_one_figure(folder: Path, tmp_path: Path) -> None:
    written = call(folder, "--quantity", "spending", "--quantity", "hardware", "--format", "svg", "--output", tmp_path)
    assert Path(written[0]).name == "fan_spending_and_hardware.svg"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "fann"], "Did you mean 'fan'"),
        (["--quantity", "spendin"], "Did you mean 'spending'"),
        (["--bands", "wide"], "--bands: must be one to three percentages"),
        (["--years", "2035"], "--years: must be a first and a later last year"),
        (["--format", "gif"], "--format: must be of png, svg, pdf, html, vega; got 'gif'"),
        (["--theme", "blue"], "--theme: must be light or dark"),
        (["--history", "none.csv"], "none.csv: no such file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call(folder, *arguments, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_a_hindcast_is_drawn_by_its_own_kinds(tmp_path: Path) -> None:
    RESULT.write_into(tmp_path / "h")
    written = call(
        tmp_path / "h", "--kind", "skill", "--format", "svg", "--theme", "dark", "--output", tmp_path / "out"
    )
    assert Path(written[0]) == tmp_path / "out" / "hindcast_skill.svg"
    assert "#14181D" in Path(written[0]).read_text(encoding="utf-8")
    with pytest.raises(InputError, match=r"--quantity: .* is a hindcast"):
        call(tmp_path / "h", "--quantity", "spending")


def test_a_run_answers_by_date_and_other_folders_do_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["essay-2023", "--samples", "64", "--no-charts", "--output", str(tmp_path)])
    folder = str(next(tmp_path.iterdir()))
    capsys.readouterr()
    main(["show", folder, "--by", "end of 2022"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("at 2023.0 (end of 2022)")
    assert "  P(GPT-4 by the end of 2022) " in "\n".join(lines)
    main(["show", folder, "--by", "2022-12-31", "--threshold", "gpt-4", "--json"])
    [row] = json.loads(capsys.readouterr().out)["tables"]["crossed_by"]["rows"]
    assert (row["threshold"], row["by"]) == ("gpt-4", "by 2022-12-31")
    main(["show", folder, "--threshold", "gpt-4"])
    assert capsys.readouterr().out.splitlines()[1].startswith("  by the end of 2011: ")
    main(["show", folder, "--variables", "--json"])
    told = json.loads(capsys.readouterr().out)["tables"]["variables"]["rows"]
    assert {"group": "summary", "variable": "never"}.items() <= next(
        r for r in told if r["variable"] == "never"
    ).items()
    for asked, said in (
        (["--by", "soon"], "must be a year or a date"),
        (["--by", ""], "--by: is empty"),
        (["--by", "2022", "--quantities"], "--by and --quantities: are questions of their own"),
        (["--threshold", "gpt4"], "Did you mean"),
    ):
        with pytest.raises(SystemExit):
            main(["show", folder, *asked])
        assert said in capsys.readouterr().err


def test_who_uses_a_stock_is_shown_and_both_readings_of_the_largest_run(said) -> None:
    shared = {"uses": {"largest-run": {"share": "10 %"}, "idle": {"share": "rest"}},
              "largest_run": {"product": ["1e15 FLOP/s/chip", "90 days"]}}  # fmt: skip
    stocks = {"chips": {"start": "1 million chip", "growth": "2x/year"}}
    Path("shared.yaml").write_text(scenario_text(small_scenario({"stocks": stocks, "allocation": {"chips": shared}})))
    assert said("run shared.yaml --samples 4 --no-charts")[2] == 0
    lines, warned, code = said("show latest --allocation")
    assert (code, warned) == (0, [])
    assert any(line.startswith("chips: largest run  2025") for line in lines)
    assert any(line.startswith("largest run of") for line in lines)
