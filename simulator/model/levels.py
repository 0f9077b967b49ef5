"""Levels that growth alone gives, from one block of drawn parameters; those of constant rates are broken lines.

Everything is log10 of base units, as arrays (sample, year), or (1, year) where nothing in it is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Path, SimulatorError, dotted, items, near_name
from simulator.model import growth
from simulator.model.allocation import allocated_shares
from simulator.model.chance import Jumps, drawn_jumps, jump_growth
from simulator.model.failing import checked
from simulator.model.fine_grid import Curve, read_between
from simulator.model.lines import Course, Line, Samples, chosen
from simulator.model.windows import bent_growth, bent_line, breaking_dates, pieces_of
from simulator.schema.drivers import CustomDriver
from simulator.schema.prior_names import level_unit, parts_of, rate_path, regimes_of, shock_path, shock_years
from simulator.schema.quantities import Factor, Level, MeanRate, Operation, Quantity, QuantityRate
from simulator.schema.spec import ScenarioSpec
from simulator.schema.statements import Prior
from simulator.schema.stocks import AllocatedShare, Stock
from simulator.schema.uses import Touches
from simulator.units import SECONDS_PER_YEAR, Array, parse_growth_unit, parse_unit
from simulator.wording import percent


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
    touched: Touches = field(default_factory=dict)
    """The effects of events, by the paths of what they are on."""
    whole: Block | None = None
    samples: Samples = None
    """The block that this one takes samples of, and which they are: some in a row, or any at times of their own."""
    steps: dict[Path, tuple[Array, Array]] = field(default_factory=dict)
    """Times (time,) and levels (sample, time) of what is known on a grid of times alone."""
    known: dict[tuple[Path, bytes], Any] = field(default_factory=dict)
    """What was computed at some times, for further use."""
    lines: dict[Path, Line | None] = field(default_factory=dict)
    """What is broken lines and what is not, as far as it was asked for."""
    courses: dict[Path, Course | None] = field(default_factory=dict)
    """The courses of levels of all samples, as far as they were asked for."""
    jumps: dict[Path, tuple[tuple[Array, Array], ...]] = field(default_factory=dict)
    """The jumps of levels, of all samples, as far as they were asked for."""
    met: Array | None = None
    """When thresholds are met before events, (threshold, sample), +inf where they are not; None where no era waits."""

    @property
    def size(self) -> int:
        """How many samples it has; 1 where nothing is drawn, so that one stands for all."""
        if isinstance(self.samples, np.ndarray):
            return self.samples.size
        every = range(max((values.size for values in self.draws.values()), default=1))
        return len(every if self.samples is None or len(every) == 1 else every[self.samples])

    @property
    def root(self) -> Block:
        """The block of all samples."""
        return self.whole.root if self.whole else self

    def line(self, path: Path, make: Callable[[Block], Line | None]) -> Line | None:
        """The broken lines that the levels of all samples at a path are, made once; None where they are none."""
        if path not in self.lines:
            self.lines[path] = make(self.root)
        return self.lines[path]

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
        return values if self.samples is None else chosen(values, self.samples)

    def of_all(self, path: Path) -> Array:
        """The drawn numbers of all samples: what is made of them is one for every piece of the block."""
        return self.root.draw(path)

    def taken(self, samples: NDArray[np.intp] | slice, times: Array) -> Block:
        """Take samples of the block: some in a row, or any, once or several times each, at times of their own."""
        if isinstance(samples, np.ndarray):
            samples = samples + self.begin
        return Block(
            self.spec, self.draws, self.custom, times, self.places, self.touched, self, samples,
            lines=self.lines, courses=self.courses, jumps=self.jumps,
        )  # fmt: skip

    def stepped(self, path: Path, times: Array, levels: Array) -> Array:
        """Hold levels (sample, time) that are known at times (time,) alone, so that `between` finds them."""
        if path in self.steps and not np.isin(times, self.steps[path][0]).all():
            known, held = self.steps[path]
            size = max(len(held), len(levels))
            both = np.hstack([np.broadcast_to(each, (size, each.shape[1])) for each in (held, levels)])
            every, places = np.unique(np.concatenate([known, times]), return_index=True)
            self.steps[path] = every, both[:, places]
        else:
            self.steps.setdefault(path, (times, levels))
        return levels

    def between(self, path: Path, times: Array, *, straight: bool = False) -> Array | None:
        """Read levels that are held; of samples that were taken, (sample, time), straight between the times held.

        `straight` reads so for all: from the first of the times held on, where they are all there is.
        """
        samples = self.samples
        held = self.whole.steps if self.whole and isinstance(samples, np.ndarray) else self.steps
        if path not in held:
            return None
        grid, levels = held[path]
        if not isinstance(samples, np.ndarray) and times.ndim == 1:
            place = np.searchsorted(grid, times)
            is_known = place[-1] < grid.size and bool((grid[place] == times).all())  # times rise
            if not is_known and straight and grid[0] <= times[0] and times[-1] <= grid[-1]:
                return read_between(grid, levels, times[None], np.arange(len(levels)))
            return levels[:, place] if is_known else None
        if not isinstance(samples, np.ndarray):
            return read_between(grid, levels, times, np.arange(len(levels)))
        return read_between(grid, levels, times, samples - (self.whole.begin if self.whole else 0))

    @property
    def begin(self) -> int:
        """The number of its first sample, where it is some in a row."""
        return int(self.samples.start) if isinstance(self.samples, slice) else 0


type LevelOf = Callable[[Quantity, Path, Block, Array], Array]
"""Gives a quantity at a path over times; what stands above this module says how."""


def demanded_level(level: Level, path: Path, block: Block, years: Array, level_of: LevelOf) -> Array:
    """Compute the level that growth alone gives: start, regimes, drift; or the table; or the custom driver.

    The result is (sample, year) or (1, year), log10 of base units. SimulatorError: a table does not cover the years,
    or a custom driver returns something else than levels.
    """
    if isinstance(level, Factor) and level.custom is not None:
        return _custom_level(level, path, block, years)
    if (line := level_line(level, path, block)) is not None:
        return line.at(years, block.samples)
    result = _by_itself(level, path, block, years, level_of)
    if pieces := pieces_of(path, block):
        base = block.spec.years.first if level.at is None else level.at
        own = partial(_by_itself, level, path, block, level_of=level_of)
        result = result + bent_growth(years, base=base, pieces=pieces, own=own)
    return result if level.jumps is None else result + jump_growth(years, jumps_of(level, path, block))


def _by_itself(level: Level, path: Path, block: Block, years: Array, level_of: LevelOf) -> Array:
    """Compute what start, regimes, drift and table give, without jumps and events."""
    if level.table is not None:
        return _table_level(level, path, years)
    base = block.spec.years.first if level.at is None else level.at
    if (line := _grown(level, path, block)) is not None:
        result = line.at(years, block.samples)
    else:
        result = _start(level, path, block)[:, None] + _regime_growth(
            level, path, block, years, base=base, level_of=level_of
        )
    for key, added_up in (("drift", growth.random_walk_growth), ("volatility", growth.random_step_growth)):
        if getattr(level, key) is not None and (dates := shock_years(level, block.spec.years)):
            shocks = np.stack([block.draw(shock_path((*path, key), date)) for date in dates], axis=-1)
            result = result + added_up(years, base=base, sd=block.draw((*path, key)), shocks=shocks, shock_years=dates)
    return result


def jumps_of(level: Level, path: Path, block: Block) -> Jumps:
    """Draw the jumps of a level, once for all samples; none where it makes none."""
    at: Path = (*path, "jumps")
    if level.jumps is None or not (dates := shock_years(level, block.spec.years)):
        return
    if at not in block.jumps:
        base, draw = block.spec.years.first if level.at is None else level.at, block.of_all
        rate, size = 10.0 ** draw((*at, "rate")) * SECONDS_PER_YEAR, draw((*at, "size"))
        spread = np.zeros(1) if level.jumps.spread is None else draw((*at, "spread"))
        shocks = np.stack([draw(shock_path(at, date)) for date in dates], axis=-1)
        drawn = drawn_jumps(base=base, rate=rate, size=size, spread=spread, uniforms=shocks, jump_years=dates)
        block.jumps[at] = tuple(drawn)
    for when, by in block.jumps[at]:
        yield chosen(when, block.samples), chosen(by, block.samples)


def _start(level: Level, path: Path, block: Block) -> Array:
    return np.zeros(1) if level.start is None else block.draw((*path, "start"))


def _grown(level: Level, path: Path, block: Block) -> Line | None:
    """Give start and regimes of a level as broken lines; None where a rate decays or follows what moves."""

    def make(whole: Block) -> Line | None:
        first, start = whole.spec.years.first, _start(level, path, whole)
        if level.growth is None:
            return Line(first, start)
        regimes = whole.found(regimes_of, level, path)
        if any(each.half_life is not None for _, each in regimes):
            return None
        rates = [rate for rate in rates_of(level, path, whole) if not isinstance(rate, _Followed)]
        if len(rates) < len(regimes):
            return None
        dates = [whole.draw((*at, "from")) for at, _ in regimes[1:]]
        base = first if level.at is None else level.at
        return Line.grown(start, since=first, base=base, dates=dates, rates=rates)

    return block.line((*path, "grown"), make)


def level_line(level: Level, path: Path, block: Block) -> Line | None:
    """Give what is demanded of a level as broken lines; None where it is bent, or follows chance or a table."""
    return None if block.touched.get(path) else own_line(level, path, block)


def own_line(level: Level, path: Path, block: Block) -> Line | None:
    """Give the same without the events that shift the level itself."""
    if isinstance(level, Stock) and level.adds_up:
        return None
    if level.level is not None:
        return quantity_line(level.level, (*path, "level"), block)

    def make(whole: Block) -> Line | None:
        line, base = _grown(level, path, whole), whole.spec.years.first if level.at is None else level.at
        return None if line is None else bent_line(line, base=base, pieces=pieces_of(path, whole))

    custom = level.custom if isinstance(level, Factor) else None
    bent = (level.table, level.drift, level.volatility, level.jumps, custom)
    if any(each is not None for each in bent):
        return None
    return block.line((*path, "bent"), make) if block.touched.get((*path, "growth")) else _grown(level, path, block)


def quantity_line(quantity: Quantity, path: Path, block: Block) -> Line | None:
    """Give a quantity as broken lines, as products of such are; None where it is something else."""
    if isinstance(quantity, str):
        named = block.spec.named.get(quantity)
        return None if named is None else quantity_line(named.quantity, named.path, block)
    return block.line(path, lambda whole: _line(quantity, path, whole))


def _line(quantity: Prior | Level | Operation, path: Path, whole: Block) -> Line | None:
    first = whole.spec.years.first
    if whole.touched.get(path):
        return None
    if isinstance(quantity, Level):
        return None if quantity.caps else level_line(quantity, path, whole)
    if isinstance(quantity, Prior):
        return Line(first, whole.draw(path))
    if isinstance(quantity, AllocatedShare):
        if not quantity.is_constant:
            return None
        shares = allocated_shares(quantity, path[:2], whole, np.array([first]), None)
        return Line(first, shares[quantity.place][:, 0])
    if any(each is not None for each in (quantity.accumulation, quantity.highest, quantity.lowest)):
        return None
    if quantity.power is not None or quantity.lag is not None:
        ((at, part),) = parts_of(quantity, path)
        line = quantity_line(part, at, whole)
        if line is None:
            return None
        raised = quantity.power is not None
        return line.raised(whole.draw((*path, "power", 1))) if raised else line.later(whole.draw((*path, "lag", "by")))
    named, combine = whole.found(way_of, quantity, path)
    parts = [quantity_line(part, at, whole) for at, part in named]
    lines = [line for line in parts if line is not None]
    if len(lines) < len(parts):
        return None
    if all(line.slope is None for line in lines):
        level = combine([line.start[:, None] for line in lines])
        return Line(first, checked(level, quantity, path, whole)[:, 0])
    if quantity.product is not None:
        return reduce(Line.plus, lines)
    return lines[0].plus(lines[1], -1.0) if quantity.ratio is not None else None


@dataclass(frozen=True, slots=True)
class _Followed:
    """A rate that follows a quantity which moves, times a number: broken lines, or whatever else is at a path."""

    rate: QuantityRate
    path: Path
    line: Line | None
    times: Array | None = None

    def at(self, levels: Array) -> Array:
        """Read the levels of the quantity as rates, OOM/year, without the number."""
        unit = parse_growth_unit(self.rate.unit)
        return unit.conversion.forward(10.0**levels / unit.told_in.scale)

    def gain(self, block: Block, first: Array, last: Array, span: tuple[float, float], level_of: LevelOf) -> Array:
        """Integrate it between two times within a span, (sample, time) or one for all."""
        first, last = (np.clip(each, *span) for each in (first, last))
        if self.line is not None:
            gained = self.line.integral(self.at, first, last, block.samples)
        else:
            gained = self._of_any(block, first, last, span, level_of)
        return gained if self.times is None else self.times[:, None] * gained

    def _of_any(self, block: Block, first: Array, last: Array, span: tuple[float, float], level_of: LevelOf) -> Array:
        """Integrate over the fine grid, which is held; between its steps along the cubics that the rates give there."""
        samples = block.samples if isinstance(block.samples, np.ndarray) else None
        of = block if samples is None or block.whole is None else block.whole
        key = (self.path, b"integral")
        held = of.known[key].grid[[0, -1]].tolist() if key in of.known else span
        if key not in of.known or span[0] < held[0] or span[1] > held[1]:
            jumps = (chosen(at, of.samples) for drawn in of.jumps.values() for at, _ in drawn)
            of.known[key] = Curve.followed(
                (min(span[0], held[0]), max(span[1], held[1])), dates=chain(breaking_dates(of, bends=True), jumps),
                rate_at=lambda times: self.at(level_of(self.rate.quantity, self.path, of, times)), size=of.size,
            )  # fmt: skip
        curve: Curve = of.known[key]
        rows = np.arange(len(curve.levels)) if samples is None else samples - of.begin
        ends = [curve.read(each, rows) for each in (first, last)]
        return ends[1] - ends[0]


def rates_of(level: Level, path: Path, block: Block) -> list[Array | _Followed]:
    """List the rates of the regimes of a level; one without a rate has that of the regime before."""
    rates: list[Array | _Followed] = []
    for at, each in block.found(regimes_of, level, path):  # the first has its own
        rate = rates[-1] if each.rate is None else _rate(each.rate, block.found(rate_path, level, at), block)
        if each.times is not None:
            times = block.draw((*at, "times"))
            before = rate.times if isinstance(rate, _Followed) else rate
            product = times if before is None else before * times
            rate = replace(rate, times=product) if isinstance(rate, _Followed) else product
        rates.append(rate)
    return rates


def _rate(rate: Prior | MeanRate | QuantityRate, path: Path, block: Block) -> Array | _Followed:
    """Give a rate, OOM/year: the one drawn, the weighted mean of several, or what a quantity says."""
    if isinstance(rate, Prior):
        return block.draw(path)
    if isinstance(rate, QuantityRate):
        at = (*path, "quantity")
        line = quantity_line(rate.quantity, at, block)
        moves = _Followed(rate, at, line)
        return moves if line is None or line.slope is not None else moves.at(chosen(line.start, block.samples))
    drawn = (
        share * block.draw((*path, "mean_of", at))
        for share, (at, _) in zip(rate.shares, items(rate.mean_of), strict=True)
    )
    return reduce(np.add, drawn)


def _regime_growth(level: Level, path: Path, block: Block, years: Array, *, base: float, level_of: LevelOf) -> Array:
    """Compute the growth that the regimes of a level give."""
    regimes = block.found(regimes_of, level, path)
    span = min(base, float(years.min())), max(base, float(years.max()))

    def gain(rate: _Followed) -> growth.Gain:
        return lambda first, last: rate.gain(block, first, last, span, level_of)

    return growth.regime_growth(
        years,
        base=base,
        starts=[-np.inf if each.from_ is None else block.draw((*at, "from")) for at, each in regimes],
        rates=[gain(rate) if isinstance(rate, _Followed) else rate for rate in rates_of(level, path, block)],
        half_lives=[None if each.half_life is None else block.draw((*at, "half_life")) for at, each in regimes],
        floors=[None if each.towards is None else block.draw((*at, "towards")) for at, each in regimes],
    )


def _table_level(level: Level, path: Path, years: Array) -> Array:
    known = level.points
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
    if result.ndim != 2 or result.shape[1] != years.size or result.shape[0] not in (1, block.size):
        raise SimulatorError(f"{name}: must return (sample, year) = ({block.size}, {years.size}); got {result.shape}.")
    if (broken := ~np.isfinite(result).all(axis=1)).any():
        raise SimulatorError(
            f"{name}: returned NaN or infinity in {percent(float(broken.mean()))} of the samples; "
            "a level is a finite log10."
        )
    return block.stepped(path, years, result)


type Way = tuple[tuple[tuple[Path, Quantity], ...], Callable[[Sequence[Array]], Array]]


def way_of(operation: Operation, path: Path) -> Way:
    """Give the parts of an operation, with their places, and how their levels are combined; an accumulation apart."""
    parts = parts_of(operation, path)
    if operation.product is not None:
        return parts, partial(reduce, np.add)
    if operation.sum is not None:
        return parts, growth.log_sum
    if operation.ratio is not None:
        return parts, lambda levels: levels[0] - levels[1]
    if operation.difference is not None:
        return parts, lambda levels: growth.log_difference(levels[0], levels[1])
    return parts, partial(reduce, np.minimum if operation.minimum is not None else np.maximum)
