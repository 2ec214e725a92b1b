"""One client for OpenAI-compatible servers: vLLM, Ollama, `transformers serve`, hosted ones.

`Client.ask` takes a `Question` and gives an `Answer`: what its asker read from the server's words, or the
problem, in one line with its fix. Whatever a server or its proxy comes up with is a problem of that answer,
never an exception.

Pictures travel as PNG files in data URLs (`pack`). Answers are kept in a folder if one is given, so that what
was paid for is not asked again, and every question can leave one JSON line on record.

Left out: batch endpoints, several samples at once, the prices of cached prompts, and a bound on a dribbling
answer: `timeout` is the longest wait for the next bytes of a try.
"""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from ..leaves.files import write_whole
from ..leaves.pictures import data_url, rgb
from .replies import NoAnswer, choice_of, clip, words_of

_NO_KEY = "none"  # for servers that want none: openai.OpenAI must be given one
PAUSE = 0.5      # seconds before the first further try after an error with status 200; doubled each time
_SECRET = ("extra_headers", "extra_query")  # fields that may hold a key, and so stay off the record


@dataclass
class Ledger:
    """What a client has spent: `calls` went to the server, `failed` of them in vain; `cached` cost nothing.

    `cost` is in the currency of the client's `prices`; calls without a reply have no known tokens and count
    as free.
    """

    calls: int = 0
    cached: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What came of a question: the `value` that was read, or the `problem` that stood in its way."""

    value: object = None
    problem: str | None = None


@dataclass(frozen=True)
class Question:
    """One question, and how its answer is read.

    messages: as they are sent. key: names the answer in the cache, see `key_of`. words: the text of a reply's
    choice, which is what the cache keeps. read: what that text means. Both may raise `NoAnswer`. note: what
    the record says beside question and answer.
    """

    messages: list[dict]
    key: str
    words: Callable[[object], str]
    read: Callable[[str], object] = str
    note: Callable[[Answer], dict] = lambda answer: {}


class Client:
    """A model behind an OpenAI-compatible server.

    Args:
        model, base_url, api_key: as `openai.OpenAI` takes them. Without `base_url` the hosted default and the
            key in OPENAI_API_KEY; a key from the environment is never sent to a `base_url` of yours.
        request: further fields of each request, such as temperature or seed; None leaves a field out, and
            `stream_options=None` what streams are asked for: their tokens.
        concurrency: the most requests under way at once, over all threads.
        timeout, retries: seconds without a byte before a try is given up; further tries after time-outs, lost
            connections, 408, 409, 429 and 5xx, with openai's exponential backoff, jitter and the server's own
            Retry-After, up to two minutes. A wrong key (401, 403) is not tried again.
        cache: a folder for answers. Only answers without a problem are kept, and equal questions asked at
            once are asked once.
        record: a file; each question and answer is appended as one JSON line. Keys are never written.
        prices: for a million prompt tokens and a million completion tokens; what was spent is in `ledger`.

    Raises openai.OpenAIError without any key.

    Example: `Client("m", url).ask(Question(messages, key_of("m", messages), words)).value`.
    """

    def __init__(self, model, base_url=None, api_key=None, request=None, *, concurrency=8, timeout=60.0,
                 retries=3, cache=None, record=None, prices=(0.0, 0.0)):
        import openai

        self.model, self.concurrency = model, concurrency
        self._prompt_price, self._completion_price = prices
        fields = {"stream_options": {"include_usage": True}} | (request or {})
        options = fields.pop("stream_options")
        self._streamed = {} if options is None else {"stream_options": options}
        self.request = {name: value for name, value in fields.items() if value is not None}
        self.cache, self.record = (None if path is None else Path(path) for path in (cache, record))
        for folder in (self.cache, self.record and self.record.parent):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger()
        if base_url is not None and api_key is None:
            api_key = _NO_KEY
        self._openai = openai.OpenAI(base_url=base_url, api_key=api_key, timeout=timeout, max_retries=retries)
        self._gate, self._lock = threading.BoundedSemaphore(concurrency), threading.Lock()
        self._asked = {}  # key: the future answer of a question under way

    def __repr__(self):
        return f"{self.model!r} at {self.url}, {self.ledger}"

    @property
    def url(self) -> str:
        """Where the server is."""
        return str(self._openai.base_url)

    def fresh(self) -> Client:
        """The same client without its cache; ledger and bounds stay shared."""
        twin = copy.copy(self)
        twin.cache = None
        return twin

    def ask(self, question: Question, on_text=None, stop=None) -> Answer:
        """The answer from the cache or the server.

        With `on_text` it is streamed: `on_text(text so far)` as it comes, until `stop.is_set()`.
        """
        if self.cache is None or on_text is not None:  # whoever watches an answer wants its own
            return self._answer(question, on_text, stop)
        with self._lock:
            theirs = self._asked.get(question.key)
            if theirs is None:
                mine = self._asked[question.key] = Future()
        if theirs is not None:
            answer = theirs.result()
            with self._lock:
                self.ledger.cached += 1
            return answer
        try:
            mine.set_result(self._answer(question))
        except BaseException as error:  # an interrupt must not leave the others waiting
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._asked[question.key]
        return mine.result()

    def _answer(self, question, on_text=None, stop=None):
        started = time.perf_counter()
        value, problem = None, None
        text, usage = self._stored(question.key)
        cached = text is not None
        try:
            if not cached:
                choice, usage = self._reply(question.messages, on_text, stop)
                text = question.words(choice)
            value = question.read(text)
        except NoAnswer as error:
            key = self._openai.api_key
            text, problem = _hidden(error.said or text, key), _hidden(str(error), key)
        except Exception as error:  # whatever a server or its proxy comes up with
            problem = _explain(self, error)
        answer, seconds = Answer(value, problem), time.perf_counter() - started
        self._book(cached, problem, usage, seconds)
        stopped = stop is not None and stop.is_set()
        whole = not (problem or stopped or getattr(value, "cut", False))
        if self.cache is not None and whole and not cached:
            _on_disk(write_whole, self._file(question.key), json.dumps({"answer": text, "usage": usage}))
        if self.record is not None:
            self._note(question, answer, {"answer": text, "usage": usage, "seconds": round(seconds, 4),
                                          "cached": cached, "error": problem})
        return answer

    def _reply(self, messages, on_text, stop):
        """(choice, tokens) of a reply. An error that passes is asked again, also where it came with status
        200."""
        tries = self._openai.max_retries + 1
        for i in range(tries):
            try:
                with self._gate:
                    reply = self._post(messages, on_text, stop)
                choice = choice_of(reply, self.url)
            except NoAnswer as error:
                if not error.again or i + 1 == tries:
                    raise
                time.sleep(PAUSE * 2**i)
            else:
                break
        usage = getattr(reply, "usage", None)
        kinds = ("prompt_tokens", "completion_tokens")
        return choice, usage and {kind: getattr(usage, kind, None) for kind in kinds}

    def _post(self, messages, on_text, stop):
        """The reply to one request, whole or as far as it came before `stop`; raises what openai raises."""
        completions, request = self._openai.chat.completions, {"model": self.model, "messages": messages}
        if on_text is None:
            return completions.create(**request, **self.request)
        reply = None
        with completions.stream(**request, **self._streamed, **self.request) as events:
            for event in events:
                reply = events.current_completion_snapshot
                if event.type == "content.delta":
                    on_text(event.snapshot)
                if stop is not None and stop.is_set():
                    break
        return reply

    def _book(self, cached, problem, usage, seconds):
        read, written = ((usage or {}).get(kind) or 0 for kind in ("prompt_tokens", "completion_tokens"))
        with self._lock:
            if cached:
                self.ledger.cached += 1
                return
            self.ledger.calls += 1
            self.ledger.failed += problem is not None
            self.ledger.seconds += seconds
            self.ledger.prompt_tokens += read
            self.ledger.completion_tokens += written
            self.ledger.cost += (read * self._prompt_price + written * self._completion_price) / 1e6

    def _file(self, key):
        return self.cache / f"{key}.json"

    def _stored(self, key):
        """(text, usage) from the cache, (None, None) when it is not there or was cut short."""
        try:
            entry = json.loads(self._file(key).read_text()) if self.cache is not None else None
        except (OSError, ValueError):
            entry = None
        whole = isinstance(entry, dict) and isinstance(entry.get("answer"), str)
        return (entry["answer"], entry.get("usage")) if whole else (None, None)

    def _note(self, question, answer, outcome):
        request = {name: value for name, value in self.request.items() if name not in _SECRET}
        line = {"time": datetime.now(UTC).isoformat(), "key": question.key, "model": self.model,
                "url": self.url, "request": request, **question.note(answer), **outcome}
        with self._lock:
            _on_disk(_append, self.record, json.dumps(line, default=str) + "\n")


def _explain(client, error):
    """What went wrong with a request, in one line: where, what, the server's words, the fix."""
    import openai

    url, tries, key = client.url, client._openai.max_retries + 1, client._openai.api_key
    status = getattr(error, "status_code", None)
    said = str(error) if status is None else _body(error)
    said = clip(_hidden(said, key), 300)
    if isinstance(error, openai.APITimeoutError):
        seconds = client._openai.timeout
        return f"no answer from {url} within {seconds:g} s in {tries} tries; give timeout=..."
    if isinstance(error, openai.APIConnectionError):
        why = clip(error.__cause__ or error)
        return f"cannot reach {url} in {tries} tries ({why}); is the server up?"
    if status in (401, 403):
        return (f"{url} refused the key ({status}); give api_key=... or set OPENAI_API_KEY; "
                f"it said {said!r}")
    if status == 404:
        return f"{url} knows no model {client.model!r} or no such path (404); it said {said!r}"
    if status in (400, 422) and "response_format" in said:
        return f"{url} takes no JSON schema ({status}); give structured=False; it said {said!r}"
    if status in (400, 422) and "stream_options" in said:
        return f"{url} takes no stream_options ({status}); give stream_options=None; it said {said!r}"
    if status == 429 or (status or 0) >= 500:
        wait = error.response.headers.get("retry-after")  # openai does not wait longer than two minutes
        after = f", again after {clip(wait, 40)} s" if wait else ""
        return f"{url} answered {status} in {tries} tries{after}; it said {said!r}"
    return f"{type(error).__name__} from {url}: {said}"


def _hidden(text, key):
    """A server's words without the key, which some repeat."""
    return text if not text or key in ("", _NO_KEY) else text.replace(key, "***")


def _body(error):
    """A server's words in an error with a status."""
    try:
        return words_of(error.response.json())
    except ValueError:
        return error.response.text


# ---- what both sides of a question need --------------------------------------------------------------------

@dataclass(frozen=True)
class Packed:
    """A picture as it is sent: its `url` holds it, its `name` is made of its size and pixels."""

    name: str
    url: str


def pack(image, side: int) -> Packed:
    """A PIL picture as RGB, its longest side at most `side` pixels. TypeError for what is no picture.

    Example: `pack(Image.new("RGB", (300, 900)), 64).url.startswith("data:image/png;base64,")`.
    """
    image = rgb(image)
    if max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    name = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()[:32]
    return Packed(name, data_url(image))


def text_part(words: str) -> dict:
    """Words as a part of a message."""
    return {"type": "text", "text": words}


def picture_part(picture: Packed) -> dict:
    """A picture as a part of a message."""
    return {"type": "image_url", "image_url": {"url": picture.url}}


def key_of(*parts) -> str:
    """The key of a question: equal for equal parts (JSON). Example: `key_of(model, request, messages)`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def in_order(function, arguments, concurrency: int) -> list:
    """`function(*one)` for each of `arguments`, up to `concurrency` at once; the results in order."""
    with ThreadPoolExecutor(concurrency) as pool:
        return list(pool.map(lambda one: function(*one), arguments))


def _append(path, text):
    with open(path, "a") as file:
        file.write(text)


def _on_disk(write, path, text):
    """A full disk costs the file, not the answer."""
    try:
        write(path, text)
    except OSError as error:
        warnings.warn(f"endpoint: cannot write {path}: {error}", stacklevel=2)
