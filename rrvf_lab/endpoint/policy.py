"""A model behind any OpenAI-compatible endpoint as the policy: hosted, vLLM, Ollama, `transformers serve`.

`EndpointPolicy` has the `write` and `stream` of every policy, so `play`, `evaluate` and the widgets take it
as they take a local model. The environment's conversation is translated on the way out: tool replies go as
`user` messages inside <tool_response></tool_response>, pictures included, since most endpoints refuse
pictures in `tool` messages. That is what Qwen's templates make of a tool reply. A model of Qwen's family gets
the tool in its system message too, in the words of that template, and pictures no larger than a local one
would be shown: it reads the tokens that it reads from `load_policy` and in training, whatever its server's
template makes of tools. To other models the grammar of a turn is said once, after the rules.

What comes back is the raw turn in our grammar (see `talk`). Native tool calls and reasoning that a server cut
out of the text are put back as <tool_call> and <think>; nothing else is repaired, because a malformed turn is
the model's own.

    vllm serve Qwen/Qwen2.5-VL-72B-Instruct --tensor-parallel-size 4 --max-model-len 32768 \
        --generation-config vllm   # without it the checkpoint's repetition penalty counts, unlike in training
    EndpointPolicy("Qwen/Qwen2.5-VL-72B-Instruct", "http://localhost:8000/v1")
    A LoRA trained here: vllm serve Qwen/Qwen2.5-VL-7B-Instruct --lora-modules mine=runs/qwen/adapter ...
    EndpointPolicy("mine", "http://localhost:8000/v1", base="qwen2.5-vl", max_image_tokens=512)
    Hosted: the key from OPENAI_API_KEY, prices per million prompt and completion tokens
    EndpointPolicy("a-hosted-model", prices=(2.5, 10.0), cache="runs/answers")
    One that wants other fields, such as a reasoning model:
    EndpointPolicy("a-reasoning-model", temperature=None, max_tokens=None, max_completion_tokens=16384)

Left out: offering the tool natively (servers differ in what they show of it and how they answer), a turn's
own tokens (a server tokenises its text again), and what `client` leaves out.
"""

from __future__ import annotations

import json
import math

from PIL import Image

from ..leaves.pictures import rgb
from ..leaves.regions import without_tags
from ..talk import TOOL, Written, write_turn
from .client import Client, Question, in_order, key_of, pack, picture_part, text_part
from .replies import nothing_said

GRAMMAR = (
    " To call the tool, write exactly this form, the program as a JSON string:\n"
    + write_turn("what you see and what you do", "the complete program").replace("{", "{{").replace("}", "}}")
    + "\nTo end, write:\n" + write_turn("why", answer="the complete program, or turn k")
    + "\nThe tool replies with {pictures} and, last, the image to reproduce again, "
    + "with a score and what differs."
)
TOOLS = (  # as Qwen's templates show it; a test compares
    "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided "
    "with function signatures within <tools></tools> XML tags:\n<tools>\n" + json.dumps(TOOL) +
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": '
    "<args-json-object>}\n</tool_call>"
)
PICTURES = "the picture that your program drew"
DIFFERENCE = ", a picture of what it misses (red) and has too much (blue)"


class EndpointError(RuntimeError):
    """Conversations that got no answer. `texts` has None for each of them and the answers that the others
    got."""

    def __init__(self, message, texts=()):
        super().__init__(message)
        self.texts = list(texts)


class EndpointPolicy:
    """A policy behind an OpenAI-compatible endpoint.

    Args:
        model, base_url, api_key, concurrency, timeout, retries, prices: as `Client` takes them; what was
            spent is in `ledger`.
        base: what kind of model it is, where its name does not say; "qwen" in it makes it one of Qwen's.
        grammar: how a turn is written, after the rules: "tools" as Qwen's templates say it, "words" as other
            models need it, False not at all (nano). By default what `base` asks for.
        difference: ask the environment for the difference picture in the tool's reply. cache: a folder for
        answers, keyed by model, request and conversation: what was paid for is not asked again when
            an evaluation resumes. With a temperature it also repeats one sample for equal conversations.
        max_image_tokens: of one picture, for a model of Qwen's; larger ones are scaled down as its own
            processor would, as in training and by `load_policy`.
        side: for others, pictures are shrunk to this longest side, in pixels. request: further fields, such
        as seed or extra_body; temperature=0 and max_tokens=4096 are the defaults, None
            leaves a field out.

    Raises openai.OpenAIError without any key. `write` raises `EndpointError` when a conversation got no
    answer after all tries, naming endpoint, reason and fix; the others of the batch are finished first.

    Example: `play(EndpointPolicy("qwen2.5vl:7b", "http://localhost:11434/v1"), image)`.
    """

    def __init__(self, model, base_url=None, api_key=None, base=None, grammar=None, difference=False,
                 concurrency=8, timeout=120.0, retries=3, cache=None, prices=(0.0, 0.0),
                 max_image_tokens=768, side=1024, **request):
        self.model, self.concurrency, self.difference = model, concurrency, difference
        self.base, self.max_image_tokens, self.side = (base or model).lower(), max_image_tokens, side
        self.grammar = ("tools" if "qwen" in self.base else "words") if grammar is None else grammar
        if self.grammar not in ("tools", "words", False):
            raise ValueError(f"grammar={grammar!r}: give 'tools', 'words' or False")
        request = {"temperature": 0, "max_tokens": 4096} | request
        self.client = Client(model, base_url, api_key, request, concurrency=concurrency, timeout=timeout,
                             retries=retries, cache=cache, prices=prices)
        self.ledger = self.client.ledger

    def __repr__(self):
        return f"EndpointPolicy({self.client!r})"

    def write(self, conversations) -> list[str]:
        """The next turn of each conversation, up to `concurrency` at once."""
        answers = in_order(self._ask, [(talk,) for talk in conversations], self.concurrency)
        problems = [answer.problem for answer in answers if answer.problem]
        texts = [answer.value for answer in answers]
        if problems:
            among = f" ({len(problems)} of {len(answers)} conversations)" if len(answers) > 1 else ""
            raise EndpointError(f"model {self.model!r}: {problems[0]}{among}", texts)
        return texts

    def stream(self, conversation, on_text=None, stop=None) -> str:
        """The next turn of one conversation: `on_text(text so far)` as it comes, until `stop.is_set()`.

        Reasoning and native calls that the server keeps out of the text are in the turn, not in `on_text`.
        """
        answer = self._ask(conversation, on_text or (lambda text: None), stop)
        if answer.problem:
            raise EndpointError(f"model {self.model!r}: {answer.problem}", [None])
        return answer.value

    def messages(self, conversation) -> list[dict]:
        """A conversation as it is sent, pictures as PNG data URLs: look here when a model misreads one."""
        sent = []
        for message in conversation:
            role, content = message["role"], message["content"]
            parts = [text_part(content)] if isinstance(content, str) else content
            words = "".join(part["text"] for part in parts if part["type"] == "text")
            if role == "system":
                sent.append({"role": role, "content": words + self._told()})
            elif role == "assistant":
                sent.append({"role": role, "content": words})
            elif role == "user":
                sent.append({"role": role, "content": self._blocks(parts)})
            else:
                # several calls in one turn: one message, as in Qwen's template
                again = sent[-1]["role"] == "user"
                begin, end = "\n" * again + "<tool_response>\n", "\n</tool_response>"
                reply = [text_part(begin), *self._blocks(parts), text_part(end)]
                if again:
                    sent[-1]["content"] += reply
                else:
                    sent.append({"role": "user", "content": reply})
        return sent

    def _told(self):
        """What follows the rules in the system message."""
        pictures = PICTURES + DIFFERENCE * self.difference
        return {"tools": TOOLS, "words": GRAMMAR.format(pictures=pictures), False: ""}[self.grammar]

    def _blocks(self, parts):
        return [text_part(part["text"]) if part["type"] == "text"
                else picture_part(self._packed(part["image"])) for part in parts]

    def _packed(self, image):
        if "qwen" not in self.base:
            return pack(image, self.side)
        token = 28 if "qwen2" in self.base else 32  # its side in pixels: two patches of 14, since Qwen3 of 16
        return pack(within(image, self.max_image_tokens, token), math.inf)

    def _ask(self, conversation, on_text=None, stop=None):
        def words(choice):
            if not (choice.message.content or choice.message.tool_calls
                    or getattr(choice.message, "refusal", None) or (stop is not None and stop.is_set())):
                raise nothing_said(choice, self.client.url, self.client.request)
            return Written(_turn(choice.message), cut=choice.finish_reason == "length")

        messages = self.messages(conversation)
        key = key_of(self.model, self.client.request, messages)
        # `read` would make plain text of it; what comes from the cache does not know any more
        return self.client.ask(Question(messages, key, words, read=lambda turn: turn), on_text, stop)


def within(image, most: int, side: int):
    """`image` with at most `most` tokens of `side` × `side` pixels, scaled down as Qwen's processors do; one
    that has no more is the same, and what a processor makes of it is left to the server.

    Example: `within(Image.new("RGB", (3000, 2000)), 768, 28).size`.
    """
    image = rgb(image)
    wide, high = image.size
    if round(wide / side) * round(high / side) <= most:
        return image
    shrink = math.sqrt(wide * high / (most * side**2))
    size = (max(1, math.floor(length / shrink / side)) * side for length in (wide, high))
    return image.resize(tuple(size), Image.Resampling.BICUBIC)


def _turn(message):
    """The turn as one text in our grammar: what the server cut out of it is put back where it stood."""
    said = message.content or getattr(message, "refusal", None) or ""
    thought, calls = message.reasoning_content, message.tool_calls or []
    if thought and "<think>" not in said:
        said = f"<think>{thought.strip()}</think>\n{said}"
    elif calls and "</think>" not in said:  # who calls natively thinks aloud in the text before the call
        said = f"<think>{said.strip()}</think>\n"
    for call in calls:
        name, arguments = json.dumps(call.function.name), _arguments(call.function.arguments)
        said = f'{said.rstrip()}\n<tool_call>\n{{"name": {name}, "arguments": {arguments}}}\n</tool_call>'
    return said


def _arguments(said):
    """Of a native call, as JSON. Servers send an object, a text of one, or a text of that text; what is none
    stays as it is: it is the model's mistake, for `parse_turn` to find."""
    value = said or "{}"
    for _ in range(2):
        try:
            value = json.loads(value, strict=False) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            return said
    return without_tags(json.dumps(value))
