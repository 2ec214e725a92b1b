"""The rules of the loop in words: what the policy is told, how its turn is read and written, what the tool
answers.

A turn is `<think>...</think>` followed by one tool call in Qwen's grammar,

    <tool_call>
    {"name": "render", "arguments": {"code": "..."}}
    </tool_call>

or by `<answer>...</answer>`. An answer holds the final code, or `turn k` for the code of the k-th turn. What
models write around these is forgiven (`leaves.fences`). Read next: `rollout` (what is kept of it),
`environment` (what is done with it).

Left out: several images in one rollout, tools other than `render`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

from PIL import Image

from .leaves.regions import regions, without_tags

LIBRARIES = {"matplotlib": "matplotlib", "plotly": "plotly", "svg": "SVG", "html": "HTML and CSS"}
SYSTEM = (
    "You reproduce an image as code. Each of your messages first thinks aloud inside <think></think>. "
    "Then it either calls the tool `render` with the complete program, inside <tool_call></tool_call>, to "
    "see how its picture compares with the image, or it ends with <answer></answer>, which holds the "
    "final program, or `turn k` to choose the program of your k-th message. Fix what the tool reports "
    "before you answer. You have {max_turns} messages."
)
BAD_CALL = 'the call must be {"name": "render", "arguments": {"code": "..."}}'
MOST_TEXT = 600        # characters of feedback; PixelJudge says about 300 at most, a VLM judge five sentences
TOKENS_OF_TEXT = 300   # what a token budget reserves for them: two characters a token, more than measured
END = "<|im_end|>"     # how a turn ends in tokens
BLINDS = (False, True, "pictures", "text", "difference")  # what a reply can leave out
TOOL = {"type": "function", "function": {      # `Environment.render`, as TRL tells the policy of it
    "name": "render", "description": "Run a program and compare its picture with the image.",
    "parameters": {"type": "object", "properties": {
        "code": {"type": "string", "description": "The complete program."}}, "required": ["code"]},
    "return": {"type": "array"}}}
CUT = "parse: cut off at the length limit"     # the error of a turn that its limit kept from being read


def opening(image, language: str, max_turns: int) -> list[dict]:
    """The first messages of every rollout: the rules, the raw image, one sentence. No label, no reference
    code.

    Example: `opening(image, "matplotlib", 3)[1]["content"][1]["text"] == "Reproduce this image with
    matplotlib."`
    """
    return [
        {"role": "system", "content": [_text(SYSTEM.format(max_turns=max_turns))]},
        {"role": "user", "content": [{"type": "image", "image": image}, _text(request(language))]},
    ]


def request(language: str) -> str:
    """The one sentence about the image. Raises ValueError for an unknown language."""
    if language not in LIBRARIES:
        raise ValueError(f"unknown language {language!r}; known: {', '.join(LIBRARIES)}")
    return f"Reproduce this image with {LIBRARIES[language]}."


def write_turn(thought: str, code: str | None = None, answer: str | None = None) -> str:
    """One well-formed assistant turn, as `parse_turn` reads it. Example: `write_turn("a bar chart",
    "plt.bar(...)")`."""
    text = f"<think>{thought}</think>\n"
    if code is not None:
        call = json.dumps({"name": "render", "arguments": {"code": code}})
        text += f"<tool_call>\n{without_tags(call)}\n</tool_call>"
    if answer is not None:
        text += f"<answer>{answer}</answer>"
    return text


class Written(str):
    """A turn's text that knows the `ids` it was sampled as (None: unknown), and whether its length limit
    ended it (`cut`)."""

    def __new__(cls, text, ids=None, cut=False):
        self = super().__new__(cls, text)
        self.ids, self.cut = ids, cut
        return self


@dataclass(frozen=True)
class Parsed:
    """What one assistant turn says: its thought, each tool call (code, or None for a bad one), its answer,
    what is wrong; its raw `text`, and the `ids` of its tokens where they are known."""

    thought: str
    calls: tuple[str | None, ...]
    answer: str | None
    error: str | None
    text: str = ""
    ids: list[int] | None = None


_ANSWER = re.compile(r"<answer>((?:(?!<answer>).)*)</answer>", re.DOTALL)


def parse_turn(text: str) -> Parsed:
    """Read one assistant turn, by the rules of TRL's own parser, so that both find the same tool calls.

    Any text is read, and what is wrong with it is its `error`. An unclosed `<think>` swallows the rest; a
    call that is not JSON makes the turn plain text.

    Example: `parse_turn("<think>a bar chart</think>\\n<answer>turn 1</answer>").answer == "turn 1"`.
    """
    ids, cut = getattr(text, "ids", None), getattr(text, "cut", False)
    text = text.split(END)[0]
    thoughts, bodies, plain, unclosed = regions(text)
    error = None if thoughts else "parse: no <think>"
    if unclosed == "thought":
        error = "parse: <think> is never closed"
    try:
        calls = [_code(json.loads(body)) for body in bodies]
    except (ValueError, KeyError, TypeError, RecursionError):
        calls, plain = [], ""
        error = error or "parse: the tool call is truncated or no JSON object with a name"
    found = _ANSWER.search(plain)
    answer = found.group(1).strip() if found and not calls else None
    wrong = {"parse: " + BAD_CALL: None in calls,
             "parse: the tool call is never closed": unclosed == "call",
             "parse: <answer> is never closed": not calls and answer is None and "<answer>" in plain,
             "parse: neither a tool call nor an answer": not calls and answer is None,
             "parse: more than one action in one turn": len(calls) + bool(found) > 1}
    error = error or next((words for words, so in wrong.items() if so), None)
    if error and cut:
        error = f"{CUT} ({error.removeprefix('parse: ')})"
    return Parsed("\n".join(thoughts).strip(), tuple(calls), answer, error, text, ids)


def _code(call):
    """The code of a call to `render`; None for another tool or other arguments."""
    if not isinstance(call["name"], str):
        raise TypeError
    arguments = call.get("arguments") or {}
    good = call["name"] == "render" and isinstance(arguments, dict) and list(arguments) == ["code"]
    return arguments["code"] if good and isinstance(arguments["code"], str) else None


def reply(target, rendering, verdict, difference: Image.Image | None = None,
          blind: bool | str = False, best: int | None = None) -> list[dict]:
    """What the `render` tool answers: the picture, the judge's text, and the target again, as content blocks.

    The target comes last because a reader addresses the image nearest to its turn. `difference` is shown
    after the picture: where ink is missing (red) and extra (blue). `best` is the number of the turn with the
    best score, said from the second draft on: what an answer `turn k` needs. `blind` keeps the form and
    removes what it says, the control for "does feedback help?": True all of it, "pictures" the pictures (the
    text is left), "text" the words (the pictures are left), "difference" that picture alone. Raises
    ValueError for another word.

    Example: `reply(target, rendering, judge(target, rendering.image))[-1] == {"type": "image", "image":
    target}`.
    """
    if blind not in BLINDS:
        raise ValueError(f"blind={blind!r}; known: {', '.join(map(repr, BLINDS))}")
    score = "Unscored" if math.isnan(verdict.score) else f"Score {verdict.score:.2f}"
    best = f" Best so far: turn {best}." if best else ""
    text = without_tokens(f"{score}.{best} {verdict.feedback}")[:MOST_TEXT]
    pictures = []
    if rendering.image is not None:
        pictures = [rendering.image] + [difference] * (difference is not None)
        if blind in (True, "pictures"):
            pictures = [Image.new("RGB", target.size, "white") for _ in pictures]
        if blind == "difference":
            pictures[1:] = [Image.new("RGB", target.size, "white") for _ in pictures[1:]]
        if blind in (True, "text"):
            text = ""
    return [*({"type": "image", "image": picture} for picture in pictures), _text(text),
            {"type": "image", "image": target}]


def said(parsed: Parsed) -> dict:
    """A turn as the assistant's message in the conversation, with the ids it was sampled as."""
    message = {"role": "assistant", "content": [_text(without_tokens(parsed.text))]}
    return message if parsed.ids is None else message | {"ids": parsed.ids}


def without_tokens(text: str) -> str:
    """Text that spells no special token (`<|image_pad|>` in an error would stand for an image) and that every
    tokenizer takes."""
    return text.replace("<|", "< |").encode("utf-8", "replace").decode()


def _text(words):
    return {"type": "text", "text": words}
