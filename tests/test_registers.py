"""A register finds what is shipped without looking further, and what a package offers by its entry points."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.registers import Register

LAWS: Register[object] = Register("law", "simulator.laws", {"half": "math:sqrt", "none": abs})


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that offers records, of which one is none and some cannot be imported."""
    (tmp_path / "our_laws.py").write_text("def third(x): return x / 3\nnumber = 3\nhalf = number\n")
    (tmp_path / "our_rude.py").write_text("raise ValueError('no such luck')\n")
    (tmp_path / "our_exit.py").write_text("raise SystemExit(7)\n")
    (tmp_path / "our_slip.py").write_text("def (\n")
    folder = tmp_path / "ours-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    entries = "third = our_laws:third\nnumber = our_laws:number\nhalf = our_laws:half\ngone = our_laws:gone\n"
    entries += "blank =\nrude = our_rude:law\nexit = our_exit:law\nslip = our_slip:law\n"
    (folder / "entry_points.txt").write_text(f"[simulator.laws]\n{entries}")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "our_laws", raising=False)


@pytest.mark.usefixtures("offered")
def test_what_is_shipped_goes_before_what_packages_offer() -> None:
    assert LAWS.names() == ("half", "none", "blank", "exit", "gone", "number", "rude", "slip", "third")
    assert [name for name, _ in LAWS.usable()] == ["half", "none", "third"]
    assert LAWS.find("half") is math.sqrt
    assert callable(LAWS.find("third"))
    assert "third" in LAWS
    assert "fourth" not in LAWS


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("thrid", r"thrid: no law 'thrid' is installed\. Did you mean 'third'\? .*entry points 'simulator\.laws'\."),
        ("number", r"number: our_laws:number is no function\. Its package must offer a function by that name\."),
        (
            "blank",
            r"blank: a package offers the law 'blank' and does not say where it is\. .* must be module:attribute",
        ),
        ("gone", r"gone: the installed law our_laws:gone cannot be imported: .*Mend or reinstall its package\."),
        ("rude", r"rude: the installed law our_rude:law cannot be imported: no such luck\. Mend"),
        ("exit", r"exit: the installed law our_exit:law cannot be imported: 7\. Mend"),
        ("slip", r"slip: the installed law our_slip:law cannot be imported: .*Mend"),
    ],
)
def test_what_cannot_be_had_is_told_with_a_way_out(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        LAWS.find(name)


def test_a_message_begins_with_the_entry_where_one_is_given() -> None:
    with pytest.raises(InputError, match=r"^--kind: no law 'x' is installed\. There are: half, none\."):
        LAWS.find("x", entry="--kind")


@pytest.mark.usefixtures("offered")
def test_a_class_of_records_is_named_with_its_article() -> None:
    laws: Register[object] = Register("law", "simulator.laws", {}, form=ArithmeticError)
    with pytest.raises(InputError, match=r"is no ArithmeticError\. Its package must offer an ArithmeticError by that"):
        laws.find("number")
