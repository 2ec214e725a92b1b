"""The raw charts can be said in the embedded model's language: all they show, and most of how they look."""
import numpy as np
import pytest
from makers import maker

from rrvf_lab.nano.dialect import COLOUR_WORDS, basic, parse_program, program

labels = maker("charts/labels")
said, tenths = labels.said, labels.tenths


@pytest.fixture(scope="module")
def specs():
    return [labels.charts.spec("test", i) for i in range(160)]


def test_every_raw_chart_is_said_in_the_language(specs):
    for spec in specs:
        chart = said(spec)
        assert parse_program(program(chart)) == chart
        assert chart.title == spec["title"] and bool(chart.grid) == spec["grid"]
        assert chart.look.aspect == spec["aspect"] and chart.look.font == spec["font"]
        assert sum(map(bool, sum(chart.series, ()))) == np.size(spec["values"])


def test_every_paint_of_the_raw_charts_is_said_by_its_basic_name(specs):
    for spec in specs:
        assert tuple(map(basic, said(spec).colours)) == tuple(spec["colours"])
        assert [labels.nearest_word(paint, COLOUR_WORDS) for paint in spec["paint"]] == spec["colours"]


def test_a_scatter_loses_no_point_where_two_share_a_place():
    spec = {"kind": "scatter", "values": [10, 20, 30, 40], "x": [5, 97, 98, 99], "limits": None,
            "legend": None}
    row, = tenths(spec)
    assert [i for i, value in enumerate(row) if value is not None] == [0, 6, 7, 8]
    assert [round(value, 1) for value in row if value is not None] == [0.5, 3.5, 6.5, 9.5]


def test_a_legend_has_room_above_free_data():
    spec = {"kind": "grouped", "values": [[50, 100], [20, 80]], "limits": None, "legend": ["A", "B"]}
    assert np.allclose(tenths(spec), np.divide([[50, 100], [20, 80]], 12.6))
    spec |= {"legend": None}
    assert np.allclose(tenths(spec), np.divide([[50, 100], [20, 80]], 10.5))


@pytest.mark.slow
def test_what_is_said_of_the_raw_charts_scores_well():
    found = list(labels.labelled("test", 160))
    assert all(one.ran for one in found)
    assert np.mean([one.reward.vision for one in found]) >= 0.85
