"""Where a second or later turn of a recorded rollout was due: what had been said and shown until then.

The conversation is rebuilt from the record, as the policy was shown it. Rollouts whose replies said nothing
(`blind`) are left out: rebuilt, they would show what was not shown. So are rollouts with a picture that is
gone.

Left out: first turns, before which nothing was told; turns that a rollout might have had after its last.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..leaves.pictures import rgb
from ..play import conversations, messages
from ..rollout import Rollout
from ..whatif.recorded import lost, rollout_at

_TOLD = re.compile(r"(Score \d\.\d+|Unscored)\. ?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Situation:
    """A turn that is due: `talk` is what the policy is shown, the tool's replies last; `rollout` (number
    `index` of those given) has had the messages `before`, and recorded `text` as the next, its `turn`-th."""

    rollout: Rollout
    index: int
    turn: int
    talk: list
    before: list[str]
    text: str
    image: str

    @property
    def replies(self) -> list:
        """The content blocks of each of the last replies; a call without code was answered with a text."""
        return [message["content"] for message in self.talk[self.told:]
                if not isinstance(message["content"], str)]

    @property
    def told(self) -> int:
        """Where in `talk` the last replies begin."""
        k = len(self.talk)
        while self.talk[k - 1]["role"] == "tool":
            k -= 1
        return k

    @property
    def pictures(self) -> list:
        """What the last reply shows of the draft: its render, and the difference where there is one."""
        return [part["image"] for part in self.replies[-1][:-1] if part["type"] == "image"]

    @property
    def score_and_words(self) -> tuple[str, str]:
        """What the last reply says: the score, and the judge's sentences."""
        return parts_of(next(part["text"] for part in self.replies[-1] if part["type"] == "text"))

    @property
    def kept(self) -> tuple:
        """The turns that the messages `before` left."""
        return self.rollout.turns[:messages(self.rollout)[len(self.before)][0]]


def parts_of(text: str) -> tuple[str, str]:
    """(the score with its full stop, the sentences) of a reply's text; ("", text) where it tells no score.

    Example: `parts_of("Score 0.43. Grid on.") == ("Score 0.43.", "Grid on.")`.
    """
    found = _TOLD.fullmatch(text)
    return (f"{found[1]}.", found[2]) if found else ("", text)


def situations_of(rollouts, most: int | None, rng, difference: bool, max_turns: int | None = None):
    """(up to `most` situations out of rollouts drawn by `rng`, in their order; why others were left out, as
    {reason: rollouts}).

    Raises ValueError where there is none.
    """
    found, left_out = [], Counter()
    for i in rng.permutation(len(rollouts)):
        if most is not None and len(found) >= most:
            break
        rollout = rollout_at(rollouts, int(i))
        if reason := _unfit(rollout):
            left_out[reason] += 1
            continue
        found += _of(rollout, int(i), difference, max_turns)
    found = sorted(found[:most], key=lambda one: (one.index, one.turn))
    if not found:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise ValueError(f"none of {len(rollouts)} rollouts has a second turn to look at ({why}); play some "
                         "with rl.play_many(policy, images, max_turns=2)")
    return found, dict(left_out)


def _unfit(rollout) -> str:
    """Why a rollout has no situation; "" where it has one."""
    said_all = [text for _, text in messages(rollout)]
    if rollout.info.get("blind"):
        return "played blind"
    if any(map(lost, rollout.turns)):
        return "with a picture that is gone"
    return "" if len(said_all) > 1 else "without a second turn"


def _of(rollout, index, difference, max_turns):
    texts = [text for _, text in messages(rollout)]
    limit = max_turns or rollout.info.get("max_turns") or len(texts)
    talks = conversations(rollout, max(limit, len(texts)), difference)
    image = hashlib.sha256(rgb(rollout.target).tobytes()).hexdigest()
    made = [Situation(rollout, index, k + 1, talk, texts[:k], texts[k], image)
            for k, talk in enumerate(talks) if k and talk[-1]["role"] == "tool"]
    return [one for one in made if one.replies]


def other_than(one: Situation, situations, rng, fits) -> Situation | None:
    """A situation of another image that `fits`, drawn by `rng`; None where there is none."""
    others = [other for other in situations if other.image != one.image and fits(other)]
    return others[int(rng.integers(len(others)))] if others else None


def images_of(situations) -> np.ndarray:
    """A number for the image of each situation."""
    return np.unique([one.image for one in situations], return_inverse=True)[1]
