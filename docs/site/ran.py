"""The commands of a page are run while the site is built, and the page shows what they print and draw.

What ran is kept in `_build/ran` and used again until the page or the code changes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from pages import Done, blocks, run_page
from sphinx.application import Sphinx
from sphinx.util import logging

from simulator.version import made_by

LOG = logging.getLogger(__name__)
MOST_LINES, WIDTH = 50, 88
FILES = (".csv", ".svg", ".png", ".txt", ".pdf", ".html", ".json")


def _shows_what_it_does(page: str) -> bool:
    return page.startswith("how-to/") or page in ("tutorial", "gallery")


def _run(app: Sphinx, page: str, source: list[str]) -> None:
    if not _shows_what_it_does(page) or not app.config.run_commands:
        return
    kept = _kept(Path(app.srcdir), page, source[0])
    ran = iter(json.loads((kept / "ran.json").read_text(encoding="utf-8")))
    text, written = source[0], []
    at = 0
    for block, name, _ in blocks(text):
        if block[1] == "sh" and not name:
            written += [text[at : block.start()], _shown(app, kept, next(ran))]
            at = block.end()
    source[0] = "".join([*written, text[at:]])


def _kept(docs: Path, page: str, text: str) -> Path:
    """Run the commands of a page, where that has not been done; give the folder of what came of them."""
    mark = hashlib.sha256(f"{made_by()['code']}{text}".encode()).hexdigest()[:16]
    kept = docs / "_build" / "ran" / page.replace("/", "-") / mark
    if not (kept / "ran.json").exists():
        shutil.rmtree(kept.parent, ignore_errors=True)
        kept.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as work:
            done = run_page(text, Path(work), dark=True)
            ran = [[_told(each, page, Path(work), kept) for each in block] for block in done]
        (kept / "ran.json").write_text(json.dumps(ran), encoding="utf-8")
    return kept


def _told(done: Done, page: str, work: Path, kept: Path) -> dict[str, Any]:
    """Keep what a command printed, and its pictures in light and dark where it was asked to draw."""
    if done.code:
        LOG.warning("%s: '%s' failed: %s", page, done.command, done.printed)
    pictures = []
    for light, dark in zip(done.pictures, done.dark, strict=False):
        stem = f"{len([*kept.glob('*-light.svg')])}-{light.stem}"  # another run may draw one of the same name
        for theme, path in (("light", light), ("dark", dark)):
            shutil.copy(work / path, kept / f"{stem}-{theme}.svg")
        said = re.search(r'aria-label="([^"]*)"', (work / light).read_text(encoding="utf-8"))
        pictures.append([stem, said[1] if said else light.stem])
    return {"command": done.command, "printed": done.printed, "pictures": pictures}


def _shown(app: Sphinx, kept: Path, ran: list[dict[str, Any]]) -> str:
    parts: list[str] = []
    for each in ran:
        folded = [part for line in cut(each["printed"]) for part in _folded(line)]
        parts += ["```sh", each["command"], "```", "```text", *folded, "```", ""]
        for stem, words in each["pictures"]:
            parts.append("````{container} chart")
            for theme in ("light", "dark"):
                file = f"/{(kept / f'{stem}-{theme}.svg').relative_to(app.srcdir)}"
                parts.append(f"```{{image}} {file}\n:alt: {words}\n:class: only-{theme}\n```")
            parts.append("````\n")
    return "\n".join(parts)


def cut(printed: str) -> list[str]:
    """Cut what was printed: of nothing but files the first is shown, else the first lines."""
    lines = printed.rstrip().splitlines()
    files = all(Path(line.strip()).suffix in FILES for line in lines)
    most = 1 if files else MOST_LINES
    rest = [f"... and {len(lines) - most} more {'files' if files else 'lines'}"] if len(lines) > most else []
    return lines[:most] + rest


def _folded(line: str) -> list[str]:
    """Fold a line as a terminal would, further in than it begins."""
    inset = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(line, WIDTH, subsequent_indent=inset, break_on_hyphens=False, drop_whitespace=False) or [""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at each page as it is read."""
    app.add_config_value("run_commands", default=True, rebuild="env")
    app.connect("source-read", _run, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
