"""The format of a run file: its number, and what one at hand holds, in words. docs/run-format.md describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

RUN_FORMAT = 1


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
