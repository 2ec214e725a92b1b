"""The VLM judge: one property per test, over real HTTP.

Left out: how well any model judges, what the client does for every asker (endpoint/test_client), a real
server (endpoint/test_served).
"""
import json
import math
import time

import pytest
from endpoint.servers import chat, images_of, server, words_of
from PIL import Image

from rrvf_lab.judge import JudgeStopped, PixelJudge, Verdict
from rrvf_lab.judge.vlm import CRITERIA, Fallback, VLMJudge

FULL = {name: points for name, (points, _) in CRITERIA["chart"].items()}
TARGET, RENDER = Image.new("RGB", (40, 30), "white"), Image.new("RGB", (40, 30), "teal")


def said(scores=FULL, differences=("The line is red.",)):
    return json.dumps({"differences": differences, "scores": scores, "sentence": "Alike."})


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
    prompt, *labels = words_of(body)
    assert labels == ["Image 1, the target:", "Image 2, the render:"]
    assert all(f"{name} (0 to {points})" in prompt for name, points in FULL.items())
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
    "no content": (chat(None), "no text in the answer"),
    "a refusal": (chat("", message={"role": "assistant", "content": None, "refusal": "No!"}), "No!"),
    "out of range": (chat(said(FULL | {"data": 21})), "'data' is 21, out of 0 to 20"),
    "negative": (chat(said(FULL | {"style": -1})), "'style' is -1"),
    "not finite": (chat(said(FULL | {"style": math.nan})), "'style' is nan"),
    "a missing part": (chat(said({k: v for k, v in FULL.items() if k != "text"})), "no number for 'text'"),
    "a word for a number": (chat(said(FULL | {"text": "good"})), "no number for 'text'"),
    "true for a number": (chat(said(FULL | {"text": True})), "no number for 'text'"),
    "no scores": (chat('{"differences": []}'), "no 'scores'"),
    "no differences": (chat(said(differences="none")), "no list of 'differences'"),
    "deep nesting": (chat('{"scores": ' + "[" * 50_000 + "}"), "broken JSON"),
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


CHANGES = {"model": "n"}, {"prompt": "Compare."}, {"temperature": 1}, {"criteria": "page"}


@pytest.mark.parametrize("change", CHANGES)
def test_another_model_prompt_or_request_is_another_question(change, tmp_path):
    with server(chat(said())) as web:
        for options in ({}, change):
            VLMJudge(**{"model": "m", "base_url": web.url, "cache": tmp_path} | options)(TARGET, RENDER)
        VLMJudge("m", web.url, cache=tmp_path)(RENDER, TARGET)
    assert len(web.bodies) == 3


def test_fresh_asks_again_despite_the_cache(tmp_path):
    with server(chat(said())) as web:
        judge = VLMJudge("m", web.url, cache=tmp_path)
        judge(TARGET, RENDER), judge.fresh()(TARGET, RENDER), judge(TARGET, RENDER)
    assert len(web.bodies) == 2 and (judge.ledger.calls, judge.ledger.cached) == (2, 1)


def test_map_keeps_the_order_and_the_bound():
    pairs = [(TARGET, Image.new("RGB", (40, 30), (i, 0, 0))) for i in range(8)] + [(TARGET, None, "E: no")]
    with server(chat(said()), seconds=0.15) as web:
        judge = VLMJudge("m", web.url, concurrency=3)
        started = time.perf_counter()
        verdicts = judge.map(pairs)
        took = time.perf_counter() - started
    assert web.busiest == 3 and took < 8 * 0.15
    assert [v.score for v in verdicts] == [1.0] * 8 + [0.0]


def test_swap_asks_twice_with_the_images_swapped_and_gives_the_mean():
    with server(chat(said()), chat(said(FULL | {"data": 0, "text": 0}))) as web:
        verdict = VLMJudge("m", web.url, swap=True)(TARGET, RENDER)
    first, second = web.bodies
    assert images_of(first) == images_of(second)[::-1]
    assert words_of(second)[1:] == ["Image 1, the render:", "Image 2, the target:"]
    assert verdict.score == pytest.approx(0.8) and verdict.parts["data"] == 0.5 and "1.000" in verdict.reason


def test_half_of_a_swapped_pair_is_no_verdict():
    with server(chat(said()), chat("no")) as web:
        assert math.isnan(VLMJudge("m", web.url, swap=True)(TARGET, RENDER).score)


def test_the_record_holds_one_whole_line_for_each_call(tmp_path):
    record = tmp_path / "deep" / "record.jsonl"
    with server(chat(said()), chat("garbage")) as web:
        judge = VLMJudge("m", web.url, cache=tmp_path / "cache", record=record)
        judge(TARGET, RENDER), judge(TARGET, RENDER), judge(RENDER, TARGET)
    good, cached, bad = (json.loads(line) for line in record.read_text().splitlines())
    assert good["answer"] == said() and good["verdict"]["score"] == 1.0
    assert good["usage"]["prompt_tokens"] == 100 and good["labels"] == ["the target", "the render"]
    assert {"time", "key", "model", "prompt", "seconds"} <= good.keys()
    assert good["images"] == bad["images"][::-1]
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
    assert some.score == pytest.approx(1 - 4 / 50)
    assert some.feedback == "bar 2: missing. title: Heat for Speed."
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


def test_pictures_are_sent_no_larger_than_asked():
    with server(chat(said())) as web:
        VLMJudge("m", web.url, side=64)(Image.new("L", (300, 900)), RENDER)
        VLMJudge("m", web.url)(Image.new("L", (21, 64)), RENDER)
    assert images_of(web.bodies[0]) == images_of(web.bodies[1])


# ---- what an unscored verdict means ------------------------------------------------------------------------

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


def test_a_fallback_works_around_any_function():
    assert Fallback(lambda target, image: 0.25)(TARGET, RENDER).score == 0.25
    outside = Fallback(lambda target, image: 7, "pixel")(TARGET, RENDER)
    assert outside.score == PixelJudge()(TARGET, RENDER).score and "outside [0, 1]" in outside.reason
