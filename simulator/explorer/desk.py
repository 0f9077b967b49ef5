"""One computation at a time, on a thread of its own; of those that wait for one page, the newest is made."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

type Request = Mapping[str, Any]
"""What a page asks, `Asked` where it is of its shape: the engine checks that."""
type Engine = Callable[[Request, Callable[[], bool]], Mapping[str, Any]]
"""Answers a request; asks now and then whether a later one has made it needless, and then gives it up."""

MOST_WAITING = 32
"""Requests that wait; another is refused."""
_PATIENCE = 3.0
"""Seconds for which the end waits for the computation that runs."""
_OVERTAKES: Mapping[object, tuple[str, ...]] = {"picture": ("picture", "moved"), "moved": ("moved",)}
"""Which requests make those before them needless, where one page asks them of one scenario."""


class FullError(Exception):
    """As many wait as may."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A request that waits or is computed, and its answer to be: JSON."""

    asked: Request
    answer: Future[bytes] = field(default_factory=Future)
    left: threading.Event = field(default_factory=threading.Event)

    def is_overtaken_by(self, other: Request) -> bool:
        """Tell whether a later request makes this one needless."""
        mine, later = self.asked.get("serial"), other.get("serial")
        if not (isinstance(mine, int) and isinstance(later, int) and mine < later):
            return False
        same = all(self.asked.get(key) == other.get(key) for key in ("page", "scenario", "set", "text"))
        return same and self.asked.get("kind") in _OVERTAKES.get(str(other.get("kind")), ())

    def leave(self) -> None:
        """Wait for the answer no more: the page was closed, or gave up."""
        self.left.set()
        self.answer.cancel()


class Desk:
    """What stands between the pages and the engine, which is made on the thread that computes.

    Where it cannot be made all are told why, and `failed` is called with the error.
    """

    def __init__(self, make: Callable[[], Engine], *, failed: Callable[[Exception], None]) -> None:
        self._waiting: list[Turn] = []
        self._change = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, args=(make, failed), name="explorer", daemon=True)
        self._thread.start()

    def ask(self, asked: Request) -> Turn:
        """Have a request computed, unless a later one comes before its turn."""
        new = Turn(asked)
        with self._change:
            before = [each for each in self._waiting if not each.left.is_set()]
            late = any(new.is_overtaken_by(each.asked) for each in before)
            needless = [new] if late else [each for each in before if each.is_overtaken_by(asked)]
            self._waiting = [each for each in (*before, new) if each not in needless]
            if len(self._waiting) > MOST_WAITING:
                self._waiting.remove(new)
                raise FullError
            self._change.notify()
        for each in needless:
            each.answer.set_result(_as_json({"serial": each.asked["serial"], "overtaken": True}))
        return new

    def close(self) -> None:
        """End the thread when what it computes is done, or after some seconds with the process."""
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join(_PATIENCE)

    def _work(self, make: Callable[[], Engine], failed: Callable[[Exception], None]) -> None:
        try:
            engine = make()
        except Exception as error:  # noqa: BLE001 - raised again where the server ends
            engine = partial(_refused, str(error))
            failed(error)
        while (each := self._next()) is not None:
            if each.answer.set_running_or_notify_cancel():
                each.answer.set_result(_computed(engine, each.asked, partial(self._is_needless, each)))

    def _is_needless(self, each: Turn) -> bool:
        with self._change:
            return (
                self._ended or each.left.is_set() or any(each.is_overtaken_by(other.asked) for other in self._waiting)
            )

    def _next(self) -> Turn | None:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._ended)
            return None if self._ended else self._waiting.pop(0)


def told(words: str) -> Mapping[str, Any]:
    """Give an answer that says what is wrong."""
    return {"faults": [{"path": "", "text": words}]}


def _refused(words: str, _: Request, __: Callable[[], bool]) -> Mapping[str, Any]:
    return told(words)


def _as_json(answer: Mapping[str, Any]) -> bytes:
    text = json.dumps(answer, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="replace")  # a fault may quote what is no letter


def _computed(engine: Engine, asked: Request, is_needless: Callable[[], bool]) -> bytes:
    """Answer a request, and that it failed where it does: the next one may not."""
    try:
        return _as_json(engine(asked, is_needless))
    except Exception as error:  # noqa: BLE001 - one request of many
        traceback.print_exc(file=sys.stderr)
        serial = {"serial": asked["serial"]} if "serial" in asked else {}
        words = f"This could not be computed ({type(error).__name__}): the terminal of the server says more."
        return _as_json({**serial, **told(words)})
