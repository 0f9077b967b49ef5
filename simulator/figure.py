"""What every kind of chart gives back, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.vega_lite import Spec

type Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, the tables that it is drawn from, and what it says in words.

    Parameters
    ----------
    name : str
        The stem of its files, such as `fan_effective_compute`.
    chart : dict
        Its Vega-Lite specification.
    tables : tidy tables by name
        Written as `<figure>.csv` where the name is empty, otherwise as `<figure>_<name>.csv`.
    caption : str
        What is seen, in plain words, with the numbers that a reader would quote.
    alt_text : str
        The same for somebody who does not see it: what kind of chart, its axes, what it shows.
    """

    name: str
    chart: Spec
    tables: Mapping[str, Sequence[Row]]
    caption: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class FigureOptions:
    """What may be asked of a chart; each kind heeds what concerns it.

    Parameters
    ----------
    quantities : names of variables of the run; none: the kind's own choice
    bands : levels of central intervals, widest last
    paths : number of sample paths to draw (needs a run that kept its samples)
    years : first and last year to draw, or None for all
    history : rows of `date` (decimal year), `value` (not a logarithm), `label`
    """

    quantities: tuple[str, ...] = ()
    bands: tuple[float, ...] = (0.5, 0.8, 0.9)
    paths: int = 0
    years: tuple[float, float] | None = None
    history: tuple[Row, ...] = ()
