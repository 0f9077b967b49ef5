"""A report of a run: one HTML page that needs nothing from outside, for readers who do not have the simulator."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from simulator.addresses import as_path
from simulator.charts.drawing import draw
from simulator.charts.kinds.fan import APART
from simulator.charts.register import KINDS
from simulator.charts.spec import Figure, FigureOptions
from simulator.errors import InputError, RunFileError
from simulator.files import is_folder, make_folder, write_text
from simulator.report import sections
from simulator.report.html import Html, element, joined, name, page, paragraphs
from simulator.report.sentences import forecast_sentences, knowledge_date, told_words
from simulator.report.sources import assumption_section, correlations, limitations
from simulator.runs.folder import stored_scenario
from simulator.scenario.assumptions import assumptions

if TYPE_CHECKING:
    import xarray as xr

_PARTS = {
    **dict.fromkeys(("fan", "crossings", "events", "actors", "lead", "ladder"), "forecast"),
    "growth": "drives", "allocation": "drives", "binding": "limits", "demand": "limits",
}  # fmt: skip
_IN_TABLES = "influence"
"""A kind that the report does not draw: its table of rank correlations tells the same in less room."""


def report_text(run: xr.DataTree) -> str:
    """Write the report of a run as one HTML page; the same run gives the same bytes."""
    scenario = stored_scenario(run)
    every = assumptions(scenario, understood="parameters" in run.children)
    figures, left_out = _figures(run)
    limits = limitations(scenario, every)
    warnings = sections.warning_section(run, every, tied=len(correlations(scenario)), left_out=left_out)
    shown = [("forecast", "The forecast", sections.forecast_section(run, scenario, figures["forecast"]))]
    if "components" in run.children:
        shown.append(("mixture", "The scenarios that are weighed", sections.mixture_section(run, figures["mixture"])))
    shown += [
        ("drives", "What drives it", sections.driving_section(run, every, figures["drives"])),
        ("limits", "What holds it back", sections.limits_section(run, limits, figures["limits"])),
        (
            "assumptions",
            "Every assumption, with its source",
            assumption_section(run, scenario, every, figures["assumptions"]),
        ),
        ("warnings", "Warnings, and how to be wrong with it", warnings),
        ("again", "How to get the same numbers again", sections.reproduction_section(run)),
    ]
    attrs = run.attrs
    foot = (
        f"Report of run {attrs['run_id']} of scenario {attrs['name']}, written by effective-compute-simulator "
        f"{attrs.get('simulator_version', '')}. It loads nothing from the network and runs no script."
    )
    title = str(attrs.get("title") or attrs["name"])
    return page(f"{title}: forecast of {told_words(run)}", head=_head(run, title), sections=shown, foot=foot)


def write_report(run: xr.DataTree, path: FilePath | str) -> None:
    """Write the report of a run: one HTML page that can be mailed, printed and read without the simulator.

    The page loads nothing and runs no script. It has the forecast in sentences, the charts of the run with their
    numbers, what drives the forecast and what holds it back, every assumption with its source, warnings, and how to
    get the same numbers again. Texts of the scenario are shown as text, whatever they hold.

    Parameters
    ----------
    run : xarray.DataTree
        From `simulate` or `open_run`; without samples, the page says what needs them.
    path : path
        Ends in .html; its folder is made where it is not there.

    Raises
    ------
    InputError
        The name is not that of an HTML file, or the run cannot be drawn.
    SimulatorError
        The file cannot be written.

    Examples
    --------
    >>> from simulator import load_scenario, simulate
    >>> file = getfixture("tmp_path") / "report.html"
    >>> write_report(simulate(load_scenario("doubling-times")), file)
    >>> file.read_text(encoding="utf-8").count("<svg")
    3
    """
    file = as_path(path)
    check_report_path(file)
    written = report_text(run)
    make_folder(file.parent)
    write_text(file, written)


def check_report_path(path: FilePath) -> None:
    """Check the name of a report."""
    if is_folder(path):
        raise InputError(f"{path}: is a folder; a report is one file. Write for example {path / 'report.html'}.")
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"{path}: the name of a report must end in .html; got '{path.suffix}'. "
            f"A browser opens it by that name: write {path.name.removesuffix(path.suffix)}.html."
        )


def _head(run: xr.DataTree, title: str) -> Html:
    """Say what the page is about, and the forecast in three sentences."""
    attrs = run.attrs
    date = knowledge_date(run)
    facts = [f"Scenario {attrs['name']}", f"run {attrs['run_id']}", f"{int(attrs['samples']):,} samples"]
    facts += [f"{attrs['dollars']} dollars"] if attrs.get("dollars", "not stated") != "not stated" else []
    facts += [f"sources up to {date}"] if date else []
    parts = (
        element("p", f"Forecast of {told_words(run)}", class_="kicker"),
        element("h1", name(title)),
        element("p", name(attrs.get("subject", "")), class_="subject"),
        element("p", name(" · ".join(facts)), class_="facts"),
        element("div", paragraphs(forecast_sentences(run)), class_="gist"),
    )
    return joined(parts, "\n")


def _figures(run: xr.DataTree) -> tuple[dict[str, list[Figure]], list[str]]:
    """Draw what the run has, by section of the report; and say what it has not."""
    left_out: list[str] = []
    placed: dict[str, list[Figure]] = {"forecast": [], "mixture": [], "drives": [], "limits": [], "assumptions": []}
    for kind in KINDS:
        if kind == _IN_TABLES:
            continue
        try:
            for figure in draw(run, kind, FigureOptions()):
                apart = figure.name.startswith(APART)
                placed["mixture" if apart else _PARTS.get(kind, "assumptions")].append(figure)
        except InputError as error:
            if kind == "fan" or isinstance(error, RunFileError):
                raise
            left_out.append(f"Chart of {kind}: {str(error).removeprefix(f'{kind}: ')}")
    return placed, left_out
