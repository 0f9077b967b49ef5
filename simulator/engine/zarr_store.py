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

from simulator.addresses import Address, as_path
from simulator.engine import workers as work
from simulator.engine.batches import Batch, compute_batch
from simulator.engine.checkpoints import Unfinished
from simulator.engine.cluster import SEEN, check_shared
from simulator.engine.collecting import Groups, Piece, Tallies, count_piece, with_samples
from simulator.engine.plan import Plan
from simulator.engine.record import Labels, build_run, grouped
from simulator.engine.simulation import How, counted_works, refuse_too_large, run_plan, work_through
from simulator.errors import InputError, RunFileError, SimulatorError, missing_extra
from simulator.files import copy_folder, make_folder, remove_file, remove_folder, replace_folder, step, tidy, write_text
from simulator.runs.folder import ORDER
from simulator.runs.groups import as_dataset
from simulator.runs.manifest import (
    MANIFEST,
    WITH_SAMPLES,
    Sealed,
    check_manifest,
    is_whole,
    metadata_of,
    seal,
    with_metadata,
    write_manifest,
)
from simulator.scenario.resolving import Scenario

if TYPE_CHECKING:
    import zarr

STORE = "run.zarr"
_ABOUT = "zarr.json"
"""The file of an array or a group that says what it is."""


def simulate_to_store(scenario: Scenario, path: FilePath, *, unfinished: Unfinished, how: How) -> None:
    """Run a scenario and write every sample to a Zarr store as it is computed, by whoever computes it.

    Memory is bounded by the batch. The summary is counted as for `keep="summary"`: quantiles to 0.001 OOM. The store
    has its whole length from the first on, in the unfinished run's folder, and is put in its place when it is whole. At
    an address, where nothing is renamed, it grows in its place, and is whole when its manifest is written.
    """
    _need_zarr()
    growing = store_of(unfinished.folder, path)
    _refuse_unseen(growing, how)
    plan, tallies = run_plan(scenario), unfinished.tallies()
    refuse_too_large(plan, "summary")  # which is counted
    make_folder(unfinished.folder)
    tidy(path.parent)
    if (growing == path or not growing.exists()) and tallies.samples and is_whole(path):
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
            if growing != path:
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
    files = _made(run)
    root = files.pop(_ABOUT) if growing == path else None  # at an address it is written last, and whole
    _write(growing, files)
    step(growing, write_manifest, growing, sealed=sealed, needed=_pieces(growing), root=root)
    if growing != path:
        make_folder(path.parent)
        replace_folder(growing, path)


def store_of(unfinished: FilePath, path: FilePath) -> FilePath:
    """Say where the store of an unfinished run grows."""
    return path if isinstance(path, Address) else (unfinished / STORE).absolute()


def _refuse_unseen(store: FilePath, how: How) -> None:
    """Refuse to have other processes write where they see nothing."""
    if isinstance(store, Address) and not store.is_shared and isinstance(how.workers, int) and how.workers > 1:
        rule = "is seen by this process alone, and several would write there"
        raise InputError(f"{store}: {rule}. Leave --workers out, or name an address or folder that all see.")


def _need_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise missing_extra("--store zarr needs the package zarr.", "zarr") from None


def _create(store: FilePath, label: Labels, plan: Plan, *, length: int) -> None:
    """Write what a store says of its samples, and what they share; one block tells, and how much room all take."""
    samples, packed = plan.spec.samples, _packed()
    block = compute_batch(plan, 0, min(samples, plan.spec.block))
    there = isinstance(store, Address)
    if not there:
        _refuse_small_disk(block, plan, store.parent)
    made: dict[str, bytes] = {}
    for name, group in label.samples(with_samples(Groups({}), plan, block)).items():
        dataset = as_dataset(group).assign_attrs({ORDER: list(group.data_vars)})
        if there:
            made |= _numbers(name, samples, dataset["sample"].attrs)
            dataset = dataset.drop_vars("sample")
        dims = {str(key): each.dims for key, each in dataset.variables.items() if "sample" in each.dims}
        sizes = dict(dataset.sizes) | {"sample": min(length, samples)}
        chunks: dict[str, dict[str, Any]] = {
            key: {"chunks": tuple(sizes[dim] for dim in each), **packed} for key, each in dims.items()
        }
        for key, each in dims.items() if there else ():  # where a year is read by two requests for a piece
            if "year" in each:
                by_year = tuple(1 if dim == "year" else sizes[dim] for dim in each)
                chunks[key] |= {"chunks": by_year, "shards": chunks[key]["chunks"]}
        files = _made(dataset, group=name, encoding=chunks)
        for key in dims:
            files[f"{name}/{key}/{_ABOUT}"] = _of_length(files[f"{name}/{key}/{_ABOUT}"], samples)
        pieces = tuple(f"{name}/{key}/c" for key in dims)
        made |= {file: content for file, content in files.items() if not file.startswith(pieces)}
        if not there:
            _write(store, made)
            made = {}
    if there:
        about = {file: content for file, content in made.items() if file.endswith(f"/{_ABOUT}")}
        made[_ABOUT] = json.dumps(with_metadata(json.loads(made[_ABOUT]), about)).encode()
        _write(store, made)


def _packed() -> dict[str, Any]:
    """Say how samples are packed: so that each piece is checked where it is read."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    return {"compressors": (ZstdCodec(), Crc32cCodec())}


def _numbers(group: str, samples: int, attrs: Mapping[str, Any]) -> dict[str, bytes]:
    """Give the files of the numbers of samples at an address: one piece, since opening reads them all."""
    import xarray as xr

    numbers = xr.Dataset(coords={"sample": ("sample", np.arange(samples), attrs)})
    files = _made(numbers, group=group, encoding={"sample": {"chunks": (samples,), **_packed()}})
    return {name: content for name, content in files.items() if name.startswith(f"{group}/sample/")}


def take_store(store: FilePath, unfinished: FilePath) -> None:
    """Copy a store that is whole to where that of an unfinished run grows, which is not whole before its end."""
    target = store_of(unfinished, unfinished.with_suffix("") / STORE)
    check_manifest(store, full=True)
    if not isinstance(store, Address) or not isinstance(target, Address):
        copy_folder(store, target)
        return
    root = json.loads((store / _ABOUT).read_part(0, None))
    root["attributes"].pop(MANIFEST)
    store.copy_below([name for name in store.all_sizes() if name != _ABOUT], target)
    target.write_below({_ABOUT: json.dumps(root).encode()})


def written(store: str, plan: Plan, firsts: range) -> tuple[Piece, dict[str, Sealed]]:
    """Compute batches, write their samples to their places in a store, and count them; the seal of each file too.

    A batch is files of its own, which are put in their places whole: whoever writes one again writes the same.
    """
    sealed: dict[str, Sealed] = {}
    place = as_path(store)
    arrays, files = _arrays(place)

    def put(batch: Batch) -> Batch:
        samples = slice(batch.first, batch.first + batch.size)
        for name, group in grouped(with_samples(Groups({}), plan, batch)).items():
            numbers = {} if isinstance(place, Address) else {"sample": np.arange(samples.start, samples.stop)}
            for key, values in (numbers | group).items():
                array = arrays[f"{name}/{key}"]
                array[tuple(samples if dim == "sample" else slice(None) for dim in _dims(array))] = values
        contents = {name: files.pop(name).to_bytes() for name in [each for each in files if not each.endswith(_ABOUT)]}
        if isinstance(place, Address):
            place.write_below(contents)
        for name, content in contents.items():
            if not isinstance(place, Address):
                _put(place, name, content)
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
        for file, content in _about(store):
            files[file] = make(content)
            is_one = "sample" in json.loads(content).get("dimension_names", ())
            names += [file.removesuffix(f"/{_ABOUT}")] if is_one else []
    except OSError as error:
        rule = f"is not seen where its samples are computed ({error.strerror or error})"
        raise SimulatorError(f"{store}: {rule}. {SEEN}.") from None
    config: Any = {"write_empty_chunks": True}  # so that a piece that is missing is not taken for zeros
    return {each: zarr.open_array(MemoryStore(files), path=each, mode="r+", config=config) for each in names}, files


def _about(store: FilePath) -> Iterator[tuple[str, bytes]]:
    """Read what a store says of itself and of its arrays of samples, by the names of files; at an address, of all."""
    if isinstance(store, Address):
        root = (store / _ABOUT).read_part(0, None)
        yield _ABOUT, root
        yield from metadata_of(root).items()
        return
    for each in (store / _ABOUT, *(each for group in WITH_SAMPLES for each in store.glob(f"{group}*/{_ABOUT}"))):
        yield each.relative_to(store).as_posix(), each.read_bytes()


def _dims(array: zarr.Array[Any]) -> tuple[str, ...]:
    return tuple(getattr(array.metadata, "dimension_names", None) or ())


def _pieces(store: FilePath) -> Iterator[str]:
    """Name the files that a whole store holds of its samples."""
    for name, array in _arrays(store)[0].items():
        each = array.shards or array.chunks
        counts = (range(-(-size // part)) for size, part in zip(array.shape, each, strict=True))
        yield from ("/".join((name, "c", *map(str, place))) for place in product(*counts))


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
    if isinstance(store, Address):
        store.write_below(files)
        return
    for name, content in files.items():
        file = store / name
        step(store, file.parent.mkdir, parents=True, exist_ok=True)
        step(store, file.write_bytes, content)


def _of_length(about: bytes, samples: int) -> bytes:
    """Say of an array that has samples that it has so many."""
    said = json.loads(about)
    if not said.get("dimension_names"):
        return about
    pairs = zip(said["dimension_names"], said["shape"], strict=True)
    said["shape"] = [samples if dim == "sample" else size for dim, size in pairs]
    return json.dumps(said, indent=2).encode()


def _lengthen(store: FilePath, samples: int) -> None:
    """Make the arrays of a store that is gone on with as long as is asked for; what else it holds is written anew."""
    tidy(store)
    try:
        if isinstance(store, Address):
            _lengthen_at(store, samples)
            return
        for file in (each for group in WITH_SAMPLES for each in store.glob(f"{group}*/{_ABOUT}")):
            tidy(file.parent)
            if (about := _of_length(before := file.read_bytes(), samples)) != before:
                write_text(file, about.decode())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFileError(
            f"{store}: what was done of the run cannot be read ({type(error).__name__}). "
            "Remove the folder that it is in, and run the scenario from the start."
        ) from None


def _lengthen_at(store: Address, samples: int) -> None:
    root = (store / _ABOUT).read_part(0, None)
    about, longer = metadata_of(root), dict[str, bytes]()
    for name, before in about.items():
        said, now = json.loads(before), _of_length(before, samples)
        if said == json.loads(now):
            continue
        is_numbers = name.endswith(f"/sample/{_ABOUT}")
        longer |= _numbers(name.partition("/")[0], samples, said["attributes"]) if is_numbers else {name: now}
    if longer:
        told = with_metadata(json.loads(root), about | {name: longer[name] for name in about if name in longer})
        store.write_below(longer | {_ABOUT: json.dumps(told).encode()})


def _refuse_small_disk(batch: Batch, plan: Plan, folder: FilePath) -> None:
    """Refuse a run that the disk cannot hold, before it is begun; one batch tells how much it takes."""
    need = batch.nbytes / batch.size * plan.spec.samples
    free = shutil.disk_usage(folder).free
    if need > free:
        raise InputError(
            f"samples: {plan.spec.samples:,} samples take {need / 2**30:,.1f} GiB; the disk has "
            f"{free / 2**30:,.1f} GiB. Write --keep summary, fewer samples, or name another disk with --output."
        )
