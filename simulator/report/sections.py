"""The sections of a report, each made from the run alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.analysis.association import rank_associations
from simulator.charts.spec import Figure
from simulator.errors import InputError, number
from simulator.report.html import Html, bar, bullets, chart, element, joined, name, paragraphs, range_bar, table, terms
from simulator.report.sentences import (
    amount,
    base_unit,
    cautions,
    crossed_between,
    crossed_in,
    growth_sentences,
    ooms,
    told,
    told_words,
    when,
)
from simulator.report.sources import Limitation, assumption_name, counts, limitation
from simulator.runs import summary as summaries
from simulator.runs.events import event_table
from simulator.runs.groups import arrays, differing_samples, group, headline_of, stored_scenario_text, summarised_names
from simulator.runs.growth_by_driver import mean_contributions
from simulator.runs.table import Row, Table
from simulator.scenario.assumptions import Assumption
from simulator.scenario.canonical import stored_data
from simulator.scenario.layers import values_in
from simulator.scenario.resolving import Scenario
from simulator.wording import capital, percent, share_text, signed, year_range, year_text

if TYPE_CHECKING:
    import xarray as xr

MOST_ASSOCIATIONS = 10
_SHOWN_LEVELS = ("effective_compute", "physical_compute", "spending", "capability")
_MEANINGS: Mapping[str, str] = MappingProxyType({
    "Effective compute": "Physical compute times algorithmic efficiency: the FLOP that would do as much with the "
    "algorithms of the base year, in which these count as 1.",
    "Physical compute": "The operations that the hardware does: spending times hardware efficiency, within limits.",
    "FLOP": "One arithmetic operation on two numbers. 5e26 and 5 × 10²⁶ are the same: a 5 and 26 zeros.",
    "OOM": "Order of magnitude, a factor of ten: 3 OOM are a factor of 1,000.",
    "Median, 90 % interval": "Half of the samples lie below the median; 90 % lie in the interval, 5 % on either side.",
    "Sample": "One future: a draw of every uncertain number, followed through the years.",
    "Limit, binds": "A cap or constraint. It binds where demand has reached it.",
    "After the last year": "A threshold that a sample has not crossed by then counts as later. It is never left out.",
})  # fmt: skip


def forecast_section(run: xr.DataTree, scenario: Scenario, figures: Sequence[Figure]) -> Html:
    """Give the forecast: words, charts, levels by year, crossing years."""
    words = element("div", element("h3", "Words used here"), terms(_MEANINGS.items()), class_="terms")
    parts = [words, *map(chart, figures), element("h3", "Levels by year"), _level_table(run)]
    if summaries.crossing_table(run):
        parts += [element("h3", "Thresholds and when they are crossed"), _crossing_table(run, scenario)]
    if may_come := event_table(run):
        parts += [element("h3", "Events"), _event_table(run, may_come)]
    return joined(parts, "\n")


def _event_table(run: xr.DataTree, events: Table) -> Html:
    first, last = (float(group(run, "summary")["year"].values[place]) for place in (0, -1))
    rows = []
    for row in events.rows():
        share = share_text(row["probability"], differing_samples(run), row["standard_error"])
        low, middle, high, until = (row[key] for key in ("lower", "median", "upper", "until"))
        between = year_range(low, high, last, first) if low < high else ""
        dates = (
            ["", "", ""] if middle == math.inf else [year_text(middle, last, first), between, year_text(until, last)]
        )
        rows.append([name(row["label"]), share, *dates])
    heads = ["Event", f"Comes by {number(last)}", "Median date", "90 % interval", "Median end"]
    caption = "Dates over the samples in which it comes. All are in events.csv of the run folder."
    return table(heads, rows, caption=caption, numbers=range(1, len(heads)))


def _level_table(run: xr.DataTree) -> Html:
    summary = group(run, "summary")
    every = summary["year"].values.tolist()
    wanted = [every[0] + share * (every[-1] - every[0]) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    years = sorted({min(every, key=lambda year, aim=aim: abs(year - aim)) for aim in wanted})  # type: ignore[misc]
    shown = {
        quantity: summaries.summarised(run, quantity)
        for quantity in dict.fromkeys((*_SHOWN_LEVELS, headline_of(summary)))
        if quantity in summarised_names(summary)
    }
    certain = told(run).is_certain
    heads = ["Year"]
    for found in shown.values():
        unit = base_unit(str(found.attrs["units"]))
        heads.append(capital(str(found.attrs["long_name"])) + (f", {unit}" if unit else ""))
        heads += [] if certain else ["90 % interval"]
    rows = []
    for year in years:
        cells = [when(year)]
        for found in shown.values():
            low, middle, high = (_level_text(found, value) for value in found.three_in(year))
            cells.append(element("span", middle, class_="value"))
            cells += [] if certain else [f"{low} to {high}"]
        rows.append(cells)
    dollars = f" Dollars are {run.attrs['dollars']}." if "spending" in shown else ""
    what = "Levels" if certain else "Medians and 90 % intervals"
    caption = f"{what}; every year is in quantiles.csv of the run folder.{dollars}"
    return table(heads, rows, caption=caption, numbers=range(1, len(heads)))


def _level_text(found: summaries.Summarised, value: float) -> str:
    if not found.is_log:
        return f"{value:.3g}"
    return amount(value, "USD" if found.attrs["units"] == "log10(USD)" else "")


def _crossing_table(run: xr.DataTree, scenario: Scenario) -> Html:
    levels = {row["threshold"]: row for row in summaries.threshold_table(run).rows()}
    rows = []
    certain = told(run).is_certain
    for row in summaries.crossing_table(run).rows():
        level = levels[row["threshold"]]
        quantity = str(level["quantity"])
        attrs = summaries.summarised(run, quantity).attrs
        said = f"{level['level']:.3g}"
        if quantity != "capability":
            said = amount(level["level"], base_unit(str(attrs["units"])))
        median = _median_words(scenario, level) if _is_spread(level) else ""
        passed = row["already"] >= summaries.PASSED
        middle = crossed_in(row["median"], row["last_year"], row["first_year"])
        cells = [name(row["label"]), f"{said} ({attrs['long_name']}){median}"]
        cells.append(element("span", "before the start" if passed else middle, class_="value"))
        cells += [] if certain else ["" if passed else crossed_between(row)]
        rows.append([*cells, share_text(1 - row["never"], row["samples"], row["never_error"])])
    heads = ["Threshold", "Level", *(["Year"] if certain else ["Median year", "90 % interval"])]
    heads.append(f"Crossed by {number(told(run).middle_and_last[1])}")
    caption = "Crossing years. All quantiles are in crossing_years.csv of the run folder."
    return table(heads, rows, caption=caption, numbers=range(2, len(heads)))


def _is_spread(level: Row) -> bool:
    """Tell whether a threshold's level is uncertain; a summary that was counted in bins has widths of its own."""
    if level.get("lower") is None:
        return False
    return level["upper"] is None or level["upper"] - level["lower"] > 0.02


def _median_words(scenario: Scenario, level: Row) -> str:
    """Say of which draws the median of a threshold's level is, where it may be at "never"."""
    priors = [prior for name, prior in scenario.priors.items() if name.startswith(f"thresholds.{level['threshold']}.")]
    return ", median counting never" if any(prior.prior.never for prior in priors) else ", median"


def mixture_section(run: xr.DataTree, figures: Sequence[Figure]) -> Html:
    """Give each part of a mixture of scenarios apart: weight, median and 90 % interval."""
    middle, last = told(run).middle_and_last
    weights = {"all together": 1.0} | summaries.component_weights(run)
    levels = {"all together": told(run)}
    levels |= summaries.component_levels(run, headline_of(arrays(run, "summary")))
    spans = {key: values.three_in(last) for key, values in levels.items()}
    bottom = min(low for low, _, _ in spans.values())
    width = max(high for _, _, high in spans.values()) - bottom or 1.0
    rows = []
    for key, values in levels.items():
        said = [
            f"{amount(median)} ({amount(low)} to {amount(high)})"
            for low, median, high in (values.three_in(middle), spans[key])
        ]
        places = range_bar(*((level - bottom) / width for level in spans[key]))
        rows.append([name(key), percent(float(weights.get(key, math.nan))), *said, places])
    unit = base_unit(str(levels["all together"].attrs["units"]))
    heads = ["Part", "Weight", *(f"{unit} in {when(year)}" for year in (middle, last)), f"In {when(last)}, log scale"]
    intro = (
        "This run weighs several scenarios against one another: each sample follows one of them, drawn by weight. "
        "The numbers above are of all samples together; here is what each scenario says by itself."
    )
    caption = f"{capital(told_words(run))}: median and 90 % interval."
    told_apart = table(heads, rows, caption=caption, numbers=range(1, 4))
    return joined([element("p", intro), told_apart, *map(chart, figures)], "\n")


def driving_section(run: xr.DataTree, every: Sequence[Assumption], figures: Sequence[Figure]) -> Html:
    """Say where growth comes from, and which priors effective compute goes with."""
    try:
        parts = [paragraphs(growth_sentences(run)), _growth_table(run), *map(chart, figures)]
    except InputError as error:  # growth cannot be split
        parts = [element("p", capital(str(error)))]
    parts += [element("h3", "Which assumptions the outcome goes with"), *_association_parts(run, every)]
    return joined(parts, "\n")


def _growth_table(run: xr.DataTree) -> Html:
    middle, last = told(run).middle_and_last
    parts = mean_contributions(run).sel(year=[middle, last])
    net = parts.sum("part")
    most = max(float(abs(parts[:, 1]).max()), abs(float(net[1])), 1e-12)
    rows = [
        [name(label), ooms(early), ooms(late), bar(late / most, signed=True)]
        for label, (early, late) in zip(parts["label"].values.tolist(), parts.values.tolist(), strict=True)
    ]
    early, late = net.values.tolist()
    bold = [element("strong", words) for words in ("together", ooms(early), ooms(late))]
    rows.append([*bold, bar(late / most, signed=True)])
    heads = ["Part", f"By {when(middle)}, OOM", f"By {when(last)}, OOM", f"By {when(last)}"]
    caption = "Growth of effective compute since the start: means over the samples."
    return table(heads, rows, caption=caption, numbers=(1, 2))


def _association_parts(run: xr.DataTree, every: Sequence[Assumption]) -> Iterator[Html]:
    if "parameters" not in run.children:
        yield element(
            "p",
            "This needs samples, and this run kept its summary only. Run the scenario again with --keep trajectories, "
            "and write the report of that run.",
        )
        return
    rows = rank_associations(run).rows()
    if not rows:
        yield element("p", f"No number goes with {told_words(run)} by more than chance: there is nothing to tell.")
        return
    known = {each.path: each for each in every}
    samples = max(row["samples"] for row in rows)
    yield element(
        "p",
        f"The table holds each uncertain number against {told_words(run)} in {when(told(run).middle_and_last[1])}, "
        "sample by sample: +1 means that the two rise together throughout, −1 that one falls as the other rises, 0 "
        "that they have nothing to do with each other. These are associations, not effects. Numbers that are "
        "correlated share theirs, and a limit that seldom binds shows little, however much it would matter if it did. "
        "Numbers that go with it no more than chance gives are left out.",
    )
    cells, drawn = [], group(run, "parameters", of_samples=True)
    for row in rows[:MOST_ASSOCIATIONS]:
        path, rank = row["name"], row["rank"]
        of = "" if row["samples"] == samples else f", in the {row['samples']:,} samples that have it"
        about = assumption_name(known[path]) if path in known else str(drawn[path].attrs.get("long_name", path))
        value = known[path].statements[0].value if path in known and len(known[path].statements) == 1 else ""
        first = joined([name(about + of), element("span", name(_scope(known.get(path), path)), class_="origin")])
        cells.append([first, value, signed(rank), bar(rank, signed=True)])
    heads = ["Number", "Median and interval", "Rank correlation", "−1 to +1"]
    caption = f"The {len(cells)} strongest of {len(rows)}, over {samples:,} samples."
    yield table(heads, cells, caption=caption, numbers=(2,))


def _scope(assumption: Assumption | None, path: str) -> str:
    """Say what a number covers, as its notes have it; else its entry of the library, or its path."""
    origin = assumption.statements[0].origin if assumption else {}
    scope = re.match(r"scope: ([^.;]+)", origin.get("notes", ""))
    return scope[1] if scope else origin.get("library", path)


def limits_section(run: xr.DataTree, said: Sequence[Limitation], figures: Sequence[Figure]) -> Html:
    """Say in words which limits there are and how often each binds, with the charts."""
    if not said:
        return element("p", "The scenario has no caps and no constraints: demand is met in every sample.")
    middle, last = told(run).middle_and_last
    shares, samples = summaries.binding_table(run), differing_samples(run)
    rows = []
    for early, late in zip(*(shares.where(year=year).rows() for year in (middle, last)), strict=True):
        binds = [share_text(row["share"], samples, row["standard_error"]) for row in (early, late)]
        rows.append([name(f"{late['label']} (on {late['on_label']})"), *binds, bar(late["share"])])
    parts = [element("h3", "The limits in words"), bullets(map(limitation, said))]
    if rows:
        heads = ["Limit", f"Binds in {when(middle)}", f"Binds in {when(last)}", f"Share of the samples in {when(last)}"]
        caption = "How often each limit binds. Every year is in binding.csv."
        parts.append(table(heads, rows, caption=caption, numbers=(1, 2)))
    return joined([*parts, *map(chart, figures)], "\n")


def warning_section(run: xr.DataTree, every: Sequence[Assumption], *, tied: int, left_out: Sequence[str]) -> Html:
    """Give the warnings of the run, the notes of its authors, and in what ways a reader may be wrong."""
    warnings = [line for line in str(run.attrs.get("warnings", "")).splitlines() if line]
    uncertain, judged, bare, doubted = counts(every)
    said = cautions(run, judged=judged, bare=bare, doubted=doubted, uncertain=uncertain, tied=tied)
    parts = [element("h3", "How to be wrong with it"), bullets(said)]
    if notes := str(run.attrs.get("notes", "")).strip():
        parts += [element("h3", "What the authors of the scenario say of it"), element("p", name(notes))]
    parts.append(element("h3", "Warnings of the run"))
    parts.append(bullets(map(name, warnings)) if warnings else element("p", "None."))
    if left_out:
        parts += [element("h3", "What this report leaves out"), bullets(map(name, left_out))]
    return joined(parts, "\n")


def reproduction_section(run: xr.DataTree) -> Html:
    """Say how to get the same numbers again, with the whole scenario."""
    attrs = run.attrs
    digest = element("code", name(attrs.get("scenario_hash", "not stated")))
    drawn = f"{int(attrs['samples']):,}, seed {attrs['seed']}, design {attrs.get('design', 'not stated')}"
    version = f"effective-compute-simulator {attrs.get('simulator_version', 'not stated')}"
    used, platform = json.loads(attrs.get("libraries", "{}")), attrs.get("platform", "platform not stated")
    facts = [
        ("Run", element("code", name(attrs["run_id"]))),
        ("Scenario", joined([name(attrs["name"]), ", hash ", digest])),
        ("Samples", f"{drawn}, in blocks of {attrs.get('block', 'not stated')}"),
        ("Version", f"{version}, code {attrs.get('code', 'not stated')}, run format {attrs['run_format']}"),
        ("Made with", f"{', '.join(f'{library} {number}' for library, number in used.items())}; {platform}"),
    ]
    keep = " --keep summary" if attrs["keep"] == "summary" else ""
    store = " --store zarr" if attrs.get("store") == "zarr" else ""
    parts = [
        terms(facts),
        element("p", "Save the scenario below as scenario.yaml, with the same version of the simulator, and run:"),
        element("pre", f"simulate run scenario.yaml{keep}{store}", class_="command"),
        element(
            "p",
            "The same scenario and code give the same run id, and with the same libraries and platform the same bits.",
        ),
    ]
    every = values_in(stored_data(attrs))
    if custom := [each["custom"] for each in every if isinstance(each, dict) and "custom" in each]:
        names = sorted({str(each["driver"]) for each in custom if isinstance(each, dict) and each.get("driver")})
        named = f" by the name of {' and '.join(names)}" if names else " of its authors"
        more = f"A part of this scenario is computed by Python code{named}, which is not in the run."
        parts.append(element("p", element("strong", more)))
    listing = (
        "The run folder has every number as CSV: quantiles.csv, crossing_years.csv, crossing_probability.csv, "
        "binding.csv. The tables of the charts, whole, are written by: simulate chart RUN --kind all."
    )
    summary = element("summary", "The resolved scenario, with every library entry written out (YAML)")
    scenario = element("pre", element("code", name(stored_scenario_text(run))))
    parts += [
        element("p", listing),
        element("details", summary, scenario),
        element("p", "The scenario is in the HTML file of this report.", class_="only-print quiet"),
    ]
    return element("div", joined(parts, "\n"), class_="about")
