"""The widget answers a page in a notebook as the command's page is answered, with the numbers of a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import simulator
from simulator.explorer import widget as widgets
from simulator.explorer.explorer import Explorer
from simulator.testing import small_scenario

CHROMIUM = Path("/usr/bin/chromium")
GROWTH = "drivers.compute.growth"


class Line:
    """The line between kernel and page, as Jupyter's `comm` has it."""

    def __init__(self, **opened) -> None:
        self.comm_id, self.opened, self.sent, self.hear = "line", opened, [], None

    def send(self, data=None, **_) -> None:
        self.sent.append(data)

    def on_msg(self, hear) -> None:
        self.hear = hear

    def on_close(self, _) -> None: ...

    def close(self, *_, **__) -> None: ...


@pytest.fixture
def line(monkeypatch):
    comm = pytest.importorskip("comm")
    made = []
    monkeypatch.setattr(comm, "create_comm", lambda **opened: made.append(Line(**opened)) or made[-1])
    return made


def test_what_the_page_asks_over_the_line_is_answered_by_the_explorer(line):
    page = simulator.explore(small_scenario())
    (own,) = (each for each in line if "_esm" in each.opened["data"]["state"])
    assert own.opened["data"]["state"]["state"]["picture"]["samples"] == 512
    asked = {"kind": "picture", "changes": {GROWTH: {"median": 0.6}}, "samples": 256, "serial": 3}
    own.hear({"content": {"data": {"method": "custom", "content": asked}}, "buffers": []})
    (answer,) = (each["content"] for each in own.sent if each.get("method") == "custom")
    assert answer == Explorer(small_scenario()).answer(asked)
    assert (answer["serial"], answer["picture"]["samples"]) == (3, 256)
    assert page.state["controls"][0]["path"] in {GROWTH, "drivers.compute.start"}


def test_what_cannot_be_computed_is_refused_in_the_words_of_the_simulator():
    pytest.importorskip("anywidget")
    with pytest.raises(simulator.InputError, match=r"samples: 100,000,000,000 samples of .* at most"):
        simulator.explore(small_scenario({"samples": 100_000_000_000}))


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    widgets._widget.cache_clear()
    with pytest.raises(simulator.InputError, match=r"Install the extra notebook: pip install"):
        simulator.explore(small_scenario())


@pytest.fixture(scope="module")
def notebook():
    """A page that shows one widget twice, as notebooks do; `shown` are its views."""
    if not CHROMIUM.exists():
        pytest.skip("needs a Chromium to open the page in")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright to drive a browser")
    page = simulator.explore(small_scenario())
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page()
        heard: list[str] = []
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.expose_function("ask", page.answer)
        tab.evaluate(
            """({ script, sheet, state }) => { globalThis.begun = (async () => { // held: else it may be gone
              const heard = new Set();
              const model = { get: () => state, set() {}, save_changes() {}, on: (_, hear) => heard.add(hear), off() {},
                send: async (asked) => { // a kernel that is at work answers when it has done
                  await globalThis.busy;
                  const answer = await ask(asked);
                  heard.forEach((hear) => hear(answer));
                } };
              const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
              const { default: page } = await import(address);
              document.addEventListener("keydown", (event) => event.preventDefault()); // as the notebook's own keys do
              document.head.append(Object.assign(document.createElement("style"), { textContent: sheet }));
              for (const _ of [1, 2]) { // each below the cell that shows it
                const cell = document.body.appendChild(document.createElement("section"));
                await page.render({ model, el: cell.appendChild(document.createElement("div")) });
              }
            })(); }""",
            {"script": str(page._esm), "sheet": str(page._css), "state": page.state},
        )
        tab.locator(".explorer").nth(1).locator(".fan svg path").first.wait_for()
        yield tab, page
        assert heard == []
        browser.close()


def shows(page, view, median):
    """Wait until a view says what the kernel says of this median."""
    told = page.answer({"kind": "picture", "changes": {GROWTH: {"median": median}}})["picture"]["headline"]
    view.locator(".headline", has_text=told).wait_for()


@pytest.mark.slow
def test_two_views_of_one_widget_take_no_answer_of_one_another(notebook):
    tab, page = notebook
    tab.evaluate(
        """(path) => [...document.querySelectorAll(`[data-path="${path}"]`)].forEach((card, at) => {
          const box = card.querySelector("input[type=text]");
          box.value = ["0.7", "0.4"][at];
          box.dispatchEvent(new Event("change"));
        })""",
        GROWTH,
    )
    shows(page, tab.locator(".explorer").first, 0.7)
    shows(page, tab.locator(".explorer").last, 0.4)


@pytest.mark.slow
def test_the_page_of_a_notebook_moves_in_a_browser(notebook):
    tab, page = notebook
    view = tab.locator(".explorer").first
    box = view.locator(f'[data-path="{GROWTH}"] input[type=text]').first
    box.fill("0.6")
    box.press("Enter")
    shows(page, view, 0.6)


@pytest.mark.slow
def test_a_kernel_that_does_not_answer_is_said_until_it_does(notebook):
    tab, page = notebook
    tab.clock.install()
    tab.evaluate("() => { globalThis.busy = new Promise((done) => { globalThis.done = done; }); }")
    view = tab.locator(".explorer").first
    view.locator(f'[data-path="{GROWTH}"] input[type=text]').first.fill("0.8")
    tab.keyboard.press("Enter")
    tab.clock.fast_forward(2000)
    assert view.locator(".trouble").is_hidden()
    tab.clock.fast_forward(6000)
    view.locator(".trouble", has_text="The kernel has not answered yet.").wait_for()
    tab.evaluate("() => done()")
    shows(page, view, 0.8)
    assert view.locator(".trouble").is_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_the_theme_of_its_notebook_or_that_of_the_device(notebook, scheme):
    tab, _ = notebook
    tab.emulate_media(color_scheme=scheme)
    paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}
    for theme, lab, expected in (
        ("", "", scheme),
        ("vscode-dark", "", "dark"),
        ("vscode-high-contrast", "", "dark"),
        ("vscode-light", "", "light"),
        ("vscode-high-contrast vscode-high-contrast-light", "", "light"),
        ("", "false", "dark"),
        ("", "true", "light"),
    ):
        found = tab.evaluate(
            """([theme, lab]) => {
              document.body.className = theme;
              if (lab) document.body.dataset.jpThemeLight = lab;
              const { backgroundColor, colorScheme } = getComputedStyle(document.querySelector(".explorer"));
              delete document.body.dataset.jpThemeLight;
              return [backgroundColor, colorScheme];
            }""",
            [theme, lab],
        )
        assert found == [paper[expected], expected], (theme, lab)
    tab.emulate_media(color_scheme="dark", media="print")
    assert tab.evaluate("getComputedStyle(document.querySelector('.explorer')).backgroundColor") == paper["light"]
    tab.emulate_media(media="screen")


@pytest.mark.slow
def test_outputs_do_not_grow_with_the_height_of_the_window(notebook):
    """VS Code makes its window of outputs higher than all of them: what grows with it grows without end."""
    tab, _ = notebook

    def height(width, window):
        tab.set_viewport_size({"width": width, "height": window})
        return tab.evaluate(
            """() => new Promise((done) => { let last = 0, still = 0; const look = () => {
              const { offsetHeight } = document.querySelector(".explorer");
              still = offsetHeight === last ? still + 1 : 0;
              last = offsetHeight;
              if (still === 10) done(offsetHeight); else requestAnimationFrame(look); }; look(); })"""
        )

    for width in (1400, 600):  # a picture that comes between two looks is looked past
        assert any(height(width, 2000) == height(width, 12000) for _ in range(10))
    tab.set_viewport_size({"width": 1280, "height": 720})


@pytest.mark.slow
def test_what_is_saved_is_a_link_that_the_notebook_can_see(notebook):
    """VS Code looks for clicked links, asks for a place and writes there what they hold."""
    tab, _ = notebook
    tab.evaluate("""() => { globalThis.seen = []; document.body.addEventListener("click", ({ target }) => {
      if (target.download) fetch(target.href).then((held) => held.text())
        .then((text) => seen.push([target.download, text])); }); }""")
    view = tab.locator(".explorer").first
    view.get_by_text("Save", exact=True).click()
    with tab.expect_download():
        view.get_by_role("button", name="Scenario file (YAML)").click()
    tab.wait_for_function("() => seen.length")
    ((name, text),) = tab.evaluate("seen")
    assert name.endswith("-explored.yaml")
    assert "drivers:" in text
    assert tab.locator("a[download]").count() == 0
