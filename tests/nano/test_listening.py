"""The controls of listening: replies blind to one half, another chart's sentences, obedience counted."""
from dataclasses import replace

import numpy as np
import pytest
from makers import maker
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.judge import Verdict
from rrvf_lab.nano.dialect import Chart, program
from rrvf_lab.nano.fields import load_truths, shown
from rrvf_lab.render.rendering import Rendering
from rrvf_lab.rollout import Rollout, Turn
from rrvf_lab.talk import reply

listening = maker("nano/listening")
RED, BLUE = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))


@pytest.mark.parametrize(("blind", "drawn", "text"), [
    (False, "red", "Score 0.50. Grid on."), (True, "white", ""),
    ("pictures", "white", "Score 0.50. Grid on."), ("text", "red", "")])
def test_a_reply_is_blind_to_what_is_asked(blind, drawn, text):
    blocks = reply(BLUE, Rendering(RED), Verdict(0.5, "Grid on."), difference=RED, blind=blind)
    assert [part["type"] for part in blocks] == ["image", "image", "text", "image"]
    assert all(part["image"].tobytes() == Image.new("RGB", (40, 30), drawn).tobytes() for part in blocks[:2])
    assert blocks[2]["text"] == text and blocks[3]["image"] is BLUE


def test_which_draft_is_best_is_a_word_that_blindness_to_text_hides():
    def text(blind):
        return reply(BLUE, Rendering(RED), Verdict(0.5, "Grid on."), blind=blind, best=2)[1]["text"]

    assert text(False) == text("pictures") == "Score 0.50. Best so far: turn 2. Grid on."
    assert text(True) == text("text") == ""


def test_another_kind_of_blindness_is_refused():
    with pytest.raises(ValueError, match="blind='words'; known: False, True, 'pictures', 'text'"):
        reply(BLUE, Rendering(RED), Verdict(0.5, ""), blind="words")


def test_an_error_is_told_also_to_the_blind():
    assert "Failed" in reply(BLUE, Rendering(None, "x"), Verdict.no_picture("x"), blind=True)[0]["text"]


class Named:
    """Says the colour of the corner of the target."""

    def __call__(self, target, image, error=None):
        return Verdict(target.getpixel((0, 0))[0] / 255, self.feedback(target, image))

    def feedback(self, target, image):
        return str(target.getpixel((0, 0)))


def test_foreign_words_come_with_the_chart_s_own_score():
    judge = listening.Foreign(Named(), [RED, BLUE])
    assert judge(RED, RED) == Verdict(1.0, "(0, 0, 255)")
    assert judge(BLUE, RED) == Verdict(0.0, "(255, 0, 0)")


def _turn(chart, feedback):
    return Turn("", program(chart), Rendering(RED), Verdict(0.5, feedback), action="render")


def test_obedience_is_counted_as_far_as_the_words_go():
    """A sentence names a basic colour and whether there is a grid, not a shade or its lines."""
    draft = Chart("bar", ("red",), ((1, 9, 9),), "Speed", "week", "units")
    after = Chart("bar", ("darkred",), ((1, 9, 9),), "Speed", "week", "units", grid="value :")
    said = "Colour brown, not red. Grid on."
    counted = listening.followed([Rollout(RED, "matplotlib", (_turn(draft, said), _turn(after, "")))])
    assert counted == {"redrawn": [1.0], "followed colours": [1.0], "followed grid": [1.0]}


def test_the_rule_draws_what_is_told_at_the_width_of_its_target():
    draft = Chart("bar", ("red",), ((1, 9, 9),), "Speed", "week", "units")
    right = replace(draft, kind="line", colours=("teal",), series=((2, 9, 2),))
    target = rl.render(program(right), size=(520, None)).image
    said = "Type line, not bar. Colour teal, not red. Change +1, 0, -7 of 10."
    assert listening._obeyed(target, _turn(draft, said), rl.PixelJudge()) == 0.5
    assert listening._obeyed(target, _turn(draft, "Title differs."), rl.PixelJudge()) == 0


def test_following_is_counted_by_sentence():
    draft = Chart("bar", ("red",), ((1, 9, 9),), "Speed", "week", "units")
    after = Chart("bar", ("teal",), ((2, 9, 3),), "Speed", "week", "units")
    said = "Type line, not bar. Colour teal, not red. Change +1, 0, -7 of 10."
    counted = listening.followed([Rollout(RED, "matplotlib", (_turn(draft, said), _turn(after, "")))])
    assert counted == {"redrawn": [1.0], "followed kind": [0.0], "followed colours": [1.0],
                       "followed list": [0.0], "followed digits": [1.0, 1.0, 0.0], "followed count": [1.0]}


def test_a_turn_without_code_is_counted_apart():
    draft = Chart("bar", ("red",), ((1, 9, 9),), "Speed", "week", "units")
    answer = Turn("", None, None, None, action="answer")
    counted = listening.followed([Rollout(RED, "matplotlib", (_turn(draft, "Grid on."), answer))])
    assert counted == {"redrawn": [0.0]}


def test_a_mean_says_its_error_and_its_number():
    assert listening._mean([0.0, 1.0]) == (0.5, 0.5, 2)
    assert np.isnan(listening._mean([])[0])


def test_a_chart_shows_of_itself_what_is_near():
    truth = next(t for t in load_truths("test").values() if t["kind"] == "bar" and t["limits"])
    tenths = tuple(min(9, max(1, round(value))) for value in truth["values"])
    grids = ("", "both -") if truth["grid"] else ("both -", "")
    chart = Chart("bar", tuple(truth["colours"]), (tenths,), truth["title"], grid=grids[1])
    assert set(shown(program(chart), truth).values()) == {1.0}
    off = replace(chart, series=(tenths[1:],), title="Other", grid=grids[0])
    assert shown(program(off), truth) == {"type": 1.0, "colour": 1.0, "title": 0.0, "count": 0.0,
                                          "near": 0.0, "grid": 0.0}
    assert set(shown(None, truth).values()) == {0.0}
