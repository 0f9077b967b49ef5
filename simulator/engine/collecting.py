"""Collect batches into the groups of a run: every sample, or counts whose memory does not grow with the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.batches import OF_EVENTS, Arrays, Batch
from simulator.engine.frontier import count_race, race_rows, race_summary
from simulator.engine.noted import count_noted, noted_warnings
from simulator.engine.plan import Plan
from simulator.runs.estimates import Moments, plain_error, quantile_error, quantiles_of_each, sorted_quantiles
from simulator.runs.histograms import Histogram, among, merge_all, merged
from simulator.units import Array
from simulator.variables import is_count, is_plain

LEVELS: tuple[float, ...] = (
    0.01, 0.025, 0.05, 0.1, 0.15, 0.17, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
    0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.83, 0.85, 0.9, 0.95, 0.975, 0.99,
)  # fmt: skip
"""The quantile levels of a summary: the 23 of the forecast hubs, and 17 and 83 % for the likely range of the IPCC."""

HEADLINE = ("effective_compute", "physical_compute")
"""The variables whose quantiles carry a standard error; of a run without them, its headline."""

MOST_WHOLE = 250.0
"""Counts up to which bins of 0.2 % tell whole numbers apart."""

MOST_BLOCKS = 16
"""Blocks of a batch whose own estimates enter the standard errors; more would cost time and tell nothing new."""


@dataclass(slots=True)
class Counts:
    """Sums over samples that every run needs.

    `totals` by path: samples that have `crossed` (threshold, year) or are above `already` (threshold,), `sums/..` of
    each variable (year,), `binding/..` the samples in which each limit binds (limit, year), and of the
    whole `noted/..`, what a reader must be told, and `actors/..`, who leads and has crossed. `blocks` are the moments
    of estimates in single blocks: quantiles of the headline variables (level, year), shares that have crossed, that
    lead, and in which limits bind.
    """

    samples: int
    totals: Arrays
    blocks: dict[str, Moments]

    def add(self, other: Counts) -> None:
        """Take the counts of the samples that come next."""
        self.samples += other.samples
        self.totals = {path: values + other.totals[path] for path, values in self.totals.items()}
        for name, moments in other.blocks.items():
            self.blocks[name].merge(moments)


type Histograms = dict[str, Histogram]
"""Where the samples of one component lie, for its quantiles: of `variables/..`, of the year of `crossing` and of the
`level` that is crossed. Whole numbers, so that no order matters."""


def below[Held](held: Mapping[str, Held], root: str) -> dict[str, Held]:
    """Give what lies below a path, by the rest of its own."""
    start = f"{root}/"
    return {path.removeprefix(start): each for path, each in held.items() if path.startswith(start)}


def parts_of(plan: Plan, batch: Batch) -> list[Batch]:
    """Give a batch and, where there are several components, what is of each; that may be empty."""
    several = range(len(plan.components)) if len(plan.components) > 1 else ()
    apart = (batch.taken(np.flatnonzero(batch.component == number), first=batch.first) for number in several)
    return [batch, *apart]


def count(plan: Plan, batch: Batch) -> Counts:
    """Count a batch."""
    limits, trajectories, part = plan.limits, batch.trajectories, plan.spec.block
    full = min(batch.size // part, MOST_BLOCKS)

    def cut(values: NDArray[Any]) -> NDArray[Any]:
        return values[:, : full * part].reshape(values.shape[0], full, part)

    blocks: Arrays = {}  # of each estimate (block, ...)
    for name in {plan.headline: None, **dict.fromkeys(HEADLINE)}:
        if name in trajectories:
            ordered = cut(trajectories[name]).copy()
            ordered.sort(axis=-1)
            blocks[f"{name}_error"] = np.moveaxis(sorted_quantiles(ordered, LEVELS), -1, 0)
    edges = [*range(0, full * part + 1, part), batch.size]
    binding = {
        name: [_holding(trajectories[name] == number, edges) for number in range(1, len(named) + 1)]
        for name, named in limits.items()
    }
    for name, each in binding.items():
        blocks[f"{name}_share_error"] = np.moveaxis(np.stack(each)[..., :full] / part, -1, 0)
    year = batch.crossings["crossing_year"]
    blocks["crossed_error"] = np.moveaxis(_upto(cut(year), plan.years) / part, 1, 0)
    crossed = [[np.count_nonzero(row <= limit) for limit in plan.years] for row in year]
    sums = _once(_levels(plan, trajectories), lambda name: _by_year(trajectories[name], _sum))
    totals: Arrays = {
        "crossed": np.array(crossed, dtype=np.int64).reshape(len(year), plan.years.size),
        "already": np.array([np.count_nonzero(row) for row in batch.crossings["already_above"]], dtype=np.int64),
        **{f"sums/{name}": total for name, total in sums.items()},
        **{f"binding/{name}": np.stack(each).sum(axis=-1) for name, each in binding.items()},
    }
    if plan.events:
        dates = batch.crossings["event_year"]
        totals["event"] = np.count_nonzero(np.isfinite(dates), axis=-1)
        blocks["event_share_error"] = np.isfinite(cut(dates)).mean(axis=-1).T
    if batch.actors:
        counted, led = count_race(plan, batch.actors, part=part, most=MOST_BLOCKS)
        totals |= {f"actors/{name}": each for name, each in counted.items()}
        blocks |= {f"actors/{name}": each for name, each in led.items()}
    return Counts(batch.size, totals, {name: Moments.of(estimates) for name, estimates in blocks.items()})


def _holding(mask: NDArray[np.bool_], edges: Sequence[int]) -> NDArray[np.int64]:
    """Count where a mask (row, sample) holds between edges, (row, stretch): many times faster than along an axis."""
    found = [[np.count_nonzero(row[start:end]) for start, end in pairwise(edges)] for row in mask]
    return np.array(found, dtype=np.int64).reshape(len(mask), len(edges) - 1)


def _upto(times: Array, limits: Array) -> NDArray[np.int64]:
    """Count the times (..., sample) at or before each limit, (..., limit)."""
    found = [np.searchsorted(row, limits, side="right") for row in np.sort(times, axis=-1).reshape(-1, times.shape[-1])]
    return np.array(found, dtype=np.int64).reshape(*times.shape[:-1], limits.size)


def counts_of(plan: Plan, parts: Sequence[Batch]) -> list[Counts]:
    """Count the parts of a batch; what a reader must be told is of the whole alone."""
    counts = [count(plan, part) for part in parts]
    counts[0].totals |= {f"noted/{key}": counted for key, counted in count_noted(plan, parts[0]).items()}
    return counts


def histograms(plan: Plan, batch: Batch) -> Histograms:
    """Sort the samples of a batch into histograms; what the samples are is forgotten."""
    trajectories = batch.trajectories

    def counted(values: Array) -> Histogram:
        histogram = Histogram(values.shape[0])
        histogram.add(values)
        return histogram

    def of_variable(name: str, values: Array) -> Histogram:
        return counted(_compressed(values) if is_plain(name) else values)

    variables = _once(_levels(plan, trajectories), lambda name: of_variable(name, trajectories[name]))
    years = batch.crossings.get("event_year")
    return {
        **{f"variables/{name}": histogram for name, histogram in variables.items()},
        **({} if years is None else {"event": counted(years)}),
        **{f"actors/{name}": of_variable(name, rows) for name, rows in _of_actors(plan, batch).items()},
        **({"event_end": counted(batch.crossings["event_end"])} if "event_end" in batch.crossings else {}),
        "crossing": counted(batch.crossings["crossing_year"]),
        "level": counted(_levels_of_metric(plan, batch.crossings["threshold_level"], _compressed)),
    }


def _of_actors(plan: Plan, batch: Batch) -> Arrays:
    """List what of actors has quantiles, (row, sample); nothing where there are none."""
    return race_rows(plan, batch.actors) if batch.actors else {}


def _levels(plan: Plan, trajectories: Arrays) -> Arrays:
    """Take the variables that are levels, and no numbers of limits."""
    return {name: values for name, values in trajectories.items() if name not in plan.limits}


def _once[Held, Result](arrays: Mapping[str, Held], function: Callable[[str], Result]) -> dict[str, Result]:
    """Do something for each array, by its name; for one array under two names, once."""
    names = {id(values): name for name, values in reversed([*arrays.items()])}
    done = {each: function(name) for each, name in names.items()}
    return {name: done[id(values)] for name, values in arrays.items()}


def _by_year(values: NDArray[Any], function: Callable[[NDArray[Any]], Array]) -> Array:
    """Compute (..., year) from a variable (year, sample); from one that no year changes, once."""
    found = function(values[:1] if values.strides[0] == 0 else values)
    return np.broadcast_to(found, (*found.shape[:-1], values.shape[0]))


def _sum(values: NDArray[Any]) -> Array:
    """Add up a variable over the samples, (year,)."""
    return np.asarray(np.sum(values, axis=-1, dtype=np.float64))


def _compressed(metric: Array) -> Array:
    """Put a metric on a scale on which bins are fine everywhere: to 2e-6 near 0, to 0.2 % far from it."""
    return np.asarray(np.arcsinh(1000.0 * metric) / np.log(10.0))


def _expanded(metric: Array) -> Array:
    """Undo `_compressed`."""
    with np.errstate(over="ignore"):
        return np.asarray(np.sinh(metric * np.log(10.0)) / 1000.0)


def _told(name: str, quantiles: Array) -> Array:
    """Tell quantiles of a histogram in the numbers of the variable; counts in whole ones, as far as bins go."""
    values = _expanded(quantiles) if is_plain(name) else quantiles
    return np.where(values < MOST_WHOLE, np.rint(values), values) if is_count(name) else values


def _levels_of_metric(plan: Plan, levels: Array, change: Callable[[Array], Array]) -> Array:
    """Change the rows of (threshold, ...) that are levels of the capability metric."""
    rows = [quantity == "capability" for quantity in plan.thresholds.values()]
    result = levels.copy()
    result[rows] = change(levels[rows])
    return result


type Read = Callable[[int, Array], Array]
"""Gives quantiles (level,) of the crossing year of a threshold, by its place, at levels (level,)."""


def counted_quantiles(plan: Plan, held: Histograms) -> tuple[Arrays, Read]:
    """Read the quantiles of every variable, (level, year), and of crossings and levels, (threshold, level)."""
    variables, actors = below(held, "variables"), below(held, "actors")
    found = _once(variables, lambda each: variables[each].quantiles(LEVELS))
    result = {name: _told(name, quantiles) for name, quantiles in found.items()}
    if plan.thresholds:
        result["crossing_quantile"] = held["crossing"].quantiles(LEVELS).T
        result["threshold_level_quantile"] = _levels_of_metric(plan, held["level"].quantiles(LEVELS).T, _expanded)
    if plan.events:
        result["event_quantile"] = held["event"].quantiles(LEVELS).T
        counts = held["event"].counts()
        result |= {
            name: np.stack([of.quantiles_of(place, among(LEVELS, *each)) for place, each in enumerate(counts)])
            for name, of in (("event_date", held["event"]), ("event_until", held.get("event_end")))
            if of is not None
        }
    result |= {f"actors/{name}": _told(name, rows.quantiles(LEVELS)) for name, rows in actors.items()}
    return result, held["crossing"].quantiles_of


def sampled_quantiles(plan: Plan, batch: Batch) -> tuple[Arrays, Read]:
    """Read the same off samples."""
    trajectories, crossings = batch.trajectories, batch.crossings
    levels = _levels(plan, trajectories)
    apart = {id(values): values[:1] if values.strides[0] == 0 else values for values in levels.values()}
    found = dict(zip(apart, quantiles_of_each(apart.values(), LEVELS), strict=True))
    rows = (len(LEVELS), len(plan.years))  # what no year changes is read once
    result: Arrays = {name: np.broadcast_to(found[id(values)], rows) for name, values in levels.items()}
    ordered = np.sort(crossings["crossing_year"], axis=-1)
    if plan.thresholds:
        result["crossing_quantile"] = sorted_quantiles(ordered, LEVELS).T
        result["threshold_level_quantile"] = _quantiles(crossings["threshold_level"]).T
    if plan.events:
        result["event_quantile"] = _quantiles(crossings["event_year"]).T
        come = np.count_nonzero(np.isfinite(crossings["event_year"]), axis=-1).tolist()
        result |= {
            name: np.stack(
                [
                    sorted_quantiles(row, among(LEVELS, few, row.size - few))
                    for row, few in zip(np.sort(crossings[of], axis=-1), come, strict=True)
                ]
            )
            for name, of in (("event_date", "event_year"), ("event_until", "event_end"))
            if of in crossings
        }
    result |= {f"actors/{name}": _quantiles(rows) for name, rows in _of_actors(plan, batch).items()}
    return result, lambda place, levels: sorted_quantiles(ordered[place], levels)


def _quantiles(values: NDArray[np.floating]) -> Array:
    return sorted_quantiles(np.sort(values, axis=-1), LEVELS)


def summary_of(plan: Plan, counts: Counts, quantiles: Mapping[str, NDArray[Any]], read: Read) -> Arrays:
    """Put together the summary of the samples that were counted and whose quantiles are known."""
    errors = {name: each.mean_error(counts.samples / plan.spec.block) for name, each in counts.blocks.items()}
    shares: Arrays = {path: total / counts.samples for path, total in counts.totals.items()}
    errors = {name: error for name, error in errors.items() if not name.startswith("actors/")}
    told = {"crossed_error": shares["crossed"]}
    told |= {f"{name}_share_error": share for name, share in below(shares, "binding").items()}
    told |= {"event_share_error": shares["event"]} if plan.events else {}
    for name, share in told.items():  # of fewer than two blocks, the error of independent samples
        errors[name] = np.where(np.isnan(errors[name]), plain_error(share, counts.samples), errors[name])
    error = errors.pop("crossed_error")
    means = below(shares, "sums")
    result: Arrays = {name: values for name, values in quantiles.items() if name in means or name.startswith("event_")}
    result |= {f"{name}_mean": mean for name, mean in means.items()}
    result |= {f"{name}_share": share for name, share in below(shares, "binding").items()}
    result |= errors
    result |= {"event_share": shares["event"]} if plan.events else {}
    if plan.thresholds:
        share = shares["crossed"]
        # Bins do not know the first year exactly; the order statistics of what is passed there do.
        started = (counts.samples - 1) * np.array(LEVELS) <= counts.totals["already"][:, np.newaxis] - 1
        result |= {
            "crossed": share,
            "crossed_error": error,
            "never": 1.0 - share[:, -1],
            "already": shares["already"],
            "crossing_quantile": np.where(started, plan.years[0], quantiles["crossing_quantile"]),
            "crossing_quantile_error": np.stack(
                [
                    quantile_error(LEVELS, plan.years, own, errors, samples=counts.samples, read=partial(read, place))
                    for place, (own, errors) in enumerate(zip(share, error, strict=True))
                ]
            ),
            "threshold_level_quantile": quantiles["threshold_level_quantile"],
        }
    return result


@dataclass(frozen=True, slots=True)
class Groups:
    """The arrays of a run by group; `parameters`, `trajectories`, `crossings` are empty where samples are not kept.

    `components` are the summaries of the single components where there are several; `component` (sample,) tells them
    apart where samples are kept. `actors_summary` says of actors what the summary says of the one that leads, and who
    that is; `actors` holds their samples. `warnings` say what the samples show that a reader must be told.
    """

    summary: Arrays
    components: dict[str, Arrays] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parameters: Arrays = field(default_factory=dict)
    trajectories: Arrays = field(default_factory=dict)
    crossings: Arrays = field(default_factory=dict)
    actors: Arrays = field(default_factory=dict)
    actors_summary: Arrays = field(default_factory=dict)


def groups_of[Held](
    plan: Plan, counts: Sequence[Counts], held: Sequence[Held], quantiles: Callable[[Plan, Held], tuple[Arrays, Read]]
) -> Groups:
    """Put together the summary of all samples and, where there are several, of each component that has some.

    `quantiles` are read off what is held of each of these.
    """
    names = ["", *(component.name for component in plan.components if len(held) > 1)]
    found = {
        name: (own, *quantiles(plan, each)) for name, own, each in zip(names, counts, held, strict=True) if own.samples
    }
    summaries = {name: summary_of(plan, *each) for name, each in found.items()}
    summary = summaries.pop("")
    said = noted_warnings(plan, below(counts[0].totals, "noted"), summary, samples=counts[0].samples)
    total = sum(component.weight for component in plan.components)
    said += [
        f"{each.name}: has none of the {counts[0].samples:,} samples; its weight is {each.weight / total:.2g} of all."
        for each in plan.components
        if each.name not in summaries and len(held) > 1
    ]
    return Groups(summary, summaries, tuple(said), actors_summary=_actors_summary(plan, counts[0], found[""][1]))


def _actors_summary(plan: Plan, counts: Counts, quantiles: Mapping[str, NDArray[Any]]) -> Arrays:
    """Put together what is said of actors; nothing where there are none."""
    if not plan.actors:
        return {}
    shares = {name: total / counts.samples for name, total in below(counts.totals, "actors").items()}
    blocks = below(counts.blocks, "actors")
    errors = {name: each.mean_error(counts.samples / plan.spec.block) for name, each in blocks.items()}
    error = errors["leads_error"]
    errors["leads_error"] = np.where(np.isnan(error), plain_error(shares["leads"], counts.samples), error)
    return race_summary(plan, shares, errors, below(quantiles, "actors"))


def sample_groups(plan: Plan, batches: Sequence[Batch]) -> Groups:
    """Give every sample of the batches of a run, (sample, year) and (threshold, sample), and the summary."""
    counts: list[Counts] = []
    for batch in batches:
        counts = _added(counts, counts_of(plan, parts_of(plan, batch)))
    component = np.concatenate([batch.component for batch in batches])
    trajectories = _together([batch.trajectories for batch in batches])
    crossings = _together([batch.crossings for batch in batches])
    actors = _together([batch.actors for batch in batches])
    whole = Batch(0, component.size, {}, trajectories, crossings, component, actors)
    groups = groups_of(plan, counts, parts_of(plan, whole), sampled_quantiles)
    drawn = {name: np.concatenate([batch.parameters[name] for batch in batches]) for name in plan.parameters}
    return with_samples(groups, plan, replace(whole, parameters=drawn))


def with_samples(groups: Groups, plan: Plan, batch: Batch) -> Groups:
    """Add the samples of a batch to the groups of a run, as they stand there."""
    component = {"component": batch.component} if len(plan.components) > 1 else {}
    return replace(
        groups,
        parameters=batch.parameters | component,
        trajectories={name: values.T for name, values in batch.trajectories.items()},
        crossings={name: each for name, each in batch.crossings.items() if plan.thresholds or name in OF_EVENTS},
        actors={name: each for name, each in batch.actors.items() if plan.thresholds or name in plan.told},
    )


def _together(batches: list[Arrays]) -> Arrays:
    """Put the arrays of batches one after the other, (..., sample); those of one batch are handed on as they are."""
    if len(batches) == 1:
        return dict(batches[0])
    return _once(batches[0], lambda name: np.concatenate([batch[name] for batch in batches], axis=-1))


def _added(held: list[Counts], new: Sequence[Counts]) -> list[Counts]:
    """Add the counts of the samples that come next to those that are held, if any are."""
    for own, theirs in zip(held, new, strict=bool(held)):
        own.add(theirs)
    return held or list(new)


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive batches, counted: of each the counts of all samples and of each component; histograms of all."""

    counts: list[list[Counts]]
    histograms: list[Histograms]


def count_piece(plan: Plan, batches: Iterable[Batch]) -> Piece:
    """Count batches one after the other; what their samples are is forgotten."""
    counts: list[list[Counts]] = []
    held: list[Histograms] = []
    for batch in batches:
        parts = parts_of(plan, batch)
        counts.append(counts_of(plan, parts))
        held = merge_all(held, [histograms(plan, part) for part in parts[1:] or parts])
    return Piece(counts, held)


@dataclass(slots=True)
class Tallies:
    """What has been counted so far: `counts` of all samples and, where there are several, of each component."""

    counts: list[Counts] = field(default_factory=list)
    histograms: list[Histograms] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """How many samples were counted."""
        return self.counts[0].samples if self.counts else 0

    def add(self, piece: Piece) -> None:
        """Take the samples that come next. Sums are added batch by batch, whatever pieces they come in."""
        for counted in piece.counts:
            self.counts = _added(self.counts, counted)
        self.histograms = merge_all(self.histograms, piece.histograms)

    def groups(self, plan: Plan) -> Groups:
        """Give the summary, and that of each component where there are several."""
        held = self.histograms
        if len(held) > 1:
            held = [{path: merged([each[path] for each in held]) for path in held[0]}, *held]
        return groups_of(plan, self.counts, held, counted_quantiles)
