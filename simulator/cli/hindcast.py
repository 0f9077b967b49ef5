"""The commands that hold forecasts against what came: past years, a run, and published ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

import typer

import simulator
from simulator.addresses import as_path
from simulator.cli import options
from simulator.errors import InputError
from simulator.files import make_folder, write_text

if TYPE_CHECKING:
    from simulator.runs.result import Result


UNTIL = "2025"


def hindcast(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="A scenario to forecast by as well.", show_default=False)
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="SCENARIO", help="A further scenario; may be repeated.")
    ] = None,
    allow_hindsight: Annotated[
        bool, typer.Option("--allow-hindsight", help="Admit priors that knew what came; every table says so.")
    ] = False,
    origins: Annotated[
        str | None, typer.Option(help="Years at whose ends forecasts are made; all from 2014 on without it.")
    ] = None,
    runs: options.RunsOption = None,
    accelerators: Annotated[
        FilePath | None, typer.Option(help="A table of accelerators with prices; the shipped one without it.")
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(help="The date of the estimates in the table; 2026-05 of the shipped one.")
    ] = None,
    until: Annotated[str, typer.Option(help="The last day whose record is forecast.")] = UNTIL,
    without_domain: options.DomainOption = None,
    sampler: Annotated[
        Literal["pymc", "nutpie"] | None, typer.Option(help="Fit the model of history too, by this sampler.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains and forecasts.")] = 0,
    output: options.OutputOption = FilePath("outputs"),
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Score every way to forecast on every table, with and without games.")
    ] = False,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE@DATE", help="With --matrix: an export with the date of its estimates; repeatable."),
    ] = None,
    document: Annotated[
        FilePath | None,
        typer.Option(help="With --matrix: write the page, e.g. docs/hindcast.md.", callback=options.file_option),
    ] = None,
    register: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FILE",
            help="With --matrix: forecast years to come instead, by every way; written once, scored later.",
            callback=options.file_option,
        ),
    ] = None,
    no_charts: Annotated[bool, typer.Option("--no-charts", help="Write tables and draw nothing.")] = False,
    trust: options.TrustOption = False,
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """Score forecasts made from past years against what came.

    The record of training compute is forecast in closed form and by simple rules; with --sampler also by the model of
    history, and as 'learned' would have been run then. With a scenario, it is run as it stands from the record of each
    of those years, and so are the priors that were published by then. A prior of the scenario that knew what came is
    refused (its as_of). Where the scenario learns from history, its table of runs is forecast, and the model has its
    priors on past growth. A fit that was made before is read from <output>/fits.

    Example: simulate hindcast --origins 2022
    """
    years, without = None if origins is None else _years(origins), without_domain or ()
    one = _One(runs=runs, accelerators=accelerators, without_domain=without, snapshot=snapshot, until=until)
    if _is_matrix(matrix, one=one, many=(table, document, register)):
        asked = table or (), (scenario, *(against or ())), allow_hindsight, years or (), sampler, seed
        found = _matrix(*asked, output, (document, register), drawn=not no_charts, cluster=cluster, json=json)
    else:
        how: dict[str, Any] = {"against": against or (), "allow_hindsight": allow_hindsight, "origins": years}
        how |= {"sampler": sampler, "seed": seed, "cache": output / "fits", **one}
        found = options.done_by(cluster, simulator.make_hindcast, scenario, **how)
    options.finish(found, output, formats=() if no_charts or matrix else ("png", "svg"), json=json)
    options.fail_unless(trust or found.holds)


class _One(TypedDict):
    """What is asked of one table alone."""

    runs: FilePath | None
    accelerators: FilePath | None
    without_domain: Sequence[str]
    snapshot: str | None
    until: str


def _is_matrix(matrix: bool, *, one: _One, many: Sequence[object]) -> bool:
    """Tell whether a matrix is asked for, and refuse the options that are for the other."""
    of_one = ((f"--{key.replace('_', '-')}", value if value != UNTIL else None) for key, value in one.items())
    of_many = zip(("--table", "--document", "--register"), many, strict=True)
    for option, value in of_one if matrix else of_many:
        if value:
            rule = "is not for --matrix, which has every table: name yours with --table FILE@DATE."
            raise InputError(f"{option}: {rule if matrix else 'is for --matrix: add it.'}")
    return matrix


def _matrix(
    tables: Sequence[str],
    named: Sequence[str | None],
    allow_hindsight: bool,
    origins: tuple[int, ...],
    sampler: Literal["pymc", "nutpie"] | None,
    seed: int,
    output: FilePath,
    files: tuple[FilePath | None, FilePath | None],
    *,
    drawn: bool,
    cluster: str,
    json: bool,
) -> Result:
    """Score the matrix, told table by table, and write its page, the first file, with pictures of the shipped table.

    Where the second is asked for, every way's forecasts of years to come are registered in it instead.
    """
    from simulator.hindcast.matrix import OwnTable, Question, answer_matrix
    from simulator.hindcast.matrix_page import matrix_page

    asked = Question(
        tuple(map(OwnTable.read, tables)), tuple(filter(None, named)), allow_hindsight, origins, sampler, seed
    )
    document, register = files
    if register is not None:
        from simulator.hindcast.registered import register_forecasts

        made = options.done_by(cluster, register_forecasts, asked, register, cache=output / "fits")
        options.answer(json, "registered", str(made), dict, lambda: [f"  {made}"])
        raise typer.Exit
    places = {"folder": output / "scores", "cache": output / "fits"}
    found = options.done_by(cluster, answer_matrix, asked, **places, say=lambda line: options.note(line, json=json))
    if document is None:
        return found
    pictures: list[tuple[str, str]] = []
    if drawn:
        from simulator.charts.kinds.hindcast import write_pictures

        pictures = write_pictures(found.of(found.names[0]), document.parent)
    make_folder(document.parent)
    write_text(document, matrix_page(found, command=f"{asked.words} --document {document}", pictures=pictures))
    options.note(f"  {document}", json=json)
    return found


def _years(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--origins: must be years such as 2018,2020,2022; got '{text}'.") from None


LEDGER = FilePath("outputs/ledger.csv")


def _book(path: FilePath | None, ledger: FilePath | None) -> FilePath:
    """Choose the ledger: of a frozen forecast without one that of its series, beside it."""
    from simulator.runs.frozen import is_frozen

    return ledger or (path.with_name(LEDGER.name) if path and is_frozen(path) else LEDGER)


def score(
    path: Annotated[
        FilePath | None,
        typer.Argument(
            metavar="[RUN]", help=options.RUN_HELP, show_default=False, parser=as_path, callback=options.run_option
        ),
    ] = None,
    observed: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE", help="A table of training runs, as 'simulate history load' reads them."),
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(metavar="DATE", help="The date of the estimates in it; 2026-05 of the shipped table.")
    ] = None,
    after: Annotated[
        str | None, typer.Option(metavar="DATE", help="Count only what came after it; the run's first year without it.")
    ] = None,
    output: options.BesideOption = None,
    ledger: Annotated[
        FilePath | None,
        typer.Option(metavar="FILE", help=f"The CSV file to which scores are added.  [default: {LEDGER}]"),
    ] = None,
    json: options.JsonOption = False,
) -> None:
    """Score a run against training runs that came after it.

    A frozen forecast is scored like a run: name its file; so are registered ones ('hindcast --register'). The scores
    are added to a ledger, of a frozen forecast to that of its series, ledger.csv beside it. Without a run, print the
    mean scores of the ledger by scenario. Without --observed, the shipped table counts.

    Example: simulate score baseline-2025
    """
    from simulator.hindcast.ledger import added_line, check_ledger, ledger_lines, read_ledger

    book = _book(path, ledger)
    if path is None:
        _refuse_without_run(observed, snapshot, after, output)
        options.answer(json, "ledger", str(book), lambda: {"scores": read_ledger(book)}, lambda: ledger_lines(book))
        return
    folder = options.folder_for(path, output)
    check_ledger(book)
    found = _scored(path, observed, snapshot=snapshot, after=after)
    options.finish(found, folder, file="scores.csv", json=json)
    options.note(added_line(book, found.tables()["scores"]), json=json)


def _scored(path: FilePath, observed: FilePath | None, *, snapshot: str | None, after: str | None) -> Result:
    """Score a run, or every forecast of a file of registered ones."""
    from simulator.hindcast.registered import is_registered, score_registered

    score_it = score_registered if is_registered(path) else simulator.score_run
    return score_it(path, observed, snapshot=snapshot, after=after)


def _refuse_without_run(*given: object) -> None:
    if any(given):
        raise InputError("simulate score: names no run to score. Write: simulate score RUN --observed FILE.")


def published(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Shipped scenarios with published numbers, e.g. cotra-2020; all of them without a name.",
            show_default=False,
        ),
    ] = None,
    document: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FILE", help="Write the tables as a page, e.g. docs/published.md.", callback=options.file_option
        ),
    ] = None,
    output: Annotated[
        FilePath | None,
        typer.Option(
            metavar="FOLDER", help="Write every number to published.csv in this folder.", callback=options.folder_option
        ),
    ] = None,
    cluster: options.ClusterOption = "",
    json: options.JsonOption = False,
) -> None:
    """Hold published forecasts against what the tool gives.

    They are run from what their authors assumed, and compared with what they published. The exit code is 1 where a
    number is out of its tolerance. A scenario file of your own may have published numbers beside it, in targets/<its
    name>; name the file.

    Example: simulate published four-times-a-year
    """
    from simulator.hindcast.published_text import write_published_page

    found = options.done_by(cluster, simulator.reproduce_published, names or (), say=None if json else options.tell)
    if output is not None:
        found.write_into(output)
        options.note(f"  {output / 'published.csv'}", json=json)
    if document is not None:
        write_published_page(document, found, names or ())
        options.note(f"  {document}", json=json)
    options.answer(json, found.kind, found.folder_name, found.tables, holds=found.holds)
    options.fail_unless(found.holds)
