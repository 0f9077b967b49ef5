"""What the page and the engine say to one another, as JSON.

The page knows nothing of scenarios but what stands here. Levels are in log10 of the unit, differences in OOM; years
are numbers such as 2031.4; what does not happen is null. Texts are ready to be shown.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field

type Kind = Literal["prior", "number", "switch", "weight"]

CLOSED = ConfigDict(extra="forbid", strict=True)
"""What comes from a page is checked against its type: no other keys, nothing that is made to fit."""
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Name = Annotated[str, Field(max_length=300)]


class Change(TypedDict, total=False):
    """What a reader changed of one control: only what differs from the scenario that is explored."""

    __pydantic_config__ = CLOSED  # type: ignore[misc]

    median: Number  # of a prior, in its unit: its interval moves along (in the log where it is positive)
    width: Annotated[Number, Field(gt=0, le=1000)]  # of a prior: factor on both sides of its interval; 1 is as stated
    family: Name  # of a prior
    value: Number  # of a number or a date
    on: bool  # of a switch: a cap, a constraint, an event
    weight: Annotated[Number, Field(ge=0, le=1e6)]  # of a part of a mixture, before all are made to sum to 1


Changes = Annotated[dict[Name, Change], Field(max_length=1000)]
"""By the path of the control."""


class Density(TypedDict):
    """A prior as drawn at its control: values in the unit, density per unit of the scale of the control."""

    x: list[float]
    y: list[float]


class Control(TypedDict):
    """Something that can be changed."""

    path: str  # dotted, as `--set` takes it; the key of its change
    kind: Kind
    label: str
    group: str  # the name of its group
    unit: str
    median: NotRequired[float]  # of a prior
    low: NotRequired[float]  # 5 %
    high: NotRequired[float]  # 95 %
    value: NotRequired[float]  # of a number or date
    on: NotRequired[bool]  # of a switch
    weight: NotRequired[float]  # of a part of a mixture
    family: NotRequired[str]
    families: NotRequired[list[str]]  # which can be chosen, its own first; of one alone there is no choice
    scale: NotRequired[Literal["log", "linear"]]
    span: NotRequired[tuple[float, float]]  # between which its handle moves; a number box takes others too
    density: NotRequired[Density]
    share: NotRequired[float]  # of the variance of the outcome (first order); absent where it is not known
    about: str  # what it is, in a sentence or two; may be empty
    source: str
    url: str
    confidence: str
    as_of: str
    held: NotRequired[str]  # why it cannot be changed in a page that is a file
    understood: str  # such as "lognormal 2.4 (2.0 to 2.9) x/year"


class Group(TypedDict):
    """Controls that stand together."""

    name: str
    title: str
    controls: list[str]  # paths, those that matter most first


class Variable(TypedDict):
    """A variable whose fan can be shown."""

    name: str
    title: str
    unit: str
    log: bool  # whether its levels are log10 of the unit; a count or a metric is a plain number


class Threshold(TypedDict):
    """A line of the fan and a row of the strip of years."""

    name: str
    label: str
    variable: str
    level: float | None  # its median, log10; null where it is no level of a variable with a fan


class Crossing(TypedDict):
    """When a threshold is crossed: quantiles count "never" as later than the last year (null)."""

    name: str
    label: str
    quantiles: list[float | None]  # at `levels` of the picture
    never: float  # share of the samples
    already: float  # share of the samples that are past it in the first year
    error: float | None  # Monte Carlo standard error of the median, in years
    by: list[float]  # P(crossed by each of the years of the fan)
    by_error: list[float | None]  # its standard error


class Fan(TypedDict):
    """Quantiles of a variable by year, log10 of the unit where it is `log`."""

    variable: str
    title: str
    unit: str
    log: bool
    quantiles: list[list[float | None]]  # by level, then by year; null where a level is beyond any number
    error: list[float | None]  # Monte Carlo standard error of the median, OOM, by year; null where it cannot be told
    errors: NotRequired[list[list[float | None]]]  # of every quantile, of a page that is a file
    alt: str  # what one sees in it


class Limit(TypedDict):
    """What holds a share of the samples back, by year."""

    name: str
    label: str
    on: str  # what it holds back; shares of the limits on one thing add up to at most 1
    share: list[float]


class Seen(TypedDict):
    """A point of history."""

    year: float
    level: float
    label: str


class Moved(TypedDict):
    """What moved one number between the scenario as it was opened and as it is, input by input."""

    title: str  # such as "median effective compute in 2045"
    unit: str  # "OOM" or "years"
    before: float
    after: float
    inputs: list[tuple[str, float, float | None]]  # label, what it moved, its standard error; the greatest first
    lines: list[str]  # the same in words


class Picture(TypedDict):
    """Everything that the right side shows of one scenario."""

    run: str  # id of the run with these samples, "" where there is none
    title: str
    samples: int
    levels: list[float]  # of quantiles, such as 0.05, 0.25, 0.5, 0.75, 0.95
    years: list[float]
    fans: list[Fan]  # of every variable with a fan
    thresholds: list[Threshold]
    crossings: list[Crossing]
    limits: list[Limit]
    headline: str  # one or two sentences: what a screen reader is told
    alts: dict[str, str]  # by chart (fan, crossings, by, limits, moved): what one sees there
    warnings: list[str]
    command: str  # that gives the same numbers, such as "simulate baseline --set ..."; "" where none does


class State(TypedDict):
    """What a page is opened with."""

    name: str
    extends: str  # how a link names it; "" where no name leads to it
    set: list[str]  # what was set in it before it was opened, as `path=value`
    title: str
    subject: str
    notes: str
    samples: tuple[int, int]  # while a handle moves, at rest
    variables: list[Variable]  # the main one first
    groups: list[Group]
    controls: list[Control]  # those that matter most first
    history: dict[str, list[Seen]]  # by variable
    presets: list[tuple[str, str]]  # name and title of scenarios that can be opened beside or in its place
    picture: Picture  # as it was opened, with the samples of the scenario
    version: str
    alone: NotRequired[str]  # of a page that is a file: what it can show. It opens nothing else and writes nothing


class Fault(TypedDict):
    """Why something cannot be changed so, in the words of the reader of scenario files."""

    path: str  # of the control; "" where it is about the whole
    text: str


class Asked(TypedDict):
    """A request of the page."""

    __pydantic_config__ = CLOSED  # type: ignore[misc]

    kind: Literal["state", "picture", "moved", "save", "run", "stop"]  # "stop" ends what learns
    scenario: NotRequired[Name]  # name of a preset or of the one that is explored, which "" means too
    set: NotRequired[Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=500)]]  # `path=value`
    text: NotRequired[Annotated[str, Field(max_length=200_000)]]  # a scenario file, in the place of `scenario`
    changes: NotRequired[Changes]
    samples: NotRequired[Annotated[int, Field(ge=1)]]  # those of the scenario where it is absent
    page: NotRequired[Name]  # which of several open pages asks, by a name of its own making
    serial: NotRequired[Annotated[int, Field(ge=0, le=2**53)]]  # of two that a page asks, the later is answered
    since: NotRequired[Name]  # of "moved": the preset it is held against, "" for the scenario as it was opened


class Answer(TypedDict, total=False):
    """An answer to the page: what was asked for, or faults."""

    serial: int
    state: State
    picture: Picture
    controls: list[Control]  # beside a picture: those that were changed, as they are now understood
    moved: list[Moved]
    text: str  # of a saved scenario file
    settings: list[str]  # the changes as `path=value`, in the order of the scenario
    folder: str  # in which a run was written
    file: str  # how what is saved is called
    faults: list[Fault]
    overtaken: bool  # a later request took its place
    learning: str  # it learns from history first: how far that is. To be asked again in a while
