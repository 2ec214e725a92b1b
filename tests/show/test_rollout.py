"""A rollout on view: no more than what the record holds, and nothing that says the contrary of it."""
import math
from dataclasses import replace

import pytest
from hostile import RED, Tags, rollout, turn
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.reward import Reward
from rrvf_lab.rollout import Turn
from rrvf_lab.show.rollout import (
    beside_html,
    no_picture,
    rendering_html,
    reward_html,
    rollout_html,
    strip_html,
    turn_html,
    turn_title,
    verdict_html,
)

FAILED = turn("NameError: x", score=0.0, image=None)
ANSWER = Turn("Looks right.", None, None, None, "<answer>turn 1</answer>", "answer")


def words(page):
    return " ".join(" ".join(Tags(page).words).split())


def test_a_rollout_shows_its_turns_in_order_and_marks_the_final_one():
    page = words(rollout_html(rollout(turn("one"), turn("two", "a = 2", 0.7))))
    parts = "target", "turn 1: 0.500 (final)", "one", "turn 2: 0.700", "two", "reward"
    places = [page.index(part) for part in parts]
    assert places == sorted(places) and page.count("(final)") == 1


def test_a_turn_that_failed_has_its_error_and_one_that_answered_has_none():
    page = words(rollout_html(rollout(FAILED, ANSWER)))
    assert page.count("no picture") == 1 and "run: NameError: x" in page and "turn 1: failed" in page
    assert "<answer>turn 1</answer>" in page and "turn 2: answer" in page


def test_an_answer_is_shown_in_words_without_its_tags():
    page = words(strip_html(rollout(turn(), ANSWER)))
    assert "answers: turn 1" in page and "<" not in page


def test_the_strip_frames_the_current_turn_and_says_so():
    page = strip_html(rollout(turn(), turn()), 2)
    assert page.count("outline:3px") == 1 and words(page).endswith("turn 2: 0.500 , shown")


def test_a_turn_shows_its_code_against_the_draft_before():
    it = rollout(turn(code="a = 1"), ANSWER, turn(code="a = 2"))
    assert "<del" not in turn_html(it, 1) and "<ins" in turn_html(it, 3)
    assert "what it wrote" in turn_html(it, 2)


def test_a_turn_names_how_its_pictures_are_superposed():
    alts = [a["alt"] for tag, a in Tags(turn_html(rollout(turn()), 1, "wipe", 30)).found if tag == "img"]
    assert alts[2].startswith("wipe of target and turn 1: left of the line the target")


def test_a_turn_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"turn=3: this rollout has turns 1 to 1"):
        turn_html(rollout(turn()), 3)


def test_unscored_is_not_zero_and_a_penalty_is_no_bonus():
    page = reward_html(Reward(math.nan, -0.5, 1.0, math.nan, ("a", "b", "c")))
    assert page.count("unscored") >= 2 and "-0.500" in page and "nan" not in page
    assert "unscored" in strip_html(rollout(turn(score=math.nan)))


def test_a_verdicts_parts_and_reason_are_shown_and_its_look_opens_with_the_score():
    verdict = Verdict(0.25, "Too low.", {"colour": 0.5}, "Weakest part: colour.")
    assert words(verdict_html(verdict)) == "Weakest part: colour. part likeness colour 0.500"
    assert words(verdict._repr_html_()).startswith("0.250 Too low. why Weakest part")


def test_a_rendering_has_its_own_size_and_says_what_was_printed_and_flagged():
    drawn = Rendering(Image.new("RGB", (640, 480)), None, 0.1234, printed="hello", flags=("reads /proc",))
    page = rendering_html(drawn)
    assert "width:640px" in page and 'alt="picture drawn by a matplotlib program, 640 by 480 pixels"' in page
    assert "123 ms, flagged: reads /proc" in page and "printed" in page and "hello" in page
    assert "boom" in rendering_html(Rendering(error="boom"))
    assert "printed" not in rendering_html(Rendering(RED))


def test_a_branch_stands_under_its_original_with_what_the_change_did():
    was = rollout(turn(score=0.5))
    made = replace(rollout(turn(score=0.75)), info={"branch": {"turn": 1, "changed": ["code"]}})
    page = words(beside_html(was, made, 1))
    assert "original reward 0.600" in page and "branch code changed at turn 1, reward 0.850 (+0.250)" in page
    assert "branch before" in beside_html(made, made)
    assert "written again after turn ?" in beside_html(was, was)


def test_titles_and_reasons_are_words_of_the_record():
    it = rollout(turn(), FAILED, ANSWER)
    titles = [turn_title(it, i) for i in range(3)]
    assert titles == ["turn 1: 0.500 (final)", "turn 2: failed", "turn 3: answer"]
    assert no_picture(it) == "" and no_picture(replace(it, choice=1)) == "run: NameError: x"
    assert no_picture(replace(it, choice=None)) == "no code"
    assert no_picture(rollout()) == "nothing was written"
