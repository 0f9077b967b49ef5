"""What is odd about how priors are drawn: one that is drawn twice, an input that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.priors.joint import JointPrior
from simulator.schema.prior_families import Distribution
from simulator.schema.prior_names import slots
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.wording import listed


def draw_warnings(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Warn of entries of the library that are drawn twice, and of inputs that nothing uses."""
    yield from _drawn_twice(spec, joint)
    used = {slot.prior.input for slot in slots(spec)} | {
        function.of.removeprefix("inputs.") for function in joint.functions.values()
    }
    for name in spec.inputs:
        if name not in used:
            yield f"inputs.{name}: nothing uses it."


def _drawn_twice(spec: ScenarioSpec, joint: JointPrior) -> Iterator[str]:
    """Find the same entry of the library in several places whose draws are independent."""
    joined = [frozenset(each.between) for each in spec.correlations]
    found: dict[tuple[tuple[str, ...], Distribution], list[str]] = {}
    for name in joint.uncertain:
        entries = tuple(_entries(joint.priors[name].prior))
        if entries:
            found.setdefault((entries, joint.priors[name].family), []).append(name)
    for (entries, _), names in found.items():
        apart = [name for name in names if all({name, other} not in joined for other in names if other != name)]
        if len(apart) > 1 and not _one_each_year(names):
            times = "twice" if len(apart) == 2 else f"{len(apart)} times"
            yield (
                f"{' with '.join(dict.fromkeys(entries))}: drawn {times}, independently: {listed(apart)}. "
                "Where one number is meant, name it under inputs and use it as {input: its-name}."
            )


def _entries(prior: Prior) -> Iterator[str]:
    """List the entries of the library that a prior is, or is mixed of."""
    if prior.prior is not None:
        yield prior.prior
    for part in prior.mixture or ():
        yield from _entries(part)


def _one_each_year(names: list[str]) -> bool:
    """Tell whether priors are those of one entry that is drawn anew for each year."""
    return all(name.startswith("models.largest_share") for name in names)
