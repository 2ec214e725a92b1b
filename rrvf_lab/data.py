"""Raw images in: a folder of pictures becomes a `datasets.Dataset`, and a contact sheet shows it.

A raw image is all that RRVF learns from, so `load_images` reads nothing but pixels: no code, no captions, no
metadata. Files that cannot be used (not an image, cut short, empty, one pixel, too large) are left out by
name with a warning; where none is left, that is an error. Every file is decoded once here, so that a broken
one shows now and not in hour three. Read next: `talk` (what a policy is told about an image).

Left out: nested folders, vector files, frames after the first, and benchmarks, which have reference code
(`benchmarks.load_benchmark`). What is white, and how a file is bounded: `leaves.pictures`.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from .leaves.files import found
from .leaves.pictures import reason, rgb, stored

LANGUAGES = {"charts": "matplotlib", "pages": "html", "drawings": "svg"}


def load_images(path, language=None):
    """Read a folder of raw images.

    Args:
        path: a folder with PNG, JPEG, WebP, GIF, BMP or TIFF files, such as "data/charts/train". A relative
            one is looked for here and then in the repository, so that notebooks can name it the same way.
        language: what the policy is asked to write: "matplotlib", "plotly", "html" or "svg". By default it
            follows from the folder's name or its parents': charts, pages, drawings; else "matplotlib".

    Returns: a `datasets.Dataset`, sorted by file name, with `id` (the file's stem), `image` (RGB as
        `leaves.pictures.rgb` shows it: transparent parts on white) and `language`.

    Raises: FileNotFoundError (no such folder), NotADirectoryError (a file), ValueError (no image in it can be
        used). A file that cannot be used while others can is left out with a UserWarning that names it and
        the reason.

    Example: `load_images("data/charts/test")[3]["image"]`.
    """
    from datasets import Dataset, Features, Value
    from datasets import Image as Picture

    folder = _existing(path)
    kept, problems = [], []
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.is_dir():
            continue
        try:
            kept.append((file, stored(file)))
        except Exception as error:  # decoders raise almost anything on broken input
            problems.append(f"{file.name}: {reason(error)}")
    if not kept:
        raise ValueError(_nothing_left(path, folder, problems))
    for problem in problems:
        warnings.warn(f"left out {problem}", stacklevel=2)
    if language is None:
        parts = reversed(folder.resolve().parts)
        language = next((LANGUAGES[part] for part in parts if part in LANGUAGES), "matplotlib")
    stems = Counter(file.stem for file, _ in kept)
    return Dataset.from_dict({
        "id": [file.stem if stems[file.stem] == 1 else file.name for file, _ in kept],
        "image": [source for _, source in kept],
        "language": [language] * len(kept),
    }, features=Features({"id": Value("string"), "image": Picture(mode="RGB"), "language": Value("string")}))


def contact_sheet(images, columns=8, width=160):
    """Thumbnails of many images in one PIL image, row by row, each with its number, from 0, in a corner.

    Args:
        images: what `load_images` gave (or a slice of it made with `.select`), or any list of PIL images.
        columns: thumbnails in a row.
        width: pixels of a cell; a cell is 4:3, and each image is fitted into it whole.

    Raises ValueError if there is no image to show.

    Example: `contact_sheet(load_images("data/charts/test").select(range(24)))`.
    """
    images = images["image"] if hasattr(images, "column_names") else images
    gap, height = 4, width * 3 // 4
    thumbnails = [ImageOps.contain(rgb(image), (width, height), Image.Resampling.LANCZOS)
                  for image in images]
    if not thumbnails:
        raise ValueError("no images to show on a contact sheet; give at least one")
    columns = min(columns, len(thumbnails))
    rows = -(-len(thumbnails) // columns)
    sheet = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), "#d0d0d0")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(min(20, max(9, width // 12)))
    for k, thumbnail in enumerate(thumbnails):
        left = gap + k % columns * (width + gap) + (width - thumbnail.width) // 2
        top = gap + k // columns * (height + gap) + (height - thumbnail.height) // 2
        sheet.paste(thumbnail, (left, top))
        corner = gap + k % columns * (width + gap) + 2, gap + k // columns * (height + gap) + 1
        left, top, right, bottom = pen.textbbox(corner, f" {k} ", font)
        pen.rectangle((left, corner[1], right, bottom + 2), fill="#ffffff", outline="#999999")
        pen.text(corner, f" {k} ", "#222222", font)
    return sheet


def _existing(path):
    folder = found(path)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise NotADirectoryError(f"'{path}' is a file; load_images wants the folder that holds the images: "
                                 f"load_images({str(Path(path).parent)!r})")
    raise FileNotFoundError(
        f"no folder of images at '{path}' (looked in '{Path.cwd()}' and in the repository). Benchmarks "
        "are read by load_benchmark. To draw the charts again: python data/charts/make.py")


def _nothing_left(path, folder, problems):
    inside = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))
    if inside:
        return f"no images in '{path}' itself; see its folders: load_images({str(Path(path) / inside[0])!r})"
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        return f"no usable image in '{path}': {'; '.join(problems[:5])}{more}"
    return f"the folder '{path}' is empty; put images into it, or: python data/charts/make.py"
