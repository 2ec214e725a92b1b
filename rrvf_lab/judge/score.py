"""How alike two pictures are, as a number: features, what nothing would earn, the comparison.

    raw      weighted sum of palette, position, layout, shapes and edges, lowered where aspect, edges or
             detail are far off
    base     the raw sum that a blank page or empty axes earn on the same target
    score    (raw - base) / (1 - base), times how alike texts and marks are, times "upright" (not mirrored)
             and "sharp" (no blur or mosaic of the target)

Two charts are aligned by stretching one box of ink onto the other; pages and drawings also at their own
scale, moved to where they fit best, so that a missing block does not stretch the rest.

Left out: what differs, in words (`sentences`).
"""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw

from .arrays import blurred, box_around, pooled
from .see import Colours
from .shades import apart_from, lab_from, lab_grid, rgb_of

WEIGHTS = {"colour": 0.25, "position": 0.10, "layout": 0.25, "shapes": 0.20, "edges": 0.20}
TEXT_WEIGHTS = {"title": 0.07, "x label": 0.04, "y label": 0.04, "x ticks": 0.02, "y ticks": 0.02,
                "legend": 0.09}
PARTS = (*WEIGHTS, "detail", "aspect", "upright", "sharp", "text", "marks")
FULL_INK = 30  # distance in CIELAB from which ink counts in full
# as it is, mirrored, upside down, both
TURNS = np.s_[...], np.s_[..., ::-1], np.s_[..., ::-1, :], np.s_[..., ::-1, ::-1]


class Scorer:
    """One target's features, baseline and comparison.

    `page` is its `Drawing`, `size` the longest side, in pixels, at which features are taken."""

    def __init__(self, page, size):
        self.page = page
        self.paper = page.colours.background
        shrink = size / max(page.size)
        self.whole = Whole(page.image, tuple(max(16, round(side * shrink)) for side in page.size), self.paper)
        left, top, right, bottom = self.whole.box
        self.cropped = Cropped(page.image, self.whole.inner, (max(16, right - left), max(16, bottom - top)),
                               self.whole.background)
        self.base = max(self._raw(image, image)[0] for image in _nothings(page))

    def compare(self, other, image, likeness) -> tuple[float, dict]:
        """(score, its parts), each in [0, 1].

        `other` is the `Drawing` of the picture stretched to the target's page, `image` the picture before
        that, and `likeness` what `sentences.compared` found.
        """
        if image.size == self.page.size and other.same(self.page):
            return 1.0, dict.fromkeys(PARTS, 1.0)
        raw, parts = self._raw(other.image, image)
        score = max(0.0, (raw - self.base) / max(1e-6, 1 - self.base))
        parts["text"] = 1 - sum(weight * (1 - _ramp(likeness.get(name, 1), 0.35, 0.75))
                                for name, weight in TEXT_WEIGHTS.items())
        parts["marks"] = min(1, likeness.get("marks", 0) / 0.2) ** 0.5
        score *= parts["text"] * parts["marks"] * parts["upright"] * parts["sharp"]
        return min(1.0, score), parts

    def _raw(self, stretched, image):
        """(raw sum, parts) of a picture, given as stretched to the target's page and as it is."""
        whole = Whole(stretched, self.whole.size, self.paper)
        aligned = [self._aligned(Cropped(stretched, whole.inner, self.cropped.size, whole.background))]
        position = overlap(self.whole.blocks, whole.blocks)
        if not self.page.framed:  # a chart stretches with its axes, a page or a drawing keeps its scale
            unstretched, moved = self._at_own_scale(stretched, image, whole)
            if unstretched is not whole:
                position = max(position, overlap(self.whole.blocks, unstretched.blocks))
            if moved:
                aligned.append(self._aligned(moved))
        parts = max(aligned, key=_weighted)
        upright = min(parts["upright"] for parts in aligned)
        mine, theirs = self.whole.palette, whole.palette
        colour = (overlap(mine, theirs) + overlap(_shares(mine), _shares(theirs))) / 2
        parts |= {"colour": colour, "position": position, "aspect": aspect_of(self.page.size, image.size),
                  "upright": upright}
        # a blur or mosaic agrees in these alone
        coarse = min(parts["layout"], parts["position"], parts["shapes"])
        parts["sharp"] = 1 - 0.7 * _ramp(coarse - parts["edges"], 0.5, 0.6)
        raw = _weighted(parts)
        raw *= parts["aspect"] ** 0.5 * min(1, parts["edges"] / 0.3) ** 0.5 * min(1, parts["detail"] / 0.6)
        return raw, parts

    def _at_own_scale(self, stretched, image, whole):
        """(`Whole` of the picture at its own scale, `Cropped` of it moved to where it fits best).

        The first is `whole` where nothing was stretched; the second None where moving would change nothing.
        """
        page, unstretched = stretched, whole
        if image.size != self.page.size:
            page = self._laid(image, whole.background)
            unstretched = Whole(page, self.whole.size, self.paper)
        right, down = map(_lag, self.whole.profiles, unstretched.profiles)
        off = np.subtract(self.whole.box, unstretched.box) - (right, down, right, down)
        if page is stretched and np.abs(off).max() <= 1:  # stretching the boxes of ink has moved it already
            return unstretched, None
        (width, height), (small_width, small_height) = self.page.size, self.whole.size
        page = self._laid(page, unstretched.background, round(right * width / small_width),
                          round(down * height / small_height))
        return unstretched, Cropped(page, self.whole.inner, self.cropped.size, unstretched.background)

    def _laid(self, image, background, right=0, down=0):
        """A picture at the target's width, laid on its page with the upper left corner at (right, down)."""
        width, height = self.page.size
        if image.size != self.page.size:
            full = image.height * width / image.width
            shown = min(1, height / full)  # a thin strip would become a page of millions of rows
            image = image.resize((width, max(1, round(full * shown))), Image.Resampling.BILINEAR,
                                 box=(0, 0, image.width, image.height * shown))
        page = Image.new("RGB", self.page.size, rgb_of(background))
        page.paste(image, (right, down))
        return page

    def _aligned(self, theirs):
        """The parts that two `Cropped` pictures give."""
        mine = self.cropped
        parts = {"layout": overlap(mine.blocks, theirs.blocks),
                 "shapes": _mean_overlap(mine.ink, theirs.ink, mine.ink_sums + theirs.ink_sums),
                 "edges": _mean_overlap(mine.edges, theirs.edges, mine.edge_sums + theirs.edge_sums),
                 "detail": overlap(mine.detail, theirs.detail)}
        total = mine.ink_sums[0] + theirs.ink_sums[0]
        as_is, *turned = (overlap(ink, theirs.ink[0], total) for ink, _ in mine.turns)
        cells, *turned_cells = (overlap(planes, theirs.cells) for _, planes in mine.turns)
        better = max(_ramp(max(turned) - as_is, 0, 0.15), _ramp(max(turned_cells) - cells, 0.05, 0.2))
        parts["upright"] = 1 - 0.7 * better
        return parts


def _weighted(parts):
    """The weighted sum of those parts that there are."""
    return sum(weight * parts.get(name, 0) for name, weight in WEIGHTS.items())


def _nothings(page):
    """A blank page and empty axes: what one draws who saw nothing but the target's paper and frame."""
    paper = rgb_of(page.colours.background)
    blank, axes = (Image.new("RGB", page.size, paper) for _ in range(2))
    left, top, right, bottom = page.frame
    pen = (0, 0, 0) if sum(paper) > 300 else (255, 255, 255)
    ImageDraw.Draw(axes).rectangle((left, top, right - 1, bottom - 1), outline=pen)
    return blank, axes


def _lag(mine, theirs):
    """By how much to move `theirs` so that two profiles of ink fit best; at most a third of their length."""
    far = len(mine) // 3
    mine, theirs = mine - mine.mean(), theirs - theirs.mean()
    fit = np.correlate(np.pad(mine, far), theirs, "valid")
    return int(fit.argmax()) - far if fit.max() > 1.02 * fit[far] else 0


# ---- features ----------------------------------------------------------------------------------------------

class Whole:
    """Features of a whole picture at working size: its palette and where its ink lies.

    `box` is the box of ink, `inner` the same in the picture's own pixels, `profiles` the ink of columns and
    rows.
    """

    def __init__(self, image, size, paper):
        self.size = size
        colours = Colours(image.resize(size, Image.Resampling.BILINEAR), None, paper)
        ink = np.clip(colours.distance / FULL_INK, 0, 1)
        self.background = colours.background
        self.box = box_around(ink > 0.3) or (0, 0, *size)
        across, down = image.width / size[0], image.height / size[1]
        left, top, right, bottom = self.box
        self.inner = left * across, top * down, right * across, bottom * down
        self.profiles = ink.sum(0), ink.sum(1)
        self.palette = _palette(colours) / ink.size
        self.blocks = _blocks(lab_from(colours.background, colours.shade), ink)


class Cropped:
    """Features of a picture's `box` stretched to `size`, so that a shifted chart is still the same.

    `ink` and `edges` are planes at three blurs, `cells` the means of ink and colour over a 12 by 12 grid.
    """

    def __init__(self, image, box, size, background):
        self.size = size
        colours = Colours(image.resize(size, Image.Resampling.BILINEAR, box=box), background)
        ink = np.clip(colours.distance / FULL_INK, 0, 1)
        lab = lab_from(background, colours.shade)
        self.ink = blurred(ink, (3, 7, 13))
        self.edges = blurred(_edges(lab), (3, 5, 9))
        self.ink_sums, self.edge_sums = (planes.reshape(3, -1).sum(1) for planes in (self.ink, self.edges))
        self.blocks = _blocks(lab, ink)
        self.cells = self.blocks[:4 * 12 * 12].reshape(4, 12, 12)
        bend = 4 * ink[1:-1, 1:-1] - ink[:-2, 1:-1] - ink[2:, 1:-1] - ink[1:-1, :-2] - ink[1:-1, 2:]
        self.detail = pooled(np.abs(bend), 8)

    @functools.cached_property
    def turns(self):
        """The sharpest ink and the cells in each of TURNS."""
        return [(np.ascontiguousarray(self.ink[0][turn]), self.cells[turn]) for turn in TURNS]


def _edges(lab):
    """How much each pixel differs from its left and upper neighbours, in [0, 1]."""
    edges = np.zeros(lab.shape[1:], np.float32)
    edges[:, 1:] = np.abs(lab[..., 1:] - lab[..., :-1]).sum(0)
    edges[1:] += np.abs(lab[:, 1:] - lab[:, :-1]).sum(0)
    return np.minimum(edges / 60, 1)


def _blocks(lab, ink):
    """Ink and colour of the cells of a 12 by 12 and a 6 by 6 grid, in one vector."""
    planes = np.empty((4, *ink.shape), np.float32)
    planes[0] = ink
    np.multiply(lab, ink / 60, out=planes[1:])
    fine = pooled(planes, 12)
    coarse = fine.reshape(4, 6, 2, 6, 2).mean((2, 4))
    return np.concatenate([fine.ravel(), 4 * coarse.ravel()])


def _palette(colours):
    """How much of each of 125 anchor colours a picture shows, vivid ones counted up to three times."""
    shades = np.flatnonzero(colours.counts > 0)
    _, a, b = lab_from(colours.background, shades)
    weight = np.clip(apart_from(colours.background).distance[shades] / FULL_INK, 0, 1)
    weight *= 1 + 2 * np.minimum(1, np.sqrt(a ** 2 + b ** 2) / 40)
    red, green, blue = shades >> 14, shades >> 8 & 15, shades >> 2 & 15  # in 16 steps instead of 64
    amounts = np.bincount(red << 8 | green << 4 | blue, weight * colours.counts[shades], 16 ** 3)
    shown = np.flatnonzero(amounts)
    return amounts[shown] @ _anchors()[shown]


@functools.cache
def _anchors():
    """Soft assignment (4096 colours x 125 anchors) that keeps near colours near in the palette."""
    lab, anchors = lab_grid(16), lab_grid(5)
    weight = np.exp(-((lab[:, None] - anchors[None]) ** 2).sum(2) / (2 * 12 ** 2)) + 1e-12
    return weight / weight.sum(1, keepdims=True)


# ---- agreement of numbers ----------------------------------------------------------------------------------

def overlap(a, b, total=None):
    """Sum of minima over sum of maxima in [0, 1]; two signs never overlap. 1 when both are empty.

    `total`: the sum of both's magnitudes, where it is known.
    """
    total = float(np.abs(a).sum() + np.abs(b).sum() if total is None else total)
    apart = a - b
    apart = float(np.abs(apart, out=apart).sum())
    least = (total - apart) / 2  # |a| + |b| - |a - b| is twice the minimum for like signs, 0 for unlike ones
    return min(1.0, max(0.0, least / (total - least))) if total > 1e-9 else 1.0


def _mean_overlap(mine, theirs, totals):
    """Of three planes each."""
    return sum(map(overlap, mine, theirs, totals)) / 3


def aspect_of(a, b):
    """Agreement of two (width, height) in (0, 1]."""
    ratio = (a[0] / a[1]) / (b[0] / b[1])
    return min(ratio, 1 / ratio)


def _shares(palette):
    return palette / max(1e-9, palette.sum())


def _ramp(value, low, high):
    """0 up to `low`, 1 from `high` on, straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
