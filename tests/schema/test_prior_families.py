"""A prior family is one record: everything follows from it, of what is shipped and of what a package adds in a file."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from simulator import parse_scenario, simulate
from simulator.errors import ScenarioError
from simulator.priors.joint import joint_prior
from simulator.registers import attribute_at
from simulator.scenario.describing import schema_text
from simulator.scenario.load import load_scenario
from simulator.schema.prior_families import FAMILIES, SHIPPED, family_of
from simulator.schema.statements import STATEMENT_KEYS, Prior
from simulator.testing import scenario_text, small_scenario

MODULE = """\
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from scipy import special
from simulator.schema.prior_families import FitError, PriorFamily

@dataclass(frozen=True)
class HalfNormal:
    sigma: float
    shift: float = 0.0

    @property
    def support(self):
        return self.shift, np.inf

    def ppf(self, u):
        return self.shift + self.sigma * special.ndtri(0.5 + 0.5 * np.asarray(u))

    def cdf(self, x):
        return np.where(np.asarray(x) > self.shift, 2 * special.ndtr((np.asarray(x) - self.shift) / self.sigma) - 1, 0.0)

    def logpdf(self, x):
        z = (np.asarray(x) - self.shift) / self.sigma
        return np.where(z >= 0, 0.5 * np.log(2 / np.pi) - np.log(self.sigma) - 0.5 * z * z, -np.inf)

def fit(statement):
    if statement.median is not None:
        return HalfNormal(statement.median / special.ndtri(0.75))
    if statement.parameters["sigma"] <= 0:
        raise FitError("sigma", "must be above 0.", "Write a positive width.")
    return HalfNormal(statement.parameters["sigma"], statement.parameters.get("shift", 0.0))

FAMILY = PriorFamily(
    "half-normal", "half normal", (("sigma",), ("median",)), fit, HalfNormal,
    keys={"sigma": "Width of a half-normal prior.", "shift": "Where a half-normal prior begins."},
    optional=frozenset({"shift"}), positive=True,
)
"""
ENTRIES = """\
[simulator.prior_families]
half-normal = half_normal:FAMILY
broken = half_normal:no_such_record
"""
START = "drivers.compute.start"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for a package that was installed: a module, and the entry points of its distribution."""
    (tmp_path / "half_normal.py").write_text(MODULE)
    folder = tmp_path / "team-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: team\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "half_normal", raising=False)
    return tmp_path


def text(start: object, **changes: object) -> str:
    return scenario_text(small_scenario({START: start, **changes}))


@pytest.mark.parametrize("family", SHIPPED.values(), ids=SHIPPED)
def test_what_a_shipped_record_names_is_there(family: object) -> None:
    record = SHIPPED[family.name]
    for place in filter(None, (record.fit, record.kind, record.twin)):
        assert callable(attribute_at(str(place)))
    if record.kind:
        assert family_of(attribute_at(str(record.kind))) is record
    assert not record.whole or record.whole in STATEMENT_KEYS
    assert set(record.short) <= set(Prior.model_fields)


@pytest.mark.usefixtures("installed")
def test_a_family_of_an_installed_package_is_used_by_its_name() -> None:
    scenario = parse_scenario(text({"family": "half-normal", "sigma": 2e26, "shift": 1e25, "unit": "FLOP"}))
    prior = joint_prior(scenario.spec).priors[START]
    assert prior.understood == "half normal, median 1.45e+26 (90 % 2.25e+25 to 4.02e+26) FLOP"
    run = simulate(scenario)
    drawn = 10 ** run["trajectories/physical_compute"].values[:, 0]
    kind = import_module("half_normal").HalfNormal
    assert np.median(kind(2e26, 1e25).cdf(drawn)) == pytest.approx(0.5, abs=0.01)
    assert drawn.min() > 1e25


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"family": "half-normal", "sigma": -1.0}, r"start\.sigma: must be above 0\.\n.*Write a positive width"),
        ({"family": "half-normal", "sigma": "wide"}, r"start\.sigma: must be a number; got 'wide'"),
        ({"family": "half-normal", "sigmas": 2.0}, r"start\.sigmas: no such key"),
        ({"family": "half-normal", "alpha": 2.0}, r"start\.alpha: a half-normal is not stated by alpha"),
        ({"family": "half-normal", "sigma": 1.0, "value": 2.0}, r"start\.sigma: stands beside value"),
        ({"family": "half-normal"}, r"start: states no numbers"),
        ({"family": "lognormal", "sigma": 2.0}, r"start\.sigma: no such key"),
        ({"family": "half-normal", "median": -1.0}, r"start\.median: must be above 0: nothing"),
        (
            {"family": "half-norm", "sigma": 1.0},
            r"must be one of 'fixed', .*, 'function', 'input', 'broken' or 'half-normal'",
        ),
        ({"family": "broken", "sigma": 1.0}, r"start\.family: broken: .* cannot be imported"),
    ],
)
def test_what_is_wrong_with_it_is_told_as_of_any_other(start: dict[str, object], words: str) -> None:
    with pytest.raises(ScenarioError, match=rf"(?s){words}"):
        parse_scenario(text(start))


@pytest.mark.usefixtures("installed")
def test_a_number_of_it_that_is_changed_drops_its_source(tmp_path: Path) -> None:
    start = {"family": "half-normal", "sigma": 2e26, "unit": "FLOP"}
    (tmp_path / "small.yaml").write_text(text({**start, "source": "A 2024"}))
    changed = load_scenario(tmp_path / "small.yaml", overrides=[f"{START}.sigma=3e26"])
    assert changed.data["drivers"]["compute"]["start"] == {**start, "sigma": 3e26}


@pytest.mark.usefixtures("installed")
def test_a_prior_that_is_written_reads_back() -> None:
    stated = {"family": "half-normal", "sigma": 2e26, "shift": 1e25, "unit": "FLOP"}
    prior = Prior.model_validate(stated)
    assert prior.model_dump(by_alias=True, exclude_none=True) == stated
    assert Prior.model_validate(prior.model_dump(exclude_none=True)) == prior


def test_the_schema_lists_what_is_installed_and_nothing_else(installed: Path) -> None:
    (installed / "team-1.0.dist-info" / "entry_points.txt").write_text(
        ENTRIES.replace("broken = half_normal:no_such_record\n", "")
    )
    forms = json.loads(schema_text("scenario"))["$defs"]["Prior"]["anyOf"]
    (prior,) = [form for form in forms if "properties" in form]
    assert prior["properties"]["family"]["anyOf"][0]["enum"] == [*SHIPPED, "half-normal"]
    assert prior["properties"]["sigma"] == {"type": "number", "description": "Width of a half-normal prior."}
    assert "<own>" not in prior["properties"]


def test_what_is_installed_is_not_looked_through_for_what_is_shipped() -> None:
    code = (
        "import importlib.metadata as m\ndef no(**_): raise SystemExit('looked')\nimport simulator.registers as r\n"
        "r.entry_points = no\nfrom simulator import load_scenario, simulate\n"
        "simulate(load_scenario('baseline', overrides=['samples=256']))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True).stderr == ""


def test_families_are_listed_in_the_order_of_the_records() -> None:
    assert FAMILIES.names()[: len(SHIPPED)] == tuple(SHIPPED)
