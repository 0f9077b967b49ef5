"""What the model of history does not know and what it sees: name, unit, and what it is, for readers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNKNOWNS: Final[Mapping[str, tuple[str, str]]] = {
    "spending_growth": ("OOM/year", "growth of spending per run"),
    "efficiency_growth": ("OOM/year", "growth of FLOP per amortised USD"),
    "spending_volatility": ("OOM/year", "scatter of yearly growth of spending"),
    "efficiency_volatility": ("OOM/year", "scatter of yearly growth of FLOP per USD"),
    "compute_start": ("log10(FLOP)", "compute per run at the start of the first year"),
    "efficiency_start": ("log10(FLOP/USD)", "FLOP per USD at the start of the first year"),
    "spending_steps": ("1", "standard normal step of spending in a year"),
    "efficiency_steps": ("1", "standard normal step of FLOP per USD in a year"),
    "spending": ("log10(USD)", "trend of spending per run"),
    "efficiency": ("log10(FLOP/USD)", "trend of FLOP per amortised USD"),
    "compute": ("log10(FLOP)", "trend of compute per run"),
    "run_scatter": ("OOM", "scatter of runs about the trend"),
    "run_tail": ("1", "degrees of freedom of that scatter"),
    "run_tail_excess": ("1", "degrees of freedom above 2.5"),
    "cost_scatter": ("OOM", "scatter of costs about what the run's compute implies"),
    "cost_tail": ("1", "degrees of freedom of that scatter"),
    "cost_tail_excess": ("1", "degrees of freedom above 2.5"),
    "cost_slope": ("1", "OOM of cost by which a run above the trend is dearer, per OOM of compute"),
    "accelerator_offset": ("log10(s)", "seconds of life times utilisation, per overhead"),
    "accelerator_scatter": ("OOM", "scatter of accelerators about the trend"),
    "run_log_compute": ("log10(FLOP)", "compute of frontier runs"),
    "cost_log_usd": ("log10(USD)", "cost of frontier runs"),
    "accelerator_log_flops_per_usd": ("log10(FLOP/s/USD)", "speed of accelerators per USD of their price"),
}
"""Unit and name of each variable of `prior`, `posterior`, `posterior_predictive` and `observed_data`."""
