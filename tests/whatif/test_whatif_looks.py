"""What might have been, in a cell: numbers, pictures and coloured tokens; nothing from elsewhere alive."""
from dataclasses import replace

import numpy as np
import pytest
from recorded import EVIL, rollout, turn

import rrvf_lab as rl
from rrvf_lab.show.whatif import judge_scatter
from rrvf_lab.whatif.tokens import TokenLogprobs

GROUP = [rollout(turn(score), group=0, id=EVIL) for score in (0.2, 0.4, 0.6, 0.8)]


@pytest.fixture(scope="module")
def judges():
    scores = iter((0.8, 0.6, 0.4, 0.2))
    return rl.compare_judges(GROUP, {"recorded": None, EVIL: lambda target, image: next(scores)})


def test_judges_show_their_numbers_and_the_rollouts_they_push_apart(judges):
    page = judges._repr_html_()
    assert "100.0%" in page and "-1.000" in page and "4 of 4 rollouts" in page
    assert page.count("data:image/png") == 8 and "<script" not in page


def test_the_scatter_has_every_scored_rollout_once_with_its_position(judges):
    figure = judge_scatter(judges)
    assert sorted(i for trace in figure.data for i in trace.customdata) == [0, 1, 2, 3]
    assert "<script" not in str(figure.layout) + str([trace.text for trace in figure.data])


def test_rejudged_rollouts_show_both_means():
    page = rl.rejudge(GROUP, lambda target, image: 0.25)._repr_html_()
    assert "0.500" in page and "0.250" in page and "4 rollouts judged again" in page


def test_a_changed_step_shows_formulas_rollouts_and_notes():
    page = rl.what_if([replace(one, info={"group": 0}) for one in GROUP], scale="none")._repr_html_()
    assert r"\operatorname{std}" in page and "reward, both" in page and "No advantages were recorded" in page
    assert "<script" not in page and page.count("<tr>") >= 4


def test_tokens_are_coloured_and_underlined_by_their_change():
    found = TokenLogprobs(["up", EVIL, "same"], np.array([0, 0, 1]), np.array([-0.5, -2.0, -1.0]),
                          np.array([-1.0, -1.0, -1.0]))
    page = found._repr_html_()
    assert "underline solid" in page and "underline dotted" in page and page.count("<pre") == 2
    assert "+0.500" in page and "<script" not in page


def test_without_a_change_the_less_expected_is_the_more_orange():
    found = TokenLogprobs(["a", "b"], np.zeros(2, int), np.array([0.0, -3.0]))
    assert "0.00)" in found._repr_html_() and "0.60)" in found._repr_html_()
