"""What one picture of a chart shows, read off its pixels: kind, colours, values, grid, frame.

    Plot      the inside of the frame: colours against the paper, grid lines, tick marks, masks of the series
    Reading   what `read` finds there, in the words of the sentences

Values are tenths of the axis, from its lower or left end. A field is None where the picture does not tell.

Left out: numbers and words at the axes, pies, more than two series, and what two readings have to do with
each other (`sentences`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .arrays import bands, reach
from .shades import NAMED_COLOURS, lab_from, rgb_of

NAMES = ("red", "blue", "green", "orange", "purple", "gray", "steelblue", "teal", "gold", "salmon", "brown",
         "pink")
MARGIN = 0.05 / 1.1   # of the axis, left free by matplotlib on either side of the data
PLACES = 9            # of a scatter's points: the tenths of its x axis
MOST_MARKS = 12
DARK = 64             # distance from the paper from which gray is ink of outlines and axes


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
    if not drawing.framed:
        return None
    plot = Plot(drawing)
    kind, order, series = _data(plot)
    texts = drawing.texts
    return Reading(kind, tuple(plot.colours[i] for i in order), series, plot.grid, plot.frame,
                   *(texts[name] is not None for name in ("title", "x label", "y label")),
                   drawing.area.legend is not None)


# ---- the inside of the frame -------------------------------------------------------------------------------

class Plot:
    """The inside of a drawing's frame. `masks` and `colours`: where each series is, and its name."""

    def __init__(self, drawing):
        left, top, right, bottom = drawing.frame
        x, y, x_end, y_end = box = drawing.inside
        part = slice(y, y_end), slice(x, x_end)
        colours = drawing.colours
        self.lab = lab_from(colours.background, colours.shade[part])
        self.distance = colours.distance[part]
        self.gray = drawing.gray[part]
        self.shade, self.background = colours.shade[part], colours.background
        self.height, self.width = self.distance.shape
        self.span = right - left - 0.5, bottom - top - 0.5   # of the axes, between the middles of its lines
        self.offset = x - left - 0.5, bottom - y_end         # from there to the box read here
        self.ticks = _ticks(colours.distance, box, drawing.frame)
        self.frame = _frame(drawing)
        self.hidden = np.zeros(self.distance.shape, bool)
        if drawing.area.legend:
            legend = drawing.area.legend
            self.hidden[legend[1]:legend[3], legend[0]:legend[2]] = True
        level, upright = _grid_lines(self.distance, self.hidden), _grid_lines(self.distance.T, self.hidden.T)
        self.lines = level, upright
        self.grid = len(bands(level, 0)) > 1 or len(bands(upright, 0)) > 1
        self._find_series()

    def _find_series(self):
        """Sets `masks` and `colours` of at most two series, the one with more ink first."""
        vivid = ~self.gray & (self.distance > 15) & ~self.hidden
        if np.count_nonzero(vivid) < 12:
            vivid[:] = False
        dull = self.gray & (self.distance > 20) & (self.distance < DARK) & ~self.hidden
        dull[self.lines[0]] = dull[:, self.lines[1]] = False
        self.masks, self.colours, shades = [], [], []
        first, amount = self._strongest(vivid if vivid.any() else dull)
        if first is None:
            return
        shades.append(first)
        left = vivid & ~self._like(first)
        for candidates in (left, dull & self._thick(dull)):
            second, more = self._strongest(candidates)
            if len(shades) < 2 and second is not None and more > 0.1 * amount and more > 20:
                if np.abs(self._lab(first) - self._lab(second)).sum() > 25:
                    shades.append(second)
        fits = [self._fit(shade) for shade in shades]
        for i, (fit, away) in enumerate(fits):
            mask = (fit > 0.5) & (away < max(10, 0.45 * float(np.linalg.norm(self._lab(shades[i])))))
            if len(fits) == 2:
                mask &= away <= fits[1 - i][1]
            mask &= ~self.hidden
            _without_lines(mask, *self.lines)
            self.masks.append(mask)
            self.colours.append(colour_name(shades[i]))

    def _lab(self, shade):
        return lab_from(self.background, np.array([shade]))[:, 0]

    def _strongest(self, mask):
        """(the shade that shows most ink in a mask, its pixels); (None, 0) for none."""
        shades, counts = np.unique(self.shade[mask], return_counts=True)
        if not len(shades):
            return None, 0
        strength = np.linalg.norm(lab_from(self.background, shades), axis=0)
        best = (counts * strength ** 2).argmax()
        return int(shades[best]), int(counts[best])

    def _fit(self, shade):
        """Per pixel: how far on the way from the paper to a shade, and how far off that way."""
        colour = self._lab(shade)
        fit = np.tensordot(colour / (colour @ colour), self.lab, 1)
        away = self.lab - np.clip(fit, 0, 1) * colour[:, None, None]
        return fit, np.sqrt((away * away).sum(0))

    def _like(self, shade):
        """Pixels blended from a shade and the paper, or from it and black."""
        colour = self._lab(shade)
        fit, away = self._fit(shade)
        black = np.array([-100.0, 0, 0]) if self.lab[0].min() < -40 else -colour
        along = self.lab - colour[:, None, None]
        way = black - colour
        share = np.clip(np.tensordot(way / (way @ way), along, 1), 0, 1)
        off = along - share * way[:, None, None]
        return (away < 14) | (np.sqrt((off * off).sum(0)) < 14)

    @staticmethod
    def _thick(mask):
        """Pixels of a mask inside a square of three by three of it."""
        inner = mask.copy()
        inner[1:-1] &= mask[:-2] & mask[2:]
        inner[:, 1:-1] &= mask[:, :-2] & mask[:, 2:]
        return inner

    def tenths(self, rows):
        """Rows of the box, counted from above, as tenths of the y axis."""
        return 10 * (self.height - np.asarray(rows, float) + self.offset[1]) / self.span[1]

    def across(self, columns):
        """Columns of the box as tenths of the x axis."""
        return 10 * (np.asarray(columns, float) + self.offset[0]) / self.span[0]


def colour_name(shade) -> str:
    """The nearest of NAMES to a shade, by CIEDE2000."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    lab = rgb2lab(np.array([[rgb_of(shade)]]) / 255)
    return NAMES[int(deltaE_ciede2000(lab[0], _named()).argmin())]


@functools.cache
def _named():
    from skimage.color import rgb2lab

    return rgb2lab(np.array([[NAMED_COLOURS[name][0] for name in NAMES]]) / 255)[0]


def _frame(drawing):
    """all, open (left and bottom alone) or none: which sides of the frame are drawn."""
    left, top, right, bottom = drawing.frame
    strong = drawing.colours.distance > 40
    height, width = strong.shape

    def drawn(line, start, end):
        return line[max(0, start):end].mean() > 0.8

    upper = any(drawn(strong[y], left + 3, right - 3) for y in range(max(0, top - 1), min(height, top + 3)))
    lower = any(drawn(strong[y], left + 3, right - 3) for y in range(bottom - 2, min(height, bottom + 2)))
    return "none" if not lower else "all" if upper else "open"


def _ticks(distance, box, frame):
    """Places of the tick marks below the frame, from the left of the box."""
    below = distance[frame[3] + 2:frame[3] + 4, max(0, box[0] - 4):box[2] + 4] > 25
    if len(below) < 2:
        return []
    return [(start + end) / 2 - min(4, box[0]) for start, end in bands(below.all(0), 0) if end - start <= 4]


def _grid_lines(distance, hidden):
    """Which rows are thin lines, whole or dashed, where no mark is near, with empty paper on either side."""
    ink = distance > 3
    strong = (distance > 45) | hidden
    light = ink & ~strong
    height, width = ink.shape
    far = 4
    calm = np.zeros(ink.shape, bool)   # paper a few rows above and below: no mark is near
    calm[far:-far] = ~ink[:-2 * far] & ~ink[2 * far:] & ~hidden[far:-far]
    amount = calm.sum(1)
    share = (light & calm).sum(1) / np.maximum(1, amount)
    lines = (share > 0.3) & (amount > max(8, 0.08 * width))
    found = np.zeros(height, bool)
    for start, end in bands(lines, 0):
        if end - start <= 4:
            found[start:end] = True
    return found


def _without_lines(mask, level, upright):
    """Clears grid lines out of a mask, except where marks go on at both sides."""
    for lines, plane in ((level, mask), (upright, mask.T)):
        for start, end in bands(lines, 0):
            above = plane[max(0, start - 2)] if start > 1 else False
            below = plane[end + 1] if end + 1 < len(plane) else False
            plane[start:end] = (plane[start:end] | True) & above & below | (plane[start:end] & above & below)


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
    if _stands(whole.T[:, ::1][::-1]):
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
    pixel = 10 / plot.span[1]
    jumps = np.abs(np.diff(tops))
    if (jumps > 0.5 * pixel).sum() > 0.12 * len(tops):
        return None
    for n in range(1, MOST_MARKS + 1):
        edges = np.linspace(0, len(tops), n + 1)
        middles = (np.arange(len(tops)) + 0.5) * n / len(tops)
        inner = np.abs(middles - middles.round()) * len(tops) / n > 2
        heights = [float(np.median(tops[int(np.ceil(a)):max(int(np.ceil(a)) + 1, int(b))]))
                   for a, b in zip(edges[:-1], edges[1:], strict=True)]
        apart = np.abs(tops - np.array(heights)[middles.astype(int)])
        if (apart[inner] > 2 * pixel).mean() < 0.02:
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
    pixel = 10 / plot.span[1]
    inside = np.diff(columns) == 1
    jumps = np.abs(np.diff(middle))[inside]
    if 0 < (jumps > 0.7 * pixel).sum() < 0.15 * len(jumps) and jumps[jumps > 0.7 * pixel].mean() > 3 * pixel:
        return "step", _nodes(plot, columns + 0.5, middle, span, step=True)
    return "line", _nodes(plot, columns + 0.5, middle, span)


def _nodes(plot, x, y, span, step=False):
    """Values at equally far places from which straight lines give the curve y(x); None where none fit."""
    first, last = MARGIN * plot.span[0] - plot.offset[0], (1 - MARGIN) * plot.span[0] - plot.offset[0]
    if abs(span[0] - first) > 12 or abs(span[1] - last) > 12 or span[0] - first > 3 or last - span[1] > 3:
        first, last = span[0] + 1, span[1] - 1
    ticks = plot.ticks
    marked = len(ticks) > 2 and abs(ticks[0] - first) < 4 and abs(ticks[-1] - last) < 4
    if marked and np.ptp(np.diff(ticks)) > 3:
        marked = False
    numbers = ([len(ticks)] if marked else []) + list(range(2, MOST_MARKS + 1))
    place = np.clip((x - first) / (last - first), 0, 1)
    pixel = 10 / plot.span[1]
    for n in numbers:
        basis = np.maximum(0, 1 - np.abs(place[:, None] * (n - 1) - np.arange(n)))
        if step:
            basis = (basis == basis.max(1, keepdims=True)).astype(float)
        if (basis.sum(0) < 0.2).any():
            continue
        values = np.linalg.lstsq(basis, y, rcond=None)[0]
        apart = np.abs(basis @ values - y)
        if np.quantile(apart, 0.8 if step else 0.9) < 3 * pixel:
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
