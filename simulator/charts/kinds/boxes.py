"""The figure of boxes: the points of a design, those that are as asked dark, and each box in its two chief inputs."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from simulator.charts import style
from simulator.charts.scattered import MOST_DRAWN, Cloud, Range, draw_clouds
from simulator.charts.spec import Figure, Head
from simulator.runs.table import Row, Table
from simulator.wording import capital, percent

if TYPE_CHECKING:
    from simulator.runs.result import Result


def box_figures(found: Result) -> list[Figure]:
    """Draw boxes, as `simulator.find_boxes` gives them: a frame for each, along its two sharpest restrictions."""
    tables, about = found.tables(), found.dataset.attrs
    if "boxes" not in tables:
        return []
    boxes, limits, points = tables["boxes"], tables["limits"], tables["points"]
    clouds = [_cloud(box, limits.where(box=box["box"], chance=False), points) for box in boxes.rows()]
    first = boxes.rows()[0]
    said = f"coverage {percent(first['coverage'])}, density {percent(first['density'])}"
    title = f"{capital(str(about['words']))}: a box of {said}"
    drawn = min(len(points), MOST_DRAWN)
    under = f"{about['title']}. {about['cases']:,} of {about['count']:,} points are such; red: the box in two inputs."
    under += f" The first {drawn:,} points are drawn." if drawn < len(points) else ""
    foot = f"Sweep {about['run_id']} · scenario {about['name']} · {about['method_words']}, seed {about['seed']}"
    legend: list[style.LegendEntry] = [("bar", style.DARK_BLUE, "as asked"), ("bar", style.band_tints(2)[1], "others")]
    chart = draw_clouds(clouds, Head(title, under, [foot]), legend=legend)
    name = re.sub(r"[^A-Za-z0-9-]+", "_", str(about["outcome"]))
    caption = f"{title}. {' '.join(found.lines()[1:3]).strip()}"
    alt_text = f"Scatter charts of {len(points):,} points in the inputs of {len(clouds)} boxes. {title}."
    return [Figure(f"boxes_{name}", chart, {"": boxes, "limits": limits}, caption, alt_text)]


def _cloud(box: Row, limits: Table, points: Table) -> Cloud:
    """Lay the points out along the two restrictions that chance makes least, or one and another input."""
    rows = sorted(limits.rows(), key=lambda row: row["p_value"])[:2]
    names = [row["input"] for row in rows]
    others = [name for name in points.names if name not in ("point", "case", *names)]
    while len(names) < 2:
        names.append(others.pop(0) if others else names[0])
    ends = {row["input"]: (_end(row["low"], -math.inf), _end(row["high"], math.inf)) for row in rows}
    x, y = (Range(_words(points, name), np.asarray(points[name], dtype=np.float64), _by_ratios(points[name]))
            for name in names)  # fmt: skip
    left, right = (ends.get(name, (-math.inf, math.inf)) for name in names)
    heading = f"Box {box['box']}: coverage {percent(box['coverage'])}, density {percent(box['density'])}"
    return Cloud(heading, x, y, np.asarray(points["case"], dtype=bool), (left, right))


def _end(value: float | None, open_: float) -> float:
    return open_ if value is None else value


def _by_ratios(values: np.typing.NDArray[np.float64]) -> bool:
    return bool(values.min() > 0 and values.max() / values.min() >= 10)


def _words(points: Table, name: str) -> str:
    column = points.column(name)
    return f"{column.meaning}, {column.unit}" if column.unit not in ("", "1") else column.meaning
