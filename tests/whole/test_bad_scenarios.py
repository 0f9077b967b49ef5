"""Every faulty file is refused with exactly the text beside it: where, which, rule, what was given, what to do."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.engine.simulation import simulate
from simulator.errors import InputError, ScenarioError, SimulatorError
from simulator.scenario.documents import load_document
from simulator.scenario.load import load_scenario, load_variants, parse_scenario
from tests.places import ROOT, TESTS

FOLDER = TESTS / "bad_scenarios"
NAMES = sorted(file.stem for file in FOLDER.glob("*.yaml"))
GOOD = """\
schema: 2
name: good
years: {first: 2025, last: 2035}
drivers:
  spending:
    start: {median: 4e8, interval_90: [2e8, 8e8], unit: USD}
    growth: {median: 2.4, interval_90: [1.6, 3.4], unit: x/year}
  hardware:
    start: {value: 1e18, unit: FLOP/USD}
    growth: 1.35x/year
  algorithms:
    growth: {mixture: [{weight: 1, value: 0.3, unit: OOM/year}, {weight: 2, value: 8, unit: months/halving of requirement}]}
quantities:
  world: {start: {value: 1e14, unit: USD}, growth: {value: 3, unit: "%/year"}}
  chips: {accumulation: {start: {value: 1e6, unit: chip/year}}, start: {value: 1e6, unit: chip}}
thresholds:
  gpt-4: {physical_compute: 2.1e25}
"""


@pytest.fixture(autouse=True)
def _in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


def test_there_are_enough_faulty_files_and_each_has_its_text() -> None:
    assert len(NAMES) >= 290
    assert sorted(file.stem for file in FOLDER.glob("*.txt")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_faulty_file_is_refused_with_its_expected_text(name: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_variants(f"{name}.yaml")
    places = [fault.place for fault in refused.value.faults]
    assert places == sorted(places)
    told = f"{refused.value}\n".replace(f"{ROOT}/", "")
    assert told == Path(f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted((FOLDER / "in_the_run").glob("*.yaml")), ids=lambda file: file.stem)
def test_what_only_the_samples_show_is_refused_with_its_expected_text(file: Path) -> None:
    with pytest.raises(SimulatorError) as refused:
        simulate(load_scenario(file))
    assert f"{refused.value}\n" == file.with_suffix(".txt").read_text(encoding="utf-8")


JARGON = re.compile(
    r"NoneType|Input should|\bdict\b|\btuple\b|\bstr\b|\bint\b|\bfloat\b|pydantic|ruamel|Traceback|Error\b"
    r"|\bTrue\b|\bFalse\b|\bNone\b|<class|object at|\bnan\b|\binf\b|log10\(|<block|<stream|\[key\]"
)


@pytest.mark.parametrize("name", NAMES)
def test_an_expected_text_has_no_jargon(name: str) -> None:
    assert (
        JARGON.findall(Path(f"{name}.txt").read_text(encoding="utf-8").replace(" .nan ", " ").replace(" .inf ", " "))
        == []
    )


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("no-such-file.yaml")
    assert str(refused.value) == "no-such-file.yaml: no such file."


def test_a_directory_is_told_from_a_file() -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("libraries")
    assert str(refused.value) == ("libraries: is a directory, not a file.\n        Name the .yaml file in it.")


def test_an_unreadable_file_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, *, most: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("simulator.scenario.documents.read_bytes", refuse)
    with pytest.raises(ScenarioError) as refused:
        load_scenario("secret.yaml")
    assert str(refused.value) == ("secret.yaml: cannot be read: Permission denied.\n        Check its permissions.")


def test_a_scenario_that_is_not_shipped_gets_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"^basline: no such file.*Did you mean 'baseline'\?$"):
        load_scenario("basline")


def test_aliases_that_explode_are_refused_before_they_are_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(60)]
    with pytest.raises(ScenarioError, match="more than 20,000 entries"):
        parse_scenario("\n".join(lines))


def test_a_thousand_brackets_are_refused_without_a_traceback() -> None:
    for depth in (100, 2_000):
        with pytest.raises(ScenarioError, match="nested more than 60 levels deep"):
            parse_scenario("a: " + "[" * depth + "]" * depth)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/object/new:os.mkdir", "!run", "!<x:y>"])
def test_nothing_in_a_file_is_executed(tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match="Remove it: nothing in a file is executed"):
        parse_scenario(GOOD + f'notes: {tag} ["mkdir executed"]\n')
    assert list(tmp_path.iterdir()) == []


def test_a_number_beyond_the_largest_is_refused_however_it_is_written() -> None:
    for text in ("1e400", "-1e400", "9" * 400, "9" * 10_000, ".inf", "-.inf", ".nan"):
        with pytest.raises(ScenarioError, match="is not a finite number"):
            parse_scenario(GOOD.replace("growth: 1.35x/year", f"growth: {text}"))


def test_faults_of_the_text_of_entries_and_of_the_whole_come_in_one_go() -> None:
    text = GOOD.replace("name: good", "name: good\nname: better").replace(
        "1.35x/year", "{median: x, interval_90: [1, 2], unit: x/year}"
    )
    text = text.replace("[1.6, 3.4]", "[3.4, 1.6]") + "  late: {multiple: 10, of: early}\n"
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    assert [fault.entry for fault in refused.value.faults] == [
        "name",
        "drivers.spending.growth.interval_90",
        "drivers.hardware.growth.median",
        "thresholds.late.of",
    ]


def test_a_file_with_many_different_faults_shows_all_of_them_at_once() -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("seventeen-faults.yaml")
    assert len({fault.entry for fault in refused.value.faults}) == 17
    assert len({fault.rule.partition(";")[0] for fault in refused.value.faults}) >= 15


def test_mending_a_fault_leaves_the_others_where_they_were() -> None:
    text = Path("many-faults.yaml").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError) as before:
        parse_scenario(text)
    with pytest.raises(ScenarioError) as after:
        parse_scenario(text.replace("[3.4, 1.6]", "[1.6, 3.4]"))
    mended = [fault for fault in before.value.faults if fault.entry != "drivers.spending.growth.interval_90"]
    assert list(after.value.faults) == mended


def test_the_nearest_correlations_that_are_proposed_are_accepted() -> None:
    text = Path("correlation-not-positive-definite.yaml").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    proposed = re.findall(r"(\S+) with (\S+): (\S+) instead of", str(refused.value))
    lines = [f"  - {{between: [{first}, {second}], rank: {rank}}}\n" for first, second, rank in proposed]
    assert len(lines) == 3
    parse_scenario(text[: text.index("  - {between")] + "".join(lines))


def test_the_units_that_are_proposed_are_units() -> None:
    text = Path("unit-unknown.yaml").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    given, proposed = re.findall(r"'([^']+)'", str(refused.value))
    parse_scenario(text.replace(f"unit: {given}", f"unit: {proposed}"))


@pytest.mark.parametrize(
    ("given", "proposed"),
    [
        ("factor/yeer", ["factor/year"]),
        ("x", ["x/year"]),
        ("'%'", ["percent/year"]),
        ("OOM", ["OOM/year"]),
        ("1/year", ["x/year", "percent/year"]),
        ("months", ["months/doubling", "months/halving"]),
        ("year", ["years/doubling", "years/halving"]),
    ],
)
def test_the_units_of_growth_that_are_proposed_are_units(given: str, proposed: list[str]) -> None:
    text = Path("growth-unit-unknown.yaml").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text.replace("unit: factor/yeer", f"unit: {given}"))
    (fault,) = refused.value.faults
    assert re.findall(r"[a-zA-Z%]+/[a-z]+", fault.remedy) == proposed
    for unit in proposed:
        parse_scenario(text.replace("unit: factor/yeer", f"unit: {unit}"))


def test_all_units_of_growth_that_are_listed_are_units() -> None:
    text = Path("growth-in-dollars.yaml").read_text(encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    listed = refused.value.faults[0].remedy.partition("Known: ")[2].removesuffix(".").split(", ")
    assert len(listed) >= 10
    for unit in listed:
        parse_scenario(GOOD.replace("growth: 1.35x/year", f"growth: {{value: 2, unit: '{unit}'}}"))


def test_a_file_of_the_first_edition_has_one_fault_that_names_the_upgrade() -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("schema-1.yaml")
    (fault,) = refused.value.faults
    assert fault.entry == "schema"
    assert fault.remedy.startswith("'simulate upgrade schema-1.yaml' rewrites it")


def test_the_readings_that_are_offered_for_growth_without_a_unit_are_read() -> None:
    for unit in ("x/year", "percent/year", "OOM/year"):
        parse_scenario(GOOD.replace("growth: 1.35x/year", f"growth: {{value: 1.35, unit: {unit}}}"))
        parse_scenario(GOOD.replace("growth: 1.35x/year", f"growth: 1.35 {unit}"))


@pytest.mark.parametrize(
    ("override", "place", "rule"),
    [
        ("samples=0", "--set samples=0", "samples: must be at least 1; got 0."),
        ("drivers.spendin.growth=2x/year", "--set drivers.spendin.growth=2x/year", "drivers.spendin: no such driver."),
        ("years.last=2020", "--set years.last=2020", "years.last: must come after first 2025; got 2020."),
        (
            "drivers.spending.growth.median=9",
            "--set drivers.spending.growth.median=9",
            "drivers.spending.growth.interval_90: must bracket the median 9; got [1.6, 3.4].",
        ),
        (
            "drivers.spending.growth.prior=./libraries/team/fst",
            "--set drivers.spending.growth.prior=./libraries/team/fst",
            "drivers.spending.growth.prior: './libraries/team' has no prior 'fst'.",
        ),
    ],
)
def test_a_fault_that_an_override_makes_is_placed_at_the_override(override: str, place: str, rule: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(GOOD, overrides=[override])
    assert str(refused.value).splitlines()[0] == f"{place}: {rule}"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("samples", "must be path=value, for example drivers.spending.growth[0].rate.median=3x/year."),
        ("samples=[1", "the value cannot be read: the '[' of line 1 is not closed before the end of the file."),
        ("drivers.spending.growth[0].rate=2x/year", "drivers.spending.growth is no list; leave [0].rate out."),
        ("drivers.spending.growth[1].from=2028", "is no list; set it as a whole: drivers.spending.growth=[{"),
        ("samples[0]=3", "samples is no list; leave [0] out."),
        ("drivers.algorithms.growth.mixture[5].weight=2", "has only 2 items, counted from [0]."),
        ("name.first=a", "name is 'good': it has no entry 'first'."),
    ],
)
def test_an_override_that_cannot_be_applied_says_why(override: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        parse_scenario(GOOD, overrides=[override])


def test_what_is_odd_but_right_is_read_without_a_fault() -> None:
    crlf = parse_scenario(GOOD.replace("\n", "\r\n"))
    assert crlf.hash == parse_scenario(GOOD).hash
    assert parse_scenario(GOOD + "samples: 1e4\nseed: 2e3\n").spec.samples == 10_000
    assert parse_scenario(GOOD + 'dollars: real 2023\ntitle: "no"\n').spec.title == "no"
    assert parse_scenario(GOOD.replace("value: 1e18,", "value: 1e18, as_of: 2024,")).joint.priors


def test_a_file_with_a_byte_order_mark_reads_as_without(tmp_path: Path) -> None:
    file = tmp_path / "marked.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_scenario(file).hash == parse_scenario(GOOD).hash
    assert load_document(file).places["schema",].column == 1


def test_whatever_stands_in_an_entry_it_is_read_or_refused_in_plain_words() -> None:
    rng = random.Random(20261122)
    whole = dict(parse_scenario(GOOD).data)
    for _ in range(60):
        data = copy.deepcopy(whole)
        path = rng.choice([path for path in _paths(data, ()) if path])
        _replace(data, path, copy.deepcopy(rng.choice(JUNK)))
        assert JARGON.findall(_refusal(_flow(data))) == []


def _refusal(text: str) -> str:
    """The text with which a scenario is refused; empty where it is read."""
    try:
        parse_scenario(text)
    except InputError as refused:
        return str(refused)
    return ""


JUNK: list[Any] = [
    None, True, -1, 0, 1e300, 10**40, "x", "2.4", [], {}, [1, 2], [[1]], {"a": 1}, {"median": 2}, {"value": True},
    {"prior": "x"}, {"prior": 3}, {"quantiles": {"a": 1}}, {"quantiles": {}}, {"mixture": []}, {"table": {}},
    {"discrete": {"values": [], "weights": []}}, {"family": "beta", "alpha": 1, "beta": 1}, {"truncated": [1]},
    {"value": 2, "unit": "GW"}, "2.4x/year", "$5 billion", "3 to 8 GW (90 %)", "3 to 8", "30 %", "2,5", "1e400 USD",
    {"median": "3 GW", "interval_90": ["1 USD", 2]}, {"interval_90": "3 to 8 x/year (80 %)"},
    {"start": 3}, {"product": [1, "a"]}, {"product": None}, {"accumulation": {"start": 3}},
    {"uniform": [1, 1]}, {"triangular": [1, 1, 1]}, {"median": 1e300, "interval_90": [1e-300, 1e308]}, {"a.b": 1},
    {"family": "student-t", "df": 0.1, "location": 1, "scale": 1}, {"<<": 1}, {"[0]": 1}, {"<prior>": 3}, {1: 2},
]  # fmt: skip


def _paths(data: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in _paths(value, (*path, key)))]


def _replace(data: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


def _flow(data: Any) -> str:
    """Write plain data as YAML in one line."""
    if isinstance(data, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(_flow, data)) + "]"
    if data is None or isinstance(data, bool):
        return {None: "null", True: "true", False: "false"}[data]
    return f'"{data}"' if isinstance(data, str) else repr(data)
