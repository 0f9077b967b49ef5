"""The command that says whether what was learnt from history is fragile."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Literal

import typer

from simulator.cli_options import OutputOption, warn


def fragility(
    runs: Annotated[
        FilePath | None, typer.Option(help="An export of training runs; the shipped table without it.")
    ] = None,
    snapshot: Annotated[str, typer.Option(help="The date of the estimates in it, e.g. 2026-05.")] = "2026-05",
    until: Annotated[str, typer.Option(help="The last day of what was known; whole years count.")] = "2025",
    without_domain: Annotated[
        list[str] | None, typer.Option(help="Leave a domain out of the frontier, e.g. Games; may be repeated.")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="One more group to try the rate without, e.g. 'AlphaGo*,AlphaZero'."),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit again without the group that moves the rate most.")
    ] = False,
    sampler: Annotated[Literal["pymc", "nutpie"], typer.Option(help="What samples the posterior.")] = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains.")] = 0,
    output: OutputOption = FilePath("outputs"),
    trust: Annotated[bool, typer.Option("--trust", help="Exit with 0 also where chains did not agree.")] = False,
) -> None:
    """Say what conflicts with the priors, which runs carry the rate, and what the posterior is sensitive to.

    A fit that was made before is read from <output>/fits.
    """
    import datetime as dt
    from dataclasses import asdict

    from simulator.files import make_folder, short_hash, write_table, write_text
    from simulator.fragility import examine_history
    from simulator.fragility_text import fragility_lines, fragility_page
    from simulator.history import load_history
    from simulator.history_columns import last_day
    from simulator.history_frontier import without
    from simulator.history_library import SHIPPED_TOP, shipped_accelerators, shipped_runs
    from simulator.inference import SamplerSettings

    history = shipped_runs(snapshot) if runs is None else load_history(runs, snapshot=snapshot)
    if without_domain:
        history = without(history, domains=without_domain)
    last = last_day(until, entry="--until")
    # A fit stands at the end of a year: what came in a year that had not ended does not count.
    end = last if (last.month, last.day) == (12, 31) else dt.date(last.year - 1, 12, 31)
    found = examine_history(
        history,
        shipped_accelerators(),
        until=end,
        top=SHIPPED_TOP if runs is None else 10,
        named=leave_out or (),
        refit=refit,
        settings=SamplerSettings(sampler=sampler, seed=seed),
        cache=output / "fits",
    )
    for line in fragility_lines(found):
        typer.echo(line)
    warn(found.warnings)
    asked = [f"--snapshot {snapshot}", f"--until {until}", f"--sampler {sampler}", f"--seed {seed}"]
    asked += [f"--runs {runs}"] if runs is not None else []
    asked += [f"--without-domain '{domain}'" for domain in without_domain or ()]
    asked += [f"--leave-out '{names}'" for names in leave_out or ()]
    asked += ["--refit"] if refit else []
    folder = output / f"fragility-{snapshot}-{found.origin}-{short_hash(*asked)}"
    make_folder(folder)
    for name in ("shifts", "rates", "sensitivities", "refits"):
        rows = [asdict(row) for row in getattr(found, name)]
        if rows:
            write_table(folder / f"{name}.csv", rows)
    write_text(
        folder / "fragility.txt", fragility_page(found, command=" ".join(["simulate history fragility", *asked]))
    )
    typer.echo(f"  {folder}")
    if not trust and any(fit.faults for fit in found.diagnostics):
        raise typer.Exit(1)
