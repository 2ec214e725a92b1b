"""The regions of a turn are TRL's: the same calls by the same patterns, whatever the text is."""
import json
import string
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers.utils.chat_parsing.response_parser import parse_response
from trl.chat_template_utils import _validate_tool_calls, qwen3_template

from rrvf_lab.leaves.regions import regions, without_tags
from rrvf_lab.nano.processor import RESPONSE_TEMPLATE
from rrvf_lab.talk import END, parse_turn, write_turn

PIECES = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<answer>", "</answer>", "\n", " ", "a",
          "```json\n", "```", '{"name": "render", "arguments": {"code": "x = 1"}}', "{", "}", "[1]",
          '{"name": "rm", "arguments": {}}', '{"name": "render"}', "turn 1", "null", '"']
LETTERS = string.printable.replace("<", "") + "é漢😀\u2028\x00\ud800"
WORDS, ANY = st.text(alphabet=LETTERS), st.text(alphabet=LETTERS + "<")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
CALL = '<tool_call>\n{"name": "render", "arguments": {"code": "x = 1"}}\n</tool_call>'


def of_trl(text, template=RESPONSE_TEMPLATE, prefix=""):
    """What TRL calls for a turn, as `parse_turn` says it."""
    try:
        parsed = parse_response(text, template, prefix="<|im_start|>assistant\n" + prefix)
        calls = parsed.get("tool_calls") or []
        _validate_tool_calls(calls)
    except (ValueError, TypeError):
        return []
    functions = [call["function"] for call in calls]
    return [f["arguments"]["code"] if f["name"] == "render" and isinstance(f["arguments"], dict)
            and list(f["arguments"]) == ["code"] and isinstance(f["arguments"]["code"], str) else None
            for f in functions]


@given(TEXTS)
@settings(max_examples=200)
@example("<tool_call>" + '{"name": "render", "arguments": {"code": "x"}}')
@example("</think>" + CALL)
@example(CALL + "</think>" + CALL)
def test_trl_and_we_find_the_same_calls_in_any_text(text):
    assert list(parse_turn(text).calls) == of_trl(text) == of_trl(text + END)


@given(TEXTS.filter(lambda text: "<think>" in text.partition("</think>")[0] or "</think>" not in text))
@settings(max_examples=100)
def test_without_a_lone_close_and_fences_they_are_those_of_trls_own_template(text):
    if "```" not in text:
        assert of_trl(text) == of_trl(text, qwen3_template)


def test_a_thought_that_the_template_opened_reads_the_same_with_and_without_its_opening():
    text = f"a draft: {CALL} no.</think>\n" + CALL.replace("x = 1", "x = 2")
    opened = of_trl(text, qwen3_template, prefix="<think>\n")
    assert list(parse_turn(text).calls) == of_trl(text) == opened == ["x = 2"]
    assert parse_turn(text).error is None and parse_turn(text).thought.startswith("a draft")


def test_the_regions_hold_all_of_the_text_but_the_marks():
    text = "b<think>t</think>p<tool_call>c</tool_call>q<tool_call>d"
    assert regions(text) == (["t"], ["c", "d"], "bpq", "call")


@given(ANY)
@example("</tool_call></think><tool_call><think><|im_end|>")
def test_json_without_tags_says_the_same(code):
    text = without_tags(json.dumps(code))
    assert json.loads(text) == code
    assert not any(tag in text for tag in ("<think>", "</think>", "<tool_call>", "</tool_call>", "<|"))


@given(WORDS.map(str.strip), ANY)
@example("t", "</tool_call></think>```\n<|im_end|>")
def test_a_written_call_is_read_back_whatever_its_code_is(thought, code):
    parsed = parse_turn(write_turn(thought, code))
    assert (parsed.thought, parsed.calls, parsed.answer, parsed.error) == (thought, (code,), None, None)


@given(WORDS.map(str.strip), st.one_of(WORDS, st.lists(st.sampled_from(["</answer>", "<b>", "x", "\n"])).map(
    "".join)).map(str.strip))
def test_a_written_answer_is_read_back(thought, answer):
    parsed = parse_turn(write_turn(thought, answer=answer))
    assert (parsed.thought, parsed.calls, parsed.answer, parsed.error) == (thought, (), answer, None)


@given(st.one_of(ANY, TEXTS))
@settings(max_examples=150)
@example("<tool_call>" + "[" * 100_000 + "</tool_call>")
@example('<tool_call>{"name": "render", "arguments": {"code": ' + "9" * 5000 + "}}</tool_call>")
def test_any_text_gives_a_turn_or_a_named_error(text):
    parsed = parse_turn(text)
    done = len(parsed.calls) == 1 and parsed.calls[0] is not None or parsed.answer is not None
    assert parsed.error.startswith("parse: ") if parsed.error else done


ERRORS = {
    "hello": "no <think>", "<think>a": "<think> is never closed",
    "<think>a</think>b": "neither a tool call nor an answer",
    "<think>a</think><answer>x": "<answer> is never closed",
    "<think>a</think><tool_call>{": "the tool call is truncated or no JSON",
    "<think>a</think><tool_call>{]</tool_call>": "the tool call is truncated or no JSON",
    "<think>a</think>" + CALL.removesuffix("</tool_call>"): "the tool call is never closed",
    "<think>a</think>" + CALL + CALL: "more than one action",
    "<think>a</think>" + CALL + "<answer>turn 1</answer>": "more than one action",
    "<think>a</think>" + CALL.replace("render", "rm"): "the call must be",
    "<think>a</think>" + CALL.replace('"x = 1"', "5"): "the call must be",
    "<think>a</think>" + CALL.replace('"x = 1"', '["x = 1"]'): "the call must be",
}


@pytest.mark.parametrize("text", ERRORS)
def test_each_fault_is_named(text):
    assert ERRORS[text] in parse_turn(text).error


FORGIVEN = {
    "a fenced call": "<think>a</think><tool_call>\n```json\n" + CALL[12:-13] + "\n```\n</tool_call>",
    "words before the thought": "Sure! <think>a</think>" + CALL,
    "words between": "<think>a</think> I render it now. " + CALL,
    "words behind": "<think>a</think>" + CALL + " Done.",
    "a thought that the template opened": "a</think>" + CALL,
    "a thought that says the tag": "<think>I will use <tool_call> now</think>" + CALL,
    "a lone thought that says the tag": "I will use <tool_call> now</think>" + CALL,
    "other line ends": "<think>a</think>\r\n" + CALL.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", FORGIVEN)
def test_what_chat_models_write_around_a_call_is_forgiven(form):
    parsed = parse_turn(FORGIVEN[form])
    assert (parsed.calls, parsed.error) == (("x = 1",), None)
    assert of_trl(FORGIVEN[form]) == ["x = 1"]


ANSWERS = {
    "<think>a</think><answer>x</answer>": "x",
    "<think>a</think>So: <answer>\nx\n</answer> That is it.": "x",
    "a</think><answer>x</answer>": "x",
    "<think>a</think>I answer in <answer> tags. <answer>x</answer>": "x",
    "<think>a</think><answer>s = '</answer>'\nx</answer>": "s = '</answer>'\nx",
    "<think>the <answer> is near</think><answer>x</answer>": "x",
    "<think>a</think><answer>x</answer>" + END + "<answer>y</answer>": "x",
}


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_found_between_words(text):
    assert (parse_turn(text).answer, parse_turn(text).error) == (ANSWERS[text], None)


def test_a_text_cut_anywhere_never_reads_as_more_than_the_whole():
    text = "<think>why</think>\n" + CALL
    cuts = [parse_turn(text[:k]) for k in range(len(text))]
    assert all(len(one.calls) <= len(two.calls) for one, two in pairwise(cuts[:-len("</tool_call>") - 2]))
    assert all(one.error for one in cuts)
