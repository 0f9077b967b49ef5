"""The bar of the hindcast: scores of model and baselines on snapshots of history, with times.

    python benchmarks/hindcast_bar.py --data FOLDER [--sampler nutpie] [--all-origins] [--cache FOLDER]

FOLDER holds frontier_top10_latest.csv, frontier_top10_2025_06.csv, accelerators.csv and record_yearend.csv.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from datetime import date
from pathlib import Path

import numpy as np

from simulator.hindcast.arms import fitted_arms, path_arms, rule_arms, sampled
from simulator.hindcast.hindcast import SAMPLES, hindcast
from simulator.hindcast.rows import MODEL
from simulator.hindcast.verdicts import verdict
from simulator.history.fit import SamplerSettings
from simulator.history.observations import Observations
from simulator.runs.table import Row


def rows(file: Path) -> list[dict[str, str]]:
    """Read a CSV table."""
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def decimal_year(text: str) -> float:
    """Convert an ISO date."""
    day = date.fromisoformat(text)
    start, end = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return day.year + (day - start) / (end - start)


def read(folder: Path, *, snapshot: str, games: bool) -> Observations:
    """Read one snapshot, with games or ranked again without them."""
    rank = "rank_at_release" if games else "rank_at_release_nogames"
    runs = [row for row in rows(folder / f"frontier_top10_{snapshot}.csv") if 0 < float(row[rank] or 0) <= 10]
    chips = [row for row in rows(folder / "accelerators.csv") if row["launch_price_usd"]]
    record = rows(folder / "record_yearend.csv")
    column = f"record_log10_flop_{snapshot}" + ("" if games else "_nogames")
    costs = [float(row["cost_usd_2023_amortized"]) if row["cost_consistent"] == "True" else np.nan for row in runs]
    speeds = [float(row["training_flops_used"]) / float(row["launch_price_usd"]) for row in chips]
    return Observations(
        run_year=np.array([float(row["decimal_year"]) for row in runs]),
        run_log_compute=np.log10([float(row["training_flop"]) for row in runs]),
        cost_log_usd=np.log10(costs),
        accelerator_year=np.array([decimal_year(row["release_date"]) for row in chips]),
        accelerator_log_flops_per_usd=np.log10(speeds),
        record_year=np.array([float(row["year"]) for row in record]),
        record_log_compute=np.array([float(row[column]) for row in record]),
        snapshot=f"{snapshot}{'' if games else ' without games'}",
    )


def processor_seconds() -> float:
    """Read the processor time of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def line(row: Row) -> str:
    """Write mean scores in one line."""
    name = row["forecast"] if row["origin"] is None else f"  from {row['origin']}"
    return (
        f"  {name:<18}{row['forecasts']:>3}  {row['crps']:.3f}  {row['pinball']:.3f}  {row['interval_score']:.3f}  "
        f"{row['bias']:+.2f}  {row['coverage_50']:.2f} {row['coverage_80']:.2f} {row['coverage_90']:.2f}"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sampler", choices=["pymc", "nutpie"], default="pymc")
    parser.add_argument("--all-origins", action="store_true", help="2015 to 2024 instead of 2018, 2020 and 2022")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = SamplerSettings(sampler=options.sampler, seed=options.seed)
    origins = tuple(range(2015, 2025)) if options.all_origins else (2018, 2020, 2022)
    fits, drawn = sampled(origins, settings=settings, cache=options.cache), {"size": SAMPLES, "seed": options.seed}
    arms = [*fitted_arms(fits, **drawn), *path_arms(**drawn), *rule_arms(**drawn)]
    for snapshot in ("latest", "2025_06"):
        for games in (True, False):
            start, used = time.perf_counter(), processor_seconds()
            result = hindcast(
                read(options.data, snapshot=snapshot, games=games),
                arms=arms,
                origins=origins,
                fits=fits,
                without=read(options.data, snapshot=snapshot, games=False) if games else None,
                left_out="games",
            )
            wall, used = time.perf_counter() - start, processor_seconds() - used
            print(
                f"\n{result.snapshot}: {len(origins)} origins, {result.targets} target years; "
                f"{wall:.0f} s, {used:.0f} processor s"
            )
            print(f"  {'':<18}{'n':>3}  CRPS   pinball  WIS    bias   coverage 50/80/90")
            for row in result.scores.rows():
                if row["origin"] is None or row["forecast"] == MODEL:
                    print(line(row))
            for skill in result.skills.rows():
                print(
                    f"  against {skill['baseline']:<16} skill {skill['skill']:+.2f} ({skill['skill_05']:+.2f} to "
                    f"{skill['skill_95']:+.2f}): {verdict(skill)}"
                )
            print("".join(f"  warning: {line}\n" for line in result.warnings), end="", flush=True)


if __name__ == "__main__":
    main()
