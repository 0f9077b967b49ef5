"""The command line, end to end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import pytest

from simulator import load_scenario, open_run, quantiles, simulate
from simulator.charts import drawing
from simulator.cli import options
from simulator.cli.main import COMMANDS, GROUPS, main
from simulator.engine import simulation
from simulator.runs import folder as outputs
from simulator.scenario.library import shipped_names
from simulator.testing import assert_valid_run, scenario_text, small_scenario
from simulator.version import made_by
from tests.places import ROOT


class Outcome(NamedTuple):
    """What a command left: exit code, lines on stdout and stderr."""

    code: int
    out: list[str]
    err: list[str]


class Command:
    """Runs `simulate` in this process, in a folder of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        self._capsys.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as ending:
            code = int(ending.code or 0)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Outcome(code, said.out.splitlines(), said.err.splitlines())


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    data = small_scenario({"thresholds.a": {"effective_compute": 1e29}})
    (tmp_path / "small.yaml").write_text(scenario_text(data))
    return Command(capsys)


COMMAND = "from simulator.cli.main import main\nmain()"
COMMAND_THAT_TELLS = f"""
import signal
import simulator.engine.workers as work

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it starts behind itself

def compute(*arguments, compute=work.compute_batch):
    print("at work", flush=True)
    return compute(*arguments)

work.compute_batch = compute
{COMMAND}
"""


def in_a_process(*arguments: str, cwd: Path, code: str = COMMAND) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, [str(ROOT), *sys.path]))}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments], cwd=cwd, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def only_run(outputs: str = "outputs") -> Path:
    (folder,) = (path for path in Path(outputs).iterdir() if path.name != "latest")
    return folder


def test_one_command_runs_a_scenario_and_prints_at_most_ten_lines(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(scenario_text(small_scenario({"thresholds.a": {"effective_compute": 1e29}})))
    process = in_a_process("small.yaml", cwd=tmp_path)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert len(out.splitlines()) <= 10
    folder = (tmp_path / "outputs" / "latest").resolve()
    assert out.splitlines()[-1].strip() == str(Path("outputs") / folder.name)
    assert {"run.nc", "scenario.yaml", "quantiles.csv", "fan_physical_compute.png", "fan_physical_compute.svg"} <= {
        file.name for file in folder.iterdir()
    }
    with open_run(folder) as run:
        assert_valid_run(run.load())


def test_simulate_file_is_simulate_run_file(command: Command) -> None:
    short = command("small.yaml", "--no-charts", "--output", "short")
    long = command("run", "small.yaml", "--no-charts", "--output", "long")
    assert short.code == long.code == 0
    assert short.out[:-1] == long.out[:-1]
    assert (only_run("short") / "run.nc").read_bytes() == (only_run("long") / "run.nc").read_bytes()


def test_a_shipped_scenario_runs_by_its_name(command: Command) -> None:
    done = command("baseline", "--samples", "256", "--no-charts")
    assert done.code == 0
    assert len(done.out) <= 18
    assert only_run().name.startswith("baseline-")


def test_overrides_are_logged_in_the_run_as_old_and_new(command: Command) -> None:
    done = command(
        "small.yaml", "--no-charts", "--set", "drivers.compute.growth.mean=0.6", "--samples", "1e3", "--seed", "0"
    )
    assert done.code == 0
    with open_run(only_run()) as run:
        assert run.attrs["overrides"].splitlines() == [
            "drivers.compute.growth.mean: 0.5 -> 0.6", "samples: 512 -> 1000", "seed: nothing -> 0",
        ]  # fmt: skip
        assert run.attrs["samples"] == 1000


def test_a_file_that_upgrade_leaves_alone_is_not_said_to_be_of_a_schema_that_it_does_not_name(command: Command) -> None:
    for name, text in (("two.yaml", "schema: 2\n"), ("none.yaml", "name: mine\n")):
        Path(name).write_text(text, encoding="utf-8")
        assert command("upgrade", name).out == [f"{name}: does not say schema: 1; nothing is changed."]
        assert Path(name).read_text(encoding="utf-8") == text


def test_warnings_go_to_stderr_and_an_override_that_changes_nothing_warns(command: Command) -> None:
    done = command("small.yaml", "--no-charts", "--set", "samples=512")
    assert done.code == 0
    assert done.err == ["warning: --set samples=512 changes nothing: samples is 512 already."]
    assert command("show", only_run()).err == done.err


def test_keep_and_workers_are_taken(command: Command) -> None:
    assert command("small.yaml", "--no-charts", "--keep", "summary", "--workers", "2").code == 0
    with open_run(only_run()) as run:
        assert list(run.children) == ["summary"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.yaml"], "missing.yaml"),
        (["missing"], "missing"),
        (["baselin"], "Did you mean 'baseline'?"),
        (["valdate", "small.yaml"], "Did you mean 'validate'?"),
        (["run"], "Missing argument 'SCENARIO'"),
        (["small.yaml", "--bogus"], "No such option: --bogus"),
        (["small.yaml", "--samples", "many"], "--samples: must be a whole number; got 'many'."),
        (["small.yaml", "--samples", "1.5"], "--samples: must be a whole number from 1; got 1.5."),
        (["small.yaml", "--samples", "0"], "--samples: must be a whole number from 1; got 0."),
        (["small.yaml", "--samples", "1e15"], "--samples: must be at most 1,000,000,000,000; got 1e15."),
        (["small.yaml", "--samples", "nan"], "--samples: must be a whole number"),
        (["small.yaml", "--samples", "inf"], "--samples: must be a whole number"),
        (["small.yaml", "--seed", "-1"], "seed"),
        (["small.yaml", "--seed", "x"], "--seed"),
        (["small.yaml", "--workers", "0"], "--workers"),
        (["small.yaml", "--keep", "nothing"], "--keep"),
        (["small.yaml", "--set", "samples"], "--set samples: must be path=value"),
        (["small.yaml", "--set", "drivers.compute.grwth=3"], "Did you mean 'growth'?"),
        (["small.yaml", "--set", "drivers.compute.growth.mean=[1"], "--set drivers.compute.growth.mean=[1: the value"),
        (["small.yaml", "--samples", "1e10"], "GiB; at most 4 GiB are taken"),
        (["validate", "missing.yaml"], "missing.yaml"),
        (["show", "missing"], "missing: no such run file."),
        (["show", "n" * 300], "nnn: no such run file."),
        (["check", "small.yaml"], "no netCDF file"),
        (["priors", "algorithm"], "Did you mean 'algorithms'?"),
        (["priors", "algorithms/ho"], "ho"),
        (["schema", "run"], "run"),
        (["new", "small.yaml"], "there is such a file already"),
        (["new", "small.txt"], "a scenario file ends in .yaml"),
        ([], "Usage"),
    ],
)
def test_bad_input_exits_with_2_and_says_what_to_do(command: Command, arguments: list[str], words: str) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert words in "\n".join(done.err + done.out)
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["show", "latest", "--threshold", ""], "--threshold"), (["chart", "latest", "--years", " "], "--years"),
        (["export", "latest", "-f", "hub", "--date="], "--date"), (["run", "essay-2023", "--set", ""], "--set"),
        (["export", "latest", "-f", ""], "-f"), (["history", "frontier", "--until", ""], "--until"),
        (["new", "x.yaml", "--question", ""], "--question"), (["validate", ""], "an argument"),
    ],
)  # fmt: skip
def test_an_option_without_its_value_is_refused(command: Command, arguments: list[str], option: str) -> None:
    done = command(*arguments)
    assert (done.code, done.out, done.err) == (2, [], [f"{option}: is empty. Write what is meant, or leave it out."])


def test_a_faulty_scenario_shows_every_fault_with_its_place(command: Command) -> None:
    Path("faulty.yaml").write_text(
        "schema: 2\nname: faulty\nsamples: 0\nyears: {first: 2030, last: 2025}\ndrivers: {}\n"
    )
    done = command("faulty.yaml")
    assert done.code == 2
    assert [line.split(":")[1] for line in done.err if line.startswith("faulty.yaml:")] == ["3", "4", "5"]
    assert done.out == []


FOLDERS = (
    "no-such.yaml", "extend no-such.nc --samples 1e4", "sweep no-such.yaml", "swings no-such.yaml",
    "shares no-such.yaml", "audit no-such.yaml", "influence no-such.nc", "condition no-such.nc --given x", "signposts no-such.nc --outcome x", "reweight no-such.nc --set a=1",
    "compare no-such.nc no-such.nc", "hindcast no-such.yaml", "score no-such.nc", "chart no-such.nc",
    "export no-such.nc --format parquet", "published no-such.yaml", "history fragility --runs no-such.csv",
)  # fmt: skip
FILES = (
    "report no-such.nc", "export no-such.nc --format json", "export no-such.nc --format csv --group summary",
    "history load no-such.csv --snapshot 2026-05", "schema",
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "output"), [*((words, "taken/below") for words in FOLDERS), *((words, "taken/a.html") for words in FILES)]
)
def test_an_output_that_cannot_be_written_is_refused_before_all_else(command: Command, words: str, output: str) -> None:
    Path("taken").write_text("as it was")
    done = command(*words.split(), "--output", output)
    assert (done.code, done.out, len(done.err)) == (1, [], 1)
    assert done.err[0].startswith("taken")
    assert done.err[0].endswith("is a file. Name another folder with --output.")
    assert Path("taken").read_text() == "as it was"


@pytest.mark.parametrize("words", ["published no-such.yaml --document .", "score no-such.nc --ledger ."])
def test_a_folder_in_the_place_of_a_file_is_refused_before_all_else(command: Command, words: str) -> None:
    done = command(*words.split())
    assert (done.code, done.out) == (1, [])
    assert done.err == [f".: cannot be written: it is a folder. Name a file with {words.split()[2]}."]


def test_all_tables_into_one_file_are_refused_before_the_run_is_read(command: Command) -> None:
    Path("taken").write_text("")
    done = command("export", "no-such.nc", "--format", "csv", "--output", "taken")
    assert done.code == 2
    assert done.err == ["--output: taken is a file. Without --group there are several files: name a folder."]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interruption_exits_with_130_and_leaves_nothing_half_written(
    command: Command, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "build_run", interrupt)
    done = command("small.yaml", "--workers", workers)
    assert done.code == 130
    assert done.err[-1] == "interrupted: nothing half-written is left, earlier runs are as they were."
    assert not Path("outputs").exists()


def test_an_interruption_while_writing_leaves_no_half_file(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object, file: Path) -> None:
        Path(file).write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(outputs, "write_netcdf", interrupt)
    assert command("small.yaml", "--no-charts").code == 130
    assert list(only_run().iterdir()) == []


def test_an_interruption_while_the_fan_is_drawn_says_that_the_run_is_whole(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drawing, "write_charts", interrupt)
    done = command("small.yaml")
    assert done.code == 130
    assert done.err[-1].endswith(f"The run is whole, its chart is not drawn: simulate chart {only_run()}")
    assert command("check", str(only_run()), "--fast").code == 0


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_exits_with_130_and_who_is_told_to_end_with_143(tmp_path: Path, told: int, code: int) -> None:
    (tmp_path / "small.yaml").write_text(scenario_text(small_scenario({"samples": 10**9, "block": 256})))
    arguments = ("small.yaml", "--keep", "summary", "--no-charts")
    process = in_a_process(*arguments, cwd=tmp_path, code=COMMAND_THAT_TELLS)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"  # it would be for hours
    process.send_signal(told)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err.splitlines() == ["interrupted: nothing half-written is left, earlier runs are as they were."]
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("module", "ending", "code"),
    [
        ("simulator.cli.options", "raise KeyboardInterrupt", 130),
        ("simulator.scenario.library", "import os; os.kill(os.getpid(), 15)", 143),
    ],
)
def test_what_ends_it_while_it_is_loaded_is_a_line_and_no_traceback(
    module: str, ending: str, code: int, tmp_path: Path
) -> None:
    """Where a shipped scenario is meant, its name is looked up before anything else."""
    text = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == '{module}':\n            {ending}\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from simulator.__main__ import main\nmain()\n"
    )
    process = in_a_process("baseline", cwd=tmp_path, code=text)
    assert process.communicate(timeout=60) == ("", "interrupted: nothing was begun.\n")
    assert process.returncode == code


def test_validate_prints_back_what_was_understood(command: Command) -> None:
    done = command("validate", "small.yaml", "baseline")
    assert done.code == 0
    assert any(line.startswith("drivers.compute.growth") and "normal" in line for line in done.out)
    assert "small.yaml: no faults (2 uncertain of 3 priors)" in done.out
    assert command("validate", "-q", "small.yaml").out == ["small.yaml: no faults (2 uncertain of 3 priors)"]


def test_validate_goes_on_after_a_faulty_file(command: Command) -> None:
    Path("faulty.yaml").write_text("schema: 2\n")
    done = command("validate", "-q", "faulty.yaml", "small.yaml")
    assert done.code == 2
    assert done.out == ["small.yaml: no faults (2 uncertain of 3 priors)"]
    assert done.err[0].startswith("faulty.yaml:1:1: ")


def test_show_prints_the_summary_again_and_check_runs_it_again(command: Command) -> None:
    first = command("small.yaml", "--no-charts")
    folder = only_run()
    assert command("show", folder).out == first.out[:-1]
    assert command("show", folder / "run.nc").out == first.out[:-1]
    done = command("check", folder)
    assert (done.code, done.err) == (0, [])
    assert done.out[0].startswith("same: ")
    done = command("check", folder, "--fast")
    assert (done.code, done.err) == (0, [])
    assert done.out[0].startswith("same: ")
    with netCDF4.Dataset(folder / "run.nc", "a") as file:
        file["trajectories"].variables["effective_compute"][3, 4] = 31.0
    for option in ([], ["--fast"]):
        done = command("check", folder, *option)
        assert done.code == 2
        assert done.err[0].startswith(f"{folder}/run.nc: /trajectories/effective_compute is not what was written: ")
    with netCDF4.Dataset(folder / "run.nc", "a") as file:
        file.delncattr("checksums")
    assert command("check", folder, "--fast").err[0].endswith("Leave --fast out, and it is run again.")
    done = command("check", folder)
    assert done.code == 1
    assert done.out[0] == "different: 1 variables."
    assert done.out[1].startswith("  trajectories/effective_compute: differs by ")


def test_priors_lists_libraries_entries_and_scenarios(command: Command) -> None:
    libraries = command("priors")
    assert libraries.code == 0
    for name in shipped_names("priors"):
        assert any(line.startswith(f"{name}: ") for line in libraries.out)
    algorithms = command("priors", "algorithms")
    assert set(algorithms.out) <= set(libraries.out)
    entry = command("priors", "algorithms/ho-2024").out
    assert entry[0] == "algorithms/ho-2024"
    assert "OOM/year" in entry[2]
    assert any(line.startswith("  source: ") for line in entry)
    listed = command("priors", "baseline").out
    assert command("validate", "baseline").out[: len(listed)] == listed
    assert any(line.startswith("drivers.compute.start") for line in command("priors", "small.yaml").out)


def test_scenarios_lists_what_is_shipped(command: Command) -> None:
    done = command("scenarios")
    assert done.code == 0
    listed = [line.split()[0] for line in done.out if line]
    listed.remove("Published")
    assert sorted(listed) == list(shipped_names("scenarios"))


@pytest.mark.parametrize("of", ["scenario", "priors"])
def test_the_schema_that_is_printed_is_the_one_that_is_committed(command: Command, of: str) -> None:
    committed = (ROOT / "schemas" / f"{of}.schema.json").read_text(encoding="utf-8")
    assert "\n".join(command("schema", of).out) + "\n" == committed
    assert command("schema", of, "--output", "written.json").code == 0
    assert Path("written.json").read_text(encoding="utf-8") == committed
    json.loads(committed)


def test_new_writes_a_starter_that_runs(command: Command) -> None:
    assert command("new", "sub/My fast World!.yaml").code == 0
    path = Path("sub/My fast World!.yaml")
    assert "name: my-fast-world" in path.read_text()
    done = command(path, "--no-charts", "--samples", "256")
    assert (done.code, done.err) == (0, [])
    assert only_run().name.startswith("my-fast-world-")


def test_new_takes_a_name_and_a_question_and_overwrites_nothing(command: Command) -> None:
    asked = ("--name", "Slow: money", "--question", 'When is a "$10 billion" run made?')
    assert command("new", "a.yaml", *asked).code == 0
    spec = load_scenario("a.yaml").spec
    assert (spec.name, spec.title, spec.notes) == ("slow-money", "Slow: money", 'When is a "$10 billion" run made?')
    before = Path("a.yaml").read_text()
    assert command("new", "a.yaml", "--name", "b").code == 2
    assert Path("a.yaml").read_text() == before


def test_new_asks_on_a_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["My view", "How much in 2030?"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert command("new", "mine.yaml").code == 0
    spec = load_scenario("mine.yaml").spec
    assert (spec.title, spec.notes) == ("My view", "How much in 2030?")


def test_the_starter_says_about_what_the_baseline_says(command: Command) -> None:
    command("new", "mine.yaml")
    medians = [
        quantiles(simulate(load_scenario(name, overrides=["samples=1000"]))["trajectories/effective_compute"], [0.5])
        .sel(year=2045).item() for name in ("mine.yaml", "baseline")
    ]  # fmt: skip
    assert medians[0] == pytest.approx(medians[1], abs=1.0)


def test_the_version_names_commit_python_libraries_and_platform(command: Command) -> None:
    done = command("--version")
    made = made_by()
    assert (done.code, done.err) == (0, [])
    assert done.out[0] == f"effective-compute-simulator {made['simulator_version']}, code {made['code']}"
    assert all(f"{name} {number}" in done.out[1] for name, number in json.loads(made["libraries"]).items())
    assert "pymc " in done.out[1]
    assert done.out[2] == made["platform"]


def test_help_is_printed_with_0(command: Command) -> None:
    for arguments in (["--help"], ["run", "-h"], ["check", "--help"]):
        done = command(*arguments)
        assert done.code == 0
        assert any("Usage" in line for line in done.out)


def test_a_run_is_named_by_its_scenario_or_as_the_latest(command: Command) -> None:
    first = command("small.yaml", "--no-charts")
    folder = only_run()
    for name in ("small", "latest", "outputs/latest", folder.name.removeprefix("small-"), "outputs/small"):
        assert command("show", name).out == first.out[:-1]
    assert Path("outputs/latest").resolve() == folder.resolve()
    second = command("small.yaml", "--no-charts", "--seed", "2")
    assert command("show", "latest").out == second.out[:-1]
    several = command("check", "small")
    assert (several.code, several.out) == (2, [])
    assert several.err[0].startswith("small: 2 folders are called so, the newest first: outputs/small-")
    assert command("compare", "latest", folder, "--no-charts").out[0].startswith("inputs that differ (small ")


def test_json_is_one_object_on_a_line_with_nothing_beside_it(command: Command) -> None:
    def read(*arguments: object, code: int = 0) -> dict[str, Any]:
        done = command(*arguments, "--json")
        assert done.code == code
        (line,) = done.out
        found: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
        assert list(found) == ["kind", "name", "holds", "warnings", "tables"]
        assert all(
            set(row) == {each["name"] for each in table["columns"]}
            for table in found["tables"].values()
            for row in table["rows"]
        )
        return found

    run = read("small.yaml", "--no-charts")
    assert (run["kind"], run["name"]) == ("run", only_run().name)
    assert set(run["tables"]) == {path.stem for path in only_run().glob("*.csv")}
    assert read("show", "latest") == run
    assert read("check", "latest")["tables"]["differences"]["rows"] == []
    compared = read("compare", "latest", "small.yaml", "--no-charts", "--seed", "3")
    again = read("show", compared["name"])
    numbers = [[row["value"] for row in each["tables"]["results"]["rows"]] for each in (compared, again)]
    assert numbers[0] == numbers[1] != []
    (key,) = read("explain", "regime.half_life")["tables"]["keys"]["rows"]
    assert (key["kind"], key["default"]) == ("regime", "none")
    assert key["meaning"].startswith("The time in which the rate halves its distance to `towards`")
    assert [row["key"] for row in read("explain", "limit")["tables"]["keys"]["rows"]][:1] == ["kind"]
    Path("old.yaml").write_text("schema: 1\nextends: small.yaml\n")
    upgraded = read("upgrade", "old.yaml", "small.yaml")["tables"]
    assert upgraded["changes"]["rows"][0] | {"change": ""} == {"file": "old.yaml", "line": 1, "change": ""}
    assert [row["changed"] for row in upgraded["files"]["rows"]] == [True, False]
    Path("faulty.yaml").write_text("schema: 2\nname: faulty\nsamples: 0\n")
    checked = read("validate", "small.yaml", "faulty.yaml", "missing.yaml", code=2)
    assert not checked["holds"]
    assert [row["holds"] for row in checked["tables"]["scenarios"]["rows"]] == [True, False, False]
    assert {row["line"] for row in checked["tables"]["faults"]["rows"] if row["scenario"] == "faulty.yaml"} >= {3}
    assert read("priors", "algorithms/ho-2024")["tables"]["priors"]["rows"][0]["unit"].startswith("months/halving")
    assert "baseline" in [row["name"] for row in read("scenarios")["tables"]["scenarios"]["rows"]]
    assert len(read("history", "frontier")["tables"]["runs"]["rows"]) > 50


def test_python_m_simulator_is_simulate(tmp_path: Path) -> None:
    for module in ("simulator", "simulator.cli.main"):
        done = subprocess.run(
            [sys.executable, "-m", module, "scenarios"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "\nbaseline " in done.stdout


EXAMPLES = {
    name: " ".join(str(function.__doc__).partition("Example: ")[2].split())
    for name, function in [
        *COMMANDS.items(),
        *((f"history {each.callback.__name__}", each.callback) for each in GROUPS["history"].registered_commands),
    ]
}
LONG = {
    "hindcast": "make_hindcast", "history fragility": "history_fragility", "history nowcast": "nowcast",
    "explore": "explorer.server.serve",
}  # fmt: skip
"""Commands that sample a posterior, or serve till they are ended, and the function at which the test stops them."""


DRAWN = ("run", "compare", "sweep", "swings", "shares", "influence", "condition", "signposts", "boxes", "history moved")


class Reached(BaseException):
    """The work of a command has begun."""


@pytest.mark.slow
def test_every_command_has_an_example_that_runs(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("history").symlink_to(ROOT / "history")

    def reached(*_: object, **__: object) -> None:
        raise Reached

    for name, example in sorted(EXAMPLES.items(), key=lambda item: (item[0] != "run", item[0])):
        program, *words = shlex.split(example)
        assert (program, " ".join(words)[: len(name)]) in {("simulate", name), ("simulate", "baseline"[: len(name)])}, (
            name
        )
        if name == "history moved":  # which takes two releases
            command("run", "baseline", "--samples", "64", "--no-charts", "--output", "apart")
            for dated in ("2024-01", "2025-01"):
                command("history", "freeze", "apart/latest", "--dated", dated)
        if name == "boxes":  # of a design
            over = "drivers.spending.growth[0].rate.centre=1.5x/year:4x/year"
            command("sweep", "baseline", "--samples", "64", "--over", over, "--design", "lhs:30", "--no-charts")
        if name == "score":  # of a forecast that began before the shipped table ends
            command("run", "baseline-2025", "--samples", "1000", "--no-charts")
        if name in LONG:
            monkeypatch.setattr(f"simulator.{LONG[name]}", reached)
            with pytest.raises(Reached):
                command(*words)
        else:
            done = command(*words, *(["--no-charts"] if name in DRAWN else []))
            assert (name, done.code) == (name, 0), done.err


def test_of_many_pieces_of_work_it_is_said_how_long_the_others_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "TOLD_AGAIN", 0.0)
    at = iter([0.0, 0.0, 30.0, 400.0])
    monkeypatch.setattr(options.time, "monotonic", lambda: next(at))
    assert list(options.with_time_left("abc", of=3)) == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines() == [
        "1 of 3 scenarios are done; the others take about 60 s.",
        "2 of 3 scenarios are done; the others take about 3 minutes.",
    ]
