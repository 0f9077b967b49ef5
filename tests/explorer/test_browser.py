"""The explorer's page in a real browser, driven as a person would, against the real engine and the real server."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engine.simulation import run_arrays
from simulator.runs.groups import arrays
from simulator.scenario.load import load_scenario

pytest.importorskip("uvicorn")
pytest.importorskip("playwright", reason="needs Playwright to drive a browser")
pytest.importorskip("axe_playwright_python", reason="needs axe to look for barriers")

from axe_playwright_python import sync_playwright as axe
from playwright import sync_api

from simulator.explorer.explorer import Explorer
from simulator.explorer.server import place, serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium to open the page in"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

sync_api.expect.set_options(timeout=20_000)
SPENDING = "drivers.spending.growth[0].rate"
CASH = "drivers.spending.caps.cash-flow"


class Served:
    """The explorer of a scenario, on a port of its own."""

    def __init__(self, folder: Path, port: int = 0, scenario: str = "baseline") -> None:
        self.at, self.end, self.folder = place(port=port, token="a-token-of-this-test"), threading.Event(), folder
        self.scenario = scenario
        listens = threading.Event()
        options = {"listens": listens.set, "ended": self.end}
        self.thread = threading.Thread(target=serve, args=(self._engine, self.at), kwargs=options)
        self.thread.start()
        assert listens.wait(30)
        self.port = self.at.listener.getsockname()[1]

    def _engine(self) -> Any:
        return Explorer(self.scenario, outputs=self.folder).answer

    def close(self) -> None:
        self.end.set()
        self.thread.join(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("outputs"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    made = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


def opened(context: Any, address: str) -> Any:
    """Open the page, and fail on whatever its script or its policy complains about."""
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.goto(address)
    page.locator("figure.fan svg.marks").wait_for()
    return page


@pytest.fixture
def page(context: Any, served: Served) -> Iterator[Any]:
    made = opened(context, served.at.address)
    yield made
    assert made.complaints == []


def card(page: Any, path: str) -> Any:
    """Find an assumption as a reader does: by searching for it."""
    page.get_by_role("searchbox").fill(path)
    found = page.locator(f'[data-path="{path}"]')
    found.wait_for()
    return found


def rested(page: Any) -> None:
    """Wait until the scenario's own samples are shown, and what moved them."""
    sync_api.expect(page.locator(".precision")).to_contain_text("Run ")
    sync_api.expect(page.locator("figure.moved .words")).to_be_visible()


def typed(page: Any, path: str, text: str, name: str = "Median") -> None:
    box = card(page, path).get_by_role("textbox", name=name)
    box.fill(text)
    box.press("Enter")


def command_line(*overrides: str) -> tuple[str, list[float]]:
    """Run the scenario as the command does: its id, and the medians of effective compute by year."""
    run = run_arrays(load_scenario("baseline", overrides=overrides))
    levels = arrays(run, "trajectories")["effective_compute"].values
    return str(run.attrs["run_id"]), [float(level) for level in np.median(np.asarray(levels, dtype=np.float64), axis=0)]


def drawn(page: Any) -> str:
    """Give the outline of the median of the fan."""
    return str(page.locator("figure.fan .mark-line path").last.get_attribute("d"))


def amount(log: float) -> str:
    """Write a level as the page does: 34.71 is 5 × 10³⁴."""
    base, power = round(10 ** (log % 1)), math.floor(log)
    base, power = (1, power + 1) if base == 10 else (base, power)
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{f'{base} × ' if base > 1 else ''}10{raised} FLOP"


def shown_medians(page: Any) -> list[str]:
    if not page.locator("details.table").evaluate("(each) => each.open"):
        page.locator("details.table > summary").click()
    page.locator("details.table tbody").wait_for()
    return [str(text) for text in page.locator("details.table tbody tr td:nth-of-type(1)").all_text_contents()]


def test_an_untouched_page_has_the_numbers_of_the_command_line(page: Any) -> None:
    run, medians = command_line()
    sync_api.expect(page.locator(".precision")).to_have_text(re.compile(rf"10,000 samples\. .* Run {run}\."))
    assert shown_medians(page) == list(map(amount, medians))


def test_a_handle_moves_the_forecast_by_keyboard_and_by_mouse(page: Any) -> None:
    before = drawn(page)
    handle = card(page, SPENDING).get_by_role("slider", name="Median")
    handle.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    rested(page)
    after = drawn(page)
    assert after != before
    assert re.fullmatch(
        r"2\.[4-9]\d+ factor/year; 90 % between 2\.\d+ and 3\.\d+", handle.get_attribute("aria-valuetext")
    )
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + box["width"] * (0.5 + step / 40), box["y"] + box["height"] / 2)
    page.mouse.up()
    rested(page)
    assert drawn(page) not in (before, after)
    sync_api.expect(page.locator("figure.moved .words")).to_contain_text(
        "growth of spending until it slows", ignore_case=True
    )


def test_a_changed_page_has_the_numbers_of_the_scenario_that_it_saves(page: Any, tmp_path: Path) -> None:
    typed(page, SPENDING, "2.7")
    card(page, CASH).get_by_role("switch").click()
    rested(page)
    page.get_by_text("Save", exact=True).click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Scenario file").click()
    saved.value.save_as(tmp_path / "explored.yaml")
    page.get_by_role("button", name="Copy command").click()
    sync_api.expect(page.locator(".done")).to_contain_text("command is copied")
    simulate, name, *options = shlex.split(page.evaluate("() => navigator.clipboard.readText()"))
    assert (simulate, name, options[::2]) == ("simulate", "baseline", ["--set"] * 2)
    run, medians = command_line(*options[1::2])
    sync_api.expect(page.locator(".precision")).to_contain_text(f"Run {run}")
    assert shown_medians(page) == list(map(amount, medians))
    saved_one, told = load_scenario(tmp_path / "explored.yaml"), load_scenario("baseline", overrides=options[1::2])
    assert saved_one.hash == told.hash


def test_what_is_changed_stands_in_the_address(page: Any, context: Any, served: Served) -> None:
    typed(page, SPENDING, "2.7")
    card(page, CASH).get_by_role("switch").click()
    rested(page)
    seen, address = page.locator(".headline").text_content(), page.url
    for other in (opened(context, address), page):
        if other is page:
            page.reload()
        sync_api.expect(other.locator(".headline")).to_have_text(seen)
        sync_api.expect(card(other, CASH).get_by_role("switch")).not_to_be_checked()
        assert card(other, SPENDING).get_by_role("textbox", name="Median").input_value() == "2.7"
    page.go_back()
    sync_api.expect(card(page, CASH).get_by_role("switch")).to_be_checked()
    page.go_forward()
    sync_api.expect(card(page, CASH).get_by_role("switch")).not_to_be_checked()


def test_undo_redo_and_reset(page: Any) -> None:
    first = page.locator(".headline").text_content()
    typed(page, SPENDING, "3")
    rested(page)
    second = page.locator(".headline").text_content()
    assert second != first
    page.get_by_role("button", name="Undo").click()
    sync_api.expect(page.locator(".headline")).to_have_text(first)
    page.get_by_role("button", name="Redo").click()
    sync_api.expect(page.locator(".headline")).to_have_text(second)
    card(page, SPENDING).get_by_role("button", name="Reset").click()
    sync_api.expect(page.locator(".headline")).to_have_text(first)
    typed(page, SPENDING, "3")
    page.get_by_role("button", name="Reset all").click()
    sync_api.expect(page.locator(".headline")).to_have_text(first)
    assert "spending" not in page.url


def test_what_is_asked_meanwhile_takes_no_answer_away(page: Any) -> None:
    card(page, SPENDING)
    page.evaluate(
        """(path) => { // in one step, before any answer
          const card = document.querySelector(`[data-path="${path}"]`);
          const box = card.querySelector("input[type=text]");
          box.value = "2.7";
          box.dispatchEvent(new Event("change"));
          document.querySelector(".choices input[value=no-caps]").click();
        }""",
        SPENDING,
    )
    rested(page)
    sync_api.expect(page.locator(".key")).to_contain_text("Growth without limits")
    page.evaluate(
        """(path) => {
          const card = document.querySelector(`[data-path="${path}"]`);
          const handle = card.querySelector("input[type=range]");
          handle.value = "900";
          handle.dispatchEvent(new Event("input"));
          card.querySelector(".reset").click();
        }""",
        SPENDING,
    )
    sync_api.expect(page.locator(".still")).to_be_visible()
    sync_api.expect(card(page, SPENDING).locator(".says").first).to_contain_text("median 2.4")


def test_the_parts_of_a_mixture_are_found_at_it(page: Any) -> None:
    page.get_by_role("button", name="Show the parts of growth of algorithmic efficiency", exact=False).click()
    sync_api.expect(page.locator(".found")).to_have_text(re.compile("^7 of"))
    weight = page.get_by_role("textbox", name="Weight of weight of growth of algorithmic efficiency, part 1")
    assert weight.input_value() == "60"
    page.get_by_role("searchbox").fill("")
    sync_api.expect(weight).to_be_hidden()


def test_nonsense_and_extremes_are_said_at_the_control(page: Any) -> None:
    first = page.locator(".headline").text_content()
    for text in ("much", "", "1e999", "<b>2</b>", "3,5", "0x10", "2.6 x"):
        typed(page, SPENDING, text)
        sync_api.expect(card(page, SPENDING).locator(".fault")).to_contain_text("is not a number")
    typed(page, SPENDING, "-3")
    sync_api.expect(card(page, SPENDING).locator(".fault")).to_be_visible()
    sync_api.expect(page.locator(".trouble")).to_contain_text("growth of spending until it slows")
    assert card(page, SPENDING).get_by_role("textbox", name="Median").get_attribute("aria-invalid") == "true"
    typed(page, SPENDING, "-1", name="Width")
    sync_api.expect(card(page, SPENDING).locator(".fault")).to_be_visible()
    card(page, SPENDING).get_by_role("button", name="Reset").click()
    sync_api.expect(page.locator(".trouble")).to_be_hidden()
    sync_api.expect(card(page, SPENDING).locator(".fault")).to_be_hidden()
    assert page.locator(".headline").text_content() == first
    page.complaints.clear()


def test_what_the_address_holds_and_the_scenario_has_not_is_said(context: Any, served: Served) -> None:
    page = opened(context, f"{served.at.address}#v=1&.drivers.nobody.growth=m3&.{SPENDING}=m2.7")
    sync_api.expect(page.locator(".trouble")).to_contain_text("does not have: drivers.nobody.growth.")
    sync_api.expect(card(page, SPENDING).get_by_role("textbox", name="Median")).to_have_value("2.7")
    page = opened(context, f"{served.at.address}?extends=baseline&seed=3")
    sync_api.expect(page.locator(".trouble")).to_contain_text("only extends and set are read: seed is left out")


def test_settings_in_the_address_are_read_as_the_command_line_reads_them(context: Any, served: Served) -> None:
    settings = [f"{SPENDING}.median=2.7", f"{CASH}=null"]
    query = urllib.parse.urlencode([("extends", "baseline"), *(("set", each) for each in settings)])
    page = opened(context, f"{served.at.address}?{query}")
    run = str(run_arrays(load_scenario("baseline", overrides=settings)).attrs["run_id"])
    sync_api.expect(page.locator(".precision")).to_contain_text(f"Run {run}.")
    sync_api.expect(page.locator(".abouts")).to_contain_text(settings[0])
    sync_api.expect(page.get_by_label("Starting from")).to_have_value("baseline")
    sync_api.expect(page.locator("figure.moved .words")).to_contain_text(
        "growth of spending until it slows", ignore_case=True
    )
    typed(page, SPENDING, "2.9")
    rested(page)
    page.reload()
    sync_api.expect(card(page, SPENDING).get_by_role("textbox", name="Median")).to_have_value("2.9")
    sync_api.expect(page.locator(".abouts")).to_contain_text(settings[1])
    for amiss, said in (
        ("extends=../secret.yaml", "no scenario is shipped under that name"),
        ("extends=baseline&set=drivers.hardwear=3", "Did you mean"),
        ("extends=baseline&set=nothing", "must be path=value"),
        ("set=extends=/etc/passwd", "names the file"),
    ):
        page.goto("about:blank")
        page.goto(f"{served.at.address}?{amiss}")
        sync_api.expect(page.locator(".trouble")).to_contain_text(said)
        sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("Baseline")


def test_a_copied_link_leads_another_explorer_to_the_same(page: Any, context: Any, tmp_path: Path) -> None:
    typed(page, SPENDING, "2.7")
    page.get_by_label("Starting from").select_option("no-caps")
    rested(page)
    page.get_by_text("Save", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    sync_api.expect(page.locator(".done")).to_contain_text("link is copied")
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert "?extends=baseline#v=1&" in link
    mine = Served(tmp_path, scenario="essay-2023")
    try:
        other = opened(context, mine.at.address)
        other.get_by_text("Open", exact=True).click()
        other.get_by_label("Open a link").fill("https://example.org/")
        other.get_by_label("Open a link").press("Enter")
        sync_api.expect(other.locator(".done")).to_contain_text("no link of an explorer")
        other.get_by_label("Open a link").fill(link)
        other.get_by_label("Open a link").press("Enter")
        sync_api.expect(other.locator(".headline")).to_have_text(page.locator(".headline").text_content())
        sync_api.expect(other.get_by_label("Starting from")).to_have_value("no-caps")
        other.go_back()
        sync_api.expect(other.locator(".headline")).not_to_have_text(page.locator(".headline").text_content())
        assert other.complaints == []
    finally:
        mine.close()


def test_a_server_that_is_gone_is_said_and_nothing_is_lost(context: Any, tmp_path: Path) -> None:
    mine = Served(tmp_path)
    page = opened(context, mine.at.address)
    typed(page, SPENDING, "2.7")
    rested(page)
    mine.close()
    typed(page, SPENDING, "2.8")
    sync_api.expect(page.locator(".trouble")).to_contain_text("does not answer. Nothing is lost")
    assert "m2.8" in page.url
    again = Served(tmp_path, port=mine.port)
    try:
        page.get_by_role("button", name="Try again").click()
        sync_api.expect(page.locator(".trouble")).to_be_hidden()
        rested(page)
    finally:
        again.close()


def test_a_drawing_library_that_does_not_come_is_said_and_the_numbers_stand(context: Any, served: Served) -> None:
    context.route("**/vega.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(served.at.address)
    for kind in ("fan", "crossings"):
        sync_api.expect(page.locator(f"figure.{kind} .drawing")).to_contain_text("did not load")
    page.locator("figure.fan .files").get_by_text("PNG").click()
    sync_api.expect(page.locator(".done")).to_contain_text("did not load")
    assert len(shown_medians(page)) > 10


def test_other_scenarios_stand_beside_and_in_its_place(page: Any) -> None:
    page.get_by_text("Compare with other scenarios").click()
    page.get_by_label("Growth without limits").check()
    sync_api.expect(page.locator(".key")).to_contain_text("Growth without limits")
    sync_api.expect(page.locator(".compare table")).to_contain_text("Growth without limits")
    page.get_by_label("Starting from").select_option("no-caps")
    rested(page)
    assert page.locator("figure.moved .words li").count() > 2
    walk = page.get_by_role("slider", name="Steps of the walk")
    walk.press("Home")
    sync_api.expect(page.locator(".walked")).to_contain_text("after 0 of")
    page.get_by_text("Open", exact=True).click()
    page.get_by_role("button", name="Growth without limits").click()
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("Growth without limits")
    page.go_back()
    page.go_back()
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("Baseline")


def test_a_scenario_file_is_loaded_and_one_that_names_files_is_refused(page: Any) -> None:
    def load(text: str) -> None:
        page.get_by_text("Open", exact=True).click()
        files = {"name": "mine.yaml", "mimeType": "text/yaml", "buffer": text.encode()}
        page.get_by_label("Load a scenario file").set_input_files(files)

    load("schema: 2\nname: bad\nextends: ./secret.yaml\n")
    sync_api.expect(page.locator(".trouble")).to_be_visible()
    load("schema: 2\nname: mine\ntitle: My own\nextends: tight-caps\nsamples: 500\n")
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("My own")
    page.reload()
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("My own")


def test_what_learns_says_so_holds_nothing_up_and_can_be_stopped(page: Any) -> None:
    page.get_by_text("Open", exact=True).click()
    page.get_by_role("button", name="Baseline, learned from history").click()
    sync_api.expect(page.locator(".done")).to_contain_text("learned learns from history")
    typed(page, SPENDING, "2.7")
    rested(page)
    sync_api.expect(page.locator(".done")).to_contain_text("learned learns from history")
    page.get_by_role("button", name="Stop learning").click()
    sync_api.expect(page.locator(".trouble")).to_contain_text("stopped before it had learned")
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("Baseline")
    typed(page, SPENDING, "2.8")
    rested(page)
    sync_api.expect(page.locator(".trouble")).to_be_hidden()


def test_charts_are_files_with_the_run_that_they_show(page: Any, tmp_path: Path) -> None:
    run, _ = command_line()
    for kind in ("fan", "crossings", "by", "limits"):
        for form, head in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
            with page.expect_download() as saved:
                page.locator(f"figure.{kind} .files").get_by_text(form).click()
            saved.value.save_as(tmp_path / "chart")
            found = (tmp_path / "chart").read_bytes()
            assert found.startswith(head)
            assert run in saved.value.suggested_filename
            if form == "SVG":
                assert f"Run {run}".encode() in found
                assert b"var(--" not in found


def test_a_run_folder_is_written(page: Any, served: Served) -> None:
    typed(page, SPENDING, "2.7")
    rested(page)
    page.get_by_text("Save", exact=True).click()
    page.get_by_role("button", name="Write a run folder").click()
    sync_api.expect(page.locator(".done")).to_contain_text("The run is written")
    folder = Path(page.locator(".done").text_content().removeprefix("The run is written: "))
    sync_api.expect(page.locator(".precision")).to_contain_text(folder.name.rpartition("-")[2])
    assert (folder / "run.nc").is_file()


@pytest.mark.parametrize("width", [1440, 1024, 400])
def test_no_barriers_are_found(context: Any, served: Served, width: int) -> None:
    page = opened(context, served.at.address)
    page.set_viewport_size({"width": width, "height": 850})
    typed(page, SPENDING, "2.7")
    rested(page)
    page.get_by_role("searchbox").fill("")
    for each in page.locator("details").all():
        each.evaluate("(details) => { details.open = true; }")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    assert page.locator("[aria-live]").count() == 1


def test_it_is_driven_by_keyboard_alone(page: Any) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.type") == "range":
            break
    assert page.evaluate("() => document.activeElement.type") == "range"
    before = drawn(page)
    page.keyboard.press("PageUp")
    rested(page)
    assert drawn(page) != before


def test_nothing_is_fetched_from_elsewhere(context: Any, served: Served) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = opened(context, served.at.address)
    typed(page, SPENDING, "2.7")
    rested(page)
    assert [url for url in asked if not url.startswith((served.at.address, "data:", "blob:"))] == []
    assert json.dumps(page.evaluate("() => [document.cookie, localStorage.length]")) == '["", 0]'


def test_the_drawing_of_a_density_is_a_handle_for_median_and_width(page: Any) -> None:
    found = card(page, SPENDING)
    drawing = found.locator("svg.density").bounding_box()
    low = found.locator("svg.density .tick").first.bounding_box()
    y = drawing["y"] + 0.85 * drawing["height"]

    def drag(x: float, by: float) -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 6):
            page.mouse.move(x + by * step / 5, y)
        page.mouse.up()

    drag(low["x"] + low["width"] / 2, -30)
    sync_api.expect(found.get_by_role("slider", name="Width")).to_have_attribute(
        "aria-valuetext", re.compile("1.*wide")
    )
    assert found.get_by_role("textbox", name="Median").input_value() == "2.4"
    rested(page)
    found.get_by_role("button", name="Reset").click()
    drag(drawing["x"] + drawing["width"] / 2, 40)
    rested(page)
    assert float(found.get_by_role("textbox", name="Median").input_value()) > 2.5
    assert found.get_by_role("textbox", name="Width").input_value() == "1"
