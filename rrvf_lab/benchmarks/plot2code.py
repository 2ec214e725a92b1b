"""Plot2Code's two scores (arXiv 2405.07990): matched texts of two programs, and a judge's rating of two
pictures.

Its harness (github TencentARC/Plot2Code) leaves failed and all-white pictures out of both means, where others
count them as 0. `Plot2Code.table` gives either: the mean over what ran, times the share that ran, is the
other.

Left out: plotly and R programs, the judge's exact words, and any score that needs more than one candidate.
"""

from __future__ import annotations

import math

from ..judge import as_judge
from .heard import Labels, labels
from .tables import counted, mean_of, recorded

RATING = {"rating": (10, "overall appearance, colours, shapes, positions and all else to be seen; "
                         "1 is the worst")}
NEAR = 0.8  # of exp(-distance / 100)


def plot2code_text(reference: str, candidate: str, renderer=None) -> float:
    """Plot2Code's text match of two matplotlib programs in [0, 1]: matched / (matched + unmatched of both), 1
    without text.

    Every visible text counts, tick labels too, in lower case. Two match when equal and nearer than exp(-d /
    100) > 0.8, d in each text's own coordinates (data, axes or pixels: the harness mixes them) scaled by the
    figures' sizes. Texts without numbers for a place never match. NaN when the candidate does not run; the
    harness drops it. Raises ValueError when the reference does not run.

    Example: `plot2code_text(reference_code, "import matplotlib.pyplot as plt\\nplt.title('a')")`.
    """
    first, second = labels([reference, candidate], renderer)
    if first.error:
        raise ValueError(f"the reference program does not run here: {first.error}")
    return math.nan if second.error else _match(first, second)


def _match(first: Labels, second: Labels) -> float:
    wide, high = (a / b for a, b in zip(first.size, second.size, strict=True))
    left, matched = list(second.texts), 0
    for text, place in first.texts:
        for k, (other, there) in enumerate(left):
            if other != text or place is None or there is None:
                continue
            distance = math.dist(place, (there[0] * wide, there[1] * high))
            if math.exp(-distance / 100) > NEAR:
                matched += 1
                left.pop(k)
                break
    total = len(first.texts) + len(second.texts) - matched
    return matched / total if total else 1.0


def plot2code_rating(judge, reference, candidate) -> float:
    """Plot2Code's rating of two pictures, 1 to 10, or NaN (no picture, or the judge gave no verdict; the
    harness drops both).

    `judge` is a `VLMJudge` with `criteria=RATING`, in our words; the reference is shown first. An all-white
    picture is none.

    Example: `plot2code_rating(VLMJudge("a-model", url, criteria=RATING), reference_image, rendering.image)`.
    """
    if not inked(candidate):
        return math.nan
    score = judge(reference, candidate).score
    return math.nan if math.isnan(score) else max(1.0, 10 * score)


def inked(picture) -> bool:
    """Whether there is a picture with anything on it: the harness takes an all-white one for a failure."""
    return picture is not None and picture.convert("L").getextrema()[0] < 255


class Plot2Code:
    """Plot2Code as a metric of `evaluate`; `plot2code` is the one without a rater.

    Its numbers: `text` in [0, 1], `ran` (1 or 0: it drew something that is not all white) and with a rater
    `rating`, 1 to 10 (NaN where the judge gave no verdict). What did not run is 0 in all of them; a reference
    that does not run leaves its item unmeasured.

    Args:
        rater: a judge of two pictures, such as a `VLMJudge` with `criteria=RATING`.

    Example: `evaluate(policy, items, metrics=[Plot2Code(rater=VLMJudge("a-model", url, criteria=RATING))])`.
    """

    name, needs = "plot2code", ("reference",)

    def __init__(self, rater=None):
        self.rater = None if rater is None else as_judge(rater)

    def __call__(self, rollout, item) -> dict[str, float]:
        text = plot2code_text(item["reference"], rollout.code) if inked(rollout.picture) else math.nan
        ran = not math.isnan(text)
        out = {"text": text if ran else 0.0}
        if self.rater is not None:
            out["rating"] = plot2code_rating(self.rater, rollout.target, rollout.picture) if ran else 0.0
        return out | {"ran": float(ran)}

    def table(self, report, failures: str = "zero") -> dict[str, float]:
        """The benchmark's table: exec (the code pass rate) and text, 0 to 100, where it was rated rating, 1
        to 10, and n, how many were measured.

        `failures`: "zero" counts what failed as 0 over all items, and the judge's missing verdicts too;
        "drop" takes what ran and was rated, as published. Raises ValueError where no rollout has the metric,
        or for another word.

        Example: `plot2code.table(report, failures="drop")["text"]`.
        """
        rows = recorded(report, self.name)
        kept = counted(rows, failures)
        out = {"exec": 100 * mean_of(rows, "ran"), "text": 100 * mean_of(kept, "text")}
        rated = [row for row in kept if "rating" in row]
        if rated:
            out["rating"] = mean_of(rated, "rating", failures)
        return out | {"n": len(rows)}


plot2code = Plot2Code()
