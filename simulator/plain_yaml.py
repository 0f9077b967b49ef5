"""The plain part of YAML, read by libyaml, as the nodes that ruamel.yaml composes of it, in a tenth of the time.

libyaml reads YAML 1.1. Where no rare characters stand, its events are those of YAML 1.2: what a scalar means is not
for it to say. Anchors, tags, directives, rare characters and whatever is at fault are left to ruamel.yaml.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

DEEPEST = 60  # levels: what is nested deeper is not plain

_RARE = re.compile(r"^(?:%|---|\.\.\.)|[|>][-+0-9]*(?:#| *\n *\n)", re.MULTILINE)  # the last: libyaml takes more


class Mark(NamedTuple):
    """Where a node starts; line and column count from 0."""

    line: int
    column: int


class Node(NamedTuple):
    """A scalar, a sequence or a mapping, by the names of ruamel.yaml's nodes.

    `value` is a text, a list of nodes, or a list of pairs of nodes; `style` is the quote of a scalar, `>` or `|` of a
    block.
    """

    id: str
    value: Any
    start_mark: Mark
    style: str | None = None
    tag: str | None = None
    anchor: str | None = None


def plain_nodes(text: str) -> Node | None:
    r"""Read YAML text that is plain; None where it is not, be it at fault or only written in a rarer way.

    Examples
    --------
    >>> plain_nodes("level: 1e26\n").value[0][1].start_mark
    Mark(line=0, column=7)
    >>> plain_nodes("level: !!float 1e26\n") is None
    True
    """
    import yaml

    if not text.replace("\n", "").isprintable() or _RARE.search(text) or not yaml.__with_libyaml__:
        return None
    try:
        return _composed(yaml.parse(text, Loader=yaml.CBaseLoader))
    except yaml.YAMLError:
        return None


def _composed(events: Any) -> Node | None:
    """Put the events of one document together; None where one of them is not plain."""
    open_nodes: list[Node] = []
    roots: list[Node] = []
    for event in events:
        kind = type(event).__name__
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            closed = open_nodes.pop()
            if closed.id == "mapping":
                closed.value[:] = zip(closed.value[::2], closed.value[1::2], strict=True)
            continue
        if kind in _ENDS:
            continue
        if kind not in _KINDS or event.tag is not None or event.anchor is not None or len(open_nodes) > DEEPEST:
            return None
        mark = Mark(event.start_mark.line, event.start_mark.column)
        scalar = kind == "ScalarEvent"
        node = Node(_KINDS[kind], event.value, mark, event.style) if scalar else Node(_KINDS[kind], [], mark)
        (open_nodes[-1].value if open_nodes else roots).append(node)
        if not scalar:
            open_nodes.append(node)
    return roots[0] if len(roots) == 1 and roots[0].id == "mapping" else None


_KINDS = {"ScalarEvent": "scalar", "SequenceStartEvent": "sequence", "MappingStartEvent": "mapping"}
_ENDS = ("StreamStartEvent", "StreamEndEvent", "DocumentStartEvent", "DocumentEndEvent")
