"""The dialect: every chart survives being read and written, and nothing else is taken for one."""
import numpy as np
import pytest
from makers import maker

from rrvf_lab.judge.shades import COLOUR_NAMES
from rrvf_lab.nano.dialect import (
    COLOUR_WORDS,
    KIND_WORDS,
    Chart,
    parse_program,
    parse_reading,
    program,
    reading,
)

sample = maker("nano/lessons").sample


def test_fields_survive_reading_and_program():
    rng = np.random.default_rng(5)
    charts = [sample(rng) for _ in range(300)]
    assert {chart.kind for chart in charts} == set(KIND_WORDS)
    for chart in charts:
        assert parse_reading(reading(chart)) == chart
        assert parse_program(program(chart)) == chart


def test_the_reading_begins_with_the_title():
    chart = Chart("bar", ("red",), ((9, 3, 5),), "Speed", "week", "units", True)
    assert reading(chart) == "Speed; week; units; bar; red: 9, 3, 5; grid"


@pytest.mark.parametrize("text", ["", "Speed", "Speed; week; units; bar; red: nine",
                                  "Speed; week; units; bar: 9, 3"])
def test_a_malformed_reading_is_no_chart(text):
    assert parse_reading(text) is None


@pytest.mark.parametrize("code", ["", "plt.bar([1, 2], [3, 4])", "ax.bar(list('AB'), [1, 2])",
                                  "ax.bar(list('AB'), values, color='red')"])
def test_a_program_of_another_language_is_no_chart(code):
    assert parse_program(code) is None


def test_an_unknown_kind_is_refused_by_name():
    pie = Chart("pie", ("red",), ((9, 3, 5),), "Speed", "week", "units")
    with pytest.raises(ValueError, match="unknown kind 'pie'; known: bar, barh, line, scatter, area, hist"):
        program(pie)


def test_the_names_of_colours_are_the_judge_s():
    assert set(COLOUR_WORDS) <= set(COLOUR_NAMES)
