"""The sources of a run's priors as BibTeX."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.errors import dotted
from simulator.scenario.canonical import stored_data
from simulator.scenario.layers import entries_in

if TYPE_CHECKING:
    import xarray as xr


_KEPT = ("url", "doi", "as_of")
_NAME = r"(?:[A-Z]\. )*[^\W\d_]+(?:-[^\W\d_]+)*"
_PERSONS = re.compile(
    rf"(?P<who>{_NAME}(?:, {_NAME})*(?: (?:&|and) {_NAME})?(?P<others> et al\.)?) (?P<year>(?:19|20)\d\d), (?P<rest>.+)"
)
_BODY = re.compile(r"(?P<who>[^,\d]{4,40}) (?P<year>(?:19|20)\d\d), (?P<rest>.+)")
_DATED = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|spring|summer|autumn|winter)"
    r" (?P<year>(?:19|20)\d\d)|, (?P<last>(?:19|20)\d\d)$"
)
_ARXIV = re.compile(r"arXiv:(?P<number>\d{4}\.\d{4,5})(?P<version>v\d+)?", re.IGNORECASE)
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "as", "at", "by", "can", "for", "from", "in", "of", "on", "the", "to", "will"}
)


@dataclass(slots=True)
class Source:
    """A source of priors: its text, what else the entries say of it, and the priors that rest on it."""

    text: str
    details: dict[str, str] = field(default_factory=dict)
    priors: list[str] = field(default_factory=list)


def run_sources(run: xr.DataTree) -> list[Source]:
    """List the sources of a run's priors, each once, in alphabetical order.

    From the resolved scenario that the run carries, and the attributes of the parameters where it kept its samples.
    """
    found: dict[str, Source] = {}
    every = entries_in(stored_data(run.attrs))
    maps = [(dotted(path), entry) for path, entry in every if isinstance(entry, dict)]
    stated = [(where, entry) for where, entry in maps if isinstance(entry.get("source"), str)]
    if "parameters" in run.children:
        stated += [(str(name), values.attrs) for name, values in run.children["parameters"].data_vars.items()]
    for where, entry in stated:
        text = " ".join(str(entry.get("source", "")).split())
        if not text:
            continue
        source = found.setdefault(text, Source(text))
        for key in _KEPT:
            if entry.get(key):
                source.details.setdefault(key, str(entry[key]))
        prior = str(entry.get("prior") or entry.get("library") or where)
        if prior not in source.priors:
            source.priors.append(prior)
    return [found[text] for text in sorted(found)]


def bibtex(run: xr.DataTree) -> tuple[str, str]:
    """Write the sources of a run's priors as BibTeX entries in UTF-8; there is nothing to say beside them.

    Sources that are the authors' own judgement are no publications; they are listed in a comment at the top.
    """
    # An entry is a `@misc`: the text of a source says who, when and what, but not in what kind of publication.
    sources = run_sources(run)
    own = [source for source in sources if source.text.lower().startswith("own judgement")]
    cited = [source for source in sources if source not in own]
    head = [f"Sources of the priors of run {run.attrs['run_id']} ({run.attrs['name']})."]
    head += [f"No publication: {source.text}: {', '.join(source.priors)}." for source in own]
    comment = "".join(f"% {line}\n" for line in head).replace("@", "(at)")  # BibTeX takes @ for the start of an entry
    return "\n".join([comment, *(_entry(source) for source in cited)]), ""


def source_key(text: str) -> str:
    """Make the BibTeX key of a source from its text alone: name, year, first word of the title, digits of its own.

    >>> source_key("Ho et al. 2024, Algorithmic progress in language models, NeurIPS 2024")
    'ho2024algorithmic-1aaf'
    """
    authors, title, year = _parts(text)
    names = [word for word in _words(authors) if len(word) > 1]
    words = [word for word in _words(title) if word not in _SMALL_WORDS and not word.isdigit()]
    start = names[0] + year + "".join(words[:1]) if names else "-".join(words[:3])
    return f"{start or 'source'}-{hashlib.sha256(text.encode()).hexdigest()[:4]}"


def _parts(text: str) -> tuple[str, str, str]:
    """Part the text of a source into authors in BibTeX's form, title and year; empty where it does not say."""
    persons = _PERSONS.fullmatch(text)
    if persons and not persons["who"].isupper():
        names = re.split(r", | & | and ", persons["who"].removesuffix(" et al."))
        authors = " and ".join([*map(_escaped, names), *(["others"] if persons["others"] else [])])
        return authors, persons["rest"], persons["year"]
    body = _BODY.fullmatch(text)
    if body:
        return " and ".join(f"{{{_escaped(name)}}}" for name in body["who"].split(" & ")), body["rest"], body["year"]
    dates = [match["year"] or match["last"] for match in _DATED.finditer(text)]
    return "", text, dates[-1] if dates else ""


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain)


def _entry(source: Source) -> str:
    authors, title, year = _parts(source.text)
    key = source_key(source.text)
    fields = {"author": authors} if authors else {"key": key}  # by which styles sort an entry without authors
    fields["title"] = "{" + _escaped(title) + "}"
    fields |= {"year": year} if year else {}
    arxiv = _ARXIV.search(source.text) or _ARXIV.search("arXiv:" + source.details.get("url", "").rpartition("/")[2])
    if arxiv:
        fields["eprint"] = arxiv["number"] + (arxiv["version"] or "")
        fields["archiveprefix"] = "arXiv"
    # `url` and `doi` are set as they are, so that only braces, which BibTeX counts, are coded.
    coded = str.maketrans({"{": "%7B", "}": "%7D", " ": "%20"})
    fields |= {key: source.details[key].translate(coded) for key in ("doi", "url") if key in source.details}
    said = f"Source of {', '.join(source.priors)}"
    said += f"; as of {source.details['as_of']}" if "as_of" in source.details else ""
    fields["note"] = _escaped(said)
    rows = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return f"@misc{{{key},\n{rows},\n}}\n"


def _escaped(text: str) -> str:
    r"""Write text so that LaTeX prints it; BibTeX counts even braces that are escaped, so that these get names.

    >>> print(_escaped("R&D, 90 % of $5 {a} #1 a_b"))
    R\&D, 90 \% of \$5 \textbraceleft{}a\textbraceright{} \#1 a\_b
    """
    special = {
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$",
    }  # fmt: skip
    return "".join(special.get(letter, letter) for letter in text)
