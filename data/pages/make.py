"""Draws the raw images of data/pages and data/drawings from a seed: what html and svg policies learn from.

    python data/pages/make.py               # what lies in data/: 64 + 44 of each, of seed 11

Only pictures are written: the code is thrown away, so the sets stay unlabelled. Pixels depend on the versions
of Chromium, resvg and the fonts; the sampled code depends on the seed alone.

Left out: what pages and drawings are made of, which is in website.py and sketches.py.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from sketches import drawing
from website import page

from rrvf_lab import Renderer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from store import write_split

DATA = Path(__file__).resolve().parents[1]
SEED = 11


def code(kind, split, i, seed=SEED):
    """The code of page or drawing number `i` (kind "pages" or "drawings"); for tests, never for training.

        code("drawings", "test", 3)[:4] == "<svg"
    """
    return {"pages": page, "drawings": drawing}[kind](random.Random(f"{kind} {split} {i} {seed}"))


def write(folder, counts, seed=SEED):
    """Draw `counts` ({"train": 64, "test": 44}) of each kind into `folder`/pages and /drawings -> bytes.

    Older images of the same names are replaced. Raises RuntimeError where one cannot be drawn or two are the
    same.
    """
    seen, total = {}, 0
    with Renderer() as renderer:
        for kind, language in (("pages", "html"), ("drawings", "svg")):
            for split, count in counts.items():
                codes = [code(kind, split, i, seed) for i in range(count)]
                pictures = _drawn(renderer.map(codes, language), f"{kind}/{split}")
                total += write_split(Path(folder) / kind, split, pictures, seen)
    return total


def _drawn(renderings, name):
    for i, rendering in enumerate(renderings):
        if rendering.image is None:
            raise RuntimeError(f"{name} {i} could not be drawn: {rendering.error}")
        yield rendering.image


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="?", default=DATA, help="gets pages/ and drawings/")
    parser.add_argument("--train", type=int, default=64)
    parser.add_argument("--test", type=int, default=44)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(argv)
    size = write(options.folder, {"train": options.train, "test": options.test}, options.seed)
    made = f"{options.train} + {options.test} pages and as many drawings"
    print(f"{made} in {options.folder}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
