"""Fans of a run: how a quantity may grow, and when it crosses thresholds; or several quantities on common years."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simulator.charts import fans, spec, style
from simulator.charts.frame import Frame, beyond_said, crossing_text
from simulator.charts.layout import GUTTER, WIDTH, panel_grid, sheet
from simulator.charts.overlaid import draw_fans, ends_words, level_words
from simulator.charts.reading import YEARS, Fan, level_unit, read_fan
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import InputError, number
from simulator.runs.groups import Group, Run, arrays, run_label
from simulator.runs.summary import PASSED, fan_table, main_quantity, why_no_spread
from simulator.runs.table import Row, Table
from simulator.wording import amount_range, capital, cut, listed, percent, share_text

HEIGHT = 380
RIGHT = 264
LABEL_X = WIDTH + 40
NAME_X = LABEL_X + 62
LABEL_CHARACTERS = 28
NAME_CHARACTERS = 24
MOST_PANELS = 6


def draw_fan(
    fan: Fan, *, head: Head, years: tuple[float, float] | None = None, start: float | None = None
) -> spec.Spec:
    """Draw the fan of a quantity over the years, and below it the years in which it crosses thresholds.

    Above: median and bands; thresholds as lines, their levels and labels at the right; far outside the fan they get a
    label and no line. Below, on the same years: one row per threshold, with the median, the 50 % and the 90 % interval
    of its crossing year. Observed runs are dots, and the axis begins with the first. `start`: the first year of the
    run, where the tables begin later.
    """
    tables = fan.tables
    tables.check()
    thresholds = fans.from_the_top(tables.thresholds, fan.quantity)
    # A crossing of a threshold on another quantity has no line in the fan: it comes last.
    order = {row["threshold"]: place for place, row in enumerate(thresholds)}
    crossings = [
        row | {year: math.inf if row[year] is None else row[year] for year in YEARS}
        for row in sorted(tables.crossings.rows(), key=lambda row: order.get(row["threshold"], len(order)))
    ]
    frame = fans.fan_frame(
        tables, thresholds=thresholds, log=fan.log, years=years, width=WIDTH, height=HEIGHT, gutter=GUTTER
    )
    labels = [style.wrapped(fans.label_text(row, frame=frame), width=LABEL_CHARACTERS) for row in thresholds]
    names = [style.wrapped(row["label"], width=NAME_CHARACTERS) for row in crossings]
    room = sum(style.LINE_HEIGHT * len(lines) + 3.0 for lines in labels)
    gutter = max([GUTTER, *(style.text_width(line) + 14 for name in names for line in name)])
    frame, unit = fan.told_in(replace(frame, height=max(HEIGHT, room), gutter=gutter))
    begin = tables.medians["year"][0] if start is None else start
    layers = fans.fan_layers(tables, frame=frame, thresholds=thresholds)
    layers += _threshold_labels(thresholds, labels, frame=frame)
    layers += fans.median_crossings(crossings, thresholds=thresholds, frame=frame, start=begin)
    lift = 20.0 if len(tables.parts) else 0.0  # the room of one more row of the legend
    heading = style.Text([fan.heading(unit)], -gutter, fans.HEADING_Y - lift, bold=True)
    layers += style.text_layers([heading, *frame.texts()])
    entries = fans.fan_legend(tables)
    if any(map(fans.uncertain, thresholds)):
        never = any(row.get("lower") is not None and row.get("upper") is None for row in thresholds)
        said = " and median of an uncertain threshold, counting never" if never else " of an uncertain threshold"
        entries.append(("bracket", style.QUIET, f"90 %{said}"))
    layers += style.legend_layers(entries, x=-gutter, y=fans.LEGEND_Y - lift)
    layers += fans.part_legend(tables.parts, x=-gutter, y=fans.LEGEND_Y)
    layers.append(fans.pointer_layer(tables, frame=frame, unit=fan.full(unit), name="years"))
    views = [spec.view(layers, width=WIDTH, height=frame.height)]
    right = RIGHT if thresholds or crossings else 0
    if crossings:
        views.append(fans.crossing_strip(crossings, names, tables=tables, frame=frame, start=begin, right=right))
    width = gutter + WIDTH + right
    return sheet(views, head, x=-gutter, width=width)


def _threshold_labels(thresholds: Sequence[Row], labels: Sequence[Sequence[str]], *, frame: Frame) -> list[spec.Spec]:
    """Place the labels and levels beside the plot, with leader lines, and the intervals of uncertain levels."""
    leaders, middles = fans.threshold_leaders(
        thresholds, labels, frame=frame, gap=3.0, bend=18, end=LABEL_X - 4 - WIDTH
    )
    texts = [style.Text(lines, NAME_X, middle) for lines, middle in zip(labels, middles, strict=True)]
    for row, middle in zip(thresholds, middles, strict=True):
        texts += frame.level_texts(row["level"], right=NAME_X - 8, y=middle, color=style.QUIET)
    return [*leaders, *fans.brackets(thresholds, frame=frame), *style.text_layers(texts)]


PANEL_WIDTH, PANEL_HEIGHT, PANEL_GUTTER = 330, 190, 52.0
GAP = 30.0
MOST_WRAPPED = 5
PANEL_CHARACTERS = 16


def draw_panels(drawn: Sequence[Fan], *, head: Head, years: tuple[float, float] | None = None) -> spec.Spec:
    """Draw several fans on the same years, two beside one another, each with its own scale."""
    for fan in drawn:
        fan.tables.check()
    own = [fans.from_the_top(fan.tables.thresholds, fan.quantity, strict=True) for fan in drawn]
    frames = [
        fans.fan_frame(
            fan.tables, thresholds=rows, log=fan.log, years=years, width=PANEL_WIDTH, height=PANEL_HEIGHT,
            gutter=PANEL_GUTTER,
        )
        for fan, rows in zip(drawn, own, strict=True)
    ]  # fmt: skip
    labels = [_panel_labels(rows, frame=frame) for rows, frame in zip(own, frames, strict=True)]
    tall = max([PANEL_HEIGHT, *(sum(style.LINE_HEIGHT * len(lines) + 2.0 for lines in label) for label in labels)])
    rooms = [max(map(_label_room, labels[column::2]), default=0.0) for column in range(2)]
    panels = [
        _panel(
            fan, frame=replace(frame, height=tall), thresholds=rows, labels=lines, name=f"panel_{place}",
            room=PANEL_GUTTER + PANEL_WIDTH + rooms[place % 2] - 8,
        )
        for place, (fan, frame, rows, lines) in enumerate(zip(drawn, frames, own, labels, strict=True))
    ]  # fmt: skip
    fullest = max(drawn, key=lambda fan: (len(fan.tables.bands), len(fan.tables.history)))
    entries = fans.fan_legend(fullest.tables)
    views = panel_grid(panels, entries, x=-PANEL_GUTTER, columns=2, spacing=rooms[0] + PANEL_GUTTER + GAP)
    if parts := fans.part_legend(fullest.tables.parts, x=-PANEL_GUTTER, y=0):
        views.insert(0, spec.view(parts, width=10, height=4))
    width = 2 * (PANEL_GUTTER + PANEL_WIDTH) + sum(rooms) + GAP
    return sheet(views, head, x=-PANEL_GUTTER, width=width, spacing=24.0)


def _panel(
    fan: Fan, *, frame: Frame, thresholds: Sequence[Row], labels: Sequence[Sequence[str]], name: str, room: float
) -> spec.Spec:
    frame, unit = fan.told_in(frame)
    heading, note = style.fitted(fan.heading(unit), room, bold=True), style.fitted(_End(fan).line, room)
    middle = -21 - style.LINE_HEIGHT * (len(note) - 1) / 2
    above = middle - 2 - style.LINE_HEIGHT * (len(note) + len(heading)) / 2
    head = [style.Text(heading, -PANEL_GUTTER, above, bold=True), style.Text(note, -PANEL_GUTTER, middle, style.QUIET)]
    leaders, middles = fans.threshold_leaders(thresholds, labels, frame=frame, gap=2.0, bend=5, end=21)
    names = [
        style.Text(lines, PANEL_WIDTH + 24, middle, size=11) for lines, middle in zip(labels, middles, strict=True)
    ]
    layers = [
        *fans.fan_layers(fan.tables, frame=frame, thresholds=thresholds),
        *style.text_layers([*head, *frame.texts()]),
        *leaders,
        *style.text_layers(names),
        fans.pointer_layer(fan.tables, frame=frame, unit=fan.full(unit), name=name),
    ]
    return spec.view(layers, width=frame.width, height=frame.height)


def _panel_labels(thresholds: Sequence[Row], *, frame: Frame) -> list[list[str]]:
    """Write the labels of thresholds; many get two lines each, for the whole names stand in the table."""
    labels = [style.wrapped(fans.label_text(row, frame=frame), width=PANEL_CHARACTERS) for row in thresholds]
    if len(labels) <= MOST_WRAPPED:
        return labels
    return [[*label[:1], *(cut(" ".join(label[1:]), width=PANEL_CHARACTERS, mark="…"),) * (len(label) > 1)]
            for label in labels]  # fmt: skip


def _label_room(labels: Sequence[Sequence[str]]) -> float:
    """Tell how much room the labels beside a panel take, in pixels."""
    return max((36 + style.text_width(line, size=11) for lines in labels for line in lines), default=0.0)


def fan_figures(run: Group | Run, options: FigureOptions) -> list[Figure]:
    """Draw the fan of a variable, without `quantities` that of the main one, or the fans of up to six in one figure."""
    names = tuple(dict.fromkeys(options.quantities)) or (main_quantity(run),)
    if len(names) > MOST_PANELS:
        raise InputError(f"--quantity: one figure holds up to {MOST_PANELS} fans; got {len(names)}. Draw several.")
    if options.history and len(names) > 1:
        raise InputError(
            f"--history: observed runs are drawn on one quantity; got {len(names)}. "
            "Name the quantity that they are observations of, and draw the others in a figure of their own."
        )
    fans = [read_fan(run, name, options) for name in names]
    if len(fans) > 1:
        return [_several(run, fans, options)]
    apart = [_apart(run, fans[0])] if len(fans[0].tables.parts) and fans[0].log else []
    return [_single(run, fans[0], options), *apart]


def _single(run: Group | Run, fan: Fan, options: FigureOptions) -> Figure:
    """Draw one fan with its crossings."""
    end = _End(fan)
    said = f"{capital(why_no_spread(run, 'every prior in it is fixed'))}: there is no spread."
    if fan.spread:
        said = f"Median and central bands; {end.widest} of the samples end in the range of the title."
    head = Head(f"{capital(fan.label)}: {end.range} in {end.year}", f"{_subject(run)}\n{said}", run_label(run))
    start = float(arrays(run, "summary")["year"].values[0])
    chart = draw_fan(fan, head=head, years=_axis_years([fan], options), start=start)
    tables = {"": fan.table()} | {
        name: table
        for name in ("thresholds", "moving", "crossings", "paths", "history", "trend", "parts", "part_crossings")
        if (table := getattr(fan.tables, name))
    }
    return Figure(f"fan_{fan.quantity}", chart, tables, _caption(fan, end), _alt_text(fan, end))


TOGETHER = "all together"
APART = "fan_parts_"
"""How the names of figures begin that draw the parts of a mixture apart."""


def _apart(run: Group | Run, fan: Fan) -> Figure:
    """Draw the parts of a mixture as fans with their names and weights, over that of all samples together."""
    parts, unit = fan.tables.parts, level_unit(fan.unit)
    weights = {row["part"]: f"{row['part']}, weight {percent(row['weight'])}" for row in parts.rows()}
    medians, bands = fan_table(run, fan.quantity, (0.9,))
    whole = medians.with_columns({"lower": bands["lower"], "upper": bands["upper"], "run": [TOGETHER] * len(medians)})
    whole = whole.where(np.isin(medians["year"], fan.tables.medians["year"]))
    named = parts.with_columns({"run": [weights[part] for part in parts["part"].tolist()]})
    columns = ("run", "year", "median", "lower", "upper")
    levels = whole.select(*columns) + named.select(*columns)
    last = {name: own.rows()[-1] for (name,), own in levels.groups("run")}
    year = number(levels["year"][-1])
    said = [f"{level_words(last[name]['median'], unit)} in {part}" for part, name in weights.items()]
    if f" {unit} in" in said[0]:  # which a level beyond any number does not say
        said = [said[0], *(text.replace(f" {unit} in", " in") for text in said[1:])]
    shown = said if len(said) <= 3 else [*said[:2], f"{len(said) - 2} more below"]
    title = f"{capital(fan.label)} in {year}: median {listed(shown)}"
    under = (
        f"{_subject(run)}\nEach part of the mixture apart, and all together: medians, and 90 % of the samples of each."
    )
    chart = draw_fans(levels, name=fan.label, unit=unit, head=Head(title, under, run_label(run)))
    listing = "; ".join(f"{name}: {ends_words(row, unit)}" for name, row in last.items())
    caption = f"{capital(fan.label)} in {year}, median and 90 % interval, {unit}: {listing}."
    caption = " ".join([caption, *beyond_said(levels["upper"])])
    alt_text = (
        f"Line chart of {len(last)} named fans of {fan.label} by year, on a log axis in {unit}. In {year}: {listing}."
    )
    return Figure(f"{APART}{fan.quantity}", chart, {"": levels}, caption, alt_text)


def _several(run: Group | Run, fans: Sequence[Fan], options: FigureOptions) -> Figure:
    """Draw several fans on common years."""
    ends = [_End(fan) for fan in fans]
    shown = [f"{fan.label} {end.median}" for fan, end in zip(fans, ends, strict=True)]
    named = shown if len(shown) <= 3 else [*shown[:2], f"{len(shown) - 2} more below"]
    last = ends[0].year
    title = f"{'Medians in' if any(fan.spread for fan in fans) else 'In'} {last}: {listed(named)}"
    head = Head(title, _subject(run), run_label(run))
    chart = draw_panels(fans, head=head, years=_axis_years(fans, options))
    names = [fan.quantity for fan in fans]
    caption = " ".join(f"{capital(end.course)}." for end in ends)
    lines = "; ".join(f"{fan.label} {end.line.split(': ', 1)[1]}" for fan, end in zip(fans, ends, strict=True))
    alt_text = (
        f"{len(fans)} fan charts on the years {ends[0].first_year} to {last}: {listed([fan.label for fan in fans])}. "
        f"Each shows the median and central bands over time. In {last}: {lines}."
    )
    tables = {"": sum((fan.table() for fan in fans), start=Table({}))}
    own = [row for row in fans[0].tables.thresholds.rows() if row["quantity"] in names]
    if own:  # the columns of an interval are there where any level of these has one
        tables["thresholds"] = Table.of_rows({key: row[key] for key in row if row[key] is not None} for row in own)
    for name in ("moving", "paths", "history", "trend"):
        named_tables = [(fan.quantity, getattr(fan.tables, name)) for fan in fans]
        if rows := [{"variable": quantity, **row} for quantity, table in named_tables for row in table.rows()]:
            tables[name] = Table.of_rows(rows)
    stem = "fan_" + "_and_".join(names)
    stem = stem if len(stem) <= 100 else f"fan_{names[0]}_and_{len(names) - 1}_more"
    return Figure(stem, chart, tables, caption, alt_text)


class _End:
    """What the words of a fan say of its last year: median, range, widest band; and the course there."""

    def __init__(self, fan: Fan) -> None:
        medians, bands = fan.tables.medians, fan.tables.bands
        years, levels = medians["year"].tolist(), medians["median"].tolist()
        self.first_year, self.year = number(years[0]), number(years[-1])
        first, self.median = fan.said(levels[0]), fan.said(levels[-1])
        self.widest, self.range = "", self.median
        if fan.spread:
            self.widest = fan.tables.band_names()[0]
            widest = bands.where(band=self.widest)
            low, high = fan.said(widest["lower"][-1]), fan.said(widest["upper"][-1])
            self.range = amount_range(low, high)
        verb = "stays near" if first == self.median else "rises from" if levels[-1] > levels[0] else "falls from"
        course = f"{verb} {first} in {self.first_year}"
        course += f" to {self.median} in {self.year}" if first != self.median else ""
        self.course = f"{fan.label} {course}, without any spread"
        self.line = f"{self.year}: {self.median}"
        if fan.spread:
            self.course = f"the median of {fan.label} {course}; {self.widest} of the samples end at {self.range}"
            self.line = f"{self.year}: median {self.median}, {self.widest} {self.range.removesuffix(fan.unit).strip()}"


def _caption(fan: Fan, end: _End) -> str:
    """Say the fan and its crossings in three sentences."""
    tables = fan.tables
    sentences = [f"{capital(end.course)}."]
    own = {row["threshold"] for row in tables.thresholds.rows() if row["quantity"] == fan.quantity}
    rows = [row for row in tables.crossings.rows() if row["threshold"] in own and row["already"] < PASSED]
    early = [row["label"] for row in rows if row["median"] <= row["first_year"]]
    crossed = [row for row in rows if row["first_year"] < row["median"] < math.inf]
    late = [row for row in rows if not math.isfinite(row["median"])]
    if crossed:
        said = [f"{row['label']} in {crossing_text(row['median'])}" for row in crossed[:4]]
        sentences.append(f"{'The median crosses' if fan.spread else 'It crosses'} {listed(said)}.")
    if early:
        half = "in half of the samples or more" if fan.spread else "there"
        sentences.append(f"Passed in {number(rows[0]['first_year'])} already, {half}: {listed(early[:3])}.")
    if late:
        said = [f"{row['label']} in {share_text(row['never'], row['samples'])} of cases" for row in late[:3]]
        sentences.append(f"Not crossed by {number(late[0]['last_year'])}: {listed(said)}.")
    drawn = ((tables.medians, "median"), (tables.bands, "upper"))
    sentences += beyond_said(*(table[name] for table, name in drawn if table))
    if tables.history:
        named = ", labelled where there is room" if any(tables.history["label"]) else ""
        what = "what was observed, with the 90 % of its error" if _of_a_quantity(fan) else "runs that were observed"
        sentences.append(f"Dots: {what} ({len(tables.history)}){named}.")
    if tables.trend:
        until = number(tables.trend["year"][-1])
        sentences.append(f"Grey: the trend that was learnt of them, to {until}, with its 90 % band.")
    return " ".join(sentences)


def _of_a_quantity(fan: Fan) -> bool:
    """Tell whether what was observed is of a quantity, and has errors."""
    return "lower" in fan.tables.history.names


def _alt_text(fan: Fan, end: _End) -> str:
    """Describe a fan to somebody who does not see it."""
    tables = fan.tables
    unit, scale = f" in {fan.unit}" if fan.unit else "", "on a log scale" if fan.log else "on a plain scale"
    bands = tables.band_names()[::-1]
    drawn = f"Fan chart of a median and bands of {listed(bands)} of the samples" if bands else "Chart of one line"
    extra = []
    if count := tables.path_count():
        extra.append(f"{count} thin lines are single samples")
    if tables.history:
        what = "observations with bars for the 90 % of their errors" if _of_a_quantity(fan) else "observed runs"
        extra.append(f"dots are {what} ({len(tables.history)})")
    if tables.trend:
        until = number(tables.trend["year"][-1])
        extra.append(f"a grey band is the trend that was learnt of the past, to {until}")
    sentences = [
        f"{drawn}: years from {end.first_year} to {end.year} along, {fan.label}{unit} {scale} up.",
        f"{capital(end.course)}.",
        *([f"{capital(' and '.join(extra))}."] if extra else []),
    ]
    if count := len(tables.crossings):
        crossed = "a threshold is crossed" if count == 1 else f"{count} thresholds are crossed"
        sentences.append(f"Below, bars show the years in which {crossed}.")
    return " ".join(sentences)


def _subject(run: Group | Run) -> str:
    title = str(run.attrs["title"])
    return f"{title}{' ' if title.endswith(('?', '!', '.')) else ': '}{run.attrs['subject']}"


def _axis_years(fans: Sequence[Fan], options: FigureOptions) -> tuple[float, float] | None:
    """Choose the ends of the time axis: no empty room where years were asked for; else all that several fans have.

    A fan that stands alone chooses its own.
    """
    years = fans[0].tables.medians["year"].tolist()
    seen = [date for fan in fans for date in fan.tables.seen()]
    if options.years is None:
        return (min([years[0], *seen]), max([years[-1], *seen])) if seen and len(fans) > 1 else None
    dates = fans[0].tables.seen()
    first = options.years[0] if dates and min(dates) < years[0] else years[0]
    return first, max([years[-1], *dates])
