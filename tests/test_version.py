"""The version names the commit and what differs from it; the digest of the code what can change a number."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import version
from simulator.version import RELEASE, digest_of, made_by, made_otherwise, otherwise_words, version_in
from tests.places import PACKAGE, ROOT

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    named = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *arguments], cwd=folder, env=own | named, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the real module of versions and its attributes."""
    root = tmp_path / "checkout"
    (root / "simulator").mkdir(parents=True)
    shutil.copy(PACKAGE / "version.py", root / "simulator")
    shutil.copy(ROOT / ".gitattributes", root)
    (root / "README.md").write_text("one\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    return root


def commit(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")[:10]


def test_a_checkout_has_the_version_of_its_commit(checkout: Path) -> None:
    first = version_in(checkout)
    assert first == f"{RELEASE}+g{commit(checkout)}"
    (checkout / "README.md").write_text("two\n")
    assert version_in(checkout) == first  # no file of the package
    git(checkout, "commit", "-q", "-a", "-m", "two")
    assert version_in(checkout) == f"{RELEASE}+g{commit(checkout)}" != first


@pytest.mark.parametrize("name", ["version.py", "new_module.py"])
@pytest.mark.parametrize("staged", [False, True])
def test_what_differs_from_the_commit_is_said(checkout: Path, name: str, staged: bool) -> None:
    with (checkout / "simulator" / name).open("a") as file:
        file.write("# more\n")
    if staged:
        git(checkout, "add", ".")
    assert version_in(checkout) == f"{RELEASE}+g{commit(checkout)}.dirty"


def test_a_shallow_clone_and_a_second_worktree_have_it_too(checkout: Path, tmp_path: Path) -> None:
    (checkout / "README.md").write_text("two\n")
    git(checkout, "commit", "-q", "-a", "-m", "two")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")
    git(checkout, "worktree", "add", "-q", "--detach", str(tmp_path / "second"))
    for folder in ("shallow", "second"):
        assert version_in(tmp_path / folder) == f"{RELEASE}+g{commit(checkout)}"


def test_a_hook_of_another_repository_does_not_mislead(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(checkout / "no-such"))
    monkeypatch.setenv("GIT_INDEX_FILE", "no-such")
    assert version_in(checkout) == f"{RELEASE}+g{commit(checkout)}"


def test_without_git_or_a_commit_the_version_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout / ".git")
    assert version_in(checkout) == f"{RELEASE}+unknown"
    git(checkout, "init", "-q")
    assert version_in(checkout) == f"{RELEASE}+unknown"
    monkeypatch.setenv("PATH", "")
    assert version_in(checkout) == f"{RELEASE}+unknown"


@pytest.mark.parametrize("place", ["PKG-INFO", "effective_compute_simulator-0.1.0+gabc.dist-info/METADATA"])
def test_what_was_built_has_the_version_of_the_build(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("Metadata-Version: 2.4\nName: x\nVersion: 0.1.0+gabc\n\nVersion: of the text\n")
    assert version_in(tmp_path) == "0.1.0+gabc"


def test_an_archive_that_git_exports_knows_its_commit_and_needs_no_library(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "archive", "-o", str(tmp_path / "archive.tar"), "HEAD")
    shutil.unpack_archive(tmp_path / "archive.tar", tmp_path / "archive", filter="data")
    program = "import runpy; print(runpy.run_path('simulator/version.py')['simulator_version']())"
    command = [sys.executable, "-I", "-S", "-c", program]  # as a build reads it: nothing is installed
    told = subprocess.run(command, cwd=tmp_path / "archive", capture_output=True, text=True, check=True).stdout
    assert told.strip() == f"{RELEASE}+g{commit(checkout)}"


def test_the_digest_is_of_the_code_that_makes_numbers(tmp_path: Path) -> None:
    for name in ("model/growth.py", "charts/kinds/fan.py", "data/table.csv", "model/__pycache__/growth.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    first = digest_of(tmp_path)
    assert first == digest_of(tmp_path)
    for name in ("charts/kinds/fan.py", "data/table.csv", "model/__pycache__/growth.pyc"):
        (tmp_path / name).write_text("2\n")
    assert digest_of(tmp_path) == first
    (tmp_path / "model" / "growth.py").write_text("2\n")
    assert digest_of(tmp_path) != first


def test_a_run_loads_no_code_that_the_digest_leaves_out() -> None:
    program = (
        "import sys; from simulator.engine.simulation import simulate; from simulator.testing import *\n"
        "run_of(small_scenario()); print([name for name in sys.modules if name.startswith('simulator.')])"
    )
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", program], env=here, capture_output=True, text=True, check=True).stdout
    loaded = {name.split(".")[1] for name in eval(told)}
    assert {"engine", "model", "priors"} <= loaded
    assert not loaded & version._SHOWING


def test_what_made_a_run_otherwise_is_named() -> None:
    here = made_by()
    assert made_otherwise(here) == {}
    assert made_otherwise(here | {"simulator_version": "0.1.0+gother"}) == {}  # another commit of the same code
    older = here | {"code": "0", "libraries": here["libraries"].replace('"numpy": "', '"numpy": "0.'), "platform": "P"}
    other = made_otherwise(older)
    assert set(other) == {"simulator", "numpy", "platform"}
    assert f"platform P (here {here['platform']})" in otherwise_words(other)
    assert made_otherwise({"simulator_version": "0.1.0"})["simulator"][0] == "0.1.0, code not stated"


def test_numpy_and_scipy_are_named_with_the_versions_that_are_installed() -> None:
    from importlib.metadata import version as installed

    found = version.libraries((*version.NUMERICAL, "no-such-library"))
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {name: installed(name) for name in found if name != "python"} == {
        name: number for name, number in found.items() if name != "python"
    }
    assert {"numpy", "scipy", "pymc", "pytensor", "numba"} <= set(found)
    assert "no-such-library" not in found
