"""A Dask cluster as the executor that does the work of a run, a sweep or a study."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from pathlib import Path as FilePath
from typing import Any, cast

from simulator.addresses import as_path
from simulator.errors import InputError, SimulatorError, missing_extra
from simulator.files import is_there, remove_file, step
from simulator.version import made_by, made_otherwise, otherwise_words

CONNECTING = 10.0
"""Seconds in which a scheduler answers and has a worker."""

RETRIES = 3
"""How often a piece of work is given to another worker where one is lost with it."""

SEEN = "Name a folder with --output that every worker sees and can write, such as one of a network"


class Cluster(Executor):
    """An executor of a client: each piece of work under a key of its own, done anew where its worker is lost."""

    def __init__(self, client: Any) -> None:
        self._client, self._executor = client, client.get_executor(retries=RETRIES, pure=False)

    @property
    def hands(self) -> int:
        """How many pieces of work are done at once, by the workers that there are now."""
        return max(1, int(sum(self._client.nthreads().values())))

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand a piece of work over."""
        return cast("Future[T]", self._executor.submit(fn, *args, **kwargs))

    def everywhere[T](self, task: Callable[..., T], *given: object) -> dict[str, T]:
        """Do a task at every worker that there is now; what each gave, by its address."""
        return cast("dict[str, T]", self._client.run(task, *given))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for what was handed over, or let it go."""
        self._executor.shutdown(wait=wait and not cancel_futures)


@contextlib.contextmanager
def cluster(address: str, *, say: Callable[[str], None] = print) -> Iterator[Executor]:
    """Connect to a scheduler by its address or its scheduler file, and look at its workers before they get work.

    Parameters
    ----------
    address : str
        Such as `tcp://host:8786`, `tls://host:8786`, or the path of a scheduler file.
    say : function
        Told of workers whose processor may give other last bits.

    Yields
    ------
    Executor, for `workers=` of what runs scenarios

    Raises
    ------
    InputError
        No scheduler answers, it has no workers, or one has other code.
    SimulatorError
        The scheduler or a worker is lost while it works.
    """
    try:
        import distributed
    except ImportError:
        raise missing_extra("--cluster needs the package distributed.", "cluster") from None
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what is lost is told in a line
    try:
        with _client(address) as client:
            _look_at(client, address, say)
            yield Cluster(client)
    except (CancelledError, distributed.KilledWorker, OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of a file
            raise
        if isinstance(error, RuntimeError) and "deserialization" not in str(error):
            raise
        lost = "work ended the worker that did it, more than once: for want of memory, perhaps"
        rule = lost if isinstance(error, distributed.KilledWorker) else "the scheduler was lost"
        if isinstance(error, RuntimeError):
            rule = "the scheduler has other code than what is here, or had when it was started"
        told = SimulatorError(f"--cluster {address}: {rule}. See its log; what was done is kept here.")
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from None
    finally:
        log.setLevel(level)


def _client(address: str) -> Any:
    """Connect to the scheduler of an address or of a file."""
    from distributed import Client

    by_file = "://" not in address
    if by_file and not FilePath(address).is_file():
        rule = "is neither an address such as tcp://host:8786 nor a scheduler file"
        raise InputError(f"--cluster {address}: {rule}. dask scheduler --scheduler-file FILE writes one.")
    where = {"scheduler_file" if by_file else "address": address}
    try:
        return Client(**where, timeout=CONNECTING, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, AssertionError) as error:  # of no scheduler's file, of tls:// without keys
        rule = "names no scheduler that answers" if by_file else "no scheduler answers there"
        why = f"{type(error).__name__}: {' '.join(str(error).split()[:24])}".removesuffix(": ")
    gc.collect()  # closes the client that was half made: within the making of another one it would wait for ever
    raise InputError(f"--cluster {address}: {rule} ({why}). Start one: dask scheduler, and workers: dask worker.")


def _look_at(client: Any, address: str, say: Callable[[str], None]) -> None:
    """Refuse workers whose code or libraries may give other numbers; tell of other processors."""
    try:
        client.wait_for_workers(1, timeout=CONNECTING)
    except TimeoutError:
        rule = f"has no workers after {CONNECTING:g} seconds"
        raise InputError(f"--cluster {address}: {rule}. Start some: dask worker {address}.") from None
    try:
        own, others = client.run_on_scheduler(made_by), client.run(made_by)
    except (ImportError, RuntimeError) as error:  # what they are asked is read by a package that is not there
        rule = f"the scheduler or a worker cannot read what it is asked ({type(error).__name__}: {error})"
        raise InputError(f"--cluster {address}: {rule}. Install there what is installed here, and start it.") from None
    if "simulator" in (other := made_otherwise(own)):  # it reads what workers are asked, and makes no number
        rule = f"the scheduler has {otherwise_words({'simulator': other['simulator']})}"
        raise InputError(f"--cluster {address}: {rule}. Install there what is installed here, and start it anew.")
    for worker, made in others.items():
        other = made_otherwise(made)
        processor = other.pop("platform", None)
        if other:
            rule = f"{worker} has {otherwise_words(other)}: its numbers may be others"
            raise InputError(f"--cluster {address}: {rule}. Install there what is installed here.")
        if processor:
            say(f"{worker} has another processor: samples agree to 1e-9, and not to the last bit.")


def check_shared(executor: Executor, folder: FilePath) -> None:
    """Refuse a folder that some worker of a cluster does not see: each writes a file there, which must be here too."""
    if not isinstance(executor, Cluster):
        return
    sign = folder.absolute() / f".probe-{os.urandom(4).hex()}"
    step(sign, sign.touch)
    try:
        for worker, (mark, fault) in executor.everywhere(_probe, str(sign)).items():
            if not mark or not is_there(as_path(mark)):
                rule = f"the worker {worker} does not see this folder{fault and f' ({fault})'}"
                raise InputError(f"{folder}: {rule}. {SEEN}; or leave out --store zarr.")
    finally:
        for each in folder.glob(f"{sign.name}*"):
            remove_file(each)


def _probe(sign: str) -> tuple[str, str]:
    """Write a file beside a sign, where that is seen; give its name, or what is wrong."""
    mark = as_path(f"{sign}-{os.urandom(4).hex()}")
    try:
        if not is_there(as_path(sign)):
            return "", "it is not there"
        mark.write_bytes(mark.name.encode())
    except (OSError, SimulatorError) as error:
        return "", getattr(error, "strerror", None) or str(error)
    return str(mark), ""
