"""What rollouts add up to, checked against rollouts whose scores are known by hand, and intervals that cover.
"""
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.records import Report, interval
from rrvf_lab.render import Rendering
from rrvf_lab.reward import Reward
from rrvf_lab.rollout import Rollout, Turn

IMAGE = Image.new("RGB", (8, 6))


def rollout(id, *scores, choice=None, codes=None):
    """Turns with these scores; None is a crash."""
    turns = tuple(
        Turn(
            "",
            (codes or "abcdef")[i],
            Rendering(IMAGE if s is not None else None, None if s is not None else "E"),
            Verdict(s or 0.0, "", {}, ""),
            "",
            "render",
            None if s is not None else "run: E",
        )
        for i, s in enumerate(scores)
    )
    choice = len(turns) - 1 if choice is None else choice
    return Rollout(IMAGE, "matplotlib", turns, None, choice, Reward(scores[choice] or 0.0, 0, 0, 0), id)


SET = [
    rollout("repaired", None, 0.6),
    rollout("broken", 0.4, None),
    rollout("better", 0.3, 0.5),
    rollout("worse", 0.5, 0.2),
    rollout("copied", 0.7, 0.7, codes="aa"),
    rollout("kept", 0.8, 0.1, choice=0),
    rollout("still", None, None),
]


def test_failures_count_zero_and_are_split_from_quality():
    s = Report(SET).summary
    assert (
        s["n"] == 7
        and s["exec"] == pytest.approx(5 / 7)
        and s["vision"] == pytest.approx((0.6 + 0.5 + 0.2 + 0.7 + 0.8) / 7)
    )
    assert s["vision_executed"] == pytest.approx(2.8 / 5) and s["vision_turn_1"] == pytest.approx(
        (0.4 + 0.3 + 0.5 + 0.7 + 0.8) / 7
    )


def test_later_turns_are_split():
    split = Report(SET).summary["second_turn"]
    assert {
        k: split[k] for k in ("repaired", "broken", "better", "worse", "copied", "kept", "still_broken")
    } == dict.fromkeys(("repaired", "broken", "better", "worse", "copied", "kept", "still_broken"), 1)
    assert split["n_ran"] == 5 and split["gain_ran"] == pytest.approx((-0.4 + 0.2 - 0.3) / 5)


def test_a_policy_that_babbles_after_its_first_draft_is_seen_though_its_score_is_not_lower():
    babble = Turn("", None, None, None, "<think>", None, "parse: <think> is never closed")
    good = rollout("a", 0.5)
    made = [replace(good, turns=(*good.turns, babble)), replace(good, id="b", answer="turn 1")]
    report = Report(made)
    assert (
        report.summary["vision"] == 0.5
        and report.summary["answered"] == 0.5
        and report.summary["malformed"] == 0.25
    )
    assert list(report.per("turn")["malformed"]) == [0, 1] and list(report.per("turn")["wrote"]) == [2, 0]
    assert report.numbers().loc["ended with an answer", "value"] == 0.5


def test_unscored_is_counted_and_left_out():
    report = Report([rollout("a", 0.4), rollout("b", math.nan), rollout("c", 0.2)])
    assert report.summary["unscored"] == 1 and report.summary["vision"] == pytest.approx(0.3)
    assert report.numbers().loc["vision score", "n"] == 2 and report.numbers().loc["execution rate", "n"] == 3


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        low, high = interval(rng.beta(0.5, 1.0, 60))        # as scores are: many near 0; mean 1/3
        hits += low <= 1 / 3 <= high
    assert 0.90 <= hits / 200 <= 0.99


def test_intervals_are_the_same_every_time_and_need_two_values():
    assert interval([0.1, 0.5, 0.9, math.nan]) == interval([0.1, 0.5, 0.9])
    assert interval([0.5, 0.5]) == (0.5, 0.5) and all(map(math.isnan, interval([0.5])))


def test_forty_successes_of_forty_are_not_certain():
    row = Report([rollout(f"r{k}", 0.5) for k in range(40)]).numbers().loc["execution rate"]
    assert row["value"] == 1 and 0.90 < row["low"] < 0.93 and row["high"] == 1  # Wilson: 1 / (1 + 3.84 / 40)


def test_scores_by_kind_turn_and_part():
    made = [replace(r, info={"kind": "bar" if i < 3 else "pie"}) for i, r in enumerate(SET)]
    made[0] = replace(
        made[0], turns=(made[0].turns[0], replace(made[0].turns[1], verdict=Verdict(0.6, "", {"ink": 0.25})))
    )
    report = Report(made)
    kinds, turns, parts = report.per("kind"), report.per("turn"), report.per("part")
    assert kinds.loc["bar", "value"] == pytest.approx(1.1 / 3) and list(kinds["n"]) == [3, 4]
    assert (
        turns.loc[2, "change"] == pytest.approx(turns.loc[2, "value"] - turns.loc[1, "value"])
        and turns.loc[2, "wrote"] == 7
    )
    assert parts.loc["ink", "value"] == 0.25 and parts.loc["ink", "n"] == 1
    with pytest.raises(ValueError, match="no kind"):
        Report(SET).per("kind")


def test_the_gain_is_paired_by_image():
    before = [rollout("a", 0.1), rollout("b", 0.5), rollout("c", 0.9)]
    after = [rollout("c", 0.9), rollout("a", 0.3), rollout("b", 0.8)]
    found = Report(before).compare(Report(after))
    assert found.effect == pytest.approx(0.5 / 3) and found.n == 3
    assert found.se == pytest.approx(0.152753 / math.sqrt(3), abs=1e-4)
    assert 0 <= found.low < found.high < 0.301


def test_two_reports_compare():
    one, two = Report([rollout("a", 0.1)]), Report([rollout("a", 0.3), rollout("b", 0.3)])
    assert one.compare(two).effect == pytest.approx(0.2) and one.compare(two).unpaired == 1
    with pytest.raises(ValueError, match="share no image id"):
        one.compare(Report([rollout("z", 0.3)]))


def test_repaired_crashes_and_quality_sum_up_to_the_effect():
    before = [
        rollout("a", None),
        rollout("b", 0.5),
        rollout("c", 0.4),
        rollout("d", None),
        rollout("e", math.nan),
    ]
    after = [rollout("a", 0.6), rollout("b", 0.7), rollout("c", None), rollout("d", None), rollout("e", 0.9)]
    found = Report(before).compare(Report(after))
    split = found.split()
    assert found.n == 4 and split["contribution"].sum() == pytest.approx(found.effect) == pytest.approx(0.1)
    assert list(split["contribution"]) == pytest.approx([0.15, 0.05, -0.1, 0]) and list(split["n"]) == [
        1,
        1,
        1,
        1,
    ]


def test_exports_carry_every_number_with_n(tmp_path):
    import pandas as pd

    made = [replace(r, id="<b>&" if r.id == "broken" else r.id) for r in SET]
    report = Report(made)
    frame = pd.read_csv(report.to_csv(tmp_path / "scores.csv"))
    assert list(frame["vision"]) == [r.reward.vision for r in made]
    assert (
        "| execution rate | 71.4% |" in report.to_markdown()
        and report.to_markdown().count("\n") == len(report.numbers()) + 2
    )
    assert r"71.4\%" in report.to_latex() and r"\toprule" in report.to_latex()
