"""The short forms of a prior, written out: `interval_90: [a, b]`, `uniform: [a, b]` and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.errors import Fault, shown
from simulator.schema.prior_families import SHIPPED

SHORT_FORMS = {name: family.short for name, family in SHIPPED.items() if family.short}
SPANS = tuple(name for name, keys in SHORT_FORMS.items() if len(keys) == 2)
"""The short forms that give a lower and an upper end."""
_INTERVAL = re.compile(r"interval_([0-9]+(?:\.[0-9]+)?)")


def written_out(data: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Fault]]:
    """Write out a prior in its long form, and list what is wrong with it."""
    written: dict[Any, Any] = {}
    return written, [fault for key, value in data.items() for fault in _write_out(key, value, written)]


def _write_out(key: Any, value: Any, written: dict[Any, Any]) -> Iterator[Fault]:
    """Add an entry of a prior, in its long form, to those that are written."""
    if key == "interval" and not isinstance(value, Mapping):
        yield Fault((key,), "does not say its level.", f"Write for example interval_90: {_pair(value)}.")
    elif isinstance(key, str) and key.startswith("interval_"):
        yield from _interval(key, value, written)
    elif key in SHORT_FORMS:
        yield from _shorthand(key, value, written)
    elif key == "quantiles" and isinstance(value, Mapping):
        written[key] = {str(probability): quantile for probability, quantile in value.items()}
    else:
        written[key] = value


def _interval(key: str, value: Any, written: dict[Any, Any]) -> Iterator[Fault]:
    match = _INTERVAL.fullmatch(key)
    level = float(match[1]) / 100.0 if match else 0.0
    if not 0.0 < level < 1.0:
        yield Fault((key,), "must name a level between 0 and 100 %.", "Write for example interval_90.")
    elif not _numbers(value, 2):
        yield Fault((key,), f"must be two numbers, [low, high]; got {shown(value)}.", "Write for example [1.6, 3.4].")
    elif "interval" in written:
        yield Fault((key,), "is a second interval.", "Keep one, or write all points as quantiles: {0.05: .., 0.5: ..}.")
    else:
        written["interval"] = {"level": level, "lower": value[0], "upper": value[1]}


def _shorthand(key: str, value: Any, written: dict[Any, Any]) -> Iterator[Fault]:
    keys = SHORT_FORMS[key]
    if not _numbers(value, len(keys)):
        yield Fault((key,), f"must be [{', '.join(keys)}]; got {shown(value)}.", f"Write {len(keys)} numbers.")
    else:
        written |= {"family": key, **dict(zip(keys, value, strict=True))}


def _numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == count
        and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    )


def _pair(value: Any) -> str:
    return f"[{value[0]}, {value[1]}]" if _numbers(value, 2) else "[low, high]"
