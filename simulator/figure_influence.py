"""The figure of influence: which priors go with an outcome, and how its median changes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import xarray as xr

from simulator.chart_influence import InfluenceTables, draw_influence
from simulator.chart_priors import scale_of
from simulator.errors import InputError
from simulator.figure import Figure, FigureOptions, Row
from simulator.influence import Influence, default_outcomes, influence_of
from simulator.influence_text import value_text
from simulator.outcomes import in_a_sentence, outcome_words_in
from simulator.run_label import run_label
from simulator.rungroups import group
from simulator.words import listed

MOST_BARS = 12
MOST_PANELS = 6


def influence_figures(run: xr.DataTree, options: FigureOptions) -> list[Figure]:
    """Draw what moves effective compute at the end of a run, and the first threshold that lies ahead.

    Parameters
    ----------
    run : xarray.DataTree
        A run that kept its samples.
    options : FigureOptions
        None of them concerns influence.

    Raises
    ------
    InputError
        The run kept its summary only, or none of these outcomes varies.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("baseline", overrides=["samples=1024"]))
    >>> [figure.name for figure in influence_figures(run, FigureOptions())]
    ['influence_effective_compute_2045', 'influence_crossing_1000x-gpt-4']
    """
    del options
    found = [influence_of(run, outcome) for outcome in default_outcomes(run)[1:]]
    told = [each for each in found if not each.said]
    if not told:
        raise InputError(f"influence: {' '.join(each.said for each in found)}")
    return [influence_figure(run, each) for each in told]


def influence_figure(run: xr.DataTree, influence: Influence) -> Figure:
    """Draw the influence of priors on one outcome: bars of delta, and conditional medians of the strongest six.

    Raises
    ------
    InputError
        The outcome does not vary.
    """
    if influence.said:
        raise InputError(influence.said)
    outcome = influence.outcome
    horizon = float(group(run, "summary")["year"].values[-1])
    bars = [row for row in influence.indices if float(str(row["delta"])) > float(str(row["delta_by_chance"]))]
    bars = (bars or list(influence.indices))[:MOST_BARS]
    names = [str(row["input"]) for row in bars[:MOST_PANELS] if row["low"] is not None]
    parameters = group(run, "parameters", of_samples=True)
    deciles: list[Row] = []
    for row in influence.deciles:
        if row["input"] in names:
            scale = scale_of({"unit": row["unit"], "understood": parameters[str(row["input"])].attrs["understood"]})
            written = {"from_text": scale.text(float(str(row["from"]))), "to_text": scale.text(float(str(row["to"])))}
            deciles.append({**row, **written, "scale": scale.unit})
    label = in_a_sentence(outcome_words_in(run, outcome))
    strongest = bars[0]
    said = "share that has crossed" if outcome.kind == "crossed" else "median"
    span = f"{value_text(outcome, strongest['low'], horizon)} to {value_text(outcome, strongest['high'], horizon)}"
    first = f"{strongest['input']} has most to do with it: the {said} goes from {span} from its lowest to highest tenth"
    chart = draw_influence(
        InfluenceTables(bars, deciles, names),
        kind="log" if outcome.kind == "level" else "share" if outcome.kind == "crossed" else "year",
        horizon=horizon,
        title=f"What goes with {label}",
        subtitle=f"{run.attrs['title']}: {run.attrs['subject']}. {first}.",
        run=run_label(run),
    )
    ranked = listed([f"{row['input']} ({row['delta']:.2f})" for row in bars[:MOST_PANELS]])
    caption = (
        f"{label[0].upper()}{label[1:]} and the priors of this run, by a moment-independent index (0: nothing to do "
        f"with it, 1: given by it), less what chance gives: {ranked}. {first}. Correlated priors share their influence."
    )
    alt_text = (
        f"Bars of the influence of {len(bars)} priors on {label}, and {len(names)} small charts of the {said} of the "
        f"outcome within tenths of a prior. {first}."
    )
    tables: dict[str, Sequence[Row]] = {"": bars, "deciles": deciles}
    return Figure(f"influence_{re.sub(r'[^A-Za-z0-9-]+', '_', outcome.text)}", chart, tables, caption, alt_text)
