"""How much of a synthetic chart a program holds: its kind, colours, values and title. For evaluation alone.

Raw images carry no labels. What the charts of data/charts show lies apart from them in truth.json, which is
read here and nowhere else: never for training, never as part of a reward.

Left out: programs beyond the nano model's language, which count as wrong.
"""

from __future__ import annotations

import json
import math

import numpy as np

from ..leaves.files import REPOSITORY
from .dialect import Chart, basic, parse_program

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

    `truth` is one of `load_truths`. A value is right within 0.05 of the axis' length, of a pie within 0.05 of
    the whole; a wrong number of values makes all of them wrong.
    """
    chart = parse_program(code or "")
    kind = "group" if truth["kind"] == "grouped" else truth["kind"]
    if chart is None:
        return dict.fromkeys(FIELDS, 0.0)
    return {"type": float(chart.kind == kind),
            "colour": float(set(map(basic, chart.colours)) == set(truth["colours"])),
            "value": _values_right(chart, truth), "title": float(chart.title == truth["title"])}


def shown(code: str | None, truth: dict) -> dict[str, float]:
    """The same by other measures: type, colour, title, count, near, grid.

    `near` is the share of values within one tenth of the axis (a wrong number makes all wrong), `count` the
    number of marks in every row.
    """
    chart = parse_program(code or "")
    found = fields(code, truth)
    counts = [len(row) for row in _rows(truth)]
    return {name: found[name] for name in ("type", "colour", "title")} | {
        "count": float(chart is not None and [len(row) for row in _drawn(chart)] == counts),
        "near": _values_right(chart, truth, 0.1),
        "grid": float(chart is not None and bool(chart.grid) == truth["grid"])}


def _rows(truth):
    return truth["values"] if isinstance(truth["values"][0], (list, tuple)) else [truth["values"]]


def _drawn(chart):
    """A chart's values, row by row; 0 is no point of a scatter."""
    return [[tenths for tenths in row if tenths] for row in (() if chart is None else chart.series)]


def _values_right(chart: Chart | None, truth, within: float = 0.05) -> float:
    """The share of the truth's values that the chart has, row by row, each at its share of the axis."""
    rows, drawn = _rows(truth), _drawn(chart)
    wanted = _shares(truth["kind"], rows, truth["limits"])
    # above free data a legend has room of its own, of which the truth says nothing
    fixed = chart is not None and (chart.top == "10" or chart.look.legend and truth["limits"])
    shown = _shares(chart.kind, drawn, (0, 10) if fixed else None) if any(drawn) else []
    hits = []
    for i, row in enumerate(wanted):
        fits = i < len(shown) and len(shown[i]) == len(row)
        hits += [fits and abs(a - b) <= within + 1e-9
                 for a, b in zip(row, shown[i] if fits else row, strict=True)]
    return float(np.mean(hits))


def _shares(kind, rows, limits):
    """Where on the value axis each value lies, 0 to 1; of a pie its share of the whole."""
    if kind == "pie":
        return [[value / sum(row) for value in row] for row in rows]
    low, high = limits or axis(kind, rows)
    return [[(value - low) / (high - low) for value in row] for row in rows]


def axis(kind: str, rows) -> tuple[float, float]:
    """Ends of the value axis as matplotlib and the charts set them: a margin of 5 % of the data, which of
    bars and areas begins at zero; lines and steps get their zero afterwards.

    Example: `axis("bar", [[4, 10]]) == (0, 10.5)`.
    """
    values = [sum(values) for values in zip(*rows, strict=False)] if kind == "stacked" else sum(rows, [])
    free = kind in ("line", "lines", "step", "scatter")
    low = min(values) if free else min(0, *values)
    margin = 0.05 * (max(values) - low) or 1
    return (low - margin if kind == "scatter" else min(low, 0)), max(values) + margin
