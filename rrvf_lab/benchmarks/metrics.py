"""Scores for evaluation alone, never part of a reward: what is known of synthetic charts, and the benchmarks' metrics.

Raw images carry no labels. Synthetic charts can be made again from their seed (`charts.truth`): `fields` compares type,
colour, values and title. Only programs of the nano model's dialect are understood; any other counts as wrong.

The published metrics, on reference code: ChartMimic in `chartmimic` (`low_level`, `high_level`), Design2Code and
WebSight in `webmetrics` (`page_score`), Plot2Code (arXiv 2405.07990) here: `plot2code_text` and `plot2code_rating`. Its
harness (github TencentARC/Plot2Code) leaves failed and all-white pictures out of both means, where others count them as
0; the mean over what ran, times the share that ran, is the other one.

Left out: Plot2Code on plotly and R programs, its judge's exact words, and any metric that needs more than one
candidate.
"""

from __future__ import annotations

import math

import numpy as np

from . import chartmimic
from ..nano import dialect
from .chartmimic import high_level, low_level, low_levels  # noqa: F401
from .design2code import Clip, Pages, page_score  # noqa: F401

RATING = {"rating": (10, "overall appearance, colours, shapes, positions and all else to be seen; 1 is the worst")}


def fields(code: str | None, truth: dict) -> dict[str, float]:
    """Accuracies in [0, 1] of one program: type, colour, value, title; NaN where the chart has no such field.

    `truth` is what `charts.truth` gives. A value is right within 0.05 of the axis' length (half a step of the dialect's
    scale); a wrong number of values makes all of them wrong. Titles count where the dialect has the word.
    """
    chart = dialect.parse_program(code or "")
    kind = {"grouped": "group"}.get(truth["kind"], truth["kind"])
    known = kind in dialect.KINDS
    out = {"type": float(chart is not None and chart.kind == kind) if known else math.nan,
           "colour": float(chart is not None and set(chart.colours) == set(truth["colours"])) if known else math.nan,
           "value": math.nan, "title": math.nan}
    if truth["title"] in dialect.TITLES:
        out["title"] = float(chart is not None and chart.title == truth["title"])
    if known:
        heights = truth["values"] if isinstance(truth["values"][0], (list, tuple)) else [truth["values"]]
        drawn = [] if chart is None else [[v for v in row if v] for row in chart.series]  # 0: no point of a scatter
        hits = []
        for i, row in enumerate(heights):
            low, high = _axis(truth, heights)
            shown = drawn[i] if i < len(drawn) and len(drawn[i]) == len(row) else [math.inf] * len(row)
            hits += [abs((v - low) / (high - low) - s / 10) <= 0.05 + 1e-9 for v, s in zip(row, shown, strict=True)]
        out["value"] = float(np.mean(hits))
    return out


def _axis(truth, heights):
    """Ends of the value axis: as given, else matplotlib's default margins (bars and areas start at zero)."""
    if truth["limits"]:
        return truth["limits"]
    flat = [v for row in heights for v in row]
    low = min(flat) if truth["kind"] in ("line", "scatter") else min(0, *flat)
    margin = 0.05 * (max(flat) - low) or 1
    return (low - margin if truth["kind"] in ("line", "scatter") else low), max(flat) + margin


def accuracies(rollouts, truths) -> dict[str, float]:
    """Mean `fields` of the rollouts' final code; `truths` maps a rollout's id to its truth. n of each is in
    `n_<field>`."""
    rows = [fields(r.code, truths[r.id]) for r in rollouts]
    out = {}
    for name in ("type", "colour", "value", "title"):
        values = [row[name] for row in rows if not math.isnan(row[name])]
        out[name] = float(np.mean(values)) if values else math.nan
        out[f"n_{name}"] = len(values)
    return out


# ------------------------------------------------------------------------------------------------------------ Plot2Code

def plot2code_text(reference: str, candidate: str, renderer=None) -> float:
    """Plot2Code's text match of two matplotlib programs in [0, 1]: matched / (matched + unmatched of both), 1 without
    text.

    Every visible text counts, tick labels too, in lower case. Two match when equal and nearer than exp(-d / 100) > 0.8,
    d in each text's own coordinates (data, axes or pixels: the harness mixes them) scaled by the figures' sizes. Texts
    without numbers for a place never match. nan when the candidate does not run; the harness drops it. Raises
    ValueError when the reference does not run.

        plot2code_text("import matplotlib.pyplot as plt\\nplt.title('A')", "import matplotlib.pyplot as
        plt\\nplt.title('a')")
    """
    first, second = chartmimic.labels([reference, candidate], renderer)
    if first.error:
        raise ValueError(f"the reference program does not run here: {first.error}")
    if second.error:
        return math.nan
    wide, high = (a / b for a, b in zip(first.size, second.size))
    left, matched = list(second.texts), 0
    for text, place in first.texts:
        hit = next((k for k, (other, there) in enumerate(left) if other == text and None not in (place, there)
                    and math.exp(-math.dist(place, (there[0] * wide, there[1] * high)) / 100) > 0.8), None)
        if hit is not None:
            matched += 1
            left.pop(hit)
    total = len(first.texts) + len(second.texts) - matched
    return matched / total if total else 1.0


def plot2code_rating(judge, reference, candidate) -> float:
    """Plot2Code's rating of two pictures, 1 to 10, or nan (no picture, or the judge gave no verdict; the harness drops
    both).

    `judge` is a `VLMJudge` with `criteria=RATING`, in our words; the reference is shown first. An all-white picture is
    none.

        plot2code_rating(VLMJudge("a-model", url, criteria=RATING), reference_image, rendering.image)
    """
    if candidate is None or candidate.convert("L").getextrema()[0] == 255:
        return math.nan
    score = judge(reference, candidate).score
    return math.nan if math.isnan(score) else max(1.0, 10 * score)
