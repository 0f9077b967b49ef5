"""The section of a report that lists every assumption with its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.charts.spec import Figure
from simulator.errors import Path, dotted, items, number
from simulator.report.html import Html, address, badge, bullets, chart, element, joined, link, name, path_name, table
from simulator.scenario.assumptions import OWN, Assumption, Statement, parts_of, statement
from simulator.scenario.layers import lookup
from simulator.scenario.resolving import Scenario
from simulator.schema import prior_names
from simulator.schema.choices import LAWS
from simulator.schema.events import NamedEvent
from simulator.schema.quantities import Event, Factor, Level, Limit, MeanRate, Operation, Quantity, QuantityRate, Regime
from simulator.schema.spec import Correlation, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.stocks import REST, AllocatedShare, Stock
from simulator.schema.words import input_words
from simulator.wording import capital, listed, percent, signed

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class Limitation:
    """A cap, a constraint or a quantity: its name, what it does, and which parts of a mixture have it (empty: all)."""

    name: str
    text: str
    components: tuple[str, ...] = ()


_AGES = {
    "depreciation": "of which is lost", "life": "that lasts", "service_life": "each part of which is retired after",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Words:
    """Puts what a part of a scenario says into words; `values` gives numbers as they were understood, by path."""

    data: Mapping[str, Any]
    values: Mapping[str, str]

    def number(self, path: Path) -> str:
        """Say a number: as it was understood, or as this part of the scenario states it."""
        return (
            self.values.get(dotted(path)) or statement(lookup(self.data, path), unit=prior_names.unit_alone(path)).value
        )

    def quantity(self, spec: Quantity, path: Path) -> str:
        """Say a quantity: a name, a number, a growing level, or an operation on others."""
        if isinstance(spec, str):
            return spec.replace("-", " ")
        if isinstance(spec, Prior):
            return self.number(path)
        if isinstance(spec, Level):
            return self._level(spec, path)
        if isinstance(spec, AllocatedShare):
            return self._share(spec, path)
        parts = [self._part(part, at) for at, part in prior_names.parts_of(spec, path)]
        if spec.accumulation is not None:
            return self._stock(spec, parts[0], path)
        if spec.lag is not None:
            return f"{parts[0]} {self.number((*path, 'lag', 'by'))} before"
        if spec.power is not None:
            return f"{parts[0]} to the power {self.number((*path, 'power', 1))}"
        if spec.highest is not None or spec.lowest is not None:
            return f"the {'highest' if spec.lowest is None else 'lowest'} so far of {parts[0]}"
        if spec.minimum is not None or spec.maximum is not None:
            return f"the {'largest' if spec.minimum is None else 'smallest'} of: {'; '.join(parts)}"
        signs = {"product": " × ", "sum": " + ", "ratio": " / ", "difference": " − "}
        return next(sign for key, sign in signs.items() if getattr(spec, key) is not None).join(parts)

    def _part(self, spec: Quantity, path: Path) -> str:
        text = self.quantity(spec, path)
        return f"[{text}]" if isinstance(spec, Level | Operation) else text

    def _share(self, spec: AllocatedShare, path: Path) -> str:
        use = spec.allocation.uses[spec.use]
        if use.share == REST:
            text = "what the others leave"
        elif use.share is not None:
            text = self.number(path)
        else:
            dates = [f"{self.number((*path[:-1], 'shares', key))} in {number(date)}" for date, key, _ in use.dated]
            text = f"{listed(dates)}, straight between"
        scaled = ", divided by the sum of all shares" if spec.allocation.scaled else ""
        floor = f"; at least {self._part(use.floor, (*path[:-1], 'floor'))}" if use.floor is not None else ""
        return f"{text}{scaled}{floor}"

    def _stock(self, spec: Operation | Stock, flow: str, path: Path) -> str:
        stated = [key for key in _AGES if getattr(spec, key) is not None]
        ages = [f", {_AGES[key]} {self.number((*path, key))}" for key in stated]
        return f"a stock that {flow} adds to, {self.number((*path, 'start'))} at first{''.join(ages)}"

    def _level(self, level: Level, path: Path) -> str:
        parts = [self._part(part, at) for at, part in prior_names.parts_of(level, path)]
        if isinstance(level, Stock) and level.adds_up:
            return self._stock(level, parts[0] if parts else "nothing", path)
        if parts:
            return parts[0]
        if level.table is not None:
            return f"a table of {len(level.table)} levels by year"
        since = "" if level.at is None else f" in {number(level.at)}"
        words = ["a level" if level.start is None else f"{self.number((*path, 'start'))}{since}"]
        for below, era in prior_names.regimes_of(level, path):
            begin = f"from {self._begin(era.from_, (*below, 'from'))} on " if era.from_ else ""
            words.append(f"{begin}growing by {self._rate(era, prior_names.rate_path(level, below))}")
        return ", ".join(words)

    def _rate(self, era: Regime, path: Path) -> str:
        if isinstance(era.rate, QuantityRate):
            return f"what {self.quantity(era.rate.quantity, (*path, 'quantity'))} says, in {era.rate.unit}"
        if not isinstance(era.rate, MeanRate):
            return self.number(path)
        parts = [
            f"{self.number((*path, 'mean_of', at))} ({percent(share)})"
            for share, (at, _) in zip(era.rate.shares, items(era.rate.mean_of), strict=True)
        ]
        return f"the geometric mean of {listed(parts)}"

    def _begin(self, begin: Prior | Event, path: Path) -> str:
        if isinstance(begin, Prior):
            return self.number(path)
        if begin.threshold is not None:
            return f"the crossing of {begin.threshold.replace('-', ' ')}"
        if begin.event is not None:
            return f"the day that {begin.event.replace('-', ' ')} comes"
        return f"the day that {str(begin.when).replace('_', ' ')} reaches {self.number((*path, 'reaches'))}"

    def event(self, event: NamedEvent, path: Path) -> str:
        """Say an event: its chance, when it begins and ends, what it changes and brings about."""
        comes = "Comes" if event.from_ or event.hazard else "Comes where another brings it about"
        if event.probability is not None:
            comes += f" with a probability of {self.number((*path, 'probability'))}"
        elif event.hazard is not None:
            comes += f" at {self.number((*path, 'hazard'))}"
        comes += f" from {self._begin(event.from_, (*path, 'from'))} on" if event.from_ is not None else ""
        comes += f", {self.number((*path, 'delay'))} later" if event.delay is not None else ""
        if event.for_ is not None:
            comes += f", for {self.number((*path, 'for'))}"
        elif event.until is not None:
            comes += f", until {self._begin(event.until, (*path, 'until'))}"
        said = [comes]
        for part, effect in items(event.effects):
            at, on = (*path, "effects", part), listed([input_words(each) for each in effect.on])
            by = "does not count" if effect.crossing else f"is {effect.limit}"
            by = f"times {self.number((*at, 'times'))}" if effect.times is not None else by
            by = f"is {self.number((*at, 'rate'))}" if effect.rate is not None else by.replace("-", " ")
            back = f", back within {self.number((*at, 'recovers'))}" if effect.recovers is not None else ""
            said.append(f"{on} {by}{back}")
        for key, word in (("triggers", "brings about"), ("delays", "delays")):
            others = ((other.replace("-", " "), self.number((*path, key, other))) for other in getattr(event, key))
            said += [f"{word} {other}: {by}" for other, by in others]
        said += [f"excludes {other.replace('-', ' ')}" for other in event.excludes]
        return f"{'; '.join(said)}." + (f" {event.notes}" if event.notes else "")

    def limit(self, limit: Limit, path: Path) -> str:
        """Say a limit: its law, and what it is made of."""
        if limit.limit is None:
            text = f"{self.number((*path, 'share'))} of {str(limit.of).replace('-', ' ')}"
        else:
            text = self.quantity(limit.limit, (*path, "limit"))
        return f"{LAWS.find(limit.kind).words}. It stands at {text}." + (f" {limit.notes}" if limit.notes else "")


def limitations(scenario: Scenario, every: Sequence[Assumption]) -> list[Limitation]:
    """Say every cap and constraint in words: on what, by which law, and what it is made of."""
    return _merged(scenario, every, _limits)


def quantities(scenario: Scenario, every: Sequence[Assumption]) -> list[Limitation]:
    """Say in words what each named quantity is made of, each driver that is a quantity, and laws of growth."""
    return _merged(scenario, every, _quantities)


def _quantities(spec: ScenarioSpec, words: _Words) -> Iterator[tuple[str, str]]:
    for driver_name, stated in prior_names.stated_drivers(spec).items():
        if stated.law is not None:
            at = ("drivers", driver_name, "law", "quantities")
            taken = (f"{key}: {words.quantity(each, (*at, key))}" for key, each in stated.law.quantities.items())
            told = "; ".join((f"{stated.law.record.words}: {stated.law.record.formula}", *taken))
            yield driver_name, f"{told}." + (f" {stated.law.notes}" if stated.law.notes else "")
    for path, driver in prior_names.entries_of(Factor, spec.drivers, ("drivers",)):
        if driver.level is not None:
            yield " ".join(map(str, path[1::2])), words.quantity(driver.level, (*path, "level"))
    for entry, (path, quantity) in spec.named.items():
        yield entry.replace("-", " "), words.quantity(quantity, path)


def events(scenario: Scenario, every: Sequence[Assumption]) -> list[Limitation]:
    """Say in words what may happen."""
    return _merged(scenario, every, _events)


def _events(spec: ScenarioSpec, words: _Words) -> Iterator[tuple[str, str]]:
    for key, event in spec.events.items():
        yield event.label or key.replace("-", " "), words.event(event, ("events", key))


def correlations(scenario: Scenario) -> list[tuple[Correlation, tuple[str, ...]]]:
    """List the rank correlations that hold in the scenario, and which parts of a mixture state each (empty: all)."""
    said = ((each, component.name) for component in scenario.components for each in component.joint.correlations)
    return _together(said, len(scenario.components))


def _together[T](said: Iterable[tuple[T, str]], count: int) -> list[tuple[T, tuple[str, ...]]]:
    """Give what is said of the parts of a scenario once, with the parts that say it; nothing where all of them do."""
    found: dict[T, list[str]] = {}
    for each, part in said:
        found.setdefault(each, []).append(part)
    return [(each, tuple(of) if len(of) < count else ()) for each, of in found.items()]


def _merged(
    scenario: Scenario, every: Sequence[Assumption], say: Callable[[ScenarioSpec, _Words], Iterable[tuple[str, str]]]
) -> list[Limitation]:
    """Say things of each part of a scenario; parts that say the same stand together."""
    agreed = {each.path: each.statements[0].value for each in every if len(each.statements) == 1}
    parts = parts_of(scenario)
    said = (
        (pair, part)
        for component, (part, data) in zip(scenario.components, parts.items(), strict=True)
        for pair in say(component.spec, _Words(data, agreed))
    )
    return [Limitation(*pair, of) for pair, of in _together(said, len(parts))]


def _limits(spec: ScenarioSpec, words: _Words) -> Iterator[tuple[str, str]]:
    written = list(words.data.get("drivers", ()))
    for path, driver in sorted(prior_names.entries_of(Factor, spec), key=lambda found: written.index(found[0][1])):
        yield from _capped(driver, ": ".join(str(part).replace("-", " ") for part in path[1::2]), words, path)
    for key, limit in spec.constraints.items():
        yield f"Constraint “{key}” on physical compute", words.limit(limit, ("constraints", key))
    for key, (place, quantity) in spec.named.items():
        for path, level in prior_names.entries_of(Level, quantity, place):
            if "caps" not in path[2:]:
                yield from _capped(level, key.replace("-", " "), words, path)


def _capped(level: Level, on: str, words: _Words, path: Path) -> Iterator[tuple[str, str]]:
    for key, limit in level.caps.items():
        yield f"Cap “{key}” on {on}", words.limit(limit, (*path, "caps", key))


ABOUT: Mapping[str, str] = MappingProxyType({
    "spending": "Spending", "hardware": "Hardware efficiency", "compute": "Physical compute",
    "algorithms": "Algorithmic efficiency", "quantities": "Quantities that limits are built from", "stocks": "Stocks",
    "allocation": "Allocation of stocks",
    "constraints": "Constraints on physical compute", "capability": "Capability", "thresholds": "Thresholds",
    "events": "What may happen", "models": "Counts of models", "inputs": "Shared inputs",
    "actors": "What actors differ in",
})  # fmt: skip
"""What the groups of numbers are called."""
_SAID_ALREADY = ("quantities", "inputs", "events", "actors")
"""Groups whose numbers say by themselves what they are about."""


def assumption_name(assumption: Assumption) -> str:
    """Name a number so that it says by itself what it is about."""
    about = assumption.about
    return f"{about}: {assumption.words}" if about in ABOUT and about not in _SAID_ALREADY else assumption.words


def limitation(each: Limitation) -> Html:
    """Set a limit, or a quantity, as an item of a list."""
    only = f" (in {listed(each.components)} only)" if each.components else ""
    return joined([element("strong", name(each.name)), f"{only}: ", each.text])


def assumption_section(
    run: xr.DataTree, scenario: Scenario, every: Sequence[Assumption], figures: Sequence[Figure]
) -> Html:
    """List every number with its source, the correlations, the overrides, the sources."""
    uncertain, judged, bare, _ = counts(every)
    stated = "stated in the scenario; how it was understood needs a run with samples"
    if "parameters" in run.children:
        stated = "understood when the run was made"
    backed = "None of them is uncertain"
    if uncertain:
        backed = (
            f"Of {uncertain} uncertain ones {uncertain - judged - bare} rest on a published source, {judged} on own "
            f"judgement, and {bare or 'none'} on no source at all"
        )
    intro = f"Every number of the scenario, as it was {stated}. {backed}. Marked: "
    parts = [element("p", intro, badge("no source", "bare"), badge("own judgement", "own"))]
    for about in dict.fromkeys(each.about for each in every):
        of = [each for each in every if each.about == about]
        parts += [element("h3", ABOUT.get(about, about)), _assumption_table(of)]
    if made := quantities(scenario, every):
        parts += [element("h3", "What the quantities are made of"), bullets(map(limitation, made))]
    if may_come := events(scenario, every):
        parts += [element("h3", "What the events do"), bullets(map(limitation, may_come))]
    overrides = [element("code", name(line)) for line in str(run.attrs.get("overrides", "")).splitlines() if line]
    parts += [
        *map(chart, figures),
        element("h3", "Correlations"),
        _correlation_part(scenario, every),
        element("h3", "Changes on the command line"),
        bullets(overrides) if overrides else element("p", "None: the scenario was run as its file has it."),
        element("h3", "Sources"),
        _source_list(every),
    ]
    return joined(parts, "\n")


def counts(every: Sequence[Assumption]) -> tuple[int, int, int, int]:
    """Count the uncertain numbers: all, own judgement, without source, of low confidence."""
    said = [each for assumption in every for each in assumption.statements if not each.is_fixed]
    judged = sum(each.standing == OWN for each in said)
    bare = sum(each.standing == "no source" for each in said)
    return len(said), judged, bare, sum(each.origin.get("confidence") == "low" for each in said)


def _assumption_table(every: Sequence[Assumption]) -> Html:
    rows = []
    for each in every:
        definition = each.path.startswith("thresholds.")
        said = (element("div", _statement(one, definition=definition)) for one in each.statements)
        rows.append([joined([name(capital(each.words)), path_name(each.path)]), joined(said, "\n")])
    caption = f"{len(rows)} number{'s' if len(rows) != 1 else ''}; “90 %” and “80 %” are central intervals."
    return table(["Number", "Median, interval, source"], rows, caption=caption, stacked=True)


def _statement(said: Statement, *, definition: bool = False) -> Html:
    only = element("span", name(f"{listed(said.components)}: "), class_="quiet") if said.components else ""
    shape = f" {said.shape}" if said.shape else " fixed" if said.standing != "no source" else ""
    lines = [
        only,
        element("span", said.value, class_="value"),
        element("span", shape, class_="quiet small"),
        element("span", _origin(said, definition=definition), class_="origin"),
    ]
    if said.parts:
        inner = (
            element("li", element("strong", f"weight {100 * weight:.3g} %: "), _statement(part))
            for weight, part in said.parts
        )
        lines.append(element("ul", *inner, class_="small"))
    return joined(lines)


def _origin(said: Statement, *, definition: bool) -> Html:
    """Say where a number comes from: source with its link, date, confidence, entry of the library, notes."""
    origin = said.origin
    marks: list[str] = []
    if said.standing == "no source":
        fixed = "a definition" if definition and said.is_fixed else "fixed, no source" if said.is_fixed else ""
        marks.append(badge(fixed, "plain") if fixed else badge("no source", "bare"))
    else:
        marks += [badge("own judgement", "own")] if said.standing == OWN else []
        if origin["source"].lower() != OWN:  # which the badge says already
            marks.append(_linked(origin))
    named = bool(marks) and origin.get("source", OWN).lower() != OWN
    facts = [
        f"{words}{origin[key]}"
        for key, words in (("as_of", "as of "), ("confidence", "confidence "), ("library", "library "))
        if origin.get(key)
    ]
    if facts:
        marks.append(f"{'; ' if named else ''}{'; '.join(facts)}.")
    if origin.get("notes"):
        marks += [" ", name(origin["notes"])]
    return joined(marks)


def _linked(origin: Mapping[str, str]) -> Html:
    return link(origin["source"], url=origin.get("url", ""), doi=origin.get("doi", ""))


def _correlation_part(scenario: Scenario, every: Sequence[Assumption]) -> Html:
    known = {each.path: assumption_name(each) for each in every}
    rows = []
    for said, components in correlations(scenario):
        one, other = (known.get(path, path) for path in said.between)
        source = said.source or ""
        only = f" (in {listed(components)} only)" if components else ""
        own = source.lower().startswith(OWN)
        mark = badge(OWN, "own") if own else name(source) if source else badge("no source", "bare")
        rank = signed(said.rank)
        rows.append([name(f"{capital(one)}, with {other}"), rank, joined([mark, name(f" {said.notes or ''}{only}")])])
    if not rows:
        return element("p", "None is stated: all numbers vary independently of one another.")
    caption = "All other pairs of numbers are independent."
    return table(["Numbers", "Rank correlation", "Source"], rows, caption=caption, numbers=(1,))


def _source_list(every: Sequence[Assumption]) -> Html:
    found: dict[str, tuple[Mapping[str, str], set[str]]] = {}
    for assumption in every:
        for said in assumption.statements:
            for each in (said, *(part for _, part in said.parts)):
                if each.standing == "source":
                    found.setdefault(each.origin["source"], (each.origin, set()))[1].add(assumption.path)
    if not found:
        return element("p", "No published source is named.")
    items = []
    for source in sorted(found, key=str.lower):
        origin, paths = found[source]
        bare = "" if address(url=origin.get("url", ""), doi=origin.get("doi", "")) else ", no link given"
        items.append(joined([_linked(origin), f" ({len(paths)} number{'s' if len(paths) != 1 else ''}{bare})"]))
    return element("div", bullets(items), class_="sources")
