"""The colours of charts, light and dark.

Colours are from Okabe and Ito (2008), which colour-blind readers tell apart; the tints also differ in grey. A chart is
drawn in the light colours; `dark` gives the same chart in the dark ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from simulator.errors import InputError

type Theme = Literal["light", "dark"]

PAPER = "white"
INK = "#222222"
QUIET = "#5F5F5F"
AXIS = "#888888"
HAIR = "#DDDDDD"

BLUE = "#0072B2"
DARK_BLUE = "#00395C"
SKY = "#56B4E9"
VERMILION = "#D55E00"
ORANGE = "#E69F00"
GREEN = "#009E73"
YELLOW = "#F0E442"
PURPLE = "#CC79A7"

_BAND_TINTS = {1: ("#9CC8E3",), 2: ("#C9E1F0", "#74AFD6"), 3: ("#DCEBF5", "#A5CCE5", "#5FA3D0")}

# Bands are palest where they are widest on paper, and darkest where they are widest on a dark ground.
DARK: Mapping[str, str] = MappingProxyType({
    PAPER: "#14181D",
    INK: "#ECEEF0",
    QUIET: "#AEB6BE",
    AXIS: "#7D868F",
    HAIR: "#333A42",
    BLUE: "#3D9BD9",
    DARK_BLUE: "#E4F2FC",
    SKY: "#7CC8F2",
    VERMILION: "#FF8B3D",
    ORANGE: "#F2B233",
    GREEN: "#2CC295",
    YELLOW: "#F5EB66",
    PURPLE: "#E09BC2",
    "#9CC8E3": "#2A628D",
    "#C9E1F0": "#1C3F5C",
    "#74AFD6": "#33719F",
    "#DCEBF5": "#1A3245",
    "#A5CCE5": "#245074",
    "#5FA3D0": "#3878A9",
})  # fmt: skip
"""The dark counterpart of every colour that a chart may have."""

COLOR_KEYS = re.compile(r"color|fill|stroke|background|\w+Color")


def band_tints(count: int) -> tuple[str, ...]:
    """List the fills of nested bands, the widest (lightest) first.

    Examples
    --------
    >>> band_tints(3)
    ('#DCEBF5', '#A5CCE5', '#5FA3D0')
    """
    if count not in _BAND_TINTS:
        raise InputError(f"bands: a fan has one to three bands; got {count}. Draw fewer intervals.")
    return _BAND_TINTS[count]


def themed(spec: Mapping[str, Any], theme: Theme) -> dict[str, Any]:
    """Give the specification of a chart in the colours of a theme; texts and numbers stay as they are."""
    check_theme(theme)
    return {key: _mapped(value, key, DARK if theme == "dark" else {}) for key, value in spec.items()}


def check_theme(theme: str) -> Theme:
    """Take the name of a theme.

    Examples
    --------
    >>> check_theme("night")
    Traceback (most recent call last):
    simulator.errors.InputError: --theme: must be light or dark; got 'night'.
    """
    themes: dict[str, Theme] = {"light": "light", "dark": "dark"}
    if theme not in themes:
        raise InputError(f"--theme: must be light or dark; got {theme!r}.")
    return themes[theme]


def _mapped(value: Any, key: str, colors: Mapping[str, str]) -> Any:
    """Map the colours below a key; the values of an encoding and the range of a scale belong to the key above."""
    if isinstance(value, str):
        return colors.get(value, value) if COLOR_KEYS.fullmatch(key) else value
    if isinstance(value, Mapping):
        inner = {name: key if name in ("value", "range", "condition", "scale") else name for name in value}
        return {name: _mapped(below, inner[name], colors) for name, below in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(below, key, colors) for below in value)
    return value
