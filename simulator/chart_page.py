"""A chart as one HTML page that needs nothing from outside: picture, caption, tables, and numbers at the pointer."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert

from simulator.chart_files import POINTER, readable, svg_text
from simulator.chart_palette import DARK, HAIR, INK, PAPER, QUIET, Theme, themed
from simulator.figure import Figure, Row
from simulator.words import unturned

_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
"""What the page may do: run what it holds, and load nothing."""

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
footer { margin: 16px; color: %(quiet)s; font-size: 13px; }
"""

_SCRIPT = """
{  // a block of its own: the library fills the page with short names
  const chart = document.getElementById("chart");
  const drawing = document.createElement("div");
  const options = {mode: "vega", renderer: "svg", actions: false, tooltip: {theme: "%(theme)s"}};
  vegaEmbed(drawing, JSON.parse(document.getElementById("drawing").textContent), options).then(() => {
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

    Parameters
    ----------
    figure : Figure
    theme : "light" or "dark"
    footer : str
        What stands at the end of the page, such as the run.

    Returns
    -------
    str, at most 1.5 MB for a chart of usual size
    """
    spec = readable(themed(figure.chart, theme))
    drawing = vl_convert.vegalite_to_vega(_answering(spec))
    title = str(spec.get("description", figure.name))
    picture = svg_text(figure.chart, theme=theme, alt_text=figure.alt_text)
    mapped = DARK if theme == "dark" else {}
    colors = {"paper": PAPER, "ink": INK, "quiet": QUIET, "hair": HAIR}
    look = _STYLE % ({name: mapped.get(color, color) for name, color in colors.items()} | {"scheme": theme})
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{look}</style>",
        "</head>",
        "<body>",
        "<figure>",
        f'<div id="chart" role="img" aria-label="{html.escape(unturned(figure.alt_text))}">{picture}</div>',
        f"<figcaption>{html.escape(unturned(figure.caption))}</figcaption>",
        "</figure>",
        "<details><summary>The numbers</summary>",
        *(_table(name, rows) for name, rows in figure.tables.items()),
        "</details>",
        f"<footer>{html.escape(unturned(footer))}</footer>",
        f'<script type="application/json" id="drawing">{_embedded(drawing)}</script>',
        f"<script>{_library()}</script>",
        f"<script>{_SCRIPT % {'theme': theme}}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _answering(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Let the layers that are made for the pointer show what is under it."""
    lively = dict(spec)
    for key in ("vconcat", "hconcat", "concat", "layer"):
        if key in lively:
            lively[key] = [_answering(view) for view in lively[key]]
    name = str(lively.get("name", ""))
    if name.startswith(POINTER):
        select = {"type": "point", "on": "pointerover", "clear": "pointerout"}
        lively["params"] = [{"name": f"{name}_under", "select": select}]
        seen = {"condition": {"param": f"{name}_under", "empty": False, "value": 0.12}, "value": 0}
        lively["encoding"] = {**lively["encoding"], "opacity": seen}
    return lively


def _library() -> str:
    """Give the script that draws: the bundle that the chart writer holds; another one takes seconds to make."""
    bundle: str = vl_convert.javascript_bundle(None)  # type: ignore[arg-type]  # None is its default
    return bundle


def _embedded(value: object) -> str:
    """Write JSON that cannot end the element that holds it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _table(name: str, rows: Sequence[Row]) -> str:
    """Write a table; columns of numbers stand to the right."""
    columns = list(rows[0]) if rows else []
    numeric = {key for key in columns if all(isinstance(row.get(key), int | float) for row in rows)}

    def cell(tag: str, key: str, text: str) -> str:
        kind = ' class="number"' if key in numeric else ""
        return f"<{tag}{kind}>{html.escape(text)}</{tag}>"

    head = "".join(cell("th", key, key.replace("_", " ")) for key in columns)
    body = "\n".join(f"<tr>{''.join(cell('td', key, _shown(row.get(key))) for key in columns)}</tr>" for row in rows)
    caption = f"<caption>{html.escape(name.replace('_', ' ').capitalize() or 'Values')}</caption>"
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.7g}" if isinstance(value, float) else unturned(str(value))
