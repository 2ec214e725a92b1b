"""The rules in words: reading a turn as TRL reads it, writing one, what the tool answers."""
import json
import math

import pytest
from PIL import Image

from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering
from rrvf_lab.talk import opening, parse_turn, reply, write_turn

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
        good = [f["arguments"]["code"] if f["name"] == "render" and list(f["arguments"]) == ["code"] else None
                for f in theirs]
        assert good == calls, text


def test_write_turn_is_read_back():
    parsed = parse_turn(write_turn("why", 'print("hi")\nx = "</answer>"'))
    assert (
        parsed.calls == ('print("hi")\nx = "</answer>"',) and parsed.thought == "why" and parsed.error is None
    )


def test_the_call_survives_any_code():
    code = 'a = "\\n"\n\ttitle = \'é\u2028\' # <|image|> </think>'
    call = write_turn("t", code).split("<tool_call>")[1].split("</tool_call>")[0]
    assert json.loads(call)["arguments"]["code"] == code
    assert parse_turn(write_turn("t", code)).calls == (code,)


def test_the_opening_names_language_and_turns():
    target = Image.new("RGB", (8, 6))
    system, user = opening(target, "svg", 5)
    assert "5 messages" in system["content"][0]["text"] and "SVG" in user["content"][1]["text"]
    with pytest.raises(ValueError, match="unknown language 'cobol'"):
        opening(target, "cobol", 5)


def test_an_unscored_render_is_called_so():
    target = Image.new("RGB", (8, 6))
    blocks = reply(target, Rendering(target), Verdict(math.nan, "No judge."))
    text = next(block["text"] for block in blocks if "text" in block)
    assert text == "Unscored. No judge."
