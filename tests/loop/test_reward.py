"""The reward's three terms, each by hand."""
import math

import pytest
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.reward import RewardWeights, reward
from rrvf_lab.rollout import Rollout, Turn


def turn(score, action="render", error=None):
    image = None if error else Image.new("RGB", (4, 4))
    return Turn("t", "code", Rendering(image, error), Verdict(score, "", {}, "because"), "", action, error)


def total(*turns, **weights):
    return reward(Rollout(None, "matplotlib", turns, None, len(turns) - 1), RewardWeights(**weights))


def test_the_sum_is_the_weighted_sum():
    r = total(turn(0.5), turn(0.8, "answer"), vision=2, format=3, tool=4)
    assert (r.vision, r.format, r.tool, r.total) == (0.8, 0.0, 1.0, pytest.approx(2 * 0.8 + 4))


def test_a_failed_or_malformed_turn_costs_its_share():
    assert total(turn(0, error="run: x"), turn(0.8, "answer")).format == -0.5


def test_the_final_turn_decides_not_the_best():
    assert total(turn(0.9), turn(0.2, "answer")).vision == 0.2


def test_tool_calls_are_paid_up_to_the_cap():
    assert total(turn(0.1), turn(0.1), turn(0.1, "answer"), cap=4).tool == 0.5
    assert total(turn(0.1), turn(0.1), cap=1).tool == 1.0
    assert total(turn(0, error="run: x"), turn(0.1, "answer")).tool == 0.0


def test_from_the_threshold_on_stopping_early_costs_nothing():
    assert total(turn(0.95, "answer")).tool == 1.0 and total(turn(0.94, "answer")).tool == 0.0


def test_unscored_is_not_zero():
    r = total(turn(math.nan, "answer"))
    assert math.isnan(r.total) and not r.scored


def test_no_code_gets_no_vision():
    assert (
        reward(Rollout(None, "matplotlib", (Turn("", None, None, None, "hm", None, "parse: x"),))).total
        == -0.1
    )


def test_every_term_says_why():
    assert [text.split()[0] for text in total(turn(0.5)).reasons] == ["vision", "format", "tool"]
    assert "because" in total(turn(0.5)).reasons[0]
