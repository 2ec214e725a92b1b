"""The contact sheet orders by advantage, says when there is nothing to learn, and runs nothing."""
import math
from dataclasses import replace

import pytest
from hostile import rollout, turn

from rrvf_lab.records import load_rollouts
from rrvf_lab.reward import RewardWeights
from rrvf_lab.show.groups import recorded, sheet


def drafts(score, calls=1):
    """A rollout of `calls` tool calls and an answer, each with this score."""
    answer = replace(turn(score=score), action="answer")
    made = replace(rollout(*[turn(score=score)] * calls, answer), choice=calls, reward=None)
    return replace(made, reward=sheet([made], RewardWeights()).rewards[0])


def test_a_recorded_step_holds_the_advantages_of_its_rewards():
    rollouts = load_rollouts("data/rollouts/group")
    made = sheet(rollouts)
    stored = [r.info["advantage"] for r in rollouts]  # with five digits
    assert len(rollouts) == 16 and made.advantages == pytest.approx(stored, abs=6e-6)
    assert recorded(rollouts).order(0) == made.order(0)


def test_new_weights_reorder_from_the_stored_parts():
    rollouts = [drafts(0.5, calls=0), drafts(0.45, calls=1)]
    assert sheet(rollouts).order("x") == [1, 0]  # 0.5 against 0.45 + 0.1
    changed = sheet(rollouts, RewardWeights(tool=0.0))
    assert changed.order("x") == [0, 1] and changed.recorded_order("x") == [1, 0]
    assert "was #2" in changed._repr_html_() and "was #" not in sheet(rollouts)._repr_html_()


def test_the_table_has_a_row_for_each_shown_rollout_in_order():
    batch = [replace(drafts(score), info={"group": k // 2}) for k, score in enumerate((0.1, 0.9, 0.5, 0.2))]
    table = sheet(batch, shown=1).table()
    assert list(table["rollout"]) == [2, 3] and list(table["place"]) == [1, 2] and set(table["group"]) == {1}
    assert list(sheet(batch).table()["rollout"]) == [1, 0, 2, 3]


def test_a_group_without_spread_is_flagged():
    assert "Zero spread" in sheet([drafts(0.5), drafts(0.5)])._repr_html_()
    assert "Zero spread" not in sheet([drafts(0.5), drafts(0.4)])._repr_html_()


def test_an_unscored_rollout_is_named_and_stands_last():
    made = sheet([drafts(math.nan), drafts(0.5), drafts(0.4)])
    page = made._repr_html_()
    assert made.order("x") == [1, 2, 0] and "1 unscored" in page and "nan" not in page
    assert "Fewer than two rewards" in sheet([drafts(0.5), drafts(math.nan)])._repr_html_()


def test_bars_of_advantages_point_away_from_the_middle():
    page = sheet([drafts(0.9), drafts(0.1)])._repr_html_()
    assert page.index("#4682b4") < page.index("#d9822b")  # the better one is first, its bar to the right


def test_rollouts_of_several_steps_share_no_baseline():
    two = [replace(drafts(0.5), info={"step": step}) for step in (1, 2)]
    with pytest.raises(ValueError, match=r"rollouts of 2 steps.*where\(step=1\)"):
        sheet(two)


def test_what_cannot_be_shown_is_named():
    with pytest.raises(ValueError, match="no rollouts to show"):
        sheet([])
    with pytest.raises(ValueError, match="rollout 0 has no reward; give weights="):
        sheet([replace(drafts(0.5), reward=None)])
    with pytest.raises(ValueError, match="no advantages recorded"):
        recorded([drafts(0.5)])
