"""What a shell is offered where it asks how a line goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.cli.main import COMMANDS, main
from simulator.scenario.library import shipped_names
from simulator.testing import scenario_text, small_scenario

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
