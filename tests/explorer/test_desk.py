"""One computation at a time; the newest wins; nothing waits for ever."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.explorer.desk import MOST_WAITING, Desk, FullError, Turn


class Engine:
    """Waits to be let go where it is asked to; keeps what it computed, and on which threads."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.computed: list[dict[str, Any]] = []
        self.at_once, self.most, self.threads = 0, 0, set[int]()

    def __call__(self, asked: Any, is_needless: Callable[[], bool]) -> dict[str, Any]:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.threads.add(threading.get_ident())
        self.computed.append(dict(asked))
        if asked.get("scenario") == "slow":
            self.begun.set()
            assert self.go.wait(30)
        if asked.get("scenario") == "broken":
            raise ZeroDivisionError
        self.at_once -= 1
        if is_needless():
            return {"overtaken": True}
        said = {"nan": float("nan"), "half": "\ud83d ½"}.get(str(asked.get("text")), "done")
        return {"serial": asked.get("serial"), "text": said}


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def desk(engine: Engine) -> Iterator[Desk]:
    made = Desk(lambda: engine, failed=pytest.fail)
    made.ask({"kind": "run", "scenario": "slow"})
    assert engine.begun.wait(30)  # from here on all wait, until it is let go
    yield made
    engine.go.set()
    made.close()


def answered(turn: Turn) -> dict[str, Any]:
    return json.loads(turn.answer.result(30))


def picture(serial: int, page: str = "a", **more: object) -> dict[str, Any]:
    return {"kind": "picture", "page": page, "serial": serial, **more}


def test_of_one_page_the_newest_is_computed_and_those_before_it_are_told(desk: Desk, engine: Engine) -> None:
    waiting = [desk.ask(picture(serial)) for serial in (1, 2, 3)]
    assert [answered(each) for each in waiting[:2]] == [{"serial": serial, "overtaken": True} for serial in (1, 2)]
    assert answered(desk.ask(picture(1))) == {"serial": 1, "overtaken": True}  # came late, by another connection
    engine.go.set()
    assert answered(waiting[2]) == {"serial": 3, "text": "done"}
    assert [each["serial"] for each in engine.computed[1:]] == [3]


def test_pages_presets_and_deeds_do_not_overtake_one_another(desk: Desk, engine: Engine) -> None:
    asked = [
        picture(1), picture(2, page="b"), picture(3, scenario="no-caps"), {**picture(4), "kind": "save"}, picture(5, text="x"),
        {"kind": "picture"}, {"kind": "picture"}, {"kind": "picture", "page": "a", "serial": "6"}, {"kind": ["picture"]}, {},
    ]  # fmt: skip
    waiting = [desk.ask(each) for each in asked]
    engine.go.set()
    assert [answered(each)["text"] for each in waiting] == ["done"] * len(asked)
    assert engine.computed[1:] == asked
    assert engine.most == 1
    assert len(engine.threads) == 1
    assert threading.get_ident() not in engine.threads


def test_what_moved_is_overtaken_by_a_picture_and_not_the_other_way(desk: Desk, engine: Engine) -> None:
    first, moved = desk.ask(picture(1)), desk.ask({**picture(2), "kind": "moved"})
    assert not first.answer.done()
    desk.ask(picture(3))
    assert answered(moved) == {"serial": 2, "overtaken": True}


def test_what_is_computed_is_told_that_a_later_request_has_come(engine: Engine) -> None:
    desk = Desk(lambda: engine, failed=pytest.fail)
    late = desk.ask({"kind": "moved", "page": "a", "serial": 1, "scenario": "slow"})
    assert engine.begun.wait(30)
    desk.ask(picture(2, scenario="slow", page="b"))
    next_ = desk.ask(picture(2, scenario="slow"))
    engine.go.set()
    assert answered(late) == {"overtaken": True}
    assert answered(next_)["text"] == "done"
    desk.close()


def test_what_is_computed_is_told_that_its_page_has_left(engine: Engine) -> None:
    desk = Desk(lambda: engine, failed=pytest.fail)
    turn = desk.ask({"kind": "moved", "scenario": "slow"})
    assert engine.begun.wait(30)
    turn.leave()
    engine.go.set()
    assert answered(turn) == {"overtaken": True}
    desk.close()


def test_so_many_wait_and_no_more_and_who_left_makes_room(desk: Desk, engine: Engine) -> None:
    waiting = [desk.ask(picture(1, page=str(page))) for page in range(MOST_WAITING)]
    with pytest.raises(FullError):
        desk.ask(picture(1, page="one more"))
    waiting[3].leave()
    last = desk.ask(picture(1, page="one more"))
    engine.go.set()
    assert answered(last)["text"] == "done"
    assert "3" not in [each.get("page") for each in engine.computed]


def test_a_request_that_fails_is_told_so_and_the_next_is_answered(
    desk: Desk, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, nan = desk.ask({"scenario": "broken", "serial": 7}), desk.ask({"text": "nan"})
    after, half = desk.ask(picture(8)), desk.ask({"text": "half"})
    engine.go.set()
    assert answered(broken)["serial"] == 7
    assert "(ZeroDivisionError)" in answered(broken)["faults"][0]["text"]
    assert "(ValueError)" in answered(nan)["faults"][0]["text"]  # there is no NaN in JSON
    assert answered(after)["text"] == "done"
    assert answered(half)["text"] == "? ½"  # half of a pair of letters, quoted from what was asked
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_where_there_is_no_engine_all_are_told_why() -> None:
    def make() -> Callable[[Any, Any], Any]:
        raise InputError("none.yaml: no such file.")

    errors: list[Exception] = []
    desk = Desk(make, failed=errors.append)
    assert answered(desk.ask(picture(1))) == {"faults": [{"path": "", "text": "none.yaml: no such file."}]}
    assert list(map(str, errors)) == ["none.yaml: no such file."]
    desk.close()


def test_it_ends_with_its_thread(engine: Engine) -> None:
    before = threading.active_count()
    desk = Desk(lambda: engine, failed=pytest.fail)
    desk.ask({})
    desk.close()
    assert threading.active_count() == before
