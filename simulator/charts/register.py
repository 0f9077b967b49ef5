"""The register of kinds of chart, and what may be asked of charts: formats, themes, bands, years.

A package adds a kind in one file: a function that draws figures of a run, as its options ask.

    def waffle(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
        levels = run["summary"]["effective_compute"].sel(quantile=0.5)
        table = Table({"year": levels["year"].values, "level": levels.values})
        chart = {"data": {"values": table.rows()}, "mark": "bar", "encoding": {...}}  # in the words of Vega-Lite
        return [Figure("waffle", chart, {"": table}, "What is seen.", "The same for somebody who does not see it.")]

Its pyproject.toml names it; then `simulate chart RUN --kind waffle` and `--kind all` draw it, with tables and words.

    [project.entry-points."simulator.chart_kinds"]
    waffle = "our_package:waffle"

A figure has a name of its own, the stem of its files. Where a run has not what a kind is drawn from, the function
raises InputError with the reason: `all` then leaves the kind out and says so. A kind heeds the options that concern it,
and is not itself called `all`.
`simulator.charts.layout`, `frame` and `style` hold what the shipped kinds share. This module loads nothing that draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from simulator.dates import DateError, read_year
from simulator.errors import InputError, near_name
from simulator.registers import Register

if TYPE_CHECKING:
    import xarray as xr

    from simulator.charts.spec import Figure, FigureOptions

type Theme = Literal["light", "dark"]
type Draw = Callable[[xr.DataTree, FigureOptions], list[Figure]]

ALL = "all"
FORMATS = ("png", "svg", "pdf", "html", "vega")
WIDEST, LARGEST = 20_000, 10.0
BANDS = (0.5, 0.8, 0.9)
BANDS_TEXT = ",".join(f"{100 * level:g}" for level in BANDS)
BAND_PRESETS = {"boe": (0.3, 0.6, 0.9), "ipcc": (0.66, 0.9), "hub": (0.5, 0.95)}
"""Bands as banks, climate assessments and forecast hubs draw them."""

_KINDS = "simulator.charts.kinds"

KINDS: Register[Draw] = Register(
    "kind of chart",
    "simulator.chart_kinds",
    {
        "fan": f"{_KINDS}.fan:fan_figures",
        "crossings": f"{_KINDS}.crossings:crossing_figures",
        "events": f"{_KINDS}.events:event_figures",
        "growth": f"{_KINDS}.growth:growth_figures",
        "binding": f"{_KINDS}.limits:binding_figures",
        "demand": f"{_KINDS}.limits:demand_figures",
        "counts": f"{_KINDS}.model_counts:count_figures",
        "actors": f"{_KINDS}.actors:actor_figures",
        "lead": f"{_KINDS}.actors:lead_figures",
        "ladder": f"{_KINDS}.actors:ladder_figures",
        "allocation": f"{_KINDS}.allocation:allocation_figures",
        "priors": f"{_KINDS}.priors:prior_figures",
        "posterior": f"{_KINDS}.learnt:posterior_figures",
        "predictive": f"{_KINDS}.learnt:predictive_figures",
        "influence": f"{_KINDS}.influence:influence_figures",
    },
    "function of a run and options",
)
"""What draws each kind of chart of runs; it is loaded when it is drawn."""

RESULTS: Mapping[str, str] = MappingProxyType({
    "attribution": f"{_KINDS}.attribution:attribution_figures",
    "boxes": f"{_KINDS}.boxes:box_figures",
    "comparison": f"{_KINDS}.comparison:compared_figures",
    "condition": f"{_KINDS}.conditioning:condition_figures",
    "hindcast": f"{_KINDS}.hindcast:hindcast_figures",
    "influence": f"{_KINDS}.influence:outcome_figures",
    "moved": f"{_KINDS}.moved:moved_figures",
    "shares": f"{_KINDS}.shares:share_figures",
    "signposts": f"{_KINDS}.signposts:signpost_figures",
    "sweep": f"{_KINDS}.sweep:swept_figures",
    "swings": f"{_KINDS}.swings:swing_figures",
})  # fmt: skip
"""What draws the figures of a kind of result; loaded when it is drawn.

The function takes the result, and where its kind offers a choice (outcomes, kinds of chart) what is asked of it.
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How large pictures are: so many times their own size, or so wide (PNG: pixels; SVG and PDF: points).

    >>> Size(width=1600).factor(800), Size(scale=1.5).factor(800)
    (2.0, 1.5)
    """

    scale: float = 1.0
    width: int | None = None

    def __post_init__(self) -> None:
        if not 0.1 <= self.scale <= LARGEST:
            raise InputError(f"--scale: must be 0.1 to {LARGEST:g} times the size; got {self.scale:g}.")
        if self.width is not None and not 100 <= self.width <= WIDEST:
            raise InputError(f"--width: must be 100 to {WIDEST} pixels; got {self.width}.")
        if self.width is not None and self.scale != 1.0:
            raise InputError("--width: stands beside --scale; both say how large a picture is. Keep one of them.")

    def factor(self, width: float) -> float:
        """Tell by what a picture of this width is enlarged."""
        return self.scale if self.width is None else self.width / width


def check_formats(formats: Sequence[str]) -> None:
    """Check the names of formats."""
    for name in formats:
        if name not in FORMATS:
            hint = near_name(name, FORMATS)
            raise InputError(f"--format: must be of {', '.join(FORMATS)}; got {name!r}. {hint}".strip())
    if not formats:
        raise InputError(f"--format: must be one or more of {', '.join(FORMATS)}; got none.")


def check_theme(theme: str) -> Theme:
    """Take the name of a theme.

    >>> check_theme("night")
    Traceback (most recent call last):
    simulator.errors.InputError: --theme: must be light or dark; got 'night'.
    """
    themes: dict[str, Theme] = {"light": "light", "dark": "dark"}
    if theme not in themes:
        raise InputError(f"--theme: must be light or dark; got {theme!r}.")
    return themes[theme]


def band_levels(text: str) -> tuple[float, ...]:
    """Read the levels of bands: a preset, or percentages with commas between them.

    >>> band_levels("ipcc"), band_levels("80,50")
    ((0.66, 0.9), (0.5, 0.8))
    """
    word = text.strip().lower()
    if word in BAND_PRESETS:
        return BAND_PRESETS[word]
    try:
        levels = sorted({round(float(part) / 100, 6) for part in word.replace("%", "").split(",") if part.strip()})
    except ValueError:
        levels = []
    if not 1 <= len(levels) <= 3 or not all(0 < level < 1 for level in levels):
        written = {name: "/".join(f"{100 * level:g}" for level in preset) for name, preset in BAND_PRESETS.items()}
        presets = ", ".join(f"{name} ({percents})" for name, percents in written.items())
        raise InputError(
            f"--bands: must be one to three percentages between 0 and 100, or one of {presets}; got {text!r}. "
            f"Write for example 50,80,90. {near_name(word, BAND_PRESETS)}".rstrip()
        )
    return tuple(levels)


def year_span(text: str) -> tuple[float, float]:
    """Read a span of years, or of dates.

    >>> year_span("2026-2035.5"), year_span("mid-2026 to end of 2034"), year_span("2026-07-2035-01")
    ((2026.0, 2035.5), (2026.5, 2035.0), (2026.5, 2035.0))
    """
    for between in re.finditer(r"\s+to\s+|\s*[-–:]\s*", text):
        try:
            span = read_year(text[: between.start()]), read_year(text[between.end() :])
        except DateError:
            continue
        if span[0] < span[1]:
            return span
    example = "as 2026-2035 or mid-2026 to end of 2034"
    raise InputError(f"--years: must be a first and a later last year or date, {example}; got {text!r}.")
