"""Levels and named quantities of a scenario over time, from one block of drawn parameters.

Everything is log10 of base units, as arrays (sample, year), or (1, year) where nothing in it is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, SimulatorError, dotted, near_name
from simulator.model import growth
from simulator.model.saturation import Capped, follow, law_of, under_limits
from simulator.schema.drivers import CustomDriver
from simulator.schema.prior_names import level_unit, parts_of, rate_path, regimes_of, shock_path, shock_years
from simulator.schema.spec import Factor, Level, Limit, Operation, Quantity, ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.subjects import Bound, bounds_of
from simulator.units import SECONDS_PER_YEAR, Array, parse_unit

FINE_STEPS = 16
"""Steps a year of the internal grid on which flows are accumulated and feedback is stepped."""

MOST_KNOWN = 1 << 20
"""Numbers of a named quantity's levels up to which they are held for further use: 8 MB."""

TELLING = 0.1
"""How far from the middle of all samples those that fail must lie, in ranks, for an input to be named."""


@dataclass(frozen=True, slots=True)
class Block:
    """What the levels of one block are computed from.

    `draws` maps the name of each prior to its internal numbers, (sample,) or (1,); `custom` a custom driver to its
    function: by its name where the scenario gives one, else by its dotted path. `places` holds what stands where in the
    scenario, for all of its blocks; `times` are those that its levels are asked for at again and again.
    """

    spec: ScenarioSpec
    draws: Mapping[str, Array]
    custom: Mapping[str, CustomDriver]
    times: Array
    places: dict[tuple[str, Path], Any] = field(default_factory=dict)
    whole: tuple[Block, NDArray[np.intp]] | None = None
    """The block that this one takes samples of, at times of their own, and which they are."""
    steps: dict[Path, tuple[Array, Array]] = field(default_factory=dict)
    """Times (time,) and levels (sample, time) of what is known on a grid of times alone."""
    _known: dict[tuple[str, bytes], Array] = field(default_factory=dict)
    _capped: dict[tuple[Path, bytes], Capped] = field(default_factory=dict)
    _lines: dict[Path, growth.Line | None] = field(default_factory=dict)

    def line(self, path: Path, make: Callable[[Block], growth.Line | None]) -> growth.Line | None:
        """The broken lines that the levels of all samples at a path are, made once; None where they are none."""
        whole = self.whole[0] if self.whole else self
        if path not in whole._lines:
            whole._lines[path] = make(whole)
        return whole._lines[path]

    def along(self, line: growth.Line, times: Array) -> Array:
        """Read broken lines of the block at times, (sample, time)."""
        return line.at(times, self.whole[1] if self.whole else None)

    def _at(self, times: Array) -> bytes:
        """Tell times apart, with no need to look at those that are asked for again and again."""
        return b"" if times is self.times else times.tobytes()

    def found[Given, Found](self, find: Callable[[Given, Path], Found], given: Given, path: Path) -> Found:
        """What a function finds in an entry at a path; looked for once."""
        key = (find.__name__, path)
        if key not in self.places:
            self.places[key] = find(given, path)
        found: Found = self.places[key]
        return found

    def draw(self, path: Path) -> Array:
        """The drawn numbers of the prior at a path, (sample,) or (1,)."""
        values = self.draws[dotted(path)]
        return values if self.whole is None or values.size == 1 else values.take(self.whole[1])

    def taken(self, samples: NDArray[np.intp], times: Array) -> Block:
        """Take samples of the block, once or several times each, to ask for their levels at times of their own."""
        return Block(self.spec, self.draws, self.custom, times, self.places, (self, samples))

    def stepped(self, path: Path, times: Array, levels: Array) -> Array:
        """Hold levels (sample, time) that are known at times (time,) alone, so that `between` finds them."""
        if path not in self.steps or self.steps[path][0].size < times.size:
            self.steps[path] = times, levels
        return levels

    def between(self, path: Path, times: Array) -> Array | None:
        """Read levels that are held; of samples that were taken, (sample, time), straight between the times held."""
        held = (self.whole[0] if self.whole else self).steps
        if path not in held:
            return None
        grid, levels = held[path]
        if self.whole is None:
            place = np.searchsorted(grid, times)
            is_known = place[-1] < grid.size and bool((grid[place] == times).all())  # times rise
            return levels[:, place] if is_known else None
        samples = self.whole[1]
        rows = samples[:, None] if levels.shape[0] > 1 else np.zeros((1, 1), dtype=np.intp)
        after = np.clip(np.searchsorted(grid, times), 1, grid.size - 1)
        share = (times - grid[after - 1]) / (grid[after] - grid[after - 1])
        low, high = levels[rows, after - 1], levels[rows, after]
        return np.asarray(low + share * (high - low))

    def named(self, name: str, years: Array) -> Array:
        """The levels of a named quantity; computed once for the same years, however many quantities are made of it."""
        key = (name, self._at(years))
        if key not in self._known:
            level = quantity_level(self.spec.quantities[name], ("quantities", name), self, years)
            if level.size > MOST_KNOWN:
                return level
            self._known[key] = level
        return self._known[key]

    def capped(self, path: Path, times: Array, compute: Callable[[], Capped]) -> Capped:
        """A level under its limits; computed once for the same times."""
        key = (path, self._at(times))
        if key not in self._capped:
            capped = compute()
            if capped.capped.size > MOST_KNOWN:
                return capped
            self._capped[key] = capped
        return self._capped[key]


def fine_grid(first: float, last: float, years: Array) -> Array:
    """Make the internal grid, (time,): sixteenths of a calendar year between two years, and the `years` between them.

    The grid does not depend on the step of the scenario, so neither do the results.

    >>> fine_grid(2025.5, 2025.75, np.array([2025.6])).tolist()
    [2025.5, 2025.5625, 2025.6, 2025.625, 2025.6875, 2025.75]
    """
    inner = np.arange(np.ceil(first * FINE_STEPS), np.floor(last * FINE_STEPS) + 1) / FINE_STEPS
    return np.unique(np.concatenate([[first], inner, years[(years >= first) & (years <= last)], [last]]))


def is_fine(times: Array) -> NDArray[np.bool_]:
    """Tell which times are steps of the internal grid: the first, and sixteenths of a year."""
    fine = np.asarray(times * FINE_STEPS == np.floor(times * FINE_STEPS), dtype=np.bool_)
    fine[0] = True
    return fine


def demanded_level(level: Level, path: Path, block: Block, years: Array) -> Array:
    """Compute the level that growth alone gives: start, regimes, drift; or the table; or the custom driver.

    The result is (sample, year) or (1, year), log10 of base units. SimulatorError: a table does not cover the years,
    or a custom driver returns something else than levels.
    """
    if isinstance(level, Factor) and level.custom is not None:
        return _custom_level(level, path, block, years)
    if level.table is not None:
        return _table_level(level, path, years)
    base = block.spec.years.first if level.at is None else level.at
    if (line := _grown(level, path, block)) is not None:
        result = block.along(line, years)
    else:
        result = _start(level, path, block)[:, None] + _regime_growth(level, path, block, years, base=base)
    for key, added_up in (("drift", growth.random_walk_growth), ("volatility", growth.random_step_growth)):
        if getattr(level, key) is not None and (dates := shock_years(level, block.spec.years)):
            shocks = np.stack([block.draw(shock_path((*path, key), date)) for date in dates], axis=-1)
            result = result + added_up(years, base=base, sd=block.draw((*path, key)), shocks=shocks, shock_years=dates)
    return result


def _start(level: Level, path: Path, block: Block) -> Array:
    return np.zeros(1) if level.start is None else block.draw((*path, "start"))


def _grown(level: Level, path: Path, block: Block) -> growth.Line | None:
    """Give start and regimes of a level as broken lines; None where a rate decays."""

    def make(whole: Block) -> growth.Line | None:
        first, start = whole.spec.years.first, _start(level, path, whole)
        if level.growth is None:
            return growth.Line(first, start)
        regimes = whole.found(regimes_of, level, path)
        if any(each.half_life is not None for _, each in regimes):
            return None
        dates = [whole.draw((*at, "from")) for at, _ in regimes[1:]]
        base = first if level.at is None else level.at
        return growth.Line.grown(start, since=first, base=base, dates=dates, rates=_rates(level, path, whole))

    return block.line(path, make)


def level_line(level: Level, path: Path, block: Block) -> growth.Line | None:
    """Give what is demanded of a level as broken lines; None where it is bent, or follows chance or a table."""
    bent = (level.table, level.drift, level.volatility, level.custom if isinstance(level, Factor) else None)
    return _grown(level, path, block) if all(each is None for each in bent) else None


def quantity_line(quantity: Quantity, path: Path, block: Block) -> growth.Line | None:
    """Give a quantity as broken lines, as products of such are; None where it is something else."""
    if isinstance(quantity, str):
        return quantity_line(block.spec.quantities[quantity], ("quantities", quantity), block)
    if isinstance(quantity, Level):
        return None if quantity.caps else level_line(quantity, path, block)
    return block.line(path, lambda whole: _line(quantity, path, whole))


def _line(quantity: Prior | Operation, path: Path, whole: Block) -> growth.Line | None:
    first = whole.spec.years.first
    if isinstance(quantity, Prior):
        return growth.Line(first, whole.draw(path))
    if quantity.accumulation is not None:
        return None
    parts = [quantity_line(part, at, whole) for at, part in whole.found(parts_of, quantity, path)]
    lines = [line for line in parts if line is not None]
    if len(lines) < len(parts):
        return None
    if all(line.slope is None for line in lines):
        return growth.Line(first, _combined(quantity, path, whole, [line.start[:, None] for line in lines])[:, 0])
    if quantity.product is not None:
        return reduce(growth.Line.plus, lines)
    return lines[0].plus(lines[1], -1.0) if quantity.ratio is not None else None


def _rates(level: Level, path: Path, block: Block) -> list[Array]:
    """List the rates of the regimes of a level; one without a rate has that of the regime before."""
    rates: list[Array] = []
    for at, each in block.found(regimes_of, level, path):  # the first has its own
        rate = rates[-1] if each.rate is None else block.draw(block.found(rate_path, level, at))
        rates.append(rate if each.times is None else rate * block.draw((*at, "times")))
    return rates


def _regime_growth(level: Level, path: Path, block: Block, years: Array, *, base: float) -> Array:
    """Compute the growth that the regimes of a level give."""
    regimes = block.found(regimes_of, level, path)
    return growth.regime_growth(
        years,
        base=base,
        starts=[-np.inf if each.from_ is None else block.draw((*at, "from")) for at, each in regimes],
        rates=_rates(level, path, block),
        half_lives=[None if each.half_life is None else block.draw((*at, "half_life")) for at, each in regimes],
        floors=[None if each.towards is None else block.draw((*at, "towards")) for at, each in regimes],
    )


def _table_level(level: Level, path: Path, years: Array) -> Array:
    known = sorted((float(year), value) for year, value in (level.table or {}).items())
    if years.min() < known[0][0] or years.max() > known[-1][0]:
        raise SimulatorError(
            f"{dotted(path)}.table: covers {known[0][0]:g} to {known[-1][0]:g}; it is needed from {years.min():g} "
            f"to {years.max():g}. Nothing is extrapolated: add the years that are missing."
        )
    scale = np.log10(parse_unit(level_unit(level, None)).scale)
    levels = np.log10([value for _, value in known]) + scale
    return np.atleast_2d(growth.table_growth(years, table_years=[year for year, _ in known], table_levels=levels))


class _Parameters(dict[str, Array]):
    """The drawn parameters of a custom driver; what it asks for and does not get is told by name."""

    def __init__(self, name: str, drawn: Mapping[str, Array]) -> None:
        super().__init__(drawn)
        self._name = name

    def __missing__(self, key: str) -> Array:
        given = ", ".join(self) or "none"
        raise SimulatorError(
            f"{self._name}.custom.parameters: its driver asks for '{key}'; got {given}. "
            f"{near_name(str(key), self) or 'Write it there as a prior.'}"
        )


def _custom_level(level: Factor, path: Path, block: Block, years: Array) -> Array:
    if (known := block.between(path, years)) is not None:
        return known
    name = dotted(path)
    key = (level.custom.driver if level.custom else None) or name
    if key not in block.custom:
        raise SimulatorError(
            f"{name}: is a custom driver; hand its function over: simulate(scenario, custom={{'{name}': function}})."
        )
    parameters = level.custom.parameters if level.custom else {}
    draws = _Parameters(name, {each: block.draw((*path, "custom", "parameters", each)) for each in parameters})
    result = np.atleast_2d(np.asarray(block.custom[key](draws, years), dtype=np.float64))
    sizes = {1, *(array.size for array in block.draws.values())}
    if result.ndim != 2 or result.shape[1] != years.size or result.shape[0] not in sizes:
        raise SimulatorError(f"{name}: must return (sample, year) = ({max(sizes)}, {years.size}); got {result.shape}.")
    broken = ~np.isfinite(result).all(axis=1)
    if broken.any():
        raise SimulatorError(
            f"{name}: returned NaN or infinity in {broken.mean():.1%} of the samples; a level is a finite log10."
        )
    return block.stepped(path, years, result)


def limit_level(limit: Limit, path: Path, block: Block, years: Array) -> Array:
    """Compute a limit over the years, (sample, year) or (1, year) in log10: an amount, or a share of a quantity."""
    if limit.share is not None:
        if (line := block.line(path, lambda whole: _share_line(limit, path, whole))) is not None:
            return block.along(line, years)
        return block.draw((*path, "share"))[:, None] + quantity_level(str(limit.of), path, block, years)
    if limit.limit is None:
        raise SimulatorError(f"{dotted(path)}: has no limit.")
    return quantity_level(limit.limit, (*path, "limit"), block, years)


def _share_line(limit: Limit, path: Path, whole: Block) -> growth.Line | None:
    of = quantity_line(str(limit.of), path, whole)
    return None if of is None else of.plus(growth.Line(of.since, whole.draw((*path, "share"))))


def capped_level(level: Level, path: Path, block: Block, years: Array) -> Capped:
    """Compute a level under its caps, (sample, year) or (1, year) in log10."""

    def demand(times: Array) -> Array:
        return demanded_level(level, path, block, times)

    base = block.spec.years.first if level.at is None else level.at
    bounds = block.found(bounds_of, level, path)
    return capped(bounds, demand, lambda: demand(np.array([base])), path=path, base=base, block=block, years=years)


type Demand = Callable[[Array], Array]
"""Gives what is demanded at times: levels (sample, time)."""


def capped(
    bounds: Sequence[Bound],
    demand: Demand,
    start: Callable[[], Array],
    *,
    path: Path,
    base: float,
    block: Block,
    years: Array,
) -> Capped:
    """Put a level at a path under its limits; `start` gives the level in the year `base`, in which laws begin."""

    def compute() -> Capped:
        demanded = demand(years)
        if not bounds:
            return Capped(demanded, demanded, {}, {}, {})
        limits = {
            bound.name: (bound.limit.kind, limit_level(bound.limit, bound.path, block, years)) for bound in bounds
        }
        begin = start() if any(law_of(kind).from_start for kind, _ in limits.values()) else demanded[:, :1]
        followed = {
            bound.name: _followed(bound, demand, start=begin, base=base, block=block, years=years)
            for bound in bounds
            if is_followed(bound, block.spec)
        }
        return under_limits(demanded, limits, start=begin, followed=followed)

    return block.capped(path, years, compute)


def is_followed(bound: Bound, spec: ScenarioSpec) -> bool:
    """Tell whether a level under a limit is followed from its start: where the law has steps and the limit moves."""
    if law_of(bound.limit.kind).step is None:
        return False
    return (bound.limit.share is not None and _moves(bound.limit.of, spec)) or _moves(bound.limit.limit, spec)


def _moves(quantity: Quantity | None, spec: ScenarioSpec) -> bool:
    """Tell whether a quantity changes over time."""
    if isinstance(quantity, str):
        return _moves(spec.quantities[quantity], spec)
    if isinstance(quantity, Level):
        caps = [cap.of or cap.limit for cap in quantity.caps.values()]
        changes = (quantity.growth, quantity.table, quantity.drift, quantity.volatility)
        return any(each is not None for each in changes) or any(_moves(each, spec) for each in caps)
    if isinstance(quantity, Operation):
        return quantity.accumulation is not None or any(_moves(part, spec) for _, part in parts_of(quantity, ()))
    return False


def _followed(bound: Bound, demand: Demand, *, start: Array, base: float, block: Block, years: Array) -> Array:
    """Follow a level under a limit that moves, from its start on the fine grid."""
    if (known := block.between(bound.path, years)) is not None:
        return known
    times = fine_grid(min(base, float(years[0])), max(base, float(years[-1])), np.append(years, base))
    limit, place = limit_level(bound.limit, bound.path, block, times), int(np.searchsorted(times, base))
    step, fine = cast("Callable[..., Array]", law_of(bound.limit.kind).step), is_fine(times)
    levels = follow(step, demand(times), limit, log_start=start, fine=fine, base=place)
    return block.stepped(bound.path, times, levels)[:, np.searchsorted(times, years)]


def quantity_level(quantity: Quantity, path: Path, block: Block, years: Array) -> Array:
    """Compute a quantity over the years, (sample, year) or (1, year), log10 of base units.

    SimulatorError: a difference is not above 0 in some samples; it says in how many, and what entered it.
    """
    if isinstance(quantity, str):
        return block.named(quantity, years)
    if (line := quantity_line(quantity, path, block)) is not None:
        return block.along(line, years)
    if isinstance(quantity, Level):
        return capped_level(quantity, path, block, years).capped
    return _operation_level(cast("Operation", quantity), path, block, years)


def _operation_level(operation: Operation, path: Path, block: Block, years: Array) -> Array:
    if operation.accumulation is not None:
        return _accumulated(operation, path, block, years)
    levels = [quantity_level(part, at, block, years) for at, part in block.found(parts_of, operation, path)]
    return _combined(operation, path, block, levels)


def _combined(operation: Operation, path: Path, block: Block, levels: list[Array]) -> Array:
    if operation.product is not None:
        return reduce(np.add, levels)
    if operation.sum is not None:
        return growth.log_sum(levels)
    if operation.ratio is not None:
        return levels[0] - levels[1]
    if operation.difference is not None:
        return _difference(operation, path, block, levels)
    return reduce(np.minimum if operation.minimum is not None else np.maximum, levels)


def _difference(operation: Operation, path: Path, block: Block, levels: list[Array]) -> Array:
    result = growth.log_difference(levels[0], levels[1])
    negative = np.isnan(result).any(axis=-1)
    if negative.any():
        names = [part if isinstance(part, str) else dotted(at) for at, part in parts_of(operation, path)]
        raise SimulatorError(
            f"{dotted(path)}: is not above 0 in {negative.mean():.1%} of the samples, "
            f"where {names[1]} reaches {names[0]}; it has no log there. "
            f"{_inputs_behind(negative, operation, path, block)}"
            "Bound it with a minimum or maximum, or narrow its priors."
        )
    return result


def _inputs_behind(failed: NDArray[np.bool_], operation: Operation, path: Path, block: Block) -> str:
    """Say which priors below an operation are low or high where it fails: at most three, the most telling first."""
    roots = {dotted(path), *(dotted(("quantities", name)) for name in _names_below(operation, block.spec))}
    telling: list[tuple[float, str]] = []
    for name, values in block.draws.items():
        if values.size == failed.size > 1 and any(
            name == root or name.startswith((f"{root}.", f"{root}[")) for root in roots
        ):
            place = float(np.argsort(np.argsort(values))[failed].mean()) / (values.size - 1) - 0.5
            telling.append((abs(place), f"{name} is {'high' if place > 0 else 'low'}"))
    words = [word for away, word in sorted(telling, reverse=True)[:3] if away > TELLING]
    return f"In them {', '.join(words)}. " if words else ""


def _names_below(quantity: Quantity | None, spec: ScenarioSpec) -> set[str]:
    """Name the quantities that one is made of, directly or through others."""
    if isinstance(quantity, str):
        return {quantity} | _names_below(spec.quantities[quantity], spec)
    if isinstance(quantity, Operation):
        return set().union(*(_names_below(part, spec) for _, part in parts_of(quantity, ())))
    if isinstance(quantity, Level):
        return set().union(*(_names_below(cap.of or cap.limit, spec) for cap in quantity.caps.values()))
    return set()


def _accumulated(operation: Operation, path: Path, block: Block, years: Array) -> Array:
    if (known := block.between(path, years)) is not None:
        return known
    base = block.spec.years.first if operation.at is None else operation.at
    if base > years[0]:
        raise SimulatorError(
            f"{dotted(path)}: accumulates from {base:g}, after the first year {years[0]:g}. Set at: earlier."
        )
    straight = _is_straight(operation.accumulation, block.spec)
    times = np.unique([base, *years]) if straight else fine_grid(base, float(years[-1]), years)
    flow = quantity_level(operation.accumulation, (*path, "accumulation"), block, times)  # type: ignore[arg-type]
    per_year = flow + np.log10(SECONDS_PER_YEAR)  # base units of a flow are per second
    on_grid = times == base if straight else is_fine(times)
    grid = np.flatnonzero(on_grid)
    on = growth.accumulate(times[grid], per_year[:, grid], log_start=block.draw((*path, "start")))
    stock = np.empty((on.shape[0], times.size))
    stock[:, grid] = on
    for time in np.flatnonzero(~on_grid):  # added up from the grid and not onto it: no year changes another
        before = grid[np.searchsorted(grid, time) - 1]
        step = [before, time]
        stock[:, time] = growth.accumulate(times[step], per_year[:, step], log_start=stock[:, before])[:, 1]
    return block.stepped(path, times, stock)[:, np.searchsorted(times, years)]


def _is_straight(quantity: Quantity | None, spec: ScenarioSpec) -> bool:
    """Tell whether a quantity's log is a straight line over time, so that no fine grid is needed to add it up."""
    if isinstance(quantity, str):
        return _is_straight(spec.quantities[quantity], spec)
    if isinstance(quantity, Level):
        one_rate = isinstance(quantity.growth, Prior | None) or len(quantity.growth) == 1
        steady = all(regime.half_life is None for _, regime in regimes_of(quantity, ()))
        bent = (quantity.table, quantity.drift, quantity.volatility)
        return one_rate and steady and all(each is None for each in bent) and not quantity.caps
    if isinstance(quantity, Operation):
        parts = quantity.product or quantity.ratio
        return parts is not None and all(_is_straight(part, spec) for part in parts)
    return quantity is not None
