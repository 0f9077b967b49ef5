"""How effective compute is made: factors make drivers, drivers physical compute, each under its limits.

physical compute  = spending x hardware efficiency, at most what the constraints allow
effective compute = physical compute x algorithmic efficiency
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from simulator.model import quantities
from simulator.model.growth import Line
from simulator.model.saturation import Capped
from simulator.schema.prior_names import stated_drivers
from simulator.schema.subjects import Subject
from simulator.units import Array


class Chain:
    """The levels that effective compute is made of, in a block of draws: by name, at any times."""

    def __init__(self, block: quantities.Block, every: Sequence[Subject]) -> None:
        self.block, self.subjects = block, {subject.name: subject for subject in every}

    def grown(self, subject: Subject, times: Array) -> Array:
        """What growth alone gives of a level that is no product, with feedback where it has been stepped."""
        if subject.level is None:
            raise ValueError(f"{subject.name}: is a product.")
        return quantities.demanded_level(subject.level, subject.path, self.block, times)

    def demanded(self, name: str, times: Array) -> Array:
        """What is demanded of a level: what growth gives, or the product of its parts under their limits."""
        subject = self.subjects[name]
        if self.block.whole is not None and (line := self.line(name)) is not None:
            return self.block.along(line, times)
        if subject.level is None:
            return reduce(np.add, [self.capped(part, times).capped for part in subject.parts])
        stepped = self.block.between((*subject.path, "feedback"), times)
        return self.grown(subject, times) if stepped is None else stepped

    def line(self, name: str) -> Line | None:
        """What is demanded of a level as broken lines; None where it is bent, or has feedback or parts with limits."""
        subject = self.subjects[name]
        if subject.level is not None:
            fed = stated_drivers(self.block.spec)[subject.driver].feedback
            return None if fed else quantities.level_line(subject.level, subject.path, self.block)
        return self.block.line((*subject.path, "parts"), lambda _: self._product(subject))

    def _product(self, subject: Subject) -> Line | None:
        parts = [None if self.subjects[part].bounds else self.line(part) for part in subject.parts]
        lines = [line for line in parts if line is not None]
        return reduce(Line.plus, lines) if len(lines) == len(parts) else None

    def start(self, name: str) -> Array:
        """The level at the start, (sample, 1): in the year that it is stated for; of a product, in the first."""
        subject, times = self.subjects[name], np.array([self._base(name)])
        return self.demanded(name, times) if subject.level is None else self.grown(subject, times)

    def _base(self, name: str) -> float:
        level = self.subjects[name].level
        return self.block.spec.years.first if level is None or level.at is None else level.at

    def capped(self, name: str, times: Array) -> Capped:
        """A level under its limits."""
        subject, base = self.subjects[name], self._base(name)
        return quantities.capped(
            subject.bounds,
            lambda at: self.demanded(name, at),
            lambda: self.start(name),
            path=subject.path,
            base=base,
            block=self.block,
            years=times,
        )

    def effective_compute(self, times: Array) -> Array:
        """Add physical compute and algorithms in log10; without algorithms the two computes are one."""
        physical = self.capped("physical_compute", times).capped
        return physical + self.capped("algorithms", times).capped if "algorithms" in self.subjects else physical
