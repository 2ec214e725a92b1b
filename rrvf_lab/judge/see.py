"""What is seen in one picture: its colours, the frame of a plot, the marks inside it and the texts around it.

    Colours   each pixel's shade and its distance from the background
    Drawing   a whole picture: ink, plot frame, texts around the frame
    Area      what the frame holds: grid lines, legend, ink
    Marks     the ink that shows data: of which kind, how many, how high, in which colours

Left out: what two pictures have to do with each other (`sentences`, `score`).
"""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image

from ..leaves.pictures import rgb
from .arrays import bands, box_around, count_per_row, darker, highest, longest_runs, reach
from .plot import PANEL, find_legend
from .read import Reading, read
from .shades import COLOUR_NAMES, SHADES, Apart, apart_from, lab_from, name_table, shades_of

LONGEST_SIDE = 400  # pixels, of the pictures that are looked at
INK = 15            # distance in CIELAB from which a pixel stands out from the background
SAME_PAPER = 0.4    # of the most frequent shade's pixels
TICK = 7            # pixels: what reaches further out of the frame is more than a tick mark


# ---- pictures and their colours ----------------------------------------------------------------------------

def as_page(image) -> Image.Image:
    """RGB on white, the longest side at most LONGEST_SIDE. TypeError for what is no PIL image."""
    image = rgb(image)
    shrink = LONGEST_SIDE / max(image.size)
    if shrink >= 1:
        return image
    size = tuple(max(1, round(side * shrink)) for side in image.size)
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)


def fitted(image, size) -> Image.Image:
    """The picture stretched to a (width, height)."""
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)


class Colours:
    """An RGB picture as the `shade` of each pixel, and its `distance` in CIELAB from the `background`.

    `counts` says how often each shade occurs. The background is the most frequent shade unless it is given;
    then nothing is counted. `paper`, or else the shade along the picture's sides, is taken for it
    where the picture has about as much of that: a disc or an area that outgrows its ground is no ground.
    """

    def __init__(self, image, background=None, paper=None):
        self.shade = shades_of(image)
        self.counts = None
        if background is None:
            self.counts = np.bincount(self.shade.ravel(), minlength=SHADES)
            background = most = self.counts.argmax()
            for ground in (_brim(self.shade, background), paper):
                if ground is not None and self.counts[ground] > SAME_PAPER * self.counts[most]:
                    background = ground
        self.background = int(background)
        self.distance = apart_from(self.background).distance.take(self.shade)

    @property
    def gray(self):
        """Whether a pixel has the hue of the background."""
        return apart_from(self.background).gray.take(self.shade)


def _brim(shade, most):
    """The shade along the four sides of a picture; None where they have no one shade, or where the most
    frequent shade is no ink on it: the tint of a plot is the ground of what is drawn there."""
    sides = np.concatenate([shade[0], shade[-1], shade[:, 0], shade[:, -1]])
    shades, counts = np.unique(sides, return_counts=True)
    first = counts.argmax()
    brim = int(shades[first])
    return brim if counts[first] > 0.9 * len(sides) and apart_from(brim).distance[most] > INK else None


def keep_apart(mask, mine, theirs, least):
    """Leave those pixels of a mask where two `Colours`, each against its ground, lie over `least` apart."""
    if mine.background == theirs.background:
        mask &= mine.shade != theirs.shade
    at = np.flatnonzero(mask)
    one, two = (lab_from(colours.background, colours.shade.ravel()[at]) for colours in (mine, theirs))
    mask.ravel()[at] = np.abs(one - two).sum(0) > least


# ---- a whole picture ---------------------------------------------------------------------------------------

class Drawing:
    """A page taken apart: plot frame, marks inside it, title, labels and tick labels around it.

    `ink` is what stands out from the background, `frame` the (left, top, right, bottom) of the plot's axes,
    or of all ink where there are none (`framed` is false). `area`, `marks` and `texts` are read when first
    asked for.
    """

    def __init__(self, image, paper=None):
        self.image, self.size = image, image.size
        self.bytes = image.tobytes()
        self.colours = Colours(image, None, paper)
        self.grounds = np.flatnonzero(self.colours.counts > PANEL * self.colours.shade.size).tolist()
        self.colours.counts = None  # 2 MB that a remembered target need not hold
        self.ink = self.colours.distance > INK
        self.blank = not self.ink.any()
        self.gray = self.colours.gray
        axes = self._find_frame()
        self.framed = axes is not None
        self.frame = axes or box_around(self.ink) or (0, 0, *image.size)

    def same(self, other) -> bool:
        """Whether two pictures of one size are the same, pixel for pixel."""
        return self.bytes == other.bytes

    def seen_from(self, ground) -> Apart:
        """How its pixels look on a ground; on its own background that is known."""
        if ground == self.colours.background:
            return Apart(self.colours.distance, self.gray, self.light)
        return Apart(*(plane.take(self.colours.shade) for plane in apart_from(ground)))

    @functools.cached_property
    def light(self):
        """How much lighter each pixel is than the background."""
        return apart_from(self.colours.background).lightness.take(self.colours.shade)

    @functools.cached_property
    def thin(self):
        """Where thin dark lines are: level ones, upright ones."""
        return darker(self.light), darker(self.light.T).T

    def _find_frame(self):
        """The box of long gray lines; where one side is not drawn, the ends of the others are its corner."""
        height, width = self.ink.shape
        level, upright = (self.ink & (self.gray | thin) for thin in self.thin)
        upright = upright.T
        row_length, _, row_end = longest_runs(level, 0.3 * width)
        column_length, column_start, _ = longest_runs(upright, 0.35 * height)
        rows = np.flatnonzero(row_length >= 0.3 * width)
        columns = np.flatnonzero(column_length >= 0.35 * height)
        if not len(rows) or not len(columns):
            return None
        bottom, left = rows[-1], columns[0]
        top = rows[0] if rows[0] < bottom - 0.25 * height else column_start[left]
        right = columns[-1] if columns[-1] > left + 0.25 * width else row_end[bottom]
        if bottom - top < 8 or right - left < 8:
            return None
        coloured = self.ink & ~self.gray
        inside = np.count_nonzero(coloured[top:bottom + 1, left:right + 1])
        if inside < 0.4 * np.count_nonzero(coloured):  # two lines of a grid, of axes without a frame
            return None
        return int(left), int(top), int(right), int(bottom)

    @functools.cached_property
    def area(self) -> Area:
        return Area(self)

    @functools.cached_property
    def marks(self) -> Marks:
        return Marks(self.area, [self.area.legend])

    @property
    def inside(self):
        """The box inside the frame, without its lines; at least one pixel where the picture has one."""
        left, top, right, bottom = self.frame
        edge = 2 if self.framed else 0
        left, top = left + edge, top + edge
        right, bottom = max(left + 1, right - edge + 1), max(top + 1, bottom - edge + 1)
        return left, top, min(right, self.size[0]), min(bottom, self.size[1])

    @functools.cached_property
    def reading(self) -> Reading | None:
        """What chart it shows, read when first asked for; None where there is no plot frame."""
        return read(self)

    @functools.cached_property
    def texts(self) -> dict:
        """Ink (0 to 1) of title, x ticks, x label, y ticks and y label; None where there is none."""
        height, width = self.ink.shape
        gap = max(1, max(height, width) // 130)  # between the letters of one text
        if not self.framed:
            return _texts_of_a_page(_strength(self.colours.distance), self.ink, gap)
        left, top, right, bottom = self.frame
        slack = max(2, height // 40)  # the outer tick labels reach beyond the frame
        above = slice(max(0, top - 2)), slice(max(0, left - 1), None)
        found = {"title": _text(_strength(self.colours.distance[above]))}
        below = slice(bottom + 1, None), slice(max(0, left - slack), None)
        strength = _strength(self.colours.distance[below])
        found["x ticks"], found["x label"] = _ticks_and_label(strength, self.ink[below], 0)
        beside = slice(max(0, top - slack), bottom + slack), slice(0, max(0, left))
        outward, ink = (plane[beside][:, ::-1].T for plane in (self.colours.distance, self.ink))
        found["y ticks"], found["y label"] = _ticks_and_label(_strength(outward), ink, gap)
        return found


def _strength(distance):
    """Ink of texts, 0 to 1."""
    return np.clip(distance / 60, 0, 1)


def _text(strength):
    """A plane of ink cropped to the text in it, or None."""
    box = box_around(strength > 0.25)
    return None if box is None else strength[box[1]:box[3], box[0]:box[2]]


def _texts_of_a_page(strength, ink, gap):
    """Without axes: thin bands of ink at the upper, lower and left end."""
    rows, columns = bands(ink.any(1), gap), bands(ink.any(0), gap)
    found = {}
    for name, plane, ends in (("title", strength, rows[:1]), ("x label", strength, rows[-1:]),
                              ("y label", strength.T, columns[:1])):
        for start, end in ends:
            thin = end - start < 0.1 * len(plane)
            found[name] = _text(plane[start:end]) if thin else None
    return found


def _ticks_and_label(strength, ink, gap):
    """(tick labels, axis label) of a side of the frame, whose rows go outward; None for what is not there."""
    texts = [(start, end) for start, end in bands(ink.any(1), gap) if start > 2 or end > TICK]
    if not texts:
        return None, None
    inner, outer = (_text(strength[start:end]) for start, end in (texts[0], texts[-1]))
    if len(texts) > 1:
        return inner, outer
    tick_marks = ink[2:4].any()
    return (inner, None) if tick_marks else (None, inner)


# ---- inside the frame --------------------------------------------------------------------------------------

class Area:
    """What the plot frame holds, before its marks are read. `size` resamples it to that (width, height).

    `level` and `upright` say which rows and columns are grid lines, `grid` whether there are any (of rows, of
    columns). `ink` is what is drawn and no grid line, `legend` the box of the legend or None.
    """

    def __init__(self, drawing, size=None):
        box = drawing.inside
        self.background = drawing.colours.background
        if size is None or size == (box[2] - box[0], box[3] - box[1]):
            part = slice(box[1], box[3]), slice(box[0], box[2])
            self.shade, self.distance = drawing.colours.shade[part], drawing.colours.distance[part]
            gray = drawing.gray[part]
        else:
            resampled = drawing.image.resize(size, Image.Resampling.BILINEAR, box=box)
            colours = Colours(resampled, self.background)
            self.shade, self.distance, gray = colours.shade, colours.distance, colours.gray
        self.size = self.distance.shape[::-1]
        free = gray & (self.distance < 40)
        light = free & (self.distance > 4)
        self.level, free_of_rows = _grid_lines(light, free)
        self.upright, free_of_columns = _grid_lines(light.T, free.T)
        self.grid = (bool((self.level & (free_of_rows > 0.1)).any()),
                     bool((self.upright & (free_of_columns > 0.1)).any()))
        self.ink = (self.distance > 12) & ~(light & (self.level[:, None] | self.upright))
        self.legend = find_legend(light, light & ~self.level[:, None])

    def legend_ink(self):
        """How strong the ink is inside the legend, 0 to 1."""
        left, top, right, bottom = self.legend
        return _strength(self.distance[top:bottom, left:right])


def _grid_lines(light, free):
    """(which rows are thin light lines wherever no mark covers them, the share of each without marks)."""
    width = free.shape[1]
    free, light = count_per_row(free), count_per_row(light)
    lines = (light > 0.75 * free) & (free > 3)
    for start, end in bands(lines, 0):
        if end - start > 3:
            lines[start:end] = False
    return lines, free / width


class Marks:
    """What shows the data: the ink of an `Area` outside the `hidden` boxes, and its colours.

    `mask` is where marks are, `names` the nearest colour of each pixel by its place in COLOUR_NAMES, `amount`
    all pixels.
    """

    def __init__(self, area, hidden):
        self.size = area.size
        self.mask = area.ink.copy()
        for left, top, right, bottom in filter(None, hidden):
            self.mask[top:bottom, left:right] = False
        for start, end in _crossing(area.upright):
            self.mask[:, start:end] |= (self.mask[:, start - 1] & self.mask[:, end])[:, None]
        for start, end in _crossing(area.level):
            self.mask[start:end] |= self.mask[start - 1] & self.mask[end]
        self.amount = int(np.count_nonzero(self.mask))
        self.area = area

    @functools.cached_property
    def names(self):
        names = name_table().take(self.area.shade)
        for start, end in _crossing(self.area.upright):
            names[:, start:end] = names[:, start - 1:start]
        for start, end in _crossing(self.area.level):
            names[start:end] = names[start - 1]
        return names

    @functools.cached_property
    def amounts(self):
        """How many pixels show each colour, by place in COLOUR_NAMES."""
        area = self.area
        strongest = highest(area.distance * self.mask, 7)
        core = self.mask & (area.distance >= 0.85 * strongest)  # no blended border pixels
        core[area.level] = core[:, area.upright] = False
        if self.kind in ("line", "stairs"):
            core &= _strong(area, self.mask).take(area.shade)
        return np.bincount(self.names[core], minlength=len(COLOUR_NAMES))

    @functools.cached_property
    def heights(self):
        """Per column: how far up its last mark ends."""
        return reach(self.mask[::-1].T)

    @functools.cached_property
    def lengths(self):
        """Per row: how far right its last mark ends."""
        return reach(self.mask)

    @functools.cached_property
    def kind(self) -> str:
        """bar, barh, steps, area, stairs, line, scatter, or nothing."""
        columns, rows = self.mask.any(0), self.mask.any(1)
        if not columns.any():
            return "nothing"
        standing = self.mask[-3:].any(0).sum() / columns.sum() > 0.85
        if standing and self.amount > 0.85 * self.heights.sum():
            if len(bands(columns, 1)) > 1:
                return "bar"
            return "steps" if _stepped(self.heights) else "area"
        lying = self.mask[:, :3].any(1).sum() / rows.sum() > 0.85
        if lying and self.amount > 0.85 * self.lengths.sum():
            return "barh"
        span = np.flatnonzero(columns)
        if columns.sum() < 0.93 * (span[-1] - span[0] + 1):
            return "scatter"
        return "stairs" if _stepped(self.heights) else "line"


def _crossing(lines):
    """[start, end) of the grid lines that may run over marks: what both neighbours show goes on below."""
    return [(start, end) for start, end in bands(lines, 0) if start > 0 and end < len(lines)]


def _strong(area, mask):
    """For each shade: whether it stands out as marks of like hue do at best, as a line's middle does."""
    strong = np.zeros(SHADES, bool)
    strong[area.shade[mask]] = True
    shades = np.flatnonzero(strong)
    _, red, yellow = lab_from(area.background, shades)
    distance = apart_from(area.background).distance[shades]
    hue = ((np.arctan2(yellow, red) / np.pi + 1) * 6).astype(int) % 12
    hue[np.abs(red) + np.abs(yellow) < 15] = 12  # gray
    furthest = np.zeros(13)
    np.maximum.at(furthest, hue, distance)
    furthest[:12] = np.max([furthest[:12], np.roll(furthest[:12], 1), np.roll(furthest[:12], -1)], 0)
    strong[shades] = distance >= 0.85 * furthest[hue]
    return strong


def _stepped(heights):
    """Whether a profile has flat stretches and few, large jumps."""
    jumps = np.abs(np.diff(heights[heights > 0]))
    jumps = jumps[jumps > 0]
    return 0 < len(jumps) < 0.15 * len(heights) and jumps.mean() > 3
