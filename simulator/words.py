"""Small things that charts, reports and messages say alike."""

from __future__ import annotations

from collections.abc import Iterable


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
