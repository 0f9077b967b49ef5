"""The limits of a run: what they stand on, what they are called, and how often each binds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.dates import point_words
from simulator.runs.groups import Group, Variable
from simulator.variables import limit_words, subject_words
from simulator.wording import share_text


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
