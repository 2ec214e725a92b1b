"""What a program holds of a synthetic chart: each field is right, wrong or absent on its own."""
import math
from dataclasses import replace

import pytest

from rrvf_lab.nano.dialect import Chart, Look, program
from rrvf_lab.nano.fields import accuracies, fields, load_truths
from rrvf_lab.rollout import Rollout, Turn

TRUTH = {"id": "test-0000", "kind": "bar", "colours": ["red"], "values": [9, 3, 5], "x": [1, 2, 3],
         "limits": [0, 10], "title": "Speed", "xlabel": "week", "ylabel": "units", "grid": False}
CHART = Chart("bar", ("red",), ((9, 3, 5),), "Speed", "week", "units")
RIGHT = {"type": 1, "colour": 1, "value": 1, "title": 1}


@pytest.mark.parametrize("change, wrong", [
    ({}, {}),
    ({"kind": "line"}, {"type": 0}),
    ({"colours": ("blue",)}, {"colour": 0}),
    ({"title": "Heat"}, {"title": 0}),
    ({"series": ((9, 4, 5),)}, {"value": 2 / 3}),
    ({"series": ((9, 3),)}, {"value": 0}),
    ({"title": "Monthly Speed"}, {"title": 0}),
    ({"grid": "both -", "xlabel": "age", "look": Look(paper="ivory", spines="none")}, {}),
])
def test_a_wrong_field_costs_that_field_alone(change, wrong):
    assert fields(program(replace(CHART, **change)), TRUTH) == RIGHT | wrong


@pytest.mark.parametrize("code", [None, "", "plt.plot([1, 2])"])
def test_what_is_not_of_the_dialect_counts_as_wrong(code):
    assert fields(code, TRUTH) == dict.fromkeys(RIGHT, 0)


def test_a_shade_counts_as_the_name_it_stands_for():
    assert fields(program(replace(CHART, colours=("tab:red",))), TRUTH) == RIGHT
    assert fields(program(replace(CHART, colours=("darkred",))), TRUTH) == RIGHT | {"colour": 0}


def test_slices_are_measured_by_their_share_of_the_whole():
    truth = TRUTH | {"kind": "pie", "colours": ["red", "blue", "gold"], "values": [6, 2, 4], "limits": None}
    pie = Chart("pie", ("red", "blue", "gold"), ((9, 3, 6),), "Speed", ticks="A")
    assert fields(program(pie), truth) == RIGHT
    three = fields(program(replace(pie, series=((9, 3, 3),))), truth)  # 0.6, 0.2, 0.2 of 0.5, 0.17, 0.33
    assert three["value"] == 1 / 3
    assert fields(program(replace(pie, series=((9, 3),))), truth)["value"] == 0
    assert fields(program(CHART), truth)["value"] == 0  # tenths of an axis: 0.9, 0.3, 0.5


def test_values_are_measured_on_each_chart_s_own_axis():
    """On an axis that ends 5 % above the largest value; half a tenth of its length is allowed."""
    free = TRUTH | {"values": [420, 140, 230], "limits": None}  # 0 to 441: 9.52, 3.17, 5.2 tenths
    follows = replace(CHART, top="450")
    assert fields(program(follows), free)["value"] == 1                                # 9.52, 3.17, 5.3
    assert fields(program(CHART), free)["value"] == pytest.approx(2 / 3)               # 9, 3, 5
    assert fields(program(replace(follows, series=((9, 5, 3),))), free)["value"] == pytest.approx(1 / 3)
    lines = free | {"kind": "line", "values": [30, 20, 25]}  # 19.5 to 30.5, and from 0: 9.84, 6.56, 8.2
    drawn = replace(CHART, kind="line", series=((9, 6, 8),), top="30")  # 0 to 9.15: 9.84, 6.56, 8.74
    assert fields(program(drawn), lines)["value"] == pytest.approx(2 / 3)


def test_a_scatter_counts_its_points_and_a_group_its_two_rows():
    scatter = TRUTH | {"kind": "scatter", "values": [9, 3], "x": [2, 5]}
    drawn = replace(CHART, kind="scatter", series=((0, 9, 0, 0, 3, 0, 0, 0, 0),))
    assert fields(program(drawn), scatter)["value"] == 1
    grouped = TRUTH | {"kind": "grouped", "colours": ["red", "blue"], "values": [[9, 3], [5, 1]]}
    drawn = Chart("group", ("red", "blue"), ((9, 3), (5, 2)), "Speed", "week", "units")
    assert fields(program(drawn), grouped) == RIGHT | {"value": 0.75}


def test_a_legend_s_room_above_the_data_is_no_error():
    """Of which the truths say nothing: an axis that is theirs alone ends 5 % above the largest value."""
    grouped = TRUTH | {"kind": "grouped", "colours": ["red", "blue"], "values": [[420, 140], [230, 94]],
                       "limits": None}
    group = Chart("group", ("red", "blue"), ((8, 3), (4, 2)), "Speed", top="550",
                  look=Look(legend=("A", "B")))
    assert fields(program(group), grouped) == RIGHT


def test_rows_of_unequal_length_are_wrong_and_no_error():
    stacked = Chart("stacked", ("red", "blue"), ((3, 2, 4), (5, 1)), "Speed", top="450")
    truth = TRUTH | {"kind": "stacked", "colours": ["red", "blue"], "values": [[3, 2, 4], [5, 1, 1]]}
    assert fields(program(stacked), truth)["value"] < 1


def test_means_say_how_many_count():
    def rollout(id, chart):
        return Rollout(None, "matplotlib", (Turn("", program(chart), None, None),), choice=0, id=id)

    rollouts = [rollout("a", CHART), rollout("b", replace(CHART, title="Heat")), rollout("c", CHART)]
    truths = {"a": TRUTH, "b": TRUTH, "c": TRUTH | {"kind": "line"}}
    found = accuracies(rollouts, truths)
    assert found["title"] == found["type"] == pytest.approx(2 / 3) and found["n_title"] == 3
    nothing = accuracies([], truths)
    assert math.isnan(nothing["value"]) and nothing["n_value"] == 0


def test_an_unknown_split_and_a_missing_file_say_so(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="splits 'train' and 'test', not 'tset'"):
        load_truths("tset")
    monkeypatch.setattr("rrvf_lab.nano.fields.TRUTHS", tmp_path / "truth.json")
    with pytest.raises(FileNotFoundError, match="make it again with: python data/charts/make.py"):
        load_truths("test")
