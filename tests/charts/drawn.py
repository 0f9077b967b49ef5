"""Read what a chart draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.charts.spec import Data, Spec
from simulator.charts.style import COLOR_KEYS


def tables(spec: Spec) -> list[Data]:
    """Collect the tables of the layers of a chart or a view."""
    own = [spec["data"]["values"]] if "data" in spec else []
    parts = [part for key in ("vconcat", "hconcat", "layer") for part in spec.get(key, [])]
    return own + [table for part in parts for table in tables(part)]


def texts(chart: Spec) -> list[str]:
    """Collect the texts of a chart, in the order of its tables."""
    return [str(row["text"]) for rows in tables(chart) for row in rows if "text" in row]


def colors_of(spec: object, *, key: str = "") -> set[str]:
    """List the colours in the specification of a chart, in whatever place."""
    return set(_colors(spec, key)) - {"transparent", "none"}


def _colors(spec: object, key: str) -> Iterator[str]:
    if isinstance(spec, str) and COLOR_KEYS.fullmatch(key):
        yield spec
    elif isinstance(spec, Mapping):
        for name, below in spec.items():
            yield from _colors(below, key if name in ("value", "range", "condition", "scale") else str(name))
    elif isinstance(spec, list | tuple):
        for below in spec:
            yield from _colors(below, key)
