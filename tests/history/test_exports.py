"""Reading tables of supply: the columns that the public exports have, units by column, and what is left out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.history.exports import export_of, load_supply, load_table, observed_points, supply_points
from simulator.history.tables import report_lines
from tests.places import SNAPSHOTS

# Made-up figures under the column names of the exports.
SALES = """Name,Chip manufacturer,Start date,End date,Compute estimate in H100e (median),H100e (5th percentile),H100e (95th percentile),Power in MW (median),Chip type,Incomplete
Q1 A,Maker A,2023-01-01,2023-03-31,100,80,125,0.1,A1,
Q1 A2,Maker A,2023-01-01,2023-03-31,300,240,375,0.2,A2,
Q2 A,Maker A,2023-04-01,2023-06-30,1000,800,1250,0.7,A1,
Q2 B,Maker B,2023-04-01,2023-06-30,1000,800,1250,,B1,
Q3 A,Maker A,2023-07-01,2023-09-30,5000,4000,6000,,A1,True
"""
STOCK = """Name,Chip manufacturer,Start date,End date,H100e compute power (median),H100e compute power (5th percentile),H100e compute power (95th percentile)
A total,Maker A,2022-01-01,2023-03-31,400,320,500
A total,Maker A,2022-01-01,2023-06-30,1400,1120,1750
B total,Maker B,2022-06-01,2023-06-30,600,480,750
B total,Maker B,2022-06-01,2023-07-31,700,560,875
A total,Maker A,2022-01-01,2023-09-30,2400,1920,3000
"""
OWNERS = """Owner,Chip manufacturer,Start date,End date,Compute estimate in H100e (median),Number of Units,Total TDP (W)
Owner X,Maker A,2022-01-01,2023-12-31,"1,000",1500,1.0e6
Owner Y,Maker A,2022-01-01,2023-12-31,3000,4500,3.0e6
"""
CLUSTERS = """Name,Status,Certainty,Single cluster?,Max OP/s (log),H100 equivalents,Chip type (primary),Country,Owner,First Operational Date,Power Capacity (MW),Hardware Cost,Possible Duplicate
First,Existing,Confirmed,Yes,18.3,1000,A1,Nowhere,Owner X,2023-05-01,1.5,"$30,000,000",
Smaller,Existing,Likely,Yes,18.0,500,A1,Nowhere,Owner Y,2023-08,0.7,,
Second,Existing,Likely,Yes,19.3,10000,A2,Elsewhere,Owner Y,2024-02-15,15,,
Same again,Existing,Likely,Yes,19.3,20000,A2,Elsewhere,Owner Y,2024-03-15,15,,True
To come,Planned,Unlikely,Yes,20.3,100000,A2,Elsewhere,Owner Y,2024-06-01,150,,
"""
CENTRES = """Data center,Date,Construction status,Buildings operational,IT power (MW),Power (MW),H100 equivalents,Capital cost (2025 USD billions)
Site P,2024-09-01,one hall,1,10,12,9000,0.4
Site Q,2025-01-01,two halls,2,30,36,30000,1.5
Site P,2025-06-01,five halls,5,60,70,65000,2.5
Site Q,2027-01-01,all halls,9,900,1000,900000,40
"""
PRICES = """Price source,Price date,Hardware model,Manufacturer,Vendor,Price per chip-hour (on-demand),Price (hardware purchase)
made up,2023-03-01,Chip A1,Maker A,Shop,4.00,"$30,000.00"
made up,2024-03-01,Chip A1,Maker A,Shop,2.00,
"""
COMPANIES = """Company,Period type,Date,Confidence,Total compute spend,R&D compute spend,Inference compute spend,Exclude from graph view
Lab One,Year,2024-12-31,Likely,7000000000,5000000000,2000000000,
Lab One,Quarter,2025-03-31,Likely,3000000000,,,
Lab One,Year,2025-12-31,Likely,16000000000,,,True
"""
TABLES = {
    "chip sales or owners": SALES, "GPU clusters": CLUSTERS, "data centres": CENTRES, "hardware prices": PRICES,
    "companies": COMPANIES,
}  # fmt: skip


def table(folder: Path, text: str) -> Path:
    file = folder / "table.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_known_by_its_columns(tmp_path, kind):
    file = table(tmp_path, TABLES[kind])
    assert export_of(file).what == kind
    found = load_table(file, snapshot="2026-05")
    assert found.kind == kind
    assert any(line.endswith(f"of {kind}:") for line in report_lines(found))


def test_the_figures_of_quarters_are_flows_at_their_middle_and_what_is_not_complete_is_left_out(tmp_path):
    history = load_supply(table(tmp_path, SALES), snapshot="2026-05")
    first, second = supply_points(history, "h100e")
    assert first.unit == "chip/s"
    assert 10**first.log_value * 90 * 86_400 == pytest.approx(400)
    assert 10**second.log_value * 91 * 86_400 == pytest.approx(2000)
    assert first.year == pytest.approx(2023 + 45 / 365, abs=1e-6)
    assert first.spread == pytest.approx(math.log10(1.25 / 0.8) / (2 * 1.644854), rel=1e-5)
    assert history.report.dropped == {"its quarter is not complete": ("Q3 A",)}
    assert {row.unit for row in history.rows if row.measure == "power"} == {"W"}
    assert max(row.log_value for row in history.rows if row.measure == "power") == pytest.approx(math.log10(0.7e6))


def test_a_stock_is_what_each_said_last_where_half_of_it_has_spoken(tmp_path):
    points = supply_points(load_supply(table(tmp_path, STOCK), snapshot="2026-05"))
    assert [round(10**point.log_value) for point in points] == [400, 2000, 3100]  # July has B alone
    assert [point.year for point in points] == pytest.approx([2023 + 90 / 365, 2023 + 181 / 365, 2023 + 273 / 365])
    assert {point.unit for point in points} == {"chip"}


def test_owners_add_up_and_one_of_them_can_be_asked_for(tmp_path):
    history = load_supply(table(tmp_path, OWNERS), snapshot="2026-05")
    assert [10**each.log_value for each in supply_points(history)] == pytest.approx([4000])
    assert [10**each.log_value for each in supply_points(history, "units", of="owner y")] == pytest.approx([4500])
    assert [10**each.log_value for each in supply_points(history, "tdp")] == pytest.approx([4e6])
    with pytest.raises(InputError, match=r"table\.csv: has nothing of 'Owner Z'\.(?s:.*)Did you mean 'Owner"):
        supply_points(history, of="Owner Z")
    with pytest.raises(InputError, match=r"has no measure 'powr'; it has h100e, units, tdp\."):
        supply_points(history, "powr")


def test_the_largest_cluster_and_site_so_far_are_of_what_runs_by_the_snapshot(tmp_path):
    clusters = load_supply(table(tmp_path, CLUSTERS), snapshot="2026-05")
    assert [(each.label, 10**each.log_value) for each in supply_points(clusters)] == [
        ("First", pytest.approx(1000)), ("Second", pytest.approx(10_000)),
    ]  # fmt: skip
    assert clusters.report.dropped == {
        "it is planned, or was cancelled": ("To come",),
        "it may be there twice": ("Same again",),
    }
    assert [10**each.log_value for each in supply_points(clusters, "cost")] == pytest.approx([3e7])
    sites = load_supply(table(tmp_path, CENTRES), snapshot="2026-05")
    assert [(each.label, 10**each.log_value) for each in supply_points(sites, "power")] == [
        ("Site P", pytest.approx(12e6)), ("Site Q", pytest.approx(36e6)), ("Site P", pytest.approx(70e6)),
    ]  # fmt: skip
    assert [10**each.log_value for each in supply_points(sites, "cost", of="Site Q")] == pytest.approx([1.5e9])
    assert sites.report.dropped == {"of a day after the snapshot: a plan": ("Site Q",)}


def test_prices_and_companies_are_told_one_by_one(tmp_path):
    prices = load_supply(table(tmp_path, PRICES), snapshot="2026-05")
    assert [10**each.log_value for each in supply_points(prices, "purchase")] == pytest.approx([30_000])
    assert [10**each.log_value * 3600 for each in supply_points(prices, "hour")] == pytest.approx([4, 2])
    companies = load_supply(table(tmp_path, COMPANIES), snapshot="2026-05")
    assert [10**each.log_value for each in supply_points(companies, "compute", of="Lab One")] == pytest.approx([7e9])
    assert set(companies.report.dropped) == {"it is of less than a year", "the export leaves it out of its own charts"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Company,Money\nLab One,3\n",
            r"table\.csv:1: is no table of supply: (?s:.*)hardware prices \('Hardware model'",
        ),
        (
            CLUSTERS.replace("1000,A1", "many,A1").split("Smaller")[0],
            r"none of its 1 rows (?s:.*)Left out: no figure that is a positive number: 1, e.g. First \('many'\)",
        ),
        (PRICES.split("made up", 1)[0], "has a header and no rows"),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_and_rule(tmp_path, text, said):
    if "many" in text:
        text = text.replace("1.5", "").replace('"$30,000,000"', "")
    with pytest.raises(InputError, match=said):
        load_supply(table(tmp_path, text), snapshot="2026-05")


def test_a_chart_takes_them_by_unit_and_no_plans(tmp_path):
    points = observed_points(table(tmp_path, STOCK))
    assert [(row["unit"], round(row["value"])) for row in points] == [("chip", 400), ("chip", 2000), ("chip", 3100)]
    with pytest.raises(InputError, match="whose later rows are plans"):
        observed_points(table(tmp_path, CENTRES))


PUBLIC = SNAPSHOTS / "epoch_hardware_prices_2025-03.csv"


@pytest.mark.skipif(not PUBLIC.is_file(), reason="the snapshots of the public databases are not beside the project")
def test_the_public_export_of_prices_is_read_whole():
    history = load_supply(PUBLIC, snapshot="2025-03")
    assert history.report.rows_read == 591
    assert sum(map(len, history.report.dropped.values())) == 1
    prices = [10**each.log_value for each in supply_points(history, "purchase", of="NVIDIA")]
    assert len(prices) > 50
    assert 10 < min(prices) < max(prices) < 1e6
    hours = [10**each.log_value * 3600 for each in supply_points(history, "hour", of="NVIDIA H100 SXM5 80GB")]
    assert 1 < min(hours) < max(hours) < 20


def test_rows_of_one_maker_and_date_are_added_up_and_each_quarter_has_its_own_length(tmp_path):
    file = tmp_path / "chips.csv"
    header = "Name,Chip manufacturer,Start date,End date,H100e (median)\n"

    def points(*rows: str):
        file.write_text(header + "\n".join(rows), encoding="utf-8")
        return supply_points(load_supply(file, snapshot="2026"))

    (stock,) = points("One,A,,2024-12-31,100", "Two,A,,2024-12-31,50")
    assert 10**stock.log_value == pytest.approx(150)
    (flow,) = points("One,A,2024-01-01,2024-03-31,91", "Two,B,2024-03-01,2024-03-31,31")
    assert 10**flow.log_value * 86_400 == pytest.approx(2)  # one a day each
    assert flow.unit == "chip/s"
    with pytest.raises(InputError, match="'Two' of 2024-03-31 has no start date beside rows of quarters"):
        points("One,A,2024-01-01,2024-03-31,91", "Two,B,,2024-03-31,31")
    with pytest.raises(InputError, match="its start is after its end: 1"):
        points("One,A,2024-04-01,2024-03-31,91")


def test_two_figures_of_one_thing_and_day_that_differ_are_told_and_not_added_up(tmp_path):
    file = tmp_path / "chips.csv"
    head = "Name,Chip manufacturer,End date,H100e compute power (median)"
    file.write_text(f"{head}\nA,A,2024-12-31,100\nB,B,2024-12-31,50\nA,A,2024-12-31,200\nB,B,2024-12-31,50")
    history = load_supply(file, snapshot="2026")
    assert history.report.doubts == ("'A' has two figures (h100e) of 2024-12-31, +0.30 OOM apart: the last counts.",)
    (point,) = supply_points(history)
    assert point.log_value == pytest.approx(np.log10(250))
