"""Figures hold the numbers they are given, also where some are missing, and leave nothing open."""
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from evaluations import ALL_BETTER, SET
from hostile import Tags

from rrvf_lab.records import Report
from rrvf_lab.show.plots import contributions, estimates, explore, learning_curve, raster, scores, show

REPORT = Report(SET)


def test_the_curve_of_a_log_that_lacks_values_is_drawn_where_they_are():
    log = [{"step": 1, "reward/vision": 0.1}, {"step": 2}, {"step": 3, "reward/vision": 0.3}]
    left, _, right = learning_curve(log).axes
    assert list(left.lines[0].get_xdata()) == [1, 2, 3] and math.isnan(left.lines[0].get_ydata()[1])
    assert not right.axison  # nothing was evaluated


def test_held_out_scores_stand_beside_the_curve():
    before, after = {"vision": 0.2, "se": 0.01}, {"vision": 0.4, "se": 0.01, "n": 9}
    right = learning_curve([{"step": 1}], before, after).axes[2]
    assert [bar.get_height() for bar in right.patches] == [0.2, 0.4]
    assert right.get_title() == "Held out, n = 9"


def test_scores_are_counted_and_followed_turn_by_turn():
    left, right = scores(REPORT).axes
    assert sum(bar.get_height() for bar in left.patches) == 7 and list(right.get_xticks()) == [1, 2]


def test_lines_of_two_policies_have_both_n():
    one = pd.DataFrame({"value": [0.5], "low": [math.nan], "high": [math.nan], "n": [1]}, index=["bar"])
    two = pd.DataFrame({"value": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7], "n": [3, 4]},
                       index=["bar", "pie"])
    labels = [label.get_text() for label in estimates({"a": one, "b": two}).axes[0].get_yticklabels()]
    assert labels == ["bar  (n = 1 / 3)", "pie  (n = 4)"]
    assert "after turn 1" in estimates(REPORT.per("turn")).axes[0].get_yticklabels()[0].get_text()


def test_contributions_end_with_the_effect_they_add_up_to():
    found = REPORT.compare(ALL_BETTER)
    widths = [bar.get_width() for bar in contributions(found).axes[0].patches]
    assert widths[-1] == pytest.approx(found.effect) == pytest.approx(sum(widths[:-1]))


def test_a_scatter_has_every_image_once():
    found = REPORT.compare(ALL_BETTER)
    assert sorted(id for group in explore(found).data for id in group.text) == sorted(r.id for r in SET)


def test_a_shown_figure_is_a_picture_with_its_text():
    figure = scores(REPORT)
    shown = Tags(show(figure, "a <figure>", 300)._repr_html_()).found
    assert [(tag, a["alt"]) for tag, a in shown] == [("img", "a <figure>")]
    assert "width:300px" in shown[0][1]["style"]
    assert np.ptp(np.asarray(raster(figure))) > 0


def test_no_figure_stays_open():
    before = plt.get_fignums()
    learning_curve([{"step": 1}])
    scores(REPORT)
    assert plt.get_fignums() == before
