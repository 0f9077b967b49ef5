"""Hold run folders against the oracle: `python -m tests.oracle outputs/baseline-123e0893 ...`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.oracle.comparison import compare

if __name__ == "__main__":
    print("| scenario | compared | of | furthest apart | bar | unit | holds |\n|---|---|---|---|---|---|---|")
    for row in (row for folder in sys.argv[1:] for row in compare(Path(folder))):
        holds = "yes" if row.holds else "no"
        print(f"| {row.scenario} | {row.what} | {row.of} | {row.apart:.2g} | {row.bar:.2g} | {row.unit} | {holds} |")
