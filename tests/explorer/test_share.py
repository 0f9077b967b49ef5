"""One file works alone: under a strict policy, without a network, with the numbers of the simulator."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from simulator.charts.bundle import allowed, vega_script
from simulator.errors import InputError
from simulator.explorer.changes import changed
from simulator.explorer.draws import Known, draws_of
from simulator.explorer.explorer import Explorer
from simulator.explorer.picture import picture
from simulator.explorer.share import (
    MOST_BYTES,
    Packed,
    levels_in_steps,
    page_script,
    shared_text,
    write_shared,
)
from simulator.testing import small_scenario

CHROMIUM = Path("/usr/bin/chromium")
START, GROWTH = "drivers.compute.start", "drivers.compute.growth"
DATA = {
    **small_scenario({"samples": 4096, "block": 512, "title": "Small </script><b>"}),
    "correlations": [{"between": [START, GROWTH], "rank": 0.5}],
    "thresholds": {"far": {"physical_compute": 1e30}, "near": {"physical_compute": 1e25}},
}
DATA["drivers"]["compute"]["caps"] = {
    "power": {"kind": "hard", "limit": {"median": 3e31, "interval_90": [3e30, 3e32], "unit": "FLOP"}}
}


def unpacked(text):
    """Read what `Packed` writes: the arrays by name, and the plain data."""
    whole = zlib.decompress(base64.b64decode(text))
    length = int(np.frombuffer(whole[:4], np.uint32)[0])
    head = json.loads(whole[4 : 4 + length])
    place, arrays = 4 + length, {}
    for name, said in head["parts"].items():
        size = said["rows"] * said["samples"]
        planes = np.frombuffer(whole, np.uint8, 3 * size, place).reshape(3, said["rows"], -1).astype(np.int64)
        told = planes[0] + 256 * planes[1] + 65536 * planes[2]
        arrays[name] = np.cumsum(np.where(told % 2, -(told + 1) // 2, told // 2), axis=0)
        place += 3 * size
    return arrays, head


def packed_of(page):
    """Take what was packed out of a page."""
    return re.findall(r'id="shared">([^<]*)<', page)[0]


@pytest.fixture(scope="module")
def explorer():
    return Explorer(DATA)


@pytest.fixture(scope="module")
def page(explorer):
    return shared_text(explorer)[0]


def test_the_policy_names_each_script_and_nothing_comes_from_elsewhere(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    (script,) = re.findall(r'<script type="module">(.*?)</script>', page, flags=re.DOTALL)
    (sheet,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    assert re.findall(r"'sha256-[^'\s]+'", policy) == [allowed(script), allowed(vega_script()), allowed(sheet)]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    head = page.split("<style>")[0]
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", head)
    assert "Small </script>" not in page
    assert len(page.encode()) < MOST_BYTES


def test_the_file_holds_the_state_and_says_what_cannot_be_changed(explorer, page):
    arrays, head = unpacked(packed_of(page))
    state = explorer.answer({"kind": "state"})["state"]
    assert head["state"]["picture"] == state["picture"]
    held = {each["path"]: each.get("held", "") for each in head["state"]["controls"]}
    assert held[START] == held[GROWTH] == ""
    assert "without it" in held["drivers.compute.caps.power"]
    assert head["state"]["presets"] == []
    assert arrays["fan:physical_compute"].shape[0] == 11
    assert head["vega"] == vega_script()


def test_what_is_packed_errs_by_less_than_half_a_hundredth_and_scores_by_what_a_copula_leaves(explorer, page):
    arrays, head = unpacked(packed_of(page))
    said = head["parts"]["fan:physical_compute"]
    draws = draws_of(explorer.base, Known.of(explorer.base, head["state"]["controls"]), own=5000, wider=400, most=12)
    levels, packed = draws.trajectories["physical_compute"], arrays["fan:physical_compute"]
    assert said["low"] + said["step"] * packed == pytest.approx(levels, abs=0.0026)
    (group,), steps = draws.known.groups, np.array(head["parts"]["scores"]["steps"])
    assert dict(zip(head["names"], steps, strict=True)) == pytest.approx(
        {name: np.sqrt(1 - 2 * np.sin(np.pi / 12)) / 32 if name in group.names else 1 / 32 for name in head["names"]}
    )  # 1 - r is the least variance that is left of two
    places = [head["names"].index(name) for name in group.names]
    apart = (arrays["scores"] * steps[:, None])[places] - np.stack([draws.scores[name] for name in group.names])
    assert np.linalg.norm(np.linalg.solve(group.factor, apart), axis=0).max() < np.sqrt(2) / 64 + 1e-9
    assert head["own"] == 0  # of what is joined


def test_a_file_is_written_whole_and_what_it_holds_is_said(tmp_path):
    (line,) = write_shared(DATA, tmp_path / "new" / "page.html", overrides=["samples=512"])
    assert re.fullmatch(r".*page\.html \(\d\.\d MB, [\d,]+ samples\): opens in any browser, without a network", line)
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["page.html"]


def test_what_cannot_be_opened_is_not_written(tmp_path):
    with pytest.raises(InputError, match=r"samples: 100,000,000,000 samples of .* at most"):
        write_shared(DATA, tmp_path / "page.html", overrides=["samples=100000000000"])
    assert not list(tmp_path.iterdir())


def test_the_page_is_one_module():
    script = page_script()
    assert "import " not in re.sub(r"//.*|/\*.*?\*/", "", script).split("export default")[0].splitlines()[0]
    assert script.count("export default") == 1


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("needs a Chromium to open the page in")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


def shown(browser, file, text):
    """Open a page from the disk, without a network; what it says and asks for is heard."""
    file.write_text(text, encoding="utf-8")
    tab, heard = browser.new_context(offline=True).new_page(), list[str]()
    tab.on("console", lambda message: heard.append(message.text))
    tab.on("pageerror", lambda error: heard.append(str(error)))
    tab.on("request", lambda request: heard.append(request.url))
    tab.goto(file.as_uri())
    tab.locator(".fan svg path").first.wait_for()
    return tab, heard, file


@pytest.fixture(scope="module")
def opened_page(browser, page, tmp_path_factory):
    return shown(browser, tmp_path_factory.mktemp("share") / "page.html", page)


def asked(tab, kind, changes):
    return tab.evaluate("(asked) => explorerModel.shared.answer(asked)", {"kind": kind, "changes": changes})


CHANGES = [
    {GROWTH: {"median": 0.55}},
    {GROWTH: {"width": 0.6}, START: {"median": 1.5e26}},
    {GROWTH: {"median": 0.42, "width": 1.2}},
    {GROWTH: {"median": 0.65}},
    {"drivers.compute.caps.power.limit": {"median": 1e31}},
]


@pytest.mark.slow
@pytest.mark.parametrize("changes", CHANGES)
def test_a_changed_picture_is_that_of_the_changed_scenario_within_its_error(explorer, opened_page, changes):
    found = asked(opened_page[0], "picture", changes)["picture"]
    check(found, picture(changed(explorer.base, changes), 60_000))


def check(found, exact) -> None:
    """Compare a picture that is weighed with that of a run of more samples, within three standard errors."""
    years = len(found["years"])
    for fan, other in zip(found["fans"], exact["fans"], strict=True):
        for at in range(years):
            for level, errors in enumerate(fan["errors"]):
                error = 3 * errors[at] * (1 + (found["samples"] / exact["samples"]) ** 0.5) + 0.005
                close = pytest.approx(other["quantiles"][level][at], abs=error)
                assert fan["quantiles"][level][at] == close, (fan["variable"], level, at)
    for row, other in zip(found["crossings"], exact["crossings"], strict=True):
        for at in range(years):
            error = 3 * (row["by_error"][at] + other["by_error"][at]) + 0.002
            assert row["by"][at] == pytest.approx(other["by"][at], abs=error), (row["name"], at)
        assert row["never"] + row["by"][-1] == pytest.approx(1.0)
    for limit, other in zip(found["limits"], exact["limits"], strict=True):
        error = 4 * 0.5 / found["samples"] ** 0.5
        assert limit["share"] == pytest.approx(other["share"], abs=error), limit["name"]


SLOW = small_scenario(
    {"samples": 4096, "block": 512, "drivers.compute.growth": {"mean": 0.3, "sd": 0.1, "unit": "OOM/year"}}
)
FAST = {**SLOW, "drivers": {"compute": {**SLOW["drivers"]["compute"], "growth": {"mixture": [
    {"weight": 0.5, "mean": 0.5, "sd": 0.1}, {"weight": 0.5, "mean": 0.8, "sd": 0.1}], "unit": "OOM/year"}}}}  # fmt: skip
MIXED = {"schema": 2, "name": "mixed", "mixture": [
    {"name": "slow", "weight": 0.6, "scenario": SLOW}, {"name": "fast", "weight": 0.4, "scenario": FAST}]}  # fmt: skip
FASTER = "mixture[fast].changes.drivers.compute.growth.mixture[{}].weight"


@pytest.mark.slow
def test_weights_of_scenarios_and_of_parts_of_a_prior_are_those_of_the_changed_mixture(browser, tmp_path):
    explorer = Explorer(MIXED)
    tab = shown(browser, tmp_path / "page.html", shared_text(explorer)[0])[0]
    for changes in (
        {"mixture[fast].weight": {"weight": 0.9}},
        {"mixture[slow].weight": {"weight": 0.3}, START: {"median": 2e26}},
        {FASTER.format(0): {"weight": 0.2}, FASTER.format(1): {"weight": 0.9}},
    ):
        found = asked(tab, "picture", changes)
        check(found["picture"], picture(changed(explorer.base, changes), 60_000))
        assert found["controls"][0]["weight"] == next(iter(changes.values()))["weight"]
    for path in ("mixture[fast].weight", FASTER.format(0)):  # as no file may say
        assert asked(tab, "picture", {path: {"weight": 0}})["faults"] == [{"path": path, "text": "Must be above 0."}]


@pytest.mark.slow
def test_the_page_moves_by_the_keyboard_and_says_where_its_samples_end(opened_page):
    tab, heard, file = opened_page
    assert heard == [file.as_uri()]  # no fault, and nothing else is asked for
    assert tab.locator("h1").inner_text() == "Small </script><b>"
    before = tab.locator(".headline").inner_text()
    handle = tab.locator(f'[data-path="{GROWTH}"] input[type=range]').first
    handle.focus()
    tab.keyboard.press("PageUp")
    tab.locator(".headline", has_not_text=before).wait_for()
    box = tab.locator(f'[data-path="{GROWTH}"] input[type=text]').first
    box.fill("5")
    box.press("Enter")
    trouble = tab.locator(".trouble", has_text="beyond what this file")
    trouble.wait_for()
    assert "simulate explore" in trouble.inner_text()
    cap = tab.locator('[data-path="drivers.compute.caps.power"]')
    assert "As it is in this file" in cap.text_content()
    assert [each for each in heard if "explorer" not in each and each != file.as_uri()] == []


@pytest.mark.slow
def test_what_cannot_be_weighed_is_refused_with_its_reason(opened_page):
    tab = opened_page[0]
    for changes, said in [
        ({"drivers.compute.caps.power": {"on": False}}, "without it"),
        ({GROWTH: {"family": "uniform"}}, "family cannot be changed"),
        ({START: {"median": -1.0}}, "above 0"),
        ({"drivers.nobody": {"median": 1.0}}, "no such assumption"),
    ]:
        (fault,) = asked(tab, "picture", changes)["faults"]
        assert said in fault["text"]
        assert fault["path"] in changes
    assert asked(tab, "picture", {})["picture"] == tab.evaluate("() => explorerModel.get('state').picture")
    moved = asked(tab, "moved", CHANGES[1])["moved"][0]
    assert sum(each[1] for each in moved["inputs"]) == pytest.approx(moved["after"] - moved["before"])


@pytest.mark.slow
def test_no_end_of_an_interval_stands_on_one_heavy_sample(browser, tmp_path, shared):
    # Whose rate goes with where the other priors are drawn wider.
    explorer = Explorer("change-point", overrides=["history.sampler.draws=1000"], outputs=shared)
    tab = shown(browser, tmp_path / "page.html", shared_text(explorer)[0])[0]
    changes = {"drivers.compute.growth[1].rate": {"median": 0.67495, "width": 0.8}}
    found = asked(tab, "picture", changes)["picture"]["fans"][0]["quantiles"]
    exact = picture(changed(explorer.base, changes), 20_000)["fans"][0]["quantiles"]
    assert [row[-1] for row in found] == pytest.approx([row[-1] for row in exact], abs=0.15)


@pytest.mark.slow
def test_a_bounded_prior_is_weighed_within_its_bounds_and_refused_beyond(browser, tmp_path):
    data = {
        **DATA,
        "drivers": {"compute": {**DATA["drivers"]["compute"], "growth": {"uniform": [0.3, 0.6], "unit": "OOM/year"}}},
    }
    explorer = Explorer(data)
    tab = shown(browser, tmp_path / "page.html", shared_text(explorer)[0])[0]
    changes = {GROWTH: {"width": 0.5}}
    check(asked(tab, "picture", changes)["picture"], picture(changed(explorer.base, changes), 60_000))
    (fault,) = asked(tab, "picture", {GROWTH: {"median": 0.5}})["faults"]
    assert "beyond what this file holds samples of" in fault["text"]


def test_whole_numbers_of_any_sign_are_read_back_with_what_is_said_of_them():
    codes = np.array([[0, 1, -1, 300], [70_000, -70_000, 5, 300], [3, 3, 3, -4]])
    packed = Packed()
    packed.add("codes", codes, samples=4, step=0.5)
    packed.add("flat", np.array([7, -7]), samples=2)
    arrays, head = unpacked(packed.text(name="café"))
    assert np.array_equal(arrays["codes"], codes)
    assert arrays["flat"].tolist() == [[7, -7]]
    assert head["parts"]["codes"] == {"rows": 3, "samples": 4, "step": 0.5}
    assert head["name"] == "café"


def test_levels_err_by_half_a_step_and_keep_what_is_beyond_numbers():
    levels = np.array([[24.0, 30.123, np.inf], [31.0, 37.4567, -np.inf]])
    codes, said = levels_in_steps(levels, step=0.005)
    finite = np.isfinite(levels)
    assert np.abs(said["low"] + said["step"] * codes - levels)[finite].max() <= 0.0025 + 1e-9
    assert codes[~finite].tolist() == [said["most"] + 1, -1]


def test_levels_that_spread_far_have_larger_steps():
    codes, said = levels_in_steps(np.array([0.0, 3000.0]), step=0.005)
    assert said["step"] == pytest.approx(0.1)
    assert codes.tolist() == [0, 30_000]
