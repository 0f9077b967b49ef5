"""The arms of a hindcast: forecasts of the record that are made from each origin, and what each knew of what came.

Simple rules, the priors of the period, and scenarios as they stand, beside the forecasts that the tool itself makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from functools import cache as memory
from functools import lru_cache, partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import special

from simulator.engine.workers import later
from simulator.errors import Fault, InputError, Path, PlacedFault, dotted
from simulator.hindcast.baselines import BASELINES, SMALLEST_RECORD, draw_baseline
from simulator.hindcast.rows import MODEL, Made, came_by_year
from simulator.hindcast.scenario_forecast import (
    first_period,
    forecast_learned,
    forecast_period,
    forecast_scenario,
    growth_priors,
    period_growth,
)
from simulator.hindcast.scores import crps
from simulator.history.beliefs import estimate_errors, path_prior, shipped_belief
from simulator.history.columns import last_day
from simulator.history.diagnostics import diagnose
from simulator.history.fit import SamplerSettings, begin_fits, fit_dates
from simulator.history.forecast import RecordForecast, forecast_record
from simulator.history.model import HistoryPriors
from simulator.history.observations import Array, Observations, known_at
from simulator.history.path import path_of, records_from_record, records_from_runs
from simulator.scenario.documents import Document
from simulator.scenario.layers import placed
from simulator.scenario.load import load_scenario
from simulator.scenario.resolving import Scenario
from simulator.schema.prior_names import slots
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior

if TYPE_CHECKING:
    import xarray as xr

SAMPLES: Final[int] = 4000
"""Samples of a forecast."""
GAMES: Final[str] = "Games"
"""The domain whose self-play was once counted as training: forecasts are made and rates measured without it too."""

_IN_PHYSICAL_COMPUTE: Final[tuple[str, ...]] = ("spending", "hardware", "compute")


def hindsight(scenario: Scenario, *, origin: int) -> tuple[PlacedFault, ...]:
    """Find the priors of a scenario that knew what came after a year, by their `as_of`.

    Only what physical compute follows from counts: not the starts of the drivers, which are set anew, nor thresholds,
    nor algorithms where nothing feeds back. A prior that states no `as_of` cannot be told.
    """
    faults = []
    for number, component in enumerate(scenario.components):
        above: Path = ("mixture", number, "scenario") if len(scenario.components) > 1 else ()
        for path, prior in _used(component.spec):
            if prior.as_of is not None and last_day(prior.as_of, entry="as_of").year > origin:
                rule = f"knew of {prior.as_of}, after the origin {origin}."
                faults.append(Fault((*above, *path, "as_of"), rule))
    return placed(faults, Document(scenario.data, scenario.places)).faults if faults else ()


_PAST_GROWTH: Final = re.compile(r"drivers\.(spending|hardware)(\.factors\.[^.]+)?\.growth(\[0\]\.rate)?\.")


def undated(scenario: Scenario) -> tuple[str, ...]:
    """List the priors that physical compute follows from and that do not say what they knew."""
    names = [
        dotted(path)
        for component in scenario.components
        for path, prior in _used(component.spec)
        if prior.as_of is None and not prior.mixture
    ]
    return tuple(dict.fromkeys(names))


def _used(spec: ScenarioSpec) -> Iterator[tuple[Path, Prior]]:
    counted = {*_IN_PHYSICAL_COMPUTE, *(["algorithms"] if spec.fed else [])}
    for slot in slots(spec):
        path, prior = slot.path, slot.prior if slot.prior.input is None else spec.inputs[slot.prior.input]
        is_start = path[0] == "drivers" and path[-1] == "start" and "caps" not in path
        is_shock = "shock" in path
        if path[0] in ("inputs", "thresholds", "capability") or is_start or is_shock:
            continue
        if path[0] == "drivers" and path[1] not in counted:
            continue
        yield path, prior
        for index, part in enumerate(prior.mixture or ()):
            yield (*path, "mixture", index), part


def knew_words(scenario: Scenario, origin: int, *, growth_alone: bool = False) -> str:
    """Say which priors of a scenario knew what came after a year, or do not say what they knew; or those on growth."""
    late = {fault.entry: fault.rule.partition(",")[0] for fault in hindsight(scenario, origin=origin)}
    late |= {f"{name}.": "states no as_of" for name in undated(scenario)}
    said = [
        f"{entry.removesuffix('as_of').removesuffix('.')} {rule}"
        for entry, rule in late.items()
        if _PAST_GROWTH.match(entry) or not growth_alone
    ]
    return "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else "")


def knows_nothing(_: int) -> str:
    """Say that nothing that came was known at an origin."""
    return ""


def doubts_nothing(_: Observations, __: int) -> tuple[str, ...]:
    """Say that nothing speaks against how a forecast was computed."""
    return ()


def begins_nothing(_: Observations, __: int) -> None:
    """Hand nothing over: the forecast takes no time."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A way to forecast the record from the end of an origin to the last known year, and its name in the tables.

    `hindsight` says in words what it knew of what came after an origin; nothing where it knew nothing. `doubts` says
    what is wrong with the fit that it comes from. `begin` hands over what takes time, before forecasts are asked for.
    """

    name: str
    forecast: Callable[[Observations, int], RecordForecast]
    hindsight: Callable[[int], str] = knows_nothing
    doubts: Callable[[Observations, int], Sequence[str]] = doubts_nothing
    begin: Callable[[Observations, int], object] = begins_nothing

    def made(self, observations: Observations, origin: int) -> Made:
        """Make its forecast at one origin."""
        return Made(self.name, self.forecast(observations, origin), hindsight=bool(self.hindsight(origin)))


def origins_of(seen: Observations, asked: Sequence[int] = ()) -> tuple[int, ...]:
    """Choose the origins with enough record for the simple rules, and a later year: of those asked for, or all."""
    able = range(int(seen.record_year[0]) + SMALLEST_RECORD - 1, seen.years[1])
    return tuple(each for each in able if each in asked or not asked)


PERIOD: Final[str] = "period priors"
RATE_KNEW: Final[str] = "its rate was measured on the years that it forecasts"


def rule_arms(*, size: int, seed: int) -> list[Arm]:
    """Give the simple rules."""
    knew: dict[str, Callable[[int], str]] = {"4x a year": lambda _: RATE_KNEW}
    return [
        Arm(name, partial(forecast_baseline, name, size=size, seed=seed), knew.get(name, knows_nothing))
        for name in BASELINES
    ]


def forecast_baseline(name: str, observations: Observations, origin: int, *, size: int, seed: int) -> RecordForecast:
    """Forecast the record by a baseline from the end of a year to the last known year."""
    known = observations.record_year <= origin
    targets = tuple(int(year) for year in observations.record_year[~known])
    years, record = observations.record_year[known], observations.record_log_compute[known]
    rng = np.random.default_rng([seed, origin, list(BASELINES).index(name)])
    samples = [draw_baseline(name, years=years, record=record, target=each, size=size, rng=rng) for each in targets]
    return RecordForecast(origin, targets, np.array(samples).reshape(len(targets), size))


FORECAST: Final[str] = "forecast"
DATED: Final[str] = "forecast, growth of 2012"
STACK: Final[str] = "stack"
PARTS: Final[tuple[str, ...]] = ("steady growth", "drifting growth", "drift from record")
"""What the forecast is a third of each: paths whose growth stays or drifts, with the largest of the runs about them;
and the record as it is, that goes on with a growth that drifts."""
_GROWTH: Final[tuple[str, ...]] = ("path-growth", "path-growth-drifting")
_DATED: Final[tuple[str, ...]] = ("path-growth-2012", "path-growth-2012")
SHARPNESS: Final[float] = 0.3
"""How strongly the stack goes by past scores. Of 0.2 to 3 the least bad: every stack was behind equal weights."""


def path_arms(*, size: int, seed: int, pool: Executor | None = None) -> list[Arm]:
    """Give the forecast in closed form, its parts, what it is with a growth that was known in 2012, and a stack."""

    @lru_cache(maxsize=_MOST_TABLES)
    def begun(growth: tuple[str, ...], seen: Observations, origin: int) -> Callable[[], tuple[RecordForecast, ...]]:
        return later(pool, path_parts, seen, origin, growth, size=size, seed=seed)

    def parts(seen: Observations, origin: int, growth: tuple[str, ...] = _GROWTH) -> tuple[RecordForecast, ...]:
        return begun(growth, seen, origin)()

    def begin_all(seen: Observations, origin: int) -> None:
        for each in (*(past for past in origins_of(seen) if past < origin), origin):
            begun(_GROWTH, seen, each)

    def stack(seen: Observations, origin: int) -> RecordForecast:
        past = [parts(seen, each) for each in origins_of(seen) if each < origin]
        return mixed(parts(seen, origin), past_weights(past, seen, origin))

    def part(place: int, seen: Observations, origin: int) -> RecordForecast:
        return parts(seen, origin)[place]

    knew, begin, dated = partial(library_knew, _GROWTH), partial(begun, _GROWTH), partial(library_knew, _DATED)
    return [
        Arm(FORECAST, lambda seen, origin: mixed(parts(seen, origin)), knew, begin=begin),
        *(
            Arm(name, partial(part, place), partial(library_knew, [_GROWTH[place > 0]]), begin=begin)
            for place, name in enumerate(PARTS)
        ),
        Arm(DATED, lambda seen, origin: mixed(parts(seen, origin, _DATED)), dated, begin=partial(begun, _DATED)),
        Arm(STACK, stack, knew, begin=begin_all),
    ]


def path_parts(
    seen: Observations, origin: int, growth: tuple[str, ...], *, size: int, seed: int
) -> tuple[RecordForecast, ...]:
    """Forecast the record from an origin in each of the closed forms, by these entries of the library on growth."""
    known, last, errors = known_at(seen, origin + 1.0), seen.years[1], estimate_errors(seen.run_confidence)
    errors = errors if errors.size else np.zeros(seen.run_year.size)
    priors = path_prior(growth[0]), path_prior(growth[1], drifts=True)
    steady, drifting = (path_of(seen, known, errors, prior=prior, until=last + 1.0) for prior in priors)
    error = float(estimate_errors(["confident"])[0]) if seen.run_confidence else 0.0
    years = tuple(range(origin + 1, last + 1))
    asked: dict[str, Any] = {"times": [year + 1.0 for year in years], "size": size}
    streams = [np.random.default_rng([seed, origin, 6, place]) for place in range(len(PARTS))]
    made = (
        records_from_runs(steady, known, error=error, rng=streams[0], **asked),
        records_from_runs(drifting, known, error=error, rng=streams[1], **asked),
        records_from_record(drifting, known, rng=streams[2], **asked),
    )
    return tuple(RecordForecast(origin, years, samples) for samples in made)


_MOST_TABLES: Final[int] = 64
"""Tables and origins of which forecasts are kept while arms are used: all origins of a few tables."""


def mixed(parts: Sequence[RecordForecast], weights: Array | None = None) -> RecordForecast:
    """Mix forecasts of as many samples each: of each so many as its weight says, alike without weights."""
    first, size = parts[0], parts[0].samples.shape[1]
    shares = np.cumsum(np.ones(len(parts)) if weights is None else weights)
    ends = np.rint(np.array([0.0, *(shares / shares[-1])]) * size).astype(int)
    taken = [part.samples[:, low:high] for part, low, high in zip(parts, ends, ends[1:], strict=False)]
    return RecordForecast(first.origin, first.years, np.concatenate(taken, axis=1))


def past_weights(past: Sequence[Sequence[RecordForecast]], seen: Observations, origin: int) -> Array:
    """Weigh parts by their scores as they were known at an origin: exp(-0.3 x sum of CRPS / mean CRPS of all).

    Forecasts of one year count together as one, since they err together. Alike where nothing has come yet.
    """
    came = came_by_year(seen)
    scores: dict[int, list[Array]] = {}
    for parts in past:
        for place, year in enumerate(parts[0].years):
            if year <= origin:
                found = [float(crps(part.samples[place], came[year])) for part in parts]
                scores.setdefault(year, []).append(np.array(found))
    if not scores:
        return np.ones(len(PARTS))
    total = np.sum([np.mean(each, axis=0) for each in scores.values()], axis=0)
    return np.asarray(special.softmax(-SHARPNESS * total * len(scores) / total.mean()))


def library_knew(entries: Iterable[str], origin: int) -> str:
    """Say which entries of the library `history` knew what came after a year."""
    dates = {entry: str(shipped_belief(entry).as_of) for entry in dict.fromkeys(entries)}
    late = [f"{entry} knew of {date}" for entry, date in dates.items() if last_day(date, entry="as_of").year > origin]
    return "; ".join(late)


type Begun = Callable[[Observations], Callable[[], Mapping[int, xr.DataTree]]]
"""What begins the fits to observations, and gives what waits for them."""


def sampled(
    origins: Sequence[int],
    *,
    settings: SamplerSettings,
    priors: HistoryPriors | None = None,
    cache: FilePath | None = None,
    pool: Executor | None = None,
) -> Begun:
    """Give fits of the model of history by a sampler; all origins of a table are fitted when the first is asked for.

    Without origins these are all that a table has enough for. A pool is handed each fit by itself.
    """

    @lru_cache(maxsize=2)  # a table is begun before another is scored
    def begun(seen: Observations) -> Callable[[], Mapping[int, xr.DataTree]]:
        chosen = origins_of(seen, origins)
        asked: dict[str, Any] = {"priors": priors, "settings": settings, "cache": cache}
        asked["dates"] = [origin + 1.0 for origin in chosen]
        wait = None if pool is None else begin_fits(seen, **asked, hand=lambda fit: later(pool, fit))
        return memory(lambda: dict(zip(chosen, wait() if wait else fit_dates(seen, **asked), strict=True)))

    return begun


def fitted_arms(
    begun: Begun, *, scenario: Scenario | None = None, seed: int, size: int, pool: Executor | None = None
) -> list[Arm]:
    """Give the forecast by the model of history, and what a scenario that learns would have printed at an origin.

    That is `learned`, or the scenario that is asked about, if it learns; its priors of growth are the model's.
    """
    learns = scenario is not None and scenario.spec.history is not None
    sold = scenario if scenario is not None and learns else load_scenario("learned")
    beliefs = partial(model_knew, None if scenario is None or growth_priors(scenario) is None else scenario)

    def of_each(forecast: Callable[..., RecordForecast]) -> Callable[[Observations, int], RecordForecast]:
        @lru_cache(maxsize=1)
        def made(seen: Observations) -> Mapping[int, Callable[[], RecordForecast]]:
            fits = {origin: bare_posterior(fit) for origin, fit in begun(seen)().items()}
            return {origin: later(pool, forecast, fit, last_year=seen.years[1]) for origin, fit in fits.items()}

        return lambda seen, origin: made(seen)[origin]()

    def doubts(seen: Observations, origin: int) -> tuple[str, ...]:
        return diagnose(begun(seen)()[origin]).faults

    def begin(seen: Observations, _: int) -> None:
        begun(seen)

    by_model = of_each(partial(forecast_record, seed=seed))
    as_sold = of_each(partial(forecast_learned, sold, size=size))
    return [
        Arm(MODEL, by_model, beliefs, doubts, begin),
        Arm(LEARNED, as_sold, partial(knew_words, sold), begin=begin),
    ]


def bare_posterior(fit: xr.DataTree) -> xr.DataTree:
    """Take what forecasts read of a fit, a third of it."""
    import xarray as xr

    root = xr.Dataset(attrs=fit.attrs)
    return xr.DataTree.from_dict({"/": root, "posterior": fit["posterior"].to_dataset()})


LEARNED: Final[str] = "learned"


def model_knew(scenario: Scenario | None, origin: int) -> str:
    """Say what the priors of the model of history knew of what came, those on growth as a scenario states them."""
    stated = {"spending_growth", "efficiency_growth"} if scenario is not None else set[str]()
    names = [field.name for field in fields(HistoryPriors) if field.name not in stated]
    library = library_knew([name.replace("_", "-") for name in names], origin)
    own = "" if scenario is None else knew_words(scenario, origin, growth_alone=True)
    return "; ".join(each for each in (own, library) if each)


def scenario_arms(scenarios: Sequence[Scenario], *, size: int, seed: int, pool: Executor | None = None) -> list[Arm]:
    """Give the priors of the period, and scenarios as they stand."""
    names = [f"scenario {scenario.spec.name}" for scenario in scenarios]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"hindcast: two of the scenarios are '{twice}'. Give one of them another name in its file.")

    def period(seen: Observations, origin: int) -> RecordForecast:
        return forecast_period(seen, origin=origin, last_year=seen.years[1], size=size, seed=seed)

    def as_it_stands(name: str, scenario: Scenario) -> Arm:
        @lru_cache(maxsize=_MOST_TABLES)
        def begun(seen: Observations, origin: int) -> Callable[[], RecordForecast]:
            asked: dict[str, Any] = {"origin": origin, "last_year": seen.years[1], "size": size}
            return later(pool, forecast_scenario, scenario, seen, **asked)

        knew = partial(knew_words, scenario)
        return Arm(name, lambda seen, origin: begun(seen, origin)(), hindsight=knew, begin=begun)

    return [Arm(PERIOD, period), *map(as_it_stands, names, scenarios)]


def check_hindsight(scenarios: Sequence[Scenario], *, origins: Sequence[int]) -> None:
    """Refuse scenarios whose priors knew what came after the first origin."""
    if late := [fault for scenario in scenarios for fault in hindsight(scenario, origin=min(origins))]:
        lines = "\n".join(f"{fault.place}: {fault.entry}: {fault.rule}" for fault in late)
        raise InputError(
            f"{lines}\n{len(late)} priors knew what came after an origin: scores of them would say nothing of "
            "forecasts. Take priors of the period ('simulate priors period'), or admit them with --allow-hindsight: "
            "every table then says so."
        )


def scenario_notes(scenarios: Sequence[Scenario], *, origins: Sequence[int]) -> list[str]:
    """Say which priors of the period are used, and of which priors it cannot be told what they knew."""
    used = [f"{origin}: {', '.join(period_growth(origin))}" for origin in origins if origin >= first_period()]
    return [
        f"{PERIOD} are, at origin {'; '.join(used)}"
        if len(used) == len(origins)
        else f"{PERIOD} are left out: the first were published in {first_period()}; name --origins from then on",
        *(
            f"scenario {scenario.spec.name}: {len(unsaid)} priors state no as_of, so that it cannot be told whether "
            f"they knew what came{', such as' if len(unsaid) > 3 else ':'} {', '.join(unsaid[:3])}"
            for scenario in scenarios
            if (unsaid := undated(scenario))
        ),
    ]
