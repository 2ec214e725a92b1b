"""Recorded rollouts judged again: the verdicts, sentences and rewards of another judge, nothing played.

Pictures are taken from the record. Where one is gone, its program is rendered again, and a warning says so.

Left out: what the policy would have answered to the other sentences. Every turn stays as it was written, so
of an edited judge this shows what it would have paid, not what it would have taught.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..endpoint.client import in_order
from ..judge import JudgeStopped, PixelJudge, Verdict, as_judge, in_short
from ..judge.protocol import name_of
from ..render import shared
from ..reward import Reward, RewardWeights, reward
from ..rollout import Rollout
from .recorded import lost, rollout_at, rollouts_of, weights_of

SAME = 5e-4  # scores that show the same three decimals


def rejudge(rollouts, judge, weights: RewardWeights | None = None, renderer=None) -> Rejudged:
    """The same rollouts with the verdicts, feedback and rewards of another judge.

    `rollouts` are what `rollouts_of` takes; `judge` is what `as_judge` takes. `weights` are those the
    rewards were made with (see `weights_of`) unless given. Unscored is NaN, as ever; a program that failed
    keeps its error. `info` gets the judge's name as "judge" and loses "advantage", which was of other
    rewards. A judge with a `concurrency` judges so many rollouts at once.

    Raises TypeError for what is no judge, `JudgeStopped` where one says so. Warns (UserWarning) of pictures
    that were missing and rendered again, by `renderer` (the shared one).

    Example: `rejudge(load_rollouts("data/rollouts"), lambda target, image: 0.5)[0].reward.vision`.
    """
    judge, rollouts = as_judge(judge), rollouts_of(rollouts)
    weights = weights_of(rollouts) if weights is None else weights

    def again(i):
        rollout = rollout_at(rollouts, i)
        made = {k: (renderer or shared()).render(turn.code, rollout.language)
                for k, turn in enumerate(rollout.turns) if lost(turn)}
        rollout = _drawn(rollout, made)
        verdicts = _verdicts(judge, rollout)
        return Row(verdicts, made, reward(_with(rollout, verdicts), weights))

    rows = in_order(again, [(i,) for i in range(len(rollouts))], getattr(judge, "concurrency", 1) or 1)
    result = Rejudged(rollouts, rows, name_of(judge))
    if count := sum(len(row.made) for row in rows):
        few = ", ".join(map(str, result.rendered[:5]))
        warnings.warn(f"{count} pictures were missing and were rendered again, those of rollouts {few}"
                      + (", ..." if len(result.rendered) > 5 else ""), stacklevel=2)
    return result


@dataclass(frozen=True)
class Row:
    """What became of one rollout: a verdict for each turn (None without code), what was rendered again by
    turn, the reward."""

    verdicts: list
    made: dict
    reward: Reward


class Rejudged(Sequence):
    """Rollouts with another judge's verdicts and rewards; their pictures are read when one is asked for.

    `judge` is its name, `rewards` are the new ones in order, `rendered` the positions of rollouts with a
    picture that had to be rendered again.
    """

    def __init__(self, rollouts, rows, judge: str):
        self.rollouts, self.rows, self.judge = rollouts, rows, judge
        self.rewards = [row.reward for row in rows]
        self.rendered = [i for i, row in enumerate(rows) if row.made]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        i = range(len(self))[i]
        row, rollout = self.rows[i], rollout_at(self.rollouts, i)
        made = _with(_drawn(rollout, row.made), row.verdicts)
        info = {name: value for name, value in rollout.info.items() if name != "advantage"}
        return replace(made, reward=row.reward, info=info | {"judge": self.judge})

    def __repr__(self):
        unscored = sum(not one.scored for one in self.rewards)
        return f"Rejudged({len(self)} rollouts by {self.judge}, {unscored} unscored)"


def other_judge(rollout, judge=None) -> str:
    """A sentence where `judge` (None: the embedded one) scores a recorded picture otherwise than the record
    does; "" where it agrees, or where nothing tells.

    One picture is judged again, of a score between 0 and 1 if there is one, so that a judge behind an
    endpoint is asked once.

    Example: `other_judge(load_rollouts("data/rollouts")[0], lambda target, image: 0.5)`.
    """
    judge = PixelJudge() if judge is None else as_judge(judge)
    scored = [k for k, turn in enumerate(rollout.turns) if turn.ran and not math.isnan(turn.score)]
    if not scored:
        return ""
    k = min(scored, key=lambda k: rollout.turns[k].score in (0.0, 1.0))
    was, now = rollout.turns[k].score, ask(judge, rollout.target, rollout.turns[k].rendering).score
    if math.isnan(now) or abs(now - was) < SAME:
        return ""
    return (f"Two judges, or two versions of one: {name_of(judge)} gives {now:.3f} to turn {k + 1} as it was "
            f"recorded, the record has {was:.3f}. Recorded scores and rewards do not compare with new ones; "
            "rl.rejudge(rollouts, judge) scores all of them alike.")


def ask(judge, target, rendering) -> Verdict:
    """A judge's verdict on one rendering; unscored where it fails, unless it was told to stop."""
    try:
        verdict = judge(target, rendering.image, rendering.error)
    except JudgeStopped:
        raise
    except Exception as error:
        return Verdict.unscored(error)
    if rendering.missing:  # said first, as in play
        return replace(verdict, feedback=f"{rendering.missing} {verdict.feedback}")
    return verdict


def _verdicts(judge, rollout):
    """One for each turn; a program that stands in several turns is judged once, as in play."""
    known = {}
    for turn in rollout.turns:
        if turn.code is not None and turn.code not in known:
            known[turn.code] = ask(judge, rollout.target, turn.rendering)
    return [known.get(turn.code) for turn in rollout.turns]


def _drawn(rollout, made) -> Rollout:
    """The rollout with what was rendered again."""
    if not made:
        return rollout
    turns = list(rollout.turns)
    for k, rendering in made.items():
        error = turns[k].error
        if error is None and rendering.image is None:
            error = "run: " + in_short(rendering.error)
        turns[k] = replace(turns[k], rendering=rendering, error=error)
    return replace(rollout, turns=tuple(turns))


def _with(rollout, verdicts) -> Rollout:
    """The rollout with these verdicts."""
    turns = tuple(replace(turn, verdict=verdict)
                  for turn, verdict in zip(rollout.turns, verdicts, strict=True))
    return replace(rollout, turns=turns)
