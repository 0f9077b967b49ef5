"""A scenario of compute alone, and the record with what its runs cost."""

from __future__ import annotations

from dataclasses import replace

from tests.hindcast.made_up_record import OBSERVED, RECORD

SEEN = replace(OBSERVED, cost_log_usd=RECORD - 17.0)
COMPUTE = """
schema: 2
name: whole
years: {first: 2025, last: 2030}
drivers: {compute: {start: {value: 1e26, unit: FLOP}, growth: {value: 10, unit: x/year}}}
"""
