"""The equations of the README, at any times: levels, quantities, caps, constraints, physical and effective compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.oracle import chance, happenings, laws, stepping, units
from tests.oracle.units import Array

Spec = Any
"""An entry of the scenario file: a number, a name, or a mapping."""
OPERATIONS: dict[str, Callable[..., Array]] = {
    "product": lambda *parts: np.sum(np.broadcast_arrays(*parts), axis=0),
    "ratio": np.subtract,
    "sum": laws.log_sum,
    "difference": laws.log_difference,
    "minimum": lambda *parts: np.min(np.broadcast_arrays(*parts), axis=0),
    "maximum": lambda *parts: np.max(np.broadcast_arrays(*parts), axis=0),
}
OVER_TIME = {"power", "lag", "highest", "lowest", "accumulation"}
STEPS_A_YEAR = 32
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
UNKNOWN = {"custom", "drift", "volatility"}
"""What a level may say and the oracle does not carry."""
REGIME = {"rate": "rate", "times": "plain", "from": "plain", "half_life": "years", "towards": "rate"}
"""What a regime may say, and how it is read."""


class Model:
    """A scenario with its draws; numbers that are fixed, or follow from another prior, are read from its text."""

    def __init__(self, scenario: Mapping[str, Spec], draws: Mapping[str, Array]) -> None:
        self.scenario, self.draws = scenario, draws
        self.first, self.last = (float(scenario["years"][end]) for end in ("first", "last"))
        self.samples = len(next(iter(draws.values())))
        self.bent: dict[str, list[stepping.Path]] = {}
        """Levels under a Gompertz limit that moves, before and after the year of their start."""
        self.followed: dict[str, stepping.Path] = {}
        """The integrals of rates that quantities tell."""
        self.gains: dict[str, stepping.Path] = {}
        """Where feedback bends growth: for the path of a level, the growth from the first year as a function of time."""
        self.events: dict[str, Array] = {}
        """The dates (sample, 1) of events at which eras begin, by the path of `from`."""
        never = np.full((self.samples, 1), happenings.NEVER)
        self.windows: dict[str, tuple[Array, Array]] = dict.fromkeys(scenario.get("events") or {}, (never, never))
        """When named events begin and end, (sample, 1)."""
        self.jumped: dict[str, tuple[Array, Array]] = {}

    def at_path(self, path: str) -> Spec:
        """The entry at a dotted path without indices."""
        entry = self.scenario
        for key in path.split("."):
            entry = entry[key]
        return entry

    def number(self, path: str, spec: Spec, kind: str = "level") -> Array:
        """A prior's numbers (sample, 1): log10 of a level, OOM per year of a rate, all else as it is."""
        if not isinstance(spec, Mapping) or "value" in spec:
            value, unit = (spec["value"], spec.get("unit")) if isinstance(spec, Mapping) else (spec, None)
            return converted(np.full((self.samples, 1), float(value)), unit, kind)
        if "function" in spec:
            return self._function(spec, kind)
        return np.asarray(self.draws[path], dtype=float)[:, None]

    def _function(self, spec: Spec, kind: str) -> Array:
        """A function of another prior through points: levels in their log, all else as stated; constant outside."""
        of, unit = spec["function"]["of"], spec.get("unit")
        points = sorted((float(x), float(y)) for x, y in spec["function"]["points"].items())
        x = np.log10([point[0] for point in points])
        y = np.array([point[1] for point in points])
        here = self.number(of, self.at_path(of))
        y = converted(y, unit, kind) if kind == "level" else y
        if spec["function"].get("between", "line") == "step":
            values = y[np.maximum(np.searchsorted(x, here, side="right") - 1, 0)]
        else:
            values = np.interp(here, x, y)
        return values if kind == "level" else converted(values, unit, kind)

    def growth(self, path: str, level: Spec) -> list[laws.Regime]:
        """The regimes of a level's growth."""
        growth = level.get("growth")
        still = laws.Regime(np.array(-np.inf), np.zeros((1, 1)))
        if not isinstance(growth, list):
            return [still if growth is None else replace(still, rate=self.rate(f"{path}.growth", growth))]
        regimes = [still]
        for k, entry in enumerate(growth):
            here = f"{path}.growth[{k}]"
            regime = {key: spec for key, spec in entry.items() if f"{here}.{key}" not in self.events}
            stated = {
                key: self.rate(f"{here}.{key}", regime[key])
                if kind == "rate"
                else self.number(f"{here}.{key}", regime[key], kind)
                for key, kind in REGIME.items()
                if regime.get(key) is not None
            }
            rate = _times(stated.get("rate", regimes[-1].rate), stated.get("times", 1.0))
            rest = {key: value for key, value in stated.items() if key in {"half_life", "towards"}}
            begin = stated.get("from", self.events.get(f"{here}.from", still.begin))
            begin = np.minimum(np.maximum(begin, regimes[-1].begin), happenings.NEVER) if k else still.begin
            regimes.append(laws.Regime(begin, rate, **rest))
        return regimes[1:]

    def rate(self, path: str, spec: Spec) -> Array | laws.Rate:
        """A rate, what a quantity tells, or the weighted mean of several: logs are averaged."""
        if isinstance(spec, Mapping) and "quantity" in spec:
            return lambda first, last: self._followed(path, spec, first, last)
        if not isinstance(spec, Mapping) or "mean_of" not in spec:
            return self.number(path, spec, "rate")
        parts = [self.number(f"{path}.mean_of[{k}]", part, "rate") for k, part in enumerate(spec["mean_of"])]
        return np.average(parts, axis=0, weights=spec.get("weights"))

    def _followed(self, path: str, spec: Spec, first: Array | None, last: Array) -> Array:
        """The integral of a rate that a quantity tells from one time to another; without the first, the rate."""

        def told(t: Array) -> Array:
            t = np.broadcast_to(t, (self.samples, t.shape[1]))
            return units.told(Moment(self, t).expression(f"{path}.quantity", spec["quantity"]), spec["unit"])

        if first is None:
            return told(last)
        if path not in self.followed:
            starts = [float(level.get("at", self.first)) for _, level in levels("", self.scenario)]
            nodes = self.times(STEPS_A_YEAR, min(self.first, *starts))
            rates = [told(t) for t in (nodes, (nodes[:, 1:] + nodes[:, :-1]) / 2)]
            begin = np.zeros((1, self.samples))
            self.followed[path] = stepping.solve(
                nodes, begin, lambda _, k, half: rates[half % 2][None, :, k + half // 2]
            )[0]
        gained = self.followed[path]
        return gained(np.atleast_2d(last)) - gained(np.atleast_2d(first))

    def dates(self) -> list[Array]:
        """Every date at which a regime begins, and every year of a table (sample, 1)."""
        tables = [
            np.full((1, 1), float(year)) for _, level in levels("", self.scenario) for year in level.get("table") or ()
        ]
        every = [*levels("", self.scenario)]
        jumps = [at for path, level in every if "jumps" in level for at in self.jumps(path, level)[0].T]
        beside = [at[:, None] for when in jumps for at in (when, np.nextafter(when, 0))]
        every_window = [date for window in self.windows.values() for date in window]
        beside += [side for date in every_window for side in (date, np.nextafter(date, 0))]
        return tables + beside + [regime.begin for path, level in every for regime in self.growth(path, level)[1:]]

    def jumps(self, path: str, level: Spec) -> tuple[Array, Array]:
        """The jumps of a level: when they come, +inf for none, and by how many OOM, (sample, jump)."""
        if path not in self.jumped:
            spec, here, at = level["jumps"], f"{path}.jumps", float(level.get("at", self.first))
            rate = 10.0 ** self.number(f"{here}.rate", spec["rate"])[:, 0] * units.YEAR
            years = range(int(np.floor(at)) + 1, int(np.ceil(self.last)) + 1)
            drawn = [
                chance.jumps(self.draws[f"{here}.shock[{year}]"], max(year - 1.0, at), float(year), rate)
                for year in years
            ]
            when, z = (np.hstack(parts) for parts in zip(*drawn, strict=True))
            order = np.argsort(when, axis=1)[:, : np.isfinite(when).sum(axis=1).max()]
            spread = self.number(f"{here}.spread", spec.get("spread", 0), "plain")
            by = self.number(f"{here}.size", spec["size"]) + spread * np.take_along_axis(z, order, axis=1)
            self.jumped[path] = np.take_along_axis(when, order, axis=1), by
        return self.jumped[path]

    def years(self) -> Array:
        """The years of the run: the first, every calendar step after it, the last."""
        a_year = {"year": 1, "quarter": 4, "month": 12}[self.scenario["years"].get("step", "year")]
        steps = np.arange(np.floor(self.first * a_year) + 1, np.ceil(self.last * a_year)) / a_year
        return np.array([self.first, *steps, self.last])

    def times(self, a_year: int, first: float | None = None, last: float | None = None) -> Array:
        """Times (sample, k), rising: evenly from the first year to the last, and every date of a regime."""
        first, last = self.first if first is None else first, self.last if last is None else last
        even = np.linspace(first, last, int(np.ceil((last - first) * a_year)) + 1)
        dates = [np.clip(np.broadcast_to(date, (self.samples, 1)), first, last) for date in self.dates()]
        return np.sort(np.hstack([np.broadcast_to(even, (self.samples, len(even))), *dates]), axis=1)


class Moment:
    """Every level of a model at times (sample, k), by its name in the run file."""

    def __init__(self, model: Model, t: Array) -> None:
        self.model, self.t = model, t
        self.named: dict[str, Array] = {}

    def variables(self) -> dict[str, Array]:
        """All levels, log10, by name; of a driver with limits also what growth alone would give."""
        for name in self.model.scenario.get("quantities") or {}:
            self.quantity(name)
        self.effective()
        if "capability" in self.model.scenario:
            self.capability()
        every = self.model.scenario.get("thresholds") or {}
        for name in every:
            root, times = name, np.zeros((1, 1))
            while every[root].get("of", "start") != "start":
                times = times + self.model.number(f"thresholds.{root}.multiple", every[root]["multiple"])
                root = every[root]["of"]
            if stated := moving(root, every[root]):
                self.named[variable("moving_threshold", name)] = times + self.expression(*stated)
        return self.named

    def quantity(self, name: str) -> Array:
        """A named quantity."""
        key = variable("quantity", name)
        if key not in self.named:
            path, spec = f"quantities.{name}", self.model.scenario["quantities"][name]
            self.named[key] = self.expression(path, spec)
            if not _is_level(spec):
                self.named[key] = self.named[key] + happenings.shift(self.model, path, self.t)
        return self.named[key]

    def expression(self, path: str, spec: Spec) -> Array:
        """A name, a prior, a level that grows, or an operation on such."""
        if isinstance(spec, str):
            return self.quantity(spec) if spec in self.model.scenario["quantities"] else self._own(spec)
        if isinstance(spec, Mapping):
            if "accumulation" in spec:
                return self._accumulated(path, spec)
            if "power" in spec:
                exponent = self.model.number(f"{path}.power[1]", spec["power"][1], "plain")
                return exponent * self.expression(f"{path}.power[0]", spec["power"][0])
            if "lag" in spec:
                by = self.model.number(f"{path}.lag.by", spec["lag"]["by"], "years")
                return Moment(self.model, self.t - by).expression(f"{path}.lag.of", spec["lag"]["of"])
            for key, choose in {"highest": np.max, "lowest": np.min}.items():
                if key in spec:
                    at = float(spec.get("at", self.model.first))
                    so_far = at + (self.t - at)[..., None] * np.linspace(0, 1, 257)
                    within = Moment(self.model, so_far.reshape(len(so_far), -1)).expression(f"{path}.{key}", spec[key])
                    return choose(within.reshape(so_far.shape), axis=-1)
            for operation, function in OPERATIONS.items():
                if operation in spec:
                    parts = [self.expression(f"{path}.{operation}[{k}]", p) for k, p in enumerate(spec[operation])]
                    return function(*parts)
            if _is_level(spec):
                return self.level(path, spec)
        return np.broadcast_to(self.model.number(path, spec), self.t.shape)

    def _accumulated(self, path: str, spec: Spec) -> Array:
        """A stock that a flow adds to, by Gauss's rule: exact for flows that are smooth between start and time."""
        at = float(spec.get("at", self.model.first))
        half = (self.t - at)[..., None] / 2
        nodes = at + half * (1 + NODES)
        flow = Moment(self.model, nodes.reshape(len(nodes), -1)).expression(
            f"{path}.accumulation", spec["accumulation"]
        )
        lost = np.zeros((1, 1))
        if "life" in spec:
            lost = 1 / self.model.number(f"{path}.life", spec["life"], "years")
        elif "depreciation" in spec:
            lost = -np.log(1 - 10.0 ** self.model.number(f"{path}.depreciation", spec["depreciation"]) * units.YEAR)
        left = np.exp(-lost[..., None] * (self.t[..., None] - nodes))
        added = np.sum(10.0 ** flow.reshape(nodes.shape) * left * WEIGHTS * half, axis=-1) * units.YEAR
        begun = 10.0 ** self.expression(f"{path}.start", spec["start"]) * np.exp(-lost * (self.t - at))
        return np.log10(begun + added)

    def _own(self, name: str) -> Array:
        """A variable of the scenario itself; before the first year what growth alone gives."""
        first = self.model.first
        late = Moment(self.model, np.maximum(self.t, first)).one(name)
        return np.where(self.t < first, self._unlimited(name), late)

    def _unlimited(self, name: str) -> Array:
        parts = {"effective_compute": ("physical_compute", "algorithms"), "physical_compute": ("spending", "hardware")}
        if name in parts:
            return np.sum([self._unlimited(part) for part in parts[name]], axis=0)
        path, spec = f"drivers.{name}", self.model.scenario["drivers"][name]
        levels = {f"{path}.factors.{key}": part for key, part in spec.get("factors", {}).items()} or {path: spec}
        return np.sum([self.grown(at, level)[0] for at, level in levels.items()], axis=0)

    def grown(self, path: str, spec: Spec) -> tuple[Array, Array]:
        """What growth alone gives: the level (1 where no start is stated), and its start."""
        _refuse_unknown(spec)
        model = self.model
        if "level" in spec:
            return self.expression(f"{path}.level", spec["level"]), np.array(np.inf)
        if "table" in spec:
            years = sorted((float(year), float(value)) for year, value in spec["table"].items())
            levels = converted(np.array([value for _, value in years]), spec.get("unit"), "level")
            return np.interp(self.t, [year for year, _ in years], levels), np.array(np.inf)
        start = model.number(f"{path}.start", spec["start"]) if "start" in spec else np.zeros((1, 1))
        at = float(spec.get("at", model.first))
        if path in model.gains:
            before = laws.log_gain(model.growth(path, spec), at, np.array([[model.first]]))
            return start + before + model.gains[path](self.t), start
        regimes = model.growth(path, spec)
        gained = happenings.bent(model, path, at, self.t, lambda t: laws.log_gain(regimes, at, t))
        if "jumps" in spec:
            when, by = model.jumps(path, spec)
            gained = gained + np.sum((self.t[..., None] >= when[:, None]) * by[:, None], axis=-1)
        gained = gained + happenings.shift(model, path, self.t)
        return np.broadcast_to(start + gained, self.t.shape), start

    def level(self, path: str, spec: Spec) -> Array:
        """A level that grows, under its own limits."""
        demanded, start = self.grown(path, spec)
        keys = path.replace("[", ".").replace("]", "").split(".")
        named = {
            "quantities": ["quantity", *keys[1:]],
            "drivers": [keys[1], "factor", *keys[3:]],
            "constraints": ["constraint", keys[1], *keys[3:]],
        }.get(keys[0])
        if not spec.get("caps") or named is None or "caps" in keys:  # limits on limits are not carried by name
            return self.capped(path, spec, demanded, start, None)
        subject = variable(*named)
        self.named[f"{subject}_demanded"] = demanded
        self.named[subject] = self.capped(path, spec, demanded, start, subject)
        return self.named[subject]

    def capped(self, path: str, spec: Spec, demanded: Array, start: Array, subject: str | None) -> Array:
        """The lowest level that the limits leave; those on a subject are kept by name."""
        left = [demanded]
        for name, cap in (spec.get("caps") or {}).items():
            here = f"{path}.caps.{name}"
            limit = self.limit(here, cap)
            kind = cap.get("kind", "hard")
            if kind == "gompertz":
                if np.any(limit <= start):
                    raise NotImplementedError("a Gompertz limit below the start, or on a product")
                left.append(self._gompertz(path, spec, name, demanded, start))
            else:
                left.append(laws.LAWS[kind](demanded, limit))
            if subject:
                self.named[variable("cap", subject, name)] = limit
                self.named[variable("left", subject, name)] = left[-1]
        return np.min(left, axis=0)

    def limit(self, path: str, cap: Spec) -> Array:
        """The limit in force: an expression, or a share of a quantity."""
        if "share" in cap:
            level = self.expression(f"{path}.share", cap["share"]) + self.quantity(cap["of"])
        else:
            level = self.expression(f"{path}.limit", cap["limit"])
        return happenings.standing(self.model, path, level, self.t)

    def _gompertz(self, path: str, spec: Spec, name: str, demanded: Array, start: Array) -> Array:
        """Gompertz's law: the closed form where the limit stands still, and steps from the start where it moves."""
        model, cap, here = self.model, spec["caps"][name], f"{path}.caps.{name}"
        if "share" not in cap and not isinstance(cap["limit"], str) and _is_prior(cap["limit"]):
            return laws.gompertz(demanded - start, start, self.limit(here, cap))
        if path in model.gains:
            raise NotImplementedError("feedback under a Gompertz limit that moves")
        at = float(spec.get("at", model.first))
        if here not in model.bent:
            ways = (
                model.times(STEPS_A_YEAR, min(at - 0.1, model.first), at)[:, ::-1],
                model.times(STEPS_A_YEAR, at, max(at, model.last)),
            )
            model.bent[here] = [_bent(model, path, spec, name, start, nodes) for nodes in ways]
        before, after = model.bent[here]
        return np.where(self.t < at, before(self.t), after(self.t))

    def driver(self, name: str) -> Array:
        """A driver under its caps; algorithms are 1 in the first year."""
        if name in self.named:
            return self.named[name]
        path, spec = f"drivers.{name}", self.model.scenario["drivers"].get(name)
        if spec is None:
            return np.zeros(self.t.shape)
        if "factors" in spec:
            factors = {key: self.level(f"{path}.factors.{key}", part) for key, part in spec["factors"].items()}
            self.named |= {variable(name, "factor", key): level for key, level in factors.items()}
            demanded = np.sum(list(factors.values()), axis=0)
            start = np.array(np.inf)  # a Gompertz limit on a product is not carried
        else:
            demanded, start = self.grown(path, spec)
        self.named[name] = self.capped(path, spec, demanded, start, name)
        if spec.get("caps") or name == "spending":
            self.named[f"{name}_demanded"] = demanded
        return self.named[name]

    def physical(self) -> Array:
        """Spending times hardware efficiency, or compute as a whole, under the constraints."""
        if "physical_compute" not in self.named:
            if "compute" in self.model.scenario["drivers"]:
                demanded = self.driver("compute")
                del self.named["compute"]
            else:
                demanded = self.driver("spending") + self.driver("hardware")
            left = [demanded]
            for name, constraint in (self.model.scenario.get("constraints") or {}).items():
                left.append(self.limit(f"constraints.{name}", constraint))
                self.named[variable("constraint", name)] = left[-1]
            self.named |= {"physical_compute_demanded": demanded, "physical_compute": np.min(left, axis=0)}
        return self.named["physical_compute"]

    def effective(self) -> Array:
        """Physical compute times algorithmic efficiency."""
        self.named["effective_compute"] = self.physical() + self.driver("algorithms")
        return self.named["effective_compute"]

    def capability(self) -> Array:
        """A metric that rises by a factor with each doubling of compute; 1 at the reference, or at the start."""
        spec, path = self.model.scenario["capability"], "capability"
        if spec["kind"] != "gain-per-doubling":
            raise NotImplementedError(spec["kind"])
        quantity = spec.get("of", "effective_compute")
        if "reference" in spec:
            reference = self.model.number(f"{path}.reference", spec["reference"])
        else:
            reference = Moment(self.model, np.full((self.model.samples, 1), self.model.first)).one(quantity)
        gain = self.model.number(f"{path}.gain", spec["gain"])
        self.named["capability"] = 10.0 ** (gain * (self.one(quantity) - reference) / np.log10(2))
        return self.named["capability"]

    def one(self, quantity: str) -> Array:
        """The level of what a threshold stands on."""
        match quantity:
            case "effective_compute":
                return self.effective()
            case "physical_compute":
                return self.physical()
            case "capability":
                return self.capability()
            case name if name in (self.model.scenario.get("quantities") or {}):
                return self.quantity(name)
            case driver if "." not in driver:
                return self.driver(driver)
            case path:
                self.variables()
                keys = path.split(".")
                named = {"drivers": [keys[1], *keys[2:]], "constraints": ["constraint", *keys[1:]]}[keys[0]]
                return self.named[variable(*(key.removesuffix("s") if key == "factors" else key for key in named))]


def _bent(model: Model, path: str, spec: Spec, name: str, start: Array, nodes: Array) -> stepping.Path:
    """A level under a Gompertz limit that moves, from its start at the first node."""
    middle = (nodes[:, 1:] + nodes[:, :-1]) / 2
    rates = laws.rate_in_force(model.growth(path, spec), middle)
    limits = [Moment(model, t).limit(f"{path}.caps.{name}", spec["caps"][name]) for t in (nodes, middle)]
    begin = np.broadcast_to(start, (model.samples, 1)).T

    def slope(level: Array, step: int, half: int) -> Array:
        here = limits[half % 2][:, step + half // 2]
        return rates[:, step] * np.minimum(1, (here - level) / (here - begin))

    return stepping.solve(nodes, begin, slope)[0]


def _times(rate: Array | laws.Rate, times: Array | float) -> Array | laws.Rate:
    """A rate by which growth goes on, so many times as fast."""
    if callable(rate):
        return lambda first, last: times * rate(first, last)
    return rate * times


def moving(name: str, threshold: Spec) -> tuple[str, Spec] | None:
    """The path and the statement of a threshold's level that is no single number; None where it is one."""
    for key in LEVELS:
        if key in threshold and not _is_prior(threshold[key]):
            return f"thresholds.{name}.{key}", threshold[key]
    return None


LEVELS = ("effective_compute", "physical_compute", "spending", "level")


def variable(*parts: str) -> str:
    """A variable's name: a dash of the scenario is an underscore."""
    return "_".join(parts).replace("-", "_")


def converted(numbers: Array, unit: str | None, kind: str) -> Array:
    """Numbers of the file as a run has them: log10 of a level, OOM per year of a rate, all else as it is."""
    readings = {
        "rate": units.rate,
        "level": units.log_level,
        "years": units.years,
        "share": lambda number, unit: number * units.size(unit or "1"),
        "plain": lambda number, _unit: number,
    }
    return readings[kind](numbers, unit)


def _is_level(spec: Spec) -> bool:
    grows = isinstance(spec, Mapping) and bool({"start", "growth", "table"} & spec.keys())
    return grows and "accumulation" not in spec


def _is_prior(spec: Spec) -> bool:
    made = OPERATIONS.keys() | {"accumulation"}
    return not isinstance(spec, str) and not _is_level(spec) and not (isinstance(spec, Mapping) and made & spec.keys())


def _refuse_unknown(spec: Spec) -> None:
    if found := UNKNOWN & spec.keys():
        raise NotImplementedError(", ".join(sorted(found)))


def levels(path: str, spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Every level that grows, below an entry, with its path."""
    if isinstance(spec, Mapping):
        if _is_level(spec):
            yield path, spec
        for key, below in spec.items():
            yield from levels(f"{path}.{key}" if path else str(key), below)
    elif isinstance(spec, list):
        for k, below in enumerate(spec):
            yield from levels(f"{path}[{k}]", below)
