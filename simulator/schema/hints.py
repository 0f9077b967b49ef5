"""What to write in the place of keys and texts that people try: the same thing, with the number that they gave."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.errors import Fault, Path, number, shown
from simulator.schema.amounts import ASKED, NUMBER, read_amount, read_range
from simulator.units import MANY, PERCENT

_LEVEL = re.compile(
    r"(?:ci|interval|range|credible|conf(?:idence)?)?[-_ ]?([0-9]+(?:\.[0-9]+)?)[-_ ]?(?:%|percent|pct)?(?:[-_ ]?ci)?",
    re.IGNORECASE,
)
_PERCENTILE = re.compile(
    r"(?:p|q|pct|perc|percentile|quantile)[-_ ]?([0-9]+(?:\.[0-9]+)?)|([0-9]+(?:\.[0-9]+)?)[-_ ]?(?:th|%)",
    re.IGNORECASE,
)
_Z = 1.6448536269514722
"""A normal lies within so many deviations with 90 %."""
_LOW = ("low", "min", "minimum", "lo", "from", "lower_bound")
_HIGH = ("high", "max", "maximum", "hi", "to", "upper_bound")
_SAME: Mapping[str, str] = {
    **dict.fromkeys(("std", "stdev", "stddev", "std_dev", "standard_deviation", "se", "sem"), "sd"),
    **dict.fromkeys(("average", "avg", "expected", "expectation"), "mean"),
    **dict.fromkeys(("best", "best_guess", "central", "centre", "center", "estimate", "guess"), "median"),
    **dict.fromkeys(("most_likely", "likeliest"), "mode"),
    **dict.fromkeys(("distribution", "dist", "type", "kind", "law"), "family"),
    **dict.fromkeys(("amount", "constant", "fixed", "point", "number"), "value"),
    **dict.fromkeys(("units", "in"), "unit"),
    **dict.fromkeys(("src", "ref", "reference", "citation", "cite"), "source"),
    **dict.fromkeys(("note", "comment", "comments", "description", "why"), "notes"),
    **dict.fromkeys(("link", "href"), "url"),
    **dict.fromkeys(("probability", "prob", "p"), "weight"),
    **dict.fromkeys(("p_never", "never_probability"), "never"),
    **dict.fromkeys(("clip", "bounds", "bounded"), "truncated"),
    **dict.fromkeys(("library", "entry", "use"), "prior"),
}
"""Keys that are tried in a prior, and those that mean the same."""
_TRIED: Mapping[str, Mapping[str, str]] = {
    "ScenarioSpec": {
        **dict.fromkeys(("n_samples", "draws", "n_draws", "iterations", "n", "runs"), "samples: {}"),
        **dict.fromkeys(("random_seed", "rng"), "seed: {}"),
        **dict.fromkeys(("horizon", "end", "end_year", "last"), "years: {{first: 2025, last: {}}}"),
        **dict.fromkeys(("start", "start_year", "first", "base_year"), "years: {{first: {}, last: 2045}}"),
        **dict.fromkeys(("step", "timestep"), "years: {{.., step: {}}}"),
        **dict.fromkeys(("description", "about", "comment"), "notes: .."),
        **dict.fromkeys(("milestones", "targets", "questions", "goals"), "thresholds: .."),
        **dict.fromkeys(("parent", "base", "inherits", "based_on"), "extends: {}"),
        **dict.fromkeys(("limits", "bottlenecks"), "constraints: .."),
        **dict.fromkeys(("version", "format"), "schema: 2"),
    },
    "Years": {
        **dict.fromkeys(("start", "from", "begin", "base"), "first: {}"),
        **dict.fromkeys(("end", "to", "horizon", "until"), "last: {}"),
        **dict.fromkeys(("interval", "spacing", "by", "every"), "step: year (or quarter, month)"),
    },
    "Correlation": {
        **dict.fromkeys(("rho", "correlation", "corr", "coefficient", "r", "value", "spearman"), "rank: {}"),
        **dict.fromkeys(("pearson",), "rank: {}, if it is Spearman's"),
        **dict.fromkeys(("of", "pair", "priors", "variables"), "between: {}"),
    },
    "Threshold": {
        **dict.fromkeys(("flop", "flops", "FLOP", "compute"), "physical_compute: {} (or effective_compute)"),
        **dict.fromkeys(("level", "value", "at"), "effective_compute: {} (or physical_compute, spending, capability)"),
        **dict.fromkeys(("cost", "usd", "USD", "money", "dollars"), "spending: {}"),
        **dict.fromkeys(("times", "factor", "x"), "multiple: {}, with of: start or a threshold"),
        **dict.fromkeys(("title", "name"), "label: {}"),
    },
    "Regime": {
        **dict.fromkeys(("start", "since", "begin", "year", "at", "after"), "from: {}"),
        **dict.fromkeys(("growth", "value", "speed"), "rate: {}"),
        "median": "rate: {{median: {}, ..}}, with all that belongs to it",
        **dict.fromkeys(("until", "to", "end", "till"), "from: {} in the next regime, which ends this one"),
    },
    "Limit": {
        **{each: f"limit: {{{{{each}: {{}}}}}}" for each in ("product", "sum", "ratio", "minimum", "power")},
        **dict.fromkeys(("max", "maximum", "value", "level", "cap", "at", "ceiling", "amount"), "limit: {}"),
        **dict.fromkeys(("type", "law", "shape"), "kind: {}"),
        **dict.fromkeys(("fraction", "percent", "percentage"), "share: {}, with of: a quantity"),
    },
    "Driver": {
        **dict.fromkeys(("initial", "initial_value", "base", "value", "starting", "now", "current"), "start: {}"),
        **dict.fromkeys(("growth_rate", "rate", "rates", "annual_growth", "trend"), "growth: {}"),
        **dict.fromkeys(("cap", "limit", "max", "maximum", "ceiling"), "caps: {{a-name: {{limit: {}}}}}"),
        **dict.fromkeys(("year", "date", "as_of", "when"), "at: {}"),
        **dict.fromkeys(("doubling_time", "doubling"), "growth: {} months/doubling"),
    },
    "FeedbackPoint": {
        **dict.fromkeys(("effective_compute", "compute", "level", "flop", "FLOP", "x"), "at: {}"),
        **dict.fromkeys(("factor", "times", "value", "rate", "y"), "multiplier: {}"),
    },
    "Drivers": {
        **dict.fromkeys(("cost", "money", "budget", "investment"), "spending: .."),
        **dict.fromkeys(("chips", "price_performance", "price-performance", "flop_per_usd"), "hardware: .."),
        **dict.fromkeys(("software", "algorithmic", "algorithm", "efficiency"), "algorithms: .."),
        **dict.fromkeys(("physical_compute", "training_compute", "flop"), "compute: .."),
    },
}  # fmt: skip
"""Keys that are tried in other entries, and what to write for them; {} is the value that was given."""


def key_hint(entry: str, key: str, given: Any, beside: Any) -> str:
    """Say what to write in the place of a key that there is not; empty where nothing comes to mind.

    `entry` is the class of what it stands in, `given` its value, `beside` all that stands there.
    """
    if given is None and re.match(r"\s*[0-9]", key) and entry not in _PRIORS:
        return "In braces a comma parts entries; a decimal point is a point."
    if entry in _PRIORS:
        return _prior_hint(key, given, beside if isinstance(beside, Mapping) else {})
    tried = _TRIED.get({"Level": "Driver", "Factor": "Driver"}.get(entry, entry), {}).get(key, "")
    return f"Write {tried.format(_shown(given))}." if tried else ""


_PRIORS = ("Prior", "Input", "MixturePart")


def _shown(value: Any) -> str:
    """Write a value as it would stand in a file without quotes."""
    return value if isinstance(value, str) else shown(value)


def _prior_hint(key: str, given: Any, beside: Mapping[Any, Any]) -> str:
    pair = isinstance(given, list | tuple) and len(given) == 2
    if pair and (level := _LEVEL.fullmatch(key)):
        return f"Write {interval_key(float(level[1]))}: {shown(given)}."
    if (probability := _probability(key)) is not None and not isinstance(given, Mapping | list):
        points = {each: value for other, value in beside.items() if (each := _probability(str(other))) is not None}
        if len(points) == 1 and probability == 0.5:
            return f"Write median: {_shown(given)}."
        if len(points) == 1:
            return f"Write quantiles: {{{number(probability)}: {_shown(given)}, ..}}, two at least."
        return f"Write quantiles: {quantiles_text(points)}."
    if pair and key in ("ci", "interval", "range", "between", "span", "credible"):
        return f"Write interval_90: {shown(given)}, with the level that you mean."
    if key in ("at", "growth", "caps") and "start" not in beside:
        return f"Write it beside the prior and not within it, one level up: {key}: {_shown(given)}."
    if key in ("doubling_time", "doubling", "halving_time", "halving") and isinstance(given, str | int | float):
        unit = "" if isinstance(given, str) and read_amount(given) else " months"
        return f"Write {_shown(given)}{unit}/{key.removesuffix('_time')} in the place of all this."
    if key == "times" and not {"rate", "from", "for"} & beside.keys():
        more = "".join(f", {other}: {_shown(each)}" for other, each in beside.items() if other != key)
        inner = given if isinstance(given, Mapping) else {"value": given}
        kept = ", ".join(f"{name}: {_shown(each)}" for name, each in inner.items())
        return (
            f"A multiple, which an actor may state, stands alone; what goes with it is within: times: {{{kept}{more}}}."
        )
    if key in ("rate", "times") or (key == "from" and "rate" in beside):
        rate = _shown(beside.get("rate", given))
        return f"Growth of one rate is that rate: growth: {rate}; of several, a list: - {{rate: .., from: ..}}."
    if key in ("rate_of", "follows", "follow", "of") and isinstance(given, str):
        return f"Write quantity: {given}, and unit: ln/year, for example, which says how its numbers are read."
    if key in ("normal", "norm", "gaussian") and pair:
        return f"Write family: normal, mean: {shown(given[0])}, sd: {shown(given[1])}."
    if key in ("lognormal", "lognorm", "log-normal", "log_normal"):
        return "Write median: .. and interval_90: [low, high]: a positive quantity is lognormal without a word."
    if key in (*_LOW, *_HIGH):
        ends = [next((beside[each] for each in names if each in beside), "..") for names in (_LOW, _HIGH)]
        both = f"[{_shown(ends[0])}, {_shown(ends[1])}]"
        return f"Write interval_90: {both}, with the level that you mean; or uniform: {both}."
    if key in ("sigma", "mu", "sd_log", "log_sd"):
        return _log_hint(beside)
    if key in _SAME:
        return f"Write {_SAME[key]}: {_shown(given)}."
    return ""


def _log_hint(beside: Mapping[Any, Any]) -> str:
    """Turn mu and sigma, which are of the natural log as a rule, into a median with its interval."""
    width = next((beside[key] for key in ("sigma", "sd_log", "log_sd") if key in beside), None)
    middle, mu = beside.get("median"), beside.get("mu")
    if middle is None and isinstance(mu, int | float) and abs(mu) < 600:
        middle = math.exp(mu)
    if isinstance(middle, int | float) and middle > 0 and isinstance(width, int | float) and 0 < width < 100:
        ends = ", ".join(number(float(f"{middle * math.exp(sign * _Z * width):.3g}")) for sign in (-1, 1))
        told = f"median: {number(float(f'{middle:.6g}'))}, interval_90: [{ends}]"
        return f"Write {told}, if it is of the natural log; of the number itself, mean with sd."
    return "Write mean with sd, or median with interval_90: [low, high]."


def _probability(key: str) -> float | None:
    """Read a key such as p5, q0.95 or 50% as a probability; None where it is none."""
    match = _PERCENTILE.fullmatch(key)
    if match is None:
        return None
    said = float(match[1] or match[2])
    said = said if 0 < said < 1 else said / 100
    return float(f"{said:.12g}") if 0 < said < 1 else None


def interval_key(level: float) -> str:
    """Name the key of an interval of a level in percent; one at or below 1 is meant as a share."""
    return f"interval_{number(float(f'{100 * level if level <= 1 else level:.12g}'))}"


def quantiles_text(points: Mapping[float, Any]) -> str:
    """Write probabilities with their quantiles as a file does."""
    return f"{{{', '.join(f'{number(each)}: {_shown(points[each])}' for each in sorted(points))}}}"


def joined(faults: Iterable[Fault]) -> list[Fault]:
    """Make one fault of keys that together stand for one statement, as p5 and p95."""
    kept: dict[object, Fault] = {}
    for fault in faults:
        together = fault.rule == UNKNOWN_KEY and re.search(r"[\[{]", fault.remedy) is not None
        kept.setdefault((fault.path[:-1], fault.remedy) if together else fault, fault)
    return list(kept.values())


UNKNOWN_KEY = "no such key."
ANY_PRIOR = (
    "Write for example 2.4x/year, $400 million, {median: 2.4, interval_90: [1.6, 3.4], unit: x/year} "
    "or {prior: spending/cottier-2024}."
)
"""What to write for a prior where nothing is known of its place."""
_OF_RATES = "Write for example 2.4x/year, 30 %/year, 6 months/doubling or 1.6 to 3.4 x/year (90 %)."
_OF_SHARES = "Write for example 20 %, 0.2 fraction or 10 to 30 % (90 %)."
_OF_TIMES = "Write for example 2 years, 18 months or 1 to 3 years (90 %)."
_OF_COMPUTE = "Write for example 1e29 FLOP or 1e28 to 1e30 FLOP (90 %)."
_EXAMPLES: Mapping[str, str] = {
    **{key: {"x/year": _OF_RATES, "years": _OF_TIMES}.get(unit, _OF_SHARES) for key, unit in ASKED.items()},
    **dict.fromkeys(("effective_compute", "physical_compute"), _OF_COMPUTE),
    "spending": "Write for example $10 billion or $5 to 20 billion (90 %).",
    "start": "Write for example $400 million, 0.3 GW or $200 to 800 million (90 %).",
    "for": _OF_TIMES,
    **dict.fromkeys(("probability", "triggers"), "Write for example 40 %, or {family: beta, mean: 0.4, sd: 0.1}."),
    "hazard": "Write for example 8 %/year or 2 to 20 %/year (90 %).",
    "from": "Write for example 2027 or {uniform: [2027, 2030]}.",
}


def example_at(path: Path) -> str:
    """Say what may be written for a prior at a place."""
    if path[-2:] == ("jumps", "rate"):
        return "Write for example 0.2/year, or {interval_90: [0.1, 0.4], unit: 1/year}."
    return next((_EXAMPLES[key] for key in reversed(path) if isinstance(key, str) and key in _EXAMPLES), ANY_PRIOR)


_ABOUT = re.compile(
    r"(?:~|≈|<|>|≤|≥|about|around|approx\.?|approximately|circa|ca\.?|roughly|at least|at most|up to)\s*(.+)",
    re.IGNORECASE,
)
_IN_FRONT = re.compile(r"(?:US\$|\$US|USD)\s*([0-9].*)")
_DECIMAL = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_POWER = re.compile(rf"(?:({_DECIMAL})\s*(?:\*|x|×|·)\s*)?10\s*(?:\^|\*\*)\s*([-+]?[0-9]{{1,4}})(?![0-9])(.*)")
_FRACTION = re.compile(rf"({_DECIMAL})\s*/\s*({_DECIMAL})(?![.0-9])\s*(.*)")
_BETWEEN = re.compile(
    rf"(?:between\s+|from\s+)?(?P<low>\$?\s*{NUMBER}[^-–—().]*?)\s*(?:-|–|—|\bto\b|\.\.+|\band\b)\s*"
    rf"(?P<high>\$?\s*{NUMBER})(?P<unit>[^()]*)(?P<level>\(.*\))?\s*",
    re.IGNORECASE,
)
_PLUS_MINUS = re.compile(rf"({NUMBER})\s*(?:±|\+/-|\+-)\s*({NUMBER})\s*(.*)")
_FOLD = re.compile(rf"({_DECIMAL})[- ]?fold\s*(.*)")
_EVERY = re.compile(
    rf"(doubl|halv)\w*(?:\s+time)?\s*(?:every|each|in|of|per|:)?\s*({_DECIMAL})?\s*(month|year)s?", re.IGNORECASE
)
_TIMES = re.compile(r"(doubl\w*|twice|tripl\w*|tenfold|halv\w*|half)\s+(?:a|an|per|every|each)\s+year", re.IGNORECASE)
_UNITS_ALONE = {"x/year": 2.4, "factor/year": 2.4, "%/year": 30, "percent/year": 30, "OOM/year": 0.3, "ln/year": 0.7}
_AS_NUMBER = {"doubl": 2, "twice": 2, "tripl": 3, "tenfo": 10, "halv": 0.5, "half": 0.5}


def text_hint(text: str) -> str:
    """Say how a text that stands for a number is to be written; empty where nothing comes to mind."""
    said = " ".join(text.split())
    if re.match(r"[-+$ ]*[0-9]{1,3}(,[0-9]{3})+(?![0-9])", said):
        return f"Group digits by underscores: {said.replace(',', '_')}; or write million, billion."
    if re.match(r"[-+$ ]*[0-9]+,[0-9]+", said):
        return f"A decimal point is a point: {said.replace(',', '.')}."
    if (match := _POWER.fullmatch(said)) is not None:
        return f"Write {match[1] or 1}e{int(match[2])}{match[3]}."
    if (match := _FRACTION.fullmatch(said)) is not None and float(match[2]):
        share = float(match[1]) / float(match[2])
        if re.fullmatch("years?", match[3]):
            return f"Write {share:.4g} years, if it is a time; {share:.4g} /year, if it is how often."
        return f"Write {share:.4g} {match[3] or 'fraction'}" + ("." if match[3] else f", or {100 * share:.4g} %.")
    if (match := _IN_FRONT.fullmatch(said)) is not None:
        return f"The unit stands behind the number: {match[1]} USD."
    if re.match(r"[€£¥]|(EUR|GBP|CNY)\b", said):
        return "Amounts of money are in USD: convert it, and say so in notes."
    if (match := _ABOUT.fullmatch(said)) is not None and read_amount(match[1]):
        return f"Write {match[1]} alone; how sure you are is said by an interval with its level."
    return _range_hint(said) or _words_hint(said)


def _range_hint(said: str) -> str:
    if (match := _PLUS_MINUS.fullmatch(said)) is not None:
        unit = f", unit: {match[3]}" if match[3] else ""
        return f"Write {{mean: {match[1]}, sd: {match[2]}{unit}}}; or both ends of an interval, with its level."
    match = _BETWEEN.fullmatch(said)
    if match is None:
        return ""
    level = re.search(r"[0-9]+(?:\.[0-9]+)?", match["level"] or "")
    share = float(level[0]) if level else 90.0
    told = f"{match['low'].strip()} to {match['high'].strip()}{match['unit'].rstrip()}"
    told = f"{told} ({number(100 * share if share < 1 else share)} %)"
    if read_range(told) is None:
        return ""
    return f"Write {told}" + ("." if level else ", with the level that you mean.")


def _words_hint(said: str) -> str:
    if (match := _TIMES.fullmatch(said)) is not None:
        return f"Write {next(times for word, times in _AS_NUMBER.items() if match[1].lower().startswith(word))}x/year."
    if (match := re.fullmatch(rf"({_DECIMAL})\s*/\s*(?:year|yr)", said)) is not None:
        return f"Write {match[1]}x/year for a factor, {match[1]} %/year for percent."
    if (match := _FOLD.fullmatch(said)) is not None:
        return f"Write {match[1]}x{match[2]}."
    if said in _UNITS_ALONE:
        return f"A number stands before its unit: {_UNITS_ALONE[said]} {said}."
    if (match := _EVERY.fullmatch(said)) is not None:
        what = "doubling" if match[1].lower() == "doubl" else "halving"
        return f"Write {match[2] or 1} {match[3].lower()}s/{what}."
    if (amount := read_amount(said)) is not None and not math.isfinite(amount.value):
        return "The number is too large to compute with: write one below 1e308."
    return ""


def with_number(remedy: str, value: float | None) -> str:
    """Write a number before each unit of growth that is proposed for it."""
    if value is None or not remedy.startswith("Write "):
        return remedy
    return re.sub(r"(?<= )((?:x|factor|times|percent|pct|OOM|ln|months|years)/[a-z])", rf"{number(value)} \1", remedy)


def number_alone(text: str, *, whole: bool) -> str:
    """Say which plain number a text means, where an amount cannot stand; empty where it means none."""
    amount = read_amount(text)
    if amount is None or not math.isfinite(amount.value):
        return text_hint(text).replace("; or write million, billion", "") if whole else text_hint(text)
    many, _, unit = amount.unit.partition(" ")
    times = MANY.get(many, 1.0)
    unit = unit if times > 1 else amount.unit
    value = amount.value * times * (0.01 if unit in PERCENT else 1.0)
    told = f"{int(value):_}" if whole and value == int(value) else f"{value:g}"
    if text.strip().replace("_", "").replace("+", "") == told.replace("_", "") or not amount.unit:
        return f"Write {told}." if not text.strip().replace(".", "").isdigit() else "Write it without quotes."
    return f"Write the number alone, {told}: no unit can stand here."
