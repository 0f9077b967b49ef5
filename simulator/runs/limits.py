"""The limits of a run: what they stand on, what they are called, and how often each binds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.dates import point_words
from simulator.runs.groups import Group, Variable, arrays
from simulator.variables import limit_words, subject_words
from simulator.wording import share_text

if TYPE_CHECKING:
    import xarray as xr

ORDER = ("spending", "hardware", "compute", "physical_compute", "algorithms")
"""The order of the model."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on a subject: their names and labels, and the share of samples in which each binds, (limit, year)."""

    subject: str
    words: str
    names: list[str]
    labels: list[str]
    shares: Variable
    errors: Variable


def bound_limits(summary: Group) -> Iterator[Limits]:
    """List what limits stand on, and the limits."""
    words = {name: str(each.attrs.get("label", "")) for name, each in summary.data_vars.items()}
    for name, shares in summary.data_vars.items():
        if name.startswith("binding_") and name.endswith("_share"):
            subject, names = name[len("binding_") : -len("_share")], summary.coords[str(shares.dims[0])].values.tolist()
            labels = [limit_words(subject, each, words) for each in names]
            about = words[name] or subject_words(subject)
            yield Limits(subject, about, names, labels, shares, summary.data_vars[f"{name}_error"])


def limits_on(run: xr.DataTree) -> dict[str, Limits]:
    """List the limits of a run by what they stand on, in the order of the model; empty where it has none."""
    found = {on.subject: on for on in bound_limits(arrays(run, "summary"))}
    return {subject: found[subject] for subject in sorted(found, key=_order)}


def _order(subject: str) -> int:
    """Drivers and physical compute first, then factors, then what stands within quantities and limits."""
    driver, is_factor, _ = subject.partition("_factor_")
    return ORDER.index(driver) + len(ORDER) * bool(is_factor) if driver in ORDER else 2 * len(ORDER)


def binding_line(summary: Group, samples: int) -> str:
    """Say in one line how often each limit binds in the last year."""
    parts = []
    for on in bound_limits(summary):
        final, error = on.shares.values[:, -1], on.errors.values[:, -1]
        said = ", ".join(
            f"{on.labels[n]} {share_text(final[n], samples, error[n])}"
            for n in np.argsort(-final, kind="stable")
            if final[n] > 0.005
        )
        parts.append(f"{on.words}: {said or 'nothing'}")
    last = float(summary.coords["year"].values[-1])
    return f"  binds at {point_words(last)} - {'; '.join(parts)}" if parts else ""
