"""Limits: the share of the samples in which each binds, and what growth alone would give against what they leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from simulator.charts import layout, spec, style
from simulator.charts.frame import Frame, check_numbers
from simulator.charts.reading import central_levels, drawn_years, level_unit, run_head
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.errors import InputError, NothingToDraw, near_name, number
from simulator.runs.groups import Dataset, Run, differing_samples, group, summarised_names
from simulator.runs.limits import limits_on
from simulator.runs.summary import fan_table
from simulator.runs.table import Table
from simulator.wording import amount_range, amount_words, capital, listed, share_text

PANEL_HEIGHT = 130.0
FILLS = tuple(
    layout.fill_mark(*each)
    for each in (
        (style.BLUE, 1.0), (style.VERMILION, 0.75), (style.DARK_BLUE, 0.9), (style.BLUE, 0.35),
        (style.VERMILION, 0.3), (style.QUIET, 0.6), (style.QUIET, 0.25),
    )
)  # fmt: skip
"""Neighbours differ in grey too."""


def draw_binding(rows: Table, *, head: Head) -> spec.Spec:
    """Draw the share of the samples in which each limit binds, one panel for each subject, on the same years.

    The columns are `subject`, `subject_label`, `label`, `year`, `share` (0 to 1; those on one subject add up to at most
    1), `samples` (that it is of; 1: all are alike).
    """
    check_numbers(rows, "year", "share", "samples", of="binding")
    views = [_panel(own) for _, own in rows.groups("subject")]
    width = layout.GUTTER + layout.LABEL_X + layout.COLUMN + 190
    return layout.sheet(views, head, x=-layout.GUTTER, width=width)


def _panel(rows: Table) -> spec.Spec:
    """Draw the limits on one subject, the one that binds most in the last year at the bottom."""
    years, say = sorted(set(rows["year"].tolist())), partial(share_text, samples=int(rows["samples"][0]))
    shares = {name: own["share"].tolist() for (name,), own in rows.sorted_by("year").groups("label")}
    order = sorted(shares, key=lambda name: (-shares[name][-1], -max(shares[name]), name))
    idle = sum(max(shares[name]) == 0.0 for name in order)
    order = order[: len(order) - idle] or order[:1]  # one area carries the axes
    parts = [
        layout.StackPart(
            shares[name], FILLS[place % len(FILLS)], (say(shares[name][-1]),),
            layout.share_lines(name, shares[name], years=years, width=layout.NAME_CHARACTERS, say=say)
            if max(shares[name]) > 0.0
            else (),
        )
        for place, name in enumerate(order)
    ]  # fmt: skip
    none = ("none binds", *([f"({idle} of the limits in no year)"] if idle else []))
    bound = sum(part.values[-1] for part in parts)
    free = layout.EndLabel(0.5 + bound / 2, (say(max(0.0, 1 - bound)),), none, style.QUIET)
    heading = f"limits on {rows['subject_label'][0]}"
    return layout.stacked_view(parts, years=years, least=PANEL_HEIGHT, heading=heading, more=[free])


def binding_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw what binds how often; `quantities` chooses among the subjects that have limits."""
    subjects = _chosen_subjects(run, options.quantities, kind="binding")
    table = limit_shares(run, subjects, years=options.years)
    first, last = float(table["year"].min()), float(table["year"].max())
    said = [_said(own) for _, own in table.where(year=last).groups("subject")]
    shares = listed([f"{words} in {share}" for words, share, _ in said])
    title = f"In {number(last)} limits bind {shares} of cases"
    caption = (
        f"{title}. "
        + ". ".join(f"{capital(words)}: {detail}" for words, _, detail in said)
        + ". A limit binds where demand has reached it; of several, the one that leaves the least."
    )
    panels = f"{len(subjects)} stacked area charts, one each for" if len(subjects) > 1 else "Stacked area chart of"
    where = listed([words for words, _, _ in said])
    alt_text = (
        f"{panels} the limits {where}. Along: years {number(first)} to {number(last)}. Up: share of the samples "
        f"in which each limit binds, 0 to 100 %; in the rest none binds. {title}."
    )
    under = "Share of the samples in which each limit binds, by year."
    chart = draw_binding(table, head=run_head(run, title, under))
    return [Figure("binding", chart, {"": table}, caption, alt_text)]


def limit_shares(run: Run, subjects: Sequence[str], *, years: tuple[float, float] | None) -> Table:
    """Tabulate the share of the samples in which each limit binds: limits and subjects by name and label."""
    summary = group(run, "summary")
    places = drawn_years(summary, years)
    chosen = [limits_on(run)[subject] for subject in subjects]
    pairs = [(on.subject, on.words, *each) for on in chosen for each in zip(on.names, on.labels, strict=True)]
    named = zip(("subject", "subject_label", "limit", "label"), zip(*pairs, strict=True), strict=True)
    return Table({
        **{name: np.repeat(said, len(places)) for name, said in named},
        "year": np.tile(summary["year"].values[places], len(pairs)),
        "share": np.concatenate([summary[f"binding_{each}_share"].values[:, places].ravel() for each in subjects]),
        "samples": np.full(len(pairs) * len(places), differing_samples(run)),
    })  # fmt: skip


def _said(final: Table) -> tuple[str, str, str]:
    """Say the subject, the share in which any limit binds on it in the last year, and each limit's share, in words."""
    say = partial(share_text, samples=int(final["samples"][0]))
    shares = dict(zip(final["label"].tolist(), final["share"].tolist(), strict=True))
    told = ", ".join(f"{limit} {say(share)}" for limit, share in sorted(shares.items(), key=lambda x: -x[1]))
    return f"on {final['subject_label'][0]}", say(sum(shares.values())), told


def _chosen_subjects(run: Run, quantities: Sequence[str], *, kind: str) -> list[str]:
    """Choose what to draw among the subjects that have limits, in the order of the model: all, or what is asked for."""
    limits = limits_on(run)
    if not limits:
        raise NothingToDraw(
            f"{kind}: this run has no caps and no constraints, so there is nothing to draw. "
            "Add some to its scenario (caps under a driver, or constraints) and run it again."
        )
    for quantity in quantities:
        if quantity not in limits:
            known = quantity in summarised_names(group(run, "summary"))
            rule = "no limit stands on it" if known else "no such subject of limits"
            hint = "" if known else near_name(quantity, limits)
            raise InputError(
                f"{kind}: {quantity}: {rule} in this run. {hint or 'Limits stand on: ' + ', '.join(limits)}"
            )
    return [subject for subject in limits if subject in quantities or not quantities]


type Point = tuple[float, float]
"""A year and a level."""

HEIGHT = 380.0


@dataclass(frozen=True, slots=True)
class DemandTables:
    """The tables of the chart; levels in log10 of the unit.

    medians: `series` (`demanded` or `limited`), `year`, `median`. bands: `series`, `band` ("90 %"; the widest first),
    `year`, `lower`, `upper`. limits: `limit`, `year`, `median`.
    """

    medians: Table
    bands: Table = field(default_factory=lambda: Table({}))
    limits: Table = field(default_factory=lambda: Table({}))

    def check(self) -> None:
        """Refuse tables that cannot be drawn."""
        check_numbers(self.medians, "year", "median", of="medians")
        check_numbers(self.bands, "year", "lower", "upper", of="bands")
        check_numbers(self.limits, "year", "median", of="limits")


def draw_demand(tables: DemandTables, *, name: str, unit: str, head: Head) -> spec.Spec:
    """Draw the fan of a level within its limits, over it the median and the widest band of what is demanded.

    The medians of the limits are dotted lines. Bands without any width are not drawn.
    """
    tables.check()
    width = layout.GUTTER + layout.LABEL_X + layout.POWER_COLUMN + 190
    frame, told = _frame(tables).told_in(tables.medians.where(series="limited")["median"][-1], unit)
    plot = _plot(tables, frame=frame, heading=f"{name}, {told}")
    return layout.sheet([plot], head, x=-layout.GUTTER, width=width)


def _frame(tables: DemandTables) -> Frame:
    years = sorted(set(tables.medians["year"].tolist()))
    if len(years) < 2:
        raise InputError(f"medians: year: must be two or more years; got {len(years)}.")
    drawn = [(tables.medians, "median"), (tables.bands, "lower"), (tables.bands, "upper")]
    levels = [level for table, name in drawn if table for level in table[name].tolist()]
    lower, upper = min(levels), max(levels)
    # The limits may stretch the axis, but not so far that the fans become thin lines.
    reach = max(1.0, 0.25 * (upper - lower))
    ends = tables.limits.where(year=years[-1])["median"].tolist() if tables.limits else []
    near = [level for level in ends if lower - reach <= level <= upper + reach]
    lower, upper = min([lower, *near]), max([upper, *near])
    margin = max(0.04 * (upper - lower), (1.0 - (upper - lower)) / 2)
    room = layout.label_height(
        [line for name in _limits(tables) for line in _limit_lines(name)] + ["demanded", "limited"]
    )
    return Frame(years[0], years[-1], lower - margin, upper + margin, max(HEIGHT, room), layout.GUTTER, layout.WIDTH)


def _limits(tables: DemandTables) -> list[str]:
    return list(dict.fromkeys(tables.limits["limit"].tolist())) if tables.limits else []


def _limit_lines(name: str, mark: str = "") -> tuple[str, ...]:
    return tuple(style.wrapped(f"{mark}limit: {name}", width=layout.NAME_CHARACTERS))


def _plot(tables: DemandTables, *, frame: Frame, heading: str) -> spec.Spec:
    names = list(dict.fromkeys(row["band"] for row in tables.bands.rows() if row["lower"] != row["upper"]))
    layers = _bands(tables.bands, names=names, frame=frame)
    layers += _limit_layers(tables, frame=frame)
    for series, mark in (
        ("limited", layout.line_mark(style.DARK_BLUE, 2.5)),
        ("demanded", layout.line_mark(style.VERMILION, 2.5, [8, 3])),
    ):
        rows = tables.medians.where(series=series).rows()
        layers.append(spec.layer(rows, frame.x("year"), frame.y("median"), mark=mark))
    texts = [style.Text([heading], -layout.GUTTER, layout.HEADING_Y, bold=True), *frame.texts()]
    entries: list[style.LegendEntry] = [("line", style.DARK_BLUE, "median within limits")]
    fills = style.band_tints(len(names)) if names else ()
    entries += [
        ("band", fills[place], name if place else f"{name} of the samples") for place, name in enumerate(names)
    ][::-1]
    entries.append(("line", style.VERMILION, f"demanded: median and {names[0]}" if names else "demanded: median"))
    layers += style.text_layers(texts)
    layers += style.legend_layers(entries, x=-layout.GUTTER, y=layout.LEGEND_Y)
    layers += _ends(tables, frame=frame)
    return spec.view(layers, width=layout.WIDTH, height=frame.height)


def _bands(bands: Table, *, names: Sequence[str], frame: Frame) -> list[spec.Spec]:
    """Draw the fan within limits; behind it, with its edges before it, the widest band of what is demanded."""
    if not names:
        return []
    years, lower, upper = frame.x("year"), frame.y("lower"), spec.y2("upper")
    widest = bands.where(series="demanded", band=names[0]).rows()
    layers = [spec.layer(widest, years, lower, upper, mark=layout.fill_mark(style.VERMILION, 0.13))]
    for name, fill in zip(names, style.band_tints(len(names)), strict=True):
        rows = bands.where(series="limited", band=name).rows()
        layers.append(spec.layer(rows, years, lower, upper, mark=layout.fill_mark(fill)))
    edge = layout.line_mark(style.VERMILION, 1.2, [3, 2.5])
    return [*layers, *(spec.layer(widest, years, frame.y(key), mark=edge) for key in ("lower", "upper"))]


def _limit_layers(tables: DemandTables, *, frame: Frame) -> list[spec.Spec]:
    """Draw the medians of the limits, as far as they lie within the axis."""
    rows: spec.Data = []
    for name in _limits(tables):
        own = tables.limits.where(limit=name)
        path = list(zip(own["year"].tolist(), own["median"].tolist(), strict=True))
        for place, piece in enumerate(within(path, lower=frame.lower, upper=frame.upper)):
            rows += [{"piece": f"{name} {place}", "year": year, "median": level} for year, level in piece]
    detail = spec.one_line_each("piece")
    mark = layout.line_mark(style.INK, 0.9, [1.5, 2.5])
    return [spec.layer(rows, frame.x("year"), frame.y("median"), detail, mark=mark)] if rows else []


def within(path: Sequence[Point], *, lower: float, upper: float) -> list[list[Point]]:
    """Cut a path to what lies between two levels, in one or several pieces.

    The drawing library could do it, but numbers the shapes that it cuts with, so that files would differ.

    >>> within([(2025, 0.0), (2026, 2.0), (2027, 2.0)], lower=1.0, upper=3.0)
    [[(2025.5, 1.0), (2026, 2.0), (2027, 2.0)]]
    """
    pieces: list[list[Point]] = []
    for (year, level), (next_year, next_level) in pairwise(path):
        rise = next_level - level
        ends = sorted(((lower - level) / rise, (upper - level) / rise)) if rise else [0.0, 1.0]
        first, last = max(0.0, ends[0]), min(1.0, ends[1])
        if first >= last or not (rise or lower <= level <= upper):
            continue
        start = (year + first * (next_year - year), level + first * rise) if first else (year, level)
        end = (year + last * (next_year - year), level + last * rise) if last < 1 else (next_year, next_level)
        if not pieces or pieces[-1][-1] != start:
            pieces.append([start])
        pieces[-1].append(end)
    return pieces


def _ends(tables: DemandTables, *, frame: Frame) -> list[spec.Spec]:
    """Label the ends of the medians and of the limits."""
    final = tables.medians.where(year=frame.last)
    labels = []
    words = {"demanded": ("demanded", style.VERMILION), "limited": ("within limits", style.DARK_BLUE)}
    for series, (word, color) in words.items():
        level = float(final.where(series=series)["median"][0])
        labels.append(_end(frame, level, (word,), color, bold=True))
    for row in tables.limits.rows():
        if row["year"] == frame.last:
            level = row["median"]
            off = "▲ " if level > frame.upper else "▼ " if level < frame.lower else ""
            lines = _limit_lines(row["limit"], off)
            labels.append(_end(frame, level, lines, style.QUIET))
    return layout.end_labels(sorted(labels, key=lambda label: label.y), height=frame.height)


def _end(
    frame: Frame, level: float, lines: tuple[str, ...], color: str, *, bold: bool = False
) -> layout.EndLabel:  # fmt: skip
    """Label an end with its level, written as the numbers of the axis are."""
    text, *exponent = frame.level_texts(level, right=0.0, y=0.0)
    values, power = ((), level) if exponent else (tuple(text.lines), None)
    return layout.EndLabel(frame.pixel(level), values, lines, color, bold, power)


def _demanded_words(subject: str) -> str:
    if subject == "physical_compute":
        return "what its drivers would give before limits on compute"
    return "what growth alone would give"


def demand_figures(run: Run, options: FigureOptions) -> list[Figure]:
    """Draw the demanded and the limited level of each subject that has limits, one figure for each."""
    subjects = _chosen_subjects(run, options.quantities, kind="demand")
    if not options.bands:
        raise InputError("bands: one to three central bands are needed, such as 0.9; got none.")
    names = summarised_names(group(run, "summary"))  # not every component of a mixture has every level
    return [_figure(run, subject, options) for subject in subjects if {subject, f"{subject}_demanded"} <= {*names}]


def demand_tables(run: Run, subject: str, *, bands: Sequence[float], years: tuple[float, float] | None) -> DemandTables:
    """Tabulate the demanded and the limited level of a subject by year, and the medians of its limits."""
    summary = group(run, "summary")
    every = summary["year"].values[drawn_years(summary, years)]
    for band in bands:
        central_levels(summary["quantile"].values.tolist(), band)

    def part(table: Table, **named: str) -> Table:
        """Keep the years that are drawn, and say in columns of their own what they are of."""
        kept = table.where(np.isin(table["year"], every))
        said = {key: [value] * len(kept) for key, value in named.items()}
        return Table({**said, **{name: kept[name] for name in kept.names}})

    fans = {"demanded": fan_table(run, f"{subject}_demanded", bands), "limited": fan_table(run, subject, bands)}
    on = limits_on(run)[subject]
    named = zip(on.labels, on.names, strict=True)
    limits = {label: fan_table(run, _limit_name(summary, subject, limit), ())[0] for label, limit in named}
    levels = _joined(part(table, limit=limit) for limit, table in limits.items())
    return DemandTables(
        _joined(part(medians, series=series) for series, (medians, _) in fans.items()),
        _joined(part(ends, series=series) for series, (_, ends) in fans.items()),
        levels.where(np.isfinite(levels["median"])),  # a limit of few components of a mixture has no median
    )


def _joined(tables: Iterable[Table]) -> Table:
    return sum(tables, start=Table({}))


def _limit_name(summary: Dataset, subject: str, limit: str) -> str:
    """Find the variable of a limit's level: a constraint, or a cap of a driver."""
    part = limit.replace("-", "_")
    names = [name for name in (f"constraint_{part}", f"cap_{subject}_{part}") if name in summary]
    if subject != "physical_compute":
        names = [name for name in names if name.startswith("cap_")]
    if not names:
        raise InputError(f"the run's summary has no level of the limit '{limit}' on {subject}: run its scenario again.")
    return names[0]


def _figure(run: Run, subject: str, options: FigureOptions) -> Figure:
    tables = demand_tables(run, subject, bands=options.bands, years=options.years)
    attributes = group(run, "summary")[subject].attrs
    name, unit = str(attributes["long_name"]), level_unit(str(attributes["units"]))
    first, last = (float(end) for end in tables.medians["year"][[0, -1]])
    limited, demanded = (tables.medians.where(series=each)["median"][-1] for each in ("limited", "demanded"))
    within, wanted = amount_words(limited, unit), amount_words(demanded, unit)
    title = f"{capital(name)} in {number(last)}: {within} within its limits, {wanted} demanded"
    taken = demanded - limited
    widest = f"{100 * max(options.bands):g} %"
    ends = tables.bands.where(band=widest, year=last).rows()
    ranges = {
        row["series"]: amount_range(*(amount_words(row[end], unit) for end in ("lower", "upper"))) for row in ends
    }
    limits = limits_on(run)[subject]
    caption = (
        f"Limits ({listed(limits.labels)}) lower the median of {name} in {number(last)} by {taken:.1f} OOM: "
        f"{within} instead of {wanted}. {widest} of the samples lie in {ranges['limited']} "
        f"within the limits, and in {ranges['demanded']} as demanded, which is {_demanded_words(subject)}."
    )
    alt_text = (
        f"Two fans of {name} over each other. Along: years {number(first)} to {number(last)}. Up: {unit}, log scale. "
        f"In {number(last)} the median within limits is {within}, the median demanded {wanted}."
    )
    under = f"Demanded: {_demanded_words(subject)}. The title and the dotted limits are medians."
    chart = draw_demand(tables, name=name, unit=unit, head=run_head(run, title, under))
    named = {"": tables.medians, "bands": tables.bands, "limits": tables.limits}
    return Figure(f"demand_{subject}", chart, named, caption, alt_text)
