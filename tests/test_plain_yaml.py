"""Plain YAML read by libyaml is what ruamel.yaml reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import documents
from simulator.documents import parse_document, yaml_text
from simulator.plain_yaml import DEEPEST, plain_nodes

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("scenarios", "priors", "tests") for path in (ROOT / folder).rglob("*.yaml"))


def read(root: Any) -> tuple[object, ...]:
    builder = documents._Builder("file")
    return builder.build(root, ()), builder.places, builder.faults


def test_files_read_the_same_by_either() -> None:
    plain = 0
    for path in FILES:
        try:
            text = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            continue
        nodes = plain_nodes(text)
        if nodes is not None:
            plain += 1
            assert repr(read(nodes)) == repr(read(documents._composed(text, "file"))), path
    assert plain > 0.8 * len(FILES)


WORDS = st.text(max_size=12) | st.sampled_from(
    [
        "no",
        "yes",
        "on",
        "null",
        "~",
        "1e26",
        "1.5",
        ".inf",
        "1_000",
        "0o7",
        "12:30",
        "2026-05-02",
        "- a",
        "a: b",
        "#x",
        "",
    ]
)
DATA = st.recursive(
    WORDS
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, DATA, min_size=1, max_size=4))
def test_what_is_written_reads_back_by_either(data: dict[str, Any]) -> None:
    text = yaml_text(data)
    assert parse_document(text).data == data
    assert read(documents._composed(text, "file"))[0] == data
    nodes = plain_nodes(text)
    if nodes is not None:
        assert repr(read(nodes)) == repr(read(documents._composed(text, "file")))


TOKENS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "c d",
            ": ",
            ":",
            "- ",
            "-",
            "\n",
            "\n  ",
            "\n    ",
            " ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            ",",
            "'",
            '"',
            "#",
        ),
        *(
            " #",
            "|",
            ">",
            ">-",
            "|+",
            "|2",
            "? ",
            "1e5",
            "---",
            "\n---\n",
            "\\n",
            "é",
            "~",
            "\\",
            "`",
            "@",
            "%",
            "!",
            "&x",
        ),
        *("*x", "<<: "),
    ]
)


@given(st.lists(TOKENS, max_size=14).map("".join))
def test_whatever_is_taken_as_plain_reads_the_same_by_ruamel(text: str) -> None:
    nodes = plain_nodes(f"k: {text}")
    if nodes is not None:
        assert repr(read(nodes)) == repr(read(documents._composed(f"k: {text}", "file")))


@pytest.mark.parametrize(
    "text",
    ["a: >-\n  \n\n    b\n", "", "# nothing\n", "a: &x 1\n", "a: !!str 1\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n---\nb: 2\n", "a:\t1\n", "a: [1\n",
     "a: b\u0085\n", "\ufeffa: 1\n", "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2)],
)  # fmt: skip
def test_what_is_rare_or_at_fault_is_left_to_ruamel(text: str) -> None:
    assert plain_nodes(text) is None


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "{a: " * 200_000, "? " * 200_000])
def test_a_text_without_end_of_brackets_is_left_to_ruamel(text: str) -> None:
    assert plain_nodes(text) is None
