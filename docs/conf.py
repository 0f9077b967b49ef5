"""The documentation as a site: `sphinx-build -W docs docs/_build/html` writes it, and needs no network."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "site"), str(Path(__file__).parent.parent)]

from simulator.version import RELEASE  # noqa: E402 - of this checkout

project = "effective-compute-simulator"
author = "The effective-compute-simulator authors"
project_copyright = author
version = release = RELEASE
extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc",
    "generated", "mathml", "ran", "repository",
]  # fmt: skip
exclude_patterns = ["_build", "site"]
suppress_warnings = ["misc.highlighting_failure"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_dmath_allow_digits = False
smartquotes = False
html_math_renderer = "mathml"

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = "Effective compute simulator"
html_static_path = ["site/site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style, pygments_dark_style = "default", "github-dark"
html_theme_options = {"navigation_with_keys": True}
