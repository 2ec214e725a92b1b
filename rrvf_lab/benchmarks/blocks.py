"""Where the texts of a web page are, and which texts of two pages belong together, as Design2Code does it.

Text is found without OCR: every text element is given a colour of its own, the page is drawn twice with these
colours moved by 50, and the pixels that moved by 50 are text. Blocks of two pages are then paired by their
words.

bs4 and scipy.optimize are slow to import and rrvf_lab imports this file: they wait until they are used.

Left out: what the pairs score (`design2code`, which also names the places where the official code is odd).
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from PIL import ImageColor

TEXT_TAGS = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "div", "span", "a", "b", "li", "table", "td", "th",
             "button", "footer", "header", "figcaption"]
SHADES = range(10, 251, 16)[::-1]  # of each channel of a marker
MARKERS = list(itertools.product(SHADES, repeat=3))  # 4096 colours
SHIFT, NEAR_SHIFT, NEAR_MARKER = 50, 8, 4
ALIKE = 0.5  # words of a pair
CHEAPER = 0.05  # a merge must save more
BONUS, WINDOW = 0.1, 1  # what the likeness of a pair's neighbours counts, and how many on each side


@dataclass(frozen=True)
class Block:
    """A piece of text on a page: its words in lower case, its box (left, top, width, height in shares of the
    page), and its mean colour (RGB, 0 to 255)."""

    text: str
    box: tuple
    color: tuple

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]


def blocks(html: str, pages) -> tuple:
    """Draw a page three times -> (its PIL image, list of `Block`s in the order of the HTML, equal boxes
    joined).

    Raises PageError when it cannot be drawn, ValueError when it has more text elements than there are
    markers.
    """
    picture = pages.html(html)
    texts, drawn = [], []
    for offset in (0, SHIFT):
        page, said = marked(html, offset)
        texts = texts or said
        drawn.append(np.asarray(pages.html(page)).astype(int))
    return picture, joined(find_blocks(np.asarray(picture), *drawn, texts))


def marked(html: str, offset=0) -> tuple:
    """Give each text element a colour -> (html, [(text, "#rrggbb" or other word for its colour)]);
    backgrounds vanish."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(True):
        _restyle(tag, "background-color", "rgba(255, 255, 255, 0.0)")
    found = soup.find_all(TEXT_TAGS)
    if len(found) > len(MARKERS):
        raise ValueError(f"the page has {len(found)} text elements; the metric has only {len(MARKERS)} "
                         "marker colours")
    for tag, marker in zip(found, MARKERS, strict=False):
        _restyle(tag, "color", "#{:02X}{:02X}{:02X}".format(*((c + offset) % 256 for c in marker)))
        _restyle(tag, "opacity", "1.0")
    body = soup.body
    return str(soup), list(_texts(body, _own_color(body) or "#000000")) if body else []


def _texts(element, color):
    """(text, colour) of every text inside, in order."""
    from bs4 import Comment, NavigableString

    for child in element.children:
        if isinstance(child, Comment):
            continue
        if not isinstance(child, NavigableString):
            yield from _texts(child, _own_color(child) or color)
        elif child.strip():
            yield child.strip(), color


def _restyle(tag, name, value):
    kept = [s for s in tag.attrs.get("style", "").split(";") if s.strip() and not s.strip().startswith(name)]
    tag["style"] = "; ".join([*kept, f"{name}: {value} !important"]).strip()


def _own_color(tag):
    """The last colour an element's own style speaks of, border and shadow included, as the harness reads it,
    or None."""
    styles = tag.attrs.get("style", "").split(";")
    said = [style for style in styles if "color" in style and "background-color" not in style]
    if not said:
        return None
    color = said[-1].partition(":")[2].partition(":")[0].strip().replace(" !important", "")
    if color.startswith("#"):
        return color
    try:
        rgb = map(int, color[4:-1].split(",")) if color.startswith("rgb") else ImageColor.getrgb(color)
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
    inks, found = marked_once[rows, columns], []
    for text, color in texts:
        marker = _marker(color)
        if marker is None:
            continue
        here = (np.abs(inks - marker) <= NEAR_MARKER).all(axis=1)
        if not here.any():
            continue
        y, x = rows[here], columns[here]
        if y.max() >= picture.shape[0] or x.max() >= picture.shape[1]:
            return []
        mean = picture[y, x, :3].mean(axis=0).astype(int)
        found.append(Block(text.lower(), _box(y, x, *moved.shape), tuple(map(int, mean))))
    return found


def _marker(color):
    """The RGB of a colour that can be looked for; near black and white the official bytes overflow."""
    if not re.match(r"#[0-9a-fA-F]{6}", color):
        return None
    marker = np.array([int(color[k:k + 2], 16) for k in (1, 3, 5)])
    return None if marker.min() < NEAR_MARKER or marker.max() > 255 - NEAR_MARKER else marker


def _box(y, x, height, width):
    """Left, top, width, height of these pixels, in shares of the picture."""
    return (float(x.min() / width), float(y.min() / height),
            float((x.max() - x.min() + 1) / width), float((y.max() - y.min() + 1) / height))


def joined(found: list[Block]) -> list[Block]:
    """Blocks with one box become one: words joined, colours averaged."""
    out = {}
    for block in found:
        first = out.get(block.box)
        if first is not None:
            color = tuple((a + b) / 2 for a, b in zip(first.color, block.color, strict=True))
            block = Block(f"{first.text} {block.text}", block.box, color)
        out[block.box] = block
    return list(out.values())


# ------------------------------------------------------------------------------------------------- pairing

@functools.lru_cache(100_000)
def ratio(first: str, second: str) -> float:
    """The share of equal letters of two texts, in [0, 1]."""
    return difflib.SequenceMatcher(None, first, second).ratio()


def _costs(first, second):
    costs = [[-ratio(a.text, b.text) for b in second] for a in first]
    return np.array(costs).reshape(len(first), len(second))


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
    color = tuple((a + b) // 2 for a, b in zip(first.color, second.color, strict=True))
    return Block(f"{first.text} {second.text}", box, color)


def _saving(before, after):
    """How much cheaper the pairs that changed became, on average; 0 when the best of them only got better
    elsewhere."""
    same = Counter(before) & Counter(after)
    before, after = list((Counter(before) - same).elements()), list((Counter(after) - same).elements())
    saving = (sum(before) / len(before) if before else 0) - (sum(after) / len(after) if after else 0)
    return 0.0 if saving > 0 and min(before) <= min(after) else saving


def _merge_neighbours(side, other, costs_of):
    """Merge neighbours in `side` where that pairs better with `other` by more than 0.05, best first ->
    (blocks, any?)."""
    before, savings = _paid(costs_of(side, other)), []
    for i in range(len(side) - 1):
        tried = [*side[:i], _merged(side[i], side[i + 1]), *side[i + 2:]]
        saving = _saving(before, _paid(costs_of(tried, other)))
        if saving > CHEAPER:
            savings.append((saving, i))
    used, side = set(), list(side)
    for _, i in sorted(savings, key=lambda pair: pair[0], reverse=True):
        if not used & {i, i + 1}:
            side[i], side[i + 1] = _merged(side[i], side[i + 1]), None
            used |= {i, i + 1}
    return [block for block in side if block], bool(savings)


def pair(candidate: list[Block], reference: list[Block]) -> tuple:
    """Pair the blocks of two pages by their words -> (candidate's blocks, reference's, [(i, j, ratio)]).

    Neighbours are merged first while that helps; a pair's neighbours add a tenth of their likeness to the
    final choice; pairs with a ratio below 0.5 are dropped.
    """
    again = True
    while again:
        candidate, once = _merge_neighbours(candidate, reference, _costs)
        reference, twice = _merge_neighbours(reference, candidate, lambda side, other: _costs(other, side))
        again = once or twice
    rows, columns = _assign(_with_context(_costs(candidate, reference)))
    pairs = [(i, j, ratio(candidate[i].text, reference[j].text))
             for i, j in zip(rows, columns, strict=True)]
    return candidate, reference, [pair for pair in pairs if pair[2] >= ALIKE]


def _with_context(costs):
    out = costs.copy()
    for i, j in np.argwhere(costs < -ALIKE):
        around = costs[max(0, i - WINDOW):i + WINDOW + 1, max(0, j - WINDOW):j + WINDOW + 1]
        near = np.sort(around, axis=None).tolist()
        near.remove(costs[i, j])
        out[i, j] += BONUS * sum(near[:2 * WINDOW])
    return out
