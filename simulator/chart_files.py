"""Writing a chart as SVG, PNG and PDF, without a browser; the same chart gives the same bytes."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vl_convert

from simulator.chart_palette import Theme, themed
from simulator.errors import InputError
from simulator.files import replacing
from simulator.vega_lite import Spec
from simulator.words import unturned

if TYPE_CHECKING:
    import altair as alt

POINTER = "pointer"
"""How the names of layers begin that only answer to a pointer: pictures leave them out."""


def save_chart(chart: Spec | alt.VConcatChart, *paths: Path | str, theme: Theme = "light", alt_text: str = "") -> None:
    """Write a chart to one or several files, each in the format that its suffix names.

    The chart is laid out once, however many files are asked for. The same chart gives the same bytes. A file
    is replaced only when the new one is complete.

    Parameters
    ----------
    chart : dict or altair.VConcatChart
        As a figure holds it, or as `fan_chart` gives it.
    *paths : path
        Ends in `.svg`, `.png` (two pixels per point) or `.pdf`; the folder exists.
    theme : "light" or "dark"
    alt_text : str
        What an SVG file says to somebody who does not see it; without it, the title of the chart.

    Raises
    ------
    InputError
        Where a suffix is another; then no file is written.
    SimulatorError
        The folder cannot be written.

    Examples
    --------
    >>> along = {"x": {"field": "year", "type": "quantitative"}}
    >>> chart = {"data": {"values": [{"year": 2030}, {"year": 2031}]}, "mark": "tick", "encoding": along}
    >>> save_chart(chart, getfixture("tmp_path") / "years.svg", alt_text="Two years")
    >>> save_chart(chart, "years.jpg")
    Traceback (most recent call last):
    simulator.errors.InputError: years.jpg: the suffix of a chart must be .svg, .png or .pdf; got '.jpg'. ...
    """
    converters: dict[str, Callable[[str], bytes]] = {
        ".svg": str.encode,
        ".png": lambda svg: vl_convert.svg_to_png(svg, scale=2),
        ".pdf": vl_convert.svg_to_pdf,
    }
    targets = [Path(path) for path in paths]
    for target in targets:
        if target.suffix.lower() not in converters:
            raise InputError(
                f"{target}: the suffix of a chart must be .svg, .png or .pdf; got '{target.suffix}'. "
                "The suffix says which format is written: name the file with one of these."
            )
    spec = chart if isinstance(chart, dict) else chart.to_dict()
    svg = svg_text(spec, theme=theme, alt_text=alt_text)
    for target in targets:
        content = converters[target.suffix.lower()](svg)
        with replacing(target) as temporary:
            temporary.write_bytes(content)


def svg_text(chart: Spec, *, theme: Theme = "light", alt_text: str = "") -> str:
    """Draw a chart as SVG, with a text for those who do not see it.

    Parameters
    ----------
    chart : dict
        A specification of Vega-Lite.
    theme : "light" or "dark"
    alt_text : str
        Without it the `description` of the chart is said.

    Examples
    --------
    >>> chart = {"data": {"values": [{"x": 10}]}, "mark": "tick", "encoding": {"x": {"field": "x"}}}
    >>> svg_text(chart, alt_text="One stroke")[:40]
    '<svg role="img" aria-label="One stroke" '
    """
    spec = _still(readable(themed(chart, theme)))
    said = html.escape(unturned(alt_text) or str(spec.get("description", "chart")), quote=True)
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{said}" ', 1)


def readable(spec: Any) -> Any:
    r"""Write out the characters in all texts of a chart that would turn the direction of what follows them.

    Titles, labels and names come from files of users.

    Examples
    --------
    >>> readable({"title": {"text": ["a\u202eb"]}})
    {'title': {'text': ['a\\u202eb']}}
    """
    if isinstance(spec, str):
        return unturned(spec)
    if isinstance(spec, Mapping):
        return {key: readable(value) for key, value in spec.items()}
    return [readable(value) for value in spec] if isinstance(spec, list | tuple) else spec


def _still(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the layers that answer to a pointer."""
    kept = dict(spec)
    for key in ("vconcat", "hconcat", "concat", "layer"):
        if key in kept:
            views = [view for view in kept[key] if not str(view.get("name", "")).startswith(POINTER)]
            kept[key] = [_still(view) for view in views]
    return kept
