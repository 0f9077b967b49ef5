"""Plain YAML read quickly is what ruamel.yaml reads; what is not plain is left to it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from simulator.plain_yaml import DEEPEST, plain_nodes
from simulator.shipped import shipped_folder

SHIPPED = sorted(file for kind in ("scenarios", "priors") for file in shipped_folder(kind).rglob("*.yaml"))
OWN_WAYS = {"direct-approach-2023", "scaling-2030"}  # shipped scenarios with anchors

PLAIN = dedent(
    """\
    # about it
    name: slower-money                     # a comment
    "5": 'quoted'
    notes: >-
      one: line
      # no comment

      another
    groups:
      list:
      - a b
      - {from: 2029, rate: {median: 1.3, of: [x, "y, z", -3,
           .5]}}                           # closed on the next line
      - key: ~
        1e29: http://example.org/#part
      -   - nested
    empty: {}
    none: []
    """
)
PIECES = [
    " ", "  ", "\n", "\n  ", "\n    ", "a", "b:", "c: ", ": ", ":", "- ", "-", "\n- ", "[", "]", "{", "}", ",", ", ", "#",
    " #", '"', "'", '"x"', "'y'", ">-", ">-\n  ", ">", "|", "1", "2.5", "1e3", ".", "+", "$", "~", "(", "%", "*x", "&x ",
    "!t", "?", "? ", "---", "...", "=", "<<", "@", "`", "\\", "''", "\u00e9", "k: v\n", "k: [1, 2]\n", "  l: m\n",
    "- n\n", "  - o\n", "k:\n", "a b", "null", "word # note", " \n", "\t", "\x85", "\u2028", "\ufeff", "\U0001f600",
    "k: >-\n    one\n\n\n    two\n",
]  # fmt: skip


def simplified(node: Any) -> Any:
    """Put a node of either reader into plain values: what it is, what it holds, where and how it is written."""
    value = node.value
    if node.id == "mapping":
        value = [(simplified(key), simplified(inner)) for key, inner in value]
    elif node.id == "sequence":
        value = [simplified(inner) for inner in value]
    style = node.style if node.id == "scalar" else None
    return node.id, value, (node.start_mark.line, node.start_mark.column), style


def composed(text: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    return simplified(yaml.compose(text))


def agrees(text: str) -> bool:
    """Hold that a text is read alike; tell whether it was plain."""
    root = plain_nodes(text)
    if root is not None:
        assert simplified(root) == composed(text)
    return root is not None


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_file_is_read_alike_and_is_plain(file: Path) -> None:
    assert agrees(file.read_text(encoding="utf-8")) == (file.stem not in OWN_WAYS or file.parent.name == "targets")


def test_every_plain_way_of_writing_is_read_alike() -> None:
    assert agrees(PLAIN)


@given(st.integers(0, len(PLAIN)), st.integers(0, 4), st.sampled_from(PIECES))
@settings(max_examples=400, deadline=None)
def test_a_plain_text_with_a_change_is_read_alike_or_not_at_all(start: int, gone: int, piece: str) -> None:
    agrees(PLAIN[:start] + piece + PLAIN[start + gone :])


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join))
@settings(max_examples=400, deadline=None)
def test_pieces_in_any_order_are_read_alike_or_not_at_all(text: str) -> None:
    agrees(text)
    agrees(f"k: v\n{text}")


@pytest.mark.parametrize(
    "text",
    [
        "", "# only a comment\n", "a: 1\n---\nb: 2\n", "%YAML 1.2\n---\na: 1\n", "a: &x 1\nb: *x\n", "a: !!python/name:os.system\n",
        "a: !tag 1\n", "a:\n", "a: {b: }\n", "a: {b}\n", "a: [b: 1]\n", "a: |\n  b\n", "a: >\n  b\n", "a: 'it''s'\n", 'a: "\\n"\n',
        "a: b\n  c\n", "a: [b\n]\n", "\ta: 1\n", "a: 1\r\n", "a: b: c\n", "a: b:\n", "? a\n: b\n", "a: [1, 2\n", "a: [1]]\n",
        "  a: 1\n", "a: 1\n b: 2\n", "a:\n    b: 1\n  c: 2\n", "a: 'b\n", "a: @b\n", "a: >-\n   b\n  c\n", "a: >-\n  b\n   c\n",
        "- a\n-b: 1\n", "[a, b]", "a: {b:1}\n", "a: \x07\n", "a: [x]y\n", 'a: "x"y\n', "<<: {a: 1}\n", "a: [b #c]\n", "a: [b,#c\n  d]\n",
        "a: {b: " + "[" * DEEPEST + "]" * DEEPEST + "}\n",
    ],
)  # fmt: skip
def test_what_is_rare_or_at_fault_is_left_to_the_full_reader(text: str) -> None:
    assert plain_nodes(text) is None


def test_a_word_alone_is_plain() -> None:
    for text in ("3", "1e6", "-2.5", ".5", "baseline", "true", "10_000"):
        assert agrees(text)
