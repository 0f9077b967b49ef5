"""A comparison in words."""

from __future__ import annotations

import pytest

from simulator.comparison import Comparison, compare_results
from simulator.comparison_text import LINE_WIDTH, comparison_lines
from simulator.testing import run_of, small_scenario

LONG = "x" * 200


def compared(count: int) -> Comparison:
    thresholds = {f"t{n}": {"effective_compute": 10.0 ** (27 + n)} for n in range(12)}
    runs = [
        run_of(small_scenario({
            "name": f"run-{n}", "thresholds": thresholds, "subject": f"{n}{LONG}", "years.last": 2035 + n,
            "drivers.compute.growth.mean": 0.5 + 0.1 * n, "notes": LONG,
        }))
        for n in range(count)
    ]  # fmt: skip
    return compare_results(runs)


@pytest.mark.parametrize("count", [2, 3, 12])
def test_a_comparison_fits_a_screen_and_counts_what_is_left_out(count: int) -> None:
    lines = comparison_lines(compared(count))
    assert len(lines) <= max(25, 2 * count + 14)
    text = "\n".join(lines)
    assert ("more in results.csv" in text) == (count > 2)
    assert "nan" not in text
    for n in range(1, count):
        assert f"run-{n} against run-0" in text


def test_inputs_keep_to_the_width_of_a_terminal() -> None:
    lines = comparison_lines(compared(3))
    assert max(map(len, lines)) <= LINE_WIDTH
    assert any(line.startswith("  drivers.compute.growth: ") for line in lines)


def test_the_latest_levels_come_first_and_crossings_before_other_variables() -> None:
    lines = comparison_lines(compared(2), most=60)
    start = lines.index("run-1 against run-0 (on common draws):")
    assert lines[start + 1].startswith("  2035  effective compute: 9.3e30 FLOP -> 9.3e31 FLOP (+1.00 OOM)")
    crossing = next(place for place, line in enumerate(lines) if line.startswith("  t1: "))
    other = next(place for place, line in enumerate(lines) if "physical compute: " in line)
    assert start < crossing < other


def test_independent_errors_are_flagged() -> None:
    runs = [run_of(small_scenario({"name": f"seed-{seed}", "seed": seed, "samples": 4096})) for seed in (1, 2)]
    text = "\n".join(comparison_lines(compare_results(runs)))
    assert "independent errors)" in text
    assert "on common draws" not in text
