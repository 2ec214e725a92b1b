"""What a program holds of a synthetic chart: each field is right, wrong or absent on its own."""
import math
from dataclasses import replace

import pytest

from rrvf_lab.nano.dialect import Chart, program
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
    ({"grid": True, "xlabel": "age"}, {}),
])
def test_a_wrong_field_costs_that_field_alone(change, wrong):
    assert fields(program(replace(CHART, **change)), TRUTH) == RIGHT | wrong


@pytest.mark.parametrize("code", [None, "", "plt.plot([1, 2])"])
def test_what_is_not_of_the_dialect_counts_as_wrong(code):
    assert fields(code, TRUTH) == dict.fromkeys(RIGHT, 0)


def test_fields_that_the_dialect_lacks_are_nan():
    found = fields(program(CHART), TRUTH | {"kind": "pie", "title": "Monthly Speed"})
    assert all(map(math.isnan, found.values()))


def test_values_are_measured_on_the_charts_own_axis():
    """On an axis that ends 5 % above the largest value; half a tenth of its length is allowed."""
    free = TRUTH | {"values": [420, 140, 230], "limits": None}  # 0 to 441: 9.52, 3.17, 5.2 tenths
    assert fields(program(CHART), free)["value"] == pytest.approx(2 / 3)
    assert fields(program(replace(CHART, series=((10, 3, 5),))), free)["value"] == 1
    lines = free | {"kind": "line", "values": [30, 20, 25]}  # 19.5 to 30.5: 9.54, 0.45, 5 tenths
    for series, right in ((9, 1, 5), 1 / 3), ((10, 1, 5), 2 / 3), ((10, 6, 8), 1 / 3):
        drawn = program(replace(CHART, kind="line", series=(series,)))
        assert fields(drawn, lines)["value"] == pytest.approx(right)


def test_a_scatter_counts_its_points_and_a_group_its_two_rows():
    scatter = TRUTH | {"kind": "scatter", "values": [9, 3], "x": [2, 5]}
    drawn = replace(CHART, kind="scatter", series=((0, 9, 0, 0, 3, 0, 0, 0, 0),))
    assert fields(program(drawn), scatter)["value"] == 1
    grouped = TRUTH | {"kind": "grouped", "colours": ["red", "blue"], "values": [[9, 3], [5, 1]]}
    drawn = Chart("group", ("red", "blue"), ((9, 3), (5, 2)), "Speed", "week", "units")
    assert fields(program(drawn), grouped) == RIGHT | {"value": 0.75}


def test_means_leave_out_what_is_absent_and_say_how_many_count():
    def rollout(id, chart):
        return Rollout(None, "matplotlib", (Turn("", program(chart), None, None),), choice=0, id=id)

    rollouts = [rollout("a", CHART), rollout("b", replace(CHART, title="Heat")), rollout("c", CHART)]
    truths = {"a": TRUTH, "b": TRUTH, "c": TRUTH | {"kind": "pie", "title": "Monthly Speed"}}
    found = accuracies(rollouts, truths)
    assert (found["title"], found["n_title"], found["type"], found["n_type"]) == (0.5, 2, 1, 2)
    nothing = accuracies(rollouts[2:], truths)
    assert math.isnan(nothing["value"]) and nothing["n_value"] == 0


def test_an_unknown_split_and_a_missing_file_say_so(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="splits 'train' and 'test', not 'tset'"):
        load_truths("tset")
    monkeypatch.setattr("rrvf_lab.nano.fields.TRUTHS", tmp_path / "truth.json")
    with pytest.raises(FileNotFoundError, match="make it again with: python data/charts/make.py"):
        load_truths("test")
