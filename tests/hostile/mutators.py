"""What is done to files: the same seed does the same."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import yaml

from tests.damage import flip, places_of_values

NUMBERS = (
    "0", "-0.0", "1", "-1", "0.5", "2", "10", "100", "1e-300", "1e300", "1e308", "-1e308", "5e-324", "1e400", ".nan",
    ".inf", "-.inf", "20.25", "2125", "9999", "1e26", "1_000", "0x1F", "18446744073709551616", "2024-13-01",
    "9999-12-31", "0001-01-01", "1e5", "64", "5e5", "-3", "99.99", "0.05", "0.95", "2025", "2050", "1e-12",
)  # fmt: skip
WORDS = (
    "", " ", "~", "true", "no", "never", "=1+1", "@SUM(A1)", "\x1b[2J", "a\x1bb", "\u202eabc", "\ufffe", "\ud7ff", "\ufeff",
    "../../etc/passwd", "/dev/zero", "/dev/full", "x" * 3000, "{{x}}", "<script>alert(1)</script>", "nan", "%", "100 %",
    "2x/year", "30 %/year", "0x/year", "3 months/doubling", "0 months/doubling", "-1 OOM/year", "OOM", "USD", "FLOP",
    "year", "baseline", "spending", "hardware", "algorithms", "[", "{", "- ", "&a", "*a", "!!python/object:os.system x",
    "start", "growth", "\t", "\r", "é", "日本", "a: b: c", "month", "quarter", "gompertz", "lognormal", "mixture",
)  # fmt: skip
_NUMBER = re.compile(rb"(?<![\w.-])-?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z][\w/-]*")


def mutant(content: bytes, seed: int | str) -> bytes:
    """Change a text file once to three times: its bytes, its lines, its numbers and words, or what it says as YAML."""
    rng = random.Random(f"mutant {seed}")
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = rng.choice((*_TEXT, *(_tree,) * 8))(content, rng)
    return content


def mutant_table(content: bytes, seed: int | str) -> bytes:
    """Change a CSV file once to three times."""
    rng = random.Random(f"table {seed}")
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = rng.choice((*_TEXT, *(_cell,) * 6, _column))(content, rng)
    return content


def _flip(content: bytes, rng: random.Random) -> bytes:
    held = bytearray(content or b" ")
    for _ in range(rng.choice((1, 1, 4))):
        held[rng.randrange(len(held))] ^= 1 << rng.randrange(8)
    return bytes(held)


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    what = rng.choice((*WORDS, *NUMBERS, "\x00", "\n", ":", "#", "%YAML 9.9\n---\n")).encode(errors="surrogatepass")
    return content[:at] + rng.choice((what, rng.randbytes(3))) + content[at:]


def _cut(content: bytes, rng: random.Random) -> bytes:
    first = rng.randrange(len(content) + 1)
    return content[:first] + content[first + rng.choice((1, 5, 50, len(content))) :]


def _lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    done = rng.randrange(5)
    if done == 0:
        del lines[at]
    elif done == 1:
        lines.insert(at, lines[other])
    elif done == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif done == 3:
        lines[at] = b"  " + lines[at]
    else:
        lines[at] = lines[at].lstrip()
    return b"\n".join(lines)


def _token(pattern: re.Pattern[bytes], words: tuple[str, ...]) -> Callable[[bytes, random.Random], bytes]:
    def change(content: bytes, rng: random.Random) -> bytes:
        found = list(pattern.finditer(content))
        if not found:
            return content
        old = rng.choice(found)
        new = rng.choice((rng.choice(words).encode(errors="surrogatepass"), rng.choice(found)[0]))
        return content[: old.start()] + new + content[old.end() :]

    return change


def _encoding(content: bytes, rng: random.Random) -> bytes:
    text = content.decode(errors="replace")
    return rng.choice((
        b"\xef\xbb\xbf" + content, b"\xef\xbb\xbf\xff" + content, text.encode("utf-16"), text.encode("utf-32"),
        content.replace(b"\n", b"\r\n"), content.replace(b"\n", b"\r"), b"%YAML 9.9\n---\n" + content,
        content + b"\n---\n" + content,
    ))  # fmt: skip


_TEXT = (_flip, _insert, _cut, _lines, _lines, _token(_NUMBER, NUMBERS), _token(_NUMBER, NUMBERS), _token(_WORD, WORDS),
         _encoding)  # fmt: skip


def _tree(content: bytes, rng: random.Random) -> bytes:
    """Change what a file says: an entry goes, comes twice, is something else, or what another entry is."""
    try:
        root = yaml.safe_load(content.decode())
        places = _places(root)
    except (yaml.YAMLError, ValueError, RecursionError):
        return _flip(content, rng)
    if not places:
        return content
    holder, key = rng.choice(places)
    other, its = rng.choice(places)
    done, value = rng.randrange(9), holder[key]
    if done == 0:
        del holder[key]
    elif done in (1, 2):
        holder[key] = _value(rng)
    elif done == 3:
        holder[key] = copy.deepcopy(other[its])
    elif done == 4 and isinstance(holder, dict):
        holder[rng.choice((rng.choice(WORDS), str(its)))] = holder.pop(key)
    elif done == 5:
        holder[key] = rng.choice(([value], [value, value], {"value": value}, {str(its): value}, [value] * 50))
    elif done == 6 and isinstance(value, int | float):
        holder[key] = value * rng.choice((-1, 0, 1e-6, 0.5, 2, 10, 1e6, 1e100))
    elif done == 7 and isinstance(value, dict):
        value[rng.choice((str(its), *WORDS[-12:]))] = copy.deepcopy(other[its])
    else:
        holder[key], other[its] = copy.deepcopy(other[its]), value
    try:
        return yaml.safe_dump(root, allow_unicode=True, sort_keys=False, width=120).encode()
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return content


def _places(held: Any) -> list[tuple[Any, Any]]:
    keys = list(held) if isinstance(held, dict) else range(len(held)) if isinstance(held, list) else ()
    return [place for key in keys for place in ((held, key), *_places(held[key]))]


def _value(rng: random.Random) -> Any:
    word = rng.choice((*NUMBERS, *NUMBERS, *WORDS, "[]", "{}", "null"))
    try:
        return yaml.safe_load(word)
    except (yaml.YAMLError, ValueError):
        return word


def _cell(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    cells = lines[at].split(b",")
    cells[rng.randrange(len(cells))] = rng.choice((*NUMBERS, *NUMBERS, *WORDS, '"', '"a\nb"')).encode(
        errors="surrogatepass"
    )
    return b"\n".join([*lines[:at], b",".join(cells), *lines[at + 1 :]])


def _column(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(lines[0].count(b",") + 1)
    word = rng.choice((*NUMBERS, *WORDS)).encode(errors="surrogatepass")
    rows = [line.split(b",") for line in lines]
    for row in rows[rng.choice((0, 1)) :]:
        row[min(at, len(row) - 1)] = word
    return b"\n".join(b",".join(row) for row in rows)


def mutate_run(path: FilePath, seed: int | str) -> None:
    """Damage a netCDF file: bits of its values, or what another program might write into it."""
    rng = random.Random(f"run {seed}")
    if rng.random() < 0.3:
        for place in rng.choices(places_of_values(path, rng), k=rng.choice((1, 1, 4))):
            flip(path, place, rng)
        return
    _edit(path, rng)


def mutate_structure(path: FilePath, seed: int | str) -> None:
    """Damage a netCDF file anywhere: its bits, its length; HDF5 itself may go astray in such a one."""
    rng = random.Random(f"structure {seed}")
    path.write_bytes(rng.choice((_flip, _flip, _cut, _insert))(path.read_bytes(), rng))


def _edit(path: FilePath, rng: random.Random) -> None:
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path, "a") as file:
        groups = _groups(file)
        for _ in range(rng.choice((1, 1, 2, 3))):
            group = rng.choice(groups)
            names = list(group.variables)
            done = rng.randrange(8)
            holder = group if done < 3 or not names else group.variables[rng.choice(names)]
            attributes = list(holder.ncattrs())
            if done in (0, 3) and attributes:
                holder.delncattr(rng.choice(attributes))
            elif done in (1, 4):
                name = rng.choice((*attributes, "coordinates", "units", "flag_values", "_FillValue"))
                if name != "_FillValue":
                    value = rng.choice((*WORDS[:30], 0, -1, 1e300, float("nan"), 2**40, "[]", "{}"))
                    holder.setncattr(name, value)
            elif done == 2:
                things = [*group.groups] if rng.random() < 0.3 else names
                if things:
                    old = rng.choice(things)
                    (group.renameGroup if old in group.groups else group.renameVariable)(old, f"{old}_")
            elif names:
                _spoil(group.variables[rng.choice(names)], rng, np)
        if rng.random() < 0.7 and "checksums" in file.ncattrs():  # as of a program that knows of none
            file.delncattr("checksums")


def _spoil(variable: Any, rng: random.Random, np: Any) -> None:
    values = variable[...]
    if values.dtype.kind not in "fiu" or not values.size:
        if values.size:
            variable[...] = np.full(values.shape, rng.choice(WORDS[:40]), dtype=object)
        return
    values = np.ma.getdata(values).copy()
    flat = values.reshape(-1)
    some = slice(None) if rng.random() < 0.4 else slice(*sorted(rng.sample(range(flat.size + 1), 2)))
    with np.errstate(all="ignore"):
        if rng.random() < 0.3:
            flat[some] = flat[some][::-1].copy()
        else:
            new = np.float64(rng.choice((np.nan, np.inf, -np.inf, -1, 0, 1, 1e30, 2**40, 127)))
            flat[some] = new.astype(values.dtype)
    variable[...] = values


def _groups(file: Any) -> list[Any]:
    return [file, *(inner for group in file.groups.values() for inner in _groups(group))]
