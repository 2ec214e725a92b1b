"""Compare a render with its target, from the two pictures alone: a score in [0, 1] and a few short sentences.

`PixelJudge` is deterministic, runs on the CPU and needs no model. `see` takes a picture apart, `sentences`
says what differs, `score` says how much; here targets are remembered and the answers put together.

The constants of these were set on spoilt charts, pages and drawings of `data`'s training half
(`bench_judge.py --split train`), under the condition that what a nano model draws on held-out charts keeps
its score. `tests/benchmarks/bench_judge.py` reports what the judge does on other charts (matplotlib and
plotly, of another generator), and on held-out pages and drawings.

Left out: it reads no words (a wrong title is seen as other glyphs, not as another meaning) and knows no data
values; on photographs and dense web pages the order of scores is less certain, and a mosaic of 32 cells of a
flat drawing passes. A program that paints the target's own pixels gets 1.0; keeping the target out of its
reach is the sandbox's work.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image

from ..leaves.pictures import fingerprint, rgb
from .score import Scorer, aspect_of
from .see import INK, Colours, Drawing, as_page, fitted, keep_apart
from .sentences import REGISTERS, compared
from .verdict import Verdict

CACHED_TARGETS = 64  # about 5 MB each


class PixelJudge:
    """The embedded judge: `judge(target, image)` compares two PIL pictures of any mode and size.

    `size` is the longest working side of the score in pixels (112 is faster). `register` is how the sentences
    speak of a chart's values and touches nothing else: "pointing" gives the change that each mark needs
    ("Change 0, +3, new of 10."), "telling" the target's values ("Values 9, 3, 5 of 10."). `image=None` means
    that the program gave no picture: score 0.0, and the feedback carries the last line of `error`. Identical
    pixels score exactly 1.0. Raises TypeError when a picture is not a PIL image, ValueError for an unknown
    register. Targets are remembered by content; results do not depend on it.

    Example: `PixelJudge()(target, render) -> Verdict(score=0.83, feedback="Change 0, +3 of 10.", ...)`
    """

    def __init__(self, size: int = 224, register: str = "pointing"):
        if register not in REGISTERS:
            raise ValueError(f"unknown register {register!r}; known: {', '.join(REGISTERS)}")
        self.size, self.register = size, register
        self._targets, self._lock = OrderedDict(), threading.Lock()

    def __call__(self, target, image, error=None) -> Verdict:
        if image is None:
            return Verdict.no_picture(error)
        page, scorer = self.remembered(target)
        image = as_page(image)
        drawing, sentences, likeness = _read(page, image, self.register)
        score, parts = scorer.compare(drawing, image, likeness)
        value, name = min((value, name) for name, value in parts.items())
        reason = ("Pixel for pixel the same." if score == 1 else
                  f"Weakest part: {name} {value:.2f}; blank or empty axes would earn 0.")
        return Verdict(score, sentences, parts, reason)

    def feedback(self, target, image) -> str:
        """The sentences alone, without the score.

        Example: `PixelJudge().feedback(a, a) == "No difference seen."`
        """
        page, _ = self.remembered(target, scored=False)
        return _read(page, as_page(image), self.register)[1]

    def remembered(self, target, scored: bool = True) -> tuple[Drawing, Scorer | None]:
        """A target taken apart, with what its score needs where it is `scored`; kept for the next time."""
        target = rgb(target)
        key = fingerprint(target)
        with self._lock:
            page, scorer = self._targets.get(key, (None, None))
            if page is not None:
                self._targets.move_to_end(key)
        if page is None or (scored and scorer is None):
            page = page or Drawing(as_page(target).copy())  # the caller may paint on their picture
            scorer = Scorer(page, self.size) if scored else None
            with self._lock:
                self._targets[key] = page, scorer
                while len(self._targets) > CACHED_TARGETS:
                    self._targets.popitem(last=False)
        return page, scorer


def _read(page, image, register):
    """(a picture as a `Drawing` of the page's size, the sentences on it, how alike texts and marks are)."""
    drawing = Drawing(fitted(image, page.size), page.colours.background)
    return drawing, *compared(page, drawing, aspect_of(page.size, image.size), register)


def judge(target, image, error=None) -> Verdict:
    """Compare two pictures with one shared `PixelJudge`. Example: `judge(target, rendering.image).score`"""
    return _shared()(target, image, error)


def difference(target, image) -> Image.Image:
    """Where two pictures differ: an RGB picture of the target's shape on white, at most 400 pixels long.

    Red: ink that only the target has. Blue: ink that only the image has. Near-black: ink in both, other
    colour. Light gray: the same. Ink is what stands out from the picture's most frequent colour.

    Example: `difference(target, render).save("difference.png")`
    """
    page, _ = _shared().remembered(target, scored=False)
    mine, theirs = page.colours, Colours(fitted(as_page(image), page.size))
    ink, their_ink = ((colours.distance > INK).view(np.uint8) for colours in (mine, theirs))
    other_colour = (ink | their_ink).view(bool)
    keep_apart(other_colour, mine, theirs, 24)
    kind = np.where(other_colour, ink + 2 * their_ink, 4 * (ink & their_ink))
    out = Image.fromarray(kind)
    out.putpalette([255, 255, 255,  220, 30, 30,  30, 60, 220,  40, 40, 40,  205, 205, 205])
    return out.convert("RGB")


@functools.cache
def _shared():
    return PixelJudge()
