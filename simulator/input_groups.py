"""What is varied as one: groups of priors, by patterns of names or by the driver that they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from simulator.errors import InputError, near_name, shown
from simulator.evaluation import Input

BY = ("driver",)
"""The groupings that are built in."""


def parse_groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read groups written as NAME=PATTERN,PATTERN; a `*` stands for any text.

    Raises
    ------
    InputError
        One is not written so, or a name comes twice.

    Examples
    --------
    >>> parse_groups(["algorithms=drivers.algorithms.*"])
    {'algorithms': ('drivers.algorithms.*',)}
    """
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, patterns = text.partition("=")
        parts = tuple(part.strip() for part in patterns.split(",") if part.strip())
        if not equals or not name.strip() or not parts:
            raise InputError(
                f"--group {text}: must be NAME=PATTERN; got {shown(text)}. "
                "Write for example --group algorithms=drivers.algorithms.*, and several patterns with commas."
            )
        if name.strip() in groups:
            raise InputError(
                f"--group {text}: the group '{name.strip()}' is named twice. Put its patterns into one, with commas."
            )
        groups[name.strip()] = parts
    return groups


def check_by(by: str | None) -> None:
    """Check the name of a grouping that is built in.

    Raises
    ------
    InputError
        There is none of that name.

    Examples
    --------
    >>> check_by("drivers")
    Traceback (most recent call last):
    simulator.errors.InputError: --by: must be driver; got 'drivers'. For other groups write --group NAME=PATTERN.
    """
    if by is not None and by not in BY:
        raise InputError(
            f"--by: must be {', '.join(BY)}; got {shown(by)}. For other groups write --group NAME=PATTERN."
        )


def group_inputs(
    inputs: Sequence[Input], *, groups: Mapping[str, Sequence[str]] | None = None, by: str | None = None
) -> tuple[Input, ...]:
    """Put inputs together; those of no group stay what they are.

    Parameters
    ----------
    inputs : sequence of Input
    groups : patterns of names by the name of the group, optional
        A `*` stands for any text; a pattern without one also takes all below it.
    by : "driver", optional
        Puts together what stands under one driver, quantity, constraint or threshold, and is in no group.

    Returns
    -------
    tuple of Input, in the order of their first priors

    Raises
    ------
    InputError
        A pattern matches nothing, two groups share an input, a group is called as an input, or `by` is unknown.

    Examples
    --------
    >>> inputs = [Input(name, (name,)) for name in ("drivers.a.start", "drivers.a.growth", "drivers.b.start")]
    >>> [(each.name, len(each.members)) for each in group_inputs(inputs, groups={"all a": ["drivers.a"]})]
    [('all a', 2), ('drivers.b.start', 1)]
    """
    check_by(by)
    member_of: dict[str, str] = {}
    for name, patterns in (groups or {}).items():
        for pattern in patterns:
            for found in _matching(inputs, pattern, name):
                if member_of.setdefault(found, name) != name:
                    raise InputError(
                        f"--group {name}={pattern}: takes {found}, which group '{member_of[found]}' has. "
                        "Shares of variance need groups that do not overlap: narrow one of the patterns."
                    )
    alone = [each.name for each in inputs if each.name not in member_of]
    if clash := sorted(set(groups or {}) & set(alone)):
        raise InputError(f"--group {clash[0]}: is the name of a prior outside the group. Give the group another name.")
    if by:
        member_of |= {name: ".".join(name.split(".")[:2]) for name in alone}
    members: dict[str, list[str]] = {}
    for each in inputs:
        members.setdefault(member_of.get(each.name, each.name), []).extend(each.members)
    return tuple(Input(name, tuple(priors)) for name, priors in members.items())


def _matching(inputs: Sequence[Input], pattern: str, group: str) -> list[str]:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    below = "" if "*" in pattern else r"(?:[.\[].*)?"
    found = [each.name for each in inputs if re.fullmatch(expression + below, each.name)]
    if not found:
        known = {".".join(each.name.split(".")[:depth]) for each in inputs for depth in range(1, 9)}
        near = near_name(pattern.replace(".*", ""), sorted(known))
        raise InputError(
            f"--group {group}={pattern}: matches no uncertain prior; those that hold one number have no share. "
            + (near or "`simulate validate SCENARIO` lists the priors. Write for example drivers.algorithms.*.")
        )
    return found
