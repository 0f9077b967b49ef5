"""The page of verification, in its short form: everything that it measures holds."""

from __future__ import annotations

import pytest

from tests.verification import SECTIONS, SHORT, page


@pytest.mark.slow
def test_what_is_verified_holds() -> None:
    text, failed = page(SHORT)
    assert failed == []
    assert text.count("\n## ") == len(SECTIONS)
