"""What one thing that is stored must be, an attribute, an array or a cell of a table; and which rule it breaks."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from simulator.errors import shown

LARGEST: Final = 1e9
"""The largest level, log10 of its unit, and the largest of other numbers that have no bound of their own."""
LARGEST_PLAIN: Final = sys.float_info.max
"""The largest number that is no logarithm: a count, or a metric in its own unit."""
LATEST_YEAR: Final = 10_000.0
TOUCH: Final = 1e-9
"""By how much numbers may miss their bounds, and fall that rise."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an attribute, an array of a group or a column of a table must be.

    A `*` in its name stands for any text; of what has one, none must be there. Other entries must be there where the
    group has their dimensions, unless they are optional.
    """

    name: str
    type: Literal["number", "whole", "text", "flag", "json", "any"] = "number"
    dims: tuple[str, ...] | None = None
    """Dimensions, of which `limit_*` is any of that kind; None: whatever they are."""
    low: float = -LARGEST
    high: float = LARGEST
    never: bool = False
    """Whether +inf may stand for "not by the horizon", "no limit" or "beyond any number"."""
    missing: bool = False
    """Whether NaN, or an empty cell, may stand for what cannot be told."""
    rises: str = ""
    """The dimension along which numbers do not fall; along its own dimension a coordinate rises."""
    form: str = ""
    """A regular expression for texts, and what it means, behind ` # `."""
    shape: Any = None
    """Of JSON: a value for its type, a list of one, or a mapping by key (`*`: any)."""
    optional: bool = False

    def fits(self, name: str) -> bool:
        """Tell whether a name is that of the entry."""
        return self.name == name or ("*" in self.name and _pattern(self.name).fullmatch(name) is not None)


@lru_cache(maxsize=256)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(r"\*", ".+"))


def attribute_rule(entry: Entry, value: Any) -> str:
    """Say what rule an attribute breaks; nothing where it breaks none."""
    if entry.type in ("text", "json"):
        if not isinstance(value, str):
            return "must be a text"
        return _json_rule(entry, value) if entry.type == "json" else _form_rule(entry, [value])
    if entry.type == "number" and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return "must be a number"
    whole = entry.type in ("whole", "flag")
    if isinstance(value, bool) or not isinstance(value, int | np.integer if whole else int | float | np.number):
        return "must be a whole number" if whole else "must be a number"
    return _bounds_rule(entry, np.asarray(value, dtype=np.float64))


def _json_rule(entry: Entry, text: str) -> str:
    if entry.optional and not text:
        return ""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "must be JSON"
    return "" if _has_shape(found, entry.shape) else "is JSON of another form than is written there"


def _has_shape(value: Any, shape: Any) -> bool:
    """Tell whether JSON is like an example: a value of that type, a list of such, a mapping; None: anything.

    A list in which None comes second may be nothing. A key that ends in `?` may be left out.
    """
    if shape is None:
        return True
    if isinstance(shape, list):
        if value is None:
            return None in shape
        return isinstance(value, list) and all(_has_shape(each, shape[0]) for each in value)
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return False
        if "*" in shape:
            return all(_has_shape(each, shape["*"]) for each in value.values())
        needed = (key for key in shape if not key.endswith("?"))
        known = ((each, shape.get(key, shape.get(f"{key}?"))) for key, each in value.items())
        return all(key in value for key in needed) and all(_has_shape(each, own) for each, own in known)
    if isinstance(shape, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, type(shape))


def _form_rule(entry: Entry, texts: Iterable[str]) -> str:
    form, _, words = entry.form.partition(" # ")
    if form and not all(re.fullmatch(form, text) for text in texts):
        return f"must be {words}"
    return ""


def type_rule(entry: Entry, dtype: np.dtype[Any]) -> str:
    """Say what type an array must be of, where it is of another."""
    allowed, words = {
        "text": ("OSUT", "texts"), "number": ("fiub", "numbers"), "whole": ("iu", "whole numbers"),
        "flag": ("iub", "whole numbers"), "json": ("OSUT", "texts"), "any": ("OSUTfiub", "texts or numbers"),
    }[entry.type]  # fmt: skip
    return "" if dtype.kind in allowed else f"must hold {words}"


def value_rule(entry: Entry, dims: tuple[str, ...], values: NDArray[Any], name: str = "") -> str:
    """Say what rule the values of an array break, whose last dimensions are these; nothing where they break none."""
    if dims == (name,) and not values.size:
        return "must not be empty"
    if values.dtype.kind in "OSUT":
        texts = values.ravel().tolist()
        if not all(isinstance(text, str) for text in texts):
            return "must hold texts"
        twice = dims == (name,) and len(set(texts)) < len(texts)
        return "must not hold a name twice" if twice else _form_rule(entry, texts)
    if rule := _bounds_rule(entry, values):
        return rule
    if entry.rises and entry.rises in dims:
        own = np.moveaxis(values, dims.index(entry.rises) - len(dims), -1)
        before, after = own[..., :-1], own[..., 1:]
        if dims == (entry.rises,) and not (after > before).all():
            return "must rise"
        if (after < before - TOUCH).any():
            return f"must not fall along {entry.rises}"
    return ""


def _bounds_rule(entry: Entry, values: NDArray[Any]) -> str:
    """Say which bounds numbers break."""
    numbers = values[~np.isnan(values)] if entry.missing else values
    if not numbers.size:
        return ""
    low, high = float(numbers.min()), float(numbers.max())
    if math.isnan(low):
        return "must hold numbers; holds NaN"
    if high == math.inf and entry.never:
        high = float(numbers.max(where=numbers < math.inf, initial=-math.inf))
    if low >= entry.low - TOUCH and high <= entry.high + TOUCH:
        return ""
    odd = low if low < entry.low - TOUCH else high
    return f"must lie between {entry.low:g} and {entry.high:g}{' or be +inf' if entry.never else ''}; got {odd:g}"


def read_cell(entry: Entry, text: str) -> Any:
    """Read a cell of a CSV file; ValueError says what it must be. An empty one is None, where it may be missing."""
    if entry.missing and not text:
        return None
    read: Mapping[str, Callable[[str], Any]] = {"number": float, "whole": int, "flag": _truth}
    try:
        value = read.get(entry.type, str)(text)
    except (ValueError, KeyError):
        words = {"number": "a number", "whole": "a whole number", "flag": "true or false"}[entry.type]
        raise ValueError(f"must be {words}; got {shown(text)}") from None
    if rule := value_rule(entry, (), np.asarray(value)):
        raise ValueError(rule)
    return value


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]
