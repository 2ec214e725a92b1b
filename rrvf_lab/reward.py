"""The reward of a rollout: how alike the final picture is, minus bad form, plus a little for using the tool.

    total = vision * R_vision + format * R_format + tool * R_tool

`R_vision` in [0, 1] is the judge's score of the final render (0 when nothing rendered, NaN when the judge
could not score). `R_format` in [-1, 0] is minus the share of turns that were malformed or whose code did not
run. `R_tool` in [0, 1] counts successful `render` calls up to `cap`, and is paid in full once `R_vision`
reaches `enough`, so that stopping early costs nothing.

The paper names the three terms and publishes no weights that we could read; other readings of it give 0.2 /
0.8 / 1.0, the code its authors built on has 0.8 / 0.2 / 1.2. Our defaults are our own: GRPO subtracts the
group's mean, so terms that all rollouts share do not matter, and fidelity should outweigh what is only a
means to it.

Left out: a bonus for improving between turns, which teaches a policy to spoil its first draft.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class RewardWeights:
    """Weights of the three terms, the cap on paid tool calls, and the vision score that needs no more calls.
    """

    vision: float = 1.0
    format: float = 0.1
    tool: float = 0.1
    cap: int = 1
    enough: float = 0.95


@dataclass(frozen=True)
class Reward:
    """The three terms, their weighted sum, and a sentence on each; `total` is NaN when the rollout is
    unscored."""

    vision: float
    format: float
    tool: float
    total: float
    reasons: tuple[str, ...] = ()

    @property
    def scored(self) -> bool:
        """Whether the judge gave a score."""
        return not math.isnan(self.total)


def reward(rollout, weights: RewardWeights = RewardWeights()) -> Reward:
    """Score a finished `Rollout`; its turns must carry their renderings and verdicts.

    Example: a rollout whose first render equals the target gets vision 1.0, format 0.0, tool 1.0.
    """
    final = rollout.final
    if final is None:
        vision, why = 0.0, "no code to judge"
    elif final.rendering.image is None:
        last = (final.rendering.error or "").strip().rpartition("\n")[2]
        vision, why = 0.0, f"the final code failed: {last}"
    else:
        vision, why = final.verdict.score, final.verdict.reason
    bad = [turn for turn in rollout.turns if turn.error]
    form = -len(bad) / max(1, len(rollout.turns))
    calls = sum(turn.action == "render" and turn.ran for turn in rollout.turns)
    tool = 1.0 if vision >= weights.enough else min(calls, weights.cap) / max(1, weights.cap)
    total = weights.vision * vision + weights.format * form + weights.tool * tool
    share = f"{len(bad)} of {len(rollout.turns)} turns"
    reasons = (f"vision {vision:.3f} x {weights.vision:g}: {why}",
               f"format {form:.2f} x {weights.format:g}: {share} malformed or failed",
               f"tool {tool:.2f} x {weights.tool:g}: {calls} successful calls, {weights.cap} paid")
    return Reward(vision, form, tool, total, reasons)
