"""Two rewards that a policy can fool, to compare others with: plain SSIM, and the first formula of
`PixelJudge`, from before text, mirrored pictures and mosaics were looked at.

Left out: a reason to train on either. `tests/benchmarks/hack_hunt.py` shows what comes of it.
"""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw

from ..leaves.pictures import rgb
from .score import Cropped, Whole, aspect_of, overlap
from .see import as_page, fitted
from .shades import rgb_of


def ssim(target, image) -> float:
    """Structural similarity of the gray pictures at 224 by 168, below 0 counted as 0; a blank page earns half
    of it.

    Example: `ssim(picture, picture) == 1.0`.
    """
    from skimage.metrics import structural_similarity  # a second to import

    a, b = (np.asarray(rgb(i).convert("L").resize((224, 168), Image.Resampling.BILINEAR))
            for i in (target, image))
    return max(0.0, float(structural_similarity(a, b)))


def prototype(target, image) -> float:
    """Palette, blocks, aligned blocks, ink and edges, less what a blank page or empty axes earn; in [0, 1].

    Example: `prototype(picture, picture) == 1.0`.
    """
    page, other = as_page(target), as_page(image)
    whole, cropped, base = _prepared(page.tobytes(), page.size)
    raw = _raw(whole, cropped, page.size, fitted(other, page.size), aspect_of(page.size, other.size))
    return min(1.0, max(0.0, (raw - base) / (1 - base)))


@functools.lru_cache(64)
def _prepared(data, size):
    page = Image.frombytes("RGB", size, data)
    whole = Whole(page, tuple(max(16, round(side * 224 / max(size))) for side in size), None)
    left, top, right, bottom = whole.box
    cropped = Cropped(page, whole.inner, (max(16, right - left), max(16, bottom - top)), whole.background)
    blank, axes = (Image.new("RGB", size, rgb_of(whole.background)) for _ in range(2))
    frame = 0.125 * size[0], 0.12 * size[1], 0.9 * size[0], 0.89 * size[1]  # where matplotlib puts its axes
    ImageDraw.Draw(axes).rectangle(frame, outline="black")
    return whole, cropped, max(_raw(whole, cropped, size, image, 1.0) for image in (blank, axes))


def _raw(whole, cropped, size, image, aspect):
    other = Whole(image, whole.size, None)
    theirs = Cropped(image, other.inner, cropped.size, other.background)
    ink, edges = (np.mean([overlap(a, b) for a, b in zip(*planes, strict=True)])
                  for planes in ((cropped.ink, theirs.ink), (cropped.edges, theirs.edges)))
    raw = (0.30 * overlap(whole.palette, other.palette) + 0.10 * overlap(whole.blocks, other.blocks)
           + 0.25 * overlap(cropped.blocks, theirs.blocks) + 0.20 * ink + 0.15 * edges)
    return raw * aspect ** 0.5 * min(1, edges / 0.3) ** 0.5
