"""Runs whose samples do not fit into memory: written to a Zarr store batch by batch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from itertools import product
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.engine import workers as work
from simulator.engine.batches import Batch, compute_batch
from simulator.engine.checkpoints import Unfinished
from simulator.engine.cluster import SEEN, check_shared
from simulator.engine.collecting import Groups, Piece, Tallies, count_piece, with_samples
from simulator.engine.plan import Plan
from simulator.engine.record import Labels, build_run, grouped
from simulator.engine.simulation import How, counted_works, refuse_too_large, run_plan, work_through
from simulator.errors import InputError, RunFileError, SimulatorError, missing_extra
from simulator.files import make_folder, remove_file, remove_folder, replace_folder, step, tidy, write_text
from simulator.runs.folder import ORDER
from simulator.runs.groups import as_dataset
from simulator.runs.manifest import WITH_SAMPLES, Sealed, is_whole, seal, write_manifest
from simulator.scenario.resolving import Scenario

if TYPE_CHECKING:
    import zarr

STORE = "run.zarr"
_ABOUT = "zarr.json"
"""The file of an array or a group that says what it is."""


def simulate_to_store(scenario: Scenario, path: FilePath, *, unfinished: Unfinished, how: How) -> None:
    """Run a scenario and write every sample to a Zarr store as it is computed, by whoever computes it.

    Memory is bounded by the batch. The summary is counted as for `keep="summary"`: quantiles to 0.001 OOM. The store
    has its whole length from the first on, in the unfinished run's folder, and is put in its place when it is whole.
    """
    _need_zarr()
    plan, growing, tallies = run_plan(scenario), (unfinished.folder / STORE).absolute(), unfinished.tallies()
    refuse_too_large(plan, "summary")  # which is counted
    make_folder(unfinished.folder)
    tidy(path.parent)
    if not growing.exists() and tallies.samples and is_whole(path):
        return  # a kill left it so: the store stands in its place, and what is made of it is missing
    tallies = tallies if growing.exists() else Tallies()
    sealed: dict[str, Sealed] = {}

    def keep(left: Unfinished) -> None:
        left.keep_tallies(tallies)

    def add(done: tuple[Piece, dict[str, Sealed]]) -> None:
        sealed.update(done[1])
        tallies.add(done[0])

    task = partial(written, str(growing))
    full, rest = counted_works(task, plan, keep="trajectories", done=tallies.samples)
    try:
        if isinstance(how.workers, Executor):
            check_shared(how.workers, unfinished.folder)
        if tallies.samples:
            _lengthen(growing, plan.spec.samples)
        else:
            remove_folder(growing)
            _create(growing, Labels(scenario, plan), plan, length=full.firsts.step)
        work_through(full, add=add, keep=keep, how=how, unfinished=unfinished)
        keep(unfinished)  # an extension starts where full batches end
        work_through(rest, add=add, keep=keep, how=how, unfinished=None)
    except BaseException:
        if tallies.samples == 0:
            unfinished.clear()
        raise
    run = build_run(scenario, tallies.groups(plan), plan=plan, keep="trajectories", store="zarr").to_xarray()
    for node in run.subtree:
        node.attrs[ORDER] = [*map(str, node.data_vars), *node.children]
    _write(growing, _made(run))
    step(growing, write_manifest, growing, sealed=sealed, needed=_pieces(growing))
    make_folder(path.parent)
    replace_folder(growing, path)


def _need_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise missing_extra("--store zarr needs the package zarr.", "zarr") from None


def _create(store: FilePath, label: Labels, plan: Plan, *, length: int) -> None:
    """Write what a store says of its samples, and what they share; one block tells, and how much room all take."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    samples = plan.spec.samples
    block = compute_batch(plan, 0, min(samples, plan.spec.block))
    _refuse_small_disk(block, plan, store.parent)
    packed = {"compressors": (ZstdCodec(), Crc32cCodec())}  # so that each piece is checked where it is read
    for name, group in label.samples(with_samples(Groups({}), plan, block)).items():
        dataset = as_dataset(group).assign_attrs({ORDER: list(group.data_vars)})
        dims = {str(key): each.dims for key, each in dataset.variables.items() if "sample" in each.dims}
        sizes = dict(dataset.sizes) | {"sample": min(length, samples)}
        chunks = {key: {"chunks": tuple(sizes[dim] for dim in each), **packed} for key, each in dims.items()}
        files = _made(dataset, group=name, encoding=chunks)
        for key in dims:
            files[f"{name}/{key}/{_ABOUT}"] = _of_length(files[f"{name}/{key}/{_ABOUT}"], samples)
        pieces = tuple(f"{name}/{key}/c" for key in dims)
        _write(store, {file: content for file, content in files.items() if not file.startswith(pieces)})


def written(store: str, plan: Plan, firsts: range) -> tuple[Piece, dict[str, Sealed]]:
    """Compute batches, write their samples to their places in a store, and count them; the seal of each file too.

    A batch is files of its own, which are put in their places whole: whoever writes one again writes the same.
    """
    sealed: dict[str, Sealed] = {}
    arrays, files = _arrays(FilePath(store))

    def put(batch: Batch) -> Batch:
        samples = slice(batch.first, batch.first + batch.size)
        for name, group in grouped(with_samples(Groups({}), plan, batch)).items():
            for key, values in ({"sample": np.arange(samples.start, samples.stop)} | group).items():
                array = arrays[f"{name}/{key}"]
                array[tuple(samples if dim == "sample" else slice(None) for dim in _dims(array))] = values
        for name in [each for each in files if not each.endswith(_ABOUT)]:
            content = files.pop(name).to_bytes()
            _put(FilePath(store), name, content)
            sealed[name] = seal(content)
        return batch

    return count_piece(plan, map(put, work.batches_from(plan, firsts))), sealed


def _arrays(store: FilePath) -> tuple[dict[str, zarr.Array[Any]], dict[str, Any]]:
    """Give the arrays of samples of a store, by their names, and the files of what is put into them: in memory."""
    import zarr
    from zarr.core.buffer import default_buffer_prototype
    from zarr.storage import MemoryStore

    make, files, names = default_buffer_prototype().buffer.from_bytes, dict[str, Any](), []
    try:
        for each in (store / _ABOUT, *(each for group in WITH_SAMPLES for each in store.glob(f"{group}*/{_ABOUT}"))):
            content, name = each.read_bytes(), each.parent.relative_to(store).as_posix()
            files[each.relative_to(store).as_posix()] = make(content)
            names += [name] if "sample" in json.loads(content).get("dimension_names", ()) else []
    except OSError as error:
        rule = f"is not seen where its samples are computed ({error.strerror or error})"
        raise SimulatorError(f"{store}: {rule}. {SEEN}.") from None
    config: Any = {"write_empty_chunks": True}  # so that a piece that is missing is not taken for zeros
    return {each: zarr.open_array(MemoryStore(files), path=each, mode="r+", config=config) for each in names}, files


def _dims(array: zarr.Array[Any]) -> tuple[str, ...]:
    return tuple(getattr(array.metadata, "dimension_names", None) or ())


def _pieces(store: FilePath) -> Iterator[str]:
    """Name the files that a whole store holds of its samples."""
    for name, array in _arrays(store)[0].items():
        yield from ("/".join((name, "c", *map(str, each))) for each in product(*map(range, array.cdata_shape)))


def _put(store: FilePath, name: str, content: bytes) -> None:
    """Put a file of a store in its place when it is whole; a store that is gone is not made again."""
    file, temporary = store / name, store.parent / f".{os.urandom(8).hex()}.part"
    try:
        step(store, temporary.write_bytes, content)
        step(store, file.parent.mkdir, parents=True, exist_ok=True)
        step(store, os.replace, temporary, file)
    except SimulatorError:
        remove_file(temporary)
        raise


def _made(data: Any, **options: Any) -> dict[str, bytes]:
    """Give the files that Zarr makes of data, by their names: on a disk it takes nine changes for an array."""
    from zarr.storage import MemoryStore

    files: dict[str, Any] = {}
    data.to_zarr(MemoryStore(files), zarr_format=3, consolidated=False, **options)
    return {name: content.to_bytes() for name, content in files.items()}


def _write(store: FilePath, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        file = store / name
        step(store, file.parent.mkdir, parents=True, exist_ok=True)
        step(store, file.write_bytes, content)


def _of_length(about: bytes, samples: int) -> bytes:
    """Say of an array that has samples that it has so many."""
    said = json.loads(about)
    pairs = zip(said["dimension_names"], said["shape"], strict=True)
    said["shape"] = [samples if dim == "sample" else size for dim, size in pairs]
    return json.dumps(said, indent=2).encode()


def _lengthen(store: FilePath, samples: int) -> None:
    """Make the arrays of a store that is gone on with as long as is asked for; what else it holds is written anew."""
    tidy(store)
    try:
        for file in (each for group in WITH_SAMPLES for each in store.glob(f"{group}*/{_ABOUT}")):
            tidy(file.parent)
            if (about := _of_length(before := file.read_bytes(), samples)) != before:
                write_text(file, about.decode())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFileError(
            f"{store}: what was done of the run cannot be read ({type(error).__name__}). "
            "Remove the folder that it is in, and run the scenario from the start."
        ) from None


def _refuse_small_disk(batch: Batch, plan: Plan, folder: FilePath) -> None:
    """Refuse a run that the disk cannot hold, before it is begun; one batch tells how much it takes."""
    need = batch.nbytes / batch.size * plan.spec.samples
    free = shutil.disk_usage(folder).free
    if need > free:
        raise InputError(
            f"samples: {plan.spec.samples:,} samples take {need / 2**30:,.1f} GiB; the disk has "
            f"{free / 2**30:,.1f} GiB. Write --keep summary, fewer samples, or name another disk with --output."
        )
