"""The rules of the loop: what the policy is told, how its turn is read, what the `render` tool answers, when it ends.

One `Environment` plays one rollout at a time. `play` drives it in a cell, TRL's `GRPOTrainer` drives it through
`environment_factory`; both hand it the raw text of every assistant turn, so both leave the same `Rollout`.

A turn is `<think>...</think>` followed by one tool call in Qwen's grammar,

    <tool_call>
    {"name": "render", "arguments": {"code": "..."}}
    </tool_call>

or by `<answer>...</answer>`. An answer holds the final code, or `turn k` for the code of the k-th turn. When the turns
run out first, the last code written counts as the answer. The final code is rendered and judged in any case.

Left out: several images in one rollout, tools other than `render`, partial credit for code that does not run.
"""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass, replace

from PIL import Image

from .judge import Verdict
from .judge import difference as picture_difference
from .judge import judge as shared_judge
from .render import shared
from .reward import RewardWeights, reward
from .rollout import Rollout, Turn
from .vlm_judge import JudgeStopped

LIBRARIES = {"matplotlib": "matplotlib", "plotly": "plotly", "svg": "SVG", "html": "HTML and CSS"}
SYSTEM = (
    "You reproduce an image as code. Each of your messages first thinks aloud inside <think></think>. Then it either calls "
    "the tool `render` with the complete program, inside <tool_call></tool_call>, to see how its picture compares with the "
    "image, or it ends with <answer></answer>, which holds the final program, or `turn k` to choose the program of your "
    "k-th message. Fix what the tool reports before you answer. You have {max_turns} messages."
)


def opening(image, language: str, max_turns: int) -> list[dict]:
    """The first messages of every rollout: the rules, the raw image, one sentence. No label, no reference code."""
    return [
        {"role": "system", "content": [{"type": "text", "text": SYSTEM.format(max_turns=max_turns)}]},
        {"role": "user", "content": [{"type": "image", "image": image},
                                     {"type": "text", "text": request(language)}]},
    ]


def request(language: str) -> str:
    if language not in LIBRARIES:
        raise ValueError(f"unknown language {language!r}; known: {', '.join(LIBRARIES)}")
    return f"Reproduce this image with {LIBRARIES[language]}."


def write_turn(thought: str, code: str | None = None, answer: str | None = None) -> str:
    """One well-formed assistant turn, as `parse_turn` reads it."""
    text = f"<think>{thought}</think>\n"
    if code is not None:
        call = json.dumps({"name": "render", "arguments": {"code": code}})
        text += f"<tool_call>\n{call}\n</tool_call>"
    if answer is not None:
        text += f"<answer>{answer}</answer>"
    return text


@dataclass(frozen=True)
class Parsed:
    """What one assistant turn says: its thought, each tool call (code, or None for a bad one), its answer, what is wrong."""

    thought: str
    calls: tuple[str | None, ...]
    answer: str | None
    error: str | None


_TURN = re.compile(r"turn (\d+)")
_CALL = re.compile(r"<tool_call>(.*?)</tool_call>\s*", re.DOTALL)
BAD_CALL = 'the call must be {"name": "render", "arguments": {"code": "..."}}'


def parse_turn(text: str) -> Parsed:
    """Read one assistant turn, by the rules of TRL's own parser, so that both find the same tool calls.

    An unclosed `<think>` swallows the rest; a truncated call or one that is not JSON makes the turn plain text.

    Example: `parse_turn("<think>a bar chart</think>\\n<answer>turn 1</answer>").answer == "turn 1"`.
    """
    text = text.split("<|im_end|>")[0]
    before, opened, rest = text.partition("<think>")
    thought, closed, rest = rest.partition("</think>") if opened else ("", "", text)
    error = None if closed else "parse: <think> is never closed" if opened else "parse: no <think>"
    if opened:
        rest = before + rest if closed else ""
    plain, calls = _CALL.sub("", rest), []
    try:
        for body in _CALL.findall(rest):
            call = json.loads(body)
            if not isinstance(call["name"], str):
                raise TypeError
            arguments = call.get("arguments") or {}
            good = call["name"] == "render" and isinstance(arguments, dict) and list(arguments) == ["code"]
            calls.append(str(arguments["code"]) if good else None)
        if "<tool_call>" in plain:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        calls, plain, error = [], "", error or "parse: the tool call is truncated or no JSON object with a name"
    found = re.search(r"<answer>(.*?)</answer>", plain, re.DOTALL)
    answer = found.group(1).strip() if found and not calls else None
    if error is None and None in calls:
        error = "parse: " + BAD_CALL
    if error is None and not calls and answer is None:
        error = "parse: neither a tool call nor an answer"
    if error is None and len(calls) + bool(found) > 1:
        error = "parse: more than one action in one turn"
    return Parsed(thought.strip(), tuple(calls), answer, error)


def reply(target, rendering, verdict, difference: bool = False, blind: bool = False) -> list[dict]:
    """What the `render` tool answers: the picture, the judge's text, and the target again, as content blocks.

    The target comes last because a reader addresses the image nearest to its turn. `difference` adds the picture of
    missing (red) and extra (blue) ink. `blind` keeps the form and removes what it says: the control for "does feedback help?".
    """
    blocks = []
    score = "Unscored" if math.isnan(verdict.score) else f"Score {verdict.score:.2f}"
    text = _plain(f"{score}. {verdict.feedback}")
    if rendering.image is not None:
        pictures = [rendering.image]
        if difference:
            pictures.append(picture_difference(target, rendering.image))
        if blind:
            pictures = [Image.new("RGB", target.size, "white") for _ in pictures]
            text = ""
        blocks += [{"type": "image", "image": picture} for picture in pictures]
    return [*blocks, {"type": "text", "text": text}, {"type": "image", "image": target}]


def _plain(text):
    """Text that spells no special token: `<|image_pad|>` in an error message would stand for an image."""
    return text.replace("<|", "< |")


class Environment:
    """One rollout at a time: `reset` with an image, `render` as the policy's tool, `_close` with the turns' raw text.

    Every public method but `reset` is offered to the policy as a tool, by TRL's convention. `blind` and `difference`
    are those of `reply`. `renderer` and `judge` default to the shared ones.
    """

    def __init__(self, renderer=None, judge=None, max_turns: int = 3, difference: bool = False, blind: bool = False,
                 weights: RewardWeights = RewardWeights()):
        self._renderer = renderer if renderer is not None else shared()
        self._judge_pair = judge if judge is not None else shared_judge
        self._max_turns, self._difference, self._blind, self._weights = max_turns, difference, blind, weights
        self._seconds = {"render": 0.0, "judge": 0.0}
        self.reset(None)

    def reset(self, image=None, language: str = "matplotlib", id: str = "", **row) -> None:
        """Start a new rollout on `image`; anything the last one left is forgotten."""
        self._target, self._language, self._id = image, language, id
        self._done = {}  # code -> (rendering, verdict), so that a code is judged once in a rollout

    def render(self, code: str) -> list:
        """Run a program and compare its picture with the image.

        Args:
            code: The complete program.
        """
        rendering, verdict = self._try(code)
        return reply(self._target, rendering, verdict, self._difference, self._blind)

    def _expect(self, text: str) -> None:
        """Start rendering what a turn just wrote, before anyone asks for it."""
        parsed = parse_turn(text)
        codes = [code for code in parsed.calls if code is not None]
        if parsed.answer is not None and not _TURN.fullmatch(parsed.answer):
            codes.append(_unfence(parsed.answer))
        self._renderer.prefetch(codes, self._language)

    def _try(self, code):
        if code not in self._done:
            started = time.perf_counter()
            rendering = self._renderer.render(code, self._language)
            between = time.perf_counter()
            self._done[code] = rendering, self._score(rendering)
            self._seconds["render"] += between - started
            self._seconds["judge"] += time.perf_counter() - between
        return self._done[code]

    def _score(self, rendering):
        try:
            return self._judge_pair(self._target, rendering.image, rendering.error)
        except JudgeStopped:
            raise
        except Exception as error:  # a judge that fails leaves the rollout unscored; it must not end a training run
            return Verdict.unscored(error)

    def _close(self, texts) -> Rollout:
        """The finished rollout, from the raw text of its assistant turns, with every code rendered and judged."""
        turns, answer = [], None
        for text in texts:
            text = text.split("<|im_end|>")[0].rstrip()  # how a turn ends in tokens is the driver's business
            parsed = parse_turn(text)
            answer = parsed.answer
            codes = list(parsed.calls) or [None]
            chosen = _chosen(answer, turns)
            if answer is not None and chosen is None:
                codes = [_unfence(answer)]
            for code in codes:
                rendering, verdict = self._try(code) if code is not None else (None, None)
                error = parsed.error
                if error is None and rendering is not None and rendering.image is None:
                    error = "run: " + (rendering.error or "").strip().rpartition("\n")[2]
                action = "render" if parsed.calls else "answer" if answer is not None else None
                turns.append(Turn(parsed.thought, code, rendering, verdict, text, action, error))
        written = [i for i, turn in enumerate(turns) if turn.code is not None]
        choice = _chosen(answer, turns)
        if choice is None and written:
            choice = written[-1]
        rollout = Rollout(self._target, self._language, tuple(turns), answer, choice, None, self._id)
        return replace(rollout, reward=reward(rollout, self._weights))


def _chosen(answer, turns) -> int | None:
    """The index that an answer `turn k` names, if that turn wrote code."""
    found = _TURN.fullmatch(answer or "")
    i = int(found.group(1)) - 1 if found else -1
    return i if 0 <= i < len(turns) and turns[i].code is not None else None


def _unfence(answer: str) -> str:
    found = re.fullmatch(r"```\w*\n(.*?)\n?```", answer, re.DOTALL)
    return found.group(1) if found else answer


def play(policy, image, max_turns: int = 3, language: str | None = None, **environment) -> Rollout:
    """Play one rollout: think, render, feedback, ..., answer.

    `image` is a PIL image or a row of `load_images`; `environment` holds what `Environment` takes (`judge`, `blind`, ...).

    Example: `play(load_policy("nano"), load_images("data/charts/test")[3], max_turns=2)`.
    """
    return play_many(policy, [image], max_turns, language, **environment)[0]


def play_many(policy, images, max_turns: int = 3, language: str | None = None, **environment) -> list[Rollout]:
    """Play one rollout for each image, all of a batch turn by turn, so that a policy can generate for all at once."""
    environment.setdefault("difference", getattr(policy, "difference", False))
    rows = [image if isinstance(image, dict) else {"image": image} for image in images]
    rows = [row | {"language": language or row.get("language", "matplotlib")} for row in rows]
    environments = [Environment(max_turns=max_turns, **environment) for _ in rows]
    for env, row in zip(environments, rows, strict=True):
        env.reset(**row)
    talks = [opening(row["image"], row["language"], max_turns) for row in rows]
    texts = [[] for _ in rows]
    active = list(range(len(rows)))
    for turn in range(max_turns):
        replies = policy.write([talks[i] for i in active])
        for i, text in zip(active, replies, strict=True):
            environments[i]._expect(text)
            texts[i].append(text)
        if turn == max_turns - 1:
            break
        going = []
        for i, text in zip(active, replies, strict=True):
            calls = parse_turn(text).calls
            if not calls:
                continue
            going.append(i)
            talks[i].append({"role": "assistant", "content": [{"type": "text", "text": _plain(text.split("<|im_end|>")[0])}]})
            for code in calls:
                content = environments[i].render(code) if code is not None else str({"error": BAD_CALL})
                talks[i].append({"role": "tool", "name": "render", "content": content})
        active = going
        if not active:
            break
    return [env._close(said) for env, said in zip(environments, texts, strict=True)]
