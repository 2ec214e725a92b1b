"""What GRPO makes of the rewards of a group: the advantage of each rollout, by which it is pushed.

GRPO has no critic. A rollout's advantage is its reward minus a baseline taken from its own group, divided
by a spread:

    A_i = (r_i - mean(r)) / (std(r) + 0.0001)        std with n - 1, over the rollouts that have a reward

(DeepSeekMath, arXiv 2402.03300.) TRL computes the trainer's own; these are the same numbers and their common
variants, so that weights, scale and baseline can be changed after the fact and the order seen to change.

Left out: the loss. Advantages say which way each rollout is pushed, not how far clipping lets it go.
"""

from __future__ import annotations

import numpy as np

EPSILON = 1e-4    # added to the spread, as in TRL 1.16
FLAT = 1e-6       # rewards closer than this are equal: the group teaches nothing
ROUNDING = 1e-3   # an advantage closer to 0 than this is no push
SCALES = ("group", "batch", "none")
BASELINES = ("mean", "leave-one-out", "batch", "none")


def advantages(rewards, groups, scale: str = "group", baseline: str = "mean") -> np.ndarray:
    """The advantage of each rollout of one batch, as float64 of the same length.

    `rewards` are totals; NaN marks an unscored rollout: it is kept out of every mean and spread, and gets
    0. `groups` is the size of consecutive groups, or a label for each rollout. `scale` divides by the
    spread of the "group" (GRPO), of the "batch", or by nothing ("none", Dr. GRPO, arXiv 2503.20783).
    `baseline` is the group's "mean" (GRPO), the mean of the others ("leave-one-out", RLOO, arXiv
    2402.14740), the mean of the "batch", or "none".

    With the baseline "mean" the numbers are those of TRL 1.16, which computes them in float32. Raises
    ValueError for an unknown scale or baseline, and for groups that do not fit.

    Example: `advantages([0.2, 0.5, 0.5, 0.8], groups=4)` gives -1.22, 0, 0, 1.22.
    """
    _check_known("scale", scale, SCALES)
    _check_known("baseline", baseline, BASELINES)
    r = np.asarray(rewards, float)
    if r.ndim != 1 or not len(r):
        raise ValueError(f"rewards of shape {r.shape}; give a flat list with at least one number")
    of = _labels(groups, len(r))
    with np.errstate(invalid="ignore", divide="ignore"):
        result = (r - _baseline(r, of, baseline)) / _spread(r, of, scale)
    return np.nan_to_num(result, nan=0.0)


def without_rounding(pushes, totals, group: int):
    """TRL's advantages (a float32 tensor, changed in place) with 0 where only rounding pushes: in groups of
    equal rewards, whose rounding errors TRL divides by 0.0001 and Adam scales up to whole steps, and below
    0.001.

    Example: `without_rounding(torch.tensor([0.0012, -0.0012]), [1.05, 1.05], group=2)` is all 0.
    """
    for first in range(0, len(totals), group):
        if apart(totals[first:first + group]) < FLAT:
            pushes[first:first + group] = 0.0
    pushes[abs(pushes) < ROUNDING] = 0.0
    return pushes


def apart(totals) -> float:
    """Highest minus lowest reward of those that were scored; 0 where none was.

    Example: `apart([0.2, float("nan"), 0.8])` is 0.6.
    """
    scored = [total for total in totals if not np.isnan(total)]
    return max(scored, default=0.0) - min(scored, default=0.0)


def _baseline(r, of, baseline):
    """What each reward is compared with; `of` says which group it belongs to."""
    scored = ~np.isnan(r)
    n, total = np.bincount(of, scored), np.bincount(of, np.where(scored, r, 0.0))
    if baseline == "mean":
        return (total / n)[of]
    if baseline == "leave-one-out":
        return (total[of] - r) / (n[of] - 1)
    return np.full(len(r), total.sum() / n.sum() if baseline == "batch" else 0.0)


def _spread(r, of, scale):
    """What each difference is divided by; NaN where fewer than two rewards are known."""
    if scale == "none":
        return 1.0
    scored = ~np.isnan(r)
    if scale == "batch":
        return EPSILON + (np.std(r[scored], ddof=1) if scored.sum() > 1 else np.nan)
    n = np.bincount(of, scored)
    squares = np.bincount(of, np.where(scored, (r - _baseline(r, of, "mean")) ** 2, 0.0))
    return EPSILON + np.sqrt(squares / np.where(n > 1, n - 1, np.nan))[of]


def _check_known(name, value, known):
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}; known: {', '.join(known)}")


def _labels(groups, n):
    """Group numbers 0, 1, ... in order of appearance, one for each of n rollouts."""
    if isinstance(groups, int):
        if groups < 1 or n % groups:
            raise ValueError(f"{n} rewards do not fill groups of {groups}; give a divisor of {n}, or a label "
                             "for each")
        return np.arange(n) // groups
    labels = list(groups)
    if len(labels) != n:
        raise ValueError(f"{n} rewards but {len(labels)} group labels; give one label for each reward")
    seen = {}
    return np.array([seen.setdefault(label, len(seen)) for label in labels])
