"""What one picture of a chart shows, read off its pixels: kind, colours, values, grid, frame.

Values are tenths of the axis, from its lower or left end. A field is None where the picture does not tell.

Left out: finding the axes and the pixels of a series (`plot`), numbers and words at the axes, pies, more than
two series, and what two readings have to do with each other (`sentences`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import bands, reach
from .plot import Plot, find_axes

MARGIN = 0.05 / 1.1   # of the axis, left free by matplotlib on either side of the data
PLACES = 9            # of a scatter's points: the tenths of its x axis
MOST_MARKS = 12
FILLED = 0.85         # of the ground under bars and areas
ROUGH = 4             # pixels: a curve farther off is none of so many nodes


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
    found = find_axes(drawing)
    if found is None:
        return None
    plot = Plot(drawing, *found)
    kind, order, series = _data(plot)
    if kind is None and plot.frame == "none":  # a card of a web page
        return None
    texts = drawing.texts
    return Reading(kind, tuple(plot.colours[i] for i in order), series, plot.grid, plot.frame,
                   *(texts[name] is not None for name in ("title", "x label", "y label")),
                   bool(plot.hidden.any()))


# ---- kind and values ---------------------------------------------------------------------------------------

def _data(plot):
    """(kind, places of the series in order, values in tenths for each or None)."""
    masks = plot.masks
    whole = np.logical_or.reduce(masks) if masks else np.zeros((1, 1), bool)
    if np.count_nonzero(whole) < 20:
        return None, list(range(len(masks))), None
    standing, lying = _standing_share(whole), _standing_share(whole.T[::-1])
    if standing > FILLED and standing >= lying:
        return _standing(plot, whole)
    if lying > FILLED:
        return "barh", [0], _bars(whole[::-1, :4].any(1), plot.across(_reaches(whole.T[::-1]))[::-1])
    if len(masks) == 2 and all(mask.any(0).mean() > 0.5 for mask in masks):
        curves = [_curve(plot, mask)[1] for mask in masks]
        return ("lines", [0, 1], tuple(curves)) if None not in curves else (None, [0, 1], None)
    points = _points(plot, masks[0])
    if points is not None:
        return "scatter", [0], points or None
    kind, values = _curve(plot, masks[0])
    return kind, [0], (values,) if values else None


def _standing_share(mask):
    """How much of what lies under a mask is filled; 0 where it does not grow out of its lower side."""
    columns = np.count_nonzero(mask.any(0))
    if np.count_nonzero(mask[-4:].any(0)) < FILLED * columns:
        return 0.0
    return np.count_nonzero(mask) / max(1, _reaches(mask).sum())


def _reaches(mask):
    """Per column: how far up the mask reaches."""
    return reach(mask[::-1].T)


def _runs(base):
    """Where marks begin and end along their axis; what is thinner is the rim of an outline."""
    return [(start, end) for start, end in bands(base, 0) if end - start > 2]


def _bars(base, ends):
    """((tenths of each bar in order,),) from where they begin and how far they reach; None where unsure."""
    runs = _runs(base)
    widths = [end - start for start, end in runs]
    if not runs or max(widths) > 1.4 * min(widths) + 2:
        return None
    inner = [ends[start + 1 + (end - start) // 8:end - 1 - (end - start) // 8] for start, end in runs]
    if any(len(part) and np.ptp(part) > 0.25 for part in inner):  # two marks in one
        return None
    middles = [_median(ends[start:end]) for start, end in runs]
    return (tuple(middles),)


def _standing(plot, whole):
    bases = [mask[-4:].any(0) for mask in plot.masks]
    tops = [plot.tenths(plot.height - _reaches(mask)) for mask in plot.masks]
    if len(bases) == 2:
        first, second = (_runs(base)[0] if _runs(base) else (plot.width, 0) for base in bases)
        if min(map(np.count_nonzero, bases)) > 0.15 * max(map(np.count_nonzero, bases)):
            order = [0, 1] if first < second else [1, 0]
            rows = [_bars(bases[i], tops[i]) for i in order]
            alike = None not in rows and len(rows[0][0]) == len(rows[1][0])
            return "group", order, (rows[0] + rows[1] if alike else None)
        return _stacked(bases, tops)
    runs = _runs(bases[0])
    if not runs:
        return None, [0], None
    gaps = [second[0] - first[1] for first, second in zip(runs[:-1], runs[1:], strict=True)]
    bars = _bars(bases[0], tops[0])
    if gaps and np.median(gaps) > 2:
        return ("bar" if bars else None), [0], bars
    start, end = runs[0][0], runs[-1][1]
    whole_tops = tops[0][start:end]
    if gaps and bars and len(bars[0]) == len(gaps) + 1:
        return "hist", [0], bars
    filled = np.flatnonzero(whole_tops > 0.5 * plot.pixel)
    steps = _steps(np.interp(np.arange(len(whole_tops)), filled, whole_tops[filled]), plot)
    if steps is not None:
        return ("hist", [0], (steps,)) if len(steps) > 1 else (None, [0], None)  # flat: of any kind
    values = _nodes(plot, np.arange(start, end) + 0.5, whole_tops, (start, end))
    return ("area", [0], (values,)) if values else (None, [0], None)


def _stacked(bases, tops):
    lower = int(bases[1].sum() > bases[0].sum())
    low, high = (_bars(bases[lower], tops[i]) for i in (lower, 1 - lower))
    if low is None or high is None:
        return "stacked", [lower, 1 - lower], None
    rows = low[0], tuple(top - base for base, top in zip(low[0], high[0], strict=True))
    return "stacked", [lower, 1 - lower], rows


def _steps(tops, plot):
    """Heights of equally wide steps, as few as fit; None where the profile slopes."""
    jumps = len(bands(np.abs(np.diff(tops[3:-3])) > 0.5 * plot.pixel, 3))
    for n in range(1, MOST_MARKS + 1):
        if jumps > n - 1:
            continue
        edges = np.linspace(0, len(tops), n + 1)
        middles = (np.arange(len(tops)) + 0.5) * n / len(tops)
        inner = np.abs(middles - middles.round()) * len(tops) / n > 3
        heights = [_median(tops[int(np.ceil(a)):max(int(np.ceil(a)) + 1, int(b))])
                   for a, b in zip(edges[:-1], edges[1:], strict=True)]
        apart = np.abs(tops - np.array(heights)[middles.astype(int)])
        if (apart[inner] > 2 * plot.pixel).mean() < 0.02:
            return tuple(heights)
    return None


def _curve(plot, mask):
    """(line or step, its values or None) of a thin curve."""
    columns = np.flatnonzero(mask.any(0))
    if len(columns) < 8 or np.diff(columns).max() > 0.06 * plot.width:
        return None, None
    rows = np.arange(plot.height) + 0.5
    part = mask[:, columns]
    thick = part.sum(0)
    middle = plot.tenths(rows @ part / thick)
    span = int(columns[0]), int(columns[-1]) + 1
    if len(columns) > 0.9 * (span[1] - span[0]):
        jumps = np.abs(np.diff(middle))
        large = jumps > 0.7 * plot.pixel
        if 0 < large.sum() < 0.15 * len(jumps) and jumps[large].mean() > 3 * plot.pixel:
            values = _nodes(plot, columns + 0.5, middle, span, step=True)
            if values:
                return "step", values
    values = _nodes(plot, columns + 0.5, middle, span)
    return ("line", values) if values else (None, None)


def _nodes(plot, x, y, span, step=False):
    """Values at equally far places from which straight lines or steps give the curve y(x), as few as fit."""
    wide = plot.right - plot.left
    first, last = (plot.left - plot.corner[0] + share * wide for share in (MARGIN, 1 - MARGIN))
    if not (first - 12 < span[0] < first + 4 and last - 4 < span[1] < last + 12):
        first, last = span[0] + 1, span[1] - 1
    place = np.clip((x - first) / (last - first), 0, 1)
    fits = {n: fit for n in range(2, MOST_MARKS + 1) if (fit := _fit(place, y, n, step))}
    ticks = plot.ticks
    marked = len(ticks) in fits and abs(ticks[0] - first) < 4 and abs(ticks[-1] - last) < 4
    if marked and np.ptp(np.diff(ticks)) < 4 and fits[len(ticks)][0] < ROUGH * plot.pixel:
        return fits[len(ticks)][1]
    least = 1.6 * min((off for off, _ in fits.values()), default=0)
    return next((values for off, values in fits.values()
                 if off < ROUGH * plot.pixel and off <= max(2.5 * plot.pixel, least)), None)


def _fit(place, y, n, step):
    """(how far off most of a curve is, its values) with `n` nodes; None where one of them has no curve."""
    if step:
        nearest = (place * (n - 1) + 0.5).astype(int)
        if len(np.unique(nearest)) < n:
            return None
        values = np.array([_median(y[nearest == i]) for i in range(n)])
        given = values[nearest]
    else:
        basis = np.maximum(0, 1 - np.abs(place[:, None] * (n - 1) - np.arange(n)))
        if (basis.sum(0) < 0.2).any():
            return None
        values = np.linalg.solve(basis.T @ basis + 1e-6 * np.eye(n), basis.T @ y)
        given = basis @ values
    return _quantile(np.abs(given - y), 0.85), tuple(map(float, values))


# Of a few dozen numbers both take a tenth of numpy's time, and give its result to the last bit.

def _median(values):
    values = sorted(values.tolist())
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2 if values else math.nan


def _quantile(values, share):
    """Linear between two values."""
    place = (len(values) - 1) * share
    low = int(place)
    part = np.partition(values, (low, min(low + 1, len(values) - 1)))
    lower, upper = float(part[low]), float(part[min(low + 1, len(values) - 1)])
    more = place - low
    gap = upper - lower
    return upper - gap * (1 - more) if more >= 0.5 else lower + gap * more


def _points(plot, mask):
    """((the height of a scatter's point at each of its nine places, or None),).

    () where points touch, so that their number is not known, and None where it is no scatter.
    """
    from scipy.ndimage import find_objects, label  # here: it takes as long to import as all the rest

    labels, number = label(mask, np.ones((3, 3)))
    boxes = [box for i, box in enumerate(find_objects(labels), 1) if np.count_nonzero(labels[box] == i) > 12]
    if not 0 < len(boxes) <= PLACES or number > len(boxes) + 3:  # the dots of a line
        return None
    sides = np.array([[part.stop - part.start for part in box] for box in boxes])
    size = np.median(sides)
    if sides.max() > min(2.6 * size, 0.2 * plot.width) or sides.min() < max(5, 0.6 * size):
        return None
    if sides.max() > 1.3 * size + 2:
        return ()
    middles = sorted(((box[1].start + box[1].stop) / 2, (box[0].start + box[0].stop) / 2) for box in boxes)
    taken = [min(max(round(float(plot.across(x))), 1), PLACES) for x, _ in middles]
    for i in range(1, len(taken)):  # two points at one place: the next one moves on
        taken[i] = max(taken[i], taken[i - 1] + 1)
    for i in reversed(range(len(taken))):
        taken[i] = min(taken[i], PLACES - (len(taken) - 1 - i))
    places = [None] * PLACES
    for place, (_, y) in zip(taken, middles, strict=True):
        places[place - 1] = float(plot.tenths(y))
    return (tuple(places),)
