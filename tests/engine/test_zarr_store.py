"""Stores at an address: whole when their manifest is written last, and the same bytes whatever came between."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from simulator.addresses import Address, as_path
from simulator.engine import run_folders as runs
from simulator.engine import simulation
from simulator.engine.checking import check_run
from simulator.engine.checkpoints import Unfinished
from simulator.engine.run_folders import extend_run, run_to_folder
from simulator.engine.simulation import How, simulate
from simulator.errors import InputError, RunFileError, SimulatorError
from simulator.runs.folder import open_run
from simulator.scenario.load import parse_scenario
from simulator.scenario.resolving import Scenario
from simulator.testing import scenario_text, small_scenario

pytest.importorskip("zarr")
fsspec = pytest.importorskip("fsspec")

STORE = How(store="zarr")


def scenario(samples: int = 700) -> Scenario:
    changes = {"samples": samples, "block": 100, "thresholds": {"some": {"effective_compute": 1e30}}}
    growth = {"drivers.algorithms.growth": {"mean": 0.3, "sd": 0.2, "unit": "OOM/year"}}
    return parse_scenario(scenario_text(small_scenario(changes | growth)))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch):
    for module in (simulation, runs):
        monkeypatch.setattr(module, "KEPT", 200)
        monkeypatch.setattr(module, "COUNTED", 200)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield as_path("memory://store/outputs")
    memory.store.clear()


def contents(folder: Address) -> dict[str, bytes]:
    return folder.read_below(folder.all_sizes())


def stop(*_: int) -> None:
    raise KeyboardInterrupt


def same_samples(one, other) -> None:
    for group in ("parameters", "trajectories", "crossings"):
        assert one[group].to_dataset().identical(other[group].to_dataset()), group


def test_a_store_at_an_address_holds_the_run_and_nothing_is_left_beside_it(there: Address) -> None:
    run, folder = run_to_folder(scenario(), there, how=STORE)
    assert str(folder) == f"{there}/{run.attrs['name']}-{run.attrs['run_id']}"
    assert [*there.sizes()] == [folder.name]
    with open_run(folder) as opened:
        same_samples(opened, simulate(scenario()))
        assert check_run(opened, fast=True).passed
        assert check_run(opened).passed
    with open_run(folder) as opened:  # read piece by piece
        levels = simulate(scenario())["trajectories/effective_compute"]
        read = opened["trajectories/effective_compute"]
        np.testing.assert_array_equal(read.isel(year=-1).values, levels.isel(year=-1).values)
    about = json.loads((folder / "run.zarr/trajectories/effective_compute/zarr.json").read_bytes())
    assert about["chunk_grid"]["configuration"]["chunk_shape"] == [200, about["shape"][1]]
    assert about["codecs"][0]["configuration"]["chunk_shape"] == [200, 1]


def test_a_store_that_is_still_written_is_refused_and_gone_on_with(there: Address) -> None:
    _, whole = run_to_folder(scenario(), there / "whole", how=STORE)
    seen: list[int] = []

    def tell(done: int, _: int) -> None:
        seen.append(done)
        if len(seen) == 2:
            stop()

    with pytest.raises(KeyboardInterrupt) as stopped:
        run_to_folder(scenario(), there / "cut", how=How(store="zarr", progress=tell))
    assert stopped.value.__notes__ == ["--resume goes on with what was done."]
    (left,) = (there / "cut").glob("*.unfinished")
    assert Unfinished(left).tallies().samples == 400
    with pytest.raises(RunFileError, match=r"run\.zarr: is not whole.*still being written, or that was interrupted"):
        open_run(left.with_suffix(""))
    computed: list[int] = []
    _, folder = run_to_folder(
        scenario(), there / "cut", how=How(store="zarr", progress=lambda done, _: computed.append(done)), resume=True
    )
    assert min(computed) > 4
    assert contents(folder) == contents(whole)
    assert not left.exists()


def test_a_store_that_is_lost_is_told_in_a_line_and_gone_on_with(
    there: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = run_to_folder(scenario(), there / "whole", how=STORE)

    def lost(*_: object, **__: object) -> None:
        raise ConnectionError("nobody answers")

    def lose(done: int, _: int) -> None:
        for name in ("pipe", "put_file", "ls") if done > 4 else ():
            patch.setattr(type(there.system), name, lost)

    monkeypatch.setattr(Unfinished, "due", lambda _: True)
    with monkeypatch.context() as patch, pytest.raises(SimulatorError) as told:
        run_to_folder(scenario(), there / "cut", how=How(store="zarr", progress=lose))
    assert "memory://store/outputs/cut/small-" in str(told.value)
    assert "cannot be written (ConnectionError: nobody answers)" in str(told.value)
    _, folder = run_to_folder(scenario(), there / "cut", how=STORE, resume=True)
    assert contents(folder) == contents(whole)


def test_two_runs_at_once_leave_what_one_leaves(there: Address) -> None:
    _, whole = run_to_folder(scenario(), there / "whole", how=STORE)
    folders: list[Address] = []

    def other(*_: int) -> None:
        if not folders:
            folders.append(run_to_folder(scenario(), there / "twice", how=STORE)[1])
            assert contents(folders[0]) == contents(whole)

    _, folder = run_to_folder(scenario(), there / "twice", how=How(store="zarr", progress=other))
    assert folders == [folder]
    assert contents(folder) == contents(whole)


@pytest.mark.slow
def test_an_extension_is_a_fresh_run_to_the_byte(there: Address) -> None:
    _, short = run_to_folder(scenario(), there / "short", how=STORE)
    before, said = contents(short), list[str]()
    extended = extend_run(short, samples=900, outputs=there / "longer", say=said.append)
    assert said == ["600 samples are taken over."]
    same_samples(extended, simulate(scenario(900)))
    assert check_run(extended, fast=True).passed
    assert contents(short) == before
    with pytest.raises(KeyboardInterrupt):
        extend_run(short, samples=1_100, outputs=there / "cut", progress=stop)
    (left,) = (there / "cut").glob("*.unfinished")
    with pytest.raises(RunFileError, match="still being written"):
        open_run(left.with_suffix(""))
    same_samples(extend_run(short, samples=1_100, outputs=there / "cut"), simulate(scenario(1_100)))


@pytest.fixture
def made(there: Address, kept: dict[str, bytes] = {}) -> Address:  # noqa: B006  # one run for all
    """A run that was written into a store."""
    if not kept:
        _, folder = run_to_folder(scenario(), there, how=STORE)
        kept |= contents(folder) | {"": folder.name.encode()}
    folder = there / kept[""].decode()
    folder.write_below({name: content for name, content in kept.items() if name})
    return folder


def gone(store: Address) -> None:
    (store / "trajectories/effective_compute/c/1/0").remove()


def flipped(name: str) -> Callable[[Address], None]:
    def flip(store: Address) -> None:
        content = bytearray((store / name).read_bytes())
        content[len(content) // 2] ^= 1
        (store / name).write_bytes(bytes(content))

    return flip


def added(store: Address) -> None:
    (store / "trajectories/effective_compute/c/9/9").write_bytes(b"1")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (gone, "trajectories/effective_compute/c/1/0 is missing"),
        (added, "trajectories/effective_compute/c/9/9 does not belong to it"),
        (flipped("summary/crossed/c/0/0"), "summary/crossed/c/0/0 was changed"),
        (flipped("trajectories/effective_compute/c/1/0"), "trajectories/effective_compute/c/1/0 was changed"),
        (flipped("trajectories/effective_compute/zarr.json"), "trajectories/effective_compute/zarr.json was changed"),
    ],
)
def test_what_was_changed_at_an_address_is_named(made: Address, damage: Callable[[Address], None], told: str) -> None:
    damage(made / "run.zarr")
    with pytest.raises(RunFileError, match=told) as refused, open_run(made) as run:
        check_run(run, fast=True)
    assert str(refused.value).startswith(f"{made}/run.zarr: is not whole, or not what was written: ")


def test_samples_that_are_lost_after_opening_are_no_zeros(made: Address) -> None:
    with open_run(made) as run:
        gone(made / "run.zarr")
        with pytest.raises(RunFileError, match=r"trajectories/effective_compute/c/1/0 is missing"):
            _ = run["trajectories/effective_compute"].values


def test_what_several_processes_do_not_see_or_is_laid_out_otherwise_is_refused(
    there: Address, made: Address, tmp_path
) -> None:
    with pytest.raises(InputError, match=r"run\.zarr: is seen by this process alone, and several would write there"):
        run_to_folder(scenario(), there, how=How(store="zarr", workers=2))
    _, here = run_to_folder(scenario(), tmp_path, how=STORE)
    for path, outputs in ((made, tmp_path), (here, there)):
        with pytest.raises(InputError, match="laid out otherwise at an address and on this machine"):
            extend_run(path, samples=900, outputs=outputs)
