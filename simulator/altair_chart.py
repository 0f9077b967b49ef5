"""A chart as an object of altair, for notebooks; the only module that loads altair."""

from __future__ import annotations

import altair as alt

from simulator.vega_lite import Spec


def altair_chart(chart: Spec) -> alt.VConcatChart:
    """Give a chart as an object of altair.

    `altair.VConcatChart.from_dict` gives the same; it tries every class of altair on every part, which takes
    longer than all else together.

    Examples
    --------
    >>> type(altair_chart({"vconcat": [{"layer": [{"mark": {"type": "rule"}, "encoding": {}}]}]})).__name__
    'VConcatChart'
    """
    rest = {name: value for name, value in chart.items() if name != "vconcat"}
    return alt.VConcatChart(vconcat=[_part(view) for view in chart["vconcat"]], **rest)


def _part(view: Spec) -> alt.Chart | alt.LayerChart | alt.HConcatChart:
    """Give a view or a layer as an object of altair."""
    rest = {name: value for name, value in view.items() if name not in ("layer", "hconcat")}
    if "hconcat" in view:
        return alt.HConcatChart(hconcat=[_part(below) for below in view["hconcat"]], **rest)
    if "layer" in view:
        return alt.LayerChart(layer=[_part(below) for below in view["layer"]], **rest)
    return alt.Chart(**rest | {"encoding": alt.FacetedEncoding(**view["encoding"])})
