"""What is packed is read back, and levels err by half a step."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.explorer.packing import Packed, levels_in_steps, unpacked


def test_whole_numbers_of_any_sign_are_read_back_with_what_is_said_of_them():
    codes = np.array([[0, 1, -1, 300], [70_000, -70_000, 5, 300], [3, 3, 3, -4]])
    packed = Packed()
    packed.add("codes", codes, samples=4, step=0.5)
    packed.add("flat", np.array([7, -7]), samples=2)
    arrays, head = unpacked(packed.text(name="café"))
    assert np.array_equal(arrays["codes"], codes)
    assert arrays["flat"].tolist() == [[7, -7]]
    assert head["parts"]["codes"] == {"rows": 3, "samples": 4, "step": 0.5}
    assert head["name"] == "café"


def test_levels_err_by_half_a_step_and_keep_what_is_beyond_numbers():
    levels = np.array([[24.0, 30.123, np.inf], [31.0, 37.4567, -np.inf]])
    codes, said = levels_in_steps(levels, step=0.005)
    finite = np.isfinite(levels)
    assert np.abs(said["low"] + said["step"] * codes - levels)[finite].max() <= 0.0025 + 1e-9
    assert codes[~finite].tolist() == [said["most"] + 1, -1]


def test_levels_that_spread_far_have_larger_steps():
    codes, said = levels_in_steps(np.array([0.0, 3000.0]), step=0.005)
    assert said["step"] == pytest.approx(0.1)
    assert codes.tolist() == [0, 30_000]
