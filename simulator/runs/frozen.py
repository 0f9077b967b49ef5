"""Frozen forecasts: the headlines of a run in a small text file that is written once, and reads back as a run."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from simulator.dates import last_day_of, read_year
from simulator.errors import InputError, RunFileError
from simulator.files import is_there, make_folder, short_hash, write_text
from simulator.runs.crossings import read_date
from simulator.runs.groups import Group, Labelled, Variable, arrays, kept_scenario_text, named_thresholds
from simulator.scenario.assumptions import delayed_thresholds, knowledge
from simulator.scenario.canonical import stored_data
from simulator.scenario.documents import file_document, yaml_text
from simulator.scenario.resolving import data_hash
from simulator.units import Array

if TYPE_CHECKING:
    import xarray as xr

    from simulator.runs.run import Run

HEADLINES: Final[tuple[str, ...]] = ("effective_compute", "physical_compute", "spending")
SCORED: Final[tuple[str, ...]] = ("physical_compute", "spending")
"""What is observed: of these all quantiles of the summary are frozen, so that scores are those of the run."""
LEVELS: Final[tuple[float, ...]] = (0.05, 0.25, 0.5, 0.75, 0.95)
SAME_LEVEL: Final = 0.005
"""OOM within which the quantiles of a threshold's level are one number: a summary holds them to 0.001."""
FORMAT: Final = 1
NEVER: Final = "never"
_HEAD = ("name", "title", "subject", "dollars", "run_id", "scenario_hash", "simulator_version", "samples", "uncertain")
_ABOUT = """\
# A forecast as it was frozen: written once by 'simulate history freeze', never changed, scored as it stands.
# Years are decimal: 2026.0 is the end of 2025. `known_to` is the last day of which a prior knew.
# `levels`: log10 of the unit; a row of `values` is the year and its `quantiles`.
# `thresholds`: `level` is log10 of the unit, one number or its quantiles; `crossing_year` has quantiles (never: not by
# the last year), `crossed` the probability that it is crossed by each of the years above, `never` that it is not.
# `more`: the other quantiles of what is observed, by which the forecast is scored.
"""


def freeze_forecast(run: xr.DataTree, folder: FilePath | str = "forecasts", *, dated: str | None = None) -> FilePath:
    """Freeze the headlines of a run in a text file, which is written once.

    Beside it, in `scenarios/`, stands the resolved scenario, by which a later forecast is told why it differs.

    Parameters
    ----------
    run : Run
        From `simulate` or `open_run`; one that kept its summary only will do.
    folder : path
        The series to which it belongs.
    dated : str, optional
        The date of the forecast, as a month or a day (`2025-11`); this month without it. The day on which it was
        frozen stands in the file beside it.

    Returns
    -------
    path of the file, `<scenario>-<dated>.yaml`

    Raises
    ------
    InputError
        There is such a file already, the date is none or lies ahead, or the run has none of the headlines.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> run = simulate(load_scenario("essay-2023", overrides=["samples=64"]))
    >>> path = freeze_forecast(run, getfixture("tmp_path"), dated="2023-06")
    >>> path.name, open_frozen(path)["summary/spending"].sel(quantile=0.5, year=2030).round(2).item()
    ('essay-2023-2023-06.yaml', 11.0)
    """
    now = dt.datetime.now(tz=dt.UTC)
    dated, today = dated or f"{now:%Y-%m}", now.date()
    if not re.fullmatch(r"\d{4}(-\d\d){0,2}", dated):
        raise InputError(f"--dated: must be a month or a day, such as 2026-11 or 2026-11-30; got '{dated}'.")
    read_date(dated, option="--dated")
    if dated > today.isoformat()[: len(dated)]:
        raise InputError(f"--dated: {dated} lies ahead of today, {today}. A forecast is dated when it was made.")
    path = FilePath(folder) / f"{run.attrs['name']}-{dated}.yaml"
    stays = f"{path}: is frozen already, and stays as it is. Date a later forecast by --dated."
    if is_there(path):
        raise InputError(stays)
    text, scenario = frozen_text(run, dated=dated, frozen=today.isoformat()), kept_scenario_text(run)
    make_folder(path.parent)
    make_folder(path.parent / "scenarios")
    # The scenario first: a kill in between leaves nothing that is frozen, and not a forecast without its scenario.
    write_text(path.parent / "scenarios" / path.name, scenario, lasting=True)
    write_text(path, text, new=stays, lasting=True)
    return path


def frozen_text(run: Group | xr.DataTree, *, dated: str, frozen: str) -> str:
    """Write the headlines of a run as they are frozen."""
    summary, scenario = arrays(run, "summary"), stored_data(run.attrs)
    names = [name for name in HEADLINES if name in summary.data_vars]
    if not names:
        raise InputError(f"the run has none of {', '.join(HEADLINES)}: there is nothing to freeze of it.")
    head = {key: run.attrs.get(key, 1) for key in _HEAD}  # an early run does not say whether something is uncertain
    knew = run.attrs["known_to"] if "known_to" in run.attrs else knowledge(scenario)
    years, known = (summary[key].values for key in ("year", "quantile"))
    at = [int(np.argmin(np.abs(known - level))) for level in LEVELS]
    rest = [place for place in range(known.size) if place not in at]
    ends = np.flatnonzero((years == np.round(years)) | (years == years[0])).tolist()

    def rows(name: str, places: list[int]) -> list[list[Any]]:
        values = summary[name].values[places][:, ends].T
        return [[float(year), *_rounded(own)] for year, own in zip(years[ends], values, strict=True)]

    levels = {
        name: {"label": str(about["long_name"]), "unit": str(about["units"]), "values": rows(name, at)}
        for name, about in ((name, summary[name].attrs) for name in names)
    }
    more = {name: rows(name, rest) for name in SCORED if name in names}
    data = {
        "forecast": FORMAT, "dated": dated, "frozen": frozen, "known_to": str(knew or ""),
        **{key: each if isinstance(each, str) else int(each) for key, each in head.items()},
        "quantiles": known[at].tolist(),
        "levels": levels,
        "thresholds": _thresholds(summary, scenario, at=at, ends=ends),
        "more": {"quantiles": known[rest].tolist(), **more},
    }  # fmt: skip
    return sealed(_ABOUT, data)


def sealed(about: str, data: Mapping[str, Any]) -> str:
    """Write data below a comment and the digest by which it is known to be unchanged."""
    text = yaml_text(data)
    return f"{about}digest: '{short_hash(text)}'\n{text}"


def unsealed(file: FilePath, *, key: str, remedy: str, form: int = FORMAT) -> Mapping[str, Any]:
    """Read what `sealed` wrote, and refuse what was changed since; `key` holds the number of its format."""
    data = file_document(file, keep_faults=False).data
    digest = str(data.get("digest", ""))
    if key not in data:
        raise RunFileError(f"{file}: is no {remedy}")
    if data[key] != form:
        raise RunFileError(f"{file}: is of format {data[key]}; this simulator reads {form}. Update it.")
    if digest != short_hash(file.read_text(encoding="utf-8").partition(f"\ndigest: '{digest}'\n")[2]):
        raise RunFileError(f"{file}: was changed since it was frozen (its digest differs). Restore it.")
    return cast("Mapping[str, Any]", data)


def _thresholds(summary: Group, scenario: Any, *, at: list[int], ends: list[int]) -> dict[str, Any]:
    delayed = delayed_thresholds(scenario)
    told: dict[str, Any] = {}
    for place, (name, label) in enumerate(named_thresholds(summary).items()):
        quantity = str(summary["quantity"].values[place])
        own = {key: each.values[place] for key, each in summary.data_vars.items() if each.dims[0] == "threshold"}
        level = own["threshold_level_quantile"][at]
        level = np.median(level) if np.ptp(level) <= SAME_LEVEL else level
        told[name] = {
            "label": label,
            "quantity": quantity,
            "unit": str(summary[quantity].attrs["units"]) if quantity in summary else "",
            "level": _rounded(level),
            "delayed": name in delayed,
            "already": _rounded(own["already"])[0],
            "never": _rounded(own["never"])[0],
            "crossing_year": _rounded(own["crossing_quantile"][at], digits=3),
            "crossed": _rounded(own["crossed"][ends]),
        }
    return told


def _rounded(values: Any, *, digits: int = 4) -> list[float | str]:
    """Round numbers as they are frozen; infinite ones are the word `never`."""
    numbers = np.round(np.atleast_1d(np.asarray(values, dtype=np.float64)), digits).tolist()
    return [each if math.isfinite(each) else NEVER for each in numbers]


def is_frozen(path: FilePath | str) -> bool:
    """Tell a frozen forecast from a run by its name."""
    return FilePath(path).suffix in (".yaml", ".yml")


def open_frozen(path: FilePath | str) -> Run:
    """Read a frozen forecast as a run that kept its summary only, at the ends of years.

    Quantiles that are not in the file are NaN. It holds the scenario that is frozen beside it; where that is gone, what
    its scores ask of it.

    Raises
    ------
    RunFileError
        The file is none, or it or its scenario was changed since it was frozen.

    Examples
    --------
    >>> open_frozen("forecasts/baseline-1999-01.yaml")
    Traceback (most recent call last):
    simulator.errors.ScenarioError: forecasts/baseline-1999-01.yaml: no such file.
    """
    from simulator.runs.checked import check, fault
    from simulator.runs.run import Run

    file = FilePath(path)
    data = unsealed(file, key="forecast", remedy="frozen forecast. 'simulate history freeze RUN' writes one.")
    try:
        run = Run.of(_as_run(data, _scenario(file, data)).to_xarray())
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration) as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise fault(
            ("the text", f"is not what 'simulate history freeze' writes ({what})"), "frozen", file=file
        ) from None
    check(run, "frozen", file=file)
    return run


def _as_run(data: Mapping[str, Any], scenario: Any) -> Group:
    """Lay out the text of a frozen forecast as a run."""
    attrs = {key: data[key] for key in (*_HEAD, "dated", "frozen", "known_to")}
    years = [row[0] for row in next(iter(data["levels"].values()))["values"]]
    attrs |= {"first_year": years[0], "last_year": years[-1], "scenario": json.dumps(scenario), "keep": "summary"}
    attrs |= {"components": str(scenario.get("mixture", "")), "drivers": " ".join(scenario.get("drivers", ()))}
    return Group(attrs=attrs, children={"summary": _summary(data, years)})


def _scenario(file: FilePath, data: Mapping[str, Any]) -> Any:
    """Read the scenario beside a frozen forecast; without it, what its priors knew, and which thresholds wait."""
    beside = file.parent / "scenarios" / file.name
    if not beside.exists():
        held = {name: {"delay": True} for name, own in data["thresholds"].items() if own["delayed"]}
        return {"thresholds": held} | ({"as_of": data["known_to"]} if data["known_to"] else {})
    found = file_document(beside, keep_faults=False).data
    if data_hash(found) != data["scenario_hash"]:
        raise RunFileError(f"{beside}: is not the scenario of {file} (its hash differs). Restore or remove it.")
    return found


def _summary(data: Mapping[str, Any], years: Sequence[float]) -> Group:
    quantiles = sorted([*data["quantiles"], *(more := data["more"])["quantiles"]])
    at, rest = ([quantiles.index(level) for level in held["quantiles"]] for held in (data, more))

    def numbers(values: Any) -> Array:
        found = np.array(values, dtype=object)
        return np.where(found == NEVER, math.inf, found).astype(np.float64)

    def spread(own: Array, further: Array | None = None) -> Array:
        """Place what is known of quantiles (..., known) among all of them; NaN where they were not frozen."""
        found = np.full((*own.shape[:-1], len(quantiles)), own if own.shape[-1] == 1 else math.nan)
        found[..., at] = own
        if further is not None:
            found[..., rest] = further
        return found

    held: dict[str, Variable] = {}
    for name, own in data["levels"].items():
        known = [numbers(rows)[:, 1:] for rows in (own["values"], more.get(name)) if rows]
        held[name] = Labelled(("quantile", "year"), spread(*known).T, {"units": own["unit"], "long_name": own["label"]})
    coords: dict[str, Variable] = {"quantile": Labelled(("quantile",), np.array(quantiles))}
    coords["year"] = Labelled(("year",), np.array(years))
    if thresholds := data["thresholds"]:
        by, rows = ("threshold",), list(thresholds.values())
        coords |= {"threshold": Labelled(by, np.array(list(thresholds)))}
        coords |= {key: Labelled(by, np.array([row[key] for row in rows])) for key in ("label", "quantity")}
        held |= {key: Labelled(by, np.array([row[key] for row in rows])) for key in ("never", "already")}
        for name, key in (("crossing_quantile", "crossing_year"), ("threshold_level_quantile", "level")):
            held[name] = Labelled((*by, "quantile"), np.array([spread(numbers(row[key])) for row in rows]))
        held["crossed"] = Labelled((*by, "year"), np.array([row["crossed"] for row in rows]))
        held["crossed_error"] = Labelled((*by, "year"), np.full((len(rows), len(years)), math.nan))  # is not frozen
    return Group(held, coords)


def frozen_series(folder: FilePath | str, scenario: str, *, since: str = "") -> list[Run]:
    """Read the frozen forecasts of a scenario in a folder, in the order of their dates; from a date on."""
    files = sorted(FilePath(folder).glob("*.yaml"))
    if not files:
        raise InputError(f"{folder}: holds no frozen forecasts. 'simulate history freeze RUN' begins a series.")
    held = list(map(open_frozen, files))
    own = [(each, file) for each, file in zip(held, files, strict=True) if each.attrs["name"] == scenario]
    if not own:
        names = ", ".join(sorted({str(each.attrs["name"]) for each in held}))
        raise InputError(f"{folder}: holds no forecast of {scenario}. There are: {names}.")
    own.sort(key=lambda each: (frozen_day(each[0]), str(each[0].attrs["dated"])))
    for (one, first), (other, file) in pairwise(own):
        if one.attrs["dated"] == other.attrs["dated"]:
            told = f"{one.attrs['dated']}, as {first.name} is (run {one.attrs['run_id']})"
            raise InputError(f"{file}: is the release of {scenario} of {told}. A date has one: remove the copy.")
    begin = read_date(since, option="--since") if since else -math.inf
    return [each for each, _ in own if read_year(str(each.attrs["dated"])) >= begin]


def frozen_day(run: xr.DataTree) -> dt.date:
    """Tell the last day that the date of a frozen forecast covers."""
    return last_day_of(str(run.attrs["dated"]))
