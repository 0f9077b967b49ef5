"""A resolved scenario as it is stored: what says the same has the same bytes, however it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from simulator.errors import InputError, RunFileError
from simulator.files import LARGEST_TEXT
from simulator.scenario.documents import yaml_text
from simulator.schema.quantities import Factor
from simulator.schema.spec import Drivers, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.stocks import Allocation, Stock

_STATED = (ScenarioSpec, Drivers, Prior, Factor, Stock, Allocation)
_RANKS = {
    name.rstrip("_"): rank for rank, name in enumerate(dict.fromkeys(key for of in _STATED for key in of.model_fields))
}
_NAMED = (
    "inputs", "factors", "quantities", "stocks", "allocation", "uses", "events", "constraints", "caps", "thresholds",
    "parameters", "actors",
)  # fmt: skip
"""Where the names are the author's, and stand in a run in his order."""


def in_order(data: Any, *, named: bool = False) -> Any:
    """Put the keys of plain data into one order, whatever that of the file: what says the same is stored alike."""
    if isinstance(data, list):
        return [in_order(item) if isinstance(item, dict | list) else item for item in data]
    if not isinstance(data, dict):
        return data
    keys = data if named or len(data) < 2 else sorted(data, key=_rank)
    return {key: in_order(data[key], named=key in _NAMED and not named) for key in keys}


@lru_cache(maxsize=1024, typed=True)
def _rank(key: Any) -> tuple[int, str]:
    known = _RANKS.get(key, _RANKS.get(str(key).partition("_")[0], len(_RANKS)))  # interval_90 stands as interval
    return known, str(key)


def stored_data(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Read the resolved scenario off the attributes of a result; RunFileError where they hold none."""
    try:
        data = json.loads(attrs["scenario"])
    except (KeyError, TypeError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        what = f"run {attrs['run_id']}" if "run_id" in attrs else "the result"
        rule = "attribute scenario: must be a resolved scenario as JSON"
        raise RunFileError(f"{what}: {rule}. It was changed since it was written: restore it, or make it anew.")
    return data


def kept_text(data: Mapping[str, Any]) -> str:
    """Write a resolved scenario for a file of its own; InputError where it is larger than what is read again."""
    text = yaml_text(data)
    if (size := len(text.encode())) > LARGEST_TEXT:
        raise InputError(
            f"{data['name']}: a run keeps the numbers of its tables in its scenario.yaml, which would have "
            f"{size / 2**20:.1f} MiB; at most {LARGEST_TEXT >> 20} MiB are read. Thin the tables of its priors."
        )
    return text
