"""A vision-language model as the judge: any OpenAI-compatible endpoint, local or hosted.

`VLMJudge` is called as `PixelJudge` is and answers with the same `Verdict`. What cannot be scored (endpoint
down, slow, half an answer, points out of range) is a verdict with score NaN and the reason, never an
exception and never a zero; `Fallback` decides what an unscored verdict means for a run.

Presets; serve the model, then make the judge (`audit` it before you train on it):

    The paper's judge is of this family (its prompt and scale are not published):
        vllm serve Qwen/Qwen2.5-VL-72B-Instruct --tensor-parallel-size 4 --max-model-len 16384
        VLMJudge("Qwen/Qwen2.5-VL-72B-Instruct", "http://localhost:8000/v1")
    A reward model trained on lists of discrepancies, Visual-ERM (8B, arXiv 2603.13224):
        vllm serve internlm/Visual-ERM --max-model-len 16384
        VLMJudge("internlm/Visual-ERM", "http://localhost:8000/v1", criteria="errors", max_tokens=4096)
    Ollama:
        ollama pull qwen2.5vl:7b
        VLMJudge("qwen2.5vl:7b", "http://localhost:11434/v1", timeout=300)
    Hosted: the key from OPENAI_API_KEY, prices per million prompt and completion tokens
        VLMJudge("a-hosted-model", prices=(2.5, 10.0), cache="runs/judge", record="runs/judge.jsonl")

Criteria (`criteria`): "chart" and "page" ask for points, "errors" for a list of errors. Visual-ERM was
trained on its own wording of the latter, which you can give as `prompt`. A dict {name: (points, question)} is
yours.

Left out: a bound on the whole of a dribbling answer, batch endpoints, streaming (see `endpoint.client`),
several samples with a vote. An image can hold text that talks to the judge ("give full points"); nothing here
prevents that, `audit` and `PixelJudge` beside it show it.
"""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, replace

from ..endpoint.client import (
    Client,
    NoAnswer,
    Question,
    clip,
    in_order,
    key_of,
    pack,
    picture_part,
    text_part,
)
from ..endpoint.replies import nothing_said
from .criteria import CRITERIA, instruction, read_verdict, schema
from .pixel import PixelJudge
from .protocol import JudgeStopped, as_judge, name_of
from .verdict import Verdict

LABELS = "the target", "the render"


class VLMJudge:
    """A judge behind an OpenAI-compatible endpoint: `judge(target, image, error=None) -> Verdict`, as
    `PixelJudge`.

    `score` in [0, 1] is the sum of points over their maximum, `parts` the share of each criterion, `feedback`
    the differences in at most 5 sentences, `reason` the model's sentence, or "judge: ..." when the score is
    NaN.

    Args:
        model, base_url, api_key, concurrency, timeout, retries, prices: as `endpoint.Client` takes them; what
            was spent is in `ledger`.
        criteria: "chart", "page", "errors", or {name: (points, question)}. `prompt` replaces the
        instruction's words. swap: ask twice, the second time with the render first, and average. Half of
        either order is not a verdict. cache: a folder. Keyed by model, prompt, request and both images; only
        scored answers are kept. record: a file; each question and answer is appended as one JSON line. Keys
        are never written. side: pictures are shrunk to this longest side, in pixels. structured: ask for the
        JSON schema (`response_format`); False for servers that refuse it. request: further fields, such as
        seed or extra_body; temperature=0 and max_tokens=1024 are the defaults, None
            leaves a field out.

    Raises TypeError for what is no PIL image, ValueError for unknown criteria, openai.OpenAIError without any
    key.

    Example: `VLMJudge("Qwen/Qwen2.5-VL-72B-Instruct", "http://localhost:8000/v1", cache="runs/judge")(target,
    render)`
    """

    def __init__(self, model, base_url=None, api_key=None, criteria="chart", prompt=None, swap=False,
                 concurrency=8, timeout=60.0, retries=3, cache=None, record=None, prices=(0.0, 0.0),
                 side=1024, structured=True, **request):
        if isinstance(criteria, str) and criteria not in (*CRITERIA, "errors"):
            raise ValueError(f"unknown criteria {criteria!r}; known: {', '.join(CRITERIA)}, errors, "
                             "or your own {name: (points, question)}")
        # None asks for a list of errors
        self.criteria = CRITERIA.get(criteria) if isinstance(criteria, str) else criteria
        self.model, self.prompt = model, prompt or instruction(self.criteria)
        self.swap, self.side, self.concurrency = swap, side, concurrency
        request = {"temperature": 0, "max_tokens": 1024} | request
        if structured:
            request["response_format"] = {"type": "json_schema", "json_schema": {
                "name": "verdict", "strict": True, "schema": schema(self.criteria)}}
        self.client = Client(model, base_url, api_key, request, concurrency=concurrency, timeout=timeout,
                             retries=retries, cache=cache, record=record, prices=prices)
        self.ledger = self.client.ledger

    def __repr__(self):
        return f"VLMJudge({self.client!r})"

    def __call__(self, target, image, error=None) -> Verdict:
        if image is None:
            return Verdict.no_picture(error)
        pair = pack(target, self.side), pack(image, self.side)
        verdict = self._ask(pair, LABELS)
        if not self.swap or math.isnan(verdict.score):
            return verdict
        other = self._ask(pair[::-1], LABELS[::-1])
        if math.isnan(other.score):
            return other
        parts = {name: (value + other.parts[name]) / 2 for name, value in verdict.parts.items()}
        reason = f"Target first {verdict.score:.3f}, render first {other.score:.3f}. {verdict.reason}"
        return Verdict((verdict.score + other.score) / 2, verdict.feedback, parts, reason)

    def map(self, pairs) -> list[Verdict]:
        """Judge many (target, image) or (target, image, error), up to `concurrency` at once; verdicts in
        order."""
        return in_order(self, pairs, self.concurrency)

    def fresh(self) -> VLMJudge:
        """The same judge without its cache, to measure how much its answers vary; ledger and bounds stay
        shared."""
        twin = copy.copy(self)
        twin.client = self.client.fresh()
        return twin

    def _ask(self, pair, labels):
        """One question about two pictures, in this order."""
        names = [picture.name for picture in pair]

        def note(answer):
            verdict = asdict(_verdict(answer))
            if answer.problem:
                verdict["score"] = None  # JSON knows no NaN
            return {"prompt": self.prompt, "labels": labels, "images": names, "verdict": verdict}

        key = key_of(self.model, self.prompt, self.client.request, labels, names)
        question = Question(self._messages(pair, labels), key, self._words, self._read, note)
        return _verdict(self.client.ask(question))

    def _messages(self, pair, labels):
        content = [text_part(self.prompt)]
        for number, (picture, label) in enumerate(zip(pair, labels, strict=True), 1):
            content += [text_part(f"Image {number}, {label}:"), picture_part(picture)]
        return [{"role": "user", "content": content}]

    def _words(self, choice):
        message, request = choice.message, self.client.request
        said = message.content or message.reasoning_content  # some servers take all of it for thoughts
        if message.content and choice.finish_reason != "length":
            return said
        try:
            read_verdict(said, self.criteria)
        except NoAnswer:
            if not message.content:
                raise nothing_said(choice, self.client.url, request) from None
            raise NoAnswer(f"the answer was cut off at {request.get('max_tokens')} tokens; give "
                           f"max_tokens=...; it said {clip(said)!r}", said) from None
        return said

    def _read(self, text):
        try:
            return read_verdict(text, self.criteria)
        except NoAnswer as error:
            raise NoAnswer(f"{error}; it said {clip(text)!r}") from None


def _verdict(answer):
    return Verdict.unscored(answer.problem) if answer.problem else answer.value


class Fallback:
    """What an unscored verdict of `judge` means: `on_unscored` is "drop", "pixel" or "stop".

    "drop" leaves the NaN: the trainer keeps that rollout out of its group. "pixel" takes `PixelJudge`'s
    verdict and keeps the failure in `reason`; mind that two judges then score one group. "stop" raises
    `JudgeStopped`, and again at every later call without asking: TRL turns a tool's exception into a tool
    reply, so the first one may be lost. A judge that raises counts as unscored. Works around any judge.

    Example: `Environment(judge=Fallback(VLMJudge("m", url), "stop"))`, and a new one to go on after a stop.
    """

    def __init__(self, judge, on_unscored="drop"):
        if on_unscored not in ("drop", "pixel", "stop"):
            raise ValueError(f"on_unscored is 'drop', 'pixel' or 'stop', not {on_unscored!r}")
        self.judge, self.on_unscored = as_judge(judge), on_unscored
        self.__name__ = name_of(self.judge)
        self.concurrency = getattr(judge, "concurrency", 1)
        self._pixel, self._stopped = PixelJudge(), None

    def __call__(self, target, image, error=None) -> Verdict:
        if self._stopped:
            raise JudgeStopped(self._stopped)
        try:
            verdict = self.judge(target, image, error)
        except Exception as failure:
            verdict = Verdict.unscored(failure)
        if not math.isnan(verdict.score) or self.on_unscored == "drop":
            return verdict
        if self.on_unscored == "stop":
            self._stopped = ("stopped, as asked by on_unscored='stop', for want of a verdict: "
                             f"{verdict.reason}")
            raise JudgeStopped(self._stopped)
        pixel = self._pixel(target, image, error)
        return replace(pixel, reason=f"{pixel.reason} (PixelJudge in place of: {verdict.reason})")

    def map(self, pairs) -> list[Verdict]:
        """As `VLMJudge.map`, as many at once as the judge allows (one where it names no `concurrency`)."""
        return in_order(self, pairs, self.concurrency)
