"""A model behind any OpenAI-compatible endpoint as the policy: hosted, vLLM, Ollama, `transformers serve`.

`EndpointPolicy` has the `write` and `stream` of every policy, so `play`, `evaluate` and the widgets take it
as they take a local model. The environment's conversation is translated on the way out: tool replies go as
`user` messages inside <tool_response></tool_response>, pictures included, since most endpoints refuse
pictures in `tool` messages. That is what Qwen's templates make of a tool reply, so a model trained here reads
the same tokens as in training; give it `grammar=False`. To other models the grammar of a turn is said once,
after the rules in the system message.

What comes back is the raw turn in our grammar (see `talk`). Native tool calls and reasoning that a server cut
out of the text are put back as <tool_call> and <think>; nothing else is repaired, because a malformed turn is
the model's own.

    vllm serve Qwen/Qwen2.5-VL-72B-Instruct --tensor-parallel-size 4 --max-model-len 32768
    EndpointPolicy("Qwen/Qwen2.5-VL-72B-Instruct", "http://localhost:8000/v1")
    Hosted: the key from OPENAI_API_KEY, prices per million prompt and completion tokens
    EndpointPolicy("a-hosted-model", prices=(2.5, 10.0), cache="runs/answers")
    One that wants other fields, such as a reasoning model:
    EndpointPolicy("a-reasoning-model", temperature=None, max_tokens=None, max_completion_tokens=16384)

Left out: offering the tool natively, and what `client` leaves out.
"""

from __future__ import annotations

import json

from ..talk import write_turn
from .client import Client, NoAnswer, Question, in_order, key_of, pack, picture_part, text_part

GRAMMAR = (
    " To call the tool, write exactly this form, the program as a JSON string:\n"
    + write_turn("what you see and what you do", "the complete program").replace("{", "{{").replace("}", "}}")
    + "\nTo end, write:\n" + write_turn("why", answer="the complete program, or turn k")
    + "\nThe tool replies with {pictures} and, last, the image to reproduce again, "
    + "with a score and what differs."
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
        grammar: say how a turn is written, after the rules. False for a model that was trained on it.
        difference: ask the environment for the difference picture in the tool's reply. cache: a folder for
        answers, keyed by model, request and conversation: what was paid for is not asked again when
            an evaluation resumes. With a temperature it also repeats one sample for equal conversations.
        side: pictures are shrunk to this longest side, in pixels. request: further fields, such as seed or
        extra_body; temperature=0 and max_tokens=4096 are the defaults, None
            leaves a field out.

    Raises openai.OpenAIError without any key. `write` raises `EndpointError` when a conversation got no
    answer after all tries, naming endpoint, reason and fix; the others of the batch are finished first.

    Example: `play(EndpointPolicy("qwen2.5vl:7b", "http://localhost:11434/v1"), image)`.
    """

    def __init__(self, model, base_url=None, api_key=None, grammar=True, difference=False, concurrency=8,
                 timeout=120.0, retries=3, cache=None, prices=(0.0, 0.0), side=1024, **request):
        self.model, self.concurrency = model, concurrency
        self.grammar, self.difference, self.side = grammar, difference, side
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
            if role == "system" and self.grammar:
                pictures = PICTURES + DIFFERENCE * self.difference
                sent.append({"role": role, "content": words + GRAMMAR.format(pictures=pictures)})
            elif role in ("system", "assistant"):
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

    def _blocks(self, parts):
        return [text_part(part["text"]) if part["type"] == "text"
                else picture_part(pack(part["image"], self.side)) for part in parts]

    def _ask(self, conversation, on_text=None, stop=None):
        def words(choice):
            turn = _turn(choice.message)
            if not turn and (stop is None or not stop.is_set()):
                self._lost(choice.finish_reason)
            return turn

        messages = self.messages(conversation)
        key = key_of(self.model, self.client.request, messages)
        return self.client.ask(Question(messages, key, words), on_text, stop)

    def _lost(self, finish_reason):
        """Raise `NoAnswer` where an empty turn is not the model's own."""
        if finish_reason == "length":
            bound = self.client.request.get("max_completion_tokens") or self.client.request.get("max_tokens")
            raise NoAnswer(f"{self.client.url}: spent all its {bound} tokens before a word of its turn; "
                           "give max_tokens=...")
        if finish_reason == "content_filter":
            raise NoAnswer(f"{self.client.url}: its content filter took the whole turn away")


def _turn(message):
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
