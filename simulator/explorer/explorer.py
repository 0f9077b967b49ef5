"""The explorer: one scenario, what is asked about it, and the answers."""

from __future__ import annotations

import shlex
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path as FilePath
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from simulator.charts.reading import observed_table
from simulator.engine.run_folders import ready, run_to_folder
from simulator.engine.simulation import How, run_arrays
from simulator.errors import InputError, Path, ScenarioError, SimulatorError, is_item_name, shown
from simulator.explorer.changes import Opened, Refused, changed, opened, saved_text, settings
from simulator.explorer.controls import controls, first_order, groups
from simulator.explorer.learner import Learner, LearnsError
from simulator.explorer.moving import moved
from simulator.explorer.picture import picture, picture_of, variables, with_samples
from simulator.explorer.protocol import Answer, Asked, Control, Fault, Picture, Seen, State
from simulator.history.frontier import frontier_runs
from simulator.runs.groups import Group
from simulator.runs.kinds import mark_latest
from simulator.scenario.documents import file_document, text_document
from simulator.scenario.library import named_files, shipped_file, shipped_names
from simulator.scenario.load import Source
from simulator.scenario.overrides import parse_override
from simulator.scenario.resolving import Scenario
from simulator.schema.base import Spec, faults_of
from simulator.version import made_by

MOVING = 2048
"""Samples of a picture while a handle moves."""

MOST_SAMPLES = 10_000
"""Samples of a picture at most, or those of the scenario that is explored where it has more."""

MOST_OPEN = 8
"""Scenarios, beside the one that is explored, that are held ready."""


class OvertakenError(Exception):
    """A later request takes the place of the one that is computed."""


class Explorer:
    """A scenario that is explored, and the one door through which a page, a widget or a file asks about it.

    An answer depends on what is asked alone, and never on what was asked before. Requests come one at a time.

    `overrides` are laid over the scenario before it is explored; run folders, and the fits of scenarios that learn,
    stand below `outputs`. With `waits` it waits here for a scenario that must learn; any that is asked about later
    learns beside the others, and the answer says how far that is. InputError: the scenario has faults, or is none.

    >>> from simulator.explorer.explorer import Explorer
    >>> explorer = Explorer("essay-2023")
    >>> explorer.answer({"kind": "picture", "samples": 64, "serial": 7})["picture"]["samples"]
    64
    >>> explorer.answer({"kind": "picture", "samples": 0})
    {'faults': [{'path': '', 'text': 'samples: must be at least 1; got 0.'}]}
    """

    def __init__(
        self,
        scenario: Source | Scenario = "baseline",
        *,
        overrides: Sequence[str] = (),
        outputs: FilePath | str = "outputs",
        waits: bool = True,
    ) -> None:
        self._outputs = FilePath(outputs)
        self._learner = Learner(self._outputs)
        is_text = isinstance(scenario, str) and ("\n" in scenario or ": " in scenario)
        self._name = str(scenario) if isinstance(scenario, str | FilePath) and not is_text else ""
        self._overrides = tuple(overrides)
        self._source: Source = scenario.data if isinstance(scenario, Scenario) else scenario
        if overrides and isinstance(scenario, Scenario):
            raise InputError("overrides: change what is read, and the scenario is read already. Name its source.")
        self._read = partial(opened, scenario, overrides=self._overrides)
        self._first: Opened | None = None
        if waits:
            self._first = self._read(ready=partial(ready, outputs=self._outputs, say=lambda _: None))
        else:
            with suppress(LearnsError):
                self._first = self._read(ready=self._learner.ready)
        self._state_of_base: State | None = None
        self._others: OrderedDict[tuple[str, ...], Opened] = OrderedDict()

    def answer(self, asked: Any, is_overtaken: Callable[[], bool] = lambda: False) -> Answer:
        """Answer a request, `Asked`; what is wrong with it, or with what it asks for, are faults in the answer.

        `is_overtaken` is asked from time to time where an answer takes long, and ends it.
        """
        try:
            request = _request().validate_python(asked)
        except ValidationError as error:
            return Answer(
                faults=[_misasked(each.path, _said(each.rule, each.remedy)) for each in faults_of(error, Spec, asked)]
            )
        serial = Answer(serial=request["serial"]) if "serial" in request else Answer()
        try:
            return serial | self._answer(request, is_overtaken)
        except OvertakenError:
            return serial | Answer(overtaken=True)
        except LearnsError as error:
            return serial | Answer(learning=str(error))
        except Refused as error:
            return serial | Answer(faults=list(error.faults))
        except ScenarioError as error:
            return serial | Answer(faults=[Fault(path="", text=str(each)) for each in error.faults])
        except SimulatorError as error:
            return serial | Answer(faults=[Fault(path="", text=str(error))])

    def _answer(self, asked: Asked, is_overtaken: Callable[[], bool]) -> Answer:
        if asked["kind"] == "stop":
            self._learner.stop()
            return Answer()
        base, changes = self._opened(*_of(asked)), asked.get("changes", {})
        if asked["kind"] == "state":
            if base is not self.base:
                return Answer(state=self._state(asked, base))
            self._state_of_base = self._state_of_base or self._state(asked, base)
            return Answer(state=self._state_of_base)
        if asked["kind"] == "save":
            text = saved_text(base, changes)
            return Answer(text=text, settings=settings(base, changes), file=f"{base.scenario.spec.name}-explored.yaml")
        scenario = changed(base, changes)
        if asked["kind"] == "run":
            run, folder = run_to_folder(self._bounded(scenario), self._outputs, how=How(), say=lambda _: None)
            _draw(run, folder)
            return Answer(folder=str(folder))
        samples = self._samples(asked, scenario)
        if asked["kind"] == "picture":
            like = {path: handle for path, handle in base.handles.items() if path in changes}
            now: list[Control] = controls(scenario, like=like) if like else []
            found = picture(scenario, samples, command=self._command(asked, base, samples))
            return Answer(picture=self._told_of_fewer(found, base), controls=now)
        before = self._opened(asked["since"]).scenario if asked.get("since") else base.scenario

        def check() -> None:
            if is_overtaken():
                raise OvertakenError

        return Answer(moved=moved(before, scenario, samples=asked.get("samples"), progress=check))

    def _opened(self, name: str = "", text: str = "", *told: str) -> Opened:
        """Read what is asked about: the scenario that is explored, a shipped one or a text, with what is `told` set.

        By its name the scenario that is explored is meant as its file states it, without what was set at the start.
        """
        is_own = self._is_own(name)
        if not (text or told) and (not name or (is_own and not self._overrides)):
            return self.base
        key = (name, text, *told)
        if key not in self._others:
            if text:
                _refuse_files(text_document(text, "<text>").data, own=self._name)
            elif name and not is_own and name not in shipped_names("scenarios"):
                shipped_file("scenarios", name)  # which says that there is none
            for each in map(parse_override, told):
                _refuse_files({_key(each.path): each.value}, own="")
            source = f"{text}\n" if text else name if name and not is_own else self._source
            told = told if name or text else (*self._overrides, *told)
            self._others[key] = opened(source, overrides=told, ready=self._learner.ready)
        self._others.move_to_end(key)
        while len(self._others) > MOST_OPEN:
            self._others.popitem(last=False)
        return self._others[key]

    def _is_own(self, name: str) -> bool:
        """Tell whether a name means the scenario that is explored: how it was opened, or its file without folders."""
        return bool(name) and (name == self._name or (FilePath(name).suffix != "" and name == self._link))

    @property
    def _link(self) -> str:
        """The name by which a link means the scenario that is explored; empty where it has none."""
        return FilePath(self._name).name if FilePath(self._name).suffix in (".yaml", ".yml") else self._name

    @property
    def base(self) -> Opened:
        """The scenario that is explored, which has learnt what it has to; LearnsError while it does."""
        self._first = self._first or self._read(ready=self._learner.ready)
        return self._first

    @property
    def state(self) -> State:
        """The state as the page is opened with it; InputError where the scenario cannot be computed."""
        answer = self.answer({"kind": "state"})
        if "state" not in answer:
            raise InputError("\n".join(fault["text"] for fault in answer["faults"]))
        return answer["state"]

    @property
    def words(self) -> list[str]:
        """The words by which the command line opens the scenario to change it; none where it cannot."""
        if not self._name or self.base.scenario.spec.history is not None:
            return []
        return ["simulate", "explore", self._name, *(word for each in self._overrides for word in ("--set", each))]

    @property
    def _most(self) -> int:
        return max(self.base.scenario.spec.samples, MOST_SAMPLES)

    def _bounded(self, scenario: Scenario) -> Scenario:
        if (samples := scenario.spec.samples) > self._most:
            _refuse_samples(samples, self._most)
        return scenario

    def _told_of_fewer(self, found: Picture, base: Opened) -> Picture:
        """Say where a picture has fewer samples than its scenario, since no more are drawn here."""
        if (samples := base.scenario.spec.samples) > self._most:
            told = (
                f"The scenario has {samples:,} samples; here are at most {self._most:,}. Save it, and run it for all."
            )
            found["warnings"] = [told, *found["warnings"]]
        return found

    def _samples(self, asked: Asked, scenario: Scenario) -> int:
        """Give the number of samples that is asked for."""
        if "samples" not in asked:
            return min(scenario.spec.samples, self._most)
        if asked["samples"] > self._most:
            _refuse_samples(asked["samples"], self._most)
        return asked["samples"]

    def _command(self, asked: Asked, base: Opened, samples: int) -> str:
        """Write the command that gives the same numbers; empty where there is none."""
        (own_name, _, *first), changes = _of(asked), asked.get("changes", {})
        name = self._name if not own_name or self._is_own(own_name) else own_name
        learns = base.scenario.spec.history is not None  # what is set on the command line is set before it learns
        if asked.get("text") or not name or (changes and learns):
            return ""
        told = [*(() if own_name else self._overrides), *first, *settings(base, changes)]
        words = ["simulate", name, *(word for each in told for word in ("--set", each))]
        own = base.scenario.spec.samples
        return shlex.join([*words, *(["--samples", str(samples)] if samples != own else [])])

    def _state(self, asked: Asked, base: Opened) -> State:
        scenario = with_samples(base.scenario, min(base.scenario.spec.samples, self._most))
        run, spec = run_arrays(scenario), scenario.spec
        found, known = variables(run), controls(scenario, shares=first_order(run))
        name, text, *told = _of(asked)
        return State(
            name=name or (self._name if base is self.base else "") or spec.name,
            extends="" if text else name or self._link,
            set=[*(() if name or text else self._overrides), *told],
            title=str(run.attrs["title"]),
            subject=spec.subject,
            notes=spec.notes or "",
            samples=(min(MOVING, spec.samples), spec.samples),
            variables=found,
            groups=groups(known),
            controls=known,
            history={each["name"]: seen for each in found if (seen := _seen(run, each["name"]))},
            presets=_presets(),
            picture=self._told_of_fewer(
                picture_of(run, command=self._command({**asked, "changes": {}}, base, spec.samples)), base
            ),
            version=str(made_by({})["simulator_version"]),
        )


@cache
def _request() -> TypeAdapter[Asked]:
    return TypeAdapter(Asked)


def _said(rule: str, remedy: str) -> str:
    return f"{rule} {remedy}".strip().removesuffix(" Known here: .")


def _misasked(path: tuple[str | int, ...], text: str) -> Fault:
    """Say what is wrong with a request; of a change, at its control."""
    keys = list(map(str, path))
    own = keys[1] if keys[:1] == ["changes"] and len(keys) > 1 else ""
    return Fault(path=own, text=": ".join([*keys[2 if own else 0 :], text]))


def _refuse_samples(samples: int, most: int) -> NoReturn:
    raise InputError(
        f"samples: must be at most {most:,} here; got {samples:,}. Save the scenario, and run it with more."
    )


@cache
def _presets() -> list[tuple[str, str]]:
    """List the shipped scenarios with their titles."""
    names = shipped_names("scenarios")
    found = {name: file_document(shipped_file("scenarios", name)).data for name in names}
    return [(name, str(data.get("title", name))) for name, data in found.items()]


def _seen(run: Group, variable: str) -> list[Seen]:
    """List what was observed of a variable: what a run learnt from, or else of one of training runs the largest."""
    if observed := observed_table(run, variable):
        return [Seen(year=row["date"], level=row["value"], label=row["label"]) for row in observed.rows()]
    attrs = run.attrs
    known = variable == "physical_compute" or (variable == "spending" and attrs["dollars"] == "real 2023")
    is_alike = str(attrs["subject"]).startswith("largest training run")
    return _largest(variable, int(float(attrs["first_year"])) - 10) if known and is_alike else []


_COLUMNS = {"physical_compute": "log10_training_flop", "spending": "log10_cost_usd"}


@cache
def _largest(variable: str, since: int) -> list[Seen]:
    """List the training runs that were the largest or the second when they came out; costs are in dollars of 2023."""
    points = ((row, row[_COLUMNS[variable]]) for row in frontier_runs(top=2, since=since).rows())
    return [Seen(year=row["year"], level=level, label=row["name"]) for row, level in points if level is not None]


def _of(asked: Asked) -> tuple[str, ...]:
    """Tell of which scenario a request is: its name, its text, and what is set in it."""
    return asked.get("scenario", ""), asked.get("text", ""), *asked.get("set", ())


def _refuse_files(data: Any, *, own: str) -> None:
    """Refuse what names a file: a page has nothing read but what is shipped and what is explored, `own`."""
    for key, name in named_files(data):
        if name != own and not (key in ("extends", "scenario") and name in shipped_names("scenarios")):
            raise InputError(
                f"{key}: names the file {shown(name)}, and what comes from a page may not. "
                "Name a shipped scenario or table, or open the file: simulate explore FILE."
            )


def _key(path: Path) -> str:
    """Name the entry that a path leads to; of an item of a list, that of the list."""
    return str(next((part for part in reversed(path) if not isinstance(part, int) and not is_item_name(part)), ""))


def _draw(run: Group, folder: FilePath) -> None:
    """Draw the fan of a run into its folder, as the command does."""
    from simulator.charts.drawing import write_charts

    write_charts(run, folder)
    mark_latest(folder)
