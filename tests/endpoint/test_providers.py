"""Twelve servers as they are: the same turn out of every shape; a failure is never a turn, and never kept."""
import json
import math

import pytest
from endpoint.provider_shapes import FAILED, PASSING, good, reply
from endpoint.servers import events, refusal, server
from PIL import Image

import rrvf_lab.endpoint.client as client
from rrvf_lab.endpoint import EndpointError, EndpointPolicy
from rrvf_lab.endpoint.replies import words_of
from rrvf_lab.evaluate import evaluate
from rrvf_lab.judge import VLMJudge
from rrvf_lab.judge.criteria import CRITERIA
from rrvf_lab.render import Rendering
from rrvf_lab.talk import opening, parse_turn

TARGET = Image.new("RGB", (40, 30), "teal")
CODE = 'plt.title("a </tool_call> \\n")'
ASKED = opening(TARGET, "matplotlib", 2)
GOOD = good("a bar", CODE)
SERVERS = ("vLLM", "SGLang", "Ollama", "llama.cpp", "LM Studio", "OpenAI", "Azure", "Anthropic", "Gemini",
           "Mistral", "OpenRouter", "TGI")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(client, "PAUSE", 0.0)


def test_the_table_holds_a_good_and_a_failed_reply_of_each_server():
    for name in SERVERS:
        for table in (GOOD, FAILED):
            assert any(shape.startswith(name) for shape in table), name


@pytest.mark.parametrize("shape", GOOD)
def test_each_servers_shape_is_the_same_turn(shape):
    with server(GOOD[shape]) as web:
        text, = EndpointPolicy("m", web.url).write([ASKED])
    parsed = parse_turn(text)
    assert (parsed.thought, parsed.calls, parsed.error) == ("a bar", (CODE,), None)


@pytest.mark.parametrize("shape", FAILED)
def test_a_failure_is_told_in_the_servers_words_and_is_never_a_turn(shape, tmp_path):
    status, body, words = FAILED[shape]
    with server((status, body)) as web:
        policy = EndpointPolicy("m", web.url, retries=0, cache=tmp_path)
        with pytest.raises(EndpointError, match=f"^model 'm': .*{words}") as caught:
            policy.write([ASKED])
    assert caught.value.texts == [None] and "\n" not in str(caught.value) and web.url in str(caught.value)
    assert (policy.ledger.calls, policy.ledger.failed) == (1, 1) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", FAILED)
def test_a_failure_is_an_unscored_verdict_and_never_kept(shape, tmp_path):
    status, body, _ = FAILED[shape]
    with server((status, body)) as web:
        verdict = VLMJudge("m", web.url, retries=0, cache=tmp_path)(TARGET, TARGET)
    assert math.isnan(verdict.score) and verdict.reason.startswith("judge: ") and not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", PASSING)
def test_what_passes_is_asked_again(shape):
    with server(PASSING[shape], GOOD["vLLM, plain"]) as web:
        text, = EndpointPolicy("m", web.url).write([ASKED])
    assert len(web.bodies) == 2 and parse_turn(text).error is None


class Pen:
    """Draws the target, whatever the program."""

    def render(self, code, language="matplotlib", size=None):
        return Rendering(TARGET)


def test_an_evaluation_leaves_a_failed_item_undone_and_scores_the_others():
    failed = FAILED["OpenRouter, in the choice"][:2]
    done = reply({"content": "<think>a</think><answer>x</answer>"})
    items = [{"image": TARGET, "id": name, "language": "svg"} for name in "ab"]
    with server(failed, done, failed, done) as web:  # together, then each alone
        policy = EndpointPolicy("m", web.url, concurrency=1, retries=0)
        with pytest.warns(UserWarning, match="1 of 2 items are undone"):
            report = evaluate(policy, items, max_turns=1, renderer=Pen(), judge=lambda target, image: 1.0)
    assert list(report.undone) == ["a"] and "image too large" in report.undone["a"]
    assert [(rollout.id, rollout.reward.vision) for rollout in report.rollouts] == [("b", 1.0)]


# ---- waiting as told ---------------------------------------------------------------------------------------

def waits(monkeypatch, answer, headers):
    """How long a client waits after an answer with these headers."""
    import openai._base_client as base

    seen = []
    monkeypatch.setattr(base.time, "sleep", seen.append)
    with server(answer, GOOD["vLLM, plain"], headers=headers) as web:
        problem = client.Client("m", web.url, retries=1).ask(
            client.Question([], "k", lambda choice: choice.message.content)).problem
    return [seconds for seconds in seen if seconds], problem  # our server sleeps for 0 s


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
@pytest.mark.parametrize("headers, seconds", [({"retry-after": "17"}, 17), ({"retry-after-ms": "250"}, 0.25),
                                              ({"retry-after": "90.5"}, 90.5)])
def test_the_servers_own_wait_is_kept(monkeypatch, status, headers, seconds):
    assert waits(monkeypatch, refusal(status), headers) == ([seconds], None)


def test_a_wait_of_many_minutes_is_told_instead_of_waited(monkeypatch):
    seen, problem = waits(monkeypatch, refusal(429, "daily limit"), {"retry-after": "7200"})
    assert seen == [] and "again after 7200 s" in problem and "daily limit" in problem


# ---- streams -----------------------------------------------------------------------------------------------

def test_stream_options_are_left_out_where_asked():
    with server(events({"role": "assistant", "content": "x"}), GOOD["TGI"]) as web:
        policy = EndpointPolicy("m", web.url, stream_options=None)
        policy.stream(ASKED)
        policy.write([ASKED])
    assert all("stream_options" not in body for body in web.bodies)


def test_only_streams_carry_stream_options():
    with server(events({"role": "assistant", "content": "x"}), GOOD["TGI"]) as web:
        policy = EndpointPolicy("m", web.url, stream_options={"include_usage": False})
        policy.stream(ASKED)
        policy.write([ASKED])
    assert web.bodies[0]["stream_options"] == {"include_usage": False}
    assert "stream_options" not in web.bodies[1]


def test_a_server_that_refuses_stream_options_is_told_with_the_fix():
    refused = 400, {"error": "Unrecognized request argument: stream_options"}
    with server(refused) as web, pytest.raises(EndpointError, match="give stream_options=None"):
        EndpointPolicy("m", web.url, retries=0).stream(ASKED)


STREAMS = {
    "an error instead of a piece": 'data: {"error": {"message": "CUDA out of memory", "code": 400}}\n\n',
    "an error after a piece": events({"role": "assistant", "content": "<think>a"}).split("\n\n")[0]
    + '\n\ndata: {"error": {"message": "CUDA out of memory", "code": 400}}\n\n',
    "a piece that ends in an error": events({"role": "assistant", "content": "<think>a"}, finish="error"),
    "nothing but thoughts": events({"role": "assistant", "reasoning_content": "hm"}, finish="length"),
    "filtered": events({"role": "assistant", "content": "<think>a"}, finish="content_filter"),
}


@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_fails_is_never_a_turn(body):
    with server(body) as web, pytest.raises(EndpointError, match=web.url):
        EndpointPolicy("m", web.url, retries=0).stream(ASKED)


def test_streamed_thoughts_and_comments_between_pieces_are_one_turn():
    pieces = {"role": "assistant", "reasoning_content": "a "}, {"reasoning_content": "bar"}
    with server(": OPENROUTER PROCESSING\n\n" + events(*pieces, {"content": "<answer>x</answer>"})) as web:
        text = EndpointPolicy("m", web.url).stream(ASKED)
    assert (parse_turn(text).thought, parse_turn(text).answer) == ("a bar", "x")


def test_a_turn_that_was_cut_is_known_as_such_and_not_kept(tmp_path):
    with server(reply({"content": "<think>a</think><answer>x"}, "length")) as web:
        text, = EndpointPolicy("m", web.url, cache=tmp_path).write([ASKED])
    assert text.cut and "cut off" in parse_turn(text).error and not list(tmp_path.iterdir())


# ---- a judge's words ---------------------------------------------------------------------------------------

FULL = json.dumps({"differences": ["Grid on."], "sentence": "Alike {nearly}.",
                   "scores": {name: points for name, (points, _) in CRITERIA["chart"].items()}})
TEXT = {
    "braces before": "I compare {target} with {render}. " + FULL, "braces behind": FULL + "\nSo {done}.",
    "another object before": '{"note": 1}\n' + FULL, "another object behind": FULL + '\n{"note": 1}',
    "a draft in thoughts": "<think>" + FULL.replace("20", "1") + "</think>" + FULL,
    "a fence": f"```json\n{FULL}\n```", "a fence with words": f"Here:\n~~~json\n{FULL}\n~~~\nDone.",
    "a list around it": f"[{FULL}]", "points as text": FULL.replace("20,", '"20",'),
    "points as fractions": FULL.replace("20,", '"20/20",'),
    "line ends inside a text": FULL.replace("Alike ", "Alike \n"),
}


@pytest.mark.parametrize("form", TEXT)
def test_the_verdict_is_found_in_the_words(form):
    with server(reply({"content": TEXT[form]})) as web:
        assert VLMJudge("m", web.url)(TARGET, TARGET).score == 1.0


@pytest.mark.parametrize("shape", [
    reply({"content": [{"type": "text", "text": FULL}]}), reply({"content": FULL + " And so on", }, "length"),
    reply({"content": None, "reasoning_content": "hm " + FULL}), reply({"content": "", "reasoning": FULL}),
])
def test_the_verdict_is_found_wherever_the_server_put_it(shape):
    with server(shape) as web:
        assert VLMJudge("m", web.url)(TARGET, TARGET).score == 1.0


ERRORS = {"2": 2, 2.0: 2, "moderate": 2, "Severe": 3, " minor ": 1, "3/3": 3}


@pytest.mark.parametrize("severity", ERRORS)
def test_a_severity_is_read_as_it_is_written(severity):
    errors = json.dumps({"errors": [{"category": "text_error", "severity": severity, "description": "d"}]})
    with server(reply({"content": errors})) as web:
        verdict = VLMJudge("m", web.url, criteria="errors")(TARGET, TARGET)
    assert verdict.score == pytest.approx(1 - ERRORS[severity] / 50)


@pytest.mark.parametrize("category, part", [("Text Error", "text_error"), ("colour", "other_error"),
                                            (None, "other_error"), ("structural", "structure_error")])
def test_an_error_of_any_category_counts(category, part):
    errors = json.dumps({"errors": [{"category": category, "severity": 3, "description": "d"}]})
    with server(reply({"content": errors})) as web:
        verdict = VLMJudge("m", web.url, criteria="errors")(TARGET, TARGET)
    assert verdict.score == pytest.approx(1 - 3 / 50) and verdict.parts[part] < 1


@pytest.mark.parametrize("cut", range(5, len(FULL), 23))
def test_half_a_verdict_is_unscored(cut):
    with server(reply({"content": FULL[:cut]})) as web:
        assert math.isnan(VLMJudge("m", web.url)(TARGET, TARGET).score)


@pytest.mark.parametrize("error, words", [
    ("no", "no"), ({"error": "no"}, "no"), ({"message": "no", "code": 3}, "no (3)"),
    ([{"error": "no"}], "no"), ({"error": {"message": "no"}}, "no"), ({"a": 1}, '{"a": 1}'), (None, "None"),
    ({"detail": [{"msg": "no"}]}, '{"msg": "no"}'),
])
def test_the_words_of_an_error_are_found(error, words):
    assert words_of(error) == words
