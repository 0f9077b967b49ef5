"""What a mutant goes through: each attack gives cases, by the seed that makes them again."""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path as FilePath

from tests.analysis.linear_scenario import LINEAR as COMING
from tests.hostile.children import Case, command, in_child
from tests.hostile.mutators import mutant, mutant_table, mutate_run, mutate_structure
from tests.places import ROOT

type Trouble = Iterator[tuple[str, str]]

FEW = ("--samples", "64", "--charts", "none")
LINEAR = COMING.replace("first: 2025, last: 2030", "first: 2020, last: 2025")
"""A scenario of years that have been, so that it is scored; it has samples on both sides of its threshold."""


@cache
def scenarios() -> tuple[tuple[str, bytes], ...]:
    """Give the shipped scenarios and the example that stands alone, but for those that learn: a fit takes a minute."""
    from simulator.scenario.library import shipped_file, shipped_names
    from simulator.scenario.load import load_scenario

    named = [name for name in shipped_names("scenarios") if not load_scenario(name).must_learn]
    return (("linear", LINEAR.encode()), *((name, shipped_file("scenarios", name).read_bytes()) for name in named))


def scenario_case(seed: int, folder: FilePath) -> Trouble:
    """Run a mutant of a scenario with few samples; look for numbers that are none in what it writes and prints."""
    _, content = scenarios()[seed % len(scenarios())]
    (folder / "mutant.yaml").write_bytes(mutant(content, seed))
    if seed % 10 == 0:
        yield from command("validate", "mutant.yaml").trouble
    ended = command("run", "mutant.yaml", *FEW, "--output", "out", *(("--store", "zarr") if seed % 50 == 1 else ()))
    yield from ended.trouble
    if ended.code == 0:
        yield from silent(ended.said, folder)


def prior_case(seed: int, folder: FilePath) -> Trouble:
    """Run a scenario whose start comes from a library that is a mutant, and look the same way."""
    from simulator.scenario.library import shipped_file, shipped_names

    names = shipped_names("priors")
    content = shipped_file("priors", names[seed % len(names)]).read_bytes()
    entries = re.findall(rb"^([a-z][\w-]*):", content, re.MULTILINE)
    entry = entries[seed // len(names) % len(entries)].decode()
    (folder / "mutant.yaml").write_bytes(mutant(content, seed))
    place = ("start: {prior: ./mutant/%s}", "growth: {prior: ./mutant/%s}")[seed % 2] % entry
    text = f"drivers:\n  spending:\n    {place}\n"
    (folder / "own.yaml").write_text(f"schema: 2\nname: own\nextends: essay-2023\n{text}")
    ended = command("run", "own.yaml", *FEW, "--output", "out")
    yield from ended.trouble
    if ended.code == 0:
        yield from silent(ended.said, folder)


TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("history/training-runs.csv", ("history", "load", "table.csv", "--snapshot", "2026-05", "--output", "tidy.csv")),
    ("history/training-runs.csv", ("history", "frontier", "table.csv", "--snapshot", "2026-05")),
    ("history/accelerators.csv", ("history", "load", "table.csv", "--snapshot", "2026-05")),
    ("history/training-runs.csv", ("score", "frozen.yaml", "--observed", "table.csv", "--snapshot", "2026-05", "--output", "out")),
    ("forecasts/ledger.csv", ("score", "--ledger", "table.csv")),
    ("forecasts/baseline-2025-11.yaml", ("score", "table.csv", "--output", "out", "--ledger", "book.csv")),
    ("", ("run", "empirical.yaml", *FEW, "--output", "out")),
)  # fmt: skip
"""Which table is changed, and which command reads it; the last is a column of numbers as a prior."""


def table_case(seed: int, folder: FilePath) -> Trouble:
    """Read a mutant of a table by a command that takes such a table."""
    source, words = TABLES[seed % len(TABLES)]
    column = "usd,weight\n" + "".join(f"{1e8 * (1 + each / 7)},{each}\n" for each in range(1, 30))
    content = (ROOT / source).read_bytes() if source else column.encode()
    change = mutant if source.endswith(".yaml") else mutant_table
    table = folder / ("table.yaml" if source.endswith(".yaml") else "table.csv")
    table.write_bytes(change(content, seed))
    words = tuple(table.name if word == "table.csv" else word for word in words)
    shutil.copy(ROOT / "forecasts/baseline-2025-11.yaml", folder / "frozen.yaml")
    start = "start: {empirical: {file: table.csv, column: usd}, unit: USD}"
    (folder / "empirical.yaml").write_text(LINEAR.replace(re.search(r"start: .*USD}", LINEAR)[0], start))
    ended = command(*words)
    yield from ended.trouble
    if ended.code == 0 and words[0] == "run":
        yield from silent(ended.said, folder)


READERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "run": (
        ("show", "{}"), ("show", "{}", "--variables"), ("show", "{}", "--by", "2024"), ("show", "{}", "--json"),
        ("check", "{}", "--fast"), ("check", "{}"), ("reweight", "{}", "--set", "drivers.algorithms.growth.mean=0.35"),
        ("influence", "{}", "--no-charts"), ("condition", "{}", "--given", "spending@2024 >= 1e9", "--no-charts"),
        ("signposts", "{}", "--outcome", "crossing:late", "--no-charts"), ("compare", "{}", "linear.yaml", "--no-charts"),
        ("export", "{}", "--format", "csv"), ("export", "{}", "--format", "json"), ("export", "{}", "--format", "hub"),
        ("score", "{}", "--ledger", "book.csv"), ("extend", "{}", "--samples", "864", "--charts", "none"),
        ("history", "freeze", "{}", "--dated", "2026-11"), ("chart", "{}", "--format", "vega"),
    ),
    "": (("show", "{}"), ("show", "{}", "--json"), ("chart", "{}", "--format", "vega")),
}  # fmt: skip
"""What reads a file of a run, and what reads one of any other kind."""


MAKERS: tuple[tuple[str, ...], ...] = (
    ("run", "linear.yaml", *FEW, "--store", "zarr", "--set", "name=store"),
    ("run", "linear.yaml", *FEW, "--keep", "summary", "--set", "name=counted"),
    ("run", "linear.yaml", "--samples", "800", "--charts", "none"),
    ("sweep", "linear.yaml", "--samples", "64", "--no-charts", "--over", "drivers.algorithms.growth.sd=0.1,0.2"),
    ("shares", "linear.yaml", "--samples", "64", "--no-charts"),
    ("swings", "linear.yaml", "--samples", "16", "--no-charts"),
    ("audit", "linear.yaml", "--samples", "64"),
    ("compare", "linear.yaml", "essay-2023", "--samples", "64", "--no-charts"),
    ("compare", "linear.yaml", "essay-2023", "--samples", "64", "--no-charts", "--attribute"),
    ("influence", "latest", "--no-charts", "--output", "outputs/own-influence"),
    ("condition", "latest", "--given", "spending@2024 >= 1e9", "--no-charts"),
    ("signposts", "latest", "--outcome", "crossing:late", "--no-charts"),
    ("score", "latest", "--ledger", "outputs/book.csv", "--output", "outputs/own-score"),
    ("published", "four-times-a-year", "--output", "outputs/own-published"),
)  # fmt: skip
"""What writes folders of every kind but those that need a fit of history, each of another name."""


def make_stored(folder: FilePath) -> None:
    """Make a folder of every kind, in a process of its own."""
    folder.mkdir(parents=True)
    (folder / "linear.yaml").write_text(LINEAR)
    if in_child(partial(_make_stored, folder), folder / "said.txt"):
        raise RuntimeError((folder / "said.txt").read_text())


def _make_stored(folder: FilePath) -> int:
    os.chdir(folder)
    made = {words: command(*words) for words in MAKERS}
    for words, ended in made.items():
        print(*words, ended.code, ended.trouble, ended.said if ended.code == 2 else "")
    return int(any(ended.code == 2 or ended.trouble for ended in made.values()))


def stored_folders(stored: FilePath) -> list[FilePath]:
    """Give the folders that were made, in the order of their names but for the id, which every change of code changes."""
    folders = {re.sub(r"-[0-9a-f]{8}$", "", each.name): each for each in stored.glob("outputs/*-*") if each.is_dir()}
    return [folders[name] for name in sorted(folders)]


def run_case(
    seed: int, folder: FilePath, *, stored: FilePath, damage: Callable[[FilePath, int], None] = mutate_run
) -> Trouble:
    """Damage a file that keeps a run or a result, and read it by some of the commands that read such a one."""
    files = [file for each in stored_folders(stored) for file in sorted(each.glob("*.nc"))]
    runs = [file for file in files if file.name == "run.nc"]
    file = runs[seed // 3 % len(runs)] if seed % 3 else files[seed // 3 % len(files)]
    own = folder / file.parent.name
    shutil.copytree(file.parent, own)
    shutil.copy(stored / "linear.yaml", folder)
    before = (own / file.name).read_bytes()
    damage(own / file.name, seed)
    if (own / file.name).read_bytes() == before:
        return
    rng = random.Random(f"reader {seed}")
    readers = READERS["run" if file.name == "run.nc" else ""]
    for words in rng.sample(readers, min(len(readers), 4)):
        ended = command(*(word.format(own) for word in words))
        yield from ((cause, f"{where} [{words[0]}]") for cause, where in ended.trouble)
        if ended.code == 0 and words[0] != "compare" and (said := _NAN.search(ended.said)):
            yield "silent NaN", f"{words[0]}: {_around(ended.said, said)}"


def store_case(seed: int, folder: FilePath, *, stored: FilePath) -> Trouble:
    """Take away, cut or flip a file of a Zarr store, or of the tables and lines beside a result; read what is left."""
    rng = random.Random(f"store {seed}")
    own = folder / "own"
    shutil.copytree(rng.choice(stored_folders(stored)), own)
    shutil.copy(stored / "linear.yaml", folder)
    files = [each for each in sorted(own.rglob("*")) if each.is_file() and each.suffix != ".nc"]
    for file in rng.sample(files, min(len(files), rng.choice((1, 1, 2)))):
        if rng.random() < 0.3:
            file.unlink()
        else:
            file.write_bytes(mutant_table(file.read_bytes(), seed))
    for words in rng.sample(READERS["run" if (own / "run.zarr").exists() else ""], 3):
        ended = command(*(word.format("own") for word in words))
        yield from ((cause, f"{where} [{words[0]}]") for cause, where in ended.trouble)


_MAY_BE_UNBOUNDED = re.compile(
    r"cap_.*|constraint_.*|crossing_year|crossing_quantile|threshold_level.*|thresholds\..*|.*_error|.*\.limit|gap_.*"
    r"|event_.*|behind_years|lead_years|place_quantile"
)
_MAY_BE_MISSING = re.compile(r".*_error")
_NAN = re.compile(r"(?<!warning: )(?<!\[\")\bnan\b", re.IGNORECASE)
"""Where it is no word that was written among the warnings of a run."""
_NAMED_NAN = re.compile(rb"(?<![.\w])(?i:nan)\b")
"""A scenario that calls something so."""


_TOLD = "It stands as +inf there"
"""What is said of a run in which something exceeds every number."""


def silent(said: str, case: FilePath) -> Trouble:
    """Look for numbers that are none and are not told: in what was printed, in the tables, and in the groups of a run."""
    import numpy as np

    from simulator import open_run

    found = re.search(r"\bnan\b|(?<![>≥-] )\binf\b", said.replace(_TOLD, ""), re.IGNORECASE)
    if found and not any(_NAMED_NAN.search(each.read_bytes()) for each in case.glob("*.yaml")):
        yield "silent NaN", f"printed: {_around(said, found)}"
    for folder in sorted(case.glob("out/*-????????")):
        for table in sorted(folder.glob("*.csv")):
            rows = list(csv.DictReader(table.open(encoding="utf-8")))
            names = {name for row in rows for name, cell in row.items() if str(cell).lower() == "nan"}
            names -= {"standard_error", "label"}  # which cannot be told of few blocks; which may be any word
            yield from (("silent NaN", f"{table.name}: {name}") for name in sorted(names))
        if not any((folder / name).exists() for name in ("run.nc", "run.zarr")):
            continue
        with open_run(folder) as run:
            mixed = "components" in run.children
            for node in run.subtree:
                for name, values in node.data_vars.items():
                    if values.dtype.kind != "f":
                        continue
                    held, missing = values.values, _MAY_BE_MISSING.fullmatch(str(name))
                    if np.isnan(held).any() and not missing and not (mixed and node.name == "parameters"):
                        yield "silent NaN", f"{node.path}: {name}"
                    if np.isinf(held).any() and _TOLD not in said and not _MAY_BE_UNBOUNDED.fullmatch(str(name)):
                        yield "silent infinity", f"{node.path}: {name}"


def _around(text: str, found: re.Match[str]) -> str:
    return " ".join(text[max(0, found.start() - 40) : found.end() + 20].split())


def cases(kind: str, seeds: Iterable[int], *, stored: FilePath) -> list[Case]:
    """Give the cases of a kind of attack by their seeds."""
    attack = {
        "scenarios": scenario_case, "priors": prior_case, "tables": table_case,
        "runs": partial(run_case, stored=stored), "stores": partial(store_case, stored=stored),
        "structures": partial(run_case, stored=stored, damage=mutate_structure),
    }[kind]  # fmt: skip
    return [(f"{kind} --only {seed}", partial(attack, seed)) for seed in seeds]


KINDS = ("scenarios", "priors", "tables", "runs", "stores", "structures")
