"""One rule of GRPO: how rewards become advantages and advantages a loss, as settings and as formulas.

Left out: other losses than TRL's "dapo", with which training here is done, and the KL term.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..reward import RewardWeights
from ..training.advantages import FLAT, ROUNDING, SCALES, advantages

NEAR = 1.5 * ROUNDING  # of what the trainer sets to 0
BASE = {"mean": r"\operatorname{mean}_{j\in g}\,r_j", "batch": r"\operatorname{mean}_{j}\,r_j",
        "leave-one-out": r"\operatorname{mean}_{j\in g,\,j\neq i}\,r_j"}
SPREAD = {"group": r"\operatorname{std}_{j\in g}\,r_j+10^{-4}",
          "batch": r"\operatorname{std}_{j}\,r_j+10^{-4}"}
RATIO = r"\rho_{i,t}=\frac{\pi(o_{i,t})}{\pi_{\mathrm{old}}(o_{i,t})}"


@dataclass(frozen=True)
class Setting:
    """The weights of the reward, `scale` and `baseline` of the advantage (see `advantages`), `clip` (how far
    a ratio may fall below and rise above 1), and how many rollouts make a `group` (None: as recorded)."""

    weights: RewardWeights = field(default_factory=RewardWeights)
    scale: str = "group"
    baseline: str = "mean"
    clip: tuple[float, float] = (0.2, 0.2)
    group: int | None = None

    def __post_init__(self):
        low, high = self.clip
        if not (0 <= low <= 1 and high >= 0):
            raise ValueError(f"clip={self.clip}: a ratio stays between 1 - low and 1 + high; give for "
                             "example clip=(0.2, 0.28)")

    def advantages(self, totals, groups) -> np.ndarray:
        """The advantages of one batch of rewards."""
        return advantages(totals, groups, self.scale, self.baseline)

    def formulas(self) -> dict[str, str]:
        """LaTeX of reward, advantage, ratio and loss, without dollar signs.

        Example: `Setting(scale="none").formulas()["advantage"]`.
        """
        w, (low, high) = self.weights, self.clip
        above = "r_i" if self.baseline == "none" else f"r_i-{BASE[self.baseline]}"
        spread = SPREAD.get(self.scale)
        size = rf",\quad |g|={self.group}" if self.group else ""
        clip = rf"\operatorname{{clip}}(\rho_{{i,t}},\,{1 - low:g},\,{1 + high:g})\,A_i"
        return {
            "reward": rf"r_i={w.vision:g}\,R^{{\mathrm{{vision}}}}_i{w.format:+g}\,R^{{\mathrm{{format}}}}_i"
                      rf"{w.tool:+g}\,R^{{\mathrm{{tool}}}}_i",
            "advantage": (rf"A_i=\frac{{{above}}}{{{spread}}}" if spread else f"A_i={above}") + size,
            "ratio": RATIO,
            "loss": r"\mathcal{L}=\sum_{i,t}\ell_{i,t},\quad "
                    rf"\ell_{{i,t}}=-\frac{{1}}{{N}}\min\left(\rho_{{i,t}}A_i,\;{clip}\right)",
        }


def terms(advantages, ratios, clip) -> tuple[list, list]:
    """(each token's part of the loss, whether clipping took its gradient away), an array for each rollout.

    `ratios` are arrays over the tokens of each rollout; the parts of all add up to the loss.

    Example: `terms([1.0, -1.0], [np.ones(3), np.ones(5)], (0.2, 0.2))[0][0]` holds three times -1/8.
    """
    count = sum(map(len, ratios))
    parts, stopped = [], []
    for advantage, ratio in zip(advantages, ratios, strict=True):
        free, clipped = ratio * advantage, np.clip(ratio, 1 - clip[0], 1 + clip[1]) * advantage
        parts.append(-np.minimum(free, clipped) / count)
        stopped.append(clipped < free)
    return parts, stopped


def sign(values):
    """-1, 0, 1; rounding errors of equal rewards are 0, and NaN stays."""
    return np.where(np.abs(values) < FLAT, 0.0, np.sign(values))


def scale_of(totals, groups, told) -> str | None:
    """The scale by which recorded advantages `told` follow from their rewards; None where none fits.

    Example: `scale_of([0.2, 0.8], [0, 0], [-0.3, 0.3]) == "none"`.
    """
    return next((scale for scale in SCALES
                 if np.allclose(advantages(totals, groups, scale), told, rtol=1e-3, atol=NEAR)), None)
