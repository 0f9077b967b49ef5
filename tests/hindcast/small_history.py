"""A table of training runs, and a scenario that is quick to run on it."""

from __future__ import annotations

TABLE = """Model,Publication date,Training compute (FLOP),Training compute cost (2023 USD)
a,2023-03-15,2e25,4e7
b,2025-05-01,3e26,3e8
c,2026-04-01,1e27,9e8
d,2027-10-01,4e27,
e,2027-11-01,1e27,1e9
"""

CHANGES = ["samples=1024", "block=1024", "years.last=2030"]
