"""The command that makes forecasts from past years and scores them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

import typer

from simulator.cli.options import OutputOption, file_option, need, warn
from simulator.errors import InputError

SNAPSHOT, EARLIER = "2026-05", "2025-06"


@dataclass(frozen=True)
class _Asked:
    """What the options say."""

    scenario: str | None
    against: tuple[str, ...]
    allow_hindsight: bool
    origins: tuple[int, ...]
    runs: FilePath | None
    accelerators: FilePath | None
    snapshot: str
    until: str
    left_out: tuple[str, ...]
    sampler: Literal["pymc", "nutpie"]
    seed: int
    output: FilePath

    @property
    def words(self) -> list[str]:
        """The command line that asks the same again, but for where it is written."""
        words = ["hindcast", *([self.scenario] if self.scenario else [])]
        words += [f"--against {name}" for name in self.against]
        words += ["--allow-hindsight"] if self.allow_hindsight else []
        words += [f"--origins {','.join(map(str, self.origins))}"]
        words += [f"--snapshot {self.snapshot}", f"--until {self.until}"]
        words += [f"--sampler {self.sampler}", f"--seed {self.seed}"]
        words += [f"--runs {self.runs}"] if self.runs is not None else []
        words += [f"--accelerators {self.accelerators}"] if self.accelerators is not None else []
        return words + [f"--without-domain '{domain}'" for domain in self.left_out]


def hindcast(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="[SCENARIO]", help="A scenario to forecast by as well.", show_default=False),
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="SCENARIO", help="A further scenario; may be repeated.")
    ] = None,
    allow_hindsight: Annotated[
        bool, typer.Option("--allow-hindsight", help="Admit priors that knew what came; every table says so.")
    ] = False,
    origins: Annotated[str, typer.Option(help="Years at whose ends forecasts are made.")] = "2018,2020,2022",
    runs: Annotated[
        FilePath | None, typer.Option(help="An export of training runs; the shipped table without it.")
    ] = None,
    accelerators: Annotated[
        FilePath | None, typer.Option(help="A table of accelerators with prices; the shipped one without it.")
    ] = None,
    snapshot: Annotated[str, typer.Option(help="The date of the estimates in it, e.g. 2026-05.")] = SNAPSHOT,
    until: Annotated[str, typer.Option(help="The last day whose record is forecast.")] = "2025",
    without_domain: Annotated[
        list[str] | None, typer.Option(help="Leave a domain out of the frontier, e.g. Games; may be repeated.")
    ] = None,
    sampler: Annotated[Literal["pymc", "nutpie"], typer.Option(help="What samples the posterior.")] = "pymc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the chains and forecasts.")] = 0,
    output: OutputOption = FilePath("outputs"),
    document: Annotated[
        FilePath | None, typer.Option(help="Write the tables as a page, e.g. docs/hindcast.md.", callback=file_option)
    ] = None,
    no_charts: Annotated[bool, typer.Option("--no-charts", help="Write tables and draw nothing.")] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Exit with 0 also where chains did not agree.")] = False,
) -> None:
    """Forecast the record of training compute from past years, and score model and baselines against what came.

    With a scenario, it is run as it stands from the record of each of those years, and so are the priors that were
    published by then. A prior of the scenario that knew what came is refused (its as_of). Where the scenario learns
    from history, the model has its table of runs and its priors on past growth.
    A fit that was made before is read from <output>/fits. Needs scoringrules: pip install
    'effective-compute-simulator[hindcast]'.
    """
    from dataclasses import replace

    if against and scenario is None:
        raise InputError("--against: names a scenario to compare with, and there is none to compare. Name it first.")
    asked = _Asked(
        scenario, tuple(against or ()), allow_hindsight, _years(origins), runs, accelerators, snapshot, until,
        tuple(without_domain or ()), sampler, seed, output,
    )  # fmt: skip
    need("scoringrules", extra="hindcast")
    wholes = [("", asked)]
    if document is not None and not without_domain:
        wholes.append((", without Games", replace(asked, left_out=("Games",))))
    scenarios = _scenarios(asked)
    results = []
    for added, each in wholes:
        result = _result(each, scenarios)
        _say(result)
        named = "shipped table" if runs is None else runs.name
        results.append((f"{named}, estimates of {snapshot}{added}", result))
    folder = _write(asked, results[0][1], charts=not no_charts)
    if document is not None:
        _write_page(asked, results, document, scenarios, drawn=None if no_charts else folder)
    if not trust and any(fit.faults for _, result in results for fit in result.diagnostics):
        raise typer.Exit(1)


def _say(result: Any) -> None:
    from simulator.hindcast.output import hindcast_lines

    for line in hindcast_lines(result):
        typer.echo(line)
    warn(result.warnings)


def _write(asked: _Asked, result: Any, *, charts: bool) -> FilePath:
    """Write the tables of a hindcast, and its charts, into a folder that is named by what was asked."""
    from simulator.files import short_hash
    from simulator.hindcast.output import hindcast_lines, open_hindcast, write_hindcast
    from simulator.runs.kinds import keep_lines

    key = short_hash(*asked.words)
    folder = asked.output / f"hindcast-{asked.snapshot}-{'-'.join(map(str, asked.origins))}-{key}"
    write_hindcast(result, folder)
    keep_lines(folder, "hindcast", hindcast_lines(result), warnings=result.warnings)
    if charts:
        from simulator.charts.kinds.hindcast import write_hindcast_figures

        write_hindcast_figures(open_hindcast(folder), folder)
    typer.echo(f"  {folder}")
    return folder


def _write_page(
    asked: _Asked,
    results: list[tuple[str, Any]],
    document: FilePath,
    scenarios: list[Any],
    *,
    drawn: FilePath | None,
) -> None:
    """Write the page, with pictures of the hindcast in a folder beside it where there is one.

    Of the shipped table also the earlier estimates, on which the model fails.
    """
    from dataclasses import replace

    from simulator.files import make_folder, write_text
    from simulator.hindcast.output import hindcast_page

    failure = None
    if asked.runs is None and asked.snapshot != EARLIER and not asked.left_out:
        earlier = _result(replace(asked, snapshot=EARLIER, until=min(asked.until, "2024")), scenarios)
        _say(earlier)
        failure = (f"Where it fails: shipped table, estimates of {EARLIER}", earlier)
    command = " ".join(["simulate", *asked.words, f"--document {document}"])
    make_folder(document.parent)
    pictures = []
    if drawn is not None:
        from simulator.charts.kinds.hindcast import write_pictures
        from simulator.hindcast.output import open_hindcast

        pictures = write_pictures(open_hindcast(drawn), document.parent)
    write_text(document, hindcast_page(results, command=command, failure=failure, pictures=pictures))
    typer.echo(f"  {document}")


def _scenarios(asked: _Asked) -> list[Any]:
    if asked.scenario is None:
        return []
    from simulator.scenario.load import load_scenario

    return [load_scenario(name) for name in (asked.scenario, *asked.against)]


def _result(asked: _Asked, scenarios: list[Any]) -> Any:
    from simulator.hindcast.hindcast import check_origins
    from simulator.hindcast.hindcast import hindcast as make_hindcast
    from simulator.hindcast.rivals import growth_knew, make_arms
    from simulator.hindcast.scenario_forecast import growth_priors
    from simulator.history.columns import last_day
    from simulator.history.fit import SamplerSettings

    settings = SamplerSettings(sampler=asked.sampler, seed=asked.seed)
    tables = _series(asked, scenarios)
    last = last_day(asked.until, entry="--until")
    games = None
    if not asked.left_out and any("Games" in run.domains for run in tables.runs.runs):
        games = tables.observations(without_domain="Games", until=last)
    seen = tables.observations(until=last)
    more: dict[str, Any] = {}
    check_origins(seen, asked.origins)
    if scenarios:
        size = settings.chains * settings.draws
        made = make_arms(
            scenarios, seen, origins=asked.origins, size=size, seed=asked.seed, allow_hindsight=asked.allow_hindsight
        )
        priors = growth_priors(scenarios[0])
        more = {"arms": made.arms, "notes": made.notes, "priors": priors}
        if priors is not None:
            more["with_hindsight"] = {origin for origin in asked.origins if growth_knew(scenarios[0], origin=origin)}
    cache = asked.output / "fits"
    return make_hindcast(
        seen, origins=asked.origins, without=games, left_out="Games", settings=settings, cache=cache, **more
    )


def _series(asked: _Asked, scenarios: list[Any]) -> Any:
    """Choose the tables: those that the options name, else those of the scenario, else what is shipped."""
    from dataclasses import replace

    from simulator.history.frontier import without
    from simulator.history.learning import Series, series
    from simulator.history.loading import (
        SHIPPED_TOP,
        load_accelerators,
        load_history,
        shipped_accelerators,
        shipped_runs,
    )

    chips = load_accelerators(asked.accelerators, snapshot=asked.snapshot) if asked.accelerators else None
    if asked.runs is not None:
        runs = load_history(asked.runs, snapshot=asked.snapshot)
        found = Series(runs, shipped_accelerators(), 10)
    elif asked.snapshot == SNAPSHOT and scenarios and scenarios[0].spec.history is not None:
        found = series(scenarios[0])
    else:
        found = Series(shipped_runs(asked.snapshot), shipped_accelerators(), SHIPPED_TOP)
    if chips is not None:
        found = replace(found, accelerators=chips)
    if asked.left_out:
        found = replace(found, runs=without(found.runs, domains=asked.left_out))
    return found


def _years(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise InputError(f"--origins: must be years such as 2018,2020,2022; got '{text}'.") from None
