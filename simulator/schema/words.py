"""What the entries of a scenario are called: labels, and paths in words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping

from simulator.errors import Path, as_path, dotted, is_item_name
from simulator.schema.prior_names import entries
from simulator.schema.spec import ScenarioSpec

SECTIONS = (
    "inputs", "drivers", "quantities", "stocks", "allocation", "constraints", "events", "capability", "thresholds",
    "models",
)  # fmt: skip
_ABOUT = {
    "inputs": "input ", "constraints": "constraint ", "events": "event ", "capability": "capability: ",
    "thresholds": "threshold ",
}  # fmt: skip
_PLACES = {
    "product": "factor", "sum": "term", "minimum": "choice", "maximum": "choice", "feedback": "feedback point",
    "growth": "era", "mean_of": "part", "effects": "effect",
}  # fmt: skip


def in_words(path: Path, *, labels: Mapping[str, str] | None = None) -> str:
    """Say a path in words, without its section: from the innermost entry on that has a label (`labels_of`)."""
    depth = _labelled(path, labels or {})
    words = [(labels or {})[dotted(path[:depth])]] if depth else []
    rest = list(path[depth or (2 if path[0] == "drivers" else 1) :])
    if depth and rest in (["rate"], ["limit"]):
        return words[0]  # what an era or a limit with a label is about
    if not depth and path[0] == "thresholds":
        words.append(str(rest.pop(0)))
    while rest:
        key = rest.pop(0)
        if key == "uses" and rest:
            continue
        if key in ("factors", "caps", "parameters") and rest and isinstance(rest[0], str):
            name = str(rest.pop(0)).replace("-", " ")
            words.append(f"cap {name}" if key == "caps" else name)
        elif rest and is_item_name(rest[0]):
            name = str(rest.pop(0)).strip("[]").replace("-", " ")
            words.append(f"growth, {name}" if key == "growth" else name)
        elif rest and isinstance(rest[0], int):
            place = int(rest.pop(0)) + 1
            if key == "growth":
                words.append(f"growth, era {place}")
            elif key == "ratio":
                words.append(("numerator", "denominator")[place - 1] if place <= 2 else str(place))
            else:
                words.append(f"{_PLACES.get(str(key), str(key))} {place}")
        else:
            first = key == "from" and path[0] != "events"
            words.append("first year" if first else str(key).replace("-", " ").replace("_", " "))
    text = words[0] if words else ""
    for before, after in itertools.pairwise(words):
        nested = before.split(" ")[0] in _PLACES.values() and after.split(" ")[0] in _PLACES.values()
        text += f"{',' if nested else ':'} {after}"
    return text


def _labelled(path: Path, labels: Mapping[str, str]) -> int:
    """Tell how much of a path is the innermost entry that has a label; 0 where none has one."""
    return next((depth for depth in range(len(path), 1, -1) if dotted(path[:depth]) in labels), 0)


def labels_of(spec: ScenarioSpec) -> dict[str, str]:
    """Give the labels of entries by their dotted paths, all different; thresholds have one: without a label the name.

    Where a label stands at several places, what the path says stands behind it.
    """
    found = {
        dotted(path): (path, str(label))
        for path, _, entry in entries(spec)
        if path and (label := getattr(entry, "label", None))
    }
    often = Counter(label for _, label in found.values())
    labels = {
        name: f"{label} ({input_words(name)})" if often[label] > 1 else label for name, (path, label) in found.items()
    }
    return labels | {dotted(("thresholds", name)): label for name, label in threshold_labels(spec).items()}


def threshold_labels(spec: ScenarioSpec) -> dict[str, str]:
    """Give the labels of thresholds by name, without one the name."""
    return {name: threshold.label or name for name, threshold in spec.thresholds.items()}


def inputs_in_words(names: Iterable[str], *, labels: Mapping[str, str]) -> list[str]:
    """Name each of several inputs, as `input_words` does."""
    return [input_words(name, labels=labels) for name in names]


def input_words(name: str, *, labels: Mapping[str, str] | None = None) -> str:
    """Name an input so that it says by itself what it is about; a group of inputs keeps its name."""
    path = as_path(name)
    if path[0] == "actors" and len(path) > 2:
        actor = (labels or {}).get(dotted(path[:2]), str(path[1]).replace("-", " "))
        return f"{actor}: {input_words(dotted(path[2:]), labels=labels)}"
    if len(path) < 2 or path[0] not in SECTIONS:
        return name
    words = in_words(path, labels=labels)
    if _labelled(path, labels or {}) > (2 if path[0] == "thresholds" else 0):
        return words  # a label says by itself what it is about
    if path[0] == "drivers":
        return f"{path[1]}: {words}" if words else str(path[1])
    return f"{_ABOUT.get(str(path[0]), '')}{words}"
