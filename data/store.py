"""Writing the pictures of a split, for every maker in data/: numbered PNG files, none of them twice.

Left out: labels. Pictures are all that lies in a split's folder.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from rrvf_lab.leaves.pictures import png


def write_split(folder, split: str, pictures, seen: dict) -> int:
    """Write `pictures` as `folder`/`split`/`split`-0000.png and so on, in place of older ones -> bytes.

    `seen` maps pixels to the name they were written under, over all splits of a run. Raises RuntimeError
    where a picture's pixels are among them already: splits must not share an image.

    Example: `write_split("data/charts", "test", map(draw, specs), {})`.
    """
    target, total = Path(folder) / split, 0
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob(f"{split}-[0-9]*.png"):
        old.unlink()
    for i, picture in enumerate(pictures):
        file = target / f"{name(split, i)}.png"
        shown = f"{Path(folder).resolve().name}/{file.stem}"
        pixels = picture.size, hashlib.sha256(picture.tobytes()).digest()
        if pixels in seen:
            raise RuntimeError(f"{shown} has the pixels of {seen[pixels]}; give another --seed")
        seen[pixels] = shown
        data = png(picture, optimize=True)
        file.write_bytes(data)
        total += len(data)
    return total


def name(split: str, i: int) -> str:
    """The file stem, and so the id, of picture number `i`: "test-0003"."""
    return f"{split}-{i:04d}"
