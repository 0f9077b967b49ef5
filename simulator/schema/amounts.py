"""Numbers with their units as people write them: `2.4x/year`, `$5 billion`, `0.3 GW`, `3 to 8 x/year (90 %)`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.dates import DateError, as_date
from simulator.errors import Fault
from simulator.schema.prior_families import SHORT_FORMS
from simulator.units import MANY, PERCENT, UnitError, factor_between, parse_growth_unit

NUMBER = r"[-+]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9]+)?"
_AMOUNT = re.compile(
    rf"(?P<money>[-+]?\$)?\s*(?P<number>{NUMBER})(?P<many>(?:[kMBT]|mn|bn|tn)(?![A-Za-z]))?(?P<unit>\s*(?!(?:to|TO)\b|[xX]\s*10\b|[eE][-+]?[0-9])(?:/\s*|\s1\s*/\s*)?[A-Za-z%$].*)?"
)
_RANGE = re.compile(
    r"(?P<low>.+?)\s+to\s+(?P<high>[^()]+?)\s*(?:\(\s*(?P<level>\d+(?:\.\d+)?)\s*(?:%|percent|pct)\s*\))?"
)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHORT = {
    "k": "thousand", "M": "million", "B": "billion", "T": "trillion", "mn": "million", "bn": "billion",
    "tn": "trillion",
}  # fmt: skip
ASKED: Mapping[str, str] = {
    **dict.fromkeys(("growth", "rate", "mean_of", "towards"), "x/year"),
    **dict.fromkeys(("share", "shares", "largest_share"), "fraction"),
    **dict.fromkeys(("half_life", "by", "life", "service_life", "delay", "for_", "recovers", "delays"), "years"),
}
"""Keys of numbers that can be read in more than one way, each with a unit that does: 30 may be 30 % a year or 30x, and
18 may be months."""
HELD = ("value", "median", "mean", "sd", "mode", "lower", "upper", "location", "scale", "quantiles", "truncated")
"""Keys of a prior whose numbers are in its unit; beside them intervals, spans and the values of `discrete`."""
_AMOUNT_TEXT = r"^[-+]?\$?\s*[-+]?[0-9.]"
"""How an amount begins, for editors."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and the unit that stands beside it; empty where none does."""

    value: float
    unit: str = ""


def read_amount(text: str) -> Amount | None:
    """Read a number and its unit; None where a text is none. What the unit means is found where it is used.

    >>> read_amount("$5 billion"), read_amount("2.4x/year"), read_amount("10k")
    (Amount(value=5.0, unit='billion USD'), Amount(value=2.4, unit='x/year'), Amount(value=10000.0, unit=''))
    """
    amount = _split(text)
    return Amount(amount.value * MANY[amount.unit]) if amount and amount.unit in MANY else amount


def _split(text: str) -> Amount | None:
    """Part a number from all that stands beside it, `million` alone too; a date is so many of a year."""
    if (date := _date(text)) is not None:
        return Amount(date, "year")
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    value = float(match["number"].replace("_", "")) * (-1.0 if (match["money"] or "").startswith("-") else 1.0)
    words = (match["unit"] or "").split()
    if match["many"]:
        words.insert(0, _SHORT[match["many"]])
    elif words:
        words[0] = _SHORT.get(words[0], words[0])
    if match["money"] and words[-1:] != ["USD"]:
        words.insert(1 if words[:1] and words[0] in MANY else 0, "USD")
    return Amount(value, " ".join(words))


def _date(text: str) -> float | None:
    try:
        return as_date(text)
    except DateError:
        return None  # it is told where a number is missed


def is_amount(text: str) -> bool:
    """Tell whether a text is a number with a unit, or a range of such, and no name of something."""
    if _NAME.fullmatch(text):
        return False
    found = read_amount(text)
    return (found is not None and _says_more(text, found)) or read_range(text) is not None


def _says_more(text: str, amount: Amount) -> bool:
    """Tell whether a text says more than its digits: a unit, or how many thousands."""
    return bool(amount.unit) or text.strip()[-1:].isalpha()


def read_range(text: str) -> tuple[Amount, Amount, str] | None:
    """Read `3 to 8 x/year (90 %)`: both ends and the level in percent, empty where none is written.

    What stands beside the second end alone holds for both: `$1 to 3 billion`, `400 million to 1 billion USD`.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        return None
    dollars = "$" if match["low"].startswith("$") and not match["high"].startswith("$") else ""
    low, high = _split(match["low"]), _split(dollars + match["high"])
    if low is None or high is None:
        return None
    many, _, of = high.unit.rpartition(" ") if high.unit.split(" ", maxsplit=1)[0] in MANY else ("", "", high.unit)
    if low.unit in MANY and of not in MANY:
        low = Amount(low.value, f"{low.unit} {of}")
    elif not low.unit or (low.unit == of and many) or re.match(r"\s*(/|per\b|an?\b)", high.unit.removeprefix(low.unit)):
        low = Amount(low.value, high.unit)
    folded = [Amount(each.value * MANY[each.unit]) if each.unit in MANY else each for each in (low, high)]
    return folded[0], folded[1], match["level"] or ""


def in_unit(amount: Amount, unit: str) -> float:
    """Tell an amount in another unit of its kind; UnitError where no factor leads from one to the other."""
    if not amount.unit or amount.unit == unit:
        return amount.value
    if amount.unit in MANY:  # 50 million, beside $400 million
        return amount.value * MANY[amount.unit] / MANY.get(unit.split(" ", maxsplit=1)[0], 1.0)
    told = amount.value * factor_between(amount.unit, unit)
    return float(f"{told:.12g}")  # what rounding adds is no part of what was written


def number_of(value: Any, unit: str = "1") -> float:
    """Tell a number, or an amount as the number of a unit that it is; UnitError where it is in another kind of unit.

    >>> number_of("60 %"), number_of("3e26 FLOP", "FLOP"), number_of(2)
    (0.6, 3e+26, 2.0)
    """
    amount = read_amount(value) if isinstance(value, str) else None
    if amount is None or not _says_more(value, amount):
        return float(value)
    if amount.unit and not same_unit(amount.unit, unit):
        return in_unit(amount, unit)
    return amount.value


def table_in_numbers(data: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Fault]]:
    """Put numbers in the place of the amounts of a table, all in its unit: the one beside it, or their own."""
    unit, table = _unit_of(data, data["table"]), data["table"]
    faults = [] if "unit" in data else [
        Fault(("table", str(year)), each.rule, each.remedy)
        for year in table for each in _of_two_readings(year, table, unit, ordered=False)
    ]  # fmt: skip
    told: dict[Any, Any] = {}
    for year, value in data["table"].items():
        amiss: list[Fault] = []
        told[year] = _in_numbers("table", value, unit, amiss)
        faults += [Fault(("table", str(year)), each.rule.replace("prior", "table"), each.remedy) for each in amiss]
        told[year] = 1.0 if amiss else told[year]  # it is told already
    return {**data, "table": told} | ({"unit": unit} if unit else {}), faults


_UNORDERED = ("sd", "scale", "discrete", "truncated")


def _of_two_readings(key: Any, held: Mapping[Any, Any], unit: str, *, ordered: bool) -> list[Fault]:
    """Find numbers up to 1 beside others in percent: 0.9 beside 50 % may be 0.9 % or 90 %.

    Where numbers are in order, one whose second reading would be the largest can only mean the first: 0.5 to 2 %.
    """
    if unit not in PERCENT:
        return []
    texts = [text for text in _leaves(held) if isinstance(text, str) and _amounts(text)]
    most = max(each.value for text in texts for each in _amounts(text)) if ordered else 100.0
    value = held[key]
    if isinstance(value, Mapping):
        value = {name: inner for name, inner in value.items() if name != "weights"}
    return [
        Fault((key,), f"{number:g} stands beside {texts[0]}: it has two readings.",
              f"Is it {number:g} % or {100 * number:g} %? Write the unit with it.")
        for number in plain_numbers(value) if 0 < 100 * number <= most
    ]  # fmt: skip


def _unit_of(data: Mapping[Any, Any], numbers: Any) -> str:
    """Name the unit of some numbers: the one beside them, else the first that one of them brings; empty without one."""
    stated = data.get("unit")
    brought = (each.unit for text in _leaves(numbers) for each in _amounts(text) if each.unit not in ("", *MANY))
    return stated if isinstance(stated, str) else next(brought, "")


def written_in_numbers(data: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Fault]]:
    """Put numbers in the place of the amounts of a prior, all in its unit: the one beside them, or their own.

    What is no amount stays as it is, to be refused as what it is.
    """
    order = sorted(key for key in data if holds_numbers(key))
    order += ["function"] if isinstance(data.get("function"), Mapping) else []
    if not any(isinstance(text, str) for key in order for text in _leaves(data[key])):
        return dict(data), []
    held = {key: data[key] for key in (*(key for key in HELD if key in data), *order)}
    unit = _unit_of(data, held)
    faults = [] if "unit" in data else [
        fault for key in held for fault in _of_two_readings(key, held, unit, ordered=key not in _UNORDERED)
    ]  # fmt: skip
    written = {key: _in_numbers(key, value, unit, faults) if key in held else value for key, value in data.items()}
    return written | ({"unit": unit} if unit else {}), faults


@lru_cache(maxsize=512)  # the same keys are asked about again and again
def holds_numbers(key: Any) -> bool:
    """Tell whether the numbers under a key of a prior are in its unit."""
    return isinstance(key, str) and (
        key in HELD or key in SHORT_FORMS or key == "discrete" or key.startswith("interval_")
    )


def amounts_in(data: Mapping[Any, Any]) -> list[Amount]:
    """List the amounts with which the numbers of a prior are written."""
    return [each for key in data if holds_numbers(key) for text in _leaves(data[key]) for each in _amounts(text)]


def plain_numbers(value: Any) -> list[float]:
    """List the numbers in a value that stand without a unit."""
    return [each for each in _leaves(value) if isinstance(each, int | float) and not isinstance(each, bool)]


def is_read_one_way(unit: str) -> bool:
    """Tell whether a number beside an entry in some unit can only mean that: growth is read as a factor a year."""
    if unit in PERCENT:
        return False
    try:
        return parse_growth_unit(unit).conversion == parse_growth_unit("x/year").conversion
    except UnitError:
        return True


def same_unit(one: str, other: str) -> bool:
    """Tell whether two units are the same by other names."""
    try:
        return one == other or factor_between(one, other) == 1.0
    except UnitError:
        return False


def _leaves(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if not isinstance(value, Mapping | list | tuple):
        yield value
    for each in inner:
        yield from _leaves(each)


def _amounts(text: Any) -> tuple[Amount, ...]:
    """Read the amounts of a text: both ends of a range, one amount, or none."""
    if not isinstance(text, str):
        return ()
    ends, alone = read_range(text), _split(text)
    found = ends[:2] if ends else (alone,) if alone and _says_more(text, alone) else ()
    return tuple(each for each in found if math.isfinite(each.value))


def _in_numbers(key: Any, value: Any, unit: str, faults: list[Fault]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: inner if name == "weights" else _in_numbers(key, inner, unit, faults) for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_in_numbers(key, inner, unit, faults) for inner in value]
    try:
        if isinstance(value, str):
            as_date(value)  # what is written as a date must be one
        found = _amounts(value)
    except DateError as error:
        faults.append(Fault((key,), error.rule, error.remedy))
        return value
    if not found or (len(found) == 2 and (read_range(value) or ("", "", "x"))[2]):
        return value
    try:
        told = [in_unit(each, unit) for each in found]
    except UnitError as error:
        faults.append(Fault((key,), f"'{value}' {error.rule}", _told_in(found[0], unit, key) or error.remedy))
        return value
    return told if len(told) == 2 else told[0]


def _told_in(amount: Amount, unit: str, key: str) -> str:
    """Say what an amount is in the unit of its prior, where one of growth leads to the other; else empty."""
    if amount.unit and unit.replace("factor", "x") == f"{amount.unit}/year":
        return f"Write {amount.value:g} {unit}."
    try:
        scales = [parse_growth_unit(each).conversion for each in (amount.unit, unit)]
        told = float(scales[1].inverse(scales[0].forward(np.array(amount.value))))
    except UnitError:
        return ""
    usable = key != "sd" and math.isfinite(told)
    return f"That is {told:.4g} {unit}: write it so." if usable else f"State all of its numbers in {unit}."


def prior_in_words(text: str) -> tuple[dict[str, Any], list[Fault]] | None:
    """Read a text that is a whole prior: an amount, or a range with its level; None where it is neither."""
    if ends := read_range(text):
        low, high, level = ends
        if not level:
            told = f"{text.strip()} (90 %)"
            return {"value": low.value}, [Fault((), f"'{text}' does not say its level.", f"Write for example {told}.")]
        data = {f"interval_{level}": [_text(low), _text(high)]}
        return written_in_numbers(data)
    amount = read_amount(text)
    if amount is None or not _says_more(text, amount) or not math.isfinite(amount.value):
        return None
    return {"value": amount.value} | ({"unit": amount.unit} if amount.unit else {}), []


def _text(amount: Amount) -> Any:
    return f"{amount.value!r} {amount.unit}" if amount.unit else amount.value


AMOUNT_FORM = {
    "type": "string",
    "pattern": _AMOUNT_TEXT,
    "description": "A number with its unit: 2.4x/year, $5 billion.",
}


def or_amounts(form: Any) -> Any:
    """Let amounts stand where a form of the JSON Schema has numbers."""
    if isinstance(form, list):
        return [or_amounts(each) for each in form]
    if not isinstance(form, dict):
        return form
    if form.get("type") == "number":
        kept = {key: form[key] for key in ("description", "title", "default") if key in form}
        number = {key: value for key, value in form.items() if key not in kept}
        return kept | {"anyOf": [number, {"type": "string", "pattern": _AMOUNT_TEXT}]}
    return {key: value if key == "discriminator" else or_amounts(value) for key, value in form.items()}
