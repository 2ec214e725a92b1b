"""PIL pictures as plain RGB, as PNG bytes and as data URLs.

Left out: comparing pictures (`judge`) and showing them (`show`).
"""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image


def rgb(image) -> Image.Image:
    """The picture as RGB, transparent parts on white, grays of any depth scaled to 255. TypeError for
    anything else.

    Example: `rgb(Image.new("L", (4, 3))).mode == "RGB"`.
    """
    if not isinstance(image, Image.Image):
        raise TypeError(
            f"a PIL image is needed, got {type(image).__name__}: open it with PIL.Image.open(path)"
        )
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = np.asarray(image, np.float64)
        image = Image.fromarray((255 * (values / max(1, values.max()))).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def png(image, **options) -> bytes:
    """The picture as a PNG file; `options` are Pillow's."""
    data = io.BytesIO()
    image.save(data, "PNG", **options)
    return data.getvalue()


def data_url(picture) -> str:
    """A PIL picture, or the bytes of a PNG file, as a data URL. Example: `f'<img src="{data_url(image)}">'`.
    """
    data = picture if isinstance(picture, bytes) else png(picture)
    return "data:image/png;base64," + base64.b64encode(data).decode()
