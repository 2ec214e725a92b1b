"""A model behind an endpoint as the policy: one property per test, over real HTTP.

Left out: hosted models. `transformers serve` with the nano model stands for a real server.
"""
import json
import socket
import threading

import pytest
from PIL import Image
from test_vlm_judge import chat, images_of, nano_endpoint, server  # noqa: F401  (a fixture among them)

from rrvf_lab.endpoint import EndpointError, EndpointPolicy
from rrvf_lab.environment import conversations, opening, parse_turn, play, play_many, reply, write_turn
from rrvf_lab.judge import Verdict
from rrvf_lab.render import Rendering

TARGET, DRAWN = Image.new("RGB", (40, 30), "white"), Image.new("RGB", (40, 30), "teal")
CALL = write_turn("a bar", "plt.bar([1], [2])")
DONE = write_turn("fine", answer="turn 1")
VERDICT = Verdict(0.5, "Colour differs.")


def talk(*calls):
    """A conversation after one turn with these programs (None: a bad call), as the environment builds it."""
    said = "<think>t</think>\n" + "\n".join(
        '<tool_call>\n{"name": "render", "arguments": %s}\n</tool_call>' % json.dumps({} if c is None else {"code": c})
        for c in calls)
    told = [{"role": "tool", "name": "render",
             "content": "{'error': 'bad'}" if c is None else reply(TARGET, Rendering(DRAWN), VERDICT)} for c in calls]
    turn = {"role": "assistant", "content": [{"type": "text", "text": said}]}
    return [*opening(TARGET, "matplotlib", 3), turn, *told]


def kinds(message):
    """What a message's content is made of: text as it is, "<image>" for a picture."""
    content = message["content"]
    return content if isinstance(content, str) else [p["text"] if p["type"] == "text" else "<image>" for p in content]


def native(arguments, content=None, **more):
    call = {"id": "x", "type": "function", "function": {"name": "render", "arguments": arguments}}
    return chat("", "tool_calls", {"role": "assistant", "content": content, "tool_calls": [call]} | more)


class Pen:
    """Draws every program the same; what it was asked to draw is in `codes`."""

    def __init__(self):
        self.codes = []

    def render(self, code, language="matplotlib"):
        self.codes.append(code)
        return Rendering(DRAWN)

    def prefetch(self, codes, language="matplotlib"):
        pass


def played(policy, **options):
    return play(policy, TARGET, renderer=Pen(), judge=lambda *_: VERDICT, **options)


# ---- what is sent ---------------------------------------------------------------------------------------------------

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


# ---- what comes back ------------------------------------------------------------------------------------------------

ANSWERS = {
    "text": (chat(CALL), CALL),
    "text that is malformed": (chat("Here is a chart."), "Here is a chart."),
    "cut at max_tokens": (chat(CALL[:40], "length"), CALL[:40]),
    "nothing": (chat(""), ""),
    "a native call": (native('{"code": "plt.bar([1], [2])"}', "a bar"), CALL),
    "a native call after thoughts": (native('{"code": "plt.bar([1], [2])"}', "<think>a bar</think>"), CALL),
    "a native call that is no JSON": (native("{oops"), '<think></think>\n<tool_call>\n{"name": "render", '
                                      '"arguments": {oops}\n</tool_call>'),
    "reasoning apart": (chat("", message={"role": "assistant", "content": "<answer>turn 1</answer>",
                                          "reasoning_content": "fine"}), DONE),
    "reasoning and a native call": (native('{"code": "plt.bar([1], [2])"}', reasoning_content="a bar"), CALL),
    "a refusal": (chat("", message={"role": "assistant", "content": None, "refusal": "I cannot."}), "I cannot."),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_comes_back_raw_and_what_the_server_cut_out_is_put_back(name):
    answer, turn = ANSWERS[name]
    with server(answer) as web:
        assert EndpointPolicy("m", web.url).write([opening(TARGET, "matplotlib", 3)]) == [turn]


LOST = {
    "no choices": (chat("x") | {"choices": []}, "answered without choices"),
    "a web page": ("<html>502</html>", "answered without choices"),
    "all tokens spent on reasoning": (chat("", "length"), "give max_tokens="),
    "filtered": (chat("", "content_filter"), "content filter"),
    "a wrong key": ((401, {"error": {"message": "Incorrect key"}}), "refused the key (401); give api_key="),
    "unknown model": ((404, {"error": {"message": "no such model"}}), "knows no model 'm'"),
    "down": ((503, {"error": {"message": "overloaded"}}), "answered 503 in 1 tries"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_turn_that_was_never_written_is_an_error_of_one_line_with_endpoint_reason_and_fix(name):
    answer, why = LOST[name]
    with server(answer) as web:
        policy = EndpointPolicy("m", web.url, retries=0)
        with pytest.raises(EndpointError) as caught:
            policy.write([opening(TARGET, "matplotlib", 3)])
    assert why in str(caught.value) and web.url in str(caught.value) and "\n" not in str(caught.value)
    assert (policy.ledger.calls, policy.ledger.failed) == (1, 1)


def test_an_endpoint_that_is_down_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(EndpointError, match=f"cannot reach {url}"):
        EndpointPolicy("m", url, retries=0).write([opening(TARGET, "matplotlib", 3)])


def test_a_slow_endpoint_is_given_up_after_the_time_out():
    with server(chat(DONE), seconds=0.6) as web:
        with pytest.raises(EndpointError, match="within 0.2 s in 1 tries"):
            EndpointPolicy("m", web.url, timeout=0.2, retries=0).write([opening(TARGET, "matplotlib", 3)])


def test_429_is_retried_and_recovers():
    with server((429, {"error": {"message": "slow down"}}), chat(DONE)) as web:
        assert EndpointPolicy("m", web.url).write([opening(TARGET, "matplotlib", 3)]) == [DONE]
    assert len(web.bodies) == 2


def test_the_rest_of_a_batch_is_finished_before_a_failure_is_raised():
    with server((400, {"error": {"message": "no"}}), chat(DONE)) as web:
        with pytest.raises(EndpointError, match="1 of 4 conversations") as caught:
            EndpointPolicy("m", web.url, retries=0).write([opening(TARGET, "matplotlib", 3)] * 4)
    assert sorted(map(str, caught.value.texts)) == sorted(map(str, [DONE, DONE, DONE, None])) and len(web.bodies) == 4


def test_a_key_from_the_environment_stays_at_home(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    with server(chat(DONE)) as web:
        EndpointPolicy("m", web.url).write([opening(TARGET, "matplotlib", 3)])
    assert web.keys == ["Bearer none"]


def test_answers_keep_their_order_and_the_bound_holds_over_threads():
    pictures = [Image.new("RGB", (40, 30), (i, 0, 0)) for i in range(9)]
    with server(chat(DONE), seconds=0.1) as web:
        policy = EndpointPolicy("m", web.url, concurrency=3)
        threads = [threading.Thread(target=policy.write, args=([opening(p, "matplotlib", 3) for p in pictures[k::3]],))
                   for k in range(3)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert web.busiest == 3 and policy.ledger.calls == 9


def test_each_conversation_gets_its_own_answer(tmp_path):
    talks = [opening(Image.new("RGB", (40, 30), (i, 0, 0)), "matplotlib", 3) for i in range(4)]
    with server(*[chat(f"answer {i}") for i in range(4)]) as web:
        policy = EndpointPolicy("m", web.url, concurrency=1, cache=tmp_path)
        assert policy.write(talks) == [f"answer {i}" for i in range(4)]
        assert policy.write(talks[::-1]) == [f"answer {3 - i}" for i in range(4)]
    assert len(web.bodies) == 4


def test_the_ledger_counts_tokens_and_money():
    with server(chat(DONE)) as web:
        policy = EndpointPolicy("m", web.url, prices=(2.0, 10.0))
        policy.write([opening(TARGET, "matplotlib", 3)] * 2)
    assert (policy.ledger.calls, policy.ledger.prompt_tokens, policy.ledger.completion_tokens) == (2, 200, 40)
    assert policy.ledger.cost == pytest.approx((200 * 2 + 40 * 10) / 1e6)


@pytest.mark.parametrize("change", [{"model": "n"}, {"seed": 1}, {"grammar": False}])
def test_the_cache_pays_once_for_a_question_and_again_for_another(change, tmp_path):
    with server(chat(DONE)) as web:
        for options in ({}, {}, change):
            EndpointPolicy(**{"model": "m", "base_url": web.url, "cache": tmp_path} | options).write(
                [opening(TARGET, "matplotlib", 3)])
    assert len(web.bodies) == 2


def test_failures_are_not_cached(tmp_path):
    with server((400, {"error": {"message": "no"}}), chat(DONE)) as web:
        policy = EndpointPolicy("m", web.url, cache=tmp_path)
        with pytest.raises(EndpointError):
            policy.write([opening(TARGET, "matplotlib", 3)])
        assert not list(tmp_path.iterdir())
        assert policy.write([opening(TARGET, "matplotlib", 3)]) == [DONE]


# ---- while it is written --------------------------------------------------------------------------------------------

def events(*deltas, finish="stop"):
    """The body of a streamed chat completion."""
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks.append({"index": 0, "delta": {}, "finish_reason": finish})
    head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    bodies = [head | {"choices": [chunk]} for chunk in chunks]
    bodies.append(head | {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}})
    return "".join(f"data: {json.dumps(body)}\n\n" for body in bodies) + "data: [DONE]\n\n"


def test_a_stream_shows_the_text_as_it_grows_and_books_its_tokens():
    seen = []
    with server(events({"role": "assistant", "content": "<think>fi"}, {"content": "ne</think>"})) as web:
        policy = EndpointPolicy("m", web.url)
        assert policy.stream(opening(TARGET, "matplotlib", 3), seen.append) == "<think>fine</think>"
    assert seen == ["<think>fi", "<think>fine</think>"]
    assert web.bodies[0]["stream"] and web.bodies[0]["stream_options"] == {"include_usage": True}
    assert (policy.ledger.prompt_tokens, policy.ledger.completion_tokens) == (7, 3)


def test_a_streamed_native_call_is_put_together():
    pieces = [{"role": "assistant", "content": "a bar"},
              {"tool_calls": [{"index": 0, "id": "x", "type": "function",
                               "function": {"name": "render", "arguments": '{"code": "plt.b'}}]},
              {"tool_calls": [{"index": 0, "function": {"arguments": 'ar([1], [2])"}'}}]}]
    with server(events(*pieces, finish="tool_calls")) as web:
        assert EndpointPolicy("m", web.url).stream(opening(TARGET, "matplotlib", 3)) == CALL


def test_a_stopped_stream_gives_what_was_said_and_is_not_kept(tmp_path):
    stop = threading.Event()
    with server(events({"role": "assistant", "content": "<think>fi"}, {"content": "ne</think>"})) as web:
        policy = EndpointPolicy("m", web.url, cache=tmp_path)
        text = policy.stream(opening(TARGET, "matplotlib", 3), lambda text: stop.set(), stop)
    assert text == "<think>fi" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("body", ["", "data: [DONE]\n\n", "data: {broken\n\n"])
def test_a_broken_stream_is_an_error(body):
    with server(body) as web:
        with pytest.raises(EndpointError, match="127.0.0.1"):
            EndpointPolicy("m", web.url, retries=0).stream(opening(TARGET, "matplotlib", 3))


# ---- the whole loop -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("call", [chat(CALL), native('{"code": "plt.bar([1], [2])"}', "a bar")])
def test_two_turns_over_http_are_a_rollout(call):
    with server(call, chat(DONE)) as web:
        rollout = played(EndpointPolicy("m", web.url), max_turns=2)
    assert [turn.action for turn in rollout.turns] == ["render", "answer"] and not any(t.error for t in rollout.turns)
    assert rollout.code == "plt.bar([1], [2])" and rollout.reward.vision == 0.5
    assert len(web.bodies[1]["messages"]) == 4


def test_the_second_request_shows_what_the_environment_told(chart):
    with server(chat(CALL), chat(DONE)) as web:
        policy = EndpointPolicy("m", web.url)
        rollout = played(policy, max_turns=2)
    assert web.bodies[1]["messages"] == policy.messages(conversations(rollout, 2)[1])


def test_a_live_view_gets_the_text_of_each_turn():
    seen = []
    with server(events({"role": "assistant", "content": CALL}), events({"content": DONE})) as web:
        rollout = played(EndpointPolicy("m", web.url), max_turns=2, on_text=seen.append)
    assert seen == [CALL, DONE] and rollout.answer == "turn 1"


@pytest.mark.slow
def test_a_served_model_plays_the_rollout_that_it_plays_at_home(nano_endpoint, chart):  # noqa: F811
    from rrvf_lab.policy import load_policy

    other = Image.new("RGB", chart.size, "white")
    served = EndpointPolicy("data/nano/nano", nano_endpoint, grammar=False, difference=True, max_tokens=128,
                            concurrency=2, timeout=300, retries=0)
    here = play_many(load_policy("nano"), [chart, other], max_turns=2)
    there = play_many(served, [chart, other], max_turns=2)
    for a, b in zip(here, there):
        assert [parse_turn(t.text) for t in a.turns] == [parse_turn(t.text) for t in b.turns]
        assert a.reward == b.reward
    assert len(here[0].turns) == 2 and here[0].reward.vision > 0
    assert served.ledger.prompt_tokens > 2 * 48
    assert parse_turn(served.stream(opening(chart, "matplotlib", 2))) == parse_turn(here[0].turns[0].text)
