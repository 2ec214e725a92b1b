"""A model behind any OpenAI-compatible endpoint as the policy: hosted models, vLLM, Ollama, `transformers serve`.

`EndpointPolicy` has the `write` and `stream` of every policy, so `play`, `evaluate` and the widgets take it as they
take a local model. The environment's conversation is translated on the way out, the answer on the way back:

    Tool replies go as `user` messages inside <tool_response></tool_response>, pictures included, since most endpoints
    refuse pictures in `tool` messages. That is what Qwen's templates make of a tool reply, so a model trained here reads
    the same tokens as in training; give it `grammar=False`. To other models the grammar of a turn is said once, after the
    rules in the system message.

What comes back is the raw turn in our grammar (see `environment`). Native tool calls and reasoning that a server cut
out of the text are put back as <tool_call> and <think>; nothing else is repaired, because a malformed turn is the
model's own.

    vllm serve Qwen/Qwen2.5-VL-72B-Instruct --tensor-parallel-size 4 --max-model-len 32768
    EndpointPolicy("Qwen/Qwen2.5-VL-72B-Instruct", "http://localhost:8000/v1")
    Hosted: the key from OPENAI_API_KEY, prices per million prompt and completion tokens
    EndpointPolicy("a-hosted-model", prices=(2.5, 10.0), cache="runs/answers")
    One that wants other fields (a reasoning model): temperature=None, max_tokens=None, max_completion_tokens=16384

Left out: offering the tool natively, batch endpoints, several samples at once, prompt caching's prices. A bound on a dribbling answer: `timeout` is the
longest wait for the next bytes of a try.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path

from ..talk import write_turn
from ..judge.vlm import Ledger, VLMJudge, _clip, _in_order, _Packed, _stored, _written

GRAMMAR = (
    " To call the tool, write exactly this form, the program as a JSON string:\n"
    + write_turn("what you see and what you do", "the complete program").replace("{", "{{").replace("}", "}}")
    + "\nTo end, write:\n" + write_turn("why", answer="the complete program, or turn k")
    + "\nThe tool replies with {pictures} and, last, the image to reproduce again, with a score and what differs."
)
PICTURES = "the picture that your program drew"
DIFFERENCE = ", a picture of what it misses (red) and has too much (blue)"


class EndpointError(RuntimeError):
    """Conversations that got no answer. `texts` has None for each of them and the answers that the others got."""

    def __init__(self, message, texts=()):
        super().__init__(message)
        self.texts = list(texts)


class EndpointPolicy:
    """A policy behind an OpenAI-compatible endpoint.

    Args:
        model, base_url, api_key: as `openai.OpenAI` takes them. Without `base_url` the hosted default and the key in
            OPENAI_API_KEY; a key from the environment is never sent to a `base_url` of yours.
        grammar: say how a turn is written, after the rules. False for a model that was trained on it.
        difference: ask the environment for the difference picture in the tool's reply.
        concurrency: the most requests under way at once, over all threads.
        timeout, retries: seconds without a byte before a try is given up; further tries after time-outs, lost
            connections, 408, 409, 429 and 5xx, with the client's exponential backoff, jitter and Retry-After.
        cache: a folder for answers, keyed by model, request and conversation: what was paid for is not asked again when
            an evaluation resumes. With a temperature it also repeats one sample for equal conversations.
        prices: for a million prompt tokens and a million completion tokens; see `ledger`.
        side: pictures are shrunk to this longest side, in pixels.
        request: further fields, such as seed or extra_body; temperature=0 and max_tokens=4096 are the defaults, None
            leaves a field out.

    Raises openai.OpenAIError without any key. `write` raises `EndpointError` when a conversation got no answer after
    all tries, naming endpoint, reason and fix; the others of the batch are finished first.

    Example: `play(EndpointPolicy("qwen2.5vl:7b", "http://localhost:11434/v1"), image)`.
    """

    # what is said of a failed request and how a request is booked: the judge's, for the same attributes
    _explain, _book = VLMJudge._explain, VLMJudge._book

    def __init__(self, model, base_url=None, api_key=None, grammar=True, difference=False, concurrency=8,
                 timeout=120.0, retries=3, cache=None, prices=(0.0, 0.0), side=1024, **request):
        import openai

        self.model, self.grammar, self.difference = model, grammar, difference
        self.concurrency, self.prices, self.side = concurrency, prices, side
        request = {"temperature": 0, "max_tokens": 4096} | request
        self.request = {name: value for name, value in request.items() if value is not None}
        self.cache = None if cache is None else Path(cache)
        if self.cache is not None:
            self.cache.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger()
        if base_url is not None and api_key is None:
            api_key = "none"
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key, timeout=timeout, max_retries=retries)
        self._gate, self._lock = threading.BoundedSemaphore(concurrency), threading.Lock()

    def __repr__(self):
        return f"EndpointPolicy({self.model!r} at {self._client.base_url}, {self.ledger})"

    def write(self, conversations) -> list[str]:
        """The next turn of each conversation, up to `concurrency` at once."""
        answers = _in_order(self._turn, [(talk,) for talk in conversations], self.concurrency)
        texts = [text for text, _ in answers]
        problems = [problem for _, problem in answers if problem]
        if problems:
            among = f" ({len(problems)} of {len(answers)} conversations)" if len(answers) > 1 else ""
            raise EndpointError(f"model {self.model!r}: {problems[0]}{among}", texts)
        return texts

    def stream(self, conversation, on_text=None, stop=None) -> str:
        """The next turn of one conversation: `on_text(text so far)` as it comes, until `stop.is_set()`.

        Reasoning and native calls that the server keeps out of the text are in the turn, not in `on_text`.
        """
        text, problem = self._turn(conversation, on_text or (lambda text: None), stop)
        if problem:
            raise EndpointError(f"model {self.model!r}: {problem}", [None])
        return text

    def messages(self, conversation) -> list[dict]:
        """A conversation as it is sent, pictures as PNG data URLs: look here when a model misreads something."""
        pictures = PICTURES + DIFFERENCE * self.difference
        sent = []
        for message in conversation:
            content = message["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            role, words = message["role"], "".join(part["text"] for part in parts if part["type"] == "text")
            if role == "system":
                if self.grammar:
                    words += GRAMMAR.format(pictures=pictures)
                sent.append({"role": "system", "content": words})
            elif role == "assistant":
                sent.append({"role": "assistant", "content": words})
            elif role == "user":
                sent.append({"role": "user", "content": self._blocks(parts)})
            else:
                after = sent[-1]["role"] == "user"  # several calls in one turn: one message, as in Qwen's template
                framed = [_text("\n" * after + "<tool_response>\n"), *self._blocks(parts), _text("\n</tool_response>")]
                if after:
                    sent[-1]["content"] += framed
                else:
                    sent.append({"role": "user", "content": framed})
        return sent

    def _blocks(self, parts):
        return [_text(part["text"]) if part["type"] == "text" else
                {"type": "image_url", "image_url": {"url": _Packed(part["image"], self.side).url}} for part in parts]

    def _turn(self, conversation, on_text=None, stop=None):
        """(text, None) or (None, why there is none) for one conversation."""
        started, text, usage = time.perf_counter(), None, None
        messages = self.messages(conversation)
        path = self.cache and self.cache / f"{_key(self.model, self.request, messages)}.json"
        text, usage = _stored(path)
        cached, problem = text is not None, None
        if not cached:
            try:
                with self._gate:
                    ask = self._post if on_text is None else lambda messages: self._streamed(messages, on_text, stop)
                    text, usage, problem = ask(messages)
            except Exception as error:  # whatever an endpoint or its proxy comes up with leaves this turn unwritten
                problem = self._explain(error)
        self._book(cached, problem, usage, time.perf_counter() - started)
        stopped = stop is not None and stop.is_set()
        if path and problem is None and not cached and not stopped:
            _written(path, json.dumps({"answer": text, "usage": usage}))
        return (None, problem) if problem else (text, None)

    def _post(self, messages):
        """(text, usage, problem) of one request; raises what the client raises."""
        return self._read(self._client.chat.completions.create(model=self.model, messages=messages, **self.request))

    def _streamed(self, messages, on_text, stop):
        request, reply = {"stream_options": {"include_usage": True}} | self.request, None
        with self._client.chat.completions.stream(model=self.model, messages=messages, **request) as events:
            for event in events:
                reply = events.current_completion_snapshot
                if event.type == "content.delta":
                    on_text(event.snapshot)
                if stop is not None and stop.is_set():
                    break
        return self._read(reply, stopped=stop is not None and stop.is_set())

    def _read(self, reply, stopped=False):
        if not getattr(reply, "choices", None):
            return None, None, f"{self._client.base_url} answered without choices: {_clip(reply)!r}"
        usage = reply.usage and {"prompt_tokens": reply.usage.prompt_tokens,
                                 "completion_tokens": reply.usage.completion_tokens}
        choice = reply.choices[0]
        text = _grammar(choice.message)
        if not text and not stopped and choice.finish_reason in ("length", "content_filter"):
            bound = self.request.get("max_completion_tokens") or self.request.get("max_tokens")
            reason = (f"spent all its {bound} tokens before a word of its turn; give max_tokens=..."
                      if choice.finish_reason == "length" else "its content filter took the whole turn away")
            return None, usage, f"{self._client.base_url}: {reason}"
        return text, usage, None


def _text(words):
    return {"type": "text", "text": words}


def _key(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _grammar(message):
    """The turn as one text in our grammar: what the server cut out of it is put back where it stood."""
    said = message.content or getattr(message, "refusal", None) or ""
    thought = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    calls = message.tool_calls or []
    if "<think>" not in said:
        if thought:
            said = f"<think>{thought.strip()}</think>\n{said}"
        elif calls:  # who calls natively thinks aloud in the text before the call
            said = f"<think>{said.strip()}</think>\n"
    for call in calls:
        # as the model wrote them: arguments that are no JSON are its mistake, for `parse_turn` to find
        function = call.function
        body = f'{{"name": {json.dumps(function.name)}, "arguments": {function.arguments or "{}"}}}'
        said = f"{said.rstrip()}\n<tool_call>\n{body}\n</tool_call>"
    return said
