"""The ledger of scored forecasts: one CSV file to which every scoring of a run adds its rows, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Final

from simulator.errors import InputError, shown
from simulator.files import check_file, locked, make_folder, read_csv, write_text
from simulator.runs.contents import LEDGER
from simulator.runs.entries import read_cell
from simulator.runs.table import Table
from simulator.wording import aligned

SCORING: Final[tuple[str, ...]] = (
    "scored_on", "run_id", "name", "scenario_hash", "simulator_version", "observations", "snapshot",
    "observations_sha256",
)  # fmt: skip
"""Which run was scored when (YYYY-MM-DD) and against what: a table, its date, and the hash of its file."""

SCORES: Final[tuple[str, ...]] = (
    "quantity", "target", "in_sample", "observed", "median", "low", "high", "crps", "interval_score", "pinball",
    "log_score", "pit", "inside_50", "inside_80", "inside_90", "error", "probability", "brier",
)  # fmt: skip
"""The score of one quantity or event at one date; what does not apply is missing.

`quantity` is physical_compute or spending (log10 of the base unit), or `crossing <threshold>`, an event, of which
`observed` is 1 or 0 and `probability` what was forecast. `target` is the end of a year (YYYY-MM-DD), `in_sample` says
whether a prior of the run knew what had come by then. `low` and `high` are the 5 and 95 % quantiles of the forecast,
`error` is its median less what came. For the scores see `simulator.hindcast.scores`.
"""

COLUMNS: Final[tuple[str, ...]] = (*SCORING, *SCORES)
KEYS: Final[tuple[str, ...]] = ("run_id", "snapshot", "observations_sha256", "quantity", "target")
"""What makes a row the same as another: the scores follow from it."""
_MEANS: Final[tuple[str, ...]] = ("crps", "interval_score", "error", "inside_90", "brier")


def score_table(scoring: Mapping[str, str], scores: Table) -> Table:
    """Write scores as the ledger has them: texts, empty where a field does not apply."""
    cells = ({key: _cell(value) for key, value in {**scoring, **row}.items()} for row in scores.rows())
    return Table.of_rows(cells, COLUMNS)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def append_ledger(path: FilePath, scores: Table) -> int:
    """Add rows to the ledger that it does not hold yet; the file is replaced whole, or not at all."""
    make_folder(path.parent)
    with locked(path):
        held = {_key(row) for row in read_ledger(path).rows()} if path.exists() else set()
        new = scores.where([_key(row) not in held for row in scores.rows()])
        if len(new):
            head, _, lines = new.select(*COLUMNS).to_csv().partition("\n")
            before = path.read_text(encoding="utf-8").removesuffix("\n") if held else head
            write_text(path, f"{before}\n{lines}", lasting=True)
    return len(new)


def added_line(path: FilePath, scores: Table) -> str:
    """Add rows to the ledger, and say how many there were not yet."""
    added = append_ledger(path, scores)
    held = f"; {len(scores) - added} were there already" if len(scores) > added else ""
    return f"  {path}: {added} rows added{held}"


def check_ledger(path: FilePath) -> None:
    """Refuse a file that is no ledger, or that cannot be written, before there is any work."""
    check_file(path, option="--ledger")
    if path.exists():
        read_ledger(path)


def read_ledger(path: FilePath) -> Table:
    """Read a ledger: texts."""
    try:
        (_, head), *lines = read_csv(path) or [(1, [])]
    except FileNotFoundError:
        raise InputError(f"{path}: no such ledger. 'simulate score RUN --ledger {path}' begins one.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a ledger ({type(error).__name__}). Name another file.") from None
    if tuple(head) != COLUMNS:
        missing = [column for column in COLUMNS if column not in head]
        foreign = [column for column in head if column not in COLUMNS]
        wrong = "; ".join(
            [f"it lacks {', '.join(missing)}"] * bool(missing) + [f"it has {', '.join(foreign)}"] * bool(foreign)
        )
        raise InputError(
            f"{path}:1: is no ledger of this simulator: {wrong or 'its columns are in another order'}. "
            "It is left as it was: name another file with --ledger."
        )
    for line, cells in lines:
        if len(cells) != len(COLUMNS):
            raise InputError(
                f"{path}:{line}: has {len(cells)} cells, must have {len(COLUMNS)}; "
                f"it begins with {shown(cells[:3])}. Mend or remove the line; the ledger is left as it was."
            )
        for entry, cell in zip(LEDGER, cells, strict=True):
            try:
                read_cell(entry, cell)
            except ValueError as error:
                rule = f"{entry.name}: {error}. Mend or remove the line; the ledger is left as it was."
                raise InputError(f"{path}:{line}: {rule}") from None
    return Table({column: [cells[place] for _, cells in lines] for place, column in enumerate(COLUMNS)})


def ledger_lines(path: FilePath) -> Iterator[str]:
    """Say the mean scores of a ledger by scenario: forecasts, then what was in sample.

    Of scorings of one run's quantity and target against several tables the last counts.
    """
    latest = {(row["run_id"], row["quantity"], row["target"]): row for row in read_ledger(path).rows()}
    scores = Table.of_rows(({**row, "what": _what(row)} for row in latest.values()), (*COLUMNS, "what"))
    runs = len(set(scores["run_id"].tolist()))
    yield f"{path}: {len(scores)} score{'s' * (len(scores) != 1)} of {runs} run{'s' * (runs != 1)}"
    rows = [["", "n", "CRPS", "WIS", "error", "inside 90 %", "Brier"]]
    for in_sample, said in (("false", ""), ("true", " (in sample)")):
        for (name, what), mine in scores.where(in_sample=in_sample).groups("name", "what"):
            rows.append([f"{name}: {what}{said}", str(len(mine)), *_mean_cells(mine)])
    yield from aligned(rows, keys=1, right=[False, *[True] * 6])


def _what(row: Mapping[str, str]) -> str:
    return "thresholds" if row["brier"] else row["quantity"].replace("_", " ")


def _mean_cells(rows: Table) -> Iterator[str]:
    def mean(column: str) -> float | None:
        values = [float({"true": "1", "false": "0"}.get(cell, cell)) for cell in rows[column].tolist() if cell]
        return sum(values) / len(values) if values else None

    for column, form in zip(_MEANS, (".3f", ".3f", "+.2f", ".0%", ".3f"), strict=True):
        value = mean(column)
        yield "-" if value is None else format(value, form).removesuffix("%")


def _key(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[key] for key in KEYS)
