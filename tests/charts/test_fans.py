"""Labels of observed runs: none covers another, a dot, or the edge."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from simulator.charts.fans import DOT, Box, placed_labels

SPOTS = st.lists(
    st.tuples(st.floats(0, 600), st.floats(0, 380), st.text("abcdefgh ", min_size=1, max_size=28)), max_size=30
)


def meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(SPOTS)
def test_labels_cover_neither_one_another_nor_dots_nor_the_edge(spots: list[tuple[float, float, str]]) -> None:
    places = [(x, y) for x, y, _ in spots]
    boxes = placed_labels(places, names=[name for *_, name in spots], width=600, height=380)
    there = [box for box in boxes if box is not None]
    assert not any(meet(one, other) for one, other in combinations(there, 2))
    assert all(box[0] >= 0 and box[2] <= 600 and box[1] >= 0 and box[3] <= 380 for box in there)
    for index, box in enumerate(boxes):
        dots = [(x - DOT, y - DOT, x + DOT, y + DOT) for place, (x, y) in enumerate(places) if place != index]
        assert box is None or not any(meet(box, dot) for dot in dots)


@given(SPOTS)
def test_the_order_of_the_rows_changes_nothing(spots: list[tuple[float, float, str]]) -> None:
    def boxes(some: list[tuple[float, float, str]]) -> list[Box]:
        placed = placed_labels([(x, y) for x, y, _ in some], names=[name for *_, name in some], width=600, height=380)
        return sorted(box for box in placed if box is not None)

    assert boxes(spots) == boxes(spots[::-1])


def test_dots_that_stand_apart_all_have_labels() -> None:
    places = [(20.0 + 60 * step, 370.0 - 35 * step) for step in range(10)]
    assert None not in placed_labels(places, names=[f"run {step}" for step in range(10)], width=600, height=380)


def test_a_label_keeps_clear_of_lines_where_it_can() -> None:
    (free,) = placed_labels([(300.0, 200.0)], names=["run"], width=600, height=380)
    (moved,) = placed_labels([(300.0, 200.0)], names=["run"], width=600, height=380, lines=[200.0])
    assert free is not None
    assert moved is not None
    assert free[1] < 200.0 < free[3]
    assert not moved[1] < 200.0 < moved[3]
    (forced,) = placed_labels([(300.0, 200.0)], names=["run"], width=600, height=380, lines=list(range(100, 300, 5)))
    assert forced is not None
