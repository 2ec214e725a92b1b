"""Design2Code's scores of a web page against the page it should reproduce: blocks, text, position, colour, CLIP.

The benchmark (arXiv 2403.03163; WebSight has no metric of its own and borrows these) finds text without OCR: every text
element is given a colour of its own, the page is drawn twice with these colours moved by 50, and the pixels that moved
by 50 are text. Blocks of both pages are then paired by their words.

    block     area of paired blocks over the area of all blocks, of both pages
    text      mean ratio of equal letters (difflib) over the pairs
    position  mean of 1 - max(|dx|, |dy|) between the centres, in page widths and heights
    color     mean of max(0, 1 - dE2000 / 100) between the mean colours of the text
    clip      cosine of CLIP's image features, text painted over, pages squeezed to a square
    total     the mean of the five (nan without CLIP); where nothing pairs all but CLIP is 0

Values agree with the official code on the same screenshots, also where that code is odd (measured with VLMEvalKit's
copy of github NoviScl/Design2Code). What it does, to know when you read a number:

    no-import        visual_score.py of NoviScl/Design2Code 7a575e4 does not parse (indentation, line 463); the
                     copy does
    markers-run-out  4096 marker colours; a page with more text elements raises. Here it scores 0 with that error
    height-differs   pages of unequal height in the two drawings give no blocks at all (issue 13). Kept
    texts-of-one     loose texts of one element share all its pixels: same box, words joined by blanks. Kept
    colour-floor     colours are cut to whole numbers, and halves lost at each merge. Kept
    mask-merged      the candidate's list is merged in place, so CLIP's mask has merged boxes on that page only. Kept
    cut-repeats      text positions are compared with positions in the HTML before repeated text is cut off. Kept

Ours differs by the place where pages are drawn: our Chromium, without scripts, network and files (pictures, "rick.jpg"
too, are gray boxes), and at most `TALLEST` pixels high, against none of these limits. Choices of the harness are
arguments: `viewport` of `Pages` (1280 x 720 and the whole page), `clean` (the candidate's HTML is repaired and repeats
are cut), `mask` of `Clip` (the paper behind RRVF does not say).

Left out: TreeBLEU, the GPT-4V comparison, the older OCR variant. CLIP runs only where transformers finds its weights,
and the mask needs OpenCV (pip install opencv-python-headless).
"""

from __future__ import annotations

import difflib
import functools
import math
import re
import warnings
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from ..render.chromium import Browser, PageError
from .chartmimic import ciede2000, lab

TEXT_TAGS = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "div", "span", "a", "b", "li", "table", "td", "th", "button",
             "footer", "header", "figcaption"]
SHADES = range(10, 251, 16)                # of each channel of a marker: 16 ** 3 = 4096 markers
SHIFT, NEAR_SHIFT, NEAR_MARKER = 50, 8, 4
TALLEST, WIDEST = 10_000, 4_000            # pixels of a drawn page
FAILED = (1280, 960)                       # the white picture that stands for a page that cannot be drawn
PARTS = ("block", "text", "position", "color", "clip", "total")


class Pages(Browser):
    """Chromium that draws whole pages as the harness does; use as a context manager. Arguments as `browser.Browser`.

        with Pages() as pages:
            pages.html("<p>Hello").size                    # (1280, 720)
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


# -------------------------------------------------------------------------------------------------------------- blocks

@dataclass(frozen=True)
class Block:
    """A piece of text on a page: its words in lower case, its box (left, top, width, height in shares of the page), and
    its mean colour (RGB, 0 to 255)."""
    text: str
    box: tuple
    color: tuple

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]


def blocks(html: str, pages) -> tuple:
    """Draw a page three times -> (its PIL image, list of `Block`s in the order of the HTML, equal boxes joined).

    Raises PageError when it cannot be drawn, ValueError when it has more text elements than there are markers.
    """
    picture = pages.html(html)
    texts, drawn = [], []
    for offset in (0, SHIFT):
        page, said = marked(html, offset)
        texts = texts or said
        drawn.append(np.asarray(pages.html(page)).astype(int))
    return picture, joined(find_blocks(np.asarray(picture), *drawn, texts))


def marked(html: str, offset=0) -> tuple:
    """Give each text element a colour -> (html, [(text, "#rrggbb" or other word for its colour)]); backgrounds
    vanish."""
    from bs4 import BeautifulSoup, Comment, NavigableString

    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(True):
        _restyle(tag, "background-color", "rgba(255, 255, 255, 0.0)")
    found = soup.find_all(TEXT_TAGS)
    if len(found) > len(SHADES) ** 3:
        raise ValueError(f"the page has {len(found)} text elements; the metric has only {len(SHADES) ** 3} marker "
                         "colours")
    shades = list(SHADES)
    markers = ((r, g, b) for r in reversed(shades) for g in reversed(shades) for b in reversed(shades))
    for tag, marker in zip(found, markers):
        _restyle(tag, "color", "#{:02X}{:02X}{:02X}".format(*((c + offset) % 256 for c in marker)))
        _restyle(tag, "opacity", "1.0")
    texts = []

    def walk(element, color):
        for child in element.children:
            if isinstance(child, Comment):
                continue
            if isinstance(child, NavigableString):
                if child.strip():
                    texts.append((child.strip(), color))
            else:
                walk(child, _own_color(child) or color)

    if soup.body:
        walk(soup.body, _own_color(soup.body) or "#000000")
    return str(soup), texts


def _restyle(tag, name, value):
    kept = [s for s in tag.attrs.get("style", "").split(";") if s.strip() and not s.strip().startswith(name)]
    tag["style"] = "; ".join([*kept, f"{name}: {value} !important"]).strip()


def _own_color(tag):
    """The last colour an element's own style speaks of, border and shadow included, as the harness reads it, or
    None."""
    from PIL import ImageColor

    said = [s for s in tag.attrs.get("style", "").split(";") if "color" in s and "background-color" not in s]
    color = said[-1].partition(":")[2].partition(":")[0].strip().replace(" !important", "") if said else "#"
    if color.startswith("#"):
        return color if said else None
    try:
        rgb = [int(n) for n in color[4:-1].split(",")] if color.startswith("rgb") else ImageColor.getrgb(color)
        return "#{:02x}{:02x}{:02x}".format(*rgb)
    except (ValueError, IndexError):
        return None


def find_blocks(picture, marked_once, marked_twice, texts) -> list[Block]:
    """Where each text is: [height, width, 3] pixels of the page and of its two marked drawings -> `Block`s.

    No blocks when the two drawings differ in size, or text lies outside the page's own picture.
    """
    if marked_once.shape != marked_twice.shape:
        return []
    moved = (np.abs((marked_once + SHIFT) % 256 - marked_twice) <= NEAR_SHIFT).all(axis=2)
    rows, columns = np.nonzero(moved)
    inks, (height, width) = marked_once[rows, columns], moved.shape
    found = []
    for text, color in texts:
        if not re.match(r"#[0-9a-fA-F]{6}", color):
            continue
        marker = np.array([int(color[k:k + 2], 16) for k in (1, 3, 5)])
        if marker.min() < NEAR_MARKER or marker.max() > 255 - NEAR_MARKER:      # the official bytes overflow there
            continue
        here = (np.abs(inks - marker) <= NEAR_MARKER).all(axis=1)
        if not here.any():
            continue
        y, x = rows[here], columns[here]
        if y.max() >= picture.shape[0] or x.max() >= picture.shape[1]:
            return []
        box = (x.min() / width, y.min() / height, (x.max() - x.min() + 1) / width, (y.max() - y.min() + 1) / height)
        mean = picture[y, x, :3].mean(axis=0).astype(int)
        found.append(Block(text.lower(), tuple(map(float, box)), tuple(map(int, mean))))
    return found


def joined(found: list[Block]) -> list[Block]:
    """Blocks with one box become one: words joined, colours averaged."""
    out = {}
    for block in found:
        first = out.get(block.box)
        out[block.box] = block if first is None else Block(
            f"{first.text} {block.text}", block.box, tuple((a + b) / 2 for a, b in zip(first.color, block.color)))
    return list(out.values())


# ------------------------------------------------------------------------------------------------------------- pairing

@functools.lru_cache(100_000)
def _ratio(first, second):
    return difflib.SequenceMatcher(None, first, second).ratio()


def _costs(first, second):
    return np.array([[-_ratio(a.text, b.text) for b in second] for a in first]).reshape(len(first), len(second))


def _assign(costs):
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return rows.tolist(), columns.tolist()


def _paid(costs):
    return costs[_assign(costs)].tolist()


def _merged(first, second):
    (x1, y1, w1, h1), (x2, y2, w2, h2) = first.box, second.box
    left, top = min(x1, x2), min(y1, y2)
    box = (left, top, max(x1 + w1, x2 + w2) - left, max(y1 + h1, y2 + h2) - top)
    return Block(f"{first.text} {second.text}", box, tuple((a + b) // 2 for a, b in zip(first.color, second.color)))


def _saving(before, after):
    """How much cheaper the pairs that changed became, on average; 0 when the best of them only got better elsewhere."""
    same = Counter(before) & Counter(after)
    before, after = list((Counter(before) - same).elements()), list((Counter(after) - same).elements())
    saving = (sum(before) / len(before) if before else 0) - (sum(after) / len(after) if after else 0)
    return 0.0 if saving > 0 and min(before) <= min(after) else saving


def _merge_neighbours(side, other, costs_of):
    """Merge neighbours in `side` where that pairs better with `other` by more than 0.05, best first -> (blocks,
    any?)."""
    before, savings = _paid(costs_of(side, other)), []
    for i in range(len(side) - 1):
        tried = [*side[:i], _merged(side[i], side[i + 1]), *side[i + 2:]]
        saving = _saving(before, _paid(costs_of(tried, other)))
        if saving > 0.05:
            savings.append((saving, i))
    used, side = set(), list(side)
    for _, i in sorted(savings, key=lambda pair: pair[0], reverse=True):
        if not used & {i, i + 1}:
            side[i], side[i + 1] = _merged(side[i], side[i + 1]), None
            used |= {i, i + 1}
    return [block for block in side if block], bool(savings)


def pair(candidate: list[Block], reference: list[Block], bonus=0.1, window=1) -> tuple:
    """Pair the blocks of two pages by their words -> (candidate's blocks, reference's, [(i, j, ratio)]).

    Neighbours are merged first while that helps; a pair's neighbours add `bonus` of their likeness to the final choice;
    pairs with a ratio below 0.5 are dropped.
    """
    again = True
    while again:
        candidate, once = _merge_neighbours(candidate, reference, _costs)
        reference, twice = _merge_neighbours(reference, candidate, lambda side, other: _costs(other, side))
        again = once or twice
    rows, columns = _assign(_with_context(_costs(candidate, reference), bonus, window))
    pairs = [(i, j, _ratio(candidate[i].text, reference[j].text)) for i, j in zip(rows, columns)]
    return candidate, reference, [p for p in pairs if p[2] >= 0.5]


def _with_context(costs, bonus, window):
    out = costs.copy()
    for i, j in np.argwhere(costs < -0.5):
        near = np.sort(costs[max(0, i - window):i + window + 1, max(0, j - window):j + window + 1], axis=None).tolist()
        near.remove(costs[i, j])
        out[i, j] += bonus * sum(near[:2 * window])
    return out


# -------------------------------------------------------------------------------------------------------------- scores

@dataclass(frozen=True)
class PageScore:
    """Scores of one page in [0, 1]; `clip` and `total` are nan without CLIP. `error` says why a page could not be
    drawn."""
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
    both = sum(ours[i].area + theirs[j].area for i, j, _ in pairs)
    alone = (sum(b.area for i, b in enumerate(ours) if i not in {p[0] for p in pairs})
             + sum(b.area for j, b in enumerate(theirs) if j not in {p[1] for p in pairs}))
    away = [max(abs(a.box[k] + a.box[k + 2] / 2 - b.box[k] - b.box[k + 2] / 2) for k in (0, 1))
            for a, b in ((ours[i], theirs[j]) for i, j, _ in pairs)]
    colors = [lab([side[k].color for k in which]) for side, which in
              ((ours, [p[0] for p in pairs]), (theirs, [p[1] for p in pairs]))]
    return PageScore(both / (both + alone), float(np.mean([p[2] for p in pairs])), 1 - float(np.mean(away)),
                     float(np.maximum(0, 1 - ciede2000(*colors) / 100).mean())), ours


def page_score(reference: str, candidate: str, pages, clip=None, clean=True) -> PageScore:
    """Design2Code's scores of a candidate page's HTML against the reference's -> `PageScore`.

    `pages` is a `Pages`, `clip` a `Clip` or None. `clean` prepares the candidate as the harness does (`as_harness`). A
    candidate that cannot be drawn counts as a white page, with its error; a reference that cannot raises PageError.

        with Pages() as pages:
            page_score("<html><body><p>Hello</p></body></html>", "<p>hello</p>", pages).text          # 1.0
    """
    target, wanted = blocks(reference, pages)
    error = None
    try:
        picture, found = blocks(as_harness(candidate) if clean else candidate, pages)
    except (PageError, ValueError) as problem:
        from PIL import Image
        picture, found, error = Image.new("RGB", FAILED, "white"), [], str(problem)
    scores, merged = block_scores(found, wanted)
    if clip is not None:
        alike = clip(picture, [b.box for b in merged], target, [b.box for b in wanted])
        total = (scores.block + scores.text + scores.position + scores.color + alike) / 5
        scores = replace(scores, clip=alike, total=total)
    return replace(scores, error=error)


def as_harness(html: str) -> str:
    """The candidate's HTML as the harness repairs it: what repeats is cut off, a missing <html> added, the 51st and
    later equal elements removed, written again by the parser."""
    from bs4 import BeautifulSoup

    html = _without_repeats(html)
    if not re.search(r"<html[^>]*>", html, re.IGNORECASE):
        html = f"<html><body><p>{html}</p></body></html>"
    soup, seen = BeautifulSoup(html, "html.parser"), Counter()
    for element in soup.find_all(True):
        if element.decomposed:
            continue
        text = str(element)
        seen[text] += 1
        if seen[text] > 50:
            element.decompose()
    return str(soup)


def _without_repeats(html, size=100, often=5, alike=0.8):
    """Cut the page where `often` pieces of its text, `size` letters each, are about equal to an earlier one."""
    text = re.sub("<.*?>", "", html)
    places, at = [], -1
    for letter in text:                          # each letter's place in the page, as the harness finds it
        at = html.index(letter, at + 1)
        places.append(at)
    first, cut = {}, len(text)
    for start in range(0, len(text), size):
        piece = text[start:start + size]
        known = next((k for k in first if difflib.SequenceMatcher(None, piece, k).ratio() >= alike), None)
        if known is None:
            first[piece] = [start]
            continue
        first[known].append(start)
        if len(first[known]) >= often:
            begin = min(cut, first[known][0])
            cut = min(cut, places[begin] if begin < len(places) else len(html))
    return html if cut == len(text) else html[:cut]


def summarise(scores) -> dict:
    """Means of `PageScore`s, 0 to 100, pages that could not be drawn included; `exec` is the share that could, n how
    many.

        summarise(page_score(a, b, pages) for a, b in items)["block"]
    """
    scores = list(scores)
    if not scores:
        return {"n": 0}
    out = {part: 100 * float(np.mean([getattr(s, part) for s in scores])) for part in PARTS}
    return {"n": len(scores), "exec": 100 * float(np.mean([s.error is None for s in scores]))} | out


# ---------------------------------------------------------------------------------------------------------------- CLIP

class Clip:
    """Cosine likeness of two pages by any CLIP or SigLIP of transformers. `mask` paints over the text first (needs
    OpenCV).

    `Clip.load(name)` gives None, with one line of warning, where weights or OpenCV are missing.

        clip = Clip.load("openai/clip-vit-base-patch32"); clip and clip(first_image, [], second_image, [])
    """

    def __init__(self, name="openai/clip-vit-base-patch32", mask=True):
        from transformers import AutoImageProcessor, AutoModel

        if mask:
            import cv2  # noqa: F401
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
        warnings.warn(f"CLIP is skipped, clip and total are nan: {str(problem).splitlines()[0]}; to have it: {fix}",
                      stacklevel=2)
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
    from PIL import Image

    return image.convert("RGB").resize((min(image.size),) * 2, Image.Resampling.LANCZOS)


def _masked(image, boxes):
    """The image with the boxes painted over from their surroundings (Telea's method, radius 3)."""
    import cv2
    from PIL import Image

    pixels = np.array(image.convert("RGB"))
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for left, top, wide, high in boxes:
        x, y = int(left * width), int(top * height)
        mask[y:y + int(high * height), x:x + int(wide * width)] = 255
    return Image.fromarray(cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA))
