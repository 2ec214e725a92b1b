"""Scoring renders oneself, without a browser."""
import math
from dataclasses import replace

import pytest

import rrvf_lab as rl


def test_the_score_is_hidden_until_one_gave_ones_own(played):
    chair = rl.sit_as_judge([played])
    scores = [turn.score for turn in played.drafts]
    assert len(chair.pairs) == 2 and f"{scores[0]:.3f}" not in chair.pictures.value + chair.answer.value
    chair.score.value = 0.25
    chair.reveal()
    assert f"{scores[0]:.3f}" in chair.answer.value
    chair.next()
    assert chair.at == 1 and chair.answer.value == "" and f"{scores[1]:.3f}" not in chair.pictures.value


def test_a_pair_is_scored_once(played):
    chair = rl.sit_as_judge(played)
    chair.score.value = 0.25
    chair.reveal()
    chair.reveal()
    assert chair.mine == [0.25] and chair.theirs == [played.turns[0].score]


def test_after_two_pairs_the_order_is_compared_too(played):
    chair = rl.sit_as_judge(played)
    chair.reveal()
    assert "tau" not in chair.answer.value
    chair.next()
    chair.score.value = 0.1
    chair.reveal()
    assert "tau" in chair.answer.value and chair.goes_on.disabled


def test_unscored_renders_are_not_put_before_a_judge(played):
    unscored = replace(played.turns[0], verdict=rl.Verdict(math.nan, ""))
    with pytest.raises(ValueError, match="no scored renders"):
        rl.sit_as_judge(replace(played, turns=(unscored,), choice=0))
