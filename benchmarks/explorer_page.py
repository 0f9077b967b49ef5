"""How soon the explorer's page stands and shows what a handle does, and whether its memory stays, in a browser.

Run it from the project's root: `python benchmarks/explorer_page.py`. It needs Playwright and a Chromium. A handle of
the baseline is moved 400 times, each time when the picture of the last is painted, and then 2,000 times for the memory.
Each move is timed by the page's clock, from before its input event to the frame after the one in which the new picture
is drawn: never less than what a reader waits. The picture has 2,048 samples. The first paint and the first fan are
timed from the start of `simulate explore baseline`, in a browser that is open already.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from simulator.explorer.explorer import Explorer
from simulator.explorer.server import place, serve

MOVES, LONG, OPENINGS = 400, 2000, 7
PATH = "drivers.spending.growth[0].rate"

_MOVE = """async ([path, moves]) => {
  const explorer = document.getElementById("explorer");
  const handle = explorer.querySelector(`[data-path="${path}"] .plot input`);
  const times = [];
  for (let move = 0; move < moves; move += 1) {
    const shown = new Promise((resolve) => explorer.addEventListener("shown", resolve, { once: true }));
    handle.value = String(500 + 5 * Math.round(60 * Math.sin(move / 9)) + 5 * (move % 2));
    const begun = performance.now();
    handle.dispatchEvent(new Event("input", { bubbles: true }));
    const { detail } = await shown;
    await new Promise((resolve) => requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = resolve;
      after.port2.postMessage(0);
    }));
    times.push([performance.now() - begun, detail.samples]);
  }
  return times;
}"""


def _held(page: Any) -> tuple[float, int]:
    """Measure what the page holds once its waste is gone: megabytes of script, and nodes."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return found["JSHeapUsedSize"] / 1e6, int(found["Nodes"])


def _opening(browser: Any, outputs: str) -> tuple[float, float]:
    """Measure after how many seconds the page of a new process is painted first, and shows its fan."""
    command = [sys.executable, "-m", "simulator.cli.main", "explore", "baseline", "--port", "0", "--no-browser"]
    page, begun = browser.new_page(), time.time()
    with subprocess.Popen(command, cwd=outputs, stdout=subprocess.PIPE, text=True) as process:
        page.goto(str(process.stdout and process.stdout.readline()).strip())
        page.locator("figure.fan svg.marks").wait_for()
        shown = time.time() - begun
        painted = page.evaluate(
            "performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        page.close()
        process.send_signal(signal.SIGINT)
    return painted / 1000 - begun, shown


def main() -> None:
    """Measure and print."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("needs a Chromium")
    at, listens, ended = place(port=0), threading.Event(), threading.Event()
    with tempfile.TemporaryDirectory() as outputs, sync_playwright() as playwright:
        options = {"listens": listens.set, "ended": ended}
        make = lambda: Explorer("baseline", outputs=outputs).answer  # noqa: E731
        server = threading.Thread(target=serve, args=(make, at), kwargs=options)
        server.start()
        listens.wait()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        painted, shown = np.median([_opening(browser, outputs) for _ in range(OPENINGS)], axis=0)
        print(
            f"{OPENINGS} openings: first paint {painted:.2f} s after the command, the forecast {shown:.2f} s (medians)"
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(at.address)
        page.locator("figure.fan svg.marks").wait_for()
        page.evaluate(_MOVE, [PATH, 20])
        times, samples = np.array(page.evaluate(_MOVE, [PATH, MOVES])).T
        median, most, worst = np.quantile(times, [0.5, 0.95, 1.0])
        print(f"{MOVES} moves, {samples.min():,.0f} samples: median {median:.0f} ms, 95 % {most:.0f}, all {worst:.0f}")
        for done in range(0, LONG + 1, LONG // 4):
            memory, nodes = _held(page)
            print(f"after {done:5,} moves more: {memory:.1f} MB of script, {nodes:,} nodes")
            if done < LONG:
                page.evaluate(_MOVE, [PATH, LONG // 4])
        browser.close()
        ended.set()
        server.join()


if __name__ == "__main__":
    main()
