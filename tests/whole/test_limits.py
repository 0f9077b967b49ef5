"""The limits that the documents state are those of the code."""

from __future__ import annotations

import pytest

from simulator import files, wording
from simulator.engine import simulation
from simulator.errors import MOST_FAULTS
from simulator.runs import groups
from simulator.scenario import documents
from simulator.schema import base, spec
from tests.places import ROOT

PAGE = (ROOT / "docs/limits.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        f"frozen forecast | {files.LARGEST_TEXT >> 20} MiB |",
        f"a table (CSV) | {files.LARGEST_TABLE >> 20} MiB |",
        f"a text in a scenario | {documents.LONGEST_TEXT:,} letters |",
        f"a list | {documents.MOST_ENTRIES:,} |",
        f"`empirical` table | {documents.MOST_NUMBERS:,} |",
        f"each | {base.MOST_NAMED} |",
        f"constraints | {base.MOST_LIMITS} |",
        f"one after the other | {base.LONGEST_CHAIN} |",
        f"nesting | {documents.DEEPEST_DOCUMENT} |",
        f"a number, up or down | {base.LARGEST:.0e} |".replace("+", ""),
        f"10^{wording.BEYOND:g} times |",
        f"above {spec.LEAST_COMPUTE:.0e} FLOP |".replace("+0", ""),
        f"`quantiles.csv` | {groups.MOST_ROWS:,};",
        f"{simulation.MOST_BYTES >> 30} GiB, and a quarter of",
        f"faults after {MOST_FAULTS} ",
    ],
)
def test_a_limit_is_stated_as_it_is(line: str) -> None:
    assert line in PAGE


def test_memory_at_once_is_as_stated() -> None:
    assert simulation.AT_ONCE == 4.0
