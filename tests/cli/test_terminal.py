"""What a terminal gets: folded lines and sober colours; what a pipe gets: the lines as they are."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import terminal
from simulator.cli.main import COMMANDS, main
from simulator.scenario.library import shipped_names
from simulator.testing import scenario_text, small_scenario

LINES = [
    "Baseline: a heading",
    "  1e30 physical FLOP: 2036.6 ± 1.6 (90 % 2032.1 to > 2045), never by 2045: 13.3 ± 4.9 %",
]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


type Shown = Callable[..., list[str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def printed(lines: list[str], **how: Any) -> list[str]:
        screen = Screen()
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", screen)
            patched.setattr("sys.stderr", screen)
            terminal.told(lines, **how)
        return screen.getvalue().splitlines()

    return printed


def test_a_pipe_gets_lines_as_they_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    terminal.told(LINES)
    terminal.told(["warning: " + "word " * 40], err=True, style="yellow")
    said = capsys.readouterr()
    assert said.out.splitlines() == LINES
    assert said.err == "warning: " + "word " * 40 + "\n"


def test_a_terminal_folds_lines_and_marks_headings_and_warnings(shown: Shown) -> None:
    head, first, second = shown(LINES)
    (warned,) = shown(["warning: a word"], err=True, style="yellow")
    assert head == "\x1b[1mBaseline: a heading\x1b[0m"
    assert first == "  1e30 physical FLOP: 2036.6 ± 1.6 (90 % 2032.1 to > 2045),"
    assert second == "      never by 2045: 13.3 ± 4.9 %"
    assert shown([]) == []
    assert shown(["", "  below a line that is empty"]) == ["", "  below a line that is empty"]
    assert shown(["A sentence is none.", "  what follows"]) == ["A sentence is none.", "  what follows"]
    assert warned == "\x1b[33m\x1b[1mwarning\x1b[0m: a word"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_refused(shown: Shown, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b" not in "".join(shown(LINES))


def test_far_columns_come_close_where_a_line_is_folded(shown: Shown) -> None:
    assert shown(["drivers.spending.growth[1].from" + " " * 40 + "uniform, median 2028.5 (90 % 2027.2 to 2029.8)"]) == [
        "drivers.spending.growth[1].from  uniform, median 2028.5", "    (90 % 2027.2 to 2029.8)",
    ]  # fmt: skip


@pytest.mark.parametrize("width", ["80", "60"])
def test_no_summary_of_a_command_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    main(["--help"])
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= int(width)
    told = " ".join(said.split())
    for name, command in COMMANDS.items():
        summary = " ".join(str(command.__doc__).split("\n\n")[0].split()).split(". ")[0].rstrip(".")
        assert f"{name} {summary}" in told


def test_nothing_that_is_printed_steers_the_terminal(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(["a\x1b]0;title\x07", "b\u202ec\rd"])
    assert said == ["a\\u001b]0;title\\u0007", "b\\u202ec\\u000dd"]
    terminal.echo('{"a": "\x9b2J"}')
    assert capsys.readouterr().out == '{"a": "\\u009b2J"}\n'


type Offer = Callable[[str], list[str]]


@pytest.fixture
def offered(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    monkeypatch.chdir(tmp_path)

    def ask(line: str) -> list[str]:
        capsys.readouterr()
        with monkeypatch.context() as shell:
            shell.setenv("_SIMULATE_COMPLETE", "complete_bash")
            shell.setenv("COMP_WORDS", line)
            shell.setenv("COMP_CWORD", str(len(line.split()) - (not line.endswith(" "))))
            main([])
        said = capsys.readouterr()
        assert said.err == ""
        return said.out.split()

    return ask


def test_commands_and_scenarios_stand_first(offered: Offer) -> None:
    assert set(offered("simulate ")) == {*COMMANDS, "history"}
    assert offered("simulate base") == ["baseline", "baseline-2025"]
    assert offered("simulate sw") == ["sweep", "swings"]
    assert set(offered("simulate validate ")) == set(shipped_names("scenarios"))
    Path("mine.yaml").write_text("")
    assert offered("simulate sweep mi") == ["mine.yaml"]


def test_options_are_those_of_the_command_or_of_run(offered: Offer) -> None:
    assert {"--samples", "--seed"} <= set(offered("simulate baseline --s"))
    assert offered("simulate baseline --charts ") == ["fan", "all", "none"]
    assert "--over" in offered("simulate sweep baseline --o")


def test_names_are_those_of_priors_of_the_scenario_of_entries_and_of_what_was_run(
    offered: Offer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "drivers.spending.start=" in offered("simulate baseline --set drivers.sp")
    assert offered("simulate priors algorithms/ho-2024-a") == ["algorithms/ho-2024-arxiv"]
    assert offered("simulate show ") == []
    data = small_scenario({"thresholds.a": {"effective_compute": 1e29}})
    Path("small.yaml").write_text(scenario_text(data))
    main(["small.yaml", "--no-charts"])
    assert offered("simulate show ") == ["latest", "small"]
    assert offered("simulate export small --threshold ") == ["a"]
    assert offered("simulate signposts small --outcome cross") == ["crossing:a", "crossed:a@"]
    assert offered("simulate influence small --outcome eff") == ["effective_compute@"]
    assert offered("simulate swings small.yaml --outcome ") == [
        "physical_compute@", "physical_compute_demanded@", "effective_compute@", "crossing:a", "crossed:a@",
        "restricted:a",
    ]  # fmt: skip
    assert offered("simulate sweep small.yaml --outcome rest") == ["restricted:a"]
    assert offered("simulate signposts small --observable eff") == ["effective_compute"]
    assert offered("simulate swings none.yaml --outcome ") == offered("simulate signposts none --observable ") == []
    news = Path("outputs/small-given-0123abcd/condition.nc")
    news.parent.mkdir()
    news.touch()
    assert offered("simulate show small-") == offered("simulate chart small-") == ["small-given"]
    assert offered("simulate condition ") == offered("simulate history freeze ") == ["latest", "small"]
    main(["small.yaml", "--no-charts", "--seed", "2"])
    assert len(offered("simulate chart small")) == 3  # no run is called so alone


def test_completion_can_be_shown_and_installed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert "--install-completion" in capsys.readouterr().out
