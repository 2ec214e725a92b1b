"""Several judges on the same rollouts: how they agree, and what would have been learnt otherwise.

A mean says little of a judge: GRPO learns from order within a group. So of each two judges this counts pairs
of a group that they order otherwise, and rollouts that one pushes up and the other down. Intervals are
bootstraps over images, as rollouts of one image are alike.

Left out: which judge is right (see `judge.audit`), and variation of one judge between calls.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from ..records.statistics import SEED, interval, known, mean
from ..reward import RewardWeights, reward
from ..training.advantages import advantages
from .again import rejudge
from .recorded import group_of, lost, rollout_at, rollouts_of, weights_of
from .setting import sign

DRAWS = 1000  # of the bootstrap


def compare_judges(rollouts, judges: dict, weights: RewardWeights | None = None, scale: str = "group",
                   baseline: str = "mean", renderer=None) -> Judges:
    """Score the same rollouts with each judge of `{name: judge}`, and compare what comes of it.

    A judge is what `as_judge` takes, or None for the verdicts as they were recorded. All rewards are made
    with the same `weights` (those of the recording, see `weights_of`), all advantages with `scale` and
    `baseline` (see `advantages`), step by step. Pictures are not rendered again (see `rejudge`).

    Raises ValueError for fewer than two judges, TypeError for what is no judge.

    Example: `compare_judges("data/rollouts/group", {"recorded": None, "mine": my_function}).pairs()`.
    """
    if len(judges) < 2:
        raise ValueError(f"{len(judges)} judge to compare; give two or more: compare_judges(rollouts, "
                         "{'recorded': None, 'mine': function})")
    rollouts = rollouts_of(rollouts)
    weights = weights_of(rollouts) if weights is None else weights
    facts, recorded = [], []
    for i in range(len(rollouts)):
        one = rollout_at(rollouts, i)
        facts.append((one.id, group_of(one), one.info.get("step"), one.ran or bool(one.final)
                      and lost(one.final)))
        recorded.append(reward(one, weights) if None in judges.values() else None)
    ids, groups, steps, ran = map(list, zip(*facts, strict=True))
    result = Judges(ids, groups, np.array(ran, bool), scale, baseline)
    for name, judge in judges.items():
        again = None if judge is None else rejudge(rollouts, judge, weights, renderer)
        rewards = recorded if again is None else again.rewards
        result.rollouts[name] = rollouts if again is None else again
        result.vision[name] = np.array([one.vision for one in rewards])
        result.totals[name] = np.array([one.total for one in rewards])
        result.advantages[name] = _by_step(result.totals[name], groups, steps, scale, baseline)
    return result


@dataclass(frozen=True, repr=False)
class Judges:
    """What `compare_judges` found. `ids` and `groups` are of the rollouts, `ran` whether the final code drew.

    By judge's name: `rollouts` with its verdicts, and as arrays over rollouts `vision`, `totals`,
    `advantages`.
    """

    ids: list
    groups: list
    ran: np.ndarray
    scale: str
    baseline: str
    rollouts: dict = field(default_factory=dict)
    vision: dict = field(default_factory=dict)
    totals: dict = field(default_factory=dict)
    advantages: dict = field(default_factory=dict)

    def __repr__(self):
        return f"Judges({len(self.ids)} rollouts of {len(set(self.ids))} images by {', '.join(self.vision)})"

    def table(self):
        """A frame with a row for each judge: mean of the final vision score with its interval over images,
        `spread` (standard deviation) over all rollouts and `within` groups, `unscored`, `n` scored."""
        import pandas as pd

        rows = {}
        for name, vision in self.vision.items():
            of_images = [mean(known(vision[some])) for some in _positions(self.ids)]
            low, high = interval(of_images)
            inside = [np.std(known(vision[some]), ddof=1) for some in _positions(self.groups)
                      if len(known(vision[some])) > 1]
            some = known(vision)
            rows[name] = {"mean": mean(some), "low": low, "high": high, "within": mean(inside),
                          "spread": float(np.std(some, ddof=1)) if len(some) > 1 else math.nan,
                          "unscored": int(np.isnan(vision).sum()), "n": len(some)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("judge")

    def pairs(self):
        """A frame with a row for each two judges and three measures, each with low, high and n.

        `rank` is Spearman's correlation of the final vision scores, over rollouts that drew something (a
        crash gets 0 of every judge). `order` is the share of a group's pairs whose rewards both judges tell
        apart and put the other way round; `tied` of those that only one tells apart. `sign` is the share of
        rollouts that one judge's advantage pushes up and the other's down.
        """
        import pandas as pd

        rows = {(a, b): self.pair(a, b) for a, b in combinations(self.vision, 2)}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["judge", "other"])

    def pair(self, a: str, b: str) -> dict[str, float]:
        """One row of `pairs`, of the judges named a and b. Raises ValueError for a name that is none."""
        self._check(a, b)
        row = self._rank(a, b)
        flipped, tied, told = self._orders(a, b)
        row |= _share("order", flipped, told) | {"tied": _ratio(tied.sum(), (told + tied).sum())}
        signs, both = self._signs(a, b)
        images = _positions(self.ids)
        per_image = [np.array([values[some].sum() for some in images]) for values in (signs < 0, both)]
        return row | _share("sign", *per_image)

    def flips(self, a: str, b: str) -> np.ndarray:
        """Positions of the rollouts that one judge pushes up and the other down, the largest change of the
        advantage first."""
        self._check(a, b)
        signs, _ = self._signs(a, b)
        found = np.flatnonzero(signs < 0)
        change = np.abs(self.advantages[a] - self.advantages[b])
        return found[np.argsort(-change[found], kind="stable")]

    def rollout(self, name: str, i: int):
        """Rollout i with the verdicts and the reward of one judge, its advantage in `info`."""
        self._check(name)
        return rollout_at(self.rollouts[name], i)

    def _check(self, *names):
        for name in names:
            if name not in self.vision:
                raise ValueError(f"no judge {name!r} was compared; compared were {', '.join(self.vision)}")

    def _rank(self, a, b):
        images = _positions(self.ids)
        x, y = self.vision[a], self.vision[b]
        good = self.ran & ~np.isnan(x) & ~np.isnan(y)

        def rank(chosen):
            some = np.concatenate([images[k] for k in chosen])
            some = some[good[some]]
            return spearman(x[some], y[some])

        low, high = _bootstrap(rank, len(images))
        return {"rank": rank(range(len(images))), "rank low": low, "rank high": high, "rank n": good.sum()}

    def _orders(self, a, b):
        """Of each image: pairs put the other way round, tied for one judge alone, told apart by both."""
        flipped, tied, told = {}, {}, {}
        for some in _positions(self.groups):
            i, j = np.triu_indices(len(some), 1)
            one, two = (sign(self.totals[name][some[i]] - self.totals[name][some[j]]) for name in (a, b))
            image = self.ids[some[0]]
            for counts, hits in ((flipped, one * two < 0), (told, one * two != 0),
                                 (tied, (one == 0) != (two == 0))):
                both = ~np.isnan(one) & ~np.isnan(two)
                counts[image] = counts.get(image, 0) + int((hits & both).sum())
        return [np.array(list(counts.values()), float) for counts in (flipped, tied, told)]

    def _signs(self, a, b):
        """(product of the signs of both advantages, whether a rollout counts: scored by both, in a group)."""
        scored = ~np.isnan(self.totals[a]) & ~np.isnan(self.totals[b])
        size = Counter(self.groups)
        both = scored & np.array([size[label] > 1 for label in self.groups], bool)
        return np.where(both, sign(self.advantages[a]) * sign(self.advantages[b]), 0), both


def spearman(x, y) -> float:
    """Spearman's rank correlation; NaN below three values, and where one side is constant."""
    from scipy.stats import rankdata

    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _positions(labels) -> list[np.ndarray]:
    """The positions of each label, in order of appearance."""
    found = {}
    for i, label in enumerate(labels):
        found.setdefault(label, []).append(i)
    return [np.array(some) for some in found.values()]


def _by_step(totals, groups, steps: Sequence, scale, baseline):
    """Advantages, each step a batch of its own."""
    result = np.zeros(len(totals))
    for some in _positions(steps):
        result[some] = advantages(totals[some], [groups[i] for i in some], scale, baseline)
    return result


def _ratio(hits, of):
    return float(hits / of) if of else math.nan


def _share(name, hits, of):
    """A share from counts of each image, with its interval."""
    low, high = _bootstrap(lambda chosen: _ratio(hits[chosen].sum(), of[chosen].sum()), len(hits))
    return {name: _ratio(hits.sum(), of.sum()), f"{name} low": low, f"{name} high": high,
            f"{name} n": int(of.sum())}


def _bootstrap(statistic, images: int):
    """The 95 % percentile interval of a statistic over images drawn again; NaN for fewer than two."""
    if images < 2:
        return math.nan, math.nan
    random = np.random.default_rng(SEED)
    values = known([statistic(random.integers(images, size=images)) for _ in range(DRAWS)])
    return tuple(map(float, np.percentile(values, (2.5, 97.5)))) if len(values) else (math.nan, math.nan)
