"""The pictures of one turn and what they earned: target, render, both in one, feedback, reward, parts.

Left out: what was written (`inspector`), and any look of its own (`show`).
"""

from __future__ import annotations

import threading

import ipywidgets as w

from ..show import html as show
from ..show.deltas import earned_html, parts_html
from ..show.rollout import both, pair, said_html, target_html
from ..show.superpose import HOW, LEGEND
from .base import area, choice, number, row, visible

WIDE, HIGH = 206, 180  # pixels that one picture may take


class Pictures(w.VBox):
    """A column of pictures; `look_at` fills it, `how` and `percent` say how two of them are compared."""

    def __init__(self):
        self._lock, self._seen = threading.RLock(), None
        self.how = choice("Compare", HOW, width="190px")
        self.percent = number("At percent", 50, 0, 100, step=5)
        self.pair, self.both, self.legend, self.said, self.earned, self.parts = (area() for _ in range(6))
        self.both.layout.width = f"{WIDE + 6}px"
        beside = w.VBox([self.said, self.how, self.percent, self.legend],
                        layout={"flex": "1 1 190px", "min_width": "0", "overflow": "visible"})
        super().__init__([self.pair, row(self.both, beside), self.parts, self.earned],
                         layout={"overflow": "visible"})
        for control in (self.how, self.percent):
            control.observe(lambda _: self._superpose(), "value")

    def look_at(self, rollout, turn: int | None, original=None) -> None:
        """Show a turn (from 1; None: the target alone) of a rollout, with what changed since its `original`
        where it is a branch."""
        with self._lock:
            self._seen = rollout, pictured(rollout, turn)
            width, reward = fitting(rollout.target), rollout.reward
            if turn is None:
                self.pair.value = target_html(rollout, 2 * width)
                self.said.value = self.earned.value = self.parts.value = ""
            else:
                k = self._seen[1]
                self.pair.value = show.row(pair(rollout, k, width))
                answers = show.says("", f"Turn {turn} answers: what turn {k} drew counts.") * (k != turn)
                self.said.value = answers + said_html(rollout.turns[k - 1])
                self.earned.value = earned_html(reward, original and original.reward, "the original") \
                    if reward is not None else ""
                self.parts.value = parts_html(*_verdicts(rollout, k, original)) \
                    if rollout.turns[k - 1].ran else ""
            self._superpose()

    def _superpose(self):
        with self._lock:
            rollout, k = self._seen
            ran = k is not None and rollout.turns[k - 1].ran
            visible(self.how, ran)
            visible(self.percent, ran and self.how.value in ("wipe", "overlay"))
            self.legend.value = show.says("", LEGEND[self.how.value]) if ran else ""
            self.both.value = both(rollout, k, self.how.value, self.percent.value, fitting(rollout.target)) \
                if ran else ""


def pictured(rollout, turn: int | None) -> int | None:
    """The turn (from 1) whose picture stands for a turn: its own, or for an answer that of the final code."""
    if turn is None or rollout.choice is None or rollout.turns[turn - 1].action != "answer":
        return turn
    return turn if rollout.turns[turn - 1].code is not None else rollout.choice + 1


def fitting(image) -> int:
    """The width, in pixels of the page, at which a picture fits its place."""
    return max(40, min(WIDE, round(HIGH * image.width / image.height)))


def _verdicts(rollout, k, original):
    """(the verdict on turn k, that on the one it is compared with, which one that is)."""
    now = rollout.turns[k - 1]
    then = original.turns[k - 1] if original is not None and k <= len(original.turns) else None
    if then is not None and then.ran and then.code != now.code:
        return now.verdict, then.verdict, f"turn {k} of the original"
    drafts = [i for i in range(k - 1) if rollout.turns[i].ran]
    if drafts:
        return now.verdict, rollout.turns[drafts[-1]].verdict, f"turn {drafts[-1] + 1}"
    return now.verdict, None, ""
