"""Aggregation, checked against rollouts whose scores are known."""
import math

import pytest
from PIL import Image

from rrvf_lab.evaluate import Report, compare, paired, summarise
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.reward import Reward
from rrvf_lab.rollout import Rollout, Turn

IMAGE = Image.new("RGB", (8, 6))


def rollout(id, *scores, choice=None, codes=None):
    """Turns with these scores; None is a crash."""
    turns = tuple(Turn("", (codes or "abcdef")[i], Rendering(IMAGE if s is not None else None, None if s is not None else "E"),
                       Verdict(s or 0.0, "", {}, ""), "", "render", None if s is not None else "run: E") for i, s in enumerate(scores))
    choice = len(turns) - 1 if choice is None else choice
    return Rollout(IMAGE, "matplotlib", turns, None, choice, Reward(scores[choice] or 0.0, 0, 0, 0), id)


SET = [rollout("repaired", None, 0.6), rollout("broken", 0.4, None), rollout("better", 0.3, 0.5), rollout("worse", 0.5, 0.2),
       rollout("copied", 0.7, 0.7, codes="aa"), rollout("kept", 0.8, 0.1, choice=0), rollout("still", None, None)]


def test_failures_count_zero_and_are_split_from_quality():
    s = summarise(SET)
    assert s["n"] == 7 and s["exec"] == pytest.approx(5 / 7) and s["vision"] == pytest.approx((0.6 + 0.5 + 0.2 + 0.7 + 0.8) / 7)
    assert s["vision_executed"] == pytest.approx(2.8 / 5) and s["vision_turn_1"] == pytest.approx((0.4 + 0.3 + 0.5 + 0.7 + 0.8) / 7)


def test_later_turns_are_split():
    split = summarise(SET)["second_turn"]
    assert {k: split[k] for k in ("repaired", "broken", "better", "worse", "copied", "kept", "still_broken")} == dict.fromkeys(
        ("repaired", "broken", "better", "worse", "copied", "kept", "still_broken"), 1)
    assert split["n_ran"] == 5 and split["gain_ran"] == pytest.approx((-0.4 + 0.2 - 0.3) / 5)


def test_unscored_is_counted_and_left_out():
    s = summarise([rollout("a", 0.4), rollout("b", math.nan)])
    assert s["unscored"] == 1 and s["vision"] == pytest.approx(0.4)


def test_the_gain_is_paired_by_image():
    before = [rollout("a", 0.1), rollout("b", 0.5), rollout("c", 0.9)]
    after = [rollout("c", 0.9), rollout("a", 0.3), rollout("b", 0.8)]
    result = paired(before, after)
    assert result["gain"] == pytest.approx(0.5 / 3) and result["gain_n"] == 3
    assert result["gain_se"] == pytest.approx(0.152753 / math.sqrt(3), abs=1e-4)


def test_two_reports_compare():
    one, two = (Report(r, summarise(r)) for r in ([rollout("a", 0.1)], [rollout("a", 0.3)]))
    assert compare(one, two)["gain"] == pytest.approx(0.2) and compare(one, two)["before"]["vision"] == pytest.approx(0.1)


def test_a_report_shows_itself_and_plots():
    report = Report(SET, summarise(SET))
    assert "n=7" in repr(report) and report._repr_html_().count("<img") == report._repr_html_().count(' alt="')
    assert list(report.table()["exec"]) == [1, 0, 1, 1, 1, 1, 0] and report.plot().axes
