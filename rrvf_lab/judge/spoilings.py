"""Pictures made worse on purpose, from their pixels alone, so that any raw image can be a target.

    RUNGS  noise, blur, shift, scale, hue, cover; four amounts each, mild to strong
    TRAPS  blank page, solid fill, empty axes, unrelated (the next target), mirrored (not where that changes
           less than a third of what is drawn), mosaic, noise, blur

Left out: spoilings of meaning (a wrong word, a wrong value), which need the source of the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from ..leaves.pictures import rgb
from .arrays import box_around

RUNGS = {
    "noise": (12, 30, 60, 110),             # standard deviation, of 255
    "blur": (0.004, 0.01, 0.02, 0.05),      # radius, of the longest side
    "shift": (0.02, 0.06, 0.12, 0.25),      # to the right, of the width
    "scale": (0.92, 0.8, 0.65, 0.45),       # of the size, about the centre
    "hue": (0.08, 0.17, 0.33, 0.5),         # of a full turn
    "cover": (0.1, 0.3, 0.55, 0.8),         # of what is drawn, from the right
}
TRAPS = ("blank", "solid", "axes", "unrelated", "mirrored", "mosaic", "noise", "blur")
LIMIT = 0.35  # what deserves next to nothing and earns more has fooled its judge
SEEN = 16  # of 255: two channels further apart than this look different


def spoil(image, name: str, amount: float, seed=0) -> Image.Image:
    """One rung of a ladder: `image` spoilt by `name` of `RUNGS`; `amount` in the unit given there.

    `seed` is of the noise. Raises ValueError for an unknown name.

    Example: `spoil(target, "shift", 0.1)`.
    """
    image = rgb(image)
    width, height = image.size
    paper = _paper(image)
    page = Image.new("RGB", image.size, paper)
    if name == "noise":
        noise = np.random.default_rng(seed).normal(0, amount, (height, width, 3))
        return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
    if name == "blur":
        return image.filter(ImageFilter.GaussianBlur(amount * max(image.size)))
    if name == "shift":
        page.paste(image, (round(amount * width), 0))
        return page
    if name == "scale":
        size = max(1, round(amount * width)), max(1, round(amount * height))
        small = image.resize(size, Image.Resampling.LANCZOS)
        page.paste(small, ((width - small.width) // 2, (height - small.height) // 2))
        return page
    if name == "hue":
        hue, saturation, value = image.convert("HSV").split()
        turned = hue.point(lambda h: int(h + amount * 256) % 256)
        return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    if name == "cover":
        left, top, right, bottom = _drawn(image, paper)
        image = image.copy()
        image.paste(paper, (round(right - amount * (right - left)), top, right, bottom))
        return image
    raise ValueError(f"unknown spoiling {name!r}; known: {', '.join(RUNGS)}")


def traps(target, unrelated, random) -> dict[str, Image.Image]:
    """The pictures that deserve next to nothing as a render of `target`, by name of TRAPS.

    `unrelated` is another target, `random` a numpy generator. "mirrored" is missing where it is nearly the
    target.
    """
    size, longest = target.size, max(target.size)
    noise = random.integers(0, 256, (target.height, target.width, 3), dtype=np.uint8)
    mean = tuple(int(value) for value in np.asarray(target).mean((0, 1)))
    cells = tuple(max(1, side * 16 // longest) for side in size)
    mirrored = ImageOps.mirror(target)
    pictures = {
        "blank": Image.new("RGB", size, _paper(target)),
        "solid": Image.new("RGB", size, mean),
        "axes": _axes(size),
        "unrelated": unrelated,
        "mirrored": mirrored,
        "mosaic": target.resize(cells, Image.Resampling.BOX).resize(size, Image.Resampling.NEAREST),
        "noise": Image.fromarray(noise),
        "blur": target.filter(ImageFilter.GaussianBlur(0.03 * longest)),
    }
    if not turned(target, mirrored):
        del pictures["mirrored"]
    return pictures


def turned(target, mirrored) -> bool:
    """Whether mirroring changed a third of what is drawn; a nearly symmetric picture rightly scores high."""
    a, b = (np.asarray(picture).astype(int) for picture in (target, mirrored))
    ink = np.abs(a - _paper(target)).max(2) > SEEN
    changed = np.abs(a - b).max(2) > SEEN
    return bool(ink.any() and changed[ink].mean() > 1 / 3)


def _paper(image):
    """The most frequent colour."""
    return max(image.getcolors(image.width * image.height))[1]


def _drawn(image, paper):
    """The box around all that is not paper; the whole page when nothing is drawn."""
    return box_around(np.abs(np.asarray(image).astype(int) - paper).max(2) > SEEN) or (0, 0, *image.size)


def _axes(size):
    """A picture of matplotlib's empty axes."""
    # imported here, so that the import of the room stays quick
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.add_subplot()
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).resize(size)
