"""How much of a synthetic chart a program holds: its kind, colours, values and title. For evaluation alone.

Raw images carry no labels. What the charts of data/charts show lies apart from them in truth.json, which is
read here and nowhere else: never for training, never as part of a reward.

Left out: programs beyond the nano model's dialect, which count as wrong, and kinds of chart that the dialect
lacks, which count for their title only.
"""

from __future__ import annotations

import json
import math

import numpy as np

from ..leaves.files import REPOSITORY
from .dialect import KIND_WORDS, TITLE_WORDS, Chart, parse_program

TRUTHS = REPOSITORY / "data" / "charts" / "truth.json"
FIELDS = ("type", "colour", "value", "title")


def load_truths(split: str) -> dict[str, dict]:
    """What the charts of a split ("train" or "test") show, by id.

    Each is a dict: id, kind, colours (the nearest of the twelve names, one per series or slice), values (a
    list, or two of them), x, limits (of the value axis; None: matplotlib's own), title, xlabel, ylabel (None:
    absent), grid. Raises ValueError for another split, FileNotFoundError where truth.json is missing.

    Example: `load_truths("test")["test-0003"]["kind"]`.
    """
    if not TRUTHS.exists():
        raise FileNotFoundError(f"{TRUTHS} is missing; make it again with: python data/charts/make.py")
    truths = json.loads(TRUTHS.read_text())
    found = {id: truth for id, truth in truths.items() if id.startswith(f"{split}-")}
    if not found:
        raise ValueError(f"charts have the splits 'train' and 'test', not {split!r}")
    return found


def accuracies(rollouts, truths) -> dict[str, float]:
    """Means of `fields` over the rollouts' final code; `truths` maps a rollout's id to its truth.

    How many rollouts have a field is in `n_<field>`; NaN where none has.
    Example: `accuracies(report.rollouts, load_truths("test"))["colour"]`.
    """
    rows = [fields(rollout.code, truths[rollout.id]) for rollout in rollouts]
    out = {}
    for name in FIELDS:
        values = [row[name] for row in rows if not math.isnan(row[name])]
        out[name] = float(np.mean(values)) if values else math.nan
        out[f"n_{name}"] = len(values)
    return out


def fields(code: str | None, truth: dict) -> dict[str, float]:
    """Accuracies in [0, 1] of one program: type, colour, value, title; NaN where the chart has no such field.

    `truth` is one of `load_truths`. A value is right within 0.05 of the axis' length (half a step of the
    dialect's scale); a wrong number of values makes all of them wrong. Titles count where the dialect has the
    word.
    """
    chart = parse_program(code or "")
    kind = "group" if truth["kind"] == "grouped" else truth["kind"]
    out = dict.fromkeys(FIELDS, math.nan)
    if truth["title"] in TITLE_WORDS:
        out["title"] = float(chart is not None and chart.title == truth["title"])
    if kind in KIND_WORDS:
        out["type"] = float(chart is not None and chart.kind == kind)
        out["colour"] = float(chart is not None and set(chart.colours) == set(truth["colours"]))
        out["value"] = _values_right(chart, truth)
    return out


def shown(code: str | None, truth: dict) -> dict[str, float]:
    """The same by other measures: type, colour, count, near, grid; NaN where the dialect lacks the kind.

    `near` is the share of values within one tenth of the axis (a wrong number makes all wrong), `count` the
    number of marks in every row.
    """
    chart = parse_program(code or "")
    found = fields(code, truth)
    if math.isnan(found["type"]):
        return dict.fromkeys(("type", "colour", "count", "near", "grid"), math.nan)
    counts = [len(row) for row in _rows(truth)]
    return {"type": found["type"], "colour": found["colour"],
            "count": float(chart is not None and [len(row) for row in _drawn(chart)] == counts),
            "near": _values_right(chart, truth, 0.1),
            "grid": float(chart is not None and chart.grid == truth["grid"])}


def _rows(truth):
    return truth["values"] if isinstance(truth["values"][0], (list, tuple)) else [truth["values"]]


def _drawn(chart):
    """A chart's values, row by row; 0 is no point of a scatter."""
    return [[tenths for tenths in row if tenths] for row in (() if chart is None else chart.series)]


def _values_right(chart: Chart | None, truth, within: float = 0.05) -> float:
    """The share of the truth's values that the chart has, row by row."""
    rows, drawn = _rows(truth), _drawn(chart)
    low, high = _axis(truth, rows)
    hits = []
    for i, row in enumerate(rows):
        fits = i < len(drawn) and len(drawn[i]) == len(row)
        shown = drawn[i] if fits else [math.inf] * len(row)
        hits += [abs((value - low) / (high - low) - tenths / 10) <= within + 1e-9
                 for value, tenths in zip(row, shown, strict=True)]
    return float(np.mean(hits))


def _axis(truth, rows):
    """Ends of the value axis: as given, else matplotlib's default margins (bars and areas start at zero)."""
    if truth["limits"]:
        return truth["limits"]
    values = [value for row in rows for value in row]
    free = truth["kind"] in ("line", "scatter")
    low = min(values) if free else min(0, *values)
    margin = 0.05 * (max(values) - low) or 1
    return (low - margin if free else low), max(values) + margin
