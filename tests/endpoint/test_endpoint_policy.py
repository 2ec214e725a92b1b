"""A model behind an endpoint as the policy: one property per test, over real HTTP.

Left out: what the client does for every asker (test_client), a real server (test_served).
"""
import json
import threading

import pytest
from endpoint.servers import chat, events, images_of, refusal, server
from PIL import Image

from rrvf_lab.endpoint import EndpointError, EndpointPolicy
from rrvf_lab.judge import Verdict
from rrvf_lab.play import conversations, play
from rrvf_lab.render import Rendering
from rrvf_lab.talk import opening, parse_turn, reply, write_turn

TARGET, DRAWN = Image.new("RGB", (40, 30), "white"), Image.new("RGB", (40, 30), "teal")
CALL = write_turn("a bar", "plt.bar([1], [2])")
DONE = write_turn("fine", answer="turn 1")
VERDICT = Verdict(0.5, "Colour differs.")


def talk(*calls):
    """A conversation after one turn with these programs (None: a bad call), as the environment builds it."""
    wanted = [{"name": "render", "arguments": {} if code is None else {"code": code}} for code in calls]
    written = [f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in wanted]
    said = "<think>t</think>\n" + "\n".join(written)
    good = reply(TARGET, Rendering(DRAWN), VERDICT)
    answers = ["{'error': 'bad'}" if code is None else good for code in calls]
    told = [{"role": "tool", "name": "render", "content": answer} for answer in answers]
    turn = {"role": "assistant", "content": [{"type": "text", "text": said}]}
    return [*opening(TARGET, "matplotlib", 3), turn, *told]


def kinds(message):
    """What a message's content is made of: text as it is, "<image>" for a picture."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return [part["text"] if part["type"] == "text" else "<image>" for part in content]


def native(arguments, content=None, **more):
    call = {"id": "x", "type": "function", "function": {"name": "render", "arguments": arguments}}
    return chat("", "tool_calls", {"role": "assistant", "content": content, "tool_calls": [call]} | more)


class Pen:
    """Draws every program the same; what it was asked to draw is in `codes`."""

    def __init__(self):
        self.codes = []

    def render(self, code, language="matplotlib", size=None):
        self.codes.append(code)
        return Rendering(DRAWN)


def played(policy, **options):
    return play(policy, TARGET, renderer=Pen(), judge=lambda *_: VERDICT, **options)


# ---- what is sent ------------------------------------------------------------------------------------------

def test_a_tool_reply_goes_as_a_user_message_with_its_pictures_in_their_order():
    sent = EndpointPolicy("m", "http://localhost:1/v1").messages(talk("x = 1"))
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert kinds(sent[3]) == ["<tool_response>\n", "<image>", "Score 0.50. Colour differs.", "<image>",
                              "\n</tool_response>"]
    first, last = [p["image_url"]["url"] for p in sent[3]["content"] if p["type"] == "image_url"]
    assert first.startswith("data:image/png;base64,") and first != last
    assert last == images_of({"messages": [sent[1]]})[0], "the target comes last"
    assert sent[2]["content"] == talk("x = 1")[2]["content"][0]["text"], "the turn is sent as it was written"


def test_the_rules_say_how_a_turn_is_written_in_a_form_that_is_read_as_such():
    policy = EndpointPolicy("m", "http://localhost:1/v1")
    rules = policy.messages(talk("x"))[0]["content"]
    form = rules[rules.index("To call the tool"):]
    call, end = form.partition("To end, write:\n")[::2]
    assert parse_turn(call).calls == ("the complete program",) and parse_turn(call).error is None
    assert parse_turn(end).answer.startswith("the complete program") and parse_turn(end).error is None
    plain = EndpointPolicy("m", "http://localhost:1/v1", grammar=False)
    assert plain.messages(talk("x"))[0]["content"] == talk("x")[0]["content"][0]["text"]


def test_roles_alternate_when_a_turn_called_twice():
    sent = EndpointPolicy("m", "http://localhost:1/v1").messages(talk("x", None))
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert kinds(sent[3])[-3:] == ["\n<tool_response>\n", "{'error': 'bad'}", "\n</tool_response>"]


def test_further_fields_are_sent_and_none_leaves_one_out():
    with server(chat(DONE)) as web:
        EndpointPolicy("m", web.url, seed=3, max_tokens=None).write([opening(TARGET, "matplotlib", 3)])
    body, = web.bodies
    assert (body["seed"], body["temperature"]) == (3, 0) and "max_tokens" not in body and "tools" not in body


# ---- what comes back ---------------------------------------------------------------------------------------

ANSWERS = {
    "text": (chat(CALL), CALL),
    "text that is malformed": (chat("Here is a chart."), "Here is a chart."),
    "cut at max_tokens": (chat(CALL[:40], "length"), CALL[:40]),
    "a native call": (native('{"code": "plt.bar([1], [2])"}', "a bar"), CALL),
    "a native call after thoughts": (native('{"code": "plt.bar([1], [2])"}', "<think>a bar</think>"), CALL),
    "a native call that is no JSON": (
        native("{oops"),
        '<think></think>\n<tool_call>\n{"name": "render", "arguments": {oops}\n</tool_call>'),
    "reasoning apart": (chat("", message={"role": "assistant", "content": "<answer>turn 1</answer>",
                                          "reasoning_content": "fine"}), DONE),
    "reasoning and a native call": (native('{"code": "plt.bar([1], [2])"}', reasoning_content="a bar"), CALL),
    "a refusal": (chat("", message={"role": "assistant", "content": None, "refusal": "No."}), "No."),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_comes_back_raw_and_what_the_server_cut_out_is_put_back(name):
    answer, turn = ANSWERS[name]
    with server(answer) as web:
        assert EndpointPolicy("m", web.url).write([opening(TARGET, "matplotlib", 3)]) == [turn]


LOST = {
    "no choices": (chat("x") | {"choices": []}, "answered without choices"),
    "all tokens spent on reasoning": (chat("", "length"), "spent all its 4096 tokens .* give max_tokens="),
    "filtered": (chat("", "content_filter"), "content filter"),
    "nothing": (chat(""), "no text in the answer"),
    "down": (refusal(503), "answered 503 in 1 tries"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_turn_that_was_never_written_is_an_error_of_one_line_with_endpoint_reason_and_fix(name):
    answer, why = LOST[name]
    with server(answer) as web:
        policy = EndpointPolicy("m", web.url, retries=0)
        with pytest.raises(EndpointError, match=f"^model 'm': .*{why}") as caught:
            policy.write([opening(TARGET, "matplotlib", 3)])
    assert web.url in str(caught.value) and "\n" not in str(caught.value)
    assert (policy.ledger.calls, policy.ledger.failed) == (1, 1)


def test_the_rest_of_a_batch_is_finished_before_a_failure_is_raised():
    with server(refusal(400), chat(DONE)) as web, pytest.raises(EndpointError, match="1 of 4 conv") as caught:
        EndpointPolicy("m", web.url, retries=0).write([opening(TARGET, "matplotlib", 3)] * 4)
    assert sorted(map(str, caught.value.texts)) == sorted(map(str, [DONE, DONE, DONE, None]))
    assert len(web.bodies) == 4


def test_each_conversation_gets_its_own_answer(tmp_path):
    talks = [opening(Image.new("RGB", (40, 30), (i, 0, 0)), "matplotlib", 3) for i in range(4)]
    with server(*[chat(f"answer {i}") for i in range(4)]) as web:
        policy = EndpointPolicy("m", web.url, concurrency=1, cache=tmp_path)
        assert policy.write(talks) == [f"answer {i}" for i in range(4)]
        assert policy.write(talks[::-1]) == [f"answer {3 - i}" for i in range(4)]
    assert len(web.bodies) == 4


@pytest.mark.parametrize("change", [{"model": "n"}, {"seed": 1}, {"grammar": False}])
def test_the_cache_pays_once_for_a_question_and_again_for_another(change, tmp_path):
    with server(chat(DONE)) as web:
        for options in ({}, {}, change):
            EndpointPolicy(**{"model": "m", "base_url": web.url, "cache": tmp_path} | options).write(
                [opening(TARGET, "matplotlib", 3)])
    assert len(web.bodies) == 2


# ---- while it is written -----------------------------------------------------------------------------------

def test_a_streamed_native_call_is_put_together():
    pieces = [{"role": "assistant", "content": "a bar"},
              {"tool_calls": [{"index": 0, "id": "x", "type": "function",
                               "function": {"name": "render", "arguments": '{"code": "plt.b'}}]},
              {"tool_calls": [{"index": 0, "function": {"arguments": 'ar([1], [2])"}'}}]}]
    with server(events(*pieces, finish="tool_calls")) as web:
        assert EndpointPolicy("m", web.url).stream(opening(TARGET, "matplotlib", 3)) == CALL


@pytest.mark.parametrize("body", [events({"role": "assistant", "content": ""}, {"content": "late"}),
                                  events(finish="length")])
def test_a_stream_stopped_before_its_first_word_is_an_empty_turn(body):
    stop = threading.Event()
    stop.set()
    with server(body) as web:
        assert EndpointPolicy("m", web.url).stream(opening(TARGET, "matplotlib", 3), stop=stop) == ""


def test_a_stream_without_an_answer_is_an_error():
    with server("data: {broken\n\n") as web, pytest.raises(EndpointError, match=web.url) as caught:
        EndpointPolicy("m", web.url, retries=0).stream(opening(TARGET, "matplotlib", 3))
    assert caught.value.texts == [None]


# ---- the whole loop ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("call", [chat(CALL), native('{"code": "plt.bar([1], [2])"}', "a bar")])
def test_two_turns_over_http_are_a_rollout(call):
    with server(call, chat(DONE)) as web:
        rollout = played(EndpointPolicy("m", web.url), max_turns=2)
    assert [turn.action for turn in rollout.turns] == ["render", "answer"]
    assert not any(turn.error for turn in rollout.turns)
    assert rollout.code == "plt.bar([1], [2])" and rollout.reward.vision == 0.5
    assert len(web.bodies[1]["messages"]) == 4


def test_the_second_request_shows_what_the_environment_told():
    with server(chat(CALL), chat(DONE)) as web:
        policy = EndpointPolicy("m", web.url)
        rollout = played(policy, max_turns=2)
    assert web.bodies[1]["messages"] == policy.messages(conversations(rollout, 2)[1])


def test_a_live_view_gets_the_text_of_each_turn():
    seen = []
    with server(events({"role": "assistant", "content": CALL}), events({"content": DONE})) as web:
        rollout = played(EndpointPolicy("m", web.url), max_turns=2, on_text=seen.append)
    assert seen == [CALL, DONE] and rollout.answer == "turn 1"


# ---- models of Qwen's family, which training knows too -----------------------------------------------------

@pytest.mark.parametrize("model, options, grammar", [
    ("Qwen/Qwen2.5-VL-7B-Instruct", {}, "tools"), ("qwen2.5vl:7b", {}, "tools"), ("another", {}, "words"),
    ("mine", {"base": "Qwen3-VL"}, "tools"), ("qwen3-vl", {"grammar": "words"}, "words"),
    ("nano", {"grammar": False}, False)])
def test_a_models_name_or_base_says_how_it_is_told_of_the_tool(model, options, grammar):
    policy = EndpointPolicy(model, "http://localhost:1/v1", **options)
    rules = policy.messages(talk("x"))[0]["content"]
    assert policy.grammar == grammar
    assert ("<tools>" in rules, "To call the tool" in rules) == (grammar == "tools", grammar == "words")


def test_another_grammar_is_refused():
    with pytest.raises(ValueError, match="grammar='json': give 'tools', 'words' or False"):
        EndpointPolicy("m", "http://localhost:1/v1", grammar="json")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_turn_that_max_tokens_ended_is_known_as_cut_off(streamed):
    piece = CALL[:40]
    body = events({"role": "assistant", "content": piece}, finish="length") if streamed \
        else chat(piece, "length")
    with server(body, chat(DONE)) as web:
        rollout = played(EndpointPolicy("m", web.url), max_turns=2, on_text=print if streamed else None)
    assert rollout.turns[0].error.startswith("parse: cut off at the length limit")
