"""Inputs by name: what a prior is about, in words that are the same wherever it is named."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from simulator.errors import Path, as_path

SECTIONS = ("drivers", "quantities", "constraints", "capability", "thresholds", "models")
_ABOUT = {"constraints": "constraint ", "capability": "capability: ", "thresholds": "threshold "}
_PLACES = {
    "product": "factor", "sum": "term", "minimum": "choice", "maximum": "choice", "feedback": "feedback point",
    "growth": "era",
}  # fmt: skip


def in_words(path: Path, *, labels: Mapping[str, str] | None = None) -> str:
    """Say a path in words, without its section; thresholds by their labels.

    Examples
    --------
    >>> in_words(("drivers", "spending", "growth", 1, "rate"))
    'growth, era 2: rate'
    >>> in_words(("quantities", "tokens", "product", 0, "sum", 1))
    'tokens: factor 1, term 2'
    >>> in_words(("drivers", "hardware", "factors", "price-performance", "caps", "cmos", "limit"))
    'price performance: cap cmos: limit'
    """
    words: list[str] = []
    rest = list(path[2:] if path[0] == "drivers" else path[1:])
    if path[0] == "thresholds" and len(path) > 2:
        name = str(rest.pop(0))
        words.append((labels or {}).get(name, name))
    while rest:
        key = rest.pop(0)
        if key in ("factors", "caps") and rest and isinstance(rest[0], str):
            name = str(rest.pop(0)).replace("-", " ")
            words.append(f"cap {name}" if key == "caps" else name)
        elif rest and isinstance(rest[0], int):
            place = int(rest.pop(0)) + 1
            if key == "growth":
                words.append(f"growth, era {place}")
            elif key == "ratio":
                words.append(("numerator", "denominator")[place - 1] if place <= 2 else str(place))
            else:
                words.append(f"{_PLACES.get(str(key), str(key))} {place}")
        else:
            words.append("first year" if key == "from" else str(key).replace("-", " ").replace("_", " "))
    text = words[0] if words else ""
    for before, after in itertools.pairwise(words):
        nested = before.split(" ")[0] in _PLACES.values() and after.split(" ")[0] in _PLACES.values()
        text += f"{',' if nested else ':'} {after}"
    return text


def input_words(name: str, *, labels: Mapping[str, str] | None = None) -> str:
    """Name an input so that it says by itself what it is about; a group of inputs keeps its name.

    Examples
    --------
    >>> input_words("drivers.spending.growth[1].from"), input_words("quantities.world-product.growth")
    ('spending: growth, era 2: first year', 'world product: growth')
    >>> input_words("constraints.power.limit.product[2]"), input_words("drivers.spending"), input_words("all caps")
    ('constraint power: limit: factor 3', 'spending', 'all caps')
    """
    path = as_path(name)
    if len(path) < 2 or path[0] not in SECTIONS:
        return name
    words = in_words(path, labels=labels)
    if path[0] == "drivers":
        return f"{path[1]}: {words}" if words else str(path[1])
    return f"{_ABOUT.get(str(path[0]), '')}{words}"
