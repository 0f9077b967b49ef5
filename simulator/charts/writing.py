"""Writing a chart as SVG, PNG and PDF, without a browser; the same chart gives the same bytes."""

from __future__ import annotations

import contextlib
import html
import json
import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vl_convert

from simulator.addresses import as_path
from simulator.charts.bundle import allowed, vega_script
from simulator.charts.register import Size, Theme
from simulator.charts.spec import POINTER, Figure, Spec
from simulator.charts.style import DARK, HAIR, INK, PAPER, QUIET, themed
from simulator.errors import InputError
from simulator.files import replacing
from simulator.runs.table import Row, Table
from simulator.wording import harmless

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    import altair as alt


OWN_SIZE = Size()


def save_chart(
    chart: Spec | alt.VConcatChart,
    *paths: Path | str,
    theme: Theme = "light",
    alt_text: str = "",
    size: Size = OWN_SIZE,
) -> None:
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
    size : Size
        How large it is, for slides: `Size(scale=1.5)`, or `Size(width=1600)`.

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
    targets = [as_path(path) for path in paths]
    spec, suffixes = _asked(chart, targets)
    _put(targets, pictures(spec, suffixes, theme=theme, alt_text=alt_text, size=size))


_SUFFIXES = (".svg", ".png", ".pdf")


def _asked(chart: Spec | alt.VConcatChart, targets: Sequence[Path]) -> tuple[Spec, tuple[str, ...]]:
    """Read what is to be drawn, and in which formats; InputError where a file is to have another."""
    for target in targets:
        if target.suffix.lower() not in _SUFFIXES:
            raise InputError(
                f"{target}: the suffix of a chart must be .svg, .png or .pdf; got '{target.suffix}'. "
                "The suffix says which format is written: name the file with one of these."
            )
    return chart if isinstance(chart, dict) else chart.to_dict(), tuple(each.suffix.lower() for each in targets)


def pictures(
    chart: Spec, suffixes: Sequence[str], *, theme: Theme = "light", alt_text: str = "", size: Size = OWN_SIZE
) -> list[bytes]:
    """Draw a chart in formats, by their suffixes."""
    svg = svg_text(chart, theme=theme, alt_text=alt_text)
    converters: dict[str, Callable[[], bytes]] = {
        ".svg": lambda: _sized(svg, size).encode(),
        ".png": lambda: vl_convert.svg_to_png(svg, scale=_factor(svg, size) * (2 if size.width is None else 1.00001)),
        ".pdf": lambda: vl_convert.svg_to_pdf(_sized(svg, size)),
    }
    return [converters[suffix]() for suffix in suffixes]


def _put(targets: Sequence[Path], contents: Sequence[bytes]) -> None:
    for target, content in zip(targets, contents, strict=True):
        with replacing(target) as temporary:
            temporary.write_bytes(content)


type _Job = tuple[Spec, tuple[str, ...], Mapping[str, Any]]
"""A chart, its suffixes, and how `pictures` draws it."""


class Saver:
    """Saves charts as `save_chart` does; where a process beside this one draws them, it may begin before."""

    def __init__(self, beside: Connection | None = None) -> None:
        self._beside = beside
        self._begun: _Job | None = None

    def begin(self, chart: Spec, *suffixes: str, **named: Any) -> None:
        """Let a chart be drawn that is saved next; where no process stands beside this one, it is drawn then."""
        if self._beside is not None and self._begun is None:
            with contextlib.suppress(OSError):  # it was killed
                self._beside.send(job := (chart, suffixes, named))
                self._begun = job

    def __call__(self, chart: Spec | alt.VConcatChart, *paths: Path | str, **named: Any) -> None:
        """Save a chart."""
        targets = [as_path(path) for path in paths]
        job = (*_asked(chart, targets), named)
        _put(targets, self._drawn(job) or pictures(*job[:2], **named))

    def _drawn(self, job: _Job) -> list[bytes]:
        """Take what the process beside draws: nothing, where there is none, or it failed."""
        begun, self._begun = self._begun, None
        if self._beside is None:
            return []
        try:
            if begun is not None and (found := self._beside.recv()) and begun == job:
                return list(found)
            self._beside.send(job)
            return list(self._beside.recv())
        except (EOFError, OSError):  # it was killed
            return []


@contextlib.contextmanager
def saving_beside(*, useful: bool = True) -> Iterator[Saver]:
    """Start a process that loads what draws charts, a third of a second, and give what saves charts drawn there.

    It starts as a copy of this one, where that is safe, with one thread alone, and where a second processor may run it.
    Elsewhere charts are drawn here. What draws holds Python's lock for as long as it works: a thread would not do.
    """
    threads = Path("/proc/self/task")
    alone = not useful or not threads.is_dir() or len(list(threads.iterdir())) > 1 or len(os.sched_getaffinity(0)) == 1
    helper = None if alone else _helper()
    if helper is None:
        yield Saver()
        return
    process, ours = helper
    try:
        yield Saver(ours)
    finally:
        process.kill()
        process.join()
        ours.close()


_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def _helper() -> tuple[BaseProcess, Connection] | None:
    """Start a process that draws charts, and give the way to it; None where no further process may start."""
    copies = multiprocessing.get_context("fork")
    with contextlib.suppress(OSError):
        ours, theirs = copies.Pipe()
        process = copies.Process(target=_draw_asked, args=(theirs, ours), daemon=True)
        held = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)  # in it they wait until it knows what they mean
        try:
            process.start()
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        return process, ours
    return None


def _draw_asked(asked: Connection, other: Connection) -> None:
    """Draw charts as they are asked for, until the process that asks has closed its end or is gone.

    Ctrl-C is left to that process. What fails here is done there again, and told there alone.
    """
    other.close()
    for ending, meaning in zip(_ENDINGS, (signal.SIG_IGN, signal.SIG_DFL), strict=True):
        signal.signal(ending, meaning)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    with contextlib.suppress(Exception):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        svg_text({"data": {"values": [{}]}, "mark": {"type": "text", "text": "1"}})
        while True:
            chart, suffixes, named = asked.recv()
            asked.send(pictures(chart, suffixes, **named))


_SIZE = re.compile(r'<svg [^>]*?width="([0-9.]+)" height="([0-9.]+)"')


def _factor(svg: str, size: Size) -> float:
    """Tell by what a picture is enlarged."""
    found = _SIZE.search(svg)
    return size.factor(float(found[1])) if found else size.scale


def _sized(svg: str, size: Size) -> str:
    """Enlarge a picture; what is in it follows by its view box."""
    found, factor = _SIZE.search(svg), _factor(svg, size)
    if found is None or factor == 1.0:
        return svg
    head = found[0]
    for name, own in (("width", found[1]), ("height", found[2])):
        head = head.replace(f'{name}="{own}"', f'{name}="{float(own) * factor:.6g}"')
    return svg.replace(found[0], head, 1)


def vega_text(chart: Spec, *, theme: Theme = "light") -> str:
    """Write a chart as a specification of Vega-Lite, data included, which an editor of Vega-Lite takes as it is."""
    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", **readable(themed(chart, theme))}
    return json.dumps(spec, ensure_ascii=False, indent=1) + "\n"


def svg_text(chart: Spec, *, theme: Theme = "light", alt_text: str = "") -> str:
    """Draw a chart as SVG, with a text for those who do not see it."""
    spec = _views(readable(themed(chart, theme)), lambda _: None)
    said = html.escape(harmless(alt_text) or str(spec.get("description", "chart")), quote=True)
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{said}" ', 1)


def readable(spec: Any) -> Any:
    r"""Write out the characters in all texts of a chart at which its writer fails, or that turn what follows them.

    Titles, labels and names come from files of users.

    >>> readable({"title": {"text": ["a\u202eb"]}})
    {'title': {'text': ['a\\u202eb']}}
    """
    if isinstance(spec, str):
        return spec if spec.isprintable() else harmless(spec)
    if isinstance(spec, Mapping):
        return {readable(key): readable(value) for key, value in spec.items()}
    return [readable(value) for value in spec] if isinstance(spec, list | tuple) else spec


def _views(spec: Mapping[str, Any], change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
    """Change the layers of a chart that are made for the pointer, or leave them out."""

    def changed(view: Mapping[str, Any]) -> dict[str, Any] | None:
        inner = _views(view, change)
        return change(inner) if str(view.get("name", "")).startswith(POINTER) else inner

    kept = dict(spec)
    for key in ("vconcat", "hconcat", "concat", "layer"):
        if key in kept:
            kept[key] = [view for view in map(changed, kept[key]) if view is not None]
    return kept


_POLICY = "default-src 'none'; script-src %s; style-src 'unsafe-inline'; img-src data:"
"""What the page may do: run the scripts that are named by their hashes, evaluate no text, and load nothing."""

_STYLE = """
:root { color-scheme: %(scheme)s; }
body { margin: 0 auto; padding: 12px; max-width: 1100px; background: %(paper)s; color: %(ink)s;
       font: 15px/1.5 "Liberation Sans", Arial, Helvetica, sans-serif; }
figure { margin: 0; }
#chart { overflow-x: auto; }
figcaption { max-width: 46em; margin: 8px 16px; }
details { margin: 8px 16px; }
summary { cursor: pointer; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 8px 0 20px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: bold; padding: 4px 0; }
th, td { padding: 2px 12px 2px 0; text-align: left; border-bottom: 1px solid %(hair)s; white-space: nowrap; }
td.number, th.number { text-align: right; }
tbody th { font-weight: normal; }
footer { margin: 16px; color: %(quiet)s; font-size: 13px; }
"""

_SCRIPT = """
{
  const chart = document.getElementById("chart");
  const drawing = document.createElement("div");
  const options = {mode: "vega", renderer: "svg", ast: true, actions: false, tooltip: {theme: "%(theme)s"}};
  simulatorVega.vegaEmbed(drawing, JSON.parse(document.getElementById("drawing").textContent), options).then(() => {
    chart.replaceChildren(drawing);  // the still picture stands until the one that answers is ready
    chart.dataset.drawn = "true";
  });
}
"""


def page_text(figure: Figure, *, theme: Theme = "light", footer: str = "") -> str:
    """Write a figure as one HTML page.

    The page holds the chart as a still picture, which a reader without scripts sees, and as a chart that says the
    numbers at the pointer. Its policy forbids it to load anything. Texts of a scenario are shown as text, whatever
    they hold.
    """
    spec = readable(themed(figure.chart, theme))
    drawing = vl_convert.vegalite_to_vega(_views(spec, _answering))
    title = str(spec.get("description", figure.name))
    picture = svg_text(figure.chart, theme=theme, alt_text=figure.alt_text)
    mapped = DARK if theme == "dark" else {}
    colors = {"paper": PAPER, "ink": INK, "quiet": QUIET, "hair": HAIR}
    look = _STYLE % ({name: mapped.get(color, color) for name, color in colors.items()} | {"scheme": theme})
    scripts = vega_script(), _SCRIPT % {"theme": theme}
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY % " ".join(map(allowed, scripts))}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{look}</style>",
        "</head>\n<body>\n<figure>",
        f'<div id="chart" role="img" aria-label="{html.escape(figure.alt_text)}">{picture}</div>',
        f"<figcaption>{html.escape(figure.caption)}</figcaption>",
        "</figure>",
        "<details><summary>The numbers</summary>",
        *(_table(name, table) for name, table in figure.tables.items()),
        "</details>",
        f"<footer>{html.escape(footer)}</footer>",
        f'<script type="application/json" id="drawing">{_embedded(drawing)}</script>',
        *(f"<script>{script}</script>" for script in scripts),
        "</body>",
        "</html>",
    ]
    return harmless("\n".join(parts) + "\n")


def _answering(view: dict[str, Any]) -> dict[str, Any]:
    """Let a layer that is made for the pointer show what is under it."""
    under = f"{view['name']}_under"
    select = {"type": "point", "on": "pointerover", "clear": "pointerout"}
    seen = {"condition": {"param": under, "empty": False, "value": 0.12}, "value": 0}
    return view | {"params": [{"name": under, "select": select}], "encoding": {**view["encoding"], "opacity": seen}}


def _embedded(value: object) -> str:
    """Write JSON that cannot end the element that holds it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _table(name: str, table: Table) -> str:
    """Write a table of a chart; columns of numbers stand to the right."""

    def cell(column: str) -> Callable[[Row], str]:
        return lambda row: _shown(row[column])

    cells = {column: cell(column) for column in table.names}
    heads = {column: column.replace("_", " ") for column in table.names}
    caption = name.replace("_", " ").capitalize() or "Values"
    return f'<div class="scroll">{table.to_html(cells, heads=heads, caption=caption)}</div>'


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.7g}" if isinstance(value, float) else str(value)
