"""The batches of a run as work: one after the other, in several processes, or by an executor; handed on in order."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import chain, islice
from pathlib import Path as FilePath
from typing import Any, Literal

from simulator.engine.batches import Batch, compute_batch
from simulator.engine.collecting import Piece, count_piece
from simulator.engine.plan import Plan, plan_of
from simulator.errors import InputError, SimulatorError
from simulator.scenario.load import parse_scenario
from simulator.scenario.resolving import Scenario
from simulator.version import source_digest

type Workers = int | Executor
"""How many processes of this machine work side by side; or an executor, which is handed all the work."""

WORTH_PROCESSES: Mapping[str, float] = {"fork": 1.0, "spawn": 3.0}
"""Seconds of work from which other processes pay, by how they start."""

JOB_SECONDS = 2.0
"""Seconds of work that a process is given at once: what Ctrl-C waits for, and what a killed process loses."""

HANDED_SECONDS = 10.0
"""The same of an executor, whose results travel further."""

KILLED = "a worker process was killed (for want of memory, perhaps). Run it again with fewer workers."

MOST_TOGETHER = 16
"""Batches that a process counts before it hands their sum on."""

MOST_HELD = 64
"""Results that wait for one before them, at most."""


def batches_from(plan: Plan, firsts: range) -> Iterator[Batch]:
    """Compute the batches that begin with these samples; the last of a run may be shorter than the others."""
    return (compute_batch(plan, first, min(firsts.step, plan.spec.samples - first)) for first in firsts)


def kept(plan: Plan, firsts: range) -> list[Batch]:
    """Compute batches, to be kept."""
    return list(batches_from(plan, firsts))


def counted(plan: Plan, firsts: range) -> Piece:
    """Compute batches and count them."""
    return count_piece(plan, batches_from(plan, firsts))


@dataclass(frozen=True, slots=True)
class Work[Result]:
    """A task for each batch of a run, by its first sample; `together` are done at once, at most."""

    task: Callable[[Plan, range], Result]
    plan: Plan
    firsts: range
    together: int = 1

    def is_like(self, other: Work[Any]) -> bool:
        """Tell whether the results are the same."""
        return self.task is other.task and self.firsts == other.firsts and self.plan.data == other.plan.data


def in_order[Result](work: Work[Result], *, workers: Workers) -> Iterator[tuple[range, Result]]:
    """Do a task for each batch, several at a time, and hand the results on in order.

    The first batch is timed; where the others would take long and other processes can make the plan, they are shared
    with those, up to `together` at once. Threads do not pay: numpy's steps are too short. An executor does them all.
    """
    task, plan, firsts = work.task, work.plan, work.firsts
    if not firsts:
        return
    afar = isinstance(workers, Executor)
    if afar:
        refuse_functions(plan)
    here, text = partial(_timed, task, plan), cache(lambda: json.dumps(plan.data))

    def there(pool: Executor, job: range) -> Future[tuple[Result, float]]:
        return submitted(pool, _remote, task, text(), job)

    [(first, (result, each))] = side_by_side([firsts[:1]], workers=workers if afar else 1, here=here, there=there)
    yield first, result
    rest = firsts[1:]
    if not afar and (workers == 1 or plan.data is None or not worth_processes(each * len(rest))):
        yield from ((rest[place : place + 1], task(plan, rest[place : place + 1])) for place in range(len(rest)))
        return
    most = min(work.together, int((HANDED_SECONDS if afar else JOB_SECONDS) / each))
    jobs = _shrinking(rest, most=most, parts=2 * width(workers))
    for job, (found, _) in side_by_side(jobs, workers=workers, here=here, there=there):
        yield job, found


def _shrinking(firsts: range, *, most: int, parts: int) -> Iterator[range]:
    """Cut batches into jobs of a part of what is left, so that all end together; `most` at once."""
    while firsts:
        size = max(1, min(most, len(firsts) // parts))
        yield firsts[:size]
        firsts = firsts[size:]


class Queue:
    """The batches of several runs, handed to an executor one after the other: those of a run before the last is whole.

    `works` gives what the runs do, each with the place of its run, and is asked when hands are free. A run that does
    something else, since it goes on with what was left, hands out its own.
    """

    def __init__(self, pool: Executor, works: Iterable[tuple[int, Work[Any]]]) -> None:
        self._pool, self._hands, self._place = pool, width(pool), 0
        self._waiting = deque[tuple[int, Work[Any], range, Future[tuple[Any, float]]]]()
        self._left = self._jobs(works)
        self._seconds: dict[int, float] = {}

    def begin(self, place: int) -> None:
        """Come to the run of a place: what is left of those before it is let go."""
        self._place = place
        while self._waiting and self._waiting[0][0] < place:
            self._waiting.popleft()[-1].cancel()
        self._seconds = {each: seconds for each, seconds in self._seconds.items() if each >= place}

    def results[Result](self, work: Work[Result]) -> Iterator[tuple[range, Result]] | None:
        """Hand on the results of a run's work in order; None where it is not what was handed out."""
        self._fill()
        return self._results(work) if self._is_next(work) else None

    def _results(self, work: Work[Any]) -> Iterator[tuple[range, Any]]:
        while self._is_next(work):
            place, _, job, future = self._waiting.popleft()
            try:
                result, seconds = future.result()
            except BrokenExecutor:
                raise SimulatorError(KILLED) from None
            self._seconds.setdefault(place, seconds / len(job))
            yield job, result
            self._fill()

    def _is_next(self, work: Work[Any]) -> bool:
        return bool(self._waiting) and self._waiting[0][0] == self._place and self._waiting[0][1].is_like(work)

    def _fill(self) -> None:
        busy = sum(not each[-1].done() for each in self._waiting)
        few = len(self._waiting) - busy <= min(2 * (self._hands + 1), MOST_HELD)
        for place, work, job in islice(self._left, max(0, 2 * self._hands - busy) if few else 0):
            text = json.dumps(work.plan.data)
            self._waiting.append((place, work, job, submitted(self._pool, _remote, work.task, text, job)))

    def _jobs(self, works: Iterable[tuple[int, Work[Any]]]) -> Iterator[tuple[int, Work[Any], range]]:
        """Cut works into jobs: single batches, until it is known of a run how long one takes."""
        for place, work in works:
            firsts = work.firsts
            while firsts and place >= self._place:
                fitting = int(HANDED_SECONDS / self._seconds[place]) if place in self._seconds else 1
                size = max(1, min(work.together, fitting, len(firsts) // (4 * self._hands)))
                yield place, work, firsts[:size]
                firsts = firsts[size:]


@contextlib.contextmanager
def queued(workers: Workers, works: Iterable[tuple[int, Work[Any]]]) -> Iterator[Queue | None]:
    """Give the queue of several runs' batches, where an executor does them, and let go at the end what is left."""
    queue = Queue(workers, works) if isinstance(workers, Executor) else None
    try:
        yield queue
    finally:
        if queue:
            queue.begin(sys.maxsize)


def width(workers: Workers) -> int:
    """Tell how many jobs are done at once; of an executor that does not say, as many as this machine has processors."""
    if isinstance(workers, int):
        return workers
    return int(getattr(workers, "hands", 0) or getattr(workers, "_max_workers", 0) or os.cpu_count() or 1)


def side_by_side[Job, Result](
    jobs: Iterable[Job],
    *,
    workers: Workers,
    here: Callable[[Job], Result],
    there: Callable[[Executor, Job], Future[Result]],
) -> Iterator[tuple[Job, Result]]:
    """Do jobs in several processes, of which this is one, or by an executor, which is handed all of them.

    Results are handed on in the order of the jobs. Each process has a job and the next one; few results wait, so that
    memory does not grow with the jobs. While other processes of this machine start, this one works on.
    """
    if isinstance(workers, Executor):
        yield from _shared(jobs, workers, there, hands=width(workers))
        return
    if workers == 1:
        yield from ((job, here(job)) for job in jobs)
        return
    with _processes(workers - 1) as pool:
        yield from _shared(jobs, pool, there, hands=workers - 1, here=here)


@contextlib.contextmanager
def _processes(number: int) -> Iterator[Executor]:
    """Start processes of this machine, which end where this one does."""
    context = multiprocessing.get_context(_start_method())
    with ProcessPoolExecutor(number, mp_context=context, initializer=_follow) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def pool_of(workers: Workers) -> Iterator[Executor | None]:
    """Give the executor that is handed all work: the one that is given, or processes; None for one, which is this."""
    try:
        if isinstance(workers, int) and workers > 1:
            with _processes(workers) as pool:
                yield pool
        else:
            yield workers if isinstance(workers, Executor) else None
    except BrokenExecutor:
        raise SimulatorError(KILLED) from None


def _shared[Job, Result](
    jobs: Iterable[Job],
    pool: Executor,
    there: Callable[[Executor, Job], Future[Result]],
    *,
    hands: int,
    here: Callable[[Job], Result] | None = None,
) -> Iterator[tuple[Job, Result]]:
    """Hand jobs to a pool of so many hands and do some `here`, where that is given."""
    left, waiting = iter(jobs), deque[tuple[Job, Future[Result]]]()
    try:
        while True:
            busy = sum(not future.done() for _, future in waiting)
            few = len(waiting) - busy <= min(2 * (hands + 1), MOST_HELD)
            for job in islice(left, max(0, 2 * hands - busy) if few else 0):
                waiting.append((job, there(pool, job)))
            done = bool(waiting) and waiting[0][1].done()
            if here and few and not done and (own := list(islice(left, 1))):
                waiting.append((own[0], Future()))
                waiting[-1][1].set_result(here(own[0]))
                continue
            if not waiting:
                return
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenExecutor:
        raise SimulatorError(KILLED) from None
    finally:
        for _, future in waiting:
            future.cancel()


def submitted[**P, Result](
    pool: Executor, task: Callable[P, Result], *given: P.args, **named: P.kwargs
) -> Future[Result]:
    """Hand a task to a pool, whose processes refuse it where they have other code."""
    return pool.submit(with_this_code, source_digest(), partial(task, *given, **named))


def later[**P, Result](
    pool: Executor | None, task: Callable[P, Result], *given: P.args, **named: P.kwargs
) -> Callable[[], Result]:
    """Hand a task to a pool and give what waits for its result; without a pool, what does it once it is asked."""
    return cache(partial(task, *given, **named)) if pool is None else submitted(pool, task, *given, **named).result


def with_this_code[Result](code: str, task: Callable[[], Result]) -> Result:
    """Do a task for a process whose code is the same; refuse where other code may give other numbers."""
    if code != source_digest():
        rule = f"a worker has other code ({source_digest()}) than what asks it ({code}): its numbers may be others"
        raise SimulatorError(f"{rule}. Install there what is installed here.")
    return task()


def parted[Job, Result](
    task: Callable[[Scenario, Sequence[Job]], list[Result]],
    plan: Plan,
    jobs: Sequence[Job],
    *,
    workers: Workers,
    here: Callable[[Sequence[Job]], Iterable[Result]],
) -> Iterator[Result]:
    """Do a task for jobs of a plan's scenario: `here` for all at once, or parted among others; results in their order.

    The task is a function of a module, and what it gives hangs on the scenario and the jobs alone.
    """
    if workers == 1:
        yield from here(jobs)
        return
    refuse_functions(plan)
    size, text = max(1, len(jobs) // (4 * width(workers))), json.dumps(plan.data)
    parts = [jobs[start : start + size] for start in range(0, len(jobs), size)]
    done = side_by_side(
        parts,
        workers=workers,
        here=lambda part: list(here(part)),
        there=lambda pool, part: submitted(pool, _of_text, task, text, part),
    )
    yield from chain.from_iterable(results for _, results in done)


def _of_text[Job, Result](task: Callable[[Scenario, Job], Result], text: str, job: Job) -> Result:
    return task(_scenario_of_text(text), job)


@lru_cache(maxsize=4)
def _scenario_of_text(text: str) -> Scenario:
    return parse_scenario(text, file="the scenario")


def refuse_functions(plan: Plan) -> None:
    """Refuse a plan that no other process can make."""
    if plan.data is None:
        rule = "has a custom driver that is a function of this process: other processes and clusters have it not"
        raise InputError(f"{plan.spec.name}: {rule}. Offer it as a driver of an installed package.")


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


def _timed[Result](task: Callable[[Plan, range], Result], plan: Plan, firsts: range) -> tuple[Result, float]:
    """Do a task, and tell how many seconds it took."""
    began = time.perf_counter()
    return task(plan, firsts), time.perf_counter() - began


def _remote[Result](task: Callable[[Plan, range], Result], text: str, firsts: range) -> tuple[Result, float]:
    return _timed(task, _plan_of_text(text), firsts)


@lru_cache(maxsize=4)
def _plan_of_text(text: str) -> Plan:
    return plan_of(_scenario_of_text(text).components)
