"""Two pictures as one: where a render differs from its target, in four ways.

Left out: how much they differ, which is the judge's to say.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ..judge.pixel import difference
from ..leaves.pictures import rgb

LEGEND = {"difference": "red ink is missing, blue ink is extra, near-black has another colour, "
                        "light gray is right",
          "overlay": "the render laid over the target",
          "wipe": "left of the line the target, right of it the render",
          "heat map": "white is the same colour, dark red is 50 or more CIELAB units away"}
HOW = tuple(LEGEND)
HEAT = np.array([(255, 255, 255), (255, 190, 90), (215, 48, 31), (90, 0, 10)])  # from the same to FAR
FAR = 50    # CIELAB units
LARGE = 640  # longest side of a heat map, in pixels


def superpose(target, image, how: str = "difference", at: int = 50) -> Image.Image:
    """Target and render in one RGB picture of the target's size.

    `how` is "difference", "overlay" (`at` percent of the render), "wipe" (the line stands at `at` percent of
    the width) or "heat map" (distance of colours in CIELAB). Raises ValueError for another word.

    Example: `superpose(rollout.target, rollout.turns[0].rendering.image, "wipe", 30)`.
    """
    if how not in HOW:
        raise ValueError(f"how={how!r}: pictures are superposed by {', '.join(HOW)}")
    if how == "difference":
        return difference(target, image)
    target = rgb(target)
    image = rgb(image).resize(target.size, Image.Resampling.BILINEAR)
    if how == "overlay":
        return Image.blend(target, image, at / 100)
    return _wipe(target, image, at) if how == "wipe" else _heat_map(target, image)


def _wipe(target, image, at):
    x, (width, height) = round(target.width * at / 100), target.size
    image.paste(target.crop((0, 0, x, height)), (0, 0))
    ImageDraw.Draw(image).line((x, 0, x, height), fill=(200, 0, 120), width=max(2, width // 200))
    return image


def _heat_map(target, image):
    from skimage.color import rgb2lab

    size = tuple(max(1, round(side * min(1, LARGE / max(target.size)))) for side in target.size)
    small = [p.resize(size, Image.Resampling.BILINEAR) for p in (target, image)]
    first, second = (rgb2lab(np.asarray(p, np.float32) / 255) for p in small)
    share = np.sqrt(((first - second) ** 2).sum(2)) / FAR
    heat = [np.interp(share, np.linspace(0, 1, len(HEAT)), HEAT[:, channel]) for channel in range(3)]
    return Image.fromarray(np.stack(heat, -1).astype(np.uint8)).resize(target.size, Image.Resampling.NEAREST)
