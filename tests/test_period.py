"""Priors of the period: nothing in them was known later than their file says, and the forecast is theirs alone."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.describe import library_lines
from simulator.errors import InputError
from simulator.history_columns import last_day
from simulator.library import library_prior, load_library
from simulator.period import forecast_period, period_growth
from simulator.shipped import shipped_names
from tests.test_hindcast import OBSERVED, RECORD

FILES = [name for name in shipped_names("priors") if name.startswith("period/")]
ENTRIES = [f"{file}/{key}" for file in FILES for key in load_library(file).data["priors"]]


def test_there_are_libraries_of_2018_2020_and_2022():
    assert FILES == ["period/2018", "period/2020", "period/2022"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_was_known_in_its_year_and_says_where_it_comes_from(entry):
    prior = library_prior(entry)
    assert last_day(prior.as_of, entry="as_of").year <= int(entry.split("/")[1])
    assert prior.source
    assert prior.confidence
    assert prior.notes
    assert entry.split("-")[-1] in ("compute", "hardware", "spending", "algorithms", "cap")


@pytest.mark.parametrize(
    ("origin", "file"), [(2018, "2018"), (2019, "2018"), (2021, "2018"), (2022, "2022"), (2030, "2022")]
)
def test_the_newest_priors_that_were_known_are_taken(origin, file):
    assert {reference.split("/")[1] for reference in period_growth(origin).references} == {file}


def test_before_the_first_of_them_an_origin_is_refused():
    with pytest.raises(InputError, match=r"origin 2017: no prior .* the first is of 2018"):
        period_growth(2017)


def test_the_forecast_starts_from_the_record_and_doubles_every_3_4_months():
    made = forecast_period(OBSERVED, origin=2019, last_year=2021, size=4000, seed=0)
    assert made.years == (2020, 2021)
    rate = 12 / 3.4 * np.log10(2)
    for ahead, samples in zip((1, 2), made.samples, strict=True):
        assert np.median(samples) == pytest.approx(RECORD[7] + ahead * rate, abs=4 * 0.2 * 1.25 / np.sqrt(4000))
        assert samples.std() == pytest.approx(0.2, rel=0.05)


def test_several_priors_are_mixed_in_equal_parts():
    growth = period_growth(2022)
    medians = [float(prior.family.ppf(np.array([0.5]))[0]) for prior in growth.priors]
    made = forecast_period(OBSERVED, origin=2022, last_year=2032, size=4000, seed=0)
    rates = (made.samples[-1] - made.samples[0]) / 9
    assert np.mean(np.isclose(rates, min(medians))) == pytest.approx(0.5, abs=0.04)


def test_a_folder_of_libraries_and_an_entry_below_it_are_shown():
    assert sum(line.startswith("period/") for line in library_lines("period")) == 3
    assert next(library_lines("period/2018/openai-compute")) == "period/2018/openai-compute"
