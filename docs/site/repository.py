"""Links between documents of the repository, which are read there too, lead to the pages of the site."""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
_PAGES = {name.lower(): f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def _lead_home(app: Sphinx, page: str, source: list[str]) -> None:
    """Show a document at the top of the repository as its page; what is no page, a file of code, keeps its name."""
    folder = ROOT if page in _PAGES else (Path(app.srcdir) / page).parent
    text = (ROOT / _PAGES[page]).read_text(encoding="utf-8") if page in _PAGES else source[0]

    def led(link: re.Match[str]) -> str:
        image, words, target = link.groups()
        name, _, place = target.partition("#")
        found = (folder / name).resolve()
        if found.parent == ROOT and found.name in _PAGES.values():
            found = Path(app.srcdir) / f"{found.stem.lower()}.md"
        if not found.is_relative_to(app.srcdir):
            return words if words.startswith("`") else f"`{words}`"
        return f"{image}[{words}](/{found.relative_to(app.srcdir)}{f'#{place}' if place else ''})"

    source[0] = _LINK.sub(led, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at each page as it is read."""
    app.connect("source-read", _lead_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
