"""The page that documents hindcasts: the matrix, what it amounts to, how far verdicts can be trusted, attempts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import batched
from pathlib import Path as FilePath
from typing import Final

from simulator.hindcast.arms import DATED, LEARNED, STACK
from simulator.hindcast.baselines import BASELINES
from simulator.hindcast.matrix import REVISED, REVISION
from simulator.hindcast.matrix_result import Matrix
from simulator.hindcast.rows import MODEL, distinct
from simulator.hindcast.verdicts import EQUAL, LEAST_ORIGINS, TIE, TOO_FEW, UNEQUAL, simulated_verdicts
from simulator.runs.table import Row, Table
from simulator.wording import listed, markdown_table

GOAL: Final[float] = 0.9
"""Of the best simple rule's mean CRPS: what the forecast was to reach."""
WAYS: Final[Mapping[str, str]] = {
    "forecast": "a third each of the three parts below; fitted to the runs known at the origin, in closed form",
    "steady growth": "a path of typical runs whose growth stays; the record is the largest of the runs about it",
    "drifting growth": "the same, with growth that drifts and comes back to its mean",
    "drift from record": "the record as it is, going on with growth that drifts",
    "forecast, growth of 2012": "the forecast with a prior of growth that was known before the first origin",
    "stack": "the three parts, weighted by the scores that were known at the origin",
    MODEL: "the model of history, sampled: spending, efficiency, and runs about them",
    LEARNED: "what `simulate learned` would have printed: the model's growth, a third of its starts from the record, "
    "the others from the trend",
    "jump from last": "the slope of a line through past records, put on the last",
    "4x a year": "growth of 4 times a year from the last record",
    "random walk": "steps like the past yearly ones",
    "regression line": "a line through past records",
    "period priors": "growth as the newest publication said that was known at the origin, from the record on",
}
"""What each way to forecast does; scenarios are run as they stand from the record on."""

_RATIOS: Final[Mapping[str, str]] = {
    DATED: "With a prior of growth that was known before",
    LEARNED: "What `simulate learned` would have printed",
    MODEL: "The sampled model from which it learns",
}
"""Ways of which the ratio to the best rule stands in short."""

_HEAD = """\
The record of training compute (the largest known run, log10 FLOP) at the end of each year is forecast from the end of
past years, with the runs that had been published by then, and scored against what came. CRPS is in orders of magnitude
(OOM), smaller is better. Ratios are to the best simple rule. Forecasts of one year from several origins err together,
and the tables tell of one history: read verdicts, and the differences by origin, before you read digits."""


def matrix_page(matrix: Matrix, *, command: str, pictures: Sequence[tuple[str, str]] = ()) -> str:
    """Write the page of a matrix, with its pictures: (file, text) each."""
    blocks = ["# Hindcasts: how good such forecasts would have been", f"Written by `{command}`.", _HEAD]
    parts: Mapping[str, Callable[[Matrix], Iterator[str]]] = {
        "In short": _short, "The ways to forecast": _ways, "Every table": _every, "Over all tables": _over_all,
        "By years ahead": _ahead, "Verdicts": _verdicts, "A truth that was told later": _later,
        "How the forecast was chosen": _chosen, "Repeat it": _repeat,
    }  # fmt: skip
    for heading, write in parts.items():
        blocks += [f"## {heading}", *write(matrix)]
        blocks += [f"![{text}]({file})" for file, text in pictures if heading == "In short"]
    return "\n\n".join(blocks) + "\n"


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)


def _best(matrix: Matrix, origins: str) -> Row:
    rules = [row for row in matrix.summary.where(origins=origins).rows() if row["forecast"] in BASELINES]
    return min(rules, key=lambda row: float(row["crps"]))


def _short(matrix: Matrix) -> Iterator[str]:
    first, lines = matrix.arms[0], []
    for origins in matrix.sets:
        (mine,) = matrix.summary.where(origins=origins, forecast=first).rows()
        best = _best(matrix, origins)
        lines.append(
            f"Origins {origins}: the *{first}* has a mean CRPS of {mine['crps']:.3f}, the best rule, "
            f"*{best['forecast']}*, {best['crps']:.3f}: a ratio of **{mine['ratio']:.2f}** (goal {GOAL}: "
            f"{'reached' if mine['ratio'] <= GOAL else 'missed'}). Against the best rule of each table "
            f"{mine['ratio_mean']:.2f} on average ({'reached' if mine['ratio_mean'] <= GOAL else 'missed'}), at worst "
            f"{mine['ratio_worst']:.2f}."
        )
    for name, said in _RATIOS.items():
        if name in matrix.arms:
            told = listed(
                f"{row['ratio']:.2f} ({row['origins']})" for row in matrix.summary.where(forecast=name).rows()
            )
            lines.append(f"{said}, *{name}*: a ratio of {told}.")
    lines.append(_as_good(matrix))
    lines += [_behind(matrix, LEARNED, STACK)] if {LEARNED, STACK} <= set(matrix.arms) else []
    told = matrix.verdicts.where(forecast=first)["verdict"].tolist()
    lines.append(
        f"Of {len(told)} comparisons with simple rules {told.count('better')} are better, {told.count('worse')} worse, "
        f"{told.count('a tie')} ties; {told.count(TOO_FEW)} have {TOO_FEW}: ten years of one history can hardly rank "
        "two sensible forecasters."
    )
    yield _bullets(lines)
    yield "What speaks against these figures:"
    yield _tried()["What speaks against the figures"]


def _as_good(matrix: Matrix) -> str:
    """Say in one sentence where simple rules are as good."""
    first, found = matrix.arms[0], dict[tuple[str, str], list[str]]()
    for (table, origins), mine in matrix.means.groups("table", "origins"):
        rows = {row["forecast"]: float(row["crps"]) for row in mine.rows()}
        best = min(rows.keys() & BASELINES.keys(), key=lambda name: (rows[name], name))
        if rows[best] <= rows[first] + TIE:
            found.setdefault((origins, best), []).append(f"{table} ({rows[best]:.2f} against {rows[first]:.2f})")
    if not found:
        return f"**No simple rule is as good**, within {TIE} OOM, on any table."
    said = [f"of origins {origins} *{rule}* on {listed(tables)}" for (origins, rule), tables in found.items()]
    return f"**Simple rules are as good or better**, within {TIE} OOM: {'; '.join(said)}."


def _behind(matrix: Matrix, name: str, other: str) -> str:
    """Say in one sentence where one way is worse than another."""
    found, cells = dict[str, list[str]](), 0
    for (table, origins), mine in matrix.means.groups("table", "origins"):
        rows = {row["forecast"]: float(row["crps"]) for row in mine.rows()}
        cells += 1
        if rows[name] > rows[other] + TIE:
            found.setdefault(origins, []).append(f"{table} ({rows[name]:.2f} against {rows[other]:.2f})")
    if not found:
        return f"*{name}* is nowhere worse than the *{other}* by more than {TIE} OOM."
    told = "; ".join(f"of origins {origins} on {listed(tables)}" for origins, tables in found.items())
    count = sum(map(len, found.values()))
    return (
        f"***{name}* is worse than the simple *{other}***, by more than {TIE} OOM, in {count} of {cells} means: {told}."
    )


def _ways(matrix: Matrix) -> Iterator[str]:
    lines = []
    for name in matrix.arms:
        knew = f" **With hindsight**: {matrix.knew[name]}." if name in matrix.knew else ""
        lines.append(f"*{name}*: {WAYS.get(name, 'the scenario as it stands, from the record on')}.{knew}")
    yield _bullets(lines)
    if MODEL not in matrix.arms:
        yield f"The *{MODEL}* of history and *{LEARNED}* are scored where `--sampler` asks for them; here it did not."
    lines = [f"Not made everywhere: *{name}*, {told}" for name, told in matrix.missing.items()]
    lines += [f"Fits in which something is wrong, scored all the same: *{name}*, {told}"
              for name, told in matrix.doubted.items()]  # fmt: skip
    if lines:
        yield _bullets(lines)


def _every(matrix: Matrix) -> Iterator[str]:
    yield "Mean CRPS. The smallest of a row is bold."
    for origins in matrix.sets:
        mine = matrix.means.where(origins=origins)
        names = [name for name in matrix.arms if name in mine["forecast"].tolist()]
        rows = []
        for (table,), part in mine.groups("table"):
            scored = {row["forecast"]: f"{row['crps']:.3f}" for row in part.rows()}
            least = min(scored.values(), key=float)
            cells = [scored.get(name, "") for name in names]
            rows.append([table, *(f"**{cell}**" if cell == least else cell for cell in cells)])
        yield f"Origins {origins}:"
        yield markdown_table(["table", *names], rows)


def _over_all(matrix: Matrix) -> Iterator[str]:
    yield (
        "Means over the tables, each alike. *Ratio*: of these means to that of the best rule; *by table*: mean and "
        "worst of the ratios to the best rule of each table. *Width* of the 90 % interval: how sharp it is, OOM."
    )
    for origins in matrix.sets:
        yield f"Origins {origins}:"
        heads = ["", "CRPS", "ratio", "by table", "pinball", "bias", "inside 50 / 80 / 90 %", "width"]
        rows = [
            [row["forecast"], f"{row['crps']:.3f}", f"{row['ratio']:.3f}",
             f"{row['ratio_mean']:.2f}, {row['ratio_worst']:.2f}", f"{row['pinball']:.3f}", *_calibration(row)]
            for row in matrix.summary.where(origins=origins).rows()
        ]  # fmt: skip
        yield markdown_table(heads, rows)


def _calibration(row: Row) -> list[str]:
    inside = " / ".join(f"{100 * row[f'coverage_{level}']:.0f}" for level in (50, 80, 90))
    return [f"{row['bias']:+.2f}", inside, f"{row['width_90']:.1f}"]


def _ahead(matrix: Matrix) -> Iterator[str]:
    yield (
        "All tables and origins. *PIT*: the share of forecasts whose probability of less than came lay in each fifth; "
        "of a calibrated forecast 20 each, of one that is too wide more in the middle."
    )
    heads = ["", "years ahead", "n", "CRPS", "pinball", "bias", "inside 50 / 80 / 90 %", "width", "PIT, % by fifths"]
    rows = [
        [row["forecast"], f"{row['first_ahead']} to {row['last_ahead']}", f"{row['forecasts']}", f"{row['crps']:.3f}",
         f"{row['pinball']:.3f}", *_calibration(row),
         " ".join(f"{100 * row[f'pit_{place}']:.0f}" for place in range(1, 6))]
        for name in matrix.arms
        for row in matrix.horizons.where(forecast=name).rows()
    ]  # fmt: skip
    yield markdown_table(heads, rows)


def _verdicts(matrix: Matrix) -> Iterator[str]:
    first, found = matrix.arms[0], matrix.verdicts.where(forecast=matrix.arms[0])
    yield (
        f"The *{first}* against each rule: the mean difference of CRPS, with a 90 % interval from the means of the "
        "earlier and the later half of the origins (t of one degree of freedom, Ibragimov and Müller 2010). *Better* "
        f"and *worse* leave 0 out and differ by {TIE} OOM or more; *a tie* lies within {TIE}; else there are too few "
        f"years. There is no interval of fewer than {LEAST_ORIGINS} origins. Tables:"
    )
    yield _counts(found, "baseline", "against")
    if len(others := matrix.verdicts.where(matrix.verdicts["forecast"] != first)):
        yield "The other ways, each against all of these rules: tables and rules are counted together."
        yield _counts(others, "forecast", "")
    yield "The mean CRPS by origin, over all tables: how much rests on which year."
    origins = sorted(set(matrix.by_origin["origin"].tolist()))
    counts = {name: matrix.by_origin.where(forecast=name)["forecasts"].tolist() for name in matrix.arms}
    names = tuple(name for name in matrix.arms if counts[name] == counts[first])
    yield markdown_table(
        ["from the end of", *names],
        ([f"{origin}", *(f"{_at(matrix, name, origin):.2f}" for name in names)] for origin in origins),
    )
    yield from _simulated()


def _counts(found: Table, by: str, head: str) -> str:
    """Tabulate how often which verdict was given, with the mean difference."""
    said, rows = ("better", "worse", "a tie", TOO_FEW), []
    for (name, origins), mine in found.groups(by, "origins"):
        told = mine["verdict"].tolist()
        mean = sum(mine["difference"].tolist()) / len(told)
        rows.append([name, origins, f"{mean:+.3f}", *(f"{told.count(each)}" for each in said)])
    return markdown_table([head, "origins", "mean difference", *said], rows)


def _at(matrix: Matrix, name: str, origin: int) -> float:
    (row,) = matrix.by_origin.where(forecast=name, origin=origin).rows()
    return float(row["crps"])


def _simulated() -> Iterator[str]:
    """Say how far verdicts can be trusted: in worlds where it is known who is better."""
    worlds = 20_000
    found = simulated_verdicts(worlds=worlds)
    yield (
        f"How far to trust them: in {worlds:,} simulated worlds of each kind two forecasters are equally good "
        f"({'; '.join(f'*{kind}*: {told}' for kind, told in EQUAL.items())}), or the first is better "
        f"({'; '.join(f'*{kind}*: {told}' for kind, told in UNEQUAL.items())}). The interval must hold the truth in 85 "
        "to 95 %, and *better* of equals must be said in at most 10 %."
    )
    rows = [
        [row["kind"], row["origins"], "" if row["holds"] is None else f"{100 * row['holds']:.0f} %",
         f"{100 * row['better']:.0f} %", f"{100 * row['worse']:.0f} %"]
        for row in found.rows()
    ]  # fmt: skip
    yield markdown_table(["world", "origins, to 2025", "interval holds the truth", "said better", "said worse"], rows)
    power = [row["better"] for row in found.rows() if row["holds"] is None]
    yield (
        f"**The power is small**: where the first is truly better, that is said in {100 * min(power):.0f} to "
        f'{100 * max(power):.0f} % of worlds. "{TOO_FEW.capitalize()}" is what an honest reader mostly gets.'
    )
    yield _tried()["Procedures of verdicts"]


def _later(matrix: Matrix) -> Iterator[str]:
    yield (
        "From the end of each earlier snapshot's last year, with its estimates, the record as the newest snapshot "
        f"tells it. Estimates are revised ({100 * REVISED:.0f} % of frontier values between December 2023 and May "
        f"2026, by a median of 0.31 OOM): *with revision* adds to each sample, with a probability of {REVISED}, an "
        f"error of N(0, {REVISION}). One year forecast a few times is no test."
    )
    if not len(matrix.vintages):
        yield "No table that was read has an earlier snapshot."
        return
    rows = []
    for (table, target), mine in matrix.vintages.groups("table", "target"):
        scored = {row["forecast"]: row for row in mine.rows()}
        cells = [f"{row['error']:+.2f}, {row['crps']:.2f}, {row['crps_revised']:.2f}" for row in scored.values()]
        one = next(iter(scored.values()))
        rows.append([table, f"{one['origin']} to {target}", f"{one['observed']:.2f}", *cells])
    heads = ["estimates", "years", "came", *distinct(matrix.vintages, "forecast")]
    yield "Error of the median, CRPS, and CRPS with revision:"
    yield markdown_table(heads, rows)


def _chosen(_: Matrix) -> Iterator[str]:
    yield _tried()["How the forecast was chosen"]


@cache
def _tried() -> Mapping[str, str]:
    """Read what is said of the attempts, with the figures that they had then, by its headings."""
    text = FilePath(__file__).with_name("tried.md").read_text(encoding="utf-8")
    return {head: part.strip() for head, part in batched(re.split(r"^# (.+)$", text, flags=re.MULTILINE)[1:], 2)}


def _repeat(_: Matrix) -> Iterator[str]:
    yield (
        "The command above reads the tables that are named in it; the public ones are exports of Epoch AI's database "
        "(CC BY 4.0, https://epoch.ai/data), of which only the shipped table is part of the project. With your own "
        "export of today, `simulate hindcast --matrix --table my-export.csv@2026-11` scores the same ways on it; the "
        "date is that of the export, and a table that ends earlier than it says is refused (end it with "
        "`@2026-11:2025`). What was scored is kept in `outputs/scores`, and read again until the program or the table "
        "changes: a run that was stopped goes on. `--sampler nutpie` adds the sampled model, 130 fits of some 3 "
        "processor seconds each; 10.9 processor minutes made the whole page. `--document` writes it."
    )
