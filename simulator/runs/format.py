"""The format of a run file and of a sweep file: in words for their readers, and what one at hand holds.

`python -m simulator.runs.format` writes docs/run-format.md anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from simulator.variables import COORDINATES, PATTERNS, SUFFIXES, UNKNOWNS, VARIABLES, Pattern, Variable

if TYPE_CHECKING:
    import xarray as xr

RUN_FORMAT = 1


def simulator_version() -> str:
    """Name the version of this simulator."""
    try:
        return version("effective-compute-simulator")
    except PackageNotFoundError:
        return "unknown"


ATTRIBUTES: Mapping[str, str] = {
    "run_format": "Number of this format. A reader refuses a higher one.",
    "run_id": "Eight hexadecimal digits, made from all that determines the run.",
    "name": "Name of the scenario.",
    "title": "Title of the scenario, for readers.",
    "subject": "What is forecast, such as the largest training run.",
    "dollars": "What a dollar is, such as real 2023.",
    "notes": "Notes of the scenario.",
    "scenario": "The resolved scenario as JSON: every library entry, source and override written out. It runs again.",
    "scenario_hash": "SHA-256 of the resolved scenario.",
    "keep": "`trajectories` (every sample) or `summary` (the summary group alone).",
    "store": "`netcdf`, or `zarr` where the samples were too many for one file: `run.zarr`, with the same groups.",
    "samples": "Number of samples.",
    "seed": "Seed of the draws.",
    "design": "How the samples were drawn, such as `sobol`.",
    "block": "Samples drawn at once; the draws depend on it.",
    "first_year": "First year, as text.",
    "last_year": "Last year, the horizon, as text.",
    "drivers": "Names of the drivers, separated by spaces.",
    "components": "Of a mixture of scenarios: JSON object, name of the component to its weight. Else empty.",
    "simulator_version": "Version of the simulator that wrote it.",
    "overrides": "What was overridden, a line each: `entry: old -> new`.",
    "sources": "JSON object: name of the parameter to its source.",
    "warnings": "What was warned of, a line each.",
}
"""The attributes of the file as a whole."""

SWEEP_ATTRIBUTES: Mapping[str, str] = {
    "sweep_format": "Number of this format, in the place of `run_format`. A reader refuses a higher one.",
    "run_id": "Of the sweep, made from all that determines it; `run_id` in `/points` is that of each point's own run.",
    "keep": "`summary`: a sweep keeps no samples.",
    "samples": "Number of samples of each point.",
    "scenario": "The resolved scenario as JSON, before anything is swept; so are `scenario_hash` and `sources`.",
    "sweep": "The axes as JSON, a list in the order of the dimensions: `name`, `unit` (empty where the values are "
    "texts), `numbers` (null where they are texts), and `points`, each a `label` and the changes that make it (`set`).",
    "points": "Number of points.",
    "warnings": "What was warned of, a line each: also which axes change nothing, and which points are alike.",
}
"""The attributes of a sweep file that a run has not, or that mean another thing there."""

_PARAMETER_ATTRIBUTES: Mapping[str, str] = {
    "units": "Unit of the stored numbers: `log10(USD)`, `OOM/year`, `year`, ...",
    "long_name": "The parameter's name again.",
    "understood": "The prior in words, with median and interval, in the unit of the scenario.",
    "library": "Name of the entry of the prior library that it was taken from.",
    "flag_values`, `flag_meanings": "Of `component`, in a mixture of scenarios: which one a sample is of.",
    "source`, `url`, `doi`, `as_of`, `confidence`, `notes": "Where the prior comes from, as the scenario says.",
}

_HEAD = """\
# The format of a run file

<!-- Written by `python -m pytest tests/runs/test_format.py --renew-golden`; change that, not this. -->

`simulate` writes a run as `run.nc`: one netCDF-4 file (HDF5) with groups, run format {format}. Whatever reads
netCDF-4 reads it. Every variable carries its unit (`units`) and its name for readers (`long_name`);
`simulate show RUN --variables` lists those of a run at hand. Analysis and charts read this file and nothing else.

## Opening it

xarray, lazily: the samples stay on the disk until their values are asked for.

```python
import xarray as xr
run = xr.open_datatree("run.nc", engine="netcdf4")    # or simulator.open_run, which also checks it
print(run["trajectories/effective_compute"].sel(year=2035).median("sample"))
```

ArviZ 1.x: samples are draws without chains, hence `sample_dims="sample"` and `kind="stats"` (R-hat needs chains).

```python
import arviz as az
parameters = az.from_netcdf("run.nc")["parameters"].to_dataset()
print(az.summary(parameters[["drivers.spending.start"]], sample_dims="sample", kind="stats"))
```

R:

```r
run <- ncdf4::nc_open("run.nc")
level <- ncdf4::ncvar_get(run, "trajectories/effective_compute")    # [year, sample]: R reads the last dimension first
```

Julia:

```julia
using NCDatasets
level = NCDataset("run.nc").group["trajectories"]["effective_compute"][:, :]    # [year, sample]
```

From the shell:

```sh
ncdump -h run.nc
ncdump -v never -g summary run.nc
```

For what reads none of these: `simulate export RUN --format csv` (or `parquet`, `json`, `hub`, `metaculus`, `bibtex`).

## How things are coded

* **Levels are log10** of the base unit and their unit says so: `log10(FLOP)`, `log10(USD)`, `log10(1)` for a plain
  factor. Rates are in OOM/year. `capability` is in its metric's own unit; counts of
  models (`models_*`) are plain numbers.
* **Dates are decimal years**: 2025.5 is the middle of 2025.
* **+inf is a value, never a gap.** A crossing year of +inf is later than the horizon; a threshold level of +inf is
  a threshold that does not exist in that sample; a cap or constraint of +inf is none. A quantile that falls among such
  samples is +inf. Nothing is dropped.
* **NaN** stands in a standard error that cannot be told (too few samples), and, in a mixture of scenarios, in a
  parameter that a sample's own scenario does not have. No variable has a
  `_FillValue`: no number stands for a gap.
* **`binding_*` over samples and years is a flag**: 0 where no limit binds, otherwise the number of the limit. The
  attributes `flag_values` and `flag_meanings` (CF conventions) name the numbers; in the summary the coordinate
  `limit_*` names them.
* **Names**: parameters are called after their place in the scenario (`drivers.spending.growth[0].rate`). In names of
  variables a dash of the scenario is an underscore: cap `cash-flow` on spending is `cap_spending_cash_flow`. Thresholds
  and limits keep their names as coordinates.
* Trajectories are stored as 32-bit numbers (a rounding of at most 2e-6 OOM), the rest as 64-bit ones; flags as 8-bit
  integers. In a large file levels that no year changes are compressed (zlib), in a very large one all levels.
* The same scenario, version and libraries give the same bytes.
"""

_VARIABLES = """
## Variables

Those over (`sample`, `year`) stand in `/trajectories`. The summary has each of them but the flags under the same name
over (`quantile`, `year`), with its mean and, for the headline variables, standard errors. Those over
(`threshold`, `sample`) stand in `/crossings`, the others in `/summary`.

"""

_GROUPS: Mapping[str, str] = {
    "/summary": "Always there: quantiles, probabilities and shares, over all samples.",
    "/parameters": "The drawn priors, a variable each. Only with `keep` = `trajectories`, as the two below.",
    "/trajectories": "Every variable of the model by sample and year.",
    "/crossings": "When each sample crosses each threshold; absent where the scenario declares none.",
    "/posterior": "Where priors were learnt from history: the posterior draws of its model (`chain`, `draw`), as ArviZ "
    "reads them, beside `/prior`, `/posterior_predictive`, `/sample_stats` and `/observed_data`; its attributes say "
    "what was fitted; `run_name`, `costed_run_name` and `accelerator_name` what was observed. "
    "They stay when a run is extended, and are not drawn again by `simulate check`.",
    "/components/<name>": "Of a mixture of scenarios: the summary of each component alone.",
}


_SWEEP = """
## Sweeps

`simulate sweep` writes `sweep.nc`, sweep format {format}: the summary of a run with a dimension more for each entry
that is swept, called after it and before all others. `simulate show SWEEP --variables` lists the variables of one at
hand.

```python
import xarray as xr
sweep = xr.open_datatree("sweep.nc", engine="netcdf4")    # or simulator.open_sweep, which also checks it
median = sweep["summary/effective_compute"].sel(quantile=0.5, year=2035)    # over the axes
print(median.to_series())
```

* The coordinate of an axis has the numbers that were set, in the unit of the entry, or texts.
* `simulator.open_sweep("...").at(rate=2.5, year=2035)` selects points by words of the axes.
* All points are on common draws: differences between them are sharper than the standard errors of each.
* A cap or constraint that a point does not have is +inf there, its error is NaN, and it binds in no sample. Another
  variable that not every point has is left out, and `warnings` says so.
"""

_SWEEP_GROUPS: Mapping[str, str] = {
    "/summary": "Every variable of a run's summary.",
    "/points": "`run_id`: the run of each point, by which equal points are known.",
}


def run_format_text(run: xr.DataTree, sweep: xr.DataTree) -> str:
    """Write the description of the format, with a run and a sweep as its examples."""
    parts = [_HEAD.format(format=run.attrs["run_format"])]
    parts.append("\n## Groups\n\n")
    rows = []
    for path, said in _GROUPS.items():
        if path == "/posterior":
            rows.append([f"`{path}`", "`chain`, `draw`, `year`, `step`", "`chain`, `draw`, `year`, `step`", said])
            continue
        node = run["/summary" if path.startswith("/components") else path]
        rows.append([f"`{path}`", _names(map(str, node.sizes)), _names(map(str, node.coords)), said])
    parts += _table(["group", "dimensions", "coordinates", "holds"], rows)
    parts.append("\nThe example is a run of the shipped baseline. Coordinates:\n\n")
    parts += _table(["coordinate", "dimension", "unit", "meaning"], map(_coordinate_row, COORDINATES.values()))
    parts.append("\n## Attributes of the file\n\n")
    parts += _table(["attribute", "meaning"], [[f"`{name}`", said] for name, said in ATTRIBUTES.items()])
    parts.append("\n## Parameters\n\nOne variable per prior over (`sample`), with these attributes where known:\n\n")
    parts += _table(["attribute", "meaning"], [[f"`{name}`", said] for name, said in _PARAMETER_ATTRIBUTES.items()])
    parts.append(_VARIABLES)
    parts += _table(["variable", "dimensions", "unit", "long name", "meaning"], map(_variable_row, VARIABLES.values()))
    parts.append("\nNames in angle brackets are the scenario's; `<subject>` is a driver or `physical_compute`:\n\n")
    kinds = [_kind(pattern) for pattern in (*PATTERNS, *SUFFIXES)]
    parts += _table(["variables", "dimensions", "unit", "long name", "meaning"], map(_variable_row, kinds))
    parts.append("\nWhere priors were learnt, in `/prior` and `/posterior`, and as seen in `/observed_data`:\n\n")
    rows = [[f"`{name}`", unit, said] for name, (unit, said) in UNKNOWNS.items()]
    parts += _table(["variable", "unit", "meaning"], rows)
    parts.append("\n## The example's variables\n\n```text\n")
    parts += [f"{line}\n" for line in explain_lines(run)]
    parts.append("```\n")
    return "".join([*parts, *_sweep_parts(sweep)])


def _sweep_parts(sweep: xr.DataTree) -> list[str]:
    """Write what a sweep file has beside what a run has."""
    parts = [_SWEEP.format(format=sweep.attrs["sweep_format"]), "\n"]
    rows = [[f"`{path}`", _names(map(str, sweep[path].sizes)), said] for path, said in _SWEEP_GROUPS.items()]
    axes = _names(map(str, sweep["/points"].sizes))
    rows.append(["`/components/<name>`", f"{axes}, ...", "Of a mixture of scenarios: the summary of each component."])
    parts += _table(["group", "dimensions", "holds"], rows)
    parts.append("\nAttributes of the file, beside those of a run:\n\n")
    parts += _table(["attribute", "meaning"], [[f"`{name}`", said] for name, said in SWEEP_ATTRIBUTES.items()])
    parts.append("\nThe example is a sweep of the shipped baseline over a number and a choice:\n\n```text\n")
    for name in sweep["/points"].sizes:
        values = sweep["/points"].coords[str(name)]
        unit = values.attrs.get("units", "text")
        parts.append(f"{name}: {', '.join(map(str, values.values.tolist()))}  {unit}\n")
    few = [line for line in explain_lines(sweep) if not line.startswith(" ") or line.split()[0] in _SWEEP_EXAMPLES]
    return [*parts, *(f"{line}\n" for line in few), "```\n"]


_SWEEP_EXAMPLES = ("effective_compute", "binding_spending_share", "crossed", "crossing_quantile", "never", "run_id")
"""The variables of a sweep that the example shows; the others are those of a run."""


def _kind(pattern: Pattern) -> Variable:
    words = [f"`{word}`" for word in re.findall(r"<\w+>", pattern.names)]
    unit = pattern.unit or "the scenario's"
    return Variable(pattern.names, pattern.dims, unit, pattern.long_name.format(*words), pattern.description)


def _coordinate_row(item: Variable) -> list[str]:
    return [f"`{item.name}`", _names(item.dims), item.unit or "text", item.description]


def _variable_row(item: Variable) -> list[str]:
    return [f"`{item.name}`", _names(item.dims), item.unit, item.long_name, item.description]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows)]


def explain_lines(run: xr.DataTree) -> list[str]:
    """Say what every variable of a run is: name, dimensions with their sizes, unit, long name."""
    lines = []
    for node in run.subtree:
        if not node.data_vars:
            continue
        dataset = node.to_dataset()
        sizes = ", ".join(f"{name} {size:,}" for name, size in dataset.sizes.items())
        lines.append(f"{node.path.lstrip('/')}  ({sizes})")
        width = min(max(len(str(name)) for name in dataset.data_vars), 40)
        for name, values in dataset.data_vars.items():
            said = str(values.attrs.get("long_name", ""))
            if said == name:
                said = str(values.attrs.get("understood", said))
            dims = f"({', '.join(map(str, values.dims))})"
            lines.append(f"  {name!s:{width}}  {dims}  {values.attrs.get('units', '-')}  {said}".rstrip())
    return lines
