"""The inside of a chart's frame as its reader wants it: where the axes end, grid lines, ticks, masks of series.

Marks are blends of one flat colour with the paper, and blends lie on a straight line in RGB: so a series is
found by its purest shade, and its pixels by how far they are on the way from the paper to that shade.

Left out: what the masks mean (`read`); the frame that the score goes by (`see.Drawing`), which may differ.
"""

from __future__ import annotations

import functools

import numpy as np

from .arrays import bands, box_around, longest_runs
from .shades import NAMED_COLOURS, apart_from, rgb_of

NAMES = ("red", "blue", "green", "orange", "purple", "gray", "steelblue", "teal", "gold", "salmon", "brown",
         "pink")
SPINE = 36    # distance from the paper from which a long line is one of the frame's
DARK = 64     # distance from the paper from which gray is the ink of outlines and axes
APART = 30    # in RGB: two shades of one colour are nearer
PANEL = 0.12  # of the picture: the least that a tinted ground of the axes covers


# ---- where the axes are ------------------------------------------------------------------------------------

def find_axes(colours):
    """((left, top, right, bottom) of the axes' ends in pixels, their ground), or None where none are seen.

    A ground of its own shade ends where the axes end; otherwise the left and the lower line do.
    """
    return _panel(colours) or _spines(colours)


def _panel(colours):
    """The box of a light ground that is not the page's."""
    shades, counts = np.unique(colours.shade, return_counts=True)
    size = colours.shade.size
    common = shades[counts > PANEL * size]
    light = [int(shade) for shade in common if min(rgb_of(shade)) > 200]
    if len(light) != 2:
        return None
    boxes = {shade: box_around(colours.shade == shade) for shade in light}
    inner = min(light, key=lambda shade: _area(boxes[shade]))
    outer = boxes[light[0] + light[1] - inner]
    left, top, right, bottom = boxes[inner]
    within = outer[0] < left and outer[1] < top and outer[3] > bottom
    return ((left, top, right, bottom), inner) if within and _area(boxes[inner]) > 0.3 * size else None


def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def _spines(colours):
    """The ends of the dark lines at the left and below, in the middle of the lines that cross them."""
    height, width = colours.shade.shape
    dark = colours.distance > SPINE
    gray = colours.gray
    light = apart_from(colours.background).lightness.take(colours.shade)
    row_run, row_start, row_end = longest_runs(dark & (gray | _thin(light)), 0.4 * width)
    column_run, column_start, column_end = longest_runs((dark & (gray | _thin(light.T).T)).T, 0.4 * height)
    rows, columns = np.flatnonzero(row_run >= 0.4 * width), np.flatnonzero(column_run >= 0.4 * height)
    if not len(rows) or not len(columns):
        return None
    bottom, left = rows[-1], columns[0]
    if abs(row_start[bottom] - left) > 0.05 * width or abs(column_end[left] - bottom) > 0.05 * height:
        return None
    sides = columns[columns > left + 0.5 * width]
    right = max(row_end[bottom], *(columns[-1:] if len(sides) else []), row_end[bottom])
    top = min(column_start[left], *(column_start[sides[-1:]] if len(sides) else []), column_start[left])
    if bottom - top < 24 or right - left < 24:
        return None
    thick_left, thick_bottom = _thickness(columns, left), _thickness(rows[::-1], bottom)
    middle = min(thick_left, thick_bottom) / 2
    return (left + middle, top + middle, right + 1 - middle, bottom + 1 - middle), colours.background


def _thin(light):
    """Pixels darker than two rows above and below: a line, even when blended with a mark beside it."""
    dark = np.zeros(light.shape, bool)
    dark[2:-2] = light[2:-2] < np.minimum(light[:-4], light[4:]) - 8
    return dark


def _thickness(lines, first):
    """How many neighbours in a row a list of lines begins with, at most three."""
    return next(n for n in (1, 2, 3, 4) if n == 4 or first + n not in lines and first - n not in lines) % 4 or 3


# ---- what they hold ----------------------------------------------------------------------------------------

class Plot:
    """The inside of a drawing's axes.

    `masks` and `colours` are where each of at most two series is, and its name, the one with more ink first;
    `lines` which rows and columns are grid lines, `grid` whether there are any; `ticks` the columns of the
    tick marks below; `frame` "all", "open" or "none".
    """

    def __init__(self, drawing, ends, ground):
        colours = drawing.colours
        self.left, self.top, self.right, self.bottom = ends
        x, y = int(np.ceil(self.left + 1.8)), int(np.ceil(self.top + 1.8))
        x_end, y_end = int(self.right - 1.8), int(self.bottom - 1.8)
        self.corner = x, y
        self.shade = colours.shade[y:y_end, x:x_end]
        self.height, self.width = self.shade.shape
        apart = apart_from(ground)
        self.distance, self.gray = apart.distance.take(self.shade), apart.gray.take(self.shade)
        self.paper = _rgb(np.array(ground))
        self.rgb = _rgb(self.shade) - self.paper[:, None, None]
        self.hidden = np.zeros(self.shade.shape, bool)
        self._hide_legend(drawing)
        self.lines = _grid_lines(self.distance, self.hidden), _grid_lines(self.distance.T, self.hidden.T)
        self.grid = max(len(bands(lines, 1)) for lines in self.lines) > 1
        self.ticks = self._ticks(colours)
        self.frame = self._frame(colours)
        self.masks, self.colours = self._series()

    def tenths(self, rows):
        """Rows of the inside, counted from above, as tenths of the y axis."""
        return 10 * (self.bottom - self.corner[1] - np.asarray(rows, float)) / (self.bottom - self.top)

    def across(self, columns):
        """Columns of the inside as tenths of the x axis."""
        return 10 * (self.corner[0] + np.asarray(columns, float) - self.left) / (self.right - self.left)

    @property
    def pixel(self):
        """One row in tenths."""
        return 10 / (self.bottom - self.top)

    def _hide_legend(self, drawing):
        if drawing.framed and drawing.area.legend:
            left, top, right, bottom = drawing.area.legend
            x, y = drawing.inside[0] - self.corner[0], drawing.inside[1] - self.corner[1]
            self.hidden[max(0, top + y):bottom + y, max(0, left + x):right + x] = True

    def _ticks(self, colours):
        below = int(self.bottom) + 3
        marks = (colours.distance[below:below + 2, self.corner[0] - 3:self.corner[0] + self.width + 4] > 25).all(0)
        return [(start + end) / 2 - 3 for start, end in bands(marks, 0) if end - start <= 4]

    def _frame(self, colours):
        strong = colours.distance > SPINE
        x = slice(int(self.left) + 3, int(self.right) - 3)

        def drawn(at):
            return any(strong[y, x].mean() > 0.8 for y in range(max(0, int(at) - 2), int(at) + 3)
                       if y < len(strong))

        return "none" if not drawn(self.bottom) else "all" if drawn(self.top) else "open"

    # ---- series

    def _series(self):
        """(masks, colour names) of at most two series."""
        vivid = ~self.gray & (self.distance > 15) & ~self.hidden
        dull = self.gray & (self.distance > 20) & (self.distance < DARK) & ~self.hidden
        dull[self.lines[0]] = dull[:, self.lines[1]] = False
        first, amount = self._strongest(vivid if np.count_nonzero(vivid) > 20 else dull)
        if first is None:
            return [], []
        apart = self._apart(first) > APART
        found = [first]
        for mask in (vivid & ~self._like(first), _thick(vivid & apart), _thick(dull & apart)):
            second, more = self._strongest(mask)
            if second is not None and more > max(20, 0.1 * amount) and self._distinct(first, second):
                found.append(second)
                break
        fits = [self._fit(shade) for shade in found]
        masks = []
        for i, (fit, off) in enumerate(fits):
            mask = (fit > 0.5) & (off < max(24, 0.35 * _norm(self._colour(found[i])))) & ~self.hidden
            if len(fits) == 2:
                mask &= off <= fits[1 - i][1]
            _without_lines(mask, *self.lines)
            masks.append(mask)
        return masks, [colour_name(shade) for shade in found]

    def _distinct(self, one, two):
        return _norm(self._colour(one) - self._colour(two)) > APART

    def _colour(self, shade):
        """A shade in RGB less the paper."""
        return _rgb(np.array(shade)) - self.paper

    def _apart(self, shade):
        away = self.rgb - self._colour(shade)[:, None, None]
        return np.sqrt((away * away).sum(0))

    def _strongest(self, mask):
        """(the shade that shows most ink in a mask, its pixels); (None, 0) for none."""
        shades, counts = np.unique(self.shade[mask], return_counts=True)
        if not len(shades):
            return None, 0
        strength = np.linalg.norm(_rgb(shades) - self.paper[:, None], axis=0)
        best = (counts * strength ** 2).argmax()
        return int(shades[best]), int(counts[best])

    def _fit(self, shade):
        """Per pixel: how far on the way from the paper to a shade, and how far off that way."""
        colour = self._colour(shade)
        return _along(self.rgb, colour)

    def _like(self, shade):
        """Pixels blended from a shade and the paper, or from it and black."""
        colour = self._colour(shade)
        _, off = _along(self.rgb, colour)
        _, off_black = _along(self.rgb - colour[:, None, None], -self.paper - colour)
        return np.minimum(off, off_black) < 24


def _along(planes, way):
    """Per pixel: its share of a way in RGB, and how far off the way it is."""
    share = np.tensordot(way / max(1.0, float(way @ way)), planes, 1)
    off = planes - np.clip(share, 0, 1) * way[:, None, None]
    return share, np.sqrt((off * off).sum(0))


def _rgb(shade):
    """Red, green and blue of shades, 0 to 255: (3, ...)."""
    return np.stack([shade >> 12 & 63, shade >> 6 & 63, shade & 63]).astype(np.float32) * (255 / 63)


def _norm(vector):
    return float(np.linalg.norm(vector))


def _thick(mask):
    """Pixels of a mask inside a square of three by three of it."""
    inner = mask.copy()
    inner[1:-1] &= mask[:-2] & mask[2:]
    inner[:, 1:-1] &= inner[:, :-2] & inner[:, 2:]
    return inner


def _grid_lines(distance, hidden):
    """Which rows are thin light lines, whole or dashed, wherever no mark is near."""
    ink = distance > 3
    light = ink & (distance < 45)
    height, width = ink.shape
    far = 4
    calm = np.zeros(ink.shape, bool)  # paper some rows above and below: no mark is near
    calm[far:-far] = ~ink[:-2 * far] & ~ink[2 * far:] & ~hidden[far:-far]
    amount = np.count_nonzero(calm, 1)
    share = np.count_nonzero(light & calm, 1) / np.maximum(1, amount)
    lines = (share > 0.3) & (amount > max(8, 0.08 * width))
    for start, end in bands(lines, 0):
        if end - start > 4:
            lines[start:end] = False
    return lines


def _without_lines(mask, level, upright):
    """Clears grid lines out of a mask, except where a mark goes on at both sides."""
    for lines, plane in ((level, mask), (upright, mask.T)):
        for start, end in bands(lines, 0):
            if start > 1 and end + 1 < len(plane):
                plane[start:end] = plane[start - 2] & plane[end + 1]
            else:
                plane[start:end] = False


def colour_name(shade) -> str:
    """The nearest of NAMES to a shade, by CIEDE2000."""
    from skimage.color import deltaE_ciede2000, rgb2lab  # here, so that the import of the room stays quick

    lab = rgb2lab(np.array([[rgb_of(shade)]]) / 255)
    return NAMES[int(deltaE_ciede2000(lab[0], _named()).argmin())]


@functools.cache
def _named():
    from skimage.color import rgb2lab

    return rgb2lab(np.array([[NAMED_COLOURS[name][0] for name in NAMES]]) / 255)[0]
