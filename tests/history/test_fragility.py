"""Conflict, groups and sensitivities are put together and said; a fit is made again only where asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import simulator.history.fragility
from simulator.cli.main import main
from simulator.errors import InputError
from simulator.history.diagnostics import Diagnostics, Sensitivity, reading
from simulator.history.fragility import (
    Fragility,
    PriorShift,
    conclusions,
    conflicts,
    contraction_words,
    fragility_lines,
    fragility_page,
    history_fragility,
)
from simulator.history.leave_out import RateWithout
from simulator.history.observations import Observations
from simulator.runs.table import Table
from tests.columns import unsaid

GOOD = Diagnostics(4, 800, 1.001, "a", 2000.0, "a", 2000.0, "a", 0)
GAMES = RateWithout("domain", "Games", 6, 0.85, 0.63, 0.22, True)
VISION = RateWithout("domain", "Vision", 12, 0.85, 0.88, -0.03, False)
SHIFT = PriorShift("spending_growth", 0.35, 0.35, 0.66, 0.11, 0.9, 0.9, conflict=False)


def sensitivity(name: str, *, own: float, data: float) -> Sensitivity:
    said = reading(own_prior=own, likelihood=data, other_prior=0.0, other_prior_of="run_tail", parts={})
    return Sensitivity(name, own, own, 0.0, "run_tail", data, data, 0.0, 0.0, 0.66, 0.67, 0.65, said)


SENSITIVITIES = (sensitivity("spending_growth", own=0.01, data=0.3),)
FOUND = Fragility("2025-06", 2018, 25, (SHIFT,), (GAMES, VISION), SENSITIVITIES, Table({}), (GOOD,))


def test_what_is_flagged_is_a_warning_and_the_conclusion() -> None:
    assert FOUND.warnings == (GAMES.line,)
    said = list(conclusions(FOUND))
    assert said[0].startswith("spending_growth 0.66 OOM/year: the likelihood dominates")
    assert "rests on domain Games: a revision of these runs would move it by 0.22 OOM/year" in said[1]
    assert list(conclusions(replace(FOUND, rates=(VISION,))))[1].startswith("no group of runs moves the rate")


def test_a_conflict_is_told_from_a_prior_that_informs() -> None:
    both = (sensitivity("spending_growth", own=0.1, data=0.3),)
    assert "informs and does not contradict" in next(conclusions(replace(FOUND, sensitivities=both)))
    far = replace(SHIFT, shift=-3.2, conflict=True)
    found = replace(FOUND, sensitivities=both, shifts=(far,))
    assert "3.2 prior sd from the prior: one of the two is wrong" in next(conclusions(found))
    assert found.warnings[0] == far.line


def test_chains_that_disagree_are_said_before_all_else() -> None:
    bad = replace(GOOD, rhat=1.2)
    found = replace(FOUND, diagnostics=(bad,))
    assert found.warnings[0] == bad.faults[0]
    assert "none of this can be relied on" in list(conclusions(found))[-1]


def test_the_page_has_the_command_the_lines_and_how_to_read_them() -> None:
    row = {"left_out": "Games", "rate": "compute_growth", "mean": 0.85, "sd": 0.1, "mean_without": 0.61}
    found = replace(FOUND, refits=Table.of_rows([row | {"sd_without": 0.08}]))
    page = fragility_page(found, command="simulate history fragility --x")
    assert page.startswith("Written by: simulate history fragility --x\n")
    assert all(line in page for line in fragility_lines(found))
    assert "compute_growth: 0.85 ± 0.10 OOM/year, without Games 0.61 ± 0.08" in page
    assert "Kallioinen" in page


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[Observations]:
    """Stand in for the fits, which take long and have tests of their own."""
    seen: list[Observations] = []

    def fit_history(observed: Observations, **_: Any) -> xr.DataTree:
        seen.append(observed)
        rng = np.random.default_rng(len(seen))
        values = {name: (("chain", "draw"), rng.normal(0.5 / len(seen), 0.1, (4, 500))) for name in (
            "spending_growth", "efficiency_growth")}  # fmt: skip
        stats = {"diverging": (("chain", "draw"), np.zeros((4, 500), dtype=bool))}
        attrs = {"known_to": observed.known_to, "runs": observed.run_year.size}
        return xr.DataTree.from_dict({
            "/": xr.Dataset(attrs=attrs), "prior": xr.Dataset(values), "posterior": xr.Dataset(values),
            "sample_stats": xr.Dataset(stats)})  # fmt: skip

    monkeypatch.setattr(simulator.history.fragility, "fit_history", fit_history)
    monkeypatch.setattr(simulator.history.fragility, "sensitivities", lambda *_, **__: FOUND.sensitivities)
    return seen


def test_a_history_is_fitted_once_and_again_without_its_most_influential_group_if_asked(
    fitted: list[Observations],
) -> None:
    options: dict[str, Any] = {"snapshot": "2025-06", "until": "2018"}
    found = history_fragility(**options)
    assert len(fitted) == 1
    assert not found.refits
    assert (found.origin, found.runs) == (2018, fitted[0].run_year.size)
    again = history_fragility(**options, refit=True)
    assert fitted[2].run_year.size < fitted[1].run_year.size
    assert set(again.refits["left_out"]) == {"Games"}
    assert again.refits["rate"].tolist() == ["spending_growth", "efficiency_growth", "compute_growth"]
    assert (again.refits["mean_without"] < again.refits["mean"]).all()
    assert len(again.diagnostics) == 2


def test_the_command_writes_its_tables_and_a_page(
    fitted: list[Observations], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["history", "fragility", "--snapshot", "2025-06", "--until", "2018-09", "--output", str(tmp_path), "--refit",
          "--leave-out", "AlphaGo*"])  # fmt: skip
    (folder,) = tmp_path.glob("fragility-2025-06-2017-*")  # the last year that had ended
    assert {each.name for each in folder.iterdir()} == {
        "shifts.csv", "rates.csv", "sensitivities.csv", "refits.csv", "fragility.txt",
    }  # fmt: skip
    assert "--leave-out 'AlphaGo*'" in (folder / "fragility.txt").read_text(encoding="utf-8")
    captured = capsys.readouterr()
    assert "conclusion: " in captured.out
    assert "warning: domain Games" in captured.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--snapshot", "2024-01"], "--snapshot: the shipped table has the estimates of 2026-05 and 2025-06"),
        (["--without-domain", "Gamez"], "Gamez"),
        (["--leave-out", "AlphaGone"], "--leave-out"),
        (["--until", "2006"], "no run was published by"),
    ],
)
def test_bad_input_is_refused(
    fitted: list[Observations], tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["history", "fragility", "--output", str(tmp_path), *arguments])
    assert ending.value.code == 2
    assert text in capsys.readouterr().err
    assert not fitted


RNG = np.random.default_rng(2)


def draws(mean, sd, size=1000):
    values = RNG.standard_normal(size)
    values = (values - values.mean()) / values.std()
    return (("chain", "draw"), (mean + sd * values)[None])


def fit(prior, posterior):
    return xr.DataTree.from_dict({"prior": xr.Dataset(prior), "posterior": xr.Dataset(posterior)})


@pytest.mark.parametrize(("mean", "conflict"), [(0.35 + 0.69, False), (0.35 + 0.71, True), (0.35 - 0.71, True)])
def test_a_mean_beyond_two_prior_deviations_either_way_is_a_conflict(mean, conflict):
    (found,) = conflicts(fit({"rate": draws(0.35, 0.35)}, {"rate": draws(mean, 0.1)}))
    assert found.conflict is conflict
    assert found.shift == pytest.approx((mean - 0.35) / 0.35)
    assert found.contraction == pytest.approx(1 - (0.1 / 0.35) ** 2)
    assert ("contradict" in found.line) is conflict


def test_data_that_widen_a_prior_contract_it_by_less_than_nothing():
    (found,) = conflicts(fit({"rate": draws(0, 1)}, {"rate": draws(0, 2)}))
    assert found.contraction == pytest.approx(-3)


def test_each_step_is_an_unknown_and_paths_helpers_and_fixed_values_are_none():
    steps = (("chain", "draw", "step"), np.stack([draws(0, 1)[1], draws(0, 1)[1]], axis=2))
    path = (("chain", "draw", "year"), np.ones((1, 1000, 3)))
    prior = {"rate__z": draws(0, 1), "tail_excess": draws(1, 1), "fixed": draws(3, 0), "steps": steps, "path": path}
    tree = fit(prior, {**prior, "steps": (("chain", "draw", "step"), steps[1] + [0.0, 2.5])})
    tree["prior"] = tree["prior"].to_dataset().assign_coords(step=[2013.0, 2014.0])
    tree["posterior"] = tree["posterior"].to_dataset().assign_coords(step=[2013.0, 2014.0])
    assert {row.unknown: row.conflict for row in conflicts(tree)} == {"steps[2013]": False, "steps[2014]": True}


def test_a_step_that_the_data_do_not_reach_is_left_out():
    believed = xr.Dataset(
        {"steps": (("chain", "draw", "step"), np.array([[[0.0, 1.0], [1.0, 0.0]]]))}, {"step": [1, 2]}
    )
    tree = xr.DataTree.from_dict({"prior": believed, "posterior": believed.isel(step=[0])})
    assert [row.unknown for row in conflicts(tree)] == ["steps[1]"]


def test_a_fit_without_prior_draws_is_refused():
    with pytest.raises(InputError, match="no prior"):
        conflicts(xr.DataTree.from_dict({"posterior": xr.Dataset({"rate": draws(0, 1)})}))


def test_its_dataset_has_the_tables_along_unknowns_and_groups() -> None:
    data = FOUND.dataset
    assert data["rates/change"].sel(kind="domain", left_out="Games") == 0.22
    assert data["shifts/shift"].sel(unknown="spending_growth") == 0.9
    assert "refits" not in data.children
    refits = Table({f"{name}{end}": [0.1] for name in ("mean", "sd") for end in ("", "_without")})
    assert unsaid(replace(FOUND, refits=refits).tables()) == []


@pytest.mark.parametrize(
    ("contraction", "words"),
    [
        (0.999, "contraction > 99 %: the data decide"),
        (0.7, "contraction 70 %: mostly the data"),
        (0.04, "contraction 4 %: the data say nothing"),
        (-1.5, "contraction −150 %: less sure than before"),
    ],
)
def test_contraction_is_put_in_words(contraction: float, words: str) -> None:
    assert contraction_words(contraction) == words
