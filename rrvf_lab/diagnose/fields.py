"""What of a drawn chart of data/charts a program says rightly: kind, colours, values, title, axis labels.

Programs are read, never run: their numbers, strings and plotting calls as they stand in the text, of whatever
policy. truth.json is read for evaluation alone.

Left out: numbers that a program works out, which count as wrong; other images, of which no truth is known
(measure those with `evaluate(..., metrics=[...])`).
"""

from __future__ import annotations

import ast
import functools

import numpy as np

from ..leaves.files import REPOSITORY
from ..leaves.pictures import decoded
from ..leaves.trees import tree_of
from ..nano.fields import load_truths
from ..records.store import picture_name

CALLS = {"bar": ("bar",), "grouped": ("bar",), "stacked": ("bar",), "barh": ("barh",), "line": ("plot",),
         "lines": ("plot",), "step": ("step", "stairs"), "scatter": ("scatter",), "pie": ("pie",),
         "area": ("fill_between", "stackplot"), "hist": ("hist", "stairs", "bar")}  # that draw a kind
DRAWING = {name for names in CALLS.values() for name in names}
COLOURED = ("color", "colors", "c", "facecolor", "facecolors")
NAMES = ("red", "blue", "green", "orange", "purple", "gray", "steelblue", "teal", "gold", "salmon", "brown",
         "pink")  # the truth's words
WITHIN = 0.05   # of the largest value
CHECKED = 8     # images whose pixels are compared with the file of their name
NOTHING = dict.fromkeys(("kind", "colours", "values", "title", "axis labels"), np.nan)


def fields_of(run) -> dict[str, np.ndarray]:
    """{field: its share that is right in the final code of each rollout}; NaN where there is no such field, 0
    where nothing was drawn. {} of other images than data/charts.

    Example: `fields_of(evidence)["title"].mean()`.
    """
    truths = _truths(run)
    if not truths:
        return {}
    rows = []
    for i, row in enumerate(run.rows):
        truth, final = truths.get(run.id[i]), row["choice"]
        rows.append(right(row["turns"][final]["code"] if run.ran[i] else "", truth) if truth else NOTHING)
    return {f"chart {name}": np.array([row[name] for row in rows]) for name in NOTHING}


def _truths(run):
    """{id: truth} where the run's images are those of data/charts."""
    split = str(run.id[0]).partition("-")[0] if len(run) else ""
    try:
        truths = load_truths(split)
        ids, first = np.unique(run.id.astype(str), return_index=True)
        there = [i for id, i in zip(ids, first, strict=True) if id in truths]
        for i in there[::max(1, len(there) // CHECKED)]:
            own = decoded(REPOSITORY / "data" / "charts" / split / f"{run.id[i]}.png")
            if picture_name(own) != run.target[i]:
                return {}
    except (ValueError, OSError):  # no such split, or charts that were not made
        return {}
    return {run.id[i]: truths[run.id[i]] for i in there}


def right(code: str, truth: dict) -> dict[str, float]:
    """The share of each field of one chart's `truth` that a program has right.

    A value is right within 0.05 of the largest, relative to the program's own largest; a wrong number of
    values makes all of them wrong. Example: `right(rollout.code, load_truths("test")[rollout.id])["kind"]`.
    """
    calls, strings, numbers, colours = said(code)
    rows = truth["values"] if isinstance(truth["values"][0], list) else [truth["values"]]
    labels = [truth[name] for name in ("xlabel", "ylabel") if truth[name]]
    return {"kind": float(bool(calls) and calls[0] in CALLS.get(truth["kind"], ())),
            "colours": float(set(map(_nearest, colours)) == set(truth["colours"])),
            "values": float(np.mean(np.concatenate([_best(row, numbers) for row in rows]))),
            "title": float(truth["title"] in strings) if truth["title"] else np.nan,
            "axis labels": float(np.mean([label in strings for label in labels])) if labels else np.nan}


@functools.lru_cache(maxsize=20_000)
def said(code: str):
    """(drawing calls in their order, strings, lists of numbers, colours) that stand in a program; empty of
    what is no Python."""
    try:
        tree = tree_of(code or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (), frozenset(), (), frozenset()
    calls, strings, numbers, colours = [], set(), [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value)
        elif isinstance(node, (ast.List, ast.Tuple)):
            numbers += _numbers(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in DRAWING:
            calls.append((node.lineno, node.col_offset, node.func.attr))
            colours.update(one.value for key in node.keywords if key.arg in COLOURED
                           for one in ast.walk(key.value)
                           if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return tuple(name for *_, name in sorted(calls)), frozenset(strings), tuple(numbers), frozenset(colours)


def _numbers(node):
    """The list as floats, in a list; [] of anything but two or more numbers."""
    try:
        values = [float(value) for value in ast.literal_eval(node) if not isinstance(value, (str, bool))]
    except (ValueError, TypeError, RecursionError, OverflowError):
        return []
    return [tuple(values)] if len(values) == len(node.elts) > 1 else []


def _best(row, numbers):
    """Which values of a row are right, in the list of the program that has most of them."""
    wanted, best = np.array(row, float) / np.abs(row).max(), np.zeros(len(row))
    for one in numbers:
        if len(one) == len(row) and (most := np.abs(one).max()) > 0:
            hits = np.abs(np.array(one) / most - wanted) <= WITHIN
            best = max(best, hits.astype(float), key=np.sum)
    return best


@functools.lru_cache(maxsize=1000)
def _nearest(colour):
    """The one of the twelve names that is nearest to a colour; the word itself where it is none."""
    from matplotlib.colors import to_rgb
    from skimage.color import deltaE_ciede2000, rgb2lab

    try:
        here = rgb2lab([[to_rgb(colour)]])
    except ValueError:
        return colour
    return NAMES[int(deltaE_ciede2000(rgb2lab([list(map(to_rgb, NAMES))]), here).argmin())]
