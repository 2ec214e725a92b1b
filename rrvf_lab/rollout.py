"""The one record of what happened: a target, the turns, the answer, the reward.

A live cell makes one `Rollout`, training makes thousands, `records.store` keeps them in files, `show` gives
them a look.

Left out: token ids and log-probabilities. A rollout says what a person could see, not what the optimiser
computed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Turn:
    """One assistant turn: what it thought and wrote, and what came of it.

    `action` is "render" (a tool call), "answer", or None for a turn that did neither. `rendering` and
    `verdict` are set whenever the turn wrote code. `error` names the boundary that failed: "parse: ...",
    "run: ...".
    """

    thought: str
    code: str | None
    rendering: object | None
    verdict: object | None
    text: str = ""
    action: str | None = None
    error: str | None = None

    @property
    def ran(self) -> bool:
        """Whether its code drew a picture."""
        return self.rendering is not None and self.rendering.image is not None

    @property
    def score(self) -> float:
        """The judge's score of this turn's render; 0 when the code failed, NaN when there was nothing to
        judge."""
        return self.verdict.score if self.verdict is not None else math.nan

    def __repr__(self):
        thought, code = ascii(self.thought[:60]), ascii((self.code or "")[:60])
        return f"Turn({self.action}, {_outcome(self)}, thought {thought}, code {code})"


@dataclass(frozen=True)
class Rollout:
    """A target image, the policy's turns, its answer and its reward.

    `choice` is the index of the turn whose code is final. `info` holds what the maker adds: step, group,
    advantage.
    """

    target: object
    language: str
    turns: tuple[Turn, ...] = ()
    answer: str | None = None
    choice: int | None = None
    reward: object | None = None
    id: str = ""
    info: dict = field(default_factory=dict)

    @property
    def final(self) -> Turn | None:
        """The turn whose code counts."""
        return None if self.choice is None else self.turns[self.choice]

    @property
    def code(self) -> str | None:
        """The final code."""
        return None if self.final is None else self.final.code

    @property
    def picture(self):
        """What the final code drew, a PIL image, or None."""
        return self.final.rendering.image if self.ran else None

    @property
    def ran(self) -> bool:
        """Whether the final code drew a picture."""
        return self.final is not None and self.final.ran

    @property
    def drafts(self) -> tuple[Turn, ...]:
        """The turns that wrote code, in order."""
        return tuple(turn for turn in self.turns if turn.code is not None)

    @property
    def copied(self) -> bool:
        """Whether any turn repeats the code of the one before it."""
        return any(a.code == b.code for a, b in zip(self.drafts, self.drafts[1:], strict=False))

    def __repr__(self):
        scores = " -> ".join(map(_outcome, self.drafts))
        total = f", reward {self.reward.total:.3f}" if self.reward else ""
        # half a character pair in a repr would silence the kernel
        name = ascii(self.id or self.language)[1:-1]
        return f"Rollout({name}, {len(self.turns)} turns: {scores or 'no code'}{total})"


def _outcome(turn):
    return f"{turn.score:.3f}" if turn.ran else "failed" if turn.code is not None else "no code"
