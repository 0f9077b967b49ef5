"""The plain part of YAML read quickly, as the nodes that ruamel.yaml composes of it.

Scenarios and libraries are mostly written in it: groups and lists by indentation or in brackets, words and numbers on
one line, texts in quotes without escapes, texts folded by `>-`. Anchors, tags, other texts of several lines, empty
values and whatever is at fault are not plain: ruamel.yaml reads and judges those, and takes ten times as long.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

DEEPEST = 30  # levels: what is nested deeper is not plain

_SPACES = re.compile(r" *")
_NOTHING = re.compile(r" *(?:#.*)?")
_KEY = re.compile(r'(?:([A-Za-z0-9_][A-Za-z0-9_./+-]{0,99})|"([^"\\]{0,99})"):(?: +|$)')
_WORD = re.compile(r"[-+.]?[A-Za-z0-9][A-Za-z0-9_.+-]*")
_QUOTED = re.compile(r"\"([^\"\\]*)\"|'([^']*)'(?!')")
_FIRST = re.compile(r"[-+.]?[A-Za-z0-9]|[~($]")
_IN_BRACKETS = re.compile(r"(?:[-+.]?[A-Za-z0-9]|[~$])[A-Za-z0-9_.+()/%*^<>=;~$ -]*")


class Mark(NamedTuple):
    """Where a node starts; line and column count from 0."""

    line: int
    column: int


class Node(NamedTuple):
    """A scalar, a sequence or a mapping, by the names of ruamel.yaml's nodes.

    `value` is a text, a list of nodes, or a list of pairs of nodes; `style` is the quote of a scalar, `>` where it is
    folded, None where it is plain.
    """

    id: str
    value: Any
    start_mark: Mark
    style: str | None = None
    tag: str | None = None
    anchor: str | None = None


class _NotPlainError(Exception):
    """Say that a text is left to ruamel.yaml."""


def plain_nodes(text: str) -> Node | None:
    r"""Read YAML text that is plain; None where it is not, be it at fault or only written in a rarer way.

    Examples
    --------
    >>> plain_nodes("level: 1e26\n").value[0][1].start_mark
    Mark(line=0, column=7)
    >>> plain_nodes("level: !!float 1e26\n") is None
    True
    """
    if _WORD.fullmatch(text):
        return Node("scalar", text, Mark(0, 0))
    if not text.replace("\n", "").isprintable():  # tabs, controls, rarer ends of lines
        return None
    try:
        return _Reader(text.split("\n")).document()
    except _NotPlainError:
        return None


class _Reader:
    """Reads the lines of one text from above.

    `line` is the line being read; `indent` its spaces where it is still to be read, -1 after the last line.
    """

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.line = -1
        self.indent = -1
        self.depth = 0

    def document(self) -> Node:
        self.go_on()
        if self.indent != 0:
            raise _NotPlainError
        node = self.block(0)
        if self.indent != -1:
            raise _NotPlainError
        return node

    def go_on(self) -> None:
        """Go to the next line that holds more than a comment."""
        for number in range(self.line + 1, len(self.lines)):
            text = self.lines[number]
            if not _NOTHING.fullmatch(text):
                self.line, self.indent = number, _after(_SPACES, text, 0)
                return
        self.line, self.indent = len(self.lines), -1

    def finish(self, column: int) -> None:
        """End a value: nothing but a comment may follow on its line."""
        text = self.lines[self.line]
        if column < len(text) and (text[column] != " " or not _NOTHING.fullmatch(text, column)):
            raise _NotPlainError
        self.go_on()

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _NotPlainError

    def block(self, column: int) -> Node:
        """Read the group or the list that starts at a column of this line, and go on to the line after it."""
        self.deeper()
        start = Mark(self.line, column)
        if self.lines[self.line].startswith("- ", column):
            node = Node("sequence", self.items(column), start)
        else:
            node = Node("mapping", self.entries(column), start)
        if self.indent > column:
            raise _NotPlainError
        self.depth -= 1
        return node

    def items(self, column: int) -> list[Node]:
        found: list[Node] = []
        while True:
            text = self.lines[self.line]
            start = _after(_SPACES, text, column + 1)
            nested = text.startswith("- ", start) or _KEY.match(text, start)
            found.append(self.block(start) if nested else self.value(start, column))
            if self.indent != column or not self.lines[self.line].startswith("- ", column):
                return found

    def entries(self, column: int) -> list[tuple[Node, Node]]:
        found: list[tuple[Node, Node]] = []
        while True:
            key, start = self.key(column)
            text = self.lines[self.line]
            below = start == len(text) or text[start] == "#"
            found.append((key, self.below(column) if below else self.value(start, column)))
            if self.indent != column:
                return found

    def key(self, column: int) -> tuple[Node, int]:
        """Read a key, and find the column after its colon."""
        match = _KEY.match(self.lines[self.line], column)
        if not match:
            raise _NotPlainError
        plain, quoted = match.groups()
        start = Mark(self.line, column)
        return Node("scalar", quoted, start, '"') if plain is None else Node("scalar", plain, start), match.end()

    def below(self, column: int) -> Node:
        """Read the value that stands below its key."""
        self.go_on()
        listed = self.indent == column and self.lines[self.line].startswith("- ", column)
        if not listed and self.indent <= column:
            raise _NotPlainError
        return self.block(self.indent)

    def value(self, start: int, column: int) -> Node:
        """Read the value that starts on this line, in a block that starts at a column, and go on after it."""
        text = self.lines[self.line]
        if text.startswith(">-", start):
            return self.folded(start, column)
        if text.startswith(("[", "{"), start):
            node, end = self.brackets(start, column)
        elif text.startswith(('"', "'"), start):
            node, end = self.quoted(start)
        else:
            comment = text.find(" #", start)
            words = (text[start:] if comment < 0 else text[start:comment]).rstrip(" ")
            if not _FIRST.match(words) or ": " in words or words.endswith(":"):
                raise _NotPlainError
            node, end = Node("scalar", words, Mark(self.line, start)), start + len(words)
        self.finish(end)
        return node

    def quoted(self, start: int) -> tuple[Node, int]:
        match = _QUOTED.match(self.lines[self.line], start)
        if not match:
            raise _NotPlainError
        text = match[1] if match[2] is None else match[2]
        return Node("scalar", text, Mark(self.line, start), match[0][0]), match.end()

    def folded(self, start: int, column: int) -> Node:
        """Read a text of several lines, which are joined by spaces; a blank line breaks it."""
        if self.lines[self.line][start:] != ">-":
            raise _NotPlainError
        mark, text, indent, blank = Mark(self.line, start), "", 0, 0
        for number in range(self.line + 1, len(self.lines)):
            line = self.lines[number]
            spaces = _after(_SPACES, line, 0)
            if spaces == len(line) and text and spaces <= indent:
                blank += 1
                continue
            indent = indent or spaces
            if spaces < indent or spaces <= column:
                break
            if spaces > indent or line.endswith(" "):
                raise _NotPlainError
            text += ("\n" * blank or " " * bool(text)) + line[indent:]
            blank, self.line = 0, number
        if not text:
            raise _NotPlainError
        self.go_on()
        return Node("scalar", text, mark, ">")

    def brackets(self, start: int, column: int) -> tuple[Node, int]:
        """Read what stands in brackets, and find the column after them; further lines are indented beyond `column`."""
        self.deeper()
        mark, grouped = Mark(self.line, start), self.lines[self.line][start] == "{"
        closing = "}" if grouped else "]"
        found: list[Any] = []
        at = self.skip(start + 1, column)
        while self.lines[self.line][at] != closing:
            if grouped:
                key, at = self.key(at)
                value, at = self.inner(at, column)
                found.append((key, value))
            else:
                value, at = self.inner(at, column)
                found.append(value)
            at = self.skip(at, column)
            if self.lines[self.line][at] == ",":
                at = self.skip(at + 1, column)
            elif self.lines[self.line][at] != closing:
                raise _NotPlainError
        self.depth -= 1
        return Node("mapping" if grouped else "sequence", found, mark), at + 1

    def inner(self, start: int, column: int) -> tuple[Node, int]:
        """Read one value in brackets, and find the column after it."""
        text = self.lines[self.line]
        if text.startswith(("[", "{"), start):
            return self.brackets(start, column)
        if text.startswith(('"', "'"), start):
            return self.quoted(start)
        match = _IN_BRACKETS.match(text, start)
        if not match:
            raise _NotPlainError
        return Node("scalar", match[0].rstrip(" "), Mark(self.line, start)), match.end()

    def skip(self, at: int, column: int) -> int:
        """Skip spaces, comments and ends of lines inside brackets."""
        while True:
            text = self.lines[self.line]
            at = _after(_SPACES, text, at)
            if at < len(text) and text[at] != "#":
                return at
            if at < len(text) and text[at - 1] != " ":
                raise _NotPlainError
            self.go_on()
            if self.indent <= column:
                raise _NotPlainError
            at = self.indent


def _after(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Find the end of what a pattern, which always matches, matches from a place on."""
    match = pattern.match(text, start)
    return match.end() if match else start
