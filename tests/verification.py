"""Verify the simulator from outside, figure by figure with its bar, and write docs/verification.md.

    python -m tests.verification [--short] [--document docs/verification.md]

What is compared with: closed forms, plain random samples, many seeds, the exact path, and the model written a second
time from the documents (tests/oracle). The whole takes some minutes; `--short` takes seconds and is what the tests run.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks import reweighting
from benchmarks.precision import changed, errors, reference
from simulator import load_scenario, parse_scenario, simulate, write_run
from simulator.analysis.reweighting import HEAVIEST
from simulator.engine.batches import compute_batch
from simulator.engine.collecting import LEVELS, Tallies, count_piece, sample_groups
from simulator.engine.plan import plan_of
from simulator.engine.simulation import KEPT
from simulator.errors import InputError
from simulator.model.crossings import crossing_by_year
from simulator.runs.estimates import sample_quantiles
from tests.oracle.comparison import compare
from tests.rank_correlations import rank_correlations
from tests.two_rates import RATES, law, never, two_rates

type Figures = Iterator[Figure]


@dataclass(frozen=True)
class Figure:
    """What was measured, the bar that it must not pass, and whether it holds."""

    what: str
    found: str
    bar: str
    holds: bool


@dataclass(frozen=True)
class Size:
    """How much is measured: seeds of a case, seeds of a coverage, pairs of names, samples of a reference."""

    seeds: int
    coverage: int
    pairs: int
    reference: int
    scenarios: tuple[str, ...]


WHOLE = Size(
    20,
    100,
    2000,
    2_000_000,
    ("baseline", "tight-caps", "discoveries", "essay-2023", "published/scaling-2030", "feedback", "events"),
)
SHORT = Size(3, 10, 200, 100_000, ("essay-2023",))


def at_most(what: str, found: float, bar: float, unit: str = "") -> Figure:
    """Hold a figure against a bar above it."""
    return Figure(what, f"{found:.3g}{unit}", f"at most {bar:.3g}{unit}", found <= bar)


def within(what: str, found: float, low: float, high: float) -> Figure:
    """Hold a figure against a bar on both sides."""
    return Figure(what, f"{found:.3f}", f"{low:g} to {high:g}", low <= found <= high)


def closed_forms(size: Size) -> Figures:
    """Lognormal growth: log10 of effective compute is normal, so quantiles and probabilities are known."""
    mean, sd = law(2035)
    shares, away, quantiles = [], [], []
    for seed in range(1, size.seeds + 1):
        run = simulate(parse_scenario(two_rates("pretraining", seed)))
        summary = run["summary"].to_dataset()
        shares.append(float(summary["never"][0]))
        last = summary.isel(year=-1)
        exact = stats.norm.ppf(last["quantile"], mean, sd)
        away.append(((last["effective_compute"] - exact) / last["effective_compute_error"]).values)
        quantiles.append(np.abs(last["effective_compute"].values - exact)[LEVELS.index(0.5)])
    exact = never()
    error = np.sqrt(exact * (1 - exact) / 10_000)
    plain = np.sqrt(np.pi / 2) * sd / 100
    yield at_most(f"median of effective compute, root mean square error over {size.seeds} seeds, against that of plain samples (OOM)",
                  _rms(quantiles), plain)  # fmt: skip
    yield at_most("25 quantiles of it, root mean square distance in standard errors", _rms(np.ravel(away)), 1.15)
    yield at_most(f"P(never), exactly {100 * exact:.2f} %: mean of the seeds, off by", 100 * abs(np.mean(shares) - exact),
                  300 * error / np.sqrt(size.seeds), " %")  # fmt: skip


def names(size: Size) -> Figures:
    """Draws of different priors are independent whatever the priors are called."""
    exact = never()
    for name in ("research", "pretraining"):
        away, ranks, ends = [], [], []
        for seed in range(1, size.seeds + 1):
            summary = simulate(parse_scenario(two_rates(name, seed)))["summary"]
            away.append((float(summary["never"][0]) - exact) / float(summary["crossed_error"][0, -1]))
            pair = [rate.format(name=name) for rate in RATES]
            drawn = simulate(parse_scenario(two_rates(name, seed, rank=0.5)))["parameters"]
            ranks.append(stats.spearmanr(drawn[pair[0]], drawn[pair[1]]).statistic)
            ends.append(10 ** np.quantile(drawn[pair[0]], [0.05, 0.95]) / [1.2, 4] - 1)
        yield at_most(f"the factor is called {name}: P(never) over seeds, furthest from exact in standard errors",
                      float(np.abs(away).max()), 3)  # fmt: skip
        yield at_most(f"{name}: a stated rank of 0.5, furthest off", float(np.abs(np.array(ranks) - 0.5).max()), 0.035)
        yield at_most(
            f"{name}: stated 5 and 95 % points of 1.2 and 4, furthest off", 100 * float(np.abs(ends).max()), 0.5, " %"
        )
    pairs = [(f"prior {number}", f"other {number}") for number in range(size.pairs)]
    for samples in (1024, 4096, 10_000):
        found = np.abs(rank_correlations(pairs, samples=samples)) * np.sqrt(samples - 1)
        bar = stats.norm.ppf(1 - 0.005 / 2 / size.pairs)  # passed once in 200 by independent draws
        yield at_most(f"largest rank correlation (absolute) of {size.pairs:,} pairs of names, {samples:,} samples, times sqrt(n - 1)",
                      float(found.max()), float(bar))  # fmt: skip


def precision(size: Size) -> Figures:
    """Latin hypercubes against plain random samples of the same number: error of quantiles of the baseline in 2035."""
    scenario = load_scenario("baseline")
    plan = plan_of(scenario.components, years=np.array([scenario.spec.years.first, 2035.0]))
    truth = reference(plan, samples=5 * size.reference)
    seeds = 3 * size.seeds
    noise = 1 / np.sqrt(seeds)  # of the ratio of two root mean squares
    for samples in (4096, 10_000):
        known = {"block": 500, "samples": samples, "seeds": seeds}
        plain, cubes = (errors(plan, truth, design=design, **known) for design in ("random", "latin-hypercube"))
        for level, worse, better in zip((5, 50, 95), plain, cubes, strict=True):
            what = f"{level} % quantile, {samples:,} samples: error {better:.3f} OOM, of plain samples {worse:.3f}; "
            yield at_most(f"{what}ratio, known to {100 * noise:.0f} %", better / worse, 1 + 2 * noise)


def coverage(size: Size) -> Figures:
    """How often the truth, from many samples, lies within plus and minus twice the standard error that a run prints."""
    hits: dict[str, list[np.ndarray]] = {}
    for name in ("baseline", "tight-caps") if size is WHOLE else ("tight-caps",):
        plan = plan_of(load_scenario(name).components)
        tallies, big = Tallies(), changed(plan, seed=10**7, samples=size.reference)
        for first in range(0, size.reference, 20_000):
            tallies.add(count_piece(big, [compute_batch(big, first, 20_000)]))
        truth = tallies.groups(big).summary
        plans = (changed(plan, seed=seed, samples=KEPT) for seed in range(size.coverage))
        runs = [sample_groups(one, [compute_batch(one, 0, KEPT)]).summary for one in plans]
        for label, found in _hits(runs, truth):
            hits.setdefault(label, []).append(found)
    low, high = (0.92, 0.98) if size is WHOLE else (0.7, 1.0)
    for label, each in hits.items():
        every = np.concatenate(each)
        yield within(f"{label}: {every.size:,} intervals", float(every.mean()), low, high)


def _hits(
    runs: Sequence[Mapping[str, np.ndarray]], truth: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    def those(key: str, chosen: np.ndarray | tuple[object, ...]) -> np.ndarray:
        values, errors = (np.array([run[name][chosen] for run in runs]) for name in (key, f"{key}_error"))
        told = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
        told &= told.mean(axis=0) > 0.5  # not what is censored in most runs
        with np.errstate(invalid="ignore"):
            return (np.abs(values - truth[key][chosen]) <= 2 * errors)[told]

    for level in (0.05, 0.5, 0.95):
        chosen = (LEVELS.index(level), slice(1, None))
        yield f"{100 * level:g} % quantile of effective compute", those("effective_compute", chosen)
    crossed = truth["crossed"]
    yield "probabilities from 1 to 99 % of having crossed", those("crossed", (crossed > 0.01) & (crossed < 0.99))
    for level in (0.05, 0.5, 0.95):
        chosen = (slice(None), LEVELS.index(level))
        yield f"{100 * level:g} % quantile of crossing years", those("crossing_quantile", chosen)


def reweighted(size: Size) -> Figures:
    """Reweighting to an interval so many times as wide: what is told covers the truth, or the change is refused."""
    runs = [reweighting.run_of(seed, samples=10_000) for seed in range(size.coverage // 2)]
    for width in reweighting.WIDTHS if size is WHOLE else (0.7, 2.0):
        hits = []
        for run in runs:
            with contextlib.suppress(InputError):
                told, _ = reweighting.reweighted(run, width)
                hits.append(np.abs(told[:, 0] - reweighting.truth(width)) <= 2 * told[:, 1])
        refused = f"{width:g} times as wide: {100 * (1 - len(hits) / len(runs)):.0f} % refused"
        heavy = 1 - 1 / width**2 > HEAVIEST  # k-hat, in closed form
        if hits:
            low = 0.88 if size is WHOLE else 0.5
            told = within(
                f"{refused}; of {4 * len(hits)} numbers that are told, covered", float(np.mean(hits)), low, 1.0
            )
            yield replace(told, holds=told.holds and not heavy)
        else:
            yield Figure(refused, "none is told", f"none from k-hat {HEAVIEST:g} on", holds=heavy)


def marginals(size: Size) -> Figures:
    """Stated 5, 50 and 95 % points of the priors of the baseline, and stated ranks, in a run of the default size."""
    scenario = load_scenario("baseline")
    drawn = simulate(scenario)["parameters"]
    joint = scenario.components[0].joint
    away = []
    for name in joint.uncertain:
        cdf = joint.priors[name].family.cdf
        for level in (0.05, 0.5, 0.95):
            at = joint.priors[name].family.ppf(np.array([level]))
            if abs(float(cdf(at)[0]) - level) < 1e-6:  # no atom there
                away.append(abs(float((drawn[name].values <= at).mean()) - level))
    yield at_most(
        f"{len(away)} points of {len(joint.uncertain)} priors: share of samples below, furthest off",
        100 * max(away),
        0.2,
        " %",
    )
    ranks = [
        abs(stats.spearmanr(drawn[one.between[0]], drawn[one.between[1]]).statistic - one.rank)
        for one in scenario.spec.correlations
    ]
    yield at_most(f"{len(ranks)} stated ranks: furthest off", max(ranks), 0.035)


def exact_paths(size: Size) -> Figures:
    """Crossing years at yearly steps against those of paths followed in steps of 1/512 of a year."""
    for name in ("baseline", "tight-caps", "feedback") if size is WHOLE else ("tight-caps",):
        scenario = load_scenario(name, overrides=["samples=500"])
        plan = plan_of(scenario.components)
        years = np.unique([*plan.years, *np.arange(plan.years[0], plan.years[-1], 1 / 512)])
        found = compute_batch(plan, 0, 500).crossings
        fine = plan_of(scenario.components, years=years)
        drawn = compute_batch(plan, 0, 500).parameters
        levels = fine.projections[0].project(fine.projections[0].block(drawn)).levels
        off, quantiles, missed, more = [], [], 0, 0
        for place, quantity in enumerate(plan.thresholds.values()):
            rows = np.ascontiguousarray(np.broadcast_to(levels[quantity].T, (years.size, 500)))
            exact, _ = crossing_by_year(years, rows, found["threshold_level"][place])
            own = found["crossing_year"][place]
            both = np.isfinite(exact) & np.isfinite(own)
            missed += int((np.isfinite(exact) & ~np.isfinite(own)).sum())
            more += int((np.isfinite(own) & ~np.isfinite(exact)).sum())
            off += list(np.abs(own[both] - exact[both]))
            read = [sample_quantiles(each[:, None], LEVELS)[:, 0] for each in (own, exact)]
            finite = np.isfinite(read[0]) & np.isfinite(read[1])
            quantiles.append(np.abs(read[0][finite] - read[1][finite]).max(initial=0.0))
        yield at_most(f"{name}: mean distance of {len(off):,} crossings (years)", float(np.mean(off)), 1e-4)
        yield at_most(f"{name}: furthest quantile (years)", float(max(quantiles)), 0.02)
        yield at_most(f"{name}: crossings that are missed", missed, 0)
        yield at_most(f"{name}: crossings that no path has", more, 0)
    run = simulate(load_scenario("essay-2023", overrides=["samples=1"]))
    year = float(run["crossings/crossing_year"].sel(threshold="hundred-billion-dollar-run")[0])
    level = float(run["trajectories/spending"].sel(year=2029)[0])
    exact = 2029 + (11 - level) / np.log10(1.73)
    yield at_most(f"essay-2023: a run of $100 billion, by its own arithmetic in {exact:.4f}, off by (years)",
                  abs(year - exact), 1e-4)  # fmt: skip


def second_model(size: Size) -> Figures:
    """Whole scenarios against the model written a second time in plain numpy, from the documents alone."""
    for name in size.scenarios:
        with tempfile.TemporaryDirectory() as folder:
            rows = compare(write_run(simulate(load_scenario(name, overrides=["samples=1000"])), Path(folder)))
        for what in dict.fromkeys(row.what for row in rows):
            worst = max((row for row in rows if row.what == what), key=lambda row: row.apart)
            unit = f" ({worst.unit})" if worst.unit != "1" else ""
            yield at_most(f"{name}: {what}{unit}", worst.apart, worst.bar)


SECTIONS: Mapping[str, Callable[[Size], Figures]] = {
    "Closed forms": closed_forms,
    "Names of priors": names,
    "Precision of the design": precision,
    "Standard errors": coverage,
    "Reweighting": reweighted,
    "Marginals and correlations": marginals,
    "Crossings on the path": exact_paths,
    "The model written a second time": second_model,
}


def _rms(values: Sequence[float] | np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def page(size: Size) -> tuple[str, list[Figure]]:
    """Measure everything: the page, and what does not hold."""
    lines = ["# Verification", "", "Written by `python -m tests.verification --document docs/verification.md`: what was measured, and the bar that",
             "each figure must not pass. Seeds are fixed, so the figures are the same on every machine but for rounding.", ""]  # fmt: skip
    failed = []
    for title, measure in SECTIONS.items():
        lines += [f"## {title}", "", str(measure.__doc__), "", "| measured | found | bar | |", "|---|---|---|---|"]
        for figure in measure(size):
            lines.append(
                f"| {figure.what} | {figure.found} | {figure.bar} | {'holds' if figure.holds else '**does not hold**'} |"
            )
            failed += [] if figure.holds else [figure]
        lines.append("")
    return "\n".join(lines), failed


def main() -> int:
    """Print or write the page; 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few seeds and one scenario")
    parser.add_argument("--document", type=Path, help="where the page is written; printed without it")
    options = parser.parse_args()
    text, failed = page(SHORT if options.short else WHOLE)
    if options.document:
        options.document.write_text(text)
    else:
        print(text)
    for figure in failed:
        print(f"does not hold: {figure.what}: {figure.found}, {figure.bar}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
