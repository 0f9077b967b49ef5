"""What each kind of result must hold: one table, by which `simulator.runs.checked` reads whatever is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from simulator.runs.entries import LARGEST_PLAIN, LATEST_YEAR, Entry


@dataclass(frozen=True, slots=True)
class Part:
    """A group of arrays: by its path, in which `*` stands for any name."""

    path: str
    variables: tuple[Entry, ...]
    """The first whose name and dimensions fit is that of a variable."""
    coords: tuple[Entry, ...] = ()
    attributes: tuple[Entry, ...] = ()
    described: tuple[Entry, ...] = ()
    """Attributes that every variable has."""
    optional: bool = True
    lazy: bool = False
    """Whether values are checked when they are read, and not when the file is opened."""
    front: bool = False
    """Whether the axes of the sweep come first in every variable."""
    open: bool = True
    """Whether it may hold variables that are not in the table."""
    rows: tuple[str, ...] = ()
    """Of a table: the dimensions of the dataset for each of whose places it has a row."""
    levels: tuple[str, ...] = ()
    """Variables that have the bounds of a level, and no +inf, where `unit` is log10 of one, or OOM."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a kind of result holds."""

    attributes: tuple[Entry, ...]
    parts: tuple[Part, ...]
    alike: tuple[str, ...] = ()
    """Coordinates that are the same in every group."""
    sizes: Mapping[str, str | int] = MappingProxyType({})
    """Dimensions of a known length, or whose length an attribute tells."""
    variants: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Variables of the root that there are by what an attribute says."""


def _named(names: str, like: Entry) -> tuple[Entry, ...]:
    """Make an entry for each of some names."""
    return tuple(replace(like, name=name) for name in names.split())


TEXT, WHOLE, NUMBER = Entry("", "text"), Entry("", "whole", low=0), Entry("")
LEVEL, PLAIN = Entry("", never=True), Entry("", low=0, high=LARGEST_PLAIN, never=True)
METRIC = replace(PLAIN, low=-LARGEST_PLAIN)
PROBABILITY, ERROR = Entry("", low=0, high=1), Entry("", low=0, missing=True)
_ERROR = replace(ERROR, high=LARGEST_PLAIN, never=True)
YEAR = Entry("", low=-LATEST_YEAR, high=LATEST_YEAR)
DATE = replace(YEAR, never=True)
NAME = Entry("", "text", form=r"[a-z0-9]+(-[a-z0-9]+)* # small letters, digits and hyphens")
ID = Entry("", "text", form=r"[0-9a-f]{8} # eight hexadecimal digits")
HASH = Entry("", "text", form=r"[0-9a-f]{64} # a SHA-256 hash")
_SECTIONS = (
    "years", "drivers", "quantities", "stocks", "allocation", "constraints", "thresholds", "capability", "history",
    "models",
)  # fmt: skip
SCENARIO = Entry("", "json", shape={"name?": "", "title?": "", **{f"{key}?": {"*": None} for key in _SECTIONS}})
TEXTS_BY_NAME = {"*": ""}


def _optional(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(replace(entry, optional=True) for entry in entries)


_UNITS = _named("units long_name", TEXT)
_FORM = replace(WHOLE, low=1)
_ABOUT = (
    *_named("run_id", ID), *_named("name", NAME), *_named("title subject dollars", TEXT),
    *_named("scenario", SCENARIO), *_named("scenario_hash", HASH), *_named("samples", replace(WHOLE, low=1)),
    *_optional(_named("uncertain", WHOLE)), *_named("first_year last_year", replace(TEXT, type="number")),
    *_named("drivers simulator_version", TEXT),
)  # fmt: skip
_RUN = (
    *_ABOUT, *_named("seed", WHOLE), *_named("block", replace(WHOLE, low=1)),
    Entry("keep", "text", form="trajectories|summary # trajectories or summary"),
    Entry("store", "text", form="netcdf|zarr # netcdf or zarr", optional=True),
    *_named("design overrides warnings notes", TEXT), *_named("sources", replace(SCENARIO, shape=TEXTS_BY_NAME)),
    *_optional(_named("code platform", TEXT)),
    Entry("libraries", "json", shape=TEXTS_BY_NAME, optional=True),
    Entry("components", "json", shape={"*": 0.0}, optional=True),
)  # fmt: skip

_BY_YEAR, _BY_SAMPLE = ("quantile", "year"), ("sample", "year")
_COORDS = (
    Entry("year", dims=("year",), low=-LATEST_YEAR, high=LATEST_YEAR, rises="year"),
    Entry("quantile", dims=("quantile",), low=0, high=1, rises="quantile"),
    Entry("sample", "whole", ("sample",), low=0, high=1e12, rises="sample"),
    *(Entry(name, "text", (name,)) for name in ("threshold", "event", "actor")),
    *(Entry(name, "text", ("threshold",)) for name in ("quantity", "label")),
    Entry("falling", "flag", ("threshold",), low=0, high=1, optional=True),
    Entry("begins", "text", ("event",)),
    Entry("actor_label", "text", ("actor",)),
    Entry("place", "whole", ("place",), low=1, high=1000, rises="place"),
    Entry("limit_*", "text", ("limit_*",)),
)
_OF_THRESHOLDS = (
    replace(PROBABILITY, name="crossed", dims=("threshold", "year"), rises="year"),
    replace(ERROR, name="crossed_error", dims=("threshold", "year")),
    *(replace(PROBABILITY, name=name, dims=("threshold",)) for name in ("never", "already")),
    replace(DATE, name="crossing_quantile", dims=("threshold", "quantile"), rises="quantile"),
    replace(METRIC, name="threshold_level_quantile", dims=("threshold", "quantile"), rises="quantile"),
)
_SUMMARY = (
    *_OF_THRESHOLDS,
    replace(ERROR, name="crossing_quantile_error", dims=("threshold", "quantile")),
    replace(DATE, name="event_quantile", dims=("event", "quantile"), rises="quantile"),
    replace(DATE, name="event_date", dims=("event", "quantile"), rises="quantile", optional=True),
    replace(DATE, name="event_until", dims=("event", "quantile"), rises="quantile", optional=True),
    replace(PROBABILITY, name="event_share", dims=("event",), optional=True),
    replace(ERROR, name="event_share_error", dims=("event",), optional=True),
    replace(PROBABILITY, name="binding_*_share", dims=("limit_*", "year")),
    replace(ERROR, name="binding_*_share_error", dims=("limit_*", "year")),
    replace(PLAIN, name="models_*", dims=_BY_YEAR, rises="quantile"),
    replace(METRIC, name="capability", dims=_BY_YEAR, rises="quantile", optional=True),
    replace(ERROR, name="*_error", dims=_BY_YEAR),
    replace(LEVEL, name="*", dims=_BY_YEAR, rises="quantile"),
    replace(PLAIN, name="models_*_mean", dims=("year",)),
    replace(METRIC, name="capability_mean", dims=("year",), optional=True),
    replace(LEVEL, name="*_mean", dims=("year",)),
)
_FROZEN = (
    *(replace(each, missing=each.missing or "quantile" in (each.dims or ())) for each in _OF_THRESHOLDS),
    Entry("*", dims=_BY_YEAR, never=True, missing=True),
)
_ACTORS = (
    replace(PROBABILITY, name="leads", dims=("actor", "year")),
    replace(ERROR, name="leads_error", dims=("actor", "year")),
    *_optional(_named("lead lead_years", replace(LEVEL, low=0, dims=_BY_YEAR, rises="quantile"))),
    *(replace(DATE, name=f"{name}_quantile", dims=(of, "threshold", "quantile"), rises="quantile")
      for name, of in (("crossing", "actor"), ("place", "place"))),
    *(replace(PROBABILITY, name=name, dims=(of, "threshold", "year"), rises="year")
      for name, of in (("crossed", "actor"), ("place_crossed", "place"))),
    *_named("behind behind_years", replace(LEVEL, low=0, dims=("actor", *_BY_YEAR), rises="quantile")),
    replace(PLAIN, name="models_*", dims=("actor", *_BY_YEAR), rises="quantile"),
    replace(METRIC, name="capability", dims=("actor", *_BY_YEAR), rises="quantile", optional=True),
    replace(LEVEL, name="*", dims=("actor", *_BY_YEAR), rises="quantile"),
)  # fmt: skip
_TRAJECTORIES = (
    Entry("binding_*", "flag", _BY_SAMPLE, low=0, high=127),
    replace(PLAIN, name="models_*", dims=_BY_SAMPLE),
    replace(METRIC, name="capability", dims=_BY_SAMPLE, optional=True),
    replace(LEVEL, name="*", dims=_BY_SAMPLE),
)
_SAMPLES = (
    Part("/parameters", (Entry("component", "flag", ("sample",), low=0, optional=True),
                         replace(METRIC, name="*", dims=("sample",))), _COORDS, (), _UNITS, lazy=True, open=False),
    Part("/trajectories", _TRAJECTORIES, _COORDS, (), _UNITS, lazy=True, open=False),
    Part("/crossings", (replace(DATE, name="crossing_year", dims=("threshold", "sample")),
                        Entry("already_above", "flag", ("threshold", "sample"), low=0, high=1),
                        replace(METRIC, name="threshold_level", dims=("threshold", "sample"))),
         _COORDS, (), _UNITS, lazy=True),
    Part("/events", (replace(DATE, name="event_year", dims=("event", "sample")),
                     replace(DATE, name="event_end", dims=("event", "sample"), optional=True)),
         _COORDS, (), _UNITS, lazy=True),
    Part("/actors", (replace(DATE, name="crossing_year", dims=("actor", "threshold", "sample")),
                     Entry("already_above", "flag", ("actor", "threshold", "sample"), low=0, high=1),
                     replace(PLAIN, name="models_*", dims=(*_BY_SAMPLE, "actor")),
                     replace(METRIC, name="capability", dims=(*_BY_SAMPLE, "actor"), optional=True),
                     replace(LEVEL, name="*", dims=(*_BY_SAMPLE, "actor"))),
         _COORDS, (), _UNITS, lazy=True, open=False),
)  # fmt: skip
FIT_GROUPS: Final[tuple[str, ...]] = (
    "prior", "posterior", "posterior_predictive", "log_likelihood", "log_prior", "sample_stats", "observed_data",
)  # fmt: skip
"""What a fit of history holds, in ArviZ's form."""
FITTED: Final[tuple[str, ...]] = ("prior", "posterior", "sample_stats", "observed_data")
"""Those of a run that has one, however old."""
_FIT_ABOUT = (
    *_named("fit snapshot", TEXT), *_named("runs first_year", replace(WHOLE, high=LATEST_YEAR)),
    *_optional((*_named("known_to origin record", NUMBER), *_named("record_date seen sampler", TEXT))),
)  # fmt: skip
_DRAWS = (Entry("chain", "whole", ("chain",), low=0), Entry("draw", "whole", ("draw",), low=0))
_OBSERVED = tuple(
    replace(like, name=f"{dim}_{key}", dims=(dim,), optional=key == "name")
    for dim in ("run", "costed_run", "accelerator") for like, key in ((YEAR, "year"), (TEXT, "name"))
)  # fmt: skip
_TIMES = tuple(replace(YEAR, name=dim, dims=(dim,), rises=dim) for dim in ("year", "step"))


def _fit(attributes: tuple[Entry, ...], *, optional: bool, lazy: bool) -> tuple[Part, ...]:
    """Say what the groups of a fit hold, of which `attributes` are those of `posterior`."""
    any_number, density = Entry("*"), Entry("*", low=-1e300)
    held = dict.fromkeys(FIT_GROUPS, any_number) | dict.fromkeys(("log_likelihood", "log_prior"), density)
    return tuple(
        Part(f"/{name}", (Entry("diverging", "flag", low=0, high=1, optional=name != "sample_stats"), entry),
             (*_DRAWS, *(_OBSERVED if name in ("observed_data", "posterior_predictive") else ()), *_TIMES),
             attributes if name == "posterior" else (), optional=optional, lazy=lazy)
        for name, entry in held.items()
    )  # fmt: skip


_WHOLE_SUMMARY = Part("/summary", _SUMMARY, _COORDS, (), _UNITS, optional=False, open=False)
_COMPONENTS = replace(_WHOLE_SUMMARY, path="/components/*", optional=True, lazy=True)
_BY_ACTOR = Part("/actors_summary", _ACTORS, _COORDS, (), _UNITS, open=False)
_ALIKE = ("year", "quantile", "sample", "threshold", "event", "actor")
_AXES = [
    {"name": "", "label?": "", "unit": "", "numbers": [0.0, None], "points": [{"label": "", "set": [""]}]},
]  # fmt: skip
_INPUTS = [{"name": "", "label": "", "unit": "", "log": False}]
_POINT_ID = replace(ID, form=r"([0-9a-f]{8})? # eight hexadecimal digits, or nothing of a point that is left out")
_POINTS = (replace(_POINT_ID, name="run_id", dims=()), replace(TEXT, name="fault", dims=(), optional=True))
_OUTCOMES = (
    *(replace(TEXT, name=name, dims=("outcome",)) for name in ("outcome",)),
    *(replace(TEXT, name=name, dims=("input",)) for name in ("input", "input_words")),
)
_VARIANCE = Entry("", low=0, high=LARGEST_PLAIN, dims=("outcome",))
_ENDS = ("", "_error", "_lower", "_upper")
_SHARE, _CONSTANT = (
    Entry("", low=-100, high=100, dims=("input", "outcome")),
    Entry("constant", "flag", ("outcome",), 0, 1),
)
_KEPT = _named("said warned label", TEXT)
_NO_ROWS: Final[Mapping[str, str]] = MappingProxyType({})
_GIVEN = Entry("", low=-math.inf, high=math.inf)
_NONE = replace(_GIVEN, missing=True)
_COLUMNS = tuple(replace(each, type="any", optional=True) for each in (
    *_named("year *_year day", replace(DATE, missing=True)), *_named("*_error standard_error", _ERROR),
    *_named("never probability p_value pit quantile level censored", replace(PROBABILITY, missing=True)),
    *_named("samples decile place", replace(PLAIN, missing=True)),
    *_named("part moved difference error log_score before after", _NONE), replace(METRIC, name="*", missing=True),
))  # fmt: skip
"""What a column, or an array that is drawn, must be of which a kind says no more; text stands where all are empty."""


def _kept(about: tuple[Entry, ...] = (), rows: Mapping[str, str] = _NO_ROWS, **tables: tuple[Entry, ...]) -> Contents:
    """Say what is kept of a result: its dataset with what it says of itself, and tables; `_`: where there is one."""
    columns = tuple(replace(each, dims=("row",)) for each in _COLUMNS)
    parts = [Part("/dataset", _COLUMNS, (), about, optional=False)]
    for key, own in tables.items():
        name, entries = key.rstrip("_"), (*(replace(each, dims=("row",)) for each in own), *columns)
        form = Part(f"/tables/{name}", entries, open=False, rows=tuple(rows.get(name, "").split()))
        parts.append(replace(form, optional=key.endswith("_"), levels=("before", "after", "part")))
    return Contents(_KEPT, (*parts, Part("/tables/*", columns, open=False)))


CONTENTS: Final[Mapping[str, Contents]] = MappingProxyType({
    "run": Contents(
        _named("run_format", _FORM) + _RUN,
        (_WHOLE_SUMMARY, _COMPONENTS, _BY_ACTOR, *_SAMPLES, *_fit(_FIT_ABOUT, optional=True, lazy=True)),
        _ALIKE, {"sample": "samples"},
    ),
    "frozen": Contents(
        (*_ABOUT, *_named("dated frozen known_to", TEXT)),
        (Part("/summary", _FROZEN, _COORDS, optional=False),),
    ),
    "sweep": Contents(
        (*_named("sweep_format points", _FORM), Entry("sweep", "json", shape=_AXES),
         Entry("inputs", "json", shape=_INPUTS, optional=True), Entry("left_out", "whole", low=0, optional=True),
         Entry("spread", "text", form="lhs|sobol|file # lhs, sobol or file", optional=True), *_RUN),
        (replace(_WHOLE_SUMMARY, front=True), replace(_COMPONENTS, front=True), replace(_BY_ACTOR, front=True),
         Part("/points", _POINTS, optional=False, front=True)),
        _ALIKE,
    ),
    "shares": Contents(
        (*_named("shares_id", ID), *_named("name", NAME), *_named("title subject method_because", TEXT),
         Entry("method", "text", form="sobol|shapley # sobol or shapley"), *_named("scenario", SCENARIO),
         *_named("seed", WHOLE), *_named("samples", _FORM)),
        (Part("/", (*_named("variance deciding_samples", _VARIANCE), _CONSTANT,
                    replace(_SHARE, name="*")),
              (*_OUTCOMES, replace(TEXT, name="subject", dims=("outcome",)),
               replace(TEXT, name="members", dims=("input",)),
               replace(YEAR, name="year", dims=("outcome",), missing=True)), optional=False),),
        variants={"method": {
            "sobol": tuple(f"{each}{end}" for each in ("first_order", "total") for end in _ENDS),
            "shapley": tuple(f"shapley{end}" for end in _ENDS),
        }},
    ),
    "swings": Contents(
        (*_named("id", ID), *_named("name", NAME), *_named("title mode_words", TEXT), *_named("seed", WHOLE),
         Entry("mode", "text", form="free|fixed # free or fixed"), *_named("samples", _FORM),
         *_named("first_year last_year", YEAR), *_named("scenario", SCENARIO)),
        (Part("/", (replace(METRIC, name="moved", dims=("outcome", "input", "quantile")),
                    replace(METRIC, name="base", dims=("outcome",)), _CONSTANT,
                    replace(PROBABILITY, name="never", dims=("outcome",)),
                    *_named("error narrowing_error", replace(_ERROR, dims=("outcome", "input"))),
                    replace(METRIC, missing=True, name="removed", dims=("outcome", "input")),
                    replace(NUMBER, missing=True, name="narrowing", dims=("outcome", "input")),
                    replace(METRIC, missing=True, name="value", dims=("input", "quantile")),
                    replace(TEXT, name="value_text", dims=("input", "quantile"))),
              (*_OUTCOMES, *(replace(TEXT, name=name, dims=("outcome",)) for name in ("kind", "outcome_words", "unit")),
               *(replace(TEXT, name=name, dims=("input",)) for name in ("library", "follows")), _COORDS[1]),
              optional=False, levels=("base", "moved")),),
        sizes={"quantile": 2},
    ),
    "influence": _kept(rows={"influence": "outcome input"}, influence=_named("outcome input", TEXT)),
    "moved": _kept(
        _named("scenario label", TEXT), {"headlines": "headline dated"},
        headlines=_named("headline label statistic unit dated", TEXT) + _named("day", YEAR)
        + _named("lower_90 lower_50 median upper_50 upper_90", LEVEL)
        + _named("moved never samples year first_year last_year", _NONE),
        reasons_=(),
    ),
    "attribution": _kept(
        attribution=_named("quantity label statistic unit input", TEXT) + _named("before after", _GIVEN)
    ),
    "condition": _kept(
        (*_named("run_id", ID), *_named("name", NAME), *_named("samples redrawn seed", WHOLE),
         *_named("title given", TEXT)),
        {"levels": "quantity state year", "crossings": "threshold state"},
        given=_named("given quantity", TEXT) + _named("probability", PROBABILITY)
        + _named("year", replace(YEAR, missing=True)) + _named("lower upper", _NONE),
        headlines=_named("quantity label statistic unit", TEXT) + _named("before after", _GIVEN),
        levels=_named("quantity label unit state", TEXT) + _named("year", YEAR) + _named("lower median upper", METRIC),
        crossings_=_named("threshold label state", TEXT) + _named("first_year last_year", YEAR)
        + _named("lower_90 lower_50 median upper_50 upper_90", DATE) + _named("never", PROBABILITY),
        priors_=_named("input label unit", TEXT) + _named("shift score_lower score_upper", NUMBER),
    ),
    "nowcast": _kept(),
    "signposts": _kept(
        (*_named("run_id", ID), *_named("name", NAME), *_named("samples seed", WHOLE),
         *_named("title outcome words unit", TEXT), *_named("first_year last_year", YEAR)),
        {"signposts": "observable year"},
        signposts=_named("observable label name unit", TEXT) + _named("year", YEAR)
        + _named("reduction reduction_error", NUMBER),
        meant_=_named("observable label name unit said", TEXT) + _named("value", _GIVEN)
        + _named("median", METRIC) + _named("lower upper", replace(METRIC, missing=True)),
    ),
    "boxes": _kept(
        (*_named("run_id id", ID), *_named("name", NAME), *_named("title words word outcome method_words none", TEXT),
         *_named("cases count seed", WHOLE)),
        boxes_=_named("coverage density held_out_coverage held_out_density", PROBABILITY)
        + _named("points cases", PLAIN),
        limits_=_named("input label unit", TEXT) + _named("low high", replace(_GIVEN, missing=True))
        + _named("p_value found", PROBABILITY),
        points=(Entry("point", "any"), Entry("case", "flag")),
    ),
    "score": _kept(_named("name run_id", TEXT), scores_=()),
    "fit": Contents(_FIT_ABOUT, _fit((), optional=False, lazy=False)),
})  # fmt: skip
"""What the results hold that are kept as labelled arrays, by kind."""


_YEARS, _FLAG = Entry("", "whole", low=-LATEST_YEAR, high=LATEST_YEAR), Entry("", "flag", low=0, high=1)
_SPREAD = _named("skill_05 skill_95 difference_05 difference_95", _NONE)
_MADE = (*_named("forecast", TEXT), *_named("origin target", _YEARS), *_named("hindsight", _FLAG))
HINDCAST: Final[Mapping[str, tuple[Entry, ...]]] = MappingProxyType({
    "forecasts": (
        *_MADE, *_named("observed quantile_05 quantile_25 quantile_50 quantile_75 quantile_95 error", NUMBER),
        *_named("crps pinball interval_score", Entry("", low=0)), *_named("log_score", _NONE),
        *_named("pit", PROBABILITY), *_named("inside_50 inside_80 inside_90", _FLAG),
    ),
    "skills": (*_named("baseline", TEXT), *_named("crps baseline_crps", Entry("", low=0)),
               *_named("skill difference", _GIVEN), *_SPREAD, *_named("hindsight", _FLAG)),
    "quantiles": (*_MADE, *_named("quantile", PROBABILITY), *_named("value", NUMBER)),
    "events": (*_MADE, *_named("threshold", Entry("", low=0, high=1e300)), *_named("probability brier", PROBABILITY),
               *_named("happened", _FLAG)),
    "record": (*_named("year", _YEARS), *_named("log_flop", NUMBER), *_named("snapshot", TEXT)),
})  # fmt: skip
"""The tables of a hindcast that its folder is read from."""
_DAY = Entry("", "text", form=r"\d{4}-\d\d-\d\d # a day, YYYY-MM-DD")
LEDGER: Final[tuple[Entry, ...]] = (
    *_named("scored_on", _DAY), *_named("run_id name scenario_hash", TEXT),
    *_named("simulator_version observations snapshot observations_sha256", TEXT),
    *_named("quantity", TEXT), *_named("target", _DAY), *_named("in_sample", _FLAG), *_named("observed", NUMBER),
    *_named("median low high", _NONE),
    *_named("crps interval_score pinball", Entry("", low=0, high=math.inf, missing=True)), *_named("log_score", _NONE),
    *_named("pit", replace(PROBABILITY, missing=True)),
    *_named("inside_50 inside_80 inside_90", replace(_FLAG, missing=True)), *_named("error", _NONE),
    *_named("probability brier", replace(PROBABILITY, missing=True)),
)  # fmt: skip
"""The columns of the ledger of scores, in their order."""


def entry_of(entries: Sequence[Entry], name: str, dims: tuple[str, ...]) -> Entry | None:
    """Find the entry of an array: the first whose name and dimensions fit, else the first whose name does."""
    first = None
    for entry in entries:
        if entry.fits(name):
            if entry.dims is None or dims_fit(entry.dims, dims):
                return entry
            first = first or entry
    return first


def dims_fit(known: tuple[str, ...], dims: tuple[str, ...]) -> bool:
    """Tell whether dimensions are those of an entry."""
    return len(known) == len(dims) and all(
        name == dim or (name == "limit_*" and dim.startswith("limit_")) for name, dim in zip(known, dims, strict=True)
    )
