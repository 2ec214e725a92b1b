"""Scores and rewards beside those they came from."""
import math

from rrvf_lab.judge import Verdict
from rrvf_lab.reward import Reward
from rrvf_lab.show.deltas import change, earned_html, parts_html


def test_a_change_is_signed_and_an_unknown_one_is_no_number():
    assert [change(0.5, 0.25), change(0.2, 0.2), change(math.nan, 1.0)] == ["+0.250", "=", ""]


def test_parts_stand_weakest_first_with_their_change():
    page = parts_html(Verdict(0.5, "", {"b": 0.9, "a": 0.2}), Verdict(0.4, "", {"a": 0.3}), "turn 1")
    assert page.index(">a<") < page.index(">b<") and "-0.10" in page and "since turn 1" in page
    assert "nan" not in page and "change" not in parts_html(Verdict(0.5, "", {"b": 0.9}))


def test_a_reward_says_by_how_much_it_changed():
    was, now = Reward(0.2, 0.0, 1.0, 0.3, ("v", "f", "t")), Reward(0.5, -0.5, 1.0, 0.55, ("v", "f", "t"))
    page = earned_html(now, was, "the original")
    assert "(+0.250 since the original)" in page and "-0.500" in page
    assert "since" not in earned_html(now) and "nan" not in earned_html(Reward(math.nan, 0, 0, math.nan), was)
