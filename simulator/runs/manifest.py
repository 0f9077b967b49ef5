"""Whether a Zarr store is whole: the size and checksum of each of its files, in an attribute that is written last."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from simulator.errors import RunFileError
from simulator.files import read_bytes, write_text

MANIFEST: Final = "manifest"
_ROOT = "zarr.json"
WITH_SAMPLES: Final = ("parameters/", "trajectories/", "crossings/", "events/", "actors/")
"""The groups whose values are not read at opening; Zarr checks each piece of them when it is read."""
_AT_ONCE, _MOST = 1 << 24, 1 << 30


type Sealed = tuple[int, str]
"""The size and the CRC-32 of a file."""


def seal(content: bytes) -> Sealed:
    """Give the size and checksum of what a file holds."""
    return len(content), f"{zlib.crc32(content):08x}"


def write_manifest(store: FilePath, *, sealed: Mapping[str, Sealed], needed: Iterable[str]) -> None:
    """Write the name, size and CRC-32 of every file into the attributes of a store that is whole.

    Files that whoever wrote them has sealed are not read again. RunFileError: one that is needed is missing, or has
    another size.
    """
    root = json.loads(read_bytes(store / _ROOT, most=_MOST))
    root["attributes"].pop(MANIFEST, None)
    found = dict(sorted(_files(store)))
    for name in needed:
        if name not in found or found[name] != sealed.get(name, (found[name], ""))[0]:
            raise _not_whole(store, f"{name} is missing, or was not seen whole yet")
    files = {
        name: sealed[name] if name in sealed else (size, _checksum(store / name))
        for name, size in found.items()
        if name != _ROOT
    }
    root["attributes"][MANIFEST] = {"root": _root_checksum(root), "files": files}
    write_text(store / _ROOT, json.dumps(root, ensure_ascii=False))


def check_manifest(store: FilePath, *, full: bool = False) -> bool:
    """Refuse a store that is not what was written; tell whether it says what that was, as all but early ones do.

    At opening names, sizes and what is read at once; `full` checks every byte.
    """
    try:
        root = json.loads(read_bytes(store / _ROOT, most=_MOST))
        manifest: dict[str, Any] | None = root["attributes"].pop(MANIFEST, None)
        if manifest is None:
            return False
        files: dict[str, tuple[int, str]] = {name: (size, crc) for name, (size, crc) in manifest["files"].items()}
        is_other = manifest["root"] != _root_checksum(root)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_whole(store, f"{_ROOT} cannot be read ({type(error).__name__})") from None
    if is_other:
        raise _not_whole(store, f"{_ROOT} is another")
    found = dict(_files(store))
    found.pop(_ROOT)
    for name, (size, crc) in files.items():
        if name not in found:
            raise _not_whole(store, f"{name} is missing")
        now = found.pop(name)
        if now != size:
            raise _not_whole(store, f"{name} has {now:,} bytes in the place of {size:,}")
        at_once = name.endswith(_ROOT) or not name.startswith(WITH_SAMPLES)
        if (full or at_once) and _checksum(store / name) != crc:
            raise _not_whole(store, f"{name} was changed")
    if found:
        raise _not_whole(store, f"{min(found)} does not belong to it")
    return True


def is_whole(store: FilePath) -> bool:
    """Tell whether a store is there, with all its files."""
    try:
        return store.is_dir() and check_manifest(store)
    except RunFileError:
        return False


def _files(folder: FilePath, below: str = "") -> Iterator[tuple[str, int]]:
    """List the files of a store, each by its path in it, and their sizes."""
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
