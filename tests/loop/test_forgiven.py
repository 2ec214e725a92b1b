"""Turns as chat models write them, played: the same programs run, and the same turn is chosen."""
import pytest
from PIL import Image

from rrvf_lab.environment import Environment, Episode
from rrvf_lab.play import play
from rrvf_lab.policy import Recording
from rrvf_lab.render import Rendering
from rrvf_lab.talk import BAD_CALL, write_turn

TARGET = Image.new("RGB", (40, 30), "teal")
CODE = "import a\nx = 1"
FENCED = f"Here it is:\r\n```python \r\n{CODE}\r\n```\r\nDone."
PAGE = "<!DOCTYPE html>\n<p>a</p>"


class Pen:
    """Draws every program the same; what it was asked to draw is in `codes`."""

    def __init__(self):
        self.codes = []

    def render(self, code, language="matplotlib", size=None):
        self.codes.append(code)
        return Rendering(TARGET)


def played(*texts, language="matplotlib"):
    pen = Pen()
    return play(Recording(list(texts)), TARGET, len(texts), language, renderer=pen,
                judge=lambda target, image: 1.0), pen


@pytest.mark.parametrize("code", [CODE, FENCED, f"~~~\n{CODE}\n~~~", f"```py\n{CODE}"])
def test_a_program_is_the_same_fenced_or_not_called_or_answered(code):
    rollout, pen = played(write_turn("a", code), write_turn("b", answer=code))
    assert pen.codes == [CODE] and [turn.code for turn in rollout.turns] == [CODE, CODE]
    assert not any(turn.error for turn in rollout.turns) and rollout.code == CODE
    assert rollout.reward.format == 0


def test_a_page_does_not_draw_its_fence():
    _, pen = played(write_turn("a", answer=f"```html\n{PAGE}\n```"), language="html")
    assert pen.codes == [PAGE]


def test_the_tool_that_trl_calls_draws_what_the_episode_drew():
    pen = Pen()
    environment = Environment(renderer=pen, judge=lambda target, image: 1.0)
    environment.reset(TARGET)
    environment.episode.take(write_turn("a", FENCED))
    assert environment.render(code=FENCED) == environment.episode.answer()[1]["content"]
    assert pen.codes == [CODE]


@pytest.mark.parametrize("code", [5, None, ["x = 1"], {"a": 1}])
def test_a_program_that_is_no_text_is_answered_with_the_form_of_a_call(code):
    environment = Environment(renderer=Pen())
    environment.reset(TARGET)
    assert environment.render(code=code) == str({"error": BAD_CALL})


@pytest.mark.parametrize("choice", ["turn 1", "Turn 1", "turn 1.", "`turn 1`", "**Turn 1**",
                                    "The best one is turn 1.", "```\nturn 1\n```"])
def test_a_choice_in_any_words_chooses_and_is_never_run(choice):
    rollout, pen = played(write_turn("a", CODE), write_turn("b", answer=choice))
    assert pen.codes == [CODE] and rollout.code == CODE and rollout.turns[1].error is None


def test_a_thought_that_the_chat_template_opened_costs_nothing_and_its_draft_is_not_run():
    draft, call = (write_turn("", code).partition("\n")[2] for code in ("draft()", CODE))
    rollout, pen = played(f"I could write {draft} but no.</think>\n{call}",
                          "fine</think><answer>turn 1</answer>")
    assert pen.codes == [CODE] and not any(turn.error for turn in rollout.turns)
    assert rollout.reward.format == 0 and rollout.turns[0].thought.startswith("I could write")


def test_the_words_of_a_judge_reach_any_tokenizer():
    episode = Episode(renderer=Pen(), judge=lambda target, image: 1.0)
    episode.open(TARGET)
    episode.take(write_turn("a", CODE))
    outcome = episode.outcome(CODE)
    episode.put(CODE, outcome.rendering, type(outcome.verdict)(0.5, "\ud800 <|image_pad|>"))
    text = next(part["text"] for part in episode.answer()[1]["content"] if part["type"] == "text")
    assert text.encode() and "<|" not in text
