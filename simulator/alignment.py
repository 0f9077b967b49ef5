"""Arrays lined up before an equation takes them: parameters as rows or columns beside paths, dates in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Array = NDArray[np.float64]


def column(value: ArrayLike) -> Array:
    """Return a parameter as a column (sample, 1)."""
    return np.asarray(value, dtype=np.float64).reshape(-1, 1)


def row(value: ArrayLike) -> Array:
    """Return a parameter as a row (1, sample)."""
    return np.asarray(value, dtype=np.float64).reshape(1, -1)


def aligned(*values: ArrayLike) -> list[Array]:
    """Return the values as arrays; beside a path, those with one axis become columns (sample, 1).

    Examples
    --------
    >>> path, rate = aligned(np.zeros((3, 21)), [0.1, 0.2, 0.3])
    >>> path.shape, rate.shape
    ((3, 21), (3, 1))
    """
    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    if any(array.ndim > 1 for array in arrays):
        arrays = [array[:, np.newaxis] if array.ndim == 1 else array for array in arrays]
    return arrays


def increasing(where: str, name: str, values: ArrayLike) -> Array:
    """Return dates or points as an array (n,), refusing an order that is not strictly increasing.

    Raises
    ------
    ValueError
        They do not increase strictly, or one is NaN.

    Examples
    --------
    >>> increasing("drivers.spending.table", "years", [2030, 2025])
    Traceback (most recent call last):
    ValueError: drivers.spending.table: years: must be strictly increasing; got [2030.0, 2025.0]. ...
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if not np.all(np.diff(array) > 0) or np.isnan(array).any():
        raise ValueError(
            f"{where}: {name}: must be strictly increasing; got {array.tolist()}. "
            "A later value follows an earlier one. Sort them and keep one of each."
        )
    return array


def refuse_size(where: str, name: str, given: int, wanted: int, each: str) -> None:
    """Refuse a list that does not pair with the years or points it belongs to.

    Raises
    ------
    ValueError
        There are not so many, or none is wanted.
    """
    if given != wanted or wanted == 0:
        raise ValueError(
            f"{where}: {name}: must have one value per {each}, at least one; got {given} for {wanted}. "
            f"Each value belongs to one {each}. Fill in or take out the odd ones."
        )
