"""Several scenarios that were run, as one labelled dataset with the dimension `scenario`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import xarray as xr

from simulator.analysis.sweep_files import SWEEP_FORMAT, Sweep, stacked
from simulator.errors import InputError
from simulator.files import short_hash
from simulator.runs.groups import Group, as_dataset
from simulator.version import source_digest
from simulator.wording import listed

SCENARIO = "scenario"
MOST_LEFT = 12
"""What is left out that is named."""
_DRAWS = ("seed", "samples", "block", "design")


def summary_of_run(run: Group) -> xr.DataTree:
    """Take of a run what is joined: its summary, and what it says of itself."""
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=run.attrs), "summary": as_dataset(run.children["summary"])})


def join_runs(runs: Sequence[xr.DataTree], *, labels: Sequence[str] = ()) -> Sweep:
    """Join the summaries of runs of several scenarios to one dataset.

    Years, thresholds and variables that not all have are left out, and told; a cap or constraint that a scenario has
    not is +inf there.

    Parameters
    ----------
    runs : sequence of Run
        Two or more.
    labels : sequence of str, optional
        What they are called along the dimension `scenario`; otherwise by the names of their scenarios.

    Returns
    -------
    Sweep
        Its `summary` is that of a run with the dimension `scenario` in front.

    Raises
    ------
    InputError
        There are fewer than two, or they have no two years in common.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> names = ("essay-2023", "baseline")
    >>> joined = join_runs([simulate(load_scenario(name, overrides=["samples=64"])) for name in names])
    >>> joined["summary/effective_compute"].dims, joined["summary/scenario"].values.tolist()
    (('scenario', 'quantile', 'year'), ['essay-2023', 'baseline'])
    """
    if len(runs) < 2:
        raise InputError(f"scenarios: two or more are joined; got {len(runs)}.")
    names = _told_apart(labels or [str(run.attrs["name"]) for run in runs])
    summaries, left = _in_common([run["summary"].to_dataset() for run in runs])
    ids = [str(run.attrs["run_id"]) for run in runs]
    along = {SCENARIO: xr.Variable(SCENARIO, np.array(names, dtype=str), {"long_name": SCENARIO})}
    summary, gone = stacked(summaries, along, [len(runs)])
    left += [name for name in gone if not name.endswith(("_mean", "_error"))]
    left += [f"{len(left) - MOST_LEFT} more"] if len(left) > MOST_LEFT else []
    left = left if len(left) <= MOST_LEFT else [*left[:MOST_LEFT], left[-1]]
    axis = {"name": SCENARIO, "label": "", "unit": "", "numbers": None,
            "points": [{"label": name, "set": list[str]()} for name in names]}  # fmt: skip
    first = {key: value for key, value in runs[0].attrs.items() if key != "run_format"}
    years = summary["year"].values
    said = {
        "sweep_format": SWEEP_FORMAT, "run_id": short_hash(*ids, *names, str(SWEEP_FORMAT), source_digest()),
        "name": f"{runs[0].attrs['name']}-and-{len(runs) - 1}-more", "title": listed(names), "keep": "summary",
        "store": "netcdf", "sweep": json.dumps([axis], ensure_ascii=False), "points": len(runs),
        "samples": min(int(run.attrs["samples"]) for run in runs), "first_year": str(years[0]),
        "last_year": str(years[-1]), "overrides": "", "notes": "", "components": "", "joined": 1,
    }  # fmt: skip
    told = [f"left out, since not every scenario has them: {', '.join(left)}."] if left else []
    for key in _DRAWS:
        values = [str(run.attrs[key]) for run in runs]
        if len(set(values)) > 1:
            each = "; ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
            told.append(f"the scenarios are not on common draws: {key} is {each}. Give it to all with --{key}."
                        if key in ("seed", "samples") else f"the scenarios differ in {key}: {each}.")  # fmt: skip
    lines = dict.fromkeys(line for run in runs for line in str(run.attrs["warnings"]).splitlines())
    for line in lines:
        having = [n for n, run in zip(names, runs, strict=True) if line in str(run.attrs["warnings"]).splitlines()]
        told.append(line if len(having) == len(runs) else f"{', '.join(having)}: {line}")
    return Sweep.of(xr.DataTree.from_dict({
        "/": xr.Dataset(attrs=first | said | {"warnings": "\n".join(told)}),
        "summary": summary,
        "points": xr.Dataset({"run_id": (SCENARIO, np.array(ids), {"long_name": "run of the scenario"})}, coords=along),
    }))  # fmt: skip


def _told_apart(names: Sequence[str]) -> list[str]:
    """Number names that come twice."""
    count = Counter(names)
    return [f"{name} ({list(names[: place + 1]).count(name)})" if count[name] > 1 else name
            for place, name in enumerate(names)]  # fmt: skip


def _in_common(summaries: Sequence[xr.Dataset]) -> tuple[list[xr.Dataset], list[str]]:
    """Keep the years, thresholds and variables of one unit that all have; name what is left out."""
    years = [each["year"].values.tolist() for each in summaries]
    common = [year for year in years[0] if all(year in own for own in years)]
    if len(common) < 2:
        raise InputError("scenarios: have no two years in common; each has its run folder.")
    lost = sorted({year for own in years for year in own} - set(common))
    left = [f"{len(lost)} years ({lost[0]:g} to {lost[-1]:g})"] if lost else []
    stands = [_stands(each) for each in summaries]
    kept = [name for name, on in stands[0].items() if all(own.get(name) == on for own in stands)]
    left += [f"threshold {name}" for name in dict.fromkeys(n for own in stands for n in own) if name not in kept]
    units = [{str(name): each.attrs.get("units") for name, each in own.data_vars.items()} for own in summaries]
    other = {name for own in units for name, unit in own.items() for each in units if each.get(name, unit) != unit}
    result = []
    for own in summaries:
        taken = own.sel(year=common).drop_vars(sorted(other & {*map(str, own.data_vars)}))
        result.append(taken.sel(threshold=kept) if kept and "threshold" in own.dims else taken.drop_dims("threshold")
                      if "threshold" in own.dims else taken)  # fmt: skip
    return result, left + sorted(other)


def _stands(summary: xr.Dataset) -> dict[str, str]:
    if "threshold" not in summary.coords:
        return {}
    return dict(zip(summary["threshold"].values.tolist(), summary["quantity"].values.tolist(), strict=True))
