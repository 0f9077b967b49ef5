"""The command that makes forecasts from past years and scores them."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

import typer

from simulator.cli_options import OutputOption, warn
from simulator.errors import InputError


def hindcast(
    origins: Annotated[str, typer.Option(help="Years at whose ends forecasts are made.")] = "2018,2020,2022",
    runs: Annotated[
        FilePath | None, typer.Option(help="An export of training runs; the shipped table without it.")
    ] = None,
    snapshot: Annotated[str, typer.Option(help="The date of the estimates in it, e.g. 2026-05.")] = "2026-05",
    until: Annotated[str, typer.Option(help="The last day whose record is forecast.")] = "2025",
    without_domain: Annotated[
        list[str] | None, typer.Option(help="Leave a domain out of the frontier, e.g. Games; may be repeated.")
    ] = None,
    sampler: Annotated[Literal["pymc", "nutpie"], typer.Option(help="What samples the posterior.")] = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains and forecasts.")] = 0,
    output: OutputOption = FilePath("outputs"),
    document: Annotated[
        FilePath | None, typer.Option(help="Write the tables as a page, e.g. docs/hindcast.md.")
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Exit with 0 also where chains did not agree.")] = False,
) -> None:
    """Forecast the record of training compute from past years, and score model and baselines against what came.

    A fit that was made before is read from <output>/fits. Needs scoringrules: pip install
    'effective-compute-simulator[hindcast]'.
    """
    import hashlib
    from dataclasses import asdict

    from simulator.files import make_folder, write_table, write_text
    from simulator.hindcast_text import hindcast_lines, hindcast_page
    from simulator.inference import SamplerSettings

    years = _years(origins)
    settings = SamplerSettings(sampler=sampler, seed=seed)
    wholes: list[tuple[str, tuple[str, ...]]] = [("", tuple(without_domain or ()))]
    if document is not None and not without_domain:
        wholes.append((", without Games", ("Games",)))
    results = []
    for added, left_out in wholes:
        result = _result(runs, snapshot, until, left_out=left_out, years=years, settings=settings, output=output)
        for line in hindcast_lines(result):
            typer.echo(line)
        warn(result.warnings)
        named = "shipped table" if runs is None else runs.name
        results.append((f"{named}, estimates of {snapshot}{added}", result))
    asked = [
        f"--origins {origins}",
        f"--snapshot {snapshot}",
        f"--until {until}",
        f"--sampler {sampler}",
        f"--seed {seed}",
    ]
    asked += [f"--runs {runs}"] if runs is not None else []
    asked += [f"--without-domain '{domain}'" for domain in without_domain or ()]
    key = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:8]
    folder = output / f"hindcast-{snapshot}-{'-'.join(map(str, years))}-{key}"
    make_folder(folder)
    for name in ("forecasts", "scores", "skills"):
        write_table(folder / f"{name}.csv", [asdict(row) for row in getattr(results[0][1], name)])
    typer.echo(f"  {folder}")
    if document is not None:
        write_text(
            document,
            hindcast_page(results, command=" ".join(["simulate hindcast", *asked, f"--document {document}"])),
        )
        typer.echo(f"  {document}")
    if not trust and any(fit.faults for _, result in results for fit in result.diagnostics):
        raise typer.Exit(1)


def _result(
    runs: FilePath | None,
    snapshot: str,
    until: str,
    *,
    left_out: tuple[str, ...],
    years: tuple[int, ...],
    settings: Any,
    output: FilePath,
) -> Any:
    from simulator.hindcast import hindcast as make_hindcast
    from simulator.history import load_history
    from simulator.history_columns import last_day
    from simulator.history_frontier import without
    from simulator.history_library import SHIPPED_TOP, shipped_accelerators, shipped_runs
    from simulator.history_observations import observations

    if runs is None and snapshot not in ("2026-05", "2025-06"):
        raise InputError(f"--snapshot: the shipped table has the estimates of 2026-05 and 2025-06; got {snapshot}.")
    history = shipped_runs(snapshot) if runs is None else load_history(runs, snapshot=snapshot)  # type: ignore[arg-type]
    if left_out:
        history = without(history, domains=left_out)
    last = last_day(until, entry="--until")
    top = SHIPPED_TOP if runs is None else 10
    games = None
    if not left_out and any("Games" in run.domains for run in history.runs):
        games = observations(without(history, domains=("Games",)), shipped_accelerators(), until=last, top=top).frontier
    return make_hindcast(
        observations(history, shipped_accelerators(), until=last, top=top).frontier,
        origins=years,
        without=games,
        left_out="Games",
        settings=settings,
        cache=output / "fits",
    )


def _years(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise InputError(f"--origins: must be years such as 2018,2020,2022; got '{text}'.") from None
