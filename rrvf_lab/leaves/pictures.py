"""The one way from any picture to the RGB pixels that policy, judge, recordings and widgets see.

`rgb` is that way: whoever is handed a picture calls it, nobody else converts. `decoded` reads a picture file,
bounded in size, and goes through it; `stored` is the same for a `datasets` column. What a mode means is said
in `rgb`.

Left out: colour profiles (the stored numbers are taken as sRGB), frames after the first, TIFFs whose deep
grays count from white; comparing pictures (`judge`) and showing them (`show`). Decoding is Pillow's, in this
process and without a sandbox: the limits stop decompression bombs, not a decoder's faults.
"""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path

import numpy as np
import xxhash
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # raster only: Pillow hands EPS to Ghostscript
SMALLEST, MOST_PIXELS = 16, 25_000_000  # a side in pixels; width × height
TOO_MANY = f"at most {MOST_PIXELS // 1_000_000} megapixels are read"
DEEP = ("I", "F")  # modes, and those that begin "I;": one number a pixel, beyond 8 bits


def rgb(image) -> Image.Image:
    """The picture as RGB, as the policy, the judge, a recording and a widget see it.

    Args:
        image: a PIL picture of any mode, or a numpy array of height × width (× 1 to 4 channels: gray, gray
            and alpha, RGB, RGBA). It is turned as its EXIF data says, transparent parts lie on white. Bool
            and 1 bit are black and white, 8 bits stand as they are, of 16 bits 65535 is white. Floats and
            long integers have no white of their own: floats up to 1 count from 0 to 1, else what stays below
            256 counts as 8 bits, below 65536 as 16, and beyond that the greatest is white. NaN is white.

    Returns: a PIL picture of mode RGB; the same one where it is plain RGB already.

    Raises: TypeError for anything else, ValueError for an array of another shape, OSError (Pillow) for a file
        that is broken.

    Example: `rgb(Image.new("L", (4, 3))).mode == "RGB"`.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if not isinstance(image, Image.Image):
        raise TypeError(
            f"a PIL image is needed, got {type(image).__name__}: open it with PIL.Image.open(path)"
        )
    image.load()  # a lazily opened file is read here, once, and not by several threads
    turn = _turn(image)
    if image.mode == "RGB" and not image.has_transparency_data and turn == 1:
        return image
    if turn in range(2, 9):
        image = ImageOps.exif_transpose(image)
    elif turn != 1:
        image = image.copy()
        del image.info["exif"]  # whoever reads it next would stumble over it
    if image.mode in DEEP or image.mode.startswith("I;"):
        values = np.asarray(image)
        clear = image.info.get("transparency")
        image = Image.fromarray(_levels(values))
        return image.convert("RGB") if clear is None else _on_white(image, Image.fromarray(values != clear))
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
        return _on_white(image, image.getchannel("A"))
    return image.convert("RGB")


def decoded(source) -> Image.Image:
    """A picture file, by its path or its bytes, as `rgb` shows it.

    Raises ValueError for what is empty, no picture of `FORMATS`, smaller than 16 pixels or larger than 25
    megapixels, and whatever a decoder raises on broken input; `reason` puts either into words.

    Example: `decoded("data/charts/test/test-0000.png").size`.
    """
    with _opened(source) as picture:
        return rgb(picture)


def stored(source) -> dict:
    """A picture file as `datasets` takes it: {"path", "bytes"}, the file itself where it is plain RGB as it
    stands, else the bytes of a PNG file that is. Raises as `decoded` does.

    A file by its path is decoded here, so that a broken one shows now. Of bytes, which come by thousands out
    of one parquet file, plain ones are only verified: a JPEG that ends early shows when it is used."""
    with _opened(source) as picture:
        special = picture.mode != "RGB" or picture.has_transparency_data or "exif" in picture.info
        if isinstance(source, bytes) and not special:
            picture.verify()
            return {"path": None, "bytes": source}
        shown = rgb(picture)
        if shown is not picture:
            return {"path": None, "bytes": png(shown)}
    return {"path": str(Path(source).resolve()), "bytes": None}


def reason(error) -> str:
    """Why a file cannot be used, from what decoding it raised."""
    if type(error).__name__ == "DecompressionBombError":  # Pillow's own limit, met while opening
        return f"too many pixels; {TOO_MANY}"
    if isinstance(error, ValueError):
        return str(error)
    return f"cannot be decoded ({str(error) or type(error).__name__})"


def png(image, **options) -> bytes:
    """The picture as a PNG file without its colour profile; `options` are Pillow's."""
    data = io.BytesIO()
    image.save(data, "PNG", **{"icc_profile": None} | options)
    return data.getvalue()


def fingerprint(image) -> tuple:
    """What tells one RGB picture from others: its size and a hash of its pixels, as they lie in memory (0.3
    ms of a megapixel).

    Example: `fingerprint(image) == fingerprint(image.copy())`.
    """
    return image.size, xxhash.xxh3_128_digest(image.tobytes("raw", "RGBX"))


def data_url(picture) -> str:
    """A picture, shown as `rgb` does, or the bytes of a PNG file, as a data URL.

    Example: `f'<img src="{data_url(image)}">'`.
    """
    data = picture if isinstance(picture, bytes) else png(rgb(picture))
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _opened(source):
    """A picture file of a bearable size, not yet decoded."""
    if (len(source) if isinstance(source, bytes) else Path(source).stat().st_size) == 0:
        raise ValueError("empty file (0 bytes)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our limit is lower than Pillow's
        try:
            picture = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
        except UnidentifiedImageError:
            raise ValueError(_no_image(source)) from None
    wide, high = picture.size
    if min(wide, high) >= SMALLEST and wide * high <= MOST_PIXELS:
        return picture
    picture.close()
    needed = TOO_MANY if min(wide, high) >= SMALLEST else f"at least {SMALLEST} x {SMALLEST} are needed"
    raise ValueError(f"{wide} x {high} pixels; {needed}")


def _no_image(source):
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
        if file.read(20).startswith(b"version https://git"):
            return "a Git LFS pointer in place of the picture; get it with: git lfs pull"
    return f"not an image ({', '.join(FORMATS)})"


def _turn(image):
    """How a picture is to be turned, as EXIF counts: 1 (it stands right) to 8; 0 if that cannot be read."""
    try:
        note = image.getexif().get(0x0112, 1)
    except Exception:  # Pillow raises almost anything on a broken one
        return 0
    return note if note in range(2, 9) else 1


def _on_white(image, mask):
    white = Image.new("RGB", image.size, "white")
    white.paste(image.convert("RGB"), mask=mask)
    return white


def _levels(values):
    """Numbers of any kind as levels of 8 bits; see `rgb`."""
    kind = values.dtype.kind
    if values.dtype == np.uint8:
        return values
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise ValueError(f"an array of {values.dtype} is no picture; give bool, uint8, uint16 or float")
    values = np.asarray(values, np.float64 if values.dtype.itemsize > 2 else np.float32)
    top = values.max(initial=0, where=np.isfinite(values))
    if values.dtype.itemsize == 2 and kind == "u":
        white = 65535
    else:
        white = 1 if kind == "f" and top <= 1 else 255 if top < 256 else 65535 if top < 65536 else top
    return np.nan_to_num(values * (255 / white), nan=255).round().clip(0, 255).astype(np.uint8)


def _from_array(array):
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or 0 in array.shape:
        raise ValueError(f"an array of shape {array.shape} is no picture; give height x width, or height x "
                         "width x 1 to 4 channels (from channels first: array.transpose(1, 2, 0))")
    values = _levels(array)
    if channels == 1:
        return Image.fromarray(values.reshape(values.shape[:2])).convert("RGB")
    return rgb(Image.fromarray(np.ascontiguousarray(values)))
