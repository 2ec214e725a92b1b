"""Judged again: other verdicts and rewards of the same turns; nothing is rendered where pictures are."""
import math
import warnings
from dataclasses import replace

import pytest

import rrvf_lab as rl
from rrvf_lab.judge import JudgeStopped, Verdict
from rrvf_lab.records import Recorder
from rrvf_lab.render import Rendering
from rrvf_lab.reward import RewardWeights
from rrvf_lab.whatif import other_judge
from rrvf_lab.whatif.recorded import weights_of


def half(target, image):
    return 0.5


def test_verdicts_and_rewards_are_the_other_judges(played):
    made = rl.rejudge([played], half)[0]
    assert [turn.score for turn in made.drafts] == [0.5, 0.5] and made.reward.vision == 0.5
    assert "half gave 0.500" in made.reward.reasons[0] and made.info["judge"] == "half"
    assert [turn.code for turn in made.turns] == [turn.code for turn in played.turns]


def test_the_judge_it_was_played_with_gives_the_same_rollout(played):
    made = rl.rejudge([played], rl.PixelJudge())[0]
    assert made.reward == played.reward and made.turns == played.turns


def test_an_advantage_of_other_rewards_is_dropped(played):
    old = replace(played, info={"step": 3, "advantage": 1.0})
    assert rl.rejudge([old], half)[0].info == {"step": 3, "judge": "half"}


def test_a_judge_that_fails_leaves_nan_and_never_zero(played):
    def broken(target, image):
        raise RuntimeError("down")

    made = rl.rejudge([played], broken)[0]
    assert math.isnan(made.reward.total) and "down" in made.drafts[0].verdict.reason


def test_a_judge_that_stops_stops_it(played):
    def stopped(target, image):
        raise JudgeStopped("enough")

    with pytest.raises(JudgeStopped, match="enough"):
        rl.rejudge([played], stopped)


def test_a_failed_program_stays_failed_and_is_not_rendered_again(painter, red):
    crashed = rl.play(rl.Recording(["<think>a</think>\n<answer>no colour</answer>"]), red, renderer=painter)
    painter.drawn.clear()
    made = rl.rejudge([crashed], half, renderer=painter)[0]
    assert made.reward.vision == 0.0 and painter.drawn == [] and made.turns[0].error.startswith("run: ")


def test_a_missing_picture_is_rendered_again_and_said(played, painter, tmp_path):
    Recorder(tmp_path).write("one", [played])
    stored = rl.load_rollouts(tmp_path)
    (tmp_path / "images" / f"{stored.rows[0]['turns'][0]['rendering']['image']}.png").unlink()
    with pytest.warns(UserWarning, match="1 pictures were missing and were rendered again"):
        made = rl.rejudge(stored, rl.PixelJudge(), renderer=painter)
    assert painter.drawn == ["salmon"] and made.rendered == [0] and made[0].turns[0].ran
    assert made[0].reward == played.reward


def test_nothing_is_warned_of_where_all_is_there(played):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rl.rejudge([played], half)


def test_a_missing_target_is_named(played, tmp_path):
    Recorder(tmp_path).write("one", [played])
    stored = rl.load_rollouts(tmp_path)
    (tmp_path / "images" / f"{stored.rows[0]['target']}.png").unlink()
    with pytest.raises(FileNotFoundError, match="the target of rollout 0"):
        rl.rejudge(stored, half)


def test_the_weights_are_those_of_the_recording_unless_given(red, painter):
    weights = RewardWeights(vision=2.0, format=0.3, tool=0.0, cap=2)
    made = rl.play(rl.Recording(["<think>a</think>\n<answer>red</answer>"]), red, renderer=painter,
                   weights=weights)
    assert weights_of([made]) == weights
    assert rl.rejudge([made], half)[0].reward.total == pytest.approx(1.0)
    assert rl.rejudge([made], half, RewardWeights())[0].reward.total == pytest.approx(0.5)


def test_a_judge_with_concurrency_keeps_the_order(played):
    class Many:
        concurrency = 3

        def __call__(self, target, image, error=None) -> Verdict:
            return Verdict(image.getpixel((20, 20))[0] / 255, "")

    blue = replace(played, choice=1)
    salmon = replace(played, choice=0)
    made = rl.rejudge([blue, salmon] * 4, Many())
    assert [one.vision for one in made.rewards] == [0.0, 250 / 255] * 4


def test_what_is_no_judge_is_refused(played):
    with pytest.raises(TypeError, match="a judge is called with"):
        rl.rejudge([played], 3)


@pytest.mark.parametrize(("judge", "said"), [(None, ""), (rl.PixelJudge(), ""), (half, "half gives 0.500")])
def test_another_judge_than_the_records_is_noticed(played, judge, said):
    found = other_judge(played, judge)
    assert said in found and bool(found) == bool(said)


def test_a_rollout_that_drew_nothing_tells_no_judges_apart(played):
    nothing = tuple(replace(turn, rendering=Rendering(None, "E"), verdict=None) for turn in played.turns)
    assert other_judge(replace(played, turns=nothing), half) == ""
