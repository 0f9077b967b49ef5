"""Runs whose samples do not fit into memory: written to a Zarr store batch by batch."""

from __future__ import annotations

import shutil
from functools import partial
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
from simulator.files import make_folder, remove_folder, replace_folder, step
from simulator.runs.folder import ORDER
from simulator.runs.groups import as_dataset
from simulator.runs.manifest import is_whole, write_manifest
from simulator.scenario.resolving import Scenario

STORE = "run.zarr"


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
    if not growing.exists() and tallies.samples and is_whole(path):
        return  # a kill left it so: the store stands in its place, and what is made of it is missing
    if tallies.samples and growing.exists():
        _cut(growing, tallies.samples)
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
            _append(growing, label, plan, batch)
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
    step(growing, run.to_zarr, growing, mode="a", zarr_format=3, consolidated=False)
    step(growing, write_manifest, growing)
    make_folder(path.parent)
    replace_folder(growing, path)


def _need_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise missing_extra("--store zarr needs the package zarr.", "zarr") from None


def _append(store: FilePath, label: Labels, plan: Plan, batch: Batch) -> None:
    groups = with_samples(Groups({}), plan, batch)
    for name, group in label.samples(groups, first=batch.first).items():
        dataset = as_dataset(group).assign_attrs({ORDER: list(group.data_vars)})
        written: dict[str, Any] = {"group": name, "zarr_format": 3, "consolidated": False}
        if batch.first == 0:
            from zarr.codecs import Crc32cCodec, ZstdCodec

            size = {"sample": batch.size}
            packed = {"compressors": (ZstdCodec(), Crc32cCodec())}  # so that each piece is checked where it is read
            chunks = {
                str(key): {"chunks": tuple(size.get(str(dim), values.sizes[dim]) for dim in values.dims), **packed}
                for key, values in dataset.variables.items()
                if "sample" in values.dims
            }
            step(store, partial(dataset.to_zarr, store, mode="w", encoding=chunks, **written))
        else:
            fixed = [key for key, values in dataset.variables.items() if "sample" not in values.dims]
            step(store, partial(dataset.drop_vars(fixed).to_zarr, store, append_dim="sample", **written))


def _cut(store: FilePath, samples: int) -> None:
    """Take away what was appended after the last batch that was counted."""
    import zarr

    try:
        root = zarr.open_group(store, mode="r+")
        for _, group in root.groups():
            for _, array in group.arrays():
                dims = getattr(array.metadata, "dimension_names", None) or ()
                if "sample" in dims and array.shape[dims.index("sample")] > samples:
                    array.resize(
                        tuple(samples if dim == "sample" else n for dim, n in zip(dims, array.shape, strict=True))
                    )
    except (OSError, ValueError, KeyError) as error:
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
