"""The algebra of units, growth in every unit against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.units import (
    DIMENSIONLESS,
    SECONDS_PER_YEAR,
    Conversion,
    Unit,
    UnitError,
    logarithm,
    multiple,
    parse_growth_unit,
    parse_unit,
)

UNITS = st.sampled_from(
    [
        "FLOP",
        "USD",
        "FLOP/USD",
        "GW",
        "kWh",
        "J",
        "chip/year",
        "FLOP/token^2",
        "%",
        "1",
        "Tbyte",
        "s",
        "day",
        "FLOP/s/W",
    ]
)
GROWTH_UNITS = [
    "factor/year", "factor/2 years", "factor/month", "factor/10 years", "factor/18 months", "OOM/year", "%/year",
    "months/doubling", "years/doubling", "months/halving", "years/halving",
]  # fmt: skip


def growth(value: float, unit: str) -> float:
    """The factor per year that a growth in some unit means."""
    return float(10 ** parse_growth_unit(unit).conversion.forward(np.array(value)))


def close(first: Unit, second: Unit) -> bool:
    return first.dimension == second.dimension and math.isclose(first.scale, second.scale, rel_tol=1e-12)


@given(UNITS, UNITS, UNITS)
def test_units_multiply_as_numbers_do(a: str, b: str, c: str) -> None:
    first, second, third = parse_unit(a), parse_unit(b), parse_unit(c)
    assert close(first * second, second * first)
    assert close((first * second) * third, first * (second * third))
    assert close(first * DIMENSIONLESS, first)
    assert close(first * second / second, first)
    assert close(first / first, DIMENSIONLESS)
    assert close(first / (second / third), first * third / second)


@given(UNITS)
def test_the_name_of_a_unit_reads_back_as_its_dimension(text: str) -> None:
    unit = parse_unit(text)
    assert parse_unit(str(unit)) == Unit(unit.dimension)


def test_units_that_mean_the_same_are_the_same() -> None:
    assert parse_unit("W") == parse_unit("J/s")
    assert parse_unit("FLOP/s/W") == parse_unit("FLOP/J")
    assert parse_unit("kWh").scale == 3.6e6
    assert parse_unit("GW") * parse_unit("year") == Unit((("J", 1),), 1e9 * SECONDS_PER_YEAR)
    assert parse_unit("byte").scale == 8
    assert parse_unit("tokens") == parse_unit("token")
    assert parse_unit("chip year") == parse_unit("chip*year")
    assert math.isclose(parse_unit("12 month".removeprefix("12 ")).scale * 12, parse_unit("year").scale)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"), ("dollars", "'dollars' is not a unit"), ("FLOP/USDD", "'USDD'"), ("token^x", "not a whole number"),
        ("XW", "'XW'"), ("flop", "'flop'"),
        ("FLOP^", "not a whole number"), ("FLOP/s^", "not a whole number"), ("FLOP^1e999", "not a whole number"),
        ("FLOP^1.5", "not a whole number"), ("FLOP^-", "not a whole number"), ("FLOP^2^2", "not a whole number"),
        ("FLOP^\u00b2", "not a whole number"), ("^2", "'' is not a unit"), ("FLOP^12", "from -9 to 9"),
        ("FLOP/", "lacks a unit"), ("FLOP//USD", "lacks a unit"), ("/", "lacks a unit"),
        ("FLOP**", "lacks a unit"), ("FLOP**2", "lacks a unit"), ("FLOP *", "lacks a unit"), ("* FLOP", "lacks a unit"),
        ("EFLOP^9 EUSD^9", "too large or too small"), ("FLOP/EFLOP^9/EUSD^9", "too large or too small"),
    ],
)  # fmt: skip
def test_a_word_that_is_no_unit_is_refused(text: str, words: str) -> None:
    with pytest.raises(UnitError, match=words):
        parse_unit(text)


@pytest.mark.parametrize(
    ("meant", "proposed"),
    [("dollars", "USD"), ("FLOPS", "FLOP/s"), ("flop", "FLOP"), ("GPU", "chip"), ("tokn", "token"), ("TB", "Tbyte")],
)
def test_a_word_that_is_no_unit_gets_the_unit_that_was_meant(meant: str, proposed: str) -> None:
    with pytest.raises(UnitError) as refused:
        parse_unit(meant)
    assert refused.value.remedy == f"Did you mean '{proposed}'?"
    parse_unit(proposed)


@pytest.mark.parametrize("text", ["EUR", "million EUR/month", "GBP/chip"])
def test_money_in_another_currency_is_to_be_converted(text: str) -> None:
    with pytest.raises(UnitError) as refused:
        parse_unit(text)
    assert refused.value.remedy == "Amounts of money are in USD: convert it, and say so in notes."


def test_halving_in_8_months_is_a_factor_of_2_83_a_year() -> None:
    assert growth(8, "months/halving of requirement") == pytest.approx(2 ** (12 / 8), rel=1e-14)
    assert growth(8, "months/halving of requirement") == pytest.approx(2.83, abs=0.005)


def test_halving_in_5_to_14_months_is_5_28_to_1_81_a_year() -> None:
    assert growth(5, "months/halving of requirement") == pytest.approx(5.28, abs=0.005)
    assert growth(14, "months/halving of requirement") == pytest.approx(1.81, abs=0.005)


def test_halving_in_2_to_22_months_is_64_to_1_46_a_year() -> None:
    assert growth(2, "months/halving of requirement") == pytest.approx(64, rel=1e-14)
    assert growth(22, "months/halving of requirement") == pytest.approx(1.46, abs=0.005)


def test_doubling_in_3_4_months_is_300_000_times_after_61_9_months() -> None:
    months = math.log(300_000) / math.log(growth(3.4, "months/doubling")) * 12
    assert months == pytest.approx(3.4 * math.log2(300_000), rel=1e-14)
    assert months == pytest.approx(61.9, abs=0.05)


@pytest.mark.parametrize(
    ("value", "unit", "factor"),
    [
        (2.4, "factor/year", 2.4), (3, "factor/2 years", 3**0.5), (1.1, "factor/month", 1.1**12), (0.3, "OOM/year", 10**0.3),
        (140, "%/year", 2.4), (-30, "%/year", 0.7), (0, "%/year", 1), (2, "years/doubling", 2**0.5),
        (24, "months/doubling", 2**0.5), (2, "years/halving", 2**-0.5), (2, "years/halving of requirement", 2**0.5), (0.7, "ln/year", math.exp(0.7)), (30, "percent/year", 1.3), (3, "x/yr", 3), (3, "times per year", 3), (-2, "OOM/year", 0.01), (5, "factor/18 months", 5 ** (2 / 3)),
    ],
)  # fmt: skip
def test_growth_in_each_unit_is_the_factor_it_says(value: float, unit: str, factor: float) -> None:
    assert growth(value, unit) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "factor/month/year", "USD", "", "factor/0 years", "doubling", "OOM", "1/year", "months", "percent", "factor/1.2.3 years",
        "factor/. years", "factor/.. months", "factor/1e3 years", "factor/-2 years", f"factor/{'9' * 400} years",
        f"factor/0.{'0' * 400}1 years",
    ],
)  # fmt: skip
def test_what_is_no_unit_of_growth_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="is not a unit of growth"):
        parse_growth_unit(text)


@pytest.mark.parametrize("text", ["%/month", "percent/quarter", "OOM/decade", "x/week", "% per day"])
def test_growth_of_another_span_is_not_said_to_be_that_of_a_year(text: str) -> None:
    with pytest.raises(UnitError) as refused:
        parse_growth_unit(text)
    assert "is not that of a year" in refused.value.remedy
    assert growth(1.1, "x/quarter") == pytest.approx(1.1**4)


def _conversions() -> list[tuple[str, Conversion]]:
    rates = [(unit, parse_growth_unit(unit).conversion) for unit in GROWTH_UNITS]
    return [*rates, ("log", logarithm(1e9)), ("multiple", multiple(3.0))]


@pytest.mark.parametrize(("name", "conversion"), _conversions())
def test_a_conversion_is_undone_by_its_inverse(name: str, conversion: Conversion) -> None:
    x = np.array([0.5, 1.5, 2.0, 7.0, 40.0])
    assert np.allclose(conversion.inverse(conversion.forward(x)), x, rtol=1e-12), name


@pytest.mark.parametrize(("name", "conversion"), _conversions())
def test_the_slope_of_a_conversion_is_that_of_its_inverse(name: str, conversion: Conversion) -> None:
    y = np.array([0.05, 0.2, 0.45, 1.3])
    step = 1e-6
    slope = (conversion.inverse(y + step) - conversion.inverse(y - step)) / (2 * step)
    assert np.allclose(conversion.log_slope(y), np.log(np.abs(slope)), atol=1e-7), name
    assert bool((slope < 0).all()) == conversion.falling


@given(st.floats(min_value=0.1, max_value=100))
def test_a_doubling_time_in_months_and_years_says_the_same(months: float) -> None:
    assert growth(months, "months/doubling") == pytest.approx(growth(months / 12, "years/doubling"), rel=1e-12)
    assert growth(months, "months/doubling") == pytest.approx(
        growth(months, "months/halving of requirement"), rel=1e-12
    )


@pytest.mark.parametrize(
    ("text", "a_year"),
    [("per year", 1), ("/year", 1), ("per decade", 0.1), ("/quarter", 4), ("per week", SECONDS_PER_YEAR / 604_800)],
)
def test_how_often_is_read_as_people_write_it(text: str, a_year: float) -> None:
    assert close(parse_unit(text), parse_unit("1/year") * Unit((), a_year))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("% p.a.", "%/year"), ("percent per annum", "%/year"), ("% yearly", "%/year"), ("% each year", "%/year"),
        ("fold per year", "factor/year"), ("x annually", "factor/year"), ("x every 2 years", "factor/2 years"),
    ],
)  # fmt: skip
def test_growth_is_read_as_people_write_it(text: str, means: str) -> None:
    assert parse_growth_unit(text) is parse_growth_unit(means)
