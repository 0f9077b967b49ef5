"""What is done of a run that is not whole yet, on the disk: so that it can be gone on with, or extended.

A folder with `counts.npz` (sums and histograms) or `samples-<first>.npz` (batches). Files are replaced whole, and
nothing in them is executed.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.batches import Arrays, Batch
from simulator.engine.collecting import Counts, Histograms, Tallies
from simulator.errors import RunFileError, SimulatorError
from simulator.files import locked, make_folder, replacing
from simulator.runs.estimates import Histogram, Moments

COUNTS = "counts.npz"
TRIES = 5


@dataclass(slots=True)
class Unfinished:
    """The folder in which a run leaves what is done, every `seconds` of work and when it is interrupted."""

    folder: FilePath
    seconds: float = 10.0
    _written: float = field(default_factory=time.monotonic)

    @property
    def exists(self) -> bool:
        """Whether something of the run was left here."""
        return self.folder.is_dir() and any(self.folder.iterdir())

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other processes from the same folder while a store grows in it; InputError where one is at work."""
        busy = f"{self.folder}: another run of this scenario is at work there. Wait for it, or name another folder"
        return locked(self.folder, busy=f"{busy} with --output.")

    def due(self) -> bool:
        """Tell whether enough time has passed for what is done to be written."""
        return time.monotonic() - self._written >= self.seconds

    def keep_tallies(self, tallies: Tallies) -> None:
        """Write what was counted."""
        if tallies.samples:
            keep_in(self.folder, lambda: write_tallies(self.folder / COUNTS, tallies))
        self._written = time.monotonic()

    def tallies(self) -> Tallies:
        """Read what was counted; nothing where there is nothing."""
        path = self.folder / COUNTS
        try:
            return read_tallies(path) if path.exists() else Tallies()
        except RunFileError:
            if path.exists():
                raise
            return Tallies()  # another run of the same scenario was whole just now, and took it away

    def keep_batches(self, batches: Sequence[Batch]) -> None:
        """Write batches beside those that were written before."""
        for batch in batches:
            path, arrays = self.folder / f"samples-{batch.first:012}.npz", _batch_arrays(batch)
            keep_in(self.folder, partial(_write, path, arrays))
        self._written = time.monotonic()

    def batches(self) -> list[Batch]:
        """Read the batches that were written, in their order, as far as none is missing."""
        result: list[Batch] = []
        for path in sorted(self.folder.glob("samples-*.npz")):
            try:
                batch = _read(path, _batch_of)
            except RunFileError:
                if path.exists():
                    raise
                break  # another run of the same scenario was whole just now, and took it away
            if batch.first != sum(each.size for each in result):
                break
            result.append(batch)
        return result

    def clear(self) -> None:
        """Remove the folder: the run is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def keep_in(folder: FilePath, write: Callable[[], None]) -> None:
    """Write into a folder that another run of the same scenario may take away meanwhile, since it is whole."""
    for _ in range(TRIES - 1):
        make_folder(folder)
        with contextlib.suppress(SimulatorError):
            write()
            return
    make_folder(folder)
    write()


def write_tallies(path: FilePath, tallies: Tallies, *, packed: bool = False) -> None:
    """Write sums and histograms as one file; `packed` takes longer and less room."""
    _write(path, _tallies_arrays(tallies), packed=packed)


def read_tallies(path: FilePath) -> Tallies:
    """Read what `write_tallies` wrote; RunFileError where it is damaged."""
    return _read(path, _tallies_of)


def _write(path: FilePath, arrays: Mapping[str, NDArray[Any]], *, packed: bool = False) -> None:
    narrow: dict[str, Any] = {name: _narrow(values) for name, values in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as stream:
        (np.savez_compressed if packed else np.savez)(stream, **narrow)


def _read[Result](path: FilePath, make: Callable[[Arrays], Result]) -> Result:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return make({name: stored[name] for name in stored.files})
    except Exception as error:  # noqa: BLE001  # whatever a broken archive leads to
        raise RunFileError(
            f"{path}: what was done of the run cannot be read ({type(error).__name__}). "
            "Remove the folder that it is in, and run the scenario from the start."
        ) from None


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Store whole numbers in as few bytes as hold them: histograms are long, and most of their counts small."""
    if values.dtype != np.int64 or not values.size or values.min() < 0:
        return values
    return values.astype(np.min_scalar_type(values.max()))


def _batch_arrays(batch: Batch) -> Arrays:
    groups = {"parameters": batch.parameters, "trajectories": batch.trajectories, "crossings": batch.crossings}
    arrays = {f"{group}/{name}": values for group, named in groups.items() for name, values in named.items()}
    return arrays | {"component": batch.component, "span": np.array([batch.first, batch.size])}


def _batch_of(arrays: Arrays) -> Batch:
    first, size = (int(value) for value in arrays["span"])
    return Batch(
        first,
        size,
        _below(arrays, "parameters"),
        _below(arrays, "trajectories"),
        _below(arrays, "crossings"),
        arrays["component"],
    )


def _below(arrays: Arrays, root: str) -> Arrays:
    start = f"{root}/"
    return {name.removeprefix(start): values for name, values in arrays.items() if name.startswith(start)}


def _tallies_arrays(tallies: Tallies) -> Arrays:
    arrays: Arrays = {"parts": np.array([len(tallies.counts), len(tallies.histograms)])}
    for number, counts in enumerate(tallies.counts):
        root = f"counts/{number}"
        arrays[f"{root}/samples"] = np.array([counts.samples])
        arrays |= {f"{root}/crossed": counts.crossed, f"{root}/already": counts.already}
        arrays |= {f"{root}/sums/{name}": values for name, values in counts.sums.items()}
        arrays |= {f"{root}/binding/{name}": values for name, values in counts.binding.items()}
        for name, moments in counts.stretches.items():
            for part in fields(moments):
                arrays[f"{root}/stretches/{name}/{part.name}"] = np.asarray(getattr(moments, part.name))
    for number, held in enumerate(tallies.histograms):
        named = {f"variables/{name}": histogram for name, histogram in held.variables.items()}
        for name, histogram in (named | {"crossing": held.crossing, "level": held.level}).items():
            arrays |= {f"histograms/{number}/{name}/{key}": values for key, values in histogram.arrays().items()}
    return arrays


def _tallies_of(arrays: Arrays) -> Tallies:
    counts, histograms = (int(number) for number in arrays["parts"])
    return Tallies(
        [_counts_of(_below(arrays, f"counts/{number}")) for number in range(counts)],
        [_histograms_of(_below(arrays, f"histograms/{number}")) for number in range(histograms)],
    )


def _counts_of(arrays: Arrays) -> Counts:
    stretches = _below(arrays, "stretches")
    names = dict.fromkeys(name.rpartition("/")[0] for name in stretches)
    return Counts(
        int(arrays["samples"][0]),
        _below(arrays, "sums"),
        {name: values.astype(np.int64) for name, values in _below(arrays, "binding").items()},
        arrays["crossed"].astype(np.int64),
        arrays["already"].astype(np.int64),
        {
            name: Moments(int(stretches[f"{name}/parts"]), stretches[f"{name}/mean"], stretches[f"{name}/squares"])
            for name in names
        },
    )


def _histograms_of(arrays: Arrays) -> Histograms:
    variables = _below(arrays, "variables")
    names = dict.fromkeys(name.rpartition("/")[0] for name in variables)
    return Histograms(
        {name: Histogram.from_arrays(_below(variables, name)) for name in names},
        Histogram.from_arrays(_below(arrays, "crossing")),
        Histogram.from_arrays(_below(arrays, "level")),
    )
