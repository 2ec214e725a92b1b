"""A GRPO group as a contact sheet: the rollouts of one image by advantage, so that one sees what is rewarded.

`sheet` computes rewards and advantages again from what was recorded, with weights, scale and baseline of
one's choice; `recorded` shows the numbers that the trainer used. Nothing is rendered or judged.

Left out: the advantages themselves (`training.advantages`), and the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..reward import Reward, RewardWeights, reward
from ..rollout import Rollout
from ..training.advantages import FLAT, advantages
from .html import bar, card, code_html, drawn, folded, number, picture, plain, table, text_html
from .rollout import no_picture

WIDTH = 190  # of a picture, in CSS pixels


@dataclass(frozen=True, repr=False)
class Sheet:
    """Rollouts of one batch with rewards and advantages, shown group by group, best advantage first.

    `rewards` are `Reward`s, `advantages` numbers, `groups` labels, all in the order of `rollouts`. `shown` is
    the label of the only group to show (None: all); the rest still counts for a batch's spread.
    """

    rollouts: Sequence[Rollout]
    rewards: list[Reward]
    advantages: np.ndarray
    groups: list
    scale: str
    baseline: str
    shown: object = None

    def __repr__(self):
        return (f"Sheet({len(self.rollouts)} rollouts in {len(set(self.groups))} groups, scale {self.scale}, "
                f"baseline {self.baseline})")

    def order(self, group) -> list[int]:
        """Positions of the group's rollouts, best advantage first; unscored ones last."""
        inside = [i for i, label in enumerate(self.groups) if label == group]
        return sorted(inside, key=lambda i: (not self.rewards[i].scored, -self.advantages[i], i))

    def recorded_order(self, group) -> list[int]:
        """The same by the rewards that were recorded; a rollout without one keeps its place among these."""
        rewards = [r.reward or new for r, new in zip(self.rollouts, self.rewards, strict=True)]
        return sorted(self.order(group), key=lambda i: (not rewards[i].scored, -rewards[i].total, i))

    def spread(self, group) -> float:
        """Highest minus lowest reward of the group; NaN when fewer than two rollouts are scored."""
        totals = [self.rewards[i].total for i in self.order(group) if self.rewards[i].scored]
        return max(totals) - min(totals) if len(totals) > 1 else float("nan")

    def table(self):
        """A pandas frame, one row for each shown rollout in the order of the sheet."""
        import pandas as pd

        return pd.DataFrame([
            {"group": group, "place": place, "rollout": i, "advantage": self.advantages[i],
             "reward": self.rewards[i].total, "vision": self.rewards[i].vision,
             "format": self.rewards[i].format, "tool": self.rewards[i].tool}
            for group in self.labels() for place, i in enumerate(self.order(group), 1)])

    def labels(self) -> list:
        """The groups that are shown, in order of appearance."""
        return [g for g in dict.fromkeys(self.groups) if self.shown is None or g == self.shown]

    def _repr_html_(self):
        return sheet_html(self)


def places_html(sheet: Sheet) -> str:
    """The shown rollouts by advantage as a table without pictures.

    Example: `places_html(sheet(load_rollouts("data/rollouts/group")))`.
    """
    rows = [(f"#{place}", text_html(group, total=60), int(i), f"{sheet.advantages[i]:+.2f}",
             number(sheet.rewards[i].total), number(sheet.rewards[i].vision), number(sheet.rewards[i].format),
             number(sheet.rewards[i].tool))
            for group in sheet.labels() for place, i in enumerate(sheet.order(group), 1)]
    return table(rows, "place group rollout advantage reward vision format tool".split(), "llrrrrrr")


def sheet(rollouts, weights: RewardWeights | None = None, scale: str = "group", baseline: str = "mean",
          shown=None) -> Sheet:
    """The contact sheet of one batch: its groups, each ordered by advantage; it shows itself in a cell.

    `weights` computes the rewards again from the recorded turns (nothing is rendered or judged); None keeps
    the recorded ones. `scale` and `baseline` are those of `advantages`. Raises ValueError for no rollouts,
    for rollouts of several training steps, and for rollouts without a reward.

    Example: `sheet(load_rollouts("runs/demo").where(step=3), RewardWeights(tool=0.0), scale="batch")`.
    """
    rollouts = list(rollouts)
    if not rollouts:
        raise ValueError("no rollouts to show; record some with: python -m rrvf_lab.train demo")
    steps = sorted({r.info.get("step", 0) for r in rollouts})
    if len(steps) > 1:
        raise ValueError(f"rollouts of {len(steps)} steps, which share no baseline; choose one: "
                         f"rollouts.where(step={steps[0]})")
    rewards = [r.reward if weights is None else reward(r, weights) for r in rollouts]
    if None in rewards:
        raise ValueError(f"rollout {rewards.index(None)} has no reward; give weights=RewardWeights() to "
                         "compute it")
    groups = [group_key(r) for r in rollouts]
    numbers = advantages([r.total for r in rewards], groups, scale, baseline)
    return Sheet(rollouts, rewards, numbers, groups, scale, baseline, shown)


def recorded(rollouts) -> Sheet:
    """The contact sheet with the rewards and advantages the trainer used; ValueError where none are recorded.

    Example: `recorded(Run("runs/demo").latest())`.
    """
    rollouts = list(rollouts)
    if not rollouts or any("advantage" not in r.info or r.reward is None for r in rollouts):
        raise ValueError("no advantages recorded for these rollouts; use sheet(rollouts), which computes "
                         "them")
    numbers = np.array([r.info["advantage"] for r in rollouts])
    groups = [group_key(r) for r in rollouts]
    return Sheet(rollouts, [r.reward for r in rollouts], numbers, groups, "as trained", "mean")


def group_key(rollout: Rollout):
    """What tells groups apart: the group number that the trainer recorded, else the image's id."""
    return rollout.info.get("group", rollout.id)


# ------------------------------------------------------------------------------------------------- the look

def sheet_html(sheet: Sheet) -> str:
    """Each group of the sheet: the target with a note, then a card for each rollout, best advantage first."""
    return "".join(_group(sheet, group) for group in sheet.labels())


def _group(sheet, group):
    order = sheet.order(group)
    first = sheet.rollouts[order[0]]
    caption = f"<b>target</b> {text_html(first.id, total=80)}<br>{_note(sheet, group, order)}"
    head = card(picture(first.target, f"target image {plain(first.id, total=80)}", WIDTH), caption, WIDTH)
    before = {i: place for place, i in enumerate(sheet.recorded_order(group), 1)}
    cards = "".join(f"<li>{_card(sheet, i, place, before[i])}</li>" for place, i in enumerate(order, 1))
    return (f'<div style="display:flex;gap:16px;align-items:flex-start;margin:8px 0 20px"><div>{head}</div>'
            '<ol style="list-style:none;display:flex;flex-wrap:wrap;gap:14px;margin:0;padding:0;flex:1" '
            f'aria-label="rollouts by advantage">{cards}</ol></div>')


def _note(sheet, group, order):
    spread, unscored = sheet.spread(group), sum(not sheet.rewards[i].scored for i in order)
    note = f"{len(order)} rollouts"
    if np.isnan(spread):
        note += _warning("Fewer than two rewards: no baseline, nothing to learn here.")
    else:
        note += f", rewards {spread:.3f} apart"
    if spread < FLAT:
        own = sheet.baseline in ("mean", "leave-one-out")
        rest = ", every advantage is 0, nothing to learn here." if own else "."
        note += _warning(f"Zero spread: all rewards are equal{rest}")
    if unscored:
        note += _warning(f"{unscored} unscored: left out of the baseline, advantage 0.")
    return note


def _warning(text):
    style = "border-left:4px solid #d9822b;padding-left:6px"
    return f'<br><span style="{style}"><b>&#9888; {text}</b></span>'


def _card(sheet, i, place, before):
    rollout, its, advantage = sheet.rollouts[i], sheet.rewards[i], sheet.advantages[i]
    said = plain(rollout.final.verdict.feedback, total=300) if rollout.ran else ""
    body = drawn(rollout.picture, f"final render of place {place}. {said}", no_picture(rollout), WIDTH)
    share = advantage / max(abs(sheet.advantages).max(), 1e-9)
    head = f"#{place} <b>advantage {advantage:+.2f}</b><br>{bar(share, width=WIDTH - 2, middle=True)}<br>"
    total = f"reward <b>{number(its.total)}</b>" + (f", <b>was #{before}</b>" if before != place else "")
    parts = f"vision {number(its.vision)} · format {its.format:.2f} · tool {its.tool:.2f}"
    thought = (rollout.drafts or rollout.turns)[0].thought if rollout.turns else ""
    code = folded("thoughts and code", _code(rollout))
    return card(head + body, f"{total}<br>{parts}<br>{text_html(thought, total=120)}{code}", WIDTH)


def _code(rollout):
    parts = []
    for k, turn in enumerate(rollout.turns, 1):
        code = plain(turn.text if turn.code is None else turn.code, total=4000)
        thought = text_html(turn.thought, total=2000)
        parts.append(f"<p>turn {k}: {thought}</p>{code_html(code, rollout.language)}")
    return "".join(parts)
