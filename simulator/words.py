"""Small things that charts, reports and messages say alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def listed(words: Iterable[str]) -> str:
    """Write words as a sentence lists them.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, final = words
    return f"{', '.join(most)} and {final}" if most else final


def sample_count(samples: int) -> str:
    """Say how many samples there are.

    Examples
    --------
    >>> sample_count(1), sample_count(20_000)
    ('1 sample', '20,000 samples')
    """
    return "1 sample" if samples == 1 else f"{samples:,} samples"


def percent(share: float) -> str:
    """Write a share in percent, and never as 0 or 100 where it is neither.

    Examples
    --------
    >>> percent(0.0), percent(0.004), percent(0.12), percent(0.997)
    ('0 %', '< 1 %', '12 %', '> 99 %')
    """
    if 1e-12 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 - 1e-12 else f"{100 * share:.0f} %"


def number_in(row: Mapping[str, object], key: str) -> float:
    """Read a number of a row of a table.

    Examples
    --------
    >>> number_in({"year": 2035, "value": "inf"}, "value")
    inf
    """
    return float(str(row[key]))


def cut(text: str, *, width: int) -> str:
    """Cut a text that has more than so many characters.

    Examples
    --------
    >>> cut("drivers.algorithms", width=18), cut("drivers.algorithms", width=12)
    ('drivers.algorithms', 'drivers.a...')
    """
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def cut_front(name: str, *, width: int) -> str:
    """Cut the beginning of a name that has more than so many characters: its end tells it from others.

    Examples
    --------
    >>> cut_front("drivers.algorithms.growth", width=12)
    '…thms.growth'
    """
    return name if len(name) <= width else f"…{name[1 - width :]}"
