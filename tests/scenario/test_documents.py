"""YAML 1.2 as plain data with places: what values mean, where entries stand, what is refused."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator import parse_scenario
from simulator.errors import Place, ScenarioError
from simulator.scenario import documents
from simulator.scenario.documents import (
    DEEPEST_DOCUMENT,
    load_document,
    parse_document,
    plain_nodes,
    yaml_text,
)
from simulator.wording import harmful
from tests.places import ROOT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e26", 1e26), ("1E+3", 1000.0), ("10_000", 10_000), ("-3", -3), ("+.5", 0.5), ("2.", 2.0), ("1_0.5", 10.5),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("true", True), ("False", False),
        ("null", None), ("~", None), ("", None), ("'1e26'", "1e26"), ('"true"', "true"), ("0o17", "0o17"), ("0x1F", "0x1F"),
        ("12:30", "12:30"), ("2024-05-31", "2024-05-31"), ("2024-05", "2024-05"), ("1.2.3", "1.2.3"), ("1__0", "1__0"),
        ("_1", "_1"), ("e5", "e5"), ("[1, a]", [1, "a"]), ("{a: 1}", {"a": 1}),
    ],
)  # fmt: skip
def test_a_value_is_read_by_the_rules_of_yaml_1_2(text: str, value: Any) -> None:
    data = parse_document(f"key: {text}\n").data["key"]
    assert data == value
    assert type(data) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_exactly(value: float) -> None:
    assert parse_document(f"key: {value!r}\n").data["key"] == value


@given(st.integers(min_value=-(10**200), max_value=10**200))
def test_every_whole_number_stays_whole(value: int) -> None:
    assert parse_document(f"key: {value}\n").data["key"] == value


def test_every_entry_knows_its_line_and_column() -> None:
    document = parse_document("a: 1\nb:\n  - x\n  - {c: 2, d: [3, 4]}\n2030: 5\n", file="f.yaml")
    expected = {
        (): (1, 1), ("a",): (1, 1), ("b",): (2, 1), ("b", 0): (3, 5), ("b", 1): (4, 5),
        ("b", 1, "c"): (4, 6), ("b", 1, "d"): (4, 12), ("b", 1, "d", 0): (4, 16), ("b", 1, "d", 1): (4, 19),
        ("2030",): (5, 1),
    }  # fmt: skip
    assert document.places == {path: Place("f.yaml", *place) for path, place in expected.items()}


def test_an_alias_stands_for_a_copy() -> None:
    document = parse_document("a: &x {b: 1}\nc: *x\nd: &x 3\ne: *x\n")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}, "d": 3, "e": 3}
    assert document.places["c", "b"].line == 1


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ('a: &x "q"\nb: {c: *x, d: 1}\ne: *x\n', True),
        ("a: &x 3\nb: *x\n", False),
        ("a: &x [1]\nb: *x\n", False),
        ('a: &x "q"\n*x : 3\n', False),
        ('a: &x "q"\nb: &x "r"\nc: *x\n', False),
    ],
)
def test_only_aliases_of_quoted_texts_are_plain(text: str, is_plain: bool) -> None:
    nodes = plain_nodes(text)
    assert (nodes is not None) == is_plain
    assert parse_document(text).data == read(documents.composed(text, "file"))[0]


def test_a_key_that_is_written_twice_is_refused_also_in_other_spelling() -> None:
    for text in ("a: 1\na: 2\n", "5: 1\n'5': 2\n", "{a: 1, 'a': 2}\n"):
        with pytest.raises(ScenarioError, match="is written twice; first on line 1"):
            parse_document(text)


def test_faults_of_single_entries_are_kept_where_that_is_asked_for() -> None:
    document = parse_document("a: 1\na: 2\nb: !x 3\nc: .inf\n", keep_faults=True)
    assert document.data == {"a": 1, "b": 3, "c": None}
    assert [(fault.place.line, fault.entry) for fault in document.faults] == [(2, "a"), (3, "b"), (4, "c")]
    with pytest.raises(ScenarioError) as refused:
        parse_document("a: 1\na: 2\nb: !x 3\nc: .inf\n")
    assert refused.value.faults == document.faults


def test_the_depth_that_is_allowed_is_read() -> None:
    data = parse_document("a: " + "[" * (DEEPEST_DOCUMENT - 1) + "]" * (DEEPEST_DOCUMENT - 1)).data["a"]
    depth = 0
    while data != []:
        depth, data = depth + 1, data[0]
    assert depth == DEEPEST_DOCUMENT - 2
    with pytest.raises(ScenarioError, match="nested more than"):
        parse_document("a: " + "[" * (DEEPEST_DOCUMENT + 1) + "]" * (DEEPEST_DOCUMENT + 1))


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: b: c\n", 1, 5, "a second colon"),
        ("a: 1\nb: @x\n", 2, 4, "a value cannot begin with @"),
        ('a: 1\nb: "x\nc: 2\n', 2, 4, "a quote opens here"),
        ("a: 'it's'\n", 1, 8, "text follows a closing quote"),
        ("a: [1, 2\nb: 3\n", 2, 2, "the '[' of line 1 is not closed"),
        ("a: {x: 1", 1, 9, "the '{' of line 1 is not closed before the end of the file"),
        ("a: 1\nb\nc: 2\n", 2, 1, "a word stands without a colon"),
        ("- a\nb: 1\n", 2, 1, "a key stands where an item of a list"),
        ("a: 1\n- b\n", 2, 1, "an item of a list"),
        ("a: ]\n", 1, 4, "a ']' closes nothing"),
        ("a: [1,,2]\n", 1, 7, "a comma separates nothing"),
        ("a:\n\tb: 1\n", 2, 1, "a tab stands where only spaces may"),
        ("a:\n  b: 1\n c: 2\n", 3, 2, "is indented differently"),
        ("a: 1\n---\nb: 1\n", 2, 1, "more than one document"),
        ("a: *x\n", 1, 4, "the alias *x is not defined"),
        ("a: 1\nb: x\x07y\n", 2, 5, "the control character U+0007"),
        ("a: &x [*x]\n", 1, 4, "the alias *x stands inside"),
    ],
)
def test_a_slip_of_syntax_is_placed_and_put_in_plain_words(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(words)) as refused:
        parse_document(text, file="f.yaml")
    assert refused.value.faults[0].place == Place("f.yaml", line, column)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_never_breaks_the_reader(text: str) -> None:
    try:
        found = parse_document(text).places[()].file
    except ScenarioError as refused:
        found = refused.faults[0].place.file
    assert found == "<text>"


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    from unittest.mock import patch

    with patch("simulator.scenario.documents.read_bytes", return_value=raw):
        try:
            found = load_document("f.yaml").places[()].file
        except ScenarioError as refused:
            found = refused.faults[0].place.file
    assert found == "f.yaml"


def test_the_largest_number_is_read_and_the_next_refused() -> None:
    assert parse_document("a: 1.7976931348623157e308\n").data["a"] < math.inf
    with pytest.raises(ScenarioError, match=r"1\.8e308 is not a finite number"):
        parse_document("a: 1.8e308\n")


def test_two_halves_of_a_character_are_joined_and_a_single_half_is_refused() -> None:
    assert parse_document('a: "\\ud83d\\ude00"\n').data == {"a": "\U0001f600"}
    with pytest.raises(ScenarioError, match=r"1:4: a: holds the control character U\+D83D\."):
        parse_document('a: "\\ud83d x"\n')


@pytest.mark.parametrize(
    "text",
    [r'a: "x\x1by"', r'a: {b: "\uFFFE"}', r'a: ["\u009b31m"]', r'a: "\u202e"', r'"a\a": 1', r'a: "\r"', "a: x\u202ey"],
)
def test_a_character_that_steers_a_terminal_or_turns_a_text_is_refused_however_it_is_written(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"1:\d+: .*holds the control character U\+[0-9A-F]{4}\."):
        parse_document(text)


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("  first:", "\u00a0 first:", "2:1: holds U+00A0 (no-break space)", "Write a plain space"),
        ("2020", "20\u00a020", "2:3: years.first: must be", "It holds U+00A0 (no-break space)"),
        ("2030", "20\u202f30", "3:3: years.last: must be", "It holds U+202F (narrow no-break space)"),
        ("first:", "fir\u200bst:", "2:3: years.fir\u200bst: no such key", "It holds U+200B (zero width space)"),
        ("first: ", "first:\u00a0", "2:1: holds U+00A0 (no-break space)", "Write a plain space"),
        (
            "first:",
            "\u2068first\u2069:",
            "years.\u2068first\u2069: no such key",
            "It holds U+2068 (first strong isolate)",
        ),
        ("first:", "\u2066first\u2069:", "2:3: years: a key holds the control character U+2066", "Remove it"),
        ("{}", "'\u2067a\u2069'", "4:10: drivers: holds the control character U+2067", "Remove it"),
    ],
)
def test_what_looks_like_a_space_and_is_none_is_named(old: str, new: str, place: str, words: str) -> None:
    text = "years:\n  first: 2020\n  last: 2030\ndrivers: {}\n"
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text.replace(old, new, 1), file="own.yaml")
    assert place in str(caught.value)
    assert words in str(caught.value)


def test_lines_tabs_and_names_that_run_from_the_right_are_text() -> None:
    text = 'a: "one\\n\\ttwo \u05e9\u05dc\u05d5\u05dd \u2068\u05d0\u2069"\n'
    assert parse_document(text).data == {"a": "one\n\ttwo \u05e9\u05dc\u05d5\u05dd \u2068\u05d0\u2069"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"a: {'x' * 20_001}", "is a text of 20,001 letters; at most 20,000 are read."),
        (
            f"a: {{{', '.join(f'k{at}: {{b: 1}}' for at in range(2_001))}}}",
            "holds 2,001 entries; at most 2,000 are read.",
        ),
        (f"a: {{{', '.join(f'k{at}: 1' for at in range(2_001))}}}", "holds 2,001 entries; at most 2,000 are read."),
        (f"a: [{', '.join(['w'] * 2_001)}]", "holds 2,001 entries; at most 2,000 are read."),
        (f"a: [{', '.join(['1'] * 100_001)}]", "holds 100,001 numbers; at most 100,000 are read."),
    ],
)
def test_more_than_anybody_writes_is_refused_with_the_limit(text: str, rule: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_document(text)
    assert [fault.rule for fault in refused.value.faults] == [rule]
    with pytest.raises(ScenarioError, match=re.escape(rule)):
        documents.data_document(yaml.load(text, yaml.CSafeLoader), "<data>")


def test_many_numbers_are_read_with_a_number_each_too() -> None:
    text = f"a: {{{', '.join(f'{at}: 1.5' for at in range(2_001))}}}\nb: [{', '.join(['1e6'] * 2_001)}]\n"
    read, given = (
        parse_document(text),
        documents.data_document({"a": dict.fromkeys(range(2_001), 1.5), "b": [1e6] * 2_001}, ""),
    )
    assert read.data == given.data


def test_a_long_list_is_read_where_no_alias_repeats_it() -> None:
    assert len(parse_document(f"a: [{', '.join(map(str, range(25_000)))}]\n").data["a"]) == 25_000


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
            assert repr(read(nodes)) == repr(read(documents.composed(text, "file"))), path
    assert plain > 0.8 * len(FILES)


WORDS = st.text(max_size=12).filter(lambda text: not harmful(text)[1]) | st.sampled_from(
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
    assert read(documents.composed(text, "file"))[0] == data
    nodes = plain_nodes(text)
    if nodes is not None:
        assert repr(read(nodes)) == repr(read(documents.composed(text, "file")))


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
        assert repr(read(nodes)) == repr(read(documents.composed(f"k: {text}", "file")))


@pytest.mark.parametrize(
    "text",
    ["a: >-\n  \n\n    b\n", "", "# nothing\n", "a: &x 1\n", "a: !!str 1\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n---\nb: 2\n", "a:\t1\n", "a: [1\n",
     "a: b\u0085\n", "\ufeffa: 1\n", "[" * (DEEPEST_DOCUMENT + 2) + "]" * (DEEPEST_DOCUMENT + 2)],
)  # fmt: skip
def test_what_is_rare_or_at_fault_is_left_to_ruamel(text: str) -> None:
    assert plain_nodes(text) is None


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "{a: " * 200_000, "? " * 200_000])
def test_a_text_without_end_of_brackets_is_left_to_ruamel(text: str) -> None:
    assert plain_nodes(text) is None


@pytest.mark.parametrize("keys", ["2027: 1, 2027.0: 2", "0.5: 1, 0.50: 2", "1e29: 1, 10e28: 2", '2027: 1, "2027": 2'])
def test_a_number_in_two_ways_of_writing_is_one_key(keys: str) -> None:
    with pytest.raises(ScenarioError, match="is written twice; first on line 1"):
        parse_document(f"{{{keys}}}", file="x.yaml")
