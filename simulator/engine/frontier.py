"""The frontier of several actors, at each moment and in each sample the one that leads; and how far the others are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.plan import Plan, joint_variables
from simulator.model.model_counts import counts_of_actors
from simulator.model.projection import Paths
from simulator.model.race import LEADS, Race, leading, race
from simulator.schema.subjects import binding_names
from simulator.units import Array
from simulator.variables import is_count

type Rows = dict[str, NDArray[Any]]

CROSSED = ("crossing_year", "already_above")


def counts_of(plan: Plan, paths: Sequence[Paths]) -> list[dict[str, Array]]:
    """Count the models of each actor, (sample, year), from the paths of all; nothing where none are counted."""
    if not plan.actors or plan.spec.models is None:
        return [{} for _ in paths]
    models, levels = [part.spec.models for part in plan.parts], [each.levels["physical_compute"] for each in paths]
    return counts_of_actors(models, [each.block for each in paths], plan.years, log_physical=levels)


def stand_in(plan: Plan, number: int, name: str, rows: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Give a variable of a part of a run in the form that all parts share, (year, sample)."""
    like = next(iter(rows.values()))
    if name.startswith("binding_"):
        shared, part = plan.limits[name], plan.parts[number]
        own = binding_names(part.spec, of_actor=bool(plan.actors)).get(name, ())
        numbers = np.array([0, *(shared.index(limit) + 1 for limit in own)], dtype=np.int8)
        return numbers[rows[name]] if name in rows else np.zeros(like.shape, dtype=np.int8)
    if name in rows:
        return rows[name]
    if name.endswith("_demanded"):
        return rows[name.removesuffix("_demanded")]
    if is_count(name):
        return np.zeros(like.shape, dtype=np.float32)
    return np.full(like.shape, np.inf, dtype=np.float32)


def frontier(plan: Plan, apart: Sequence[Rows]) -> Rows:
    """Take each variable, (year, sample), from the actor that leads then; of several, from the one of most of the rest.

    Of those that have the same of the headline the first driver decides, then the next: no name and no order does.
    Models are those of all actors.
    """
    if not plan.actors:
        return dict(apart[0])
    names = joint_variables(plan.components)
    every = {name: [stand_in(plan, number, name, each) for number, each in enumerate(apart)] for name in names}
    levels = [name for name in (*plan.told, *names) if not is_count(name)]
    leads = _leader(every[plan.headline], [every[name] for name in levels])
    masks = [leads == number for number in range(len(apart))]
    made: dict[tuple[int, ...], NDArray[Any]] = {}
    result: Rows = {}
    for name, rows in every.items():
        if is_count(name):
            result[name] = np.sum(rows, axis=0)
            continue
        key = tuple(map(id, rows))  # what is demanded is what is had, where nothing limits it
        if key not in made:
            made[key] = rows[0] if rows[0].strides[0] == 0 and _are_one(rows) else _chosen(rows, masks)
        result[name] = made[key]
    return result


def _leader(levels: Sequence[NDArray[Any]], others: Sequence[Sequence[NDArray[Any]]]) -> NDArray[np.intp]:
    """Give the number of the actor that leads, (year, sample), by its level; where several do, by other variables."""
    each = np.stack(levels)
    at_top = each == each.max(axis=0)
    leads = at_top.argmax(axis=0)
    year, sample = np.nonzero(np.count_nonzero(at_top, axis=0) > 1)
    left = at_top[:, year, sample]
    for rows in others:
        if not year.size:
            break
        values = np.where(left, [row[year, sample] for row in rows], -np.inf)
        left &= values == values.max(axis=0)
        leads[year, sample] = left.argmax(axis=0)
        even = np.count_nonzero(left, axis=0) > 1
        year, sample, left = year[even], sample[even], left[:, even]
    return np.asarray(leads)


def _are_one(rows: Sequence[NDArray[Any]]) -> bool:
    """Tell whether lines that no year changes are the same for all actors."""
    return all(each.strides[0] == 0 and np.array_equal(each[0], rows[0][0]) for each in rows[1:])


def _chosen(rows: Sequence[NDArray[Any]], masks: Sequence[NDArray[np.bool_]]) -> NDArray[Any]:
    result = np.array(np.broadcast_to(rows[0], masks[0].shape))
    for row, mask in zip(rows[1:], masks[1:], strict=True):
        np.copyto(result, row, where=mask)
    return result


def deciding(plan: Plan, crossing: Array) -> NDArray[np.intp]:
    """Tell whose crossing counts, (threshold, sample), of those of all actors, (actor, threshold, sample)."""
    ranked = np.argsort(crossing, axis=0, kind="stable")
    for place, (number, is_place) in enumerate(plan.decides.values()):
        ranked[0, place] = ranked[number, place] if is_place else number
    return np.asarray(ranked[:1])


def decided_crossings(plan: Plan, apart: Sequence[Rows]) -> Rows:
    """Take the crossings, (threshold, sample), of the actor that decides: the first, or as a threshold says.

    Events come to all at once; eras are dated by the actor to which they come first.
    """
    if len(apart) == 1:
        return dict(apart[0])
    every = {name: np.stack([each[name] for each in apart]) for name in apart[0]}
    who = deciding(plan, every["crossing_year"] - 0.5 * every["already_above"])  # of those that start above, first
    result: Rows = {name: np.take_along_axis(every[name], who, axis=0)[0] for name in (*CROSSED, "threshold_level")}
    if "event_year" in every:
        result["event_year"] = every["event_year"].min(axis=0)
        first = every["event_year"] == result["event_year"]
        of_events = (name for name in every if name not in result)  # of several, the last end
        result |= {name: np.where(first, every[name], -np.inf).max(axis=0) for name in of_events}
    return result


def by_actor(plan: Plan, rows: Sequence[Rows], crossed: Sequence[Rows]) -> Rows:
    """Keep of each actor levels that a run tells, (actor, year, sample), and crossings, (actor, threshold, sample)."""
    levels = {name: [stand_in(plan, number, name, each) for number, each in enumerate(rows)] for name in plan.told}
    kept = {name: np.stack(each) for name, each in levels.items()}
    return kept | {name: np.stack([each[name] for each in crossed]) for name in CROSSED}


def race_of(
    plan: Plan, years: Array, rows: Sequence[Rows], names: Collection[str], crossing: Sequence[Array] = ()
) -> Race | None:
    """Set actors beside one another, of levels (year, sample) by name and crossings (threshold, sample), if any."""
    if not plan.actors:
        return None
    told = [name for name in plan.told if name in names or name == plan.headline]
    levels = {name: np.stack([stand_in(plan, at, name, each) for at, each in enumerate(rows)]) for name in told}
    met = np.stack(crossing) if crossing else np.empty((len(rows), 0, 0))
    crossed = dict(zip(plan.thresholds, np.moveaxis(met, 1, 0), strict=False))
    return Race(tuple(each.name for each in plan.actors), plan.headline, years, levels, crossed)


def count_race(plan: Plan, actors: Mapping[str, NDArray[Any]], *, part: int, most: int) -> tuple[Rows, Rows]:
    """Count who leads and who has crossed: sums over samples, and the shares that lead in single blocks of samples."""
    leads, crossing = leading(actors[plan.headline]), actors["crossing_year"]
    sums: Rows = {"leads": leads.sum(axis=-1)}
    for name, year in (("crossed", crossing), ("place_crossed", np.sort(crossing, axis=0))):
        sums[name] = np.stack([np.count_nonzero(year <= limit, axis=-1) for limit in plan.years], axis=-1)
    full = min(crossing.shape[-1] // part, most)
    blocks = leads[..., : full * part].reshape(*leads.shape[:-1], full, part).mean(axis=-1)
    return sums, {"leads_error": np.moveaxis(blocks, -1, 0)}


def race_rows(plan: Plan, actors: Mapping[str, NDArray[Any]]) -> Rows:
    """List what has quantiles over the samples, each (row, sample)."""
    found = race(plan.years, actors[plan.headline])
    rows = {name: actors[name] for name in plan.told} | found
    if plan.thresholds:
        rows |= {"crossing": actors["crossing_year"], "place": np.sort(actors["crossing_year"], axis=0)}
    return {name: values.reshape(-1, values.shape[-1]) for name, values in rows.items()}


def race_summary(
    plan: Plan, shares: Mapping[str, NDArray[Any]], errors: Mapping[str, Array], quantiles: Mapping[str, Array]
) -> Rows:
    """Put together what a run says of its actors, of the quantiles (level, row) of `race_rows`."""
    result: Rows = {}
    for name, values in quantiles.items():
        if name in ("crossing", "place"):
            result[f"{name}_quantile"] = np.moveaxis(_apart(values, len(plan.thresholds)), 0, -1)
        elif name in LEADS:
            result[name] = values
        else:
            result[name] = np.moveaxis(_apart(values, plan.years.size), 0, 1)
    kept = {name: share for name, share in shares.items() if plan.thresholds or name == "leads"}
    return result | kept | dict(errors)


def _apart(values: Array, last: int) -> Array:
    return values.reshape(len(values), -1, last)
