"""The client of OpenAI-compatible servers: one property per test, over real HTTP.

Left out: what is asked and how answers are read (test_endpoint_policy, judge/test_vlm).
"""
import base64
import io
import json
import subprocess
import sys
import threading

import pytest
from endpoint.servers import chat, events, free_port, refusal, server
from PIL import Image

from rrvf_lab.endpoint.client import Client, NoAnswer, Question, in_order, key_of, pack


def words(choice):
    return choice.message.content


def question(text="hello", read=str, **more):
    return Question([{"role": "user", "content": text}], key_of(text), words, read, **more)


def unreadable(text):
    raise NoAnswer(f"cannot read {text!r}")


def test_an_answer_is_what_its_asker_reads():
    with server(chat("12")) as web:
        answer = Client("m", web.url, request={"seed": 3, "max_tokens": None}).ask(question(read=int))
    assert (answer.value, answer.problem) == (12, None)
    assert web.bodies == [{"model": "m", "messages": [{"role": "user", "content": "hello"}], "seed": 3}]


def test_openai_is_loaded_by_the_first_client_and_not_by_the_import():
    code = "import sys, rrvf_lab.endpoint, rrvf_lab.judge.vlm; sys.exit('openai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- what goes wrong ---------------------------------------------------------------------------------------

PROBLEMS = {
    "no choices": (chat("x") | {"choices": []}, "answered without choices"),
    "another object": ({"error": "overloaded"}, "overloaded"),
    "a web page": ("<html>502</html>", "answered without choices: '<html>502</html>'"),
    "a wrong key": (refusal(401), "refused the key (401); give api_key="),
    "an unknown model": (refusal(404, "no such model"), "knows no model 'm'"),
    "no schemas": (refusal(400, "response_format is not supported"), "structured=False"),
    "down": (refusal(503, "overloaded"), "answered 503 in 1 tries; it said"),
    "FastAPI's error": ((422, {"detail": "bad field"}), "bad field"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_one_line_with_endpoint_reason_and_fix_and_is_not_kept(name, tmp_path):
    said, why = PROBLEMS[name]
    with server(said) as web:
        client = Client("m", web.url, retries=0, cache=tmp_path)
        answer = client.ask(question())
    assert answer.value is None and why in answer.problem and web.url in answer.problem
    assert "\n" not in answer.problem
    assert (len(web.bodies), client.ledger.calls, client.ledger.failed) == (1, 1, 1)
    assert not list(tmp_path.iterdir()), "only answers may be kept"


def test_a_server_that_is_down_is_named():
    url = f"http://127.0.0.1:{free_port()}/v1"
    client = Client("m", url, retries=0)
    assert f"cannot reach {url}" in client.ask(question()).problem
    assert (client.ledger.calls, client.ledger.failed) == (1, 1)


def test_a_slow_server_is_given_up_after_the_time_out():
    with server(chat("late"), seconds=0.6) as web:
        answer = Client("m", web.url, timeout=0.2, retries=0).ask(question())
    assert "no answer" in answer.problem and "within 0.2 s in 1 tries" in answer.problem


def test_429_is_retried_and_recovers():
    with server(refusal(429, "slow down"), chat("yes")) as web:
        client = Client("m", web.url)
        assert client.ask(question()).value == "yes"
    assert len(web.bodies) == 2 and (client.ledger.calls, client.ledger.failed) == (1, 0)


def test_500_for_ever_is_tried_as_often_as_asked():
    with server(refusal(500, "boom")) as web:
        answer = Client("m", web.url, retries=2).ask(question())
    assert len(web.bodies) == 3 and "answered 500 in 3 tries" in answer.problem


def test_retries_wait_longer_each_time_when_the_server_names_no_time(monkeypatch):
    import openai._base_client as base

    waits = []
    monkeypatch.setattr(base.time, "sleep", waits.append)
    Client("m", f"http://127.0.0.1:{free_port()}/v1", retries=3).ask(question())
    assert len(waits) == 3 and waits[0] < waits[1] < waits[2]
    assert len({wait / 2 ** i for i, wait in enumerate(waits)}) == 3, "no jitter"


# ---- keys --------------------------------------------------------------------------------------------------

def test_a_wrong_key_is_asked_once_and_never_shown(tmp_path):
    record, key = tmp_path / "record.jsonl", "sk-secret-123456"
    with server(refusal(401, f"Incorrect key {key}")) as web:
        client = Client("m", web.url, key, {"extra_headers": {"x-key": key}, "seed": 3}, record=record)
        answer = client.ask(question())
    assert len(web.bodies) == 1 and web.keys == [f"Bearer {key}"]
    assert key not in answer.problem and key not in record.read_text()
    assert json.loads(record.read_text())["request"] == {"seed": 3}


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_key_that_a_server_repeats_is_never_shown(status, tmp_path):
    record, key = tmp_path / "record.jsonl", "sk-secret-123456"
    with server((status, {"error": {"message": f"no credits for {key}"}})) as web:
        problem = Client("m", web.url, key, retries=0, record=record).ask(question()).problem
    assert "no credits for ***" in problem and key not in problem + record.read_text()


def test_a_key_from_the_environment_stays_at_home(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    with server(chat("yes")) as web:
        Client("m", web.url).ask(question())
    assert web.keys == ["Bearer none"]


def test_the_hosted_default_needs_a_key(monkeypatch):
    from openai import OpenAIError

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(OpenAIError, match="OPENAI_API_KEY"):
        Client("m")


def test_without_a_key_the_servers_words_are_shown_as_they_are():
    with server(refusal(400, "none of these fields")) as web:
        assert "none of these fields" in Client("m", web.url).ask(question()).problem


# ---- how many at once --------------------------------------------------------------------------------------

def test_answers_keep_their_order_and_the_bound_holds_over_threads():
    with server(chat("yes"), seconds=0.1) as web:
        client = Client("m", web.url, concurrency=3)
        asked = [[(question(str(i)),) for i in range(k, 9, 3)] for k in range(3)]
        threads = [threading.Thread(target=in_order, args=(client.ask, part, 3)) for part in asked]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert web.busiest == 3 and client.ledger.calls == 9
    assert in_order(lambda i: i * i, [(i,) for i in range(9)], 3) == [i * i for i in range(9)]


@pytest.mark.parametrize("said, problem", [(chat("yes"), None), (refusal(400), "BadRequestError")])
def test_equal_questions_asked_at_once_are_asked_once(said, problem, tmp_path):
    with server(said, seconds=0.3) as web:
        client = Client("m", web.url, cache=tmp_path)
        answers = in_order(client.ask, [(question(),)] * 6, 6)
    assert len(web.bodies) == 1 and len({id(answer) for answer in answers}) == 1
    assert problem is None or problem in answers[0].problem
    assert (client.ledger.calls, client.ledger.cached) == (1, 5)


def test_without_a_cache_equal_questions_are_asked_each():
    with server(chat("yes")) as web:
        in_order(Client("m", web.url).ask, [(question(),)] * 3, 3)
    assert len(web.bodies) == 3


# ---- what is kept ------------------------------------------------------------------------------------------

def test_the_cache_answers_a_second_client_without_a_request(tmp_path):
    with server(chat("first"), chat("second")) as web:
        first = Client("m", web.url, cache=tmp_path).ask(question())
        again = Client("m", web.url, cache=tmp_path)
        assert again.ask(question()) == first and len(web.bodies) == 1
        assert (again.ledger.calls, again.ledger.cached, again.ledger.prompt_tokens) == (0, 1, 0)
        assert again.ask(question("another")).value == "second"


def test_a_failure_is_asked_again(tmp_path):
    with server(refusal(400), chat("yes")) as web:
        client = Client("m", web.url, cache=tmp_path)
        assert client.ask(question()).problem and client.ask(question()).value == "yes"


def test_what_cannot_be_read_is_paid_for_and_not_kept(tmp_path):
    with server(chat("garbage")) as web:
        client = Client("m", web.url, cache=tmp_path)
        assert client.ask(question(read=unreadable)).problem == "cannot read 'garbage'"
    assert (client.ledger.failed, client.ledger.prompt_tokens) == (1, 100) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"answer": 5}'])
def test_a_broken_cache_file_is_asked_again_and_mended(broken, tmp_path):
    with server(chat("yes")) as web:
        Client("m", web.url, cache=tmp_path).ask(question())
        file, = tmp_path.iterdir()
        file.write_text(broken)
        for _ in range(2):
            assert Client("m", web.url, cache=tmp_path).ask(question()).value == "yes"
    assert len(web.bodies) == 2


def test_fresh_asks_again_despite_the_cache_and_shares_the_ledger(tmp_path):
    with server(chat("yes")) as web:
        client = Client("m", web.url, cache=tmp_path)
        client.ask(question()), client.fresh().ask(question()), client.ask(question())
    assert len(web.bodies) == 2 and (client.ledger.calls, client.ledger.cached) == (2, 1)


def test_a_disk_that_takes_nothing_costs_the_file_and_not_the_answer(tmp_path):
    with server(chat("yes")) as web:
        client = Client("m", web.url, cache=tmp_path / "cache")
        (tmp_path / "cache").rmdir()
        with pytest.warns(UserWarning, match="cannot write .*cache"):
            assert client.ask(question()).value == "yes"


def test_the_ledger_counts_tokens_and_money():
    with server(chat("yes"), chat("garbage")) as web:
        client = Client("m", web.url, prices=(2.0, 10.0))
        client.ask(question()), client.ask(question(read=unreadable))
    ledger = client.ledger
    assert (ledger.calls, ledger.failed, ledger.prompt_tokens, ledger.completion_tokens) == (2, 1, 200, 40)
    assert ledger.cost == pytest.approx((200 * 2 + 40 * 10) / 1e6)


def test_the_record_holds_one_whole_line_for_each_call(tmp_path):
    record = tmp_path / "deep" / "record.jsonl"
    with server(chat("yes"), chat("garbage")) as web:
        client = Client("m", web.url, cache=tmp_path / "cache", record=record)
        noted = question(note=lambda answer: {"asked": "politely", "was": answer.value})
        client.ask(noted), client.ask(noted), client.ask(question("another", unreadable))
    good, cached, bad = (json.loads(line) for line in record.read_text().splitlines())
    assert {"time", "key", "model", "url", "request", "seconds"} <= good.keys()
    assert (good["answer"], good["asked"], good["was"], good["error"]) == ("yes", "politely", "yes", None)
    assert good["usage"] == {"prompt_tokens": 100, "completion_tokens": 20}
    assert cached["cached"] and not good["cached"] and cached["key"] == good["key"] != bad["key"]
    assert bad["answer"] == "garbage" and bad["error"] == "cannot read 'garbage'"


# ---- while it is written -----------------------------------------------------------------------------------

HALVES = {"role": "assistant", "content": "<think>fi"}, {"content": "ne</think>"}


def test_a_stream_shows_the_text_as_it_grows_and_books_its_tokens():
    seen = []
    with server(events(*HALVES)) as web:
        client = Client("m", web.url)
        assert client.ask(question(), seen.append).value == "<think>fine</think>"
    assert seen == ["<think>fi", "<think>fine</think>"]
    assert web.bodies[0]["stream"] and web.bodies[0]["stream_options"] == {"include_usage": True}
    assert (client.ledger.prompt_tokens, client.ledger.completion_tokens) == (7, 3)


def test_a_stopped_stream_gives_what_was_said_and_is_not_kept(tmp_path):
    stop = threading.Event()
    with server(events(*HALVES)) as web:
        answer = Client("m", web.url, cache=tmp_path).ask(question(), lambda text: stop.set(), stop)
    assert answer.value == "<think>fi" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("body", ["", "data: [DONE]\n\n", "data: {broken\n\n"])
def test_a_broken_stream_is_a_problem(body):
    with server(body) as web:
        assert web.url in Client("m", web.url, retries=0).ask(question(), print).problem


# ---- pictures ----------------------------------------------------------------------------------------------

def test_large_pictures_are_shrunk_before_they_are_sent():
    sent = [pack(Image.new("L", size), 64) for size in ((300, 900), (40, 30))]
    shown = [Image.open(io.BytesIO(base64.b64decode(picture.url.partition(",")[2]))) for picture in sent]
    assert [picture.size for picture in shown] == [(21, 64), (40, 30)] and shown[0].mode == "RGB"


def test_a_pictures_name_is_its_size_and_its_pixels():
    black, wide, tall = (pack(Image.new("RGB", size), 64).name for size in ((4, 4), (8, 2), (2, 8)))
    assert len({black, wide, tall, pack(Image.new("RGB", (4, 4), "white"), 64).name}) == 4
    assert black == pack(Image.new("L", (4, 4)), 64).name
