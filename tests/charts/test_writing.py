"""The page: whole, offline, and safe whatever a scenario is called."""

from __future__ import annotations

import functools
import html
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from simulator.charts.bundle import allowed
from simulator.charts.kinds.fan import draw_panels, fan_figures
from simulator.charts.register import Size
from simulator.charts.spec import Figure, FigureOptions, Head
from simulator.charts.writing import page_text, save_chart, svg_text, vega_text
from simulator.errors import InputError
from simulator.runs.table import Table
from simulator.testing import run_of, small_scenario
from tests.charts.small import CROSSED, FEW, RUN, drawn, fan

EVIL = "</script><script>alert('x')</script>&<img src=x onerror=alert(1)>"
TABLES = {
    "": Table.of_rows([{"variable": "spending", "year": 2025.5, "median": 8.123456789}]),
    "crossings": Table.of_rows([{"label": EVIL, "upper": None}]),
}


@functools.cache
def page(name: str = "What is seen", *, theme: str = "light") -> str:
    chart = drawn(fan([{**FEW[0], "label": name}, *FEW[1:]], CROSSED), title=name)
    figure = Figure("fan", chart, TABLES, f"Caption of {name}.", f"Text of {name}.")
    return page_text(figure, theme=theme, footer=f"Run of {name}")  # type: ignore[arg-type]


class Elements(HTMLParser):
    """The elements of a page, and the texts in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_small_enough_and_the_same_twice() -> None:
    text = page()
    assert len(text.encode()) < 1_500_000
    assert page.__wrapped__() == text


def test_the_page_asks_for_nothing_from_outside() -> None:
    elements = Elements(page())
    tags = [tag for tag, _ in elements.tags]
    assert {"a", "link", "img", "iframe", "object", "base", "use", "image"} & set(tags) == set()
    assert all("src" not in attributes for _, attributes in elements.tags)
    policy = next(attributes["content"] for tag, attributes in elements.tags if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"connect|\*|https?:|unsafe-eval|script-src[^;]*unsafe", policy)
    scripts = re.findall(r"<script>(.*?)</script>", page(), flags=re.DOTALL)
    assert [allowed(script) for script in scripts] == re.findall(r"'sha256-\S+'", policy)


def test_the_page_has_picture_caption_numbers_and_footer() -> None:
    text = page()
    elements = Elements(text)
    assert ("details", {}) in elements.tags
    said = " ".join(elements.texts)
    for word in ("Caption of What is seen.", "8.123457", "2025.5", "Run of What is seen", "label of anchor"):
        assert word in said, word
    assert ("aria-label", "Text of What is seen.") in [
        item for _, attributes in elements.tags for item in attributes.items()
    ]
    spec = json.loads(re.search(r'id="drawing">(.*?)</script>', text)[1])  # type: ignore[index]
    assert spec["description"] == "What is seen"
    assert "2.1e25" not in text.split('id="drawing"')[0]


def test_words_of_a_scenario_stay_words() -> None:
    plain, evil = Elements(page()), Elements(page(EVIL))
    # A long name takes more lines of the picture, and so more elements of text in it.
    kinds = [[tag for tag, _ in elements.tags if tag not in ("tspan", "text")] for elements in (plain, evil)]
    assert kinds[0] == kinds[1]
    assert f"Caption of {EVIL}." in evil.texts
    assert "onerror" not in {key for _, attributes in evil.tags for key in attributes}
    assert html.escape(EVIL) in page(EVIL)


def test_the_dark_page_is_dark() -> None:
    text = page(theme="dark")
    assert "background: #14181D" in text
    assert 'theme: "dark"' in text
    assert 'fill="white"' not in text.split("<script", 1)[0]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium to open the page in")
def test_a_browser_without_network_draws_the_page_and_says_numbers_at_the_pointer(tmp_path: Path) -> None:
    probe = """<script>{
      const look = () => {
        if (!document.getElementById("chart").dataset.drawn) { setTimeout(look, 20); return; }
        const box = document.querySelector("#chart svg").getBoundingClientRect();
        const at = {bubbles: true, clientX: box.left + 450, clientY: box.top + 300};
        const under = document.elementFromPoint(at.clientX, at.clientY);
        for (const kind of ["pointerover", "pointermove"]) under.dispatchEvent(new PointerEvent(kind, at));
        setTimeout(() => {
          const tip = document.getElementById("vg-tooltip-element");
          document.body.dataset.tip = tip ? tip.innerText : "none";
        }, 100);
      };
      look();
    }</script></body>"""
    seen = page(EVIL).replace(
        "script-src", f"script-src {allowed(probe.removeprefix('<script>').partition('</script>')[0])}"
    )
    before, after = seen.rsplit("</body>", 1)
    (tmp_path / "page.html").write_text(before + probe + after, encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,1000", "--virtual-time-budget=20000", "--dump-dom",
        (tmp_path / "page.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    tip = re.search(r'data-tip="([^"]*)"', done.stdout)
    assert tip is not None
    assert re.search(r"year\s+20\d\d(\.\d+)?\s+median\s+\S+e\d\d FLOP", tip[1])
    assert "50 %" in tip[1]


def test_several_fans_make_one_page() -> None:
    from tests.charts.small import PANEL

    chart = draw_panels([PANEL] * 2, head=Head("t", "", RUN))
    text = page_text(Figure("fans", chart, {}, "c", "a"))
    assert text.count("pointer_panel_") >= 2


def test_a_picture_is_as_large_as_is_asked_and_a_specification_draws_the_same(tmp_path: Path) -> None:
    figure = fan_figures(run_of(small_scenario()), FigureOptions())[0]
    own = svg_text(figure.chart)
    width = float(re.search(r'width="([0-9.]+)"', own)[1])  # type: ignore[index]
    save_chart(figure.chart, tmp_path / "a.png", tmp_path / "a.svg", size=Size(width=500))
    assert struct.unpack(">I", (tmp_path / "a.png").read_bytes()[16:20]) == (500,)
    assert 'width="500"' in (tmp_path / "a.svg").read_text(encoding="utf-8")
    save_chart(figure.chart, tmp_path / "b.png", size=Size(scale=0.5))
    assert struct.unpack(">I", (tmp_path / "b.png").read_bytes()[16:20])[0] == pytest.approx(width, abs=1)
    spec = json.loads(vega_text(figure.chart))
    assert spec.pop("$schema").endswith("vega-lite/v6.json")
    assert vl_convert.vegalite_to_svg(spec) == vl_convert.vegalite_to_svg(figure.chart)


@pytest.mark.parametrize(
    ("size", "message"),
    [({"scale": 0.0}, "--scale: must be 0.1 to 10"), ({"width": 10}, "--width: must be 100 to 20000 pixels; got 10"),
     ({"width": 500, "scale": 2.0}, "--width: stands beside --scale")],
)  # fmt: skip
def test_a_size_that_is_none_is_refused(size: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Size(**size)


SAVING = """
import multiprocessing
import os
import signal
import sys
from pathlib import Path
from simulator.charts import writing
from simulator.charts.writing import save_chart, saving_beside
from simulator.errors import InputError

along = {"x": {"field": "year", "type": "quantitative"}}
chart = {"data": {"values": [{"year": 2030}, {"year": 2031}]}, "mark": "tick", "encoding": along}

def refuse():
    raise BlockingIOError

signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended as the command is"))
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may leave it to no one
fork, os.fork = os.fork, refuse
with saving_beside() as save:  # where no further process may start
    assert not multiprocessing.active_children()
os.fork = fork

def interrupt(*_, **__):
    os.kill(os.getppid(), signal.SIGINT)
    signal.pause()

drawn, writing.pictures = writing.pictures, interrupt
try:
    with saving_beside() as save:  # which is ended while a picture is drawn
        save(chart, "half.svg")
except KeyboardInterrupt:
    writing.pictures = drawn
with saving_beside() as save:
    [helper] = multiprocessing.active_children()
    writing.pictures = None  # nothing is drawn here
    save.begin(chart, ".png", ".svg", alt_text="Two years")
    save(chart, "beside.png", "beside.svg", alt_text="Two years")
    save.begin(chart, ".svg", alt_text="Two of them")
    save.begin(chart, ".svg", alt_text="Many of them")
    save(chart, "other.svg", alt_text="Two years")
    save.begin(chart, ".svg", alt_text="Two years")
    try:
        save(chart, "beside.jpg")
    except InputError as fault:
        print(fault)
    os.kill(helper.pid, signal.SIGINT)  # which is left to this process
    save(chart, "begun.svg", alt_text="Two years")
    writing.pictures = drawn
    save.begin(chart, ".svg", alt_text="Two years")
    helper.terminate()
    helper.join()
    save(chart, "after.svg", alt_text="Two years")
    save.begin(chart, ".svg", alt_text="Two years")
    save(chart, "later.svg", alt_text="Two years")
assert not multiprocessing.active_children()
save_chart(chart, "here.png", "here.svg", alt_text="Two years")
with saving_beside() as save:  # what draws has threads of its own by now
    assert not multiprocessing.active_children()
    save.begin(chart, ".svg")
    save(chart, "alone.svg", alt_text="Two years")
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one processor")
def test_a_process_beside_saves_the_same_bytes_and_may_be_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", SAVING]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=one_thread, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "beside.jpg: the suffix of a chart must be" in done.stdout
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    names = ["after.svg", "alone.svg", "begun.svg", "beside.png", "beside.svg", "here.png", "here.svg"]
    assert sorted(files) == [*names, "later.svg", "other.svg"]
    assert files["beside.png"] == files["here.png"]
    drawn = {name: content for name, content in files.items() if name.endswith(".svg")}
    assert {*drawn.values()} == {files["here.svg"]}
