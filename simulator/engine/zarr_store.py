"""Runs whose samples do not fit into memory: written to a Zarr store batch by batch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from simulator.engine import workers as work
from simulator.engine.batches import Batch
from simulator.engine.checkpoints import Unfinished
from simulator.engine.collecting import Groups, Tallies, count_piece, with_samples
from simulator.engine.plan import Plan, batch_length
from simulator.engine.record import Labels, build_run
from simulator.engine.simulation import KEPT, How, batch_firsts, refuse_too_large, run_plan, work_through
from simulator.errors import InputError, RunFileError, missing_extra
from simulator.files import make_folder, remove_folder, replace_folder, step, tidy, write_text
from simulator.runs.folder import ORDER
from simulator.runs.groups import as_dataset
from simulator.runs.manifest import WITH_SAMPLES, is_whole, write_manifest
from simulator.scenario.resolving import Scenario

STORE = "run.zarr"
_ABOUT = "zarr.json"
"""The file of an array or a group that says what it is."""


def simulate_to_store(scenario: Scenario, path: FilePath, *, unfinished: Unfinished, how: How) -> None:
    """Run a scenario and write every sample to a Zarr store as it is computed.

    Memory is bounded by the batch. The summary is counted as for `keep="summary"`: quantiles to 0.001 OOM. The store
    grows in the unfinished run's folder and is put in its place when it is whole.
    """
    _need_zarr()
    plan, growing, tallies = run_plan(scenario), unfinished.folder / STORE, unfinished.tallies()
    refuse_too_large(plan, "summary")  # which is counted
    label = Labels(scenario, plan)
    length = batch_length(plan.spec.block, KEPT)
    make_folder(unfinished.folder)
    tidy(path.parent)
    if not growing.exists() and tallies.samples and is_whole(path):
        return  # a kill left it so: the store stands in its place, and what is made of it is missing
    if tallies.samples and growing.exists():
        _lengthen(growing, plan.spec.samples)
    else:
        tallies = Tallies()
        remove_folder(growing)

    def keep(left: Unfinished) -> None:
        if tallies.samples % length == 0:  # an extension starts where full batches end
            left.keep_tallies(tallies)

    def add(batches: list[Batch]) -> None:
        for batch in batches:
            if tallies.samples == 0:
                _refuse_small_disk(batch, plan, unfinished.folder)
            if batch.size % length:
                keep(unfinished)
            _add(growing, label, plan, batch, length=length)
            tallies.add(count_piece(plan, [batch]))

    firsts = batch_firsts(plan, keep="trajectories", done=tallies.samples)
    try:
        work_through(work.kept, plan, firsts, add=add, keep=keep, how=how, unfinished=unfinished)
    except BaseException:
        if tallies.samples == 0:
            unfinished.clear()
        raise
    keep(unfinished)
    run = build_run(scenario, tallies.groups(plan), plan=plan, keep="trajectories", store="zarr").to_xarray()
    for node in run.subtree:
        node.attrs[ORDER] = [*map(str, node.data_vars), *node.children]
    _write(growing, _made(run))
    step(growing, write_manifest, growing)
    make_folder(path.parent)
    replace_folder(growing, path)


def _need_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise missing_extra("--store zarr needs the package zarr.", "zarr") from None


def _add(store: FilePath, label: Labels, plan: Plan, batch: Batch, *, length: int) -> None:
    """Write the samples of a batch: each is a piece of its arrays, which have their whole length from the first on."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    groups, samples = with_samples(Groups({}), plan, batch), plan.spec.samples
    for name, group in label.samples(groups, first=batch.first).items():
        dataset = as_dataset(group).assign_attrs({ORDER: list(group.data_vars)})
        dims = {str(key): each.dims for key, each in dataset.variables.items() if "sample" in each.dims}
        sizes = dict(dataset.sizes) | {"sample": min(length, samples)}
        packed = {"compressors": (ZstdCodec(), Crc32cCodec())}  # so that each piece is checked where it is read
        chunks = {key: {"chunks": tuple(sizes[dim] for dim in each), **packed} for key, each in dims.items()}
        files = _made(dataset, group=name, encoding=chunks)
        pieces = {}
        for key, each in dims.items():
            start, zeros = f"{name}/{key}/", "c" + "/0" * len(each)
            number = (str(batch.first // length) if dim == "sample" else "0" for dim in each)
            if (piece := files.pop(start + zeros, None)) is not None:  # of zeros alone there is none
                pieces[f"{start}{'/'.join(('c', *number))}"] = piece
            files[f"{start}{_ABOUT}"] = _of_length(files[f"{start}{_ABOUT}"], samples)
        _write(store, pieces if batch.first else files | pieces)


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
