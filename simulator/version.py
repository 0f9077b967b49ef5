"""What the numbers of a run hang on beside its scenario: the code, the libraries, the machine.

Nothing but the standard library is loaded here: who builds a package reads its version from this file.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

RELEASE = "0.1.0"
_ARCHIVED = "$Format:%H$"  # in an archive that git exports, the commit
_PACKAGE = Path(__file__).resolve().parent
_SHOWING = frozenset({"cli", "charts", "report", "export", "__pycache__"})
"""Rooms that change no number."""


@cache
def simulator_version() -> str:
    """Name the release and the commit: `0.1.0+g1a2b3c4d5e`, with `.dirty` where files of the package differ from it."""
    return version_in(_PACKAGE.parent)


def version_in(root: Path) -> str:
    """Name the version of the package in a folder, `<release>+unknown` where nothing tells its commit.

    What was built, or exported by git, has the commit in it; of a checkout git is asked.
    """
    for built in (*root.glob("effective_compute_simulator-*.dist-info/METADATA"), root / "PKG-INFO"):
        with suppress(OSError):
            if found := re.search(r"^Version: (\S+)$", built.read_text(encoding="utf-8"), re.MULTILINE):
                return found[1]
    if (root / ".git").exists():
        return f"{RELEASE}+{_checked_out(root)}"
    return f"{RELEASE}+{'unknown' if _ARCHIVED.startswith('$') else f'g{_ARCHIVED[:10]}'}"


def _checked_out(root: Path) -> str:
    """Ask git for the commit of a checkout, and whether files of the package differ from it; `unknown` without git."""
    asked = ["status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=all", "--", _PACKAGE.name]
    git = ["git", "--no-optional-locks", "-C", str(root), f"--git-dir={root / '.git'}", f"--work-tree={root}"]
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}  # as hooks have
    try:
        told = subprocess.run([*git, *asked], env=surroundings, capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    head, *rest = (line for line in told.splitlines() if not line.startswith("# branch.") or "branch.oid" in line)
    commit = head.split()[-1]
    return f"g{commit[:10]}{'.dirty' if rest else ''}" if commit.isalnum() else "unknown"


@cache
def source_digest() -> str:
    """Hash the source of all that makes numbers: what only shows them is left out."""
    return digest_of(_PACKAGE)


def digest_of(package: Path) -> str:
    """Hash the Python files of a package but for the rooms that change no number."""
    digest = hashlib.sha256()
    for folder, inner, files in os.walk(package):
        inner[:] = sorted({*inner} - _SHOWING)
        for name in sorted(files):
            if name.endswith(".py"):
                digest.update(name.encode() + Path(folder, name).read_bytes())
    return digest.hexdigest()[:12]


NUMERICAL = ("numpy", "scipy", "pymc", "pytensor", "numba", "llvmlite", "nutpie", "arviz-stats")
"""Libraries that numbers may hang on: all from `pymc` on those of priors that are learnt."""


def libraries(names: Iterable[str] = NUMERICAL[:2]) -> dict[str, str]:
    """Give the versions of Python and of those of the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in names:
        with suppress(PackageNotFoundError):  # to ask a loaded library takes no time
            found[name] = str(getattr(sys.modules.get(name), "__version__", "")) or version(name)
    return found


def made_by(packages: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Give the attributes that say by what numbers were made, here and now; `packages` with their versions too."""
    return {
        "simulator_version": simulator_version(),
        "code": source_digest(),
        "libraries": json.dumps({**libraries(), **packages}),
        "platform": machine(),
    }


def made_otherwise(attrs: Mapping[Any, object]) -> dict[str, tuple[str, str]]:
    """Compare by what a run was made with what is here: what is another, with its name there and here.

    Commits that change no code that makes numbers count as the same simulator.
    """
    there = {"libraries": "{}"} | {str(key): str(value) for key, value in attrs.items()}
    then, now = _named(there), _named(made_by(libraries(json.loads(there["libraries"]))))
    if attrs.get("code") == source_digest():
        del then["simulator"]
    return {name: (then[name], now.get(name, "none")) for name in then if then[name] != now.get(name)}


def _named(attrs: Mapping[str, str]) -> dict[str, str]:
    simulator = f"{attrs.get('simulator_version', 'not stated')}, code {attrs.get('code', 'not stated')}"
    return {"simulator": simulator, **json.loads(attrs["libraries"]), "platform": attrs.get("platform", "not stated")}


def otherwise_words(other: Mapping[str, tuple[str, str]]) -> str:
    """Say what made a run and is another here."""
    return "; ".join(f"{name} {then} (here {now})" for name, (then, now) in other.items())


def machine() -> str:
    """Name what decides the last bits of a number: the system, its C library, what the processor can, as numpy sees it.

    Functions such as exp and log have a variant for each kind of processor.
    """
    import numpy as np

    library = ""
    with suppress(AttributeError, ValueError, OSError):
        library = f" {os.confstr('CS_GNU_LIBC_VERSION')}"
    kinds = np.show_config(mode="dicts")["SIMD Extensions"]
    return f"{platform.system()} {platform.machine()}{library}, {' '.join([*kinds['baseline'], *kinds['found']])}"
