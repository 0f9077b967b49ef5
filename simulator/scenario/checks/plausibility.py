"""What is allowed and hardly meant: growth, starts and thresholds far from what is known; and what may be meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from simulator.errors import dotted, number
from simulator.priors.joint import JointPrior, NamedPrior
from simulator.schema.base import LARGEST_LOG
from simulator.schema.prior_names import Slot, stated_drivers
from simulator.schema.spec import Driver, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.subjects import is_falling

FASTEST, SLOWEST, FASTEST_DOUBLING = 10.0, 0.8, 16.0
"""Factors a year beyond which growth is said to be hardly meant; of a doubling time, which is not misread, 3 months."""
FAR = 3.0
"""Orders of magnitude by which a start may lie off what the largest runs of its year had."""
USUAL: Mapping[str, tuple[float, float, str]] = {
    "spending": (8.6, 0.4, "USD"), "hardware": (18.1, 0.15, "FLOP/USD"), "compute": (26.7, 0.65, "FLOP"),
}  # fmt: skip
"""Of the largest runs, by driver: log10 of the level in 2025 and its rise a year, about; the unit."""
USUAL_FROM = 2010.0
"""Before this date growth was slower, and no start is told to be far off."""
REACH: Mapping[str, tuple[float, float, str]] = {
    "effective_compute": (15.0, 50.0, "FLOP"), "physical_compute": (15.0, 50.0, "FLOP"), "spending": (3.0, 17.0, "USD"),
}  # fmt: skip
"""Of thresholds, by what they stand on: log10 of the least and the largest that is asked about; the unit."""
_MANY = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}


def implausible(spec: ScenarioSpec, joint: JointPrior, stated: Sequence[Slot]) -> Iterator[str]:
    """Warn of growth, starts and thresholds that are hardly meant, and of thresholds that every draw has passed."""
    for slot in stated:
        prior = joint.priors[slot.name]
        if slot.kind == "rate" and not prior.of:
            yield from _growth(slot, prior)
    for name, driver in stated_drivers(spec).items():
        if name in USUAL and driver.start is not None:
            yield from _start(name, driver, joint.priors[f"drivers.{name}.start"], spec)
    referred = {threshold.of for threshold in spec.thresholds.values()}
    for name, threshold in spec.thresholds.items():
        for key in REACH:
            if isinstance(getattr(threshold, key), Prior) and not is_falling(spec, name):
                prior = joint.priors[dotted(("thresholds", name, key))]
                far = list(_threshold(key, prior))
                yield from far or (() if name in referred else _passed(key, prior, spec, joint))


def _growth(slot: Slot, prior: NamedPrior) -> Iterator[str]:
    factor = 10.0**prior.median
    if SLOWEST <= factor <= FASTEST or (FASTEST < factor <= FASTEST_DOUBLING and "ing" in prior.stated_unit):
        return
    unit, told = prior.stated_unit, f"{prior.read.median:.4g}"
    what = f"a rise by {factor:.3g} times a year" if factor > 1 else f"a fall by {100 * (1 - factor):.3g} % a year"
    meant = ""
    if unit.startswith(("x", "factor", "times")):
        meant = f" Is {told if factor > 1 else f'{100 * factor:.3g}'} %/year meant?"
    elif unit.startswith(("OOM", "ln")) and factor > 1:
        meant = f" Is {told}x/year meant?"
    whose = f"{told} {unit}" if prior.value is not None else f"the median, {told} {unit},"
    yield f"{slot.name}: {whose} is {what}.{meant}"


def _start(name: str, driver: Driver, prior: NamedPrior, spec: ScenarioSpec) -> Iterator[str]:
    level, rise, unit = USUAL[name]
    year = spec.years.first if driver.at is None else float(driver.at)
    usual, found = level + rise * (min(year, 2030.0) - 2025.0), prior.median
    if found == 0.0 or abs(found - usual) <= FAR or year < USUAL_FROM or _is_beyond(found):  # 1 stands for any level
        return
    meant = _many(found, usual - 2.0, usual + 2.0, unit) if unit == "USD" else ""
    told = number(float(f"{10.0**found:.3g}"))
    about = number(float(f"{10.0**usual:.1g}"))
    off = f"1e{abs(found - usual):.0f} times {'more' if found > usual else 'less'}"
    yield (
        f"{prior.name}: {told} {unit} is {off} than what the largest training runs of {number(year)} had, "
        f"about {about} {unit}.{meant}"
    )


def _is_beyond(log_level: float) -> bool:
    """Tell whether a level is beyond all numbers, which is a fault."""
    return abs(log_level) > LARGEST_LOG


def _threshold(key: str, prior: NamedPrior) -> Iterator[str]:
    low, high, unit = REACH[key]
    found = prior.median
    if low <= found <= high or _is_beyond(found):
        return
    told = number(float(f"{10.0**found:.3g}"))
    meant = _many(found, 7.0, 13.0, unit) if unit == "USD" else ""
    if unit == "FLOP" and low <= 10.0**found <= high:
        meant = f" Is 1e{10.0**found:.4g} FLOP meant, or unit: log10(FLOP)?"
    beyond = "below all" if found < low else "above all"
    asked = f"1e{low:.0f} to 1e{high:.0f} {unit}"
    yield f"{prior.name}: {told} {unit} lies far {beyond} that is asked about, {asked}.{meant}"


def _passed(key: str, prior: NamedPrior, spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Say that a threshold lies below the start whatever is drawn."""
    names = ("spending",) if key == "spending" else ("compute",) if spec.drivers.compute else ("spending", "hardware")
    drivers = [stated_drivers(spec).get(name) for name in names]
    later = any(each is None or each.start is None or (each.at or 0) > spec.years.first for each in drivers)
    if later or spec.constraints or any(each and each.caps for each in drivers):
        return
    starts = [joint.priors[f"drivers.{name}.start"] for name in names]
    algorithms = spec.drivers.algorithms
    if key == "effective_compute" and algorithms is not None and algorithms.start is not None:
        return
    if sum(start.family.support[0] for start in starts) <= prior.family.support[1]:
        return
    yield f"{prior.name}: lies below the start in every draw: it is passed before the forecast begins."


def _many(found: float, low: float, high: float, unit: str) -> str:
    """Ask whether thousands, millions or billions are meant, where one of them is within bounds."""
    word = next((word for word, power in _MANY.items() if low <= found + power <= high), "")
    return f" Is {number(float(f'{10.0**found:.3g}'))} {word} {unit} meant?" if word else ""
