"""What one picture of a chart shows, read off its pixels: kind, colours, values, grid, frame.

Values are tenths of the axis, from its lower or left end. A field is None where the picture does not tell.

Left out: finding the axes and the plot.pixels of a series (`plot`), numbers and words at the axes, pies, more than
two series, and what two readings have to do with each other (`sentences`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import bands, reach
from .plot import Plot, find_axes

MARGIN = 0.05 / 1.1   # of the axis, left free by matplotlib on either side of the data
PLACES = 9            # of a scatter's points: the tenths of its x axis
MOST_MARKS = 12


@dataclass(frozen=True)
class Reading:
    """One chart. `series`: a tuple of tenths for each series, in order; None in a scatter is no point."""

    kind: str | None
    colours: tuple[str, ...]
    series: tuple[tuple[float | None, ...], ...] | None
    grid: bool | None
    frame: str
    title: bool
    xlabel: bool
    ylabel: bool
    legend: bool


def read(drawing) -> Reading | None:
    """What a `Drawing` shows; None where it has no plot frame.

    Example: `read(Drawing(picture)).kind == "bar"`.
    """
    found = find_axes(drawing.colours)
    if found is None:
        return None
    plot = Plot(drawing, *found)
    kind, order, series = _data(plot)
    texts = drawing.texts
    return Reading(kind, tuple(plot.colours[i] for i in order), series, plot.grid, plot.frame,
                   *(texts[name] is not None for name in ("title", "x label", "y label")),
                   bool(plot.hidden.any()))


# ---- kind and values ---------------------------------------------------------------------------------------

def _data(plot):
    """(kind, places of the series in order, values in tenths for each or None)."""
    masks = plot.masks
    if not masks:
        return None, [], None
    whole = masks[0] if len(masks) == 1 else masks[0] | masks[1]
    if whole.sum() < 20:
        return None, [], None
    if _stands(whole):
        return _standing(plot, whole)
    if _stands(whole.T[::-1]):
        lengths = plot.across(_reaches(whole.T[::-1]) + 0.0)
        runs = _runs(whole[:, 1:4].any(1))
        values = tuple(float(np.median(lengths[start:end])) for start, end in runs[::-1])
        return "barh", [0], (values,)
    if len(masks) == 2 and all(_spread(mask) > 0.5 for mask in masks):
        curves = [_curve(plot, mask)[1] for mask in masks]
        return "lines", [0, 1], tuple(curves) if None not in curves else None
    points = _points(plot, masks[0])
    if points is not None:
        return "scatter", [0], points
    kind, values = _curve(plot, masks[0])
    return kind, [0], (values,) if values else None


def _stands(mask):
    """Whether all of a mask grows out of its lower side, without holes."""
    columns = mask.any(0)
    standing = mask[-4:-1].any(0).sum() / max(1, columns.sum())
    return standing > 0.85 and mask.sum() > 0.85 * _reaches(mask).sum()


def _reaches(mask):
    """Per column: how far up the mask reaches."""
    return reach(mask[::-1].T)


def _spread(mask):
    return mask.any(0).mean()


def _runs(profile):
    return [(start, end) for start, end in bands(profile, 0) if end - start > 2]


def _standing(plot, whole):
    bases = [mask[-4:-1].any(0) for mask in plot.masks]
    if len(bases) == 2 and min(base.sum() for base in bases) > 0.15 * max(base.sum() for base in bases):
        return _grouped(plot, bases)
    if len(bases) == 2:
        return _stacked(plot, bases)
    runs, tops = _runs(bases[0]), plot.tenths(plot.height - _reaches(whole))
    gaps = [second[0] - first[1] for first, second in zip(runs[:-1], runs[1:], strict=True)]
    medians = tuple(float(np.median(tops[start:end])) for start, end in runs)
    if gaps and np.median(gaps) > 2:
        return "bar", [0], (medians,)
    if gaps and len(runs) <= 2 * MOST_MARKS:
        return "hist", [0], (medians,)
    if not runs:
        return None, [0], None
    start, end = runs[0][0], runs[-1][1]
    steps = _steps(tops[start:end], plot)
    if steps is not None:
        return ("hist" if len(steps) > 1 else "bar"), [0], (steps,)
    values = _nodes(plot, np.arange(start, end) + 0.5, tops[start:end], (start, end))
    return "area", [0], (values,) if values else None


def _grouped(plot, bases):
    tops = [plot.tenths(plot.height - _reaches(mask)) for mask in plot.masks]
    runs = [_runs(base) for base in bases]
    order = [0, 1] if runs[0][0] < runs[1][0] else [1, 0]
    rows = tuple(tuple(float(np.median(tops[i][start:end])) for start, end in runs[i]) for i in order)
    return "group", order, rows if len(rows[0]) == len(rows[1]) else None


def _stacked(plot, bases):
    lower = int(bases[1].sum() > bases[0].sum())
    tops = [plot.tenths(plot.height - _reaches(mask)) for mask in plot.masks]
    runs = _runs(bases[lower])
    low = [float(np.median(tops[lower][start:end])) for start, end in runs]
    high = [float(np.median(tops[1 - lower][start:end])) for start, end in runs]
    rows = tuple(low), tuple(top - base for base, top in zip(low, high, strict=True))
    return "stacked", [lower, 1 - lower], rows


def _steps(tops, plot):
    """Heights of equally wide steps, as few as fit; None where the profile slopes."""
    jumps = np.abs(np.diff(tops))
    if (jumps > 0.5 * plot.pixel).sum() > 0.12 * len(tops):
        return None
    for n in range(1, MOST_MARKS + 1):
        edges = np.linspace(0, len(tops), n + 1)
        middles = (np.arange(len(tops)) + 0.5) * n / len(tops)
        inner = np.abs(middles - middles.round()) * len(tops) / n > 2
        heights = [float(np.median(tops[int(np.ceil(a)):max(int(np.ceil(a)) + 1, int(b))]))
                   for a, b in zip(edges[:-1], edges[1:], strict=True)]
        apart = np.abs(tops - np.array(heights)[middles.astype(int)])
        if (apart[inner] > 2 * plot.pixel).mean() < 0.02:
            return tuple(heights)
    return None


def _curve(plot, mask):
    """(line or step, its values or None) of a thin curve."""
    columns = np.flatnonzero(mask.any(0))
    if len(columns) < 8:
        return None, None
    rows = np.arange(plot.height) + 0.5
    part = mask[:, columns]
    thick = part.sum(0)
    middle = plot.tenths(rows @ part / thick)
    span = int(columns[0]), int(columns[-1]) + 1
    inside = np.diff(columns) == 1
    jumps = np.abs(np.diff(middle))[inside]
    if 0 < (jumps > 0.7 * plot.pixel).sum() < 0.15 * len(jumps) and jumps[jumps > 0.7 * plot.pixel].mean() > 3 * plot.pixel:
        return "step", _nodes(plot, columns + 0.5, middle, span, step=True)
    return "line", _nodes(plot, columns + 0.5, middle, span)


def _nodes(plot, x, y, span, step=False):
    """Values at equally far places from which straight lines give the curve y(x); None where none fit."""
    wide = plot.right - plot.left
    first, last = (plot.left - plot.corner[0] + share * wide for share in (MARGIN, 1 - MARGIN))
    if abs(span[0] - first) > 12 or abs(span[1] - last) > 12 or span[0] - first > 3 or last - span[1] > 3:
        first, last = span[0] + 1, span[1] - 1
    ticks = plot.ticks
    marked = len(ticks) > 2 and abs(ticks[0] - first) < 4 and abs(ticks[-1] - last) < 4
    if marked and np.ptp(np.diff(ticks)) > 3:
        marked = False
    numbers = ([len(ticks)] if marked else []) + list(range(2, MOST_MARKS + 1))
    place = np.clip((x - first) / (last - first), 0, 1)
    for n in numbers:
        basis = np.maximum(0, 1 - np.abs(place[:, None] * (n - 1) - np.arange(n)))
        if step:
            basis = (basis == basis.max(1, keepdims=True)).astype(float)
        if (basis.sum(0) < 0.2).any():
            continue
        values = np.linalg.lstsq(basis, y, rcond=None)[0]
        apart = np.abs(basis @ values - y)
        if np.quantile(apart, 0.8 if step else 0.9) < 3 * plot.pixel:
            return tuple(map(float, values))
    return None


def _points(plot, mask):
    """The heights of a scatter's points at its nine places, ((...),), or None where it is no scatter.

    Two points at one place: () in place of the heights."""
    from scipy.ndimage import find_objects, label

    labels, number = label(mask, np.ones((3, 3)))
    boxes = [box for i, box in enumerate(find_objects(labels), 1)
             if (labels[box] == i).sum() > 12]
    if not boxes or len(boxes) > MOST_MARKS:
        return None
    sides = np.array([[box[0].stop - box[0].start, box[1].stop - box[1].start] for box in boxes])
    size = np.median(sides)
    if sides.max() > max(40, 0.15 * plot.width) or size < 5 or (sides.min(1) < 0.5 * size).any():
        return None
    places = [None] * PLACES
    for box in boxes:
        across = float(plot.across((box[1].start + box[1].stop) / 2))
        up = float(plot.tenths((box[0].start + box[0].stop) / 2))
        i = int(round(across)) - 1
        i = min(max(i, 0), PLACES - 1)
        if places[i] is not None:
            return ()
        places[i] = up
    return (tuple(places),)
