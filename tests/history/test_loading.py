"""Loading tables of training runs and accelerators: every spelling of the same fact gives the same fact."""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.history.columns import cell_date, cell_number, date_order, decimal_year, last_day
from simulator.history.exports import load_table, observed_points
from simulator.history.frontier import record_on, top_at_release, trend, without, year_end_records
from simulator.history.loading import (
    EARLIER_SNAPSHOT,
    SNAPSHOT,
    is_hardware,
    load_accelerators,
    load_history,
    shipped_accelerators,
    shipped_runs,
    training_speed,
)
from simulator.history.observations import observations
from simulator.history.tables import IS_LOG, HiddenRun, RunHistory, TrainingRun, report_lines
from simulator.scenario.library import shipped_file
from tests.places import SNAPSHOTS, TESTS

TRAPS = TESTS / "bad_history"
needs_snapshots = pytest.mark.skipif(
    not SNAPSHOTS.is_dir(), reason="the snapshots of the public databases are not beside the project"
)


def trap(name: str) -> RunHistory:
    return load_history(TRAPS / f"{name}.csv", snapshot="2025-06")


def test_costs_are_read_however_they_are_written_and_zero_is_unknown() -> None:
    costs = {run.name: run.log_cost for run in trap("costs-as-written").runs}
    assert costs["Dollars"] == costs["Plain"] == pytest.approx(math.log10(6.77e6))
    assert {name for name, cost in costs.items() if cost is None} == {"Zero", "Infinity", "Blank"}


def test_a_cost_that_cannot_belong_to_its_run_is_not_used() -> None:
    history = trap("cost-of-another-run")
    assert [run.cost_consistent for run in history.runs] == [False, True]
    assert [math.isnan(cost) for cost in history.log_cost] == [True, False]


@pytest.mark.parametrize(("off", "consistent"), [(-1.71, False), (-1.69, True), (1.69, True), (1.71, False)])
@pytest.mark.parametrize(("day", "line"), [("2012-01-01", 16.5977), ("2032-01-01", 19.1977)])
def test_the_bounds_of_a_cost_follow_what_a_dollar_was_expected_to_buy(
    off: float, consistent: bool, day: str, line: float, tmp_path: Path
) -> None:
    """At the start of 2012 sqrt(2.8e15 x 5.6e17) FLOP, and 0.13 OOM more a year."""
    file = tmp_path / "runs.csv"
    file.write_text(f"name,date,log10_training_flop,log10_cost_usd\na,{day},24,{24 - line - off}\n")
    assert load_history(file, snapshot="2035").runs[0].cost_consistent is consistent


def test_runs_without_flop_are_kept_with_what_is_known_of_them_and_counted_by_year(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    rows = ("a,2026-01-02,1e26,,", "b,2026-02-03,,5e26,", "c,2026-03-04,,,1e8,a", "d,2026-04-05,,,", "e,2025-04-05,,,")
    head = "name,date,training_flop,training_flop_at_least,cost_usd,base_model"
    file.write_text("\n".join((head, *rows, "f,,,1e26,", "")))
    history = load_history(file, snapshot="2026-05")
    known = [("b", pytest.approx(26.699, abs=1e-3), None, ""), ("c", None, 8.0, "a")]

    def told(runs: Iterable[HiddenRun]) -> list[tuple[object, ...]]:
        return [(run.name, run.log_least, run.log_cost, run.base_model) for run in runs if run.log_about > 0]

    assert told(history.hidden) == known
    assert history.hidden[-2].log_about == pytest.approx(8 + 16.5977 + 0.13 * 14.17, abs=1e-3)
    assert history.silent() == {2025: (1, 1), 2026: (3, 4)}
    said = "\n".join(report_lines(history))
    assert "without FLOP: 1 of 1 in 2025, 3 of 4 in 2026; a lower bound or a cost is known of 2 of all" in said
    assert history.report.dropped == {"training compute unknown": ("d", "e"), "no date that can be read": ("f ('')",)}
    again = tmp_path / "tidy.csv"
    history.table.save_csv(again)
    assert told(load_history(again, snapshot="2026-05").hidden) == known


def test_a_copy_edited_in_a_spreadsheet_reads_as_the_original() -> None:
    edited, again = trap("spreadsheet-copy").runs
    assert (edited.date, edited.day_known) == (dt.date(2023, 3, 15), True)
    assert (again.date, again.day_known) == (dt.date(2023, 5, 1), False)
    assert edited.log_flop == pytest.approx(math.log10(2.1e25))
    assert again.log_flop == pytest.approx(math.log10(7.8e24))
    assert edited.base_model == again.base_model == ""


def test_blanks_and_line_breaks_leave_names() -> None:
    runs = trap("line-breaks-in-names").runs
    assert [run.name for run in runs] == ["Cosmos-1.0- Diffusion-14B", "Grok-3"]
    assert [run.open_weights for run in runs] == [True, False]


def test_comma_lists_become_lists_without_repeats() -> None:
    run = trap("comma-lists").runs[0]
    assert (run.organisation, run.domains) == ("Hugging Face, BigScience", ("Language", "Multimodal"))


def test_rows_of_one_name_and_maker_are_one_run_and_of_two_makers_are_two() -> None:
    history = trap("rows-twice")
    assert [(run.name, run.organisation) for run in history.runs] == [("GPT-4", "OpenAI"), ("GPT-4", "Another Lab")]
    assert sum(map(len, history.report.dropped.values())) == 2


def test_the_columns_of_an_older_export_are_found() -> None:
    run = trap("older-columns").runs[0]
    assert (run.name, run.cost_basis, run.confidence) == ("GPT-3 175B (davinci)", "amortised, 2020 USD", "unknown")


def test_a_decimal_comma_is_not_a_thousands_separator() -> None:
    assert [run.name for run in trap("decimal-commas").runs] == ["Points", "Thousands"]
    assert trap("decimal-commas").runs[1].log_flop == pytest.approx(6)


def test_every_row_is_kept_or_counted() -> None:
    for name in ("ragged-rows", "rows-twice", "decimal-commas", "continued-models"):
        history = trap(name)
        assert len(history.runs) + sum(map(len, history.report.dropped.values())) == history.report.rows_read


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    for name in ("rows-twice", "continued-models", "costs-as-written"):
        with (TRAPS / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
            header, *rows = list(csv.reader(stream))
        file = tmp_path / f"{name}.csv"
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([header, *reversed(rows)])
        assert load_history(file, snapshot="2025-06").runs == trap(name).runs


def test_the_speed_is_the_tensor_figure_else_fp16_where_not_below_fp32_else_fp32() -> None:
    hardware = load_accelerators(TRAPS / "hardware-speeds.csv", snapshot="2025-06").accelerators
    found = {each.name: (round(10**each.log_flops / 1e10), each.precision) for each in hardware}
    assert found == {
        "FP32 alone": (158, "FP32"),
        "Half": (1870, "FP16"),
        "Crippled half": (1134, "FP32"),
        "Tensor": (31200, "tensor"),
    }
    assert training_speed(None, None, None) is None


def test_an_unknown_price_is_taken_from_the_table_of_prices(tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text(
        "Hardware model,Price date,Price (hardware purchase)\n"
        "FP32 alone,2012-02-02,450\nFP32 alone,2010-11-09,499.00\nHalf,2011-01-01,1\n"
    )
    found = load_accelerators(TRAPS / "hardware-speeds.csv", snapshot="2025-06", prices=prices).accelerators
    by_name = {each.name: each for each in found}
    assert by_name["FP32 alone"].log_price == pytest.approx(math.log10(499))
    assert by_name["FP32 alone"].price_basis == "first purchase price, 2010-11-09"
    assert by_name["Half"].log_price == pytest.approx(math.log10(5699))


def test_a_table_is_told_from_the_other_by_its_columns() -> None:
    assert is_hardware(TRAPS / "hardware-speeds.csv")
    assert not is_hardware(TRAPS / "older-columns.csv")
    with pytest.raises(InputError, match="is no table of training runs: it lacks"):
        load_history(TRAPS / "hardware-speeds.csv", snapshot="2025")


def test_the_tidy_form_loads_as_it_was_written(tmp_path: Path) -> None:
    for name in ("costs-as-written", "line-breaks-in-names", "continued-models", "older-columns"):
        trap(name).table.save_csv(tmp_path / "tidy.csv")
        assert load_history(tmp_path / "tidy.csv", snapshot="2025-06").table == trap(name).table
    hardware = load_accelerators(TRAPS / "hardware-speeds.csv", snapshot="2025-06")
    hardware.table.save_csv(tmp_path / "tidy.csv")
    again = load_accelerators(tmp_path / "tidy.csv", snapshot="2025-06")
    assert again.table == hardware.table


@given(st.floats(1e-3, 1e30), st.sampled_from(["{:e}", "${:.12g}", " {!r} ", "{:.12E}"]))
def test_a_number_is_read_back_however_it_is_written(value: float, form: str) -> None:
    assert cell_number(form.format(value)) == pytest.approx(value, rel=1e-5)


@given(st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31)))
def test_a_date_is_read_back_however_it_is_written(date: dt.date) -> None:
    for form, order in (("%Y-%m-%d", "year-month-day"), ("%d-%m-%Y", "day-month-year"), ("%m/%d/%Y", "month-day-year")):
        assert cell_date(date.strftime(form), order=order) == (date, date.day != 1)


@given(st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31)))
def test_decimal_years_rise_day_by_day_and_stay_in_their_year(date: dt.date) -> None:
    assert date.year <= decimal_year(date) < decimal_year(date + dt.timedelta(days=1)) <= date.year + 1


def test_the_order_of_dates_is_told_by_the_dates_that_allow_one() -> None:
    assert date_order(["03/04/2023", "03/14/2023"], file="f") == "month-day-year"
    assert date_order(["03-04-2023"], file="f") == "day-month-year"
    assert date_order(["", "2023-04-03", "spring"], file="f") == "year-month-day"
    assert cell_date("31-02-2023", order="day-month-year") is None


def test_a_period_is_read_as_its_last_day() -> None:
    assert [last_day(text, entry="e") for text in ("2024", "2024-02", "2024-02-03")] == [
        dt.date(2024, 12, 31), dt.date(2024, 2, 29), dt.date(2024, 2, 3),
    ]  # fmt: skip


@needs_snapshots
def test_the_public_snapshots_are_read_whole() -> None:
    everything = load_history(SNAPSHOTS / "epoch_all_ml_systems_2025-06.csv", snapshot="2025-06")
    notable = load_history(SNAPSHOTS / "epoch_notable_ai_models_2025-02-24.csv", snapshot="2025-02")
    assert (everything.report.rows_read, len(everything.runs)) == (1892, 988)
    assert (notable.report.rows_read, len(notable.runs)) == (895, 451)
    for history in (everything, notable):
        assert {run.name for run in history.runs if run.log_cost and not run.cost_consistent} == {"LLaVA", "DiT-XL/2"}
        gpt4 = next(run for run in history.runs if run.name == "GPT-4")
        assert gpt4.log_cost == pytest.approx(math.log10(40586592.58), abs=1e-9)


@needs_snapshots
def test_the_public_hardware_table_is_read_with_and_without_its_prices() -> None:
    chips = SNAPSHOTS / "epoch_chips_2025-06.csv"
    alone = load_accelerators(chips, snapshot="2025-06")
    priced = load_accelerators(chips, snapshot="2025-06", prices=SNAPSHOTS / "epoch_hardware_prices_2025-03.csv")
    known = [sum(each.log_price is not None for each in table.accelerators) for table in (alone, priced)]
    assert len(alone.accelerators) == len(priced.accelerators) == 144
    assert known == [50, 77]


needs_snapshots_of_history_library = pytest.mark.skipif(
    not SNAPSHOTS.is_dir(), reason="the snapshots of the public databases are not beside the project"
)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def rate(history: RunHistory, since: int) -> float:
    chosen = top_at_release(history) & (history.years >= since)
    return 10 ** trend(history.years[chosen], history.log_flop[chosen]).slope


def test_the_record_at_the_start_of_the_frontier_is_older_than_it() -> None:
    """The public snapshots have 10^18.16 at the end of 2012: a run of 2007, which is of no later frontier."""
    for estimate in (SNAPSHOT, EARLIER_SNAPSHOT):
        seen = observations(shipped_runs(estimate))
        assert (seen.record_year[0], seen.run_year.min()) == (2012, pytest.approx(2012.42, abs=0.01))
        assert seen.record_log_compute[:2] == pytest.approx([18.161, 18.417], abs=0.001)


def test_the_tables_are_small_and_every_row_has_a_source() -> None:
    for name, most in (("training-runs", 81), ("accelerators", 40)):
        table = rows(shipped_file("history", name))
        assert 0 < len(table) <= most
        assert all(row["source"].endswith((")", "2025-11", "counts")) and row["name"] and row["date"] for row in table)


def test_nothing_shipped_is_dropped_when_it_is_loaded() -> None:
    assert shipped_runs().report.dropped == shipped_accelerators().report.dropped == {}
    assert list(shipped_runs("2025-06").report.dropped) == ["training compute unknown"]


def test_revisions_are_kept_beside_the_newest_estimates() -> None:
    newest, earlier = ({run.name: run for run in shipped_runs(date).runs} for date in ("2026-05", "2025-06"))
    revised = {name: round(newest[name].log_flop - run.log_flop, 2) for name, run in earlier.items()}
    assert {name: by for name, by in revised.items() if abs(by) > 0.1} == {
        "AlphaGo Zero": -2.72, "AlphaGo Master": -2.77, "AlphaZero": -2.54, "AlphaStar": 0.26, "Wu Dao 2.0": -0.82,
        "Grok 3": -0.12, "GPT-4.5": 0.26,
    }  # fmt: skip
    assert set(newest) - set(earlier) >= {"Grok 4", "Grover-Mega"}


def test_a_cost_of_an_earlier_estimate_belongs_to_that_estimate() -> None:
    zero = next(run for run in shipped_runs("2025-06").runs if run.name == "AlphaGo Zero")
    assert zero.log_cost is not None
    assert zero.cost_consistent


def test_the_rate_of_the_shipped_sample_is_close_to_that_of_the_whole_frontier() -> None:
    # The whole: 4.64x a year since 2012 [4.43, 4.86] and 5.00x since 2018 [4.61, 5.42].
    assert 4.43 < rate(shipped_runs(), 2012) < 4.86
    assert 4.61 < rate(shipped_runs(), 2018) < 5.42


def test_the_record_at_the_end_of_2025_is_grok_4() -> None:
    year, last = list(year_end_records(shipped_runs()).items())[-1]
    assert (year, last.name, round(last.log_flop, 2)) == (2025, "Grok 4", 26.70)


@needs_snapshots_of_history_library
def test_the_shipped_runs_are_those_that_the_rule_takes() -> None:
    table = rows(SNAPSHOTS / "frontier_top10_latest.csv")
    best = {n: min(int(float(row[key])) for key in ("rank_at_release", "rank_at_release_nogames") if row[key])
            for n, row in enumerate(table)}  # fmt: skip
    chosen = [row for n, row in enumerate(table) if best[n] <= (5 if row["confidence"] != "Speculative" else 1)]
    largest: dict[tuple[str, str], float] = {}
    for row in chosen:
        release = row["publication_date"], row["organization"]
        largest[release] = max(largest.get(release, 0.0), float(row["training_flop"]))
    expected = {
        row["model"].removesuffix(" (Mar 2023)") for row in chosen
        if float(row["training_flop"]) == largest[row["publication_date"], row["organization"]]
    }  # fmt: skip
    same_run = {"GPT-3.5"}  # a second row of GPT-3.5 (davinci-002)
    shown = {"Transformer", "GPT-1", "SB-LM"}  # the last is of 2007, before that table begins
    games = {"Libratus", "AlphaGo Master", "AlphaZero", "OpenAI Five Rerun"}
    assert {run.name for run in shipped_runs().runs} == (expected - same_run) | shown | games


def _since_2013(table: RunHistory) -> dict[int, TrainingRun]:
    """Give the records from 2013 on: until then it is SB-LM of 2007, and `record_yearend.csv` knows no run before 2012."""
    records = year_end_records(table)
    assert {run.name for year, run in records.items() if year < 2013} == {"SB-LM"}
    return {year: run for year, run in records.items() if year >= 2013}


@needs_snapshots_of_history_library
def test_the_shipped_records_are_those_of_the_whole_database() -> None:
    expected = {int(row["year"]): row for row in rows(SNAPSHOTS / "record_yearend.csv")}
    earlier = without(
        shipped_runs("2025-06"), names={"Wu Dao 2.0": "speculative; revised from 1.03e25 to 1.54e24 FLOP"}
    )
    for table, column in (
        (shipped_runs(), "latest"),
        (without(shipped_runs(), domains=["Games"]), "latest_nogames"),
    ):
        for year, record in _since_2013(table).items():
            assert record.log_flop == pytest.approx(float(expected[year][f"record_log10_flop_{column}"]), abs=1e-3)
    missing = {2021, 2022}  # ERNIE 3.0 Titan and GPT-3.5 of mid-2025 are not among the landmarks
    for year, record in _since_2013(earlier).items():
        if year not in missing:
            known = float(expected[year]["record_log10_flop_2025_06"])
            assert record.log_flop == pytest.approx(known, abs=1e-3)


@needs_snapshots_of_history_library
def test_ranks_without_games_are_those_of_the_whole_database() -> None:
    expected = {row["model"]: row for row in rows(SNAPSHOTS / "frontier_top10_latest.csv")}
    for run in without(shipped_runs(), domains=["Games"]).runs:
        if run.name in expected:
            assert run.stated_rank == int(float(expected[run.name]["rank_at_release_nogames"])), run.name


@needs_snapshots_of_history_library
def test_shipped_accelerators_improve_as_fast_as_was_published() -> None:
    # 0.160 OOM a year [0.133, 0.188] among accelerators since 2012 that were not made for one market.
    hardware = shipped_accelerators()
    chosen = [
        n for n, each in enumerate(hardware.accelerators) if each.date.year >= 2012 and "HGX H20" not in each.name
    ]
    line = trend(hardware.years[chosen], hardware.log_flops_per_usd[chosen])
    assert line.slope == pytest.approx(0.160, abs=0.001)
    assert line.interval_90 == pytest.approx((0.133, 0.188), abs=0.003)


def test_a_record_is_found_on_a_day() -> None:
    history = shipped_runs()
    gpt4 = next(run for run in history.runs if run.name == "GPT-4")
    assert record_on(history, gpt4.date).name == "GPT-4"


FOLDER = TESTS / "bad_history"
NAMES = sorted(file.stem for file in FOLDER.glob("*.csv"))
ASKED = {
    "ends-years-before": dt.date(2025, 6, 30),
    "dated-too-late": dt.date(2025, 6, 30),
    "two-points": dt.date(2018, 12, 31),
    "costs-all-missing": dt.date(2022, 12, 31),
    "cut-off-before-the-first": dt.date(2012, 12, 31),
}
"""Tables that can be loaded, and the date to which they cannot be used."""
JARGON = re.compile(
    r"NoneType|Traceback|Error\b|\bTrue\b|\bFalse\b|\bNone\b|<class|object at|\bdict\b|\bstr\b|datetime"
)


@pytest.fixture(autouse=True)
def _in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


def said_of(name: str) -> str:
    """What is said of a table: the refusal, or the report."""
    file = f"{name}.csv"
    try:
        history = load_table(file, snapshot="2025-06")
        if isinstance(history, RunHistory) and name in ASKED:
            observations(history, until=ASKED[name])
    except InputError as refused:
        return str(refused)
    return "\n".join(report_lines(history))


def test_each_file_has_its_text() -> None:
    assert len(NAMES) >= 25
    assert sorted(file.stem for file in FOLDER.glob("*.txt")) == NAMES
    assert set(NAMES) >= set(ASKED)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_trap_is_the_text_beside_it(name: str) -> None:
    said = said_of(name)
    assert f"{said}\n" == Path(f"{name}.txt").read_text(encoding="utf-8")
    assert JARGON.findall(said) == []


def test_a_directory_a_missing_file_and_an_address_are_told_apart() -> None:
    for path, rule in {
        ".": ".: is a directory, not a file.",
        "none.csv": "none.csv: no such file.",
        "https://epoch.ai/data/all.csv": "https://epoch.ai/data/all.csv: is an address, not a file.",
    }.items():
        with pytest.raises(InputError) as refused:
            load_history(path, snapshot="2025-06")
        assert str(refused.value).splitlines()[0] == rule


def test_an_unreadable_file_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("simulator.history.columns.read_bytes", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        load_history("rows-twice.csv", snapshot="2025-06")


@pytest.mark.parametrize("snapshot", ["", "summer 2025", "2025-13", "25-06", "2025-02-30", "0000"])
def test_a_snapshot_is_a_date(snapshot: str) -> None:
    with pytest.raises(InputError, match=r"snapshot: (must be a year or a date; got|there is no)"):
        load_history("rows-twice.csv", snapshot=snapshot)


def test_a_chart_takes_the_tables_that_are_loaded_and_the_other_way_round(tmp_path: Path) -> None:
    shipped = observed_points(shipped_file("history", "training-runs"))
    gpt = {row["quantity"]: row for row in shipped if row["label"] == "GPT-4"}
    assert gpt["physical_compute"]["value"] == pytest.approx(10**25.32, rel=0.02)
    assert gpt["spending"]["value"] == pytest.approx(10**7.57, rel=0.02)
    assert gpt["spending"]["date"] == pytest.approx(2023.2, abs=0.01)
    file = tmp_path / "points.csv"
    file.write_text("date,value,label\n2023-03-15,2.1e25,GPT-4\n")
    assert [row["value"] for row in observed_points(file)] == [2.1e25]
    assert load_history(file, snapshot="2026-05").runs[0].log_flop == pytest.approx(math.log10(2.1e25))


def test_what_a_row_says_and_is_not_read_is_doubted_and_what_it_does_not_say_is_not(tmp_path: Path) -> None:
    rows = (
        "One,2024-01-01,1e25,1e7", "Two,Mar 2024,1e25,", "Three,2024-02-01,~1e25,", "Four,2024-03-01,26.3,",
        "Five,2024-04-01,2e25,€30000000", "Six,2024-05-01,,", "Seven,2024-06-01,2e25,0.0", "Seven,2024-06-01,2e26,",
        "Eight,2024-07-01,1e25,1,5e7", "Theseus,1950-07-02,40,", "Nine,2024-08-01,1e25,", "Nine,2024-08-01,1e25,",
    )  # fmt: skip
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["Model,Publication date,training_flop,cost_usd", *rows]))
    history = load_history(file, snapshot="2026-05")
    assert [run.name for run in history.runs] == ["Theseus", "One", "Five", "Seven", "Nine"]
    assert [doubt for doubt in history.report.doubts if "base models" not in doubt] == [
        "'cost_usd' is no positive number, and unknown, in 1 of the rows, e.g. Five ('€30000000').",
        "1 row left out: more cells than the header has columns: line 10.",
        "1 row left out: no date that can be read: Two ('Mar 2024').",
        "1 row left out: training compute is no positive number: Three ('~1e25').",
        f"1 row left out: {IS_LOG}: Four ('26.3').",
        "1 row left out: another row has the name: Seven (-1.00 OOM from the first).",
    ]


def test_the_speed_of_an_accelerator_is_no_logarithm(tmp_path: Path) -> None:
    file = tmp_path / "chips.csv"
    file.write_text("Name,Release date,flops_16bit\nA,2024-01-01,1e15\nB,2024-02-01,15.3\n")
    history = load_accelerators(file, snapshot="2026-05")
    assert [chip.name for chip in history.accelerators] == ["A"]
    assert "its number looks like a log10" in history.report.doubts[-1]
