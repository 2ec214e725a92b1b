"""What a program drew against what the chart shows: type, colour, values and title, where the truth is known.

The raw images carry no labels. Synthetic ones can be made again from their seed (`charts.truth`), for evaluation alone:
nothing here is ever part of a reward. Only programs of the nano model's dialect are understood; any other counts as wrong.

Left out: the benchmarks' published metrics on reference code.
"""

from __future__ import annotations

import math

import numpy as np

from . import dialect


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
    """Mean `fields` of the rollouts' final code; `truths` maps a rollout's id to its truth. n of each is in `n_<field>`."""
    rows = [fields(r.code, truths[r.id]) for r in rollouts]
    out = {}
    for name in ("type", "colour", "value", "title"):
        values = [row[name] for row in rows if not math.isnan(row[name])]
        out[name] = float(np.mean(values)) if values else math.nan
        out[f"n_{name}"] = len(values)
    return out
