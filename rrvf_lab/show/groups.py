"""A GRPO group: the rollouts of one image, what each one's advantage is, and a contact sheet in that order.

GRPO has no critic. A rollout's advantage is its reward minus a baseline taken from its own group, divided by a spread:

    A_i = (r_i - mean(r)) / (std(r) + 0.0001)        std with n - 1, over the rollouts that have a reward

(DeepSeekMath, arXiv 2402.03300.) `advantages` computes this and its common variants from numbers alone, so that
weights, scale and baseline can be changed after the fact and the order seen to change. `sheet` shows the pictures.

Left out: the loss. Advantages say which way each rollout is pushed, not how far clipping lets it go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..reward import Reward, RewardWeights, reward
from ..rollout import Rollout, picture
from .rollout import code_html, plain, text_html

EPSILON = 1e-4    # added to the spread, as in TRL 1.16
FLAT = 1e-6       # rewards closer than this are equal: the group teaches nothing
SCALES = ("group", "batch", "none")
BASELINES = ("mean", "leave-one-out", "batch", "none")


def advantages(rewards, groups, scale: str = "group", baseline: str = "mean") -> np.ndarray:
    """The advantage of each rollout of one batch, as float64 of the same length.

    `rewards` are totals; NaN marks an unscored rollout: it is kept out of every mean and spread, and gets 0. `groups`
    is the size of consecutive groups, or a label for each rollout. `scale` divides by the spread of the "group" (GRPO),
    of the "batch", or by nothing ("none", Dr. GRPO, arXiv 2503.20783). `baseline` is the group's "mean" (GRPO), the
    mean of the others ("leave-one-out", RLOO, arXiv 2402.14740), the mean of the "batch", or "none".

    With the baseline "mean" the numbers are those of TRL 1.16, which computes them in float32. Raises ValueError for an
    unknown scale or baseline, and for groups that do not fit.

    Example: `advantages([0.2, 0.5, 0.5, 0.8], groups=4)` gives -1.22, 0, 0, 1.22.
    """
    _known("scale", scale, SCALES)
    _known("baseline", baseline, BASELINES)
    r = np.asarray(rewards, float)
    if r.ndim != 1 or not len(r):
        raise ValueError(f"rewards of shape {r.shape}; give a flat list with at least one number")
    of = _labels(groups, len(r))
    scored = ~np.isnan(r)
    n, total = np.bincount(of, scored), np.bincount(of, np.where(scored, r, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        base = {"mean": mean[of], "leave-one-out": (total[of] - r) / (n[of] - 1), "none": np.zeros(len(r)),
                "batch": np.full(len(r), total.sum() / n.sum())}[baseline]
        result = r - base
        if scale == "group":
            squares = np.bincount(of, np.where(scored, (r - mean[of]) ** 2, 0.0))
            result = result / (np.sqrt(squares / np.where(n > 1, n - 1, np.nan))[of] + EPSILON)
        elif scale == "batch":
            spread = np.std(r[scored], ddof=1) if scored.sum() > 1 else np.nan
            result = result / (spread + EPSILON)
    return np.nan_to_num(result, nan=0.0)


def _known(name, value, values):
    if value not in values:
        raise ValueError(f"unknown {name} {value!r}; known: {', '.join(values)}")


def _labels(groups, n):
    """Group numbers 0, 1, ... in order of appearance, one for each of n rollouts."""
    if isinstance(groups, int):
        if groups < 1 or n % groups:
            raise ValueError(f"{n} rewards do not fill groups of {groups}; give a divisor of {n}, or a label for each")
        return np.arange(n) // groups
    labels = list(groups)
    if len(labels) != n:
        raise ValueError(f"{n} rewards but {len(labels)} group labels; give one label for each reward")
    seen = {}
    return np.array([seen.setdefault(label, len(seen)) for label in labels])


def group_key(rollout: Rollout):
    """What tells groups apart: the group number that the trainer recorded, else the image's id."""
    return rollout.info.get("group", rollout.id)


@dataclass(frozen=True, repr=False)
class Sheet:
    """Rollouts of one batch with rewards and advantages, shown group by group, best advantage first.

    `rewards` are `Reward`s, `advantages` numbers, `groups` labels, all in the order of `rollouts`. `shown` is the label
    of the only group to show (None: all); the rest still counts for a batch's spread.
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
        rewards = [r.reward or new for r, new in zip(self.rollouts, self.rewards)]
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
             "reward": self.rewards[i].total, "vision": self.rewards[i].vision, "format": self.rewards[i].format,
             "tool": self.rewards[i].tool}
            for group in self._shown() for place, i in enumerate(self.order(group), 1)])

    def _shown(self):
        return [g for g in dict.fromkeys(self.groups) if self.shown is None or g == self.shown]

    def _repr_html_(self):
        return "".join(self._group(group) for group in self._shown())

    def _group(self, group):
        order = self.order(group)
        target, name = self.rollouts[order[0]].target, self.rollouts[order[0]].id
        largest = max(abs(self.advantages).max(), 1e-9)
        before = {i: place for place, i in enumerate(self.recorded_order(group), 1)}
        cards = "".join(_card(self.rollouts[i], self.rewards[i], self.advantages[i], largest, place, before[i])
                        for place, i in enumerate(order, 1))
        head = ('<figure style="margin:0;width:190px">' + picture(target, f"target image {plain(name, total=80)}", 190)
                + f"<figcaption><b>target</b> {text_html(name, total=80)}<br>{self._note(group, order)}"
                "</figcaption></figure>")
        return (f'<div style="display:flex;gap:16px;align-items:flex-start;margin:8px 0 20px;line-height:1.4">{head}'
                '<ol style="list-style:none;display:flex;flex-wrap:wrap;gap:14px;margin:0;padding:0;flex:1" '
                f'aria-label="rollouts by advantage">{cards}</ol></div>')

    def _note(self, group, order):
        spread, unscored = self.spread(group), sum(not self.rewards[i].scored for i in order)
        note = f"{len(order)} rollouts, rewards {spread:.3f} apart"
        if np.isnan(spread):
            note += _warning("Fewer than two rewards: no baseline, nothing to learn here.")
        elif spread < FLAT:
            own = self.baseline in ("mean", "leave-one-out")
            note += _warning("Zero spread: all rewards are equal"
                             + (", every advantage is 0, nothing to learn here." if own else "."))
        if unscored:
            note += _warning(f"{unscored} unscored: left out of the baseline, advantage 0.")
        return note


def sheet(rollouts, weights: RewardWeights | None = None, scale: str = "group", baseline: str = "mean",
          shown=None) -> Sheet:
    """The contact sheet of one batch: its groups, each ordered by advantage; it shows itself in a cell.

    `weights` computes the rewards again from the recorded turns (nothing is rendered or judged); None keeps the
    recorded ones. `scale` and `baseline` are those of `advantages`. Raises ValueError for no rollouts, for rollouts of
    several training steps, and for rollouts without a reward.

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
        raise ValueError(f"rollout {rewards.index(None)} has no reward; give weights=RewardWeights() to compute it")
    groups = [group_key(r) for r in rollouts]
    numbers = advantages([r.total for r in rewards], groups, scale, baseline)
    return Sheet(rollouts, rewards, numbers, groups, scale, baseline, shown)


def recorded(rollouts) -> Sheet:
    """The contact sheet with the rewards and advantages the trainer used. Raises ValueError where none are recorded.

    Example: `recorded(Run("runs/demo").latest())`.
    """
    rollouts = list(rollouts)
    if not rollouts or any("advantage" not in r.info or r.reward is None for r in rollouts):
        raise ValueError("no advantages recorded for these rollouts; use sheet(rollouts), which computes them")
    numbers = np.array([r.info["advantage"] for r in rollouts])
    groups = [group_key(r) for r in rollouts]
    return Sheet(rollouts, [r.reward for r in rollouts], numbers, groups, "as trained", "mean")


# --------------------------------------------------------------------------------------------------------------------

def _warning(text):
    return f'<br><span style="border-left:4px solid #d9822b;padding-left:6px"><b>&#9888; {text}</b></span>'


def _card(rollout, reward, advantage, largest, place, before):
    final, style = rollout.final, "margin:0;width:190px;font-size:13px;overflow-wrap:anywhere"
    if final is not None and final.ran:
        said = plain(final.verdict.feedback, total=300)
        body = picture(final.rendering.image, f"final render of place {place}. {said}", 190)
    else:
        why = (final or rollout.turns[-1]).error if rollout.turns else "nothing was written"
        body = ('<div style="width:178px;min-height:110px;padding:5px;border:1px dashed #c0392b"><b>no picture</b><br>'
                f"<code>{text_html(why or 'no code', total=160)}</code></div>")
    side, width = ("left:50%", max(1, round(47 * advantage / largest))) if advantage >= 0 else \
        ("right:50%", max(1, round(-47 * advantage / largest)))
    colour = "#2a7f62" if advantage >= 0 else "#c0602b"
    bar = ('<div aria-hidden="true" style="position:relative;height:8px;width:190px">'
           '<div style="position:absolute;left:50%;top:-2px;height:12px;width:1px;background:#888"></div>'
           f'<div style="position:absolute;{side};height:8px;width:{width}%;background:{colour}"></div></div>')
    thought = (rollout.drafts or rollout.turns)[0].thought if rollout.turns else ""
    total = f"reward <b>{reward.total:.3f}</b>" if reward.scored else "<b>unscored</b>"
    was = f", <b>was #{before}</b>" if before != place else ""
    code = "".join(f"<p>turn {k}: {text_html(t.thought, total=2000)}</p>"
                   + code_html(plain(t.code if t.code is not None else t.text, total=4000), rollout.language)
                   for k, t in enumerate(rollout.turns, 1))
    return (f'<li><figure style="{style}">#{place} <b>advantage {advantage:+.2f}</b>{bar}{body}'
            f"<figcaption>{total}{was}<br>vision {reward.vision:.2f} · format {reward.format:.2f} · "
            f"tool {reward.tool:.2f}<br>{text_html(thought, total=120)}"
            f"<details><summary>thoughts and code</summary>{code}</details></figcaption></figure></li>")
