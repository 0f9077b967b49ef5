"""A run folder as plain data: the text of its scenario, its draws, and what the simulator made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import yaml

from tests.oracle.units import Array, amount


@dataclass(frozen=True)
class Stored:
    """What a run folder holds."""

    scenario: dict[str, Any]
    draws: dict[str, Array]
    groups: dict[str, dict[str, Any]]
    """By group (trajectories, crossings, summary), each variable's values."""
    limits: dict[str, list[str]]
    """By subject, the limits in the order of their flags, from 1."""


def read(folder: Path) -> Stored:
    """Read a run folder that keeps every sample."""
    scenario = yaml.load((folder / "scenario.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    with netCDF4.Dataset(folder / "run.nc") as file:
        file.set_auto_mask(False)
        groups = {
            name: {key: values[...] for key, values in group.variables.items()} for name, group in file.groups.items()
        }
        limits = {
            key.removeprefix("binding_"): values.flag_meanings.split()[1:]
            for key, values in file["trajectories"].variables.items()
            if key.startswith("binding_")
        }
    draws = {name: np.asarray(values) for name, values in groups.pop("parameters").items() if name != "sample"}
    _read_uses(scenario, scenario.get("inputs", {}), "")
    return Stored(scenario, draws, groups, limits)


def _read_uses(entry: Any, inputs: dict[str, Any], key: str) -> None:
    """Give each use of an input its unit, and each input the key under which it is used."""
    if isinstance(entry, dict):
        if "input" in entry:
            used = inputs[entry["input"]]
            used["used as"] = key
            entry.setdefault("unit", used.get("unit"))
        if isinstance(entry.get("value"), str):
            entry |= amount(entry["value"]) or {}
        for name, below in list(entry.items()):
            if str(name).startswith("interval_") and isinstance(below[0], str):
                ends = [amount(end) or {} for end in below]
                entry |= {"unit": ends[0]["unit"], name: [end["value"] for end in ends]}
            elif isinstance(below, str) and name != "label":
                entry[name] = amount(below) or below
            _read_uses(entry[name], inputs, str(name))
    elif isinstance(entry, list):
        for below in entry:
            _read_uses(below, inputs, key)
