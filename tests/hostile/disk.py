"""Writing that fails, is killed or interrupted at each change on the disk.

Changes are counted where Python announces them (audit events), not where the simulator makes them: one that goes past
`simulator.files` is met as well. What the netCDF library writes itself is met by a limit of the size of files.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import json
import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path as FilePath
from types import ModuleType
from typing import Any

from tests.history.made_up_history import CHANGE
from tests.hostile.attacks import LINEAR
from tests.hostile.children import Case, Ended, command, in_child

_RUN = ("run", "linear.yaml", "--charts", "none")
_STORED = ("run", "small.yaml", "--charts", "none", "--store", "zarr")
_SWEPT = ("sweep", "linear.yaml", "--no-charts", "--over", "drivers.algorithms.growth.sd=0.1,0.2")
_LEARNED = ("run", "learned.yaml", "--charts", "none", "--trust")
_SMALL = """
schema: 2
name: small
years: {first: 2020, last: 2025}
samples: 128
block: 64
drivers:
  compute: {start: {value: 1e26, unit: FLOP}, growth: {family: normal, mean: 0.4, sd: 0.1, unit: OOM/year}}
thresholds: {late: {physical_compute: 1e28}}
"""
"""Few arrays, each of which is some changes in a store."""
_NO_PROCESS = 1 << 30


@dataclass(frozen=True, slots=True)
class Journey:
    """A command that writes, what there was before it, and what takes it up again; without that the command does."""

    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    resume: tuple[str, ...] = ()


JOURNEYS: Mapping[str, Journey] = {
    "run": Journey(_RUN, resume=("--resume",)),
    "run-again": Journey(_RUN, (_RUN,)),
    "run-counted": Journey((*_RUN, "--keep", "summary"), resume=("--resume",)),
    "run-store": Journey(_STORED, resume=("--resume",)),
    "run-store-again": Journey(_STORED, (_STORED,), ("--resume",)),
    "sweep": Journey(_SWEPT, resume=("--resume",)),
    "extend": Journey(("extend", "latest", "--samples", "192", "--charts", "none"), (_RUN,)),
    "extend-store": Journey(
        ("extend", "latest", "--samples", "192", "--charts", "none"), (_STORED,)
    ),
    "export": Journey(("export", "latest", "--format", "csv"), (_RUN,)),
    "score": Journey(("score", "latest", "--ledger", "book.csv"), (_RUN,)),
    "freeze": Journey(("history", "freeze", "latest", "--dated", "2026-10"), (_RUN,)),
    "compare": Journey(("compare", "linear.yaml", "essay-2023", "--samples", "64", "--no-charts"), (_RUN,)),
    "shares": Journey(("shares", "linear.yaml", "--samples", "64", "--no-charts")),
    "report": Journey(("report", "latest"), (_RUN,)),
    "learned": Journey(_LEARNED, resume=("--resume",)),
    "learned-again": Journey((*_LEARNED, "--seed", "8"), (_LEARNED,)),
    "charts": Journey((*_RUN[:2], "--charts", "fan")),
}  # fmt: skip
MODES = ("kill", "fail", "full", "stop")
"""What happens at a change: the process is killed, this change fails, it and all that follow, Ctrl-C."""
SIZES = (0, 1, 30, 500, 4_000, 10_000, 20_000, 40_000)
"""Bytes that a file may have where the disk is full then; what holds a file open meets it in its midst."""

_MAKING = frozenset({"open", "os.mkdir", "os.link", "os.symlink", "os.truncate"})
CHANGES = _MAKING | {"os.rename", "os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Killed(BaseException):
    """A process is killed: from then on nothing of it changes the disk, whatever it would do while it ends."""


@dataclass(slots=True)
class Watch:
    """Counts the changes of this process below a folder, and disturbs it at one of them."""

    folder: FilePath = FilePath()
    at: int = 0
    mode: str = ""
    count: int = 0
    process: int = field(default_factory=os.getpid)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Take note of what Python announces."""
        if event not in CHANGES or (event == "open" and not args[2] & _WRITES) or not is_in(args[0], self.folder):
            return
        if event == "os.mkdir" and os.path.isdir(args[0]):  # noqa: PTH112  # which changes nothing
            return
        self.count += 1
        if self.mode == "kill" and self.count >= self.at > 0:
            raise Killed
        if self.count == self.at or (self.mode == "full" and self.count > self.at > 0 and event in _MAKING):
            if self.mode == "stop":
                os.kill(self.process, signal.SIGINT)
                return
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@cache
def watch() -> Watch:
    """Give what watches this process; it is never taken away again."""
    watching = Watch()
    sys.addaudithook(watching)
    return watching


def is_in(path: object, folder: FilePath) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    named = os.fsdecode(path)
    return not named.startswith("/") or named.startswith(f"{folder}/")


def _run(words: Sequence[str], folder: FilePath) -> tuple[Ended | None, int]:
    """Run a command in a process of its own, as the one that forks has run nothing: what it said, how many changes."""
    told = folder.with_suffix(".told")

    def work() -> None:
        found, count = _done(words, folder)
        told.write_text(json.dumps([found and (found.code, found.said, found.trouble), count]))

    code = in_child(work, folder.with_suffix(".said"))
    if code:
        return None, code
    found, count = json.loads(told.read_text())
    return Ended(found[0], found[1], [(cause, where) for cause, where in found[2]]), count


def _done(words: Sequence[str], folder: FilePath, at: int = 0, mode: str = "") -> tuple[Ended | None, int]:
    """Run a command in this process: what it said, None where it was killed; how many changes it made."""
    import vl_convert

    from simulator.engine import zarr_store

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores in what it starts behind it
    arrange()
    remember(zarr_store, "_made", told=_data_told)
    for name in ("vegalite_to_svg", "vegalite_to_vega", "svg_to_png"):
        remember(vl_convert, name)
    os.chdir(folder)
    watching = watch()
    ended_before = _NO_PROCESS + os.urandom(1)[0]  # what is left by this process counts as left by one that ended
    vars(os).update(getpid=lambda: ended_before)
    watching.folder, watching.at, watching.mode, watching.count = folder, at if mode in MODES else 0, mode, 0
    if mode == "size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZES[at], resource.RLIM_INFINITY))
    found = None
    with contextlib.suppress(Killed):
        found = command(*words)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    watching.at = 0
    return found, watching.count


def arrange() -> None:
    """Let a run of two blocks have two batches, leave what is done at each, and learn from draws that are made up."""
    from simulator.engine import run_folders, simulation
    from simulator.engine.checkpoints import Unfinished

    for module in (run_folders, simulation):
        vars(module).update(KEPT=64, COUNTED=64)
    Unfinished.due = lambda _: True  # as what takes hours is left every ten seconds
    make_up_fits()


def remember(
    module: ModuleType, name: str, *, told: Callable[..., object] = lambda *given, **more: (given, more)
) -> None:
    """Let what touches no disk and takes most of the time be made once in this process, of what is told of its input."""
    made, known = getattr(module, name), dict[str, Any]()

    def again(*given: Any, **options: Any) -> Any:
        key = repr(told(*given, **options))
        if key not in known:
            known[key] = made(*given, **options)
        return copy.copy(known[key])

    if not hasattr(made, "known"):
        vars(again).update(known=known)
        vars(module).update({name: again})


def _data_told(data: Any, **options: Any) -> object:
    nodes = getattr(data, "subtree", [data])
    told = [(each.attrs, [(v, at.attrs, at.values.tolist()) for v, at in each.variables.items()]) for each in nodes]
    return told, data.sizes, options.get("group")


def make_up_fits() -> None:
    """Let the fit of a change of growth have draws that are made up in this process: sampling takes a minute."""
    import numpy as np
    import xarray as xr

    from simulator.history import change_point

    means = {"level_start": 9.8, "earlier_growth": 0.04, "change_date": 2014.0, "later_growth": 0.05}
    rng, coords = np.random.default_rng(3), {"chain": range(2), "draw": range(100)}

    def draws(*_: object, **__: object) -> xr.Dataset:
        held = {name: mean + 0.01 * rng.standard_normal((2, 100)) for name, mean in means.items()}
        held |= {name: rng.uniform(0.1, 4.0, (2, 100)) for name in ("run_scatter", "run_tail", "run_tail_excess")}
        return xr.Dataset({name: (("chain", "draw"), values) for name, values in held.items()}, coords)

    def sampled(_: object) -> tuple[xr.Dataset, xr.Dataset]:
        return draws(), xr.Dataset({"diverging": (("chain", "draw"), np.zeros((2, 100), bool))}, coords)

    vars(change_point).update(
        build_change=lambda *_: None, exact_arithmetic=contextlib.nullcontext, sampler_of=lambda *_: sampled,
        draw_prior=draws,
    )  # fmt: skip


def tree(folder: FilePath) -> dict[str, bytes]:
    """Give what a folder holds, links by what they lead to; but for locks, which stay."""
    held = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            held[str(path.relative_to(folder))] = str(path.readlink()).encode()
        elif path.is_file() and not path.name.endswith(".lock"):  # where links are not allowed, a file stands for one
            content = path.read_bytes()
            held[str(path.relative_to(folder))] = content.strip() if path.name == "latest" else content
    return held


tree_before = cache(tree)


@cache
def prepared(name: str, folder: FilePath) -> tuple[dict[str, bytes], int]:
    """Make what stands before a journey, `before`, and give what stands behind it, and after how many changes."""
    journey = JOURNEYS[name]
    before, after = folder / name / "before", folder / name / "after"
    before.mkdir(parents=True)
    (before / "linear.yaml").write_text(LINEAR + "samples: 128\nblock: 64\n")
    (before / "small.yaml").write_text(_SMALL)
    small = CHANGE.replace("samples: 512", "samples: 128\nblock: 64").replace("own-change", "learned")
    (before / "learned.yaml").write_text(
        small.replace("draws: 300, tune: 300", "draws: 100, tune: 100") % ", series: power.csv"
    )
    (before / "power.csv").write_text(
        "date,value,label\n" + "".join(f"{year},{1.1 ** (year - 2000)},plant\n" for year in range(2000, 2027))
    )
    for words in journey.before:
        _whole(_run(words, before), words)
    shutil.copytree(before, after, symlinks=True)
    changes = _whole(_run(journey.words, after), journey.words)
    return tree(after), changes


def _whole(done: tuple[Ended | None, int], words: Sequence[str]) -> int:
    found, changes = done
    if found is None or found.code or found.trouble:
        raise RuntimeError(f"{' '.join(words)}: {found} {changes}")
    return changes


def journey_case(
    folder: FilePath, *, name: str, at: int, mode: str, prepared_in: FilePath, after: Mapping[str, bytes]
) -> Iterator[tuple[str, str]]:
    """Disturb a journey; what is visible then is what was before or will be after, and to go on gives the whole."""
    journey, before = JOURNEYS[name], tree_before(prepared_in / name / "before")
    work = folder / "work"
    shutil.copytree(prepared_in / name / "before", work, symlinks=True)
    found, _ = _done(journey.words, work, at, mode)
    between = tree(work)
    where = f"{name} {mode}"
    if found is not None:
        yield from ((cause, f"{where}: {place}") for cause, place in found.trouble if place != f"{journey.words[0]}")
        seen = {path: content for path, content in between.items() if not _passes(path)}
        if found.code == 0 and mode in ("fail", "full", "size") and seen != after:
            yield "lost without a word", f"{where}: {differences(seen, after)}"
    for path, content in between.items():
        if not _passes(path) and content not in (before.get(path), after.get(path)):
            yield "neither the old nor the new", f"{where}: {_named(path)}"
    for words in ((*journey.words, *journey.resume),):
        found, _ = _done(words, work)
        last = tree(work)
        done = {path: content for path, content in last.items() if not _passes(path)} == after
        if found is not None and found.code == 2 and not found.trouble and done:
            continue  # refused, as what is asked for is there: a frozen forecast, so many samples
        if found is None or found.code:
            yield "not gone on with", f"{where}: {found.said.strip().splitlines()[-1:] if found else 'aborted'}"
        elif found.trouble:
            yield from found.trouble
        elif last != after:
            yield "other than undisturbed", f"{where}: {differences(last, after)}"


def _passes(path: str) -> bool:
    """Tell whether a file is one that the next run removes, where it could not be removed."""
    return ".unfinished" in path or any(part.startswith(".") for part in FilePath(path).parts)


def differences(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> str:
    kinds = {"missing": other.keys() - one.keys(), "left": one.keys() - other.keys()}
    kinds["changed"] = {path for path in one.keys() & other.keys() if one[path] != other[path]}
    return "; ".join(
        f"{kind} {', '.join(sorted({_named(path) for path in paths})[:3])}" for kind, paths in kinds.items() if paths
    )


def _named(path: str) -> str:
    """Name a file without what chance has put into its name."""
    return "/".join("TEMPORARY" if part.startswith(".") else part for part in FilePath(path).parts)


def disk_cases(names: Sequence[str], folder: FilePath, *, most: int, modes: Sequence[str] = ()) -> list[Case]:
    """Give the cases of journeys: every change by every mode, or as many of them as are asked for, by chance."""
    made: list[Case] = []
    for name in names:
        after, changes = prepared(name, folder)
        at = [(mode, number) for mode in MODES for number in range(1, changes + 1)]
        at += [("size", number) for number in range(len(SIZES))]
        at = [each for each in at if each[0] in (modes or each)]
        some = at if len(at) <= most else random.Random(name).sample(at, most)
        made += [
            (f"disk --journey {name} {mode} {number}",
             partial(journey_case, name=name, at=number, mode=mode, prepared_in=folder, after=after))
            for mode, number in some
        ]  # fmt: skip
    return made
