"""Addresses of object stores in the place of paths, such as `s3://bucket/folder`; fsspec reaches them.

An object is put whole or not at all, and none is renamed: what is made of several is whole when the last one is there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import batched
from pathlib import Path as FilePath
from pathlib import PosixPath
from typing import Any, Never

from simulator.errors import InputError, SimulatorError, missing_extra

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")
_TOGETHER = 32
_PROCESS_ALONE = ("memory",)
"""Stores that no other process sees."""
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL")


class Address(PosixPath):
    """An address of an object store: put together, named and read like a path.

    What knows paths of this machine alone asks it for one (`os.fspath`), and is refused.
    """

    def __str__(self) -> str:
        scheme, found, rest = super().__str__().partition(":/")
        return f"{scheme}://{rest.lstrip('/')}" if found else scheme

    def __fspath__(self) -> Never:
        rule = "is an address of an object store, and what is asked for works with files of this machine alone"
        raise InputError(f"{self}: {rule}. Name a folder or a file here (docs/scale.md says what takes addresses).")

    @property
    def scheme(self) -> str:
        """What stands before `://`."""
        return self.parts[0].removesuffix(":")

    @property
    def is_shared(self) -> bool:
        """Whether other processes see what is put there."""
        return self.scheme not in _PROCESS_ALONE

    def absolute(self) -> Address:
        """Give the address: it is whole as it stands."""
        return self

    def resolve(self, strict: bool = False) -> Address:  # noqa: ARG002
        """Give the address: nothing leads elsewhere."""
        return self

    def sizes(self) -> dict[str, int | None]:
        """List what stands below: names and sizes, None of what is a folder; nothing where nothing stands there."""
        with self._reached("read"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            own = self._name()
            found = {each["name"].rstrip("/"): each for each in self.system.ls(own, detail=True)}
            rest = {name: each for name, each in found.items() if name.strip("/") != own.strip("/")}
            return {
                name.rpartition("/")[2]: None if each["type"] == "directory" else int(each["size"] or 0)
                for name, each in sorted(rest.items())
            }
        return {}

    def all_sizes(self) -> dict[str, int]:
        """List the objects below, in folders too: the path of each from here, and its size."""
        with self._reached("read"), contextlib.suppress(FileNotFoundError):
            own = self._name().strip("/")
            found = self.system.find(self._name(), detail=True)
            return {
                name.strip("/").removeprefix(f"{own}/"): int(each["size"] or 0) for name, each in sorted(found.items())
            }
        return {}

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Tell whether an object is there, or one below."""
        with self._reached("read"):
            return bool(self.system.exists(self._name()))

    def is_file(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Tell whether an object is there."""
        with self._reached("read"):
            return bool(self.system.isfile(self._name()))

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Tell whether objects stand below."""
        return bool(self.sizes())

    def is_symlink(self) -> bool:
        """Tell that it is none."""
        return False

    def iterdir(self) -> Generator[Address]:
        """Give what stands below."""
        return (self / name for name in self.sizes())

    def glob(self, pattern: str, *, case_sensitive: bool | None = None) -> Iterator[Address]:  # type: ignore[override]  # noqa: ARG002
        """Give what stands below by a pattern of its name."""
        return (self / name for name in self.sizes() if fnmatchcase(name, pattern))

    def read_bytes(self) -> bytes:
        """Read an object; FileNotFoundError where there is none."""
        with self._reached("read"):
            return bytes(self.system.cat_file(self._name()))

    def read_part(self, start: int, end: int | None) -> bytes:
        """Read an object from a byte, which counts from its end where it is negative, to before another."""
        with self._reached("read"):
            return bytes(self.system.cat_file(self._name(), start=start, end=end))

    def size(self) -> int:
        """Tell the size of an object; FileNotFoundError where there is none."""
        with self._reached("read"):
            return int(self.system.info(self._name())["size"] or 0)

    def read_below(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read objects below, many at once; FileNotFoundError where one is missing."""
        asked = list(names)
        with self._reached("read"):
            found = self.system.cat_ranges([self._name(name) for name in asked], 0, None)  # names as they stand
            for each in found:
                if isinstance(each, BaseException):
                    raise each
            return {name: bytes(content) for name, content in zip(asked, found, strict=True)}

    def write_below(self, contents: Mapping[str, bytes]) -> None:
        """Put objects below, many at once, each whole."""
        with self._reached("written", FileNotFoundError):
            self.system.pipe({self._name(name): content for name, content in contents.items()})

    def copy_below(self, names: Sequence[str], target: Address) -> None:
        """Copy objects below to below another address."""
        if self.scheme == target.scheme:
            with target._reached("written", FileNotFoundError):
                self.system.copy([self._name(name) for name in names], [target._name(name) for name in names])
            return
        for some in batched(names, _TOGETHER):
            target.write_below(self.read_below(some))

    def write_bytes(self, data: Any) -> int:
        """Put an object."""
        with self._reached("written", FileNotFoundError):
            self.system.pipe_file(self._name(), bytes(data))
        return len(data)

    def touch(self, mode: int = 0o666, exist_ok: bool = True) -> None:  # noqa: ARG002
        """Put an object that is empty."""
        self.write_bytes(b"")

    def send(self, file: FilePath) -> None:
        """Put a file of this machine there as an object."""
        with self._reached("written", FileNotFoundError):
            self.system.put_file(str(file), self._name())

    def fetch(self) -> FilePath:
        """Copy an object to this machine; the copy is gone when its path is let go of."""
        copy = _Copy(tempfile.mkdtemp(prefix="simulate-")) / self.name
        weakref.finalize(copy, shutil.rmtree, str(copy.parent), ignore_errors=True)
        with self._reached("read"):
            self.system.get_file(self._name(), str(copy))
        return copy

    def remove(self) -> None:
        """Remove an object, and those below."""
        with self._reached("removed"), contextlib.suppress(FileNotFoundError):
            self.system.rm(self._name(), recursive=True)

    def probe(self) -> None:
        """Refuse what cannot be written, before there is any work: an object is put there and removed."""
        sign = f".probe-{os.urandom(4).hex()}"
        self.write_below({sign: b"1"})  # a fault names the address, and not the sign
        with contextlib.suppress(SimulatorError):  # of who may put and not remove
            (self / sign).remove()

    @property
    def system(self) -> Any:
        """What reaches the store, by fsspec; it has its credentials from the environment."""
        try:
            import fsspec

            return fsspec.filesystem(self.scheme, use_listings_cache=False)
        except ImportError as error:
            rule = f"{self}: is an address of an object store, which is not reached ({error})."
            if self.scheme in ("s3", "s3a") or (isinstance(error, ModuleNotFoundError) and error.name == "fsspec"):
                raise missing_extra(rule, "stores") from None
            raise InputError(rule) from None
        except ValueError:
            known = "s3://, gs://, abfs://, memory://"
            raise InputError(
                f"{self}: no kind of store is called {self.scheme}://. Write {known}, or a folder."
            ) from None

    def _name(self, below: str = "") -> str:
        """Give the name by which its store knows it, or what stands below."""
        return "/".join((*self.parts[1:], *filter(None, [below])))

    @contextlib.contextmanager
    def _reached(self, done: str, *also: type[Exception]) -> Iterator[None]:
        """Say in a line what the library of a store makes of a fault; what is not there is left to whoever reads."""
        try:
            yield
        except FileNotFoundError as error:
            if not also:
                raise
            fault: Exception = error
        except SimulatorError:
            raise
        except Exception as error:  # noqa: BLE001  # each library has errors of its own
            fault = error
        else:
            return
        words = " ".join(_without_secrets(f"{type(fault).__name__}: {fault}").split()[:30])
        remedy = "Look at the address, the network, and what the environment says of who asks"
        raise SimulatorError(f"{self}: cannot be {done} ({words}). {remedy}.")


class _Copy(PosixPath):
    """A path that something may hang on for as long as it is held."""


def _without_secrets(text: str) -> str:
    """Take what the environment keeps secret out of a text."""
    for name, value in os.environ.items():
        if _SECRET.search(name.upper()) and len(value) > 3:
            text = text.replace(value, "***")
    return text


def refuse_lost(path: FilePath) -> None:
    """Refuse a path that was an address before it became a path, where no address is taken."""
    scheme, found, _ = path.parts[0].partition(":") if path.parts else ("", "", "")
    if found and _SCHEME.fullmatch(scheme) and not isinstance(path, Address):
        rule = "is like an address of an object store, which is not taken here"
        raise InputError(f"{path}: {rule}. Name a place on this machine.")


def as_path(text: FilePath | str) -> FilePath:
    """Give the path or the address that a text names; InputError where it is an address of a form that is not taken."""
    if isinstance(text, FilePath):
        return text
    scheme, found, rest = text.partition("://")
    if not found:
        return FilePath(text)
    scheme = scheme.lower()
    if scheme in ("file", "local"):
        return FilePath(rest)
    if "?" in rest or (":" in rest.partition("@")[0] and "@" in rest):
        rule = "an address must not hold credentials, nor what is asked behind '?'"
        raise InputError(f"{scheme}://..: {rule}. The environment has them (AWS_ACCESS_KEY_ID, ..; docs/scale.md).")
    if not _SCHEME.fullmatch(scheme) or ".." in rest.split("/") or not rest.strip("/") or {*"*[]"} & {*rest}:
        raise InputError(f"{text}: is no address of a folder or file. Write for example s3://bucket/outputs.")
    return Address(f"{scheme}://{rest}")
