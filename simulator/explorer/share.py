"""One HTML file of an explored scenario that works without a network, a server or this program."""

from __future__ import annotations

import base64
import json
import re
import shlex
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.charts.bundle import allowed, vega_script
from simulator.errors import SimulatorError
from simulator.explorer.changes import Opened, settings
from simulator.explorer.curves import SCORES, WIDTHS, Axis, Curve, Movable
from simulator.explorer.draws import WIDE, Draws, Known, draws_of, weighed_scenarios
from simulator.explorer.explorer import Explorer
from simulator.explorer.protocol import Control, Picture, State
from simulator.files import make_folder, replacing
from simulator.scenario.load import Source
from simulator.scenario.resolving import Scenario
from simulator.units import Array
from simulator.wording import harmless

_LARGEST = 30_000
"""The most steps between the least and the greatest of a variable."""


@dataclass(slots=True)
class Packed:
    """Arrays of whole numbers (row, sample), and what is said of them; their bytes are compressed together.

    A row is told by its differences from the one before it, the first from 0; each as 2 v, or -2 v - 1 below 0; of all
    rows the low bytes come first, then the high ones.
    """

    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _bytes: list[bytes] = field(default_factory=list)

    def add(self, name: str, codes: NDArray[np.integer], **said: Any) -> None:
        """Add an array (row, sample)."""
        rows = np.atleast_2d(codes).astype(np.int64)
        apart = np.diff(rows, axis=0, prepend=0)
        told = np.where(apart < 0, -2 * apart - 1, 2 * apart).astype(np.uint32)
        planes = [((told >> shift) & 255).astype(np.uint8).tobytes() for shift in (0, 8, 16)]
        self.parts[name] = {"rows": rows.shape[0], **said}
        self._bytes += planes

    def text(self, **more: Any) -> str:
        """Write all of it, with more that is plain data, as base64 of a zlib stream: length, JSON, arrays."""
        head = json.dumps({"parts": self.parts, **more}, ensure_ascii=False, separators=(",", ":")).encode()
        head += b" " * (-len(head) % 4)
        whole = b"".join([np.uint32(len(head)).tobytes(), head, *self._bytes])
        # Smaller than level 9 as it stands, in less than half its time
        pack = zlib.compressobj(6, memLevel=7, strategy=zlib.Z_FILTERED)
        return base64.b64encode(pack.compress(whole) + pack.flush()).decode()


def levels_in_steps(levels: Array, *, step: float) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Put levels (row, sample) into whole steps, from the least on; what is said of them: `step`, `low`, `most`.

    -inf is -1 and +inf one more than `most`. The step is larger where they spread over more than 30,000.
    """
    finite = np.isfinite(levels)
    low, high = (float(levels[finite].min()), float(levels[finite].max())) if finite.any() else (0.0, 0.0)
    step = max(step, (high - low) / _LARGEST)
    low = step * np.floor(low / step)
    codes = np.rint((np.where(finite, levels, low) - low) / step).astype(np.int64)
    most = int(codes.max(initial=0))
    return np.where(finite, codes, np.where(levels > 0, most + 1, -1)), {"step": step, "low": low, "most": most}


MOST_BYTES = 3_000_000
"""How large a shared file is, at most."""
_OWN, _WIDER, _WIDENED, _TRIES = 5_000, 400, 12, 6
_BARE, _SURELY = 600_000, 0.98
LEVEL_STEP, YEAR_STEP = 0.005, 0.005
"""The steps of levels, in OOM (of plain numbers a two thousandth of their middle 90 %), and of crossing years."""
_SCORE_STEP, _FINEST, _LOG_STEP, _NEVER = 1 / 32, 1 / 1024, 0.01, 9999
_FOLDER = FilePath(__file__).parent
_POLICY = "default-src 'none'; script-src %s; style-src %s; img-src data: blob:; base-uri 'none'; form-action 'none'"
_KINDS = {
    "number": "It is one number: samples drawn with it say nothing of another.",
    "switch": "Samples drawn with it say nothing of how it would be without it.",
}
_ALONE = (
    "This page is one file and works without a network. As it was opened it shows the simulator's own run; what you "
    "change is weighed from samples that it holds, with the error of so many. Where they do not reach, it says so."
)


def write_shared(scenario: Source | Scenario, path: FilePath | str, *, overrides: Sequence[str] = ()) -> list[str]:
    """Write the page of an explored scenario as one HTML file, at most 3 MB, and say what it holds.

    It is replaced only when the new one is complete.
    """
    explorer, target = Explorer(scenario, overrides=overrides), FilePath(path)
    text, samples = shared_text(explorer)
    make_folder(target.parent)
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [
        f"{target} ({len(text.encode()) / 1e6:.1f} MB, {samples:,} samples): opens in any browser, without a network"
    ]


def shared_text(explorer: Explorer) -> tuple[str, int]:
    """Write the page with what it holds, the scenario as it was opened and the draws for which there is room."""
    state = explorer.state
    known = Known.of(explorer.base, state["controls"])
    own, wider, priors = _OWN, _WIDER, {path: _prior(each, explorer.base) for path, each in known.priors.items()}
    for _ in range(_TRIES):
        draws = draws_of(explorer.base, known, own=own, wider=wider, most=_WIDENED)
        text = _page(state, _packed(state, explorer, draws, priors))
        if (size := len(text.encode())) <= MOST_BYTES:
            return text, draws.logs.size
        fewer = max(min((MOST_BYTES - _BARE) / (size - _BARE), 1.0) * _SURELY, 0.1)
        own, wider = (max(int(fewer * count), 1) for count in (own, wider))
    raise SimulatorError(
        f"{state['name']}: has too many variables and years for one file of {MOST_BYTES / 1e6:g} MB. "
        "Give it fewer named quantities with a label, or open it with simulate explore."
    )


def page_script() -> str:
    """Write the scripts of the page as one module, which gives `render`."""
    return f"{_views()}\n{_linked('page.js')}"


def _views() -> str:
    """Write what views.js gives as one object of this name."""
    views = (_FOLDER / "views.js").read_text(encoding="utf-8")
    given = ", ".join(re.findall(r"^export (?:async )?(?:const|class|function) (\w+)", views, flags=re.MULTILINE))
    inner = re.sub(r"^export ", "", views, flags=re.MULTILINE)
    return f"const views = (() => {{\n{inner}\nreturn {{ {given} }};\n}})();"


def _linked(name: str) -> str:
    """Read a script that takes from views.js, as one that stands behind it in the same module."""
    script = (_FOLDER / name).read_text(encoding="utf-8")
    return re.sub(r'^import (\{[^}]*\}) from "\./views\.js";$', r"const \1 = views;", script, flags=re.MULTILINE)


def _page(state: State, packed: str) -> str:
    """Write the page; its policy names its scripts, that of the drawing library among them, and lets no other run."""
    offline = f"(() => {{\n{_linked('offline.js')}\nreturn sharedModel;\n}})()"
    opening = f'globalThis.explorerModel = await {offline}(document.getElementById("shared").textContent);'
    script = harmless(f"{_views()}\n{opening}\n{_linked('page.js')}").replace("</script", "<\\/script")
    page = (_FOLDER / "page.html").read_text(encoding="utf-8")
    sheet = harmless((_FOLDER / "page.css").read_text(encoding="utf-8"))
    policy = _POLICY % (" ".join(map(allowed, (script, vega_script()))), allowed(f"\n{sheet}"))
    title = f"Explorer: {state['title']}".replace("&", "&amp;").replace("<", "&lt;")
    page = page.replace(
        '<meta name="viewport"',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<meta name="viewport"',
    )
    page = re.sub(r"<title>.*?</title>", lambda _: f"<title>{title}</title>", page)
    page = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>\n{sheet}</style>", page)
    page = re.sub(r'<script [^>]*></script>\n|<link rel="modulepreload"[^>]*>\n', "", page)
    held = f'<script type="text/plain" id="shared">{packed}</script>\n<script type="module">{script}</script>\n</body>'
    return harmless(page.replace("</body>", held))


def _packed(state: State, explorer: Explorer, draws: Draws, priors: Mapping[str, dict[str, Any]]) -> str:
    """Pack everything that the file holds."""
    held = {each["path"]: _KINDS[each["kind"]] for each in state["controls"] if each["kind"] in _KINDS}
    held.update(draws.known.refused)
    packed, size = Packed(), draws.logs.size
    names = sorted(draws.scores)
    scores = np.stack([draws.scores[name] for name in names]) if names else np.zeros((1, size))
    finite = np.isfinite(scores)
    steps = _score_steps(names, draws)
    codes = np.where(finite, np.rint(np.where(finite, scores, 0.0) / steps[:, None]), _NEVER)
    parts = _weights(explorer.base)
    packed.add("scores", codes.astype(np.int64), samples=size, steps=steps.tolist())
    packed.add("logs", np.rint(draws.logs / _LOG_STEP).astype(np.int64), samples=size, step=_LOG_STEP)
    if len(explorer.base.scenario.components) > 1:
        packed.add("component", draws.component.astype(np.int64), samples=size)
    _add_fans(packed, draws, state["picture"])
    _add_crossings(packed, draws)
    return packed.text(
        state=_told(state, held),
        held=held,
        vega=vega_script(),
        command=shlex.join(explorer.words),
        scores=SCORES.tolist(),
        own=draws.of_run,
        names=names,
        never=_NEVER,
        mixed={path: at for at, path in enumerate(parts)} if len(parts) > 1 else {},
        weights=list(parts.values()),
        priors={
            path: each | {"wide": {"width": WIDE, "share": draws.wide.get(path, 0.0)}} for path, each in priors.items()
        },
        groups=[{"names": group.names, "factor": group.factor.tolist()} for group in draws.known.groups],
        limits=_add_limits(packed, draws, state["picture"]),
    )


def _score_steps(names: Sequence[str], draws: Draws) -> Array:
    """Give the steps of scores, finer where a copula leaves one prior little given the others."""
    steps = np.full(max(len(names), 1), _SCORE_STEP)
    for group in draws.known.groups:
        left = np.linalg.svd(group.factor, compute_uv=False)[-1]
        steps[[names.index(name) for name in group.names]] = max(_SCORE_STEP * left, _FINEST)
    return steps


def _weights(base: Opened) -> dict[str, float]:
    """List the weights of the scenarios of a mixture, by the path of each, in their order."""
    paths = {name: path for path, name in weighed_scenarios(base).items()}
    return {paths.get(each.name, each.name): each.weight for each in base.scenario.components}


def _told(state: State, held: Mapping[str, str]) -> State:
    """Give the state as the page is opened with it: what cannot be changed here says why; other scenarios are away."""
    controls = [
        Control(**{**each, "held": held[each["path"]]}) if each["path"] in held else each for each in state["controls"]
    ]
    return State(**{**state, "controls": controls, "presets": [], "alone": _ALONE})


def _add_fans(packed: Packed, draws: Draws, picture: Picture) -> None:
    levels = draws.trajectories
    for fan in picture["fans"]:
        rows = np.asarray(levels[fan["variable"]], dtype=np.float64)
        step = LEVEL_STEP
        if not fan["log"]:
            finite = rows[np.isfinite(rows)]
            step = float(np.ptp(np.quantile(finite, [0.05, 0.95]))) / 2000 if finite.size else 1.0
        codes, said = levels_in_steps(rows, step=step or LEVEL_STEP)
        packed.add(f"fan:{fan['variable']}", codes, samples=rows.shape[1], **said)


def _add_crossings(packed: Packed, draws: Draws) -> None:
    """Pack crossing years in steps from the first year on, which is 0: each belongs to the step that ends behind it."""
    if "crossing_year" not in draws.batches[0].crossings:
        return
    years, first = draws.crossings("crossing_year"), float(draws.plan.years[0])
    passed = draws.crossings("already_above").astype(bool)
    finite = np.isfinite(years)
    codes = np.ceil((np.where(finite, years, first) - first) / YEAR_STEP - 1e-6).astype(np.int64)
    codes = np.where(passed, 0, np.maximum(codes, 1))
    most = int(codes[finite].max(initial=0))
    size = years.shape[1]
    packed.add("crossings", np.where(finite, codes, most + 1), samples=size, step=YEAR_STEP, most=most)
    levels, said = levels_in_steps(draws.crossings("threshold_level"), step=LEVEL_STEP)
    packed.add("levels", levels, samples=size, **said)


def _add_limits(packed: Packed, draws: Draws, picture: Picture) -> dict[str, dict[str, Any]]:
    """Pack what binds, by year; and say which limit of the picture has which number there."""
    levels = draws.trajectories
    result: dict[str, dict[str, Any]] = {}
    for name, limits in draws.plan.limits.items():
        part = f"limits:{name}"
        packed.add(part, levels[name].astype(np.int64), samples=levels[name].shape[1])
        subject = name.removeprefix("binding_")
        result |= {f"{subject}.{limit}": {"part": part, "number": place + 1} for place, limit in enumerate(limits)}
    return {limit["name"]: result[limit["name"]] for limit in picture["limits"]}


def _prior(prior: Movable, base: Opened) -> dict[str, Any]:
    """Tell a prior to the page; its table as it stands is that of its name, once."""
    told: dict[str, Any] = {
        "name": prior.key,
        "whole": prior.grid is None or prior.axis.shown is not None,
        "stands": _curve(prior.stands),
        "axis": _axis(prior.axis),
        "ratios": prior.ratios,
        "median": prior.median,
        "setting": None if prior.part is not None else _setting(base, prior),
    }
    if prior.part is not None and prior.others is not None:
        return told | {"part": _short(prior.part), "others": _short(prior.others), "beside": prior.beside}
    if prior.grid is not None:
        curves = [[_short(at) if np.isfinite(at).all() else None for at in row] for row in prior.grid]
        return told | {"medians": prior.medians, "widths": WIDTHS, "curves": curves}
    stands, moved = prior.stands, prior.moved
    same = np.allclose(stands.at, moved.at, atol=1e-4) and np.allclose(stands.logs, moved.logs, atol=1e-3)
    return told if same else told | {"moved": _curve(moved)}


def _curve(curve: Curve) -> dict[str, list[float]]:
    return {"at": _short(curve.at), "logs": _short(curve.logs)}


def _axis(axis: Axis) -> dict[str, Any]:
    told: dict[str, Any] = {"log": axis.log, "sign": axis.sign, "size": axis.size}
    return (
        told if axis.shown is None or axis.at is None else told | {"shown": _short(axis.shown), "at": _short(axis.at)}
    )


def _short(values: Array) -> list[float]:
    """Write numbers with seven digits; what is none is very little."""
    return [float(f"{value:.7g}") for value in np.nan_to_num(values, neginf=-1e3).tolist()]


_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")


def _setting(base: Opened, prior: Movable) -> dict[str, Any] | None:
    """Write the change of a prior as `path=value`, with a place between two \u2402 for what moves.

    Each is told with its number before the move and how it moves: `at` a place, or `by` a factor. None where a change
    is written otherwise.
    """
    tried = ((prior.median, 1.0 + 1e-9), (prior.median * 1.01 + (prior.median == 0), 1.0), (prior.median, 1.1))
    try:
        texts = [settings(base, {prior.path: {"median": median, "width": width}})[0] for median, width in tried]
    except (SimulatorError, IndexError):
        return None
    parts, numbers = (
        [_NUMBER.split(text) for text in texts],
        [list(map(float, _NUMBER.findall(text))) for text in texts],
    )
    if parts.count(parts[0]) < len(parts):
        return None
    text, told = parts[0][0], list[tuple[float, str]]()
    for number, found, after in zip(_NUMBER.findall(texts[0]), zip(*numbers, strict=True), parts[0][1:], strict=True):
        stays = len({*found}) == 1
        ways = [way for way in ("at", "by") if all(map(np.isclose, found[1:], _moved(prior, found[0], way, tried[1:])))]
        ways = [] if stays else ways
        if not ways and not stays:
            return None
        text += (f"\u2402{len(told)}\u2402" if ways else number) + after
        told += [(found[0], ways[0])] if ways else []
    return {"text": text, "numbers": told}


def _moved(prior: Movable, number: float, way: str, tried: Iterable[tuple[float, float]]) -> Iterator[float]:
    """Move a number of a file as the page does."""
    old = prior.median * prior.axis.size
    for median, width in tried:
        now = median * prior.axis.size
        factor = width * (now / old if prior.ratios else 1.0)
        if way == "by":
            yield factor * number
        else:
            yield now * (number / old) ** width if prior.axis.log else now + factor * (number - old)
