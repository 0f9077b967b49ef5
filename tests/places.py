"""Where the tests find the project."""

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = ROOT / "simulator"
SNAPSHOTS = ROOT.parent / "shared" / "data"
"""Public snapshots, where they are laid beside the checkout; tests that need them skip elsewhere."""
