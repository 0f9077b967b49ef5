"""What is done of a run that is not whole yet, on the disk: so that it can be gone on with, or extended.

A folder with `counts.npz` (sums and histograms) or `samples-<first>.npz` (batches). Files are replaced whole, and
nothing in them is executed.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.addresses import Address
from simulator.engine.batches import Arrays, Batch
from simulator.engine.collecting import Counts, Tallies, below
from simulator.errors import InputError, RunFileError, SimulatorError
from simulator.files import as_stream, is_folder, locked, make_folder, remove_folder, replacing
from simulator.runs.estimates import Moments
from simulator.runs.histograms import Histogram, narrowed

COUNTS = "counts.npz"
TRIES = 5

_GROUPS = ("parameters", "trajectories", "crossings", "actors")


@dataclass(slots=True)
class Unfinished:
    """The folder in which a run leaves what is done, every `seconds` of work and when it is interrupted."""

    folder: FilePath
    seconds: float = 10.0
    _written: float = field(default_factory=time.monotonic)
    _held: int = 0
    """The batches that are written."""
    counted: Tallies = field(default_factory=Tallies)
    """What was counted when it was last written or read; what stands on the disk another process may have written."""

    @property
    def exists(self) -> bool:
        """Whether something of the run was left here."""
        with contextlib.suppress(FileNotFoundError):  # another run of the same scenario was whole, and took it away
            return is_folder(self.folder) and any(not each.name.startswith(".") for each in self.folder.iterdir())
        return False

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other processes from the same folder while a store grows in it; InputError where one is at work."""
        busy = f"{self.folder}: another run of this scenario is at work there. Wait for it, or name another folder"
        return locked(self.folder, busy=f"{busy} with --output.")

    @contextlib.contextmanager
    def noted(self, how: str = "--resume goes on with what was done.") -> Iterator[None]:
        """Tell whoever interrupts the work, or frees the disk, how it goes on; where nothing was left, nothing."""
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(SimulatorError):  # of an address that is not reached any more
                if self.exists and not isinstance(error, InputError):
                    error.add_note(how)
            raise

    def due(self) -> bool:
        """Tell whether enough time has passed for what is done to be written."""
        return time.monotonic() - self._written >= self.seconds

    def keep_tallies(self, tallies: Tallies) -> None:
        """Write what was counted."""
        if tallies.samples:
            self.counted = copy.deepcopy(tallies)
            keep_in(self.folder, lambda: write_tallies(self.folder / COUNTS, tallies))
        self._written = time.monotonic()

    def tallies(self) -> Tallies:
        """Read what was counted; nothing where there is nothing."""
        self.counted = read_tallies(self.folder / COUNTS) or Tallies()
        return copy.deepcopy(self.counted)

    def keep_batches(self, batches: Sequence[Batch]) -> None:
        """Write the batches of a run, from its first on, that were not written before."""
        for batch in batches[self._held :]:
            path = self.folder / f"samples-{batch.first:012}.npz"
            keep_in(self.folder, partial(write_arrays, path, _batch_arrays(batch)))
        self._held, self._written = len(batches), time.monotonic()

    def batches(self) -> list[Batch]:
        """Read the batches that were written, in their order, as far as none is missing."""
        result: list[Batch] = []
        for path in sorted(self.folder.glob("samples-*.npz")):
            batch = read_left(path, _batch_of)
            if batch is None or batch.first != sum(each.size for each in result):
                break
            result.append(batch)
        self._held = len(result)
        return result

    def clear(self) -> None:
        """Remove the folder: the run is whole."""
        remove_folder(self.folder)


def keep_in(folder: FilePath, write: Callable[[], None]) -> None:
    """Write into a folder that another run of the same scenario may take away meanwhile, since it is whole."""
    for _ in range(0 if isinstance(folder, Address) else TRIES - 1):  # where none is needed to write
        make_folder(folder)
        with contextlib.suppress(SimulatorError):
            write()
            return
    make_folder(folder)
    write()


def write_tallies(path: FilePath, tallies: Tallies, *, packed: bool = False) -> None:
    """Write sums and histograms as one file; `packed` takes longer and less room."""
    write_arrays(path, _tallies_arrays(tallies), packed=packed)


def read_tallies(path: FilePath) -> Tallies | None:
    """Read what `write_tallies` wrote; None where nothing is written, RunFileError where it is damaged."""
    return read_left(path, _tallies_of)


def write_arrays(path: FilePath, arrays: Mapping[str, NDArray[Any]], *, packed: bool = False) -> None:
    """Write arrays as one file; `packed` takes longer and less room."""
    narrow: dict[str, Any] = {name: narrowed(values) for name, values in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as stream:
        (np.savez_compressed if packed else np.savez)(stream, **narrow)


def read_left[Result](path: FilePath, make: Callable[[Arrays], Result]) -> Result | None:
    """Read what a run left; None where it left nothing, or another of the same scenario was whole and took it away."""
    try:
        with np.load(as_stream(path), allow_pickle=False) as stored:
            return make({name: stored[name] for name in stored.files})
    except FileNotFoundError:  # whatever stands there by now
        return None
    except Exception as error:  # noqa: BLE001  # whatever a broken archive leads to
        raise RunFileError(
            f"{path}: what was done of the run cannot be read ({type(error).__name__}). "
            "Remove the folder that it is in, and run the scenario from the start."
        ) from None


def _flat(held: Any, *path: str) -> Arrays:
    """Lay out what is held below one another as arrays by path: `counts/0/sums/spending`."""
    if not isinstance(held, Mapping):
        return {"/".join(path): np.asarray(held)}
    return {place: array for name, each in held.items() for place, array in _flat(each, *path, name).items()}


def _each_below(arrays: Arrays, root: str) -> dict[str, Arrays]:
    """Part what lies below a place by the names that follow it."""
    held = below(arrays, root)
    return {name: below(held, name) for name in dict.fromkeys(path.rpartition("/")[0] for path in held)}


def _batch_arrays(batch: Batch) -> Arrays:
    groups = {name: getattr(batch, name) for name in _GROUPS}
    return _flat(groups) | {"component": batch.component, "span": np.array([batch.first, batch.size])}


def _batch_of(arrays: Arrays) -> Batch:
    first, size = arrays["span"].tolist()
    parameters, trajectories, crossings, actors = (below(arrays, name) for name in _GROUPS)
    return Batch(first, size, parameters, trajectories, crossings, arrays["component"], actors)


def _tallies_arrays(tallies: Tallies) -> Arrays:
    counts = {
        str(number): {"samples": [each.samples], **each.totals, "blocks": _by_name(each.blocks, asdict)}
        for number, each in enumerate(tallies.counts)
    }
    held = {str(number): _by_name(each, Histogram.arrays) for number, each in enumerate(tallies.histograms)}
    parts = np.array([len(counts), len(held)])
    return {"parts": parts, **_flat({"counts": counts, "histograms": held})}


def _tallies_of(arrays: Arrays) -> Tallies:
    counts, histograms = arrays["parts"].tolist()
    held = (_each_below(arrays, f"histograms/{number}") for number in range(histograms))
    return Tallies(
        [_counts_of(below(arrays, f"counts/{number}")) for number in range(counts)],
        [_by_name(each, Histogram.from_arrays) for each in held],
    )


def _counts_of(arrays: Arrays) -> Counts:
    samples, blocks = arrays.pop("samples").item(), _each_below(arrays, "blocks")
    totals = {
        path: values.astype(np.int64) if values.dtype.kind in "ui" else values
        for path, values in arrays.items()
        if not path.startswith("blocks/")
    }
    return Counts(samples, totals, _by_name(blocks, _moments_of))


def _moments_of(arrays: Arrays) -> Moments:
    return Moments(arrays["parts"].item(), arrays["mean"], arrays["squares"])


def _by_name[Held, Made](held: Mapping[str, Held], make: Callable[[Held], Made]) -> dict[str, Made]:
    return {name: make(each) for name, each in held.items()}
