"""The section of a report that lists every assumption with its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import xarray as xr

from simulator.figure import Figure
from simulator.report_assumptions import OWN, Assumption, Statement, assumptions
from simulator.report_html import (
    Column,
    Html,
    address,
    badge,
    bullets,
    element,
    joined,
    link,
    name,
    path_name,
    table,
    text,
)
from simulator.report_limits import Limitation, correlations, quantities
from simulator.report_page import chart, chart_title
from simulator.words import listed

ABOUT: Mapping[str, str] = MappingProxyType({
    "spending": "Spending", "hardware": "Hardware efficiency", "compute": "Physical compute",
    "algorithms": "Algorithmic efficiency", "quantities": "Quantities that limits are built from",
    "constraints": "Constraints on physical compute", "capability": "Capability", "thresholds": "Thresholds",
    "models": "Counts of models",
})  # fmt: skip
"""What the groups of numbers are called."""


def assumption_name(assumption: Assumption) -> str:
    """Name a number so that it says by itself what it is about."""
    about = assumption.about
    return f"{about}: {assumption.words}" if about in ABOUT and about != "quantities" else assumption.words


def limitation(each: Limitation) -> Html:
    """Set a limit, or a quantity, as an item of a list."""
    only = f" (in {listed(each.components)} only)" if each.components else ""
    return Html(f"{element('strong', name(each.name))}{text(only)}: {text(each.text)}")


def assumption_section(run: xr.DataTree, figures: Mapping[str, Figure]) -> Html:
    """List every number with its source, the correlations, the overrides, the sources."""
    every = assumptions(run)
    uncertain, judged, bare, _ = counts(every)
    stated = (
        "understood when the run was made"
        if "parameters" in run.children
        else "stated in the scenario; how it was understood needs a run with samples"
    )
    published = uncertain - judged - bare
    backed = (
        f"Of {uncertain} uncertain ones {published} rest on a published source, {judged} on own judgement, and "
        f"{bare or 'none'} on no source at all"
        if uncertain
        else "None of them is uncertain"
    )
    marks = joined([badge("no source", "bare"), badge("own judgement", "own")])
    parts = [element("p", text(f"Every number of the scenario, as it was {stated}. {backed}. Marked: "), marks)]
    for about in dict.fromkeys(each.about for each in every):
        of = [each for each in every if each.about == about]
        parts += [element("h3", text(ABOUT.get(about, about))), _assumption_table(of)]
    made = quantities(run)
    if made:
        parts += [element("h3", text("What the quantities are made of")), bullets(limitation(each) for each in made)]
    parts += [chart(figure, title=chart_title(key)) for key, figure in figures.items()]
    parts += [element("h3", text("Correlations")), _correlation_part(run, every)]
    overrides = [line for line in str(run.attrs.get("overrides", "")).splitlines() if line]
    parts += [element("h3", text("Changes on the command line"))]
    parts += [
        bullets(element("code", name(line)) for line in overrides)
        if overrides
        else element("p", text("None: the scenario was run as its file has it."))
    ]
    parts += [element("h3", text("Sources")), _source_list(every)]
    return joined(parts, "\n")


def counts(every: Sequence[Assumption]) -> tuple[int, int, int, int]:
    """Count the uncertain numbers: all, own judgement, without source, of low confidence."""
    said = [each for assumption in every for each in assumption.statements if not each.is_fixed]
    judged = sum(each.standing == OWN for each in said)
    bare = sum(each.standing == "no source" for each in said)
    return len(said), judged, bare, sum(each.origin.get("confidence") == "low" for each in said)


def _assumption_table(every: Sequence[Assumption]) -> Html:
    rows = [[joined([name(_upper(each.words)), path_name(each.path)]), _statements(each)] for each in every]
    columns = [Column("Number"), Column("Median, interval, source")]
    return table(
        columns,
        rows,
        caption=f"{len(rows)} number{'s' if len(rows) != 1 else ''}; “90 %” and “80 %” are central intervals.",
        stacked=True,
    )


def _upper(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _statements(each: Assumption) -> Html:
    definition = each.path.startswith("thresholds.")
    return joined((element("div", _statement(said, definition=definition)) for said in each.statements), "\n")


def _statement(said: Statement, *, definition: bool = False) -> Html:
    only = element("span", name(f"{listed(said.components)}: "), class_="quiet") if said.components else Html("")
    value = element("span", text(said.value), class_="value")
    shape = element(
        "span",
        text(f" {said.shape}" if said.shape else " fixed" if said.standing != "no source" else ""),
        class_="quiet small",
    )
    lines = [only, value, shape, element("span", _origin(said, definition=definition), class_="origin")]
    if said.parts:
        inner = [
            joined([element("strong", text(f"weight {100 * weight:.3g} %: ")), _statement(part)])
            for weight, part in said.parts
        ]
        lines.append(element("ul", joined(element("li", part) for part in inner), class_="small"))
    return joined(lines)


def _origin(said: Statement, *, definition: bool) -> Html:
    """Say where a number comes from: source with its link, date, confidence, entry of the library, notes."""
    origin = said.origin
    marks = []
    if said.standing == "no source":
        fixed = "a definition" if definition and said.is_fixed else "fixed, no source" if said.is_fixed else ""
        marks.append(badge(fixed, "plain") if fixed else badge("no source", "bare"))
    else:
        marks += [badge("own judgement", "own")] if said.standing == OWN else []
        if origin["source"].lower() != OWN:  # which the badge says already
            marks.append(link(origin["source"], url=origin.get("url", ""), doi=origin.get("doi", "")))
    named = bool(marks) and origin.get("source", OWN).lower() != OWN
    facts = [f"as of {origin['as_of']}"] if origin.get("as_of") else []
    facts += [f"confidence {origin['confidence']}"] if origin.get("confidence") else []
    facts += [f"library {origin['library']}"] if origin.get("library") else []
    if facts:
        marks.append(text(f"{'; ' if named else ''}{'; '.join(facts)}."))
    if origin.get("notes"):
        marks.append(Html(f" {name(origin['notes'])}"))
    return joined(marks)


def _correlation_part(run: xr.DataTree, every: Sequence[Assumption]) -> Html:
    known = {each.path: assumption_name(each) for each in every}
    rows = []
    for said, components in correlations(run):
        pair = [known.get(str(path), str(path)) for path in said["between"]]
        source = str(said.get("source", ""))
        only = f" (in {listed(components)} only)" if components else ""
        own = source.lower().startswith("own judgement")
        mark = badge("own judgement", "own") if own else name(source) if source else badge("no source", "bare")
        notes = name(f" {said.get('notes', '')}{only}")
        rank = f"{float(said['rank']):+.2f}".replace("-", "−")
        rows.append([name(f"{_upper(pair[0])}, with {pair[1]}"), text(rank), joined([mark, notes])])
    if not rows:
        return element("p", text("None is stated: all numbers vary independently of one another."))
    columns = [Column("Numbers"), Column("Rank correlation", number=True), Column("Source")]
    return table(columns, rows, caption="All other pairs of numbers are independent.")


def _source_list(every: Sequence[Assumption]) -> Html:
    found: dict[str, tuple[Mapping[str, str], list[str]]] = {}
    for assumption in every:
        for said in assumption.statements:
            for each in (said, *(part for _, part in said.parts)):
                if each.standing == "source":
                    found.setdefault(each.origin["source"], (each.origin, []))[1].append(assumption.path)
    if not found:
        return element("p", text("No published source is named."))
    items = []
    for source in sorted(found, key=str.lower):
        origin, paths = found[source]
        count = len(set(paths))
        linked = link(source, url=origin.get("url", ""), doi=origin.get("doi", ""))
        bare = "" if address(url=origin.get("url", ""), doi=origin.get("doi", "")) else ", no link given"
        items.append(joined([linked, text(f" ({count} number{'s' if count != 1 else ''}{bare})")]))
    return element("div", bullets(items), class_="sources")
