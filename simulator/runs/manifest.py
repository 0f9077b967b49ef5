"""Whether a Zarr store is whole: the size and checksum of each of its files, in an attribute that is written last.

At an address the root, in which that stands, tells all arrays too (Zarr's consolidated metadata): they are not read one
by one.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

from simulator.addresses import Address
from simulator.errors import RunFileError
from simulator.files import read_bytes, write_text

if TYPE_CHECKING:
    from zarr.abc.store import Store

MANIFEST: Final = "manifest"
_ROOT = "zarr.json"
WITH_SAMPLES: Final = ("parameters/", "trajectories/", "crossings/", "events/", "actors/")
"""The groups whose values are not read at opening; Zarr checks each piece of them when it is read."""
_AT_ONCE, _MOST, _TOGETHER = 1 << 24, 1 << 30, 32
_ALL: Final = "consolidated_metadata"


type Sealed = tuple[int, str]
"""The size and the CRC-32 of a file."""


def seal(content: bytes) -> Sealed:
    """Give the size and checksum of what a file holds."""
    return len(content), f"{zlib.crc32(content):08x}"


def write_manifest(
    store: FilePath, *, sealed: Mapping[str, Sealed], needed: Iterable[str], root: bytes | None = None
) -> None:
    """Write the name, size and CRC-32 of every file into the attributes of a store that is whole.

    Files that whoever wrote them has sealed are not read again. `root` is what the store's is to be, where that does
    not stand there. RunFileError: one that is needed is missing, or has another size.
    """
    told: dict[str, Any] = json.loads(read_bytes(store / _ROOT, most=_MOST) if root is None else root)
    told["attributes"].pop(MANIFEST, None)
    found = {_ROOT: 0} | dict(sorted(_files(store)))
    for name in needed:
        if name not in found or found[name] != sealed.get(name, (found[name], ""))[0]:
            raise _not_whole(store, f"{name} is missing, or was not seen whole yet")
    del found[_ROOT]
    sums = dict(_sums(store, [name for name in found if name not in sealed]))
    files = {name: sealed[name] if name in sealed else (size, sums[name]) for name, size in found.items()}
    if isinstance(store, Address):
        told = with_metadata(told, store.read_below(name for name in files if name.endswith(f"/{_ROOT}")))
    told["attributes"][MANIFEST] = {"root": _root_checksum(told), "files": files}
    write_text(store / _ROOT, json.dumps(told, ensure_ascii=False))


def check_manifest(store: FilePath, *, full: bool = False) -> bool:
    """Refuse a store that is not what was written; tell whether it says what that was, as all but early ones do.

    At opening names, sizes and what is read at once; `full` checks every byte. At an address each says it.
    """
    return _checked(store, full=full) is not None


def _checked(store: FilePath, *, full: bool = False) -> tuple[dict[str, bytes], Container[str]] | None:
    """Check a store; give what was read of one at an address, and its names; None of one that does not say them."""
    held: dict[str, bytes] = {}
    try:
        root = json.loads(read_bytes(store / _ROOT, most=_MOST))
        manifest: dict[str, Any] | None = root["attributes"].pop(MANIFEST, None)
        if manifest is None and isinstance(store, Address):
            raise _not_whole(store, "it is still being written, or that was interrupted")
        if manifest is None:
            return None
        files: dict[str, tuple[int, str]] = {name: (size, crc) for name, (size, crc) in manifest["files"].items()}
        is_other = manifest["root"] != _root_checksum(root)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_whole(store, f"{_ROOT} cannot be read ({type(error).__name__})") from None
    if is_other:
        raise _not_whole(store, f"{_ROOT} is another")
    found = dict(_files(store))
    found.pop(_ROOT)
    for name, (size, _) in files.items():
        if name not in found:
            raise _not_whole(store, f"{name} is missing")
        now = found.pop(name)
        if now != size:
            raise _not_whole(store, f"{name} has {now:,} bytes in the place of {size:,}")
    for name, crc in _sums(store, [name for name in files if full or _is_at_once(store, name)], held):
        if crc != files[name][1]:
            raise _not_whole(store, f"{name} was changed")
    if found:
        raise _not_whole(store, f"{min(found)} does not belong to it")
    return held | {_ROOT: json.dumps(root).encode()}, frozenset(files)


def _is_at_once(store: FilePath, name: str) -> bool:
    """Tell whether a file is read when its store is opened."""
    if name.endswith(_ROOT):
        return not isinstance(store, Address)
    return not name.startswith(WITH_SAMPLES)


def _sums(store: FilePath, names: Sequence[str], held: dict[str, bytes] | None = None) -> Iterator[tuple[str, str]]:
    """Read files and give their checksums; what is read at an address of those that are opened at once is `held`."""
    if not isinstance(store, Address):
        yield from ((name, _checksum(store / name)) for name in names)
        return
    for some in batched(names, _TOGETHER):
        for name, content in store.read_below(some).items():
            yield name, seal(content)[1]
            if held is not None and _is_at_once(store, name):
                held[name] = content


def with_metadata(root: dict[str, Any], about: Mapping[str, bytes]) -> dict[str, Any]:
    """Say in a root what each file below says of its array or group, by the names of those files."""
    told = {name.removesuffix(f"/{_ROOT}"): json.loads(content) for name, content in sorted(about.items())}
    return root | {_ALL: {"kind": "inline", "must_understand": False, "metadata": told}}


def metadata_of(root: bytes) -> dict[str, bytes]:
    """Give the files that `with_metadata` was told of."""
    told = json.loads(root)[_ALL]["metadata"]
    return {f"{name}/{_ROOT}": json.dumps(each).encode() for name, each in told.items()}


def open_store(address: Address) -> Store:
    """Check a store at an address, and give it to Zarr: what was read so far from memory, samples when asked for."""
    import asyncio  # many commands read no store, and it takes 22 ms to load

    from zarr.abc.store import RangeByteRequest, Store, SuffixByteRequest

    held, names = _checked(address) or ({}, ())

    class Held(Store):
        """What an address holds, to be read alone."""

        supports_writes = supports_deletes = supports_partial_writes = supports_listing = False

        def __eq__(self, other: object) -> bool:
            return self is other

        __hash__ = object.__hash__

        async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
            if key in held:
                return prototype.buffer.from_bytes(held[key])
            if key not in names:
                return None
            span: tuple[int, int | None] = (0, None)
            if isinstance(byte_range, RangeByteRequest):
                span = byte_range.start, byte_range.end
            elif byte_range is not None:
                is_end = isinstance(byte_range, SuffixByteRequest)
                span = (-byte_range.suffix if is_end else byte_range.offset), None
            try:
                content = await asyncio.to_thread((address / key).read_part, *span)
            except FileNotFoundError:  # which Zarr would take for nothing but zeros
                raise _not_whole(address, f"{key} is missing") from None
            return prototype.buffer.from_bytes(content)

        async def get_partial_values(self, prototype: Any, key_ranges: Iterable[tuple[str, Any]]) -> list[Any]:
            return [await self.get(key, prototype, each) for key, each in key_ranges]

        async def exists(self, key: str) -> bool:
            return key in held

        async def set(self, key: str, value: Any) -> None:
            raise NotImplementedError

        async def delete(self, key: str) -> None:
            raise NotImplementedError

        async def _none(self) -> AsyncIterator[str]:
            for name in tuple[str, ...]():
                yield name

        def list(self) -> AsyncIterator[str]:
            return self._none()

        def list_prefix(self, prefix: str) -> AsyncIterator[str]:  # noqa: ARG002
            return self._none()

        def list_dir(self, prefix: str) -> AsyncIterator[str]:  # noqa: ARG002
            return self._none()

    return Held(read_only=True)


def is_whole(store: FilePath) -> bool:
    """Tell whether a store is there, with all its files."""
    try:
        return store.is_dir() and check_manifest(store)
    except RunFileError:
        return False


def _files(folder: FilePath, below: str = "") -> Iterator[tuple[str, int]]:
    """List the files of a store, each by its path in it, and their sizes."""
    if isinstance(folder, Address):
        yield from folder.all_sizes().items()
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(FilePath(entry.path), f"{below}{entry.name}/")
            else:
                yield below + entry.name, entry.stat().st_size


def _checksum(path: FilePath) -> str:
    result = 0
    try:
        with path.open("rb") as stream:
            while part := stream.read(_AT_ONCE):
                result = zlib.crc32(part, result)
    except OSError as error:
        raise RunFileError(f"{path}: cannot be read: {error.strerror or error}.") from None
    return f"{result:08x}"


def _root_checksum(root: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(root, sort_keys=True).encode()):08x}"


def _not_whole(store: FilePath, why: str) -> RunFileError:
    return RunFileError(
        f"{store}: is not whole, or not what was written: {why}. Run its scenario again with --store zarr: "
        "--resume goes on where that was interrupted."
    )
