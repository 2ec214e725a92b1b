"""One rollout, played: `open` with an image, `take` each turn the policy writes, `close` with the reward.

`Episode` does the work for everybody. `play` drives it in a cell. TRL's `GRPOTrainer` drives it through
`Environment`, a thin adapter whose public methods are the policy's tools; both hand it the raw text of every
turn, so both leave the same `Rollout`. A turn is parsed once, in `take`, which also starts to render and
judge the code; whoever needs the outcome waits for it. Each code is rendered and judged once in an episode.

When the turns run out before an answer, the last code written counts as the answer. The final code is
rendered and judged in any case.

Left out: partial credit for code that does not run.
"""

from __future__ import annotations

import functools
import math
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from PIL import Image

from .judge import JudgeStopped, Verdict, as_judge, in_short
from .judge import difference as picture_difference
from .judge import judge as pixel_judge
from .leaves.fences import turn_named, unfence
from .leaves.pictures import rgb
from .render import Rendering, shared
from .reward import RewardWeights, reward
from .rollout import Rollout, Turn
from .talk import BAD_CALL, END, Parsed, opening, parse_turn, reply, said


@dataclass(frozen=True)
class Outcome:
    """What one code came to: its rendering, the verdict, the difference picture (where it is shown), and the
    seconds that rendering and judging took."""

    rendering: Rendering
    verdict: Verdict
    difference: Image.Image | None = None
    seconds: tuple[float, float] = (0.0, 0.0)


class Episode:
    """The rules of one rollout: `open(image)`, then for each turn `take(text)` and `answer()`, at the end
    `close()`.

    Args:
        renderer, judge: the shared ones by default; `judge` is what `as_judge` takes.
        max_turns: what the policy is told; who drives the episode keeps to it.
        difference: show the difference picture in the tool's reply.
        blind: replies keep their form and say nothing, or no "pictures", "text", "difference" (`talk.reply`).
        weights: of the reward.

    `seconds` sums up what was waited for, by "render" and "judge".

    Example: `episode = Episode(); talk = episode.open(image); episode.take(text); talk += episode.answer()`.
    """

    def __init__(self, renderer=None, judge=None, max_turns: int = 3, difference: bool = False,
                 blind: bool | str = False, weights: RewardWeights | None = None):
        self.renderer = shared() if renderer is None else renderer
        self.judge = pixel_judge if judge is None else as_judge(judge)
        self.max_turns, self.difference, self.blind = max_turns, difference, blind
        self.weights = RewardWeights() if weights is None else weights
        self.seconds = {"render": 0.0, "judge": 0.0}
        self.open(None)

    def open(self, image, language: str = "matplotlib", id: str = "") -> list[dict]:
        """Start a new rollout on `image` (what `rgb` takes), the last one forgotten; returns the
        conversation's opening."""
        self.target = image = image if image is None else rgb(image)
        self.language, self.id = language, id
        self._said: list[Parsed] = []
        self._turns: list[tuple[Parsed, str | None]] = []  # a row for each call of each message
        self._outcomes: dict[str, Future] = {}
        return opening(image, language, self.max_turns)

    def take(self, text: str) -> bool:
        """Take one turn's raw text and start on its code; whether it called the tool, so that an answer is
        due."""
        parsed = parse_turn(text)
        codes = [code and unfence(code) for code in parsed.calls] or [None]
        if parsed.answer is not None and self._named(parsed.answer) is None:
            codes = [unfence(parsed.answer)]
        self._said.append(parsed)
        self._turns += [(parsed, code) for code in codes]
        for code in codes:
            if code is not None:
                self._begin(code)
        return bool(parsed.calls)

    @property
    def speaks(self) -> bool:
        """Whether the policy goes on: it has said nothing yet, or its last turn called the tool."""
        return not self._said or bool(self._said[-1].calls)

    def answer(self) -> list[dict]:
        """The messages that follow the last turn: what the policy said, what the tool answers each call."""
        parsed = self._said[-1]
        return [said(parsed), *({"role": "tool", "name": "render", "content": self.respond(code)}
                                for code in parsed.calls)]

    def respond(self, code: str | None):
        """What the tool answers to one call: content blocks; without code its error, as TRL words it."""
        if not isinstance(code, str):
            return str({"error": BAD_CALL})
        outcome = self.outcome(unfence(code))
        return reply(self.target, outcome.rendering, outcome.verdict, outcome.difference, self.blind,
                     self._best())

    def close(self) -> Rollout:
        """The rollout as it stands, every code rendered and judged, with its reward. May be called after any
        turn."""
        turns = tuple(self._turn(parsed, code) for parsed, code in self._turns)
        answer = self._said[-1].answer if self._said else None
        written = [i for i, turn in enumerate(turns) if turn.code is not None]
        named = self._named(answer)
        choice = named if named is not None else written[-1] if written else None
        rollout = Rollout(self.target, self.language, turns, answer, choice, None, self.id)
        return replace(rollout, reward=reward(rollout, self.weights))

    def settle(self, texts: list[str]) -> Rollout:
        """`close` on exactly these turns, whatever was taken before; a turn that stayed the same is not read
        again."""
        if [one.text.rstrip() for one in self._said] != [text.split(END)[0].rstrip() for text in texts]:
            self._said, self._turns = [], []
            for text in texts:
                self.take(text)
        return self.close()

    def put(self, code: str, rendering: Rendering, verdict: Verdict) -> None:
        """Take this for what `code` comes to, without rendering or judging it (recorded turns, changed
        feedback)."""
        self._outcomes[code] = Future()
        self._outcomes[code].set_result(Outcome(rendering, verdict, self._difference(rendering, self.target)))

    # ----------------------------------------------------------------------------------------------- the work

    def _best(self):
        """The number of the turn whose draft scored best, once there are two drafts."""
        scores = [math.nan if code is None else self.outcome(code).verdict.score for _, code in self._turns]
        known = [i for i, score in enumerate(scores) if not math.isnan(score)]
        return 1 + max(known, key=scores.__getitem__) if len(known) > 1 else None

    def _named(self, answer):
        """The index that an answer `turn k` names, if that turn wrote code."""
        i = turn_named(answer)
        return i if i is not None and 0 <= i < len(self._turns) and self._turns[i][1] is not None else None

    def _turn(self, parsed, code):
        outcome = self.outcome(code) if code is not None else Outcome(None, None)
        error = parsed.error
        if error is None and code is not None and outcome.rendering.image is None:
            error = "run: " + in_short(outcome.rendering.error)
        action = "render" if parsed.calls else "answer" if parsed.answer is not None else None
        return Turn(parsed.thought, code, outcome.rendering, outcome.verdict, parsed.text.rstrip(), action,
                    error)

    def _begin(self, code):
        if code not in self._outcomes:
            at_once = max(os.cpu_count() or 1, getattr(self.judge, "concurrency", 1))
            self._outcomes[code] = _crew(at_once).submit(self._work, code, self.target, self.language)

    def outcome(self, code: str) -> Outcome:
        self._begin(code)
        started = time.perf_counter()
        outcome = self._outcomes[code].result()
        waited, spent = time.perf_counter() - started, sum(outcome.seconds) or 1.0
        for name, seconds in zip(self.seconds, outcome.seconds, strict=True):
            self.seconds[name] += waited * seconds / spent  # what it cost this thread, as it was spent
        return outcome

    def _work(self, code, target, language) -> Outcome:
        """Render and judge, in a thread."""
        started = time.perf_counter()
        # a picture of another width differs in every pixel from an equal drawing, and no policy sees the dpi
        size = (target.width, None) if language == "matplotlib" else None
        rendering = self.renderer.render(code, language, size)
        between = time.perf_counter()
        verdict = self._verdict(target, rendering)
        if rendering.missing:  # said first: it may be why the rest differs
            verdict = replace(verdict, feedback=f"{rendering.missing} {verdict.feedback}")
        seconds = between - started, time.perf_counter() - between
        return Outcome(rendering, verdict, self._difference(rendering, target), seconds)

    def _verdict(self, target, rendering):
        try:
            return self.judge(target, rendering.image, rendering.error)
        except JudgeStopped:
            raise
        except Exception as error:  # a judge that fails leaves the rollout unscored, its siblings go on
            return Verdict.unscored(error)

    def _difference(self, rendering, target):
        if not self.difference or rendering.image is None:
            return None
        if self.blind in (True, "pictures", "difference"):
            return rendering.image  # any picture: it will be blanked
        return picture_difference(target, rendering.image)


@functools.cache
def _crew(size):
    """Threads that render and judge for all episodes; a judge behind an endpoint wants more of them than
    cores."""
    return ThreadPoolExecutor(size, thread_name_prefix="rrvf-turn")


class Environment:
    """An `Episode` as TRL's `environment_factory` wants it: `reset`, and every other public method a tool.

    TRL reads the turns' tool calls itself and asks `render`; `RRVFTrainer` hands the raw texts to `episode`.
    """

    def __init__(self, *args, **kwargs):
        self.episode = Episode(*args, **kwargs)

    def reset(self, image=None, language: str = "matplotlib", id: str = "", **row) -> None:
        """Start a new rollout on `image`; columns beyond these three never reach the policy."""
        self.episode.open(image, language, id)

    def render(self, code: str) -> list:
        """Run a program and compare its picture with the image.

        Args:
            code: The complete program.
        """
        return self.episode.respond(code)
