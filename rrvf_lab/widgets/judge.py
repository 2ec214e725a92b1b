"""Score renders oneself before the recorded score is shown: `sit_as_judge`.

Left out: keeping what was scored; `mine` and `theirs` are lists to save as one likes.
"""

from __future__ import annotations

import math

import ipywidgets as w

from ..judge import agreement
from ..rollout import Rollout
from ..show import html as show
from ..show.rollout import verdict_html
from .base import area, button, number, row, status_html
from .still import Still


def sit_as_judge(rollouts) -> JudgeChair:
    """Be the judge: score each render before the recorded score is revealed, and see how far you agree.

    `rollouts` is one or some. Raises ValueError where none of them holds a scored render.

    Example: `rl.sit_as_judge(rl.load_rollouts("data/rollouts"))`.
    """
    return JudgeChair(rollouts)


class JudgeChair(Still, w.VBox):
    """What `sit_as_judge` shows. `mine` and `theirs` hold the scores given so far, in the same order."""

    def __init__(self, rollouts):
        rollouts = [rollouts] if isinstance(rollouts, Rollout) else rollouts
        self.pairs = [(rollout.target, turn.rendering.image, turn.verdict) for rollout in rollouts
                      for turn in rollout.drafts if turn.ran and not math.isnan(turn.score)]
        if not self.pairs:
            raise ValueError("no scored renders among these rollouts; "
                             "load some: load_rollouts('data/rollouts')")
        self.mine, self.theirs, self.at = [], [], 0
        self.pictures, self.answer = area(), area()
        self.score = number("My score", 0.5, 0, 1)
        self.shows, self.goes_on = button("Reveal", self.reveal), button("Next pair", self.next)
        super().__init__([self.pictures, row(self.score, self.shows, self.goes_on), self.answer])
        self._draw()

    def still(self) -> str:
        """The pair on view."""
        return self.pictures.value

    def reveal(self) -> None:
        """Take the score in the field as given, and show the judge's."""
        if self.shows.disabled:
            return
        verdict = self.pairs[self.at][2]
        self.mine.append(self.score.value)
        self.theirs.append(verdict.score)
        found = agreement(self.mine, self.theirs)
        tau = "" if math.isnan(found["tau"]) else f", rank agreement (tau) {found['tau']:.2f}"
        said = (f"judge <b>{show.number(verdict.score)}</b>, you {self.score.value:.2f}: "
                f"{show.text_html(verdict.feedback, total=600)}<br>"
                f"so far n = {found['n']}, mean gap {found['gap']:.2f}{tau}")
        self.answer.value = status_html(said) + verdict_html(verdict)
        self.shows.disabled, self.goes_on.disabled = True, self.at == len(self.pairs) - 1

    def next(self) -> None:
        """Go to the pair after this one."""
        if self.at < len(self.pairs) - 1:
            self.at += 1
            self._draw()

    def _draw(self):
        target, image, _ = self.pairs[self.at]
        shown = (("target", target, f"target {self.at + 1}"),
                 ("render", image, f"render {self.at + 1}, its score not yet shown"))
        cells = [show.card(show.picture(picture, alt, 320), name, 330) for name, picture, alt in shown]
        self.pictures.value = f"<p>pair {self.at + 1} of {len(self.pairs)}</p>" + show.row(cells)
        self.answer.value, self.shows.disabled, self.goes_on.disabled = "", False, True
