"""Judges to click: a point opens its rollout, under the judge of choice; and a branch says who judged it."""
from types import SimpleNamespace

import pytest
from recorded import rollout, turn

import rrvf_lab as rl


def half(target, image):
    return 0.5


@pytest.fixture
def view():
    group = [rollout(turn(score), group=0, id=f"image-{score}") for score in (0.2, 0.8)]
    scores = iter((0.9, 0.1))
    return rl.inspect_judges(rl.compare_judges(
        group, {"recorded": None, "other": lambda target, image: next(scores)}))


def test_the_rollouts_pushed_apart_stand_first_and_one_is_open(view):
    assert [label.endswith("other way") for label, _ in view.rollout.options] == [True, True]
    assert view.inspector.shown.id == "image-0.2" and "recorded" in view.said.value


def test_a_clicked_point_opens_its_rollout(view):
    trace = SimpleNamespace(customdata=[1])
    view._hit(trace, SimpleNamespace(point_inds=[0]), None)
    assert view.rollout.value == 1 and view.inspector.shown.id == "image-0.8"


def test_the_numbers_are_those_of_the_chosen_judge(view):
    view.judge.value = "other"
    assert view.inspector.shown.reward.vision == 0.9


def test_other_judges_make_another_scatter(view):
    view.first.value, view.second.value = "other", "other"
    assert not any(label.endswith("other way") for label, _ in view.rollout.options)


def branched(rollout, painter, **environment):
    seen = rl.inspect(rollout, renderer=painter, **environment)
    seen.editor.code.value = "red"
    seen.rejudge()
    seen.wait(20)
    return seen


def test_a_branch_of_another_judge_says_so(played, painter):
    seen = branched(played, painter, judge=half)
    assert "half gives 0.500" in seen.note.value
    seen.which.value = 0
    assert seen.note.value == ""


def test_a_branch_of_the_same_judge_says_nothing(played, painter):
    assert branched(played, painter).note.value == ""


def test_a_rollout_judged_again_branches_without_a_word(played, painter):
    assert branched(rl.rejudge([played], half)[0], painter, judge=half).note.value == ""
