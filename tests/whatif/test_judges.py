"""Judges compared on the same rollouts: order, signs and intervals follow from the scores, NaN left out."""
import math
from dataclasses import replace

import numpy as np
import pytest
from recorded import rollout, turn

import rrvf_lab as rl
from rrvf_lab.whatif.judges import spearman

GROUPS = [rollout(turn(score), group=group, id=f"image-{group}")
          for group in range(3) for score in (0.2, 0.4, 0.6, 0.8)]


def by_score(change):
    """A judge that says `change` of the recorded score, which the red pictures do not show."""
    scores = iter([change(r.turns[0].score) for r in GROUPS])
    return lambda target, image: next(scores)


def compared(change, **options):
    return rl.compare_judges(GROUPS, {"recorded": None, "other": by_score(change)}, **options)


def test_a_judge_that_squares_scores_changes_no_order_and_no_rank():
    found = compared(lambda score: score**2).pair("recorded", "other")
    assert (found["rank"], found["order"], found["tied"]) == (1.0, 0.0, 0.0)
    assert found["order n"] == 3 * 6 and found["rank n"] == 12


def test_a_judge_turned_round_turns_all_of_it():
    found = compared(lambda score: 1 - score)
    row = found.pair("recorded", "other")
    assert (row["rank"], row["order"], row["sign"]) == (-1.0, 1.0, 1.0)
    assert set(found.flips("recorded", "other")[:6]) == {0, 3, 4, 7, 8, 11}  # the largest change first


def test_equal_scores_of_one_judge_are_ties_and_no_flips():
    row = compared(lambda score: 0.5).pair("recorded", "other")
    assert math.isnan(row["rank"]) and math.isnan(row["order"]) and row["tied"] == 1.0 and row["sign"] == 0.0


def test_an_unscored_rollout_counts_nowhere():
    found = compared(lambda score: math.nan if score == 0.8 else score)
    row, table = found.pair("recorded", "other"), found.table()
    assert row["rank n"] == 9 and row["order n"] == 3 * 3 and row["sign n"] == 9
    assert table.loc["other", "unscored"] == 3 and table.loc["other", "mean"] == pytest.approx(0.4)


def test_a_crash_scores_0_of_every_judge_and_has_no_part_in_the_rank():
    found = rl.compare_judges([*GROUPS[:4], rollout(turn(None), id="image-0")],
                              {"recorded": None, "other": lambda target, image: 0.5})
    assert found.pair("recorded", "other")["rank n"] == 4 and found.vision["other"][-1] == 0.0


def test_intervals_are_over_images():
    found = rl.compare_judges([replace(one, id="only one") for one in GROUPS],
                              {"recorded": None, "other": by_score(lambda score: score)})
    row = found.pair("recorded", "other")
    assert math.isnan(row["rank low"]) and row["rank"] == 1.0


def test_each_step_is_a_batch_of_its_own():
    far = [rollout(turn(score), step=step, group=0, id=f"s{step}") for step, some in
           ((1, (0.1, 0.2)), (2, (0.2, 0.9))) for score in some]
    found = rl.compare_judges(far, {"recorded": None, "half": lambda target, image: 0.5}, scale="batch")
    assert np.abs(found.advantages["recorded"]) == pytest.approx([2**-0.5] * 4, abs=2e-3)


def test_a_rollout_comes_with_one_judges_numbers():
    found = compared(lambda score: 1 - score)
    assert found.rollout("other", 0).reward.vision == pytest.approx(0.8)
    with pytest.raises(ValueError, match="no judge 'third' was compared; compared were recorded, other"):
        found.rollout("third", 0)


def test_one_judge_is_too_few():
    with pytest.raises(ValueError, match="1 judge to compare"):
        rl.compare_judges(GROUPS, {"recorded": None})


def test_ranks_of_ties_are_shared():
    assert spearman(np.array([1, 2, 2, 3]), np.array([1, 2, 2, 3])) == pytest.approx(1.0)
    assert math.isnan(spearman(np.array([1.0, 2.0]), np.array([1.0, 2.0])))
