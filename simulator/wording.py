"""Small things that charts, reports and messages say alike."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

BEYOND = 300.0
"""The log10 of a level above which it is no number any more, and stands as +inf: a sample with one has exploded."""

_POWER = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]?\d+)(?!\w)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(text: str) -> str:
    """Write numbers such as 2e+08 as powers of ten; other words stay as they are."""
    return _POWER.sub(_raised_number, text) if "e" in text else text


def _raised_number(match: re.Match[str]) -> str:
    if match.string[match.end() :].startswith("-"):  # a name, as 1e30-run
        return match[0]
    exponent = str(int(match[2])).translate(_RAISED)
    return f"10{exponent}" if match[1] == "1" else f"{match[1]} × 10{exponent}"


_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
_HARMFUL = re.compile(f"\u2068[^{_CONTROL}\n]*\u2069|\r\n|([{_CONTROL}])")
"""What steers a terminal or turns the text after it, and no letter; a name that stands isolated by itself does not."""
_MOST_WORD, _MOST_LINE, _MOST_LINES = 300, 2_000, 400
"""Letters of a word and of a line of a message, and its lines; a longer one is cut."""
_LONG_WORD = re.compile(rf"\S{{{_MOST_WORD + 1},}}")


def listed(words: Iterable[str]) -> str:
    """Write words as a sentence lists them."""
    *most, final = words
    return f"{', '.join(most)} and {final}" if most else final


def apart_line(said: Mapping[str, str]) -> list[str]:
    """Say in one line what the parts of a forecast say apart, by their names; nothing where there are none."""
    return [f"    apart: {', '.join(f'{name} {text}' for name, text in said.items())}"] if said else []


def sample_count(samples: int) -> str:
    """Say how many samples there are."""
    return "1 sample" if samples == 1 else f"{samples:,} samples"


def percent(share: float) -> str:
    """Write a share in percent, and never as 0 or 100 where it is neither."""
    if 1e-12 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 - 1e-12 else f"{100 * share:.0f} %"


WIDTH = 80
"""Characters of a line of a printed table, as many as every terminal has."""
_LABEL = 28
"""Characters that the texts of a first column are never folded below."""
_WORDS = re.compile(r"(?<=[^\s±])(?=\s+[^\s±%])")
_PARTS = re.compile(rf"{_WORDS.pattern}|(?<=[\w\])]\.)(?=[^\W\d])")


def folded(text: str, *, width: int, hang: str = "", dotted: bool = False) -> list[str]:
    """Break a text into lines of at most so many characters, between words; `hang` begins those after the first.

    A number keeps its sign of error, and what is longer than a line stays whole; names may be broken at their dots.
    """
    line, *pieces = (_PARTS if dotted else _WORDS).split(text)
    lines = []
    for piece in pieces:
        if len(line) + len(piece) <= width or not line.strip():
            line += piece
        else:
            lines.append(line.rstrip())
            line = hang + piece.lstrip()
    return [*lines, line]


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    gap: int = 2,
    keys: int = 0,
    right: Sequence[bool] = (),
    indent: int = 2,
    width: int = WIDTH,
) -> list[str]:
    """Set rows of cells as lines of at most `width`, their columns as wide as the widest cell and `gap` spaces apart.

    Cells of the first column are folded where all do not fit. Where that is not enough, the last cells of each row
    stand below it; or, with `keys`, the first row is of headings: they are folded, and the columns stand in tables one
    below the other, so many first columns in each. No other cell is broken. `right` are columns of numbers.
    A column of empty cells takes no room.
    """
    if not rows:
        return []
    held = [place for place, cells in enumerate(zip(*rows, strict=True)) if place < max(keys, 1) or any(cells)]
    room, sides = width - indent, [*right, *([False] * len(rows[0]))]
    rows, right = [[row[place] for place in held] for row in rows], [sides[place] for place in held]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if keys and _across(widths, gap) > room:
        return list(_below_one_another(rows, gap, keys, right, indent, room))
    beside = len(widths)
    while beside > 1 and _across([min(widths[0], _LABEL), *widths[1:beside]], gap) > room:
        beside -= 1
    widths[0] = min(widths[0], max(_LABEL, room - _across([0, *widths[1:beside]], gap)))
    lines = []
    for row in rows:
        lines += [f"{' ' * indent}{line}" for line in _laid(row[:beside], widths, gap, right)]
        if rest := "; ".join(filter(None, row[beside:])):
            lines += folded(f"{' ' * (indent + 4)}{rest}", width=width, hang=" " * (indent + 4))
    return lines


def _across(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _laid(
    row: Sequence[str], widths: Sequence[int], gap: int, right: Sequence[bool], *, hang: str = "  "
) -> Iterator[str]:
    """Lay cells side by side, each folded to its width."""
    cells = [folded(cell, width=width, hang=hang, dotted=True) for cell, width in zip(row, widths, strict=False)]
    for parts in itertools.zip_longest(*cells, fillvalue=""):
        told = zip(parts, widths, right, strict=False)
        yield (" " * gap).join(part.rjust(size) if side else part.ljust(size) for part, size, side in told).rstrip()


def _below_one_another(
    rows: Sequence[Sequence[str]], gap: int, keys: int, right: Sequence[bool], indent: int, room: int
) -> Iterator[str]:
    """Set a table with headings as several, as few as there is room for; all have the key columns alike."""
    heads, *body = rows
    words = [max(map(len, head.split() if len(head) > 10 else [head]), default=0) for head in heads]
    cells = [max(map(len, column), default=0) for column in zip(*body, strict=True)] or [0] * len(heads)
    least = [max(pair) for pair in zip(words, cells, strict=True)]
    first, least[0] = least[0], min(least[0], _LABEL)
    parts = _parted(least, gap, keys, room)
    spare = min(room - _across([least[place] for place in [*range(keys), *part]], gap) for part in parts)
    least[0] = min(first, max(12, least[0] + spare))
    for part in parts:
        places = [*range(keys), *part]
        for place in part:  # a heading takes what room is left
            left = room - _across([least[each] for each in places], gap)
            least[place] += max(0, min(left, min(len(heads[place]), 20) - least[place]))
        if part is not parts[0]:
            yield ""
        for row in (each for each in rows if each is heads or any(each[place] for place in part)):
            sides, hang = [right[place] for place in places], "" if row is heads else "  "
            told = _laid([row[place] for place in places], [least[place] for place in places], gap, sides, hang=hang)
            yield from (f"{' ' * indent}{line}" for line in told)


def _parted(widths: Sequence[int], gap: int, keys: int, room: int) -> list[list[int]]:
    """Part the columns behind the keys so that each part fits beside them."""
    parts: list[list[int]] = [] if len(widths) > keys else [[]]
    for place in range(keys, len(widths)):
        across = _across([*widths[:keys], *(widths[each] for each in [*(parts[-1] if parts else []), place])], gap)
        if parts and across <= room:
            parts[-1].append(place)
        else:
            parts.append([place])
    return parts


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Set rows of cells below their headings as a table of Markdown."""
    head, *body = (f"| {' | '.join(cells)} |" for cells in (heads, *rows))
    return "\n".join([head, f"|{'---|' * len(heads)}", *body])


def cut(text: str, *, width: int, mark: str = "...") -> str:
    """Cut a text that has more than so many characters, and mark its end."""
    return text if len(text) <= width else f"{text[: width - len(mark)].rstrip()}{mark}"


def cut_front(name: str, *, width: int) -> str:
    """Cut the beginning of a name that has more than so many characters: its end tells it from others."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def harmful(text: str) -> tuple[int, str]:
    """Find what no reader should get, which steers a terminal or is no character: where it is, its name; or else ""."""
    found = () if text.isprintable() else (match for match in _HARMFUL.finditer(text) if match[1])
    return next(((match.start(1), f"U+{ord(match[1]):04X}") for match in found), (0, ""))


_UNSEEN = re.compile("[\u00a0\u00ad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u2066-\u2069\u3000\ufeff]")


def unseen(text: str) -> str:
    r"""Name the first letter of a text that looks like a space, and is none, or like nothing; empty without one.

    >>> unseen("10\u00a0000"), unseen("10 000")
    ('U+00A0 (no-break space), which looks like a space or like nothing', '')
    """
    found = None if text.isascii() else _UNSEEN.search(text)
    if not found:
        return ""
    from unicodedata import name

    return f"U+{ord(found[0]):04X} ({name(found[0], '').lower()}), which looks like a space or like nothing"


def harmless(text: str) -> str:
    r"""Write out the characters that steer a terminal, turn the direction of the text after them, or are none.

    Letters of scripts that run from right to left stay as they are. What is written is what JSON and YAML write too.

    >>> print(harmless("a\x1b[2Jb"), harmless("GPT-4\n"), end="")
    a\u001b[2Jb GPT-4
    """
    return text if text.isprintable() else _HARMFUL.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    return f"\\u{ord(match[1]):04x}" if match[1] else match[0]


def bounded(message: str) -> str:
    """Write a message so that it can be read, whatever it quotes: harmless, its words and lines cut, not too many."""
    if len(message) <= _MOST_WORD:
        return harmless(message)
    lines = _LONG_WORD.sub(_shortened, message).split("\n")
    more = [f"... and {len(lines) - _MOST_LINES:,} more lines"] if len(lines) > _MOST_LINES else []
    return harmless("\n".join([*(cut(line, width=_MOST_LINE, mark="…") for line in lines[:_MOST_LINES]), *more]))


def _shortened(match: re.Match[str]) -> str:
    return f"{match[0][: _MOST_WORD // 2]}…{match[0][-_MOST_WORD // 2 :]}"


def capital(text: str) -> str:
    """Begin a text with a capital letter, and leave all others as they are."""
    return f"{text[:1].upper()}{text[1:]}"


def signed(value: float, *, digits: int = 2) -> str:
    """Write a difference with its sign; one that is written as 0 has none."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def plus_minus(error: float, digits: int) -> str:
    """Write a standard error behind its number, and never as 0; nothing where it is not known."""
    if math.isnan(error):
        return ""
    smallest = 10.0**-digits
    return f" ± {max(error, smallest):.{digits}f}" if error >= smallest / 2 else f" ± <{smallest:.{digits}f}"


_DAY, _YEAR, _BYTE = math.log10(86_400), math.log10(365.25 * 86_400), math.log10(8)
_WATTS = ((12.0, 12.0, "TW"), (9.0, 9.0, "GW"), (6.0, 6.0, "MW"))
_TOLD = {
    "USD": ((12.0, 12.0, "trillion USD"), (9.0, 9.0, "billion USD"), (6.0, 6.0, "million USD")),
    "W": _WATTS,
    "J/s": _WATTS,
    "s": ((_YEAR + math.log10(2), _YEAR, "years"), (_DAY, _DAY, "days")),
}
"""By unit: the log10 from which on it is told in another, how many of it that is, and its name."""
_TOO_MANY = 16.0
"""The log10 of an amount from which on no word tells it."""


def told_unit(log_level: float, unit: str) -> tuple[float, str]:
    """Choose the unit in which people tell a level that is given in log10 of a unit: log10 of its size, its name.

    Money is told in millions, billions and trillions, power in MW, GW and TW, a length of time in days and years, what
    comes so often in so many a year, bits in bytes.

    >>> told_unit(8.59, "USD"), told_unit(9.4, "J/s"), told_unit(25.0, "FLOP"), told_unit(-2.0, "chip/s")[1]
    ((6.0, 'million USD'), (9.0, 'GW'), (0.0, 'FLOP'), 'chip/year')
    """
    for least, size, name in _TOLD.get(unit, ()):
        if least - 1e-9 <= log_level < _TOO_MANY:
            return size, name
    return _everyday(unit)


def told_units(levels: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Choose the unit of each of several levels, as `told_unit` does."""
    return [told_unit(*level) for level in levels]


@cache
def _everyday(unit: str) -> tuple[float, str]:
    """Tell bytes of bits, and how often something comes by the year: log10 of the size of one, its name."""
    if unit == "J/s":
        return 0.0, "W"
    above, *below = unit.split("/")
    size = _BYTE * (above.split().count("bit") - below.count("bit"))
    if "s" in below and not {"FLOP", "bit", "J"} & {*above.split()}:
        size, below = size - _YEAR, ["year" if each == "s" else each for each in below]
    return size, "/".join(re.sub(r"\bbit\b(?!\^)", "byte", each) for each in (above, *below))


def amount_words(log_level: float, unit: str, say: Callable[[float], str] | None = None) -> str:
    """Write a level that is given in log10 of a unit as people tell it: everyday numbers to two digits, else a power.

    `say` writes the power; `power` without it.

    >>> amount_words(10.7, "USD"), amount_words(25.3, "FLOP"), amount_words(3.73, "times the start")
    ('50 billion USD', '2e25 FLOP', '5,400 times the start')
    >>> amount_words(-0.0013, "")
    '0.997'
    """
    if not math.isfinite(log_level):
        return power(log_level)
    size, name = told_unit(log_level, unit)
    left = log_level - size
    digits = 2 if unit else digits_below_one(10**left, 2)
    text = f"{float(f'{10**left:.{digits}g}'):,g}" if -3 <= left < (6 if size else 4) else (say or power)(left)
    return f"{text} {name}".rstrip()


def digits_below_one(value: float, least: int) -> int:
    """Tell with how many digits a share is written, so that nearly all does not read as all."""
    return next((n for n in range(least, 7) if f"{value:.{n}g}" != "1"), least) if 0.9 < value < 1 else least


def amount_range(low: str, high: str, between: str = "to") -> str:
    """Write two amounts as a range, or as a change with an arrow; words that both end with stand once, but not of $.

    >>> amount_range("7 billion USD", "300 billion USD"), amount_range("400 million USD", "3 trillion USD")
    ('7 to 300 billion USD', '400 million to 3 trillion USD')
    >>> amount_range("181 days", "190 days", "->"), amount_range("1.2e12 FLOP/J", "1.2e12 FLOP/J", "->")
    ('181 -> 190 days', '1.2e12 FLOP/J')
    """
    words, others = low.split(), high.split()
    while min(len(words), len(others)) > 1 and words[-1] == others[-1] and not low.startswith("$"):
        words.pop()
        others.pop()
    return low if low == high else f"{' '.join(words)} {between} {high}"


def power(log_level: float) -> str:
    """Write a log10 level as a power of ten; +inf is a level beyond any number."""
    if log_level == math.inf:
        return f"beyond 1e{BEYOND:g}"
    return scientific(log_level, ".0f") if math.isfinite(log_level) else "none"


def power_text(log_level: float) -> str:
    """Write a log10 level as a power of ten with two digits."""
    return scientific(log_level, ".1f") if math.isfinite(log_level) else "none"


def scientific(log_level: float, form: str) -> str:
    """Write ten to a power as 2.1e25, also where it is beyond what a float holds; `form` is that of what leads."""
    exponent = math.floor(log_level)
    leading = f"{10 ** (log_level - exponent):{form}}"
    return f"{1:{form}}e{exponent + 1}" if leading.startswith("10") else f"{leading}e{exponent}"


def year_text(year: float, last: float, first: float = -math.inf) -> str:
    """Write a crossing year; censored at both ends, as in the first year already or later than the last."""
    if year <= first:
        return f"already in {first:g}"
    return f"{year:.1f}" if math.isfinite(year) else f"> {last:g}"


def year_range(low: float, high: float, last: float, first: float = -math.inf) -> str:
    """Write an interval of crossing years, its censored ends as bounds: `≤ 2025.5 to > 2045`."""
    if low == high:
        return year_text(low, last, first)
    return f"{f'≤ {first:g}' if low <= first else year_text(low, last)} to {year_text(high, last)}"


def share_text(share: float, samples: int, error: float | None = None) -> str:
    """Write a share that samples estimate, in percent: with its standard error, or rounded to what that supports.

    Of none or all of them its 95 % bound, about 3/n (the rule of three: 1 - 0.05^(1/n)), as 0 and 100 % are more than
    a number of samples can tell. Samples that are all alike count as one, and have neither error nor bound.
    """
    if samples <= 1:
        return f"{100 * share:.0f} %"
    count = round(share * samples)
    if count in (0, samples):
        bound = float(f"{-100 * math.expm1(math.log(0.05) / samples):.2g}")
        return f"< {bound:g} %" if count == 0 else f"> {100 - bound:.12g} %"
    digits = -math.floor(math.log10(100 * min(share, 1 - share)))  # the first that tells it from none and all
    if error is None or math.isnan(error):
        supported = -math.ceil(math.log10(100 * math.sqrt(share * (1 - share) / samples)))
        return f"{100 * share:.{max(0, digits, supported)}f} %"
    digits = max(1, digits)
    return f"{100 * share:.{digits}f}{plus_minus(100 * error, digits)} %"


def level_text(log_value: float, unit: str) -> str:
    """Write a level that is given in log10 of a unit."""
    size, told = told_unit(log_value, unit)
    text = _plain(log_value - size) if size or -3 <= log_value < (6 if unit == "USD" else 5) else power_text(log_value)
    if unit == "USD" and text[-1:].isdigit() and "e" not in text:
        return f"${text} {told}".removesuffix("USD").rstrip()
    return text if told in ("1", "fraction") else f"{text} {told}"


def _plain(log_value: float) -> str:
    number = float(f"{10**log_value:.3g}")
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"
