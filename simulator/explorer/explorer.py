"""The explorer: one scenario, what is asked about it, and the answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from simulator.engine.run_folders import ready
from simulator.engine.simulation import run_arrays
from simulator.errors import InputError, ScenarioError, SimulatorError
from simulator.explorer.picture import picture, picture_of, variables
from simulator.explorer.protocol import Answer, Asked, Fault, Seen, State
from simulator.history.frontier import frontier_runs
from simulator.scenario.documents import file_document
from simulator.scenario.library import shipped_file, shipped_names
from simulator.scenario.load import Source, load_scenario
from simulator.scenario.resolving import Scenario
from simulator.schema.base import Spec, faults_of
from simulator.version import made_by

MOVING = 2048
"""Samples of a picture while a handle moves."""

MOST_SAMPLES = 10_000
"""Samples of a picture at most, or those of its scenario where it has more."""


class Explorer:
    """A scenario that is explored, and the one door through which a page, a widget or a file asks about it.

    An answer depends on what is asked alone, and never on what was asked before.
    """

    def __init__(
        self, scenario: Source | Scenario = "baseline", *, outputs: FilePath | str = "outputs", name: str = ""
    ) -> None:
        self._source = scenario
        self._outputs = FilePath(outputs)
        self._name = name or (scenario if isinstance(scenario, str) and scenario in shipped_names("scenarios") else "")

    def answer(self, asked: Any) -> Answer:
        """Answer a request of the page, `Asked`; what is wrong with it, or with what it asks for, are its faults."""
        try:
            request = _request().validate_python(asked)
        except ValidationError as error:
            faults = faults_of(error, Spec, asked)
            return {"faults": [_fault(each.path, f"{each.rule} {each.remedy}".strip()) for each in faults]}
        serial = Answer(serial=request["serial"]) if "serial" in request else Answer()
        try:
            return serial | self._answer(request)
        except ScenarioError as error:
            return serial | Answer(
                faults=[Fault(path=each.entry, text=f"{each.rule} {each.remedy}".strip()) for each in error.faults]
            )
        except SimulatorError as error:
            return serial | Answer(faults=[Fault(path="", text=str(error))])

    def _answer(self, asked: Asked) -> Answer:
        scenario = self._scenario(asked)
        match asked["kind"]:
            case "state":
                return Answer(state=self._state(scenario))
            case "picture":
                return Answer(picture=picture(scenario, _samples(asked, scenario), command=""), controls=[])
            case _:
                raise InputError(f"kind: {asked['kind']} is not answered.")

    def _scenario(self, asked: Asked) -> Scenario:
        source = asked.get("scenario") or self._source
        scenario = source if isinstance(source, Scenario) else load_scenario(source)
        return ready(scenario, self._outputs, say=lambda _: None)

    def _state(self, scenario: Scenario) -> State:
        run = run_arrays(scenario)
        spec, shown = scenario.spec, variables(run)
        return State(
            name=self._name or spec.name,
            title=str(run.attrs["title"]),
            subject=spec.subject,
            notes=spec.notes or "",
            samples=(min(MOVING, spec.samples), spec.samples),
            variables=shown,
            groups=[],
            controls=[],
            history={each["name"]: seen for each in shown if (seen := _seen(each["name"]))},
            presets=_presets(),
            picture=picture_of(run),
            version=str(made_by({})["simulator_version"]),
        )


@cache
def _request() -> TypeAdapter[Asked]:
    return TypeAdapter(Asked)


def _fault(path: tuple[str | int, ...], text: str) -> Fault:
    """Say what is wrong with a request; of a change, at its control."""
    keys = list(map(str, path))
    if keys[:1] == ["changes"] and len(keys) > 1:
        return Fault(path=keys[1], text=": ".join([*keys[2:], text]))
    return Fault(path="", text=": ".join([*keys, text]))


def _samples(asked: Asked, scenario: Scenario) -> int:
    """Give the number of samples that is asked for."""
    own = scenario.spec.samples
    if (samples := asked.get("samples", own)) > (most := max(own, MOST_SAMPLES)):
        raise InputError(f"samples: must be at most {most:,}; got {samples:,}.")
    return samples


@cache
def _presets() -> list[tuple[str, str]]:
    """List the shipped scenarios with their titles."""
    names = shipped_names("scenarios")
    return [(name, str(file_document(shipped_file("scenarios", name)).data.get("title", name))) for name in names]


_OBSERVED = {"physical_compute": "log10_training_flop", "spending": "log10_cost_usd"}


@cache
def _seen(variable: str) -> list[Seen]:
    """List what was observed of a variable: the training runs that were among the three largest."""
    if variable not in _OBSERVED:
        return []
    rows = frontier_runs(top=3, since=2016).rows()
    points = ((row, row[_OBSERVED[variable]]) for row in rows)
    return [Seen(year=float(row["year"]), level=float(level), label=str(row["name"])) for row, level in points if level]
