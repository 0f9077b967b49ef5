"""Addresses of object stores: put together like paths, and refused where only paths of this machine do."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from simulator.addresses import Address, as_path
from simulator.errors import InputError, SimulatorError
from simulator.files import check_folder, is_folder, is_there, make_folder, read_bytes, write_text

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store():
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield as_path("memory://store/runs")
    memory.store.clear()


def test_an_address_is_put_together_and_named_like_a_path() -> None:
    run = as_path("s3://bucket/outputs//baseline-1a2b3c4d/")
    assert isinstance(run, Address)
    assert str(run) == "s3://bucket/outputs/baseline-1a2b3c4d"
    assert (run.name, run.scheme, str(run.parent)) == ("baseline-1a2b3c4d", "s3", "s3://bucket/outputs")
    assert str(run.with_suffix(".unfinished") / "counts.npz").endswith(
        "outputs/baseline-1a2b3c4d.unfinished/counts.npz"
    )
    assert pickle.loads(pickle.dumps(run)) == run == as_path(run) == as_path(str(run))
    assert as_path("S3://bucket/a") == as_path("s3://bucket/a")
    assert run.absolute() == run.resolve() == run


def test_other_texts_are_paths_of_this_machine() -> None:
    assert as_path("file:///tmp/runs") == Path("/tmp/runs")
    assert as_path("outputs/a") == Path("outputs/a") == as_path(Path("outputs/a"))


@pytest.mark.parametrize(
    "text",
    ["s3://key:secret@bucket/x", "https://host/x?X-Amz-Signature=secret", "s3://", "s3://b/../x", "a::s3://b/x"],
)
def test_an_address_that_is_none_is_refused_and_no_secret_is_said_again(text: str) -> None:
    with pytest.raises(InputError) as refused:
        as_path(text)
    assert "secret" not in str(refused.value)


def test_what_knows_paths_of_this_machine_alone_refuses_an_address() -> None:
    for use in (os.fspath, os.path.exists, open, lambda path: path.stat()):
        with pytest.raises(InputError, match="works with files of this machine alone"):
            use(as_path("s3://bucket/x"))
    lost = Path("s3://bucket/x")  # as of an option that takes no address
    for use in (make_folder, check_folder):
        with pytest.raises(InputError, match=r"s3:/bucket/x: is like an address of an object store"):
            use(lost)
    assert not Path("s3:").exists()


def test_a_store_that_is_not_known_or_not_installed_is_named() -> None:
    with pytest.raises(InputError, match=r"zz://b/x: no kind of store is called zz://. Write s3://"):
        is_there(as_path("zz://b/x"))


def test_what_is_put_is_listed_read_and_removed(store: Address) -> None:
    assert not is_there(store)
    assert not is_folder(store)
    assert (store.sizes(), store.all_sizes(), list(store.iterdir())) == ({}, {}, [])
    make_folder(store)
    write_text(store / "a.txt", "one\n")
    (store / "deep").write_below({"b": b"two", "c/d": b"three"})
    assert store.sizes() == {"a.txt": 4, "deep": None}
    assert store.all_sizes() == {"a.txt": 4, "deep/b": 3, "deep/c/d": 5}
    assert [is_there(store / name) for name in ("a.txt", "deep", "deep/c", "e")] == [True, True, True, False]
    assert [is_folder(store / name) for name in ("a.txt", "deep", "e")] == [False, True, False]
    assert (store / "a.txt").is_file()
    assert [each.name for each in store.glob("*.txt")] == ["a.txt"]
    assert store.read_below(["deep/b", "a.txt"]) == {"deep/b": b"two", "a.txt": b"one\n"}
    with pytest.raises(OSError, match="larger than 0 MiB"):
        read_bytes(store / "a.txt", most=3)
    with pytest.raises(FileNotFoundError):
        read_bytes(store / "e")
    (store / "deep").remove()
    (store / "deep").remove()
    assert store.all_sizes() == {"a.txt": 4}


def test_a_copy_of_an_object_goes_when_its_path_is_let_go_of(store: Address) -> None:
    (store / "a.nc").write_bytes(b"content")
    copy = (store / "a.nc").fetch()
    folder = str(copy.parent)
    assert copy.read_bytes() == b"content"
    del copy
    assert not Path(folder).exists()


def test_a_check_writes_and_leaves_nothing(store: Address) -> None:
    check_folder(store)
    assert store.all_sizes() == {}


def test_a_fault_of_a_store_is_a_line_without_what_the_environment_keeps_secret(
    store: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-away")

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("hidden-away is no key\nat all")

    monkeypatch.setattr(type(store.system), "pipe", refuse)
    with pytest.raises(SimulatorError) as told:
        store.write_below({"a": b"1"})
    assert str(told.value).startswith("memory://store/runs: cannot be written (RuntimeError: *** is no key at all).")
