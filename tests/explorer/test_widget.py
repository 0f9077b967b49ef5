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


@pytest.mark.slow
def test_the_page_of_a_notebook_moves_in_a_browser():
    if not CHROMIUM.exists():
        pytest.skip("needs a Chromium to open the page in")
    from playwright.sync_api import sync_playwright

    page = simulator.explore(small_scenario())
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page()
        heard: list[str] = []
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.expose_function("ask", page.answer)
        tab.evaluate(
            """({ script, state }) => { globalThis.begun = (async () => { // held: a promise that nothing holds may go
              const heard = [];
              const model = { get: () => state, set() {}, save_changes() {}, on: (_, hear) => heard.push(hear), off() {},
                send: async (asked) => { const answer = await ask(asked); heard.forEach((hear) => hear(answer)); } };
              const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
              const { default: page } = await import(address);
              document.addEventListener("keydown", (event) => event.preventDefault()); // as the notebook's own keys do
              const el = document.body.appendChild(document.createElement("div"));
              await page.render({ model, el });
            })(); }""",
            {"script": page._esm if isinstance(page._esm, str) else str(page._esm), "state": page.state},
        )
        tab.locator(".fan svg path").first.wait_for()
        before = tab.locator(".headline").inner_text()
        box = tab.locator(f'[data-path="{GROWTH}"] input[type=text]').first
        box.fill("0.6")
        box.press("Enter")
        tab.locator(".headline", has_not_text=before).wait_for()
        told = page.answer({"kind": "picture", "changes": {GROWTH: {"median": 0.6}}})["picture"]["headline"]
        assert tab.locator(".headline").inner_text().replace("\u00a0", " ") == told
        assert heard == []
        browser.close()
