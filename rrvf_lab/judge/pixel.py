"""Compare a render with its target, from the two pictures alone: a score in [0, 1] and a few short sentences.

`PixelJudge` is deterministic, runs on the CPU and needs no model. Its score mixes palette, layout, shapes, edges and
text after aligning both drawings, and subtracts what a blank page or empty axes would earn on the same target. Two
charts are aligned by stretching one box of ink onto the other; pages and drawings also at their own scale, moved to
where they fit best, so that a missing block does not stretch the rest. Factors lower what a mirrored picture
("upright") and a blur or mosaic of the target ("sharp") would earn.

Its constants were set on spoilt charts, pages and drawings of `data`'s training half (`bench_judge.py --split train`),
under the condition that what a nano model draws on held-out charts keeps its score. `tests/benchmarks/bench_judge.py`
reports what it does on other charts (matplotlib and plotly, of another generator), and on held-out pages and drawings.

Left out: it reads no words (a wrong title is seen as other glyphs, not as another meaning) and knows no data values; on
photographs and dense web pages the order of scores is less certain, and a mosaic of 32 cells of a flat drawing passes.
A program that paints the target's own pixels gets 1.0; keeping the target out of its reach is the sandbox's work.

The feedback is a closed vocabulary (positions inside the plot frame in steps of 5 %, 0 % = left or bottom):

    Blank.                      Failed: <last line of the error>      No difference seen.
    Aspect differs.             Too small.                            Too large.
    Shifted left.               Shifted right. / up. / down.
    Type differs.               Too few marks.                        Too many marks.
    Missing <colour>.           Extra <colour>.
    Title differs.              X label differs.                      Y label differs.
    X ticks differ.             Y ticks differ.                       Grid differs.
    Too low at <p>%.            Too high at <p>%.                     (the render's mark against the target's)
    Too short at <p>%.          Too long at <p>%.                     (horizontal bars, p counted from the bottom)
    Legend missing.             Extra legend.                         Legend differs.
    Missing ink <region>.       Extra ink <region>.                   Colour differs <region>.
    <colour>: red blue green orange purple gray steelblue teal gold salmon brown pink black navy olive cyan magenta
              yellow white
    <region>: top left, top, top right, left, centre, right, bottom left, bottom, bottom right
"""
import functools
import hashlib
import math
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image, ImageDraw

from ..leaves.pictures import rgb
from .verdict import Verdict

COLOURS = {"red": [(255, 0, 0), (214, 39, 40), (200, 20, 40)], "blue": [(0, 0, 255), (65, 105, 225)],
           "green": [(0, 128, 0), (44, 160, 44)], "orange": [(255, 165, 0), (255, 127, 14)],
           "purple": [(128, 0, 128), (148, 103, 189)], "gray": [(128, 128, 128), (176, 176, 176)],
           "steelblue": [(70, 130, 180), (31, 119, 180)], "teal": [(0, 128, 128)], "gold": [(255, 215, 0)],
           "salmon": [(250, 128, 114)], "brown": [(165, 42, 42), (140, 86, 75)],
           "pink": [(255, 192, 203), (227, 119, 194)], "black": [(0, 0, 0)], "navy": [(0, 0, 128)],
           "olive": [(128, 128, 0), (188, 189, 34)], "cyan": [(0, 255, 255), (23, 190, 207)],
           "magenta": [(255, 0, 255)], "yellow": [(255, 255, 0)], "white": [(255, 255, 255)]}
NAMES = list(COLOURS)
PAGE = 400           # longest side, in pixels, of the pictures that feedback looks at
CACHED_TARGETS = 64  # about 5 MB each
SENTENCES = 5
TICK = 7             # pixels of PAGE: what reaches further out of the frame is more than a tick mark


class PixelJudge:
    """The embedded judge: `judge(target, image)` compares two PIL pictures of any mode and size.

    `size` is the longest working side of the score in pixels (112 is faster). `image=None` means that the program
    gave no picture: score 0.0, and the feedback carries the last line of `error`. Identical pixels score exactly 1.0.
    Raises TypeError when a picture is not a PIL image. Targets are remembered by content; results do not depend on it.

    Example: `PixelJudge()(target, render) -> Verdict(score=0.83, feedback="Too low at 30%.", parts={...})`
    """

    def __init__(self, size: int = 224):
        self.size = size
        self._targets, self._lock = OrderedDict(), threading.Lock()

    def __call__(self, target, image, error=None) -> Verdict:
        if image is None:
            return Verdict.no_picture(error)
        page, scorer = self._target(target)
        image = _page(image)
        other = _Drawing(_fit(image, page.size), page.colours.background)
        sentences, text = _sentences(page, other, _aspect(page.size, image.size))
        parts = scorer.compare(other, image, text)
        score = parts.pop("score")
        worst = sorted((v, k) for k, v in parts.items())[0]
        reason = ("Pixel for pixel the same." if score == 1 else
                  f"Weakest part: {worst[1]} {worst[0]:.2f}; blank or empty axes would earn 0.")
        return Verdict(score, sentences, parts, reason)

    def feedback(self, target, image) -> str:
        """The sentences alone, without the score. Example: `PixelJudge().feedback(a, a) -> "No difference seen."`"""
        page, _ = self._target(target, score=False)
        image = _page(image)
        other = _Drawing(_fit(image, page.size), page.colours.background)
        return _sentences(page, other, _aspect(page.size, image.size))[0]

    def _target(self, image, score=True):
        image = rgb(image)
        key = image.size, hashlib.sha256(image.tobytes()).digest()
        with self._lock:
            entry = self._targets.get(key)
            if entry:
                self._targets.move_to_end(key)
        if entry is None or (score and entry[1] is None):
            page = entry[0] if entry else _Drawing(_page(image).copy())  # the caller may paint on their picture
            entry = page, _Scorer(page, self.size) if score else None
            with self._lock:
                self._targets[key] = entry
                while len(self._targets) > CACHED_TARGETS:
                    self._targets.popitem(last=False)
        return entry


def judge(target, image, error=None) -> Verdict:
    """Compare two pictures with one shared `PixelJudge`. Example: `judge(target, rendering.image).score`"""
    return _shared()(target, image, error)


def difference(target, image) -> Image.Image:
    """Where two pictures differ, as an RGB picture of the target's size on white, its longest side at most PAGE.

    Red: ink that only the target has. Blue: ink that only the image has. Near-black: ink in both, other colour.
    Light gray: the same. Ink is what stands out from the picture's most frequent colour.

    Example: `difference(target, render).save("difference.png")`
    """
    page = _shared()._target(target, score=False)[0]
    a, b = page.colours, _Colours(_fit(_page(image), page.size))
    ink_a, ink_b = ((colours.distance > 15).view(np.uint8) for colours in (a, b))
    apart = (ink_a | ink_b).view(bool)
    _keep_apart(apart, a, b, 24)
    kind = np.where(apart, ink_a + 2 * ink_b, 4 * (ink_a & ink_b))
    out = Image.fromarray(kind)
    out.putpalette([255, 255, 255, 220, 30, 30, 30, 60, 220, 40, 40, 40, 205, 205, 205])
    return out.convert("RGB")


@functools.cache
def _shared():
    return PixelJudge()


# ---- pictures and colours ---------------------------------------------------------------------------------------

def _page(image):
    """RGB on white, shrunk so that the longest side is at most PAGE."""
    image = rgb(image)
    shrink = PAGE / max(image.size)
    if shrink >= 1:
        return image
    size = tuple(max(1, round(side * shrink)) for side in image.size)
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)


def _rgb_of(code):
    """The colour of one of the 64³ codes."""
    return tuple(round((code >> shift & 63) * 255 / 63) for shift in (12, 6, 0))


def _fit(image, size):
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)


def _aspect(a, b):
    """Agreement of two (width, height) in (0, 1]."""
    ratio = (a[0] / a[1]) / (b[0] / b[1])
    return min(ratio, 1 / ratio)


@functools.cache
def _tables():
    """For each of 64³ RGB codes: its CIELAB value (three rows), and its nearest colour name."""
    from skimage.color import rgb2lab
    axis = np.linspace(0, 1, 64)
    lab = rgb2lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)).reshape(-1, 3).astype(np.float32)
    pairs = [(i, rgb) for i, name in enumerate(NAMES) for rgb in COLOURS[name]]
    named = rgb2lab(np.array([[rgb for _, rgb in pairs]]) / 255)[0].astype(np.float32)
    nearest = np.argmin([((lab - n) ** 2).sum(1) for n in named], 0)
    return np.ascontiguousarray(lab.T), np.array([i for i, _ in pairs], np.uint8)[nearest]


def _lab(code, background, planes=slice(3)):
    """CIELAB values of codes less those of a background's code, a plane each (or the chosen planes)."""
    table = _tables()[0][planes]
    lab = table.take(code, 1)
    lab -= table[:, background].reshape(-1, *[1] * code.ndim)
    return lab


@functools.lru_cache(16)
def _against(background):
    """For each code: its distance in CIELAB from a background's code, and whether its hue is the same (1.3 MB)."""
    lab = _lab(np.arange(64 ** 3), background)
    return np.sqrt((lab * lab).sum(0)), np.abs(lab[1]) + np.abs(lab[2]) < 15


SAME_PAPER = 0.4  # of the most frequent colour's pixels


class _Colours:
    """The codes of an RGB picture's pixels, and each pixel's distance from the background, the most frequent colour.

    `paper` is taken for it where the picture has about as much of that: a disc that outgrows its ground is no ground.
    """

    def __init__(self, image, background=None, paper=None):
        word = np.frombuffer(image.tobytes("raw", "RGBX"), "<u4").reshape(image.size[::-1])
        code = (word & 0xFC) << 10
        code |= (word & 0xFC00) >> 4
        code |= (word & 0xFC0000) >> 18
        self.code = code.astype(np.intp)  # as indices: numpy would turn them into these each time
        if background is None:
            self.counts = np.bincount(self.code.ravel(), minlength=64 ** 3)
            background = int(self.counts.argmax())
            if paper is not None and self.counts[paper] > SAME_PAPER * self.counts[background]:
                background = paper
        self.background = int(background)
        self.distance = _against(self.background)[0].take(self.code)


def _keep_apart(mask, a, b, least):
    """Leave those pixels of a mask at which two `_Colours` lie more than `least` apart, each against its background."""
    if a.background == b.background:
        mask &= a.code != b.code
    at = np.flatnonzero(mask)
    gap = _lab(a.code.ravel()[at], a.background) - _lab(b.code.ravel()[at], b.background)
    mask.ravel()[at] = np.abs(gap).sum(0) > least


# ---- what is where: the frame, its marks, the text around it ---------------------------------------------------

def _per_row(mask):
    """How many True each row holds."""
    return mask.astype(np.float32) @ np.ones(mask.shape[1], np.float32)  # many times faster than a sum of booleans


def _longest_runs(mask, least):
    """Per row: length, start and end of its longest run of True; zeros where fewer than `least` of it are True."""
    found = np.zeros((3, len(mask)), int)
    rows = np.flatnonzero(_per_row(mask) >= least)
    if len(rows):
        mask = mask[rows]
        index = np.arange(1, mask.shape[1] + 1, dtype=np.int32)
        run = index - np.maximum.accumulate(np.where(mask, 0, index), axis=1)
        end = run.argmax(1)
        length = run[np.arange(len(run)), end]
        found[:, rows] = length, end - length + 1, end
    return found


def _darker(light):
    """Pixels darker than what lies two rows above and below: a thin line, even when blended with a bar beside it."""
    dark = np.zeros(light.shape, bool)
    dark[2:-2] = light[2:-2] < np.minimum(light[:-4], light[4:]) - 8
    return dark


def _bands(profile, gap):
    """[start, end) of the runs of True in a vector, runs closer than `gap` joined."""
    at = np.flatnonzero(profile)
    if not len(at):
        return []
    cuts = np.flatnonzero(at[1:] - at[:-1] > gap + 1)
    starts, ends = at[cuts + 1].tolist(), (at[cuts] + 1).tolist()
    return list(zip([int(at[0]), *starts], [*ends, int(at[-1]) + 1]))


def _box(mask):
    """(left, top, right, bottom) of True, or None."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


class _Drawing:
    """A page taken apart: plot frame, marks inside it, title, labels and tick labels around it."""

    def __init__(self, image, paper=None):
        self.image, self.size = image, image.size
        self.bytes = image.tobytes()
        self.colours = colours = _Colours(image, None, paper)
        self.ink = colours.distance > 15
        del colours.counts  # 2 MB that a remembered target need not hold
        self.blank = not self.ink.any()
        self.gray = _against(colours.background)[1].take(colours.code)
        self.frame = self._find_frame()
        self.framed = self.frame is not None
        if not self.framed:
            self.frame = _box(self.ink) or (0, 0, *image.size)

    def same(self, other):
        """Whether two pictures of one size are the same, pixel for pixel."""
        return self.bytes == other.bytes

    def _find_frame(self):
        height, width = self.ink.shape
        light = _lab(self.colours.code, self.colours.background, slice(1))[0]
        length, start, end = _longest_runs(self.ink & (self.gray | _darker(light)), 0.3 * width)
        rows = np.flatnonzero(length >= 0.3 * width)
        column_length, column_start, _ = _longest_runs((self.ink & (self.gray | _darker(light.T).T)).T, 0.35 * height)
        columns = np.flatnonzero(column_length >= 0.35 * height)
        if not len(rows) or not len(columns):
            return None
        bottom, left = rows[-1], columns[0]
        top = rows[0] if rows[0] < bottom - 0.25 * height else column_start[left]
        right = columns[-1] if columns[-1] > left + 0.25 * width else end[bottom]
        if bottom - top < 8 or right - left < 8:
            return None
        return int(left), int(top), int(right), int(bottom)

    @functools.cached_property
    def area(self):
        return _Area(self)

    @functools.cached_property
    def inside(self):
        return _Inside(self.area, (self.area.legend,))

    @functools.cached_property
    def texts(self):
        """Ink (0 to 1) of title, x ticks, x label, y ticks, y label; None where there is none."""
        left, top, right, bottom = self.frame
        strength = np.clip(self.colours.distance / 60, 0, 1)
        height, width = self.ink.shape
        gap = max(1, max(height, width) // 130)
        if not self.framed:  # no axes: thin bands of ink at the page's upper, lower and left end
            rows, cols = _bands(self.ink.any(1), gap), _bands(self.ink.any(0), gap)
            ends = {"title": (strength, rows[:1]), "x label": (strength, rows[-1:]), "y label": (strength.T, cols[:1])}
            return {name: _crop(plane[a:b], 0.25) if b - a < 0.1 * len(plane) else None
                    for name, (plane, bands) in ends.items() for a, b in bands}
        slack = max(2, height // 40)
        found = {"title": _crop(strength[:max(0, top - 2), max(0, left - 1):], 0.25)}
        low = self.ink[bottom + 1:, max(0, left - slack):]
        bands = [(a, b) for a, b in _bands(low.any(1), 0) if a > 2 or b > TICK]
        found["x ticks"], found["x label"] = _two_bands(strength[bottom + 1:, max(0, left - slack):], bands, bool(
            low[2:4].any()))
        side = slice(max(0, top - slack), bottom + slack)
        flank = self.ink[side, :max(0, left)][:, ::-1]
        bands = [(a, b) for a, b in _bands(flank.any(0), gap) if a > 2 or b > TICK]
        ticks = bool(flank[:, 2:4].any())
        found["y ticks"], found["y label"] = _two_bands(strength[side, :max(0, left)][:, ::-1].T, bands, ticks)
        return found


def _crop(strength, threshold):
    box = _box(strength > threshold)
    return None if box is None else strength[box[1]:box[3], box[0]:box[2]]


def _two_bands(strength, bands, ticks):
    """Tick labels and axis label out of the bands of ink that lie outward of a frame side."""
    if not bands:
        return None, None
    crops = [_crop(strength[a:b], 0.25) for a, b in bands]
    if len(bands) == 1:
        return (crops[0], None) if ticks else (None, crops[0])
    return crops[0], crops[-1]


def _same_text(a, b):
    """Likeness of two ink crops in [0, 1]: best correlation over small shifts; 0 when sizes disagree."""
    if a is None or b is None:
        return float(a is None and b is None)
    if a.shape == b.shape and np.array_equal(a, b):
        return 1.0
    for m, n in zip(a.shape, b.shape):
        if abs(m - n) > 2 + 0.12 * max(m, n):
            return 0.0
    if max(abs(a.shape[0] - b.shape[0]), abs(a.shape[1] - b.shape[1])) > 2:
        b = np.asarray(Image.fromarray(b).resize(a.shape[::-1], Image.Resampling.BILINEAR))
    a, b = (t - t.mean(1, keepdims=True) for t in (a, b))  # glyphs, not the line of writing that all words share
    height, width = max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])
    field = np.zeros((height + 4, width + 4), np.float32)
    field[2:2 + a.shape[0], 2:2 + a.shape[1]] = a
    windows = np.lib.stride_tricks.sliding_window_view(field, b.shape)[:5, :5]
    norm = math.sqrt(float((a * a).sum()) * float((b * b).sum())) or 1.0
    return max(0.0, min(1.0, float(np.einsum("ijkl,kl->ij", windows, b).max()) / norm))


class _Area:
    """What the plot frame holds, before it is read: grid lines and legend. `size` resamples it to that (w, h)."""

    def __init__(self, drawing, size=None):
        left, top, right, bottom = drawing.frame
        edge = 2 if drawing.framed else 0
        box = (left + edge, top + edge, max(left + edge + 1, right - edge + 1), max(top + edge + 1, bottom - edge + 1))
        box = (box[0], box[1], min(box[2], drawing.size[0]), min(box[3], drawing.size[1]))
        self.background = drawing.colours.background
        if size is None or size == (box[2] - box[0], box[3] - box[1]):
            area = slice(box[1], box[3]), slice(box[0], box[2])
            self.code, self.distance = drawing.colours.code[area], drawing.colours.distance[area]
            gray = drawing.gray[area]
        else:
            view = _Colours(drawing.image.resize(size, Image.Resampling.BILINEAR, box=box), self.background)
            self.code, self.distance = view.code, view.distance
            gray = _against(self.background)[1].take(view.code)
        self.size = self.distance.shape[::-1]
        free = gray & (self.distance < 40)
        light = free & (self.distance > 4)
        rows, per_row = _grid_lines(light, free)
        cols, per_col = _grid_lines(light.T, free.T)
        self.rows, self.cols = rows, cols
        self.grid = bool((rows & (per_row > 0.1)).any()), bool((cols & (per_col > 0.1)).any())
        self.ink = (self.distance > 12) & ~(light & (rows[:, None] | cols))
        self.legend = _find_legend(light, light & ~rows[:, None])

    def boxed(self):
        """How strong the ink is inside the legend."""
        x0, y0, x1, y1 = self.legend
        return np.clip(self.distance[y0:y1, x0:x1] / 60, 0, 1)


class _Inside:
    """The marks of an `_Area` outside the `hidden` boxes, and how much of which colour they show."""

    def __init__(self, area, hidden):
        self.area, self.size = area, area.size
        rows, cols, distance = area.rows, area.cols, area.distance
        self.marks = area.ink.copy()
        for box in hidden:
            if box:
                self.marks[box[1]:box[3], box[0]:box[2]] = False
        self.names = _tables()[1].take(area.code)
        for lines, marks, names in ((cols, self.marks, self.names), (rows, self.marks.T, self.names.T)):
            for a, b in _bands(lines, 0):  # grid lines run over bars: what both neighbours show goes on below
                if 0 < a and b < len(lines):
                    marks[:, a:b] |= (marks[:, a - 1] & marks[:, b])[:, None]
                    names[:, a:b] = names[:, a - 1:a]
        core = self.marks & (distance >= 0.85 * _highest(distance * self.marks, 7))  # no blended border pixels
        core[rows] = core[:, cols] = False
        if self.kind in ("line", "stairs"):
            core &= _strong(area, self.marks).take(area.code)
        self.amounts = np.bincount(self.names[core], minlength=len(NAMES))

    @functools.cached_property
    def amount(self):
        return int(np.count_nonzero(self.marks))

    @functools.cached_property
    def heights(self):
        """Per column: how far up its last mark ends."""
        return _reach(self.marks[::-1].T)

    @functools.cached_property
    def lengths(self):
        """Per row: how far right its last mark ends."""
        return _reach(self.marks)

    @functools.cached_property
    def kind(self):
        """bar, barh, steps, area, stairs, line, scatter, or nothing."""
        marks = self.marks
        columns, rows = marks.any(0), marks.any(1)
        if not columns.any():
            return "nothing"
        upright = marks[-3:].any(0).sum() / columns.sum() > 0.85
        if upright and self.amount > 0.85 * self.heights.sum():
            if len(_bands(columns, 1)) > 1:
                return "bar"
            return "steps" if _stepped(self.heights) else "area"
        if marks[:, :3].any(1).sum() / rows.sum() > 0.85 and self.amount > 0.85 * self.lengths.sum():
            return "barh"
        span = np.flatnonzero(columns)
        if columns.sum() < 0.93 * (span[-1] - span[0] + 1):
            return "scatter"
        return "stairs" if _stepped(self.heights) else "line"

    @functools.cached_property
    def count(self):
        """How many bars or points, or None where the picture does not tell."""
        if self.kind in ("bar", "barh"):
            base = (self.names.astype(int) + 1) * self.marks
            base = base[-4] if self.kind == "bar" else base[:, 3]
            starts = np.r_[0, np.flatnonzero(np.diff(base)) + 1, len(base)]
            return int(((np.diff(starts) >= 3) & (base[starts[:-1]] > 0)).sum())
        if self.kind == "scatter":
            from scipy.ndimage import label
            return label(self.marks)[1]
        return None


def _highest(plane, width):
    """The highest value of a plane of values >= 0 in the square of odd `width` around each pixel.

    Several times faster than scipy.ndimage.maximum_filter, as every step is one vectorised maximum.
    """
    for _ in range(2):
        padded = np.zeros((plane.shape[0] + width - 1, plane.shape[1]), plane.dtype)
        padded[width // 2:width // 2 + len(plane)] = plane
        seen = 1
        while seen < width:  # windows of 2, 4, 8 ... rows, each of two halves
            step = min(seen, width - seen)
            padded = np.maximum(padded[:-step], padded[step:])
            seen += step
        plane = padded.T
    return plane


def _strong(area, marks):
    """For each code: whether it is about as far from the background as marks of like hue get, as a line's middle is."""
    seen = np.zeros(64 ** 3, bool)
    seen[area.code[marks]] = True
    codes = np.flatnonzero(seen)
    _, red, yellow = _lab(codes, area.background)
    distance = _against(area.background)[0][codes]
    hue = ((np.arctan2(yellow, red) / np.pi + 1) * 6).astype(int) % 12
    hue[np.abs(red) + np.abs(yellow) < 15] = 12
    most = np.zeros(13)
    np.maximum.at(most, hue, distance)
    most[:12] = np.max([most[:12], np.roll(most[:12], 1), np.roll(most[:12], -1)], 0)
    seen[codes] = distance >= 0.85 * most[hue]
    return seen


def _grid_lines(light, free):
    """Rows that are thin light gray lines wherever no mark covers them; per row the share that is free of marks."""
    free, light, width = _per_row(free), _per_row(light), free.shape[1]
    lines = (light > 0.75 * free) & (free > 3)
    for a, b in _bands(lines, 0):
        if b - a > 3:
            lines[a:b] = False
    return lines, free / width


def _find_legend(light, level):
    """(left, top, right, bottom) of a thin light rectangle inside the plot, or None."""
    height, width = light.shape
    length, start, end = _longest_runs(level, 0.07 * width)
    rows = np.flatnonzero((length > 0.07 * width) & (length < 0.8 * width))
    starts, ends = start[rows], end[rows]
    for i, upper in enumerate(rows[:40].tolist()):
        x0, x1 = int(start[upper]), int(end[upper])
        alike = (rows - upper >= 8) & (np.abs(starts - x0) <= 3) & (np.abs(ends - x1) <= 3)
        for lower in rows[alike][::-1].tolist():
            sides = light[upper:lower, max(0, x0 - 4):x0 + 2].any(1), light[upper:lower, x1 - 1:x1 + 5].any(1)
            if min(side.mean() for side in sides) > 0.7:
                return max(0, x0 - 4), upper, x1 + 5, lower + 1
    return None


def _reach(marks):
    """Per row: how far from the left its last mark ends (0 = no mark)."""
    return np.where(marks.any(1), marks.shape[1] - marks[:, ::-1].argmax(1), 0)


def _stepped(heights):
    """A profile of flat stretches and few, large jumps."""
    jumps = np.abs(np.diff(heights[heights > 0]))
    jumps = jumps[jumps > 0]
    return 0 < len(jumps) < 0.15 * len(heights) and jumps.mean() > 3


def _values(a, b, sideways):
    """(size, percent, sign) where the marks of b reach less (-1) or more (+1) than those of a, largest first."""
    if sideways:
        one, two = a.lengths[::-1], b.lengths[::-1]
        extent = a.size[0]
    else:
        one, two = a.heights, b.heights
        extent = a.size[1]
    if a.kind not in ("bar", "barh", "steps", "area"):
        two, one = np.where(one > 0, two, 0), np.where(two > 0, one, 0)
    gap = (two - one).astype(int)
    tolerance = max(2, 0.02 * extent)
    gap[np.abs(gap) <= tolerance] = 0
    cut = (np.sign(gap[1:]) != np.sign(gap[:-1])) | (np.abs(np.diff(gap)) > max(3, 0.04 * extent))
    starts = np.r_[0, np.flatnonzero(cut) + 1, len(gap)]
    found = []
    for i, j in zip(starts[:-1], starts[1:]):
        if gap[i] == 0 or j - i < 0.012 * len(gap):
            continue
        size = np.abs(gap[i:j])
        top = np.flatnonzero(size >= 0.95 * size.max())
        at = (i + (top[0] + top[-1] + 1) / 2) / len(gap)
        found.append((size.max(), int(5 * round(20 * at)), int(np.sign(gap[i]))))
    return sorted(found, key=lambda value: -value[0])


def _regions(mask):
    """(amount, region words) of the ninth of the page that holds most of a mask."""
    rows, cols = ([slice(i * n // 3, max((i + 1) * n // 3, i * n // 3 + 1)) for i in range(3)] for n in mask.shape)
    sums = [int(np.count_nonzero(mask[row, col])) for row in rows for col in cols]
    y, x = divmod(sums.index(max(sums)), 3)
    words = " ".join(w for w in (("top", "", "bottom")[y], ("left", "", "right")[x]) if w)
    return max(sums), words or "centre"


# ---- sentences --------------------------------------------------------------------------------------------------

def _sentences(target, other, aspect):
    """Feedback for two `_Drawing`s of one size; likeness (0 to 1) of texts around the plot and of the marks' area."""
    if aspect > 0.99 and other.same(target):
        return "No difference seen.", {"marks": 1.0}
    if other.blank and not target.blank:
        return "Blank.", {}
    said = ["Aspect differs."] if aspect < 0.97 else []
    said += _placement(target, other)
    mine, theirs = target.area, _Area(other, target.area.size)
    legends = mine.legend, theirs.legend  # what one legend covers is left out in both
    a = target.inside if mine.legend == theirs.legend else _Inside(mine, legends)
    b = _Inside(theirs, legends)
    colours = _colour_sentences(a, b)
    shape = []
    if target.framed and a.kind != b.kind:
        shape = ["Type differs."]
    elif target.framed and a.count != b.count:
        shape = ["Too few marks." if b.count < a.count else "Too many marks."]
    text = {"marks": (1 + min(a.amount, b.amount)) / (1 + max(a.amount, b.amount))}
    text |= {name: _same_text(crop, other.texts.get(name)) for name, crop in target.texts.items()}
    legend = []
    if bool(mine.legend) != bool(theirs.legend):
        legend = ["Legend missing." if mine.legend else "Extra legend."]
        text["legend"] = 0.0
    elif mine.legend:
        text["legend"] = _same_text(mine.boxed(), theirs.boxed())
        legend = ["Legend differs."] if text["legend"] < 0.9 else []
    values = []
    if target.framed and not shape:
        sideways = a.kind == "barh"
        low, high = ("short", "long") if sideways else ("low", "high")
        values = [f"Too {high if sign > 0 else low} at {at}%." for _, at, sign in _values(a, b, sideways)]
    words = [f"{name.capitalize()} {'differ' if name.endswith('s') else 'differs'}."
             for name in ("title", "x label", "y label") if text.get(name, 1) < SAME_TEXT]
    ticks = [f"{name.capitalize()} differ." for name in ("x ticks", "y ticks") if text.get(name, 1) < SAME_TEXT]
    grid = ["Grid differs."] if target.framed and mine.grid != theirs.grid else []
    said += colours + grid + shape + words + values + legend + ticks
    if not said or not target.framed:
        said += _ink_sentences(target, other)
    return " ".join(said[:SENTENCES]) or "No difference seen.", text


SAME_TEXT = 0.68


def _placement(target, other):
    """Sentences on where the drawing sits and how large it is."""
    (l, t, r, b), (m, u, s, c) = target.frame, other.frame
    width, height = target.size
    if target.framed != other.framed:
        (l, t, r, b), (m, u, s, c) = _box(target.ink) or target.frame, _box(other.ink) or other.frame
    growth = ((s - m) * (c - u)) / max(1, (r - l) * (b - t))
    said = []
    if not 0.85 < growth < 1.18:
        said.append("Too small." if growth < 1 else "Too large.")
    right, down = ((m + s) - (l + r)) / 2 / width, ((u + c) - (t + b)) / 2 / height
    if max(abs(right), abs(down)) > 0.03:
        if abs(right) > abs(down):
            said.append("Shifted right." if right > 0 else "Shifted left.")
        else:
            said.append("Shifted down." if down > 0 else "Shifted up.")
    return said


def _colour_sentences(a, b):
    said = []
    for word, one, two in (("Missing", a.amounts, b.amounts), ("Extra", b.amounts, a.amounts)):
        share = two / max(1, two.sum())  # shares: a line and a bar of one colour hold the same colour
        total = one.sum()
        lost = [i for i in range(len(NAMES)) if one[i] >= max(6, 0.08 * total) and share[i] < 0.25 * one[i] / total]
        lost = sorted(lost, key=lambda i: -one[i])
        said += [f"{word} {NAMES[i]}." for i in lost[:2] if one[i] >= 0.3 * one[lost[0]]]
    return said


def _ink_sentences(target, other):
    """Where ink is missing, extra or of another colour, by ninths of the page."""
    a, b = target.ink, other.ink
    least = 0.0005 * a.size
    near_a, near_b = (_highest(ink.view(np.uint8), 3).view(bool) for ink in (a, b))
    found = [(*_regions(a & ~near_b), "Missing ink"), (*_regions(b & ~near_a), "Extra ink")]
    recoloured = a & b
    _keep_apart(recoloured, target.colours, other.colours, 40)
    found.append((*_regions(recoloured), "Colour differs"))
    return [f"{words} {region}." for amount, region, words in sorted(found, key=lambda f: -f[0]) if amount > least]


# ---- score ------------------------------------------------------------------------------------------------------

class _Scorer:
    """A target's features, its baseline (what a blank page or empty axes earn) and the comparison."""

    def __init__(self, page, size):
        self.page, self.base = page, 0.0
        shrink = size / max(page.size)
        self.paper = int(page.colours.background)
        self.whole = _Whole(page.image, tuple(max(16, round(side * shrink)) for side in page.size), self.paper)
        left, top, right, bottom = self.whole.box
        self.cropped = _Cropped(page.image, self.whole.inner, (max(16, right - left), max(16, bottom - top)),
                                self.whole.background)
        blank, axes = (Image.new("RGB", page.size, _rgb_of(self.paper)) for _ in range(2))
        left, top, right, bottom = page.frame
        dark = (0, 0, 0) if sum(_rgb_of(self.paper)) > 300 else (255, 255, 255)
        ImageDraw.Draw(axes).rectangle((left, top, right - 1, bottom - 1), outline=dark)
        self.base = max(self._raw(image, image)["raw"] for image in (blank, axes))

    def _raw(self, fitted, image):
        """Parts and "raw" of a picture, given as stretched to the target's page and as it is."""
        aspect = _aspect(self.page.size, image.size)
        whole = _Whole(fitted, self.whole.size, self.paper)
        palette, other = self.whole.palette, whole.palette
        position = _overlap(self.whole.blocks, whole.blocks)
        seen = [_Cropped(fitted, whole.inner, self.cropped.size, whole.background)]
        if not self.page.framed:  # a chart stretches with its axes, a page or a drawing keeps its scale
            page, flat = fitted, whole
            if image.size != self.page.size:
                page = self._sheet(image, whole.background)
                flat = _Whole(page, self.whole.size, self.paper)
                position = max(position, _overlap(self.whole.blocks, flat.blocks))
            move = [_lag(*ink) for ink in zip(self.whole.profiles, flat.profiles)]
            if page is not fitted or np.abs(np.subtract(self.whole.box, flat.box) - move * 2).max() > 1:
                page = self._sheet(page, flat.background, *(round(n * a / b) for n, a, b in zip(
                    move, self.page.size, self.whole.size)))
                seen.append(_Cropped(page, self.whole.inner, self.cropped.size, flat.background))
        found = [self._aligned(cropped) for cropped in seen]
        parts = max(found, key=lambda aligned: sum(WEIGHTS.get(name, 0) * value for name, value in aligned.items()))
        parts |= {"colour": (_overlap(palette, other) + _overlap(_shares(palette), _shares(other))) / 2,
                  "position": position, "aspect": aspect, "upright": min(p["upright"] for p in found)}
        coarse = min(parts["layout"], parts["position"], parts["shapes"])  # a blur or mosaic agrees in these alone
        parts["sharp"] = 1 - 0.7 * _ramp(coarse - parts["edges"], 0.5, 0.6)
        raw = sum(weight * parts[name] for name, weight in WEIGHTS.items())
        raw *= aspect ** 0.5 * min(1, parts["edges"] / 0.3) ** 0.5 * min(1, parts["detail"] / 0.6)
        return parts | {"raw": raw}

    def _sheet(self, image, background, right=0, down=0):
        """A picture at the target's width, laid on its page with the upper left corner at (right, down)."""
        width, height = self.page.size
        if image.size != self.page.size:
            full = image.size[1] * width / image.size[0]
            shown = min(1, height / full)  # a thin strip would become a page of millions of rows
            image = image.resize((width, max(1, round(full * shown))), Image.Resampling.BILINEAR,
                                 box=(0, 0, image.size[0], image.size[1] * shown))
        page = Image.new("RGB", self.page.size, _rgb_of(background))
        page.paste(image, (right, down))
        return page

    def _aligned(self, theirs):
        mine = self.cropped
        parts = {"layout": _overlap(mine.blocks, theirs.blocks),
                 "shapes": sum(map(_overlap, mine.ink, theirs.ink, mine.sizes + theirs.sizes)) / 3,
                 "edges": sum(map(_overlap, mine.edges, theirs.edges, mine.edge_sizes + theirs.edge_sizes)) / 3,
                 "detail": _overlap(mine.detail, theirs.detail)}
        straight, *turned = (_overlap(ink, theirs.ink[0], mine.sizes[0] + theirs.sizes[0]) for ink, _ in mine.ways)
        fine, *others = (_overlap(planes, theirs.planes) for _, planes in mine.ways)
        parts["upright"] = 1 - 0.7 * max(_ramp(max(turned) - straight, 0, 0.15), _ramp(max(others) - fine, 0.05, 0.2))
        return parts

    def compare(self, other, image, likeness):
        """Parts and "score" of a `_Drawing` of the target's page size; `image` is unstretched, `likeness` its texts'."""
        if image.size == self.page.size and other.same(self.page):
            return dict.fromkeys(("score", "colour", "position", "layout", "shapes", "edges", "detail", "aspect",
                                  "upright", "sharp", "text", "marks"), 1.0)
        parts = self._raw(other.image, image)
        score = max(0.0, (parts.pop("raw") - self.base) / max(1e-6, 1 - self.base))
        parts["text"] = 1 - sum(w * (1 - _ramp(likeness.get(name, 1), 0.35, 0.75)) for name, w in TEXT.items())
        parts["marks"] = min(1, likeness.get("marks", 0) / 0.2) ** 0.5
        score *= parts["text"] * parts["marks"] * parts["upright"] * parts["sharp"]
        return parts | {"score": min(1.0, score)}


def _lag(mine, theirs):
    """By how much to move `theirs` so that two profiles of ink fit best; at most a third of their length."""
    far = len(mine) // 3
    mine, theirs = mine - mine.mean(), theirs - theirs.mean()
    fit = np.correlate(np.pad(mine, far), theirs, "valid")
    return int(fit.argmax()) - far if fit.max() > 1.02 * fit[far] else 0


WEIGHTS = {"colour": 0.25, "position": 0.10, "layout": 0.25, "shapes": 0.20, "edges": 0.20}
# As it is, mirrored, upside down, both.
WAYS = np.s_[...], np.s_[..., ::-1], np.s_[..., ::-1, :], np.s_[..., ::-1, ::-1]
TEXT = {"title": 0.07, "x label": 0.04, "y label": 0.04, "x ticks": 0.02, "y ticks": 0.02, "legend": 0.09}


def _ramp(value, low, high):
    return min(1.0, max(0.0, (value - low) / (high - low)))


class _Whole:
    """Features of a whole picture at working size: palette and where its ink lies; `inner`: its ink box, unscaled."""

    def __init__(self, image, size, paper):
        self.size = size
        colours = _Colours(image.resize(size, Image.Resampling.BILINEAR), None, paper)
        ink = np.clip(colours.distance / 30, 0, 1)
        self.background = colours.background
        self.box = _box(ink > 0.3) or (0, 0, *size)
        kx, ky = image.size[0] / size[0], image.size[1] / size[1]
        self.inner = tuple(side * k for side, k in zip(self.box, (kx, ky, kx, ky)))
        self.profiles = ink.sum(0), ink.sum(1)
        codes = np.flatnonzero(colours.counts > 0)
        lab = _lab(codes, colours.background)
        weight = np.clip(_against(colours.background)[0][codes] / 30, 0, 1)
        weight *= 1 + 2 * np.minimum(1, np.sqrt(lab[1] ** 2 + lab[2] ** 2) / 40)
        coarse = (codes >> 14 << 8) | (codes >> 8 & 15) << 4 | (codes >> 2 & 15)
        amounts = np.bincount(coarse, weight * colours.counts[codes], 4096)
        coarse = np.flatnonzero(amounts)
        self.palette = amounts[coarse] @ _anchors()[coarse] / ink.size
        self.blocks = _blocks(_lab(colours.code, colours.background), ink)


class _Cropped:
    """Features of a picture cropped to `box` and stretched to `size`, so that a shifted chart is still the same."""

    def __init__(self, image, box, size, background):
        self.size = size
        colours = _Colours(image.resize(self.size, Image.Resampling.BILINEAR, box=box), background)
        ink = np.clip(colours.distance / 30, 0, 1)
        self.ink = _blurred(ink, (3, 7, 13))
        lab = _lab(colours.code, background)
        edge = np.zeros(ink.shape, np.float32)
        edge[:, 1:] = np.abs(lab[..., 1:] - lab[..., :-1]).sum(0)
        edge[1:] += np.abs(lab[:, 1:] - lab[:, :-1]).sum(0)
        edge = np.minimum(edge / 60, 1)
        self.edges = _blurred(edge, (3, 5, 9))
        self.sizes, self.edge_sizes = (planes.reshape(3, -1).sum(1) for planes in (self.ink, self.edges))
        self.blocks = _blocks(lab, ink)
        self.planes = self.blocks[:576].reshape(4, 12, 12)
        bend = np.abs(4 * ink[1:-1, 1:-1] - ink[:-2, 1:-1] - ink[2:, 1:-1] - ink[1:-1, :-2] - ink[1:-1, 2:])
        self.detail = _pool(bend, 8)

    @functools.cached_property
    def ways(self):
        """The sharpest ink and the colours of cells in each of the WAYS."""
        return [(np.ascontiguousarray(self.ink[0][way]), self.planes[way]) for way in WAYS]


def _overlap(a, b, total=None):
    """Sum of minima over sum of maxima in [0, 1]; two signs never overlap. 1 when both are empty.

    `total`: the sum of both's magnitudes, where it is known.
    """
    total = float(np.abs(a).sum() + np.abs(b).sum() if total is None else total)
    apart = a - b
    apart = float(np.abs(apart, out=apart).sum())
    least = (total - apart) / 2  # |a| + |b| - |a - b| is twice the minimum for like signs, 0 for unlike ones
    return min(1.0, max(0.0, least / (total - least))) if total > 1e-9 else 1.0


def _shares(palette):
    return palette / max(1e-9, palette.sum())


def _blurred(plane, widths):
    """A plane blurred by square boxes of several odd widths, zeros around it: uniform_filter in half its time."""
    far = max(widths) // 2
    padded = np.zeros((plane.shape[0] + 2 * far, plane.shape[1] + 2 * far), np.float32)
    padded[far:far + plane.shape[0], far:far + plane.shape[1]] = plane
    out = np.empty((len(widths), *plane.shape), np.float32)
    for i, (width, down) in enumerate(zip(widths, _sums(padded, widths, far))):
        out[i] = _sums(down.T, (width,), far)[0].T
        out[i] /= width * width
    return out


def _sums(padded, widths, far):
    """For each width: the sums of so many rows around each row but the first and last `far`."""
    powers, found = [padded], []  # sums of 1, 2, 4, 8 ... rows
    while 2 << len(powers) - 1 <= max(widths):
        powers.append(powers[-1][:-(1 << len(powers) - 1)] + powers[-1][1 << len(powers) - 1:])
    rows = len(padded) - 2 * far
    for width in widths:
        total, at = None, far - width // 2
        for k, power in enumerate(powers):
            if width >> k & 1:
                part = power[at:at + rows]
                total, at = part if total is None else total + part, at + (1 << k)
        found.append(total)
    return found


def _pool(plane, n):
    """Mean of an (..., h, w) array over an n by n grid."""
    rows, cols, counts = _grid(*plane.shape[-2:], n)
    return np.add.reduceat(np.add.reduceat(plane, rows, -2), cols, -1) / counts


@functools.lru_cache(256)
def _grid(height, width, n):
    """Where the rows and columns of an n by n grid begin, and how many pixels each cell holds."""
    rows, cols = (np.arange(n) * side // n for side in (height, width))
    return rows, cols, np.multiply.outer(np.diff(rows, append=height), np.diff(cols, append=width))


def _blocks(lab, ink):
    """Ink and colour per cell of a 12 by 12 and a 6 by 6 grid."""
    planes = np.empty((4, *ink.shape), np.float32)
    planes[0] = ink
    np.multiply(lab, ink / 60, out=planes[1:])
    fine = _pool(planes, 12)
    return np.concatenate([fine.ravel(), 4 * fine.reshape(4, 6, 2, 6, 2).mean((2, 4)).ravel()])


@functools.cache
def _anchors():
    """Soft assignment (4096 RGB codes × 125 anchors) that keeps near colours near in the palette histogram."""
    from skimage.color import rgb2lab
    codes, few = np.linspace(0, 1, 16), np.linspace(0, 1, 5)
    lab = rgb2lab(np.stack(np.meshgrid(codes, codes, codes, indexing="ij"), -1)).reshape(-1, 1, 3)
    anchors = rgb2lab(np.stack(np.meshgrid(few, few, few, indexing="ij"), -1)).reshape(1, -1, 3)
    weight = np.exp(-((lab - anchors) ** 2).sum(2) / (2 * 12 ** 2)) + 1e-12
    return weight / weight.sum(1, keepdims=True)
