"""Labels make way for one another."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.charts.style import spread_labels


@given(st.lists(st.tuples(st.floats(0, 400), st.sampled_from([18.0, 33.0])), min_size=1, max_size=12))
def test_spread_labels_never_overlap_and_stay_inside(labels: list[tuple[float, float]]) -> None:
    wanted = sorted(position for position, _ in labels)
    heights = [height for _, height in labels]
    placed = spread_labels(wanted, heights=heights, top=-8, bottom=408)
    edges = [(middle - height / 2, middle + height / 2) for middle, height in zip(placed, heights, strict=True)]
    assert all(above[1] <= below[0] + 1e-9 for above, below in pairwise(edges))
    assert edges[0][0] >= -8 - 1e-9
    assert edges[-1][1] <= 408 + 1e-9


def test_spread_labels_leave_distant_labels_where_they_are() -> None:
    assert spread_labels([20, 200, 380], heights=[18, 33, 18], top=0, bottom=400) == [20, 200, 380]


def test_spread_labels_share_the_shift_of_equal_positions() -> None:
    assert spread_labels([200, 200, 200], heights=[18, 18, 18], top=0, bottom=400) == [182, 200, 218]
