"""Cases worked through in forked processes, so that one that aborts, hangs or eats memory ends itself alone.

The process that forks has loaded modules and run nothing: no thread, no lock and no cache is handed on.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import select
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import NoReturn

SECONDS, PATIENCE, MEMORY = 10, 120, 1 << 30
"""What a case may take: of the processor, of the clock on a machine that others use too, and bytes more than before."""
LONGEST = 100_000
"""Characters that a command says of bad input at most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a case led to that no case may lead to."""

    case: str
    cause: str
    where: str
    told: str = ""


@dataclass(slots=True)
class Ended:
    """How a command ended: its exit code, what it said, and what it should not have done."""

    code: int
    said: str
    trouble: list[tuple[str, str]] = field(default_factory=list)


type Case = tuple[str, Callable[[FilePath], Iterable[tuple[str, str]]]]
"""What makes a case again, and the case: from an empty folder to causes and places of what went wrong."""


def command(*words: object) -> Ended:
    """Run a command in this process; a traceback, a library's warning and an endless message are trouble."""
    from simulator.cli.main import main

    said, code, trouble = io.StringIO(), 0, []
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        warnings.catch_warnings(record=True) as seen,
    ):
        warnings.simplefilter("always")
        try:
            main([str(word) for word in words])
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
        except Exception as error:  # noqa: BLE001  # which it is, is what is asked
            trouble.append(("traceback", place_of(error)))
            said.write(traceback.format_exc())
            code = 70
    trouble += [
        ("warning", f"{each.category.__name__}: {each.message} {_short(each.filename)}:{each.lineno}") for each in seen
    ]
    text = said.getvalue()
    if code not in (0, 1, 2, 70):
        trouble.append((f"exit {code}", str(words[0])))
    if code == 2 and len(text) > LONGEST:
        trouble.append(("endless message", str(words[0])))
    if code != 70 and ("Traceback (most" in text or "Exception ignored" in text):
        trouble.append(("traceback", f"printed by {words[0]}"))
    return Ended(code, text, trouble)


def place_of(error: BaseException) -> str:
    """Name an error, and the innermost line of the simulator that it went through."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "/simulator/" in each.filename]
    at = f"{_short(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {at}: {str(error).splitlines()[0][:100] if str(error) else ''}"


def _short(file: str) -> str:
    return "/".join(FilePath(file).parts[-3:])


def preload() -> None:
    """Load all modules, and the libraries that commands load, once for all that is forked."""
    import simulator

    modules = [each.name for each in pkgutil.walk_packages(simulator.__path__, "simulator.")]
    for name in (*modules, "netCDF4", "xarray.backends.zarr", "zarr.codecs", "filelock"):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    for name in ("dask.array", "arviz", "pyarrow.pandas_compat"):  # which others load where they find them
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that no child touches, and with it copies, what is shared


def child(work: Callable[[], object], said: FilePath | None = None) -> int:
    """Start a process that does a piece of work and ends by it; give its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads of libraries, which wait
        number = os.fork()
    return number or _end(work, said)


def _end(work: Callable[[], object], said: FilePath | None) -> NoReturn:
    code = 71
    try:
        if said is not None:
            handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
        result = work()
        code = result if isinstance(result, int) else 0
    except BaseException:  # noqa: BLE001  # whatever it is, this process is not the one that goes on
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def ended(number: int) -> int:
    """Wait for a process; give its exit code, below 0 for the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def in_child[Result](work: Callable[[], Result], said: FilePath) -> int:
    """Do a piece of work in a process of its own; give how it ended."""
    return ended(child(work, said))


def findings(cases: Sequence[Case], folder: FilePath, *, drawn: bool = False) -> Iterator[Finding | None]:
    """Work through cases, each in a folder of its own that is empty; give what each led to, and None behind each.

    What draws charts has more time and no limit of memory.
    """
    at = 0
    while at < len(cases):
        reader, writer = os.pipe()
        number = child(
            lambda first=at, to=writer: _work_through(cases[first:], folder, to, drawn=drawn), folder / "said.txt"
        )
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            for done in _lines(stream, number):
                yield from (Finding(cases[at][0], *each) for each in done)
                yield None
                at += 1
        code = ended(number)
        if at < len(cases):
            said = (folder / "said.txt").read_text(errors="replace")[-2000:]
            cause = (
                "hang" if -code in (signal.SIGPROF, signal.SIGKILL) else "memory" if "MemoryError" in said else "abort"
            )
            yield Finding(cases[at][0], cause, f"ended with {code}", said)
            yield None
            at += 1


def _lines(stream: io.BufferedReader, number: int) -> Iterator[list[list[str]]]:
    held, until = b"", time.monotonic() + PATIENCE
    while True:
        ready, _, _ = select.select([stream], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            os.kill(number, signal.SIGKILL)
            return
        more = os.read(stream.fileno(), 1 << 16)
        if not more:
            return
        *lines, held = (held + more).split(b"\n")
        if lines:
            until = time.monotonic() + PATIENCE
        yield from map(json.loads, lines)


def _work_through(cases: Sequence[Case], folder: FilePath, writer: int, *, drawn: bool) -> None:
    if not drawn:  # what draws reserves more than there is, and uses little of it
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    own = folder / "case"
    for _, case in cases:
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        os.chdir(own)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.setitimer(signal.ITIMER_PROF, 6 * SECONDS if drawn else SECONDS)
        try:
            found = [list(each) for each in case(own)]
        except Exception as error:  # noqa: BLE001  # of what reads results; what commands do is found there
            traceback.print_exc()
            found = [["traceback", place_of(error)]]
        signal.setitimer(signal.ITIMER_PROF, 0)
        if (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 > MEMORY:
            found.append(["memory", "1 GB more than before"])
        os.write(writer, json.dumps(found).encode() + b"\n")


def summary(found: Iterable[Finding | None], *, show: Callable[[str], None]) -> int:
    """Tell each finding as it comes, and at the end how many cases led to what; give how many findings there are."""
    count, cases, causes = 0, 0, Counter[tuple[str, str]]()
    for each in found:
        if each is None:
            cases += 1
            continue
        count += 1
        causes[each.cause, each.where] += 1
        if causes[each.cause, each.where] <= 3:
            show(
                f"{each.case}: {each.cause}: {each.where}" + "".join(f"\n    {line}" for line in each.told.splitlines())
            )
    show(f"{cases:,} cases, {count:,} findings.")
    for (cause, where), times in causes.most_common():
        show(f"{times:6,}  {cause}: {where}")
    return count
