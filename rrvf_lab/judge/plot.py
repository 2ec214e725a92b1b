"""The inside of a chart's frame as its reader wants it: ends of the axes, grid lines, ticks, masks of series.

Marks are blends of one flat colour with the paper, and blends lie on a straight line in RGB: so a series is
found by its purest shade, and its pixels by how far they are on the way from the paper to that shade.

Left out: what the masks mean (`read`); the frame that the score goes by (`see.Drawing`), which may differ.
"""

from __future__ import annotations

import functools

import numpy as np

from .arrays import bands, box_around, darker, highest, longest_runs
from .shades import NAMED_COLOURS, rgb_of

NAMES = ("red", "blue", "green", "orange", "purple", "gray", "steelblue", "teal", "gold", "salmon", "brown",
         "pink")
SPINE = 36    # distance from the paper from which a long line is one of the frame's
DARK = 64     # distance from the paper from which gray is the ink of outlines and axes
LINE = 0.6    # pixels from the edge of the frame's lines to their middle
SMALLEST = 24  # pixels of a side of the axes
APART = 30    # in RGB: two shades of one colour are nearer
PANEL = 0.12  # of the picture: the least that a tinted ground of the axes covers


# ---- where the axes are ------------------------------------------------------------------------------------

def find_axes(drawing):
    """((left, top, right, bottom) of the axes' ends in pixels, their ground), or None where none are seen.

    A ground of its own shade ends where the axes end; otherwise the left and the lower line do.
    """
    shade = drawing.colours.shade
    border = np.concatenate([shade[0], shade[-1], shade[:, 0], shade[:, -1]])
    shades, counts = np.unique(border, return_counts=True)
    paper = int(shades[counts.argmax()])
    return _panel(drawing, paper) or (_spines(drawing, paper) if drawing.framed else None)


def _panel(drawing, paper):
    """The box of a ground a little darker than the page's; a web page's cards are rather lighter."""
    shade = drawing.colours.shade
    light = [one for one in drawing.grounds if one != paper and min(rgb_of(one)) > 200]
    if len(light) != 1 or not 200 < sum(rgb_of(light[0])) / 3 < sum(rgb_of(paper)) / 3:
        return None
    left, top, right, bottom = box_around(shade == light[0])
    outside = drawing.seen_from(paper).distance > SPINE / 2
    outside[top:bottom, left:right] = False
    size = (right - left) * (bottom - top)
    few = np.count_nonzero(outside) < 0.1 * (shade.size - size)
    return ((left, top, right, bottom), light[0]) if size > 0.3 * shade.size and few else None


def _spines(drawing, paper):
    """The ends of the dark lines at the left and below, in the middle of the lines that cross them."""
    distance, gray, light = drawing.seen_from(paper)
    height, width = distance.shape
    level, upright = drawing.thin if light is drawing.light else (darker(light), darker(light.T).T)
    dark = distance > SPINE
    lowest = dark.copy()  # the lower edge of what is dark: a line under a mark of its own lightness
    lowest[:-2] &= (distance[2:] < 12) | gray[2:]
    row_run, row_start, row_end = longest_runs(dark & (gray | level | lowest), 0.4 * width)
    column_run, column_start, column_end = longest_runs((dark & (gray | upright)).T, 0.4 * height)
    rows, columns = np.flatnonzero(row_run >= 0.4 * width), np.flatnonzero(column_run >= 0.4 * height)
    if not len(rows) or not len(columns):
        return None
    bottom, left = rows[-1], columns[0]
    if abs(row_start[bottom] - left) > 0.05 * width or abs(column_end[left] - bottom) > 0.05 * height:
        return None
    right, top = row_end[bottom], column_start[left]
    for other in columns[columns > left + 0.5 * width][-1:]:  # all sides are drawn
        right, top = max(right, other), min(top, column_start[other])
    if bottom - top < SMALLEST or right - left < SMALLEST:
        return None
    return (left + LINE, top + LINE, right + 1 - LINE, bottom + 1 - LINE), paper


# ---- what they hold ----------------------------------------------------------------------------------------

class Plot:
    """The inside of a drawing's axes.

    `masks` and `colours` are where each of at most two series is, and its name, the one with more ink first;
    `lines` which rows and columns are grid lines, `grid` whether there are any; `ticks` the columns of the
    tick marks below; `frame` "all", "open" or "none".
    """

    def __init__(self, drawing, ends, ground):
        self.left, self.top, self.right, self.bottom = ends
        x, y = int(np.ceil(self.left + 1.8)), int(np.ceil(self.top + 1.8))
        x_end, y_end = int(self.right - 1.8), int(self.bottom - 1.8)
        self.corner = x, y
        strong, gray, _ = drawing.seen_from(ground)
        self.shade, self.distance, self.gray = (plane[y:y_end, x:x_end] for plane in
                                                (drawing.colours.shade, strong, gray))
        self.height, self.width = self.shade.shape
        self.paper = _rgb(np.array(ground))
        self.at = np.flatnonzero(self.distance > 5)  # the pixels that stand out, and their colours
        self.rgb = _rgb(self.shade.ravel()[self.at]) - self.paper[:, None]
        light = self.gray & (self.distance > 3) & (self.distance < 45)
        empty = self.distance <= 3
        self.hidden = self._legend(light, empty)
        empty &= ~self.hidden
        self.lines = _grid_lines(light, empty), _grid_lines(light.T, empty.T)
        self.grid = max(len(bands(lines, 1)) for lines in self.lines) > 1
        if not self.grid:
            for lines in self.lines:
                lines[:] = False
        self.ticks = self._ticks(strong)
        self.frame = self._frame(strong)
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

    def _legend(self, light, empty):
        """A mask of the legend's box, as far as it has one."""
        mask = np.zeros(self.shade.shape, bool)
        across = np.count_nonzero(light, 1) > 0.75 * np.count_nonzero(light | empty, 1)  # of the grid
        box = find_legend(light, light & ~across[:, None])
        if box:
            left, top, right, bottom = box
            inside = self.distance[top:bottom, left:right]
            paper = np.count_nonzero(inside < 3)
            mask[top:bottom, left:right] = paper > 0.3 * inside.size  # else the box is a mark's edge
        return mask

    def _ticks(self, strong):
        below = int(self.bottom + 2)
        start = max(0, self.corner[0] - 3)
        marks = (strong[below:below + 2, start:self.corner[0] + self.width + 4] > 25).all(0)
        return [(a + b) / 2 + start - self.corner[0] for a, b in bands(marks, 0) if b - a <= 4]

    def _frame(self, strong):
        strong = strong > SPINE
        x = slice(int(self.left) + 3, int(self.right) - 3)

        def drawn(at):
            rows = strong[max(0, int(at) - 2):int(at) + 3, x]
            return bool((np.count_nonzero(rows, 1) / rows.shape[1] > 0.8).any())

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
        away = self.rgb - self._colour(first)[:, None]
        apart = self._plane((away * away).sum(0) > APART ** 2)
        found = [first]
        for mask in (lambda: vivid & ~self._plane(self._like(first)), lambda: _thick(vivid & apart),
                     lambda: _thick(dull & apart)):
            second, more = self._strongest(mask())
            if more > max(20, 0.1 * amount) and self._distinct(first, second):
                found.append(second)
                break
        fits = [_along(self.rgb, self._colour(shade)) for shade in found]
        masks, outlines = [], self.gray & (self.distance > DARK)
        for i, (fit, off) in enumerate(fits):
            mask = (fit > 0.5) & (off < max(24, 0.35 * _norm(self._colour(found[i]))))
            if len(fits) == 2:
                mask &= off <= fits[1 - i][1]
            mask = self._plane(mask)
            _without_lines(mask, *self.lines)
            mask &= ~(self.hidden | outlines)
            solid = _thick(mask)
            if np.count_nonzero(solid) > 0.7 * np.count_nonzero(mask):  # filled: the rims of outlines go
                mask &= highest(solid.view(np.uint8), 3).view(bool)
            masks.append(mask)
        return masks, [colour_name(shade) for shade in found]

    def _distinct(self, one, two):
        apart = _norm(self._colour(one) - self._colour(two))
        return apart > APART and colour_name(one) != colour_name(two)

    def _colour(self, shade):
        """A shade in RGB less the paper."""
        return _rgb(np.array(shade)) - self.paper

    def _plane(self, found):
        """A mask of the whole inside from one of the pixels that stand out."""
        mask = np.zeros(self.shade.shape, bool)
        mask.ravel()[self.at] = found
        return mask

    def _strongest(self, mask):
        """(the shade that shows most ink in a mask, its pixels); (None, 0) for none."""
        shades, counts = np.unique(self.shade[mask], return_counts=True)
        if not len(shades):
            return None, 0
        strength = np.linalg.norm(_rgb(shades) - self.paper[:, None], axis=0)
        best = (counts * strength ** 3).argmax()
        return int(shades[best]), int(counts[best])

    def _like(self, shade):
        """Which of the pixels that stand out are blended from a shade and the paper, or from it and black."""
        colour = self._colour(shade)
        _, off = _along(self.rgb, colour)
        _, off_black = _along(self.rgb - colour[:, None], -self.paper - colour)
        return np.minimum(off, off_black) < 24


def _along(rgb, way):
    """Per pixel of (3, n): its share of a way in RGB, and how far off the way it is."""
    share = way / max(1.0, float(way @ way)) @ rgb
    off = rgb - np.clip(share, 0, 1.4) * way[:, None]  # beyond 1: where no pixel is pure
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


def _grid_lines(light, empty):
    """Which rows of `light` pixels on `empty` ground are thin lines, whole or dashed, away from marks."""
    height, width = light.shape
    far = 4
    calm = np.zeros(light.shape, bool)  # ground some rows above and below: no mark is near
    calm[far:-far] = empty[:-2 * far] & empty[2 * far:]
    near = light | empty
    for step in (1, 2):
        calm[far:-far] &= near[far - step:-far - step] & near[far + step:height - far + step]
    amount = np.count_nonzero(calm, 1)
    share = np.count_nonzero(light & calm, 1) / np.maximum(1, amount)
    lines = (share > 0.3) & (amount > max(6, 0.03 * width))
    for start, end in bands(lines, 0):
        if end - start > 4:
            lines[start:end] = False
    return lines


def find_legend(light, level):
    """(left, top, right, bottom) of a thin light rectangle, or None; `level` is `light` without the grid."""
    width = light.shape[1]
    length, start, end = longest_runs(level, 0.07 * width)
    rows = np.flatnonzero((length > 0.07 * width) & (length < 0.8 * width))
    starts, ends = start[rows], end[rows]
    for upper in rows[:40].tolist():
        left, right = int(start[upper]), int(end[upper])
        alike = (rows - upper >= 8) & (np.abs(starts - left) <= 3) & (np.abs(ends - right) <= 3)
        for lower in rows[alike][::-1].tolist():
            sides = light[upper:lower, max(0, left - 4):left + 2], light[upper:lower, right - 1:right + 5]
            if all(np.count_nonzero(side.any(1)) / len(side) > 0.7 for side in sides):
                return max(0, left - 4), upper, right + 5, lower + 1
    return None


def _without_lines(mask, level, upright):
    """Clears grid lines out of a mask, except where a mark goes on at both sides."""
    for lines, plane in ((level, mask), (upright, mask.T)):
        for start, end in bands(lines, 0):
            if start > 1 and end + 1 < len(plane):
                plane[start:end] = plane[start - 2] & plane[end + 1]
            else:
                plane[start:end] = False


@functools.lru_cache(4096)
def colour_name(shade) -> str:
    """The nearest of NAMES to a shade, by CIEDE2000."""
    from skimage.color import deltaE_ciede2000, rgb2lab  # here, so that the import of the room stays quick

    lab = rgb2lab(np.array([[rgb_of(shade)]]) / 255)
    return NAMES[int(deltaE_ciede2000(lab[0], _named()).argmin())]


@functools.cache
def _named():
    from skimage.color import rgb2lab

    return rgb2lab(np.array([[NAMED_COLOURS[name][0] for name in NAMES]]) / 255)[0]
