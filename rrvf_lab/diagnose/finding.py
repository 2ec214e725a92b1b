"""One finding, and the arithmetic of chance that findings share.

Left out: which findings there are (`findings`), and how they look (`show`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..records.statistics import known, mean, share

WRONG, LOST, NOTE = "numbers are wrong", "learning is lost", "worth knowing"
KINDS = (WRONG, LOST, NOTE)  # the gravest first
LEVEL = 0.01  # of all findings of chance together: how often a sound run may raise any


@dataclass(frozen=True)
class Finding:
    """What happens in a run, in plain words.

    `says` is the sentence; `evidence` the number with its interval, n and steps; `costs` what it costs;
    `remedy` what to try; `rollouts` the positions of those that show it, the clearest first. `kind` is one of
    `KINDS`. `harm` in [0, 1] is the share of rollouts (or of the learning signal) that it touches, and ranks
    findings of one kind. `chance` is how likely a sound run shows as much: 0 for what cannot happen in one.
    Raises ValueError for another kind.
    """

    name: str
    says: str
    evidence: str
    kind: str = NOTE
    harm: float = 0.0
    costs: str = ""
    remedy: str = ""
    rollouts: tuple[int, ...] = ()
    chance: float = 0.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r}: a finding is one of {', '.join(KINDS)}")


def kept(findings) -> list[Finding]:
    """Those that so many looks would hardly have made up (Holm's correction at LEVEL), ranked."""
    certain = [finding for finding in findings if finding.chance == 0]
    doubtful = sorted((finding for finding in findings if finding.chance > 0), key=lambda f: f.chance)
    looks = len(doubtful)
    for k, finding in enumerate(doubtful):
        if finding.chance * (looks - k) > LEVEL:
            break
        certain.append(finding)
    return sorted(certain, key=lambda f: (KINDS.index(f.kind), -f.harm))


def more_than(hits: int, n: int, usual: float) -> float:
    """The chance of at least `hits` of `n` where each happens with probability `usual`."""
    from scipy.stats import binom

    return float(binom.sf(hits - 1, n, usual)) if n else 1.0


def above_zero(values) -> float:
    """The chance of a mean as high as that of these values where the true one is 0 (one-sided t)."""
    from scipy.stats import ttest_1samp

    values = known(values)
    if len(values) < 3 or np.ptp(values) == 0:
        return 1.0
    return float(ttest_1samp(values, 0, alternative="greater").pvalue)


def trend(x, y) -> tuple[float, float]:
    """(rank correlation, its two-sided chance) of y over x; (0, 1) where nothing can be said."""
    from scipy.stats import spearmanr

    x, y = np.asarray(x, float), np.asarray(y, float)
    there = ~(np.isnan(x) | np.isnan(y))
    if there.sum() < 5 or np.ptp(x[there]) == 0 or np.ptp(y[there]) == 0:
        return 0.0, 1.0
    found = spearmanr(x[there], y[there])
    return float(found.statistic), max(float(found.pvalue), 1e-300)


def over_steps(run, values) -> tuple[float, float]:
    """(correlation, its two-sided chance) of values of rollouts with the step, group by group.

    Where images come again they are compared with themselves, as some are harder; the clearer of both looks
    counts, at twice its chance.
    """
    from scipy.stats import t

    there = ~np.isnan(values) & ~np.isnan(run.step)
    keys, of = np.unique(np.array([f"{step:g} {target}" for step, target in
                                   zip(run.step[there], run.target[there], strict=True)], str),
                         return_inverse=True)
    if len(keys) < 6:
        return 0.0, 1.0
    y = np.bincount(of, values[there]) / np.bincount(of)
    x = np.bincount(of, run.step[there]) / np.bincount(of)
    looks = [trend(x, y)]
    image = np.unique([key.partition(" ")[2] for key in keys], return_inverse=True)[1]
    x, y = (v - (np.bincount(image, v) / np.bincount(image))[image] for v in (x, y))
    free = len(keys) - image.max() - 2
    if free > 3 and x @ x > 0 and y @ y > 0:
        r = float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -0.999999, 0.999999))
        looks.append((r, float(2 * t.sf(abs(r) * np.sqrt(free / (1 - r * r)), free))))
    order, chance = min(looks, key=lambda look: look[1])
    return order, min(1.0, len(looks) * chance)


def rate(hits, n=None) -> str:
    """A share in words: "12 of 40 (30 %, 95 % interval 18 to 45 %)"."""
    hits = np.asarray(hits, bool) if n is None else np.arange(n) < hits
    of = share(hits)
    if not of["n"]:
        return "none of none"
    return (f"{int(hits.sum()):,} of {len(hits):,} ({of['value']:.0%}, 95 % interval "
            f"{100 * of['low']:.0f} to {100 * of['high']:.0f} %)")


def average(values) -> str:
    """A mean in words, with its 95 % interval from the standard error and n."""
    values = known(values)
    spread = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    low, high = mean(values) - spread, mean(values) + spread
    return f"{mean(values):+.3f} (95 % interval {low:+.3f} to {high:+.3f}, n = {len(values):,})"
