"""The section of a report that lists every assumption with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.charts.spec import Figure
from simulator.errors import Path, dotted, number
from simulator.report.html import (
    Column,
    Html,
    address,
    badge,
    bullets,
    chart,
    chart_title,
    element,
    joined,
    link,
    name,
    path_name,
    table,
    text,
)
from simulator.scenario.assumptions import OWN, Assumption, Statement, parts_of, statement, usual_unit
from simulator.scenario.resolving import Scenario
from simulator.schema.choices import LAWS
from simulator.schema.spec import Correlation
from simulator.schema.statements import is_prior
from simulator.wording import listed

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class Limitation:
    """A cap, a constraint or a quantity: its name, what it does, and which parts of a mixture have it (empty: all)."""

    name: str
    text: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Words:
    """Puts plain data into words; `values` gives priors as they were understood, by path."""

    values: Mapping[str, str]

    def quantity(self, spec: Any, path: Path) -> str:
        """Say a quantity: a name, a number, a growing level, or an operation on others."""
        if isinstance(spec, str):
            return spec.replace("-", " ")
        if not isinstance(spec, Mapping) or is_prior(spec):
            return self.values.get(dotted(path)) or statement(spec, unit=usual_unit(path)).value
        signs = {"product": " × ", "sum": " + ", "ratio": " / ", "difference": " − "}
        for key, sign in signs.items():
            if key in spec:
                return sign.join(self._parts(spec[key], (*path, key)))
        for key, word in (("minimum", "smallest"), ("maximum", "largest")):
            if key in spec:
                return f"the {word} of: {'; '.join(self._parts(spec[key], (*path, key)))}"
        if "accumulation" in spec:
            flow = self._part(spec["accumulation"], (*path, "accumulation"))
            return f"a stock that {flow} adds to, {self.quantity(spec.get('start'), (*path, 'start'))} at first"
        return self._level(spec, path)

    def _parts(self, specs: Sequence[Any], path: Path) -> list[str]:
        return [self._part(spec, (*path, place)) for place, spec in enumerate(specs)]

    def _part(self, spec: Any, path: Path) -> str:
        text = self.quantity(spec, path)
        return f"[{text}]" if isinstance(spec, Mapping) and not is_prior(spec) else text

    def _level(self, spec: Mapping[str, Any], path: Path) -> str:
        if "table" in spec:
            return f"a table of {len(spec['table'])} levels by year"
        at = f" in {number(float(spec['at']))}" if isinstance(spec.get("at"), int | float) else ""
        start = f"{self.quantity(spec['start'], (*path, 'start'))}{at}" if "start" in spec else "a level"
        growth = spec.get("growth")
        words = [start]
        if isinstance(growth, list):
            for place, era in enumerate(growth):
                below: Path = (*path, "growth", place)
                since = f" from {self.quantity(era['from'], (*below, 'from'))} on" if "from" in era else ""
                words.append(f"{since.strip()} growing by {self.quantity(era.get('rate'), (*below, 'rate'))}".strip())
        elif growth is not None:
            words.append(f"growing by {self.quantity(growth, (*path, 'growth'))}")
        return ", ".join(words)

    def limit(self, limit: Mapping[str, Any], path: Path) -> str:
        """Say a limit: its law, and what it is made of."""
        law = LAWS.find(str(limit.get("kind", "hard"))).words
        if "share" in limit:
            of = str(limit.get("of")).replace("-", " ")
            text = f"{self.quantity(limit['share'], (*path, 'share'))} of {of}"
        else:
            text = self.quantity(limit.get("limit"), (*path, "limit"))
        return f"{law}. It stands at {text}." + (f" {limit['notes']}" if limit.get("notes") else "")


def limitations(scenario: Scenario, every: Sequence[Assumption]) -> list[Limitation]:
    """Say every cap and constraint in words: on what, by which law, and what it is made of."""
    words = _Words(_values(every))
    return _merged(scenario, lambda data: _limits(data, words))


def quantities(scenario: Scenario, every: Sequence[Assumption]) -> list[Limitation]:
    """Say in words what each named quantity is made of."""
    words = _Words(_values(every))
    return _merged(
        scenario,
        lambda data: (
            (name.replace("-", " "), words.quantity(spec, ("quantities", name)))
            for name, spec in (data.get("quantities") or {}).items()
        ),
    )


def correlations(scenario: Scenario) -> list[tuple[Correlation, tuple[str, ...]]]:
    """List the rank correlations that the scenario states, and which parts of a mixture state each (empty: all)."""
    found: dict[Correlation, list[str]] = {}
    for component in scenario.components:
        for each in component.spec.correlations:
            found.setdefault(each, []).append(component.name)
    return [(each, tuple(of) if len(of) < len(scenario.components) else ()) for each, of in found.items()]


def _values(every: Sequence[Assumption]) -> dict[str, str]:
    """Give each number that all parts of a scenario agree on, by path."""
    return {each.path: each.statements[0].value for each in every if len(each.statements) == 1}


def _merged(scenario: Scenario, say: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]) -> list[Limitation]:
    """Say things of each part of a scenario; parts that say the same stand together."""
    parts = parts_of(scenario)
    found: dict[tuple[str, str], list[str]] = {}
    for component, data in parts.items():
        for pair in say(data):
            found.setdefault(pair, []).append(component)
    return [Limitation(*pair, tuple(of) if len(of) < len(parts) else ()) for pair, of in found.items()]


def _limits(scenario: Mapping[str, Any], words: _Words) -> Iterator[tuple[str, str]]:
    for driver, spec in (scenario.get("drivers") or {}).items():
        yield from _capped(spec, driver.replace("_", " "), words, ("drivers", driver))
        for factor, inner in (spec.get("factors") or {}).items():
            path: Path = ("drivers", driver, "factors", factor)
            yield from _capped(inner, f"{driver}: {factor.replace('-', ' ')}", words, path)
    for key, limit in (scenario.get("constraints") or {}).items():
        yield f"Constraint “{key}” on physical compute", words.limit(limit, ("constraints", key))
    for key, spec in (scenario.get("quantities") or {}).items():
        yield from _nested(spec, key.replace("-", " "), words, ("quantities", key))


def _capped(spec: Mapping[str, Any], on: str, words: _Words, path: Path) -> Iterator[tuple[str, str]]:
    for key, limit in (spec.get("caps") or {}).items():
        yield f"Cap “{key}” on {on}", words.limit(limit, (*path, "caps", key))


def _nested(value: Any, on: str, words: _Words, path: Path) -> Iterator[tuple[str, str]]:
    """Find the caps of levels that stand within quantities."""
    if isinstance(value, Mapping):
        yield from _capped(value, on, words, path)
        for key, inner in value.items():
            if key != "caps":
                yield from _nested(inner, on, words, (*path, str(key)))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _nested(inner, on, words, (*path, place))


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


def assumption_section(
    run: xr.DataTree, scenario: Scenario, every: Sequence[Assumption], figures: Mapping[str, Figure]
) -> Html:
    """List every number with its source, the correlations, the overrides, the sources."""
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
    made = quantities(scenario, every)
    if made:
        parts += [element("h3", text("What the quantities are made of")), bullets(limitation(each) for each in made)]
    parts += [chart(figure, title=chart_title(key)) for key, figure in figures.items()]
    parts += [element("h3", text("Correlations")), _correlation_part(scenario, every)]
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


def _correlation_part(scenario: Scenario, every: Sequence[Assumption]) -> Html:
    known = {each.path: assumption_name(each) for each in every}
    rows = []
    for said, components in correlations(scenario):
        pair = [known.get(path, path) for path in said.between]
        source = said.source or ""
        only = f" (in {listed(components)} only)" if components else ""
        own = source.lower().startswith(OWN)
        mark = badge(OWN, "own") if own else name(source) if source else badge("no source", "bare")
        notes = name(f" {said.notes or ''}{only}")
        rank = f"{said.rank:+.2f}".replace("-", "−")
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
