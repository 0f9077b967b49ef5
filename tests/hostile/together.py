"""Four processes on one folder, one step at a time, in an order that a seed chooses: it ends the same whenever it is run.

A step goes up to the next look at the disk or change of it: what one has seen, others may have changed when it acts.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path as FilePath
from typing import Any

from tests.hostile.children import Case, child, command
from tests.hostile.disk import CHANGES, JOURNEYS, arrange, differences, is_in, prepared, tree

TOGETHER, MOST_STEPS, BUSY = 4, 100_000, 75
MIXED = ("run-again", "export", "score", "freeze", "report", "compare", "charts")
"""Journeys that leave the run as it is from which they start: any of them may go beside any other."""
_DONE_ELSEWHERE = ("at work there", "is frozen already", "must be more than the 192 samples")
_STEPS = CHANGES | {"os.listdir", "os.scandir"}


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _in_steps(words: Sequence[str], work: FilePath) -> int:
    """Run a command that stops before each of its steps, until it is told to go on."""
    import filelock

    class Waiting(filelock.FileLock):  # stops where it would wait for another that has stopped
        def acquire(self, *_: Any, **__: Any) -> Any:
            while True:
                try:
                    return super().acquire(timeout=0)
                except filelock.Timeout:
                    if self.timeout == 0:
                        raise
                    _stop()

    own = os.getpid()

    def step(event: str, args: tuple[Any, ...]) -> None:
        if event in _STEPS and os.getpid() == own and is_in(args[0], work):
            _stop()

    vars(filelock).update(FileLock=Waiting)
    os.chdir(work)
    arrange()
    _stop()
    sys.addaudithook(step)
    found = command(*words)
    print(found.said, found.trouble)
    refused = found.code == 2 and any(said in found.said for said in _DONE_ELSEWHERE)
    return 70 if found.trouble else BUSY if refused else found.code


def _stopped(process: int) -> int | None:
    """Wait until a process has stopped, or give the exit code with which it has ended."""
    _, state = os.waitpid(process, os.WUNTRACED)
    return None if os.WIFSTOPPED(state) else os.waitstatus_to_exitcode(state)


def _in_turns(processes: Sequence[int], rng: random.Random) -> list[int | None]:
    """Let one process at a time make a step until all have ended; None is the code of those that never do."""
    codes = [_stopped(process) for process in processes]
    stays, at = rng.choice((0.0, 0.5, 0.9, 0.98)), 0
    for _ in range(MOST_STEPS):
        waiting = [each for each, code in enumerate(codes) if code is None]
        if not waiting:
            break
        if at not in waiting or rng.random() > stays:
            at = rng.choice(waiting)
        os.kill(processes[at], signal.SIGCONT)
        codes[at] = _stopped(processes[at])
    for process, code in zip(processes, codes, strict=True):
        if code is None:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    return codes


def together_case(
    folder: FilePath,
    *,
    names: Sequence[str],
    seed: int,
    prepared_in: FilePath,
    after: Mapping[str, Mapping[str, bytes]],
) -> Iterator[tuple[str, str]]:
    """Let four commands go on at once in the same folder: all end well, and leave what each leaves by itself."""
    rng, work = random.Random(f"together {seed}"), folder / "work"
    shutil.copytree(prepared_in / names[0] / "before", work, symlinks=True)
    chosen = [rng.choice(names) for _ in range(TOGETHER)]
    asked = [JOURNEYS[name].words + (JOURNEYS[name].resume if rng.random() < 0.5 else ()) for name in chosen]
    said = [folder / f"said-{each}" for each in range(TOGETHER)]
    given = [partial(_in_steps, words, work) for words in asked]
    codes = _in_turns([child(*each) for each in zip(given, said, strict=True)], rng)
    what = "mixed" if names[1:] else names[0]
    failed = [at.read_text()[-300:] for at, code in zip(said, codes, strict=True) if code not in (0, BUSY)]
    if failed or 0 not in codes or (what == "freeze" and codes.count(0) > 1):
        yield "one of four failed", f"{what}: {codes} {''.join(failed[:1])}"
    expected = {path: content for name in chosen for path, content in after[name].items()}
    if (last := tree(work)) != expected:
        yield "other than one alone", f"{what}: {differences(last, expected)}"


def together_cases(names: Sequence[str], folder: FilePath, *, seeds: Sequence[int]) -> list[Case]:
    """Give each journey beside itself, and beside others where it may be, by each seed."""
    after = {name: prepared(name, folder)[0] for name in names}
    mixed = tuple(name for name in names if name in MIXED)
    return [
        (f"parallel --journey {' --journey '.join(each)} --only {seed}",
         partial(together_case, names=each, seed=seed, prepared_in=folder, after=after))
        for each in (*((name,) for name in names), *([mixed] if mixed[1:] else ()))
        for seed in seeds
    ]  # fmt: skip
