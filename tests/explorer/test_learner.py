"""Learning beside what is computed, in a process that ends with whoever asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.explorer.explorer import Explorer
from simulator.explorer.learner import Learner, LearnsError
from simulator.scenario.load import load_scenario

QUICK = ["history.sampler={draws: 20, tune: 20, chains: 2}"]
LONG = ["history.sampler={draws: 100000, tune: 20000}"]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    made = Learner(tmp_path)
    yield made
    made.stop()


def process_of(learner: Learner) -> subprocess.Popen[bytes]:
    [(process, *_)] = learner._at_work.values()
    return process


def test_it_learns_beside_and_then_reads_what_is_stored(learner: Learner) -> None:
    scenario = load_scenario("change-point", overrides=QUICK)
    with pytest.raises(LearnsError, match="change-point learns from history"):
        learner.ready(scenario)
    with pytest.raises(LearnsError, match=r"\d s of about a minute"):
        learner.ready(scenario)
    process_of(learner).wait(300)
    learnt = learner.ready(scenario)
    assert not learnt.must_learn
    assert learner._at_work == {}


def test_what_cannot_be_learnt_is_told_at_once(learner: Learner) -> None:
    with pytest.raises(InputError, match="need 6"):
        learner.ready(load_scenario("change-point", overrides=[*QUICK, "history.until=1952"]))
    assert learner._at_work == {}


def test_a_process_that_fails_is_told_once(learner: Learner, tmp_path: Path) -> None:
    learner._outputs = tmp_path / "file"  # in which nothing can be stored
    learner._outputs.write_text("")
    scenario = load_scenario("change-point", overrides=QUICK)
    with pytest.raises(LearnsError):
        learner.ready(scenario)
    process_of(learner).wait(300)
    with pytest.raises(InputError, match="change-point could not learn"):
        learner.ready(scenario)
    assert learner._at_work == {}


def test_it_is_stopped(learner: Learner) -> None:
    with pytest.raises(LearnsError):
        learner.ready(load_scenario("learned", overrides=LONG))
    process = process_of(learner)
    learner.stop()
    assert process.returncode not in (0, None)
    assert learner._at_work == {}


def test_no_process_stays_behind_a_killed_one(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom simulator.explorer.learner import *\n"
        "from simulator.scenario.load import load_scenario\nlearner = Learner(Path(sys.argv[1]))\n"
        f"scenario = load_scenario('learned', overrides={LONG})\n"
        "try:\n    learner.ready(scenario)\nexcept LearnsError:\n    pass\n"
        "print(next(iter(learner._at_work.values()))[0].pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        child = int(asker.stdout.readline())
        time.sleep(2.0)
        asker.send_signal(signal.SIGKILL)
    for _ in range(100):
        time.sleep(0.1)
        if not _is_alive(child):
            return
    raise AssertionError(f"{child} goes on")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_explorer_answers_others_meanwhile_and_can_be_told_to_stop(tmp_path: Path) -> None:
    explorer = Explorer("essay-2023", outputs=tmp_path)
    learns = {"kind": "state", "scenario": "change-point", "serial": 5}
    answer = explorer.answer(learns)
    assert answer["learning"].startswith("change-point learns from history")
    assert explorer.answer({"kind": "picture", "samples": 64})["picture"]["samples"] == 64
    assert set(explorer.answer(learns)) == {"serial", "learning"}
    assert explorer.answer({"kind": "stop"}) == {}
    assert explorer._learner._at_work == {}
    late = Explorer("change-point", outputs=tmp_path, waits=False)
    assert set(late.answer({"kind": "state"})) == {"learning"}
    late.answer({"kind": "stop"})
