"""`python -m tests.hostile`: attacks in numbers, with a summary by cause; see docs/reliability.md."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path as FilePath

from tests.hostile import attacks, disk, matrix, together
from tests.hostile.children import findings, preload, summary

say = partial(print, flush=True)


def main() -> int:
    """Work through what is asked; the exit code is 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument(
        "attack", nargs="*", help=f"of {', '.join(ATTACKS)}, or with its own number, disk=45; all mutants without one"
    )
    parser.add_argument("--cases", type=int, default=300, help="mutants in all, or the most cases of another attack")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--only", type=int, help="this seed alone; its files stay")
    parser.add_argument("--journey", action="append", choices=disk.JOURNEYS, help="of disk and parallel: this alone")
    parser.add_argument(
        "--mode", action="append", choices=(*disk.MODES, "size"), help="of disk: this way to fail alone"
    )
    parser.add_argument("--folder", type=FilePath, help="where files are written; a temporary folder without it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.folder or FilePath(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ |= {"HOME": str(folder), "NO_COLOR": "1"}
        preload()
        own = dict(each.split("=") for each in asked.attack if "=" in each)
        kinds = [each.partition("=")[0] for each in asked.attack] or attacks.KINDS
        for name in ("stored", "prepared"):
            shutil.rmtree(folder / name, ignore_errors=True)
        if not {"runs", "stores", "structures", "matrix"}.isdisjoint(kinds):
            attacks.make_stored(folder / "stored")
        found, parts = 0, sum(QUICK.get(kind, 1) for kind in kinds)
        shares = {kind: int(own.get(kind, -(-asked.cases * QUICK.get(kind, 1) // parts))) for kind in kinds}
        for kind in kinds:
            say(f"== {kind}")
            shutil.rmtree(folder / kind, ignore_errors=True)
            (folder / kind).mkdir()
            found += ATTACKS[kind](kind, folder / kind, asked, share=shares[kind])
    return int(found > 0)


def _mutants(kind: str, folder: FilePath, asked: argparse.Namespace, *, share: int) -> int:
    seeds = range(asked.seed, asked.seed + share) if asked.only is None else [asked.only]
    return summary(findings(attacks.cases(kind, seeds, stored=folder.parent / "stored"), folder), show=say)


def _disk(_: str, folder: FilePath, asked: argparse.Namespace, *, share: int) -> int:
    names = asked.journey or list(disk.JOURNEYS)
    cases = disk.disk_cases(names, folder.parent / "prepared", most=-(-share // len(names)), modes=asked.mode or ())
    return summary(findings(cases, folder, drawn=True), show=say)


def _together(_: str, folder: FilePath, asked: argparse.Namespace, *, share: int) -> int:
    names = asked.journey or list(disk.JOURNEYS)
    seeds = range(asked.seed, asked.seed - (-share // len(names))) if asked.only is None else [asked.only]
    cases = together.together_cases(names, folder.parent / "prepared", seeds=seeds)
    return summary(findings(cases, folder, drawn=True), show=say)


def _matrix(_: str, folder: FilePath, asked: argparse.Namespace, *, share: int) -> int:
    return summary(findings(matrix.matrix_cases(folder.parent / "stored", most=share), folder, drawn=True), show=say)


ATTACKS = dict.fromkeys(attacks.KINDS, _mutants) | {"disk": _disk, "parallel": _together, "matrix": _matrix}
QUICK = {"scenarios": 2, "priors": 3, "tables": 3}
"""How many cases of an attack there are for one of another: their cases take less time."""

if __name__ == "__main__":
    raise SystemExit(main())
