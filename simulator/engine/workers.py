"""The batches of a run as work: one after the other, or in several processes; always handed on in their order."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import islice
from pathlib import Path as FilePath
from typing import Literal

from simulator.engine.batches import Batch, compute_batch
from simulator.engine.collecting import Piece, count_piece
from simulator.engine.plan import Plan, plan_of
from simulator.errors import SimulatorError
from simulator.scenario.load import parse_scenario

WORTH_PROCESSES: Mapping[str, float] = {"fork": 1.0, "spawn": 3.0}
"""Seconds of work from which other processes pay, by how they start."""

JOB_SECONDS = 2.0
"""Seconds of work that a process is given at once: what Ctrl-C waits for, and what a killed process loses."""

MOST_TOGETHER = 16
"""Batches that a process counts before it hands their sum on."""


def batches_from(plan: Plan, firsts: range) -> Iterator[Batch]:
    """Compute the batches that begin with these samples; the last of a run may be shorter than the others."""
    return (compute_batch(plan, first, min(firsts.step, plan.spec.samples - first)) for first in firsts)


def kept(plan: Plan, firsts: range) -> list[Batch]:
    """Compute batches, to be kept."""
    return list(batches_from(plan, firsts))


def counted(plan: Plan, firsts: range) -> Piece:
    """Compute batches and count them."""
    return count_piece(plan, batches_from(plan, firsts))


def in_order[Result](
    task: Callable[[Plan, range], Result], plan: Plan, firsts: range, *, workers: int, together: int = 1
) -> Iterator[tuple[range, Result]]:
    """Do a task for each batch, several at a time, and hand the results on in order.

    The first batch is timed; where the others would take long and other processes can make the plan, they are shared
    with those, up to `together` at once. Threads do not pay: numpy's steps are too short.
    """
    if not firsts:
        return
    began = time.perf_counter()
    result = task(plan, firsts[:1])
    each, rest = time.perf_counter() - began, firsts[1:]
    yield firsts[:1], result
    if workers <= 1 or plan.data is None or not worth_processes(each * len(rest)):
        yield from ((rest[place : place + 1], task(plan, rest[place : place + 1])) for place in range(len(rest)))
        return
    size = max(1, min(together, int(JOB_SECONDS / each), len(rest) // (4 * workers)))
    text = json.dumps(plan.data)
    jobs = (rest[start : start + size] for start in range(0, len(rest), size))
    yield from side_by_side(
        jobs,
        workers=workers,
        here=lambda job: task(plan, job),
        there=lambda pool, job: pool.submit(_remote, task, text, job),
    )


def side_by_side[Job, Result](
    jobs: Iterable[Job],
    *,
    workers: int,
    here: Callable[[Job], Result],
    there: Callable[[Executor, Job], Future[Result]],
) -> Iterator[tuple[Job, Result]]:
    """Do jobs in several processes, of which this is one, and hand the results on in the order of the jobs.

    While the others start, this one works on. Each has a job and the next one; few results wait, so that memory does
    not grow with the jobs.
    """
    context, left = multiprocessing.get_context(_start_method()), iter(jobs)
    waiting: deque[tuple[Job, Future[Result]]] = deque()
    with ProcessPoolExecutor(workers - 1, mp_context=context, initializer=_follow) as pool:
        try:
            while True:
                busy = sum(not future.done() for _, future in waiting)
                for job in islice(left, max(0, 2 * (workers - 1) - busy)):
                    waiting.append((job, there(pool, job)))
                done = bool(waiting) and waiting[0][1].done()
                own = [] if done or len(waiting) > 4 * workers else list(islice(left, 1))
                for job in own:
                    finished: Future[Result] = Future()
                    finished.set_result(here(job))
                    waiting.append((job, finished))
                if not own:
                    if not waiting:
                        return
                    first, future = waiting.popleft()
                    yield first, future.result()
        except BrokenProcessPool:
            raise SimulatorError(
                "a worker process was killed (for want of memory, perhaps). Run it again with fewer workers."
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def worth_processes(seconds: float) -> bool:
    """Tell whether so much work is done earlier with other processes beside this one."""
    return seconds > WORTH_PROCESSES[_start_method()]


def _start_method() -> Literal["fork", "spawn"]:
    """Choose how processes start: as a copy of this one where it has one thread alone, which is safe and at once."""
    threads = FilePath("/proc/self/task")
    return "fork" if threads.is_dir() and len(list(threads.iterdir())) == 1 else "spawn"


def _follow() -> None:
    """Leave Ctrl-C to the process that started this one, and end at once where that one ends or this is told to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's end: the pool would go on waiting for its next job, and keep its memory."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _remote[Result](task: Callable[[Plan, range], Result], text: str, firsts: range) -> Result:
    return task(_plan_of_text(text), firsts)


@lru_cache(maxsize=1)
def _plan_of_text(text: str) -> Plan:
    return plan_of(parse_scenario(text, file="the scenario").components)
