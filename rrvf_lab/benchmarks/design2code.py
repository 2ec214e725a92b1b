"""Design2Code's scores of a page against the page it should be: blocks, text, position, colour, CLIP.

The benchmark is arXiv 2403.03163; WebSight has no metric of its own and borrows these. The texts of both
pages are found and paired first (`blocks`), then

    block     area of paired blocks over the area of all blocks, of both pages
    text      mean ratio of equal letters (difflib) over the pairs
    position  mean of 1 - max(|dx|, |dy|) between the centres, in page widths and heights
    color     mean of max(0, 1 - dE2000 / 100) between the mean colours of the text
    clip      cosine of CLIP's image features, text painted over, pages squeezed to a square
    total     the mean of the five (NaN without CLIP); where nothing pairs all but CLIP is 0

Values agree with the official code on the same screenshots, also where that code is odd (measured with
VLMEvalKit's copy of github NoviScl/Design2Code). What it does, to know when you read a number:

    no-import        visual_score.py of NoviScl/Design2Code 7a575e4 does not parse (indentation, line 463);
                     the copy does
    markers-run-out  4096 marker colours; a page with more text elements raises. Here it scores 0 with that
                     error
    height-differs   pages of unequal height in the two drawings give no blocks at all (issue 13). Kept
    texts-of-one     loose texts of one element share all its pixels: same box, words joined by blanks. Kept
    colour-floor     colours are cut to whole numbers, and halves lost at each merge. Kept
    mask-merged      the candidate's list is merged in place, so CLIP's mask has merged boxes on that page
                     only. Kept
    cut-repeats      text positions are compared with positions in the HTML before repeated text is cut
                     off. Kept

Ours differs by the place where pages are drawn: our Chromium, without scripts, network and files (pictures,
"rick.jpg" too, are gray boxes), and at most `TALLEST` pixels high, against none of these limits. Choices of
the harness are arguments: `viewport` of `Pages` (1280 x 720 and the whole page), `clean` (the candidate's
HTML is repaired and repeats are cut), `mask` of `Clip` (the paper behind RRVF does not say).

Left out: TreeBLEU, the GPT-4V comparison, the older OCR variant. CLIP runs only where transformers finds its
weights, and the mask needs OpenCV (pip install opencv-python-headless).
"""

from __future__ import annotations

import functools
import importlib
import math
import re
import warnings
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ..leaves.pictures import rgb
from ..render.chromium import Browser, PageError
from .blocks import Block, blocks, pair, ratio
from .colours import likeness
from .tables import counted, mean_of, recorded

TALLEST, WIDEST = 10_000, 4_000  # pixels of a drawn page
FAILED = (1280, 960)  # the white picture that stands for a page that cannot be drawn
FOUR = ("block", "text", "position", "color")
SIZE, OFTEN, ALIKE = 100, 5, 0.8  # letters of a piece of text, how many about equal ones are too many
MOST_EQUAL = 50  # equal elements


class Pages(Browser):
    """Chromium that draws whole pages as the harness does; use as a context manager. Other arguments as
    `Browser`'s.

    Example: `with Pages() as pages: pages.html("<p>Hello").size == (1280, 720)`.
    """

    def __init__(self, viewport=(1280, 720), **limits):
        super().__init__(**limits)
        self.viewport = viewport

    async def _viewport(self, page, width, height):
        await super()._viewport(page, *self.viewport)

    async def _shot(self, page, width, height, moves):
        whole = (await page.devtools.send("Page.getLayoutMetrics"))["cssContentSize"]
        width, height = (math.ceil(whole[side]) for side in ("width", "height"))
        return await super()._shot(page, min(width, WIDEST), min(height, TALLEST), moves)


# ---------------------------------------------------------------------------------------------------- scores

@dataclass(frozen=True)
class PageScore:
    """Scores of one page in [0, 1]; `clip` and `total` are NaN without CLIP. `error` says why a page could
    not be drawn."""

    block: float = 0.0
    text: float = 0.0
    position: float = 0.0
    color: float = 0.0
    clip: float = math.nan
    total: float = math.nan
    error: str | None = None


def block_scores(candidate: list[Block], reference: list[Block]) -> tuple:
    """(PageScore without CLIP, the candidate's merged blocks) of what `blocks` found on the two pages."""
    if not candidate or not reference:
        return PageScore(), candidate
    ours, theirs, pairs = pair(candidate, reference)
    if not pairs:
        return PageScore(), ours
    paired = [(ours[i], theirs[j]) for i, j, _ in pairs]
    both = sum(a.area + b.area for a, b in paired)
    alone = _left_over(ours, {i for i, _, _ in pairs}) + _left_over(theirs, {j for _, j, _ in pairs})
    colors = likeness(*([block.color for block in side] for side in zip(*paired, strict=True)))
    return PageScore(block=both / (both + alone),
                     text=float(np.mean([alike for _, _, alike in pairs])),
                     position=1 - float(np.mean([_shift(a, b) for a, b in paired])),
                     color=float(colors.mean())), ours


def _left_over(side, paired):
    """The area of the blocks without a partner."""
    return sum(block.area for i, block in enumerate(side) if i not in paired)


def _shift(first, second):
    """The larger way between the centres of two blocks, across or down, in shares of the page."""
    (x1, y1, w1, h1), (x2, y2, w2, h2) = first.box, second.box
    return max(abs(x1 + w1 / 2 - x2 - w2 / 2), abs(y1 + h1 / 2 - y2 - h2 / 2))


def page_score(reference: str, candidate: str, pages, clip=None, clean=True) -> PageScore:
    """Design2Code's scores of a candidate page's HTML against the reference's -> `PageScore`.

    `pages` is a `Pages`, `clip` a `Clip` or None. `clean` prepares the candidate as the harness does
    (`page_as_harness`). A candidate that cannot be drawn counts as a white page, with its error; a reference
    that cannot raises PageError.

    Example: `with Pages() as pages: page_score("<body><p>Hello</p></body>", "<p>hello</p>", pages).text`.
    """
    target, wanted = blocks(reference, pages)
    error = None
    try:
        picture, found = blocks(page_as_harness(candidate) if clean else candidate, pages)
    except (PageError, ValueError) as problem:
        picture, found, error = Image.new("RGB", FAILED, "white"), [], str(problem)
    scores, merged = block_scores(found, wanted)
    if clip is not None:
        alike = clip(picture, [block.box for block in merged], target, [block.box for block in wanted])
        total = (scores.block + scores.text + scores.position + scores.color + alike) / 5
        scores = replace(scores, clip=alike, total=total)
    return replace(scores, error=error)


def page_as_harness(html: str) -> str:
    """The candidate's HTML as the harness repairs it: what repeats is cut off, a missing <html> added, the
    51st and later equal elements removed, written again by the parser."""
    from bs4 import BeautifulSoup  # as in `blocks`

    html = _without_repeats(html)
    if not re.search(r"<html[^>]*>", html, re.IGNORECASE):
        html = f"<html><body><p>{html}</p></body></html>"
    soup, seen = BeautifulSoup(html, "html.parser"), Counter()
    for element in soup.find_all(True):
        if element.decomposed:
            continue
        text = str(element)
        seen[text] += 1
        if seen[text] > MOST_EQUAL:
            element.decompose()
    return str(soup)


def _without_repeats(html):
    """Cut the page where several pieces of its text are about equal to an earlier one."""
    text = re.sub("<.*?>", "", html)
    places, at = [], -1
    for letter in text:  # each letter's place in the page, as the harness finds it
        at = html.index(letter, at + 1)
        places.append(at)
    first, cut = {}, len(text)
    for start in range(0, len(text), SIZE):
        piece = text[start:start + SIZE]
        known = next((earlier for earlier in first if ratio(piece, earlier) >= ALIKE), None)
        if known is None:
            first[piece] = [start]
            continue
        first[known].append(start)
        if len(first[known]) >= OFTEN:
            begin = min(cut, first[known][0])
            cut = min(cut, places[begin] if begin < len(places) else len(html))
    return html if cut == len(text) else html[:cut]


# ------------------------------------------------------------------------------------------------------ CLIP

class Clip:
    """Cosine likeness of two pages by any CLIP or SigLIP of transformers. `mask` paints over the text first
    (needs OpenCV).

    `Clip.load(name)` gives None, with one line of warning, where weights or OpenCV are missing.

    Example: `Clip("openai/clip-vit-base-patch32")(first_image, [], second_image, [])`.
    """

    def __init__(self, name="openai/clip-vit-base-patch32", mask=True):
        from transformers import AutoImageProcessor, AutoModel

        if mask:
            importlib.import_module("cv2")  # said now that it is missing, not at the first page
        self.mask = mask
        self._processor = AutoImageProcessor.from_pretrained(name, backend="pil", local_files_only=True)
        self._model = AutoModel.from_pretrained(name, local_files_only=True).eval()

    @classmethod
    def load(cls, name="openai/clip-vit-base-patch32", mask=True):
        try:
            return cls(name, mask)
        except ImportError as error:
            problem, fix = error, "pip install opencv-python-headless"
        except (OSError, ValueError) as error:
            problem, fix = error, f"hf download {name}"
        why = str(problem).splitlines()[0]
        warnings.warn(f"CLIP is skipped, clip and total are nan: {why}; to have it: {fix}", stacklevel=2)
        return None

    def __call__(self, first, first_boxes, second, second_boxes) -> float:
        """`boxes` as in `Block.box`, painted over when `mask` is on -> cosine in [-1, 1]."""
        import torch

        pictures = [_squeezed(_masked(image, boxes) if self.mask and boxes else image)
                    for image, boxes in ((first, first_boxes), (second, second_boxes))]
        with torch.no_grad():
            features = self._model.get_image_features(**self._processor(images=pictures, return_tensors="pt"))
        features = getattr(features, "pooler_output", features)
        return float(torch.nn.functional.cosine_similarity(features[:1], features[1:]).item())


def _squeezed(image):
    return rgb(image).resize((min(image.size),) * 2, Image.Resampling.LANCZOS)


def _masked(image, boxes):
    """The image with the boxes painted over from their surroundings (Telea's method, radius 3)."""
    import cv2

    pixels = np.array(rgb(image))
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for left, top, wide, high in boxes:
        x, y = int(left * width), int(top * height)
        mask[y:y + int(high * height), x:x + int(wide * width)] = 255
    return Image.fromarray(cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA))


# ------------------------------------------------------------------------------------------------ the metric

class Design2Code:
    """Design2Code as a metric of `evaluate`; `design2code` is one.

    Its numbers: block, text, position, color, in [0, 1]; where CLIP's weights are at hand clip, in [-1, 1],
    and `total`, the mean of the five; `ran` (1 or 0). A page that cannot be drawn counts as a white page, as
    published: 0 but for `clip`. A reference that cannot be drawn leaves its item unmeasured.

    Example: `evaluate(policy, load_benchmark("design2code"), metrics=[design2code])`.
    """

    name, needs = "design2code", ("reference",)

    def __call__(self, rollout, item) -> dict[str, float]:
        return self.map([(rollout, item)])[0]

    def map(self, pairs) -> list[dict[str, float]]:
        """The numbers of many (rollout, item) in one Chromium."""
        clip = _clip()
        with Pages() as pages:
            return [self._numbers(item["reference"], rollout.code or "", pages, clip)
                    for rollout, item in pairs]

    def _numbers(self, reference, candidate, pages, clip):
        try:
            score = page_score(reference, candidate, pages, clip)
        except PageError as error:
            raise ValueError(f"the reference page cannot be drawn here: {error}") from None
        parts = FOUR if clip is None else (*FOUR, "clip", "total")
        return {part: getattr(score, part) for part in parts} | {"ran": float(score.error is None)}

    def table(self, report, failures: str = "zero") -> dict[str, float]:
        """The benchmark's table, 0 to 100: n, exec (the share of pages that could be drawn), block, text,
        position, color, clip and total (NaN where CLIP did not run on all).

        `failures`: "zero" counts pages that failed as white pages, as published; "drop" takes what ran.
        Raises ValueError where no rollout has the metric, or for another word.

        Example: `design2code.table(report)["position"]`.
        """
        rows = recorded(report, self.name)
        kept = counted(rows, failures)
        out = {"n": len(kept), "exec": 100 * mean_of(rows, "ran")}
        out |= {part: 100 * mean_of(kept, part) for part in FOUR}
        seen = all("clip" in row for row in kept)
        return out | {part: 100 * mean_of(kept, part) if seen else math.nan for part in ("clip", "total")}


@functools.cache
def _clip():
    return Clip.load()


design2code = Design2Code()
