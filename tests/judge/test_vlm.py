"""One property of the VLM judge per test, over real HTTP: a server that answers as told, and `transformers serve`.

Left out: how well any model judges. The shipped nano model cannot judge; it shows that the protocol holds.
"""
import base64
import io
import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from rrvf_lab.judge import PixelJudge, Verdict
from rrvf_lab.vlm_judge import CRITERIA, Fallback, JudgeStopped, VLMJudge

FULL = {name: points for name, (points, _) in CRITERIA["chart"].items()}
TARGET, RENDER = Image.new("RGB", (40, 30), "white"), Image.new("RGB", (40, 30), "teal")


def said(scores=FULL, differences=["The line is red."]):
    return json.dumps({"differences": differences, "scores": scores, "sentence": "Alike."})


def chat(text, finish="stop", message=None):
    """The body of a chat completion."""
    message = message or {"role": "assistant", "content": text}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}}


@contextmanager
def server(*answers, seconds=0.0):
    """An endpoint that gives each answer once, the last one for ever: (status, body) or a body. It keeps `.bodies`."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                answer = answers[min(len(web.bodies), len(answers) - 1)]
                web.bodies.append(body)
                web.keys.append(self.headers["Authorization"])
                web.busy += 1
                web.busiest = max(web.busiest, web.busy)
            time.sleep(seconds)
            with lock:
                web.busy -= 1
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # the judge gave up waiting, as it should

        def log_message(self, *_):
            pass

    lock = threading.Lock()
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.bodies, web.keys, web.busy, web.busiest = [], [], 0, 0
    web.url = f"http://127.0.0.1:{web.server_port}/v1"
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def images_of(body):
    return [part["image_url"]["url"] for part in body["messages"][0]["content"] if part["type"] == "image_url"]


def test_a_good_answer_becomes_a_verdict_with_parts_feedback_and_reason():
    with server(chat(said(FULL | {"data": 10, "text": 0}))) as web:
        verdict = VLMJudge("m", web.url)(TARGET, RENDER)
    assert verdict.score == pytest.approx(0.7) and verdict.parts["data"] == 0.5 and verdict.parts["text"] == 0
    assert verdict.feedback == "The line is red." and verdict.reason == "Alike."


def test_a_fallback_asks_as_many_at_once_as_its_judge():
    assert Fallback(VLMJudge("m", "http://localhost:1/v1", concurrency=12)).concurrency == 12


def test_the_question_holds_target_then_render_the_criteria_and_a_schema():
    with server(chat(said())) as web:
        VLMJudge("m", web.url, seed=3)(TARGET, RENDER)
    body, = web.bodies
    first, second = images_of(body)
    assert first != second and first.startswith("data:image/png;base64,")
    assert [part["text"] for part in body["messages"][0]["content"] if part["type"] == "text"][1:] == [
        "Image 1, the target:", "Image 2, the render:"]
    assert all(f"{name} (0 to {points})" in body["messages"][0]["content"][0]["text"] for name, points in FULL.items())
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["scores"]["required"] == list(FULL)
    assert (body["seed"], body["temperature"], body["model"]) == (3, 0, "m")


@pytest.mark.parametrize("text", ["```json\n{}\n```", "<think>maybe {{5}}</think>{}", "Here it is: {} Done."])
def test_the_object_is_found_in_a_fence_after_thoughts_and_between_words(text):
    with server(chat(text.replace("{{", "{").replace("}}", "}").replace("{}", said()))) as web:
        assert VLMJudge("m", web.url)(TARGET, RENDER).score == 1.0


BAD = {
    "garbage": (chat("The charts look alike to me."), "no JSON object"),
    "half a JSON": (chat(said()[:60]), "broken JSON"),
    "cut at max_tokens": (chat(said()[:60], finish="length"), "cut off at 1024 tokens"),
    "empty choices": (chat("x") | {"choices": []}, "without choices"),
    "another object": ({"error": "overloaded"}, "without choices"),
    "a web page": ("<html>502</html>", "without choices"),
    "no content": (chat(None), "no text in the answer"),
    "a refusal": (chat("", message={"role": "assistant", "content": None, "refusal": "I cannot."}), "I cannot."),
    "out of range": (chat(said(FULL | {"data": 21})), "'data' is 21, out of 0 to 20"),
    "negative": (chat(said(FULL | {"style": -1})), "'style' is -1"),
    "not finite": (chat(said(FULL | {"style": math.nan})), "'style' is nan"),
    "a missing part": (chat(said({k: v for k, v in FULL.items() if k != "text"})), "no number for 'text'"),
    "a word for a number": (chat(said(FULL | {"text": "good"})), "no number for 'text'"),
    "true for a number": (chat(said(FULL | {"text": True})), "no number for 'text'"),
    "no scores": (chat('{"differences": []}'), "no 'scores'"),
    "no differences": (chat(said(differences="none")), "no list of 'differences'"),
    "deep nesting": (chat('{"scores": ' + "[" * 50_000 + "}"), "broken JSON"),
    "bad request": ((400, {"error": {"message": "response_format is not supported"}}), "structured=False"),
    "unknown model": ((404, {"error": {"message": "no such model"}}), "knows no model 'm'"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_is_no_verdict_is_unscored_after_one_request_and_says_why(name, tmp_path):
    answer, why = BAD[name]
    with server(answer) as web:
        judge = VLMJudge("m", web.url, cache=tmp_path)
        verdict = judge(TARGET, RENDER)
    assert math.isnan(verdict.score) and verdict.reason.startswith("judge: ") and why in verdict.reason
    assert (len(web.bodies), judge.ledger.calls, judge.ledger.failed) == (1, 1, 1)
    assert not list(tmp_path.iterdir()), "only scored answers may be kept"


def test_429_is_retried_and_recovers():
    with server((429, {"error": {"message": "slow down"}}), chat(said())) as web:
        judge = VLMJudge("m", web.url)
        assert judge(TARGET, RENDER).score == 1.0
    assert len(web.bodies) == 2 and (judge.ledger.calls, judge.ledger.failed) == (1, 0)


def test_500_for_ever_is_tried_as_often_as_asked_and_then_unscored():
    with server((500, {"error": {"message": "boom"}})) as web:
        verdict = VLMJudge("m", web.url, retries=2)(TARGET, RENDER)
    assert len(web.bodies) == 3 and math.isnan(verdict.score) and "answered 500 in 3 tries" in verdict.reason


def test_retries_wait_longer_each_time_when_the_server_names_no_time(monkeypatch):
    waits = []
    import openai._base_client as client
    monkeypatch.setattr(client.time, "sleep", waits.append)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    VLMJudge("m", f"http://127.0.0.1:{port}/v1", retries=3)(TARGET, RENDER)
    assert len(waits) == 3 and waits[0] < waits[1] < waits[2]
    assert len({wait / 2 ** i for i, wait in enumerate(waits)}) == 3, "no jitter"


def test_a_wrong_key_is_asked_once_and_never_shown(tmp_path):
    record, key = tmp_path / "record.jsonl", "sk-secret-123456"
    with server((401, {"error": {"message": f"Incorrect key {key}"}})) as web:
        verdict = VLMJudge("m", web.url, api_key=key, record=record)(TARGET, RENDER)
    assert len(web.bodies) == 1 and web.keys == [f"Bearer {key}"]
    assert math.isnan(verdict.score) and "refused the key (401)" in verdict.reason
    assert key not in verdict.reason and key not in record.read_text()


def test_a_key_from_the_environment_stays_at_home(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    with server(chat(said())) as web:
        VLMJudge("m", web.url)(TARGET, RENDER)
    assert web.keys == ["Bearer none"]


def test_an_answer_beyond_the_time_out_is_unscored():
    with server(chat(said()), seconds=0.6) as web:
        verdict = VLMJudge("m", web.url, timeout=0.2, retries=0)(TARGET, RENDER)
    assert math.isnan(verdict.score) and "no answer" in verdict.reason and "within 0.2 s in 1 tries" in verdict.reason


def test_an_endpoint_that_is_down_is_unscored():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    judge = VLMJudge("m", url, retries=0)
    verdict = judge(TARGET, RENDER)
    assert math.isnan(verdict.score) and f"cannot reach {url}" in verdict.reason
    assert (judge.ledger.calls, judge.ledger.failed) == (1, 1)


def test_no_picture_needs_no_request_and_gives_the_pixel_judges_verdict():
    with server(chat(said())) as web:
        verdict = VLMJudge("m", web.url)(TARGET, None, "Traceback\nNameError: ax")
    assert verdict == PixelJudge()(TARGET, None, "Traceback\nNameError: ax") and not web.bodies


def test_the_cache_answers_a_second_judge_without_a_request(tmp_path):
    with server(chat(said(FULL | {"data": 5})), chat(said())) as web:
        first = VLMJudge("m", web.url, cache=tmp_path)(TARGET, RENDER)
        again = VLMJudge("m", web.url, cache=tmp_path)
        assert again(TARGET, RENDER) == first and len(web.bodies) == 1
        assert (again.ledger.calls, again.ledger.cached, again.ledger.prompt_tokens) == (0, 1, 0)


@pytest.mark.parametrize("change", [{"model": "n"}, {"prompt": "Compare."}, {"temperature": 1}, {"criteria": "page"}])
def test_another_model_prompt_or_request_is_another_question(change, tmp_path):
    with server(chat(said())) as web:
        for options in ({}, change):
            VLMJudge(**{"model": "m", "base_url": web.url, "cache": tmp_path} | options)(TARGET, RENDER)
        VLMJudge("m", web.url, cache=tmp_path)(RENDER, TARGET)
    assert len(web.bodies) == 3


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"answer": 5}'])
def test_a_broken_cache_file_is_asked_again_and_mended(broken, tmp_path):
    with server(chat(said())) as web:
        VLMJudge("m", web.url, cache=tmp_path)(TARGET, RENDER)
        file, = tmp_path.iterdir()
        file.write_text(broken)
        for _ in range(2):
            assert VLMJudge("m", web.url, cache=tmp_path)(TARGET, RENDER).score == 1.0
    assert len(web.bodies) == 2


def test_fresh_asks_again_despite_the_cache(tmp_path):
    with server(chat(said())) as web:
        judge = VLMJudge("m", web.url, cache=tmp_path)
        judge(TARGET, RENDER), judge.fresh()(TARGET, RENDER), judge(TARGET, RENDER)
    assert len(web.bodies) == 2 and (judge.ledger.calls, judge.ledger.cached) == (2, 1)


def test_equal_questions_asked_at_once_are_asked_once(tmp_path):
    with server(chat(said()), seconds=0.3) as web:
        judge = VLMJudge("m", web.url, cache=tmp_path)
        verdicts = judge.map([(TARGET, RENDER)] * 6)
    assert len(web.bodies) == 1 and {v.score for v in verdicts} == {1.0} and judge.ledger.cached == 5


def test_map_keeps_the_order_and_the_bound():
    pairs = [(TARGET, Image.new("RGB", (40, 30), (i, 0, 0))) for i in range(8)] + [(TARGET, None, "E: no")]
    with server(chat(said()), seconds=0.15) as web:
        judge = VLMJudge("m", web.url, concurrency=3)
        started = time.perf_counter()
        verdicts = judge.map(pairs)
        took = time.perf_counter() - started
    assert web.busiest == 3 and took < 8 * 0.15
    assert [v.score for v in verdicts] == [1.0] * 8 + [0.0]


def test_the_bound_holds_over_threads_of_the_caller():
    with server(chat(said()), seconds=0.1) as web:
        judge = VLMJudge("m", web.url, concurrency=2)
        threads = [threading.Thread(target=judge.map, args=([(TARGET, RENDER)] * 3,)) for _ in range(3)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert web.busiest == 2 and judge.ledger.calls == 9


def test_swap_asks_twice_with_the_images_swapped_and_gives_the_mean():
    with server(chat(said()), chat(said(FULL | {"data": 0, "text": 0}))) as web:
        verdict = VLMJudge("m", web.url, swap=True)(TARGET, RENDER)
    first, second = web.bodies
    assert images_of(first) == images_of(second)[::-1]
    assert [p["text"] for p in second["messages"][0]["content"] if p["type"] == "text"][1:] == [
        "Image 1, the render:", "Image 2, the target:"]
    assert verdict.score == pytest.approx(0.8) and verdict.parts["data"] == 0.5 and "1.000" in verdict.reason


def test_half_of_a_swapped_pair_is_no_verdict():
    with server(chat(said()), chat("no")) as web:
        assert math.isnan(VLMJudge("m", web.url, swap=True)(TARGET, RENDER).score)


def test_the_ledger_counts_tokens_and_money():
    with server(chat(said()), chat("garbage")) as web:
        judge = VLMJudge("m", web.url, prices=(2.0, 10.0))
        judge(TARGET, RENDER), judge(TARGET, RENDER)
    ledger = judge.ledger
    assert (ledger.calls, ledger.failed, ledger.prompt_tokens, ledger.completion_tokens) == (2, 1, 200, 40)
    assert ledger.cost == pytest.approx((200 * 2 + 40 * 10) / 1e6)


def test_the_record_holds_one_whole_line_for_each_call(tmp_path):
    record = tmp_path / "deep" / "record.jsonl"
    with server(chat(said()), chat("garbage")) as web:
        judge = VLMJudge("m", web.url, cache=tmp_path / "cache", record=record)
        judge(TARGET, RENDER), judge(TARGET, RENDER), judge(RENDER, TARGET)
    good, cached, bad = (json.loads(line) for line in record.read_text().splitlines())
    assert good["answer"] == said() and good["verdict"]["score"] == 1.0 and good["usage"]["prompt_tokens"] == 100
    assert {"time", "key", "model", "prompt", "seconds"} <= good.keys() and good["images"] == bad["images"][::-1]
    assert cached["cached"] and cached["key"] == good["key"]
    assert bad["answer"] == "garbage" and bad["verdict"]["score"] is None and "no JSON" in bad["error"]


def test_feedback_cannot_carry_special_tokens_or_broken_text_into_the_conversation():
    wild = ["<|image_pad|></think> \ud800 here\nand there", "x" * 900, *["again"] * 9]
    with server(chat(said(differences=wild))) as web:
        feedback = VLMJudge("m", web.url)(TARGET, RENDER).feedback
    assert "<" not in feedback and ">" not in feedback and "\n" not in feedback
    feedback.encode()
    assert len(feedback) < 400 and feedback.count("again") == 3


def test_a_list_of_errors_is_scored_by_severity():
    errors = [{"category": "text_error", "severity": 1, "location": "title", "description": "Heat for Speed"},
              {"category": "data_error", "severity": 3, "location": "bar 2", "description": "missing"}]
    with server(chat(json.dumps({"errors": errors})), chat('{"errors": []}'),
                chat(json.dumps({"errors": [errors[0] | {"severity": 7}]}))) as web:
        judge = VLMJudge("m", web.url, criteria="errors")
        some, none, bad = (judge(TARGET, RENDER) for _ in range(3))
    assert some.score == pytest.approx(1 - 4 / 50) and some.feedback == "bar 2: missing. title: Heat for Speed."
    assert none.score == 1.0 and none.feedback == "No difference seen."
    assert math.isnan(bad.score) and "severity" in bad.reason


def test_own_criteria_are_points_of_their_own_sum():
    with server(chat(said({"taste": 3}))) as web:
        assert VLMJudge("m", web.url, criteria={"taste": (4, "is it good")})(TARGET, RENDER).score == 0.75


def test_unknown_criteria_and_no_picture_are_refused_in_words():
    with pytest.raises(ValueError, match="known: chart, page, errors"):
        VLMJudge("m", "http://localhost:1/v1", criteria="vibes")
    with pytest.raises(TypeError, match="PIL"):
        VLMJudge("m", "http://localhost:1/v1")(TARGET, "a path")


def test_large_pictures_are_shrunk_before_they_are_sent():
    with server(chat(said())) as web:
        VLMJudge("m", web.url, side=64)(Image.new("L", (300, 900)), RENDER)
    sent = [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in images_of(web.bodies[0])]
    assert [picture.size for picture in sent] == [(21, 64), (40, 30)] and sent[0].mode == "RGB"


# ---- what an unscored verdict means --------------------------------------------------------------------------------

def unscored(target, image, error=None):
    return Verdict(math.nan, "The judge failed.", {}, "judge: down")


def crashing(target, image, error=None):
    raise KeyError("weights")


@pytest.mark.parametrize("judge, why", [(unscored, "judge: down"), (crashing, "judge: KeyError")])
def test_each_policy_for_unscored_verdicts(judge, why):
    dropped, replaced = Fallback(judge)(TARGET, RENDER), Fallback(judge, "pixel")(TARGET, RENDER)
    assert math.isnan(dropped.score) and dropped.reason.startswith(why)
    assert replaced.score == PixelJudge()(TARGET, RENDER).score and why in replaced.reason
    with pytest.raises(JudgeStopped, match=why) as stopped:
        Fallback(judge, "stop")(TARGET, RENDER)
    assert "\n" not in str(stopped.value)


def test_a_stop_is_not_lost_when_its_first_exception_is_swallowed():
    asked = []
    judge = Fallback(lambda *pair: asked.append(pair) or unscored(*pair), "stop")
    for _ in range(3):
        with pytest.raises(JudgeStopped):
            judge(TARGET, RENDER)
    assert len(asked) == 1


@pytest.mark.parametrize("policy", ["drop", "pixel", "stop"])
def test_a_scored_verdict_passes_unchanged(policy):
    verdict = Verdict(0.5, "Fine.")
    assert Fallback(lambda *_: verdict, policy)(TARGET, RENDER) is verdict
    assert Fallback(lambda *_: verdict, policy).map([(TARGET, RENDER)] * 2) == [verdict] * 2


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="'drop', 'pixel' or 'stop'"):
        Fallback(unscored, "zero")


# ---- a real server ---------------------------------------------------------------------------------------------------

# the first import registers nano's processor
SERVE = "import rrvf_lab.nano; from transformers.cli.transformers import app; app()"


@pytest.fixture(scope="module")
def nano_endpoint(tmp_path_factory):
    pytest.importorskip("fastapi", reason="pip install 'transformers[serving]'")
    pytest.importorskip("uvicorn", reason="pip install 'transformers[serving]'")
    root = Path(__file__).parents[1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    with open(log, "w") as file:
        process = subprocess.Popen([sys.executable, "-c", SERVE, "serve", "data/nano/nano", "--host", "127.0.0.1",
                                    "--port", str(port), "--device", "cpu"], cwd=root, stdout=file, stderr=file,
                                   env=os.environ | {"HF_HUB_OFFLINE": "1"})
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-2000:]
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.slow
def test_transformers_serve_reads_both_images_and_what_nano_says_is_on_record_unscored(nano_endpoint, tmp_path, chart):
    record = tmp_path / "record.jsonl"
    # a few tokens: what nano writes for a prompt it never saw is often a call that the server itself cannot parse (500)
    judge = VLMJudge("data/nano/nano", nano_endpoint, record=record, max_tokens=8, timeout=120, retries=0)
    verdict = judge(chart, chart)
    line = json.loads(record.read_text())
    assert math.isnan(verdict.score) and verdict.reason.startswith("judge: ") and line["error"] in verdict.reason
    assert line["answer"], "what the model said must be on record"
    assert line["usage"]["prompt_tokens"] > 2 * 48 and 0 < line["usage"]["completion_tokens"] <= 8
    ledger = judge.ledger
    assert (ledger.calls, ledger.failed, ledger.prompt_tokens) == (1, 1, line["usage"]["prompt_tokens"])


@pytest.mark.slow
def test_transformers_serve_refuses_another_model_and_the_judge_says_so(nano_endpoint):
    verdict = VLMJudge("another", nano_endpoint, retries=0)(TARGET, RENDER)
    assert math.isnan(verdict.score) and "pinned to 'data/nano/nano'" in verdict.reason
