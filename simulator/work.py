"""The batches of a run as work: one after the other, in threads, or in processes; always handed on in their order."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

from simulator.batches import Batch, compute_batch
from simulator.collect import Piece, count_piece
from simulator.errors import SimulatorError
from simulator.plan import Plan, plan_of
from simulator.scenario import parse_scenario

type Span = tuple[int, int]
"""The first sample of a batch and how many it has."""


@dataclass(frozen=True, slots=True)
class Spans(Sequence[Span]):
    """The batches from some sample on, which take no memory for each.

    Examples
    --------
    >>> list(Spans(range(0, 10, 4), 10))
    [(0, 4), (4, 4), (8, 2)]
    >>> list(Spans(range(0, 10, 4), 10)[1:])
    [(4, 4), (8, 2)]
    """

    firsts: range
    end: int

    def __len__(self) -> int:
        return len(self.firsts)

    @overload
    def __getitem__(self, place: int) -> Span: ...
    @overload
    def __getitem__(self, place: slice) -> Spans: ...
    def __getitem__(self, place: int | slice) -> Span | Spans:
        if isinstance(place, slice):
            return Spans(self.firsts[place], self.end)
        first = self.firsts[place]
        return first, min(self.firsts.step, self.end - first)


WORTH_PROCESSES = 8.0
"""Seconds of work from which processes pay for their start; below, threads share what they can."""

JOB_SECONDS = 2.0
"""Seconds of work that a process is given at once: what Ctrl-C waits for, and what a killed process loses."""

MOST_TOGETHER = 16
"""Batches that a process counts before it hands their sum on."""


def kept(plan: Plan, spans: Sequence[Span]) -> list[Batch]:
    """Compute batches, to be kept."""
    return [compute_batch(plan, *span) for span in spans]


def counted(plan: Plan, spans: Sequence[Span]) -> Piece:
    """Compute batches and count them."""
    return count_piece(plan, (compute_batch(plan, *span) for span in spans))


def in_order[Result](
    task: Callable[[Plan, Sequence[Span]], Result],
    plan: Plan,
    spans: Sequence[Span],
    *,
    workers: int,
    text: str | None,
    together: int = 1,
) -> Iterator[tuple[Sequence[Span], Result]]:
    """Do a task for each batch, several at a time, and hand the results on in order.

    The first batch is timed; where the others would take long and the plan can be sent as `text`, they are done in
    processes, up to `together` at once; otherwise in threads.

    Raises
    ------
    SimulatorError
        A process was killed.
    """
    if not spans:
        return
    began = time.perf_counter()
    first = task(plan, spans[:1])
    each, rest = time.perf_counter() - began, spans[1:]
    yield spans[:1], first
    if workers <= 1 or not rest:
        yield from (([span], task(plan, [span])) for span in rest)
    elif text is not None and each * len(rest) > WORTH_PROCESSES:
        size = max(1, min(together, int(JOB_SECONDS / each), len(rest) // (4 * workers)))
        jobs = (rest[start : start + size] for start in range(0, len(rest), size))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=ignore_interrupts) as pool:
            yield from _ahead(pool, lambda job: pool.submit(_remote, task, text, job), jobs, workers)
    else:
        with ThreadPoolExecutor(workers) as pool:
            yield from _ahead(pool, lambda job: pool.submit(task, plan, job), ([span] for span in rest), workers)


def _ahead[Result](
    pool: Executor, submit: Callable[[Sequence[Span]], Future[Result]], jobs: Iterable[Sequence[Span]], workers: int
) -> Iterator[tuple[Sequence[Span], Result]]:
    """Keep the workers busy with a few jobs ahead at most, so that memory does not grow with the samples."""
    waiting: deque[tuple[Sequence[Span], Future[Result]]] = deque()
    try:
        for job in jobs:
            if len(waiting) > workers:
                first, future = waiting.popleft()
                yield first, future.result()
            waiting.append((job, submit(job)))
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool:
        raise SimulatorError(
            "a worker process was killed (for want of memory, perhaps). Run it again with fewer workers; "
            "from the command line, --resume goes on with what was done."
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _remote[Result](task: Callable[[Plan, Sequence[Span]], Result], text: str, spans: Sequence[Span]) -> Result:
    return task(_plan_of_text(text), spans)


@lru_cache(maxsize=1)
def _plan_of_text(text: str) -> Plan:
    return plan_of(parse_scenario(text, file="the scenario").components)
