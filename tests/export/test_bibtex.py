"""Sources as BibTeX: each once, valid, with keys that do not change."""

from __future__ import annotations

import re

import pytest
import xarray as xr

from simulator.export.bibtex import bibtex, run_sources, source_key
from simulator.testing import run_of, small_scenario

HOSTILE = "Müller & Søn 2024, 100 % of {R&D} costs #1 at $5_000: a~b^c \\ d @home"


def with_source(text: str, **more: str) -> dict[str, object]:
    return {"mean": 0.5, "sd": 0.1, "unit": "OOM/year", "source": text, **more}


@pytest.fixture(scope="module")
def run() -> xr.DataTree:
    changes = {
        "samples": 64,
        "drivers.compute.growth": with_source(HOSTILE, url="https://example.org/a_b%20c?x=1#top", as_of="2026-01"),
        "drivers.compute.start.source": "own judgement, mail a@b.org",
        "thresholds": {"a": {"effective_compute": {"value": 1e28, "unit": "FLOP", "source": HOSTILE}}},
    }
    return run_of(small_scenario(changes))


def entries(text: str) -> list[str]:
    """Take a BibTeX file apart as BibTeX does: from @ to the brace that closes the entry, counting every brace."""
    found = []
    for match in re.finditer("@", text):
        start = text.index("{", match.start())
        depth, place = 0, start
        for place in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                break
        assert depth == 0, "a brace that is not closed"
        found.append(text[match.start() : place + 1])
    return found


def test_an_entry_is_valid_and_what_is_special_is_escaped(run: xr.DataTree) -> None:
    text = bibtex(run)[0]
    assert text.count("\n@misc{") == 1
    (entry,) = [entry for entry in entries(text) if entry.startswith("@misc")]
    assert "author = {Müller and Søn}," in entry
    assert "year = {2024}," in entry
    assert r"100 \% of \textbraceleft{}R\&D\textbraceright{} costs \#1 at \$5\_000" in entry
    assert r"a\textasciitilde{}b\textasciicircum{}c \textbackslash{} d @home" in entry
    assert "url = {https://example.org/a_b%20c?x=1#top}," in entry
    assert "as of 2026-01" in entry


def test_own_judgement_is_a_comment_without_the_sign_that_begins_an_entry(run: xr.DataTree) -> None:
    head, *_ = bibtex(run)[0].split("\n@misc")
    assert "% No publication: own judgement, mail a(at)b.org: drivers.compute.start." in head
    assert "@" not in head


def test_a_source_of_several_priors_is_listed_once_with_all_that_is_known(run: xr.DataTree) -> None:
    (source,) = [source for source in run_sources(run) if source.text == HOSTILE]
    assert source.details["url"].startswith("https://example.org")
    assert {"drivers.compute.growth", "thresholds.a.effective_compute"} <= set(source.priors)


def test_a_run_without_samples_has_the_same_sources(run: xr.DataTree) -> None:
    bare = xr.DataTree.from_dict({"/": xr.Dataset(attrs=run.attrs), "summary": run["summary"].to_dataset()})
    assert bibtex(bare)[0] == bibtex(run)[0]


def test_parts_of_a_mixture_have_their_own_sources() -> None:
    mixture = {"mixture": [with_source("First 2020, one", weight=1), with_source("Second 2021, two", weight=1)]}
    run = run_of(small_scenario({"samples": 64, "drivers.compute.growth": mixture}))
    assert [source.text for source in run_sources(run)] == ["First 2020, one", "Second 2021, two"]


@pytest.mark.parametrize(
    ("text", "key", "fields"),
    [
        ("Ho, Erdil & Besiroglu 2023, limits to efficiency", "ho2023limits", ["author = {Ho and Erdil and Besiroglu}"]),
        ("A. Ho 2026, The updates", "ho2026updates", ["author = {A. Ho}", "year = {2026}"]),
        ("Epoch AI & EPRI 2025, power demands", "epoch2025power", ["author = {{Epoch AI} and {EPRI}}"]),
        ("METR 2026, time horizons", "metr2026time", ["author = {{METR}}"]),
        ("Whitfill et al. 2025, arXiv:2511.19492v2", "whitfill2025arxiv", ["and others}", "eprint = {2511.19492v2}", "archiveprefix = {arXiv}"]),
        ("AI 2027, compute forecast", "ai-compute-forecast", ["key = {ai-compute-forecast", "title = {{AI 2027, compute forecast}}"]),
        ("Executive Order 14110 of 30 October 2023, section 4", "executive-order-october", ["year = {2023}"]),
        ("團隊", "source", ["title = {{團隊}}"]),
    ],
)  # fmt: skip
def test_authors_years_and_titles_are_read_where_the_text_says_them(text: str, key: str, fields: list[str]) -> None:
    assert re.fullmatch(re.escape(key) + "-[0-9a-f]{4}", source_key(text))
    written = bibtex(run_of(small_scenario({"samples": 64, "drivers.compute.growth": with_source(text)})))[0]
    for field in fields:
        assert field in written


def test_keys_tell_versions_of_one_paper_apart_and_stay() -> None:
    first = source_key("Ho et al. 2024, Algorithmic progress in language models, NeurIPS 2024")
    second = source_key("Ho et al. 2024, Algorithmic progress in language models, arXiv:2403.05812v1")
    assert (first, second) == ("ho2024algorithmic-1aaf", "ho2024algorithmic-18ad")
