"""Vega as one script, for pages that draw their own charts: it loads nothing and evaluates no text."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

VEGA = Path(__file__).with_name("vega.js")
"""Defines `simulatorVega = {vega, vegaEmbed}` and no other name, as a script of a page and at the head of a module."""


def vega_script() -> str:
    """Read the script; with the option `ast: true` it draws under a policy without `unsafe-eval`."""
    return VEGA.read_text(encoding="utf-8")


def allowed(script: str) -> str:
    """Name a script of a page for the page's policy, which then runs no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
