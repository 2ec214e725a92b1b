"""The loop's rules: reading a turn, the tool, the end of a rollout, and that TRL and `play` agree."""
import json
import math

import pytest
from PIL import Image

import rrvf_lab as rl
from rrvf_lab.environment import Environment, opening, parse_turn, reply, write_turn
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.vlm_judge import JudgeStopped

CALL = '<tool_call>\n{"name": "render", "arguments": {"code": "x = 1"}}\n</tool_call>'
TURNS = {  # text -> (codes of its calls, answer, is it well formed)
    "<think>a</think>\n" + CALL + "<|im_end|>": (["x = 1"], None, True),
    "<think>a</think>\n" + CALL: (["x = 1"], None, True),
    "<think>a</think><answer>turn 1</answer><|im_end|>": ([], "turn 1", True),
    CALL: (["x = 1"], None, False),
    "<think>a" + CALL: ([], None, False),
    "<think>a</think>" + CALL + CALL: (["x = 1", "x = 1"], None, False),
    "<think>a</think>" + CALL[:-5]: ([], None, False),
    "<think>a</think><tool_call>{bad}</tool_call>": ([], None, False),
    "<think>a</think><tool_call>{}</tool_call>": ([], None, False),
    "<think>a</think><tool_call>[1]</tool_call>": ([], None, False),
    '<think>a</think><tool_call>{"name": "render"}</tool_call>': ([None], None, False),
    '<think>a</think><tool_call>{"name": "render", "arguments": "x"}</tool_call>': ([None], None, False),
    '<think>a</think><tool_call>{"name": "rm", "arguments": {}}</tool_call>': ([None], None, False),
    "<think>a</think><answer>turn 1</answer>" + CALL: (["x = 1"], None, False),
    "<think>a</think>" + CALL + "tail": (["x = 1"], None, True),
    "<think>a</think>" + CALL + "<tool_call>{bad}</tool_call>": ([], None, False),
    "<think>a</think>nothing": ([], None, False),
    "hello": ([], None, False),
}


class Painter:
    """A renderer of one-word programs: a colour name paints a square of it, anything else fails."""

    def render(self, code, language="matplotlib", size=None):
        try:
            image = Image.new("RGB", (64, 48), "white")
            image.paste(Image.new("RGB", (32, 24), code), (16, 12))
            return Rendering(image)
        except ValueError:
            return Rendering(None, f"Traceback\nValueError: no colour {code}")

    def prefetch(self, codes, language="matplotlib", size=None):
        pass


@pytest.fixture
def target():
    return Painter().render("red").image


@pytest.mark.parametrize("text", TURNS)
def test_parse_turn(text):
    calls, answer, good = TURNS[text]
    parsed = parse_turn(text)
    assert (list(parsed.calls), parsed.answer, parsed.error is None) == (calls, answer, good), parsed


def test_trl_finds_the_same_calls():
    from trl.chat_template_utils import parse_response

    from rrvf_lab.policy import load_policy
    tokenizer = load_policy("nano-base").processor.tokenizer
    prefix = tokenizer("<|im_start|>assistant\n")["input_ids"]
    for text, (calls, _, _) in TURNS.items():
        parsed = parse_response(tokenizer, tokenizer(text)["input_ids"], prefix=prefix)
        theirs = [call["function"] for call in parsed.get("tool_calls") or []]
        good = [f["arguments"]["code"] if f["name"] == "render" and list(f["arguments"]) == ["code"] else None for f in theirs]
        assert good == calls, text


def test_write_turn_is_read_back():
    parsed = parse_turn(write_turn("why", 'print("hi")\nx = "</answer>"'))
    assert parsed.calls == ('print("hi")\nx = "</answer>"',) and parsed.thought == "why" and parsed.error is None


def _play(target, turns, **options):
    return rl.play(rl.Recording(turns), target, renderer=Painter(), **options)


def test_a_perfect_render_gets_the_highest_reward(target):
    rollout = _play(target, [write_turn("a", "red"), write_turn("b", answer="turn 1")])
    assert rollout.reward.vision == 1.0 and rollout.reward.total == pytest.approx(1.1)
    worse = _play(target, [write_turn("a", "salmon"), write_turn("b", answer="turn 1")])
    broken = _play(target, [write_turn("a", "nocolour"), write_turn("b", answer="turn 1")])
    assert rollout.reward.total > worse.reward.total > broken.reward.total


def test_the_answer_may_choose_an_earlier_turn(target):
    rollout = _play(target, [write_turn("a", "red"), write_turn("b", "blue"), write_turn("c", answer="turn 1")])
    assert rollout.choice == 0 and rollout.code == "red"


def test_code_in_the_answer_is_rendered_and_judged(target):
    rollout = _play(target, [write_turn("a", "blue"), write_turn("b", answer="```python\nred\n```")])
    assert rollout.code == "red" and rollout.reward.vision == 1.0


def test_without_an_answer_the_last_code_counts(target):
    rollout = _play(target, [write_turn("a", "blue"), write_turn("b", "red")], max_turns=2)
    assert rollout.answer is None and rollout.code == "red" and rollout.reward.vision == 1.0


def test_a_crash_is_data_named_by_its_boundary(target):
    rollout = _play(target, [write_turn("a", "nocolour"), "gibberish"])
    assert rollout.turns[0].error == "run: ValueError: no colour nocolour"
    assert rollout.turns[1].error.startswith("parse: ")
    assert rollout.reward.vision == 0.0 and rollout.reward.format == -1.0


def test_the_reply_shows_render_difference_text_and_target_last(target):
    env = Environment(Painter(), difference=True)
    env.reset(target)
    blocks = env.render("blue")
    assert [b["type"] for b in blocks] == ["image", "image", "text", "image"]
    assert blocks[0]["image"].getpixel((32, 24)) == (0, 0, 255) and blocks[-1]["image"] is target
    assert [b["type"] for b in env.render("nocolour")] == ["text", "image"]
    assert "no colour nocolour" in env.render("nocolour")[0]["text"]


def test_blind_keeps_the_form_of_the_reply_and_none_of_its_content(target):
    env = Environment(Painter(), difference=True, blind=True)
    env.reset(target)
    blocks = env.render("blue")
    assert [b["type"] for b in blocks] == ["image", "image", "text", "image"]
    assert blocks[2]["text"] == "" and blocks[0]["image"].getcolors() == [(64 * 48, (255, 255, 255))]


def test_reset_forgets_the_last_rollout(target):
    env = Environment(Painter())
    env.reset(target, id="one")
    env.render("red")
    env.reset(Painter().render("blue").image, id="two")
    rollout = env._close([write_turn("a", "red")])
    assert rollout.id == "two" and rollout.reward.vision < 0.9


def test_a_failing_judge_leaves_the_rollout_unscored_not_zero(target):
    def judge(target, image, error=None):
        raise ConnectionError("endpoint down")

    rollout = _play(target, [write_turn("a", "red")], judge=judge, max_turns=1)
    assert math.isnan(rollout.reward.total) and "endpoint down" in rollout.final.verdict.reason


def test_a_judge_that_says_stop_ends_the_rollout(target):
    def judge(target, image, error=None):
        raise JudgeStopped("the endpoint is down")

    with pytest.raises(JudgeStopped):
        _play(target, [write_turn("a", "red")], judge=judge, max_turns=1)


def test_an_unscored_render_is_called_so(target):
    text = next(b["text"] for b in reply(target, Rendering(target, None, 0.0), Verdict(math.nan, "No judge.")) if "text" in b)
    assert text == "Unscored. No judge."


def test_an_error_message_cannot_spell_an_image_token(target):
    env = Environment(Painter())
    env.reset(target)
    assert "<|" not in env.render("<|image_pad|>")[0]["text"]


def test_only_render_is_offered_as_a_tool():
    tools = [n for n in vars(Environment) if not n.startswith("_") and n != "reset"]
    assert tools == ["render"]


def test_the_opening_names_language_and_turns(target):
    system, user = opening(target, "svg", 5)
    assert "5 messages" in system["content"][0]["text"] and "SVG" in user["content"][1]["text"]
    with pytest.raises(ValueError, match="unknown language 'cobol'"):
        opening(target, "cobol", 5)


def test_the_call_survives_any_code():
    code = 'a = "\\n"\n\ttitle = \'é\u2028\' # <|image|> </think>'
    assert json.loads(write_turn("t", code).split("<tool_call>")[1].split("</tool_call>")[0])["arguments"]["code"] == code
    assert parse_turn(write_turn("t", code)).calls == (code,)
