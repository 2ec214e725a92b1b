"""Rollouts that are written while one watches, by a policy or by oneself, without a browser."""
import time

import pytest
from painting import Slow, until

import rrvf_lab as rl
from rrvf_lab.talk import write_turn
from rrvf_lab.widgets.base import readable


def test_it_streams_stops_and_does_not_block(painter, red):
    watched = rl.live(Slow(), red, renderer=painter)
    started = time.monotonic()
    watched.play()
    assert time.monotonic() - started < 1 and watched.busy
    until(lambda: "word" in watched.stream.value)
    assert "&lt;think&gt;word" in watched.stream.value and not watched.stop_button.disabled
    watched.stop()
    watched.wait(20)
    assert "Stopped." in watched.status.value and watched.stream.value == ""
    assert watched.rollout.info["stopped"]


def test_it_does_one_thing_at_a_time(painter, red):
    watched = rl.live(Slow(), red, renderer=painter)
    watched.play()
    watched.play()
    assert "One thing at a time" in watched.status.value
    watched.stop()
    watched.wait(20)
    watched.play()
    assert watched.busy
    watched.stop()
    watched.wait(20)


@pytest.fixture
def chair(painter, red):
    chair = rl.sit_as_policy(red, renderer=painter)
    yield chair
    chair.stop()
    chair.wait(20)


def test_a_person_plays_a_whole_rollout(chair):
    for code in ("blue", "red", ""):
        chair.send(code)
    chair.wait(20)
    assert chair.rollout.answer == "turn 2" and chair.rollout.reward.vision == 1.0
    assert "Done. 3 turns" in chair.status.value
    chair.send("late")
    assert "This rollout is over" in chair.status.value


def test_a_person_is_told_the_score_before_the_next_turn(chair):
    chair.send("blue")
    until(lambda: "Your turn 2 of 3" in chair.status.value)
    assert f"{chair.rollout.turns[0].score:.3f}: " in chair.status.value


def test_a_person_starts_again_in_the_middle(chair):
    chair.send("blue")
    until(lambda: chair.rollout.turns)
    chair.again()
    assert chair.busy and chair.rollout.turns == ()
    chair.send("red")
    until(lambda: chair.rollout.turns)
    assert chair.rollout.turns[0].code == "red"


def test_a_person_is_judged_by_any_function_of_two_pictures(painter, red):
    chair = rl.sit_as_policy(red, 1, renderer=painter, judge=lambda target, image: 0.25)
    chair.send("blue")
    chair.wait(20)
    assert chair.rollout.turns[0].score == 0.25


@pytest.mark.parametrize("end", range(60, 110, 7))
def test_a_call_that_is_being_written_is_shown_as_lines(end):
    text = write_turn("hm", "a = 1\nb = 'ü'")
    shown = readable(text[:end])
    assert "<think>hm</think>" in shown and "\\" not in shown and (end < 90 or "a = 1\nb" in shown)
    assert readable(text) == "<think>hm</think>\na = 1\nb = 'ü'"
