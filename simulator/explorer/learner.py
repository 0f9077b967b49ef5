"""Learning from history beside what is computed: in a process of its own, which can be ended and never stays behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path as FilePath
from typing import Any

from simulator.engine.run_folders import ready
from simulator.errors import InputError, NotStoredError, SimulatorError
from simulator.scenario.resolving import Scenario

_CHILD = f"import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from {__name__} import work; work()"


class LearnsError(SimulatorError):
    """A scenario learns, and is not ready yet; the text says for how long it has."""


class Learner:
    """Makes scenarios ready: from a stored fit at once, else in a process for each, while others are computed."""

    def __init__(self, outputs: FilePath) -> None:
        self._outputs = outputs
        self._at_work: dict[str, tuple[subprocess.Popen[bytes], Any, float]] = {}

    def ready(self, scenario: Scenario) -> Scenario:
        """Give a scenario that has learnt; LearnsError while it does, InputError once that has failed."""
        name, at_work = scenario.hash, self._at_work.get(scenario.hash)
        if at_work is not None and at_work[0].poll() is None:
            spent = time.monotonic() - at_work[2]
            raise LearnsError(f"{scenario.spec.name} learns from history: {spent:.0f} s of about a minute, this once.")
        said = "" if at_work is None else self._ended(name)
        with suppress(NotStoredError):
            return ready(scenario, self._outputs, say=lambda _: None, stored=True)
        if at_work is not None:
            raise InputError(said or f"{scenario.spec.name} could not learn: its process was ended.")
        self._at_work[name] = self._begun(scenario)
        raise LearnsError(f"{scenario.spec.name} learns from history, which takes about a minute, this once.")

    def stop(self) -> None:
        """End what learns."""
        for name in tuple(self._at_work):
            self._ended(name)

    def _ended(self, name: str) -> str:
        """End a process, and give what it said at last."""
        process, told, _ = self._at_work.pop(name)
        with told:
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.close()  # which it sees
            process.wait()
            told.seek(0)
            return "".join(told.read().decode(errors="replace").splitlines()[-1:])

    def _begun(self, scenario: Scenario) -> tuple[subprocess.Popen[bytes], Any, float]:
        told = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told,
            start_new_session=True,
        )  # fmt: skip
        given = [pickle.dumps(each) for each in (sys.path, (scenario, self._outputs))]
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.write(b"".join(given))
                process.stdin.flush()
        return process, told, time.monotonic()


def work() -> None:
    """Let the scenario that stands on stdin learn, and store its fit; end with whoever asked for it."""
    scenario, outputs = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that began this one
    threading.Thread(target=partial(_end_with_asker, os.getpid()), daemon=True).start()
    try:
        ready(scenario, outputs, say=lambda _: None)
    except Exception as error:  # noqa: BLE001 - told where it was asked for, in one line
        sys.exit(f"{scenario.spec.name} could not learn ({type(error).__name__}): {' '.join(str(error).split())}")


def _end_with_asker(group: int) -> None:
    """End this process and those that it began once nobody holds the other end of stdin."""
    os.read(sys.stdin.fileno(), 1)  # beside Python's own lock, which a process that is forked meanwhile would keep
    if hasattr(os, "killpg"):
        os.killpg(group, signal.SIGKILL)
    os._exit(1)
