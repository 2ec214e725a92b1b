"""What a judge says of two pictures, and what it says where there is nothing to compare.

Left out: how it comes to say it (`pixel`, `vlm`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .errors import in_short


@dataclass(frozen=True)
class Verdict:
    """What a judge says: `score` in [0, 1] (NaN = unscored), `feedback` text, `parts` of the score, and why.

    Example: `judge(target, render).score`
    """

    score: float
    feedback: str
    parts: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def unscored(cls, problem) -> Verdict:
        """The verdict of a judge that gave none: score NaN, the problem (text or exception) as reason."""
        if isinstance(problem, Exception):
            problem = f"{type(problem).__name__}: {problem}"
        return cls(math.nan, "The judge failed.", {}, f"judge: {problem}")

    @classmethod
    def no_picture(cls, error=None) -> Verdict:
        """The verdict on a program that drew nothing: score 0 and its error in short."""
        return cls(0.0, f"Failed: {in_short(error)}", {},
                   "The program gave no picture, so there is nothing to compare.")
