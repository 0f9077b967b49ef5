"""netCDF files as xarray reads them, written without it."""

from __future__ import annotations

import contextlib
import random
import struct
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from simulator import load_scenario, open_run, save_run, simulate
from simulator.errors import RunFileError
from simulator.runs import netcdf
from simulator.runs.checksums import check_opened
from simulator.runs.groups import Group, Labelled
from simulator.runs.netcdf import check_sealed, write_netcdf
from tests.damage import flip


def written(group: Group, path: Path) -> xr.DataTree:
    write_netcdf(group, path)
    with xr.open_datatree(path, engine="netcdf4") as tree:
        check_opened(tree, path)
        return tree.load()


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, np.nan, np.inf, -np.inf]),
        np.array([1.5, np.nan, np.inf, 0.0], dtype=np.float32),
        np.array([-3, 2**40, 0, 1]),
        np.array([0, 1, 2, 3], dtype=np.int8),
        np.array([True, False, True, True]),
        np.array(["", "größer", "a b", "1e26"]),
    ],
    ids=["float64", "float32", "int64", "int8", "bool", "words"],
)
def test_what_xarray_reads_is_what_was_handed_over(values: np.ndarray, tmp_path: Path) -> None:
    group = Group(
        {"x": Labelled(("sample",), values, {"units": "1", "long_name": "Größe", "flag_values": np.array([0, 1])})},
        {"sample": Labelled(("sample",), np.arange(4)), "label": Labelled(("sample",), np.array(list("abcd")))},
        {"note": "", "seed": 7, "share": "0.25 fraction"},
    )
    root = Group(attrs={"name": "mixed"}, children={"one": group})
    xr.testing.assert_identical(written(root, tmp_path / "x.nc"), root.to_xarray())


@pytest.mark.parametrize("name", ["baseline", "views"])
def test_a_run_file_holds_the_run(name: str, tmp_path: Path) -> None:
    run = simulate(load_scenario(name, overrides=["samples=600"]))
    save_run(run, tmp_path / "run.nc")
    with open_run(tmp_path / "run.nc") as opened:
        xr.testing.assert_identical(opened.load(), run)
        save_run(opened, tmp_path / "again.nc")
    assert (tmp_path / "again.nc").read_bytes() == (tmp_path / "run.nc").read_bytes()


def test_a_file_of_many_bytes_is_compressed_without_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = simulate(load_scenario("baseline", overrides=["samples=2048"]))
    save_run(run, tmp_path / "plain.nc")
    sizes = [(tmp_path / "plain.nc").stat().st_size]
    monkeypatch.setattr(netcdf, "STEADY_COMPRESSED_ABOVE", 1000)
    for above in (10**12, 1000):
        monkeypatch.setattr(netcdf, "COMPRESSED_ABOVE", above)
        save_run(run, tmp_path / "packed.nc")
        sizes.append((tmp_path / "packed.nc").stat().st_size)
        with open_run(tmp_path / "packed.nc") as opened:
            xr.testing.assert_identical(opened.load(), run)
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


@pytest.fixture(scope="module", params=["plain", "compressed"])
def sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "run.nc"
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "compressed":
            patched.setattr(netcdf, "STEADY_COMPRESSED_ABOVE", 1000)
            patched.setattr(netcdf, "COMPRESSED_ABOVE", 1000)
        save_run(simulate(load_scenario("essay-2023", overrides=["samples=600"])), path)
    return path


def large_places(data: bytes) -> list[tuple[int, int]]:
    """Read behind the end of a file where its large arrays, or their pieces, stand: place and length."""
    *_, count, mark = struct.unpack("<II8s", data[-16:])
    assert mark == b"\nsealed\n"
    return list(struct.iter_unpack("<QQ", data[-16 - 16 * count : -16]))


def test_a_bit_anywhere_outside_of_large_arrays_is_met_before_hdf5_reads_the_file(sealed: Path, tmp_path: Path) -> None:
    data, draw, met = sealed.read_bytes(), random.Random(5), []
    assert check_sealed(sealed) == sealed
    for place in draw.sample(range(len(data)), 150):
        (tmp_path / "run.nc").write_bytes(data)
        flip(tmp_path / "run.nc", place, draw)
        with contextlib.suppress(RunFileError):
            check_sealed(tmp_path / "run.nc")
            continue
        met.append(place)
    large = sum(length for _, length in large_places(data))
    assert 0.7 < len(met) / (150 * (1 - large / len(data))) < 1.3
    for other in (data[:5000] + data[5001:], data[:5000] + b"x" + data[5000:]):
        (tmp_path / "run.nc").write_bytes(other)
        with pytest.raises(RunFileError, match=r"run.nc: is not what was written: it was damaged\. Make it again"):
            open_run(tmp_path / "run.nc")


def test_what_is_compressed_is_not_read_at_opening_and_all_else_of_any_size_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netcdf, "STEADY_COMPRESSED_ABOVE", 1000)
    monkeypatch.setattr(netcdf, "COMPRESSED_ABOVE", 1000)
    rng = np.random.default_rng(1)
    shapes = {"one": (300_000,), "two": (110_000, 21), "three": (50_000, 3, 7)}
    held = {
        name: Labelled(tuple(f"{name}{at}" for at in range(len(shape))), rng.normal(size=shape))
        for name, shape in shapes.items()
    }
    root = Group(held, {}, {"text": "x" * 1_000_000})
    write_netcdf(root, tmp_path / "x.nc")
    data = (tmp_path / "x.nc").read_bytes()
    places = large_places(data)
    assert len(places) > len(shapes)
    assert 1_000_000 < len(data) - sum(length for _, length in places) < 1_100_000
    flips = data.index(b"xxxx") + 900_000
    (tmp_path / "x.nc").write_bytes(data[:flips] + b"y" + data[flips + 1 :])
    with pytest.raises(RunFileError, match="it was damaged"):
        check_sealed(tmp_path / "x.nc")


def test_what_a_program_changes_loses_its_seal_and_a_seal_that_says_nonsense_is_broken(
    sealed: Path, tmp_path: Path
) -> None:
    path, data = tmp_path / "run.nc", sealed.read_bytes()
    path.write_bytes(data)
    with netCDF4.Dataset(path, "a") as file:
        file["summary"].comment = "by another program"
    assert len(path.read_bytes()) < len(data) + 4096
    assert b"\nsealed\n" not in path.read_bytes()
    assert check_sealed(path) == path
    for count, places in ((2**32 - 1, b""), (1, bytes(16)[:-1] + b"\x7f"), (1, b"\xff" * 16), (0, b"")):
        path.write_bytes(data + places + struct.pack("<II8s", 7, count, b"\nsealed\n"))
        with pytest.raises(RunFileError, match="it was damaged"):
            check_sealed(path)


def test_a_file_that_finds_no_room_is_an_os_error(tmp_path: Path) -> None:
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from simulator.runs.groups import Group, Labelled\n"
        "from simulator.runs.netcdf import write_netcdf\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    write_netcdf(Group({'x': Labelled(('sample',), np.ones(1_000_000))}), Path(sys.argv[1]))\n"
        "except OSError as error:\n"
        "    print('no room')\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "x.nc")], capture_output=True, text=True, check=False
    )
    assert said.stdout == "no room\n"


def test_the_main_job_loads_neither_xarray_nor_pandas(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from simulator.cli.main import main\n"
        f"main(['baseline', '--samples', '1000', '--no-charts', '--output', {str(tmp_path)!r}])\n"
        "print(sorted({'xarray', 'pandas', 'scipy.stats', 'altair', 'pymc'} & set(sys.modules)))\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
