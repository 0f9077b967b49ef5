"""The command that answers for another prior from the samples of a run."""

from __future__ import annotations

import typer

from simulator.cli_options import BesideOption, RunArgument, SetOption, folder_for
from simulator.errors import InputError


def reweight(
    run: RunArgument,
    set_: SetOption = None,
    output: BesideOption = None,
) -> None:
    """Give the headline numbers of a run under other priors by weighing its samples; nothing is run again."""
    if not set_:
        raise InputError(
            "reweight: needs a prior to change, for example --set drivers.spending.growth[0].rate.median=2.6."
        )

    from simulator.files import make_folder, write_table
    from simulator.outputs import open_run
    from simulator.reweighting import reweight as weigh
    from simulator.rungroups import group
    from simulator.weighted import headline_lines, headline_table

    folder = folder_for(run, output)
    with open_run(run) as opened:
        weights = weigh(opened, dict(_parted(text) for text in set_))
        rows = headline_table(opened, weights.values)
        horizon = float(group(opened, "summary")["year"].values[-1])
        count = weights.values.size
    typer.echo(f"run {opened.attrs['run_id']}, before -> after: {', '.join(set_)}")
    for line in headline_lines(rows, horizon=horizon):
        typer.echo(line)
    typer.echo(
        f"  {count:,} samples are worth {weights.effective:,.0f} ({100 * weights.effective / count:.0f} %); "
        f"the largest weight is {100 * weights.largest:.2g} %"
    )
    make_folder(folder)
    write_table(folder / "reweighted.csv", rows)
    typer.echo(f"  {folder / 'reweighted.csv'}")


def _parted(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text}: must be path=value, for example drivers.spending.growth[0].rate.median=3.")
    return path.strip(), value
