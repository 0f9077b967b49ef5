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
from simulator.errors import number
from simulator.report.html import (
    Column,
    Html,
    bar,
    bullets,
    chart,
    chart_title,
    element,
    joined,
    name,
    paragraphs,
    range_bar,
    table,
    terms,
    text,
)
from simulator.report.sentences import (
    amount,
    base_unit,
    binding_shares,
    cautions,
    crossed_in,
    forecast_years,
    growth_sentences,
    is_certain,
    level_at,
    ooms,
    three_at,
    when,
)
from simulator.report.sources import Limitation, assumption_name, counts, limitation
from simulator.runs.folder import stored_scenario_text
from simulator.runs.groups import group
from simulator.runs.growth_by_driver import mean_contributions
from simulator.runs.summary import (
    PASSED,
    Summarised,
    component_levels,
    crossing_table,
    summarised,
    summarised_names,
    threshold_table,
)
from simulator.runs.table import Row
from simulator.scenario.assumptions import Assumption
from simulator.scenario.resolving import Scenario
from simulator.wording import percent

if TYPE_CHECKING:
    import xarray as xr

MOST_ASSOCIATIONS = 10
_SHOWN_LEVELS = ("effective_compute", "physical_compute", "spending", "capability")
_MEANINGS: Mapping[str, str] = MappingProxyType({
    "Effective compute": "Physical compute times algorithmic efficiency: the FLOP that would do as much with the "
    "algorithms of the first year.",
    "Physical compute": "The operations that the hardware does: spending times hardware efficiency, within limits.",
    "FLOP": "One arithmetic operation on two numbers. 5e26 and 5 × 10²⁶ are the same: a 5 and 26 zeros.",
    "OOM": "Order of magnitude, a factor of ten: 3 OOM are a factor of 1,000.",
    "Median, 90 % interval": "Half of the samples lie below the median; 90 % lie in the interval, 5 % on either side.",
    "Sample": "One future: a draw of every uncertain number, followed through the years.",
    "Limit, binds": "A cap or constraint. It binds where demand has reached it.",
    "After the last year": "A threshold that a sample has not crossed by then counts as later. It is never left out.",
})  # fmt: skip


def forecast_section(run: xr.DataTree, scenario: Scenario, figures: Mapping[str, Figure]) -> Html:
    """Give the forecast: words, charts, levels by year, crossing years."""
    meanings = [(word, text(meaning)) for word, meaning in _MEANINGS.items()]
    parts = [element("div", element("h3", text("Words used here")), terms(meanings), class_="terms")]
    parts += [chart(figure, title=chart_title(key)) for key, figure in figures.items()]
    parts += [element("h3", text("Levels by year")), _level_table(run)]
    if crossing_table(run):
        parts += [element("h3", text("Thresholds and when they are crossed")), _crossing_table(run, scenario)]
    return joined(parts, "\n")


def _level_table(run: xr.DataTree) -> Html:
    summary = group(run, "summary")
    every = summary["year"].values.tolist()
    wanted = [every[0] + share * (every[-1] - every[0]) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    years = sorted({min(every, key=lambda year, aim=aim: abs(year - aim)) for aim in wanted})  # type: ignore[misc]
    shown = [quantity for quantity in _SHOWN_LEVELS if quantity in summarised_names(summary)]
    certain = is_certain(run)
    columns = [Column("Year")]
    for quantity in shown:
        unit = base_unit(str(summary[quantity].attrs["units"]))
        head = quantity.replace("_", " ").capitalize() + (f", {unit}" if unit else "")
        columns += [Column(head, number=True)] + ([] if certain else [Column("90 % interval", number=True)])
    rows = []
    for year in years:
        cells = [text(when(year))]
        for quantity in shown:
            low, middle, high = (_level_text(run, quantity, value) for value in level_at(run, quantity, year))
            cells.append(element("span", text(middle), class_="value"))
            cells += [] if certain else [text(f"{low} to {high}")]
        rows.append(cells)
    dollars = f" Dollars are {run.attrs['dollars']}." if "spending" in shown else ""
    what = "Levels" if certain else "Medians and 90 % intervals"
    return table(columns, rows, caption=f"{what}; every year is in quantiles.csv of the run folder.{dollars}")


def _level_text(run: xr.DataTree, quantity: str, value: float) -> str:
    units = str(group(run, "summary")[quantity].attrs["units"])
    if not units.startswith("log10"):
        return f"{value:.3g}"
    return amount(value, "USD" if base_unit(units) == "USD" else "")


def _crossing_table(run: xr.DataTree, scenario: Scenario) -> Html:
    levels = {row["threshold"]: row for row in threshold_table(run).rows()}
    rows = []
    certain = is_certain(run)
    for row in crossing_table(run).rows():
        level = levels[row["threshold"]]
        quantity = str(level["quantity"])
        last = row["last_year"]
        log = quantity != "capability"
        said = amount(level["level"], _unit_of(quantity)) if log else f"{level['level']:.3g}"
        passed = row["already"] >= PASSED
        dates = [crossed_in(row[key], last) for key in ("median", "lower_90", "upper_90")]
        cells = [
            name(row["label"]),
            text(
                f"{said} ({quantity.replace('_', ' ')})" + (_median_words(scenario, level) if _is_spread(level) else "")
            ),
            element("span", text("before the start" if passed else dates[0]), class_="value"),
        ]
        cells += [] if certain else [text("" if passed else f"{dates[1]} to {dates[2]}")]
        rows.append([*cells, text(percent(1 - row["never"]))])
    last = float(group(run, "summary")["year"].values[-1])
    columns = [Column("Threshold"), Column("Level"), Column("Year" if certain else "Median year", number=True)]
    columns += [] if certain else [Column("90 % interval", number=True)]
    columns += [Column(f"Crossed by {number(last)}", number=True)]
    return table(columns, rows, caption="Crossing years. All quantiles are in crossing_years.csv of the run folder.")


def _is_spread(level: Row) -> bool:
    """Tell whether a threshold's level is uncertain; a summary that was counted in bins has widths of its own."""
    if level.get("lower") is None:
        return False
    return level["upper"] is None or level["upper"] - level["lower"] > 0.02


def _median_words(scenario: Scenario, level: Row) -> str:
    """Say of which draws the median of a threshold's level is, where it may be at "never"."""
    priors = [prior for name, prior in scenario.priors.items() if name.startswith(f"thresholds.{level['threshold']}.")]
    return ", median counting never" if any(prior.prior.never for prior in priors) else ", median"


def _unit_of(quantity: str) -> str:
    return "USD" if quantity == "spending" else "FLOP"


def mixture_section(run: xr.DataTree) -> Html:
    """Give each part of a mixture of scenarios apart: weight, median and 90 % interval."""
    middle, last = forecast_years(run)
    weights = json.loads(str(run.attrs.get("components") or "{}"))
    rows: list[tuple[str, float, Summarised]] = [("all together", 1.0, summarised(run, "effective_compute"))]
    rows += [
        (key, float(weights.get(key, math.nan)), levels)
        for key, levels in component_levels(run, "effective_compute").items()
    ]
    spans = {key: three_at(values, last) for key, _, values in rows}
    low, high = min(span[0] for span in spans.values()), max(span[2] for span in spans.values())
    width = high - low or 1.0
    cells = []
    for key, weight, values in rows:
        a, b, c = three_at(values, middle)
        d, e, f = spans[key]
        cells.append([
            name(key),
            text(percent(weight)),
            text(f"{amount(b)} ({amount(a)} to {amount(c)})"),
            text(f"{amount(e)} ({amount(d)} to {amount(f)})"),
            range_bar((d - low) / width, (e - low) / width, (f - low) / width),
        ])  # fmt: skip
    columns = [
        Column("Part"), Column("Weight", number=True), Column(f"FLOP in {when(middle)}", number=True),
        Column(f"FLOP in {when(last)}", number=True), Column(f"In {when(last)}, log scale"),
    ]  # fmt: skip
    intro = (
        "This run weighs several scenarios against one another: each sample follows one of them, drawn by weight. "
        "The numbers above are of all samples together; here is what each scenario says by itself."
    )
    caption = "Effective compute: median and 90 % interval."
    return joined([element("p", text(intro)), table(columns, cells, caption=caption)], "\n")


def driving_section(run: xr.DataTree, every: Sequence[Assumption], figures: Mapping[str, Figure]) -> Html:
    """Say where growth comes from, and which priors effective compute goes with."""
    if "effective_compute_mean" not in group(run, "summary"):
        return element("p", text("The summary of this run has no means, by which growth is split. Run it again."))
    parts = [paragraphs(growth_sentences(run)), _growth_table(run)]
    parts += [chart(figure, title=chart_title(key)) for key, figure in figures.items()]
    parts += [element("h3", text("Which assumptions the outcome goes with")), *_association_parts(run, every)]
    return joined(parts, "\n")


def _growth_table(run: xr.DataTree) -> Html:
    middle, last = forecast_years(run)
    parts = mean_contributions(run)
    net = parts.sum("part")
    most = max(float(abs(parts.sel(year=last)).max()), abs(float(net.sel(year=last))), 1e-12)
    rows = []
    for place, label in enumerate(parts["label"].values.tolist()):
        early, late = (float(parts.isel(part=place).sel(year=year)) for year in (middle, last))
        rows.append([name(label), text(ooms(early)), text(ooms(late)), bar(late / most, signed=True)])
    total = float(net.sel(year=last))
    bold = [element("strong", text(words)) for words in ("together", ooms(float(net.sel(year=middle))), ooms(total))]
    rows.append([*bold, bar(total / most, signed=True)])
    columns = [
        Column("Part"), Column(f"By {when(middle)}, OOM", number=True), Column(f"By {when(last)}, OOM", number=True),
        Column(f"By {when(last)}"),
    ]  # fmt: skip
    return table(columns, rows, caption="Growth of effective compute since the start: means over the samples.")


def _association_parts(run: xr.DataTree, every: Sequence[Assumption]) -> Iterator[Html]:
    if "parameters" not in run.children:
        yield element(
            "p",
            text(
                "This needs samples, and this run kept its summary only. Run the scenario again with "
                "--keep trajectories, and write the report of that run."
            ),
        )
        return
    rows = rank_associations(run).rows()
    if not rows:
        yield element("p", text("Every number is fixed, or effective compute does not vary: there is nothing to tell."))
        return
    last = forecast_years(run)[1]
    known = {each.path: each for each in every}
    samples = max(row["samples"] for row in rows)
    yield element(
        "p",
        text(
            f"The table holds each uncertain number against effective compute in {when(last)}, sample by sample: +1 "
            "means that the two rise together throughout, −1 that one falls as the other rises, 0 that they have "
            "nothing to do with each other. These are associations, not effects. Numbers that are correlated share "
            "theirs, and a limit that seldom binds shows little, however much it would matter if it did. "
            f"Below about {2 / math.sqrt(samples):.2f} a value cannot be told from 0."
        ),
    )
    cells = []
    for row in rows[:MOST_ASSOCIATIONS]:
        path, rank = row["name"], row["rank"]
        of = "" if row["samples"] == samples else f", in the {row['samples']:,} samples that have it"
        about = assumption_name(known[path]) if path in known else path
        value = known[path].statements[0].value if path in known and len(known[path].statements) == 1 else ""
        first = joined([name(about + of), element("span", name(_scope(known.get(path), path)), class_="origin")])
        cells.append([first, text(value), text(f"{rank:+.2f}".replace("-", "−")), bar(rank, signed=True)])
    columns = [
        Column("Number"),
        Column("Median and interval"),
        Column("Rank correlation", number=True),
        Column("−1 to +1"),
    ]
    caption = f"The {len(cells)} strongest of {len(rows)}, over {samples:,} samples."
    yield table(columns, cells, caption=caption)


def _scope(assumption: Assumption | None, path: str) -> str:
    """Say what a number covers, as its notes have it; else its entry of the library, or its path."""
    origin = assumption.statements[0].origin if assumption else {}
    scope = re.match(r"scope: ([^.;]+)", origin.get("notes", ""))
    return scope[1] if scope else origin.get("library", path)


def limits_section(run: xr.DataTree, said: Sequence[Limitation], figures: Mapping[str, Figure]) -> Html:
    """Say in words which limits there are and how often each binds, with the charts."""
    if not said:
        return element("p", text("The scenario has no caps and no constraints: demand is met in every sample."))
    middle, last = forecast_years(run)
    early, late = binding_shares(run, middle), binding_shares(run, last)
    rows = []
    for subject, limits in late.items():
        for limit, share in limits.items():
            label = name(f"{limit} (on {subject.replace('_', ' ')})")
            rows.append([label, text(percent(early[subject][limit])), text(percent(share)), bar(share)])
    columns = [
        Column("Limit"), Column(f"Binds in {when(middle)}", number=True), Column(f"Binds in {when(last)}", number=True),
        Column(f"Share of the samples in {when(last)}"),
    ]  # fmt: skip
    parts = [element("h3", text("The limits in words")), bullets(limitation(each) for each in said)]
    if rows:
        parts.append(table(columns, rows, caption="How often each limit binds. Every year is in binding.csv."))
    parts += [chart(figure, title=chart_title(key)) for key, figure in figures.items()]
    return joined(parts, "\n")


def warning_section(run: xr.DataTree, every: Sequence[Assumption], *, tied: int, left_out: Sequence[str]) -> Html:
    """Give the warnings of the run, the notes of its authors, and in what ways a reader may be wrong."""
    warnings = [line for line in str(run.attrs.get("warnings", "")).splitlines() if line]
    parts = [element("h3", text("How to be wrong with it"))]
    uncertain, judged, bare, doubted = counts(every)
    said = cautions(run, judged=judged, bare=bare, doubted=doubted, uncertain=uncertain, tied=tied)
    parts.append(bullets(text(line) for line in said))
    notes = str(run.attrs.get("notes", "")).strip()
    if notes:
        parts += [element("h3", text("What the authors of the scenario say of it")), element("p", name(notes))]
    parts += [element("h3", text("Warnings of the run"))]
    parts += [bullets(name(line) for line in warnings) if warnings else element("p", text("None."))]
    if left_out:
        parts += [element("h3", text("What this report leaves out")), bullets(name(line) for line in left_out)]
    return joined(parts, "\n")


def reproduction_section(run: xr.DataTree) -> Html:
    """Say how to get the same numbers again, with the whole scenario."""
    attrs = run.attrs
    digest = element("code", name(attrs.get("scenario_hash", "not stated")))
    drawn = f"{int(attrs['samples']):,}, seed {attrs['seed']}, design {attrs.get('design', 'not stated')}"
    version = f"effective-compute-simulator {attrs.get('simulator_version', 'not stated')}"
    facts = [
        ("Run", element("code", name(attrs["run_id"]))),
        ("Scenario", joined([name(attrs["name"]), text(", hash "), digest])),
        ("Samples", text(f"{drawn}, in blocks of {attrs.get('block', 'not stated')}")),
        ("Version", text(f"{version}, run format {attrs['run_format']}")),
    ]
    keep = " --keep summary" if attrs["keep"] == "summary" else ""
    store = " --store zarr" if attrs.get("store") == "zarr" else ""
    data = json.loads(str(attrs["scenario"]))
    how = "Save the scenario below as scenario.yaml, with the same version of the simulator, and run:"
    parts = [
        terms(facts),
        element("p", text(how)),
        element("pre", text(f"simulate run scenario.yaml{keep}{store}"), class_="command"),
        element("p", text("The same scenario, version and libraries give the same numbers, and the same run id.")),
    ]
    if custom := list(_under(data, "custom")):
        names = sorted({str(each["driver"]) for each in custom if isinstance(each, Mapping) and each.get("driver")})
        named = f" by the name of {' and '.join(names)}" if names else " of its authors"
        more = f"A part of this scenario is computed by Python code{named}, which is not in the run."
        parts.append(element("p", element("strong", text(more))))
    listing = (
        "The run folder has every number as CSV: quantiles.csv, crossing_years.csv, crossing_probability.csv, "
        "binding.csv. The tables of the charts, whole, are written by: simulate chart RUN --kind all."
    )
    parts.append(element("p", text(listing)))
    scenario = element("pre", element("code", name(stored_scenario_text(run))))
    summary = element("summary", text("The resolved scenario, with every library entry written out (YAML)"))
    parts.append(element("details", summary, scenario))
    parts.append(element("p", text("The scenario is in the HTML file of this report."), class_="only-print quiet"))
    return element("div", joined(parts, "\n"), class_="about")


def _under(data: object, key: str) -> Iterator[object]:
    """List what stands under a key, wherever it is."""
    if isinstance(data, Mapping):
        yield from [data[key]] if key in data else []
    for inner in data.values() if isinstance(data, Mapping) else data if isinstance(data, list) else ():
        yield from _under(inner, key)
