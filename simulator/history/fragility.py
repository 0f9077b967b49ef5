"""Whether what was learnt from history is fragile: conflict with the priors, groups of runs that carry the rate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np

from simulator.errors import InputError
from simulator.files import short_hash
from simulator.history.columns import last_day
from simulator.history.diagnostics import (
    RATES,
    SENSITIVE,
    Diagnostics,
    Sensitivity,
    diagnose,
    elements,
    is_latent,
    sensitivities,
)
from simulator.history.fit import SamplerSettings, fit_history
from simulator.history.frontier import chosen_runs
from simulator.history.leave_out import RateWithout, members, rates_without
from simulator.history.leave_out import leave_out as without_names
from simulator.history.loading import SHIPPED_TOP, SNAPSHOT, shipped_accelerators
from simulator.history.observations import Array, observations
from simulator.runs.groups import group
from simulator.runs.result import Result
from simulator.runs.table import Table
from simulator.wording import signed

if TYPE_CHECKING:
    import xarray as xr

LARGEST_SHIFT: Final[float] = 2.0
"""Prior standard deviations by which the posterior mean may move before it counts as a conflict."""
DECIDED: Final[float] = 0.9
"""The contraction from which the data decide."""
_MEANINGS: Final = {
    DECIDED: "the data decide", 0.5: "mostly the data", 0.1: "mostly the prior", -0.1: "the data say nothing",
}  # fmt: skip
"""What a contraction of so much or more means."""
_OF_DRAWS: Final[frozenset[str]] = frozenset({"chain", "draw"})


@dataclass(frozen=True, slots=True)
class PriorShift:
    """Compare the prior and the posterior of one unknown; `conflict` says whether the shift is above 2 either way.

    `shift` = (posterior mean - prior mean) / prior sd. `contraction` = 1 - (posterior sd / prior sd)^2: 0 where the
    data say nothing, near 1 where they say nearly all, below 0 where they made it less certain.
    """

    unknown: str
    prior_mean: float
    prior_sd: float
    posterior_mean: float
    posterior_sd: float
    shift: float
    contraction: float
    conflict: bool

    @property
    def is_single(self) -> bool:
        """Whether the unknown has one value, and not one a year."""
        return "[" not in self.unknown

    @property
    def line(self) -> str:
        """The comparison in words."""
        digits = ".1f" if abs(self.prior_mean) > 1000 else ".3g"  # a date
        rate = f" ({10**self.posterior_mean:.2f}x a year)" if self.unknown in RATES else ""
        text = (
            f"{self.unknown}: prior {self.prior_mean:{digits}} ± {self.prior_sd:.2g}, posterior "
            f"{self.posterior_mean:{digits}} ± {self.posterior_sd:.2g}{rate}, {signed(self.shift, digits=1)} prior sd"
        )
        end = "the data contradict the prior" if self.conflict else contraction_words(self.contraction)
        return f"{text}: {end}"


def contraction_words(contraction: float) -> str:
    """Say what a contraction means.

    >>> contraction_words(0.99), contraction_words(0.36), contraction_words(-0.03)
    ('contraction 99 %: the data decide', 'contraction 36 %: mostly the prior', 'contraction 0 %: the data say nothing')
    """
    # The prior's variance is that of 1,000 draws: some per cent either way are noise.
    share = f"{100 * contraction:.0f} %" if contraction <= -0.1 or contraction >= 0 else "0 %"
    share = "> 99 %" if contraction > 0.995 else share
    meaning = next((words for least, words in _MEANINGS.items() if contraction >= least), "less sure than before")
    return f"contraction {share.replace('-', '−')}: {meaning}"


def conflicts(fit: xr.DataTree) -> tuple[PriorShift, ...]:
    """Compare prior and posterior of every unknown that has a prior of its own.

    Paths over `year` follow from the unknowns and are left out, as are latent forms (`name__z`, `name_excess`),
    whose value stands beside them, and what is fixed. Each yearly step is an unknown of its own.
    """
    prior, posterior = group(fit, "prior"), group(fit, "posterior")
    shifts = []
    for name in prior.data_vars:
        if name not in posterior or "year" in prior[name].dims or is_latent(str(name)):
            continue
        learnt = dict(elements(posterior[name], within=_OF_DRAWS))
        for label, believed in elements(prior[name], within=_OF_DRAWS):
            if label in learnt and np.ptp(believed) > 0:
                shifts.append(_shift(label, believed, learnt[label]))
    return tuple(shifts)


def _shift(label: str, believed: Array, learnt: Array) -> PriorShift:
    prior_mean, prior_sd = float(believed.mean()), float(believed.std())
    mean, sd = float(learnt.mean()), float(learnt.std())
    shift = (mean - prior_mean) / prior_sd
    contraction = 1.0 - (sd / prior_sd) ** 2
    return PriorShift(label, prior_mean, prior_sd, mean, sd, shift, contraction, abs(shift) > LARGEST_SHIFT)


@dataclass(frozen=True, repr=False)
class Fragility(Result):
    """What speaks for and against trusting what was learnt from one history up to the end of a year."""

    kind: ClassVar[str] = "fragility"

    snapshot: str
    origin: int
    runs: int
    shifts: tuple[PriorShift, ...]  # every unknown with a prior
    rates: tuple[RateWithout, ...]  # every group of runs, the most influential first
    sensitivities: tuple[Sensitivity, ...]  # every unknown of one value
    refits: Table  # the three rates without the most influential group, where that was asked for, OOM/year
    diagnostics: tuple[Diagnostics, ...]  # the chains of each fit
    asked: tuple[str, ...] = ()  # the options that ask the same again

    @property
    def folder_name(self) -> str:
        """The folder that it is written into, named by what was asked."""
        return f"fragility-{self.snapshot}-{self.origin}-{short_hash(*self.asked)}"

    def tables(self) -> dict[str, Table]:
        """Give the tables by the names of their CSV files; those that have rows."""
        found = {name: Table.of_records(getattr(self, name)) for name in ("shifts", "rates", "sensitivities")}
        tables = {**found, "refits": self.refits}
        return {name: table.called(name) for name, table in tables.items() if len(table)}

    def texts(self) -> dict[str, str]:
        """Give the page, which `simulate show` prints."""
        return {"fragility.txt": fragility_page(self, command=" ".join(["simulate history fragility", *self.asked]))}

    def lines(self) -> list[str]:
        """Say what conflicts, what carries the rate, and what the rates are sensitive to."""
        return list(fragility_lines(self))

    @property
    def dataset(self) -> xr.DataTree:
        """The tables as arrays along the unknowns, the groups of runs and the rates."""
        import xarray as xr

        groups = {name: table.to_dataset(*_ALONG[name]) for name, table in self.tables().items()}
        attributes = {"snapshot": self.snapshot, "origin": self.origin, "runs": self.runs}
        return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **groups})

    @property
    def holds(self) -> bool:
        """Whether the chains of every fit agreed."""
        return not any(fit.faults for fit in self.diagnostics)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against trusting the rates, one line each."""
        faults = [fault for fit in self.diagnostics for fault in fit.faults]
        shifts = [each.line for each in self.shifts if each.conflict]
        return (*faults, *shifts, *(each.line for each in self.rates if each.flagged))


_ALONG: Final[Mapping[str, tuple[str, ...]]] = {
    "shifts": ("unknown",),
    "rates": ("kind", "left_out"),
    "sensitivities": ("unknown",),
    "refits": ("rate",),
}
"""The tables, and the columns along which the others of each are arrays."""


def history_fragility(
    runs: FilePath | str | None = None,
    *,
    snapshot: str = SNAPSHOT,
    until: str = "2025",
    without_domain: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    refit: bool = False,
    sampler: Literal["pymc", "nutpie"] = "pymc",
    seed: int = 0,
    cache: FilePath | str | None = None,
) -> Fragility:
    """Fit the model of history, and say whether what it learnt is fragile.

    Three things are told: which posterior means lie more than 2 prior standard deviations from the prior mean; which
    groups of runs (a domain, an organisation, a family of names) move the growth of frontier compute by more than
    0.1 OOM/year when they are left out; and how far the posterior moves when a prior or the likelihood is raised to a
    power near 1 (Kallioinen, Paananen, Bürkner and Vehtari 2024, Statistics and Computing 34, 57).

    Parameters
    ----------
    runs : path, optional
        A table of training runs; what is shipped without it.
    snapshot : str
        The date of the estimates in it, or those of the shipped table: 2026-05 or 2025-06.
    until : str
        The last day of what was known: a year, a month or a day. Years that had ended by then count.
    without_domain : sequence of str
        Domains that are left out of the frontier, such as Games.
    leave_out : sequence of str
        More groups to try the rate without: names, with * for any letters, joined by commas: "AlphaGo*,AlphaZero".
    refit : bool
        Fit again without the group that moves the rate most.
    sampler : {"pymc", "nutpie"}
    seed : int
        Of the chains.
    cache : path, optional
        A folder of fits; one that is there is read, any other takes a minute or more and is stored.

    Returns
    -------
    Fragility
        With its `lines()` and `tables()`: shifts, rates, sensitivities, refits.

    Raises
    ------
    InputError
        The table cannot be read, is too short, or has no such domain or run.

    Examples
    --------
    >>> history_fragility(leave_out=["NoSuchRun"])
    Traceback (most recent call last):
    simulator.errors.InputError: --leave-out: ... has no run 'NoSuchRun' by then. ...
    """
    history = chosen_runs(runs, snapshot=snapshot, without_domain=without_domain)
    last = last_day(until, entry="--until")
    # A fit stands at the end of a year: what came in a year that had not ended does not count.
    end = last if (last.month, last.day) == (12, 31) else dt.date(last.year - 1, 12, 31)
    top = SHIPPED_TOP if runs is None else 10
    rates = rates_without(history, until=end, top=top, named=leave_out)
    if refit and not rates:
        raise InputError(
            f"--refit: {history.file} has no group of at least two frontier runs by {end}. "
            "Name a later --until, or a group by hand with --leave-out."
        )
    histories = [history]
    if refit:
        histories.append(without_names(history, members(history, rates[0]), reason=rates[0].left_out))
    accelerators = shipped_accelerators()
    seen = [observations(each, accelerators, until=end, top=top) for each in histories]
    settings, folder = SamplerSettings(sampler=sampler, seed=seed), None if cache is None else FilePath(cache)
    fits = [fit_history(each, settings=settings, cache=folder) for each in seen]
    asked = [f"--snapshot {snapshot}", f"--until {until}", f"--sampler {sampler}", f"--seed {seed}"]
    asked += [f"--runs {runs}"] if runs is not None else []
    asked += [f"--without-domain '{domain}'" for domain in without_domain]
    asked += [f"--leave-out '{names}'" for names in leave_out]
    asked += ["--refit"] if refit else []
    return Fragility(
        snapshot=seen[0].snapshot,
        origin=seen[0].years[1],
        runs=int(fits[0].attrs["runs"]),
        shifts=conflicts(fits[0]),
        rates=rates,
        sensitivities=sensitivities(fits[0]),
        refits=_refits(*fits, left_out=rates[0].left_out) if refit else Table({}),
        diagnostics=tuple(diagnose(each) for each in fits),
        asked=tuple(asked),
    )


def _refits(fit: xr.DataTree, without: xr.DataTree, *, left_out: str) -> Table:
    """Compare the posterior of the rates with and without a group of runs."""
    table: dict[str, list[object]] = {"left_out": [left_out] * len(RATES), "rate": list(RATES)}
    for each, end in ((fit, ""), (without, "_without")):
        drawn = group(each, "posterior")
        drawn = drawn.assign(compute_growth=drawn["spending_growth"] + drawn["efficiency_growth"])
        table[f"mean{end}"] = [float(drawn[rate].mean()) for rate in RATES]
        table[f"sd{end}"] = [float(drawn[rate].std()) for rate in RATES]
    return Table(table)


SHOWN = 8
"""Groups that are listed where none is flagged; the table has all."""


def fragility_lines(found: Fragility) -> Iterator[str]:
    """Say in lines what conflicts, what carries the rate, and what the rates are sensitive to."""
    yield (
        f"fragility of what was learnt: {found.snapshot}, {found.runs} frontier runs up to the end of {found.origin}"
    )
    yield from (f"  {line}" for fit in found.diagnostics for line in fit.lines)
    yield "prior and data"
    yield from (f"  {line}" for line in _shift_lines(found.shifts))
    yield "growth of frontier compute with and without a group of runs (a line with heavy-tailed scatter)"
    yield from (f"  {line}" for line in _rate_lines(found.rates))
    for place, row in enumerate(found.refits.rows()):
        if place == 0:
            yield f"posterior without {row['left_out']}, the group that moves the rate most"
        yield (
            f"  {row['rate']}: {row['mean']:.2f} ± {row['sd']:.2f} OOM/year, without {row['left_out']} "
            f"{row['mean_without']:.2f} ± {row['sd_without']:.2f}"
        )
    yield "what the rates are sensitive to (distance moved per doubling of a power; 0.05 and more counts)"
    yield from (f"  {line}" for line in _sensitivity_lines(found))
    yield from (f"conclusion: {line}" for line in conclusions(found))


def conclusions(found: Fragility) -> Iterator[str]:
    """Say what the reader should conclude, a sentence for each point."""
    shifted = {each.unknown: each for each in found.shifts}
    for row in found.sensitivities:
        if row.unknown in RATES:
            yield f"{row.unknown} {row.mean:.2f} OOM/year: {row.reading}{_distance(row, shifted.get(row.unknown))}."
    flagged = [each for each in found.rates if each.flagged]
    if flagged:
        most = flagged[0]
        yield (
            f"the rate rests on {most.kind} {most.left_out}: a revision of these runs would move it by "
            f"{abs(most.change):.2f} OOM/year. Forecast with and without them."
        )
    else:
        yield "no group of runs moves the rate by more than 0.1 OOM/year."
    if not all(fit.passed for fit in found.diagnostics):
        yield "the chains do not agree: none of this can be relied on before they do."


def _distance(row: Sensitivity, shift: PriorShift | None) -> str:
    """Say how far the posterior lies from the prior, where that decides what the sensitivities mean."""
    if shift is None:
        return ""
    if shift.conflict:
        return f"; it lies {abs(shift.shift):.1f} prior sd from the prior: one of the two is wrong"
    if row.own_prior >= SENSITIVE and row.likelihood >= SENSITIVE:
        return f"; it lies only {abs(shift.shift):.1f} prior sd from the prior, which informs and does not contradict"
    return ""


def fragility_page(found: Fragility, *, command: str) -> str:
    """Write the page: what was asked, the lines, and how to read them."""
    reading = (
        "A conflict is a posterior mean more than 2 prior standard deviations from the prior mean. Contraction is",
        "1 - variance of the posterior / variance of the prior: near 1 the data say nearly all. A group is flagged",
        "where the rate without it differs by more than 0.1 OOM/year, half an order of magnitude in five years: the",
        "runs that are left are ranked again. Sensitivities raise the priors or the likelihood to a power near 1 and",
        "measure how far the posterior moves, in cumulative Jensen-Shannon distance per doubling (Kallioinen et al.",
        "2024). With few runs many groups are influential; with many, none should be.",
    )
    return "\n".join([f"Written by: {command}", "", *fragility_lines(found), "", *reading]) + "\n"


def _shift_lines(shifts: tuple[PriorShift, ...]) -> Iterator[str]:
    yield from (each.line for each in shifts if each.conflict or each.is_single)
    others = sum(not each.conflict and not each.is_single for each in shifts)
    if others:
        yield f"the {others} steps of single years lie within {LARGEST_SHIFT:g} prior sd"


def _rate_lines(rates: tuple[RateWithout, ...]) -> Iterator[str]:
    flagged = [each for each in rates if each.flagged]
    by_hand = [each for each in rates if each.kind == "by hand" and not each.flagged]
    others = [each for each in rates if not each.flagged and each.kind != "by hand"]
    shown = max(0, SHOWN - len(flagged))
    yield from (each.line for each in (*flagged, *by_hand, *others[:shown]))
    if len(others) > shown:
        yield f"{len(others) - shown} more groups move it by less"


def _sensitivity_lines(found: Fragility) -> Iterator[str]:
    for row in found.sensitivities:
        if row.unknown in RATES:
            yield (
                f"{row.unknown}: own prior {row.own_prior:.3f}, all priors {row.prior:.3f}, all data "
                f"{row.likelihood:.3f} (runs {row.runs:.3f}, costs {row.costs:.3f}, accelerators "
                f"{row.accelerators:.3f}); mean {row.mean:.3f}, with half its prior {row.mean_own_prior_half:.3f}, "
                f"with twice {row.mean_own_prior_double:.3f}"
            )
