"""The name of a run as charts, pages and reports write it: which run, and where its priors come from."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.labelled import Group

if TYPE_CHECKING:  # a chart of tables needs no datasets
    import xarray as xr

_OWN = "own judgement"


@dataclass(frozen=True, slots=True)
class RunLabel:
    """Name the run that a chart is drawn from.

    Parameters
    ----------
    run_id, scenario : str
        As in the attributes of the run file.
    seed, samples : int
        The seed, and how many samples the run holds.
    sources : tuple of str
        Where its priors come from, in short, the most used first.
    """

    run_id: str
    scenario: str
    seed: int
    samples: int
    sources: tuple[str, ...] = ()


def run_label(run: Group | xr.DataTree) -> RunLabel:
    """Read the label of a run off its attributes.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> label = run_label(simulate(load_scenario("essay-2023")))
    >>> label.scenario, label.samples, label.sources
    ('essay-2023', 256, ('Essay on effective compute, spring 2023',))
    """
    return RunLabel(
        run_id=str(run.attrs["run_id"]),
        scenario=str(run.attrs["name"]),
        seed=int(run.attrs["seed"]),
        samples=int(run.attrs["samples"]),
        sources=short_sources(list(json.loads(str(run.attrs.get("sources", "{}"))).values())),
    )


def short_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Shorten sources to who and when, each once, the most used first and own judgement last.

    Examples
    --------
    >>> short_sources(["own judgement on weights", "Epoch AI 2024, Can AI scaling continue?", "Cotra 2020, Anchors"])
    ('Cotra 2020', 'Epoch AI 2024', 'own judgement')
    """
    counts = Counter(map(_short_source, sources))
    return tuple(sorted(counts, key=lambda name: (name == _OWN, -counts[name], name)))


def _short_source(source: str) -> str:
    text = " ".join(source.split())
    if text.lower().startswith(_OWN):
        return _OWN
    dated = re.match(r".{3,36}?\b(?:19|20)\d\d\b", text)
    return dated[0] if dated else textwrap.shorten(re.split(r"[,;(]", text)[0], 40, placeholder=" ...")
