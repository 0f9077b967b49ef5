"""The batches of runs as one queue: done here, in several processes, or by an executor; handed on in order."""

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
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, partial
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


type Steps[Result] = Generator[Sequence[Work[Any]], None, Result]
"""A run: it gives what it hands out, which others may do before it is gone on with, and then does the rest."""


def finished[Result](steps: Steps[Result], take: Callable[[Sequence[Work[Any]]], object] = len) -> Result:
    """Do a run to its end; what it hands out is told."""
    while True:
        try:
            take(next(steps))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


@dataclass(eq=False)
class _Handed:
    """The work of a run, by its number: what is not begun yet, what waits to be taken, and the seconds of a batch."""

    run: int
    work: Work[Any]
    left: range
    waiting: deque[tuple[range, Future[tuple[Any, float]]]] = field(default_factory=deque)
    seconds: float = 0.0

    @cached_property
    def text(self) -> str:
        """The scenario, as others are told it."""
        refuse_functions(self.work.plan)
        return json.dumps(self.work.plan.data)

    def cut(self, parts: int, seconds: float) -> range:
        """Take a job of what is left: a single batch, until it is known how long one takes."""
        fitting = int(seconds / self.seconds) if self.seconds else 1
        size = max(1, min(self.work.together, fitting, len(self.left) // parts))
        job, self.left = self.left[:size], self.left[size:]
        return job


class Queue:
    """The works of several runs, handed out one after the other: those of a run before the last is whole.

    A run is begun when hands are free, and gone on with when its turn comes; then what is left of those before it is
    let go. An executor does all; of several processes this is one, and the others start where they pay. Where one is
    killed, the run whose turn it is ends, and for those that follow others start.
    """

    def __init__(self, workers: Workers, *, of: int = 1) -> None:
        self._of = of
        self._pool = workers if isinstance(workers, Executor) else None
        self._afar = self._pool is not None
        self._hands = width(workers) - (0 if self._afar else 1)
        self._most = HANDED_SECONDS if self._afar else JOB_SECONDS
        self._processes = contextlib.ExitStack()
        self._runs: Iterator[tuple[int, tuple[Any, Steps[Any]]]] = iter(())
        self._begun = deque[tuple[int, Any, Steps[Any], Future[Any]]]()
        self._works = list[_Handed]()

    def turns[Label, Result](
        self, runs: Iterable[tuple[Label, Steps[Result]]]
    ) -> Iterator[tuple[Label, Callable[[], Result]]]:
        """Give what does each of several runs, in their order, beside what it is called."""
        self._runs = enumerate(runs)
        while self._begun or self._begin():
            number, label, steps, ended = self._begun.popleft()
            self._let_go(number)
            with contextlib.closing(steps):
                yield label, partial(self._finished, number, steps, ended)

    def results[Result](self, given: Work[Result]) -> Iterator[tuple[range, Result]]:
        """Hand on the results of a work that was taken in, in order."""
        handed = next(each for each in self._works if each.work is given)
        try:
            while handed.left or handed.waiting:
                is_room, is_ready = self._fill(handed), any(future.done() for _, future in islice(handed.waiting, 1))
                if self._afar and not handed.waiting:
                    self._hand(handed)
                elif not self._afar and is_room and not is_ready and (own := self._next(handed)):
                    self._do(own)
                    continue
                job, future = handed.waiting.popleft()
                result, seconds = future.result()
                handed.seconds = handed.seconds or seconds / len(job)
                yield job, result
        except BrokenExecutor:
            self._start_anew()
            raise SimulatorError(KILLED) from None

    def close(self) -> None:
        """Let go what was not taken, and end the runs whose turn did not come when no process writes for them."""
        self._let_go(sys.maxsize)
        self._processes.close()
        for _, _, steps, _ in self._begun:
            steps.close()

    def _begin(self) -> bool:
        """Begin the next run; what is wrong with it is told when its turn comes."""
        for number, (label, steps) in islice(self._runs, 1):
            ended = Future[Any]()
            try:
                self.take(number, next(steps))
            except StopIteration as end:
                ended.set_result(end.value)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is not of the run whose turn it is
                ended.set_exception(error)
            self._begun.append((number, label, steps, ended))
            return True
        return False

    def _finished[Result](self, number: int, steps: Steps[Result], ended: Future[Result]) -> Result:
        return ended.result() if ended.done() else finished(steps, partial(self.take, number))

    def take(self, number: int, works: Sequence[Work[Any]]) -> None:
        """Take in the works of a run."""
        self._works += [_Handed(number, each, each.firsts) for each in works]
        self._works.sort(key=lambda each: each.run)  # of one that begins late they come before those of later ones

    def _let_go(self, number: int) -> None:
        """Let go what is left of the runs before a number."""
        for _, future in (one for each in self._works if each.run < number for one in each.waiting):
            future.cancel()
        self._works = [each for each in self._works if each.run >= number]

    def _next(self, handed: _Handed) -> _Handed | None:
        """Give the work of which something is left: this one, or where others work too, the first."""
        while self._pool and not handed.left:
            if found := next((each for each in self._works if each.left), None):
                return found
            if not self._begin():
                return None
        return handed if handed.left else None

    def _fill(self, turn: _Handed) -> bool:
        """Hand jobs out as long as hands are free; tell whether few results wait, of which all take memory.

        Of a single run nothing is handed out before its first batch has told how long one takes.
        """
        waiting = [future.done() for each in self._works for _, future in each.waiting]
        busy, ready = waiting.count(False), waiting.count(True)
        is_room = ready <= min(2 * (self._hands + 1), MOST_HELD)
        most = 2 * (self._hands + 1) if self._of > 1 or turn.seconds else 1
        for _ in range(most - busy if is_room and self._pool else 0):
            if handed := self._next(self._works[0]):
                self._hand(handed)
        return is_room

    def _hand(self, handed: _Handed) -> None:
        if self._pool is not None:
            job = handed.cut(2 * self._hands, self._most)
            future = submitted(self._pool, _remote, handed.work.task, handed.text, job)
            handed.waiting.append((job, future))

    def _do(self, handed: _Handed) -> None:
        """Do a job here; the first tells whether other processes pay for what is left of this run, and the others."""
        future, job = Future[tuple[Any, float]](), handed.cut(2 * (self._hands + 1), self._most)
        handed.waiting.append((job, future))
        try:
            future.set_result(found := _timed(handed.work.task, handed.work.plan, job))
        except Exception as error:  # noqa: BLE001  # it may be of a run whose turn has not come
            future.set_exception(error)
            return
        left = found[1] / len(job) * (len(handed.left) + len(handed.work.firsts) * (self._of - handed.run - 1))
        is_alone = self._pool is None and self._hands > 0 and handed.work.plan.data is not None
        if is_alone and worth_processes(left):
            self._pool = self._processes.enter_context(_processes(self._hands))

    def _start_anew(self) -> None:
        """Take back what the processes had of the other runs, when one of them was killed."""
        if not self._afar:
            self._processes.close()
            self._pool = None
        for each in self._works:
            each.left, each.waiting = each.work.firsts, deque()


def in_order[Result](given: Work[Result], *, workers: Workers) -> Iterator[tuple[range, Result]]:
    """Do a work, several jobs at a time, and hand the results on in the order of the batches."""
    with contextlib.closing(Queue(workers)) as queue:
        queue.take(0, [given])
        yield from queue.results(given)


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
        pool.submit(int)  # copies of this one are made now, while it has one thread
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
    """Do a task for batches of the scenario of a text, and tell how many seconds it took."""
    return _timed(task, _plan_of_text(text), firsts)


@lru_cache(maxsize=4)
def _plan_of_text(text: str) -> Plan:
    return plan_of(_scenario_of_text(text).components)
