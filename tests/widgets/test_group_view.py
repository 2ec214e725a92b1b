"""The weighing of a group, without a browser: one recorded training step of two groups of eight."""
from dataclasses import replace

import pytest

import rrvf_lab as rl


@pytest.fixture
def rollouts():
    return list(rl.load_rollouts("data/rollouts/group"))


def test_a_moved_weight_reorders_the_group_and_says_so(rollouts):
    view = rl.inspect_group(rollouts)
    before = view.sheet.order(0)
    assert "the recorded order" in view.note.value
    view.format.value = 1.0
    assert view.sheet.order(0) != before and "6 of 8 rollouts stand elsewhere" in view.note.value
    assert view.page.value.count("was #3") == 1


def test_equal_rewards_are_flagged(rollouts):
    view = rl.inspect_group(rollouts)
    assert "zero spread" not in view.note.value
    for weight in (view.vision, view.format, view.tool):
        weight.value = 0.0
    assert "zero spread in 2 of 2 groups" in view.note.value and "Zero spread" in view.page.value


@pytest.mark.parametrize("control, value", [("group", 1), ("scale", "none"), ("baseline", "leave-one-out")])
def test_another_group_scale_or_baseline_shows_other_advantages(rollouts, control, value):
    view = rl.inspect_group(rollouts)
    before = view.page.value
    getattr(view, control).value = value
    assert view.page.value != before


def test_the_groups_are_named_by_their_image_as_plain_text(rollouts):
    view = rl.inspect_group([replace(r, id="a\u202e<b>") for r in rollouts[:8]])
    assert view.group.options[0][0] == "1 of 1: a‹U+202E›<b>"
